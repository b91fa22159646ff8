# Matrix products: types, accumulators, transposed and computed operands, batches, small and odd blocks.
import triton
import triton.language as tl


@triton.jit
def single(a_ptr, b_ptr, c_ptr, TRANS_A: tl.constexpr, TRANS_B: tl.constexpr, M: tl.constexpr, N: tl.constexpr,
           K: tl.constexpr):
    # One block, operands stored as they come or transposed.
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    if TRANS_A:
        a = tl.trans(tl.load(a_ptr + k[:, None] * M + m[None, :]))
    else:
        a = tl.load(a_ptr + m[:, None] * K + k[None, :])
    if TRANS_B:
        b = tl.load(b_ptr + n[:, None] * K + k[None, :]).T
    else:
        b = tl.load(b_ptr + k[:, None] * N + n[None, :])
    tl.store(c_ptr + m[:, None] * N + n[None, :], tl.dot(a, b))


@triton.jit
def with_accumulator(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + m[:, None] * K + k[None, :])
    b = tl.load(b_ptr + k[:, None] * N + n[None, :])
    place = c_ptr + m[:, None] * N + n[None, :]
    tl.store(place, tl.dot(a, b, tl.load(place)))


@triton.jit
def out_type(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    # fp16 operands with an fp16 result.
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + m[:, None] * K + k[None, :])
    b = tl.load(b_ptr + k[:, None] * N + n[None, :])
    c = tl.dot(a, b, out_dtype=tl.float16)
    tl.static_assert(c.dtype == tl.float16)
    tl.store(c_ptr + m[:, None] * N + n[None, :], c)


@triton.jit
def precision(a_ptr, b_ptr, c_ptr, PRECISION: tl.constexpr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + m[:, None] * K + k[None, :])
    b = tl.load(b_ptr + k[:, None] * N + n[None, :])
    tl.store(c_ptr + m[:, None] * N + n[None, :], tl.dot(a, b, input_precision=PRECISION))


@triton.jit
def batch(a_ptr, b_ptr, c_ptr, B: tl.constexpr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    i, m, n, k = tl.arange(0, B), tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + i[:, None, None] * (M * K) + m[None, :, None] * K + k[None, None, :])
    b = tl.load(b_ptr + i[:, None, None] * (K * N) + k[None, :, None] * N + n[None, None, :])
    tl.store(c_ptr + i[:, None, None] * (M * N) + m[None, :, None] * N + n[None, None, :], tl.dot(a, b))


@triton.jit
def computed(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    # Operands that are results: scaled, masked, converted; the product used again.
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + m[:, None] * K + k[None, :]).to(tl.float32) * 0.5
    b = tl.load(b_ptr + k[:, None] * N + n[None, :]).to(tl.float32)
    b = tl.where(k[:, None] < n[None, :], b, 0.0)
    c = tl.dot(a, b)
    s = tl.sum(c, axis=1)
    tl.store(c_ptr + m[:, None] * N + n[None, :], tl.maximum(c, 0.0) - s[:, None])


@triton.jit
def chain(a_ptr, b_ptr, c_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, P: tl.constexpr):
    # (A B) C, the middle rounded to the input type.
    m, n, k, p = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K), tl.arange(0, P)
    a = tl.load(a_ptr + m[:, None] * K + k[None, :])
    b = tl.load(b_ptr + k[:, None] * N + n[None, :])
    c = tl.load(c_ptr + n[:, None] * P + p[None, :])
    middle = tl.dot(a, b).to(c.dtype)
    tl.store(out_ptr + m[:, None] * P + p[None, :], tl.dot(middle, c))


@triton.jit
def two_accumulators(a_ptr, b0_ptr, b1_ptr, out_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    # A gated product: silu(A B0) * (A B1), with masks on every side.
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    gate = tl.zeros((BM, BN), dtype=tl.float32)
    up = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        a = tl.load(a_ptr + m[:, None] * K + k[None, :], mask=(m[:, None] < M) & (k[None, :] < K), other=0.0)
        mask = (k[:, None] < K) & (n[None, :] < N)
        gate = tl.dot(a, tl.load(b0_ptr + k[:, None] * N + n[None, :], mask=mask, other=0.0), gate)
        up += tl.dot(a, tl.load(b1_ptr + k[:, None] * N + n[None, :], mask=mask, other=0.0))
    r = gate * tl.sigmoid(gate) * up
    tl.store(out_ptr + m[:, None] * N + n[None, :], r, mask=(m[:, None] < M) & (n[None, :] < N))


@triton.jit
def split_k(a_ptr, b_ptr, c_ptr, M, N, K, PARTS: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    # Every program adds its share of K to the result.
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(tl.program_id(2) * BK, K, PARTS * BK):
        k = start + tl.arange(0, BK)
        a = tl.load(a_ptr + m[:, None] * K + k[None, :], mask=(m[:, None] < M) & (k[None, :] < K), other=0.0)
        b = tl.load(b_ptr + k[:, None] * N + n[None, :], mask=(k[:, None] < K) & (n[None, :] < N), other=0.0)
        acc += tl.dot(a, b)
    tl.atomic_add(c_ptr + m[:, None] * N + n[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))


@triton.jit
def quantized(a_ptr, b_ptr, scale_a_ptr, scale_b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr,
              BK: tl.constexpr):
    # int8 x int8 to int32, scaled by row and column.
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), dtype=tl.int32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        a = tl.load(a_ptr + m[:, None] * K + k[None, :], mask=(m[:, None] < M) & (k[None, :] < K), other=0)
        b = tl.load(b_ptr + k[:, None] * N + n[None, :], mask=(k[:, None] < K) & (n[None, :] < N), other=0)
        acc += tl.dot(a, b)
    sa = tl.load(scale_a_ptr + m, mask=m < M, other=0.0)
    sb = tl.load(scale_b_ptr + n, mask=n < N, other=0.0)
    tl.store(c_ptr + m[:, None] * N + n[None, :], acc.to(tl.float32) * sa[:, None] * sb[None, :],
             mask=(m[:, None] < M) & (n[None, :] < N))


@triton.jit
def two_sums(a_ptr, b_ptr, c_ptr, d_ptr, steps, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    # Both sums take an operand that the same iteration computes, and share the other.
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + m[:, None] * N + n[None, :])
    b_ptrs = b_ptr + k[:, None] * N + n[None, :]
    c = tl.zeros((M, N), dtype=tl.float32)
    d = tl.zeros((M, N), dtype=tl.float32)
    for _ in range(steps):
        b = tl.load(b_ptrs)
        p = tl.dot(a, tl.trans(b), input_precision="ieee")
        c += tl.dot(p, b, input_precision="ieee")
        d += tl.dot(1.0 - p, b, input_precision="ieee")
        b_ptrs += K * N
    tl.store(c_ptr + m[:, None] * N + n[None, :], c)
    tl.store(d_ptr + m[:, None] * N + n[None, :], d)


@triton.jit
def unrolled_sum(a_ptr, b_ptr, c_ptr, K, M: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr, FACTOR: tl.constexpr,
                 STAGES: tl.constexpr):
    # Several products to an iteration, whose loads are fetched ahead; the rest in a loop of its own.
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, BLOCK)
    total = tl.zeros((M, N), dtype=tl.float32)
    for start in tl.range(0, K, BLOCK, num_stages=STAGES, loop_unroll_factor=FACTOR):
        a = tl.load(a_ptr + m[:, None] * K + start + k[None, :], mask=start + k[None, :] < K, other=0.0)
        b = tl.load(b_ptr + (start + k[:, None]) * N + n[None, :], mask=start + k[:, None] < K, other=0.0)
        total = tl.dot(a, b, total)
    tl.store(c_ptr + m[:, None] * N + n[None, :], total)
