//===- Pipeline.cpp - The one ordered list of passes ----------------------===//
//
// Read `addTilePasses` and `Compiler::Impl::compileCPU` to know what happens
// to a kernel between the front end and an image.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipeline.h"

#include "compiler/Dialect/TT/Fusion.h"
#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/PipelineGPU.h"
#include "compiler/PipelineMessages.h"
#include "compiler/PipelineSource.h"
#include "compiler/Target/CPU/Emit.h"
#include "compiler/Target/CPU/Lowering.h"
#include "compiler/Target/Passes.h"
#include "compiler/Target/Target.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/InlinerInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FormatVariadic.h"

#include <chrono>

using namespace mlir;

namespace nereid {
namespace {

//===-- Passes ------------------------------------------------------------===//

/// What every target needs of tile IR: one function of one block, no block
/// pointers, nothing that a constant or a loop-invariant value can replace.
void addTilePasses(OpPassManager &pm) {
  pm.addPass(createImport());
  pm.addPass(
      createStructureControlFlow()); // a callee of one block inlines anywhere
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createLowerBlockPointers());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// For targets that have no hardware for tensor descriptors, and where a
/// pointer tile carried through a loop would occupy memory.
void addPointerPasses(OpPassManager &pm) {
  pm.addPass(createLowerDescriptors());
  pm.addPass(createDecomposeScaledDot());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createScalarizeLoopCarries());
  pm.addPass(createCombine());
  pm.addPass(createUnrollLoops());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
}

//===-- IR from text ------------------------------------------------------===//

/// A signature word for a tile type; "" when no signature can spell it.
std::string signatureWord(Type type) {
  if (auto pointer = dyn_cast<tt::PointerType>(type))
    return "*" + signatureWord(pointer.getPointeeType());
  if (auto descriptor = dyn_cast<tt::TensorDescType>(type)) {
    std::string shape;
    for (int64_t size : descriptor.getShape())
      shape += (shape.empty() ? "" : ",") + std::to_string(size);
    return "tensordesc<" + signatureWord(descriptor.getElementType()) + "[" +
           shape + "]>";
  }
  if (auto integer = dyn_cast<IntegerType>(type))
    return (integer.isUnsigned() ? "u" : "i") +
           std::to_string(integer.getWidth());
  return llvm::TypeSwitch<Type, std::string>(type)
      .Case<Float16Type>([](Type) { return "fp16"; })
      .Case<BFloat16Type>([](Type) { return "bf16"; })
      .Case<Float32Type>([](Type) { return "fp32"; })
      .Case<Float64Type>([](Type) { return "fp64"; })
      .Case<Float8E4M3FNType>([](Type) { return "fp8e4nv"; })
      .Case<Float8E5M2Type>([](Type) { return "fp8e5"; })
      .Case<Float8E4M3FNUZType>([](Type) { return "fp8e4b8"; })
      .Case<Float8E5M2FNUZType>([](Type) { return "fp8e5b16"; })
      .Default([](Type) { return ""; });
}

/// The name that a location gives an argument, or one from its number.
std::string parameterName(BlockArgument argument) {
  if (auto name = dyn_cast<NameLoc>(argument.getLoc()))
    return name.getName().str();
  return "arg" + std::to_string(argument.getArgNumber());
}

/// Whether a file holds IR text rather than Python.
bool isText(StringRef path) {
  return path.ends_with(".ttir") || path.ends_with(".mlir");
}

/// The kernel of a module: its public function, or the one called `wanted`.
tt::FuncOp findKernel(ModuleOp module, StringRef wanted, std::string &problem) {
  SmallVector<tt::FuncOp> kernels;
  for (auto function : module.getOps<tt::FuncOp>())
    if (wanted.empty() ? function.isPublic() : function.getName() == wanted)
      kernels.push_back(function);
  if (kernels.size() == 1)
    return kernels.front();
  std::string names;
  for (auto function : module.getOps<tt::FuncOp>())
    if (function.isPublic())
      names += (names.empty() ? "'" : ", '") + function.getName().str() + "'";
  if (kernels.empty())
    problem = wanted.empty()
                  ? std::string("the file has no public tt.func")
                  : llvm::formatv("no function '{0}' in the file; it has {1}",
                                  wanted, names.empty() ? "none" : names)
                        .str();
  else
    problem = "the file has several kernels (" + names +
              "); say which one, as FILE:NAME";
  return nullptr;
}

} // namespace

std::unique_ptr<KernelIRImpl> describeKernel(OwningOpRef<ModuleOp> module,
                                             StringRef wanted,
                                             std::string &problem) {
  tt::FuncOp kernel = findKernel(*module, wanted, problem);
  if (!kernel)
    return nullptr;
  auto ir = std::make_unique<KernelIRImpl>();
  for (BlockArgument argument : kernel.getArguments()) {
    unsigned slot = argument.getArgNumber();
    SlotInfo info;
    info.name = parameterName(argument);
    info.type = signatureWord(argument.getType());
    if (info.type.empty()) {
      llvm::raw_string_ostream os(problem);
      os << "parameter '" << info.name << "' of '" << kernel.getName()
         << "' has type " << argument.getType()
         << "; a kernel takes numbers, pointers to numbers and tensor "
            "descriptors";
      return nullptr;
    }
    if (auto divisor =
            kernel.getArgAttrOfType<IntegerAttr>(slot, "tt.divisibility");
        divisor && divisor.getInt() > 1)
      ir->predicateList.push_back(
          {slot, divisor.getInt(), VariantPredicate::Kind::DivisibleBy});
    kernel.setArgAttr(
        slot, "nrd.slot",
        IntegerAttr::get(IntegerType::get(kernel.getContext(), 32), slot));
    ir->slotList.push_back(std::move(info));
  }
  ir->functionName = kernel.getName().str();
  if (auto warps = (*module)->getAttrOfType<IntegerAttr>("ttg.num-warps"))
    ir->configSpec.numWarps = int(warps.getInt());
  ir->module = std::move(module);
  return ir;
}

std::string KernelIRImpl::text() const {
  std::string result;
  llvm::raw_string_ostream os(result);
  OpPrintingFlags flags;
  flags.enableDebugInfo();
  const_cast<OwningOpRef<ModuleOp> &>(module)->print(os, flags);
  os << '\n';
  return result;
}

//===-- Compiler ----------------------------------------------------------===//

struct Compiler::Impl {
  CompilerOptions options;
  MessageSink sink;
  std::unique_ptr<MLIRContext> context;

  Impl(CompilerOptions options, MessageSink sink)
      : options(std::move(options)), sink(std::move(sink)) {
    DialectRegistry registry;
    registry.insert<tt::TTDialect, ttg::TTGDialect, arith::ArithDialect,
                    cf::ControlFlowDialect, ::mlir::gpu::GPUDialect,
                    LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect,
                    ub::UBDialect>();
    cpu::registerEmitDialects(registry);
    registerGPU(registry);
    LLVM::registerInlinerInterface(registry); // a callee may hold an assume
    context = std::make_unique<MLIRContext>(registry,
                                            MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    // Attributes of a vendor's dialect on Triton's modules mean nothing here.
    context->allowUnregisteredDialects();
    // The user wrote Python: the operation's generic text says nothing to him.
    context->printOpOnDiagnostic(false);
  }

  void error(const llvm::Twine &text, StringRef file = "") {
    Message message;
    message.file = file.str();
    message.text = text.str();
    message.rendered = (file.empty() ? "" : file.str() + ": ") +
                       "error: " + message.text + "\n";
    sink(message);
  }

  /// With --time: a note of how long something took.
  void noteTime(StringRef stage, double milliseconds) {
    Message message;
    message.severity = Message::Severity::Note;
    message.text = llvm::formatv("{0}: {1:F2} ms", stage, milliseconds).str();
    message.rendered = "note: " + message.text + "\n";
    sink(message);
  }

  /// Reports how long a stage took, with --time.
  template <typename Fn> auto timed(StringRef stage, Fn fn) {
    auto start = std::chrono::steady_clock::now();
    auto result = fn();
    if (options.timing) {
      std::chrono::duration<double, std::milli> spent =
          std::chrono::steady_clock::now() - start;
      noteTime(stage, spent.count());
    }
    return result;
  }

  const TargetInfo *target(const std::string &name) {
    if (const TargetInfo *found = findTarget(name))
      return found;
    StringRef near = nearestTarget(name);
    std::string known;
    for (const TargetInfo &row : allTargets())
      known += (known.empty() ? "" : ", ") + row.name.str();
    error("unknown target '" + name + "'" +
          (near.empty() ? "" : "; did you mean '" + near.str() + "'?") +
          " (known: " + known + ")");
    return nullptr;
  }

  OwningOpRef<ModuleOp> parseText(const std::string &source);
  std::unique_ptr<KernelIR> readText(const KernelSpec &spec);
  bool listText(const std::string &source, std::vector<KernelDescription> &out);
  /// Runs a pipeline on a copy of the kernel's module; null on error.
  OwningOpRef<ModuleOp> lowerTiles(const KernelIRImpl &ir,
                                   const TargetInfo &target);
  bool lowerCPU(ModuleOp module, const TargetInfo &target,
                cpu::KernelLayout &layout);
  bool compileGPU(const KernelIRImpl &ir, const TargetInfo &target, Image &out);
  bool emitGPU(const KernelIRImpl &ir, const TargetInfo &target, EmitKind kind,
               std::string &out);
  GPUCompilation gpuCompilation(const KernelIRImpl &ir,
                                const TargetInfo &target);
};

OwningOpRef<ModuleOp> Compiler::Impl::parseText(const std::string &source) {
  MessageHandler handler(context.get(), sink);
  OwningOpRef<ModuleOp> module = timed("parse", [&] {
    return parseSourceFile<ModuleOp>(source, ParserConfig(context.get()));
  });
  if (!module && !handler.sawError())
    error("cannot be read as Triton IR text", source);
  return module;
}

bool Compiler::Impl::listText(const std::string &source,
                              std::vector<KernelDescription> &out) {
  OwningOpRef<ModuleOp> module = parseText(source);
  if (!module)
    return false;
  for (auto function : module->getOps<tt::FuncOp>()) {
    if (!function.isPublic())
      continue;
    KernelDescription kernel;
    kernel.name = function.getName().str();
    for (BlockArgument argument : function.getArguments()) {
      ParameterDescription parameter;
      parameter.name = parameterName(argument);
      parameter.annotation = signatureWord(argument.getType());
      kernel.parameters.push_back(std::move(parameter));
    }
    out.push_back(std::move(kernel));
  }
  return true;
}

std::unique_ptr<KernelIR> Compiler::Impl::readText(const KernelSpec &spec) {
  OwningOpRef<ModuleOp> module = parseText(spec.source);
  if (!module)
    return nullptr;
  if (!spec.signature.empty() || !spec.config.constants.empty()) {
    error("is IR text, whose types and constants are fixed; leave out the "
          "signature and constants, or compile the .py file",
          spec.source);
    return nullptr;
  }
  std::string problem;
  auto ir = describeKernel(std::move(module), spec.function, problem);
  if (!ir) {
    error(problem, spec.source);
    return nullptr;
  }
  ir->files = {spec.source};
  return ir;
}

OwningOpRef<ModuleOp> Compiler::Impl::lowerTiles(const KernelIRImpl &ir,
                                                 const TargetInfo &target) {
  OwningOpRef<ModuleOp> module =
      const_cast<OwningOpRef<ModuleOp> &>(ir.module)->clone();
  // The kernel is what the module is about; another public function of the
  // same file would be compiled for nothing.
  for (auto function : module->getOps<tt::FuncOp>())
    if (function.getName() != ir.functionName)
      function.setPrivate();
  if (!ir.configSpec.fpFusion)
    module->getOperation()->setAttr(tt::kNoFusionAttr,
                                    UnitAttr::get(context.get()));
  // A CPU image serves any argument: it may not rely on divisibility.
  if (target.family == TargetFamily::CPU)
    for (auto function : module->getOps<tt::FuncOp>())
      for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
        function.removeArgAttr(i, "tt.divisibility");
  PassManager pm(context.get());
  pm.enableVerifier(true);
  addTilePasses(pm);
  if (target.family == TargetFamily::CPU) {
    pm.addPass(createExpandLibraryCalls()); // there is no library to link
    addPointerPasses(pm);
  }
  if (failed(pm.run(*module)))
    return nullptr;
  return module;
}

bool Compiler::Impl::lowerCPU(ModuleOp module, const TargetInfo &target,
                              cpu::KernelLayout &layout) {
  return succeeded(cpu::lowerToLLVM(module, target, layout));
}

GPUCompilation Compiler::Impl::gpuCompilation(const KernelIRImpl &ir,
                                              const TargetInfo &target) {
  GPUCompilation compilation{target, ir.configSpec, nullptr,
                             [this](const std::string &text) { error(text); }};
  if (options.timing)
    compilation.time = [this](StringRef name, double milliseconds) {
      noteTime(name, milliseconds);
    };
  return compilation;
}

bool Compiler::Impl::compileGPU(const KernelIRImpl &ir,
                                const TargetInfo &target, Image &out) {
  GPUCompilation compilation = gpuCompilation(ir, target);
  gpu::KernelFacts facts;
  OwningOpRef<ModuleOp> module =
      timed("tile passes", [&] { return lowerTiles(ir, target); });
  return module &&
         timed("tgpu", [&] { return compilation.lowerToTGPU(*module); }) &&
         timed("one thread's code",
               [&] { return compilation.lowerToLLVM(*module, facts); }) &&
         timed("code generation",
               [&] { return compilation.emitImage(*module, facts, out); });
}

bool Compiler::Impl::emitGPU(const KernelIRImpl &ir, const TargetInfo &target,
                             EmitKind kind, std::string &out) {
  GPUCompilation compilation = gpuCompilation(ir, target);
  gpu::KernelFacts facts;
  OwningOpRef<ModuleOp> module = lowerTiles(ir, target);
  if (!module || !compilation.lowerToTGPU(*module))
    return false;
  if (kind == EmitKind::TGPU) {
    llvm::raw_string_ostream os(out);
    module->print(os);
    os << '\n';
    return true;
  }
  return compilation.lowerToLLVM(*module, facts) &&
         compilation.emitText(*module, facts, kind == EmitKind::Asm, out);
}

Compiler::Compiler(CompilerOptions options, MessageSink sink)
    : impl(std::make_unique<Impl>(std::move(options), std::move(sink))) {}
Compiler::~Compiler() = default;

std::unique_ptr<KernelIR> Compiler::buildIR(const KernelSpec &spec) {
  if (isText(spec.source))
    return impl->readText(spec);
  return impl->timed("front end", [&] {
    return buildFromSource(*impl->context, impl->options, impl->sink, spec);
  });
}

bool Compiler::listKernels(const std::string &source,
                           std::vector<KernelDescription> &out) {
  if (isText(source))
    return impl->listText(source, out);
  return listSourceKernels(impl->options, impl->sink, source, out);
}

bool Compiler::compile(const KernelIR &ir, const std::string &targetName,
                       Image &out) {
  const TargetInfo *target = impl->target(targetName);
  if (!target)
    return false;
  const auto &kernel = static_cast<const KernelIRImpl &>(ir);
  MessageHandler handler(impl->context.get(), impl->sink);
  if (target->family != TargetFamily::CPU)
    return impl->compileGPU(kernel, *target, out);
  OwningOpRef<ModuleOp> module = impl->timed(
      "tile passes", [&] { return impl->lowerTiles(kernel, *target); });
  if (!module)
    return false;

  cpu::KernelLayout layout;
  if (!impl->timed("loops",
                   [&] { return impl->lowerCPU(*module, *target, layout); }))
    return false;
  ResourceReport report;
  auto bytes = impl->timed("code generation", [&] {
    return cpu::emitSharedObject(*module, layout.symbol, *target, &report);
  });
  if (!bytes) {
    impl->error("'" + ir.name() + "' for " + targetName + ": " +
                llvm::toString(bytes.takeError()));
    return false;
  }
  out = Image();
  out.target = targetName;
  out.bytes = std::move(*bytes);
  out.symbol = layout.symbol;
  out.scratchSize = layout.scratchSize;
  out.paramSize = layout.paramSize;
  out.fields = layout.fields;
  out.resources = std::move(report);
  return true;
}

bool Compiler::emit(const KernelIR &ir, const std::string &targetName,
                    EmitKind kind, std::string &out) {
  if (kind == EmitKind::TT) {
    out = ir.text();
    return true;
  }
  const TargetInfo *target = impl->target(targetName);
  if (!target)
    return false;
  if (kind == EmitKind::TGPU && target->family == TargetFamily::CPU) {
    impl->error("tgpu is the IR of GPU targets; '" + targetName +
                "' is a CPU: emit tt, llvm, asm or obj");
    return false;
  }
  const auto &kernel = static_cast<const KernelIRImpl &>(ir);
  MessageHandler handler(impl->context.get(), impl->sink);
  if (target->family != TargetFamily::CPU)
    return impl->emitGPU(kernel, *target, kind, out);
  OwningOpRef<ModuleOp> module = impl->lowerTiles(kernel, *target);
  cpu::KernelLayout layout;
  if (!module || !impl->lowerCPU(*module, *target, layout))
    return false;
  auto text = cpu::emitText(*module, layout.symbol, *target,
                            kind == EmitKind::Asm ? cpu::TextKind::Asm
                                                  : cpu::TextKind::LLVM);
  if (!text) {
    impl->error("'" + ir.name() + "' for " + targetName + ": " +
                llvm::toString(text.takeError()));
    return false;
  }
  out = std::move(*text);
  return true;
}

std::vector<std::string> Compiler::targets() {
  std::vector<std::string> names;
  for (const TargetInfo &target : allTargets())
    names.push_back(target.name.str());
  return names;
}

bool Compiler::isGPU(const std::string &target) {
  const TargetInfo *found = findTarget(target);
  return found && found->family != TargetFamily::CPU;
}

std::string Compiler::toolVersion() { return "LLVM " LLVM_VERSION_STRING; }

} // namespace nereid
