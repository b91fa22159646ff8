//===- Compress.cpp - Blobs through zstd ----------------------------------===//

#include "packager/Compress.h"

#include <memory>
#include <new>
#include <zstd.h>

namespace nereid::pack {

namespace {
// Images are small and packed once: the slowest ordinary level costs
// milliseconds and decodes as fast as any other.
constexpr int kLevel = 19;

struct Free {
  void operator()(ZSTD_CCtx *context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx *context) const { ZSTD_freeDCtx(context); }
};
} // namespace

std::string compress(std::string_view raw, std::string_view dictionary) {
  std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  if (!context)
    throw std::bad_alloc();
  // The archive holds the size and better hashes; the frame need not.
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 0);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_dictIDFlag, 0);
  if (!dictionary.empty())
    ZSTD_CCtx_loadDictionary(context.get(), dictionary.data(),
                             dictionary.size());
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  size_t size = ZSTD_compress2(context.get(), frame.data(), frame.size(),
                               raw.data(), raw.size());
  if (ZSTD_isError(size))
    throw std::bad_alloc();
  frame.resize(size);
  return frame;
}

Result<std::string> decompress(std::string_view frame, uint64_t rawSize,
                               std::string_view dictionary) {
  if (rawSize > kMaxBlobSize)
    return Status::error("it claims ", rawSize, " bytes, more than the ",
                         kMaxBlobSize, " allowed");
  unsigned long long said =
      ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (said == ZSTD_CONTENTSIZE_ERROR || said == ZSTD_CONTENTSIZE_UNKNOWN)
    return Status::error("it is not a zstd frame that states its size");
  if (said != rawSize)
    return Status::error("its zstd frame states ", said, " bytes, the index ",
                         rawSize);
  std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (!context)
    throw std::bad_alloc();
  std::string raw(rawSize, '\0');
  size_t size = ZSTD_decompress_usingDict(context.get(), raw.data(), raw.size(),
                                          frame.data(), frame.size(),
                                          dictionary.data(), dictionary.size());
  if (ZSTD_isError(size))
    return Status::error("zstd cannot unpack it: ", ZSTD_getErrorName(size));
  if (size != rawSize)
    return Status::error("it unpacks to ", size, " bytes, not ", rawSize);
  return raw;
}

} // namespace nereid::pack
