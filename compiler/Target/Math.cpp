//===- Math.cpp - Building blocks, exponentials, logarithms, powers -------===//

#include "compiler/Target/MathCoefficients.h"
#include "compiler/Target/MathEmitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;

namespace nereid {

using namespace coefficients;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Num MathEmitter::infinity() const {
  return like.same(std::numeric_limits<double>::infinity());
}
Num MathEmitter::nan() const {
  return like.same(std::numeric_limits<double>::quiet_NaN());
}
double MathEmitter::smallestNormal() const {
  return std::ldexp(1.0, 1 - bias());
}

Num MathEmitter::fma(Num a, Num b, Num c) const {
  if (features.fma)
    return a.make<math::FmaOp>(a, b, c);
  return a * b + c;
}

Num MathEmitter::polynomial(Num x, ArrayRef<double> f32,
                            ArrayRef<double> f64) const {
  ArrayRef<double> coefficients = isF64 ? f64 : f32;
  Num sum = like.same(coefficients.back());
  for (double c : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, c);
  return sum;
}

Pair MathEmitter::twoSum(Num a, Num b) const {
  Num sum = a + b;
  Num bPart = sum - a;
  return {sum, (a - (sum - bPart)) + (b - bPart)};
}

Pair MathEmitter::fastTwoSum(Num a, Num b) const {
  Num sum = a + b;
  return {sum, b - (sum - a)};
}

// Without fma, by splitting each factor into halves whose products are exact
// (Dekker). |a| and |b| must stay below 2^(emax - 28).
Pair MathEmitter::twoProduct(Num a, Num b) const {
  Num product = a * b;
  if (features.fma)
    return {product, fma(a, b, -product)};
  auto split = [&](Num x) -> Pair {
    Num big = x * pick(0x1p12 + 1, 0x1p27 + 1);
    Num high = big - (big - x);
    return {high, x - high};
  };
  Pair x = split(a), y = split(b);
  Num error = x.high * y.high - product;
  error = error + x.high * y.low;
  error = error + x.low * y.high;
  return {product, error + x.low * y.low};
}

Pair MathEmitter::multiply(Pair a, Pair b) const {
  Pair product = twoProduct(a.high, b.high);
  Num low = fma(a.high, b.low, fma(a.low, b.high, product.low));
  return fastTwoSum(product.high, low);
}

// Adding 1.5 * 2^mantissa puts an integer into the low bits of the mantissa.
Num MathEmitter::power2(Num n) const {
  double magic = std::ldexp(1.5, mantissaBits()) + bias();
  return shl((n + magic).bits(), mantissaBits()).asFloat();
}

Num MathEmitter::smallToFloat(Num integer) const {
  if (!isF64)
    return integer.toFloat(like.element());
  double magic = std::ldexp(1.5, mantissaBits());
  return (integer + like.same(magic).bits()).asFloat() - magic;
}

Num MathEmitter::smallToInt(Num number) const {
  if (!isF64)
    return number.toInt();
  double magic = std::ldexp(1.5, mantissaBits());
  return (number + magic).bits() - like.same(magic).bits();
}

// One instruction where AVX-512 has it: vscalef knows overflow and subnormals.
static std::optional<Num> scaleByInstruction(Num p, Num n) {
  auto vector = dyn_cast<VectorType>(p.type());
  if (!vector || vector.getRank() != 1)
    return std::nullopt;
  int64_t lanes = vector.getNumElements();
  unsigned bits = lanes * p.width();
  if (bits != 128 && bits != 256 && bits != 512)
    return std::nullopt;
  std::string name = "llvm.x86.avx512.mask.scalef.";
  name += p.width() == 64 ? "pd." : "ps.";
  name += std::to_string(bits);
  OpBuilder &b = p.b();
  Type maskType = b.getIntegerType(std::max<int64_t>(8, lanes));
  SmallVector<Value> operands = {
      p, n, p,
      arith::ConstantOp::create(b, p.at(), b.getIntegerAttr(maskType, -1))};
  constexpr int kCurrentRounding = 4;
  if (bits == 512)
    operands.push_back(arith::ConstantOp::create(
        b, p.at(), b.getI32IntegerAttr(kCurrentRounding)));
  return p.with(LLVM::CallIntrinsicOp::create(b, p.at(), p.type(),
                                              b.getStringAttr(name), operands)
                    .getResult(0));
}

// Two factors: the first keeps clear of both ends of the exponent range, so
// that only the second can round or overflow.
Num MathEmitter::scale(Num p, Num n) const {
  if (features.scalef)
    if (std::optional<Num> result = scaleByInstruction(p, n))
      return *result;
  double away = pick(32, 64);
  Num low = lt(n, pick(-100, -1000));
  Num first = n + select(low, away, -1.0);
  return p * power2(first) * select(low, std::ldexp(1.0, -away), 2.0);
}

MathEmitter::Decomposed MathEmitter::decompose(Num x) const {
  double up = mantissaBits() + 1;
  Num subnormal = lt(x, smallestNormal());
  Num bits = select(subnormal, x * std::ldexp(1.0, up), x).bits();
  Num rootHalf = constant(0x1.6a09e6p-1, 0x1.6a09e667f3bcdp-1).bits();
  Num exponent = ashr(bits - rootHalf, mantissaBits());
  Num mantissa = (bits - shl(exponent, mantissaBits())).asFloat();
  Num number = smallToFloat(exponent);
  return {mantissa, number - select(subnormal, up, 0.0)};
}

Value MathEmitter::any(Num condition) const {
  if (!isa<VectorType>(condition.type()))
    return condition;
  return vector::ReductionOp::create(condition.b(), condition.at(),
                                     vector::CombiningKind::OR, condition);
}

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

// ln 2 in two parts; the product of the first with any exponent is exact.
constexpr double kLn2High[] = {0x1.62ep-1, 0x1.62e42fefa38p-1};
constexpr double kLn2Low[] = {0x1.0bfbe8e7bcd5ep-15, 0x1.ef35793c7673p-45};
constexpr double kLog2E = 0x1.71547652b82fep0;

// 2^n * 2^f, |f| <= 1/2. The limits are where the result is infinity or zero
// for certain; within them nothing here overflows.
Num MathEmitter::exp2(Num x) const {
  x = atLeast(atMost(x, pick(129, 1025)), pick(-151, -1076));
  Num n = rint(x);
  Num f = x - n;
  return scale(fma(f, polynomial(f, kExp2F32, kExp2F64), 1), n);
}

// 2^n * e^r, |r| <= ln 2 / 2.
Num MathEmitter::expTimesPower(Num x, int power) const {
  x = atLeast(atMost(x, pick(89, 710) - power), pick(-105, -747));
  Num n = rint(x * kLog2E);
  Num r = fma(n, -kLn2High[isF64], x);
  r = fma(n, -kLn2Low[isF64], r);
  Num q = polynomial(r, kExpm1F32, kExpm1F64);
  Num p = fma(fma(q, r, 1), r, 1); // (q r + 1) r + 1
  return scale(p, power ? n + power : n);
}

Num MathEmitter::expm1(Num x) const {
  // Below the lower limit the result is -1 to the last bit.
  Num clamped = atLeast(atMost(x, pick(89, 710)), pick(-20, -40));
  Num n = rint(clamped * kLog2E);
  Num r = fma(n, -kLn2High[isF64], clamped);
  r = fma(n, -kLn2Low[isF64], r);
  Num q = fma(r * r, polynomial(r, kExpm1F32, kExpm1F64), r);
  // 2^n q + (2^n - 1), halved on the way because 2^n may overflow.
  Num t = power2(n - 1.0);
  Num result = fma(t, q, t - 0.5) * 2.0;
  result = select(eq(n, 0), q, result);
  return select(lt(abs(x), smallestNormal()), x, result); // and -0
}

//===----------------------------------------------------------------------===//
// Logarithms
//===----------------------------------------------------------------------===//

MathEmitter::Logarithm MathEmitter::logarithmOf(Num f) const {
  Num half = f * f * 0.5;
  if (!isF64) {
    Num cubed = half * f * 2.0;
    return {f, fma(cubed, polynomial(f, kLogF32, {}), -half)};
  }
  // With s = f / (2 + f): log(1 + f) = 2 s + s^3 p(s^2), and 2 s = f - s f.
  Num s = f / (f + 2.0);
  Num u = s * s;
  Num tail = u * polynomial(u, kAtanhF32, kAtanhF64);
  return {f, fma(s, half + tail, -half)};
}

Num MathEmitter::logSpecials(Num x, Num result) const {
  Num inf = infinity();
  result = select(eq(x, inf), x, result);
  result = select(eq(x, 0), -inf, result);
  Num negative = x.make<arith::CmpFOp>(arith::CmpFPredicate::ULT, x, x.same(0));
  return select(negative, nan(), result);
}

Num MathEmitter::log(Num x) const {
  Decomposed parts = decompose(x);
  Logarithm l = logarithmOf(parts.mantissa - 1.0);
  Num tail = fma(parts.exponent, kLn2Low[isF64], l.tail);
  Pair sum = fastTwoSum(parts.exponent * kLn2High[isF64], l.f);
  return logSpecials(x, sum.high + (sum.low + tail));
}

// Logarithms to another base: log_b(1 + f) = (f + tail) * c. The product of f
// with the few leading bits of c is taken without error; the rest is small.
Num MathEmitter::logBase(Num x, Pair ofTwo, double leading, double rest,
                         double whole) const {
  Decomposed parts = decompose(x);
  Logarithm l = logarithmOf(parts.mantissa - 1.0);
  Num small = fma(l.f, rest, l.tail * whole);
  small = fma(parts.exponent, ofTwo.low, small);
  Pair head = twoProduct(l.f, like.same(leading));
  Pair sum = fastTwoSum(parts.exponent * ofTwo.high, head.high);
  return logSpecials(x, sum.high + (sum.low + (head.low + small)));
}

Num MathEmitter::log2(Num x) const {
  return logBase(x, {like.same(1), like.same(0)}, 1.4375, 0x1.547652b82fe17p-8,
                 kLog2E);
}

Num MathEmitter::log10(Num x) const {
  Pair ofTwo = {constant(0x1.344p-2, 0x1.34413509f78p-2),
                constant(0x1.3509f79fef312p-18, 0x1.fef311f12b358p-46)};
  return logBase(x, ofTwo, 0.4375, -0x1.a42756c8d78e7p-9, 0x1.bcb7b1526e50ep-2);
}

Num MathEmitter::log1p(Num x) const {
  Pair sum = twoSum(like.same(1), x); // 1 + x without error
  Decomposed parts = decompose(sum.high);
  Logarithm l = logarithmOf(parts.mantissa - 1.0);
  Num tail = l.tail + sum.low / sum.high;
  tail = fma(parts.exponent, kLn2Low[isF64], tail);
  Pair head = fastTwoSum(parts.exponent * kLn2High[isF64], l.f);
  Num result = head.high + (head.low + tail);
  result = logSpecials(sum.high, result);
  return select(lt(abs(x), std::ldexp(1.0, -mantissaBits() - 2)), x, result);
}

// Accurate to about 2^-35 (f32) and 2^-64 (f64): the arctanh series with its
// first two terms in two parts.
Pair MathEmitter::logarithm2(Num x) const {
  Decomposed parts = decompose(x);
  Num f = parts.mantissa - 1.0;
  Pair d = fastTwoSum(like.same(2), f);
  Num s = f / d.high;
  Pair product = twoProduct(s, d.high);
  Num sLow = ((f - product.high) - product.low - s * d.low) / d.high;
  Pair sPair = {s, sLow};
  Pair u = multiply(sPair, sPair);
  Num tail = u.high * polynomial(u.high, kAtanhTailF32, kAtanhTailF64);
  Pair c = fastTwoSum(constant(0x1.555556p-1, 0x1.5555555555555p-1), tail);
  c.low = c.low + pick(-0x1.555556p-26, 0x1.5555555555555p-55);
  Pair cubic = multiply(sPair, multiply(u, c));
  Pair natural = fastTwoSum(s * 2.0, cubic.high);
  natural.low = natural.low + (cubic.low + sLow * 2.0);
  natural = fastTwoSum(natural.high, natural.low);
  Pair log2E = {constant(0x1.715476p0, kLog2E),
                constant(0x1.4ae0cp-26, 0x1.777d0ffda0d24p-56)};
  Pair result = multiply(natural, log2E);
  Pair sum = fastTwoSum(parts.exponent, result.high);
  return fastTwoSum(sum.high, sum.low + result.low);
}

Num MathEmitter::pow(Num x, Num y) const {
  Num a = abs(x);
  Pair l = logarithm2(a);
  // Beyond these limits every |x| != 1 overflows or underflows.
  double yLimit = pick(0x1p40, 0x1p80);
  Num yClamped = atLeast(atMost(y, yLimit), -yLimit);
  Pair p = twoProduct(yClamped, l.high);
  double limit = pick(200, 1200);
  Num inRange = lt(abs(p.high), limit);
  Num low = select(inRange, fma(yClamped, l.low, p.low), 0.0);
  Num high = atLeast(atMost(p.high, limit), -limit);
  high = atLeast(atMost(high, pick(129, 1025)), pick(-151, -1076));
  Num n = rint(high);
  Num f = (high - n) + low;
  Num result = scale(fma(f, polynomial(f, kExp2F32, kExp2F64), 1), n);

  // |x| is 0 or infinity.
  Num inf = infinity();
  Num isZero = eq(a, 0), isInf = eq(a, inf);
  Num toInfinity = gt(y, 0) ^ isZero;
  result = select(either(isZero, isInf), select(toInfinity, inf, like.same(0)),
                  result);
  // x is negative: y must be an integer, and its parity gives the sign.
  Num isInteger = eq(truncate(y), y);
  Num half = y * 0.5;
  Num isOdd = both(isInteger, ne(truncate(half), half));
  Num sign = select(isOdd, x, like.same(1));
  result = copysign(result, sign);
  Num bad = both(both(lt(x, 0), gt(x, -inf)), isInteger ^ true);
  result = select(bad, nan(), result);
  Num unordered = x.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, x, y);
  result = select(unordered, nan(), result);
  return select(either(eq(x, 1), eq(y, 0)), 1.0, result);
}

} // namespace nereid
