//===- CodeGenStmt.cpp - Straight-line statements of kernels --------------===//

#include "compiler/Lang/CodeGen.h"

namespace nereid::lang {

Flow FunctionCodeGen::block(Block body) {
  for (const Stmt *stmt : body) {
    if (cg.getDiags().isSaturated())
      return Flow::Next;
    if (statement(*stmt) == Flow::Returned)
      return Flow::Returned;
  }
  return Flow::Next;
}

Flow FunctionCodeGen::statement(const Stmt &stmt) {
  setPosition(stmt.getRange());
  auto refuse = [&](const llvm::Twine &message) {
    // Point at the keyword, not at the whole body.
    error(SourceRange(stmt.getLoc()), message);
    return Flow::Next;
  };
  switch (stmt.getKind()) {
  case Stmt::Kind::Assign: {
    auto &assignment = llvm::cast<AssignStmt>(stmt);
    if (assignment.targets.size() != 1)
      return refuse("a kernel assigns to one target at a time; write one "
                    "assignment for each name");
    const Expr &target = *assignment.targets.front();
    auto *name = llvm::dyn_cast<NameExpr>(&target);
    if (name)
      nameHint = name->name;
    Value value = expression(*assignment.value);
    setPosition(stmt.getRange());
    assignTarget(target, value, assignment.value->getRange());
    nameHint = {};
    return Flow::Next;
  }
  case Stmt::Kind::AugAssign:
    augmentedAssign(llvm::cast<AugAssignStmt>(stmt));
    return Flow::Next;
  case Stmt::Kind::AnnAssign:
    annotatedAssign(llvm::cast<AnnAssignStmt>(stmt));
    return Flow::Next;
  case Stmt::Kind::Expr:
    expressionStatement(llvm::cast<ExprStmt>(stmt));
    // What follows an assertion that does not hold was not written for these
    // values: its mistakes would be consequences.
    return assertionFailed ? Flow::Returned : Flow::Next;
  case Stmt::Kind::Return:
    return returnStatement(llvm::cast<ReturnStmt>(stmt));
  case Stmt::Kind::If:
    return ifStatement(llvm::cast<IfStmt>(stmt), 0);
  case Stmt::Kind::For:
    return forStatement(llvm::cast<ForStmt>(stmt));
  case Stmt::Kind::While:
    return whileStatement(llvm::cast<WhileStmt>(stmt));
  case Stmt::Kind::Assert:
    assertStatement(llvm::cast<AssertStmt>(stmt));
    return Flow::Next;
  case Stmt::Kind::Raise:
    raiseStatement(llvm::cast<RaiseStmt>(stmt));
    return Flow::Returned;
  case Stmt::Kind::Pass:
    return Flow::Next;
  case Stmt::Kind::Break:
    return refuse("a kernel has no 'break'; put the condition into the range, "
                  "mask the work, or use a 'while' loop");
  case Stmt::Kind::Continue:
    return refuse("a kernel has no 'continue'; put the rest of the body under "
                  "an 'if'");
  case Stmt::Kind::FunctionDef:
    return refuse("a kernel cannot define a function; move '" +
                  llvm::cast<FunctionDef>(stmt).name +
                  "' to module level and decorate it with @triton.jit");
  case Stmt::Kind::ClassDef:
    return refuse("a kernel cannot define a class; move it to module level");
  case Stmt::Kind::Import:
  case Stmt::Kind::ImportFrom:
    return refuse("a kernel cannot import; move the import to module level");
  case Stmt::Kind::Delete:
    return refuse("a kernel has no 'del'");
  case Stmt::Kind::With:
    return refuse("'with' is not supported in a kernel");
  case Stmt::Kind::Match:
    return refuse("'match' is not supported in a kernel; use 'if' and 'elif'");
  case Stmt::Kind::Try:
    return refuse("'try' is not supported in a kernel; there are no run-time "
                  "exceptions");
  case Stmt::Kind::Global:
  case Stmt::Kind::Nonlocal:
    return refuse("a kernel cannot assign to outer names");
  case Stmt::Kind::TypeAlias:
    return refuse("'type' is not supported in a kernel");
  case Stmt::Kind::Error: {
    const SyntaxError *syntax = llvm::cast<ErrorStmt>(stmt).error;
    error(syntax->range, syntax->message);
    return Flow::Next;
  }
  }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Assignment (R15)
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::toVariable(Value value, SourceRange range) {
  switch (value.getKind()) {
  case Value::Kind::Bool:
  case Value::Kind::Int:
  case Value::Kind::Float:
    return fromTensor(toTensor(value, range, "an assigned value"));
  case Value::Kind::Tuple:
  case Value::Kind::List: {
    auto *object = values.create<TupleObject>();
    if (value.isTuple())
      object->type = value.getTuple().type;
    for (Value element : value.getElements()) {
      Value converted = toVariable(element, range);
      if (!converted)
        return Value();
      object->elements.push_back(converted);
    }
    return Value::of(object);
  }
  case Value::Kind::Invalid:
  case Value::Kind::None:
  case Value::Kind::DType:
  case Value::Kind::Tensor:
  case Value::Kind::Handle:
  case Value::Kind::Instance:
    return value;
  case Value::Kind::Unknown:
    eval.reportUnknown(value, range, "the assigned value");
    return Value();
  default:
    return error(range, describeType(value) +
                            " has no run-time form, so a plain variable "
                            "cannot hold it; annotate the variable with "
                            "': tl.constexpr'");
  }
}

void FunctionCodeGen::assignTarget(const Expr &target, Value value,
                                   SourceRange valueRange) {
  switch (target.getKind()) {
  case Expr::Kind::Name: {
    auto &name = llvm::cast<NameExpr>(target);
    bool isConstexpr = pendingConstexpr.erase(name.name);
    if (value && !isConstexpr)
      value = toVariable(value, valueRange);
    else if (value && !value.isCompileTime() && value.isUnknown())
      value = toVariable(value, valueRange);
    define(name.name, value, target.getRange());
    return;
  }
  case Expr::Kind::Tuple:
  case Expr::Kind::List: {
    llvm::ArrayRef<Expr *> targets =
        llvm::isa<TupleExpr>(target) ? llvm::cast<TupleExpr>(target).elements
                                     : llvm::cast<ListExpr>(target).elements;
    auto giveUp = [&] {
      for (Expr *element : targets)
        if (!llvm::isa<StarredExpr>(element))
          assignTarget(*element, Value(), valueRange);
    };
    if (!value)
      return giveUp();
    for (Expr *element : targets)
      if (llvm::isa<StarredExpr>(element)) {
        error(element->getRange(),
              "a starred target is not supported in a kernel");
        return giveUp();
      }
    if (!value.isSequence()) {
      error(valueRange,
            "only a tuple can be unpacked, found " + describeType(value));
      return giveUp();
    }
    llvm::ArrayRef<Value> elements = value.getElements();
    if (elements.size() != targets.size()) {
      error(valueRange, "cannot unpack " + llvm::Twine(elements.size()) +
                            (elements.size() == 1 ? " value" : " values") +
                            " into " + llvm::Twine(targets.size()) +
                            (targets.size() == 1 ? " target" : " targets"));
      return giveUp();
    }
    // Sanitised as a whole first: (a, b) = (b, a) must swap.
    for (auto [element, part] : llvm::zip(targets, elements))
      assignTarget(*element, part, valueRange);
    return;
  }
  case Expr::Kind::Attribute:
    error(target.getRange(), "a kernel cannot assign to an attribute; values "
                             "are immutable, so make a new one");
    return;
  case Expr::Kind::Subscript:
    error(target.getRange(),
          "a kernel cannot assign to elements; tensors are immutable: use "
          "tl.where to change some elements, or tl.store to write memory");
    return;
  case Expr::Kind::Starred:
    error(target.getRange(), "a starred target is not supported in a kernel");
    return;
  default:
    error(target.getRange(), "cannot assign to this expression");
    return;
  }
}

void FunctionCodeGen::augmentedAssign(const AugAssignStmt &stmt) {
  auto *name = llvm::dyn_cast<NameExpr>(stmt.target);
  if (!name)
    return assignTarget(*stmt.target, Value(), stmt.value->getRange());
  nameHint = name->name;
  Value lhs = expression(*stmt.target);
  Value rhs = expression(*stmt.value);
  Value result;
  if (lhs && rhs)
    result = binary(stmt.op, lhs, rhs, stmt.getRange());
  setPosition(stmt.getRange());
  assignTarget(*stmt.target, result, stmt.getRange());
  nameHint = {};
}

void FunctionCodeGen::annotatedAssign(const AnnAssignStmt &stmt) {
  auto *name = llvm::dyn_cast<NameExpr>(stmt.target);
  if (!name)
    return assignTarget(*stmt.target, Value(), stmt.getRange());
  // `x: "tl.constexpr"` is accepted too.
  bool isConstexpr = false;
  if (auto *text = llvm::dyn_cast<StringLiteral>(stmt.annotation)) {
    isConstexpr = text->value.ends_with("constexpr");
  } else {
    Value annotation = expression(*stmt.annotation);
    isConstexpr = annotation.isBuiltin() &&
                  annotation.getBuiltin().id == BuiltinId::tl_constexpr;
  }
  if (!stmt.value) {
    if (isConstexpr)
      pendingConstexpr.insert(name->name);
    return;
  }
  if (isConstexpr) {
    auto existing = names.find(name->name);
    if (existing != names.end()) {
      cg.getDiags()
          .error(name->getRange(),
                 "'" + name->name +
                     "' is already defined, and a tl.constexpr cannot be "
                     "reassigned")
          .note(existing->second.where, "it is defined here");
      return;
    }
  }
  nameHint = name->name;
  Value value = expression(*stmt.value);
  setPosition(stmt.getRange());
  if (isConstexpr)
    pendingConstexpr.insert(name->name);
  if (value.isUnknown() && isConstexpr) {
    eval.reportUnknown(value, stmt.value->getRange(),
                       "the value of '" + name->name.str() + "'");
    value = Value();
  }
  assignTarget(*name, value, stmt.value->getRange());
  nameHint = {};
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

void FunctionCodeGen::expressionStatement(const ExprStmt &stmt) {
  // A docstring, or a comment written as a string.
  if (llvm::isa<StringLiteral, EllipsisLiteral>(stmt.value))
    return;
  resultUnused = llvm::isa<CallExpr>(stmt.value);
  Value value = expression(*stmt.value);
  resultUnused = false;
  if (value.isUnknown())
    eval.reportUnknown(value, stmt.value->getRange(), "this expression");
}

void FunctionCodeGen::assertStatement(const AssertStmt &stmt) {
  Value test = expression(*stmt.test);
  std::string message;
  if (stmt.message) {
    Value text = expression(*stmt.message);
    if (!text)
      return;
    if (!text.isString()) {
      error(stmt.message->getRange(),
            "the message of an 'assert' is a string, found " +
                describeType(text));
      return;
    }
    message = text.getString().str();
  }
  if (!test)
    return;
  setPosition(stmt.getRange());
  Tensor condition =
      toTensor(test, stmt.test->getRange(), "the condition of an 'assert'");
  if (!condition)
    return;
  if (cg.getOptions().debug) {
    condition = sem.cast(condition, ScalarId::Int1);
    if (condition)
      tt::AssertOp::create(builder, sem.getLoc(), condition.handle, message);
  }
}

void FunctionCodeGen::raiseStatement(const RaiseStmt &stmt) {
  llvm::StringRef text =
      stmt.exception
          ? cg.getFrontend().getSources().getText(stmt.exception->getRange())
          : llvm::StringRef();
  error(SourceRange(stmt.getLoc()),
        "this 'raise' is reached: the conditions before it hold for these "
        "compile-time values" +
            (text.empty() ? llvm::Twine() : llvm::Twine(": ") + text));
}

Flow FunctionCodeGen::returnStatement(const ReturnStmt &stmt) {
  Value value = Value::none();
  if (stmt.value)
    value = expression(*stmt.value);
  if (loopDepth != 0) {
    error(SourceRange(stmt.getLoc()),
          "'return' is not allowed inside a 'for' or 'while' loop; leave the "
          "loop with its condition and return after it");
    return Flow::Returned;
  }
  setPosition(stmt.getRange());
  returns.push_back({value, builder.getInsertionBlock(), sem.getLoc(),
                     stmt.value ? stmt.value->getRange() : stmt.getRange()});
  return Flow::Returned;
}

} // namespace nereid::lang
