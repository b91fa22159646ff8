// runtime/driver/cpu/elf.h - loads the freestanding ELF objects of
// nereid/cpu_kernel.h straight from memory (internal).
//
// No temporary file and no dlopen: the segments are copied into an anonymous
// mapping, the few allowed relocations applied, and the pages given their final
// protection, never writable and executable at once.

#ifndef NEREID_RUNTIME_DRIVER_CPU_ELF_H
#define NEREID_RUNTIME_DRIVER_CPU_ELF_H

#include "nereid/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct nrd_elf_t {
  uint8_t *base; // where address 0 of the object lies
  size_t size;   // of the mapping
  uint64_t symbols;
  uint64_t symbol_count;
  uint64_t strings;
  uint64_t string_size;
  uint64_t code_begin; // the executable segment
  uint64_t code_end;
} nrd_elf_t;

// Checks every number it follows. |what| names the image in messages.
nrd_status_t nrd_elf_load(const uint8_t *bytes, size_t size, const char *what,
                          nrd_elf_t *out_elf);
void nrd_elf_unload(nrd_elf_t *elf);

// The exported function |name|, or NULL.
void *nrd_elf_function(const nrd_elf_t *elf, const char *name);

#endif // NEREID_RUNTIME_DRIVER_CPU_ELF_H
