// The vendors' own libraries, whichever are installed here, beside no mock:
// each answers by a device or by a status that says what is missing.

#include "TestPack.h"

#include <cstdio>
#include <dlfcn.h>

using namespace runtimetest;

namespace {

TEST(Vendor, LibrariesAnswerWithAStatus) {
  struct {
    const char *device, *maker;
    std::vector<const char *> libraries;
  } const vendors[] = {
      {"cuda", "NVIDIA", {"libcuda.so.1"}},
      {"hip",
       "AMD",
       {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"}}};
  for (const auto &vendor : vendors) {
    const char *found = nullptr;
    for (const char *name : vendor.libraries)
      if (void *library = found ? nullptr : dlopen(name, RTLD_LAZY)) {
        found = name;
        dlclose(library);
      }
    auto device = Device::open(vendor.device);
    std::string message =
        device ? device->description() : device.status().message();
    std::printf("%s: %s: %s\n", vendor.device, found ? found : "no library",
                message.c_str());
    std::string none = std::string("there is no ") + vendor.maker + " GPU here";
    if (device)
      EXPECT_GT(nrd_device_count(vendor.device), 0u);
    else if (!found)
      EXPECT_FAILS(device.status(), NRD_UNAVAILABLE, "is not installed");
    else if (device.status().code() == NRD_NOT_FOUND)
      EXPECT_FAILS(device.status(), NRD_NOT_FOUND, none);
    else
      EXPECT_FAILS(device.status(), NRD_UNAVAILABLE, "cannot start");
  }
  EXPECT_TRUE(Device::open("auto").ok());
}

} // namespace
