// runtime/driver/cpu/run.c - spreads a grid over threads, with OpenMP where the
// library is built with it, else with a pool of its own.

#include "runtime/driver/cpu/run.h"

#include <sched.h>
#include <signal.h>
#include <string.h>

//===-- Scratch -----------------------------------------------------------===//

static nrd_cpu_scratch_t *take_scratch(nrd_cpu_device_t *device, size_t size) {
  pthread_mutex_lock(&device->scratch_lock);
  nrd_cpu_scratch_t *scratch = device->scratch;
  if (scratch)
    device->scratch = scratch->next;
  pthread_mutex_unlock(&device->scratch_lock);
  if (scratch && scratch->size >= size)
    return scratch;
  // Too small ones are replaced, so the cache grows to what is really used.
  nrd_free(&device->base.allocator, scratch);
  size_t whole = sizeof *scratch + NRD_MAX_SCRATCH_ALIGN + size;
  scratch = nrd_alloc_raw(&device->base.allocator, whole);
  if (!scratch)
    return NULL;
  uintptr_t first = (uintptr_t)(scratch + 1);
  uintptr_t aligned = (first + NRD_MAX_SCRATCH_ALIGN - 1) /
                      NRD_MAX_SCRATCH_ALIGN * NRD_MAX_SCRATCH_ALIGN;
  scratch->size = size;
  scratch->memory = (char *)(scratch + 1) + (aligned - first);
  return scratch;
}

static void give_scratch(nrd_cpu_device_t *device, nrd_cpu_scratch_t *scratch) {
  pthread_mutex_lock(&device->scratch_lock);
  scratch->next = device->scratch;
  device->scratch = scratch;
  pthread_mutex_unlock(&device->scratch_lock);
}

void nrd_cpu_scratch_free(nrd_cpu_device_t *device) {
  while (device->scratch) {
    nrd_cpu_scratch_t *next = device->scratch->next;
    nrd_free(&device->base.allocator, device->scratch);
    device->scratch = next;
  }
}

//===-- Work --------------------------------------------------------------===//

// Kernels run with IEEE rounding and subnormals, whatever the application has
// set for itself: start-up code of -ffast-math, for one, flushes subnormals on
// the main thread alone, and a grid's results would depend on the thread.
#if defined(__x86_64__)
enum { IEEE_MODE = 0x1f80 };
static uint32_t enter_ieee(void) {
  uint32_t before = __builtin_ia32_stmxcsr();
  if (before != IEEE_MODE)
    __builtin_ia32_ldmxcsr(IEEE_MODE);
  return before;
}
static void leave_ieee(uint32_t before) {
  if (before != IEEE_MODE)
    __builtin_ia32_ldmxcsr(before);
}
#else
static uint32_t enter_ieee(void) { return 0; }
static void leave_ieee(uint32_t before) { (void)before; }
#endif

void nrd_cpu_work(nrd_cpu_job_t *job) {
  nrd_cpu_scratch_t *scratch = NULL;
  if (atomic_load_explicit(&job->next, memory_order_relaxed) >= job->total)
    return; // came too late
  if (job->scratch_size) {
    scratch = take_scratch(job->device, job->scratch_size);
    if (!scratch) { // the other threads may have some
      atomic_store(&job->lacks_memory, 1);
      return;
    }
  }
  uint32_t mode = enter_ieee();
  for (;;) {
    uint64_t begin =
        atomic_fetch_add_explicit(&job->next, job->chunk, memory_order_relaxed);
    if (begin >= job->total)
      break;
    uint64_t end =
        job->total - begin > job->chunk ? begin + job->chunk : job->total;
    int32_t result = job->function(job->params, job->grid, begin, end,
                                   scratch ? scratch->memory : NULL, job->host);
    if (result == NRD_CPU_OK)
      continue;
    int expected = NRD_CPU_OK;
    atomic_compare_exchange_strong(&job->result, &expected, result);
    atomic_store(&job->next, job->total); // the others stop soon
    break;
  }
  leave_ieee(mode);
  if (scratch)
    give_scratch(job->device, scratch);
}

#if defined(_OPENMP)

#include <omp.h>

uint32_t nrd_cpu_default_threads(void) {
  int threads = omp_get_max_threads();
  return threads > 0 ? (uint32_t)threads : 1;
}

int nrd_cpu_in_parallel(void) { return omp_in_parallel(); }

void nrd_cpu_spread(nrd_cpu_job_t *job, uint32_t threads) {
#pragma omp parallel num_threads((int)threads)
  nrd_cpu_work(job);
}

void nrd_cpu_pool_free(nrd_cpu_device_t *device) { (void)device; }

#else // a pool of threads

// One launch that wants helpers; lives on its caller's stack.
typedef struct ticket_t {
  struct ticket_t *next;
  nrd_cpu_job_t *job;
  uint32_t wanted; // helpers that may still join
  uint32_t inside; // helpers at work
  pthread_cond_t left;
} ticket_t;

typedef struct nrd_cpu_pool_t {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  ticket_t *tickets; // with wanted > 0
  uint32_t thread_count;
  int stopping;
  pthread_t threads[];
} nrd_cpu_pool_t;

uint32_t nrd_cpu_default_threads(void) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed))
    return 1;
  int count = CPU_COUNT(&allowed);
  return count > 0 ? (uint32_t)count : 1;
}

// A helper thread never launches, and other threads may share the pool.
int nrd_cpu_in_parallel(void) { return 0; }

static void *help(void *argument) {
  nrd_cpu_pool_t *pool = argument;
  pthread_mutex_lock(&pool->lock);
  while (!pool->stopping) {
    ticket_t *ticket = pool->tickets;
    if (!ticket) {
      pthread_cond_wait(&pool->wake, &pool->lock);
      continue;
    }
    ++ticket->inside;
    if (!--ticket->wanted)
      pool->tickets = ticket->next;
    pthread_mutex_unlock(&pool->lock);
    nrd_cpu_work(ticket->job);
    pthread_mutex_lock(&pool->lock);
    if (!--ticket->inside)
      pthread_cond_signal(&ticket->left);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

enum { MAX_POOL = 1024 };

// The device's pool with at least |helpers| threads if they can be had. More
// are added when a launch asks for more; none leave before the device closes.
static nrd_cpu_pool_t *get_pool(nrd_cpu_device_t *device, uint32_t helpers) {
  if (helpers > MAX_POOL)
    helpers = MAX_POOL;
  pthread_mutex_lock(&device->pool_lock);
  nrd_cpu_pool_t *pool = device->pool;
  if (!pool) {
    pool = nrd_alloc(&device->base.allocator, 1,
                     sizeof *pool + MAX_POOL * sizeof *pool->threads);
    if (pool) {
      pthread_mutex_init(&pool->lock, NULL);
      pthread_cond_init(&pool->wake, NULL);
      device->pool = pool;
    }
  }
  // Signals are for the application's own threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool && pool->thread_count < helpers &&
         !pthread_create(&pool->threads[pool->thread_count], NULL, help, pool))
    ++pool->thread_count;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_mutex_unlock(&device->pool_lock);
  return pool;
}

void nrd_cpu_spread(nrd_cpu_job_t *job, uint32_t threads) {
  nrd_cpu_pool_t *pool =
      threads > 1 ? get_pool(job->device, threads - 1) : NULL;
  if (!pool) {
    nrd_cpu_work(job);
    return;
  }
  ticket_t ticket = {.job = job, .wanted = threads - 1};
  pthread_cond_init(&ticket.left, NULL);
  pthread_mutex_lock(&pool->lock);
  ticket.next = pool->tickets;
  pool->tickets = &ticket;
  if (threads > 2)
    pthread_cond_broadcast(&pool->wake);
  else
    pthread_cond_signal(&pool->wake);
  pthread_mutex_unlock(&pool->lock);

  nrd_cpu_work(job);

  pthread_mutex_lock(&pool->lock);
  for (ticket_t **link = &pool->tickets; *link; link = &(*link)->next)
    if (*link == &ticket) { // nobody else needs to come
      *link = ticket.next;
      break;
    }
  while (ticket.inside)
    pthread_cond_wait(&ticket.left, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
  pthread_cond_destroy(&ticket.left);
}

void nrd_cpu_pool_free(nrd_cpu_device_t *device) {
  nrd_cpu_pool_t *pool = device->pool;
  if (!pool)
    return;
  pthread_mutex_lock(&pool->lock);
  pool->stopping = 1;
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  for (uint32_t i = 0; i < pool->thread_count; ++i)
    pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  nrd_free(&device->base.allocator, pool);
  device->pool = NULL;
}

#endif
