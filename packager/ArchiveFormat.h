//===- ArchiveFormat.h - What writer, reader and signer share ---*- C++ -*-===//

#ifndef NEREID_PACKAGER_ARCHIVEFORMAT_H
#define NEREID_PACKAGER_ARCHIVEFORMAT_H

#include "nereid/archive_generated.h"
#include "nereid/archive_limits.h"
#include "packager/Archive.h"

#include <cstring>

namespace nereid::pack {

constexpr const char kRootId[] = "NRD1";
constexpr const char kKernelId[] = "NRK1";
constexpr uint64_t kPartAlignment = NRD_ARCHIVE_ALIGNMENT;
constexpr size_t kHeaderSize = sizeof(archive::Header);
constexpr size_t kSignatureSize = 32 + 64;
constexpr uint64_t kMaxKernels = NRD_MAX_KERNELS;

static_assert(kHeaderSize == NRD_ARCHIVE_HEADER_SIZE,
              "the header's layout is the format");
static_assert(sizeof(archive::DirectoryEntry) == NRD_ARCHIVE_ENTRY_SIZE,
              "the directory's layout is the format");
static_assert(sizeof(archive::Blob) == 72, "a blob's layout is the format");

inline uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// The header's bytes with its own hash filled in.
inline std::string headerBytes(archive::Header header) {
  std::string bytes(reinterpret_cast<const char *>(&header), kHeaderSize);
  uint64_t hash = flatbuffers::EndianScalar(
      xxh3(std::string_view(bytes).substr(0, kHeaderSize - 8)));
  std::memcpy(&bytes[kHeaderSize - 8], &hash, 8);
  return bytes;
}

/// Reads and checks the header alone: magic, version, its own hash, and that
/// root, directory and signature lie inside a file of this size.
Result<archive::Header> readHeader(std::string_view bytes);

/// The root buffer and the directory, which readHeader has placed in the file.
inline std::string_view rootBytes(std::string_view bytes,
                                  const archive::Header &header) {
  return bytes.substr(header.root_offset(), header.root_size());
}
inline std::string_view directoryBytes(std::string_view bytes,
                                       const archive::Header &header) {
  return bytes.substr(header.directory_offset(),
                      header.kernel_count() * sizeof(archive::DirectoryEntry));
}

} // namespace nereid::pack

#endif // NEREID_PACKAGER_ARCHIVEFORMAT_H
