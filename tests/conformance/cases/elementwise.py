# Operators against numpy's, with Triton's own rules for division, shifts and meeting types.
from harness import *

BLOCK = 256


def result_type(op, dtype):
    """The type of an operation on two tensors of one type."""
    if op == "/":
        return dtype if dtype in ("fp32", "fp64") else "fp32"
    if op == "%" and dtype in ("fp16", "bf16"):
        return "fp32"
    if op in ("maximum", "minimum") and dtype == "bf16":
        return "fp32"
    return dtype


def truncated(x, y):
    """Quotient and remainder of integers as C has them, whatever the width."""
    x, y = x.astype(object), y.astype(object)
    quotient = np.frompyfunc(lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1), 2, 1)(x, y)
    return quotient, x - quotient * y


def wrap(values, dtype):
    """Python integers into a type's storage, modulo its width."""
    bits = np.dtype(STORAGE[dtype]).itemsize * 8
    kept = np.frompyfunc(lambda v: v & ((1 << bits) - 1), 1, 1)(values)
    return kept.astype(np.uint64).astype(STORAGE[dtype])


@each(dtype=SIGNED + UNSIGNED, op=("+", "-", "*", "//", "%", "&", "|", "^", "<<", ">>", "maximum", "minimum"),
      n=(333,), random=dict(n=sizes(1, 3000)))
def integers(c, dtype, op, n):
    x, y = c.integers(dtype, n), c.integers(dtype, n)
    bits = np.dtype(STORAGE[dtype]).itemsize * 8
    if op in ("<<", ">>"):
        y = c.integers(dtype, n, 0, bits - 1)
    elif op in ("//", "%"):
        values = y.value.copy()
        values[values == 0] = 3
        if dtype[0] == "i":  # least / -1 overflows, which is undefined
            values[(values == -1) & (x.value == np.iinfo(STORAGE[dtype]).min)] = 5
        y = c.tensor(dtype, values)
    out = c.empty(dtype, n)
    c.launch("binary", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(OP=op, BLOCK=BLOCK), grid=(cdiv(n, BLOCK),))
    a, b = x.value.astype(object), y.value.astype(object)
    exact = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "&": lambda: a & b, "|": lambda: a | b,
             "^": lambda: a ^ b, "<<": lambda: a << b, ">>": lambda: a >> b, "//": lambda: truncated(a, b)[0],
             "%": lambda: truncated(a, b)[1], "maximum": lambda: np.maximum(a, b),
             "minimum": lambda: np.minimum(a, b)}[op]()
    c.expect(out, wrap(exact, dtype))


@each(dtype=("i32", "u32", "i64", "u64"), n=(100,))
def umulhi(c, dtype, n):
    x, y, out = c.integers(dtype, n), c.integers(dtype, n), c.empty(dtype, n)
    c.launch("binary", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(OP="umulhi", BLOCK=BLOCK), grid=(1,))
    bits = np.dtype(STORAGE[dtype]).itemsize * 8
    unsigned = [t.value.view(STORAGE["u" + dtype[1:]]).astype(object) for t in (x, y)]
    c.expect(out, wrap((unsigned[0] * unsigned[1]) >> bits, dtype))


@each(dtype=FLOATS + ("fp64",), op=("+", "-", "*", "/", "%", "maximum", "minimum"), n=(333,),
      random=dict(n=sizes(1, 3000)))
def floats(c, dtype, op, n):
    x, y = c.normal(dtype, n, scale=3.0), c.normal(dtype, n, scale=3.0)
    if op in ("/", "%"):  # keep away from 0, where fp16 overflows
        y = c.tensor(dtype, np.copysign(np.abs(y.value) + 0.25, y.value))
    kind = result_type(op, dtype)
    out = c.empty(kind, n)
    c.launch("binary", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(OP=op, BLOCK=BLOCK), grid=(cdiv(n, BLOCK),))
    exact = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.fmod, "maximum": np.maximum,
             "minimum": np.minimum}[op](x.value, y.value)
    # One rounding (for fp16 and bf16 perhaps by way of fp32). `/` on fp32 may be an approximate division: 2 ulp. fmod
    # and the extremes are exact.
    steps = {"/": 4, "%": 0, "maximum": 0, "minimum": 0}.get(op, 2)
    c.expect(out, exact, steps * rounding(kind, exact))


@each(dtype=SIGNED + UNSIGNED + FLOATS + ("fp64", "i1"), n=(77,))
def compare(c, dtype, n):
    if is_float(dtype):
        values = [c.rng.integers(-3, 4, n).astype(float) for _ in range(2)]
        values[0][::7], values[1][::5] = np.nan, np.nan
        values[0][3::11] = -0.0
        x, y = (c.tensor(dtype, v) for v in values)
    else:
        x, y = c.integers(dtype, n), c.integers(dtype, n)
        y = c.tensor(dtype, np.where(np.arange(n) % 3 == 0, x.value, y.value))
    names = ("lt", "le", "gt", "ge", "eq", "ne")
    outs = [c.empty("i8", n) for _ in names]
    c.launch("compare", x_ptr=x, y_ptr=y, **{f"{name}_ptr": out for name, out in zip(names, outs)}, n=n,
             const=dict(BLOCK=128), grid=(1,))
    a, b = x.value, y.value
    for out, exact in zip(outs, (a < b, a <= b, a > b, a >= b, a == b, a != b)):
        c.expect(out, exact.astype(np.int8))


@each(dtype=SIGNED + UNSIGNED + FLOATS + ("fp64",), n=(77,))
def unary(c, dtype, n):
    x = c.normal(dtype, n) if is_float(dtype) else c.integers(dtype, n)
    integer = not is_float(dtype)
    negative, inverse, magnitude = c.empty(dtype, n), c.empty(dtype, n), c.empty(dtype, n)
    c.launch("unary", x_ptr=x, neg_ptr=negative, inv_ptr=inverse, abs_ptr=magnitude, n=n,
             const=dict(BLOCK=128, INTEGER=integer), grid=(1,))
    if integer:
        with np.errstate(over="ignore"):
            c.expect(negative, wrap(0 - x.value.astype(object), dtype))
            c.expect(magnitude, wrap(abs(x.value.astype(object)), dtype))
        c.expect(inverse, ~x.value)
    else:
        c.expect(negative, -x.value)
        c.expect(magnitude, np.abs(x.value))
        c.expect(inverse, 0, written=False)


@each(dtype=SIGNED + UNSIGNED + FLOATS + ("fp64",), n=(77,))
def literals(c, dtype, n):
    x = c.tensor(dtype, c.rng.integers(1, 20, n))
    out = c.empty(dtype, n)
    c.launch("literals", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=128), grid=(1,))
    c.expect(out, 3 + x.value * 2 - 1)


@each(n=(77,))
def logic(c, n):
    x, y, out = c.integers("i32", n, -1, 1), c.integers("i32", n, -1, 1), c.empty("i32", n)
    c.launch("logic", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(BLOCK=128), grid=(1,))
    a, b = x.value != 0, y.value > 0
    c.expect(out, (a & b) * 1 + (a | b) * 2 + (a ^ b) * 4 + ~(a | b) * 8)


@each(dtype=("i8", "u16", "i64", "fp32", "fp16", "bf16", "fp64"), n=(77,))
def select(c, dtype, n):
    condition, x, y, out = c.integers("i1", n), c.any(dtype, n), c.any(dtype, n), c.empty(dtype, n)
    c.launch("select", c_ptr=condition, x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(BLOCK=128), grid=(1,))
    c.expect(out, np.where(condition.value != 0, x.value, y.value))


@each(dtype=("i32", "fp32"), shape=((5, 9), (33, 70)), random=dict(shape=lambda rng: (sizes(1, 90)(rng),
                                                                                    sizes(1, 90)(rng))))
def outer(c, dtype, shape):
    m, n = shape
    x, y = c.any(dtype, m), c.any(dtype, n)
    out = c.empty(dtype, shape, strides=(n + 3, 1))
    c.launch("outer", x_ptr=x, y_ptr=y, out_ptr=out, m=m, n=n, stride=n + 3, const=dict(BM=16, BN=32),
             grid=(cdiv(m, 16), cdiv(n, 32)))
    exact = x.value[:, None] * y.value[None, :] + (np.arange(m)[:, None] - np.arange(n)[None, :])
    product = np.abs(x.value[:, None] * y.value[None, :])
    c.expect(out, exact, gamma(2) * (product + np.abs(exact)) if is_float(dtype) else 0)


@each(a=(-7, 7, 100, -2147483000), b=(3, -3, 100))
def scalars(c, a, b):
    out = c.empty("i32", 10)
    c.launch("scalars", out_ptr=out, a=a, b=b, f=0.5, grid=(2, 3, 4))
    quotient, rest = truncated(np.array([a]), np.array([b]))
    ceiling = truncated(np.array([a + (b - 1)]), np.array([b]))[0][0]
    exact = [a + b, quotient[0], rest[0], a >> 2, ceiling, min(a, b), max(a, b, 7),
             int(np.float32(a) * np.float32(0.5)), int(a < b), 234]
    c.expect(out, wrap(np.array(exact, dtype=object), "i32"))


@each(dtype=("fp32", "fp16", "fp64"), n=(77,))
def clamp(c, dtype, n):
    x, out = c.normal(dtype, n, scale=2.0), c.empty(dtype if dtype != "fp16" else "fp32", n)
    c.launch("clamp", x_ptr=x, out_ptr=out, lo=-0.5, hi=1.25, n=n, const=dict(BLOCK=128), grid=(1,))
    c.expect(out, np.clip(x.value, -0.5, 1.25))


@each(dtype=("fp32", "fp64", "fp16"))
def nan_aware(c, dtype):
    special = [0.0, 1.0, -1.0, np.nan, np.inf, -np.inf]
    pairs = np.array([(a, b) for a in special for b in special])
    n = len(pairs)
    x, y = c.tensor(dtype, pairs[:, 0]), c.tensor(dtype, pairs[:, 1])
    outs = [c.empty(dtype, n) for _ in range(4)]
    c.launch("nan_aware", x_ptr=x, y_ptr=y, skip_max_ptr=outs[0], skip_min_ptr=outs[1], all_max_ptr=outs[2],
             all_min_ptr=outs[3], n=n, const=dict(BLOCK=64), grid=(1,))
    for out, function in zip(outs, (np.fmax, np.fmin, np.maximum, np.minimum)):
        c.expect(out, function(x.value, y.value))


ALL = ("i1", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "fp16", "bf16", "fp32", "fp64")


def meeting_type(a, b, division):
    """The type two tensors meet in, rules 1 to 9; None where that is an error."""
    width = {name: 1 if name == "i1" else int(name.lstrip("iubfp")) for name in ALL}
    signed = {name: name[0] == "i" and name != "i1" for name in ALL}
    pair = (a, b)
    if "fp64" in pair:
        return "fp64"
    if division and (is_float(a) or is_float(b)):
        return "fp32"
    if "fp32" in pair:
        return "fp32"
    if "fp16" in pair:
        return "fp16"
    if "bf16" in pair:
        return "bf16" if a == b else "fp32"
    if division:
        return "fp32" if signed[a] == signed[b] else None
    if signed[a] == signed[b]:
        return a if width[a] >= width[b] else b
    unsigned, other = (b, a) if signed[a] else (a, b)
    return unsigned if width[unsigned] >= width[other] else other


@each(left=ALL, op=("+", "/", "where"))
def meet(c, left, op):
    n = 37

    def operand(dtype):
        if dtype == "i1":
            return c.tensor("i1", np.ones(n) if op == "/" else c.rng.integers(0, 2, n))
        return c.tensor(dtype, c.rng.integers(1, 12, n))

    x = operand(left)
    rights = {name: operand(name) for name in ALL}
    kinds = {name: meeting_type(left, name, op == "/") for name in ALL}
    # Where the pair is an error, the slot is given a pair that is not: a float on the right.
    for name, kind in kinds.items():
        if kind is None:
            rights[name], kinds[name] = operand("fp32"), "fp32"
    outs = {name: c.empty(kind, n) for name, kind in kinds.items()}
    c.launch("meet", x_ptr=x, **rights, **{f"o_{name}": out for name, out in outs.items()}, n=n,
             const=dict(OP=op, BLOCK=64), grid=(1,))
    for name, out in outs.items():
        a, b = x.value.astype(np.float64), rights[name].value.astype(np.float64)
        if op == "+":
            exact = a + b
            if kinds[name] == "i1":
                exact = (a + b) % 2  # one bit wide
        elif op == "/":
            exact = a / b
        else:
            exact = np.where(np.arange(n) % 2 == 0, a, b)
        c.expect(out, exact, 4 * rounding(kinds[name], exact) if op == "/" else 0)


@each(width=(4, 64))
def row_quotients(c, width):
    tiny, huge = 2.0**-149, 2.0**127
    below = np.array([1, 3, -7, 0.1, 2.0**-126, 1.7 * 2.0**-127, 5 * tiny, tiny, 2.0**126, 1.3 * 2.0**126, -1.9 * huge,
                      np.inf, -np.inf, 0.0, -0.0, np.nan])
    above = np.concatenate([[0.0, -0.0, np.inf, np.nan], c.rng.standard_normal(width - 4) * np.exp2(
        c.rng.integers(-140, 120, width - 4))])
    x, d = c.tensor("fp32", np.tile(above, (len(below), 1))), c.tensor("fp32", below)
    out = c.empty("fp32", (len(below), width))
    c.launch("row_quotients", x_ptr=x, d_ptr=d, out_ptr=out, const=dict(BM=len(below), BN=width), grid=(1,))
    with np.errstate(all="ignore"):
        exact = x.value / d.value[:, None]
        exact = np.where(np.abs(exact) >= 2.0**128, np.copysign(np.inf, exact), exact)
    c.expect(out, exact, 4 * rounding("fp32", exact))


@each(base=(0, 2**31 - 100, 2**31 - 64, -2**31), bound=(0, 100, 2**31 - 50, -2**31 + 30), keeps=(True, False))
def masked_blocks(c, base, bound, keeps):
    rows, block, cols = 32, 64, 192
    x, out = c.tensor("fp32", c.rng.integers(-100, 100, (rows, cols))), c.empty("fp32", (rows, block))
    c.launch("masked_blocks", x_ptr=x, out_ptr=out, base=base, bound=bound, cols=cols,
             const=dict(KEEPS=keeps, BM=rows, BN=block), grid=(1,))
    column = (base + np.arange(cols) + 2**31) % 2**32 - 2**31
    c.expect(out, np.where(column < bound, x.value, -1.0).reshape(rows, 3, block).sum(axis=1))
