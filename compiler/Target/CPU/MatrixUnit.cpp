//===- MatrixUnit.cpp - Dots on a CPU's matrix unit -----------------------===//
//
// AMX: eight tiles of at most 16 rows of 64 bytes. Four hold a block of C over
// all of K, the others what is loaded of A and B. All tiles of a kernel must
// stay in one function (the calling convention preserves none), which holds
// because everything is emitted in place.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/MatrixUnit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::cpu {

namespace {

constexpr int64_t kTileRows = 16;
constexpr int64_t kTileBytes = 64; // of one row
constexpr int64_t kTileColumns = kTileBytes / 4;
constexpr int64_t kAccumulators = 4;

// What the unit multiplies: operands in groups of 32 bits along k.
struct Unit {
  StringRef multiply; // intrinsic
  int64_t group;      // operand elements in 32 bits
};

std::optional<Unit> unitFor(const DotShape &shape) {
  if (shape.aType.isBF16() && shape.bType.isBF16() && shape.cType.isF32())
    return Unit{"llvm.x86.tdpbf16ps.internal", 2};
  if (shape.aType.isInteger(8) && shape.bType.isInteger(8) &&
      shape.cType.isInteger(32))
    return Unit{"llvm.x86.tdpbssd.internal", 4};
  return std::nullopt;
}

class MatrixDotEmitter {
public:
  MatrixDotEmitter(OpBuilder &builder, Location loc, const DotShape &shape,
                   const PanelLayout &layout, const Unit &unit,
                   const DotOptions &options)
      : b(builder), loc(loc), shape(shape), layout(layout), unit(unit),
        options(options),
        stepK(std::min(layout.paddedK, kTileColumns * unit.group)) {
    if (options.kCount)
      stepK = std::min(stepK, std::max(options.kMultiple, unit.group));
  }

  void emit(Value aBase, Value aRowStride, Value bPanels, Value cBase,
            Value cRowStride);

private:
  Value i64(int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 64);
  }
  Value i16(int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 16);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value mul(Value x, int64_t y) { return y == 1 ? x : mul(x, i64(y)); }
  Value offset(Value base, Value bytes) {
    return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                               LLVM::GEPArg(bytes));
  }
  Value call(StringRef name, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(
               b, loc, LLVM::LLVMX86AMXType::get(b.getContext()),
               b.getStringAttr(name), operands)
        .getResult(0);
  }
  Value load(int64_t rows, int64_t bytes, Value address, Value stride) {
    return call("llvm.x86.tileloadd64.internal",
                {i16(rows), i16(bytes), address, stride});
  }
  void forLoop(int64_t count, function_ref<void(Value)> body);
  void emitBlock(int64_t rows, int64_t rowTiles, int64_t columnTiles, Value a,
                 Value bPanel, Value c);

  OpBuilder &b;
  Location loc;
  const DotShape &shape;
  const PanelLayout &layout;
  const Unit &unit;
  const DotOptions &options;
  int64_t stepK; // k steps of one multiplication
  Value aStride, cStride, kSteps;
};

void MatrixDotEmitter::forLoop(int64_t count, function_ref<void(Value)> body) {
  if (count == 1)
    return body(i64(0));
  auto loop = scf::ForOp::create(b, loc, i64(0), i64(count), i64(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

// rowTiles x columnTiles tiles of `rows` rows each, over all of K.
void MatrixDotEmitter::emitBlock(int64_t rows, int64_t rowTiles,
                                 int64_t columnTiles, Value a, Value bPanel,
                                 Value c) {
  int64_t elementBytes = 4 / unit.group;
  int64_t panelBytes = layout.paddedK * kTileColumns * elementBytes;
  SmallVector<Value> cTiles, sums;
  for (int64_t i = 0; i < rowTiles; ++i)
    for (int64_t j = 0; j < columnTiles; ++j) {
      Value row = offset(c, mul(cStride, i * rows));
      cTiles.push_back(offset(row, i64(j * kTileBytes)));
    }
  for (Value tile : cTiles)
    sums.push_back(options.overwrite
                       ? call("llvm.x86.tilezero.internal",
                              {i16(rows), i16(kTileBytes)})
                       : load(rows, kTileBytes, tile, cStride));
  auto loop = scf::ForOp::create(b, loc, i64(0), kSteps, i64(stepK), sums);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value k = loop.getInductionVar();
    Value aChunk = offset(a, mul(k, elementBytes));
    Value bChunk = offset(bPanel, mul(k, kTileColumns * elementBytes));
    auto loadA = [&](int64_t i) {
      return load(rows, stepK * elementBytes,
                  offset(aChunk, mul(aStride, i * rows)), aStride);
    };
    auto loadB = [&](int64_t j) {
      return load(stepK / unit.group, kTileBytes,
                  offset(bChunk, i64(j * panelBytes)), i64(kTileBytes));
    };
    auto multiply = [&](Value sum, Value x, Value y) {
      return call(unit.multiply, {i16(rows), i16(kTileBytes),
                                  i16(stepK * elementBytes), sum, x, y});
    };
    SmallVector<Value> next(loop.getRegionIterArgs());
    if (rowTiles == 1) {
      Value x = loadA(0);
      for (int64_t j = 0; j < columnTiles; ++j)
        next[j] = multiply(next[j], x, loadB(j));
    } else {
      SmallVector<Value> y;
      for (int64_t j = 0; j < columnTiles; ++j)
        y.push_back(loadB(j));
      for (int64_t i = 0; i < rowTiles; ++i) {
        Value x = loadA(i);
        for (int64_t j = 0; j < columnTiles; ++j) {
          Value &sum = next[i * columnTiles + j];
          sum = multiply(sum, x, y[j]);
        }
      }
    }
    scf::YieldOp::create(b, loc, next);
  }
  for (auto [tile, sum] : llvm::zip(cTiles, loop.getResults()))
    LLVM::CallIntrinsicOp::create(
        b, loc, b.getStringAttr("llvm.x86.tilestored64.internal"),
        ValueRange{i16(rows), i16(kTileBytes), tile, cStride, sum});
}

void MatrixDotEmitter::emit(Value aBase, Value aRowStride, Value bPanels,
                            Value cBase, Value cRowStride) {
  int64_t elementBytes = 4 / unit.group;
  aStride = mul(aRowStride, elementBytes);
  cStride = mul(cRowStride, 4);
  kSteps = options.kCount ? options.kCount : i64(layout.paddedK);

  // A square of tiles loads least; where a side is short, the other is longer.
  int64_t rows = std::min(shape.m, kTileRows);
  int64_t rowTiles = shape.m / rows;
  int64_t columnTiles = shape.n / kTileColumns;
  if (rowTiles == 1)
    columnTiles = std::min(columnTiles, kAccumulators);
  else if (columnTiles == 1)
    rowTiles = std::min(rowTiles, kAccumulators);
  else
    rowTiles = columnTiles = 2;

  int64_t blockRows = rowTiles * rows;
  int64_t blockColumns = columnTiles * kTileColumns;
  int64_t panelBytes = layout.paddedK * blockColumns * elementBytes;
  forLoop(shape.n / blockColumns, [&](Value jr) {
    Value panel = offset(bPanels, mul(jr, panelBytes));
    Value cColumn = offset(cBase, mul(jr, blockColumns * 4));
    forLoop(shape.m / blockRows, [&](Value ir) {
      emitBlock(rows, rowTiles, columnTiles,
                offset(aBase, mul(mul(ir, aStride), blockRows)), panel,
                offset(cColumn, mul(mul(ir, cStride), blockRows)));
    });
  });
}

} // namespace

std::optional<PanelLayout> matrixPanelLayout(const DotShape &shape,
                                             const TargetInfo &target) {
  if (target.matrixUnit != MatrixUnit::AMX)
    return std::nullopt;
  std::optional<Unit> unit = unitFor(shape);
  // Short sums and narrow tiles are served better by vectors.
  if (!unit || shape.n < kTileColumns || shape.k < 4 * unit->group)
    return std::nullopt;
  PanelLayout layout;
  layout.element = shape.bType;
  layout.aElement = shape.aType;
  layout.width = kTileColumns;
  layout.group = unit->group;
  layout.paddedK = shape.k;
  return layout;
}

LogicalResult emitMatrixDot(OpBuilder &builder, Location loc,
                            const DotShape &shape, Value aBase,
                            Value aRowStride, Value bPanels, Value cBase,
                            Value cRowStride, const TargetInfo &target,
                            const DotOptions &options) {
  if (options.aColStride)
    return emitError(loc) << "a dot over interleaved panels needs A contiguous "
                             "in k";
  PanelLayout layout = *matrixPanelLayout(shape, target);
  Unit unit = *unitFor(shape);
  MatrixDotEmitter emitter(builder, loc, shape, layout, unit, options);
  emitter.emit(aBase, aRowStride, bPanels, cBase, cRowStride);
  return success();
}

} // namespace nereid::cpu
