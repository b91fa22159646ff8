//===- archive-test.cpp - Packs written, read, damaged --------------------===//

#include "SamplePack.h"
#include "packager/ArchiveEdit.h"
#include "packager/ArchiveFormat.h"
#include "packager/File.h"
#include "packager/Signing.h"

#include <gtest/gtest.h>
#include <unistd.h>

using namespace nereid::pack;

namespace {

std::string written(const Pack &pack) {
  Result<std::string> bytes = writePack(pack);
  EXPECT_TRUE(bytes) << bytes.message();
  return bytes ? *bytes : std::string();
}

// The sentence that writing gives.
std::string refusal(const Pack &pack) { return writePack(pack).message(); }

TEST(Archive, RoundTripKeepsEveryField) {
  Pack pack = samplePack();
  std::string bytes = written(pack);
  FileFacts facts;
  Result<Pack> read = readPack(bytes, &facts);
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(read->name, "sample");
  EXPECT_EQ(read->producer, "nereid test");
  EXPECT_EQ(read->targets(), (std::vector<std::string>{"sm_90a", "x86-64-v3"}));
  ASSERT_EQ(read->kernels.size(), 3u);
  const Kernel *kernel = read->find("matmul_bf16");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->doc, "Multiplies.");
  EXPECT_EQ(kernel->function, "matmul");
  EXPECT_EQ(kernel->sourceXxh3, 77u);
  EXPECT_EQ(kernel->autotuneKey, std::vector<std::string>{"M"});
  ASSERT_EQ(kernel->params.size(), 5u);
  EXPECT_TRUE(kernel->params[0].isConst);
  EXPECT_EQ(kernel->params[0].doc, "the left matrix");
  EXPECT_EQ(kernel->params[3].rank, 2u);
  EXPECT_EQ(kernel->params[4].constant, 1);
  ASSERT_EQ(kernel->configs.size(), 1u);
  EXPECT_EQ(kernel->configs[0].constants[1].text, "'gelu'");
  EXPECT_EQ(kernel->configs[0].grid[0].steps.size(), 3u);
  EXPECT_NE(kernel->configs[0].ir->find("matmul_bf16"), std::string::npos);
  ASSERT_EQ(kernel->variants.size(), 3u);
  const Variant &aligned = kernel->variants[0];
  EXPECT_EQ(aligned.predicates.size(), 2u);
  EXPECT_EQ(aligned.predicates[1].kind, Predicate::Kind::Below);
  EXPECT_EQ(aligned.block, (std::vector<uint32_t>{256, 1, 1}));
  EXPECT_EQ(aligned.cluster, (std::vector<uint32_t>{2, 1, 1}));
  EXPECT_EQ(aligned.sharedSize, 98304u);
  EXPECT_EQ(aligned.scratchSize, 256u);
  EXPECT_EQ(aligned.scratchAlign, 128u);
  EXPECT_EQ(aligned.minDriver, 12040u);
  EXPECT_TRUE(aligned.pdl);
  EXPECT_TRUE(aligned.cooperative);
  ASSERT_EQ(aligned.fields.size(), 7u);
  EXPECT_EQ(aligned.fields[6].kind, Field::Kind::TensorMap);
  EXPECT_EQ(aligned.tensorMaps[0].box, (std::vector<uint32_t>{64, 128}));
  EXPECT_EQ(aligned.resources.registers, 168u);
  EXPECT_EQ(aligned.resources.notes[0], "uses wgmma");
  EXPECT_EQ(*kernel->variants[2].image, std::string(1000, 'c') + "matmul_bf16");
  ASSERT_EQ(kernel->tuning.size(), 1u);
  EXPECT_EQ(kernel->tuning[0].device, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(kernel->tuning[0].rows[0].upper, std::vector<int64_t>{4096});
  EXPECT_EQ(facts.fileSize, bytes.size());
  EXPECT_LT(facts.storedBlobs, facts.rawBlobs);
  EXPECT_EQ(facts.blobCount, 12u);
  // Written again, it is the same file.
  EXPECT_EQ(written(*read), bytes);
}

// The array behind a pointer: its shape and strides are programs.
TEST(Archive, TensorMapsOfPointers) {
  Pack pack = samplePack();
  pack.kernels.resize(1);
  Variant &variant = pack.kernels[0].variants[0];
  GridAxis size, one;
  size.text = "M";
  size.steps = {{1, GridOp::PushSlot}};
  one.text = "1";
  one.steps = {{1, GridOp::PushConst}};
  TensorMap map = {0, 6, 3, 0, 2, 0, {64, 128}, {size, size}, {size, one}};
  variant.paramSize = 320;
  variant.tensorMaps.push_back(map);
  variant.fields.push_back({0, 192, 128, 1, Field::Kind::TensorMap});
  std::string bytes = written(pack);
  Result<Pack> read = readPack(bytes);
  ASSERT_TRUE(read) << read.message();
  const TensorMap &again = read->kernels[0].variants[0].tensorMaps[1];
  ASSERT_EQ(again.shape.size(), 2u);
  EXPECT_EQ(again.shape[1].steps, size.steps);
  EXPECT_EQ(again.strides[0].text, "M");
  EXPECT_EQ(written(*read), bytes);

  auto refusal = [&](auto &&change) {
    Pack bad = pack;
    change(bad.kernels[0].variants[0].tensorMaps[1]);
    return checkKernel(bad.kernels[0]).message();
  };
  EXPECT_NE(refusal([](TensorMap &m) { m.slot = 3; }).find("is no pointer"),
            std::string::npos);
  EXPECT_NE(refusal([](TensorMap &m) {
              m.strides.pop_back();
            }).find("2 extents and 1 strides for a box of 2"),
            std::string::npos);
  EXPECT_NE(refusal([](TensorMap &m) {
              m.shape[0].steps = {{0, GridOp::PushSlot}};
            }).find("a tensor map's 'M'"),
            std::string::npos)
      << "a pointer is no extent";
  EXPECT_NE(refusal([](TensorMap &m) {
              m.shape.clear();
              m.strides.clear();
            }).find("is no tensor descriptor"),
            std::string::npos);
  EXPECT_NE(refusal([](TensorMap &m) {
              m.swizzle = 7;
            }).find("a tensor map has the swizzle 7; known: 0 to 6"),
            std::string::npos);
  EXPECT_NE(refusal([](TensorMap &m) {
              m.box[1] = 257;
            }).find("a tensor map's box has the size 257; allowed: 1 to 256"),
            std::string::npos);
}

// The hardware asks for alignment and extents, so such a variant cannot serve
// every call, and stands before one that can.
TEST(Archive, AVariantWithTensorMapsIsNoFallback) {
  Pack pack = recipePack();
  Kernel &kernel = pack.kernels[0];
  kernel.variants[0].predicates.clear();
  EXPECT_TRUE(checkKernel(kernel)) << checkKernel(kernel).message();
  std::swap(kernel.variants[0], kernel.variants[1]);
  sortVariants(kernel);
  EXPECT_EQ(kernel.variants[0].tensorMaps.size(), 3u);
  kernel.variants.pop_back();
  EXPECT_NE(checkKernel(kernel).message().find("no total fallback for sm_90a"),
            std::string::npos);
}

TEST(Archive, SameInputsSameBytes) {
  Pack pack = samplePack();
  Pack reordered = samplePack();
  std::swap(reordered.kernels[0], reordered.kernels[2]);
  EXPECT_EQ(written(pack), written(reordered));
}

TEST(Archive, EqualBlobsAreStoredOnce) {
  Pack pack = samplePack();
  size_t before = written(pack).size();
  std::string image = noise(5000, 9);
  for (Kernel &kernel : pack.kernels)
    for (Variant &variant : kernel.variants)
      variant.image = makeBytes(image);
  FileFacts facts;
  ASSERT_TRUE(readPack(written(pack), &facts));
  EXPECT_EQ(facts.blobCount, 4u); // the image and three IRs
  EXPECT_LT(written(pack).size(), before + 5000);
}

// Variants of one kernel and target resemble each other; so does the IR of its
// configs. Reading gives back what was written, and the saving is real.
TEST(Archive, VariantsShareADictionary) {
  Pack pack = samplePack();
  pack.kernels.resize(1);
  Kernel &kernel = pack.kernels[0];
  std::string image = noise(20000, 4);
  kernel.variants[2].image = makeBytes(image);
  kernel.configs[0].ir = makeBytes(noise(5000, 3));
  for (int i = 0; i < 6; ++i) {
    Variant variant = kernel.variants[2];
    image.replace(100 * i, 50, noise(50, 100 + i));
    variant.image = makeBytes(image);
    variant.config = uint32_t(i);
    kernel.configs.push_back(kernel.configs[0]);
    kernel.configs.back().ir =
        makeBytes(*kernel.configs[0].ir + noise(20, 50 + i));
    kernel.variants.push_back(variant);
  }
  FileFacts facts;
  std::string bytes = written(pack);
  Result<Pack> read = readPack(bytes, &facts);
  ASSERT_TRUE(read) << read.message();
  for (size_t i = 0; i < kernel.variants.size(); ++i)
    EXPECT_EQ(*read->kernels[0].variants[i].image, *kernel.variants[i].image);
  for (size_t i = 0; i < kernel.configs.size(); ++i)
    EXPECT_EQ(*read->kernels[0].configs[i].ir, *kernel.configs[i].ir);
  EXPECT_EQ(written(*read), bytes);
  // One image and one IR in full, the rest as differences.
  EXPECT_LT(facts.storedBlobs, 30000u);
  EXPECT_GT(facts.rawBlobs, 140000u);
}

// Two kernels share an image that is stored as a difference to another one,
// which each of them knows by another number.
TEST(Archive, KernelsShareABlobWithADictionary) {
  Pack pack = samplePack();
  pack.kernels.resize(1);
  std::string image = noise(20000, 4);
  Kernel &first = pack.kernels[0];
  first.variants[2].image = makeBytes(image);
  first.variants.push_back(first.variants[2]);
  image.replace(100, 50, noise(50, 5));
  first.variants.back().image = makeBytes(image);
  first.configs.push_back(first.configs[0]);
  first.variants.back().config = uint32_t(first.configs.size() - 1);
  Kernel second = first;
  second.name = first.name + "_again";
  second.configs[0].ir = makeBytes(noise(900, 6));
  std::swap(second.variants[0].image, second.variants[2].image);
  pack.kernels.push_back(second);
  std::string bytes = written(pack);
  Result<Pack> read = readPack(bytes);
  ASSERT_TRUE(read) << read.message();
  for (size_t k = 0; k < 2; ++k)
    for (size_t i = 0; i < pack.kernels[k].variants.size(); ++i)
      EXPECT_EQ(*read->kernels[k].variants[i].image,
                *pack.kernels[k].variants[i].image);
}

TEST(Archive, IncompressibleBlobsAreStoredPlain) {
  Pack pack = samplePack();
  std::string image = noise(5000, 9);
  pack.kernels[0].variants[0].image = makeBytes(image);
  EXPECT_NE(written(pack).find(image), std::string::npos);
}

TEST(Archive, DamageOfAnyByteIsFound) {
  Pack pack = samplePack();
  pack.kernels.resize(1);
  std::string bytes = written(pack);
  size_t harmless = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int mask : {0x01, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      Result<Pack> read = readPack(damaged);
      if (read) {
        // One bit of a zstd frame's header means nothing.
        EXPECT_EQ(written(*read), bytes) << "byte " << i;
        ++harmless;
        continue;
      }
      ASSERT_FALSE(read.message().empty());
    }
  EXPECT_LE(harmless, 4u);
}

TEST(Archive, EveryTruncationIsFound) {
  std::string bytes = written(samplePack());
  for (size_t size = 0; size < bytes.size(); ++size) {
    Result<Pack> read = readPack(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(read) << size << " bytes";
    ASSERT_FALSE(read.message().empty());
  }
}

// Damage behind correct hashes: what a hostile author would write.
TEST(Archive, ExtremeHeadersAreRefused) {
  using nereid::archive::Header;
  std::string bytes = written(samplePack());
  const uint64_t extremes[] = {0,
                               1,
                               63,
                               64,
                               bytes.size() - 1,
                               bytes.size(),
                               uint64_t(1) << 32,
                               uint64_t(1) << 63,
                               ~uint64_t(0),
                               ~uint64_t(63)};
  for (size_t field = 16; field + 8 < kHeaderSize; field += 8)
    for (uint64_t value : extremes) {
      Header header;
      std::memcpy(static_cast<void *>(&header), bytes.data(), kHeaderSize);
      uint64_t before;
      std::memcpy(&before, reinterpret_cast<char *>(&header) + field, 8);
      if (before == value)
        continue;
      std::memcpy(reinterpret_cast<char *>(&header) + field, &value, 8);
      std::string damaged = bytes;
      damaged.replace(0, kHeaderSize, headerBytes(header));
      Result<Pack> read = readPack(damaged);
      EXPECT_FALSE(read) << "field at " << field << " = " << value;
    }
}

// Every byte of the kernels' buffers changed, with all hashes made right again.
TEST(Archive, HostileKernelBuffersNeverCrash) {
  using namespace nereid;
  Pack pack = samplePack();
  pack.kernels.resize(1);
  std::string bytes = written(pack);
  archive::Header header = *readHeader(bytes);
  archive::DirectoryEntry entry;
  std::memcpy(static_cast<void *>(&entry),
              bytes.data() + header.directory_offset(), sizeof(entry));
  size_t accepted = 0;
  for (size_t i = 0; i < entry.size(); ++i)
    for (int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string hostile = bytes;
      hostile[entry.offset() + i] = static_cast<char>(value);
      std::string_view buffer =
          std::string_view(hostile).substr(entry.offset(), entry.size());
      archive::DirectoryEntry repaired(entry.name_xxh3(), entry.offset(),
                                       entry.size(), xxh3(buffer),
                                       flatbuffers::make_span(blake2b(buffer)));
      std::memcpy(&hostile[header.directory_offset()], &repaired,
                  sizeof(repaired));
      archive::Header newHeader(
          header.magic(), header.version_major(), header.version_minor(),
          header.file_size(), header.root_offset(), header.root_size(),
          header.root_xxh3(), header.directory_offset(), header.kernel_count(),
          xxh3(directoryBytes(hostile, header)), 0, 0);
      hostile.replace(0, kHeaderSize, headerBytes(newHeader));
      Result<Pack> read = readPack(hostile);
      accepted += bool(read);
      if (!read) {
        ASSERT_FALSE(read.message().empty());
      }
    }
  // Names and documentation may change freely; relations may not.
  EXPECT_GT(accepted, 0u);
}

TEST(Archive, NewerMajorVersionIsRefusedBeforeAnythingElse) {
  std::string bytes = written(samplePack());
  bytes[8] = 2;
  EXPECT_EQ(readPack(bytes).message(),
            "it has format version 2.0; this program reads 1.x; update Nereid "
            "to read it");
}

TEST(Archive, TextModeDamageIsNamed) {
  std::string bytes = written(samplePack());
  bytes.erase(6, 1);
  EXPECT_EQ(readPack(bytes).message(),
            "its line ends were converted, as copying in text mode does; copy "
            "it again in binary mode");
  EXPECT_EQ(readPack("#!/bin/sh\n").message(),
            "it is no pack: it does not begin with \"NEREID\"");
}

TEST(Archive, NoTotalFallbackIsABuildError) {
  Pack pack = samplePack();
  pack.kernels[0].variants.erase(pack.kernels[0].variants.begin() + 1);
  EXPECT_EQ(refusal(pack),
            "kernel 'matmul_f16' has no total fallback for sm_90a: each of its "
            "variants there needs something of the arguments; build the "
            "'generic' variant too");
}

TEST(Archive, BrokenRelationsAreNamed) {
  auto after = [](auto change) {
    Pack pack = samplePack();
    change(pack.kernels[0]);
    return refusal(pack);
  };
  EXPECT_EQ(after([](Kernel &k) { k.variants[1].config = 4; }),
            "kernel 'matmul_f16', variant 1 (sm_90a): it uses config 4 of 1");
  EXPECT_EQ(after([](Kernel &k) { k.variants[0].predicates[0].slot = 9; }),
            "kernel 'matmul_f16', variant 0 (sm_90a): a predicate asks for "
            "slot 9 of 5");
  EXPECT_EQ(after([](Kernel &k) { k.variants[0].predicates[0].value = 12; }),
            "kernel 'matmul_f16', variant 0 (sm_90a): predicate divisible_by "
            "on 'a_ptr' has the divisor 12; it must be a power of two");
  EXPECT_EQ(after([](Kernel &k) { k.variants[1].fields[1].offset = 190; }),
            "kernel 'matmul_f16', variant 1 (sm_90a): a field at 190 must be "
            "aligned to 4");
  EXPECT_EQ(after([](Kernel &k) { k.variants[1].fields[1].offset = 192; }),
            "kernel 'matmul_f16', variant 1 (sm_90a): a field at 192 with 4 "
            "bytes leaves the parameter block of 192");
  EXPECT_EQ(after([](Kernel &k) { k.variants[1].fields[1].offset = 4; }),
            "kernel 'matmul_f16', variant 1 (sm_90a): two fields overlap at 4 "
            "of the parameter block");
  EXPECT_EQ(after([](Kernel &k) { k.variants[1].fields[1].size = 8; }),
            "kernel 'matmul_f16', variant 1 (sm_90a): a field for 'M' has 8 "
            "bytes; it needs 4");
  EXPECT_EQ(after([](Kernel &k) { k.variants[1].fields[0].slot = 4; }),
            "kernel 'matmul_f16', variant 1 (sm_90a): 'stride' is a constant, "
            "yet it has a field in the parameter block");
  EXPECT_EQ(after([](Kernel &k) { k.variants[1].image = nullptr; }),
            "kernel 'matmul_f16', variant 1 (sm_90a): it has no image");
  EXPECT_EQ(after([](Kernel &k) { k.configs[0].grid[0].steps.pop_back(); }),
            "kernel 'matmul_f16', config 0, grid 'cdiv(M, BLOCK_M)': it leaves "
            "2 values, not one");
  EXPECT_EQ(after([](Kernel &k) { k.configs[0].grid[0].steps[0].operand = 0; }),
            "kernel 'matmul_f16', config 0, grid 'cdiv(M, BLOCK_M)': step 0 "
            "reads slot 0, which is no integer slot");
  EXPECT_EQ(after([](Kernel &k) { k.params[1].name = "a_ptr"; }),
            "kernel 'matmul_f16': two parameters are called 'a_ptr'");
  EXPECT_EQ(after([](Kernel &k) { k.params[1].type = "int32"; }),
            "kernel 'matmul_f16': parameter 'M': unknown scalar type 'int32'; "
            "did you mean 'i32'?");
  EXPECT_EQ(after([](Kernel &k) { k.tuning[0].rows[0].upper.push_back(1); }),
            "kernel 'matmul_f16', tuning table 0 (sm_90a): a row has 2 bounds "
            "for 1 keys");
  EXPECT_EQ(after([](Kernel &k) { k.name = "matmul_i8"; }),
            "two kernels are called 'matmul_i8'; give one of them another "
            "name");
}

//===-- Merge and strip ---------------------------------------------------===//

TEST(Merge, TargetsBuiltApartComeTogether) {
  Pack whole = samplePack();
  Pack cpu = samplePack(), gpu = samplePack();
  std::vector<std::string> gone;
  ASSERT_TRUE(stripPack(cpu, {{"x86-64-v3"}, {}, {}, false}, gone));
  ASSERT_TRUE(stripPack(gpu, {{"sm_90a"}, {}, {}, false}, gone));
  EXPECT_TRUE(gone.empty());
  EXPECT_EQ(cpu.targets(), std::vector<std::string>{"x86-64-v3"});
  EXPECT_LT(written(cpu).size(), written(whole).size());
  Result<Pack> merged = mergePacks({{"cpu.nrd", cpu}, {"gpu.nrd", gpu}});
  ASSERT_TRUE(merged) << merged.message();
  EXPECT_EQ(written(*merged), written(whole));
}

TEST(Merge, ConflictsAreNamed) {
  auto conflict = [](auto change) {
    Pack other = samplePack();
    change(other.kernels[1]);
    return mergePacks({{"a.nrd", samplePack()}, {"b.nrd", other}}).message();
  };
  EXPECT_EQ(conflict([](Kernel &) {}), "");
  EXPECT_EQ(
      conflict([](Kernel &k) { k.variants[2].image = makeBytes("other"); }),
      "kernel 'matmul_bf16' is in a.nrd and b.nrd with different code "
      "for x86-64-v3; strip that target from one of them");
  EXPECT_EQ(conflict([](Kernel &k) { k.params[1].type = "i64"; }),
            "kernel 'matmul_bf16' is in a.nrd and b.nrd with different "
            "parameters; rename one of them");
  EXPECT_EQ(conflict([](Kernel &k) { k.sourceXxh3 = 1; }),
            "kernel 'matmul_bf16' is in a.nrd and b.nrd with different source; "
            "rename one of them, or build both from the same file");
}

TEST(Strip, UnknownNamesAreRefused) {
  std::vector<std::string> gone;
  Pack pack = samplePack();
  EXPECT_EQ(stripPack(pack, {{"sm_90"}, {}, {}, false}, gone).message(),
            "the pack has no target 'sm_90'; did you mean 'sm_90a'?");
  EXPECT_EQ(stripPack(pack, {{}, {}, {"matmul_f61"}, false}, gone).message(),
            "the pack has no kernel 'matmul_f61'; did you mean 'matmul_f16'?");
  EXPECT_EQ(
      stripPack(pack, {{}, {"sm_90a", "x86-64-v3"}, {}, false}, gone).message(),
      "nothing would be left in the pack");
}

TEST(Strip, UnusedConfigsGo) {
  Pack pack = samplePack();
  Config second = pack.kernels[0].configs[0];
  second.constants[0].text = "64";
  pack.kernels[0].configs.push_back(second);
  pack.kernels[0].variants[2].config = 1;
  std::vector<std::string> gone;
  ASSERT_TRUE(stripPack(pack, {{"x86-64-v3"}, {}, {}, true}, gone));
  ASSERT_EQ(pack.kernels[0].configs.size(), 1u);
  EXPECT_EQ(pack.kernels[0].configs[0].constants[0].text, "64");
  EXPECT_EQ(pack.kernels[0].variants[0].config, 0u);
  EXPECT_EQ(pack.kernels[0].configs[0].ir, nullptr);
  ASSERT_TRUE(readPack(written(pack)));
}

//===-- Signatures --------------------------------------------------------===//

class Signing : public ::testing::Test {
protected:
  void SetUp() override {
    char path[] = "/tmp/nereid-signing-XXXXXX";
    folder = ::mkdtemp(path);
  }
  void TearDown() override {
    for (const char *name : {"/key", "/key.pub", "/other", "/other.pub"})
      ::unlink((folder + name).c_str());
    ::rmdir(folder.c_str());
  }
  std::string folder;
};

TEST_F(Signing, SignedPackVerifiesAndDamageIsFound) {
  ASSERT_TRUE(writeNewKeys(folder + "/key"));
  ASSERT_TRUE(writeNewKeys(folder + "/other"));
  EXPECT_EQ(writeNewKeys(folder + "/key").message(),
            "'" + folder +
                "/key' exists; a key is never replaced, so move it "
                "away or choose another name");
  Result<SecretSeed> secret = readSecretKey(folder + "/key");
  ASSERT_TRUE(secret) << secret.message();
  Result<PublicKey> key = readPublicKey(folder + "/key.pub");
  ASSERT_TRUE(key) << key.message();
  EXPECT_EQ(readSecretKey(folder + "/key.pub").message(),
            "'" + folder +
                "/key.pub' holds a public key; the secret one is "
                "needed here");
  std::string bytes = written(samplePack());
  EXPECT_EQ(verifySignature(bytes, *key).message(), "the pack is not signed");
  Result<std::string> isSigned = signPack(bytes, *secret);
  ASSERT_TRUE(isSigned) << isSigned.message();
  EXPECT_TRUE(verifySignature(*isSigned, *key));
  EXPECT_TRUE(
      verifySignature(*isSigned, *readPublicKey(hexText(key->data(), 32))));
  FileFacts facts;
  Result<Pack> read = readPack(*isSigned, &facts);
  ASSERT_TRUE(read) << read.message();
  ASSERT_EQ(facts.signatures.size(), 1u);
  EXPECT_EQ(facts.signatures[0].publicKey, *key);
  // Signing twice is signing once.
  EXPECT_EQ(*signPack(*isSigned, *secret), *isSigned);
  Result<PublicKey> other = readPublicKey(folder + "/other.pub");
  EXPECT_FALSE(verifySignature(*isSigned, *other));

  // Header, root and directory are all signed, not only hashed by the header.
  nereid::archive::Header header = *readHeader(*isSigned);
  for (uint64_t at : {header.root_offset() + 20, header.directory_offset() + 40,
                      header.directory_offset() + 64 * 3 - 1}) {
    std::string changed = *isSigned;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(verifySignature(changed, *key)) << at;
  }

  // Someone puts in other code, with every hash right, under the signature.
  Pack evil = samplePack();
  evil.kernels[0].variants[2].image = makeBytes(std::string(1000, 'e'));
  std::string forged = written(evil);
  std::string victim = *signPack(forged, *readSecretKey(folder + "/other"));
  std::memcpy(&victim[victim.size() - kSignatureSize],
              &(*isSigned)[isSigned->size() - kSignatureSize], kSignatureSize);
  *isSigned = victim;
  EXPECT_TRUE(readPack(victim));
  EXPECT_EQ(verifySignature(*isSigned, *key).message(),
            "the signature is wrong: the pack was changed after it was signed");
}

} // namespace
