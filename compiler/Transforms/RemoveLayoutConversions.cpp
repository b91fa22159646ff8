//===- RemoveLayoutConversions.cpp - Layouts that need fewer moves --------===//
//
// What the pass promises is in Passes.td; LayoutGraph.h says how it chooses.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Target.h"
#include "compiler/Transforms/LayoutGraph.h"
#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/ReduceAfterLoops.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_REMOVELAYOUTCONVERSIONS
#include "compiler/Transforms/Passes.h.inc"

namespace {

struct RemoveLayoutConversions
    : impl::RemoveLayoutConversionsBase<RemoveLayoutConversions> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<StringAttr>(tgpu::kTargetAttr);
    const TargetInfo *info = name ? findTarget(name.getValue()) : nullptr;
    if (!info) {
      module.emitError() << "has no '" << tgpu::kTargetAttr
                         << "'; nrd-assign-layouts sets it";
      return signalPassFailure();
    }
    tgpu::ThreadCounts threads{int32_t(info->warpSize), tgpu::numWarps(module)};
    for (auto function : module.getOps<tt::FuncOp>()) {
      if (function.getBody().empty())
        continue;
      LayoutGraph graph(function, threads);
      SmallVector<tgpu::ConvertLayoutOp> conversions;
      function.walk([&](Operation *op) {
        if (auto conversion = dyn_cast<tgpu::ConvertLayoutOp>(op))
          conversions.push_back(conversion);
        else
          fix(op, graph);
      });
      for (tgpu::ConvertLayoutOp conversion : conversions) {
        conversion->replaceAllUsesWith(ValueRange(conversion.getSrc()));
        conversion->erase();
      }
      if (failed(graph.build()))
        return signalPassFailure();
      graph.improve();
      if (failed(graph.rewrite()))
        return signalPassFailure();
      reduceAfterLoops(function);
    }
  }

  /// What matrix units and copies in flight demand is not up for choice.
  static void fix(Operation *op, LayoutGraph &graph) {
    if (isa<tt::DotOp, tgpu::WarpgroupMMAOp>(op))
      graph.fixResults(op, tgpu::getLayout(op->getResult(0).getType()));
    if (isa<tt::DotOp, tgpu::WarpgroupMMAOp, tgpu::AsyncCopyOp>(op))
      for (OpOperand &operand : op->getOpOperands())
        if (auto layout = tgpu::getLayout(operand.get().getType()))
          graph.fixOperand(op, operand.getOperandNumber(), layout);
  }
};

} // namespace
} // namespace nereid
