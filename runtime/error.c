// runtime/error.c - the calling thread's last failure.

#include "runtime/error.h"

#include "runtime/log.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[1536];

nrd_status_t nrd_fail(nrd_status_t status, const char *format, ...) {
  // The arguments may point into the old message, so it is replaced at the end.
  char text[sizeof message];
  va_list args;
  va_start(args, format);
  int size = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (size < 0)
    text[0] = 0;
  size_t i = 0;
  do {
    message[i] = text[i];
  } while (text[i++]);
  nrd_log(NRD_LOG_ERROR, "%s: %s", nrd_status_name(status), text);
  return status;
}

nrd_status_t nrd_fail_memory(size_t size, const char *what) {
  return nrd_fail(NRD_OUT_OF_MEMORY, "no memory for %zu bytes of %s", size,
                  what);
}

const char *nrd_error_message(void) { return message; }

const char *nrd_status_name(nrd_status_t status) {
  switch (status) {
#define NRD_STATUS_CASE(name, remedy)                                          \
  case NRD_##name:                                                             \
    return "NRD_" #name;
    NRD_STATUS_LIST(NRD_STATUS_CASE)
#undef NRD_STATUS_CASE
  }
  return "NRD_?";
}

void nrd_text_add(nrd_text_t *text, const char *format, ...) {
  size_t room = text->size < text->capacity ? text->capacity - text->size : 0;
  va_list args;
  va_start(args, format);
  int size =
      vsnprintf(room ? text->data + text->size : NULL, room, format, args);
  va_end(args);
  if (size > 0)
    text->size += (size_t)size;
}
