//===- ScalarizeLoopCarries.cpp - Scalar offsets through loops ------------===//
//
// What the pass promises is in Passes.td. It exists because a tensor of
// pointers that a loop carries hides from every later analysis that only one
// number changes, and costs registers on every target.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/StridedBlock.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_SCALARIZELOOPCARRIES
#include "compiler/Transforms/Passes.h.inc"

namespace {

// One uniform step of a carried tensor.
struct Step {
  tt::SplatSource amount;
  bool negative = false;
};

// The steps from `carried` to `next`, when there is nothing but uniform steps
// between them; at least one.
std::optional<SmallVector<Step>> findSteps(Value carried, Value next) {
  SmallVector<Step> steps;
  while (next != carried) {
    Operation *op = next.getDefiningOp();
    if (!op)
      return std::nullopt;
    if (isa<tt::AddPtrOp>(op)) {
      steps.push_back({tt::getSplatSource(op->getOperand(1)), false});
      next = op->getOperand(0);
    } else if (isa<arith::SubIOp>(op)) {
      steps.push_back({tt::getSplatSource(op->getOperand(1)), true});
      next = op->getOperand(0);
    } else if (isa<arith::AddIOp>(op)) {
      unsigned uniform = tt::getSplatSource(op->getOperand(1)) ? 1 : 0;
      steps.push_back({tt::getSplatSource(op->getOperand(uniform)), false});
      next = op->getOperand(1 - uniform);
    } else {
      return std::nullopt;
    }
    if (!steps.back().amount)
      return std::nullopt;
  }
  if (steps.empty())
    return std::nullopt;
  return steps;
}

// The type in which a tensor's offset is carried; null when it cannot be.
Type offsetType(Type type) {
  if (!isa<RankedTensorType>(type))
    return {};
  if (tt::isPtrLike(type))
    return IntegerType::get(type.getContext(), 64);
  return dyn_cast<IntegerType>(tt::getElementType(type));
}

// `initial` moved by the scalar `offset`.
Value moved(OpBuilder &builder, Location loc, Value initial, Value offset) {
  ArrayRef<int64_t> shape = tt::getShape(initial.getType());
  if (!tt::isPtrLike(initial.getType()))
    return arith::AddIOp::create(builder, loc, initial,
                                 splatTo(builder, loc, offset, shape));
  // Below a tensor of offsets the base may be one pointer: move that.
  auto add = initial.getDefiningOp<tt::AddPtrOp>();
  auto base = add ? add.getPtr().getDefiningOp<tt::SplatOp>()
                  : initial.getDefiningOp<tt::SplatOp>();
  if (base) {
    Value start = tt::AddPtrOp::create(builder, loc, base.getSrc(), offset);
    Value pointers = splatTo(builder, loc, start, shape);
    if (!add)
      return pointers;
    return tt::AddPtrOp::create(builder, loc, pointers, add.getOffset());
  }
  return tt::AddPtrOp::create(builder, loc, initial,
                              splatTo(builder, loc, offset, shape));
}

// `offset` after `steps`.
Value advanced(OpBuilder &builder, Location loc, Value offset,
               ArrayRef<Step> steps) {
  for (const Step &step : llvm::reverse(steps)) {
    Value amount = step.amount.scalar;
    if (!amount)
      amount = arith::ConstantOp::create(builder, loc, step.amount.attr);
    auto from = cast<IntegerType>(amount.getType());
    auto to = cast<IntegerType>(offset.getType());
    if (from.getWidth() < to.getWidth())
      amount = arith::ExtSIOp::create(builder, loc, to, amount);
    offset =
        step.negative
            ? arith::SubIOp::create(builder, loc, offset, amount).getResult()
            : arith::AddIOp::create(builder, loc, offset, amount).getResult();
  }
  return offset;
}

// Rewrites one loop; false when it carries nothing of the kind.
bool scalarize(IRRewriter &rewriter, scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  SmallVector<std::optional<SmallVector<Step>>> steps;
  bool any = false;
  for (auto [index, carried] : llvm::enumerate(loop.getRegionIterArgs())) {
    steps.push_back(offsetType(carried.getType())
                        ? findSteps(carried, yield.getOperand(index))
                        : std::nullopt);
    any |= steps.back().has_value();
  }
  if (!any)
    return false;

  Location loc = loop.getLoc();
  rewriter.setInsertionPoint(loop);
  SmallVector<Value> inits(loop.getInitArgs());
  for (auto [index, init] : llvm::enumerate(inits))
    if (steps[index])
      init = zeroOf(rewriter, loc, offsetType(init.getType()));
  auto replacement =
      scf::ForOp::create(rewriter, loc, loop.getLowerBound(),
                         loop.getUpperBound(), loop.getStep(), inits);
  replacement->setAttrs(loop->getAttrs());

  // The body sees the tensor as it was.
  rewriter.setInsertionPointToStart(replacement.getBody());
  SmallVector<Value> arguments{replacement.getInductionVar()};
  for (auto [index, carried] : llvm::enumerate(replacement.getRegionIterArgs()))
    arguments.push_back(
        steps[index] ? moved(rewriter, loc, loop.getInitArgs()[index], carried)
                     : Value(carried));
  rewriter.mergeBlocks(loop.getBody(), replacement.getBody(), arguments);

  rewriter.setInsertionPoint(yield);
  SmallVector<Value> next(yield.getOperands());
  // The steps are looked up anew: amounts may have been arguments of the old
  // body, such as its induction variable.
  for (auto [index, value] : llvm::enumerate(next))
    if (steps[index])
      value = advanced(rewriter, yield.getLoc(),
                       replacement.getRegionIterArgs()[index],
                       *findSteps(arguments[index + 1], value));
  rewriter.replaceOpWithNewOp<scf::YieldOp>(yield, next);

  rewriter.setInsertionPointAfter(replacement);
  SmallVector<Value> results(replacement.getResults());
  for (auto [index, result] : llvm::enumerate(results))
    if (steps[index] && !loop.getResult(index).use_empty())
      result = moved(rewriter, loc, loop.getInitArgs()[index], result);
    else if (steps[index])
      result = loop.getInitArgs()[index]; // nobody asks
  rewriter.replaceOp(loop, results);
  return true;
}

struct ScalarizeLoopCarries
    : impl::ScalarizeLoopCarriesBase<ScalarizeLoopCarries> {
  void runOnOperation() override {
    // Inner loops first: their results are then a uniform step of an outer one.
    SmallVector<scf::ForOp> loops;
    getOperation()->walk<WalkOrder::PostOrder>(
        [&](scf::ForOp loop) { loops.push_back(loop); });
    IRRewriter rewriter(&getContext());
    for (scf::ForOp loop : loops)
      scalarize(rewriter, loop);
  }
};

} // namespace
} // namespace nereid
