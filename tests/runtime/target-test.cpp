// Which images run on which devices, and which of two is better.

#include <gtest/gtest.h>

extern "C" {
#include "runtime/target.h"
}

#include <string>

namespace {

int rank(const char *device, const char *image) {
  return nrd_target_rank(device, image, nullptr);
}

std::string why(const char *device, const char *image) {
  char buffer[300] = "";
  nrd_text_t text = {buffer, sizeof buffer, 0};
  EXPECT_EQ(nrd_target_rank(device, image, &text), 0);
  return buffer;
}

TEST(Target, NvidiaCubinsStayInTheirGeneration) {
  EXPECT_TRUE(rank("sm_86", "sm_80"));
  EXPECT_TRUE(rank("sm_89", "sm_86"));
  EXPECT_FALSE(rank("sm_80", "sm_86"));
  EXPECT_FALSE(rank("sm_90", "sm_80"));
  EXPECT_FALSE(rank("sm_100", "sm_90"));
  EXPECT_TRUE(rank("sm_103", "sm_100"));
  EXPECT_FALSE(rank("sm_120", "sm_100"));
}

TEST(Target, AnAWordIsForThatChipOnly) {
  EXPECT_TRUE(rank("sm_90", "sm_90a"));
  EXPECT_TRUE(rank("sm_90a", "sm_90a"));
  EXPECT_FALSE(rank("sm_100", "sm_90a"));
  EXPECT_FALSE(rank("sm_103", "sm_100a"));
  EXPECT_FALSE(rank("sm_121", "sm_120a"));
  EXPECT_TRUE(rank("sm_103", "sm_100f"));
  EXPECT_FALSE(rank("sm_120", "sm_100f"));
}

TEST(Target, PtxRunsOnWhatIsLater) {
  EXPECT_TRUE(rank("sm_120", "ptx_80"));
  EXPECT_FALSE(rank("sm_80", "ptx_90"));
  EXPECT_TRUE(rank("sm_90", "ptx_90a"));
  EXPECT_FALSE(rank("sm_100", "ptx_90a"));
}

TEST(Target, NvidiaOrder) {
  EXPECT_GT(rank("sm_90", "sm_90a"), rank("sm_90", "sm_90"));
  EXPECT_GT(rank("sm_103", "sm_103a"), rank("sm_103", "sm_100f"));
  EXPECT_GT(rank("sm_103", "sm_100f"), rank("sm_103", "sm_100"));
  EXPECT_GT(rank("sm_89", "sm_86"), rank("sm_89", "sm_80"));
  EXPECT_GT(rank("sm_90", "sm_90"), rank("sm_90", "ptx_90a"));
  EXPECT_GT(rank("sm_90", "ptx_90a"), rank("sm_90", "ptx_90"));
  EXPECT_GT(rank("sm_90", "ptx_90"), rank("sm_90", "ptx_80"));
}

TEST(Target, AmdModesMustAgreeWhereTheyAreNamed) {
  const char *mi300 = "gfx942:sramecc+:xnack-";
  EXPECT_TRUE(rank(mi300, "gfx942"));
  EXPECT_TRUE(rank(mi300, "gfx942:xnack-"));
  EXPECT_TRUE(rank(mi300, "gfx942:sramecc+:xnack-"));
  EXPECT_FALSE(rank(mi300, "gfx942:xnack+"));
  EXPECT_FALSE(rank(mi300, "gfx90a"));
  EXPECT_FALSE(rank("gfx1100", "gfx1100:xnack+"));
  EXPECT_GT(rank(mi300, "gfx942:xnack-"), rank(mi300, "gfx942"));
  EXPECT_GT(rank(mi300, "gfx942"), rank(mi300, "gfx9-4-generic"));
  EXPECT_EQ(why(mi300, "gfx942:xnack+"),
            "it was built for xnack+ and the device runs with xnack-");
}

TEST(Target, AmdGenerics) {
  EXPECT_TRUE(rank("gfx950", "gfx9-4-generic"));
  EXPECT_FALSE(rank("gfx90a", "gfx9-4-generic"));
  EXPECT_FALSE(rank("gfx90a", "gfx9-generic"));
  EXPECT_TRUE(rank("gfx906", "gfx9-generic"));
  EXPECT_TRUE(rank("gfx1103", "gfx11-generic"));
  EXPECT_TRUE(rank("gfx1201", "gfx12-generic"));
  EXPECT_FALSE(rank("gfx1201", "gfx11-generic"));
  EXPECT_FALSE(rank("gfx110", "gfx11-generic")) << "no prefix will do";
}

TEST(Target, CpuLevels) {
  EXPECT_TRUE(rank("x86-64-v4", "x86-64-v2"));
  EXPECT_FALSE(rank("x86-64-v3", "x86-64-v4"));
  EXPECT_GT(rank("x86-64-amx", "x86-64-amx"), rank("x86-64-amx", "x86-64-v4"));
  EXPECT_GT(rank("x86-64-v4", "x86-64-v3"), rank("x86-64-v4", "x86-64-v2"));
  EXPECT_TRUE(rank("aarch64-sve", "aarch64"));
  EXPECT_FALSE(rank("aarch64", "x86-64-v2"));
  EXPECT_EQ(why("x86-64-v3", "x86-64-v4"),
            "the processor lacks the features of 'x86-64-v4'");
}

TEST(Target, OtherMakersAndUnknownWords) {
  EXPECT_EQ(why("sm_90", "gfx942"), "'gfx942' code needs an AMD GPU");
  EXPECT_EQ(why("gfx942", "ptx_80"), "'ptx_80' code needs an NVIDIA GPU");
  EXPECT_EQ(why("x86-64-v3", "sm_90"), "'sm_90' code needs an NVIDIA GPU");
  EXPECT_EQ(why("sm_90", "npu_7"),
            "this library does not know the target 'npu_7'");
  for (const char *word : {"sm_90b", "sm_", "sm_9", "sm_90aa", "ptx_x", "",
                           "sm_-90", "sm_ 90", "x86-64-v9", "sm_99999"})
    EXPECT_FALSE(nrd_target_is_known(word)) << word;
  EXPECT_TRUE(nrd_target_same_family("sm_90", "ptx_80"));
  EXPECT_FALSE(nrd_target_same_family("sm_90", "gfx942"));
}

} // namespace
