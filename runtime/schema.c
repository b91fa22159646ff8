// runtime/schema.c - archive.fbs as the checker of runtime/flat.h reads it.
//
// Fields stand in the order of archive.fbs; a row there needs a row here when
// the runtime reads it or when it leads to other objects.

#include "runtime/schema.h"

#define SCALAR(size) {NRD_FLAT_SCALAR, size, size, 0, NULL}
#define STRING {NRD_FLAT_STRING, 0, 0, 0, NULL}
#define NAME {NRD_FLAT_STRING, 0, 0, 1, NULL} // required
#define STRINGS {NRD_FLAT_STRINGS, 0, 0, 0, NULL}
#define STRUCTS(size, align) {NRD_FLAT_VECTOR, size, align, 0, NULL}
#define TABLE(schema) {NRD_FLAT_TABLE, 0, 0, 0, &schema}
#define TABLES(schema) {NRD_FLAT_TABLES, 0, 0, 0, &schema}
#define SCHEMA(name, fields) {name, sizeof fields / sizeof *fields, fields}

static const nrd_flat_field_t key_value_fields[] = {NAME, NAME};
static const nrd_flat_schema_t key_value = SCHEMA("KeyValue", key_value_fields);

static const nrd_flat_field_t root_fields[] = {STRING, STRING, STRINGS,
                                               TABLES(key_value)};
const nrd_flat_schema_t nrd_root_schema = SCHEMA("Root", root_fields);

static const nrd_flat_field_t param_fields[] = {
    NAME,      NAME,      SCALAR(1), SCALAR(2), SCALAR(1),
    SCALAR(1), SCALAR(1), SCALAR(1), SCALAR(8), STRING};
static const nrd_flat_schema_t param = SCHEMA("Param", param_fields);

static const nrd_flat_field_t axis_fields[] = {STRUCTS(NRD_STEP_SIZE, 8),
                                               STRING};
static const nrd_flat_schema_t axis = SCHEMA("GridAxis", axis_fields);

static const nrd_flat_field_t constant_fields[] = {NAME, NAME};
static const nrd_flat_schema_t constant = SCHEMA("Constant", constant_fields);

static const nrd_flat_field_t config_fields[] = {
    TABLES(constant), SCALAR(4), SCALAR(4), SCALAR(4), TABLES(axis), SCALAR(4)};
static const nrd_flat_schema_t config = SCHEMA("Config", config_fields);

static const nrd_flat_field_t tensor_map_fields[] = {
    SCALAR(4), SCALAR(1),     SCALAR(1),    SCALAR(1),   SCALAR(1),
    SCALAR(1), STRUCTS(4, 4), TABLES(axis), TABLES(axis)};
static const nrd_flat_schema_t tensor_map =
    SCHEMA("TensorMap", tensor_map_fields);

static const nrd_flat_field_t resources_fields[] = {SCALAR(4), SCALAR(4),
                                                    SCALAR(4), STRINGS};
static const nrd_flat_schema_t resources =
    SCHEMA("Resources", resources_fields);

static const nrd_flat_field_t variant_fields[] = {
    NAME,
    SCALAR(4),
    STRUCTS(NRD_PREDICATE_SIZE, 8),
    SCALAR(4),
    NAME,
    STRUCTS(4, 4),
    STRUCTS(4, 4),
    SCALAR(4),
    SCALAR(8),
    SCALAR(4),
    SCALAR(4),
    STRUCTS(NRD_FIELD_SIZE, 4),
    TABLES(tensor_map),
    SCALAR(4),
    SCALAR(1),
    TABLE(resources),
    SCALAR(1)};
static const nrd_flat_schema_t variant = SCHEMA("Variant", variant_fields);

static const nrd_flat_field_t row_fields[] = {STRUCTS(8, 8), SCALAR(4)};
static const nrd_flat_schema_t row = SCHEMA("TuningRow", row_fields);

static const nrd_flat_field_t tuning_fields[] = {NAME, STRING, TABLES(axis),
                                                 TABLES(row)};
static const nrd_flat_schema_t tuning = SCHEMA("TuningTable", tuning_fields);

static const nrd_flat_field_t kernel_fields[] = {NAME,
                                                 TABLES(param),
                                                 TABLES(config),
                                                 TABLES(variant),
                                                 STRUCTS(NRD_BLOB_SIZE, 8),
                                                 TABLES(tuning),
                                                 STRINGS,
                                                 STRING,
                                                 STRING,
                                                 SCALAR(8),
                                                 TABLES(key_value),
                                                 STRING};
const nrd_flat_schema_t nrd_kernel_schema = SCHEMA("Kernel", kernel_fields);
