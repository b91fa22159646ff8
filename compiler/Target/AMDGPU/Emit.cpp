//===- Emit.cpp - From the LLVM dialect to a code object ------------------===//

#include "compiler/Target/AMDGPU/Emit.h"

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

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

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

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

namespace {
// LLVM's default prints errors and ends the process.
struct Recorder : DiagnosticHandler {
  explicit Recorder(std::string &errors) : errors(errors) {}

  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() == DS_Error) {
      raw_string_ostream stream(errors);
      DiagnosticPrinterRawOStream printer(stream);
      if (!errors.empty())
        stream << "; ";
      info.print(printer);
    }
    return true;
  }
  bool isAnyRemarkEnabled() const override { return false; }

  std::string &errors;
};
} // namespace

static Expected<std::unique_ptr<TargetMachine>>
createMachine(const TargetInfo &target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmPrinter();
  });
  Triple triple(target.triple);
  std::string message;
  const Target *backEnd = TargetRegistry::lookupTarget(triple, message);
  if (!backEnd)
    return fail("no code generator for '" + target.name + "': " + message);
  TargetOptions options;
  // Contraction is decided per operation: our math library must not be
  // contracted, the kernel's own arithmetic is.
  options.AllowFPOpFusion = FPOpFusion::Standard;
  std::unique_ptr<TargetMachine> machine(backEnd->createTargetMachine(
      triple, target.cpu, target.features, options, Reloc::PIC_, std::nullopt,
      CodeGenOptLevel::Aggressive));
  if (!machine)
    return fail("no machine description for '" + target.name + "'");
  return machine;
}

static void prepare(Module &module, StringRef entry, const TargetInfo &target) {
  module.addModuleFlag(Module::Error, "amdhsa_code_object_version",
                       codeObjectVersion(target) * 100);
  for (GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && value.getName() != entry)
      value.setLinkage(GlobalValue::InternalLinkage);
  MDNode *none = MDNode::get(module.getContext(), {});
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getName() == entry)
      function.setVisibility(GlobalValue::ProtectedVisibility);
    function.setDoesNotThrow();
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

static void optimize(Module &module, TargetMachine &machine) {
  PipelineTuningOptions tuning;
  // The kernel is one thread's code: what could be a vector is one already.
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.SLPVectorization = false;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager calls;
  ModuleAnalysisManager modules;
  PassBuilder passes(&machine, tuning);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(calls);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, calls, modules);
  passes.buildPerModuleDefaultPipeline(OptimizationLevel::O3)
      .run(module, modules);
}

/// Translates and optimizes; what is left is code generation.
static Expected<std::unique_ptr<Module>>
buildModule(mlir::ModuleOp op, StringRef entry, const TargetInfo &target,
            TargetMachine &machine, LLVMContext &context) {
  std::unique_ptr<Module> module =
      mlir::translateModuleToLLVMIR(op, context, "kernel");
  if (!module)
    return fail("the kernel could not be translated to LLVM IR");
  Function *function = module->getFunction(entry);
  if (!function || function->isDeclaration())
    return fail("the module defines no function '" + entry + "'");
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  prepare(*module, entry, target);
  optimize(*module, machine);
  return module;
}

static Expected<std::string> generate(Module &module, TargetMachine &machine,
                                      CodeGenFileType type,
                                      const std::string &errors) {
  SmallVector<char, 0> out;
  raw_svector_ostream stream(out);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return fail("the code generator cannot write this kind of file");
  passes.run(module);
  if (!errors.empty())
    return fail("code generation failed: " + errors);
  return std::string(out.data(), out.size());
}

Expected<std::string> emitCodeObject(mlir::ModuleOp op,
                                     const TargetInfo &target,
                                     const CodeObjectFacts &facts,
                                     ResourceReport *report) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  LLVMContext context;
  std::string errors;
  context.setDiagnosticHandler(std::make_unique<Recorder>(errors));
  Expected<std::unique_ptr<Module>> module =
      buildModule(op, facts.entry, target, **machine, context);
  if (!module)
    return module.takeError();
  Expected<std::string> object =
      generate(**module, **machine, CodeGenFileType::ObjectFile, errors);
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
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  LLVMContext context;
  std::string errors;
  context.setDiagnosticHandler(std::make_unique<Recorder>(errors));
  Expected<std::unique_ptr<Module>> module =
      buildModule(op, entry, target, **machine, context);
  if (!module)
    return module.takeError();
  if (kind == TextKind::Asm)
    return generate(**module, **machine, CodeGenFileType::AssemblyFile, errors);
  std::string text;
  raw_string_ostream stream(text);
  (*module)->print(stream, nullptr);
  return text;
}

} // namespace nereid::amdgpu
