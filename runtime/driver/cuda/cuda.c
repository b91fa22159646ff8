// runtime/driver/cuda/cuda.c - NVIDIA GPUs, through libcuda opened by name.
//
// Images go through the library API, which belongs to no context; the function
// of this device's context is fetched once when a variant is bound. A launch is
// one cuLaunchKernelEx with the packed parameters in one buffer. Every call
// makes the device's context current for its duration if it is not.

#include "runtime/driver/cuda/api.h"
#include "runtime/driver/driver.h"
#include "runtime/dylib.h"
#include "runtime/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

//===-- The library -------------------------------------------------------===//

static struct {
#define NRD_CUDA_FN(required, symbol, name, parameters)                        \
  cu_result_t(*name) parameters;
#include "runtime/driver/cuda/cuda_api.def"
#undef NRD_CUDA_FN
} cu;

static const char symbols[] =
#define NRD_CUDA_FN(required, symbol, name, parameters) required #symbol "\0"
#include "runtime/driver/cuda/cuda_api.def"
#undef NRD_CUDA_FN
    ;

static int driver_version; // 12040 is 12.4

// "CUDA_ERROR_X: what it means", never NULL.
static const char *explain(cu_result_t result, char *text, size_t capacity) {
  const char *name = NULL, *meaning = NULL;
  cu.get_error_name(result, &name);
  cu.get_error_string(result, &meaning);
  snprintf(text, capacity, "%s: %s", name ? name : "CUDA error",
           meaning ? meaning : "unknown");
  return text;
}

NRD_COLD static nrd_status_t fail(const nrd_device_t *device,
                                  cu_result_t result, const char *what) {
  char text[200];
  nrd_status_t status = result == NRD_CU_OUT_OF_MEMORY ? NRD_OUT_OF_MEMORY
                        : result == NRD_CU_ASSERT      ? NRD_KERNEL_FAILED
                                                       : NRD_DRIVER_ERROR;
  const char *advice = "";
  if (result >= NRD_CU_CAPTURE_UNSUPPORTED && result <= NRD_CU_CAPTURE_IMPLICIT)
    advice = "; before capturing a graph, call nrd_kernel_preload and bind";
  return nrd_fail(status, "%s: %s failed: %s%s", device->name, what,
                  explain(result, text, sizeof text), advice);
}

static nrd_status_t load_library(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static nrd_dylib_t library; // stays open: the driver does not like to leave
  static int is_ready;
  static const char *const names[] = {"libcuda.so.1", "libcuda.so", NULL};
  nrd_status_t status = NRD_OK;
  pthread_mutex_lock(&lock);
  if (!library.handle)
    status =
        nrd_dylib_open(names, symbols, &cu,
                       "libcuda, the NVIDIA driver (12.0 or later)", &library);
  if (status == NRD_OK && !is_ready) {
    cu_result_t result = cu.init(0);
    char text[200];
    if (result == NRD_CU_NO_DEVICE)
      status = nrd_fail(NRD_NOT_FOUND, "there is no NVIDIA GPU here");
    else if (result)
      status = nrd_fail(NRD_UNAVAILABLE, "the NVIDIA driver cannot start: %s",
                        explain(result, text, sizeof text));
    else
      is_ready = cu.driver_version(&driver_version) == NRD_CU_SUCCESS;
  }
  pthread_mutex_unlock(&lock);
  return status;
}

//===-- Device ------------------------------------------------------------===//

typedef struct cuda_device_t {
  nrd_device_t base;
  cu_context_t context;
  cu_device_t device;
  int owns_primary;
  int shared_limit; // bytes per block, after opting in
  int capability;   // 90
  int can_cooperate;
} cuda_device_t;

static cuda_device_t *cuda_of(const nrd_device_t *device) {
  return (cuda_device_t *)(uintptr_t)device;
}

// Makes the context current; |out_pushed| says whether leave() has to undo it.
static inline cu_result_t enter(const cuda_device_t *cuda, int *out_pushed) {
  cu_context_t current = NULL;
  *out_pushed = 0;
  cu.context_get(&current);
  if (NRD_LIKELY(current == cuda->context))
    return NRD_CU_SUCCESS;
  cu_result_t result = cu.context_push(cuda->context);
  *out_pushed = result == NRD_CU_SUCCESS;
  return result;
}

static inline void leave(int pushed) {
  cu_context_t ours;
  if (pushed)
    cu.context_pop(&ours);
}

static uint32_t count_devices(void) {
  int count = 0;
  if (load_library() != NRD_OK || cu.device_count(&count))
    return 0;
  return count > 0 ? (uint32_t)count : 0;
}

static int attribute(const cuda_device_t *cuda, int which) {
  int value = 0;
  cu.device_attribute(&value, which, cuda->device);
  return value;
}

// The device behind the application's context.
static nrd_status_t wrap_context(cuda_device_t *cuda, void *context) {
  cu_context_t ours;
  cuda->context = context;
  cu_result_t result = cu.context_push(context);
  if (!result) {
    result = cu.context_device(&cuda->device);
    cu.context_pop(&ours);
  }
  char text[200];
  if (result)
    return nrd_fail(NRD_INVALID_ARGUMENT, "cuda: this is not a CUcontext: %s",
                    explain(result, text, sizeof text));
  return NRD_OK;
}

static nrd_status_t open_ordinal(cuda_device_t *cuda, unsigned long ordinal) {
  int count = 0;
  char text[200];
  cu_result_t result = cu.device_count(&count);
  if (!result && ordinal >= (unsigned long)count)
    return nrd_fail(NRD_NOT_FOUND, "there is no cuda:%lu; %d device%s here",
                    ordinal, count, count == 1 ? " is" : "s are");
  if (!result)
    result = cu.device_get(&cuda->device, (int)ordinal);
  if (!result)
    result = cu.primary_retain(&cuda->context, cuda->device);
  if (result)
    return nrd_fail(NRD_DRIVER_ERROR, "cannot open cuda:%lu: %s", ordinal,
                    explain(result, text, sizeof text));
  cuda->owns_primary = 1;
  return NRD_OK;
}

static void describe(cuda_device_t *cuda) {
  nrd_device_t *device = &cuda->base;
  cuda->capability = attribute(cuda, NRD_CU_DEVICE_CAPABILITY_MAJOR) * 10 +
                     attribute(cuda, NRD_CU_DEVICE_CAPABILITY_MINOR);
  cuda->shared_limit =
      attribute(cuda, NRD_CU_DEVICE_MAX_SHARED_PER_BLOCK_OPTIN);
  if (!cuda->shared_limit)
    cuda->shared_limit = attribute(cuda, NRD_CU_DEVICE_MAX_SHARED_PER_BLOCK);
  cuda->can_cooperate = attribute(cuda, NRD_CU_DEVICE_COOPERATIVE_LAUNCH);
  snprintf(device->name, sizeof device->name, "cuda:%d", cuda->device);
  // The chip itself runs its own "a" code, so its word has no suffix.
  snprintf(device->target, sizeof device->target, "sm_%d", cuda->capability);
  if (cu.device_name(device->model, (int)sizeof device->model - 1,
                     cuda->device))
    snprintf(device->model, sizeof device->model, "NVIDIA GPU");
  snprintf(device->description, sizeof device->description,
           "%s, %s, CUDA %d.%d", device->model, device->target,
           driver_version / 1000, driver_version % 1000 / 10);
}

static nrd_status_t open_cuda(const char *argument,
                              const nrd_device_options_t *options,
                              const nrd_allocator_t *allocator,
                              nrd_device_t **out_device) {
  char *end = NULL;
  unsigned long ordinal = argument ? strtoul(argument, &end, 10) : 0;
  if (argument && (end == argument || *end || ordinal > 4095))
    return nrd_fail(NRD_NOT_FOUND, "no device 'cuda:%.40s'; write cuda:0",
                    argument);
  NRD_TRY(load_library());
  cuda_device_t *cuda = nrd_alloc(allocator, 1, sizeof *cuda);
  if (!cuda)
    return nrd_fail_memory(sizeof *cuda, "a device");
  nrd_status_t status = options->context ? wrap_context(cuda, options->context)
                                         : open_ordinal(cuda, ordinal);
  if (status == NRD_OK && options->context && argument &&
      cuda->device != (int)ordinal)
    status = nrd_fail(NRD_INVALID_ARGUMENT,
                      "the context is of cuda:%d, not of cuda:%lu",
                      cuda->device, ordinal);
  if (status != NRD_OK) {
    nrd_free(allocator, cuda);
    return status;
  }
  describe(cuda);
  *out_device = &cuda->base;
  return NRD_OK;
}

static void close_cuda(nrd_device_t *device) {
  cuda_device_t *cuda = cuda_of(device);
  nrd_allocator_t allocator = device->allocator;
  if (cuda->owns_primary)
    cu.primary_release(cuda->device);
  nrd_free(&allocator, cuda);
}

static void *get_context(const nrd_device_t *device) {
  return cuda_of(device)->context;
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
  const cuda_device_t *cuda = cuda_of(device);
  if (image->shared_size > (uint32_t)cuda->shared_limit)
    REFUSE("it needs %u bytes of shared memory and %s has %d",
           image->shared_size, device->model, cuda->shared_limit);
  if (image->min_driver > (uint32_t)driver_version)
    REFUSE("it needs CUDA %u.%u or later and the driver is %d.%d",
           image->min_driver / 1000, image->min_driver % 1000 / 10,
           driver_version / 1000, driver_version % 1000 / 10);
  if (image->cluster[0] * image->cluster[1] * image->cluster[2] > 1 &&
      cuda->capability < 90)
    REFUSE("it needs thread block clusters, which %s lacks", device->target);
  if (image->has_tensor_maps &&
      !(cu.encode_tiled && cu.replace_address && cu.function_parameter))
    REFUSE("it needs tensor maps, for which the driver is too old (CUDA 12.4)");
  if (image->cooperative && !cuda->can_cooperate)
    REFUSE("it needs cooperative launches, which %s lacks", device->model);
  return 1;
}

static int is_ptx(const nrd_image_t *image) {
  return !strncmp(image->target, "ptx_", 4);
}

// The driver may compile PTX as late as the first question about its functions,
// and writes its log then, so what it writes to stays with the library.
struct nrd_module_t {
  cu_library_t library;
  nrd_allocator_t allocator;
  int options[2];
  void *values[2];
  char log[512];
  char version[16]; // of PTX: ".version 8.0"
};

// The driver's verdict on an image whose hash was right: not damaged, but not
// for this driver or chip.
static nrd_status_t fail_load(const nrd_device_t *device,
                              const nrd_image_t *image,
                              const nrd_module_t *module, cu_result_t result,
                              const char *what) {
  char text[200];
  switch (result) {
  case NRD_CU_INVALID_IMAGE:
  case NRD_CU_NO_BINARY_FOR_GPU:
  case NRD_CU_INVALID_PTX:
  case NRD_CU_JIT_COMPILER_NOT_FOUND:
  case NRD_CU_UNSUPPORTED_PTX_VERSION:
  case NRD_CU_JIT_COMPILATION_DISABLED:
    break;
  default:
    return fail(device, result, what);
  }
  return nrd_fail(NRD_INCOMPATIBLE,
                  "%s does not take the %s image of kernel '%s'%s%s "
                  "(CUDA %d.%d): %s%s%.300s",
                  device->description, image->target, image->kernel,
                  module->version[0] ? ", PTX " : "", module->version,
                  driver_version / 1000, driver_version % 1000 / 10,
                  explain(result, text, sizeof text),
                  module->log[0] ? "; " : "", module->log);
}

static nrd_status_t load(nrd_device_t *device, const nrd_image_t *image,
                         const void *bytes, size_t size,
                         nrd_module_t **out_module) {
  const cuda_device_t *cuda = cuda_of(device);
  int needs_text = is_ptx(image);
  if (!needs_text && (size < 64 || memcmp(bytes, "\177ELF", 4)))
    // The driver reads a cubin's size from the cubin itself.
    return nrd_fail(NRD_CORRUPT, "the %s image of kernel '%s' is no cubin",
                    image->target, image->kernel);
  nrd_module_t *module = nrd_alloc(&device->allocator, 1, sizeof *module);
  if (!module)
    return nrd_fail_memory(sizeof *module, "a module");
  module->allocator = device->allocator;
  char *text = NULL;
  if (needs_text) { // must end with NUL, and blobs do not
    text = nrd_alloc_raw(&device->allocator, size + 1);
    if (!text) {
      nrd_free(&device->allocator, module);
      return nrd_fail_memory(size + 1, "PTX");
    }
    memcpy(text, bytes, size);
    text[size] = 0;
    bytes = text;
    const char *version = strstr(text, ".version");
    if (version)
      snprintf(module->version, sizeof module->version, "%.14s", version);
    module->version[strcspn(module->version, "\r\n")] = 0;
  }
  module->options[0] = NRD_CU_JIT_ERROR_LOG;
  module->options[1] = NRD_CU_JIT_ERROR_LOG_SIZE;
  module->values[0] = module->log;
  module->values[1] = (void *)(uintptr_t)(sizeof module->log - 1);
  int pushed;
  cu_result_t result = enter(cuda, &pushed);
  if (!result)
    result = cu.library_load(&module->library, bytes, module->options,
                             module->values, text ? 2 : 0, NULL, NULL, 0);
  leave(pushed);
  nrd_free(&device->allocator, text);
  if (!result) {
    *out_module = module;
    return NRD_OK;
  }
  nrd_status_t status =
      fail_load(device, image, module, result, "cuLibraryLoadData");
  nrd_free(&device->allocator, module);
  return status;
}

static void unload(nrd_device_t *device, nrd_module_t *module) {
  int pushed;
  if (!enter(cuda_of(device), &pushed))
    cu.library_unload(module->library);
  leave(pushed);
  nrd_free(&device->allocator, module);
}

static nrd_status_t set_up(nrd_device_t *device, nrd_module_t *module,
                           const nrd_image_t *image,
                           cu_function_t *out_function) {
  cu_kernel_t kernel = NULL;
  cu_result_t result =
      cu.library_kernel(&kernel, module->library, image->symbol);
  if (result == NRD_CU_NOT_FOUND)
    return nrd_fail(NRD_CORRUPT,
                    "the %s image of kernel '%s' has no function '%.100s'",
                    image->target, image->kernel, image->symbol);
  if (result)
    return fail_load(device, image, module, result, "cuLibraryGetKernel");
  result = cu.kernel_function(out_function, kernel);
  if (result)
    return fail_load(device, image, module, result, "cuKernelGetFunction");
  // Otherwise the first launch loads, perhaps in the middle of a capture.
  if (cu.function_load)
    result = cu.function_load(*out_function);
  if (result)
    return fail_load(device, image, module, result, "cuFuncLoad");
  int most = 0;
  uint32_t threads = image->block[0] * image->block[1] * image->block[2];
  if (!cu.function_attribute(&most, NRD_CU_FUNCTION_MAX_THREADS_PER_BLOCK,
                             *out_function) &&
      threads > (uint32_t)most)
    return nrd_fail(NRD_INCOMPATIBLE,
                    "the %s image of kernel '%s' can run %d threads per block "
                    "here and needs %u",
                    image->target, image->kernel, most, threads);
  if (image->shared_size) {
    result = cu.function_set(*out_function, NRD_CU_FUNCTION_MAX_DYNAMIC_SHARED,
                             (int)image->shared_size);
    if (result)
      return nrd_fail(NRD_INCOMPATIBLE,
                      "%s refuses the %u bytes of shared memory that the %s "
                      "image of kernel '%s' needs",
                      device->model, image->shared_size, image->target,
                      image->kernel);
  }
  if (image->cluster[0] * image->cluster[1] * image->cluster[2] > 8) {
    result =
        cu.function_set(*out_function, NRD_CU_FUNCTION_NON_PORTABLE_CLUSTER, 1);
    if (result)
      return nrd_fail(NRD_INCOMPATIBLE,
                      "%s refuses the cluster size of the %s image of kernel "
                      "'%s'",
                      device->model, image->target, image->kernel);
  }
  return NRD_OK;
}

static nrd_status_t find_function(nrd_device_t *device, nrd_module_t *module,
                                  const nrd_image_t *image,
                                  void **out_function) {
  int pushed;
  cu_result_t result = enter(cuda_of(device), &pushed);
  if (result)
    return fail(device, result, "cuCtxPushCurrent");
  nrd_status_t status = set_up(device, module, image, out_function);
  leave(pushed);
  return status;
}

static int parameter(nrd_device_t *device, void *function, uint32_t index,
                     uint32_t *out_offset, uint32_t *out_size) {
  size_t offset, size;
  int pushed;
  if (!cu.function_parameter)
    return -1;
  cu_result_t result = enter(cuda_of(device), &pushed);
  if (!result)
    result = cu.function_parameter(function, index, &offset, &size);
  leave(pushed);
  if (result)
    return 0;
  *out_offset = (uint32_t)offset;
  *out_size = (uint32_t)size;
  return 1;
}

//===-- Launch ------------------------------------------------------------===//

// What launch reads of nrd_launch_t::driver_state.
typedef struct prepared_t {
  cu_launch_config_t config;
  cu_launch_attribute_t attributes[3];
  void *extra[5];
  size_t param_size;
} prepared_t;

_Static_assert(sizeof(prepared_t) <= sizeof((nrd_launch_t *)NULL)->driver_state,
               "the prepared launch fits");

static cu_launch_attribute_t *add_attribute(prepared_t *prepared, int id) {
  cu_launch_attribute_t *attribute =
      &prepared->attributes[prepared->config.attribute_count++];
  memset(attribute, 0, sizeof *attribute);
  attribute->id = id;
  return attribute;
}

static nrd_status_t prepare(nrd_launch_t *launch) {
  prepared_t *prepared = (prepared_t *)launch->driver_state;
  const nrd_image_t *image = launch->image;
  cu_launch_config_t *config = &prepared->config;
  memset(prepared, 0, sizeof *prepared);
  uint64_t blocks = (uint64_t)launch->grid[0] * image->num_ctas;
  if (blocks > NRD_MAX_GRID || launch->grid[1] > 65535 ||
      launch->grid[2] > 65535)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "kernel '%s': a grid of %u x %u x %u programs is more than "
                    "a GPU launches at once (2147483647 x 65535 x 65535)",
                    image->kernel, launch->grid[0], launch->grid[1],
                    launch->grid[2]);
  config->grid[0] = (unsigned)blocks;
  config->grid[1] = launch->grid[1];
  config->grid[2] = launch->grid[2];
  memcpy(config->block, image->block, sizeof config->block);
  config->shared_size = image->shared_size;
  config->attributes = prepared->attributes;
  if (image->cluster[0] * image->cluster[1] * image->cluster[2] > 1) {
    for (int d = 0; d < 3; ++d)
      if (config->grid[d] % image->cluster[d])
        return nrd_fail(NRD_INVALID_ARGUMENT,
                        "kernel '%s': a grid of %u x %u x %u blocks does not "
                        "divide into clusters of %u x %u x %u",
                        image->kernel, config->grid[0], config->grid[1],
                        config->grid[2], image->cluster[0], image->cluster[1],
                        image->cluster[2]);
    memcpy(add_attribute(prepared, NRD_CU_ATTRIBUTE_CLUSTER)->value.words,
           image->cluster, sizeof image->cluster);
  }
  if (image->pdl)
    add_attribute(prepared, NRD_CU_ATTRIBUTE_PROGRAMMATIC_SERIALIZATION)
        ->value.words[0] = 1;
  if (image->cooperative)
    add_attribute(prepared, NRD_CU_ATTRIBUTE_COOPERATIVE)->value.words[0] = 1;
  prepared->param_size = launch->param_size;
  prepared->extra[0] = (void *)NRD_CU_LAUNCH_BUFFER;
  prepared->extra[1] = launch->params;
  prepared->extra[2] = (void *)NRD_CU_LAUNCH_BUFFER_SIZE;
  prepared->extra[3] = &prepared->param_size;
  prepared->extra[4] = (void *)NRD_CU_LAUNCH_END;
  return NRD_OK;
}

// Function and stream belong to their context, whichever is current, and asking
// which one is takes as long as the rest of a launch here. Only the default
// streams (0, 1, 2) are those of the current context, and a driver that insists
// on it launches nothing and says so.
static nrd_status_t launch_cuda(nrd_launch_t *launch, void *stream) {
  prepared_t *prepared = (prepared_t *)launch->driver_state;
  // A copy: the call may be launched on several streams at once.
  cu_launch_config_t config = prepared->config;
  config.stream = stream;
  void **extra = prepared->param_size ? prepared->extra : NULL;
  if ((uintptr_t)stream > 2) {
    cu_result_t result = cu.launch(&config, launch->function, NULL, extra);
    if (NRD_LIKELY(!result))
      return NRD_OK;
    if (result != NRD_CU_INVALID_CONTEXT && result != NRD_CU_INVALID_HANDLE)
      return fail(launch->device, result, launch->image->kernel);
  }
  int pushed;
  cu_result_t result = enter(cuda_of(launch->device), &pushed);
  if (!result)
    result = cu.launch(&config, launch->function, NULL, extra);
  leave(pushed);
  return result ? fail(launch->device, result, launch->image->kernel) : NRD_OK;
}

//===-- Tensor maps -------------------------------------------------------===//

// Drivers up to 13.1 set a bit that makes tensors below 128 KiB slow; CUTLASS
// and Triton clear it in the same way.
static void mend_small_map(const nrd_tensor_map_t *recipe, const int64_t *shape,
                           const int64_t *strides, void *map) {
  uint64_t last = 0;
  for (uint32_t d = 0; d < recipe->rank; ++d)
    last += (uint64_t)(shape[d] - 1) * (uint64_t)strides[d];
  if (driver_version > 13010 || (last + 1) * recipe->element_size >= 128 * 1024)
    return;
  uint64_t word;
  memcpy(&word, (char *)map + 8, 8);
  word &= ~(UINT64_C(1) << 21);
  memcpy((char *)map + 8, &word, 8);
}

static nrd_status_t encode_tensor_map(nrd_device_t *device,
                                      const nrd_tensor_map_t *recipe,
                                      const void *base, const int64_t *shape,
                                      const int64_t *strides, int moved,
                                      void *out_map) {
  _Alignas(64) char map[128]; // the driver asks for it; the block cannot
  void *address = (void *)(uintptr_t)base;
  uint64_t dims[NRD_MAX_TENSOR_MAP_RANK], steps[NRD_MAX_TENSOR_MAP_RANK];
  uint32_t ones[NRD_MAX_TENSOR_MAP_RANK];
  int pushed;
  cu_result_t result = enter(cuda_of(device), &pushed); // or it is refused
  if (result) {
    // Said below.
  } else if (moved) {
    memcpy(map, out_map, sizeof map);
    result = cu.replace_address(map, address);
  } else {
    uint32_t rank = recipe->rank;
    for (uint32_t d = 0; d < rank; ++d) { // the driver counts from the fastest
      dims[d] = (uint64_t)shape[rank - 1 - d];
      steps[d] = (uint64_t)strides[rank - 1 - d] * recipe->element_size;
      ones[d] = 1;
    }
    result = cu.encode_tiled(map, recipe->element_type, rank, address, dims,
                             steps + 1, recipe->box, ones, recipe->interleave,
                             recipe->swizzle, recipe->l2_promotion,
                             recipe->oob_fill);
  }
  leave(pushed);
  if (result)
    return fail(device, result,
                moved ? "cuTensorMapReplaceAddress" : "cuTensorMapEncodeTiled");
  mend_small_map(recipe, shape, strides, map);
  memcpy(out_map, map, sizeof map);
  return NRD_OK;
}

//===-- Memory and streams ------------------------------------------------===//

// Runs |call| with the context current and returns from the function.
#define WITH_CONTEXT(device, call, what)                                       \
  do {                                                                         \
    int pushed;                                                                \
    cu_result_t result = enter(cuda_of(device), &pushed);                      \
    if (!result)                                                               \
      result = call;                                                           \
    leave(pushed);                                                             \
    return result ? fail(device, result, what) : NRD_OK;                       \
  } while (0)

static nrd_status_t alloc(nrd_device_t *device, size_t size,
                          void **out_pointer) {
  cu_address_t address = 0;
  int pushed;
  cu_result_t result = enter(cuda_of(device), &pushed);
  if (!result)
    result = cu.mem_alloc(&address, size);
  leave(pushed);
  if (result)
    return fail(device, result, "cuMemAlloc");
  *out_pointer = (void *)(uintptr_t)address;
  return NRD_OK;
}

static void free_memory(nrd_device_t *device, void *pointer) {
  int pushed;
  if (!enter(cuda_of(device), &pushed))
    cu.mem_free((uintptr_t)pointer);
  leave(pushed);
}

static cu_result_t copy_in_context(void *to, const void *from, size_t size,
                                   int to_is_host, int from_is_host) {
  cu_result_t result = cu.context_synchronize();
  if (result)
    return result;
  if (from_is_host)
    return cu.copy_to_device((uintptr_t)to, from, size);
  if (to_is_host)
    return cu.copy_to_host(to, (uintptr_t)from, size);
  result = cu.copy((uintptr_t)to, (uintptr_t)from, size);
  return result ? result : cu.context_synchronize();
}

static nrd_status_t copy(nrd_device_t *device, void *to, const void *from,
                         size_t size, int to_is_host, int from_is_host) {
  WITH_CONTEXT(device,
               copy_in_context(to, from, size, to_is_host, from_is_host),
               "a copy");
}

static cu_result_t fill_in_context(void *to, uint8_t value, size_t size) {
  cu_result_t result = cu.context_synchronize();
  if (!result)
    result = cu.fill((uintptr_t)to, value, size);
  return result ? result : cu.context_synchronize();
}

static nrd_status_t fill(nrd_device_t *device, void *to, uint8_t value,
                         size_t size) {
  WITH_CONTEXT(device, fill_in_context(to, value, size), "cuMemsetD8");
}

static nrd_status_t synchronize(nrd_device_t *device) {
  WITH_CONTEXT(device, cu.context_synchronize(), "work on the device");
}

static nrd_status_t stream_synchronize(nrd_device_t *device, void *stream) {
  WITH_CONTEXT(device, cu.stream_synchronize(stream), "work on the stream");
}

static nrd_status_t stream_create(nrd_device_t *device, void **out_stream) {
  WITH_CONTEXT(device, cu.stream_create(out_stream, NRD_CU_STREAM_NON_BLOCKING),
               "cuStreamCreate");
}

static void stream_destroy(nrd_device_t *device, void *stream) {
  int pushed;
  if (!enter(cuda_of(device), &pushed))
    cu.stream_destroy(stream);
  leave(pushed);
}

const nrd_driver_t nrd_driver_cuda = {
    .name = "cuda",
    .count = count_devices,
    .open = open_cuda,
    .close = close_cuda,
    .suits = suits,
    .load = load,
    .unload = unload,
    .function = find_function,
    .parameter = parameter,
    .prepare = prepare,
    .launch = launch_cuda,
    .encode_tensor_map = encode_tensor_map,
    .alloc = alloc,
    .free = free_memory,
    .copy = copy,
    .fill = fill,
    .synchronize = synchronize,
    .stream_synchronize = stream_synchronize,
    .stream_create = stream_create,
    .stream_destroy = stream_destroy,
    .context = get_context,
    .dlpack_types = {2, 3, 13}, // CUDA, its host memory, managed memory
};
