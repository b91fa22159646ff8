# Reductions against numpy's, with Triton's result types and NaN rules.
from harness import *

OPS = ("sum", "max", "min", "argmax", "argmin")


def other_value(op, dtype):
    """What does not change the result."""
    if op == "sum" or op == "xor_sum":
        return 0.0 if is_float(dtype) else 0
    low = op in ("max", "argmax")
    if is_float(dtype):
        return -3.0e4 if low else 3.0e4  # representable everywhere
    info = np.iinfo(STORAGE[dtype])
    return int(info.min if low else info.max)


def result_type(op, dtype):
    """R10: what reductions widen to."""
    if op.startswith("arg"):
        return "i32"
    narrow = int(dtype.lstrip("iubfp")) < 32
    if op == "sum":
        return dtype if is_float(dtype) or not narrow else ("u32" if dtype[0] == "u" else "i32")
    if op == "xor_sum" or not narrow:
        return dtype
    return "fp32" if is_float(dtype) else "i32"


def reduced(op, values, axis):
    return {"sum": np.sum, "max": np.max, "min": np.min, "argmax": np.argmax, "argmin": np.argmin,
            "xor_sum": np.bitwise_xor.reduce}[op](values, axis=axis)


def sum_bound(dtype, values, axis):
    """One rounding per addition in the accumulating type."""
    count = values.shape[axis]
    return gamma(count + 1, dtype) * np.abs(values).sum(axis=axis) if count * unit(dtype) < 0.5 else np.inf


@each(op=OPS, dtype=FLOATS + ("fp64",) + INTEGERS, shape=((5, 50), (37, 129)),
      random=dict(shape=lambda rng: (sizes(1, 100)(rng), sizes(1, 256)(rng))))
def rows(c, op, dtype, shape):
    m, n = shape
    if op == "sum" and dtype in ("fp16", "bf16"):
        n = min(n, 50)  # summed in their own type: short enough for a bound that says something
    x = c.any(dtype, (m, n), strides=(n + 5, 1))
    kind = result_type(op, dtype)
    out = c.empty(kind, m)
    c.launch("reduce_rows", x_ptr=x, out_ptr=out, rows=m, cols=n, stride=n + 5,
             const=dict(OP=op, OTHER=other_value(op, dtype), BM=16, BN=256), grid=(cdiv(m, 16),))
    values = x.value if is_float(dtype) else x.value.astype(np.int64)
    exact = reduced(op, values, 1)
    bound = 0
    if op == "sum" and is_float(dtype):
        bound = stored(kind, exact, sum_bound(dtype, values, 1))
    c.expect(out, exact if is_float(kind) else np.asarray(exact).astype(STORAGE[kind]), bound)


@each(dtype=("i32", "u32", "i64"), shape=((9, 100),))
def xor_rows(c, dtype, shape):
    m, n = shape
    x, out = c.integers(dtype, shape), c.empty(dtype, m)
    c.launch("reduce_rows", x_ptr=x, out_ptr=out, rows=m, cols=n, stride=n,
             const=dict(OP="xor_sum", OTHER=0, BM=16, BN=128), grid=(1,))
    c.expect(out, np.bitwise_xor.reduce(x.value, axis=1))


@each(op=("sum", "max", "min"), dtype=("fp32", "fp64", "i32", "i8"), shape=((3, 70), (60, 33)),
      random=dict(shape=lambda rng: (sizes(1, 64)(rng), sizes(1, 150)(rng))))
def columns(c, op, dtype, shape):
    m, n = shape
    x = c.any(dtype, shape)
    kind = result_type(op, dtype)
    out = c.empty(kind, n)
    c.launch("reduce_columns", x_ptr=x, out_ptr=out, rows=m, cols=n,
             const=dict(OP=op, OTHER=other_value(op, dtype), BM=64, BN=32), grid=(cdiv(n, 32),))
    values = x.value if is_float(dtype) else x.value.astype(np.int64)
    exact = reduced(op, values, 0)
    bound = stored(kind, exact, sum_bound(dtype, values, 0)) if op == "sum" and is_float(dtype) else 0
    c.expect(out, exact, bound)


@each(dtype=FLOATS, n=(1, 1000, 5000), random=dict(n=sizes(1, 9000)))
def all(c, dtype, n):
    x, out = c.normal(dtype, n), c.empty("fp32", 2)
    c.launch("reduce_all", x_ptr=x, out_ptr=out, n=n, const=dict(OP="", BM=8, BN=64), grid=(1,))
    total = (x.value**2).sum()
    padded = np.append(x.value, 0.0) if n % 512 else x.value
    c.expect(out, [total, padded.max()], [stored("fp32", total, gamma(n + 2) * total), 0])


@each(dtype=("fp32", "i32"), shape=((4, 8, 16), (16, 2, 4), (2, 32, 1)))
def three_dimensions(c, dtype, shape):
    a, b, d = shape
    x = c.any(dtype, shape)
    outs = [c.empty(dtype, s) for s in ((b, d), (a, d), (a, b))]
    c.launch("reduce_3d", x_ptr=x, out0_ptr=outs[0], out1_ptr=outs[1], out2_ptr=outs[2], const=dict(A=a, B=b, C=d),
             grid=(1,))
    for out, op, axis in zip(outs, ("sum", "max", "sum"), (0, 1, 2)):
        exact = reduced(op, x.value, axis)
        c.expect(out, exact, sum_bound(dtype, x.value, axis) if op == "sum" and dtype == "fp32" else 0)


@each(left=(True, False), cols=(5, 64, 100))
def with_indices(c, left, cols):
    rows = 7
    x = c.tensor("fp32", c.rng.integers(-4, 5, (rows, cols)) if left else c.rng.permutation(rows * cols).reshape(
        rows, cols))  # ties only where the leftmost is asked for
    outs = [c.empty(t, rows) for t in ("fp32", "i32", "fp32", "i32")]
    c.launch("with_indices", x_ptr=x, max_ptr=outs[0], where_ptr=outs[1], min_ptr=outs[2], where_min_ptr=outs[3],
             cols=cols, const=dict(BN=128, LEFT=left), grid=(rows,))
    for out, function in zip(outs, (np.max, np.argmax, np.min, np.argmin)):
        c.expect(out, function(x.value, axis=1))


@each(op=("max", "min", "argmax", "argmin"))
def nan_is_skipped(c, op):
    values = c.rng.standard_normal((6, 40))
    values[0, 0] = values[1, -1] = values[2, 17] = np.nan
    values[3, ::2] = np.nan
    x = c.tensor("fp32", values)
    out = c.empty("i32" if op.startswith("arg") else "fp32", 6)
    c.launch("reduce_rows", x_ptr=x, out_ptr=out, rows=6, cols=40, stride=40,
             const=dict(OP=op, OTHER=other_value(op, "fp32"), BM=16, BN=64), grid=(1,))
    exact = {"max": np.nanmax, "min": np.nanmin, "argmax": np.nanargmax, "argmin": np.nanargmin}[op](x.value, axis=1)
    c.expect(out, exact)


@each(cols=(1, 30, 64))
def product(c, cols):
    x, out = c.uniform("fp32", (5, cols), 0.5, 1.5), c.empty("fp32", 5)
    c.launch("product", x_ptr=x, out_ptr=out, cols=cols, const=dict(BN=64), grid=(5,))
    exact = x.value.prod(axis=1)
    c.expect(out, exact, gamma(cols) * exact + rounding("fp32", 0.0))


@each(cols=(1, 30, 100), random=dict(cols=sizes(1, 128)))
def welford(c, cols):
    x = c.normal("fp32", (5, cols), shift=3.0)
    mean, variance = c.empty("fp32", 5), c.empty("fp32", 5)
    c.launch("welford", x_ptr=x, mean_ptr=mean, var_ptr=variance, cols=cols, const=dict(BN=128), grid=(5,))
    exact = x.value.mean(axis=1)
    spread = x.value.var(axis=1)
    # A tree of 7 merges: each a handful of roundings on numbers no larger than the data.
    magnitude = np.abs(x.value).max(axis=1)
    c.expect(mean, exact, gamma(7 * 4) * magnitude)
    c.expect(variance, spread, gamma(7 * 12) * (spread + 2 * magnitude * np.sqrt(spread)) + gamma(28)**2 * magnitude**2)


@each(shape=((8, 32), (64, 16)))
def chained(c, shape):
    m, n = shape
    x, out = c.normal("fp32", shape), c.empty("fp32", n)
    c.launch("chained", x_ptr=x, out_ptr=out, const=dict(BM=m, BN=n), grid=(1,))
    row = x.value.sum(axis=1)
    exact = (x.value - row[:, None] / n).max(axis=0) - row.sum()
    error = gamma(n + 3) * np.abs(x.value).sum(axis=1)
    c.expect(out, exact, error.max() / n + gamma(3) * 10 + gamma(m * n) * np.abs(x.value).sum())


@each(mask=("none", "bound", "diagonal"), scale=(1.5, 0.0, -0.25), cols=(64, 192, 200),
      random=dict(cols=sizes(1, 300)))
def running_softmax(c, mask, scale, cols):
    rows, block = 64, 64
    if mask == "none":
        cols = -(-cols // block) * block
    # Scaled values are exact, so that only the powers and their sum are rounded.
    x = c.tensor("fp32", c.rng.integers(-512, 512, (rows, cols)) / 64)
    largest, total = c.empty("fp32", rows), c.empty("fp32", rows)
    c.launch("running_softmax", x_ptr=x, max_ptr=largest, sum_ptr=total, scale=scale, cols=cols,
             const=dict(BM=rows, BN=block, MASK=mask), grid=(1,))
    scores = x.value * scale
    if mask == "diagonal":
        scores = np.where(np.arange(rows)[:, None] >= np.arange(cols), scores, -np.inf)
    exact = scores.max(axis=1)
    powers = np.exp2(scores - exact[:, None]).sum(axis=1)
    c.expect(largest, exact)
    c.expect(total, powers, gamma(4 * cols + 8 * (cols // block + 1)) * powers)


@each(scale=(0.5, -0.5, 0.0, -0.0, 2.0**-149, 2.0**100, np.inf, -np.inf, np.nan), least=(False, True), n=(192, 150))
def scaled_maxima(c, scale, least, n):
    rows, block, cols = 32, 64, 192
    x = c.tensor("fp32", c.rng.integers(1, 16, (rows, cols)) * c.rng.choice((-2.0, 2.0), (rows, cols)))
    out = c.empty("fp32", (rows, cols))
    c.launch("scaled_maxima", x_ptr=x, out_ptr=out, scale=scale, n=n, cols=cols,
             const=dict(LEAST=least, BM=rows, BN=block), grid=(1,))
    with np.errstate(all="ignore"):
        s = np.where(np.arange(cols) < n, x.value * scale, np.inf if least else -np.inf)
        best = (np.fmin if least else np.fmax).accumulate(s.reshape(rows, -1, block), axis=1)
        best = (np.fmin if least else np.fmax).reduce(best, axis=2)
        exact = (s.reshape(rows, -1, block) - best[:, :, None]).reshape(rows, cols)
    c.expect(out, exact)
