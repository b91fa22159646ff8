//===- Walk.cpp - Visiting a syntax tree ----------------------------------===//

#include "compiler/Lang/Walk.h"

using namespace nereid::lang;

void nereid::lang::forEachChild(const Expr &e,
                                llvm::function_ref<void(const Expr &)> visit) {
  auto optional = [&](const Expr *child) {
    if (child)
      visit(*child);
  };
  auto all = [&](llvm::ArrayRef<Expr *> list) {
    for (const Expr *child : list)
      visit(*child);
  };
  switch (e.getKind()) {
  case Expr::Kind::Name:
  case Expr::Kind::NoneLiteral:
  case Expr::Kind::BoolLiteral:
  case Expr::Kind::EllipsisLiteral:
  case Expr::Kind::IntLiteral:
  case Expr::Kind::FloatLiteral:
  case Expr::Kind::ImaginaryLiteral:
  case Expr::Kind::StringLiteral:
  case Expr::Kind::BytesLiteral:
    return;
  case Expr::Kind::JoinedString:
    for (const auto &part : llvm::cast<JoinedString>(e).parts) {
      optional(part.expr);
      optional(part.format);
    }
    return;
  case Expr::Kind::Attribute:
    return visit(*llvm::cast<AttributeExpr>(e).value);
  case Expr::Kind::Subscript:
    visit(*llvm::cast<SubscriptExpr>(e).value);
    return visit(*llvm::cast<SubscriptExpr>(e).index);
  case Expr::Kind::Slice:
    optional(llvm::cast<SliceExpr>(e).lower);
    optional(llvm::cast<SliceExpr>(e).upper);
    return optional(llvm::cast<SliceExpr>(e).step);
  case Expr::Kind::Call:
    visit(*llvm::cast<CallExpr>(e).callee);
    all(llvm::cast<CallExpr>(e).args);
    for (const KeywordArg &keyword : llvm::cast<CallExpr>(e).keywords)
      visit(*keyword.value);
    return;
  case Expr::Kind::Binary:
    visit(*llvm::cast<BinaryExpr>(e).lhs);
    return visit(*llvm::cast<BinaryExpr>(e).rhs);
  case Expr::Kind::Unary:
    return visit(*llvm::cast<UnaryExpr>(e).operand);
  case Expr::Kind::Boolean:
    return all(llvm::cast<BooleanExpr>(e).operands);
  case Expr::Kind::Compare:
    return all(llvm::cast<CompareExpr>(e).operands);
  case Expr::Kind::Conditional:
    visit(*llvm::cast<ConditionalExpr>(e).thenValue);
    visit(*llvm::cast<ConditionalExpr>(e).condition);
    return visit(*llvm::cast<ConditionalExpr>(e).elseValue);
  case Expr::Kind::Lambda:
    for (const Parameter &param : llvm::cast<LambdaExpr>(e).params)
      optional(param.defaultValue);
    return visit(*llvm::cast<LambdaExpr>(e).body);
  case Expr::Kind::Tuple:
    return all(llvm::cast<TupleExpr>(e).elements);
  case Expr::Kind::List:
    return all(llvm::cast<ListExpr>(e).elements);
  case Expr::Kind::Set:
    return all(llvm::cast<SetExpr>(e).elements);
  case Expr::Kind::Dict:
    for (const DictExpr::Item &item : llvm::cast<DictExpr>(e).items) {
      optional(item.key);
      visit(*item.value);
    }
    return;
  case Expr::Kind::Comprehension: {
    const auto &node = llvm::cast<ComprehensionExpr>(e);
    visit(*node.element);
    optional(node.value);
    for (const ComprehensionFor &clause : node.clauses) {
      visit(*clause.target);
      visit(*clause.iterable);
      all(clause.conditions);
    }
    return;
  }
  case Expr::Kind::Starred:
    return visit(*llvm::cast<StarredExpr>(e).value);
  case Expr::Kind::NamedExpr:
    visit(*llvm::cast<NamedExpr>(e).target);
    return visit(*llvm::cast<NamedExpr>(e).value);
  case Expr::Kind::Await:
    return visit(*llvm::cast<AwaitExpr>(e).value);
  case Expr::Kind::Yield:
    return optional(llvm::cast<YieldExpr>(e).value);
  case Expr::Kind::YieldFrom:
    return visit(*llvm::cast<YieldFromExpr>(e).value);
  }
}

void nereid::lang::forEachExpr(const Stmt &s,
                               llvm::function_ref<void(const Expr &)> visit) {
  auto optional = [&](const Expr *child) {
    if (child)
      visit(*child);
  };
  auto all = [&](llvm::ArrayRef<Expr *> list) {
    for (const Expr *child : list)
      visit(*child);
  };
  switch (s.getKind()) {
  case Stmt::Kind::FunctionDef: {
    const auto &node = llvm::cast<FunctionDef>(s);
    all(node.decorators);
    for (const Parameter &param : node.params) {
      optional(param.annotation);
      optional(param.defaultValue);
    }
    return optional(node.returns);
  }
  case Stmt::Kind::ClassDef:
    all(llvm::cast<ClassDef>(s).decorators);
    all(llvm::cast<ClassDef>(s).bases);
    for (const KeywordArg &keyword : llvm::cast<ClassDef>(s).keywords)
      visit(*keyword.value);
    return;
  case Stmt::Kind::Return:
    return optional(llvm::cast<ReturnStmt>(s).value);
  case Stmt::Kind::Delete:
    return all(llvm::cast<DeleteStmt>(s).targets);
  case Stmt::Kind::Assign:
    all(llvm::cast<AssignStmt>(s).targets);
    return visit(*llvm::cast<AssignStmt>(s).value);
  case Stmt::Kind::AugAssign:
    visit(*llvm::cast<AugAssignStmt>(s).target);
    return visit(*llvm::cast<AugAssignStmt>(s).value);
  case Stmt::Kind::AnnAssign:
    visit(*llvm::cast<AnnAssignStmt>(s).target);
    visit(*llvm::cast<AnnAssignStmt>(s).annotation);
    return optional(llvm::cast<AnnAssignStmt>(s).value);
  case Stmt::Kind::For:
    visit(*llvm::cast<ForStmt>(s).target);
    return visit(*llvm::cast<ForStmt>(s).iterable);
  case Stmt::Kind::While:
    return visit(*llvm::cast<WhileStmt>(s).condition);
  case Stmt::Kind::If:
    for (const IfStmt::Clause &clause : llvm::cast<IfStmt>(s).clauses)
      visit(*clause.condition);
    return;
  case Stmt::Kind::With:
    for (const WithStmt::Item &item : llvm::cast<WithStmt>(s).items) {
      visit(*item.context);
      optional(item.target);
    }
    return;
  case Stmt::Kind::Match:
    visit(*llvm::cast<MatchStmt>(s).subject);
    for (const MatchStmt::Case &clause : llvm::cast<MatchStmt>(s).cases)
      optional(clause.guard);
    return;
  case Stmt::Kind::Raise:
    optional(llvm::cast<RaiseStmt>(s).exception);
    return optional(llvm::cast<RaiseStmt>(s).cause);
  case Stmt::Kind::Try:
    for (const TryStmt::Handler &handler : llvm::cast<TryStmt>(s).handlers)
      optional(handler.type);
    return;
  case Stmt::Kind::Assert:
    visit(*llvm::cast<AssertStmt>(s).test);
    return optional(llvm::cast<AssertStmt>(s).message);
  case Stmt::Kind::Expr:
    return visit(*llvm::cast<ExprStmt>(s).value);
  case Stmt::Kind::TypeAlias:
    return visit(*llvm::cast<TypeAliasStmt>(s).value);
  case Stmt::Kind::Import:
  case Stmt::Kind::ImportFrom:
  case Stmt::Kind::Global:
  case Stmt::Kind::Nonlocal:
  case Stmt::Kind::Pass:
  case Stmt::Kind::Break:
  case Stmt::Kind::Continue:
  case Stmt::Kind::Error:
    return;
  }
}

void nereid::lang::forEachBlock(const Stmt &s,
                                llvm::function_ref<void(Block)> visit) {
  switch (s.getKind()) {
  case Stmt::Kind::FunctionDef:
    return visit(llvm::cast<FunctionDef>(s).body);
  case Stmt::Kind::ClassDef:
    return visit(llvm::cast<ClassDef>(s).body);
  case Stmt::Kind::For:
    visit(llvm::cast<ForStmt>(s).body);
    return visit(llvm::cast<ForStmt>(s).orelse);
  case Stmt::Kind::While:
    visit(llvm::cast<WhileStmt>(s).body);
    return visit(llvm::cast<WhileStmt>(s).orelse);
  case Stmt::Kind::If:
    for (const IfStmt::Clause &clause : llvm::cast<IfStmt>(s).clauses)
      visit(clause.body);
    return visit(llvm::cast<IfStmt>(s).orelse);
  case Stmt::Kind::With:
    return visit(llvm::cast<WithStmt>(s).body);
  case Stmt::Kind::Match:
    for (const MatchStmt::Case &clause : llvm::cast<MatchStmt>(s).cases)
      visit(clause.body);
    return;
  case Stmt::Kind::Try:
    visit(llvm::cast<TryStmt>(s).body);
    for (const TryStmt::Handler &handler : llvm::cast<TryStmt>(s).handlers)
      visit(handler.body);
    visit(llvm::cast<TryStmt>(s).orelse);
    return visit(llvm::cast<TryStmt>(s).finalbody);
  default:
    return;
  }
}

void nereid::lang::walk(const Expr &e,
                        llvm::function_ref<bool(const Expr &)> visit) {
  if (visit(e))
    forEachChild(e, [&](const Expr &child) { walk(child, visit); });
}

void nereid::lang::walk(Block block,
                        llvm::function_ref<bool(const Stmt &)> enter,
                        llvm::function_ref<bool(const Expr &)> visit) {
  for (const Stmt *s : block) {
    if (!enter(*s))
      continue;
    if (visit)
      forEachExpr(*s, [&](const Expr &e) { walk(e, visit); });
    forEachBlock(*s, [&](Block inner) { walk(inner, enter, visit); });
  }
}
