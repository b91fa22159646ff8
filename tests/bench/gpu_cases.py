# gpu_cases.py - the work that gpu_compare measures: inputs, references, and how each side is launched.
#
# A case is a kernel of gpu.toml at one size. `args` are the kernel's arguments by name (tensors and numbers), the same
# for Triton and for us; `grid` takes a config's constants.
import dataclasses
import math
import typing

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

MATMUL_SIZES = (2048, 4096, 8192)
SEQUENCES = (1024, 2048, 4096, 8192, 16384)
TOKENS, HIDDEN = 16384, 2048  # of an attention call: 16k tokens in all, 2048 wide


@dataclasses.dataclass
class Case:
    name: str
    kernel: str  # of gpu.toml
    work: float  # bytes or floating-point operations
    unit: str  # "GB/s" or "TFLOP/s"
    make: typing.Callable  # () -> Problem
    bars: dict  # peer name: the least ratio that is asked for
    repeat: bool = False  # take part in the check for bit-identical repetitions


@dataclasses.dataclass
class Problem:
    args: dict
    grid: typing.Callable  # constants -> (x, y, z)
    outputs: tuple  # names of the tensors written
    error: typing.Callable  # () -> relative error of what the outputs hold now
    bound: float  # the largest error that is right for the types
    library: tuple = None  # (peer name, callable)


def relative(got, exact):
    """Norm of the difference over the norm; infinite where something was not written."""
    if not torch.isfinite(got).all():
        return math.inf
    return ((got.double() - exact).norm() / exact.norm()).item()


def cdiv(a, b):
    return -(-a // b)


def vector_add():
    n = 1 << 28
    x, y = (torch.randn(n, device="cuda", dtype=torch.float16) for _ in range(2))
    out = torch.empty_like(x)
    return Problem(dict(x_ptr=x, y_ptr=y, out_ptr=out, n=n), lambda c: (cdiv(n, c["BLOCK"]), 1, 1), ("out_ptr",),
                   lambda: relative(out[::37], x[::37].double() + y[::37].double()), 1e-3,
                   ("torch", lambda: torch.add(x, y, out=out)))


def softmax(rows, cols):
    x = torch.randn(rows, cols, device="cuda", dtype=torch.float16)
    out = torch.empty_like(x)
    return Problem(dict(out_ptr=out, in_ptr=x, in_stride=cols, out_stride=cols, n_cols=cols), lambda c: (rows, 1, 1),
                   ("out_ptr",), lambda: relative(out, torch.softmax(x.double(), -1)), 1e-3,
                   ("torch", lambda: torch.softmax(x, -1)))


def layer_norm(rows, cols):
    x = torch.randn(rows, cols, device="cuda", dtype=torch.float16)
    w, b = (torch.randn(cols, device="cuda", dtype=torch.float16) for _ in range(2))
    y, mean, rstd = torch.empty_like(x), torch.empty(rows, device="cuda"), torch.empty(rows, device="cuda")

    def error():
        exact = F.layer_norm(x.double(), (cols,), w.double(), b.double(), 1e-5)
        return max(relative(y, exact), relative(mean, x.double().mean(-1)) / 100,
                   relative(rstd, (x.double().var(-1, unbiased=False) + 1e-5).rsqrt()))

    return Problem(dict(x_ptr=x, w_ptr=w, b_ptr=b, y_ptr=y, mean_ptr=mean, rstd_ptr=rstd, stride=cols, n_cols=cols,
                        eps=1e-5), lambda c: (rows, 1, 1), ("y_ptr", "mean_ptr", "rstd_ptr"), error, 1e-3,
                   ("torch", lambda: F.layer_norm(x, (cols,), w, b)))


def matmul(size, dtype, descriptors):
    a, b = (torch.randn(size, size, device="cuda").to(dtype) for _ in range(2))
    fp8 = dtype == torch.float8_e4m3fn
    c = torch.empty(size, size, device="cuda", dtype=torch.float16 if fp8 else dtype)
    right = b.T if descriptors else b
    rows = torch.arange(0, size, 61, device="cuda")  # float64 references of some rows; all are checked for NaN

    def error():
        if not torch.isfinite(c).all():
            return math.inf
        index = a.view(torch.uint8)[rows].view(dtype) if fp8 else a[rows]
        return relative(c[rows], index.double() @ right.double())

    if fp8:
        one = torch.tensor(1.0, device="cuda")
        library = lambda: torch._scaled_mm(a, b.T, one, one, out_dtype=torch.float16, use_fast_accum=True)  # noqa: E731
    else:
        library = lambda: torch.matmul(a, right, out=c)  # noqa: E731
    args = dict(a_ptr=a, b_ptr=b, c_ptr=c, M=size, N=size, K=size)
    tiles = lambda k: cdiv(size, k["BLOCK_M"]) * cdiv(size, k["BLOCK_N"])  # noqa: E731
    if descriptors:
        grid = lambda k: (min(k["NUM_SMS"], tiles(k)), 1, 1)  # noqa: E731
    else:
        args.update(stride_am=size, stride_ak=1, stride_bk=size, stride_bn=1, stride_cm=size, stride_cn=1)
        grid = lambda k: (tiles(k), 1, 1)  # noqa: E731
    bound = 1e-2 if dtype == torch.bfloat16 else 4e-3 if fp8 else 1e-3
    return Problem(args, grid, ("c_ptr",), error, bound, ("cuBLAS", library))


def attention(width, causal, seq):
    heads = TOKENS // seq * (HIDDEN // width)
    q, k, v = (torch.randn(heads, seq, width, device="cuda", dtype=torch.float16) for _ in range(3))
    o, lse = torch.empty_like(q), torch.empty(heads, seq, device="cuda")
    scale = width**-0.5
    q4, k4, v4 = (t.view(1, heads, seq, width) for t in (q, k, v))

    def error():
        if not (torch.isfinite(o).all() and torch.isfinite(lse).all()):
            return math.inf
        worst = 0.0
        for head in {0, heads - 1}:
            s = q[head].double() @ k[head].double().T * scale
            if causal:
                s.masked_fill_(torch.ones(seq, seq, device="cuda", dtype=torch.bool).triu_(1), -math.inf)
            worst = max(worst, relative(o[head], torch.softmax(s, -1) @ v[head].double()),
                        relative(lse[head], torch.logsumexp(s, -1) * math.log2(math.e)))
        return worst

    def cudnn():
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            F.scaled_dot_product_attention(q4, k4, v4, is_causal=causal)

    return Problem(dict(q_ptr=q, k_ptr=k, v_ptr=v, o_ptr=o, lse_ptr=lse, scale=scale, seq=seq),
                   lambda c: (cdiv(seq, c["BLOCK_M"]), heads, 1), ("o_ptr", "lse_ptr"), error, 2e-3, ("cuDNN", cudnn))


def all_cases():
    bytes16 = lambda *counts: 2.0 * sum(counts)  # noqa: E731
    cases = [Case("vector add 2^28", "vector_add", bytes16(3 << 28), "GB/s", vector_add, {"Triton": 0.98})]
    for rows, cols in ((8192, 4096), (16384, 8192)):
        for kernel, make in (("row_softmax", softmax), ("layer_norm", layer_norm)):
            cases.append(Case(f"{kernel} {rows}x{cols}", f"{kernel}_{cols}", bytes16(2 * rows * cols), "GB/s",
                              lambda make=make, r=rows, c=cols: make(r, c), {"Triton": 0.98}, repeat=rows == 8192))
    for name, dtype in (("fp16", torch.float16), ("bf16", torch.bfloat16)):
        for size in MATMUL_SIZES:
            for descriptors in (False, True):
                bars = {"Triton": 1.0 if descriptors else 0.95}
                if descriptors and size >= 4096:
                    bars["cuBLAS"] = 0.97
                how = "descriptors" if descriptors else "pointers"
                cases.append(Case(f"matmul {name} {size} {how}", f"matmul_{'desc_' if descriptors else ''}{name}",
                                  2.0 * size**3, "TFLOP/s",
                                  lambda s=size, t=dtype, d=descriptors: matmul(s, t, d), bars, repeat=size == 2048))
    cases.append(Case("matmul e4m3 8192 descriptors", "matmul_desc_e4m3", 2.0 * 8192**3, "TFLOP/s",
                      lambda: matmul(8192, torch.float8_e4m3fn, True), {"Triton": 0.95}, repeat=True))
    for width in (64, 128):
        for causal in (False, True):
            for seq in SEQUENCES:
                kind = "causal" if causal else "full"
                work = 4.0 * TOKENS * seq * HIDDEN * (0.5 if causal else 1)
                cases.append(Case(f"attention D{width} {kind} {seq}", f"attention_d{width}_{kind}", work, "TFLOP/s",
                                  lambda w=width, c=causal, s=seq: attention(w, c, s), {"Triton": 1.0},
                                  repeat=seq == 2048))
    return cases
