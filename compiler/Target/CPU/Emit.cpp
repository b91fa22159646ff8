//===- Emit.cpp - From the LLVM dialect to a freestanding ELF -------------===//

#include "compiler/Target/CPU/Emit.h"

#include "compiler/Target/CPU/Link.h"
#include "compiler/Target/CPU/Passes.h"
#include "compiler/Target/LLVM.h"
#include "compiler/Target/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/AMX/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Target/TargetOptions.h"

using namespace llvm;

namespace nereid::cpu {

void addLowerToLLVM(mlir::OpPassManager &pm, const TargetInfo &target) {
  ExpandMathOptions math;
  math.hasFma = hasFma(target);
  math.hasScalef = hasScalef(target);
  pm.addPass(createExpandMath(math));
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(mlir::createCSEPass());
  pm.addPass(mlir::createSCFToControlFlowPass());
  mlir::ConvertVectorToLLVMPassOptions vector;
  vector.force32BitVectorIndices = false;
  pm.addPass(mlir::createConvertVectorToLLVMPass(vector));
  pm.addPass(mlir::createConvertToLLVMPass());
  pm.addPass(mlir::createReconcileUnrealizedCastsPass());
  CheckLibraryCallsOptions calls;
  calls.hasFma = hasFma(target);
  pm.addPass(createCheckLibraryCalls(calls));
}

void registerEmitDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::amx::AMXDialect, mlir::arith::ArithDialect,
                  mlir::cf::ControlFlowDialect, mlir::func::FuncDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                  mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                  mlir::ub::UBDialect, mlir::vector::VectorDialect>();
  mlir::arith::registerConvertArithToLLVMInterface(registry);
  mlir::cf::registerConvertControlFlowToLLVMInterface(registry);
  mlir::registerConvertFuncToLLVMInterface(registry);
  mlir::index::registerConvertIndexToLLVMInterface(registry);
  mlir::registerConvertMathToLLVMInterface(registry);
  mlir::registerConvertMemRefToLLVMInterface(registry);
  mlir::ub::registerConvertUBToLLVMInterface(registry);
  mlir::vector::registerConvertVectorToLLVMInterface(registry);
  mlir::registerConvertAMXToLLVMInterface(registry);
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
}

static void prepare(Module &module, StringRef entry, const TargetInfo &target) {
  module.setPICLevel(PICLevel::BigPIC);
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getName() == entry) {
      function.setVisibility(GlobalValue::DefaultVisibility);
      function.setDSOLocal(true);
    }
    function.removeFnAttr(Attribute::UWTable);
    function.addFnAttr("frame-pointer", "none");
    // Also makes the reported frame the whole frame.
    function.addFnAttr(Attribute::NoRedZone);
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", target.features);
  }
}

// Translates and optimizes; what is left is code generation.
static Expected<std::unique_ptr<LLVMKernel>>
build(mlir::ModuleOp op, StringRef entry, const TargetInfo &target) {
  LLVMSettings settings;
  settings.adjust = [](TargetOptions &options) {
    options.UseInitArray = true; // so that a constructor is seen and refused
    options.EmitStackSizeSection = true;
    options.MCOptions.AsmVerbose = true; // "Spill" comments, for inspection
  };
  settings.codeModel = CodeModel::Small;
  settings.freestanding = true;
  settings.countSpills = true;
  Expected<std::unique_ptr<LLVMKernel>> kernel =
      LLVMKernel::translate(op, entry, target, settings);
  if (!kernel)
    return kernel.takeError();
  prepare((*kernel)->module(), entry, target);
  if (Error error = (*kernel)->optimize())
    return error;
  return kernel;
}

Expected<std::string> emitSharedObject(mlir::ModuleOp op, StringRef entry,
                                       const TargetInfo &target,
                                       ResourceReport *report) {
  Expected<std::unique_ptr<LLVMKernel>> kernel = build(op, entry, target);
  if (!kernel)
    return kernel.takeError();
  Expected<std::string> object =
      (*kernel)->generate(CodeGenFileType::ObjectFile);
  if (!object)
    return object.takeError();
  Expected<std::string> image = linkSharedObject(*object);
  if (!image)
    return image.takeError();
  if (Error error = verifySharedObject(*image, entry))
    return error;
  if (!report)
    return image;
  if (Error error = fillReport(*image, *object, *report))
    return error;
  uint64_t spills = (*kernel)->spills(), reloads = (*kernel)->reloads();
  if (spills + reloads == 0)
    report->spillBytes = 0; // the frame holds saved registers only
  else
    report->notes.push_back(
        formatv("{0} register spills and {1} reloads", spills, reloads));
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

} // namespace nereid::cpu
