//===- ElementSinks.cpp - Sinks that go element by element ----------------===//
//
// Atomics, histograms, element functions with control flow, assertions and
// prints.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nereid::cpu {

Value NestEmitter::laneScalar(const Strip &s) {
  if (s.ptr)
    return s.isVector() ? [&] {
      insertFor(s.value);
      Value v = vector::ExtractOp::create(b, loc, s.value, 0);
      Strip u = Strip::uniform(v);
      u.ptr = s.ptr;
      return uniformValue(u);
    }()
                        : address(s);
  if (s.isUniform())
    return s.value;
  if (s.isAffine())
    return toLane(s).value;
  insertFor(s.value);
  return vector::ExtractOp::create(b, loc, s.value, 0);
}

// Runs `body` where the condition (null: true) holds; zero elsewhere.
Value NestEmitter::onlyWhere(Value condition, Type type,
                             function_ref<Value()> body) {
  insertAt(deepest());
  if (!condition)
    return body();
  auto ifOp = scf::IfOp::create(b, loc, type ? TypeRange{type} : TypeRange{},
                                condition, bool(type));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  Value v = body();
  if (!type)
    return {};
  if (!v)
    v = LLVM::PoisonOp::create(b, loc, type);
  scf::YieldOp::create(b, loc, v);
  b.setInsertionPointToStart(ifOp.elseBlock());
  Value zero;
  if (isa<LLVM::LLVMPointerType>(type))
    zero = LLVM::ZeroOp::create(b, loc, type);
  else
    zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  scf::YieldOp::create(b, loc, zero);
  return ifOp.getResult(0);
}

LogicalResult NestEmitter::emitAtomic(Sink &sink) {
  Operation *op = sink.op;
  SmallVector<Value> in;
  Value mask;
  auto rmw = dyn_cast<tt::AtomicRMWOp>(op);
  for (Value v : op->getOperands()) {
    Strip s = eval(v, root);
    if (bad)
      return failure();
    if (rmw && v == rmw.getMask() && in.size() == 2)
      mask = isTrue(s) ? Value() : laneScalar(s);
    else
      in.push_back(laneScalar(s));
  }
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  bool wrong = false;
  Value old = onlyWhere(mask, kernel.ops.storage(element), [&]() -> Value {
    FailureOr<Value> r = rmw ? kernel.atomicRMW(rmw, in[0], in[1])
                             : kernel.atomicCAS(llvm::cast<tt::AtomicCASOp>(op),
                                                in[0], in[1], in[2]);
    if (succeeded(r))
      return *r;
    wrong = true;
    return {};
  });
  if (wrong)
    return failure();
  if (sink.results[0])
    storeBuffer(sink.results[0], points[root], wrap(old, element, true));
  return success();
}

LogicalResult NestEmitter::emitHistogram(Sink &sink) {
  auto op = llvm::cast<tt::HistogramOp>(sink.op);
  Strip bin = castStrip(eval(op.getSrc(), root), b.getI64Type(), true);
  Strip mask;
  if (op.getMask())
    mask = eval(op.getMask(), root);
  if (bad)
    return failure();
  Buffer *buffer = sink.results[0];
  Value index = laneScalar(bin);
  insertFor(index);
  Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index,
                                       kernel.constI64(buffer->shape[0]));
  if (!isTrue(mask)) {
    Value m = laneScalar(mask);
    insertFor(inside, m);
    inside = arith::AndIOp::create(b, loc, inside, m);
  }
  kernel.pool.touch(buffer);
  onlyWhere(inside, {}, [&]() -> Value {
    Type type = kernel.ops.storage(buffer->stored);
    int64_t size = kernel.ops.bytes(type);
    Value offset = arith::MulIOp::create(b, loc, index, kernel.constI64(size));
    Value where =
        LLVM::GEPOp::create(b, loc, buffer->base.getType(), b.getI8Type(),
                            buffer->base, ArrayRef<LLVM::GEPArg>{offset});
    Value count = LLVM::LoadOp::create(b, loc, type, where, size);
    count = arith::AddIOp::create(b, loc, count, kernel.constInt(type, 1));
    LLVM::StoreOp::create(b, loc, count, where, size);
    return {};
  });
  return success();
}

LogicalResult NestEmitter::emitMap(Sink &sink) {
  auto op = llvm::cast<tt::MapElementwiseOp>(sink.op);
  int64_t pack = op.getPack();
  unsigned last = shape.size() - 1;
  if (extent % pack != 0) {
    op.emitError() << "packs of " << pack << " elements do not divide the last "
                   << "dimension of " << extent;
    return failure();
  }
  SmallVector<unsigned> at;
  for (int64_t j = 0; j < pack; ++j) {
    Point p = points[root];
    p.index[last] = add(p.index[last], constStrip(j));
    at.push_back(intern(p));
  }
  auto body = [&]() -> LogicalResult {
    SmallVector<Value> in;
    for (Value v : op.getSrcs())
      for (unsigned p : at) {
        Strip s = eval(v, p);
        if (bad)
          return failure();
        in.push_back(laneScalar(s));
      }
    insertAt(deepest());
    auto out = kernel.inlineScalars(op.getScalarOp(), in);
    if (failed(out))
      return failure();
    for (auto [i, buffer] : llvm::enumerate(sink.results))
      for (int64_t j = 0; j < pack; ++j) {
        if (!buffer)
          continue;
        Type element = getElementTypeOrSelf(op->getResult(i).getType());
        Strip s = wrap((*out)[i * pack + j], element, true);
        storeBuffer(buffer, points[at[j]], s);
      }
    return success();
  };
  if (pack == 1)
    return body();
  // Every pack starts at a multiple of its size.
  insertAt(deepest());
  Value rest = arith::AndIOp::create(b, loc, strip, kernel.constI64(pack - 1));
  Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest,
                                      kernel.constI64(0));
  auto ifOp = scf::IfOp::create(b, loc, first, false);
  levels.push_back({ifOp.thenBlock(), ifOp});
  memo.emplace_back();
  LogicalResult result = body();
  levels.pop_back();
  memo.pop_back();
  return result;
}

LogicalResult NestEmitter::emitAssert(Sink &sink) {
  auto op = llvm::cast<tt::AssertOp>(sink.op);
  Strip s = eval(op.getCondition(), root);
  if (bad)
    return failure();
  if (isTrue(s))
    return success();
  Value all;
  if (s.isUniform()) {
    all = s.value;
  } else {
    Value v = vecOffset(s);
    insertFor(v);
    all = vector::ReductionOp::create(b, loc, vector::CombiningKind::AND, v);
  }
  insertFor(all);
  Value fails =
      arith::XOrIOp::create(b, loc, all, kernel.constInt(b.getI1Type(), 1));
  onlyWhere(fails, {}, [&]() -> Value {
    kernel.callAssertFailed(op);
    return {};
  });
  return success();
}

LogicalResult NestEmitter::emitPrint(Sink &sink) {
  auto op = llvm::cast<tt::PrintOp>(sink.op);
  Strip s = eval(sink.value, root);
  if (bad)
    return failure();
  Value v = laneScalar(s);
  SmallVector<Value> index;
  for (Strip &i : points[root].index)
    index.push_back(laneScalar(i));
  insertAt(deepest());
  unsigned operand = 0;
  for (auto [i, arg] : llvm::enumerate(op.getArgs()))
    if (arg == sink.value)
      operand = i;
  kernel.callPrint(op, operand, v, index);
  return success();
}

} // namespace nereid::cpu
