# Matrix products against float64, element by element, with the error of k + 1 roundings.
from harness import *

DTYPES = FLOATS + ("fp64",)


def product_type(dtype):
    return "fp64" if dtype == "fp64" else "fp32"


def product(c, dtype, a, b, extra=2):
    exact = a @ b
    error = c.dot_gamma(dtype, a.shape[-1] + extra) * (np.abs(a) @ np.abs(b))
    return exact, stored(product_type(dtype), exact, error)


@each(dtype=DTYPES, trans_a=(False, True), trans_b=(False, True),
      shape=((16, 16, 16), (64, 32, 128), (16, 128, 32), (128, 64, 16)))
def single(c, dtype, trans_a, trans_b, shape):
    m, n, k = shape
    a, b = c.normal(dtype, (k, m) if trans_a else (m, k)), c.normal(dtype, (n, k) if trans_b else (k, n))
    kind = product_type(dtype)
    out = c.empty(kind, (m, n))
    c.launch("single", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(TRANS_A=trans_a, TRANS_B=trans_b, M=m, N=n, K=k),
             grid=(1,))
    c.expect(out, *product(c, dtype, a.value.T if trans_a else a.value, b.value.T if trans_b else b.value))


@each(shape=((16, 16, 32), (64, 32, 64)))
def integers(c, shape):
    m, n, k = shape
    a, b, out = c.integers("i8", (m, k)), c.integers("i8", (k, n)), c.empty("i32", (m, n))
    c.launch("single", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(TRANS_A=False, TRANS_B=False, M=m, N=n, K=k),
             grid=(1,))
    c.expect(out, a.value.astype(np.int32) @ b.value.astype(np.int32))


@each(dtype=("fp8e5", "fp8e4nv"), shape=((16, 16, 32),))
def fp8(c, dtype, shape):
    m, n, k = shape
    a, b, out = c.normal(dtype, (m, k)), c.normal(dtype, (k, n)), c.empty("fp32", (m, n))
    c.launch("single", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(TRANS_A=False, TRANS_B=False, M=m, N=n, K=k),
             grid=(1,))
    c.expect(out, *product(c, dtype, a.value, b.value))


@each(dtype=DTYPES, shape=((16, 32, 16), (32, 16, 64)))
def with_accumulator(c, dtype, shape):
    m, n, k = shape
    kind = product_type(dtype)
    a, b, out = c.normal(dtype, (m, k)), c.normal(dtype, (k, n)), c.inout(kind, c.rng.standard_normal((m, n)))
    c.launch("with_accumulator", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(M=m, N=n, K=k), grid=(1,))
    exact = out.value + a.value @ b.value
    magnitude = np.abs(out.value) + np.abs(a.value) @ np.abs(b.value)
    c.expect(out, exact, stored(kind, exact, c.dot_gamma(dtype, k + 2) * magnitude))


@each(shape=((16, 16, 16), (32, 64, 32)))
def out_type(c, shape):
    m, n, k = shape
    a, b, out = c.normal("fp16", (m, k)), c.normal("fp16", (k, n)), c.empty("fp16", (m, n))
    c.launch("out_type", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(M=m, N=n, K=k), grid=(1,))
    # The sum may be kept in fp16 all along.
    exact = a.value @ b.value
    c.expect(out, exact, stored("fp16", exact, gamma(k + 2, "fp16") * (np.abs(a.value) @ np.abs(b.value))))


@each(precision=("ieee", "tf32", "tf32x3"), shape=((32, 32, 64),))
def precision(c, precision, shape):
    m, n, k = shape
    a, b, out = c.normal("fp32", (m, k)), c.normal("fp32", (k, n)), c.empty("fp32", (m, n))
    c.launch("precision", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(PRECISION=precision, M=m, N=n, K=k), grid=(1,))
    # tf32 keeps 11 bits of each operand and may drop the rest rather than round.
    exact = a.value @ b.value
    operand = {"ieee": 0.0, "tf32": 2 * 2.0**-10, "tf32x3": 2.0**-19}[precision]
    c.expect(out, exact, (gamma(3 * k) + operand) * (np.abs(a.value) @ np.abs(b.value)))


@each(dtype=("fp32", "fp16", "bf16"), shape=((2, 16, 16, 16), (4, 32, 16, 32)))
def batch(c, dtype, shape):
    i, m, n, k = shape
    a, b, out = c.normal(dtype, (i, m, k)), c.normal(dtype, (i, k, n)), c.empty("fp32", (i, m, n))
    c.launch("batch", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(B=i, M=m, N=n, K=k), grid=(1,))
    c.expect(out, *product(c, dtype, a.value, b.value))


@each(dtype=("fp32", "fp16", "i8"), shape=((32, 64, 32),))
def computed(c, dtype, shape):
    m, n, k = shape
    a, b, out = c.any(dtype, (m, k)), c.any(dtype, (k, n)), c.empty("fp32", (m, n))
    c.launch("computed", a_ptr=a, b_ptr=b, c_ptr=out, const=dict(M=m, N=n, K=k), grid=(1,))
    left = a.value * 0.5
    right = np.where(np.arange(k)[:, None] < np.arange(n)[None, :], b.value, 0.0)
    c_value, c_error = left @ right, c.dot_gamma(dtype, k + 3) * (np.abs(left) @ np.abs(right))
    exact = np.maximum(c_value, 0) - c_value.sum(axis=1, keepdims=True)
    error = c_error + (c_error + gamma(n) * np.abs(c_value)).sum(axis=1, keepdims=True)
    c.expect(out, exact, stored("fp32", exact, error))


@each(dtype=FLOATS, shape=((16, 32, 16, 64), (32, 16, 64, 16)))
def chain(c, dtype, shape):
    m, n, k, p = shape
    a, b, d, out = c.normal(dtype, (m, k)), c.normal(dtype, (k, n)), c.normal(dtype, (n, p)), c.empty("fp32", (m, p))
    c.launch("chain", a_ptr=a, b_ptr=b, c_ptr=d, out_ptr=out, const=dict(M=m, N=n, K=k, P=p), grid=(1,))
    middle = a.value @ b.value
    middle_error = stored(dtype, middle, c.dot_gamma(dtype, k + 2) * (np.abs(a.value) @ np.abs(b.value)))
    exact = middle @ d.value
    magnitude = np.abs(middle) + middle_error
    error = middle_error @ np.abs(d.value) + c.dot_gamma(dtype, n + 2) * (magnitude @ np.abs(d.value))
    c.expect(out, exact, stored("fp32", exact, error))


@each(dtype=FLOATS, shape=((20, 40, 50), (64, 64, 64)),
      random=dict(shape=lambda rng: tuple(sizes(1, 100)(rng) for _ in range(3))))
def two_accumulators(c, dtype, shape):
    m, n, k = shape
    a, b0, b1 = c.normal(dtype, (m, k)), c.normal(dtype, (k, n), scale=0.3), c.normal(dtype, (k, n), scale=0.3)
    out = c.empty(dtype, (m, n))
    c.launch("two_accumulators", a_ptr=a, b0_ptr=b0, b1_ptr=b1, out_ptr=out, M=m, N=n, K=k,
             const=dict(BM=32, BN=32, BK=16), grid=(cdiv(m, 32), cdiv(n, 32)))
    gate, up = a.value @ b0.value, a.value @ b1.value
    gate_error = c.dot_gamma(dtype, k + 2) * (np.abs(a.value) @ np.abs(b0.value))
    up_error = c.dot_gamma(dtype, k + 2) * (np.abs(a.value) @ np.abs(b1.value))
    silu = gate / (1 + np.exp(-gate))
    # The slope of silu is at most 1.1; sigmoid itself is good to a few ulp and the error of its argument.
    silu_error = 1.1 * gate_error + gamma(12) * np.abs(silu) * (1 + np.abs(gate))
    exact = silu * up
    error = silu_error * (np.abs(up) + up_error) + np.abs(silu) * up_error + gamma(2) * np.abs(exact)
    c.expect(out, exact, stored(dtype, exact, error))


@each(parts=(1, 4), shape=((20, 40, 200),), random=dict(shape=lambda rng: tuple(sizes(1, 150)(rng) for _ in range(3))))
def split_k(c, parts, shape):
    m, n, k = shape
    a, b, out = c.normal("fp32", (m, k)), c.normal("fp32", (k, n)), c.inout("fp32", np.zeros((m, n)))
    c.launch("split_k", a_ptr=a, b_ptr=b, c_ptr=out, M=m, N=n, K=k, const=dict(PARTS=parts, BM=32, BN=32, BK=16),
             grid=(cdiv(m, 32), cdiv(n, 32), parts))
    c.expect(out, *product(c, "fp32", a.value, b.value, extra=parts + 2))


@each(shape=((20, 40, 100), (64, 64, 64)), random=dict(shape=lambda rng: tuple(sizes(1, 150)(rng) for _ in range(3))))
def quantized(c, shape):
    m, n, k = shape
    a, b = c.integers("i8", (m, k)), c.integers("i8", (k, n))
    scale_a, scale_b, out = c.uniform("fp32", m, 0.001, 0.1), c.uniform("fp32", n, 0.001, 0.1), c.empty("fp32", (m, n))
    c.launch("quantized", a_ptr=a, b_ptr=b, scale_a_ptr=scale_a, scale_b_ptr=scale_b, c_ptr=out, M=m, N=n, K=k,
             const=dict(BM=32, BN=32, BK=32), grid=(cdiv(m, 32), cdiv(n, 32)))
    exact = (a.value.astype(np.int64) @ b.value.astype(np.int64)) * scale_a.value[:, None] * scale_b.value[None, :]
    c.expect(out, exact, gamma(3) * np.abs(exact))


@each(shape=((16, 32, 16), (64, 16, 32)), steps=(0, 1, 3, 8, 17))
def two_sums(c, shape, steps):
    m, n, k = shape
    a, b = c.normal("fp32", (m, n)), c.normal("fp32", (max(steps, 1) * k, n))
    first, second = c.empty("fp32", (m, n)), c.empty("fp32", (m, n))
    c.launch("two_sums", a_ptr=a, b_ptr=b, c_ptr=first, d_ptr=second, steps=steps, const=dict(M=m, N=n, K=k),
             grid=(1,))
    used = b.value[:steps * k]
    p, magnitude = a.value @ used.T, np.abs(a.value) @ np.abs(used.T)
    error = gamma(n + steps * k + 4, "fp32") * ((1 + magnitude) @ np.abs(used))
    for out, operand in ((first, p), (second, 1 - p)):
        exact = operand @ used
        c.expect(out, exact, stored("fp32", exact, error))


@each(k=(16, 72, 160), factor=(2, 4), stages=(1, 3), random=dict(k=lambda r: 8 * int(r.integers(1, 40))))
def unrolled_sum(c, k, factor, stages):
    m, n = 32, 64
    a, b, out = c.normal("fp16", (m, k)), c.normal("fp16", (k, n)), c.empty("fp32", (m, n))
    c.launch("unrolled_sum", a_ptr=a, b_ptr=b, c_ptr=out, K=k,
             const=dict(M=m, N=n, BLOCK=32, FACTOR=factor, STAGES=stages), grid=(1,))
    c.expect(out, *product(c, "fp16", a.value, b.value))
