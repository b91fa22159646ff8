// runtime/driver/null/null.c - a device that does everything but run kernels:
// for tests, for measuring the runtime itself, and as the driver to copy when
// writing another.
//
// "null" takes any variant; "null:sm_90a" takes what a device of that target
// would, so that dispatch can be tried without the hardware.

#include "runtime/driver/driver.h"
#include "runtime/target.h"

#include <stdio.h>
#include <string.h>

// A module needs no state; one address stands for all.
static char loaded;

static nrd_status_t open_null(const char *argument,
                              const nrd_device_options_t *options,
                              const nrd_allocator_t *allocator,
                              nrd_device_t **out_device) {
  (void)options;
  if (argument && (!nrd_target_is_known(argument) ||
                   strlen(argument) >= sizeof(*out_device)->target))
    return nrd_fail(NRD_NOT_FOUND, "null: no target is called '%.60s'",
                    argument);
  nrd_device_t *device = nrd_alloc(allocator, 1, sizeof *device);
  if (!device)
    return nrd_fail_memory(sizeof *device, "a device");
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
  (void)device, (void)image, (void)bytes, (void)size;
  *out_module = (nrd_module_t *)&loaded;
  return NRD_OK;
}

static void unload(nrd_device_t *device, nrd_module_t *module) {
  (void)device, (void)module;
}

static nrd_status_t find_function(nrd_device_t *device, nrd_module_t *module,
                                  const nrd_image_t *image,
                                  void **out_function) {
  (void)device, (void)module, (void)image;
  *out_function = &loaded;
  return NRD_OK;
}

static nrd_status_t launch(nrd_launch_t *launch, void *stream) {
  (void)launch, (void)stream;
  return NRD_OK;
}

// Not a tensor map, but as many bytes that depend on the same things.
static nrd_status_t encode_tensor_map(nrd_device_t *device,
                                      const nrd_tensor_map_t *recipe,
                                      const void *base, const int64_t *shape,
                                      const int64_t *strides, int moved,
                                      void *map) {
  (void)device;
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

const nrd_driver_t nrd_driver_null = {
    .name = "null",
    .open = open_null,
    .close = close_null,
    .load = load,
    .unload = unload,
    .function = find_function,
    .launch = launch,
    .encode_tensor_map = encode_tensor_map,
    .alloc = nrd_host_alloc,
    .free = nrd_host_free,
    .copy = nrd_host_copy,
    .fill = nrd_host_fill,
};
