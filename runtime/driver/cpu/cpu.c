// runtime/driver/cpu/cpu.c - the processor that the program runs on.

#include "runtime/driver/cpu/elf.h"
#include "runtime/driver/cpu/features.h"
#include "runtime/driver/cpu/run.h"
#include "runtime/log.h"
#include "runtime/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nrd_module_t {
  nrd_elf_t elf;
  // Picoseconds per program of the last launch; 0 before the first.
  atomic_ullong cost;
};

static nrd_cpu_device_t *cpu_of(nrd_device_t *device) {
  return (nrd_cpu_device_t *)device;
}

//===-- Device ------------------------------------------------------------===//

static nrd_status_t open_cpu(const char *argument,
                             const nrd_device_options_t *options,
                             const nrd_allocator_t *allocator,
                             nrd_device_t **out_device) {
  const char *level = nrd_cpu_level();
  const char *target = argument ? argument : level;
  if (options->context)
    return nrd_fail(NRD_INVALID_ARGUMENT, "cpu: there is no context to wrap");
  if (!*level)
    return nrd_fail(NRD_UNSUPPORTED,
                    "cpu: no kernels can be compiled for this processor");
  char why[200];
  nrd_text_t text = {why, sizeof why, 0};
  if (argument && !nrd_target_is_known(argument))
    return nrd_fail(NRD_NOT_FOUND,
                    "'cpu:%.60s' names no level of a CPU; write cpu, or "
                    "cpu:x86-64-v3, cpu:aarch64 and the like",
                    argument);
  if (argument && !nrd_target_rank(level, argument, &text))
    return nrd_fail(NRD_INCOMPATIBLE, "cpu:%.60s: %s", argument, why);
  nrd_cpu_device_t *cpu = nrd_alloc(allocator, 1, sizeof *cpu);
  if (!cpu)
    return nrd_fail_memory(sizeof *cpu, "a device");
  pthread_mutex_init(&cpu->scratch_lock, NULL);
  pthread_mutex_init(&cpu->pool_lock, NULL);
  cpu->print = options->print;
  cpu->print_context = options->print_context;
  uint32_t threads = options->threads;
  const char *environment = getenv("NRD_NUM_THREADS");
  if (!threads && environment)
    threads = (uint32_t)strtoul(environment, NULL, 10);
  atomic_init(&cpu->threads, threads);
  nrd_device_t *device = &cpu->base;
  snprintf(device->name, sizeof device->name, argument ? "cpu:%s" : "cpu",
           argument);
  snprintf(device->target, sizeof device->target, "%s", target);
  nrd_cpu_model(device->model, sizeof device->model);
  snprintf(device->description, sizeof device->description, "%s, %s",
           device->model, target);
  *out_device = device;
  return NRD_OK;
}

static void close_cpu(nrd_device_t *device) {
  nrd_cpu_device_t *cpu = cpu_of(device);
  nrd_allocator_t allocator = device->allocator;
  nrd_cpu_pool_free(cpu);
  nrd_cpu_scratch_free(cpu);
  pthread_mutex_destroy(&cpu->pool_lock);
  pthread_mutex_destroy(&cpu->scratch_lock);
  nrd_free(&allocator, cpu);
}

static void set_threads(nrd_device_t *device, uint32_t count) {
  atomic_store_explicit(&cpu_of(device)->threads, count, memory_order_relaxed);
}

static uint32_t get_threads(const nrd_device_t *device) {
  uint32_t count =
      atomic_load_explicit(&cpu_of((nrd_device_t *)(uintptr_t)device)->threads,
                           memory_order_relaxed);
  return count ? count : nrd_cpu_default_threads();
}

//===-- Images ------------------------------------------------------------===//

static nrd_status_t load(nrd_device_t *device, const nrd_image_t *image,
                         const void *bytes, size_t size,
                         nrd_module_t **out_module) {
  if (!strcmp(image->target, "x86-64-amx") && !nrd_cpu_request_amx())
    return nrd_fail(NRD_UNSUPPORTED,
                    "the operating system refused the AMX tiles to this "
                    "process (%s)%s",
                    strerror(errno),
                    errno == ENOSPC
                        ? "; a thread's alternate signal stack is smaller than "
                          "AMX needs"
                        : "");
  nrd_module_t *module = nrd_alloc(&device->allocator, 1, sizeof *module);
  if (!module)
    return nrd_fail_memory(sizeof *module, "a module");
  atomic_init(&module->cost, 0);
  char what[160];
  snprintf(what, sizeof what, "the %.40s image of kernel '%.80s'",
           image->target, image->kernel);
  nrd_status_t status = nrd_elf_load(bytes, size, what, &module->elf);
  if (status != NRD_OK) {
    nrd_free(&device->allocator, module);
    return status;
  }
  *out_module = module;
  return NRD_OK;
}

static void unload(nrd_device_t *device, nrd_module_t *module) {
  nrd_elf_unload(&module->elf);
  nrd_free(&device->allocator, module);
}

static nrd_status_t find_function(nrd_device_t *device, nrd_module_t *module,
                                  const nrd_image_t *image,
                                  void **out_function) {
  (void)device;
  void *function = nrd_elf_function(&module->elf, image->symbol);
  if (!function)
    return nrd_fail(NRD_CORRUPT,
                    "the %s image of kernel '%s' has no function '%.100s'",
                    image->target, image->kernel, image->symbol);
  *out_function = function;
  return NRD_OK;
}

//===-- What kernels call -------------------------------------------------===//

// The host of one launch, so that its failed assertion is its own.
typedef struct launch_host_t {
  nrd_cpu_host_t host;
  nrd_cpu_device_t *device;
  atomic_int has_failed;
  char message[600];
} launch_host_t;

static void print(const nrd_cpu_host_t *host, const char *prefix,
                  const uint32_t program[3], const int32_t *index,
                  uint32_t rank, uint32_t kind, uint64_t bits, uint32_t hex) {
  const launch_host_t *own = (const launch_host_t *)host;
  char line[512];
  nrd_text_t text = {line, sizeof line, 0};
  nrd_text_add(&text, "pid (%u, %u, %u) idx (", program[0], program[1],
               program[2]);
  for (uint32_t i = 0; i < rank; ++i)
    nrd_text_add(&text, i ? ", %d" : "%d", index[i]);
  nrd_text_add(&text, ")%.300s", prefix);
  double real;
  memcpy(&real, &bits, sizeof real);
  if (hex)
    nrd_text_add(&text, "0x%llx", (unsigned long long)bits);
  else if (kind == NRD_CPU_VALUE_SIGNED)
    nrd_text_add(&text, "%lld", (long long)bits);
  else if (kind == NRD_CPU_VALUE_UNSIGNED)
    nrd_text_add(&text, "%llu", (unsigned long long)bits);
  else if (kind == NRD_CPU_VALUE_FLOAT)
    nrd_text_add(&text, "%f", real);
  else
    nrd_text_add(&text, "0x%llx", (unsigned long long)bits);
  if (own->device->print)
    own->device->print(own->device->print_context, line);
  else // what the kernel's author asked for; one call keeps lines whole
    printf("%s\n", line);
}

static void assert_failed(const nrd_cpu_host_t *host, const char *message,
                          const char *file, uint32_t line,
                          const uint32_t program[3]) {
  launch_host_t *own = (launch_host_t *)(uintptr_t)host;
  int expected = 0;
  if (!atomic_compare_exchange_strong(&own->has_failed, &expected, 1))
    return; // the first one is told
  snprintf(own->message, sizeof own->message,
           "%.200s:%u: device_assert failed in program (%u, %u, %u): %.250s",
           file, line, program[0], program[1], program[2], message);
}

//===-- Launch ------------------------------------------------------------===//

// Below this a grid is not worth waking threads for.
static const uint64_t SERIAL_PICOSECONDS = UINT64_C(20) * 1000 * 1000;

// Runs programs on this thread while they are as quick as |cost| promises.
// Leaves job->next at the first that has not run.
static void run_serially(nrd_cpu_job_t *job, uint64_t cost) {
  uint64_t total = job->total;
  uint64_t budget = nrd_now() + 2 * SERIAL_PICOSECONDS / 1000;
  job->chunk = cost ? (total + 3) / 4 : total;
  for (uint64_t end = 0; end < total;) {
    end = total - end > job->chunk ? end + job->chunk : total;
    job->total = end;
    nrd_cpu_work(job);
    job->total = total;
    if (atomic_load(&job->result) != NRD_CPU_OK ||
        atomic_load(&job->lacks_memory))
      return;
    atomic_store(&job->next, end);
    if (cost && end < total && nrd_now() > budget)
      return;
  }
}

// Spreads the rest of the grid. Launches at the same time share the device's
// threads: one that finds them all in use has its own, or a service with many
// threads would run many times as many.
static uint32_t run_spread(nrd_cpu_job_t *job, uint32_t threads,
                           uint32_t limit) {
  uint32_t used = atomic_fetch_add(&job->device->in_use, threads);
  uint32_t granted = threads;
  if (used + threads > limit) {
    granted = used < limit ? limit - used : 1;
    atomic_fetch_sub(&job->device->in_use, threads - granted);
  }
  uint64_t rest = job->total - atomic_load(&job->next);
  uint64_t parts = (uint64_t)granted * 8;
  job->chunk = (rest + parts - 1) / parts;
  if (granted > 1)
    nrd_cpu_spread(job, granted);
  else
    nrd_cpu_work(job);
  atomic_fetch_sub(&job->device->in_use, granted);
  return granted;
}

static nrd_status_t finish(const nrd_launch_t *launch, nrd_cpu_job_t *job,
                           launch_host_t *host) {
  int result = atomic_load(&job->result);
  if (result == NRD_CPU_ASSERT_FAILED)
    return nrd_fail(NRD_KERNEL_FAILED, "%s",
                    atomic_load(&host->has_failed) ? host->message
                                                   : "a device_assert failed");
  if (result != NRD_CPU_OK)
    return nrd_fail(NRD_KERNEL_FAILED, "kernel '%s' returned %d",
                    launch->image->kernel, result);
  if (atomic_load(&job->lacks_memory) && atomic_load(&job->next) < job->total)
    return nrd_fail_memory(job->scratch_size, "a kernel's scratch");
  return NRD_OK;
}

static nrd_status_t launch_cpu(nrd_launch_t *launch, void *stream) {
  (void)stream;
  nrd_cpu_device_t *cpu = cpu_of(launch->device);
  launch_host_t host;
  host.host.print = print;
  host.host.assert_failed = assert_failed;
  host.device = cpu;
  atomic_init(&host.has_failed, 0);
  nrd_cpu_job_t job;
  job.device = cpu;
  memcpy(&job.function, &launch->function, sizeof job.function);
  job.params = launch->params;
  job.grid = launch->grid;
  job.host = &host.host;
  job.total = launch->programs;
  job.scratch_size = launch->image->scratch_size;
  atomic_init(&job.next, 0);
  atomic_init(&job.result, NRD_CPU_OK);
  atomic_init(&job.lacks_memory, 0);

  uint64_t total = launch->programs;
  uint32_t limit = total > 1 ? get_threads(launch->device) : 1;
  uint32_t threads = limit;
  if (threads > total)
    threads = (uint32_t)total;
  if (threads <= 1 || nrd_cpu_in_parallel()) {
    run_serially(&job, 0);
    return finish(launch, &job, &host);
  }
  atomic_ullong *known = &launch->module->cost;
  uint64_t cost = atomic_load_explicit(known, memory_order_relaxed);
  uint64_t begin = nrd_now(), busy = threads;
  if (cost && cost < SERIAL_PICOSECONDS / total) {
    run_serially(&job, cost);
    busy = 1;
  }
  uint64_t done = atomic_load(&job.next);
  if (done < total && atomic_load(&job.result) == NRD_CPU_OK &&
      !atomic_load(&job.lacks_memory)) {
    busy = run_spread(&job, threads, limit);
  }
  uint64_t spent = (nrd_now() - begin) * busy;
  uint64_t each = spent < UINT64_MAX / 1000 ? spent * 1000 / total : UINT64_MAX;
  atomic_store_explicit(known, each ? each : 1, memory_order_relaxed);
  return finish(launch, &job, &host);
}

const nrd_driver_t nrd_driver_cpu = {
    .name = "cpu",
    .open = open_cpu,
    .close = close_cpu,
    .load = load,
    .unload = unload,
    .function = find_function,
    .launch = launch_cpu,
    .alloc = nrd_host_alloc,
    .free = nrd_host_free,
    .copy = nrd_host_copy,
    .fill = nrd_host_fill,
    .set_threads = set_threads,
    .threads = get_threads,
    .dlpack_types = {1, 3, 11, 13}, // CPU, CUDA and ROCm host, CUDA managed
};
