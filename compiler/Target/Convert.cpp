//===- Convert.cpp - Conversions between floating-point formats -----------===//

#include "compiler/Target/Convert.h"
#include "compiler/Target/Num.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace nereid {

namespace {

enum class Special {
  Infinity, // the top exponent holds infinity and NaN
  TopNaN,   // only the largest magnitude is NaN, no infinity
  NegZero,  // only the bits of negative zero are NaN, no infinity
  None      // neither
};

// A format narrower than f32: sign, exponent and mantissa from the top.
struct Layout {
  int bits, mantissa, bias;
  Special special;
  int largest; // bits of the largest finite value
};

Layout layoutOf(FloatFormat format) {
  switch (format) {
  case FloatFormat::F16:
    return {16, 10, 15, Special::Infinity, 0x7bff};
  case FloatFormat::BF16:
    return {16, 7, 127, Special::Infinity, 0x7f7f};
  case FloatFormat::E4NV:
    return {8, 3, 7, Special::TopNaN, 0x7e};
  case FloatFormat::E5:
    return {8, 2, 15, Special::Infinity, 0x7b};
  case FloatFormat::E4B8:
    return {8, 3, 8, Special::NegZero, 0x7f};
  case FloatFormat::E5B16:
    return {8, 2, 16, Special::NegZero, 0x7f};
  case FloatFormat::E4B15:
    return {8, 3, 15, Special::None, 0x7f};
  case FloatFormat::F32:
  case FloatFormat::F64:
    break;
  }
  llvm_unreachable("not a narrow format");
}

bool isNarrow(FloatFormat format) {
  return format != FloatFormat::F32 && format != FloatFormat::F64;
}

// Exact. The bits, moved to f32's place, are the right number but for the
// difference of the biases: one multiplication mends that, for subnormals too.
Num widen(Num bits, FloatFormat from, const ConvertFeatures &features) {
  if (from == FloatFormat::BF16)
    return shl(bits.zext(32), 16).asFloat();
  Type f32 = bits.b().getF32Type();
  if (from == FloatFormat::F16 && features.f16)
    return bits.asFloat().toWidth(f32);
  Layout layout = layoutOf(from);
  Num wide = bits.zext(32);
  int top = 1 << (layout.bits - 1);
  Num magnitude = wide & (top - 1);
  Num sign = shl(wide & top, 32 - layout.bits);
  Num number = shl(magnitude, 23 - layout.mantissa).asFloat() *
               std::ldexp(1.0, 127 - layout.bias);
  Num result = number.bits();
  Num allOnes = result.integer(0x7f800000), quiet = result.integer(0x7fc00000);
  switch (layout.special) {
  case Special::Infinity: // the mantissa is kept: NaN stays NaN
    result = select(gt(magnitude, layout.largest), result | allOnes, result);
    break;
  case Special::TopNaN:
    result = select(gt(magnitude, layout.largest), quiet, result);
    break;
  case Special::NegZero:
    result = select(eq(wide, top), quiet, result);
    break;
  case Special::None:
    break;
  }
  return (result | sign).asFloat();
}

// f64 -> f32. Rounding to odd keeps what a second, narrower rounding needs to
// know: the truncated value, with its last bit set when anything was lost.
Num narrow64(Num x, bool toOdd, Rounding rounding) {
  Type f32 = x.b().getF32Type(), f64 = x.b().getF64Type();
  Num y = x.toWidth(f32);
  if (!toOdd && rounding == Rounding::NearestEven)
    return y;
  Num back = y.toWidth(f64);
  Num tooBig = gt(abs(back), abs(x));
  Num truncated = select(tooBig, y.bits() - 1, y.bits());
  if (toOdd) {
    Num lost = y.make<arith::CmpFOp>(arith::CmpFPredicate::ONE, back, x);
    truncated = truncated | lost.zext(32);
  }
  return truncated.asFloat();
}

Num narrowToBF16(Num x, Rounding rounding) {
  Num bits = x.bits();
  Num rounded = bits;
  if (rounding == Rounding::NearestEven)
    rounded = bits + 0x7fff + (lshr(bits, 16) & 1);
  // Rounding a NaN could carry it into infinity; truncating could empty it.
  return select(isNaN(x), lshr(bits, 16) | 0x40, lshr(rounded, 16)).trunc(16);
}

// f32 -> f16 or fp8.
Num narrow(Num x, FloatFormat to, Rounding rounding,
           const ConvertFeatures &features) {
  if (to == FloatFormat::BF16)
    return narrowToBF16(x, rounding);
  bool nearest = rounding == Rounding::NearestEven;
  if (to == FloatFormat::F16 && features.f16 && nearest)
    return x.toWidth(x.b().getF16Type()).bits();
  Layout layout = layoutOf(to);
  Num bits = x.bits();
  Num magnitude = bits & 0x7fffffff;
  Num sign = lshr(bits, 32 - layout.bits) & (1 << (layout.bits - 1));
  int shift = 23 - layout.mantissa;

  // Normal results: round in place; a carry into the exponent is right.
  Num normal = magnitude;
  if (nearest)
    normal =
        magnitude + ((1 << (shift - 1)) - 1) + (lshr(magnitude, shift) & 1);
  normal = lshr(normal, shift) - ((127 - layout.bias) << layout.mantissa);

  // Subnormal results: count in units of the smallest one.
  double smallestNormal = std::ldexp(1.0, 1 - layout.bias);
  Num tiny = lt(magnitude.asFloat(), smallestNormal);
  Num units = select(tiny, magnitude.asFloat(), x.same(0)) *
              std::ldexp(1.0, layout.bias - 1 + layout.mantissa);
  Num subnormal = (nearest ? rint(units) : truncate(units)).toInt();
  Num result = select(tiny, subnormal, normal);

  Num over = gt(result, layout.largest);
  if (to == FloatFormat::F16) {
    Num infinity = result.integer(0x7c00);
    Num isInfinite = eq(magnitude, 0x7f800000);
    result = select(
        over,
        nearest ? infinity
                : select(isInfinite, infinity, result.integer(layout.largest)),
        result);
  } else {
    result = select(over, result.integer(layout.largest), result);
  }
  switch (layout.special) {
  case Special::Infinity:
    result = select(isNaN(x), result.integer(layout.bits == 16 ? 0x7e00 : 0x7e),
                    result) |
             sign;
    break;
  case Special::TopNaN:
    result = select(isNaN(x), result.integer(0x7f), result) | sign;
    break;
  case Special::NegZero: // there is no negative zero
    result = select(isNaN(x), result.integer(0x80),
                    select(eq(result, 0), result, result | sign));
    break;
  case Special::None:
    result = result | sign;
    break;
  }
  return result.trunc(layout.bits);
}

} // namespace

std::optional<FloatFormat> floatFormat(Type type) {
  using Format = std::optional<FloatFormat>;
  return llvm::TypeSwitch<Type, Format>(type)
      .Case<Float64Type>([](auto) { return FloatFormat::F64; })
      .Case<Float32Type>([](auto) { return FloatFormat::F32; })
      .Case<Float16Type>([](auto) { return FloatFormat::F16; })
      .Case<BFloat16Type>([](auto) { return FloatFormat::BF16; })
      .Case<Float8E4M3FNType>([](auto) { return FloatFormat::E4NV; })
      .Case<Float8E5M2Type>([](auto) { return FloatFormat::E5; })
      .Case<Float8E4M3FNUZType>([](auto) { return FloatFormat::E4B8; })
      .Case<Float8E5M2FNUZType>([](auto) { return FloatFormat::E5B16; })
      .Case<Float8E4M3B11FNUZType>([](auto) { return FloatFormat::E4B15; })
      .Default([](Type) { return Format(); });
}

Type storageType(MLIRContext *context, FloatFormat format) {
  switch (format) {
  case FloatFormat::F64:
    return Float64Type::get(context);
  case FloatFormat::F32:
    return Float32Type::get(context);
  default:
    return IntegerType::get(context, layoutOf(format).bits);
  }
}

Value emitConvert(OpBuilder &builder, Location loc, Value value,
                  FloatFormat from, FloatFormat to, Rounding rounding,
                  const ConvertFeatures &features) {
  Num x(builder, loc, value);
  if (isNarrow(from) && x.isFloat())
    x = x.bits();
  if (from == to)
    return x;
  Type f64 = builder.getF64Type();
  if (from == FloatFormat::F64) {
    x = narrow64(x, /*toOdd=*/to != FloatFormat::F32, rounding);
    return to == FloatFormat::F32 ? Value(x)
                                  : Value(narrow(x, to, rounding, features));
  }
  if (from != FloatFormat::F32)
    x = widen(x, from, features);
  if (to == FloatFormat::F32)
    return x;
  if (to == FloatFormat::F64)
    return x.toWidth(f64);
  return narrow(x, to, rounding, features);
}

} // namespace nereid
