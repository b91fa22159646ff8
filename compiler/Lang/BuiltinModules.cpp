//===- BuiltinModules.cpp - Modules that have no file ---------------------===//
//
// triton and the few modules of the standard library that the evaluator knows,
// and the attributes of modules in general.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"
#include "compiler/Lang/ModuleLoader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

#include <cmath>

using namespace nereid::lang;

namespace {
/// What becomes of an attribute that no table has.
enum class Rest : uint8_t {
  None, ///< there is none: an AttributeError
  Host, ///< it exists, but only on the host: Unknown
};
struct BuiltinModuleRow {
  llvm::StringLiteral dotted;
  llvm::StringLiteral canonical; ///< module of its names in Builtins.def
  Rest rest;
};
} // namespace

static constexpr BuiltinModuleRow rows[] = {
    {"triton", "triton", Rest::None},
    {"triton.language", "triton.language", Rest::None},
    {"triton.language.core", "triton.language", Rest::None},
    {"triton.language.standard", "triton.language", Rest::None},
    {"triton.language.math", "triton.language", Rest::None},
    {"triton.language.random", "triton.language", Rest::None},
    {"triton.language.semantic", "triton.language", Rest::Host},
    {"triton.language.target_info", "triton.language.target_info", Rest::None},
    {"triton.language.libdevice", "triton.language.libdevice", Rest::None},
    {"triton.language.extra", "triton.language.extra", Rest::None},
    {"triton.language.extra.libdevice", "triton.language.libdevice",
     Rest::None},
    {"triton.language.extra.cuda", "triton.language.extra.cuda", Rest::None},
    {"triton.language.extra.cuda.libdevice", "triton.language.libdevice",
     Rest::None},
    {"triton.language.extra.cuda.utils", "triton.language.extra.cuda",
     Rest::None},
    {"triton.language.extra.hip", "triton.language.extra.hip", Rest::None},
    {"triton.language.extra.hip.libdevice", "triton.language.libdevice",
     Rest::None},
    {"triton.language.extra.hip.utils", "triton.language.extra.hip",
     Rest::None},
    {"triton.runtime", "triton", Rest::Host},
    {"triton.runtime.jit", "triton", Rest::Host},
    {"triton.runtime.autotuner", "triton", Rest::Host},
    {"triton.runtime.driver", "triton.runtime.driver", Rest::Host},
    {"triton.runtime.driver.active", "triton.runtime.driver.active",
     Rest::Host},
    {"triton.runtime.errors", "triton", Rest::Host},
    {"triton.compiler", "triton.compiler", Rest::Host},
    {"triton.backends", "triton.backends", Rest::Host},
    {"triton.testing", "triton.testing", Rest::Host},
    {"triton.tools", "triton.tools", Rest::Host},
    {"triton.tools.tensor_descriptor", "triton.tools.tensor_descriptor",
     Rest::Host},
    {"torch", "torch", Rest::Host},
    {"torch.cuda", "torch.cuda", Rest::Host},
    {"torch.version", "torch.version", Rest::Host},
    {"torch.utils", "torch.utils", Rest::Host},
    {"torch.utils._triton", "torch.utils._triton", Rest::Host},
    {"numpy", "numpy", Rest::Host},
    {"builtins", "builtins", Rest::None},
    {"math", "math", Rest::Host},
    {"itertools", "itertools", Rest::Host},
    {"functools", "functools", Rest::Host},
    {"operator", "operator", Rest::Host},
    {"os", "os", Rest::Host},
    {"os.path", "os.path", Rest::Host},
    {"sys", "sys", Rest::Host},
    {"collections", "collections", Rest::Host},
    {"collections.abc", "typing", Rest::Host},
    {"typing", "typing", Rest::Host},
    {"typing_extensions", "typing", Rest::Host},
    {"dataclasses", "dataclasses", Rest::Host},
    {"enum", "enum", Rest::Host},
    {"copy", "copy", Rest::Host},
    {"packaging", "packaging", Rest::Host},
    {"packaging.version", "packaging.version", Rest::Host},
    {"__future__", "__future__", Rest::Host},
    {"abc", "abc", Rest::Host},
    {"contextlib", "contextlib", Rest::Host},
    {"logging", "logging", Rest::Host},
    {"warnings", "warnings", Rest::Host},
    {"time", "time", Rest::Host},
    {"json", "json", Rest::Host},
    {"re", "re", Rest::Host},
    {"pathlib", "pathlib", Rest::Host},
    {"inspect", "inspect", Rest::Host},
    {"types", "types", Rest::Host},
    {"random", "random", Rest::Host},
    {"argparse", "argparse", Rest::Host},
    {"subprocess", "subprocess", Rest::Host},
    {"threading", "threading", Rest::Host},
    {"hashlib", "hashlib", Rest::Host},
    {"tempfile", "tempfile", Rest::Host},
    {"shutil", "shutil", Rest::Host},
    {"platform", "platform", Rest::Host},
    {"importlib", "importlib", Rest::Host},
    {"importlib.util", "importlib.util", Rest::Host},
    {"importlib.metadata", "importlib.metadata", Rest::Host},
    {"textwrap", "textwrap", Rest::Host},
    {"traceback", "traceback", Rest::Host},
    {"string", "string", Rest::Host},
    {"struct", "struct", Rest::Host},
    {"weakref", "weakref", Rest::Host},
    {"gc", "gc", Rest::Host},
    {"csv", "csv", Rest::Host},
    {"datetime", "datetime", Rest::Host},
    {"statistics", "statistics", Rest::Host},
    {"ast", "ast", Rest::Host},
    {"io", "io", Rest::Host},
    {"pickle", "pickle", Rest::Host},
    {"multiprocessing", "multiprocessing", Rest::Host},
    {"ctypes", "ctypes", Rest::Host},
    {"uuid", "uuid", Rest::Host},
    {"heapq", "heapq", Rest::Host},
    {"bisect", "bisect", Rest::Host},
    {"decimal", "decimal", Rest::Host},
    {"fractions", "fractions", Rest::Host},
    {"numbers", "numbers", Rest::Host},
};

static const BuiltinModuleRow *findRow(llvm::StringRef dotted) {
  static const llvm::StringMap<const BuiltinModuleRow *> map = [] {
    llvm::StringMap<const BuiltinModuleRow *> names;
    for (const BuiltinModuleRow &row : rows)
      names[row.dotted] = &row;
    return names;
  }();
  return map.lookup(dotted);
}

ModuleObject *EvaluatorImpl::builtinModule(llvm::StringRef dotted) {
  const BuiltinModuleRow *row = findRow(dotted);
  // What lies below these is the host's business, and too much to list.
  static constexpr BuiltinModuleRow below = {"", "host", Rest::Host};
  if (!row && (dotted.starts_with("torch.") || dotted.starts_with("numpy.")))
    row = &below;
  if (!row)
    return nullptr;
  ModuleObject *&slot = builtinModules[dotted];
  if (!slot) {
    slot = values.create<ModuleObject>();
    slot->name = values.intern(dotted);
    slot->builtin = row->canonical;
  }
  return slot;
}

/// A name of Builtins.def; null when there is none.
static const BuiltinInfo *findBuiltin(llvm::StringRef module,
                                      llvm::StringRef name) {
  static const llvm::StringMap<BuiltinId> map = [] {
    llvm::StringMap<BuiltinId> names;
    for (const BuiltinInfo &info : allBuiltins())
      names[(info.module + "\n" + info.name).str()] = info.id;
    return names;
  }();
  auto it = map.find((module + "\n" + name).str());
  return it == map.end() ? nullptr : &getBuiltinInfo(it->second);
}

Value Frontend::languageAttribute(llvm::StringRef name) {
  EvaluatorImpl &impl = *evaluator->impl;
  for (Module *module : loader->getPrelude()) {
    if (module->state == Module::State::Unread)
      impl.run(*module);
    Value value = impl.lookupIn(*module->globals, name);
    if (value.isFunction() && value.getFunction().module == module)
      return value;
  }
  for (const ScalarInfo &info : allScalars())
    if (info.pythonName == name)
      return Value::dtype(types.getScalar(info.id));
  if (name == "pi32_t")
    return Value::dtype(types.getPointer(types.getScalar(ScalarId::Int32)));
  if (name == "CONSTEXPR_0") // libraries copy the defaults of tl.sort
    return Value::integer(0);
  if (name == "TRITON_MAX_TENSOR_NUMEL")
    return Value::integer(1048576);
  if (const BuiltinInfo *info = findBuiltin("triton.language", name))
    return Value::builtin(info);
  return Value();
}

Value EvaluatorImpl::builtinModuleAttribute(const ModuleObject &module,
                                            llvm::StringRef name,
                                            SourceRange range) {
  llvm::StringRef canonical = module.builtin;
  if (canonical == "triton.language") {
    if (Value value = frontend.languageAttribute(name))
      return value;
    // Earlier versions had libdevice's functions under tl.math.
    if (module.name == "triton.language.math")
      if (const BuiltinInfo *info =
              findBuiltin("triton.language.libdevice", name))
        return Value::builtin(info);
  } else if (const BuiltinInfo *info = findBuiltin(canonical, name)) {
    switch (info->id) {
    case BuiltinId::triton___version__:
      return Value::internedString("3.8.0");
    case BuiltinId::math_pi:
      return Value::real(3.141592653589793);
    case BuiltinId::math_e:
      return Value::real(2.718281828459045);
    case BuiltinId::math_tau:
      return Value::real(6.283185307179586);
    case BuiltinId::math_inf:
      return Value::real(INFINITY);
    case BuiltinId::math_nan:
      return Value::real(NAN);
    case BuiltinId::torch_version_cuda:
    case BuiltinId::torch_version_hip:
      return torchVersion(*info, range);
    case BuiltinId::os_environ:
      // Empty: a pack must not depend on the environment it was built in.
      return values.dict();
    case BuiltinId::typing_TYPE_CHECKING:
      return Value::boolean(false);
    default:
      return lookupBuiltin(name).is(Value::Kind::Class) &&
                     canonical == "builtins"
                 ? lookupBuiltin(name)
                 : Value::builtin(info);
    }
  }
  if (canonical == "sys") {
    if (name == "version_info")
      return values.tuple({Value::integer(3), Value::integer(12),
                           Value::integer(0), Value::internedString("final"),
                           Value::integer(0)});
    if (name == "platform")
      return Value::internedString("linux");
    if (name == "maxsize")
      return Value::integer(INT64_MAX);
    if (name == "byteorder")
      return Value::internedString("little");
  }
  // An attribute of torch may be a module or not: nobody needs to know.
  const BuiltinModuleRow *row = findRow((module.name + "." + name).str());
  if (row)
    return Value::of(builtinModule(row->dotted));
  row = findRow(module.name);
  if (canonical == "host" || (row && row->rest == Rest::Host)) {
    Value unknown =
        values.unknown(range, "'" + module.name + "." + name +
                                  "' exists only when the program runs");
    unknown.getUnknown().path = (module.name + "." + name).str();
    return unknown;
  }
  return Value();
}

void EvaluatorImpl::moduleNames(ModuleObject &module,
                                llvm::SmallVectorImpl<llvm::StringRef> &out) {
  if (module.module) {
    for (const auto &entry : module.module->getGlobals().all())
      out.push_back(entry.getKey());
    for (const auto &entry : module.module->getGlobals().lazy)
      out.push_back(entry.getKey());
    return;
  }
  for (const BuiltinInfo &info : allBuiltins())
    if (info.module == module.builtin)
      out.push_back(info.name);
  if (module.builtin == "triton.language") {
    for (const ScalarInfo &info : allScalars())
      out.push_back(info.pythonName);
    for (Module *prelude : frontend.loader->getPrelude())
      for (const auto &entry : prelude->getGlobals().all())
        out.push_back(entry.getKey());
  }
  for (const BuiltinModuleRow &row : rows)
    if (row.dotted.starts_with((module.name + ".").str()))
      out.push_back(row.dotted.rsplit('.').second);
}

Value EvaluatorImpl::moduleAttribute(ModuleObject &module, llvm::StringRef name,
                                     SourceRange range) {
  if (!module.builtin.empty())
    return builtinModuleAttribute(module, name, range);
  if (module.module) {
    if (module.module->getState() == Module::State::Unread)
      run(*module.module);
    if (Value value = lookupIn(module.module->getGlobals(), name))
      return value;
    if (name == "__file__")
      return values.string(module.module->path);
  }
  if (name == "__name__")
    return values.string(module.name);
  if (ModuleObject *inner = frontend.loader->findSubmodule(module, name))
    return Value::of(inner);
  return Value();
}

//===----------------------------------------------------------------------===//
// Imports
//===----------------------------------------------------------------------===//

static Value absentModule(ValueContext &values, llvm::StringRef dotted,
                          SourceRange range) {
  Value unknown = values.unknown(range, "module '" + dotted +
                                            "' was not found (a folder to "
                                            "look in is given with -I)");
  unknown.getUnknown().path = dotted.str();
  unknown.getUnknown().isModule = true;
  return unknown;
}

EvaluatorImpl::Flow EvaluatorImpl::importStmt(const ImportStmt &s, Scope &scope,
                                              Frame &frame) {
  for (const ImportAlias &alias : s.names) {
    // `import a.b` binds `a`; `import a.b as c` binds a.b.
    auto [head, tail] = alias.name.split('.');
    auto resolve = [&](llvm::StringRef dotted) -> Value {
      if (ModuleObject *builtin = builtinModule(dotted))
        return Value::of(builtin);
      if (ModuleObject *module =
              frontend.loader->find(dotted, scope.getModule()))
        return Value::of(module);
      return Value();
    };
    Value whole = resolve(alias.name);
    if (!whole && frame.catchesImportError) {
      raise("ModuleNotFoundError", alias.range,
            "no module named '" + alias.name + "'");
      return Flow::Raise;
    }
    llvm::StringRef bound = alias.asName.empty() ? head : alias.asName;
    Value value = alias.asName.empty() && !tail.empty() ? resolve(head) : whole;
    if (!value)
      value = absentModule(values, alias.asName.empty() ? head : alias.name,
                           alias.range);
    assignName(bound, value, scope);
  }
  return Flow::Normal;
}

/// The module that an import statement names; invalid when there is none.
static Value importedModule(EvaluatorImpl &impl, ModuleLoader &loader,
                            const ImportFromStmt &s, Module &module) {
  if (s.level) {
    // Relative to a package of triton's own, it is the built-in module.
    llvm::StringRef base = module.getPackage();
    for (unsigned i = 1; i < s.level; ++i)
      base = base.contains('.') ? base.rsplit('.').first : "";
    std::string dotted = base.str();
    if (!s.module.empty())
      dotted += (dotted.empty() ? "" : ".") + s.module.str();
    if (llvm::StringRef(dotted).starts_with("triton"))
      if (ModuleObject *builtin = impl.builtinModule(dotted))
        return Value::of(builtin);
    if (module.isPrelude())
      return Value();
    ModuleObject *found = loader.findRelative(module, s.level, s.module);
    return found ? Value::of(found) : Value();
  }
  if (ModuleObject *builtin = impl.builtinModule(s.module))
    return Value::of(builtin);
  ModuleObject *found = loader.find(s.module, &module);
  return found ? Value::of(found) : Value();
}

/// A name whose import is under way: what is there already, as Python gives a
/// module that is not finished.
Value EvaluatorImpl::lookupInCircle(const Scope::LazyImport &import,
                                    Module &module) {
  Value from = importedModule(*this, *frontend.loader, *import.stmt, module);
  if (!from)
    return Value();
  ModuleObject &object = from.getModule();
  if (object.module)
    if (Value *value = object.module->getGlobals().find(import.name))
      return *value;
  ModuleObject *inner = frontend.loader->findSubmodule(object, import.name);
  return inner ? Value::of(inner) : Value();
}

/// `name` of the module that `stmt` imports from; raises an ImportError.
Value EvaluatorImpl::resolveImport(const ImportFromStmt &s,
                                   llvm::StringRef name, SourceRange range,
                                   Module &module) {
  NestGuard guard(*this, range);
  if (!guard.ok)
    return Value();
  std::string dotted = std::string(s.level, '.') + s.module.str();
  Value from = importedModule(*this, *frontend.loader, s, module);
  if (!from) {
    Value unknown = absentModule(values, dotted, range);
    unknown.getUnknown().path = dotted + "." + name.str();
    unknown.getUnknown().isModule = false;
    return raiseUnknown(unknown, range);
  }
  Value value = moduleAttribute(from.getModule(), name, range);
  if (value || ev.error)
    return value;
  if (from.getModule().module) {
    auto &lazy = from.getModule().module->getGlobals().lazy;
    auto it = lazy.find(name);
    if (it != lazy.end() && it->second.resolving)
      return raise("ImportError", range,
                   "'" + name + "' is imported in a circle");
  }
  llvm::SmallVector<llvm::StringRef, 64> names;
  moduleNames(from.getModule(), names);
  return raise("ImportError", range,
               "cannot import name '" + name + "' from '" + dotted + "'" +
                   didYouMean(name, names));
}

EvaluatorImpl::Flow EvaluatorImpl::importFrom(const ImportFromStmt &s,
                                              Scope &scope, Frame &frame) {
  Module &module = *scope.getModule();
  if (s.module == "__future__")
    return Flow::Normal;
  for (const ImportAlias &alias : s.names) {
    if (alias.name == "*") {
      Value from = importedModule(*this, *frontend.loader, s, module);
      if (!from) {
        if (!frame.catchesImportError)
          continue;
        raise("ModuleNotFoundError", s.moduleRange,
              "no module named '" + s.module + "'");
        return Flow::Raise;
      }
      ModuleObject &object = from.getModule();
      if (object.module && object.module->getState() == Module::State::Unread)
        run(*object.module);
      llvm::SmallVector<llvm::StringRef, 64> names;
      Value all = object.module
                      ? lookupIn(object.module->getGlobals(), "__all__")
                      : Value();
      if (all && all.isSequence()) {
        for (const Value &name : all.getElements())
          if (name.isString())
            names.push_back(name.getString());
      } else {
        moduleNames(object, names);
        llvm::erase_if(
            names, [](llvm::StringRef name) { return name.starts_with("_"); });
      }
      for (llvm::StringRef name : names)
        if (Value value =
                moduleAttribute(object, values.intern(name), alias.range))
          assignName(values.intern(name), value, scope);
      if (ev.error)
        ev.takeError();
      continue;
    }
    llvm::StringRef bound = alias.asName.empty() ? alias.name : alias.asName;
    if (!frame.catchesImportError && &scope == &module.getGlobals() &&
        !module.bindings.contains(bound)) {
      // Most imports are never asked for: resolve on first use.
      scope.names.erase(bound);
      scope.lazy[bound] = {&s, alias.name, alias.range, false};
      continue;
    }
    Value value = resolveImport(s, alias.name, alias.range, module);
    if (!value) {
      if (frame.catchesImportError) {
        EvalError error = ev.takeError();
        std::string message =
            error.unknown ? error.unknown.getUnknown().reason : error.message;
        raise(error.unknown ? "ModuleNotFoundError" : "ImportError",
              alias.range, message);
        return Flow::Raise;
      }
      value = errorToUnknown();
    }
    assignName(bound, value, scope);
  }
  return Flow::Normal;
}
