// runtime/kernel.c - a kernel on a device: candidates, facts, loading.

#include "runtime/kernel.h"

#include "runtime/device.h"
#include "runtime/log.h"
#include "runtime/target.h"

#include <string.h>

//===-- Candidates --------------------------------------------------------===//

int nrd_plan_suits(const nrd_device_t *device, const nrd_plan_t *plan,
                   int *out_rank, nrd_text_t *why) {
  int rank = 1;
  if (plan->refused) {
    if (why)
      nrd_text_add(why, "%s", plan->refused);
    return 0;
  }
  if (device->target[0] && !device->driver->runs_ir) {
    rank = nrd_target_rank(device->target, plan->image.target, why);
    if (!rank)
      return 0;
  }
  if (device->driver->suits &&
      !device->driver->suits(device, &plan->image, why))
    return 0;
  if (out_rank)
    *out_rank = rank;
  return 1;
}

// Do two maps ask the same of the same arguments?
static int same_demands(const nrd_tensor_map_t *a, const nrd_tensor_map_t *b) {
  if (a == b || !a || !b)
    return a == b;
  if (a->slot != b->slot || a->rank != b->rank ||
      a->element_size != b->element_size || !a->programs != !b->programs)
    return 0;
  for (uint32_t i = 0; a->programs && i < 2 * a->rank; ++i) {
    if (a->programs[i].count != b->programs[i].count)
      return 0;
    for (uint32_t s = 0; s < a->programs[i].count; ++s)
      if (a->programs[i].steps[s].op != b->programs[i].steps[s].op ||
          a->programs[i].steps[s].operand != b->programs[i].steps[s].operand)
        return 0;
  }
  return 1;
}

// The position of |predicate| among the kernel's facts, added if it is new; -1
// if there is no room.
static int find_fact(nrd_kernel_t *kernel, const nrd_predicate_t *predicate) {
  for (uint32_t i = 0; i < kernel->fact_count; ++i) {
    const nrd_predicate_t *fact = &kernel->facts[i];
    if (fact->kind == predicate->kind && fact->slot == predicate->slot &&
        fact->value == predicate->value &&
        same_demands(fact->map, predicate->map))
      return (int)i;
  }
  if (kernel->fact_count == kernel->fact_capacity)
    return -1;
  kernel->facts[kernel->fact_count] = *predicate;
  return (int)kernel->fact_count++;
}

// Sorts the facts by slot and gives the candidates their bits.
static int collect_facts(nrd_kernel_t *kernel) {
  uint32_t slot_count = kernel->index->slot_count;
  uint32_t capacity = 0;
  for (uint32_t i = 0; i < kernel->candidate_count; ++i)
    if (capacity < NRD_MAX_PREDICATES)
      capacity += kernel->candidates[i].plan->predicate_count;
  if (capacity > NRD_MAX_PREDICATES)
    capacity = NRD_MAX_PREDICATES;
  kernel->fact_capacity = capacity;
  kernel->facts =
      nrd_arena_alloc(&kernel->arena, capacity, sizeof *kernel->facts);
  kernel->facts_of_slot = nrd_arena_alloc(
      &kernel->arena, (size_t)slot_count + 1, sizeof *kernel->facts_of_slot);
  if (!kernel->facts || !kernel->facts_of_slot)
    return 0;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < kernel->candidate_count; ++i) {
    const nrd_plan_t *plan = kernel->candidates[i].plan;
    int fits = 1;
    for (uint32_t p = 0; p < plan->predicate_count && fits; ++p)
      fits = find_fact(kernel, &plan->predicates[p]) >= 0;
    if (fits)
      kernel->candidates[kept++] = kernel->candidates[i];
  }
  kernel->candidate_count = kept;

  for (uint32_t i = 1; i < kernel->fact_count; ++i) {
    nrd_predicate_t fact = kernel->facts[i];
    uint32_t at = i;
    for (; at && kernel->facts[at - 1].slot > fact.slot; --at)
      kernel->facts[at] = kernel->facts[at - 1];
    kernel->facts[at] = fact;
  }
  uint32_t fact = 0;
  for (uint32_t slot = 0; slot <= slot_count; ++slot) {
    while (fact < kernel->fact_count && kernel->facts[fact].slot < slot)
      ++fact;
    kernel->facts_of_slot[slot] = fact;
  }
  for (uint32_t i = 0; i < kernel->candidate_count; ++i) {
    nrd_candidate_t *candidate = &kernel->candidates[i];
    for (uint32_t m = 0; m < candidate->plan->map_count; ++m)
      for (int w = 0; w < NRD_SLOT_WORDS; ++w)
        kernel->map_slots.words[w] |= candidate->plan->map_slots[m].words[w];
    for (uint32_t p = 0; p < candidate->plan->predicate_count; ++p) {
      int bit = find_fact(kernel, &candidate->plan->predicates[p]);
      candidate->needs.words[bit / 64] |= (uint64_t)1 << bit % 64;
    }
  }
  return 1;
}

// A table for this very model comes before one for every device of the target.
static const nrd_tuning_t *find_tuning(const nrd_kernel_t *kernel,
                                       const char *target) {
  const nrd_tuning_t *general = NULL;
  for (uint32_t i = 0; i < kernel->index->tuning_count; ++i) {
    const nrd_tuning_t *tuning = &kernel->index->tunings[i];
    if (strcmp(tuning->target, target))
      continue;
    if (!tuning->device[0]) {
      if (!general)
        general = tuning;
    } else if (!strcmp(tuning->device, kernel->device->model)) {
      return tuning;
    }
  }
  return general;
}

static int collect_groups(nrd_kernel_t *kernel) {
  kernel->groups = nrd_arena_alloc(&kernel->arena, kernel->candidate_count,
                                   sizeof *kernel->groups);
  if (!kernel->groups)
    return 0;
  for (uint32_t i = 0; i < kernel->candidate_count; ++i) {
    nrd_candidate_t *candidate = &kernel->candidates[i];
    const char *target = candidate->plan->image.target;
    if (!i || strcmp(target, candidate[-1].plan->image.target)) {
      nrd_group_t *group = &kernel->groups[kernel->group_count++];
      group->first = i;
      group->tuning = find_tuning(kernel, target);
      for (int w = 0; group->tuning && w < NRD_SLOT_WORDS; ++w)
        kernel->tuned_slots.words[w] |= group->tuning->slots.words[w];
    }
    candidate->group = kernel->group_count - 1;
    kernel->groups[candidate->group].end = i + 1;
  }
  return 1;
}

// Better targets first; within one, the pack's order.
static int collect_candidates(nrd_kernel_t *kernel) {
  kernel->candidates = nrd_arena_alloc(&kernel->arena, kernel->variant_count,
                                       sizeof *kernel->candidates);
  if (!kernel->candidates)
    return 0;
  for (uint32_t i = 0; i < kernel->variant_count; ++i) {
    int rank = 0;
    if (!nrd_plan_suits(kernel->device, &kernel->plans[i], &rank, NULL))
      continue;
    kernel->variants[i].runs_here = 1;
    uint32_t at = kernel->candidate_count++;
    for (; at && kernel->candidates[at - 1].rank < rank; --at)
      kernel->candidates[at] = kernel->candidates[at - 1];
    memset(&kernel->candidates[at], 0, sizeof kernel->candidates[at]);
    kernel->candidates[at].plan = &kernel->plans[i];
    kernel->candidates[at].variant = i;
    kernel->candidates[at].rank = rank;
    atomic_init(&kernel->candidates[at].state, 0);
  }
  return 1;
}

// Says which targets there are and which one came nearest: one refused for more
// than its word, else the last of the device's own family, since variants stand
// with the least demanding last.
static nrd_status_t fail_incompatible(const nrd_kernel_t *kernel) {
  char buffer[900];
  nrd_text_t text = {buffer, sizeof buffer, 0};
  buffer[0] = 0;
  const nrd_device_t *device = kernel->device;
  if (!kernel->variant_count)
    nrd_text_add(&text, device->driver->runs_ir ? "the pack holds no IR for it"
                                                : "it has no variant at all");
  else
    nrd_text_add(&text, "it was built for");
  const nrd_plan_t *nearest = NULL;
  int nearest_score = -1;
  for (uint32_t i = 0; i < kernel->variant_count; ++i) {
    const nrd_plan_t *plan = &kernel->plans[i];
    uint32_t same = 0;
    while (strcmp(kernel->plans[same].image.target, plan->image.target))
      ++same;
    if (same == i && text.size < 400)
      nrd_text_add(&text, "%s %.40s", i ? "," : "", plan->image.target);
    int score = nrd_target_rank(device->target, plan->image.target, NULL) ? 2
                : nrd_target_same_family(device->target, plan->image.target)
                    ? 1
                    : 0;
    if (score >= nearest_score) {
      nearest_score = score;
      nearest = plan;
    }
  }
  if (nearest) {
    nrd_text_add(&text, "; nearest miss: ");
    nrd_plan_suits(device, nearest, NULL, &text);
  }
  return nrd_fail(
      NRD_INCOMPATIBLE, "no variant of kernel '%.200s' runs on %s (%s): %s",
      kernel->index->name, device->name, device->description, buffer);
}

//===-- Variants made up for the interpreter ------------------------------===//

static void lay_out(const nrd_index_t *index, nrd_field_t *fields,
                    uint32_t *first, nrd_plan_t *plan) {
  uint32_t count = 0, offset = 0;
  for (uint32_t slot = 0; slot < index->slot_count; ++slot) {
    first[slot] = count;
    const nrd_slot_t *info = &index->slots[slot];
    if (info->has_constant)
      continue;
    uint32_t dims = info->kind == NRD_SLOT_DESCRIPTOR ? info->rank : 0;
    for (uint32_t i = 0; i < 1 + 2 * dims; ++i, offset += 8) {
      nrd_field_t field = {offset, (uint16_t)slot, NRD_FIELD_VALUE, 8, 0};
      if (i > dims)
        field.kind = NRD_FIELD_STRIDE, field.index = i - 1 - dims;
      else if (i)
        field.kind = NRD_FIELD_SHAPE, field.index = i - 1;
      fields[count++] = field;
    }
  }
  first[index->slot_count] = first[index->slot_count + 1] = count;
  plan->fields = fields;
  plan->field_count = count;
  plan->fields_of_slot = first;
  plan->image.param_size = offset;
}

static int make_ir_variants(nrd_kernel_t *kernel) {
  const nrd_index_t *index = kernel->index;
  uint32_t count = 0, field_count = 0;
  for (uint32_t i = 0; i < index->config_count; ++i)
    count += index->grids[i].ir_blob >= 0;
  for (uint32_t i = 0; i < index->slot_count; ++i)
    field_count += 1 + 2 * index->slots[i].rank;
  nrd_plan_t *plans = nrd_arena_alloc(&kernel->arena, count, sizeof *plans);
  nrd_variant_t *variants =
      nrd_arena_alloc(&kernel->arena, count, sizeof *variants);
  nrd_field_t *fields =
      nrd_arena_alloc(&kernel->arena, field_count, sizeof *fields);
  uint32_t *first = nrd_arena_alloc(
      &kernel->arena, (size_t)index->slot_count + 2, sizeof *first);
  if (!plans || !variants || !fields || !first)
    return 0;
  kernel->plans = plans;
  kernel->variants = variants;
  for (uint32_t i = 0; i < index->config_count; ++i) {
    if (index->grids[i].ir_blob < 0)
      continue;
    nrd_plan_t *plan = &plans[kernel->variant_count];
    nrd_variant_t *variant = &variants[kernel->variant_count++];
    lay_out(index, fields, first, plan);
    plan->blob = (uint32_t)index->grids[i].ir_blob;
    plan->config = variant->config = i;
    plan->image.kernel = index->name;
    plan->image.target = variant->target = "tt";
    plan->image.symbol = variant->symbol = "";
    plan->image.num_ctas = plan->image.scratch_align = 1;
    for (int d = 0; d < 3; ++d) {
      plan->image.block[d] = variant->block[d] = 1;
      plan->image.cluster[d] = variant->cluster[d] = 1;
    }
    variant->param_size = plan->image.param_size;
    variant->image_size = index->blobs[plan->blob].raw_size;
    kernel->max_param_size = plan->image.param_size;
  }
  return 1;
}

//===-- Life --------------------------------------------------------------===//

void nrd_kernel_free_all(nrd_kernel_t *kernel) {
  while (kernel) {
    nrd_kernel_t *next = kernel->next;
    nrd_allocator_t allocator = kernel->pack->allocator;
    while (kernel->loaded) {
      nrd_loaded_t *loaded = kernel->loaded;
      kernel->loaded = loaded->next;
      kernel->device->driver->unload(kernel->device, loaded->module);
      nrd_free(&allocator, loaded);
    }
    for (uint32_t i = 0; i < kernel->candidate_count; ++i)
      nrd_free(&allocator, kernel->candidates[i].reason);
    nrd_device_close(kernel->device);
    nrd_arena_free(&kernel->arena);
    pthread_mutex_destroy(&kernel->lock);
    nrd_free(&allocator, kernel);
    kernel = next;
  }
}

static nrd_status_t create(nrd_pack_t *pack, nrd_device_t *device,
                           nrd_index_t *index, nrd_kernel_t **out_kernel) {
  nrd_kernel_t *kernel = nrd_alloc(&pack->allocator, 1, sizeof *kernel);
  if (!kernel)
    return nrd_fail_memory(sizeof *kernel, "a kernel");
  pthread_mutex_init(&kernel->lock, NULL);
  kernel->arena.allocator = pack->allocator;
  kernel->pack = pack;
  kernel->index = index;
  if (device) {
    nrd_device_retain(device);
    kernel->device = device;
  }
  int fits;
  if (device && device->driver->runs_ir) {
    fits = make_ir_variants(kernel);
  } else {
    kernel->plans = index->plans;
    kernel->variant_count = index->variant_count;
    kernel->max_param_size = index->max_param_size;
    kernel->variants = nrd_arena_alloc(&kernel->arena, index->variant_count,
                                       sizeof *kernel->variants);
    fits = kernel->variants != NULL;
    if (fits && index->variant_count)
      memcpy(kernel->variants, index->variants,
             index->variant_count * sizeof *kernel->variants);
  }
  if (fits && device)
    fits = collect_candidates(kernel) && collect_facts(kernel) &&
           collect_groups(kernel);
  nrd_status_t status = NRD_OK;
  if (!fits)
    status =
        nrd_fail(NRD_OUT_OF_MEMORY, "no memory for kernel '%s'", index->name);
  else if (device && !kernel->candidate_count)
    status = fail_incompatible(kernel);
  if (status != NRD_OK) {
    nrd_kernel_free_all(kernel);
    return status;
  }
  *out_kernel = kernel;
  return NRD_OK;
}

nrd_status_t nrd_kernel_find(nrd_pack_t *pack, nrd_device_t *device,
                             const char *name,
                             const nrd_kernel_t **out_kernel) {
  NRD_NEED(pack);
  NRD_NEED(name);
  NRD_NEED(out_kernel);
  uint64_t begin = nrd_trace_begin();
  nrd_index_t *index = NULL;
  nrd_kernel_t *kernel = NULL;
  pthread_mutex_lock(&pack->lock);
  nrd_status_t status = nrd_pack_find_index(pack, name, &index);
  if (status == NRD_OK) {
    kernel = index->kernels;
    while (kernel && kernel->device != device)
      kernel = kernel->next;
    if (!kernel) {
      status = create(pack, device, index, &kernel);
      if (status == NRD_OK) {
        kernel->next = index->kernels;
        index->kernels = kernel;
      }
    }
  }
  pthread_mutex_unlock(&pack->lock);
  if (status == NRD_OK)
    *out_kernel = kernel;
  nrd_trace_end(begin, "find", name);
  return status;
}

//===-- Loading -----------------------------------------------------------===//

// Variants may share an image: each blob is loaded once. Holds the lock.
static nrd_status_t load_module(nrd_kernel_t *kernel, const nrd_plan_t *plan,
                                nrd_module_t **out_module) {
  for (nrd_loaded_t *loaded = kernel->loaded; loaded; loaded = loaded->next)
    if (loaded->blob == plan->blob) {
      *out_module = loaded->module;
      return NRD_OK;
    }
  const nrd_allocator_t *allocator = &kernel->pack->allocator;
  nrd_loaded_t *loaded = nrd_alloc(allocator, 1, sizeof *loaded);
  if (!loaded)
    return nrd_fail_memory(sizeof *loaded, "a module");
  char what[200];
  nrd_text_t text = {what, sizeof what, 0};
  nrd_text_add(&text, "the %s image of kernel '%s'", plan->image.target,
               kernel->index->name);
  const uint8_t *bytes = NULL;
  size_t size = 0;
  void *owned = NULL;
  uint64_t begin = nrd_trace_begin();
  nrd_status_t status = nrd_pack_blob(kernel->pack, kernel->index, plan->blob,
                                      what, &bytes, &size, &owned);
  if (status == NRD_OK)
    status = kernel->device->driver->load(kernel->device, &plan->image, bytes,
                                          size, &loaded->module);
  nrd_free(allocator, owned);
  nrd_trace_end(begin, "load", kernel->index->name);
  if (status != NRD_OK) {
    nrd_free(allocator, loaded);
    return status;
  }
  nrd_log(NRD_LOG_DECISION, "%s: loaded %s, %zu bytes", kernel->device->name,
          what, size);
  loaded->blob = plan->blob;
  loaded->next = kernel->loaded;
  kernel->loaded = loaded;
  *out_module = loaded->module;
  return NRD_OK;
}

// The field that lies next behind |before|; NULL behind the last.
static const nrd_field_t *next_field(const nrd_plan_t *plan,
                                     const nrd_field_t *before) {
  const nrd_field_t *next = NULL;
  for (uint32_t i = 0; i < plan->field_count; ++i) {
    const nrd_field_t *field = &plan->fields[i];
    if ((!before || field->offset > before->offset) &&
        (!next || field->offset < next->offset))
      next = field;
  }
  return next;
}

// Asks the driver where the function reads its parameters. That need not be
// where the pack puts them: ptxas aligns a tensor map by its address in the
// constant bank, and where parameters begin there differs between chips. The
// block's size must be exactly the function's, too, or the driver refuses it.
static nrd_status_t place_parameters(nrd_kernel_t *kernel,
                                     nrd_candidate_t *candidate) {
  const nrd_plan_t *plan = candidate->plan;
  const nrd_driver_t *driver = kernel->device->driver;
  candidate->fields = plan->fields;
  candidate->param_size = plan->image.param_size;
  const nrd_field_t *field = next_field(plan, NULL);
  nrd_field_t *placed = NULL;
  uint32_t end = 0;
  // Parameters without a field are zero. No more are asked for than the block
  // has, because debugging tools report a failing call.
  for (uint32_t i = 0; driver->parameter; ++i) {
    uint32_t offset, size;
    if (!field && end >= plan->image.param_size)
      break;
    int found = driver->parameter(kernel->device, candidate->function, i,
                                  &offset, &size);
    if (found < 0)
      return NRD_OK;
    if (!found && !field)
      break;
    if (!found || (field && size != field->size) ||
        size > kernel->max_param_size || offset > kernel->max_param_size - size)
      return nrd_fail(NRD_CORRUPT,
                      "the %s image of kernel '%s' does not take the "
                      "parameters that the pack lays out: number %u has %u "
                      "bytes there and %u in the pack",
                      plan->image.target, kernel->index->name, i,
                      found ? size : 0, field ? field->size : 0);
    if (offset + size > end)
      end = offset + size;
    if (!field)
      continue;
    if (offset != field->offset) {
      if (!placed) {
        placed =
            nrd_arena_alloc(&kernel->arena, plan->field_count, sizeof *placed);
        if (!placed)
          return nrd_fail_memory(plan->field_count * sizeof *placed,
                                 "parameters");
        memcpy(placed, plan->fields, plan->field_count * sizeof *placed);
      }
      placed[field - plan->fields].offset = offset;
    }
    field = next_field(plan, field);
  }
  if (driver->parameter)
    candidate->param_size = end;
  if (placed)
    candidate->fields = placed;
  return NRD_OK;
}

// Which slots a call of the candidate sets by a store alone.
static void describe_slot(const nrd_kernel_t *kernel,
                          const nrd_candidate_t *candidate, uint32_t slot,
                          nrd_direct_t *direct) {
  const nrd_slot_t *info = &kernel->index->slots[slot];
  const nrd_plan_t *plan = candidate->plan;
  uint32_t first = plan->fields_of_slot[slot];
  const nrd_field_t *field = &candidate->fields[first];
  if (info->has_constant || plan->fields_of_slot[slot + 1] != first + 1 ||
      field->kind != NRD_FIELD_VALUE)
    return;
  direct->offset = field->offset;
  if (info->kind == NRD_SLOT_POINTER)
    direct->kind = NRD_DIRECT_POINTER;
  else if (info->kind == NRD_SLOT_INTEGER && info->is_signed &&
           field->size * 8 == info->bits && info->bits >= 32)
    direct->kind = info->bits == 32 ? NRD_DIRECT_INT32 : NRD_DIRECT_INT64;
  if (nrd_slot_in(&kernel->tuned_slots, slot) ||
      nrd_slot_in(&kernel->map_slots, slot) ||
      nrd_slot_in(&kernel->index->grids[plan->config].slots, slot))
    direct->watched = UINT64_MAX;
  for (uint32_t f = kernel->facts_of_slot[slot];
       f < kernel->facts_of_slot[slot + 1]; ++f) {
    const nrd_predicate_t *fact = &kernel->facts[f];
    uint64_t low = (uint64_t)fact->value - 1;
    int is_power = !((uint64_t)fact->value & low);
    if (is_power && fact->kind == NRD_PREDICATE_DIVISIBLE)
      direct->watched |= low;
    else if (is_power && fact->kind == NRD_PREDICATE_BELOW)
      direct->watched |= ~low;
    else
      direct->watched = UINT64_MAX;
  }
}

static nrd_status_t describe_slots(nrd_kernel_t *kernel,
                                   nrd_candidate_t *candidate) {
  uint32_t count = kernel->index->slot_count;
  nrd_direct_t *direct = nrd_arena_alloc(&kernel->arena, count, sizeof *direct);
  if (!direct)
    return nrd_fail_memory(count * sizeof *direct, "parameters");
  for (uint32_t slot = 0; slot < count; ++slot)
    describe_slot(kernel, candidate, slot, &direct[slot]);
  candidate->direct = direct;
  return NRD_OK;
}

static char *copy_text(const nrd_allocator_t *allocator, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = nrd_alloc_raw(allocator, size);
  if (copy)
    memcpy(copy, text, size);
  return copy;
}

nrd_status_t nrd_kernel_load(nrd_kernel_t *kernel, nrd_candidate_t *candidate) {
  int state = atomic_load_explicit(&candidate->state, memory_order_acquire);
  if (NRD_LIKELY(state == 1))
    return NRD_OK;
  pthread_mutex_lock(&kernel->lock);
  nrd_status_t status = NRD_OK;
  state = atomic_load_explicit(&candidate->state, memory_order_relaxed);
  if (state == 2) {
    status = nrd_fail(candidate->status, "%s",
                      candidate->reason ? candidate->reason
                                        : "this image could not be loaded");
  } else if (state == 0) {
    status = load_module(kernel, candidate->plan, &candidate->module);
    if (status == NRD_OK)
      status = kernel->device->driver->function(
          kernel->device, candidate->module, &candidate->plan->image,
          &candidate->function);
    if (status == NRD_OK)
      status = place_parameters(kernel, candidate);
    if (status == NRD_OK)
      status = describe_slots(kernel, candidate);
    if (status == NRD_OK) {
      atomic_store_explicit(&candidate->state, 1, memory_order_release);
    } else if (status != NRD_OUT_OF_MEMORY) { // that may pass
      candidate->status = status;
      candidate->reason =
          copy_text(&kernel->pack->allocator, nrd_error_message());
      atomic_store_explicit(&candidate->state, 2, memory_order_release);
    }
  }
  pthread_mutex_unlock(&kernel->lock);
  return status;
}

nrd_status_t nrd_kernel_preload(const nrd_kernel_t *kernel) {
  NRD_NEED(kernel);
  if (!kernel->device)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "kernel '%s' was found without a device",
                    kernel->index->name);
  nrd_status_t result = NRD_INCOMPATIBLE;
  for (uint32_t i = 0; i < kernel->candidate_count; ++i) {
    nrd_status_t status = nrd_kernel_load((nrd_kernel_t *)(uintptr_t)kernel,
                                          &kernel->candidates[i]);
    if (status == NRD_OK)
      result = NRD_OK;
    else if (status != NRD_INCOMPATIBLE && status != NRD_UNSUPPORTED)
      return status;
  }
  return result;
}

nrd_status_t nrd_pack_preload(nrd_pack_t *pack, nrd_device_t *device) {
  NRD_NEED(pack);
  NRD_NEED(device);
  for (size_t i = 0; i < pack->kernel_count; ++i) {
    const char *name = NULL;
    const nrd_kernel_t *kernel = NULL;
    NRD_TRY(nrd_pack_kernel_name(pack, i, &name));
    nrd_status_t status = nrd_kernel_find(pack, device, name, &kernel);
    if (status == NRD_OK)
      status = nrd_kernel_preload(kernel);
    if (status != NRD_OK && status != NRD_INCOMPATIBLE)
      return status;
  }
  return NRD_OK;
}

//===-- What a kernel says of itself --------------------------------------===//

const char *nrd_kernel_name(const nrd_kernel_t *kernel) {
  return kernel->index->name;
}

nrd_device_t *nrd_kernel_device(const nrd_kernel_t *kernel) {
  return kernel->device;
}

size_t nrd_kernel_slot_count(const nrd_kernel_t *kernel) {
  return kernel->index->slot_count;
}

size_t nrd_kernel_config_count(const nrd_kernel_t *kernel) {
  return kernel->index->config_count;
}

size_t nrd_kernel_variant_count(const nrd_kernel_t *kernel) {
  return kernel->variant_count;
}

const nrd_slot_t *nrd_kernel_slot(const nrd_kernel_t *kernel, size_t index) {
  return index < kernel->index->slot_count ? &kernel->index->slots[index]
                                           : NULL;
}

const nrd_config_t *nrd_kernel_config(const nrd_kernel_t *kernel,
                                      size_t index) {
  return index < kernel->index->config_count ? &kernel->index->configs[index]
                                             : NULL;
}

const nrd_variant_t *nrd_kernel_variant(const nrd_kernel_t *kernel,
                                        size_t index) {
  return index < kernel->variant_count ? &kernel->variants[index] : NULL;
}

nrd_status_t nrd_kernel_find_slot(const nrd_kernel_t *kernel, const char *name,
                                  uint32_t *out_slot) {
  NRD_NEED(kernel);
  NRD_NEED(name);
  NRD_NEED(out_slot);
  char buffer[400];
  nrd_text_t text = {buffer, sizeof buffer, 0};
  buffer[0] = 0;
  for (uint32_t i = 0; i < kernel->index->slot_count; ++i) {
    if (!strcmp(kernel->index->slots[i].name, name)) {
      *out_slot = i;
      return NRD_OK;
    }
    nrd_text_add(&text, "%s%s", i ? ", " : "", kernel->index->slots[i].name);
  }
  return nrd_fail(NRD_NOT_FOUND,
                  "kernel '%s' has no parameter '%.100s'; it has %s",
                  kernel->index->name, name, buffer);
}
