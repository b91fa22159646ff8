//===- MicroKernels.cpp - Register-tiled dot products for CPUs ------------===//
//
// Around a micro-kernel of rows x vectors accumulators stand two loops: the
// outer over panels of B (one panel stays in the first-level cache), the inner
// over blocks of rows of A. A block's shape comes from kBlockings.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/MicroKernels.h"

#include "compiler/Target/CPU/MatrixUnit.h"
#include "compiler/Target/CPU/Passes.h"
#include "compiler/Target/Convert.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::cpu {

namespace {

// How many accumulators fill the register file of one vector width: rows x
// vectors of them, beside `vectors` registers of B and one of A. At least
// eight independent chains keep two multiply-add ports busy.
struct Blocking {
  unsigned vectorBits, rows, vectors;
};
constexpr Blocking kBlockings[] = {
    {128, 4, 2}, // 8 + 2 of 16 xmm; product and sum are separate instructions
    {256, 6, 2}, // 12 + 2 of 16 ymm
    {512, 8, 2}, // 16 + 2 of 32 zmm; 14 rows are no faster and divide nothing
};

Blocking blockingOf(const TargetInfo &target) {
  for (const Blocking &row : kBlockings)
    if (row.vectorBits == target.vectorBits)
      return row;
  return kBlockings[0];
}

// Row pointers are general registers: more of them than this would spill.
constexpr int64_t kMaxRows = 8;

// One block shape used by a dot: `count` blocks of `rows` rows.
struct RowBlock {
  int64_t rows, count;
};

// Splits m rows into whole blocks and at most one other kind of block. A
// remainder of less than half a block would leave the ports idle, so it is
// shared with one whole block.
SmallVector<RowBlock, 2> splitRows(int64_t m, int64_t rows) {
  int64_t count = m / rows, rest = m % rows;
  if (rest == 0)
    return {{rows, count}};
  SmallVector<RowBlock, 2> blocks;
  if (count > 0 && 2 * rest < rows && (rows + rest) % 2 == 0) {
    if (--count > 0)
      blocks.push_back({rows, count});
    blocks.push_back({(rows + rest) / 2, 2});
    return blocks;
  }
  if (count > 0)
    blocks.push_back({rows, count});
  blocks.push_back({rest, 1});
  return blocks;
}

// The types and the instruction of one dot.
struct Recipe {
  Type accumulate; // of the accumulators
  Type a, b, c;    // elements in memory: A, panels, C
  int64_t lanes;   // accumulator lanes of one vector of this dot
  int64_t group;   // k steps per instruction
  bool fma;
  StringRef madd; // x86 intrinsic that multiplies pairs of i16 and adds
};

class DotEmitter {
public:
  DotEmitter(OpBuilder &builder, Location loc, const DotShape &shape,
             const PanelLayout &layout, const TargetInfo &target,
             const DotOptions &options)
      : b(builder), loc(loc), shape(shape), layout(layout), target(target),
        options(options) {}

  LogicalResult emit(Value aBase, Value aRowStride, Value bPanels, Value cBase,
                     Value cRowStride);

private:
  Value i64(int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 64);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value mul(Value x, int64_t y) { return y == 1 ? x : mul(x, i64(y)); }
  Value offset(Value base, Type element, Value elements) {
    return LLVM::GEPOp::create(b, loc, base.getType(), element, base,
                               LLVM::GEPArg(elements));
  }
  Value offset(Value base, Type element, int64_t elements) {
    if (elements == 0)
      return base;
    return LLVM::GEPOp::create(b, loc, base.getType(), element, base,
                               LLVM::GEPArg(static_cast<int32_t>(elements)));
  }
  Type vectorOf(Type element, int64_t lanes) {
    return lanes == 1 ? element : Type(VectorType::get({lanes}, element));
  }
  Value load(Type type, Value address, unsigned align) {
    return LLVM::LoadOp::create(b, loc, type, address, align);
  }
  Value splat(Value scalar, int64_t lanes) {
    if (lanes == 1)
      return scalar;
    return vector::BroadcastOp::create(
        b, loc, VectorType::get({lanes}, scalar.getType()), scalar);
  }
  // A type's representation in memory at this level.
  Type stored(Type type) {
    if (auto format = floatFormat(type))
      return storageType(b.getContext(), *format);
    return type;
  }
  Value convert(Value value, Type from, Type to);
  Value loadA(Value row, Value k);
  Value multiplyAdd(Value a, Value bVector, Value accumulator);
  void forLoop(int64_t count, function_ref<void(Value)> body);
  void emitBlock(int64_t rows, int64_t panels, Value a, Value bPanel, Value c);

  OpBuilder &b;
  Location loc;
  const DotShape &shape;
  const PanelLayout &layout;
  const TargetInfo &target;
  const DotOptions &options;
  Recipe recipe;
  Value aRowStride, cRowStride, kSteps;
};

// `count` iterations, without a loop for a single one.
void DotEmitter::forLoop(int64_t count, function_ref<void(Value)> body) {
  if (count == 1)
    return body(i64(0));
  auto loop = scf::ForOp::create(b, loc, i64(0), i64(count), i64(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

// Between memory representations of `from` and `to`.
Value DotEmitter::convert(Value value, Type from, Type to) {
  if (from == to)
    return value;
  auto source = floatFormat(from), destination = floatFormat(to);
  if (source && destination) {
    ConvertFeatures features;
    features.f16 = hasF16Convert(target);
    return emitConvert(b, loc, value, *source, *destination,
                       Rounding::NearestEven, features);
  }
  Type shaped = to;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    shaped = vector.clone(to);
  if (to.getIntOrFloatBitWidth() < from.getIntOrFloatBitWidth())
    return arith::TruncIOp::create(b, loc, shaped, value);
  return arith::ExtSIOp::create(b, loc, shaped, value);
}

// A(row, k) as an accumulator-size scalar: for group 2, two i16 in an i32.
Value DotEmitter::loadA(Value row, Value k) {
  Type type = stored(recipe.a);
  Value address = offset(row, type, k);
  unsigned bytes = std::max<unsigned>(1, type.getIntOrFloatBitWidth() / 8);
  if (recipe.group == 1)
    return convert(load(type, address, bytes), recipe.a, recipe.accumulate);
  Type i32 = b.getI32Type();
  if (type.isInteger(16))
    return load(i32, address, bytes);
  Value low = convert(load(type, address, bytes), type, i32);
  Value high =
      convert(load(type, offset(address, type, int64_t(1)), bytes), type, i32);
  Value mask = arith::ConstantIntOp::create(b, loc, 0xffff, 32);
  Value sixteen = arith::ConstantIntOp::create(b, loc, 16, 32);
  low = arith::AndIOp::create(b, loc, low, mask);
  high = arith::ShLIOp::create(b, loc, high, sixteen);
  return arith::OrIOp::create(b, loc, low, high);
}

Value DotEmitter::multiplyAdd(Value a, Value bVector, Value accumulator) {
  if (recipe.group == 2) {
    Type pairs = VectorType::get({2 * recipe.lanes}, b.getI16Type());
    Value aPairs = LLVM::BitcastOp::create(b, loc, pairs, a);
    Value sums = LLVM::CallIntrinsicOp::create(b, loc, accumulator.getType(),
                                               b.getStringAttr(recipe.madd),
                                               ValueRange{aPairs, bVector})
                     .getResult(0);
    return arith::AddIOp::create(b, loc, accumulator, sums);
  }
  if (isa<IntegerType>(recipe.accumulate)) {
    Value product = arith::MulIOp::create(b, loc, a, bVector);
    return arith::AddIOp::create(b, loc, accumulator, product);
  }
  if (recipe.fma)
    return math::FmaOp::create(b, loc, a, bVector, accumulator);
  Value product = arith::MulFOp::create(b, loc, a, bVector);
  return arith::AddFOp::create(b, loc, accumulator, product);
}

// The micro-kernel: rows x (panels * width) of C, all of K.
void DotEmitter::emitBlock(int64_t rows, int64_t panels, Value a, Value bPanel,
                           Value c) {
  Type accumulator = vectorOf(recipe.accumulate, recipe.lanes);
  int64_t perPanel = layout.width / recipe.lanes;
  int64_t vectors = panels * perPanel;
  Type cStored = stored(recipe.c);
  unsigned cAlign = std::max<unsigned>(1, cStored.getIntOrFloatBitWidth() / 8);
  SmallVector<Value> aRows, cCells, initial;
  for (int64_t i = 0; i < rows; ++i) {
    aRows.push_back(offset(a, stored(recipe.a), mul(aRowStride, i64(i))));
    Value cRow = offset(c, cStored, mul(cRowStride, i64(i)));
    for (int64_t j = 0; j < vectors; ++j)
      cCells.push_back(offset(cRow, cStored, j * recipe.lanes));
  }
  for (Value cell : cCells) {
    if (options.overwrite) {
      initial.push_back(arith::ConstantOp::create(b, loc, accumulator,
                                                  b.getZeroAttr(accumulator)));
      continue;
    }
    Value old = load(vectorOf(cStored, recipe.lanes), cell, cAlign);
    initial.push_back(convert(old, recipe.c, recipe.accumulate));
  }

  auto loop =
      scf::ForOp::create(b, loc, i64(0), kSteps, i64(recipe.group), initial);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value k = loop.getInductionVar();
    Type bStored = stored(recipe.b);
    unsigned bBytes =
        std::max<unsigned>(1, bStored.getIntOrFloatBitWidth() / 8);
    int64_t bLanes = recipe.lanes * recipe.group;
    unsigned bAlign =
        std::min<int64_t>(64, layout.width * recipe.group * bBytes);
    Value bRow = offset(bPanel, bStored, mul(k, layout.width));
    SmallVector<Value> bVectors;
    for (int64_t j = 0; j < vectors; ++j) {
      int64_t at =
          j / perPanel * layout.paddedK * layout.width + j % perPanel * bLanes;
      unsigned align =
          std::min<unsigned>(bAlign, llvm::PowerOf2Ceil(bLanes * bBytes));
      bVectors.push_back(
          load(vectorOf(bStored, bLanes), offset(bRow, bStored, at), align));
    }
    Value aStep = options.aColStride ? mul(k, options.aColStride) : k;
    SmallVector<Value> sums;
    for (int64_t i = 0; i < rows; ++i) {
      Value scalar = loadA(aRows[i], aStep);
      Value broadcast = splat(scalar, recipe.lanes);
      for (int64_t j = 0; j < vectors; ++j)
        sums.push_back(multiplyAdd(broadcast, bVectors[j],
                                   loop.getRegionIterArg(i * vectors + j)));
    }
    scf::YieldOp::create(b, loc, sums);
  }
  for (auto [cell, sum] : llvm::zip(cCells, loop.getResults()))
    LLVM::StoreOp::create(b, loc, convert(sum, recipe.accumulate, recipe.c),
                          cell, cAlign);
}

LogicalResult DotEmitter::emit(Value aBase, Value aRowStride, Value bPanels,
                               Value cBase, Value cRowStride) {
  this->aRowStride = aRowStride;
  this->cRowStride = cRowStride;
  recipe.accumulate = computeType(shape.aType, shape.bType, shape.cType);
  recipe.a = options.aConverted ? layout.aElement : shape.aType;
  recipe.b = layout.element;
  recipe.c = shape.cType;
  recipe.group = layout.group;
  recipe.fma = hasFma(target);
  recipe.lanes = std::min(layout.width, vectorLanes(target, recipe.accumulate));
  recipe.madd = recipe.lanes == 16  ? "llvm.x86.avx512.pmaddw.d.512"
                : recipe.lanes == 8 ? "llvm.x86.avx2.pmadd.wd"
                                    : "llvm.x86.sse2.pmadd.wd";
  if (recipe.group != 1 && options.aColStride)
    return emitError(loc) << "a dot over interleaved panels needs A contiguous "
                             "in k";
  kSteps = options.kCount ? options.kCount : i64(shape.k);

  // Few rows are made up for by more panels, few columns by more rows.
  Blocking blocking = blockingOf(target);
  int64_t perPanel = layout.width / recipe.lanes;
  int64_t budget = int64_t(blocking.rows) * blocking.vectors;
  int64_t rows = perPanel == blocking.vectors
                     ? blocking.rows
                     : std::min<int64_t>(budget / perPanel, kMaxRows);
  rows = std::min(rows, shape.m);
  int64_t panels = llvm::bit_floor<uint64_t>(
      std::max<int64_t>(1, budget / (rows * perPanel)));
  panels = std::min({panels, shape.n / layout.width, int64_t(8)});
  SmallVector<RowBlock, 2> blocks = splitRows(shape.m, rows);

  Type aStored = stored(recipe.a), bStored = stored(recipe.b),
       cStored = stored(recipe.c);
  int64_t columns = panels * layout.width;
  forLoop(shape.n / columns, [&](Value jr) {
    Value panel = offset(bPanels, bStored, mul(jr, columns * layout.paddedK));
    Value cColumn = offset(cBase, cStored, mul(jr, columns));
    int64_t first = 0;
    for (RowBlock block : blocks) {
      forLoop(block.count, [&](Value ir) {
        Value row = add(mul(ir, block.rows), i64(first));
        emitBlock(block.rows, panels,
                  offset(aBase, aStored, mul(row, aRowStride)), panel,
                  offset(cColumn, cStored, mul(row, cRowStride)));
      });
      first += block.rows * block.count;
    }
  });
  return success();
}

bool isNumber(Type type) {
  return floatFormat(type).has_value() || type.isInteger(8) ||
         type.isInteger(32);
}

} // namespace

int64_t PanelLayout::bytes(int64_t n) const {
  int64_t elementBytes =
      std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
  return n * paddedK * elementBytes;
}

Type computeType(Type aType, Type bType, Type cType) {
  MLIRContext *context = aType.getContext();
  if (aType.isF64() || bType.isF64() || cType.isF64())
    return Float64Type::get(context);
  if (isa<IntegerType>(aType))
    return IntegerType::get(context, 32);
  return Float32Type::get(context);
}

int64_t vectorLanes(const TargetInfo &target, Type type) {
  return std::max<int64_t>(1, target.vectorBits / type.getIntOrFloatBitWidth());
}

int64_t panelWidth(const TargetInfo &target, Type computeType, int64_t n) {
  return std::min<int64_t>(n, blockingOf(target).vectors *
                                  vectorLanes(target, computeType));
}

PanelLayout panelLayout(const DotShape &shape, const TargetInfo &target) {
  if (std::optional<PanelLayout> layout = matrixPanelLayout(shape, target))
    return *layout;
  PanelLayout layout;
  Type compute = computeType(shape.aType, shape.bType, shape.cType);
  layout.element = compute;
  layout.aElement = compute;
  layout.width = panelWidth(target, compute, shape.n);
  // Bytes are multiplied as pairs of i16, which every level does in one
  // instruction; i32 products take two or more.
  if (shape.aType.isInteger(8) && shape.bType.isInteger(8) && shape.n >= 4) {
    layout.element = layout.aElement =
        IntegerType::get(shape.aType.getContext(), 16);
    layout.group = 2;
  }
  layout.paddedK = llvm::alignTo(shape.k, layout.group);
  return layout;
}

LogicalResult emitDot(OpBuilder &builder, Location loc, const DotShape &shape,
                      Value aBase, Value aRowStride, Value bPanels, Value cBase,
                      Value cRowStride, const TargetInfo &target,
                      const DotOptions &options) {
  for (Type type : {shape.aType, shape.bType, shape.cType})
    if (!isNumber(type))
      return emitError(loc) << "a dot of " << shape.aType << " and "
                            << shape.bType << " into " << shape.cType
                            << " is not supported; operands may be floats or "
                               "i8, the result a float or i32";
  if (isa<IntegerType>(shape.aType) != isa<IntegerType>(shape.cType) ||
      isa<IntegerType>(shape.aType) != isa<IntegerType>(shape.bType))
    return emitError(loc) << "a dot of " << shape.aType << " and "
                          << shape.bType << " into " << shape.cType
                          << " mixes integers and floats";
  if (matrixPanelLayout(shape, target))
    return emitMatrixDot(builder, loc, shape, aBase, aRowStride, bPanels, cBase,
                         cRowStride, target, options);
  PanelLayout layout = panelLayout(shape, target);
  DotEmitter emitter(builder, loc, shape, layout, target, options);
  return emitter.emit(aBase, aRowStride, bPanels, cBase, cRowStride);
}

// Log2(W) rounds; each exchanges, between rows i and i + distance, the lanes
// whose index has that bit set.
void emitTranspose(OpBuilder &builder, Location loc,
                   SmallVectorImpl<Value> &rows) {
  int64_t count = rows.size();
  for (int64_t distance = count / 2; distance >= 1; distance /= 2) {
    SmallVector<int64_t> low(count), high(count);
    for (int64_t lane = 0; lane < count; ++lane) {
      bool upper = lane & distance;
      low[lane] = upper ? count + lane - distance : lane;
      high[lane] = upper ? count + lane : lane + distance;
    }
    for (int64_t i = 0; i < count; ++i) {
      if (i & distance)
        continue;
      Value first = rows[i], second = rows[i + distance];
      rows[i] = vector::ShuffleOp::create(builder, loc, first, second, low);
      rows[i + distance] =
          vector::ShuffleOp::create(builder, loc, first, second, high);
    }
  }
}

SmallVector<Value> emitInterleave(OpBuilder &builder, Location loc,
                                  ValueRange rows) {
  int64_t group = rows.size();
  if (group == 1)
    return {rows[0]};
  int64_t lanes = cast<VectorType>(rows[0].getType()).getNumElements();
  // Pairs first; of four rows, pairs of the pairs.
  auto zip = [&](Value x, Value y, int64_t unit) {
    SmallVector<int64_t> mask;
    for (int64_t lane = 0; lane < lanes; lane += unit)
      for (int64_t side = 0; side < 2; ++side)
        for (int64_t i = 0; i < unit; ++i)
          mask.push_back(side * lanes + lane + i);
    SmallVector<Value, 2> halves;
    for (int64_t half = 0; half < 2; ++half)
      halves.push_back(vector::ShuffleOp::create(
          builder, loc, x, y,
          ArrayRef<int64_t>(mask).slice(half * lanes, lanes)));
    return halves;
  };
  if (group == 2) {
    if (lanes == 1)
      return {rows[0], rows[1]};
    SmallVector<Value, 2> halves = zip(rows[0], rows[1], 1);
    return {halves[0], halves[1]};
  }
  assert(group == 4 && "panels interleave 1, 2 or 4 rows");
  if (lanes == 1)
    return {rows[0], rows[1], rows[2], rows[3]};
  SmallVector<Value, 2> low = zip(rows[0], rows[1], 1),
                        high = zip(rows[2], rows[3], 1);
  SmallVector<Value, 2> first = zip(low[0], high[0], 2),
                        second = zip(low[1], high[1], 2);
  return {first[0], first[1], second[0], second[1]};
}

} // namespace nereid::cpu
