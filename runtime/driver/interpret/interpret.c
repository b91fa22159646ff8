// runtime/driver/interpret/interpret.c - the debugging interpreter, a plug-in
// opened by name like a vendor's library.
//
// Memory and streams are those of the device below: "interpret:cuda:0", or what
// the application asked for under NRD_INTERPRET=1; "interpret" alone stands on
// the CPU. Before a launch the stream is waited for, so that the interpreter
// sees what was queued before.

#include "nereid/interpreter.h"
#include "runtime/device.h"
#include "runtime/dylib.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef struct buffer_t {
  struct buffer_t *next;
  uint64_t base;
  uint64_t size;
} buffer_t;

typedef struct interpret_device_t {
  nrd_device_t base;
  nrd_device_t *below;
  void (*print)(void *context, const char *line);
  void *print_context;
  pthread_mutex_t lock;
  buffer_t *buffers; // made by alloc
} interpret_device_t;

// An nrd_module_t is the plug-in's nrd_interpreter_kernel_t.

static interpret_device_t *own_of(const nrd_device_t *device) {
  return (interpret_device_t *)(uintptr_t)device;
}

static nrd_device_t *below(const nrd_device_t *device) {
  return own_of(device)->below;
}

//===-- The plug-in -------------------------------------------------------===//

static const nrd_interpreter_t *(*get_interpreter)(uint32_t abi);
static const nrd_interpreter_t *interpreter;

static nrd_status_t load_plugin(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static nrd_dylib_t library;
  static const char *const names[] = {"libnereid_interpret.so", NULL};
  nrd_status_t status = NRD_OK;
  pthread_mutex_lock(&lock);
  if (!library.handle)
    status = nrd_dylib_open(names, "!nrd_interpreter_get\0", &get_interpreter,
                            "the interpreter, libnereid_interpret", &library);
  if (status == NRD_OK && !interpreter) {
    interpreter = get_interpreter(NRD_INTERPRETER_ABI);
    if (interpreter && interpreter->abi != NRD_INTERPRETER_ABI)
      interpreter = NULL;
    if (!interpreter)
      status = nrd_fail(NRD_UNAVAILABLE,
                        "the interpreter that is installed is of another "
                        "version of nereid");
  }
  pthread_mutex_unlock(&lock);
  return status;
}

//===-- Device ------------------------------------------------------------===//

static nrd_status_t open_interpret(const char *argument,
                                   const nrd_device_options_t *options,
                                   const nrd_allocator_t *allocator,
                                   nrd_device_t **out_device) {
  NRD_TRY(load_plugin());
  interpret_device_t *own = nrd_alloc(allocator, 1, sizeof *own);
  if (!own)
    return nrd_fail_memory(sizeof *own, "a device");
  nrd_status_t status =
      nrd_device_open_plain(argument ? argument : "cpu", options, &own->below);
  if (status != NRD_OK) {
    nrd_free(allocator, own);
    return status;
  }
  pthread_mutex_init(&own->lock, NULL);
  own->print = options->print;
  own->print_context = options->print_context;
  nrd_device_t *device = &own->base;
  snprintf(device->name, sizeof device->name, "interpret%s%.28s",
           argument ? ":" : "", argument ? own->below->name : "");
  snprintf(device->target, sizeof device->target, "tt");
  snprintf(device->model, sizeof device->model, "interpreter");
  snprintf(device->description, sizeof device->description,
           "interpreter, memory of %.150s", own->below->description);
  *out_device = device;
  return NRD_OK;
}

static void close_interpret(nrd_device_t *device) {
  interpret_device_t *own = own_of(device);
  nrd_allocator_t allocator = device->allocator;
  while (own->buffers) {
    buffer_t *next = own->buffers->next;
    nrd_free(&allocator, own->buffers);
    own->buffers = next;
  }
  nrd_device_close(own->below);
  pthread_mutex_destroy(&own->lock);
  nrd_free(&allocator, own);
}

static void *get_context(const nrd_device_t *device) {
  return nrd_device_context(below(device));
}

//===-- Memory and streams ------------------------------------------------===//

static nrd_status_t alloc(nrd_device_t *device, size_t size,
                          void **out_pointer) {
  interpret_device_t *own = own_of(device);
  buffer_t *buffer = nrd_alloc(&device->allocator, 1, sizeof *buffer);
  if (!buffer)
    return nrd_fail_memory(sizeof *buffer, "a buffer's record");
  nrd_status_t status = nrd_buffer_alloc(own->below, size, out_pointer);
  if (status != NRD_OK) {
    nrd_free(&device->allocator, buffer);
    return status;
  }
  buffer->base = (uintptr_t)*out_pointer;
  buffer->size = size;
  pthread_mutex_lock(&own->lock);
  buffer->next = own->buffers;
  own->buffers = buffer;
  pthread_mutex_unlock(&own->lock);
  return NRD_OK;
}

static void free_memory(nrd_device_t *device, void *pointer) {
  interpret_device_t *own = own_of(device);
  buffer_t *freed = NULL;
  pthread_mutex_lock(&own->lock);
  for (buffer_t **link = &own->buffers; *link; link = &(*link)->next)
    if ((*link)->base == (uintptr_t)pointer) {
      freed = *link;
      *link = freed->next;
      break;
    }
  pthread_mutex_unlock(&own->lock);
  nrd_free(&device->allocator, freed);
  nrd_buffer_free(own->below, pointer);
}

static nrd_status_t copy(nrd_device_t *device, void *to, const void *from,
                         size_t size, int to_is_host, int from_is_host) {
  nrd_device_t *under = below(device);
  return under->driver->copy(under, to, from, size, to_is_host, from_is_host);
}

static nrd_status_t fill(nrd_device_t *device, void *to, uint8_t value,
                         size_t size) {
  return nrd_buffer_fill(below(device), to, value, size);
}

static nrd_status_t synchronize(nrd_device_t *device) {
  return nrd_device_synchronize(below(device));
}

static nrd_status_t stream_synchronize(nrd_device_t *device, void *stream) {
  return nrd_stream_synchronize(below(device), stream);
}

static nrd_status_t stream_create(nrd_device_t *device, void **out_stream) {
  return nrd_stream_create(below(device), out_stream);
}

static void stream_destroy(nrd_device_t *device, void *stream) {
  nrd_stream_destroy(below(device), stream);
}

//===-- Kernels -----------------------------------------------------------===//

static nrd_status_t load(nrd_device_t *device, const nrd_image_t *image,
                         const void *bytes, size_t size,
                         nrd_module_t **out_module) {
  (void)device;
  char message[800] = "";
  nrd_interpreter_kernel_t *kernel = NULL;
  nrd_status_t status = interpreter->load(image->kernel, bytes, size, &kernel,
                                          message, sizeof message);
  if (status != NRD_OK)
    return nrd_fail(status, "%s", message);
  *out_module = (nrd_module_t *)kernel;
  return NRD_OK;
}

static void unload(nrd_device_t *device, nrd_module_t *module) {
  (void)device;
  interpreter->unload((nrd_interpreter_kernel_t *)module);
}

static nrd_status_t find_function(nrd_device_t *device, nrd_module_t *module,
                                  const nrd_image_t *image,
                                  void **out_function) {
  (void)device, (void)image;
  *out_function = module;
  return NRD_OK;
}

typedef struct host_t {
  nrd_interpreter_host_t host;
  interpret_device_t *own;
} host_t;

static nrd_status_t host_read(const nrd_interpreter_host_t *host, void *to,
                              uint64_t from, size_t size) {
  return nrd_buffer_copy_to_host(((const host_t *)host)->own->below, to,
                                 (const void *)(uintptr_t)from, size);
}

static nrd_status_t host_write(const nrd_interpreter_host_t *host, uint64_t to,
                               const void *from, size_t size) {
  return nrd_buffer_copy_to_device(((const host_t *)host)->own->below,
                                   (void *)(uintptr_t)to, from, size);
}

static int host_find_buffer(const nrd_interpreter_host_t *host,
                            uint64_t address, uint64_t *out_base,
                            uint64_t *out_size) {
  interpret_device_t *own = ((const host_t *)host)->own;
  int found = 0;
  pthread_mutex_lock(&own->lock);
  for (const buffer_t *b = own->buffers; b && !found; b = b->next)
    if (address >= b->base && address - b->base < b->size) {
      *out_base = b->base;
      *out_size = b->size;
      found = 1;
    }
  pthread_mutex_unlock(&own->lock);
  return found;
}

static void host_print(const nrd_interpreter_host_t *host, const char *line) {
  const interpret_device_t *own = ((const host_t *)host)->own;
  if (own->print)
    own->print(own->print_context, line);
  else
    printf("%s\n", line);
}

static nrd_status_t launch_interpreter(nrd_launch_t *launch, void *stream) {
  interpret_device_t *own = own_of(launch->device);
  NRD_TRY(nrd_stream_synchronize(own->below, stream));
  host_t host = {{host_read, host_write, host_find_buffer, host_print}, own};
  char message[1200] = "";
  nrd_status_t status = interpreter->launch(
      launch->function, &host.host, launch->params,
      launch->param_size / 8, launch->grid, message, sizeof message);
  return status == NRD_OK ? NRD_OK : nrd_fail(status, "%s", message);
}

const nrd_driver_t nrd_driver_interpret = {
    .name = "interpret",
    .open = open_interpret,
    .close = close_interpret,
    .load = load,
    .unload = unload,
    .function = find_function,
    .launch = launch_interpreter,
    .alloc = alloc,
    .free = free_memory,
    .copy = copy,
    .fill = fill,
    .synchronize = synchronize,
    .stream_synchronize = stream_synchronize,
    .stream_create = stream_create,
    .stream_destroy = stream_destroy,
    .context = get_context,
    .runs_ir = 1,
};
