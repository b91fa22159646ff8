# Casts: every pair of types, both rounding modes, bit casts.
import triton
import triton.language as tl


@triton.jit
def _to(x, out_ptr, offs, mask):
    tl.store(out_ptr + offs, x.to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def convert(x_ptr, i1, i8, u8, i16, u16, i32, u32, i64, u64, fp16, bf16, fp32, fp64, n, BLOCK: tl.constexpr):
    # One type into every other.
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=0)
    _to(x, i1, offs, mask)
    _to(x, i8, offs, mask)
    _to(x, u8, offs, mask)
    _to(x, i16, offs, mask)
    _to(x, u16, offs, mask)
    _to(x, i32, offs, mask)
    _to(x, u32, offs, mask)
    _to(x, i64, offs, mask)
    _to(x, u64, offs, mask)
    _to(x, fp16, offs, mask)
    _to(x, bf16, offs, mask)
    _to(x, fp32, offs, mask)
    _to(x, fp64, offs, mask)


@triton.jit
def narrow(x_ptr, out_ptr, n, MODE: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(out_ptr + offs, x.to(out_ptr.dtype.element_ty, fp_downcast_rounding=MODE), mask=offs < n)


@triton.jit
def through(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(out_ptr + offs, tl.cast(x, out_ptr.dtype.element_ty), mask=offs < n)


@triton.jit
def bits(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(out_ptr + offs, x.to(out_ptr.dtype.element_ty, bitcast=True), mask=offs < n)


@triton.jit
def implicit(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # A store casts by itself.
    offs = tl.arange(0, BLOCK)
    tl.store(out_ptr + offs, tl.load(x_ptr + offs, mask=offs < n), mask=offs < n)
