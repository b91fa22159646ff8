//===- ElementOps.h - One elementwise op on scalars or lanes ---*- C++ -*-===//
//
// Knows how every elementwise operation looks on the values that code
// generation works with: scalars, or vectors of any number of lanes. Floats
// narrower than 32 bits are held as their bits (compiler/Target/Convert.h) and
// widened around each operation; pointers are !llvm.ptr as scalars and i64
// addresses in lanes.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_ELEMENTOPS_H
#define NEREID_COMPILER_TARGET_CPU_ELEMENTOPS_H

#include "compiler/Target/Convert.h"
#include "compiler/Target/Target.h"

#include "mlir/IR/Builders.h"

namespace nereid::cpu {

class ElementOps {
public:
  explicit ElementOps(const TargetInfo &target);

  /// The type that one element of `type` is held in.
  mlir::Type storage(mlir::Type type) const;
  /// Bytes of one element in memory.
  int64_t bytes(mlir::Type type) const;
  /// `storage(element)` for lanes == 0, else a vector of it; pointers are i64
  /// in vectors.
  mlir::Type held(mlir::Type element, int64_t lanes) const;

  /// True when `emit` knows the operation.
  bool handles(mlir::Operation *op) const;

  /// Emits `op` on held values (lanes == 0: scalars); an error is reported at
  /// the operation.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  emit(mlir::OpBuilder &b, mlir::Operation *op, mlir::ValueRange operands,
       int64_t lanes) const;

  /// Emits the combine region of a reduction or scan on two sets of values.
  /// `outer` gives the held scalar of a value from outside the region.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  combine(mlir::OpBuilder &b, mlir::Region &region, mlir::ValueRange lhs,
          mlir::ValueRange rhs, int64_t lanes,
          llvm::function_ref<mlir::Value(mlir::Value)> outer) const;

  /// The value that leaves every other unchanged under a combine region of one
  /// operation, as a held scalar attribute; null when there is none we know.
  mlir::TypedAttr identity(mlir::Region &region) const;

  /// A constant of the element type, held.
  mlir::Value constant(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::TypedAttr scalar, int64_t lanes) const;
  /// The held form of a scalar attribute (bits for narrow floats).
  mlir::TypedAttr heldAttr(mlir::TypedAttr scalar) const;

  /// A scalar in every lane; a constant stays one.
  mlir::Value splat(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scalar,
                    int64_t lanes) const;

  /// Float format conversion of a held value.
  mlir::Value convertFloat(mlir::OpBuilder &b, mlir::Location loc,
                           mlir::Value value, mlir::Type from, mlir::Type to,
                           Rounding rounding = Rounding::NearestEven) const;

  const TargetInfo &target;

private:
  mlir::Value divide(mlir::OpBuilder &b, mlir::Operation *op, mlir::Value lhs,
                     mlir::Value rhs, int64_t lanes) const;
  mlir::Value extremum(mlir::OpBuilder &b, mlir::Location loc, bool larger,
                       bool ignoresNan, mlir::Value x, mlir::Value y,
                       mlir::Type element, int64_t lanes) const;
  mlir::Value generic(mlir::OpBuilder &b, mlir::Operation *op,
                      mlir::ValueRange operands, int64_t lanes,
                      llvm::SmallVectorImpl<mlir::Value> &results) const;

  ConvertFeatures features;
};

/// The integer a value is known to be, when it is a constant scalar.
std::optional<int64_t> constantInt(mlir::Value value);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_ELEMENTOPS_H
