// A machine without GPU drivers, or with drivers that do not start: a status
// and a sentence, and "auto" goes on to the CPU.

#include "TestPack.h"

#include <dlfcn.h>

using namespace runtimetest;

namespace {

TEST(Absent, AutoGoesOnToTheCpu) {
  // Whatever is installed here, the mocks beside this program refuse to start.
  setenv("MOCK_CUDA_INIT", "100", 1);
  setenv("MOCK_HIP_INIT", "101", 1);
  EXPECT_FAILS(Device::open("cuda").status(), NRD_NOT_FOUND,
               "there is no NVIDIA GPU here");
  EXPECT_FAILS(Device::open("hip").status(), NRD_NOT_FOUND,
               "there is no AMD GPU here");
  EXPECT_EQ(nrd_device_count("cuda"), 0u);
  EXPECT_EQ(nrd_device_count("hip"), 0u);
  EXPECT_STREQ(Device::open("auto").value().name(), "cpu");
  setenv("MOCK_CUDA_INIT", "803", 1);
  EXPECT_FAILS(Device::open("cuda").status(), NRD_UNAVAILABLE,
               "the NVIDIA driver cannot start: CUDA_ERROR_MOCK: mock error "
               "803");
}

} // namespace
