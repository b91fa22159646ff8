// runtime/file.h - the bytes of a file, mapped read-only (internal).

#ifndef NEREID_RUNTIME_FILE_H
#define NEREID_RUNTIME_FILE_H

#include "nereid/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct nrd_file_t {
  const uint8_t *bytes;
  size_t size;
} nrd_file_t;

nrd_status_t nrd_file_map(const char *path, nrd_file_t *out_file);
void nrd_file_unmap(nrd_file_t *file);

#endif // NEREID_RUNTIME_FILE_H
