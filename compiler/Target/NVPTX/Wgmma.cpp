//===- Wgmma.cpp - Products by wgmma --------------------------------------===//
//
// PTX ISA, "Asynchronous warpgroup-level matrix instructions". LLVM has no
// intrinsic for wgmma.mma_async, so it is inline PTX: one asm per accumulator
// of 64 x N with all its steps along K, the accumulator tied through it. The
// fence stands in the same asm, behind any copies of accumulator registers that
// the tie makes.
//
// A wait is an asm through which the accumulators are tied as well: to LLVM
// they are plain values, and nothing else keeps their uses behind the wait.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nereid::tgpu;
using nereid::gpu::Emitter;
using nereid::gpu::Registers;

namespace nereid::nvptx {
namespace {

//===-- Operands in shared memory -----------------------------------------===//

/// Where a tile's elements lie, as wgmma's matrix descriptors say it.
struct SharedOperand {
  SwizzledTile tile;
  bool isContiguousAlongK = true;
  int64_t elementBytes = 2;
  int64_t rows = 0; ///< of a panel

  /// Bytes from the tile's start to an element; `outer` is the row of A or the
  /// column of B. Without the swizzle, which is a function of the address.
  int64_t offset(int64_t outer, int64_t k) const {
    int64_t along = (isContiguousAlongK ? k : outer) * elementBytes;
    int64_t row = isContiguousAlongK ? outer : k;
    int64_t width = tile.swizzleBytes;
    return along / width * rows * width + row * width + along % width;
  }

  /// All of the descriptor but the address.
  uint64_t descriptor() const {
    int64_t width = tile.swizzleBytes, panel = rows * width;
    // The stride between eight rows, and that between panels; the names
    // (leading, stride) change sides with the mode.
    int64_t leading = 16, stride = 8 * width;
    if (!isContiguousAlongK)
      leading = panel;
    if (width == 16) {
      leading = isContiguousAlongK ? panel : 128;
      stride = isContiguousAlongK ? 128 : panel;
    }
    uint64_t mode = width == 128 ? 1 : width == 64 ? 2 : width == 32 ? 3 : 0;
    return mode << 62 | uint64_t(stride >> 4) << 32 |
           uint64_t(leading >> 4) << 16;
  }
};

FailureOr<SharedOperand> describe(Operation *op, TileType type,
                                  unsigned operand) {
  SharedOperand result;
  auto match = matchSwizzledTile(type);
  unsigned inner = operand == 0 ? 1 : 0;
  if (!match || match->swizzleBytes == 0 || type.getShape().size() != 2)
    return op->emitOpError()
           << "takes tiles in panels of 16, 32, 64 or 128 bytes, found "
           << type;
  result.tile = *match;
  result.isContiguousAlongK = match->contiguousDim == inner;
  result.elementBytes = type.getElementType().getIntOrFloatBitWidth() / 8;
  result.rows = type.getShape()[1 - match->contiguousDim];
  if (!result.isContiguousAlongK && result.elementBytes != 2)
    return op->emitOpError() << "takes operands of " << type.getElementType()
                             << " only contiguous along K, found " << type;
  return result;
}

/// `index` * bytes, where bytes doubles with every bit of `index`, or not: the
/// sum of `at(bit)` over the bits that are set.
Value sumOfBits(Emitter &emitter, Location loc, Value index, int32_t count,
                llvm::function_ref<int64_t(int32_t)> at) {
  OpBuilder &b = emitter.builder;
  bool linear = true;
  for (int32_t bit = 1; 1 << bit < count; ++bit)
    linear &= at(bit) == at(0) << bit;
  if (linear)
    return arith::MulIOp::create(b, loc, index, emitter.i32(loc, at(0)));
  Value sum = emitter.i32(loc, 0);
  for (int32_t bit = 0; 1 << bit < count; ++bit) {
    Value one = arith::AndIOp::create(
        b, loc, arith::ShRUIOp::create(b, loc, index, emitter.i32(loc, bit)),
        emitter.i32(loc, 1));
    sum = arith::AddIOp::create(
        b, loc, sum,
        arith::MulIOp::create(b, loc, one, emitter.i32(loc, at(bit))));
  }
  return sum;
}

//===-- Types -------------------------------------------------------------===//

struct WgmmaTypes {
  StringRef a, b, d;
  unsigned bits; ///< of an operand's element
  int32_t k;     ///< of one instruction
};

StringRef operandName(Type type) {
  if (type.isF16())
    return "f16";
  if (type.isBF16())
    return "bf16";
  if (type.isF32())
    return "tf32";
  if (isa<Float8E4M3FNType>(type))
    return "e4m3";
  if (isa<Float8E5M2Type>(type))
    return "e5m2";
  return type.isInteger(8) ? "s8" : "";
}

FailureOr<WgmmaTypes> chooseTypes(Operation *op, Type a, Type b, Type d) {
  WgmmaTypes types;
  types.a = operandName(a);
  types.b = operandName(b);
  types.d = d.isF32()         ? "f32"
            : d.isF16()       ? "f16"
            : d.isInteger(32) ? "s32"
                              : "";
  bool float8 = types.a.starts_with("e") && types.b.starts_with("e");
  bool fits = !types.a.empty() && !types.d.empty() &&
              (types.a == types.b || float8) &&
              (types.a == "s8") == (types.d == "s32") &&
              (types.d != "f16" || types.a == "f16" || float8);
  if (!fits)
    return op->emitOpError()
           << "does not multiply " << a << " by " << b << " into " << d;
  types.bits = a.getIntOrFloatBitWidth();
  types.k = int32_t(256 / types.bits);
  return types;
}

//===-- Registers ---------------------------------------------------------===//

/// Scalars as wgmma takes them: f32 and i32 alone, smaller ones packed.
Registers toWords(OpBuilder &b, Location loc, ValueRange scalars) {
  if (scalars.empty())
    return {};
  Type type = scalars.front().getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  if (bits == 32)
    return Registers(scalars);
  int64_t each = 32 / bits;
  auto vector = VectorType::get({each}, type);
  Registers words;
  for (size_t first = 0; first < scalars.size(); first += each) {
    Value packed = LLVM::PoisonOp::create(b, loc, vector);
    for (int64_t i = 0; i < each; ++i)
      packed = LLVM::InsertElementOp::create(b, loc, packed, scalars[first + i],
                                             constantInt(b, loc, 32, i));
    words.push_back(LLVM::BitcastOp::create(b, loc, b.getI32Type(), packed));
  }
  return words;
}

/// The scalars of `type` in words that `toWords` made.
Registers fromWords(OpBuilder &b, Location loc, ValueRange words, Type type) {
  if (type.getIntOrFloatBitWidth() == 32)
    return Registers(words);
  int64_t each = 32 / type.getIntOrFloatBitWidth();
  auto vector = VectorType::get({each}, type);
  Registers scalars;
  for (Value word : words) {
    Value packed = LLVM::BitcastOp::create(b, loc, vector, word);
    for (int64_t i = 0; i < each; ++i)
      scalars.push_back(LLVM::ExtractElementOp::create(
          b, loc, packed, constantInt(b, loc, 32, i)));
  }
  return scalars;
}

bool areZero(ValueRange scalars) {
  return llvm::all_of(scalars, [](Value value) {
    return matchPattern(value, m_AnyZeroFloat()) ||
           matchPattern(value, m_Zero());
  });
}

/// "{$0, $1}" for operands `first` ...
std::string operandList(size_t first, size_t count) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i)
    text += (i ? ", $" : "$") + std::to_string(first + i);
  return text + "}";
}

//===-- One warpgroup's products ------------------------------------------===//

/// The products of one accumulator of 64 x n: its steps along K.
struct Chain {
  const WgmmaTypes &types;
  int32_t n;
  bool transposeA = false, transposeB = false;
  /// A's descriptor, when A is a tile; and B's: of the tiles' beginnings.
  Value a, b;
  /// Per step: how far A's and B's part lies from there, in units of a
  /// descriptor's address; A's words, when A is in registers.
  SmallVector<int64_t> aPlaces, bPlaces;
  SmallVector<Registers> aWords;

  /// Emits steps `first` to `end`. Without `start` the product starts at zero;
  /// `keeps` (i1, may be null) says at run time whether `start` counts.
  Registers emit(OpBuilder &builder, Location loc, ValueRange start,
                 Type wordType, Value keeps, size_t first, size_t end,
                 bool isFirstChain, bool isLastChain) const;
};

Registers Chain::emit(OpBuilder &builder, Location loc, ValueRange start,
                      Type wordType, Value keeps, size_t first, size_t end,
                      bool isFirstChain, bool isLastChain) const {
  size_t words = types.d == "f16" ? size_t(n) / 4 : size_t(n) / 2;
  std::string constraints, text = "{\n";
  SmallVector<Value> operands;
  size_t next = words;
  auto addConstraint = [&](StringRef constraint) {
    constraints += (constraints.empty() ? "" : ",") + constraint.str();
  };
  auto add = [&](Value value, StringRef constraint) {
    operands.push_back(value);
    addConstraint(constraint);
    return next++;
  };
  StringRef letter = constraintOf(wordType);
  // Results that are not tied must not share a register with an operand that a
  // later step reads.
  for (size_t i = 0; i < words; ++i)
    addConstraint((start.empty() ? "=&" : "=") + letter.str());
  for (auto [i, value] : llvm::enumerate(start))
    add(value, std::to_string(i));
  std::string scale = start.empty() ? "0" : "1";
  if (!start.empty() && keeps) {
    size_t at = add(keeps, "b");
    scale = "$" + std::to_string(at);
  }
  // The steps' descriptors are sums in the asm: ptxas then keeps one sum per
  // tile, while LLVM would know the bits that tiles in shared memory leave zero
  // and compute each descriptor on its own.
  size_t places = 0;
  auto descriptor = [&](size_t base, int64_t place) -> std::string {
    std::string whole = "$" + std::to_string(base);
    if (place == 0)
      return whole;
    std::string name = "place" + std::to_string(places++);
    text += ".reg .b64 " + name + ";\nadd.s64 " + name + ", " + whole + ", " +
            std::to_string(place) + ";\n";
    return name;
  };
  size_t aAt = a ? add(a, "l") : 0, bAt = add(b, "l");
  SmallVector<std::string> aTexts, bTexts;
  for (size_t step = first; step < end; ++step) {
    if (a)
      aTexts.push_back(descriptor(aAt, aPlaces[step]));
    bTexts.push_back(descriptor(bAt, bPlaces[step]));
  }
  if (isFirstChain)
    text += "wgmma.fence.sync.aligned;\n";
  std::string name = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(n) +
                     "k" + std::to_string(types.k) + "." + types.d.str() + "." +
                     types.a.str() + "." + types.b.str() + " ";
  for (size_t step = first; step < end; ++step) {
    text += name + operandList(0, words) + ", ";
    if (!a) {
      size_t at = next;
      for (Value word : aWords[step])
        add(word, "r");
      text += operandList(at, aWords[step].size()) + ", ";
    } else {
      text += aTexts[step - first] + ", ";
    }
    text += bTexts[step - first] + ", " + scale;
    if (types.a != "s8")
      text += ", 1, 1";
    if (types.bits == 16) {
      if (a)
        text += transposeA ? ", 1" : ", 0";
      text += transposeB ? ", 1" : ", 0";
    }
    text += ";\n";
    scale = "1";
  }
  if (isLastChain)
    text += "wgmma.commit_group.sync.aligned;\n";
  text += "}";
  return inlineAsm(builder, loc, SmallVector<Type>(words, wordType), text,
                   constraints, operands, AsmEffects::AllLanes);
}

/// Waits with values tied through the wait.
Registers wait(OpBuilder &b, Location loc, ValueRange words, int32_t pending) {
  std::string constraints;
  for (Value word : words)
    constraints +=
        (constraints.empty() ? "=" : ",=") + constraintOf(word.getType()).str();
  for (size_t i = 0; i < words.size(); ++i)
    constraints += "," + std::to_string(i);
  return inlineAsm(b, loc, TypeRange(words),
                   "wgmma.wait_group.sync.aligned " + std::to_string(pending) +
                       ";",
                   constraints, words, AsmEffects::Memory);
}

//===-- Operations --------------------------------------------------------===//

LogicalResult emitWarpgroupMMA(Emitter &emitter, Operation *op) {
  auto mma = cast<WarpgroupMMAOp>(op);
  auto acc = cast<RankedTensorType>(mma.getAcc().getType());
  TileType bTile = mma.getB().getType();
  auto aTile = dyn_cast<TileType>(mma.getA().getType());
  auto aTensor = dyn_cast<RankedTensorType>(mma.getA().getType());
  if (!aTile && !aTensor)
    return op->emitOpError()
           << "takes a tile or a tensor as A, found " << mma.getA().getType();
  Type aElement = aTile ? aTile.getElementType() : aTensor.getElementType();
  ArrayRef<int64_t> aShape = aTile ? aTile.getShape() : aTensor.getShape();
  auto types =
      chooseTypes(op, aElement, bTile.getElementType(), acc.getElementType());
  if (failed(types))
    return failure();
  auto groups = matchWgmmaAccumulator(getLayout(acc).getLinear());
  if (!groups || emitter.warps() % 4 != 0)
    return op->emitOpError() << "needs an accumulator laid out for "
                                "warpgroups of four warps, found "
                             << acc;
  int64_t rows = acc.getShape()[0], columns = acc.getShape()[1];
  int64_t k = aShape.back();
  if (aShape.size() != 2 || bTile.getShape().size() != 2 || aShape[0] != rows ||
      bTile.getShape()[0] != k || bTile.getShape()[1] != columns ||
      k % types->k != 0)
    return op->emitOpError() << "does not multiply " << mma.getA().getType()
                             << " by " << bTile << " into " << acc;
  if (aTensor && getLayout(aTensor).getLinear() !=
                     wgmmaOperandLayout(aShape, types->bits, *groups))
    return op->emitOpError() << "needs A in the operand layout of its "
                                "accumulator's warpgroups, found "
                             << aTensor;

  OpBuilder &b = emitter.builder;
  Location loc = op->getLoc();
  int32_t groupRows = (*groups)[0], groupColumns = (*groups)[1];
  int64_t ownColumns = columns / groupColumns;
  int32_t n = int32_t(std::min<int64_t>(256, ownColumns));
  int64_t blocks = rows / (64 * groupRows);
  size_t steps = size_t(k / types->k);

  // Which warpgroup this is, by rows and by columns.
  Value group =
      arith::ShRUIOp::create(b, loc, emitter.warp(), emitter.i32(loc, 2));
  Value rowGroup =
      arith::AndIOp::create(b, loc, group, emitter.i32(loc, groupRows - 1));
  Value columnGroup = arith::ShRUIOp::create(
      b, loc, group, emitter.i32(loc, llvm::Log2_32(groupRows)));

  /// The descriptor of this warpgroup's first element of a tile.
  auto firstDescriptor = [&](Value tile, const SharedOperand &shared,
                             unsigned operand) -> Value {
    // A tile of a ring lies a number of tiles behind the ring's beginning; the
    // address's part of the descriptor holds any sum of both.
    while (auto permute = tile.getDefiningOp<TilePermuteOp>())
      tile = permute.getSrc();
    Value index;
    int64_t bytes = 0;
    if (auto at = tile.getDefiningOp<TileAtOp>()) {
      bytes = at.getRing().getType().getTileBytes();
      if (bytes % 16 == 0) {
        index = emitter.getScalar(at.getIndex());
        tile = at.getRing();
      }
    }
    Value address = LLVM::PtrToIntOp::create(b, loc, b.getI32Type(),
                                             emitter.getScalar(tile));
    int32_t count = operand == 0 ? groupRows : groupColumns;
    if (count > 1) {
      int64_t unit = operand == 0 ? 64 : ownColumns;
      Value more =
          sumOfBits(emitter, loc, operand == 0 ? rowGroup : columnGroup, count,
                    [&](int32_t bit) { return shared.offset(unit << bit, 0); });
      address = arith::AddIOp::create(b, loc, address, more);
    }
    address = arith::ShRUIOp::create(b, loc, address, emitter.i32(loc, 4));
    address = arith::AndIOp::create(b, loc, address, emitter.i32(loc, 0x3fff));
    uint64_t rest = shared.descriptor();
    Value low = arith::OrIOp::create(b, loc, address,
                                     emitter.i32(loc, int64_t(uint32_t(rest))));
    if (index)
      low = arith::AddIOp::create(
          b, loc, low,
          arith::MulIOp::create(b, loc, index, emitter.i32(loc, bytes >> 4)));
    Value wide = arith::ExtUIOp::create(b, loc, b.getI64Type(), low);
    return arith::OrIOp::create(b, loc, wide,
                                emitter.i64(loc, int64_t(rest >> 32 << 32)));
  };
  auto bShared = describe(op, bTile, 1);
  if (failed(bShared))
    return failure();
  Value bFirst = firstDescriptor(mma.getB(), *bShared, 1), aFirst;
  SharedOperand aShared;
  Registers aWords;
  if (aTile) {
    auto described = describe(op, aTile, 0);
    if (failed(described))
      return failure();
    aShared = *described;
    aFirst = firstDescriptor(mma.getA(), aShared, 0);
  } else {
    aWords = toWords(b, loc, emitter.get(mma.getA()));
    for (Value &word : aWords)
      if (!word.getType().isInteger(32))
        word = arith::BitcastOp::create(b, loc, b.getI32Type(), word);
  }

  // 8-bit float products are added with few bits: where the kernel wants no
  // more than so many in a row, the rest is added by ordinary additions.
  size_t stepsInARow = steps;
  if (types->a.starts_with("e") && types->d == "f32" &&
      mma.getMaxInexact() > 0 && mma.getMaxInexact() < k)
    stepsInARow = std::max<size_t>(1, mma.getMaxInexact() / types->k);
  bool promotes = stepsInARow < steps;

  Registers accumulator = toWords(b, loc, emitter.get(mma.getAcc()));
  Type wordType = accumulator.front().getType();
  Value keeps = mma.getUseAcc() ? emitter.getScalar(mma.getUseAcc()) : Value();
  bool alwaysZero = keeps && matchPattern(keeps, m_Zero());
  if (keeps && matchPattern(keeps, m_One()))
    keeps = {};
  size_t wordsEach = types->d == "f16" ? n / 4 : n / 2;
  int64_t chainsPerBlock = ownColumns / n, chains = blocks * chainsPerBlock;
  Registers result;
  for (int64_t index = 0; index < chains; ++index) {
    int64_t row = index / chainsPerBlock * 64 * groupRows;
    int64_t column = index % chainsPerBlock * n;
    Chain chain{*types, n, false, false, aFirst, bFirst, {}, {}, {}};
    chain.transposeA = aTile && !aShared.isContiguousAlongK;
    chain.transposeB = !bShared->isContiguousAlongK;
    for (size_t step = 0; step < steps; ++step) {
      int64_t kHere = int64_t(step) * types->k;
      chain.bPlaces.push_back(bShared->offset(column, kHere) >> 4);
      if (aTile) {
        chain.aPlaces.push_back(aShared.offset(row, kHere) >> 4);
      } else {
        // Four words per step, the steps of one block side by side.
        size_t at = (size_t(index / chainsPerBlock) * steps + step) * 4;
        chain.aWords.emplace_back(ArrayRef<Value>(aWords).slice(at, 4));
      }
    }
    ValueRange start =
        ValueRange(accumulator).slice(size_t(index) * wordsEach, wordsEach);
    bool fromZero = alwaysZero || areZero(start);
    if (!promotes) {
      llvm::append_range(
          result, chain.emit(b, loc, fromZero ? ValueRange() : start, wordType,
                             keeps, 0, steps, index == 0, index + 1 == chains));
      continue;
    }
    Registers sum(start);
    if (keeps && !fromZero)
      for (Value &value : sum)
        value = arith::SelectOp::create(b, loc, keeps, value,
                                        emitter.zero(loc, wordType));
    for (size_t first = 0; first < steps; first += stepsInARow) {
      Registers part =
          chain.emit(b, loc, {}, wordType, {}, first,
                     std::min(steps, first + stepsInARow), true, true);
      part = wait(b, loc, part, 0);
      for (auto [value, more] : llvm::zip(sum, part))
        value = arith::AddFOp::create(b, loc, value, more);
    }
    llvm::append_range(result, sum);
  }
  emitter.set(mma.getResult(),
              fromWords(b, loc, result, emitter.scalarType(acc)));
  return success();
}

LogicalResult emitWarpgroupWait(Emitter &emitter, Operation *op) {
  auto waitOp = cast<WarpgroupWaitOp>(op);
  OpBuilder &b = emitter.builder;
  Location loc = op->getLoc();
  Registers words;
  SmallVector<size_t> counts;
  auto isTied = [](Value value) {
    return isa<RankedTensorType>(value.getType());
  };
  for (Value value : waitOp.getValues()) {
    Registers own =
        isTied(value) ? toWords(b, loc, emitter.get(value)) : Registers();
    counts.push_back(own.size());
    llvm::append_range(words, own);
  }
  Registers tied = wait(b, loc, words, int32_t(waitOp.getPending()));
  size_t next = 0;
  for (auto [value, result, count] :
       llvm::zip(waitOp.getValues(), waitOp.getResults(), counts)) {
    if (!isTied(value)) {
      emitter.set(result, Registers(emitter.get(value)));
      continue;
    }
    emitter.set(result, fromWords(b, loc, ValueRange(tied).slice(next, count),
                                  emitter.scalarType(value.getType())));
    next += count;
  }
  return success();
}

} // namespace

void addWgmma(gpu::EmitTable &table) {
  table["tgpu.warpgroup_mma"] = emitWarpgroupMMA;
  table["tgpu.warpgroup_wait"] = emitWarpgroupWait;
}

} // namespace nereid::nvptx
