// Packs that were damaged or made to do harm. Whatever the bytes: no crash, no
// read outside them (under the sanitizers), a status and a sentence.

#include "PackWalk.h"
#include "TestPack.h"

#include "nereid/archive_generated.h"
#include "packager/Signing.h"
#include "tests/packager/SamplePack.h"

#include <random>

extern "C" {
#include "runtime/grid.h"
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

/// The first kernel's buffer.
std::string kernelBuffer(const std::string &bytes) {
  uint64_t directory = load<uint64_t>(bytes, header::DirectoryOffset);
  return bytes.substr(load<uint64_t>(bytes, directory + 8),
                      load<uint64_t>(bytes, directory + 16));
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

//===-- Recipes of tensor maps --------------------------------------------===//

/// The recipes' pack, changed at a place that the generated reader finds.
class Recipes : public testing::Test {
protected:
  void SetUp() override {
    good = write({recipeKernel("gather", 4)});
    buffer = kernelBuffer(good);
    uint64_t directory = load<uint64_t>(good, header::DirectoryOffset);
    base = load<uint64_t>(good, directory + 8);
    auto *kernel = flatbuffers::GetRoot<nereid::archive::Kernel>(buffer.data());
    maps = kernel->variants()->Get(0)->tensor_maps();
    ASSERT_EQ(maps->size(), 3u);
  }

  /// Where something inside |buffer| stands in the file.
  size_t place(const void *inside) const {
    return base + size_t(static_cast<const char *>(inside) - buffer.data());
  }
  size_t field(uint32_t map, flatbuffers::voffset_t field) const {
    const uint8_t *at =
        reinterpret_cast<const flatbuffers::Table *>(maps->Get(map))
            ->GetAddressOf(field);
    EXPECT_NE(at, nullptr) << "it has its default value";
    return place(at);
  }
  const nereid::archive::GridStep *step(uint32_t map, uint32_t axis,
                                        uint32_t step) const {
    return maps->Get(map)->shape()->Get(axis)->steps()->Get(step);
  }

  /// Binds it with arguments that suit every map, and says which variant was
  /// taken.
  nereid::Status bind(const std::string &bytes, uint32_t *variant = nullptr,
                      int64_t m = 16) {
    auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size());
    if (!pack)
      return pack.status();
    auto kernel = pack->find("gather", Device::open("null:sm_90a").value());
    if (!kernel)
      return kernel.status();
    auto call = nereid::Call::create(kernel->get()).value();
    nrd_call_set_pointer(call.get(), 0, address(256));
    nrd_call_set_int(call.get(), 1, m);
    nrd_call_set_int(call.get(), 2, 16);
    nrd_call_set_int(call.get(), 3, 16);
    const int64_t shape[] = {16, 16, 16, 16, 16};
    nrd_call_set_descriptor(call.get(), 4, address(256), shape, nullptr);
    nrd_call_set_pointer(call.get(), 5, address(256));
    nereid::Status status = call.bind();
    if (status.ok() && variant)
      *variant = variantOf(call);
    return status;
  }

  template <typename T>
  nereid::Status with(size_t at, T value, uint32_t *variant = nullptr) {
    std::string bad = good;
    store(bad, at, value);
    repairHashes(bad);
    return bind(bad, variant);
  }

  /// Binds the pack with other programs for the extent of out_ptr.
  nereid::Status withProgram(std::vector<GridStep> steps,
                             uint32_t *variant = nullptr) {
    Kernel kernel = recipeKernel("gather", 4);
    // The writer checks programs too: room is made, then filled behind it.
    std::vector<GridStep> &there =
        kernel.variants[0].tensorMaps[1].shape[0].steps;
    there.assign(1, {1, GridOp::PushConst});
    while (there.size() < steps.size()) {
      there.push_back({0, GridOp::PushConst});
      there.push_back({0, GridOp::Add});
    }
    if (there.size() != steps.size()) // an even program, padded in front
      steps.insert(steps.begin(), {0, GridOp::PushConst});
    std::string bad = write({kernel});
    std::string made = kernelBuffer(bad);
    size_t at =
        load<uint64_t>(bad, load<uint64_t>(bad, header::DirectoryOffset) + 8);
    auto *read = flatbuffers::GetRoot<nereid::archive::Kernel>(made.data());
    const auto *list = read->variants()
                           ->Get(0)
                           ->tensor_maps()
                           ->Get(1)
                           ->shape()
                           ->Get(0)
                           ->steps();
    for (uint32_t i = 0; i < steps.size(); ++i) {
      size_t here = at + size_t(reinterpret_cast<const char *>(list->Get(i)) -
                                made.data());
      store<int64_t>(bad, here, steps[i].operand);
      store<uint64_t>(bad, here + 8, static_cast<uint64_t>(steps[i].op));
    }
    repairHashes(bad);
    return bind(bad, variant);
  }

  using Map = nereid::archive::TensorMap;
  std::string good, buffer;
  size_t base = 0;
  const flatbuffers::Vector<flatbuffers::Offset<Map>> *maps = nullptr;
};

TEST_F(Recipes, GoodOnesAreTaken) {
  uint32_t variant = 9;
  nereid::Status status = bind(good, &variant);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(variant, 0u);
}

TEST_F(Recipes, ExtremesInEveryField) {
  for (uint32_t slot : {4u, 1u, 6u, 256u, 0x7fffffffu, 0xffffffffu})
    EXPECT_FAILS(with(field(1, Map::VT_SLOT), slot), NRD_CORRUPT,
                 "a tensor map's parameter is of the wrong kind");
  for (uint32_t slot : {0u, 5u, 6u, 0xffffffffu})
    EXPECT_FAILS(with(field(2, Map::VT_SLOT), slot), NRD_CORRUPT,
                 "a tensor map's parameter is of the wrong kind");
  // A map of another array than the field says: laid out by the map's own.
  EXPECT_TRUE(with(field(1, Map::VT_SLOT), 0u).ok());
  // What a newer version may mean costs the variant, not the kernel.
  struct {
    flatbuffers::voffset_t field;
    uint8_t limit;
  } enums[] = {{Map::VT_ELEMENT_TYPE, NRD_TENSOR_MAP_TYPES},
               {Map::VT_SWIZZLE, NRD_TENSOR_MAP_SWIZZLES},
               {Map::VT_INTERLEAVE, NRD_TENSOR_MAP_INTERLEAVES},
               {Map::VT_L2_PROMOTION, NRD_TENSOR_MAP_PROMOTIONS},
               {Map::VT_OOB_FILL, NRD_TENSOR_MAP_FILLS}};
  for (auto [which, limit] : enums)
    for (unsigned value = 0; value < 256; ++value) {
      uint32_t variant = 9;
      nereid::Status status =
          with(field(2, which), static_cast<uint8_t>(value), &variant);
      EXPECT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(variant, value < limit ? 0u : 1u) << which << " " << value;
    }
  for (uint32_t map = 0; map < 3; ++map) {
    const auto *box = maps->Get(map)->box();
    for (uint32_t d = 0; d < box->size(); ++d)
      for (uint32_t size : {0u, 257u, 0x80000000u, 0xffffffffu})
        EXPECT_FAILS(with(place(box->Data()) + 4 * d, size), NRD_CORRUPT,
                     "a tensor map's box has an impossible size");
    for (uint32_t count : {0u, 6u, 9u})
      EXPECT_FAILS(
          with(place(box), count), NRD_CORRUPT,
          (count == 9 ? "" : "a tensor map's rank is not its array's"));
    EXPECT_FAILS(with(place(box), 0xffffffffu), NRD_CORRUPT,
                 "a vector runs past the end");
  }
  for (const auto *programs : {maps->Get(0)->shape(), maps->Get(0)->strides()})
    for (uint32_t count : {0u, 1u})
      EXPECT_FAILS(with(place(programs), count), NRD_CORRUPT,
                   "a tensor map's rank is not its array's");
  EXPECT_FAILS(with(place(maps), NRD_MAX_TENSOR_MAPS + 1u), NRD_CORRUPT, "");
  EXPECT_FAILS(with(place(maps), 0u), NRD_CORRUPT, "a tensor map is misplaced");
}

TEST_F(Recipes, ProgramsAreChecked) {
  const size_t operand = place(step(1, 0, 0)), op = operand + 8;
  EXPECT_FAILS(with<int64_t>(operand, 6), NRD_CORRUPT,
               "an expression names a parameter that does not exist");
  for (int64_t slot : {int64_t(-1), INT64_MIN, INT64_MAX})
    EXPECT_FAILS(with(operand, slot), NRD_CORRUPT,
                 "an expression names a parameter that does not exist");
  for (int64_t slot : {0, 4, 5})
    EXPECT_FAILS(with(operand, slot), NRD_CORRUPT,
                 "an expression uses a parameter that is not an integer");
  const size_t dimension = place(step(1, 0, 5));
  for (int64_t place : {4 * 8 + 5, 4 * 8 + 7, 1 * 8, 0})
    EXPECT_FAILS(with(dimension, place), NRD_CORRUPT,
                 "an expression uses a dimension that does not exist");
  EXPECT_FAILS(with<uint8_t>(op, 3), NRD_CORRUPT,
               "an expression lacks an operand");
  uint32_t variant = 9;
  EXPECT_TRUE(with<uint8_t>(op, NRD_GRID_OP_COUNT, &variant).ok());
  EXPECT_EQ(variant, 1u) << "an operation of a newer version";
  const auto *steps = maps->Get(1)->shape()->Get(0)->steps();
  EXPECT_FAILS(with(place(steps), 0u), NRD_CORRUPT, "no steps or too many");
  EXPECT_FAILS(with(place(steps), 2u), NRD_CORRUPT, "leaves operands over");
  EXPECT_FAILS(with(place(steps), NRD_MAX_GRID_STEPS + 1u), NRD_CORRUPT, "");

  std::vector<GridStep> deep(NRD_MAX_GRID_DEPTH + 1, {1, GridOp::PushConst});
  deep.resize(2 * deep.size() - 1, {0, GridOp::Add});
  EXPECT_FAILS(withProgram(deep), NRD_CORRUPT, "nested too deeply");
}

TEST_F(Recipes, ProgramsWithoutAValueLeaveThePlainVariant) {
  const GridStep two = {2, GridOp::PushConst}, zero = {0, GridOp::PushConst};
  const GridStep most = {INT64_MAX, GridOp::PushConst},
                 least = {INT64_MIN, GridOp::PushConst},
                 minus = {-1, GridOp::PushConst};
  uint32_t variant = 9;
  EXPECT_TRUE(withProgram({two, two, {0, GridOp::Mul}}, &variant).ok());
  EXPECT_EQ(variant, 0u);
  for (const std::vector<GridStep> &program :
       {std::vector<GridStep>{two, zero, {0, GridOp::Div}},
        {two, zero, {0, GridOp::Mod}},
        {two, zero, {0, GridOp::CDiv}},
        {most, two, {0, GridOp::Add}},
        {least, two, {0, GridOp::Sub}},
        {most, most, {0, GridOp::Mul}},
        {least, minus, {0, GridOp::Div}},
        {least, minus, {0, GridOp::CDiv}},
        // A value, but none that an extent can have.
        {two, zero, {0, GridOp::Mul}},
        {minus, two, {0, GridOp::Min}},
        {most, two, {0, GridOp::Max}}}) {
    variant = 9;
    nereid::Status status = withProgram(program, &variant);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(variant, 1u);
  }
  EXPECT_TRUE(bind(good, &variant, /*m=*/0).ok());
  EXPECT_EQ(variant, 1u);
}

// Tables may share parts, and each is copied for each: 4096 variants that are
// one, with 16 maps that are one, of programs that are one, would be 10 GiB of
// a file of 40 KiB.
TEST_F(Recipes, SharedPartsDoNotMultiply) {
  namespace a = nereid::archive;
  flatbuffers::FlatBufferBuilder builder;
  std::vector steps(NRD_MAX_GRID_STEPS, a::GridStep(1, a::GridOp::push_const));
  auto axis = a::CreateGridAxis(builder, builder.CreateVectorOfStructs(steps));
  std::vector axes(NRD_MAX_TENSOR_MAP_RANK, axis);
  auto programs = builder.CreateVector(axes);
  auto box = builder.CreateVector(std::vector<uint32_t>(axes.size(), 8));
  auto map =
      a::CreateTensorMap(builder, 0, 6, 0, 0, 0, 0, box, programs, programs);
  auto allMaps = builder.CreateVector(std::vector(NRD_MAX_TENSOR_MAPS, map));
  auto word = builder.CreateString("sm_90a");
  a::VariantBuilder variant(builder);
  variant.add_target(word);
  variant.add_symbol(word);
  variant.add_tensor_maps(allMaps);
  auto one = variant.Finish();
  auto variants = builder.CreateVector(std::vector(NRD_MAX_VARIANTS, one));
  auto pointer = a::CreateParam(builder, word, word, a::ParamKind::pointer, 16);
  auto params = builder.CreateVector(&pointer, 1);
  auto config = a::CreateConfig(builder);
  auto configs = builder.CreateVector(&config, 1);
  std::vector<a::Blob> blob(1);
  auto blobs = builder.CreateVectorOfStructs(blob);
  auto name = builder.CreateString("gather");
  a::KernelBuilder kernel(builder);
  kernel.add_name(name);
  kernel.add_params(params);
  kernel.add_configs(configs);
  kernel.add_variants(variants);
  kernel.add_blobs(blobs);
  builder.Finish(kernel.Finish(), "NRK1");
  const uint8_t *bytes = builder.GetBufferPointer();
  EXPECT_LT(builder.GetSize(), 60000u);
  nrd_status_t status = nrd_flat_verify(bytes, builder.GetSize(), "NRK1",
                                        &nrd_kernel_schema, "kernel 'gather'");
  EXPECT_EQ(status, NRD_CORRUPT);
  EXPECT_NE(strstr(nrd_error_message(), "more items than a pack may have"),
            nullptr)
      << nrd_error_message();
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
