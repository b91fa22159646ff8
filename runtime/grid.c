// runtime/grid.c - the small stack machine of grid expressions.

#include "runtime/grid.h"

#include "nereid/archive_limits.h"

const char *nrd_grid_check(const nrd_grid_axis_t *axis) {
  uint32_t depth = 0;
  if (!axis->count || axis->count > NRD_MAX_GRID_STEPS)
    return "an expression has no steps or too many";
  for (uint32_t i = 0; i < axis->count; ++i) {
    if (axis->steps[i].op <= NRD_GRID_PUSH_DIM) {
      if (++depth > NRD_MAX_GRID_DEPTH)
        return "an expression is nested too deeply";
    } else if (axis->steps[i].op >= NRD_GRID_OP_COUNT) {
      return "an expression has an unknown operation";
    } else if (depth < 2) {
      return "an expression lacks an operand";
    } else {
      --depth;
    }
  }
  return depth == 1 ? NULL : "an expression leaves operands over";
}

// Floor division as Python's; |b| is not 0. Returns 0 on overflow.
static int floor_divide(int64_t a, int64_t b, int64_t *quotient) {
  if (b == -1)
    return !__builtin_sub_overflow(0, a, quotient);
  *quotient = a / b - (a % b != 0 && (a < 0) != (b < 0));
  return 1;
}

// Returns NULL, or why there is no result.
static const char *apply(uint32_t op, int64_t a, int64_t b, int64_t *result) {
  int fits = 1;
  switch (op) {
  case NRD_GRID_ADD:
    fits = !__builtin_add_overflow(a, b, result);
    break;
  case NRD_GRID_SUB:
    fits = !__builtin_sub_overflow(a, b, result);
    break;
  case NRD_GRID_MUL:
    fits = !__builtin_mul_overflow(a, b, result);
    break;
  case NRD_GRID_MIN:
    *result = a < b ? a : b;
    break;
  case NRD_GRID_MAX:
    *result = a > b ? a : b;
    break;
  default:
    if (!b)
      return "divides by zero";
    if (op == NRD_GRID_DIV) {
      fits = floor_divide(a, b, result);
    } else if (op == NRD_GRID_MOD) {
      int64_t rest = b == -1 ? 0 : a % b;
      *result = rest && (rest < 0) != (b < 0) ? rest + b : rest;
    } else { // the ceiling is one more where the division leaves a rest
      fits = floor_divide(a, b, result);
      if (fits && b != -1 && a % b)
        ++*result;
    }
  }
  return fits ? NULL : "overflows 64 bits";
}

// Returns NULL, or why there is no value.
static const char *evaluate(const nrd_grid_axis_t *axis,
                            const nrd_grid_arguments_t *arguments,
                            int64_t *out_value) {
  int64_t stack[NRD_MAX_GRID_DEPTH];
  uint32_t depth = 0;
  for (uint32_t i = 0; i < axis->count; ++i) {
    int64_t operand = axis->steps[i].operand;
    switch (axis->steps[i].op) {
    case NRD_GRID_PUSH_CONST:
      stack[depth++] = operand;
      break;
    case NRD_GRID_PUSH_SLOT:
      stack[depth++] = arguments->values[operand];
      break;
    case NRD_GRID_PUSH_DIM:
      stack[depth++] = arguments->dims[operand / 8][operand % 8];
      break;
    default: {
      const char *problem = apply(axis->steps[i].op, stack[depth - 2],
                                  stack[depth - 1], &stack[depth - 2]);
      if (problem)
        return problem;
      --depth;
    }
    }
  }
  *out_value = stack[0];
  return NULL;
}

int nrd_grid_value(const nrd_grid_axis_t *axis,
                   const nrd_grid_arguments_t *arguments, int64_t *out_value) {
  return !evaluate(axis, arguments, out_value);
}

nrd_status_t nrd_grid_evaluate(const nrd_grid_axis_t *axis,
                               const nrd_grid_arguments_t *arguments,
                               const char *what, int64_t *out_value) {
  const char *problem = evaluate(axis, arguments, out_value);
  if (problem)
    return nrd_fail(NRD_INVALID_ARGUMENT, "%s, '%s', %s", what, axis->text,
                    problem);
  return NRD_OK;
}
