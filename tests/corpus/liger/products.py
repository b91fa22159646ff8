"""Matrix products, neighbourhood attention, a fused MLP."""

import numpy as np

from harness import case, sigmoid, silu


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
