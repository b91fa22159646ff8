//===- MathEmitter.h - Building blocks of the math library (internal) -----===//
//
// What the functions of Math*.cpp share: polynomials, error-free sums and
// products, exponents, and the features of the target. Every function works on
// a scalar or vector of f32 or of f64, in that type's own precision.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_MATHEMITTER_H
#define NEREID_COMPILER_TARGET_MATHEMITTER_H

#include "compiler/Target/Math.h"
#include "compiler/Target/Num.h"

#include "llvm/ADT/ArrayRef.h"

namespace nereid {

/// A value in two parts, the second less than half a unit of the first.
struct Pair {
  Num high, low;
};

class MathEmitter {
public:
  /// `like` gives the type that all functions work on.
  MathEmitter(Num like, const MathFeatures &features)
      : like(like), features(features), isF64(like.width() == 64) {}

  // Facts of the type.
  int mantissaBits() const { return isF64 ? 52 : 23; }
  int bias() const { return isF64 ? 1023 : 127; }
  double pick(double f32, double f64) const { return isF64 ? f64 : f32; }
  Num constant(double f32, double f64) const {
    return like.same(pick(f32, f64));
  }
  Num infinity() const;
  Num nan() const;
  double smallestNormal() const;

  // Arithmetic.
  /// a * b + c, with one rounding where that is one instruction.
  Num fma(Num a, Num b, Num c) const;
  Num fma(Num a, double b, Num c) const { return fma(a, like.same(b), c); }
  Num fma(Num a, Num b, double c) const { return fma(a, b, like.same(c)); }
  /// a * b + c with one rounding on every target.
  Num exactFma(Num a, Num b, Num c) const;
  /// The polynomial of this type, lowest coefficient first (Horner).
  Num polynomial(Num x, llvm::ArrayRef<double> f32,
                 llvm::ArrayRef<double> f64) const;
  Pair twoSum(Num a, Num b) const;
  Pair fastTwoSum(Num a, Num b) const; ///< |a| >= |b|, or a == 0
  Pair twoProduct(Num a, Num b) const;
  Pair multiply(Pair a, Pair b) const;

  // Exponents.
  /// p * 2^n for p near 1 and integral n within a few of the exponent range,
  /// rounded once: to infinity, to subnormals and to zero too.
  Num scale(Num p, Num n) const;
  /// 2^n for integral float n within the normal range.
  Num power2(Num n) const;
  /// A small integer as a float.
  Num smallToFloat(Num integer) const;
  /// A small integral float as an integer.
  Num smallToInt(Num number) const;
  /// x = m * 2^e with m in [sqrt(1/2), sqrt(2)), for positive finite x,
  /// subnormal ones too. e is a float.
  struct Decomposed {
    Num mantissa, exponent;
  };
  Decomposed decompose(Num x) const;

  // Conditions.
  static Num either(Num a, Num b) { return a | b; }
  static Num both(Num a, Num b) { return a & b; }
  /// i1: whether any lane of a condition holds.
  mlir::Value any(Num condition) const;
  Num select(Num condition, Num a, double b) const {
    return nereid::select(condition, a, like.same(b));
  }
  Num select(Num condition, double a, Num b) const {
    return nereid::select(condition, like.same(a), b);
  }
  Num select(Num condition, double a, double b) const {
    return nereid::select(condition, like.same(a), like.same(b));
  }
  Num select(Num condition, Num a, Num b) const {
    return nereid::select(condition, a, b);
  }

  // Functions; Math.h documents them.
  Num exp(Num x) const { return expTimesPower(x, 0); }
  Num expTimesPower(Num x, int power) const; ///< e^x * 2^power
  Num exp2(Num x) const;
  Num expm1(Num x) const;
  Num log(Num x) const;
  Num log2(Num x) const;
  Num log10(Num x) const;
  Num log1p(Num x) const;
  Num pow(Num x, Num y) const;
  Num sinh(Num x) const;
  Num cosh(Num x) const;
  Num tanh(Num x) const;
  Num asinh(Num x) const;
  Num acosh(Num x) const;
  Num atanh(Num x) const;
  Num erf(Num x) const;
  Num erfc(Num x) const;
  Num rsqrt(Num x) const;
  Num cbrt(Num x) const;
  Num sin(Num x) const;
  Num cos(Num x) const;
  Num tan(Num x) const;
  Num asin(Num x) const;
  Num acos(Num x) const;
  Num atan(Num x) const;
  Num atan2(Num y, Num x) const;
  Num round(Num x) const;
  Num remainder(Num x, Num y) const; ///< fmod

private:
  struct Logarithm {
    Num f, tail; ///< log(1 + f) = f + tail
  };
  Logarithm logarithmOf(Num f) const;
  /// ofTwo = log_b(2) in two parts; whole = log_b(e) = leading + rest.
  Num logBase(Num x, Pair ofTwo, double leading, double rest,
              double whole) const;
  Num logSpecials(Num x, Num result) const;
  Pair logarithm2(Num x) const; ///< of positive finite x, in two parts

  /// x = r + low + q * pi / 2 with |r| <= pi / 4 and low a few last places of
  /// r; q an integer, right modulo 4.
  struct Reduced {
    Num r, low, quadrant;
  };
  Reduced reduce(Num x) const;
  Reduced reduceSmall(Num x) const;
  Reduced reduceLargeF32(Num x) const;
  Reduced reduceLargeF64(Num x) const;
  Num sinPolynomial(Num r, Num low) const;
  Num cosPolynomial(Num r, Num low) const;
  Num sinOrCos(Num x, int shift) const;
  Num atanPositive(Num a) const;

  Num like;
  MathFeatures features;
  bool isF64;
};

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_MATHEMITTER_H
