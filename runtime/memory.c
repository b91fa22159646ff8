// runtime/memory.c - host memory through the caller's allocator.

#include "runtime/memory.h"

#include <stdlib.h>
#include <string.h>

static void *reallocate_default(void *context, void *pointer, size_t size) {
  (void)context;
  if (!size) {
    free(pointer);
    return NULL;
  }
  return realloc(pointer, size);
}

nrd_allocator_t nrd_allocator_or_default(const nrd_allocator_t *optional) {
  nrd_allocator_t standard = {reallocate_default, NULL};
  return optional && optional->reallocate ? *optional : standard;
}

void *nrd_alloc_raw(const nrd_allocator_t *allocator, size_t size) {
  return allocator->reallocate(allocator->context, NULL, size ? size : 1);
}

void *nrd_alloc(const nrd_allocator_t *allocator, size_t count, size_t size) {
  if (size && count > SIZE_MAX / size)
    return NULL;
  void *pointer = nrd_alloc_raw(allocator, count * size);
  if (pointer)
    memset(pointer, 0, count * size);
  return pointer;
}

void nrd_free(const nrd_allocator_t *allocator, void *pointer) {
  if (pointer)
    allocator->reallocate(allocator->context, pointer, 0);
}

typedef struct nrd_arena_block_t {
  struct nrd_arena_block_t *next;
  size_t size;
} nrd_arena_block_t;

enum { BLOCK_HEAD = 16, BLOCK_SIZE = 4096 - 32 };

void *nrd_arena_alloc(nrd_arena_t *arena, size_t count, size_t size) {
  if (size && count > (SIZE_MAX / 2) / size)
    return NULL;
  size_t need = (count * size + 15) & ~(size_t)15;
  if (!need)
    need = 16;
  nrd_arena_block_t *block = arena->blocks;
  if (!block || block->size - arena->used < need) {
    size_t room = need > BLOCK_SIZE ? need : BLOCK_SIZE;
    block = nrd_alloc(&arena->allocator, 1, BLOCK_HEAD + room);
    if (!block)
      return NULL;
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
  }
  void *pointer = (char *)block + BLOCK_HEAD + arena->used;
  arena->used += need;
  return pointer;
}

void nrd_arena_free(nrd_arena_t *arena) {
  while (arena->blocks) {
    nrd_arena_block_t *next = arena->blocks->next;
    nrd_free(&arena->allocator, arena->blocks);
    arena->blocks = next;
  }
}
