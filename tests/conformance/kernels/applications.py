# Kernels as they occur in practice: norms, losses, embeddings, quantisation, convolutions, masks, paged attention.
import triton
import triton.language as tl


@triton.jit
def rms_norm(x_ptr, w_ptr, y_ptr, rstd_ptr, stride, n_cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * stride + cols, mask=mask, other=0.0)
    dtype = x.dtype
    x = x.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / n_cols + eps)
    tl.store(rstd_ptr + row, rstd)
    w = tl.load(w_ptr + cols, mask=mask, other=0.0)
    tl.store(y_ptr + row * stride + cols, (x * rstd).to(dtype) * w, mask=mask)


@triton.jit
def cross_entropy(x_ptr, target_ptr, loss_ptr, grad_ptr, n_cols, ignore, smoothing, BLOCK: tl.constexpr):
    # Online softmax over a vocabulary in blocks; the gradient in a second pass.
    row = tl.program_id(0)
    base = row.to(tl.int64) * n_cols
    target = tl.load(target_ptr + row)
    if target == ignore:
        for start in range(0, n_cols, BLOCK):
            cols = start + tl.arange(0, BLOCK)
            tl.store(grad_ptr + base + cols, 0.0, mask=cols < n_cols)
        tl.store(loss_ptr + row, 0.0)
        return
    m = float("-inf")
    d = 0.0
    total = 0.0
    picked = tl.load(x_ptr + base + target).to(tl.float32)
    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + base + cols, mask=cols < n_cols, other=float("-inf")).to(tl.float32)
        top = tl.max(x)
        total += tl.sum(tl.where(cols < n_cols, x, 0.0))
        new = tl.maximum(m, top)
        d = d * tl.exp(m - new) + tl.sum(tl.exp(x - new))
        m = new
    lse = m + tl.log(d)
    tl.store(loss_ptr + row, (1 - smoothing) * (lse - picked) + smoothing * (lse - total / n_cols))
    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + base + cols, mask=cols < n_cols, other=float("-inf")).to(tl.float32)
        g = tl.exp(x - lse) - smoothing / n_cols
        g = tl.where(cols == target, g - (1 - smoothing), g)
        tl.store(grad_ptr + base + cols, g, mask=cols < n_cols)


@triton.jit
def rotary(q_ptr, cos_ptr, sin_ptr, heads, HALF: tl.constexpr, BLOCK_H: tl.constexpr):
    # In place, both halves of every head.
    pos = tl.program_id(0)
    i = tl.arange(0, HALF)
    cos = tl.load(cos_ptr + pos * HALF + i)
    sin = tl.load(sin_ptr + pos * HALF + i)
    h = tl.arange(0, BLOCK_H)
    place = q_ptr + pos * heads * 2 * HALF + h[:, None] * (2 * HALF) + i[None, :]
    mask = (h[:, None] < heads)
    first = tl.load(place, mask=mask, other=0).to(tl.float32)
    second = tl.load(place + HALF, mask=mask, other=0).to(tl.float32)
    tl.store(place, first * cos[None, :] - second * sin[None, :], mask=mask)
    tl.store(place + HALF, second * cos[None, :] + first * sin[None, :], mask=mask)


@triton.jit
def gelu_forward(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n).to(tl.float32)
    y = 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))
    tl.store(y_ptr + offs, y, mask=offs < n)


@triton.jit
def swiglu(a_ptr, b_ptr, c_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    a = tl.load(a_ptr + offs, mask=offs < n, other=0).to(tl.float32)
    b = tl.load(b_ptr + offs, mask=offs < n, other=0)
    silu = a * tl.sigmoid(a)
    tl.store(c_ptr + offs, silu.to(b.dtype) * b, mask=offs < n)


@triton.jit
def quantize_rows(x_ptr, q_ptr, scale_ptr, n_cols, BLOCK: tl.constexpr):
    # Symmetric int8 with one scale per row; half away from zero.
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * n_cols + cols, mask=mask, other=0.0).to(tl.float32)
    scale = tl.maximum(tl.max(tl.abs(x), axis=0), 1.0e-8) / 127.0
    v = x / scale
    q = tl.where(v >= 0, v + 0.5, v - 0.5).to(tl.int32)
    q = tl.minimum(tl.maximum(q, -127), 127)
    tl.store(q_ptr + row * n_cols + cols, q.to(tl.int8), mask=mask)
    tl.store(scale_ptr + row, scale)


@triton.jit
def unpack_int4(packed_ptr, scale_ptr, zero_ptr, out_ptr, rows, cols, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    # Two weights in a byte, a scale and a zero point per group of columns.
    row = tl.program_id(0)
    j = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = j < cols
    byte = tl.load(packed_ptr + row * (cols // 2) + j // 2, mask=mask, other=0)
    nibble = (byte >> ((j % 2) * 4).to(tl.uint8)) & 0xF
    groups = cols // GROUP
    scale = tl.load(scale_ptr + row * groups + j // GROUP, mask=mask, other=0.0)
    zero = tl.load(zero_ptr + row * groups + j // GROUP, mask=mask, other=0)
    w = (nibble.to(tl.int32) - zero.to(tl.int32)).to(tl.float32) * scale.to(tl.float32)
    tl.store(out_ptr + row * cols + j, w, mask=mask)


@triton.jit
def depthwise_conv(x_ptr, w_ptr, y_ptr, length, channels, TAPS: tl.constexpr, BT: tl.constexpr, BC: tl.constexpr):
    # Causal, along time; channels contiguous.
    t = tl.program_id(0) * BT + tl.arange(0, BT)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    acc = tl.zeros((BT, BC), dtype=tl.float32)
    for k in tl.static_range(TAPS):
        source = t - (TAPS - 1 - k)
        x = tl.load(x_ptr + source[:, None] * channels + c[None, :],
                    mask=(source[:, None] >= 0) & (source[:, None] < length) & (c[None, :] < channels), other=0.0)
        w = tl.load(w_ptr + c * TAPS + k, mask=c < channels, other=0.0)
        acc += x * w[None, :]
    tl.store(y_ptr + t[:, None] * channels + c[None, :], acc, mask=(t[:, None] < length) & (c[None, :] < channels))


@triton.jit
def transpose_sum(x_ptr, y_ptr, m, n, BM: tl.constexpr, BN: tl.constexpr):
    # y = x + x^T over the first min(m, n) columns, one block at a time.
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.program_id(1) * BN + tl.arange(0, BN)
    mask = (i[:, None] < m) & (j[None, :] < n)
    x = tl.load(x_ptr + i[:, None] * n + j[None, :], mask=mask, other=0.0)
    xt = tl.trans(tl.load(x_ptr + j[:, None] * n + i[None, :], mask=(j[:, None] < m) & (i[None, :] < n), other=0.0))
    tl.store(y_ptr + i[:, None] * n + j[None, :], x + xt, mask=mask)


@triton.jit
def adam(p_ptr, g_ptr, m_ptr, v_ptr, n, lr, beta1, beta2, eps, decay, correction1, correction2, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    p = tl.load(p_ptr + offs, mask=mask)
    g = tl.load(g_ptr + offs, mask=mask)
    m = beta1 * tl.load(m_ptr + offs, mask=mask) + (1 - beta1) * g
    v = beta2 * tl.load(v_ptr + offs, mask=mask) + (1 - beta2) * g * g
    tl.store(m_ptr + offs, m, mask=mask)
    tl.store(v_ptr + offs, v, mask=mask)
    step = (m / correction1) / (tl.sqrt(v / correction2) + eps)
    tl.store(p_ptr + offs, p * (1 - lr * decay) - lr * step, mask=mask)


@triton.jit
def paged_decode(q_ptr, k_ptr, v_ptr, table_ptr, lengths_ptr, o_ptr, scale, pages_per_row, PAGE: tl.constexpr,
                 D: tl.constexpr):
    # One query against a cache in pages, softmax on the way.
    row = tl.program_id(0)
    length = tl.load(lengths_ptr + row)
    d = tl.arange(0, D)
    q = tl.load(q_ptr + row * D + d).to(tl.float32) * scale
    m = float("-inf")
    l = 0.0
    acc = tl.zeros((D,), dtype=tl.float32)
    for page in range(0, tl.cdiv(length, PAGE)):
        where = tl.load(table_ptr + row * pages_per_row + page)
        t = tl.arange(0, PAGE)
        seen = page * PAGE + t < length
        place = (where * PAGE + t)[:, None] * D + d[None, :]
        k = tl.load(k_ptr + place, mask=seen[:, None], other=0.0).to(tl.float32)
        s = tl.where(seen, tl.sum(k * q[None, :], axis=1), float("-inf"))
        new = tl.maximum(m, tl.max(s, axis=0))
        p = tl.exp(s - new)
        fade = tl.exp(m - new)
        v = tl.load(v_ptr + place, mask=seen[:, None], other=0.0).to(tl.float32)
        acc = acc * fade + tl.sum(p[:, None] * v, axis=0)
        l = l * fade + tl.sum(p, axis=0)
        m = new
    tl.store(o_ptr + row * D + d, acc / l)


@triton.jit
def layer_norm_backward(dy_ptr, x_ptr, w_ptr, mean_ptr, rstd_ptr, dx_ptr, dw_ptr, db_ptr, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * n_cols + cols, mask=mask, other=0.0)
    dy = tl.load(dy_ptr + row * n_cols + cols, mask=mask, other=0.0)
    w = tl.load(w_ptr + cols, mask=mask, other=0.0)
    mean = tl.load(mean_ptr + row)
    rstd = tl.load(rstd_ptr + row)
    xhat = tl.where(mask, (x - mean) * rstd, 0.0)
    wdy = w * dy
    c1 = tl.sum(xhat * wdy, axis=0) / n_cols
    c2 = tl.sum(wdy, axis=0) / n_cols
    tl.store(dx_ptr + row * n_cols + cols, (wdy - (xhat * c1 + c2)) * rstd, mask=mask)
    tl.atomic_add(dw_ptr + cols, dy * xhat, mask=mask)
    tl.atomic_add(db_ptr + cols, dy, mask=mask)


@triton.jit
def mandelbrot(out_ptr, width, height, limit, BLOCK: tl.constexpr):
    # A while loop over a block that ends when every lane has ended.
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < width * height
    cx = (offs % width).to(tl.float32) / width * 3.0 - 2.0
    cy = (offs // width).to(tl.float32) / height * 2.0 - 1.0
    x = tl.zeros((BLOCK,), dtype=tl.float32)
    y = tl.zeros((BLOCK,), dtype=tl.float32)
    count = tl.zeros((BLOCK,), dtype=tl.int32)
    step = 0
    active = tl.sum(mask.to(tl.int32), axis=0)
    while (step < limit) & (active > 0):
        inside = x * x + y * y <= 4.0
        x, y = tl.where(inside, x * x - y * y + cx, x), tl.where(inside, 2.0 * x * y + cy, y)
        count += inside.to(tl.int32)
        active = tl.sum((inside & mask).to(tl.int32), axis=0)
        step += 1
    tl.store(out_ptr + offs, count, mask=mask)
