// runtime/hash.h - checksums of a pack's parts, and its signature (internal).

#ifndef NEREID_RUNTIME_HASH_H
#define NEREID_RUNTIME_HASH_H

#include "nereid/status.h"

#include <stddef.h>
#include <stdint.h>

// XXH3, 64 bits, seed 0: finds damage.
uint64_t nrd_hash(const void *bytes, size_t size);

typedef struct nrd_span_t {
  const void *bytes;
  size_t size;
} nrd_span_t;

// Signatures need libsodium, which is opened by name when the first pack with
// an expected key is opened. NRD_UNAVAILABLE if it is not installed.
nrd_status_t nrd_sodium_load(void);

// BLAKE2b-256 of the spans one after the other: finds tampering. Only after
// nrd_sodium_load.
void nrd_blake2b(const nrd_span_t *spans, size_t count, uint8_t out_hash[32]);

// Returns 1 if |signature| is |key|'s Ed25519 signature of the message.
int nrd_signature_holds(const uint8_t signature[64], const void *message,
                        size_t size, const uint8_t key[32]);

#endif // NEREID_RUNTIME_HASH_H
