#!/usr/bin/env python3
"""Computes the polynomials of Math.cpp and writes MathCoefficients.h.

    python3 MathCoefficients.py > MathCoefficients.h      (needs mpmath)

Each polynomial minimises the largest weighted error over an interval (Remez's
exchange algorithm in 60 digits). Coefficients are then rounded to the target
format one at a time, lowest degree first, and the others fitted again, so that
the rounding of the largest is made up for by the others.
"""
import sys
from mpmath import mp, mpf, matrix, lu_solve, exp, log, sin, cos, tan, atan, asin, erf, erfc, sqrt, pi, chop, frexp, ldexp, nint

mp.dps = 60


def rounded(value, bits):
    """The nearest number with a mantissa of `bits` bits."""
    if value == 0:
        return mpf(0)
    mantissa, exponent = frexp(value)
    return ldexp(nint(ldexp(mantissa, bits)), exponent - bits)


def horner(coefficients, x):
    result = mpf(0)
    for c in reversed(coefficients):
        result = result * x + c
    return result


def fit(f, weight, low, high, powers, fixed):
    """Minimax weights of x**p for p in powers, given fixed (power -> value)."""
    n = len(powers)
    nodes = [low + (high - low) * (1 - cos(pi * i / n)) / 2 for i in range(n + 1)]
    grid = [low + (high - low) * (1 - cos(pi * i / (24 * n))) / 2 for i in range(24 * n + 1)]

    def rest(x):
        return f(x) - sum(c * x ** p for p, c in fixed.items())

    samples = [(x, rest(x), weight(x)) for x in grid]
    for _ in range(12):
        rows = matrix(n + 1, n + 1)
        right = matrix(n + 1, 1)
        for i, x in enumerate(nodes):
            for j, p in enumerate(powers):
                rows[i, j] = x ** p
            rows[i, n] = (-1) ** i / weight(x)
            right[i] = rest(x)
        solution = lu_solve(rows, right)
        values = [solution[j] for j in range(n)]
        error = lambda x, r, w: w * (sum(c * x ** p for c, p in zip(values, powers)) - r)
        # The extremum of each run of equal sign.
        errors = [(x, error(x, r, w)) for x, r, w in samples]
        extrema, best = [], None
        for x, e in errors:
            if best is not None and (e > 0) != (best[1] > 0):
                extrema.append(best)
                best = None
            if best is None or abs(e) > abs(best[1]):
                best = (x, e)
        extrema.append(best)
        while len(extrema) > n + 1:
            extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
        if len(extrema) < n + 1:
            break
        largest = max(abs(e) for _, e in extrema)
        smallest = min(abs(e) for _, e in extrema)
        nodes = [x for x, _ in extrema]
        if largest - smallest < largest / 1000:
            break
    return values, max(abs(e) for _, e in errors)


def refit(f, weight, low, high, powers, fixed):
    """The same by Lawson's reweighted least squares, which also converges where
    the powers all vanish inside the interval and exchange does not."""
    n = len(powers)
    grid = [low + (high - low) * (1 - cos(pi * (2 * i + 1) / (12 * n))) / 2 for i in range(6 * n)]
    basis = [[weight(x) * x ** p for p in powers] for x in grid]
    target = [weight(x) * (f(x) - sum(c * x ** p for p, c in fixed.items())) for x in grid]
    emphasis = [mpf(1)] * len(grid)
    for _ in range(8):
        rows, right = matrix(n, n), matrix(n, 1)
        for line, t, e in zip(basis, target, emphasis):
            for i in range(n):
                scaled = line[i] * e
                right[i] += scaled * t
                for j in range(i, n):
                    rows[i, j] += scaled * line[j]
        for i in range(n):
            for j in range(i):
                rows[i, j] = rows[j, i]
        solution = lu_solve(rows, right)
        errors = [abs(sum(c * v for c, v in zip(solution, line)) - t) for line, t in zip(basis, target)]
        total = sum(e * w for e, w in zip(errors, emphasis))
        emphasis = [e * w / total * len(grid) for e, w in zip(errors, emphasis)]
    return [solution[i] for i in range(n)]


def minimax(f, weight, low, high, degree, bits):
    low, high = mpf(low), mpf(high)
    values, _ = fit(f, weight, low, high, list(range(degree + 1)), {})
    fixed = {}
    for power in range(degree + 1):
        if 0 < power <= 2 and degree - power >= 2:
            values = refit(f, weight, low, high, list(range(power, degree + 1)), fixed)
        fixed[power] = rounded(values[0], bits)
        values = values[1:]
    coefficients = [fixed[p] for p in range(degree + 1)]
    worst = mpf(0)
    for i in range(2001):
        x = low + (high - low) * i / 2000
        worst = max(worst, abs(weight(x) * (horner(coefficients, x) - f(x))))
    return coefficients, worst


def series_safe(f, at_zero):
    """f, with its limit where the formula is 0 / 0."""
    return lambda x: at_zero if abs(x) < mpf(10) ** -20 else f(x)


ROOT_HALF = sqrt(mpf(1) / 2)
LN2 = log(mpf(2))


def tasks():
    def both(name, f, weight, low, high, degree32, degree64):
        return [(name + "F32", f, weight, low, high, degree32, 24), (name + "F64", f, weight, low, high, degree64, 53)]

    tiny = mpf(10) ** -18
    out = []
    # 2^x = 1 + x p(x)
    out += both("Exp2", series_safe(lambda x: (2 ** x - 1) / x, LN2), lambda x: max(abs(x), tiny) / 2 ** x,
                mpf(-1) / 2, mpf(1) / 2, 5, 11)
    # e^x = 1 + x + x^2 p(x), relative to e^x - 1
    half = LN2 / 2 * (1 + mpf(2) ** -10)
    out += both("Expm1", series_safe(lambda x: (exp(x) - 1 - x) / x ** 2, mpf(1) / 2),
                lambda x: x ** 2 / abs(exp(x) - 1) if abs(x) > tiny else tiny, -half, half, 5, 11)
    # log(1 + x) = x - x^2 / 2 + x^3 p(x)
    out += [("LogF32", series_safe(lambda x: (log(1 + x) - x + x ** 2 / 2) / x ** 3, mpf(1) / 3),
             lambda x: abs(x ** 3 / log(1 + x)) if abs(x) > tiny else tiny ** 2, ROOT_HALF - 1, 1 / ROOT_HALF - 1, 8, 24)]
    # log((1 + s) / (1 - s)) = 2 s + s^3 p(s^2), s up to (sqrt 2 - 1) / (sqrt 2 + 1)
    smax = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)

    def atanh_tail(u):
        if u < mpf(10) ** -12:
            return mpf(2) / 3 + 2 * u / 5 + 2 * u ** 2 / 7
        s = sqrt(u)
        return (log((1 + s) / (1 - s)) - 2 * s) / s ** 3

    out += both("Atanh", atanh_tail, lambda u: max(u, tiny) / 2, mpf(0), smax ** 2, 3, 7)

    # The same without its first term: p(u) = 2/3 + u q(u), for pow.
    def atanh_tail2(u):
        if u < mpf(10) ** -8:
            return mpf(2) / 5 + 2 * u / 7 + 2 * u ** 2 / 9 + 2 * u ** 3 / 11
        return (atanh_tail(u) - mpf(2) / 3) / u

    out += both("AtanhTail", atanh_tail2, lambda u: max(u, tiny) ** 2 / 2, mpf(0), smax ** 2, 4, 9)
    # sin x = x + x^3 p(x^2); cos x = 1 - x^2 / 2 + x^4 p(x^2)
    quarter = (pi / 4 * (1 + mpf(2) ** -10)) ** 2
    small = mpf(10) ** -10

    def sin_tail(u):
        if u < small:
            return -mpf(1) / 6 + u / 120 - u ** 2 / 5040
        x = sqrt(u)
        return (sin(x) - x) / x ** 3

    def cos_tail(u):
        if u < small:
            return mpf(1) / 24 - u / 720 + u ** 2 / 40320
        return (cos(sqrt(u)) - 1 + u / 2) / u ** 2

    def tan_tail(u):
        if u < small:
            return mpf(1) / 3 + 2 * u / 15 + 17 * u ** 2 / 315
        x = sqrt(u)
        return (tan(x) - x) / x ** 3

    out += both("Sin", sin_tail, lambda u: max(u, tiny), mpf(0), quarter, 3, 6)
    out += both("Cos", cos_tail, lambda u: max(u, tiny) ** 2, mpf(0), quarter, 2, 5)
    out += both("Tan", tan_tail, lambda u: max(u, tiny), mpf(0), quarter, 6, 15)

    # atan x = x + x^3 p(x^2), x up to tan(pi / 8)
    def atan_tail(u):
        if u < small:
            return -mpf(1) / 3 + u / 5 - u ** 2 / 7
        x = sqrt(u)
        return (atan(x) - x) / x ** 3

    out += both("Atan", atan_tail, lambda u: max(u, tiny), mpf(0), (sqrt(mpf(2)) - 1) ** 2 * (1 + mpf(2) ** -10), 5, 12)

    # asin x = x + x^3 p(x^2), x up to 1/2
    def asin_tail(u):
        if u < small:
            return mpf(1) / 6 + 3 * u / 40 + 15 * u ** 2 / 336
        x = sqrt(u)
        return (asin(x) - x) / x ** 3

    out += both("Asin", asin_tail, lambda u: max(u, tiny), mpf(0), mpf(1) / 4, 5, 13)

    # erf x = x + x p(x^2), x up to 1
    def erf_tail(u):
        if u < small ** 2:
            return 2 / sqrt(pi) * (1 - u / 3) - 1
        x = sqrt(u)
        return erf(x) / x - 1

    out += both("Erf", erf_tail, lambda u: 1 / (1 + erf_tail(u)), mpf(0), mpf(1), 7, 13)

    # erfc x = exp(-x^2) p(t) / (1 + 2 x), t = (x - 4) / (x + 4), x from 1/2 on
    def erfcx(t):
        x = 4 * (1 + t) / (1 - t)
        if x > 60:
            v = 1 / (2 * x * x)
            s, term = mpf(0), mpf(1)
            for k in range(1, 40):
                s += term
                term *= -(2 * k - 1) * v
            return s / (x * sqrt(pi)) * (1 + 2 * x)
        return exp(x * x) * erfc(x) * (1 + 2 * x)

    out += [("ErfcF32", erfcx, lambda t: 1 / erfcx(t), mpf(-7) / 9, mpf("0.5"), 10, 24),
            ("ErfcF64", erfcx, lambda t: 1 / erfcx(t), mpf(-7) / 9, mpf("0.76"), 23, 53)]
    # erf x = 1 - 2^p(x), x from 1 to 4, where 2^x is an instruction; the error is erf's own
    out += [("ErfTailF32", lambda x: log(erfc(x), 2), lambda x: erfc(x) * LN2, mpf(1), mpf(4), 6, 24)]
    return out


def hexadecimal(value):
    return float(value).hex()


def main():
    print("//===- MathCoefficients.h - Minimax polynomials, lowest degree first -----===//")
    print("//")
    print("// Written by MathCoefficients.py, which says what each one approximates. The")
    print("// number beside each is its largest error relative to the function.")
    print("//")
    print("//===----------------------------------------------------------------------===//")
    print()
    print("#ifndef NEREID_COMPILER_TARGET_MATHCOEFFICIENTS_H")
    print("#define NEREID_COMPILER_TARGET_MATHCOEFFICIENTS_H")
    print()
    print("namespace nereid::coefficients {")
    only = sys.argv[1:]
    for name, f, weight, low, high, degree, bits in tasks():
        if only and name not in only:
            continue
        coefficients, worst = minimax(f, weight, low, high, degree, bits)
        exponent = mp.nstr(log(worst, 2), 4)
        print(f"\n// 2^{exponent}")
        print(f"constexpr double k{name}[] = {{")
        for c in coefficients:
            print(f"    {hexadecimal(c)},")
        print("};")
        sys.stdout.flush()
    print("\n} // namespace nereid::coefficients")
    print("\n#endif // NEREID_COMPILER_TARGET_MATHCOEFFICIENTS_H")


if __name__ == "__main__":
    main()
