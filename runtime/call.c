// runtime/call.c - bound calls: arguments in, one launch out.

#include "runtime/call.h"

#include "runtime/device.h"
#include "runtime/log.h"

#include <stdio.h>
#include <string.h>

//===-- Life --------------------------------------------------------------===//

static size_t round_up(size_t size, size_t align) {
  return (size + align - 1) & ~(align - 1);
}

nrd_status_t nrd_call_create(const nrd_kernel_t *kernel,
                             nrd_call_t **out_call) {
  NRD_NEED(kernel);
  NRD_NEED(out_call);
  const nrd_index_t *index = kernel->index;
  if (!kernel->device)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "kernel '%s' was found without a device; find it with one "
                    "to call it",
                    index->name);
  size_t slots = index->slot_count, dims = 0;
  for (size_t i = 0; i < slots; ++i)
    if (index->slots[i].kind == NRD_SLOT_DESCRIPTOR)
      dims += 2 * index->slots[i].rank;
  // One piece: the call, its tables, and the parameter block.
  size_t values_at = round_up(sizeof(nrd_call_t), 16);
  size_t dims_at = values_at + slots * sizeof(int64_t);
  size_t room_at = dims_at + slots * sizeof(int64_t *);
  size_t dirt_at = room_at + dims * sizeof(int64_t);
  size_t params_at = dirt_at + slots;
  size_t size = params_at + 64 + round_up(kernel->max_param_size, 64);
  char *memory = nrd_alloc(&kernel->pack->allocator, 1, size);
  if (!memory)
    return nrd_fail_memory(size, "a call");
  nrd_call_t *call = (nrd_call_t *)memory;
  call->kernel = (nrd_kernel_t *)(uintptr_t)kernel;
  call->values = (int64_t *)(memory + values_at);
  call->dims = (int64_t **)(memory + dims_at);
  int64_t *room = (int64_t *)(memory + room_at);
  call->slot_dirt = (uint8_t *)(memory + dirt_at);
  uintptr_t params = (uintptr_t)(memory + params_at);
  call->launch.params = memory + params_at + (round_up(params, 64) - params);
  call->launch.device = kernel->device;
  call->config = NRD_CONFIG_AUTO;
  call->dirty = NRD_DIRTY_VARIANT;
  for (uint32_t i = 0; i < slots; ++i) {
    const nrd_slot_t *slot = &index->slots[i];
    if (slot->kind == NRD_SLOT_DESCRIPTOR) {
      call->dims[i] = room;
      room += 2 * slot->rank;
    }
    if (!slot->has_constant)
      continue;
    nrd_slot_add(&call->is_set, i);
    if (slot->kind == NRD_SLOT_FLOAT)
      memcpy(&call->values[i], &slot->constant_real, sizeof(double));
    else
      call->values[i] = slot->constant;
    for (uint32_t f = kernel->facts_of_slot[i];
         f < kernel->facts_of_slot[i + 1]; ++f)
      if (nrd_fact_holds(call, &kernel->facts[f]))
        call->facts.words[f / 64] |= (uint64_t)1 << f % 64;
  }
  nrd_pack_retain(kernel->pack);
  *out_call = call;
  return NRD_OK;
}

static void release_scratch(nrd_call_t *call) {
  if (!call->owned_scratch)
    return;
  nrd_device_t *device = call->launch.device;
  if (device->scratch.release)
    device->scratch.release(device->scratch.context, call->owned_scratch,
                            call->owned_size);
  else if (!device->scratch.allocate)
    device->driver->free(device, call->owned_scratch);
  call->owned_scratch = NULL;
  call->owned_size = 0;
}

void nrd_call_destroy(nrd_call_t *call) {
  if (!call)
    return;
  nrd_pack_t *pack = call->kernel->pack;
  nrd_allocator_t allocator = pack->allocator;
  release_scratch(call);
  nrd_free(&allocator, call);
  nrd_pack_close(pack);
}

//===-- Parameters --------------------------------------------------------===//

// Writes the slot's fields into the block; tensor maps come later.
static void write_slot(nrd_call_t *call, const nrd_candidate_t *bound,
                       uint32_t slot) {
  const nrd_slot_t *info = &call->kernel->index->slots[slot];
  char *params = call->launch.params;
  uint32_t end = bound->plan->fields_of_slot[slot + 1];
  for (uint32_t i = bound->plan->fields_of_slot[slot]; i < end; ++i) {
    const nrd_field_t *field = &bound->fields[i];
    int64_t value = call->values[slot];
    if (field->kind == NRD_FIELD_TENSOR_MAP)
      continue;
    if (field->kind == NRD_FIELD_SHAPE)
      value = call->dims[slot][field->index];
    else if (field->kind == NRD_FIELD_STRIDE)
      value = call->dims[slot][info->rank + field->index];
    if (info->kind == NRD_SLOT_FLOAT) {
      double real;
      memcpy(&real, &value, sizeof real);
      nrd_encode_float(real, info->type, field->size, params + field->offset);
    } else if (field->size == 8) {
      memcpy(params + field->offset, &value, 8);
    } else if (field->size == 4) {
      uint32_t low = (uint32_t)value;
      memcpy(params + field->offset, &low, 4);
    } else {
      memcpy(params + field->offset, &value, field->size); // little-endian
    }
  }
}

static void update_fact(nrd_call_t *call, uint32_t fact) {
  uint64_t bit = (uint64_t)1 << fact % 64;
  uint64_t *word = &call->facts.words[fact / 64];
  uint64_t now = nrd_fact_holds(call, &call->kernel->facts[fact]) ? bit : 0;
  if ((*word & bit) != now) {
    *word ^= bit;
    call->dirty |= NRD_DIRTY_VARIANT;
  }
}

// The slot's value has changed: brings facts, parameters and marks up to date.
static void slot_changed(nrd_call_t *call, uint32_t slot, uint32_t dirt) {
  nrd_kernel_t *kernel = call->kernel;
  nrd_slot_add(&call->is_set, slot);
  uint32_t end = kernel->facts_of_slot[slot + 1];
  for (uint32_t f = kernel->facts_of_slot[slot]; f < end; ++f)
    update_fact(call, f);
  int is_mapped = nrd_slot_in(&kernel->map_slots, slot);
  if (is_mapped) // the facts of maps stand with their bases
    for (uint32_t f = 0; f < kernel->fact_count; ++f)
      if (kernel->facts[f].kind == NRD_PREDICATE_TENSOR_MAP)
        update_fact(call, f);
  if (nrd_slot_in(&kernel->tuned_slots, slot))
    call->dirty |= NRD_DIRTY_VARIANT;
  if (!call->bound)
    return;
  const nrd_plan_t *plan = call->bound->plan;
  write_slot(call, call->bound, slot);
  if (nrd_slot_in(&kernel->index->grids[plan->config].slots, slot))
    call->dirty |= NRD_DIRTY_GRID;
  if (is_mapped)
    dirt |= NRD_MAP_RESHAPED;
  else if (kernel->index->slots[slot].kind == NRD_SLOT_POINTER)
    dirt |= NRD_MAP_MOVED;
  if (plan->map_count && dirt) {
    call->slot_dirt[slot] |= (uint8_t)dirt;
    call->dirty |= NRD_DIRTY_MAPS;
  }
}

NRD_COLD static nrd_status_t fail_slot(const nrd_call_t *call, uint32_t slot,
                                       const char *function,
                                       const char *given) {
  const nrd_index_t *index = call->kernel->index;
  if (slot >= index->slot_count)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "%s: kernel '%s' has %u parameters; there is no slot %u",
                    function, index->name, index->slot_count, slot);
  return nrd_fail(NRD_INVALID_ARGUMENT,
                  "%s: slot %u of kernel '%s', '%s', is %s and takes no %s",
                  function, slot, index->name, index->slots[slot].name,
                  index->slots[slot].type, given);
}

// The slot if it is of |kind|, else NULL.
static inline const nrd_slot_t *get_slot(const nrd_call_t *call, uint32_t slot,
                                         nrd_slot_kind_t kind) {
  const nrd_index_t *index = call->kernel->index;
  if (!NRD_LIKELY(slot < index->slot_count && index->slots[slot].kind == kind))
    return NULL;
  return &index->slots[slot];
}

// Sets a slot that takes |kind| by one store; 0 if that is not all there is to
// do.
static inline int set_directly(nrd_call_t *call, uint32_t slot, int64_t value,
                               uint32_t kind) {
  if (!NRD_LIKELY(slot < call->direct_count))
    return 0;
  const nrd_direct_t *direct = &call->direct[slot];
  if (direct->kind != kind ||
      (uint64_t)(call->values[slot] ^ value) & direct->watched)
    return 0;
  call->values[slot] = value;
  memcpy((char *)call->launch.params + direct->offset, &value,
         kind == NRD_DIRECT_INT32 ? 4 : 8); // little-endian
  return 1;
}

static inline void set_value(nrd_call_t *call, uint32_t slot, int64_t value) {
  if (call->values[slot] == value && nrd_slot_in(&call->is_set, slot))
    return;
  call->values[slot] = value;
  slot_changed(call, slot, 0);
}

nrd_status_t nrd_call_set_pointer(nrd_call_t *call, uint32_t slot,
                                  const void *pointer) {
  NRD_NEED(call);
  if (set_directly(call, slot, (int64_t)(uintptr_t)pointer, NRD_DIRECT_POINTER))
    return NRD_OK;
  if (!get_slot(call, slot, NRD_SLOT_POINTER))
    return fail_slot(call, slot, __func__, "pointer");
  set_value(call, slot, (int64_t)(uintptr_t)pointer);
  return NRD_OK;
}

nrd_status_t nrd_call_set_int(nrd_call_t *call, uint32_t slot, int64_t value) {
  NRD_NEED(call);
  if ((value == (int32_t)value &&
       set_directly(call, slot, value, NRD_DIRECT_INT32)) ||
      set_directly(call, slot, value, NRD_DIRECT_INT64))
    return NRD_OK;
  const nrd_slot_t *info = get_slot(call, slot, NRD_SLOT_INTEGER);
  if (!info) {
    // An integer is a fine value for a float.
    if (get_slot(call, slot, NRD_SLOT_FLOAT))
      return nrd_call_set_float(call, slot, (double)value);
    return fail_slot(call, slot, __func__, "integer");
  }
  if (info->bits < 64) {
    int64_t low = 0, high = (INT64_C(1) << (info->bits - 1)) - 1;
    if (info->bits == 1)
      high = 1;
    else if (info->is_signed)
      low = -high - 1;
    else
      high = 2 * high + 1;
    if (value < low || value > high)
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "'%s' of kernel '%s' is %s, which cannot hold %lld",
                      info->name, call->kernel->index->name, info->type,
                      (long long)value);
  }
  if (info->has_constant && value != info->constant)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "'%s' of kernel '%s' was fixed to %lld when the pack was "
                    "built; got %lld",
                    info->name, call->kernel->index->name,
                    (long long)info->constant, (long long)value);
  set_value(call, slot, value);
  return NRD_OK;
}

nrd_status_t nrd_call_set_float(nrd_call_t *call, uint32_t slot, double value) {
  NRD_NEED(call);
  const nrd_slot_t *info = get_slot(call, slot, NRD_SLOT_FLOAT);
  if (!info)
    return fail_slot(call, slot, __func__, "floating-point number");
  if (info->has_constant && value != info->constant_real)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "'%s' of kernel '%s' was fixed to %g when the pack was "
                    "built; got %g",
                    info->name, call->kernel->index->name, info->constant_real,
                    value);
  int64_t bits;
  memcpy(&bits, &value, sizeof bits);
  set_value(call, slot, bits);
  return NRD_OK;
}

nrd_status_t nrd_call_set_descriptor(nrd_call_t *call, uint32_t slot,
                                     const void *base, const int64_t *shape,
                                     const int64_t *strides) {
  NRD_NEED(call);
  NRD_NEED(shape);
  const nrd_slot_t *info = get_slot(call, slot, NRD_SLOT_DESCRIPTOR);
  if (!info)
    return fail_slot(call, slot, __func__, "tensor");
  uint32_t rank = info->rank;
  int64_t dims[2 * NRD_MAX_RANK];
  int64_t contiguous = 1;
  for (uint32_t d = rank; d-- > 0;) {
    if (shape[d] < 0 || shape[d] > INT32_MAX)
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "'%s' of kernel '%s': dimension %u has %lld elements",
                      info->name, call->kernel->index->name, d,
                      (long long)shape[d]);
    dims[d] = shape[d];
    dims[rank + d] = strides ? strides[d] : contiguous;
    // Only the product over all inner dimensions can be too large.
    if (!strides && shape[d] &&
        __builtin_mul_overflow(contiguous, shape[d], &contiguous))
      return nrd_fail(NRD_INVALID_ARGUMENT, "'%s' of kernel '%s' is too large",
                      info->name, call->kernel->index->name);
  }
  uint32_t dirt = 0;
  if (!nrd_slot_in(&call->is_set, slot) ||
      memcmp(call->dims[slot], dims, 2 * rank * sizeof *dims))
    dirt = NRD_MAP_MOVED | NRD_MAP_RESHAPED;
  else if (call->values[slot] != (int64_t)(uintptr_t)base)
    dirt = NRD_MAP_MOVED;
  if (!dirt)
    return NRD_OK;
  memcpy(call->dims[slot], dims, 2 * rank * sizeof *dims);
  call->values[slot] = (int64_t)(uintptr_t)base;
  slot_changed(call, slot, dirt);
  return NRD_OK;
}

nrd_status_t nrd_call_set_grid(nrd_call_t *call, uint32_t x, uint32_t y,
                               uint32_t z) {
  NRD_NEED(call);
  if (x > NRD_MAX_GRID || y > NRD_MAX_GRID || z > NRD_MAX_GRID)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "nrd_call_set_grid: at most %d programs along an axis",
                    NRD_MAX_GRID);
  call->has_grid = x || y || z;
  call->grid[0] = x;
  call->grid[1] = y;
  call->grid[2] = z;
  call->dirty |= NRD_DIRTY_GRID;
  return NRD_OK;
}

nrd_status_t nrd_call_set_config(nrd_call_t *call, uint32_t config) {
  NRD_NEED(call);
  if (config != NRD_CONFIG_AUTO && config >= call->kernel->index->config_count)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "kernel '%s' has %u configs; there is no config %u",
                    call->kernel->index->name,
                    call->kernel->index->config_count, config);
  if (call->config != config)
    call->dirty |= NRD_DIRTY_VARIANT;
  call->config = config;
  return NRD_OK;
}

nrd_status_t nrd_call_set_scratch(nrd_call_t *call, void *pointer,
                                  size_t size) {
  NRD_NEED(call);
  if (!pointer != !size || (uintptr_t)pointer % 256)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "nrd_call_set_scratch: give an address that is a multiple "
                    "of 256, and its size");
  call->given_scratch = pointer;
  call->given_size = size;
  call->dirty |= NRD_DIRTY_GRID;
  return NRD_OK;
}

//===-- Binding -----------------------------------------------------------===//

static nrd_status_t check_all_set(const nrd_call_t *call) {
  const nrd_index_t *index = call->kernel->index;
  uint32_t missing = 0;
  char buffer[600];
  nrd_text_t text = {buffer, sizeof buffer, 0};
  for (uint32_t i = 0; i < index->slot_count; ++i)
    if (!nrd_slot_in(&call->is_set, i))
      nrd_text_add(&text, "%s%u '%s' (%s)", missing++ ? ", " : "", i,
                   index->slots[i].name, index->slots[i].type);
  if (!missing)
    return NRD_OK;
  return nrd_fail(NRD_INVALID_ARGUMENT,
                  "kernel '%s' cannot be bound: %s not set: %s", index->name,
                  missing > 1 ? "these slots are" : "this slot is", buffer);
}

static nrd_status_t choose_variant(nrd_call_t *call) {
  NRD_TRY(check_all_set(call));
  nrd_candidate_t *candidate = NULL;
  NRD_TRY(nrd_dispatch(call, &candidate));
  call->dirty &= ~(uint32_t)NRD_DIRTY_VARIANT;
  if (candidate == call->bound)
    return NRD_OK;
  const nrd_plan_t *plan = candidate->plan;
  call->bound = candidate;
  call->direct = candidate->direct;
  call->direct_count = call->kernel->index->slot_count;
  call->launch.module = candidate->module;
  call->launch.function = candidate->function;
  call->launch.image = &plan->image;
  call->launch.param_size = candidate->param_size;
  memset(call->launch.params, 0, candidate->param_size);
  for (uint32_t i = 0; i < call->kernel->index->slot_count; ++i) {
    write_slot(call, candidate, i);
    call->slot_dirt[i] = NRD_MAP_MOVED | NRD_MAP_RESHAPED;
  }
  call->dirty |= NRD_DIRTY_GRID | (plan->map_count ? NRD_DIRTY_MAPS : 0);
  if (nrd_log_enabled(NRD_LOG_DECISION))
    nrd_log(NRD_LOG_DECISION,
            "%s: kernel '%s' takes variant %u (%s, config %u)",
            call->launch.device->name, call->kernel->index->name,
            candidate->variant, plan->image.target, plan->config);
  return NRD_OK;
}

static nrd_status_t encode_maps(nrd_call_t *call) {
  const nrd_plan_t *plan = call->bound->plan;
  nrd_device_t *device = call->launch.device;
  for (uint32_t i = 0; i < plan->field_count; ++i) {
    const nrd_field_t *field = &call->bound->fields[i];
    if (field->kind != NRD_FIELD_TENSOR_MAP)
      continue;
    const nrd_tensor_map_t *map = &plan->maps[field->index];
    const nrd_slot_set_t *slots = &plan->map_slots[field->index];
    uint8_t dirt = call->slot_dirt[map->slot];
    for (uint32_t slot = 0; slot < call->kernel->index->slot_count; ++slot)
      if (call->slot_dirt[slot] && nrd_slot_in(slots, slot))
        dirt |= call->slot_dirt[slot];
    if (!dirt)
      continue;
    if (!device->driver->encode_tensor_map)
      return nrd_fail(NRD_UNSUPPORTED, "%s has no tensor maps", device->name);
    int64_t room[2 * NRD_MAX_TENSOR_MAP_RANK];
    const int64_t *shape = nrd_map_dims(call, map, room);
    if (!shape) // dispatch has seen it have a value
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "kernel '%s': a tensor's shape overflows",
                      call->kernel->index->name);
    NRD_TRY(device->driver->encode_tensor_map(
        device, map, (const void *)(uintptr_t)call->values[map->slot], shape,
        shape + map->rank, !(dirt & NRD_MAP_RESHAPED),
        (char *)call->launch.params + field->offset));
  }
  memset(call->slot_dirt, 0, call->kernel->index->slot_count);
  call->dirty &= ~(uint32_t)NRD_DIRTY_MAPS;
  return NRD_OK;
}

static nrd_status_t provide_scratch(nrd_call_t *call, uint64_t programs) {
  const nrd_plan_t *plan = call->bound->plan;
  const nrd_image_t *image = &plan->image;
  uint32_t slot_count = call->kernel->index->slot_count;
  uint32_t first = plan->fields_of_slot[slot_count];
  call->scratch_size = 0;
  if (first == plan->field_count || !image->scratch_size)
    return NRD_OK; // none, or a CPU thread's own
  size_t need;
  if (__builtin_mul_overflow(
          round_up(image->scratch_size, image->scratch_align), programs, &need))
    return nrd_fail(NRD_OUT_OF_MEMORY,
                    "kernel '%s' would need more scratch than there is memory",
                    image->kernel);
  call->scratch_size = need;
  void *scratch = call->given_scratch;
  if (scratch && call->given_size < need)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "kernel '%s' needs %zu bytes of scratch for this grid and "
                    "was given %zu",
                    image->kernel, need, call->given_size);
  if (!scratch) {
    if (call->owned_size < need) {
      nrd_device_t *device = call->launch.device;
      void *pointer = NULL;
      if (device->scratch.allocate) {
        size_t align = image->scratch_align > 256 ? image->scratch_align : 256;
        pointer =
            device->scratch.allocate(device->scratch.context, need, align);
        if (!pointer)
          return nrd_fail(NRD_OUT_OF_MEMORY,
                          "the scratch allocator gave no %zu bytes for kernel "
                          "'%s'",
                          need, image->kernel);
      } else {
        NRD_TRY(device->driver->alloc(device, need, &pointer));
      }
      release_scratch(call);
      call->owned_scratch = pointer;
      call->owned_size = need;
    }
    scratch = call->owned_scratch;
  }
  call->scratch = scratch;
  for (uint32_t i = first; i < plan->field_count; ++i)
    memcpy((char *)call->launch.params + call->bound->fields[i].offset,
           &scratch, sizeof scratch);
  return NRD_OK;
}

static nrd_status_t launch_nothing(nrd_launch_t *launch, void *stream) {
  (void)launch, (void)stream;
  return NRD_OK;
}

static nrd_status_t launch_traced(nrd_launch_t *launch, void *stream) {
  uint64_t begin = nrd_trace_begin();
  nrd_status_t status = launch->device->driver->launch(launch, stream);
  nrd_trace_end(begin, "launch", launch->image->kernel);
  return status;
}

static nrd_status_t evaluate_grid(nrd_call_t *call, uint32_t out_grid[3]) {
  const nrd_index_t *index = call->kernel->index;
  uint32_t config = call->bound->plan->config;
  uint32_t rank = index->configs[config].grid_rank;
  if (call->has_grid) {
    memcpy(out_grid, call->grid, sizeof call->grid);
    return NRD_OK;
  }
  if (!rank)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "kernel '%s' has no grid of its own; call "
                    "nrd_call_set_grid first",
                    index->name);
  nrd_grid_arguments_t arguments = {call->values, call->dims};
  for (uint32_t axis = 0; axis < 3; ++axis) {
    out_grid[axis] = 1;
    if (axis >= rank)
      continue;
    char what[160];
    nrd_text_t text = {what, sizeof what, 0};
    int64_t value = 0;
    // The name is made only when something is wrong, by a second evaluation.
    const nrd_grid_axis_t *program = &index->grids[config].axes[axis];
    if (!nrd_grid_value(program, &arguments, &value)) {
      nrd_text_add(&text, "kernel '%.100s': the grid's %c", index->name,
                   "xyz"[axis]);
      return nrd_grid_evaluate(program, &arguments, what, &value);
    }
    if (value < 0 || value > NRD_MAX_GRID)
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "kernel '%.100s': the grid's %c, '%s', is %lld; 0 to %d "
                      "can be launched",
                      index->name, "xyz"[axis], program->text, (long long)value,
                      NRD_MAX_GRID);
    out_grid[axis] = (uint32_t)value;
  }
  return NRD_OK;
}

static nrd_status_t lay_out_grid(nrd_call_t *call) {
  nrd_launch_t *launch = &call->launch;
  uint32_t grid[3];
  NRD_TRY(evaluate_grid(call, grid));
  uint64_t programs = (uint64_t)grid[0] * grid[1];
  if (__builtin_mul_overflow(programs, (uint64_t)grid[2], &programs) ||
      programs > INT64_MAX)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "kernel '%s': a grid of %u x %u x %u programs is too large",
                    launch->image->kernel, grid[0], grid[1], grid[2]);
  NRD_TRY(provide_scratch(call, programs));
  memcpy(launch->grid, grid, sizeof grid);
  launch->programs = programs;
  const nrd_driver_t *driver = launch->device->driver;
  if (!programs) {
    call->go = launch_nothing;
  } else {
    if (driver->prepare)
      NRD_TRY(driver->prepare(launch));
    call->go = nrd_trace_begin() ? launch_traced : driver->launch;
  }
  call->dirty &= ~(uint32_t)NRD_DIRTY_GRID;
  return NRD_OK;
}

NRD_COLD static nrd_status_t bind_dirty(nrd_call_t *call);

nrd_status_t nrd_call_bind(nrd_call_t *call) {
  NRD_NEED(call);
  return call->dirty ? bind_dirty(call) : NRD_OK;
}

static nrd_status_t bind_dirty(nrd_call_t *call) {
  uint64_t begin = nrd_trace_begin();
  if (call->dirty & NRD_DIRTY_VARIANT)
    NRD_TRY(choose_variant(call));
  if (call->dirty & NRD_DIRTY_MAPS)
    NRD_TRY(encode_maps(call));
  if (call->dirty & NRD_DIRTY_GRID)
    NRD_TRY(lay_out_grid(call));
  nrd_trace_end(begin, "bind", call->kernel->index->name);
  return NRD_OK;
}

nrd_status_t nrd_call_launch(nrd_call_t *call, void *stream) {
  NRD_NEED(call);
  if (!NRD_LIKELY(!call->dirty))
    NRD_TRY(bind_dirty(call));
  return call->go(&call->launch, stream);
}

//===-- What bind chose ---------------------------------------------------===//

static nrd_status_t need_bound(const nrd_call_t *call) {
  if (call->dirty)
    return nrd_fail(NRD_INVALID_ARGUMENT, "the call of '%s' is not bound",
                    call->kernel->index->name);
  return NRD_OK;
}

nrd_status_t nrd_call_variant(const nrd_call_t *call, uint32_t *out_variant) {
  NRD_NEED(call);
  NRD_NEED(out_variant);
  NRD_TRY(need_bound(call));
  *out_variant = call->bound->variant;
  return NRD_OK;
}

nrd_status_t nrd_call_grid(const nrd_call_t *call, uint32_t out_grid[3]) {
  NRD_NEED(call);
  NRD_NEED(out_grid);
  NRD_TRY(need_bound(call));
  memcpy(out_grid, call->launch.grid, sizeof call->launch.grid);
  return NRD_OK;
}

nrd_status_t nrd_call_scratch_size(const nrd_call_t *call, size_t *out_size) {
  NRD_NEED(call);
  NRD_NEED(out_size);
  NRD_TRY(need_bound(call));
  *out_size = call->scratch_size;
  return NRD_OK;
}

nrd_status_t nrd_call_params(const nrd_call_t *call, const void **out_params,
                             size_t *out_size) {
  NRD_NEED(call);
  NRD_NEED(out_params);
  NRD_NEED(out_size);
  NRD_TRY(need_bound(call));
  *out_params = call->launch.params;
  *out_size = call->launch.param_size;
  return NRD_OK;
}

nrd_status_t nrd_call_function(const nrd_call_t *call, void **out_function) {
  NRD_NEED(call);
  NRD_NEED(out_function);
  NRD_TRY(need_bound(call));
  *out_function = call->launch.function;
  return NRD_OK;
}
