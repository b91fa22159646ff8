// runtime/flat.c - FlatBuffers checked once against a schema.
//
// All positions are 64-bit offsets from the buffer's start and the buffer is
// below 2^31 bytes, so no sum below can wrap.

#include "runtime/flat.h"

#include "nereid/archive_limits.h"

enum {
  MAX_DEPTH = 16,
  MAX_VISITS = 1 << 20 // tables and strings; shared ones count each time
};

typedef struct verifier_t {
  const uint8_t *bytes;
  uint64_t size;
  uint32_t visits;
  uint64_t weight; // bytes of vectors' items; shared ones count each time
  const char *problem;
  const char *table; // the schema's name where it was found
  uint64_t position;
} verifier_t;

static int reject(verifier_t *v, const char *problem, const char *table,
                  uint64_t position) {
  v->problem = problem;
  v->table = table;
  v->position = position;
  return 0;
}

#define CHECK(condition, problem)                                              \
  do {                                                                         \
    if (!(condition))                                                          \
      return reject(v, problem, schema->name, at);                             \
  } while (0)

static int verify_string(verifier_t *v, uint64_t at,
                         const nrd_flat_schema_t *schema) {
  CHECK(++v->visits <= MAX_VISITS, "more objects than a pack may have");
  CHECK(at % 4 == 0, "a string is misaligned");
  CHECK(at + 5 <= v->size, "a string starts past the end");
  uint64_t size = nrd_load32(v->bytes + at);
  CHECK(at + 4 + size + 1 <= v->size, "a string runs past the end");
  CHECK(v->bytes[at + 4 + size] == 0, "a string is not terminated");
  CHECK(!memchr(v->bytes + at + 4, 0, size), "a string has a NUL inside");
  return 1;
}

// Follows the offset stored at |at|, which is known to be inside.
static int follow(verifier_t *v, uint64_t at, const nrd_flat_schema_t *schema,
                  uint64_t *out_target) {
  uint64_t offset = nrd_load32(v->bytes + at);
  CHECK(offset != 0, "an offset is zero");
  CHECK(at + offset + 4 <= v->size, "an offset points past the end");
  *out_target = at + offset;
  return 1;
}

static int verify_vector(verifier_t *v, uint64_t at, uint32_t item_size,
                         uint32_t align, const nrd_flat_schema_t *schema) {
  CHECK(at % 4 == 0, "a vector is misaligned");
  uint64_t count = nrd_load32(v->bytes + at);
  // FlatBuffers' own writer leaves empty vectors of structs where they fall.
  CHECK(!count || (at + 4) % align == 0, "a vector is misaligned");
  CHECK(count * item_size <= v->size - (at + 4),
        "a vector runs past the end"); // below 2^40: no overflow
  // Who reads them copies them, once for each time they are named.
  v->weight += count * item_size;
  CHECK(v->weight <= NRD_MAX_INDEX_SIZE, "more items than a pack may have");
  return 1;
}

static int verify_table(verifier_t *v, uint64_t at,
                        const nrd_flat_schema_t *schema, uint32_t depth);

static int verify_field(verifier_t *v, uint64_t at,
                        const nrd_flat_field_t *field,
                        const nrd_flat_schema_t *schema, uint32_t depth) {
  if (field->kind == NRD_FLAT_SCALAR)
    return 1;
  uint64_t target;
  if (!follow(v, at, schema, &target))
    return 0;
  switch (field->kind) {
  case NRD_FLAT_STRING:
    return verify_string(v, target, schema);
  case NRD_FLAT_TABLE:
    return verify_table(v, target, field->child, depth + 1);
  case NRD_FLAT_VECTOR:
    return verify_vector(v, target, field->size, field->align, schema);
  default:
    break;
  }
  if (!verify_vector(v, target, 4, 4, schema))
    return 0;
  uint32_t count = nrd_load32(v->bytes + target);
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t item;
    if (!follow(v, target + 4 + 4 * (uint64_t)i, schema, &item))
      return 0;
    if (field->kind == NRD_FLAT_STRINGS
            ? !verify_string(v, item, schema)
            : !verify_table(v, item, field->child, depth + 1))
      return 0;
  }
  return 1;
}

static int verify_table(verifier_t *v, uint64_t at,
                        const nrd_flat_schema_t *schema, uint32_t depth) {
  CHECK(depth <= MAX_DEPTH, "tables are nested too deeply");
  CHECK(++v->visits <= MAX_VISITS, "more objects than a pack may have");
  CHECK(at % 4 == 0, "a table is misaligned");
  CHECK(at + 4 <= v->size, "a table starts past the end");
  int64_t vtable = (int64_t)at - (int32_t)nrd_load32(v->bytes + at);
  CHECK(vtable >= 0 && vtable % 2 == 0 && (uint64_t)vtable + 4 <= v->size,
        "a vtable is misplaced");
  const uint8_t *entries = v->bytes + vtable;
  uint32_t vtable_size = nrd_load16(entries);
  uint32_t table_size = nrd_load16(entries + 2);
  CHECK(vtable_size >= 4 && vtable_size % 2 == 0 &&
            (uint64_t)vtable + vtable_size <= v->size,
        "a vtable has a wrong size");
  CHECK(table_size >= 4 && at + table_size <= v->size,
        "a table has a wrong size");
  for (uint32_t i = 0; i < schema->count; ++i) {
    const nrd_flat_field_t *field = &schema->fields[i];
    uint32_t place = 4 + 2 * i;
    uint32_t offset =
        place + 2 <= vtable_size ? nrd_load16(entries + place) : 0;
    if (!offset) {
      CHECK(!field->required, "a required field is missing");
      continue;
    }
    uint32_t size = field->kind == NRD_FLAT_SCALAR ? field->size : 4;
    CHECK(offset >= 4 && offset + size <= table_size,
          "a field lies outside its table");
    CHECK((at + offset) % size == 0, "a field is misaligned");
    if (!verify_field(v, at + offset, field, schema, depth))
      return 0;
  }
  return 1;
}

static int verify_buffer(verifier_t *v, const char *identifier,
                         const nrd_flat_schema_t *schema) {
  uint64_t at = 0;
  CHECK(v->size >= 12 && v->size < 0x7fffffff, "it has an impossible size");
  CHECK(!memcmp(v->bytes + 4, identifier, 4),
        "it does not have the identifier of its kind");
  uint64_t root;
  return follow(v, 0, schema, &root) && verify_table(v, root, schema, 0);
}

nrd_status_t nrd_flat_verify(const uint8_t *bytes, size_t size,
                             const char *identifier,
                             const nrd_flat_schema_t *schema,
                             const char *what) {
  verifier_t v = {.bytes = bytes, .size = size};
  if (verify_buffer(&v, identifier, schema))
    return NRD_OK;
  return nrd_fail(NRD_CORRUPT, "%s is damaged: %s (in %s at byte %llu)", what,
                  v.problem, v.table, (unsigned long long)v.position);
}

int nrd_flat_is_valid(const uint8_t *bytes, size_t size, const char *identifier,
                      const nrd_flat_schema_t *schema) {
  verifier_t v = {.bytes = bytes, .size = size};
  return verify_buffer(&v, identifier, schema);
}

nrd_flat_t nrd_flat_root(const uint8_t *bytes) {
  nrd_flat_t root = {bytes + nrd_load32(bytes)};
  return root;
}

const uint8_t *nrd_flat_at(nrd_flat_t table, uint32_t field) {
  const uint8_t *vtable = table.table - (int32_t)nrd_load32(table.table);
  uint32_t place = 4 + 2 * field;
  uint32_t offset =
      place + 2 <= nrd_load16(vtable) ? nrd_load16(vtable + place) : 0;
  return offset ? table.table + offset : NULL;
}

uint8_t nrd_flat_u8(nrd_flat_t table, uint32_t field, uint8_t otherwise) {
  const uint8_t *at = nrd_flat_at(table, field);
  return at ? *at : otherwise;
}

uint16_t nrd_flat_u16(nrd_flat_t table, uint32_t field, uint16_t otherwise) {
  const uint8_t *at = nrd_flat_at(table, field);
  return at ? nrd_load16(at) : otherwise;
}

uint32_t nrd_flat_u32(nrd_flat_t table, uint32_t field, uint32_t otherwise) {
  const uint8_t *at = nrd_flat_at(table, field);
  return at ? nrd_load32(at) : otherwise;
}

uint64_t nrd_flat_u64(nrd_flat_t table, uint32_t field, uint64_t otherwise) {
  const uint8_t *at = nrd_flat_at(table, field);
  return at ? nrd_load64(at) : otherwise;
}

static const uint8_t *target_of(const uint8_t *at) {
  return at + nrd_load32(at);
}

const char *nrd_flat_string(nrd_flat_t table, uint32_t field) {
  const uint8_t *at = nrd_flat_at(table, field);
  return at ? (const char *)target_of(at) + 4 : "";
}

nrd_flat_vector_t nrd_flat_vector(nrd_flat_t table, uint32_t field) {
  nrd_flat_vector_t vector = {NULL, 0};
  const uint8_t *at = nrd_flat_at(table, field);
  if (at) {
    vector.data = target_of(at) + 4;
    vector.count = nrd_load32(vector.data - 4);
  }
  return vector;
}

nrd_flat_t nrd_flat_table(nrd_flat_vector_t vector, uint32_t index) {
  nrd_flat_t table = {target_of(vector.data + 4 * (size_t)index)};
  return table;
}

const char *nrd_flat_text(nrd_flat_vector_t vector, uint32_t index) {
  return (const char *)target_of(vector.data + 4 * (size_t)index) + 4;
}

nrd_flat_t nrd_flat_child(nrd_flat_t table, uint32_t field) {
  nrd_flat_t child = {target_of(nrd_flat_at(table, field))};
  return child;
}
