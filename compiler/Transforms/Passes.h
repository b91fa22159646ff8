//===- Passes.h - The passes on tile IR -------------------------*- C++ -*-===//
//
// Declarations generated from Passes.td, which documents them.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_PASSES_H
#define NEREID_COMPILER_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace nereid {

/// Attributes by which an expanded argument of a kernel says what it is.
constexpr llvm::StringLiteral kSlotAttr = "nrd.slot";
constexpr llvm::StringLiteral kFieldAttr = "nrd.field";
constexpr llvm::StringLiteral kIndexAttr = "nrd.index";

#define GEN_PASS_DECL
#include "compiler/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/Passes.h.inc"

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_PASSES_H
