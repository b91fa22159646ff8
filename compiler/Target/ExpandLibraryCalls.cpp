//===- ExpandLibraryCalls.cpp - libdevice and ocml by operations ----------===//
//
// What the pass promises is in Passes.td. `kRows` lists the functions, by their
// names without the library's prefix and the type's suffix. f32 functions that
// must not lose accuracy on the way compute in f64 and round once.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/Library.h"
#include "compiler/Target/Passes.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_EXPANDLIBRARYCALLS
#include "compiler/Target/Passes.h.inc"

namespace {

using namespace library;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Num flag(Num condition) { return condition.zext(32); }
/// Rounds an integral float's value: 'n' to nearest even, 'z' to zero, 'd'
/// down, 'u' up.
Num roundToIntegral(Num x, char mode) {
  switch (mode) {
  case 'z':
    return truncate(x);
  case 'd':
    return x.make<math::FloorOp>(x);
  case 'u':
    return x.make<math::CeilOp>(x);
  default:
    return rint(x);
  }
}

/// f64 to f32 in a direction. `rest`, if any, is what the f64 number itself
/// lost: its sign decides where that number is one of f32.
Num narrowTo(Num wide, char mode, std::optional<Num> rest = {}) {
  Num rounded = narrow(wide), back = widen(rounded);
  Num above = gt(wide, back), below = lt(wide, back);
  if (rest) {
    Num same = eq(wide, back);
    above = above | (same & gt(*rest, 0.0));
    below = below | (same & lt(*rest, 0.0));
  }
  return moveTo(rounded, above, below, mode);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// An integral float as an integer: saturated, NaN as 0.
Num toInteger(Num x, unsigned bits, bool isSigned) {
  double limit = std::ldexp(1.0, isSigned ? bits - 1 : bits);
  double least = isSigned ? -limit : 0.0;
  Num fits = lt(x, limit) & ge(x, least);
  Num inRange = select(fits, x, x.same(0));
  Type type = typeLike(x.type(), x.b().getIntegerType(bits));
  Num result = isSigned ? x.make<arith::FPToSIOp>(type, inRange)
                        : x.make<arith::FPToUIOp>(type, inRange);
  APInt largest =
      isSigned ? APInt::getSignedMaxValue(bits) : APInt::getMaxValue(bits);
  APInt smallest = isSigned ? APInt::getSignedMinValue(bits) : APInt(bits, 0);
  result = selectInt(lt(x, least), smallest.getSExtValue(), result);
  return selectInt(ge(x, limit), largest.getSExtValue(), result);
}

/// An integer as a float, rounded in a direction.
Num fromInteger(Num x, Type element, bool isSigned, char mode) {
  Type type = typeLike(x.type(), element);
  if (mode == 'n')
    return isSigned ? x.make<arith::SIToFPOp>(type, x)
                    : x.make<arith::UIToFPOp>(type, x);
  int bits = x.width(), digits = element.isF32() ? 24 : 53;
  Num negative = isSigned ? lt(x, 0) : ne(x, x);
  Num magnitude = select(negative, -x, x);
  // What lies below the digits that fit is cut off; then away from zero.
  Num excess = (bits - digits) - x.make<math::CountLeadingZerosOp>(magnitude);
  excess = selectInt(lt(excess, 0), 0, excess);
  Num unit = shl(x.integer(1), excess);
  Num rest = magnitude & (unit - 1);
  Num away = ne(rest, 0) & (mode == 'u'   ? negate(negative)
                            : mode == 'd' ? negative
                                          : ne(x, x));
  Num whole = x.make<arith::UIToFPOp>(type, magnitude ^ rest);
  Num step = x.make<arith::UIToFPOp>(type, select(away, unit, x.integer(0)));
  Num result = whole + step;
  return select(negative, -result, result);
}

/// "float2int_rn" and the like; none for another name.
std::optional<Num> convert(StringRef name, Num x) {
  auto [from, rest] = name.split('2');
  auto [to, mode] = rest.split("_r");
  if (mode.size() != 1 || !StringRef("nzdu").contains(mode[0]))
    return std::nullopt;
  auto integer = [](StringRef word) -> std::pair<unsigned, bool> {
    bool isSigned = !word.consume_front("u");
    return {word == "int" ? 32 : word == "ll" ? 64 : 0, isSigned};
  };
  auto real = [&](StringRef word) -> Type {
    return word == "float"    ? Type(x.b().getF32Type())
           : word == "double" ? Type(x.b().getF64Type())
                              : Type();
  };
  Type fromFloat = real(from), toFloat = real(to);
  auto [fromBits, fromSigned] = integer(from);
  auto [toBits, toSigned] = integer(to);
  if (fromFloat && x.element() == fromFloat && toBits)
    return toInteger(roundToIntegral(x, mode[0]), toBits, toSigned);
  if (fromBits && x.element().isInteger(fromBits) && toFloat)
    return fromInteger(x, toFloat, fromSigned, mode[0]);
  if (from == "double" && to == "float" && x.element().isF64())
    return narrowTo(x, mode[0]);
  return std::nullopt;
}

/// "fadd_rz", "ddiv_rn", "fmaf_ru" and the like; none for another name.
std::optional<Num> directed(StringRef name, Operands x) {
  char mode = name.back();
  if (name.size() < 6 || !name.drop_back().ends_with("_r") ||
      !StringRef("nzdu").contains(mode))
    return std::nullopt;
  StringRef base = name.drop_back(3);
  if (base != "fmaf" && base != "fma" && !base.consume_front("f"))
    base.consume_front("d");
  bool wide = !isF32(x[0]);
  size_t arity = base == "sqrt" || base == "rcp" || base == "rsqrt" ? 1
                 : base.starts_with("fma")                          ? 3
                                                                    : 2;
  if (x.size() != arity ||
      llvm::any_of(x, [&](Num v) { return v.type() != x[0].type(); }) ||
      !x[0].isFloat())
    return std::nullopt;
  if (base == "add" || base == "sub") {
    Num b = base == "sub" ? -x[1] : x[1];
    if (mode == 'n')
      return x[0] + b;
    auto [sum, rest] = twoSum(x[0], b);
    // An overflow has no finite rest, but a known sign.
    Num over = isInfinite(sum) & isFinite(x[0]) & isFinite(b);
    Num above = gt(rest, 0.0) | (over & lt(sum, 0.0));
    Num below = (lt(rest, 0.0) & negate(over)) | (over & gt(sum, 0.0));
    above = above & (negate(over) | lt(sum, 0.0));
    Num result = moveTo(sum, above, below, mode);
    if (mode == 'd') // x - x is -0 when rounding down
      result =
          select(eq(sum, 0.0) & eq(result, 0.0),
                 copysign(sum, (x[0].bits() | b.bits()).asFloat()), result);
    return result;
  }
  if (mode == 'n') {
    if (base == "mul")
      return x[0] * x[1];
    if (base == "div")
      return x[0].make<tt::PreciseDivFOp>(x[0].type(), x[0], x[1]);
    if (base == "rcp")
      return x[0].make<tt::PreciseDivFOp>(x[0].type(), x[0].same(1), x[0]);
    if (base == "sqrt")
      return x[0].make<tt::PreciseSqrtOp>(x[0].type(), x[0]);
    if (base == "rsqrt")
      return inF64(x, [](Operands v) { return 1.0 / sqrt(v[0]); });
    if (base.starts_with("fma"))
      return x[0].make<math::FmaOp>(x[0], x[1], x[2]);
    return std::nullopt;
  }
  if (wide) {
    if (base == "mul")
      return directedProduct(x[0], x[1], mode);
    if (base == "div")
      return directedQuotient(x[0], x[1], mode);
    if (base == "rcp")
      return directedQuotient(x[0].same(1), x[0], mode);
    if (base == "sqrt")
      return directedRoot(x[0], mode);
    if (base.starts_with("fma"))
      return directedFma(x[0], x[1], x[2], mode);
    return std::nullopt;
  }
  // A product, and whether a quotient or root is a number of f32, are exact in
  // f64: the second rounding is the only one that matters.
  Num a = widen(x[0]);
  if (base == "mul")
    return narrowTo(a * widen(x[1]), mode);
  if (base == "div")
    return narrowTo(a / widen(x[1]), mode);
  if (base == "rcp")
    return narrowTo(1.0 / a, mode);
  if (base == "sqrt")
    return narrowTo(sqrt(a), mode);
  if (base.starts_with("fma")) {
    auto [sum, rest] = twoSum(a * widen(x[1]), widen(x[2]));
    return narrowTo(sum, mode, rest);
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Num ilogb(Operands x) {
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
  Num result = exponentOf(x[0]);
  result = selectInt(eq(x[0], 0.0) | isNaN(x[0]), kLeast, result);
  return selectInt(isInfinite(x[0]), std::numeric_limits<int32_t>::max(),
                   result);
}

Num logb(Operands x) {
  Num result = exponentOf(x[0]).toFloat(x[0].element());
  result = select(eq(x[0], 0.0), x[0].same(-kInfinity), result);
  return select(isFinite(x[0]), result, x[0] * x[0]);
}

Num nextAfter(Operands x) {
  Num moved = select(gt(x[1], x[0]), next(x[0], true), next(x[0], false));
  moved = select(eq(x[0], x[1]), x[1], moved);
  return select(isNaN(x[0]) | isNaN(x[1]), x[0] + x[1], moved);
}

Num positiveDifference(Operands x) {
  Num result = select(gt(x[0], x[1]), x[0] - x[1], x[0].same(0));
  return select(isNaN(x[0]) | isNaN(x[1]), x[0] + x[1], result);
}

/// x - n * y for the integer n nearest to x / y, even in a tie; exact.
Num ieeeRemainder(Operands operands) {
  return inF64(operands, [](Operands x) {
    Num y = abs(x[1]);
    Num r = x[0].make<arith::RemFOp>(abs(x[0]), y + y);
    // Half of a number near the smallest is not exact; twice the rest is.
    Num small = lt(y, std::ldexp(1.0, -1000));
    Num half = y * 0.5;
    auto step = [&](Num r, bool strictly) {
      Num least = strictly ? gt(r + r, y) : ge(r + r, y);
      Num other = strictly ? gt(r, half) : ge(r, half);
      return select(small, least, other);
    };
    Num first = step(r, true);
    Num once = select(first, r - y, r);
    Num twice = select(first & step(once, false), once - y, once);
    return select(lt(x[0].bits(), 0), -twice, twice);
  });
}

/// The root of a sum of squares; reciprocal on request.
Num norm(Operands operands, bool reciprocal) {
  bool single = isF32(operands[0]);
  Num result = inF64(operands, [&](Operands x) {
    Num largest = abs(x[0]), infinite = isInfinite(x[0]);
    for (Num v : x.drop_front()) {
      largest = select(gt(abs(v), largest), abs(v), largest);
      infinite = infinite | isInfinite(v);
    }
    // Squares of f32 numbers fit f64.
    Num factor = x[0].same(1), inverse = x[0].same(1);
    if (!single) {
      Num high = gt(largest, std::ldexp(1.0, 500)),
          low = lt(largest, std::ldexp(1.0, -500));
      auto pick = [&](int atHigh, int atLow) {
        return select(
            high, x[0].same(std::ldexp(1.0, atHigh)),
            select(low, x[0].same(std::ldexp(1.0, atLow)), x[0].same(1)));
      };
      factor = pick(-600, 600);
      inverse = pick(600, -600);
    }
    Num sum = square(x[0] * factor);
    for (Num v : x.drop_front())
      sum = sum + square(v * factor);
    Num root = sqrt(sum);
    root = reciprocal ? (1.0 / root) * factor : root * inverse;
    return select(infinite, x[0].same(reciprocal ? 0.0 : kInfinity), root);
  });
  return result;
}

/// cos(pi x): the reduction is exact, and so are the zeros.
Num cosPi(Operands x) {
  Num r = abs(x[0] - rint(x[0] * 0.5) * 2.0);
  return r.make<math::SinOp>((0.5 - r) * kPi);
}

/// The bits in reverse order.
Num reverseBits(Num x) {
  int bits = x.width();
  for (int step = 1; step < bits; step *= 2) {
    // Ones in every second group of `step` bits.
    uint64_t mask = 0;
    for (int i = 0; i < bits; ++i)
      if (i / step % 2 == 0)
        mask |= uint64_t(1) << i;
    Num m = x.integer(int64_t(mask));
    x = (lshr(x, step) & m) | shl(x & m, step);
  }
  return x;
}

/// Four bytes chosen among the eight of y:x by the low four bits of each of the
/// selector's nibbles; bit 3 spreads the byte's sign.
Num permuteBytes(Operands x) {
  Num both = shl(x[1].zext(64), 32) | x[0].zext(64);
  Num result = x[0].integer(0);
  for (int i = 0; i < 4; ++i) {
    Num nibble = lshr(x[2], 4 * i);
    Num byte = lshr(both, shl((nibble & 7).zext(64), 3)).trunc(32) & 255;
    Num sign = selectInt(ne(byte & 128, 0), 255, byte.integer(0));
    byte = select(ne(nibble & 8, 0), sign, byte);
    result = result | shl(byte, 8 * i);
  }
  return result;
}

Num highProduct(Num a, Num b, bool isSigned) {
  Num high = a.make<tt::MulhiUIOp>(a.type(), a, b);
  if (!isSigned)
    return high;
  Num zero = a.integer(0);
  return high - select(lt(a, 0), b, zero) - select(lt(b, 0), a, zero);
}

Num distance(Num a, Num b, bool isSigned) {
  Num less = isSigned ? lt(a, b) : ult(a, b);
  return select(less, b - a, a - b);
}

/// Half the sum without overflow, rounded down or up.
Num mean(Operands x, bool isSigned, bool up) {
  Num half = isSigned ? ashr(x[0] ^ x[1], 1) : lshr(x[0] ^ x[1], 1);
  return up ? (x[0] | x[1]) - half : (x[0] & x[1]) + half;
}

Num product24(Operands x, bool isSigned) {
  auto low = [&](Num v) {
    return isSigned ? ashr(shl(v, 8), 8) : v & 0xffffff;
  };
  return low(x[0]) * low(x[1]);
}

template <typename Op> Num make(Operands x) {
  SmallVector<Value, 3> values(x.begin(), x.end());
  OperationState state(x[0].at(), Op::getOperationName(), values,
                       {x[0].type()});
  return x[0].with(x[0].b().create(state)->getResult(0));
}

/// A function of one f64 operand, for either width.
template <Num (*function)(Num)> Num alone(Operands x) {
  return inF64(x, [](Operands v) { return function(v[0]); });
}
template <Num (*function)(int, Num), int order> Num ofOrder(Operands x) {
  return inF64(x, [](Operands v) { return function(order, v[0]); });
}

/// Operands: f, the one float type of the call (f32 or f64); s, d, f32 or f64
/// only; i, l, i32 or i64; n, i32 or i64, the same in the call.
struct Row {
  StringLiteral name;
  StringLiteral operands;
  Num (*emit)(Operands);
};

const Row kRows[] = {
    // Operations that exist.
    {"abs", "f", make<math::AbsFOp>},
    {"fabs", "f", make<math::AbsFOp>},
    {"acos", "f", make<math::AcosOp>},
    {"acosh", "f", make<math::AcoshOp>},
    {"asin", "f", make<math::AsinOp>},
    {"asinh", "f", make<math::AsinhOp>},
    {"atan", "f", make<math::AtanOp>},
    {"atan2", "ff", make<math::Atan2Op>},
    {"atanh", "f", make<math::AtanhOp>},
    {"cbrt", "f", make<math::CbrtOp>},
    {"ceil", "f", make<math::CeilOp>},
    {"copysign", "ff", make<math::CopySignOp>},
    {"cos", "f", make<math::CosOp>},
    {"cosh", "f", make<math::CoshOp>},
    {"erf", "f", make<math::ErfOp>},
    {"erfc", "f", make<math::ErfcOp>},
    {"exp", "f", make<math::ExpOp>},
    {"exp2", "f", make<math::Exp2Op>},
    {"expm1", "f", make<math::ExpM1Op>},
    {"fdivide", "ff", make<arith::DivFOp>},
    {"floor", "f", make<math::FloorOp>},
    {"fma", "fff", make<math::FmaOp>},
    {"fmax", "ff", make<arith::MaxNumFOp>},
    {"fmin", "ff", make<arith::MinNumFOp>},
    {"fmod", "ff", make<arith::RemFOp>},
    {"log", "f", make<math::LogOp>},
    {"log10", "f", make<math::Log10Op>},
    {"log1p", "f", make<math::Log1pOp>},
    {"log2", "f", make<math::Log2Op>},
    {"nearbyint", "f", make<math::RoundEvenOp>},
    {"pow", "ff", make<math::PowFOp>},
    {"rint", "f", make<math::RoundEvenOp>},
    {"round", "f", make<math::RoundOp>},
    {"rsqrt", "f", make<math::RsqrtOp>},
    {"sin", "f", make<math::SinOp>},
    {"sinh", "f", make<math::SinhOp>},
    {"sqrt", "f", make<math::SqrtOp>},
    {"tan", "f", make<math::TanOp>},
    {"tanh", "f", make<math::TanhOp>},
    {"trunc", "f", make<math::TruncOp>},
    {"clz", "i", make<math::CountLeadingZerosOp>},
    {"popc", "i", make<math::CtPopOp>},
    {"abs", "i", make<math::AbsIOp>},
    {"llabs", "l", make<math::AbsIOp>},

    // Tests.
    {"isnan", "f", [](Operands x) { return flag(isNaN(x[0])); }},
    {"isinf", "f", [](Operands x) { return flag(isInfinite(x[0])); }},
    {"finite", "f", [](Operands x) { return flag(isFinite(x[0])); }},
    {"isfinite", "f", [](Operands x) { return flag(isFinite(x[0])); }},
    {"signbit", "f", [](Operands x) { return flag(lt(x[0].bits(), 0)); }},

    // The same bits.
    {"float_as_int", "s", [](Operands x) { return x[0].bits(); }},
    {"float_as_uint", "s", [](Operands x) { return x[0].bits(); }},
    {"int_as_float", "i", [](Operands x) { return x[0].asFloat(); }},
    {"uint_as_float", "i", [](Operands x) { return x[0].asFloat(); }},
    {"double_as_longlong", "d", [](Operands x) { return x[0].bits(); }},
    {"longlong_as_double", "l", [](Operands x) { return x[0].asFloat(); }},
    {"double2loint", "d", [](Operands x) { return x[0].bits().trunc(32); }},
    {"double2hiint", "d",
     [](Operands x) { return lshr(x[0].bits(), 32).trunc(32); }},
    {"hiloint2double", "ii",
     [](Operands x) {
       return (shl(x[0].zext(64), 32) | x[1].zext(64)).asFloat();
     }},

    // Numbers.
    {"saturate", "s",
     [](Operands x) {
       Num low = select(gt(x[0], 0.0), x[0], x[0].same(0));
       return select(gt(low, 1.0), x[0].same(1), low);
     }},
    {"exp10", "f",
     [](Operands x) { return x[0].make<math::PowFOp>(x[0].same(10), x[0]); }},
    {"powi", "fi",
     [](Operands x) {
       return inF64(x, [](Operands v) {
         return v[0].make<math::PowFOp>(v[0], v[1].toFloat(v[0].element()));
       });
     }},
    {"rcbrt", "f",
     [](Operands x) {
       return inF64(
           x, [](Operands v) { return 1.0 / v[0].make<math::CbrtOp>(v[0]); });
     }},
    {"sinpi", "f", sinPi},
    {"cospi", "f", cosPi},
    {"rcp64h", "d",
     [](Operands x) {
       return ((1.0 / x[0]).bits() & int64_t(~uint64_t(0) << 32)).asFloat();
     }},
    {"erfinv", "f", alone<erfInverse>},
    {"erfcinv", "f", alone<erfcInverse>},
    {"erfcx", "f", alone<scaledErfc>},
    {"normcdf", "f", alone<normalCdf>},
    {"normcdfinv", "f",
     [](Operands x) {
       return inF64(x, [](Operands v) {
         return erfcInverse(v[0] * 2.0) * -1.41421356237309504880;
       });
     }},
    {"lgamma", "f", alone<logGamma>},
    {"tgamma", "f", alone<gammaFunction>},
    {"cyl_bessel_i0", "f", ofOrder<besselI, 0>},
    {"cyl_bessel_i1", "f", ofOrder<besselI, 1>},
    {"j0", "f", ofOrder<besselJ, 0>},
    {"j1", "f", ofOrder<besselJ, 1>},
    {"y0", "f", ofOrder<besselY, 0>},
    {"y1", "f", ofOrder<besselY, 1>},
    {"hypot", "ff", [](Operands x) { return norm(x, false); }},
    {"rhypot", "ff", [](Operands x) { return norm(x, true); }},
    {"norm3d", "fff", [](Operands x) { return norm(x, false); }},
    {"rnorm3d", "fff", [](Operands x) { return norm(x, true); }},
    {"norm4d", "ffff", [](Operands x) { return norm(x, false); }},
    {"rnorm4d", "ffff", [](Operands x) { return norm(x, true); }},
    {"fdim", "ff", positiveDifference},
    {"remainder", "ff", ieeeRemainder},
    {"nextafter", "ff", nextAfter},
    {"ldexp", "fi", [](Operands x) { return scaleByPower(x[0], x[1]); }},
    {"scalbn", "fi", [](Operands x) { return scaleByPower(x[0], x[1]); }},
    {"ilogb", "f", ilogb},
    {"logb", "f", logb},
    {"llrint", "f", [](Operands x) { return toInteger(rint(x[0]), 64, true); }},
    {"llround", "f",
     [](Operands x) { return toInteger(make<math::RoundOp>(x), 64, true); }},

    // Integers.
    {"clzll", "l",
     [](Operands x) { return make<math::CountLeadingZerosOp>(x).trunc(32); }},
    {"popcll", "l",
     [](Operands x) { return make<math::CtPopOp>(x).trunc(32); }},
    {"ffs", "i",
     [](Operands x) {
       return selectInt(eq(x[0], 0), 0,
                        make<math::CountTrailingZerosOp>(x) + 1);
     }},
    {"ffsll", "l",
     [](Operands x) {
       return selectInt(eq(x[0], 0), 0,
                        make<math::CountTrailingZerosOp>(x).trunc(32) + 1);
     }},
    {"brev", "i", [](Operands x) { return reverseBits(x[0]); }},
    {"brevll", "l", [](Operands x) { return reverseBits(x[0]); }},
    {"byte_perm", "iii", permuteBytes},
    {"mulhi", "ii", [](Operands x) { return highProduct(x[0], x[1], true); }},
    {"umulhi", "ii", [](Operands x) { return highProduct(x[0], x[1], false); }},
    {"mul64hi", "ll", [](Operands x) { return highProduct(x[0], x[1], true); }},
    {"umul64hi", "ll",
     [](Operands x) { return highProduct(x[0], x[1], false); }},
    {"mul24", "ii", [](Operands x) { return product24(x, true); }},
    {"umul24", "ii", [](Operands x) { return product24(x, false); }},
    {"sad", "iii",
     [](Operands x) { return distance(x[0], x[1], true) + x[2]; }},
    {"usad", "iii",
     [](Operands x) { return distance(x[0], x[1], false) + x[2]; }},
    {"hadd", "ii", [](Operands x) { return mean(x, true, false); }},
    {"uhadd", "ii", [](Operands x) { return mean(x, false, false); }},
    {"rhadd", "ii", [](Operands x) { return mean(x, true, true); }},
    {"urhadd", "ii", [](Operands x) { return mean(x, false, true); }},
};

/// Whether a row's operands are the call's.
bool fits(const Row &row, Operands x) {
  if (row.operands.size() != x.size())
    return false;
  Type real;
  for (auto [letter, operand] : llvm::zip(row.operands, x)) {
    Type type = operand.element();
    switch (letter) {
    case 'f':
      if (!(type.isF32() || type.isF64()) || (real && real != type))
        return false;
      real = type;
      break;
    case 's':
      if (!type.isF32())
        return false;
      break;
    case 'd':
      if (!type.isF64())
        return false;
      break;
    default:
      if (!type.isInteger(letter == 'l' ? 64 : 32))
        return false;
    }
  }
  return true;
}

std::optional<Num> expandNamed(StringRef name, Operands x) {
  for (const Row &row : kRows)
    if (row.name == name && fits(row, x))
      return row.emit(x);
  return std::nullopt;
}

std::optional<Num> expand(StringRef symbol, Operands x) {
  if (!symbol.consume_front("__nv_") && !symbol.consume_front("__ocml_"))
    return std::nullopt;
  if (!symbol.consume_back("_f32"))
    symbol.consume_back("_f64");
  if (!symbol.consume_front("fast_"))
    symbol.consume_front("native_");
  if (auto result = expandNamed(symbol, x))
    return result;
  // "expf" is f32's exp, "isnand" f64's isnan.
  if (symbol.ends_with("f") || symbol.ends_with("d"))
    if (auto result = expandNamed(symbol.drop_back(), x))
      return result;
  if (x.size() == 1)
    if (auto result = convert(symbol, x[0]))
      return result;
  return directed(symbol, x);
}

struct ExpandLibraryCalls : impl::ExpandLibraryCallsBase<ExpandLibraryCalls> {
  void runOnOperation() override {
    getOperation()->walk([](tt::ExternElementwiseOp call) {
      if (call->getNumOperands() == 0)
        return;
      OpBuilder builder(call);
      SmallVector<Num, 4> operands;
      for (Value operand : call->getOperands())
        operands.emplace_back(builder, call.getLoc(), operand);
      // A scalar beside tensors cannot be in arithmetic with them.
      for (const Num &operand : operands)
        if (isa<ShapedType>(operand.type()) !=
            isa<ShapedType>(operands.front().type()))
          return;
      std::optional<Num> result = expand(call.getSymbol(), operands);
      if (!result || result->type() != call.getResult().getType())
        return;
      call.getResult().replaceAllUsesWith(Value(*result));
      call.erase();
    });
  }
};

} // namespace
} // namespace nereid
