# The six common kernels, in every floating type, on shapes that fit no block, with strides that are not contiguous.
from harness import *

DTYPES = FLOATS


@each(dtype=DTYPES, n=(1, 17, 1000, 8193), block=(256, 1024), random=dict(n=sizes(1, 20000)))
def vector_add(c, dtype, n, block):
    x, y, out = c.normal(dtype, n), c.normal(dtype, n), c.empty(dtype, n)
    c.launch("vector_add", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(BLOCK=block), grid=(cdiv(n, block),))
    total = x.value + y.value
    # fp16 and bf16 are added in their own type or in fp32 and then rounded: either way one rounding, or two.
    c.expect(out, total, 2 * rounding(dtype, total))


# The largest |argument - result| of an exponential known to 2 ulp, over the argument's own error.
EXP_ULPS = 4


@each(dtype=DTYPES, rows=(3, 29), cols=(1, 100, 777), pad=(0, 13), random=dict(rows=sizes(1, 60), cols=sizes(1, 1024),
                                                                               pad=sizes(1, 40)))
def row_softmax(c, dtype, rows, cols, pad):
    block = next_power_of_2(max(cols, 512))
    x = c.normal(dtype, (rows, cols), strides=(cols + pad, 1), scale=3.0)
    y = c.empty(dtype, (rows, cols), strides=(cols + 2 * pad, 1))
    c.launch("row_softmax", out_ptr=y, in_ptr=x, in_stride=cols + pad, out_stride=cols + 2 * pad, n_cols=cols,
             const=dict(BLOCK=block), grid=(rows,))
    shifted = x.value - x.value.max(axis=1, keepdims=True)
    numerator = np.exp(shifted)
    exact = numerator / numerator.sum(axis=1, keepdims=True)
    # exp of an argument off by u |argument|, in the numerator and at worst as much in the denominator, whose sum adds
    # one rounding per term; then a division.
    u = unit("fp32")
    relative = 2 * (EXP_ULPS * u + np.abs(shifted).max(axis=1, keepdims=True) * u) + gamma(cols + 2)
    c.expect(y, exact, stored(dtype, exact, exact * relative))


@each(dtype=DTYPES, rows=(2, 31), cols=(1, 65, 1000), pad=(0, 7), random=dict(rows=sizes(1, 60), cols=sizes(1, 1024),
                                                                             pad=sizes(1, 40)))
def layer_norm(c, dtype, rows, cols, pad):
    block, eps = next_power_of_2(max(cols, 512)), 1e-5
    stride = cols + pad
    x = c.normal(dtype, (rows, cols), strides=(stride, 1), scale=2.0, shift=0.5)
    w, b = c.normal(dtype, cols), c.normal(dtype, cols)
    y = c.empty(dtype, (rows, cols), strides=(stride, 1))
    mean, rstd = c.empty("fp32", rows), c.empty("fp32", rows)
    c.launch("layer_norm", x_ptr=x, w_ptr=w, b_ptr=b, y_ptr=y, mean_ptr=mean, rstd_ptr=rstd, stride=stride,
             n_cols=cols, eps=eps, const=dict(BLOCK=block), grid=(rows,))
    u = unit("fp32")
    eps = float(np.float32(eps))
    exact_mean = x.value.mean(axis=1)
    mean_error = gamma(cols + 1) * np.abs(x.value).mean(axis=1)
    centred = x.value - exact_mean[:, None]
    variance = (centred**2).mean(axis=1)
    exact_rstd = 1 / np.sqrt(variance + eps)
    # An error d of the mean moves the sum of squares by n d^2 (the centred values add to zero) and by the rounding of
    # each difference; the sum itself has one rounding per term.
    variance_error = mean_error**2 + gamma(cols + 4) * variance + 2 * u * np.sqrt(variance) * (
        np.abs(x.value).max(axis=1) + np.abs(exact_mean)) + u * eps
    # rstd falls with the variance: take the far ends rather than the derivative, which fails near zero.
    least = np.maximum(variance - variance_error, 0) + eps * (1 - 2 * u)
    rstd_error = np.maximum(1 / np.sqrt(least) - exact_rstd,
                            exact_rstd - 1 / np.sqrt(variance + variance_error + eps)) + 4 * u * exact_rstd
    scaled = centred * exact_rstd[:, None] * w.value
    exact = scaled + b.value
    centred_error = mean_error[:, None] + u * (np.abs(centred) + mean_error[:, None])
    error = np.abs(w.value) * (centred_error * (exact_rstd + rstd_error)[:, None] +
                               np.abs(centred) * rstd_error[:, None]) + gamma(4) * (np.abs(scaled) + np.abs(b.value))
    c.expect(mean, exact_mean, stored("fp32", exact_mean, mean_error))
    c.expect(rstd, exact_rstd, stored("fp32", exact_rstd, rstd_error))
    c.expect(y, exact, stored(dtype, exact, error))


# M, N, K; none a multiple of a block except the last, where every tile is interior.
SHAPES = ((1, 1, 1), (33, 70, 41), (130, 129, 95), (128, 128, 128))
BLOCKS = ((32, 32, 32), (64, 32, 16), (128, 128, 32), (16, 64, 64))


def matmul_bound(c, dtype, a, b, k):
    """Products of the inputs are exact or rounded once, sums one rounding per term, in fp32."""
    exact = a @ b
    return exact, stored(dtype, exact, c.dot_gamma(dtype, k + 2) * (np.abs(a) @ np.abs(b)))


@each(dtype=DTYPES, shape=SHAPES, blocks=BLOCKS, layout=("row", "column", "padded"),
      random=dict(shape=lambda rng: tuple(sizes(1, 200)(rng) for _ in range(3))))
def matmul(c, dtype, shape, blocks, layout):
    m, n, k = shape
    block_m, block_n, block_k = blocks
    if layout == "row":
        a_strides, b_strides, c_strides = (k, 1), (n, 1), (n, 1)
    elif layout == "column":
        a_strides, b_strides, c_strides = (1, m), (1, k), (1, m)
    else:
        a_strides, b_strides, c_strides = (2 * k + 6, 2), (3 * n + 3, 3), (2 * n + 5, 2)
    a = c.normal(dtype, (m, k), strides=a_strides)
    b = c.normal(dtype, (k, n), strides=b_strides)
    out = c.empty(dtype, (m, n), strides=c_strides)
    c.launch("matmul", a_ptr=a, b_ptr=b, c_ptr=out, M=m, N=n, K=k, stride_am=a_strides[0], stride_ak=a_strides[1],
             stride_bk=b_strides[0], stride_bn=b_strides[1], stride_cm=c_strides[0], stride_cn=c_strides[1],
             const=dict(BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_K=block_k, GROUP_M=3),
             grid=(cdiv(m, block_m) * cdiv(n, block_n),))
    c.expect(out, *matmul_bound(c, dtype, a.value, b.value, k))


@each(dtype=DTYPES, shape=((33, 70, 41), (130, 129, 95)), blocks=((32, 32, 32), (128, 128, 32)),
      random=dict(shape=lambda rng: tuple(sizes(1, 200)(rng) for _ in range(3))))
def matmul_unit_strides(c, dtype, shape, blocks):
    """Inner strides of 1 as constants of the pack, as a user's manifest would have them."""
    m, n, k = shape
    block_m, block_n, block_k = blocks
    a, b, out = c.normal(dtype, (m, k)), c.normal(dtype, (k, n)), c.empty(dtype, (m, n))
    c.launch("matmul", a_ptr=a, b_ptr=b, c_ptr=out, M=m, N=n, K=k, stride_am=k, stride_bk=n, stride_cm=n,
             fixed=dict(stride_ak=1, stride_bn=1, stride_cn=1),
             const=dict(BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_K=block_k, GROUP_M=8),
             grid=(cdiv(m, block_m) * cdiv(n, block_n),))
    c.expect(out, *matmul_bound(c, dtype, a.value, b.value, k))


@each(dtype=DTYPES, shape=((40, 72, 48), (136, 128, 96)), blocks=((32, 32, 32), (64, 64, 16)), programs=(1, 5),
      warp_specialize=(False, True), random=dict(shape=lambda rng: tuple(8 * sizes(1, 25)(rng) for _ in range(3))))
def matmul_desc(c, dtype, shape, blocks, programs, warp_specialize):
    m, n, k = shape
    block_m, block_n, block_k = blocks
    # Descriptors want rows of a multiple of 16 bytes, so these shapes are multiples of 8 and still fit no block.
    a, b, out = c.normal(dtype, (m, k)), c.normal(dtype, (n, k)), c.empty(dtype, (m, n))
    c.launch("matmul_desc", a_ptr=a, b_ptr=b, c_ptr=out, M=m, N=n, K=k,
             const=dict(BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_K=block_k, GROUP_M=2, NUM_SMS=programs,
                        WARP_SPECIALIZE=warp_specialize), grid=(programs,))
    c.expect(out, *matmul_bound(c, dtype, a.value, b.value.T, k))


@each(dtype=DTYPES, causal=(False, True), heads=(1, 3), seq=(1, 100, 257), width=(16, 64),
      blocks=((32, 32), (64, 32)), random=dict(seq=sizes(1, 400)))
def attention_fwd(c, dtype, causal, heads, seq, width, blocks):
    attention(c, dtype, causal, heads, seq, width, blocks, warps=4)


# Two warpgroups whose tiles fill a multiprocessor.
@each(dtype=("fp16",), causal=(False, True), heads=(2,), seq=(1, 300), width=(128,), blocks=((128, 128),))
def attention_fwd_wide(c, dtype, causal, heads, seq, width, blocks):
    attention(c, dtype, causal, heads, seq, width, blocks, warps=8)


def attention(c, dtype, causal, heads, seq, width, blocks, warps):
    block_m, block_n = blocks
    q, k, v = (c.normal(dtype, (heads, seq, width)) for _ in range(3))
    o, lse = c.empty(dtype, (heads, seq, width)), c.empty("fp32", (heads, seq))
    scale = float(np.float32(width**-0.5))
    c.launch("attention_fwd", q_ptr=q, k_ptr=k, v_ptr=v, o_ptr=o, lse_ptr=lse, scale=scale, seq=seq,
             const=dict(CAUSAL=causal, HEAD_DIM=width, BLOCK_M=block_m, BLOCK_N=block_n),
             grid=(cdiv(seq, block_m), heads), warps=warps)
    u = unit("fp32")
    log2e = 1.4426950408889634
    keys = np.swapaxes(k.value, 1, 2)
    scores = q.value @ keys * (scale * log2e)
    # A score: one rounding per term of the dot product, two for the scale.
    score_error = (c.dot_gamma(dtype, width + 4) * (np.abs(q.value) @ np.abs(keys)) * (scale * log2e)).max(axis=2, keepdims=True)
    if causal:
        scores = np.where(np.tril(np.ones((seq, seq), dtype=bool)), scores, -np.inf)
    highest = scores.max(axis=2, keepdims=True)
    weights = np.exp2(scores - highest)
    total = weights.sum(axis=2, keepdims=True)
    exact = weights / total @ v.value
    exact_lse = (highest + np.log2(total))[..., 0]
    spread = np.where(np.isfinite(scores), np.abs(scores - highest), 0).max(axis=2, keepdims=True)
    blocks_seen = cdiv(seq, block_n)
    # A weight: the error of its score and of the maximum (natural units), the exponential's own, and one rescaling per
    # block of keys. It is rounded to the type of v for the second product, but not in the denominator.
    relative = np.log(2) * 2 * (score_error + u * spread) + gamma(blocks_seen * (EXP_ULPS + 2) + EXP_ULPS)
    rounded = unit(dtype) if dtype != "fp32" else 0.0
    error = (2 * relative + 2 * c.dot_gamma(dtype, seq + 2) + rounded) * (weights / total @ np.abs(v.value))
    # Weights below the smallest number of the type vanish.
    error = error + rounding(dtype, 0.0) * np.abs(v.value).sum(axis=1, keepdims=True) / total
    lse_error = 2 * (relative[..., 0] + gamma(seq + 2)) / np.log(2) + score_error[..., 0] + 4 * u * (
        np.abs(exact_lse) + np.abs(highest[..., 0]) + 1)
    c.expect(o, exact, stored(dtype, exact, error))
    c.expect(lse, exact_lse, stored("fp32", exact_lse, lse_error))
