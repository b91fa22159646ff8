//===- Convert.h - Conversions between floating-point formats --*- C++ -*-===//
//
// Exact, library-free conversions on scalars and vectors. A value of f32 or
// f64 is a value of that type; every narrower format is held and stored as its
// bits, in an integer of its size (`storageType`), because LLVM's half and
// bfloat would turn into calls of compiler-rt on targets without them. Triton's
// names and MLIR's types:
//
//   fp16 f16 · bf16 bf16 · fp8e4nv f8E4M3FN · fp8e5 f8E5M2 ·
//   fp8e4b8 f8E4M3FNUZ · fp8e5b16 f8E5M2FNUZ · fp8e4b15 f8E4M3B11FNUZ
//
// fp8e4b15 (sign, 4 exponent bits of bias 15, 3 mantissa bits, no infinity, no
// NaN, largest value 1.875) has no type in MLIR; f8E4M3B11FNUZ stands for it.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CONVERT_H
#define NEREID_COMPILER_TARGET_CONVERT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include <optional>

namespace nereid {

enum class FloatFormat { F64, F32, F16, BF16, E4NV, E5, E4B8, E5B16, E4B15 };

enum class Rounding { NearestEven, TowardZero };

/// What the code may use, so that nothing here needs to know a target.
struct ConvertFeatures {
  bool f16 = false; ///< native f16 <-> f32 (F16C, AVX-512)
};

/// The format of a float type, or nothing.
std::optional<FloatFormat> floatFormat(mlir::Type type);

/// The type that values of the format have: f64, f32, i16 or i8.
mlir::Type storageType(mlir::MLIRContext *context, FloatFormat format);

/// Converts a scalar or 1-D vector. `value` has elements of `from`'s storage
/// type or of the MLIR float type itself; the result has elements of `to`'s
/// storage type.
///
/// Widening is exact; NaN stays NaN (quiet) where the format has one. Narrowing
/// rounds once, also from f64, and keeps subnormals. Overflow gives infinity in
/// f16, bf16 and f32 (the largest finite value when rounding toward zero); fp8
/// saturates: everything beyond the largest finite value, infinities included,
/// becomes that value. NaN stays NaN; fp8e4b15, without one, gives +-1.875.
mlir::Value emitConvert(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, FloatFormat from, FloatFormat to,
                        Rounding rounding, const ConvertFeatures &features);

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_CONVERT_H
