//===- Lowering.h - From tile IR to loops over vectors ---------*- C++ -*-===//
//
// The CPU back end's way from one kernel in `tt` to LLVM's dialect. The kernel
// comes inlined, without block pointers or descriptors; see README.md for the
// method. What cannot be lowered is reported at its source location.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_LOWERING_H
#define NEREID_COMPILER_TARGET_CPU_LOWERING_H

#include "compiler/Image.h"
#include "compiler/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace nereid::cpu {

/// The launch facts of one lowered kernel, as Image holds them.
struct KernelLayout {
  std::string symbol;             ///< the exported function
  uint32_t paramSize = 0;         ///< bytes of the parameter block
  std::vector<ParamField> fields; ///< one per argument of the tt.func, in order
  uint64_t scratchSize = 0;       ///< bytes of scratch per thread
};

/// Replaces the module's one public `tt.func` by a function of type
/// nrd_cpu_kernel_fn_t made of scf, cf, arith, math, vector and llvm ops.
///
/// Argument attributes say where a parameter comes from: `nrd.slot` (public
/// slot; default: the argument's number), `nrd.field` ("value", "shape",
/// "stride"; default "value") and `nrd.index` (dimension). Parameters lie in
/// argument order, each naturally aligned.
mlir::LogicalResult lowerToLoops(mlir::ModuleOp module,
                                 const TargetInfo &target, KernelLayout &out);

/// `lowerToLoops`, clean-up, and the conversion to LLVM's dialect.
mlir::LogicalResult lowerToLLVM(mlir::ModuleOp module, const TargetInfo &target,
                                KernelLayout &out);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_LOWERING_H
