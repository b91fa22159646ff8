//===- Evaluator.cpp - Python at compile time: errors and names -----------===//

#include "compiler/Lang/EvaluatorImpl.h"
#include "compiler/Lang/ModuleLoader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

EvaluatorImpl::EvaluatorImpl(Evaluator &ev, Frontend &frontend)
    : ev(ev), frontend(frontend), values(ev.getValues()) {}

Evaluator::Evaluator(Frontend &frontend, ValueContext &values,
                     DiagnosticEngine &diags)
    : values(values), diags(diags),
      impl(std::make_unique<EvaluatorImpl>(*this, frontend)) {}
Evaluator::~Evaluator() = default;

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

void Evaluator::beginRequest() { impl->steps = 0; }
Value Evaluator::evaluate(const Expr &expr, Scope &scope) {
  return impl->expr(expr, scope);
}
bool Evaluator::execute(Block block, Scope &scope) {
  EvaluatorImpl::Frame frame;
  return impl->block(block, scope, frame) != EvaluatorImpl::Flow::Raise;
}
Value Evaluator::binary(BinaryOp op, Value lhs, Value rhs, SourceRange range) {
  return impl->binary(op, lhs, rhs, range);
}
Value Evaluator::unary(UnaryOp op, Value operand, SourceRange range) {
  return impl->unary(op, operand, range);
}
Value Evaluator::compare(CompareOp op, Value lhs, Value rhs,
                         SourceRange range) {
  return impl->compare(op, lhs, rhs, range);
}
std::optional<bool> Evaluator::isTrue(Value value, SourceRange range) {
  return impl->isTrue(value, range);
}
Value Evaluator::subscript(Value object, Value index, SourceRange range) {
  return impl->subscript(object, index, range);
}
Value Evaluator::attribute(Value object, llvm::StringRef name,
                           SourceRange range) {
  return impl->attribute(object, name, range);
}
Value Evaluator::attributeOrNone(Value object, llvm::StringRef name,
                                 SourceRange range) {
  return impl->attributeOrNone(object, name, range);
}
Value Evaluator::call(Value callee, llvm::ArrayRef<Value> args,
                      llvm::ArrayRef<NamedValue> keywords, SourceRange range) {
  return impl->call(callee, args, keywords, range);
}
bool Evaluator::canCall(Value callee) const { return impl->canCall(callee); }
bool Evaluator::iterate(Value iterable, llvm::SmallVectorImpl<Value> &out,
                        SourceRange range) {
  return impl->iterate(iterable, out, range);
}
std::optional<Int128> Evaluator::length(Value value, SourceRange range) {
  return impl->length(value, range);
}
Value Evaluator::format(Value value, char conversion, llvm::StringRef spec,
                        SourceRange range) {
  return impl->format(value, conversion, spec, range);
}
bool Evaluator::bindArguments(const FunctionObject &function,
                              llvm::ArrayRef<Value> args,
                              llvm::ArrayRef<NamedValue> keywords,
                              SourceRange range,
                              llvm::SmallVectorImpl<Value> &bound) {
  return impl->bindArguments(function, args, keywords, range, bound);
}
Value Evaluator::lookup(llvm::StringRef name, Scope &scope) {
  return impl->lookup(name, scope);
}

bool Evaluator::anyRuntime(llvm::ArrayRef<Value> list) {
  return llvm::any_of(list, [](const Value &value) {
    return anyNested(value, [](const Value &v) {
      return v.isTensor() || v.is(Value::Kind::Handle);
    });
  });
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

Value Evaluator::raise(llvm::StringRef type, SourceRange range,
                       const llvm::Twine &message) {
  if (error)
    return Value();
  error.emplace();
  error->type = type.str();
  error->message = message.str();
  error->range = range;
  return Value();
}

EvalError Evaluator::takeError() {
  EvalError taken = std::move(*error);
  error.reset();
  return taken;
}

bool Evaluator::reportError() { return report(takeError()); }

/// Adds the reason of an Unknown, and what to do about it.
static void explainUnknown(InFlightDiag &diag, const UnknownObject &unknown) {
  if (unknown.origin.isValid())
    diag.note(unknown.origin, "its value is lost here: " + unknown.reason);
  if (!unknown.bindName.empty())
    diag.note("give its value with --bind " + unknown.bindName + "=VALUE");
}

bool Evaluator::report(const EvalError &e) {
  if (e.unknown) {
    const UnknownObject &unknown = e.unknown.getUnknown();
    InFlightDiag diag = diags.error(
        e.range, "this value is needed at compile time but is not known: " +
                     unknown.reason);
    explainUnknown(diag, unknown);
    for (const EvalError::Frame &frame : e.frames)
      diag.note(frame.callSite, "in '" + frame.callee + "', called from here");
    return false;
  }
  bool internal = e.type == "LimitError" || e.type == "Unsupported" ||
                  e.type == "SyntaxError";
  InFlightDiag diag =
      diags.error(e.range, internal ? e.message : e.type + ": " + e.message);
  for (const EvalError::Note &note : e.notes)
    diag.note(note.range, note.text);
  for (const EvalError::Frame &frame : e.frames)
    diag.note(frame.callSite, "in '" + frame.callee + "', called from here");
  return false;
}

void Evaluator::reportUnknown(const Value &value, SourceRange range,
                              const llvm::Twine &what) {
  if (!value.isUnknown()) {
    diags.error(range, what + " is not known at compile time, found " +
                           typeName(value));
    return;
  }
  const UnknownObject &unknown = value.getUnknown();
  InFlightDiag diag = diags.error(
      range, what + " is not known at compile time: " + unknown.reason);
  explainUnknown(diag, unknown);
}

Value EvaluatorImpl::raiseUnknown(Value unknown, SourceRange range) {
  raise("Unknown", range, unknown.getUnknown().reason);
  ev.error->unknown = unknown;
  return Value();
}

bool EvaluatorImpl::charge(uint64_t amount, SourceRange range) {
  steps += amount;
  if (steps <= ev.limits.maxSteps)
    return true;
  raise("LimitError", range,
        "evaluating this at compile time takes more than " +
            llvm::Twine(ev.limits.maxSteps) + " steps");
  return false;
}

bool EvaluatorImpl::checkSize(Int128 size, SourceRange range) {
  if (size > static_cast<Int128>(ev.limits.maxElements)) {
    raise("LimitError", range,
          "a compile-time value may have at most " +
              llvm::Twine(ev.limits.maxElements) + " elements");
    return false;
  }
  return charge(static_cast<uint64_t>(size < 0 ? 0 : size) / 8 + 1, range);
}

EvaluatorImpl::NestGuard::NestGuard(EvaluatorImpl &impl, SourceRange range)
    : impl(impl), ok(true) {
  if (++impl.nesting > impl.ev.limits.maxNesting) {
    impl.raise("LimitError", range,
               "evaluating this at compile time nests more than " +
                   llvm::Twine(impl.ev.limits.maxNesting) +
                   " operations and calls");
    ok = false;
  }
}

Value EvaluatorImpl::firstUnknown(Args operands, SourceRange range) {
  for (const Value &operand : operands) {
    if (operand.isUnknown())
      return operand;
    if (operand.isTensor() || operand.is(Value::Kind::Handle))
      return values.unknown(range, "it depends on a run-time value of type " +
                                       typeName(operand));
    if (operand.isList() && operand.getList().poison)
      return operand.getList().poison;
    if ((operand.is(Value::Kind::Dict) || operand.is(Value::Kind::Set)) &&
        operand.getDict().poison)
      return operand.getDict().poison;
  }
  return Value();
}

Value EvaluatorImpl::errorToUnknown() {
  EvalError error = ev.takeError();
  if (error.unknown)
    return error.unknown;
  bool internal = error.type == "LimitError" || error.type == "Unsupported" ||
                  error.type == "SyntaxError";
  return values.unknown(error.range, internal
                                         ? error.message
                                         : error.type + ": " + error.message);
}

Value EvaluatorImpl::nameUnknown(Value value, llvm::StringRef name) {
  if (!value.isUnknown())
    return value;
  const UnknownObject &old = value.getUnknown();
  // The name where it became unknown is the best one to settle.
  if (!old.bindName.empty() || old.isModule)
    return value;
  auto *copy = values.create<UnknownObject>();
  copy->reason = old.reason;
  copy->origin = old.origin;
  copy->path = old.path;
  copy->bindName = name.str();
  return Value::of(copy);
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// A name of this one scope, resolving a pending import.
Value EvaluatorImpl::lookupIn(Scope &scope, llvm::StringRef name) {
  if (Value *value = scope.find(name))
    return *value;
  auto it = scope.lazy.find(name);
  if (it == scope.lazy.end())
    return Value();
  if (it->second.resolving)
    return lookupInCircle(it->second, *scope.getModule());
  it->second.resolving = true;
  Scope::LazyImport import = it->second;
  // Resolving may run a module; that is work of its own.
  uint64_t savedSteps = steps;
  std::optional<EvalError> savedError;
  savedError.swap(ev.error);
  Value value = resolveImport(*import.stmt, import.name, import.range,
                              *scope.getModule());
  if (!value)
    value = nameUnknown(errorToUnknown(), name);
  savedError.swap(ev.error);
  steps = savedSteps;
  scope.set(name, value);
  return value;
}

Value EvaluatorImpl::lookup(llvm::StringRef name, Scope &scope) {
  for (Scope *s = &scope; s; s = s->getParent()) {
    if (Value value = lookupIn(*s, name))
      return value;
    // A local that has no value yet hides what is outside.
    if (s->function &&
        llvm::any_of(s->function->locals,
                     [&](llvm::StringRef local) { return local == name; }) &&
        !llvm::is_contained(s->globalNames, name))
      return Value();
  }
  return lookupBuiltin(name);
}

Value EvaluatorImpl::lookupBuiltin(llvm::StringRef name) {
  static const llvm::StringMap<BuiltinId> map = [] {
    llvm::StringMap<BuiltinId> names;
    for (const BuiltinInfo &info : allBuiltins())
      if (info.module == "builtins")
        names[info.name] = info.id;
    return names;
  }();
  if (name == "__debug__")
    return Value::boolean(true);
  auto it = map.find(name);
  if (it == map.end())
    return Value();
  if (ClassObject *exception = exceptionClass(name))
    return Value::of(exception);
  return Value::builtin(&getBuiltinInfo(it->second));
}

void EvaluatorImpl::assignName(llvm::StringRef name, Value value,
                               Scope &scope) {
  Scope *target = &scope;
  if (llvm::is_contained(scope.globalNames, name)) {
    target = &scope.getModule()->getGlobals();
  } else if (llvm::is_contained(scope.nonlocalNames, name)) {
    for (Scope *s = scope.getParent(); s; s = s->getParent())
      if (s->find(name)) {
        target = s;
        break;
      }
  }
  Module *module = target->getModule();
  if (module && target == &module->getGlobals()) {
    auto it = module->bindings.find(name);
    if (it != module->bindings.end() && !module->prelude)
      return; // --bind has the last word.
    value = nameUnknown(value, name);
  }
  target->set(name, value);
}

std::string Evaluator::undefinedName(llvm::StringRef name, Scope &scope,
                                     llvm::ArrayRef<llvm::StringRef> extra) {
  llvm::SmallVector<llvm::StringRef, 64> candidates(extra.begin(), extra.end());
  for (Scope *s = &scope; s; s = s->getParent()) {
    for (const auto &entry : s->all())
      candidates.push_back(entry.getKey());
    for (const auto &entry : s->lazy)
      candidates.push_back(entry.getKey());
    if (s->function && llvm::is_contained(s->function->locals, name))
      return "the local variable '" + name.str() +
             "' is used before it has a value";
  }
  for (const BuiltinInfo &info : allBuiltins())
    if (info.module == "builtins")
      candidates.push_back(info.name);
  return "name '" + name.str() + "' is not defined" +
         didYouMean(name, candidates);
}
