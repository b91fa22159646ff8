//===- ExecuteTest.cpp - Kernels of tile IR, compiled and run -------------===//
//
// Small kernels that each go through one part of the lowering, run on every CPU
// level this machine has and compared with plain C++.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/CPU/Emit.h"
#include "compiler/Target/CPU/Lowering.h"
#include "nereid/cpu_kernel.h"
#include "tests/compiler/Target/Harness.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <numeric>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace nereid;

namespace {

class CompiledKernel {
public:
  CompiledKernel(StringRef text, const TargetInfo &target) {
    DialectRegistry registry;
    registry.insert<tt::TTDialect, arith::ArithDialect, cf::ControlFlowDialect,
                    math::MathDialect, scf::SCFDialect>();
    cpu::registerEmitDialects(registry);
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    ScopedDiagnosticHandler diagnostics(&context, [&](Diagnostic &d) {
      messages += d.str() + "\n";
      return success();
    });
    auto module = parseSourceString<ModuleOp>(text, &context);
    if (!module || failed(cpu::lowerToLLVM(*module, target, layout)))
      return;
    auto object = cpu::emitSharedObject(*module, layout.symbol, target);
    if (!object) {
      messages += toString(object.takeError());
      return;
    }
    int file = memfd_create("kernel", 0);
    if (write(file, object->data(), object->size()) !=
        static_cast<ssize_t>(object->size()))
      return;
    std::string path = "/proc/self/fd/" + std::to_string(file);
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    close(file);
    if (!library) {
      messages += dlerror();
      return;
    }
    entry = reinterpret_cast<nrd_cpu_kernel_fn_t>(
        dlsym(library, layout.symbol.c_str()));
    // What is in scratch memory before must not matter.
    scratch.assign(layout.scratchSize + 64, '\xfe');
  }
  ~CompiledKernel() {
    if (library)
      dlclose(library);
  }

  CompiledKernel &pointer(const void *p) { return argument(&p, sizeof p); }
  CompiledKernel &i32(int32_t v) { return argument(&v, sizeof v); }

  int32_t run(uint32_t x, uint32_t y = 1,
              const nrd_cpu_host_t *host = nullptr) {
    uint32_t grid[3] = {x, y, 1};
    uintptr_t base = reinterpret_cast<uintptr_t>(scratch.data());
    void *aligned = reinterpret_cast<void *>((base + 63) / 64 * 64);
    int32_t status = entry(params, grid, 0, uint64_t(x) * y, aligned, host);
    next = 0;
    return status;
  }

  std::string messages;
  cpu::KernelLayout layout;
  nrd_cpu_kernel_fn_t entry = nullptr;

private:
  CompiledKernel &argument(const void *data, size_t size) {
    std::memcpy(params + layout.fields[next++].offset, data, size);
    return *this;
  }
  void *library = nullptr;
  std::vector<char> scratch;
  alignas(8) char params[256] = {};
  size_t next = 0;
};

std::vector<float> randomFloats(size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(n);
  for (float &f : v)
    f = normal(generator);
  return v;
}

class Execute : public testing::TestWithParam<const TargetInfo *> {
protected:
  std::unique_ptr<CompiledKernel> compile(StringRef text) {
    auto kernel = std::make_unique<CompiledKernel>(text, *GetParam());
    EXPECT_TRUE(kernel->entry) << kernel->messages;
    return kernel;
  }
};

// Memory that ends right before a page nobody may touch.
class GuardedArray {
public:
  explicit GuardedArray(size_t floats) : bytes(floats * sizeof(float)) {
    size_t page = sysconf(_SC_PAGESIZE);
    room = (bytes + page - 1) / page * page;
    base =
        static_cast<char *>(mmap(nullptr, room + page, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base + room, page, PROT_NONE);
    total = room + page;
  }
  ~GuardedArray() { munmap(base, total); }
  float *data() { return reinterpret_cast<float *>(base + room - bytes); }

private:
  size_t bytes, room, total;
  char *base;
};

TEST_P(Execute, MaskedLanesTouchNothing) {
  auto kernel = compile(R"(
tt.func public @copy(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32, %s: i32) {
  %i = tt.make_range {start = 0 : i32, end = 256 : i32} : tensor<256xi32>
  %ns = tt.splat %n : i32 -> tensor<256xi32>
  %m = arith.cmpi slt, %i, %ns : tensor<256xi32>
  %ss = tt.splat %s : i32 -> tensor<256xi32>
  %is = arith.muli %i, %ss : tensor<256xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %ys = tt.splat %y : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %px = tt.addptr %xs, %is : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %py = tt.addptr %ys, %i : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %v = tt.load %px, %m : tensor<256x!tt.ptr<f32>>
  tt.store %py, %v, %m : tensor<256x!tt.ptr<f32>>
  tt.return
})");
  ASSERT_TRUE(kernel->entry);
  for (int stride : {1, 3})
    for (int n : {0, 1, 15, 16, 17, 100, 255, 256}) {
      GuardedArray x((n ? (n - 1) * stride + 1 : 0)), y(n);
      for (int i = 0; i < n; ++i)
        x.data()[i * stride] = i + 1;
      kernel->pointer(x.data()).pointer(y.data()).i32(n).i32(stride).run(1);
      for (int i = 0; i < n; ++i)
        ASSERT_EQ(y.data()[i], i + 1) << stride << " " << n;
    }
}

TEST_P(Execute, LoadsComeBeforeStoresOfTheSameArray) {
  auto kernel = compile(R"(
tt.func public @rotate(%x: !tt.ptr<f32>) {
  %i = tt.make_range {start = 0 : i32, end = 256 : i32} : tensor<256xi32>
  %one = arith.constant dense<1> : tensor<256xi32>
  %size = arith.constant dense<256> : tensor<256xi32>
  %j = arith.addi %i, %one : tensor<256xi32>
  %k = arith.remsi %j, %size : tensor<256xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %from = tt.addptr %xs, %k : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %to = tt.addptr %xs, %i : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %v = tt.load %from : tensor<256x!tt.ptr<f32>>
  tt.store %to, %v : tensor<256x!tt.ptr<f32>>
  tt.return
})");
  ASSERT_TRUE(kernel->entry);
  std::vector<float> x(256);
  std::iota(x.begin(), x.end(), 0);
  kernel->pointer(x.data()).run(1);
  for (int i = 0; i < 256; ++i)
    ASSERT_EQ(x[i], (i + 1) % 256);
}

// A row that is written before it is needed again keeps its old values.
TEST_P(Execute, RowsWrittenBetweenReadsAreKept) {
  auto kernel = compile(R"(
tt.func public @center(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) {
  %i = tt.make_range {start = 0 : i32, end = 512 : i32} : tensor<512xi32>
  %two = arith.constant dense<2.0> : tensor<512xf32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<512x!tt.ptr<f32>>
  %ys = tt.splat %y : !tt.ptr<f32> -> tensor<512x!tt.ptr<f32>>
  %zs = tt.splat %z : !tt.ptr<f32> -> tensor<512x!tt.ptr<f32>>
  %px = tt.addptr %xs, %i : tensor<512x!tt.ptr<f32>>, tensor<512xi32>
  %py = tt.addptr %ys, %i : tensor<512x!tt.ptr<f32>>, tensor<512xi32>
  %pz = tt.addptr %zs, %i : tensor<512x!tt.ptr<f32>>, tensor<512xi32>
  %v = tt.load %px : tensor<512x!tt.ptr<f32>>
  %w = arith.mulf %v, %two : tensor<512xf32>
  tt.store %py, %w : tensor<512x!tt.ptr<f32>>
  %sum = "tt.reduce"(%v) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tt.reduce.return %c : f32
  }) : (tensor<512xf32>) -> f32
  %s = tt.splat %sum : f32 -> tensor<512xf32>
  %d = arith.subf %v, %s : tensor<512xf32>
  tt.store %pz, %d : tensor<512x!tt.ptr<f32>>
  tt.return
})");
  ASSERT_TRUE(kernel->entry);
  std::vector<float> x(512), z(512);
  for (int i = 0; i < 512; ++i)
    x[i] = i % 7 - 3;
  std::vector<float> old = x;
  float sum = std::accumulate(x.begin(), x.end(), 0.f);
  // In place: both names for one array.
  kernel->pointer(x.data()).pointer(x.data()).pointer(z.data()).run(1);
  for (int i = 0; i < 512; ++i) {
    ASSERT_EQ(x[i], 2 * old[i]);
    ASSERT_EQ(z[i], old[i] - sum);
  }
}

TEST_P(Execute, CombineOfSeveralOperandsWithoutIdentity) {
  auto kernel = compile(R"(
tt.func public @argmax(%x: !tt.ptr<f32>, %o: !tt.ptr<i32>) {
  %m = tt.make_range {start = 0 : i32, end = 8 : i32} : tensor<8xi32>
  %n = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32>
  %me = tt.expand_dims %m {axis = 1 : i32} : tensor<8xi32> -> tensor<8x1xi32>
  %ne = tt.expand_dims %n {axis = 0 : i32} : tensor<128xi32> -> tensor<1x128xi32>
  %mb = tt.broadcast %me : tensor<8x1xi32> -> tensor<8x128xi32>
  %nb = tt.broadcast %ne : tensor<1x128xi32> -> tensor<8x128xi32>
  %c = arith.constant dense<128> : tensor<8x128xi32>
  %r = arith.muli %mb, %c : tensor<8x128xi32>
  %p = arith.addi %r, %nb : tensor<8x128xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<8x128x!tt.ptr<f32>>
  %px = tt.addptr %xs, %p : tensor<8x128x!tt.ptr<f32>>, tensor<8x128xi32>
  %v = tt.load %px : tensor<8x128x!tt.ptr<f32>>
  %best:2 = "tt.reduce"(%v, %nb) <{axis = 1 : i32}> ({
  ^bb0(%av: f32, %ai: i32, %bv: f32, %bi: i32):
    %gt = arith.cmpf ogt, %av, %bv : f32
    %eq = arith.cmpf oeq, %av, %bv : f32
    %lt = arith.cmpi slt, %ai, %bi : i32
    %tie = arith.andi %eq, %lt : i1
    %left = arith.ori %gt, %tie : i1
    %rv = arith.select %left, %av, %bv : f32
    %ri = arith.select %left, %ai, %bi : i32
    tt.reduce.return %rv, %ri : f32, i32
  }) : (tensor<8x128xf32>, tensor<8x128xi32>) -> (tensor<8xf32>, tensor<8xi32>)
  %os = tt.splat %o : !tt.ptr<i32> -> tensor<8x!tt.ptr<i32>>
  %po = tt.addptr %os, %m : tensor<8x!tt.ptr<i32>>, tensor<8xi32>
  tt.store %po, %best#1 : tensor<8x!tt.ptr<i32>>
  tt.return
})");
  ASSERT_TRUE(kernel->entry);
  std::vector<float> x = randomFloats(8 * 128, 1);
  for (float &f : x)
    f = std::floor(f); // ties
  std::vector<int32_t> o(8, -1);
  kernel->pointer(x.data()).pointer(o.data()).run(1);
  for (int r = 0; r < 8; ++r)
    ASSERT_EQ(o[r],
              std::max_element(&x[r * 128], &x[r * 128] + 128) - &x[r * 128]);
}

// A loop that sums products, and a second dot beside it whose operands must not
// take the memory that the first one gathers over iterations.
constexpr llvm::StringLiteral kTwoDots = R"(
tt.func public @dots(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %o: !tt.ptr<f32>,
                     %steps: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c512 = arith.constant 512 : i32
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %half = arith.constant dense<0.5> : tensor<16x16xf32>
  %m = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
  %k = tt.make_range {start = 0 : i32, end = 32 : i32} : tensor<32xi32>
  %c32 = arith.constant dense<32> : tensor<16x32xi32>
  %c16 = arith.constant dense<16> : tensor<32x16xi32>
  %c16m = arith.constant dense<16> : tensor<16x16xi32>
  %m1 = tt.expand_dims %m {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %m0 = tt.expand_dims %m {axis = 0 : i32} : tensor<16xi32> -> tensor<1x16xi32>
  %k1 = tt.expand_dims %k {axis = 1 : i32} : tensor<32xi32> -> tensor<32x1xi32>
  %k0 = tt.expand_dims %k {axis = 0 : i32} : tensor<32xi32> -> tensor<1x32xi32>
  %am = tt.broadcast %m1 : tensor<16x1xi32> -> tensor<16x32xi32>
  %ak = tt.broadcast %k0 : tensor<1x32xi32> -> tensor<16x32xi32>
  %bk = tt.broadcast %k1 : tensor<32x1xi32> -> tensor<32x16xi32>
  %bn = tt.broadcast %m0 : tensor<1x16xi32> -> tensor<32x16xi32>
  %ar = arith.muli %am, %c32 : tensor<16x32xi32>
  %ai = arith.addi %ar, %ak : tensor<16x32xi32>
  %br = arith.muli %bk, %c16 : tensor<32x16xi32>
  %bi = arith.addi %br, %bn : tensor<32x16xi32>
  %r:2 = scf.for %i = %c0 to %steps step %c1
      iter_args(%acc = %zero, %other = %zero)
      -> (tensor<16x16xf32>, tensor<16x16xf32>) : i32 {
    %at = arith.muli %i, %c512 : i32
    %xa = tt.addptr %x, %at : !tt.ptr<f32>, i32
    %yb = tt.addptr %y, %at : !tt.ptr<f32>, i32
    %xs = tt.splat %xa : !tt.ptr<f32> -> tensor<16x32x!tt.ptr<f32>>
    %ys = tt.splat %yb : !tt.ptr<f32> -> tensor<32x16x!tt.ptr<f32>>
    %pa = tt.addptr %xs, %ai : tensor<16x32x!tt.ptr<f32>>, tensor<16x32xi32>
    %pb = tt.addptr %ys, %bi : tensor<32x16x!tt.ptr<f32>>, tensor<32x16xi32>
    %a = tt.load %pa : tensor<16x32x!tt.ptr<f32>>
    %b = tt.load %pb : tensor<32x16x!tt.ptr<f32>>
    %d = tt.dot %a, %b, %acc : tensor<16x32xf32> * tensor<32x16xf32> -> tensor<16x16xf32>
    %sq = arith.mulf %a, %a : tensor<16x32xf32>
    %e = tt.dot %sq, %b, %zero : tensor<16x32xf32> * tensor<32x16xf32> -> tensor<16x16xf32>
    %h = arith.mulf %other, %half : tensor<16x16xf32>
    %f = arith.addf %h, %e : tensor<16x16xf32>
    scf.yield %d, %f : tensor<16x16xf32>, tensor<16x16xf32>
  }
  %om = tt.broadcast %m1 : tensor<16x1xi32> -> tensor<16x16xi32>
  %on = tt.broadcast %m0 : tensor<1x16xi32> -> tensor<16x16xi32>
  %orow = arith.muli %om, %c16m : tensor<16x16xi32>
  %oi = arith.addi %orow, %on : tensor<16x16xi32>
  %sum = arith.addf %r#0, %r#1 : tensor<16x16xf32>
  %os = tt.splat %o : !tt.ptr<f32> -> tensor<16x16x!tt.ptr<f32>>
  %po = tt.addptr %os, %oi : tensor<16x16x!tt.ptr<f32>>, tensor<16x16xi32>
  tt.store %po, %sum : tensor<16x16x!tt.ptr<f32>>
  tt.return
})";

void expectTwoDots(const std::vector<float> &x, const std::vector<float> &y,
                   const std::vector<float> &o, int steps) {
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) {
      double acc = 0, other = 0;
      for (int s = 0; s < steps; ++s) {
        double square = 0;
        for (int k = 0; k < 32; ++k) {
          double a = x[s * 512 + m * 32 + k], b = y[s * 512 + k * 16 + n];
          acc += a * b;
          square += a * a * b;
        }
        other = other / 2 + square;
      }
      // 32 * steps products of size about 1, each rounded to 2^-24.
      ASSERT_NEAR(o[m * 16 + n], acc + other, 32 * (steps + 1) * 4e-6)
          << steps << ": " << m << ", " << n;
    }
}

TEST_P(Execute, DotsAcrossIterations) {
  auto kernel = compile(kTwoDots);
  ASSERT_TRUE(kernel->entry);
  for (int steps : {0, 1, 7, 8, 9, 20, 300}) {
    std::vector<float> x = randomFloats(512 * (steps + 1), 1),
                       y = randomFloats(512 * (steps + 1), 2), o(256, 77);
    kernel->pointer(x.data()).pointer(y.data()).pointer(o.data()).i32(steps);
    kernel->run(3); // later programs find the panels of the first
    expectTwoDots(x, y, o, steps);
  }
}

// Panels of one launch are worth nothing in the next.
TEST_P(Execute, PanelsAreForgottenBetweenLaunches) {
  auto kernel = compile(kTwoDots);
  ASSERT_TRUE(kernel->entry);
  std::vector<float> x = randomFloats(2048, 1), y = randomFloats(2048, 2),
                     o(256);
  for (int launch = 0; launch < 3; ++launch) {
    kernel->pointer(x.data()).pointer(y.data()).pointer(o.data()).i32(4).run(1);
    expectTwoDots(x, y, o, 4);
    y = randomFloats(2048, 3 + launch);
  }
}

TEST_P(Execute, DivisionByAnUnreadZeroDoesNotTrap) {
  auto kernel = compile(R"(
tt.func public @divide(%x: !tt.ptr<i64>, %y: !tt.ptr<i64>, %o: !tt.ptr<i64>,
                       %n: i32) {
  %i = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
  %ns = tt.splat %n : i32 -> tensor<16xi32>
  %m = arith.cmpi slt, %i, %ns : tensor<16xi32>
  %zero = arith.constant dense<0> : tensor<16xi64>
  %xs = tt.splat %x : !tt.ptr<i64> -> tensor<16x!tt.ptr<i64>>
  %ys = tt.splat %y : !tt.ptr<i64> -> tensor<16x!tt.ptr<i64>>
  %os = tt.splat %o : !tt.ptr<i64> -> tensor<16x!tt.ptr<i64>>
  %px = tt.addptr %xs, %i : tensor<16x!tt.ptr<i64>>, tensor<16xi32>
  %py = tt.addptr %ys, %i : tensor<16x!tt.ptr<i64>>, tensor<16xi32>
  %po = tt.addptr %os, %i : tensor<16x!tt.ptr<i64>>, tensor<16xi32>
  %a = tt.load %px, %m, %zero : tensor<16x!tt.ptr<i64>>
  %b = tt.load %py, %m, %zero : tensor<16x!tt.ptr<i64>>
  %q = arith.divsi %a, %b : tensor<16xi64>
  tt.store %po, %q, %m : tensor<16x!tt.ptr<i64>>
  tt.return
})");
  ASSERT_TRUE(kernel->entry);
  std::vector<int64_t> x(16), y(16), o(16, 77);
  for (int i = 0; i < 16; ++i)
    x[i] = (i - 8) * 1000000007ll, y[i] = i * 3 - 20;
  kernel->pointer(x.data()).pointer(y.data()).pointer(o.data()).i32(11).run(1);
  for (int i = 0; i < 16; ++i)
    ASSERT_EQ(o[i], i < 11 ? x[i] / y[i] : 77);
}

TEST_P(Execute, TilesCarriedThroughWhile) {
  auto kernel = compile(R"(
tt.func public @halve(%x: !tt.ptr<f32>, %count: !tt.ptr<i32>) {
  %i = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %half = arith.constant dense<0.5> : tensor<64xf32>
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %px = tt.addptr %xs, %i : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %v = tt.load %px : tensor<64x!tt.ptr<f32>>
  %r:2 = scf.while (%t = %v, %n = %c0) : (tensor<64xf32>, i32) -> (tensor<64xf32>, i32) {
    %max = "tt.reduce"(%t) <{axis = 0 : i32}> ({
    ^bb0(%a: f32, %b: f32):
      %c = arith.maxnumf %a, %b : f32
      tt.reduce.return %c : f32
    }) : (tensor<64xf32>) -> f32
    %go = arith.cmpf ogt, %max, %one : f32
    scf.condition(%go) %t, %n : tensor<64xf32>, i32
  } do {
  ^bb0(%t: tensor<64xf32>, %n: i32):
    %h = arith.mulf %t, %half : tensor<64xf32>
    %n1 = arith.addi %n, %c1 : i32
    scf.yield %h, %n1 : tensor<64xf32>, i32
  }
  tt.store %px, %r#0 : tensor<64x!tt.ptr<f32>>
  tt.store %count, %r#1 : !tt.ptr<i32>
  tt.return
})");
  ASSERT_TRUE(kernel->entry);
  std::vector<float> x(64);
  for (int i = 0; i < 64; ++i)
    x[i] = i;
  int32_t count = -1;
  kernel->pointer(x.data()).pointer(&count).run(1);
  EXPECT_EQ(count, 6); // 63 / 64 < 1
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(x[i], i / 64.f);
}

TEST_P(Execute, AssertStopsTheRange) {
  auto kernel = compile(R"(
tt.func public @check(%x: !tt.ptr<i32>) {
  %id = tt.get_program_id x : i32
  %c2 = arith.constant 2 : i32
  %okay = arith.cmpi ne, %id, %c2 : i32
  tt.assert %okay, "not two" : i1
  %p = tt.addptr %x, %id : !tt.ptr<i32>, i32
  tt.store %p, %id : !tt.ptr<i32>
  tt.return
})");
  ASSERT_TRUE(kernel->entry);
  nrd_cpu_host_t host = {};
  static std::string said;
  host.assert_failed = [](const nrd_cpu_host_t *, const char *message,
                          const char *, uint32_t, const uint32_t program[3]) {
    said = message + std::to_string(program[0]);
  };
  std::vector<int32_t> x(5, -1);
  EXPECT_EQ(kernel->pointer(x.data()).run(5, 1, &host), NRD_CPU_ASSERT_FAILED);
  EXPECT_EQ(said, "not two2");
  EXPECT_EQ(x[1], 1);
  EXPECT_EQ(x[3], -1);
}

TEST_P(Execute, WhatCannotBeDoneIsAnError) {
  CompiledKernel kernel(R"(
tt.func public @library(%x: !tt.ptr<f32>) {
  %v = tt.load %x : !tt.ptr<f32>
  %r = tt.extern_elementwise %v {libname = "", libpath = "", symbol = "__nv_unknownf", pure = true} : (f32) -> f32
  tt.store %x, %r : !tt.ptr<f32>
  tt.return
})",
                        *GetParam());
  EXPECT_FALSE(kernel.entry);
  EXPECT_NE(kernel.messages.find("'__nv_unknownf'"), std::string::npos)
      << kernel.messages;
}

INSTANTIATE_TEST_SUITE_P(Levels, Execute,
                         testing::ValuesIn(test::runnableTargets()),
                         [](const auto &info) {
                           std::string name = info.param->name.str();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
