// runtime/blob.c - unpacks a pack's blobs: images, IR, dictionaries.

#include "runtime/hash.h"
#include "runtime/pack.h"

#include <string.h>
#include <zstd.h>

// A dictionary is a blob without one, so this nests once.
static nrd_status_t unpack(nrd_pack_t *pack, const nrd_index_t *index,
                           const nrd_blob_t *blob, const char *what,
                           const uint8_t **out_bytes, void **out_owned) {
  const uint8_t *stored = pack->bytes + blob->offset;
  if (blob->codec == 0) {
    if (blob->stored_size != blob->raw_size)
      return nrd_fail(NRD_CORRUPT, "%s is damaged: its sizes do not agree",
                      what);
    *out_bytes = stored;
    *out_owned = NULL;
    return NRD_OK;
  }
  // The frame's own claim comes first: it costs nothing, and a frame that would
  // unpack to more than the index says is refused before memory is taken.
  unsigned long long claimed =
      ZSTD_getFrameContentSize(stored, blob->stored_size);
  if (claimed != blob->raw_size)
    return nrd_fail(NRD_CORRUPT,
                    "%s is damaged: it does not unpack to the %llu bytes that "
                    "the index says",
                    what, (unsigned long long)blob->raw_size);

  const uint8_t *dictionary = NULL;
  size_t dictionary_size = 0;
  void *dictionary_owned = NULL;
  if (blob->dictionary >= 0)
    NRD_TRY(nrd_pack_blob(pack, index, (uint32_t)blob->dictionary, what,
                          &dictionary, &dictionary_size, &dictionary_owned));
  nrd_status_t status = NRD_OK;
  uint8_t *raw = nrd_alloc_raw(&pack->allocator, blob->raw_size);
  ZSTD_DCtx *context = ZSTD_createDCtx();
  if (!raw || !context) {
    status = nrd_fail_memory(blob->raw_size, "an image");
  } else {
    size_t size = ZSTD_decompress_usingDict(context, raw, blob->raw_size,
                                            stored, blob->stored_size,
                                            dictionary, dictionary_size);
    if (ZSTD_isError(size))
      status = nrd_fail(NRD_CORRUPT, "%s is damaged: %s", what,
                        ZSTD_getErrorName(size));
    else if (size != blob->raw_size)
      status = nrd_fail(NRD_CORRUPT, "%s is damaged: it is too short", what);
  }
  ZSTD_freeDCtx(context);
  nrd_free(&pack->allocator, dictionary_owned);
  if (status != NRD_OK) {
    nrd_free(&pack->allocator, raw);
    return status;
  }
  *out_bytes = raw;
  *out_owned = raw;
  return NRD_OK;
}

nrd_status_t nrd_pack_blob(nrd_pack_t *pack, const nrd_index_t *index,
                           uint32_t number, const char *what,
                           const uint8_t **out_bytes, size_t *out_size,
                           void **out_owned) {
  const nrd_blob_t *blob = &index->blobs[number];
  const uint8_t *bytes = NULL;
  void *owned = NULL;
  NRD_TRY(unpack(pack, index, blob, what, &bytes, &owned));
  nrd_status_t status = NRD_OK;
  if (nrd_hash(bytes, blob->raw_size) != blob->hash) {
    status = nrd_fail(NRD_CORRUPT,
                      "%s is damaged: its hash does not match its bytes", what);
  } else if (pack->is_signed) {
    nrd_span_t span = {bytes, blob->raw_size};
    uint8_t hash[32];
    nrd_blake2b(&span, 1, hash);
    if (memcmp(hash, blob->blake2b, 32))
      status = nrd_fail(NRD_UNTRUSTED,
                        "%s was altered after the pack was signed", what);
  }
  if (status != NRD_OK) {
    nrd_free(&pack->allocator, owned);
    return status;
  }
  *out_bytes = bytes;
  *out_size = blob->raw_size;
  *out_owned = owned;
  return NRD_OK;
}
