// runtime/pack.c - opens a pack and finds kernels in it.

#include "runtime/pack.h"

#include "runtime/hash.h"
#include "runtime/kernel.h"
#include "runtime/log.h"
#include "runtime/schema.h"

#include <string.h>

//===-- Opening -----------------------------------------------------------===//

typedef struct header_t {
  uint64_t magic;
  uint32_t version_major, version_minor;
  uint64_t file_size;
  uint64_t root_offset, root_size, root_hash;
  uint64_t directory_offset, kernel_count, directory_hash;
  uint64_t signature_offset;
  uint64_t header_hash;
} header_t;

static header_t read_header(const uint8_t *bytes) {
  header_t h;
  h.magic = nrd_load64(bytes);
  h.version_major = nrd_load32(bytes + 8);
  h.version_minor = nrd_load32(bytes + 12);
  h.file_size = nrd_load64(bytes + 16);
  h.root_offset = nrd_load64(bytes + 24);
  h.root_size = nrd_load64(bytes + 32);
  h.root_hash = nrd_load64(bytes + 40);
  h.directory_offset = nrd_load64(bytes + 48);
  h.kernel_count = nrd_load64(bytes + 56);
  h.directory_hash = nrd_load64(bytes + 64);
  h.signature_offset = nrd_load64(bytes + 72);
  h.header_hash = nrd_load64(bytes + 80);
  return h;
}

// Is [offset, offset + size) a properly placed part of |whole| bytes?
static int lies_inside(uint64_t offset, uint64_t size, uint64_t whole) {
  return offset >= NRD_ARCHIVE_HEADER_SIZE &&
         offset % NRD_ARCHIVE_ALIGNMENT == 0 && offset <= whole &&
         size <= whole - offset;
}

static nrd_status_t check_header(const uint8_t *bytes, uint64_t size,
                                 const char *where, header_t *out_header) {
  if (size < NRD_ARCHIVE_HEADER_SIZE)
    return nrd_fail(NRD_CORRUPT, "%s is too short to be a pack: %llu bytes",
                    where, (unsigned long long)size);
  header_t h = read_header(bytes);
  if (h.magic != NRD_ARCHIVE_MAGIC) {
    // "NEREID" without its line ends: a transfer in text mode.
    if (!memcmp(bytes, "NEREID", 6))
      return nrd_fail(NRD_CORRUPT,
                      "%s was damaged by a transfer that changed its line ends",
                      where);
    return nrd_fail(NRD_CORRUPT, "%s is not a pack", where);
  }
  // A newer major may hash another header, so this question comes first.
  if (h.version_major > NRD_ARCHIVE_VERSION_MAJOR)
    return nrd_fail(NRD_INCOMPATIBLE,
                    "%s has format %u.%u and this library reads up to %u.x; "
                    "use a newer nereid runtime",
                    where, h.version_major, h.version_minor,
                    NRD_ARCHIVE_VERSION_MAJOR);
  if (h.header_hash != nrd_hash(bytes, NRD_ARCHIVE_HEADER_SIZE - 8))
    return nrd_fail(NRD_CORRUPT, "%s has a damaged header", where);
  if (h.version_major != NRD_ARCHIVE_VERSION_MAJOR)
    return nrd_fail(NRD_INCOMPATIBLE, "%s has the unreleased format %u.%u",
                    where, h.version_major, h.version_minor);
  if (h.file_size > size)
    return nrd_fail(NRD_CORRUPT,
                    "%s is truncated: it has %llu of its %llu bytes", where,
                    (unsigned long long)size, (unsigned long long)h.file_size);
  if (h.root_size > NRD_MAX_ROOT_SIZE || h.kernel_count > NRD_MAX_KERNELS ||
      !lies_inside(h.root_offset, h.root_size, h.file_size) ||
      !lies_inside(h.directory_offset, h.kernel_count * NRD_ARCHIVE_ENTRY_SIZE,
                   h.file_size) ||
      (h.signature_offset &&
       !lies_inside(h.signature_offset, 32 + 64, h.file_size)))
    return nrd_fail(NRD_CORRUPT, "%s has a header with impossible sizes",
                    where);
  *out_header = h;
  return NRD_OK;
}

static nrd_status_t check_signature(const nrd_pack_t *pack, const header_t *h,
                                    const char *where, const uint8_t *key) {
  NRD_TRY(nrd_sodium_load());
  if (!h->signature_offset)
    return nrd_fail(NRD_UNTRUSTED, "%s is not signed", where);
  const uint8_t *signature = pack->bytes + h->signature_offset;
  if (memcmp(signature, key, 32))
    return nrd_fail(NRD_UNTRUSTED, "%s is signed with another key", where);
  nrd_span_t spans[] = {
      {pack->bytes, NRD_ARCHIVE_HEADER_SIZE},
      {pack->bytes + h->root_offset, h->root_size},
      {pack->directory, pack->kernel_count * NRD_ARCHIVE_ENTRY_SIZE}};
  uint8_t message[24 + 32];
  memcpy(message, "nereid-pack-signature-v1", 24);
  nrd_blake2b(spans, 3, message + 24);
  if (!nrd_signature_holds(signature + 32, message, sizeof message, key))
    return nrd_fail(NRD_UNTRUSTED, "%s was altered after it was signed", where);
  return NRD_OK;
}

// The pack's bytes are in place; on failure the caller frees it.
static nrd_status_t open_bytes(nrd_pack_t *pack, const char *where,
                               const uint8_t *key) {
  header_t h = {0};
  NRD_TRY(check_header(pack->bytes, pack->size, where, &h));
  pack->size = h.file_size;
  pack->directory = pack->bytes + h.directory_offset;
  pack->directory_hash = h.directory_hash;
  pack->kernel_count = h.kernel_count;
  pack->root = nrd_alloc_raw(&pack->allocator, h.root_size);
  if (!pack->root)
    return nrd_fail_memory(h.root_size, "a pack's root");
  memcpy(pack->root, pack->bytes + h.root_offset, h.root_size);
  if (nrd_hash(pack->root, h.root_size) != h.root_hash)
    return nrd_fail(NRD_CORRUPT, "%s has a damaged root", where);
  NRD_TRY(nrd_flat_verify(pack->root, h.root_size, "NRD1", &nrd_root_schema,
                          where));
  if (key) {
    NRD_TRY(check_signature(pack, &h, where, key));
    pack->is_signed = 1;
  }
  return NRD_OK;
}

static void free_pack(nrd_pack_t *pack) {
  for (size_t i = 0; i < pack->found_capacity; ++i) {
    nrd_index_t *index = pack->found[i].index;
    if (!index)
      continue;
    nrd_kernel_free_all(index->kernels);
    nrd_index_free(index);
  }
  nrd_allocator_t allocator = pack->allocator;
  nrd_free(&allocator, pack->found);
  nrd_free(&allocator, pack->root);
  nrd_file_unmap(&pack->file);
  pthread_mutex_destroy(&pack->lock);
  nrd_free(&allocator, pack);
}

static nrd_status_t open_pack(const char *path, const void *bytes, size_t size,
                              const nrd_pack_options_t *options,
                              nrd_pack_t **out_pack) {
  uint64_t begin = nrd_trace_begin();
  nrd_pack_options_t given = NRD_PACK_OPTIONS_INIT;
  if (options) {
    if (options->size < sizeof(size_t))
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "nrd_pack_options_t: 'size' is not set; start from "
                      "NRD_PACK_OPTIONS_INIT");
    memcpy(&given, options,
           options->size < sizeof given ? options->size : sizeof given);
  }
  nrd_allocator_t allocator = nrd_allocator_or_default(given.allocator);
  nrd_pack_t *pack = nrd_alloc(&allocator, 1, sizeof *pack);
  if (!pack)
    return nrd_fail_memory(sizeof *pack, "a pack");
  pack->allocator = allocator;
  atomic_init(&pack->references, 1);
  atomic_init(&pack->directory_ok, -1);
  pthread_mutex_init(&pack->lock, NULL);

  nrd_status_t status = NRD_OK;
  if (path) {
    status = nrd_file_map(path, &pack->file);
    bytes = pack->file.bytes;
    size = pack->file.size;
  }
  if (status == NRD_OK) {
    char where[300];
    nrd_text_t text = {where, sizeof where, 0};
    nrd_text_add(&text, path ? "'%s'" : "the pack in memory", path ? path : "");
    pack->bytes = bytes;
    pack->size = size;
    status = open_bytes(pack, where, given.public_key);
  }
  if (status != NRD_OK) {
    free_pack(pack);
    return status;
  }
  nrd_trace_end(begin, "open", nrd_pack_name(pack));
  *out_pack = pack;
  return NRD_OK;
}

nrd_status_t nrd_pack_open_file(const char *path,
                                const nrd_pack_options_t *options,
                                nrd_pack_t **out_pack) {
  NRD_NEED(path);
  NRD_NEED(out_pack);
  return open_pack(path, NULL, 0, options, out_pack);
}

nrd_status_t nrd_pack_open_memory(const void *bytes, size_t size,
                                  const nrd_pack_options_t *options,
                                  nrd_pack_t **out_pack) {
  NRD_NEED(bytes);
  NRD_NEED(out_pack);
  return open_pack(NULL, bytes, size, options, out_pack);
}

void nrd_pack_retain(nrd_pack_t *pack) {
  atomic_fetch_add_explicit(&pack->references, 1, memory_order_relaxed);
}

void nrd_pack_close(nrd_pack_t *pack) {
  if (pack && atomic_fetch_sub_explicit(&pack->references, 1,
                                        memory_order_acq_rel) == 1)
    free_pack(pack);
}

//===-- The directory -----------------------------------------------------===//

static const uint8_t *entry_at(const nrd_pack_t *pack, uint64_t entry) {
  return pack->directory + entry * NRD_ARCHIVE_ENTRY_SIZE;
}

// The place of a kernel's buffer; 0 if the entry points elsewhere.
static int entry_part(const nrd_pack_t *pack, uint64_t entry,
                      nrd_part_t *out_part) {
  const uint8_t *at = entry_at(pack, entry);
  uint64_t offset = nrd_load64(at + 8), size = nrd_load64(at + 16);
  if (!lies_inside(offset, size, pack->size) || size > NRD_MAX_INDEX_SIZE)
    return 0;
  out_part->bytes = pack->bytes + offset;
  out_part->size = size;
  out_part->hash = nrd_load64(at + 24);
  out_part->blake2b = pack->is_signed ? at + 32 : NULL;
  return 1;
}

static size_t slot_of(const nrd_pack_t *pack, uint64_t entry) {
  size_t slot = (size_t)(entry * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
                (pack->found_capacity - 1);
  while (pack->found[slot].index && pack->found[slot].entry != entry)
    slot = (slot + 1) & (pack->found_capacity - 1);
  return slot;
}

static nrd_status_t grow_found(nrd_pack_t *pack) {
  size_t capacity = pack->found_capacity ? pack->found_capacity * 2 : 16;
  nrd_pack_t bigger = {.found_capacity = capacity};
  bigger.found = nrd_alloc(&pack->allocator, capacity, sizeof *bigger.found);
  if (!bigger.found)
    return nrd_fail_memory(capacity * sizeof *bigger.found, "found kernels");
  for (size_t i = 0; i < pack->found_capacity; ++i)
    if (pack->found[i].index)
      bigger.found[slot_of(&bigger, pack->found[i].entry)] = pack->found[i];
  nrd_free(&pack->allocator, pack->found);
  pack->found = bigger.found;
  pack->found_capacity = capacity;
  return NRD_OK;
}

nrd_status_t nrd_pack_index(nrd_pack_t *pack, uint64_t entry,
                            nrd_index_t **out_index) {
  if (pack->found_capacity) {
    nrd_index_t *known = pack->found[slot_of(pack, entry)].index;
    if (known) {
      *out_index = known;
      return NRD_OK;
    }
  }
  if (2 * (pack->found_count + 1) > pack->found_capacity)
    NRD_TRY(grow_found(pack));
  nrd_part_t part;
  if (!entry_part(pack, entry, &part))
    return nrd_fail(NRD_CORRUPT,
                    "pack '%s' is damaged: kernel %llu lies outside the file",
                    nrd_pack_name(pack), (unsigned long long)entry);
  char what[160];
  nrd_text_t text = {what, sizeof what, 0};
  nrd_text_add(&text, "kernel %llu of pack '%s'", (unsigned long long)entry,
               nrd_pack_name(pack));
  nrd_index_t *index = NULL;
  NRD_TRY(nrd_index_read(&part, pack->size, what, &pack->allocator, &index));
  size_t slot = slot_of(pack, entry);
  pack->found[slot].entry = entry;
  pack->found[slot].index = index;
  ++pack->found_count;
  *out_index = index;
  return NRD_OK;
}

// Levenshtein distance, as far as |limit|; names are cut at 63 characters.
static uint32_t distance(const char *a, const char *b, uint32_t limit) {
  uint8_t row[64];
  size_t a_size = strnlen(a, 63), b_size = strnlen(b, 63);
  if ((a_size > b_size ? a_size - b_size : b_size - a_size) > limit)
    return limit + 1;
  for (size_t j = 0; j <= b_size; ++j)
    row[j] = (uint8_t)j;
  for (size_t i = 1; i <= a_size; ++i) {
    uint8_t diagonal = row[0];
    row[0] = (uint8_t)i;
    for (size_t j = 1; j <= b_size; ++j) {
      uint8_t above = row[j];
      uint8_t best = (uint8_t)(diagonal + (a[i - 1] != b[j - 1]));
      if (above + 1 < best)
        best = (uint8_t)(above + 1);
      if (row[j - 1] + 1 < best)
        best = (uint8_t)(row[j - 1] + 1);
      row[j] = best;
      diagonal = above;
    }
  }
  return row[b_size];
}

// Adds ": did you mean 'x'?" or the pack's kernels if they are few.
static void suggest(const nrd_pack_t *pack, const char *name,
                    nrd_text_t *text) {
  uint64_t limit = pack->kernel_count < 4096 ? pack->kernel_count : 4096;
  uint32_t best = (uint32_t)strnlen(name, 63) / 3 + 2;
  const char *nearest = NULL;
  for (uint64_t i = 0; i < limit; ++i) {
    nrd_part_t part;
    const char *other = NULL;
    if (entry_part(pack, i, &part))
      other = nrd_index_peek_name(part.bytes, part.size);
    uint32_t far = other ? distance(name, other, best) : best;
    if (far < best) {
      best = far;
      nearest = other;
    }
  }
  if (nearest) {
    nrd_text_add(text, "; did you mean '%.100s'?", nearest);
    return;
  }
  if (!pack->kernel_count || pack->kernel_count > 8)
    return;
  nrd_text_add(text, "; it has");
  for (uint64_t i = 0; i < pack->kernel_count; ++i) {
    nrd_part_t part;
    const char *other = NULL;
    if (entry_part(pack, i, &part))
      other = nrd_index_peek_name(part.bytes, part.size);
    nrd_text_add(text, "%s '%.60s'", i ? "," : "", other ? other : "?");
  }
}

static nrd_status_t not_found(nrd_pack_t *pack, const char *name) {
  // Only now does it matter whether the directory is whole.
  int ok = atomic_load_explicit(&pack->directory_ok, memory_order_relaxed);
  if (ok < 0) {
    ok = nrd_hash(pack->directory,
                  pack->kernel_count * NRD_ARCHIVE_ENTRY_SIZE) ==
         pack->directory_hash;
    atomic_store_explicit(&pack->directory_ok, ok, memory_order_relaxed);
  }
  if (!ok)
    return nrd_fail(NRD_CORRUPT, "pack '%s' has a damaged directory",
                    nrd_pack_name(pack));
  char buffer[640];
  nrd_text_t text = {buffer, sizeof buffer, 0};
  buffer[0] = 0;
  suggest(pack, name, &text);
  return nrd_fail(NRD_NOT_FOUND, "pack '%s' has no kernel '%.200s'%s",
                  nrd_pack_name(pack), name, buffer);
}

nrd_status_t nrd_pack_find_index(nrd_pack_t *pack, const char *name,
                                 nrd_index_t **out_index) {
  uint64_t hash = nrd_hash(name, strlen(name));
  uint64_t low = 0, high = pack->kernel_count;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (nrd_load64(entry_at(pack, middle)) < hash)
      low = middle + 1;
    else
      high = middle;
  }
  for (uint32_t same = 0;
       low < pack->kernel_count && nrd_load64(entry_at(pack, low)) == hash;
       ++low) {
    // Two names with one hash are next to impossible; many are an attack.
    if (++same > 8)
      return nrd_fail(NRD_CORRUPT, "pack '%s' has a directory of equal hashes",
                      nrd_pack_name(pack));
    nrd_index_t *index;
    NRD_TRY(nrd_pack_index(pack, low, &index));
    if (!strcmp(index->name, name)) {
      *out_index = index;
      return NRD_OK;
    }
  }
  return not_found(pack, name);
}

//===-- What the pack says of itself --------------------------------------===//

const char *nrd_pack_name(const nrd_pack_t *pack) {
  return nrd_flat_string(nrd_flat_root(pack->root), ROOT_NAME);
}

const char *nrd_pack_producer(const nrd_pack_t *pack) {
  return nrd_flat_string(nrd_flat_root(pack->root), ROOT_PRODUCER);
}

size_t nrd_pack_target_count(const nrd_pack_t *pack) {
  return nrd_flat_vector(nrd_flat_root(pack->root), ROOT_TARGETS).count;
}

const char *nrd_pack_target(const nrd_pack_t *pack, size_t index) {
  nrd_flat_vector_t targets =
      nrd_flat_vector(nrd_flat_root(pack->root), ROOT_TARGETS);
  return index < targets.count ? nrd_flat_text(targets, (uint32_t)index) : NULL;
}

size_t nrd_pack_kernel_count(const nrd_pack_t *pack) {
  return pack->kernel_count;
}

nrd_status_t nrd_pack_kernel_name(nrd_pack_t *pack, size_t index,
                                  const char **out_name) {
  NRD_NEED(pack);
  NRD_NEED(out_name);
  if (index >= pack->kernel_count)
    return nrd_fail(NRD_INVALID_ARGUMENT, "pack '%s' has %llu kernels, not %zu",
                    nrd_pack_name(pack), (unsigned long long)pack->kernel_count,
                    index + 1);
  nrd_index_t *found = NULL;
  pthread_mutex_lock(&pack->lock);
  nrd_status_t status = nrd_pack_index(pack, index, &found);
  pthread_mutex_unlock(&pack->lock);
  if (status == NRD_OK)
    *out_name = found->name;
  return status;
}
