"""The common kernels of tests/conformance/kernels/tile_kernels.py as cases of
this harness, with float64 references: for ttir.py, which needs launches as
Triton's are."""

import numpy as np

from harness import case, softmax

FILE = "tile_kernels.py"


@case(FILE, "vector_add")
def vector_add(t):
    x, y, out = t.normal(3001), t.normal(3001), t.poison(3001)
    t.launch((3,), x, y, out, 3001, BLOCK=1024)
    t.close(out, t.f64(x) + t.f64(y))


@case(FILE, "row_softmax")
def row_softmax(t):
    x, out = t.normal(9, 700), t.poison(9, 700)
    t.launch((9,), out, x, 700, 700, 700, BLOCK=1024)
    t.close(out, softmax(t.f64(x)), terms=700)


@case(FILE, "layer_norm")
def layer_norm(t):
    x, w, b, y = t.normal(7, 1000), t.normal(1000), t.normal(1000), t.poison(7, 1000)
    mean, rstd = t.poison(7), t.poison(7)
    t.launch((7,), x, w, b, y, mean, rstd, 1000, 1000, 1e-5, BLOCK=1024)
    v = t.f64(x)
    scale = 1 / np.sqrt(v.var(1, keepdims=True) + 1e-5)
    t.close(y, (v - v.mean(1, keepdims=True)) * scale * t.f64(w) + t.f64(b), terms=1000)
    t.close(rstd, scale[:, 0], terms=1000)


@case(FILE, "matmul")
def matmul(t):
    m, n, k = 100, 130, 70
    a, b, c = t.normal(m, k), t.normal(k, n), t.poison(m, n)
    t.launch((4 * 5,), a, b, c, m, n, k, k, 1, n, 1, n, 1, BLOCK_M=32, BLOCK_N=32, BLOCK_K=32, GROUP_M=4)
    t.close(c, t.f64(a) @ t.f64(b), terms=k)


@case(FILE, "matmul_desc")
def matmul_desc(t):
    m, n, k = 96, 80, 64
    a, b, c = t.normal(m, k), t.normal(n, k), t.poison(m, n)
    t.launch((4,), a, b, c, m, n, k, BLOCK_M=32, BLOCK_N=32, BLOCK_K=32, GROUP_M=2, NUM_SMS=4, WARP_SPECIALIZE=False)
    t.close(c, t.f64(a) @ t.f64(b).T, terms=k)


@case(FILE, "attention_fwd")
def attention_fwd(t):
    heads, seq, size = 2, 160, 64
    q, k, v = (t.normal(1, heads, seq, size) for _ in range(3))
    out, lse = t.poison(1, heads, seq, size), t.poison(1, heads, seq)
    t.launch((3, heads), q, k, v, out, lse, size**-0.5, seq, CAUSAL=True, HEAD_DIM=size, BLOCK_M=64, BLOCK_N=32)
    scores = t.f64(q) @ t.f64(k).swapaxes(-1, -2) * size**-0.5
    scores[..., np.triu(np.ones((seq, seq), bool), 1)] = -np.inf
    t.close(out, softmax(scores) @ t.f64(v), terms=seq + size)
