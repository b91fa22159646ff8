// runtime/kernel.h - a kernel on a device: the variants that run there, in the
// order they are tried, and their loaded images (internal).
//
// Dispatch works on facts. The distinct predicates of all candidates are the
// kernel's facts, at most NRD_MAX_PREDICATES; a call keeps one bit for each,
// and a candidate names the bits it needs. Choosing is then a few ANDs per
// candidate, and setting an argument touches only the facts of its slot.

#ifndef NEREID_RUNTIME_KERNEL_H
#define NEREID_RUNTIME_KERNEL_H

#include "runtime/pack.h"

enum { NRD_FACT_WORDS = NRD_MAX_PREDICATES / 64 };
typedef struct nrd_facts_t {
  uint64_t words[NRD_FACT_WORDS];
} nrd_facts_t;

// A slot whose new value is one store while its variant stays bound.
typedef struct nrd_direct_t {
  // What may not change: bits that a fact reads; all of them where something
  // else depends on the value.
  uint64_t watched;
  uint32_t offset; // in the parameter block
  uint32_t kind;   // below
} nrd_direct_t;

enum {
  NRD_DIRECT_NONE, // more than a store in any case
  NRD_DIRECT_POINTER,
  NRD_DIRECT_INT32,
  NRD_DIRECT_INT64
};

// A variant that the device can run.
typedef struct nrd_candidate_t {
  const nrd_plan_t *plan;
  uint32_t variant; // its position in the kernel's list
  uint32_t group;   // candidates of one target, next to each other
  int rank;
  nrd_facts_t needs;

  // Guarded by the kernel's |lock| until |state| says that they stay.
  atomic_int state; // 0: not tried, 1: loaded, 2: failed for good
  nrd_module_t *module;
  void *function;
  const nrd_field_t *fields; // as the plan's, but where the function reads them
  const nrd_direct_t *direct; // per slot
  uint32_t param_size;
  nrd_status_t status; // of the failure
  char *reason;
} nrd_candidate_t;

// The candidates of one target.
typedef struct nrd_group_t {
  uint32_t first;
  uint32_t end;
  const nrd_tuning_t *tuning; // NULL: none for this device
} nrd_group_t;

typedef struct nrd_loaded_t {
  struct nrd_loaded_t *next;
  nrd_module_t *module;
  uint32_t blob;
} nrd_loaded_t;

struct nrd_kernel_t {
  nrd_pack_t *pack;
  nrd_device_t *device; // NULL: only to be looked at
  const nrd_index_t *index;
  nrd_kernel_t *next; // of the same index

  const nrd_plan_t *plans; // of the index, or made up for the interpreter
  nrd_variant_t *variants;
  uint32_t variant_count;
  uint32_t candidate_count;
  uint32_t group_count;
  uint32_t fact_count;
  uint32_t fact_capacity;
  nrd_candidate_t *candidates;
  nrd_group_t *groups;
  nrd_predicate_t *facts;     // sorted by slot
  uint32_t *facts_of_slot;    // slot_count + 1 positions in |facts|
  nrd_slot_set_t tuned_slots; // that the choice of a config depends on
  nrd_slot_set_t map_slots;   // that programs of tensor maps depend on
  uint32_t max_param_size;    // room for any candidate's parameters

  pthread_mutex_t lock;
  nrd_loaded_t *loaded; // modules, one per blob
  nrd_arena_t arena;    // holds the arrays above
};

// Frees a list of kernels.
void nrd_kernel_free_all(nrd_kernel_t *kernel);

// Loads the candidate's image, once; later calls cost one load.
nrd_status_t nrd_kernel_load(nrd_kernel_t *kernel, nrd_candidate_t *candidate);

// Returns 1 if |plan| can run on |device|, setting |out_rank| (optional), else
// adds the reason to |why| (optional).
int nrd_plan_suits(const nrd_device_t *device, const nrd_plan_t *plan,
                   int *out_rank, nrd_text_t *why);

#endif // NEREID_RUNTIME_KERNEL_H
