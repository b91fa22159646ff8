//===- golden-test.cpp - Packs of released versions stay readable ---------===//
//
// golden/vN/ holds packs as version N of the format wrote them. They are never
// made again except by golden/regenerate.sh, and only before a version is
// released.
//
//===----------------------------------------------------------------------===//

#include "SamplePack.h"
#include "packager/ArchiveEdit.h"
#include "packager/File.h"
#include "packager/Signing.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace nereid::pack;

namespace {

const char *const kPlain = "golden/v1/sample.nrd";
const char *const kSigned = "golden/v1/signed.nrd";
const char *const kRecipes = "golden/v1/recipes.nrd"; // of tensor maps

// The key of signed.nrd, made from a seed that everybody knows.
SecretSeed knownSeed() {
  SecretSeed seed;
  for (size_t i = 0; i < seed.size(); ++i)
    seed[i] = static_cast<uint8_t>(i);
  return seed;
}
const char *const kKnownKey =
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

TEST(Golden, Regenerate) {
  if (!std::getenv("NEREID_REGENERATE_GOLDEN"))
    GTEST_SKIP() << "only by golden/regenerate.sh";
  Result<std::string> bytes = writePack(samplePack());
  ASSERT_TRUE(bytes) << bytes.message();
  ASSERT_TRUE(writeFile(kPlain, *bytes));
  ASSERT_TRUE(writeFile(kSigned, *signPack(*bytes, knownSeed())));
  ASSERT_TRUE(writeFile(kRecipes, *writePack(recipePack())));
}

TEST(Golden, Version1IsRead) {
  FileFacts facts;
  Result<Pack> read = readPackFile(kPlain, &facts);
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(facts.versionMajor, 1u);
  EXPECT_EQ(facts.versionMinor, 0u);
  // Whatever this version writes, the contents are the same.
  EXPECT_EQ(*writePack(*read), *writePack(samplePack()));
}

TEST(Golden, Version1RecipesAreRead) {
  Result<Pack> read = readPackFile(kRecipes);
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(*writePack(*read), *writePack(recipePack()));
}

TEST(Golden, Version1SignatureHolds) {
  Result<std::string> bytes = readFile(kSigned);
  ASSERT_TRUE(bytes) << bytes.message();
  ASSERT_TRUE(readPack(*bytes));
  Result<PublicKey> key = readPublicKey(kKnownKey);
  ASSERT_TRUE(key) << key.message();
  Status status = verifySignature(*bytes, *key);
  EXPECT_TRUE(status) << status.message();
}

// While 1.0 is the newest version, its writer must not change by accident.
TEST(Golden, TheWriterStillGivesTheSameBytes) {
  EXPECT_EQ(*writePack(samplePack()), *readFile(kPlain));
  EXPECT_EQ(*writePack(recipePack()), *readFile(kRecipes));
}

} // namespace
