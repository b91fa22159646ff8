// runtime/index.c - one kernel's part of a pack, verified and unpacked.

#include "runtime/index.h"

#include "runtime/hash.h"
#include "runtime/schema.h"

#include <string.h>

// What the steps below share.
typedef struct reader_t {
  nrd_index_t *index;
  uint64_t file_size;
  const char *what;
  const char **config_refused; // per config: NULL, or why
} reader_t;

static void *allocate(reader_t *r, size_t count, size_t size) {
  return nrd_arena_alloc(&r->index->arena, count, size);
}

#define CORRUPT_IF(condition, ...)                                             \
  do {                                                                         \
    if (condition)                                                             \
      return corrupt(r, __VA_ARGS__);                                          \
  } while (0)

NRD_COLD static nrd_status_t corrupt(reader_t *r, const char *problem) {
  return nrd_fail(NRD_CORRUPT, "%s is damaged: %s", r->what, problem);
}

NRD_COLD static nrd_status_t no_memory(reader_t *r) {
  return nrd_fail(NRD_OUT_OF_MEMORY, "no memory for the index of %s", r->what);
}

static nrd_status_t read_slots(reader_t *r, nrd_flat_vector_t list) {
  CORRUPT_IF(list.count > NRD_MAX_SLOTS, "it has too many parameters");
  nrd_slot_t *slots = allocate(r, list.count, sizeof *slots);
  if (!slots)
    return no_memory(r);
  r->index->slots = slots;
  r->index->slot_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i) {
    nrd_flat_t table = nrd_flat_table(list, i);
    nrd_slot_t *slot = &slots[i];
    uint8_t kind = nrd_flat_u8(table, PARAM_KIND, 0);
    slot->name = nrd_flat_string(table, PARAM_NAME);
    slot->type = nrd_flat_string(table, PARAM_TYPE);
    slot->doc = nrd_flat_string(table, PARAM_DOC);
    if (kind > NRD_SLOT_DESCRIPTOR)
      return nrd_fail(NRD_UNSUPPORTED,
                      "%s has a parameter '%s' of a kind that this version of "
                      "nereid does not know",
                      r->what, slot->name);
    slot->kind = (nrd_slot_kind_t)kind;
    slot->bits = nrd_flat_u16(table, PARAM_BITS, 0);
    slot->rank = nrd_flat_u8(table, PARAM_RANK, 0);
    slot->is_signed = nrd_flat_u8(table, PARAM_IS_SIGNED, 0) != 0;
    slot->is_const = nrd_flat_u8(table, PARAM_IS_CONST, 0) != 0;
    slot->has_constant = nrd_flat_u8(table, PARAM_HAS_CONSTANT, 0) != 0;
    uint64_t constant = nrd_flat_u64(table, PARAM_CONSTANT, 0);
    int is_number = kind == NRD_SLOT_INTEGER || kind == NRD_SLOT_FLOAT;
    CORRUPT_IF(slot->bits > 64 || (is_number && !slot->bits),
               "a parameter has an impossible width");
    CORRUPT_IF(slot->has_constant && !is_number,
               "a pointer parameter has a constant value");
    CORRUPT_IF(kind == NRD_SLOT_DESCRIPTOR
                   ? slot->rank < 1 || slot->rank > NRD_MAX_RANK
                   : 0,
               "a descriptor has an impossible rank");
    if (kind == NRD_SLOT_FLOAT)
      memcpy(&slot->constant_real, &constant, sizeof constant);
    else
      slot->constant = (int64_t)constant;
  }
  return NRD_OK;
}

static nrd_status_t read_blobs(reader_t *r, nrd_flat_vector_t list) {
  CORRUPT_IF(list.count > NRD_MAX_BLOBS, "it has too many blobs");
  nrd_blob_t *blobs = allocate(r, list.count, sizeof *blobs);
  if (!blobs)
    return no_memory(r);
  r->index->blobs = blobs;
  r->index->blob_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i) {
    const uint8_t *at = list.data + (size_t)i * NRD_BLOB_SIZE;
    nrd_blob_t *blob = &blobs[i];
    blob->offset = nrd_load64(at);
    blob->stored_size = nrd_load64(at + 8);
    blob->raw_size = nrd_load64(at + 16);
    blob->hash = nrd_load64(at + 24);
    memcpy(blob->blake2b, at + 32, 32);
    blob->codec = at[64];
    blob->dictionary = (int32_t)nrd_load32(at + 68);
    CORRUPT_IF(blob->offset % NRD_ARCHIVE_ALIGNMENT, "a blob is misaligned");
    CORRUPT_IF(blob->offset > r->file_size ||
                   blob->stored_size > r->file_size - blob->offset,
               "a blob lies outside the file");
    CORRUPT_IF(blob->raw_size > NRD_MAX_IMAGE_SIZE, "a blob is too large");
    CORRUPT_IF(blob->dictionary < -1 || blob->dictionary >= (int64_t)list.count,
               "a blob's dictionary does not exist");
  }
  for (uint32_t i = 0; i < list.count; ++i)
    CORRUPT_IF(blobs[i].dictionary >= 0 &&
                   blobs[blobs[i].dictionary].dictionary >= 0,
               "a dictionary has a dictionary");
  return NRD_OK;
}

// Reads one expression and adds the slots it depends on. |out_unknown| is set
// when it has an operation of a newer version.
static nrd_status_t read_axis(reader_t *r, nrd_flat_t table,
                              nrd_grid_axis_t *axis, nrd_slot_set_t *used,
                              int *out_unknown) {
  nrd_flat_vector_t list = nrd_flat_vector(table, AXIS_STEPS);
  CORRUPT_IF(list.count > NRD_MAX_GRID_STEPS, "an expression is too long");
  nrd_grid_step_t *steps = allocate(r, list.count, sizeof *steps);
  if (!steps)
    return no_memory(r);
  axis->steps = steps;
  axis->count = list.count;
  axis->text = nrd_flat_string(table, AXIS_TEXT);
  for (uint32_t i = 0; i < list.count; ++i) {
    const uint8_t *at = list.data + (size_t)i * NRD_STEP_SIZE;
    int64_t operand = (int64_t)nrd_load64(at);
    uint8_t op = at[8];
    steps[i].operand = operand;
    steps[i].op = op;
    if (op >= NRD_GRID_OP_COUNT)
      *out_unknown = 1;
    if (op != NRD_GRID_PUSH_SLOT && op != NRD_GRID_PUSH_DIM)
      continue;
    int64_t slot = op == NRD_GRID_PUSH_DIM ? operand / 8 : operand;
    CORRUPT_IF(operand < 0 || slot >= r->index->slot_count,
               "an expression names a parameter that does not exist");
    const nrd_slot_t *named = &r->index->slots[slot];
    CORRUPT_IF(op == NRD_GRID_PUSH_SLOT && named->kind != NRD_SLOT_INTEGER,
               "an expression uses a parameter that is not an integer");
    CORRUPT_IF(op == NRD_GRID_PUSH_DIM && (named->kind != NRD_SLOT_DESCRIPTOR ||
                                           operand % 8 >= named->rank),
               "an expression uses a dimension that does not exist");
    nrd_slot_add(used, (uint32_t)slot);
  }
  if (*out_unknown)
    return NRD_OK;
  const char *problem = nrd_grid_check(axis);
  return problem ? corrupt(r, problem) : NRD_OK;
}

static nrd_status_t read_config(reader_t *r, nrd_flat_t table,
                                nrd_config_t *config, nrd_grid_t *grid,
                                const char **out_refused) {
  config->num_warps = nrd_flat_u32(table, CONFIG_NUM_WARPS, 0);
  config->num_stages = nrd_flat_u32(table, CONFIG_NUM_STAGES, 0);
  config->num_ctas = nrd_flat_u32(table, CONFIG_NUM_CTAS, 1);
  CORRUPT_IF(config->num_ctas < 1 || config->num_ctas > 64,
             "a config has an impossible number of CTAs");
  grid->ir_blob = (int32_t)nrd_flat_u32(table, CONFIG_IR_BLOB, UINT32_MAX);
  CORRUPT_IF(grid->ir_blob < -1 ||
                 grid->ir_blob >= (int64_t)r->index->blob_count,
             "a config's IR does not exist");

  nrd_flat_vector_t list = nrd_flat_vector(table, CONFIG_CONSTANTS);
  nrd_config_constant_t *constants = allocate(r, list.count, sizeof *constants);
  if (!constants)
    return no_memory(r);
  config->constants = constants;
  config->constant_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i) {
    nrd_flat_t item = nrd_flat_table(list, i);
    constants[i].name = nrd_flat_string(item, CONSTANT_NAME);
    constants[i].text = nrd_flat_string(item, CONSTANT_TEXT);
  }

  list = nrd_flat_vector(table, CONFIG_GRID);
  CORRUPT_IF(list.count > 3, "a grid has more than three axes");
  config->grid_rank = list.count;
  int unknown = 0;
  for (uint32_t i = 0; i < list.count; ++i) {
    NRD_TRY(read_axis(r, nrd_flat_table(list, i), &grid->axes[i], &grid->slots,
                      &unknown));
    config->grid_text[i] = grid->axes[i].text;
  }
  if (unknown) {
    *out_refused = "its grid uses an operation of a newer version of nereid";
    grid->ir_blob = -1; // nor does the interpreter take it
  }
  return NRD_OK;
}

static nrd_status_t read_configs(reader_t *r, nrd_flat_vector_t list) {
  CORRUPT_IF(list.count > NRD_MAX_CONFIGS, "it has too many configs");
  nrd_config_t *configs = allocate(r, list.count, sizeof *configs);
  nrd_grid_t *grids = allocate(r, list.count, sizeof *grids);
  r->config_refused = allocate(r, list.count, sizeof *r->config_refused);
  if (!configs || !grids || !r->config_refused)
    return no_memory(r);
  r->index->configs = configs;
  r->index->grids = grids;
  r->index->config_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i)
    NRD_TRY(read_config(r, nrd_flat_table(list, i), &configs[i], &grids[i],
                        &r->config_refused[i]));
  return NRD_OK;
}

// CUtensorMapDataType's sizes in bytes, in its order.
static const uint8_t element_sizes[NRD_TENSOR_MAP_TYPES] = {1, 2, 4, 4, 8, 8, 2,
                                                            4, 8, 2, 4, 4, 4};

static nrd_status_t read_maps(reader_t *r, nrd_flat_vector_t list,
                              nrd_plan_t *plan) {
  CORRUPT_IF(list.count > NRD_MAX_TENSOR_MAPS,
             "a variant has too many tensor maps");
  nrd_tensor_map_t *maps = allocate(r, list.count, sizeof *maps);
  nrd_slot_set_t *map_slots = allocate(r, list.count, sizeof *map_slots);
  if (!maps || !map_slots)
    return no_memory(r);
  plan->maps = maps;
  plan->map_slots = map_slots;
  plan->map_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i) {
    nrd_flat_t table = nrd_flat_table(list, i);
    nrd_tensor_map_t *map = &maps[i];
    map->slot = nrd_flat_u32(table, MAP_SLOT, 0);
    nrd_flat_vector_t shape = nrd_flat_vector(table, MAP_SHAPE);
    nrd_flat_vector_t strides = nrd_flat_vector(table, MAP_STRIDES);
    int has_programs = shape.count || strides.count;
    CORRUPT_IF(map->slot >= r->index->slot_count ||
                   r->index->slots[map->slot].kind !=
                       (has_programs ? NRD_SLOT_POINTER : NRD_SLOT_DESCRIPTOR),
               "a tensor map's parameter is of the wrong kind");
    map->element_type = nrd_flat_u8(table, MAP_ELEMENT_TYPE, 0);
    map->swizzle = nrd_flat_u8(table, MAP_SWIZZLE, 0);
    map->interleave = nrd_flat_u8(table, MAP_INTERLEAVE, 0);
    map->l2_promotion = nrd_flat_u8(table, MAP_L2_PROMOTION, 0);
    map->oob_fill = nrd_flat_u8(table, MAP_OOB_FILL, 0);
    if (map->element_type >= NRD_TENSOR_MAP_TYPES ||
        map->swizzle >= NRD_TENSOR_MAP_SWIZZLES ||
        map->interleave >= NRD_TENSOR_MAP_INTERLEAVES ||
        map->l2_promotion >= NRD_TENSOR_MAP_PROMOTIONS ||
        map->oob_fill >= NRD_TENSOR_MAP_FILLS)
      plan->refused = "its tensor maps use what this version does not know";
    else
      map->element_size = element_sizes[map->element_type];
    nrd_flat_vector_t box = nrd_flat_vector(table, MAP_BOX);
    map->rank = box.count;
    CORRUPT_IF(box.count < 1 || box.count > NRD_MAX_TENSOR_MAP_RANK ||
                   (has_programs
                        ? shape.count != box.count || strides.count != box.count
                        : box.count != r->index->slots[map->slot].rank),
               "a tensor map's rank is not its array's");
    for (uint32_t d = 0; d < box.count; ++d) {
      map->box[d] = nrd_load32(box.data + 4 * (size_t)d);
      CORRUPT_IF(map->box[d] < 1 || map->box[d] > NRD_MAX_TENSOR_MAP_BOX,
                 "a tensor map's box has an impossible size");
    }
    if (!has_programs)
      continue;
    nrd_grid_axis_t *programs =
        allocate(r, 2 * (size_t)map->rank, sizeof *programs);
    if (!programs)
      return no_memory(r);
    int unknown = 0;
    for (uint32_t d = 0; d < map->rank; ++d) {
      NRD_TRY(read_axis(r, nrd_flat_table(shape, d), &programs[d],
                        &map_slots[i], &unknown));
      NRD_TRY(read_axis(r, nrd_flat_table(strides, d), &programs[map->rank + d],
                        &map_slots[i], &unknown));
    }
    map->programs = programs;
    if (unknown)
      plan->refused = "its tensor maps use an operation of a newer version of "
                      "nereid";
  }
  return NRD_OK;
}

static nrd_status_t read_predicates(reader_t *r, nrd_flat_vector_t list,
                                    nrd_plan_t *plan) {
  CORRUPT_IF(list.count > NRD_MAX_PREDICATES,
             "a variant has too many predicates");
  uint32_t count = list.count + plan->map_count;
  nrd_predicate_t *predicates = allocate(r, count, sizeof *predicates);
  if (!predicates)
    return no_memory(r);
  plan->predicates = predicates;
  plan->predicate_count = count;
  for (uint32_t i = 0; i < list.count; ++i) {
    const uint8_t *at = list.data + (size_t)i * NRD_PREDICATE_SIZE;
    nrd_predicate_t *predicate = &predicates[i];
    predicate->value = (int64_t)nrd_load64(at);
    predicate->slot = nrd_load32(at + 8);
    predicate->kind = at[12];
    CORRUPT_IF(predicate->slot >= r->index->slot_count,
               "a predicate names a parameter that does not exist");
    nrd_slot_kind_t kind = r->index->slots[predicate->slot].kind;
    if (predicate->kind >= NRD_PREDICATE_KIND_COUNT) {
      plan->refused = "it asks a predicate of a newer version of nereid";
      predicate->kind = NRD_PREDICATE_BELOW;
      continue;
    }
    CORRUPT_IF(predicate->kind == NRD_PREDICATE_DIVISIBLE
                   ? kind == NRD_SLOT_FLOAT || predicate->value < 1
                   : kind != NRD_SLOT_INTEGER,
               "a predicate does not suit its parameter");
  }
  for (uint32_t i = 0; i < plan->map_count; ++i) {
    nrd_predicate_t *predicate = &predicates[list.count + i];
    predicate->kind = NRD_PREDICATE_TENSOR_MAP;
    predicate->slot = plan->maps[i].slot;
    predicate->map = &plan->maps[i];
  }
  return NRD_OK;
}

// Says what is wrong with a field of a known kind, or NULL.
static const char *check_field(const reader_t *r, const nrd_plan_t *plan,
                               const nrd_field_t *field, uint64_t size) {
  if (field->offset > plan->image.param_size ||
      size > plan->image.param_size - field->offset)
    return "a field lies outside the parameter block";
  const nrd_slot_t *slot = &r->index->slots[field->slot];
  int is_address =
      slot->kind == NRD_SLOT_POINTER || slot->kind == NRD_SLOT_DESCRIPTOR;
  switch ((nrd_field_kind_t)field->kind) {
  case NRD_FIELD_VALUE:
    if (size != 1 && size != 2 && size != 4 && size != 8)
      return "a value has an impossible size";
    if (is_address ? size != 8 : size * 8 < slot->bits)
      return "a value is too small for its parameter";
    if (slot->kind == NRD_SLOT_FLOAT && size == 1)
      return "a float has an impossible size";
    return NULL;
  case NRD_FIELD_SHAPE:
  case NRD_FIELD_STRIDE:
    if (slot->kind != NRD_SLOT_DESCRIPTOR || field->index >= slot->rank)
      return "a field names a dimension that does not exist";
    return size == 4 || size == 8 ? NULL : "a dimension has an impossible size";
  case NRD_FIELD_TENSOR_MAP:
    if (field->index >= plan->map_count || size != 128 || field->offset % 64)
      return "a tensor map is misplaced";
    return NULL;
  default:
    return size == 8 ? NULL : "a scratch pointer has an impossible size";
  }
}

static nrd_status_t read_fields(reader_t *r, nrd_flat_vector_t list,
                                nrd_plan_t *plan) {
  CORRUPT_IF(list.count > NRD_MAX_FIELDS, "a variant has too many fields");
  uint32_t slot_count = r->index->slot_count;
  nrd_field_t *fields = allocate(r, list.count, sizeof *fields);
  uint32_t *first = allocate(r, (size_t)slot_count + 2, sizeof *first);
  if (!fields || !first)
    return no_memory(r);
  // Counting sort by slot; a scratch pointer belongs to none and goes last.
  for (int pass = 0; pass < 2; ++pass) {
    for (uint32_t i = 0; i < list.count; ++i) {
      const uint8_t *at = list.data + (size_t)i * NRD_FIELD_SIZE;
      uint32_t slot = nrd_load32(at);
      uint8_t kind = at[16];
      if (kind == NRD_FIELD_TENSOR_MAP && nrd_load32(at + 12) < plan->map_count)
        slot = plan->maps[nrd_load32(at + 12)].slot;
      if (kind == NRD_FIELD_SCRATCH || kind >= NRD_FIELD_KIND_COUNT)
        slot = slot_count;
      else
        CORRUPT_IF(slot >= slot_count,
                   "a field names a parameter that does not exist");
      if (!pass) {
        ++first[slot + 1];
        continue;
      }
      uint32_t size = nrd_load32(at + 8);
      nrd_field_t field = {nrd_load32(at + 4), (uint16_t)slot, kind,
                           (uint8_t)size, nrd_load32(at + 12)};
      if (kind >= NRD_FIELD_KIND_COUNT) {
        plan->refused = "it has parameters of a newer version of nereid";
      } else if (!plan->refused) {
        const char *problem = check_field(r, plan, &field, size);
        if (problem)
          return corrupt(r, problem);
      }
      fields[first[slot]++] = field;
    }
    if (!pass) {
      for (uint32_t i = 0; i <= slot_count; ++i)
        first[i + 1] += first[i];
    } else { // the fill moved each start to its end
      for (uint32_t i = slot_count + 1; i > 0; --i)
        first[i] = first[i - 1];
      first[0] = 0;
    }
  }
  plan->fields = fields;
  plan->field_count = list.count;
  plan->fields_of_slot = first;
  return NRD_OK;
}

// Reads up to three sizes, each at least 1; absent ones are 1.
static int read_sizes(nrd_flat_vector_t list, uint64_t limit,
                      uint32_t out_sizes[3]) {
  uint64_t product = 1;
  if (list.count > 3)
    return 0;
  for (uint32_t i = 0; i < 3; ++i) {
    out_sizes[i] = i < list.count ? nrd_load32(list.data + 4 * (size_t)i) : 1;
    product *= out_sizes[i];
    if (product < 1 || product > limit)
      return 0;
  }
  return 1;
}

static nrd_status_t read_variant(reader_t *r, nrd_flat_t table,
                                 nrd_variant_t *variant, nrd_plan_t *plan) {
  nrd_image_t *image = &plan->image;
  plan->config = nrd_flat_u32(table, VARIANT_CONFIG, 0);
  plan->blob = nrd_flat_u32(table, VARIANT_BLOB, 0);
  CORRUPT_IF(plan->config >= r->index->config_count,
             "a variant's config does not exist");
  CORRUPT_IF(plan->blob >= r->index->blob_count,
             "a variant's image does not exist");
  plan->refused = r->config_refused[plan->config];
  const nrd_blob_t *blob = &r->index->blobs[plan->blob];

  image->kernel = r->index->name;
  image->target = nrd_flat_string(table, VARIANT_TARGET);
  image->symbol = nrd_flat_string(table, VARIANT_SYMBOL);
  CORRUPT_IF(!read_sizes(nrd_flat_vector(table, VARIANT_BLOCK), NRD_MAX_BLOCK,
                         image->block),
             "a variant has an impossible block");
  CORRUPT_IF(
      !read_sizes(nrd_flat_vector(table, VARIANT_CLUSTER), 64, image->cluster),
      "a variant has an impossible cluster");
  image->num_ctas = r->index->configs[plan->config].num_ctas;
  image->shared_size = nrd_flat_u32(table, VARIANT_SHARED_SIZE, 0);
  image->scratch_size = nrd_flat_u64(table, VARIANT_SCRATCH_SIZE, 0);
  image->scratch_align = nrd_flat_u32(table, VARIANT_SCRATCH_ALIGN, 64);
  CORRUPT_IF(image->scratch_size > NRD_MAX_SCRATCH || !image->scratch_align ||
                 image->scratch_align > NRD_MAX_SCRATCH_ALIGN ||
                 (image->scratch_align & (image->scratch_align - 1)),
             "a variant's scratch has an impossible size or alignment");
  image->param_size = nrd_flat_u32(table, VARIANT_PARAM_SIZE, 0);
  CORRUPT_IF(image->param_size > NRD_MAX_PARAM_SIZE,
             "a parameter block is too large");
  image->min_driver = nrd_flat_u32(table, VARIANT_MIN_DRIVER, 0);
  image->pdl = nrd_flat_u8(table, VARIANT_PDL, 0) != 0;
  image->cooperative = nrd_flat_u8(table, VARIANT_COOPERATIVE, 0) != 0;
  NRD_TRY(read_maps(r, nrd_flat_vector(table, VARIANT_TENSOR_MAPS), plan));
  image->has_tensor_maps = plan->map_count > 0;
  // Each map may come to lie up to its alignment further on: see kernel.c.
  uint32_t room = image->param_size;
  if (plan->map_count)
    room += 64 * (plan->map_count + 1);
  if (room > r->index->max_param_size)
    r->index->max_param_size = room;
  NRD_TRY(read_predicates(r, nrd_flat_vector(table, VARIANT_PREDICATES), plan));
  NRD_TRY(read_fields(r, nrd_flat_vector(table, VARIANT_FIELDS), plan));
  if (blob->codec > 1 ||
      (blob->dictionary >= 0 && r->index->blobs[blob->dictionary].codec > 1))
    plan->refused = "its image is compressed in a way of a newer version of "
                    "nereid";

  variant->target = image->target;
  variant->symbol = image->symbol;
  variant->config = plan->config;
  variant->predicate_count = plan->predicate_count;
  memcpy(variant->block, image->block, sizeof image->block);
  memcpy(variant->cluster, image->cluster, sizeof image->cluster);
  variant->shared_size = image->shared_size;
  variant->param_size = image->param_size;
  variant->scratch_size = image->scratch_size;
  variant->image_size = blob->raw_size;
  variant->min_driver = image->min_driver;
  if (nrd_flat_at(table, VARIANT_RESOURCES)) {
    nrd_flat_t resources = nrd_flat_child(table, VARIANT_RESOURCES);
    variant->registers = nrd_flat_u32(resources, RESOURCES_REGISTERS, 0);
    variant->spill_bytes = nrd_flat_u32(resources, RESOURCES_SPILL_BYTES, 0);
  }
  return NRD_OK;
}

static nrd_status_t read_variants(reader_t *r, nrd_flat_vector_t list) {
  CORRUPT_IF(list.count > NRD_MAX_VARIANTS, "it has too many variants");
  nrd_variant_t *variants = allocate(r, list.count, sizeof *variants);
  nrd_plan_t *plans = allocate(r, list.count, sizeof *plans);
  if (!variants || !plans)
    return no_memory(r);
  r->index->variants = variants;
  r->index->plans = plans;
  r->index->variant_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i)
    NRD_TRY(read_variant(r, nrd_flat_table(list, i), &variants[i], &plans[i]));
  return NRD_OK;
}

static nrd_status_t read_tuning(reader_t *r, nrd_flat_t table,
                                nrd_tuning_t *tuning) {
  tuning->target = nrd_flat_string(table, TUNING_TARGET);
  tuning->device = nrd_flat_string(table, TUNING_DEVICE);
  nrd_flat_vector_t list = nrd_flat_vector(table, TUNING_KEYS);
  CORRUPT_IF(list.count > NRD_MAX_TUNING_KEYS,
             "a tuning table has too many keys");
  nrd_grid_axis_t *keys = allocate(r, list.count, sizeof *keys);
  if (!keys)
    return no_memory(r);
  tuning->keys = keys;
  tuning->key_count = list.count;
  int unknown = 0;
  for (uint32_t i = 0; i < list.count; ++i)
    NRD_TRY(read_axis(r, nrd_flat_table(list, i), &keys[i], &tuning->slots,
                      &unknown));
  list = nrd_flat_vector(table, TUNING_ROWS);
  CORRUPT_IF(list.count > NRD_MAX_TUNING_ROWS,
             "a tuning table has too many rows");
  nrd_tuning_row_t *rows = allocate(r, list.count, sizeof *rows);
  int64_t *bounds =
      allocate(r, (size_t)list.count * tuning->key_count, sizeof *bounds);
  if (!rows || !bounds)
    return no_memory(r);
  tuning->rows = rows;
  tuning->row_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i, bounds += tuning->key_count) {
    nrd_flat_t row = nrd_flat_table(list, i);
    nrd_flat_vector_t upper = nrd_flat_vector(row, ROW_UPPER);
    CORRUPT_IF(upper.count != tuning->key_count,
               "a tuning row does not have one bound per key");
    for (uint32_t k = 0; k < upper.count; ++k)
      bounds[k] = (int64_t)nrd_load64(upper.data + 8 * (size_t)k);
    rows[i].upper = bounds;
    rows[i].config = nrd_flat_u32(row, ROW_CONFIG, 0);
    CORRUPT_IF(rows[i].config >= r->index->config_count,
               "a tuning row's config does not exist");
  }
  if (unknown) { // a hint that is not understood
    tuning->key_count = tuning->row_count = 0;
    memset(&tuning->slots, 0, sizeof tuning->slots);
  }
  return NRD_OK;
}

static nrd_status_t read_tunings(reader_t *r, nrd_flat_vector_t list) {
  CORRUPT_IF(list.count > NRD_MAX_TUNING_TABLES,
             "it has too many tuning tables");
  nrd_tuning_t *tunings = allocate(r, list.count, sizeof *tunings);
  if (!tunings)
    return no_memory(r);
  r->index->tunings = tunings;
  r->index->tuning_count = list.count;
  for (uint32_t i = 0; i < list.count; ++i)
    NRD_TRY(read_tuning(r, nrd_flat_table(list, i), &tunings[i]));
  return NRD_OK;
}

static nrd_status_t read_kernel(reader_t *r, nrd_flat_t table) {
  r->index->name = nrd_flat_string(table, KERNEL_NAME);
  NRD_TRY(read_slots(r, nrd_flat_vector(table, KERNEL_PARAMS)));
  NRD_TRY(read_blobs(r, nrd_flat_vector(table, KERNEL_BLOBS)));
  NRD_TRY(read_configs(r, nrd_flat_vector(table, KERNEL_CONFIGS)));
  NRD_TRY(read_variants(r, nrd_flat_vector(table, KERNEL_VARIANTS)));
  return read_tunings(r, nrd_flat_vector(table, KERNEL_TUNING));
}

nrd_status_t nrd_index_read(const nrd_part_t *part, uint64_t file_size,
                            const char *what, const nrd_allocator_t *allocator,
                            nrd_index_t **out_index) {
  nrd_index_t *index = nrd_alloc(allocator, 1, sizeof *index);
  if (!index)
    return nrd_fail_memory(sizeof *index, "a kernel's index");
  index->arena.allocator = *allocator;
  reader_t reader = {index, file_size, what, NULL};
  // The copy is what is verified: a mapped file can change afterwards.
  uint8_t *copy = allocate(&reader, part->size, 1);
  nrd_status_t status = copy ? NRD_OK : no_memory(&reader);
  if (status == NRD_OK) {
    memcpy(copy, part->bytes, part->size);
    if (nrd_hash(copy, part->size) != part->hash)
      status = corrupt(&reader, "its hash does not match its bytes");
    else
      status =
          nrd_flat_verify(copy, part->size, "NRK1", &nrd_kernel_schema, what);
  }
  if (status == NRD_OK && part->blake2b) {
    nrd_span_t span = {copy, part->size};
    uint8_t hash[32];
    nrd_blake2b(&span, 1, hash);
    if (memcmp(hash, part->blake2b, 32))
      status = nrd_fail(NRD_UNTRUSTED,
                        "%s was altered after the pack was signed", what);
  }
  if (status == NRD_OK)
    status = read_kernel(&reader, nrd_flat_root(copy));
  if (status == NRD_OK)
    *out_index = index;
  else
    nrd_index_free(index);
  return status;
}

void nrd_index_free(nrd_index_t *index) {
  nrd_allocator_t allocator = index->arena.allocator;
  nrd_arena_free(&index->arena);
  nrd_free(&allocator, index);
}

const char *nrd_index_peek_name(const uint8_t *bytes, size_t size) {
  static const nrd_flat_field_t name_field = {NRD_FLAT_STRING, 0, 0, 1, NULL};
  static const nrd_flat_schema_t name_only = {"Kernel", 1, &name_field};
  if (!nrd_flat_is_valid(bytes, size, "NRK1", &name_only))
    return NULL;
  return nrd_flat_string(nrd_flat_root(bytes), KERNEL_NAME);
}
