//===- LowerBlockPointers.cpp - Block pointers to pointers and masks ------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/OneToN.h"
#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/StridedBlock.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_LOWERBLOCKPOINTERS
#include "compiler/Transforms/Passes.h.inc"

namespace {

// A block pointer's values, in the order that the type converter gives their
// types: base, shape, strides, offsets.
StridedBlock unpack(ValueRange values, tt::PointerType type) {
  auto block = cast<RankedTensorType>(type.getPointeeType());
  unsigned rank = block.getRank();
  StridedBlock result;
  result.base = values[0];
  llvm::append_range(result.shape, values.slice(1, rank));
  llvm::append_range(result.strides, values.slice(1 + rank, rank));
  llvm::append_range(result.offsets, values.slice(1 + 2 * rank, rank));
  llvm::append_range(result.block, block.getShape());
  return result;
}

SmallVector<Value> pack(const StridedBlock &block) {
  SmallVector<Value> values{block.base};
  llvm::append_range(values, block.shape);
  llvm::append_range(values, block.strides);
  llvm::append_range(values, block.offsets);
  return values;
}

struct MakePattern : OpConversionPattern<tt::MakeTensorPtrOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::MakeTensorPtrOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StridedBlock block;
    block.base = adaptor.getBase();
    llvm::append_range(block.shape, adaptor.getShape());
    llvm::append_range(block.strides, adaptor.getStrides());
    for (Value offset : adaptor.getOffsets())
      block.offsets.push_back(toI64(rewriter, op.getLoc(), offset));
    SmallVector<Value> values = pack(block);
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{values});
    return success();
  }
};

struct AdvancePattern : OpConversionPattern<tt::AdvanceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::AdvanceOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StridedBlock block = unpack(adaptor.getPtr(), op.getType());
    for (auto [dim, step] : llvm::enumerate(adaptor.getOffsets()))
      block.offsets[dim] =
          arith::AddIOp::create(rewriter, op.getLoc(), block.offsets[dim],
                                toI64(rewriter, op.getLoc(), step.front()));
    SmallVector<Value> values = pack(block);
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{values});
    return success();
  }
};

struct LoadPattern : OpConversionPattern<tt::LoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::LoadOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    StridedBlock block =
        unpack(adaptor.getPtr(), cast<tt::PointerType>(op.getPtr().getType()));
    Value pointers = block.pointers(rewriter, loc);
    Value mask = block.mask(rewriter, loc, op.getBoundaryCheck());
    Value other;
    if (mask && op.getPadding() == tt::PaddingOption::PAD_ZERO)
      other = zeroOf(rewriter, loc, op.getType());
    if (mask && op.getPadding() == tt::PaddingOption::PAD_NAN)
      other = nanOf(rewriter, loc, op.getType());
    auto load =
        tt::LoadOp::create(rewriter, loc, pointers, mask, other, op.getCache(),
                           op.getEvict(), op.getIsVolatile());
    load->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    rewriter.replaceOp(op, load);
    return success();
  }
};

struct StorePattern : OpConversionPattern<tt::StoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::StoreOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    StridedBlock block =
        unpack(adaptor.getPtr(), cast<tt::PointerType>(op.getPtr().getType()));
    Value pointers = block.pointers(rewriter, loc);
    Value mask = block.mask(rewriter, loc, op.getBoundaryCheck());
    auto store =
        tt::StoreOp::create(rewriter, loc, pointers, adaptor.getValue().front(),
                            mask, op.getCache(), op.getEvict());
    store->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    rewriter.replaceOp(op, store);
    return success();
  }
};

struct LowerBlockPointers : impl::LowerBlockPointersBase<LowerBlockPointers> {
  void runOnOperation() override {
    TypeConverter converter;
    converter.addConversion([](Type type) { return type; });
    converter.addConversion(
        [](tt::PointerType type,
           SmallVectorImpl<Type> &types) -> std::optional<LogicalResult> {
          if (!tt::isBlockPtr(type))
            return std::nullopt;
          auto block = cast<RankedTensorType>(type.getPointeeType());
          types.push_back(tt::getBlockBaseType(type));
          types.append(3 * block.getRank(),
                       IntegerType::get(type.getContext(), 64));
          return success();
        });
    RewritePatternSet patterns(&getContext());
    patterns.add<MakePattern, AdvancePattern, LoadPattern, StorePattern>(
        converter, &getContext());
    if (failed(convertOneToN(getOperation(), converter, std::move(patterns),
                             "a block pointer")))
      signalPassFailure();
  }
};

} // namespace
} // namespace nereid
