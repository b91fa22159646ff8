// runtime/pack.h - an open pack: header, root, directory, blobs (internal).

#ifndef NEREID_RUNTIME_PACK_H
#define NEREID_RUNTIME_PACK_H

#include "runtime/file.h"
#include "runtime/index.h"

#include <pthread.h>

struct nrd_pack_t {
  nrd_allocator_t allocator;
  atomic_uint references;
  nrd_file_t file; // only when this library mapped it
  const uint8_t *bytes;
  uint64_t size;
  uint8_t *root; // a checked copy of the Root buffer
  const uint8_t *directory;
  uint64_t directory_hash;
  uint64_t kernel_count;
  int is_signed;           // the caller gave a key and the signature holds
  atomic_int directory_ok; // -1: not checked yet

  pthread_mutex_t lock; // guards what follows
  struct {
    uint64_t entry; // of the directory
    nrd_index_t *index;
  } *found; // open addressing on |entry|; index NULL: free
  size_t found_capacity;
  size_t found_count;
};

void nrd_pack_retain(nrd_pack_t *pack);

// Finds and verifies a kernel's index. The caller holds |lock|.
nrd_status_t nrd_pack_find_index(nrd_pack_t *pack, const char *name,
                                 nrd_index_t **out_index);

// The index of the directory's entry number |entry|. The caller holds |lock|.
nrd_status_t nrd_pack_index(nrd_pack_t *pack, uint64_t entry,
                            nrd_index_t **out_index);

// Unpacks and checks a blob. |out_bytes| may point into the pack; |out_owned|
// is what to free after use, or NULL. |what| names it in messages.
nrd_status_t nrd_pack_blob(nrd_pack_t *pack, const nrd_index_t *index,
                           uint32_t blob, const char *what,
                           const uint8_t **out_bytes, size_t *out_size,
                           void **out_owned);

#endif // NEREID_RUNTIME_PACK_H
