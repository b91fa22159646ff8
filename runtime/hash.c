// runtime/hash.c - checksums of a pack's parts, and its signature.

#include "runtime/hash.h"

#include "runtime/dylib.h"
#include "runtime/error.h"

#include <pthread.h>

// One inlined copy, and only of what is called: the library stays small.
#define XXH_INLINE_ALL
#define XXH_NO_STREAM
#define XXH_NO_STDLIB
#include <xxhash.h>

uint64_t nrd_hash(const void *bytes, size_t size) {
  return XXH3_64bits(bytes, size);
}

static struct {
#define NRD_SODIUM_FN(type, name, parameters) type(*name) parameters;
#include "runtime/sodium_api.def"
#undef NRD_SODIUM_FN
} sodium;

static const char symbols[] =
#define NRD_SODIUM_FN(type, name, parameters) "!" #name "\0"
#include "runtime/sodium_api.def"
#undef NRD_SODIUM_FN
    ;

nrd_status_t nrd_sodium_load(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static nrd_dylib_t library;
  static const char *const names[] = {"libsodium.so.26", "libsodium.so.23",
                                      "libsodium.so", NULL};
  pthread_mutex_lock(&lock);
  nrd_status_t status = NRD_OK;
  if (!library.handle) {
    status = nrd_dylib_open(names, symbols, &sodium,
                            "libsodium, which checks signatures", &library);
    if (status == NRD_OK && sodium.sodium_init() < 0) {
      nrd_dylib_close(&library);
      status = nrd_fail(NRD_UNAVAILABLE, "libsodium could not start");
    }
  }
  pthread_mutex_unlock(&lock);
  return status;
}

void nrd_blake2b(const nrd_span_t *spans, size_t count, uint8_t out_hash[32]) {
  _Alignas(64) uint8_t state[512]; // libsodium's is 384 bytes, aligned to 64
  sodium.crypto_generichash_blake2b_init(state, NULL, 0, 32);
  for (size_t i = 0; i < count; ++i)
    sodium.crypto_generichash_blake2b_update(state, spans[i].bytes,
                                             spans[i].size);
  sodium.crypto_generichash_blake2b_final(state, out_hash, 32);
}

int nrd_signature_holds(const uint8_t signature[64], const void *message,
                        size_t size, const uint8_t key[32]) {
  return sodium.crypto_sign_verify_detached(signature, message, size, key) == 0;
}
