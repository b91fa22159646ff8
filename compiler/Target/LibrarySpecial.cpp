//===- LibrarySpecial.cpp - Error functions and the gamma function --------===//
//
// On f64, within a few units in the last place; f32 rounds the result once.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Library.h"

#include <cmath>

namespace nereid::library {

using namespace mlir;

static Num log(Num x) { return x.make<math::LogOp>(x); }
static Num exp(Num x) { return x.make<math::ExpOp>(x); }
static Num erfc(Num x) { return x.make<math::ErfcOp>(x); }

/// Horner's scheme, highest power first.
static Num polynomial(Num t, llvm::ArrayRef<double> coefficients) {
  Num sum = t.same(coefficients.front());
  for (double c : coefficients.drop_front())
    sum = sum * t + c;
  return sum;
}

Num sinPi(Operands x) {
  // The reduction is exact, and so are the zeros.
  Num r = x[0] - rint(x[0] * 0.5) * 2.0;
  r = select(gt(abs(r), 0.5), copysign(1.0 - abs(r), r), r);
  return r.make<math::SinOp>(r * kPi);
}

//===----------------------------------------------------------------------===//
// Error functions
//===----------------------------------------------------------------------===//

/// exp(x^2) erfc(x); beyond 25 by its series in 1/x^2.
Num scaledErfc(Num x) {
  Num high = square(x), low = fma(x, x, -high);
  low = select(isFinite(high), low, low.same(0)); // what the square lost
  Num direct = exp(high) * (1.0 + low) * erfc(x);
  Num t = 0.5 / high;
  Num tail = polynomial(t, {-135135, 10395, -945, 105, -15, 3, -1, 1}) /
             (x * std::sqrt(kPi));
  return select(gt(x, 25.0), tail, direct);
}

/// The y > 0 whose erf is p, and whose erfc is q = 1 - p; q counts where it is
/// below a half. A first guess (M. Giles, "Approximating the erfinv function",
/// or the leading terms far out), then Halley's method.
static Num erfInverseOf(Num p, Num q) {
  Num w = -log(q * (1.0 + p));
  Num central =
      polynomial(w - 2.5, {2.81022636e-08, 3.43273939e-07, -3.5233877e-06,
                           -4.39150654e-06, 0.00021858087, -0.00125372503,
                           -0.00417768164, 0.246640727, 1.50140941});
  Num tail =
      polynomial(sqrt(w) - 3.0, {-0.000200214257, 0.000100950558, 0.00134934322,
                                 -0.00367342844, 0.00573950773, -0.0076224613,
                                 0.00943887047, 1.00167406, 2.83297682});
  Num v = -log(q);
  Num far = sqrt(v - 0.5 * log(v * kPi));
  Num y = select(lt(w, 5.0), central * p, tail * p);
  y = select(gt(w, 14.0), far, y);
  Num inner = lt(p, 0.5);
  constexpr double kHalfRootPi = 0.88622692545275801365;
  for (int i = 0; i < 3; ++i) {
    Num near = (y.make<math::ErfOp>(y) - p) * kHalfRootPi * exp(square(y));
    Num below = erfc(y);
    // Of the ratio, so that nothing overflows far out.
    Num out = (below - q) / below * -kHalfRootPi * scaledErfc(y);
    out = select(gt(below, 0.0), out, out.same(0));
    Num step = select(inner, near, out);
    y = y - step / (1.0 + y * step);
  }
  return y;
}

Num erfInverse(Num x) {
  Num p = abs(x);
  Num y = erfInverseOf(p, 1.0 - p);
  y = select(eq(p, 1.0), y.same(kInfinity), copysign(y, x));
  y = copysign(y, x);
  return select(eq(x, 0.0) | isNaN(x), x,
                select(gt(p, 1.0), x.same(std::nan("")), y));
}

Num erfcInverse(Num x) {
  // Of x in (1, 2), 2 - x and x - 1 are exact.
  Num upper = gt(x, 1.0);
  Num q = select(upper, 2.0 - x, x);
  Num y = erfInverseOf(1.0 - q, q);
  y = select(eq(q, 0.0), y.same(kInfinity), y);
  y = select(eq(x, 1.0), y.same(0.0), select(upper, -y, y));
  return select(lt(x, 0.0) | gt(x, 2.0), x.same(std::nan("")),
                select(isNaN(x), x, y));
}

/// erfc(-x / sqrt(2)) / 2, with the argument's rounding errors carried along.
Num normalCdf(Num x) {
  constexpr double high = -0.70710678118654757274, low = 4.8336466567264851e-17;
  Num t = x * high;
  Num rest = fma(x, x.same(high), -t) + x * low;
  Num slope = exp(-square(t)) * (2.0 / std::sqrt(kPi));
  Num moved = erfc(t) - slope * rest;
  return select(isFinite(x), moved, erfc(t)) * 0.5;
}

//===----------------------------------------------------------------------===//
// Gamma
//===----------------------------------------------------------------------===//

/// log(gamma(2 + z)) for |z| <= 1/2: (zeta(k) - 1) / k with alternating signs.
static Num logGammaNearTwo(Num z) {
  return z *
         polynomial(z, {3.1044247747322272762e-11,  -6.4229645638381000221e-11,
                        1.3304764374244489481e-10,  -2.7595228851242331452e-10,
                        5.7313672416788620133e-10,  -1.1921401405860912074e-9,
                        2.4836745438024783172e-9,   -5.1834750419700466551e-9,
                        1.0838659214896954091e-8,   -2.271109460894316491e-8,
                        4.7698101693639805658e-8,   -1.0043224823968099609e-7,
                        2.1207184805554665869e-7,   -4.4924691987645660433e-7,
                        9.5514121304074198329e-7,   -2.0392157538013662368e-6,
                        4.3748667899074878042e-6,   -9.439488275268395904e-6,
                        0.000020507212775670691553, -0.0000449262367381331417,
                        0.000099457512781808533715, -0.00022315475845357937976,
                        0.00050966952474304242234,  -0.0011927539117032609771,
                        0.0028905103307415232858,   -0.0073855510286739852663,
                        0.020580808427784547879,    -0.067352301053198095133,
                        0.32246703342411321824,     0.42278433509846713939});
}

/// Stirling's series without its leading terms, from 10.5 on.
static Num stirling(Num x) {
  Num r = 1.0 / x;
  return r *
         polynomial(square(r), {1.0 / 156, -691.0 / 360360, 1.0 / 1188,
                                -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12});
}

/// x in [2.5, 10.5) is 2 + z + n: z, and (x - 1)(x - 2)...(x - n).
static std::pair<Num, Num> reduce(Num x) {
  Num n = rint(x - 2.0);
  n = select(gt(n, 0.0), n, n.same(0));
  n = select(lt(n, 8.0), n, n.same(8));
  Num product = x.same(1);
  for (int i = 1; i <= 8; ++i)
    product = select(ge(n, double(i)), product * (x - double(i)), product);
  return {x - 2.0 - n, product};
}

static Num logGammaOfPositive(Num x) {
  Num least = lt(x, 0.5), low = lt(x, 1.5);
  auto [reduced, product] = reduce(x);
  Num z = select(least, x, select(low, x - 1.0, reduced));
  Num near = logGammaNearTwo(z);
  near = near - select(low, z.make<math::Log1pOp>(z), z.same(0));
  near = near + select(least, -log(x), log(product));
  Num large = (x - 0.5) * (log(x) - 1.0) +
              (stirling(x) + (0.91893853320467274178 - 0.5));
  return select(lt(x, 10.5), near, large);
}

Num logGamma(Num x) {
  Num a = abs(x), positive = logGammaOfPositive(a);
  // gamma(x) gamma(-x) = -pi / (x sin(pi x))
  Num s = abs(sinPi({a}));
  Num reflected = (1.1447298858494001741 - log(a) - log(s)) - positive;
  Num result = select(lt(x, 0.0), reflected, positive);
  result = select(lt(x, 0.0) & eq(a, truncate(a)), x.same(kInfinity), result);
  result = select(isInfinite(x), a, result);
  return select(isNaN(x), x, result);
}

Num gammaFunction(Num x) {
  // Below 1/2 by reflection: pi / (sin(pi x) gamma(1 - x)).
  Num mirrored = lt(x, 0.5);
  Num y = select(mirrored, 1.0 - x, x);
  auto [reduced, product] = reduce(y);
  Num low = lt(y, 1.5);
  Num z = select(low, y - 1.0, reduced);
  Num near = exp(logGammaNearTwo(z)) * product;
  near = select(low, near / y, near);
  // sqrt(2 pi) y^(y - 1/2) e^-y; the power in two halves, against overflow.
  Num far = exp(-y) * exp(stirling(y)) * 2.5066282746310005024;
  far = select(gt(y, 200.0), y.same(kInfinity), far);
  Num power = y.make<math::PowFOp>(y, (y - 0.5) * 0.5);
  Num small = lt(y, 10.5);
  Num first = select(small, near, far * power);
  Num second = select(small, y.same(1), power);
  first = select(gt(y, 200.0), y.same(kInfinity), first);
  second = select(gt(y, 200.0), y.same(kInfinity), second);
  Num s = sinPi({x});
  Num result = select(mirrored, kPi / (s * first) / second, first * second);
  Num pole = (lt(x, 0.0) & eq(x, truncate(x)));
  result = select(pole, x.same(std::nan("")), result);
  result = select(eq(x, 0.0), copysign(x.same(kInfinity), x), result);
  return select(isNaN(x), x, result);
}

} // namespace nereid::library
