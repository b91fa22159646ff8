# Functions and compile-time values: calls, defaults, keywords, tuples, functions as arguments, module constants.
import triton
import triton.language as tl

SCALE: tl.constexpr = tl.constexpr(4)
OFFSET = tl.constexpr(-1.5)
WIDTHS = {"small": 16, "large": 64}
if WIDTHS["small"] > 100:
    CHOSEN = tl.constexpr(1)
else:
    CHOSEN = tl.constexpr(WIDTHS["large"])
try:
    from a_module_nobody_has import special as helper_of_host
except ImportError:
    helper_of_host = None


@triton.constexpr_function
def on_gpu():
    return tl.target_info.current_target().backend in ("cuda", "hip")


# Another constant for each target.
EXTRA = tl.constexpr(2 if not on_gpu() else 20)


def host_code(x, *args, **kwargs):
    """Host code around kernels is read over, whatever it holds."""
    with open(f"{x!r:>10}") as file:
        return [y for y in file if (z := y.strip())] or {**kwargs, "n": lambda a: a @ x}


@triton.jit
def square(x):
    return x * x


@triton.jit
def shifted(x, by=1.0, times: tl.constexpr = 2):
    """Docstrings are no statements."""
    for _ in tl.static_range(times):
        x += by
    return x


@triton.jit
def min_max(x):
    return tl.min(x, axis=0), tl.max(x, axis=0)


@triton.jit
def relu(x):
    return tl.maximum(x, 0.0)


@triton.jit
def halve(x):
    return x * 0.5


@triton.jit
def _sum_all(*values):
    total = values[0]
    for i in tl.static_range(1, len(values)):
        total += values[i]
    return total


@triton.constexpr_function
def log2_floor(n):
    result = 0
    while n > 1:
        n //= 2
        result += 1
    return result


@triton.jit
def power(x, N: tl.constexpr):
    # Recursion that ends at compile time.
    if N == 0:
        return tl.full(x.shape, 1.0, x.dtype)
    else:
        return x * power(x, N - 1)


@triton.jit
def calls(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=0.0)
    tl.store(out_ptr + 0 * n + offs, square(x), mask=mask)
    tl.store(out_ptr + 1 * n + offs, shifted(x), mask=mask)
    tl.store(out_ptr + 2 * n + offs, shifted(x, times=3, by=0.5), mask=mask)
    lo, hi = min_max(x)
    tl.store(out_ptr + 3 * n + offs, (x - lo) / (hi - lo + 1.0), mask=mask)
    tl.store(out_ptr + 4 * n + offs, _sum_all(x, x * 2, 1.0), mask=mask)
    tl.store(out_ptr + 5 * n + offs, power(x, 3), mask=mask)


@triton.jit
def activation(x_ptr, out_ptr, n, ACT: tl.constexpr, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0.0)
    if ACT == "relu":
        x = relu(x)
    elif ACT == "halve":
        x = halve(x)
    tl.store(out_ptr + offs, x, mask=offs < n)


@triton.jit
def constants(out_ptr, FIRST: tl.constexpr, SECOND: tl.constexpr = 3):
    LOCAL: tl.constexpr = FIRST * 2 + SECOND
    HALF: tl.constexpr = LOCAL // 2
    tl.static_assert(HALF * 2 <= LOCAL, f"HALF={HALF} LOCAL={LOCAL}")
    tl.store(out_ptr + 0, LOCAL)
    tl.store(out_ptr + 1, HALF)
    tl.store(out_ptr + 2, SCALE * CHOSEN)
    tl.store(out_ptr + 3, int(OFFSET * 2))
    tl.store(out_ptr + 4, log2_floor(FIRST))
    tl.store(out_ptr + 5, triton.cdiv(FIRST, 3) + triton.next_power_of_2(FIRST))
    tl.store(out_ptr + 6, FIRST**2 % 1000)
    tl.store(out_ptr + 7, 1 if FIRST is not None else 0)
    tl.store(out_ptr + 8, min(FIRST, 7) + max(FIRST, SECOND))
    tl.store(out_ptr + 9, -FIRST // 3)  # Python's floor, before it becomes a tensor


@triton.jit
def dtypes(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    # Compile-time questions to types.
    offs = tl.arange(0, BLOCK)
    dtype = x_ptr.dtype.element_ty
    x = tl.load(x_ptr + offs, mask=offs < n, other=0)
    if dtype.is_floating():
        y = x.to(tl.float32) * 0.5
    else:
        y = x // 2
    BITS: tl.constexpr = dtype.primitive_bitwidth
    tl.store(out_ptr + offs, y.to(tl.float32) + BITS, mask=offs < n)


@triton.jit
def _accumulate(acc, x, STEP: tl.constexpr):
    acc += tl.sum(x, axis=0) * STEP
    return acc


@triton.jit
def in_loops(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    acc = 0.0
    for start in range(0, n, BLOCK):
        offs = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + offs, mask=offs < n, other=0.0)
        acc = _accumulate(acc, x, STEP=2)
    tl.store(out_ptr, acc)


@triton.jit
def shape_arithmetic(x_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    y = tl.reshape(x, [x.shape[0] // 2, 2] + [x.shape[1]])
    tl.static_assert(y.numel == x.numel)
    first, second = tl.split(tl.permute(y, (0, 2, 1)))
    tl.store(out_ptr + tl.arange(0, M // 2)[:, None] * N + tl.arange(0, N)[None, :], first - second)


def make_adder(amount):

    @triton.jit
    def adder(x_ptr, n, BLOCK: tl.constexpr):
        offs = tl.arange(0, BLOCK)
        tl.store(x_ptr + offs, tl.load(x_ptr + offs, mask=offs < n) + amount, mask=offs < n)

    return adder


@triton.jit
def on_target(x_ptr, out_ptr, BLOCK: tl.constexpr):
    # What is for one target alone is folded away before it is typed.
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs)
    if tl.target_info.is_cuda():
        if tl.target_info.cuda_capability_geq(8, 0):
            x = tl.inline_asm_elementwise("add.f32 $0, $1, 1.0;", "=r,r", [x], tl.float32, True, 1)
        else:
            x = x.no_such_method()
    else:
        x += 1.0
    tl.store(out_ptr + offs, x + EXTRA)


@triton.jit
def _reversed_through(scratch_ptr, x, n, BLOCK: tl.constexpr):
    # A callee that promises something and meets the other threads.
    tl.assume(n > 0)
    offs = tl.arange(0, BLOCK)
    tl.store(scratch_ptr + offs, x)
    tl.debug_barrier()
    return tl.load(scratch_ptr + BLOCK - 1 - offs, mask=offs >= BLOCK - n, other=0.0)


@triton.jit
def meeting(x_ptr, scratch_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    same_size: tl.constexpr = tl.core.get_int_dtype(bitwidth=x_ptr.dtype.element_ty.primitive_bitwidth, signed=True)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0.0)
    x = _reversed_through(scratch_ptr, x, n, BLOCK)
    rows = n[:, None] + tl.program_id(0)[None, :]  # of scalars: one element
    bits = tl.reshape(x, [BLOCK, 1]).to(same_size, bitcast=True)
    tl.store(out_ptr + offs[:, None] + rows * 0, bits.to(x.dtype, bitcast=True))
