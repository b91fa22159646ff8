//===- Reduce.cpp - Reductions inside a nest ------------------------------===//
//
// Along the strip dimension partial results are kept per lane in registers and
// combined across lanes when the row is done. Along another dimension the
// result buffer itself accumulates. A combine region without a known identity
// takes the first element as it is.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nereid::cpu {

static unsigned reduceAxis(const Sink &sink) {
  return llvm::cast<tt::ReduceOp>(sink.op).getAxis();
}

static Type operandElement(Operation *op, unsigned i) {
  return getElementTypeOrSelf(op->getOperand(i).getType());
}

void NestEmitter::prepareSinks() {
  unsigned accs = 0;
  for (Sink &sink : nest.sinks) {
    if (sink.kind == Sink::Kind::Histogram)
      kernel.fillBuffer(loc, sink.results[0],
                        kernel.constInt(sink.results[0]->stored, 0));
    // Rows that pad a panel must be zero.
    if (sink.kind == Sink::Kind::Materialize && sink.buffer->panel &&
        sink.buffer->paddedK != sink.buffer->shape.end()[-2])
      kernel.fillBuffer(
          loc, sink.buffer,
          kernel.constant(cast<TypedAttr>(b.getZeroAttr(sink.buffer->stored))));
    if (sink.kind != Sink::Kind::Reduce)
      continue;
    auto op = llvm::cast<tt::ReduceOp>(sink.op);
    TypedAttr identity = kernel.ops.identity(op.getCombineOp());
    if (reduceAxis(sink) == stripDim) {
      LaneReduction r;
      r.sink = &sink;
      r.hasIdentity = bool(identity);
      for (Value v : op.getSrcs()) {
        Type element = getElementTypeOrSelf(v.getType());
        if (identity)
          r.identity.push_back(identity);
        else if (isa<IntegerType>(element))
          // One, because the region may divide by it before it is replaced.
          r.identity.push_back(IntegerAttr::get(element, 1));
        else if (isa<FloatType>(element))
          r.identity.push_back(FloatAttr::get(element, 1.0));
        else
          r.identity.push_back(b.getI64IntegerAttr(0));
      }
      r.firstAcc = accs;
      r.count = r.identity.size();
      accs += r.count;
      laneReductions.push_back(std::move(r));
      continue;
    }
    if (identity && shape[reduceAxis(sink)] != 1)
      for (Buffer *buffer : sink.results)
        kernel.fillBuffer(loc, buffer, kernel.constant(identity));
  }
}

SmallVector<Value> NestEmitter::initialAccs(int64_t width) {
  SmallVector<Value> accs;
  for (LaneReduction &r : laneReductions)
    for (TypedAttr attr : r.identity)
      accs.push_back(kernel.constant(attr, width));
  return accs;
}

LogicalResult NestEmitter::accumulate(LaneReduction &r, ValueRange accs,
                                      SmallVectorImpl<Value> &out) {
  Operation *op = r.sink->op;
  SmallVector<Value> values;
  for (Value v : op->getOperands()) {
    Strip s = eval(v, root);
    if (bad)
      return failure();
    values.push_back(vec(s));
  }
  // The only strip there is.
  if (auto c = constantInt(strip); c && *c == 0 && extent == lanes) {
    llvm::append_range(out, values);
    return success();
  }
  insertAt(deepest());
  SmallVector<Value> old(accs.slice(r.firstAcc, r.count));
  auto combined = kernel.ops.combine(b, op->getRegion(0), old, values, lanes,
                                     [&](Value v) { return kernel.scalar(v); });
  if (failed(combined))
    return failure();
  if (!r.hasIdentity) {
    Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, strip,
                                        kernel.constI64(0));
    for (auto [i, v] : llvm::enumerate(*combined))
      v = arith::SelectOp::create(b, loc, first, values[i], v);
  }
  llvm::append_range(out, *combined);
  return success();
}

LogicalResult NestEmitter::accumulateInBuffer(Sink &sink) {
  auto op = llvm::cast<tt::ReduceOp>(sink.op);
  unsigned axis = op.getAxis();
  Point point = points[root];
  point.index.erase(point.index.begin() + axis);
  SmallVector<Value> values, old;
  for (auto [i, v] : llvm::enumerate(op.getSrcs())) {
    Strip s = eval(v, root);
    if (bad)
      return failure();
    values.push_back(vec(s));
  }
  if (shape[axis] != 1) {
    for (Buffer *buffer : sink.results)
      old.push_back(vec(loadBuffer(buffer, point, /*pinned=*/true)));
    insertAt(deepest());
    auto combined =
        kernel.ops.combine(b, op.getCombineOp(), old, values, lanes,
                           [&](Value v) { return kernel.scalar(v); });
    if (failed(combined))
      return failure();
    if (!kernel.ops.identity(op.getCombineOp())) {
      Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          outer[axis], kernel.constI64(0));
      for (auto [i, v] : llvm::enumerate(*combined))
        v = arith::SelectOp::create(b, loc, first, values[i], v);
    }
    values = *combined;
  }
  for (auto [i, buffer] : llvm::enumerate(sink.results))
    storeBuffer(buffer, point, wrap(values[i], operandElement(op, i), false));
  return success();
}

FailureOr<SmallVector<Value>> NestEmitter::foldLanes(Operation *op,
                                                     ValueRange accs,
                                                     int64_t from, int64_t to) {
  SmallVector<Value> values(accs);
  while (from > to) {
    int64_t half = from / 2;
    SmallVector<int64_t> lowMask, highMask;
    for (int64_t i = 0; i < half; ++i)
      lowMask.push_back(i), highMask.push_back(half + i);
    SmallVector<Value> low, high;
    for (Value v : values) {
      low.push_back(vector::ShuffleOp::create(b, loc, v, v, lowMask));
      high.push_back(vector::ShuffleOp::create(b, loc, v, v, highMask));
    }
    auto combined =
        kernel.ops.combine(b, op->getRegion(0), low, high, half,
                           [&](Value v) { return kernel.scalar(v); });
    if (failed(combined))
      return failure();
    values = *combined;
    from = half;
  }
  return values;
}

LogicalResult NestEmitter::foldAll(ValueRange accs, int64_t from, int64_t to,
                                   SmallVectorImpl<Value> &out) {
  for (LaneReduction &r : laneReductions) {
    auto folded =
        foldLanes(r.sink->op, accs.slice(r.firstAcc, r.count), from, to);
    if (failed(folded))
      return failure();
    llvm::append_range(out, *folded);
  }
  return success();
}

LogicalResult NestEmitter::finishReductions(ValueRange accs, int64_t width) {
  SmallVector<Value> folded;
  insertAfter(deepest());
  if (failed(foldAll(accs, width, 1, folded)))
    return failure();
  for (LaneReduction &r : laneReductions) {
    for (unsigned i = 0; i < r.count; ++i) {
      insertAfter(deepest());
      Value v = vector::ExtractOp::create(b, loc, folded[r.firstAcc + i], 0);
      Type element = operandElement(r.sink->op, i);
      Strip s = wrap(v, element, true);
      Buffer *buffer = r.sink->results[i];
      if (!buffer) {
        kernel.setScalar(r.sink->op->getResult(i), uniformValue(s));
        continue;
      }
      Point point;
      for (auto [d, index] : llvm::enumerate(outer))
        if (d != stripDim)
          point.index.push_back(Strip::uniform(index));
      lanes = 1;
      storeBuffer(buffer, point, s);
    }
  }
  insertAfter(deepest());
  return success();
}

} // namespace nereid::cpu
