//===- StructureControlFlow.cpp - Branches between blocks to scf ----------===//
//
// What the pass promises is in Passes.td. MLIR brings the algorithm; this file
// says how our functions end.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Conversion/ControlFlowToSCF/ControlFlowToSCF.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CFGToSCF.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_STRUCTURECONTROLFLOW
#include "compiler/Transforms/Passes.h.inc"

namespace {

struct Transformation : ControlFlowToSCFTransformation {
  // The end of a region that a loop never leaves: results that nobody sees.
  FailureOr<Operation *> createUnreachableTerminator(Location loc,
                                                     OpBuilder &builder,
                                                     Region &region) override {
    Operation *parent = region.getParentOp();
    SmallVector<Type> types;
    if (auto function = dyn_cast<tt::FuncOp>(parent))
      llvm::append_range(types, function.getFunctionType().getResults());
    else if (auto map = dyn_cast<tt::MapElementwiseOp>(parent))
      for (Type type : map->getResultTypes())
        types.append(map.getPack(), tt::getElementType(type));
    else
      return parent->emitOpError() << "holds a loop that never ends";
    SmallVector<Value> values;
    for (Type type : types)
      values.push_back(getUndefValue(loc, builder, type));
    if (isa<tt::FuncOp>(parent))
      return tt::ReturnOp::create(builder, loc, values).getOperation();
    return tt::MapElementwiseReturnOp::create(builder, loc, values)
        .getOperation();
  }
};

struct StructureControlFlow
    : impl::StructureControlFlowBase<StructureControlFlow> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    Transformation transformation;
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (!isa<tt::FuncOp, tt::MapElementwiseOp>(op))
        return WalkResult::advance();
      (void)eraseUnreachableBlocks(rewriter, op->getRegions());
      for (Region &region : op->getRegions()) {
        if (region.empty() || region.hasOneBlock())
          continue;
        DominanceInfo dominance(op);
        if (failed(transformCFGToSCF(region, transformation, dominance)))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace nereid
