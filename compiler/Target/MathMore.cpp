//===- MathMore.cpp - Hyperbolic and error functions, roots, remainder ----===//

#include "compiler/Target/MathCoefficients.h"
#include "compiler/Target/MathEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;

namespace nereid {

using namespace coefficients;

//===----------------------------------------------------------------------===//
// Hyperbolic functions
//===----------------------------------------------------------------------===//

Num MathEmitter::tanh(Num x) const {
  Num a = atMost(abs(x), pick(10, 22)); // 1 to the last bit from there on
  Num e = expm1(a * 2.0);
  return copysign(e / (e + 2.0), x);
}

Num MathEmitter::sinh(Num x) const {
  Num a = abs(x);
  Num e = expm1(a);
  Num small = (e + e / (e + 1.0)) * 0.5;
  // e^-a is below the last bit; e^a / 2 overflows only when sinh does.
  Num large = expTimesPower(a, -1);
  return copysign(select(gt(a, pick(12, 24)), large, small), x);
}

Num MathEmitter::cosh(Num x) const {
  Num e = expTimesPower(abs(x), -1);
  return e + 0.25 / e;
}

Num MathEmitter::asinh(Num x) const {
  // log1p(a + a^2 / (1 + sqrt(1 + a^2))); for large a, log(2 a).
  Num a = abs(x);
  double limit = pick(0x1p14, 0x1p28);
  Num large = gt(a, limit);
  Num clamped = select(large, 1.0, a);
  Num square = clamped * clamped;
  Num small = clamped + square / (1.0 + sqrt(square + 1.0));
  Num result = log1p(select(large, a - 1.0, small));
  result = select(large, result + 0x1.62e42fefa39efp-1, result);
  return copysign(result, x);
}

Num MathEmitter::acosh(Num x) const {
  // t = x - 1: log1p(t + sqrt(2 t + t^2)); for large x, log(2 x).
  Num large = gt(x, pick(0x1p14, 0x1p28));
  Num t = x - 1.0;
  Num clamped = select(large, 1.0, t);
  Num small = clamped + sqrt(clamped * (clamped + 2.0));
  Num result = log1p(select(large, t, small));
  result = select(large, result + 0x1.62e42fefa39efp-1, result);
  return select(lt(x, 1), nan(), result);
}

Num MathEmitter::atanh(Num x) const {
  Num a = abs(x);
  Num t = a * 2.0 / (1.0 - a);
  return copysign(log1p(t) * 0.5, x);
}

//===----------------------------------------------------------------------===//
// Error function
//===----------------------------------------------------------------------===//

// erfc for x >= 1/2: exp(-x^2) p(t) / (1 + 2 x), t = (x - 4) / (x + 4).
static Num erfcTail(const MathEmitter &m, Num x) {
  x = atMost(x, m.pick(10.5, 28));
  Num t = (x - 4.0) / (x + 4.0);
  Num p = m.polynomial(t, kErfcF32, kErfcF64);
  Pair square = m.twoProduct(x, x);
  Num scaled = p / m.fma(x, 2.0, x.same(1));
  // exp(-(h + l)) = exp(-h) (1 - l).
  return m.exp(-square.high) * m.fma(scaled, -square.low, scaled);
}

Num MathEmitter::erf(Num x) const {
  Num a = abs(x);
  Num small = fma(a, polynomial(a * a, kErfF32, kErfF64), a);
  Num large = 1.0 - erfcTail(*this, a);
  return copysign(select(lt(a, 1), small, large), x);
}

Num MathEmitter::erfc(Num x) const {
  Num a = abs(x);
  Num tail = erfcTail(*this, a);
  Num smallPart = a * polynomial(a * a, kErfF32, kErfF64);
  Num near = copysign(like.same(1), x);
  // 1 - erf for |x| < 1/2, by parts; 2 - tail on the far left.
  Num smallErf = a + smallPart;
  Num small = select(lt(x, 0), 1.0 + smallErf, (0.5 - smallErf) + 0.5);
  Num large = select(lt(near, 0), 2.0 - tail, tail);
  Num result = select(lt(a, 0.5), small, large);
  return select(isNaN(x), x, result);
}

//===----------------------------------------------------------------------===//
// Roots and rounding
//===----------------------------------------------------------------------===//

Num MathEmitter::rsqrt(Num x) const { return 1.0 / sqrt(x); }

Num MathEmitter::cbrt(Num x) const {
  Num a = abs(x);
  Decomposed parts = decompose(a);
  // a = m 8^k with m in [sqrt(1/2), 4 sqrt(2)).
  Num k = x.make<math::FloorOp>(parts.exponent * 0x1.5555555555556p-2 + 0x1p-6);
  Num rest = parts.exponent - k * 3.0;
  Num m = parts.mantissa * select(eq(rest, 2), 4.0, 1.0) *
          select(eq(rest, 1), 2.0, 1.0);
  // A rough start, within 8 %, then Halley's iteration, which cubes the error.
  Num y = fma(fma(m, -0.0268, m.same(0.3646)), m, 0.6764);
  for (int i = 0; i < (isF64 ? 3 : 2); ++i) {
    Num cube = y * y * y;
    y = y * (cube + m * 2.0) / (cube * 2.0 + m);
  }
  // One correction from the exact residual m - y^3.
  Pair square = twoProduct(y, y);
  Pair cube = twoProduct(square.high, y);
  Num residual = (m - cube.high) - cube.low;
  residual = fma(square.low, -y, residual);
  y = y + residual / (square.high * 3.0);
  Num result = copysign(y * power2(k), x);
  Num special = either(eq(a, 0), both(ge(a, infinity()), eq(a, a)));
  result = select(special, x, result);
  return select(isNaN(x), x, result);
}

// Away from zero on ties, which no instruction does.
Num MathEmitter::round(Num x) const {
  Num whole = truncate(x);
  Num away = ge(abs(x - whole), 0.5);
  return whole + copysign(select(away, 1.0, 0.0), x);
}

//===----------------------------------------------------------------------===//
// fma without hardware, and the remainder
//===----------------------------------------------------------------------===//

// The sum of a and b, rounded to odd: towards zero, with the last bit set when
// something was lost. A later rounding to fewer bits is then right.
static Num addToOdd(const MathEmitter &m, Num a, Num b) {
  Pair sum = m.twoSum(a, b);
  Num bits = sum.high.bits();
  Num isEven = eq(bits & 1, 0);
  Num inexact = ne(sum.low, 0);
  // Towards the lost part: up in magnitude when the signs agree.
  Num sameSign = ge(bits ^ sum.low.bits(), 0);
  Num moved = select(sameSign, bits + 1, bits - 1);
  Num fix =
      isEven & inexact & eq(sum.low, sum.low) & lt(abs(sum.high), m.infinity());
  return select(fix, moved, bits).asFloat();
}

Num MathEmitter::exactFma(Num a, Num b, Num c) const {
  if (features.fma)
    return a.make<math::FmaOp>(a, b, c);
  if (!isF64) {
    // In f64 the product is exact; the sum, rounded to odd, has bits to spare.
    Type f64 = a.b().getF64Type();
    Num product = a.toWidth(f64) * b.toWidth(f64);
    MathEmitter m(product, features);
    Num sum = addToOdd(m, product, c.toWidth(f64));
    return sum.toWidth(a.element());
  }
  // Bring the factors to [1, 2) and c to their product's scale, so that nothing
  // overflows or becomes subnormal on the way. A c much larger or smaller than
  // the product matters only as a large or small number.
  auto exponentOf = [&](Num x) -> std::pair<Num, Num> {
    Num tiny = lt(abs(x), smallestNormal());
    Num scaled = select(tiny, x * 0x1p54, x);
    Num bits = scaled.bits();
    Num exponent = (lshr(bits, 52) & 0x7ff) - 1023 -
                   select(tiny, bits.integer(54), bits.integer(0));
    int64_t keep = static_cast<int64_t>(0x800fffffffffffffull);
    Num mantissa = ((bits & keep) | (int64_t(1023) << 52)).asFloat();
    return {mantissa, exponent};
  };
  auto pow2 = [&](Num n) { return shl(n + 1023, 52).asFloat(); };
  auto clamp = [&](Num n, int64_t low, int64_t high) {
    n = select(lt(n, low), n.integer(low), n);
    return select(gt(n, high), n.integer(high), n);
  };
  auto [ma, ea] = exponentOf(a);
  auto [mb, eb] = exponentOf(b);
  auto [mc, ec] = exponentOf(c);
  Num scale = ea + eb;
  Num distance = ec - scale;
  Num zeroC = eq(c, 0);
  Num cScaled = mc * pow2(clamp(distance, -300, 300));
  cScaled = select(zeroC, c, cScaled);
  // The result is about 2^(scale + up).
  Pair u = twoProduct(ma, mb);
  Pair t = twoSum(cScaled, u.low);
  Pair v = twoSum(u.high, t.high);
  Num lowPart = addToOdd(*this, t.low, v.low);
  // When the result is subnormal, round where its last bit will be.
  // c beyond the clamp: the scale is c's own.
  Num up = select(gt(distance, 300), distance - 300, distance.integer(0));
  Num total = scale + up;
  // Unit of the last place of the smallest subnormal, at this scale.
  Num unit = clamp(-1074 - total, -1020, 900);
  Num sum = v.high + lowPart;
  Num anchor = copysign(pow2(unit + 52), sum);
  Num magnitude = abs(sum);
  Num subnormal = lt(magnitude, pow2(clamp(unit + 52, -1020, 1000)));
  anchor = select(subnormal, anchor, 0.0);
  Pair w = twoSum(anchor, v.high);
  Num rounded = w.high + addToOdd(*this, w.low, lowPart);
  Num result = copysign(rounded - anchor, sum);
  // Scale back in three exact steps, the last of which may overflow.
  Num part = clamp(ashr(total, 1), -1000, 1000);
  Num rest = clamp(total - part, -2000, 2000);
  Num half = ashr(rest, 1);
  // The steps go outwards: the result's own exponent decides the order.
  result = result * pow2(part) * pow2(half) * pow2(rest - half);
  // Zeros, infinities and NaN: the plain expression is right. An exact zero
  // must take its sign from the plain sum too.
  Num plain = a * b + c;
  Num special =
      either(either(eq(a, 0), eq(b, 0)), isNaN((a - a) + (b - b) + (c - c)));
  Num isZero = eq(v.high, 0) & eq(lowPart, 0);
  result = select(isZero, 0.0, result);
  result = select(special, plain, result);
  // The plain product may overflow where an infinite c decides.
  Num finiteProduct = lt(abs(a), infinity()) & lt(abs(b), infinity());
  return select(finiteProduct & eq(abs(c), infinity()), c, result);
}

// Long division: each step subtracts the largest multiple of y 2^k that a float
// quotient can count, exactly.
Num MathEmitter::remainder(Num x, Num y) const {
  OpBuilder &b = x.b();
  Location loc = x.at();
  Num divisor = abs(y);
  Num inf = infinity();
  // Where there is no remainder to find, the loop must not start.
  Num valid = lt(abs(x), inf) & gt(divisor, 0);
  Num start = select(valid, abs(x), 0.0);
  Num safe = select(valid, divisor, 1.0);
  auto loop = scf::WhileOp::create(
      b, loc, TypeRange{x.type()}, ValueRange{start},
      [&](OpBuilder &, Location, ValueRange arguments) {
        Num r = x.with(arguments[0]);
        scf::ConditionOp::create(b, loc, any(ge(r, safe)), arguments);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        Num r = x.with(arguments[0]);
        auto exponentOf = [&](Num v) {
          Num tiny = lt(v, smallestNormal());
          double up = mantissaBits() + 1;
          Num bits = select(tiny, v * std::ldexp(1.0, up), v).bits();
          Num e = lshr(bits, mantissaBits());
          return e - select(tiny, e.integer(mantissaBits() + 1), e.integer(0));
        };
        // k so that r / (y 2^k) stays below 2^mantissa.
        Num k = exponentOf(r) - exponentOf(safe) - (mantissaBits() - 1);
        k = select(lt(k, 0), k.integer(0), k);
        Num k1 = select(gt(k, bias()), k.integer(bias()), k), k2 = k - k1;
        auto pow2 = [&](Num n) {
          return shl(n + bias(), mantissaBits()).asFloat();
        };
        Num step = safe * pow2(k1) * pow2(k2);
        Num quotient = truncate(r / step);
        Num next = exactFma(quotient, -step, r);
        // The quotient may have been rounded up to an integer.
        next = select(lt(next, 0), next + step, next);
        Num active = ge(r, safe);
        scf::YieldOp::create(b, loc, Value(select(active, next, r)));
      });
  Num result = copysign(x.with(loop.getResult(0)), x);
  Num bad = either(either(eq(abs(x), inf), eq(y, 0)),
                   x.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, x, y));
  return select(bad, nan(), result);
}

} // namespace nereid
