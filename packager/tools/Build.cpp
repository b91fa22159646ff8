//===- Build.cpp - Compiles a manifest's kernels into a pack --------------===//

#include "packager/tools/Build.h"

#include "nereid/runtime.h"
#include "packager/Elf.h"
#include "packager/File.h"
#include "packager/tools/Cache.h"
#include "packager/tools/Console.h"
#include "packager/tools/Plan.h"
#include "packager/tools/SignatureText.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

namespace nereid::tool {

using pack::concat;
using pack::Diagnostic;

std::string versionText() {
  return concat(NRD_VERSION_MAJOR, ".", NRD_VERSION_MINOR, ".",
                NRD_VERSION_PATCH);
}

std::string producerText() {
  return "nereid " + versionText() + " (" + Compiler::toolVersion() + ")";
}

std::string renderedText(const Message &message) {
  if (!message.rendered.empty())
    return message.rendered;
  const char *word = message.severity == Message::Severity::Error ? "error"
                     : message.severity == Message::Severity::Warning
                         ? "warning"
                         : "note";
  std::string where = message.file;
  if (message.line)
    where += concat(":", message.line, ":", message.column);
  return where + (where.empty() ? "" : ": ") + word + ": " + message.text;
}

void printMessage(const Message &message) {
  printRendered(renderedText(message));
}

namespace {

// What one task gave: a kernel with one config and one variant, which is also
// how the cache keeps it.
struct Outcome {
  bool done = false, cached = false;
  pack::Kernel kernel;
  std::vector<Message> messages;
  std::vector<std::string> dependencies;
};

// Two builds of one version may differ, so the cache knows the program itself.
const std::string &programHash() {
  static const std::string hash = [] {
    pack::Result<std::string> bytes = pack::readFile("/proc/self/exe");
    return bytes ? pack::hexText(pack::blake2b(*bytes)) : std::string();
  }();
  return hash;
}

// How a message shows a program of a recipe: "(M + 1) * K".
std::string programText(const TensorMapRecipe::Program &program,
                        const std::vector<pack::Param> &params) {
  static const char *const words[] = {"",   "",  "",     "+",   "-",  "*",
                                      "//", "%", "cdiv", "min", "max"};
  std::vector<std::string> stack;
  for (const auto &[op, operand] : program) {
    switch (static_cast<pack::GridOp>(op)) {
    case pack::GridOp::PushConst:
      stack.push_back(std::to_string(operand));
      continue;
    case pack::GridOp::PushSlot:
      stack.push_back(size_t(operand) < params.size()
                          ? params[size_t(operand)].name
                          : std::string("?"));
      continue;
    case pack::GridOp::PushDim:
      stack.push_back("?");
      continue;
    default:
      break;
    }
    if (stack.size() < 2 || op >= std::size(words))
      return "?"; // checkKernel says what is wrong with it
    std::string right = std::move(stack.back());
    stack.pop_back();
    std::string &left = stack.back();
    bool isCall = op >= uint8_t(pack::GridOp::CDiv);
    left = isCall ? concat(words[op], "(", left, ", ", right, ")")
                  : concat("(", left, " ", words[op], " ", right, ")");
  }
  if (stack.size() != 1)
    return "?";
  std::string text = stack[0];
  return text.size() > 2 && text.front() == '('
             ? text.substr(1, text.size() - 2)
             : text;
}

pack::TensorMap makeTensorMap(const TensorMapRecipe &recipe,
                              const std::vector<pack::Param> &params) {
  pack::TensorMap map;
  map.slot = recipe.slot;
  map.elementType = recipe.elementType;
  map.swizzle = recipe.swizzle;
  map.l2Promotion = recipe.l2Promotion;
  map.oobFill = recipe.oobFill;
  map.box = recipe.box;
  auto axes = [&](const std::vector<TensorMapRecipe::Program> &programs) {
    std::vector<pack::GridAxis> all;
    for (const TensorMapRecipe::Program &program : programs) {
      pack::GridAxis axis;
      for (const auto &[op, operand] : program)
        axis.steps.push_back({operand, static_cast<pack::GridOp>(op)});
      axis.text = programText(program, params);
      all.push_back(std::move(axis));
    }
    return all;
  };
  map.shape = axes(recipe.shape);
  map.strides = axes(recipe.strides);
  return map;
}

pack::Variant makeVariant(Image image, bool isGPU,
                          const std::vector<pack::Param> &params,
                          const std::vector<VariantPredicate> &predicates) {
  pack::Variant variant;
  variant.target = std::move(image.target);
  variant.image = pack::makeBytes(std::move(image.bytes));
  variant.symbol = std::move(image.symbol);
  if (isGPU)
    variant.block.assign(image.block, image.block + 3);
  if (image.cluster[0] * image.cluster[1] * image.cluster[2] > 1)
    variant.cluster.assign(image.cluster, image.cluster + 3);
  variant.sharedSize = image.sharedSize;
  variant.scratchSize = image.scratchSize;
  variant.scratchAlign = image.scratchAlign;
  variant.paramSize = image.paramSize;
  for (const ParamField &field : image.fields)
    variant.fields.push_back({field.slot, field.offset, field.size, field.index,
                              static_cast<pack::Field::Kind>(field.kind)});
  for (const TensorMapRecipe &recipe : image.tensorMaps)
    variant.tensorMaps.push_back(makeTensorMap(recipe, params));
  auto isFree = [&](const VariantPredicate &predicate) {
    return predicate.kind == VariantPredicate::Kind::DivisibleBy &&
           std::find(image.freeSlots.begin(), image.freeSlots.end(),
                     predicate.slot) != image.freeSlots.end();
  };
  for (const VariantPredicate &predicate : predicates) {
    if (isFree(predicate))
      continue;
    variant.predicates.push_back(
        {predicate.value, predicate.slot,
         static_cast<pack::Predicate::Kind>(predicate.kind)});
  }
  variant.minDriver = image.minDriver;
  variant.resources = {image.resources.registers, image.resources.spillBytes,
                       image.resources.textSize,
                       std::move(image.resources.notes)};
  return variant;
}

class Builder {
public:
  Builder(const pack::Manifest &manifest, const std::string &text,
          const BuildOptions &options, pack::Pack &out, BuildReport &report)
      : manifest(manifest), text(text), out(out), report(report),
        compilerOptions(options.compiler), cache(options.cacheFolder),
        jobs(options.jobs), wantsProgress(options.progress) {
    compilerOptions.searchPaths.insert(compilerOptions.searchPaths.end(),
                                       manifest.searchPaths.begin(),
                                       manifest.searchPaths.end());
    for (const pack::ManifestConstant &binding : manifest.bindings)
      compilerOptions.bindings.emplace_back(binding.name, binding.text);
  }

  bool run() {
    auto start = std::chrono::steady_clock::now();
    bool good = plan() && compileAll() && assemble();
    report.dependencies.assign(dependencies.begin(), dependencies.end());
    report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    if (report.compiled)
      cache.trim(uint64_t(2) << 30);
    return good;
  }

private:
  bool print(const std::vector<Diagnostic> &errors) {
    std::set<std::string> said;
    for (const Diagnostic &error : errors) {
      std::string rendered = pack::render(error, text);
      if (said.insert(rendered).second)
        printRendered(rendered);
    }
    return errors.empty();
  }

  bool plan() {
    std::set<std::string> said;
    Compiler compiler(compilerOptions, [&](const Message &message) {
      if (said.insert(renderedText(message)).second)
        printMessage(message);
    });
    Sources sources(compiler);
    std::vector<Diagnostic> errors;
    bool good = makePlan(manifest, sources, tasks, errors);
    for (const pack::ManifestKernel &kernel : manifest.kernels)
      dependencies.insert(kernel.path);
    if (!good && errors.empty() && said.empty())
      fail("the compiler cannot read the sources and gave no reason");
    return print(errors) && good;
  }

  //===-- Compiling ----------------------------------------------------------//

  // Everything a compilation depends on, but the contents of imported files.
  std::string keyOf(const Task &task) {
    std::string all;
    auto add = [&](std::string_view part) {
      all += concat(part.size(), ":");
      all += part;
    };
    auto addPairs =
        [&](const std::vector<std::pair<std::string, std::string>> &pairs) {
          add(std::to_string(pairs.size()));
          for (const auto &[name, value] : pairs) {
            add(name);
            add(value);
          }
        };
    const KernelSpec &spec = task.spec;
    add(programHash());
    add(Compiler::toolVersion());
    add(task.target);
    add(spec.source);
    add(cache.fileHash(spec.source));
    add(spec.function);
    addPairs(spec.signature);
    addPairs(spec.fixed);
    addPairs(spec.config.constants);
    add(concat(spec.config.numWarps, " ", spec.config.numStages, " ",
               spec.config.numCtas, spec.config.fpFusion ? "" : " separate"));
    addPairs(compilerOptions.bindings);
    for (const std::string &path : compilerOptions.searchPaths)
      add(path);
    return pack::hexText(pack::blake2b(all));
  }

  void runTask(const Task &task, Outcome &outcome,
               std::unique_ptr<Compiler> &compiler, Outcome *&current) {
    std::string key = keyOf(task);
    if (cache.load(key, outcome.kernel, outcome.dependencies)) {
      outcome.done = outcome.cached = true;
      return;
    }
    if (!compiler)
      compiler = std::make_unique<Compiler>(
          compilerOptions, [&current](const Message &message) {
            if (current)
              current->messages.push_back(message);
          });
    current = &outcome;
    outcome.done = compileTask(task, *compiler, outcome);
    current = nullptr;
    // Warnings must be said again next time, so such a result is not kept.
    if (outcome.done && outcome.messages.empty())
      cache.store(key, outcome.kernel, outcome.dependencies);
  }

  static void addError(Outcome &outcome, std::string text) {
    Message message;
    message.text = std::move(text);
    outcome.messages.push_back(std::move(message));
  }

  bool compileTask(const Task &task, Compiler &compiler, Outcome &outcome) {
    std::unique_ptr<KernelIR> ir = compiler.buildIR(task.spec);
    Image image;
    if (!ir || !compiler.compile(*ir, task.target, image)) {
      if (outcome.messages.empty())
        addError(outcome, "the compiler gave no reason");
      return false;
    }
    if (image.target.empty())
      image.target = task.target;
    pack::Kernel &kernel = outcome.kernel;
    kernel.name = "kernel";
    kernel.function = ir->name();
    for (const SlotInfo &slot : ir->slots()) {
      pack::Result<pack::Param> param = pack::makeParam(slot.name, slot.type);
      if (!param) {
        addError(outcome, param.message());
        return false;
      }
      param->hasConstant = slot.hasConstant;
      param->constant = slot.constantBits;
      kernel.params.push_back(*param);
    }
    pack::Config config;
    for (const auto &[name, value] : ir->config().constants)
      config.constants.push_back({name, value});
    config.numWarps = uint32_t(ir->config().numWarps);
    config.numStages = uint32_t(ir->config().numStages);
    config.numCtas = uint32_t(ir->config().numCtas);
    if (!task.aligned)
      config.ir = pack::makeBytes(ir->text());
    kernel.configs = {config};
    if (!Compiler::isGPU(task.target))
      if (pack::Status status =
              pack::checkCpuImage(image.bytes, task.target, image.symbol);
          !status) {
        addError(outcome, status.message());
        return false;
      }
    kernel.variants = {makeVariant(std::move(image),
                                   Compiler::isGPU(task.target), kernel.params,
                                   ir->predicates())};
    pack::CheckOptions options;
    options.requireFallback = false;
    if (pack::Status status = pack::checkKernel(kernel, options); !status) {
      addError(outcome,
               "the compiler's result is not consistent: " + status.message());
      return false;
    }
    outcome.dependencies = ir->dependencies();
    if (outcome.dependencies.empty())
      outcome.dependencies = {task.spec.source};
    return true;
  }

  std::string describe(const Task &task) const {
    return concat(tasks.kernels[task.kernel].manifest->name, " for ",
                  task.target, task.aligned ? " (aligned)" : "");
  }

  bool compileAll() {
    outcomes.resize(tasks.tasks.size());
    unsigned count = jobs ? jobs : std::thread::hardware_concurrency();
    count = std::max(1u, std::min<unsigned>(count, unsigned(outcomes.size())));
    std::atomic<size_t> next{0};
    {
      Progress progress(outcomes.size(), wantsProgress);
      auto work = [&] {
        std::unique_ptr<Compiler> compiler;
        Outcome *current = nullptr;
        for (size_t i; (i = next.fetch_add(1)) < outcomes.size();) {
          progress.begin(describe(tasks.tasks[i]));
          runTask(tasks.tasks[i], outcomes[i], compiler, current);
          progress.done();
        }
      };
      std::vector<std::thread> threads;
      for (unsigned i = 1; i < count; ++i)
        threads.emplace_back(work);
      work();
      for (std::thread &thread : threads)
        thread.join();
    }
    return reportOutcomes();
  }

  // Prints every message once, and below it which builds it was from.
  bool reportOutcomes() {
    bool good = true;
    std::map<std::string, std::vector<size_t>> from;
    std::vector<std::string> order;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      const Outcome &outcome = outcomes[i];
      good &= outcome.done;
      report.cached += outcome.cached;
      report.compiled += outcome.done && !outcome.cached;
      dependencies.insert(outcome.dependencies.begin(),
                          outcome.dependencies.end());
      for (const Message &message : outcome.messages) {
        std::vector<size_t> &where = from[renderedText(message)];
        if (where.empty())
          order.push_back(renderedText(message));
        if (where.empty() || where.back() != i)
          where.push_back(i);
      }
    }
    for (const std::string &message : order) {
      printRendered(message);
      const std::vector<size_t> &where = from[message];
      std::string others = where.size() > 1
                               ? concat(" and ", where.size() - 1, " more",
                                        where.size() > 2 ? " builds" : " build")
                               : std::string();
      note("while building " + describe(tasks.tasks[where[0]]) + others);
    }
    return good;
  }

  //===-- Assembling ---------------------------------------------------------//

  bool assemble() {
    out.name = manifest.name;
    out.producer = producerText();
    out.provenance = {{"compiler", Compiler::toolVersion()},
                      {"nereid", versionText()}};
    std::vector<Diagnostic> errors;
    for (size_t k = 0; k < tasks.kernels.size(); ++k)
      assembleKernel(k, errors);
    return print(errors);
  }

  void assembleKernel(size_t index, std::vector<Diagnostic> &errors) {
    const PlannedKernel &planned = tasks.kernels[index];
    const pack::ManifestKernel &from = *planned.manifest;
    pack::Kernel kernel;
    kernel.name = from.name;
    kernel.doc = from.doc;
    kernel.source = from.source;
    kernel.function = planned.description.name;
    kernel.autotuneKey = planned.description.autotuneKey;
    if (pack::Result<std::string> source = pack::readFile(from.path))
      kernel.sourceXxh3 = pack::xxh3(*source);
    for (const auto &[name, value] : compilerOptions.bindings)
      kernel.provenance.push_back({"bind:" + name, value});

    std::vector<pack::Config> configs(planned.configCount);
    std::vector<bool> used(planned.configCount);
    for (size_t t = 0; t < tasks.tasks.size(); ++t) {
      const Task &task = tasks.tasks[t];
      if (task.kernel != index)
        continue;
      pack::Kernel &part = outcomes[t].kernel;
      if (kernel.params.empty() && kernel.variants.empty())
        kernel.params = part.params;
      if (!sameSlots(kernel.params, part.params)) {
        errors.push_back(
            {planned.configWhere[task.config],
             concat("this config of '", from.name,
                    "' has other public "
                    "parameters than the first one: each config must fix the "
                    "same parameters")});
        return;
      }
      pack::Config &config = configs[task.config];
      if (!used[task.config])
        config = part.configs[0];
      // Where the source asks for its target, the interpreter, which runs on
      // the host too, takes a CPU's.
      else if (part.configs[0].ir &&
               (!config.ir || !Compiler::isGPU(task.target)))
        config.ir = part.configs[0].ir;
      used[task.config] = true;
      part.variants[0].config = uint32_t(task.config);
      kernel.variants.push_back(std::move(part.variants[0]));
    }
    for (size_t c = 0; c < configs.size(); ++c)
      if (used[c])
        compileGrid(from, kernel, configs[c], errors);
    dropUnused(kernel, configs, used);
    kernel.configs = std::move(configs);
    dropEqualVariants(kernel);
    pack::sortVariants(kernel);
    out.kernels.push_back(std::move(kernel));
  }

  static bool sameSlots(const std::vector<pack::Param> &a,
                        const std::vector<pack::Param> &b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const pack::Param &p, const pack::Param &q) {
                        return p.name == q.name && p.type == q.type &&
                               p.hasConstant == q.hasConstant &&
                               p.constant == q.constant;
                      });
  }

  static void dropUnused(pack::Kernel &kernel,
                         std::vector<pack::Config> &configs,
                         const std::vector<bool> &used) {
    std::vector<pack::Config> kept;
    std::vector<uint32_t> place(configs.size());
    for (size_t c = 0; c < configs.size(); ++c) {
      place[c] = uint32_t(kept.size());
      if (used[c])
        kept.push_back(std::move(configs[c]));
    }
    for (pack::Variant &variant : kernel.variants)
      variant.config = place[variant.config];
    configs = std::move(kept);
  }

  // Where alignment changed nothing, the generic variant does the same.
  static void dropEqualVariants(pack::Kernel &kernel) {
    auto &variants = kernel.variants;
    variants.erase(
        std::remove_if(variants.begin(), variants.end(),
                       [&](const pack::Variant &variant) {
                         return variant.demands() &&
                                std::any_of(
                                    variants.begin(), variants.end(),
                                    [&](const pack::Variant &other) {
                                      return !other.demands() &&
                                             other.target == variant.target &&
                                             other.config == variant.config &&
                                             *other.image == *variant.image;
                                    });
                       }),
        variants.end());
  }

  void compileGrid(const pack::ManifestKernel &from, const pack::Kernel &kernel,
                   pack::Config &config, std::vector<Diagnostic> &errors) {
    pack::GridNames names;
    for (size_t i = 0; i < kernel.params.size(); ++i) {
      const pack::Param &param = kernel.params[i];
      names.slots[param.name] = {uint32_t(i),
                                 param.kind == pack::Param::Kind::Integer,
                                 param.rank, param.type};
      if (param.hasConstant && param.kind == pack::Param::Kind::Integer)
        names.constants[param.name] = param.constant;
    }
    names.constants["num_warps"] = config.numWarps;
    names.constants["num_stages"] = config.numStages;
    names.constants["num_ctas"] = config.numCtas;
    for (const pack::Constant &constant : config.constants) {
      pack::ManifestConstant value =
          pythonConstant(constant.name, constant.text);
      if (value.kind == pack::ManifestConstant::Kind::Integer ||
          value.kind == pack::ManifestConstant::Kind::Bool)
        names.constants[constant.name] = value.integer;
      else
        names.others[constant.name] = constant.text;
    }
    for (const pack::ManifestGridAxis &axis : from.grid) {
      pack::GridAxis compiled;
      pack::GridError problem;
      if (axis.expr.compile(names, compiled, problem)) {
        config.grid.push_back(std::move(compiled));
        continue;
      }
      pack::Location where = axis.where;
      where.column += unsigned(problem.offset);
      errors.push_back({where, problem.text});
    }
  }

  const pack::Manifest &manifest;
  const std::string &text;
  pack::Pack &out;
  BuildReport &report;
  CompilerOptions compilerOptions;
  Cache cache;
  unsigned jobs;
  bool wantsProgress;
  Plan tasks;
  std::vector<Outcome> outcomes;
  std::set<std::string> dependencies;
};

} // namespace

bool buildPack(const pack::Manifest &manifest, const std::string &text,
               const BuildOptions &options, pack::Pack &out,
               BuildReport &report) {
  return Builder(manifest, text, options, out, report).run();
}

} // namespace nereid::tool
