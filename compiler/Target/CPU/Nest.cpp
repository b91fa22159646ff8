//===- Nest.cpp - Loops, their versions and their sinks -------------------===//

#include "compiler/Target/CPU/Nest.h"
#include "compiler/Target/CPU/InlineTree.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace nereid::cpu {

LogicalResult Kernel::emitNest(Nest &nest) {
  pool.tick();
  if (!nest.guard)
    return NestEmitter(*this, nest).run();
  auto ifOp = scf::IfOp::create(b, nest.sinks.front().value.getLoc(),
                                claimSlot(*nest.guard), false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  return NestEmitter(*this, nest).run();
}

static Location sinkLoc(const Nest &nest) {
  const Sink &sink = nest.sinks.front();
  return sink.op ? sink.op->getLoc() : sink.value.getLoc();
}

NestEmitter::NestEmitter(Kernel &kernel, Nest &nest)
    : kernel(kernel), nest(nest), b(kernel.b), loc(sinkLoc(nest)),
      shape(nest.shape) {}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

namespace {
// What one step along a dimension costs, by the memory it touches.
double strideCost(DimStride stride, bool last) {
  switch (stride.kind) {
  case DimStride::Kind::Constant:
    return stride.value == 0 || stride.value == 1 ? 1 : 8;
  case DimStride::Kind::Runtime:
    return last ? 3 : 3.5;
  case DimStride::Kind::Unknown:
    return 8;
  }
  return 8;
}

double bufferCost(const Buffer *buffer, unsigned dim) {
  unsigned rank = buffer->shape.size();
  if (buffer->panel)
    return dim + 1 == rank && buffer->group == 1 ? 1 : 8;
  for (unsigned i = dim + 1; i < rank; ++i)
    if (buffer->shape[i] != 1)
      return 8;
  return 1;
}
} // namespace

void NestEmitter::chooseStripDim() {
  if (nest.elementwise) {
    stripDim = shape.empty() ? 0 : shape.size() - 1;
    return;
  }
  unsigned rank = shape.size();
  SmallVector<double> cost(rank, 0);
  auto charge = [&](ArrayRef<int> dims, function_ref<double(unsigned)> perDim) {
    SmallVector<bool> seen(rank, false);
    for (auto [i, dim] : llvm::enumerate(dims))
      if (dim >= 0)
        cost[dim] += perDim(i), seen[dim] = true;
    bool unknown = llvm::is_contained(dims, kUnknownDim);
    for (unsigned d = 0; d < rank; ++d)
      if (!seen[d])
        cost[d] += unknown ? 4 : 1;
  };
  SmallVector<int> identity;
  for (unsigned i = 0; i < rank; ++i)
    identity.push_back(i);
  for (Sink &sink : nest.sinks) {
    if (sink.kind == Sink::Kind::Materialize)
      charge(identity, [&](unsigned i) { return bufferCost(sink.buffer, i); });
    if (auto store = dyn_cast_or_null<tt::StoreOp>(sink.op))
      charge(identity, [&](unsigned i) {
        return strideCost(dimStride(store.getPtr(), i), i + 1 == rank);
      });
    if (auto reduce = dyn_cast_or_null<tt::ReduceOp>(sink.op))
      for (unsigned d = 0; d < rank; ++d)
        cost[d] += d == reduce.getAxis() ? 0.5 : 1;
    walkInline(kernel, sink, [&](Value v, ArrayRef<int> dims, bool) {
      if (Buffer *buffer = kernel.buffer(v); buffer && buffer->complete)
        charge(dims, [&](unsigned i) { return bufferCost(buffer, i); });
      else if (auto load = v.getDefiningOp<tt::LoadOp>())
        charge(dims, [&](unsigned i) {
          return strideCost(dimStride(load.getPtr(), i), i + 1 == dims.size());
        });
    });
  }
  int64_t registerLanes = kernel.target.vectorBits / 32;
  double best = 0;
  bool found = false;
  for (unsigned d = 0; d < rank; ++d) {
    if (shape[d] == 1)
      continue;
    double c = cost[d] + 0.5;
    if (shape[d] < registerLanes)
      c *= double(registerLanes) / shape[d];
    if (!found || c <= best) {
      best = c;
      stripDim = d;
      found = true;
    }
  }
  if (!found && rank)
    stripDim = rank - 1;
}

void NestEmitter::chooseLanes() {
  extent = shape.empty() ? 1 : shape[stripDim];
  if (nest.elementwise) {
    fastLanes = edgeLanes = 1;
    return;
  }
  bool wide = false, heavy = false, reduces = false, laneByLane = false,
       gathers = false;
  // Masked accesses that go lane by lane take a general register each.
  auto access = [&](Value pointer, Value mask) {
    Type pointee = tt::getPointeeType(pointer.getType());
    laneByLane |= mask && !hasMaskedMemory(kernel.ops.held(pointee, 1));
  };
  for (Sink &sink : nest.sinks) {
    if (auto reduce = dyn_cast_or_null<tt::ReduceOp>(sink.op))
      reduces |= reduce.getAxis() == stripDim;
    if (auto store = dyn_cast_or_null<tt::StoreOp>(sink.op))
      access(store.getPtr(), store.getMask());
    walkInline(kernel, sink, [&](Value v, ArrayRef<int> dims, bool) {
      Type element = getElementTypeOrSelf(v.getType());
      wide |= element.isF64();
      // Narrow floats take instructions to widen, many where none is made for
      // it.
      heavy |= isa<FloatType>(element) &&
               element.getIntOrFloatBitWidth() < 32 &&
               kernel.target.vectorRegisters < 32;
      Operation *op = v.getDefiningOp();
      if (auto load = dyn_cast_or_null<tt::LoadOp>(op)) {
        access(load.getPtr(), load.getMask());
        for (auto [i, dim] : llvm::enumerate(dims))
          if (dim == int(stripDim)) {
            DimStride stride = dimStride(load.getPtr(), i);
            gathers |= stride.kind == DimStride::Kind::Unknown ||
                       (stride.kind == DimStride::Kind::Constant &&
                        stride.value != 0 && stride.value != 1);
          }
      }
      heavy |= op && isa<math::MathDialect>(op->getDialect()) &&
               !isa<math::AbsFOp, math::FmaOp, math::FloorOp, math::SqrtOp>(op);
    });
  }
  int64_t registerLanes = kernel.target.vectorBits / (wide ? 64 : 32);
  // Sums need several chains; functions are chains long enough for one
  // register to fill the machine, and their expansions are made for one.
  int64_t unroll = heavy ? 1 : reduces ? 4 : 2;
  keepRolled = (heavy || gathers) && kernel.target.vectorRegisters < 32;
  if (gathers && kernel.target.vectorRegisters < 32)
    unroll = 1;
  fastLanes = std::min(extent, registerLanes * unroll);
  for (Sink &sink : nest.sinks)
    if (sink.kind == Sink::Kind::Materialize && sink.buffer->panel &&
        stripDim + 1 == shape.size())
      fastLanes = std::min(fastLanes, sink.buffer->panel);
  // Both together leave no registers: the few lanes of an edge go singly.
  int64_t share = !laneByLane ? 1 : heavy ? 4 : 2;
  edgeLanes = std::min(fastLanes, std::max<int64_t>(registerLanes / share, 1));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

LogicalResult NestEmitter::run() {
  start = b.saveInsertionPoint();
  chooseStripDim();
  chooseLanes();
  lanes = fastLanes;
  LogicalResult result = emitLoops();
  b.restoreInsertionPoint(start);
  if (failed(result) || bad)
    return failure();
  for (Operation *load : loads)
    kernel.loaded.insert(load);
  for (Sink &sink : nest.sinks) {
    if (sink.kind == Sink::Kind::Materialize) {
      sink.buffer->complete = true;
      if (sink.bind)
        kernel.bind(sink.value, sink.buffer);
      continue;
    }
    for (auto [i, buffer] : llvm::enumerate(sink.results))
      if (buffer) {
        buffer->complete = true;
        kernel.bind(sink.op->getResult(i), buffer);
      }
  }
  return success();
}

LogicalResult NestEmitter::emitLoops() {
  levels.push_back({});
  memo.emplace_back();
  outer.assign(shape.size(), Value());
  prepareSinks();
  Point point;
  for (auto [d, size] : llvm::enumerate(shape)) {
    if (d == stripDim) {
      point.index.push_back(
          size == 1
              ? constStrip(0)
              : Strip::affine(kernel.constI64(0), kernel.constI64(1), true));
      continue;
    }
    if (size == 1) {
      outer[d] = kernel.constI64(0);
    } else {
      insertAfter(deepest());
      auto loop = scf::ForOp::create(b, loc, kernel.constI64(0),
                                     kernel.constI64(size), kernel.constI64(1));
      levels.push_back({loop.getBody(), loop});
      memo.emplace_back();
      outer[d] = loop.getInductionVar();
      loopSteps[outer[d]] = 1;
    }
    point.index.push_back(Strip::uniform(outer[d]));
  }
  root = intern(std::move(point));
  return emitStrips();
}

// How many leading elements of the row the fast version may do, computed before
// `anchor`.
Value NestEmitter::fullStrips(Operation *anchor) {
  levels.push_back({nullptr, anchor});
  llvm::scope_exit leave([&] { levels.pop_back(); });
  Value n = kernel.constI64(extent);
  for (Value bound : bounds)
    n = minV(n, bound);
  insertFor(n);
  if (extent == fastLanes)
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, n,
                                 kernel.constI64(extent));
  n = arith::MaxSIOp::create(b, loc, n, kernel.constI64(0));
  return arith::AndIOp::create(b, loc, n, kernel.constI64(-fastLanes));
}

LogicalResult NestEmitter::emitStrips() {
  unsigned row = deepest();
  SmallVector<Value> accs = initialAccs(fastLanes), out;
  bool single = extent == fastLanes;
  auto typesOf = [](ValueRange values) {
    return SmallVector<Type>(values.getTypes());
  };

  if (single) {
    // One strip: the fast version under a condition, or alone.
    insertAfter(row);
    SmallVector<Value> narrow = initialAccs(edgeLanes);
    auto ifOp = scf::IfOp::create(b, loc, typesOf(narrow),
                                  kernel.constInt(b.getI1Type(), 1), true);
    for (Block *block : {ifOp.thenBlock(), ifOp.elseBlock()})
      if (block->mightHaveTerminator())
        block->getTerminator()->erase();
    if (failed(emitVersion(Version::Fast, fastLanes, {}, accs, ifOp.thenBlock(),
                           ifOp, out)))
      return failure();
    b.setInsertionPointToEnd(ifOp.thenBlock());
    SmallVector<Value> folded;
    if (failed(foldAll(out, fastLanes, edgeLanes, folded)))
      return failure();
    scf::YieldOp::create(b, loc, folded);
    SmallVector<Value> rest = narrow;
    if (!bounds.empty()) {
      ifOp.getConditionMutable().assign(fullStrips(ifOp));
      rest.clear();
      if (failed(emitEdge(kernel.constI64(0), narrow, ifOp.elseBlock(), ifOp,
                          rest)))
        return failure();
    }
    b.setInsertionPointToEnd(ifOp.elseBlock());
    scf::YieldOp::create(b, loc, rest);
    insertAfter(row);
    return finishReductions(ifOp.getResults(), edgeLanes);
  }

  insertAfter(row);
  Block *block = b.getInsertionBlock();
  (void)block;
  if (failed(emitVersion(Version::Fast, fastLanes, kernel.constI64(0), accs,
                         nullptr, nullptr, out)))
    return failure();
  if (bounds.empty()) {
    insertAfter(row);
    return finishReductions(out, fastLanes);
  }
  Value n = fullStrips(fastLoop);
  fastLoop.getUpperBoundMutable().assign(n);
  insertAfter(row);
  SmallVector<Value> folded, rest;
  if (failed(foldAll(out, fastLanes, edgeLanes, folded)))
    return failure();
  if (failed(emitEdge(n, folded, nullptr, nullptr, rest)))
    return failure();
  insertAfter(row);
  return finishReductions(rest, edgeLanes);
}

// The strips from `first` on that the fast version does not do.
LogicalResult NestEmitter::emitEdge(Value first, ValueRange accs, Block *block,
                                    Operation *anchor,
                                    SmallVectorImpl<Value> &out) {
  SmallVector<Value> tests = strideTests;
  if (tests.empty())
    return emitVersion(Version::General, edgeLanes, first, accs, block, anchor,
                       out);
  Value all = tests.front();
  for (Value test : ArrayRef<Value>(tests).drop_front()) {
    insertFor(all, test);
    all = arith::AndIOp::create(b, loc, all, test);
  }
  if (block)
    b.setInsertionPointToEnd(block);
  else
    insertAfter(deepest());
  auto ifOp =
      scf::IfOp::create(b, loc, SmallVector<Type>(accs.getTypes()), all, true);
  for (Block *inner : {ifOp.thenBlock(), ifOp.elseBlock()})
    if (inner->mightHaveTerminator())
      inner->getTerminator()->erase();
  if (!anchor)
    anchor = ifOp;
  for (bool contiguous : {true, false}) {
    Block *inner = contiguous ? ifOp.thenBlock() : ifOp.elseBlock();
    SmallVector<Value> results;
    if (failed(emitVersion(contiguous ? Version::Contiguous : Version::General,
                           edgeLanes, first, accs, inner, anchor, results)))
      return failure();
    b.setInsertionPointToEnd(inner);
    scf::YieldOp::create(b, loc, results);
  }
  out.assign(ifOp.result_begin(), ifOp.result_end());
  return success();
}

static LLVM::LoopAnnotationAttr noUnroll(MLIRContext *context) {
  auto unroll = LLVM::LoopUnrollAttr::get(
      context, /*disable=*/BoolAttr::get(context, true), {}, {}, {}, {}, {},
      {});
  return LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {}, {}, {},
                                       {}, {}, {}, {}, {}, {}, {}, {});
}

LogicalResult NestEmitter::emitVersion(Version which, int64_t width,
                                       Value first, ValueRange accs,
                                       Block *block, Operation *anchor,
                                       SmallVectorImpl<Value> &out) {
  version = which;
  // Vectors that were placed outside the loop have the old number of lanes.
  if (lanes != width)
    for (Memo &m : memo)
      for (auto it = m.begin(), end = m.end(); it != end;) {
        auto here = it++;
        if (here->second.isVector())
          m.erase(here);
      }
  lanes = width;
  assumedMasks.clear();
  auto c = constantInt(first);
  bool loops = first && !(c && *c == 0 && extent == width);
  if (!loops) {
    strip = kernel.constI64(0);
    levels.push_back({block, anchor});
    memo.emplace_back();
    LogicalResult result = emitBody(accs, out);
    levels.pop_back();
    memo.pop_back();
    strip = {};
    return result;
  }
  if (block)
    b.setInsertionPointToEnd(block);
  else
    insertAfter(deepest());
  auto loop = scf::ForOp::create(b, loc, first, kernel.constI64(extent),
                                 kernel.constI64(width), accs);
  if (which == Version::Fast)
    fastLoop = loop;
  // Unrolled, long bodies would compete for registers, and the rest of a row is
  // not worth the code.
  if (keepRolled || which != Version::Fast)
    loop->setDiscardableAttr("loop_annotation", noUnroll(b.getContext()));
  strip = loop.getInductionVar();
  loopSteps[strip] = width;
  levels.push_back({loop.getBody(), anchor ? anchor : loop.getOperation()});
  memo.emplace_back();
  SmallVector<Value> results;
  LogicalResult result = emitBody(loop.getRegionIterArgs(), results);
  if (succeeded(result) && !accs.empty()) {
    b.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(b, loc, results);
  }
  levels.pop_back();
  memo.pop_back();
  strip = {};
  out.assign(loop.result_begin(), loop.result_end());
  return result;
}

//===----------------------------------------------------------------------===//
// Sinks
//===----------------------------------------------------------------------===//

LogicalResult NestEmitter::emitBody(ValueRange accs,
                                    SmallVectorImpl<Value> &out) {
  for (auto [i, sink] : llvm::enumerate(nest.sinks)) {
    loc = sink.op ? sink.op->getLoc() : sink.value.getLoc();
    if (sink.kind == Sink::Kind::Store)
      loadBefore(sink.op, i);
    if (sink.kind == Sink::Kind::Reduce) {
      const Sink *self = &sink;
      LaneReduction *r = llvm::find_if(
          laneReductions, [&](LaneReduction &l) { return l.sink == self; });
      if (r != laneReductions.end()) {
        if (failed(accumulate(*r, accs, out)))
          return failure();
        continue;
      }
    }
    if (failed(emitSink(sink)) || bad)
      return failure();
  }
  return success();
}

// A store may write, through another argument, what a later sink has yet to
// load on this strip; the tile program loads first.
void NestEmitter::loadBefore(Operation *store, unsigned index) {
  for (const Sink &later : ArrayRef<Sink>(nest.sinks).drop_front(index + 1)) {
    SmallVector<Value> loads;
    walkInline(kernel, later, [&](Value v, ArrayRef<int>, bool identity) {
      if (auto load = v.getDefiningOp<tt::LoadOp>())
        if (identity && load->getBlock() == store->getBlock() &&
            load->isBeforeInBlock(store) && !kernel.buffer(v))
          loads.push_back(v);
    });
    for (Value v : loads)
      (void)eval(v, root);
  }
}

LogicalResult NestEmitter::emitSink(Sink &sink) {
  switch (sink.kind) {
  case Sink::Kind::Store: {
    auto op = llvm::cast<tt::StoreOp>(sink.op);
    Strip value = eval(op.getValue(), root);
    Strip pointer = eval(op.getPtr(), root);
    Strip mask;
    if (op.getMask())
      mask = evalMask(op.getMask(), root);
    if (bad)
      return failure();
    store(op.getLoc(), pointer, getElementTypeOrSelf(op.getValue().getType()),
          value, mask, kernel.mayStream(op));
    return success();
  }
  case Sink::Kind::Materialize: {
    Strip value = eval(sink.value, root);
    if (bad)
      return failure();
    storeBuffer(sink.buffer, points[root], value);
    return success();
  }
  case Sink::Kind::Reduce:
    return accumulateInBuffer(sink);
  case Sink::Kind::Atomic:
    return emitAtomic(sink);
  case Sink::Kind::Histogram:
    return emitHistogram(sink);
  case Sink::Kind::Map:
    return emitMap(sink);
  case Sink::Kind::Assert:
    return emitAssert(sink);
  case Sink::Kind::Print:
    return emitPrint(sink);
  }
  return failure();
}

} // namespace nereid::cpu
