// runtime/driver/cuda/api.h - the part of NVIDIA's driver API that is used,
// declared here so that no CUDA toolkit is needed to build (internal).

#ifndef NEREID_RUNTIME_DRIVER_CUDA_API_H
#define NEREID_RUNTIME_DRIVER_CUDA_API_H

#include <stddef.h>
#include <stdint.h>

typedef int cu_result_t; // CUresult
typedef int cu_device_t; // CUdevice
typedef void *cu_context_t;
typedef void *cu_stream_t;
typedef void *cu_library_t;
typedef void *cu_kernel_t;
typedef void *cu_function_t;
typedef unsigned long long cu_address_t; // CUdeviceptr

enum {
  NRD_CU_SUCCESS = 0,
  NRD_CU_OUT_OF_MEMORY = 2,
  NRD_CU_STUB_LIBRARY = 34,
  NRD_CU_NO_DEVICE = 100,
  NRD_CU_INVALID_DEVICE = 101,
  NRD_CU_INVALID_IMAGE = 200,
  NRD_CU_INVALID_CONTEXT = 201,
  NRD_CU_NO_BINARY_FOR_GPU = 209,
  NRD_CU_INVALID_PTX = 218,
  NRD_CU_JIT_COMPILER_NOT_FOUND = 221,
  NRD_CU_UNSUPPORTED_PTX_VERSION = 222,
  NRD_CU_JIT_COMPILATION_DISABLED = 223,
  NRD_CU_INVALID_HANDLE = 400,
  NRD_CU_NOT_FOUND = 500,
  NRD_CU_ASSERT = 710,
  NRD_CU_CAPTURE_UNSUPPORTED = 900,
  NRD_CU_CAPTURE_IMPLICIT = 906,

  NRD_CU_DEVICE_MAX_SHARED_PER_BLOCK = 8,
  NRD_CU_DEVICE_CAPABILITY_MAJOR = 75,
  NRD_CU_DEVICE_CAPABILITY_MINOR = 76,
  NRD_CU_DEVICE_COOPERATIVE_LAUNCH = 95,
  NRD_CU_DEVICE_MAX_SHARED_PER_BLOCK_OPTIN = 97,

  NRD_CU_FUNCTION_MAX_THREADS_PER_BLOCK = 0,
  NRD_CU_FUNCTION_STATIC_SHARED = 1,
  NRD_CU_FUNCTION_MAX_DYNAMIC_SHARED = 8,
  NRD_CU_FUNCTION_NON_PORTABLE_CLUSTER = 14,

  NRD_CU_JIT_ERROR_LOG = 5,
  NRD_CU_JIT_ERROR_LOG_SIZE = 6,

  NRD_CU_STREAM_NON_BLOCKING = 1,

  NRD_CU_LAUNCH_END = 0,
  NRD_CU_LAUNCH_BUFFER = 1,
  NRD_CU_LAUNCH_BUFFER_SIZE = 2,

  NRD_CU_ATTRIBUTE_COOPERATIVE = 2,
  NRD_CU_ATTRIBUTE_CLUSTER = 4,
  NRD_CU_ATTRIBUTE_PROGRAMMATIC_SERIALIZATION = 6,
};

typedef struct cu_launch_attribute_t { // CUlaunchAttribute
  int id;
  char pad[4];
  union {
    uint32_t words[16];
    void *align;
  } value;
} cu_launch_attribute_t;

typedef struct cu_launch_config_t { // CUlaunchConfig
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_size;
  cu_stream_t stream;
  cu_launch_attribute_t *attributes;
  unsigned attribute_count;
} cu_launch_config_t;

#endif // NEREID_RUNTIME_DRIVER_CUDA_API_H
