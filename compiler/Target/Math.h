//===- Math.h - Nereid's own mathematical functions ------------*- C++ -*-===//
//
// Every function of the math dialect that no instruction serves, as
// polynomials in arith operations: no library, no tables in memory, the same on
// every target. The pass nrd-expand-math (Passes.td) applies it.
//
// Largest errors, in units in the last place, as tests/compiler/Target tests
// them against references of higher precision. f32: all 2^32 inputs' range,
// sampled densely; f64: random samples.
//
//   function                             f32    f64
//   exp exp2                             1      1
//   expm1                                1.5    2
//   log                                  1      1
//   log2                                 1.25   1.25
//   log1p log10                          1.5    1.5
//   sin cos (any finite x)               1.25   1.25
//   tan                                  2      2
//   sinh cosh tanh                       2.5    2.5
//   asinh acosh atanh                    4      4
//   asin acos atan                       2      2
//   atan2                                2.5    2.5
//   erf                                  1.5    1.5
//   erfc                                 4.5    4.5
//   pow                                  1      1
//   cbrt rsqrt                           1.5    1.5
//   sqrt floor ceil trunc round roundeven fmod fma    exact
//
// Without fma each bound grows by at most 0.5, except where it is exact.
// Infinities, NaN, signed zeros, subnormal inputs and results, overflow and
// underflow follow C's Annex F.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_MATH_H
#define NEREID_COMPILER_TARGET_MATH_H

#include "mlir/IR/PatternMatch.h"

namespace nereid {

/// What the emitted code may use.
struct MathFeatures {
  bool fma = true;     ///< math.fma is an instruction
  bool scalef = false; ///< x86's AVX-512 vscalef
};

/// Patterns that expand math operations, and arith.remf, on f32 and f64 scalars
/// and vectors.
void populateExpandMathPatterns(mlir::RewritePatternSet &patterns,
                                const MathFeatures &features);

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_MATH_H
