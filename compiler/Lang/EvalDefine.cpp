//===- EvalDefine.cpp - Evaluator: functions, classes, decorators ---------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

FunctionObject *EvaluatorImpl::makeFunction(const FunctionDef &def,
                                            Scope &scope) {
  auto *function = values.create<FunctionObject>();
  function->name = def.name;
  function->def = &def;
  function->module = scope.getModule();
  function->closure = &scope;
  std::string qualified =
      scope.getModule() ? scope.getModule()->getName().str() : std::string();
  llvm::SmallVector<llvm::StringRef, 4> outer;
  for (Scope *s = &scope; s; s = s->getParent())
    if (s->function)
      outer.push_back(s->function->name);
  for (llvm::StringRef name : llvm::reverse(outer))
    qualified += "." + name.str();
  function->qualifiedName = values.intern(qualified + "." + def.name.str());
  for (const Parameter &param : def.params) {
    Value value;
    if (param.defaultValue) {
      value = expr(*param.defaultValue, scope);
      if (!value)
        value = errorToUnknown();
    }
    function->defaults.push_back(value);
  }
  return function;
}

void EvaluatorImpl::define(const FunctionDef &def, Scope &scope) {
  Module *module = scope.getModule();
  size_t firstJit = module ? module->jitFunctions.size() : 0;
  Value value = Value::of(makeFunction(def, scope));
  for (const Expr *decorator : llvm::reverse(def.decorators))
    value = decorate(value, *decorator, scope);
  // Of the copies that decorators made, only the outermost counts.
  if (module && value.isFunction() && value.getFunction().isJit()) {
    std::vector<FunctionObject *> &list = module->jitFunctions;
    FunctionObject *final = &value.getFunction();
    llvm::erase_if(list, [&](FunctionObject *f) {
      return f == final || f->origin == final->origin;
    });
    if (firstJit > list.size())
      firstJit = list.size();
    list.push_back(final);
  }
  assignName(def.name, value, scope);
}

void EvaluatorImpl::skipDecorator(Value decorated, const Expr &decorator) {
  if (!decorated.isFunction())
    return;
  decorated.getFunction().jit.skippedDecorators.push_back(
      {frontend.getSources().getText(decorator.getRange()).str(),
       decorator.getRange()});
}

/// Keeps an error for whoever uses the function.
static void addProblem(Value decorated, const EvalError &error) {
  decorated.getFunction().jit.problems.push_back(
      {error.type + ": " + error.message, error.range});
}

/// The function a decorated value stands for: itself, or what a wrapper object
/// of the user's own holds.
static bool isJitValue(const Value &value) {
  return value.isFunction() && value.getFunction().isJit();
}

Value EvaluatorImpl::decorate(Value decorated, const Expr &decorator,
                              Scope &scope) {
  SourceRange range = decorator.getRange();
  Value callee = expr(decorator, scope);
  if (!callee) {
    // A call that fails may still be an autotuner of the user's own, whose
    // list of configs is all that matters. But what is wrong in a use of
    // triton's own decorators is the user's error.
    EvalError error = ev.takeError();
    bool isTriton =
        error.type == "AttributeError" &&
        llvm::StringRef(error.message).starts_with("module 'triton' has");
    if (const auto *node = llvm::dyn_cast<CallExpr>(&decorator);
        node && !isTriton) {
      Value function = expr(*node->callee, scope);
      if (!function)
        ev.takeError();
      isTriton = function && function.isBuiltin() &&
                 function.getBuiltin().module == "triton";
    }
    if (isTriton && decorated.isFunction() && !error.unknown) {
      addProblem(decorated, error);
      return decorated;
    }
    callee = values.unknown(error.range, error.type + ": " + error.message);
  }

  if (callee.isBuiltin() || callee.is(Value::Kind::BoundMethod)) {
    Value result = call(callee, decorated, {}, range);
    if (result && !result.isUnknown())
      return result;
    if (!result) {
      EvalError error = ev.takeError();
      if (callee.is(Value::Kind::BoundMethod) ||
          callee.getBuiltin().module == "triton") {
        if (decorated.isFunction() && !error.unknown) {
          addProblem(decorated, error);
          return decorated;
        }
      }
    }
    skipDecorator(decorated, decorator);
    return decorated;
  }
  if (callee.isFunction() && !callee.getFunction().isJit()) {
    // The user's own decorator: of use if it gives back a jit function.
    Value result = call(callee, decorated, {}, range);
    if (!result)
      ev.takeError();
    else if (isJitValue(result) ||
             (!isJitValue(decorated) && result.isFunction()))
      return result;
  }
  // `@my_autotune(configs=[...], key=[...])` of a library.
  if (isJitValue(decorated)) {
    if (const auto *callNode = llvm::dyn_cast<CallExpr>(&decorator)) {
      Value options = values.dict();
      bool found = false;
      for (const KeywordArg &keyword : callNode->keywords) {
        if (keyword.name != "configs" && keyword.name != "key")
          continue;
        Value value = expr(*keyword.value, scope);
        if (!value)
          value = errorToUnknown();
        found |= keyword.name == "configs" && value.isList() &&
                 !value.getElements().empty() &&
                 llvm::all_of(value.getElements(), [](const Value &v) {
                   return v.is(Value::Kind::Config);
                 });
        options.getDict().set(values.string(keyword.name), value);
      }
      if (found) {
        Value result = applyAutotune(decorated, options.getDict(), range);
        if (result) {
          skipDecorator(result, decorator);
          return result;
        }
        ev.takeError();
      }
    }
  }
  skipDecorator(decorated, decorator);
  return decorated;
}

//===----------------------------------------------------------------------===//
// triton's decorators
//===----------------------------------------------------------------------===//

Value EvaluatorImpl::makePending(llvm::StringRef name, Value options) {
  auto *pending = values.create<BoundMethodObject>();
  pending->self = options;
  pending->name = name;
  return Value::of(pending);
}

Value EvaluatorImpl::callPending(const BoundMethodObject &pending, Args args,
                                 Keywords keywords, SourceRange range) {
  if (pending.name == "<partial>") {
    // self: (callee, args, keywords)
    llvm::ArrayRef<Value> parts = pending.self.getElements();
    llvm::SmallVector<Value, 8> all(parts[1].getElements().begin(),
                                    parts[1].getElements().end());
    all.append(args.begin(), args.end());
    llvm::SmallVector<NamedValue, 8> named;
    for (const auto &[key, value] : parts[2].getDict().items)
      if (llvm::none_of(keywords, [&, k = key](const NamedValue &n) {
            return n.name == k.getString();
          }))
        named.push_back({key.getString(), value, range});
    named.append(keywords.begin(), keywords.end());
    return call(parts[0], all, named, range);
  }
  if (args.size() != 1 || !keywords.empty())
    return raise("TypeError", range, "a decorator takes one function");
  Value function = args[0];
  if (pending.name == "<identity>")
    return function;
  if (function.isUnknown())
    return function;
  if (pending.name == "<dataclass>") {
    if (function.is(Value::Kind::Class))
      function.getClass().role = ClassObject::Role::Dataclass;
    return function;
  }
  if (pending.name == "<jit>")
    return applyJit(function, &pending.self.getDict(), range);
  if (pending.name == "<autotune>")
    return applyAutotune(function, pending.self.getDict(), range);
  return applyHeuristics(function, pending.self, range);
}

/// Names of parameters from a list of names or positions.
bool EvaluatorImpl::parameterNames(const FunctionObject &function, Value list,
                                   std::vector<llvm::StringRef> &out,
                                   SourceRange range) {
  if (list.isNone())
    return true;
  llvm::ArrayRef<Parameter> params = function.params();
  llvm::SmallVector<Value, 8> items;
  if (list.isString() || list.isIntegral())
    items.push_back(list);
  else if (!iterate(list, items, range))
    return false;
  llvm::SmallVector<llvm::StringRef, 8> names;
  for (const Parameter &param : params)
    names.push_back(param.name);
  for (const Value &item : items) {
    std::optional<int64_t> index = item.getInt64();
    if (index && *index >= 0 && *index < static_cast<int64_t>(params.size())) {
      out.push_back(params[*index].name);
    } else if (item.isString() && llvm::is_contained(names, item.getString())) {
      out.push_back(item.getString());
    } else if (item.isUnknown()) {
      return raiseUnknown(item, range), false;
    }
    // Triton ignores names that are no parameters.
  }
  return true;
}

Value EvaluatorImpl::applyJit(Value value, const DictObject *options,
                              SourceRange range) {
  if (!value.isFunction() || !value.getFunction().def)
    return raise("TypeError", range,
                 "triton.jit takes a function written with 'def', found " +
                     typeName(value));
  if (value.getFunction().isJit())
    return value;
  // A copy: `g = triton.jit(f)` leaves f as it is.
  FunctionObject &function = *copyJit(value.getFunction());
  function.role = FunctionObject::Role::Jit;
  JitInfo &jit = function.jit;
  if (options) {
    for (const auto &[key, option] : options->items) {
      llvm::StringRef name = key.getString();
      bool ok = true;
      if (name == "do_not_specialize")
        ok = parameterNames(function, option, jit.doNotSpecialize, range);
      else if (name == "do_not_specialize_on_alignment")
        ok = parameterNames(function, option, jit.doNotSpecializeOnAlignment,
                            range);
      else if (name == "noinline")
        jit.isNoinline = option.isBool() && option.getBool();
      else if (name == "debug")
        jit.debug = option.isBool() && option.getBool();
      // version, repr, launch_metadata and what else there is concern the host.
      if (!ok) {
        if (ev.error->unknown) {
          ev.takeError(); // Not to specialise is an optimization.
          continue;
        }
        return Value();
      }
    }
  }
  return Value::of(&function);
}

FunctionObject *EvaluatorImpl::copyJit(FunctionObject &function) {
  auto *copy = values.create<FunctionObject>();
  *copy = function;
  if (copy->module)
    copy->module->jitFunctions.push_back(copy);
  return copy;
}

/// Options of Triton's back ends that a config may set beside parameters. But
/// for `enable_fp_fusion` they tune one vendor's code generator and mean
/// nothing to ours.
static bool isBackendOption(llvm::StringRef name) {
  static constexpr llvm::StringRef options[] = {"maxnreg",
                                                "ir_override",
                                                "num_consumer_groups",
                                                "minRegAutoWS",
                                                "num_buffers_warp_spec",
                                                "reg_dec_producer",
                                                "maxRegAutoWS",
                                                "reg_inc_consumer",
                                                "enable_fp_fusion",
                                                "launch_pdl",
                                                "launch_cooperative_grid",
                                                "cluster_dims",
                                                "waves_per_eu",
                                                "matrix_instr_nonkdim",
                                                "matrix_instr_shape",
                                                "kpack",
                                                "schedule_hint",
                                                "instruction_sched_variant",
                                                "grf_mode",
                                                "allow_flush_denorm",
                                                "occupancy",
                                                "ptx_options",
                                                "ctas_per_cga",
                                                "use_async_copy",
                                                "use_block_pingpong"};
  return llvm::is_contained(options, name);
}

Value EvaluatorImpl::applyAutotune(Value value, DictObject &options,
                                   SourceRange range) {
  if (!isJitValue(value))
    return raise("TypeError", range,
                 "triton.autotune applies to a jit function, found " +
                     typeName(value) + "; '@triton.jit' must stand below it");
  FunctionObject *copy = copyJit(value.getFunction());
  JitInfo &jit = copy->jit;
  jit.configs.clear();
  jit.configsUnknown = Value();
  Value *configs = options.find("configs");
  llvm::SmallVector<Value, 16> items;
  if (!configs)
    return raise("TypeError", range,
                 "triton.autotune needs its parameter 'configs'");
  if (!iterate(*configs, items, range)) {
    if (!ev.error->unknown)
      return Value();
    jit.configsUnknown = ev.takeError().unknown;
  }
  for (const Value &item : items) {
    if (item.isUnknown()) {
      jit.configsUnknown = item;
      continue;
    }
    if (!item.is(Value::Kind::Config))
      return raise("TypeError", range,
                   "the configs of triton.autotune must be triton.Config "
                   "objects, found " +
                       typeName(item));
    auto *config = values.create<ConfigObject>();
    *config = item.getConfig();
    llvm::erase_if(config->constants, [&](const auto &pair) {
      if (!isBackendOption(pair.first) ||
          llvm::any_of(copy->params(), [&](const Parameter &param) {
            return param.name == pair.first;
          }))
        return false;
      if (pair.first == "enable_fp_fusion")
        config->fpFusion = plain(pair.second).getInt64() != 0;
      return true;
    });
    for (const auto &[name, constant] : config->constants) {
      llvm::SmallVector<llvm::StringRef, 8> names;
      for (const Parameter &param : copy->params())
        names.push_back(param.name);
      if (llvm::is_contained(names, name))
        continue;
      raise("ValueError", item.getConfig().range,
            "triton.Config sets '" + name + "', but '" + copy->name +
                "' has no such parameter" + didYouMean(name, names));
      return Value();
    }
    jit.configs.push_back(config);
  }
  if (jit.configsUnknown)
    jit.configs.clear();
  if (Value *key = options.find("key")) {
    jit.key.clear();
    llvm::SmallVector<Value, 8> names;
    if (!key->isNone()) {
      if (!iterate(*key, names, range)) {
        if (!ev.error->unknown)
          return Value();
        ev.takeError();
      }
      for (const Value &name : names)
        if (name.isString())
          jit.key.push_back(name.getString());
    }
  }
  return Value::of(copy);
}

Value EvaluatorImpl::applyHeuristics(Value value, Value heuristics,
                                     SourceRange range) {
  if (!isJitValue(value))
    return raise("TypeError", range,
                 "triton.heuristics applies to a jit function, found " +
                     typeName(value) + "; '@triton.jit' must stand below it");
  FunctionObject *copy = copyJit(value.getFunction());
  if (Value unknown = firstUnknown(heuristics, range)) {
    copy->jit.skippedDecorators.push_back(
        {"triton.heuristics(...) of values that are not known: " +
             unknown.getUnknown().reason,
         range});
    return Value::of(copy);
  }
  if (!heuristics.is(Value::Kind::Dict))
    return raise("TypeError", range,
                 "triton.heuristics takes a dict of functions, found " +
                     typeName(heuristics));
  // Those of an outer decorator are computed first.
  std::vector<JitInfo::Heuristic> list;
  for (const auto &[name, callable] : heuristics.getDict().items) {
    if (!name.isString())
      return raise("TypeError", range,
                   "the keys of triton.heuristics must be names of "
                   "parameters, found " +
                       repr(name));
    llvm::SmallVector<llvm::StringRef, 8> names;
    for (const Parameter &param : copy->params())
      names.push_back(param.name);
    // Launch options may be computed too.
    if (!llvm::is_contained(names, name.getString()) &&
        name.getString() != "num_warps" && name.getString() != "num_stages" &&
        name.getString() != "num_ctas")
      return raise("ValueError", range,
                   "triton.heuristics computes '" + name.getString() +
                       "', but '" + copy->name + "' has no such parameter" +
                       didYouMean(name.getString(), names));
    list.push_back({name.getString(), callable});
  }
  list.insert(list.end(), copy->jit.heuristics.begin(),
              copy->jit.heuristics.end());
  copy->jit.heuristics = std::move(list);
  return Value::of(copy);
}

Value EvaluatorImpl::makeConfig(Args args, Keywords keywords,
                                SourceRange range) {
  static constexpr llvm::StringRef names[] = {
      "kwargs",  "num_warps", "num_stages",  "num_ctas",
      "maxnreg", "pre_hook",  "ir_override", "min_dot_size"};
  Value out[std::size(names)];
  // Other vendors' forks take further options; they concern their targets.
  llvm::SmallVector<NamedValue, 8> known;
  for (const NamedValue &keyword : keywords)
    if (llvm::is_contained(names, keyword.name))
      known.push_back(keyword);
  if (!take("triton.Config", args, known, range, names, 1, out))
    return Value();
  if (Value unknown = firstUnknown(out[0], range))
    return unknown;
  if (!out[0].is(Value::Kind::Dict))
    return raise("TypeError", range,
                 "triton.Config takes a dict of constants, found " +
                     typeName(out[0]));
  auto *config = values.create<ConfigObject>();
  config->range = range;
  for (const auto &[name, constant] : out[0].getDict().items) {
    if (!name.isString())
      return raise("TypeError", range,
                   "the constants of triton.Config are keyed by name, found " +
                       repr(name));
    // Launch options may stand among the constants.
    const auto *option =
        llvm::find(llvm::ArrayRef(names).slice(1, 3), name.getString());
    if (option != names + 4)
      out[option - names] = constant;
    else
      config->constants.push_back({name.getString(), constant});
  }
  for (unsigned i = 1; i < 5; ++i)
    if (out[i])
      if (Value unknown = firstUnknown(out[i], range))
        return unknown;
  int64_t *slots[] = {&config->numWarps, &config->numStages, &config->numCtas};
  for (unsigned i = 0; i < 3; ++i) {
    if (!out[i + 1] || out[i + 1].isNone())
      continue;
    std::optional<int64_t> number = plain(out[i + 1]).getInt64();
    if (!number || *number < (i == 1 ? 0 : 1) || *number > 1024)
      return raise("TypeError", range,
                   names[i + 1] +
                       " of triton.Config must be a positive int, "
                       "found " +
                       repr(out[i + 1]));
    *slots[i] = *number;
  }
  if (out[4])
    config->maxRegisters = out[4].getInt64();
  return Value::of(config);
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// Name and base of Python's exceptions.
static constexpr llvm::StringLiteral exceptionBases[][2] = {
    {"BaseException", ""},
    {"KeyboardInterrupt", "BaseException"},
    {"SystemExit", "BaseException"},
    {"GeneratorExit", "BaseException"},
    {"BufferError", "Exception"},
    {"EOFError", "Exception"},
    {"MemoryError", "Exception"},
    {"SystemError", "Exception"},
    {"FloatingPointError", "ArithmeticError"},
    {"UnboundLocalError", "NameError"},
    {"StopAsyncIteration", "Exception"},
    {"IndentationError", "SyntaxError"},
    {"UnicodeError", "ValueError"},
    {"UnicodeDecodeError", "UnicodeError"},
    {"UnicodeEncodeError", "UnicodeError"},
    {"IOError", "OSError"},
    {"EnvironmentError", "OSError"},
    {"FileNotFoundError", "OSError"},
    {"FileExistsError", "OSError"},
    {"PermissionError", "OSError"},
    {"TimeoutError", "OSError"},
    {"ConnectionError", "OSError"},
    {"BrokenPipeError", "ConnectionError"},
    {"PendingDeprecationWarning", "Warning"},
    {"SyntaxWarning", "Warning"},
    {"ImportWarning", "Warning"},
    {"ResourceWarning", "Warning"},
    {"Exception", "BaseException"},
    {"ArithmeticError", "Exception"},
    {"AssertionError", "Exception"},
    {"AttributeError", "Exception"},
    {"ImportError", "Exception"},
    {"ModuleNotFoundError", "ImportError"},
    {"LookupError", "Exception"},
    {"IndexError", "LookupError"},
    {"KeyError", "LookupError"},
    {"NameError", "Exception"},
    {"OSError", "Exception"},
    {"OverflowError", "ArithmeticError"},
    {"ZeroDivisionError", "ArithmeticError"},
    {"RuntimeError", "Exception"},
    {"NotImplementedError", "RuntimeError"},
    {"RecursionError", "RuntimeError"},
    {"StopIteration", "Exception"},
    {"SyntaxError", "Exception"},
    {"TypeError", "Exception"},
    {"ValueError", "Exception"},
    {"Warning", "Exception"},
    {"DeprecationWarning", "Warning"},
    {"UserWarning", "Warning"},
    {"FutureWarning", "Warning"},
    {"RuntimeWarning", "Warning"},
};

ClassObject *EvaluatorImpl::exceptionClass(llvm::StringRef name) {
  auto it = exceptionClasses.find(name);
  if (it != exceptionClasses.end())
    return it->second;
  for (const auto &row : exceptionBases) {
    if (row[0] != name)
      continue;
    auto *type = values.create<ClassObject>();
    type->role = ClassObject::Role::Exception;
    type->name = row[0];
    if (ClassObject *base = row[1].empty() ? nullptr : exceptionClass(row[1]))
      type->bases.push_back(Value::of(base));
    exceptionClasses[name] = type;
    return type;
  }
  return nullptr;
}

/// What kind of class a base makes of its subclasses.
static std::optional<ClassObject::Role> roleOfBase(const Value &base) {
  if (base.is(Value::Kind::Class)) {
    ClassObject::Role role = base.getClass().role;
    if (role != ClassObject::Role::Plain)
      return role;
    return std::nullopt;
  }
  if (!base.isBuiltin())
    return std::nullopt;
  switch (base.getBuiltin().id) {
  case BuiltinId::typing_NamedTuple:
    return ClassObject::Role::NamedTuple;
  case BuiltinId::enum_Enum:
  case BuiltinId::enum_IntEnum:
  case BuiltinId::enum_Flag:
  case BuiltinId::enum_IntFlag:
  case BuiltinId::enum_StrEnum:
    return ClassObject::Role::Enum;
  default:
    return std::nullopt;
  }
}

bool EvaluatorImpl::defineClass(const ClassDef &def, Scope &scope) {
  auto *type = values.create<ClassObject>();
  type->name = def.name;
  type->def = &def;
  type->module = scope.getModule();
  type->scope = &scope;
  for (const Expr *base : def.bases) {
    Value value = expr(*base, scope);
    if (!value)
      value = errorToUnknown();
    if (std::optional<ClassObject::Role> role = roleOfBase(value))
      type->role = *role;
    if (value.is(Value::Kind::Class))
      for (const ClassField &field : value.getClass().fields)
        type->fields.push_back(field);
    type->bases.push_back(value);
  }

  Scope *body = values.createScope(scope.getModule(), &scope);
  Frame frame;
  frame.lenient = true;
  Int128 autoValue = 0;
  for (size_t i = 0; i < def.body.size(); ++i) {
    const Stmt *s = def.body[i];
    if (const auto *field = llvm::dyn_cast<AnnAssignStmt>(s)) {
      if (const auto *name = llvm::dyn_cast<NameExpr>(field->target)) {
        ClassField entry;
        entry.name = name->name;
        entry.annotation = field->annotation;
        entry.range = name->getRange();
        if (field->value) {
          entry.defaultValue = expr(*field->value, *body);
          if (!entry.defaultValue)
            entry.defaultValue = errorToUnknown();
        }
        auto old = llvm::find_if(type->fields, [&](const ClassField &f) {
          return f.name == entry.name;
        });
        if (old != type->fields.end())
          *old = entry;
        else
          type->fields.push_back(entry);
      }
    }
    // Members in the order of the source; enum.auto() counts.
    if (type->role == ClassObject::Role::Enum)
      if (const auto *member = llvm::dyn_cast<AssignStmt>(s))
        for (const Expr *target : member->targets)
          forEachTargetName(*target, [&](llvm::StringRef name) {
            if (name.starts_with("_"))
              return;
            ClassField entry;
            entry.name = name;
            entry.range = target->getRange();
            type->fields.push_back(entry);
          });
    block(def.body.slice(i, 1), *body, frame);
  }
  for (const auto &entry : body->all()) {
    Value value = entry.getValue();
    if (value.isFunction() && !value.getFunction().owner)
      value.getFunction().owner = type;
    type->attributes[entry.getKey()] = value;
  }
  // Methods see the scope around the class, not its body.
  for (auto &entry : type->attributes)
    if (entry.second.isFunction() && entry.second.getFunction().closure == body)
      entry.second.getFunction().closure = &scope;
  if (type->role == ClassObject::Role::Enum) {
    for (const ClassField &field : type->fields) {
      Value value = type->attributes.lookup(field.name);
      if (!value)
        continue;
      if (value.is(Value::Kind::BoundMethod) &&
          value.getBoundMethod().name == "<auto>")
        value = Value::integer(++autoValue);
      else if (value.isInt())
        autoValue = value.getInt();
      auto *member = values.create<InstanceObject>();
      member->type = type;
      member->set("name", Value::internedString(field.name));
      member->set("value", value);
      type->attributes[field.name] = Value::of(member);
    }
  }

  Value result = Value::of(type);
  for (const Expr *decorator : llvm::reverse(def.decorators)) {
    Value callee = expr(*decorator, scope);
    if (!callee) {
      ev.takeError();
      continue;
    }
    if (callee.isBuiltin()) {
      switch (callee.getBuiltin().id) {
      case BuiltinId::tl__aggregate:
      case BuiltinId::triton_aggregate:
        type->role = ClassObject::Role::Aggregate;
        break;
      case BuiltinId::dataclasses_dataclass:
        type->role = ClassObject::Role::Dataclass;
        break;
      default:
        break;
      }
    } else if (callee.is(Value::Kind::BoundMethod)) {
      if (!call(callee, result, {}, decorator->getRange()))
        ev.takeError();
    }
    // Any other decorator is taken to give the class back.
  }
  assignName(def.name, result, scope);
  return true;
}

/// collections.namedtuple("Name", "a b" or ["a", "b"]), NamedTuple("Name",
/// [("a", int)]).
Value EvaluatorImpl::makeNamedTupleClass(Args args, Keywords keywords,
                                         SourceRange range) {
  static constexpr llvm::StringRef names[] = {"typename", "field_names",
                                              "defaults", "rename", "module"};
  Value out[std::size(names)];
  if (!take("namedtuple", args, keywords, range, names, 2, out))
    return Value();
  if (Value unknown = firstUnknown({out[0], out[1]}, range))
    return unknown;
  if (!out[0].isString())
    return raise("TypeError", range, "the name of a named tuple must be a str");
  auto *type = values.create<ClassObject>();
  type->role = ClassObject::Role::NamedTuple;
  type->name = out[0].getString();
  llvm::SmallVector<Value, 8> items;
  if (out[1].isString()) {
    llvm::SmallVector<llvm::StringRef, 8> words;
    std::string text = out[1].getString().str();
    std::replace(text.begin(), text.end(), ',', ' ');
    llvm::StringRef(values.intern(text)).split(words, ' ', -1, false);
    for (llvm::StringRef word : words)
      items.push_back(values.string(word));
  } else if (!iterate(out[1], items, range)) {
    return Value();
  }
  for (Value &item : items) {
    if (item.isTuple() && !item.getElements().empty())
      item = item.getElements()[0];
    if (!item.isString())
      return raise("TypeError", range,
                   "the fields of a named tuple must be strings");
    ClassField field;
    field.name = item.getString();
    field.range = range;
    type->fields.push_back(field);
  }
  if (out[2] && out[2].isSequence()) {
    llvm::ArrayRef<Value> defaults = out[2].getElements();
    size_t skip =
        type->fields.size() - std::min(type->fields.size(), defaults.size());
    for (size_t i = skip; i < type->fields.size(); ++i)
      type->fields[i].defaultValue = defaults[i - skip];
  }
  return Value::of(type);
}
