# Functions and compile-time values.
from harness import *


@each(n=(1, 50), random=dict(n=sizes(1, 64)))
def calls(c, n):
    x, out = c.uniform("fp32", n, 0.1, 2.0), c.empty("fp32", (6, n))
    c.launch("calls", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(1,))
    v = x.value
    low = v.min() if n == 64 else 0.0  # the padding takes part
    exact = np.stack([v * v, v + 2, v + 1.5, (v - low) / (v.max() - low + 1), 3 * v + 1, v**3])
    c.expect(out, exact, gamma(6) * (np.abs(exact) + 2))


@each()
def on_target(c):
    x, out = c.tensor("fp32", np.arange(32)), c.empty("fp32", 32)
    c.launch("on_target", x_ptr=x, out_ptr=out, const=dict(BLOCK=32), grid=(1,))
    c.expect(out, x.value + (21 if c.device.startswith(("cuda", "hip")) else 3))


@each(act=("relu", "halve", ""))
def activation(c, act):
    x, out = c.normal("fp32", 30), c.empty("fp32", 30)
    c.launch("activation", x_ptr=x, out_ptr=out, n=30, const=dict(ACT=act, BLOCK=32), grid=(1,))
    c.expect(out, {"relu": np.maximum(x.value, 0), "halve": x.value / 2, "": x.value}[act])


@each(first=(1, 5, 100))
def constants(c, first):
    out = c.empty("i32", 10)
    c.launch("constants", out_ptr=out, const=dict(FIRST=first), grid=(1,))
    local = first * 2 + 3
    c.expect(out, [local, local // 2, 256, -3, first.bit_length() - 1, cdiv(first, 3) + next_power_of_2(first),
                   first**2 % 1000, 1, min(first, 7) + max(first, 3), -first // 3])


@each(dtype=("fp32", "fp16", "bf16", "i32", "i8", "u16", "fp64"))
def dtypes(c, dtype):
    x, out = c.tensor(dtype, c.rng.integers(0, 100, 30)), c.empty("fp32", 30)
    c.launch("dtypes", x_ptr=x, out_ptr=out, n=30, const=dict(BLOCK=32), grid=(1,))
    c.expect(out, (x.value / 2 if is_float(dtype) else x.value // 2) + int(dtype.lstrip("iubfp")))


@each(n=(10, 200), random=dict(n=sizes(1, 1000)))
def in_loops(c, n):
    x, out = c.normal("fp32", n), c.empty("fp32", 1)
    c.launch("in_loops", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(1,))
    c.expect(out, 2 * x.value.sum(), gamma(n + 10) * 2 * np.abs(x.value).sum())


@each(dtype=("fp32", "i32"), shape=((8, 16),))
def shape_arithmetic(c, dtype, shape):
    m, n = shape
    x, out = c.any(dtype, shape), c.empty(dtype, (m // 2, n))
    c.launch("shape_arithmetic", x_ptr=x, out_ptr=out, const=dict(M=m, N=n), grid=(1,))
    exact = x.value[::2] - x.value[1::2]
    c.expect(out, exact, rounding(dtype, exact))


@each(dtype=("fp32", "fp16"), n=(1, 200, 256), random=dict(n=sizes(1, 256)))
def meeting(c, dtype, n):
    x, scratch, out = c.any(dtype, n), c.empty(dtype, 256), c.empty(dtype, 256)
    c.launch("meeting", x_ptr=x, scratch_ptr=scratch, out_ptr=out, n=n, const=dict(BLOCK=256), grid=(1,))
    padded = np.concatenate([x.value, np.zeros(256 - n)])
    c.expect(scratch, padded)
    c.expect(out, padded[::-1])
