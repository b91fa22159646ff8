// runtime/driver/cpu/run.h - spreads a grid over threads (internal).
//
// Threads take contiguous ranges of programs from a shared counter until none
// are left, so that slow ranges or slow cores do not hold up the rest. A grid
// that was quick before runs on the caller's thread; if it turns out slower
// this time, the rest of it is spread after all. Inside a parallel region of
// the application a grid runs on the caller's thread too.

#ifndef NEREID_RUNTIME_DRIVER_CPU_RUN_H
#define NEREID_RUNTIME_DRIVER_CPU_RUN_H

#include "nereid/cpu_kernel.h"
#include "runtime/driver/driver.h"

#include <pthread.h>

// Scratch memory that no thread is using.
typedef struct nrd_cpu_scratch_t {
  struct nrd_cpu_scratch_t *next;
  size_t size;
  void *memory; // aligned to NRD_MAX_SCRATCH_ALIGN, behind this header
} nrd_cpu_scratch_t;

typedef struct nrd_cpu_device_t {
  nrd_device_t base;
  atomic_uint threads; // 0: the default
  atomic_uint in_use;  // by launches that run now
  void (*print)(void *context, const char *line);
  void *print_context;
  pthread_mutex_t scratch_lock;
  nrd_cpu_scratch_t *scratch;
  struct nrd_cpu_pool_t *pool; // without OpenMP; made at the first need
  pthread_mutex_t pool_lock;
} nrd_cpu_device_t;

// One launch, shared by its threads.
typedef struct nrd_cpu_job_t {
  nrd_cpu_device_t *device;
  nrd_cpu_kernel_fn_t function;
  const void *params;
  const uint32_t *grid;
  const nrd_cpu_host_t *host;
  uint64_t total;
  uint64_t chunk;
  size_t scratch_size;
  atomic_ullong next;
  atomic_int result;       // the first that is not NRD_CPU_OK
  atomic_int lacks_memory; // a thread found no scratch
} nrd_cpu_job_t;

// Takes ranges until none are left. Each thread of a launch calls it once.
void nrd_cpu_work(nrd_cpu_job_t *job);

// Runs |job| on up to |threads| threads, the caller's included. Programs below
// job->next have run already.
void nrd_cpu_spread(nrd_cpu_job_t *job, uint32_t threads);

// How many threads a launch uses when nobody says; 1 inside a parallel region.
uint32_t nrd_cpu_default_threads(void);
int nrd_cpu_in_parallel(void);

void nrd_cpu_pool_free(nrd_cpu_device_t *device);
void nrd_cpu_scratch_free(nrd_cpu_device_t *device);

#endif // NEREID_RUNTIME_DRIVER_CPU_RUN_H
