//===- Lowering.cpp - The way from tile IR to LLVM's dialect --------------===//

#include "compiler/Target/CPU/Lowering.h"

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/CPU/Emit.h"
#include "compiler/Target/CPU/Kernel.h"
#include "compiler/Target/CPU/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nereid::cpu {
#define GEN_PASS_DEF_LOWERTOLOOPS
#include "compiler/Target/CPU/Passes.h.inc"

LogicalResult lowerToLoops(ModuleOp module, const TargetInfo &target,
                           KernelLayout &out) {
  tt::FuncOp kernel;
  for (auto func : llvm::make_early_inc_range(module.getOps<tt::FuncOp>())) {
    if (!func.isKernel()) {
      // Inlined everywhere.
      if (SymbolTable::symbolKnownUseEmpty(func, module)) {
        func.erase();
        continue;
      }
      func.emitError("a function that was not inlined cannot be compiled for "
                     "CPU targets");
      return failure();
    }
    if (kernel) {
      func.emitError("a module has one kernel; this is the second");
      return failure();
    }
    kernel = func;
  }
  if (!kernel || kernel.isExternal()) {
    module.emitError("the module has no kernel");
    return failure();
  }
  MLIRContext *context = module.getContext();
  context->loadDialect<arith::ArithDialect, cf::ControlFlowDialect,
                       LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect,
                       vector::VectorDialect>();
  return Kernel(kernel, target, out).run();
}

LogicalResult lowerToLLVM(ModuleOp module, const TargetInfo &target,
                          KernelLayout &out) {
  PassManager before(module.getContext());
  before.addPass(createCanonicalizerPass());
  before.addPass(createCSEPass());
  if (failed(before.run(module)) || failed(lowerToLoops(module, target, out)))
    return failure();
  PassManager after(module.getContext());
  after.addPass(createCanonicalizerPass());
  after.addPass(createCSEPass());
  addLowerToLLVM(after, target);
  return after.run(module);
}

namespace {
struct LowerToLoops : impl::LowerToLoopsBase<LowerToLoops> {
  using LowerToLoopsBase::LowerToLoopsBase;

  void runOnOperation() override {
    const TargetInfo *info = findTarget(target);
    if (!info || info->family != TargetFamily::CPU) {
      getOperation().emitError() << "'" << target << "' is not a CPU target";
      return signalPassFailure();
    }
    KernelLayout layout;
    if (failed(lowerToLoops(getOperation(), *info, layout)))
      signalPassFailure();
  }
};
} // namespace

} // namespace nereid::cpu
