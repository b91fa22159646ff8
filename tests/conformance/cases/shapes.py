# Shapes: elements move, values stay.
import itertools

from harness import *

DTYPES = ("fp32", "fp16", "i8", "i64")


@each(how=("trans", ".T", "permute", "method"), dtype=DTYPES, shape=((16, 32), (1, 64), (64, 2)))
def transpose(c, how, dtype, shape):
    m, n = shape
    x, out = c.any(dtype, shape), c.empty(dtype, (n, m))
    c.launch("transpose", x_ptr=x, out_ptr=out, const=dict(HOW=how, M=m, N=n), grid=(1,))
    c.expect(out, x.value.T)


@each(order=tuple(itertools.permutations(range(3))), shape=((4, 8, 16), (2, 32, 1)), dtype=("fp32", "i16"))
def permute3(c, order, shape, dtype):
    x = c.any(dtype, shape)
    exact = x.value.transpose(order)
    out = c.empty(dtype, exact.shape)
    c.launch("permute3", x_ptr=x, out_ptr=out, const=dict(D0=order[0], D1=order[1], D2=order[2], A=shape[0],
                                                          B=shape[1], C=shape[2]), grid=(1,))
    c.expect(out, exact)


@each(shape=((8, 32), (64, 4), (1, 16), (16, 1)))
def reshape(c, shape):
    m, n = shape
    x, out = c.integers("i32", m * n, -100, 100), c.empty("i32", m + n + m * n)
    c.launch("reshape", x_ptr=x, out_ptr=out, const=dict(M=m, N=n), grid=(1,))
    c.expect(out, np.concatenate([x.value.reshape(m, n).sum(axis=1), x.value.reshape(n, m).sum(axis=1), x.value]))


@each(dtype=("fp32", "bf16"))
def split_heads(c, dtype):
    x, out = c.normal(dtype, (16, 4 * 8)), c.empty(dtype, (4, 16, 8))
    c.launch("split_heads", x_ptr=x, out_ptr=out, const=dict(T=16, H=4, D=8), grid=(1,))
    c.expect(out, x.value.reshape(16, 4, 8).transpose(1, 0, 2))


@each(dtype=DTYPES, n=(1, 32, 128))
def join_split(c, dtype, n):
    x, y = c.any(dtype, n), c.any(dtype, n)
    joined, total, inter = c.empty(dtype, (n, 2)), c.empty(dtype, n), c.empty(dtype, 2 * n)
    c.launch("join_split", x_ptr=x, y_ptr=y, joined_ptr=joined, sum_ptr=total, inter_ptr=inter, const=dict(N=n),
             grid=(1,))
    both = np.stack([x.value, y.value], axis=1)
    difference = x.value - y.value
    c.expect(joined, both)
    c.expect(total, difference, 2 * rounding(dtype, difference))
    c.expect(inter, both.reshape(-1))


@each(dtype=("fp32", "fp16"), n=(4, 64))
def even_odd(c, dtype, n):
    x, out = c.normal(dtype, 2 * n), c.empty(dtype, 2 * n)
    c.launch("even_odd", x_ptr=x, out_ptr=out, const=dict(N=n), grid=(1,))
    c.expect(out, np.stack([-x.value[1::2], x.value[::2]], axis=1).reshape(-1))


@each(n=(1, 64))
def concatenate(c, n):
    x, y, out = c.integers("i32", n, -99, 99), c.integers("i32", n, -99, 99), c.empty("i32", 2)
    c.launch("concatenate", x_ptr=x, y_ptr=y, out_ptr=out, const=dict(N=n), grid=(1,))
    both = np.concatenate([x.value, y.value])
    c.expect(out, [both.sum(), both.max()])


@each(dtype=("fp32", "i32"), shape=((8, 16), (1, 32)))
def expand(c, dtype, shape):
    x, out = c.any(dtype, shape[1]), c.empty(dtype, shape)
    c.launch("expand", x_ptr=x, out_ptr=out, const=dict(A=shape[0], B=shape[1]), grid=(1,))
    c.expect(out, np.broadcast_to(4 * x.value, shape))


@each(shape=((2, 4, 2, 8, 2), (1, 2, 1, 4, 16)), dtype=("fp32", "i8"))
def five_dimensions(c, shape, dtype):
    count = int(np.prod(shape))
    x, out = c.any(dtype, count), c.empty(dtype, count)
    c.launch("five_dimensions", x_ptr=x, out_ptr=out, const=dict(zip("ABCDE", shape)), grid=(1,))
    c.expect(out, x.value.reshape(shape).transpose(4, 1, 3, 0, 2).reshape(-1))


@each(n=(1, 64))
def creation(c, n):
    out = c.empty("i32", n)
    c.launch("creation", out_ptr=out, value=-7, const=dict(N=n), grid=(1,))
    c.expect(out, 293 + np.arange(n, 2 * n))


@each(dtype=("fp32", "i32"))
def to_scalar(c, dtype):
    x, out = c.tensor(dtype, [21]), c.empty(dtype, 2)
    c.launch("to_scalar", x_ptr=x, out_ptr=out, grid=(1,))
    c.expect(out, [22, 42])


@each(dtype=("fp32", "i8"), shape=((8, 16),))
def flips(c, dtype, shape):
    x, out = c.any(dtype, shape), c.empty(dtype, (2, *shape))
    c.launch("flips", x_ptr=x, out_ptr=out, const=dict(M=shape[0], N=shape[1]), grid=(1,))
    c.expect(out, np.stack([x.value[:, ::-1], x.value[::-1]]))


@each(shape=((4, 4), (5, 7)), group=(2, 3))
def swizzle(c, shape, group):
    m, n = shape
    out = c.empty("i32", (m, n))
    c.launch("swizzle", out_ptr=out, const=dict(M=m, N=n, G=group), grid=(m, n))
    exact = np.zeros((m, n), dtype=int)
    for place in range(m * n):  # in groups of rows, each walked column by column
        first = place // (group * n) * group
        rows = min(group, m - first)
        rest = place % (group * n)
        exact[first + rest % rows, rest // rows] = place
    c.expect(out, exact)
