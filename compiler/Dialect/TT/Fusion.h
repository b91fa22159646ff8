//===- Fusion.h - Whether products and sums may be one fma -----*- C++ -*-===//

#ifndef NEREID_COMPILER_DIALECT_TT_FUSION_H
#define NEREID_COMPILER_DIALECT_TT_FUSION_H

#include "mlir/IR/BuiltinOps.h"

namespace nereid::tt {

/// On a module: a product and a sum are rounded one by one, not as one fma
/// (`enable_fp_fusion=False`).
inline constexpr llvm::StringLiteral kNoFusionAttr = "nrd.no_fp_fusion";

/// Whether the code of `op`, or of the module it is, may contain an fma of the
/// kernel's products and sums, as Triton's does by default.
inline bool mayFuse(mlir::Operation *op) {
  auto module = mlir::dyn_cast<mlir::ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<mlir::ModuleOp>();
  return !module || !module->hasAttr(kNoFusionAttr);
}

} // namespace nereid::tt

#endif // NEREID_COMPILER_DIALECT_TT_FUSION_H
