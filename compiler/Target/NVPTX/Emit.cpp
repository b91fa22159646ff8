//===- Emit.cpp - From the LLVM dialect to PTX ----------------------------===//

#include "compiler/Target/NVPTX/Emit.h"

#include "compiler/Target/LLVM.h"
#include "compiler/Target/NVPTX/Optimize.h"
#include "compiler/Target/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"

using namespace llvm;

namespace nereid::nvptx {

void addLowerToLLVM(mlir::OpPassManager &pm, const TargetInfo &) {
  ExpandMathOptions math;
  math.hasFma = true;
  pm.addPass(createExpandMath(math)); // LLVM removes what is computed twice
  pm.addPass(mlir::createSCFToControlFlowPass());
  pm.addPass(mlir::createConvertToLLVMPass());
  pm.addPass(mlir::createReconcileUnrealizedCastsPass());
}

void registerEmitDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                  mlir::NVVM::NVVMDialect, mlir::ub::UBDialect,
                  mlir::vector::VectorDialect>();
  mlir::arith::registerConvertArithToLLVMInterface(registry);
  mlir::cf::registerConvertControlFlowToLLVMInterface(registry);
  mlir::index::registerConvertIndexToLLVMInterface(registry);
  mlir::registerConvertMathToLLVMInterface(registry);
  mlir::ub::registerConvertUBToLLVMInterface(registry);
  mlir::vector::registerConvertVectorToLLVMInterface(registry);
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
}

// A tensor map stays where the launch put it.
static void prepare(Module &module) {
  for (Function &function : module)
    for (Argument &argument : function.args())
      if (argument.hasByValAttr())
        argument.addAttr(
            Attribute::get(module.getContext(), "nvvm.grid_constant"));
}

Expected<std::string> emitText(mlir::ModuleOp op, StringRef entry,
                               const TargetInfo &target, TextKind kind) {
  setBackEndOptions();
  Expected<std::unique_ptr<LLVMKernel>> kernel =
      LLVMKernel::translate(op, entry, target);
  if (!kernel)
    return kernel.takeError();
  prepare((*kernel)->module());
  if (Error error = (*kernel)->optimize())
    return error;
  if (kind == TextKind::LLVM)
    return (*kernel)->print();
  return (*kernel)->generate(CodeGenFileType::AssemblyFile, makePassManager());
}

} // namespace nereid::nvptx
