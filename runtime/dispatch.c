// runtime/dispatch.c - chooses the variant of a call, and says why.

#include "runtime/call.h"
#include "runtime/device.h"
#include "runtime/log.h"

#include <stdio.h>

//===-- Facts -------------------------------------------------------------===//

const int64_t *nrd_map_dims(const nrd_call_t *call, const nrd_tensor_map_t *map,
                            int64_t *room) {
  if (!map->programs)
    return call->dims[map->slot];
  nrd_grid_arguments_t arguments = {call->values, call->dims};
  for (uint32_t i = 0; i < 2 * map->rank; ++i)
    if (!nrd_grid_value(&map->programs[i], &arguments, &room[i]))
      return NULL;
  return room;
}

// What cuTensorMapEncodeTiled will ask of the tensor.
static int map_is_possible(const nrd_call_t *call,
                           const nrd_tensor_map_t *map) {
  int64_t room[2 * NRD_MAX_TENSOR_MAP_RANK];
  const int64_t *shape = nrd_map_dims(call, map, room);
  if (!shape)
    return 0;
  const int64_t *strides = shape + map->rank;
  if (!call->values[map->slot] || call->values[map->slot] % 16)
    return 0;
  if (strides[map->rank - 1] != 1)
    return 0;
  for (uint32_t d = 0; d < map->rank; ++d) {
    if (shape[d] < 1 || shape[d] > INT64_C(1) << 32)
      return 0;
    if (d + 1 == map->rank)
      continue;
    int64_t bytes;
    if (__builtin_mul_overflow(strides[d], (int64_t)map->element_size,
                               &bytes) ||
        bytes < 0 || bytes % 16 || bytes >= INT64_C(1) << 40)
      return 0;
  }
  return 1;
}

int nrd_fact_holds(const nrd_call_t *call, const nrd_predicate_t *fact) {
  int64_t value = call->values[fact->slot];
  switch ((nrd_predicate_kind_t)fact->kind) {
  case NRD_PREDICATE_DIVISIBLE:
    if (!(fact->value & (fact->value - 1))) // addresses have the top bit too
      return ((uint64_t)value & (uint64_t)(fact->value - 1)) == 0;
    return value % fact->value == 0;
  case NRD_PREDICATE_EQUALS:
    return value == fact->value;
  case NRD_PREDICATE_BELOW:
    return value >= 0 && value < fact->value;
  case NRD_PREDICATE_TENSOR_MAP:
    return map_is_possible(call, fact->map);
  }
  return 0;
}

void nrd_explain_fact(const nrd_call_t *call, const nrd_predicate_t *fact,
                      nrd_text_t *text) {
  const nrd_slot_t *slot = &call->kernel->index->slots[fact->slot];
  int is_address = slot->kind != NRD_SLOT_INTEGER;
  switch ((nrd_predicate_kind_t)fact->kind) {
  case NRD_PREDICATE_DIVISIBLE:
    nrd_text_add(text, "%s divisible by %lld", slot->name,
                 (long long)fact->value);
    break;
  case NRD_PREDICATE_EQUALS:
    nrd_text_add(text, "%s == %lld", slot->name, (long long)fact->value);
    break;
  case NRD_PREDICATE_BELOW:
    nrd_text_add(text, "0 <= %s < %lld", slot->name, (long long)fact->value);
    break;
  case NRD_PREDICATE_TENSOR_MAP:
    nrd_text_add(text,
                 "%s to suit a tensor map: base and outer strides in multiples "
                 "of 16 bytes, innermost stride 1, no empty dimension",
                 slot->name);
    for (uint32_t i = 0; fact->map->programs && i < 2 * fact->map->rank; ++i)
      nrd_text_add(text, "%s%s",
                   i == 0                 ? " (extents "
                   : i == fact->map->rank ? "; strides "
                                          : ", ",
                   fact->map->programs[i].text);
    if (fact->map->programs)
      nrd_text_add(text, ")");
    break;
  }
  if (!nrd_slot_in(&call->is_set, fact->slot))
    nrd_text_add(text, ", which is not set");
  else if (is_address)
    nrd_text_add(text, ", got 0x%llx",
                 (unsigned long long)call->values[fact->slot]);
  else
    nrd_text_add(text, ", got %lld", (long long)call->values[fact->slot]);
}

static int facts_cover(const nrd_facts_t *facts, const nrd_facts_t *needs) {
  uint64_t missing = 0;
  for (int w = 0; w < NRD_FACT_WORDS; ++w)
    missing |= needs->words[w] & ~facts->words[w];
  return missing == 0;
}

//===-- Choice ------------------------------------------------------------===//

// The config that the group's tuning table gives these arguments, or
// NRD_CONFIG_AUTO.
static uint32_t tuned_config(const nrd_call_t *call, const nrd_group_t *group) {
  const nrd_tuning_t *tuning = group->tuning;
  if (!tuning)
    return NRD_CONFIG_AUTO;
  nrd_grid_arguments_t arguments = {call->values, call->dims};
  int64_t keys[NRD_MAX_TUNING_KEYS];
  for (uint32_t i = 0; i < tuning->key_count; ++i)
    if (!nrd_grid_value(&tuning->keys[i], &arguments, &keys[i]))
      return NRD_CONFIG_AUTO;
  for (uint32_t row = 0; row < tuning->row_count; ++row) {
    uint32_t i = 0;
    while (i < tuning->key_count && keys[i] <= tuning->rows[row].upper[i])
      ++i;
    if (i == tuning->key_count)
      return tuning->rows[row].config;
  }
  return NRD_CONFIG_AUTO;
}

// Loads the first candidate of the group that holds; |config| limits it to one
// config and |except| leaves one out. Returns 1 when it has decided, with the
// outcome in |status|; 0 to go on elsewhere.
static int choose_in(nrd_call_t *call, const nrd_group_t *group,
                     uint32_t config, uint32_t except,
                     nrd_candidate_t **out_candidate, nrd_status_t *status) {
  for (uint32_t i = group->first; i < group->end; ++i) {
    nrd_candidate_t *candidate = &call->kernel->candidates[i];
    uint32_t own = candidate->plan->config;
    if ((config != NRD_CONFIG_AUTO && own != config) || own == except ||
        !facts_cover(&call->facts, &candidate->needs))
      continue;
    *status = nrd_kernel_load(call->kernel, candidate);
    if (*status == NRD_OK)
      *out_candidate = candidate;
    // An image that this device turned down is one more that does not fit.
    if (*status != NRD_INCOMPATIBLE && *status != NRD_UNSUPPORTED)
      return 1;
  }
  return 0;
}

static nrd_status_t fail_choice(const nrd_call_t *call, int any_loaded) {
  const nrd_kernel_t *kernel = call->kernel;
  char buffer[1100];
  nrd_text_t text = {buffer, sizeof buffer, 0};
  buffer[0] = 0;
  if (any_loaded) // the driver's own sentence says more
    nrd_text_add(&text, ": %s", nrd_error_message());
  for (uint32_t i = 0; i < kernel->candidate_count && text.size < 900; ++i) {
    const nrd_candidate_t *candidate = &kernel->candidates[i];
    if (call->config != NRD_CONFIG_AUTO &&
        candidate->plan->config != call->config)
      continue;
    int is_first = 1;
    for (uint32_t f = 0; f < kernel->fact_count; ++f) {
      uint64_t bit = (uint64_t)1 << f % 64;
      if (!(candidate->needs.words[f / 64] & bit) ||
          (call->facts.words[f / 64] & bit))
        continue;
      if (is_first)
        nrd_text_add(&text, "; variant %u (%s) needs ", candidate->variant,
                     candidate->plan->image.target);
      else
        nrd_text_add(&text, ", and ");
      is_first = 0;
      nrd_explain_fact(call, &kernel->facts[f], &text);
    }
  }
  if (!text.size)
    nrd_text_add(&text, "; no variant has the config %u that was asked for",
                 call->config);
  return nrd_fail(NRD_INCOMPATIBLE,
                  "no variant of kernel '%.200s' suits these arguments on %s%s",
                  kernel->index->name, kernel->device->name, buffer);
}

nrd_status_t nrd_dispatch(nrd_call_t *call, nrd_candidate_t **out_candidate) {
  nrd_kernel_t *kernel = call->kernel;
  nrd_status_t status = NRD_OK;
  int any_loaded = 0;
  for (uint32_t g = 0; g < kernel->group_count; ++g) {
    const nrd_group_t *group = &kernel->groups[g];
    uint32_t config = call->config, except = NRD_CONFIG_AUTO;
    if (config == NRD_CONFIG_AUTO) {
      uint32_t tuned = tuned_config(call, group);
      if (tuned != NRD_CONFIG_AUTO) {
        if (choose_in(call, group, tuned, except, out_candidate, &status))
          return status;
        except = tuned;
      }
    }
    if (choose_in(call, group, config, except, out_candidate, &status))
      return status;
    any_loaded |= status != NRD_OK;
  }
  return fail_choice(call, any_loaded);
}

//===-- Explaining --------------------------------------------------------===//

static void explain_variant(const nrd_kernel_t *kernel,
                            const nrd_device_t *device, const nrd_call_t *call,
                            uint32_t variant, const nrd_candidate_t *chosen,
                            nrd_text_t *text) {
  const nrd_plan_t *plan = &kernel->plans[variant];
  nrd_text_add(text, "%3u  %-16s config %-3u ", variant, plan->image.target,
               plan->config);
  if (!device) {
    nrd_text_add(text, plan->refused ? "left out: %s\n" : "%s\n",
                 plan->refused ? plan->refused : "no device to judge it by");
    return;
  }
  char why[400];
  nrd_text_t reason = {why, sizeof why, 0};
  why[0] = 0;
  if (!nrd_plan_suits(device, plan, NULL, &reason)) {
    nrd_text_add(text, "not on %s: %s\n", device->name, why);
    return;
  }
  const nrd_candidate_t *candidate = NULL;
  for (uint32_t i = 0; i < kernel->candidate_count; ++i)
    if (kernel->candidates[i].variant == variant)
      candidate = &kernel->candidates[i];
  if (!candidate || kernel->device != device) {
    nrd_text_add(text, "runs on %s\n", device->name);
    return;
  }
  if (atomic_load_explicit(&((nrd_candidate_t *)(uintptr_t)candidate)->state,
                           memory_order_acquire) == 2) {
    nrd_text_add(text, "not loadable: %s\n",
                 candidate->reason ? candidate->reason : "out of memory");
    return;
  }
  if (!call) {
    nrd_text_add(text, "runs on %s", device->name);
    for (uint32_t i = 0, n = 0; i < plan->predicate_count; ++i) {
      const nrd_predicate_t *p = &plan->predicates[i];
      const char *name = kernel->index->slots[p->slot].name;
      nrd_text_add(text, n++ ? ", " : " if ");
      if (p->kind == NRD_PREDICATE_DIVISIBLE)
        nrd_text_add(text, "%s %% %lld == 0", name, (long long)p->value);
      else if (p->kind == NRD_PREDICATE_EQUALS)
        nrd_text_add(text, "%s == %lld", name, (long long)p->value);
      else if (p->kind == NRD_PREDICATE_BELOW)
        nrd_text_add(text, "0 <= %s < %lld", name, (long long)p->value);
      else
        nrd_text_add(text, "%s suits a tensor map", name);
    }
    nrd_text_add(text, "\n");
    return;
  }
  if (candidate == chosen) {
    nrd_text_add(text, "taken\n");
    return;
  }
  if (call->config != NRD_CONFIG_AUTO && plan->config != call->config) {
    nrd_text_add(text, "not taken: config %u was asked for\n", call->config);
    return;
  }
  int is_first = 1;
  for (uint32_t f = 0; f < kernel->fact_count; ++f) {
    uint64_t bit = (uint64_t)1 << f % 64;
    if (!(candidate->needs.words[f / 64] & bit) ||
        (call->facts.words[f / 64] & bit))
      continue;
    nrd_text_add(text, is_first ? "not taken: needs " : ", and ");
    is_first = 0;
    nrd_explain_fact(call, &kernel->facts[f], text);
  }
  if (is_first)
    nrd_text_add(text,
                 chosen ? "fits, but variant %u comes first"
                        : "fits, but the call is not bound",
                 chosen ? chosen->variant : 0);
  nrd_text_add(text, "\n");
}

static size_t explain(const nrd_kernel_t *kernel, const nrd_device_t *device,
                      const nrd_call_t *call, char *buffer, size_t capacity) {
  nrd_text_t text = {buffer, capacity, 0};
  if (capacity)
    buffer[0] = 0;
  nrd_text_add(&text, "kernel '%s' on %s\n", kernel->index->name,
               device ? device->name : "no device");
  const nrd_candidate_t *chosen =
      call && !(call->dirty & NRD_DIRTY_VARIANT) ? call->bound : NULL;
  for (uint32_t i = 0; i < kernel->variant_count; ++i)
    explain_variant(kernel, device, call, i, chosen, &text);
  return text.size;
}

size_t nrd_kernel_explain(const nrd_kernel_t *kernel,
                          const nrd_device_t *device, char *buffer,
                          size_t capacity) {
  return explain(kernel, device ? device : kernel->device, NULL, buffer,
                 capacity);
}

size_t nrd_call_explain(const nrd_call_t *call, char *buffer, size_t capacity) {
  return explain(call->kernel, call->kernel->device, call, buffer, capacity);
}
