//===- VerifyLayouts.cpp - Checks the rules of LayoutRules.h --------------===//

#include "compiler/Target/Target.h"
#include "compiler/Transforms/LayoutRules.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_VERIFYLAYOUTS
#include "compiler/Transforms/Passes.h.inc"

namespace {

using tgpu::LayoutAttr;

struct VerifyLayouts : impl::VerifyLayoutsBase<VerifyLayouts> {
  void runOnOperation() override {
    bool valid = true;
    getOperation()->walk([&](Operation *op) {
      valid &= succeeded(verifyTypes(op)) && succeeded(verifyRule(op));
    });
    if (!valid)
      signalPassFailure();
  }

  /// Every tensor has a layout, of as many threads as its part of the kernel.
  LogicalResult verifyTypes(Operation *op) {
    auto verify = [&](Type type) -> LogicalResult {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor)
        return success();
      LayoutAttr layout = tgpu::getLayout(tensor);
      if (!layout)
        return op->emitError() << "has a tensor without a layout: " << tensor;
      int32_t warps = tgpu::numWarps(op);
      if (layout.getLinear().inSize("warp") != warps)
        return op->emitError()
               << "has a tensor for " << layout.getLinear().inSize("warp")
               << " warps where there are " << warps << ": " << tensor;
      if (layout.getLinear().freeVariableMask("register"))
        return op->emitError()
               << "has a tensor whose registers hold copies: " << tensor;
      return success();
    };
    for (Type type : op->getResultTypes())
      if (failed(verify(type)))
        return failure();
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Type type : block.getArgumentTypes())
          if (failed(verify(type)))
            return failure();
    return success();
  }

  LogicalResult verifyRule(Operation *op) {
    LayoutRule rule = getLayoutRule(op);
    SmallVector<LayoutAttr> operands, results;
    for (Type type : op->getOperandTypes())
      if (LayoutAttr layout = tgpu::getLayout(type))
        operands.push_back(layout);
    for (Type type : op->getResultTypes())
      if (LayoutAttr layout = tgpu::getLayout(type))
        results.push_back(layout);
    auto check = [&](LayoutAttr found, LayoutAttr wanted,
                     StringRef what) -> LogicalResult {
      if (found == wanted)
        return success();
      auto diagnostic = op->emitError() << what << " is laid out as " << found;
      if (wanted)
        diagnostic << " instead of " << wanted;
      else
        diagnostic << ", in which the operation cannot work";
      return diagnostic;
    };
    switch (rule) {
    case LayoutRule::Same: {
      LayoutAttr one = results.empty() ? operands.front() : results.front();
      for (LayoutAttr layout : llvm::concat<LayoutAttr>(operands, results))
        if (failed(check(layout, one, "a tensor")))
          return failure();
      return isLegalLayout(op, one) ? success() : check(one, {}, "the result");
    }
    case LayoutRule::Shape:
    case LayoutRule::Join:
    case LayoutRule::Cat: {
      LayoutAttr wanted = operandLayout(op, results.front());
      if (!wanted)
        return check(results.front(), {}, "the result");
      for (LayoutAttr layout : operands)
        if (failed(check(layout, wanted, "an operand")))
          return failure();
      return success();
    }
    case LayoutRule::Reduce:
    case LayoutRule::Split: {
      for (LayoutAttr layout : operands)
        if (failed(check(layout, operands.front(), "an operand")))
          return failure();
      LayoutAttr wanted = resultLayout(op, operands.front());
      if (!wanted)
        return check(operands.front(), {}, "the operand");
      for (LayoutAttr layout : results)
        if (failed(check(layout, wanted, "a result")))
          return failure();
      return success();
    }
    case LayoutRule::Histogram:
      for (LayoutAttr layout : operands)
        if (failed(check(layout, operands.front(), "an operand")))
          return failure();
      return success();
    case LayoutRule::Gather:
      return check(operands.back(), results.front(), "the tensor of indices");
    case LayoutRule::Dot:
      return check(tgpu::getLayout(op->getOperand(2).getType()),
                   results.front(), "the accumulator");
    case LayoutRule::Wait:
      for (auto [operand, result] :
           llvm::zip(op->getOperandTypes(), op->getResultTypes()))
        if (failed(check(tgpu::getLayout(result), tgpu::getLayout(operand),
                         "a result")))
          return failure();
      return success();
    default:
      return success();
    }
  }
};

} // namespace
} // namespace nereid
