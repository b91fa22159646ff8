//===- Compress.h - Blobs through zstd --------------------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_COMPRESS_H
#define NEREID_PACKAGER_COMPRESS_H

#include "nereid/archive_limits.h"
#include "packager/Result.h"

#include <cstdint>
#include <string_view>

namespace nereid::pack {

/// No blob may be larger when unpacked: a bound on what a hostile pack can make
/// a reader allocate.
constexpr uint64_t kMaxBlobSize = NRD_MAX_IMAGE_SIZE;

/// The zstd frame of `raw`, at the level packs are built with; the same bytes
/// for the same input and zstd version. `dictionary` may be empty.
std::string compress(std::string_view raw, std::string_view dictionary = {});

/// The raw bytes of a frame that must hold exactly `rawSize`.
Result<std::string> decompress(std::string_view frame, uint64_t rawSize,
                               std::string_view dictionary = {});

} // namespace nereid::pack

#endif // NEREID_PACKAGER_COMPRESS_H
