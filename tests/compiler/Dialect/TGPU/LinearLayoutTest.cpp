//===- LinearLayoutTest.cpp - Properties of linear layouts ----------------===//
//
// Each algebraic operation is compared with its definition, evaluated place by
// place on random layouts, so that no test repeats the implementation.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/LinearLayout.h"

#include "gtest/gtest.h"

#include <random>
#include <set>

using namespace nereid;

namespace {

using InDim = LinearLayout::InDim;
using OutDim = LinearLayout::OutDim;

struct Random {
  std::mt19937 engine{20260823};
  int32_t below(int32_t bound) {
    return std::uniform_int_distribution<int32_t>(0, bound - 1)(engine);
  }
};

/// A random map from register/lane/warp to dim0/dim1, of any rank.
LinearLayout randomLayout(Random &random, int32_t maxBits = 4) {
  llvm::SmallVector<OutDim, 4> outs = {{"dim0", 1 << random.below(maxBits)},
                                       {"dim1", 1 << random.below(maxBits)}};
  llvm::SmallVector<InDim, 4> ins;
  for (const char *name : {"register", "lane", "warp"}) {
    InDim dim{name, {}};
    for (int32_t bit = 0, end = random.below(maxBits); bit < end; ++bit)
      dim.bases.push_back(
          {random.below(outs[0].size), random.below(outs[1].size)});
    ins.push_back(dim);
  }
  return LinearLayout(ins, outs);
}

/// A random invertible map on `bits` bits: elementary column operations on a
/// shuffled identity.
LinearLayout randomInvertible(Random &random, int32_t bits) {
  llvm::SmallVector<int32_t, 16> columns;
  for (int32_t bit = 0; bit < bits; ++bit)
    columns.push_back(1 << bit);
  std::shuffle(columns.begin(), columns.end(), random.engine);
  for (int32_t step = 0; bits > 1 && step < 3 * bits; ++step) {
    int32_t a = random.below(bits), b = random.below(bits);
    if (a != b)
      columns[a] ^= columns[b];
  }
  InDim dim{"register", {}};
  for (int32_t column : columns)
    dim.bases.push_back({column});
  return LinearLayout({dim}, {{"dim0", 1 << bits}});
}

std::set<uint64_t> image(const LinearLayout &layout) {
  std::set<uint64_t> result;
  for (uint64_t place = 0; place >> layout.totalInBits() == 0; ++place)
    result.insert(layout.applyFlat(place));
  return result;
}

TEST(LinearLayout, BlockedExampleOfTheHeader) {
  LinearLayout layout = LinearLayout::identity(2, "register", "dim0") *
                        LinearLayout::identity(4, "lane", "dim0");
  EXPECT_EQ(layout.str(), "register: [(1)] lane: [(2), (4)] -> dim0: 8");
  EXPECT_EQ(layout.apply({{"register", 1}, {"lane", 3}})[0].second, 7);
  EXPECT_EQ(layout.apply({{"lane", 2}})[0].second, 4);
}

TEST(LinearLayout, IsLinear) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    LinearLayout layout = randomLayout(random);
    uint64_t places = uint64_t(1) << layout.totalInBits();
    uint64_t a = random.below(places), b = random.below(places);
    EXPECT_EQ(layout.applyFlat(a ^ b),
              layout.applyFlat(a) ^ layout.applyFlat(b));
  }
}

TEST(LinearLayout, ProductPlacesTheInnerTileRepeatedly) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    LinearLayout inner = randomLayout(random, 3);
    LinearLayout outer = randomLayout(random, 3);
    LinearLayout product = inner * outer;
    for (int step = 0; step < 16; ++step) {
      LinearLayout::Coordinates x, y, both;
      for (const char *name : {"register", "lane", "warp"}) {
        x.push_back({name, random.below(inner.inSize(name))});
        y.push_back({name, random.below(outer.inSize(name))});
        both.push_back(
            {name, x.back().second | y.back().second << inner.inBits(name)});
      }
      auto fromInner = inner.apply(x), fromOuter = outer.apply(y);
      auto found = product.apply(both);
      for (int o = 0; o < 2; ++o)
        EXPECT_EQ(found[o].second,
                  fromInner[o].second +
                      fromOuter[o].second * inner.outSize(fromInner[o].first));
    }
  }
}

TEST(LinearLayout, ProductIsAssociativeWithUnit) {
  Random random;
  for (int round = 0; round < 100; ++round) {
    LinearLayout a = randomLayout(random, 3), b = randomLayout(random, 3),
                 c = randomLayout(random, 3);
    EXPECT_EQ((a * b) * c, a * (b * c));
    EXPECT_EQ(LinearLayout() * a, a);
    EXPECT_EQ(a * LinearLayout(), a);
  }
}

TEST(LinearLayout, ComposeIsApplicationInTurn) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    LinearLayout first = randomLayout(random);
    LinearLayout second = randomInvertible(random, first.totalOutBits());
    LinearLayout flat =
        first.reshapeOuts({{"register", 1 << first.totalOutBits()}});
    LinearLayout both = flat.compose(second);
    for (uint64_t place = 0; place >> first.totalInBits() == 0; ++place)
      EXPECT_EQ(both.applyFlat(place),
                second.applyFlat(first.applyFlat(place)));
  }
}

TEST(LinearLayout, RightInverseFindsTheSmallestPlace) {
  Random random;
  int inverted = 0;
  for (int round = 0; round < 400; ++round) {
    LinearLayout layout = randomLayout(random);
    auto inverse = layout.rightInverse();
    ASSERT_EQ(inverse.has_value(), layout.isSurjective()) << layout.str();
    if (!inverse)
      continue;
    ++inverted;
    int32_t freeMask = 0, shift = 0;
    for (const InDim &dim : layout.inDims()) {
      freeMask |= layout.freeVariableMask(dim.name) << shift;
      shift += dim.bases.size();
    }
    for (uint64_t element = 0; element >> layout.totalOutBits() == 0;
         ++element) {
      uint64_t place = inverse->applyFlat(element);
      EXPECT_EQ(layout.applyFlat(place), element);
      EXPECT_EQ(place & freeMask, 0u);
    }
  }
  EXPECT_GT(inverted, 20);
}

TEST(LinearLayout, InverseOfAnInvertibleMapIsTwoSided) {
  Random random;
  for (int32_t bits = 0; bits < 16; ++bits) {
    LinearLayout layout = randomInvertible(random, bits);
    ASSERT_TRUE(layout.isInvertible());
    LinearLayout inverse = *layout.rightInverse();
    EXPECT_EQ(layout.compose(inverse),
              LinearLayout::identity(1 << bits, "register", "register"));
    EXPECT_EQ(inverse.compose(layout),
              LinearLayout::identity(1 << bits, "dim0", "dim0"));
  }
}

TEST(LinearLayout, ConversionFindsEachElementInTheOtherLayout) {
  Random random;
  int converted = 0;
  for (int round = 0; round < 400; ++round) {
    LinearLayout from = randomLayout(random, 4);
    LinearLayout to = randomInvertible(random, from.totalOutBits())
                          .renameOut("dim0", "flat")
                          .reshapeOuts({from.outDims()[0], from.outDims()[1]});
    if (round % 2) { // dimensions in another order are the same elements
      to = to.reorderOuts({"dim1", "dim0"});
    }
    auto conversion = from.invertAndCompose(to);
    ASSERT_TRUE(conversion.has_value());
    ++converted;
    for (uint64_t place = 0; place >> from.totalInBits() == 0; ++place) {
      LinearLayout::Coordinates source;
      uint64_t rest = place;
      for (const InDim &dim : from.inDims()) {
        source.push_back(
            {dim.name, int32_t(rest & ((1 << dim.bases.size()) - 1))});
        rest >>= dim.bases.size();
      }
      auto expected = from.apply(source);
      auto found = to.apply(conversion->apply(source));
      for (const auto &[name, value] : expected)
        for (const auto &[otherName, otherValue] : found)
          if (name == otherName)
            EXPECT_EQ(value, otherValue);
    }
  }
  EXPECT_EQ(converted, 400);
}

TEST(LinearLayout, ConversionFailsWhereTheTargetLacksAnElement) {
  LinearLayout whole = LinearLayout::identity(8, "lane", "dim0");
  LinearLayout half({{"lane", {{1}, {2}}}}, {{"dim0", 8}});
  EXPECT_FALSE(whole.invertAndCompose(half).has_value());
  EXPECT_TRUE(half.invertAndCompose(whole).has_value());
}

TEST(LinearLayout, DivideUndoesProduct) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    LinearLayout tile = randomLayout(random, 3), rest = randomLayout(random, 3);
    auto quotient = (tile * rest).divideLeft(tile);
    ASSERT_TRUE(quotient.has_value());
    EXPECT_EQ(*quotient, rest);
  }
}

TEST(LinearLayout, DivideRefusesATileThatDoesNotFit) {
  LinearLayout rowMajor = LinearLayout::identity(8, "register", "dim0");
  EXPECT_FALSE(
      rowMajor.divideLeft(LinearLayout::strided(2, 2, "register", "dim0")));
  EXPECT_FALSE(rowMajor.divideLeft(LinearLayout::identity(2, "lane", "dim0")));
  EXPECT_FALSE(
      rowMajor.divideLeft(LinearLayout::identity(16, "register", "dim0")));
  // A swizzle into the tile's bits is no product, even if the tile's own bits
  // are in place.
  LinearLayout swizzled({{"register", {{1}, {2}, {5}}}}, {{"dim0", 8}});
  EXPECT_FALSE(
      swizzled.divideLeft(LinearLayout::identity(2, "register", "dim0")));
}

TEST(LinearLayout, RankCountsDistinctElements) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    LinearLayout layout = randomLayout(random);
    EXPECT_EQ(image(layout).size(), size_t(1) << layout.rank());
  }
}

TEST(LinearLayout, FreeVariablesAreCopies) {
  // Lane bit 1 is a broadcast; warp bit 0 repeats register bit 0.
  LinearLayout layout(
      {{"register", {{1}}}, {"lane", {{2}, {0}}}, {"warp", {{1}}}},
      {{"dim0", 4}});
  EXPECT_EQ(layout.freeVariableMask("register"), 0);
  EXPECT_EQ(layout.freeVariableMask("lane"), 2);
  EXPECT_EQ(layout.freeVariableMask("warp"), 1);
}

TEST(LinearLayout, ContiguousInputsIsTheVectorWidth) {
  Random random;
  for (int round = 0; round < 500; ++round) {
    LinearLayout layout = randomLayout(random);
    int32_t width = layout.contiguousInputs("register", "dim1");
    // Definition: from any place whose low register bits are 0, the next
    // `width` registers hold the next `width` elements of dim1, aligned.
    int32_t bits = layout.inBits("register");
    ASSERT_LE(width, 1 << bits);
    auto holds = [&](int32_t candidate) {
      for (int32_t r = 0; r < 1 << bits; r += candidate)
        for (int32_t l = 0; l < layout.inSize("lane"); ++l)
          for (int32_t w = 0; w < layout.inSize("warp"); ++w) {
            auto first =
                layout.apply({{"register", r}, {"lane", l}, {"warp", w}});
            if (first[1].second % candidate)
              return false;
            for (int32_t step = 1; step < candidate; ++step) {
              auto next = layout.apply(
                  {{"register", r + step}, {"lane", l}, {"warp", w}});
              if (next[1].second != first[1].second + step ||
                  next[0].second != first[0].second)
                return false;
            }
          }
      return true;
    };
    EXPECT_TRUE(holds(width)) << layout.str();
    if (width < 1 << bits)
      EXPECT_FALSE(holds(2 * width)) << layout.str();
  }
}

TEST(LinearLayout, ReshapeKeepsFlatApplication) {
  Random random;
  for (int round = 0; round < 100; ++round) {
    LinearLayout layout = randomLayout(random);
    LinearLayout flatOut =
        layout.reshapeOuts({{"flat", 1 << layout.totalOutBits()}});
    LinearLayout flat =
        flatOut.reshapeIns({{"place", 1 << layout.totalInBits()}});
    for (uint64_t place = 0; place >> layout.totalInBits() == 0; ++place) {
      EXPECT_EQ(flatOut.applyFlat(place), layout.applyFlat(place));
      EXPECT_EQ(flat.applyFlat(place), layout.applyFlat(place));
    }
  }
}

TEST(LinearLayout, IdentityOnADimensionMeansItStays) {
  LinearLayout shuffle({{"register", {{0, 1}}}, {"lane", {{1, 0}}}},
                       {{"register", 2}, {"lane", 2}});
  EXPECT_FALSE(shuffle.isIdentityOn("lane", "lane"));
  LinearLayout local({{"register", {{0, 1}, {0, 2}}}, {"lane", {{1, 0}}}},
                     {{"lane", 2}, {"register", 4}});
  EXPECT_TRUE(local.isIdentityOn("lane", "lane"));
  LinearLayout crossing({{"register", {{0, 1}, {1, 2}}}, {"lane", {{1, 0}}}},
                        {{"lane", 2}, {"register", 4}});
  EXPECT_FALSE(crossing.isIdentityOn("lane", "lane"));
}

} // namespace
