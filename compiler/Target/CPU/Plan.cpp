//===- Plan.cpp - Which loops a block becomes, and what they keep ---------===//
//
// First the block's work is put into nests in program order. Then the values
// that must be kept are found: loads that would otherwise be delayed past a
// write that may touch their memory, and expensive values that several nests
// need. They are written to buffers by the first nest that computes them, or by
// one of their own.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Planner.h"

#include "compiler/Target/CPU/MicroKernels.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;

namespace nereid::cpu {

bool isTensor(Value v) { return isa<RankedTensorType>(v.getType()); }

static ArrayRef<int64_t> shapeOf(Value v) {
  return cast<RankedTensorType>(v.getType()).getShape();
}

bool isInline(const Kernel &kernel, Operation *op) {
  if (op->getNumRegions() || op->getNumResults() == 0)
    return false;
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return isTensor(load.getResult()) && !load.getIsVolatile();
  if (isa<tt::SplatOp, tt::MakeRangeOp, tt::ExpandDimsOp, tt::BroadcastOp,
          tt::ReshapeOp, tt::TransOp, tt::JoinOp, tt::CatOp, tt::SplitOp,
          tt::GatherOp>(op))
    return true;
  return kernel.ops.handles(op);
}

bool isHeavy(Operation *op) {
  if (isa<tt::LoadOp, tt::GatherOp, arith::DivFOp, arith::RemFOp,
          tt::PreciseDivFOp, tt::PreciseSqrtOp, tt::ExternElementwiseOp>(op))
    return true;
  return isa<math::MathDialect>(op->getDialect()) &&
         !isa<math::AbsFOp, math::AbsIOp, math::FmaOp, math::FloorOp,
              math::CeilOp, math::CopySignOp>(op);
}

Value basePointer(Value v) {
  while (Operation *op = v.getDefiningOp()) {
    if (isa<tt::AddPtrOp, tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp,
            tt::ReshapeOp, tt::TransOp, tt::BitcastOp>(op))
      v = op->getOperand(0);
    else
      return {};
  }
  auto arg = dyn_cast<BlockArgument>(v);
  if (arg && isa<tt::FuncOp>(arg.getOwner()->getParentOp()) &&
      arg.getOwner()->isEntryBlock())
    return v;
  return {};
}

// Whether accesses derived from two function arguments may touch the same
// element. Two different arguments may hold the same array, but then the
// program works on it element by element (see README.md).
static bool mayConflict(Value p, Value q) {
  Value a = basePointer(p), b = basePointer(q);
  return !a || !b || a == b;
}

static bool writes(Operation *op) {
  bool found = false;
  op->walk([&](Operation *inner) {
    found |= isa<tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp,
                 tt::AtomicPollOp, tt::CallOp>(inner);
  });
  return found;
}

//===----------------------------------------------------------------------===//
// Nests
//===----------------------------------------------------------------------===//

bool Planner::isKept(Value v) const {
  if (planned.count(v))
    return true;
  Buffer *buffer = kernel.buffer(v);
  if (buffer && buffer->complete)
    return true;
  Operation *op = v.getDefiningOp();
  return !op || !isInline(kernel, op);
}

void Planner::walk(const Sink &sink, InlineVisitor visit) const {
  for (Value v : sinkOperands(sink))
    walkInline(
        v,
        [&](Value u) {
          if (sink.kind == Sink::Kind::Materialize && u == sink.value)
            return u.getDefiningOp() == nullptr ||
                   !isInline(kernel, u.getDefiningOp()) ||
                   (kernel.buffer(u) && kernel.buffer(u)->complete) ||
                   (planned.count(u) && planned.lookup(u) != sink.buffer &&
                    planned.lookup(u) != nullptr);
          return isKept(u);
        },
        visit);
}

void Planner::close() {
  if (!open)
    return;
  Item item;
  item.nest = std::move(open);
  plan.items.push_back(std::move(item));
  pending.clear();
}

bool Planner::canJoin(const Sink &sink, ArrayRef<int64_t> shape) const {
  if (!open || open->elementwise || open->guard ||
      ArrayRef<int64_t>(open->shape) != shape)
    return false;
  bool okay = true;
  auto store = dyn_cast_or_null<tt::StoreOp>(sink.op);
  // What this sink needs must not be a result of the open nest, and its loads
  // must not read what the nest writes.
  walk(sink, [&](Value v, ArrayRef<int>, bool identity) {
    if (pending.contains(v))
      okay = false;
    Operation *op = v.getDefiningOp();
    if (!op)
      return;
    for (Value operand : op->getOperands())
      if (pending.contains(operand))
        okay = false;
    auto load = dyn_cast<tt::LoadOp>(op);
    if (!load || isKept(v))
      return;
    for (const Sink &other : open->sinks)
      if (auto earlier = dyn_cast_or_null<tt::StoreOp>(other.op))
        if (earlier->getBlock() == load->getBlock() &&
            earlier->isBeforeInBlock(load) &&
            !(identity && earlier.getPtr() == load.getPtr()))
          okay = false;
  });
  if (!okay || !store)
    return okay;
  for (const Sink &other : open->sinks) {
    if (auto earlier = dyn_cast_or_null<tt::StoreOp>(other.op))
      if (earlier.getPtr() != store.getPtr() &&
          mayConflict(earlier.getPtr(), store.getPtr()))
        return false;
    walk(other, [&](Value v, ArrayRef<int>, bool identity) {
      if (auto load = v.getDefiningOp<tt::LoadOp>())
        if (!(identity && load.getPtr() == store.getPtr()) &&
            mayConflict(load.getPtr(), store.getPtr()))
          okay = false;
    });
  }
  return okay;
}

void Planner::addSink(Sink sink, ArrayRef<int64_t> shape, bool mayJoin,
                      bool elementwise) {
  if (elementwise || !mayJoin || !canJoin(sink, shape)) {
    close();
    open = std::make_unique<Nest>();
    open->shape.assign(shape.begin(), shape.end());
    open->elementwise = elementwise;
  }
  if (sink.op)
    for (Value result : sink.op->getResults())
      pending.insert(result);
  open->sinks.push_back(std::move(sink));
  if (elementwise)
    close();
}

Buffer *Planner::keep(Value v, Buffer *buffer, bool bind, bool mayJoin) {
  if (!buffer)
    buffer = kernel.newBuffer(v.getLoc(), v);
  Sink sink;
  sink.kind = Sink::Kind::Materialize;
  sink.value = v;
  sink.buffer = buffer;
  sink.bind = bind;
  // A value that is only in the way of being computed is read from itself.
  addSink(sink, shapeOf(v), mayJoin, false);
  if (bind)
    planned[v] = buffer;
  return buffer;
}

// Makes a tensor readable at any point.
void Planner::require(Value v) {
  if (!isKept(v))
    keep(v, nullptr, true, true);
  if (planned.count(v))
    close();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

static bool isScalarOp(Operation *op) {
  return llvm::none_of(op->getOperands(), isTensor) &&
         llvm::none_of(op->getResults(), isTensor) && op->getNumRegions() == 0;
}

void Planner::item(Operation *op) {
  Item item;
  item.op = op;
  plan.items.push_back(std::move(item));
}

void Planner::planResults(Sink &sink, bool always) {
  for (Value result : sink.op->getResults()) {
    if (!isTensor(result) || (!always && result.use_empty())) {
      sink.results.push_back(nullptr);
      continue;
    }
    Buffer *buffer = kernel.newBuffer(result.getLoc(), result);
    sink.results.push_back(buffer);
    planned[result] = buffer;
  }
}

LogicalResult Planner::planOp(Operation *op) {
  // Facts for targets that plan accesses by them; strips find their own.
  if (isa<LLVM::AssumeOp>(op))
    return success();
  // One thread runs a program, so a barrier only keeps memory in order.
  if (isa<ttg::BarrierOp>(op)) {
    close();
    return success();
  }
  if (isScalarOp(op)) {
    bool depends = llvm::any_of(op->getOperands(),
                                [&](Value v) { return pending.contains(v); });
    bool barrier = isa<tt::PrintOp, tt::AssertOp>(op) || writes(op);
    bool reads = isa<tt::LoadOp>(op);
    bool openWrites = open && llvm::any_of(open->sinks, [](const Sink &s) {
                        return s.kind == Sink::Kind::Store;
                      });
    if (depends || barrier || (reads && openWrites))
      close();
    item(op);
    return success();
  }
  Sink sink;
  sink.op = op;
  if (auto reduce = dyn_cast<tt::ReduceOp>(op)) {
    sink.kind = Sink::Kind::Reduce;
    planResults(sink, true);
    addSink(sink, shapeOf(reduce.getSrcs()[0]), true, false);
    return success();
  }
  if (auto store = dyn_cast<tt::StoreOp>(op)) {
    sink.kind = Sink::Kind::Store;
    addSink(sink, shapeOf(store.getPtr()), true, false);
    return success();
  }
  if (isa<tt::AtomicRMWOp, tt::AtomicCASOp>(op)) {
    sink.kind = Sink::Kind::Atomic;
    planResults(sink, false);
    addSink(sink, shapeOf(op->getOperand(0)), false, true);
    return success();
  }
  if (auto histogram = dyn_cast<tt::HistogramOp>(op)) {
    sink.kind = Sink::Kind::Histogram;
    planResults(sink, true);
    addSink(sink, shapeOf(histogram.getSrc()), false, true);
    return success();
  }
  if (auto map = dyn_cast<tt::MapElementwiseOp>(op)) {
    sink.kind = Sink::Kind::Map;
    planResults(sink, true);
    addSink(sink, shapeOf(map.getSrcs()[0]), false, true);
    return success();
  }
  if (auto check = dyn_cast<tt::AssertOp>(op)) {
    sink.kind = Sink::Kind::Assert;
    addSink(sink, shapeOf(check.getCondition()), false, false);
    close();
    return success();
  }
  if (auto print = dyn_cast<tt::PrintOp>(op)) {
    bool scalars = false;
    for (Value v : print.getArgs()) {
      if (!isTensor(v)) {
        scalars = true;
        continue;
      }
      sink.kind = Sink::Kind::Print;
      sink.value = v;
      addSink(sink, shapeOf(v), false, true);
    }
    if (scalars) {
      close();
      item(op);
    }
    return success();
  }
  if (auto scan = dyn_cast<tt::ScanOp>(op)) {
    auto scanPlan = std::make_unique<ScanPlan>();
    scanPlan->op = op;
    for (auto [src, result] : llvm::zip(scan.getSrcs(), scan.getResults())) {
      Buffer *buffer = kernel.newBuffer(op->getLoc(), result);
      keep(src, buffer, false, true);
      scanPlan->data.push_back(buffer);
      planned[result] = buffer;
    }
    close();
    Item item;
    item.scan = std::move(scanPlan);
    plan.items.push_back(std::move(item));
    return success();
  }
  if (auto dot = dyn_cast<tt::DotOp>(op))
    return planDot(dot);
  if (auto load = dyn_cast<tt::LoadOp>(op)) {
    if (isInline(kernel, op))
      return success();
    keep(load.getResult(), nullptr, true, false);
    close();
    return success();
  }
  if (auto gather = dyn_cast<tt::GatherOp>(op)) {
    require(gather.getSrc());
    return success();
  }
  if (auto unsplat = dyn_cast<tt::UnsplatOp>(op)) {
    require(unsplat.getSrc());
    close();
    item(op);
    return success();
  }
  if (isa<scf::ForOp, scf::IfOp, scf::WhileOp>(op)) {
    keepForRegions(op);
    close();
    item(op);
    return success();
  }
  if (isInline(kernel, op))
    return success();
  op->emitError() << "'" << op->getName()
                  << "' is not supported on CPU targets";
  return failure();
}

// An integer division that is no shift or product.
static bool isSlowDivision(Value v) {
  Operation *op = v.getDefiningOp();
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(
             op) &&
         !tt::getSplatSource(op->getOperand(1)).attr;
}

// What a loop or branch uses from outside is computed before it, if that costs
// anything; operands of dots are packed before it too.
void Planner::keepForRegions(Operation *region) {
  llvm::SetVector<Value> wanted;
  auto outside = [&](Value v) {
    return !region->isAncestor(v.getParentBlock()->getParentOp());
  };
  region->walk([&](Operation *op) {
    if (auto dot = dyn_cast<tt::DotOp>(op))
      if (isa<scf::ForOp, scf::WhileOp>(region))
        packAhead(dot, outside);
    if (op == region)
      return;
    for (Value v : op->getOperands())
      if (isTensor(v) && outside(v) && !isKept(v))
        walkInline(
            v,
            [&](Value u) {
              if (isKept(u))
                return true;
              if (!isHeavy(u.getDefiningOp()) && !isSlowDivision(u))
                return false;
              wanted.insert(u);
              return true;
            },
            [](Value, ArrayRef<int>, bool) {});
  });
  for (Value v : wanted)
    if (!isKept(v)) {
      // A dot's operand in its packed form may be all that is used.
      if (llvm::all_of(v.getUsers(), [&](Operation *user) {
            auto dot = dyn_cast<tt::DotOp>(user);
            return dot && region->isAncestor(dot) && v != dot.getC() &&
                   llvm::any_of(kernel.packed,
                                [&](PackedOperand &p) { return p.value == v; });
          }))
        continue;
      keep(v, nullptr, true, true);
    }
}

//===----------------------------------------------------------------------===//
// What must be kept
//===----------------------------------------------------------------------===//

static int64_t elements(ArrayRef<int64_t> shape) {
  int64_t n = 1;
  for (int64_t d : shape)
    n *= d;
  return n;
}

// Adds the computation of `v` to the first nest that needs it, where it fits,
// but before item `limit`.
void Planner::keepFirst(Value v, size_t limit) {
  Sink sink;
  sink.kind = Sink::Kind::Materialize;
  sink.value = v;
  sink.buffer = kernel.newBuffer(v.getLoc(), v);
  size_t place = limit;
  for (auto [i, item] : llvm::enumerate(plan.items)) {
    if (i >= limit)
      break;
    if (!item.nest)
      continue;
    bool uses = false, fits = false;
    for (const Sink &other : item.nest->sinks)
      walk(other, [&](Value u, ArrayRef<int>, bool identity) {
        if (u == v)
          uses = true, fits |= identity;
      });
    if (!uses)
      continue;
    if (fits && !item.nest->elementwise && !item.nest->guard &&
        ArrayRef<int64_t>(item.nest->shape) == shapeOf(v)) {
      planned[v] = sink.buffer;
      item.nest->sinks.insert(item.nest->sinks.begin(), sink);
      return;
    }
    place = i;
    break;
  }
  planned[v] = sink.buffer;
  Item item;
  item.nest = std::make_unique<Nest>();
  item.nest->shape.assign(shapeOf(v).begin(), shapeOf(v).end());
  item.nest->sinks.push_back(sink);
  plan.items.insert(plan.items.begin() + place, std::move(item));
}

// Loads whose nest runs after a write that comes later in the program.
void Planner::keepDelayedLoads() {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t n = 0; n < plan.items.size() && !changed; ++n) {
      Nest *nest = plan.items[n].nest.get();
      if (!nest)
        continue;
      Value victim;
      size_t limit = 0;
      auto check = [&](Value v, bool identity) {
        auto load = v.getDefiningOp<tt::LoadOp>();
        if (!load || isKept(v) || victim || load->getBlock() != &block)
          return;
        for (size_t i = 0; i <= n && !victim; ++i) {
          const Item &item = plan.items[i];
          auto later = [&](Operation *write) {
            return write->getBlock() == &block && load->isBeforeInBlock(write);
          };
          bool conflict = false;
          if (item.op && writes(item.op) && later(item.op)) {
            auto store = dyn_cast<tt::StoreOp>(item.op);
            conflict = !store || mayConflict(store.getPtr(), load.getPtr());
          }
          if (item.nest)
            for (const Sink &s : item.nest->sinks) {
              if (!s.op || !writes(s.op) || !later(s.op))
                continue;
              auto store = dyn_cast<tt::StoreOp>(s.op);
              if (i == n && store)
                conflict |= mayConflict(load.getPtr(), store.getPtr()) &&
                            !(identity && load.getPtr() == store.getPtr());
              else if (i < n)
                conflict = true;
            }
          if (conflict)
            victim = v, limit = i;
        }
      };
      for (const Sink &sink : nest->sinks)
        walk(sink, [&](Value v, ArrayRef<int>, bool identity) {
          check(v, identity);
        });
      if (victim) {
        keepFirst(victim, limit);
        changed = true;
      }
    }
  }
}

// Reading memory again is cheaper than a copy of it, where vectors read it and
// no tile is written before the last nest that does. (Single elements that are
// written through other arguments do not count, see README.md.)
bool Planner::mayLoadAgain(Value v) const {
  auto load = v.getDefiningOp<tt::LoadOp>();
  if (!load || load->getBlock() != &block)
    return false;
  bool contiguous = false;
  for (unsigned d = 0, rank = shapeOf(v).size(); d < rank; ++d) {
    DimStride stride = dimStride(load.getPtr(), d);
    if (stride.kind == DimStride::Kind::Unknown)
      return false;
    contiguous |= stride.kind == DimStride::Kind::Constant && stride.value == 1;
  }
  if (!contiguous)
    return false;
  // Everything that is loaded to find the addresses costs too.
  bool indirect = false;
  for (Value operand : load->getOperands())
    walkInline(
        operand, [&](Value u) { return isKept(u); },
        [&](Value u, ArrayRef<int>, bool) {
          indirect |= u.getDefiningOp() && isHeavy(u.getDefiningOp());
        });
  if (indirect)
    return false;
  bool written = false, okay = true;
  for (const Item &item : plan.items) {
    bool reads = false, stores = false;
    if (item.nest)
      for (const Sink &sink : item.nest->sinks) {
        walk(sink, [&](Value u, ArrayRef<int>, bool) { reads |= u == v; });
        stores |= sink.op && writes(sink.op) && load->isBeforeInBlock(sink.op);
      }
    okay &= !(reads && written);
    if (item.op && writes(item.op) && load->isBeforeInBlock(item.op)) {
      auto store = dyn_cast<tt::StoreOp>(item.op);
      stores |= !store || mayConflict(store.getPtr(), load.getPtr());
    }
    written |= stores;
  }
  return okay;
}

// A value that one nest evaluates at more points than this is kept.
constexpr size_t kMostPoints = 4;

// Sorting networks and their like read the step before at two places each: the
// places double with every step. Keeps the value nearest to a sink where they
// become too many; true when there was one.
bool Planner::keepRepeated() {
  for (const Item &item : plan.items) {
    if (!item.nest)
      continue;
    // The ways in which points change from the sinks down to a value: one hash
    // per way, more than kMostPoints of them are not told apart.
    llvm::DenseMap<Value, llvm::SmallSet<size_t, 8>> ways;
    // What the nest itself makes a buffer of is evaluated here all the same.
    llvm::DenseSet<Value> roots;
    for (const Sink &sink : item.nest->sinks)
      for (Value v : sinkOperands(sink)) {
        ways[v].insert(0);
        if (sink.kind == Sink::Kind::Materialize)
          roots.insert(v);
      }
    for (Operation &op : llvm::reverse(block)) {
      llvm::SmallSet<size_t, 8> reached;
      for (auto [i, result] : llvm::enumerate(op.getResults())) {
        auto found = ways.find(result);
        if (found == ways.end() || (isKept(result) && !roots.contains(result)))
          continue;
        for (size_t way : found->second)
          reached.insert(op.getNumResults() > 1
                             ? size_t(llvm::hash_combine(way, i))
                             : way);
      }
      if (reached.empty() || !isInline(kernel, &op))
        continue;
      bool moves =
          isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, tt::ReshapeOp,
              tt::SplitOp, tt::JoinOp, tt::CatOp, tt::GatherOp>(op);
      Value result = op.getResult(0);
      if (reached.size() > kMostPoints && !moves && op.getNumOperands() > 1 &&
          !isKept(result)) {
        keepFirst(result, plan.items.size());
        return true;
      }
      for (Value operand : op.getOperands()) {
        if (!isTensor(operand))
          continue;
        auto &there = ways[operand];
        for (size_t way : reached)
          if (there.size() <= kMostPoints)
            there.insert(moves ? size_t(llvm::hash_combine(
                                     way, op.getName().getAsOpaquePointer(),
                                     op.getAttrDictionary(), operand.getType(),
                                     result.getType()))
                               : way);
      }
    }
  }
  return false;
}

// Expensive values that more than one nest needs, latest first, and those that
// a larger nest would compute again and again.
void Planner::keepShared() {
  SmallVector<Value> heavy;
  for (Operation &op : llvm::reverse(block))
    if (op.getNumResults() && isInline(kernel, &op) && isHeavy(&op) &&
        isTensor(op.getResult(0)))
      heavy.push_back(op.getResult(0));
  for (Value v : heavy) {
    if (isKept(v))
      continue;
    unsigned uses = 0;
    bool again = false;
    for (const Item &item : plan.items) {
      if (!item.nest)
        continue;
      bool here = false;
      for (const Sink &sink : item.nest->sinks)
        walk(sink, [&](Value u, ArrayRef<int>, bool identity) {
          here |= u == v;
          again |= u == v && !identity && !v.getDefiningOp<tt::LoadOp>() &&
                   elements(item.nest->shape) > elements(shapeOf(v));
        });
      uses += here;
      // One element at a time is slow; let a vector nest do the work.
      again |= here && item.nest->elementwise && !v.getDefiningOp<tt::LoadOp>();
    }
    if ((uses >= 2 && !mayLoadAgain(v)) || again)
      keepFirst(v, plan.items.size());
  }
}

//===----------------------------------------------------------------------===//
// Terminators
//===----------------------------------------------------------------------===//

// True when `value` can overwrite the buffer of `carried` strip by strip: all
// that reads `carried` is elementwise on the way to `value`.
bool Planner::updatesInPlace(Value value, Value carried,
                             Operation *sink) const {
  if (value == carried)
    return carried.hasOneUse();
  llvm::SetVector<Operation *> tree;
  bool okay = true, found = false;
  walkInline(
      value, [&](Value u) { return u == carried || isKept(u); },
      [&](Value u, ArrayRef<int>, bool identity) {
        if (u == carried) {
          found = true;
          okay &= identity;
        } else if (Operation *op = u.getDefiningOp()) {
          tree.insert(op);
        }
      });
  if (!okay)
    return false;
  if (!found)
    return carried.use_empty();
  // Everything between has no other reader.
  SmallVector<Value> work{carried};
  llvm::SetVector<Operation *> seen;
  while (!work.empty()) {
    Value v = work.pop_back_val();
    for (Operation *user : v.getUsers()) {
      if (v == value && user == sink)
        continue;
      if (!tree.contains(user))
        return false;
      if (seen.insert(user))
        for (Value r : user->getResults())
          work.push_back(r);
    }
  }
  // The result itself is handed on only once.
  return value.hasOneUse();
}

void Planner::planHandOvers(ArrayRef<HandOver> targets) {
  Operation *terminator = block.getTerminator();
  for (const HandOver &target : targets) {
    Value v = target.value;
    if (v == target.carried)
      continue;
    if (isKept(v)) {
      if (planned.lookup(v) == target.to)
        continue;
      plan.copies.push_back({target.to, v});
      continue;
    }
    if (!target.carried || updatesInPlace(v, target.carried, terminator)) {
      keep(v, target.to, false, true);
      continue;
    }
    keep(v, nullptr, true, true);
    plan.copies.push_back({target.to, v});
  }
  close();
}

FailureOr<Plan> Planner::run(ArrayRef<HandOver> handOvers) {
  targets = handOvers;
  for (Operation &op : block.without_terminator())
    if (failed(planOp(&op)))
      return failure();
  planHandOvers(handOvers);
  keepDelayedLoads();
  while (keepRepeated())
    ;
  keepShared();
  return std::move(plan);
}

FailureOr<Plan> planBlock(Kernel &kernel, Block &block,
                          ArrayRef<HandOver> targets) {
  return Planner(kernel, block).run(targets);
}

} // namespace nereid::cpu
