// nereid/cpu_kernel.h - the binary interface of a kernel compiled for a CPU.
//
// The compiler (compiler/Target/CPU) emits to it, the runtime
// (runtime/driver/cpu) calls it, and any other loader may. An image is a
// freestanding ELF shared object with one exported function per variant, of
// type nrd_cpu_kernel_fn_t. It holds only R_*_RELATIVE, GLOB_DAT, JUMP_SLOT
// and 64-bit absolute relocations, has no constructors, no thread-local
// storage and no dependency, and leaves undefined at most the names in
// NRD_CPU_IMPORT_LIST.

#ifndef NEREID_CPU_KERNEL_H
#define NEREID_CPU_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What a kernel may import: the four functions a compiler back end may call on
// its own. Checked when the pack is built and again by the loader.
#define NRD_CPU_IMPORT_LIST(X)                                                 \
  X(memcpy)                                                                    \
  X(memmove)                                                                   \
  X(memset)                                                                    \
  X(memcmp)

// Kinds of value in one nrd_cpu_print record.
typedef enum nrd_cpu_value_kind_t {
  NRD_CPU_VALUE_SIGNED,   // sign-extended to 64 bits
  NRD_CPU_VALUE_UNSIGNED, // zero-extended to 64 bits
  NRD_CPU_VALUE_FLOAT,    // an IEEE double's bits
  NRD_CPU_VALUE_POINTER
} nrd_cpu_value_kind_t;

// What the host lends to a kernel for the few things it cannot do alone. The
// runtime fills every field.
typedef struct nrd_cpu_host_t {
  // Called by device_print once per element: |program| is x, y, z, |index| the
  // element's coordinates, |rank| of them.
  void (*print)(const struct nrd_cpu_host_t *host, const char *prefix,
                const uint32_t program[3], const int32_t *index, uint32_t rank,
                uint32_t kind, uint64_t bits, uint32_t hex);
  // Called by device_assert when the condition fails; the kernel returns
  // NRD_CPU_ASSERT_FAILED after the current program.
  void (*assert_failed)(const struct nrd_cpu_host_t *host, const char *message,
                        const char *file, uint32_t line,
                        const uint32_t program[3]);
} nrd_cpu_host_t;

enum { NRD_CPU_OK = 0, NRD_CPU_ASSERT_FAILED = 1 };

// Runs the programs |begin| up to, not including, |end|, counted with x
// fastest: program i is (i % grid[0], i / grid[0] % grid[1], ...).
//
//   params   the packed parameter block, laid out as the variant says; read
//   only grid     programs along x, y and z scratch  the variant's scratch_size
//   bytes, 64-byte aligned, contents
//            undefined, used by one thread at a time; NULL when the size is 0
//
// Safe to call from many threads at once with different ranges and scratch.
typedef int32_t (*nrd_cpu_kernel_fn_t)(const void *params,
                                       const uint32_t grid[3], uint64_t begin,
                                       uint64_t end, void *scratch,
                                       const nrd_cpu_host_t *host);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEREID_CPU_KERNEL_H
