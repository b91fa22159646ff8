//===- Plan.cpp - From a manifest to the work that builds it --------------===//

#include "packager/tools/Plan.h"

#include "packager/SignatureType.h"
#include "packager/Suggest.h"

#include <algorithm>
#include <set>

namespace nereid::tool {

using pack::concat;
using pack::Diagnostic;
using pack::Location;
using pack::ManifestConfig;
using pack::ManifestConstant;
using pack::ManifestKernel;
using pack::ManifestParam;
using pack::Specialization;

const std::vector<KernelDescription> *Sources::list(const std::string &path) {
  auto [it, isNew] = known.try_emplace(path);
  if (isNew)
    it->second.first = compiler.listKernels(path, it->second.second);
  return it->second.first ? &it->second.second : nullptr;
}

const KernelDescription *
findKernel(const std::vector<KernelDescription> &kernels,
           const std::string &name, const std::string &path,
           std::string &problem) {
  std::vector<std::string> names;
  for (const KernelDescription &kernel : kernels) {
    if (kernel.name == name)
      return &kernel;
    names.push_back(kernel.name);
  }
  if (kernels.empty())
    problem = concat("'", path, "' has no @triton.jit function");
  else if (!name.empty())
    problem = concat("'", path, "' has no kernel '", name, "'",
                     pack::suggestion(name, names, "it has"));
  else if (kernels.size() == 1)
    return &kernels[0];
  else
    problem =
        concat("'", path, "' has ", kernels.size(),
               " kernels; name one as FILE:KERNEL: ", pack::listText(names));
  return nullptr;
}

namespace {

class KernelPlanner {
public:
  KernelPlanner(const ManifestKernel &manifest,
                const KernelDescription &description, size_t index, Plan &out,
                std::vector<Diagnostic> &errors)
      : manifest(manifest), description(description), index(index), out(out),
        errors(errors) {
    for (const ParameterDescription &parameter : description.parameters)
      names.push_back(parameter.name);
  }

  void run() {
    size_t before = errors.size();
    readSignature();
    readConfigs();
    if (errors.size() != before)
      return;
    PlannedKernel planned;
    planned.manifest = &manifest;
    planned.description = description;
    planned.configCount = configs.size();
    for (const PlannedConfig &config : configs)
      planned.configWhere.push_back(config.where);
    out.kernels.push_back(std::move(planned));
    addTasks();
  }

private:
  struct PlannedConfig {
    ConfigSpec spec;
    std::vector<std::string> targets; ///< empty: all
    Location where;
  };

  void error(const Location &where, std::string text) {
    errors.push_back({where, std::move(text)});
  }
  bool isIR() const {
    const std::string &path = manifest.source;
    return path.size() > 5 && path.compare(path.size() - 5, 5, ".ttir") == 0;
  }
  const ParameterDescription *parameter(const std::string &name) const {
    for (const ParameterDescription &one : description.parameters)
      if (one.name == name)
        return &one;
    return nullptr;
  }
  bool isHeuristic(const std::string &name) const {
    return std::find(description.heuristics.begin(),
                     description.heuristics.end(),
                     name) != description.heuristics.end();
  }

  void unknown(const Location &where, const std::string &name,
               std::vector<std::string> also = {}) {
    std::vector<std::string> candidates = names;
    candidates.insert(candidates.end(), also.begin(), also.end());
    error(where,
          concat("kernel '", description.name, "' has no parameter '", name,
                 "'", pack::suggestion(name, candidates, "its parameters")));
  }

  // Sorts the lines of [kernel.signature] and [kernel.constants] into types,
  // fixed slots and compile-time constants.
  void readSignature() {
    using Kind = ManifestConstant::Kind;
    std::map<std::string, const ManifestParam *> given;
    for (const ManifestParam &param : manifest.signature)
      if (parameter(param.name))
        given[param.name] = &param;
      else
        unknown(param.where, param.name);
    for (const ManifestConstant &constant : manifest.constants) {
      if (!parameter(constant.name))
        unknown(constant.where, constant.name);
      else if (given.count(constant.name))
        error(constant.where,
              concat("'", constant.name, "' is given here and in ",
                     manifest.fromCommandLine ? "--signature"
                                              : "[kernel.signature]"));
      else
        base.emplace_back(constant.name, constant.text);
    }
    for (const ParameterDescription &one : description.parameters) {
      auto it = given.find(one.name);
      if (it == given.end())
        continue;
      const ManifestParam &param = *it->second;
      if (!param.type.empty()) {
        if (one.isConstexpr)
          error(param.valueWhere,
                concat("'", one.name,
                       "' is a tl.constexpr: give it a value, "
                       "not the type '",
                       param.type, "'"));
        else
          types.emplace_back(one.name, param.type);
      } else if (one.isConstexpr || param.constant.kind == Kind::None ||
                 param.constant.kind == Kind::String ||
                 param.constant.kind == Kind::Other) {
        base.emplace_back(one.name, param.constant.text);
      } else {
        fixed.emplace_back(one.name, param.constant.text);
      }
    }
  }

  static bool has(const std::vector<std::pair<std::string, std::string>> &all,
                  const std::string &name) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto &pair) { return pair.first == name; });
  }

  void readConfigs() {
    if (!manifest.configs.empty()) {
      for (const ManifestConfig &config : manifest.configs) {
        PlannedConfig planned;
        planned.targets = config.targets;
        planned.where = config.where;
        planned.spec.numWarps = config.numWarps;
        planned.spec.numStages = config.numStages;
        planned.spec.numCtas = config.numCtas;
        for (const ManifestConstant &constant : config.constants) {
          if (!parameter(constant.name))
            unknown(constant.where, constant.name,
                    {"num_warps", "num_stages", "num_ctas", "targets"});
          else if (has(types, constant.name) || has(fixed, constant.name) ||
                   has(base, constant.name))
            error(constant.where,
                  concat("'", constant.name, "' is given here and in ",
                         has(base, constant.name) ? "[kernel.constants]"
                                                  : "[kernel.signature]"));
          else
            planned.spec.constants.emplace_back(constant.name, constant.text);
        }
        configs.push_back(std::move(planned));
      }
    } else if (!description.configs.empty()) {
      for (const ConfigSpec &config : description.configs) {
        PlannedConfig planned;
        planned.spec = config;
        planned.where = manifest.where;
        // What the manifest fixes wins over @triton.autotune.
        auto &all = planned.spec.constants;
        all.erase(std::remove_if(
                      all.begin(), all.end(),
                      [&](const auto &pair) { return has(base, pair.first); }),
                  all.end());
        configs.push_back(std::move(planned));
      }
    } else {
      PlannedConfig planned;
      planned.where = manifest.where;
      configs.push_back(std::move(planned));
    }
    for (PlannedConfig &config : configs)
      complete(config);
    mergeEqualConfigs();
  }

  // Adds what holds for every config, in the order of the parameters, and says
  // what is missing.
  void complete(PlannedConfig &config) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const ParameterDescription &one : description.parameters) {
      const auto *from =
          has(config.spec.constants, one.name) ? &config.spec.constants : &base;
      for (const auto &pair : *from)
        if (pair.first == one.name)
          all.push_back(pair);
      if (has(*from, one.name) || has(types, one.name) ||
          has(fixed, one.name) || isHeuristic(one.name) || isIR())
        continue;
      // Each missing parameter is said once, not once per config.
      if (!one.defaultText.empty()) {
        if (!one.isConstexpr)
          all.emplace_back(one.name, one.defaultText);
      } else if (missing.insert(one.name).second) {
        if (one.isConstexpr)
          error(config.where,
                concat("nothing gives '", one.name, "', a tl.constexpr of '",
                       description.name, "', a value; ",
                       manifest.fromCommandLine
                           ? "add --const " + one.name + "=VALUE"
                           : std::string("add it to [[kernel.config]] or "
                                         "[kernel.constants]")));
        else
          error(manifest.signatureWhere,
                concat("parameter '", one.name, "' of '", description.name,
                       "' has no type; add for example ",
                       manifest.fromCommandLine
                           ? "'" + one.name + "=i32' to --signature"
                           : one.name + " = \"i32\" to [kernel.signature]"));
      }
    }
    config.spec.constants = std::move(all);
  }

  // @triton.autotune lists may differ only in what the manifest fixes.
  void mergeEqualConfigs() {
    std::vector<PlannedConfig> distinct;
    for (PlannedConfig &config : configs) {
      bool known = std::any_of(
          distinct.begin(), distinct.end(), [&](const PlannedConfig &other) {
            return other.spec.constants == config.spec.constants &&
                   other.spec.numWarps == config.spec.numWarps &&
                   other.spec.numStages == config.spec.numStages &&
                   other.spec.numCtas == config.spec.numCtas &&
                   other.spec.fpFusion == config.spec.fpFusion &&
                   other.targets == config.targets;
          });
      if (!known)
        distinct.push_back(std::move(config));
    }
    configs = std::move(distinct);
  }

  // The variants of one target: what the manifest says, or the default.
  std::vector<Specialization> variantsOf(const std::string &target) const {
    if (!manifest.variants.empty())
      return manifest.variants;
    bool hinted = std::any_of(types.begin(), types.end(), [](const auto &pair) {
      return pair.second.find(":16") != std::string::npos;
    });
    // On a CPU unaligned vectors cost next to nothing, so one variant serves.
    if (!Compiler::isGPU(target) && !hinted)
      return {Specialization::Generic};
    return {Specialization::Aligned, Specialization::Generic};
  }

  // The signature as one variant assumes it. Hints in the manifest say what
  // 'aligned' means; without any, it is all that Triton's own JIT would assume.
  std::vector<std::pair<std::string, std::string>>
  signatureFor(Specialization specialization) const {
    bool hinted = false;
    for (const auto &pair : types)
      hinted |= pair.second.find(":16") != std::string::npos;
    auto signature = types;
    for (auto &[name, type] : signature) {
      pack::Result<pack::SignatureType> parsed = pack::parseSignatureType(type);
      if (!parsed || parsed->hint == 1)
        continue;
      type = parsed->text;
      bool hintable = parsed->kind == pack::SignatureType::Kind::Pointer ||
                      parsed->kind == pack::SignatureType::Kind::Descriptor ||
                      (parsed->kind == pack::SignatureType::Kind::Integer &&
                       parsed->scalar->bits > 8);
      if (specialization == Specialization::Aligned &&
          (hinted ? parsed->hint == 16 : hintable))
        type += ":16";
    }
    return signature;
  }

  void addTasks() {
    for (const std::string &target : manifest.targets) {
      bool served = false;
      for (size_t c = 0; c < configs.size(); ++c) {
        const PlannedConfig &config = configs[c];
        if (!config.targets.empty() &&
            std::find(config.targets.begin(), config.targets.end(), target) ==
                config.targets.end())
          continue;
        served = true;
        for (Specialization specialization : variantsOf(target)) {
          Task task;
          task.kernel = index;
          task.config = c;
          task.target = target;
          task.aligned = specialization == Specialization::Aligned;
          task.spec.source = manifest.path;
          task.spec.target = target;
          task.spec.function = description.name;
          task.spec.signature = signatureFor(specialization);
          task.spec.fixed = fixed;
          task.spec.config = config.spec;
          // Nothing to assume: the generic variant is the aligned one.
          if (task.aligned &&
              task.spec.signature == signatureFor(Specialization::Generic))
            continue;
          out.tasks.push_back(std::move(task));
        }
      }
      if (!served)
        error(manifest.where, concat("no [[kernel.config]] of '", manifest.name,
                                     "' is for target ", target,
                                     "; add one without 'targets', or leave ",
                                     target, " out of this kernel's targets"));
    }
  }

  const ManifestKernel &manifest;
  const KernelDescription &description;
  size_t index;
  Plan &out;
  std::vector<Diagnostic> &errors;
  std::vector<std::string> names;
  std::vector<std::pair<std::string, std::string>> types, fixed, base;
  std::vector<PlannedConfig> configs;
  std::set<std::string> missing;
};

} // namespace

bool makePlan(const pack::Manifest &manifest, Sources &sources, Plan &out,
              std::vector<Diagnostic> &errors) {
  bool good = true;
  for (const ManifestKernel &kernel : manifest.kernels) {
    const auto *descriptions = sources.list(kernel.path);
    if (!descriptions) {
      good = false;
      continue;
    }
    std::string problem;
    const KernelDescription *description =
        findKernel(*descriptions, kernel.function, kernel.path, problem);
    if (!description) {
      errors.push_back({kernel.functionWhere, problem});
      good = false;
      continue;
    }
    size_t before = errors.size();
    KernelPlanner(kernel, *description, out.kernels.size(), out, errors).run();
    good &= errors.size() == before;
  }
  return good;
}

} // namespace nereid::tool
