//===- Elementwise.cpp - One scalar operation per register ----------------===//

#include "compiler/Dialect/TT/Fusion.h"
#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nereid::gpu {
namespace {

/// The operands of register `r`; scalars serve every register.
SmallVector<Value, 4> operandsOf(ArrayRef<ArrayRef<Value>> all, int64_t r) {
  SmallVector<Value, 4> operands;
  for (ArrayRef<Value> registers : all)
    operands.push_back(registers.size() == 1 ? registers.front()
                                             : registers[r]);
  return operands;
}

SmallVector<ArrayRef<Value>, 4> allOperands(Emitter &e, Operation *op) {
  SmallVector<ArrayRef<Value>, 4> all;
  for (Value operand : op->getOperands())
    all.push_back(e.get(operand));
  return all;
}

/// Sets the only result to `one(operands)` for each register.
template <typename Fn>
LogicalResult forEach(Emitter &e, Operation *op, Fn one) {
  SmallVector<ArrayRef<Value>, 4> all = allOperands(e, op);
  Registers results;
  for (int64_t r = 0, n = e.count(op->getResult(0).getType()); r < n; ++r)
    results.push_back(one(operandsOf(all, r)));
  e.set(op->getResult(0), std::move(results));
  return success();
}

Value create(Emitter &e, Operation *like, Type type, ValueRange operands) {
  OperationState state(like->getLoc(), like->getName());
  state.addOperands(operands);
  state.addTypes(type);
  state.propertiesAttr = like->getPropertiesAsAttribute();
  Operation *copy = e.builder.create(state);
  // The kernel's own products and sums may be fused, as Triton's are; what our
  // math library emits may not.
  if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(copy) &&
      tt::mayFuse(e.module())) {
    auto fast = cast<arith::ArithFastMathInterface>(copy);
    arith::FastMathFlags flags = fast.getFastMathFlagsAttr().getValue();
    copy->setAttr(fast.getFastMathAttrName(),
                  arith::FastMathFlagsAttr::get(
                      e.context(), flags | arith::FastMathFlags::contract));
  }
  return copy->getResult(0);
}

/// The same operation on the scalars of each register.
LogicalResult emitEach(Emitter &e, Operation *op) {
  Type type = e.scalarType(op->getResult(0).getType());
  return forEach(e, op, [&](ValueRange operands) {
    return create(e, op, type, operands);
  });
}

bool isHalf(Type type) { return type.isF16() || type.isBF16(); }

/// The same operation, in f32 where the format is narrower and no instruction
/// computes in it.
LogicalResult emitWide(Emitter &e, Operation *op) {
  Type type = e.scalarType(op->getResult(0).getType());
  Location loc = op->getLoc();
  if (!isHalf(type))
    return emitEach(e, op);
  Type wide = e.builder.getF32Type();
  return forEach(e, op, [&](ValueRange operands) -> Value {
    SmallVector<Value> widened;
    for (Value operand : operands)
      widened.push_back(
          isHalf(operand.getType())
              ? arith::ExtFOp::create(e.builder, loc, wide, ValueRange{operand})
                    .getResult()
              : operand);
    return arith::TruncFOp::create(e.builder, loc, type,
                                   create(e, op, wide, widened));
  });
}

Value constantScalar(Emitter &e, Location loc, Type scalar, Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value);
      number && scalar.isInteger()) // fp8 is held as its bits
    return arith::ConstantOp::create(
        e.builder, loc,
        e.builder.getIntegerAttr(scalar, number.getValue().bitcastToAPInt()));
  return arith::ConstantOp::create(e.builder, loc, cast<TypedAttr>(value));
}

LogicalResult emitConstant(Emitter &e, Operation *op) {
  auto constant = cast<arith::ConstantOp>(op);
  Type type = constant.getType(), scalar = e.scalarType(type);
  Location loc = op->getLoc();
  if (!isa<RankedTensorType>(type)) {
    e.set(constant, {constantScalar(e, loc, scalar, constant.getValue())});
    return success();
  }
  auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
  if (!splat)
    return emitError(loc)
           << "a constant tensor of several values has no code on "
           << e.target.name;
  Value value =
      constantScalar(e, loc, scalar, splat.getSplatValue<Attribute>());
  e.set(constant, Registers(e.count(type), value));
  return success();
}

LogicalResult emitPoison(Emitter &e, Operation *op) {
  Type type = op->getResult(0).getType();
  // Zero rather than poison: a program that reads it is wrong, not undefined.
  e.set(op->getResult(0),
        Registers(e.count(type), e.zero(op->getLoc(), e.scalarType(type))));
  return success();
}

//===-- Bits --------------------------------------------------------------===//

Value bitcast(Emitter &e, Location loc, Value value, Type type) {
  Type from = value.getType();
  if (from == type)
    return value;
  if (isa<LLVM::LLVMPointerType>(type))
    return isa<LLVM::LLVMPointerType>(from)
               ? LLVM::AddrSpaceCastOp::create(e.builder, loc, type, value)
                     .getResult()
               : LLVM::IntToPtrOp::create(e.builder, loc, type, value)
                     .getResult();
  if (isa<LLVM::LLVMPointerType>(from))
    return LLVM::PtrToIntOp::create(e.builder, loc, type, value);
  return arith::BitcastOp::create(e.builder, loc, type, value);
}

LogicalResult emitBitcast(Emitter &e, Operation *op) {
  Type type = e.scalarType(op->getResult(0).getType());
  return forEach(e, op, [&](ValueRange operands) {
    return bitcast(e, op->getLoc(), operands[0], type);
  });
}

//===-- Numbers -----------------------------------------------------------===//

LogicalResult emitClamp(Emitter &e, Operation *op) {
  auto clamp = cast<tt::ClampFOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  bool all = clamp.getPropagateNan() == tt::PropagateNan::ALL;
  return forEach(e, op, [&](ValueRange operands) -> Value {
    Value x = operands[0], low = operands[1], high = operands[2];
    if (all) {
      x = arith::MaximumFOp::create(b, loc, x, low);
      return arith::MinimumFOp::create(b, loc, x, high);
    }
    x = arith::MaxNumFOp::create(b, loc, x, low);
    return arith::MinNumFOp::create(b, loc, x, high);
  });
}

LogicalResult emitPreciseSqrt(Emitter &e, Operation *op) {
  Location loc = op->getLoc();
  return forEach(e, op, [&](ValueRange operands) {
    return math::SqrtOp::create(e.builder, loc, operands[0]);
  });
}

LogicalResult emitPreciseDiv(Emitter &e, Operation *op) {
  Location loc = op->getLoc();
  return forEach(e, op, [&](ValueRange operands) {
    return arith::DivFOp::create(e.builder, loc, operands[0], operands[1]);
  });
}

LogicalResult emitMulHigh(Emitter &e, Operation *op) {
  Location loc = op->getLoc();
  return forEach(e, op, [&](ValueRange operands) {
    return arith::MulUIExtendedOp::create(e.builder, loc, operands[0],
                                          operands[1])
        .getHigh();
  });
}

//===-- Regions -----------------------------------------------------------===//

// `pack` registers of each operand go through the region together.
LogicalResult emitMap(Emitter &e, Operation *op) {
  auto map = cast<tt::MapElementwiseOp>(op);
  int64_t pack = map.getPack();
  if (op->getNumResults() == 0)
    return success();
  int64_t count = e.count(op->getResult(0).getType());
  // A pack is made of neighbouring elements; the layout gives them to one
  // thread in neighbouring registers.
  SmallVector<Registers> results(op->getNumResults());
  for (Registers &registers : results)
    registers.resize(count);
  for (int64_t r = 0; r < count; r += pack) {
    SmallVector<Value> arguments;
    for (Value source : map.getSrcs())
      for (int64_t i = 0; i < pack; ++i) {
        ArrayRef<Value> held = e.get(source);
        arguments.push_back(held[std::min(r + i, count - 1)]);
      }
    FailureOr<Registers> values = e.inlineRegion(map.getScalarOp(), arguments);
    if (failed(values))
      return failure();
    for (auto [k, registers] : llvm::enumerate(results))
      for (int64_t i = 0; i < pack && r + i < count; ++i)
        registers[r + i] = (*values)[k * pack + i];
  }
  for (auto [result, registers] : llvm::zip(op->getResults(), results))
    e.set(result, std::move(registers));
  return success();
}

} // namespace

void addElementwise(EmitTable &table) {
  for (StringRef name :
       {"addi",       "subi",        "muli",      "divsi",     "divui",
        "remsi",      "remui",       "andi",      "ori",       "xori",
        "shli",       "shrsi",       "shrui",     "maxsi",     "maxui",
        "minsi",      "minui",       "ceildivsi", "ceildivui", "floordivsi",
        "addf",       "subf",        "mulf",      "divf",      "negf",
        "maximumf",   "minimumf",    "maxnumf",   "minnumf",   "cmpi",
        "cmpf",       "select",      "extsi",     "extui",     "trunci",
        "extf",       "sitofp",      "uitofp",    "fptosi",    "fptoui",
        "index_cast", "index_castui"})
    table[("arith." + name).str()] = emitEach;
  table["arith.remf"] = emitWide;
  table["arith.bitcast"] = emitBitcast;
  table["arith.constant"] = emitConstant;
  // What GPUs compute in every format.
  for (StringRef name : {"absf", "absi", "ceil", "copysign", "ctlz", "cttz",
                         "ctpop", "floor", "fma", "isnan", "isinf", "isfinite",
                         "round", "roundeven", "trunc", "sqrt"})
    table[("math." + name).str()] = emitEach;
  for (StringRef name :
       {"acos",  "acosh", "asin",  "asinh", "atan", "atan2", "atanh",
        "cbrt",  "cos",   "cosh",  "erf",   "erfc", "exp",   "exp2",
        "expm1", "log",   "log10", "log1p", "log2", "powf",  "rsqrt",
        "sin",   "sinh",  "tan",   "tanh"})
    table[("math." + name).str()] = emitWide;
  table["ub.poison"] = emitPoison;
  table["tt.bitcast"] = emitBitcast;
  table["tt.int_to_ptr"] = emitBitcast;
  table["tt.ptr_to_int"] = emitBitcast;
  table["tt.clampf"] = emitClamp;
  table["tt.precise_sqrt"] = emitPreciseSqrt;
  table["tt.precise_divf"] = emitPreciseDiv;
  table["tt.mulhiui"] = emitMulHigh;
  table["tt.map_elementwise"] = emitMap;
  addAddresses(table);
  addConversions(table);
}

} // namespace nereid::gpu
