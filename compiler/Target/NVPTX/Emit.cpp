//===- Emit.cpp - From the LLVM dialect to PTX ----------------------------===//

#include "compiler/Target/NVPTX/Emit.h"

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

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace llvm;

namespace nereid::nvptx {

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

/// Options of LLVM's NVPTX back end that no interface but its command line has.
static void setBackEndOptions() {
  auto &known = cl::getRegisteredOptions();
  auto set = [&](StringRef name) {
    auto option = known.find(name);
    if (option != known.end())
      option->second->addOccurrence(0, name, "true");
  };
  // Pointers into shared memory take one register, and sums of them one
  // instruction.
  set("nvptx-short-ptr");
}

static Expected<std::unique_ptr<TargetMachine>>
createMachine(const TargetInfo &target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    setBackEndOptions();
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

static void prepare(Module &module, StringRef entry) {
  for (GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && value.getName() != entry)
      value.setLinkage(GlobalValue::InternalLinkage);
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.setDoesNotThrow();
    // A tensor map stays where the launch put it.
    for (Argument &argument : function.args())
      if (argument.hasByValAttr())
        argument.addAttr(
            Attribute::get(module.getContext(), "nvvm.grid_constant"));
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

//===-- Fatal errors ------------------------------------------------------===//

// LLVM ends the process where its code generator cannot go on, for example on
// an operation that it cannot select. That must be an error like any other: the
// reason is kept, and the abort leads back to `emitText`.
static thread_local std::string *fatalReason = nullptr;

static void keepReason(void *, const char *reason, bool) {
  if (!fatalReason)
    return; // not ours: LLVM prints it and goes on to end the process
  *fatalReason = reason;
  abort();
}

static void enableRecovery() {
  static std::once_flag once;
  std::call_once(once, [] {
    CrashRecoveryContext::Enable();
    install_fatal_error_handler(keepReason);
  });
}

namespace {
/// One module while it is compiled.
struct Compilation {
  LLVMContext context;
  std::string errors;
  std::unique_ptr<TargetMachine> machine;
  std::unique_ptr<Module> module;
};
} // namespace

static void writeText(Compilation &compilation, TextKind kind,
                      std::string &text, std::string &problem) {
  optimize(*compilation.module, *compilation.machine);
  if (kind == TextKind::LLVM) {
    raw_string_ostream stream(text);
    compilation.module->print(stream, nullptr);
    return;
  }
  SmallVector<char, 0> assembly;
  raw_svector_ostream stream(assembly);
  legacy::PassManager passes;
  if (compilation.machine->addPassesToEmitFile(passes, stream, nullptr,
                                               CodeGenFileType::AssemblyFile)) {
    problem = "the code generator cannot write PTX";
    return;
  }
  passes.run(*compilation.module);
  text.assign(assembly.data(), assembly.size());
}

Expected<std::string> emitText(mlir::ModuleOp op, StringRef entry,
                               const TargetInfo &target, TextKind kind) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  auto compilation = std::make_unique<Compilation>();
  compilation->machine = std::move(*machine);
  compilation->context.setDiagnosticHandler(
      std::make_unique<Recorder>(compilation->errors));
  compilation->module =
      mlir::translateModuleToLLVMIR(op, compilation->context, "kernel");
  if (!compilation->module)
    return fail("the kernel could not be translated to LLVM IR");
  Function *function = compilation->module->getFunction(entry);
  if (!function || function->isDeclaration())
    return fail("the module defines no function '" + entry + "'");
  compilation->module->setTargetTriple(compilation->machine->getTargetTriple());
  compilation->module->setDataLayout(compilation->machine->createDataLayout());
  prepare(*compilation->module, entry);

  std::string text, problem, reason;
  enableRecovery();
  CrashRecoveryContext recovery;
  fatalReason = &reason;
  bool finished =
      recovery.RunSafely([&] { writeText(*compilation, kind, text, problem); });
  fatalReason = nullptr;
  if (!finished) {
    compilation.release(); // in no state to be destroyed
    return fail("LLVM's code generator gave up: " +
                (reason.empty() ? "it crashed" : reason));
  }
  if (!problem.empty())
    return fail(problem);
  if (!compilation->errors.empty())
    return fail("code generation failed: " + compilation->errors);
  return text;
}

} // namespace nereid::nvptx
