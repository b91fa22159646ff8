//===- CodeGenControl.cpp - Branches and loops of kernels (R14, R16) ------===//

#include "compiler/Lang/CodeGen.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nereid::lang {

namespace scf = mlir::scf;

//===----------------------------------------------------------------------===//
// What a body assigns
//===----------------------------------------------------------------------===//

namespace {
/// Collects the names that statements may bind, nested ones included.
struct AssignedNames {
  llvm::SmallSetVector<llvm::StringRef, 16> names;

  void target(const Expr *expr) {
    if (auto *name = llvm::dyn_cast<NameExpr>(expr))
      names.insert(name->name);
    else if (auto *tuple = llvm::dyn_cast<TupleExpr>(expr))
      for (const Expr *element : tuple->elements)
        target(element);
    else if (auto *list = llvm::dyn_cast<ListExpr>(expr))
      for (const Expr *element : list->elements)
        target(element);
  }

  /// Only `:=` binds inside an expression.
  void expression(const Expr *expr) {
    if (!expr)
      return;
    switch (expr->getKind()) {
    case Expr::Kind::NamedExpr:
      names.insert(llvm::cast<NamedExpr>(expr)->target->name);
      return expression(llvm::cast<NamedExpr>(expr)->value);
    case Expr::Kind::Binary:
      expression(llvm::cast<BinaryExpr>(expr)->lhs);
      return expression(llvm::cast<BinaryExpr>(expr)->rhs);
    case Expr::Kind::Unary:
      return expression(llvm::cast<UnaryExpr>(expr)->operand);
    case Expr::Kind::Boolean:
      return expressions(llvm::cast<BooleanExpr>(expr)->operands);
    case Expr::Kind::Compare:
      return expressions(llvm::cast<CompareExpr>(expr)->operands);
    case Expr::Kind::Tuple:
      return expressions(llvm::cast<TupleExpr>(expr)->elements);
    case Expr::Kind::List:
      return expressions(llvm::cast<ListExpr>(expr)->elements);
    case Expr::Kind::Attribute:
      return expression(llvm::cast<AttributeExpr>(expr)->value);
    case Expr::Kind::Subscript:
      expression(llvm::cast<SubscriptExpr>(expr)->value);
      return expression(llvm::cast<SubscriptExpr>(expr)->index);
    case Expr::Kind::Conditional:
      expression(llvm::cast<ConditionalExpr>(expr)->condition);
      expression(llvm::cast<ConditionalExpr>(expr)->thenValue);
      return expression(llvm::cast<ConditionalExpr>(expr)->elseValue);
    case Expr::Kind::Starred:
      return expression(llvm::cast<StarredExpr>(expr)->value);
    case Expr::Kind::Call: {
      auto *call = llvm::cast<CallExpr>(expr);
      expression(call->callee);
      expressions(call->args);
      for (const KeywordArg &keyword : call->keywords)
        expression(keyword.value);
      return;
    }
    default:
      return;
    }
  }
  void expressions(llvm::ArrayRef<Expr *> list) {
    for (const Expr *expr : list)
      expression(expr);
  }

  void block(Block body) {
    for (const Stmt *stmt : body)
      statement(*stmt);
  }

  void statement(const Stmt &stmt) {
    switch (stmt.getKind()) {
    case Stmt::Kind::Assign:
      for (const Expr *expr : llvm::cast<AssignStmt>(stmt).targets)
        target(expr);
      return expression(llvm::cast<AssignStmt>(stmt).value);
    case Stmt::Kind::AugAssign:
      target(llvm::cast<AugAssignStmt>(stmt).target);
      return expression(llvm::cast<AugAssignStmt>(stmt).value);
    case Stmt::Kind::AnnAssign:
      target(llvm::cast<AnnAssignStmt>(stmt).target);
      return expression(llvm::cast<AnnAssignStmt>(stmt).value);
    case Stmt::Kind::For:
      target(llvm::cast<ForStmt>(stmt).target);
      expression(llvm::cast<ForStmt>(stmt).iterable);
      return block(llvm::cast<ForStmt>(stmt).body);
    case Stmt::Kind::While:
      expression(llvm::cast<WhileStmt>(stmt).condition);
      return block(llvm::cast<WhileStmt>(stmt).body);
    case Stmt::Kind::If:
      for (const IfStmt::Clause &clause : llvm::cast<IfStmt>(stmt).clauses) {
        expression(clause.condition);
        block(clause.body);
      }
      return block(llvm::cast<IfStmt>(stmt).orelse);
    case Stmt::Kind::Expr:
      return expression(llvm::cast<ExprStmt>(stmt).value);
    case Stmt::Kind::Return:
      return expression(llvm::cast<ReturnStmt>(stmt).value);
    case Stmt::Kind::Assert:
      return expression(llvm::cast<AssertStmt>(stmt).test);
    default:
      return;
    }
  }
};

/// The first `return` in a body, nested branches and loops included.
const Stmt *findReturn(Block body) {
  for (const Stmt *stmt : body) {
    const Stmt *found = nullptr;
    if (llvm::isa<ReturnStmt>(stmt))
      return stmt;
    if (auto *nested = llvm::dyn_cast<IfStmt>(stmt)) {
      for (const IfStmt::Clause &clause : nested->clauses)
        if (!found)
          found = findReturn(clause.body);
      if (!found)
        found = findReturn(nested->orelse);
    } else if (auto *loop = llvm::dyn_cast<ForStmt>(stmt)) {
      found = findReturn(loop->body);
    } else if (auto *loop = llvm::dyn_cast<WhileStmt>(stmt)) {
      found = findReturn(loop->body);
    }
    if (found)
      return found;
  }
  return nullptr;
}

bool sameValues(Value a, Value b) {
  llvm::SmallVector<mlir::Value, 8> x, y;
  flatten(a, x);
  flatten(b, y);
  return x == y && typeKey(a) == typeKey(b);
}
} // namespace

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

FunctionCodeGen::Truth FunctionCodeGen::condition(const Expr &expr,
                                                  Tensor &dynamic,
                                                  llvm::StringRef what) {
  Value value = expression(expr);
  setPosition(expr);
  switch (value.getKind()) {
  case Value::Kind::Invalid:
    return Truth::Error;
  case Value::Kind::None:
    return Truth::False;
  case Value::Kind::Bool:
  case Value::Kind::Int:
    return value.getInt() != 0 ? Truth::True : Truth::False;
  case Value::Kind::Tensor:
    break;
  case Value::Kind::Unknown:
    eval.reportUnknown(value, expr.getRange(), what);
    return Truth::Error;
  default:
    error(expr.getRange(),
          what + " is a bool, an int, None or a scalar tensor, found " +
              describeType(value) + "; compare it with something");
    return Truth::Error;
  }
  dynamic = getTensor(value);
  if (dynamic.isVoid()) {
    error(expr.getRange(), what + " is a call that gives no value");
    return Truth::Error;
  }
  if (dynamic.isBlock()) {
    if (dynamic.type->getNumElements() != 1) {
      error(expr.getRange(),
            what + " is a scalar, found " + dynamic.str() +
                "; reduce it with tl.max or use tl.where for a choice per "
                "element");
      return Truth::Error;
    }
    warn(expr.getRange(), what + " is a scalar, found the one-element tensor " +
                              dynamic.str() + "; write .item()");
    dynamic = sem.unsplat(dynamic);
  }
  dynamic = sem.cast(dynamic, ScalarId::Int1);
  return dynamic ? Truth::Dynamic : Truth::Error;
}

//===----------------------------------------------------------------------===//
// if
//===----------------------------------------------------------------------===//

Flow FunctionCodeGen::elseOf(const IfStmt &stmt, size_t clause) {
  if (clause + 1 < stmt.clauses.size())
    return ifStatement(stmt, clause + 1);
  return block(stmt.orelse);
}

Flow FunctionCodeGen::ifStatement(const IfStmt &stmt, size_t clause) {
  Tensor dynamic;
  const IfStmt::Clause &current = stmt.clauses[clause];
  switch (condition(*current.condition, dynamic, "the condition of an 'if'")) {
  case Truth::True:
    return block(current.body);
  case Truth::False:
    return elseOf(stmt, clause);
  case Truth::Error: {
    // Bind what it would have assigned, so that later uses stay quiet.
    AssignedNames assigned;
    assigned.statement(stmt);
    for (llvm::StringRef name : assigned.names)
      define(name, Value(), stmt.getRange());
    return Flow::Next;
  }
  case Truth::Dynamic:
    break;
  }
  const Stmt *returned = nullptr;
  for (const IfStmt::Clause &other : stmt.clauses.drop_front(clause))
    if (!returned)
      returned = findReturn(other.body);
  if (!returned)
    returned = findReturn(stmt.orelse);
  if (!returned)
    return dynamicIf(stmt, clause, dynamic);
  if (loopDepth != 0) {
    error(SourceRange(returned->getLoc()),
          "'return' is not allowed inside a 'for' or 'while' loop; leave the "
          "loop with its condition and return after it");
    return Flow::Next;
  }
  return branchingIf(stmt, clause, dynamic);
}

void FunctionCodeGen::mergeBranches(const Names &before, const Names &thenNames,
                                    const Names &elseNames, SourceRange ifRange,
                                    llvm::SmallVectorImpl<Merge> &merges,
                                    Names &after) {
  auto consider = [&](llvm::StringRef name) {
    auto thenIt = thenNames.find(name), elseIt = elseNames.find(name);
    bool inThen = thenIt != thenNames.end(), inElse = elseIt != elseNames.end();
    if (!inThen || !inElse) {
      const Binding &binding = inThen ? thenIt->second : elseIt->second;
      if (inThen || inElse)
        vanished[name] = {binding.where,
                          "only one branch of an 'if' assigns it"};
      return;
    }
    Value thenValue = thenIt->second.value, elseValue = elseIt->second.value;
    SourceRange where = thenIt->second.where;
    if (auto it = before.find(name);
        it != before.end() && it->second.where == where)
      where = elseIt->second.where;
    if (!thenValue || !elseValue) {
      after[name] = {Value(), where};
      return;
    }
    if (sameValues(thenValue, elseValue)) {
      after[name] = {thenValue, where};
      return;
    }
    if (typeKey(thenValue) == typeKey(elseValue)) {
      merges.push_back({name, thenValue, elseValue, where});
      after[name] = {thenValue, where}; // its place; the value follows
      return;
    }
    if (countValues(thenValue) && countValues(elseValue)) {
      cg.getDiags()
          .error(where, "'" + name +
                            "' must have one type after the 'if', "
                            "found " +
                            describeType(thenValue) +
                            " from the first branch and " +
                            describeType(elseValue) + " from the other")
          .note(SourceRange(ifRange.begin),
                "the condition of this 'if' is known only at run time");
      after[name] = {Value(), where};
      return;
    }
    vanished[name] = {where, "the branches of an 'if' give it " +
                                 describeType(thenValue) + " and " +
                                 describeType(elseValue)};
  };
  for (auto &entry : before)
    consider(entry.first);
  llvm::SmallVector<llvm::StringRef, 8> fresh;
  for (auto *side : {&thenNames, &elseNames})
    for (auto &entry : *side)
      if (before.find(entry.first) == before.end() &&
          !llvm::is_contained(fresh, entry.first))
        fresh.push_back(entry.first);
  llvm::sort(fresh);
  for (llvm::StringRef name : fresh)
    consider(name);
}

Flow FunctionCodeGen::dynamicIf(const IfStmt &stmt, size_t clause,
                                Tensor condition) {
  SourceRange range = stmt.clauses[clause].range;
  mlir::Location loc = cg.location(stmt.clauses[clause].condition->getLoc());
  Names before = names;
  mlir::OpBuilder::InsertPoint point = builder.saveInsertionPoint();

  auto pendingBefore = pendingConstexpr;
  mlir::Region thenRegion, elseRegion;
  builder.createBlock(&thenRegion);
  block(stmt.clauses[clause].body);
  mlir::OpBuilder::InsertPoint thenEnd = builder.saveInsertionPoint();
  Names thenNames = std::exchange(names, before);
  pendingConstexpr = pendingBefore;
  builder.createBlock(&elseRegion);
  elseOf(stmt, clause);
  mlir::OpBuilder::InsertPoint elseEnd = builder.saveInsertionPoint();
  Names elseNames = std::exchange(names, Names());
  pendingConstexpr = pendingBefore;

  llvm::SmallVector<Merge, 8> merges;
  Names after;
  mergeBranches(before, thenNames, elseNames, range, merges, after);
  llvm::SmallVector<mlir::Value, 8> thenHandles, elseHandles;
  for (const Merge &merge : merges) {
    flatten(merge.thenValue, thenHandles);
    flatten(merge.elseValue, elseHandles);
  }
  builder.restoreInsertionPoint(thenEnd);
  scf::YieldOp::create(builder, loc, thenHandles);
  builder.restoreInsertionPoint(elseEnd);
  scf::YieldOp::create(builder, loc, elseHandles);

  builder.restoreInsertionPoint(point);
  auto op = scf::IfOp::create(builder, loc, mlir::TypeRange(thenHandles),
                              condition.handle, /*addThenBlock=*/false,
                              /*addElseBlock=*/false);
  op.getThenRegion().takeBody(thenRegion);
  bool elseIsEmpty = elseRegion.front().getOperations().size() == 1;
  if (!merges.empty() || !elseIsEmpty)
    op.getElseRegion().takeBody(elseRegion);

  names = std::move(after);
  llvm::SmallVector<mlir::Value, 8> results(op.getResults());
  llvm::ArrayRef<mlir::Value> rest(results);
  for (const Merge &merge : merges)
    names[merge.name].value = rebuild(values, merge.thenValue, rest);
  return Flow::Next;
}

Flow FunctionCodeGen::branchingIf(const IfStmt &stmt, size_t clause,
                                  Tensor condition) {
  SourceRange range = stmt.clauses[clause].range;
  mlir::Location loc = cg.location(stmt.clauses[clause].condition->getLoc());
  mlir::Region &body = func.getBody();
  Names before = names;
  auto pendingBefore = pendingConstexpr;
  mlir::Block *start = builder.getInsertionBlock();

  mlir::Block *thenBlock = builder.createBlock(&body, body.end());
  Flow thenFlow = block(stmt.clauses[clause].body);
  mlir::Block *thenEnd = builder.getInsertionBlock();
  Names thenNames = std::exchange(names, before);
  pendingConstexpr = pendingBefore;

  mlir::Block *elseBlock = builder.createBlock(&body, body.end());
  Flow elseFlow = elseOf(stmt, clause);
  mlir::Block *elseEnd = builder.getInsertionBlock();
  Names elseNames = std::exchange(names, Names());
  pendingConstexpr = pendingBefore;

  builder.setInsertionPointToEnd(start);
  mlir::cf::CondBranchOp::create(builder, loc, condition.handle, thenBlock,
                                 elseBlock);
  if (thenFlow == Flow::Returned && elseFlow == Flow::Returned)
    return Flow::Returned;

  mlir::Block *endBlock = builder.createBlock(&body, body.end());
  llvm::SmallVector<Merge, 8> merges;
  if (thenFlow == Flow::Returned || elseFlow == Flow::Returned) {
    // One branch alone arrives here, so its names hold.
    bool isThen = elseFlow == Flow::Returned;
    names = isThen ? std::move(thenNames) : std::move(elseNames);
    builder.setInsertionPointToEnd(isThen ? thenEnd : elseEnd);
    mlir::cf::BranchOp::create(builder, loc, endBlock);
    builder.setInsertionPointToStart(endBlock);
    return Flow::Next;
  }
  Names after;
  mergeBranches(before, thenNames, elseNames, range, merges, after);
  llvm::SmallVector<mlir::Value, 8> thenHandles, elseHandles;
  for (const Merge &merge : merges) {
    flatten(merge.thenValue, thenHandles);
    flatten(merge.elseValue, elseHandles);
  }
  builder.setInsertionPointToEnd(thenEnd);
  mlir::cf::BranchOp::create(builder, loc, endBlock, thenHandles);
  builder.setInsertionPointToEnd(elseEnd);
  mlir::cf::BranchOp::create(builder, loc, endBlock, elseHandles);
  llvm::SmallVector<mlir::Value, 8> results;
  for (mlir::Value handle : thenHandles)
    results.push_back(endBlock->addArgument(handle.getType(), loc));
  names = std::move(after);
  llvm::ArrayRef<mlir::Value> rest(results);
  for (const Merge &merge : merges)
    names[merge.name].value = rebuild(values, merge.thenValue, rest);
  builder.setInsertionPointToStart(endBlock);
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Loops: variables that are carried
//===----------------------------------------------------------------------===//

void FunctionCodeGen::findCarried(llvm::ArrayRef<Block> bodies,
                                  llvm::ArrayRef<const Expr *> conditions,
                                  llvm::StringRef except,
                                  llvm::SmallVectorImpl<Carried> &out,
                                  llvm::SmallVectorImpl<mlir::Value> &inits) {
  AssignedNames assigned;
  for (Block body : bodies)
    assigned.block(body);
  for (const Expr *expr : conditions)
    assigned.expression(expr);
  for (auto &entry : names) {
    if (entry.first == except || !assigned.names.contains(entry.first) ||
        !entry.second.value)
      continue;
    Carried carried;
    carried.name = entry.first;
    carried.before = entry.second.value;
    carried.first = inits.size();
    flatten(carried.before, inits);
    carried.count = inits.size() - carried.first;
    if (carried.count)
      out.push_back(carried);
  }
}

void FunctionCodeGen::loopYield(llvm::ArrayRef<Carried> carried,
                                const Names &before,
                                llvm::ArrayRef<mlir::Value> inits,
                                llvm::SmallVectorImpl<mlir::Value> &yielded,
                                SourceRange loopRange) {
  for (const Carried &variable : carried) {
    auto it = names.find(variable.name);
    Value value = it == names.end() ? Value() : it->second.value;
    if (value && typeKey(value) == typeKey(variable.before)) {
      flatten(value, yielded);
      continue;
    }
    if (value) {
      auto beforeIt = before.find(variable.name);
      cg.getDiags()
          .error(it->second.where,
                 "'" + variable.name +
                     "' is carried around the loop and must keep its type, "
                     "found " +
                     describeType(value) + " here and " +
                     describeType(variable.before) + " before the loop")
          .note(beforeIt->second.where,
                "its value before the loop is from here; give it the final "
                "type there");
    } else if (it == names.end()) {
      auto reason = vanished.find(variable.name);
      if (reason != vanished.end())
        error(reason->second.where, "'" + variable.name +
                                        "' is carried around the loop, but " +
                                        reason->second.reason);
    }
    // Already reported: keep the IR well-formed.
    for (unsigned i = 0; i < variable.count; ++i)
      yielded.push_back(inits[variable.first + i]);
  }
  // Compile-time values cannot change from one iteration to the next.
  for (auto &entry : before) {
    auto it = names.find(entry.first);
    if (it == names.end() || !entry.second.value || !it->second.value ||
        countValues(entry.second.value))
      continue;
    if (typeKey(it->second.value) != typeKey(entry.second.value))
      cg.getDiags()
          .error(it->second.where,
                 "'" + entry.first + "' is " +
                     describeType(entry.second.value) +
                     " before the loop, known at compile time, and cannot "
                     "become " +
                     describeType(it->second.value) + " inside it")
          .note(entry.second.where, "its value before the loop is from here")
          .note(SourceRange(loopRange.begin), "the loop is here");
  }
}

void FunctionCodeGen::leaveScope(Names before, llvm::StringRef reason) {
  for (auto &entry : names)
    if (before.find(entry.first) == before.end())
      vanished[entry.first] = {entry.second.where, reason.str()};
  names = std::move(before);
}

//===----------------------------------------------------------------------===//
// for
//===----------------------------------------------------------------------===//

Flow FunctionCodeGen::forStatement(const ForStmt &stmt) {
  auto giveUp = [&] {
    AssignedNames assigned;
    assigned.statement(stmt);
    for (llvm::StringRef name : assigned.names)
      define(name, Value(), stmt.getRange());
    return Flow::Next;
  };
  if (!stmt.orelse.empty())
    error(SourceRange(stmt.orelse.front()->getLoc()),
          "a loop in a kernel has no 'else'");
  if (!llvm::isa<NameExpr>(stmt.target)) {
    error(stmt.target->getRange(),
          "the variable of a 'for' in a kernel is one name");
    return giveUp();
  }
  Value iterable = expression(*stmt.iterable);
  if (!iterable)
    return giveUp();
  auto *range =
      getKernelObject<LoopRange>(iterable, KernelObject::Kind::LoopRange);
  if (!range) {
    error(stmt.iterable->getRange(),
          "a 'for' in a kernel runs over range(...), tl.range(...) or "
          "tl.static_range(...), found " +
              describeType(iterable));
    return giveUp();
  }
  return range->isStatic ? staticFor(stmt, *range) : dynamicFor(stmt, *range);
}

Flow FunctionCodeGen::staticFor(const ForStmt &stmt, const LoopRange &range) {
  constexpr Int128 maxIterations = 100000;
  Int128 start = range.start.getInt(), stop = range.stop.getInt(),
         step = range.step.getInt();
  if (step == 0) {
    error(range.stepRange, "the step of 'tl.static_range' is not 0");
    return Flow::Next;
  }
  Int128 count = step > 0 ? (stop - start + step - 1) / step
                          : (start - stop - step - 1) / -step;
  if (count > maxIterations) {
    error(stmt.iterable->getRange(),
          "'tl.static_range' unrolls at most " +
              llvm::Twine(static_cast<int64_t>(maxIterations)) +
              " iterations; use tl.range for a loop at run time");
    return Flow::Next;
  }
  auto &target = llvm::cast<NameExpr>(*stmt.target);
  unsigned errorsBefore = cg.getDiags().getErrorCount();
  for (Int128 i = 0; i < count; ++i) {
    define(target.name, Value::integer(start + i * step), target.getRange());
    if (block(stmt.body) == Flow::Returned)
      return Flow::Returned;
    // The same mistake again helps nobody.
    if (cg.getDiags().getErrorCount() != errorsBefore)
      break;
  }
  return Flow::Next;
}

Flow FunctionCodeGen::dynamicFor(const ForStmt &stmt, const LoopRange &range) {
  auto &target = llvm::cast<NameExpr>(*stmt.target);
  mlir::Location loc = cg.location(stmt.getLoc());
  setPosition(stmt.iterable->getRange());

  // scf.for counts up: a constant negative step runs mirrored.
  Value startValue = range.start, stopValue = range.stop,
        stepValue = range.step;
  bool mirrored = false;
  if (stepValue.isIntegral()) {
    if (stepValue.getInt() == 0) {
      error(range.stepRange, "the step of a range is not 0");
      return Flow::Next;
    }
    if (stepValue.getInt() < 0) {
      mirrored = true;
      stepValue = Value::integer(-stepValue.getInt());
      std::swap(startValue, stopValue);
    }
  }
  auto bound = [&](Value value, SourceRange where,
                   llvm::StringRef what) -> Tensor {
    setPosition(where);
    Tensor tensor = toTensor(value, where, what);
    if (!tensor)
      return tensor;
    if (!tensor.elem()->isInteger()) {
      error(where, what + " is an integer, found " + tensor.str());
      return Tensor();
    }
    if (tensor.isBlock()) {
      if (tensor.type->getNumElements() == 1)
        return sem.unsplat(tensor);
      error(where, what + " is a scalar, found " + tensor.str());
      return Tensor();
    }
    return tensor;
  };
  Tensor lower =
      bound(startValue, mirrored ? range.stopRange : range.startRange,
            mirrored ? "the end of a range" : "the start of a range");
  Tensor upper =
      bound(stopValue, mirrored ? range.startRange : range.stopRange,
            mirrored ? "the start of a range" : "the end of a range");
  Tensor step = bound(stepValue, range.stepRange, "the step of a range");
  Names before = names;
  if (!lower || !upper || !step) {
    AssignedNames assigned;
    assigned.statement(stmt);
    for (llvm::StringRef name : assigned.names)
      define(name, Value(), stmt.getRange());
    return Flow::Next;
  }
  setPosition(stmt.iterable->getRange());
  ScalarId inductionId = promoteIntegers(
      promoteIntegers(lower.elem()->getScalarId(), upper.elem()->getScalarId()),
      step.elem()->getScalarId());
  const Type *inductionType = sem.scalar(inductionId);
  lower = sem.cast(lower, inductionType);
  upper = sem.cast(upper, inductionType);
  step = sem.cast(step, inductionType);

  llvm::SmallVector<Carried, 8> carried;
  llvm::SmallVector<mlir::Value, 8> inits;
  findCarried({stmt.body}, {}, target.name, carried, inits);

  mlir::OpBuilder::InsertPoint point = builder.saveInsertionPoint();
  mlir::Region region;
  mlir::Block *body = builder.createBlock(&region);
  mlir::Location targetLoc = mlir::NameLoc::get(
      builder.getStringAttr(target.name), cg.location(target.getLoc()));
  mlir::Value induction = body->addArgument(sem.toIR(inductionType), targetLoc);
  llvm::SmallVector<mlir::Value, 8> blockArgs;
  for (mlir::Value init : inits)
    blockArgs.push_back(body->addArgument(init.getType(), init.getLoc()));
  llvm::ArrayRef<mlir::Value> rest(blockArgs);
  for (const Carried &variable : carried)
    names[variable.name].value = rebuild(values, variable.before, rest);
  if (mirrored) {
    auto back = mlir::arith::SubIOp::create(builder, targetLoc, upper.handle,
                                            induction);
    induction =
        mlir::arith::AddIOp::create(builder, targetLoc, back, lower.handle);
  }
  define(target.name,
         Value::tensor(inductionType, induction.getAsOpaquePointer()),
         target.getRange());

  ++loopDepth;
  block(stmt.body);
  --loopDepth;
  llvm::SmallVector<mlir::Value, 8> yielded;
  names.erase(target.name);
  loopYield(carried, before, inits, yielded, stmt.getRange());

  // Variables that the body leaves as they are need not be carried.
  llvm::SmallVector<mlir::Value, 8> keptInits, keptYields;
  llvm::SmallVector<Carried, 8> kept;
  llvm::BitVector dropped(body->getNumArguments());
  for (Carried variable : carried) {
    auto slice = [&](llvm::ArrayRef<mlir::Value> all) {
      return all.slice(variable.first, variable.count);
    };
    if (slice(yielded) == slice(blockArgs)) {
      for (unsigned i = 0; i < variable.count; ++i) {
        mlir::Value arg = body->getArgument(1 + variable.first + i);
        arg.replaceAllUsesWith(inits[variable.first + i]);
        dropped.set(1 + variable.first + i);
      }
      continue;
    }
    llvm::append_range(keptYields, slice(yielded));
    llvm::append_range(keptInits, slice(inits));
    kept.push_back(variable);
  }
  // What is yielded may be an argument that is about to go.
  for (mlir::Value &value : keptYields)
    if (auto arg = llvm::dyn_cast<mlir::BlockArgument>(value))
      if (arg.getOwner() == body && arg.getArgNumber() != 0 &&
          dropped.test(arg.getArgNumber()))
        value = inits[arg.getArgNumber() - 1];
  body->eraseArguments(dropped);
  scf::YieldOp::create(builder, loc, keptYields);

  builder.restoreInsertionPoint(point);
  auto op = scf::ForOp::create(builder, loc, lower.handle, upper.handle,
                               step.handle, keptInits);
  op.getRegion().takeBody(region);
  if (range.numStages)
    op->setAttr("tt.num_stages", builder.getI32IntegerAttr(*range.numStages));
  if (range.unrollFactor)
    op->setAttr("tt.loop_unroll_factor",
                builder.getI32IntegerAttr(*range.unrollFactor));
  if (range.disallowAccMultiBuffer)
    op->setAttr("tt.disallow_acc_multi_buffer", builder.getUnitAttr());
  if (range.flatten)
    op->setAttr("tt.flatten", builder.getUnitAttr());
  if (range.warpSpecialize)
    op->setAttr("tt.warp_specialize", builder.getUnitAttr());
  if (range.disableLicm)
    op->setAttr("llvm.loop_annotation", cg.noLicmAttr());

  before.erase(target.name);
  leaveScope(std::move(before), "a loop assigns it, and a loop may run "
                                "zero times");
  vanished[target.name] = {target.getRange(),
                           "it is the variable of a loop that has ended"};
  llvm::SmallVector<mlir::Value, 8> results(op.getResults());
  rest = results;
  for (const Carried &variable : kept)
    names[variable.name] = {rebuild(values, variable.before, rest),
                            stmt.getRange()};
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// while
//===----------------------------------------------------------------------===//

Flow FunctionCodeGen::whileStatement(const WhileStmt &stmt) {
  if (!stmt.orelse.empty())
    error(SourceRange(stmt.orelse.front()->getLoc()),
          "a loop in a kernel has no 'else'");
  mlir::Location loc = cg.location(stmt.getLoc());
  llvm::SmallVector<Carried, 8> carried;
  llvm::SmallVector<mlir::Value, 8> inits;
  findCarried({stmt.body}, {stmt.condition}, {}, carried, inits);
  Names before = names;
  mlir::OpBuilder::InsertPoint point = builder.saveInsertionPoint();

  auto enter = [&](mlir::Region &region) {
    mlir::Block *body = builder.createBlock(&region);
    llvm::SmallVector<mlir::Value, 8> args;
    for (mlir::Value init : inits)
      args.push_back(body->addArgument(init.getType(), init.getLoc()));
    llvm::ArrayRef<mlir::Value> rest(args);
    for (const Carried &variable : carried)
      names[variable.name].value = rebuild(values, variable.before, rest);
    return body;
  };

  mlir::Region beforeRegion, afterRegion;
  mlir::Block *head = enter(beforeRegion);
  ++loopDepth;
  Value test = expression(*stmt.condition);
  bool disableLicm = false;
  if (auto *hint = getKernelObject<ConditionObject>(
          test, KernelObject::Kind::Condition)) {
    disableLicm = hint->disableLicm;
    test = hint->condition;
  }
  mlir::Value testHandle;
  if (test.isUnknown()) {
    eval.reportUnknown(test, stmt.condition->getRange(),
                       "the condition of a 'while'");
  } else if (test.isTensor() && !getTensor(test).isBlock() &&
             getTensor(test).elem()->isBool()) {
    testHandle = getTensor(test).handle;
  } else if (test) {
    error(stmt.condition->getRange(),
          "the condition of a 'while' is a scalar of type i1 that is computed "
          "at run time, found " +
              describeType(test) +
              (test.isTensor() ? "; compare it with something" : ""));
  }
  if (!testHandle)
    testHandle = mlir::arith::ConstantOp::create(builder, loc,
                                                 builder.getBoolAttr(false));
  // Names that the condition itself changes (`:=`) are passed on changed.
  llvm::SmallVector<mlir::Value, 8> passed;
  loopYield(carried, before, inits, passed, stmt.getRange());
  scf::ConditionOp::create(builder, loc, testHandle, passed);
  (void)head;

  enter(afterRegion);
  block(stmt.body);
  --loopDepth;
  llvm::SmallVector<mlir::Value, 8> yielded;
  loopYield(carried, before, inits, yielded, stmt.getRange());
  mlir::Block *body = &afterRegion.front();
  mlir::Block *tail = builder.getInsertionBlock();
  (void)tail;

  // Variables that neither part changes need not be carried.
  llvm::SmallVector<mlir::Value, 8> keptInits;
  llvm::SmallVector<Carried, 8> kept;
  llvm::BitVector dropped(inits.size());
  for (Carried variable : carried) {
    bool unchanged = true;
    for (unsigned i = variable.first, e = i + variable.count; i < e; ++i)
      unchanged &= yielded[i] == body->getArgument(i) &&
                   passed[i] == beforeRegion.front().getArgument(i);
    if (!unchanged) {
      llvm::append_range(keptInits, llvm::ArrayRef<mlir::Value>(inits).slice(
                                        variable.first, variable.count));
      kept.push_back(variable);
      continue;
    }
    for (unsigned i = variable.first, e = i + variable.count; i < e; ++i)
      dropped.set(i);
  }
  auto keepOnly = [&](llvm::SmallVectorImpl<mlir::Value> &list,
                      mlir::Block *owner) {
    llvm::SmallVector<mlir::Value, 8> result;
    for (auto [index, value] : llvm::enumerate(list)) {
      if (dropped.test(index))
        continue;
      if (auto arg = llvm::dyn_cast<mlir::BlockArgument>(value))
        if (arg.getOwner() == owner && dropped.test(arg.getArgNumber()))
          value = inits[arg.getArgNumber()];
      result.push_back(value);
    }
    list = std::move(result);
  };
  mlir::Block *headBlock = &beforeRegion.front();
  keepOnly(yielded, body);
  auto conditionOp = llvm::cast<scf::ConditionOp>(headBlock->getTerminator());
  keepOnly(passed, headBlock);
  conditionOp.getArgsMutable().assign(passed);
  for (mlir::Block *owner : {headBlock, body}) {
    for (unsigned i : dropped.set_bits())
      owner->getArgument(i).replaceAllUsesWith(inits[i]);
    owner->eraseArguments(dropped);
  }
  scf::YieldOp::create(builder, loc, yielded);

  builder.restoreInsertionPoint(point);
  auto op =
      scf::WhileOp::create(builder, loc, mlir::TypeRange(keptInits), keptInits);
  op.getBefore().takeBody(beforeRegion);
  op.getAfter().takeBody(afterRegion);
  if (disableLicm)
    op->setAttr("llvm.loop_annotation", cg.noLicmAttr());

  leaveScope(std::move(before),
             "a loop assigns it, and a loop may run zero times");
  llvm::SmallVector<mlir::Value, 8> results(op.getResults());
  llvm::ArrayRef<mlir::Value> rest(results);
  for (const Carried &variable : kept)
    names[variable.name] = {rebuild(values, variable.before, rest),
                            stmt.getRange()};
  return Flow::Next;
}

} // namespace nereid::lang
