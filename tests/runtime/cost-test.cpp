// What the runtime costs, against its own limits: the best of many rounds, so
// that a busy machine does not fail it.

#include "TestPack.h"

#include "tests/packager/SamplePack.h"

#include <chrono>
#include <cstdio>
#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

using namespace runtimetest;

namespace {

/// Nanoseconds of one `work`, the best of `rounds` times `repeats`.
template <typename Work> double cost(int rounds, int repeats, Work work) {
  double best = 1e30;
  for (int r = 0; r < rounds; ++r) {
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i)
      work(i);
    std::chrono::duration<double, std::nano> spent =
        std::chrono::steady_clock::now() - begin;
    best = std::min(best, spent.count() / repeats);
  }
  return best;
}

void expectBelow(const char *what, double nanoseconds, double limit) {
  std::printf("%-44s %10.1f ns, limit %.0f\n", what, nanoseconds, limit);
  if (!SANITIZED)
    EXPECT_LE(nanoseconds, limit) << what;
}

/// `count` pointers and as many integers, an aligned and a generic variant.
Kernel manyArguments(uint32_t count) {
  Kernel kernel = addKernel("many", {"sm_90a"});
  kernel.params.clear();
  for (Variant &variant : kernel.variants) {
    variant.fields.clear();
    variant.paramSize = 8 * count;
  }
  kernel.variants[0].predicates.clear();
  for (uint32_t i = 0; i < count; ++i) {
    bool isPointer = i % 2 == 0;
    kernel.params.push_back(
        param("a" + std::to_string(i), isPointer ? "*fp32" : "i32"));
    for (Variant &variant : kernel.variants)
      variant.fields.push_back(
          {i, 8 * i, isPointer ? 8u : 4u, 0, Field::Kind::Value});
    kernel.variants[0].predicates.push_back(
        {16, i, Predicate::Kind::DivisibleBy});
  }
  kernel.configs[0].grid = {cdivAxis(1, 1024)};
  return kernel;
}

TEST(Cost, Launches) {
  for (uint32_t count : {4u, 16u, 58u}) {
    Opened o("null:sm_90a", write({manyArguments(count)}), "many");
    nereid::Call owner = o.call();
    nrd_call_t *call = owner.get();
    auto setAll = [&](int i) {
      for (uint32_t slot = 0; slot < count; ++slot)
        if (slot % 2)
          nrd_call_set_int(call, slot, 4096 + 16 * (i % 7));
        else
          nrd_call_set_pointer(call, slot, address(0x10000 + 256 * (i % 5)));
    };
    setAll(0);
    ASSERT_EQ(nrd_call_bind(call), NRD_OK) << nrd_error_message();
    std::string name = std::to_string(count) + " arguments: ";
    expectBelow((name + "launch of a bound call").c_str(),
                cost(50, 10000, [&](int) { nrd_call_launch(call, nullptr); }),
                30);
    expectBelow((name + "set one pointer and launch").c_str(),
                cost(50, 2000,
                     [&](int i) {
                       nrd_call_set_pointer(call, 0,
                                            address(0x10000 + 256 * (i & 7)));
                       nrd_call_launch(call, nullptr);
                     }),
                150);
    expectBelow((name + "set all, bind, launch").c_str(),
                cost(50, 1000,
                     [&](int i) {
                       setAll(i);
                       nrd_call_bind(call);
                       nrd_call_launch(call, nullptr);
                     }),
                1000);
    // Each round takes the other variant.
    expectBelow((name + "set, other variant, bind, launch").c_str(),
                cost(50, 1000,
                     [&](int i) {
                       nrd_call_set_pointer(call, 0, address(0x10000 + i % 2));
                       nrd_call_bind(call);
                       nrd_call_launch(call, nullptr);
                     }),
                1000);
  }
}

// The array behind a tensor map moves: the map's programs are evaluated, and
// its address is replaced.
TEST(Cost, LaunchesWithTensorMaps) {
  Opened o("null:sm_90a", write({recipeKernel("gather", 4)}), "gather");
  nereid::Call owner = o.call();
  nrd_call_t *call = owner.get();
  const int64_t shape[] = {16, 16, 16, 16, 16};
  for (uint32_t slot : {0u, 5u})
    nrd_call_set_pointer(call, slot, address(0x10000));
  for (uint32_t slot : {1u, 2u, 3u})
    nrd_call_set_int(call, slot, 1024);
  nrd_call_set_descriptor(call, 4, address(0x10000), shape, nullptr);
  ASSERT_EQ(variantOf((nrd_call_bind(call), owner)), 0u);
  expectBelow("one array of three moved, launch",
              cost(50, 1000,
                   [&](int i) {
                     nrd_call_set_pointer(call, 0,
                                          address(0x10000 + 256 * (i & 7)));
                     nrd_call_launch(call, nullptr);
                   }),
              1000);
  EXPECT_EQ(variantOf(owner), 0u);
}

TEST(Cost, OpeningAndFinding) {
  for (int count : {10, 100, 1000, 10000}) {
    std::vector<Kernel> kernels;
    // Short of 10000 each kernel has six variants; the file would only be
    // large.
    std::vector<std::string> targets =
        count > 1000 ? std::vector<std::string>{"sm_90a"}
                     : std::vector<std::string>{"sm_80", "sm_90a", "gfx942"};
    Bytes image = makeBytes("image");
    for (int i = 0; i < count; ++i)
      kernels.push_back(
          addKernel("kernel_" + std::to_string(i), targets, image));
    std::string bytes = write(kernels);
    std::string path = testing::TempDir() + "nereid-cost.nrd";
    FILE *file = fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    fwrite(bytes.data(), 1, bytes.size(), file);
    fclose(file);
    std::string name = std::to_string(count) + " kernels: ";
    expectBelow((name + "open and close the file").c_str(),
                cost(20, 20,
                     [&](int) {
                       nrd_pack_t *pack = nullptr;
                       nrd_pack_open_file(path.c_str(), nullptr, &pack);
                       nrd_pack_close(pack);
                     }),
                50000);
    remove(path.c_str());
    Device device = Device::open("null:sm_90a").value();
    auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i)
      names.push_back("kernel_" + std::to_string(i));
    const nrd_kernel_t *kernel = nullptr;
    double first = cost(1, count, [&](int i) {
      nrd_kernel_find(pack.get(), device.get(), names[i].c_str(), &kernel);
    });
    std::printf("%-44s %10.1f ns\n", (name + "first find of each").c_str(),
                first);
    expectBelow((name + "find of a known one").c_str(),
                cost(20, 1000,
                     [&](int i) {
                       nrd_kernel_find(pack.get(), device.get(),
                                       names[i * 7 % count].c_str(), &kernel);
                     }),
                1000);
  }
}

/// Resident memory of this process in bytes, without pages of files: how much
/// of a mapped file is shown with one page of it is the system's choice.
size_t resident() {
  size_t kibibytes = 0;
  if (FILE *file = fopen("/proc/self/status", "r")) {
    char line[200];
    while (fgets(line, sizeof line, file))
      if (sscanf(line, "RssAnon: %zu kB", &kibibytes) == 1)
        break;
    fclose(file);
  }
  return kibibytes << 10;
}

TEST(Cost, MemoryGrowsWithWhatIsBound) {
  constexpr int count = 60, bound = 20;
  constexpr size_t imageSize = 256 << 10;
  std::string path = testing::TempDir() + "nereid-memory.nrd";
  {
    std::vector<Kernel> kernels;
    uint32_t seed = 1;
    for (int i = 0; i < count; ++i) {
      std::string image(imageSize, 0); // half of it cannot be packed
      for (size_t at = 0; at < imageSize / 2; ++at)
        image[at] = char((seed = seed * 1664525 + 1013904223) >> 24);
      kernels.push_back(addKernel("kernel_" + std::to_string(i), {"sm_90a"},
                                  makeBytes(std::move(image))));
    }
    std::string bytes = write(kernels);
    FILE *file = fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    fwrite(bytes.data(), 1, bytes.size(), file);
    fclose(file);
  }
  Device device = Device::open("null:sm_90a").value();
  malloc_trim(0);
  size_t last = resident();
  auto grown = [&](const char *what, size_t limit) {
    size_t now = resident();
    size_t more = now > last ? now - last : 0;
    std::printf("%-44s %10zu KiB more, limit %zu\n", what, more >> 10,
                limit >> 10);
    if (!SANITIZED)
      EXPECT_LE(more, limit) << what;
    last = now;
  };
  auto pack = nereid::Pack::openFile(path.c_str()).value();
  grown("open a pack of 60 images of 256 KiB", 64 << 10);
  std::vector<nereid::Kernel> found;
  for (int i = 0; i < count; ++i)
    found.push_back(
        pack.find(("kernel_" + std::to_string(i)).c_str(), device).value());
  grown("find all 60", count * (16 << 10));
  std::vector<nereid::Call> calls;
  for (int i = 0; i < bound; ++i) {
    calls.push_back(
        found[i].call(address(16), address(16), address(16), 16).value());
    calls.back().bind().check();
    if (i == 0)
      grown("bind one", imageSize + (64 << 10));
  }
  grown("bind 19 more", (bound - 1) * (imageSize + (16 << 10)));
  remove(path.c_str());
}

} // namespace
