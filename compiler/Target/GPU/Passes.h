//===- Passes.h - Passes that all GPU targets share ------------*- C++ -*-===//
//
// Declarations generated from Passes.td, which documents them.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_PASSES_H
#define NEREID_COMPILER_TARGET_GPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace nereid::gpu {

#define GEN_PASS_DECL
#include "compiler/Target/GPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Target/GPU/Passes.h.inc"

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_PASSES_H
