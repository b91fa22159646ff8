// pack_image.cpp - puts one image that something else compiled (PTX, a cubin, a
// code object) into a pack, for tests and measurements on a GPU:
//
//   gpu-pack-image -o k.nrd --name add --target ptx_80 --symbol add_kernel
//       --threads 128 --image add.ptx x_ptr=*fp32 n=i32 [--shared BYTES]
//       [--cluster N] [--pad BYTES] [--scratch BYTES] [--aligned]
//
// Parameters lie one after the other at their natural alignment; --scratch adds
// a pointer to that many bytes per program behind them, --pad zeroed bytes.
// --aligned: the image serves twice, as the variant for arguments divisible by
// 16 and as the generic one. The grid is the caller's.

#include "packager/Archive.h"
#include "packager/File.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace nereid::pack;

static int fail(const std::string &message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return 1;
}

int main(int argc, char **argv) {
  Kernel kernel;
  Variant variant;
  kernel.configs = {Config()};
  variant.block = {128, 1, 1};
  std::string output;
  uint32_t pad = 0;
  bool hasImage = false, isAligned = false;
  auto place = [&](uint32_t size) {
    variant.paramSize = (variant.paramSize + size - 1) / size * size;
    uint32_t offset = variant.paramSize;
    variant.paramSize += size;
    return offset;
  };
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word[0] != '-') {
      size_t equals = word.find('=');
      if (equals == std::string::npos)
        return fail("'" + word + "': write NAME=TYPE, such as x_ptr=*fp32");
      auto made = makeParam(word.substr(0, equals), word.substr(equals + 1));
      if (!made)
        return fail(made.message());
      uint32_t slot = uint32_t(kernel.params.size());
      uint32_t size =
          made->kind == Param::Kind::Pointer ? 8 : (made->bits + 7) / 8;
      if (made->kind == Param::Kind::Descriptor)
        return fail("'" + word + "': descriptors are not supported here");
      variant.fields.push_back(
          {slot, place(size), size, 0, Field::Kind::Value});
      kernel.params.push_back(*made);
      continue;
    }
    if (word == "--aligned") {
      isAligned = true;
      continue;
    }
    if (++i == argc)
      return fail(word + " needs a value");
    std::string value = argv[i];
    uint32_t number = uint32_t(std::strtoul(value.c_str(), nullptr, 10));
    if (word == "-o")
      output = value;
    else if (word == "--name")
      kernel.name = value;
    else if (word == "--target")
      variant.target = value;
    else if (word == "--symbol")
      variant.symbol = value;
    else if (word == "--threads")
      variant.block[0] = number;
    else if (word == "--shared")
      variant.sharedSize = number;
    else if (word == "--cluster")
      variant.cluster = {number, 1, 1};
    else if (word == "--pad")
      pad = number;
    else if (word == "--scratch")
      variant.scratchSize = number;
    else if (word == "--image") {
      auto bytes = readFile(value);
      if (!bytes)
        return fail(bytes.message());
      variant.image = makeBytes(std::move(*bytes));
      hasImage = true;
    } else
      return fail("unknown option " + word);
  }
  if (output.empty() || kernel.name.empty() || !hasImage ||
      variant.target.empty())
    return fail("-o, --name, --target and --image are needed");
  if (variant.symbol.empty())
    variant.symbol = kernel.name;
  if (variant.scratchSize)
    variant.fields.push_back({0, place(8), 8, 0, Field::Kind::Scratch});
  if (pad)
    variant.paramSize = (variant.paramSize + 7) / 8 * 8 + pad;
  kernel.variants = {variant};
  if (isAligned) {
    for (uint32_t slot = 0; slot < kernel.params.size(); ++slot)
      if (kernel.params[slot].kind == Param::Kind::Pointer ||
          (kernel.params[slot].kind == Param::Kind::Integer &&
           kernel.params[slot].bits > 8))
        variant.predicates.push_back({16, slot, Predicate::Kind::DivisibleBy});
    kernel.variants.insert(kernel.variants.begin(), variant);
  }
  Pack pack;
  pack.name = kernel.name;
  pack.producer = "gpu-pack-image";
  pack.kernels = {kernel};
  auto bytes = writePack(pack);
  if (!bytes)
    return fail(bytes.message());
  if (Status status = writeFile(output, *bytes); !status)
    return fail(status.message());
  return 0;
}
