# Functions of the device library against exact arithmetic where they are exact
# (conversions, directed rounding, bits, integers), else within 3 ulp.
import math
from fractions import Fraction

from harness import *

BLOCK = 256
EDGES = {
    "fp32": [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1.2e-38, 3.4e38,
             -3.4e38, 2147483520.0, 2147483648.0, -2147483648.0, 4294967040.0, 4294967296.0, 9.3e18, -9.3e18, 1.9e19],
    "fp64": [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 2.3e-308, 1.7e308,
             -1.7e308, 2147483647.4, 2147483647.6, -2147483648.6, 4294967295.7, 1e-45, 3.5e38, 9.3e18, -9.3e18,
             1.9e19],
    "i32": [0, 1, -1, 2, -2, 255, -256, 2**31 - 1, -2**31, 2**30, 16777217, 16777219, -16777217, 0x12345678],
    "i64": [0, 1, -1, 2, -2, 2**63 - 1, -2**63, 2**53 + 1, 2**53 + 3, -2**53 - 1, 2**62, 16777217, 0x123456789abcdef],
}
EDGES.update(u32=EDGES["i32"], u64=EDGES["i64"])


def inputs(c, dtype, n, paired=0):
    """Every edge, with every other one where a second operand is drawn; then numbers of all sizes."""
    edges = np.array(EDGES[dtype]).astype(STORAGE[dtype])
    edges = np.tile(edges, len(edges)) if paired == 1 else np.repeat(edges, len(edges)) if paired == 2 else edges
    if is_float(dtype):
        wide = 1 if dtype == "fp32" else 8
        rest = c.rng.standard_normal(n) * np.exp2(c.rng.integers(-40 * wide, 60 * wide, n))
        rest[::3] = c.rng.standard_normal(len(rest[::3])) * 4
    else:
        info = np.iinfo(STORAGE[dtype])
        rest = c.rng.integers(info.min, info.max, n, dtype=STORAGE[dtype], endpoint=True)
        rest >>= c.rng.integers(0, info.bits, n).astype(STORAGE[dtype])
    return c.tensor(dtype, np.concatenate([edges, rest.astype(STORAGE[dtype])]))


def call(c, kernel, fn, out, *operands):
    n = operands[0].shape[0]
    names = ("x_ptr", "y_ptr", "z_ptr")[:len(operands)]
    c.launch(kernel, **dict(zip(names, operands)), out_ptr=out, n=n, const=dict(FN=fn, BLOCK=BLOCK),
             grid=(cdiv(n, BLOCK),))


def elementwise(function, *arrays):
    return [function(*values) for values in zip(*(array.tolist() for array in arrays))]


# --- Bits and classes ---------------------------------------------------------------


@each(fn=("isnan", "isinf", "isfinite", "signbit"), dtype=("fp32", "fp64"))
def classes(c, fn, dtype):
    x = inputs(c, dtype, 100)
    out = c.empty("i32", x.shape)
    call(c, "one", fn, out, x)
    c.expect(out, getattr(np, fn)(x.value).astype(np.int32))


@each(fn=("finitef", "isfinited"))
def finite(c, fn):
    x = inputs(c, "fp64" if fn == "isfinited" else "fp32", 100)
    out = c.empty("i32", x.shape)
    call(c, "one", fn, out, x)
    c.expect(out, np.isfinite(x.value).astype(np.int32))


REINTERPRET = {
    "float_as_int": ("fp32", "i32"), "float_as_uint": ("fp32", "i32"), "int_as_float": ("i32", "fp32"),
    "double_as_longlong": ("fp64", "i64"), "longlong_as_double": ("i64", "fp64"),
}


@each(fn=tuple(REINTERPRET))
def reinterpret(c, fn):
    source, to = REINTERPRET[fn]
    x = inputs(c, source, 300)
    out = c.empty(to, x.shape)
    call(c, "one", fn, out, x)
    c.expect(out, x.initial.view(STORAGE[to]))


@each()
def halves(c):
    x = inputs(c, "fp64", 300)
    high = c.empty("i32", x.shape)
    call(c, "one", "double2hiint", high, x)
    c.expect(high, (x.initial.view(np.int64) >> 32).astype(np.int32))


@each()
def whole(c):
    x, y = inputs(c, "i32", 200, 1), inputs(c, "i32", 200, 2)
    out = c.empty("fp64", x.shape)
    call(c, "two", "hiloint2double", out, x, y)
    bits = (x.value.astype(np.int64) << 32) | y.value.view(np.uint32).astype(np.int64)
    c.expect(out, bits.view(np.float64))


# --- Conversions --------------------------------------------------------------------


def to_integer(value, mode, low, high):
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return high if value > 0 else low
    exact = Fraction(value)
    whole = {"n": round, "z": math.trunc, "d": math.floor, "u": math.ceil}[mode](exact)
    return min(max(whole, low), high)


INTEGERS = {"int": ("i32", -2**31, 2**31 - 1), "uint": ("u32", 0, 2**32 - 1), "ll": ("i64", -2**63, 2**63 - 1),
            "ull": ("u64", 0, 2**64 - 1)}
REALS = {"float": "fp32", "double": "fp64"}


@each(source=("float", "double"), to=tuple(INTEGERS), mode=tuple("nzdu"))
def integers(c, source, to, mode):
    x = inputs(c, REALS[source], 300)
    word, low, high = INTEGERS[to]
    out = c.empty("i" + word[1:], x.shape)  # libdevice declares the unsigned results signed
    call(c, "one", f"{source}2{to}_r{mode}", out, x)
    exact = [to_integer(value, mode, low, high) for value in x.value.tolist()]
    c.expect(out, np.array(exact, dtype=STORAGE[word]).view(STORAGE[out.type]))


def to_real(exact, mode, dtype):
    """An exact number rounded in a direction, as a Python float."""
    if isinstance(exact, float):  # an infinity or NaN
        return exact
    storage = STORAGE[dtype]
    with np.errstate(over="ignore"):
        try:
            near = float(storage(exact.numerator / exact.denominator))
        except OverflowError:
            near = math.inf if exact > 0 else -math.inf

    def step(way):
        with np.errstate(over="ignore"):
            return float(np.nextafter(storage(near), storage(way * np.inf)))

    while not (math.isinf(near) and near > 0) and (math.isinf(near) or Fraction(near) < exact):
        near = step(1)
    while not (math.isinf(near) and near < 0) and (math.isinf(near) or Fraction(near) > exact):
        near = step(-1)
    # `near` is now the largest number not above the exact one.
    if not math.isinf(near) and Fraction(near) == exact:
        return near
    return {"d": near, "u": step(1), "z": near if exact > 0 else step(1)}[mode]


@each(source=("int", "uint", "ll", "ull"), to=("float", "double"), mode=tuple("zdu"))
def reals(c, source, to, mode):
    if to == "double" and source in ("int", "uint"):
        mode = "n"
    x = inputs(c, INTEGERS[source][0], 300)
    out = c.empty(REALS[to], x.shape)
    call(c, "one", f"{source}2{to}_r{mode}", out, x)
    c.expect(out, [float(v) if mode == "n" else to_real(Fraction(v), mode, out.type) for v in x.value.tolist()])


@each(mode=tuple("zdu"))
def single(c, mode):
    x = inputs(c, "fp64", 300)
    out = c.empty("fp32", x.shape)
    call(c, "one", f"double2float_r{mode}", out, x)
    c.expect(out, [to_real(Fraction(v), mode, "fp32") if math.isfinite(v) else v for v in x.value.tolist()])


# --- Arithmetic in a direction -------------------------------------------------------


def exactly(op, *values):
    """The exact result, or what IEEE arithmetic gives where there is none."""
    if not all(map(math.isfinite, values)) or (op == "div" and values[1] == 0) or (op == "rcp" and values[0] == 0):
        with np.errstate(all="ignore"):
            v = [np.float64(value) for value in values]
            return float({"add": lambda: v[0] + v[1], "sub": lambda: v[0] - v[1], "mul": lambda: v[0] * v[1],
                          "div": lambda: v[0] / v[1], "rcp": lambda: 1 / v[0],
                          # The product of two numbers is finite before it is rounded.
                          "fma": lambda: v[2] if np.isfinite(v[:2]).all() else v[0] * v[1] + v[2]}[op]())
    v = [Fraction(value) for value in values]
    return {"add": lambda: v[0] + v[1], "sub": lambda: v[0] - v[1], "mul": lambda: v[0] * v[1],
            "div": lambda: v[0] / v[1], "rcp": lambda: 1 / v[0], "fma": lambda: v[0] * v[1] + v[2]}[op]()


@each(fn=("add", "sub", "mul", "div"), mode=tuple("zdu"), dtype=("fp32", "fp64"))
def directed(c, fn, mode, dtype):
    x, y = inputs(c, dtype, 400, 1), inputs(c, dtype, 400, 2)
    out = c.empty(dtype, x.shape)
    call(c, "two", f"{fn}_r{mode}", out, x, y)
    c.expect(out, elementwise(lambda a, b: to_real(exactly(fn, a, b), mode, dtype), x.value, y.value))


@each(mode=tuple("zdu"), dtype=("fp32", "fp64"))
def reciprocal(c, mode, dtype):
    x = inputs(c, dtype, 400)
    out = c.empty(dtype, x.shape)
    call(c, "one", f"rcp_r{mode}", out, x)
    c.expect(out, [to_real(exactly("rcp", v), mode, dtype) for v in x.value.tolist()])


@each(mode=tuple("zdu"), dtype=("fp32", "fp64"))
def fused(c, mode, dtype):
    x, y = inputs(c, dtype, 400, 1), inputs(c, dtype, 400, 2)
    with np.errstate(all="ignore"):
        z = c.tensor(dtype, (-x.value * y.value).astype(STORAGE[dtype]) * c.rng.choice([0.0, 1.0, 1e-12, 1e-250, 1e250],
                                                                                     x.shape))
    out = c.empty(dtype, x.shape)
    call(c, "three", f"fma_r{mode}", out, x, y, z)
    c.expect(out, elementwise(lambda *v: to_real(exactly("fma", *v), mode, dtype), x.value, y.value, z.value))


@each(mode=tuple("zdu"), dtype=("fp32", "fp64"))
def root(c, mode, dtype):
    edges = [0.0, 1.0, 4.0, np.inf, np.nan, -1.0] + ([1e-45, 3.4e38] if dtype == "fp32" else [5e-324, 2.3e-308, 1.7e308])
    size = 80 if dtype == "fp32" else 700
    x = c.tensor(dtype, np.concatenate([edges, np.exp(c.rng.uniform(-size, size, 400))]))
    out = c.empty(dtype, x.shape)
    call(c, "one", f"sqrt_r{mode}", out, x)

    def exact(value, mode):
        if not math.isfinite(value) or value < 0:
            return value if value > 0 else math.nan
        numerator, denominator = value.as_integer_ratio()
        scale = 1 << 1200
        low = Fraction(math.isqrt(numerator * scale * scale // denominator), scale)
        if low * low != Fraction(value):
            low += Fraction(1, 2 * scale)  # between two numbers that no float lies between
        return to_real(low, mode, dtype)

    c.expect(out, [exact(value, mode) for value in x.value.tolist()])


# --- Functions ----------------------------------------------------------------------

ONE = {  # function of long doubles, inputs
    "exp10": (lambda x: np.longdouble(10)**x, (-37, 37)), "cbrt": (np.cbrt, (-1e9, 1e9)),
    "rcbrt": (lambda x: 1 / np.cbrt(x), (0.1, 1e9)),
    "sinpi": (lambda x: np.sin(np.longdouble(np.pi) * np.remainder(x, 2)), (-50, 50)),
    "cospi": (lambda x: np.cos(np.longdouble(np.pi) * np.remainder(x, 2)), (-50, 50)),
    "rsqrt_rn": (lambda x: 1 / np.sqrt(x), (0.01, 1e5)), "fast_expf": (np.exp, (-50, 50)),
    "fast_logf": (np.log, (2, 1e9)), "fast_log2f": (np.log2, (3, 1e9)), "fast_tanh": (np.tanh, (-5, 5)),
    "normcdf": (lambda x: np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.tolist()]), (-8, 8)),
    "saturatef": (lambda x: np.clip(x, 0, 1), (-1, 2)),
}


@each(fn=tuple(ONE))
def functions(c, fn):
    function, (low, high) = ONE[fn]
    x = c.uniform("fp32", 500, low, high)
    out = c.empty("fp32", x.shape)
    call(c, "one", fn, out, x)
    exact = function(x.value.astype(np.longdouble)).astype(np.float64)
    absolute = 2.0**-23 if fn in ("sinpi", "cospi") else 0  # near a zero, where pi's own rounding counts
    c.expect(out, exact, 6 * rounding("fp32", exact) + absolute)


@each()
def inverse_error_function(c):
    x = c.tensor("fp32", np.concatenate([c.rng.uniform(-1, 1, 400), 1 - np.exp2(-c.rng.uniform(2, 24, 100)), [0.0]]))
    out = c.empty("fp32", x.shape)
    call(c, "one", "erfinv", out, x)

    def solve(value):
        if value == 0 or abs(value) == 1:
            return value * math.inf if value else 0.0
        low, high = -6.0, 6.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle) < value else (low, middle)
        return low

    exact = np.array([solve(value) for value in x.value.tolist()])
    c.expect(out, exact, 4 * rounding("fp32", exact))


TWO = {
    "hypot": np.hypot, "rhypot": lambda x, y: 1 / np.hypot(x, y), "fdim": lambda x, y: np.maximum(x - y, 0),
    "fast_dividef": lambda x, y: x / y, "div_rn": lambda x, y: x / y, "copysign": np.copysign,
}


@each(fn=tuple(TWO), dtype=("fp32", "fp64"))
def pairs(c, fn, dtype):
    dtype = "fp32" if fn == "fast_dividef" else dtype
    x, y = c.normal(dtype, 500), c.normal(dtype, 500)
    out = c.empty(dtype, x.shape)
    call(c, "two", fn, out, x, y)
    exact = TWO[fn](x.value.astype(np.longdouble), y.value.astype(np.longdouble)).astype(np.float64)
    c.expect(out, exact, (1 if fn == "div_rn" else 0 if fn == "copysign" else 4) * rounding(dtype, exact))


@each(fn=("hypot", "fdim"), dtype=("fp32", "fp64"))
def pair_edges(c, fn, dtype):
    x, y = inputs(c, dtype, 0, 1), inputs(c, dtype, 0, 2)
    out = c.empty(dtype, x.shape)
    call(c, "two", fn, out, x, y)
    with np.errstate(all="ignore"):
        if fn == "hypot":
            exact = np.hypot(x.value.astype(np.longdouble), y.value.astype(np.longdouble))
            exact = np.where(np.isinf(x.value) | np.isinf(y.value), np.inf, exact)
        else:
            exact = np.where(np.isnan(x.value) | np.isnan(y.value), np.nan,
                             np.where(x.value > y.value, x.value - y.value, 0))
        exact = exact.astype(STORAGE[dtype]).astype(np.float64)
    c.expect(out, exact, 3 * rounding(dtype, np.where(np.isfinite(exact), exact, 0)))


@each(dtype=("fp32", "fp64"))
def norm4d(c, dtype):
    x, y = c.normal(dtype, 300), c.normal(dtype, 300)
    out = c.empty(dtype, x.shape)
    call(c, "four", "norm4d", out, x, y)
    exact = np.sqrt(2 * (x.value.astype(np.longdouble)**2 + y.value.astype(np.longdouble)**2)).astype(np.float64)
    c.expect(out, exact, 4 * rounding(dtype, exact))


@each(dtype=("fp32", "fp64"))
def remainder(c, dtype):
    x, y = inputs(c, dtype, 400, 1), inputs(c, dtype, 400, 2)
    out = c.empty(dtype, x.shape)
    call(c, "two", "remainder", out, x, y)

    def exact(a, b):
        return math.remainder(a, b) if math.isfinite(a) and b and not math.isnan(b) else math.nan

    c.expect(out, elementwise(exact, x.value, y.value))


@each(dtype=("fp32", "fp64"))
def next_after(c, dtype):
    x, y = inputs(c, dtype, 400, 1), inputs(c, dtype, 400, 2)
    out = c.empty(dtype, x.shape)
    call(c, "two", "nextafter", out, x, y)
    c.expect(out, np.nextafter(x.initial, y.initial).astype(np.float64))


@each(fn=("ldexp", "scalbn"), dtype=("fp32", "fp64"))
def scale(c, fn, dtype):
    x = inputs(c, dtype, 2000)
    y = c.tensor("i32", np.rint(c.rng.standard_normal(x.shape) * (100 if dtype == "fp32" else 900)))
    out = c.empty(dtype, x.shape)
    call(c, "two", fn, out, x, y)
    with np.errstate(all="ignore"):
        c.expect(out, np.ldexp(x.initial, y.value).astype(np.float64))


@each(dtype=("fp32", "fp64"))
def integer_power(c, dtype):
    x, y = c.uniform(dtype, 300, -3.0, 3.0), c.tensor("i32", c.rng.integers(-20, 20, 300))
    out = c.empty(dtype, x.shape)
    call(c, "two", "pow", out, x, y)
    exact = (x.value.astype(np.longdouble)**y.value).astype(np.float64)
    c.expect(out, exact, 4 * rounding(dtype, exact))


@each(fn=("ilogb", "logb"), dtype=("fp32", "fp64"))
def exponent(c, fn, dtype):
    x = inputs(c, dtype, 400)
    out = c.empty("i32" if fn == "ilogb" else dtype, x.shape)
    call(c, "one", fn, out, x)

    def exact(value):
        if fn == "ilogb" and (math.isnan(value) or value == 0 or math.isinf(value)):
            return 2**31 - 1 if math.isinf(value) else -2**31
        if value == 0 or not math.isfinite(value):
            return -math.inf if value == 0 else value * value
        return math.frexp(value)[1] - 1

    c.expect(out, elementwise(exact, x.value))


@each(fn=("llrint", "llround"), dtype=("fp32", "fp64"))
def to_long(c, fn, dtype):
    x = inputs(c, dtype, 400)
    out = c.empty("i64", x.shape)
    call(c, "one", fn, out, x)
    if fn == "llrint":
        exact = [to_integer(value, "n", -2**63, 2**63 - 1) for value in x.value.tolist()]
    else:  # halves away from zero
        exact = [to_integer(value, "n", -2**63, 2**63 - 1) if not math.isfinite(value) else
                 min(max(int(math.copysign(math.floor(abs(Fraction(value)) + Fraction(1, 2)), value)), -2**63),
                     2**63 - 1) if abs(value) < 2**52 else to_integer(value, "n", -2**63, 2**63 - 1)
                 for value in x.value.tolist()]
    c.expect(out, np.array(exact, dtype=np.int64))


# --- Integers -----------------------------------------------------------------------


def signed(value, bits=32):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def reverse(value, bits):
    return signed(int(format(value & ((1 << bits) - 1), f"0{bits}b")[::-1], 2), bits)


INTEGER_ONE = {
    "clz": lambda v, bits: bits - (v & ((1 << bits) - 1)).bit_length(),
    "popc": lambda v, bits: bin(v & ((1 << bits) - 1)).count("1"),
    "ffs": lambda v, bits: (v & -v).bit_length(), "brev": reverse, "abs": lambda v, bits: signed(abs(v), bits),
}


@each(fn=tuple(INTEGER_ONE), dtype=("i32", "i64"))
def bit_functions(c, fn, dtype):
    x = inputs(c, dtype, 300)
    out = c.empty(dtype if fn in ("brev", "abs") else "i32", x.shape)
    call(c, "one", fn, out, x)
    bits = int(dtype[1:])
    c.expect(out, np.array([INTEGER_ONE[fn](v, bits) for v in x.value.tolist()], dtype=np.int64))


def middle(v):
    return signed(v << 8, 32) >> 8


INTEGER_TWO = {
    ("mulhi", "i32"): lambda a, b: a * b >> 32, ("mulhi", "u32"): lambda a, b: a * b >> 32,
    ("mulhi", "i64"): lambda a, b: a * b >> 64, ("mulhi", "u64"): lambda a, b: a * b >> 64,
    ("mul24", "i32"): lambda a, b: signed(middle(a) * middle(b)),
    ("mul24", "u32"): lambda a, b: (a & 0xffffff) * (b & 0xffffff) & 0xffffffff,
    ("hadd", "i32"): lambda a, b: (a + b) >> 1, ("hadd", "u32"): lambda a, b: (a + b) >> 1,
    ("rhadd", "i32"): lambda a, b: (a + b + 1) >> 1, ("rhadd", "u32"): lambda a, b: (a + b + 1) >> 1,
}


@each(case=tuple(INTEGER_TWO))
def integer_pairs(c, case):
    fn, dtype = case
    x, y = inputs(c, dtype, 300, 1), inputs(c, dtype, 300, 2)
    out = c.empty(dtype, x.shape)
    call(c, "two", fn, out, x, y)
    c.expect(out, np.array(elementwise(INTEGER_TWO[case], x.value, y.value), dtype=STORAGE[dtype]))


@each()
def byte_permute(c):
    x, y = inputs(c, "i32", 300, 1), inputs(c, "i32", 300, 2)
    z = c.integers("i32", x.shape)
    out = c.empty("i32", x.shape)
    call(c, "three", "byte_perm", out, x, y, z)

    def exact(a, b, selector):
        both = (a & 0xffffffff) | (b & 0xffffffff) << 32
        result = 0
        for i in range(4):
            nibble = selector >> 4 * i & 15
            byte = both >> 8 * (nibble & 7) & 255
            if nibble & 8:
                byte = 255 if byte & 128 else 0
            result |= byte << 8 * i
        return signed(result)

    c.expect(out, np.array(elementwise(exact, x.value, y.value, z.value), dtype=np.int32))


@each(dtype=("i32", "u32"))
def absolute_difference(c, dtype):
    x, y = inputs(c, dtype, 300, 1), inputs(c, dtype, 300, 2)
    z = c.integers("u32", x.shape, 0, 1000)
    out = c.empty("u32" if dtype == "u32" else "i32", x.shape)
    call(c, "three", "sad", out, x, y, z)
    exact = np.array(elementwise(lambda a, b, t: (abs(a - b) + t) & 0xffffffff, x.value, y.value, z.value),
                     dtype=np.uint32)
    c.expect(out, exact.view(STORAGE[out.type]))
