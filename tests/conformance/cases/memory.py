# Loads and stores: what is read, what is left alone, and what lies outside.
from harness import *

DTYPES = ("fp32", "fp16", "bf16", "fp64", "i8", "u8", "i16", "i32", "i64")


@each(dtype=DTYPES, n=(256,), lo=(0, 1, 100), hi=(0, 37, 255))
def copy_masked(c, dtype, n, lo, hi):
    # The tensor ends at hi: reading one lane more touches the guard.
    x, out = c.any(dtype, max(hi, 1)), c.empty(dtype, n)
    c.launch("copy_masked", x_ptr=x, out_ptr=out, lo=lo, hi=hi, const=dict(OTHER=7, BLOCK=128), grid=(2,))
    exact = np.full(n, 7, dtype=x.value.dtype)
    exact[lo:hi] = x.value[lo:hi]
    c.expect(out, exact)


@each(dtype=DTYPES, n=(5, 300), random=dict(n=sizes(1, 2000)))
def store_masked(c, dtype, n):
    x, mask, out = c.any(dtype, n), c.integers("i8", n, 0, 1), c.empty(dtype, n)
    c.launch("store_masked", x_ptr=x, m_ptr=mask, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, x.value, written=mask.value != 0)


@each(dtype=DTYPES, index=("i32", "i64", "u8", "i16"), n=(200,), random=dict(n=sizes(1, 2000)))
def gather(c, dtype, index, n):
    x = c.any(dtype, 100)
    indices, out = c.integers(index, n, 0, 99), c.empty(dtype, n)
    c.launch("gather", x_ptr=x, index_ptr=indices, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, x.value[indices.value])


@each(dtype=DTYPES, n=(200,), random=dict(n=sizes(1, 2000)))
def scatter(c, dtype, n):
    x, out = c.any(dtype, n), c.empty(dtype, 2 * n)
    indices = c.tensor("i32", c.rng.permutation(2 * n)[:n])
    c.launch("scatter", x_ptr=x, index_ptr=indices, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    exact = np.zeros(2 * n, dtype=x.value.dtype)
    written = np.zeros(2 * n, dtype=bool)
    exact[indices.value], written[indices.value] = x.value, True
    c.expect(out, exact, written=written)


@each(dtype=("fp32", "bf16"), n=(37,), width=(1, 50, 64), random=dict(n=sizes(1, 100), width=sizes(1, 64)))
def embedding(c, dtype, n, width):
    table, index, out = c.normal(dtype, (20, width)), c.integers("i64", n, 0, 19), c.empty(dtype, (n, width))
    c.launch("embedding", table_ptr=table, index_ptr=index, out_ptr=out, n=n, width=width,
             const=dict(BM=16, BN=64), grid=(cdiv(n, 16),))
    c.expect(out, table.value[index.value])


LAYOUTS = {"row": lambda m, n: (n, 1), "column": lambda m, n: (1, m), "padded": lambda m, n: (n + 7, 1),
           "spread": lambda m, n: (3 * n + 2, 3), "columns padded": lambda m, n: (2, 2 * m + 1)}


@each(dtype=("fp32", "i8", "fp16", "i64"), source=tuple(LAYOUTS), target=tuple(LAYOUTS), shape=((37, 50),),
      random=dict(shape=lambda rng: (sizes(1, 80)(rng), sizes(1, 80)(rng))))
def strided(c, dtype, source, target, shape):
    m, n = shape
    xs, os = LAYOUTS[source](m, n), LAYOUTS[target](m, n)
    values = c.any(dtype, shape).value
    x, out = c.tensor(dtype, values, strides=xs), c.empty(dtype, shape, strides=os)
    c.launch("strided", x_ptr=x, out_ptr=out, m=m, n=n, xs0=xs[0], xs1=xs[1], os0=os[0], os1=os[1],
             const=dict(BM=16, BN=32), grid=(cdiv(m, 16), cdiv(n, 32)))
    c.expect(out, x.value)


@each(dtype=DTYPES, n=(1, 100), random=dict(n=sizes(1, 500)))
def reversed(c, dtype, n):
    x, out = c.any(dtype, n), c.empty(dtype, n)
    c.launch("reversed", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, x.value[::-1])


@each(dtype=("fp32", "i32"))
def broadcast_load(c, dtype):
    row, column, out = c.any(dtype, 32), c.any(dtype, 8), c.empty(dtype, (8, 32))
    c.launch("broadcast_load", row_ptr=row, col_ptr=column, out_ptr=out, const=dict(BM=8, BN=32), grid=(1,))
    exact = row.value[None, :] - column.value[:, None]
    c.expect(out, exact, rounding(dtype, exact))


@each(flag=(0, 1), dtype=("i32", "fp32"))
def scalar_memory(c, flag, dtype):
    x, out = c.any(dtype, 5), c.empty(dtype, 8)
    c.launch("scalar_memory", x_ptr=x, out_ptr=out, n=5, flag=flag, grid=(8,))
    values = np.append(x.value, [-1] * 3)
    c.expect(out, values * 2 if flag else values, written=None if flag else np.arange(8) % 2 == 0)


@each(far=(0, 2**33))
def wide_offsets(c, far):
    x, out = c.normal("fp32", 100), c.empty("fp32", 100)
    c.launch("wide_offsets", x_ptr=x, out_ptr=out, n=100, far=far, types=dict(far="i64"), const=dict(BLOCK=128),
             grid=(1,))
    c.expect(out, x.value)


@each(n=(1, 200))
def hints(c, n):
    x, out = c.normal("fp32", n), c.empty("fp32", n)
    c.launch("hints", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, 2 * x.value)


@each(dtype=("fp32", "i8"), shift=(0, 78))
def narrow_offsets(c, dtype, shift):
    x, out = c.any(dtype, 1000), c.empty(dtype, (3, 256))
    c.launch("narrow_offsets", x_ptr=x, out_ptr=out, const=dict(BLOCK=256, SHIFT=shift), grid=(1,))
    i = np.arange(256)
    with np.errstate(over="ignore"):
        c.expect(out, x.value[[128 + (i.astype(np.int8) + np.int8(shift)).astype(np.int64),
                               (i * 4 + shift) % 256, (i * 300).astype(np.int16).astype(np.int64) // 128 + 256]])


@each(n=(50,))
def boolean_memory(c, n):
    x, out = c.integers("i1", n), c.empty("i1", n)
    c.launch("boolean_memory", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(1,))
    c.expect(out, x.value == 0)


@each(n=(30,))
def pointer_table(c, n):
    sources = [c.normal("fp32", n) for _ in range(3)]
    out = c.empty("fp32", (3, n))
    c.launch("pointer_table", table_ptr=c.addresses(*sources), out_ptr=out, n=n, const=dict(BLOCK=32), grid=(3,))
    c.expect(out, [source.value * 2 for source in sources])


@each(n=(20, 33), random=dict(n=sizes(1, 64)))
def read_after_write(c, n):
    x = c.inout("i32", c.rng.integers(-50, 50, n))
    c.launch("read_after_write", x_ptr=x, n=n, const=dict(BLOCK=64), grid=(1,))
    c.expect(x, (x.value + 1)[::-1] * 2)


@each(shape=((16, 16), (7, 30), (16, 32)), dtype=("fp32", "i16"))
def in_place(c, shape, dtype):
    m, n = shape
    x = c.inout(dtype, c.any(dtype, m * n).value)
    c.launch("in_place", x_ptr=x, m=m, n=n, const=dict(BM=16, BN=32), grid=(1,))
    c.expect(x, x.value.reshape(m, n).T.reshape(-1))


@each(dtype=("fp32", "i8"), shape=((3, 20, 5), (4, 16, 8)),
      random=dict(shape=lambda rng: (sizes(1, 4)(rng), sizes(1, 40)(rng), sizes(1, 8)(rng))))
def three_dimensions(c, dtype, shape):
    a, b, d = shape
    x, out = c.any(dtype, shape), c.empty(dtype, (d, b, a))
    c.launch("three_dimensions", x_ptr=x, out_ptr=out, a=a, b=b, c=d, const=dict(BA=4, BB=16, BC=8),
             grid=(cdiv(b, 16),))
    c.expect(out, x.value.transpose(2, 1, 0))
