//===- Branches.h - Branches around what few iterations need ---*- C++ -*-===//

#ifndef NEREID_COMPILER_TRANSFORMS_BRANCHES_H
#define NEREID_COMPILER_TRANSFORMS_BRANCHES_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nereid {

/// Fewer elements of a tensor than this are not worth a branch.
constexpr int64_t kManyElements = 2048;

inline bool isLarge(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  return tensor && tensor.getNumElements() >= kManyElements;
}

/// Moves what only the else region of `branch` uses into it.
void sinkIntoElse(mlir::scf::IfOp branch);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_BRANCHES_H
