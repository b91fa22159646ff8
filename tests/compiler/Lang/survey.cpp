//===- survey.cpp - Parses every .py file under some folders --------------===//
//
//   lang-survey [-v] FOLDER_OR_FILE...
//   lang-survey --dump FILE
//   lang-survey --list [-I FOLDER]... FILE...
//
// The second form prints the syntax tree. The third also runs the module and
// prints its kernels, with the names in them that mean nothing. The first
// prints how many files were read, those with syntax errors (with the first
// error of each under -v), and the slowest. It is how the parser is held
// against the Python standard library and other people's sources. Exit status
// 1 when a file took longer than a second per megabyte.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/Diagnostics.h"
#include "compiler/Lang/Module.h"
#include "compiler/Lang/Parser.h"
#include "compiler/Lang/Walk.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <ctime>

using namespace nereid::lang;

namespace {
struct Survey {
  bool verbose = false;
  unsigned files = 0, broken = 0, slow = 0;
  uint64_t bytes = 0;
  double seconds = 0, worstSeconds = 0;
  std::string worst;

  void file(llvm::StringRef path) {
    SourceManager sources;
    std::string error;
    const SourceFile *source = sources.addFile(path, error);
    if (!source)
      return;
    // Processor time: a busy machine is not the parser's fault.
    std::clock_t begin = std::clock();
    ASTContext context;
    ModuleAST module = parseModule(*source, context);
    double took = double(std::clock() - begin) / CLOCKS_PER_SEC;
    ++files;
    bytes += source->getText().size();
    seconds += took;
    if (took > worstSeconds) {
      worstSeconds = took;
      worst = path.str();
    }
    if (took > 0.05 + source->getText().size() / 1e6) {
      ++slow;
      llvm::outs() << path << ": took " << took << " s\n";
    }
    // The dump walks the whole tree.
    if (dump(module).empty() && !module.body.empty())
      llvm::outs() << path << ": empty dump\n";
    if (module.errors.empty())
      return;
    ++broken;
    if (verbose) {
      DiagnosticEngine diags(
          sources, [](const Diagnostic &d) { llvm::outs() << d.rendered; });
      report(*module.errors[0], diags);
    }
  }
};

/// Prints the names in a kernel that have no known meaning.
void checkNames(Frontend &frontend, FunctionObject &kernel) {
  llvm::StringSet<> known, inner;
  for (llvm::StringRef local : kernel.def->locals)
    known.insert(local);
  auto everything = [](const Stmt &) { return true; };
  walk(kernel.def->body, everything, [&](const Expr &e) {
    if (const auto *node = llvm::dyn_cast<ComprehensionExpr>(&e))
      for (const ComprehensionFor &clause : node->clauses)
        walk(*clause.target, [&](const Expr &target) {
          if (const auto *name = llvm::dyn_cast<NameExpr>(&target))
            known.insert(name->name);
          return true;
        });
    return true;
  });
  walk(kernel.def->body, everything, [&](const Expr &e) {
    if (const auto *attr = llvm::dyn_cast<AttributeExpr>(&e)) {
      // tl.name and the like must exist.
      const auto *base = llvm::dyn_cast<NameExpr>(attr->value);
      if (base && !known.contains(base->name)) {
        Value module = frontend.lookup(kernel, base->name);
        if (module.is(Value::Kind::Module)) {
          Evaluator &eval = frontend.getEvaluator();
          Value value = eval.attribute(module, attr->attr, attr->attrRange);
          if (!value)
            eval.reportError();
        }
      }
    }
    const auto *name = llvm::dyn_cast<NameExpr>(&e);
    if (!name || known.contains(name->name) || !inner.insert(name->name).second)
      return true;
    Value value = frontend.lookup(kernel, name->name);
    if (!value)
      llvm::outs() << "    undefined name " << name->name << "\n";
    else if (value.isUnknown())
      llvm::outs() << "    unknown value " << name->name << ": "
                   << value.getUnknown().reason << "\n";
    return true;
  });
}

/// Runs a module and prints its kernels.
int listKernels(llvm::StringRef path, const FrontendOptions &options) {
  Frontend frontend(options,
                    [](const Diagnostic &d) { llvm::outs() << d.rendered; });
  auto begin = std::chrono::steady_clock::now();
  Module *module = frontend.loadFile(path);
  if (!module)
    return 1;
  std::vector<KernelInfo> kernels = frontend.listKernels(*module);
  double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  llvm::outs() << path << ": " << kernels.size() << " kernels, " << took * 1e3
               << " ms\n";
  for (const KernelInfo &kernel : kernels) {
    llvm::outs() << "  " << kernel.line << ": " << kernel.name << "(";
    llvm::ListSeparator separator;
    for (const KernelParameter &param : kernel.parameters) {
      llvm::outs() << separator << param.name
                   << (param.isConstexpr ? ": constexpr" : "");
      if (param.defaultValue)
        llvm::outs() << "=" << repr(param.defaultValue);
    }
    llvm::outs() << ")\n";
    checkNames(frontend, *kernel.function);
    const JitInfo &jit = kernel.function->jit;
    for (const ConfigObject *config : jit.configs)
      llvm::outs() << "    "
                   << repr(Value::of(const_cast<ConfigObject *>(config)))
                   << "\n";
    if (jit.configsUnknown)
      llvm::outs() << "    configs unknown: "
                   << jit.configsUnknown.getUnknown().reason << "\n";
    for (llvm::StringRef key : jit.key)
      llvm::outs() << "    key " << key << "\n";
    for (const JitInfo::Heuristic &heuristic : jit.heuristics)
      llvm::outs() << "    heuristic " << heuristic.parameter << "\n";
    for (const JitInfo::Skipped &skipped : jit.skippedDecorators)
      llvm::outs() << "    skipped @"
                   << llvm::StringRef(skipped.text).split('\n').first << "\n";
  }
  return 0;
}
} // namespace

int main(int argc, char **argv) {
  if (argc > 2 && llvm::StringRef(argv[1]) == "--dump") {
    SourceManager sources;
    std::string error;
    ASTContext context;
    if (const SourceFile *file = sources.addFile(argv[2], error))
      llvm::outs() << dump(parseModule(*file, context));
    return 0;
  }
  if (argc > 1 && llvm::StringRef(argv[1]) == "--list") {
    FrontendOptions options;
    int status = 0;
    for (int i = 2; i < argc; ++i) {
      if (llvm::StringRef(argv[i]) == "-I" && i + 1 < argc)
        options.searchPaths.push_back(argv[++i]);
      else
        status |= listKernels(argv[i], options);
    }
    return status;
  }
  Survey survey;
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef argument = argv[i];
    if (argument == "-v") {
      survey.verbose = true;
    } else if (!llvm::sys::fs::is_directory(argument)) {
      survey.file(argument);
    } else {
      std::error_code error;
      for (llvm::sys::fs::recursive_directory_iterator
               it(argument, error, false),
           end;
           it != end && !error; it.increment(error))
        if (llvm::StringRef(it->path()).ends_with(".py"))
          survey.file(it->path());
    }
  }
  llvm::outs() << survey.files << " files, " << survey.bytes << " bytes, "
               << survey.seconds << " s; with syntax errors: " << survey.broken
               << "; slowest " << survey.worst << " " << survey.worstSeconds
               << " s\n";
  return survey.slow ? 1 : 0;
}
