//===- AxisInfoTest.cpp - What is known of integers and pointers ----------===//
//
// Each test writes a few ops and states the facts of the values that carry a
// `probe` attribute. The soundness test then executes random expressions and
// checks every fact against the values themselves.
//
//===----------------------------------------------------------------------===//

#include "compiler/Analysis/AxisInfo.h"

#include "compiler/Dialect/TT/TTDialect.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace nereid;

namespace {

class AxisInfoTest : public testing::Test {
protected:
  AxisInfoTest() {
    context.loadDialect<tt::TTDialect, arith::ArithDialect, scf::SCFDialect,
                        cf::ControlFlowDialect>();
  }

  /// The facts, as printed, of the op whose `probe` is `name`.
  std::string facts(llvm::StringRef body, llvm::StringRef name = "x",
                    llvm::StringRef arguments = "") {
    std::string text =
        ("tt.func @f(" + arguments + ") {\n" + body + "\ntt.return\n}").str();
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return "does not parse";
    AxisInfoAnalysis analysis(*module);
    std::string result = "no probe";
    module->walk([&](Operation *op) {
      auto probe = op->getAttrOfType<StringAttr>("probe");
      if (!probe || probe.getValue() != name)
        return;
      result.clear();
      llvm::raw_string_ostream os(result);
      analysis.get(op->getResult(0)).print(os);
    });
    return result;
  }

  MLIRContext context;
};

constexpr const char *kZero = "4611686018427387904";

TEST_F(AxisInfoTest, RangesAndConstants) {
  EXPECT_EQ(facts("%0 = tt.make_range {probe = \"x\", start = 0 : i32, end = "
                  "16 : i32} : tensor<16xi32>"),
            std::string("contiguity = [16], divisibility = [") + kZero +
                "], constancy = [1], constant = none, non-negative");
  EXPECT_EQ(facts("%0 = tt.make_range {probe = \"x\", start = 8 : i32, end = "
                  "24 : i32} : tensor<16xi32>"),
            "contiguity = [16], divisibility = [8], constancy = [1], constant "
            "= none, non-negative");
  EXPECT_EQ(
      facts("%0 = arith.constant {probe = \"x\"} dense<12> : tensor<4x8xi32>"),
      "contiguity = [1, 1], divisibility = [4, 4], constancy = [4, 8], "
      "constant = 12, non-negative");
  EXPECT_EQ(
      facts("%0 = arith.constant {probe = \"x\"} -8 : i32"),
      "contiguity = [1], divisibility = [8], constancy = [1], constant = -8");
}

TEST_F(AxisInfoTest, ArgumentsCarryTheirDivisibility) {
  EXPECT_EQ(facts("%0 = tt.splat %n {probe = \"x\"} : i32 -> tensor<8xi32>",
                  "x", "%n: i32 {tt.divisibility = 16 : i32}"),
            "contiguity = [1], divisibility = [16], constancy = [8], constant "
            "= none");
}

TEST_F(AxisInfoTest, RowPointersOfAMatrix) {
  // base + row[:, None] * stride + col[None, :], stride divisible by 16.
  EXPECT_EQ(facts(R"(
    %r = tt.make_range {start = 0 : i32, end = 32 : i32} : tensor<32xi32>
    %c = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
    %r1 = tt.expand_dims %r {axis = 1 : i32} : tensor<32xi32> -> tensor<32x1xi32>
    %s = tt.splat %stride : i32 -> tensor<32x1xi32>
    %rs = arith.muli %r1, %s : tensor<32x1xi32>
    %c1 = tt.expand_dims %c {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
    %rb = tt.broadcast %rs : tensor<32x1xi32> -> tensor<32x64xi32>
    %cb = tt.broadcast %c1 : tensor<1x64xi32> -> tensor<32x64xi32>
    %o = arith.addi %rb, %cb : tensor<32x64xi32>
    %b = tt.splat %base : !tt.ptr<f16> -> tensor<32x64x!tt.ptr<f16>>
    %p = tt.addptr %b, %o {probe = "x"} : tensor<32x64x!tt.ptr<f16>>, tensor<32x64xi32>
  )",
                  "x",
                  "%base: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %stride: "
                  "i32 {tt.divisibility = 16 : i32}"),
            "contiguity = [1, 64], divisibility = [2, 16], constancy = [1, 1], "
            "constant = none");
}

TEST_F(AxisInfoTest, DivisionMakesRunsOfEqualValues) {
  EXPECT_EQ(facts(R"(
    %r = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
    %c = arith.constant dense<4> : tensor<16xi32>
    %d = arith.divsi %r, %c {probe = "x"} : tensor<16xi32>)"),
            "contiguity = [1], divisibility = [1], constancy = [4], constant = "
            "none, non-negative");
}

TEST_F(AxisInfoTest, SignedDivisionOfUnknownSignClaimsNothing) {
  EXPECT_EQ(
      facts(R"(
    %r = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
    %m = arith.constant dense<-8> : tensor<16xi32>
    %a = arith.addi %r, %m : tensor<16xi32>
    %c = arith.constant dense<4> : tensor<16xi32>
    %d = arith.divsi %a, %c {probe = "x"} : tensor<16xi32>)"),
      "contiguity = [1], divisibility = [1], constancy = [1], constant = none");
}

TEST_F(AxisInfoTest, RemainderKeepsRunsThatDoNotWrap) {
  EXPECT_EQ(facts(R"(
    %r = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
    %c = arith.constant dense<12> : tensor<16xi32>
    %d = arith.remsi %r, %c {probe = "x"} : tensor<16xi32>)"),
            "contiguity = [4], divisibility = [4], constancy = [1], constant = "
            "none, non-negative");
}

TEST_F(AxisInfoTest, SignedRemainderOfUnknownSignClaimsNothing) {
  // -16 % 16 is 0, but -15 % 16 is -15.
  EXPECT_EQ(facts(R"(
    %r = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
    %m = arith.constant dense<-16> : tensor<16xi32>
    %a = arith.addi %r, %m : tensor<16xi32>
    %c = arith.constant dense<16> : tensor<16xi32>
    %d = arith.remsi %a, %c {probe = "x"} : tensor<16xi32>)"),
            "contiguity = [1], divisibility = [1], constancy = [1], constant = "
            "none");
}

TEST_F(AxisInfoTest, MasksAreConstantInAlignedRuns) {
  EXPECT_EQ(facts(R"(
    %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
    %n1 = tt.splat %n : i32 -> tensor<64xi32>
    %m = arith.cmpi slt, %r, %n1 {probe = "x"} : tensor<64xi32>)",
                  "x", "%n: i32 {tt.divisibility = 16 : i32}"),
            "contiguity = [1], divisibility = [1], constancy = [16], constant "
            "= none");
}

TEST_F(AxisInfoTest, LoopsJoinTheirIterations) {
  // 8, 8 + 16, ...: divisible by 8, not by 16.
  EXPECT_EQ(facts(R"(
    %c8 = arith.constant 8 : i32
    %c16 = arith.constant 16 : i32
    %c1 = arith.constant 1 : i32
    %z = scf.for %i = %c1 to %n step %c1 iter_args(%a = %c8) -> i32 : i32 {
      %b = arith.addi %a, %c16 {probe = "x"} : i32
      scf.yield %b : i32
    })",
                  "x", "%n: i32"),
            "contiguity = [1], divisibility = [8], constancy = [1], constant = "
            "none, non-negative");
}

TEST_F(AxisInfoTest, InductionVariablesTakeBoundAndStep) {
  EXPECT_EQ(facts(R"(
    %c0 = arith.constant 0 : i32
    %c32 = arith.constant 32 : i32
    scf.for %i = %c0 to %n step %c32 : i32 {
      %s = tt.splat %i {probe = "x"} : i32 -> tensor<4xi32>
    })",
                  "x", "%n: i32"),
            "contiguity = [1], divisibility = [32], constancy = [4], constant "
            "= none, non-negative");
}

TEST_F(AxisInfoTest, HintsAreBelieved) {
  EXPECT_EQ(facts(R"(
    %s = tt.splat %n : i32 -> tensor<8xi32>
    %r = tt.make_range {start = 0 : i32, end = 8 : i32} : tensor<8xi32>
    %a = arith.muli %s, %r {probe = "x", tt.divisibility = dense<64> : tensor<1xi32>, tt.contiguity = dense<8> : tensor<1xi32>} : tensor<8xi32>)",
                  "x", "%n: i32"),
            "contiguity = [8], divisibility = [64], constancy = [1], constant "
            "= none");
}

TEST_F(AxisInfoTest, AccessWidthIsBoundedByAlignment) {
  std::string text = R"(
  tt.func @f(%p: !tt.ptr<f32> {tt.divisibility = 8 : i32}) {
    %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
    %s = tt.splat %p : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
    %q = tt.addptr %s, %r : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
    tt.return
  })";
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  AxisInfoAnalysis analysis(*module);
  module->walk([&](tt::AddPtrOp op) {
    EXPECT_EQ(analysis.accessWidth(op.getResult(), 0), 2);
  });
}

//===-- Soundness ---------------------------------------------------------===//

using Tile = std::vector<int64_t>; // row major

/// A random expression on an R x C tile, as IR text and as values.
struct Expression {
  static constexpr int64_t kRows = 8, kColumns = 16;
  std::mt19937 engine;
  std::string body;
  int next = 0;

  explicit Expression(unsigned seed) : engine(seed) {}
  int64_t below(int64_t bound) {
    return std::uniform_int_distribution<int64_t>(0, bound - 1)(engine);
  }
  std::string fresh() { return "%v" + std::to_string(next++); }

  std::string cast(const char *op, const std::string &value,
                   const std::string &from, const std::string &to) {
    std::string name = fresh();
    body += name + " = arith." + op + " " + value + " : tensor<" + from +
            "> to tensor<" + to + ">\n";
    return name;
  }

  std::pair<std::string, Tile> leaf() {
    std::string type = "tensor<8x16xi32>", name = fresh();
    Tile tile(kRows * kColumns);
    if (below(3) == 0) {
      int64_t value = below(2) ? int64_t(1) << below(6) : below(40) - 8;
      body += name + " = arith.constant dense<" + std::to_string(value) +
              "> : " + type + "\n";
      std::fill(tile.begin(), tile.end(), value);
      return {name, tile};
    }
    bool alongRows = below(2);
    int64_t size = alongRows ? kRows : kColumns, start = below(3) * 4;
    std::string range = fresh(), wide = fresh();
    std::string n = std::to_string(size);
    std::string expanded = alongRows ? "tensor<8x1xi32>" : "tensor<1x16xi32>";
    body += range + " = tt.make_range {start = " + std::to_string(start) +
            " : i32, end = " + std::to_string(start + size) +
            " : i32} : tensor<" + n + "xi32>\n";
    body += wide + " = tt.expand_dims " + range +
            " {axis = " + (alongRows ? "1" : "0") + " : i32} : tensor<" + n +
            "xi32> -> " + expanded + "\n";
    body += name + " = tt.broadcast " + wide + " : " + expanded + " -> " +
            type + "\n";
    for (int64_t i = 0; i < kRows * kColumns; ++i)
      tile[i] = start + (alongRows ? i / kColumns : i % kColumns);
    return {name, tile};
  }

  std::pair<std::string, Tile> make(int depth) {
    if (depth == 0)
      return leaf();
    auto [a, x] = make(depth - 1);
    auto [b, y] = make(below(2) ? 0 : depth - 1);
    static const char *kOps[] = {"addi", "subi", "muli",  "divsi", "remsi",
                                 "andi", "ori",  "maxsi", "minsi", "xori"};
    int64_t op = below(10);
    if (op == 3 || op == 4)
      for (int64_t value : y)
        if (value == 0)
          op = 0;
    // Sometimes in i8, where it wraps around.
    bool narrow = op != 3 && op != 4 && below(6) == 0;
    if (narrow) {
      a = cast("trunci", a, "8x16xi32", "8x16xi8");
      b = cast("trunci", b, "8x16xi32", "8x16xi8");
      for (Tile *tile : {&x, &y})
        for (int64_t &value : *tile)
          value = int8_t(value);
    }
    Tile z(x.size());
    for (size_t i = 0; i < z.size(); ++i)
      switch (op) {
      case 0:
        z[i] = x[i] + y[i];
        break;
      case 1:
        z[i] = x[i] - y[i];
        break;
      case 2:
        z[i] = x[i] * y[i];
        break;
      case 3:
        z[i] = x[i] / y[i];
        break;
      case 4:
        z[i] = x[i] % y[i];
        break;
      case 5:
        z[i] = x[i] & y[i];
        break;
      case 6:
        z[i] = x[i] | y[i];
        break;
      case 7:
        z[i] = std::max(x[i], y[i]);
        break;
      case 8:
        z[i] = std::min(x[i], y[i]);
        break;
      default:
        z[i] = x[i] ^ y[i];
        break;
      }
    std::string name = fresh();
    body += name + " = arith." + kOps[op] + " " + a + ", " + b + " : tensor<" +
            (narrow ? "8x16xi8" : "8x16xi32") + ">\n";
    if (narrow) {
      bool isSigned = below(2);
      name = cast(isSigned ? "extsi" : "extui", name, "8x16xi8", "8x16xi32");
      for (int64_t &value : z)
        value = isSigned ? int64_t(int8_t(value)) : int64_t(uint8_t(value));
    }
    return {name, z};
  }
};

TEST_F(AxisInfoTest, EveryFactHoldsOfTheValues) {
  int64_t regular = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Expression expression(seed);
    auto [name, tile] = expression.make(1 + int(seed % 3));
    std::string text = "tt.func @f() {\n" + expression.body + "tt.return\n}";
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << text;
    Value value;
    module->walk([&](Operation *op) {
      if (op->getNumResults() == 1)
        value = op->getResult(0);
    });
    AxisInfo info = AxisInfoAnalysis(*module).get(value);
    const int64_t sizes[] = {Expression::kRows, Expression::kColumns};
    for (int64_t i = 0; i < int64_t(tile.size()); ++i) {
      const int64_t at[] = {i / sizes[1], i % sizes[1]};
      const int64_t step[] = {sizes[1], 1};
      for (int64_t dim : {0, 1}) {
        int64_t inRun = at[dim] % info.getContiguity(dim);
        int64_t head = tile[i - inRun * step[dim]];
        ASSERT_EQ(tile[i], head + inRun) << "contiguity of dim " << dim << "\n"
                                         << text;
        ASSERT_EQ(head % info.getDivisibility(dim), 0)
            << "divisibility of dim " << dim << "\n"
            << text;
        int64_t inFlat = at[dim] % info.getConstancy(dim);
        ASSERT_EQ(tile[i], tile[i - inFlat * step[dim]])
            << "constancy of dim " << dim << "\n"
            << text;
        regular += info.getContiguity(dim) > 1 || info.getConstancy(dim) > 1;
      }
      if (info.getConstant())
        ASSERT_EQ(tile[i], *info.getConstant()) << text;
      if (info.isNonNegative())
        ASSERT_GE(tile[i], 0) << text;
    }
  }
  EXPECT_GT(regular, 100000); // or the test would pass by knowing nothing
}

} // namespace
