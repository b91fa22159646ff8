//===- LayoutCosts.h - What layouts cost -----------------------*- C++ -*-===//
//
// Estimates, in clocks of one multiprocessor, by which the layout passes
// compare assignments. They need to rank alternatives, not to predict times:
// what counts are the sectors (32 bytes) that an access touches, the words that
// go through shared memory, and work done twice because threads hold copies.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_LAYOUTCOSTS_H
#define NEREID_COMPILER_TRANSFORMS_LAYOUTCOSTS_H

#include "compiler/Transforms/LayoutRules.h"

#include "llvm/ADT/DenseMap.h"

namespace nereid {

class LayoutCosts {
public:
  explicit LayoutCosts(tgpu::ThreadCounts threads) : threads(threads) {}

  /// Moving a tensor of elements of `bits` bits to another layout.
  double conversion(tgpu::LayoutAttr from, tgpu::LayoutAttr to, unsigned bits);
  /// Executing `op` in a layout: of its results, or of its operands where it
  /// is a reduction, a store or a split.
  double execution(mlir::Operation *op, tgpu::LayoutAttr layout);

private:
  double access(mlir::Operation *op, const LinearLayout &layout);
  double reduction(tt::ReduceOp op, tgpu::LayoutAttr layout);
  double scan(tt::ScanOp op, const LinearLayout &layout);

  tgpu::ThreadCounts threads;
  llvm::DenseMap<std::pair<mlir::Attribute, mlir::Attribute>,
                 tgpu::ConversionKind>
      kinds;
  llvm::DenseMap<std::pair<mlir::Operation *, mlir::Attribute>, double>
      executions;
};

/// Recomputing the operation where it is needed is cheaper than moving what it
/// gives: arithmetic of a few instructions without effects.
bool isCheap(mlir::Operation *op);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_LAYOUTCOSTS_H
