//===- MathTrig.cpp - Circular functions and their inverses ---------------===//

#include "compiler/Target/MathCoefficients.h"
#include "compiler/Target/MathEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;

namespace nereid {

using namespace coefficients;

//===----------------------------------------------------------------------===//
// Argument reduction
//===----------------------------------------------------------------------===//

constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

// Subtracts n times pi / 2 in pieces. With fma the first step is exact and
// the others keep what they round away; without, the pieces are so short that n
// times each of the first ones is exact.
MathEmitter::Reduced MathEmitter::reduceSmall(Num x) const {
  Num n = rint(x * kTwoOverPi);
  if (features.fma) {
    constexpr double kF32[] = {0x1.921fb6p0, -0x1.777a5cp-25, -0x1.ee59dap-50};
    constexpr double kF64[] = {0x1.921fb54442d18p0, 0x1.1a62633145c07p-54,
                               -0x1.f1976b7ed8fbcp-110};
    const double *pieces = isF64 ? kF64 : kF32;
    Num first = fma(n, -pieces[0], x);
    Pair second = twoProduct(n, x.same(-pieces[1]));
    Pair sum = twoSum(first, second.high);
    Num low = sum.low + fma(n, -pieces[2], second.low);
    return {sum.high, low, smallToInt(n)};
  }
  if (!isF64) { // in f64 everything is exact enough at once
    Type f64 = x.b().getF64Type();
    Num n64 = n.toWidth(f64), r64 = x.toWidth(f64);
    r64 = r64 - n64 * 0x1.921fb544p0;
    r64 = r64 - n64 * 0x1.0b4611a626331p-34;
    Num r = r64.toWidth(x.element());
    return {r, (r64 - r.toWidth(f64)).toWidth(x.element()), smallToInt(n)};
  }
  constexpr double kExact[] = {0x1.921fb544p0, 0x1.0b4611a6p-34,
                               0x1.3198a2ep-69};
  // Keep what each subtraction loses.
  Num r = x, low = x.same(0);
  for (double piece : kExact) {
    Pair difference = twoSum(r, -(n * piece));
    r = difference.high;
    low = low + difference.low;
  }
  Pair sum = fastTwoSum(r, low - n * 0x1.b839a252049c1p-104);
  return {sum.high, sum.low, smallToInt(n)};
}

// The word at `index` of a table that exists only as constants.
static Num chooseWord(Num index, ArrayRef<uint64_t> words, int64_t first) {
  Num result = index.integer(static_cast<int64_t>(words[0]));
  for (size_t i = 1; i < words.size(); ++i)
    result = select(ge(index, first + static_cast<int64_t>(i)),
                    index.integer(static_cast<int64_t>(words[i])), result);
  return result;
}

// 2 / pi as a binary fraction, after one word of zeros.
static constexpr uint64_t kTwoOverPiBits[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0,
    0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
    0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
    0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};

constexpr double kPiOver2 = 0x1.921fb54442d18p0;

// Payne and Hanek: x = M * 2^s with an integer M. Bits of 2 / pi whose product
// with x is a multiple of 4 are skipped; 96 of those that follow are enough.
MathEmitter::Reduced MathEmitter::reduceLargeF32(Num x) const {
  Num bits = x.bits().zext(64);
  Num mantissa = (bits & 0x7fffff) | 0x800000;
  Num shift = (lshr(bits, 23) & 0xff) - (127 + 23);
  // Position of the first bit of the window; 64 zeros stand before the bits.
  Num position = shift - 2 + 64;
  SmallVector<uint64_t> halves;
  for (uint64_t word : ArrayRef(kTwoOverPiBits).take_front(6)) {
    halves.push_back(word >> 32);
    halves.push_back(word & 0xffffffff);
  }
  Num index = lshr(position, 5), offset = position & 31;
  SmallVector<Num, 4> words;
  for (int64_t i = 0; i < 4; ++i)
    words.push_back(
        chooseWord(index, ArrayRef(halves).drop_front(i).take_front(8), 0));
  auto window = [&](int i) {
    Num two = shl(words[i], 32) | words[i + 1];
    return lshr(two, 32 - offset) & 0xffffffff;
  };
  // M * window modulo 2^96, in units of 4 * 2^-96.
  Num last = mantissa * window(2);
  Num middle = mantissa * window(1) + lshr(last, 32);
  Num first = mantissa * window(0) + lshr(middle, 32);
  Num turns = shl(first, 32) | (middle & 0xffffffff);
  Num quadrant = lshr(turns + (int64_t(1) << 61), 62);
  Num fraction = turns - shl(quadrant, 62);
  // The fraction in two floats, times pi / 2 in two floats.
  Type i64 = fraction.type(), f32 = like.element();
  Num head = fraction.toFloat(f32);
  Num tail = (fraction - head.make<arith::FPToSIOp>(i64, head)).toFloat(f32);
  head = head * 0x1p-62;
  tail = tail * 0x1p-62;
  Pair product = twoProduct(head, like.same(0x1.921fb6p0));
  Num low = fma(tail, 0x1.921fb6p0, fma(head, -0x1.777a5cp-25, product.low));
  Num r = product.high;
  Num negative = lt(x, 0);
  Num q = quadrant.trunc(32);
  return {select(negative, -r, r), select(negative, -low, low),
          select(negative, -q, q)};
}

MathEmitter::Reduced MathEmitter::reduceLargeF64(Num x) const {
  Num bits = x.bits();
  Num mantissa = (bits & ((int64_t(1) << 52) - 1)) | (int64_t(1) << 52);
  Num shift = (lshr(bits, 52) & 0x7ff) - (1023 + 52);
  Num position = shift - 2 + 64;
  Num index = lshr(position, 6), offset = position & 63;
  ArrayRef<uint64_t> table(kTwoOverPiBits);
  SmallVector<Num, 4> words;
  for (int64_t i = 0; i < 4; ++i)
    words.push_back(chooseWord(index, table.drop_front(i).take_front(17), 0));
  auto window = [&](int i) {
    // Shifting by 64 would be undefined: shift by one first.
    return shl(words[i], offset) | lshr(lshr(words[i + 1], 1), 63 - offset);
  };
  auto multiply = [&](Num a, Num b) -> std::pair<Num, Num> {
    auto op = arith::MulUIExtendedOp::create(x.b(), x.at(), a, b);
    return {a.with(op.getHigh()), a.with(op.getLow())};
  };
  // M * window modulo 2^192, in units of 4 * 2^-192.
  auto [highOfLow, lowOfLow] = multiply(mantissa, window(2));
  auto [highOfMiddle, lowOfMiddle] = multiply(mantissa, window(1));
  Num middle = lowOfMiddle + highOfLow;
  Num carry = ult(middle, highOfLow).zext(64);
  Num high = mantissa * window(0) + highOfMiddle + carry;
  Num quadrant = lshr(high + (int64_t(1) << 61), 62);
  Num fraction = high - shl(quadrant, 62);
  Type f64 = like.element();
  Num whole = fraction.toFloat(f64);
  Num lost = (fraction - whole.toInt()).toFloat(f64) * 0x1p-62;
  Num head = whole * 0x1p-62;
  Num tail = lost + lshr(middle, 11).toFloat(f64) * 0x1p-115;
  // Both parts times pi / 2, keeping the error of the product.
  Pair sum = fastTwoSum(head, tail);
  Pair product = twoProduct(sum.high, like.same(kPiOver2));
  Num rest = fma(sum.high, 0x1.1a62633145c07p-54, product.low);
  Num r = product.high, low = fma(sum.low, kPiOver2, rest);
  Num negative = lt(x, 0);
  return {select(negative, -r, r), select(negative, -low, low),
          select(negative, -quadrant, quadrant)};
}

MathEmitter::Reduced MathEmitter::reduce(Num x) const {
  Num large = gt(abs(x), pick(features.fma ? 0x1p16 : 0x1p19, 0x1p19));
  // The long way only where some lane needs it.
  Reduced small = reduceSmall(x);
  auto branch = scf::IfOp::create(
      x.b(), x.at(), TypeRange{x.type(), x.type(), small.quadrant.type()},
      any(large), /*addThenBlock=*/true,
      /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(x.b());
    x.b().setInsertionPointToStart(&branch.getThenRegion().front());
    Reduced exact = isF64 ? reduceLargeF64(x) : reduceLargeF32(x);
    Value r = select(large, exact.r, small.r);
    Value low = select(large, exact.low, small.low);
    Value q = select(large, exact.quadrant, small.quadrant);
    scf::YieldOp::create(x.b(), x.at(), ValueRange{r, low, q});
    x.b().setInsertionPointToStart(&branch.getElseRegion().front());
    scf::YieldOp::create(x.b(), x.at(),
                         ValueRange{small.r, small.low, small.quadrant});
  }
  return {x.with(branch.getResult(0)), x.with(branch.getResult(1)),
          x.with(branch.getResult(2))};
}

//===----------------------------------------------------------------------===//
// sin, cos, tan
//===----------------------------------------------------------------------===//

// The derivative takes care of the low part: sin' = cos ~ 1, cos' = -sin ~ -r.
Num MathEmitter::sinPolynomial(Num r, Num low) const {
  Num u = r * r;
  Num tail = fma(r * u, polynomial(u, kSinF32, kSinF64), low);
  return r + tail;
}

Num MathEmitter::cosPolynomial(Num r, Num low) const {
  Num u = r * r;
  Num tail = fma(u * u, polynomial(u, kCosF32, kCosF64), -(r * low));
  // 1 - u / 2 without losing the low part of u.
  Num half = u * 0.5;
  Num head = 1.0 - half;
  return head + (((1.0 - head) - half) + tail);
}

// sin(x + shift * pi / 2).
Num MathEmitter::sinOrCos(Num x, int shift) const {
  Reduced reduced = reduce(x);
  Num q = shift ? reduced.quadrant + shift : reduced.quadrant;
  Num odd = ne(q & 1, 0);
  Num result = select(odd, cosPolynomial(reduced.r, reduced.low),
                      sinPolynomial(reduced.r, reduced.low));
  Num flip = shl(lshr(q, 1), mantissaBits() + (isF64 ? 11 : 8));
  result = (result.bits() ^ flip).asFloat();
  return select(eq(abs(x), infinity()), nan(), result);
}

Num MathEmitter::sin(Num x) const {
  Num result = sinOrCos(x, 0);
  return select(lt(abs(x), std::ldexp(1.0, -mantissaBits() / 2 - 2)), x,
                result);
}

Num MathEmitter::cos(Num x) const { return sinOrCos(x, 1); }

Num MathEmitter::tan(Num x) const {
  Reduced reduced = reduce(x);
  Num r = reduced.r, u = r * r;
  // tan' = 1 + tan^2, near enough 1 + u for the low part.
  Num low = fma(u, reduced.low, reduced.low);
  Num t = r + fma(r * u, polynomial(u, kTanF32, kTanF64), low);
  Num odd = ne(reduced.quadrant & 1, 0);
  Num result = select(odd, like.same(-1) / t, t);
  result = select(eq(abs(x), infinity()), nan(), result);
  return select(lt(abs(x), std::ldexp(1.0, -mantissaBits() / 2 - 2)), x,
                result);
}

//===----------------------------------------------------------------------===//
// Inverses
//===----------------------------------------------------------------------===//

static constexpr double kPiOver2Low[] = {-0x1.777a5cp-25,
                                         0x1.1a62633145c07p-54};

Num MathEmitter::asin(Num x) const {
  Num a = abs(x);
  Num big = gt(a, 0.5);
  Num z = select(big, (1.0 - a) * 0.5, a * a);
  Num s = select(big, sqrt(z), a);
  Num p = fma(s * z, polynomial(z, kAsinF32, kAsinF64), s);
  // pi / 2 - 2 p.
  Pair sum = fastTwoSum(constant(0x1.921fb6p0, kPiOver2), p * -2.0);
  Num large = sum.high + (sum.low + kPiOver2Low[isF64]);
  return copysign(select(big, large, p), x);
}

Num MathEmitter::acos(Num x) const {
  Num a = abs(x);
  Num big = gt(a, 0.5);
  Num z = select(big, (1.0 - a) * 0.5, a * a);
  Num s = select(big, sqrt(z), a);
  Num tail = s * z * polynomial(z, kAsinF32, kAsinF64);
  // What sqrt rounded away, to first order.
  Pair square = twoProduct(s, s);
  Num lost = ((z - square.high) - square.low) / (s + s);
  Num isPositive = gt(s, 0);
  tail = tail + select(both(big, isPositive), lost, 0.0);
  Num negative = lt(x, 0);
  // x > 1/2: 2 (s + tail); x < -1/2: pi - that; else pi / 2 -+ (s + tail).
  Num twice = (s + tail) * 2.0;
  Num head = constant(0x1.921fb6p0, kPiOver2);
  Pair fromPi = fastTwoSum(head * 2.0, s * -2.0);
  Num nearMinusOne =
      fromPi.high + (fromPi.low + (2 * kPiOver2Low[isF64] - tail * 2.0));
  Num sSigned = copysign(s, x), tailSigned = select(negative, -tail, tail);
  Pair fromHalf = fastTwoSum(head, -sSigned);
  Num middle =
      fromHalf.high + (fromHalf.low + (kPiOver2Low[isF64] - tailSigned));
  return select(big, select(negative, nearMinusOne, twice), middle);
}

// a >= 0, infinity too. Above tan(pi / 8) and tan(3 pi / 8) the argument is
// turned by pi / 4 and pi / 2.
Num MathEmitter::atanPositive(Num a) const {
  Num turnHalf = gt(a, 0x1.3504f333f9de6p1);
  Num turn = gt(a, 0x1.a827999fcef32p-2);
  Num numerator = select(turnHalf, like.same(-1), a - 1.0);
  Num denominator = select(turnHalf, a, a + 1.0);
  Num t = select(turn, numerator / denominator, a);
  Num u = t * t;
  Num tail = t * u * polynomial(u, kAtanF32, kAtanF64);
  double half = pick(0x1.921fb6p0, kPiOver2);
  Num base = select(turn, select(turnHalf, half, half / 2), 0.0);
  double low = kPiOver2Low[isF64];
  Num baseLow = select(turn, select(turnHalf, low, low / 2), 0.0);
  Pair sum = fastTwoSum(base, t);
  return select(turn, sum.high + (sum.low + (tail + baseLow)), t + tail);
}

Num MathEmitter::atan(Num x) const { return copysign(atanPositive(abs(x)), x); }

Num MathEmitter::atan2(Num y, Num x) const {
  Num ay = abs(y), ax = abs(x);
  Num steep = gt(ay, ax);
  Num larger = select(steep, ay, ax), smaller = select(steep, ax, ay);
  Num ratio = smaller / larger;
  ratio = select(eq(larger, 0), 0.0, ratio);
  ratio = select(eq(smaller, infinity()), 1.0, ratio);
  Num angle = atanPositive(ratio);
  double low = kPiOver2Low[isF64];
  Pair complement = fastTwoSum(constant(0x1.921fb6p0, kPiOver2), -angle);
  angle = select(steep, complement.high + (complement.low + low), angle);
  Num negative = lt(x.bits(), 0);
  Pair supplement = fastTwoSum(constant(0x1.921fb6p1, kPiOver2 * 2), -angle);
  angle = select(negative, supplement.high + (supplement.low + 2 * low), angle);
  angle = copysign(angle, y);
  Num unordered = x.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, x, y);
  return select(unordered, nan(), angle);
}

} // namespace nereid
