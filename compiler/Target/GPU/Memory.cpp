//===- Memory.cpp - Global memory -----------------------------------------===//
//
// Loads and stores go in vectors as wide as `nrd.access` and the layout's
// lowest registers allow. What changes memory is done by one of the threads
// that hold copies of an element; a scalar's by the first thread of the block.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::gpu {
namespace {

LinearLayout layoutOf(Type type) {
  tgpu::LayoutAttr layout = tgpu::getLayout(type);
  return layout ? layout.getLinear() : LinearLayout();
}

/// Both conditions, of which either may be null: true.
Value both(Emitter &e, Location loc, Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return arith::AndIOp::create(e.builder, loc, a, b);
}

/// Part of the scalars of a value; empty where there is no value.
SmallVector<Value> slice(Emitter &e, Value value, int64_t start, int64_t size) {
  if (!value)
    return {};
  ArrayRef<Value> all = e.get(value);
  if (all.size() == 1)
    return SmallVector<Value>(size, all.front());
  return SmallVector<Value>(all.slice(start, size));
}

/// One access for each group of registers.
struct Access {
  int64_t registers;
  int32_t width;
  Access(Emitter &e, Operation *op, Type pointers, unsigned bits)
      : registers(e.count(pointers)),
        width(isa<RankedTensorType>(pointers)
                  ? accessWidth(op, layoutOf(pointers), bits,
                                e.hooks.maxAccessBits())
                  : 1) {}
};

LogicalResult emitLoad(Emitter &e, Operation *op) {
  auto load = cast<tt::LoadOp>(op);
  Location loc = op->getLoc();
  Type scalar = e.scalarType(load.getType());
  Access access(e, op, load.getPtr().getType(),
                tt::getElementBits(load.getType()));
  CacheHints hints{load.getCache(), load.getEvict(), load.getIsVolatile()};
  Registers results;
  for (int64_t r = 0; r < access.registers; r += access.width) {
    Value pointer = e.get(load.getPtr())[r];
    SmallVector<Value> mask = slice(e, load.getMask(), r, 1);
    SmallVector<Value> other = slice(e, load.getOther(), r, access.width);
    llvm::append_range(
        results,
        e.hooks.load(e.builder, loc, pointer, scalar, access.width,
                     mask.empty() ? Value() : mask.front(), other, hints));
  }
  e.set(load, std::move(results));
  return success();
}

LogicalResult emitStore(Emitter &e, Operation *op) {
  auto store = cast<tt::StoreOp>(op);
  Location loc = op->getLoc();
  Type type = store.getPtr().getType();
  Access access(e, op, type, tt::getElementBits(store.getValue().getType()));
  CacheHints hints{store.getCache(), store.getEvict(), false};
  Value first = e.holdsFirstCopy(loc, layoutOf(type));
  for (int64_t r = 0; r < access.registers; r += access.width) {
    SmallVector<Value> mask = slice(e, store.getMask(), r, 1);
    Value pred = both(e, loc, first, mask.empty() ? Value() : mask.front());
    e.hooks.store(e.builder, loc, e.get(store.getPtr())[r],
                  slice(e, store.getValue(), r, access.width), pred, hints);
  }
  return success();
}

//===-- Atomics -----------------------------------------------------------===//

/// Whether several threads hold the same element.
bool hasCopies(Type type, Operation *op, const TargetInfo &target) {
  LinearLayout layout = layoutOf(type);
  if (!isa<RankedTensorType>(type))
    return true;
  return layout.freeVariableMask("lane") || layout.freeVariableMask("warp") ||
         layout.inSize("lane") < int32_t(target.warpSize) ||
         layout.inSize("warp") < tgpu::numWarps(op);
}

int64_t bytesOf(Type type) {
  return std::max(1u, tt::getElementBits(type) / 8);
}

/// The element's number in the tensor, for each register.
SmallVector<Value> flatElements(Emitter &e, Location loc, Type type) {
  LinearLayout layout = layoutOf(type);
  if (!isa<RankedTensorType>(type))
    return {e.i32(loc, 0)};
  SmallVector<Value> indices;
  for (auto &element : e.elements(loc, layout)) {
    Value index;
    for (auto [value, out] : llvm::zip(element, layout.outDims())) {
      if (index)
        index = arith::AddIOp::create(
            e.builder, loc,
            arith::MulIOp::create(e.builder, loc, index, e.i32(loc, out.size)),
            value);
      else
        index = value;
    }
    indices.push_back(index);
  }
  return indices;
}

/// Gives all holders of an element what its first holder has.
void shareResults(Emitter &e, Operation *op, Value first, Registers &results) {
  Location loc = op->getLoc();
  Type type = op->getResult(0).getType();
  int64_t bytes = bytesOf(type);
  Value base = e.scratch(op);
  SmallVector<Value> addresses;
  for (Value index : flatElements(e, loc, type)) {
    Value scaled =
        arith::MulIOp::create(e.builder, loc, index, e.i32(loc, bytes));
    addresses.push_back(LLVM::GEPOp::create(e.builder, loc, base.getType(),
                                            e.builder.getI8Type(), base,
                                            ArrayRef<LLVM::GEPArg>{scaled}));
  }
  for (auto [address, value] : llvm::zip(addresses, results))
    e.hooks.storeShared(e.builder, loc, address, value, first);
  e.syncThreads(loc);
  Type scalar = e.scalarType(type);
  for (auto [address, value] : llvm::zip(addresses, results))
    value = e.hooks.loadShared(e.builder, loc, address, scalar, 1, {}).front();
}

bool releases(tt::MemSemantic sem) {
  return sem == tt::MemSemantic::RELEASE ||
         sem == tt::MemSemantic::ACQUIRE_RELEASE;
}
bool acquires(tt::MemSemantic sem) {
  return sem == tt::MemSemantic::ACQUIRE ||
         sem == tt::MemSemantic::ACQUIRE_RELEASE;
}

/// What atomic operations share: `one` does it for a register, by `pred`.
LogicalResult
emitAtomic(Emitter &e, Operation *op, Value pointers, Value mask,
           tt::MemSemantic sem,
           llvm::function_ref<Value(int64_t, Value pointer, Value pred)> one) {
  Location loc = op->getLoc();
  Type type = pointers.getType();
  bool scalar = !isa<RankedTensorType>(type);
  unsigned bits = tt::getElementBits(op->getResult(0).getType());
  if (bits < 16)
    return emitError(loc) << "atomic operations work on 16, 32 or 64 bits on "
                          << e.target.name << ", not on " << bits;
  // A scalar's atomic stands for the whole program: what any thread wrote
  // before is released by it, what it acquires is seen by all.
  if (scalar && releases(sem))
    e.syncThreads(loc);
  Value first = e.holdsFirstCopy(loc, layoutOf(type));
  Registers results;
  for (int64_t r = 0, n = e.count(type); r < n; ++r) {
    SmallVector<Value> active = slice(e, mask, r, 1);
    Value pred = both(e, loc, first, active.empty() ? Value() : active.front());
    results.push_back(one(r, e.get(pointers)[r], pred));
  }
  bool used = !op->getResult(0).use_empty();
  if (used && hasCopies(type, op, e.target))
    shareResults(e, op, first, results);
  else if (scalar && acquires(sem))
    e.syncThreads(loc);
  e.set(op->getResult(0), std::move(results));
  return success();
}

LogicalResult emitAtomicRMW(Emitter &e, Operation *op) {
  auto atomic = cast<tt::AtomicRMWOp>(op);
  return emitAtomic(e, op, atomic.getPtr(), atomic.getMask(), atomic.getSem(),
                    [&](int64_t r, Value pointer, Value pred) {
                      return e.hooks.atomicRMW(
                          e.builder, op->getLoc(), atomic.getAtomicRmwOp(),
                          pointer, slice(e, atomic.getVal(), r, 1).front(),
                          pred, atomic.getSem(), atomic.getScope());
                    });
}

LogicalResult emitAtomicCAS(Emitter &e, Operation *op) {
  auto atomic = cast<tt::AtomicCASOp>(op);
  return emitAtomic(e, op, atomic.getPtr(), {}, atomic.getSem(),
                    [&](int64_t r, Value pointer, Value pred) {
                      return e.hooks.atomicCAS(
                          e.builder, op->getLoc(), pointer,
                          slice(e, atomic.getCmp(), r, 1).front(),
                          slice(e, atomic.getVal(), r, 1).front(), pred,
                          atomic.getSem(), atomic.getScope());
                    });
}

// The first thread asks until it sees the value; a comparison that stores what
// it found reads without changing anything.
LogicalResult emitAtomicPoll(Emitter &e, Operation *op) {
  auto poll = cast<tt::AtomicPollOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  Value expected = e.getScalar(poll.getExpected());
  if (tt::getElementBits(expected.getType()) < 16)
    return emitError(loc) << "atomic operations work on 16, 32 or 64 bits on "
                          << e.target.name << ", not on "
                          << tt::getElementBits(expected.getType());
  if (releases(poll.getSem()))
    e.syncThreads(loc);
  Value first = e.holdsFirstCopy(loc, LinearLayout());
  auto branch =
      scf::IfOp::create(b, loc, TypeRange{b.getI1Type()}, first, true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, e.i1(loc, true));
    b.setInsertionPointToStart(branch.thenBlock());
    Value start, limit;
    if (poll.getTimeout()) {
      start = e.hooks.nanoseconds(b, loc);
      limit = e.getScalar(poll.getTimeout());
    }
    auto loop =
        scf::WhileOp::create(b, loc, TypeRange{b.getI1Type()}, ValueRange{});
    b.createBlock(&loop.getBefore());
    Value found =
        e.hooks.atomicCAS(b, loc, e.getScalar(poll.getPtr()), expected,
                          expected, {}, poll.getSem(), poll.getScope());
    Value seen = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, found,
                                       expected);
    Value wait = arith::XOrIOp::create(b, loc, seen, e.i1(loc, true));
    if (limit) {
      Value spent =
          arith::SubIOp::create(b, loc, e.hooks.nanoseconds(b, loc), start);
      Value inTime = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                           spent, limit);
      wait = arith::AndIOp::create(b, loc, wait, inTime);
    }
    scf::ConditionOp::create(b, loc, wait, seen);
    Block *after = b.createBlock(&loop.getAfter());
    after->addArgument(b.getI1Type(), loc);
    scf::YieldOp::create(b, loc, ValueRange{});
    b.setInsertionPointToEnd(branch.thenBlock());
    scf::YieldOp::create(b, loc, loop.getResults());
  }
  Registers results{branch.getResult(0)};
  if (poll.getResult().use_empty())
    e.syncThreads(loc);
  else
    shareResults(e, op, first, results);
  e.set(poll, std::move(results));
  return success();
}

} // namespace

void addMemory(EmitTable &table) {
  table["tt.load"] = emitLoad;
  table["tt.store"] = emitStore;
  table["tt.atomic_rmw"] = emitAtomicRMW;
  table["tt.atomic_cas"] = emitAtomicCAS;
  table["tt.atomic_poll"] = emitAtomicPoll;
}

int64_t memoryScratchBytes(Operation *op, const TargetInfo &target) {
  if (!isa<tt::AtomicRMWOp, tt::AtomicCASOp, tt::AtomicPollOp>(op) ||
      op->getResult(0).use_empty() ||
      !hasCopies(op->getOperand(0).getType(), op, target))
    return 0;
  Type type = op->getResult(0).getType();
  return llvm::alignTo(tt::getNumElements(type) * bytesOf(type), 16);
}

} // namespace nereid::gpu
