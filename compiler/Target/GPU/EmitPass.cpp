//===- EmitPass.cpp - The lowering as a pass, for tests -------------------===//

#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::gpu {
#define GEN_PASS_DEF_EMITGPU
#include "compiler/Target/GPU/Passes.h.inc"

namespace {
struct EmitGPU : impl::EmitGPUBase<EmitGPU> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<StringAttr>(tgpu::kTargetAttr);
    const TargetInfo *target = name ? findTarget(name.getValue()) : nullptr;
    std::unique_ptr<TargetHooks> hooks = target ? makeHooks(*target) : nullptr;
    if (!hooks) {
      module.emitError() << "'" << tgpu::kTargetAttr
                         << "' must name a GPU target that has code generation";
      return signalPassFailure();
    }
    KernelFacts facts;
    if (failed(emitKernel(module, *target, *hooks, facts)))
      signalPassFailure();
  }
};
} // namespace
} // namespace nereid::gpu
