//===- TTDialect.h - The tile dialect ---------------------------*- C++ -*-===//
//
// Everything a user of `tt` needs: the dialect, its types, ops and
// enumerations, and helpers that look through tensors and pointers.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TT_TTDIALECT_H
#define NEREID_COMPILER_DIALECT_TT_TTDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

// Generated code leaves parameters unused.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "compiler/Dialect/TT/TTDialect.h.inc"
#include "compiler/Dialect/TT/TTEnums.h.inc"
#include "compiler/Dialect/TT/TTGDialect.h.inc"
#include "compiler/Dialect/TT/TTGEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/TT/TTTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/TT/TTAttrs.h.inc"

namespace nereid::tt {

/// What loads and stores touch. All address spaces share it.
struct GlobalMemory : mlir::SideEffects::Resource::Base<GlobalMemory> {
  llvm::StringRef getName() final { return "<GlobalMemory>"; }
};

/// Most elements that one tensor may have.
constexpr int64_t kMaxTensorElements = 1 << 20;

/// Fails, with a message that names the type, unless every dimension is a
/// power of two and the elements are at most kMaxTensorElements.
mlir::LogicalResult verifyTensorSize(mlir::RankedTensorType type,
                                     mlir::Operation *op, llvm::StringRef what);

/// Trait: verifyTensorSize on every operand and result.
template <typename ConcreteType>
class VerifyTileSize
    : public mlir::OpTrait::TraitBase<ConcreteType, VerifyTileSize> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op);
};

/// Trait: operands and results are all scalars, or all tensors of one shape.
template <typename ConcreteType>
class SameTileShape
    : public mlir::OpTrait::TraitBase<ConcreteType, SameTileShape> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op);
};

namespace detail {
mlir::LogicalResult verifyTileSize(mlir::Operation *op);
mlir::LogicalResult verifySameTileShape(mlir::Operation *op);
} // namespace detail

template <typename ConcreteType>
mlir::LogicalResult
SameTileShape<ConcreteType>::verifyTrait(mlir::Operation *op) {
  return detail::verifySameTileShape(op);
}

template <typename ConcreteType>
mlir::LogicalResult
VerifyTileSize<ConcreteType>::verifyTrait(mlir::Operation *op) {
  return detail::verifyTileSize(op);
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// The type itself, or a tensor's element type.
mlir::Type getElementType(mlir::Type type);

/// `shape` with `element`; a tensor type has its element exchanged, a scalar is
/// replaced.
mlir::Type withElementType(mlir::Type type, mlir::Type element);

/// What a pointer, or each pointer of a tensor, points to. A block pointer
/// gives its tensor type. Null when `type` is no pointer.
mlir::Type getPointeeType(mlir::Type type);

/// The value that a load through `type` gives: the pointee, with the shape of
/// a tensor of pointers.
mlir::Type getLoadedType(mlir::Type type);

/// True for a pointer or a tensor of pointers.
bool isPtrLike(mlir::Type type);

/// True for a pointer to a tensor.
bool isBlockPtr(mlir::Type type);

/// The type of the scalar pointer that a block pointer of `type` starts from;
/// null when `type` is no block pointer.
mlir::Type getBlockBaseType(mlir::Type type);

/// A tensor's shape, or nothing for a scalar.
llvm::ArrayRef<int64_t> getShape(mlir::Type type);

/// Elements of a tensor; 1 for a scalar.
int64_t getNumElements(mlir::Type type);

/// Bits of one element; 64 for pointers.
unsigned getElementBits(mlir::Type type);

/// i1 with the shape of `type`: the type of its mask.
mlir::Type getMaskType(mlir::Type type);

/// The scalar that every element of `value` equals, when a splat or a constant
/// says so: a constant's attribute in `attr`, or a value. Both null otherwise.
struct SplatSource {
  mlir::Value scalar;
  mlir::TypedAttr attr;
  explicit operator bool() const { return scalar || attr; }
};
SplatSource getSplatSource(mlir::Value value);

} // namespace nereid::tt

#define GET_OP_CLASSES
#include "compiler/Dialect/TT/TTOps.h.inc"
#define GET_OP_CLASSES
#include "compiler/Dialect/TT/TTGOps.h.inc"

#pragma GCC diagnostic pop

#endif // NEREID_COMPILER_DIALECT_TT_TTDIALECT_H
