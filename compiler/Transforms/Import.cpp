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

// Calls that inlining cannot remove: of a function without a body, and of one
// that is on the way to the call already.
class CallCheck {
public:
  explicit CallCheck(ModuleOp module) : symbols(module) {}

  LogicalResult run(tt::FuncOp function) {
    if (done.contains(function))
      return success();
    active.insert(function);
    WalkResult result = function.walk([&](tt::CallOp call) {
      auto callee = symbols.lookup<tt::FuncOp>(call.getCallee());
      if (!callee || callee.isExternal()) {
        call.emitOpError() << "calls @" << call.getCallee()
                           << ", which has no body";
        return WalkResult::interrupt();
      }
      if (active.contains(callee)) {
        call.emitOpError() << "calls @" << call.getCallee()
                           << " from within it; no target has recursion";
        return WalkResult::interrupt();
      }
      return failed(run(callee)) ? WalkResult::interrupt()
                                 : WalkResult::advance();
    });
    active.erase(function);
    done.insert(function);
    return failure(result.wasInterrupted());
  }

private:
  SymbolTable symbols;
  DenseSet<Operation *> active, done;
};

struct Import : impl::ImportBase<Import> {
  void runOnOperation() override {
    CallCheck check(getOperation());
    for (auto function : getOperation().getOps<tt::FuncOp>())
      if (failed(check.run(function)))
        return signalPassFailure();

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
