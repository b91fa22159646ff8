// runtime/dylib.h - a vendor's library opened by name (internal).

#ifndef NEREID_RUNTIME_DYLIB_H
#define NEREID_RUNTIME_DYLIB_H

#include "nereid/status.h"

typedef struct nrd_dylib_t {
  void *handle;
} nrd_dylib_t;

// Opens the first of |names| (ends with NULL) that is there and fills in a
// struct of nothing but function pointers. |symbols| holds their names in the
// struct's order, each after '!' (required) or '?' (stays NULL in a library
// that lacks it), each with its NUL, and an empty one at the end: one string
// costs no relocations, where a table would cost two per function. |what| names
// the library in NRD_UNAVAILABLE's message: "libcuda, the NVIDIA driver".
nrd_status_t nrd_dylib_open(const char *const *names, const char *symbols,
                            void *functions, const char *what,
                            nrd_dylib_t *out_library);
void nrd_dylib_close(nrd_dylib_t *library);

#endif // NEREID_RUNTIME_DYLIB_H
