//===- Passes.h - Passes that every target shares --------------*- C++ -*-===//
//
// Declarations generated from Passes.td, which documents them.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_PASSES_H
#define NEREID_COMPILER_TARGET_PASSES_H

#include "mlir/Pass/Pass.h"

namespace nereid {

#define GEN_PASS_DECL
#include "compiler/Target/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Target/Passes.h.inc"

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_PASSES_H
