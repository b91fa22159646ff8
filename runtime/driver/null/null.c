// runtime/driver/null/null.c - a device that does everything but run kernels:
// for tests, for measuring the runtime itself, and as the driver to copy when
// writing another.
//
// "null" takes any variant; "null:sm_90a" takes what a device of that target
// would, so that dispatch can be tried without the hardware. The options'
// context may be an int that every driver call counts down: the call that
// brings it to 0 fails, so that a program's error paths can be tried.

#include "runtime/driver/driver.h"
#include "runtime/target.h"

#include <stdio.h>
#include <string.h>

typedef struct null_device_t {
  nrd_device_t base;
  int *countdown; // NULL: nothing fails
} null_device_t;

// A module needs no state; one address stands for all.
static char loaded;

static nrd_status_t count_down(nrd_device_t *device, const char *what) {
  int *countdown = ((null_device_t *)device)->countdown;
  if (!countdown || *countdown <= 0 || --*countdown)
    return NRD_OK;
  return nrd_fail(NRD_DRIVER_ERROR, "%s: %s fails, as was asked for",
                  device->name, what);
}

static nrd_status_t open_null(const char *argument,
                              const nrd_device_options_t *options,
                              const nrd_allocator_t *allocator,
                              nrd_device_t **out_device) {
  if (argument && (!nrd_target_is_known(argument) ||
                   strlen(argument) >= sizeof(*out_device)->target))
    return nrd_fail(NRD_NOT_FOUND, "null: no target is called '%.60s'",
                    argument);
  null_device_t *null = nrd_alloc(allocator, 1, sizeof *null);
  if (!null)
    return nrd_fail_memory(sizeof *null, "a device");
  null->countdown = options->context;
  nrd_device_t *device = &null->base;
  snprintf(device->name, sizeof device->name, "null%s%.30s",
           argument ? ":" : "", argument ? argument : "");
  snprintf(device->target, sizeof device->target, "%s",
           argument ? argument : "");
  snprintf(device->model, sizeof device->model, "null");
  snprintf(device->description, sizeof device->description,
           argument ? "runs nothing, takes what %s takes"
                    : "runs nothing, takes everything",
           argument);
  *out_device = device;
  return NRD_OK;
}

static void close_null(nrd_device_t *device) {
  nrd_allocator_t allocator = device->allocator;
  nrd_free(&allocator, device);
}

static nrd_status_t load(nrd_device_t *device, const nrd_image_t *image,
                         const void *bytes, size_t size,
                         nrd_module_t **out_module) {
  (void)image, (void)bytes, (void)size;
  NRD_TRY(count_down(device, "loading"));
  *out_module = (nrd_module_t *)&loaded;
  return NRD_OK;
}

static void unload(nrd_device_t *device, nrd_module_t *module) {
  (void)device, (void)module;
}

static nrd_status_t find_function(nrd_device_t *device, nrd_module_t *module,
                                  const nrd_image_t *image,
                                  void **out_function) {
  (void)module, (void)image;
  NRD_TRY(count_down(device, "finding a function"));
  *out_function = &loaded;
  return NRD_OK;
}

static nrd_status_t prepare(nrd_launch_t *launch) {
  return count_down(launch->device, "preparing a launch");
}

static nrd_status_t launch(nrd_launch_t *launch, void *stream) {
  (void)stream;
  return count_down(launch->device, "a launch");
}

// Not a tensor map, but as many bytes that depend on the same things.
static nrd_status_t encode_tensor_map(nrd_device_t *device,
                                      const nrd_tensor_map_t *recipe,
                                      const void *base, const int64_t *shape,
                                      const int64_t *strides, int moved,
                                      void *map) {
  NRD_TRY(count_down(device, "encoding a tensor map"));
  uint64_t words[16] = {0};
  memcpy(words, map, sizeof words);
  words[0] = (uint64_t)(uintptr_t)base;
  if (moved) {
    ++words[15]; // so that a test sees which way was taken
  } else {
    words[15] = 0;
    words[1] = recipe->rank;
    for (uint32_t d = 0; d < recipe->rank; ++d) {
      words[2 + d] = (uint64_t)shape[d];
      words[7 + d] = (uint64_t)strides[d];
    }
  }
  memcpy(map, words, sizeof words);
  return NRD_OK;
}

static nrd_status_t alloc(nrd_device_t *device, size_t size,
                          void **out_pointer) {
  NRD_TRY(count_down(device, "an allocation"));
  return nrd_host_alloc(device, size, out_pointer);
}

const nrd_driver_t nrd_driver_null = {
    .name = "null",
    .open = open_null,
    .close = close_null,
    .load = load,
    .unload = unload,
    .function = find_function,
    .prepare = prepare,
    .launch = launch,
    .encode_tensor_map = encode_tensor_map,
    .alloc = alloc,
    .free = nrd_host_free,
    .copy = nrd_host_copy,
    .fill = nrd_host_fill,
};
