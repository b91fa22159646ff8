//===- Module.cpp - Frontend: files, bindings, kernels --------------------===//

#include "compiler/Lang/Module.h"
#include "compiler/Lang/EvaluatorImpl.h"
#include "compiler/Lang/ModuleLoader.h"
#include "compiler/Lang/Parser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>
#include <functional>

using namespace nereid::lang;

Frontend::Frontend(FrontendOptions options, DiagnosticSink sink)
    : options(std::move(options)),
      diags(sources, std::move(sink), this->options.diagnostics),
      values(ast, types),
      evaluator(std::make_unique<Evaluator>(*this, values, diags)),
      loader(std::make_unique<ModuleLoader>(*this)) {}
Frontend::~Frontend() = default;

//===----------------------------------------------------------------------===//
// Running modules
//===----------------------------------------------------------------------===//

/// All statements of one module together may take this many times the limit
/// of a request.
static constexpr unsigned kModuleBudget = 5;

void EvaluatorImpl::run(Module &module) {
  module.state = Module::State::Running;
  // It may be asked for in the middle of anything.
  std::optional<EvalError> savedError;
  savedError.swap(ev.error);
  uint64_t savedSteps = steps;
  unsigned savedUncertainty = uncertainty;
  Value savedReason = uncertainReason;
  uncertainty = 0;
  llvm::scope_exit restore([&] {
    savedError.swap(ev.error);
    steps = savedSteps;
    uncertainty = savedUncertainty;
    uncertainReason = savedReason;
    module.state = Module::State::Done;
  });

  const SourceFile *file = nullptr;
  std::string error;
  if (!module.text.empty() || module.prelude)
    file = frontend.getSources().addText(module.path, module.text, /*library=*/true);
  else
    file = frontend.getSources().addFile(module.path, error);
  if (!file) {
    file = frontend.getSources().addText(module.path, "");
    if (!file)
      return;
  }
  module.text.clear();
  module.ast = parseModule(*file, frontend.getAST());

  Scope &globals = module.getGlobals();
  globals.set("__name__", values.string(module.name));
  globals.set("__file__", values.string(module.path));
  if (!module.prelude && !frontend.getOptions().bindings.empty()) {
    llvm::StringSet<> bound;
    for (const Stmt *s : module.ast.body)
      forEachBoundName(*s, [&](llvm::StringRef name) { bound.insert(name); });
    for (const auto &[name, text] : frontend.getOptions().bindings) {
      auto [qualifier, last] = llvm::StringRef(name).rsplit('.');
      if (last.empty()) {
        last = qualifier;
        qualifier = "";
      }
      if (qualifier.empty() ? !module.isMain && !bound.contains(last)
                            : qualifier != module.name)
        continue;
      Module::Binding &binding = module.bindings[values.intern(last)];
      binding.text = text;
      globals.set(values.intern(last),
                  values.unknown(SourceRange(),
                                 "--bind " + name + " refers to itself"));
    }
    // Most values need nothing of the module (numbers, tl.exp): conditions
    // further down may depend on them.
    for (auto &entry : module.bindings)
      frontend.evaluateBinding(module, entry.getKey(), /*last=*/false);
  }

  Frame frame;
  frame.lenient = true;
  uint64_t total = 0;
  for (size_t i = 0; i < module.ast.body.size(); ++i) {
    steps = 0;
    if (total > kModuleBudget * ev.limits.maxSteps)
      steps = ev.limits.maxSteps;
    block(module.ast.body.slice(i, 1), globals, frame);
    total += steps;
  }
  if (!module.prelude)
    for (auto &entry : module.bindings)
      frontend.evaluateBinding(module, entry.getKey(), /*last=*/true);
}

void Frontend::evaluateBinding(Module &module, llvm::StringRef name,
                               bool last) {
  Module::Binding &binding = module.bindings[name];
  if (binding.value)
    return;
  std::string what = "--bind " + name.str();
  if (last) {
    binding.value = evaluateText(binding.text, what, &module);
    if (!binding.value)
      binding.value =
          values.unknown(SourceRange(), "--bind " + name + " has no value");
  } else {
    const SourceFile *file = sources.addText("<" + what + ">", binding.text);
    const SyntaxError *error = nullptr;
    Expr *expr = file ? parseExpression(*file, ast, error) : nullptr;
    if (!expr)
      return; // Reported by the second try.
    binding.value = evaluateOutside(*expr, nullptr);
    if (!binding.value) {
      evaluator->takeError();
      return;
    }
    if (binding.value.isUnknown()) {
      binding.value = Value();
      return;
    }
  }
  module.globals->set(name, binding.value);
}

/// Evaluates with the names of `module` and those that every text may use.
Value Frontend::evaluateOutside(const Expr &expr, Module *module) {
  EvaluatorImpl &impl = *evaluator->impl;
  Scope *scope = values.createScope(module, module ? module->globals : nullptr);
  auto offer = [&](llvm::StringRef name, Value value) {
    if (!value || (module && impl.lookupIn(*module->globals, name)))
      return;
    scope->set(name, value);
  };
  auto builtin = [&](llvm::StringRef dotted) {
    return Value::of(impl.builtinModule(dotted));
  };
  offer("tl", builtin("triton.language"));
  offer("triton", builtin("triton"));
  offer("math", builtin("math"));
  offer("libdevice", builtin("triton.language.extra.libdevice"));
  offer("inf", Value::real(INFINITY));
  offer("nan", Value::real(NAN));
  return impl.expr(expr, *scope);
}

Value Frontend::evaluateText(llvm::StringRef text, llvm::StringRef what,
                             Module *module) {
  const SourceFile *file = sources.addText(("<" + what + ">").str(), text);
  if (!file)
    return Value();
  const SyntaxError *error = nullptr;
  Expr *expr = parseExpression(*file, ast, error);
  if (!expr) {
    report(*error, diags);
    return Value();
  }
  if (module && module->state == Module::State::Unread)
    evaluator->impl->run(*module);
  evaluator->beginRequest();
  Value value = evaluateOutside(*expr, module);
  if (!value) {
    evaluator->reportError();
    return Value();
  }
  if (value.isUnknown()) {
    evaluator->reportUnknown(value, expr->getRange(), "the value of " + what);
    return Value();
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

Module *Frontend::loadFile(llvm::StringRef path) {
  std::string error;
  // Opening twice costs little, and gives the reason.
  if (auto buffer = llvm::MemoryBuffer::getFile(path); !buffer) {
    diags.error(SourceRange(),
                "cannot read '" + path + "': " + buffer.getError().message());
    return nullptr;
  }
  Module *module = loader->open(path);
  return finishLoading(module);
}

Module *Frontend::loadText(llvm::StringRef fileName, llvm::StringRef text) {
  Module *module = loader->openText(fileName, text.empty() ? "\n" : text, "",
                                    /*prelude=*/false);
  return finishLoading(module);
}

Module *Frontend::finishLoading(Module *module) {
  module->isMain = true;
  if (module->state == Module::State::Unread)
    evaluator->impl->run(*module);
  for (const SyntaxError *error : module->ast.moduleErrors)
    report(*error, diags);
  return module;
}

//===----------------------------------------------------------------------===//
// Functions within functions
//===----------------------------------------------------------------------===//

/// A decorator that mentions jit: `@triton.jit`, `@jit`, `@triton.jit(...)`.
static bool isJitDecorator(const Expr &decorator) {
  const Expr *e = &decorator;
  if (const auto *call = llvm::dyn_cast<CallExpr>(e))
    e = call->callee;
  if (const auto *attr = llvm::dyn_cast<AttributeExpr>(e))
    return attr->attr.ends_with("jit");
  if (const auto *name = llvm::dyn_cast<NameExpr>(e))
    return name->name.ends_with("jit");
  return false;
}

static bool isJitDef(const FunctionDef &def) {
  return llvm::any_of(def.decorators,
                      [](const Expr *d) { return isJitDecorator(*d); });
}

/// Calls `f` on the functions that stand directly in a block (inside its ifs,
/// loops and so on, but not inside other functions or classes).
static void forEachFunction(Block block,
                            llvm::function_ref<void(const FunctionDef &)> f) {
  for (const Stmt *s : block) {
    if (const auto *def = llvm::dyn_cast<FunctionDef>(s)) {
      f(*def);
    } else if (const auto *branch = llvm::dyn_cast<IfStmt>(s)) {
      for (const IfStmt::Clause &clause : branch->clauses)
        forEachFunction(clause.body, f);
      forEachFunction(branch->orelse, f);
    } else if (const auto *loop = llvm::dyn_cast<ForStmt>(s)) {
      forEachFunction(loop->body, f);
      forEachFunction(loop->orelse, f);
    } else if (const auto *loop = llvm::dyn_cast<WhileStmt>(s)) {
      forEachFunction(loop->body, f);
    } else if (const auto *with = llvm::dyn_cast<WithStmt>(s)) {
      forEachFunction(with->body, f);
    } else if (const auto *node = llvm::dyn_cast<TryStmt>(s)) {
      forEachFunction(node->body, f);
      for (const TryStmt::Handler &handler : node->handlers)
        forEachFunction(handler.body, f);
      forEachFunction(node->orelse, f);
      forEachFunction(node->finalbody, f);
    }
  }
}

/// Does a function hold a jit function at any depth?
static bool holdsJit(const FunctionDef &def) {
  bool found = false;
  forEachFunction(def.body, [&](const FunctionDef &inner) {
    found |= isJitDef(inner) || holdsJit(inner);
  });
  return found;
}

void EvaluatorImpl::findNested(Module &module) {
  if (module.nestedFound)
    return;
  module.nestedFound = true;
  auto isKnown = [&](const FunctionDef &def) {
    return llvm::any_of(module.jitFunctions, [&](const FunctionObject *f) {
      return f->def == &def;
    });
  };
  // Runs one function as far as it goes, to make the functions in it.
  std::function<void(const FunctionDef &, Scope &)> search =
      [&](const FunctionDef &def, Scope &closure) {
        NestGuard guard(*this, def.nameRange);
        if (!guard.ok) {
          ev.takeError();
          return;
        }
        Scope *scope = values.createScope(&module, &closure);
        scope->function = &def;
        for (const Parameter &param : def.params) {
          Value value;
          if (param.defaultValue) {
            value = expr(*param.defaultValue, closure);
            if (!value)
              ev.takeError();
          }
          if (!value)
            value = values.unknown(param.range,
                                   "it is a parameter of '" + def.name +
                                       "', and no call of that is known");
          scope->set(param.name, value);
        }
        steps = 0;
        Frame frame;
        frame.lenient = true;
        block(def.body, *scope, frame);
        if (ev.error)
          ev.takeError();
        forEachFunction(def.body, [&](const FunctionDef &inner) {
          steps = 0;
          if (isJitDef(inner)) {
            if (!isKnown(inner))
              define(inner, *scope);
          } else if (holdsJit(inner)) {
            search(inner, *scope);
          }
        });
      };
  forEachFunction(module.ast.body, [&](const FunctionDef &def) {
    if (isJitDef(def)) {
      // Under a condition that is not known, or in a part that failed.
      if (!isKnown(def)) {
        steps = 0;
        Value before = lookupIn(module.getGlobals(), def.name);
        define(def, module.getGlobals());
        if (before)
          module.getGlobals().set(def.name, before);
      }
      return;
    }
    bool missing = false;
    std::function<void(const FunctionDef &)> check =
        [&](const FunctionDef &outer) {
          forEachFunction(outer.body, [&](const FunctionDef &inner) {
            missing |= isJitDef(inner) && !isKnown(inner);
            check(inner);
          });
        };
    check(def);
    if (missing)
      search(def, module.getGlobals());
  });
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// "outer.kernel": the qualified name without the module.
static llvm::StringRef localName(const FunctionObject &function,
                                 const Module &module) {
  llvm::StringRef name = function.qualifiedName;
  name.consume_front(module.getName());
  name.consume_front(".");
  return name;
}

std::vector<KernelInfo> Frontend::listKernels(Module &module) {
  EvaluatorImpl &impl = *evaluator->impl;
  impl.findNested(module);
  std::vector<KernelInfo> out;
  // Names that the module gives them, in the order of the text.
  llvm::DenseMap<const FunctionObject *, llvm::StringRef> names;
  for (const auto &entry : module.globals->all())
    if (entry.getValue().isFunction()) {
      llvm::StringRef &slot = names[&entry.getValue().getFunction()];
      // Of several, the one from its `def`, else the first by alphabet.
      llvm::StringRef name = entry.getKey();
      llvm::StringRef own = entry.getValue().getFunction().name;
      if (slot.empty() || (slot != own && (name == own || name < slot)))
        slot = name;
    }
  llvm::DenseMap<const FunctionDef *, bool> named;
  for (FunctionObject *function : module.jitFunctions)
    if (names.contains(function))
      named[function->def] = true;
  llvm::StringMap<unsigned> count;
  llvm::DenseMap<const FunctionDef *, bool> seen;
  for (FunctionObject *function : module.jitFunctions) {
    auto it = names.find(function);
    // A copy that nobody can name is of no interest when another one is named,
    // or was listed before.
    if (it == names.end() &&
        (named.contains(function->def) || seen.contains(function->def)))
      continue;
    seen[function->def] = true;
    KernelInfo info = describe(*function);
    info.name = it != names.end() ? it->second.str()
                                  : localName(*function, module).str();
    out.push_back(std::move(info));
  }
  llvm::sort(out, [](const KernelInfo &a, const KernelInfo &b) {
    return std::tie(a.line, a.name) < std::tie(b.line, b.name);
  });
  return out;
}

KernelInfo Frontend::describe(FunctionObject &function) {
  KernelInfo info;
  info.name = function.name.str();
  info.function = &function;
  const SourceFile *file = sources.getFile(function.def->nameRange.begin);
  if (file)
    info.line =
        SourceManager::getLineNumber(*file, function.def->nameRange.begin);
  for (size_t i = 0; i < function.params().size(); ++i) {
    const Parameter &param = function.params()[i];
    KernelParameter out;
    out.name = param.name.str();
    out.range = param.range;
    if (i < function.defaults.size())
      out.defaultValue = function.defaults[i];
    if (param.defaultValue)
      out.defaultText = sources.getText(param.defaultValue->getRange()).str();
    if (param.annotation) {
      out.annotation = sources.getText(param.annotation->getRange()).str();
      evaluator->beginRequest();
      out.annotationValue =
          evaluator->evaluate(*param.annotation, *function.closure);
      if (!out.annotationValue)
        evaluator->takeError();
      llvm::StringRef text = out.annotation;
      if (const auto *literal = llvm::dyn_cast<StringLiteral>(param.annotation))
        text = literal->value;
      out.isConstexpr =
          (out.annotationValue && out.annotationValue.isBuiltin() &&
           out.annotationValue.getBuiltin().id == BuiltinId::tl_constexpr) ||
          text == "constexpr" || text.ends_with(".constexpr");
    }
    out.doNotSpecialize =
        llvm::is_contained(function.jit.doNotSpecialize, param.name);
    out.doNotSpecializeOnAlignment =
        llvm::is_contained(function.jit.doNotSpecializeOnAlignment, param.name);
    info.parameters.push_back(std::move(out));
  }
  return info;
}

FunctionObject *Frontend::findKernel(Module &module, llvm::StringRef name) {
  EvaluatorImpl &impl = *evaluator->impl;
  if (!name.empty()) {
    evaluator->beginRequest();
    Value value = impl.lookupIn(*module.globals, name);
    if (value.isFunction() && value.getFunction().isJit())
      return &value.getFunction();
    if (value.isUnknown()) {
      impl.findNested(module);
      bool defined =
          llvm::any_of(module.jitFunctions, [&](const FunctionObject *f) {
            return f->name == name;
          });
      SourceRange where = value.getUnknown().origin;
      evaluator->reportUnknown(
          value, where,
          "which function '" + name + "' is" +
              (defined ? " (it has several definitions)" : ""));
      return nullptr;
    }
    if (value) {
      SourceRange where = value.isFunction()
                              ? value.getFunction().getNameRange()
                              : SourceRange();
      InFlightDiag diag = diags.error(
          where, "'" + name + "' is a " + typeName(value) +
                     ", not a jit function; a kernel is decorated with "
                     "@triton.jit");
      if (value.isFunction() && !value.getFunction().jit.problems.empty()) {
        diag.abandon();
        checkSyntax(value.getFunction());
        return nullptr;
      }
      if (value.isFunction())
        for (const JitInfo::Skipped &skipped :
             value.getFunction().jit.skippedDecorators)
          diag.note(skipped.range, "this decorator means nothing to the "
                                   "compiler");
      return nullptr;
    }
  }
  std::vector<KernelInfo> kernels = listKernels(module);
  std::string list;
  llvm::SmallVector<llvm::StringRef, 16> names;
  llvm::SmallVector<const KernelInfo *, 2> matches;
  for (const KernelInfo &kernel : kernels) {
    names.push_back(kernel.name);
    list += (list.empty() ? "" : ", ") + kernel.name;
    if (name.empty() || kernel.name == name || kernel.function->name == name)
      matches.push_back(&kernel);
  }
  if (matches.size() == 1)
    return matches[0]->function;
  std::string file = module.path;
  if (kernels.empty()) {
    diags.error(SourceRange(),
                "'" + file + "' defines no @triton.jit function");
  } else if (matches.empty()) {
    diags
        .error(SourceRange(), "'" + file +
                                  "' defines no @triton.jit function '" + name +
                                  "'" + didYouMean(name, names))
        .note("it defines " + list);
  } else if (name.empty()) {
    diags.error(SourceRange(), "'" + file +
                                   "' defines several @triton.jit functions; "
                                   "name one of them: " +
                                   list);
  } else {
    InFlightDiag diag =
        diags.error(SourceRange(), "several functions are called '" + name +
                                       "'; name the one that is meant with the "
                                       "function around it, as in '" +
                                       matches[0]->name + "'");
    for (const KernelInfo *match : matches)
      diag.note(match->function->getNameRange(), "'" + match->name + "'");
  }
  return nullptr;
}

bool Frontend::checkSyntax(const FunctionObject &function) {
  if (!function.def)
    return true;
  for (const SyntaxError *error : function.def->errors)
    report(*error, diags);
  for (const JitInfo::Problem &problem : function.jit.problems)
    diags.error(problem.range, problem.message);
  return function.def->errors.empty() && function.jit.problems.empty();
}

Value Frontend::evaluateHeuristic(const FunctionObject &function,
                                  const JitInfo::Heuristic &heuristic,
                                  llvm::ArrayRef<NamedValue> arguments) {
  Value dict = values.dict();
  for (const Parameter &param : function.params()) {
    Value value;
    for (const NamedValue &argument : arguments)
      if (argument.name == param.name)
        value = argument.value;
    if (!value)
      value = values.unknown(
          param.range,
          "'" + param.name + "' is known only when the kernel is launched", "");
    dict.getDict().set(Value::internedString(param.name), value);
  }
  for (const NamedValue &argument : arguments)
    dict.getDict().set(values.string(argument.name), argument.value);
  SourceRange range = function.getNameRange();
  if (heuristic.callable.isFunction())
    range = heuristic.callable.getFunction().getRange();
  evaluator->beginRequest();
  Value result = evaluator->call(heuristic.callable, dict, {}, range);
  if (!result) {
    evaluator->reportError();
    return Value();
  }
  if (!result.isCompileTime()) {
    if (!result.isUnknown())
      result = values.unknown(range, "it depends on a run-time value");
    const UnknownObject &unknown = result.getUnknown();
    InFlightDiag diag = diags.error(
        range, "heuristic '" + heuristic.parameter +
                   "' cannot be computed at compile time: " + unknown.reason);
    diag.note("give the value of '" + heuristic.parameter +
              "' as a constant of the kernel");
    return Value();
  }
  return result;
}
