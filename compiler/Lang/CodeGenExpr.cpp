//===- CodeGenExpr.cpp - Expressions of kernels ---------------------------===//

#include "compiler/Lang/CodeGen.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nereid::lang {

namespace scf = mlir::scf;

/// Compile-time, so that the evaluator can take it.
static bool allKnown(llvm::ArrayRef<Value> list) {
  return !Evaluator::anyRuntime(list);
}

Value FunctionCodeGen::expression(const Expr &expr) {
  setPosition(expr);
  switch (expr.getKind()) {
  case Expr::Kind::Name:
    return nameExpression(llvm::cast<NameExpr>(expr));
  case Expr::Kind::NoneLiteral:
    return Value::none();
  case Expr::Kind::BoolLiteral:
    return Value::boolean(llvm::cast<BoolLiteral>(expr).value);
  case Expr::Kind::IntLiteral: {
    auto &literal = llvm::cast<IntLiteral>(expr);
    if (!literal.fitsInt128())
      return error(expr.getRange(), "this integer does not fit into 64 bits");
    return Value::integer(literal.getInt128());
  }
  case Expr::Kind::FloatLiteral:
    return Value::real(llvm::cast<FloatLiteral>(expr).value);
  case Expr::Kind::StringLiteral:
    return Value::internedString(llvm::cast<StringLiteral>(expr).value);
  case Expr::Kind::EllipsisLiteral:
    return Value::ellipsis();
  case Expr::Kind::JoinedString:
    return joinedString(llvm::cast<JoinedString>(expr));
  case Expr::Kind::Tuple:
    return tupleOf(llvm::cast<TupleExpr>(expr).elements, expr.getRange());
  case Expr::Kind::List:
    return tupleOf(llvm::cast<ListExpr>(expr).elements, expr.getRange());
  case Expr::Kind::Attribute: {
    auto &attribute = llvm::cast<AttributeExpr>(expr);
    Value object = expression(*attribute.value);
    if (!object)
      return object;
    setPosition(expr);
    Value result = attributeOf(object, attribute.attr, attribute.attrRange);
    // An attribute of something unknown matters only when it is used.
    return result;
  }
  case Expr::Kind::Subscript:
    return subscriptExpression(llvm::cast<SubscriptExpr>(expr));
  case Expr::Kind::Call:
    return callExpression(llvm::cast<CallExpr>(expr));
  case Expr::Kind::Binary: {
    auto &binaryExpr = llvm::cast<BinaryExpr>(expr);
    Value lhs = expression(*binaryExpr.lhs);
    Value rhs = expression(*binaryExpr.rhs);
    if (!lhs || !rhs)
      return Value();
    return binary(binaryExpr.op, lhs, rhs, expr.getRange());
  }
  case Expr::Kind::Unary:
    return unaryExpression(llvm::cast<UnaryExpr>(expr));
  case Expr::Kind::Boolean:
    return booleanExpression(llvm::cast<BooleanExpr>(expr));
  case Expr::Kind::Compare:
    return compareExpression(llvm::cast<CompareExpr>(expr));
  case Expr::Kind::Conditional:
    return conditionalExpression(llvm::cast<ConditionalExpr>(expr));
  case Expr::Kind::NamedExpr: {
    auto &named = llvm::cast<NamedExpr>(expr);
    Value value = expression(*named.value);
    setPosition(expr);
    assignTarget(*named.target, value, named.value->getRange());
    auto it = names.find(named.target->name);
    return it == names.end() ? Value() : it->second.value;
  }
  case Expr::Kind::Comprehension:
    return comprehension(llvm::cast<ComprehensionExpr>(expr));
  case Expr::Kind::Slice:
    return error(expr.getRange(), "a slice is only allowed in a subscript");
  case Expr::Kind::Starred:
    return error(expr.getRange(), "'*' is only allowed in the arguments of a "
                                  "call");
  case Expr::Kind::Lambda:
    return error(expr.getRange(), "a kernel cannot hold a lambda; write a "
                                  "@triton.jit function at module level");
  case Expr::Kind::Dict: {
    // Only as an argument of extern_elementwise.
    auto *object = values.create<DictObject>();
    for (const DictExpr::Item &item : llvm::cast<DictExpr>(expr).items) {
      if (!item.key)
        return error(expr.getRange(), "'**' in a dict is not supported in a "
                                      "kernel");
      Value key = expression(*item.key), value = expression(*item.value);
      if (!key || !value)
        return Value();
      if (!allKnown({key, value}))
        return error(expr.getRange(), "a dict in a kernel holds compile-time "
                                      "values only; use a tuple");
      object->set(key, value);
    }
    return Value::dict(object);
  }
  case Expr::Kind::Set:
    return error(expr.getRange(), "a kernel has no sets; use a tuple");
  case Expr::Kind::ImaginaryLiteral:
    return error(expr.getRange(), "a kernel has no complex numbers");
  case Expr::Kind::BytesLiteral:
    return error(expr.getRange(), "a kernel has no bytes literals");
  case Expr::Kind::Await:
  case Expr::Kind::Yield:
  case Expr::Kind::YieldFrom:
    return error(expr.getRange(), "a kernel is neither a generator nor a "
                                  "coroutine");
  }
  return Value();
}

//===----------------------------------------------------------------------===//
// Names (R19)
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::nameExpression(const NameExpr &expr) {
  auto it = names.find(expr.name);
  if (it != names.end())
    return it->second.value;
  auto gone = vanished.find(expr.name);
  if (gone != vanished.end()) {
    cg.getDiags()
        .error(expr.getRange(), "'" + expr.name + "' is not defined here: " +
                                    gone->second.reason)
        .note(gone->second.where, "it is assigned here");
    define(expr.name, Value(), expr.getRange()); // said once
    return Value();
  }
  Value value = cg.getFrontend().lookup(function, expr.name);
  if (!value) {
    llvm::SmallVector<llvm::StringRef, 16> inSight;
    for (auto &entry : names)
      inSight.push_back(entry.first);
    return error(expr.getRange(),
                 eval.undefinedName(expr.name, *function.closure, inSight));
  }
  bool isPlain = value.isNumber() || value.isString() || value.isSequence() ||
                 value.is(Value::Kind::Dict);
  if (isPlain && !value.isConstexprMarked() && !function.module->isPrelude())
    cg.warnPlainGlobal(expr.name, expr.getRange());
  return value;
}

//===----------------------------------------------------------------------===//
// Displays
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::tupleOf(llvm::ArrayRef<Expr *> elements, SourceRange) {
  llvm::SmallVector<Value, 8> list;
  bool ok = true;
  for (const Expr *element : elements) {
    if (auto *starred = llvm::dyn_cast<StarredExpr>(element)) {
      Value inner = expression(*starred->value);
      if (inner.isSequence())
        llvm::append_range(list, inner.getElements());
      else if (inner)
        error(element->getRange(),
              "only a tuple can be spread with '*', found " +
                  describeType(inner));
      ok &= inner.isSequence();
      continue;
    }
    Value value = expression(*element);
    ok &= static_cast<bool>(value);
    list.push_back(value);
  }
  return ok ? values.tuple(list) : Value();
}

Value FunctionCodeGen::comprehension(const ComprehensionExpr &expr) {
  if (expr.form != ComprehensionExpr::Form::List || expr.clauses.size() != 1)
    return error(expr.getRange(), "a kernel has list comprehensions over one "
                                  "tuple only");
  const ComprehensionFor &clause = expr.clauses.front();
  Value iterable = expression(*clause.iterable);
  if (!iterable)
    return iterable;
  if (!iterable.isSequence())
    return error(clause.iterable->getRange(),
                 "a list comprehension in a kernel runs over a tuple, found " +
                     describeType(iterable));
  Names before = names;
  llvm::SmallVector<Value, 8> list;
  bool ok = true;
  std::function<void(const Expr &, Value)> bind = [&](const Expr &target,
                                                      Value value) {
    if (auto *name = llvm::dyn_cast<NameExpr>(&target))
      return define(name->name, value, target.getRange());
    auto *tuple = llvm::dyn_cast<TupleExpr>(&target);
    if (tuple && value.isSequence() &&
        tuple->elements.size() == value.getElements().size()) {
      for (auto [part, element] :
           llvm::zip(tuple->elements, value.getElements()))
        bind(*part, element);
      return;
    }
    ok = false;
    error(target.getRange(),
          "cannot unpack " + describeType(value) + " into this target");
  };
  for (Value item : iterable.getElements()) {
    bind(*clause.target, item);
    bool take = true;
    for (const Expr *filter : clause.conditions) {
      Value keep = ok ? expression(*filter) : Value();
      if (!keep || !keep.isCompileTime()) {
        if (keep)
          error(filter->getRange(), "the filter of a list comprehension must "
                                    "be known at compile time, found " +
                                        describeType(keep));
        ok = false;
        break;
      }
      std::optional<bool> truth = eval.isTrue(keep, filter->getRange());
      if (!truth) {
        ok = eval.reportError();
        break;
      }
      take &= *truth;
    }
    if (!ok)
      break;
    if (!take)
      continue;
    Value element = expression(*expr.element);
    ok &= static_cast<bool>(element);
    list.push_back(element);
  }
  names = std::move(before);
  return ok ? values.tuple(list) : Value();
}

Value FunctionCodeGen::joinedString(const JoinedString &expr) {
  std::string text;
  for (const JoinedString::Part &part : expr.parts) {
    if (!part.expr) {
      text += part.text;
      continue;
    }
    text += part.debugText;
    Value value = expression(*part.expr);
    if (!value)
      return value;
    if (value.isUnknown()) {
      eval.reportUnknown(value, part.expr->getRange(), "a part of an f-string");
      return Value();
    }
    if (!value.isCompileTime())
      return error(part.expr->getRange(),
                   "an f-string in a kernel holds compile-time values, found " +
                       describeType(value) +
                       "; print run-time values with tl.device_print");
    std::string spec;
    if (part.format) {
      Value format = expression(*part.format);
      if (!format)
        return format;
      if (format.isString())
        spec = format.getString().str();
    }
    char conversion = part.conversion;
    if (!conversion && !part.format && !part.debugText.empty())
      conversion = 'r';
    Value formatted =
        eval.format(value, conversion, spec, part.expr->getRange());
    if (!formatted) {
      eval.reportError();
      return Value();
    }
    text += formatted.getString();
  }
  return values.string(text);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// The names of Python's operator methods; (method, reflected).
static std::pair<llvm::StringLiteral, llvm::StringLiteral>
methodsOf(BinaryOp op) {
  switch (op) {
  case BinaryOp::Add:
    return {"__add__", "__radd__"};
  case BinaryOp::Sub:
    return {"__sub__", "__rsub__"};
  case BinaryOp::Mul:
    return {"__mul__", "__rmul__"};
  case BinaryOp::MatMul:
    return {"__matmul__", "__rmatmul__"};
  case BinaryOp::Div:
    return {"__truediv__", "__rtruediv__"};
  case BinaryOp::FloorDiv:
    return {"__floordiv__", "__rfloordiv__"};
  case BinaryOp::Mod:
    return {"__mod__", "__rmod__"};
  case BinaryOp::Pow:
    return {"__pow__", "__rpow__"};
  case BinaryOp::LShift:
    return {"__lshift__", "__rlshift__"};
  case BinaryOp::RShift:
    return {"__rshift__", "__rrshift__"};
  case BinaryOp::BitOr:
    return {"__or__", "__ror__"};
  case BinaryOp::BitXor:
    return {"__xor__", "__rxor__"};
  case BinaryOp::BitAnd:
    return {"__and__", "__rand__"};
  }
  return {"", ""};
}

Value FunctionCodeGen::operatorMethod(llvm::StringRef method, Value self,
                                      Value other, SourceRange range,
                                      bool &found) {
  found = false;
  if (!self.is(Value::Kind::Instance))
    return Value();
  Value target = self.getInstance().type->find(method);
  if (!target.isFunction())
    return Value();
  found = true;
  if (!other)
    return callValue(target, {self}, {range}, {}, range);
  return callValue(target, {self, other}, {range, range}, {}, range);
}

Value FunctionCodeGen::binary(BinaryOp op, Value lhs, Value rhs,
                              SourceRange range) {
  if (!lhs || !rhs)
    return Value();
  if (lhs.isUnknown() || rhs.isUnknown()) {
    eval.reportUnknown(lhs.isUnknown() ? lhs : rhs, range,
                       ("an operand of '" + spelling(op) + "'").str());
    return Value();
  }
  auto [method, reflected] = methodsOf(op);
  bool found;
  if (Value result = operatorMethod(method, lhs, rhs, range, found); found)
    return result;
  if (Value result = operatorMethod(reflected, rhs, lhs, range, found); found)
    return result;
  if (allKnown({lhs, rhs})) {
    Value result = eval.binary(op, lhs, rhs, range);
    if (!result)
      eval.reportError();
    return result;
  }

  // Tuples with run-time elements.
  if (op == BinaryOp::Add && lhs.isSequence() && rhs.isSequence()) {
    llvm::SmallVector<Value, 8> list(lhs.getElements());
    llvm::append_range(list, rhs.getElements());
    return values.tuple(list);
  }
  if (op == BinaryOp::Mul && (lhs.isSequence() || rhs.isSequence())) {
    Value sequence = lhs.isSequence() ? lhs : rhs;
    std::optional<int64_t> count = (lhs.isSequence() ? rhs : lhs).getInt64();
    if (count && *count <= 1024) {
      llvm::SmallVector<Value, 8> list;
      for (int64_t i = 0; i < *count; ++i)
        llvm::append_range(list, sequence.getElements());
      return values.tuple(list);
    }
  }

  auto isOperand = [](Value value) {
    return value.isNumber() || value.isTensor();
  };
  if (!isOperand(lhs) || !isOperand(rhs))
    return error(range, "'" + spelling(op) +
                            "' takes numbers and tensors, found " +
                            describeType(lhs) + " and " + describeType(rhs));
  setPosition(range);
  Scalar a, b;
  if (!toScalar(lhs, a, range, "an operand") ||
      !toScalar(rhs, b, range, "an operand"))
    return Value();
  switch (op) {
  case BinaryOp::Add:
    return fromTensor(sem.arith(Arith::Add, a, b));
  case BinaryOp::Sub:
    return fromTensor(sem.arith(Arith::Sub, a, b));
  case BinaryOp::Mul:
    return fromTensor(sem.arith(Arith::Mul, a, b));
  case BinaryOp::Div:
    return fromTensor(sem.arith(Arith::Div, a, b));
  case BinaryOp::FloorDiv:
    return fromTensor(sem.arith(Arith::FloorDiv, a, b));
  case BinaryOp::Mod:
    return fromTensor(sem.arith(Arith::Mod, a, b));
  case BinaryOp::BitAnd:
    return fromTensor(sem.bitwise(Bitwise::And, a, b));
  case BinaryOp::BitOr:
    return fromTensor(sem.bitwise(Bitwise::Or, a, b));
  case BinaryOp::BitXor:
    return fromTensor(sem.bitwise(Bitwise::Xor, a, b));
  case BinaryOp::LShift:
    return fromTensor(sem.bitwise(Bitwise::Shl, a, b));
  case BinaryOp::RShift:
    return fromTensor(sem.bitwise(Bitwise::Shr, a, b));
  case BinaryOp::Pow:
    return error(range, "'**' works on compile-time values only, found " +
                            describeType(lhs) + " and " + describeType(rhs) +
                            "; multiply, or use tl.exp2 and tl.log2");
  case BinaryOp::MatMul:
    return error(range, "'@' is not defined on tensors; use tl.dot");
  }
  return Value();
}

Value FunctionCodeGen::unaryExpression(const UnaryExpr &expr) {
  Value operand = expression(*expr.operand);
  if (!operand)
    return operand;
  SourceRange range = expr.getRange();
  setPosition(expr);
  if (operand.isUnknown()) {
    eval.reportUnknown(operand, range,
                       ("the operand of '" + spelling(expr.op) + "'").str());
    return Value();
  }
  llvm::StringRef method;
  switch (expr.op) {
  case UnaryOp::Minus:
    method = "__neg__";
    break;
  case UnaryOp::Plus:
    method = "__pos__";
    break;
  case UnaryOp::Invert:
    method = "__invert__";
    break;
  case UnaryOp::Not:
    method = "__not__";
    break;
  }
  bool found;
  if (Value result = operatorMethod(method, operand, Value(), range, found);
      found)
    return result;
  if (!operand.isTensor()) {
    // `not (a, b)` only looks at the length.
    if (!allKnown(operand) &&
        !(expr.op == UnaryOp::Not && operand.isSequence()))
      return error(range, "'" + spelling(expr.op) +
                              "' takes a number or a tensor, found " +
                              describeType(operand));
    if (expr.op == UnaryOp::Not && operand.isSequence())
      return Value::boolean(operand.getElements().empty());
    Value result = eval.unary(expr.op, operand, range);
    if (!result)
      eval.reportError();
    return result;
  }
  Tensor tensor = getTensor(operand);
  switch (expr.op) {
  case UnaryOp::Minus:
    return fromTensor(sem.negate(tensor));
  case UnaryOp::Plus:
    return operand;
  case UnaryOp::Invert:
    return fromTensor(sem.invert(tensor));
  case UnaryOp::Not:
    return fromTensor(sem.logicalNot(tensor));
  }
  return Value();
}

Value FunctionCodeGen::logical(bool isAnd, Value lhs, Value rhs,
                               SourceRange range) {
  bool found;
  llvm::StringRef method = isAnd ? "logical_and" : "logical_or";
  if (Value result = operatorMethod(method, lhs, rhs, range, found); found)
    return result;
  setPosition(range);
  llvm::StringRef what = isAnd ? "an operand of 'and'" : "an operand of 'or'";
  Tensor a = toTensor(lhs, range, what), b = toTensor(rhs, range, what);
  return a && b ? fromTensor(sem.logical(isAnd, a, b)) : Value();
}

Value FunctionCodeGen::booleanExpression(const BooleanExpr &expr) {
  // Compile-time operands short-circuit and else drop out (R5).
  bool isAnd = expr.op == BoolOp::And;
  llvm::SmallVector<Value, 4> dynamic;
  Value last;
  for (const Expr *operand : expr.operands) {
    Value value = expression(*operand);
    if (!value)
      return value;
    last = value;
    if (value.isTensor() || value.is(Value::Kind::Instance)) {
      if (value.isTensor() && getTensor(value).isBlock())
        warn(operand->getRange(),
             "'" + spelling(expr.op) +
                 "' does not short-circuit on tensors; write '" +
                 (isAnd ? "&" : "|") + "' with parentheses instead");
      dynamic.push_back(value);
      continue;
    }
    if (value.isUnknown()) {
      eval.reportUnknown(value, operand->getRange(),
                         ("an operand of '" + spelling(expr.op) + "'").str());
      return Value();
    }
    std::optional<bool> truth;
    if (value.isSequence())
      truth = !value.getElements().empty();
    else if (value.is(Value::Kind::Handle))
      truth = true;
    else
      truth = eval.isTrue(value, operand->getRange());
    if (!truth) {
      eval.reportError();
      return Value();
    }
    if (*truth != isAnd)
      return value;
  }
  if (dynamic.empty())
    return last;
  while (dynamic.size() > 1) {
    Value rhs = dynamic.pop_back_val(), lhs = dynamic.pop_back_val();
    Value combined = logical(isAnd, lhs, rhs, expr.getRange());
    if (!combined)
      return combined;
    dynamic.push_back(combined);
  }
  return dynamic.front();
}

Value FunctionCodeGen::compare(CompareOp op, Value lhs, Value rhs,
                               SourceRange range) {
  if (!lhs || !rhs)
    return Value();
  // `is` looks at the objects alone (R21).
  if (op == CompareOp::Is || op == CompareOp::IsNot) {
    bool same = false;
    if (lhs.isTensor() && rhs.isTensor())
      same = lhs.getTensorValue() == rhs.getTensorValue();
    else if (lhs.isUnknown() || rhs.isUnknown()) {
      eval.reportUnknown(lhs.isUnknown() ? lhs : rhs, range,
                         ("an operand of '" + spelling(op) + "'").str());
      return Value();
    } else
      same = lhs.isSame(rhs);
    return Value::boolean(same == (op == CompareOp::Is));
  }
  static constexpr std::pair<llvm::StringLiteral, llvm::StringLiteral>
      methods[] = {{"__eq__", "__eq__"}, {"__ne__", "__ne__"},
                   {"__lt__", "__gt__"}, {"__le__", "__ge__"},
                   {"__gt__", "__lt__"}, {"__ge__", "__le__"}};
  if (op <= CompareOp::GtE) {
    bool found;
    auto &[method, reflected] = methods[static_cast<unsigned>(op)];
    if (Value result = operatorMethod(method, lhs, rhs, range, found); found)
      return result;
    if (Value result = operatorMethod(reflected, rhs, lhs, range, found); found)
      return result;
  }
  if (allKnown({lhs, rhs})) {
    if (lhs.isUnknown() || rhs.isUnknown()) {
      eval.reportUnknown(lhs.isUnknown() ? lhs : rhs, range,
                         ("an operand of '" + spelling(op) + "'").str());
      return Value();
    }
    Value result = eval.compare(op, lhs, rhs, range);
    if (!result)
      eval.reportError();
    return result;
  }
  if (op == CompareOp::In || op == CompareOp::NotIn)
    return error(range, "'" + spelling(op) +
                            "' works on compile-time values only, found " +
                            describeType(lhs) + " and " + describeType(rhs));
  auto isOperand = [](Value value) {
    return value.isNumber() || value.isTensor();
  };
  if (!isOperand(lhs) || !isOperand(rhs)) {
    bool withNone = lhs.isNone() || rhs.isNone();
    return error(range,
                 "'" + spelling(op) + "' compares numbers and tensors, found " +
                     describeType(lhs) + " and " + describeType(rhs) +
                     (withNone ? "; use 'is None' or 'is not None'" : ""));
  }
  setPosition(range);
  Scalar a, b;
  if (!toScalar(lhs, a, range, "an operand") ||
      !toScalar(rhs, b, range, "an operand"))
    return Value();
  static constexpr Comparison kinds[] = {Comparison::Eq, Comparison::Ne,
                                         Comparison::Lt, Comparison::Le,
                                         Comparison::Gt, Comparison::Ge};
  return fromTensor(sem.compare(kinds[static_cast<unsigned>(op)], a, b));
}

Value FunctionCodeGen::compareExpression(const CompareExpr &expr) {
  llvm::SmallVector<Value, 3> operands;
  for (const Expr *operand : expr.operands) {
    operands.push_back(expression(*operand));
    if (!operands.back())
      return Value();
  }
  if (expr.ops.size() == 1)
    return compare(expr.ops.front(), operands[0], operands[1], expr.getRange());
  if (!allKnown(operands))
    return error(expr.getRange(),
                 "comparisons of run-time values cannot be chained; write "
                 "(a < b) & (b < c)");
  Value result = Value::boolean(true);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    result =
        compare(expr.ops[i], operands[i], operands[i + 1], expr.getRange());
    if (!result)
      return result;
    std::optional<bool> truth = eval.isTrue(result, expr.getRange());
    if (!truth) {
      eval.reportError();
      return Value();
    }
    if (!*truth)
      break;
  }
  return result;
}

Value FunctionCodeGen::conditionalExpression(const ConditionalExpr &expr) {
  Tensor dynamic;
  switch (condition(*expr.condition, dynamic,
                    "the condition of a conditional expression")) {
  case Truth::True:
    return expression(*expr.thenValue);
  case Truth::False:
    return expression(*expr.elseValue);
  case Truth::Error:
    return Value();
  case Truth::Dynamic:
    break;
  }
  mlir::Location loc = cg.location(expr.condition->getLoc());
  mlir::OpBuilder::InsertPoint point = builder.saveInsertionPoint();
  mlir::Region thenRegion, elseRegion;
  auto side = [&](mlir::Region &region, const Expr &value) -> Tensor {
    builder.createBlock(&region);
    Value result = expression(value);
    if (!result)
      return Tensor();
    setPosition(value);
    Tensor tensor = toTensor(result, value.getRange(),
                             "a side of a conditional expression with a "
                             "run-time condition");
    if (tensor && !tensor.isVoid())
      scf::YieldOp::create(builder, loc, tensor.handle);
    else
      scf::YieldOp::create(builder, loc);
    return tensor;
  };
  Tensor thenTensor = side(thenRegion, *expr.thenValue);
  Tensor elseTensor = side(elseRegion, *expr.elseValue);
  builder.restoreInsertionPoint(point);
  if (!thenTensor || !elseTensor)
    return Value();
  if (thenTensor.type != elseTensor.type)
    return error(expr.getRange(),
                 "both sides of a conditional expression with a run-time "
                 "condition must have one type, found " +
                     thenTensor.str() + " and " + elseTensor.str() +
                     "; cast one side");
  llvm::SmallVector<mlir::Type, 1> types;
  if (!thenTensor.isVoid())
    types.push_back(thenTensor.handle.getType());
  auto op = scf::IfOp::create(builder, loc, types, dynamic.handle,
                              /*addThenBlock=*/false, /*addElseBlock=*/false);
  op.getThenRegion().takeBody(thenRegion);
  op.getElseRegion().takeBody(elseRegion);
  if (types.empty())
    return fromTensor(sem.nothing());
  return fromTensor({op.getResult(0), thenTensor.type});
}

//===----------------------------------------------------------------------===//
// Subscripts (R20)
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::tensorSubscript(Tensor tensor, const Expr &index,
                                       SourceRange range) {
  llvm::ArrayRef<Expr *> items;
  const Expr *single = &index;
  Expr *one = const_cast<Expr *>(single);
  if (auto *tuple = llvm::dyn_cast<TupleExpr>(&index))
    items = tuple->elements;
  else
    items = one;
  // Of a scalar, ':' says nothing, as in Triton: s[:, None] is one element.
  const bool scalar = !tensor.isBlock();
  int64_t axis = 0;
  for (const Expr *item : items) {
    bool isNew = llvm::isa<NoneLiteral>(item);
    if (!isNew && !llvm::isa<SliceExpr>(item)) {
      Value value = expression(*item);
      if (!value)
        return value;
      isNew = value.isNone();
      if (!isNew)
        return error(item->getRange(),
                     "a tensor is indexed with ':' and None only, found " +
                         describeType(value) +
                         "; use tl.gather, or tl.split, or a load through "
                         "other pointers");
    }
    if (auto *slice = llvm::dyn_cast<SliceExpr>(item))
      if (slice->lower || slice->upper || slice->step)
        return error(item->getRange(),
                     "a tensor cannot be cut: only a plain ':' is allowed");
    setPosition(range);
    if (scalar && !isNew)
      continue;
    if (isNew) {
      tensor = sem.expandDims(tensor, axis);
      if (!tensor)
        return Value();
    } else if (axis >= tensor.rank()) {
      return error(item->getRange(), "too many indices for a tensor of rank " +
                                         llvm::Twine(tensor.rank()));
    }
    ++axis;
  }
  return fromTensor(tensor);
}

Value FunctionCodeGen::subscriptExpression(const SubscriptExpr &expr) {
  Value object = expression(*expr.value);
  if (!object)
    return object;
  SourceRange range = expr.getRange();
  if (object.isTensor())
    return tensorSubscript(getTensor(object), *expr.index, range);

  // Tuples may hold run-time values, so they are cut here.
  if (auto *slice = llvm::dyn_cast<SliceExpr>(expr.index);
      slice && object.isSequence()) {
    auto *sliceObject = values.create<SliceObject>();
    auto part = [&](const Expr *source, Value &out) {
      out = Value::none();
      if (!source)
        return true;
      out = expression(*source);
      if (out && !out.isIntegral() && !out.isNone())
        error(source->getRange(),
              "the bounds of a slice are compile-time integers, found " +
                  describeType(out));
      return out.isIntegral() || out.isNone();
    };
    if (!part(slice->lower, sliceObject->lower) ||
        !part(slice->upper, sliceObject->upper) ||
        !part(slice->step, sliceObject->step))
      return Value();
    int64_t size = object.getElements().size();
    int64_t step = sliceObject->step.getInt64().value_or(1);
    if (step == 0)
      return error(range, "the step of a slice is not 0");
    auto clampIndex = [&](Value value, int64_t missing) {
      std::optional<int64_t> index = value.getInt64();
      if (!index)
        return missing;
      int64_t i = *index < 0 ? *index + size : *index;
      int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
      return std::clamp(i, low, high);
    };
    int64_t begin = clampIndex(sliceObject->lower, step > 0 ? 0 : size - 1);
    int64_t end = clampIndex(sliceObject->upper, step > 0 ? size : -1);
    llvm::SmallVector<Value, 8> list;
    for (int64_t i = begin; step > 0 ? i < end : i > end; i += step)
      list.push_back(object.getElements()[i]);
    return values.tuple(list);
  }
  Value index = expression(*expr.index);
  if (!index)
    return index;
  if (object.isSequence()) {
    std::optional<int64_t> position = index.getInt64();
    int64_t size = object.getElements().size();
    if (!position)
      return error(expr.index->getRange(),
                   "a tuple is indexed with a compile-time integer, found " +
                       describeType(index));
    if (*position < -size || *position >= size)
      return error(expr.index->getRange(),
                   "index " + llvm::Twine(*position) +
                       " is out of range for a tuple of " + llvm::Twine(size) +
                       (size == 1 ? " element" : " elements"));
    return object.getElements()[*position < 0 ? *position + size : *position];
  }
  if (object.is(Value::Kind::Instance)) {
    bool found;
    Value result = operatorMethod("__getitem__", object, index, range, found);
    if (found)
      return result;
  }
  if (!allKnown({object, index}))
    return error(range, describeType(object) + " cannot be indexed");
  Value result = eval.subscript(object, index, range);
  if (!result)
    eval.reportError();
  return result;
}

} // namespace nereid::lang
