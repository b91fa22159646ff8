"""Liger-Kernel's kernels, launched as its Python does and compared with numpy.

Nothing of Liger-Kernel is stored here: run.py takes the package at test time.
Each function below is one case. Its decorator names the file and the kernel;
`t` launches that kernel (positional and keyword arguments as in Triton) and
compares arrays. References are float64 and written from each operation's
definition. Cases with `compile_only` say why they are not executed.
"""

import numpy as np

from harness import BLOCK, case, erf, sigmoid, silu, softmax

# --- element-wise ----------------------------------------------------------

SQRT_2_OVER_PI = 0.7978845608028654


def gelu_tanh(a):
    return 0.5 * a * (1 + np.tanh(SQRT_2_OVER_PI * (a + 0.044715 * a**3)))


def gelu_tanh_derivative(a):
    z = np.tanh(SQRT_2_OVER_PI * (a + 0.044715 * a**3))
    inner = SQRT_2_OVER_PI * (1 + 3 * 0.044715 * a * a)
    return 0.5 * (1 + z) + 0.5 * a * (1 - z * z) * inner


@case("geglu.py", "_geglu_tanh_forward_kernel")
def geglu_forward(t):
    a, b, c = t.normal(5, 777), t.normal(5, 777), t.poison(5, 777)
    t.launch((5,), a, b, c, 777, n_cols=777, BLOCK_SIZE=1024)
    t.close(c, gelu_tanh(t.f64(a)) * t.f64(b))


@case("geglu.py", "_geglu_tanh_backward_kernel")
def geglu_backward(t):
    dc, a, b = t.normal(5, 777), t.normal(5, 777), t.normal(5, 777)
    x, y, d = t.f64(a), t.f64(b), t.f64(dc)
    t.launch((5,), dc, a, b, 777, n_cols=777, BLOCK_SIZE=1024)
    t.close(a, d * y * gelu_tanh_derivative(x))
    t.close(b, d * gelu_tanh(x))


def swiglu_case(name, tiled):
    @case("swiglu.py", name)
    def forward(t):
        a, b, c = t.normal(7, 500), t.normal(7, 500), t.poison(7, 500)
        grid = (7, 4) if tiled else (7,)
        t.launch(grid, a, b, c, 500, 1.25, n_cols=500, BLOCK_SIZE=128 if tiled else 512)
        t.close(c, silu(t.f64(a) * 1.25) * t.f64(b))


def swiglu_backward_case(name, tiled):
    @case("swiglu.py", name)
    def backward(t):
        dc, a, b = t.normal(7, 500), t.normal(7, 500), t.normal(7, 500)
        d, x, y = t.f64(dc), t.f64(a) * 0.75, t.f64(b)
        grid = (7, 4) if tiled else (7,)
        t.launch(grid, dc, a, b, 500, 0.75, n_cols=500, BLOCK_SIZE=128 if tiled else 512)
        s = sigmoid(x)
        t.close(a, d * (x * s * (1 - s) + s) * y * 0.75)
        t.close(b, d * x * s)


swiglu_case("_swiglu_forward_kernel", False)
swiglu_case("_swiglu_forward_kernel_tiled", True)
swiglu_backward_case("_swiglu_backward_kernel", False)
swiglu_backward_case("_swiglu_backward_kernel_tiled", True)


@case("swiglu.py", "_swiglu_fused_gate_up_forward_kernel")
def swiglu_fused_forward(t):
    y, c = t.normal(6, 2 * 300), t.poison(6, 300)
    t.launch((6,), y, c, 600, 300, ffn_size=300, BLOCK_SIZE=512)
    t.close(c, silu(t.f64(y)[:, :300]) * t.f64(y)[:, 300:])


@case("swiglu.py", "_swiglu_fused_gate_up_backward_kernel")
def swiglu_fused_backward(t):
    # In place, as the library allows: the gradient overwrites the input.
    dc, y = t.normal(6, 300), t.normal(6, 2 * 300)
    d, gate, up = t.f64(dc), t.f64(y)[:, :300], t.f64(y)[:, 300:]
    t.launch((6,), dc, y, y, 600, 300, ffn_size=300, BLOCK_SIZE=512)
    s = sigmoid(gate)
    t.close(y[:, :300], d * (gate * s * (1 - s) + s) * up)
    t.close(y[:, 300:], d * gate * s)


@case("relu_squared.py", "_relu_squared_forward_kernel")
def relu_squared_forward(t):
    x, y = t.normal(5, 333), t.poison(5, 333)
    t.launch((5,), y, 333, x, 333, n_cols=333, BLOCK_SIZE=512)
    t.close(y, np.maximum(t.f64(x), 0) ** 2)


@case("relu_squared.py", "_relu_squared_backward_kernel")
def relu_squared_backward(t):
    x, dy, dx = t.normal(5, 333), t.normal(5, 333), t.poison(5, 333)
    t.launch((5,), dx, 333, dy, 333, x, 333, n_cols=333, BLOCK_SIZE=512)
    t.close(dx, t.f64(dy) * 2 * np.maximum(t.f64(x), 0))


@case("dyt.py", "_dyt_fwd_kernel")
def dyt_forward(t):
    x, y = t.normal(4, 1500), t.poison(4, 1500)
    alpha, gamma, beta = t.normal(1), t.normal(1500), t.normal(1500)
    t.launch((2, 4), x, y, alpha, gamma, beta, HAVE_BETA=True, N=1500, BLOCK_N=1024)
    t.close(y, np.tanh(t.f64(alpha) * t.f64(x)) * t.f64(gamma) + t.f64(beta))


@case("dyt.py", "_dyt_bwd_kernel")
def dyt_backward(t):
    rows, n, programs = 9, 1500, 3
    x, dy, dx = t.normal(rows, n), t.normal(rows, n), t.poison(rows, n)
    alpha, gamma = t.normal(1), t.normal(n)
    da, dg, db = t.zeros(programs, 3), t.poison(programs, n), t.poison(programs, n)
    t.launch((2, programs), dy, dx, da, dg, db, x, alpha, gamma, HAVE_BETA=True, M=rows, N=n,
             BLOCK_N=1024)
    a, g, d, v = t.f64(alpha)[0], t.f64(gamma), t.f64(dy), t.f64(x)
    th = np.tanh(a * v)
    tmp = (1 - th * th) * d * g
    t.close(dx, a * tmp)
    t.close(dg.sum(0, dtype=np.float64), (d * th).sum(0), terms=rows)
    t.close(db.sum(0, dtype=np.float64), d.sum(0), terms=rows)
    t.close(da.sum(dtype=np.float64), (v * tmp).sum(), scale=np.abs(v * tmp).sum(), terms=n)


@case("utils.py", "element_mul_kernel")
def element_mul(t):
    x, g = t.normal(5, 700), t.normal(1)
    expected = t.f64(x) * t.f64(g)
    t.launch((5,), x, 700, g, 700, BLOCK_SIZE=256)
    t.close(x, expected)


# --- softmax family --------------------------------------------------------


@case("softmax.py", "_softmax_single_block_forward_kernel")
def softmax_single_forward(t):
    x, y = t.normal(5, 777), t.poison(5, 777)
    t.launch((5,), y, 777, x, 777, 777, BLOCK_SIZE=1024)
    t.close(y, softmax(t.f64(x)))


@case("softmax.py", "_softmax_multi_block_forward_kernel",
      refused="calls tl.float32(...), which Triton's compiler refuses too")
def softmax_multi_forward(t):
    x, y = t.normal(5, 3000), t.poison(5, 3000)
    t.launch((5,), y, 3000, x, 3000, 3000, BLOCK_SIZE=1024)


@case("softmax.py", "_softmax_single_block_backward_kernel")
def softmax_single_backward(t):
    dy, y, dx = t.normal(5, 777), t.array(softmax(t.f64(t.normal(5, 777)))), t.poison(5, 777)
    t.launch((5,), dy, 777, y, 777, dx, 777, 777, BLOCK_SIZE=1024)
    p, d = t.f64(y), t.f64(dy)
    t.close(dx, p * (d - (p * d).sum(1, keepdims=True)), scale=np.abs(p).max())


@case("softmax.py", "_softmax_multi_block_backward_kernel",
      refused="calls tl.float32(...), which Triton's compiler refuses too")
def softmax_multi_backward(t):
    dy, y, dx = t.normal(5, 3000), t.normal(5, 3000), t.poison(5, 3000)
    t.launch((5,), dy, 3000, y, 3000, dx, 3000, 3000, BLOCK_SIZE=1024)


@case("sparsemax.py", "_sparsemax_forward_kernel")
def sparsemax_forward(t):
    x, o = t.normal(5, 200), t.poison(5, 200)
    ordered = t.array(np.sort(x, axis=1)[:, ::-1])
    t.launch((5,), x, 200, ordered, 200, o, 200, 200, BLOCK_SIZE=256, num_warps=4)
    z = t.f64(ordered)
    r = np.arange(1, 201)
    support = z > (np.cumsum(z, 1) - 1) / r
    k = support.sum(1, keepdims=True)
    tau = ((z * support).sum(1, keepdims=True) - 1) / k
    t.close(o, np.maximum(t.f64(x) - tau, 0), terms=200)


@case("sparsemax.py", "_sparsemax_backward_kernel")
def sparsemax_backward(t):
    o, go, gi = t.array(np.maximum(t.normal(5, 300), 0)), t.normal(5, 300), t.poison(5, 300)
    t.launch((5,), o, go, gi, 300, 300, BLOCK_SIZE=128, num_warps=4)
    support, d = t.f64(o) > 0, t.f64(go)
    mean = (d * support).sum(1, keepdims=True) / support.sum(1, keepdims=True)
    t.close(gi, np.where(support, d - mean, 0), terms=300)


# --- normalisations --------------------------------------------------------


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


# --- losses ----------------------------------------------------------------


def log_softmax(v):
    top = v.max(-1, keepdims=True)
    return v - top - np.log(np.exp(v - top).sum(-1, keepdims=True))


def cross_entropy_reference(x, y, ignore, smoothing=0.0, lse_scale=0.0, weight=None, softcap=None):
    """Mean cross entropy and its gradient, by the definition in float64."""
    v = x if softcap is None else softcap * np.tanh(x / softcap)
    logp = log_softmax(v)
    lse = (v - logp)[:, 0]
    n, count = x.shape[1], (y != ignore).sum()
    w = np.ones(n) if weight is None else weight
    keep = y != ignore
    safe = np.where(keep, y, 0)
    norm = count if weight is None else w[safe][keep].sum()
    rows = np.arange(len(y))
    nll = -logp[rows, safe] * w[safe]
    smooth = -(logp * w).sum(1)
    z = lse_scale * lse * lse / count
    loss = ((1 - smoothing) * nll + smoothing / n * smooth) / norm + z
    p = np.exp(logp)
    onehot = np.zeros_like(p)
    onehot[rows, safe] = 1
    grad = (1 - smoothing) * w[safe][:, None] * (p - onehot)
    grad += smoothing / n * (p * w.sum() - w)
    grad = grad / norm + 2 * lse_scale * lse[:, None] * p / count
    if softcap is not None:
        grad *= 1 - np.tanh(x / softcap) ** 2
    return np.where(keep, loss, np.nan), np.where(keep[:, None], grad, 0), z


CE_OPTIONS = {
    "plain": {},
    "smoothing and z loss": dict(smoothing=0.1, lse_scale=1e-2),
    "weights": dict(weighted=True, smoothing=0.1),
    "softcap": dict(softcap=5.0),
}
for label, options in CE_OPTIONS.items():

    @case("cross_entropy.py", "liger_cross_entropy_kernel", variant=label)
    def cross_entropy(t, options=options):
        rows, n, ignore = 8, 700, -100
        smoothing, lse_scale = options.get("smoothing", 0.0), options.get("lse_scale", 0.0)
        softcap, weighted = options.get("softcap"), options.get("weighted", False)
        x, y = t.normal(rows, n), t.integers(0, n, rows, dtype=np.int64)
        y[3] = ignore
        weight = t.array(np.abs(t.normal(n)) + 0.1) if weighted else None
        loss, z = t.array(np.full(rows, np.nan)), t.array(np.full(rows, np.nan))
        accuracy, predicted = t.poison(rows), t.integers(0, n, rows, dtype=np.int64)
        expected = cross_entropy_reference(t.f64(x), y, ignore, smoothing, lse_scale,
                                           None if weight is None else t.f64(weight), softcap)
        best = t.f64(x).argmax(1)
        keep = y != ignore
        t.launch((rows,), x, n, y, 1, weight, loss, z, 1, accuracy, 1, predicted, 1, n,
                 int(keep.sum()),
                 float(t.f64(weight)[y[keep]].sum()) if weighted else 1.0,
                 float(t.f64(weight).sum()) if weighted else 1.0, ignore,
                 lse_square_scale=lse_scale, label_smoothing=smoothing, reduction="mean",
                 softcap=softcap, RETURN_Z_LOSS=True, RETURN_TOKEN_ACCURACY=True,
                 RETURN_PREDICTED_TOKENS=True, BLOCK_SIZE=256, HAS_WEIGHT=weighted,
                 HAS_SOFTCAPPING=softcap is not None, HAS_GRADIENTS=True)
        t.close(loss[keep], expected[0][keep], terms=n)
        t.close(z[keep], expected[2][keep], scale=1e-2, terms=n)
        t.close(x, expected[1], scale=np.abs(expected[1]).max(), terms=n)
        t.equal(predicted, np.where(keep, best, -1))
        t.equal(accuracy, np.where(keep, best == y, 0).astype(np.float32))


def kl_cases():
    for log_target in (False, True):

        @case("kl_div.py", "_kldiv_kernel_forward", variant=f"log_target={log_target}")
        def forward(t, log_target=log_target):
            rows, n = 5, 600
            y = t.array(log_softmax(t.f64(t.normal(rows, n))))
            truth = log_softmax(t.f64(t.normal(rows, n)))
            target = t.array(truth if log_target else np.exp(truth))
            loss = t.poison(rows)
            # reduction 1 of the library: a sum per row
            t.launch((rows,), y, n, target, n, loss, 1, n, 1e-10, BLOCK_SIZE=256, reduction=1,
                     log_target=log_target)
            p = t.f64(target)
            each = np.exp(p) * (p - t.f64(y)) if log_target else p * (np.log(np.maximum(p, 1e-10)) - t.f64(y))
            t.close(loss, each.sum(1), scale=np.abs(each).sum(1).max(), terms=n)

        @case("kl_div.py", "_kldiv_kernel_backward", variant=f"log_target={log_target}")
        def backward(t, log_target=log_target):
            rows, n = 5, 600
            target, grads = t.normal(rows, n), t.poison(rows, n)
            t.launch((rows,), target, n, grads, n, n, BLOCK_SIZE=256, log_target=log_target)
            t.close(grads, -np.exp(t.f64(target)) if log_target else -t.f64(target))


kl_cases()

for beta in (0.0, 0.3, 1.0):

    @case("jsd.py", "_jsd_kernel", variant=f"beta={beta}")
    def jsd(t, beta=beta):
        rows, n = 5, 600
        x = t.array(log_softmax(t.f64(t.normal(rows, n))))
        y = t.array(log_softmax(t.f64(t.normal(rows, n))))
        label = t.integers(0, n, rows, dtype=np.int64)
        label[2] = -100
        loss, dx = t.zeros(rows, n), t.poison(rows, n)
        t.launch((rows,), x, n, y, n, loss, n, dx, n, label, beta=beta, n_non_ignore=4,
                 ignore_index=-100, n_cols=n, BLOCK_SIZE=256, HAS_LABEL=True)
        q, p, lx, ly = np.exp(t.f64(x)), np.exp(t.f64(y)), t.f64(x), t.f64(y)
        if beta == 0.0:
            value, grad = p * (ly - lx), -p
        elif beta == 1.0:
            value, grad = q * (lx - ly), q * (lx - ly) + q
        else:
            lm = np.log(beta * p + (1 - beta) * q)
            value = beta * p * (ly - lm) + (1 - beta) * q * (lx - lm)
            grad = (1 - beta) * q * (lx - lm)
        keep = (label != -100)[:, None]
        t.close(loss, np.where(keep, value / 4, 0), scale=np.abs(q + p).max())
        t.close(dx, np.where(keep, grad / 4, 0), scale=np.abs(q + p).max())


@case("tvd.py", "_tv_distance_kernel")
def tvd(t):
    rows, n = 5, 600
    p, q = t.array(softmax(t.f64(t.normal(rows, n)))), t.array(softmax(t.f64(t.normal(rows, n))))
    label = t.integers(0, n, rows, dtype=np.int64)
    label[1] = -100
    loss, grads = t.zeros(rows), t.poison(rows, n)
    t.launch((rows,), p, n, q, n, loss, 1, grads, n, label, ignore_index=-100, n_cols=n, scale=0.25,
             BLOCK_SIZE=256, HAS_LABEL=True, reduction=1)
    keep = label != -100
    difference = t.f64(p) - t.f64(q)
    t.close(loss, np.where(keep, 0.5 * np.abs(difference).sum(1) * 0.25, 0), terms=n)
    t.close(grads, np.where(keep[:, None], 0.125 * np.sign(difference), 0))


@case("fused_linear_kl_div.py", "_kl_div_kernel")
def fused_linear_kl_div(t):
    rows, n = 5, 600
    x, q = t.normal(rows, n), t.array(softmax(t.f64(t.normal(rows, n))))
    label = t.integers(0, n, rows, dtype=np.int64)
    label[4] = -100
    loss = t.zeros(rows)
    v, target, temperature, scale = t.f64(x), t.f64(q), 2.0, 0.25
    t.launch((rows,), x, n, q, n, loss, 1, label, ignore_index=-100, n_cols=n,
             temperature=temperature, eps=1e-10, scale=scale, BLOCK_SIZE=256, HAS_LABEL=True)
    keep = label != -100
    logp = log_softmax(v / temperature)
    each = target * (np.log(target) - logp)
    t.close(loss, np.where(keep, each.sum(1) * scale, 0), terms=n)
    grad = -scale * (target - np.exp(logp) * target.sum(1, keepdims=True)) / temperature
    t.close(x, np.where(keep[:, None], grad, 0), scale=np.abs(grad).max(), terms=n)


@case("fused_ce_tvd.py", "_fused_ce_tvd_forward_kernel")
def fused_ce_tvd_forward(t):
    rows, n = 6, 600
    s, teacher = t.normal(rows, n), t.normal(rows, n)
    target = t.integers(0, n, rows, dtype=np.int64)
    target[0] = -100
    ce, tv, slse, tlse, sigma = (t.poison(rows) for _ in range(5))
    t.launch((rows,), s, n, teacher, n, target, ce, tv, slse, tlse, sigma, n, ignore_index=-100,
             BLOCK_SIZE=256)
    keep = target != -100
    lp, lq = log_softmax(t.f64(s)), log_softmax(t.f64(teacher))
    p, q = np.exp(lp), np.exp(lq)
    sign = np.sign(p - q)
    t.close(ce, np.where(keep, -lp[np.arange(rows), np.where(keep, target, 0)], 0), terms=n)
    t.close(tv, np.where(keep, 0.5 * np.abs(p - q).sum(1), 0), terms=n)
    t.close(sigma, np.where(keep, (p * sign).sum(1), 0), scale=1.0, terms=n)
    t.close(slse, np.where(keep, (t.f64(s) - lp)[:, 0], 0), terms=n)


@case("fused_ce_tvd.py", "_fused_ce_tvd_backward_kernel")
def fused_ce_tvd_backward(t):
    rows, n = 6, 600
    s, teacher, grad = t.normal(rows, n), t.normal(rows, n), t.poison(rows, n)
    target = t.integers(0, n, rows, dtype=np.int64)
    target[0] = -100
    gce, gtv = t.normal(rows), t.normal(rows)
    lp, lq = log_softmax(t.f64(s)), log_softmax(t.f64(teacher))
    p, q = np.exp(lp), np.exp(lq)
    sign = np.sign(p - q)
    sigma = t.array((p * sign).sum(1))
    slse, tlse = t.array((t.f64(s) - lp)[:, 0]), t.array((t.f64(teacher) - lq)[:, 0])
    t.launch((rows,), s, n, teacher, n, target, gce, gtv, slse, tlse, sigma, grad, n, n,
             ignore_index=-100, BLOCK_SIZE=256)
    keep = target != -100
    onehot = np.zeros_like(p)
    onehot[np.arange(rows), np.where(keep, target, 0)] = 1
    expected = t.f64(gce)[:, None] * (p - onehot)
    expected += t.f64(gtv)[:, None] * 0.5 * p * (sign - t.f64(sigma)[:, None])
    t.close(grad, np.where(keep[:, None], expected, 0), scale=1.0)


@case("vocab_parallel_cross_entropy.py", "liger_vocab_parallel_ce_forward_kernel")
def vocab_parallel_forward(t):
    rows, n, start = 6, 500, 1000
    x, e = t.normal(rows, n), t.poison(rows, n)
    top = t.array(x.max(1) + 0.5)
    y = np.array([1000, 1499, 999, 1500, -100, 1234], dtype=np.int64)
    predicted, total = t.poison(rows), t.poison(rows)
    t.launch((rows,), x, n, e, n, top, y, predicted, total, start, n, -100, BLOCK_SIZE=128)
    shifted = t.f64(x) - t.f64(top)[:, None]
    t.close(e, np.exp(shifted))
    t.close(total, np.exp(shifted).sum(1), terms=n)
    inside = (y >= start) & (y < start + n)
    t.close(predicted, np.where(inside, shifted[np.arange(rows), np.where(inside, y - start, 0)], 0))


@case("vocab_parallel_cross_entropy.py", "liger_vocab_parallel_ce_backward_kernel")
def vocab_parallel_backward(t):
    rows, n, start = 6, 500, 1000
    e = t.array(np.abs(t.normal(rows, n)))
    y = np.array([1000, 1499, 999, 1500, -100, 1234], dtype=np.int64)
    total, grad_out = t.array(t.f64(e).sum(1) * 2), t.normal(rows)
    before = t.f64(e)
    t.launch((rows,), e, n, total, y, grad_out, start, n, -100, 0.1, 0.1 / n,
             HAS_LABEL_SMOOTHING=True, BLOCK_SIZE=128)
    inside = (y >= start) & (y < start + n)
    grad = before / t.f64(total)[:, None] - 0.1 / n
    grad[np.flatnonzero(inside), (y - start)[inside]] -= 0.9
    grad *= t.f64(grad_out)[:, None]
    t.close(e, np.where((y != -100)[:, None], grad, 0), scale=1.0)


# --- reinforcement learning ------------------------------------------------


def grpo_inputs(t, b=2, length=3, n=900):
    logits, ids = t.normal(b, length + 1, n), t.integers(0, n, (b, length), dtype=np.int64)
    logp = log_softmax(t.f64(logits)[:, :length] / 0.9)
    chosen = np.take_along_axis(logp, ids[..., None], 2)[..., 0]
    lse = (t.f64(logits)[:, :length] / 0.9 - logp)[..., 0]
    return logits, ids, logp, chosen, lse


@case("grpo_loss.py", "_selective_log_softmax_kernel")
def selective_log_softmax(t):
    logits, ids, _, chosen, _ = grpo_inputs(t)
    out = t.poison(2, 3)
    t.launch((2, 3), logits, ids, out, None, TEMPERATURE=0.9, stride_input_ids_b=3,
             stride_input_ids_l=1, stride_mask_b=0, stride_mask_l=0, L=3, N=900, BLOCK_N=256)
    t.close(out, chosen, terms=900)


@case("grpo_loss.py", "_grpo_loss_fwd_kernel")
def grpo_forward(t):
    logits, ids, _, chosen, lse = grpo_inputs(t)
    old, ref = t.array(chosen + 0.2 * t.normal(2, 3)), t.array(chosen + 0.2 * t.normal(2, 3))
    advantage = t.normal(2)
    loss, out_lse, kl, clipped = (t.poison(2, 3) for _ in range(4))
    t.launch((2, 3), logits, old, ref, ids, None, advantage, None, 1, None, loss, out_lse, kl,
             clipped, TEMPERATURE=0.9, BETA=0.04, EPS_LOW=0.2, EPS_HIGH=0.3, LOSS_TYPE=0,
             SAPO_TEMP_POS=1.0, SAPO_TEMP_NEG=1.05, DELTA=0.0, USE_BIAS_CORRECTION_KL=False, L=3,
             N=900, BLOCK_N=256)
    c1, a = np.exp(chosen - t.f64(old)), t.f64(advantage)[:, None]
    delta = t.f64(ref) - chosen
    penalty = np.exp(delta) - delta - 1
    t.close(out_lse, lse, terms=900)
    t.close(kl, penalty, scale=1.0, terms=900)
    t.close(loss, -np.minimum(c1 * a, np.clip(c1, 0.8, 1.3) * a) + 0.04 * penalty, terms=900)
    t.equal(clipped, (((c1 < 0.8) & (a < 0)) | ((c1 > 1.3) & (a > 0))).astype(np.float32))


@case("grpo_loss.py", "_grpo_loss_bwd_kernel")
def grpo_backward(t):
    logits, ids, logp, chosen, lse = grpo_inputs(t)
    old, ref = t.array(chosen + 0.2 * t.normal(2, 3)), t.array(chosen + 0.2 * t.normal(2, 3))
    advantage, dloss, grad = t.normal(2), t.normal(2, 3), t.poison(2, 4, 900)
    t.launch((2, 3), dloss, grad, logits, old, ref, ids, advantage, None, t.array(lse), None, 1,
             None, TEMPERATURE=0.9, BETA=0.04, EPS_LOW=0.2, EPS_HIGH=0.3, LOSS_TYPE=0,
             SAPO_TEMP_POS=1.0, SAPO_TEMP_NEG=1.05, DELTA=0.0, USE_BIAS_CORRECTION_KL=False,
             loss_stride0=3, loss_stride1=1, L=3, N=900, BLOCK_N=256)
    c1, a = np.exp(chosen - t.f64(old)), t.f64(advantage)[:, None]
    live = np.clip(c1, 0.8, 1.3) * a >= c1 * a
    factor = (-c1 * a * live + 0.04 * (1 - np.exp(t.f64(ref) - chosen))) * t.f64(dloss) / 0.9
    onehot = np.zeros_like(logp)
    np.put_along_axis(onehot, ids[..., None], 1, 2)
    t.close(grad[:, :3], (onehot - np.exp(logp)) * factor[..., None], scale=1.0, terms=900)


@case("grpo_loss.py", "_grpo_loss_fwd_kernel_seq")
def grpo_forward_sequence(t):
    logits, ids, _, chosen, lse = grpo_inputs(t)
    ref = t.array(chosen + 0.2 * t.normal(2, 3))
    c1, c2 = t.array(np.abs(t.normal(2))), t.array(np.abs(t.normal(2)))
    advantage, clipped_in = t.normal(2), t.zeros(2)
    loss, out_lse, kl, clipped = (t.poison(2, 3) for _ in range(4))
    t.launch((2, 3), logits, None, ref, ids, None, advantage, c1, c1, c2, clipped_in, None, 1, loss,
             out_lse, kl, clipped, TEMPERATURE=0.9, BETA=0.04, USE_BIAS_CORRECTION_KL=True, L=3,
             N=900, BLOCK_N=256)
    delta = t.f64(ref) - chosen
    penalty = (np.exp(delta) - delta - 1) * t.f64(c1)[:, None]
    a = t.f64(advantage)
    t.close(out_lse, lse, terms=900)
    t.close(loss, -np.minimum(t.f64(c1) * a, t.f64(c2) * a)[:, None] + 0.04 * penalty, terms=900)
    t.equal(clipped, np.zeros((2, 3), np.float32))


@case("grpo_loss.py", "_grpo_loss_bwd_kernel_seq")
def grpo_backward_sequence(t):
    logits, ids, logp, chosen, lse = grpo_inputs(t)
    ref = t.array(chosen + 0.2 * t.normal(2, 3))
    c1, advantage, dloss = t.array(np.abs(t.normal(2))), t.normal(2), t.normal(2, 3)
    total, lengths, grad = t.array(t.f64(dloss).sum(1)), t.array(np.full(2, 3.0)), t.poison(2, 4, 900)
    t.launch((2, 3), dloss, total, None, grad, logits, None, ref, ids, advantage, None, t.array(lse),
             c1, lengths, TEMPERATURE=0.9, BETA=0.04, USE_BIAS_CORRECTION_KL=False, EPS_LOW=0.2,
             EPS_HIGH=0.3, DELTA=0.0, loss_stride0=3, loss_stride1=1, L=3, N=900, BLOCK_N=256)
    c, a = t.f64(c1), t.f64(advantage)
    live = np.clip(c, 0.8, 1.3) * a >= c * a
    factor = (-c * a / 3 * live * t.f64(total))[:, None]
    factor = (factor + 0.04 * (1 - np.exp(t.f64(ref) - chosen)) * t.f64(dloss)) / 0.9
    onehot = np.zeros_like(logp)
    np.put_along_axis(onehot, ids[..., None], 1, 2)
    t.close(grad[:, :3], (onehot - np.exp(logp)) * factor[..., None], scale=1.0, terms=900)


# --- positions, embeddings, masks ------------------------------------------


def rotate(v, c, s, half):
    a, b = v[..., :half], v[..., half:2 * half]
    return np.concatenate([a * c - b * s, b * c + a * s, v[..., 2 * half:]], -1)


@case("rope.py", "_triton_rope")
def rope(t):
    batch, length, qh, kh, hd = 2, 3, 5, 2, 24
    q, k = t.normal(batch * length, qh, hd), t.normal(batch * length, kh, hd)
    cos, sin = t.normal(length, hd), t.normal(length, hd)
    c = np.tile(t.f64(cos)[:, :hd // 2], (batch, 1))[:, None]
    s = np.tile(t.f64(sin)[:, :hd // 2], (batch, 1))[:, None]
    expected = rotate(t.f64(q), c, s, hd // 2), rotate(t.f64(k), c, s, hd // 2)
    # In place, both halves of each head: loads must all come before the stores.
    t.launch((batch * length,), q, qh * hd, k, kh * hd, cos, hd, sin, hd, length, bs=batch, cos_bs=1,
             n_qh=qh, n_kh=kh, hd=hd, pad_n_qh=8, pad_n_kh=2, pad_hd=32, pad_rd=32, rd=hd,
             BLOCK_SIZE=8, BACKWARD_PASS=False)
    t.close(q, expected[0])
    t.close(k, expected[1])


@case("qwen2vl_mrope.py", "_triton_qwen2vl_mrope")
def mrope(t):
    batch, length, qh, kh, hd, sections = 1, 3, 4, 2, 32, (4, 6)
    q, k = t.normal(batch * length, qh, hd), t.normal(batch * length, kh, hd)
    cos, sin = t.normal(3, batch * length, hd), t.normal(3, batch * length, hd)
    which = np.repeat([0, 1, 2], [sections[0], sections[1], hd // 2 - sum(sections)])
    c = np.take_along_axis(t.f64(cos)[:, :, :hd // 2], which[None, None, :], 0)[0][:, None]
    s = np.take_along_axis(t.f64(sin)[:, :, :hd // 2], which[None, None, :], 0)[0][:, None]
    expected = rotate(t.f64(q), c, s, hd // 2), rotate(t.f64(k), c, s, hd // 2)
    t.launch((batch * length,), q, k, cos, sin, length, bs=batch, n_qh=qh, n_kh=kh, hd=hd,
             pad_n_qh=4, pad_n_kh=2, pad_hd=32, mrope_section_t=sections[0],
             mrope_section_h=sections[1], BLOCK_SIZE=4)
    t.close(q, expected[0])
    t.close(k, expected[1])


@case("llama4_rope.py", "_llama4_rope_kernel")
def llama4_rope(t):
    batch, length, qh, kh, half = 2, 3, 4, 2, 20
    q, k = t.normal(batch * length, qh, 2 * half), t.normal(batch * length, kh, 2 * half)
    freqs = t.normal(length, half, 2)

    def complexes(v):
        return t.f64(v)[..., 0::2] + 1j * t.f64(v)[..., 1::2]

    turn = np.tile(t.f64(freqs)[..., 0] + 1j * t.f64(freqs)[..., 1], (batch, 1))[:, None]
    expected = complexes(q) * turn, complexes(k) * turn
    t.launch((batch * length, qh), q, k, freqs, qh * 2 * half, kh * 2 * half, 2 * half, 2 * half,
             2 * half, length, batch, 1.0, head_dim_half=half, n_q_heads=qh, n_k_heads=kh,
             BLOCK_SIZE=16)
    for got, want in zip((q, k), expected):
        t.close(got[..., 0::2], want.real)
        t.close(got[..., 1::2], want.imag)


@case("experimental/embedding.py", "embedding_forward_kernel")
def embedding_forward(t):
    table, index = t.normal(50, 70), t.integers(0, 50, 13, dtype=np.int64)
    out = t.poison(13, 70)
    t.launch((2, 2), table, index, out, 13, embedding_dim=70, BLOCK_SIZE_M=8, BLOCK_SIZE_N=64)
    t.equal(out, table[index])


@case("experimental/embedding.py", "embedding_backward_kernel")
def embedding_backward(t):
    grad, index = t.normal(13, 70), t.integers(0, 5, 13, dtype=np.int64)
    table = t.zeros(50, 70)
    t.launch((2, 2), grad, table, index, 13, embedding_dim=70, BLOCK_SIZE_M=8, BLOCK_SIZE_N=64)
    expected = np.zeros((50, 70))
    np.add.at(expected, index, t.f64(grad))
    t.close(table, expected, terms=13)


@case("multi_token_attention.py", "_mask_fwd_kernel")
def mask_forward(t):
    x, out = t.normal(2, 45, 45), t.poison(2, 45, 45)
    t.launch((2, 2, 2), x, out, 45 * 45, 45, 1, 45, mask_val=-1e9, BLOCK=32, num_warps=4)
    t.equal(out, np.where(np.tri(45, dtype=bool), x, np.float32(-1e9)))


@case("multi_token_attention.py", "_mask_bwd_kernel")
def mask_backward(t):
    x, out = t.normal(2, 45, 45), t.poison(2, 45, 45)
    t.launch((2, 2, 2), x, out, 45 * 45, 45, 1, 45, BLOCK=32, num_warps=4)
    t.equal(out, np.where(np.tri(45, dtype=bool), x, np.float32(0)))


# --- matrix products -------------------------------------------------------


@case("experimental/mm_int8int2.py", "matmul_kernel")
def matmul_int8_int2(t):
    m, n, k = 40, 24, 256
    a = t.integers(-128, 128, (m, k), dtype=np.int8)
    packed = t.integers(0, 256, (k // 4, n), dtype=np.uint8)
    c = np.full((m, n), 77, np.int32)
    t.launch((2 * 1,), a, packed, c, m, n, K=k, stride_am=k, stride_ak=1, stride_bk=n, stride_bn=1,
             stride_cm=n, stride_cn=1, BLOCK_SIZE_M=32, BLOCK_SIZE_N=32, BLOCK_SIZE_K=32,
             GROUP_SIZE_M=4)
    unpacked = np.concatenate([(packed >> 2 * i & 3).astype(np.int32) - 1 for i in range(4)])
    t.equal(c, a.astype(np.int32) @ unpacked)


@case("fused_neighborhood_attention.py", "_neighborhood_mask_kernel")
def neighborhood_mask(t):
    n, size, dilation = 40, 7, 2
    out = t.poison(n, n)
    t.launch((n,), out, seq_len=n, kernel_size=size, dilation=dilation, BLOCK_SIZE=64, num_stages=1,
             num_warps=4)
    distance = np.arange(n)[None] - np.arange(n)[:, None]
    t.equal(out, ((np.abs(distance) <= size // 2 * dilation) & (distance % dilation == 0)).astype(np.float32))


def attention_shapes(t):
    batch, heads, n, d = 2, 2, 40, 24
    return batch, heads, n, d, [heads * n * d, n * d, d, 1], [heads * n * n, n * n, n, 1]


BLOCKS = dict(BLOCK_SIZE_M=16, BLOCK_SIZE_N=16, BLOCK_SIZE_K=16, num_stages=2, num_warps=4)


@case("fused_neighborhood_attention.py", "_fused_neighborhood_attention_qk_kernel")
def neighborhood_qk(t):
    batch, heads, n, d, wide, square = attention_shapes(t)
    q, k = t.normal(batch, heads, n, d), t.normal(batch, heads, n, d)
    qk, mask = t.poison(batch, heads, n, n), t.array(np.tri(n))
    t.launch((batch * heads, 3, 3), q, k, qk, mask, *wide, *wide, *square, batch_size=batch,
             num_heads=heads, seq_len=n, head_dim=d, scale=0.2, kernel_size=7, dilation=1, **BLOCKS)
    expected = t.f64(q) @ t.f64(k).swapaxes(2, 3) * 0.2
    t.close(qk, np.where(np.tri(n, dtype=bool), expected, -np.inf), terms=d)


@case("fused_neighborhood_attention.py", "_fused_neighborhood_attention_av_kernel")
def neighborhood_av(t):
    batch, heads, n, d, wide, square = attention_shapes(t)
    a, v, out = t.normal(batch, heads, n, n), t.normal(batch, heads, n, d), t.poison(batch, heads, n, d)
    t.launch((batch * heads, 3, 2), a, v, out, *square, *wide, *wide, batch_size=batch,
             num_heads=heads, seq_len=n, head_dim=d, **BLOCKS)
    t.close(out, t.f64(a) @ t.f64(v), terms=n)


@case("fused_neighborhood_attention.py", "_fused_neighborhood_attention_grad_qk_kernel")
def neighborhood_grad_q(t):
    batch, heads, n, d, wide, square = attention_shapes(t)
    g, k, out = t.normal(batch, heads, n, n), t.normal(batch, heads, n, d), t.poison(batch, heads, n, d)
    t.launch((batch * heads, 3, 2), g, k, out, *square, *wide, *wide, batch_size=batch,
             num_heads=heads, seq_len=n, head_dim=d, scale=0.2, **BLOCKS)
    t.close(out, t.f64(g) @ t.f64(k) * 0.2, terms=n)


@case("fused_neighborhood_attention.py", "_fused_neighborhood_attention_grad_k_kernel")
def neighborhood_grad_k(t):
    batch, heads, n, d, wide, square = attention_shapes(t)
    g, q, out = t.normal(batch, heads, n, n), t.normal(batch, heads, n, d), t.poison(batch, heads, n, d)
    t.launch((batch * heads, 3, 2), g, q, out, *square, *wide, *wide, batch_size=batch,
             num_heads=heads, seq_len=n, head_dim=d, scale=0.2, **BLOCKS)
    t.close(out, t.f64(g).swapaxes(2, 3) @ t.f64(q) * 0.2, terms=n)


@case("fused_neighborhood_attention.py", "_fused_neighborhood_attention_grad_v_kernel")
def neighborhood_grad_v(t):
    batch, heads, n, d, wide, square = attention_shapes(t)
    a, g, out = t.normal(batch, heads, n, n), t.normal(batch, heads, n, d), t.poison(batch, heads, n, d)
    t.launch((batch * heads, 3, 2), a, g, out, *square, *wide, *wide, batch_size=batch,
             num_heads=heads, seq_len=n, head_dim=d, **BLOCKS)
    t.close(out, t.f64(a).swapaxes(2, 3) @ t.f64(g), terms=n)


@case("fused_neighborhood_attention.py", "_fused_neighborhood_attention_grad_attn_kernel")
def neighborhood_grad_attn(t):
    batch, heads, n, d, wide, square = attention_shapes(t)
    g, v, out = t.normal(batch, heads, n, d), t.normal(batch, heads, n, d), t.poison(batch, heads, n, n)
    t.launch((batch * heads, 3, 3), g, v, out, *wide, *wide, *square, batch_size=batch,
             num_heads=heads, seq_len=n, head_dim=d, **BLOCKS)
    t.close(out, t.f64(g) @ t.f64(v).swapaxes(2, 3), terms=d)


# --- residual attention ----------------------------------------------------


@case("attn_res.py", "_attn_res_fwd_kernel")
def attn_res_forward(t):
    blocks, tokens, d = 3, 5, 40
    v, wq, wn = t.normal(blocks, tokens, d), t.normal(d), t.normal(d)
    out, alpha, rstd = t.poison(tokens, d), t.poison(tokens, blocks), t.poison(tokens, blocks)
    t.launch((tokens,), v, wq, wn, out, alpha, rstd, blocks, tokens, d, eps=1e-6, BLOCK_D=64,
             MAX_BLOCKS=4)
    x = t.f64(v)
    r = rms(x)
    score = (x * r[..., None] * t.f64(wn) * t.f64(wq)).sum(2)
    weight = softmax(score.T)
    t.close(rstd, r.T, terms=d)
    t.close(alpha, weight, terms=d)
    t.close(out, np.einsum("tb,btd->td", weight, x), terms=d)


@case("attn_res.py", "_attn_res_bwd_kernel")
def attn_res_backward(t):
    blocks, tokens, d = 3, 5, 40
    v, wq, wn, dout = t.normal(blocks, tokens, d), t.normal(d), t.normal(d), t.normal(tokens, d)
    x, q, w, dh = t.f64(v), t.f64(wq), t.f64(wn), t.f64(dout)
    r = rms(x)
    alpha = softmax((x * r[..., None] * w * q).sum(2).T)
    dv, dq, dn = t.poison(blocks, tokens, d), t.zeros(d), t.zeros(d)
    t.launch((tokens,), dout, v, wq, wn, t.array(alpha), t.array(r.T), dv, dq, dn, blocks, tokens, d,
             1e-6, BLOCK_D=64, MAX_BLOCKS=4)
    da = np.einsum("td,btd->tb", dh, x)
    ds = (alpha * (da - (alpha * da).sum(1, keepdims=True))).T[..., None]
    rk = r[..., None]
    dk = ds * q * w
    expected = alpha.T[..., None] * dh + rk * dk - rk**3 * (dk * x).mean(2, keepdims=True) * x
    t.close(dv, expected, terms=d)
    t.close(dq, (ds * x * rk * w).sum((0, 1)), terms=tokens * d)
    t.close(dn, (ds * q * x * rk).sum((0, 1)), terms=tokens * d)


# --- hyper-connections -----------------------------------------------------


@case("mhc.py", "_mhc_pre_fwd_kernel")
def mhc_pre_forward(t):
    n, hc, c = 9, 4, 50
    x, h, out = t.normal(n, hc, c), t.normal(n, hc), t.poison(n, c)
    t.launch((2, 1), x, h, out, N=n, HC=hc, C=c, stride_xn=hc * c, stride_xh=c, stride_xc=1,
             stride_hn=hc, stride_hh=1, stride_on=c, stride_oc=1, BLOCK_N=8, BLOCK_C=64)
    t.close(out, np.einsum("nhc,nh->nc", t.f64(x), t.f64(h)), terms=hc)


@case("mhc.py", "_mhc_pre_bwd_kernel")
def mhc_pre_backward(t):
    n, hc, c = 9, 4, 50
    x, h, go = t.normal(n, hc, c), t.normal(n, hc), t.normal(n, c)
    gx, gh = t.poison(n, hc, c), t.zeros(n, hc)
    t.launch((2, 1), x, h, go, gx, gh, N=n, HC=hc, C=c, stride_xn=hc * c, stride_xh=c, stride_xc=1,
             stride_hn=hc, stride_hh=1, stride_gon=c, stride_goc=1, stride_gxn=hc * c, stride_gxh=c,
             stride_gxc=1, stride_ghn=hc, stride_ghh=1, BLOCK_N=8, BLOCK_C=64)
    t.close(gx, t.f64(go)[:, None] * t.f64(h)[..., None])
    t.close(gh, np.einsum("nc,nhc->nh", t.f64(go), t.f64(x)), terms=c)


@case("mhc.py", "_mhc_post_res_fwd_kernel")
def mhc_post_forward(t):
    n, hc, c = 9, 4, 50
    x, f, hp, hr, out = (t.normal(n, hc, c), t.normal(n, c), t.normal(n, hc), t.normal(n, hc, hc),
                         t.poison(n, hc, c))
    t.launch((2, 1), x, f, hp, hr, out, N=n, HC=hc, C=c, stride_xn=hc * c, stride_xh=c, stride_xc=1,
             stride_fn=c, stride_fc=1, stride_hpn=hc, stride_hph=1, stride_hrn=hc * hc, stride_hri=hc,
             stride_hrj=1, stride_on=hc * c, stride_oh=c, stride_oc=1, BLOCK_N=8, BLOCK_C=64)
    expected = t.f64(f)[:, None] * t.f64(hp)[..., None] + t.f64(hr) @ t.f64(x)
    t.close(out, expected, terms=hc)


@case("mhc.py", "_mhc_post_res_bwd_kernel")
def mhc_post_backward(t):
    n, hc, c = 9, 4, 50
    x, f, hp, hr, go = (t.normal(n, hc, c), t.normal(n, c), t.normal(n, hc), t.normal(n, hc, hc),
                        t.normal(n, hc, c))
    gx, gf, ghp, ghr = t.poison(n, hc, c), t.poison(n, c), t.zeros(n, hc), t.zeros(n, hc, hc)
    t.launch((2, 1), x, f, hp, hr, go, gx, gf, ghp, ghr, N=n, HC=hc, C=c, stride_xn=hc * c,
             stride_xh=c, stride_xc=1, stride_fn=c, stride_fc=1, stride_hpn=hc, stride_hph=1,
             stride_hrn=hc * hc, stride_hri=hc, stride_hrj=1, stride_gon=hc * c, stride_goh=c,
             stride_goc=1, stride_gxn=hc * c, stride_gxh=c, stride_gxc=1, stride_gfn=c, stride_gfc=1,
             stride_ghpn=hc, stride_ghph=1, stride_ghrn=hc * hc, stride_ghri=hc, stride_ghrj=1,
             BLOCK_N=8, BLOCK_C=64)
    g, v = t.f64(go), t.f64(x)
    t.close(gf, np.einsum("nhc,nh->nc", g, t.f64(hp)), terms=hc)
    t.close(ghp, np.einsum("nhc,nc->nh", g, t.f64(f)), terms=c)
    t.close(gx, np.einsum("noc,noi->nic", g, t.f64(hr)), terms=hc)
    t.close(ghr, np.einsum("noc,nic->noi", g, v), terms=c)


@case("mhc.py", "_mhc_mm_norm_fwd_kernel")
def mhc_mm_norm_forward(t):
    n, k, m = 20, 100, 24
    x, phi, mix, invr = t.normal(n, k), t.normal(k, m), t.poison(n, m), t.poison(n)
    t.launch((2, 1), x, phi, mix, invr, N=n, K=k, M=m, stride_xn=k, stride_xk=1, stride_phik=m,
             stride_phim=1, stride_mn=m, stride_mm=1, eps=1e-6, BLOCK_N=16, BLOCK_K=64, BLOCK_M=32,
             CAST_FP32=True)
    r = rms(t.f64(x))
    t.close(invr, r, terms=k)
    t.close(mix, t.f64(x) @ t.f64(phi) * r[:, None], terms=k)


# --- mixture of experts ----------------------------------------------------


@case("fused_moe_kernels.py", "_moe_router_histogram_kernel")
def moe_histogram(t):
    tokens, k, experts, per = 50, 3, 6, 16
    tiles = -(-tokens // per)
    index = t.integers(0, experts, (tokens, k), dtype=np.int32)
    counts = np.full((experts, tiles), -7, np.int32)
    t.launch((tiles,), index, counts, tokens, E=experts, n_tiles=tiles, TOKENS_PER_TILE=per,
             K_POW2=4, K=k, E_POW2=8)
    expected = np.zeros_like(counts)
    for token in range(tokens):
        for expert in index[token]:
            expected[expert, token // per] += 1
    t.equal(counts, expected)


@case("fused_moe_kernels.py", "_moe_router_prefix_sum_kernel")
def moe_prefix_sum(t):
    experts, tiles = 6, 5
    counts = t.integers(0, 9, (experts, tiles), dtype=np.int32)
    frequency = counts.sum(1, dtype=np.int32)
    offsets, tile_offsets = np.full(experts + 1, -7, np.int32), np.full(experts + 1, -7, np.int32)
    before = counts.copy()
    t.launch((experts + 2,), frequency, offsets, tile_offsets, experts, counts, tiles,
             int(frequency.sum()), BLOCK_M=4, BLOCK_N=8, BLOCK_M_TOKEN=4)
    t.equal(counts, np.cumsum(before, 1) - before)
    t.equal(offsets, np.concatenate([[0], np.cumsum(frequency)]))
    t.equal(tile_offsets, np.concatenate([[0], np.cumsum(-(-frequency // 4))]))


@case("fused_moe_kernels.py", "_token_gather_weighted_sum_kernel")
def moe_weighted_sum(t):
    tokens, k, h = 7, 3, 50
    y, w, out = t.normal(tokens * k, h), t.normal(tokens * k), t.poison(tokens, h)
    order = t.rng.permutation(tokens * k).astype(np.int32)
    t.launch((tokens,), y, w, order, out, H_dim=h, K_dim=k, stride_Y_TK=h, stride_Y_H=1,
             stride_out_T=h, stride_out_H=1, BLOCK_H=32, BLOCK_K=4, w_is_None=False)
    rows = t.f64(y)[order].reshape(tokens, k, h)
    t.close(out, (rows * t.f64(w).reshape(tokens, k, 1)).sum(1), terms=k)


def moe_tiles(t, experts=3, per=16):
    """Tokens sorted by expert, as the router leaves them."""
    counts = np.array([20, 0, 13])
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    rows, owner = [], []
    for expert in range(experts):
        for row in range(start[expert], start[expert + 1], per):
            rows.append(row)
            owner.append(expert)
    return start, np.array(rows, np.int32), np.array(owner, np.int32), np.repeat(range(experts), counts)


@case("fused_moe_kernels.py", "_fused_up_proj_swiglu_kernel")
def moe_up_projection(t):
    start, rows, owner, expert = moe_tiles(t)
    total, tokens, h, inner = start[-1], 11, 40, 24
    x, w = t.normal(tokens, h), t.normal(3, 2 * inner, h)
    gather = t.integers(0, tokens, total, dtype=np.int32)
    pre, post = t.poison(total, 2 * inner), t.poison(total, inner)
    t.launch((len(rows), 2), x, w, gather, start, rows, owner, pre, post, H_dim=h, I_dim=inner,
             stride_x_T=h, stride_x_H=1, stride_w_E=2 * inner * h, stride_w_N=h, stride_w_K=1,
             stride_pre_TK=2 * inner, stride_pre_N=1, stride_post_TK=inner, stride_post_N=1,
             BLOCK_M=16, BLOCK_N=16, BLOCK_K=16)
    product = np.einsum("th,tnh->tn", t.f64(x)[gather], t.f64(w)[expert])
    t.close(pre, product, terms=h)
    t.close(post, silu(product[:, :inner]) * product[:, inner:], terms=h)


@case("fused_moe_kernels.py", "_fused_down_proj_kernel")
def moe_down_projection(t):
    start, rows, owner, expert = moe_tiles(t)
    total, h, inner = start[-1], 40, 24
    a, w, y = t.normal(total, inner), t.normal(3, h, inner), t.poison(total, h)
    t.launch((len(rows), 3), a, w, start, rows, owner, y, H_dim=h, I_dim=inner, stride_post_TK=inner,
             stride_post_I=1, stride_w_E=h * inner, stride_w_H=inner, stride_w_I=1, stride_Y_TK=h,
             stride_Y_H=1, BLOCK_M=16, BLOCK_N=16, BLOCK_K=16)
    t.close(y, np.einsum("ti,thi->th", t.f64(a), t.f64(w)[expert]), terms=inner)


@case("fused_moe_kernels.py", "_moe_bwd_dX_expanded_kernel")
def moe_backward_input(t):
    start, rows, owner, expert = moe_tiles(t)
    total, h, inner = start[-1], 40, 24
    d, w, out = t.normal(total, 2 * inner), t.normal(3, 2 * inner, h), t.poison(total, h)
    t.launch((len(rows), 3), d, w, start, rows, owner, out, H_dim=h, I_dim=inner,
             stride_d_pre_TK=2 * inner, stride_d_pre_N=1, stride_w_E=2 * inner * h, stride_w_N=h,
             stride_w_K=1, stride_dxe_TK=h, stride_dxe_H=1, BLOCK_M=16, BLOCK_N=16, BLOCK_K=16)
    t.close(out, np.einsum("tn,tnh->th", t.f64(d), t.f64(w)[expert]), terms=2 * inner)


@case("fused_moe_kernels.py", "_moe_bwd_dW2_kernel")
def moe_backward_down_weights(t):
    start, _, _, expert = moe_tiles(t)
    total, tokens, h, inner = start[-1], 11, 40, 24
    a, g, dw = t.normal(total, inner), t.normal(tokens, h), t.zeros(3, h, inner)
    gather = t.integers(0, tokens, total, dtype=np.int32)
    t.launch((3 * 2, 3), a, g, gather, start, dw, H_dim=h, I_dim=inner, stride_wact_TK=inner,
             stride_wact_I=1, stride_dout_T=h, stride_dout_H=1, stride_dW2_E=h * inner,
             stride_dW2_H=inner, stride_dW2_I=1, BLOCK_M=16, BLOCK_N=16, BLOCK_K=16)
    expected = np.zeros((3, h, inner))
    np.add.at(expected, expert, t.f64(g)[gather][:, :, None] * t.f64(a)[:, None, :])
    t.close(dw, expected, terms=20)


@case("fused_moe_kernels.py", "_moe_bwd_dW1_kernel")
def moe_backward_up_weights(t):
    start, _, _, expert = moe_tiles(t)
    total, tokens, h, inner = start[-1], 11, 40, 24
    x, d, dw = t.normal(tokens, h), t.normal(total, 2 * inner), t.zeros(3, 2 * inner, h)
    gather = t.integers(0, tokens, total, dtype=np.int32)
    t.launch((3 * 3, 3), x, d, gather, start, dw, H_dim=h, I_dim=inner, stride_x_T=h, stride_x_H=1,
             stride_d_pre_TK=2 * inner, stride_d_pre_N=1, stride_dW1_E=2 * inner * h, stride_dW1_N=h,
             stride_dW1_H=1, BLOCK_M=16, BLOCK_N=16, BLOCK_K=16)
    expected = np.zeros((3, 2 * inner, h))
    np.add.at(expected, expert, t.f64(d)[:, :, None] * t.f64(x)[gather][:, None, :])
    t.close(dw, expected, terms=20)


@case("fused_moe_kernels.py", "_moe_router_scatter_kernel")
def moe_scatter(t):
    tokens, k, experts, per_block, tile = 21, 3, 5, 8, 4
    blocks, total = -(-tokens // per_block), tokens * k
    index = t.integers(0, experts, (tokens, k), dtype=np.int32)
    counts = np.zeros((experts, blocks), np.int64)
    for token in range(tokens):
        np.add.at(counts, (index[token], token // per_block), 1)
    frequency = counts.sum(1)
    partial = t.array(np.cumsum(counts, 1) - counts, np.int32)
    start = np.concatenate([[0], np.cumsum(frequency)])
    tile_start = np.concatenate([[0], np.cumsum(-(-frequency // tile))])
    scatter, reverse, gather = (np.full(total, -7, np.int32) for _ in range(3))
    row_start, owner = (np.full(tile_start[-1], -7, np.int32) for _ in range(2))
    t.launch((blocks,), scatter, reverse, gather, row_start, owner, index, tokens, partial, blocks,
             t.array(start, np.int32), t.array(tile_start, np.int32), K_POW2=4, K=k,
             TOKENS_PER_BLOCK=per_block, BLOCK_M_TOKEN=tile)
    # A permutation of the entries, ordered by expert, and its inverse.
    t.equal(np.sort(scatter), np.arange(total))
    t.equal(reverse[scatter], np.arange(total))
    t.equal(index.reshape(-1)[scatter], np.repeat(np.arange(experts), frequency))
    t.equal(gather, scatter // k)
    expected = [(s, e) for e in range(experts) for s in range(start[e], start[e + 1], tile)]
    t.equal(row_start, np.array([s for s, _ in expected]))
    t.equal(owner, np.array([e for _, e in expected]))


@case("fused_moe_kernels.py", "_moe_bwd_down_proj_kernel")
def moe_backward_down_projection(t):
    start, rows, owner, expert = moe_tiles(t)
    total, tokens, h, inner = start[-1], 11, 40, 24
    dout, w, pre = t.normal(tokens, h), t.normal(3, h, inner), t.normal(total, 2 * inner)
    gather = t.integers(0, tokens, total, dtype=np.int32)
    entry, weight = t.rng.permutation(total).astype(np.int32), t.normal(total)
    dpre, wact, ds = t.poison(total, 2 * inner), t.poison(total, inner), t.zeros(total)
    t.launch((len(rows), 2), dout, gather, entry, weight, w, pre, start, rows, owner, dpre, wact, ds,
             H_dim=h, I_dim=inner, stride_dO_T=h, stride_dO_H=1, stride_w_E=h * inner,
             stride_w_H=inner, stride_w_I=1, stride_pre_TK=2 * inner, stride_pre_N=1,
             stride_d_pre_TK=2 * inner, stride_d_pre_N=1, stride_wact_TK=inner, stride_wact_I=1,
             BLOCK_M=16, BLOCK_N=16, BLOCK_K=16)
    gate, up = t.f64(pre)[:, :inner], t.f64(pre)[:, inner:]
    scale = t.f64(weight)[entry][:, None]
    product = np.einsum("th,thi->ti", t.f64(dout)[gather], t.f64(w)[expert])
    y, s = silu(gate) * up, sigmoid(gate)
    t.close(wact, scale * y)
    t.close(ds[entry], (product * y).sum(1), terms=h + inner, scale=np.abs(product * y).sum(1).max())
    t.close(dpre[:, :inner], product * scale * (silu(gate) * (1 - s) + s) * up, terms=h)
    t.close(dpre[:, inner:], product * scale * silu(gate), terms=h)


MLP = dict(BLOCK_M=16, BLOCK_N=16, BLOCK_K=16, GROUP_SIZE_M=4)


def mlp_inputs(t, batch=2, length=20, dim=32, hidden=48):
    return batch, length, dim, hidden


def mlp_forward_case(name, training):
    @case("mlp.py", name)
    def forward(t):
        batch, length, dim, hidden = mlp_inputs(t)
        x, wg, wu = (t.normal(batch, length, dim, dtype=np.float16),
                     t.normal(hidden, dim, dtype=np.float16), t.normal(hidden, dim, dtype=np.float16))
        outs = [t.poison(batch, length, hidden, dtype=np.float16) for _ in range(3 if training else 1)]
        t.launch((2 * 3, batch), t.descriptor(x, (1, 16, 16)), t.descriptor(wg, (16, 16)),
                 t.descriptor(wu, (16, 16)), *[t.descriptor(o, (1, 16, 16)) for o in outs], length, dim,
                 hidden, 32, gate_multiplier=1.0, **MLP)
        gate, up = t.f64(x) @ t.f64(wg).T, t.f64(x) @ t.f64(wu).T
        half = np.finfo(np.float16).eps / np.finfo(np.float32).eps  # one rounding to float16
        for got, want in zip(outs, (silu(gate) * up, gate, up)):
            t.close(got, want, terms=dim + half)


mlp_forward_case("_swiglu_kernel_forward", True)
mlp_forward_case("_swiglu_kernel_forward_inference", False)


@case("mlp.py", "_swiglu_kernel_backward_dGU")
def mlp_backward_gate_up(t):
    batch, length, dim, hidden = mlp_inputs(t)
    do, wd = t.normal(batch, length, dim, dtype=np.float16), t.normal(dim, hidden, dtype=np.float16)
    gate, up = (t.normal(batch, length, hidden, dtype=np.float16) for _ in range(2))
    dg, du = (t.poison(batch, length, hidden, dtype=np.float16) for _ in range(2))
    tile = (1, 16, 16)
    t.launch((2 * 3, batch), t.descriptor(do, tile), t.descriptor(wd, (16, 16)),
             *[t.descriptor(a, tile) for a in (gate, up, dg, du)], length, dim, hidden,
             gate_multiplier=1.0, down_multiplier=1.0, **MLP)
    product, g, u = t.f64(do) @ t.f64(wd), t.f64(gate), t.f64(up)
    s = sigmoid(g)
    half = np.finfo(np.float16).eps / np.finfo(np.float32).eps
    t.close(du, product * silu(g), terms=dim + half)
    t.close(dg, product * u * (s + silu(g) * (1 - s)), terms=dim + half)


@case("mlp.py", "_swiglu_kernel_backward_dI")
def mlp_backward_input(t):
    batch, length, dim, hidden = mlp_inputs(t)
    dg, du = (t.normal(batch, length, hidden, dtype=np.float16) for _ in range(2))
    wg, wu = (t.normal(hidden, dim, dtype=np.float16) for _ in range(2))
    di = t.poison(batch, length, dim, dtype=np.float16)
    tile = (1, 16, 16)
    t.launch((2 * 2, batch), t.descriptor(dg, tile), t.descriptor(wg, (16, 16)), t.descriptor(du, tile),
             t.descriptor(wu, (16, 16)), t.descriptor(di, tile), length, dim, hidden, 32, **MLP)
    half = np.finfo(np.float16).eps / np.finfo(np.float32).eps
    t.close(di, t.f64(dg) @ t.f64(wg) + t.f64(du) @ t.f64(wu), terms=2 * hidden + half)


@case("mhc.py", "_mhc_mm_norm_bwd_fused_kernel")
def mhc_mm_norm_backward(t):
    n, k, m = 20, 48, 24
    x, phi, mix, gmix = t.normal(n, k), t.normal(k, m), t.normal(n, m), t.normal(n, m)
    invr, gx, gphi = t.array(rms(t.f64(x))), t.poison(n, k), t.zeros(k, m)
    t.launch((2, 1), x, phi, mix, invr, gmix, gx, gphi, N=n, K=k, M=m, stride_xn=k, stride_xk=1,
             stride_phik=m, stride_phim=1, stride_mn=m, stride_mm=1, stride_invr=1, stride_gmn=m,
             stride_gmm=1, stride_gxn=k, stride_gxk=1, stride_gpk=m, stride_gpm=1, BLOCK_N=16,
             BLOCK_K=64, BLOCK_M=16, CAST_FP32=True)
    r = t.f64(invr)[:, None]
    g = (t.f64(gmix) * t.f64(mix)).sum(1, keepdims=True) / r
    gz = t.f64(gmix) * r
    t.close(gx, gz @ t.f64(phi).T - g * r**3 / k * t.f64(x), terms=m + k)
    t.close(gphi, t.f64(x).T @ gz, terms=n)


def sinkhorn(logits, eps, rounds):
    """Every matrix of the iteration: rows by softmax, then columns and rows in turn."""
    mat = softmax(logits) + eps
    mat = mat / (mat.sum(1, keepdims=True) + eps)
    history = [mat]
    for _ in range(rounds - 1):
        mat = mat / (mat.sum(2, keepdims=True) + eps)
        mat = mat / (mat.sum(1, keepdims=True) + eps)
        history.append(mat)
    return np.stack(history, 1)


@case("mhc.py", "_mhc_split_sinkhorn_fwd_kernel")
def mhc_sinkhorn_forward(t):
    n, hc, rounds, eps = 5, 4, 3, 1e-4
    m = 2 * hc + hc * hc
    mix, b = t.normal(n, m), t.normal(m)
    pre, post, res = t.poison(n, hc), t.poison(n, hc), t.poison(n, hc, hc)
    history, alpha = t.poison(n, rounds, hc, hc), [t.normal(1) for _ in range(3)]
    t.launch((n,), mix, b, pre, post, res, history, N=n, HC=hc, M=m, stride_mn=m, stride_mm=1,
             stride_hp_n=hc, stride_hp_h=1, stride_hq_n=hc, stride_hq_h=1, stride_hr_n=hc * hc,
             stride_hr_i=hc, stride_hr_j=1, stride_hn=rounds * hc * hc, stride_ht=hc * hc,
             stride_hi=hc, stride_hj=1, alpha_pre_ptr=alpha[0], alpha_post_ptr=alpha[1],
             alpha_res_ptr=alpha[2], pre_eps=0.01, sinkhorn_eps=eps, post_mult=2.0, TMAX=rounds,
             STORE_HIST=True)
    v, bias = t.f64(mix), t.f64(b)
    a = [t.f64(x)[0] for x in alpha]
    t.close(pre, sigmoid(v[:, :hc] * a[0] + bias[:hc]) + 0.01)
    t.close(post, sigmoid(v[:, hc:2 * hc] * a[1] + bias[hc:2 * hc]) * 2)
    want = sinkhorn((v[:, 2 * hc:] * a[2] + bias[2 * hc:]).reshape(n, hc, hc), eps, rounds)
    t.close(history, want, terms=8 * rounds)
    t.close(res, want[:, -1], terms=8 * rounds)


for stored in (False, True):

    @case("mhc.py", "_mhc_sinkhorn_bwd_hist_kernel" if stored else "_mhc_sinkhorn_bwd_kernel")
    def mhc_sinkhorn_backward(t, stored=stored):
        n, hc, rounds, eps = 3, 4, 3, 1e-3
        m = 2 * hc + hc * hc
        mix, b, alpha, gout = t.normal(n, m), t.normal(m), t.normal(1), t.normal(n, hc, hc)
        out = t.poison(n, hc, hc)
        logits = (t.f64(mix)[:, 2 * hc:] * t.f64(alpha)[0] + t.f64(b)[2 * hc:]).reshape(n, hc, hc)
        strides = dict(stride_mn=m, stride_mm=1, stride_go_n=hc * hc, stride_go_i=hc, stride_go_j=1,
                       stride_gl_n=hc * hc, stride_gl_i=hc, stride_gl_j=1)
        extra = {}
        if stored:
            extra = dict(hist_ptr=t.array(sinkhorn(logits, eps, rounds)), stride_hn=rounds * hc * hc,
                         stride_ht=hc * hc, stride_hi=hc, stride_hj=1)
        t.launch((n,), mix_ptr=mix, b_ptr=b, grad_out_ptr=gout, grad_logits_ptr=out, N=n, HC=hc,
                 alpha_res_ptr=alpha, sinkhorn_eps=eps, TMAX=rounds, **strides, **extra)
        # The derivative of sum(gout * result), by central differences in float64.
        g, step = t.f64(gout), 1e-6
        want = np.zeros_like(logits)
        for i in range(hc):
            for j in range(hc):
                shift = np.zeros_like(logits)
                shift[:, i, j] = step
                above = sinkhorn(logits + shift, eps, rounds)[:, -1]
                below = sinkhorn(logits - shift, eps, rounds)[:, -1]
                want[:, i, j] = ((above - below) * g).sum((1, 2)) / (2 * step)
        t.close(out, want, terms=64 * rounds, scale=np.abs(g).max())
