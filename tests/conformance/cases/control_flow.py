# Control flow against the same algorithm in Python.
from harness import *


def wrap32(value):
    return (int(value) + 2**31) % 2**32 - 2**31


@each(start=(0, -5, 3), stop=(0, 1, 12), step=(1, 3), const_step=(1, 4),
      random=dict(start=lambda r: int(r.integers(-20, 20)), stop=lambda r: int(r.integers(-5, 25)),
                  step=lambda r: int(r.integers(1, 6))))
def ranges(c, start, stop, step, const_step):
    out = c.empty("i32", 6)
    c.launch("ranges", out_ptr=out, start=start, stop=stop, step=step, const=dict(STEP=const_step), grid=(1,))
    second = third = 0
    for i in range(stop):
        second = second * 3 + i
    for i in range(stop, start, -const_step):
        third = third * 2 + i
    c.expect(out, [sum(range(start, stop, step)), wrap32(second), wrap32(third),
                   sum(i * i for i in range(start, stop, const_step)), len(range(stop, start)),
                   sum(i * j for i in range(3) for j in range(i, stop))])


@each(times=(0, 1, 4, 5), n=(40,))
def unrolled(c, times, n):
    x, out = c.normal("fp32", (max(times, 1), n)), c.empty("fp32", n)
    c.launch("unrolled", x_ptr=x, out_ptr=out, n=n, const=dict(TIMES=times, BLOCK=64), grid=(1,))
    signs = np.array([1 if i % 2 == 0 else -1 for i in range(times)]).reshape(times, 1)
    exact = (x.value[:times] * signs).sum(axis=0) + sum(range(times, 0, -2))
    c.expect(out, exact, gamma(2 * times + 1) * (np.abs(x.value).sum(axis=0) + sum(range(times + 1))))


def collatz_steps(value):
    steps = 0
    while value != 1:
        value = value // 2 if value % 2 == 0 else 3 * value + 1
        steps += 1
    return steps


@each(dtype=("i32", "i64"))
def collatz(c, dtype):
    x = c.tensor(dtype, [1, 2, 3, 7, 27, 97, 871])
    out = c.empty("i32", 7)
    c.launch("collatz", x_ptr=x, steps_ptr=out, n=7, grid=(7,))
    c.expect(out, [collatz_steps(int(v)) for v in x.value])


@each(limit=(0, 3, 100), scale=(0.5, 40.0))
def while_blocks(c, limit, scale):
    n = 50
    x, out = c.normal("fp32", n, scale=scale), c.empty("fp32", n + 1)
    c.launch("while_blocks", x_ptr=x, out_ptr=out, n=n, limit=limit, const=dict(BLOCK=64), grid=(1,))
    values, rounds = x.value.copy(), 0
    while np.abs(values).max() > 1 and rounds < limit:
        values, rounds = values * 0.5, rounds + 1
    c.expect(out, np.append(values, rounds))


@each(n=(90, 700), random=dict(n=sizes(1, 2000)))
def branches(c, n):
    block = 64
    x, out = c.normal("fp32", n), c.empty("fp32", n)
    c.launch("branches", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=block), grid=(cdiv(n, block),))
    kind = np.arange(n) // block % 4
    v = x.value
    exact = np.select([kind == 0, kind == 1, kind == 2], [(v + 1) * 2, v * v * 3, -v * 0.5],
                      v - (1.0 if n > 100 else 0.0))
    c.expect(out, exact, gamma(2) * (np.abs(exact) + np.abs(v) + 2))


@each(n=(100, 1000), skip=(0, 3))
def early_return(c, n, skip):
    block = 64
    x = c.integers("i32", n, -100, 100)
    out = c.empty("i32", n)
    c.launch("early_return", x_ptr=x, out_ptr=out, n=n, skip=skip, const=dict(BLOCK=block),
             grid=(cdiv(n, block) + 3,))
    c.expect(out, x.value + 1, written=np.arange(n) // block != skip)


@each()
def returns(c):
    x = c.tensor("i32", [5, -5, 0, 2147483647, -2147483648])
    out = c.empty("i32", 5)
    c.launch("returns", x_ptr=x, out_ptr=out, grid=(5,))
    c.expect(out, [1, -1, 0, 1, -1])


@each(a=(1, 9), b=(4,), flag=(True, False), name=("relu", "gelu"))
def ternary(c, a, b, flag, name):
    out = c.empty("i32", 1)
    c.launch("ternary", out_ptr=out, a=a, b=b, const=dict(FLAG=flag, NAME=name), grid=(1,))
    c.expect(out, max(a, b) * 1000 + (100 if flag else 200) + (1 if name == "relu" else 2))


@each(bias=(True, False))
def optional(c, bias):
    x, b, out = c.normal("fp32", 30), c.normal("fp32", 30), c.empty("fp32", 30)
    c.launch("optional", x_ptr=x, bias_ptr=b, out_ptr=out, n=30, const=dict(HAS_BIAS=bias, BLOCK=32), grid=(1,))
    exact = x.value + b.value if bias else x.value
    c.expect(out, exact, rounding("fp32", exact))


@each(a=(17, -17), b=(5,))
def tuples(c, a, b):
    out = c.empty("i32", 4)
    c.launch("tuples", out_ptr=out, a=a, b=b, grid=(1,))
    quotient = int(a / b)
    rest = a - quotient * b
    c.expect(out, [rest, quotient, rest - quotient, 2])


@each(n=(0, 1, 2, 30))
def fibonacci(c, n):
    out = c.empty("i32", 1)
    c.launch("fibonacci", out_ptr=out, n=n, grid=(1,))
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    c.expect(out, a)


@each(rows=(0, 1, 9), cols=(50,), random=dict(rows=sizes(1, 40), cols=sizes(1, 64)))
def loop_of_blocks(c, rows, cols):
    x, out = c.normal("fp32", (max(rows, 1), cols)), c.empty("fp32", 2 * cols + 1)
    c.launch("loop_of_blocks", x_ptr=x, out_ptr=out, rows=rows, cols=cols, const=dict(BLOCK=64), grid=(1,))
    v = x.value[:rows]
    best = v.max(axis=0) if rows else np.full(cols, np.float32(-1.0e30))
    where = v.argmax(axis=0) if rows else np.zeros(cols)
    bound = np.append(np.zeros(2 * cols), gamma(rows * cols + rows + 1) * np.abs(v).sum())
    c.expect(out, np.concatenate([best, where, [v.sum()]]), bound)


@each()
def nested_branches(c):
    x, out = c.tensor("i32", [3, -2, 0, 5, 1, -4]), c.empty("i32", 16)
    c.launch("nested_branches", x_ptr=x, out_ptr=out, n=6, const=dict(BLOCK=16), grid=(1,))
    offs, total = np.arange(16), np.zeros(16, dtype=int)
    for value in [3, -2, 0, 5, 1, -4]:
        for j in range(max(value, 0)):
            total += offs * j + (1 if j == 2 else 0)
        total -= offs * max(-value, 0)
    c.expect(out, total)


@each()
def wide_counter(c):
    out = c.empty("i64", 1)
    start = 2**40 + 3
    c.launch("wide_counter", out_ptr=out, start=start, n=9, types=dict(start="i64"), grid=(1,))
    total = start
    for i in range(start, start + 9):
        total ^= i
    c.expect(out, total)


@each(start=(0, 2), stop=(0, 1, 5, 8), step=(1, 3), factor=(1, 2, 3, 8),
      random=dict(start=lambda r: int(r.integers(0, 9)), stop=sizes(1, 20), step=sizes(1, 4)))
def repeated(c, start, stop, step, factor):
    n = 20
    x, out = c.integers("i32", (max(stop, 1), n), -100, 100), c.empty("i32", n)
    c.launch("repeated", x_ptr=x, out_ptr=out, start=start, stop=stop, step=step, n=n,
             const=dict(FACTOR=factor, BLOCK=32), grid=(1,))
    total = np.zeros(n, np.int64)
    for i in range(start, stop, step):
        total = (total * 3 + x.value[i] + i + 2**31) % 2**32 - 2**31
    c.expect(out, total)


@each(bounds=((0, 2, 200), (0, 2, 256), (0, 0, 128), (2, 0, 130), (3, 1, 60), (1, 3, 64), (0, 3, 193), (0, 0, 0)))
def two_loops(c, bounds):
    rows, block, cols = 32, 64, 256
    first, middle, end = bounds
    x, out = c.tensor("fp32", c.rng.integers(-8, 8, (rows, cols))), c.empty("fp32", (rows, block))
    c.launch("two_loops", x_ptr=x, out_ptr=out, first=first, middle=middle, end=end, cols=cols,
             const=dict(BM=rows, BN=block), grid=(1,))
    total, count = np.zeros((rows, block)), 0
    for start in range(first * block, middle * block, block):
        total += x.value[:, start:start + block] ** 2
        count += 1
    for start in range(middle * block, end, block):
        part = x.value[:, start:start + block]
        total += part * np.where(start + np.arange(block) < end, part + count, 3)
        count += 1
    c.expect(out, total)


@each(flips=(0, 1), times=(0, 2))
def kept_in_branches(c, flips, times):
    n = 32
    x, out = c.integers("i64", (n, n), -1000, 1000), c.empty("i32", (2, n, n))
    c.launch("kept_in_branches", x_ptr=x, out_ptr=out, flips=flips, times=times, const=dict(BLOCK=n), grid=(1,))
    z = x.value.T
    c.expect(out, [x.value + (x.value[::-1] if flips else x.value), z + times * z[::-1]])
