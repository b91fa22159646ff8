# numeric.py - Triton's element types in numpy: storage, exact conversion, and the roundings that bounds are made of.
import numpy as np

# type: numpy storage. bf16 and fp8 have no numpy type and are stored as bits.
STORAGE = {
    "i1": np.uint8, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
    "fp16": np.float16, "fp32": np.float32, "fp64": np.float64, "bf16": np.uint16,
    "fp8e4nv": np.uint8, "fp8e5": np.uint8, "fp8e4b8": np.uint8, "fp8e5b16": np.uint8, "fp8e4b15": np.uint8,
}
# Small formats: significand bits with the hidden one, bias, exponent bits, and what the top codes mean.
_SMALL = {
    "bf16": (8, 127, 8, "ieee"),
    "fp8e5": (3, 15, 5, "ieee"),
    "fp8e4nv": (4, 7, 4, "nan at all ones"),
    "fp8e4b8": (4, 8, 4, "nan at minus zero"),
    "fp8e5b16": (3, 16, 5, "nan at minus zero"),
    "fp8e4b15": (4, 15, 4, "finite"),
}
PRECISION = {"fp64": 53, "fp32": 24, "fp16": 11, **{name: row[0] for name, row in _SMALL.items()}}
_SMALLEST = {"fp64": 2.0**-1074, "fp32": 2.0**-149, "fp16": 2.0**-24,
             **{name: 2.0 ** (2 - row[1] - row[0]) for name, row in _SMALL.items()}}

FLOATS = ("fp32", "fp16", "bf16")
SIGNED = ("i8", "i16", "i32", "i64")
UNSIGNED = ("u8", "u16", "u32", "u64")
INTEGERS = SIGNED + UNSIGNED


def is_float(type_name):
    return type_name in PRECISION


def _decode_table(name):
    """The value of every code of a small format, as float64."""
    precision, bias, exponent_bits, specials = _SMALL[name]
    fraction_bits = precision - 1
    codes = np.arange(1 << (1 + exponent_bits + fraction_bits), dtype=np.int64)
    fraction = codes & ((1 << fraction_bits) - 1)
    exponent = (codes >> fraction_bits) & ((1 << exponent_bits) - 1)
    sign = np.where(codes >> (exponent_bits + fraction_bits), -1.0, 1.0)
    significand = np.where(exponent > 0, fraction + (1 << fraction_bits), fraction)
    values = sign * np.ldexp(significand.astype(np.float64), np.maximum(exponent, 1) - bias - fraction_bits)
    top = exponent == (1 << exponent_bits) - 1
    if specials == "ieee":
        values[top & (fraction == 0)] = sign[top & (fraction == 0)] * np.inf
        values[top & (fraction != 0)] = np.nan
    elif specials == "nan at all ones":
        values[top & (fraction == (1 << fraction_bits) - 1)] = np.nan
    elif specials == "nan at minus zero":
        values[len(codes) // 2] = np.nan
    return values


_TABLES = {name: _decode_table(name) for name in _SMALL}


def decode(storage, type_name):
    """Stored elements as float64 for floating types, else as they are."""
    if type_name in _SMALL:
        return _TABLES[type_name][storage]
    if not is_float(type_name):
        return storage
    with np.errstate(invalid="ignore"):  # a signaling NaN
        return storage.astype(np.float64)


def encode(values, type_name):
    """Rounds numbers to nearest even into a type's storage; overflow goes where the type has it (infinity or NaN)."""
    if type_name not in _SMALL:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(values).astype(STORAGE[type_name])
    values = np.asarray(values, dtype=np.float64)
    table = _TABLES[type_name]
    half = len(table) // 2
    finite = np.isfinite(table[:half])
    positive = table[:half][finite]
    magnitude = np.abs(values)
    # The codes of positive numbers ascend: find the neighbours and take the nearer, the even one on a tie.
    above = np.clip(np.searchsorted(positive, magnitude), 1, len(positive) - 1)
    low, high = positive[above - 1], positive[above]
    middle = low + (high - low) / 2
    up = (magnitude > middle) | ((magnitude == middle) & (above % 2 == 0))
    code = np.where(up, above, above - 1)
    step = positive[-1] - positive[-2]
    # A tie above the largest number goes back to it only where its code is even.
    limit = positive[-1] + step / 2
    overflow = (magnitude > limit) | ((magnitude == limit) & (len(positive) % 2 == 0))
    nan_code = np.flatnonzero(np.isnan(table))
    specials = _SMALL[type_name][3]
    if specials == "ieee":
        code = np.where(overflow, len(positive), code)
    elif len(nan_code):
        code = np.where(overflow, nan_code[0], code)
    negative = np.signbit(values)
    if specials == "nan at minus zero":
        negative &= (code != 0) & (code != nan_code[0])
    code = code + np.where(negative, half, 0)
    if len(nan_code):
        code = np.where(np.isnan(values), nan_code[-1] if specials == "ieee" else nan_code[0], code)
    return code.astype(STORAGE[type_name])


def poison(type_name, count):
    """Storage that no kernel leaves behind: NaN for floating types, 0x5a bytes for integers."""
    size = np.dtype(STORAGE[type_name]).itemsize * count
    byte = 0xff if is_float(type_name) else 0x5a
    return np.frombuffer(bytes([byte]) * size, dtype=STORAGE[type_name]).copy()


def unit(type_name):
    """Unit roundoff u: one rounding to nearest is off by at most u relatively."""
    return 2.0 ** -PRECISION[type_name]


def rounding(type_name, value):
    """How far one rounding of about `value` to the type may go, subnormals included."""
    if not is_float(type_name):
        return np.zeros_like(np.asarray(value, dtype=np.float64))
    magnitude = np.abs(np.asarray(value, dtype=np.float64))
    return np.where(np.isfinite(magnitude), unit(type_name) * magnitude * (1 + 2 * unit(type_name)), 0) + (
        _SMALLEST[type_name] / 2)


def gamma(operations, type_name="fp32"):
    """Higham's gamma_n: the relative error of `operations` roundings in a row."""
    product = operations * unit(type_name)
    return product / (1 - product)


def stored(type_name, value, error):
    """The bound after storing a result known to within `error` as the type."""
    return error + rounding(type_name, np.abs(value) + error)
