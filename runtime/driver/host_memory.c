// runtime/driver/host_memory.c - device memory where the device is the host.

#include "runtime/driver/driver.h"

#include <string.h>

// nrd_buffer_alloc promises 256; the pointer to free stands before the block.
enum { ALIGNMENT = 256 };

nrd_status_t nrd_host_alloc(nrd_device_t *device, size_t size,
                            void **out_pointer) {
  if (size > SIZE_MAX / 2)
    return nrd_fail_memory(size, "buffer");
  char *raw =
      nrd_alloc_raw(&device->allocator, size + ALIGNMENT + sizeof(void *));
  if (!raw)
    return nrd_fail_memory(size, "buffer");
  uintptr_t at = (uintptr_t)raw + sizeof(void *) + ALIGNMENT - 1;
  char *pointer = raw + (at / ALIGNMENT * ALIGNMENT - (uintptr_t)raw);
  memcpy(pointer - sizeof(void *), &raw, sizeof raw);
  *out_pointer = pointer;
  return NRD_OK;
}

void nrd_host_free(nrd_device_t *device, void *pointer) {
  void *raw;
  memcpy(&raw, (char *)pointer - sizeof(void *), sizeof raw);
  nrd_free(&device->allocator, raw);
}

nrd_status_t nrd_host_copy(nrd_device_t *device, void *to, const void *from,
                           size_t size, int to_is_host, int from_is_host) {
  (void)device, (void)to_is_host, (void)from_is_host;
  memmove(to, from, size);
  return NRD_OK;
}

nrd_status_t nrd_host_fill(nrd_device_t *device, void *to, uint8_t value,
                           size_t size) {
  (void)device;
  memset(to, value, size);
  return NRD_OK;
}
