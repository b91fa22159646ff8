//===- ControlFlow.cpp - Loops, branches and carried tiles ----------------===//
//
// Scalars stay values of scf and cf operations. Tiles that a loop carries or a
// branch yields live in buffers: one buffer per carried tile, updated in place
// where nothing else reads the old contents and copied at the end otherwise.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace nereid::cpu {

LogicalResult Kernel::lowerOp(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return lowerFor(loop);
  if (auto ifOp = dyn_cast<scf::IfOp>(op))
    return lowerIf(ifOp);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return lowerWhile(loop);
  return lowerScalarOp(op);
}

LogicalResult Kernel::lowerBlock(Block &block, ArrayRef<HandOver> targets) {
  DenseMap<Value, Buffer *> before = buffers;
  FailureOr<Plan> plan = planBlock(*this, block, targets);
  if (failed(plan))
    return failure();
  for (Item &item : plan->items) {
    pool.tick();
    LogicalResult result = item.nest   ? emitNest(*item.nest)
                           : item.dot  ? emitDot(*item.dot)
                           : item.scan ? emitScan(*item.scan)
                                       : lowerOp(item.op);
    if (failed(result))
      return failure();
  }
  pool.tick();
  copyAll(block.getTerminator()->getLoc(), plan->copies);
  // A tile from outside that is only kept in here, in a branch or a loop that
  // may be empty, is in no buffer elsewhere.
  for (auto &[value, buffer] : buffers) {
    Block *home = value.getParentBlock();
    if (home != &block && !block.findAncestorOpInBlock(*home->getParentOp()))
      buffer = before.lookup(value);
  }
  return success();
}

// Copies tiles as if all at once: what is read and written is read first.
void Kernel::copyAll(Location loc,
                     ArrayRef<std::pair<Buffer *, Value>> copies) {
  llvm::SetVector<Buffer *> written;
  for (auto &[to, value] : copies)
    written.insert(to);
  SmallVector<std::pair<Buffer *, Buffer *>> moves;
  for (auto &[to, value] : copies) {
    Buffer *from = buffer(value);
    if (from == to)
      continue;
    if (written.contains(from)) {
      Buffer *temporary =
          newBuffer(loc, from->shape, from->element, from->stored);
      copyBuffer(loc, from, temporary);
      from = temporary;
    }
    moves.push_back({from, to});
  }
  for (auto [from, to] : moves) {
    if (from->stored == to->stored && from->panel == 0) {
      copyBuffer(loc, from, to);
      continue;
    }
    // Kept in another type: read and written as a tile.
    Value value;
    for (auto &[target, v] : copies)
      if (target == to)
        value = v;
    Buffer *saved = buffer(value);
    bind(value, from);
    Nest nest;
    nest.shape = to->shape;
    Sink sink;
    sink.kind = Sink::Kind::Materialize;
    sink.value = value;
    sink.buffer = to;
    sink.bind = false;
    nest.sinks.push_back(sink);
    (void)emitNest(nest);
    bind(value, saved);
  }
}

// Writes a tile into a buffer before a loop.
static LogicalResult initialise(Kernel &kernel, Value v, Buffer *to) {
  Nest nest;
  nest.shape.assign(to->shape.begin(), to->shape.end());
  Sink sink;
  sink.kind = Sink::Kind::Materialize;
  sink.value = v;
  sink.buffer = to;
  sink.bind = false;
  nest.sinks.push_back(sink);
  return kernel.emitNest(nest);
}

// The buffers of a loop's carried tiles (null for scalars), holding `inits`.
static LogicalResult carryBuffers(Kernel &kernel, Operation *loop,
                                  ValueRange inits,
                                  SmallVectorImpl<Buffer *> &carried,
                                  bool mayReuse) {
  llvm::SetVector<Buffer *> taken;
  for (Value v : inits) {
    if (!isTensor(v)) {
      carried.push_back(nullptr);
      continue;
    }
    Buffer *from = kernel.buffer(v);
    // A tile nobody else reads gives its buffer away.
    if (mayReuse && from && from->complete && from->panel == 0 &&
        v.hasOneUse() && v.getDefiningOp() &&
        v.getDefiningOp()->getBlock() == loop->getBlock() &&
        llvm::none_of(kernel.packed,
                      [&](PackedOperand &p) { return p.buffer == from; }) &&
        taken.insert(from)) {
      carried.push_back(from);
      continue;
    }
    Buffer *buffer = kernel.newBuffer(loop->getLoc(), v);
    carried.push_back(buffer);
    kernel.pool.tick();
    if (failed(initialise(kernel, v, buffer)))
      return failure();
  }
  return success();
}

static SmallVector<Value> scalarsOf(Kernel &kernel, ValueRange values) {
  SmallVector<Value> out;
  for (Value v : values)
    if (!isTensor(v))
      out.push_back(kernel.scalar(v));
  return out;
}

static void bindAll(Kernel &kernel, ValueRange values, ValueRange scalars,
                    ArrayRef<Buffer *> buffers) {
  unsigned k = 0;
  for (auto [v, buffer] : llvm::zip(values, buffers)) {
    if (buffer) {
      buffer->complete = true;
      kernel.bind(v, buffer);
    } else {
      kernel.setScalar(v, scalars[k++]);
    }
  }
}

static void touchAll(Kernel &kernel, ArrayRef<Buffer *> buffers) {
  for (Buffer *buffer : buffers)
    if (buffer)
      kernel.pool.touch(buffer);
}

LogicalResult Kernel::lowerFor(scf::ForOp op) {
  Location loc = op.getLoc();
  SmallVector<Buffer *> carried;
  if (failed(carryBuffers(*this, op, op.getInitArgs(), carried, true)))
    return failure();
  SmallVector<LoopDot *> dots = prepareLoopDots(op);
  unsigned begin = pool.tick();
  touchAll(*this, carried);
  // Operands gathered over several iterations live as long as the loop.
  auto touchDots = [&] {
    for (LoopDot *dot : dots)
      for (Buffer *buffer : {dot->a, dot->b})
        if (buffer)
          pool.touch(buffer);
  };
  touchDots();
  SmallVector<Value> inits = scalarsOf(*this, op.getInitArgs());
  // Dots that work across iterations count them.
  if (!dots.empty())
    inits.push_back(constI64(0));
  auto loop = scf::ForOp::create(b, loc, scalar(op.getLowerBound()),
                                 scalar(op.getUpperBound()),
                                 scalar(op.getStep()), inits);
  if (op.getUnsignedCmp())
    loop.setUnsignedCmp(true);
  setScalar(op.getInductionVar(), loop.getInductionVar());
  bindAll(*this, op.getRegionIterArgs(), loop.getRegionIterArgs(), carried);

  auto yield = cast<scf::YieldOp>(op.getBody()->getTerminator());
  SmallVector<HandOver> targets;
  for (auto [v, arg, buffer] :
       llvm::zip(yield.getOperands(), op.getRegionIterArgs(), carried))
    if (buffer)
      targets.push_back({v, buffer, arg});
  OpBuilder::InsertionGuard guard(b);
  if (loop.getBody()->mightHaveTerminator())
    loop.getBody()->getTerminator()->erase();
  b.setInsertionPointToEnd(loop.getBody());
  size_t packs = packed.size();
  Value count;
  if (!dots.empty()) {
    count = loop.getRegionIterArgs().back();
    // The last iteration: what is left is at most one step.
    Value rest = arith::SubIOp::create(b, loc, loop.getUpperBound(),
                                       loop.getInductionVar());
    Value last =
        arith::CmpIOp::create(b, loc,
                              op.getUnsignedCmp() ? arith::CmpIPredicate::ule
                                                  : arith::CmpIPredicate::sle,
                              rest, loop.getStep());
    for (LoopDot *dot : dots)
      enterLoopDot(*dot, count, last);
  }
  if (failed(lowerBlock(*op.getBody(), targets)))
    return failure();
  packed.truncate(packs);
  SmallVector<Value> yields = scalarsOf(*this, yield.getOperands());
  if (count)
    yields.push_back(arith::AddIOp::create(b, loc, count, constI64(1)));
  scf::YieldOp::create(b, loc, yields);
  pool.tick();
  touchAll(*this, carried);
  touchDots();
  pool.closeLoop(begin);
  bindAll(*this, op.getResults(), loop.getResults(), carried);
  return success();
}

LogicalResult Kernel::lowerIf(scf::IfOp op) {
  Location loc = op.getLoc();
  SmallVector<Buffer *> results;
  SmallVector<Type> types;
  for (Value v : op.getResults()) {
    results.push_back(isTensor(v) ? newBuffer(loc, v) : nullptr);
    if (!isTensor(v))
      types.push_back(ops.storage(v.getType()));
  }
  bool hasElse = !op.getElseRegion().empty();
  auto ifOp =
      scf::IfOp::create(b, loc, types, scalar(op.getCondition()), hasElse);
  for (bool then : {true, false}) {
    if (!then && !hasElse)
      break;
    Block *source = then ? op.thenBlock() : op.elseBlock();
    Block *block = then ? ifOp.thenBlock() : ifOp.elseBlock();
    OpBuilder::InsertionGuard guard(b);
    if (block->mightHaveTerminator())
      block->getTerminator()->erase();
    b.setInsertionPointToEnd(block);
    ValueRange yields = source->getTerminator()->getOperands();
    SmallVector<HandOver> targets;
    for (auto [v, buffer] : llvm::zip(yields, results))
      if (buffer)
        targets.push_back({v, buffer, Value()});
    size_t packs = packed.size();
    if (failed(lowerBlock(*source, targets)))
      return failure();
    packed.truncate(packs);
    scf::YieldOp::create(b, loc, scalarsOf(*this, yields));
  }
  pool.tick();
  bindAll(*this, op.getResults(), ifOp.getResults(), results);
  return success();
}

LogicalResult Kernel::lowerWhile(scf::WhileOp op) {
  Location loc = op.getLoc();
  SmallVector<Buffer *> before, after;
  if (failed(carryBuffers(*this, op, op.getInits(), before, true)))
    return failure();
  SmallVector<Type> types;
  for (Value v : op.getResults()) {
    after.push_back(isTensor(v) ? newBuffer(loc, v) : nullptr);
    if (!isTensor(v))
      types.push_back(ops.storage(v.getType()));
  }
  unsigned begin = pool.tick();
  touchAll(*this, before);
  touchAll(*this, after);
  SmallVector<Value> inits = scalarsOf(*this, op.getInits());
  auto loop = scf::WhileOp::create(b, loc, types, inits);
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Location> locs(inits.size(), loc), afterLocs(types.size(), loc);
  Block *first =
      b.createBlock(&loop.getBefore(), {},
                    SmallVector<Type>(ValueRange(inits).getTypes()), locs);
  Block *second = b.createBlock(&loop.getAfter(), {}, types, afterLocs);
  size_t packs = packed.size();

  bindAll(*this, op.getBeforeArguments(), first->getArguments(), before);
  auto condition = cast<scf::ConditionOp>(op.getBeforeBody()->getTerminator());
  SmallVector<HandOver> targets;
  for (auto [v, buffer] : llvm::zip(condition.getArgs(), after))
    if (buffer)
      targets.push_back({v, buffer, Value()});
  b.setInsertionPointToEnd(first);
  if (failed(lowerBlock(*op.getBeforeBody(), targets)))
    return failure();
  packed.truncate(packs);
  scf::ConditionOp::create(b, loc, scalar(condition.getCondition()),
                           scalarsOf(*this, condition.getArgs()));

  bindAll(*this, op.getAfterArguments(), second->getArguments(), after);
  auto yield = cast<scf::YieldOp>(op.getAfterBody()->getTerminator());
  targets.clear();
  for (auto [v, buffer] : llvm::zip(yield.getOperands(), before))
    if (buffer)
      targets.push_back({v, buffer, Value()});
  b.setInsertionPointToEnd(second);
  if (failed(lowerBlock(*op.getAfterBody(), targets)))
    return failure();
  packed.truncate(packs);
  scf::YieldOp::create(b, loc, scalarsOf(*this, yield.getOperands()));
  pool.tick();
  touchAll(*this, before);
  touchAll(*this, after);
  pool.closeLoop(begin);
  bindAll(*this, op.getResults(), loop.getResults(), after);
  return success();
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

LogicalResult Kernel::lowerBody() {
  auto finish = [&](Location loc) {
    Value result = status
                       ? LLVM::LoadOp::create(b, loc, b.getI32Type(), status, 4)
                             .getResult()
                       : constInt(b.getI32Type(), 0);
    LLVM::ReturnOp::create(b, loc, result);
  };
  Region &region = source.getBody();
  for (Block &block : region) {
    if (block.isEntryBlock()) {
      blocks[&block] = &program.getBody().front();
      continue;
    }
    auto *copy = new Block;
    program.getBody().push_back(copy);
    blocks[&block] = copy;
    for (BlockArgument arg : block.getArguments()) {
      if (isTensor(arg)) {
        Buffer *buffer = newBuffer(arg.getLoc(), arg);
        buffer->complete = true;
        bind(arg, buffer);
      } else {
        setScalar(arg,
                  copy->addArgument(ops.storage(arg.getType()), arg.getLoc()));
      }
    }
  }
  // With several blocks nothing is known about who runs when: every buffer
  // lives throughout.
  bool branches = !region.hasOneBlock();
  for (Block &block : region) {
    Block *copy = blocks[&block];
    b.setInsertionPointToEnd(copy);
    Operation *end = block.getTerminator();
    Location loc = end->getLoc();
    SmallVector<HandOver> targets;
    // Tiles on edges go through a buffer of their own, so that edges do not
    // disturb each other.
    DenseMap<Value, Buffer *> parked;
    for (Value v : end->getOperands())
      if (isTensor(v) && !parked.count(v)) {
        Buffer *buffer = newBuffer(loc, v);
        parked[v] = buffer;
        targets.push_back({v, buffer, Value()});
      }
    packed.clear();
    if (failed(lowerBlock(block, targets)))
      return failure();
    auto jump = [&](Block *target, ValueRange operands) {
      for (auto [v, arg] : llvm::zip(operands, target->getArguments()))
        if (isTensor(v))
          copyBuffer(loc, parked[v], buffer(arg));
      cf::BranchOp::create(b, loc, blocks[target], scalarsOf(*this, operands));
    };
    if (isa<tt::ReturnOp>(end)) {
      finish(loc);
    } else if (auto br = dyn_cast<cf::BranchOp>(end)) {
      jump(br.getDest(), br.getDestOperands());
    } else if (auto br = dyn_cast<cf::CondBranchOp>(end)) {
      Block *edges[2];
      for (Block *&edge : edges) {
        edge = new Block;
        program.getBody().push_back(edge);
      }
      cf::CondBranchOp::create(b, loc, scalar(br.getCondition()), edges[0],
                               ValueRange{}, edges[1], ValueRange{});
      b.setInsertionPointToEnd(edges[0]);
      jump(br.getTrueDest(), br.getTrueDestOperands());
      b.setInsertionPointToEnd(edges[1]);
      jump(br.getFalseDest(), br.getFalseDestOperands());
    } else {
      end->emitError() << "'" << end->getName()
                       << "' is not supported on CPU targets";
      return failure();
    }
  }
  if (branches)
    pool.keepAll();
  return success();
}

// Runs a region of scalars once; a region of several blocks becomes an
// scf.execute_region.
FailureOr<SmallVector<Value>> Kernel::inlineScalars(Region &region,
                                                    ValueRange arguments) {
  Location loc = region.getLoc();
  for (auto [arg, v] : llvm::zip(region.front().getArguments(), arguments))
    setScalar(arg, v);
  if (region.hasOneBlock()) {
    for (Operation &op : region.front().without_terminator())
      if (failed(lowerOp(&op)))
        return failure();
    return scalarsOf(*this, region.front().getTerminator()->getOperands());
  }
  Operation *returns = nullptr;
  for (Block &block : region)
    if (isa<tt::MapElementwiseReturnOp>(block.getTerminator()))
      returns = block.getTerminator();
  if (!returns) {
    emitError(loc, "the region never returns");
    return failure();
  }
  SmallVector<Type> types;
  for (Value v : returns->getOperands())
    types.push_back(ops.storage(v.getType()));
  auto execute = scf::ExecuteRegionOp::create(b, loc, types);
  OpBuilder::InsertionGuard guard(b);
  DenseMap<Block *, Block *> map;
  for (Block &block : region) {
    auto *copy = new Block;
    execute.getRegion().push_back(copy);
    map[&block] = copy;
    if (&block == &region.front())
      continue;
    for (BlockArgument arg : block.getArguments())
      setScalar(arg,
                copy->addArgument(ops.storage(arg.getType()), arg.getLoc()));
  }
  for (Block &block : region) {
    b.setInsertionPointToEnd(map[&block]);
    for (Operation &op : block.without_terminator())
      if (failed(lowerOp(&op)))
        return failure();
    Operation *end = block.getTerminator();
    if (auto br = dyn_cast<cf::BranchOp>(end))
      cf::BranchOp::create(b, loc, map[br.getDest()],
                           scalarsOf(*this, br.getDestOperands()));
    else if (auto br = dyn_cast<cf::CondBranchOp>(end))
      cf::CondBranchOp::create(
          b, loc, scalar(br.getCondition()), map[br.getTrueDest()],
          scalarsOf(*this, br.getTrueDestOperands()), map[br.getFalseDest()],
          scalarsOf(*this, br.getFalseDestOperands()));
    else
      scf::YieldOp::create(b, loc, scalarsOf(*this, end->getOperands()));
  }
  return SmallVector<Value>(execute.getResults());
}

} // namespace nereid::cpu
