// runtime/file.c - the bytes of a file, mapped read-only.

#include "runtime/file.h"

#include "runtime/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static nrd_status_t fail_errno(const char *verb, const char *path) {
  int error = errno;
  nrd_status_t status = error == ENOMEM ? NRD_OUT_OF_MEMORY : NRD_NOT_FOUND;
  return nrd_fail(status, "cannot %s '%s': %s", verb, path, strerror(error));
}

nrd_status_t nrd_file_map(const char *path, nrd_file_t *out_file) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return fail_errno("open", path);
  nrd_status_t status = NRD_OK;
  struct stat info;
  if (fstat(descriptor, &info)) {
    status = fail_errno("examine", path);
  } else if (!S_ISREG(info.st_mode)) {
    status = nrd_fail(NRD_INVALID_ARGUMENT, "'%s' is not a regular file", path);
  } else if (!info.st_size) {
    status = nrd_fail(NRD_CORRUPT, "'%s' is empty", path);
  } else {
    void *bytes =
        mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) {
      status = fail_errno("map", path);
    } else {
      out_file->bytes = bytes;
      out_file->size = (size_t)info.st_size;
    }
  }
  close(descriptor);
  return status;
}

void nrd_file_unmap(nrd_file_t *file) {
  if (file->bytes)
    munmap((void *)(uintptr_t)file->bytes, file->size);
  file->bytes = NULL;
}
