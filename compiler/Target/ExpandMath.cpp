//===- ExpandMath.cpp - Replace mathematical functions by polynomials -----===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Math.h"
#include "compiler/Target/MathEmitter.h"
#include "compiler/Target/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_EXPANDMATH
#include "compiler/Target/Passes.h.inc"

namespace {

bool isExpandable(Type type) {
  Type element = getElementTypeOrSelf(type);
  auto vector = dyn_cast<VectorType>(type);
  return (element.isF32() || element.isF64()) &&
         (!vector || (vector.getRank() == 1 && !vector.isScalable()));
}

// One operand, one MathEmitter function.
template <typename Op, Num (MathEmitter::*function)(Num) const>
struct ExpandUnary : OpRewritePattern<Op> {
  ExpandUnary(MLIRContext *context, const MathFeatures &features)
      : OpRewritePattern<Op>(context), features(features) {}

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!isExpandable(op.getType()))
      return failure();
    Num x(rewriter, op.getLoc(), op->getOperand(0));
    rewriter.replaceOp(op, Value((MathEmitter(x, features).*function)(x)));
    return success();
  }
  MathFeatures features;
};

template <typename Op, Num (MathEmitter::*function)(Num, Num) const>
struct ExpandBinary : OpRewritePattern<Op> {
  ExpandBinary(MLIRContext *context, const MathFeatures &features)
      : OpRewritePattern<Op>(context), features(features) {}

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!isExpandable(op.getType()))
      return failure();
    Num x(rewriter, op.getLoc(), op->getOperand(0));
    Num y(rewriter, op.getLoc(), op->getOperand(1));
    rewriter.replaceOp(op, Value((MathEmitter(x, features).*function)(x, y)));
    return success();
  }
  MathFeatures features;
};

struct ExpandFma : OpRewritePattern<math::FmaOp> {
  ExpandFma(MLIRContext *context, const MathFeatures &features)
      : OpRewritePattern<math::FmaOp>(context), features(features) {}

  LogicalResult matchAndRewrite(math::FmaOp op,
                                PatternRewriter &rewriter) const override {
    if (features.fma || !isExpandable(op.getType()))
      return failure();
    Num a(rewriter, op.getLoc(), op.getA());
    Num result = MathEmitter(a, features)
                     .exactFma(a, a.with(op.getB()), a.with(op.getC()));
    rewriter.replaceOp(op, Value(result));
    return success();
  }
  MathFeatures features;
};

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    MathFeatures features;
    features.fma = hasFma;
    features.scalef = hasScalef;
    // Most kernels have few of these or none: only they are visited.
    SmallVector<Operation *> found;
    getOperation()->walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()) || isa<arith::RemFOp>(op))
        found.push_back(op);
    });
    if (found.empty())
      return;
    RewritePatternSet patterns(&getContext());
    populateExpandMathPatterns(patterns, features);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    if (failed(applyOpPatternsGreedily(found, std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace

void populateExpandMathPatterns(RewritePatternSet &patterns,
                                const MathFeatures &features) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ExpandUnary<math::ExpOp, &MathEmitter::exp>,
               ExpandUnary<math::Exp2Op, &MathEmitter::exp2>,
               ExpandUnary<math::ExpM1Op, &MathEmitter::expm1>,
               ExpandUnary<math::LogOp, &MathEmitter::log>,
               ExpandUnary<math::Log2Op, &MathEmitter::log2>,
               ExpandUnary<math::Log10Op, &MathEmitter::log10>,
               ExpandUnary<math::Log1pOp, &MathEmitter::log1p>,
               ExpandUnary<math::SinOp, &MathEmitter::sin>,
               ExpandUnary<math::CosOp, &MathEmitter::cos>,
               ExpandUnary<math::TanOp, &MathEmitter::tan>,
               ExpandUnary<math::SinhOp, &MathEmitter::sinh>,
               ExpandUnary<math::CoshOp, &MathEmitter::cosh>,
               ExpandUnary<math::TanhOp, &MathEmitter::tanh>,
               ExpandUnary<math::AsinOp, &MathEmitter::asin>,
               ExpandUnary<math::AcosOp, &MathEmitter::acos>,
               ExpandUnary<math::AtanOp, &MathEmitter::atan>,
               ExpandUnary<math::AsinhOp, &MathEmitter::asinh>,
               ExpandUnary<math::AcoshOp, &MathEmitter::acosh>,
               ExpandUnary<math::AtanhOp, &MathEmitter::atanh>,
               ExpandUnary<math::ErfOp, &MathEmitter::erf>,
               ExpandUnary<math::ErfcOp, &MathEmitter::erfc>,
               ExpandUnary<math::RsqrtOp, &MathEmitter::rsqrt>,
               ExpandUnary<math::CbrtOp, &MathEmitter::cbrt>,
               ExpandUnary<math::RoundOp, &MathEmitter::round>,
               ExpandBinary<math::Atan2Op, &MathEmitter::atan2>,
               ExpandBinary<math::PowFOp, &MathEmitter::pow>,
               ExpandBinary<arith::RemFOp, &MathEmitter::remainder>, ExpandFma>(
      context, features);
}

} // namespace nereid
