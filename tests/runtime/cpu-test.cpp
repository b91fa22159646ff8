// The CPU driver: loading kernels, running grids, what kernels can call.

#include "TestPack.h"

extern "C" {
#include "runtime/driver/cpu/elf.h"
}

#if defined(_OPENMP)
#include <omp.h>
#endif

#include <atomic>
#include <fstream>
#include <numeric>
#include <sstream>
#include <thread>

using namespace runtimetest;

namespace {

std::string readFile(const std::string &name) {
  std::ifstream file(std::string(NEREID_TEST_OBJECTS) + "/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

#if defined(__aarch64__)
const char *const kLevel = "aarch64";
#else
const char *const kLevel = "x86-64-v2";
#endif

Kernel kernelOf(const std::string &symbol, std::vector<Param> params,
                const std::string &image) {
  Kernel kernel;
  kernel.name = symbol;
  kernel.params = std::move(params);
  kernel.configs = {Config()};
  Variant variant;
  variant.target = kLevel;
  variant.image = makeBytes(image);
  variant.symbol = symbol;
  uint32_t offset = 0;
  for (uint32_t i = 0; i < kernel.params.size(); ++i) {
    uint32_t size = kernel.params[i].kind == Param::Kind::Integer ? 4 : 8;
    variant.fields.push_back({i, offset, size, 0, Field::Kind::Value});
    offset += size;
  }
  variant.paramSize = offset;
  kernel.variants = {variant};
  return kernel;
}

TEST(Cpu, IsDescribedByItsFeatures) {
  Device device = Device::open("cpu").value();
  EXPECT_TRUE(device.accepts(kLevel));
  EXPECT_FALSE(device.accepts("sm_90a"));
  EXPECT_NE(std::string(device.description()).find(device.target()),
            std::string::npos);
  EXPECT_GE(nrd_device_threads(device.get()), 1u);
  device.setThreads(3);
  EXPECT_EQ(nrd_device_threads(device.get()), 3u);
#if defined(__x86_64__)
  EXPECT_EQ(device.accepts("x86-64-v3"), __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(device.accepts("x86-64-v4"),
            __builtin_cpu_supports("avx512bw") != 0);
  EXPECT_FALSE(device.accepts("aarch64"));
  Device limited = Device::open("cpu:x86-64-v2").value();
  EXPECT_FALSE(limited.accepts("x86-64-v3"));
  EXPECT_STREQ(limited.name(), "cpu:x86-64-v2");
#endif
  EXPECT_FAILS(Device::open("cpu:sm_90").status(), NRD_INCOMPATIBLE,
               "'sm_90' code needs an NVIDIA GPU");
  EXPECT_FAILS(Device::open("cpu:pentium").status(), NRD_NOT_FOUND,
               "'cpu:pentium' names no level of a CPU");
}

TEST(Cpu, AddsVectors) {
  Opened o(
      "cpu",
      write({addKernel("add", {kLevel}, makeBytes(readFile("kernels.so")))}),
      "add");
  for (int n : {1, 1023, 1024, 1025, 100000}) {
    std::vector<float> x(n), y(n), out(n + 1, -1.0f);
    std::iota(x.begin(), x.end(), 0.0f);
    std::iota(y.begin(), y.end(), 0.5f);
    nereid::Call call =
        o.kernel.call(x.data(), y.data(), out.data(), n).value();
    call.launch().check();
    for (int i = 0; i < n; ++i)
      ASSERT_EQ(out[i], x[i] + y[i]) << i;
    EXPECT_EQ(out[n], -1.0f);
  }
}

#if defined(__x86_64__)
TEST(Cpu, SubnormalsSurviveAFastMathApplication) {
  Opened o(
      "cpu",
      write({addKernel("add", {kLevel}, makeBytes(readFile("kernels.so")))}),
      "add");
  float x = 1e-40f, y = 0, out = -1;
  nereid::Call call = o.kernel.call(&x, &y, &out, 1).value();
  uint32_t before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | 0x8040); // flush to zero, both ways
  nrd_status_t status = nrd_call_launch(call.get(), nullptr);
  uint32_t after = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before);
  EXPECT_EQ(status, NRD_OK);
  EXPECT_EQ(out, 1e-40f);
  EXPECT_EQ(after & 0x8040u, 0x8040u) << "the application's mode is put back";
}
#endif

TEST(Cpu, RunsEveryProgramOnceWithItsOwnScratch) {
  Kernel kernel = kernelOf(
      "count",
      {param("out", "*u32"), param("size", "i32"), param("spin", "i32")},
      readFile("kernels.so"));
  kernel.variants[0].scratchSize = 5000;
  Opened o("cpu", write({kernel}), "count");
  for (uint32_t threads : {1u, 2u, 7u}) {
    o.device.setThreads(threads);
    for (uint32_t x : {1u, 2u, 13u, 1000u}) {
      std::vector<uint32_t> counts(x * 6, 0);
      nereid::Call call = o.kernel.call(counts.data(), 5000, 100).value();
      call.setGrid(x, 2, 3).check();
      call.bind().check();
      // Repeats, so that the quick grids are run serially too.
      for (int repeat = 0; repeat < 3; ++repeat)
        call.launch().check();
      EXPECT_EQ(counts, std::vector<uint32_t>(x * 6, 3u))
          << threads << " threads, " << x;
    }
  }
}

TEST(Cpu, AGridThatBecomesSlowIsSpreadAfterAll) {
  Opened o("cpu",
           write({kernelOf("count",
                           {param("out", "*u32"), param("size", "i32"),
                            param("spin", "i32")},
                           readFile("kernels.so"))}),
           "count");
  o.device.setThreads(2);
  std::vector<uint32_t> counts(64, 0);
  nereid::Call call = o.kernel.call(counts.data(), 0, 0).value();
  call.setGrid(64).check();
  for (int i = 0; i < 4; ++i)
    call.launch().check(); // now known to be quick
  call.set(2, 100000).check();
  for (int i = 0; i < 2; ++i)
    call.launch().check();
  EXPECT_EQ(counts, std::vector<uint32_t>(64, 6u));
}

TEST(Cpu, ManyThreadsLaunchAtOnce) {
  Opened o("cpu",
           write({kernelOf("count",
                           {param("out", "*u32"), param("size", "i32"),
                            param("spin", "i32")},
                           readFile("kernels.so"))}),
           "count");
  o.device.setThreads(3);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      std::vector<uint32_t> counts(300, 0);
      auto kernel = o.pack.find("count", o.device);
      if (!kernel.ok())
        return void(++failures);
      auto call = kernel->call(counts.data(), 0, 50);
      if (!call.ok() || !call->setGrid(300).ok())
        return void(++failures);
      for (int i = 0; i < 20; ++i)
        if (!call->launch().ok())
          ++failures;
      if (counts != std::vector<uint32_t>(300, 20))
        ++failures;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failures, 0);
}

TEST(Cpu, OverlappingLaunchesShareTheThreads) {
  Opened o("cpu",
           write({kernelOf("crowd", {param("out", "*i32")},
                           readFile("kernels.so"))}),
           "crowd");
  o.device.setThreads(4);
  int32_t crowd[2] = {0, 0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      nereid::Call call = o.kernel.call(&crowd[0]).value();
      call.setGrid(400).check();
      for (int i = 0; i < 2; ++i)
        call.launch().check();
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(crowd[0], 0);
  // Four, and the callers that found them in use; not four times four.
  EXPECT_LE(crowd[1], 4 + 3);
}

#if defined(_OPENMP)
TEST(Cpu, ALaunchInsideAParallelRegionStaysOnItsThread) {
  Opened o("cpu",
           write({kernelOf("crowd", {param("out", "*i32")},
                           readFile("kernels.so"))}),
           "crowd");
  o.device.setThreads(8);
  int32_t crowd[2] = {0, 0};
  int failures = 0;
  omp_set_max_active_levels(3); // an application that nests
#pragma omp parallel num_threads(2) reduction(+ : failures)
  {
    auto call = o.kernel.call(&crowd[0]);
    failures += !call.ok() || !call->setGrid(400).ok();
    failures += !call->launch().ok();
  }
  EXPECT_EQ(failures, 0);
  EXPECT_LE(crowd[1], 2);
}
#endif

TEST(Cpu, KernelsReachTheirDataAndTheImports) {
  Opened o("cpu",
           write({kernelOf("relocated", {param("out", "*i8")},
                           readFile("kernels.so"))}),
           "relocated");
  char text[8] = {};
  nereid::Call call = o.kernel.call(text).value();
  call.setGrid(1).check();
  call.launch().check();
  EXPECT_EQ(std::string(text, 4), "zero"); // 42 % 3
  EXPECT_EQ(text[4], 42);
  call.launch().check();
  EXPECT_EQ(text[4], 44) << "its data is one for all launches";
}

TEST(Cpu, PrintsALinePerElement) {
  std::vector<std::string> lines;
  nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
  options.threads = 1;
  options.print = [](void *context, const char *line) {
    static_cast<std::vector<std::string> *>(context)->push_back(line);
  };
  options.print_context = &lines;
  Device device = Device::open("cpu", options).value();
  std::string bytes = write({kernelOf("tells", {}, readFile("kernels.so"))});
  auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  nereid::Call call = pack.find("tells", device).value().call().value();
  call.setGrid(2, 2).check();
  call.launch().check();
  ASSERT_EQ(lines.size(), 12u);
  EXPECT_EQ(lines[3], "pid (1, 0, 0) idx (3, -4) x: -7");
  EXPECT_EQ(lines[4], "pid (1, 0, 0) idx () y: 0.500000");
  EXPECT_EQ(lines[8], "pid (0, 1, 0) idx (3) z: 0xff");
}

TEST(Cpu, AFailedAssertionIsAStatus) {
  Opened o("cpu", write({kernelOf("asserts", {}, readFile("kernels.so"))}),
           "asserts");
  nereid::Call call = o.kernel.call().value();
  call.setGrid(5).check();
  call.launch().check();
  call.setGrid(1000).check();
  EXPECT_FAILS(call.launch(), NRD_KERNEL_FAILED,
               "k.py:12: device_assert failed in program (5, 0, 0): x must be "
               "positive");
  call.setGrid(5).check();
  call.launch().check();
}

nereid::Status bindImage(const std::string &image,
                         const char *symbol = "relocated") {
  Opened o("cpu", write({kernelOf(symbol, {}, image)}), symbol);
  nereid::Call call = o.kernel.call().value();
  call.setGrid(1).check();
  return call.bind();
}

TEST(Image, OnlyWhatKernelsMayHaveIsLoaded) {
  EXPECT_TRUE(bindImage(readFile("kernels.so")).ok());
  EXPECT_FAILS(bindImage(readFile("kernels.so"), "subtract"), NRD_CORRUPT,
               "has no function 'subtract'");
  // The pack says which image is wrong, and the reason is kept.
  EXPECT_FAILS(bindImage(readFile("constructor.so")), NRD_CORRUPT,
               "image of kernel 'relocated' cannot be loaded: it has "
               "constructors or destructors");
  EXPECT_FAILS(bindImage(readFile("thread-local.so")), NRD_CORRUPT,
               "it has thread-local storage");
  EXPECT_FAILS(bindImage(readFile("import.so")), NRD_CORRUPT,
               "it needs 'puts', which kernels may not import");
  EXPECT_FAILS(bindImage(readFile("needs-libc.so")), NRD_CORRUPT,
               "it depends on another library");
  EXPECT_FAILS(bindImage("not an object"), NRD_CORRUPT, "too short to be");
  EXPECT_FAILS(bindImage(std::string(5000, 'x')), NRD_CORRUPT,
               "not a 64-bit little-endian ELF shared object");
  std::string other = readFile("kernels.so");
  store<uint16_t>(other, 18, 243); // RISC-V
  EXPECT_FAILS(bindImage(other), NRD_INCOMPATIBLE, "it is for ELF machine 243");
}

TEST(Image, DamageNeverCrashesTheLoader) {
  // Flips bits of the parts that the loader interprets: headers, and what the
  // dynamic section points at. Code and plain data are not interpreted.
  std::string good = readFile("kernels.so");
  size_t refused = 0, tried = 0;
  auto tryLoad = [&](const std::string &image) {
    nrd_elf_t elf;
    ++tried;
    if (nrd_elf_load(reinterpret_cast<const uint8_t *>(image.data()),
                     image.size(), "the image", &elf) != NRD_OK)
      return void(++refused);
    (void)nrd_elf_function(&elf, "relocated");
    (void)nrd_elf_function(&elf, "no such name");
    nrd_elf_unload(&elf);
  };
  for (size_t at = 0; at < good.size(); ++at) {
    for (int bit : {0, 3, 7}) {
      std::string bad = good;
      bad[at] ^= static_cast<char>(1 << bit);
      tryLoad(bad);
    }
    if (at % 4 == 0) {
      std::string bad = good;
      store<uint32_t>(bad, std::min(at, good.size() - 4), 0xfffffff0u);
      tryLoad(bad);
    }
  }
  for (size_t size = 0; size < good.size(); size += 13)
    tryLoad(good.substr(0, size));
  EXPECT_GT(refused, tried / 50);
}

TEST(Image, TheReasonOfAFailureIsKept) {
  Opened o("cpu",
           write({kernelOf("relocated", {}, readFile("constructor.so"))}),
           "relocated");
  for (int i = 0; i < 3; ++i) {
    nereid::Call call = o.kernel.call().value();
    call.setGrid(1).check();
    EXPECT_FAILS(call.bind(), NRD_CORRUPT, "constructors");
  }
  EXPECT_NE(o.kernel.explain().find("not loadable: "), std::string::npos);
}

TEST(Image, VariantsMayShareOne) {
  // Both variants of addKernel name one blob; each finds its own function.
  Opened o(
      "cpu",
      write({addKernel("add", {kLevel}, makeBytes(readFile("kernels.so")))}),
      "add");
  ASSERT_EQ(o.kernel.preload().code(), NRD_OK);
  alignas(64) float x[32] = {1, 2, 3}, y[32] = {4, 5, 6}, out[32] = {};
  nereid::Call aligned = o.kernel.call(x, y, out, 16).value();
  aligned.launch().check();
  EXPECT_EQ(variantOf(aligned), 0u);
  nereid::Call generic = o.kernel.call(x + 1, y, out, 15).value();
  generic.launch().check();
  EXPECT_EQ(variantOf(generic), 1u);
  EXPECT_EQ(out[0], 6.0f);
  void *one = nullptr, *two = nullptr;
  ASSERT_EQ(nrd_call_function(aligned.get(), &one), NRD_OK);
  ASSERT_EQ(nrd_call_function(generic.get(), &two), NRD_OK);
  EXPECT_NE(one, two);
}

} // namespace
