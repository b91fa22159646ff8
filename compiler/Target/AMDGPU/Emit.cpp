//===- Emit.cpp - From the LLVM dialect to a code object ------------------===//

#include "compiler/Target/AMDGPU/Emit.h"

#include "compiler/Target/LLVM.h"
#include "compiler/Target/Link.h"
#include "compiler/Target/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/IR/Instructions.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace nereid::amdgpu {

void addLowerToLLVM(mlir::OpPassManager &pm, const TargetInfo &) {
  ExpandMathOptions math;
  math.hasFma = true;
  pm.addPass(createExpandMath(math));
  pm.addPass(mlir::createCSEPass());
  pm.addPass(mlir::createSCFToControlFlowPass());
  pm.addPass(mlir::createConvertToLLVMPass());
  pm.addPass(mlir::createReconcileUnrealizedCastsPass());
}

void registerEmitDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                  mlir::ub::UBDialect, mlir::vector::VectorDialect>();
  mlir::arith::registerConvertArithToLLVMInterface(registry);
  mlir::cf::registerConvertControlFlowToLLVMInterface(registry);
  mlir::index::registerConvertIndexToLLVMInterface(registry);
  mlir::registerConvertMathToLLVMInterface(registry);
  mlir::ub::registerConvertUBToLLVMInterface(registry);
  mlir::vector::registerConvertVectorToLLVMInterface(registry);
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
}

static void prepare(Module &module, StringRef entry, const TargetInfo &target) {
  module.addModuleFlag(Module::Error, "amdhsa_code_object_version",
                       codeObjectVersion(target) * 100);
  MDNode *none = MDNode::get(module.getContext(), {});
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getName() == entry)
      function.setVisibility(GlobalValue::ProtectedVisibility);
    function.addFnAttr("target-cpu", target.cpu);
    // Kernels' arrays are ordinary device memory, where the hardware's own
    // atomic addition of floats is right; else it would be a loop.
    for (BasicBlock &block : function)
      for (Instruction &instruction : block)
        if (isa<AtomicRMWInst>(instruction)) {
          instruction.setMetadata("amdgpu.no.fine.grained.memory", none);
          instruction.setMetadata("amdgpu.no.remote.memory", none);
        }
  }
}

/// Translates and optimizes; what is left is code generation.
static Expected<std::unique_ptr<LLVMKernel>>
build(mlir::ModuleOp op, StringRef entry, const TargetInfo &target) {
  Expected<std::unique_ptr<LLVMKernel>> kernel =
      LLVMKernel::translate(op, entry, target);
  if (!kernel)
    return kernel.takeError();
  prepare((*kernel)->module(), entry, target);
  if (Error error = (*kernel)->optimize())
    return error;
  return kernel;
}

Expected<std::string> emitCodeObject(mlir::ModuleOp op,
                                     const TargetInfo &target,
                                     const CodeObjectFacts &facts,
                                     ResourceReport *report) {
  Expected<std::unique_ptr<LLVMKernel>> kernel = build(op, facts.entry, target);
  if (!kernel)
    return kernel.takeError();
  Expected<std::string> object =
      (*kernel)->generate(CodeGenFileType::ObjectFile);
  if (!object)
    return object.takeError();
  Expected<std::string> image = linkSharedObject(*object, {});
  if (!image)
    return image.takeError();
  if (Error error = verifyCodeObject(*image, target, facts, report))
    return error;
  return image;
}

Expected<std::string> emitText(mlir::ModuleOp op, StringRef entry,
                               const TargetInfo &target, TextKind kind) {
  Expected<std::unique_ptr<LLVMKernel>> kernel = build(op, entry, target);
  if (!kernel)
    return kernel.takeError();
  return kind == TextKind::LLVM
             ? Expected<std::string>((*kernel)->print())
             : (*kernel)->generate(CodeGenFileType::AssemblyFile);
}

} // namespace nereid::amdgpu
