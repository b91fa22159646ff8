//===- LayoutsTest.cpp - Builders, rules and conversions of layouts -------===//
//
// Fragments are compared with the formulas of the vendors' manuals; rules with
// their definition on every place of many layouts.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/Layouts.h"

#include "gtest/gtest.h"

#include <random>
#include <set>

using namespace nereid;
using namespace nereid::tgpu;

namespace {

using Element = llvm::SmallVector<int64_t, 4>;

struct Place {
  int32_t reg, lane, warp;
};

Element at(const LinearLayout &layout, Place place) {
  Element element;
  for (const auto &[name, value] : layout.apply({{"register", place.reg},
                                                 {"lane", place.lane},
                                                 {"warp", place.warp}}))
    element.push_back(value);
  return element;
}

template <typename Fn> void everyPlace(const LinearLayout &layout, Fn fn) {
  for (int32_t r = 0; r < layout.inSize("register"); ++r)
    for (int32_t l = 0; l < layout.inSize("lane"); ++l)
      for (int32_t w = 0; w < layout.inSize("warp"); ++w)
        fn(Place{r, l, w});
}

/// Blocked and matrix layouts of many shapes.
std::vector<LinearLayout> manyLayouts() {
  std::vector<LinearLayout> layouts;
  for (int64_t rows : {1, 2, 16, 64})
    for (int64_t columns : {1, 8, 32, 128})
      for (int32_t vector : {1, 4})
        for (bool rowMajor : {true, false}) {
          llvm::SmallVector<unsigned, 2> order = {1, 0};
          if (!rowMajor)
            order = {0, 1};
          layouts.push_back(
              blockedLayout({rows, columns}, order, vector, {32, 4}));
        }
  for (int64_t size : {16, 64, 128})
    for (auto instruction :
         {MatrixInstruction::NVIDIA_m16n8, MatrixInstruction::AMD_16x16x16})
      layouts.push_back(accumulatorLayout({size, 64}, instruction, {2, 2}));
  return layouts;
}

TEST(Layouts, BlockedIsCoalesced) {
  // 64 x 128, rows contiguous, 4 values per thread: a warp covers one row.
  LinearLayout layout = blockedLayout({64, 128}, {1, 0}, 4, {32, 4});
  EXPECT_TRUE(layout.isInvertible());
  EXPECT_EQ(at(layout, {3, 5, 0}), (Element{0, 23}));
  EXPECT_EQ(at(layout, {0, 0, 1}), (Element{1, 0}));
  EXPECT_EQ(at(layout, {4, 0, 0}), (Element{4, 0}));
  EXPECT_EQ(layout.contiguousInputs("register", "dim1"), 4);
}

TEST(Layouts, SmallTilesHaveCopies) {
  LinearLayout layout = blockedLayout({16}, {0}, 4, {32, 4});
  EXPECT_TRUE(layout.isSurjective());
  EXPECT_EQ(layout.freeVariableMask("lane"), 0b11100);
  EXPECT_EQ(layout.freeVariableMask("warp"), 0b11);
}

TEST(Layouts, EveryLayoutReachesEveryElement) {
  for (const LinearLayout &layout : manyLayouts())
    EXPECT_TRUE(layout.isSurjective()) << layout.str();
}

// PTX ISA: mma.m16n8k16, C and D: row = groupID (+ 8 for c2, c3), column =
// threadID_in_group * 2 + (i & 1), groupID = lane >> 2.
TEST(Layouts, NvidiaAccumulator) {
  LinearLayout tile = accumulatorTile(MatrixInstruction::NVIDIA_m16n8);
  everyPlace(tile, [&](Place p) {
    int64_t group = p.lane >> 2, inGroup = p.lane % 4;
    EXPECT_EQ(at(tile, p), (Element{group + (p.reg >= 2 ? 8 : 0),
                                    inGroup * 2 + (p.reg & 1)}));
  });
}

// PTX ISA: mma.m16n8k16 with .f16: A: row = groupID for a0,a1,a4,a5, + 8
// otherwise; column = threadID_in_group * 2 + (i & 1), + 8 for i >= 4. B: row =
// threadID_in_group * 2 + (i & 1), + 8 for i >= 2; column = groupID.
TEST(Layouts, NvidiaOperands16Bit) {
  LinearLayout a = operandTile(MatrixInstruction::NVIDIA_m16n8, 0, 16);
  everyPlace(a, [&](Place p) {
    int64_t group = p.lane >> 2, inGroup = p.lane % 4, i = p.reg;
    bool upper = (i >= 2 && i < 4) || i >= 6;
    EXPECT_EQ(at(a, p), (Element{group + (upper ? 8 : 0),
                                 inGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0)}));
  });
  LinearLayout b = operandTile(MatrixInstruction::NVIDIA_m16n8, 1, 16);
  everyPlace(b, [&](Place p) {
    int64_t group = p.lane >> 2, inGroup = p.lane % 4, i = p.reg;
    EXPECT_EQ(at(b, p),
              (Element{inGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0), group}));
  });
}

// PTX ISA: mma.m16n8k32 with 8-bit types, and mma.m16n8k8 with .tf32.
TEST(Layouts, NvidiaOperands8And32Bit) {
  LinearLayout a8 = operandTile(MatrixInstruction::NVIDIA_m16n8, 0, 8);
  everyPlace(a8, [&](Place p) {
    int64_t group = p.lane >> 2, inGroup = p.lane % 4, i = p.reg;
    bool upper = (i >= 4 && i < 8) || i >= 12;
    EXPECT_EQ(at(a8, p), (Element{group + (upper ? 8 : 0),
                                  inGroup * 4 + (i & 3) + (i >= 8 ? 16 : 0)}));
  });
  LinearLayout a32 = operandTile(MatrixInstruction::NVIDIA_m16n8, 0, 32);
  everyPlace(a32, [&](Place p) {
    int64_t group = p.lane >> 2, inGroup = p.lane % 4, i = p.reg;
    EXPECT_EQ(at(a32, p),
              (Element{group + (i & 1 ? 8 : 0), inGroup + (i >= 2 ? 4 : 0)}));
  });
}

// CDNA3 ISA, V_MFMA_F32_16X16X16_F16: A row = lane % 16, k = 4 * (lane / 16) +
// i; D column = lane % 16, row = 4 * (lane / 16) + i.
TEST(Layouts, AmdFragments) {
  LinearLayout a = operandTile(MatrixInstruction::AMD_16x16x16, 0, 16);
  everyPlace(a, [&](Place p) {
    EXPECT_EQ(at(a, p), (Element{p.lane % 16, 4 * (p.lane / 16) + p.reg}));
  });
  LinearLayout b = operandTile(MatrixInstruction::AMD_16x16x16, 1, 16);
  everyPlace(b, [&](Place p) {
    EXPECT_EQ(at(b, p), (Element{4 * (p.lane / 16) + p.reg, p.lane % 16}));
  });
  LinearLayout d = accumulatorTile(MatrixInstruction::AMD_16x16x16);
  everyPlace(d, [&](Place p) {
    EXPECT_EQ(at(d, p), (Element{4 * (p.lane / 16) + p.reg, p.lane % 16}));
  });
}

TEST(Layouts, OperandsFollowTheAccumulatorsWarps) {
  // Each warp holds all of the rows of A, and columns of B, that its part of
  // the accumulator needs.
  for (auto instruction :
       {MatrixInstruction::NVIDIA_m16n8, MatrixInstruction::AMD_16x16x16})
    for (auto warps : {std::pair(2, 2), std::pair(4, 1), std::pair(1, 4)}) {
      llvm::SmallVector<int32_t, 2> split = {warps.first, warps.second};
      LinearLayout d = accumulatorLayout({64, 64}, instruction, split);
      LinearLayout a = operandLayout({64, 32}, instruction, 0, 16, split);
      LinearLayout b = operandLayout({32, 64}, instruction, 1, 16, split);
      for (int32_t warp = 0; warp < 4; ++warp) {
        std::set<int64_t> rows, columns;
        std::set<std::pair<int64_t, int64_t>> heldA, heldB;
        auto inWarp = [&](const LinearLayout &layout, auto fn) {
          everyPlace(layout, [&](Place p) {
            if (p.warp == warp)
              fn(at(layout, p));
          });
        };
        inWarp(d, [&](const Element &e) {
          rows.insert(e[0]);
          columns.insert(e[1]);
        });
        inWarp(a, [&](const Element &e) { heldA.insert({e[0], e[1]}); });
        inWarp(b, [&](const Element &e) { heldB.insert({e[0], e[1]}); });
        for (int64_t k = 0; k < 32; ++k) {
          for (int64_t row : rows)
            EXPECT_TRUE(heldA.count({row, k}));
          for (int64_t column : columns)
            EXPECT_TRUE(heldB.count({k, column}));
        }
      }
    }
}

TEST(Layouts, BatchedAccumulatorCoversTheBatch) {
  LinearLayout d =
      accumulatorLayout({4, 32, 32}, MatrixInstruction::NVIDIA_m16n8, {2, 2});
  EXPECT_TRUE(d.isSurjective());
  EXPECT_EQ(at(d, {0, 0, 0}), (Element{0, 0, 0}));
}

TEST(Layouts, ExpandDims) {
  for (const LinearLayout &layout : manyLayouts())
    for (unsigned axis : {0u, 1u, 2u}) {
      LinearLayout wide = expandDims(layout, axis);
      everyPlace(layout, [&](Place p) {
        Element expected = at(layout, p);
        expected.insert(expected.begin() + axis, 0);
        ASSERT_EQ(at(wide, p), expected);
      });
      ASSERT_EQ(expandDimsOperand(wide, axis), layout);
    }
}

TEST(Layouts, BroadcastKeepsPlacesAndAddsRegisters) {
  LinearLayout column = blockedLayout({64, 1}, {0, 1}, 1, {32, 4});
  LinearLayout wide = broadcast(column, {64, 32});
  EXPECT_TRUE(wide.isSurjective());
  everyPlace(wide, [&](Place p) {
    Place source = {p.reg & (column.inSize("register") - 1), p.lane, p.warp};
    ASSERT_EQ(at(wide, p)[0], at(column, source)[0]);
  });
}

TEST(Layouts, BroadcastOperandHoldsWhatTheResultNeeds) {
  for (const LinearLayout &layout : manyLayouts()) {
    int64_t rows = layout.outSize("dim0");
    LinearLayout operand = broadcastOperand(layout, {rows, 1});
    EXPECT_TRUE(operand.isSurjective());
    // Every thread finds the row of each of its elements in its own registers.
    everyPlace(layout, [&](Place p) {
      bool found = false;
      for (int32_t r = 0; r < operand.inSize("register"); ++r)
        found |= at(operand, {r, p.lane, p.warp})[0] == at(layout, p)[0];
      ASSERT_TRUE(found) << layout.str();
    });
  }
}

TEST(Layouts, PermuteAndBack) {
  for (const LinearLayout &layout : manyLayouts()) {
    LinearLayout flipped = permute(layout, {1, 0});
    everyPlace(layout, [&](Place p) {
      Element e = at(layout, p);
      ASSERT_EQ(at(flipped, p), (Element{e[1], e[0]}));
    });
    ASSERT_EQ(permuteOperand(flipped, {1, 0}), layout);
  }
  LinearLayout cube = blockedLayout({2, 4, 8}, {2, 1, 0}, 2, {8, 2});
  LinearLayout turned = permute(cube, {2, 0, 1});
  everyPlace(cube, [&](Place p) {
    Element e = at(cube, p);
    EXPECT_EQ(at(turned, p), (Element{e[2], e[0], e[1]}));
  });
  EXPECT_EQ(permuteOperand(turned, {2, 0, 1}), cube);
}

TEST(Layouts, ReshapeIsRowMajor) {
  for (const LinearLayout &layout : manyLayouts()) {
    int64_t rows = layout.outSize("dim0"), columns = layout.outSize("dim1");
    LinearLayout flat = reshape(layout, {rows * columns});
    everyPlace(layout, [&](Place p) {
      Element e = at(layout, p);
      ASSERT_EQ(at(flat, p)[0], e[0] * columns + e[1]);
    });
    ASSERT_EQ(reshape(flat, {rows, columns}), layout);
  }
}

TEST(Layouts, ReduceKeepsTheOtherDimension) {
  for (const LinearLayout &layout : manyLayouts())
    for (unsigned axis : {0u, 1u}) {
      LinearLayout left = reduce(layout, axis);
      EXPECT_TRUE(left.isSurjective());
      EXPECT_EQ(left.freeVariableMask("register"), 0);
      everyPlace(layout, [&](Place p) {
        bool found = false;
        for (int32_t r = 0; r < left.inSize("register"); ++r)
          found |= at(left, {r, p.lane, p.warp})[0] == at(layout, p)[1 - axis];
        ASSERT_TRUE(found);
      });
    }
}

TEST(Layouts, ConversionKindsByDefinition) {
  std::mt19937 engine(7);
  auto below = [&](int bound) {
    return std::uniform_int_distribution<int>(0, bound - 1)(engine);
  };
  int seen[3] = {0, 0, 0};
  for (int round = 0; round < 600; ++round) {
    // Random invertible maps on 2 + 2 + 1 bits, the second often near the
    // first, so that all three kinds occur.
    llvm::SmallVector<int32_t, 8> columns = {1, 2, 4, 8, 16};
    for (int step = 0; step < 6; ++step) {
      int a = below(5), b = below(5);
      if (a != b)
        columns[a] ^= columns[b];
    }
    auto make = [&](llvm::ArrayRef<int32_t> c) {
      return LinearLayout({{"register", {{c[0]}, {c[1]}}},
                           {"lane", {{c[2]}, {c[3]}}},
                           {"warp", {{c[4]}}},
                           {"block", {}}},
                          {{"dim0", 32}});
    };
    LinearLayout from = make(columns);
    int reach = 1 + below(5);
    for (int step = 0; step < 4; ++step) {
      int a = below(5), b = below(reach);
      if (a != b)
        columns[a] ^= columns[b];
    }
    LinearLayout to = make(columns);

    auto holds = [&](bool sameLane, bool sameWarp) {
      bool all = true;
      everyPlace(to, [&](Place p) {
        bool found = false;
        everyPlace(from, [&](Place q) {
          found |= at(from, q) == at(to, p) &&
                   (!sameLane || q.lane == p.lane) &&
                   (!sameWarp || q.warp == p.warp);
        });
        all &= found;
      });
      return all;
    };
    ConversionKind expected = holds(true, true)    ? ConversionKind::Registers
                              : holds(false, true) ? ConversionKind::Shuffle
                                                   : ConversionKind::Shared;
    ASSERT_EQ(classifyConversion(from, to), expected);
    ++seen[int(expected)];
  }
  for (int count : seen)
    EXPECT_GT(count, 20);
}

} // namespace
