//===- MicroKernels.h - Register-tiled dot products for CPUs ---*- C++ -*-===//
//
// Emits C += A * B for one tile as loops around a micro-kernel that keeps its
// accumulators in vector registers over all of K. What is fast on which
// instruction set is one table in MicroKernels.cpp; callers ask `panelLayout`
// how to pack B and then call `emitDot`.
//
// Everything is emitted as arith, scf, vector and llvm ops on `!llvm.ptr`,
// with `i64` address arithmetic; nothing allocates. The values that narrow
// floats have in memory are their bits: see compiler/Target/Convert.h.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_MICROKERNELS_H
#define NEREID_COMPILER_TARGET_CPU_MICROKERNELS_H

#include "compiler/Target/Target.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace nereid::cpu {

/// One dot: C[m][n] += A[m][k] * B[k][n]. Sizes are powers of two, 1 or more.
/// Types are those of the tile program (f64 f32 f16 bf16, the f8 types, i8,
/// and i32 or a float for C).
struct DotShape {
  int64_t m = 1, n = 1, k = 1;
  mlir::Type aType, bType, cType;
};

/// How B lies in memory for `emitDot`:
///   [n / width][paddedK / group][width][group] elements of `element`,
/// panel after panel without gaps, 64-byte aligned. Element (k, n) is at
///   ((n / width * paddedK / group + k / group) * width + n % width) * group
///   + k % group.
/// With group == 1 a panel is simply paddedK rows of `width` elements.
struct PanelLayout {
  mlir::Type element;  ///< f32, f64, i32; with group > 1 bf16, f16, i16 or i8
  int64_t width = 1;   ///< columns of one panel (a power of two, divides n)
  int64_t group = 1;   ///< rows of B that are interleaved: 1, 2 or 4
  int64_t paddedK = 1; ///< k rounded up; rows from k on must hold zeros
  mlir::Type aElement; ///< the type A is read fastest in; `emitDot` also takes
                       ///< the shape's own aType, at some cost when it differs
  int64_t bytes(int64_t n) const; ///< size of all panels of n columns
};

/// The type products are accumulated in: f64 for f64, i32 for i8, else f32.
mlir::Type computeType(mlir::Type aType, mlir::Type bType, mlir::Type cType);

/// Lanes of one vector register for elements of `type` (at least 1).
int64_t vectorLanes(const TargetInfo &target, mlir::Type type);

/// The layout that `emitDot` expects for this shape on this target. It depends
/// on the shape only through its types, n and k, never on m.
PanelLayout panelLayout(const DotShape &shape, const TargetInfo &target);

/// `panelLayout().width` for a dot whose panels hold `computeType`.
int64_t panelWidth(const TargetInfo &target, mlir::Type computeType, int64_t n);

/// Optional inputs of `emitDot`.
struct DotOptions {
  /// Elements between A(i, k) and A(i, k + 1), i64; null means 1. A unit stride
  /// is needed where `panelLayout().group` is not 1.
  mlir::Value aColStride;
  /// How many of the shape's k steps to do, i64; null means all. Where
  /// `panelLayout().group` is not 1 it is rounded up to a multiple of it: up to
  /// there A must be readable and finite, and B zero.
  mlir::Value kCount;
  /// `kCount` is a multiple of this power of two. A matrix unit takes no larger
  /// steps along k, so it wants 32 (bf16) or 64 (i8).
  int64_t kMultiple = 1;
  /// C = A * B instead of C += A * B: C is not read.
  bool overwrite = false;
  /// A holds `panelLayout().aElement` rather than the shape's aType.
  bool aConverted = false;
};

/// Emits C += A * B at the builder's insertion point.
///
///   aBase       !llvm.ptr to A(0, 0); element (i, k) is at i * aRowStride + k,
///               readable for k < paddedK
///   aRowStride  i64, in elements
///   bPanels     !llvm.ptr, 64-byte aligned, laid out as `panelLayout` says
///   cBase       !llvm.ptr to C(0, 0) of cType; element (i, j) is at
///               i * cRowStride + j; no alignment beyond cType's is assumed
///   cRowStride  i64, in elements
///
/// A, B and C must not overlap. Every element sums its products in ascending k,
/// each with one rounding where the target has fma and two where it does not
/// (v2); i32 wraps. The matrix unit of x86-64-amx adds pairs in its own order.
/// Fails, with an error at `loc`, on types it has no rule for.
mlir::LogicalResult emitDot(mlir::OpBuilder &builder, mlir::Location loc,
                            const DotShape &shape, mlir::Value aBase,
                            mlir::Value aRowStride, mlir::Value bPanels,
                            mlir::Value cBase, mlir::Value cRowStride,
                            const TargetInfo &target,
                            const DotOptions &options = {});

/// Transposes W vectors of W lanes (W a power of two, any element type) in
/// registers: lane j of rows[i] becomes lane i of rows[j].
void emitTranspose(mlir::OpBuilder &builder, mlir::Location loc,
                   llvm::SmallVectorImpl<mlir::Value> &rows);

/// Interleaves `group` = rows.size() (1, 2 or 4) vectors of W lanes for packing
/// panels: the results, stored one after another, hold
/// rows[0][0] rows[1][0] ... rows[0][1] rows[1][1] ...
llvm::SmallVector<mlir::Value> emitInterleave(mlir::OpBuilder &builder,
                                              mlir::Location loc,
                                              mlir::ValueRange rows);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_MICROKERNELS_H
