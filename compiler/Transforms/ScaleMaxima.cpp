//===- ScaleMaxima.cpp - Maxima before the scaling ------------------------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/Fusion.h"
#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Branches.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_SCALEMAXIMA
#include "compiler/Transforms/Passes.h.inc"

namespace {

/// Whether the reduction finds a maximum or a minimum.
bool isExtremum(tt::ReduceOp reduce) {
  if (reduce->getNumOperands() != 1)
    return false;
  Block &body = reduce.getCombineOp().front();
  if (std::distance(body.begin(), body.end()) != 2)
    return false;
  Operation &only = body.front();
  return isa<arith::MaxNumFOp, arith::MaximumFOp, arith::MinNumFOp,
             arith::MinimumFOp>(only) &&
         only.getOperand(0) != only.getOperand(1) &&
         only.getOperand(0).getParentBlock() == &body &&
         only.getOperand(1).getParentBlock() == &body &&
         body.getTerminator()->getOperand(0) == only.getResult(0);
}

/// A product with a scalar whose extremum is reduced, and what depends on it.
struct ScaledExtremum {
  arith::MulFOp product;
  Value tensor, scale; ///< its factors; `scale` is a scalar
  scf::IfOp masked;    ///< what the product passes through, if anything
  Value scores;        ///< the product, or the result of `masked`
  SmallVector<Operation *> tail;    ///< what is to be there twice, in order
  SmallVector<Operation *> delayed; ///< between them, and in need of them
  SmallVector<Value> results;       ///< of `tail`, used behind it
};

bool findTail(ScaledExtremum &found) {
  Block *block = found.product->getBlock();
  bool reduces = false;
  SetVector<Operation *> wanted;
  for (Operation *user : found.scores.getUsers()) {
    if (user->getBlock() != block)
      return false;
    auto reduce = dyn_cast<tt::ReduceOp>(user);
    auto difference = dyn_cast<arith::SubFOp>(user);
    if (reduce && isExtremum(reduce) && !reduces)
      reduces = true;
    else if (!difference || difference.getLhs() != found.scores ||
             difference.getRhs() == found.scores)
      return false;
    wanted.insert(user);
  }
  if (!reduces || wanted.size() < 2)
    return false;
  // What lies between the reduction and the differences.
  DenseSet<Operation *> after, before;
  Operation *last = nullptr;
  for (Operation &op : *block) {
    bool depends = wanted.contains(&op);
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *source = operand.getDefiningOp())
          depends |= after.contains(source);
    });
    if (depends)
      after.insert(&op);
    if (wanted.contains(&op))
      last = &op;
  }
  before.insert(wanted.begin(), wanted.end());
  for (Operation *op = last; op; op = op->getPrevNode())
    if (before.contains(op))
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (Operation *source = operand.getDefiningOp())
            before.insert(source);
      });
  bool behind = false;
  for (Operation &op : *block) {
    if (!after.contains(&op) || !before.contains(&op)) {
      // What uses the tail goes behind it.
      if (after.contains(&op) && !behind) {
        if (!isMemoryEffectFree(&op))
          return false;
        found.delayed.push_back(&op);
      }
      continue;
    }
    behind = &op == last;
    if (!isMemoryEffectFree(&op))
      return false;
    found.tail.push_back(&op);
    for (Value result : op.getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            Operation *here = block->findAncestorOpInBlock(*user);
            return !here || !after.contains(here) || !before.contains(here);
          }))
        found.results.push_back(result);
  }
  return true;
}

std::optional<ScaledExtremum> findScaledExtremum(arith::MulFOp product) {
  ScaledExtremum found;
  found.product = product;
  if (!isLarge(product.getType()) || !isa<scf::ForOp>(product->getParentOp()))
    return std::nullopt;
  for (unsigned side : {0, 1}) {
    tt::SplatSource splat = tt::getSplatSource(product->getOperand(side));
    if (!splat.scalar)
      continue;
    found.scale = splat.scalar;
    found.tensor = product->getOperand(1 - side);
  }
  auto loop = cast<scf::ForOp>(product->getParentOp());
  if (!found.scale || !loop.isDefinedOutsideOfLoop(found.scale))
    return std::nullopt;
  found.scores = product.getResult();
  for (Operation *user : product->getUsers()) {
    auto branch =
        dyn_cast<scf::IfOp>(product->getBlock()->findAncestorOpInBlock(*user));
    if (!branch)
      continue;
    if (found.masked && found.masked != branch)
      return std::nullopt;
    found.masked = branch;
  }
  if (found.masked) {
    scf::IfOp branch = found.masked;
    if (branch->getNumResults() != 1 || !branch.elseBlock() ||
        branch.thenYield()->getOperand(0) != product.getResult() ||
        !llvm::hasSingleElement(*branch.thenBlock()) ||
        llvm::any_of(product->getUsers(), [&](Operation *user) {
          return !branch->isAncestor(user);
        }))
      return std::nullopt;
    found.scores = branch.getResult(0);
  }
  if (!findTail(found))
    return std::nullopt;
  return found;
}

void rewrite(ScaledExtremum &found) {
  arith::MulFOp product = found.product;
  Location loc = product.getLoc();
  auto loop = cast<scf::ForOp>(product->getParentOp());
  OpBuilder b(loop);
  auto compare = [&](arith::CmpFPredicate predicate, const APFloat &bound) {
    Type type = found.scale.getType();
    Value constant =
        arith::ConstantOp::create(b, loc, b.getFloatAttr(type, bound));
    return arith::CmpFOp::create(b, loc, predicate, found.scale, constant);
  };
  const llvm::fltSemantics &format =
      cast<FloatType>(found.scale.getType()).getFloatSemantics();
  Value good = arith::AndIOp::create(
      b, loc, compare(arith::CmpFPredicate::OGT, APFloat::getZero(format)),
      compare(arith::CmpFPredicate::OLT, APFloat::getInf(format)));

  b.setInsertionPointAfter(found.tail.back());
  for (Operation *op : found.delayed)
    op->moveBefore(&*b.getInsertionPoint());
  b.setInsertionPointAfter(found.tail.back());
  if (found.masked)
    good = arith::AndIOp::create(b, loc, good, found.masked.getCondition());
  SmallVector<Type> types;
  for (Value result : found.results)
    types.push_back(result.getType());
  auto branch = scf::IfOp::create(b, loc, types, good, /*withElseRegion=*/true);
  auto yield = [&](IRMapping &map) {
    SmallVector<Value> values;
    for (Value result : found.results)
      values.push_back(map.lookup(result));
    scf::YieldOp::create(b, loc, values);
  };

  b.setInsertionPointToStart(branch.thenBlock());
  IRMapping quick;
  Value factor;
  for (Operation *op : found.tail) {
    auto difference = dyn_cast<arith::SubFOp>(op);
    if (difference && difference.getLhs() == found.scores) {
      // Both branches have the product: as an operation of its own it would
      // move in front of them.
      if (!factor)
        factor = tt::SplatOp::create(b, loc, product.getType(), found.scale);
      Value other = arith::NegFOp::create(
          b, loc, quick.lookupOrDefault(difference.getRhs()));
      quick.map(
          difference.getResult(),
          math::FmaOp::create(b, loc, found.tensor, factor, other).getResult());
      continue;
    }
    auto reduce = dyn_cast<tt::ReduceOp>(op);
    if (!reduce || reduce->getOperand(0) != found.scores) {
      b.clone(*op, quick);
      continue;
    }
    IRMapping unscaled;
    unscaled.map(found.scores, found.tensor);
    Value extremum = b.clone(*op, unscaled)->getResult(0);
    Value scale = found.scale;
    if (isa<RankedTensorType>(extremum.getType()))
      scale = tt::SplatOp::create(b, loc, extremum.getType(), scale);
    quick.map(reduce->getResult(0),
              arith::MulFOp::create(b, loc, extremum, scale).getResult());
  }
  yield(quick);

  b.setInsertionPointToStart(branch.elseBlock());
  IRMapping plain;
  plain.map(product.getResult(), b.clone(*product)->getResult(0));
  if (found.masked)
    b.clone(*found.masked, plain);
  for (Operation *op : found.tail)
    b.clone(*op, plain);
  yield(plain);

  for (auto [result, value] : llvm::zip(found.results, branch.getResults()))
    result.replaceUsesWithIf(value, [&](OpOperand &use) {
      return !llvm::is_contained(found.tail, use.getOwner()) &&
             !branch->isAncestor(use.getOwner());
    });
  for (Operation *op : llvm::reverse(found.tail))
    op->erase();
  if (found.masked)
    found.masked->erase();
  product->erase();
  sinkIntoElse(branch);
}

struct ScaleMaxima : impl::ScaleMaximaBase<ScaleMaxima> {
  void runOnOperation() override {
    if (!tt::mayFuse(getOperation()))
      return;
    SmallVector<arith::MulFOp> products;
    getOperation()->walk(
        [&](arith::MulFOp product) { products.push_back(product); });
    for (arith::MulFOp product : products)
      if (auto found = findScaledExtremum(product))
        rewrite(*found);
  }
};

} // namespace
} // namespace nereid
