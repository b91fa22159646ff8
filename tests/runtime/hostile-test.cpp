// Packs that were damaged or made to do harm. Whatever the bytes: no crash, no
// read outside them (under the sanitizers), a status and a sentence.

#include "PackWalk.h"
#include "TestPack.h"

#include "nereid/archive_generated.h"
#include "packager/Signing.h"
#include "tests/packager/SamplePack.h"

#include <random>

extern "C" {
#include "runtime/schema.h"
}

using namespace runtimetest;

namespace {

/// A pack to be damaged, and what it does undamaged.
struct Victim {
  const char *name;
  Kernel (*kernel)(const std::string &, uint32_t);
  const char *device;
  int launches;
};

class Hostile : public testing::TestWithParam<Victim> {
protected:
  void SetUp() override {
    nereid::pack::Pack pack;
    pack.name = "victim";
    pack.producer = "nereid test";
    pack.kernels = {GetParam().kernel("matmul", 1)};
    auto written = writePack(pack);
    ASSERT_TRUE(bool(written)) << written.message();
    good = *written;
    nrd_allocator_t allocator = {Limited::reallocate, &limited};
    nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
    options.allocator = &allocator;
    ASSERT_EQ(nrd_device_open_with(GetParam().device, &options, &device),
              NRD_OK);
  }
  void TearDown() override { nrd_device_close(device); }

  Walk walk(const std::string &bytes) {
    Walk made;
    made.pack(bytes, device);
    return made;
  }

  std::string good;
  Limited limited;
  nrd_device_t *device = nullptr;
};

// The recipes' own pack goes to a device that takes no other variants, so that
// those with tensor maps are what is walked over.
INSTANTIATE_TEST_SUITE_P(
    Packs, Hostile,
    testing::Values(Victim{"sample", sampleKernel, "null", 8},
                    Victim{"recipes", recipeKernel, "null:sm_90a", 8}),
    [](const auto &info) { return info.param.name; });

TEST_P(Hostile, TheUndamagedPackWalksThrough) {
  Walk made = walk(good);
  EXPECT_EQ(made.failures, 1)
      << "the kernel that is not there: " << nrd_error_message();
  EXPECT_EQ(made.launches, GetParam().launches);
  EXPECT_GT(made.mapped, 0) << "variants with tensor maps were bound";
}

TEST_P(Hostile, EveryByteFlipped) {
  // Whatever a checksum covers is refused; the rest is padding.
  size_t refused = 0;
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(~bad[at]);
    refused += walk(bad).failures > 1;
  }
  EXPECT_GT(refused, good.size() / 2);
}

TEST_P(Hostile, EveryByteFlippedUnderRightChecksums) {
  for (size_t at = 0; at < good.size(); ++at)
    for (int pattern : {0xff, 0x01, 0x80}) {
      std::string bad = good;
      bad[at] ^= static_cast<char>(pattern);
      repairHashes(bad);
      walk(bad);
    }
}

TEST_P(Hostile, EveryTruncation) {
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_GT(walk(good.substr(0, size)).failures, 0) << size;
    std::string bad = good.substr(0, size); // one that owns up to its size
    if (size < header::Size)
      continue;
    store<uint64_t>(bad, header::FileSize, size);
    repairHashes(bad);
    walk(bad);
  }
}

TEST_P(Hostile, ExtremesEverywhere) {
  for (size_t at = 0; at + 4 <= good.size(); at += 2)
    for (uint32_t value :
         {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0xfffffff0u}) {
      std::string bad = good;
      store(bad, at, value);
      repairHashes(bad);
      walk(bad);
    }
  for (size_t at = 0; at + 8 <= good.size(); at += 4)
    for (uint64_t value : {UINT64_MAX, UINT64_MAX - 63, uint64_t(1) << 63,
                           uint64_t(1) << 40, uint64_t(good.size())}) {
      std::string bad = good;
      store(bad, at, value);
      repairHashes(bad);
      walk(bad);
    }
}

TEST_P(Hostile, RandomDamage) {
  std::mt19937 random(20240601);
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good;
    for (int i = 1 + int(random() % 6); i > 0; --i) {
      size_t at = random() % bad.size();
      size_t from = random() % bad.size();
      switch (random() % 3) {
      case 0:
        bad[at] = static_cast<char>(random());
        break;
      case 1:
        bad[at] = static_cast<char>(bad[at] + 1);
        break;
      default: // one object in another's place
        std::memmove(
            &bad[at], &bad[from],
            std::min<size_t>({16, bad.size() - at, bad.size() - from}));
      }
    }
    repairHashes(bad);
    walk(bad);
  }
}

TEST_P(Hostile, AcceptsNothingThatFlatBuffersOwnVerifierRefuses) {
  std::string buffer = kernelBuffer(good);
  auto ours = [](const std::string &b) {
    return nrd_flat_is_valid(reinterpret_cast<const uint8_t *>(b.data()),
                             b.size(), "NRK1", &nrd_kernel_schema) != 0;
  };
  auto theirs = [](const std::string &b) {
    flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(b.data()),
                                   b.size());
    return verifier.VerifyBuffer<nereid::archive::Kernel>("NRK1");
  };
  EXPECT_TRUE(ours(buffer));
  EXPECT_TRUE(theirs(buffer));
  std::mt19937 random(7);
  size_t both = 0, oursOnly = 0, theirsOnly = 0, neither = 0;
  auto compare = [&](const std::string &b) {
    bool a = ours(b), f = theirs(b);
    (a ? (f ? both : oursOnly) : (f ? theirsOnly : neither)) += 1;
  };
  for (size_t at = 0; at < buffer.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = buffer;
      bad[at] ^= static_cast<char>(1 << bit);
      compare(bad);
    }
  for (int round = 0; round < 20000; ++round) {
    std::string bad = buffer;
    for (int i = 1 + int(random() % 4); i > 0; --i)
      store<uint16_t>(bad, random() % (bad.size() - 1),
                      static_cast<uint16_t>(random()));
    compare(bad);
  }
  EXPECT_EQ(oursOnly, 0u);
  EXPECT_GT(both, 1000u);
  EXPECT_GT(neither, 1000u);
  // What only they accept is what we check beyond them.
  EXPECT_LT(theirsOnly, both);
}

//===-- Things made on purpose --------------------------------------------===//

/// Binds the one kernel `add` of a pack.
nereid::Status bindAdd(const std::string &bytes) {
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size());
  if (!pack)
    return pack.status();
  auto kernel = pack->find("add", Device::open("null").value());
  if (!kernel)
    return kernel.status();
  auto call = kernel->call(address(16), address(16), address(16), 16);
  if (!call)
    return call.status();
  return call->bind();
}

/// Where the first blob record of the first kernel stands in the file.
size_t blobRecord(const std::string &bytes) {
  uint64_t directory = load<uint64_t>(bytes, header::DirectoryOffset);
  uint64_t offset = load<uint64_t>(bytes, directory + 8);
  std::string buffer = kernelBuffer(bytes);
  auto *kernel = flatbuffers::GetRoot<nereid::archive::Kernel>(buffer.data());
  const uint8_t *record = kernel->blobs()->Data();
  return offset + (reinterpret_cast<const char *>(record) - buffer.data());
}

TEST(Made, BlobsThatLie) {
  std::string compressible(100000, 'a');
  std::string good =
      write({addKernel("add", {"x86-64-v2"}, makeBytes(compressible))});
  ASSERT_TRUE(bindAdd(good).ok()) << bindAdd(good).message();
  size_t record = 0, count = 2;
  // The image's record is the one whose raw size is that of the image.
  for (size_t i = 0; i < count; ++i)
    if (load<uint64_t>(good, blobRecord(good) + 72 * i + 16) == 100000)
      record = blobRecord(good) + 72 * i;
  ASSERT_NE(record, 0u);
  ASSERT_EQ(load<uint8_t>(good, record + 64), 1u) << "compressed";
  auto with = [&](size_t at, uint64_t value) {
    std::string bad = good;
    store(bad, record + at, value);
    repairHashes(bad);
    return bindAdd(bad);
  };
  EXPECT_FAILS(with(0, load<uint64_t>(good, record) + 1), NRD_CORRUPT,
               "a blob is misaligned");
  EXPECT_FAILS(with(0, uint64_t(1) << 40), NRD_CORRUPT,
               "a blob lies outside the file");
  EXPECT_FAILS(with(0, UINT64_MAX - 63), NRD_CORRUPT,
               "a blob lies outside the file");
  EXPECT_FAILS(with(8, UINT64_MAX), NRD_CORRUPT,
               "a blob lies outside the file");
  EXPECT_FAILS(with(16, UINT64_MAX), NRD_CORRUPT, "a blob is too large");
  EXPECT_FAILS(with(16, 1 << 30), NRD_CORRUPT, "does not unpack to the");
  EXPECT_FAILS(with(16, 5), NRD_CORRUPT, "does not unpack to the 5 bytes");
  EXPECT_FAILS(with(24, 0), NRD_CORRUPT, "its hash does not match its bytes");
  EXPECT_FAILS(with(64, 1 | uint64_t(99) << 32), NRD_CORRUPT,
               "a blob's dictionary does not exist");
  std::string bad = good;
  bad[record + 64] = 9; // a codec of the future
  repairHashes(bad);
  EXPECT_FAILS(bindAdd(bad), NRD_INCOMPATIBLE,
               "compressed in a way of a newer version");
  bad = good;
  bad[record + 64] = 0;
  repairHashes(bad);
  EXPECT_FAILS(bindAdd(bad), NRD_CORRUPT, "its sizes do not agree");
  bad = good;
  bad[load<uint64_t>(bad, record) + 9] ^= 0x55; // in the frame itself
  EXPECT_FAILS(bindAdd(bad), NRD_CORRUPT, "image of kernel 'add' is damaged");
}

TEST(Made, AZstdBombIsNotUnpacked) {
  // A frame of some 40 KiB that unpacks to 1 GiB, in a pack that admits it: the
  // allocation is refused by a machine that has less, and nothing is written.
  std::string zeros(size_t(64) << 20, '\0');
  std::string bytes =
      write({addKernel("add", {"x86-64-v2"}, makeBytes(zeros))});
  EXPECT_LT(bytes.size(), size_t(100000));
  Limited limited;
  limited.limit = 1 << 20;
  nrd_allocator_t allocator = {Limited::reallocate, &limited};
  nrd_pack_options_t options = NRD_PACK_OPTIONS_INIT;
  options.allocator = &allocator;
  auto pack =
      nereid::Pack::openMemory(bytes.data(), bytes.size(), &options).value();
  auto kernel = pack.find("add", Device::open("null").value()).value();
  auto call = kernel.call(address(16), address(16), address(16), 16).value();
  EXPECT_FAILS(call.bind(), NRD_OUT_OF_MEMORY, "of an image");
}

/// The first place of `pattern`, changed; checksums repaired.
std::string edit(std::string bytes, const std::string &pattern,
                 const std::string &replacement) {
  size_t at = bytes.find(pattern);
  EXPECT_NE(at, std::string::npos);
  if (at != std::string::npos)
    bytes.replace(at, replacement.size(), replacement);
  repairHashes(bytes);
  return bytes;
}

template <typename T> std::string bytesOf(std::initializer_list<T> values) {
  std::string made;
  for (T value : values)
    made.append(reinterpret_cast<const char *>(&value), sizeof value);
  return made;
}

TEST(Made, StructuresThatLie) {
  std::string good = write({addKernel("add")});
  // A field {slot, offset, size, index}: the i32 at 24.
  std::string field = bytesOf<uint32_t>({3, 24, 4, 0});
  auto withField = [&](std::initializer_list<uint32_t> values) {
    return bindAdd(edit(good, field, bytesOf<uint32_t>(values)));
  };
  EXPECT_FAILS(withField({3, 29, 4, 0}), NRD_CORRUPT,
               "a field lies outside the parameter block");
  EXPECT_FAILS(withField({3, 0xfffffffc, 8, 0}), NRD_CORRUPT,
               "a field lies outside the parameter block");
  EXPECT_FAILS(withField({3, 24, 3, 0}), NRD_CORRUPT,
               "a value has an impossible size");
  EXPECT_FAILS(withField({3, 24, 0x104, 0}), NRD_CORRUPT,
               "lies outside the parameter block");
  EXPECT_FAILS(withField({3, 24, 2, 0}), NRD_CORRUPT,
               "a value is too small for its parameter");
  EXPECT_FAILS(withField({4, 24, 4, 0}), NRD_CORRUPT,
               "a field names a parameter that does not exist");
  EXPECT_FAILS(withField({0, 24, 4, 0}), NRD_CORRUPT,
               "a value is too small for its parameter");

  // A grid step {operand, op}: push slot 3.
  std::string step = bytesOf<uint64_t>({3, 1});
  auto withStep = [&](uint64_t operand, uint64_t op) {
    return bindAdd(edit(good, step, bytesOf<uint64_t>({operand, op})));
  };
  EXPECT_FAILS(withStep(4, 1), NRD_CORRUPT,
               "an expression names a parameter that does not exist");
  EXPECT_FAILS(withStep(UINT64_MAX, 1), NRD_CORRUPT,
               "an expression names a parameter that does not exist");
  EXPECT_FAILS(withStep(0, 1), NRD_CORRUPT,
               "an expression uses a parameter that is not an integer");
  EXPECT_FAILS(withStep(3 * 8, 2), NRD_CORRUPT,
               "an expression uses a dimension that does not exist");
  EXPECT_FAILS(withStep(0, 3), NRD_CORRUPT, "an expression lacks an operand");
  EXPECT_FAILS(withStep(0, 77), NRD_INCOMPATIBLE,
               "its grid uses an operation of a newer version");

  // The same in a tuning table is a hint that is not understood: its other
  // steps, which nobody checked, are not evaluated either.
  Kernel tuned = addKernel("add");
  TuningTable table;
  table.target = "x86-64-v2";
  table.keys = {
      axis({{3, GridOp::PushSlot}, {7, GridOp::PushConst}, {0, GridOp::Add}},
           "n + 7")};
  table.rows = {{{1 << 20}, 0}};
  tuned.tuning = {table};
  std::string first = bytesOf<uint64_t>({3, 1, 7, 0});
  std::string both = bytesOf<uint64_t>({3, 77, 7, 3});
  EXPECT_TRUE(bindAdd(edit(write({tuned}), first, both)).ok());

  // A predicate {value, slot, kind}: x_ptr divisible by 16.
  std::string predicate = bytesOf<uint32_t>({16, 0, 0, 0});
  auto withPredicate = [&](std::initializer_list<uint32_t> values) {
    return bindAdd(edit(good, predicate, bytesOf<uint32_t>(values)));
  };
  EXPECT_FAILS(withPredicate({16, 0, 99, 0}), NRD_CORRUPT,
               "a predicate names a parameter that does not exist");
  EXPECT_FAILS(withPredicate({0, 0, 0, 0}), NRD_CORRUPT,
               "a predicate does not suit its parameter");
  EXPECT_FAILS(withPredicate({16, 0, 0, 1}), NRD_CORRUPT,
               "a predicate does not suit its parameter");
  // A kind of the future costs only its own variant.
  EXPECT_TRUE(withPredicate({16, 0, 0, 50}).ok());
}

// The writer gives a constant no field; one that has it is no less fixed.
TEST(Made, AConstantWithAFieldStaysFixed) {
  Kernel kernel = addKernel("add");
  kernel.params.push_back(param("stride", "i32"));
  kernel.params.back().hasConstant = true;
  kernel.params.back().constant = 1;
  std::string bytes = write({kernel});
  std::string before = bytesOf<uint32_t>({3, 24, 4, 0});
  for (int variant = 0; variant < 2; ++variant)
    bytes = edit(bytes, before, bytesOf<uint32_t>({4, 24, 4, 0}));
  Opened o("null", bytes, "add");
  nereid::Call call = o.call();
  call.setAll(address(16), address(16), address(16), 16).check();
  call.bind().check();
  EXPECT_FAILS(call.set(4, 2), NRD_INVALID_ARGUMENT, "was fixed to 1");
}

TEST(Made, DirectoriesThatLie) {
  std::string good = write({addKernel("add"), addKernel("mul")});
  uint64_t directory = load<uint64_t>(good, header::DirectoryOffset);
  auto with = [&](size_t at, uint64_t value) {
    std::string bad = good;
    for (size_t entry : {size_t(0), size_t(64)})
      store(bad, directory + entry + at, value);
    repairHashes(bad);
    return bindAdd(bad);
  };
  EXPECT_FAILS(with(8, uint64_t(1) << 50), NRD_CORRUPT,
               "lies outside the file");
  EXPECT_FAILS(with(8, UINT64_MAX), NRD_CORRUPT, "lies outside the file");
  EXPECT_FAILS(with(16, UINT64_MAX), NRD_CORRUPT, "lies outside the file");
  EXPECT_FAILS(with(16, 3), NRD_CORRUPT, "impossible size");
  auto header = [&](size_t at, uint64_t value) {
    std::string bad = good;
    store(bad, at, value);
    repairHashes(bad);
    return bindAdd(bad);
  };
  EXPECT_FAILS(header(header::KernelCount, UINT64_MAX), NRD_CORRUPT,
               "impossible sizes");
  EXPECT_FAILS(header(header::KernelCount, uint64_t(1) << 58), NRD_CORRUPT,
               "impossible sizes");
  EXPECT_FAILS(header(header::RootSize, uint64_t(1) << 63), NRD_CORRUPT,
               "impossible sizes");
  EXPECT_FAILS(header(header::RootOffset, UINT64_MAX - 63), NRD_CORRUPT,
               "impossible sizes");
  EXPECT_FAILS(header(header::SignatureOffset, good.size()), NRD_CORRUPT,
               "impossible sizes");
}

//===-- Signatures --------------------------------------------------------===//

class Signed : public testing::Test {
protected:
  void SetUp() override {
    for (size_t i = 0; i < seed.size(); ++i)
      seed[i] = static_cast<uint8_t>(i);
    auto made = signPack(write({addKernel("add", {"x86-64-v2"},
                                          makeBytes(std::string(1000, 'i')))}),
                         seed);
    ASSERT_TRUE(bool(made)) << made.message();
    bytes = *made;
    key = bytes.substr(load<uint64_t>(bytes, header::SignatureOffset), 32);
  }

  nereid::Status bind(const std::string &pack, const std::string &publicKey) {
    nrd_pack_options_t options = NRD_PACK_OPTIONS_INIT;
    options.public_key = reinterpret_cast<const uint8_t *>(publicKey.data());
    auto opened = nereid::Pack::openMemory(pack.data(), pack.size(), &options);
    if (!opened)
      return opened.status();
    auto kernel = opened->find("add", Device::open("null").value());
    if (!kernel)
      return kernel.status();
    return kernel->call(address(16), address(16), address(16), 16)
        .value()
        .bind();
  }

  SecretSeed seed;
  std::string bytes, key;
};

TEST_F(Signed, ARightSignatureOpens) {
  nereid::Status status = bind(bytes, key);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(bindAdd(bytes).ok()) << "nobody has to ask for it";
}

TEST_F(Signed, WrongOnesDoNot) {
  std::string other = key;
  other[0] ^= 1;
  EXPECT_FAILS(bind(bytes, other), NRD_UNTRUSTED, "signed with another key");
  EXPECT_FAILS(bind(write({addKernel("add")}), key), NRD_UNTRUSTED,
               "is not signed");
  std::string forged = bytes; // another signature under the right key
  forged[load<uint64_t>(bytes, header::SignatureOffset) + 40] ^= 1;
  EXPECT_FAILS(bind(forged, key), NRD_UNTRUSTED,
               "was altered after it was signed");
}

TEST_F(Signed, AnyChangeUnderRightChecksumsIsSeen) {
  size_t refused = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string bad = bytes;
    bad[at] ^= 4;
    repairHashes(bad);
    // What is not refused is not used: gaps between the parts, and blobs that
    // are not bound.
    refused += !bind(bad, key).ok();
  }
  EXPECT_GT(refused, bytes.size() / 2);
  // An altered image whose checksum was made to match.
  std::string bad = bytes;
  size_t at = bad.find("add_aligned");
  ASSERT_NE(at, std::string::npos);
  bad[at] = 'X';
  repairHashes(bad);
  EXPECT_FAILS(bind(bad, key), NRD_UNTRUSTED, "altered");
  EXPECT_TRUE(bindAdd(bad).ok()) << "the checksums alone do not see it";
}

} // namespace
