//===- ScalarSlice.h - The scalar part of a kernel that feeds copies -*- C++
//-*-===//
//
// What a partition without tensors must compute again: the control flow around
// some operations and the scalars that they and it depend on.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_SCALARSLICE_H
#define NEREID_COMPILER_TRANSFORMS_SCALARSLICE_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"

namespace nereid {

class ScalarSlice {
public:
  /// Says of an operation with memory effects that it may be run again, at
  /// another time, with the same outcome.
  using MayRepeat = llvm::function_ref<bool(mlir::Operation *)>;

  /// Adds the operands of `anchor` and the control flow around it, up to and
  /// without the function. False, with nothing added, when that needs a tensor
  /// or an operation that may not run twice.
  bool add(mlir::Operation *anchor, MayRepeat mayRepeat);

  /// Writes the slice of `block` where `builder` stands. `emit` is called at
  /// each anchor instead of copying it, with what values have become.
  void clone(mlir::Block &block, mlir::OpBuilder &builder,
             mlir::IRMapping &mapping,
             llvm::function_ref<void(mlir::Operation *, mlir::OpBuilder &,
                                     mlir::IRMapping &)>
                 emit) const;

private:
  struct Parts {
    llvm::DenseSet<mlir::Operation *> operations; ///< to be copied
    llvm::DenseSet<mlir::Operation *> anchors;
    llvm::DenseSet<mlir::Value> values; ///< results and iteration arguments
  };
  static bool need(mlir::Value value, Parts &parts, MayRepeat mayRepeat);
  static bool needOperation(mlir::Operation *op, Parts &parts,
                            MayRepeat mayRepeat);
  static bool needAround(mlir::Operation *op, Parts &parts,
                         MayRepeat mayRepeat);
  Parts parts;
};

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_SCALARSLICE_H
