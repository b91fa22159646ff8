// runtime/dylib.c - a vendor's library opened by name.

#include "runtime/dylib.h"

#include "runtime/error.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

nrd_status_t nrd_dylib_open(const char *const *names, const char *symbols,
                            void *functions, const char *what,
                            nrd_dylib_t *out_library) {
  void *handle = NULL;
  char reason[160] = ""; // of the first name, the one worth telling
  for (size_t i = 0; names[i] && !handle; ++i) {
    handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    const char *error = handle ? NULL : dlerror(); // gone at the next dlopen
    if (error && !reason[0])
      snprintf(reason, sizeof reason, "%s", error);
  }
  if (!handle)
    return nrd_fail(NRD_UNAVAILABLE, "%s, is not installed (%s)", what,
                    reason[0] ? reason : names[0]);
  char *place = functions;
  for (; *symbols; symbols += strlen(symbols) + 1) {
    void *address = dlsym(handle, symbols + 1);
    if (!address && *symbols == '!') {
      dlclose(handle);
      return nrd_fail(NRD_UNAVAILABLE, "%s, is too old: it has no %s", what,
                      symbols + 1);
    }
    // POSIX promises that a function's address fits an object pointer.
    memcpy(place, &address, sizeof address);
    place += sizeof address;
  }
  out_library->handle = handle;
  return NRD_OK;
}

void nrd_dylib_close(nrd_dylib_t *library) {
  if (library->handle)
    dlclose(library->handle);
  library->handle = NULL;
}
