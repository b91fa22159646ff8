// runtime/driver/hip/hip.c - AMD GPUs, through libamdhip64 opened by name.

#include "runtime/driver/driver.h"
#include "runtime/dylib.h"
#include "runtime/target.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  HIP_OUT_OF_MEMORY = 2,
  HIP_INVALID_IMAGE = 200,
  HIP_NO_BINARY_FOR_GPU = 209,
  HIP_NOT_FOUND = 500,
  HIP_ASSERT = 710,

  HIP_MAX_SHARED_PER_BLOCK = 74, // of hipDeviceAttribute_t
  HIP_MAX_THREADS_PER_BLOCK = 56,

  HIP_COPY_TO_DEVICE = 1,
  HIP_COPY_TO_HOST = 2,
  HIP_COPY_ON_DEVICE = 3,

  HIP_STREAM_NON_BLOCKING = 1,

  HIP_LAUNCH_BUFFER = 1,
  HIP_LAUNCH_BUFFER_SIZE = 2,
  HIP_LAUNCH_END = 3, // where CUDA's is 0
};

//===-- The library -------------------------------------------------------===//

static struct {
#define NRD_HIP_FN(required, type, symbol, name, parameters)                   \
  type(*name) parameters;
#include "runtime/driver/hip/hip_api.def"
#undef NRD_HIP_FN
} hip;

static const char symbols[] =
#define NRD_HIP_FN(required, type, symbol, name, parameters)                   \
  required #symbol "\0"
#include "runtime/driver/hip/hip_api.def"
#undef NRD_HIP_FN
    ;

static const char *name_of(int result) {
  const char *name = hip.error_name(result);
  return name ? name : "HIP error";
}

static const char *meaning_of(int result) {
  const char *meaning = hip.error_string(result);
  return meaning ? meaning : "unknown";
}

NRD_COLD static nrd_status_t fail(const nrd_device_t *device, int result,
                                  const char *what) {
  nrd_status_t status = result == HIP_OUT_OF_MEMORY ? NRD_OUT_OF_MEMORY
                        : result == HIP_ASSERT      ? NRD_KERNEL_FAILED
                                                    : NRD_DRIVER_ERROR;
  return nrd_fail(status, "%s: %s failed: %s: %s", device->name, what,
                  name_of(result), meaning_of(result));
}

static nrd_status_t load_library(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static nrd_dylib_t library;
  static int is_ready;
  static const char *const names[] = {"libamdhip64.so.7",
                                      "libamdhip64.so.6",
                                      "libamdhip64.so.5",
                                      "libamdhip64.so",
                                      "/opt/rocm/lib/libamdhip64.so",
                                      NULL};
  nrd_status_t status = NRD_OK;
  pthread_mutex_lock(&lock);
  if (!library.handle) {
    const char *root = getenv("ROCM_PATH");
    char path[300];
    const char *own[] = {path, NULL};
    if (root && *root) {
      snprintf(path, sizeof path, "%s/lib/libamdhip64.so", root);
      status = nrd_dylib_open(own, symbols, &hip,
                              "libamdhip64, the AMD HIP runtime", &library);
    }
    if (!library.handle)
      status = nrd_dylib_open(names, symbols, &hip,
                              "libamdhip64, the AMD HIP runtime", &library);
  }
  if (status == NRD_OK && !is_ready) {
    // Versions differ in how they say that there is no device: 100 or 101.
    int count = 0, result = hip.init(0);
    if (!result)
      result = hip.device_count(&count);
    if (result || !count)
      status = nrd_fail(NRD_NOT_FOUND, "there is no AMD GPU here (%s)",
                        result ? name_of(result) : "no device");
    else
      is_ready = 1;
  }
  pthread_mutex_unlock(&lock);
  return status;
}

//===-- Device ------------------------------------------------------------===//

typedef struct hip_device_t {
  nrd_device_t base;
  int ordinal;
  int shared_limit;
  int thread_limit;
} hip_device_t;

static hip_device_t *hip_of(const nrd_device_t *device) {
  return (hip_device_t *)(uintptr_t)device;
}

// Makes the device current; leave() puts |out_before| back.
static inline int enter(const hip_device_t *own, int *out_before) {
  *out_before = -1;
  int current = -1;
  int result = hip.device_get(&current);
  if (NRD_LIKELY(!result && current == own->ordinal))
    return 0;
  result = hip.device_set(own->ordinal);
  if (!result)
    *out_before = current;
  return result;
}

static inline void leave(int before) {
  if (before >= 0)
    hip.device_set(before);
}

static uint32_t count_devices(void) {
  int count = 0;
  if (load_library() != NRD_OK || hip.device_count(&count))
    return 0;
  return count > 0 ? (uint32_t)count : 0;
}

// Is |text| like "gfx942" or "gfx942:sramecc+:xnack-"? Returns its length or 0.
static size_t arch_length(const char *text) {
  if (strncmp(text, "gfx", 3))
    return 0;
  size_t digits = strspn(text + 3, "0123456789abcdef");
  if (digits < 3 || digits > 4)
    return 0;
  size_t size = 3 + digits;
  while (text[size] == ':') {
    size_t word = strspn(text + size + 1, "abcdefghijklmnopqrstuvwxyz");
    char sign = text[size + 1 + word];
    if (!word || (sign != '+' && sign != '-'))
      return 0;
    size += word + 2;
  }
  return size < sizeof((nrd_device_t *)NULL)->target ? size : 0;
}

// The properties have had two layouts, so the name is checked wherever it is
// found, and looked for in the whole struct if it is in neither place.
static void find_arch(int ordinal, char *target, size_t capacity) {
  enum { ROOM = 8192, NAME_AT_6 = 1160, NAME_AT_5 = 396 };
  const char *forced = getenv("NRD_HIP_ARCH");
  if (forced && arch_length(forced) == strlen(forced) && *forced) {
    snprintf(target, capacity, "%s", forced);
    return;
  }
  for (int version = 6; version >= 5; --version) {
    char properties[ROOM + 1] = {0};
    int (*get)(void *, int) =
        version == 6 ? hip.properties_6 : hip.properties_5;
    if (!get || get(properties, ordinal))
      continue;
    size_t at = version == 6 ? NAME_AT_6 : NAME_AT_5;
    for (size_t i = 0; !arch_length(properties + at) && i + 8 < ROOM; ++i)
      if (arch_length(properties + i))
        at = i;
    size_t size = arch_length(properties + at);
    if (size) {
      snprintf(target, capacity, "%.*s", (int)size, properties + at);
      return;
    }
  }
}

static nrd_status_t open_hip(const char *argument,
                             const nrd_device_options_t *options,
                             const nrd_allocator_t *allocator,
                             nrd_device_t **out_device) {
  char *end = NULL;
  unsigned long ordinal = argument ? strtoul(argument, &end, 10) : 0;
  if (argument && (end == argument || *end || ordinal > 4095))
    return nrd_fail(NRD_NOT_FOUND, "no device 'hip:%.40s'; write hip:0",
                    argument);
  if (options->context)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "hip: there is no context to wrap; name the device");
  NRD_TRY(load_library());
  uint32_t count = count_devices();
  if (ordinal >= count)
    return nrd_fail(NRD_NOT_FOUND, "there is no hip:%lu; %u device%s here",
                    ordinal, count, count == 1 ? " is" : "s are");
  hip_device_t *own = nrd_alloc(allocator, 1, sizeof *own);
  if (!own)
    return nrd_fail_memory(sizeof *own, "a device");
  nrd_device_t *device = &own->base;
  own->ordinal = (int)ordinal;
  own->shared_limit = 65536;
  own->thread_limit = 1024;
  hip.device_attribute(&own->shared_limit, HIP_MAX_SHARED_PER_BLOCK,
                       own->ordinal);
  hip.device_attribute(&own->thread_limit, HIP_MAX_THREADS_PER_BLOCK,
                       own->ordinal);
  snprintf(device->name, sizeof device->name, "hip:%lu", ordinal);
  find_arch(own->ordinal, device->target, sizeof device->target);
  if (hip.device_name(device->model, (int)sizeof device->model - 1,
                      own->ordinal))
    snprintf(device->model, sizeof device->model, "AMD GPU");
  int version = 0;
  hip.runtime_version(&version); // 60300000 is 6.3
  snprintf(device->description, sizeof device->description, "%s, %s, HIP %d.%d",
           device->model, device->target[0] ? device->target : "unknown chip",
           version / 10000000, version / 100000 % 100);
  *out_device = device;
  return NRD_OK;
}

static void close_hip(nrd_device_t *device) {
  nrd_allocator_t allocator = device->allocator;
  nrd_free(&allocator, device);
}

//===-- Images ------------------------------------------------------------===//

#define REFUSE(...)                                                            \
  do {                                                                         \
    if (why)                                                                   \
      nrd_text_add(why, __VA_ARGS__);                                          \
    return 0;                                                                  \
  } while (0)

static int suits(const nrd_device_t *device, const nrd_image_t *image,
                 nrd_text_t *why) {
  const hip_device_t *own = hip_of(device);
  // Where the chip's name could not be found out, loading tells.
  if (!nrd_target_same_family("gfx90a", image->target))
    REFUSE("'%s' code is not for AMD GPUs", image->target);
  if (image->shared_size > (uint32_t)own->shared_limit)
    REFUSE("it needs %u bytes of LDS and %s has %d", image->shared_size,
           device->model, own->shared_limit);
  if (image->block[0] * image->block[1] * image->block[2] >
      (uint32_t)own->thread_limit)
    REFUSE("its blocks are too large for %s", device->model);
  if (image->cluster[0] * image->cluster[1] * image->cluster[2] > 1)
    REFUSE("it needs thread block clusters, which AMD GPUs lack");
  if (image->cooperative)
    REFUSE("this version of nereid has no cooperative launches on AMD GPUs");
  return 1;
}

static nrd_status_t load(nrd_device_t *device, const nrd_image_t *image,
                         const void *bytes, size_t size,
                         nrd_module_t **out_module) {
  // The runtime reads the size of the object from the object itself.
  if (size < 64 || memcmp(bytes, "\177ELF", 4))
    return nrd_fail(NRD_CORRUPT,
                    "the %s image of kernel '%s' is no code object",
                    image->target, image->kernel);
  void *module = NULL;
  int before, result = enter(hip_of(device), &before);
  if (!result)
    result = hip.module_load(&module, bytes);
  leave(before);
  if (result == HIP_NO_BINARY_FOR_GPU || result == HIP_INVALID_IMAGE)
    return nrd_fail(
        NRD_INCOMPATIBLE, "%s does not take the %s image of kernel '%s': %s",
        device->description, image->target, image->kernel, name_of(result));
  if (result)
    return fail(device, result, "hipModuleLoadData");
  *out_module = module;
  return NRD_OK;
}

static void unload(nrd_device_t *device, nrd_module_t *module) {
  int before;
  if (!enter(hip_of(device), &before))
    hip.module_unload(module);
  leave(before);
}

static nrd_status_t find_function(nrd_device_t *device, nrd_module_t *module,
                                  const nrd_image_t *image,
                                  void **out_function) {
  int before, result = enter(hip_of(device), &before);
  if (!result)
    result = hip.module_function(out_function, module, image->symbol);
  leave(before);
  if (result == HIP_NOT_FOUND)
    return nrd_fail(NRD_CORRUPT,
                    "the %s image of kernel '%s' has no function '%.100s'",
                    image->target, image->kernel, image->symbol);
  return result ? fail(device, result, "hipModuleGetFunction") : NRD_OK;
}

//===-- Launch ------------------------------------------------------------===//

typedef struct prepared_t {
  unsigned grid[3];
  size_t param_size;
  void *extra[5];
} prepared_t;

_Static_assert(sizeof(prepared_t) <= sizeof((nrd_launch_t *)NULL)->driver_state,
               "the prepared launch fits");

static nrd_status_t prepare(nrd_launch_t *launch) {
  prepared_t *prepared = (prepared_t *)launch->driver_state;
  const nrd_image_t *image = launch->image;
  // The queue packet counts work-items in 32 bits along each axis.
  for (int d = 0; d < 3; ++d) {
    uint64_t blocks =
        (uint64_t)launch->grid[d] * (d ? 1 : (uint64_t)image->num_ctas);
    if (blocks * image->block[d] > UINT32_MAX)
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "kernel '%s': a grid of %u x %u x %u programs of %u x %u "
                      "x %u threads is more than an AMD GPU launches at once",
                      image->kernel, launch->grid[0], launch->grid[1],
                      launch->grid[2], image->block[0], image->block[1],
                      image->block[2]);
    prepared->grid[d] = (unsigned)blocks;
  }
  prepared->param_size = launch->param_size;
  prepared->extra[0] = (void *)HIP_LAUNCH_BUFFER;
  prepared->extra[1] = launch->params;
  prepared->extra[2] = (void *)HIP_LAUNCH_BUFFER_SIZE;
  prepared->extra[3] = &prepared->param_size;
  prepared->extra[4] = (void *)HIP_LAUNCH_END;
  return NRD_OK;
}

static nrd_status_t launch_hip(nrd_launch_t *launch, void *stream) {
  prepared_t *prepared = (prepared_t *)launch->driver_state;
  const nrd_image_t *image = launch->image;
  int before, result = enter(hip_of(launch->device), &before);
  if (NRD_LIKELY(!result))
    result = hip.launch(launch->function, prepared->grid[0], prepared->grid[1],
                        prepared->grid[2], image->block[0], image->block[1],
                        image->block[2], image->shared_size, stream, NULL,
                        prepared->extra);
  leave(before);
  if (NRD_LIKELY(!result))
    return NRD_OK;
  return fail(launch->device, result, image->kernel);
}

//===-- Memory and streams ------------------------------------------------===//

#define WITH_DEVICE(device, call, what)                                        \
  do {                                                                         \
    int before, result = enter(hip_of(device), &before);                       \
    if (!result)                                                               \
      result = call;                                                           \
    leave(before);                                                             \
    return result ? fail(device, result, what) : NRD_OK;                       \
  } while (0)

static nrd_status_t alloc(nrd_device_t *device, size_t size,
                          void **out_pointer) {
  WITH_DEVICE(device, hip.mem_alloc(out_pointer, size), "hipMalloc");
}

static void free_memory(nrd_device_t *device, void *pointer) {
  int before;
  if (!enter(hip_of(device), &before))
    hip.mem_free(pointer);
  leave(before);
}

static int copy_on_device(void *to, const void *from, size_t size, int kind) {
  int result = hip.synchronize();
  if (!result)
    result = hip.copy(to, from, size, kind);
  return result ? result : hip.synchronize();
}

static nrd_status_t copy(nrd_device_t *device, void *to, const void *from,
                         size_t size, int to_is_host, int from_is_host) {
  int kind = from_is_host ? HIP_COPY_TO_DEVICE
             : to_is_host ? HIP_COPY_TO_HOST
                          : HIP_COPY_ON_DEVICE;
  WITH_DEVICE(device, copy_on_device(to, from, size, kind), "a copy");
}

static int fill_on_device(void *to, uint8_t value, size_t size) {
  int result = hip.synchronize();
  if (!result)
    result = hip.fill(to, value, size);
  return result ? result : hip.synchronize();
}

static nrd_status_t fill(nrd_device_t *device, void *to, uint8_t value,
                         size_t size) {
  WITH_DEVICE(device, fill_on_device(to, value, size), "hipMemset");
}

static nrd_status_t synchronize(nrd_device_t *device) {
  WITH_DEVICE(device, hip.synchronize(), "work on the device");
}

static nrd_status_t stream_synchronize(nrd_device_t *device, void *stream) {
  WITH_DEVICE(device, hip.stream_synchronize(stream), "work on the stream");
}

static nrd_status_t stream_create(nrd_device_t *device, void **out_stream) {
  WITH_DEVICE(device, hip.stream_create(out_stream, HIP_STREAM_NON_BLOCKING),
              "hipStreamCreateWithFlags");
}

static void stream_destroy(nrd_device_t *device, void *stream) {
  int before;
  if (!enter(hip_of(device), &before))
    hip.stream_destroy(stream);
  leave(before);
}

const nrd_driver_t nrd_driver_hip = {
    .name = "hip",
    .count = count_devices,
    .open = open_hip,
    .close = close_hip,
    .suits = suits,
    .load = load,
    .unload = unload,
    .function = find_function,
    .prepare = prepare,
    .launch = launch_hip,
    .alloc = alloc,
    .free = free_memory,
    .copy = copy,
    .fill = fill,
    .synchronize = synchronize,
    .stream_synchronize = stream_synchronize,
    .stream_create = stream_create,
    .stream_destroy = stream_destroy,
    .dlpack_types = {10, 11}, // ROCm and its host memory
};
