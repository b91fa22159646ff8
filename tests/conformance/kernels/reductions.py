# Reductions: sum, max, min, their indices, custom combine functions, over every axis and type.
import triton
import triton.language as tl


@triton.jit
def reduce_rows(x_ptr, out_ptr, rows, cols, stride, OP: tl.constexpr, OTHER: tl.constexpr, BM: tl.constexpr,
                BN: tl.constexpr):
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.arange(0, BN)
    mask = (i[:, None] < rows) & (j[None, :] < cols)
    x = tl.load(x_ptr + i[:, None] * stride + j[None, :], mask=mask, other=OTHER)
    if OP == "sum":
        r = tl.sum(x, axis=1)
    elif OP == "max":
        r = tl.max(x, axis=1)
    elif OP == "min":
        r = tl.min(x, 1)
    elif OP == "argmax":
        r = tl.argmax(x, axis=1)
    elif OP == "argmin":
        r = tl.argmin(x, axis=1)
    elif OP == "xor_sum":
        r = tl.xor_sum(x, axis=1)
    else:
        tl.static_assert(False, "unknown OP")
    tl.store(out_ptr + i, r, mask=i < rows)


@triton.jit
def reduce_columns(x_ptr, out_ptr, rows, cols, OP: tl.constexpr, OTHER: tl.constexpr, BM: tl.constexpr,
                   BN: tl.constexpr):
    i = tl.arange(0, BM)
    j = tl.program_id(0) * BN + tl.arange(0, BN)
    x = tl.load(x_ptr + i[:, None] * cols + j[None, :], mask=(i[:, None] < rows) & (j[None, :] < cols), other=OTHER)
    if OP == "sum":
        r = tl.sum(x, axis=0, keep_dims=True)
    elif OP == "max":
        r = tl.max(x, axis=0, keep_dims=True)
    else:
        r = tl.min(x, axis=0, keep_dims=True)
    tl.store(out_ptr + j[None, :], r, mask=j[None, :] < cols)


@triton.jit
def reduce_all(x_ptr, out_ptr, n, OP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    # To one scalar, from two dimensions; the sum of squares passes through a loop.
    total = 0.0
    highest = float("-inf")
    for start in range(0, n, BM * BN):
        offs = start + tl.arange(0, BM)[:, None] * BN + tl.arange(0, BN)[None, :]
        x = tl.load(x_ptr + offs, mask=offs < n, other=0.0).to(tl.float32)
        total += tl.sum(x * x)
        highest = tl.maximum(highest, tl.max(x))
    tl.store(out_ptr, total)
    tl.store(out_ptr + 1, highest)


@triton.jit
def reduce_3d(x_ptr, out0_ptr, out1_ptr, out2_ptr, A: tl.constexpr, B: tl.constexpr, C: tl.constexpr):
    a, b, c = tl.arange(0, A), tl.arange(0, B), tl.arange(0, C)
    x = tl.load(x_ptr + a[:, None, None] * (B * C) + b[None, :, None] * C + c[None, None, :])
    tl.store(out0_ptr + b[:, None] * C + c[None, :], tl.sum(x, 0))
    tl.store(out1_ptr + a[:, None] * C + c[None, :], tl.max(x, 1))
    tl.store(out2_ptr + a[:, None] * B + b[None, :], tl.sum(x, axis=2))


@triton.jit
def with_indices(x_ptr, max_ptr, where_ptr, min_ptr, where_min_ptr, cols, BN: tl.constexpr, LEFT: tl.constexpr):
    row = tl.program_id(0)
    j = tl.arange(0, BN)
    x = tl.load(x_ptr + row * cols + j, mask=j < cols, other=float("-inf"))
    y = tl.load(x_ptr + row * cols + j, mask=j < cols, other=float("inf"))
    m, w = tl.max(x, axis=0, return_indices=True, return_indices_tie_break_left=LEFT)
    l, v = tl.min(y, axis=0, return_indices=True, return_indices_tie_break_left=LEFT)
    tl.store(max_ptr + row, m)
    tl.store(where_ptr + row, w)
    tl.store(min_ptr + row, l)
    tl.store(where_min_ptr + row, v)


@triton.jit
def _times(a, b):
    return a * b


@triton.jit
def _welford(mean1, m2_1, weight1, mean2, m2_2, weight2):
    delta = mean2 - mean1
    weight = weight1 + weight2
    part = tl.where(weight == 0.0, 0.0, weight2 / weight)
    return (mean1 + delta * part, m2_1 + m2_2 + delta * delta * weight1 * part, weight)


@triton.jit
def product(x_ptr, out_ptr, cols, BN: tl.constexpr):
    row = tl.program_id(0)
    j = tl.arange(0, BN)
    x = tl.load(x_ptr + row * cols + j, mask=j < cols, other=1.0)
    tl.store(out_ptr + row, tl.reduce(x, 0, _times))


@triton.jit
def welford(x_ptr, mean_ptr, var_ptr, cols, BN: tl.constexpr):
    # Three tensors reduced together.
    row = tl.program_id(0)
    j = tl.arange(0, BN)
    mask = j < cols
    x = tl.load(x_ptr + row * cols + j, mask=mask, other=0.0)
    weight = tl.where(mask, 1.0, 0.0)
    mean, m2, count = tl.reduce((x, tl.zeros_like(x), weight), 0, _welford)
    tl.store(mean_ptr + row, mean)
    tl.store(var_ptr + row, m2 / count)


@triton.jit
def chained(x_ptr, out_ptr, BM: tl.constexpr, BN: tl.constexpr):
    # A reduction of a reduction, broadcast back.
    x = tl.load(x_ptr + tl.arange(0, BM)[:, None] * BN + tl.arange(0, BN)[None, :])
    row = tl.sum(x, axis=1)
    shifted = x - row[:, None] / BN
    col = tl.max(shifted, axis=0)
    tl.store(out_ptr + tl.arange(0, BN), col - tl.sum(row, axis=0))


@triton.jit
def running_softmax(x_ptr, max_ptr, sum_ptr, scale, cols, BM: tl.constexpr, BN: tl.constexpr, MASK: tl.constexpr):
    # Maximum and sum of powers of scaled rows, block by block; each row sees its own columns or all.
    i = tl.arange(0, BM)
    m = tl.full((BM,), -float("inf"), dtype=tl.float32)
    total = tl.zeros((BM,), dtype=tl.float32)
    for start in range(0, cols, BN):
        j = start + tl.arange(0, BN)
        s = tl.load(x_ptr + i[:, None] * cols + j[None, :], mask=j[None, :] < cols, other=0.0) * scale
        if MASK == "bound":
            s = tl.where(j[None, :] < cols, s, -float("inf"))
        if MASK == "diagonal":
            s = tl.where((i[:, None] >= j[None, :]) & (j[None, :] < cols), s, -float("inf"))
        new = tl.maximum(m, tl.max(s, 1))
        total = total * tl.math.exp2(m - new) + tl.sum(tl.math.exp2(s - new[:, None]), 1)
        m = new
    tl.store(max_ptr + i, m)
    tl.store(sum_ptr + i, total)


@triton.jit
def scaled_maxima(x_ptr, out_ptr, scale, n, cols, LEAST: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    # Scores below the greatest (or above the least) of their row so far, scaled first, as in a softmax.
    i, j = tl.arange(0, BM)[:, None], tl.arange(0, BN)[None, :]
    best = tl.full((BM,), float("inf") if LEAST else float("-inf"), dtype=tl.float32)
    for start in range(0, n, BN):
        x = tl.load(x_ptr + i * cols + start + j)
        s = tl.where(start + j < n, x * scale, float("inf") if LEAST else float("-inf"))
        if LEAST:
            best = tl.minimum(best, tl.min(s, axis=1))
        else:
            best = tl.maximum(best, tl.max(s, axis=1))
        tl.store(out_ptr + i * cols + start + j, s - best[:, None])
