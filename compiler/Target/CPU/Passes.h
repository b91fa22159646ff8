//===- Passes.h - Passes of the CPU back end -------------------*- C++ -*-===//
//
// Declarations generated from Passes.td, which documents them, and the few
// facts about an instruction set that are not columns of targets.def.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_PASSES_H
#define NEREID_COMPILER_TARGET_CPU_PASSES_H

#include "compiler/Target/Target.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace nereid::cpu {

/// Whether the target has fused multiply-add instructions. Of the x86-64 levels
/// those with 256-bit vectors do.
inline bool hasFma(const TargetInfo &target) {
  return target.vectorBits >= 256;
}

/// Whether f16 <-> f32 is one instruction (F16C, part of x86-64-v3).
inline bool hasF16Convert(const TargetInfo &target) {
  return target.vectorBits >= 256;
}

/// Whether p * 2^n is one instruction (AVX-512).
inline bool hasScalef(const TargetInfo &target) {
  return target.vectorBits >= 512;
}

#define GEN_PASS_DECL
#include "compiler/Target/CPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Target/CPU/Passes.h.inc"

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_PASSES_H
