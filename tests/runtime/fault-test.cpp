// Every allocation and every driver call fails once: no leak, no half-open
// object, the right status, and the next try works.

#include "TestPack.h"

#include <mutex>
#include <set>

using namespace runtimetest;

namespace {

/// Fails the allocation that brings `countdown` to 0, and knows what is held.
struct Faulty {
  int countdown = 0;
  bool hasFailed = false;
  std::mutex lock;
  std::set<void *> held;

  static void *reallocate(void *context, void *pointer, size_t size) {
    auto *self = static_cast<Faulty *>(context);
    std::lock_guard<std::mutex> guard(self->lock);
    if (!size) {
      EXPECT_EQ(self->held.erase(pointer), 1u);
      free(pointer);
      return nullptr;
    }
    if (self->countdown > 0 && --self->countdown == 0) {
      self->hasFailed = true;
      return nullptr;
    }
    EXPECT_EQ(pointer, nullptr) << "nothing is ever grown in place";
    void *made = malloc(size);
    self->held.insert(made);
    return made;
  }
};

struct Life {
  nrd_allocator_t allocator;
  int *driverCountdown = nullptr;
  nrd_status_t expected = NRD_OUT_OF_MEMORY;
  int failures = 0;

  bool check(nrd_status_t status) {
    if (status == NRD_OK)
      return true;
    ++failures;
    EXPECT_STREQ(nrd_status_name(status), nrd_status_name(expected))
        << nrd_error_message();
    return false;
  }

  /// The whole life of a call; stops where something fails.
  void all(const std::string &bytes, const char *deviceName) {
    nrd_device_t *device = nullptr;
    nrd_pack_t *pack = nullptr;
    const nrd_kernel_t *kernel = nullptr;
    nrd_call_t *call = nullptr;
    void *buffer = nullptr;
    nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
    options.allocator = &allocator;
    options.context = driverCountdown;
    nrd_pack_options_t packOptions = NRD_PACK_OPTIONS_INIT;
    packOptions.allocator = &allocator;
    int64_t shape[2] = {300, 72};
    bool went = check(nrd_device_open_with(deviceName, &options, &device)) &&
                check(nrd_buffer_alloc(device, 100, &buffer)) &&
                check(nrd_pack_open_memory(bytes.data(), bytes.size(),
                                           &packOptions, &pack)) &&
                check(nrd_kernel_find(pack, device, "tile", &kernel)) &&
                check(nrd_call_create(kernel, &call)) &&
                check(nrd_call_set_descriptor(call, 0, address(0x7000), shape,
                                              nullptr)) &&
                check(nrd_call_bind(call)) &&
                check(nrd_call_launch(call, nullptr));
    if (went) { // the variant with scratch
      shape[1] = 70;
      went = check(nrd_call_set_descriptor(call, 0, address(0x7000), shape,
                                           nullptr)) &&
             check(nrd_call_launch(call, nullptr)) &&
             check(nrd_kernel_preload(kernel));
    }
    // What failed once works when tried again.
    if (!went && call) {
      nrd_status_t again = nrd_call_launch(call, nullptr);
      // A driver that refused an image is believed.
      EXPECT_TRUE(again == NRD_OK || again == NRD_DRIVER_ERROR)
          << nrd_error_message();
    }
    EXPECT_TRUE(went || failures == 1);
    if (device)
      nrd_buffer_free(device, buffer);
    nrd_call_destroy(call);
    nrd_pack_close(pack);
    nrd_device_close(device);
  }
};

Kernel tile() {
  Kernel kernel;
  kernel.name = "tile";
  kernel.params = {param("desc", "tensordesc<fp16[128,64]>")};
  Config config;
  config.grid = {axis({{0, GridOp::PushDim}}, "desc.shape[0]")};
  kernel.configs = {config};
  Variant plain;
  plain.target = "sm_90a";
  plain.symbol = "tile";
  plain.image = makeBytes(std::string(3000, 'p')); // is compressed
  plain.paramSize = 64;
  plain.fields = {{0, 0, 8, 0, Field::Kind::Value},
                  {0, 40, 8, 0, Field::Kind::Scratch}};
  plain.scratchSize = 100;
  Variant tma = plain;
  tma.symbol = "tile_tma";
  tma.image = makeBytes(std::string(3000, 't'));
  tma.paramSize = 192;
  tma.scratchSize = 0;
  tma.fields = {{0, 64, 128, 0, Field::Kind::TensorMap}};
  tma.tensorMaps = {{0, 6, 3, 0, 2, 0, {64, 128}}};
  kernel.variants = {tma, plain};
  return kernel;
}

TEST(Fault, EveryAllocation) {
  std::string bytes = write({tile()});
  int count = 1;
  for (;; ++count) {
    Faulty faulty;
    faulty.countdown = count;
    Life run;
    run.allocator = {Faulty::reallocate, &faulty};
    run.all(bytes, "null:sm_90a");
    EXPECT_TRUE(faulty.held.empty()) << "allocation " << count << " leaks";
    EXPECT_EQ(run.failures, faulty.hasFailed ? 1 : 0) << count;
    if (!faulty.hasFailed)
      break;
  }
  EXPECT_GT(count, 10) << "it does allocate";
}

TEST(Fault, EveryDriverCall) {
  std::string bytes = write({tile()});
  int calls = 1;
  for (;; ++calls) {
    Faulty faulty;
    int countdown = calls;
    Life run;
    run.allocator = {Faulty::reallocate, &faulty};
    run.driverCountdown = &countdown;
    run.expected = NRD_DRIVER_ERROR;
    run.all(bytes, "null:sm_90a");
    EXPECT_TRUE(faulty.held.empty()) << "driver call " << calls << " leaks";
    if (countdown > 0)
      break;
    EXPECT_EQ(run.failures, 1) << calls;
  }
  EXPECT_GT(calls, 8) << "load, function, prepare, encode, launch, scratch";
}

} // namespace
