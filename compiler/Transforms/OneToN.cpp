//===- OneToN.cpp - Types that become several values ----------------------===//

#include "compiler/Transforms/OneToN.h"

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Dialect/ControlFlow/Transforms/StructuralTypeConversions.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"

using namespace mlir;

namespace nereid {
namespace {

SmallVector<Value> flatten(ArrayRef<ValueRange> groups) {
  SmallVector<Value> flat;
  for (ValueRange group : groups)
    flat.append(group.begin(), group.end());
  return flat;
}

// A function's arguments. Attributes of an argument that is split are dropped:
// they told something about the whole.
struct FunctionPattern : OpConversionPattern<tt::FuncOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::FuncOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    FunctionType type = op.getFunctionType();
    TypeConverter::SignatureConversion signature(type.getNumInputs());
    SmallVector<DictionaryAttr> argAttrs;
    for (auto [index, input] : llvm::enumerate(type.getInputs())) {
      SmallVector<Type> types;
      if (failed(getTypeConverter()->convertType(input, types)))
        return failure();
      signature.addInputs(index, types);
      bool kept = types.size() == 1 && types[0] == input;
      DictionaryAttr attrs = kept ? op.getArgAttrDict(index) : nullptr;
      argAttrs.append(types.size(),
                      attrs ? attrs : rewriter.getDictionaryAttr({}));
    }
    SmallVector<Type> results;
    if (failed(getTypeConverter()->convertTypes(type.getResults(), results)))
      return failure();
    if (!op.isExternal() &&
        failed(rewriter.convertRegionTypes(&op.getBody(), *getTypeConverter(),
                                           &signature)))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.setType(
          rewriter.getFunctionType(signature.getConvertedTypes(), results));
      op.setAllArgAttrs(argAttrs);
      if (results.size() != type.getNumResults())
        op.removeResAttrsAttr();
    });
    return success();
  }
};

struct CallPattern : OpConversionPattern<tt::CallOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::CallOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> results;
    SmallVector<unsigned> counts;
    for (Type type : op.getResultTypes()) {
      SmallVector<Type> types;
      if (failed(getTypeConverter()->convertType(type, types)))
        return failure();
      counts.push_back(types.size());
      results.append(types);
    }
    auto call = tt::CallOp::create(rewriter, op.getLoc(), op.getCallee(),
                                   results, flatten(adaptor.getOperands()));
    SmallVector<ValueRange> groups;
    unsigned next = 0;
    for (unsigned count : counts) {
      groups.push_back(call.getResults().slice(next, count));
      next += count;
    }
    rewriter.replaceOpWithMultiple(op, groups);
    return success();
  }
};

struct ReturnPattern : OpConversionPattern<tt::ReturnOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::ReturnOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<tt::ReturnOp>(op,
                                              flatten(adaptor.getOperands()));
    return success();
  }
};

struct SelectPattern : OpConversionPattern<arith::SelectOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(arith::SelectOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> parts;
    for (auto [a, b] :
         llvm::zip_equal(adaptor.getTrueValue(), adaptor.getFalseValue()))
      parts.push_back(arith::SelectOp::create(
          rewriter, op.getLoc(), adaptor.getCondition().front(), a, b));
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{parts});
    return success();
  }
};

struct PoisonPattern : OpConversionPattern<ub::PoisonOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ub::PoisonOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertType(op.getType(), types)))
      return failure();
    SmallVector<Value> parts;
    for (Type type : types)
      parts.push_back(
          ub::PoisonOp::create(rewriter, op.getLoc(), type, op.getValue()));
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{parts});
    return success();
  }
};

} // namespace

LogicalResult convertOneToN(ModuleOp module, const TypeConverter &converter,
                            RewritePatternSet patterns, StringRef what) {
  MLIRContext *context = module.getContext();
  auto isDone = [&](Operation *op) {
    if (auto function = dyn_cast<tt::FuncOp>(op))
      if (!converter.isSignatureLegal(function.getFunctionType()))
        return false;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (!converter.isLegal(block.getArgumentTypes()))
          return false;
    return converter.isLegal(op->getOperandTypes()) &&
           converter.isLegal(op->getResultTypes());
  };

  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal(isDone);
  patterns.add<FunctionPattern, CallPattern, ReturnPattern, SelectPattern,
               PoisonPattern>(converter, context);
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  cf::populateCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                     target);

  // The driver's own message would name neither the reason nor the type.
  DenseSet<OperationName> handled;
  for (const auto &pattern : patterns.getNativePatterns())
    if (std::optional<OperationName> root = pattern->getRootKind())
      handled.insert(*root);
  WalkResult result = module.walk([&](Operation *op) {
    if (isDone(op) || handled.contains(op->getName()))
      return WalkResult::advance();
    op->emitOpError() << "cannot take " << what << " here";
    return WalkResult::interrupt();
  });
  if (result.wasInterrupted())
    return failure();
  return applyPartialConversion(module, target, std::move(patterns));
}

} // namespace nereid
