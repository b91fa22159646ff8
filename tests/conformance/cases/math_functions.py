# Elementary functions over their whole domain, in units in the last place.
#
# The bounds are what the language's users can rely on: a correctly rounded
# square root and division where the name says so (_rn), exact floor and ceil,
# and 2 ulp for exp, exp2, log, log2, 3 for the others (fp64: the same in its
# own ulp). A GPU's own exponential in fp32 flushes subnormal results to zero.
from math import erf as _erf

from harness import *

BLOCK = 512
ULPS = {"exp": 2, "exp2": 2, "log": 2, "log2": 2, "sin": 3, "cos": 3, "sqrt": 2, "sqrt_rn": 0.5, "rsqrt": 3, "erf": 3,
        "sigmoid": 6, "method exp": 2, "math.log2": 2, "tanh": 5, "log1p": 3, "atan": 3, "pow": 16}
erf = np.vectorize(_erf)


def span(c, low, high, count):
    """Both signs as the range allows, spread over the exponents."""
    if low > 0:
        return np.exp(c.rng.uniform(np.log(low), np.log(high), count))
    return c.rng.uniform(low, high, count)


def in_ulps(dtype, exact, ulps):
    """An ulp is at most 2 u |exact|; where the result is subnormal, half a smallest number more."""
    return 2 * ulps * rounding(dtype, exact) + 4 * rounding(dtype, 0.0)


def flushed(c, fn, dtype, exact, bound):
    """The bound where the hardware's exponential serves: a result below the smallest normal number may be zero."""
    if c.device.startswith("cpu") or dtype != "fp32" or fn not in ("exp", "exp2", "method exp", "sigmoid"):
        return bound
    return np.where(np.abs(exact) < 2.0**-126, np.maximum(bound, np.abs(exact)), bound)


REFERENCE = {
    "exp": (np.exp, (-100, 88)), "exp2": (np.exp2, (-140, 127)), "method exp": (np.exp, (-5, 5)),
    "log": (np.log, (1e-38, 1e38)), "log2": (np.log2, (1e-38, 1e38)), "math.log2": (np.log2, (0.5, 2.0)),
    "sin": (np.sin, (-1000, 1000)), "cos": (np.cos, (-1000, 1000)), "sqrt": (np.sqrt, (1e-37, 1e38)),
    "sqrt_rn": (np.sqrt, (1e-37, 1e38)), "rsqrt": (lambda x: 1 / np.sqrt(x), (1e-37, 1e38)),
    "erf": (erf, (-5, 5)), "floor": (np.floor, (-1e6, 1e6)), "ceil": (np.ceil, (-1e6, 1e6)),
    "abs": (np.abs, (-10, 10)), "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), (-20, 20)),
}


@each(fn=tuple(REFERENCE), dtype=("fp32", "fp64"), n=(3001,), random=dict(n=sizes(1, 20000)))
def apply(c, fn, dtype, n):
    dtype = "fp32" if fn == "sqrt_rn" else dtype  # the one that is fp32 only
    function, (low, high) = REFERENCE[fn]
    x, out = c.tensor(dtype, span(c, low, high, n)), c.empty(dtype, n)
    c.launch("apply", x_ptr=x, out_ptr=out, n=n, const=dict(FN=fn, BLOCK=BLOCK), grid=(cdiv(n, BLOCK),))
    exact = function(x.value.astype(np.longdouble) if fn != "erf" else x.value).astype(np.float64)
    bound = in_ulps(dtype, exact, ULPS[fn]) if fn in ULPS else 0
    if fn in ("log", "log2", "math.log2"):  # near 1 the result is near 0: the bound there is absolute, in ulps of x
        bound = bound + 2 * rounding(dtype, 1e-8)
    if fn in ("sin", "cos"):  # near a zero the reduced argument carries the error
        bound = bound + 2 * ULPS[fn] * unit(dtype)
    c.expect(out, exact, flushed(c, fn, dtype, exact, bound))


SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3.4e38, -3.4e38, 88.8, -104.0, 128.0, -150.0]


@each(fn=("exp", "exp2", "log", "log2", "sqrt", "rsqrt", "erf", "floor", "ceil", "abs", "sin", "cos"))
def special(c, fn):
    x, out = c.tensor("fp32", SPECIAL), c.empty("fp32", len(SPECIAL))
    c.launch("apply", x_ptr=x, out_ptr=out, n=len(SPECIAL), const=dict(FN=fn, BLOCK=BLOCK), grid=(1,))
    with np.errstate(all="ignore"):
        exact = REFERENCE[fn][0](x.value).astype(np.float64)
        rounded = exact.astype(np.float32).astype(np.float64)
    if fn in ("sin", "cos"):  # huge arguments: only that the result stays in [-1, 1] is promised
        huge = np.isfinite(x.value) & (np.abs(x.value) > 1e5)
        c.expect(out, np.where(huge, 0, rounded), np.where(huge, 1, in_ulps("fp32", rounded, 3)))
        return
    bound = np.where(np.isfinite(rounded), in_ulps("fp32", rounded, 3), 0)
    c.expect(out, rounded, flushed(c, fn, "fp32", rounded, bound))


DEVICE = {
    "tanh": (np.tanh, (-10, 10)), "exp": (np.exp, (-80, 80)), "rsqrt": (lambda x: 1 / np.sqrt(x), (1e-30, 1e30)),
    "log1p": (np.log1p, (-0.9, 100)), "erf": (erf, (-4, 4)), "trunc": (np.trunc, (-1e5, 1e5)),
    "atan": (np.arctan, (-100, 100)), "rint": (np.rint, (-100, 100)),
    "round": (lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x), (-100, 100)),
}


@each(fn=tuple(DEVICE), n=(1003,))
def device(c, fn, n):
    function, (low, high) = DEVICE[fn]
    values = span(c, low, high, n)
    if fn in ("rint", "round"):
        values[::3] = np.floor(values[::3]) + 0.5  # ties
    x, out = c.tensor("fp32", values), c.empty("fp32", n)
    c.launch("device", x_ptr=x, out_ptr=out, n=n, const=dict(FN=fn, BLOCK=BLOCK), grid=(cdiv(n, BLOCK),))
    exact = function(x.value)
    c.expect(out, exact, in_ulps("fp32", exact, ULPS[fn]) if fn in ULPS else 0)


@each(fn=("fdiv", "div_rn", "fma"), n=(500,))
def two(c, fn, n):
    x, y, out = c.normal("fp32", n), c.normal("fp32", n), c.empty("fp32", n)
    c.launch("two", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(FN=fn, BLOCK=BLOCK), grid=(1,))
    exact = x.value / y.value if fn != "fma" else x.value * y.value + x.value
    c.expect(out, exact, rounding("fp32", exact) * (4 if fn == "fdiv" else 1))


@each(n=(400,))
def pow(c, n):
    x, y, out = c.uniform("fp32", n, 0.01, 20.0), c.uniform("fp32", n, -8.0, 8.0), c.empty("fp32", n)
    c.launch("pow", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(BLOCK=BLOCK), grid=(1,))
    exact = x.value**y.value
    c.expect(out, exact, in_ulps("fp32", exact, ULPS["pow"]))


@each()
def classify(c):
    x = c.tensor("fp32", SPECIAL)
    nan, inf = c.empty("i32", len(SPECIAL)), c.empty("i32", len(SPECIAL))
    c.launch("classify", x_ptr=x, nan_ptr=nan, inf_ptr=inf, n=len(SPECIAL), const=dict(BLOCK=64), grid=(1,))
    c.expect(nan, np.isnan(x.value))
    c.expect(inf, np.isinf(x.value))
