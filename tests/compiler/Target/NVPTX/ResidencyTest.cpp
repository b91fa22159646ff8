//===- ResidencyTest.cpp - When registers are worth saving ----------------===//

#include "compiler/Target/NVPTX/Emit.h"

#include "gtest/gtest.h"

using namespace nereid;

namespace {

int64_t blocks(const char *target, int64_t threads, int64_t shared,
               int64_t registers) {
  return nvptx::blocksWithFewerRegisters(*findTarget(target), threads, shared,
                                         registers);
}

TEST(Residency, AFewRegistersKeepABlockAway) {
  EXPECT_EQ(blocks("sm_90a", 128, 57344, 138), 4); // 3 now; 128 registers each
  EXPECT_EQ(blocks("sm_90a", 256, 65536, 134), 2);
  EXPECT_EQ(blocks("sm_90a", 256, 65536, 144), 2);
}

TEST(Residency, TooManyRegistersToSave) {
  EXPECT_EQ(blocks("sm_90a", 256, 65536, 145), 0);
  EXPECT_EQ(blocks("sm_90a", 256, 1024, 236), 0);
}

TEST(Residency, SomethingElseKeepsItAway) {
  EXPECT_EQ(blocks("sm_90a", 128, 57345, 138), 0); // shared memory
  EXPECT_EQ(blocks("sm_90a", 128, 57344, 128), 0); // the same, with 4 already
  EXPECT_EQ(blocks("sm_90a", 512, 0, 32), 0);      // 2048 threads
  EXPECT_EQ(blocks("sm_89", 256, 0, 40), 0);       // 1536 threads
  EXPECT_EQ(blocks("sm_90a", 128, 0, 0), 0);       // nothing is known
}

} // namespace
