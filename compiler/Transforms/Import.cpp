//===- Import.cpp - Bring tile IR from outside to our form ----------------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_IMPORT
#include "compiler/Transforms/Passes.h.inc"

namespace {

struct Import : impl::ImportBase<Import> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // By name, so that the GPU dialect is needed only by who parses it.
    getOperation().walk([&](Operation *op) {
      if (op->getName().getStringRef() != "gpu.barrier")
        return;
      rewriter.setInsertionPoint(op);
      ttg::BarrierOp::create(rewriter, op->getLoc(), ttg::BarrierScope::All);
      rewriter.eraseOp(op);
    });
    for (auto function : getOperation().getOps<tt::FuncOp>()) {
      function->removeAttr("noinline");
      (void)eraseUnreachableBlocks(rewriter, function->getRegions());
    }
  }
};

} // namespace
} // namespace nereid
