//===- TestPack.h - Packs and handles for the runtime's tests ---*- C++ -*-===//
//
// Packs are written with the packager's own writer, so each test here is also
// one of writer and reader agreeing. repairHashes() makes a damaged pack pass
// every checksum, so that the checks behind them are reached.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_TESTS_RUNTIME_TESTPACK_H
#define NEREID_TESTS_RUNTIME_TESTPACK_H

#include "nereid/nereid.hpp"
#include "packager/Archive.h"
#include "packager/Hash.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace runtimetest {

using namespace nereid::pack;
using nereid::Device;

inline Param param(const std::string &name, const std::string &type) {
  return *makeParam(name, type);
}

inline GridAxis axis(std::vector<GridStep> steps, std::string text) {
  GridAxis made;
  made.steps = std::move(steps);
  made.text = std::move(text);
  return made;
}

/// cdiv(slot, block).
inline GridAxis cdivAxis(uint32_t slot, int64_t block) {
  return axis(
      {{slot, GridOp::PushSlot}, {block, GridOp::PushConst}, {0, GridOp::CDiv}},
      "cdiv(n, " + std::to_string(block) + ")");
}

/// x, y, out: pointers to fp32; n: i32. Grid cdiv(n, 1024). `targets` get an
/// aligned and a generic variant each.
inline Kernel addKernel(const std::string &name,
                        std::vector<std::string> targets = {"x86-64-v2"},
                        Bytes image = makeBytes("no image")) {
  Kernel kernel;
  kernel.name = name;
  kernel.params = {param("x_ptr", "*kfp32"), param("y_ptr", "*kfp32"),
                   param("out_ptr", "*fp32"), param("n", "i32")};
  Config config;
  config.constants = {{"BLOCK", "1024"}};
  config.grid = {cdivAxis(3, 1024)};
  config.ir = makeBytes("module {}");
  kernel.configs = {config};
  for (const std::string &target : targets) {
    Variant variant;
    variant.target = target;
    variant.image = image;
    variant.symbol = "add";
    variant.block = {128, 1, 1};
    variant.paramSize = 32;
    variant.fields = {{0, 0, 8, 0, Field::Kind::Value},
                      {1, 8, 8, 0, Field::Kind::Value},
                      {2, 16, 8, 0, Field::Kind::Value},
                      {3, 24, 4, 0, Field::Kind::Value}};
    Variant aligned = variant;
    aligned.symbol = "add_aligned";
    aligned.predicates = {{16, 0, Predicate::Kind::DivisibleBy},
                          {16, 1, Predicate::Kind::DivisibleBy},
                          {16, 2, Predicate::Kind::DivisibleBy},
                          {16, 3, Predicate::Kind::DivisibleBy}};
    kernel.variants.push_back(aligned);
    kernel.variants.push_back(variant);
  }
  return kernel;
}

inline std::string write(std::vector<Kernel> kernels,
                         const std::string &name = "test") {
  nereid::pack::Pack pack;
  pack.name = name;
  pack.producer = "nereid tests";
  pack.kernels = std::move(kernels);
  CheckOptions options;
  options.requireFallback = false;
  auto bytes = writePack(pack, options);
  EXPECT_TRUE(bool(bytes)) << bytes.message();
  return bytes ? *bytes : std::string();
}

template <typename T> T load(const std::string &bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
template <typename T> void store(std::string &bytes, size_t at, T value) {
  std::memcpy(&bytes[at], &value, sizeof value);
}

/// Where the parts of the header stand.
namespace header {
enum : size_t {
  Magic = 0,
  Major = 8,
  FileSize = 16,
  RootOffset = 24,
  RootSize = 32,
  RootHash = 40,
  DirectoryOffset = 48,
  KernelCount = 56,
  DirectoryHash = 64,
  SignatureOffset = 72,
  Hash = 80,
  Size = 88
};
}

/// Makes every checksum match again, as far as offsets still point inside.
inline void repairHashes(std::string &bytes) {
  if (bytes.size() < header::Size)
    return;
  auto inside = [&](uint64_t offset, uint64_t size) {
    return offset <= bytes.size() && size <= bytes.size() - offset;
  };
  auto hash = [&](uint64_t offset, uint64_t size) {
    return xxh3(std::string_view(bytes).substr(offset, size));
  };
  uint64_t directory = load<uint64_t>(bytes, header::DirectoryOffset);
  uint64_t count = load<uint64_t>(bytes, header::KernelCount);
  if (count < 1000 && inside(directory, count * 64)) {
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t offset = load<uint64_t>(bytes, directory + i * 64 + 8);
      uint64_t size = load<uint64_t>(bytes, directory + i * 64 + 16);
      if (inside(offset, size))
        store(bytes, directory + i * 64 + 24, hash(offset, size));
    }
    store(bytes, header::DirectoryHash, hash(directory, count * 64));
  }
  uint64_t root = load<uint64_t>(bytes, header::RootOffset);
  uint64_t rootSize = load<uint64_t>(bytes, header::RootSize);
  if (inside(root, rootSize))
    store(bytes, header::RootHash, hash(root, rootSize));
  store(bytes, header::Hash, hash(0, header::Hash));
}

/// The first kernel's buffer in a pack.
inline std::string kernelBuffer(const std::string &bytes) {
  uint64_t directory = load<uint64_t>(bytes, header::DirectoryOffset);
  return bytes.substr(load<uint64_t>(bytes, directory + 8),
                      load<uint64_t>(bytes, directory + 16));
}

/// A kernel of a pack in memory on a device, with the first call of it.
struct Opened {
  Device device;
  std::string bytes;
  nereid::Pack pack;
  nereid::Kernel kernel;

  Opened(const char *deviceName, std::string packBytes, const char *name)
      : device(Device::open(deviceName).value()), bytes(std::move(packBytes)),
        pack(nereid::Pack::openMemory(bytes.data(), bytes.size()).value()),
        kernel(pack.find(name, device).value()) {}

  nereid::Call call() { return nereid::Call::create(kernel.get()).value(); }
};

inline uint32_t variantOf(nereid::Call &call) {
  uint32_t variant = ~0u;
  EXPECT_EQ(nrd_call_variant(call.get(), &variant), NRD_OK)
      << nrd_error_message();
  return variant;
}

/// The packed parameters of a bound call.
template <typename T> T parameter(nereid::Call &call, size_t offset) {
  const void *params = nullptr;
  size_t size = 0;
  EXPECT_EQ(nrd_call_params(call.get(), &params, &size), NRD_OK);
  T value{};
  EXPECT_LE(offset + sizeof value, size);
  if (params && offset + sizeof value <= size)
    std::memcpy(&value, static_cast<const char *>(params) + offset,
                sizeof value);
  return value;
}

/// An address with a chosen remainder; nothing is ever read there.
inline void *address(uint64_t value) {
  return reinterpret_cast<void *>(static_cast<uintptr_t>(value));
}

} // namespace runtimetest

/// Fails unless `expression` returns `code` with `text` in its message.
#define EXPECT_FAILS(expression, expected, text)                               \
  do {                                                                         \
    nereid::Status status_(expression);                                        \
    EXPECT_STREQ(status_.name(), #expected) << status_.message();              \
    EXPECT_NE(status_.message().find(text), std::string::npos)                 \
        << "message: " << status_.message() << "\nlacks:   " << text;          \
  } while (0)

#endif // NEREID_TESTS_RUNTIME_TESTPACK_H
