"""Activations, and products with them."""

import numpy as np

from harness import case, sigmoid, silu

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
