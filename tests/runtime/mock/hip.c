// mock/hip.c - a libamdhip64 that checks how it is called and runs nothing.
//
// MOCK_HIP is the major version: 5 has the old properties alone, 6 both, and
// neither puts the name where the other does. Two GPUs, MOCK_HIP_ARCH
// ("gfx942:sramecc+:xnack-"). A code object is "\177ELF" and then words:
// arch=gfx942 function=add.

#include "mock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) mock_state_t mock_state;
static _Thread_local int current;

#define API __attribute__((visibility("default")))

static const char *arch(void) {
  const char *text = getenv("MOCK_HIP_ARCH");
  return text ? text : "gfx942:sramecc+:xnack-";
}

API const char *hipGetErrorName(int result) {
  return result == 209 ? "hipErrorNoBinaryForGpu" : "hipErrorMock";
}
API const char *hipGetErrorString(int result) {
  (void)result;
  return "a mock error";
}
API int hipInit(unsigned flags) {
  const char *text = getenv("MOCK_HIP_INIT");
  return flags ? 1 : text ? atoi(text) : 0;
}
API int hipRuntimeGetVersion(int *version) {
  *version = MOCK_HIP * 10000000 + 2 * 100000 + 41;
  return 0;
}
API int hipGetDeviceCount(int *count) {
  *count = 2;
  return 0;
}
API int hipGetDevice(int *device) {
  *device = current;
  return 0;
}
API int hipSetDevice(int device) {
  ++mock_state.current_switches;
  current = device;
  return device < 2 ? 0 : 101;
}
API int hipDeviceGetName(char *name, int size, int device) {
  (void)device;
  snprintf(name, (size_t)size, "Mock Instinct");
  return 0;
}
API int hipDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  *value = attribute == 74 ? 65536 : attribute == 56 ? 1024 : 0;
  return 0;
}
#if MOCK_HIP >= 6
API int hipGetDevicePropertiesR0600(void *properties, int device) {
  (void)device;
  memset(properties, 0x20, 1472);
  strcpy((char *)properties + 1160, arch());
  return 0;
}
#endif
API int hipGetDeviceProperties(void *properties, int device) {
  (void)device;
  memset(properties, 0x20, 792);
  int at = getenv("MOCK_HIP_ODD_LAYOUT") ? 500 : 396;
  strcpy((char *)properties + at, arch());
  return 0;
}
API int hipDeviceSynchronize(void) {
  int result = mock_state.fail_with;
  mock_state.fail_with = 0;
  return result;
}
API int hipModuleLoadData(void **module, const void *code) {
  const char *text = (const char *)code + 4;
  char wanted[40];
  snprintf(wanted, sizeof wanted, "arch=%.*s ", (int)strcspn(arch(), ":"),
           arch());
  if (!strstr(text, wanted))
    return 209;
  *module = strdup(text);
  ++mock_state.loads;
  return 0;
}
API int hipModuleUnload(void *module) {
  ++mock_state.unloads;
  free(module);
  return 0;
}
API int hipModuleGetFunction(void **function, void *module, const char *name) {
  char pattern[100];
  snprintf(pattern, sizeof pattern, "function=%s ", name);
  *function = module;
  return strstr(module, pattern) ? 0 : 500;
}
API int hipModuleLaunchKernel(void *function, unsigned gx, unsigned gy,
                              unsigned gz, unsigned bx, unsigned by,
                              unsigned bz, unsigned shared, void *stream,
                              void **params, void **extra) {
  if (!function || params || extra[0] != (void *)1 || extra[2] != (void *)2 ||
      extra[4] != (void *)3)
    return 1;
  mock_state_t *s = &mock_state;
  s->param_size = *(size_t *)extra[3];
  memcpy(s->params, extra[1], s->param_size);
  s->grid[0] = gx, s->grid[1] = gy, s->grid[2] = gz;
  s->block[0] = bx, s->block[1] = by, s->block[2] = bz;
  s->shared_size = shared;
  s->stream = stream;
  s->device = current;
  ++s->launches;
  return 0;
}
API int hipMalloc(void **pointer, size_t size) {
  *pointer = aligned_alloc(256, (size + 255) / 256 * 256);
  ++mock_state.live_allocations;
  return *pointer ? 0 : 2;
}
API int hipFree(void *pointer) {
  --mock_state.live_allocations;
  free(pointer);
  return 0;
}
API int hipMemcpy(void *to, const void *from, size_t size, int kind) {
  memcpy(to, from, size);
  return kind >= 1 && kind <= 3 ? 0 : 1;
}
API int hipMemset(void *to, int value, size_t size) {
  memset(to, value, size);
  return 0;
}
API int hipStreamCreateWithFlags(void **stream, unsigned flags) {
  static char streams[4];
  *stream = streams;
  return flags == 1 ? 0 : 1;
}
API int hipStreamDestroy(void *stream) { return stream ? 0 : 1; }
API int hipStreamSynchronize(void *stream) {
  (void)stream;
  return 0;
}
