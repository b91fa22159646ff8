// runtime/flat.h - FlatBuffers checked once against a schema, then read without
// further checks (internal).
//
// A schema is a table of fields in the order of archive.fbs. The check covers
// everything that the schema can reach: positions, sizes, overflow, alignment,
// vtables, terminated strings, and a cap on the work that shared or deeply
// nested objects can ask for. What lies in fields the schema does not name (a
// newer minor version's) is not looked at.

#ifndef NEREID_RUNTIME_FLAT_H
#define NEREID_RUNTIME_FLAT_H

#include "runtime/error.h"

#include <stdint.h>
#include <string.h>

typedef enum nrd_flat_kind_t {
  NRD_FLAT_SCALAR,  // of |size| bytes
  NRD_FLAT_STRING,  //
  NRD_FLAT_VECTOR,  // of scalars or structs of |size| bytes
  NRD_FLAT_TABLE,   // of schema |child|
  NRD_FLAT_TABLES,  // a vector of them
  NRD_FLAT_STRINGS, // a vector of strings
} nrd_flat_kind_t;

typedef struct nrd_flat_field_t {
  uint8_t kind;
  uint8_t size;
  uint8_t align;
  uint8_t required;
  const struct nrd_flat_schema_t *child;
} nrd_flat_field_t;

typedef struct nrd_flat_schema_t {
  const char *name;
  uint32_t count;
  const nrd_flat_field_t *fields;
} nrd_flat_schema_t;

// Checks |size| bytes at |bytes| as a buffer with the file identifier
// |identifier|. |what| names it in the message ("kernel 'add'").
nrd_status_t nrd_flat_verify(const uint8_t *bytes, size_t size,
                             const char *identifier,
                             const nrd_flat_schema_t *schema, const char *what);

// The same without a message: 1 or 0.
int nrd_flat_is_valid(const uint8_t *bytes, size_t size, const char *identifier,
                      const nrd_flat_schema_t *schema);

// A checked table.
typedef struct nrd_flat_t {
  const uint8_t *table;
} nrd_flat_t;

typedef struct nrd_flat_vector_t {
  const uint8_t *data;
  uint32_t count;
} nrd_flat_vector_t;

// Loads from any alignment, little-endian as the format is.
static inline uint16_t nrd_load16(const uint8_t *at) {
  return (uint16_t)(at[0] | at[1] << 8);
}
static inline uint32_t nrd_load32(const uint8_t *at) {
  return (uint32_t)nrd_load16(at) | (uint32_t)nrd_load16(at + 2) << 16;
}
static inline uint64_t nrd_load64(const uint8_t *at) {
  return (uint64_t)nrd_load32(at) | (uint64_t)nrd_load32(at + 4) << 32;
}

nrd_flat_t nrd_flat_root(const uint8_t *bytes);

// The place of a field, or NULL if it is absent.
const uint8_t *nrd_flat_at(nrd_flat_t table, uint32_t field);

// Absent fields read as |otherwise|, "" or an empty vector.
uint8_t nrd_flat_u8(nrd_flat_t table, uint32_t field, uint8_t otherwise);
uint16_t nrd_flat_u16(nrd_flat_t table, uint32_t field, uint16_t otherwise);
uint32_t nrd_flat_u32(nrd_flat_t table, uint32_t field, uint32_t otherwise);
uint64_t nrd_flat_u64(nrd_flat_t table, uint32_t field, uint64_t otherwise);
const char *nrd_flat_string(nrd_flat_t table, uint32_t field);
nrd_flat_vector_t nrd_flat_vector(nrd_flat_t table, uint32_t field);
nrd_flat_t nrd_flat_table(nrd_flat_vector_t vector, uint32_t index);
const char *nrd_flat_text(nrd_flat_vector_t vector, uint32_t index);
// A table field that is present.
nrd_flat_t nrd_flat_child(nrd_flat_t table, uint32_t field);

#endif // NEREID_RUNTIME_FLAT_H
