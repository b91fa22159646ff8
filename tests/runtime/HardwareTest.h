//===- HardwareTest.h - What tests on a real NVIDIA GPU share ---*- C++ -*-===//
//
// Kernels are PTX written in the tests, which the driver compiles, so that
// these tests need nothing but the driver. Skipped, saying so, where there is
// no NVIDIA GPU.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_TESTS_RUNTIME_HARDWARETEST_H
#define NEREID_TESTS_RUNTIME_HARDWARETEST_H

#include "TestPack.h"

#include <cstdio>
#include <dlfcn.h>

namespace runtimetest {

/// A function of libcuda, for what an application would do beside Nereid.
template <typename Function> Function *cuda(const char *name) {
  static void *library = dlopen("libcuda.so.1", RTLD_NOW);
  return library ? reinterpret_cast<Function *>(dlsym(library, name)) : nullptr;
}

class Hardware : public testing::Test {
protected:
  void SetUp() override {
    nrd_device_t *device = nullptr;
    if (nrd_device_open("cuda:0", &device) != NRD_OK)
      GTEST_SKIP() << "no NVIDIA GPU: " << nrd_error_message();
    static bool once = (std::printf("%s\n", nrd_device_description(device)), 1);
    (void)once;
    nrd_device_close(device);
  }
};

} // namespace runtimetest

#endif // NEREID_TESTS_RUNTIME_HARDWARETEST_H
