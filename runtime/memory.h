// runtime/memory.h - host memory through the caller's allocator (internal).

#ifndef NEREID_RUNTIME_MEMORY_H
#define NEREID_RUNTIME_MEMORY_H

#include "nereid/runtime.h"

// |optional|, or malloc's.
nrd_allocator_t nrd_allocator_or_default(const nrd_allocator_t *optional);

// Zeroed memory for |count| items of |size| bytes, or NULL. Free with nrd_free.
void *nrd_alloc(const nrd_allocator_t *allocator, size_t count, size_t size);

// The same, not zeroed.
void *nrd_alloc_raw(const nrd_allocator_t *allocator, size_t size);
void nrd_free(const nrd_allocator_t *allocator, void *pointer);

// Many small pieces that are freed together.
typedef struct nrd_arena_t {
  nrd_allocator_t allocator;
  struct nrd_arena_block_t *blocks;
  size_t used; // of the first block
} nrd_arena_t;

// Zeroed memory aligned to 16, or NULL.
void *nrd_arena_alloc(nrd_arena_t *arena, size_t count, size_t size);
void nrd_arena_free(nrd_arena_t *arena);

#endif // NEREID_RUNTIME_MEMORY_H
