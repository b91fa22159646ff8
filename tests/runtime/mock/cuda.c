// mock/cuda.c - a libcuda.so.1 that checks how it is called and runs nothing.
//
// Two GPUs of MOCK_CUDA_CAPABILITY (90) under driver MOCK_CUDA_VERSION (12040).
// A "cubin" is "\177ELF" and then words: sm=90 function=add sizes=8,8,8,4
// threads=1024; PTX is any text with .version and .target.

#include "mock.h"
#include "runtime/driver/cuda/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) mock_state_t mock_state;

typedef struct context_t {
  int device;
  int is_alive;
} context_t;
static context_t primary[2] = {{0, 0}, {1, 0}};
__attribute__((visibility("default"))) context_t mock_own_context = {1, 1};
static _Thread_local context_t *stack[16];
static _Thread_local int depth;
static int is_initialised;

typedef struct library_t {
  char text[600];
  cu_result_t verdict; // on PTX, which is compiled when a function is asked for
  char *log;
  size_t log_size;
} library_t;

#define API __attribute__((visibility("default")))
#define NEED_INIT                                                              \
  if (!is_initialised)                                                         \
  return 3
#define NEED_CONTEXT                                                           \
  if (!depth || !stack[depth - 1]->is_alive)                                   \
  return 201

static int setting(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text ? atoi(text) : otherwise;
}

// The number after "word=".
static int number(const char *text, const char *word, int otherwise) {
  const char *at = strstr(text, word);
  return at ? atoi(at + strlen(word)) : otherwise;
}

API cu_result_t cuGetErrorName(cu_result_t result, const char **name) {
  *name = result == 222   ? "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"
          : result == 209 ? "CUDA_ERROR_NO_BINARY_FOR_GPU"
          : result == 710 ? "CUDA_ERROR_ASSERT"
          : result == 900 ? "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"
                          : "CUDA_ERROR_MOCK";
  return 0;
}
API cu_result_t cuGetErrorString(cu_result_t result, const char **text) {
  static char buffer[40];
  snprintf(buffer, sizeof buffer, "mock error %d", result);
  *text = buffer;
  return 0;
}
API cu_result_t cuInit(unsigned flags) {
  int result = setting("MOCK_CUDA_INIT", 0);
  is_initialised = !result;
  return flags ? 1 : result;
}
API cu_result_t cuDriverGetVersion(int *version) {
  *version = setting("MOCK_CUDA_VERSION", 12040);
  return 0;
}
API cu_result_t cuDeviceGetCount(int *count) {
  NEED_INIT;
  *count = 2;
  return 0;
}
API cu_result_t cuDeviceGet(cu_device_t *device, int ordinal) {
  NEED_INIT;
  *device = ordinal;
  return ordinal >= 0 && ordinal < 2 ? 0 : 101;
}
API cu_result_t cuDeviceGetName(char *name, int size, cu_device_t device) {
  (void)device;
  snprintf(name, (size_t)size, "Mock GPU");
  return 0;
}
API cu_result_t cuDeviceGetAttribute(int *value, int attribute,
                                     cu_device_t device) {
  (void)device;
  int capability = setting("MOCK_CUDA_CAPABILITY", 90);
  *value = attribute == 75   ? capability / 10
           : attribute == 76 ? capability % 10
           : attribute == 8  ? 49152
           : attribute == 97 ? 232448
           : attribute == 95 ? 1
                             : 0;
  return 0;
}
API cu_result_t cuDevicePrimaryCtxRetain(cu_context_t *context,
                                         cu_device_t device) {
  NEED_INIT;
  ++mock_state.live_contexts;
  ++primary[device].is_alive;
  *context = &primary[device];
  return 0;
}
API cu_result_t cuDevicePrimaryCtxRelease_v2(cu_device_t device) {
  --mock_state.live_contexts;
  --primary[device].is_alive;
  return 0;
}
API cu_result_t cuCtxGetCurrent(cu_context_t *context) {
  *context = depth ? stack[depth - 1] : NULL;
  return 0;
}
API cu_result_t cuCtxPushCurrent_v2(cu_context_t context) {
  context_t *known = context;
  if (known != &primary[0] && known != &primary[1] &&
      known != &mock_own_context)
    return 201;
  ++mock_state.current_switches;
  stack[depth++] = known;
  return 0;
}
API cu_result_t cuCtxPopCurrent_v2(cu_context_t *context) {
  if (!depth)
    return 201;
  *context = stack[--depth];
  return 0;
}
API cu_result_t cuCtxGetDevice(cu_device_t *device) {
  NEED_CONTEXT;
  *device = stack[depth - 1]->device;
  return 0;
}
API cu_result_t cuCtxSynchronize(void) {
  NEED_CONTEXT;
  int result = mock_state.fail_with;
  mock_state.fail_with = 0;
  return result;
}
API cu_result_t cuMemAlloc_v2(cu_address_t *address, size_t size) {
  NEED_CONTEXT;
  if (mock_state.capturing)
    return 900;
  if (size > (size_t)1 << 40)
    return 2;
  void *memory = aligned_alloc(256, (size + 255) / 256 * 256);
  ++mock_state.live_allocations;
  *address = (uintptr_t)memory;
  return memory ? 0 : 2;
}
API cu_result_t cuMemFree_v2(cu_address_t address) {
  NEED_CONTEXT;
  --mock_state.live_allocations;
  free((void *)(uintptr_t)address);
  return 0;
}
API cu_result_t cuMemcpyHtoD_v2(cu_address_t to, const void *from, size_t n) {
  NEED_CONTEXT;
  memcpy((void *)(uintptr_t)to, from, n);
  return 0;
}
API cu_result_t cuMemcpyDtoH_v2(void *to, cu_address_t from, size_t n) {
  NEED_CONTEXT;
  memcpy(to, (void *)(uintptr_t)from, n);
  return 0;
}
API cu_result_t cuMemcpyDtoD_v2(cu_address_t to, cu_address_t from, size_t n) {
  NEED_CONTEXT;
  memcpy((void *)(uintptr_t)to, (void *)(uintptr_t)from, n);
  return 0;
}
API cu_result_t cuMemsetD8_v2(cu_address_t to, unsigned char value, size_t n) {
  NEED_CONTEXT;
  memset((void *)(uintptr_t)to, value, n);
  return 0;
}
API cu_result_t cuStreamCreate(cu_stream_t *stream, unsigned flags) {
  NEED_CONTEXT;
  static char streams[64];
  static int used;
  *stream = &streams[used++ % 64];
  return flags == 1 ? 0 : 1;
}
API cu_result_t cuStreamDestroy_v2(cu_stream_t stream) {
  NEED_CONTEXT;
  return stream ? 0 : 1;
}
API cu_result_t cuStreamSynchronize(cu_stream_t stream) {
  NEED_CONTEXT;
  (void)stream;
  return 0;
}

API cu_result_t cuLibraryLoadData(cu_library_t *library, const void *code,
                                  int *jit_options, void **jit_values,
                                  unsigned jit_count, int *options,
                                  void **values, unsigned count) {
  NEED_INIT;
  (void)options, (void)values, (void)count;
  if (mock_state.capturing)
    return 900;
  const char *text = code;
  library_t *made = calloc(1, sizeof *made);
  int capability = setting("MOCK_CUDA_CAPABILITY", 90);
  if (!memcmp(text, "\177ELF", 4)) {
    ++text, ++text, ++text, ++text;
    if (number(text, "sm=", 0) / 10 != capability / 10) {
      free(made);
      return 209;
    }
  } else {
    int major = 0, minor = 0;
    const char *version = strstr(text, ".version");
    if (!version || sscanf(version, ".version %d.%d", &major, &minor) != 2)
      made->verdict = 218;
    // PTX 8.0 came with CUDA 12.0, 9.0 with 13.0.
    if (major * 10 + minor - 80 + 120 >
        setting("MOCK_CUDA_VERSION", 12040) / 100 +
            setting("MOCK_CUDA_VERSION", 12040) % 1000 / 10)
      made->verdict = 222;
    if (strstr(text, "syntax error") && jit_count == 2 && jit_options[0] == 5 &&
        jit_options[1] == 6) {
      made->log = jit_values[0];
      made->log_size = (size_t)(uintptr_t)jit_values[1];
      made->verdict = 218;
    }
  }
  snprintf(made->text, sizeof made->text, "%s", text);
  ++mock_state.loads;
  *library = made;
  return 0;
}
API cu_result_t cuLibraryUnload(cu_library_t library) {
  ++mock_state.unloads;
  free(library);
  return 0;
}
API cu_result_t cuLibraryGetKernel(cu_kernel_t *kernel, cu_library_t library,
                                   const char *name) {
  library_t *mine = library;
  if (mine->log)
    snprintf(mine->log, mine->log_size, "ptxas: line 3: syntax error");
  if (mine->verdict)
    return mine->verdict;
  char pattern[100];
  snprintf(pattern, sizeof pattern, "function=%s ", name);
  if (!strstr(((library_t *)library)->text, pattern))
    return 500;
  *kernel = library;
  return 0;
}
API cu_result_t cuKernelGetFunction(cu_function_t *function,
                                    cu_kernel_t kernel) {
  NEED_CONTEXT;
  *function = kernel;
  return 0;
}
API cu_result_t cuFuncLoad(cu_function_t function) {
  NEED_CONTEXT;
  return function ? 0 : 400;
}
// As ptxas does it for sm_90: a parameter is aligned by its address in the
// constant bank, where the first one is at 0x210. A size of 128 is a tensor
// map.
API cu_result_t cuFuncGetParamInfo(cu_function_t function, size_t index,
                                   size_t *offset, size_t *size) {
  const char *at = strstr(((library_t *)function)->text, "sizes=");
  const size_t base = 0x210;
  size_t place = base;
  at = at ? at + 6 : "8,8,8,4 ";
  for (size_t i = 0;; ++i) {
    char *end;
    *size = strtoul(at, &end, 10);
    size_t align = *size == 128 ? 64 : *size;
    if (end == at)
      return 1;
    place = (place + align - 1) / align * align;
    *offset = place - base;
    if (i == index)
      return 0;
    place += *size;
    at = end + (*end == ',');
  }
}
API cu_result_t cuFuncGetAttribute(int *value, int attribute,
                                   cu_function_t function) {
  if (attribute != 0)
    return 1;
  *value = number(((library_t *)function)->text, "threads=", 1024);
  return 0;
}
API cu_result_t cuFuncSetAttribute(cu_function_t function, int attribute,
                                   int value) {
  (void)function;
  return (attribute == 8 && value <= 232448) || attribute == 14 ? 0 : 1;
}
API cu_result_t cuLaunchKernelEx(const cu_launch_config_t *config,
                                 cu_function_t function, void **params,
                                 void **extra) {
  NEED_CONTEXT;
  if (!function || params)
    return 1;
  mock_state_t *s = &mock_state;
  s->param_size = 0;
  if (extra) {
    if (extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4])
      return 1;
    s->param_size = *(size_t *)extra[3];
    size_t offset, size, end = 0;
    for (size_t i = 0; !cuFuncGetParamInfo(function, i, &offset, &size); ++i)
      end = offset + size;
    if (s->param_size != end)
      return 701;
    memcpy(s->params, extra[1], s->param_size);
  }
  memcpy(s->grid, config->grid, sizeof s->grid);
  memcpy(s->block, config->block, sizeof s->block);
  s->shared_size = config->shared_size;
  s->stream = config->stream;
  s->pdl = s->cooperative = 0;
  s->cluster[0] = s->cluster[1] = s->cluster[2] = 1;
  for (unsigned i = 0; i < config->attribute_count; ++i) {
    const cu_launch_attribute_t *a = &config->attributes[i];
    if (a->id == 4)
      memcpy(s->cluster, a->value.words, sizeof s->cluster);
    else if (a->id == 6)
      s->pdl = (int)a->value.words[0];
    else if (a->id == 2)
      s->cooperative = (int)a->value.words[0];
    else
      return 1;
  }
  s->device = stack[depth - 1]->device;
  ++s->launches;
  return 0;
}

API cu_result_t cuTensorMapEncodeTiled(
    void *map, int element_type, uint32_t rank, void *base,
    const uint64_t *dims, const uint64_t *strides, const uint32_t *box,
    const uint32_t *element_strides, int interleave, int swizzle,
    int l2_promotion, int oob_fill) {
  NEED_CONTEXT;
  (void)interleave, (void)l2_promotion, (void)oob_fill;
  if ((uintptr_t)map % 64 || (uintptr_t)base % 16)
    return 1;
  mock_state_t *s = &mock_state;
  ++s->map_encodes;
  s->map_element_type = element_type;
  s->map_swizzle = swizzle;
  s->map_rank = rank;
  for (uint32_t d = 0; d < rank; ++d) {
    if (element_strides[d] != 1)
      return 1;
    s->map_dims[d] = dims[d];
    s->map_box[d] = box[d];
    if (d + 1 < rank)
      s->map_strides[d] = strides[d];
  }
  memset(map, 0xff, 128);
  memcpy(map, &base, sizeof base);
  return 0;
}
API cu_result_t cuTensorMapReplaceAddress(void *map, void *base) {
  NEED_CONTEXT;
  ++mock_state.map_moves;
  memcpy(map, &base, sizeof base);
  return (uintptr_t)base % 16 ? 1 : 0;
}
