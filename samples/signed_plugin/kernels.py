# What the vendor sells: a threshold filter.
import triton
import triton.language as tl


@triton.jit
def soft_threshold(x_ptr, y_ptr, limit, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    shrunk = tl.maximum(tl.abs(x) - limit, 0.0)
    tl.store(y_ptr + offs, tl.where(x < 0, -shrunk, shrunk), mask=mask)
