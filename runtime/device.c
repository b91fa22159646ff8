// runtime/device.c - opens devices by name and passes on to their drivers.

#include "runtime/device.h"

#include "runtime/log.h"
#include "runtime/target.h"

#include <stdlib.h>
#include <string.h>

#define NRD_DRIVER(name, is_auto) extern const nrd_driver_t nrd_driver_##name;
#include "runtime/driver/drivers.def"
#undef NRD_DRIVER

static const struct {
  const nrd_driver_t *driver;
  int is_auto;
} drivers[] = {
#define NRD_DRIVER(name, is_auto) {&nrd_driver_##name, is_auto},
#include "runtime/driver/drivers.def"
#undef NRD_DRIVER
};
enum { DRIVER_COUNT = sizeof drivers / sizeof *drivers };

static const nrd_driver_t *find_driver(const char *name, size_t size) {
  for (int i = 0; i < DRIVER_COUNT; ++i)
    if (strlen(drivers[i].driver->name) == size &&
        !memcmp(drivers[i].driver->name, name, size))
      return drivers[i].driver;
  return NULL;
}

static nrd_status_t open_driver(const nrd_driver_t *driver,
                                const char *argument,
                                const nrd_device_options_t *options,
                                nrd_device_t **out_device) {
  nrd_allocator_t allocator = nrd_allocator_or_default(options->allocator);
  nrd_device_t *device = NULL;
  NRD_TRY(driver->open(argument, options, &allocator, &device));
  device->driver = driver;
  device->allocator = allocator;
  if (options->scratch)
    device->scratch = *options->scratch;
  atomic_init(&device->references, 1);
  nrd_log(NRD_LOG_DECISION, "opened %s: %s", device->name, device->description);
  *out_device = device;
  return NRD_OK;
}

static nrd_status_t open_auto(const nrd_device_options_t *options,
                              nrd_device_t **out_device) {
  nrd_status_t status = NRD_UNAVAILABLE;
  for (int i = 0; i < DRIVER_COUNT; ++i) {
    if (!drivers[i].is_auto)
      continue;
    status = open_driver(drivers[i].driver, NULL, options, out_device);
    if (status == NRD_OK)
      break;
    nrd_log(NRD_LOG_DECISION, "auto: no %s: %s", drivers[i].driver->name,
            nrd_error_message());
  }
  return status;
}

static nrd_status_t open_named(const char *name,
                               const nrd_device_options_t *options,
                               nrd_device_t **out_device) {
  size_t size = strcspn(name, ":");
  const nrd_driver_t *driver = find_driver(name, size);
  if (!driver)
    return nrd_fail(NRD_NOT_FOUND,
                    "no device '%.60s'; write auto, cuda:N, hip:N, cpu, "
                    "interpret or null",
                    name);
  return open_driver(driver, name[size] ? name + size + 1 : NULL, options,
                     out_device);
}

nrd_status_t nrd_device_open_plain(const char *name,
                                   const nrd_device_options_t *options,
                                   nrd_device_t **out_device) {
  return strcmp(name, "auto") ? open_named(name, options, out_device)
                              : open_auto(options, out_device);
}

nrd_status_t nrd_device_open_with(const char *name,
                                  const nrd_device_options_t *options,
                                  nrd_device_t **out_device) {
  NRD_NEED(name);
  NRD_NEED(out_device);
  uint64_t begin = nrd_trace_begin();
  nrd_device_options_t given = NRD_DEVICE_OPTIONS_INIT;
  if (options) {
    if (options->size < sizeof(size_t))
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "nrd_device_options_t: 'size' is not set; start from "
                      "NRD_DEVICE_OPTIONS_INIT");
    memcpy(&given, options,
           options->size < sizeof given ? options->size : sizeof given);
  }
  const char *chosen = name;
  if (!strcmp(name, "auto")) {
    const char *environment = getenv("NRD_DEVICE");
    if (environment && *environment)
      chosen = environment;
  }
  const char *interpret = getenv("NRD_INTERPRET");
  nrd_status_t status;
  if (interpret && *interpret && strcmp(interpret, "0") &&
      strncmp(chosen, "interpret", 9))
    status =
        open_driver(find_driver("interpret", 9), chosen, &given, out_device);
  else
    status = nrd_device_open_plain(chosen, &given, out_device);
  if (status != NRD_OK && chosen != name)
    nrd_fail(status, "NRD_DEVICE asks for '%.60s': %s", chosen,
             nrd_error_message());
  nrd_trace_end(begin, "device", chosen);
  return status;
}

nrd_status_t nrd_device_open(const char *name, nrd_device_t **out_device) {
  return nrd_device_open_with(name, NULL, out_device);
}

void nrd_device_retain(nrd_device_t *device) {
  atomic_fetch_add_explicit(&device->references, 1, memory_order_relaxed);
}

void nrd_device_close(nrd_device_t *device) {
  if (device && atomic_fetch_sub_explicit(&device->references, 1,
                                          memory_order_acq_rel) == 1)
    device->driver->close(device);
}

uint32_t nrd_device_count(const char *name) {
  const nrd_driver_t *driver = name ? find_driver(name, strlen(name)) : NULL;
  if (!driver)
    return 0;
  return driver->count ? driver->count() : 1;
}

const char *nrd_device_name(const nrd_device_t *device) { return device->name; }

const char *nrd_device_description(const nrd_device_t *device) {
  return device->description;
}

const char *nrd_device_target(const nrd_device_t *device) {
  return device->target;
}

int nrd_device_accepts(const nrd_device_t *device, const char *target) {
  if (!device || !target)
    return 0;
  return !device->target[0] ||
         nrd_target_rank(device->target, target, NULL) != 0;
}

void *nrd_device_context(const nrd_device_t *device) {
  return device->driver->context ? device->driver->context(device) : NULL;
}

void nrd_device_set_threads(nrd_device_t *device, uint32_t count) {
  if (device && device->driver->set_threads)
    device->driver->set_threads(device, count);
}

uint32_t nrd_device_threads(const nrd_device_t *device) {
  return device->driver->threads ? device->driver->threads(device) : 1;
}

nrd_status_t nrd_device_synchronize(nrd_device_t *device) {
  NRD_NEED(device);
  return device->driver->synchronize ? device->driver->synchronize(device)
                                     : NRD_OK;
}

nrd_status_t nrd_stream_synchronize(nrd_device_t *device, void *stream) {
  NRD_NEED(device);
  return device->driver->stream_synchronize
             ? device->driver->stream_synchronize(device, stream)
             : NRD_OK;
}

nrd_status_t nrd_stream_create(nrd_device_t *device, void **out_stream) {
  NRD_NEED(device);
  NRD_NEED(out_stream);
  if (device->driver->stream_create)
    return device->driver->stream_create(device, out_stream);
  *out_stream = NULL;
  return NRD_OK;
}

void nrd_stream_destroy(nrd_device_t *device, void *stream) {
  if (device && stream && device->driver->stream_destroy)
    device->driver->stream_destroy(device, stream);
}

//===-- Memory ------------------------------------------------------------===//

nrd_status_t nrd_buffer_alloc(nrd_device_t *device, size_t size,
                              void **out_pointer) {
  NRD_NEED(device);
  NRD_NEED(out_pointer);
  if (!size)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "nrd_buffer_alloc: a buffer has at least one byte");
  return device->driver->alloc(device, size, out_pointer);
}

void nrd_buffer_free(nrd_device_t *device, void *pointer) {
  if (device && pointer)
    device->driver->free(device, pointer);
}

static nrd_status_t copy(nrd_device_t *device, void *to, const void *from,
                         size_t size, int to_is_host, int from_is_host) {
  NRD_NEED(device);
  if (!size)
    return NRD_OK;
  NRD_NEED(to);
  NRD_NEED(from);
  return device->driver->copy(device, to, from, size, to_is_host, from_is_host);
}

nrd_status_t nrd_buffer_copy_to_device(nrd_device_t *device, void *to,
                                       const void *from_host, size_t size) {
  return copy(device, to, from_host, size, 0, 1);
}

nrd_status_t nrd_buffer_copy_to_host(nrd_device_t *device, void *to_host,
                                     const void *from, size_t size) {
  return copy(device, to_host, from, size, 1, 0);
}

nrd_status_t nrd_buffer_copy(nrd_device_t *device, void *to, const void *from,
                             size_t size) {
  return copy(device, to, from, size, 0, 0);
}

nrd_status_t nrd_buffer_fill(nrd_device_t *device, void *to, uint8_t value,
                             size_t size) {
  NRD_NEED(device);
  if (!size)
    return NRD_OK;
  NRD_NEED(to);
  return device->driver->fill(device, to, value, size);
}

uint32_t nrd_version(void) {
  return NRD_VERSION_MAJOR * 10000 + NRD_VERSION_MINOR * 100 +
         NRD_VERSION_PATCH;
}
