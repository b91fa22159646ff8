// runtime/dylib.c - a vendor's library opened by name.

#include "runtime/dylib.h"

#include "runtime/error.h"

#include <dlfcn.h>
#include <string.h>

nrd_status_t nrd_dylib_open(const char *const *names,
                            const nrd_symbol_t *symbols, size_t count,
                            const char *what, nrd_dylib_t *out_library) {
  void *handle = NULL;
  const char *reason = NULL;
  for (size_t i = 0; names[i] && !handle; ++i) {
    handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle && !reason) {
      reason = dlerror();
      continue;
    }
    if (!handle)
      dlerror(); // the first name's reason is the one worth telling
  }
  if (!handle)
    return nrd_fail(NRD_UNAVAILABLE, "%s, is not installed (%s)", what,
                    reason ? reason : names[0]);
  for (size_t i = 0; i < count; ++i) {
    void *address = dlsym(handle, symbols[i].name);
    if (!address && symbols[i].required) {
      dlclose(handle);
      return nrd_fail(NRD_UNAVAILABLE, "%s, is too old: it has no %s", what,
                      symbols[i].name);
    }
    // POSIX promises that a function's address fits an object pointer.
    memcpy(symbols[i].address, &address, sizeof address);
  }
  out_library->handle = handle;
  return NRD_OK;
}

void nrd_dylib_close(nrd_dylib_t *library) {
  if (library->handle)
    dlclose(library->handle);
  library->handle = NULL;
}
