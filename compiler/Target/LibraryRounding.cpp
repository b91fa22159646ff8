//===- LibraryRounding.cpp - f64 operations rounded in a direction --------===//
//
// Each is the operation to nearest, and the sign of what that lost. The loss is
// exact arithmetic where nothing overflows or underflows; where it would, the
// operands are scaled by powers of two first.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Library.h"

#include "compiler/Dialect/TT/TTDialect.h"

#include <cmath>

namespace nereid::library {

using namespace mlir;

/// 2^n, for n within the exponents of normal numbers; n has the width of the
/// result.
static Num powerOfTwo(Num n) {
  int mantissa = n.width() == 64 ? 52 : 23, bias = n.width() == 64 ? 1023 : 127;
  return shl(n + bias, mantissa).asFloat();
}

/// The next larger or smaller number; not of NaN, nor beyond infinity.
Num next(Num x, bool up) {
  Num bits = up ? x.bits() : (-x).bits();
  Num moved = select(lt(bits, 0), bits - 1, bits + 1);
  moved = selectInt(eq(x, 0.0), 1, moved);
  Num result = moved.asFloat();
  return up ? result : -result;
}

/// A number rounded to nearest, moved to where `mode` rounds the exact value,
/// which is above or below it.
Num moveTo(Num rounded, Num exactIsAbove, Num exactIsBelow, char mode) {
  Num down = next(rounded, false), up = next(rounded, true);
  switch (mode) {
  case 'd':
    return select(exactIsBelow, down, rounded);
  case 'u':
    return select(exactIsAbove, up, rounded);
  case 'z':
    return select(exactIsBelow & gt(rounded, 0.0), down,
                  select(exactIsAbove & lt(rounded, 0.0), up, rounded));
  default:
    return rounded;
  }
}

//===----------------------------------------------------------------------===//
// Exponents
//===----------------------------------------------------------------------===//

/// x * 2^n, rounded once. The scheme for f64: factors that keep the product
/// normal until the last one.
Num scaleByPower(Num x, Num n) {
  auto clamp = [](Num v, int low, int high) {
    v = select(lt(v, low), v.integer(low), v);
    return select(gt(v, high), v.integer(high), v);
  };
  if (isF32(x))
    return narrow(widen(x) * powerOfTwo(clamp(n, -400, 400).sext(64)));
  n = clamp(n, -3000, 3000);
  for (int step = 0; step < 2; ++step) {
    Num high = gt(n, 1023), low = lt(n, -1022);
    Num factor =
        select(high, x.same(std::ldexp(1.0, 1023)),
               select(low, x.same(std::ldexp(1.0, -1022 + 53)), x.same(1.0)));
    x = x * factor;
    n = select(high, n - 1023, select(low, n + (1022 - 53), n));
  }
  return x * powerOfTwo(clamp(n, -1022, 1023).sext(64));
}

/// The exponent of a finite number that is not 0, as i32.
Num exponentOf(Num x) {
  if (isF32(x))
    x = widen(x);
  Num tiny = lt(abs(x), std::ldexp(1.0, -1022));
  Num scaled = select(tiny, x * std::ldexp(1.0, 54), x);
  Num biased = (lshr(scaled.bits(), 52) & 0x7ff).trunc(32);
  return biased - select(tiny, biased.integer(1023 + 54), biased.integer(1023));
}

//===----------------------------------------------------------------------===//
// Directions
//===----------------------------------------------------------------------===//

/// Moves `rounded`, of which exact arithmetic lost `rest`.
static Num moveBy(Num rounded, Num rest, char mode) {
  return moveTo(rounded, gt(rest, 0.0), lt(rest, 0.0), mode);
}

Num directedProduct(Num a, Num b, char mode) {
  Num product = a * b;
  // Below 2^-900 the loss could underflow.
  Num tiny = lt(abs(product), std::ldexp(1.0, -900));
  double scale = std::ldexp(1.0, 600);
  Num factor = select(tiny, a.same(scale), a.same(1.0));
  Num x = a * factor, y = b * factor, exact = x * y;
  Num rest = fma(x, y, -exact);
  rest = select(tiny, (exact - product * scale * scale) + rest, rest);
  return moveBy(product, rest, mode);
}

Num directedQuotient(Num a, Num b, char mode) {
  Num quotient = a / b;
  // Both operands between 1 and 2; the rounded quotient to the same scale.
  Num above = exponentOf(a), below = exponentOf(b);
  Num x = scaleByPower(a, -above), y = scaleByPower(b, -below), exact = x / y;
  Num rest = fma(-exact, y, x);
  rest = select(lt(y, 0.0), -rest, rest);
  Num differs = exact - scaleByPower(quotient, below - above);
  rest = select(eq(differs, 0.0), rest, differs);
  Num usual = isFinite(a) & isFinite(b) & ne(a, 0.0) & ne(b, 0.0);
  Num over = isInfinite(quotient);
  rest = select(over, -quotient, rest); // finite operands: it overflowed
  return moveBy(quotient, select(usual, rest, rest.same(0)), mode);
}

Num directedRoot(Num x, char mode) {
  Num root = x.make<tt::PreciseSqrtOp>(x.type(), x);
  Num tiny = lt(x, std::ldexp(1.0, -900));
  Num scaled = select(tiny, x * std::ldexp(1.0, 600), x);
  Num again = select(tiny, root * std::ldexp(1.0, 300), root);
  return moveBy(root, fma(-again, again, scaled), mode);
}

Num directedFma(Num a, Num b, Num c, char mode) {
  Num sum = fma(a, b, c), product = a * b;
  auto two = [](int n) { return std::ldexp(1.0, n); };
  // Of a part too small to reach the other's last digit only the sign counts.
  Num hidden = lt(abs(product), two(-900)) & ge(abs(c), two(-300)) &
               ne(a, 0.0) & ne(b, 0.0);
  a = select(hidden, copysign(a.same(two(-400)), a), a);
  b = select(hidden, copysign(b.same(two(-400)), b), b);
  Num lost = lt(abs(c), two(-800)) & gt(abs(product), two(-600)) & ne(c, 0.0);
  c = select(lost, copysign(c.same(two(-800)), c), c);
  // Scaled into the middle: small products up, large sums down.
  Num small = lt(abs(product), two(-900)) & lt(abs(c), two(-300));
  Num large = gt(abs(product), two(1000)) | gt(abs(c), two(1000));
  Num ofEach = select(small, a.same(two(600)), a.same(1.0));
  Num x = a * ofEach, y = b * ofEach;
  Num down = select(large, a.same(two(-100)), a.same(1.0));
  Num first = gt(abs(x), abs(y));
  x = select(first, x * down, x);
  y = select(first, y, y * down);
  Num scale = select(small, a.same(two(600)), down);
  Num z = c * scale * ofEach, target = sum * scale * ofEach;
  // a * b + c - sum (S. Boldo, J.-M. Muller, "Exact and approximated error of
  // the FMA").
  // By an operation that no back end contracts with the sums below.
  Num high = fma(x, y, x.same(0)), low = fma(x, y, -high);
  auto [middle, end] = twoSum(z, low);
  auto [top, next] = twoSum(high, middle);
  Num rest = ((top - target) + next) + end;
  Num finite = isFinite(a) & isFinite(b) & isFinite(c);
  rest = select(isInfinite(sum), -sum, rest);
  Num result = moveBy(sum, select(finite, rest, rest.same(0)), mode);
  if (mode == 'd') { // an exact 0 of two signs is -0 when rounding down
    Num cancels = eq(sum, 0.0) & eq(result, 0.0) & ne(product, 0.0);
    result = select(cancels & eq(rest, 0.0), result.same(-0.0), result);
  }
  return result;
}

} // namespace nereid::library
