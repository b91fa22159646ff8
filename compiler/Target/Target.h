//===- Target.h - What a target must answer --------------------*- C++ -*-===//
//
// Passes and the pipeline ask this file what a target is; nobody compares
// target names. One row of targets.def describes one target.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_TARGET_H
#define NEREID_COMPILER_TARGET_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace nereid {

enum class TargetFamily { CPU, NVPTX, AMDGPU };

/// The matrix instructions that code generation may use.
enum class MatrixUnit { None, AMX, MMAv2, WGMMA, TCGen05, MFMA, WMMA };

/// One target, as targets.def describes it.
struct TargetInfo {
  llvm::StringLiteral name; ///< the vendor's word: "sm_90a", "x86-64-v3"
  TargetFamily family;
  llvm::StringLiteral triple;
  llvm::StringLiteral cpu;      ///< LLVM's -mcpu
  llvm::StringLiteral features; ///< LLVM's -mattr
  unsigned vectorBits;          ///< CPU: bits of one vector register
  unsigned vectorRegisters;     ///< CPU: how many of them
  unsigned warpSize;            ///< GPU: lanes that run in lockstep; 1 on CPU
  unsigned sharedBytes;         ///< GPU: shared memory a block may opt in to
  unsigned residentThreads;     ///< NVIDIA: threads a multiprocessor holds
  MatrixUnit matrixUnit;
};

/// How many blocks that have `bytes` of shared memory each a multiprocessor can
/// hold at a time, as far as shared memory goes.
int64_t blocksBySharedMemory(const TargetInfo &target, int64_t bytes);

/// Whether the target can copy whole blocks between global and shared memory by
/// tensor maps (NVIDIA's TMA).
bool hasCopyEngine(const TargetInfo &target);

/// Every target this compiler knows, in the order of targets.def.
llvm::ArrayRef<TargetInfo> allTargets();

/// The row called `name`, or null.
const TargetInfo *findTarget(llvm::StringRef name);

/// The name of `allTargets()` nearest to `name` by spelling, for "did you
/// mean"; empty when nothing is near.
llvm::StringRef nearestTarget(llvm::StringRef name);

/// Whether a warp's matrix instructions take 8-bit floats.
bool multipliesFloat8InWarps(const TargetInfo &target);

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_TARGET_H
