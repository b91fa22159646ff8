//===- Combine.cpp - Fold ops of several dialects into each other ---------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_COMBINE
#include "compiler/Transforms/Passes.h.inc"

namespace {

Value materialize(OpBuilder &builder, Location loc, tt::SplatSource source) {
  if (source.scalar)
    return source.scalar;
  return arith::ConstantOp::create(builder, loc, source.attr);
}

// op(splat(x), splat(y)) -> splat(op(x, y)), for any op that says that it works
// element by element. At least one operand is not a constant, else it folds.
struct ElementwiseOfSplats : RewritePattern {
  explicit ElementwiseOfSplats(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    // Assembly works on packs of elements: a scalar is another thing to it.
    if (!op->hasTrait<OpTrait::Elementwise>() || !isPure(op) ||
        isa<tt::ElementwiseInlineAsmOp>(op) || op->getNumRegions() != 0 ||
        op->getNumResults() != 1 || op->getNumOperands() == 0)
      return failure();
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!type)
      return failure();
    SmallVector<tt::SplatSource> sources;
    bool anyValue = false;
    for (Value operand : op->getOperands()) {
      tt::SplatSource source;
      if (!isa<RankedTensorType>(operand.getType()))
        source.scalar = operand;
      else
        source = tt::getSplatSource(operand);
      if (!source)
        return failure();
      anyValue |= static_cast<bool>(source.scalar);
      sources.push_back(source);
    }
    if (!anyValue)
      return failure();
    SmallVector<Value> operands;
    for (tt::SplatSource source : sources)
      operands.push_back(materialize(rewriter, op->getLoc(), source));
    OperationState state(op->getLoc(), op->getName(), operands,
                         type.getElementType(), op->getAttrs());
    Operation *scalar = rewriter.create(state);
    rewriter.replaceOpWithNewOp<tt::SplatOp>(op, type, scalar->getResult(0));
    return success();
  }
};

// select(splat(c), a, b) -> select(c, a, b)
struct SelectOfSplat : OpRewritePattern<arith::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SelectOp op,
                                PatternRewriter &rewriter) const override {
    tt::SplatSource condition = tt::getSplatSource(op.getCondition());
    if (!condition.scalar)
      return failure();
    rewriter.replaceOpWithNewOp<arith::SelectOp>(
        op, condition.scalar, op.getTrueValue(), op.getFalseValue());
    return success();
  }
};

// select(m, load(p, m), b) -> load(p, m, b). The load's own `other` is never
// seen. `b` must be there before the load.
struct SelectOfLoad : OpRewritePattern<arith::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SelectOp op,
                                PatternRewriter &rewriter) const override {
    auto load = op.getTrueValue().getDefiningOp<tt::LoadOp>();
    if (!load || !load->hasOneUse() || load.getMask() != op.getCondition() ||
        load->getBlock() != op->getBlock())
      return failure();
    Value other = op.getFalseValue();
    Operation *def = other.getDefiningOp();
    if (def && def->getBlock() == load->getBlock() &&
        !def->isBeforeInBlock(load)) {
      // A constant can be made again.
      if (!def->hasTrait<OpTrait::ConstantLike>())
        return failure();
      rewriter.setInsertionPoint(load);
      other = rewriter.clone(*def)->getResult(0);
    }
    rewriter.modifyOpInPlace(load,
                             [&] { load.getOtherMutable().assign(other); });
    rewriter.replaceOp(op, load);
    return success();
  }
};

// x + dot(a, b, 0) -> dot(a, b, x). The accumulator of a product that limits
// imprecise accumulation must stay where it is.
template <typename AddTy> struct AddOfDot : OpRewritePattern<AddTy> {
  using OpRewritePattern<AddTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(AddTy op,
                                PatternRewriter &rewriter) const override {
    for (unsigned side : {0u, 1u}) {
      auto dot = op->getOperand(side).template getDefiningOp<tt::DotOp>();
      Value other = op->getOperand(1 - side);
      if (!dot || !dot->hasOneUse() || dot.getMaxNumImpreciseAcc() != 0 ||
          !isZero(dot.getC()))
        continue;
      rewriter.replaceOpWithNewOp<tt::DotOp>(op, dot.getA(), dot.getB(), other,
                                             dot.getInputPrecision(),
                                             dot.getMaxNumImpreciseAcc());
      return success();
    }
    return failure();
  }

  static bool isZero(Value value) {
    tt::SplatSource source = tt::getSplatSource(value);
    if (!source.attr)
      return false;
    return matchPattern(source.attr, m_AnyZeroFloat()) ||
           matchPattern(source.attr, m_Zero());
  }
};

// addptr(addptr(splat(p), x), splat(s)) -> addptr(splat(addptr(p, s)), x)
struct UniformOffsetDown : OpRewritePattern<tt::AddPtrOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tt::AddPtrOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getPtr().getDefiningOp<tt::AddPtrOp>();
    auto base = inner ? inner.getPtr().getDefiningOp<tt::SplatOp>() : nullptr;
    tt::SplatSource offset = tt::getSplatSource(op.getOffset());
    if (!base || !offset)
      return failure();
    Location loc = op.getLoc();
    Value moved = tt::AddPtrOp::create(rewriter, loc, base.getSrc(),
                                       materialize(rewriter, loc, offset));
    Value pointers = tt::SplatOp::create(rewriter, loc, base.getType(), moved);
    rewriter.replaceOpWithNewOp<tt::AddPtrOp>(op, pointers, inner.getOffset());
    return success();
  }
};

struct Combine : impl::CombineBase<Combine> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<ElementwiseOfSplats, SelectOfSplat, SelectOfLoad,
                 AddOfDot<arith::AddFOp>, AddOfDot<arith::AddIOp>,
                 UniformOffsetDown>(context);
    for (Dialect *dialect : context->getLoadedDialects())
      if (isa<tt::TTDialect, arith::ArithDialect, scf::SCFDialect>(dialect)) {
        dialect->getCanonicalizationPatterns(patterns);
        for (RegisteredOperationName op : context->getRegisteredOperations())
          if (&op.getDialect() == dialect)
            op.getCanonicalizationPatterns(patterns, context);
      }
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace nereid
