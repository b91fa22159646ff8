# What two types become under each kind of operator, by the rules of the language's reference, and the values of it.
import operator

from harness import *

FP8 = ("fp8e4nv", "fp8e5", "fp8e4b8", "fp8e5b16")
ALL = ("i1", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "fp16", "bf16", "fp32", "fp64") + FP8
N = 64
DIVISIONS = ("/", "//", "%")
INTEGER_ONLY = ("//", "&", "|", "^", "<<", ">>")
EXACT = {"+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_, "|": operator.or_, "^": operator.xor,
         "<<": operator.lshift, ">>": operator.rshift, "<": operator.lt, "==": operator.eq, "maximum": max, "minimum": min}


def width(dtype):
    return 1 if dtype == "i1" else 8 * np.dtype(STORAGE[dtype]).itemsize


def is_signed(dtype):
    return dtype[0] == "i" and dtype != "i1"


def meeting_type(a, b, op):
    """The type two tensors are computed in; None where they do not meet."""
    if op in ("maximum", "minimum"):
        a, b = ("fp32" if t == "bf16" else t for t in (a, b))
    if op in INTEGER_ONLY and (is_float(a) or is_float(b)):
        return None
    if "fp64" in (a, b):
        return "fp64"
    if op in DIVISIONS and (is_float(a) or is_float(b)) or "fp32" in (a, b):
        return "fp32"
    if "fp16" in (a, b):
        return "fp16"
    if "bf16" in (a, b):
        return "bf16" if a == b else "fp32"
    if a in FP8 and b in FP8:
        return a if a == b else "fp16"
    if a in FP8 or b in FP8 or op in DIVISIONS and is_signed(a) != is_signed(b):
        return None
    if is_signed(a) == is_signed(b):
        return a if width(a) >= width(b) else b
    unsigned, other = (b, a) if is_signed(a) else (a, b)
    return unsigned if width(unsigned) >= width(other) else other


def result_type(kind, op):
    return "i8" if op in ("<", "==") else "fp32" if op == "/" and not is_float(kind) else kind


def converted(values, kind):
    """Numbers as the type holds them: Python integers, modulo its width, or floats."""
    if is_float(kind):
        return [float(v) for v in decode(encode(np.array(values, np.float64), kind), kind)]
    bits = width(kind)
    low = -(1 << (bits - 1)) if is_signed(kind) else 0
    return [(int(v) - low) % (1 << bits) + low for v in values]


def computed(op, kind, left, right, arithmetic_shift):
    """The result on operands in the type they meet in, before it is stored, and how far it may be off."""
    if op == "where":
        return [a if i % 2 == 0 else b for i, (a, b) in enumerate(zip(left, right))], 0
    if op == "/":
        if not is_float(kind):
            left, right, kind = converted(left, "fp32"), converted(right, "fp32"), "fp32"
        exact = np.divide(left, right)
        return exact, 4 * rounding(kind, exact)
    if op == "%" and is_float(kind):
        return np.fmod(left, right), 0
    if op in ("//", "%"):
        quotients = [abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) for a, b in zip(left, right)]
        return quotients if op == "//" else [a - q * b for a, q, b in zip(left, quotients, right)], 0
    if op == ">>":  # the left operand's own type decides, whatever the operation's
        bits = width(kind)
        sign = 1 << (bits - 1)
        left = [(a + sign) % (2 * sign) - sign if arithmetic_shift else a % (2 * sign) for a in left]
    exact = [EXACT[op](a, b) for a, b in zip(left, right)]
    if op in ("<", "==") or not is_float(kind):
        return exact, 0
    return np.array(exact), rounding(kind, np.array(exact))


def stored_as(values, kind):
    return np.array(converted(values, kind), STORAGE[kind]) if not is_float(kind) else np.array(values, np.float64)


def operand(c, dtype, op, right):
    """Small numbers, negative ones too where the type has them."""
    if right and op in ("<<", ">>"):
        return c.tensor(dtype, np.zeros(N) if dtype == "i1" else c.rng.integers(0, 4, N))
    if dtype == "i1":
        return c.tensor(dtype, np.ones(N) if right and op in DIVISIONS else c.rng.integers(0, 2, N))
    values = c.rng.integers(1, 13, N)
    if is_float(dtype) or is_signed(dtype):
        values *= c.rng.choice([-1, 1], N)
    return c.tensor(dtype, values / 4 if is_float(dtype) else values)


# One operator or two of each class; their fellows of one type are in elementwise.
@each(left=ALL, op=("+", "*", "/", "//", "%", "&", "<<", ">>", "<", "maximum", "where"))
def pairs(c, left, op):
    if op in INTEGER_ONLY and is_float(left):
        left = "i32"  # an error (tests/wrong-input); the case of i32 again
    if op in ("<<", ">>") and left == "i1":
        left = "i16"  # no amount but 0 is defined
    x = operand(c, left, op, False)
    # Where two types do not meet, the slot holds a pair that does.
    partners = {name: name if meeting_type(left, name, op) else left for name in ALL}
    rights = {name: operand(c, partner, op, True) for name, partner in partners.items()}
    kinds = {name: meeting_type(left, partner, op) for name, partner in partners.items()}
    outs = {name: c.empty(result_type(kind, op), N) for name, kind in kinds.items()}
    c.launch("pairs", x_ptr=x, **rights, **{f"o_{name}": out for name, out in outs.items()},
             const=dict(OP=op, BLOCK=N), grid=(1,))
    for name, out in outs.items():
        kind = kinds[name]
        exact, bound = computed(op, kind, converted(x.value, kind), converted(rights[name].value, kind), is_signed(left))
        c.expect(out, stored_as(exact, result_type(kind, op)), bound)


LITERALS = {"True": True, "3": 3, "2**31": 2**31, "2**40": 2**40, "2**63": 2**63, "1.5": 1.5, "1e300": 1e300, "-3": -3,
            "-1.5": -1.5}


def literal_type(value):
    if isinstance(value, bool):
        return "i1"
    if isinstance(value, int):
        return next(name for name, low, high in (("i32", -2**31, 2**31), ("u32", 0, 2**32), ("i64", -2**63, 2**63),
                                                 ("u64", 0, 2**64)) if low <= value < high)
    return "fp32" if 2.0**-126 <= abs(value) <= float(np.finfo(np.float32).max) else "fp64"


def kind_beside(dtype, value, op):
    """The type of a tensor beside a literal; None where that is an error, or the target's choice."""
    rank = 0 if isinstance(value, bool) else 1 if isinstance(value, int) else 2
    own = 2 if is_float(dtype) else 0 if dtype == "i1" else 1
    if rank <= own:
        if op in INTEGER_ONLY and is_float(dtype):
            return None
        narrow = is_float(dtype) and dtype != "fp64"
        kind = "fp32" if op in DIVISIONS and narrow else dtype
    else:
        kind = meeting_type(dtype, literal_type(value), op)
    if kind is None:
        return None
    if is_float(kind):
        magnitude = abs(float(value))
        if kind in FP8 and magnitude > 100:
            return None
        return kind
    bits = width(kind)
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if is_signed(kind) else (0, 1 << bits)
    return kind if low <= int(value) < high else None


BESIDE = ("+", "*", "/", "//", "%", "&", "<")


@each(dtype=ALL, value=tuple(LITERALS))
def literals(c, dtype, value):
    number = LITERALS[value]
    kinds = {op: kind_beside(dtype, number, op) for op in BESIDE}
    if not any(kinds.values()):  # all are errors (tests/wrong-input); what the type takes instead
        number = True if dtype == "i1" else 3
        kinds = {op: kind_beside(dtype, number, op) for op in BESIDE}
    x = operand(c, dtype, "/", True)
    outs = {f"{side}{i}": c.empty(result_type(kinds[op], op) if kinds[op] else "i8", N if kinds[op] else 1)
            for i, op in enumerate(BESIDE) for side in "rl"}
    c.launch("literals", x_ptr=x, **outs, grid=(1,),
             const=dict(VALUE=number, OPS=sum(1 << i for i, op in enumerate(BESIDE) if kinds[op]), BLOCK=N))
    for i, op in enumerate(BESIDE):
        kind = kinds[op]
        if kind is None:
            for side in "rl":
                c.expect(outs[f"{side}{i}"], 0, written=False)
            continue
        held, beside = converted(x.value, kind), converted([number] * N, kind)
        with np.errstate(all="ignore"):
            for out, left, right in ((outs[f"r{i}"], held, beside), (outs[f"l{i}"], beside, held)):
                exact, bound = computed(op, kind, left, right, is_signed(dtype))
                c.expect(out, stored_as(exact, result_type(kind, op)), bound)
