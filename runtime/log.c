// runtime/log.c - messages and the timeline, off unless asked for.

#include "runtime/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int log_level = -1; // -1: the environment has not been read
static char log_path[256];        // "": standard error
static void (*log_callback)(void *, nrd_log_level_t, const char *);
static void *log_context;

static atomic_int trace_on = -1;
static FILE *trace_file;

uint64_t nrd_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// NRD_LOG is "1", "2", "FILE" or "FILE:2".
static int read_environment(void) {
  const char *text = getenv("NRD_LOG");
  if (!text || !*text || !strcmp(text, "0"))
    return 0;
  size_t size = strlen(text);
  int level = NRD_LOG_ERROR;
  if (text[size - 1] >= '1' && text[size - 1] <= '2' &&
      (size == 1 || text[size - 2] == ':')) {
    level = text[size - 1] - '0';
    size -= size == 1 ? 1 : 2;
  }
  if (size >= sizeof log_path)
    size = 0;
  memcpy(log_path, text, size);
  log_path[size] = 0;
  return level;
}

int nrd_log_enabled(nrd_log_level_t level) {
  int current = atomic_load_explicit(&log_level, memory_order_acquire);
  if (current < 0) {
    pthread_mutex_lock(&lock);
    current = atomic_load(&log_level);
    if (current < 0) {
      current = read_environment();
      atomic_store(&log_level, current);
    }
    pthread_mutex_unlock(&lock);
  }
  return current >= (int)level;
}

void nrd_log(nrd_log_level_t level, const char *format, ...) {
  if (!nrd_log_enabled(level))
    return;
  char text[2048];
  va_list args;
  va_start(args, format);
  int size = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (size < 0)
    return;
  pthread_mutex_lock(&lock);
  void (*callback)(void *, nrd_log_level_t, const char *) = log_callback;
  void *context = log_context;
  if (!callback) {
    // Opened for each message: a log is for diagnosis, and this way nothing is
    // held that would have to be given back when the library is unloaded.
    FILE *file = log_path[0] ? fopen(log_path, "a") : stderr;
    if (file) {
      fprintf(file, "nereid: %s\n", text);
      if (file != stderr)
        fclose(file);
    }
  }
  pthread_mutex_unlock(&lock);
  if (callback)
    callback(context, level, text);
}

void nrd_log_set_callback(void (*callback)(void *, nrd_log_level_t,
                                           const char *),
                          void *context, nrd_log_level_t level) {
  pthread_mutex_lock(&lock);
  log_callback = callback;
  log_context = context;
  atomic_store(&log_level, callback ? (int)level : read_environment());
  pthread_mutex_unlock(&lock);
}

uint64_t nrd_trace_begin(void) {
  int on = atomic_load_explicit(&trace_on, memory_order_acquire);
  if (on < 0) {
    pthread_mutex_lock(&lock);
    on = atomic_load(&trace_on);
    if (on < 0) {
      const char *path = getenv("NRD_TRACE");
      trace_file = path && *path ? fopen(path, "w") : NULL;
      if (trace_file) // the closing bracket may be missing in this format
        fputs("[\n", trace_file);
      on = trace_file != NULL;
      atomic_store(&trace_on, on);
    }
    pthread_mutex_unlock(&lock);
  }
  return on ? nrd_now() : 0;
}

void nrd_trace_end(uint64_t begin, const char *what, const char *name) {
  if (!begin)
    return;
  uint64_t end = nrd_now();
  char safe[160]; // names come from packs: keep the JSON well-formed
  size_t size = 0;
  for (; name[size] && size < sizeof safe - 1; ++size) {
    unsigned char c = (unsigned char)name[size];
    safe[size] = c < 32 || c == '"' || c == '\\' ? '?' : (char)c;
  }
  safe[size] = 0;
  pthread_mutex_lock(&lock);
  fprintf(trace_file,
          "{\"name\":\"%s %s\",\"cat\":\"%s\",\"ph\":\"X\",\"ts\":%.3f,"
          "\"dur\":%.3f,\"pid\":%ld,\"tid\":%ld},\n",
          what, safe, what, (double)begin / 1000.0,
          (double)(end - begin) / 1000.0, (long)getpid(),
          (long)syscall(SYS_gettid));
  fflush(trace_file);
  pthread_mutex_unlock(&lock);
}
