# Sorting networks of triton.language: every step compares pairs of elements
# whose positions differ in one bit.
import triton
import triton.language as tl


@triton.constexpr_function
def _log2(n):
    bits = 0
    while n > 1:
        n = n // 2
        bits = bits + 1
    return bits


@triton.constexpr_function
def _rows(shape):
    count = 1
    for size in shape[:-1]:
        count = count * size
    return count


@triton.constexpr_function
def _is_last(dim, rank):
    return dim is None or dim == rank - 1 or dim == -1


@triton.jit
def _compare_step(x, bit: tl.constexpr, run: tl.constexpr, descending: tl.constexpr):
    # x is [rows, n]. Elements whose positions differ in `bit` are put in order.
    # Runs of 2**run elements alternate in direction; with run = log2(n) there
    # is one run, in the direction that is asked for.
    rows: tl.constexpr = x.shape[0]
    n: tl.constexpr = x.shape[1]
    low: tl.constexpr = 2**bit
    high: tl.constexpr = n // (2 * low)
    pairs = tl.permute(tl.reshape(x, [rows, high, 2, low]), (0, 1, 3, 2))
    a, b = tl.split(pairs)
    # The run that a pair belongs to: its position without the lowest bits.
    group = tl.arange(0, high) // (2**run // (2 * low))
    if 2**run == n:
        backward = tl.full([1, high, 1], descending, tl.int1)
    else:
        backward = ((group % 2) != descending)[None, :, None]
    swap = (a > b) ^ backward
    # Equal elements stay where they are in either direction.
    swap = swap & (a != b)
    first = tl.where(swap, b, a)
    second = tl.where(swap, a, b)
    merged = tl.permute(tl.join(first, second), (0, 1, 3, 2))
    return tl.reshape(merged, [rows, n])


@triton.jit
def _merge_runs(x, run: tl.constexpr, descending: tl.constexpr):
    # Turns bitonic runs of 2**run elements into sorted ones.
    for step in tl.static_range(run):
        x = _compare_step(x, run - 1 - step, run, descending)
    return x


@triton.jit
def bitonic_merge(x, dim: tl.constexpr = None, descending: tl.constexpr = 0):
    tl.static_assert(_is_last(dim, len(x.shape)), "bitonic_merge works on the last dimension only")
    n: tl.constexpr = x.shape[-1]
    flat = tl.reshape(x, [_rows(x.shape), n])
    return tl.reshape(_merge_runs(flat, _log2(n), descending != 0), x.shape)


@triton.jit
def _sort_rows(flat, descending: tl.constexpr):
    for run in tl.static_range(1, _log2(flat.shape[1]) + 1):
        flat = _merge_runs(flat, run, descending)
    return flat


@triton.jit
def sort(x, dim: tl.constexpr = None, descending: tl.constexpr = 0):
    tl.static_assert(_is_last(dim, len(x.shape)), "sort works on the last dimension only")
    flat = tl.reshape(x, [_rows(x.shape), x.shape[-1]])
    return tl.reshape(_sort_rows(flat, descending != 0), x.shape)


@triton.constexpr_function
def _with_last(shape, size):
    return list(shape[:-1]) + [size]


@triton.constexpr_function
def _is_power_of_two(n):
    return n > 0 and (n & (n - 1)) == 0


@triton.jit
def _keep_first(flat, k: tl.constexpr):
    index = tl.broadcast_to(tl.arange(0, k)[None, :], [flat.shape[0], k])
    return tl.gather(flat, index, 1)


@triton.jit
def topk(x, k: tl.constexpr, dim: tl.constexpr = None, descending: tl.constexpr = True):
    tl.static_assert(_is_last(dim, len(x.shape)), "topk works on the last dimension only")
    tl.static_assert(_is_power_of_two(k) and k <= x.shape[-1], "k of topk is a power of two, at most the size")
    flat = tl.reshape(x, [_rows(x.shape), x.shape[-1]])
    kept = _keep_first(_sort_rows(flat, descending != 0), k)
    return tl.reshape(kept, _with_last(x.shape, k))
