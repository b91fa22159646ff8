// Inputs/kernels.c - kernels as the CPU back end would compile them, by hand,
// to nereid/cpu_kernel.h. Built freestanding, one object per BROKEN.

#include "nereid/cpu_kernel.h"

extern void *memcpy(void *, const void *, __SIZE_TYPE__);

#define EXPORT __attribute__((visibility("default")))

// out[i] = x[i] + y[i], 1024 elements per program.
typedef struct add_params_t {
  const float *x, *y;
  float *out;
  int32_t n;
} add_params_t;

EXPORT int32_t add(const void *params, const uint32_t grid[3], uint64_t begin,
                   uint64_t end, void *scratch, const nrd_cpu_host_t *host) {
  const add_params_t *p = params;
  (void)grid, (void)scratch, (void)host;
  for (uint64_t program = begin; program < end; ++program)
    for (int64_t i = 1024 * (int64_t)program;
         i < 1024 * (int64_t)(program + 1) && i < p->n; ++i)
      p->out[i] = p->x[i] + p->y[i];
  return NRD_CPU_OK;
}

EXPORT int32_t add_aligned(const void *params, const uint32_t grid[3],
                           uint64_t begin, uint64_t end, void *scratch,
                           const nrd_cpu_host_t *host) {
  return add(params, grid, begin, end, scratch, host);
}

// Counts each program's runs, at out[program]; uses all of its scratch.
typedef struct count_params_t {
  uint32_t *out;
  int32_t scratch_size;
  int32_t spin;
} count_params_t;

EXPORT int32_t count(const void *params, const uint32_t grid[3], uint64_t begin,
                     uint64_t end, void *scratch, const nrd_cpu_host_t *host) {
  const count_params_t *p = params;
  (void)grid, (void)host;
  for (uint64_t program = begin; program < end; ++program) {
    unsigned char *own = scratch;
    for (int32_t i = 0; i < p->scratch_size; ++i)
      own[i] = (unsigned char)program;
    for (volatile int32_t spin = 0; spin < p->spin; ++spin)
      ;
    uint32_t good = 1;
    for (int32_t i = 0; i < p->scratch_size; ++i)
      good &= own[i] == (unsigned char)program;
    __atomic_fetch_add(&p->out[program], good, __ATOMIC_RELAXED);
  }
  return NRD_CPU_OK;
}

// How many threads are inside at once: out[0] now, out[1] at most.
EXPORT int32_t crowd(const void *params, const uint32_t grid[3], uint64_t begin,
                     uint64_t end, void *scratch, const nrd_cpu_host_t *host) {
  int32_t *out = *(int32_t *const *)params;
  (void)grid, (void)scratch, (void)host;
  int32_t now = __atomic_add_fetch(&out[0], 1, __ATOMIC_RELAXED);
  int32_t most = __atomic_load_n(&out[1], __ATOMIC_RELAXED);
  while (now > most &&
         !__atomic_compare_exchange_n(&out[1], &most, now, 0, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED))
    ;
  for (uint64_t program = begin; program < end; ++program)
    for (volatile int32_t spin = 0; spin < 200000; ++spin)
      ;
  __atomic_sub_fetch(&out[0], 1, __ATOMIC_RELAXED);
  return NRD_CPU_OK;
}

// Reaches data by relocations: a table of pointers, and memory functions.
static const char *const words[] = {"zero", "one", "two"};
static int32_t tally = 40;
int32_t *volatile tally_pointer = &tally;

EXPORT int32_t relocated(const void *params, const uint32_t grid[3],
                         uint64_t begin, uint64_t end, void *scratch,
                         const nrd_cpu_host_t *host) {
  char *const *p = params;
  (void)grid, (void)begin, (void)end, (void)scratch, (void)host;
  void *(*volatile copy)(void *, const void *, __SIZE_TYPE__) = memcpy;
  *tally_pointer += 2;
  copy(*p, words[*tally_pointer % 3], 4);
  (*p)[4] = (char)tally;
  return NRD_CPU_OK;
}

EXPORT int32_t tells(const void *params, const uint32_t grid[3], uint64_t begin,
                     uint64_t end, void *scratch, const nrd_cpu_host_t *host) {
  (void)params, (void)scratch;
  for (uint64_t i = begin; i < end; ++i) {
    uint32_t program[3] = {(uint32_t)(i % grid[0]),
                           (uint32_t)(i / grid[0] % grid[1]),
                           (uint32_t)(i / grid[0] / grid[1])};
    int32_t index[2] = {3, -4};
    double half = 0.5;
    uint64_t bits;
    __builtin_memcpy(&bits, &half, 8);
    host->print(host, " x: ", program, index, 2, NRD_CPU_VALUE_SIGNED,
                (uint64_t)-7, 0);
    host->print(host, " y: ", program, index, 0, NRD_CPU_VALUE_FLOAT, bits, 0);
    host->print(host, " z: ", program, index, 1, NRD_CPU_VALUE_UNSIGNED, 255,
                1);
  }
  return NRD_CPU_OK;
}

EXPORT int32_t asserts(const void *params, const uint32_t grid[3],
                       uint64_t begin, uint64_t end, void *scratch,
                       const nrd_cpu_host_t *host) {
  (void)params, (void)scratch;
  for (uint64_t i = begin; i < end; ++i) {
    if (i != 5)
      continue;
    uint32_t program[3] = {(uint32_t)(i % grid[0]), 0, 0};
    host->assert_failed(host, "x must be positive", "k.py", 12, program);
    return NRD_CPU_ASSERT_FAILED;
  }
  return NRD_CPU_OK;
}

#if BROKEN == 1
__attribute__((constructor)) static void at_start(void) { *tally_pointer = 1; }
#elif BROKEN == 2
_Thread_local int32_t own = 3;
EXPORT int32_t *own_pointer(void) { return &own; }
#elif BROKEN == 3
extern int puts(const char *text);
EXPORT int32_t greet(void) { return puts("hello"); }
#endif
