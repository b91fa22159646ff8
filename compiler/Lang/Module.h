//===- Module.h - Files, imports and the kernels they define ---*- C++ -*-===//
//
// Frontend owns everything that reading a program makes: texts, trees, values,
// modules. Its parts live as long as it does.
//
//   Frontend frontend(options, sink);
//   Module *module = frontend.loadFile("kernels.py");
//   FunctionObject *kernel = module ? frontend.findKernel(*module, "softmax")
//                                   : nullptr;
//   for (const KernelInfo &info : frontend.listKernels(*module)) ...
//
// A module's code runs once, when it is first needed. What goes wrong in it is
// not an error of itself: a statement that fails leaves Unknown values behind,
// which say why when something needs them. So host code that no kernel depends
// on is never in the way.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_MODULE_H
#define NEREID_COMPILER_LANG_MODULE_H

#include "compiler/Lang/AST.h"
#include "compiler/Lang/Diagnostics.h"
#include "compiler/Lang/Evaluator.h"
#include "compiler/Lang/Value.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nereid::lang {

class ModuleLoader;

/// What compile-time code may ask about the target, in Triton's words.
struct TargetFacts {
  std::string backend;    ///< "cuda", "hip" or "cpu"
  std::string arch;       ///< "gfx942", "x86-64-v3"; "90" on cuda
  int64_t capability = 0; ///< 90 on cuda, else 0
  int64_t warpSize = 0;
};

struct FrontendOptions {
  /// Directories to look for imported modules in, after the directory and the
  /// package root of the importing file.
  std::vector<std::string> searchPaths;
  /// name -> Python expression. A plain name is a global of the module that is
  /// loaded, and overrides the global of that name in every module that binds
  /// it; "pkg.mod.name" in that module alone.
  std::vector<std::pair<std::string, std::string>> bindings;
  /// Texts of the library written in the language: (name, text). Their jit and
  /// constexpr functions become attributes of `triton.language` (and
  /// its aliases), before the names of Builtins.def. Each is parsed when
  /// first needed.
  std::vector<std::pair<std::string, std::string>> prelude;
  /// None while kernels are only listed: what depends on it is unknown then.
  std::optional<TargetFacts> target;
  DiagnosticOptions diagnostics;
};

/// A Python file.
class Module {
public:
  enum class State : uint8_t { Unread, Running, Done };

  /// Dotted name where known ("pkg.mod"), else the stem of the file.
  llvm::StringRef getName() const { return name; }
  /// Dotted name of the package that relative imports start from.
  llvm::StringRef getPackage() const { return package; }
  /// Of a module that has run, or is running.
  const SourceFile &getFile() const { return *ast.file; }
  const ModuleAST &getAST() const { return ast; }
  Scope &getGlobals() { return *globals; }
  State getState() const { return state; }
  bool isPrelude() const { return prelude; }
  ModuleObject *getObject() const { return object; }

  /// Every jit function that the module's own text defines and that was
  /// reached when its code ran: module level in order, then those nested in
  /// functions (see Frontend::findKernel).
  llvm::ArrayRef<FunctionObject *> getJitFunctions() const {
    return jitFunctions;
  }

private:
  friend class Frontend;
  friend class EvaluatorImpl;
  friend class ModuleLoader;
  /// A value of --bind; `value` is invalid until it could be evaluated.
  struct Binding {
    std::string text;
    Value value;
  };
  std::string name;
  std::string package;
  std::string path;      ///< of the file; empty for a text
  std::string directory; ///< where relative imports look
  std::string root;      ///< the directory above its outermost package
  std::string text;      ///< of a module made from a text, until it is parsed
  ModuleAST ast;
  Scope *globals = nullptr;
  ModuleObject *object = nullptr;
  State state = State::Unread;
  bool prelude = false;
  bool isPackage = false;
  bool isMain = false;      ///< asked for by name, not imported
  bool nestedFound = false; ///< functions inside functions were looked for
  llvm::StringMap<Binding> bindings;
  std::vector<FunctionObject *> jitFunctions;
};

struct KernelParameter {
  std::string name;
  std::string annotation;  ///< source text, "" without one
  std::string defaultText; ///< source text, "" without one
  Value annotationValue;   ///< evaluated; invalid without one or when it fails
  Value defaultValue;      ///< evaluated; invalid without one
  bool isConstexpr = false;
  bool doNotSpecialize = false;
  bool doNotSpecializeOnAlignment = false;
  SourceRange range;
};

struct KernelInfo {
  std::string name;
  unsigned line = 0; ///< of the `def`
  FunctionObject *function = nullptr;
  std::vector<KernelParameter> parameters;
  // configs, key and heuristics are in function->jit.
};

class Frontend {
public:
  Frontend(FrontendOptions options, DiagnosticSink sink);
  ~Frontend();
  Frontend(const Frontend &) = delete;
  Frontend &operator=(const Frontend &) = delete;

  /// Reads, parses and runs a file. Null when it cannot be read (reported).
  /// Its syntax errors outside functions are reported; the rest is still
  /// usable.
  Module *loadFile(llvm::StringRef path);
  /// The same for a text; `fileName` is what messages show.
  Module *loadText(llvm::StringRef fileName, llvm::StringRef text);

  /// A jit function by name: "f", or "outer.f" for one nested in a Python
  /// function. An empty name means the only one of the file. Null: reported
  /// (with the names there are, or did-you-mean).
  FunctionObject *findKernel(Module &module, llvm::StringRef name);

  /// Every jit function of the file itself.
  std::vector<KernelInfo> listKernels(Module &module);
  KernelInfo describe(FunctionObject &function);

  /// Reports the syntax errors in a function, and the wrong uses of triton's
  /// decorators on it. True when there are none.
  bool checkSyntax(const FunctionObject &function);

  /// What a name means in a function (its closure, its module, builtins);
  /// invalid when nothing: use Evaluator::undefinedName for the message.
  Value lookup(const FunctionObject &function, llvm::StringRef name) {
    return evaluator->lookup(name, *function.closure);
  }

  /// Evaluates a Python expression that came from outside the program: a
  /// config constant, a --bind value. `what` names it in messages ("constant
  /// BLOCK", "--bind exp"). Names mean what they mean in `module` (may be
  /// null), then `tl`, `triton`, and Python's builtins. Invalid: reported.
  Value evaluateText(llvm::StringRef text, llvm::StringRef what,
                     Module *module = nullptr);

  /// Computes the parameter of one heuristic from the values of the others
  /// (a missing one is Unknown and matters only if the callable asks for it;
  /// give a run-time parameter as a Tensor of its type with a null IR value, so
  /// that `args['b'] is not None` and `args['x'].dtype` are decided). Invalid:
  /// reported.
  Value evaluateHeuristic(const FunctionObject &function,
                          const JitInfo::Heuristic &heuristic,
                          llvm::ArrayRef<NamedValue> arguments);

  /// An attribute of triton.language as prelude or builtin; invalid when there
  /// is none.
  Value languageAttribute(llvm::StringRef name);

  SourceManager &getSources() { return sources; }
  DiagnosticEngine &getDiagnostics() { return diags; }
  ASTContext &getAST() { return ast; }
  TypeContext &getTypes() { return types; }
  ValueContext &getValues() { return values; }
  Evaluator &getEvaluator() { return *evaluator; }
  const FrontendOptions &getOptions() const { return options; }

private:
  friend class EvaluatorImpl;
  friend class ModuleLoader;
  Module *finishLoading(Module *module);
  Value evaluateOutside(const Expr &expr, Module *module);
  void evaluateBinding(Module &module, llvm::StringRef name, bool last);

  FrontendOptions options;
  SourceManager sources;
  DiagnosticEngine diags;
  ASTContext ast;
  TypeContext types;
  ValueContext values;
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<ModuleLoader> loader;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_MODULE_H
