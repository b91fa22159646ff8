// mock/interpret.c - a libnereid_interpret.so that runs one kernel: "IR" that
// says "count" adds 1 to each of its first argument's i32 elements, as many as
// its second argument says, and leaves the third's bits behind them.

#include "nereid/interpreter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nrd_status_t load(const char *name, const void *ir, size_t size,
                         nrd_interpreter_kernel_t **out_kernel, char *message,
                         size_t capacity) {
  if (size < 5 || memcmp(ir, "count", 5)) {
    snprintf(message, capacity, "the IR of '%s' is not understood", name);
    return NRD_UNSUPPORTED;
  }
  *out_kernel = malloc(1);
  return NRD_OK;
}

static void unload(nrd_interpreter_kernel_t *kernel) { free(kernel); }

static nrd_status_t launch(nrd_interpreter_kernel_t *kernel,
                           const nrd_interpreter_host_t *host,
                           const uint64_t *params, size_t param_count,
                           const uint32_t grid[3], char *message,
                           size_t capacity) {
  uint64_t base, size;
  if (!kernel || param_count < 3)
    return NRD_INVALID_ARGUMENT;
  if (host->find_buffer(host, params[0], &base, &size) &&
      params[0] + 4 * params[1] + 8 > base + size) {
    snprintf(message, capacity,
             "a store past the end of a buffer of %llu bytes",
             (unsigned long long)size);
    return NRD_KERNEL_FAILED;
  }
  for (uint64_t i = 0; i < params[1] * grid[0] / grid[0]; ++i) {
    int32_t value;
    host->read(host, &value, params[0] + 4 * i, 4);
    ++value;
    host->write(host, params[0] + 4 * i, &value, 4);
  }
  host->write(host, params[0] + 4 * params[1], &params[2], 8);
  host->print(host, "counted");
  return NRD_OK;
}

__attribute__((visibility("default"))) const nrd_interpreter_t *
nrd_interpreter_get(uint32_t abi) {
  static const nrd_interpreter_t table = {NRD_INTERPRETER_ABI, load, unload,
                                          launch};
  return abi == NRD_INTERPRETER_ABI ? &table : NULL;
}
