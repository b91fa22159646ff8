// The cuda driver against a mock libcuda that checks how it is called. What a
// real GPU does with the same calls is tests/conformance's question.

#include "TestPack.h"

extern "C" {
#include "mock/mock.h"
}

#include <dlfcn.h>

using namespace runtimetest;

namespace {

void *mockSymbol(const char *name) {
  static void *library = dlopen("libcuda.so.1", RTLD_NOW);
  EXPECT_NE(library, nullptr);
  return library ? dlsym(library, name) : nullptr;
}

mock_state_t &mock() {
  return *static_cast<mock_state_t *>(mockSymbol("mock_state"));
}

Bytes cubin(const std::string &facts) {
  return makeBytes("\177ELF " + facts + std::string(64, ' ') + '\0');
}

Kernel cudaKernel() {
  Kernel kernel = addKernel("add", {"sm_90a"},
                            cubin("sm=90 function=add function=add_aligned "));
  return kernel;
}

class Cuda : public testing::Test {
protected:
  void SetUp() override { mock() = mock_state_t(); }
  void TearDown() override {
    for (const char *name : {"MOCK_CUDA_CAPABILITY", "MOCK_CUDA_VERSION"})
      unsetenv(name);
    EXPECT_EQ(mock().live_contexts, 0);
    EXPECT_EQ(mock().live_allocations, 0);
    EXPECT_EQ(mock().loads, mock().unloads);
  }
};

TEST_F(Cuda, IsDescribed) {
  Device device = Device::open("cuda:1").value();
  EXPECT_STREQ(device.name(), "cuda:1");
  EXPECT_STREQ(device.target(), "sm_90");
  EXPECT_STREQ(device.description(), "Mock GPU, sm_90, CUDA 12.4");
  EXPECT_TRUE(device.accepts("sm_90a"));
  EXPECT_TRUE(device.accepts("ptx_80"));
  EXPECT_FALSE(device.accepts("sm_80"));
  EXPECT_EQ(nrd_device_count("cuda"), 2u);
  EXPECT_NE(nrd_device_context(device.get()), nullptr);
  EXPECT_STREQ(Device::open("cuda").value().name(), "cuda:0");
  EXPECT_STREQ(Device::open("auto").value().name(), "cuda:0");
  EXPECT_FAILS(Device::open("cuda:2").status(), NRD_NOT_FOUND,
               "there is no cuda:2; 2 devices are here");
  EXPECT_FAILS(Device::open("cuda:x").status(), NRD_NOT_FOUND, "'cuda:x'");
}

TEST_F(Cuda, LaunchesWithOneBuffer) {
  Opened o("cuda:1", write({cudaKernel()}), "add");
  nereid::Call call =
      o.kernel.call(address(0x1004), address(0x2000), address(0x3000), 5000)
          .value();
  void *stream = nullptr;
  ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
  call.launch(stream).check();
  EXPECT_EQ(mock().launches, 1);
  EXPECT_EQ(mock().stream, stream);
  EXPECT_EQ(mock().device, 1);
  EXPECT_EQ(mock().grid[0], 5u);
  EXPECT_EQ(mock().grid[1], 1u);
  EXPECT_EQ(mock().block[0], 128u);
  EXPECT_EQ(mock().param_size, 28u);
  uint64_t words[4];
  std::memcpy(words, mock().params, sizeof words);
  EXPECT_EQ(words[0], 0x1004u);
  EXPECT_EQ(words[2], 0x3000u);
  EXPECT_EQ(words[3], 5000u);
  EXPECT_EQ(mock().pdl, 0);
  EXPECT_EQ(mock().cluster[0], 1u);
  call.set(0, address(0x5004)).check();
  call.launch(nullptr).check();
  std::memcpy(words, mock().params, sizeof words);
  EXPECT_EQ(words[0], 0x5004u);
  EXPECT_EQ(mock().stream, nullptr);
  EXPECT_EQ(mock().loads, 1);
  nrd_stream_destroy(o.device.get(), stream);
}

TEST_F(Cuda, PutsTheCallersContextBack) {
  auto push =
      reinterpret_cast<int (*)(void *)>(mockSymbol("cuCtxPushCurrent_v2"));
  auto pop =
      reinterpret_cast<int (*)(void **)>(mockSymbol("cuCtxPopCurrent_v2"));
  auto get = reinterpret_cast<int (*)(void **)>(mockSymbol("cuCtxGetCurrent"));
  Device other = Device::open("cuda:0").value();
  Opened o("cuda:1", write({cudaKernel()}), "add");
  void *theirs = nrd_device_context(other.get());
  ASSERT_EQ(push(theirs), 0);
  nereid::Call call =
      o.kernel.call(address(4), address(16), address(16), 5).value();
  call.launch().check();
  EXPECT_EQ(mock().device, 1);
  void *now = nullptr;
  get(&now);
  EXPECT_EQ(now, theirs);
  // With ours current nothing has to be switched.
  push(nrd_device_context(o.device.get()));
  int before = mock().current_switches;
  call.launch().check();
  EXPECT_EQ(mock().current_switches, before);
  pop(&now);
  pop(&now);
}

TEST_F(Cuda, WrapsTheApplicationsContext) {
  nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
  options.context = mockSymbol("mock_own_context");
  Device device = Device::open("cuda", options).value();
  EXPECT_STREQ(device.name(), "cuda:1");
  EXPECT_EQ(nrd_device_context(device.get()), options.context);
  EXPECT_EQ(mock().live_contexts, 0) << "the primary context is left alone";
  nereid::Buffer buffer = device.alloc(100).value();
  buffer.fill(3).check();
  EXPECT_FAILS(Device::open("cuda:0", options).status(), NRD_INVALID_ARGUMENT,
               "the context is of cuda:1, not of cuda:0");
  int nonsense = 0;
  options.context = &nonsense;
  EXPECT_FAILS(Device::open("cuda", options).status(), NRD_INVALID_ARGUMENT,
               "this is not a CUcontext");
}

TEST_F(Cuda, LaunchAttributes) {
  Kernel kernel = cudaKernel();
  for (Variant &variant : kernel.variants) {
    variant.cluster = {2, 1, 1};
    variant.pdl = true;
    variant.cooperative = true;
    variant.sharedSize = 200000;
  }
  kernel.configs[0].numCtas = 2;
  Opened o("cuda:0", write({kernel}), "add");
  nereid::Call call =
      o.kernel.call(address(4), address(16), address(16), 5000).value();
  call.launch().check();
  EXPECT_EQ(mock().grid[0], 10u) << "two thread blocks per program";
  EXPECT_EQ(mock().cluster[0], 2u);
  EXPECT_EQ(mock().pdl, 1);
  EXPECT_EQ(mock().cooperative, 1);
  EXPECT_EQ(mock().shared_size, 200000u);
}

TEST_F(Cuda, GridsThatDoNotFitAreRefused) {
  Kernel kernel = cudaKernel();
  for (Variant &variant : kernel.variants)
    variant.cluster = {4, 1, 1};
  Opened o("cuda:0", write({kernel}), "add");
  nereid::Call call =
      o.kernel.call(address(4), address(16), address(16), 5).value();
  call.setGrid(6).check();
  EXPECT_FAILS(call.launch(), NRD_INVALID_ARGUMENT,
               "a grid of 6 x 1 x 1 blocks does not divide into clusters of 4");
  call.setGrid(8, 65536).check();
  EXPECT_FAILS(call.launch(), NRD_INVALID_ARGUMENT,
               "more than a GPU launches at once");
  call.setGrid(8, 65535).check();
  call.launch().check();
}

TEST_F(Cuda, UnsuitableVariantsGiveWayToOthers) {
  Kernel kernel = cudaKernel();
  kernel.variants.resize(1);
  kernel.variants[0].predicates.clear();
  Variant greedy = kernel.variants[0], late = greedy, wide = greedy;
  greedy.sharedSize = 300000;
  late.minDriver = 13000;
  wide.block = {512, 2, 1};
  wide.image = cubin("sm=90 function=add_aligned threads=512 ");
  kernel.variants = {greedy, late, wide, kernel.variants[0]};
  Opened o("cuda:0", write({kernel}), "add");
  nereid::Call call =
      o.kernel.call(address(16), address(16), address(16), 5).value();
  call.launch().check();
  EXPECT_EQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->block[0],
            128u);
  std::string text = call.explain();
  EXPECT_NE(text.find("it needs 300000 bytes of shared memory and Mock GPU has "
                      "232448"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("it needs CUDA 13.0 or later and the driver is 12.4"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("can run 512 threads per block here and needs 1024"),
            std::string::npos)
      << text;
}

Kernel ptxKernel(const std::string &text) {
  Kernel kernel = addKernel("add", {"ptx_80"}, makeBytes(text));
  kernel.variants.erase(kernel.variants.begin());
  return kernel;
}

TEST_F(Cuda, PtxIsCompiledByTheDriver) {
  Opened o("cuda:0",
           write({ptxKernel(".version 8.0\n.target sm_80\n// function=add ")}),
           "add");
  nereid::Call call =
      o.kernel.call(address(4), address(16), address(16), 5).value();
  call.launch().check();
  EXPECT_EQ(mock().launches, 1);
}

TEST_F(Cuda, PtxThatTheDriverRefusesIsExplained) {
  {
    Opened o(
        "cuda:0",
        write({ptxKernel(".version 9.0\n.target sm_80\n// function=add ")}),
        "add");
    nereid::Call call =
        o.kernel.call(address(4), address(16), address(16), 5).value();
    EXPECT_FAILS(call.bind(), NRD_INCOMPATIBLE,
                 "does not take the ptx_80 image of kernel 'add', PTX "
                 ".version 9.0");
    EXPECT_FAILS(call.bind(), NRD_INCOMPATIBLE,
                 "CUDA_ERROR_UNSUPPORTED_PTX_VERSION");
  }
  Opened o("cuda:0", write({ptxKernel(".version 8.0\nsyntax error")}), "add");
  nereid::Call call =
      o.kernel.call(address(4), address(16), address(16), 5).value();
  EXPECT_FAILS(call.bind(), NRD_INCOMPATIBLE, "ptxas: line 3: syntax error");
}

TEST_F(Cuda, ImagesAndPackMustAgree) {
  {
    Opened o("cuda:0",
             write({addKernel("add", {"sm_90a"},
                              cubin("sm=90 function=add sizes=8,8,8,4,8 "))}),
             "add");
    nereid::Call call =
        o.kernel.call(address(4), address(16), address(16), 5).value();
    EXPECT_FAILS(call.bind(), NRD_CORRUPT,
                 "number 4 has 8 bytes there and 0 in the pack");
  }
  {
    Opened o(
        "cuda:0",
        write({addKernel("add", {"sm_90a"}, cubin("sm=90 function=sub "))}),
        "add");
    nereid::Call call =
        o.kernel.call(address(4), address(16), address(16), 5).value();
    EXPECT_FAILS(call.bind(), NRD_CORRUPT, "has no function 'add'");
  }
  {
    Opened o("cuda:0",
             write({addKernel("add", {"sm_90a"},
                              cubin("sm=90 function=add sizes=8,8,8,8 "))}),
             "add");
    nereid::Call call =
        o.kernel.call(address(4), address(16), address(16), 5).value();
    EXPECT_FAILS(call.bind(), NRD_CORRUPT,
                 "number 3 has 8 bytes there and 4 in the pack");
  }
  Opened o("cuda:0", write({addKernel("add", {"sm_90a"}, makeBytes("text"))}),
           "add");
  nereid::Call call =
      o.kernel.call(address(4), address(16), address(16), 5).value();
  EXPECT_FAILS(call.bind(), NRD_CORRUPT, "is no cubin");
}

TEST_F(Cuda, PreloadedCallsDoNotLoadDuringACapture) {
  Opened o("cuda:0", write({cudaKernel()}), "add");
  nereid::Call late =
      o.kernel.call(address(4), address(16), address(16), 5).value();
  mock().capturing = 1;
  EXPECT_FAILS(late.bind(), NRD_DRIVER_ERROR,
               "before capturing a graph, call nrd_kernel_preload and bind");
  mock().capturing = 0;
  {
    Opened other("cuda:0", write({cudaKernel()}), "add");
    other.kernel.preload().check();
    mock().capturing = 1;
    nereid::Call call =
        other.kernel.call(address(4), address(16), address(16), 5).value();
    call.launch().check();
    call.set(0, address(16)).check();
    call.set(3, 16).check();
    call.launch().check(); // another variant, loaded as well
    mock().capturing = 0;
  }
}

TEST_F(Cuda, TensorMaps) {
  Kernel kernel;
  kernel.name = "tile";
  kernel.params = {param("desc", "tensordesc<fp16[128,64]>")};
  Config config;
  config.grid = {axis({{1, GridOp::PushConst}}, "1")};
  kernel.configs = {config};
  Variant tma;
  tma.target = "sm_90a";
  tma.symbol = "tile";
  // The pack's layout is not the chip's: there the map begins at 48.
  tma.image = cubin("sm=90 function=tile sizes=8,128,4 ");
  tma.paramSize = 196;
  tma.fields = {{0, 64, 128, 0, Field::Kind::TensorMap},
                {0, 0, 8, 0, Field::Kind::Value},
                {0, 192, 4, 1, Field::Kind::Shape}};
  tma.tensorMaps = {{0, 6, 3, 0, 2, 0, {64, 128}}};
  kernel.variants = {tma};
  Opened o("cuda:0", write({kernel}), "tile");
  nereid::Call call = o.call();
  int64_t shape[2] = {300, 72}, strides[2] = {80, 1};
  call.setDescriptor(0, address(0x7000), shape, strides).check();
  call.launch().check();
  EXPECT_EQ(mock().map_encodes, 1);
  EXPECT_EQ(mock().map_element_type, 6);
  EXPECT_EQ(mock().map_swizzle, 3);
  EXPECT_EQ(mock().map_rank, 2u);
  EXPECT_EQ(mock().map_dims[0], 72u) << "the fastest first";
  EXPECT_EQ(mock().map_dims[1], 300u);
  EXPECT_EQ(mock().map_strides[0], 160u) << "bytes";
  EXPECT_EQ(mock().map_box[0], 64u);
  EXPECT_EQ(mock().map_box[1], 128u);
  uint64_t words[2], base;
  uint32_t columns;
  constexpr size_t map = 48;
  EXPECT_EQ(mock().param_size, map + 128 + 4);
  std::memcpy(&base, mock().params, 8);
  EXPECT_EQ(base, 0x7000u);
  std::memcpy(&columns, mock().params + map + 128, 4);
  EXPECT_EQ(columns, 72u);
  EXPECT_EQ(parameter<uint64_t>(call, map), 0x7000u);
  std::memcpy(words, mock().params + map, sizeof words);
  EXPECT_EQ(words[0], 0x7000u);
  EXPECT_EQ(words[1] >> 21 & 1, 0u) << "the bit of small tensors";
  call.setDescriptor(0, address(0x8000), shape, strides).check();
  call.launch().check();
  EXPECT_EQ(mock().map_encodes, 1);
  EXPECT_EQ(mock().map_moves, 1);
  std::memcpy(words, mock().params + map, sizeof words);
  EXPECT_EQ(words[0], 0x8000u);
  shape[0] = 30000; // above 128 KiB the bit stays
  call.setDescriptor(0, address(0x8000), shape, strides).check();
  call.launch().check();
  std::memcpy(words, mock().params + map, sizeof words);
  EXPECT_EQ(words[1] >> 21 & 1, 1u);
}

TEST_F(Cuda, MemoryAndErrors) {
  Device device = Device::open("cuda:0").value();
  nereid::Buffer buffer = device.alloc(64).value();
  std::vector<uint8_t> host(64, 9), back(64);
  buffer.write(host.data(), 64).check();
  buffer.read(back.data(), 64).check();
  EXPECT_EQ(host, back);
  void *pointer = nullptr;
  EXPECT_FAILS(nrd_buffer_alloc(device.get(), (size_t)1 << 50, &pointer),
               NRD_OUT_OF_MEMORY, "cuda:0: cuMemAlloc failed");
  mock().fail_with = 710;
  EXPECT_FAILS(device.synchronize(), NRD_KERNEL_FAILED, "CUDA_ERROR_ASSERT");
  mock().fail_with = 700;
  EXPECT_FAILS(device.synchronize(), NRD_DRIVER_ERROR,
               "work on the device failed");
}

} // namespace
