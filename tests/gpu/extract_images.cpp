// extract_images.cpp - writes the images of a pack to files, for disassemblers:
//
//   gpu-extract-images k.nrd FOLDER
//
// FOLDER/KERNEL.TARGET.bin is the first variant of each target, the one that
// asks most of its arguments.

#include "packager/Archive.h"
#include "packager/File.h"

#include <cstdio>
#include <set>

using namespace nereid::pack;

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: gpu-extract-images PACK FOLDER\n");
    return 2;
  }
  auto pack = readPackFile(argv[1]);
  if (!pack) {
    std::fprintf(stderr, "error: %s\n", pack.message().c_str());
    return 1;
  }
  std::set<std::string> written;
  for (const Kernel &kernel : pack->kernels)
    for (const Variant &variant : kernel.variants) {
      std::string path = std::string(argv[2]) + "/" + kernel.name + "." +
                         variant.target + ".bin";
      if (!written.insert(path).second)
        continue;
      if (Status status = writeFile(path, *variant.image); !status) {
        std::fprintf(stderr, "error: %s\n", status.message().c_str());
        return 1;
      }
    }
  return 0;
}
