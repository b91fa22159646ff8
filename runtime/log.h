// runtime/log.h - what NRD_LOG and NRD_TRACE ask for (internal).

#ifndef NEREID_RUNTIME_LOG_H
#define NEREID_RUNTIME_LOG_H

#include "nereid/runtime.h"
#include "runtime/error.h"

// Costs one load when nobody listens.
NRD_PRINTF(2, 3)
void nrd_log(nrd_log_level_t level, const char *format, ...);
int nrd_log_enabled(nrd_log_level_t level);

// The timeline. Returns 0 when NRD_TRACE is not set, else now in nanoseconds.
uint64_t nrd_trace_begin(void);
// Writes the event |what| ("bind") of |name| from |begin| (if not 0) to now.
void nrd_trace_end(uint64_t begin, const char *what, const char *name);

// Nanoseconds of a clock that never goes back.
uint64_t nrd_now(void);

#endif // NEREID_RUNTIME_LOG_H
