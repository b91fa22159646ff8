//===- TGPUDialect.h - Tiles spread over a GPU's threads -------*- C++ -*-===//
//
// The dialect, its layout attribute, tile type and operations. What layouts
// there are and how they follow from each other is in Layouts.h.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_H
#define NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_H

#include "compiler/Dialect/TGPU/LinearLayout.h"
#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

namespace nereid::tgpu {
/// What barriers and copies order.
struct SharedMemory : mlir::SideEffects::Resource::Base<SharedMemory> {
  llvm::StringRef getName() final { return "tgpu.shared"; }
};
/// What `tgpu.variable` holds: nothing that another thread sees.
struct PrivateVariables : mlir::SideEffects::Resource::Base<PrivateVariables> {
  llvm::StringRef getName() final { return "tgpu.variables"; }
};
} // namespace nereid::tgpu

#include "compiler/Dialect/TGPU/TGPUDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/TGPU/TGPUAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/TGPU/TGPUTypes.h.inc"

#define GET_OP_CLASSES
#include "compiler/Dialect/TGPU/TGPUOps.h.inc"

#pragma GCC diagnostic pop

namespace nereid::tgpu {

/// Module attributes that `nrd-assign-layouts` sets and later passes ask for.
inline constexpr llvm::StringLiteral kTargetAttr = "nrd.target";
inline constexpr llvm::StringLiteral kNumWarpsAttr = "nrd.num_warps";
inline constexpr llvm::StringLiteral kNumStagesAttr = "nrd.num_stages";
/// On a memory operation with tensors, `array<i32: dim, width, run>`: along
/// tensor dimension `dim`, every aligned run of `width` elements is contiguous
/// in memory, aligned to its size, and under one value of the mask; runs of
/// `run` elements are contiguous, whatever their alignment. Absent: nothing is
/// known, every element for itself.
inline constexpr llvm::StringLiteral kAccessAttr = "nrd.access";
/// Registers of each thread at launch, where `nrd-warp-specialize` has decided
/// them.
inline constexpr llvm::StringLiteral kLaunchRegistersAttr =
    "nrd.launch_registers";
/// Byte offset in shared memory: of a `local_alloc` or `barrier_alloc`, and of
/// the scratch that an operation needs while it runs. Set by
/// `nrd-allocate-shared`.
inline constexpr llvm::StringLiteral kSharedOffsetAttr = "nrd.shared_offset";
/// Bytes of shared memory of the whole kernel, on the module.
inline constexpr llvm::StringLiteral kSharedBytesAttr = "nrd.shared_bytes";

/// Warps of the block, or of the warp_specialize partition `op` stands in.
int32_t numWarps(mlir::Operation *op);

/// The layout of a tensor type; null for a scalar or a type without one.
LayoutAttr getLayout(mlir::Type type);

/// The tensor type with another layout.
mlir::RankedTensorType withLayout(mlir::RankedTensorType type,
                                  LayoutAttr layout);

} // namespace nereid::tgpu

#endif // NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_H
