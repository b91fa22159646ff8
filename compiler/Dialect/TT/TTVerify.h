//===- TTVerify.h - Checks that verifiers share (internal) -----*- C++ -*-===//

#ifndef NEREID_COMPILER_DIALECT_TT_TTVERIFY_H
#define NEREID_COMPILER_DIALECT_TT_TTVERIFY_H

#include "mlir/IR/Operation.h"

namespace nereid::tt::detail {

/// Fails unless `values`, the order of `op`, is a permutation of 0 .. rank-1.
mlir::LogicalResult verifyPermutation(mlir::Operation *op,
                                      llvm::ArrayRef<int32_t> values,
                                      int64_t rank);

} // namespace nereid::tt::detail

#endif // NEREID_COMPILER_DIALECT_TT_TTVERIFY_H
