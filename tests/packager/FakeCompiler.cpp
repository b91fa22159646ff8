//===- FakeCompiler.cpp - A compiler that compiles nothing ----------------===//
//
// Stands behind compiler/Pipeline.h in the tests of the tool: images say what
// they were made from, so a test sees what the tool asked for. It reads
// one-line definitions under @triton.jit, and these comments above them:
//
//   # fake-config: BLOCK=64 num_warps=8      one @triton.autotune config
//   # fake-error: text                       buildIR fails, at this line
//   # fake-warning: text                     buildIR warns
//   # fake-import: other.py                  another file it depends on
//
//===----------------------------------------------------------------------===//

#include "TinyElf.h"
#include "compiler/Pipeline.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace nereid {

namespace {

struct FakeKernel {
  KernelDescription description;
  std::string error, warning;
  unsigned errorLine = 0;
  std::vector<std::string> imports;
};

std::string strip(const std::string &text) {
  size_t begin = text.find_first_not_of(" \t");
  size_t end = text.find_last_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, end + 1 - begin);
}

bool readKernels(const std::string &path, std::vector<FakeKernel> &out) {
  std::ifstream file(path);
  if (!file)
    return false;
  FakeKernel next;
  bool jit = false;
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    auto after = [&](const char *word) {
      return line.rfind(word, 0) == 0 ? strip(line.substr(strlen(word))) : "";
    };
    if (std::string text = after("# fake-config:"); !text.empty()) {
      ConfigSpec config;
      std::istringstream words(text);
      for (std::string word; words >> word;) {
        size_t equal = word.find('=');
        std::string name = word.substr(0, equal);
        std::string value = word.substr(equal + 1);
        if (name == "num_warps")
          config.numWarps = std::stoi(value);
        else if (name == "num_stages")
          config.numStages = std::stoi(value);
        else
          config.constants.emplace_back(name, value);
      }
      next.description.configs.push_back(config);
    }
    if (std::string text = after("# fake-error:"); !text.empty()) {
      next.error = text;
      next.errorLine = number;
    }
    if (std::string text = after("# fake-warning:"); !text.empty())
      next.warning = text;
    if (std::string text = after("# fake-import:"); !text.empty())
      next.imports.push_back(path.substr(0, path.rfind('/') + 1) + text);
    if (line.rfind("@triton.jit", 0) == 0)
      jit = true;
    if (line.rfind("def ", 0) != 0 || !jit)
      continue;
    jit = false;
    size_t open = line.find('('), close = line.rfind(')');
    next.description.name = line.substr(4, open - 4);
    next.description.line = number;
    std::istringstream parameters(line.substr(open + 1, close - open - 1));
    for (std::string text; std::getline(parameters, text, ',');) {
      ParameterDescription parameter;
      if (size_t equal = text.find('='); equal != std::string::npos) {
        parameter.defaultText = strip(text.substr(equal + 1));
        text.resize(equal);
      }
      if (size_t colon = text.find(':'); colon != std::string::npos) {
        parameter.annotation = strip(text.substr(colon + 1));
        text.resize(colon);
      }
      parameter.name = strip(text);
      parameter.isConstexpr = parameter.annotation == "tl.constexpr";
      next.description.parameters.push_back(parameter);
    }
    out.push_back(next);
    next = FakeKernel();
  }
  return true;
}

class FakeIR : public KernelIR {
public:
  const std::string &name() const override { return fakeName; }
  const std::vector<SlotInfo> &slots() const override { return fakeSlots; }
  const std::vector<VariantPredicate> &predicates() const override {
    return fakePredicates;
  }
  const ConfigSpec &config() const override { return fakeConfig; }
  std::string text() const override { return fakeText; }
  std::vector<std::string> dependencies() const override { return files; }

  std::string fakeName, fakeText;
  std::vector<SlotInfo> fakeSlots;
  std::vector<VariantPredicate> fakePredicates;
  ConfigSpec fakeConfig;
  std::vector<std::string> files;
};

const char *const kTargets[] = {"sm_80",     "sm_90a",    "gfx942",
                                "x86-64-v2", "x86-64-v3", "x86-64-v4"};

} // namespace

struct Compiler::Impl {
  CompilerOptions options;
  MessageSink sink;

  void say(Message::Severity severity, const std::string &file, unsigned line,
           const std::string &text) {
    Message message;
    message.severity = severity;
    message.file = file;
    message.line = line;
    message.column = 1;
    message.text = text;
    sink(message);
  }
};

Compiler::Compiler(CompilerOptions options, MessageSink sink)
    : impl(new Impl{std::move(options), std::move(sink)}) {}
Compiler::~Compiler() = default;

bool Compiler::listKernels(const std::string &source,
                           std::vector<KernelDescription> &out) {
  std::vector<FakeKernel> kernels;
  if (!readKernels(source, kernels)) {
    impl->say(Message::Severity::Error, source, 0, "cannot be read");
    return false;
  }
  for (const FakeKernel &kernel : kernels)
    out.push_back(kernel.description);
  return true;
}

std::unique_ptr<KernelIR> Compiler::buildIR(const KernelSpec &spec) {
  std::vector<FakeKernel> kernels;
  readKernels(spec.source, kernels);
  auto it = std::find_if(kernels.begin(), kernels.end(), [&](auto &kernel) {
    return kernel.description.name == spec.function;
  });
  if (it == kernels.end())
    return nullptr;
  if (!it->error.empty()) {
    impl->say(Message::Severity::Error, spec.source, it->errorLine, it->error);
    return nullptr;
  }
  if (!it->warning.empty())
    impl->say(Message::Severity::Warning, spec.source, 1, it->warning);
  auto ir = std::make_unique<FakeIR>();
  ir->fakeName = spec.function;
  ir->fakeConfig = spec.config;
  ir->files = it->imports;
  ir->files.insert(ir->files.begin(), spec.source);
  std::string text = "// " + spec.function;
  for (const ParameterDescription &parameter : it->description.parameters) {
    for (const auto &[name, type] : spec.signature)
      if (name == parameter.name) {
        size_t colon = type.find(':');
        SlotInfo slot{name, type.substr(0, colon), false, 0};
        if (type.substr(colon + 1) == "1") {
          slot.hasConstant = true;
          slot.constantBits = 1;
        } else if (colon != std::string::npos) {
          ir->fakePredicates.push_back({uint32_t(ir->fakeSlots.size()), 16,
                                        VariantPredicate::Kind::DivisibleBy});
        }
        ir->fakeSlots.push_back(slot);
        text += " " + name + ":" + type;
      }
    for (const auto &[name, value] : spec.fixed)
      if (name == parameter.name) {
        bool isFloat = value.find('.') != std::string::npos;
        SlotInfo slot{name, isFloat ? "fp32" : "i32", true, 0};
        double real = std::stod(value);
        if (isFloat)
          std::memcpy(&slot.constantBits, &real, 8);
        else
          slot.constantBits = int64_t(real);
        ir->fakeSlots.push_back(slot);
        text += " " + name + "=" + value;
      }
  }
  for (const auto &[name, value] : spec.config.constants)
    text += " " + name + ":=" + value;
  for (const auto &[name, value] : impl->options.bindings)
    text += " bind " + name + "=" + value;
  ir->fakeText = text + "\n";
  return ir;
}

bool Compiler::compile(const KernelIR &ir, const std::string &target,
                       Image &out) {
  out = Image();
  out.target = target;
  out.symbol = ir.name();
  bool gpu = isGPU(target);
  std::string made = target + " warps " + std::to_string(ir.config().numWarps) +
                     " " + ir.text();
  out.bytes = gpu ? made + std::string(300, 'g') : tinyElf(out.symbol, made);
  if (gpu)
    out.block[0] = 32 * uint32_t(ir.config().numWarps);
  for (size_t i = 0; i < ir.slots().size(); ++i) {
    const SlotInfo &slot = ir.slots()[i];
    if (slot.hasConstant)
      continue;
    uint32_t size = slot.type[0] == '*' || slot.type == "i64" ? 8 : 4;
    out.paramSize = (out.paramSize + size - 1) / size * size;
    out.fields.push_back(
        {uint32_t(i), out.paramSize, size, 0, ParamField::Kind::Value});
    out.paramSize += size;
  }
  out.resources.textSize = 3;
  return true;
}

bool Compiler::emit(const KernelIR &ir, const std::string &target,
                    EmitKind kind, std::string &out) {
  static const char *const names[] = {"tt", "tgpu", "llvm", "asm"};
  out = std::string(names[int(kind)]) + " " + target + " " + ir.text();
  return true;
}

std::vector<std::string> Compiler::targets() {
  return {std::begin(kTargets), std::end(kTargets)};
}
bool Compiler::isGPU(const std::string &target) {
  return target.rfind("sm_", 0) == 0 || target.rfind("gfx", 0) == 0;
}
std::string Compiler::toolVersion() { return "Fake 1.0"; }

} // namespace nereid
