//===- Mma.cpp - Products by mma.sync -------------------------------------===//
//
// PTX ISA, "Warp-level matrix instructions: mma". The instruction of each type
// is the one that every GPU from sm_80 on has (sm_89 for 8-bit floats).
//
// f32 operands are multiplied in one of five ways. `tf32` lets the unit ignore
// the low 13 bits of the significand. The others split each operand exactly
// into parts that the unit multiplies exactly, and add the products of parts,
// smallest first: tf32x3 into two parts of tf32, bf16x3 and bf16x6 into two and
// three of bf16. `ieee` is not computed here.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Fragments.h"
#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using nereid::gpu::Element;
using nereid::gpu::Emitter;
using nereid::gpu::Registers;
using nereid::gpu::WarpDot;

namespace nereid::nvptx {
namespace {

/// An instruction by its operand types.
struct Instruction {
  std::string shape;        ///< "m16n8k16"
  std::string a, b;         ///< "f16", "e4m3"
  std::string result;       ///< "f32", of C and D
  Type accumulator;         ///< scalar type of C and D
  bool packsResult = false; ///< two f16 in a register
};

StringRef ptxName(Type type) {
  if (type.isF16())
    return "f16";
  if (type.isBF16())
    return "bf16";
  if (type.isF32())
    return "tf32";
  if (type.isF64())
    return "f64";
  if (isa<Float8E4M3FNType>(type))
    return "e4m3";
  if (isa<Float8E5M2Type>(type))
    return "e5m2";
  return type.isInteger(8) ? "s8" : "";
}

/// Writes mma.sync on scalars.
class MmaWriter {
public:
  MmaWriter(OpBuilder &b, Location loc, Instruction instruction)
      : b(b), loc(loc), instruction(std::move(instruction)) {}

  /// Scalars of up to 32 bits, put together in 32-bit registers; f64 alone.
  Registers pack(ValueRange scalars) const;
  /// D = A * B + C on fragments that `pack` gave; C and D are scalars.
  Registers multiply(const Registers &a, const Registers &bFragment,
                     const Registers &c) const;

  const Instruction &what() const { return instruction; }

private:
  Registers call(const Registers &a, const Registers &bFragment,
                 ValueRange c) const;

  OpBuilder &b;
  Location loc;
  Instruction instruction;
};

Registers MmaWriter::pack(ValueRange scalars) const {
  Type type = scalars.front().getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  if (bits == 64)
    return Registers(scalars);
  Type i32 = b.getI32Type();
  Registers result;
  if (bits == 32) {
    for (Value scalar : scalars)
      result.push_back(arith::BitcastOp::create(b, loc, i32, scalar));
    return result;
  }
  int64_t each = 32 / bits;
  auto vector = VectorType::get({each}, type);
  for (size_t first = 0; first < scalars.size(); first += each) {
    Value packed = LLVM::PoisonOp::create(b, loc, vector);
    for (int64_t i = 0; i < each; ++i)
      packed = LLVM::InsertElementOp::create(b, loc, packed, scalars[first + i],
                                             constantInt(b, loc, 32, i));
    result.push_back(LLVM::BitcastOp::create(b, loc, i32, packed));
  }
  return result;
}

Registers MmaWriter::call(const Registers &a, const Registers &bFragment,
                          ValueRange c) const {
  std::string constraints;
  int next = 0;
  auto list = [&](size_t count, StringRef letter) {
    std::string text = "{";
    for (size_t i = 0; i < count; ++i) {
      text += (i ? ", $" : "$") + std::to_string(next++);
      constraints += (constraints.empty() ? "" : ",") + letter.str();
    }
    return text + "}";
  };
  StringRef cLetter = constraintOf(c.front().getType());
  StringRef aLetter = constraintOf(a.front().getType());
  std::string text = "mma.sync.aligned." + instruction.shape + ".row.col." +
                     instruction.result + "." + instruction.a + "." +
                     instruction.b + "." + instruction.result + " ";
  text += list(c.size(), "=" + cLetter.str()) + ", ";
  text += list(a.size(), aLetter) + ", ";
  text += list(bFragment.size(), aLetter) + ", ";
  text += list(c.size(), cLetter) + ";";
  SmallVector<Value> operands(a);
  operands.append(bFragment);
  llvm::append_range(operands, c);
  return inlineAsm(b, loc, TypeRange(c), text, constraints, operands,
                   AsmEffects::AllLanes);
}

Registers MmaWriter::multiply(const Registers &a, const Registers &bFragment,
                              const Registers &c) const {
  if (instruction.packsResult) {
    Registers packed = call(a, bFragment, pack(c)), result;
    auto vector = VectorType::get({2}, instruction.accumulator);
    for (Value value : packed) {
      Value pair = LLVM::BitcastOp::create(b, loc, vector, value);
      for (int64_t i : {0, 1})
        result.push_back(LLVM::ExtractElementOp::create(
            b, loc, pair, constantInt(b, loc, 32, i)));
    }
    return result;
  }
  if (instruction.accumulator.isF64()) {
    // m8n8k4: the upper and the lower half of the rows.
    Registers result;
    for (size_t half : {0, 1})
      llvm::append_range(
          result, call({a[half]}, bFragment, ValueRange(c).slice(2 * half, 2)));
    return result;
  }
  return call(a, bFragment, c);
}

//===-- Splitting f32 -----------------------------------------------------===//

/// The value with all but tf32's 10 bits of significand cut off.
Value toTF32(OpBuilder &b, Location loc, Value value) {
  Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), value);
  bits =
      arith::AndIOp::create(b, loc, bits, constantInt(b, loc, 32, 0xffffe000u));
  return arith::BitcastOp::create(b, loc, b.getF32Type(), bits);
}

/// The parts of f32 scalars, greatest first: [part][scalar].
SmallVector<Registers> split(OpBuilder &b, Location loc, ValueRange scalars,
                             tt::InputPrecision precision) {
  bool bf16 = precision != tt::InputPrecision::TF32x3;
  size_t count = precision == tt::InputPrecision::BF16x6 ? 3 : 2;
  SmallVector<Registers> parts(count);
  for (Value rest : scalars)
    for (size_t part = 0; part < count; ++part) {
      Value head, asF32;
      if (bf16) {
        head = arith::TruncFOp::create(b, loc, b.getBF16Type(), rest);
        asF32 = arith::ExtFOp::create(b, loc, b.getF32Type(), head);
      } else {
        // The last part keeps its bits: the unit ignores the low ones.
        head = asF32 = part + 1 < count ? toTF32(b, loc, rest) : rest;
      }
      parts[part].push_back(head);
      if (part + 1 < count)
        rest = arith::SubFOp::create(b, loc, rest, asF32);
    }
  return parts;
}

/// Which parts are multiplied, smallest products first; the last is (0, 0).
ArrayRef<std::pair<int, int>> partProducts(tt::InputPrecision precision) {
  static constexpr std::pair<int, int> three[] = {{1, 0}, {0, 1}, {0, 0}};
  static constexpr std::pair<int, int> six[] = {{2, 0}, {1, 1}, {0, 2},
                                                {1, 0}, {0, 1}, {0, 0}};
  if (precision == tt::InputPrecision::BF16x6)
    return six;
  return three;
}

//===-- The dot -----------------------------------------------------------===//

/// Fragments in packed registers, made once for all tiles that share them.
class Fragments {
public:
  using Make = llvm::function_ref<SmallVector<Registers>(ValueRange)>;

  /// All parts (one without splitting) of an operand at an origin and step.
  const SmallVector<Registers> &get(WarpDot &grid, unsigned operand,
                                    Element origin, int32_t step, Make make) {
    origin[origin.size() - (operand == 0 ? 1 : 2)] = step;
    std::vector<int32_t> key(origin.begin(), origin.end());
    key.push_back(int32_t(operand));
    auto [slot, isNew] = made.try_emplace(key);
    if (isNew) {
      Element at = origin;
      at[at.size() - (operand == 0 ? 1 : 2)] = 0;
      slot->second = make(grid.fragment(operand, at, step));
    }
    return slot->second;
  }

private:
  std::map<std::vector<int32_t>, SmallVector<Registers>> made;
};

bool isSplit(Type element, tt::InputPrecision precision) {
  return element.isF32() && precision != tt::InputPrecision::TF32;
}

Instruction chooseInstruction(Type a, Type b, Type c,
                              tt::InputPrecision precision) {
  Instruction result;
  MLIRContext *context = c.getContext();
  bool asBF16 =
      isSplit(a, precision) && precision != tt::InputPrecision::TF32x3;
  result.a = asBF16 ? "bf16" : ptxName(a).str();
  result.b = asBF16 ? "bf16" : ptxName(b).str();
  unsigned bits = asBF16 ? 16 : a.getIntOrFloatBitWidth();
  result.shape = bits == 64 ? "m8n8k4" : "m16n8k" + std::to_string(256 / bits);
  if (a.isInteger(8)) {
    result.result = "s32";
    result.accumulator = IntegerType::get(context, 32);
  } else if (a.isF64()) {
    result.result = "f64";
    result.accumulator = c;
  } else if (a.isF16() && c.isF16()) {
    result.result = "f16";
    result.accumulator = c;
    result.packsResult = true;
  } else {
    result.result = "f32";
    result.accumulator = Float32Type::get(context);
  }
  return result;
}

LogicalResult emitDot(Emitter &emitter, Operation *op) {
  auto dot = cast<tt::DotOp>(op);
  Type a = dot.getA().getType().getElementType();
  Type bType = dot.getB().getType().getElementType();
  Type c = dot.getC().getType().getElementType();
  tt::InputPrecision precision = dot.getInputPrecision();
  if (ptxName(a).empty() || ptxName(bType).empty() ||
      (a.isF32() && precision == tt::InputPrecision::IEEE))
    return gpu::emitThreadDot(emitter, op);
  bool splits = isSplit(a, precision);
  bool asBF16 = splits && precision != tt::InputPrecision::TF32x3;
  auto grid =
      WarpDot::match(emitter, dot, tgpu::MatrixInstruction::NVIDIA_m16n8,
                     asBF16 ? 16 : a.getIntOrFloatBitWidth());
  if (!grid)
    return gpu::emitThreadDot(emitter, op);

  OpBuilder &b = emitter.builder;
  Location loc = op->getLoc();
  MmaWriter writer(b, loc, chooseInstruction(a, bType, c, precision));
  Type accumulatorType = writer.what().accumulator;
  bool converts = accumulatorType != c;
  auto prepare = [&](ValueRange scalars) -> SmallVector<Registers> {
    if (!splits)
      return {writer.pack(scalars)};
    SmallVector<Registers> parts = split(b, loc, scalars, precision);
    for (Registers &part : parts)
      part = writer.pack(part);
    return parts;
  };

  Registers result(emitter.get(dot.getC()));
  if (converts)
    for (Value &value : result)
      value = arith::ExtFOp::create(b, loc, accumulatorType, value);
  Fragments fragments;
  auto gather = [&](ArrayRef<int32_t> where) {
    Registers values;
    for (int32_t reg : where)
      values.push_back(result[reg]);
    return values;
  };
  auto scatter = [&](ArrayRef<int32_t> where, const Registers &values) {
    // Where several registers are one they hold the same.
    for (auto [reg, value] : llvm::zip(where, values))
      result[reg] = value;
  };

  if (!splits) {
    for (int32_t step = 0; step < grid->kSteps(); ++step)
      for (const Element &origin : grid->origins()) {
        auto where = grid->accumulator(origin);
        const Registers &left =
            fragments.get(*grid, 0, origin, step, prepare)[0];
        const Registers &right =
            fragments.get(*grid, 1, origin, step, prepare)[0];
        scatter(where, writer.multiply(left, right, gather(where)));
      }
  } else {
    Value zero = emitter.zero(loc, accumulatorType);
    for (const Element &origin : grid->origins()) {
      auto where = grid->accumulator(origin);
      Registers sum(where.size(), zero);
      for (auto [left, right] : partProducts(precision)) {
        if (left == 0 && right == 0)
          // An infinite operand has NaN as its other parts: its product is that
          // of the first parts alone.
          for (Value &value : sum) {
            Value ordered = arith::CmpFOp::create(
                b, loc, arith::CmpFPredicate::ORD, value, value);
            value = arith::SelectOp::create(b, loc, ordered, value, zero);
          }
        for (int32_t step = 0; step < grid->kSteps(); ++step)
          sum = writer.multiply(
              fragments.get(*grid, 0, origin, step, prepare)[left],
              fragments.get(*grid, 1, origin, step, prepare)[right], sum);
      }
      Registers total = gather(where);
      for (auto [value, more] : llvm::zip(total, sum))
        value = arith::AddFOp::create(b, loc, value, more);
      scatter(where, total);
    }
  }
  if (converts)
    for (Value &value : result)
      value = arith::TruncFOp::create(b, loc, c, value);
  emitter.set(dot.getResult(), std::move(result));
  return success();
}

} // namespace

void addMma(gpu::EmitTable &table) { table["tt.dot"] = emitDot; }

} // namespace nereid::nvptx
