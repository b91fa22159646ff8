// peers.c - plain C that the benchmarks compare with, compiled with -O3
// -march=native and no intrinsics, pragmas or fast-math.

#include "tests/bench/peers.h"

#include <math.h>
#include <stdlib.h>

void peer_triad(float *a, const float *b, const float *c, float scale,
                size_t count, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t i = 0; i < count; i++)
    a[i] = b[i] + scale * c[i];
}

static void attention_row(const float *query, const float *k, const float *v,
                          float *out, float scale, int seq, int width,
                          float *weights) {
  float highest = -INFINITY;
  for (int j = 0; j < seq; j++) {
    float score = 0;
    for (int d = 0; d < width; d++)
      score += query[d] * k[(size_t)j * width + d];
    weights[j] = score * scale;
    if (weights[j] > highest)
      highest = weights[j];
  }
  float sum = 0;
  for (int j = 0; j < seq; j++) {
    weights[j] = expf(weights[j] - highest);
    sum += weights[j];
  }
  for (int d = 0; d < width; d++)
    out[d] = 0;
  for (int j = 0; j < seq; j++)
    for (int d = 0; d < width; d++)
      out[d] += weights[j] * v[(size_t)j * width + d];
  for (int d = 0; d < width; d++)
    out[d] /= sum;
}

void peer_attention(const float *q, const float *k, const float *v, float *o,
                    float scale, int heads, int seq, int width, int threads) {
#pragma omp parallel num_threads(threads)
  {
    float *weights = malloc((size_t)seq * sizeof(float));
#pragma omp for schedule(static)
    for (int row = 0; row < heads * seq; row++) {
      size_t base = (size_t)(row / seq) * seq * width;
      if (weights)
        attention_row(q + (size_t)row * width, k + base, v + base,
                      o + (size_t)row * width, scale, seq, width, weights);
    }
    free(weights);
  }
}
