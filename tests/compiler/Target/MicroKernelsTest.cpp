//===- MicroKernelsTest.cpp - Dots against a plain loop -------------------===//

#include "compiler/Target/CPU/MicroKernels.h"
#include "compiler/Target/Convert.h"
#include "tests/compiler/Target/Harness.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/APFloat.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace nereid;
using namespace nereid::cpu;
using namespace nereid::test;

namespace {

// The types of a dot, by name, so that each test makes them in its own context.
struct Types {
  const char *a, *b, *c;
};

Type typeNamed(MLIRContext *context, StringRef name) {
  return llvm::StringSwitch<Type>(name)
      .Case("f64", Float64Type::get(context))
      .Case("f32", Float32Type::get(context))
      .Case("f16", Float16Type::get(context))
      .Case("bf16", BFloat16Type::get(context))
      .Case("e4nv", Float8E4M3FNType::get(context))
      .Case("e5", Float8E5M2Type::get(context))
      .Case("i8", IntegerType::get(context, 8))
      .Case("i16", IntegerType::get(context, 16))
      .Case("i32", IntegerType::get(context, 32));
}

const llvm::fltSemantics &semanticsOf(Type type) {
  return cast<FloatType>(type).getFloatSemantics();
}

// An array of any element type, as bytes, seen as doubles.
struct Array {
  Type type;
  size_t elementBytes;
  char *data;
  std::vector<char> storage;

  Array(Type type, size_t count)
      : type(type), elementBytes(type.getIntOrFloatBitWidth() / 8),
        storage(count * elementBytes + 64) {
    auto address = reinterpret_cast<uintptr_t>(storage.data());
    data = storage.data() + (-address & 63);
  }
  void set(size_t index, double value) {
    char *at = data + index * elementBytes;
    if (auto integer = dyn_cast<IntegerType>(type)) {
      int64_t whole = static_cast<int64_t>(value);
      std::memcpy(at, &whole, elementBytes);
      return;
    }
    llvm::APFloat number(value);
    bool lost;
    number.convert(semanticsOf(type), llvm::APFloat::rmNearestTiesToEven,
                   &lost);
    uint64_t bits = number.bitcastToAPInt().getZExtValue();
    std::memcpy(at, &bits, elementBytes);
  }
  double get(size_t index) const {
    const char *at = data + index * elementBytes;
    uint64_t bits = 0;
    std::memcpy(&bits, at, elementBytes);
    unsigned width = type.getIntOrFloatBitWidth();
    if (isa<IntegerType>(type))
      return static_cast<double>(llvm::APInt(width, bits).getSExtValue());
    llvm::APFloat number(semanticsOf(type), llvm::APInt(width, bits));
    bool lost;
    number.convert(llvm::APFloat::IEEEdouble(),
                   llvm::APFloat::rmNearestTiesToEven, &lost);
    return number.convertToDouble();
  }
};

struct Case {
  int64_t m, n, k;
  bool overwrite = false, aTransposed = false, aConverted = false;
  int64_t kCount = -1, kMultiple = 1;
};

// What one element must be: the same products in the same order.
double reference(Type compute, bool fma, double initial,
                 const std::vector<double> &a, const std::vector<double> &b) {
  if (compute.isF64()) {
    double sum = initial;
    for (size_t k = 0; k < a.size(); ++k)
      sum = fma ? std::fma(a[k], b[k], sum) : sum + a[k] * b[k];
    return sum;
  }
  if (compute.isF32()) {
    float sum = static_cast<float>(initial);
    for (size_t k = 0; k < a.size(); ++k) {
      float x = static_cast<float>(a[k]), y = static_cast<float>(b[k]);
      float product = x * y;
      sum = fma ? std::fmaf(x, y, sum) : sum + product;
    }
    return sum;
  }
  int64_t sum = static_cast<int64_t>(initial);
  for (size_t k = 0; k < a.size(); ++k)
    sum += static_cast<int64_t>(a[k]) * static_cast<int64_t>(b[k]);
  return static_cast<int32_t>(sum);
}

void check(const TargetInfo &target, const Types &types, const Case &shape) {
  SCOPED_TRACE(llvm::formatv("{0}: {1} x {2} -> {3}, {4}x{5}x{6}{7}{8}{9}",
                             target.name, types.a, types.b, types.c, shape.m,
                             shape.n, shape.k,
                             shape.overwrite ? " overwrite" : "",
                             shape.aTransposed ? " transposed" : "",
                             shape.aConverted ? " converted" : "")
                   .str());
  Harness harness(target);
  MLIRContext *context = &harness.context;
  DotShape dot{shape.m,
               shape.n,
               shape.k,
               typeNamed(context, types.a),
               typeNamed(context, types.b),
               typeNamed(context, types.c)};
  PanelLayout layout = panelLayout(dot, target);
  Type compute = computeType(dot.aType, dot.bType, dot.cType);
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = IntegerType::get(context, 64);
  bool useCount = shape.kCount >= 0;
  void *entry = harness.compile(
      {pointer, i64, i64, pointer, pointer, i64, i64},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        DotOptions options;
        if (shape.aTransposed)
          options.aColStride = args[2];
        if (useCount)
          options.kCount = args[6];
        options.kMultiple = shape.kMultiple;
        options.overwrite = shape.overwrite;
        options.aConverted = shape.aConverted;
        ASSERT_TRUE(succeeded(emitDot(b, loc, dot, args[0], args[1], args[3],
                                      args[4], args[5], target, options)));
      });
  ASSERT_NE(entry, nullptr);

  std::mt19937 random(shape.m * 131 + shape.n * 17 + shape.k);
  bool isInt = isa<IntegerType>(dot.aType);
  std::uniform_real_distribution<double> real(-1, 1);
  std::uniform_int_distribution<int> whole(-128, 127);
  auto draw = [&] { return isInt ? whole(random) : real(random); };
  int64_t steps = useCount ? shape.kCount : shape.k;
  // Past what is counted, rounded up to a group, nothing may be used.
  int64_t used = llvm::alignTo(steps, layout.group);
  int64_t padded = layout.paddedK;
  int64_t aRow = shape.aTransposed ? 1 : padded + 3;
  int64_t aCol = shape.aTransposed ? shape.m + 5 : 1;
  int64_t cRow = shape.n + 7;
  Array source(dot.aType, shape.m * shape.k);
  Array a(shape.aConverted ? layout.aElement : dot.aType,
          (shape.m + 5) * (padded + 3) + 8);
  for (int64_t i = 0; i < shape.m; ++i)
    for (int64_t k = 0; k < shape.k; ++k) {
      source.set(i * shape.k + k, draw());
      double poison = isInt ? 77 : NAN;
      a.set(i * aRow + k * aCol,
            k < used ? source.get(i * shape.k + k) : poison);
    }
  Array bSource(dot.bType, shape.k * shape.n);
  Array panels(
      layout.element,
      layout.bytes(shape.n) /
          std::max<size_t>(1, layout.element.getIntOrFloatBitWidth() / 8));
  for (int64_t k = 0; k < shape.k; ++k)
    for (int64_t j = 0; j < shape.n; ++j) {
      bSource.set(k * shape.n + j, draw());
      int64_t g = layout.group, w = layout.width;
      int64_t at = ((j / w * padded / g + k / g) * w + j % w) * g + k % g;
      double poison = isInt ? 77 : NAN;
      panels.set(at, k < steps  ? bSource.get(k * shape.n + j)
                     : k < used ? 0
                                : poison);
    }
  Array c(dot.cType, shape.m * cRow), expected(dot.cType, shape.m * cRow);
  for (int64_t i = 0; i < shape.m * cRow; ++i) {
    c.set(i, draw());
    expected.set(i, c.get(i));
  }
  using Function =
      void (*)(void *, int64_t, int64_t, void *, void *, int64_t, int64_t);
  reinterpret_cast<Function>(entry)(a.data, aRow, aCol, panels.data, c.data,
                                    cRow, steps);
  bool fma = target.vectorBits >= 256;
  bool inOrder = target.matrixUnit == MatrixUnit::None || layout.group == 1;
  std::vector<double> x(steps), y(steps);
  for (int64_t i = 0; i < shape.m; ++i)
    for (int64_t j = 0; j < shape.n; ++j) {
      for (int64_t k = 0; k < steps; ++k) {
        x[k] = source.get(i * shape.k + k);
        y[k] = bSource.get(k * shape.n + j);
      }
      double initial = shape.overwrite ? 0 : expected.get(i * cRow + j);
      expected.set(i * cRow + j, reference(compute, fma, initial, x, y));
    }
  for (int64_t i = 0; i < shape.m; ++i)
    for (int64_t j = 0; j < cRow; ++j) {
      double want = expected.get(i * cRow + j), got = c.get(i * cRow + j);
      if (inOrder || isInt || j >= shape.n) {
        ASSERT_EQ(got, want) << "at " << i << ", " << j;
      } else {
        // Pairs are added in the unit's own order: k roundings of sums of at
        // most k products of magnitude 1, and C's own rounding.
        double bound = steps * steps * 0x1p-24 + std::abs(want) * 0x1p-22;
        ASSERT_NEAR(got, want, bound) << "at " << i << ", " << j;
      }
    }
}

class MicroKernels : public testing::TestWithParam<const TargetInfo *> {};

TEST_P(MicroKernels, F32AllShapes) {
  for (int64_t m : {1, 2, 4, 8, 16, 64})
    for (int64_t n : {1, 2, 4, 8, 16, 32, 128})
      check(*GetParam(), {"f32", "f32", "f32"}, {m, n, 16});
}

TEST_P(MicroKernels, F32Depths) {
  for (int64_t k : {1, 2, 4, 32, 256})
    check(*GetParam(), {"f32", "f32", "f32"}, {32, 64, k});
}

TEST_P(MicroKernels, Options) {
  check(*GetParam(), {"f32", "f32", "f32"}, {32, 64, 32, true});
  check(*GetParam(), {"f32", "f32", "f32"}, {32, 64, 32, false, true});
  check(*GetParam(), {"f32", "f32", "f32"},
        {16, 32, 64, false, false, false, 37});
  check(*GetParam(), {"f32", "f32", "f32"},
        {16, 32, 64, true, false, false, 0});
}

TEST_P(MicroKernels, CountsAlongK) {
  for (Types types : {Types{"bf16", "bf16", "f32"}, Types{"i8", "i8", "i32"}}) {
    Case shape{32, 64, 128};
    for (auto [count, multiple] : {std::pair(48, 16), {96, 32}, {64, 64}, {31, 1}}) {
      shape.kCount = count;
      shape.kMultiple = multiple;
      check(*GetParam(), types, shape);
    }
  }
}

TEST_P(MicroKernels, Types) {
  for (Types types : {Types{"f64", "f64", "f64"}, Types{"f16", "f16", "f32"},
                      Types{"f16", "f16", "f16"}, Types{"bf16", "bf16", "f32"},
                      Types{"e4nv", "e4nv", "f32"}, Types{"e4nv", "e5", "f16"},
                      Types{"i8", "i8", "i32"}})
    for (Case shape : {Case{16, 16, 16}, Case{64, 64, 32}, Case{32, 2, 64},
                       Case{1, 128, 128}, Case{2, 4, 1}, Case{128, 32, 64}})
      check(*GetParam(), types, shape);
}

TEST_P(MicroKernels, ConvertedA) {
  for (Types types : {Types{"f16", "f16", "f32"}, Types{"i8", "i8", "i32"}})
    check(*GetParam(), types, {32, 32, 32, false, false, true});
}

TEST_P(MicroKernels, Transpose) {
  for (const char *name : {"f32", "f64", "i16", "i8"})
    for (int64_t width : {2, 4, 8, 16}) {
      Harness harness(*GetParam());
      MLIRContext *context = &harness.context;
      Type element = typeNamed(context, name);
      Type pointer = LLVM::LLVMPointerType::get(context);
      Type row = VectorType::get({width}, element);
      void *entry = harness.compile(
          {pointer}, [&](OpBuilder &b, Location loc, ValueRange args) {
            SmallVector<Value> rows, cells;
            for (int32_t i = 0; i < width; ++i) {
              cells.push_back(
                  LLVM::GEPOp::create(b, loc, pointer, element, args[0],
                                      LLVM::GEPArg(int32_t(i * width))));
              rows.push_back(LLVM::LoadOp::create(b, loc, row, cells[i], 1));
            }
            emitTranspose(b, loc, rows);
            for (int32_t i = 0; i < width; ++i)
              LLVM::StoreOp::create(b, loc, rows[i], cells[i], 1);
          });
      ASSERT_NE(entry, nullptr);
      Array tile(element, width * width);
      for (int64_t i = 0; i < width * width; ++i)
        tile.set(i, i % 100);
      reinterpret_cast<void (*)(void *)>(entry)(tile.data);
      for (int64_t i = 0; i < width; ++i)
        for (int64_t j = 0; j < width; ++j)
          ASSERT_EQ(tile.get(i * width + j), (j * width + i) % 100);
    }
}

double seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The multiply-add peak of one core: as many independent chains as hide the
// latency, on registers alone.
double peakOf(const TargetInfo &target, const char *typeName) {
  Harness harness(target);
  MLIRContext *context = &harness.context;
  Type element = typeNamed(context, typeName);
  int64_t lanes = vectorLanes(target, element);
  bool fma = target.vectorBits >= 256;
  constexpr int kChains = 12, kSteps = 100000;
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type vector = VectorType::get({lanes}, element);
  void *entry = harness.compile(
      {pointer}, [&](OpBuilder &b, Location loc, ValueRange args) {
        auto constant = [&](int64_t value) -> Value {
          return arith::ConstantIntOp::create(b, loc, value, 64);
        };
        Value x = LLVM::LoadOp::create(b, loc, vector, args[0], 4);
        SmallVector<Value> chains(kChains, x);
        auto loop = scf::ForOp::create(b, loc, constant(0), constant(kSteps),
                                       constant(1), chains);
        {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(loop.getBody());
          SmallVector<Value> next;
          for (Value chain : loop.getRegionIterArgs()) {
            if (fma) {
              next.push_back(math::FmaOp::create(b, loc, x, x, chain));
              continue;
            }
            // The product must not leave the loop: it depends on the chain.
            Value product = arith::MulFOp::create(b, loc, x, chain);
            next.push_back(arith::AddFOp::create(b, loc, product, x));
          }
          scf::YieldOp::create(b, loc, next);
        }
        Value sum = loop.getResult(0);
        for (Value chain : loop.getResults().drop_front())
          sum = arith::AddFOp::create(b, loc, sum, chain);
        LLVM::StoreOp::create(b, loc, sum, args[0], 4);
      });
  if (!entry)
    return 1;
  Array data(element, lanes);
  double best = 1e9;
  for (int round = 0; round < 7; ++round) {
    double start = seconds();
    reinterpret_cast<void (*)(void *)>(entry)(data.data);
    best = std::min(best, seconds() - start);
  }
  return 2.0 * kSteps * kChains * lanes / best * 1e-9;
}

// Prints the speed of a dot whose operands fit the first-level cache, and holds
// the innermost loops to having no spill.
TEST_P(MicroKernels, SpeedAndSpills) {
  const TargetInfo &target = *GetParam();
  for (Types types : {Types{"f32", "f32", "f32"}, Types{"f64", "f64", "f64"},
                      Types{"i8", "i8", "i32"}, Types{"bf16", "bf16", "f32"}}) {
    Harness harness(target);
    MLIRContext *context = &harness.context;
    DotShape dot{64,
                 32,
                 128,
                 typeNamed(context, types.a),
                 typeNamed(context, types.b),
                 typeNamed(context, types.c)};
    PanelLayout layout = panelLayout(dot, target);
    Type pointer = LLVM::LLVMPointerType::get(context);
    Type i64 = IntegerType::get(context, 64);
    void *entry = harness.compile(
        {pointer, i64, pointer, pointer, i64},
        [&](OpBuilder &b, Location loc, ValueRange args) {
          DotOptions options;
          options.aConverted = true;
          ASSERT_TRUE(succeeded(emitDot(b, loc, dot, args[0], args[1], args[2],
                                        args[3], args[4], target, options)));
        });
    ASSERT_NE(entry, nullptr);
    SpillCount spills = countSpills(harness.assembly());
    EXPECT_EQ(spills.inInnermostLoops, 0u) << types.a;
    Array a(layout.aElement, dot.m * layout.paddedK);
    Array panels(layout.element, dot.n * layout.paddedK);
    Array c(dot.cType, dot.m * dot.n);
    auto function =
        reinterpret_cast<void (*)(void *, int64_t, void *, void *, int64_t)>(
            entry);
    double best = 1e9;
    for (int round = 0; round < 7; ++round) {
      double start = seconds();
      for (int i = 0; i < 300; ++i)
        function(a.data, layout.paddedK, panels.data, c.data, dot.n);
      best = std::min(best, seconds() - start);
    }
    double speed = 300.0 * 2 * dot.m * dot.n * dot.k / best * 1e-9;
    double peak = peakOf(target, dot.aType.isF64() ? "f64" : "f32");
    std::printf("%s %s: %.1f Gop/s, %.2f of the %s multiply-add peak, %u bytes "
                "of code\n",
                target.name.data(), types.a, speed, speed / peak,
                dot.aType.isF64() ? "f64" : "f32", harness.report.textSize);
  }
}

TEST(MicroKernelErrors, MixedTypes) {
  const TargetInfo &target = *findTarget("x86-64-v3");
  Harness harness(target);
  MLIRContext *context = &harness.context;
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = IntegerType::get(context, 64);
  harness.build(
      {pointer, i64}, [&](OpBuilder &b, Location loc, ValueRange args) {
        DotShape dot{16, 16, 16, b.getI8Type(), b.getF32Type(), b.getF32Type()};
        EXPECT_TRUE(failed(emitDot(b, loc, dot, args[0], args[1], args[0],
                                   args[0], args[1], target)));
        dot = {16, 16, 16, b.getI16Type(), b.getI16Type(), b.getI32Type()};
        EXPECT_TRUE(failed(emitDot(b, loc, dot, args[0], args[1], args[0],
                                   args[0], args[1], target)));
      });
  EXPECT_NE(harness.messages.find("mixes integers and floats"),
            std::string::npos);
  EXPECT_NE(harness.messages.find("a dot of 'i16' and 'i16' into 'i32' is not "
                                  "supported"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Targets, MicroKernels,
                         testing::ValuesIn(runnableTargets()),
                         [](const auto &info) {
                           std::string name = info.param->name.str();
                           llvm::replace(name, '-', '_');
                           return name;
                         });

} // namespace
