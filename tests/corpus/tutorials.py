"""The kernels of Triton's tutorials 01 to 11, launched as the tutorials do.

Nothing of the tutorials is stored here; run.py is told where they are.
The rules are those of liger/: references in float64, from the definition.
"""

import numpy as np

from harness import case, softmax


@case("01-vector-add.py", "add_kernel")
def vector_add(t):
    x, y, out = t.normal(98432), t.normal(98432), t.poison(98432)
    t.launch((97,), x, y, out, 98432, BLOCK_SIZE=1024)
    t.equal(out, x + y)


@case("02-fused-softmax.py", "softmax_kernel")
def fused_softmax(t):
    x, y = t.normal(183, 781), t.poison(183, 781)
    t.launch((5,), y, x, 781, 781, 183, 781, BLOCK_SIZE=1024, num_stages=4)
    t.close(y, softmax(t.f64(x)))


def half(t, *shape):
    return t.normal(*shape, dtype=np.float16)


def close_half(t, got, want, terms):
    """float16 results of float32 sums: one rounding to float16 more."""
    slack = np.finfo(np.float16).eps / np.finfo(np.float32).eps
    t.close(got, want, terms=terms + slack)


GEMM = dict(BLOCK_SIZE_M=32, BLOCK_SIZE_N=64, BLOCK_SIZE_K=32, GROUP_SIZE_M=8)

for activation in ("", "leaky_relu"):

    @case("03-matrix-multiplication.py", "matmul_kernel", variant=activation or "plain")
    def matmul(t, activation=activation):
        m, n, k = 100, 130, 90
        a, b, c = half(t, m, k), half(t, k, n), t.poison(m, n, dtype=np.float16)
        t.launch((4 * 3,), a, b, c, m, n, k, k, 1, n, 1, n, 1, ACTIVATION=activation, **GEMM)
        want = t.f64(a) @ t.f64(b)
        close_half(t, c, np.where(want >= 0, want, 0.01 * want) if activation else want, k)


@case("04-low-memory-dropout.py", "_dropout")
def dropout(t):
    x, out = t.normal(1000), t.poison(1000)
    keep = t.integers(0, 2, 1000, dtype=np.int32)
    t.launch((1,), x, keep, out, 1000, 0.5, BLOCK_SIZE=1024)
    t.close(out, np.where(keep, t.f64(x) / 0.5, 0))


def philox_uniform(seed, offsets):
    """tl.rand: Philox4x32-10 of the published counter layout, first word."""
    c = [np.array(offsets, np.uint64), np.zeros(len(offsets), np.uint64),
         np.zeros(len(offsets), np.uint64), np.zeros(len(offsets), np.uint64)]
    k0, k1, low = seed & 0xFFFFFFFF, seed >> 32, np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    signed = c[0].astype(np.uint32).view(np.int32)
    positive = np.where(signed < 0, ~signed, signed)
    return positive.astype(np.float32) * np.float32(4.6566127342e-10)


@case("04-low-memory-dropout.py", "_seeded_dropout")
def seeded_dropout(t):
    x, out = t.normal(1000), t.poison(1000)
    t.launch((1,), x, out, 1000, 0.5, 123, BLOCK_SIZE=1024)
    keep = philox_uniform(123, range(1000)) > np.float32(0.5)
    t.close(out, np.where(keep, t.f64(x) / 0.5, 0))


@case("05-layer-norm.py", "_layer_norm_fwd_fused")
def layer_norm_forward(t):
    rows, n = 7, 700
    x, y, w, b = half(t, rows, n), t.poison(rows, n, dtype=np.float16), half(t, n), half(t, n)
    mean, rstd = t.poison(rows), t.poison(rows)
    t.launch((rows,), x, y, w, b, mean, rstd, n, n, 1e-5, BLOCK_SIZE=256)
    v = t.f64(x)
    m, r = v.mean(1), 1 / np.sqrt(v.var(1) + 1e-5)
    t.close(mean, m, scale=1.0, terms=n)
    t.close(rstd, r, terms=n)
    close_half(t, y, (v - m[:, None]) * r[:, None] * t.f64(w) + t.f64(b), n)


@case("05-layer-norm.py", "_layer_norm_bwd_dx_fused")
def layer_norm_backward(t):
    # Programs of one group take turns under a spin lock in global memory.
    rows, n, group = 12, 300, 4
    x, dy, w, dx = t.normal(rows, n), t.normal(rows, n), t.normal(n), t.poison(rows, n)
    v, d = t.f64(x), t.f64(dy)
    mean, rstd = t.array(v.mean(1)), t.array(1 / np.sqrt(v.var(1) + 1e-5))
    dw, db, locks = t.zeros(group, n), t.zeros(group, n), t.zeros(2 * group, dtype=np.int32)
    t.launch((rows,), dx, dy, dw, db, x, w, mean, rstd, locks, n, n, GROUP_SIZE_M=group,
             BLOCK_SIZE_N=512)
    r = t.f64(rstd)[:, None]
    hat = (v - t.f64(mean)[:, None]) * r
    wdy = t.f64(w) * d
    c1, c2 = (hat * wdy).mean(1, keepdims=True), wdy.mean(1, keepdims=True)
    t.close(dx, (wdy - (hat * c1 + c2)) * r, terms=n)
    t.close(dw.sum(0, dtype=np.float64), (d * hat).sum(0), terms=rows)
    t.close(db.sum(0, dtype=np.float64), d.sum(0), terms=rows)
    t.equal(locks, np.array([0] * group + [1] * group, np.int32))


@case("05-layer-norm.py", "_layer_norm_bwd_dwdb")
def layer_norm_reduce(t):
    rows, n = 50, 300
    dw, db, fw, fb = t.normal(rows, n), t.normal(rows, n), t.poison(n), t.poison(n)
    t.launch((3,), dw, db, fw, fb, rows, n, BLOCK_SIZE_M=32, BLOCK_SIZE_N=128)
    t.close(fw, t.f64(dw).sum(0), terms=rows)
    t.close(fb, t.f64(db).sum(0), terms=rows)


def attention_reference(q, k, v, scale, causal):
    s = q @ k.swapaxes(-1, -2) * scale
    if causal:
        s = np.where(np.tri(s.shape[-1], dtype=bool), s, -np.inf)
    top = s.max(-1, keepdims=True)
    e = np.exp(s - top)
    total = e.sum(-1, keepdims=True)
    return e / total @ v, (top + np.log(total))[..., 0], e / total


for causal in (False, True):

    @case("06-fused-attention.py", "_attn_fwd", variant=f"causal={causal}")
    def attention_forward(t, causal=causal):
        z, h, n, d = 1, 2, 128, 64
        q, k, v = (half(t, z * h * n, d) for _ in range(3))
        o, m = t.poison(z * h * n, d, dtype=np.float16), t.poison(z * h, n)
        # Pointers, from which the kernel makes its own descriptors.
        t.launch((2, z * h), 0.125, m, z, h, q, k, v, o, N_CTX=n, HEAD_DIM=d, BLOCK_M=64, BLOCK_N=32,
                 FP8_OUTPUT=False, STAGE=3 if causal else 1, warp_specialize=False, IS_HOPPER=False)
        split = [t.f64(a).reshape(z * h, n, d) for a in (q, k, v)]
        want, lse, _ = attention_reference(*split, 0.125, causal)
        t.close(m, lse * np.log2(np.e), terms=n)
        # P is rounded to float16 before the second product.
        close_half(t, o.reshape(want.shape), want, n + 2**12)


@case("06-fused-attention.py", "_attn_bwd_preprocess")
def attention_preprocess(t):
    o, do, delta = half(t, 2, 128, 64), half(t, 2, 128, 64), t.poison(2, 128)
    t.launch((2, 2), o, do, delta, 1, 2, 128, BLOCK_M=64, HEAD_DIM=64)
    t.close(delta, (t.f64(o) * t.f64(do)).sum(2), scale=1.0, terms=64)


@case("06-fused-attention.py", "_attn_bwd")
def attention_backward(t):
    z, h, n, d, scale = 1, 2, 128, 64, 0.5
    q, k, v, do = (half(t, z, h, n, d) for _ in range(4))
    q64, k64, v64, g = (t.f64(a) for a in (q, k, v, do))
    out, lse, p = attention_reference(q64, k64, v64, scale, True)
    delta = (out * g).sum(-1)
    scaled = t.array(k64 * (scale * np.log2(np.e)), np.float16)
    dq, dk, dv = (t.poison(z, h, n, d) for _ in range(3))
    t.launch((1, 1, z * h), q, scaled, v, scale, do, dq, dk, dv, t.array(lse * np.log2(np.e)),
             t.array(delta), h * n * d, n * d, d, 1, h, n, BLOCK_M1=32, BLOCK_N1=128, BLOCK_M2=128,
             BLOCK_N2=32, BLK_SLICE_FACTOR=2, HEAD_DIM=d, CAUSAL=True)
    ds = p * (g @ v64.swapaxes(-1, -2) - delta[..., None])
    # P and dS are rounded to float16, and so is the scaled K.
    for got, want in ((dv, p.swapaxes(-1, -2) @ g), (dk, ds.swapaxes(-1, -2) @ q64 * scale),
                      (dq, ds @ k64 * scale)):
        close_half(t, got, want, n + 2**13)


@case("07-extern-functions.py", "asin_kernel")
def asin(t):
    x, y = t.array(t.rng.uniform(-1, 1, 9000)), t.poison(9000)
    t.launch((9,), x, y, 9000, BLOCK_SIZE=1024)
    t.close(y, np.arcsin(t.f64(x)))


def grouped(t):
    shapes = [(64, 32, 64), (32, 64, 32)]
    a = [half(t, m, k) for m, n, k in shapes]
    b = [half(t, k, n) for m, n, k in shapes]
    c = [t.poison(m, n, dtype=np.float16) for m, n, k in shapes]
    addresses = [np.array([x.ctypes.data for x in group], np.int64) for group in (a, b, c)]
    sizes = np.array(shapes, np.int32)
    return shapes, a, b, c, addresses, sizes


@case("08-grouped-gemm.py", "grouped_matmul_kernel")
def grouped_gemm(t):
    # The pointers of each product are loaded from memory.
    shapes, a, b, c, (pa, pb, pc), sizes = grouped(t)
    leading = np.array([(k, n, n) for m, n, k in shapes], np.int32)
    t.launch((3,), pa, pb, pc, sizes, leading, 2, NUM_SM=3, BLOCK_SIZE_M=32, BLOCK_SIZE_N=32,
             BLOCK_SIZE_K=32)
    for x, y, z in zip(a, b, c):
        close_half(t, z, t.f64(x) @ t.f64(y), x.shape[1])


@case("08-grouped-gemm.py", "grouped_matmul_tma_kernel")
def grouped_gemm_descriptors(t):
    shapes, a, b, c, (pa, _, pc), sizes = grouped(t)
    transposed = [t.array(x.T, np.float16) for x in b]
    pb = np.array([x.ctypes.data for x in transposed], np.int64)
    leading = np.array([(k, k, n) for m, n, k in shapes], np.int32)
    t.launch((3,), pa, pb, pc, sizes, leading, 2, NUM_SM=3, BLOCK_SIZE_M=32, BLOCK_SIZE_N=32,
             BLOCK_SIZE_K=32, FP8=False)
    for x, y, z in zip(a, b, c):
        close_half(t, z, t.f64(x) @ t.f64(y), x.shape[1])


@case("09-persistent-matmul.py", "matmul_kernel")
def tutorial9_plain(t):
    m, n, k = 100, 136, 90
    a, b, c = half(t, m, k), half(t, n, k), t.poison(m, n, dtype=np.float16)
    t.launch((4 * 3,), a, b, c, m, n, k, k, 1, 1, k, n, 1, **GEMM)
    close_half(t, c, t.f64(a) @ t.f64(b).T, k)


@case("09-persistent-matmul.py", "matmul_kernel_tma")
def tutorial9_descriptors(t):
    m, n, k = 100, 136, 96
    a, b, c = half(t, m, k), half(t, n, k), t.poison(m, n, dtype=np.float16)
    t.launch((4 * 3,), t.descriptor(a, (32, 32)), t.descriptor(b, (64, 32)), t.descriptor(c, (32, 64)),
             m, n, k, FP8_OUTPUT=False, WARP_SPECIALIZE=False, **GEMM)
    close_half(t, c, t.f64(a) @ t.f64(b).T, k)


@case("09-persistent-matmul.py", "matmul_kernel_persistent")
def tutorial9_persistent(t):
    m, n, k = 100, 136, 90
    a, b, c = half(t, m, k), half(t, n, k), t.poison(m, n, dtype=np.float16)
    t.launch((5,), a, b, c, m, n, k, k, 1, 1, k, n, 1, NUM_SMS=5, **GEMM)
    close_half(t, c, t.f64(a) @ t.f64(b).T, k)


for subtile in (False, True):

    @case("09-persistent-matmul.py", "matmul_kernel_tma_persistent", variant=f"subtile={subtile}")
    def tutorial9_tma_persistent(t, subtile=subtile):
        m, n, k = 100, 136, 96
        a, b, c = half(t, m, k), half(t, n, k), t.poison(m, n, dtype=np.float16)
        t.launch((5,), t.descriptor(a, (32, 32)), t.descriptor(b, (64, 32)),
                 t.descriptor(c, (32, 32 if subtile else 64)), m, n, k, FP8_OUTPUT=False,
                 EPILOGUE_SUBTILE=subtile, NUM_SMS=5, WARP_SPECIALIZE=False, **GEMM)
        close_half(t, c, t.f64(a) @ t.f64(b).T, k)

    @case("09-persistent-matmul.py", "matmul_kernel_tma_clc", variant=f"subtile={subtile}")
    def tutorial9_tma_clc(t, subtile=subtile):
        # What its launch option asks of a scheduler is not in the kernel's text.
        m, n, k = 100, 136, 96
        a, b, c = half(t, m, k), half(t, n, k), t.poison(m, n, dtype=np.float16)
        t.launch((4 * 3,), t.descriptor(a, (32, 32)), t.descriptor(b, (64, 32)),
                 t.descriptor(c, (32, 32 if subtile else 64)), m, n, k, FP8_OUTPUT=False,
                 EPILOGUE_SUBTILE=subtile, WARP_SPECIALIZE=False, **GEMM)
        close_half(t, c, t.f64(a) @ t.f64(b).T, k)

    @case("09-persistent-matmul.py", "matmul_kernel_descriptor_persistent", variant=f"subtile={subtile}")
    def tutorial9_descriptor_persistent(t, subtile=subtile):
        m, n, k = 100, 136, 96
        a, b, c = half(t, m, k), half(t, n, k), t.poison(m, n, dtype=np.float16)
        t.launch((5,), a, b, c, m, n, k, EPILOGUE_SUBTILE=subtile, NUM_SMS=5, WARP_SPECIALIZE=False,
                 FLATTEN=True, **GEMM)
        close_half(t, c, t.f64(a) @ t.f64(b).T, k)


@case("10-block-scaled-matmul.py", "block_scaled_matmul_kernel")
def block_scaled(t):
    # e4m3 x e4m3 with one power-of-two scale per 32 values, scales stored in
    # the tutorial's 5-D order: (rep, 32, 4, 4) tiles of 128 rows by 4 scales.
    m, n, k, block = 128, 128, 256, 128
    rep = block // 32 // 4

    def operand(rows):
        codes = t.integers(0, 0x70, (rows, k), dtype=np.uint8) | (t.integers(0, 2, (rows, k), np.uint8) << 7)
        codes = t.array(codes, np.uint8)
        exponents = t.integers(124, 130, (rows, k // 32), dtype=np.uint8)
        tiles = exponents.reshape(rows // 128, 4, 32, k // 128, 4).transpose(0, 3, 2, 1, 4)
        return codes, exponents, t.array(tiles.reshape(1, rows // 128, k // 128, 2, 256), np.uint8)

    def decode(codes, exponents):
        sign = np.where(codes & 0x80, -1.0, 1.0)
        exponent, mantissa = (codes >> 3 & 15).astype(int), (codes & 7) / 8
        value = np.where(exponent == 0, mantissa * 2.0**-6, (1 + mantissa) * 2.0**(exponent - 7))
        return sign * value * np.repeat(2.0**(exponents.astype(int) - 127), 32, 1)

    a, ea, sa = operand(m)
    b, eb, sb = operand(n)
    c = t.poison(m, n)
    scale_block = (1, rep if rep > 1 else 1, 1, 2, 256)
    t.launch((1,), t.descriptor(a, (block, block), "fp8e4nv"), t.descriptor(sa, scale_block),
             t.descriptor(b, (block, block), "fp8e4nv"), t.descriptor(sb, scale_block),
             t.descriptor(c, (block, block)), M=m, N=n, K=k, output_type=0, ELEM_PER_BYTE_A=1,
             ELEM_PER_BYTE_B=1, VEC_SIZE=32, BLOCK_M=block, BLOCK_N=block, BLOCK_K=block, rep_m=1,
             rep_n=1, rep_k=1, NUM_STAGES=2, disallow_acc_multi_buffer=False)
    want = decode(a, ea) @ decode(b, eb).T
    t.close(c, want, terms=k, scale=(np.abs(decode(a, ea)) @ np.abs(decode(b, eb)).T).max())


E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])

for nonkdim in (16, 32):

    @case("10-block-scaled-matmul.py", "block_scaled_matmul_kernel_cdna4", variant=f"nonkdim={nonkdim}")
    def block_scaled_pairs(t, nonkdim=nonkdim):
        # e2m1 x e2m1, two to a byte; scales in the order of an AMD instruction.
        m, n, k = 64, 96, 512

        def operand(rows):
            codes = t.integers(0, 16, (rows, k), np.uint8)
            exponents = t.integers(124, 128, (rows, k // 32), np.uint8)
            order = ((0, 2, 4, 1, 3), (rows // 32, 32, k // 256, 4, 2)) if nonkdim == 32 else (
                (0, 3, 5, 2, 4, 1), (rows // 32, 2, 16, k // 256, 2, 4))
            stored = exponents.reshape(order[1]).transpose(order[0]).reshape(rows // 32, k)
            values = E2M1[codes] * np.repeat(2.0**(exponents.astype(int) - 127), 32, 1)
            return t.array(codes[:, ::2] | codes[:, 1::2] << 4, np.uint8), t.array(stored, np.uint8), values

        (a, sa, va), (b, sb, vb) = operand(m), operand(n)
        c = t.poison(m, n)
        # Blocks are full, as in the tutorial; B is read transposed.
        t.launch((2 * 3,), a, b, c, sa, sb, m, n, k // 2, k // 2, 1, 1, k // 2, 0, n, 1, k, 1, k, 1,
                 BLOCK_M=32, BLOCK_N=32, BLOCK_K=256, mfma_nonkdim=nonkdim)
        t.close(c, va @ vb.T, terms=k, scale=(np.abs(va) @ np.abs(vb).T).max())


@case("11-programmatic-dependent-launch.py", "add_kernel")
def dependent_launch(t):
    x, y, out = t.normal(5000), t.normal(5000), t.poison(5000)
    t.launch((5,), x, y, out, 5000, BLOCK_SIZE=1024, USE_GDC=False)
    t.equal(out, x + y)
