//===- EvalCall.cpp - Evaluator: calls ------------------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

bool EvaluatorImpl::canCall(Value callee) const {
  switch (callee.getKind()) {
  case Value::Kind::Function:
    return !callee.getFunction().isJit();
  case Value::Kind::Builtin:
    return isCallableBuiltin(callee.getBuiltin());
  case Value::Kind::BoundMethod: {
    const BoundMethodObject &method = callee.getBoundMethod();
    if (method.function)
      return canCall(method.function);
    return !Evaluator::anyRuntime(method.self);
  }
  case Value::Kind::Class:
  case Value::Kind::DType:
    return true;
  default:
    return false;
  }
}

Value EvaluatorImpl::call(Value callee, Args args, Keywords keywords,
                          SourceRange range) {
  NestGuard guard(*this, range);
  if (!guard.ok || !charge(1, range))
    return Value();
  switch (callee.getKind()) {
  case Value::Kind::Unknown:
    return callee;
  case Value::Kind::Function:
    return callFunction(callee.getFunction(), args, keywords, range);
  case Value::Kind::Builtin:
    return callBuiltin(callee.getBuiltin(), args, keywords, range);
  case Value::Kind::Class:
    return callClass(callee.getClass(), args, keywords, range);
  case Value::Kind::BoundMethod: {
    const BoundMethodObject &method = callee.getBoundMethod();
    if (method.name.starts_with("<"))
      return callPending(method, args, keywords, range);
    if (!method.function)
      return callMethod(method, args, keywords, range);
    llvm::SmallVector<Value, 8> all{method.self};
    all.append(args.begin(), args.end());
    return call(method.function, all, keywords, range);
  }
  case Value::Kind::Instance:
    if (Value function = callee.getInstance().type->find("__call__")) {
      llvm::SmallVector<Value, 8> all{callee};
      all.append(args.begin(), args.end());
      return call(function, all, keywords, range);
    }
    break;
  case Value::Kind::Tensor:
  case Value::Kind::Handle:
    return firstUnknown(callee, range);
  default:
    break;
  }
  return raise("TypeError", range,
               "a " + typeName(callee) + " cannot be called");
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

bool EvaluatorImpl::bindArguments(const FunctionObject &function, Args args,
                                  Keywords keywords, SourceRange range,
                                  llvm::SmallVectorImpl<Value> &bound) {
  llvm::ArrayRef<Parameter> params = function.params();
  std::string name = function.name.str() + "()";
  bound.assign(params.size(), Value());
  auto fail = [&](SourceRange where, const llvm::Twine &message) {
    raise("TypeError", where.isValid() ? where : range, name + message);
    if (ev.error && ev.error->notes.empty() && function.def)
      ev.error->notes.push_back(
          {function.getNameRange(),
           "'" + function.name.str() + "' is defined here"});
    return false;
  };

  size_t next = 0, positional = 0;
  int varArgs = -1, varKeywords = -1;
  for (size_t i = 0; i < params.size(); ++i) {
    if (params[i].kind == Parameter::Kind::VarArgs)
      varArgs = static_cast<int>(i);
    else if (params[i].kind == Parameter::Kind::VarKeywords)
      varKeywords = static_cast<int>(i);
    else if (params[i].kind != Parameter::Kind::KeywordOnly)
      ++positional;
  }
  for (; next < args.size() && next < positional; ++next)
    bound[next] = args[next];
  if (next < args.size()) {
    if (varArgs < 0)
      return fail({}, " takes " + llvm::Twine(positional) +
                          " positional argument" +
                          (positional == 1 ? "" : "s") + ", but " +
                          llvm::Twine(args.size()) +
                          (args.size() == 1 ? " was" : " were") + " given");
    bound[varArgs] = values.tuple(args.drop_front(next));
  } else if (varArgs >= 0) {
    bound[varArgs] = values.tuple({});
  }
  if (varKeywords >= 0)
    bound[varKeywords] = values.dict();

  for (const NamedValue &keyword : keywords) {
    size_t i = 0;
    while (i < params.size() &&
           (params[i].name != keyword.name ||
            params[i].kind == Parameter::Kind::PositionalOnly ||
            params[i].kind == Parameter::Kind::VarArgs ||
            params[i].kind == Parameter::Kind::VarKeywords))
      ++i;
    if (i == params.size()) {
      if (varKeywords >= 0) {
        bound[varKeywords].getDict().set(values.string(keyword.name),
                                         keyword.value);
        continue;
      }
      llvm::SmallVector<llvm::StringRef, 8> names;
      for (const Parameter &param : params)
        names.push_back(param.name);
      return fail(keyword.range, " has no parameter '" + keyword.name + "'" +
                                     didYouMean(keyword.name, names));
    }
    if (bound[i])
      return fail(keyword.range,
                  " got two values for its parameter '" + keyword.name + "'");
    bound[i] = keyword.value;
  }

  llvm::SmallVector<llvm::StringRef, 4> missing;
  for (size_t i = 0; i < params.size(); ++i) {
    if (bound[i])
      continue;
    if (i < function.defaults.size() && function.defaults[i])
      bound[i] = function.defaults[i];
    else
      missing.push_back(params[i].name);
  }
  if (missing.empty())
    return true;
  std::string list;
  for (llvm::StringRef param : missing)
    list += (list.empty() ? "'" : ", '") + param.str() + "'";
  return fail({}, " needs a value for its parameter" +
                      llvm::Twine(missing.size() == 1 ? " " : "s ") + list);
}

bool EvaluatorImpl::take(llvm::StringRef callee, Args args, Keywords keywords,
                         SourceRange range,
                         llvm::ArrayRef<llvm::StringRef> names, size_t required,
                         llvm::MutableArrayRef<Value> out) {
  if (args.size() > names.size()) {
    raise("TypeError", range,
          callee + "() takes at most " + llvm::Twine(names.size()) +
              " argument" + (names.size() == 1 ? "" : "s") + ", found " +
              llvm::Twine(args.size()));
    return false;
  }
  for (size_t i = 0; i < args.size(); ++i)
    out[i] = args[i];
  for (const NamedValue &keyword : keywords) {
    const auto *it = llvm::find(names, keyword.name);
    if (it == names.end()) {
      raise("TypeError", keyword.range,
            callee + "() has no parameter '" + keyword.name + "'" +
                didYouMean(keyword.name, names));
      return false;
    }
    if (out[it - names.begin()]) {
      raise("TypeError", keyword.range,
            callee + "() got two values for its parameter '" + keyword.name +
                "'");
      return false;
    }
    out[it - names.begin()] = keyword.value;
  }
  for (size_t i = 0; i < required; ++i)
    if (!out[i]) {
      raise("TypeError", range,
            callee + "() needs a value for its parameter '" + names[i] + "'");
      return false;
    }
  return true;
}

//===----------------------------------------------------------------------===//
// Python functions
//===----------------------------------------------------------------------===//

Value EvaluatorImpl::callFunction(FunctionObject &function, Args args,
                                  Keywords keywords, SourceRange range) {
  if (function.isJit())
    return raise("TypeError", range,
                 "'" + function.name +
                     "' is a jit function: only kernels can call it");
  if (function.def && !function.def->errors.empty()) {
    const SyntaxError *error = function.def->errors[0];
    return raise("SyntaxError", error->range, error->message);
  }
  if (function.def && function.def->isAsync)
    return raise("Unsupported", range,
                 "asynchronous functions are not supported at compile time");
  if (callDepth >= ev.limits.maxCallDepth)
    return raise("LimitError", range,
                 "calls are nested more than " +
                     llvm::Twine(ev.limits.maxCallDepth) +
                     " deep at compile time");
  llvm::SmallVector<Value, 8> bound;
  if (!bindArguments(function, args, keywords, range, bound))
    return Value();
  // The globals it uses must be there.
  if (function.module && function.module->getState() == Module::State::Unread)
    run(*function.module);

  Scope *scope = values.createScope(function.module, function.closure);
  scope->function = function.def;
  llvm::ArrayRef<Parameter> params = function.params();
  for (size_t i = 0; i < params.size(); ++i)
    scope->set(params[i].name, bound[i]);

  ++callDepth;
  Value result;
  if (function.lambda) {
    result = expr(*function.lambda->body, *scope);
  } else {
    Frame frame;
    switch (block(function.def->body, *scope, frame)) {
    case Flow::Raise:
      break;
    case Flow::Return:
      result = frame.returned;
      break;
    default:
      result = Value::none();
      break;
    }
    if (result && function.def->isGenerator)
      result = values.list(frame.yields);
  }
  --callDepth;
  if (!result && ev.error) {
    // A function that needs something unknown has an unknown result.
    if (ev.error->unknown)
      return ev.takeError().unknown;
    ev.error->frames.push_back({range, function.name.str()});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// The value of a field that the call did not give: its default, or that of
/// dataclasses.field.
static Value fieldDefault(const ClassField &field) {
  return field.defaultValue;
}

Value EvaluatorImpl::callClass(ClassObject &type, Args args, Keywords keywords,
                               SourceRange range) {
  if (type.role == ClassObject::Role::Exception) {
    auto *instance = values.create<InstanceObject>();
    instance->type = &type;
    std::string message;
    for (const Value &arg : args)
      message += (message.empty() ? "" : ", ") + str(arg);
    instance->set("message", values.string(message));
    instance->set("args", values.tuple(args));
    return Value::of(instance);
  }
  if (type.role == ClassObject::Role::Enum) {
    if (args.size() != 1)
      return raise("TypeError", range, "an enumeration takes one value");
    if (Value unknown = firstUnknown(args[0], range))
      return unknown;
    for (const ClassField &field : type.fields) {
      Value member = type.find(field.name);
      if (!member || !member.is(Value::Kind::Instance))
        continue;
      if (member.isSame(args[0]))
        return member;
      Value *value = member.getInstance().find("value");
      if (value && valuesEqual(*value, args[0]))
        return member;
    }
    return raise("ValueError", range,
                 repr(args[0]) + " is no value of " + type.name);
  }

  bool byFields = type.role == ClassObject::Role::NamedTuple ||
                  type.role == ClassObject::Role::Dataclass ||
                  type.role == ClassObject::Role::Aggregate;
  Value init = type.role == ClassObject::Role::NamedTuple
                   ? Value()
                   : type.find("__init__");
  if (!init && byFields) {
    llvm::SmallVector<llvm::StringRef, 8> names;
    for (const ClassField &field : type.fields)
      names.push_back(field.name);
    llvm::SmallVector<Value, 8> out(names.size());
    if (!take(type.name, args, keywords, range, names, 0, out))
      return Value();
    for (size_t i = 0; i < out.size(); ++i) {
      if (!out[i])
        out[i] = fieldDefault(type.fields[i]);
      if (!out[i]) {
        raise("TypeError", range,
              type.name + "() needs a value for its field '" + names[i] + "'");
        if (ev.error && type.def)
          ev.error->notes.push_back(
              {type.fields[i].range, "the field is declared here"});
        return Value();
      }
    }
    if (type.role == ClassObject::Role::NamedTuple) {
      Value tuple = values.tuple(out);
      tuple.getTuple().type = &type;
      return tuple;
    }
    auto *instance = values.create<InstanceObject>();
    instance->type = &type;
    for (size_t i = 0; i < out.size(); ++i)
      instance->set(names[i], out[i]);
    Value self = Value::of(instance);
    if (Value post = type.find("__post_init__"))
      if (!call(post, self, {}, range))
        return Value();
    return self;
  }

  // A class with a base that is not known may do anything when it is made.
  auto *instance = values.create<InstanceObject>();
  instance->type = &type;
  Value self = Value::of(instance);
  if (init) {
    llvm::SmallVector<Value, 8> all{self};
    all.append(args.begin(), args.end());
    Value done = call(init, all, keywords, range);
    if (!done || done.isUnknown())
      return done;
    return self;
  }
  for (const Value &base : type.bases)
    if (base.isUnknown())
      return base;
  if (!args.empty() || !keywords.empty())
    return raise("TypeError", range, type.name + "() takes no arguments");
  return self;
}
