// runtime/grid.h - the small stack machine of grid expressions (internal).

#ifndef NEREID_RUNTIME_GRID_H
#define NEREID_RUNTIME_GRID_H

#include "runtime/error.h"

#include <stdint.h>

// GridOp of archive.fbs.
typedef enum nrd_grid_op_t {
  NRD_GRID_PUSH_CONST,
  NRD_GRID_PUSH_SLOT,
  NRD_GRID_PUSH_DIM,
  NRD_GRID_ADD,
  NRD_GRID_SUB,
  NRD_GRID_MUL,
  NRD_GRID_DIV,
  NRD_GRID_MOD,
  NRD_GRID_CDIV,
  NRD_GRID_MIN,
  NRD_GRID_MAX,
  NRD_GRID_OP_COUNT
} nrd_grid_op_t;

typedef struct nrd_grid_step_t {
  int64_t operand;
  uint32_t op;
} nrd_grid_step_t;

// One expression, and how messages show it.
typedef struct nrd_grid_axis_t {
  const nrd_grid_step_t *steps;
  uint32_t count;
  const char *text;
} nrd_grid_axis_t;

// Checks the ops and that the stack never runs empty or over and ends with one
// value. Which slots are named is checked by the caller. Returns NULL, or what
// is wrong.
const char *nrd_grid_check(const nrd_grid_axis_t *axis);

// Where the machine reads arguments: |values[slot]|, and dimension d of a
// descriptor slot at |dims[slot][d]|.
typedef struct nrd_grid_arguments_t {
  const int64_t *values;
  int64_t *const *dims;
} nrd_grid_arguments_t;

// Evaluates a checked expression. Returns 0 on overflow or division by zero.
int nrd_grid_value(const nrd_grid_axis_t *axis,
                   const nrd_grid_arguments_t *arguments, int64_t *out_value);

// The same with a message: overflow and division by zero are
// NRD_INVALID_ARGUMENT; |what| names the value ("the grid's x").
nrd_status_t nrd_grid_evaluate(const nrd_grid_axis_t *axis,
                               const nrd_grid_arguments_t *arguments,
                               const char *what, int64_t *out_value);

#endif // NEREID_RUNTIME_GRID_H
