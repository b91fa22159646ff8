// launch_cost.c - what a bound launch costs the host beside the raw driver call,
// on the same function with the same arguments. Loaded by launch_cost.py, which
// measures Triton's launcher in the same process.
#include "nereid/runtime.h"
#include "runtime/driver/cuda/api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RAW, RAW_BUFFER, BOUND, SET_ONE, SET_ALL, WAYS, ROUNDS = 301, REPEATS = 200 };

typedef int (*launch_fn)(const cu_launch_config_t *, void *, void **, void **);

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Medians in ns of: the raw call with prepared argument pointers, the raw call
// with the packed buffer, a bound launch, one pointer set + launch, every slot
// set + bind + launch. |call| is bound, all its |count| slots are pointers.
// Interleaved; the queue is drained between rounds so that it never fills.
// Returns 0, or 1 with nrd_error_message() saying why.
NRD_API int measure_launches(nrd_device_t *device, nrd_call_t *call, uint32_t count, void *pointer, uint32_t threads,
                             uint32_t shared, double out_medians[WAYS]) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  launch_fn raw;
  int (*push)(void *), (*pop)(void **);
  *(void **)&raw = dlsym(library, "cuLaunchKernelEx");
  *(void **)&push = dlsym(library, "cuCtxPushCurrent_v2");
  *(void **)&pop = dlsym(library, "cuCtxPopCurrent_v2");
  void *function, *stream, *context;
  const void *block;
  size_t size;
  if (nrd_call_function(call, &function) || nrd_call_params(call, &block, &size) ||
      nrd_stream_create(device, &stream))
    return 1;
  char *params = malloc(size + 64);
  void **pointers = calloc(count + 8, sizeof *pointers);
  memcpy(params, block, size);
  for (size_t i = 0; 8 * i < size; ++i)
    pointers[i] = params + 8 * i;
  void *extra[] = {(void *)NRD_CU_LAUNCH_BUFFER, params, (void *)NRD_CU_LAUNCH_BUFFER_SIZE, &size,
                   (void *)NRD_CU_LAUNCH_END};
  cu_launch_config_t config = {.grid = {1, 1, 1}, .block = {threads, 1, 1}, .shared_size = shared, .stream = stream};
  static double times[WAYS][ROUNDS];
  push(nrd_device_context(device));
  int status = 0;
  for (int round = 0; round < ROUNDS; ++round)
    for (int way = 0; way < WAYS; ++way) {
      double begin = now();
      for (int i = 0; i < REPEATS; ++i)
        switch (way) {
        case RAW:
          status |= raw(&config, function, pointers, NULL);
          break;
        case RAW_BUFFER:
          status |= raw(&config, function, NULL, extra);
          break;
        case SET_ALL:
          for (uint32_t slot = 0; slot < count; ++slot)
            status |= (int)nrd_call_set_pointer(call, slot, (char *)pointer + 256 * ((slot + (uint32_t)i) % 8));
          status |= (int)nrd_call_bind(call);
          status |= (int)nrd_call_launch(call, stream);
          break;
        case SET_ONE:
          status |= (int)nrd_call_set_pointer(call, 0, (char *)pointer + 256 * (i % 8));
          // fall through
        default:
          status |= (int)nrd_call_launch(call, stream);
        }
      times[way][round] = (now() - begin) / REPEATS;
      status |= (int)nrd_stream_synchronize(device, stream);
    }
  pop(&context);
  for (int way = 0; way < WAYS; ++way) {
    qsort(times[way], ROUNDS, sizeof(double), ascending);
    out_medians[way] = times[way][ROUNDS / 2];
  }
  nrd_stream_destroy(device, stream);
  free(pointers);
  free(params);
  return status;
}
