//===- MovementTest.cpp - Plans of data movement against brute force ------===//
//
// Each plan is carried out on a model of registers, lanes, warps and shared
// memory that holds element numbers, for layouts that passes choose and for
// random ones, and compared with what the layouts say place by place.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Movement.h"

#include "compiler/Dialect/TGPU/Layouts.h"

#include "gtest/gtest.h"

#include <map>
#include <random>
#include <set>

using namespace llvm;
using namespace nereid;
using namespace nereid::gpu;

namespace {

uint64_t elementAt(const Places &places, uint64_t reg, uint64_t lane,
                   uint64_t warp) {
  return combine(places.reg, reg) ^ combine(places.lane, lane) ^
         combine(places.warp, warp);
}

/// A random layout of 2^bits elements: a permutation of bits, of which some
/// places hold copies; with `mixed`, bases are any vectors.
Places randomPlaces(std::mt19937 &random, unsigned bits, unsigned warpBits,
                    bool mixed) {
  Columns basis;
  for (unsigned bit = 0; bit < bits; ++bit)
    basis.push_back(uint64_t(1) << bit);
  if (mixed)
    for (unsigned i = 0; i < 3 * bits; ++i) {
      unsigned a = random() % bits, b = random() % bits;
      if (a != b)
        basis[a] ^= basis[b];
    }
  std::shuffle(basis.begin(), basis.end(), random);
  Places places;
  size_t next = 0;
  auto take = [&](Columns &columns, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      bool copy = next == basis.size() || random() % 6 == 0;
      columns.push_back(copy ? 0 : basis[next++]);
    }
  };
  take(places.lane, 5);
  take(places.warp, warpBits);
  while (next < basis.size())
    places.reg.push_back(basis[next++]);
  std::shuffle(places.reg.begin(), places.reg.end(), random);
  return places;
}

void forEachThread(const Places &places,
                   function_ref<void(uint64_t lane, uint64_t warp)> fn) {
  for (uint64_t warp = 0; warp < uint64_t(1) << places.warp.size(); ++warp)
    for (uint64_t lane = 0; lane < uint64_t(1) << places.lane.size(); ++lane)
      fn(lane, warp);
}

//===-- Accesses ----------------------------------------------------------===//

/// Every register once, in the place that the layout says, aligned.
void checkAccess(const Places &places, unsigned bytes) {
  SharedAccess access = planAccess(places, bytes);
  ASSERT_LE(access.width * bytes, 16u);
  std::set<unsigned> seen;
  for (const auto &one : access.accesses) {
    ASSERT_EQ(one.elements.size(), size_t(access.width));
    forEachThread(places, [&](uint64_t lane, uint64_t warp) {
      uint64_t at =
          one.offset ^ combine(access.lane, lane) ^ combine(access.warp, warp);
      ASSERT_EQ(at % uint64_t(access.width), 0u);
      for (auto [i, reg] : enumerate(one.elements))
        ASSERT_EQ(elementAt(places, reg, lane, warp), at + i);
    });
    for (unsigned reg : one.elements)
      ASSERT_TRUE(seen.insert(reg).second);
  }
  ASSERT_EQ(seen.size(), size_t(places.registers()));
}

/// What the instructions do: matrix m's row j stands at the address of lane
/// 8m + j; lane l gets the 4 bytes l % 4 of row l / 4, or, transposed, the
/// elements l / 4 of rows 2 (l % 4) and 2 (l % 4) + 1.
bool checkMatrixAccess(const Places &places, unsigned bytes) {
  std::optional<MatrixAccess> access = planMatrixAccess(places, bytes);
  if (!access)
    return false;
  const unsigned perWord = 4 / bytes;
  std::set<unsigned> seen;
  for (const auto &one : access->accesses) {
    forEachThread(places, [&](uint64_t lane, uint64_t warp) {
      for (size_t matrix = 0; matrix < one.words.size(); ++matrix) {
        auto row = [&](uint64_t j) {
          uint64_t at = one.offset ^ combine(access->lane, 8 * matrix + j) ^
                        combine(access->warp, warp);
          EXPECT_EQ(at % (16 / bytes), 0u);
          return at;
        };
        for (auto [i, reg] : enumerate(one.words[matrix])) {
          uint64_t at = access->transposed
                            ? row(2 * (lane % 4) + i) + lane / 4
                            : row(lane / 4) + perWord * (lane % 4) + i;
          ASSERT_EQ(elementAt(places, reg, lane, warp), at);
        }
      }
    });
    for (const auto &word : one.words)
      for (unsigned reg : word)
        EXPECT_TRUE(seen.insert(reg).second);
  }
  EXPECT_EQ(seen.size(), size_t(places.registers()));
  return true;
}

TEST(Movement, AccessesOfRandomTiles) {
  std::mt19937 random(1);
  for (int i = 0; i < 400; ++i) {
    Places places =
        randomPlaces(random, 6 + random() % 7, random() % 4, random() % 2);
    unsigned bytes = 1u << random() % 4;
    checkAccess(places, bytes);
    checkMatrixAccess(places, bytes);
  }
}

TEST(Movement, OperandsAreReadByLdmatrix) {
  using tgpu::MatrixInstruction;
  // Rows of 64 16-bit elements whose 16-byte chunks are swizzled.
  for (unsigned operand : {0u, 1u})
    for (bool transposed : {false, true}) {
      LinearLayout layout = tgpu::operandLayout(
          {64, 64}, MatrixInstruction::NVIDIA_m16n8, operand, 16, {2, 2});
      Columns offset(12);
      // The contraction dimension is 1 for A and 0 for B.
      const unsigned k = operand == 0 ? 6 : 0, outer = 6 - k;
      const unsigned fast = transposed ? outer : k, slow = 6 - fast;
      for (unsigned bit = 0; bit < 6; ++bit) {
        offset[fast + bit] = uint64_t(1) << bit;
        offset[slow + bit] = uint64_t(64) << bit | (bit < 3 ? 8u << bit : 0);
      }
      Places places = mapPlaces(placesOf(layout), offset);
      ASSERT_TRUE(checkMatrixAccess(places, 2));
      MatrixAccess access = *planMatrixAccess(places, 2);
      EXPECT_EQ(access.transposed, transposed);
      EXPECT_EQ(access.accesses.front().words.size(), 4u);
      // The eight rows of a matrix lie in different banks.
      std::set<uint64_t> banks;
      for (uint64_t row = 0; row < 8; ++row)
        banks.insert(combine(access.lane, row) % 64 / 8);
      EXPECT_EQ(banks.size(), 8u);
    }
}

//===-- Conversions through shared memory ---------------------------------===//

/// All that the plan promises of one conversion.
void checkScratch(const Places &from, const Places &to, unsigned bytes,
                  int64_t limit) {
  ScratchPlan plan = planScratch(from, to, bytes, limit);
  // A place of its own for every element.
  Span offsets(plan.offset);
  ASSERT_EQ(offsets.dim(), int(plan.offset.size()));
  ASSERT_EQ(plan.bits + plan.rounds, plan.offset.size());
  const Places writes = mapPlaces(from, plan.offset);
  const Places reads = mapPlaces(to, plan.offset);
  for (const Places *side : {&writes, &reads}) {
    checkAccess(*side, bytes);
    checkMatrixAccess(*side, bytes);
    uint64_t high = ~((uint64_t(1) << plan.bits) - 1);
    uint64_t byRegister = 0, byWarp = 0;
    for (uint64_t column : side->lane)
      ASSERT_EQ(column & high, 0u); // lanes are never in different rounds
    for (uint64_t column : side->reg)
      byRegister |= column & high;
    for (uint64_t column : side->warp)
      byWarp |= column & high;
    ASSERT_EQ(byRegister & byWarp, 0u);
  }
}

TEST(Movement, ScratchOfRandomLayouts) {
  std::mt19937 random(2);
  for (int i = 0; i < 600; ++i) {
    unsigned bits = 1 + random() % 13, warps = random() % 4;
    bool mixed = random() % 3 == 0;
    Places from = randomPlaces(random, bits, warps, mixed);
    Places to = randomPlaces(random, bits, warps, mixed);
    checkScratch(from, to, 1u << random() % 4, random() % 2 ? 32768 : 1024);
  }
}

TEST(Movement, FewBankConflictsForRandomLayouts) {
  // Where lanes of one side lie across the vectors of the other, freedom from
  // conflicts and full width exclude each other; that is rare.
  std::mt19937 random(3);
  int conflicts = 0;
  for (int i = 0; i < 600; ++i) {
    unsigned bits = 8 + random() % 6, warps = random() % 4;
    Places from = randomPlaces(random, bits, warps, false);
    Places to = randomPlaces(random, bits, warps, false);
    unsigned bytes = 1u << random() % 4;
    ScratchPlan plan = planScratch(from, to, bytes, 32768);
    for (const Places *side : {&from, &to}) {
      Places offsets = mapPlaces(*side, plan.offset);
      int ways = bankConflicts(planAccess(offsets, bytes), bytes);
      EXPECT_LE(ways, 2);
      conflicts += ways > 1;
    }
  }
  EXPECT_LE(conflicts, 12); // of 1200
}

TEST(Movement, NoBankConflictsForLayoutsThatPassesMake) {
  using tgpu::MatrixInstruction;
  for (int64_t rows : {16, 64, 128})
    for (int64_t columns : {32, 64, 256})
      for (unsigned bytes : {1u, 2u, 4u, 8u}) {
        const int64_t shape[] = {rows, columns};
        const int32_t vector = int32_t(16 / bytes);
        const int32_t few[] = {1, 4};
        std::vector<LinearLayout> layouts = {
            tgpu::blockedLayout(shape, {1, 0}, vector, {32, 4}),
            tgpu::blockedLayout(shape, {1, 0}, 1, {32, 4}),
            tgpu::blockedLayout(shape, {0, 1}, vector, {32, 4}),
            tgpu::accumulatorLayout(shape, MatrixInstruction::NVIDIA_m16n8,
                                    {4, 1}),
            tgpu::accumulatorLayout(shape, MatrixInstruction::NVIDIA_m16n8,
                                    few)};
        for (const LinearLayout &a : layouts)
          for (const LinearLayout &b : layouts) {
            Places from = placesOf(a), to = placesOf(b);
            ScratchPlan plan = planScratch(from, to, bytes, 32768);
            for (const Places *side : {&from, &to})
              EXPECT_EQ(
                  bankConflicts(
                      planAccess(mapPlaces(*side, plan.offset), bytes), bytes),
                  1)
                  << a.str() << " to " << b.str() << ", " << bytes;
          }
      }
}

TEST(Movement, TransposesUseWideAccesses) {
  LinearLayout rows = tgpu::blockedLayout({128, 64}, {1, 0}, 8, {32, 4});
  LinearLayout columns = tgpu::blockedLayout({128, 64}, {0, 1}, 8, {32, 4});
  for (unsigned bytes : {1u, 2u, 4u}) {
    ScratchPlan plan =
        planScratch(placesOf(rows), placesOf(columns), bytes, 65536);
    SharedAccess writes =
        planAccess(mapPlaces(placesOf(rows), plan.offset), bytes);
    SharedAccess reads =
        planAccess(mapPlaces(placesOf(columns), plan.offset), bytes);
    EXPECT_EQ(bankConflicts(writes, bytes), 1);
    EXPECT_EQ(bankConflicts(reads, bytes), 1);
    EXPECT_GE(std::max(writes.width, reads.width) * bytes, 8u);
  }
}

TEST(Movement, AccumulatorsLeaveByStmatrixInWideReads) {
  // The epilogue of a product: fragments to rows for coalesced stores.
  LinearLayout acc = tgpu::accumulatorLayout(
      {64, 64}, tgpu::MatrixInstruction::NVIDIA_m16n8, {4, 1});
  LinearLayout rows = tgpu::blockedLayout({64, 64}, {1, 0}, 8, {32, 4});
  ScratchPlan plan = planScratch(placesOf(acc), placesOf(rows), 2, 32768);
  auto stores = planMatrixAccess(mapPlaces(placesOf(acc), plan.offset), 2);
  ASSERT_TRUE(stores);
  EXPECT_EQ(stores->accesses.front().words.size(), 4u);
  SharedAccess loads = planAccess(mapPlaces(placesOf(rows), plan.offset), 2);
  EXPECT_EQ(loads.width, 8);
  EXPECT_EQ(bankConflicts(loads, 2), 1);
  EXPECT_LE(plan.bytes(2), 32768);
}

TEST(Movement, MatricesOfOneAccessAreOfOneRound) {
  // Two rounds, told apart by a register bit that could also number matrices.
  LinearLayout acc = tgpu::accumulatorLayout(
      {128, 256}, tgpu::MatrixInstruction::NVIDIA_m16n8, {8, 1});
  LinearLayout rows(
      {{"register",
        {{0, 1}, {0, 2}, {0, 4}, {8, 0}, {16, 0}, {32, 0}, {64, 0}}},
       {"lane", {{0, 8}, {0, 16}, {0, 32}, {0, 64}, {0, 128}}},
       {"warp", {{1, 0}, {2, 0}, {4, 0}}},
       {"block", {}}},
      {{"dim0", 128}, {"dim1", 256}});
  ScratchPlan plan = planScratch(placesOf(acc), placesOf(rows), 2, 32768);
  ASSERT_GT(plan.rounds, 0u);
  auto stores =
      planMatrixAccess(mapPlaces(placesOf(acc), plan.offset), 2, plan.bits);
  ASSERT_TRUE(stores);
  for (uint64_t column : stores->lane)
    EXPECT_EQ(column >> plan.bits, 0u);
}

TEST(Movement, LargeTilesGoInRounds) {
  LinearLayout acc = tgpu::accumulatorLayout(
      {128, 256}, tgpu::MatrixInstruction::NVIDIA_m16n8, {8, 1});
  LinearLayout rows = tgpu::blockedLayout({128, 256}, {1, 0}, 4, {32, 8});
  ScratchPlan plan = planScratch(placesOf(acc), placesOf(rows), 4, 32768);
  EXPECT_LE(plan.bytes(4), 65536);
  EXPECT_GT(plan.rounds, 0u);
  checkScratch(placesOf(acc), placesOf(rows), 4, 32768);
  ScratchPlan small = planScratch(placesOf(acc), placesOf(rows), 4, 4096);
  EXPECT_LE(small.bytes(4), 8192);
  checkScratch(placesOf(acc), placesOf(rows), 4, 4096);
}

//===-- Shuffles ----------------------------------------------------------===//

/// Carries out a plan on element numbers.
void checkShuffle(const Places &from, const Places &to,
                  const ShufflePlan &plan) {
  forEachThread(to, [&](uint64_t lane, uint64_t warp) {
    for (uint64_t r = 0; r < uint64_t(1) << to.reg.size(); ++r) {
      uint64_t r1 = r ^ combine(plan.G, lane);
      uint64_t asked =
          combine(plan.L, r1) ^ combine(plan.N, lane) ^ combine(plan.P, warp);
      uint64_t reg =
          combine(plan.M, r1) ^ combine(plan.H, asked) ^ combine(plan.K, warp);
      ASSERT_EQ(elementAt(from, reg, asked, warp),
                elementAt(to, r, lane, warp));
    }
  });
  for (unsigned bit : plan.packed) {
    EXPECT_EQ(plan.L[bit], 0u);
    for (uint64_t column : plan.G)
      EXPECT_FALSE(column >> bit & 1);
  }
  if (plan.lanesStay)
    for (uint64_t lane = 0; lane < 32; ++lane)
      EXPECT_EQ(combine(plan.N, lane), lane);
}

TEST(Movement, ShufflesWithinRandomWarps) {
  std::mt19937 random(4);
  int planned = 0;
  for (int i = 0; i < 2000; ++i) {
    unsigned bits = 1 + random() % 9;
    bool mixed = random() % 3 == 0;
    // Warps hold copies of the same, or the same part in both layouts.
    Places from = randomPlaces(random, bits, 0, mixed);
    Places to = randomPlaces(random, bits, 0, mixed);
    for (unsigned warp = 0; warp < 2; ++warp) {
      uint64_t part = random() % 2 ? uint64_t(1) << (bits + warp) : 0;
      uint64_t other = random() % (uint64_t(1) << bits);
      from.warp.push_back(part);
      to.warp.push_back(part ^ (random() % 2 ? other : 0));
    }
    if (auto plan = planShuffle(from, to, 8u << random() % 4)) {
      checkShuffle(from, to, *plan);
      ++planned;
    }
  }
  EXPECT_GT(planned, 1900);
}

TEST(Movement, ElementsInTheThreadNeedNoShuffle) {
  LinearLayout a = tgpu::blockedLayout({16, 128}, {1, 0}, 4, {32, 4});
  Places from = placesOf(a), to = from;
  std::swap(to.reg[0], to.reg[1]);
  auto plan = planShuffle(from, to, 32);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->lanesStay);
  for (uint64_t column : plan->L)
    EXPECT_EQ(column, 0u);
}

TEST(Movement, ATransposeOfFourLanesPacksPairs) {
  // The second product of attention: accumulators to 16-bit operands is only a
  // renaming; 8-bit ones exchange two register bits with two lane bits.
  LinearLayout acc = tgpu::accumulatorLayout(
      {64, 64}, tgpu::MatrixInstruction::NVIDIA_m16n8, {4, 1});
  LinearLayout half = tgpu::operandLayout(
      {64, 64}, tgpu::MatrixInstruction::NVIDIA_m16n8, 0, 16, {4, 1});
  auto plan = planShuffle(placesOf(acc), placesOf(half), 16);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->lanesStay);
  for (uint64_t column : plan->L)
    EXPECT_EQ(column, 0u);

  LinearLayout byte = tgpu::operandLayout(
      {64, 64}, tgpu::MatrixInstruction::NVIDIA_m16n8, 0, 8, {4, 1});
  plan = planShuffle(placesOf(acc), placesOf(byte), 8);
  ASSERT_TRUE(plan);
  checkShuffle(placesOf(acc), placesOf(byte), *plan);
  EXPECT_FALSE(plan->packed.empty());
}

} // namespace
