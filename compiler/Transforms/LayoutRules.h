//===- LayoutRules.h - How layouts follow from each other ------*- C++ -*-===//
//
// For every operation on tensors: which layout its operands have for a given
// layout of its result, and the other way round. `nrd-verify-layouts` checks
// these rules, the layout passes choose within them, and the lowering relies on
// them.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_LAYOUTRULES_H
#define NEREID_COMPILER_TRANSFORMS_LAYOUTRULES_H

#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Dialect/TGPU/TGPUDialect.h"

namespace nereid {

/// How the layouts of an operation's tensors depend on each other.
enum class LayoutRule {
  None,      ///< no tensors, or control flow
  Same,      ///< one layout for all operands and results
  Create,    ///< results in any layout, no tensor operands
  Shape,     ///< one operand; result and operand determine each other
  Reduce,    ///< all operands alike; results are what is left of them
  Join,      ///< operands alike; the result has one register bit more
  Split,     ///< results alike; the operand has one register bit more
  Cat,       ///< operands alike; the result has one register bit more
  Gather,    ///< indices and result alike; the source in any layout
  Histogram, ///< operands alike; the result in any layout
  Consume,   ///< operands in any layout of their own, no tensor results
  Dot,       ///< c and the result alike; a and b as the product demands
  Wait,      ///< operand i and result i alike
  Opaque,    ///< everything in any layout: descriptors
};
LayoutRule getLayoutRule(mlir::Operation *op);

/// Whether the layout an operation works in is that of its operands, and its
/// results have others: reductions, splits, histograms.
bool worksOnOperands(mlir::Operation *op);

/// The layout of an operand for a layout of the result; for Shape, Join and
/// Cat. Null where the result's layout is not legal for the operation.
tgpu::LayoutAttr operandLayout(mlir::Operation *op, tgpu::LayoutAttr result);

/// The layout of the result for a layout of the (first) operand; for Shape,
/// Reduce, Join, Split and Cat. Null for a split whose operand is not legal.
tgpu::LayoutAttr resultLayout(mlir::Operation *op, tgpu::LayoutAttr operand);

/// True when the operation can work in this layout: of its results, or of the
/// operand for a split.
bool isLegalLayout(mlir::Operation *op, tgpu::LayoutAttr layout);

/// A layout near `near` in which the operation can work.
tgpu::LayoutAttr legalLayout(mlir::Operation *op, tgpu::LayoutAttr near,
                             tgpu::ThreadCounts threads);

/// A blocked layout with as many neighbours per thread as `vector` says, but
/// never so many that threads are left without elements. The fastest dimension
/// is `fastest`, the others follow from the last to the first. Warps go to the
/// dimensions in the same order, or in the opposite one.
LinearLayout spreadLayout(llvm::ArrayRef<int64_t> shape, unsigned fastest,
                          int64_t vector, tgpu::ThreadCounts threads,
                          bool warpsOutside = false);

/// The layout of a tensor about which nothing is known.
LinearLayout defaultLayout(llvm::ArrayRef<int64_t> shape,
                           tgpu::ThreadCounts threads);

/// Neighbours along a dimension that a memory operation may access at once:
/// kAccessAttr. `run` is how many neighbours lie in a row, whatever their
/// alignment.
struct Access {
  unsigned dim = 0;
  int64_t width = 1;
  int64_t run = 1;
};
Access getAccess(mlir::Operation *op, unsigned rank);
void setAccess(mlir::Operation *op, Access access);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_LAYOUTRULES_H
