//===- TTCanonicalize.cpp - Rewriting ops to simpler ones -----------------===//

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace nereid::tt;

namespace {

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

// shape(splat(x)) -> splat(x), whatever the shape op does.
template <typename OpTy> struct OfSplat : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto splat = op->getOperand(0).template getDefiningOp<SplatOp>();
    if (!splat)
      return failure();
    rewriter.replaceOpWithNewOp<SplatOp>(op, op.getType(), splat.getSrc());
    return success();
  }
};

// broadcast(broadcast(x)) -> broadcast(x)
struct BroadcastTwice : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getSrc().getDefiningOp<BroadcastOp>();
    if (!inner)
      return failure();
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), inner.getSrc());
    return success();
  }
};

// expand_dims(broadcast(x)) -> broadcast(expand_dims(x)): the expansion then
// works on the smaller tensor, and broadcasts meet.
struct ExpandBroadcast : OpRewritePattern<ExpandDimsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ExpandDimsOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getSrc().getDefiningOp<BroadcastOp>();
    // Once there are layouts, the new value would need one.
    if (!inner || op.getType().getEncoding())
      return failure();
    Value expanded = ExpandDimsOp::create(rewriter, op.getLoc(), inner.getSrc(),
                                          op.getAxis());
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), expanded);
    return success();
  }
};

// reshape(reshape(x)) and reshape(expand_dims(x)) -> reshape(x)
struct ReshapeTwice : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *inner = op.getSrc().getDefiningOp();
    if (!isa_and_nonnull<ReshapeOp, ExpandDimsOp>(inner))
      return failure();
    bool reorder = op.getAllowReorder();
    if (auto reshape = dyn_cast<ReshapeOp>(inner))
      reorder |= reshape.getAllowReorder();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(),
                                           inner->getOperand(0), reorder,
                                           op.getEfficientLayout());
    return success();
  }
};

// trans(trans(x)) -> trans(x)
struct TransTwice : OpRewritePattern<TransOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getSrc().getDefiningOp<TransOp>();
    if (!inner)
      return failure();
    SmallVector<int32_t> order;
    for (int32_t dim : op.getOrder())
      order.push_back(inner.getOrder()[dim]);
    rewriter.replaceOpWithNewOp<TransOp>(op, op.getType(), inner.getSrc(),
                                         order);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Pointers
//===----------------------------------------------------------------------===//

// addptr(splat(p), splat(i)) -> splat(addptr(p, i))
struct AddPtrOfSplats : OpRewritePattern<AddPtrOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddPtrOp op,
                                PatternRewriter &rewriter) const override {
    auto pointer = op.getPtr().getDefiningOp<SplatOp>();
    SplatSource offset = getSplatSource(op.getOffset());
    if (!pointer || !offset)
      return failure();
    Value scalar = offset.scalar;
    if (!scalar)
      scalar = arith::ConstantOp::create(rewriter, op.getLoc(), offset.attr);
    Value moved =
        AddPtrOp::create(rewriter, op.getLoc(), pointer.getSrc(), scalar);
    rewriter.replaceOpWithNewOp<SplatOp>(op, op.getType(), moved);
    return success();
  }
};

// addptr(addptr(p, c1), c2) -> addptr(p, c1 + c2), where the sum of the
// constants fits their type.
struct AddPtrTwice : OpRewritePattern<AddPtrOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddPtrOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getPtr().getDefiningOp<AddPtrOp>();
    APInt first, second;
    if (!inner || inner.getOffset().getType() != op.getOffset().getType() ||
        !matchPattern(inner.getOffset(), m_ConstantInt(&first)) ||
        !matchPattern(op.getOffset(), m_ConstantInt(&second)))
      return failure();
    bool overflow = false;
    APInt sum = first.sadd_ov(second, overflow);
    if (overflow)
      return failure();
    Type type = op.getOffset().getType();
    TypedAttr attr = IntegerAttr::get(getElementType(type), sum);
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      attr = SplatElementsAttr::get(tensor, sum);
    Value offset = arith::ConstantOp::create(rewriter, op.getLoc(), attr);
    rewriter.replaceOpWithNewOp<AddPtrOp>(op, inner.getPtr(), offset);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

// The one value of a constant mask.
std::optional<bool> constantMask(Value mask) {
  APInt value;
  if (mask && matchPattern(mask, m_ConstantInt(&value)))
    return !value.isZero();
  return std::nullopt;
}

Value undefined(PatternRewriter &rewriter, Location loc, Type type) {
  return ub::PoisonOp::create(rewriter, loc, type,
                              ub::PoisonAttr::get(rewriter.getContext()));
}

struct LoadOfConstantMask : OpRewritePattern<LoadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LoadOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<bool> mask = constantMask(op.getMask());
    if (!mask)
      return failure();
    if (*mask) {
      auto plain =
          LoadOp::create(rewriter, op.getLoc(), op.getPtr(), op.getCache(),
                         op.getEvict(), op.getIsVolatile());
      plain->setDiscardableAttrs(op->getDiscardableAttrDictionary());
      rewriter.replaceOp(op, plain);
      return success();
    }
    Value other = op.getOther();
    rewriter.replaceOp(
        op, other ? other : undefined(rewriter, op.getLoc(), op.getType()));
    return success();
  }
};

struct StoreOfConstantMask : OpRewritePattern<StoreOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(StoreOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<bool> mask = constantMask(op.getMask());
    if (!mask)
      return failure();
    if (*mask)
      rewriter.modifyOpInPlace(op, [&] { op.getMaskMutable().clear(); });
    else
      rewriter.eraseOp(op);
    return success();
  }
};

// An atomic of no lane. A mask that is true stays: Triton's text always has it.
struct AtomicOfFalseMask : OpRewritePattern<AtomicRMWOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AtomicRMWOp op,
                                PatternRewriter &rewriter) const override {
    if (constantMask(op.getMask()) != false)
      return failure();
    rewriter.replaceOp(op, undefined(rewriter, op.getLoc(), op.getType()));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Reductions, scans, assertions
//===----------------------------------------------------------------------===//

// Along a dimension of size one there is nothing to combine.
struct ReduceOfOne : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getSrcs()[0].getType());
    if (type.getDimSize(op.getAxis()) != 1)
      return failure();
    SmallVector<Value> results;
    for (auto [source, result] :
         llvm::zip_equal(op.getSrcs(), op.getResultTypes())) {
      if (isa<RankedTensorType>(result))
        results.push_back(ReshapeOp::create(rewriter, op.getLoc(), result,
                                            source, /*allow_reorder=*/false,
                                            /*efficient_layout=*/false));
      else
        results.push_back(
            UnsplatOp::create(rewriter, op.getLoc(), result, source));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct ScanOfOne : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ScanOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getSrcs()[0].getType());
    if (type.getDimSize(op.getAxis()) != 1)
      return failure();
    rewriter.replaceOp(op, op.getSrcs());
    return success();
  }
};

struct AssertOfTrue : OpRewritePattern<AssertOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AssertOp op,
                                PatternRewriter &rewriter) const override {
    if (constantMask(op.getCondition()) != true)
      return failure();
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void ExpandDimsOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<OfSplat<ExpandDimsOp>, ExpandBroadcast>(context);
}

void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<OfSplat<BroadcastOp>, BroadcastTwice>(context);
}

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<OfSplat<ReshapeOp>, ReshapeTwice>(context);
}

void TransOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<OfSplat<TransOp>, TransTwice>(context);
}

void AddPtrOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<AddPtrOfSplats, AddPtrTwice>(context);
}

void LoadOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<LoadOfConstantMask>(context);
}

void StoreOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<StoreOfConstantMask>(context);
}

void AtomicRMWOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<AtomicOfFalseMask>(context);
}

void ReduceOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<ReduceOfOne>(context);
}

void ScanOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<ScanOfOne>(context);
}

void AssertOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<AssertOfTrue>(context);
}
