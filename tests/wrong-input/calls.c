// calls.c - makes the API calls that it reads from standard input, one a line,
// until one fails, and prints what that one said. Wrong calls are tested
// through it so that the sanitizers see them; the commands are those of the
// table below.

#include "nereid/runtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nrd_device_t *device;
static nrd_pack_t *pack;
static const nrd_kernel_t *kernel;
static nrd_call_t *call;
static char memory[1 << 16] __attribute__((aligned(4096)));

// "null", "memory" or "memory+8".
static void *address(const char *text) {
  if (strncmp(text, "memory", 6) != 0)
    return NULL;
  return memory + (text[6] == '+' ? strtoul(text + 7, NULL, 0) : 0);
}

// Reads the whole file and opens a pack on the bytes; they stay for good.
static nrd_status_t open_bytes(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    fprintf(stderr, "calls: cannot read %s\n", path);
    exit(3);
  }
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(size ? size : 1);
  if (!bytes || fread(bytes, 1, size, file) != size)
    exit(3);
  fclose(file);
  return nrd_pack_open_memory(bytes, size, NULL, &pack);
}

static int64_t integers[8];
static int integer_count;

static void read_integers(char **words, int count) {
  integer_count = count < 8 ? count : 8;
  for (int i = 0; i < integer_count; i++)
    integers[i] = strtoll(words[i], NULL, 0);
}

#define SLOT ((uint32_t)strtoul(words[1], NULL, 0))

// One row per command: its name, how many words follow it at least, the call.
#define COMMANDS(X)                                                            \
  X("device", 1, nrd_device_open(words[1], &device))                           \
  X("pack", 1, nrd_pack_open_file(words[1], NULL, &pack))                      \
  X("bytes", 1, open_bytes(words[1]))                                          \
  X("kernel", 1, nrd_kernel_find(pack, device, words[1], &kernel))             \
  X("preload", 0, nrd_kernel_preload(kernel))                                  \
  X("slot", 1, nrd_kernel_find_slot(kernel, words[1], &found))                 \
  X("call", 0, nrd_call_create(kernel, &call))                                 \
  X("pointer", 2, nrd_call_set_pointer(call, SLOT, address(words[2])))         \
  X("int", 2, nrd_call_set_int(call, SLOT, strtoll(words[2], NULL, 0)))        \
  X("float", 2, nrd_call_set_float(call, SLOT, strtod(words[2], NULL)))        \
  X("descriptor", 3,                                                           \
    (read_integers(words + 3, count - 3),                                      \
     nrd_call_set_descriptor(call, SLOT, address(words[2]), integers, NULL)))  \
  X("grid", 3,                                                                 \
    nrd_call_set_grid(call, SLOT, (uint32_t)strtoul(words[2], NULL, 0),        \
                      (uint32_t)strtoul(words[3], NULL, 0)))                   \
  X("config", 1, nrd_call_set_config(call, SLOT))                              \
  X("scratch", 2,                                                              \
    nrd_call_set_scratch(call, address(words[1]), strtoul(words[2], NULL, 0))) \
  X("bind", 0, nrd_call_bind(call))                                            \
  X("variant", 0, nrd_call_variant(call, &found))                              \
  X("launch", 0, nrd_call_launch(call, NULL))                                  \
  X("buffer", 1,                                                               \
    nrd_buffer_alloc(device, strtoul(words[1], NULL, 0), &allocated))

int main(void) {
  char line[512], *words[16];
  int failures = 0;
  uint32_t found = 0;
  void *allocated = NULL;
  while (fgets(line, sizeof(line), stdin)) {
    int count = 0;
    for (char *word = strtok(line, " \n"); word && count < 16;
         word = strtok(NULL, " \n"))
      words[count++] = word;
    if (count == 0)
      continue;
    nrd_status_t status = NRD_OK;
    int known = 0;
#define RUN(name, least, expression)                                           \
  if (!known && strcmp(words[0], name) == 0 && count > least) {                \
    known = 1;                                                                 \
    status = expression;                                                       \
  }
    COMMANDS(RUN)
    if (!known) {
      fprintf(stderr, "calls: no command '%s' with %d words\n", words[0],
              count - 1);
      return 3;
    }
    if (status != NRD_OK) {
      printf("%s: %s: %s\n", words[0], nrd_status_name(status),
             nrd_error_message());
      failures++;
      break; // what follows would only fail for want of this
    }
  }
  if (allocated)
    nrd_buffer_free(device, allocated);
  nrd_call_destroy(call);
  nrd_pack_close(pack);
  nrd_device_close(device);
  return failures ? 1 : 0;
}
