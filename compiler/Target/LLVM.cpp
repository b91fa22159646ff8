//===- LLVM.cpp - One kernel on its way through LLVM ----------------------===//

#include "compiler/Target/LLVM.h"

#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace llvm;

namespace nereid {

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

//===-- The machine -------------------------------------------------------===//

#define NRD_INITIALIZE(name)                                                   \
  {                                                                            \
    static std::once_flag once;                                                \
    std::call_once(once, [] {                                                  \
      LLVMInitialize##name##TargetInfo();                                      \
      LLVMInitialize##name##Target();                                          \
      LLVMInitialize##name##TargetMC();                                        \
      LLVMInitialize##name##AsmPrinter();                                      \
    });                                                                        \
  }

// Only what is wanted: a back end's initialisation costs a millisecond.
static void initialize(TargetFamily family) {
  switch (family) {
  case TargetFamily::CPU:
    NRD_INITIALIZE(X86);
    LLVMInitializeX86AsmParser(); // for the clock of tt.atomic_poll
    return;
  case TargetFamily::NVPTX:
    NRD_INITIALIZE(NVPTX);
    return;
  case TargetFamily::AMDGPU:
    NRD_INITIALIZE(AMDGPU);
    return;
  }
}

static Expected<std::unique_ptr<TargetMachine>>
createMachine(const TargetInfo &target, const LLVMSettings &settings) {
  initialize(target.family);
  Triple triple(target.triple);
  std::string message;
  const Target *backEnd = TargetRegistry::lookupTarget(triple, message);
  if (!backEnd)
    return fail("no code generator for '" + target.name + "': " + message);
  TargetOptions options;
  // Contraction is decided per operation: our math library must not be
  // contracted, the kernel's own arithmetic is.
  options.AllowFPOpFusion = FPOpFusion::Standard;
  if (settings.adjust)
    settings.adjust(options);
  std::unique_ptr<TargetMachine> machine(backEnd->createTargetMachine(
      triple, target.cpu, target.features, options, Reloc::PIC_,
      settings.codeModel, CodeGenOptLevel::Aggressive));
  if (!machine)
    return fail("no machine description for '" + target.name + "'");
  return machine;
}

// A freestanding program has the mem* functions and nothing else.
static TargetLibraryInfoImpl freestandingLibrary(const Triple &triple) {
  TargetLibraryInfoImpl library(triple);
  library.disableAllFunctions();
  for (LibFunc function :
       {LibFunc_memcpy, LibFunc_memmove, LibFunc_memset, LibFunc_memcmp})
    library.setAvailable(function);
  return library;
}

//===-- Diagnostics -------------------------------------------------------===//

namespace {
struct Diagnostics {
  std::string errors;
  uint64_t spills = 0, reloads = 0;
};

// LLVM's default prints errors and ends the process.
struct Recorder : DiagnosticHandler {
  Recorder(Diagnostics &out, bool countSpills)
      : out(out), countSpills(countSpills) {}

  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() == DS_Error) {
      std::string text;
      raw_string_ostream stream(text);
      DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
      // What is wrong with one element is wrong with all: said once.
      if (!StringRef(out.errors).contains(text))
        out.errors += (out.errors.empty() ? "" : "; ") + text;
    }
    auto *remark = dyn_cast<DiagnosticInfoOptimizationBase>(&info);
    if (remark && remark->getRemarkName() == "SpillReloadCopies")
      for (const auto &argument : remark->getArgs()) {
        uint64_t count = 0;
        if (StringRef(argument.Val).getAsInteger(10, count))
          continue;
        if (StringRef(argument.Key).ends_with("Spills"))
          out.spills += count;
        else if (StringRef(argument.Key).ends_with("Reloads"))
          out.reloads += count;
      }
    return true;
  }
  bool isMissedOptRemarkEnabled(StringRef pass) const override {
    return countSpills && pass == "regalloc";
  }
  bool isAnalysisRemarkEnabled(StringRef) const override { return false; }
  bool isPassedOptRemarkEnabled(StringRef) const override { return false; }
  bool isAnyRemarkEnabled() const override { return countSpills; }

  Diagnostics &out;
  bool countSpills;
};
} // namespace

static Error reported(const Diagnostics &diagnostics) {
  if (diagnostics.errors.empty())
    return Error::success();
  return fail("code generation failed: " + diagnostics.errors);
}

//===-- Fatal errors ------------------------------------------------------===//

// LLVM ends the process where it cannot go on, for example on an operation that
// it cannot select. That must be an error like any other: the reason is kept,
// and the abort leads back to `guard`.
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

//===-- The kernel --------------------------------------------------------===//

struct LLVMKernel::State {
  LLVMSettings settings;
  LLVMContext context;
  Diagnostics diagnostics;
  std::unique_ptr<TargetMachine> machine;
  std::unique_ptr<Module> module;
};

LLVMKernel::LLVMKernel(std::unique_ptr<State> state)
    : state(std::move(state)) {}

LLVMKernel::~LLVMKernel() = default;

Module &LLVMKernel::module() { return *state->module; }
TargetMachine &LLVMKernel::machine() { return *state->machine; }
uint64_t LLVMKernel::spills() const { return state->diagnostics.spills; }
uint64_t LLVMKernel::reloads() const { return state->diagnostics.reloads; }

Error LLVMKernel::guard(function_ref<Error()> work) {
  enableRecovery();
  std::string reason;
  Error error = Error::success();
  CrashRecoveryContext recovery;
  fatalReason = &reason;
  bool finished = recovery.RunSafely([&] {
    if (Error problem = work())
      error = joinErrors(std::move(error), std::move(problem));
  });
  fatalReason = nullptr;
  if (finished)
    return error;
  consumeError(std::move(error));
  state.release(); // in no state to be destroyed
  return fail("LLVM's code generator gave up: " +
              (reason.empty() ? "it crashed" : reason));
}

Expected<std::unique_ptr<LLVMKernel>>
LLVMKernel::translate(mlir::ModuleOp op, StringRef entry,
                      const TargetInfo &target, const LLVMSettings &settings) {
  Expected<std::unique_ptr<TargetMachine>> machine =
      createMachine(target, settings);
  if (!machine)
    return machine.takeError();
  auto state = std::make_unique<State>();
  state->settings = settings;
  state->machine = std::move(*machine);
  state->context.setDiagnosticHandler(
      std::make_unique<Recorder>(state->diagnostics, settings.countSpills));
  state->module = mlir::translateModuleToLLVMIR(op, state->context, "kernel");
  Module *module = state->module.get();
  if (!module)
    return fail("the kernel could not be translated to LLVM IR");
  Function *function = module->getFunction(entry);
  if (!function || function->isDeclaration())
    return fail("the module defines no function '" + entry + "'");
  module->setTargetTriple(state->machine->getTargetTriple());
  module->setDataLayout(state->machine->createDataLayout());
  for (GlobalValue &value : module->global_values())
    if (!value.isDeclaration() && value.getName() != entry &&
        !value.hasAppendingLinkage()) // llvm.global_ctors and the like
      value.setLinkage(GlobalValue::InternalLinkage);
  for (Function &defined : *module)
    if (!defined.isDeclaration())
      defined.setDoesNotThrow();
  return std::unique_ptr<LLVMKernel>(new LLVMKernel(std::move(state)));
}

Error LLVMKernel::optimize() {
  return guard([&]() -> Error {
    PipelineTuningOptions tuning;
    // Vectorizing scalar remainder loops again costs code size, and SLP
    // rewrites address arithmetic into shuffles.
    tuning.LoopVectorization = false;
    tuning.LoopInterleaving = false;
    tuning.SLPVectorization = false;
    LoopAnalysisManager loops;
    FunctionAnalysisManager functions;
    CGSCCAnalysisManager calls;
    ModuleAnalysisManager modules;
    PassBuilder passes(&machine(), tuning);
    if (state->settings.freestanding)
      functions.registerPass([&] {
        return TargetLibraryAnalysis(
            freestandingLibrary(machine().getTargetTriple()));
      });
    passes.registerModuleAnalyses(modules);
    passes.registerCGSCCAnalyses(calls);
    passes.registerFunctionAnalyses(functions);
    passes.registerLoopAnalyses(loops);
    passes.crossRegisterProxies(loops, functions, calls, modules);
    passes.buildPerModuleDefaultPipeline(OptimizationLevel::O3)
        .run(module(), modules);
    return reported(state->diagnostics);
  });
}

std::string LLVMKernel::print() {
  std::string text;
  raw_string_ostream stream(text);
  module().print(stream, nullptr);
  return text;
}

Expected<std::string>
LLVMKernel::generate(CodeGenFileType kind,
                     std::unique_ptr<legacy::PassManager> given) {
  SmallVector<char, 0> out;
  raw_svector_ostream stream(out);
  // Destroyed before the stream that it writes to.
  std::unique_ptr<legacy::PassManager> passes = std::move(given);
  if (!passes)
    passes = std::make_unique<legacy::PassManager>();
  Error error = guard([&]() -> Error {
    if (state->settings.freestanding)
      passes->add(new TargetLibraryInfoWrapperPass(
          freestandingLibrary(machine().getTargetTriple())));
    if (machine().addPassesToEmitFile(*passes, stream, nullptr, kind))
      return fail("the code generator cannot write this kind of file");
    passes->run(module());
    return reported(state->diagnostics);
  });
  if (error) {
    if (!state)
      passes.release(); // it holds on to what was left
    return error;
  }
  return std::string(out.data(), out.size());
}

} // namespace nereid
