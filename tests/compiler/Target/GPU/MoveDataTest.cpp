//===- MoveDataTest.cpp - Conversions, reductions and the rest, executed --===//
//
// Kernels of one operation on tensors in random layouts go through the passes
// and the lowering, run on the simulated block, and are compared with what the
// operation means. The simulation finds missing barriers too.
//
//===----------------------------------------------------------------------===//

#include "Simulate.h"

#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Target/GPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace nereid;

namespace {

/// On a machine of warps of 32 lanes and on one of 64.
class MoveData : public ::testing::TestWithParam<const char *> {
protected:
  MoveData() {
    context
        .loadDialect<arith::ArithDialect, LLVM::LLVMDialect, math::MathDialect,
                     scf::SCFDialect, tt::TTDialect, tgpu::TGPUDialect>();
    context.allowUnregisteredDialects();
  }

  const TargetInfo &target() const { return *findTarget(GetParam()); }
  int lanes() const { return int(target().warpSize); }
  tgpu::MatrixInstruction instruction() const {
    return lanes() == 32 ? tgpu::MatrixInstruction::NVIDIA_m16n8
                         : tgpu::MatrixInstruction::AMD_16x16x16;
  }

  /// Lowers and runs the body of a kernel; its pointers are %p0, %p1 ...
  simulate::Outcome run(const std::string &body,
                        ArrayRef<std::pair<std::string, void *>> pointers,
                        int warps = 4, bool matrices = true) {
    std::string text =
        "module attributes {nrd.target = \"" + std::string(GetParam()) +
        "\", "
        "nrd.num_warps = " +
        std::to_string(warps) + " : i32} {\n  tt.func public @k(";
    for (auto [i, pointer] : llvm::enumerate(pointers))
      text += (i ? ", %p" : "%p") + std::to_string(i) + ": !tt.ptr<" +
              pointer.first + ">";
    text += ") {\n" + body + "    tt.return\n  }\n}\n";
    simulate::Outcome bad;
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module) {
      bad.error = "not parsed: " + text;
      return bad;
    }
    PassManager passes(&context);
    passes.addPass(gpu::createAllocateShared());
    passes.addPass(gpu::createInsertBarriers());
    if (failed(passes.run(*module))) {
      bad.error = "passes failed: " + text;
      return bad;
    }
    simulate::SimulatedHooks hooks(matrices && lanes() == 32);
    gpu::KernelFacts facts;
    if (failed(gpu::emitKernel(*module, target(), hooks, facts))) {
      bad.error = "not emitted: " + text;
      return bad;
    }
    simulate::Launch launch;
    launch.lanes = lanes();
    launch.threads = warps * lanes();
    launch.sharedBytes = facts.sharedBytes;
    for (auto &pointer : pointers)
      launch.arguments.push_back(reinterpret_cast<uint64_t>(pointer.second));
    auto kernel = *module->getOps<LLVM::LLVMFuncOp>().begin();
    simulate::Outcome outcome = simulate::run(kernel, launch);
    if (!outcome.error.empty())
      outcome.error += "\n" + text;
    return outcome;
  }

  std::string typeText(ArrayRef<int64_t> shape, StringRef element,
                       const LinearLayout &layout) {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "tensor<";
    for (int64_t size : shape)
      os << size << 'x';
    os << element << ", " << tgpu::LayoutAttr::get(&context, layout) << '>';
    return text;
  }

  /// A layout that passes could make: bits of the shape in any order over
  /// places, some places holding copies. With `mixed`, sums of bits too.
  LinearLayout randomLayout(ArrayRef<int64_t> shape, int warpBits,
                            bool mixed = false) {
    std::vector<LinearLayout::Basis> basis;
    for (size_t dim = 0; dim < shape.size(); ++dim)
      for (int32_t bit = 1; bit < shape[dim]; bit *= 2) {
        LinearLayout::Basis one(shape.size(), 0);
        one[dim] = bit;
        basis.push_back(one);
      }
    if (mixed && basis.size() > 1)
      for (size_t i = 0; i < 2 * basis.size(); ++i) {
        size_t a = random() % basis.size(), b = random() % basis.size();
        if (a != b)
          for (size_t dim = 0; dim < shape.size(); ++dim)
            basis[a][dim] ^= basis[b][dim];
      }
    std::shuffle(basis.begin(), basis.end(), random);
    SmallVector<LinearLayout::InDim, 4> ins = {
        {"register", {}}, {"lane", {}}, {"warp", {}}, {"block", {}}};
    size_t next = 0;
    auto take = [&](LinearLayout::InDim &in, int count) {
      for (int i = 0; i < count; ++i)
        in.bases.push_back(next == basis.size() || random() % 5 == 0
                               ? LinearLayout::Basis(shape.size(), 0)
                               : basis[next++]);
    };
    take(ins[1], lanes() == 32 ? 5 : 6);
    take(ins[2], warpBits);
    while (next < basis.size())
      ins[0].bases.push_back(basis[next++]);
    std::shuffle(ins[0].bases.begin(), ins[0].bases.end(), random);
    SmallVector<LinearLayout::OutDim, 4> outs;
    for (auto [dim, size] : llvm::enumerate(shape))
      outs.push_back({"dim" + std::to_string(dim), int32_t(size)});
    return LinearLayout(std::move(ins), std::move(outs));
  }

  /// A bound of scratch, which makes for rounds.
  std::string limitText() {
    return " {nrd.scratch_limit = " +
           std::to_string(int64_t(16) << random() % 10) + " : i64}";
  }

  int64_t sizeOf(ArrayRef<int64_t> shape) {
    int64_t size = 1;
    for (int64_t dim : shape)
      size *= dim;
    return size;
  }

  MLIRContext context;
  std::mt19937 random{7};
};

INSTANTIATE_TEST_SUITE_P(Machines, MoveData,
                         ::testing::Values("sm_90a", "gfx942"));

//===-- Conversions -------------------------------------------------------===//

TEST_P(MoveData, ConversionsOfAnyLayoutAndType) {
  struct Element {
    const char *name;
    int bytes;
  };
  const Element elements[] = {{"i1", 1},  {"i8", 1},   {"f8E4M3FN", 1},
                              {"f16", 2}, {"bf16", 2}, {"i32", 4},
                              {"f32", 4}, {"i64", 8},  {"!tt.ptr<f32>", 8}};
  for (int i = 0; i < 150; ++i) {
    const Element &element = elements[i % std::size(elements)];
    const int warpBits = int(random() % 4);
    SmallVector<int64_t> shape;
    int bits = int(random() % 3);
    for (int dim = 0; dim < 1 + int(random() % 3); ++dim) {
      shape.push_back(int64_t(1) << (bits + random() % 4));
      bits = int(random() % 2);
    }
    const bool mixed = random() % 4 == 0;
    LinearLayout from = randomLayout(shape, warpBits, mixed),
                 to = randomLayout(shape, warpBits, mixed);
    const int64_t bytes = sizeOf(shape) * element.bytes;
    std::vector<uint8_t> in(bytes), out(bytes, 0xCC);
    for (uint8_t &byte : in)
      byte = uint8_t(element.name == StringRef("i1") ? random() % 2 : random());
    std::string a = typeText(shape, element.name, from),
                b = typeText(shape, element.name, to);
    std::string pointer = std::string("!tt.ptr<") + element.name + ">";
    std::string body =
        "    %x = \"test.load\"(%p0) : (" + pointer + ") -> " + a + "\n" +
        "    %y = tgpu.convert_layout %x {nrd.scratch_limit = " +
        std::to_string(int64_t(64) << random() % 10) + " : i64} : " + a +
        " -> " + b + "\n" + "    \"test.store\"(%p1, %y) : (" + pointer + ", " +
        b + ") -> ()\n";
    auto outcome =
        run(body, {{element.name, in.data()}, {element.name, out.data()}},
            1 << warpBits, random() % 2);
    ASSERT_EQ(outcome.error, "");
    ASSERT_EQ(in, out) << body;
  }
}

TEST_P(MoveData, LargeConversionsInRounds) {
  const int64_t shape[] = {128, 128};
  LinearLayout acc = tgpu::accumulatorLayout(shape, instruction(), {4, 1}),
               rows = tgpu::blockedLayout(shape, {1, 0}, 4, {lanes(), 4});
  std::vector<float> in(128 * 128), out(128 * 128);
  for (size_t i = 0; i < in.size(); ++i)
    in[i] = float(i);
  for (const char *limit : {"32768", "4096", "1024"}) {
    std::string a = typeText(shape, "f32", acc),
                b = typeText(shape, "f32", rows);
    std::string body =
        "    %x = \"test.load\"(%p0) : (!tt.ptr<f32>) -> " + a +
        "\n    %y = tgpu.convert_layout %x {nrd.scratch_limit = " + limit +
        " : i64} : " + a + " -> " + b +
        "\n    \"test.store\"(%p1, %y) : (!tt.ptr<f32>, " + b + ") -> ()\n";
    std::fill(out.begin(), out.end(), -1.0f);
    auto outcome = run(body, {{"f32", in.data()}, {"f32", out.data()}});
    ASSERT_EQ(outcome.error, "");
    ASSERT_EQ(in, out);
  }
}

TEST_P(MoveData, TilesInSharedMemory) {
  for (int i = 0; i < 60; ++i) {
    const int64_t shape[] = {int64_t(8) << random() % 4, int64_t(16)
                                                             << random() % 3};
    LinearLayout from = randomLayout(shape, 2), to = randomLayout(shape, 2);
    if (i % 3 == 0)
      to = tgpu::operandLayout(shape, instruction(), i % 2, 16, {2, 2});
    // Any order of the element's bits, swizzled.
    std::vector<std::array<int32_t, 2>> offsets;
    for (int32_t bit = 1; bit < shape[1]; bit *= 2)
      offsets.push_back({0, bit});
    for (int32_t bit = 1; bit < shape[0]; bit *= 2)
      offsets.push_back({bit, bit < 8 && shape[1] >= 64 ? 8 * bit : 0});
    std::string tile =
        llvm::formatv("!tgpu.tile<{0}x{1}xf16, offset = [", shape[0], shape[1]);
    for (auto [n, offset] : llvm::enumerate(offsets))
      tile +=
          llvm::formatv("{0}[{1}, {2}]", n ? ", " : "", offset[0], offset[1]);
    std::string ring = tile + "], buffers = 3>";
    tile += "]>";
    std::string a = typeText(shape, "f16", from),
                b = typeText(shape, "f16", to);
    std::vector<uint16_t> in(sizeOf(shape)), out(sizeOf(shape));
    for (uint16_t &value : in)
      value = uint16_t(random());
    std::string body =
        "    %x = \"test.load\"(%p0) : (!tt.ptr<f16>) -> " + a +
        "\n    %c1 = arith.constant 1 : i32\n" +
        "    %r = tgpu.local_alloc : () -> " + ring +
        "\n    %t = tgpu.tile_at %r[%c1] : " + ring + " -> " + tile +
        "\n    tgpu.local_store %x, %t : " + a + ", " + tile +
        "\n    %y = tgpu.local_load %t : " + tile + " -> " + b +
        "\n    \"test.store\"(%p1, %y) : (!tt.ptr<f16>, " + b + ") -> ()\n";
    auto outcome =
        run(body, {{"f16", in.data()}, {"f16", out.data()}}, 4, i % 2);
    ASSERT_EQ(outcome.error, "");
    ASSERT_EQ(in, out) << body;
  }
}

//===-- Reductions and scans ----------------------------------------------===//

/// Regions: their code, and the same on int64. All are associative; "last" and
/// "affine" (of pairs) do not commute.
struct Region {
  const char *code;
  int operands;
  void (*combine)(const int32_t *a, const int32_t *b, int32_t *out);
};

const Region kRegions[] = {
    {"%r0 = arith.addi %a0, %b0 : i32", 1,
     [](auto a, auto b, auto o) { o[0] = int32_t(uint32_t(a[0]) + b[0]); }},
    {"%r0 = arith.maxsi %a0, %b0 : i32", 1,
     [](auto a, auto b, auto o) { o[0] = std::max(a[0], b[0]); }},
    {"%z = arith.constant 0 : i32\n %c = arith.cmpi ne, %b0, %z : i32\n"
     "%r0 = arith.select %c, %b0, %a0 : i32",
     1, [](auto a, auto b, auto o) { o[0] = b[0] ? b[0] : a[0]; }},
    {"%r0 = arith.muli %a0, %b0 : i32\n %m = arith.muli %a1, %b0 : i32\n"
     "%r1 = arith.addi %m, %b1 : i32",
     2,
     [](auto a, auto b, auto o) {
       o[0] = int32_t(uint32_t(a[0]) * uint32_t(b[0]));
       o[1] = int32_t(uint32_t(a[1]) * uint32_t(b[0]) + uint32_t(b[1]));
     }},
    {"%g = arith.cmpi sgt, %a0, %b0 : i32\n %e = arith.cmpi eq, %a0, %b0 : "
     "i32\n"
     "%l = arith.cmpi slt, %a1, %b1 : i32\n %f = arith.andi %e, %l : i1\n"
     "%c = arith.ori %g, %f : i1\n %r0 = arith.select %c, %a0, %b0 : i32\n"
     "%r1 = arith.select %c, %a1, %b1 : i32",
     2,
     [](auto a, auto b, auto o) {
       bool first = a[0] > b[0] || (a[0] == b[0] && a[1] < b[1]);
       o[0] = first ? a[0] : b[0];
       o[1] = first ? a[1] : b[1];
     }},
};

std::string regionText(const Region &region, StringRef op) {
  std::string text = "({\n    ^bb0(";
  std::string results, types;
  for (const char *side : {"a", "b"})
    for (int i = 0; i < region.operands; ++i)
      text += (i || *side == 'b' ? ", %" : "%") + std::string(side) +
              std::to_string(i) + ": i32";
  for (int i = 0; i < region.operands; ++i) {
    results += (i ? ", %r" : "%r") + std::to_string(i);
    types += i ? ", i32" : "i32";
  }
  return text + "):\n" + region.code + "\n    tt." + op.str() + ".return " +
         results + " : " + types + "\n    })";
}

TEST_P(MoveData, ReductionsOfAnyRegion) {
  for (int i = 0; i < 200; ++i) {
    const Region &region = kRegions[i % std::size(kRegions)];
    const int warpBits = int(random() % 4);
    SmallVector<int64_t> shape;
    for (int dim = 0; dim < 1 + int(random() % 3); ++dim)
      shape.push_back(int64_t(1) << random() % (dim ? 5 : 7));
    const unsigned axis = random() % shape.size();
    LinearLayout layout = randomLayout(shape, warpBits, random() % 6 == 0);
    SmallVector<int64_t> left(shape);
    left.erase(left.begin() + axis);
    std::string a = typeText(shape, "i32", layout),
                b = left.empty()
                        ? "i32"
                        : typeText(left, "i32", tgpu::reduce(layout, axis));
    const int64_t count = sizeOf(shape), rows = sizeOf(left);
    std::vector<int32_t> in[2], out[2];
    for (int o = 0; o < 2; ++o) {
      in[o].resize(count);
      out[o].assign(rows, -77);
      for (int32_t &value : in[o])
        value = int32_t(random() % 7) - 2;
    }
    std::string operands, types, results, body;
    for (int o = 0; o < region.operands; ++o) {
      std::string n = std::to_string(o), comma = o ? ", " : "";
      body += "    %x" + n + " = \"test.load\"(%p" + n +
              ") : (!tt.ptr<i32>) -> " + a + "\n";
      operands += comma + "%x" + n;
      types += comma + a;
      results += comma + b;
    }
    body += "    %y:" + std::to_string(region.operands) + " = \"tt.reduce\"(" +
            operands + ") <{axis = " + std::to_string(axis) + " : i32}> " +
            regionText(region, "reduce") + limitText() + " : (" + types +
            ") -> (" + results + ")\n";
    for (int o = 0; o < region.operands; ++o)
      body += "    \"test.store\"(%p" + std::to_string(2 + o) + ", %y#" +
              std::to_string(o) + ") : (!tt.ptr<i32>, " + b + ") -> ()\n";
    auto outcome = run(body,
                       {{"i32", in[0].data()},
                        {"i32", in[1].data()},
                        {"i32", out[0].data()},
                        {"i32", out[1].data()}},
                       1 << warpBits);
    ASSERT_EQ(outcome.error, "");
    int64_t inner = 1;
    for (size_t dim = axis + 1; dim < shape.size(); ++dim)
      inner *= shape[dim];
    for (int64_t row = 0; row < rows; ++row) {
      int64_t at = row / inner * inner * shape[axis] + row % inner;
      int32_t all[2] = {in[0][at], in[1][at]};
      for (int64_t k = 1; k < shape[axis]; ++k) {
        int32_t next[2] = {in[0][at + k * inner], in[1][at + k * inner]};
        int32_t both[2];
        region.combine(all, next, both);
        std::copy(both, both + region.operands, all);
      }
      for (int o = 0; o < region.operands; ++o)
        ASSERT_EQ(out[o][row], all[o]) << "row " << row << "\n" << body;
    }
  }
}

TEST_P(MoveData, ScansOfAnyRegion) {
  for (int i = 0; i < 200; ++i) {
    const Region &region = kRegions[i % std::size(kRegions)];
    const int warpBits = int(random() % 4);
    const bool reverse = random() % 2;
    SmallVector<int64_t> shape;
    for (int dim = 0; dim < 1 + int(random() % 3); ++dim)
      shape.push_back(int64_t(1) << random() % (dim ? 5 : 7));
    const unsigned axis = random() % shape.size();
    LinearLayout layout = randomLayout(shape, warpBits, random() % 6 == 0);
    std::string a = typeText(shape, "i32", layout);
    const int64_t count = sizeOf(shape);
    std::vector<int32_t> in[2], out[2];
    for (int o = 0; o < 2; ++o) {
      in[o].resize(count);
      out[o].assign(count, -77);
      for (int32_t &value : in[o])
        value = int32_t(random() % 7) - 2;
    }
    std::string operands, types, body;
    for (int o = 0; o < region.operands; ++o) {
      std::string n = std::to_string(o), comma = o ? ", " : "";
      body += "    %x" + n + " = \"test.load\"(%p" + n +
              ") : (!tt.ptr<i32>) -> " + a + "\n";
      operands += comma + "%x" + n;
      types += comma + a;
    }
    body += "    %y:" + std::to_string(region.operands) + " = \"tt.scan\"(" +
            operands + ") <{axis = " + std::to_string(axis) +
            " : i32, reverse = " + (reverse ? "true" : "false") + "}> " +
            regionText(region, "scan") + limitText() + " : (" + types +
            ") -> (" + types + ")\n";
    for (int o = 0; o < region.operands; ++o)
      body += "    \"test.store\"(%p" + std::to_string(2 + o) + ", %y#" +
              std::to_string(o) + ") : (!tt.ptr<i32>, " + a + ") -> ()\n";
    auto outcome = run(body,
                       {{"i32", in[0].data()},
                        {"i32", in[1].data()},
                        {"i32", out[0].data()},
                        {"i32", out[1].data()}},
                       1 << warpBits);
    ASSERT_EQ(outcome.error, "");
    int64_t inner = 1;
    for (size_t dim = axis + 1; dim < shape.size(); ++dim)
      inner *= shape[dim];
    for (int64_t row = 0; row < count / shape[axis]; ++row) {
      int64_t start = row / inner * inner * shape[axis] + row % inner;
      int32_t all[2];
      for (int64_t k = 0; k < shape[axis]; ++k) {
        int64_t at = start + (reverse ? shape[axis] - 1 - k : k) * inner;
        int32_t next[2] = {in[0][at], in[1][at]};
        if (k == 0) {
          std::copy(next, next + 2, all);
        } else {
          int32_t both[2];
          region.combine(all, next, both);
          std::copy(both, both + region.operands, all);
        }
        for (int o = 0; o < region.operands; ++o)
          ASSERT_EQ(out[o][at], all[o]) << "place " << at << "\n" << body;
      }
    }
  }
}

//===-- What the data tells -----------------------------------------------===//

TEST_P(MoveData, Gathers) {
  for (int i = 0; i < 60; ++i) {
    const unsigned axis = random() % 2;
    int64_t source[] = {int64_t(1) << random() % 6, int64_t(1) << random() % 6};
    int64_t result[] = {source[0], source[1]};
    result[axis] = int64_t(1) << random() % 6;
    LinearLayout from = randomLayout(source, 2, random() % 4 == 0),
                 to = randomLayout(result, 2);
    std::string a = typeText(source, "f16", from),
                n = typeText(result, "i32", to),
                b = typeText(result, "f16", to);
    std::vector<uint16_t> in(sizeOf(source)), out(sizeOf(result));
    std::vector<int32_t> index(sizeOf(result));
    for (uint16_t &value : in)
      value = uint16_t(random());
    for (int32_t &value : index)
      value = int32_t(random() % source[axis]);
    std::string body =
        "    %x = \"test.load\"(%p0) : (!tt.ptr<f16>) -> " + a +
        "\n    %i = \"test.load\"(%p1) : (!tt.ptr<i32>) -> " + n +
        "\n    %y = tt.gather %x[%i] {axis = " + std::to_string(axis) +
        " : i32" + (i % 2 ? ", nrd.scratch_limit = 64 : i64" : "") + "} : (" +
        a + ", " + n + ") -> " + b +
        "\n    \"test.store\"(%p2, %y) : (!tt.ptr<f16>, " + b + ") -> ()\n";
    auto outcome = run(
        body, {{"f16", in.data()}, {"i32", index.data()}, {"f16", out.data()}});
    ASSERT_EQ(outcome.error, "");
    for (int64_t r = 0; r < result[0]; ++r)
      for (int64_t c = 0; c < result[1]; ++c) {
        int64_t at = index[r * result[1] + c];
        ASSERT_EQ(out[r * result[1] + c],
                  axis == 0 ? in[at * source[1] + c] : in[r * source[1] + at])
            << body;
      }
  }
}

TEST_P(MoveData, Histograms) {
  for (int i = 0; i < 40; ++i) {
    const int64_t count[] = {int64_t(1) << random() % 10},
                  bins[] = {int64_t(1) << random() % 9};
    LinearLayout from = randomLayout(count, 2), to = randomLayout(bins, 2);
    std::string a = typeText(count, "i32", from),
                m = typeText(count, "i1", from), b = typeText(bins, "i32", to);
    std::vector<int32_t> in(count[0]), out(bins[0]), wanted(bins[0]);
    std::vector<uint8_t> mask(count[0]);
    for (int64_t k = 0; k < count[0]; ++k) {
      in[k] = int32_t(random() % (bins[0] + 2)) - 1;
      mask[k] = random() % 4 != 0;
      if (mask[k] && in[k] >= 0 && in[k] < bins[0])
        ++wanted[in[k]];
    }
    std::string body = "    %x = \"test.load\"(%p0) : (!tt.ptr<i32>) -> " + a +
                       "\n    %m = \"test.load\"(%p1) : (!tt.ptr<i1>) -> " + m +
                       "\n    %y = tt.histogram %x, %m : " + a + " -> " + b +
                       "\n    \"test.store\"(%p2, %y) : (!tt.ptr<i32>, " + b +
                       ") -> ()\n";
    auto outcome = run(
        body, {{"i32", in.data()}, {"i1", mask.data()}, {"i32", out.data()}});
    ASSERT_EQ(outcome.error, "");
    ASSERT_EQ(out, wanted) << body;
  }
}

TEST_P(MoveData, Concatenations) {
  for (int i = 0; i < 30; ++i) {
    const int64_t half[] = {int64_t(1) << random() % 6, int64_t(1)
                                                            << random() % 4};
    const int64_t whole[] = {2 * half[0], half[1]};
    LinearLayout from = randomLayout(half, 1), to = randomLayout(whole, 1);
    std::string a = typeText(half, "i32", from), b = typeText(whole, "i32", to);
    std::vector<int32_t> in(sizeOf(whole)), out(sizeOf(whole));
    for (int32_t &value : in)
      value = int32_t(random());
    std::string body = "    %x = \"test.load\"(%p0) : (!tt.ptr<i32>) -> " + a +
                       "\n    %z = \"test.load\"(%p1) : (!tt.ptr<i32>) -> " +
                       a + "\n    %y = tt.cat %x, %z : " + a + " -> " + b +
                       "\n    \"test.store\"(%p2, %y) : (!tt.ptr<i32>, " + b +
                       ") -> ()\n";
    auto outcome = run(body,
                       {{"i32", in.data()},
                        {"i32", in.data() + sizeOf(half)},
                        {"i32", out.data()}},
                       2);
    ASSERT_EQ(outcome.error, "");
    ASSERT_EQ(in, out) << body;
  }
}

//===-- How much code -----------------------------------------------------===//

TEST_P(MoveData, RowStatisticsOfAttentionTakeTwoShuffles) {
  const int64_t shape[] = {64, 64};
  LinearLayout acc = tgpu::accumulatorLayout(shape, instruction(), {4, 1});
  std::string a = typeText(shape, "f32", acc),
              b = typeText({64}, "f32", tgpu::reduce(acc, 1));
  std::vector<float> in(64 * 64, 1.0f), out(64);
  std::string body =
      "    %x = \"test.load\"(%p0) : (!tt.ptr<f32>) -> " + a +
      "\n    %y = \"tt.reduce\"(%x) <{axis = 1 : i32}> ({\n    ^bb0(%u: f32, "
      "%v: f32):\n      %s = arith.addf %u, %v : f32\n      tt.reduce.return "
      "%s : f32\n    }) : (" +
      a + ") -> " + b + "\n    \"test.store\"(%p1, %y) : (!tt.ptr<f32>, " + b +
      ") -> ()\n";
  auto outcome = run(body, {{"f32", in.data()}, {"f32", out.data()}});
  ASSERT_EQ(outcome.error, "");
  // Two rows of the thread on four lanes each, or four on sixteen.
  EXPECT_EQ(outcome.shuffles, lanes() == 32 ? 2 * 2 : 4 * 4);
  EXPECT_EQ(outcome.barriers, 0);
  EXPECT_EQ(out, std::vector<float>(64, 64.0f));
}

TEST_P(MoveData, ArgmaxIsKnownToCommute) {
  // Registers go first: shuffles of value and index for each lane bit are left.
  const int64_t shape[] = {4, 512};
  LinearLayout layout = tgpu::blockedLayout(shape, {1, 0}, 4, {lanes(), 1});
  std::string v = typeText(shape, "f32", layout),
              i = typeText(shape, "i32", layout),
              rv = typeText({4}, "f32", tgpu::reduce(layout, 1)),
              ri = typeText({4}, "i32", tgpu::reduce(layout, 1));
  std::vector<float> in(4 * 512);
  std::vector<int32_t> index(4 * 512), out(4), wanted(4);
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 512; ++column) {
      in[row * 512 + column] =
          random() % 50 == 0 ? NAN : float(int(random() % 100));
      index[row * 512 + column] = column;
      float best = in[row * 512 + wanted[row]];
      if (in[row * 512 + column] > best || std::isnan(best))
        wanted[row] = column;
    }
  std::string body =
      "    %true = arith.constant true\n"
      "    %x = \"test.load\"(%p0) : (!tt.ptr<f32>) -> " +
      v + "\n    %i = \"test.load\"(%p1) : (!tt.ptr<i32>) -> " + i +
      R"(
    %y:2 = "tt.reduce"(%x, %i) <{axis = 1 : i32}> ({
    ^bb0(%a: f32, %j: i32, %b: f32, %k: i32):
      %gt = arith.cmpf ogt, %a, %b : f32
      %eq = arith.cmpf oeq, %a, %b : f32
      %lt = arith.cmpi slt, %j, %k : i32
      %tie = arith.andi %eq, %lt : i1
      %first = arith.ori %gt, %tie : i1
      %an = arith.cmpf une, %a, %a : f32
      %bn = arith.cmpf une, %b, %b : f32
      %not = arith.xori %an, %true : i1
      %or = arith.ori %not, %lt : i1
      %and = arith.andi %bn, %or : i1
      %c = arith.ori %first, %and : i1
      %r = arith.select %c, %a, %b : f32
      %s = arith.select %c, %j, %k : i32
      tt.reduce.return %r, %s : f32, i32
    }) : ()" +
      v + ", " + i + ") -> (" + rv + ", " + ri +
      ")\n    \"test.store\"(%p2, %y#1) : (!tt.ptr<i32>, " + ri + ") -> ()\n";
  auto outcome =
      run(body,
          {{"f32", in.data()}, {"i32", index.data()}, {"i32", out.data()}}, 1);
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(out, wanted);
  EXPECT_EQ(outcome.shuffles, 4 * 2 * (lanes() == 32 ? 5 : 6));
}

TEST_P(MoveData, SimulationFindsRaces) {
  // Every element goes to the neighbouring thread's place, and there is no
  // barrier in between.
  const int64_t count = 4 * lanes(), shape[] = {count};
  LinearLayout layout = tgpu::blockedLayout(shape, {0}, 1, {lanes(), 4});
  SmallVector<LinearLayout::InDim, 4> ins = {
      {"register", {}}, {"lane", {}}, {"warp", {}}, {"block", {}}};
  for (int32_t bit = 1; bit < lanes(); bit *= 2)
    ins[1].bases.push_back({2 * bit});
  ins[2].bases = {{int32_t(count / 2)}, {1}};
  LinearLayout other(ins, {{"dim0", int32_t(count)}});
  std::string a = typeText(shape, "i32", layout),
              b = typeText(shape, "i32", other);
  std::string tile = "!tgpu.tile<" + std::to_string(count) + "xi32, offset = [";
  for (int64_t bit = 1; bit < count; bit *= 2)
    tile += (bit > 1 ? ", [" : "[") + std::to_string(bit) + "]";
  tile += "]>";
  std::vector<int32_t> in(count), out(count);
  std::string text =
      "module attributes {nrd.target = \"" + std::string(GetParam()) +
      "\", "
      "nrd.num_warps = 4 : i32} {\n  tt.func public @k(%p0: "
      "!tt.ptr<i32>, %p1: !tt.ptr<i32>) {\n"
      "    %x = \"test.load\"(%p0) : (!tt.ptr<i32>) -> " +
      a +
      "\n    %t = tgpu.local_alloc %x {nrd.shared_offset = 0 : "
      "i64} : (" +
      a + ") -> " + tile + "\n    %y = tgpu.local_load %t : " + tile + " -> " +
      b + "\n    \"test.store\"(%p1, %y) : (!tt.ptr<i32>, " + b +
      ") -> ()\n    tt.return\n  }\n}\n";
  auto module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  simulate::SimulatedHooks hooks;
  gpu::KernelFacts facts;
  ASSERT_TRUE(succeeded(gpu::emitKernel(*module, target(), hooks, facts)));
  simulate::Launch launch;
  launch.lanes = lanes();
  launch.threads = 4 * lanes();
  launch.sharedBytes = 4 * count;
  launch.arguments = {reinterpret_cast<uint64_t>(in.data()),
                      reinterpret_cast<uint64_t>(out.data())};
  auto outcome =
      simulate::run(*module->getOps<LLVM::LLVMFuncOp>().begin(), launch);
  EXPECT_TRUE(StringRef(outcome.error).starts_with("race"));
}

} // namespace
