// The seam to the interpreter, with a plug-in that stands in for it.

#include "TestPack.h"

using namespace runtimetest;

namespace {

Kernel countKernel(const std::string &ir = "count") {
  Kernel kernel = addKernel("count", {"sm_90a"});
  kernel.params = {param("out", "*i32"), param("n", "i32"),
                   param("stride", "i32"), param("scale", "fp16")};
  kernel.params[2].hasConstant = true; // no argument of the IR
  kernel.params[2].constant = 1;
  kernel.configs[0].grid = {cdivAxis(1, 16)};
  kernel.configs[0].ir = makeBytes(ir);
  for (Variant &variant : kernel.variants) {
    variant.predicates.clear();
    variant.fields = {{0, 0, 8, 0, Field::Kind::Value}};
  }
  kernel.variants.resize(1);
  return kernel;
}

TEST(Interpret, RunsTheIrOnTheDevicesMemory) {
  std::vector<std::string> lines;
  nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
  options.print = [](void *context, const char *line) {
    static_cast<std::vector<std::string> *>(context)->push_back(line);
  };
  options.print_context = &lines;
  std::string bytes = write({countKernel()});
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  for (const char *name : {"interpret", "interpret:cpu"}) {
    Device device = Device::open(name, options).value();
    EXPECT_STREQ(device.name(), name);
    auto kernel = pack.find("count", device).value();
    ASSERT_EQ(nrd_kernel_variant_count(kernel.get()), 1u);
    EXPECT_STREQ(nrd_kernel_variant(kernel.get(), 0)->target, "tt");
    nereid::Buffer buffer = device.alloc(48).value();
    buffer.fill(0).check();
    nereid::Call call = nereid::Call::create(kernel.get()).value();
    call.set(0, buffer).check();
    call.set(1, 10).check();
    call.set(3, 0.5).check();
    call.launch().check();
    call.launch().check();
    int32_t values[12];
    buffer.read(values, 48).check();
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(values[i], 2);
    double scale;
    std::memcpy(&scale, &values[10], 8);
    EXPECT_EQ(scale, 0.5) << "floats arrive as doubles";
    call.set(1, 11).check();
    EXPECT_FAILS(call.launch(), NRD_KERNEL_FAILED,
                 "a store past the end of a buffer of 48 bytes");
  }
  EXPECT_EQ(lines.size(), 4u);
}

TEST(Interpret, TheEnvironmentSendsAnyDeviceThere) {
  setenv("NRD_INTERPRET", "1", 1);
  Opened o("null", write({countKernel()}), "count");
  unsetenv("NRD_INTERPRET");
  EXPECT_STREQ(o.device.name(), "interpret:null");
  std::vector<int32_t> values(8, 5);
  nereid::Call call = o.call();
  call.set(0, values.data()).check();
  call.set(1, 6).check();
  call.set(3, 1).check();
  call.launch().check();
  EXPECT_EQ(values[5], 6);
}

TEST(Interpret, SaysWhatItCannotRun) {
  Opened o("interpret", write({countKernel("other")}), "count");
  nereid::Call call = o.call();
  int32_t value = 0;
  call.set(0, &value).check();
  call.set(1, 1).check();
  call.set(3, 1).check();
  EXPECT_FAILS(call.launch(), NRD_INCOMPATIBLE,
               "the IR of 'count' is not understood");
  Kernel kernel = countKernel();
  kernel.configs[0].ir = nullptr;
  std::string bytes = write({kernel});
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  EXPECT_FAILS(pack.find("count", o.device).status(), NRD_INCOMPATIBLE,
               "the pack holds no IR for it");
}

} // namespace
