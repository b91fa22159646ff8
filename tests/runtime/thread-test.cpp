// Many threads on one pack, one device, one kernel. Run it under TSan.

#include "TestPack.h"

#include <atomic>
#include <thread>

using namespace runtimetest;

namespace {

void inThreads(int count, const std::function<void(int)> &work) {
  std::atomic<int> waiting{count};
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t)
    threads.emplace_back([&, t] {
      --waiting;
      while (waiting) // all at once
        std::this_thread::yield();
      work(t);
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Threads, FindBindAndLaunchTogether) {
  std::vector<Kernel> kernels;
  for (int i = 0; i < 20; ++i)
    kernels.push_back(addKernel("kernel_" + std::to_string(i),
                                {"sm_80", "sm_90a"},
                                makeBytes(std::string(2000 + i, 'x'))));
  std::string bytes = write(kernels);
  for (int round = 0; round < 10; ++round) {
    Device device = Device::open("null:sm_90a").value();
    auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
    std::atomic<int> failures{0};
    std::atomic<const nrd_kernel_t *> shared{nullptr};
    inThreads(8, [&](int t) {
      for (int i = 0; i < 20; ++i) {
        // The same one first, then each thread its own order.
        std::string name = "kernel_" + std::to_string((i * (t + 1)) % 20);
        auto kernel = pack.find(name.c_str(), device);
        if (!kernel.ok())
          return void(++failures);
        if (i == 0) {
          const nrd_kernel_t *expected = nullptr;
          if (!shared.compare_exchange_strong(expected, kernel->get()) &&
              expected != kernel->get())
            ++failures; // two handles for one kernel
        }
        auto call = kernel->call(address(16), address(16), address(16), 16);
        if (!call.ok() || !call->launch().ok() ||
            !call->set(0, address(4)).ok() || !call->launch().ok())
          ++failures;
        (void)pack.find("nothing", device);
        (void)call->explain();
      }
    });
    EXPECT_EQ(failures, 0);
  }
}

TEST(Threads, AnImageIsLoadedOnce) {
  // The log says when an image is loaded.
  static std::atomic<int> loads;
  loads = 0;
  nrd_log_set_callback(
      [](void *, nrd_log_level_t, const char *message) {
        loads += std::string(message).find("loaded") != std::string::npos;
      },
      nullptr, NRD_LOG_DECISION);
  {
    Opened o("null", write({addKernel("add")}), "add");
    inThreads(8, [&](int) {
      auto call =
          o.kernel.call(address(16), address(16), address(16), 16).value();
      for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(call.launch().ok());
    });
  }
  nrd_log_set_callback(nullptr, nullptr, NRD_LOG_ERROR);
  EXPECT_EQ(loads, 1);
}

TEST(Threads, ABoundCallMayBeLaunchedByMany) {
  Opened o("null", write({addKernel("add")}), "add");
  auto call = o.kernel.call(address(16), address(16), address(16), 16).value();
  call.bind().check();
  std::atomic<int> failures{0};
  inThreads(4, [&](int) {
    for (int i = 0; i < 1000; ++i)
      failures += !call.launch().ok();
  });
  EXPECT_EQ(failures, 0);
}

TEST(Threads, EachHasItsOwnMessage) {
  inThreads(4, [&](int t) {
    for (int i = 0; i < 100; ++i) {
      std::string name = "thread" + std::to_string(t);
      nrd_device_t *device = nullptr;
      EXPECT_EQ(nrd_device_open(name.c_str(), &device), NRD_NOT_FOUND);
      EXPECT_NE(std::string(nrd_error_message()).find(name), std::string::npos);
    }
  });
}

TEST(Threads, OpeningAndClosingTogether) {
  std::string bytes = write({addKernel("add")});
  Device shared = Device::open("null").value();
  inThreads(8, [&](int) {
    for (int i = 0; i < 50; ++i) {
      Device own = Device::open("null").value();
      auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
      auto one = pack.find("add", own).value();
      auto two = pack.find("add", shared).value();
      EXPECT_NE(one.get(), two.get());
    }
  });
}

} // namespace
