// A fuzzer of the pack reader: `ninja runtime-pack-fuzz`, then run it on a
// folder of packs, such as tests/packager/golden. Checksums are repaired before
// each run, or nothing behind them would ever be reached.

#include "PackWalk.h"

using namespace runtimetest;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Limited limited;
  static nrd_device_t *device = [] {
    nrd_allocator_t allocator = {Limited::reallocate, &limited};
    nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
    options.allocator = &allocator;
    nrd_device_t *opened = nullptr;
    nrd_device_open_with("null", &options, &opened);
    return opened;
  }();
  std::string bytes(reinterpret_cast<const char *>(data), size);
  repairHashes(bytes);
  Walk walk;
  walk.pack(bytes, device);
  if (testing::Test::HasFailure()) // a failure without a sentence
    abort();
  return 0;
}
