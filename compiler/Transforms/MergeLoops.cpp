//===- MergeLoops.cpp - Two loops over one range --------------------------===//
//
// What the pass promises is in Passes.td. The bodies are compared twice: from
// the top, where equal operations on equal values are the same operation
// ("shared"); and from the bottom, where equal operations on values that may
// differ become one operation ("paired"). What is in between on either side
// ("own") goes into a branch, whose results are where the sides come together.
//
// All own operations stand in one branch. A paired operation that an own one
// needs can therefore not be paired: it becomes own on both sides.
//
//===----------------------------------------------------------------------===//

#include "compiler/Analysis/AxisInfo.h"
#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_MERGELOOPS
#include "compiler/Transforms/Passes.h.inc"

namespace {

/// An operation that only computes, or reads what nothing in its loop writes.
bool onlyReads(Operation *op) {
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return !load.getIsVolatile();
  return isMemoryEffectFree(op) ||
         (op->getNumRegions() == 0 && hasSingleEffect<MemoryEffects::Read>(op));
}

bool bodyOnlyReads(scf::ForOp loop) {
  return llvm::all_of(loop.getBody()->without_terminator(),
                      [](Operation &op) { return onlyReads(&op); });
}

/// What an operation reads, its regions included.
SmallVector<Value> readsOf(Operation *op) {
  SmallVector<Value> values(op->getOperands());
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  values.append(captured.begin(), captured.end());
  return values;
}

class Merger {
public:
  Merger(scf::ForOp first, scf::ForOp second, const AxisInfoAnalysis &facts)
      : first(first), second(second), facts(facts) {}

  /// Whether the two can be one loop. Changes nothing.
  bool find();
  /// Makes them one.
  void merge(RewriterBase &rewriter);

private:
  bool continues();
  bool carries();
  bool findHoisted();
  void share();
  void pair();
  bool separate();

  bool isPaired(Operation *op) const { return pairs.count(op) != 0; }
  /// The value of the first loop that a value of the second is the same as.
  Value same(Value value) const {
    Value found = equal.lookup(value);
    return found ? found : value;
  }
  Operation *inFirst(Value value) {
    Operation *op = value.getDefiningOp();
    return op && op->getBlock() == first.getBody() ? op : nullptr;
  }
  Operation *inSecond(Value value) {
    Operation *op = value.getDefiningOp();
    return op && op->getBlock() == second.getBody() ? op : nullptr;
  }
  /// Whether two values, one of each side, become one value by themselves.
  bool meets(Value a, Value b) {
    if (same(b) == a)
      return true;
    Operation *op = inFirst(a), *other = inSecond(b);
    return op && other && pairs.lookup(op) == other &&
           cast<OpResult>(a).getResultNumber() ==
               cast<OpResult>(b).getResultNumber();
  }
  bool alike(Operation *a, Operation *b, bool sameOperands);

  scf::ForOp first, second;
  const AxisInfoAnalysis &facts;

  SmallVector<unsigned> source; ///< of each carried value of `second`
  llvm::SetVector<Operation *> hoisted;
  DenseMap<Value, Value> equal;             ///< second's value -> first's
  llvm::SetVector<Operation *> shared;      ///< of the first
  DenseSet<Operation *> sharedInSecond;     ///< what these are there
  DenseMap<Operation *, Operation *> pairs; ///< first's -> second's
  llvm::SetVector<Operation *> own, ownInSecond;
  SmallVector<std::pair<Value, Value>> joined; ///< results of the branch
};

/// Whether the second loop goes on where the first one ends, whatever number of
/// iterations that has.
bool Merger::continues() {
  if (first.getUpperBound() != second.getLowerBound() ||
      first.getStep() != second.getStep() || first.getUnsignedCmp() ||
      second.getUnsignedCmp() ||
      first->getDiscardableAttrDictionary() !=
          second->getDiscardableAttrDictionary())
    return false;
  std::optional<int64_t> step = facts.get(first.getStep()).getConstant();
  if (!step || *step <= 0)
    return false;
  return llvm::all_of(ValueRange{first.getLowerBound(), first.getUpperBound()},
                      [&](Value bound) {
                        return facts.get(bound).getDivisibility(0) % *step == 0;
                      });
}

/// Whether what the first loop carries goes on in the second, all of it and
/// nowhere else.
bool Merger::carries() {
  if (first.getNumResults() != second.getNumResults())
    return false;
  llvm::SmallDenseSet<unsigned> seen;
  for (Value init : second.getInitArgs()) {
    auto result = dyn_cast<OpResult>(init);
    if (!result || result.getOwner() != first.getOperation() ||
        !init.hasOneUse() || !seen.insert(result.getResultNumber()).second)
      return false;
    source.push_back(result.getResultNumber());
  }
  return true;
}

/// Finds what stands between the loops and the second needs: it must be
/// possible to compute it before the first.
bool Merger::findHoisted() {
  SmallVector<Value> needed{second.getUpperBound()};
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(second->getRegions(), captured);
  llvm::append_range(needed, captured);
  for (size_t i = 0; i < needed.size(); ++i) {
    Operation *op = needed[i].getDefiningOp();
    if (!op || op->getBlock() != first->getBlock() ||
        op->isBeforeInBlock(first))
      continue;
    if (op == first || !isPure(op))
      return false;
    if (hoisted.insert(op))
      llvm::append_range(needed, readsOf(op));
  }
  // The rest must not mind that the second loop's reads move over it.
  for (Operation *op = first->getNextNode(); op != second;
       op = op->getNextNode())
    if (!isMemoryEffectFree(op))
      return false;
  return true;
}

/// Whether two operations do the same; `sameOperands` asks for the same values,
/// otherwise no region may read others than its own.
bool Merger::alike(Operation *a, Operation *b, bool sameOperands) {
  if (!sameOperands)
    for (Operation *op : {a, b})
      if (readsOf(op).size() != op->getNumOperands())
        return false;
  DenseMap<Value, Value> inside;
  return OperationEquivalence::isEquivalentTo(
      a, b,
      [&](Value x, Value y) -> LogicalResult {
        if (Value known = inside.lookup(y))
          return success(known == x);
        if (!sameOperands)
          return success(x.getType() == y.getType());
        return success(same(y) == x);
      },
      [&](Value x, Value y) { inside[y] = x; },
      OperationEquivalence::IgnoreLocations);
}

/// From the top: what both sides compute from the same values.
void Merger::share() {
  equal[second.getInductionVar()] = first.getInductionVar();
  for (auto [argument, number] : llvm::zip(second.getRegionIterArgs(), source))
    equal[argument] = first.getRegionIterArg(number);
  for (Operation &op : second.getBody()->without_terminator())
    for (Operation &other : first.getBody()->without_terminator()) {
      if (other.getName() != op.getName() || shared.contains(&other) ||
          !alike(&other, &op, /*sameOperands=*/true))
        continue;
      shared.insert(&other);
      sharedInSecond.insert(&op);
      for (auto [a, b] : llvm::zip(other.getResults(), op.getResults()))
        equal[b] = a;
      break;
    }
}

/// From the bottom: what both sides compute in the same way.
void Merger::pair() {
  SmallVector<std::pair<Value, Value>> todo;
  DenseSet<Operation *> taken;
  ValueRange yields = second.getYieldedValues();
  for (auto [number, value] : llvm::zip(source, yields))
    todo.push_back({first.getYieldedValues()[number], value});
  while (!todo.empty()) {
    auto [a, b] = todo.pop_back_val();
    Operation *op = inFirst(a), *other = inSecond(b);
    if (same(b) == a || !op || !other || shared.contains(op) ||
        sharedInSecond.contains(other) || isPaired(op) ||
        taken.contains(other) || op->getName() != other->getName() ||
        !alike(op, other, /*sameOperands=*/false))
      continue;
    pairs[op] = other;
    taken.insert(other);
    for (auto [x, y] : llvm::zip(op->getOperands(), other->getOperands()))
      todo.push_back({x, y});
  }
}

/// Finds what goes into the branch. False when something must not.
bool Merger::separate() {
  for (bool again = true; again;) {
    again = false;
    joined.clear();
    own.clear();
    ownInSecond.clear();
    auto join = [&](Value a, Value b) {
      if (!meets(a, b) && !llvm::is_contained(joined, std::pair(a, b)))
        joined.push_back({a, b});
    };
    for (Operation &op : first.getBody()->without_terminator())
      if (Operation *other = pairs.lookup(&op))
        for (auto [a, b] : llvm::zip(op.getOperands(), other->getOperands()))
          join(a, b);
    for (auto [number, value] : llvm::zip(source, second.getYieldedValues()))
      join(first.getYieldedValues()[number], value);

    // What the branch needs on each side; a paired operation there must part.
    DenseMap<Operation *, Operation *> back;
    for (auto [op, other] : pairs)
      back[other] = op;
    SmallVector<Value> needed, neededInSecond;
    for (auto [a, b] : joined) {
      needed.push_back(a);
      neededInSecond.push_back(b);
    }
    for (size_t i = 0; i < needed.size() && !again; ++i) {
      Operation *op = inFirst(needed[i]);
      if (!op || shared.contains(op))
        continue;
      again = pairs.erase(op);
      if (own.insert(op))
        llvm::append_range(needed, readsOf(op));
    }
    for (size_t i = 0; i < neededInSecond.size() && !again; ++i) {
      Operation *op = inSecond(neededInSecond[i]);
      if (!op || sharedInSecond.contains(op))
        continue;
      again = back.count(op) && pairs.erase(back.lookup(op));
      if (ownInSecond.insert(op))
        llvm::append_range(neededInSecond, readsOf(op));
    }
  }
  // Loads and products in a branch are neither copied ahead nor overlapped.
  auto cheap = [](Operation *op) {
    return isMemoryEffectFree(op) &&
           !isa<tt::DotOp, scf::ForOp, scf::WhileOp>(op);
  };
  return llvm::all_of(own, cheap) && llvm::all_of(ownInSecond, cheap) &&
         llvm::all_of(pairs, [](const auto &entry) {
           return isMemoryEffectFree(entry.first); // no load behind a branch
         });
}

bool Merger::find() {
  if (!continues() || !carries() || !findHoisted() || !bodyOnlyReads(first) ||
      !bodyOnlyReads(second))
    return false;
  share();
  // The point is that the loads go on without a break.
  if (llvm::none_of(shared,
                    [](Operation *op) { return !isMemoryEffectFree(op); }))
    return false;
  pair();
  return separate();
}

void Merger::merge(RewriterBase &rewriter) {
  Location loc = first.getLoc();
  Operation *before = first;
  SmallVector<Operation *> moved(hoisted.begin(), hoisted.end());
  llvm::sort(moved,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  for (Operation *op : moved)
    rewriter.moveOpBefore(op, before);

  // Either loop may be empty, and its range then runs backwards.
  rewriter.setInsertionPoint(first);
  Value middle = first.getUpperBound();
  Value from = first.getLowerBound(), to = second.getUpperBound();
  AxisInfo start = facts.get(from);
  if (start.getConstant() != 0 || !facts.get(middle).isNonNegative())
    from = arith::MinSIOp::create(rewriter, loc, from, middle);
  to = arith::MaxSIOp::create(rewriter, loc, middle, to);
  auto loop = scf::ForOp::create(rewriter, loc, from, to, first.getStep(),
                                 first.getInitArgs());
  loop->setDiscardableAttrs(first->getDiscardableAttrDictionary());
  Block *body = loop.getBody();
  if (!body->empty())
    rewriter.eraseOp(body->getTerminator());
  rewriter.setInsertionPointToStart(body);

  IRMapping values;
  values.map(first.getInductionVar(), loop.getInductionVar());
  values.map(first.getRegionIterArgs(), loop.getRegionIterArgs());
  DenseMap<std::pair<Value, Value>, Value> branchResults;
  DenseSet<Operation *> done;

  auto emit = [&](Operation *op) {
    if (!done.insert(op).second)
      return;
    Operation *copy = rewriter.clone(*op, values);
    // By number: what one side reads twice may be two values on the other.
    if (Operation *other = pairs.lookup(op))
      for (unsigned i = 0, n = op->getNumOperands(); i < n; ++i)
        if (Value both =
                branchResults.lookup({op->getOperand(i), other->getOperand(i)}))
          copy->setOperand(i, both);
    values.map(op->getResults(), copy->getResults());
  };
  bool branched = joined.empty();
  auto branch = [&] {
    if (branched)
      return;
    branched = true;
    // What the branch reads.
    llvm::SetVector<Operation *> reads;
    auto addReads = [&](Operation *op) {
      SmallVector<Value> todo = readsOf(op);
      while (!todo.empty()) {
        Value value = same(todo.pop_back_val());
        if (Operation *def = inFirst(value);
            def && shared.contains(def) && reads.insert(def))
          llvm::append_range(todo, readsOf(def));
      }
    };
    for (Operation *op : own)
      addReads(op);
    for (Operation *op : ownInSecond)
      addReads(op);
    for (auto [a, b] : joined)
      for (Value value : {a, same(b)})
        if (Operation *def = inFirst(value); def && shared.contains(def)) {
          addReads(def);
          reads.insert(def);
        }
    for (Operation &op : first.getBody()->without_terminator())
      if (reads.contains(&op))
        emit(&op);

    SmallVector<Type> types;
    for (auto [a, b] : joined)
      types.push_back(a.getType());
    Value inside =
        arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt,
                              loop.getInductionVar(), middle);
    auto choice = scf::IfOp::create(rewriter, loc, types, inside,
                                    /*withElseRegion=*/true);
    auto fill = [&](Block *block, Block *side, auto &ops, bool ofSecond) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToEnd(block);
      IRMapping mapping = values;
      if (ofSecond)
        for (auto [b, a] : equal)
          if (Value value = values.lookupOrNull(a))
            mapping.map(b, value);
      for (Operation &op : side->without_terminator())
        if (ops.contains(&op))
          rewriter.clone(op, mapping);
      SmallVector<Value> results;
      for (auto [a, b] : joined)
        results.push_back(mapping.lookupOrDefault(ofSecond ? b : a));
      scf::YieldOp::create(rewriter, loc, results);
    };
    fill(choice.thenBlock(), first.getBody(), own, /*ofSecond=*/false);
    fill(choice.elseBlock(), second.getBody(), ownInSecond, /*ofSecond=*/true);
    for (auto [number, entry] : llvm::enumerate(joined))
      branchResults[entry] = choice.getResult(number);
  };

  for (Operation &op : first.getBody()->without_terminator()) {
    if (!shared.contains(&op) && !isPaired(&op))
      continue;
    if (Operation *other = pairs.lookup(&op))
      for (auto [a, b] : llvm::zip(op.getOperands(), other->getOperands()))
        if (!meets(a, b))
          branch();
    emit(&op);
  }
  branch();
  SmallVector<Value> yields(first.getNumResults());
  for (auto [number, b] : llvm::zip(source, second.getYieldedValues())) {
    Value a = first.getYieldedValues()[number];
    yields[number] =
        meets(a, b) ? values.lookupOrDefault(a) : branchResults.lookup({a, b});
  }
  scf::YieldOp::create(rewriter, loc, yields);

  SmallVector<Value> results;
  for (unsigned number : source)
    results.push_back(loop.getResult(number));
  rewriter.replaceOp(second, results);
  rewriter.eraseOp(first);
}

struct MergeLoops : impl::MergeLoopsBase<MergeLoops> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // One at a time: the analysis holds for code that does not change.
    while (mergeOne(rewriter)) {
    }
  }

  bool mergeOne(RewriterBase &rewriter) {
    SmallVector<std::pair<scf::ForOp, scf::ForOp>> candidates;
    getOperation()->walk([&](scf::ForOp second) {
      if (second.getInitArgs().empty())
        return;
      auto first = second.getInitArgs().front().getDefiningOp<scf::ForOp>();
      if (first && first->getBlock() == second->getBlock())
        candidates.push_back({first, second});
    });
    if (candidates.empty())
      return false;
    AxisInfoAnalysis facts(getOperation());
    for (auto [first, second] : candidates) {
      Merger merger(first, second, facts);
      if (!merger.find())
        continue;
      merger.merge(rewriter);
      return true;
    }
    return false;
  }
};

} // namespace
} // namespace nereid
