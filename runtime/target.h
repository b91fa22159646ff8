// runtime/target.h - which images run on which devices, as the vendors define
// it (internal).

#ifndef NEREID_RUNTIME_TARGET_H
#define NEREID_RUNTIME_TARGET_H

#include "runtime/error.h"

// Says how well an image built for |image| suits a device of target |device|
// ("sm_90", "gfx942:sramecc+:xnack-", "x86-64-v4"): 0 if it cannot run there,
// with the reason added to |why| (optional); else the higher the better.
int nrd_target_rank(const char *device, const char *image, nrd_text_t *why);

// Returns 1 if |image| is for the same maker's devices as |device|.
int nrd_target_same_family(const char *device, const char *image);

// Returns 1 if |target| is a word of a family that this library knows.
int nrd_target_is_known(const char *target);

#endif // NEREID_RUNTIME_TARGET_H
