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
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "compiler/Dialect/TGPU/TGPUDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/TGPU/TGPUAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/TGPU/TGPUTypes.h.inc"

#define GET_OP_CLASSES
#include "compiler/Dialect/TGPU/TGPUOps.h.inc"

#pragma GCC diagnostic pop

namespace nereid::tgpu {

/// The layout of a tensor type; null for a scalar or a type without one.
LayoutAttr getLayout(mlir::Type type);

/// The tensor type with another layout.
mlir::RankedTensorType withLayout(mlir::RankedTensorType type,
                                  LayoutAttr layout);

} // namespace nereid::tgpu

#endif // NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_H
