# Philox: the same numbers everywhere, bit for bit.
import triton
import triton.language as tl


@triton.jit
def integers(out_ptr, seed, first, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    a, b, c, d = tl.randint4x(seed, first + offs)
    mask = offs < n
    tl.store(out_ptr + 4 * offs + 0, a, mask=mask)
    tl.store(out_ptr + 4 * offs + 1, b, mask=mask)
    tl.store(out_ptr + 4 * offs + 2, c, mask=mask)
    tl.store(out_ptr + 4 * offs + 3, d, mask=mask)


@triton.jit
def uniform(out_ptr, int_ptr, seed, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offs, tl.rand(seed, offs), mask=offs < n)
    tl.store(int_ptr + offs, tl.randint(seed, offs), mask=offs < n)


@triton.jit
def normal(out_ptr, seed, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offs, tl.randn(seed, offs), mask=offs < n)


@triton.jit
def rounds(out_ptr, seed, n, ROUNDS: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    tl.store(out_ptr + offs, tl.randint(seed, offs, n_rounds=ROUNDS), mask=offs < n)


@triton.jit
def dropout(x_ptr, out_ptr, n, p, seed, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    keep = tl.rand(seed, offs) > p
    tl.store(out_ptr + offs, tl.where(keep, x / (1 - p), 0.0), mask=mask)
