// runtime/index.h - one kernel's part of a pack, verified and unpacked
// (internal).
//
// Everything here has been checked: indexes are below their counts, blobs lie
// in the file, fields in the parameter block, grid programs are well-formed. A
// variant that uses something this library does not know stays in the list with
// the reason in |refused| and is never taken.

#ifndef NEREID_RUNTIME_INDEX_H
#define NEREID_RUNTIME_INDEX_H

#include "runtime/driver/driver.h"
#include "runtime/grid.h"

typedef struct nrd_blob_t {
  uint64_t offset;
  uint64_t stored_size;
  uint64_t raw_size;
  uint64_t hash;
  uint8_t blake2b[32];
  uint8_t codec;
  int32_t dictionary; // -1: none
} nrd_blob_t;

typedef enum nrd_predicate_kind_t {
  NRD_PREDICATE_DIVISIBLE,
  NRD_PREDICATE_EQUALS,
  NRD_PREDICATE_BELOW,
  NRD_PREDICATE_KIND_COUNT,
  // Made up by the runtime: the slot's tensor can have a tensor map.
  NRD_PREDICATE_TENSOR_MAP = NRD_PREDICATE_KIND_COUNT
} nrd_predicate_kind_t;

typedef struct nrd_predicate_t {
  int64_t value;
  uint32_t slot;
  uint32_t kind;
  const nrd_tensor_map_t *map; // of NRD_PREDICATE_TENSOR_MAP
} nrd_predicate_t;

typedef enum nrd_field_kind_t {
  NRD_FIELD_VALUE,
  NRD_FIELD_SHAPE,
  NRD_FIELD_STRIDE,
  NRD_FIELD_TENSOR_MAP,
  NRD_FIELD_SCRATCH,
  NRD_FIELD_KIND_COUNT
} nrd_field_kind_t;

typedef struct nrd_field_t {
  uint32_t offset;
  uint16_t slot;
  uint8_t kind;
  uint8_t size;
  uint32_t index;
} nrd_field_t;

// One bit per slot.
enum { NRD_SLOT_WORDS = NRD_MAX_SLOTS / 64 };
typedef struct nrd_slot_set_t {
  uint64_t words[NRD_SLOT_WORDS];
} nrd_slot_set_t;

static inline int nrd_slot_in(const nrd_slot_set_t *set, uint32_t slot) {
  return (int)(set->words[slot / 64] >> slot % 64 & 1);
}
static inline void nrd_slot_add(nrd_slot_set_t *set, uint32_t slot) {
  set->words[slot / 64] |= (uint64_t)1 << slot % 64;
}

// Beside the public nrd_config_t of the same position.
typedef struct nrd_grid_t {
  nrd_grid_axis_t axes[3];
  nrd_slot_set_t slots; // that the grid depends on
  int32_t ir_blob;      // -1: none
} nrd_grid_t;

// Beside the public nrd_variant_t of the same position.
typedef struct nrd_plan_t {
  nrd_image_t image;
  uint32_t blob;
  uint32_t config;
  uint32_t predicate_count; // with those made up for tensor maps
  uint32_t field_count;
  uint32_t map_count;
  const nrd_predicate_t *predicates;
  const nrd_field_t *fields;      // sorted by slot
  const uint32_t *fields_of_slot; // slot_count + 1 positions in |fields|
  const nrd_tensor_map_t *maps;
  const nrd_slot_set_t *map_slots; // per map: what its programs depend on
  const char *refused; // NULL, or why it is left out
} nrd_plan_t;

typedef struct nrd_tuning_row_t {
  const int64_t *upper; // one per key
  uint32_t config;
} nrd_tuning_row_t;

typedef struct nrd_tuning_t {
  const char *target;
  const char *device; // "": any
  uint32_t key_count;
  uint32_t row_count;
  const nrd_grid_axis_t *keys;
  const nrd_tuning_row_t *rows;
  nrd_slot_set_t slots; // that the keys depend on
} nrd_tuning_t;

typedef struct nrd_index_t {
  nrd_arena_t arena; // holds all of it
  const char *name;
  uint32_t slot_count;
  uint32_t config_count;
  uint32_t variant_count;
  uint32_t blob_count;
  uint32_t tuning_count;
  const nrd_slot_t *slots;
  const nrd_config_t *configs;
  const nrd_grid_t *grids;
  const nrd_variant_t *variants;
  const nrd_plan_t *plans;
  const nrd_blob_t *blobs;
  const nrd_tuning_t *tunings;
  uint32_t max_param_size;
  struct nrd_kernel_t *kernels; // found so far, one per device
} nrd_index_t;

// A kernel's buffer in a pack, as its directory entry describes it.
typedef struct nrd_part_t {
  const uint8_t *bytes;
  size_t size;
  uint64_t hash;
  const uint8_t *blake2b; // NULL: not asked for
} nrd_part_t;

// Copies the buffer of a pack of |file_size| bytes, verifies the copy and
// unpacks it. |what| names it in messages.
nrd_status_t nrd_index_read(const nrd_part_t *part, uint64_t file_size,
                            const char *what, const nrd_allocator_t *allocator,
                            nrd_index_t **out_index);
void nrd_index_free(nrd_index_t *index);

// Reads the name alone, without verifying more than that takes; NULL if it
// cannot be read. For suggestions.
const char *nrd_index_peek_name(const uint8_t *bytes, size_t size);

#endif // NEREID_RUNTIME_INDEX_H
