// peers.h - plain C that the benchmarks compare with.

#ifndef NEREID_TESTS_BENCH_PEERS_H
#define NEREID_TESTS_BENCH_PEERS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// a[i] = b[i] + scale * c[i] for |count| elements, on |threads| threads.
void peer_triad(float *a, const float *b, const float *c, float scale,
                size_t count, int threads);

// softmax(scale * q k^T) v for |heads| heads of |seq| rows of |width|, as one
// writes it down: a row of scores, its exponentials, their weighted sum.
void peer_attention(const float *q, const float *k, const float *v, float *o,
                    float scale, int heads, int seq, int width, int threads);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEREID_TESTS_BENCH_PEERS_H
