// The hip driver against mocks of libamdhip64 5 and 6 that check how they are
// called. MOCK_HIP says which one this program finds.

#include "TestPack.h"

extern "C" {
#include "mock/mock.h"
}

#include <dlfcn.h>

using namespace runtimetest;

namespace {

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

mock_state_t &mock() {
  static void *library = dlopen("libamdhip64.so." TEXT(MOCK_HIP), RTLD_NOW);
  EXPECT_NE(library, nullptr);
  return *static_cast<mock_state_t *>(dlsym(library, "mock_state"));
}

Bytes object(const std::string &facts) {
  return makeBytes("\177ELF " + facts + std::string(64, ' ') + '\0');
}

class Hip : public testing::Test {
protected:
  void SetUp() override { mock() = mock_state_t(); }
  void TearDown() override {
    for (const char *name :
         {"MOCK_HIP_ARCH", "MOCK_HIP_ODD_LAYOUT", "NRD_HIP_ARCH"})
      unsetenv(name);
    EXPECT_EQ(mock().live_allocations, 0);
    EXPECT_EQ(mock().loads, mock().unloads);
  }
};

TEST_F(Hip, FindsTheChipInEitherLayout) {
  Device device = Device::open("hip:1").value();
  EXPECT_STREQ(device.name(), "hip:1");
  EXPECT_STREQ(device.target(), "gfx942:sramecc+:xnack-");
  EXPECT_STREQ(
      device.description(),
      "Mock Instinct, gfx942:sramecc+:xnack-, HIP " TEXT(MOCK_HIP) ".2");
  EXPECT_TRUE(device.accepts("gfx942"));
  EXPECT_TRUE(device.accepts("gfx9-4-generic"));
  EXPECT_FALSE(device.accepts("gfx942:xnack+"));
  EXPECT_EQ(nrd_device_count("hip"), 2u);
  setenv("MOCK_HIP_ARCH", "gfx1100", 1);
  EXPECT_STREQ(Device::open("hip").value().target(), "gfx1100");
#if MOCK_HIP == 5
  setenv("MOCK_HIP_ODD_LAYOUT", "1", 1); // looked for in the whole struct
  EXPECT_STREQ(Device::open("hip").value().target(), "gfx1100");
#endif
  setenv("NRD_HIP_ARCH", "gfx90a:xnack+", 1);
  EXPECT_STREQ(Device::open("hip").value().target(), "gfx90a:xnack+");
  setenv("NRD_HIP_ARCH", "nonsense", 1);
  EXPECT_STREQ(Device::open("hip").value().target(), "gfx1100");
  EXPECT_FAILS(Device::open("hip:2").status(), NRD_NOT_FOUND,
               "there is no hip:2; 2 devices are here");
}

TEST_F(Hip, LaunchesWithOneBuffer) {
  Kernel kernel =
      addKernel("add", {"gfx942"},
                object("arch=gfx942 function=add function=add_aligned "));
  kernel.variants[1].sharedSize = 1024;
  Opened o("hip:1", write({kernel}), "add");
  nereid::Call call =
      o.kernel.call(address(0x1004), address(0x2000), address(0x3000), 5000)
          .value();
  void *stream = nullptr;
  ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
  call.launch(stream).check();
  EXPECT_EQ(mock().launches, 1);
  EXPECT_EQ(mock().stream, stream);
  EXPECT_EQ(mock().device, 1);
  EXPECT_EQ(mock().grid[0], 5u) << "blocks, not work-items";
  EXPECT_EQ(mock().block[0], 128u);
  EXPECT_EQ(mock().shared_size, 1024u);
  EXPECT_EQ(mock().param_size, 32u);
  uint64_t words[4];
  std::memcpy(words, mock().params, sizeof words);
  EXPECT_EQ(words[0], 0x1004u);
  EXPECT_EQ(words[3], 5000u);
  call.setGrid(1u << 30).check();
  EXPECT_FAILS(call.launch(), NRD_INVALID_ARGUMENT,
               "more than an AMD GPU launches at once");
  nrd_stream_destroy(o.device.get(), stream);
}

TEST_F(Hip, WithoutTheChipsNameLoadingTells) {
  setenv("MOCK_HIP_ARCH", "strange", 1);
  Kernel kernel = addKernel("add", {"gfx90a"}, object("arch=gfx90a "));
  Kernel right =
      addKernel("add", {"gfx942"},
                object("arch=strange function=add function=add_aligned "));
  Kernel wrong = addKernel("add", {"sm_90a"});
  kernel.variants.insert(kernel.variants.end(), right.variants.begin(),
                         right.variants.end());
  kernel.variants.insert(kernel.variants.end(), wrong.variants.begin(),
                         wrong.variants.end());
  Opened o("hip", write({kernel}), "add");
  EXPECT_STREQ(o.device.target(), "");
  nereid::Call call =
      o.kernel.call(address(4), address(16), address(16), 5).value();
  call.launch().check();
  EXPECT_STREQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->target,
               "gfx942");
}

TEST_F(Hip, RefusesWhatAmdHasNot) {
  Kernel kernel = addKernel("add", {"gfx942"}, object("arch=gfx942 "));
  for (Variant &variant : kernel.variants)
    variant.sharedSize = 70000;
  std::string bytes = write({kernel});
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  EXPECT_FAILS(pack.find("add", Device::open("hip").value()).status(),
               NRD_INCOMPATIBLE,
               "nearest miss: it needs 70000 bytes of LDS and Mock Instinct "
               "has 65536");
}

TEST_F(Hip, MemoryAndErrors) {
  Device device = Device::open("hip:0").value();
  nereid::Buffer buffer = device.alloc(64).value();
  std::vector<uint8_t> host(64, 9), back(64);
  buffer.write(host.data(), 64).check();
  buffer.read(back.data(), 64).check();
  EXPECT_EQ(host, back);
  buffer.fill(1).check();
  nereid::Buffer other = device.alloc(64).value();
  ASSERT_EQ(nrd_buffer_copy(device.get(), other.data(), buffer.data(), 64),
            NRD_OK);
  mock().fail_with = 719;
  EXPECT_FAILS(device.synchronize(), NRD_DRIVER_ERROR,
               "hip:0: work on the device failed: hipErrorMock");
}

} // namespace
