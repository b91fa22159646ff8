# Every pair of types under every kind of operator, and every type beside a literal: what the result's type is, and what it holds.
import triton
import triton.language as tl


@triton.jit
def apply(x, y, OP: tl.constexpr):
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
    elif OP == "<":
        r = x < y
    elif OP == "==":
        r = x == y
    elif OP == "maximum":
        r = tl.maximum(x, y)
    elif OP == "minimum":
        r = tl.minimum(x, y)
    else:
        tl.static_assert(OP == "where")
        r = tl.where(tl.arange(0, x.shape[0]) % 2 == 0, x, y)
    return r


@triton.jit
def keep(out_ptr, offs, r, OP: tl.constexpr):
    if OP == "<" or OP == "==":
        tl.static_assert(r.dtype == tl.int1, "a comparison gives int1")
    else:
        tl.static_assert(r.dtype == out_ptr.dtype.element_ty, "the result has another type")
    tl.store(out_ptr + offs, r)


@triton.jit
def meet(x_ptr, y_ptr, out_ptr, offs, OP: tl.constexpr):
    keep(out_ptr, offs, apply(tl.load(x_ptr + offs), tl.load(y_ptr + offs), OP), OP)


@triton.jit
def pairs(x_ptr, i1, i8, u8, i16, u16, i32, u32, i64, u64, fp16, bf16, fp32, fp64, fp8e4nv, fp8e5, fp8e4b8, fp8e5b16,  #
          o_i1, o_i8, o_u8, o_i16, o_u16, o_i32, o_u32, o_i64, o_u64, o_fp16, o_bf16, o_fp32, o_fp64, o_fp8e4nv, o_fp8e5,  #
          o_fp8e4b8, o_fp8e5b16, OP: tl.constexpr, BLOCK: tl.constexpr):
    # One left operand, and a right one of each type.
    offs = tl.arange(0, BLOCK)
    meet(x_ptr, i1, o_i1, offs, OP)
    meet(x_ptr, i8, o_i8, offs, OP)
    meet(x_ptr, u8, o_u8, offs, OP)
    meet(x_ptr, i16, o_i16, offs, OP)
    meet(x_ptr, u16, o_u16, offs, OP)
    meet(x_ptr, i32, o_i32, offs, OP)
    meet(x_ptr, u32, o_u32, offs, OP)
    meet(x_ptr, i64, o_i64, offs, OP)
    meet(x_ptr, u64, o_u64, offs, OP)
    meet(x_ptr, fp16, o_fp16, offs, OP)
    meet(x_ptr, bf16, o_bf16, offs, OP)
    meet(x_ptr, fp32, o_fp32, offs, OP)
    meet(x_ptr, fp64, o_fp64, offs, OP)
    meet(x_ptr, fp8e4nv, o_fp8e4nv, offs, OP)
    meet(x_ptr, fp8e5, o_fp8e5, offs, OP)
    meet(x_ptr, fp8e4b8, o_fp8e4b8, offs, OP)
    meet(x_ptr, fp8e5b16, o_fp8e5b16, offs, OP)


@triton.jit
def beside(x, VALUE: tl.constexpr, OP: tl.constexpr):
    # The literal on the left.
    if OP == "+":
        r = VALUE + x
    elif OP == "*":
        r = VALUE * x
    elif OP == "/":
        r = VALUE / x
    elif OP == "//":
        r = VALUE // x
    elif OP == "%":
        r = VALUE % x
    elif OP == "&":
        r = VALUE & x
    else:
        r = VALUE < x
    return r


@triton.jit
def both(x, right_ptr, left_ptr, offs, VALUE: tl.constexpr, OP: tl.constexpr):
    keep(right_ptr, offs, apply(x, VALUE, OP), OP)
    keep(left_ptr, offs, beside(x, VALUE, OP), OP)


@triton.jit
def literals(x_ptr, r0, l0, r1, l1, r2, l2, r3, l3, r4, l4, r5, l5, r6, l6, VALUE: tl.constexpr, OPS: tl.constexpr,
             BLOCK: tl.constexpr):
    # The operators that OPS has a bit for.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs)
    if OPS & 1:
        both(x, r0, l0, offs, VALUE, "+")
    if OPS & 2:
        both(x, r1, l1, offs, VALUE, "*")
    if OPS & 4:
        both(x, r2, l2, offs, VALUE, "/")
    if OPS & 8:
        both(x, r3, l3, offs, VALUE, "//")
    if OPS & 16:
        both(x, r4, l4, offs, VALUE, "%")
    if OPS & 32:
        both(x, r5, l5, offs, VALUE, "&")
    if OPS & 64:
        both(x, r6, l6, offs, VALUE, "<")
