# Library functions of triton.language, written in the language: arithmetic,
# shapes, reductions and scans.
import triton
import triton.language as tl

# ---------------------------------------------------------------------------
# Arithmetic
# ---------------------------------------------------------------------------


@triton.jit
def cdiv(x, div):
    return (x + (div - 1)) // div


@triton.jit
def sigmoid(x):
    return 1 / (1 + tl.exp(-x))


@triton.jit
def softmax(x, dim=None, keep_dims=False, ieee_rounding=False):
    axis: tl.constexpr = 0 if dim is None else dim
    shifted = x - tl.max(x, axis, keep_dims=keep_dims)
    weights = tl.exp(shifted)
    total = tl.sum(weights, axis, keep_dims=keep_dims)
    return tl.fdiv(weights, total, ieee_rounding)


# ---------------------------------------------------------------------------
# Creation and shapes
# ---------------------------------------------------------------------------


@triton.jit
def zeros(shape, dtype):
    return tl.full(shape, 0, dtype)


@triton.jit
def zeros_like(input):
    return tl.full(input.shape, 0, input.dtype)


@triton.jit
def ravel(x, can_reorder=False):
    return tl.reshape(x, [x.numel], can_reorder=can_reorder)


@triton.constexpr_function
def _wrap(axis, rank):
    return axis + rank if axis < 0 else axis


@triton.constexpr_function
def _shape_without(shape, dim):
    dim = _wrap(dim, len(shape))
    return [size for i, size in enumerate(shape) if i != dim]


@triton.jit
def squeeze(x, dim: tl.constexpr):
    tl.static_assert(x.shape[dim] == 1, "squeeze removes a dimension of size 1")
    return tl.reshape(x, _shape_without(x.shape, dim))


@triton.jit
def unsqueeze(x, dim: tl.constexpr):
    return tl.expand_dims(x, dim)


@triton.constexpr_function
def get_int_dtype(bitwidth, signed):
    if bitwidth == 1:
        return tl.int1
    kinds = {8: (tl.uint8, tl.int8), 16: (tl.uint16, tl.int16), 32: (tl.uint32, tl.int32), 64: (tl.uint64, tl.int64)}
    return kinds[bitwidth][1 if signed else 0]


@triton.constexpr_function
def _doubled_last(shape):
    return list(shape[:-1]) + [2 * shape[-1]]


@triton.jit
def interleave(a, b):
    pairs = tl.join(a, b)
    if len(pairs.shape) == 1:
        return pairs
    return tl.reshape(pairs, _doubled_last(pairs.shape[:-1]))


@triton.jit
def swizzle2d(i, j, size_i, size_j, size_g):
    # Rows are visited in groups of size_g; inside a group, column by column.
    linear = i * size_j + j
    per_group = size_g * size_j
    group = linear // per_group
    first_row = group * size_g
    # The last group may have fewer rows.
    rows = tl.minimum(size_i - first_row, size_g)
    inside = linear % per_group
    return first_row + inside % rows, inside // rows


@triton.constexpr_function
def _other_axes(rank, axis):
    axis = _wrap(axis, rank)
    return [i for i in range(rank) if i != axis]


@triton.jit
def _index_along(x, axis: tl.constexpr):
    # The position of every element along one axis, in the shape of x.
    index = tl.arange(0, x.shape[axis])
    index = tl.expand_dims(index, _other_axes(len(x.shape), axis))
    return tl.broadcast_to(index, x.shape)


@triton.jit
def flip(x, dim: tl.constexpr = None):
    axis: tl.constexpr = len(x.shape) - 1 if dim is None else _wrap(dim, len(x.shape))
    return tl.gather(x, (x.shape[axis] - 1) - _index_along(x, axis), axis)


# ---------------------------------------------------------------------------
# Reductions
# ---------------------------------------------------------------------------


@triton.constexpr_function
def _sum_type(dtype, wanted):
    # The type to add up in; None: as it is.
    if wanted is not None:
        return wanted
    if dtype.is_int_signed() and dtype.int_bitwidth < 32:
        return tl.int32
    if dtype.is_int_unsigned() and dtype.int_bitwidth < 32:
        return tl.uint32
    return None


@triton.constexpr_function
def _extremum_type(dtype):
    # The type in which to look for the largest; None: as it is.
    if dtype.primitive_bitwidth >= 32:
        return None
    return tl.float32 if dtype.is_floating() else tl.int32


@triton.constexpr_function
def _wide_bf16(dtype):
    return tl.float32 if dtype.is_bf16() else None


@triton.jit
def _convert(x, dtype: tl.constexpr):
    if dtype is None:
        return x
    return x.to(dtype)


@triton.jit
def _add(a, b):
    return a + b


@triton.jit
def _multiply(a, b):
    return a * b


@triton.jit
def _xor(a, b):
    return a ^ b


@triton.jit
def _or(a, b):
    return a | b


@triton.jit
def _larger(a, b):
    return tl.maximum(a, b)


@triton.jit
def _smaller(a, b):
    return tl.minimum(a, b)


@triton.jit
def _prefer_left(wins, ties, v1, i1, v2, i2, leftmost: tl.constexpr):
    # A NaN loses against any number; among equals the tie rule decides.
    left = wins
    if leftmost:
        left = wins | (ties & (i1 < i2))
    if v1.dtype.is_floating():
        nan1 = v1 != v1
        nan2 = v2 != v2
        left = left | (nan2 & ((not nan1) | (i1 < i2)))
    return tl.where(left, v1, v2), tl.where(left, i1, i2)


@triton.jit
def _argmax_left(v1, i1, v2, i2):
    return _prefer_left(v1 > v2, v1 == v2, v1, i1, v2, i2, True)


@triton.jit
def _argmax_any(v1, i1, v2, i2):
    return _prefer_left(v1 > v2, v1 == v2, v1, i1, v2, i2, False)


@triton.jit
def _argmin_left(v1, i1, v2, i2):
    return _prefer_left(v1 < v2, v1 == v2, v1, i1, v2, i2, True)


@triton.jit
def _argmin_any(v1, i1, v2, i2):
    return _prefer_left(v1 < v2, v1 == v2, v1, i1, v2, i2, False)


@triton.jit
def sum(input, axis=None, keep_dims=False, dtype: tl.constexpr = None):
    return tl.reduce(_convert(input, _sum_type(input.dtype, dtype)), axis, _add, keep_dims=keep_dims)


@triton.jit
def max(input, axis=None, return_indices=False, return_indices_tie_break_left=True, keep_dims=False):
    if return_indices:
        wide = _convert(input, _wide_bf16(input.dtype))
        index = _index_along(wide, axis)
        if return_indices_tie_break_left:
            return tl.reduce((wide, index), axis, _argmax_left, keep_dims=keep_dims)
        return tl.reduce((wide, index), axis, _argmax_any, keep_dims=keep_dims)
    return tl.reduce(_convert(input, _extremum_type(input.dtype)), axis, _larger, keep_dims=keep_dims)


@triton.jit
def min(input, axis=None, return_indices=False, return_indices_tie_break_left=True, keep_dims=False):
    if return_indices:
        wide = _convert(input, _wide_bf16(input.dtype))
        index = _index_along(wide, axis)
        if return_indices_tie_break_left:
            return tl.reduce((wide, index), axis, _argmin_left, keep_dims=keep_dims)
        return tl.reduce((wide, index), axis, _argmin_any, keep_dims=keep_dims)
    return tl.reduce(_convert(input, _extremum_type(input.dtype)), axis, _smaller, keep_dims=keep_dims)


@triton.jit
def argmax(input, axis, tie_break_left=True, keep_dims=False):
    _, index = tl.max(input, axis, return_indices=True, return_indices_tie_break_left=tie_break_left,
                      keep_dims=keep_dims)
    return index


@triton.jit
def argmin(input, axis, tie_break_left=True, keep_dims=False):
    _, index = tl.min(input, axis, return_indices=True, return_indices_tie_break_left=tie_break_left,
                      keep_dims=keep_dims)
    return index


@triton.jit
def xor_sum(input, axis=None, keep_dims=False):
    tl.static_assert(input.dtype.is_int(), "xor_sum takes integers")
    return tl.reduce(input, axis, _xor, keep_dims=keep_dims)


@triton.jit
def reduce_or(input, axis, keep_dims=False):
    tl.static_assert(input.dtype.is_int(), "reduce_or takes integers")
    return tl.reduce(input, axis, _or, keep_dims=keep_dims)


# ---------------------------------------------------------------------------
# Scans
# ---------------------------------------------------------------------------


@triton.jit
def cumsum(input, axis=0, reverse=False, dtype: tl.constexpr = None):
    wide = _convert(input, _wide_bf16(input.dtype))
    return tl.associative_scan(_convert(wide, _sum_type(wide.dtype, dtype)), axis, _add, reverse)


@triton.jit
def cumprod(input, axis=0, reverse=False):
    return tl.associative_scan(_convert(input, _wide_bf16(input.dtype)), axis, _multiply, reverse)
