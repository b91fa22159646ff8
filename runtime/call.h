// runtime/call.h - a bound call (internal).
//
// What is out of date is named by |dirty|; a launch of a call with nothing
// dirty goes straight to the driver. Setting a slot writes its fields into the
// packed parameters at once and marks only what depends on the slot.

#ifndef NEREID_RUNTIME_CALL_H
#define NEREID_RUNTIME_CALL_H

#include "runtime/kernel.h"

enum {
  NRD_DIRTY_VARIANT = 1, // a fact, a tuned slot or the config has changed
  NRD_DIRTY_GRID = 2,
  NRD_DIRTY_MAPS = 4, // see slot_dirt
};

// Per slot, since the bound variant's tensor maps were encoded.
enum { NRD_MAP_MOVED = 1, NRD_MAP_RESHAPED = 2 };

struct nrd_call_t {
  nrd_launch_t launch;
  nrd_status_t (*go)(nrd_launch_t *launch, void *stream);
  const nrd_direct_t *direct; // of |bound|
  uint32_t direct_count;      // all slots, or none before the first bind
  uint32_t dirty;
  uint32_t config; // asked for, or NRD_CONFIG_AUTO
  nrd_kernel_t *kernel;
  nrd_candidate_t *bound; // NULL: never bound
  nrd_slot_set_t is_set;
  nrd_facts_t facts;
  // Integers as they are, floats as a double's bits, pointers and descriptors'
  // bases as addresses.
  int64_t *values;
  int64_t **dims; // per slot: NULL, or rank sizes and then rank strides
  uint8_t *slot_dirt;
  uint32_t grid[3]; // the caller's
  int has_grid;     // the caller set it

  void *scratch; // in use; NULL: none
  size_t scratch_size;
  void *given_scratch; // the caller's
  size_t given_size;
  void *owned_scratch; // the allocator's
  size_t owned_size;
};

// The sizes and then the strides of the array that |map| describes: a
// descriptor's own, or those of the map's programs, written to |room| (of
// 2 * NRD_MAX_TENSOR_MAP_RANK). NULL where a program has no value.
const int64_t *nrd_map_dims(const nrd_call_t *call, const nrd_tensor_map_t *map,
                            int64_t *room);

// Does the predicate hold for the arguments set so far?
int nrd_fact_holds(const nrd_call_t *call, const nrd_predicate_t *fact);

// Chooses a candidate by the facts, the tuning tables and the config asked for,
// and loads it. NRD_INCOMPATIBLE says what each one asks.
nrd_status_t nrd_dispatch(nrd_call_t *call, nrd_candidate_t **out_candidate);

// Adds "x_ptr divisible by 16, got 0x...8" for a predicate that does not hold.
void nrd_explain_fact(const nrd_call_t *call, const nrd_predicate_t *fact,
                      nrd_text_t *text);

// The |size| bytes (2, 4, 8) of a float slot of |type|, rounded to nearest
// even, at |out_bytes|.
void nrd_encode_float(double value, const char *type, uint32_t size,
                      void *out_bytes);

#endif // NEREID_RUNTIME_CALL_H
