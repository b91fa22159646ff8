// runtime/dylib.h - a vendor's library opened by name (internal).

#ifndef NEREID_RUNTIME_DYLIB_H
#define NEREID_RUNTIME_DYLIB_H

#include "nereid/status.h"

#include <stddef.h>

typedef struct nrd_dylib_t {
  void *handle;
} nrd_dylib_t;

// Where one function's address goes. A row that is not required stays NULL
// when an older library lacks it.
typedef struct nrd_symbol_t {
  const char *name;
  void *address; // of a function pointer
  int required;
} nrd_symbol_t;

// Opens the first of |names| (ends with NULL) that is there and fills in the
// symbols. |what| names the library in NRD_UNAVAILABLE's message: "libcuda,
// the NVIDIA driver".
nrd_status_t nrd_dylib_open(const char *const *names,
                            const nrd_symbol_t *symbols, size_t count,
                            const char *what, nrd_dylib_t *out_library);
void nrd_dylib_close(nrd_dylib_t *library);

#endif // NEREID_RUNTIME_DYLIB_H
