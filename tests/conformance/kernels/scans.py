# Scans: cumulative sums and products, and associative scans of one tensor and of several.
import triton
import triton.language as tl


@triton.jit
def cumulative(x_ptr, out_ptr, rows, cols, OP: tl.constexpr, AXIS: tl.constexpr, REVERSE: tl.constexpr,
               BM: tl.constexpr, BN: tl.constexpr):
    i = tl.arange(0, BM)[:, None]
    j = tl.arange(0, BN)[None, :]
    mask = (i < rows) & (j < cols)
    x = tl.load(x_ptr + i * cols + j, mask=mask, other=0)
    if OP == "sum":
        r = tl.cumsum(x, axis=AXIS, reverse=REVERSE)
    else:
        r = tl.cumprod(tl.where(mask, x, 1).to(x.dtype), axis=AXIS, reverse=REVERSE)
    tl.store(out_ptr + i * cols + j, r, mask=mask)


@triton.jit
def running_sum(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # A scan carried from block to block.
    carry = tl.full([], 0, x_ptr.dtype.element_ty)
    for start in range(0, n, BLOCK):
        offs = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + offs, mask=offs < n, other=0)
        tl.store(out_ptr + offs, carry + tl.cumsum(x, 0), mask=offs < n)
        carry += tl.sum(x, 0)


@triton.jit
def _larger(a, b):
    return tl.maximum(a, b)


@triton.jit
def _linear(a1, b1, a2, b2):
    # x -> a1 x + b1, then x -> a2 x + b2.
    return a1 * a2, b1 * a2 + b2


@triton.jit
def _last_not_zero(v1, v2):
    return tl.where(v2 != 0, v2, v1)


@triton.jit
def running_max(x_ptr, out_ptr, n, REVERSE: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=float("-inf"))
    tl.store(out_ptr + offs, tl.associative_scan(x, 0, _larger, reverse=REVERSE), mask=offs < n)


@triton.jit
def recurrence(a_ptr, b_ptr, out_ptr, rows, cols, BM: tl.constexpr, BN: tl.constexpr):
    # h[t] = a[t] h[t-1] + b[t] along the rows, for every column at once.
    place = tl.arange(0, BM)[:, None] * cols + tl.arange(0, BN)[None, :]
    mask = (tl.arange(0, BM)[:, None] < rows) & (tl.arange(0, BN)[None, :] < cols)
    a = tl.load(a_ptr + place, mask=mask, other=1.0)
    b = tl.load(b_ptr + place, mask=mask, other=0.0)
    _, h = tl.associative_scan((a, b), 0, _linear)
    tl.store(out_ptr + place, h, mask=mask)


@triton.jit
def fill_forward(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # Not commutative: the order of the operands counts.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0)
    tl.store(out_ptr + offs, tl.associative_scan(x, 0, _last_not_zero), mask=offs < n)


@triton.jit
def compact(x_ptr, out_ptr, count_ptr, n, BLOCK: tl.constexpr):
    # Stream compaction: positions by a scan of the predicate.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0)
    keep = (x > 0) & (offs < n)
    position = tl.cumsum(keep.to(tl.int32), 0) - 1
    tl.store(out_ptr + position, x, mask=keep)
    tl.store(count_ptr, tl.sum(keep.to(tl.int32), 0))
