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

// A switch of several cases becomes a chain of scf.if, the one form of a choice
// that later passes know. Cases of a lifted switch are 0, 1, ... of an index.
void switchToIfs(IRRewriter &rewriter, scf::IndexSwitchOp op) {
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  scf::IfOp outermost;
  for (auto [value, region] :
       llvm::zip_equal(op.getCases(), op.getCaseRegions())) {
    Value number = arith::ConstantIndexOp::create(rewriter, loc, value);
    Value matches = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::eq, op.getArg(), number);
    auto choice = scf::IfOp::create(rewriter, loc, op.getResultTypes(), matches,
                                    /*addThenBlock=*/false,
                                    /*addElseBlock=*/false);
    rewriter.inlineRegionBefore(region, choice.getThenRegion(),
                                choice.getThenRegion().end());
    rewriter.createBlock(&choice.getElseRegion());
    if (outermost) {
      rewriter.setInsertionPointAfter(choice);
      scf::YieldOp::create(rewriter, loc, choice.getResults());
    } else {
      outermost = choice;
    }
    rewriter.setInsertionPointToStart(choice.elseBlock());
  }
  Block *last = rewriter.getInsertionBlock();
  rewriter.mergeBlocks(&op.getDefaultRegion().front(), last);
  rewriter.replaceOp(op, outermost.getResults());
}

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
      return signalPassFailure();

    SmallVector<scf::IndexSwitchOp> switches;
    getOperation().walk([&](scf::IndexSwitchOp op) {
      if (op.getNumCases() != 0)
        switches.push_back(op);
    });
    for (scf::IndexSwitchOp op : switches)
      switchToIfs(rewriter, op);
  }
};

} // namespace
} // namespace nereid
