# Block pointers and tensor descriptors: edges are clipped, outside is padding, strides are the caller's.
from harness import *

DTYPES = ("fp32", "fp16", "bf16", "i8", "i32")


@each(dtype=DTYPES, shape=((1, 1), (37, 70), (64, 64)), padding=("zero", ""),
      random=dict(shape=lambda rng: (sizes(1, 100)(rng), sizes(1, 100)(rng))))
def copy(c, dtype, shape, padding):
    m, n = shape
    x, out = c.tensor(dtype, c.any(dtype, shape).value, strides=(n + 3, 1)), c.empty(dtype, shape, strides=(n + 1, 1))
    c.launch("copy", x_ptr=x, out_ptr=out, m=m, n=n, xs=n + 3, os=n + 1, const=dict(PADDING=padding, BM=16, BN=32),
             grid=(cdiv(m, 16),))
    c.expect(out, x.value)


@each(padding=("zero", "nan"), n=(5, 64, 100))
def padding(c, padding, n):
    total = cdiv(n, 64) * 64
    x, out = c.normal("fp32", n), c.empty("fp32", total)
    c.launch("padding", x_ptr=x, out_ptr=out, n=n, const=dict(PADDING=padding, BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, np.append(x.value, np.full(total - n, 0.0 if padding == "zero" else np.nan)))


@each(dtype=FLOATS, shape=((20, 30, 40), (64, 64, 32)),
      random=dict(shape=lambda rng: tuple(sizes(1, 100)(rng) for _ in range(3))))
def matmul(c, dtype, shape):
    m, n, k = shape
    a, b, out = c.normal(dtype, (m, k)), c.normal(dtype, (k, n), strides=(1, k)), c.empty(dtype, (m, n))
    c.launch("matmul", a_ptr=a, b_ptr=b, c_ptr=out, M=m, N=n, K=k, const=dict(BM=32, BN=32, BK=16),
             grid=(cdiv(m, 32), cdiv(n, 32)))
    exact = a.value @ b.value
    c.expect(out, exact, stored(dtype, exact, c.dot_gamma(dtype, k + 2) * (np.abs(a.value) @ np.abs(b.value))))


@each(dtype=DTYPES, shape=((1, 16), (37, 48), (64, 80)),
      random=dict(shape=lambda rng: (sizes(1, 100)(rng), 16 * sizes(1, 8)(rng))))
def device_descriptor(c, dtype, shape):
    m, n = shape
    strides = (n + 16, 1)
    x, out = c.tensor(dtype, c.any(dtype, shape).value, strides=strides), c.empty(dtype, shape, strides=strides)
    c.launch("device_descriptor", x_ptr=x, out_ptr=out, m=m, n=n, xs=n + 16, const=dict(BM=16, BN=32),
             grid=(cdiv(m, 16),))
    c.expect(out, x.value * 2)


@each(n=(10, 64, 100))
def nan_padding(c, n):
    total = cdiv(n, 64) * 64
    x, out = c.normal("fp32", n), c.empty("fp32", total)
    c.launch("nan_padding", x_ptr=x, out_ptr=out, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, np.append(x.value, np.full(total - n, np.nan)))


@each(dtype=("fp32", "fp16"), shape=((3, 20, 24),))
def batch_descriptor(c, dtype, shape):
    b, m, n = shape
    x, out = c.normal(dtype, shape), c.empty(dtype, shape)
    c.launch("batch_descriptor", x_ptr=x, out_ptr=out, b=b, m=m, n=n, const=dict(BM=16, BN=32),
             grid=(b, cdiv(m, 16)))
    c.expect(out, -x.value)


@each(dtype=("fp32", "fp16", "bf16"), shape=((16, 32), (33, 72)),
      random=dict(shape=lambda rng: (sizes(1, 100)(rng), 8 * sizes(1, 16)(rng))))
def host_descriptor(c, dtype, shape):
    m, n = shape
    strides = (n + 8, 1)
    x, out = c.tensor(dtype, c.normal(dtype, shape).value, strides=strides), c.empty(dtype, shape, strides=strides)
    c.launch("host_descriptor", x_desc=Descriptor(x, (16, 32)), out_desc=Descriptor(out, (16, 32)),
             const=dict(BM=16, BN=32), grid=(cdiv(m, 16), cdiv(n, 32)))
    exact = x.value + 1
    c.expect(out, exact, 2 * rounding(dtype, exact))


@each(dtype=("i32", "fp32"))
def descriptor_atomics(c, dtype):
    m, n = 48, 32
    x, out = c.tensor(dtype, c.rng.integers(-9, 9, (m, n))), c.inout(dtype, np.zeros((16, n)))
    c.launch("descriptor_atomics", x_ptr=x, out_ptr=out, m=m, n=n, const=dict(BM=16, BN=32), grid=(3,))
    c.expect(out, x.value.reshape(3, 16, n).sum(axis=0))


@each(dtype=("fp32", "fp16"))
def descriptor_gather(c, dtype):
    rows, cols = 20, 32
    x, index, out = c.normal(dtype, (rows, cols)), c.integers("i32", 16, 0, rows - 1), c.empty(dtype, (16, cols))
    c.launch("descriptor_gather", x_ptr=x, index_ptr=index, out_ptr=out, rows=rows, cols=cols,
             const=dict(COUNT=16, BN=cols), grid=(1,))
    c.expect(out, x.value[index.value])
