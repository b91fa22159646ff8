// runtime/driver/cpu/features.h - what this processor can run, by its feature
// bits and never by its model: virtual machines hide the model (internal).

#ifndef NEREID_RUNTIME_DRIVER_CPU_FEATURES_H
#define NEREID_RUNTIME_DRIVER_CPU_FEATURES_H

#include <stddef.h>

// The highest level that the processor and the operating system support:
// "x86-64-v4". "" on a processor that no kernels are compiled for.
const char *nrd_cpu_level(void);

// Asks the operating system to let this process use the AMX tiles, once. The
// grant also enlarges signal frames, so it is asked for only when an AMX kernel
// is about to be loaded. Returns 1, or 0 with errno set.
int nrd_cpu_request_amx(void);

// The processor's name, as the operating system or the processor gives it.
void nrd_cpu_model(char *text, size_t capacity);

#endif // NEREID_RUNTIME_DRIVER_CPU_FEATURES_H
