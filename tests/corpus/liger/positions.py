"""Rotary positions, embeddings and masks."""

import numpy as np

from harness import case


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
