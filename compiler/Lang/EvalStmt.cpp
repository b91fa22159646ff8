//===- EvalStmt.cpp - Evaluator: statements -------------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"
#include "compiler/Lang/ModuleLoader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

void nereid::lang::forEachTargetName(
    const Expr &target, llvm::function_ref<void(llvm::StringRef)> f) {
  if (const auto *name = llvm::dyn_cast<NameExpr>(&target))
    return f(name->name);
  if (const auto *starred = llvm::dyn_cast<StarredExpr>(&target))
    return forEachTargetName(*starred->value, f);
  llvm::ArrayRef<Expr *> elements;
  if (const auto *tuple = llvm::dyn_cast<TupleExpr>(&target))
    elements = tuple->elements;
  else if (const auto *list = llvm::dyn_cast<ListExpr>(&target))
    elements = list->elements;
  for (const Expr *element : elements)
    forEachTargetName(*element, f);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

EvaluatorImpl::Flow EvaluatorImpl::block(Block body, Scope &scope,
                                         Frame &frame) {
  for (const Stmt *s : body) {
    Flow flow = stmt(*s, scope, frame);
    if (flow == Flow::Normal)
      continue;
    if (flow == Flow::Raise && frame.lenient) {
      poison(*s, errorToUnknown(), scope);
      continue;
    }
    return flow;
  }
  return Flow::Normal;
}

void nereid::lang::forEachBoundName(
    const Stmt &s, llvm::function_ref<void(llvm::StringRef)> bind) {
  auto bindTarget = [&](const Expr &target) {
    forEachTargetName(target, bind);
  };
  auto bindBlock = [&](Block body) {
    for (const Stmt *inner : body)
      forEachBoundName(*inner, bind);
  };
  switch (s.getKind()) {
  case Stmt::Kind::FunctionDef:
    return bind(llvm::cast<FunctionDef>(s).name);
  case Stmt::Kind::ClassDef:
    return bind(llvm::cast<ClassDef>(s).name);
  case Stmt::Kind::Assign:
    for (const Expr *target : llvm::cast<AssignStmt>(s).targets)
      bindTarget(*target);
    return;
  case Stmt::Kind::AugAssign:
    return bindTarget(*llvm::cast<AugAssignStmt>(s).target);
  case Stmt::Kind::AnnAssign:
    if (llvm::cast<AnnAssignStmt>(s).value)
      bindTarget(*llvm::cast<AnnAssignStmt>(s).target);
    return;
  case Stmt::Kind::For:
    bindTarget(*llvm::cast<ForStmt>(s).target);
    bindBlock(llvm::cast<ForStmt>(s).body);
    return bindBlock(llvm::cast<ForStmt>(s).orelse);
  case Stmt::Kind::While:
    bindBlock(llvm::cast<WhileStmt>(s).body);
    return bindBlock(llvm::cast<WhileStmt>(s).orelse);
  case Stmt::Kind::If:
    for (const IfStmt::Clause &clause : llvm::cast<IfStmt>(s).clauses)
      bindBlock(clause.body);
    return bindBlock(llvm::cast<IfStmt>(s).orelse);
  case Stmt::Kind::With:
    for (const WithStmt::Item &item : llvm::cast<WithStmt>(s).items)
      if (item.target)
        bindTarget(*item.target);
    return bindBlock(llvm::cast<WithStmt>(s).body);
  case Stmt::Kind::Match:
    for (const MatchStmt::Case &clause : llvm::cast<MatchStmt>(s).cases)
      bindBlock(clause.body);
    return;
  case Stmt::Kind::Try: {
    const auto &node = llvm::cast<TryStmt>(s);
    bindBlock(node.body);
    for (const TryStmt::Handler &handler : node.handlers)
      bindBlock(handler.body);
    bindBlock(node.orelse);
    return bindBlock(node.finalbody);
  }
  case Stmt::Kind::Import:
    for (const ImportAlias &alias : llvm::cast<ImportStmt>(s).names)
      bind(alias.asName.empty() ? alias.name.split('.').first : alias.asName);
    return;
  case Stmt::Kind::ImportFrom:
    for (const ImportAlias &alias : llvm::cast<ImportFromStmt>(s).names)
      if (alias.name != "*")
        bind(alias.asName.empty() ? alias.name : alias.asName);
    return;
  default:
    return;
  }
}

void EvaluatorImpl::poison(const Stmt &s, Value unknown, Scope &scope) {
  forEachBoundName(
      s, [&](llvm::StringRef name) { assignName(name, unknown, scope); });
}

//===----------------------------------------------------------------------===//
// Simple statements
//===----------------------------------------------------------------------===//

EvaluatorImpl::Flow EvaluatorImpl::stmt(const Stmt &s, Scope &scope,
                                        Frame &frame) {
  SourceRange range = s.getRange();
  NestGuard guard(*this, SourceRange(range.begin));
  if (!guard.ok || !charge(1, SourceRange(range.begin)))
    return Flow::Raise;
  switch (s.getKind()) {
  case Stmt::Kind::FunctionDef:
    define(llvm::cast<FunctionDef>(s), scope);
    return Flow::Normal;
  case Stmt::Kind::ClassDef:
    return defineClass(llvm::cast<ClassDef>(s), scope) ? Flow::Normal
                                                       : Flow::Raise;
  case Stmt::Kind::Return: {
    const Expr *value = llvm::cast<ReturnStmt>(s).value;
    frame.returned = value ? expr(*value, scope) : Value::none();
    return frame.returned ? Flow::Return : Flow::Raise;
  }
  case Stmt::Kind::Delete:
    return deleteStmt(llvm::cast<DeleteStmt>(s), scope);
  case Stmt::Kind::Assign: {
    const auto &node = llvm::cast<AssignStmt>(s);
    Value value = expr(*node.value, scope);
    if (!value)
      return Flow::Raise;
    for (const Expr *target : node.targets)
      if (!assign(*target, value, scope))
        return Flow::Raise;
    return Flow::Normal;
  }
  case Stmt::Kind::AugAssign:
    return augAssign(llvm::cast<AugAssignStmt>(s), scope);
  case Stmt::Kind::AnnAssign: {
    const auto &node = llvm::cast<AnnAssignStmt>(s);
    if (!node.value)
      return Flow::Normal;
    Value value = expr(*node.value, scope);
    if (!value)
      return Flow::Raise;
    // `X: tl.constexpr = 5` marks the value; any other annotation says
    // nothing, and need not be known.
    Value annotation = expr(*node.annotation, scope);
    if (!annotation) {
      if (ev.error->type == "LimitError")
        return Flow::Raise;
      ev.takeError();
    } else if (annotation.isBuiltin() &&
               annotation.getBuiltin().id == BuiltinId::tl_constexpr) {
      value = value.asConstexpr();
    }
    return assign(*node.target, value, scope) ? Flow::Normal : Flow::Raise;
  }
  case Stmt::Kind::For:
    return forStmt(llvm::cast<ForStmt>(s), scope, frame);
  case Stmt::Kind::While:
    return whileStmt(llvm::cast<WhileStmt>(s), scope, frame);
  case Stmt::Kind::If:
    return ifStmt(llvm::cast<IfStmt>(s), scope, frame);
  case Stmt::Kind::With:
    return withStmt(llvm::cast<WithStmt>(s), scope, frame);
  case Stmt::Kind::Match:
    return matchStmt(llvm::cast<MatchStmt>(s), scope, frame);
  case Stmt::Kind::Raise:
    return raiseStmt(llvm::cast<RaiseStmt>(s), scope, frame);
  case Stmt::Kind::Try:
    return tryStmt(llvm::cast<TryStmt>(s), scope, frame);
  case Stmt::Kind::Assert: {
    const auto &node = llvm::cast<AssertStmt>(s);
    Value test = expr(*node.test, scope);
    if (!test)
      return Flow::Raise;
    if (firstUnknown(test, node.test->getRange()))
      return Flow::Normal; // It holds, as far as anyone can tell.
    std::optional<bool> truth = isTrue(test, node.test->getRange());
    if (!truth)
      return Flow::Raise;
    if (*truth)
      return Flow::Normal;
    std::string message;
    if (node.message) {
      Value text = expr(*node.message, scope);
      if (!text)
        return Flow::Raise;
      message = str(text);
    }
    raise("AssertionError", node.test->getRange(), message);
    return Flow::Raise;
  }
  case Stmt::Kind::Import:
    return importStmt(llvm::cast<ImportStmt>(s), scope, frame);
  case Stmt::Kind::ImportFrom:
    return importFrom(llvm::cast<ImportFromStmt>(s), scope, frame);
  case Stmt::Kind::Global:
    for (llvm::StringRef name : llvm::cast<GlobalStmt>(s).names)
      scope.globalNames.push_back(name);
    return Flow::Normal;
  case Stmt::Kind::Nonlocal:
    for (llvm::StringRef name : llvm::cast<NonlocalStmt>(s).names)
      scope.nonlocalNames.push_back(name);
    return Flow::Normal;
  case Stmt::Kind::Expr: {
    const Expr &value = *llvm::cast<ExprStmt>(s).value;
    if (const auto *yield = llvm::dyn_cast<YieldExpr>(&value)) {
      Value given = yield->value ? expr(*yield->value, scope) : Value::none();
      if (!given || !checkSize(frame.yields.size() / 64, value.getRange()))
        return Flow::Raise;
      frame.yields.push_back(given);
      return Flow::Normal;
    }
    if (const auto *yield = llvm::dyn_cast<YieldFromExpr>(&value)) {
      Value given = expr(*yield->value, scope);
      llvm::SmallVector<Value, 8> items;
      if (!given || !iterate(given, items, value.getRange()))
        return Flow::Raise;
      frame.yields.insert(frame.yields.end(), items.begin(), items.end());
      return checkSize(frame.yields.size() / 64, value.getRange())
                 ? Flow::Normal
                 : Flow::Raise;
    }
    return expr(value, scope) ? Flow::Normal : Flow::Raise;
  }
  case Stmt::Kind::Pass:
    return Flow::Normal;
  case Stmt::Kind::Break:
    return Flow::Break;
  case Stmt::Kind::Continue:
    return Flow::Continue;
  case Stmt::Kind::TypeAlias:
    assignName(llvm::cast<TypeAliasStmt>(s).name,
               values.unknown(range, "it is a type alias"), scope);
    return Flow::Normal;
  case Stmt::Kind::Error: {
    const SyntaxError *error = llvm::cast<ErrorStmt>(s).error;
    raise("SyntaxError", error->range, error->message);
    return Flow::Raise;
  }
  }
  return Flow::Normal;
}

bool EvaluatorImpl::assign(const Expr &target, Value value, Scope &scope) {
  if (const auto *name = llvm::dyn_cast<NameExpr>(&target)) {
    assignName(name->name, value, scope);
    return true;
  }
  if (const auto *attr = llvm::dyn_cast<AttributeExpr>(&target)) {
    Value object = expr(*attr->value, scope);
    return object && setAttribute(object, attr->attr, value, attr->attrRange);
  }
  if (const auto *node = llvm::dyn_cast<SubscriptExpr>(&target)) {
    Value object = expr(*node->value, scope);
    Value index = object ? expr(*node->index, scope) : Value();
    return index && setItem(object, index, value, target.getRange());
  }
  llvm::ArrayRef<Expr *> targets;
  if (const auto *tuple = llvm::dyn_cast<TupleExpr>(&target))
    targets = tuple->elements;
  else if (const auto *list = llvm::dyn_cast<ListExpr>(&target))
    targets = list->elements;
  else if (const auto *starred = llvm::dyn_cast<StarredExpr>(&target))
    return assign(*starred->value, value, scope);
  // Unpacking something unknown gives unknown parts.
  if (Value unknown = firstUnknown(value, target.getRange())) {
    for (const Expr *part : targets)
      if (!assign(*part, unknown, scope))
        return false;
    return true;
  }
  llvm::SmallVector<Value, 8> items;
  if (!iterate(value, items, target.getRange()))
    return false;
  const auto *star = llvm::find_if(
      targets, [](const Expr *e) { return llvm::isa<StarredExpr>(e); });
  size_t before = star - targets.begin();
  bool hasStar = star != targets.end();
  size_t after = hasStar ? targets.size() - before - 1 : 0;
  if (hasStar ? items.size() < before + after
              : items.size() != targets.size()) {
    raise(
        "ValueError", target.getRange(),
        llvm::Twine(items.size() < targets.size() ? "not enough" : "too many") +
            " values to unpack: expected " + (hasStar ? "at least " : "") +
            llvm::Twine(hasStar ? before + after : targets.size()) +
            ", found " + llvm::Twine(items.size()));
    return false;
  }
  llvm::ArrayRef<Value> rest(items);
  for (size_t i = 0; i < before; ++i)
    if (!assign(*targets[i], rest[i], scope))
      return false;
  if (!hasStar)
    return true;
  if (!assign(*targets[before],
              values.list(rest.slice(before, items.size() - before - after)),
              scope))
    return false;
  for (size_t i = 0; i < after; ++i)
    if (!assign(*targets[before + 1 + i], rest[items.size() - after + i],
                scope))
      return false;
  return true;
}

EvaluatorImpl::Flow EvaluatorImpl::augAssign(const AugAssignStmt &s,
                                             Scope &scope) {
  Value old = expr(*s.target, scope);
  Value value = old ? expr(*s.value, scope) : Value();
  if (!value)
    return Flow::Raise;
  // Python changes a list in place.
  if (s.op == BinaryOp::Add && old.isList() && !old.getList().poison) {
    llvm::SmallVector<Value, 8> items;
    if (Value unknown = firstUnknown(value, s.value->getRange())) {
      old.getList().poison = unknown;
      return Flow::Normal;
    }
    if (!iterate(value, items, s.value->getRange()))
      return Flow::Raise;
    touch(old.getList());
    std::vector<Value> &elements = old.getList().elements;
    elements.insert(elements.end(), items.begin(), items.end());
    return checkSize(elements.size(), s.getRange()) ? Flow::Normal
                                                    : Flow::Raise;
  }
  Value result = binary(s.op, old, value, s.getRange());
  return result && assign(*s.target, result, scope) ? Flow::Normal
                                                    : Flow::Raise;
}

EvaluatorImpl::Flow EvaluatorImpl::deleteStmt(const DeleteStmt &s,
                                              Scope &scope) {
  for (const Expr *target : s.targets) {
    if (const auto *name = llvm::dyn_cast<NameExpr>(target)) {
      scope.erase(name->name);
    } else if (const auto *node = llvm::dyn_cast<SubscriptExpr>(target)) {
      Value object = expr(*node->value, scope);
      Value index = object ? expr(*node->index, scope) : Value();
      if (!index)
        return Flow::Raise;
      if (firstUnknown({object, index}, target->getRange()))
        continue;
      if (object.is(Value::Kind::Dict)) {
        touch(object.getDict());
        if (!object.getDict().erase(index)) {
          raise("KeyError", target->getRange(), repr(index));
          return Flow::Raise;
        }
      } else if (object.isList() && index.getInt64()) {
        std::vector<Value> &elements = object.getList().elements;
        int64_t at = *index.getInt64();
        if (at < 0)
          at += elements.size();
        if (at < 0 || at >= static_cast<int64_t>(elements.size())) {
          raise("IndexError", target->getRange(), "list index out of range");
          return Flow::Raise;
        }
        touch(object.getList());
        elements.erase(elements.begin() + at);
      } else {
        raise("Unsupported", target->getRange(),
              "deleting this is not supported at compile time");
        return Flow::Raise;
      }
    }
  }
  return Flow::Normal;
}

//===----------------------------------------------------------------------===//
// Compound statements
//===----------------------------------------------------------------------===//

EvaluatorImpl::Flow EvaluatorImpl::ifStmt(const IfStmt &s, Scope &scope,
                                          Frame &frame) {
  for (size_t i = 0; i < s.clauses.size(); ++i) {
    const IfStmt::Clause &clause = s.clauses[i];
    SourceRange range = clause.condition->getRange();
    Value condition = expr(*clause.condition, scope);
    if (!condition) {
      if (!frame.lenient)
        return Flow::Raise;
      condition = errorToUnknown();
    }
    if (Value unknown = firstUnknown(condition, range)) {
      if (!frame.lenient)
        return raiseUnknown(unknown, range), Flow::Raise;
      return uncertainIf(s, i, unknown, scope, frame);
    }
    std::optional<bool> truth = isTrue(condition, range);
    if (!truth)
      return Flow::Raise;
    if (*truth)
      return block(clause.body, scope, frame);
  }
  return block(s.orelse, scope, frame);
}

/// Runs every branch that may be taken, each from the same state, and keeps
/// what they agree on. A name that only one branch binds is taken from there:
/// using it under the other condition would be an error anyway.
EvaluatorImpl::Flow EvaluatorImpl::uncertainIf(const IfStmt &s, size_t first,
                                               Value unknown, Scope &scope,
                                               Frame &frame) {
  llvm::SmallVector<Block, 4> branches;
  for (const IfStmt::Clause &clause : s.clauses.drop_front(first))
    branches.push_back(clause.body);
  branches.push_back(s.orelse);

  const UnknownObject &why = unknown.getUnknown();
  Value reason = values.unknown(
      s.clauses[first].condition->getRange(),
      "it depends on a condition that is not known: " + why.reason,
      why.bindName);
  llvm::StringMap<Value> before = scope.names;
  llvm::StringMap<Scope::LazyImport> lazyBefore = scope.lazy;
  std::vector<llvm::StringMap<Value>> after;
  llvm::StringMap<Scope::LazyImport> lazyAfter = scope.lazy;
  Value savedReason = uncertainReason;
  uncertainReason = reason;
  ++uncertainty;
  for (Block branch : branches) {
    scope.names = before;
    scope.lazy = lazyBefore;
    Flow flow = block(branch, scope, frame);
    // `break`, `continue` and `return` under an unknown condition: go on.
    (void)flow;
    after.push_back(scope.names);
    for (const auto &entry : scope.lazy)
      lazyAfter[entry.getKey()] = entry.getValue();
  }
  --uncertainty;
  uncertainReason = savedReason;

  scope.names = before;
  scope.lazy = lazyAfter;
  llvm::StringMap<char> done;
  for (const llvm::StringMap<Value> &branch : after) {
    for (const auto &entry : branch) {
      llvm::StringRef name = entry.getKey();
      if (!done.try_emplace(name, 1).second)
        continue;
      Value merged;
      bool differ = false;
      for (const llvm::StringMap<Value> &other : after) {
        auto it = other.find(name);
        if (it == other.end())
          continue;
        if (!merged)
          merged = it->second;
        else if (!merged.isSame(it->second))
          differ = true;
      }
      // Resolving a lazy import is no change.
      auto lazy = lazyBefore.find(name);
      if (differ)
        assignName(name, reason, scope);
      else if (lazy == lazyBefore.end() || !scope.lazy.contains(name))
        scope.set(name, merged);
    }
  }
  return Flow::Normal;
}

EvaluatorImpl::Flow EvaluatorImpl::forStmt(const ForStmt &s, Scope &scope,
                                           Frame &frame) {
  if (s.isAsync) {
    raise("Unsupported", SourceRange(s.getLoc()),
          "asynchronous code is not supported at compile time");
    return Flow::Raise;
  }
  Value iterable = expr(*s.iterable, scope);
  if (!iterable)
    return Flow::Raise;
  if (Value unknown = firstUnknown(iterable, s.iterable->getRange())) {
    if (!frame.lenient)
      return raiseUnknown(unknown, s.iterable->getRange()), Flow::Raise;
    // Once, to find what the body defines.
    if (!assign(*s.target, unknown, scope))
      return Flow::Raise;
    ++uncertainty;
    Value savedReason = uncertainReason;
    uncertainReason = unknown;
    block(s.body, scope, frame);
    uncertainReason = savedReason;
    --uncertainty;
    return Flow::Normal;
  }
  llvm::SmallVector<Value, 16> items;
  if (!iterate(iterable, items, s.iterable->getRange()))
    return Flow::Raise;
  for (const Value &item : items) {
    if (!charge(1, SourceRange(s.getLoc())))
      return Flow::Raise;
    if (!assign(*s.target, item, scope))
      return Flow::Raise;
    Flow flow = block(s.body, scope, frame);
    if (flow == Flow::Break)
      return Flow::Normal;
    if (flow == Flow::Return || flow == Flow::Raise)
      return flow;
  }
  return block(s.orelse, scope, frame);
}

EvaluatorImpl::Flow EvaluatorImpl::whileStmt(const WhileStmt &s, Scope &scope,
                                             Frame &frame) {
  SourceRange range = s.condition->getRange();
  while (true) {
    if (!charge(1, range))
      return Flow::Raise;
    Value condition = expr(*s.condition, scope);
    if (!condition)
      return Flow::Raise;
    if (Value unknown = firstUnknown(condition, range)) {
      if (!frame.lenient)
        return raiseUnknown(unknown, range), Flow::Raise;
      poison(s, unknown, scope);
      return Flow::Normal;
    }
    std::optional<bool> truth = isTrue(condition, range);
    if (!truth)
      return Flow::Raise;
    if (!*truth)
      return block(s.orelse, scope, frame);
    Flow flow = block(s.body, scope, frame);
    if (flow == Flow::Break)
      return Flow::Normal;
    if (flow == Flow::Return || flow == Flow::Raise)
      return flow;
  }
}

EvaluatorImpl::Flow EvaluatorImpl::withStmt(const WithStmt &s, Scope &scope,
                                            Frame &frame) {
  for (const WithStmt::Item &item : s.items) {
    Value context = expr(*item.context, scope);
    if (!context) {
      if (!frame.lenient)
        return Flow::Raise;
      context = errorToUnknown();
    }
    // What a context manager gives is its own affair.
    if (item.target &&
        !assign(*item.target,
                context.isUnknown()
                    ? context
                    : values.unknown(item.context->getRange(),
                                     "it comes from a context manager"),
                scope))
      return Flow::Raise;
  }
  return block(s.body, scope, frame);
}

EvaluatorImpl::Flow EvaluatorImpl::tryStmt(const TryStmt &s, Scope &scope,
                                           Frame &frame) {
  bool savedLenient = frame.lenient, savedImport = frame.catchesImportError;
  frame.lenient = false;
  for (const TryStmt::Handler &handler : s.handlers) {
    // Asked of the class, not of an instance: is an ImportError caught?
    EvalError probe;
    probe.type = "ModuleNotFoundError";
    std::optional<bool> catches = handles(handler, probe, scope);
    if (!catches && ev.error)
      ev.takeError();
    frame.catchesImportError |= catches.value_or(false);
  }
  Flow flow = block(s.body, scope, frame);
  frame.catchesImportError = savedImport;
  bool handled = false;
  if (flow == Flow::Raise) {
    EvalError error = ev.takeError();
    if (error.type != "LimitError" && error.type != "Unsupported" &&
        error.type != "Unknown") {
      for (const TryStmt::Handler &handler : s.handlers) {
        std::optional<bool> caught = handles(handler, error, scope);
        if (!caught) {
          ev.takeError();
          continue;
        }
        if (!*caught)
          continue;
        if (!handler.name.empty()) {
          Value exception = error.exception;
          if (!exception) {
            auto *instance = values.create<InstanceObject>();
            instance->type = exceptionClass(error.type);
            if (!instance->type)
              instance->type = exceptionClass("Exception");
            instance->set("message", values.string(error.message));
            exception = Value::of(instance);
          }
          assignName(handler.name, exception, scope);
        }
        frame.lenient = savedLenient;
        frame.handling.push_back(error);
        flow = block(handler.body, scope, frame);
        frame.handling.pop_back();
        handled = true;
        break;
      }
    }
    if (!handled) {
      frame.lenient = savedLenient;
      if (savedLenient) {
        // Nobody catches it: what the body would have bound is unknown. A
        // finally block runs all the same.
        ev.error = std::move(error);
        Value unknown = errorToUnknown();
        for (const Stmt *inner : s.body)
          forEachBound(*inner, scope, unknown);
        block(s.finalbody, scope, frame);
        return Flow::Normal;
      }
      Flow final = block(s.finalbody, scope, frame);
      if (final != Flow::Normal)
        return final;
      ev.error = std::move(error);
      return Flow::Raise;
    }
  } else if (flow == Flow::Normal) {
    frame.lenient = savedLenient;
    flow = block(s.orelse, scope, frame);
  }
  frame.lenient = savedLenient;
  if (s.finalbody.empty())
    return flow;
  // An error on its way must not be in the way of the finally block.
  std::optional<EvalError> saved;
  saved.swap(ev.error);
  Flow final = block(s.finalbody, scope, frame);
  if (final != Flow::Normal)
    return final;
  saved.swap(ev.error);
  return flow;
}

/// Poisons only names that have no value: what ran before the error stays.
void EvaluatorImpl::forEachBound(const Stmt &s, Scope &scope, Value unknown) {
  llvm::StringMap<Value> before = scope.names;
  poison(s, unknown, scope);
  for (const auto &entry : before)
    scope.names[entry.getKey()] = entry.getValue();
}

std::optional<bool> EvaluatorImpl::handles(const TryStmt::Handler &handler,
                                           const EvalError &error,
                                           Scope &scope) {
  if (!handler.type)
    return true;
  Value type = expr(*handler.type, scope);
  if (!type)
    return std::nullopt;
  llvm::SmallVector<Value, 4> types;
  if (type.isTuple())
    types.append(type.getElements().begin(), type.getElements().end());
  else
    types.push_back(type);
  ClassObject *raised =
      error.exception && error.exception.is(Value::Kind::Instance)
          ? error.exception.getInstance().type
          : exceptionClass(error.type);
  for (const Value &candidate : types)
    if (candidate.is(Value::Kind::Class) && raised &&
        raised->isSubclassOf(&candidate.getClass()))
      return true;
  return false;
}

EvaluatorImpl::Flow EvaluatorImpl::raiseStmt(const RaiseStmt &s, Scope &scope,
                                             Frame &frame) {
  if (!s.exception) {
    if (frame.handling.empty()) {
      raise("RuntimeError", s.getRange(), "no exception to raise again");
      return Flow::Raise;
    }
    ev.error = frame.handling.back();
    return Flow::Raise;
  }
  Value exception = expr(*s.exception, scope);
  if (!exception)
    return Flow::Raise;
  if (exception.is(Value::Kind::Class)) {
    exception = callClass(exception.getClass(), {}, {}, s.getRange());
    if (!exception)
      return Flow::Raise;
  }
  if (!exception.is(Value::Kind::Instance)) {
    raise("Exception", s.getRange(),
          exception.isUnknown() ? exception.getUnknown().reason
                                : str(exception));
    return Flow::Raise;
  }
  raise(exception.getInstance().type->name, s.getRange(), str(exception));
  ev.error->exception = exception;
  return Flow::Raise;
}

//===----------------------------------------------------------------------===//
// match
//===----------------------------------------------------------------------===//

bool EvaluatorImpl::matches(const Pattern &pattern, Value value, Scope &scope,
                            bool &matched) {
  NestGuard guard(*this, pattern.range);
  if (!guard.ok)
    return false;
  matched = false;
  switch (pattern.kind) {
  case Pattern::Kind::Value: {
    Value expected = expr(*pattern.value, scope);
    if (!expected)
      return false;
    Value equal = compare(CompareOp::Eq, value, expected, pattern.range);
    if (!equal)
      return false;
    std::optional<bool> truth = isTrue(equal, pattern.range);
    if (!truth)
      return false;
    matched = *truth;
    return true;
  }
  case Pattern::Kind::Capture:
  case Pattern::Kind::Star:
    matched = true;
    if (pattern.name != "_")
      assignName(pattern.name, value, scope);
    return true;
  case Pattern::Kind::As:
    if (!matches(*pattern.patterns[0], value, scope, matched))
      return false;
    if (matched)
      assignName(pattern.name, value, scope);
    return true;
  case Pattern::Kind::Or:
    for (const Pattern *alternative : pattern.patterns) {
      if (!matches(*alternative, value, scope, matched))
        return false;
      if (matched)
        return true;
    }
    return true;
  case Pattern::Kind::Sequence: {
    if (value.isUnknown())
      return raiseUnknown(value, pattern.range), false;
    if (!value.isSequence())
      return true;
    llvm::ArrayRef<Value> items = value.getElements();
    const auto *star = llvm::find_if(pattern.patterns, [](const Pattern *p) {
      return p->kind == Pattern::Kind::Star;
    });
    bool hasStar = star != pattern.patterns.end();
    size_t fixed = pattern.patterns.size() - hasStar;
    if (hasStar ? items.size() < fixed : items.size() != fixed)
      return true;
    size_t at = 0;
    for (const Pattern *part : pattern.patterns) {
      Value item;
      if (part->kind == Pattern::Kind::Star) {
        item = values.list(items.slice(at, items.size() - fixed));
        at += items.size() - fixed;
      } else {
        item = items[at++];
      }
      if (!matches(*part, item, scope, matched))
        return false;
      if (!matched)
        return true;
    }
    matched = true;
    return true;
  }
  case Pattern::Kind::Mapping:
  case Pattern::Kind::Class:
    raise("Unsupported", pattern.range,
          "patterns of this kind are not supported at compile time");
    return false;
  }
  return true;
}

EvaluatorImpl::Flow EvaluatorImpl::matchStmt(const MatchStmt &s, Scope &scope,
                                             Frame &frame) {
  Value subject = expr(*s.subject, scope);
  if (!subject)
    return Flow::Raise;
  for (const MatchStmt::Case &clause : s.cases) {
    bool matched = false;
    if (!matches(*clause.pattern, subject, scope, matched))
      return Flow::Raise;
    if (!matched)
      continue;
    if (clause.guard) {
      Value guard = expr(*clause.guard, scope);
      std::optional<bool> truth;
      if (guard)
        truth = isTrue(guard, clause.guard->getRange());
      if (!truth)
        return Flow::Raise;
      if (!*truth)
        continue;
    }
    return block(clause.body, scope, frame);
  }
  return Flow::Normal;
}
