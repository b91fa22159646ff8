//===- Emit.cpp - From the LLVM dialect to a freestanding ELF -------------===//

#include "compiler/Target/CPU/Emit.h"

#include "compiler/Target/CPU/Link.h"
#include "compiler/Target/CPU/Passes.h"
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

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

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

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

namespace {

// What LLVM says while it compiles one module. Its default is to print and to
// end the process on an error.
struct Diagnostics {
  std::string errors;
  uint64_t spills = 0, reloads = 0;
};

struct Recorder : DiagnosticHandler {
  explicit Recorder(Diagnostics &out) : out(out) {}

  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() == DS_Error) {
      raw_string_ostream stream(out.errors);
      DiagnosticPrinterRawOStream printer(stream);
      if (!out.errors.empty())
        stream << "; ";
      info.print(printer);
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
    return pass == "regalloc";
  }
  bool isAnalysisRemarkEnabled(StringRef) const override { return false; }
  bool isPassedOptRemarkEnabled(StringRef) const override { return false; }
  bool isAnyRemarkEnabled() const override { return true; }

  Diagnostics &out;
};

} // namespace

static Expected<std::unique_ptr<TargetMachine>>
createMachine(const TargetInfo &target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser(); // for the clock of tt.atomic_poll
  });
  Triple triple(target.triple);
  std::string message;
  const Target *backEnd = TargetRegistry::lookupTarget(triple, message);
  if (!backEnd)
    return fail("no code generator for '" + target.name + "': " + message);
  TargetOptions options;
  // Contraction is the front end's decision, made per operation.
  options.AllowFPOpFusion = FPOpFusion::Standard;
  options.UseInitArray = true; // so that a constructor is seen and refused
  options.EmitStackSizeSection = true;
  options.MCOptions.AsmVerbose = true; // "Spill" comments, for inspection
  std::unique_ptr<TargetMachine> machine(backEnd->createTargetMachine(
      triple, target.cpu, target.features, options, Reloc::PIC_,
      CodeModel::Small, CodeGenOptLevel::Aggressive));
  if (!machine)
    return fail("no machine description for '" + target.name + "'");
  return machine;
}

// A freestanding program has the mem* functions and nothing else, so no pass
// may invent a call of another library function.
static TargetLibraryInfoImpl freestandingLibrary(const Triple &triple) {
  TargetLibraryInfoImpl library(triple);
  library.disableAllFunctions();
  for (LibFunc function :
       {LibFunc_memcpy, LibFunc_memmove, LibFunc_memset, LibFunc_memcmp})
    library.setAvailable(function);
  return library;
}

static void prepare(Module &module, StringRef entry, const TargetInfo &target) {
  for (GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && value.getName() != entry &&
        !value.hasAppendingLinkage()) // llvm.global_ctors and the like
      value.setLinkage(GlobalValue::InternalLinkage);
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getName() == entry) {
      function.setVisibility(GlobalValue::DefaultVisibility);
      function.setDSOLocal(true);
    }
    function.setDoesNotThrow();
    function.removeFnAttr(Attribute::UWTable);
    function.addFnAttr("frame-pointer", "none");
    // Also makes the reported frame the whole frame.
    function.addFnAttr(Attribute::NoRedZone);
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", target.features);
  }
}

static void optimize(Module &module, TargetMachine &machine) {
  PipelineTuningOptions tuning;
  // The kernel is already written in register-size vectors. Vectorizing its
  // scalar remainder loops again costs code size, and SLP rewrites address
  // arithmetic into shuffles.
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.SLPVectorization = false;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager calls;
  ModuleAnalysisManager modules;
  PassBuilder passes(&machine, tuning);
  functions.registerPass([&] {
    return TargetLibraryAnalysis(
        freestandingLibrary(machine.getTargetTriple()));
  });
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(calls);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, calls, modules);
  passes.buildPerModuleDefaultPipeline(OptimizationLevel::O3)
      .run(module, modules);
}

// Translates and optimizes; what is left is code generation.
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
  module->setPICLevel(PICLevel::BigPIC);
  prepare(*module, entry, target);
  optimize(*module, machine);
  return module;
}

static Error generate(Module &module, TargetMachine &machine,
                      CodeGenFileType type, const Diagnostics &diagnostics,
                      SmallVectorImpl<char> &out) {
  raw_svector_ostream stream(out);
  legacy::PassManager passes;
  passes.add(new TargetLibraryInfoWrapperPass(
      freestandingLibrary(machine.getTargetTriple())));
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return fail("the code generator cannot write this kind of file");
  passes.run(module);
  if (!diagnostics.errors.empty())
    return fail("code generation failed: " + diagnostics.errors);
  return Error::success();
}

Expected<std::string> emitSharedObject(mlir::ModuleOp op, StringRef entry,
                                       const TargetInfo &target,
                                       ResourceReport *report) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  LLVMContext context;
  Diagnostics diagnostics;
  context.setDiagnosticHandler(std::make_unique<Recorder>(diagnostics));
  Expected<std::unique_ptr<Module>> module =
      buildModule(op, entry, target, **machine, context);
  if (!module)
    return module.takeError();
  SmallVector<char, 0> object;
  if (Error error =
          generate(**module, **machine, CodeGenFileType::ObjectFile, diagnostics, object))
    return error;
  StringRef objectBytes(object.data(), object.size());
  Expected<std::string> image = linkSharedObject(objectBytes);
  if (!image)
    return image.takeError();
  if (Error error = verifySharedObject(*image, entry))
    return error;
  if (!report)
    return image;
  if (Error error = fillReport(*image, objectBytes, *report))
    return error;
  if (diagnostics.spills + diagnostics.reloads == 0)
    report->spillBytes = 0; // the frame holds saved registers only
  else
    report->notes.push_back(
        formatv("{0} register spills and {1} reloads", diagnostics.spills,
                diagnostics.reloads));
  return image;
}

Expected<std::string> emitText(mlir::ModuleOp op, StringRef entry,
                               const TargetInfo &target, TextKind kind) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  LLVMContext context;
  Diagnostics diagnostics;
  context.setDiagnosticHandler(std::make_unique<Recorder>(diagnostics));
  Expected<std::unique_ptr<Module>> module =
      buildModule(op, entry, target, **machine, context);
  if (!module)
    return module.takeError();
  std::string text;
  if (kind == TextKind::LLVM) {
    raw_string_ostream stream(text);
    (*module)->print(stream, nullptr);
    return text;
  }
  SmallVector<char, 0> assembly;
  if (Error error = generate(**module, **machine, CodeGenFileType::AssemblyFile,
                             diagnostics, assembly))
    return error;
  return std::string(assembly.data(), assembly.size());
}

} // namespace nereid::cpu
