//===- BlobTable.h - The blobs of one file ----------------------*- C++ -*-===//
//
// Each content is kept once and compressed on all processors. A blob may name
// another that it resembles (another variant of the same kernel): where that
// pays, it is compressed with the other as its dictionary.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_BLOBTABLE_H
#define NEREID_PACKAGER_BLOBTABLE_H

#include "packager/ArchiveFormat.h"

#include <map>

namespace nereid::pack {

class BlobTable {
public:
  /// Adds `bytes` and returns their number. `resembles` may be null.
  size_t add(const Bytes &bytes, const Bytes &resembles = nullptr);

  /// Compresses every blob and chooses the dictionaries.
  void pack();

  /// The number of the blob's dictionary, or -1. After pack().
  int64_t dictionary(size_t number) const { return blobs[number].dictionary; }

  /// Gives each blob its place from `offset` on; returns where the last ends.
  uint64_t place(uint64_t offset);

  /// The blob as a kernel's index has it; `dictionary` is an index there.
  archive::Blob describe(size_t number, int32_t dictionary) const;

  /// Appends the blobs at their places.
  void write(std::string &file) const;

private:
  struct Entry {
    Bytes raw;
    Digest digest;
    int64_t dictionary;
    std::string stored = {};
    archive::Codec codec = archive::Codec::none;
    uint64_t offset = 0;
  };
  void packOne(Entry &entry);

  std::vector<Entry> blobs;
  std::map<Digest, size_t> numbers;
};

} // namespace nereid::pack

#endif // NEREID_PACKAGER_BLOBTABLE_H
