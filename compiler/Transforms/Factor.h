//===- Factor.h - Powers of two that divide a scalar -----------*- C++ -*-===//

#ifndef NEREID_COMPILER_TRANSFORMS_FACTOR_H
#define NEREID_COMPILER_TRANSFORMS_FACTOR_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace nereid {

/// Finds the largest power of two (up to 2^20) that provably divides an
/// integer, through arithmetic, loops and branches. Wrapping does not matter to
/// powers of two. `withHints` says whether to believe `tt.divisibility` of
/// integer kernel arguments.
class FactorAnalysis {
public:
  explicit FactorAnalysis(bool withHints) : withHints(withHints) {}
  int64_t of(mlir::Value value);

private:
  int64_t compute(mlir::Value value);
  int64_t carried(mlir::Value key, mlir::Value init, mlir::Value yielded,
                  mlir::Value argument);
  bool withHints;
  llvm::DenseMap<mlir::Value, int64_t> known;
};

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_FACTOR_H
