# Scans against serial ones.
from harness import *


def result_type(op, dtype):
    if dtype == "bf16":
        return "fp32"
    if op == "sum" and not is_float(dtype) and int(dtype.lstrip("iu")) < 32:
        return "u32" if dtype[0] == "u" else "i32"
    return dtype


@each(op=("sum", "prod"), dtype=FLOATS + ("fp64",) + INTEGERS, axis=(0, 1), reverse=(False, True), shape=((11, 29),),
      random=dict(shape=lambda rng: (sizes(1, 16)(rng), sizes(1, 32)(rng))))
def cumulative(c, op, dtype, axis, reverse, shape):
    m, n = shape
    values = c.any(dtype, shape).value
    if op == "prod":
        values = c.rng.uniform(0.7, 1.3, shape) if is_float(dtype) else c.rng.integers(0, 4, shape)
    x = c.tensor(dtype, values)
    out = c.empty(result_type(op, dtype), shape)
    c.launch("cumulative", x_ptr=x, out_ptr=out, rows=m, cols=n, const=dict(
        OP=op, AXIS=axis, REVERSE=reverse, BM=16, BN=32), grid=(1,))
    turn = (lambda a: np.flip(a, axis)) if reverse else (lambda a: a)
    v = x.value if is_float(dtype) else x.value.astype(np.int64).astype(np.uint64)
    with np.errstate(over="ignore"):
        exact = turn((np.cumsum if op == "sum" else np.cumprod)(turn(v), axis=axis))
    count = 16 if axis == 0 else 32  # masked-off lanes take part
    # fp16 may be added in its own type; bf16 in fp32.
    kind = "fp16" if dtype == "fp16" else ("fp64" if dtype == "fp64" else "fp32")
    magnitude = turn(np.cumsum(turn(np.abs(v)), axis=axis)) if op == "sum" else np.abs(exact)
    bound = stored(result_type(op, dtype), exact, gamma(count, kind) * magnitude) if is_float(dtype) else 0
    c.expect(out, exact, bound)


@each(dtype=("i32", "i64", "fp32"), n=(1, 100, 1000), random=dict(n=sizes(1, 4000)))
def running_sum(c, dtype, n):
    x, out = c.tensor(dtype, c.rng.integers(-100, 100, n)), c.empty(dtype, n)
    c.launch("running_sum", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(1,))
    c.expect(out, np.cumsum(x.value))  # integers: exact in fp32 too


@each(reverse=(False, True), n=(1, 100), random=dict(n=sizes(1, 128)))
def running_max(c, reverse, n):
    x, out = c.normal("fp32", n), c.empty("fp32", n)
    c.launch("running_max", x_ptr=x, out_ptr=out, n=n, const=dict(REVERSE=reverse, BLOCK=128), grid=(1,))
    # Reversed, the padding at the end comes first, and it is -inf.
    exact = np.maximum.accumulate(x.value[::-1])[::-1] if reverse else np.maximum.accumulate(x.value)
    c.expect(out, exact)


@each(shape=((1, 1), (30, 11), (64, 16)), random=dict(shape=lambda rng: (sizes(1, 64)(rng), sizes(1, 16)(rng))))
def recurrence(c, shape):
    m, n = shape
    a, b, out = c.uniform("fp32", shape, -1, 1), c.normal("fp32", shape), c.empty("fp32", shape)
    c.launch("recurrence", a_ptr=a, b_ptr=b, out_ptr=out, rows=m, cols=n, const=dict(BM=64, BN=16), grid=(1,))
    h, magnitude = np.zeros(n), np.zeros(n)
    exact, bound = np.zeros(shape), np.zeros(shape)
    for t in range(m):
        h = a.value[t] * h + b.value[t]
        magnitude = np.abs(a.value[t]) * magnitude + np.abs(b.value[t])
        exact[t], bound[t] = h, magnitude
    c.expect(out, exact, gamma(2 * 64) * bound + rounding("fp32", 0.0))


@each(n=(1, 90), random=dict(n=sizes(1, 128)))
def fill_forward(c, n):
    x = c.tensor("i32", c.rng.integers(-2, 3, n) * (c.rng.random(n) < 0.3))
    out = c.empty("i32", n)
    c.launch("fill_forward", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=128), grid=(1,))
    exact, last = [], 0
    for value in x.value:
        last = value if value != 0 else last
        exact.append(last)
    c.expect(out, exact)


@each(n=(1, 90), random=dict(n=sizes(1, 128)))
def compact(c, n):
    x, out, count = c.integers("i32", n, -5, 5), c.empty("i32", n), c.empty("i32", 1)
    c.launch("compact", x_ptr=x, out_ptr=out, count_ptr=count, n=n, const=dict(BLOCK=128), grid=(1,))
    kept = x.value[x.value > 0]
    c.expect(out, np.append(kept, np.zeros(n - len(kept), dtype=int)), written=np.arange(n) < len(kept))
    c.expect(count, len(kept))
