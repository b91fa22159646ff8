//===- Dtype.cpp - Element types and their values -------------------------===//

#include "packager/tools/Dtype.h"

#include <cmath>
#include <cstring>

namespace nereid::tool {

namespace {

// How a small float is laid out. `infinities`: the top exponent holds infinity
// and NaN as IEEE's does; without them the largest codes are numbers.
struct Layout {
  const char *name;
  int exponentBits, mantissaBits, bias;
  enum { IEEE, OnlyNaN, UnsignedZero, NoSpecials } specials;
};
constexpr Layout kLayouts[] = {
    {"fp16", 5, 10, 15, Layout::IEEE},
    {"bf16", 8, 7, 127, Layout::IEEE},
    {"fp8e5", 5, 2, 15, Layout::IEEE},
    {"fp8e4nv", 4, 3, 7, Layout::OnlyNaN},
    {"fp8e4b8", 4, 3, 8, Layout::UnsignedZero},
    {"fp8e5b16", 5, 2, 16, Layout::UnsignedZero},
    {"fp8e4b15", 4, 3, 15, Layout::NoSpecials},
};

const Layout *findLayout(const char *name) {
  for (const Layout &layout : kLayouts)
    if (std::strcmp(layout.name, name) == 0)
      return &layout;
  return nullptr;
}

uint32_t nanCode(const Layout &l) {
  uint32_t sign = 1u << (l.exponentBits + l.mantissaBits);
  switch (l.specials) {
  case Layout::IEEE:
    return (((1u << l.exponentBits) - 1) << l.mantissaBits) |
           (1u << (l.mantissaBits - 1));
  case Layout::UnsignedZero:
    return sign;
  case Layout::OnlyNaN:
  case Layout::NoSpecials:
    break;
  }
  return sign - 1;
}

// The largest finite code, without sign.
uint32_t largestCode(const Layout &l) {
  uint32_t all = (1u << (l.exponentBits + l.mantissaBits)) - 1;
  switch (l.specials) {
  case Layout::IEEE:
    return ((((1u << l.exponentBits) - 1) << l.mantissaBits)) - 1;
  case Layout::OnlyNaN:
    return all - 1;
  case Layout::UnsignedZero:
  case Layout::NoSpecials:
    break;
  }
  return all;
}

double decodeSmall(const Layout &l, uint32_t code) {
  uint32_t signBit = 1u << (l.exponentBits + l.mantissaBits);
  if (l.specials == Layout::UnsignedZero && code == signBit)
    return NAN;
  double sign = code & signBit ? -1.0 : 1.0;
  uint32_t magnitude = code & (signBit - 1);
  uint32_t mantissa = magnitude & ((1u << l.mantissaBits) - 1);
  int exponent = static_cast<int>(magnitude >> l.mantissaBits);
  if (l.specials == Layout::IEEE && exponent == (1 << l.exponentBits) - 1)
    return mantissa ? NAN : sign * INFINITY;
  if (l.specials == Layout::OnlyNaN && magnitude == signBit - 1)
    return NAN;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - l.bias - l.mantissaBits);
  return sign * std::ldexp(mantissa + (1u << l.mantissaBits),
                           exponent - l.bias - l.mantissaBits);
}

uint32_t encodeSmall(const Layout &l, double value) {
  if (std::isnan(value))
    return nanCode(l);
  uint32_t sign =
      std::signbit(value) ? 1u << (l.exponentBits + l.mantissaBits) : 0;
  double magnitude = std::fabs(value);
  uint32_t code;
  if (std::isinf(magnitude)) {
    code = largestCode(l) + 1;
  } else if (magnitude == 0) {
    code = 0;
  } else {
    int exponent;
    std::frexp(magnitude, &exponent);
    // The exponent of the last bit kept; subnormals share the smallest.
    int last = std::max(exponent - 1, 1 - l.bias) - l.mantissaBits;
    double scaled = std::nearbyint(std::ldexp(magnitude, -last));
    int biased = last + l.mantissaBits + l.bias;
    // Without its leading one, a normal number's mantissa adds to the field of
    // one exponent less; so does a mantissa that rounded up to the next.
    double wide = scaled + std::ldexp(double(biased - 1), l.mantissaBits);
    code = wide > largestCode(l) ? largestCode(l) + 1
                                 : static_cast<uint32_t>(wide);
  }
  if (code > largestCode(l) && l.specials != Layout::IEEE)
    code = largestCode(l);
  if (code == 0 && l.specials == Layout::UnsignedZero)
    return 0;
  return sign | code;
}

template <typename T> void put(char *out, T value) {
  std::memcpy(out, &value, sizeof(value));
}
template <typename T> T take(const char *in) {
  T value;
  std::memcpy(&value, in, sizeof(value));
  return value;
}

} // namespace

void encode(const pack::ScalarType &type, double value, char *out) {
  if (type.kind == pack::ScalarType::Class::Integer) {
    uint64_t bits = type.isSigned || value < 0
                        ? static_cast<uint64_t>(static_cast<int64_t>(value))
                        : static_cast<uint64_t>(value);
    if (type.bits == 1)
      bits = value != 0;
    std::memcpy(out, &bits, elementSize(type)); // little-endian
    return;
  }
  if (type.bits == 64)
    return put(out, value);
  if (type.bits == 32)
    return put(out, static_cast<float>(value));
  uint32_t code = encodeSmall(*findLayout(type.name), value);
  std::memcpy(out, &code, elementSize(type));
}

double decode(const pack::ScalarType &type, const char *in) {
  if (type.kind == pack::ScalarType::Class::Integer) {
    uint64_t bits = 0;
    std::memcpy(&bits, in, elementSize(type));
    if (!type.isSigned)
      return static_cast<double>(bits);
    unsigned shift = 64 - type.bits;
    return static_cast<double>(static_cast<int64_t>(bits << shift) >> shift);
  }
  if (type.bits == 64)
    return take<double>(in);
  if (type.bits == 32)
    return static_cast<double>(take<float>(in));
  uint32_t code = 0;
  std::memcpy(&code, in, elementSize(type));
  return decodeSmall(*findLayout(type.name), code);
}

std::string arrayText(const Array &array) {
  std::string text = std::string(array.type->name) + "[";
  for (size_t i = 0; i < array.shape.size(); ++i)
    text += (i ? "," : "") + std::to_string(array.shape[i]);
  return text + "]";
}

} // namespace nereid::tool
