//===- ConvertTest.cpp - Conversions against tables of values -------------===//
//
// The reference knows a format as the list of its values, built from the
// definition of its bits, and rounds by searching that list.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Convert.h"
#include "compiler/Target/CPU/Passes.h"
#include "tests/compiler/Target/Harness.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace nereid;
using namespace nereid::test;

namespace {

struct Format {
  FloatFormat id;
  const char *name;
  int bits, exponentBits, bias;
  bool hasInfinity;    // the top exponent is infinity and NaN
  int nanMagnitude;    // a magnitude that is NaN beside that, or -1
  bool negativeZeroIsNaN;
  bool saturates;
};

const Format kNarrow[] = {
    {FloatFormat::F16, "f16", 16, 5, 15, true, -1, false, false},
    {FloatFormat::BF16, "bf16", 16, 8, 127, true, -1, false, false},
    {FloatFormat::E4NV, "e4nv", 8, 4, 7, false, 0x7f, false, true},
    {FloatFormat::E5, "e5", 8, 5, 15, true, -1, false, true},
    {FloatFormat::E4B8, "e4b8", 8, 4, 8, false, -1, true, true},
    {FloatFormat::E5B16, "e5b16", 8, 5, 16, false, -1, true, true},
    {FloatFormat::E4B15, "e4b15", 8, 4, 15, false, -1, false, true},
};

double valueOf(const Format &format, unsigned bits) {
  int mantissaBits = format.bits - 1 - format.exponentBits;
  unsigned signBit = 1u << (format.bits - 1);
  unsigned magnitude = bits & (signBit - 1);
  double sign = bits & signBit ? -1 : 1;
  if (format.negativeZeroIsNaN && bits == signBit)
    return NAN;
  if (static_cast<int>(magnitude) == format.nanMagnitude)
    return NAN;
  int exponent = magnitude >> mantissaBits;
  int mantissa = magnitude & ((1 << mantissaBits) - 1);
  if (format.hasInfinity && exponent == (1 << format.exponentBits) - 1)
    return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - format.bias - mantissaBits);
  return sign * std::ldexp((1 << mantissaBits) + mantissa,
                           exponent - format.bias - mantissaBits);
}

// Finite magnitudes in ascending order: index == bits.
std::vector<double> magnitudesOf(const Format &format) {
  std::vector<double> values;
  for (unsigned bits = 0; bits < 1u << (format.bits - 1); ++bits) {
    double value = valueOf(format, bits);
    if (!std::isfinite(value))
      break;
    values.push_back(value);
  }
  return values;
}

unsigned roundTo(const Format &format, const std::vector<double> &magnitudes,
                 double x, Rounding rounding) {
  unsigned signBit = 1u << (format.bits - 1);
  unsigned sign = std::signbit(x) ? signBit : 0;
  double a = std::abs(x);
  unsigned largest = magnitudes.size() - 1;
  unsigned result;
  size_t above =
      std::upper_bound(magnitudes.begin(), magnitudes.end(), a) -
      magnitudes.begin();
  if (above == magnitudes.size()) {
    // Where the next value would be, had the format one.
    double step = magnitudes[largest] - magnitudes[largest - 1];
    bool over = rounding == Rounding::NearestEven
                    ? a >= magnitudes[largest] + step / 2
                    : std::isinf(a);
    result = over && !format.saturates ? largest + 1 : largest;
  } else {
    unsigned below = above - 1;
    double low = a - magnitudes[below], high = magnitudes[above] - a;
    bool up = rounding == Rounding::NearestEven &&
              (high < low || (high == low && below % 2 == 1));
    result = up ? above : below;
  }
  if (format.negativeZeroIsNaN && result == 0)
    return 0;
  return result | sign;
}

// out[i] = convert(in[i]).
using Map = void (*)(const void *in, void *out, int64_t n);

Map buildMap(Harness &harness, const TargetInfo &target, FloatFormat from,
             FloatFormat to, Rounding rounding, int64_t lanes) {
  MLIRContext *context = &harness.context;
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = IntegerType::get(context, 64);
  Type source = storageType(context, from), sink = storageType(context, to);
  Type type = lanes == 1 ? source : Type(VectorType::get({lanes}, source));
  return reinterpret_cast<Map>(harness.compile(
      {pointer, pointer, i64},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        auto constant = [&](int64_t value) -> Value {
          return arith::ConstantIntOp::create(b, loc, value, 64);
        };
        auto loop = scf::ForOp::create(b, loc, constant(0), args[2],
                                       constant(lanes));
        b.setInsertionPointToStart(loop.getBody());
        auto at = [&](Type element, Value base) -> Value {
          return LLVM::GEPOp::create(b, loc, pointer, element, base,
                                     LLVM::GEPArg(loop.getInductionVar()));
        };
        Value x = LLVM::LoadOp::create(b, loc, type, at(source, args[0]), 1);
        ConvertFeatures features;
        features.f16 = cpu::hasF16Convert(target);
        Value y = emitConvert(b, loc, x, from, to, rounding, features);
        LLVM::StoreOp::create(b, loc, y, at(sink, args[1]), 1);
        b.setInsertionPointAfter(loop);
      }));
}

unsigned readBits(const std::vector<char> &bytes, size_t index, int bits) {
  unsigned value = 0;
  std::memcpy(&value, bytes.data() + index * bits / 8, bits / 8);
  return value;
}

class Convert : public testing::TestWithParam<const TargetInfo *> {};

// Every value of every narrow format.
TEST_P(Convert, WidenExhaustively) {
  for (const Format &format : kNarrow)
    for (int64_t lanes : {1, 8})
      for (bool toF64 : {false, true}) {
        SCOPED_TRACE(format.name);
        Harness harness(*GetParam());
        Map map = buildMap(harness, *GetParam(), format.id,
                           toF64 ? FloatFormat::F64 : FloatFormat::F32,
                           Rounding::NearestEven, lanes);
        ASSERT_NE(map, nullptr);
        size_t count = size_t(1) << format.bits;
        std::vector<char> in(count * format.bits / 8);
        for (size_t i = 0; i < count; ++i)
          std::memcpy(in.data() + i * format.bits / 8, &i, format.bits / 8);
        std::vector<double> out64(count);
        std::vector<float> out32(count);
        if (toF64)
          map(in.data(), out64.data(), count);
        else
          map(in.data(), out32.data(), count);
        for (size_t i = 0; i < count; ++i) {
          double got = toF64 ? out64[i] : double(out32[i]);
          double want = valueOf(format, i);
          if (std::isnan(want))
            ASSERT_TRUE(std::isnan(got)) << i;
          else
            ASSERT_TRUE(got == want && std::signbit(got) == std::signbit(want))
                << i << ": " << got << ", must be " << want;
        }
      }
}

// Interesting inputs of a wider type: all values of the format, the middles
// between them, the neighbours of both, and random bits.
template <typename T> std::vector<T> inputsFor(const Format &format) {
  std::vector<T> inputs = {T(INFINITY), T(NAN), std::numeric_limits<T>::max(),
                           std::numeric_limits<T>::denorm_min(),
                           std::numeric_limits<T>::min()};
  std::vector<double> magnitudes = magnitudesOf(format);
  for (size_t i = 0; i < magnitudes.size(); ++i) {
    double next = i + 1 < magnitudes.size()
                      ? magnitudes[i + 1]
                      : 2 * magnitudes[i] - magnitudes[i - 1];
    for (double value : {magnitudes[i], (magnitudes[i] + next) / 2}) {
      T x = static_cast<T>(value);
      inputs.push_back(x);
      inputs.push_back(std::nextafter(x, T(INFINITY)));
      if (x > 0)
        inputs.push_back(std::nextafter(x, T(0)));
    }
  }
  std::mt19937_64 random(5);
  for (int i = 0; i < 200000; ++i) {
    uint64_t bits = random();
    T x;
    std::memcpy(&x, &bits, sizeof x);
    inputs.push_back(std::abs(x));
    inputs.push_back(T(std::ldexp(double(bits >> 11) * 0x1p-53,
                                  int(bits % 40) - 20)));
  }
  size_t count = inputs.size();
  for (size_t i = 0; i < count; ++i)
    inputs.push_back(-inputs[i]);
  while (inputs.size() % 16)
    inputs.push_back(1);
  return inputs;
}

template <typename T>
void checkNarrow(const TargetInfo &target, const Format &format,
                 Rounding rounding, int64_t lanes) {
  SCOPED_TRACE(llvm::formatv("{0}: f{1} -> {2}, {3}, {4} lanes", target.name,
                             sizeof(T) * 8, format.name,
                             rounding == Rounding::NearestEven ? "RNE" : "RTZ",
                             lanes)
                   .str());
  Harness harness(target);
  Map map = buildMap(harness, target,
                     sizeof(T) == 8 ? FloatFormat::F64 : FloatFormat::F32,
                     format.id, rounding, lanes);
  ASSERT_NE(map, nullptr);
  std::vector<T> inputs = inputsFor<T>(format);
  std::vector<char> out(inputs.size() * format.bits / 8);
  map(inputs.data(), out.data(), inputs.size());
  std::vector<double> magnitudes = magnitudesOf(format);
  for (size_t i = 0; i < inputs.size(); ++i) {
    unsigned got = readBits(out, i, format.bits);
    if (std::isnan(inputs[i])) {
      if (format.id == FloatFormat::E4B15)
        ASSERT_EQ(got & 0x7f, 0x7fu);
      else
        ASSERT_TRUE(std::isnan(valueOf(format, got))) << got;
      continue;
    }
    unsigned want = roundTo(format, magnitudes, inputs[i], rounding);
    ASSERT_EQ(got, want) << double(inputs[i]) << " (" << std::hexfloat
                         << double(inputs[i]) << ")";
  }
}

TEST_P(Convert, Narrow) {
  for (const Format &format : kNarrow)
    for (Rounding rounding : {Rounding::NearestEven, Rounding::TowardZero}) {
      checkNarrow<float>(*GetParam(), format, rounding, 8);
      checkNarrow<float>(*GetParam(), format, rounding, 1);
      checkNarrow<double>(*GetParam(), format, rounding, 4);
    }
}

TEST_P(Convert, DoubleToSingle) {
  for (Rounding rounding : {Rounding::NearestEven, Rounding::TowardZero}) {
    Harness harness(*GetParam());
    Map map = buildMap(harness, *GetParam(), FloatFormat::F64, FloatFormat::F32,
                       rounding, 4);
    ASSERT_NE(map, nullptr);
    std::vector<double> inputs = inputsFor<double>(kNarrow[1]);
    std::vector<float> out(inputs.size());
    map(inputs.data(), out.data(), inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      float want = static_cast<float>(inputs[i]);
      if (rounding == Rounding::TowardZero &&
          std::abs(double(want)) > std::abs(inputs[i]))
        want = std::nextafter(want, 0.0f);
      if (std::isnan(want))
        ASSERT_TRUE(std::isnan(out[i]));
      else
        ASSERT_EQ(out[i], want) << inputs[i];
    }
  }
}

TEST_P(Convert, BetweenNarrow) {
  Harness harness(*GetParam());
  Map map = buildMap(harness, *GetParam(), FloatFormat::F16, FloatFormat::E4NV,
                     Rounding::NearestEven, 8);
  ASSERT_NE(map, nullptr);
  std::vector<uint16_t> in(65536);
  for (size_t i = 0; i < in.size(); ++i)
    in[i] = i;
  std::vector<char> out(in.size());
  map(in.data(), out.data(), in.size());
  std::vector<double> magnitudes = magnitudesOf(kNarrow[2]);
  for (size_t i = 0; i < in.size(); ++i) {
    double value = valueOf(kNarrow[0], i);
    unsigned got = readBits(out, i, 8);
    if (std::isnan(value))
      ASSERT_EQ(got & 0x7f, 0x7fu);
    else
      ASSERT_EQ(got, roundTo(kNarrow[2], magnitudes, value,
                             Rounding::NearestEven))
          << value;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Convert,
                         testing::ValuesIn(vectorTargets()),
                         [](const auto &info) {
                           std::string name = info.param->name.str();
                           llvm::replace(name, '-', '_');
                           return name;
                         });

} // namespace
