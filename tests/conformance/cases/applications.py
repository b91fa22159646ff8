# Kernels as they occur in practice, against float64.
from math import erf as _erf

from harness import *

erf = np.vectorize(_erf)
U = unit("fp32")


@each(dtype=FLOATS, shape=((3, 100), (17, 512)), random=dict(shape=lambda r: (sizes(1, 30)(r), sizes(1, 512)(r))))
def rms_norm(c, dtype, shape):
    m, n = shape
    x, w = c.normal(dtype, shape, strides=(n + 4, 1)), c.normal(dtype, n)
    y, rstd = c.empty(dtype, shape, strides=(n + 4, 1)), c.empty("fp32", m)
    c.launch("rms_norm", x_ptr=x, w_ptr=w, y_ptr=y, rstd_ptr=rstd, stride=n + 4, n_cols=n, eps=1e-6,
             const=dict(BLOCK=512), grid=(m,))
    scale = 1 / np.sqrt((x.value**2).mean(axis=1) + float(np.float32(1e-6)))
    scale_error = (gamma(n + 3) / 2 + 8 * U) * scale
    c.expect(rstd, scale, scale_error)
    normal = x.value * scale[:, None]
    error = stored(dtype, normal, np.abs(x.value) * scale_error[:, None] + U * np.abs(normal))
    exact = normal * w.value
    c.expect(y, exact, stored(dtype, exact, error * np.abs(w.value) + rounding(dtype, exact)))


@each(dtype=FLOATS, shape=((5, 100), (3, 1000)), smoothing=(0.0, 0.1),
      random=dict(shape=lambda r: (sizes(1, 8)(r), sizes(2, 2000)(r))))
def cross_entropy(c, dtype, shape, smoothing):
    m, n = shape
    x, target = c.normal(dtype, shape, scale=2.0), c.integers("i64", m, 0, n - 1)
    values = target.value.copy()
    values[0] = -100
    target = c.tensor("i64", values)
    loss, gradient = c.empty("fp32", m), c.empty(dtype, shape)
    c.launch("cross_entropy", x_ptr=x, target_ptr=target, loss_ptr=loss, grad_ptr=gradient, n_cols=n, ignore=-100,
             smoothing=smoothing, const=dict(BLOCK=128), grid=(m,))
    s = float(np.float32(smoothing))
    top = x.value.max(axis=1, keepdims=True)
    lse = top[:, 0] + np.log(np.exp(x.value - top).sum(axis=1))
    picked = x.value[np.arange(m), np.maximum(values, 0)]
    exact = (1 - s) * (lse - picked) + s * (lse - x.value.mean(axis=1))
    lse_error = gamma(n + 20) + U * (np.abs(x.value - top).max(axis=1) + 4 * np.abs(lse) + 4)
    error = 2 * lse_error + gamma(n + 2) * np.abs(x.value).mean(axis=1) + gamma(6) * (np.abs(lse) + np.abs(picked))
    c.expect(loss, np.where(values < 0, 0, exact), error)
    p = np.exp(x.value - lse[:, None])
    g = p - s / n - (1 - s) * (np.arange(n)[None, :] == values[:, None])
    g_error = p * (lse_error[:, None] + 8 * U + U * np.abs(x.value - lse[:, None])) + gamma(4) * (np.abs(g) + p + s / n)
    c.expect(gradient, np.where(values[:, None] < 0, 0, g), stored(dtype, g, g_error))


@each(dtype=FLOATS, heads=(1, 5))
def rotary(c, dtype, heads):
    seq, half = 7, 16
    q = c.inout(dtype, c.rng.standard_normal((seq, heads, 2 * half)))
    angle = c.rng.uniform(0, 6.28, (seq, half))
    cos, sin = c.tensor("fp32", np.cos(angle)), c.tensor("fp32", np.sin(angle))
    c.launch("rotary", q_ptr=q, cos_ptr=cos, sin_ptr=sin, heads=heads, const=dict(HALF=half, BLOCK_H=8), grid=(seq,))
    first, second = q.value[..., :half], q.value[..., half:]
    co, si = cos.value[:, None], sin.value[:, None]
    exact = np.concatenate([first * co - second * si, second * co + first * si], axis=2)
    magnitude = np.concatenate([np.abs(first * co) + np.abs(second * si)] * 2, axis=2) + np.abs(
        np.concatenate([second * co, first * si], axis=2))
    c.expect(q, exact, stored(dtype, exact, gamma(2) * magnitude))


@each(dtype=FLOATS, n=(1000,), random=dict(n=sizes(1, 5000)))
def gelu(c, dtype, n):
    x, y = c.normal(dtype, n, scale=2.0), c.empty(dtype, n)
    c.launch("gelu_forward", x_ptr=x, y_ptr=y, n=n, const=dict(BLOCK=256), grid=(cdiv(n, 256),))
    exact = 0.5 * x.value * (1 + erf(x.value / np.sqrt(2)))
    # erf is good to 3 ulp of itself, so 1 + erf to 8 u of 1 where it cancels.
    c.expect(y, exact, stored(dtype, exact, gamma(4) * np.abs(exact) + 8 * U * np.abs(x.value)))


@each(dtype=FLOATS, n=(1000,), random=dict(n=sizes(1, 5000)))
def swiglu(c, dtype, n):
    a, b, out = c.normal(dtype, n, scale=2.0), c.normal(dtype, n), c.empty(dtype, n)
    c.launch("swiglu", a_ptr=a, b_ptr=b, c_ptr=out, n=n, const=dict(BLOCK=256), grid=(cdiv(n, 256),))
    silu = a.value / (1 + np.exp(-a.value))
    silu_error = stored(dtype, silu, (gamma(12) + U * np.abs(a.value)) * np.abs(silu))
    exact = silu * b.value
    c.expect(out, exact, stored(dtype, exact, silu_error * np.abs(b.value) + rounding(dtype, exact)))


@each(dtype=FLOATS, cols=(1, 100, 256), random=dict(cols=sizes(1, 256)))
def quantize_rows(c, dtype, cols):
    x, q, scale = c.normal(dtype, (5, cols)), c.empty("i8", (5, cols)), c.empty("fp32", 5)
    c.launch("quantize_rows", x_ptr=x, q_ptr=q, scale_ptr=scale, n_cols=cols, const=dict(BLOCK=256), grid=(5,))
    exact = np.maximum(np.abs(x.value).max(axis=1), 1e-8) / 127
    v = x.value / exact[:, None]
    c.expect(scale, exact, 4 * U * exact)
    rounded = np.where(v >= 0, np.floor(v + 0.5), np.ceil(v - 0.5))
    # Next to a tie either neighbour is right: leave those few out by their distance from it.
    near_tie = np.abs(np.abs(v) % 1 - 0.5) < 128 * 8 * U
    c.expect_where(q, rounded, ~near_tie)


@each(group=(16, 32), rows=(3,), cols=(64, 96))
def unpack_int4(c, group, rows, cols):
    packed = c.integers("u8", (rows, cols // 2))
    scale, zero = c.uniform("fp16", (rows, cols // group), 0.01, 0.2), c.integers("i8", (rows, cols // group), 0, 15)
    out = c.empty("fp32", (rows, cols))
    c.launch("unpack_int4", packed_ptr=packed, scale_ptr=scale, zero_ptr=zero, out_ptr=out, rows=rows, cols=cols,
             const=dict(GROUP=group, BLOCK=64), grid=(rows, cdiv(cols, 64)))
    nibbles = np.stack([packed.value & 15, packed.value >> 4], axis=2).reshape(rows, cols).astype(int)
    exact = (nibbles - np.repeat(zero.value, group, axis=1)) * np.repeat(scale.value, group, axis=1)
    c.expect(out, exact, rounding("fp32", exact))


@each(taps=(1, 4), shape=((20, 10), (50, 40)), random=dict(shape=lambda r: (sizes(1, 80)(r), sizes(1, 50)(r))))
def depthwise_conv(c, taps, shape):
    length, channels = shape
    x, w, y = c.normal("fp32", shape), c.normal("fp32", (channels, taps)), c.empty("fp32", shape)
    c.launch("depthwise_conv", x_ptr=x, w_ptr=w, y_ptr=y, length=length, channels=channels,
             const=dict(TAPS=taps, BT=16, BC=32), grid=(cdiv(length, 16), cdiv(channels, 32)))
    padded = np.concatenate([np.zeros((taps - 1, channels)), x.value])
    terms = [padded[k:k + length] * w.value[:, k] for k in range(taps)]
    c.expect(y, sum(terms), gamma(taps + 1) * sum(np.abs(t) for t in terms))


@each(shape=((20, 20), (33, 50)), random=dict(shape=lambda r: (sizes(1, 60)(r), sizes(1, 60)(r))))
def transpose_sum(c, shape):
    m, n = shape
    x, y = c.normal("fp32", shape), c.empty("fp32", shape)
    c.launch("transpose_sum", x_ptr=x, y_ptr=y, m=m, n=n, const=dict(BM=16, BN=32), grid=(cdiv(m, 16), cdiv(n, 32)))
    turned = np.zeros(shape)
    k = min(m, n)
    turned[:k, :k] = x.value[:k, :k].T
    exact = x.value + turned
    c.expect(y, exact, rounding("fp32", exact))


@each(n=(300,), random=dict(n=sizes(1, 2000)))
def adam(c, n):
    p, g = c.inout("fp32", c.rng.standard_normal(n)), c.normal("fp32", n)
    m, v = c.inout("fp32", c.rng.standard_normal(n)), c.inout("fp32", c.rng.uniform(0.1, 1, n))
    lr, b1, b2, eps, decay, c1, c2 = (float(np.float32(x)) for x in (0.01, 0.9, 0.999, 1e-8, 0.1, 0.5, 0.25))
    c.launch("adam", p_ptr=p, g_ptr=g, m_ptr=m, v_ptr=v, n=n, lr=lr, beta1=b1, beta2=b2, eps=eps, decay=decay,
             correction1=c1, correction2=c2, const=dict(BLOCK=128), grid=(cdiv(n, 128),))
    m1, v1 = b1 * m.value + (1 - b1) * g.value, b2 * v.value + (1 - b2) * g.value**2
    m_error = gamma(4) * (np.abs(b1 * m.value) + np.abs((1 - b1) * g.value))
    v_error = gamma(5) * v1
    step = (m1 / c1) / (np.sqrt(v1 / c2) + eps)
    step_error = m_error / c1 / np.sqrt(v1 / c2) + gamma(12) * np.abs(step)
    c.expect(m, m1, m_error)
    c.expect(v, v1, v_error)
    c.expect(p, p.value * (1 - lr * decay) - lr * step, lr * step_error + gamma(5) * (np.abs(p.value) + lr * np.abs(step)))


@each(dtype=FLOATS, lengths=((1, 16, 37), (5,)))
def paged_decode(c, dtype, lengths):
    rows, width, page, pages = len(lengths), 32, 16, 9
    q, k, v = (c.normal(dtype, s) for s in ((rows, width), (pages * page, width), (pages * page, width)))
    table = c.tensor("i32", c.rng.permutation(pages)[:rows * 3].reshape(rows, 3))
    count, o = c.tensor("i32", lengths), c.empty("fp32", (rows, width))
    scale = float(np.float32(width**-0.5))
    c.launch("paged_decode", q_ptr=q, k_ptr=k, v_ptr=v, table_ptr=table, lengths_ptr=count, o_ptr=o, scale=scale,
             pages_per_row=3, const=dict(PAGE=page, D=width), grid=(rows,))
    exact, bound = np.zeros((rows, width)), np.zeros((rows, width))
    for row, length in enumerate(lengths):
        place = np.concatenate([table.value[row, p] * page + np.arange(page) for p in range(3)])[:length]
        scores = k.value[place] @ q.value[row] * scale
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        exact[row] = weights @ v.value[place]
        score_error = (gamma(width + 3) * (np.abs(k.value[place]) @ np.abs(q.value[row])) * scale).max()
        relative = 4 * score_error + gamma(length + 60) + 4 * U * np.abs(scores - scores.max()).max()
        bound[row] = 2 * relative * (weights @ np.abs(v.value[place]))
    c.expect(o, exact, bound)


@each(cols=(100, 256))
def layer_norm_backward(c, cols):
    rows = 6
    x, dy, w = c.normal("fp32", (rows, cols)), c.normal("fp32", (rows, cols)), c.normal("fp32", cols)
    mean = c.tensor("fp32", x.value.mean(axis=1))
    rstd = c.tensor("fp32", 1 / np.sqrt(x.value.var(axis=1) + 1e-5))
    dx, dw, db = c.empty("fp32", (rows, cols)), c.inout("fp32", np.zeros(cols)), c.inout("fp32", np.zeros(cols))
    c.launch("layer_norm_backward", dy_ptr=dy, x_ptr=x, w_ptr=w, mean_ptr=mean, rstd_ptr=rstd, dx_ptr=dx, dw_ptr=dw,
             db_ptr=db, n_cols=cols, const=dict(BLOCK=256), grid=(rows,))
    xhat = (x.value - mean.value[:, None]) * rstd.value[:, None]
    wdy = w.value * dy.value
    c1, c2 = (xhat * wdy).mean(axis=1, keepdims=True), wdy.mean(axis=1, keepdims=True)
    exact = (wdy - (xhat * c1 + c2)) * rstd.value[:, None]
    mean_error = gamma(cols + 6) * (np.abs(xhat * wdy).mean(axis=1, keepdims=True) * np.abs(xhat) + np.abs(wdy).mean(
        axis=1, keepdims=True))
    c.expect(dx, exact, (mean_error + gamma(8) * (np.abs(wdy) + np.abs(xhat * c1) + np.abs(c2))) * rstd.value[:, None])
    c.expect(dw, (dy.value * xhat).sum(axis=0), gamma(rows + 5) * np.abs(dy.value * xhat).sum(axis=0) + 4 * U)
    c.expect(db, dy.value.sum(axis=0), gamma(rows + 1) * np.abs(dy.value).sum(axis=0))


@each(limit=(1, 30))
def mandelbrot(c, limit):
    width, height = 45, 30
    out = c.empty("i32", (height, width))
    c.launch("mandelbrot", out_ptr=out, width=width, height=height, limit=limit, const=dict(BLOCK=128),
             grid=(cdiv(width * height, 128),))
    place = np.arange(width * height)
    counts = []
    for nudge in (-1e-5, 0.0, 1e-5):  # pixels whose count hangs on a rounding are left out
        cx = (place % width) / width * 3 - 2 + nudge
        cy = (place // width) / height * 2 - 1 + nudge
        x, y, count = np.zeros(len(place)), np.zeros(len(place)), np.zeros(len(place), dtype=int)
        for _ in range(limit):
            inside = x * x + y * y <= 4
            x, y = np.where(inside, x * x - y * y + cx, x), np.where(inside, 2 * x * y + cy, y)
            count += inside
        counts.append(count)
    sure = (counts[0] == counts[1]) & (counts[1] == counts[2])
    c.expect_where(out, counts[1].reshape(height, width), sure.reshape(height, width))
