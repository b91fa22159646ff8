//===- grid-test.cpp - Grid expressions -----------------------------------===//

#include "packager/GridExpr.h"

#include <gtest/gtest.h>
#include <limits>

using namespace nereid::pack;

namespace {

GridNames names() {
  GridNames names;
  names.slots["x"] = {0, false, 0, "*fp32"};
  names.slots["M"] = {1, true, 0, "i32"};
  names.slots["N"] = {2, true, 0, "i32"};
  names.slots["d"] = {3, false, 2, "tensordesc<fp16[64,64]>"};
  names.constants["BLOCK"] = 128;
  names.constants["ZERO"] = 0;
  names.others["ACT"] = "'gelu'";
  return names;
}

// The error as "offset: text", or "" when it compiles.
std::string error(const std::string &text) {
  GridExpr expr;
  GridError error;
  GridAxis axis;
  if (GridExpr::parse(text, expr, error) && expr.compile(names(), axis, error))
    return "";
  return concat(error.offset, ": ", error.text);
}

int64_t value(const std::string &text, int64_t m, int64_t n) {
  GridExpr expr;
  GridError error;
  GridAxis axis;
  if (!GridExpr::parse(text, expr, error) ||
      !expr.compile(names(), axis, error)) {
    ADD_FAILURE() << text << ": " << error.text;
    return -1;
  }
  EXPECT_TRUE(checkGridProgram(axis.steps, {-1, 0, 0, 2}));
  Result<int64_t> result = runGridProgram(axis.steps, {0, m, n, 0});
  EXPECT_TRUE(result) << text << ": " << result.message();
  return result ? *result : -1;
}

size_t steps(const std::string &text) {
  GridExpr expr;
  GridError error;
  GridAxis axis;
  EXPECT_TRUE(GridExpr::parse(text, expr, error) &&
              expr.compile(names(), axis, error));
  return axis.steps.size();
}

TEST(Grid, Values) {
  EXPECT_EQ(value("cdiv(M, BLOCK)", 1000, 0), 8);
  EXPECT_EQ(value("triton.cdiv(M, BLOCK) * tl.cdiv(N, 64)", 129, 65), 4);
  EXPECT_EQ(value("triton.cdiv(M, META['BLOCK'])", 128, 0), 1);
  EXPECT_EQ(value("cdiv(M, meta[\"BLOCK\"])", 129, 0), 2);
  EXPECT_EQ(value("M + N * 2", 3, 4), 11);
  EXPECT_EQ(value("(M + N) * 2", 3, 4), 14);
  EXPECT_EQ(value("M - N - 1", 10, 4), 5);
  EXPECT_EQ(value("M // N % 3", 100, 7), 2);
  EXPECT_EQ(value("min(M, N, 5)", 9, 7), 5);
  EXPECT_EQ(value("max(M, N, 5)", 9, 7), 9);
  EXPECT_EQ(value("-M + 10", 4, 0), 6);
  EXPECT_EQ(value("1_000", 0, 0), 1000);
  EXPECT_EQ(value("  M  ", 4, 0), 4);
}

// Division and remainder are Python's, for every sign.
TEST(Grid, FloorDivision) {
  for (int64_t a : {-7, -6, -1, 0, 1, 6, 7})
    for (int64_t b : {-3, -1, 1, 3}) {
      double exact = static_cast<double>(a) / static_cast<double>(b);
      int64_t floor = static_cast<int64_t>(__builtin_floor(exact));
      EXPECT_EQ(value("M // N", a, b), floor) << a << " // " << b;
      EXPECT_EQ(value("M % N", a, b), a - floor * b) << a << " % " << b;
      EXPECT_EQ(value("cdiv(M, N)", a, b),
                static_cast<int64_t>(__builtin_ceil(exact)));
    }
}

TEST(Grid, ConstantsAreFolded) {
  EXPECT_EQ(steps("cdiv(1024, BLOCK) * 2"), 1u);
  EXPECT_EQ(steps("M"), 1u);
  EXPECT_EQ(steps("cdiv(M, BLOCK * 2)"), 3u);
}

TEST(Grid, RunTimeFailuresAreChecked) {
  auto failure = [](std::vector<GridStep> steps, int64_t m) {
    return runGridProgram(steps, {0, m}).message();
  };
  int64_t big = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(
      failure({{1, GridOp::PushSlot}, {0, GridOp::PushConst}, {0, GridOp::Div}},
              1),
      "division by zero");
  EXPECT_EQ(
      failure({{1, GridOp::PushSlot}, {2, GridOp::PushConst}, {0, GridOp::Mul}},
              big),
      "the value does not fit 64 bits");
  EXPECT_EQ(
      failure(
          {{1, GridOp::PushSlot}, {-1, GridOp::PushConst}, {0, GridOp::Div}},
          std::numeric_limits<int64_t>::min()),
      "the value does not fit 64 bits");
  EXPECT_EQ(
      failure(
          {{1, GridOp::PushSlot}, {-1, GridOp::PushConst}, {0, GridOp::Mod}},
          std::numeric_limits<int64_t>::min()),
      "");
}

TEST(Grid, ProgramsAreChecked) {
  auto problem = [](std::vector<GridStep> steps) {
    return checkGridProgram(steps, {-1, 0, 2}).message();
  };
  EXPECT_EQ(problem({{1, GridOp::PushSlot}}), "");
  EXPECT_EQ(problem({}), "it leaves 0 values, not one");
  EXPECT_EQ(problem({{0, GridOp::Add}}),
            "step 0 takes two values, the stack holds 0");
  EXPECT_EQ(problem({{0, GridOp::PushSlot}}),
            "step 0 reads slot 0, which is no integer slot");
  EXPECT_EQ(problem({{-1, GridOp::PushSlot}}),
            "step 0 reads slot -1, which is no integer slot");
  EXPECT_EQ(problem({{2 * 8 + 1, GridOp::PushDim}}), "");
  EXPECT_EQ(problem({{2 * 8 + 2, GridOp::PushDim}}),
            "step 0 reads dimension 2 of slot 2, which does not exist");
  EXPECT_EQ(problem({{0, static_cast<GridOp>(99)}}),
            "step 0 has the unknown operation 99");
  std::vector<GridStep> deep(kMaxGridStack + 1, {1, GridOp::PushConst});
  EXPECT_EQ(problem(deep), "step 32 needs a stack of more than 32 values");
}

TEST(Grid, MistakesAreLocated) {
  EXPECT_EQ(error(""), "0: the grid expression is empty; write for example "
                       "\"cdiv(n, BLOCK)\"");
  EXPECT_EQ(error("M +"), "3: the expression ends where a value is expected");
  EXPECT_EQ(error("M / 2"), "2: '/' would not give an integer; use '//' "
                            "(floor) or 'cdiv(a, b)' (ceiling)");
  EXPECT_EQ(error("M ** 2"), "2: '**' is not allowed in a grid; allowed: + - * "
                             "// %, cdiv, min, max");
  EXPECT_EQ(error("(M, 1)"), "0: this '(' is never closed");
  EXPECT_EQ(error("M, 1"), "1: one string holds one axis of the grid; write "
                           "grid = [\"x\", \"y\"] for two");
  EXPECT_EQ(error("M & 2"), "2: unexpected '&'; allowed: + - * // % ( ), cdiv, "
                            "min, max, integers and names");
  EXPECT_EQ(error("ceil(M)"), "0: unknown function 'ceil'; allowed: cdiv, min "
                              "and max");
  EXPECT_EQ(error("triton.next_power_of_2(M)"),
            "0: unknown function 'next_power_of_2'; allowed: cdiv, min and "
            "max");
  EXPECT_EQ(error("cdiv(M)"), "0: 'cdiv' takes two arguments; found 1");
  EXPECT_EQ(error("cdiv(M, N, 2)"), "0: 'cdiv' takes two arguments; found 3");
  EXPECT_EQ(error("min(M)"), "0: 'min' takes two arguments or more; found 1");
  EXPECT_EQ(error("cdiv(M, 2"), "0: the call of 'cdiv' is never closed");
  EXPECT_EQ(error("1.5"), "0: only whole decimal numbers are allowed in a "
                          "grid");
  EXPECT_EQ(error("99999999999999999999"), "0: this integer does not fit 64 "
                                           "bits");
  EXPECT_EQ(error("cdiv(M, BLOK)"), "8: unknown name 'BLOK' in the grid; did "
                                    "you mean 'BLOCK'?");
  EXPECT_EQ(error("x"), "0: 'x' has type *fp32; a grid is made of integers");
  EXPECT_EQ(error("ACT"), "0: 'ACT' is 'gelu'; a grid is made of integers");
  EXPECT_EQ(error("d"), "0: 'd' is a tensor descriptor; use 'd.shape[0]'");
  EXPECT_EQ(error("d.shape[2]"), "0: 'd' has 2 dimensions; shape[2] does not "
                                 "exist");
  EXPECT_EQ(error("M.shape[0]"), "0: 'M' has type i32; only a tensor "
                                 "descriptor has a shape");
  EXPECT_EQ(error("d.size(0)"), "0: only '.shape[i]' may follow a descriptor's "
                                "name, as in 'd.shape[0]'");
  EXPECT_EQ(error("4 // ZERO"), "2: division by zero");
  EXPECT_EQ(error("3 - 5"), "0: the grid is -2; it cannot be negative");
  EXPECT_EQ(error(std::string(100, '(') + "M"),
            "65: the expression is nested more than 64 deep");
  EXPECT_EQ(error(std::string(100, '-') + "M"),
            "65: the expression is nested more than 64 deep");
  EXPECT_EQ(error(std::string(5000, 'M')),
            "0: the grid expression is longer than 4096 characters");
}

} // namespace
