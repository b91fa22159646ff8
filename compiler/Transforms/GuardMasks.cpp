//===- GuardMasks.cpp - Iterations that no mask touches -------------------===//
//
// What the passes promise is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Branches.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_GUARDCOPIES
#define GEN_PASS_DEF_GUARDMASKS
#include "compiler/Transforms/Passes.h.inc"

namespace {

//===-- Masks -------------------------------------------------------------===//

/// The elements of an integer tensor: a sum of scalars, which all have, and a
/// number from `least` to `greatest`, all modulo the type's width.
struct Range {
  SmallVector<Value> terms;
  int64_t least = 0, greatest = 0;
};

std::optional<Range> rangeOf(Value value, unsigned depth = 0) {
  Operation *op = value.getDefiningOp();
  Range range;
  APInt constant;
  tt::SplatSource splat = tt::getSplatSource(value);
  bool isTensor = isa<RankedTensorType>(value.getType());
  if (auto integer = dyn_cast_or_null<IntegerAttr>(splat.attr)) {
    range.least = range.greatest = integer.getValue().getSExtValue();
    return range;
  }
  if (!isTensor && matchPattern(value, m_ConstantInt(&constant))) {
    range.least = range.greatest = constant.getSExtValue();
    return range;
  }
  if (splat.scalar || !isTensor) {
    range.terms.push_back(splat.scalar ? splat.scalar : value);
    return range;
  }
  if (!op || depth > 16)
    return std::nullopt;
  if (auto places = dyn_cast<tt::MakeRangeOp>(op)) {
    range.least = int32_t(places.getStart());
    range.greatest = int64_t(int32_t(places.getEnd())) - 1;
    return range;
  }
  if (isa<tt::ExpandDimsOp, tt::BroadcastOp>(op))
    return rangeOf(op->getOperand(0), depth + 1);
  if (isa<arith::AddIOp>(op)) {
    auto a = rangeOf(op->getOperand(0), depth + 1);
    auto b = a ? rangeOf(op->getOperand(1), depth + 1) : std::nullopt;
    if (!b)
      return std::nullopt;
    a->terms.append(b->terms);
    if (llvm::AddOverflow(a->least, b->least, a->least) ||
        llvm::AddOverflow(a->greatest, b->greatest, a->greatest))
      return std::nullopt;
    return a;
  }
  return std::nullopt;
}

/// Scalars that, when all are true, make every element of a mask the same.
struct Guard {
  struct Comparison {
    Range less, greater;
    bool orEqual;
  };
  SmallVector<Comparison> comparisons;
  SmallVector<Value> conditions;
};

/// Adds what makes every element of `mask` equal to `truth`.
bool addGuard(Value mask, bool truth, Guard &guard, unsigned depth = 0) {
  tt::SplatSource splat = tt::getSplatSource(mask);
  if (splat.scalar) {
    if (truth)
      guard.conditions.push_back(splat.scalar);
    return truth;
  }
  Operation *op = mask.getDefiningOp();
  if (!op || depth > 8)
    return false;
  if (isa<tt::ExpandDimsOp, tt::BroadcastOp>(op))
    return addGuard(op->getOperand(0), truth, guard, depth + 1);
  if (truth ? isa<arith::AndIOp>(op) : isa<arith::OrIOp>(op))
    return addGuard(op->getOperand(0), truth, guard, depth + 1) &&
           addGuard(op->getOperand(1), truth, guard, depth + 1);
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (!compare)
    return false;
  auto left = rangeOf(compare.getLhs()), right = rangeOf(compare.getRhs());
  if (!left || !right)
    return false;
  arith::CmpIPredicate predicate =
      truth ? compare.getPredicate()
            : arith::invertPredicate(compare.getPredicate());
  switch (predicate) {
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::sle:
    break;
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::sge:
    std::swap(left, right);
    break;
  default:
    return false;
  }
  bool orEqual = predicate == arith::CmpIPredicate::sle ||
                 predicate == arith::CmpIPredicate::sge;
  guard.comparisons.push_back({std::move(*left), std::move(*right), orEqual});
  return true;
}

Type typeOf(const Guard::Comparison &comparison) {
  Type type;
  for (const Range *range : {&comparison.less, &comparison.greater})
    for (Value term : range->terms) {
      if (type && type != term.getType())
        return {};
      type = term.getType();
    }
  return type;
}

/// The first and the last of a range's elements, in the order of `least` to
/// `greatest`. Where they can differ, `conditions` gets one that says that no
/// element between wraps around: then they are the extrema, as signed numbers.
std::optional<std::pair<Value, Value>>
ends(OpBuilder &b, Location loc, const Range &range, Type type,
     SmallVectorImpl<Value> &conditions) {
  unsigned width = type.getIntOrFloatBitWidth();
  uint64_t distance = uint64_t(range.greatest) - uint64_t(range.least);
  if (width > 64 || distance >= uint64_t(1) << (width - 1))
    return std::nullopt;
  Value base;
  for (Value term : range.terms)
    base = base ? arith::AddIOp::create(b, loc, base, term).getResult() : term;
  auto plus = [&](int64_t constant) -> Value {
    if (base && constant == 0)
      return base;
    Value more = arith::ConstantOp::create(
        b, loc,
        b.getIntegerAttr(type, APInt(64, uint64_t(constant)).trunc(width)));
    return base ? arith::AddIOp::create(b, loc, base, more).getResult() : more;
  };
  Value first = plus(range.least);
  if (distance == 0)
    return std::make_pair(first, first);
  Value last = plus(range.greatest);
  conditions.push_back(
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, first, last));
  return std::make_pair(first, last);
}

/// The scalar that says whether a mask is `truth` everywhere; null when there
/// is none, or it is known anyway.
Value buildGuard(OpBuilder &b, Location loc, Value mask, bool truth = true) {
  Guard guard;
  if (!addGuard(mask, truth, guard) || guard.comparisons.empty())
    return {};
  for (const Guard::Comparison &comparison : guard.comparisons)
    if (!typeOf(comparison))
      return {};
  SmallVector<Value> all(guard.conditions);
  for (const Guard::Comparison &comparison : guard.comparisons) {
    Type type = typeOf(comparison);
    auto less = ends(b, loc, comparison.less, type, all);
    auto greater = ends(b, loc, comparison.greater, type, all);
    if (!less || !greater)
      return {};
    all.push_back(arith::CmpIOp::create(b, loc,
                                        comparison.orEqual
                                            ? arith::CmpIPredicate::sle
                                            : arith::CmpIPredicate::slt,
                                        less->second, greater->first));
  }
  Value result = all.front();
  for (Value next : ArrayRef(all).drop_front())
    result = arith::AndIOp::create(b, loc, result, next);
  return result;
}

struct GuardMasks : impl::GuardMasksBase<GuardMasks> {
  void runOnOperation() override {
    SmallVector<arith::SelectOp> selects;
    getOperation()->walk([&](arith::SelectOp select) {
      if (isa<scf::ForOp>(select->getParentOp()) && isLarge(select.getType()) &&
          isa<RankedTensorType>(select.getCondition().getType()))
        selects.push_back(select);
    });
    for (arith::SelectOp select : selects) {
      OpBuilder b(select);
      Location loc = select.getLoc();
      // What masked elements get is a constant, on either side.
      bool keptWhere = !tt::getSplatSource(select.getTrueValue());
      Value kept = keptWhere ? select.getTrueValue() : select.getFalseValue();
      Value whole = buildGuard(b, loc, select.getCondition(), keptWhere);
      if (!whole)
        continue;
      auto branch = scf::IfOp::create(b, loc, select.getType(), whole,
                                      /*withElseRegion=*/true);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(b, loc, kept);
      select.getResult().replaceAllUsesWith(branch.getResult(0));
      b.setInsertionPointToEnd(branch.elseBlock());
      scf::YieldOp::create(b, loc, select.getResult());
      select->moveBefore(branch.elseBlock(), branch.elseBlock()->begin());
      sinkIntoElse(branch);
    }
  }
};

/// Copies of one block that nothing but arithmetic stands between.
using Copies = SmallVector<tgpu::AsyncCopyOp>;

SmallVector<Copies> findCopies(Block &block) {
  SmallVector<Copies> groups(1);
  for (Operation &op : block) {
    auto copy = dyn_cast<tgpu::AsyncCopyOp>(op);
    if (copy && copy.getMask() && !copy.getOther() &&
        isLarge(copy.getPtr().getType()))
      groups.back().push_back(copy);
    else if (!isPure(&op) && !groups.back().empty())
      groups.emplace_back();
  }
  if (groups.back().empty())
    groups.pop_back();
  return groups;
}

/// Whether the loop computes with large tensors apart from its products: only
/// then do the instructions of masks take time from anything. A loop that
/// multiplies alone waits for the matrix unit, and a branch there costs more.
bool computes(scf::ForOp loop) {
  int64_t count = 0;
  loop.getBody()->walk([&](Operation *op) {
    if (op->getNumResults() == 1 && isLarge(op->getResult(0).getType()) &&
        isa<FloatType>(tt::getElementType(op->getResult(0).getType())) &&
        (op->hasTrait<OpTrait::Elementwise>() || isa<tt::ReduceOp>(op)))
      ++count;
  });
  return count >= 4;
}

struct GuardCopies : impl::GuardCopiesBase<GuardCopies> {
  void runOnOperation() override {
    SmallVector<Copies> groups;
    getOperation()->walk([&](scf::ForOp loop) {
      if (computes(loop))
        llvm::append_range(groups, findCopies(*loop.getBody()));
    });
    for (Copies &group : groups) {
      Location loc = group.back().getLoc();
      OpBuilder b(group.back());
      Value whole;
      Copies guarded;
      for (tgpu::AsyncCopyOp copy : group) {
        Value one = buildGuard(b, loc, copy.getMask());
        if (!one)
          continue;
        whole =
            whole ? arith::AndIOp::create(b, loc, whole, one).getResult() : one;
        guarded.push_back(copy);
      }
      if (!whole)
        continue;
      b.setInsertionPointAfter(group.back());
      auto branch = scf::IfOp::create(b, loc, whole, /*withElseRegion=*/true);
      b.setInsertionPointToStart(branch.thenBlock());
      for (tgpu::AsyncCopyOp copy : guarded)
        cast<tgpu::AsyncCopyOp>(b.clone(*copy)).getMaskMutable().clear();
      for (tgpu::AsyncCopyOp copy : guarded)
        copy->moveBefore(branch.elseBlock()->getTerminator());
      sinkIntoElse(branch);
    }
  }
};

} // namespace
} // namespace nereid
