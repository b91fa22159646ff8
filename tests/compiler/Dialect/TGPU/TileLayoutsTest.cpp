//===- TileLayoutsTest.cpp - Layouts that matrix units dictate ------------===//
//
// Warpgroup fragments and swizzled tiles in shared memory, place by place
// against the formulas of the PTX ISA.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/Layouts.h"

#include "gtest/gtest.h"

#include <map>
#include <set>

using namespace nereid;
using namespace nereid::tgpu;

namespace {

using Element = std::pair<int64_t, int64_t>;

Element at(const LinearLayout &layout, int32_t reg, int32_t lane,
           int32_t warp) {
  auto place =
      layout.apply({{"register", reg}, {"lane", lane}, {"warp", warp}});
  return {place[0].second, place[1].second};
}

/// How often the threads of a block hold each element.
std::map<Element, int> countPlaces(const LinearLayout &layout) {
  std::map<Element, int> counts;
  for (int32_t r = 0; r < layout.inSize("register"); ++r)
    for (int32_t l = 0; l < layout.inSize("lane"); ++l)
      for (int32_t w = 0; w < layout.inSize("warp"); ++w)
        ++counts[at(layout, r, l, w)];
  return counts;
}

struct GroupCase {
  int64_t rows, columns;
  int32_t groupRows, groupColumns;
};
const GroupCase kGroupCases[] = {
    {64, 8, 1, 1},    {64, 256, 1, 1},  {128, 128, 2, 1}, {128, 256, 1, 1},
    {64, 128, 1, 2},  {256, 64, 2, 1},  {128, 64, 2, 2},  {64, 512, 1, 1},
    {256, 128, 1, 2}, {512, 256, 2, 2},
};

} // namespace

// PTX ISA, wgmma D fragment: row = 16 * warp + lane / 4 + 8 * ((i >> 1) & 1),
// column = 8 * (i / 4) + 2 * (lane % 4) + (i & 1).
TEST(TileLayouts, WarpgroupAccumulatorIsWgmmas) {
  for (const GroupCase &c : kGroupCases) {
    LinearLayout d = wgmmaAccumulatorLayout({c.rows, c.columns},
                                            {c.groupRows, c.groupColumns});
    int64_t own = c.columns / c.groupColumns, perBlock = own / 2;
    ASSERT_EQ(d.inSize("warp"), 4 * c.groupRows * c.groupColumns);
    ASSERT_EQ(d.inSize("register"), c.rows / 64 / c.groupRows * perBlock);
    for (int32_t r = 0; r < d.inSize("register"); ++r)
      for (int32_t l = 0; l < 32; ++l)
        for (int32_t w = 0; w < d.inSize("warp"); ++w) {
          int64_t i = r % perBlock, block = r / perBlock, group = w / 4;
          int64_t groupRow = group % c.groupRows;
          int64_t row = 16 * (w % 4) + l / 4 + 8 * ((i >> 1) & 1) +
                        64 * (groupRow + c.groupRows * block);
          int64_t column =
              8 * (i / 4) + 2 * (l % 4) + (i & 1) + own * (group / c.groupRows);
          ASSERT_EQ(at(d, r, l, w), Element(row, column));
        }
  }
}

TEST(TileLayouts, WarpgroupFragmentsTileTheMatrixExactly) {
  for (const GroupCase &c : kGroupCases) {
    LinearLayout d = wgmmaAccumulatorLayout({c.rows, c.columns},
                                            {c.groupRows, c.groupColumns});
    auto counts = countPlaces(d);
    EXPECT_EQ(int64_t(counts.size()), c.rows * c.columns);
    for (auto [element, count] : counts)
      ASSERT_EQ(count, 1);
    for (unsigned bits : {8u, 16u, 32u}) {
      // Every warpgroup along the columns holds all of its rows of A.
      LinearLayout a =
          wgmmaOperandLayout({c.rows, 64}, bits, {c.groupRows, c.groupColumns});
      auto held = countPlaces(a);
      EXPECT_EQ(int64_t(held.size()), c.rows * 64);
      for (auto [element, count] : held)
        ASSERT_EQ(count, c.groupColumns);
    }
  }
}

TEST(TileLayouts, AccumulatorsAreRecognised) {
  for (const GroupCase &c : kGroupCases) {
    auto groups = matchWgmmaAccumulator(wgmmaAccumulatorLayout(
        {c.rows, c.columns}, {c.groupRows, c.groupColumns}));
    ASSERT_TRUE(groups);
    EXPECT_EQ((*groups)[0], c.groupRows);
    EXPECT_EQ((*groups)[1], c.groupColumns);
  }
  constexpr auto mma = MatrixInstruction::NVIDIA_m16n8;
  for (auto [rows, columns] : {std::pair(4, 1), std::pair(2, 2)}) {
    auto warps = matchAccumulator(
        accumulatorLayout({128, 64}, mma, {rows, columns}), mma);
    ASSERT_TRUE(warps);
    EXPECT_EQ((*warps)[0], rows);
    EXPECT_EQ((*warps)[1], columns);
  }
  auto batched =
      matchAccumulator(accumulatorLayout({8, 16, 16}, mma, {4, 1, 1}), mma);
  ASSERT_TRUE(batched);
  EXPECT_EQ((*batched)[0], 4);
  EXPECT_FALSE(
      matchAccumulator(blockedLayout({64, 64}, {1, 0}, 4, {32, 4}), mma));
  EXPECT_FALSE(
      matchWgmmaAccumulator(blockedLayout({64, 64}, {1, 0}, 4, {32, 4})));
}

// What makes attention cheap: the result of one product, converted to 16 bits,
// is the left operand of the next without moving.
TEST(TileLayouts, SixteenBitOperandIsTheAccumulator) {
  for (int64_t rows : {64, 128, 256})
    for (int64_t k : {16, 64, 128, 256})
      for (int32_t groups : {1, 2})
        if (rows >= 64 * groups) {
          LinearLayout d = wgmmaAccumulatorLayout({rows, k}, {groups, 1});
          EXPECT_EQ(d, wgmmaOperandLayout({rows, k}, 16, {groups, 1}));
          constexpr auto mma = MatrixInstruction::NVIDIA_m16n8;
          EXPECT_EQ(accumulatorLayout({rows, k}, mma, {4 * groups, 1}),
                    operandLayout({rows, k}, mma, 0, 16, {4 * groups, 1}));
        }
}

TEST(TileLayouts, SmallProductsHaveNoCopiesInRegisters) {
  constexpr auto mma = MatrixInstruction::NVIDIA_m16n8;
  for (int64_t rows : {1, 4, 8, 16})
    for (int64_t columns : {1, 2, 8})
      for (int64_t k : {1, 4, 8, 16, 32})
        for (unsigned bits : {8u, 16u, 32u, 64u})
          for (auto layout :
               {accumulatorLayout({rows, columns}, mma, {2, 2}),
                operandLayout({rows, k}, mma, 0, bits, {2, 2}),
                operandLayout({k, columns}, mma, 1, bits, {2, 2})}) {
            EXPECT_TRUE(layout.isSurjective());
            EXPECT_EQ(layout.freeVariableMask("register"), 0);
            EXPECT_EQ(layout.inSize("lane"), 32);
            EXPECT_EQ(layout.inSize("warp"), 4);
          }
}

// PTX ISA, mma.m8n8k4 with .f64: A row = lane / 4, k = lane % 4; B k = lane %
// 4, column = lane / 4; and two of them make 16 rows.
TEST(TileLayouts, DoubleFragments) {
  constexpr auto mma = MatrixInstruction::NVIDIA_m16n8;
  LinearLayout a = operandTile(mma, 0, 64), b = operandTile(mma, 1, 64);
  ASSERT_EQ(a.inSize("register"), 2);
  ASSERT_EQ(b.inSize("register"), 1);
  for (int32_t l = 0; l < 32; ++l) {
    EXPECT_EQ(at(a, 0, l, 0), Element(l / 4, l % 4));
    EXPECT_EQ(at(a, 1, l, 0), Element(l / 4 + 8, l % 4));
    EXPECT_EQ(at(b, 0, l, 0), Element(l % 4, l / 4));
  }
}

//===-- Tiles in shared memory --------------------------------------------===//

// The hardware swizzles byte addresses: in the 128-byte mode bits 4-6 are XORed
// with bits 7-9, in the 64-byte mode bits 4-5 with 7-8, in the 32-byte mode bit
// 4 with bit 7. Before that, an element lies in its panel's row.
TEST(TileLayouts, SwizzledTileIsTheAddressFormula) {
  for (int64_t rows : {8, 16, 64, 128})
    for (int64_t width : {8, 16, 32, 64, 256})
      for (unsigned bits : {8u, 16u, 32u})
        for (int32_t mode : {0, 16, 32, 64, 128})
          for (unsigned contiguous : {0u, 1u}) {
            int64_t bytes = bits / 8, panelBytes = mode ? mode : width * bytes;
            if (width * bytes < panelBytes)
              continue;
            llvm::SmallVector<int64_t, 2> shape = {rows, width};
            if (contiguous == 0)
              std::swap(shape[0], shape[1]);
            LinearLayout tile = swizzledTile(shape, bits, contiguous, mode);
            ASSERT_EQ(tile.inSize("offset"), rows * width);
            for (int64_t offset = 0; offset < rows * width; ++offset) {
              auto element = tile.apply({{"offset", int32_t(offset)}});
              int64_t row = element[1 - contiguous].second;
              int64_t along = element[contiguous].second * bytes;
              int64_t address = along / panelBytes * rows * panelBytes +
                                row * panelBytes + along % panelBytes;
              if (mode == 128)
                address ^= (address >> 7 & 7) << 4;
              else if (mode == 64)
                address ^= (address >> 7 & 3) << 4;
              else if (mode == 32)
                address ^= (address >> 7 & 1) << 4;
              ASSERT_EQ(address, offset * bytes)
                  << mode << ' ' << tile.str() << ' ' << offset;
            }
          }
}

TEST(TileLayouts, SwizzledTilesAreRecognised) {
  for (auto shape : {llvm::SmallVector<int64_t, 4>{64, 64},
                     {128, 32},
                     {16, 256},
                     {4, 32, 64},
                     {2, 1, 16, 128}})
    for (unsigned bits : {8u, 16u, 32u})
      for (int32_t mode : {0, 16, 32, 64, 128})
        for (unsigned contiguous = 0; contiguous < shape.size(); ++contiguous) {
          if (shape[contiguous] * bits < 128)
            continue; // less than a chunk: another dimension is contiguous too
          LinearLayout tile = swizzledTile(shape, bits, contiguous, mode);
          auto match = matchSwizzledTile(tile, bits);
          ASSERT_TRUE(match) << tile.str();
          EXPECT_EQ(swizzledTile(shape, bits, match->contiguousDim,
                                 match->swizzleBytes),
                    tile);
          if (shape.size() != 2)
            continue;
          // What a permutation makes of it is the tile of the other dimension.
          auto turned = matchSwizzledTile(permute(tile, {1, 0}), bits);
          ASSERT_TRUE(turned) << tile.str();
          EXPECT_EQ(turned->contiguousDim, 1 - match->contiguousDim);
          EXPECT_EQ(turned->swizzleBytes, match->swizzleBytes);
        }
}

TEST(TileLayouts, PermutedTilesOfHigherRankAreRecognised) {
  LinearLayout tile = swizzledTile({4, 32, 64}, 16, 2, 128);
  auto match = matchSwizzledTile(permute(tile, {2, 0, 1}), 16);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->contiguousDim, 0u);
  EXPECT_EQ(match->swizzleBytes, 128);
  ASSERT_EQ(match->rowOrder.size(), 2u);
  EXPECT_EQ(match->rowOrder[0], 2u);
  EXPECT_EQ(match->rowOrder[1], 1u);
  match = matchSwizzledTile(permute(tile, {1, 0, 2}), 16);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->contiguousDim, 2u);
  EXPECT_EQ(match->rowOrder[0], 0u);
}

// Eight rows of one chunk, what ldmatrix reads at a time, fall on different
// banks.
TEST(TileLayouts, SwizzleAvoidsBankConflicts) {
  for (int32_t mode : {32, 64, 128}) {
    LinearLayout tile = swizzledTile({64, 64}, 16, 1, mode);
    auto inverse = tile.rightInverse();
    ASSERT_TRUE(inverse);
    for (int32_t first = 0; first < 64; first += 8)
      for (int32_t column = 0; column < 64; column += 8) {
        std::set<int64_t> banks;
        for (int32_t row = first; row < first + 8; ++row)
          banks.insert(
              inverse->apply({{"dim0", row}, {"dim1", column}})[0].second * 2 /
              16 % 8);
        EXPECT_EQ(banks.size(), 8u);
      }
  }
}

TEST(TileLayouts, OtherTilesAreNotRecognised) {
  LinearLayout tile = swizzledTile({64, 64}, 16, 1, 128);
  llvm::SmallVector<LinearLayout::InDim, 4> ins(tile.inDims());
  ins[0].bases[6][1] ^= 16; // another chunk than the mode flips
  LinearLayout other(
      ins, llvm::SmallVector<LinearLayout::OutDim, 4>(tile.outDims()));
  EXPECT_FALSE(matchSwizzledTile(other, 16));
}
