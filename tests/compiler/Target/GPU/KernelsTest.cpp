//===- KernelsTest.cpp - Whole kernels on the simulated block -------------===//
//
// Triton source goes through the front end and all GPU passes, and runs on the
// simulated machine: pipelined loops with their rings, conversions and barriers
// are carried out, and a missing barrier or a copy that is read too early is an
// error even where hardware would often be lucky.
//
//===----------------------------------------------------------------------===//

#include "Simulate.h"

#include "compiler/Pipeline.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace nereid;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// fp16 values as a kernel sees them.
struct Halves {
  std::vector<uint16_t> bits;
  std::vector<double> values;

  explicit Halves(size_t count, std::mt19937 *random = nullptr)
      : bits(count), values(count) {
    for (size_t i = 0; random && i < count; ++i) {
      APFloat value(double(int((*random)() % 33) - 16) / 16);
      bool lost;
      value.convert(APFloat::IEEEhalf(), APFloat::rmNearestTiesToEven, &lost);
      bits[i] = uint16_t(value.bitcastToAPInt().getZExtValue());
      values[i] = value.convertToDouble();
    }
  }
  double operator[](size_t i) const {
    return APFloat(APFloat::IEEEhalf(), APInt(16, bits[i])).convertToDouble();
  }
};

class Kernels : public ::testing::TestWithParam<const char *> {
protected:
  Kernels() {
    context.loadDialect<arith::ArithDialect, LLVM::LLVMDialect,
                        math::MathDialect, scf::SCFDialect, ub::UBDialect,
                        tt::TTDialect, tgpu::TGPUDialect>();
  }

  /// Compiles a kernel of the conformance kernels for a target's passes.
  OwningOpRef<ModuleOp> compile(const std::string &function, Pairs signature,
                                Pairs constants, int warps, int stages,
                                const std::string &file = "tile_kernels") {
    std::string messages;
    Compiler compiler(
        {}, [&](const Message &message) { messages += message.rendered; });
    KernelSpec spec;
    spec.source = "../../../conformance/kernels/" + file + ".py";
    spec.function = function;
    spec.signature = std::move(signature);
    spec.config.constants = std::move(constants);
    spec.config.numWarps = warps;
    spec.config.numStages = stages;
    std::unique_ptr<KernelIR> ir = compiler.buildIR(spec);
    std::string text;
    if (!ir || !compiler.emit(*ir, GetParam(), EmitKind::TGPU, text)) {
      ADD_FAILURE() << messages;
      return nullptr;
    }
    return parseSourceString<ModuleOp>(text, &context);
  }

  /// attention_fwd over a little more than one block of rows.
  void attention(int depth, int rows, int columns, int warps, int stages,
                 int halves);

  /// Emits the module and runs one program; the error, if any.
  std::string errorOf(ModuleOp module, std::vector<uint64_t> arguments) {
    simulate::SimulatedHooks hooks;
    gpu::KernelFacts facts;
    if (failed(gpu::emitKernel(module, *findTarget(GetParam()), hooks, facts)))
      return "not emitted";
    simulate::Launch launch;
    launch.threads = facts.numThreads;
    launch.sharedBytes = facts.sharedBytes;
    launch.arguments = std::move(arguments);
    return simulate::run(*module.getOps<LLVM::LLVMFuncOp>().begin(), launch)
        .error;
  }

  /// Emits the module once and runs it for every program of the grid.
  void run(ModuleOp module, std::array<int, 2> grid,
           std::vector<uint64_t> arguments) {
    simulate::SimulatedHooks hooks;
    gpu::KernelFacts facts;
    ASSERT_TRUE(succeeded(
        gpu::emitKernel(module, *findTarget(GetParam()), hooks, facts)));
    simulate::Launch launch;
    launch.threads = facts.numThreads;
    launch.sharedBytes = facts.sharedBytes;
    launch.arguments = std::move(arguments);
    launch.programs[0] = grid[0];
    launch.programs[1] = grid[1];
    auto kernel = *module.getOps<LLVM::LLVMFuncOp>().begin();
    for (int y = 0; y < grid[1]; ++y)
      for (int x = 0; x < grid[0]; ++x) {
        launch.program[0] = x;
        launch.program[1] = y;
        simulate::Outcome outcome = simulate::run(kernel, launch);
        ASSERT_EQ(outcome.error, "") << "program " << x << ", " << y;
      }
  }

  template <typename T> static uint64_t pointer(std::vector<T> &data) {
    return reinterpret_cast<uint64_t>(data.data());
  }

  MLIRContext context;
  std::mt19937 random{11};
};

/// sm_80 multiplies by tt.dot from registers, sm_90a by warpgroups from tiles.
INSTANTIATE_TEST_SUITE_P(Targets, Kernels,
                         ::testing::Values("sm_80", "sm_90a"));

TEST_P(Kernels, ProductsInAnyNumberOfStages) {
  const int m = 45, n = 50, k = 72;
  for (int stages : {1, 2, 3, 4}) {
    auto module = compile("matmul",
                          {{"a_ptr", "*fp16:16"},
                           {"b_ptr", "*fp16:16"},
                           {"c_ptr", "*fp16:16"},
                           {"M", "i32"},
                           {"N", "i32"},
                           {"K", "i32"},
                           {"stride_am", "i32:16"},
                           {"stride_ak", "i32:1"},
                           {"stride_bk", "i32:16"},
                           {"stride_bn", "i32:1"},
                           {"stride_cm", "i32:16"},
                           {"stride_cn", "i32:1"}},
                          {{"BLOCK_M", "64"},
                           {"BLOCK_N", "64"},
                           {"BLOCK_K", "16"},
                           {"GROUP_M", "2"}},
                          4, stages);
    ASSERT_TRUE(module);
    const int strideA = 80, strideB = 64, strideC = 64;
    Halves a(size_t(m) * strideA, &random), b(size_t(k) * strideB, &random),
        c(size_t(m) * strideC);
    run(*module, {1, 1},
        {pointer(a.bits), pointer(b.bits), pointer(c.bits), m, n, k, strideA,
         strideB, strideC});
    for (int i = 0; i < m && !HasFailure(); ++i)
      for (int j = 0; j < n; ++j) {
        double exact = 0;
        for (int p = 0; p < k; ++p)
          exact += a.values[size_t(i) * strideA + p] *
                   b.values[size_t(p) * strideB + j];
        ASSERT_NEAR(c[size_t(i) * strideC + j], exact,
                    std::fabs(exact) / 1024 + 1e-3)
            << "element " << i << ", " << j << ", " << stages << " stages";
      }
  }
}

TEST_P(Kernels, UnrolledLoopsAreFetchedAhead) {
  const int m = 32, n = 64;
  for (int factor : {1, 2, 3})
    for (int k : {16, 80, 160}) {
      auto module = compile("unrolled_sum",
                            {{"a_ptr", "*fp16:16"},
                             {"b_ptr", "*fp16:16"},
                             {"c_ptr", "*fp32:16"},
                             {"K", "i32:16"}},
                            {{"M", std::to_string(m)},
                             {"N", std::to_string(n)},
                             {"BLOCK", "16"},
                             {"FACTOR", std::to_string(factor)},
                             {"STAGES", "3"}},
                            4, 1, "dot");
      ASSERT_TRUE(module);
      // Outside: two iterations for each operand, `factor` tiles each. Within:
      // the next one. In the loop for what is left nothing is fetched ahead.
      int ahead = 0, within = 0, loops = 0;
      module->walk([&](Operation *op) {
        loops += isa<scf::ForOp>(op);
        if (op->getName().getStringRef() == "tgpu.async_copy")
          ++(op->getParentOfType<scf::ForOp>() ? within : ahead);
      });
      EXPECT_EQ(loops, factor == 1 ? 1 : 2);
      EXPECT_EQ(within, 2 * factor);
      EXPECT_EQ(ahead, 4 * factor);

      Halves a(size_t(m) * k, &random), b(size_t(k) * n, &random);
      std::vector<float> c(size_t(m) * n);
      run(*module, {1, 1},
          {pointer(a.bits), pointer(b.bits), pointer(c), uint64_t(k)});
      for (int i = 0; i < m && !HasFailure(); ++i)
        for (int j = 0; j < n; ++j) {
          double exact = 0;
          for (int p = 0; p < k; ++p)
            exact += a.values[size_t(i) * k + p] * b.values[size_t(p) * n + j];
          ASSERT_NEAR(c[size_t(i) * n + j], exact, 1e-3)
              << i << ", " << j << ", factor " << factor << ", k " << k;
        }
    }
}

TEST_P(Kernels, LoopsThatContinueEachOther) {
  const int rows = 32, block = 64, columns = 256;
  auto module = compile("two_loops",
                        {{"x_ptr", "*fp32:16"},
                         {"out_ptr", "*fp32:16"},
                         {"first", "i32"},
                         {"middle", "i32"},
                         {"end", "i32"},
                         {"cols", "i32:16"}},
                        {{"BM", "32"}, {"BN", "64"}}, 4, 3, "control_flow");
  ASSERT_TRUE(module);
  int loops = 0;
  module->walk([&](scf::ForOp) { ++loops; });
  EXPECT_EQ(loops, 1);

  std::vector<float> x(size_t(rows) * columns);
  for (float &value : x)
    value = float(int(random() % 16) - 8);
  // Both run, one of them does, neither does; and ranges that run backwards.
  for (auto [first, middle, end] : {std::array{0, 2, 200},
                                    {0, 0, 130},
                                    {1, 3, 64},
                                    {3, 1, 60},
                                    {0, 0, 0}}) {
    std::vector<float> out(size_t(rows) * block);
    OwningOpRef<ModuleOp> copy = module->clone();
    run(*copy, {1, 1},
        {pointer(x), pointer(out), uint64_t(first), uint64_t(middle),
         uint64_t(end), columns});
    for (int i = 0; i < rows && !HasFailure(); ++i)
      for (int j = 0; j < block; ++j) {
        float total = 0, count = 0;
        for (int k = first * block; k < middle * block; k += block, ++count) {
          float value = x[size_t(i) * columns + size_t(k + j)];
          total += value * value;
        }
        for (int k = middle * block; k < end; k += block, ++count) {
          float value = x[size_t(i) * columns + size_t(k + j)];
          total += value * (k + j < end ? value + count : 3);
        }
        ASSERT_EQ(out[size_t(i) * block + size_t(j)], total)
            << i << ", " << j << " of " << first << ", " << middle << ", "
            << end;
      }
  }
}

TEST_P(Kernels, MaximaOfScaledScores) {
  const int rows = 32, columns = 192, n = 150, block = 64;
  auto module = compile("scaled_maxima",
                        {{"x_ptr", "*fp32:16"},
                         {"out_ptr", "*fp32:16"},
                         {"scale", "fp32"},
                         {"n", "i32"},
                         {"cols", "i32:16"}},
                        {{"LEAST", "False"}, {"BM", "32"}, {"BN", "64"}}, 4, 3,
                        "reductions");
  ASSERT_TRUE(module);
  int products = 0;
  module->walk([&](math::FmaOp) { ++products; });
  EXPECT_EQ(products, 1); // with the fast way and the way of any scale

  std::vector<float> x(size_t(rows) * columns);
  for (float &value : x)
    value = float(int(random() % 15) + 1) * (random() % 2 ? 2 : -2);
  const float inf = INFINITY;
  for (float scale : {0.5f, -0.5f, 0.0f, -0.0f, 0x1p-149f, inf, -inf, NAN}) {
    std::vector<float> out(x.size());
    OwningOpRef<ModuleOp> copy = module->clone();
    uint32_t bits;
    memcpy(&bits, &scale, sizeof bits);
    run(*copy, {1, 1}, {pointer(x), pointer(out), bits, n, columns});
    for (int i = 0; i < rows && !HasFailure(); ++i) {
      float best = -inf;
      for (int j = 0; j < columns && !HasFailure(); ++j) {
        auto score = [&](int k) {
          return k < n ? x[size_t(i * columns + k)] * scale : -inf;
        };
        for (int k = j; j % block == 0 && k < j + block; ++k)
          best = std::fmax(best, score(k));
        float exact = score(j) - best, found = out[size_t(i * columns + j)];
        ASSERT_TRUE(exact == found || (std::isnan(exact) && std::isnan(found)))
            << exact << ", found " << found << " at " << i << ", " << j
            << " with scale " << scale;
      }
    }
  }
}

TEST_P(Kernels, MasksOfFewIterations) {
  const int rows = 32, block = 64, columns = 192;
  std::vector<float> x(size_t(rows) * columns);
  for (float &value : x)
    value = float(int(random() % 200) - 100);
  for (bool keeps : {true, false}) {
    auto module = compile(
        "masked_blocks",
        {{"x_ptr", "*fp32:16"},
         {"out_ptr", "*fp32:16"},
         {"base", "i32"},
         {"bound", "i32"},
         {"cols", "i32:16"}},
        {{"KEEPS", keeps ? "True" : "False"}, {"BM", "32"}, {"BN", "64"}}, 4, 3,
        "elementwise");
    ASSERT_TRUE(module);
    int branches = 0;
    module->walk([&](scf::IfOp) { ++branches; });
    EXPECT_EQ(branches, 1);
    for (int32_t base : {0, INT32_MAX - 99, INT32_MAX - 63, INT32_MIN})
      for (int32_t bound : {0, 100, INT32_MAX - 49, INT32_MIN + 30}) {
        std::vector<float> out(size_t(rows) * block);
        OwningOpRef<ModuleOp> copy = module->clone();
        run(*copy, {1, 1},
            {pointer(x), pointer(out), uint32_t(base), uint32_t(bound),
             columns});
        for (int i = 0; i < rows && !HasFailure(); ++i)
          for (int j = 0; j < block; ++j) {
            float total = 0;
            for (int k = j; k < columns; k += block)
              total += int32_t(uint32_t(base) + uint32_t(k)) < bound
                           ? x[size_t(i * columns + k)]
                           : -1;
            ASSERT_EQ(out[size_t(i * block + j)], total)
                << i << ", " << j << " from " << base << " below " << bound;
          }
      }
  }
}

TEST_P(Kernels, EveryBarrierAndFenceIsNeeded) {
  // With any one of them gone there is an error.
  const int m = 64, n = 64, k = 96;
  Halves a(size_t(m) * k, &random), b(size_t(k) * n, &random), c(size_t(m) * n);
  for (int barrier = -1;; ++barrier) {
    auto module = compile("matmul",
                          {{"a_ptr", "*fp16:16"},
                           {"b_ptr", "*fp16:16"},
                           {"c_ptr", "*fp16:16"},
                           {"M", "i32:16"},
                           {"N", "i32:16"},
                           {"K", "i32:16"},
                           {"stride_am", "i32:16"},
                           {"stride_ak", "i32:1"},
                           {"stride_bk", "i32:16"},
                           {"stride_bn", "i32:1"},
                           {"stride_cm", "i32:16"},
                           {"stride_cn", "i32:1"}},
                          {{"BLOCK_M", "64"},
                           {"BLOCK_N", "64"},
                           {"BLOCK_K", "16"},
                           {"GROUP_M", "1"}},
                          4, 3);
    ASSERT_TRUE(module);
    SmallVector<Operation *> barriers;
    module->walk([&](Operation *op) {
      if (isa<tgpu::SyncThreadsOp, tgpu::ProxyFenceOp>(op))
        barriers.push_back(op);
    });
    if (barrier == int(barriers.size()))
      break;
    StringRef wanted;
    if (barrier >= 0) {
      wanted = isa<tgpu::SyncThreadsOp>(barriers[barrier]) ? "race" : "byte";
      barriers[barrier]->erase();
    }
    std::string error = errorOf(*module, {pointer(a.bits), pointer(b.bits),
                                          pointer(c.bits), m, n, k, k, n, n});
    if (barrier < 0)
      EXPECT_EQ(error, "");
    else
      EXPECT_TRUE(StringRef(error).starts_with(wanted) && error != "")
          << "barrier " << barrier << " of " << barriers.size() << ": "
          << error;
  }
}

void Kernels::attention(int depth, int rows, int columns, int warps, int stages,
                        int halves) {
  const int seq = rows + 16, heads = 1;
  for (const char *causal : {"False", "True"}) {
    auto module = compile("attention_fwd",
                          {{"q_ptr", "*fp16:16"},
                           {"k_ptr", "*fp16:16"},
                           {"v_ptr", "*fp16:16"},
                           {"o_ptr", "*fp16:16"},
                           {"lse_ptr", "*fp32:16"},
                           {"scale", "fp32"},
                           {"seq", "i32:16"}},
                          {{"CAUSAL", causal},
                           {"HEAD_DIM", std::to_string(depth)},
                           {"BLOCK_M", std::to_string(rows)},
                           {"BLOCK_N", std::to_string(columns)}},
                          warps, stages);
    ASSERT_TRUE(module);
    int found = 0;
    module->walk([&](tgpu::SyncThreadsOp op) { found += op.getHalf() == 0; });
    EXPECT_EQ(found, halves);
    const size_t size = size_t(heads) * seq * depth;
    Halves q(size, &random), k(size, &random), v(size, &random), o(size);
    std::vector<float> lse(seq);
    const float scale = 0.5f;
    uint32_t scaleBits;
    std::memcpy(&scaleBits, &scale, 4);
    run(*module, {2, 1},
        {pointer(q.bits), pointer(k.bits), pointer(v.bits), pointer(o.bits),
         pointer(lse), scaleBits, uint64_t(seq)});
    for (int i = 0; i < seq && !HasFailure(); ++i) {
      const int last = causal == StringRef("True") ? i + 1 : seq;
      std::vector<double> weight(last);
      double sum = 0;
      for (int j = 0; j < last; ++j) {
        double s = 0;
        for (int d = 0; d < depth; ++d)
          s += q.values[i * depth + d] * k.values[j * depth + d];
        sum += weight[j] = std::exp(s * scale);
      }
      for (int d = 0; d < depth; ++d) {
        double exact = 0;
        for (int j = 0; j < last; ++j)
          exact += weight[j] / sum * v.values[j * depth + d];
        ASSERT_NEAR(o[size_t(i) * depth + d], exact, 4e-3)
            << "row " << i << ", causal " << causal;
      }
    }
  }
}

TEST_P(Kernels, Attention) {
  attention(/*depth=*/32, /*rows=*/64, /*columns=*/32, /*warps=*/4,
            /*stages=*/3, /*halves=*/0);
}

// Two warpgroups whose block fills a multiprocessor take turns.
TEST_P(Kernels, AttentionOfStaggeredWarpgroups) {
  attention(/*depth=*/128, /*rows=*/128, /*columns=*/128, /*warps=*/8,
            /*stages=*/2, /*halves=*/GetParam() == StringRef("sm_90a"));
}

TEST_P(Kernels, LayerNorm) {
  const int rows = 3, columns = 300;
  auto module = compile("layer_norm",
                        {{"x_ptr", "*fp16:16"},
                         {"w_ptr", "*fp16:16"},
                         {"b_ptr", "*fp16:16"},
                         {"y_ptr", "*fp16:16"},
                         {"mean_ptr", "*fp32"},
                         {"rstd_ptr", "*fp32"},
                         {"stride", "i32:16"},
                         {"n_cols", "i32"},
                         {"eps", "fp32"}},
                        {{"BLOCK", "512"}}, 4, 3);
  ASSERT_TRUE(module);
  const int stride = 304;
  Halves x(size_t(rows) * stride, &random), w(columns, &random),
      b(columns, &random), y(size_t(rows) * stride);
  std::vector<float> mean(rows), rstd(rows);
  const float eps = 1e-5f;
  uint32_t epsBits;
  std::memcpy(&epsBits, &eps, 4);
  run(*module, {rows, 1},
      {pointer(x.bits), pointer(w.bits), pointer(b.bits), pointer(y.bits),
       pointer(mean), pointer(rstd), uint64_t(stride), uint64_t(columns),
       epsBits});
  for (int r = 0; r < rows && !HasFailure(); ++r) {
    double sum = 0, squares = 0;
    for (int c = 0; c < columns; ++c)
      sum += x.values[size_t(r) * stride + c];
    const double average = sum / columns;
    for (int c = 0; c < columns; ++c)
      squares += std::pow(x.values[size_t(r) * stride + c] - average, 2);
    const double scale = 1 / std::sqrt(squares / columns + eps);
    ASSERT_NEAR(mean[r], average, 1e-5);
    for (int c = 0; c < columns; ++c)
      ASSERT_NEAR(y[size_t(r) * stride + c],
                  (x.values[size_t(r) * stride + c] - average) * scale *
                          w.values[c] +
                      b.values[c],
                  5e-3);
  }
}

} // namespace
