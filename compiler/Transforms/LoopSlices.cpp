//===- LoopSlices.cpp - Parts of a loop that run ahead of it --------------===//

#include "compiler/Transforms/LoopSlices.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nereid {
namespace {

/// The values from outside that an operation reads, in its regions too.
SmallVector<Value> readsOf(Operation *op) {
  SmallVector<Value> values(op->getOperands());
  if (op->getNumRegions()) {
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    values.append(captured.begin(), captured.end());
  }
  return values;
}

bool isDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
             arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op);
}

/// Whether an operation may run where the loop would not run it. Divisions are
/// guarded when they are written.
bool mayRepeat(Operation *op) {
  if (isDivision(op))
    return true;
  if (!op->getNumRegions())
    return isPure(op);
  if (!isMemoryEffectFree(op))
    return false;
  WalkResult result = op->walk([&](Operation *inner) {
    return inner == op || inner->hasTrait<OpTrait::IsTerminator>() ||
                   isSpeculatable(inner)
               ? WalkResult::advance()
               : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

Value constantOf(OpBuilder &builder, Location loc, Type type, int64_t value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getIntegerAttr(type, value));
}

} // namespace

std::optional<LoopSlice> sliceOf(scf::ForOp loop, ArrayRef<Value> roots,
                                 function_ref<bool(tt::LoadOp)> mayLoad) {
  LoopSlice slice;
  Block *body = loop.getBody();
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  llvm::SetVector<Operation *> found;
  SmallVector<Value> todo(roots);
  while (!todo.empty()) {
    Value value = todo.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() != body || argument == loop.getInductionVar())
        continue;
      unsigned index = argument.getArgNumber() - 1;
      if (slice.carried.insert(index))
        todo.push_back(yield.getOperand(index));
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (op->getBlock() != body || !found.insert(op))
      continue;
    if (auto load = dyn_cast<tt::LoadOp>(op)) {
      if (!mayLoad(load))
        return std::nullopt;
      slice.loads.push_back(load);
    } else if (!mayRepeat(op)) {
      return std::nullopt;
    }
    llvm::append_range(todo, readsOf(op));
  }
  slice.ops = llvm::to_vector(found);
  llvm::sort(slice.ops,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return slice;
}

Value guardMask(OpBuilder &builder, Location loc, Type pointers, Value mask,
                Value pred) {
  Type type = tt::getMaskType(pointers);
  Value spread = isa<RankedTensorType>(type)
                     ? tt::SplatOp::create(builder, loc, type, pred).getResult()
                     : pred;
  return mask ? arith::AndIOp::create(builder, loc, mask, spread).getResult()
              : spread;
}

/// A load of the slice. Its own address runs one iteration further ahead; what
/// it gave for the slice's next iteration is in `waiting`.
struct Ahead::Register {
  tt::LoadOp load;
  std::unique_ptr<Ahead> address;
  Value waiting;
};

Ahead::Ahead(scf::ForOp loop, ArrayRef<Value> roots, unsigned distance)
    : loop(loop), roots(roots), distance(distance) {
  auto whole = sliceOf(loop, roots, [](tt::LoadOp) { return true; });
  assert(whole && "checked by the caller");
  // The loads are cut off: their addresses are slices of their own.
  slice = *whole;
  for (tt::LoadOp load : slice.loads) {
    auto entry = std::make_unique<Register>();
    entry->load = load;
    SmallVector<Value> reads(load->getOperands());
    entry->address = std::make_unique<Ahead>(loop, reads, distance + 1);
    registers.push_back(std::move(entry));
  }
  if (!slice.loads.empty()) {
    // Once more without what only the loads need.
    LoopSlice rest;
    llvm::SetVector<Operation *> found;
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    SmallVector<Value> todo(roots);
    while (!todo.empty()) {
      Value value = todo.pop_back_val();
      if (auto argument = dyn_cast<BlockArgument>(value)) {
        unsigned number = argument.getArgNumber();
        if (argument.getOwner() == loop.getBody() && number > 0 &&
            rest.carried.insert(number - 1))
          todo.push_back(yield.getOperand(number - 1));
        continue;
      }
      Operation *op = value.getDefiningOp();
      if (op->getBlock() == loop.getBody() && !isa<tt::LoadOp>(op) &&
          found.insert(op))
        llvm::append_range(todo, readsOf(op));
    }
    llvm::copy_if(slice.ops, std::back_inserter(rest.ops),
                  [&](Operation *op) { return found.contains(op); });
    slice = std::move(rest);
  }
  for (unsigned index : slice.carried)
    state.push_back(loop.getInitArgs()[index]);
}

Ahead::~Ahead() = default;

Value Ahead::mapped(Value value) const {
  return mapping.lookupOrDefault(value);
}

Value Ahead::get(Value root) const { return mapped(root); }

/// Writes the slice's operations under the current state; `mapping` then knows
/// the iteration's values.
void Ahead::emitOps(OpBuilder &builder, bool inBody) {
  mapping.clear();
  Location loc = loop.getLoc();
  Type type = loop.getInductionVar().getType();
  // The iteration's number is iv + distance * step in the body, lb + k * step
  // before the loop. It exists when that is below the upper bound; the sum is
  // formed on the side that does not change in the loop.
  unsigned count = inBody ? distance : written;
  Value from = inBody ? Value(loop.getInductionVar()) : loop.getLowerBound();
  Value iv = from, limit = loop.getUpperBound();
  if (count > 0) {
    OpBuilder outside(builder);
    if (inBody)
      outside.setInsertionPoint(loop);
    Value by = arith::MulIOp::create(outside, loc, loop.getStep(),
                                     constantOf(outside, loc, type, count));
    limit = arith::SubIOp::create(outside, loc, limit, by);
    iv = arith::AddIOp::create(builder, loc, from, by);
  }
  existsNow = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                    from, limit);
  mapping.map(loop.getInductionVar(), iv);
  for (auto [index, value] : llvm::zip(slice.carried, state))
    mapping.map(loop.getRegionIterArg(index), value);
  for (std::unique_ptr<Register> &entry : registers)
    mapping.map(entry->load.getResult(), entry->waiting);
  for (Operation *op : slice.ops) {
    Operation *copy = builder.clone(*op, mapping);
    if (isDivision(op) && !isSpeculatable(copy)) {
      // Of an iteration that does not exist the divisor may be zero.
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(copy);
      Value divisor = copy->getOperand(1);
      TypedAttr one =
          builder.getIntegerAttr(getElementTypeOrSelf(divisor.getType()), 1);
      if (auto tensor = dyn_cast<RankedTensorType>(divisor.getType()))
        one = SplatElementsAttr::get(tensor, Attribute(one));
      Value safe =
          arith::SelectOp::create(builder, loc, existsNow, divisor,
                                  arith::ConstantOp::create(builder, loc, one));
      copy->setOperand(1, safe);
    }
  }
}

/// Moves the state on by what the loop yields.
void Ahead::step() {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  for (auto [index, value] : llvm::zip(slice.carried, state))
    value = mapped(yield.getOperand(index));
}

/// The load of a register, at the iteration that its address just wrote.
Value Ahead::emitLoad(OpBuilder &builder, Register &entry) {
  tt::LoadOp load = entry.load;
  Location loc = load.getLoc();
  const Ahead &address = *entry.address;
  Value pointer = address.get(load.getPtr());
  Value mask = load.getMask() ? address.get(load.getMask()) : Value();
  mask = guardMask(builder, loc, pointer.getType(), mask, address.exists());
  Value other = load.getOther() ? address.get(load.getOther()) : Value();
  if (!other)
    other = arith::ConstantOp::create(builder, loc,
                                      builder.getZeroAttr(load.getType()));
  auto copy =
      tt::LoadOp::create(builder, loc, pointer, mask, other, load.getCache(),
                         load.getEvict(), load.getIsVolatile());
  copy->setDiscardableAttrs(load->getDiscardableAttrDictionary());
  return copy;
}

void Ahead::emitBefore(OpBuilder &builder) {
  for (std::unique_ptr<Register> &entry : registers) {
    entry->address->emitBefore(builder);
    entry->waiting = emitLoad(builder, *entry);
  }
  emitOps(builder, /*inBody=*/false);
  step();
  ++written;
}

SmallVector<Value> Ahead::initialValues(OpBuilder &builder) {
  assert(written == distance && "the iterations before the loop come first");
  SmallVector<Value> values(state);
  for (std::unique_ptr<Register> &entry : registers) {
    entry->address->emitBefore(builder);
    values.push_back(emitLoad(builder, *entry));
    llvm::append_range(values, entry->address->initialValues(builder));
  }
  return values;
}

SmallVector<Value> Ahead::emitInBody(OpBuilder &builder, ValueRange arguments) {
  size_t carried = slice.carried.size();
  state.assign(arguments.begin(), arguments.begin() + carried);
  SmallVector<Value> yielded;
  ValueRange left = arguments.drop_front(carried);
  SmallVector<Value> later;
  for (std::unique_ptr<Register> &entry : registers) {
    entry->waiting = left.front();
    left = left.drop_front();
    Ahead &address = *entry->address;
    size_t own = address.state.size();
    std::function<void(const Ahead &)> add = [&](const Ahead &inner) {
      for (const std::unique_ptr<Register> &below : inner.registers) {
        own += 1 + below->address->state.size();
        add(*below->address);
      }
    };
    add(address);
    SmallVector<Value> next = address.emitInBody(builder, left.take_front(own));
    left = left.drop_front(own);
    later.push_back(emitLoad(builder, *entry));
    llvm::append_range(later, next);
  }
  emitOps(builder, /*inBody=*/true);
  step();
  yielded.append(state);
  yielded.append(later);
  return yielded;
}

void Ahead::rebase(scf::ForOp other) {
  loop = other;
  for (std::unique_ptr<Register> &entry : registers)
    entry->address->rebase(other);
}

//===-- Dead carried values -----------------------------------------------===//

scf::ForOp removeDeadCarries(RewriterBase &rewriter, scf::ForOp loop) {
  Block *body = loop.getBody();
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  // Alive is what an effect, or a result that somebody reads, needs.
  llvm::DenseSet<Operation *> aliveOps;
  llvm::SmallBitVector alive(loop.getNumRegionIterArgs());
  SmallVector<Value> todo;
  auto useCarried = [&](unsigned index) {
    if (!alive.test(index)) {
      alive.set(index);
      todo.push_back(yield.getOperand(index));
    }
  };
  auto useOp = [&](Operation *op) {
    if (aliveOps.insert(op).second)
      llvm::append_range(todo, readsOf(op));
  };
  for (OpResult result : loop.getResults())
    if (!result.use_empty())
      useCarried(result.getResultNumber());
  for (Operation &op : body->without_terminator())
    if (!wouldOpBeTriviallyDead(&op))
      useOp(&op);
  while (!todo.empty()) {
    Value value = todo.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() == body && argument.getArgNumber() > 0)
        useCarried(argument.getArgNumber() - 1);
    } else if (Operation *op = value.getDefiningOp(); op->getBlock() == body) {
      useOp(op);
    }
  }
  if (alive.all())
    return loop;

  SmallVector<Value> inits, yields;
  for (unsigned index : alive.set_bits()) {
    inits.push_back(loop.getInitArgs()[index]);
    yields.push_back(yield.getOperand(index));
  }
  SmallVector<Operation *> dead;
  for (Operation &op : body->without_terminator())
    if (!aliveOps.contains(&op))
      dead.push_back(&op);
  for (Operation *op : dead)
    op->dropAllUses();
  for (Operation *op : dead)
    rewriter.eraseOp(op);
  rewriter.setInsertionPoint(loop);
  auto smaller =
      scf::ForOp::create(rewriter, loop.getLoc(), loop.getLowerBound(),
                         loop.getUpperBound(), loop.getStep(), inits);
  smaller->setAttrs(loop->getAttrs());
  if (!smaller.getBody()->empty())
    rewriter.eraseOp(smaller.getBody()->getTerminator());
  SmallVector<Value> arguments{smaller.getInductionVar()};
  SmallVector<Value> results(loop.getNumResults());
  unsigned next = 0;
  for (unsigned index = 0; index < loop.getNumResults(); ++index)
    if (alive.test(index)) {
      arguments.push_back(smaller.getRegionIterArg(next));
      results[index] = smaller.getResult(next++);
    } else {
      arguments.push_back(loop.getInitArgs()[index]); // nobody reads it
      results[index] = loop.getInitArgs()[index];
    }
  rewriter.modifyOpInPlace(yield, [&] { yield->setOperands(yields); });
  rewriter.mergeBlocks(body, smaller.getBody(), arguments);
  rewriter.replaceOp(loop, results);
  return smaller;
}

} // namespace nereid
