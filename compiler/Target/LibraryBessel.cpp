//===- LibraryBessel.cpp - Bessel functions of order 0 and 1 --------------===//
//
// On f64. The modified ones are within a few units in the last place, the
// others within a few units of the largest value nearby: close to a zero the
// relative error grows, as in every library.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Library.h"

#include <cmath>

namespace nereid::library {

using namespace mlir;

constexpr double kEuler = 0.57721566490153286061;

/// prod over j = 1..k of (4 order^2 - (2 j - 1)^2), over k! 8^k.
static double hankelCoefficient(int order, int k) {
  double a = 1;
  for (int j = 1; j <= k; ++j)
    a *= (4.0 * order * order - (2.0 * j - 1) * (2.0 * j - 1)) / (8.0 * j);
  return a;
}

Num besselI(int order, Num x) {
  Num a = abs(x);
  // The power series: all terms are positive.
  Num near = a.same(1), t = square(a * 0.5);
  for (int k = 44; k >= 1; --k)
    near = near * t * (1.0 / (double(k) * (k + order))) + 1.0;
  if (order == 1)
    near = near * (a * 0.5);
  // The asymptotic one, from 18 on.
  Num u = 1.0 / a, sum = a.same(0);
  for (int k = 30; k >= 0; --k)
    sum = sum * u + (k % 2 ? -1 : 1) * hankelCoefficient(order, k);
  Num half = (a * 0.5).make<math::ExpOp>(a * 0.5);
  Num far = half * (sum / sqrt(a * (2 * kPi))) * half;
  far = select(isInfinite(a), a, far);
  Num result = select(lt(a, 18.0), near, far);
  return order == 1 ? copysign(result, x) : result;
}

namespace {
/// J0 and J1 at a point between 1e-8 and 25, and the sums that give Y0 and Y1
/// (Abramowitz and Stegun 9.1.88).
struct Neumann {
  Num j0, j1, even, odd;
};
} // namespace

/// The recurrence from high orders down, which is stable, scaled so that
/// J0 + 2 J2 + 2 J4 + ... is 1.
static Neumann recurrence(Num x) {
  Num twice = 2.0 / x;
  Num above = x.same(0), here = x.same(1e-100);
  Num norm = x.same(0), even = x.same(0), odd = x.same(0);
  for (int k = 70; k >= 1; --k) {
    int m = k / 2;
    double sign = m % 2 ? -1 : 1;
    if (k % 2 == 0) {
      norm = norm + here * 2.0;
      even = even + here * (sign / m);
    } else if (k > 1) {
      odd = odd + here * (sign * k / (double(m) * (m + 1)));
    }
    Num below = here * (twice * double(k)) - above;
    above = here;
    here = below;
    if (k % 8)
      continue;
    Num factor = select(gt(abs(here), 1e100), x.same(1e-100), x.same(1));
    for (Num *part : {&above, &here, &norm, &even, &odd})
      *part = *part * factor;
  }
  norm = norm + here;
  return {here / norm, above / norm, even / norm, odd / norm};
}

/// Hankel's expansion, from 25 on: J, or Y.
static Num hankel(int order, Num x, bool second) {
  Num u = 1.0 / x, t = square(u), p = x.same(0), q = x.same(0);
  for (int k = 10; k >= 0; --k) {
    double sign = k % 2 ? -1 : 1;
    p = p * t + sign * hankelCoefficient(order, 2 * k);
    q = q * t + sign * hankelCoefficient(order, 2 * k + 1);
  }
  q = q * u;
  Num s = x.make<math::SinOp>(x), c = x.make<math::CosOp>(x);
  // cos and sin of x - pi / 4 or x - 3 pi / 4, times sqrt(2).
  Num cosine = order ? s - c : c + s;
  Num sine = order ? -(s + c) : s - c;
  Num sum = second ? p * sine + q * cosine : p * cosine - q * sine;
  return select(isInfinite(x), x.same(0), sum / sqrt(x * kPi));
}

static Num between(Num x, double low, double high) {
  return atMost(atLeast(x, low), high);
}

Num besselJ(int order, Num x) {
  Num a = abs(x);
  Neumann near = recurrence(between(a, 1e-8, 25));
  Num result = order ? near.j1 : near.j0;
  result = select(lt(a, 1e-8), order ? a * 0.5 : a.same(1), result);
  result = select(gt(a, 25.0), hankel(order, a, false), result);
  if (order)
    result = copysign(a.same(1), x) * result;
  return select(isNaN(x), x, result);
}

Num besselY(int order, Num x) {
  Neumann near = recurrence(between(x, 1e-8, 25));
  Num clamped = atMost(x, 25);
  Num log = (clamped * 0.5).make<math::LogOp>(clamped * 0.5) + kEuler;
  Num tiny = lt(x, 1e-8);
  Num result = x;
  if (order) {
    result = (log - 1.0) * near.j1 - near.j0 / clamped - near.odd;
    result = select(tiny, -1.0 / clamped, result);
  } else {
    result = log * near.j0 - near.even * 2.0;
    result = select(tiny, log, result);
  }
  result = result * (2 / kPi);
  result = select(gt(x, 25.0), hankel(order, x, true), result);
  result = select(eq(x, 0.0), x.same(-kInfinity), result);
  return select(lt(x, 0.0) | isNaN(x), x.same(std::nan("")), result);
}

} // namespace nereid::library
