//===- EvalExpr.cpp - Evaluator: expressions ------------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

Value EvaluatorImpl::expr(const Expr &e, Scope &scope) {
  NestGuard guard(*this, e.getRange());
  if (!guard.ok || !charge(1, e.getRange()))
    return Value();
  return exprImpl(e, scope);
}

Value EvaluatorImpl::exprImpl(const Expr &e, Scope &scope) {
  SourceRange range = e.getRange();
  switch (e.getKind()) {
  case Expr::Kind::Name:
    return name(llvm::cast<NameExpr>(e), scope);
  case Expr::Kind::NoneLiteral:
    return Value::none();
  case Expr::Kind::BoolLiteral:
    return Value::boolean(llvm::cast<BoolLiteral>(e).value);
  case Expr::Kind::EllipsisLiteral:
    return Value::ellipsis();
  case Expr::Kind::IntLiteral: {
    const auto &literal = llvm::cast<IntLiteral>(e);
    if (!literal.fitsInt128())
      return raise("LimitError", range,
                   "compile-time integers have 128 bits; this one needs more");
    return Value::integer(literal.getInt128());
  }
  case Expr::Kind::FloatLiteral:
    return Value::real(llvm::cast<FloatLiteral>(e).value);
  case Expr::Kind::ImaginaryLiteral:
    return raise("Unsupported", range,
                 "complex numbers are not supported at compile time");
  case Expr::Kind::StringLiteral:
    return Value::internedString(llvm::cast<StringLiteral>(e).value);
  case Expr::Kind::BytesLiteral:
    return values.unknown(range, "it is a bytes literal");
  case Expr::Kind::JoinedString:
    return joinedString(llvm::cast<JoinedString>(e), scope);
  case Expr::Kind::Attribute: {
    const auto &attr = llvm::cast<AttributeExpr>(e);
    Value object = expr(*attr.value, scope);
    return object ? attribute(object, attr.attr, attr.attrRange) : Value();
  }
  case Expr::Kind::Subscript: {
    const auto &node = llvm::cast<SubscriptExpr>(e);
    Value object = expr(*node.value, scope);
    if (!object)
      return Value();
    Value index = expr(*node.index, scope);
    return index ? subscript(object, index, range) : Value();
  }
  case Expr::Kind::Slice: {
    const auto &node = llvm::cast<SliceExpr>(e);
    Value parts[3] = {Value::none(), Value::none(), Value::none()};
    const Expr *exprs[3] = {node.lower, node.upper, node.step};
    for (unsigned i = 0; i < 3; ++i)
      if (exprs[i] && !(parts[i] = expr(*exprs[i], scope)))
        return Value();
    auto *slice = values.create<SliceObject>();
    slice->lower = parts[0];
    slice->upper = parts[1];
    slice->step = parts[2];
    return Value::of(slice);
  }
  case Expr::Kind::Call:
    return callExpr(llvm::cast<CallExpr>(e), scope);
  case Expr::Kind::Binary: {
    const auto &node = llvm::cast<BinaryExpr>(e);
    Value lhs = expr(*node.lhs, scope);
    if (!lhs)
      return Value();
    Value rhs = expr(*node.rhs, scope);
    return rhs ? binary(node.op, lhs, rhs, range) : Value();
  }
  case Expr::Kind::Unary: {
    const auto &node = llvm::cast<UnaryExpr>(e);
    Value operand = expr(*node.operand, scope);
    return operand ? unary(node.op, operand, range) : Value();
  }
  case Expr::Kind::Boolean:
    return boolean(llvm::cast<BooleanExpr>(e), scope);
  case Expr::Kind::Compare:
    return compareChain(llvm::cast<CompareExpr>(e), scope);
  case Expr::Kind::Conditional: {
    const auto &node = llvm::cast<ConditionalExpr>(e);
    Value condition = expr(*node.condition, scope);
    if (!condition)
      return Value();
    if (Value unknown = firstUnknown(condition, node.condition->getRange())) {
      // Both sides may still agree.
      Value a = expr(*node.thenValue, scope);
      Value b = a ? expr(*node.elseValue, scope) : Value();
      if (!b)
        return Value();
      return a.isCompileTime() && a.isSame(b) ? a : unknown;
    }
    std::optional<bool> truth = isTrue(condition, node.condition->getRange());
    if (!truth)
      return Value();
    return expr(*truth ? *node.thenValue : *node.elseValue, scope);
  }
  case Expr::Kind::Lambda:
    return lambda(llvm::cast<LambdaExpr>(e), scope);
  case Expr::Kind::Tuple: {
    llvm::SmallVector<Value, 8> out;
    if (!elements(llvm::cast<TupleExpr>(e).elements, scope, out))
      return Value();
    return values.tuple(out);
  }
  case Expr::Kind::List: {
    llvm::SmallVector<Value, 8> out;
    if (!elements(llvm::cast<ListExpr>(e).elements, scope, out))
      return Value();
    Value list = values.list(out);
    list.getList().uncertainty = uncertainty;
    return list;
  }
  case Expr::Kind::Set: {
    llvm::SmallVector<Value, 8> out;
    if (!elements(llvm::cast<SetExpr>(e).elements, scope, out))
      return Value();
    Value set = Value::set(values.create<DictObject>());
    for (const Value &element : out)
      set.getDict().set(element, Value::none());
    return set;
  }
  case Expr::Kind::Dict:
    return dictDisplay(llvm::cast<DictExpr>(e), scope);
  case Expr::Kind::Comprehension:
    return comprehension(llvm::cast<ComprehensionExpr>(e), scope);
  case Expr::Kind::Starred:
    return raise("SyntaxError", range,
                 "a starred expression cannot stand here");
  case Expr::Kind::NamedExpr: {
    const auto &node = llvm::cast<NamedExpr>(e);
    Value value = expr(*node.value, scope);
    if (!value)
      return Value();
    Scope *target = &scope;
    while (target->isComprehension && target->getParent())
      target = target->getParent();
    assignName(node.target->name, value, *target);
    return value;
  }
  case Expr::Kind::Await:
  case Expr::Kind::Yield:
  case Expr::Kind::YieldFrom:
    return raise("Unsupported", range,
                 "'await' and 'yield' are not supported at compile time here");
  }
  return Value();
}

Value EvaluatorImpl::name(const NameExpr &e, Scope &scope) {
  if (Value value = lookup(e.name, scope))
    return value;
  return raise("NameError", e.getRange(), ev.undefinedName(e.name, scope));
}

Value EvaluatorImpl::boolean(const BooleanExpr &e, Scope &scope) {
  Value result, unknown;
  bool stopsAt = e.op == BoolOp::Or;
  for (const Expr *operand : e.operands) {
    result = expr(*operand, scope);
    if (!result)
      return Value();
    if (Value u = firstUnknown(result, operand->getRange())) {
      // A later operand may decide: `unknown and False` is false either way.
      if (!unknown)
        unknown = u;
      continue;
    }
    std::optional<bool> truth = isTrue(result, operand->getRange());
    if (!truth)
      return Value();
    if (*truth == stopsAt) {
      if (!unknown)
        return result;
      // The value is one of two, but as a condition it is known.
      return Value::boolean(stopsAt);
    }
  }
  return unknown ? unknown : result;
}

Value EvaluatorImpl::compareChain(const CompareExpr &e, Scope &scope) {
  Value lhs = expr(*e.operands[0], scope);
  if (!lhs)
    return Value();
  Value result;
  for (size_t i = 0; i < e.ops.size(); ++i) {
    Value rhs = expr(*e.operands[i + 1], scope);
    if (!rhs)
      return Value();
    result = compare(e.ops[i], lhs, rhs,
                     e.ops.size() == 1
                         ? e.getRange()
                         : SourceRange(e.operands[i]->getLoc(),
                                       e.operands[i + 1]->getRange().end));
    if (!result || i + 1 == e.ops.size() || result.isUnknown())
      return result;
    std::optional<bool> truth = isTrue(result, e.getRange());
    if (!truth)
      return Value();
    if (!*truth)
      return result;
    lhs = rhs;
  }
  return result;
}

/// Values of a display or of positional arguments; `*x` is spread.
bool EvaluatorImpl::elements(llvm::ArrayRef<Expr *> exprs, Scope &scope,
                             llvm::SmallVectorImpl<Value> &out) {
  for (const Expr *e : exprs) {
    if (const auto *starred = llvm::dyn_cast<StarredExpr>(e)) {
      Value value = expr(*starred->value, scope);
      if (!value || !iterate(value, out, starred->getRange()))
        return false;
      if (!checkSize(out.size(), e->getRange()))
        return false;
      continue;
    }
    Value value = expr(*e, scope);
    if (!value)
      return false;
    out.push_back(value);
  }
  return true;
}

bool EvaluatorImpl::arguments(llvm::ArrayRef<Expr *> args,
                              llvm::ArrayRef<KeywordArg> keywords, Scope &scope,
                              llvm::SmallVectorImpl<Value> &outArgs,
                              llvm::SmallVectorImpl<NamedValue> &outKeywords,
                              bool lenientKeywords) {
  if (!elements(args, scope, outArgs))
    return false;
  for (const KeywordArg &keyword : keywords) {
    Value value = expr(*keyword.value, scope);
    if (!value)
      return false;
    if (!keyword.name.empty()) {
      outKeywords.push_back({keyword.name, value, keyword.range});
      continue;
    }
    if (Value unknown = firstUnknown(value, keyword.range)) {
      // Options of a decorator that depend on triton's version.
      if (lenientKeywords)
        continue;
      return raiseUnknown(unknown, keyword.range), false;
    }
    if (!value.is(Value::Kind::Dict)) {
      raise("TypeError", keyword.range,
            "the argument after '**' must be a dict, found " + typeName(value));
      return false;
    }
    for (const auto &[key, item] : value.getDict().items) {
      if (!key.isString()) {
        raise("TypeError", keyword.range,
              "keywords must be strings, found " + repr(key));
        return false;
      }
      outKeywords.push_back({key.getString(), item, keyword.range});
    }
  }
  return true;
}

Value EvaluatorImpl::callExpr(const CallExpr &e, Scope &scope) {
  Value callee = expr(*e.callee, scope);
  if (!callee)
    return Value();
  llvm::SmallVector<Value, 8> args;
  llvm::SmallVector<NamedValue, 4> keywords;
  // Names are looked up where the call stands.
  if (callee.isBuiltin()) {
    BuiltinId id = callee.getBuiltin().id;
    if ((id == BuiltinId::py_globals || id == BuiltinId::py_locals) &&
        e.args.empty()) {
      Value dict = values.dict();
      Scope &source = id == BuiltinId::py_globals && scope.getModule()
                          ? scope.getModule()->getGlobals()
                          : scope;
      for (const auto &entry : source.all())
        dict.getDict().set(values.string(entry.getKey()), entry.getValue());
      return dict;
    }
  }
  bool lenient = callee.isBuiltin() && callee.getBuiltin().module == "triton";
  if (!arguments(e.args, e.keywords, scope, args, keywords, lenient)) {
    // An unknown callee gives an unknown result, whatever its arguments.
    if (callee.isUnknown() && ev.error && ev.error->type != "LimitError") {
      ev.takeError();
      return callee;
    }
    return Value();
  }
  return call(callee, args, keywords, e.getRange());
}

Value EvaluatorImpl::joinedString(const JoinedString &e, Scope &scope) {
  std::string text;
  for (const JoinedString::Part &part : e.parts) {
    if (!part.expr) {
      text += part.text;
      continue;
    }
    Value value = expr(*part.expr, scope);
    if (!value)
      return Value();
    llvm::StringRef spec;
    if (part.format) {
      Value specValue = expr(*part.format, scope);
      if (!specValue)
        return Value();
      if (specValue.isUnknown())
        return specValue;
      spec = specValue.getString();
    }
    char conversion = part.conversion;
    if (!part.debugText.empty()) {
      text += part.debugText;
      if (!conversion && !part.format)
        conversion = 'r';
    }
    Value formatted = format(value, conversion, spec, part.expr->getRange());
    if (!formatted || formatted.isUnknown())
      return formatted;
    text += formatted.getString();
    if (!checkSize(text.size(), e.getRange()))
      return Value();
  }
  return values.string(text);
}

Value EvaluatorImpl::lambda(const LambdaExpr &e, Scope &scope) {
  auto *function = values.create<FunctionObject>();
  function->role = FunctionObject::Role::Lambda;
  function->name = "<lambda>";
  function->qualifiedName = "<lambda>";
  function->lambda = &e;
  function->module = scope.getModule();
  function->closure = &scope;
  for (const Parameter &param : e.params) {
    Value value;
    if (param.defaultValue && !(value = expr(*param.defaultValue, scope)))
      return Value();
    function->defaults.push_back(value);
  }
  return Value::of(function);
}

/// Lists, dicts and sets are not, nor tuples that hold one. (Instances are:
/// Python goes by their address.)
static bool isHashable(const Value &value) {
  if (value.is(Value::Kind::Instance))
    return true;
  return !anyNested(value, [](const Value &v) {
    return v.isList() || v.is(Value::Kind::Dict) || v.is(Value::Kind::Set);
  });
}

Value EvaluatorImpl::dictDisplay(const DictExpr &e, Scope &scope) {
  Value dict = values.dict();
  dict.getDict().uncertainty = uncertainty;
  for (const DictExpr::Item &item : e.items) {
    if (!item.key) {
      Value other = expr(*item.value, scope);
      if (!other)
        return Value();
      if (Value unknown = firstUnknown(other, item.value->getRange()))
        return unknown;
      if (!other.is(Value::Kind::Dict))
        return raise("TypeError", item.value->getRange(),
                     "the value after '**' must be a dict, found " +
                         typeName(other));
      for (const auto &[key, value] : other.getDict().items)
        dict.getDict().set(key, value);
      continue;
    }
    Value key = expr(*item.key, scope);
    Value value = key ? expr(*item.value, scope) : Value();
    if (!value)
      return Value();
    // An entry under an unknown key may be any entry.
    if (Value unknown = firstUnknown(key, item.key->getRange())) {
      dict.getDict().poison = unknown;
      continue;
    }
    if (!isHashable(key))
      return raise("TypeError", item.key->getRange(),
                   "a " + typeName(key) + " cannot be the key of a dict");
    dict.getDict().set(key, value);
  }
  return dict;
}

Value EvaluatorImpl::comprehension(const ComprehensionExpr &e, Scope &scope) {
  Scope *inner = values.createScope(scope.getModule(), &scope);
  inner->isComprehension = true;
  llvm::SmallVector<Value, 8> list;
  Value dict;
  if (e.form == ComprehensionExpr::Form::Dict)
    dict = values.dict();
  else if (e.form == ComprehensionExpr::Form::Set)
    dict = Value::set(values.create<DictObject>());
  if (!comprehensionClause(e, 0, *inner, list,
                           dict ? &dict.getDict() : nullptr)) {
    // What it iterates over or filters by is unknown: so is the result.
    if (ev.error && ev.error->unknown)
      return ev.takeError().unknown;
    return Value();
  }
  if (dict)
    return dict;
  Value result = values.list(list);
  result.getList().uncertainty = uncertainty;
  return result;
}

bool EvaluatorImpl::comprehensionClause(const ComprehensionExpr &e,
                                        size_t index, Scope &scope,
                                        llvm::SmallVectorImpl<Value> &list,
                                        DictObject *dict) {
  if (index == e.clauses.size()) {
    Value element = expr(*e.element, scope);
    if (!element)
      return false;
    if (!dict) {
      list.push_back(element);
      return checkSize(list.size() / 64, e.getRange());
    }
    Value value = Value::none();
    if (e.value && !(value = expr(*e.value, scope)))
      return false;
    if (Value unknown = firstUnknown(element, e.element->getRange()))
      return raiseUnknown(unknown, e.element->getRange()), false;
    if (!isHashable(element)) {
      raise("TypeError", e.element->getRange(),
            "a " + typeName(element) + " cannot be a key or member");
      return false;
    }
    dict->set(element, value);
    return true;
  }
  const ComprehensionFor &clause = e.clauses[index];
  if (clause.isAsync) {
    raise("Unsupported", e.getRange(),
          "asynchronous code is not supported at compile time");
    return false;
  }
  NestGuard guard(*this, e.getRange());
  if (!guard.ok)
    return false;
  Value iterable = expr(*clause.iterable, scope);
  llvm::SmallVector<Value, 16> items;
  if (!iterable || !iterate(iterable, items, clause.iterable->getRange()))
    return false;
  for (const Value &item : items) {
    if (!charge(1, e.getRange()) || !assign(*clause.target, item, scope))
      return false;
    bool keep = true;
    for (const Expr *condition : clause.conditions) {
      Value value = expr(*condition, scope);
      std::optional<bool> truth;
      if (value)
        truth = isTrue(value, condition->getRange());
      if (!truth)
        return false;
      if (!*truth) {
        keep = false;
        break;
      }
    }
    if (keep && !comprehensionClause(e, index + 1, scope, list, dict))
      return false;
  }
  return true;
}
