//===- Library.h - Parts of the functions of libdevice ---------*- C++ -*-===//
//
// What ExpandLibraryCalls.cpp and the files of its groups of functions share.
// Internal to them.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_LIBRARY_H
#define NEREID_COMPILER_TARGET_LIBRARY_H

#include "compiler/Target/Num.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <limits>
#include <optional>
#include <utility>

namespace nereid::library {

using Operands = llvm::ArrayRef<Num>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kPi = 3.14159265358979323846;

inline bool isF32(Num x) { return x.element().isF32(); }
inline Num widen(Num x) { return x.toWidth(x.b().getF64Type()); }
inline Num narrow(Num x) { return x.toWidth(x.b().getF32Type()); }

/// A function of f64 on operands of either width.
template <typename Fn> Num inF64(Operands x, Fn fn) {
  bool single = llvm::any_of(x, isF32);
  if (!single)
    return fn(x);
  llvm::SmallVector<Num, 4> wide;
  for (Num operand : x)
    wide.push_back(isF32(operand) ? widen(operand) : operand);
  return narrow(fn(Operands(wide)));
}

inline Num isInfinite(Num x) { return eq(abs(x), kInfinity); }
inline Num isFinite(Num x) { return lt(abs(x), kInfinity); }
/// A condition without its opposite's lanes, and the like.
inline Num negate(Num condition) { return condition ^ condition.integer(1); }
inline Num selectInt(Num condition, int64_t a, Num b) {
  return select(condition, b.integer(a), b);
}
inline Num square(Num x) { return x * x; }
inline Num fma(Num a, Num b, Num c) {
  return a.make<mlir::math::FmaOp>(a, b, c);
}
/// The sum of two floats, and what it lost by rounding.
inline std::pair<Num, Num> twoSum(Num a, Num b) {
  Num sum = a + b;
  Num part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
/// The next larger or smaller number; not of NaN, nor beyond infinity.
Num next(Num x, bool up);
/// A number rounded to nearest, moved to where `mode` rounds the exact value,
/// which is above or below it.
Num moveTo(Num rounded, Num exactIsAbove, Num exactIsBelow, char mode);
/// x * 2^n, rounded once.
Num scaleByPower(Num x, Num n);
/// The exponent of a finite number that is not 0, as i32.
Num exponentOf(Num x);
/// sin(pi x).
Num sinPi(Operands x);

// LibraryRounding.cpp: in f64, rounded to zero ('z'), down ('d') or up ('u').
Num directedProduct(Num a, Num b, char mode);
Num directedQuotient(Num a, Num b, char mode);
Num directedRoot(Num x, char mode);
Num directedFma(Num a, Num b, Num c, char mode);

// LibrarySpecial.cpp: of f64, error functions and the gamma function.
Num erfInverse(Num x);
Num erfcInverse(Num x);
Num scaledErfc(Num x);
Num normalCdf(Num x);
Num logGamma(Num x);
Num gammaFunction(Num x);

// LibraryBessel.cpp: of f64.
Num besselI(int order, Num x);
Num besselJ(int order, Num x);
Num besselY(int order, Num x);

} // namespace nereid::library

#endif // NEREID_COMPILER_TARGET_LIBRARY_H
