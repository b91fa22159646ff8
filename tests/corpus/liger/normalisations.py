"""Layer, RMS, group and polynomial norms."""

import numpy as np

from harness import BLOCK, case


@case("layer_norm.py", "_layer_norm_forward_kernel")
def layer_norm_forward(t):
    n = 700
    x, y, w, b = t.normal(6, n), t.poison(6, n), t.normal(n), t.normal(n)
    mean, rstd = t.poison(6), t.poison(6)
    t.launch((6,), y, n, x, n, w, 1, b, 1, mean, 1, rstd, 1, n, 1e-5, BLOCK_SIZE=1024)
    v = t.f64(x)
    m, r = v.mean(1), 1 / np.sqrt(v.var(1) + 1e-5)
    t.close(mean, m, scale=1.0, terms=n)
    t.close(rstd, r, terms=n)
    t.close(y, (v - m[:, None]) * r[:, None] * t.f64(w) + t.f64(b), terms=n)


@case("layer_norm.py", "_layer_norm_backward_kernel")
def layer_norm_backward(t):
    rows, n, each = 7, 300, 3
    x, w, dy, dx = t.normal(rows, n), t.normal(n), t.normal(rows, n), t.poison(rows, n)
    v = t.f64(x)
    mean, rstd = t.array(v.mean(1)), t.array(1 / np.sqrt(v.var(1) + 1e-5))
    programs = -(-rows // each)
    dw, db = t.zeros(programs, BLOCK(n)), t.zeros(programs, BLOCK(n))
    t.launch((programs,), x, n, w, mean, 1, rstd, 1, dx, n, dw, BLOCK(n), db, BLOCK(n), dy, n,
             rows, n, rows_per_program=each, BLOCK_SIZE=BLOCK(n))
    d, r = t.f64(dy), t.f64(rstd)[:, None]
    hat = (v - t.f64(mean)[:, None]) * r
    wdy = t.f64(w) * d
    c1, c2 = (hat * wdy).mean(1, keepdims=True), wdy.mean(1, keepdims=True)
    t.close(dx, (wdy - (hat * c1 + c2)) * r, terms=n)
    t.close(dw.sum(0, dtype=np.float64)[:n], (d * hat).sum(0), terms=rows)
    t.close(db.sum(0, dtype=np.float64)[:n], d.sum(0), terms=rows)


def rms(v, eps=1e-6):
    return 1 / np.sqrt((v * v).mean(-1) + eps)


# casting modes of the library: -1 none, 0 Llama, 1 Gemma
for mode in (-1, 0, 1):

    @case("rms_norm.py", "_rms_norm_forward_kernel", variant=f"mode {mode}")
    def rms_norm_forward(t, mode=mode):
        n = 500
        x, y, w, rstd = t.normal(6, n), t.poison(6, n), t.normal(n), t.poison(6)
        t.launch((6,), y, n, x, n, w, 1, rstd, 1, n, 1e-6, 0.5, casting_mode=mode,
                 elementwise_affine=True, BLOCK_SIZE=512)
        r = rms(t.f64(x))
        t.close(rstd, r, terms=n)
        t.close(y, t.f64(x) * r[:, None] * (0.5 + t.f64(w)), terms=n)

    @case("rms_norm.py", "_rms_norm_backward_kernel", variant=f"mode {mode}")
    def rms_norm_backward(t, mode=mode):
        rows, n, each = 7, 300, 3
        x, dy, dx, w = t.normal(rows, n), t.normal(rows, n), t.poison(rows, n), t.normal(n)
        rstd = t.array(rms(t.f64(x)))
        programs = -(-rows // each)
        dw = t.zeros(programs, n)
        t.launch((programs,), dy, n, dx, n, x, n, t.dtype("fp32"), w, 1, rstd, 1, dw, n, rows, n,
                 0.0, each, casting_mode=mode, elementwise_affine=True, BLOCK_SIZE=512)
        v, d, r = t.f64(x), t.f64(dy), t.f64(rstd)[:, None]
        m = d * t.f64(w)
        t.close(dx, r * m - r**3 * v * (m * v).mean(1, keepdims=True), terms=n)
        t.close(dw.sum(0, dtype=np.float64), (d * v * r).sum(0), terms=rows)


@case("rms_norm.py", "_block_rms_norm_forward_kernel")
def block_rms_norm_forward(t):
    rows, n = 11, 200
    x, y, w, rstd = t.normal(rows, n), t.poison(rows, n), t.normal(n), t.poison(rows)
    t.launch((3,), y, n, x, n, w, 1, rstd, 1, rows, n, 1e-6, 0.0, casting_mode=0,
             elementwise_affine=True, BLOCK_SIZE=256, BLOCK_ROW=4)
    r = rms(t.f64(x))
    t.close(rstd, r, terms=n)
    t.close(y, t.f64(x) * r[:, None] * t.f64(w), terms=n)


@case("rms_norm.py", "_block_rms_norm_backward_kernel")
def block_rms_norm_backward(t):
    rows, n, programs = 11, 200, 2
    x, dy, dx, w = t.normal(rows, n), t.normal(rows, n), t.poison(rows, n), t.normal(n)
    rstd, dw = t.array(rms(t.f64(x))), t.zeros(programs, n)
    t.launch((programs,), dy, n, dx, n, x, n, t.dtype("fp32"), w, 1, rstd, 1, dw, n, rows, n, 0.0,
             casting_mode=1, elementwise_affine=True, BLOCK_SIZE=256, BLOCK_ROW=4)
    v, d, r = t.f64(x), t.f64(dy), t.f64(rstd)[:, None]
    m = d * t.f64(w)
    t.close(dx, r * m - r**3 * v * (m * v).mean(1, keepdims=True), terms=n)
    t.close(dw.sum(0, dtype=np.float64), (d * v * r).sum(0), terms=rows)


@case("fused_add_rms_norm.py", "_fused_add_rms_norm_forward_kernel")
def fused_add_rms_norm_forward(t):
    n = 300
    x, res, w = t.normal(5, n), t.normal(5, n), t.normal(n)
    y, s, rstd = t.poison(5, n), t.poison(5, n), t.poison(5)
    t.launch((5,), y, n, s, n, x, n, res, n, w, 1, rstd, 1, n, 1e-6, 0.0, casting_mode=0,
             BLOCK_SIZE=512)
    total = t.f64(x) + t.f64(res)
    r = rms(total)
    t.close(s, total)
    t.close(rstd, r, terms=n)
    t.close(y, total * r[:, None] * t.f64(w), terms=n)


@case("fused_add_rms_norm.py", "_fused_add_rms_norm_backward_kernel")
def fused_add_rms_norm_backward(t):
    rows, n, each = 7, 300, 4
    x, dy, ds, dx, w = (t.normal(rows, n), t.normal(rows, n), t.normal(rows, n),
                        t.poison(rows, n), t.normal(n))
    rstd, dw = t.array(rms(t.f64(x))), t.zeros(2, BLOCK(n))
    t.launch((2,), dy, n, ds, n, dx, n, x, n, t.dtype("fp32"), w, 1, rstd, 1, dw, BLOCK(n), rows, n,
             0.0, rows_per_program=each, casting_mode=0, BLOCK_SIZE=BLOCK(n), has_dS_out=True)
    v, d, r = t.f64(x), t.f64(dy), t.f64(rstd)[:, None]
    m = d * t.f64(w)
    t.close(dx, r * m - r**3 * v * (m * v).mean(1, keepdims=True) + t.f64(ds), terms=n)
    t.close(dw.sum(0, dtype=np.float64)[:n], (d * v * r).sum(0), terms=rows)


@case("modulated_rms_norm.py", "_modulated_rms_norm_forward_kernel")
def modulated_rms_norm_forward(t):
    rows, n, per = 6, 200, 3
    x, w, scale, shift = t.normal(rows, n), t.normal(n), t.normal(2, n), t.normal(2, n)
    y, rstd = t.poison(rows, n), t.poison(rows)
    t.launch((rows,), y, n, x, n, w, 1, scale, n, shift, n, rstd, 1, n, 1e-6, 0.0, casting_mode=0,
             elementwise_affine=True, has_shift=True, rows_per_modulation=per, BLOCK_SIZE=256)
    r = rms(t.f64(x))
    factor = 1 + np.repeat(t.f64(scale), per, 0)
    t.close(y, t.f64(x) * r[:, None] * t.f64(w) * factor + np.repeat(t.f64(shift), per, 0), terms=n)


@case("modulated_rms_norm.py", "_modulated_rms_norm_backward_kernel")
def modulated_rms_norm_backward(t):
    rows, n, per = 6, 200, 3
    x, dy, w, scale = t.normal(rows, n), t.normal(rows, n), t.normal(n), t.normal(2, n)
    rstd, dx, dw = t.array(rms(t.f64(x))), t.poison(rows, n), t.zeros(2, BLOCK(n))
    dscale, dshift = t.zeros(2, n), t.zeros(2, n)
    t.launch((2,), dy, n, dx, n, x, n, t.dtype("fp32"), w, 1, scale, n, rstd, 1, dw, BLOCK(n),
             dscale, n, dshift, n, rows, n, offset=0.0, rows_per_program=3, casting_mode=1,
             elementwise_affine=True, has_shift=True, rows_per_modulation=per, BLOCK_SIZE=BLOCK(n))
    v, d, r = t.f64(x), t.f64(dy), t.f64(rstd)[:, None]
    inner = d * (1 + np.repeat(t.f64(scale), per, 0))
    m = inner * t.f64(w)
    t.close(dx, r * m - r**3 * v * (m * v).mean(1, keepdims=True), terms=n)
    t.close(dw.sum(0, dtype=np.float64)[:n], (inner * v * r).sum(0), terms=rows)
    t.close(dscale, (d * v * r * t.f64(w)).reshape(2, per, n).sum(1), terms=rows)
    t.close(dshift, d.reshape(2, per, n).sum(1), terms=rows)


@case("group_norm.py", "_group_norm_forward_kernel")
def group_norm_forward(t):
    batch, groups, per, hidden = 2, 3, 4, 50
    size = per * hidden
    x, y = t.normal(batch, groups, size), t.poison(batch, groups, size)
    w, b = t.normal(groups * per), t.normal(groups * per)
    mean, rstd = t.poison(batch, groups), t.poison(batch, groups)
    t.launch((batch, groups), y, groups * size, size, x, groups * size, size, mean, groups, 1, rstd,
             groups, 1, w, b, size, per, 1e-5, BLOCK_SIZE=128)
    v = t.f64(x)
    m, r = v.mean(2), 1 / np.sqrt(v.var(2) + 1e-5)
    t.close(mean, m, scale=1.0, terms=size)
    t.close(rstd, r, terms=size)
    hat = ((v - m[..., None]) * r[..., None]).reshape(batch, groups * per, hidden)
    t.close(y.reshape(hat.shape), hat * t.f64(w)[:, None] + t.f64(b)[:, None], terms=size)


@case("group_norm.py", "_group_norm_backward_kernel")
def group_norm_backward(t):
    batch, groups, per, hidden = 2, 3, 2, 70
    channels, count = groups * per, per * hidden
    x, dy, dx = (t.normal(batch, channels, hidden), t.normal(batch, channels, hidden),
                 t.poison(batch, channels, hidden))
    w, dw, db = t.normal(channels), t.zeros(channels), t.zeros(channels)
    grouped = t.f64(x).reshape(batch, groups, count)
    mean, rstd = t.array(grouped.mean(2)), t.array(1 / np.sqrt(grouped.var(2) + 1e-5))
    t.launch((batch, groups), x, channels * hidden, hidden, w, mean, groups, 1, rstd, dx, dw, db, dy,
             hidden_size=hidden, channels_per_group=per, BLOCK_SIZE=64, dtype=t.dtype("fp32"))
    m, r = t.f64(mean)[..., None], t.f64(rstd)[..., None]
    hat = (grouped - m) * r
    d = t.f64(dy)
    wdy = (d * t.f64(w)[:, None]).reshape(batch, groups, count)
    c1, c2 = (hat * wdy).mean(2, keepdims=True), wdy.mean(2, keepdims=True)
    t.close(dx.reshape(hat.shape), (wdy - (hat * c1 + c2)) * r, terms=count)
    t.close(dw, (d * hat.reshape(d.shape)).sum((0, 2)), terms=count)
    t.close(db, d.sum((0, 2)), terms=count)


@case("poly_norm.py", "_poly_norm_forward_kernel")
def poly_norm_forward(t):
    n = 300
    x, y, w, b, rstd = t.normal(5, n), t.poison(5, n), t.normal(3), t.normal(1), t.poison(5, 3)
    t.launch((5,), y, n, x, n, w, b, rstd, 3, n, 1e-6, BLOCK_SIZE=512)
    v, weights = t.f64(x), t.f64(w)
    parts = [v**p * rms(v**p)[:, None] for p in (3, 2, 1)]
    t.close(y, sum(c * p for c, p in zip(weights, parts)) + t.f64(b), terms=n)
    t.close(rstd, np.stack([rms(v**p) for p in (3, 2, 1)], 1), terms=n)


@case("poly_norm.py", "_poly_norm_backward_kernel")
def poly_norm_backward(t):
    rows, n = 6, 300
    x, dy, dx, w = t.normal(rows, n), t.normal(rows, n), t.poison(rows, n), t.normal(3)
    v, d = t.f64(x), t.f64(dy)
    rstd = t.array(np.stack([rms(v**p) for p in (3, 2, 1)], 1))
    dw, db = t.zeros(2, 3), t.zeros(2)
    t.launch((2,), dy, n, dx, n, x, n, w, rstd, 3, dw, 3, db, rows, n, rows_per_program=3,
             BLOCK_SIZE=512)
    r, total = t.f64(rstd), np.zeros_like(v)
    for k, p in enumerate((3, 2, 1)):
        rk, s = r[:, k:k + 1], (d * v**p).sum(1, keepdims=True)
        total += t.f64(w)[k] * (p * v**(p - 1) * rk * d - p / n * v**(2 * p - 1) * rk**3 * s)
        t.close(dw.sum(0, dtype=np.float64)[k], (rk * s).sum(), scale=np.abs(rk * d * v**p).sum(), terms=n)
    t.close(dx, total, terms=n)
    t.close(db.sum(dtype=np.float64), d.sum(), scale=np.abs(d).sum(), terms=n)
