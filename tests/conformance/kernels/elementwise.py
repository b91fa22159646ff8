# Operators on tensors: arithmetic, comparisons, bits, shifts, unary, where; types that meet in one expression.
import triton
import triton.language as tl


@triton.jit
def binary(x_ptr, y_ptr, out_ptr, n, OP: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    # The other lanes must not divide by 0.
    y = tl.load(y_ptr + offs, mask=mask, other=1)
    if OP == "+":
        r = x + y
    elif OP == "-":
        r = x - y
    elif OP == "*":
        r = x * y
    elif OP == "/":
        r = x / y
    elif OP == "//":
        r = x // y
    elif OP == "%":
        r = x % y
    elif OP == "&":
        r = x & y
    elif OP == "|":
        r = x | y
    elif OP == "^":
        r = x ^ y
    elif OP == "<<":
        r = x << y
    elif OP == ">>":
        r = x >> y
    elif OP == "maximum":
        r = tl.maximum(x, y)
    elif OP == "minimum":
        r = tl.minimum(x, y)
    elif OP == "umulhi":
        r = tl.umulhi(x, y)
    else:
        tl.static_assert(False, "unknown OP")
    # Versions of Triton differ in what maximum makes of bf16.
    if OP != "maximum" and OP != "minimum":
        tl.static_assert(r.dtype == out_ptr.dtype.element_ty, "the result has another type")
    tl.store(out_ptr + offs, r, mask=mask)


@triton.jit
def compare(x_ptr, y_ptr, lt_ptr, le_ptr, gt_ptr, ge_ptr, eq_ptr, ne_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    y = tl.load(y_ptr + offs, mask=mask)
    tl.store(lt_ptr + offs, x < y, mask=mask)
    tl.store(le_ptr + offs, x <= y, mask=mask)
    tl.store(gt_ptr + offs, x > y, mask=mask)
    tl.store(ge_ptr + offs, x >= y, mask=mask)
    tl.store(eq_ptr + offs, x == y, mask=mask)
    tl.store(ne_ptr + offs, x != y, mask=mask)


@triton.jit
def unary(x_ptr, neg_ptr, inv_ptr, abs_ptr, n, BLOCK: tl.constexpr, INTEGER: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    tl.store(neg_ptr + offs, -x, mask=mask)
    tl.store(abs_ptr + offs, tl.abs(x), mask=mask)
    if INTEGER:
        tl.store(inv_ptr + offs, ~x, mask=mask)


@triton.jit
def literals(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # Literals on either side take the tensor's type.
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    y = 3 + x * 2 - 1
    tl.static_assert(y.dtype == x.dtype)
    tl.store(out_ptr + offs, y, mask=mask)


@triton.jit
def logic(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    a = tl.load(x_ptr + offs, mask=mask) != 0
    b = tl.load(y_ptr + offs, mask=mask) > 0
    both = a & b
    either = a | b
    one = a ^ b
    neither = not either
    r = both.to(tl.int32) + 2 * either.to(tl.int32) + 4 * one.to(tl.int32) + 8 * neither.to(tl.int32)
    tl.store(out_ptr + offs, r, mask=mask)


@triton.jit
def select(c_ptr, x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    c = tl.load(c_ptr + offs, mask=mask)
    x = tl.load(x_ptr + offs, mask=mask)
    y = tl.load(y_ptr + offs, mask=mask)
    tl.store(out_ptr + offs, tl.where(c, x, y), mask=mask)


@triton.jit
def outer(x_ptr, y_ptr, out_ptr, m, n, stride, BM: tl.constexpr, BN: tl.constexpr):
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.program_id(1) * BN + tl.arange(0, BN)
    x = tl.load(x_ptr + i, mask=i < m, other=0)
    y = tl.load(y_ptr + j, mask=j < n, other=0)
    r = x[:, None] * y[None, :] + (i[:, None] - j)
    tl.store(out_ptr + i[:, None] * stride + j[None, :], r, mask=(i[:, None] < m) & (j[None, :] < n))


@triton.jit
def scalars(out_ptr, a, b, f):
    # Arithmetic on run-time scalars: division truncates, shifts follow the left type.
    tl.store(out_ptr + 0, a + b)
    tl.store(out_ptr + 1, a // b)
    tl.store(out_ptr + 2, a % b)
    tl.store(out_ptr + 3, a >> 2)
    tl.store(out_ptr + 4, tl.cdiv(a, b))
    tl.store(out_ptr + 5, min(a, b))
    tl.store(out_ptr + 6, max(a, b, 7))
    tl.store(out_ptr + 7, (a * f).to(tl.int32))
    tl.store(out_ptr + 8, (a < b).to(tl.int32))
    tl.store(out_ptr + 9, tl.num_programs(0) * 100 + tl.num_programs(1) * 10 + tl.num_programs(2))


@triton.jit
def clamp(x_ptr, out_ptr, lo, hi, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    tl.store(out_ptr + offs, tl.clamp(x, lo, hi), mask=mask)


@triton.jit
def nan_aware(x_ptr, y_ptr, skip_max_ptr, skip_min_ptr, all_max_ptr, all_min_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    y = tl.load(y_ptr + offs, mask=mask)
    tl.store(skip_max_ptr + offs, tl.maximum(x, y), mask=mask)
    tl.store(skip_min_ptr + offs, tl.minimum(x, y), mask=mask)
    tl.store(all_max_ptr + offs, tl.maximum(x, y, propagate_nan=tl.PropagateNan.ALL), mask=mask)
    tl.store(all_min_ptr + offs, tl.minimum(x, y, propagate_nan=tl.PropagateNan.ALL), mask=mask)


@triton.jit
def _meet(x, y_ptr, out_ptr, offs, mask, OP: tl.constexpr):
    y = tl.load(y_ptr + offs, mask=mask, other=1)
    if OP == "+":
        r = x + y
    elif OP == "where":
        r = tl.where(offs % 2 == 0, x, y)
    else:
        r = x / y
    tl.static_assert(r.dtype == out_ptr.dtype.element_ty, "the pair meets in another type")
    tl.store(out_ptr + offs, r, mask=mask)


@triton.jit
def meet(x_ptr, i1, i8, u8, i16, u16, i32, u32, i64, u64, fp16, bf16, fp32, fp64, o_i1, o_i8, o_u8, o_i16, o_u16,
         o_i32, o_u32, o_i64, o_u64, o_fp16, o_bf16, o_fp32, o_fp64, n, OP: tl.constexpr, BLOCK: tl.constexpr):
    # One type on the left meets every type on the right.
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    _meet(x, i1, o_i1, offs, mask, OP)
    _meet(x, i8, o_i8, offs, mask, OP)
    _meet(x, u8, o_u8, offs, mask, OP)
    _meet(x, i16, o_i16, offs, mask, OP)
    _meet(x, u16, o_u16, offs, mask, OP)
    _meet(x, i32, o_i32, offs, mask, OP)
    _meet(x, u32, o_u32, offs, mask, OP)
    _meet(x, i64, o_i64, offs, mask, OP)
    _meet(x, u64, o_u64, offs, mask, OP)
    _meet(x, fp16, o_fp16, offs, mask, OP)
    _meet(x, bf16, o_bf16, offs, mask, OP)
    _meet(x, fp32, o_fp32, offs, mask, OP)
    _meet(x, fp64, o_fp64, offs, mask, OP)


@triton.jit
def row_quotients(x_ptr, d_ptr, out_ptr, BM: tl.constexpr, BN: tl.constexpr):
    # One denominator for all of a row.
    i, j = tl.arange(0, BM), tl.arange(0, BN)
    at = i[:, None] * BN + j[None, :]
    tl.store(out_ptr + at, tl.load(x_ptr + at) / tl.load(d_ptr + i)[:, None])


@triton.jit
def masked_blocks(x_ptr, out_ptr, base, bound, cols, KEEPS: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    # A mask of columns counted from `base`, which says what is kept or what is not; the counting may wrap around.
    i, j = tl.arange(0, BM)[:, None], tl.arange(0, BN)[None, :]
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, cols, BN):
        x = tl.load(x_ptr + i * cols + start + j)
        if KEEPS:
            total += tl.where(base + start + j < bound, x, -1.0)
        else:
            total += tl.where(base + start + j >= bound, -1.0, x)
    tl.store(out_ptr + i * BN + j, total)
