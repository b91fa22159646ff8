"""Mixtures of experts."""

import numpy as np

from harness import case, sigmoid, silu


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
