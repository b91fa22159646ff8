# Casts against numpy's, where the value is in range; what is out of range for a float -> int cast is undefined.
from harness import *

ALL = ("i1", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "fp16", "bf16", "fp32", "fp64")


def converted(values, source, target):
    """Exactly: integers wrap, floats truncate to integers and round to nearest even between each other."""
    if target == "i1":
        return values != 0
    if is_float(target):
        # Integers convert with one rounding; an integer may also go through fp32 to fp16 and bf16 (R9).
        return values.astype(np.float64)
    if is_float(source):
        return np.trunc(values)
    return values.astype(np.int64).astype(np.uint64).astype(STORAGE[target])


@each(source=ALL)
def convert(c, source):
    n = 61
    if is_float(source):
        x = c.tensor(source, np.concatenate([c.rng.uniform(0, 100, 30), c.rng.integers(0, 100, 30) + 0.5, [0.0]]))
    elif source == "i1":
        x = c.integers(source, n)
    else:
        x = c.integers(source, n, 0 if source[0] == "u" else -100, 120)
    outs = {name: c.empty(name, n) for name in ALL}
    c.launch("convert", x_ptr=x, **outs, n=n, const=dict(BLOCK=64), grid=(1,))
    for name, out in outs.items():
        exact = converted(x.value, source, name)
        c.expect(out, decode(encode(exact, name), name) if is_float(name) else exact)


@each(source=("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"), target=("i8", "u16", "i32", "u64", "fp32", "fp64"))
def whole_range(c, source, target):
    info = np.iinfo(STORAGE[source])
    values = np.concatenate([c.integers(source, 60).value, np.array([info.min, info.max, 0, 1], STORAGE[source])])
    x, out = c.tensor(source, values), c.empty(target, 64)
    c.launch("through", x_ptr=x, out_ptr=out, n=64, const=dict(BLOCK=64), grid=(1,))
    if is_float(target):
        c.expect(out, values.astype(STORAGE[target]).astype(np.float64))
    else:
        c.expect(out, values.astype(STORAGE[target]))


NARROW = (("fp32", "fp16"), ("fp32", "bf16"), ("fp64", "fp32"))


def toward_zero(values, dtype):
    """The nearest number of the type that is not larger in magnitude."""
    rounded = decode(encode(values, dtype), dtype)
    bits = encode(values, dtype).view({2: np.uint16, 4: np.uint32}[np.dtype(STORAGE[dtype]).itemsize])
    over = np.abs(rounded) > np.abs(values)
    return decode(np.where(over, bits - 1, bits).astype(bits.dtype).view(STORAGE[dtype]), dtype)


@each(pair=NARROW, mode=("rtne", "rtz"), n=(999,))
def narrow(c, pair, mode, n):
    source, target = pair
    values = c.rng.standard_normal(n) * np.exp2(c.rng.integers(-30 if target == "fp16" else -120, 14, n))
    values[:6] = [0.0, -0.0, np.inf, -np.inf, 2.0**-24 * 1.5, 1 + 2.0**-9]
    x, out = c.tensor(source, values), c.empty(target, n)
    c.launch("narrow", x_ptr=x, out_ptr=out, n=n, const=dict(MODE=mode, BLOCK=256), grid=(cdiv(n, 256),))
    exact = x.value if mode == "rtz" else decode(encode(x.value, target), target)
    c.expect(out, toward_zero(exact, target) if mode == "rtz" else exact)


@each(source=("fp16", "bf16"), target=("fp32", "fp64"))
def every_short_float(c, source, target):
    codes = np.arange(65536, dtype=np.uint16).view(STORAGE[source])
    x, out = Tensor(source, 65536), c.empty(target, 65536)
    x.initial[:] = codes
    c.launch("through", x_ptr=x, out_ptr=out, n=65536, const=dict(BLOCK=1024), grid=(64,))
    c.expect(out, x.value)


@each(target=("fp16", "bf16"))
def rounding_ties(c, target):
    """fp32 numbers around every representable one of a short type, ties included."""
    step = 16 if target == "bf16" else 13
    base = c.rng.integers(0, 2**32, 4000, dtype=np.uint32) & np.uint32(0xffffffff << step & 0xffffffff)
    half = np.uint32(1 << (step - 1))
    codes = np.concatenate([base, base | half, base | (half - 1), base | (half + 1)])
    x, out = Tensor("fp32", len(codes)), c.empty(target, len(codes))
    x.initial[:] = codes.view(np.float32)
    c.launch("through", x_ptr=x, out_ptr=out, n=len(codes), const=dict(BLOCK=1024), grid=(cdiv(len(codes), 1024),))
    c.expect(out, decode(encode(x.value, target), target))


FP8 = ("fp8e5", "fp8e4nv")


@each(source=FP8, target=("fp16", "bf16", "fp32"))
def from_fp8(c, source, target):
    x, out = Tensor(source, 256), c.empty(target, 256)
    x.initial[:] = np.arange(256, dtype=np.uint8)
    c.launch("through", x_ptr=x, out_ptr=out, n=256, const=dict(BLOCK=256), grid=(1,))
    c.expect(out, x.value)


@each(target=("fp16", "bf16", "fp32", "fp64"))
def from_fp8e4b15(c, target):
    x, out = c.tensor("u8", np.arange(256)), c.empty(target, 256)
    c.launch("through", x_ptr=x, out_ptr=out, n=256, types=dict(x_ptr="*fp8e4b15"), const=dict(BLOCK=256), grid=(1,))
    c.expect(out, decode(x.initial, "fp8e4b15"))


@each(source=("fp16", "bf16", "fp32", "fp64"))
def to_fp8e4b15(c, source):
    # By way of fp16, cut off; then ties away from zero, and nothing above 1.75.
    x = c.tensor(source, np.concatenate([c.rng.uniform(-2, 2, 200), np.exp2(c.rng.uniform(-20, 1, 40)),
                                         [np.inf, -np.inf, 1.75, 1.8125, -1e4, 0.0, 2.0**-17, 3 * 2.0**-18, 2.0**-18,
                                          1.0625, 1.1875]]))
    out = c.empty("u8", x.shape)
    c.launch("through", x_ptr=x, out_ptr=out, n=x.shape[0], types=dict(out_ptr="*fp8e4b15"), const=dict(BLOCK=256),
             grid=(1,))
    with np.errstate(over="ignore"):
        half = toward_zero(np.clip(x.value, -60000, 60000), "fp16")
    value = np.minimum(np.abs(half), 1.75)
    unit = np.maximum(np.exp2(np.floor(np.log2(np.maximum(value, 2.0**-30)))), 2.0**-14) / 8
    value = np.floor(value / unit + 0.5) * unit
    c.expect(out, np.where(np.signbit(x.value), 128, 0) + np.searchsorted(decode(np.arange(128), "fp8e4b15"), value))


@each(target=FP8, source=("fp16", "bf16", "fp32"))
def to_fp8(c, target, source):
    """In range; what lies above the largest number is the back end's choice."""
    x, out = c.tensor(source, c.rng.standard_normal(500) * np.exp2(c.rng.integers(-12, 7, 500))), c.empty(target, 500)
    c.launch("through", x_ptr=x, out_ptr=out, n=500, const=dict(BLOCK=512), grid=(1,))
    c.expect(out, decode(encode(x.value, target), target))


@each(pair=(("fp32", "i32"), ("i32", "fp32"), ("fp16", "i16"), ("bf16", "u16"), ("fp64", "i64"), ("u32", "fp32"),
            ("fp8e5", "i8"), ("i16", "bf16")))
def bits(c, pair):
    source, target = pair
    x = c.any(source, 100)
    out = c.empty(target, 100)
    c.launch("bits", x_ptr=x, out_ptr=out, n=100, const=dict(BLOCK=128), grid=(1,))
    c.expect(out, decode(x.initial.view(STORAGE[target]), target))


@each(pair=(("fp32", "fp16"), ("fp32", "bf16"), ("i32", "i8"), ("i32", "fp32"), ("fp16", "fp64"), ("u8", "i64")))
def implicit(c, pair):
    source, target = pair
    x, out = c.any(source, 50), c.empty(target, 50)
    c.launch("implicit", x_ptr=x, out_ptr=out, n=50, const=dict(BLOCK=64), grid=(1,))
    c.expect(out, decode(encode(x.value, target), target))
