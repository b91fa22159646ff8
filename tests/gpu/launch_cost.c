// launch_cost.c - what a bound launch costs the host beside the raw driver call,
// on the same function with the same arguments. Loaded by launch_cost.py, which
// measures Triton's launcher in the same process.
//
// A driver call drifts by more than what is looked for (clocks, other tenants of
// the machine), so the ways take turns launch by launch, in another order each
// round, and each launch is timed for itself: whatever happens happens to all of
// them, and the medians do not see what happens seldom.
#include "nereid/runtime.h"
#include "runtime/driver/cuda/api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RAW, RAW_BUFFER, BOUND, SET_ONE, SET_ALL, STORE_ALL, WAYS, MAX_ROUNDS = 50000, DRAIN = 16 };

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

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, ascending);
  return values[count / 2];
}

typedef struct measured_t {
  launch_fn raw;
  const cu_launch_config_t *config;
  void *function, *stream;
  void **pointers, **extra;
  nrd_call_t *call;
  char *pointer;
  uint32_t count;
} measured_t;

// One launch. What changes with |i| is an address, as in a program that goes
// through a list of tensors.
static int launch_once(const measured_t *m, int way, int i) {
  int status = 0;
  switch (way) {
  case RAW:
    return m->raw(m->config, m->function, m->pointers, NULL);
  case RAW_BUFFER:
    return m->raw(m->config, m->function, NULL, m->extra);
  case STORE_ALL:
    for (uint32_t slot = 0; slot < m->count; ++slot)
      *(char **)m->pointers[slot] = m->pointer + 256 * ((slot + (uint32_t)i) % 8);
    return m->raw(m->config, m->function, m->pointers, NULL);
  case SET_ALL:
    for (uint32_t slot = 0; slot < m->count; ++slot)
      status |= (int)nrd_call_set_pointer(m->call, slot, m->pointer + 256 * ((slot + (uint32_t)i) % 8));
    status |= (int)nrd_call_bind(m->call);
    return status | (int)nrd_call_launch(m->call, m->stream);
  case SET_ONE:
    status = (int)nrd_call_set_pointer(m->call, 0, m->pointer + 256 * (i % 8));
    // fall through
  default:
    return status | (int)nrd_call_launch(m->call, m->stream);
  }
}

// Per way, the median in ns of |rounds| launches, with the cost of reading the
// clock once. The ways: the raw call with prepared argument pointers, the raw
// call with the packed buffer, a bound launch, one pointer set + launch, every
// slot set + bind + launch, every argument stored + the raw call. |call| is
// bound, all its |count| slots are pointers. The queue is drained now and then
// so that it never fills. Returns 0, or 1 with nrd_error_message() saying why.
NRD_API int measure_launches(nrd_device_t *device, nrd_call_t *call, uint32_t count, void *pointer, uint32_t threads,
                             uint32_t shared, int rounds, double out_medians[WAYS]) {
  static double times[WAYS][MAX_ROUNDS];
  void *library = dlopen("libcuda.so.1", RTLD_NOW), *context;
  int (*push)(void *), (*pop)(void **);
  measured_t m = {.call = call, .pointer = pointer, .count = count};
  *(void **)&m.raw = dlsym(library, "cuLaunchKernelEx");
  *(void **)&push = dlsym(library, "cuCtxPushCurrent_v2");
  *(void **)&pop = dlsym(library, "cuCtxPopCurrent_v2");
  const void *block;
  size_t size;
  if (rounds > MAX_ROUNDS || nrd_call_function(call, &m.function) || nrd_call_params(call, &block, &size) ||
      nrd_stream_create(device, &m.stream))
    return 1;
  char *params = malloc(size + 64);
  m.pointers = calloc(count + 8, sizeof *m.pointers);
  memcpy(params, block, size);
  for (size_t i = 0; 8 * i < size; ++i)
    m.pointers[i] = params + 8 * i;
  void *extra[] = {(void *)NRD_CU_LAUNCH_BUFFER, params, (void *)NRD_CU_LAUNCH_BUFFER_SIZE, &size,
                   (void *)NRD_CU_LAUNCH_END};
  m.extra = extra;
  cu_launch_config_t config = {.grid = {1, 1, 1}, .block = {threads, 1, 1}, .shared_size = shared, .stream = m.stream};
  m.config = &config;
  push(nrd_device_context(device));
  int status = 0;
  for (int round = 0; round < rounds; ++round) {
    for (int turn = 0; turn < WAYS; ++turn) {
      // Every way follows every other, forwards and backwards.
      int way = (round + (round / WAYS % 2 ? WAYS - turn : turn)) % WAYS;
      double begin = now();
      status |= launch_once(&m, way, round);
      times[way][round] = now() - begin;
    }
    if (round % DRAIN == DRAIN - 1)
      status |= (int)nrd_stream_synchronize(device, m.stream);
  }
  pop(&context);
  for (int way = 0; way < WAYS; ++way)
    out_medians[way] = median(times[way], rounds);
  nrd_stream_destroy(device, m.stream);
  free(m.pointers);
  free(params);
  return status;
}
