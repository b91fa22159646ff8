//===- PipelineGPU.cpp - The way of a kernel to a GPU's image -------------===//
//
// Read `lowerToTGPU` to know what happens to a kernel on a GPU.
//
//===----------------------------------------------------------------------===//

#include "compiler/PipelineGPU.h"

#include "compiler/Target/AMDGPU/Emit.h"
#include "compiler/Target/AMDGPU/Hooks.h"
#include "compiler/Target/GPU/Passes.h"
#include "compiler/Target/NVPTX/Emit.h"
#include "compiler/Target/NVPTX/Hooks.h"
#include "compiler/Target/Passes.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <chrono>

using namespace mlir;

namespace nereid {
namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

/// Reports what each pass took.
struct PassTimes : PassInstrumentation {
  explicit PassTimes(TimeSink sink) : sink(std::move(sink)) {}
  void runBeforePass(Pass *, Operation *) override {
    starts.push_back(Clock::now());
  }
  void runAfterPass(Pass *pass, Operation *) override {
    double spent = millisecondsSince(starts.pop_back_val());
    StringRef name = pass->getArgument();
    if (!name.empty()) // adaptors contain what was reported already
      sink(name, spent);
  }
  void runAfterPassFailed(Pass *, Operation *) override { starts.pop_back(); }
  SmallVector<Clock::time_point> starts;
  TimeSink sink;
};

bool runPasses(const GPUCompilation &compilation, ModuleOp module,
               llvm::function_ref<void(PassManager &)> fill) {
  PassManager pm(module.getContext());
#ifdef NDEBUG
  // A pass that breaks its rules is a defect of ours, which the tests find:
  // nereid-opt and debug builds verify behind every pass, others at the end.
  pm.enableVerifier(false);
#endif
  if (compilation.time)
    pm.addInstrumentation(std::make_unique<PassTimes>(compilation.time));
  fill(pm);
  return succeeded(pm.run(module)) && succeeded(verify(module));
}

bool isAMD(const TargetInfo &target) {
  return target.family == TargetFamily::AMDGPU;
}

} // namespace

void registerGPU(DialectRegistry &registry) {
  registry.insert<tgpu::TGPUDialect>();
  amdgpu::registerEmitDialects(registry);
  amdgpu::registerTarget();
  nvptx::registerEmitDialects(registry);
  nvptx::registerTarget();
}

bool GPUCompilation::lowerToTGPU(ModuleOp module) const {
  return runPasses(*this, module, [&](PassManager &pm) {
    LowerTensorMapsOptions maps;
    maps.target = target.name.str();
    pm.addPass(createLowerTensorMaps(maps));
    pm.addPass(createLowerDescriptors());
    pm.addPass(createExpandLibraryCalls());
    pm.addPass(createDecomposeScaledDot());
    pm.addPass(createWidenFloat8());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createScalarizeLoopCarries());
    pm.addPass(createCombine());
    pm.addPass(createUnrollLoops());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    pm.addPass(createLoopInvariantCodeMotionPass());
    pm.addPass(createCSEPass());
    pm.addPass(createMergeLoops());
    pm.addPass(createGuardMasks());
    pm.addPass(createScaleMaxima());

    AssignLayoutsOptions layouts;
    layouts.target = target.name.str();
    layouts.numWarps = config.numWarps;
    layouts.numStages = config.numStages;
    pm.addPass(createAssignLayouts(layouts));
    pm.addPass(createRemoveLayoutConversions());
    pm.addPass(createWarpSpecialize());
    pm.addPass(createPipelineLoops());
    pm.addPass(createLowerTensorCopies());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    pm.addPass(createLoopInvariantCodeMotionPass());
    pm.addPass(createGuardProducts());
    pm.addPass(gpu::createAllocateShared());
    pm.addPass(gpu::createStaggerWarpgroups());
    pm.addPass(gpu::createInsertBarriers());
    pm.addPass(createGuardCopies());
  });
}

bool GPUCompilation::lowerToLLVM(ModuleOp module,
                                 gpu::KernelFacts &facts) const {
  std::unique_ptr<gpu::TargetHooks> hooks = gpu::makeHooks(target);
  if (!hooks) {
    error("code generation for '" + target.name.str() + "' is not built yet");
    return false;
  }
  auto start = Clock::now();
  if (failed(gpu::emitKernel(module, target, *hooks, facts)))
    return false;
  if (time)
    time("nrd-emit-gpu", millisecondsSince(start));
  return runPasses(*this, module, [&](PassManager &pm) {
    pm.addPass(createCSEPass());
    if (isAMD(target))
      amdgpu::addLowerToLLVM(pm, target);
    else
      nvptx::addLowerToLLVM(pm, target);
  });
}

bool GPUCompilation::emitText(ModuleOp module, const gpu::KernelFacts &facts,
                              bool assembly, std::string &out) const {
  auto start = Clock::now();
  llvm::Expected<std::string> text =
      isAMD(target) ? amdgpu::emitText(module, facts.symbol, target,
                                       assembly ? amdgpu::TextKind::Asm
                                                : amdgpu::TextKind::LLVM)
                    : nvptx::emitText(module, facts.symbol, target,
                                      assembly ? nvptx::TextKind::PTX
                                               : nvptx::TextKind::LLVM);
  if (!text) {
    error("'" + facts.symbol + "' for " + target.name.str() + ": " +
          llvm::toString(text.takeError()));
    return false;
  }
  if (time)
    time("LLVM", millisecondsSince(start));
  out = std::move(*text);
  return true;
}

bool GPUCompilation::emitImage(ModuleOp module, const gpu::KernelFacts &facts,
                               Image &out) const {
  out = Image();
  out.target = target.name.str();
  out.symbol = facts.symbol;
  out.block[0] = uint32_t(facts.numThreads);
  out.sharedSize = uint32_t(facts.sharedBytes);
  out.scratchSize = uint64_t(facts.globalScratchBytes);
  out.scratchAlign = 128;
  out.paramSize = facts.paramSize;
  out.fields = facts.fields;
  out.tensorMaps = facts.tensorMaps;
  out.freeSlots = facts.freeSlots;
  if (isAMD(target))
    return emitCodeObject(module, facts, out);

  std::string ptx;
  if (!emitText(module, facts, /*assembly=*/true, ptx))
    return false;
  std::string ptxas =
      StringRef(target.name).starts_with("ptx_") ? "" : nvptx::findPtxas();
  if (ptxas.empty()) {
    out.minDriver = nvptx::minimumDriver(target);
    out.resources.textSize = uint32_t(ptx.size());
    if (!StringRef(target.name).starts_with("ptx_")) {
      // The same code as text: the driver compiles it when it is loaded.
      out.target = "ptx_" + StringRef(target.cpu).drop_front(3).str();
      out.resources.notes.push_back(
          "no ptxas was found ($CUDA_HOME, $CUDA_PATH, PATH, "
          "/usr/local/cuda), so this is PTX that the driver compiles");
    }
    out.bytes = std::move(ptx);
    return true;
  }
  auto start = Clock::now();
  llvm::Expected<std::string> cubin = nvptx::assembleKernel(
      ptxas, ptx, target, facts.numThreads, facts.sharedBytes, out.resources);
  if (!cubin) {
    error("'" + facts.symbol + "' for " + target.name.str() + ": " +
          llvm::toString(cubin.takeError()));
    return false;
  }
  if (time)
    time("ptxas", millisecondsSince(start));
  out.minDriver = nvptx::minimumDriver(ptxas, *cubin, target);
  out.bytes = std::move(*cubin);
  return true;
}

bool GPUCompilation::emitCodeObject(ModuleOp module,
                                    const gpu::KernelFacts &facts,
                                    Image &out) const {
  amdgpu::CodeObjectFacts wanted;
  wanted.entry = facts.symbol;
  wanted.paramSize = facts.paramSize;
  wanted.threads = uint32_t(facts.numThreads);
  wanted.fields = facts.fields;
  auto start = Clock::now();
  llvm::Expected<std::string> bytes =
      amdgpu::emitCodeObject(module, target, wanted, &out.resources);
  if (!bytes) {
    error("'" + facts.symbol + "' for " + target.name.str() + ": " +
          llvm::toString(bytes.takeError()));
    return false;
  }
  if (time)
    time("LLVM", millisecondsSince(start));
  out.bytes = std::move(*bytes);
  return true;
}

} // namespace nereid
