//===- MathTest.cpp - The math library's error bounds ---------------------===//
//
// Every function, on every level this machine runs, against the C library in
// the next wider type. The bounds are those that Math.h states. NRD_MATH_STRIDE
// sets the distance between the f32 inputs tested (1: all 2^32 of them).
//
//===----------------------------------------------------------------------===//

#include "tests/compiler/Target/Harness.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace mlir;
using namespace nereid;
using namespace nereid::test;

namespace {

struct Unary {
  const char *op;
  double (*f64)(double);
  long double (*f80)(long double);
  double bound32, bound64;
};

double rsqrt64(double x) { return 1 / std::sqrt(x); }
long double rsqrt80(long double x) { return 1 / std::sqrt(x); }

const Unary kUnary[] = {
    {"math.exp", std::exp, std::exp, 1, 1},
    {"math.exp2", std::exp2, std::exp2, 1, 1},
    {"math.expm1", std::expm1, std::expm1, 1.5, 2},
    {"math.log", std::log, std::log, 1, 1},
    {"math.log2", std::log2, std::log2, 1.25, 1.25},
    {"math.log10", std::log10, std::log10, 1.5, 1.5},
    {"math.log1p", std::log1p, std::log1p, 1.5, 1.5},
    {"math.sin", std::sin, std::sin, 1.25, 1.25},
    {"math.cos", std::cos, std::cos, 1.25, 1.25},
    {"math.tan", std::tan, std::tan, 2, 2},
    {"math.sinh", std::sinh, std::sinh, 2.5, 2.5},
    {"math.cosh", std::cosh, std::cosh, 2.5, 2.5},
    {"math.tanh", std::tanh, std::tanh, 2.5, 2.5},
    {"math.asinh", std::asinh, std::asinh, 4, 4},
    {"math.acosh", std::acosh, std::acosh, 4, 4},
    {"math.atanh", std::atanh, std::atanh, 4, 4},
    {"math.asin", std::asin, std::asin, 2, 2},
    {"math.acos", std::acos, std::acos, 2, 2},
    {"math.atan", std::atan, std::atan, 2, 2},
    {"math.erf", std::erf, std::erf, 1.5, 1.5},
    {"math.erfc", std::erfc, std::erfc, 4.5, 4.5},
    {"math.cbrt", std::cbrt, std::cbrt, 1.5, 1.5},
    {"math.rsqrt", rsqrt64, rsqrt80, 1.5, 1.5},
    {"math.sqrt", std::sqrt, std::sqrt, 0.5, 0.5},
    {"math.floor", std::floor, std::floor, 0, 0},
    {"math.ceil", std::ceil, std::ceil, 0, 0},
    {"math.trunc", std::trunc, std::trunc, 0, 0},
    {"math.round", std::round, std::round, 0, 0},
    {"math.roundeven", std::nearbyint, std::nearbyint, 0, 0},
};

// out[i] = op(in0[i], in1[i], ...) for i < n, by vectors of `lanes`.
using Map = void (*)(const void *const *inputs, void *out, int64_t n);

Map buildMap(Harness &harness, StringRef op, unsigned operands, Type element,
             int64_t lanes) {
  MLIRContext *context = &harness.context;
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = IntegerType::get(context, 64);
  Type type = lanes == 1 ? element : Type(VectorType::get({lanes}, element));
  return reinterpret_cast<Map>(harness.compile(
      {pointer, pointer, i64}, [&](OpBuilder &b, Location loc,
                                   ValueRange args) {
        auto constant = [&](int64_t value) -> Value {
          return arith::ConstantIntOp::create(b, loc, value, 64);
        };
        SmallVector<Value> bases;
        for (unsigned i = 0; i < operands; ++i) {
          Value slot =
              LLVM::GEPOp::create(b, loc, pointer, pointer, args[0],
                                  LLVM::GEPArg(static_cast<int32_t>(i)));
          bases.push_back(LLVM::LoadOp::create(b, loc, pointer, slot));
        }
        auto loop = scf::ForOp::create(b, loc, constant(0), args[2],
                                       constant(lanes));
        b.setInsertionPointToStart(loop.getBody());
        auto at = [&](Value base) -> Value {
          return LLVM::GEPOp::create(b, loc, pointer, element, base,
                                     LLVM::GEPArg(loop.getInductionVar()));
        };
        OperationState state(loc, op);
        for (Value base : bases)
          state.operands.push_back(
              LLVM::LoadOp::create(b, loc, type, at(base), 4));
        state.types.push_back(type);
        LLVM::StoreOp::create(b, loc, b.create(state)->getResult(0),
                              at(args[1]), 4);
        b.setInsertionPointAfter(loop);
      }));
}

// Distance of `got` from the exact `want`, in units of T's last place there.
template <typename T, typename Wide> double ulps(T got, Wide want) {
  T nearest = static_cast<T>(want);
  if (std::isnan(want))
    return std::isnan(got) ? 0 : INFINITY;
  if (std::isnan(got))
    return INFINITY;
  if (std::isinf(nearest) || std::isinf(got)) {
    if (nearest == got)
      return 0;
    // One step short of infinity, or past the largest number, is one unit.
    T largest = std::copysign(std::numeric_limits<T>::max(), nearest);
    return std::abs(got) >= std::abs(largest) &&
                   std::abs(nearest) >= std::abs(largest) &&
                   std::signbit(got) == std::signbit(nearest)
               ? 1
               : INFINITY;
  }
  if (nearest == 0 && got == 0)
    return std::signbit(nearest) == std::signbit(got) ? 0 : INFINITY;
  int exponent = std::max(std::ilogb(nearest),
                          std::numeric_limits<T>::min_exponent - 1);
  if (nearest == 0)
    exponent = std::numeric_limits<T>::min_exponent - 1;
  Wide unit = std::ldexp(Wide(1), exponent - std::numeric_limits<T>::digits + 1);
  return static_cast<double>(std::abs((Wide(got) - want) / unit));
}

template <typename T> T fromBits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// The inputs every function sees besides its sweep.
template <typename T> std::vector<T> specials() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values;
  for (T x : {T(0), Limits::denorm_min(), T(Limits::denorm_min() * 3),
              Limits::min(), Limits::max(), Limits::infinity(),
              Limits::quiet_NaN(), T(1), std::nextafter(T(1), T(0)),
              std::nextafter(T(1), T(2)), T(0.5), T(1.5), T(2), T(2.5), T(3),
              T(10), T(100), T(710), T(1000), T(1e5), T(4e8), T(1e20), T(1e30),
              T(M_PI), T(M_PI_2), T(M_PI_4), T(88.72284), T(127.99), T(104)})
    for (T sign : {T(1), T(-1)})
      values.push_back(sign * x);
  return values;
}

template <typename T> std::vector<T> sweep();

template <> std::vector<float> sweep() {
  const char *text = std::getenv("NRD_MATH_STRIDE");
  uint64_t stride = text ? std::strtoull(text, nullptr, 10) : 2039;
  std::vector<float> values = specials<float>();
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += stride)
    values.push_back(fromBits<float>(bits));
  return values;
}

template <> std::vector<double> sweep() {
  std::vector<double> values = specials<double>();
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int i = 0; i < 200000; ++i) {
    values.push_back(fromBits<double>(random()));
    values.push_back(unit(random));
    values.push_back(unit(random) * 30);
    values.push_back(unit(random) * 800);
    values.push_back(1 + unit(random) * 0.3);
    values.push_back(std::ldexp(unit(random), -static_cast<int>(random() % 60)));
  }
  return values;
}

template <typename T> void roundUpTo(std::vector<T> &values, size_t multiple) {
  while (values.size() % multiple)
    values.push_back(values.back());
}

class MathFunctions : public testing::TestWithParam<const TargetInfo *> {};

template <typename T, typename Wide>
void checkUnary(const TargetInfo &target, const Unary &function,
                Wide (*exact)(Wide), double bound) {
  // Where there is no fma, each step of a sum rounds twice.
  if (target.vectorBits < 256 && bound > 0.5)
    bound += 0.5;
  int64_t lanes = target.vectorBits / 8 / sizeof(T);
  std::vector<T> inputs = sweep<T>();
  roundUpTo(inputs, lanes);
  std::vector<T> outputs(inputs.size()), scalar(inputs.size());
  Harness harness(target), scalarHarness(target);
  auto element = [](MLIRContext *context) -> Type {
    if (sizeof(T) == 8)
      return Float64Type::get(context);
    return Float32Type::get(context);
  };
  Map map = buildMap(harness, function.op, 1, element(&harness.context), lanes);
  Map scalarMap = buildMap(scalarHarness, function.op, 1,
                           element(&scalarHarness.context), 1);
  ASSERT_TRUE(map && scalarMap);
  const void *pointers[] = {inputs.data()};
  map(pointers, outputs.data(), inputs.size());
  size_t fewer = std::min<size_t>(inputs.size(), 200000);
  scalarMap(pointers, scalar.data(), fewer);
  double worst = 0;
  T worstInput = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    double error = ulps<T, Wide>(outputs[i], exact(Wide(inputs[i])));
    if (error > worst) {
      worst = error;
      worstInput = inputs[i];
    }
    if (i < fewer && !(std::isnan(outputs[i]) && std::isnan(scalar[i])))
      ASSERT_EQ(std::memcmp(&outputs[i], &scalar[i], sizeof(T)), 0)
          << function.op << "(" << inputs[i] << ") as a scalar is "
          << scalar[i] << ", in a vector " << outputs[i];
  }
  std::printf("%-11s %-15s f%zu: %6.3f ulp at %.9a, %u bytes\n",
              target.name.data(), function.op, sizeof(T) * 8, worst,
              double(worstInput), harness.report.textSize);
  EXPECT_LE(worst, bound) << function.op << " at " << worstInput << ": got "
                          << [&] {
                               for (size_t i = 0; i < inputs.size(); ++i)
                                 if (std::memcmp(&inputs[i], &worstInput,
                                                 sizeof(T)) == 0)
                                   return outputs[i];
                               return T(0);
                             }() << ", exact "
                          << double(exact(Wide(worstInput)));
}

TEST_P(MathFunctions, UnaryF32) {
  for (const Unary &function : kUnary)
    checkUnary<float, double>(*GetParam(), function, function.f64,
                              function.bound32);
}

TEST_P(MathFunctions, UnaryF64) {
  for (const Unary &function : kUnary)
    checkUnary<double, long double>(*GetParam(), function, function.f80,
                                    function.bound64);
}

// Pairs: every special with every special, then random ones.
template <typename T>
void makePairs(std::vector<T> &x, std::vector<T> &y, bool powers) {
  for (T a : specials<T>())
    for (T b : specials<T>()) {
      x.push_back(a);
      y.push_back(b);
    }
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int i = 0; i < 300000; ++i) {
    x.push_back(fromBits<T>(random()));
    y.push_back(fromBits<T>(random()));
    x.push_back(T(unit(random) * 100));
    y.push_back(T(unit(random) * 10));
    x.push_back(T(std::ldexp(1 + unit(random) * .5, int(random() % 60) - 30)));
    y.push_back(powers ? T(unit(random) * 40) : T(unit(random)));
    x.push_back(T(1 + unit(random) * 1e-3));
    y.push_back(T(unit(random) * 80000));
    x.push_back(T(int(random() % 41) - 20));
    y.push_back(T(int(random() % 41) - 20));
  }
}

template <typename T, typename Wide>
void checkBinary(const TargetInfo &target, const char *op,
                 Wide (*exact)(Wide, Wide), double bound) {
  if (target.vectorBits < 256 && bound > 0.5)
    bound += 0.5;
  int64_t lanes = target.vectorBits / 8 / sizeof(T);
  std::vector<T> x, y;
  makePairs(x, y, StringRef(op) == "math.powf");
  roundUpTo(x, lanes);
  roundUpTo(y, lanes);
  std::vector<T> outputs(x.size());
  Harness harness(target);
  Type element = sizeof(T) == 8 ? Type(Float64Type::get(&harness.context))
                                : Type(Float32Type::get(&harness.context));
  Map map = buildMap(harness, op, 2, element, lanes);
  ASSERT_NE(map, nullptr);
  const void *pointers[] = {x.data(), y.data()};
  map(pointers, outputs.data(), x.size());
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    double error = ulps<T, Wide>(outputs[i], exact(Wide(x[i]), Wide(y[i])));
    if (error > worst) {
      worst = error;
      where = i;
    }
  }
  std::printf("%-11s %-15s f%zu: %6.3f ulp at %a, %a, %u bytes\n",
              target.name.data(), op, sizeof(T) * 8, worst, double(x[where]),
              double(y[where]), harness.report.textSize);
  EXPECT_LE(worst, bound) << op << "(" << x[where] << ", " << y[where]
                          << "): got " << outputs[where] << ", exact "
                          << double(exact(Wide(x[where]), Wide(y[where])));
}

TEST_P(MathFunctions, Binary) {
  const TargetInfo &target = *GetParam();
  checkBinary<float, double>(target, "math.powf", std::pow, 1);
  checkBinary<double, long double>(target, "math.powf", std::pow, 1);
  checkBinary<float, double>(target, "math.atan2", std::atan2, 2.5);
  checkBinary<double, long double>(target, "math.atan2", std::atan2, 2.5);
  checkBinary<float, double>(target, "arith.remf", std::fmod, 0);
  checkBinary<double, long double>(target, "arith.remf", std::fmod, 0);
}

// fma rounds once, with or without an instruction for it.
template <typename T> void checkFma(const TargetInfo &target) {
  int64_t lanes = target.vectorBits / 8 / sizeof(T);
  std::vector<T> a, b, c;
  std::vector<T> values = specials<T>();
  for (T x : values)
    for (T y : values)
      for (T z : values) {
        a.push_back(x);
        b.push_back(y);
        c.push_back(z);
      }
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> unit(-2, 2);
  for (int i = 0; i < 300000; ++i) {
    a.push_back(fromBits<T>(random()));
    b.push_back(fromBits<T>(random()));
    c.push_back(fromBits<T>(random()));
    // Near cancellation, at ordinary and at subnormal scale.
    for (int scale : {0, std::numeric_limits<T>::min_exponent - 3}) {
      T x = T(std::ldexp(unit(random), scale)), y = T(unit(random));
      a.push_back(x);
      b.push_back(y);
      c.push_back(-x * y);
      a.push_back(x);
      b.push_back(y);
      c.push_back(T(std::ldexp(unit(random), scale - int(random() % 60))));
    }
  }
  while (a.size() % lanes) {
    a.push_back(1);
    b.push_back(1);
    c.push_back(1);
  }
  std::vector<T> outputs(a.size());
  Harness harness(target);
  Type element = sizeof(T) == 8 ? Type(Float64Type::get(&harness.context))
                                : Type(Float32Type::get(&harness.context));
  Map map = buildMap(harness, "math.fma", 3, element, lanes);
  ASSERT_NE(map, nullptr);
  const void *pointers[] = {a.data(), b.data(), c.data()};
  map(pointers, outputs.data(), a.size());
  unsigned wrong = 0;
  for (size_t i = 0; i < a.size() && wrong < 10; ++i) {
    T want = std::fma(a[i], b[i], c[i]);
    if (std::isnan(want) && std::isnan(outputs[i]))
      continue;
    if (std::memcmp(&want, &outputs[i], sizeof(T)) != 0) {
      ++wrong;
      ADD_FAILURE() << target.name.str() << " fma(" << std::hexfloat << a[i]
                    << ", " << b[i] << ", " << c[i] << ") is " << outputs[i]
                    << ", must be " << want;
    }
  }
}

TEST_P(MathFunctions, Fma) {
  checkFma<float>(*GetParam());
  checkFma<double>(*GetParam());
}

// How many instructions one vector costs in the two functions that attention
// and softmax wait for: a budget, so that a change that misses it is seen.
TEST_P(MathFunctions, InstructionBudget) {
  const TargetInfo &target = *GetParam();
  // Clamp 2, round 1 or 2, reduce 1 or 3, polynomial 6, then scale: 1 with
  // AVX-512, 8 without; without fma every step of a sum is two.
  int64_t lanes = target.vectorBits / 32;
  bool hasFma = target.vectorBits >= 256, hasScalef = target.vectorBits >= 512;
  for (auto [op, budget] : {std::pair("math.exp2", 11), {"math.exp", 14}}) {
    Harness harness(target);
    MLIRContext *context = &harness.context;
    Type pointer = LLVM::LLVMPointerType::get(context);
    Type vector = VectorType::get({lanes}, Float32Type::get(context));
    harness.build({pointer}, [&, op = op](OpBuilder &b, Location loc,
                                          ValueRange args) {
      OperationState state(loc, op);
      state.operands.push_back(
          LLVM::LoadOp::create(b, loc, vector, args[0], 4));
      state.types.push_back(vector);
      LLVM::StoreOp::create(b, loc, b.create(state)->getResult(0), args[0], 4);
    });
    ASSERT_TRUE(harness.lower());
    std::string text = harness.assembly();
    SmallVector<StringRef> lines;
    StringRef(text).split(lines, '\n');
    int count = 0;
    for (StringRef line : lines) {
      line = line.trim();
      // Vector arithmetic; moves of constants and of the operand are not it.
      if ((line.contains("xmm") || line.contains("ymm") ||
           line.contains("zmm")) &&
          !line.starts_with("#") && !line.contains("mov") &&
          !line.contains("broadcast"))
        ++count;
    }
    int limit = budget + (hasScalef ? 0 : 8) + (hasFma ? 0 : 9);
    std::printf("%s %s: %d vector instructions, at most %d\n",
                target.name.data(), op, count, limit);
    EXPECT_LE(count, limit) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, MathFunctions,
                         testing::ValuesIn(vectorTargets()),
                         [](const auto &info) {
                           std::string name = info.param->name.str();
                           llvm::replace(name, '-', '_');
                           return name;
                         });

} // namespace
