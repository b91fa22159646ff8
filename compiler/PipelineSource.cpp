//===- PipelineSource.cpp - From a Python file to a kernel's IR -----------===//

#include "compiler/PipelineSource.h"
#include "compiler/Lang/Frontend.h"
#include "compiler/Target/Target.h"

namespace nereid {

/// Lang's messages, as the compiler's users get them.
static lang::DiagnosticSink forward(const MessageSink &sink) {
  return [&sink](const lang::Diagnostic &diagnostic) {
    Message message;
    message.severity = diagnostic.severity == lang::Severity::Error
                           ? Message::Severity::Error
                       : diagnostic.severity == lang::Severity::Warning
                           ? Message::Severity::Warning
                           : Message::Severity::Note;
    message.file = diagnostic.file;
    message.line = diagnostic.line;
    message.column = diagnostic.column;
    message.text = diagnostic.text;
    message.rendered = diagnostic.rendered;
    sink(message);
  };
}

static std::optional<lang::TargetFacts> targetFacts(llvm::StringRef name) {
  const TargetInfo *target = findTarget(name);
  if (!target)
    return std::nullopt;
  lang::TargetFacts facts;
  facts.warpSize = target->warpSize;
  facts.arch = target->cpu.str();
  switch (target->family) {
  case TargetFamily::NVPTX: {
    facts.backend = "cuda";
    // "sm_90a"
    llvm::StringRef digits = llvm::StringRef(target->cpu).drop_front(3);
    digits.consumeInteger(10, facts.capability);
    facts.arch = std::to_string(facts.capability);
    break;
  }
  case TargetFamily::AMDGPU:
    facts.backend = "hip";
    break;
  case TargetFamily::CPU:
    facts.backend = "cpu";
    break;
  }
  return facts;
}

static lang::FrontendOptions frontendOptions(const CompilerOptions &options) {
  lang::FrontendOptions result;
  result.searchPaths = options.searchPaths;
  result.bindings = options.bindings;
  result.prelude = lang::preludeTexts();
  return result;
}

std::unique_ptr<KernelIR> buildFromSource(mlir::MLIRContext &context,
                                          const CompilerOptions &options,
                                          const MessageSink &sink,
                                          const KernelSpec &spec) {
  lang::FrontendOptions languageOptions = frontendOptions(options);
  languageOptions.target = targetFacts(spec.target);
  lang::Frontend frontend(std::move(languageOptions), forward(sink));
  lang::Module *file = frontend.loadFile(spec.source);
  if (!file)
    return nullptr;
  lang::KernelRequest request;
  request.function = spec.function;
  request.signature = spec.signature;
  request.constants = spec.config.constants;
  request.fixed = spec.fixed;
  request.print = [](llvm::StringRef text) { llvm::outs() << text << '\n'; };
  std::optional<lang::BuiltKernel> built =
      lang::buildKernel(frontend, *file, request, context);
  if (!built)
    return nullptr;

  auto kernel = std::make_unique<KernelIRImpl>();
  kernel->functionName = built->name;
  kernel->module = std::move(built->module);
  kernel->configSpec = spec.config;
  kernel->configSpec.constants = built->constants;
  kernel->files = frontend.getSources().getFilePaths();
  for (auto [index, slot] : llvm::enumerate(built->slots)) {
    kernel->slotList.push_back(
        {slot.name, slot.type, slot.hasConstant, slot.constantBits});
    if (slot.divisibleBy16)
      kernel->predicateList.push_back({static_cast<uint32_t>(index), 16,
                                       VariantPredicate::Kind::DivisibleBy});
  }
  return kernel;
}

bool listSourceKernels(const CompilerOptions &options, const MessageSink &sink,
                       const std::string &source,
                       std::vector<KernelDescription> &out) {
  lang::Frontend frontend(frontendOptions(options), forward(sink));
  lang::Module *file = frontend.loadFile(source);
  if (!file)
    return false;
  for (const lang::KernelInfo &info : frontend.listKernels(*file)) {
    KernelDescription kernel;
    kernel.name = info.name;
    kernel.line = info.line;
    for (const lang::KernelParameter &param : info.parameters)
      kernel.parameters.push_back(
          {param.name, param.annotation, param.defaultText, param.isConstexpr});
    const lang::JitInfo &jit = info.function->jit;
    for (const lang::ConfigObject *config : jit.configs) {
      ConfigSpec spec;
      for (auto &[name, value] : config->constants)
        spec.constants.emplace_back(name.str(), lang::repr(value));
      spec.numWarps = static_cast<int>(config->numWarps);
      spec.numStages = static_cast<int>(config->numStages);
      spec.numCtas = static_cast<int>(config->numCtas);
      spec.fpFusion = config->fpFusion;
      kernel.configs.push_back(std::move(spec));
    }
    for (llvm::StringRef name : jit.key)
      kernel.autotuneKey.push_back(name.str());
    for (const lang::JitInfo::Heuristic &heuristic : jit.heuristics)
      kernel.heuristics.push_back(heuristic.parameter.str());
    out.push_back(std::move(kernel));
  }
  return true;
}

} // namespace nereid
