// nereid/interpreter.h - the interface between the runtime and the interpreter.
//
// The interpreter is a shared library of its own, libnereid_interpret.so,
// opened by name when a device "interpret" is opened or NRD_INTERPRET=1. It
// exports nrd_interpreter_get() and may be written by anyone; it sees device
// memory only through the host that it is lent, so the same one serves kernels
// whose buffers are on a GPU.

#ifndef NEREID_INTERPRETER_H
#define NEREID_INTERPRETER_H

#include <stddef.h>
#include <stdint.h>

#include "nereid/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NRD_INTERPRETER_ABI 1

// What the runtime lends for one launch. Every field is filled.
typedef struct nrd_interpreter_host_t {
  // Copies between host memory and addresses of the device.
  nrd_status_t (*read)(const struct nrd_interpreter_host_t *host, void *to,
                       uint64_t from, size_t size);
  nrd_status_t (*write)(const struct nrd_interpreter_host_t *host, uint64_t to,
                        const void *from, size_t size);
  // Finds the buffer that |address| lies in. Returns 0 if it is not one that
  // nrd_buffer_alloc made; its bounds are then unknown.
  int (*find_buffer)(const struct nrd_interpreter_host_t *host,
                     uint64_t address, uint64_t *out_base, uint64_t *out_size);
  // Shows a line of device_print.
  void (*print)(const struct nrd_interpreter_host_t *host, const char *line);
} nrd_interpreter_host_t;

typedef struct nrd_interpreter_kernel_t nrd_interpreter_kernel_t;

// What the plug-in provides. Functions that fail write a sentence of at most
// |capacity| bytes, NUL included, to |message|.
typedef struct nrd_interpreter_t {
  uint32_t abi; // NRD_INTERPRETER_ABI

  // Reads the tt IR of one config of the kernel |name|. The bytes may go away
  // afterwards.
  nrd_status_t (*load)(const char *name, const void *ir, size_t size,
                       nrd_interpreter_kernel_t **out_kernel, char *message,
                       size_t capacity);
  void (*unload)(nrd_interpreter_kernel_t *kernel);

  // Runs every program of the grid and returns when they have finished. Any
  // thread may call it. |params| holds the IR function's arguments in order, 8
  // bytes each: integers sign-extended, floats as doubles, pointers as device
  // addresses, a descriptor as its base, its shape, then its strides in
  // elements. NRD_KERNEL_FAILED reports what the kernel did wrong.
  nrd_status_t (*launch)(nrd_interpreter_kernel_t *kernel,
                         const nrd_interpreter_host_t *host,
                         const uint64_t *params, size_t param_count,
                         const uint32_t grid[3], char *message,
                         size_t capacity);
} nrd_interpreter_t;

// Exported by the plug-in. Returns NULL if it does not speak |abi|. The table
// lives as long as the library is loaded.
const nrd_interpreter_t *nrd_interpreter_get(uint32_t abi);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEREID_INTERPRETER_H
