// runtime/error.h - raising and passing on failures (internal).

#ifndef NEREID_RUNTIME_ERROR_H
#define NEREID_RUNTIME_ERROR_H

#include "nereid/status.h"

#include <stddef.h>

#if defined(__GNUC__)
#define NRD_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define NRD_COLD __attribute__((cold, noinline))
#define NRD_LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define NRD_PRINTF(text, first)
#define NRD_COLD
#define NRD_LIKELY(x) (x)
#endif

// Records the message for this thread and returns |status|:
//   return nrd_fail(NRD_NOT_FOUND, "no kernel '%s' in %s", name, path);
NRD_PRINTF(2, 3)
NRD_COLD nrd_status_t nrd_fail(nrd_status_t status, const char *format, ...);

// The usual failure of an allocation.
NRD_COLD nrd_status_t nrd_fail_memory(size_t size, const char *what);

// Leaves the enclosing function when |expr| fails. Use only where nothing is
// held yet; otherwise test the status and fall to one cleanup at the end.
#define NRD_TRY(expr)                                                          \
  do {                                                                         \
    nrd_status_t nrd_try_status_ = (expr);                                     \
    if (nrd_try_status_ != NRD_OK)                                             \
      return nrd_try_status_;                                                  \
  } while (0)

// Refuses a NULL argument that is not optional, naming it.
#define NRD_NEED(argument)                                                     \
  do {                                                                         \
    if (!(argument))                                                           \
      return nrd_fail(NRD_INVALID_ARGUMENT, "%s: '%s' is NULL", __func__,      \
                      #argument);                                              \
  } while (0)

// Text that grows up to a fixed capacity and still counts what it would need;
// always ends with NUL when the capacity is not 0.
typedef struct nrd_text_t {
  char *data;
  size_t capacity;
  size_t size; // without the NUL; may pass the capacity
} nrd_text_t;

NRD_PRINTF(2, 3)
void nrd_text_add(nrd_text_t *text, const char *format, ...);

#endif // NEREID_RUNTIME_ERROR_H
