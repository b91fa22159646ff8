# Elementary functions, each by every name kernels use for it.
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def apply(x_ptr, out_ptr, n, FN: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=1.0)
    if FN == "exp":
        r = tl.exp(x)
    elif FN == "exp2":
        r = tl.exp2(x)
    elif FN == "log":
        r = tl.log(x)
    elif FN == "log2":
        r = tl.log2(x)
    elif FN == "sin":
        r = tl.sin(x)
    elif FN == "cos":
        r = tl.cos(x)
    elif FN == "sqrt":
        r = tl.sqrt(x)
    elif FN == "sqrt_rn":
        r = tl.sqrt_rn(x)
    elif FN == "rsqrt":
        r = tl.rsqrt(x)
    elif FN == "erf":
        r = tl.erf(x)
    elif FN == "floor":
        r = tl.floor(x)
    elif FN == "ceil":
        r = tl.ceil(x)
    elif FN == "abs":
        r = tl.abs(x)
    elif FN == "sigmoid":
        r = tl.sigmoid(x)
    elif FN == "method exp":
        r = x.exp()
    elif FN == "math.log2":
        r = tl.math.log2(x)
    else:
        tl.static_assert(False, "unknown FN")
    tl.store(out_ptr + offs, r, mask=mask)


@triton.jit
def device(x_ptr, out_ptr, n, FN: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=1.0)
    if FN == "tanh":
        r = libdevice.tanh(x)
    elif FN == "exp":
        r = libdevice.exp(x)
    elif FN == "rsqrt":
        r = libdevice.rsqrt(x)
    elif FN == "log1p":
        r = libdevice.log1p(x)
    elif FN == "erf":
        r = libdevice.erf(x)
    elif FN == "trunc":
        r = libdevice.trunc(x)
    elif FN == "atan":
        r = libdevice.atan(x)
    elif FN == "round":
        r = libdevice.round(x)
    elif FN == "rint":
        r = libdevice.rint(x)
    else:
        tl.static_assert(False, "unknown FN")
    tl.store(out_ptr + offs, r, mask=mask)


@triton.jit
def two(x_ptr, y_ptr, out_ptr, n, FN: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=1.0)
    y = tl.load(y_ptr + offs, mask=mask, other=1.0)
    if FN == "fdiv":
        r = tl.fdiv(x, y)
    elif FN == "div_rn":
        r = tl.div_rn(x, y)
    elif FN == "fma":
        r = tl.fma(x, y, x)
    else:
        tl.static_assert(False, "unknown FN")
    tl.store(out_ptr + offs, r, mask=mask)


@triton.jit
def pow(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=1.0)
    y = tl.load(y_ptr + offs, mask=mask, other=1.0)
    tl.store(out_ptr + offs, libdevice.pow(x, y), mask=mask)


@triton.jit
def classify(x_ptr, nan_ptr, inf_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=0.0)
    tl.store(nan_ptr + offs, libdevice.isnan(x).to(tl.int32), mask=mask)
    tl.store(inf_ptr + offs, libdevice.isinf(x).to(tl.int32), mask=mask)
