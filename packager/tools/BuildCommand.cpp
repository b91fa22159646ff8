//===- BuildCommand.cpp - nereid build, nereid compile --------------------===//

#include "packager/tools/Build.h"
#include "packager/tools/Cache.h"
#include "packager/tools/Commands.h"
#include "packager/tools/Console.h"
#include "packager/tools/Json.h"
#include "packager/tools/Plan.h"
#include "packager/tools/SignatureText.h"

#include "packager/File.h"
#include "packager/Suggest.h"

#include <algorithm>
#include <set>
#include <unistd.h>

namespace nereid::tool {

using pack::concat;

std::string counted(size_t count, const std::string &noun) {
  return concat(count, " ", noun, count == 1 ? "" : "s");
}

std::string packSummary(const pack::Pack &pack, const std::string &path,
                        size_t size) {
  size_t variants = 0;
  for (const pack::Kernel &kernel : pack.kernels)
    variants += kernel.variants.size();
  return concat(path, ": ", counted(pack.kernels.size(), "kernel"), ", ",
                counted(variants, "variant"), ", ",
                counted(pack.targets().size(), "target"), ", ", sizeText(size));
}

bool openPack(const std::string &path, pack::Pack &out, pack::FileFacts *facts,
              bool requireFallback) {
  pack::CheckOptions options;
  options.requireFallback = requireFallback;
  pack::Result<pack::Pack> pack = pack::readPackFile(path, facts, options);
  if (!pack) {
    fail(pack.message());
    return false;
  }
  out = std::move(*pack);
  return true;
}

bool savePack(const pack::Pack &pack, const std::string &path) {
  pack::Result<std::string> bytes = pack::writePack(pack);
  pack::Status status = bytes ? pack::writeFile(path, *bytes) : bytes.status();
  if (!status) {
    fail(status.message());
    return false;
  }
  return true;
}

namespace {

bool makeCompilerOptions(const CompilerFlags &flags, CompilerOptions &out) {
  out.searchPaths = flags.searchPaths;
  for (const std::string &binding : flags.bindings) {
    size_t equal = binding.find('=');
    if (equal == std::string::npos || equal == 0) {
      usage("--bind takes name=value; found '" + binding + "'");
      return false;
    }
    out.bindings.emplace_back(std::string(trim(binding.substr(0, equal))),
                              std::string(trim(binding.substr(equal + 1))));
  }
  return true;
}

bool knownTarget(const std::string &target) {
  std::vector<std::string> known = Compiler::targets();
  if (std::find(known.begin(), known.end(), target) != known.end())
    return true;
  usage("unknown target '" + target + "'" +
        pack::suggestion(target, known, "known targets"));
  return false;
}

// A make rule; blanks, '#' and '$' escaped as make wants them.
std::string depfileText(const std::string &output,
                        const std::vector<std::string> &files) {
  auto escaped = [](const std::string &path) {
    std::string text;
    for (char c : path) {
      if (c == ' ' || c == '#')
        text += '\\';
      if (c == '$')
        text += '$';
      text += c;
    }
    return text;
  };
  std::string text = escaped(output) + ":";
  for (const std::string &file : files)
    text += " \\\n  " + escaped(file);
  return text + "\n";
}

int finishBuild(const pack::Pack &built, const BuildReport &report,
                const std::string &output, bool json, bool quiet) {
  pack::Result<std::string> bytes = pack::writePack(built);
  if (!bytes)
    return fail(bytes.message());
  if (pack::Status status = pack::writeFile(output, *bytes); !status)
    return fail(status.message());
  if (json) {
    Json out;
    out.object([&] {
      out.member("pack", output);
      out.member("size", uint64_t(bytes->size()));
      out.member("kernels", uint64_t(built.kernels.size()));
      out.member("targets", built.targets());
      out.member("compiled", uint64_t(report.compiled));
      out.member("cached", uint64_t(report.cached));
      out.member("seconds", report.seconds);
      out.member("dependencies", report.dependencies);
    });
    print(out.take());
  } else if (!quiet) {
    print(concat(packSummary(built, output, bytes->size()), " (",
                 report.compiled, " compiled",
                 report.cached ? concat(", ", report.cached, " from the cache")
                               : std::string(),
                 ", ", timeText(report.seconds), ")\n"));
  }
  return kSuccess;
}

} // namespace

//===-- nereid build ------------------------------------------------------===//

int runBuild(const BuildCommand &command) {
  for (const std::string &target : command.targets)
    if (!knownTarget(target))
      return kUsage;
  BuildOptions options;
  if (!makeCompilerOptions(command.compiler, options.compiler))
    return kUsage;
  pack::Result<std::string> text = pack::readFile(command.manifest);
  if (!text)
    return fail(text.message());
  pack::ManifestOptions reading;
  reading.file = command.manifest;
  reading.knownTargets = Compiler::targets();
  reading.targets = command.targets;
  pack::Manifest manifest;
  std::vector<pack::Diagnostic> errors;
  if (!pack::parseManifest(*text, reading, manifest, errors)) {
    for (const pack::Diagnostic &error : errors)
      printRendered(pack::render(error, *text));
    return kFailure;
  }
  std::string output =
      command.output.empty() ? manifest.name + ".nrd" : command.output;
  for (const std::string &path : {output, command.depfile})
    if (pack::Status status = pack::checkWritable(path);
        !path.empty() && !status)
      return fail(status.message());
  options.jobs = command.jobs;
  options.progress = !command.quiet;
  if (!command.noCache)
    options.cacheFolder = command.cacheFolder.empty() ? Cache::defaultFolder()
                                                      : command.cacheFolder;
  pack::Pack built;
  BuildReport report;
  if (!buildPack(manifest, *text, options, built, report) ||
      !applyTuningFiles(manifest.tuning, built))
    return kFailure;
  report.dependencies.insert(report.dependencies.end(), manifest.tuning.begin(),
                             manifest.tuning.end());
  if (!command.depfile.empty()) {
    std::vector<std::string> files = {command.manifest};
    files.insert(files.end(), report.dependencies.begin(),
                 report.dependencies.end());
    if (pack::Status status =
            pack::writeFile(command.depfile, depfileText(output, files));
        !status)
      return fail(status.message());
  }
  return finishBuild(built, report, output, command.json, command.quiet);
}

//===-- nereid compile ----------------------------------------------------===//

namespace {

// The best level of the processor that this runs on.
std::string hostTarget() {
  std::string best;
#if defined(__x86_64__)
  std::vector<std::string> known = Compiler::targets();
  auto offer = [&](bool has, const char *name) {
    if (has && std::find(known.begin(), known.end(), name) != known.end())
      best = name;
  };
  offer(true, "x86-64-v2");
  offer(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
        "x86-64-v3");
  offer(__builtin_cpu_supports("avx512f") &&
            __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") &&
            __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl"),
        "x86-64-v4");
#elif defined(__aarch64__)
  best = "aarch64";
#endif
  return best;
}

struct Emission {
  const char *name;
  const char *suffix;
  bool isText;
};
constexpr Emission kEmissions[] = {
    {"tt", ".ttir", true}, {"tgpu", ".mlir", true}, {"llvm", ".ll", true},
    {"asm", ".s", true},   {"obj", ".o", false},    {"nrd", ".nrd", false},
};

const Emission *findEmission(const std::string &name) {
  for (const Emission &one : kEmissions)
    if (name == one.name)
      return &one;
  std::vector<std::string> names;
  for (const Emission &one : kEmissions)
    names.push_back(one.name);
  usage("--emit '" + name + "' is unknown" +
        pack::suggestion(name, names, "allowed"));
  return nullptr;
}

// "file.py:kernel"; a Windows-like or plain path stays whole.
void splitInput(const std::string &input, std::string &path,
                std::string &function) {
  size_t colon = input.rfind(':');
  path = input;
  if (colon == std::string::npos || colon + 1 == input.size() ||
      ::access(input.c_str(), R_OK) == 0)
    return;
  if (input.find('/', colon) != std::string::npos)
    return;
  path = input.substr(0, colon);
  function = input.substr(colon + 1);
}

std::string configText(const ConfigSpec &config) {
  std::string text;
  for (const auto &[name, value] : config.constants)
    text += name + "=" + value + " ";
  return text + concat("num_warps=", config.numWarps,
                       " num_stages=", config.numStages,
                       config.numCtas > 1 ? concat(" num_ctas=", config.numCtas)
                                          : std::string());
}

int listKernels(const std::vector<KernelDescription> &kernels,
                const std::string &function, const std::string &path,
                bool asJson) {
  Json json;
  std::string text;
  json.array([&] {
    for (const KernelDescription &kernel : kernels) {
      if (!function.empty() && kernel.name != function)
        continue;
      auto isHeuristic = [&](const std::string &name) {
        return std::find(kernel.heuristics.begin(), kernel.heuristics.end(),
                         name) != kernel.heuristics.end();
      };
      auto inConfigs = [&](const std::string &name) {
        return !kernel.configs.empty() &&
               std::all_of(kernel.configs.begin(), kernel.configs.end(),
                           [&](const ConfigSpec &config) {
                             return std::any_of(config.constants.begin(),
                                                config.constants.end(),
                                                [&](const auto &c) {
                                                  return c.first == name;
                                                });
                           });
      };
      std::vector<std::string> missing;
      Table table;
      table.row({"PARAMETER", "", "DEFAULT", "GIVEN BY"});
      json.object([&] {
        json.member("name", kernel.name);
        json.member("file", path);
        json.member("line", kernel.line);
        json.arrayMember("parameters", [&] {
          for (const ParameterDescription &one : kernel.parameters) {
            std::string by = isHeuristic(one.name) ? "@triton.heuristics"
                             : inConfigs(one.name) ? "@triton.autotune"
                             : one.isConstexpr     ? "--const"
                                                   : "--signature";
            if (by.substr(0, 2) == "--" && one.defaultText.empty())
              missing.push_back(one.name);
            table.row({"  " + one.name,
                       one.isConstexpr ? "constexpr" : one.annotation,
                       one.defaultText, by});
            json.object([&] {
              json.member("name", one.name);
              json.member("constexpr", one.isConstexpr);
              json.member("annotation", one.annotation);
              json.member("default", one.defaultText);
              json.member("given_by", by);
            });
          }
        });
        json.arrayMember("configs", [&] {
          for (const ConfigSpec &config : kernel.configs)
            json.object([&] {
              json.objectMember("constants", [&] {
                for (const auto &[name, value] : config.constants)
                  json.member(name, value);
              });
              json.member("num_warps", config.numWarps);
              json.member("num_stages", config.numStages);
              json.member("num_ctas", config.numCtas);
            });
        });
        json.member("autotune_key", kernel.autotuneKey);
        json.member("still_needed", missing);
      });
      text += styled(Style::Bold, kernel.name) + "  " +
              styled(Style::Dim, concat(path, ":", kernel.line)) + "\n" +
              (kernel.parameters.empty() ? "" : table.text());
      if (!kernel.configs.empty()) {
        text += concat("  ", counted(kernel.configs.size(), "config"),
                       " from @triton.autotune",
                       kernel.autotuneKey.empty()
                           ? std::string()
                           : " keyed on " + pack::listText(kernel.autotuneKey),
                       ":\n");
        for (const ConfigSpec &config : kernel.configs)
          text += "    " + configText(config) + "\n";
      }
      text += "\n";
    }
  });
  print(asJson ? json.take() : text);
  return kSuccess;
}

// Makes the one-kernel manifest that the command line describes.
bool makeManifest(const CompileCommand &command, const std::string &path,
                  const KernelDescription &kernel, const std::string &target,
                  pack::Manifest &out) {
  std::vector<std::string> names;
  for (const ParameterDescription &one : kernel.parameters)
    names.push_back(one.name);
  out.name = kernel.name;
  out.targets = {target};
  pack::ManifestKernel entry;
  entry.fromCommandLine = true;
  entry.source = path.substr(path.rfind('/') + 1);
  entry.path = path;
  entry.function = entry.name = kernel.name;
  entry.targets = {target};
  entry.signatureWhere.file = "--signature";
  std::vector<pack::Diagnostic> errors;
  if (command.hasSignature)
    parseSignatureText(command.signature, names, entry.signature, errors);
  if (!command.like.empty()) {
    if (parseLike(command.like, names, entry.signature, errors)) {
      // A sample of a constexpr parameter is its value.
      for (pack::ManifestParam &param : entry.signature)
        for (const ParameterDescription &one : kernel.parameters)
          if (one.name == param.name && one.isConstexpr)
            for (const std::string &sample : command.like)
              if (sample.compare(0, one.name.size() + 1, one.name + "=") == 0) {
                param.type.clear();
                param.constant = pythonConstant(
                    one.name,
                    std::string_view(sample).substr(one.name.size() + 1));
              }
      note("signature: " + signatureText(entry.signature));
    }
  }
  for (const pack::Diagnostic &error : errors)
    printRendered(pack::render(error, command.signature));
  bool good = errors.empty();
  for (const std::string &constant : command.constants) {
    size_t equal = constant.find('=');
    if (equal == std::string::npos || equal == 0) {
      fail("--const takes NAME=VALUE; found '" + constant + "'");
      good = false;
      continue;
    }
    entry.constants.push_back(pythonConstant(
        std::string(trim(std::string_view(constant).substr(0, equal))),
        std::string_view(constant).substr(equal + 1)));
    entry.constants.back().where.file = "--const";
  }
  bool wantsConfig =
      command.numWarps || command.numStages >= 0 || command.numCtas;
  if (wantsConfig) {
    pack::ManifestConfig config;
    if (command.numWarps)
      config.numWarps = command.numWarps;
    if (command.numStages >= 0)
      config.numStages = command.numStages;
    if (command.numCtas)
      config.numCtas = command.numCtas;
    config.where.file = "--const";
    entry.configs.push_back(config);
  }
  for (const std::string &axis : command.grid) {
    pack::ManifestGridAxis parsed;
    parsed.text = axis;
    parsed.where = {"--grid", 1, 1};
    pack::GridError problem;
    if (!pack::GridExpr::parse(axis, parsed.expr, problem)) {
      parsed.where.column += unsigned(problem.offset);
      printRendered(pack::render({parsed.where, problem.text}, axis));
      good = false;
      continue;
    }
    entry.grid.push_back(std::move(parsed));
  }
  if (entry.grid.size() > 3) {
    fail("--grid is given more than three times; a grid has at most 3 axes");
    good = false;
  }
  out.kernels.push_back(std::move(entry));
  return good;
}

bool hasHint(const pack::Manifest &manifest) {
  for (const pack::ManifestParam &param : manifest.kernels[0].signature)
    if (param.type.find(":16") != std::string::npos)
      return true;
  return false;
}

int writeOutput(const CompileCommand &command, const Emission &emission,
                const std::string &name, const std::string &bytes) {
  std::string path = command.output;
  if (path.empty() && emission.isText)
    path = "-";
  else if (path.empty())
    path = name + emission.suffix;
  if (path == "-") {
    print(bytes);
    return kSuccess;
  }
  if (pack::Status status = pack::writeFile(path, bytes); !status)
    return fail(status.message());
  return kSuccess;
}

} // namespace

int runCompile(const CompileCommand &command) {
  if (command.hasSignature && !command.like.empty())
    return usage("give --signature or --like, not both");
  const Emission *emission = findEmission(command.emit);
  if (!emission)
    return kUsage;
  CompilerOptions options;
  if (!makeCompilerOptions(command.compiler, options))
    return kUsage;
  options.timing = command.time;
  std::string target = command.target.empty() ? hostTarget() : command.target;
  if (!knownTarget(target))
    return kUsage;
  std::string path, function;
  splitInput(command.input, path, function);
  if (::access(path.c_str(), R_OK) != 0)
    return fail(pack::readFile(path).message());

  std::set<std::string> said;
  Compiler compiler(options, [&](const Message &message) {
    if (message.severity == Message::Severity::Note ||
        said.insert(renderedText(message)).second)
      printMessage(message);
  });
  Sources sources(compiler);
  const auto *kernels = sources.list(path);
  if (!kernels)
    return said.empty() ? fail("the compiler cannot read '" + path +
                               "' and gave no reason")
                        : kFailure;
  std::string problem;
  if (command.list) {
    if (!function.empty() && !findKernel(*kernels, function, path, problem))
      return fail(problem);
    return listKernels(*kernels, function, path, command.json);
  }
  const KernelDescription *kernel =
      findKernel(*kernels, function, path, problem);
  if (!kernel)
    return fail(problem);
  pack::Manifest manifest;
  if (!makeManifest(command, path, *kernel, target, manifest))
    return kFailure;
  if (emission->name == std::string_view("nrd")) {
    BuildOptions building;
    building.compiler = options;
    building.jobs = 0;
    pack::Pack built;
    BuildReport report;
    if (!buildPack(manifest, command.signature, building, built, report))
      return kFailure;
    std::string output =
        command.output.empty() ? kernel->name + ".nrd" : command.output;
    return finishBuild(built, report, output, command.json, false);
  }

  // A single form of the kernel: the one that the hints describe.
  manifest.kernels[0].variants = {hasHint(manifest)
                                      ? pack::Specialization::Aligned
                                      : pack::Specialization::Generic};
  Plan plan;
  std::vector<pack::Diagnostic> errors;
  bool good = makePlan(manifest, sources, plan, errors);
  for (const pack::Diagnostic &error : errors)
    printRendered(pack::render(error, command.signature));
  if (!good || plan.tasks.empty())
    return kFailure;
  if (plan.tasks.size() > 1)
    note(concat("the kernel has ", plan.tasks.size(),
                " configs; this is the "
                "first, ",
                configText(plan.tasks[0].spec.config)));
  std::unique_ptr<KernelIR> ir = compiler.buildIR(plan.tasks[0].spec);
  if (!ir)
    return kFailure;
  std::string bytes;
  if (emission->name == std::string_view("obj")) {
    Image image;
    if (!compiler.compile(*ir, target, image))
      return kFailure;
    bytes = std::move(image.bytes);
  } else {
    EmitKind kind =
        emission->name == std::string_view("tt")     ? EmitKind::TT
        : emission->name == std::string_view("tgpu") ? EmitKind::TGPU
        : emission->name == std::string_view("llvm") ? EmitKind::LLVM
                                                     : EmitKind::Asm;
    if (!compiler.emit(*ir, target, kind, bytes))
      return kFailure;
  }
  return writeOutput(command, *emission, kernel->name, bytes);
}

} // namespace nereid::tool
