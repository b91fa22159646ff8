# Sorting and looking up: sort, topk, histogram, gather, and what is built on them.
import triton
import triton.language as tl


@triton.jit
def sort_rows(x_ptr, out_ptr, rows, DESCENDING: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    i = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    j = tl.arange(0, BN)[None, :]
    x = tl.load(x_ptr + i * BN + j, mask=i < rows, other=0)
    tl.store(out_ptr + i * BN + j, tl.sort(x, dim=1, descending=DESCENDING), mask=i < rows)


@triton.jit
def top(x_ptr, out_ptr, K: tl.constexpr, BN: tl.constexpr):
    row = tl.program_id(0)
    x = tl.load(x_ptr + row * BN + tl.arange(0, BN))
    tl.store(out_ptr + row * K + tl.arange(0, K), tl.topk(x, K))


@triton.jit
def count(x_ptr, out_ptr, n, BINS: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0)
    h = tl.histogram(x, BINS, mask=offs < n)
    tl.atomic_add(out_ptr + tl.arange(0, BINS), h)


@triton.jit
def look_up(x_ptr, index_ptr, out_ptr, AXIS: tl.constexpr, M: tl.constexpr, N: tl.constexpr, P: tl.constexpr,
            Q: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    place = tl.arange(0, P)[:, None] * Q + tl.arange(0, Q)[None, :]
    index = tl.load(index_ptr + place)
    tl.store(out_ptr + place, tl.gather(x, index, AXIS))


@triton.jit
def argsort(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # Values and their places packed into one integer, sorted, unpacked.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=2147483647).to(tl.int64)
    packed = (x << 32) | offs.to(tl.int64)
    tl.store(out_ptr + offs, (tl.sort(packed) & 0xFFFFFFFF).to(tl.int32), mask=offs < n)


@triton.jit
def median(x_ptr, out_ptr, BN: tl.constexpr):
    row = tl.program_id(0)
    s = tl.sort(tl.load(x_ptr + row * BN + tl.arange(0, BN)))
    tl.store(out_ptr + row, tl.sum(tl.where(tl.arange(0, BN) == BN // 2, s, 0.0), axis=0))
