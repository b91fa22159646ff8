//===- Scan.cpp - Running combinations ------------------------------------===//
//
// The operands lie in the result buffers; the scan runs over them in place. All
// other dimensions are independent: where the scan is not along the innermost
// dimension, lanes run along that one.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::cpu {

LogicalResult Kernel::emitScan(ScanPlan &plan) {
  auto op = llvm::cast<tt::ScanOp>(plan.op);
  Location loc = op.getLoc();
  unsigned axis = op.getAxis();
  ArrayRef<int64_t> shape = plan.data.front()->shape;
  unsigned rank = shape.size();
  int64_t extent = shape[axis];
  for (Buffer *buffer : plan.data)
    pool.touch(buffer);

  int64_t lanes = 0;
  unsigned laneDim = rank;
  if (axis + 1 != rank && shape[rank - 1] > 1) {
    laneDim = rank - 1;
    lanes = std::min<int64_t>(shape[laneDim], target.vectorBits / 32);
  }
  SmallVector<int64_t> strides(rank, 1);
  for (unsigned d = rank; d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];

  OpBuilder::InsertionGuard guard(b);
  Value offset = constI64(0);
  auto advance = [&](Value base, Value index, int64_t stride) -> Value {
    return arith::AddIOp::create(
        b, loc, base, arith::MulIOp::create(b, loc, index, constI64(stride)));
  };
  for (unsigned d = 0; d < rank; ++d) {
    if (d == axis || shape[d] == 1)
      continue;
    auto loop = scf::ForOp::create(b, loc, constI64(0), constI64(shape[d]),
                                   constI64(d == laneDim && lanes ? lanes : 1));
    b.setInsertionPointToStart(loop.getBody());
    offset = advance(offset, loop.getInductionVar(), strides[d]);
  }

  auto memory = [&](Buffer *buffer) -> Type {
    Type type = ops.held(buffer->stored, lanes);
    Type element = getElementTypeOrSelf(type);
    if (isa<LLVM::LLVMPointerType>(element))
      element = b.getI64Type();
    if (element.isInteger(1))
      element = b.getI8Type();
    return lanes ? Type(VectorType::get({lanes}, element)) : element;
  };
  auto where = [&](Buffer *buffer, Value at) -> Value {
    Value bytes =
        arith::MulIOp::create(b, loc, at, constI64(ops.bytes(buffer->stored)));
    return LLVM::GEPOp::create(b, loc, buffer->base.getType(), b.getI8Type(),
                               buffer->base, ArrayRef<LLVM::GEPArg>{bytes});
  };
  auto load = [&](Value at) {
    SmallVector<Value> values;
    for (Buffer *buffer : plan.data) {
      Value v = LLVM::LoadOp::create(b, loc, memory(buffer), where(buffer, at),
                                     ops.bytes(buffer->stored));
      if (ops.storage(buffer->stored).isInteger(1))
        v = arith::TruncIOp::create(b, loc, ops.held(buffer->stored, lanes), v);
      values.push_back(v);
    }
    return values;
  };
  auto store = [&](Value at, ValueRange values) {
    for (auto [buffer, v] : llvm::zip(plan.data, values)) {
      if (getElementTypeOrSelf(v.getType()).isInteger(1))
        v = arith::ExtUIOp::create(b, loc, memory(buffer), v);
      LLVM::StoreOp::create(b, loc, v, where(buffer, at),
                            ops.bytes(buffer->stored));
    }
  };

  bool reverse = op.getReverse();
  Value first =
      reverse ? advance(offset, constI64(extent - 1), strides[axis]) : offset;
  SmallVector<Value> start = load(first);
  auto loop = scf::ForOp::create(b, loc, constI64(1), constI64(extent),
                                 constI64(1), start);
  b.setInsertionPointToStart(loop.getBody());
  Value index = loop.getInductionVar();
  if (reverse)
    index = arith::SubIOp::create(b, loc, constI64(extent - 1), index);
  Value at = advance(offset, index, strides[axis]);
  auto combined =
      ops.combine(b, op.getCombineOp(), loop.getRegionIterArgs(), load(at),
                  lanes, [&](Value v) { return scalar(v); });
  if (::mlir::failed(combined))
    return failure();
  store(at, *combined);
  scf::YieldOp::create(b, loc, *combined);

  for (auto [result, buffer] : llvm::zip(op.getResults(), plan.data)) {
    buffer->complete = true;
    bind(result, buffer);
  }
  return success();
}

} // namespace nereid::cpu
