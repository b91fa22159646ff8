//===- MatrixUnit.h - Dots on a CPU's matrix unit (internal) ---*- C++ -*-===//
//
// What MicroKernels.cpp asks about AMX.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_MATRIXUNIT_H
#define NEREID_COMPILER_TARGET_CPU_MATRIXUNIT_H

#include "compiler/Target/CPU/MicroKernels.h"

#include <optional>

namespace nereid::cpu {

/// The panels of a dot that the target's matrix unit computes; nothing where
/// it has none or the shape is too small or of other types.
std::optional<PanelLayout> matrixPanelLayout(const DotShape &shape,
                                             const TargetInfo &target);

/// `emitDot` where `matrixPanelLayout` has a value.
mlir::LogicalResult emitMatrixDot(mlir::OpBuilder &builder, mlir::Location loc,
                                  const DotShape &shape, mlir::Value aBase,
                                  mlir::Value aRowStride, mlir::Value bPanels,
                                  mlir::Value cBase, mlir::Value cRowStride,
                                  const TargetInfo &target,
                                  const DotOptions &options);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_MATRIXUNIT_H
