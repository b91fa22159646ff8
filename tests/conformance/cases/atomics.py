# Atomics against the serial result; floating sums within the error of any order.
from harness import *

INTEGER_OPS = {"add": np.add, "max": np.maximum, "min": np.minimum, "and": np.bitwise_and, "or": np.bitwise_or,
               "xor": np.bitwise_xor}


@each(op=tuple(INTEGER_OPS), dtype=("i32", "u32", "i64", "u64"), slots=(1, 13), n=(500,),
      random=dict(n=sizes(1, 3000)))
def integers(c, op, dtype, slots, n):
    x, index = c.integers(dtype, n), c.integers("i32", n, 0, slots - 1)
    out = c.inout(dtype, c.integers(dtype, slots).value)
    c.launch("update", x_ptr=x, index_ptr=index, out_ptr=out, n=n, const=dict(OP=op, BLOCK=64), grid=(cdiv(n, 64),))
    exact = out.value.copy()
    INTEGER_OPS[op].at(exact, index.value, x.value)
    c.expect(out, exact)


@each(dtype=("fp32", "fp64", "fp16", "bf16"), slots=(1, 13), n=(300,), random=dict(n=sizes(1, 600)))
def float_add(c, dtype, slots, n):
    narrow = dtype in ("fp16", "bf16")
    x, index = c.normal(dtype, n), c.integers("i32", n, 0, slots - 1)
    if narrow:  # small integers: every partial sum of any order is exact
        x = c.tensor(dtype, c.rng.integers(-1, 2, n) * (np.arange(n) < 120))
    out = c.inout(dtype, np.ones(slots))
    c.launch("update", x_ptr=x, index_ptr=index, out_ptr=out, n=n, const=dict(OP="add", BLOCK=64),
             grid=(cdiv(n, 64),))
    exact, magnitude = np.ones(slots), np.ones(slots)
    np.add.at(exact, index.value, x.value)
    np.add.at(magnitude, index.value, np.abs(x.value))
    c.expect(out, exact, 0 if narrow else gamma(n + 1, dtype) * magnitude)


@each(op=("max", "min"), dtype=("fp32", "fp64"), slots=(1, 13), n=(300,))
def float_extremes(c, op, dtype, slots, n):
    x, index = c.normal(dtype, n), c.integers("i32", n, 0, slots - 1)
    out = c.inout(dtype, np.zeros(slots))
    c.launch("update", x_ptr=x, index_ptr=index, out_ptr=out, n=n, const=dict(OP=op, BLOCK=64), grid=(cdiv(n, 64),))
    exact = np.zeros(slots)
    (np.maximum if op == "max" else np.minimum).at(exact, index.value, x.value)
    c.expect(out, exact)


@each(sem=("acquire", "release", "acq_rel", "relaxed"), scope=("gpu", "cta", "sys"))
def ordered(c, sem, scope):
    out = c.inout("i32", np.arange(50))
    c.launch("ordered", out_ptr=out, n=40, const=dict(SEM=sem, SCOPE=scope, BLOCK=64), grid=(6,))
    c.expect(out, np.arange(50) + 6 * (np.arange(50) < 40))


@each(programs=(1, 100))
def old_values(c, programs):
    counter, out = c.inout("i32", [0]), c.empty("i32", programs)
    c.launch("old_values", counter_ptr=counter, out_ptr=out, grid=(programs,))
    c.expect(counter, [programs])
    c.expect(out, np.arange(programs) * 10)


@each(dtype=("i32", "i64", "fp32"), n=(100,))
def exchange(c, dtype, n):
    x, old = c.inout(dtype, c.any(dtype, n).value), c.empty(dtype, n)
    c.launch("exchange", x_ptr=x, old_ptr=old, n=n, const=dict(BLOCK=32), grid=(cdiv(n, 32),))
    c.expect(x, np.arange(n))
    c.expect(old, x.value)


@each(dtype=("i32", "i64"))
def compare_and_swap(c, dtype):
    x, old = c.inout(dtype, c.rng.integers(0, 50, 32)), c.empty(dtype, 32)
    c.launch("compare_and_swap", x_ptr=x, old_ptr=old, n=32, const=dict(BLOCK=32), grid=(1,))
    c.expect(x, np.where(x.value % 2 == 0, -1, x.value))
    c.expect(old, x.value)


@each(programs=(1, 40))
def lock(c, programs):
    n = 50
    x = c.tensor("fp32", c.rng.integers(-100, 100, (programs, n)))
    total, count, held = c.empty("fp32", n), c.inout("i32", [0]), c.inout("i32", [0])
    c.launch("lock", lock_ptr=held, sum_ptr=total, count_ptr=count, x_ptr=x, n=n, const=dict(BLOCK=64),
             grid=(programs,))
    c.expect(total, x.value.sum(axis=0))
    c.expect(count, [programs])
    c.expect(held, [0])


@each(n=(1000,), random=dict(n=sizes(1, 5000)))
def reduce_to_one(c, n):
    x, out = c.normal("fp32", n), c.inout("fp32", [0, 0])
    c.launch("reduce_to_one", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, [x.value.sum(), max(x.value.max(), 0)], [gamma(n + 1) * np.abs(x.value).sum(), 0])


@each(shape=((50, 20),))
def two_dimensions(c, shape):
    m, n = shape
    x, out = c.normal("fp32", shape), c.inout("fp32", np.zeros(n))
    c.launch("two_dimensions", x_ptr=x, out_ptr=out, m=m, n=n, const=dict(BM=16, BN=32), grid=(cdiv(m, 16),))
    c.expect(out, x.value.sum(axis=0), gamma(m + 1) * np.abs(x.value).sum(axis=0))


@each(n=(50,), waiting=(1, 3))
def hand_over(c, n, waiting):
    flag, x, out = c.inout("i32", [0]), c.inout("i32", np.arange(n)), c.empty("i32", (waiting, n))
    c.launch("hand_over", flag_ptr=flag, x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(1 + waiting,))
    c.expect(flag, [7])
    c.expect(x, np.arange(n) * 3)
    c.expect(out, np.tile(np.arange(n) * 3 + 1, (waiting, 1)))


@each(dtype=("i16", "u16", "i32", "u32", "i64", "u64"), there=(True, False), sem=("acquire", "relaxed"))
def give_up(c, dtype, there, sem):
    flag, out = c.tensor(dtype, [25 if there else 24]), c.empty("i32", 1)
    c.launch("give_up", flag_ptr=flag, out_ptr=out, value=25, timeout=20000, const=dict(SEM=sem), grid=(1,))
    c.expect(out, [1 if there else 0])
