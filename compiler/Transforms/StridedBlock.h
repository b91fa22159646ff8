//===- StridedBlock.h - A window of a strided array -------------*- C++ -*-===//
//
// What block pointers and tensor descriptors have in common, and how a tensor
// of pointers and a mask are made of it.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_STRIDEDBLOCK_H
#define NEREID_COMPILER_TRANSFORMS_STRIDEDBLOCK_H

#include "compiler/Dialect/TT/TTDialect.h"

namespace nereid {

/// A block of an array at `offsets`. Sizes, strides and offsets count elements
/// and are i64.
struct StridedBlock {
  mlir::Value base;                     ///< scalar pointer
  llvm::SmallVector<mlir::Value> shape; ///< of the whole array
  llvm::SmallVector<mlir::Value> strides;
  llvm::SmallVector<mlir::Value> offsets; ///< of the block in the array
  llvm::SmallVector<int64_t> block;       ///< its own shape

  /// Pointers to the block's elements.
  mlir::Value pointers(mlir::OpBuilder &builder, mlir::Location loc) const;

  /// True where 0 <= coordinate < shape in all of `dims`; null for no dims.
  mlir::Value mask(mlir::OpBuilder &builder, mlir::Location loc,
                   llvm::ArrayRef<int32_t> dims) const;
};

/// `value` as i64, sign-extended.
mlir::Value toI64(mlir::OpBuilder &builder, mlir::Location loc,
                  mlir::Value value);

/// A tensor of `shape` that holds `value` everywhere.
mlir::Value splatTo(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// `coordinates`, a 1-D tensor along `dim`, as a tensor of the same rank as
/// `block` with size one elsewhere.
mlir::Value alongDim(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value coordinates, unsigned dim, unsigned rank);

/// `value`, of sizes 1 or those of `shape`, broadcast to `shape`.
mlir::Value broadcastTo(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// The constant zero (or NaN) of a scalar or tensor type.
mlir::Value zeroOf(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Type type);
mlir::Value nanOf(mlir::OpBuilder &builder, mlir::Location loc,
                  mlir::Type type);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_STRIDEDBLOCK_H
