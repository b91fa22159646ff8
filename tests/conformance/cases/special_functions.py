# Special functions of the device library against definitions that share nothing with their code: integrals, series in
# 60 digits, Python's gamma. f32 is rounded once from f64; f64 within the units in the last place said at each.
import functools
import math
from decimal import Decimal, localcontext
from statistics import NormalDist

from harness import *

BLOCK = 256
NORMAL = NormalDist()
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640629")


def check(c, fn, dtype, values, reference, ulps, absolute=0.0):
    x = c.tensor(dtype, values)
    out = c.empty(dtype, x.shape)
    n = x.shape[0]
    c.launch("one", x_ptr=x, out_ptr=out, n=n, const=dict(FN=fn, BLOCK=BLOCK), grid=(cdiv(n, BLOCK),), source="libdevice.py")
    exact = np.array([float(reference(v)) for v in x.value.tolist()])
    # The reference is itself a rounded float64.
    bound = rounding(dtype, exact) * (2.02 if dtype == "fp32" else 2 * ulps + 2)
    c.expect(out, exact, bound + np.where(np.isfinite(exact), absolute, 0))


def precise(function):
    def inner(x):
        with localcontext() as context:
            context.prec = 60
            return function(Decimal(x))

    return inner


def erf(x):
    """Decimal; the alternating series loses what 60 digits and |x| < 6 leave it."""
    term = total = x
    n = 0
    while abs(term) > Decimal("1e-58"):
        n += 1
        term = -term * x * x / n
        total += term / (2 * n + 1)
    return total * 2 / PI.sqrt()


def scaled_erfc(x):
    """exp(x^2) erfc(x): the series, or from 3 on Laplace's continued fraction."""
    if x < 3:
        return (x * x).exp() * (1 - erf(x))
    fraction = x
    for k in range(160, 0, -1):
        fraction = x + Decimal(k) / 2 / fraction
    return 1 / (fraction * PI.sqrt())


def erfc(x):
    return scaled_erfc(x) * (-x * x).exp() if x > 0 else 2 - scaled_erfc(-x) * (-x * x).exp()


def inverse_erfc(q, start):
    """The y whose erfc is q, by Newton's method on its logarithm."""
    y = Decimal(start)
    for _ in range(4):
        value = erfc(y)
        y += (value / q).ln() * value * PI.sqrt() / 2 * (y * y).exp()
    return y


def below(limit, count, c):
    return np.exp2(-c.rng.uniform(1, limit, count))


@each(dtype=("fp32", "fp64"))
def erfcx(c, dtype):
    values = np.concatenate([c.rng.uniform(-5, 5, 100), c.rng.uniform(5, 60, 60), np.exp(c.rng.uniform(4, 40, 40)), [0.0]])
    check(c, "erfcx", dtype, values, precise(scaled_erfc), 4)


@each(dtype=("fp32", "fp64"))
def normcdf(c, dtype):
    values = np.concatenate([c.rng.uniform(-12 if dtype == "fp32" else -36, 8, 150), [0.0, np.inf, -np.inf]])
    check(c, "normcdf", dtype, values,
          precise(lambda x: erfc(-x / Decimal(2).sqrt()) / 2 if x.is_finite() else int(x > 0)), 4)


@each(dtype=("fp32", "fp64"))
def inverses(c, dtype):
    digits = 24 if dtype == "fp32" else 53
    values = np.concatenate([c.rng.uniform(-1, 1, 20), 1 - below(digits - 1, 20, c), [0.0, 1.0, -1.0]])

    def solve(x):
        if abs(x) == 1:
            return math.copysign(math.inf, x)
        # erfc(y) = 1 - x, of which 60 digits lose nothing.
        return inverse_erfc(1 - x, NORMAL.inv_cdf(float((1 + x) / 2)) / math.sqrt(2)) if x else x

    check(c, "erfinv", dtype, values, precise(solve), 3)


@each(fn=("erfcinv", "normcdfinv"), dtype=("fp32", "fp64"))
def tails(c, fn, dtype):
    top = 2 if fn == "erfcinv" else 1
    values = np.concatenate([c.rng.uniform(0, top, 20), below(120 if dtype == "fp32" else 900, 20, c), [0.0, top / 2, top]])

    def solve(x):
        q = x if fn == "erfcinv" else 2 * x
        if q in (0, 2):
            return (math.inf if q == 0 else -math.inf) * (1 if fn == "erfcinv" else -1)
        root = inverse_erfc(q, -NORMAL.inv_cdf(float(q / 2)) / math.sqrt(2))
        return root if fn == "erfcinv" else -root * Decimal(2).sqrt()

    check(c, fn, dtype, values, precise(solve), 3, absolute=1e-55)


@each(fn=("lgamma", "tgamma"), dtype=("fp32", "fp64"))
def gamma_functions(c, fn, dtype):
    top = 33 if dtype == "fp32" else 170
    values = np.concatenate([c.rng.uniform(0, 3, 150), c.rng.uniform(3, top, 150), c.rng.uniform(-top, 0, 150),
                             np.arange(1, 30), [1e-30, -1e-30, 10.5, 10.499, 1 + 1e-6, 2 - 1e-6]])
    function = math.lgamma if fn == "lgamma" else math.gamma
    # Between its zeros on the negative side lgamma cancels.
    check(c, fn, dtype, values, function, 16, absolute=1e-13 if fn == "lgamma" else 0)


@each(fn=("lgamma", "tgamma"), dtype=("fp32", "fp64"))
def gamma_edges(c, fn, dtype):
    edges = {0.0: (math.inf, math.inf), -0.0: (math.inf, -math.inf), math.inf: (math.inf, math.inf),
             -math.inf: (math.inf, math.nan), math.nan: (math.nan, math.nan), -3.0: (math.inf, math.nan),
             1e30: (1e30 * (math.log(1e30) - 1), math.inf)}
    values = list(edges)
    wanted = iter([edges[v][fn == "tgamma"] if v != 0 else edges[0.0][0] if math.copysign(1, v) > 0 or fn == "lgamma"
                   else -math.inf for v in values])
    check(c, fn, dtype, values, lambda v: next(wanted), 16)


@functools.lru_cache
def gauss():
    return np.polynomial.legendre.leggauss(300)


def quadrature(function, low, high):
    nodes, weights = gauss()
    half = (high - low) / 2
    return float(np.sum(weights * function(low + half * (nodes + 1))) * half)


def bessel_j(n, x):
    # The trapezoid rule is exact for a periodic function of fewer harmonics.
    t = (np.arange(400) + 0.5) * np.pi / 400
    return float(np.mean(np.cos(n * t - x * np.sin(t))))


def bessel_i(n, x):
    t = (np.arange(800) + 0.5) * np.pi / 800
    with localcontext() as context:
        context.prec = 40
        scaled = Decimal(float(np.mean(np.exp(abs(x) * (np.cos(t) - 1)) * np.cos(n * t))))
        return math.copysign(float(scaled * Decimal(abs(x)).exp()), x if n else 1)


def bessel_y(n, x):
    if x == 0:
        return -math.inf
    reach = math.asinh(745 / x)
    tail = lambda t: (np.exp(n * t) + (-1) ** n * np.exp(-n * t)) * np.exp(-x * np.sinh(t))
    return (quadrature(lambda t: np.sin(x * np.sin(t) - n * t), 0, np.pi) - quadrature(tail, 0, reach)) / math.pi


@each(n=(0, 1), dtype=("fp32", "fp64"))
def modified_bessel(c, n, dtype):
    top = 80 if dtype == "fp32" else 600
    values = np.concatenate([c.rng.uniform(-30, 30, 150), c.rng.uniform(-top, top, 100), [18.0, 17.999]])
    # The integrand of order 1 changes sign: its mean is good to 1e-15 of the largest.
    check(c, f"cyl_bessel_i{n}", dtype, values[np.abs(values) > 0.5], lambda x: bessel_i(n, x), 24)


@each(n=(0, 1), kind=("j", "y"), dtype=("fp32", "fp64"))
def bessel(c, n, kind, dtype):
    low = -60 if kind == "j" else 0.2
    values = np.concatenate([c.rng.uniform(low, 60, 250), [1.0, 24.999, 25.0, 25.001]])
    function = bessel_j if kind == "j" else bessel_y
    check(c, kind + str(n), dtype, values, lambda x: function(n, x), 4, absolute=5e-14 if kind == "y" else 4e-15)  # the quadrature's


@each(n=(0, 1), kind=("j", "y"), dtype=("fp32", "fp64"))
def bessel_edges(c, n, kind, dtype):
    tiny = 1e-12
    euler = 0.57721566490153286
    wanted = {"j0": (1, 1, 0, math.nan), "j1": (0, tiny / 2, 0, math.nan),
              "y0": (-math.inf, 2 / math.pi * (math.log(tiny / 2) + euler), 0, math.nan),
              "y1": (-math.inf, -2 / (math.pi * tiny), 0, math.nan)}[kind + str(n)]
    answers = iter(wanted)
    check(c, kind + str(n), dtype, [0.0, tiny, math.inf, math.nan], lambda v: next(answers), 4)
