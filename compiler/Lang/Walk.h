//===- Walk.h - Visiting a syntax tree -------------------------*- C++ -*-===//
//
// Calls a function on the nodes below a node, parents first, in source order.
// Functions, classes and lambdas are visited too; return false from `enter` to
// skip what is inside one.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_WALK_H
#define NEREID_COMPILER_LANG_WALK_H

#include "compiler/Lang/AST.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace nereid::lang {

/// The direct children of an expression. Targets of comprehensions and walruses
/// are among them.
void forEachChild(const Expr &expr,
                  llvm::function_ref<void(const Expr &)> visit);
/// The expressions that stand directly in a statement: not those of the
/// statements inside it. Decorators, defaults and annotations are among them,
/// patterns of `case` are not.
void forEachExpr(const Stmt &stmt,
                 llvm::function_ref<void(const Expr &)> visit);
/// The blocks of a compound statement.
void forEachBlock(const Stmt &stmt, llvm::function_ref<void(Block)> visit);

/// Every expression at or below a node; `visit` returns whether to go deeper.
void walk(const Expr &expr, llvm::function_ref<bool(const Expr &)> visit);
/// Every statement in a block and below; `enter` returns whether to go deeper.
/// `visit` is called as above for every expression in them (may be null).
void walk(Block block, llvm::function_ref<bool(const Stmt &)> enter,
          llvm::function_ref<bool(const Expr &)> visit);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_WALK_H
