# Sorting and looking up against numpy.
from harness import *


@each(dtype=FLOATS + ("fp64",) + INTEGERS, descending=(False, True), width=(1, 2, 32, 128), rows=(5,))
def sort_rows(c, dtype, descending, width, rows):
    x, out = c.any(dtype, (rows, width)), c.empty(dtype, (rows, width))
    c.launch("sort_rows", x_ptr=x, out_ptr=out, rows=rows, const=dict(DESCENDING=descending, BM=4, BN=width),
             grid=(cdiv(rows, 4),))
    exact = np.sort(x.value, axis=1)
    c.expect(out, exact[:, ::-1] if descending else exact)


@each(dtype=("fp32", "i32", "fp16"), k=(1, 4, 64), width=(64,))
def top(c, dtype, k, width):
    x, out = c.any(dtype, (6, width)), c.empty(dtype, (6, k))
    c.launch("top", x_ptr=x, out_ptr=out, const=dict(K=k, BN=width), grid=(6,))
    c.expect(out, -np.sort(-x.value.astype(np.float64), axis=1)[:, :k])


@each(bins=(2, 64), n=(1, 100, 1000), random=dict(n=sizes(1, 3000)))
def count(c, bins, n):
    x, out = c.integers("i32", n, 0, bins - 1), c.inout("i32", np.zeros(bins))
    c.launch("count", x_ptr=x, out_ptr=out, n=n, const=dict(BINS=bins, BLOCK=128), grid=(cdiv(n, 128),))
    c.expect(out, np.bincount(x.value, minlength=bins))


@each(axis=(0, 1), shapes=(((8, 16), (8, 16)), ((4, 32), (4, 8)), ((32, 4), (64, 4))), dtype=("fp32", "i8"))
def look_up(c, axis, shapes, dtype):
    source, target = shapes
    if axis == 0 and source[1] != target[1]:
        target = (target[1], source[1])
    if axis == 1 and source[0] != target[0]:
        target = (source[0], target[0])
    x, index = c.any(dtype, source), c.integers("i32", target, 0, source[axis] - 1)
    out = c.empty(dtype, target)
    c.launch("look_up", x_ptr=x, index_ptr=index, out_ptr=out, const=dict(
        AXIS=axis, M=source[0], N=source[1], P=target[0], Q=target[1]), grid=(1,))
    c.expect(out, np.take_along_axis(x.value, index.value, axis))


@each(n=(1, 50, 64), random=dict(n=sizes(1, 64)))
def argsort(c, n):
    x, out = c.integers("i32", n, -20, 20), c.empty("i32", n)
    c.launch("argsort", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(1,))
    c.expect(out, np.argsort(x.value, kind="stable"))


@each(width=(16, 128))
def median(c, width):
    x, out = c.normal("fp32", (5, width)), c.empty("fp32", 5)
    c.launch("median", x_ptr=x, out_ptr=out, const=dict(BN=width), grid=(5,))
    c.expect(out, np.sort(x.value, axis=1)[:, width // 2])
