// Opening packs, finding kernels, and what they say of themselves.

#include "TestPack.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

using namespace runtimetest;

namespace {

std::string temporaryFile(const std::string &bytes) {
  std::string path =
      testing::TempDir() + "nereid-pack-test-" +
      testing::UnitTest::GetInstance()->current_test_info()->name();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

nereid::Status openBytes(const std::string &bytes,
                         const nrd_pack_options_t *options = nullptr) {
  return nereid::Pack::openMemory(bytes.data(), bytes.size(), options).status();
}

TEST(Pack, OpensFromAFileAndFromMemory) {
  std::string bytes = write({addKernel("add"), addKernel("mul")}, "two");
  std::string path = temporaryFile(bytes);
  for (bool fromFile : {false, true}) {
    auto pack = fromFile ? nereid::Pack::openFile(path.c_str())
                         : nereid::Pack::openMemory(bytes.data(), bytes.size());
    ASSERT_TRUE(pack.ok()) << pack.status().message();
    EXPECT_STREQ(pack->name(), "two");
    EXPECT_STREQ(nrd_pack_producer(pack->get()), "nereid tests");
    ASSERT_EQ(nrd_pack_target_count(pack->get()), 1u);
    EXPECT_STREQ(nrd_pack_target(pack->get(), 0), "x86-64-v2");
    EXPECT_EQ(nrd_pack_target(pack->get(), 1), nullptr);
    EXPECT_EQ(pack->kernelCount(), 2u);
    std::vector<std::string> names;
    for (size_t i = 0; i < 2; ++i) {
      const char *name = nullptr;
      ASSERT_EQ(nrd_pack_kernel_name(pack->get(), i, &name), NRD_OK);
      names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"add", "mul"}));
    const char *name = nullptr;
    EXPECT_FAILS(nrd_pack_kernel_name(pack->get(), 2, &name),
                 NRD_INVALID_ARGUMENT, "has 2 kernels, not 3");
  }
  std::remove(path.c_str());
}

TEST(Pack, UnalignedMemoryIsFine) {
  std::string bytes = " " + write({addKernel("add")});
  auto pack =
      nereid::Pack::openMemory(bytes.data() + 1, bytes.size() - 1).value();
  EXPECT_TRUE(pack.find("add", Device::open("null").value()).ok());
}

TEST(Pack, BytesBehindThePackAreIgnored) {
  std::string bytes = write({addKernel("add")}) + "padding";
  EXPECT_TRUE(openBytes(bytes).ok());
}

TEST(Pack, SaysWhyAFileCannotBeOpened) {
  EXPECT_FAILS(nereid::Pack::openFile("/nonexistent/k.nrd").status(),
               NRD_NOT_FOUND, "cannot open '/nonexistent/k.nrd': No such file");
  EXPECT_FAILS(nereid::Pack::openFile("/tmp").status(), NRD_INVALID_ARGUMENT,
               "'/tmp' is not a regular file");
  std::string path = temporaryFile("");
  EXPECT_FAILS(nereid::Pack::openFile(path.c_str()).status(), NRD_CORRUPT,
               "is empty");
  std::remove(path.c_str());
}

TEST(Pack, SaysWhatIsWrongWithTheBytes) {
  std::string good = write({addKernel("add")});
  EXPECT_FAILS(openBytes("NEREID"), NRD_CORRUPT, "too short to be a pack");
  EXPECT_FAILS(openBytes(std::string(200, 'x')), NRD_CORRUPT, "is not a pack");

  std::string text = good; // as a transfer in text mode leaves it
  text.erase(6, 1);
  EXPECT_FAILS(openBytes(text), NRD_CORRUPT, "changed its line ends");

  std::string newer = good;
  store<uint32_t>(newer, header::Major, 2);
  EXPECT_FAILS(openBytes(newer), NRD_INCOMPATIBLE,
               "has format 2.0 and this library reads up to 1.x");

  std::string damaged = good;
  damaged[header::RootSize] ^= 1;
  EXPECT_FAILS(openBytes(damaged), NRD_CORRUPT, "damaged header");

  EXPECT_FAILS(openBytes(good.substr(0, good.size() - 1)), NRD_CORRUPT,
               "is truncated");
}

TEST(Pack, NewerMinorVersionsAreRead) {
  std::string bytes = write({addKernel("add")});
  store<uint32_t>(bytes, header::Major + 4, 77);
  repairHashes(bytes);
  EXPECT_TRUE(openBytes(bytes).ok());
}

TEST(Pack, PacksOfEveryReleasedVersionStayReadable) {
  // Golden packs, which are never rewritten.
  for (const char *path : {"../packager/golden/v1/sample.nrd",
                           "../packager/golden/v1/signed.nrd"}) {
    auto pack = nereid::Pack::openFile(path);
    ASSERT_TRUE(pack.ok()) << pack.status().message();
    ASSERT_GT(pack->kernelCount(), 0u);
    Device device = Device::open("null").value();
    for (size_t i = 0; i < pack->kernelCount(); ++i) {
      const char *name = nullptr;
      ASSERT_EQ(nrd_pack_kernel_name(pack->get(), i, &name), NRD_OK);
      auto kernel = pack->find(name, device);
      ASSERT_TRUE(kernel.ok()) << kernel.status().message();
      EXPECT_TRUE(kernel->preload().ok()) << nrd_error_message();
    }
  }
}

TEST(Pack, RefusesWrongArguments) {
  nrd_pack_t *pack = nullptr;
  EXPECT_FAILS(nrd_pack_open_file(nullptr, nullptr, &pack),
               NRD_INVALID_ARGUMENT, "'path' is NULL");
  EXPECT_FAILS(nrd_pack_open_memory(nullptr, 0, nullptr, &pack),
               NRD_INVALID_ARGUMENT, "'bytes' is NULL");
  nrd_pack_options_t options = {};
  EXPECT_FAILS(openBytes("x", &options), NRD_INVALID_ARGUMENT,
               "NRD_PACK_OPTIONS_INIT");
  EXPECT_EQ(pack, nullptr);
  nrd_pack_close(nullptr);
}

TEST(Find, GivesTheSameHandleAgain) {
  Opened o("null", write({addKernel("add")}), "add");
  EXPECT_EQ(o.pack.find("add", o.device).value().get(), o.kernel.get());
  Device other = Device::open("null").value();
  EXPECT_NE(o.pack.find("add", other).value().get(), o.kernel.get());
}

TEST(Find, EveryKernelOfManyIsFound) {
  std::vector<Kernel> kernels;
  for (int i = 0; i < 300; ++i)
    kernels.push_back(addKernel("kernel_" + std::to_string(i)));
  std::string bytes = write(kernels);
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  Device device = Device::open("null").value();
  for (int i = 0; i < 300; ++i) {
    std::string name = "kernel_" + std::to_string(i);
    auto kernel = pack.find(name.c_str(), device);
    ASSERT_TRUE(kernel.ok()) << kernel.status().message();
    EXPECT_EQ(kernel->name(), name);
  }
}

TEST(Find, OffersNearNames) {
  std::string bytes = write({addKernel("vector_add"), addKernel("softmax")});
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  Device device = Device::open("null").value();
  EXPECT_FAILS(pack.find("vectoradd", device).status(), NRD_NOT_FOUND,
               "has no kernel 'vectoradd'; did you mean 'vector_add'?");
  EXPECT_FAILS(pack.find("attention", device).status(), NRD_NOT_FOUND,
               "has no kernel 'attention'; it has '");
}

TEST(Find, ADamagedDirectoryIsNotTakenForAMissingKernel) {
  std::string bytes = write({addKernel("add"), addKernel("mul")});
  uint64_t directory = load<uint64_t>(bytes, header::DirectoryOffset);
  bytes[directory] ^= 0x40;
  bytes[directory + 64] ^= 0x40;
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  Device device = Device::open("null").value();
  EXPECT_FAILS(pack.find("add", device).status(), NRD_CORRUPT,
               "damaged directory");
}

TEST(Find, ADamagedKernelDoesNotHarmTheOthers) {
  std::string bytes = write({addKernel("add"), addKernel("mul")});
  uint64_t directory = load<uint64_t>(bytes, header::DirectoryOffset);
  bytes[load<uint64_t>(bytes, directory + 8) + 100] ^= 1;
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  Device device = Device::open("null").value();
  int good = 0, damaged = 0;
  for (const char *name : {"add", "mul"}) {
    auto kernel = pack.find(name, device);
    good += kernel.ok();
    if (!kernel.ok()) {
      ++damaged;
      EXPECT_FAILS(kernel.status(), NRD_CORRUPT, "hash does not match");
    }
  }
  EXPECT_EQ(good, 1);
  EXPECT_EQ(damaged, 1);
}

TEST(Find, NamesDeviceTargetsAndNearestMiss) {
  std::string bytes = write({addKernel("add", {"gfx942", "sm_86", "sm_90a"})});
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  Device device = Device::open("null:sm_80").value();
  EXPECT_FAILS(pack.find("add", device).status(), NRD_INCOMPATIBLE,
               "no variant of kernel 'add' runs on null:sm_80");
  EXPECT_FAILS(pack.find("add", device).status(), NRD_INCOMPATIBLE,
               "it was built for gfx942, sm_86, sm_90a; nearest miss: "
               "'sm_90a' code runs on exactly sm_90, not on sm_80");
}

TEST(Find, WithoutADeviceAKernelCanOnlyBeLookedAt) {
  std::string bytes = write({addKernel("add", {"gfx942", "sm_90a"})});
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  const nrd_kernel_t *kernel = nullptr;
  ASSERT_EQ(nrd_kernel_find(pack.get(), nullptr, "add", &kernel), NRD_OK);
  EXPECT_EQ(nrd_kernel_variant_count(kernel), 4u);
  nrd_call_t *call = nullptr;
  EXPECT_FAILS(nrd_call_create(kernel, &call), NRD_INVALID_ARGUMENT,
               "was found without a device");
  EXPECT_FAILS(nrd_kernel_preload(kernel), NRD_INVALID_ARGUMENT,
               "was found without a device");
  char text[400];
  nrd_kernel_explain(kernel, nullptr, text, sizeof text);
  EXPECT_NE(std::string(text).find("no device to judge it by"),
            std::string::npos);
}

TEST(Kernel, SaysWhatItTakes) {
  Kernel kernel = addKernel("add", {"x86-64-v2", "sm_90a"});
  kernel.params.push_back(param("scale", "fp32"));
  kernel.params.push_back(param("stride", "i64"));
  kernel.params[5].hasConstant = true;
  kernel.params[5].constant = 1;
  kernel.params[5].doc = "elements between rows";
  kernel.params.push_back(param("desc", "tensordesc<fp16[128,64]>"));
  kernel.variants[0].resources.registers = 40;
  Opened o("null:sm_90a", write({kernel}), "add");
  const nrd_kernel_t *k = o.kernel.get();
  EXPECT_STREQ(nrd_kernel_name(k), "add");
  EXPECT_EQ(nrd_kernel_device(k), o.device.get());
  ASSERT_EQ(nrd_kernel_slot_count(k), 7u);
  const nrd_slot_t *x = nrd_kernel_slot(k, 0);
  EXPECT_STREQ(x->name, "x_ptr");
  EXPECT_STREQ(x->type, "*kfp32");
  EXPECT_EQ(x->kind, NRD_SLOT_POINTER);
  EXPECT_TRUE(x->is_const);
  EXPECT_FALSE(nrd_kernel_slot(k, 2)->is_const);
  const nrd_slot_t *stride = nrd_kernel_slot(k, 5);
  EXPECT_EQ(stride->kind, NRD_SLOT_INTEGER);
  EXPECT_EQ(stride->bits, 64u);
  EXPECT_TRUE(stride->is_signed);
  EXPECT_TRUE(stride->has_constant);
  EXPECT_EQ(stride->constant, 1);
  EXPECT_STREQ(stride->doc, "elements between rows");
  EXPECT_EQ(nrd_kernel_slot(k, 6)->kind, NRD_SLOT_DESCRIPTOR);
  EXPECT_EQ(nrd_kernel_slot(k, 6)->rank, 2u);
  EXPECT_EQ(nrd_kernel_slot(k, 7), nullptr);

  ASSERT_EQ(nrd_kernel_config_count(k), 1u);
  const nrd_config_t *config = nrd_kernel_config(k, 0);
  EXPECT_EQ(config->num_warps, 4u);
  ASSERT_EQ(config->constant_count, 1u);
  EXPECT_STREQ(config->constants[0].name, "BLOCK");
  EXPECT_STREQ(config->constants[0].text, "1024");
  EXPECT_EQ(config->grid_rank, 1u);
  EXPECT_STREQ(config->grid_text[0], "cdiv(n, 1024)");
  EXPECT_EQ(nrd_kernel_config(k, 1), nullptr);

  ASSERT_EQ(nrd_kernel_variant_count(k), 4u);
  int here = 0;
  for (size_t i = 0; i < 4; ++i) {
    const nrd_variant_t *variant = nrd_kernel_variant(k, i);
    here += variant->runs_here;
    EXPECT_EQ(variant->runs_here, !strcmp(variant->target, "sm_90a"));
    EXPECT_EQ(variant->param_size, 32u);
    EXPECT_EQ(variant->block[0], 128u);
    EXPECT_EQ(variant->block[1], 1u);
    EXPECT_EQ(variant->image_size, 8u);
  }
  EXPECT_EQ(here, 2);
  EXPECT_EQ(nrd_kernel_variant(k, 4), nullptr);

  EXPECT_EQ(o.kernel.findSlot("out_ptr").value(), 2u);
  EXPECT_FAILS(o.kernel.findSlot("outptr").status(), NRD_NOT_FOUND,
               "has no parameter 'outptr'; it has x_ptr, y_ptr, out_ptr, n");
}

TEST(Life, ObjectsHoldWhatTheyStandOn) {
  std::string bytes = write({addKernel("add")});
  nrd_device_t *device = nullptr;
  nrd_pack_t *pack = nullptr;
  const nrd_kernel_t *kernel = nullptr;
  nrd_call_t *call = nullptr;
  ASSERT_EQ(nrd_device_open("null", &device), NRD_OK);
  ASSERT_EQ(nrd_pack_open_memory(bytes.data(), bytes.size(), nullptr, &pack),
            NRD_OK);
  ASSERT_EQ(nrd_kernel_find(pack, device, "add", &kernel), NRD_OK);
  ASSERT_EQ(nrd_call_create(kernel, &call), NRD_OK);
  nrd_device_close(device);
  nrd_pack_close(pack);
  for (uint32_t i = 0; i < 3; ++i)
    EXPECT_EQ(nrd_call_set_pointer(call, i, address(64)), NRD_OK);
  EXPECT_EQ(nrd_call_set_int(call, 3, 5), NRD_OK);
  EXPECT_EQ(nrd_call_launch(call, nullptr), NRD_OK) << nrd_error_message();
  nrd_call_destroy(call);
}

TEST(Device, NamesAreResolved) {
  nrd_device_t *device = nullptr;
  EXPECT_FAILS(nrd_device_open("cudax", &device), NRD_NOT_FOUND,
               "no device 'cudax'; write auto, cuda:N");
  EXPECT_FAILS(nrd_device_open("null:sm_banana", &device), NRD_NOT_FOUND,
               "no target is called 'sm_banana'");
  EXPECT_FAILS(nrd_device_open("interpret", &device), NRD_UNAVAILABLE,
               "is not installed");
  EXPECT_FAILS(nrd_device_open(nullptr, &device), NRD_INVALID_ARGUMENT,
               "'name' is NULL");
  EXPECT_EQ(device, nullptr);
  Device null = Device::open("null:gfx942").value();
  EXPECT_STREQ(null.name(), "null:gfx942");
  EXPECT_STREQ(null.target(), "gfx942");
  EXPECT_TRUE(null.accepts("gfx9-4-generic"));
  EXPECT_FALSE(null.accepts("sm_90"));
  EXPECT_EQ(nrd_device_count("cpu"), 1u);
  EXPECT_EQ(nrd_device_count("nonsense"), 0u);
}

TEST(Device, AutoFollowsTheEnvironment) {
  setenv("NRD_DEVICE", "null:sm_90a", 1);
  EXPECT_STREQ(Device::open("auto").value().name(), "null:sm_90a");
  setenv("NRD_DEVICE", "cpu", 1);
  EXPECT_STREQ(Device::open("auto").value().name(), "cpu");
  unsetenv("NRD_DEVICE");
  EXPECT_TRUE(Device::open("auto").ok());
  setenv("NRD_INTERPRET", "1", 1);
  EXPECT_FAILS(Device::open("cpu").status(), NRD_UNAVAILABLE, "interpreter");
  unsetenv("NRD_INTERPRET");
}

TEST(Device, MemoryHelpers) {
  for (const char *name : {"cpu", "null"}) {
    Device device = Device::open(name).value();
    nereid::Buffer a = device.alloc(1000).value();
    nereid::Buffer b = device.alloc(1000).value();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 256, 0u);
    a.fill(7).check();
    std::vector<uint8_t> host(1000, 1), back(1000);
    a.read(back.data(), 1000).check();
    EXPECT_EQ(back, std::vector<uint8_t>(1000, 7));
    a.write(host.data(), 10, 990).check();
    ASSERT_EQ(nrd_buffer_copy(device.get(), b.data(), a.data(), 1000), NRD_OK);
    b.read(back.data(), 1000).check();
    EXPECT_EQ(back[989], 7);
    EXPECT_EQ(back[990], 1);
    void *pointer = nullptr;
    EXPECT_FAILS(nrd_buffer_alloc(device.get(), 0, &pointer),
                 NRD_INVALID_ARGUMENT, "at least one byte");
    EXPECT_FAILS(nrd_buffer_alloc(device.get(), SIZE_MAX, &pointer),
                 NRD_OUT_OF_MEMORY, "no memory for");
    EXPECT_EQ(nrd_device_synchronize(device.get()), NRD_OK);
    void *stream = &stream;
    EXPECT_EQ(nrd_stream_create(device.get(), &stream), NRD_OK);
    EXPECT_EQ(stream, nullptr);
    EXPECT_EQ(nrd_stream_synchronize(device.get(), stream), NRD_OK);
  }
}

TEST(Log, ReportsDecisionsAndFailures) {
  std::vector<std::string> lines;
  nrd_log_set_callback(
      [](void *context, nrd_log_level_t, const char *message) {
        static_cast<std::vector<std::string> *>(context)->push_back(message);
      },
      &lines, NRD_LOG_DECISION);
  {
    Opened o("null", write({addKernel("add")}), "add");
    nereid::Call call =
        o.kernel.call(address(4), address(4), address(4), 10).value();
    call.bind().check();
    (void)o.pack.find("nope", o.device);
  }
  nrd_log_set_callback(nullptr, nullptr, NRD_LOG_ERROR);
  std::string all;
  for (const std::string &line : lines)
    all += line + "\n";
  EXPECT_NE(all.find("opened null"), std::string::npos) << all;
  EXPECT_NE(all.find("takes variant 1 (x86-64-v2, config 0)"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("NRD_NOT_FOUND: pack 'test' has no kernel 'nope'"),
            std::string::npos)
      << all;
}

TEST(Version, IsTheHeaders) {
  EXPECT_EQ(nrd_version(), NRD_VERSION_MAJOR * 10000u +
                               NRD_VERSION_MINOR * 100u + NRD_VERSION_PATCH);
  EXPECT_STREQ(nrd_status_name(NRD_CORRUPT), "NRD_CORRUPT");
  EXPECT_STREQ(nrd_status_name(static_cast<nrd_status_t>(99)), "NRD_?");
}

} // namespace
