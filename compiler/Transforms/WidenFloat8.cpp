//===- WidenFloat8.cpp - Arithmetic of fp8 in f32 -------------------------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_WIDENFLOAT8
#include "compiler/Transforms/Passes.h.inc"

namespace {

bool isFloat8(Type type) {
  Type element = getElementTypeOrSelf(type);
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8;
}

Type withElement(Type type, Type element) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? Type(tensor.clone(element)) : element;
}

bool isArithmetic(Operation *op) {
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp,
             arith::RemFOp, arith::NegFOp, arith::MaxNumFOp, arith::MinNumFOp,
             arith::MaximumFOp, arith::MinimumFOp, arith::CmpFOp, math::AbsFOp,
             math::FmaOp, tt::ClampFOp>(op);
}

struct WidenFloat8 : impl::WidenFloat8Base<WidenFloat8> {
  void runOnOperation() override {
    SmallVector<Operation *> found;
    getOperation()->walk([&](Operation *op) {
      if (isArithmetic(op) && llvm::any_of(op->getOperandTypes(), isFloat8))
        found.push_back(op);
    });
    for (Operation *op : found)
      widen(op);
  }

  void widen(Operation *op) {
    OpBuilder builder(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Type type = operand.get().getType();
      if (isFloat8(type))
        operand.set(tt::FpToFpOp::create(
            builder, op->getLoc(), withElement(type, builder.getF32Type()),
            operand.get()));
    }
    builder.setInsertionPointAfter(op);
    for (OpResult result : op->getResults()) {
      Type type = result.getType();
      if (!isFloat8(type))
        continue;
      result.setType(withElement(type, builder.getF32Type()));
      auto narrow = tt::FpToFpOp::create(
          builder, op->getLoc(), type, result,
          tt::RoundingModeAttr::get(builder.getContext(),
                                    tt::RoundingMode::RTNE));
      result.replaceAllUsesExcept(narrow, narrow);
    }
  }
};

} // namespace
} // namespace nereid
