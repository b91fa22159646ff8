//===- InlineTree.h - Walks what a sink computes on the way ----*- C++ -*-===//

#ifndef NEREID_COMPILER_TARGET_CPU_INLINETREE_H
#define NEREID_COMPILER_TARGET_CPU_INLINETREE_H

#include "compiler/Target/CPU/Kernel.h"
#include "compiler/Target/CPU/Plan.h"

namespace nereid::cpu {

/// A dimension whose relation to the nest's dimensions is not one to one.
constexpr int kUnknownDim = -2;
/// A dimension that is constant in the nest.
constexpr int kNoDim = -1;

/// Called once per tensor (and way of indexing it): for each of its dimensions
/// the dimension of the nest that runs along it, and whether that is the
/// identity. Returns false to stop there, where it returns bool.
using InlineVisitor =
    llvm::function_ref<void(mlir::Value, llvm::ArrayRef<int>, bool identity)>;

/// The tensors a sink reads directly, all of the nest's shape.
llvm::SmallVector<mlir::Value> sinkOperands(const Sink &sink);

/// Visits the tensors that evaluating `sink` touches, down to values that have
/// buffers (those are visited, not entered).
void walkInline(const Kernel &kernel, const Sink &sink, InlineVisitor visit);

/// The same from one tensor; `stop` says where values have been materialised.
void walkInline(mlir::Value root, llvm::function_ref<bool(mlir::Value)> stop,
                InlineVisitor visit);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_INLINETREE_H
