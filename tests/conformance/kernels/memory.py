# Loads and stores: masks, defaults, gathers, scatters, broadcast pointers, strides, wide offsets, hints.
import triton
import triton.language as tl


@triton.jit
def copy_masked(x_ptr, out_ptr, lo, hi, OTHER: tl.constexpr, BLOCK: tl.constexpr):
    # Only the middle is read; everything else becomes OTHER.
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=(offs >= lo) & (offs < hi), other=OTHER)
    tl.store(out_ptr + offs, x)


@triton.jit
def store_masked(x_ptr, m_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # A mask that is data, not an interval.
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offs < n
    m = tl.load(m_ptr + offs, mask=inside, other=0)
    x = tl.load(x_ptr + offs, mask=inside & (m != 0))
    tl.store(out_ptr + offs, x, mask=inside & (m != 0))


@triton.jit
def gather(x_ptr, index_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    index = tl.load(index_ptr + offs, mask=mask, other=0)
    tl.store(out_ptr + offs, tl.load(x_ptr + index, mask=mask), mask=mask)


@triton.jit
def scatter(x_ptr, index_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    index = tl.load(index_ptr + offs, mask=mask, other=0)
    tl.store(out_ptr + index, tl.load(x_ptr + offs, mask=mask), mask=mask)


@triton.jit
def embedding(table_ptr, index_ptr, out_ptr, n, width, BM: tl.constexpr, BN: tl.constexpr):
    # Rows by index, columns in order: 2-D addresses that are half gather.
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.arange(0, BN)
    index = tl.load(index_ptr + i, mask=i < n, other=0)
    mask = (i[:, None] < n) & (j[None, :] < width)
    rows = tl.load(table_ptr + index[:, None] * width + j[None, :], mask=mask, other=0.0)
    tl.store(out_ptr + i[:, None] * width + j[None, :], rows, mask=mask)


@triton.jit
def strided(x_ptr, out_ptr, m, n, xs0, xs1, os0, os1, BM: tl.constexpr, BN: tl.constexpr):
    i = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    j = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    mask = (i < m) & (j < n)
    tl.store(out_ptr + i * os0 + j * os1, tl.load(x_ptr + i * xs0 + j * xs1, mask=mask), mask=mask)


@triton.jit
def reversed(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # A negative stride.
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    tl.store(out_ptr + offs, tl.load(x_ptr + (n - 1 - offs), mask=mask), mask=mask)


@triton.jit
def broadcast_load(row_ptr, col_ptr, out_ptr, BM: tl.constexpr, BN: tl.constexpr):
    # One row and one column read as blocks, with pointers that repeat.
    i = tl.arange(0, BM)[:, None]
    j = tl.arange(0, BN)[None, :]
    zero = tl.zeros((BM, BN), dtype=tl.int32)
    row = tl.load(row_ptr + (j + zero))
    col = tl.load(col_ptr + (i + zero))
    tl.store(out_ptr + i * BN + j, row - col)


@triton.jit
def scalar_memory(x_ptr, out_ptr, n, flag):
    pid = tl.program_id(0)
    value = tl.load(x_ptr + pid, mask=pid < n, other=-1)
    if flag:
        tl.store(out_ptr + pid, value * 2)
    else:
        tl.store(out_ptr + pid, value, mask=pid % 2 == 0)


@triton.jit
def wide_offsets(x_ptr, out_ptr, n, far, BLOCK: tl.constexpr):
    # 64-bit arithmetic that leaves the 32-bit range and comes back.
    offs = tl.arange(0, BLOCK).to(tl.int64) + far
    back = offs * 4 - far * 4
    mask = back // 4 < n
    tl.store(out_ptr + back // 4, tl.load(x_ptr + back // 4, mask=mask), mask=mask)


@triton.jit
def hints(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    start = tl.multiple_of(pid * BLOCK, BLOCK)
    offs = tl.max_contiguous(tl.multiple_of(start + tl.arange(0, BLOCK), BLOCK), BLOCK)
    tl.assume(n > 0)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=0.0, cache_modifier=".cg", eviction_policy="evict_last")
    y = tl.load(x_ptr + offs, mask=mask, other=0.0, volatile=True)
    tl.debug_barrier()
    tl.store(out_ptr + offs, x + y, mask=mask, cache_modifier=".cs", eviction_policy="evict_first")


@triton.jit
def narrow_offsets(x_ptr, out_ptr, BLOCK: tl.constexpr, SHIFT: tl.constexpr):
    # Offsets that wrap around in their own type before they are widened.
    i = tl.arange(0, BLOCK)
    a = (i.to(tl.int8) + SHIFT).to(tl.int32)
    b = (i.to(tl.uint8) * 4 + SHIFT).to(tl.int32)
    c = (i.to(tl.int16) * 300).to(tl.int32) >> 7
    tl.store(out_ptr + i, tl.load(x_ptr + 128 + a))
    tl.store(out_ptr + BLOCK + i, tl.load(x_ptr + b))
    tl.store(out_ptr + 2 * BLOCK + i, tl.load(x_ptr + 256 + c))


@triton.jit
def boolean_memory(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=0)
    tl.store(out_ptr + offs, x == 0, mask=mask)


@triton.jit
def pointer_table(table_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # Addresses read from memory.
    offs = tl.arange(0, BLOCK)
    base = tl.load(table_ptr + tl.program_id(0)).to(tl.pointer_type(tl.float32))
    x = tl.load(base + offs, mask=offs < n)
    tl.store(out_ptr + tl.program_id(0) * n + offs, x * 2.0, mask=offs < n)


@triton.jit
def read_after_write(x_ptr, n, BLOCK: tl.constexpr):
    # What the program stored is what it loads, also shifted by one.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0)
    tl.store(x_ptr + offs, x + 1, mask=offs < n)
    tl.debug_barrier()
    y = tl.load(x_ptr + (n - 1 - offs), mask=offs < n, other=0)
    tl.debug_barrier()
    tl.store(x_ptr + offs, y * 2, mask=offs < n)


@triton.jit
def in_place(x_ptr, m, n, BM: tl.constexpr, BN: tl.constexpr):
    # A transposed store over the block that was loaded: all loads come before all stores.
    i = tl.arange(0, BM)[:, None]
    j = tl.arange(0, BN)[None, :]
    mask = (i < m) & (j < n)
    x = tl.load(x_ptr + i * n + j, mask=mask)
    tl.store(x_ptr + j * m + i, x, mask=mask)


@triton.jit
def three_dimensions(x_ptr, out_ptr, a, b, c, BA: tl.constexpr, BB: tl.constexpr, BC: tl.constexpr):
    i = tl.arange(0, BA)[:, None, None]
    j = (tl.program_id(0) * BB + tl.arange(0, BB))[None, :, None]
    k = tl.arange(0, BC)[None, None, :]
    mask = (i < a) & (j < b) & (k < c)
    x = tl.load(x_ptr + (i * b + j) * c + k, mask=mask, other=0)
    tl.store(out_ptr + (k * b + j) * a + i, x, mask=mask)
