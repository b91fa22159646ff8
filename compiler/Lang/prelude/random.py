# Random numbers of triton.language: the counter-based generator Philox 4x with
# 32-bit or 64-bit counters, and distributions on top of it.
import triton
import triton.language as tl

N_ROUNDS_DEFAULT = tl.constexpr(10)


@triton.jit
def philox_impl(c0, c1, c2, c3, k0, k1, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    if c0.dtype == tl.uint32:
        key_step_a: tl.constexpr = 0x9E3779B9
        key_step_b: tl.constexpr = 0xBB67AE85
        factor_a: tl.constexpr = 0xD2511F53
        factor_b: tl.constexpr = 0xCD9E8D57
    else:
        tl.static_assert(c0.dtype == tl.uint64, "philox_impl takes u32 or u64 counters")
        key_step_a: tl.constexpr = 0x9E3779B97F4A7C15
        key_step_b: tl.constexpr = 0xBB67AE8584CAA73B
        factor_a: tl.constexpr = 0xD2E7470EE14C6C93
        factor_b: tl.constexpr = 0xCA5A826395121157
    for _ in tl.static_range(n_rounds):
        old0, old2 = c0, c2
        a = tl.full((), factor_a, c0.dtype)
        b = tl.full((), factor_b, c0.dtype)
        c0 = tl.umulhi(b, old2) ^ c1 ^ k0
        c2 = tl.umulhi(a, old0) ^ c3 ^ k1
        c1 = tl.mul(b, old2, sanitize_overflow=False)
        c3 = tl.mul(a, old0, sanitize_overflow=False)
        k0 = tl.add(k0, key_step_a, sanitize_overflow=False)
        k1 = tl.add(k1, key_step_b, sanitize_overflow=False)
    return c0, c1, c2, c3


@triton.jit
def philox(seed, c0, c1, c2, c3, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    wide_seed = tl.to_tensor(seed).to(tl.uint64)
    c0 = tl.to_tensor(c0)
    c1 = tl.to_tensor(c1)
    c2 = tl.to_tensor(c2)
    c3 = tl.to_tensor(c3)
    if c0.dtype.primitive_bitwidth == 32:
        word: tl.constexpr = tl.uint32
        k1 = ((wide_seed >> 32) & 0xFFFFFFFF).to(tl.uint32)
        k0 = (wide_seed & 0xFFFFFFFF).to(tl.uint32)
    else:
        tl.static_assert(c0.dtype.primitive_bitwidth == 64, "philox takes 32-bit or 64-bit counters")
        word: tl.constexpr = tl.uint64
        k0 = wide_seed
        k1 = tl.full((), 0, tl.uint64)
    c0 = c0.to(word, bitcast=True)
    c1 = c1.to(word, bitcast=True)
    c2 = c2.to(word, bitcast=True)
    c3 = c3.to(word, bitcast=True)
    return philox_impl(c0, c1, c2, c3, k0, k1, n_rounds)


@triton.jit
def randint4x(seed, offset, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    low = tl.to_tensor(offset)
    zero = low * 0
    if low.dtype.primitive_bitwidth > 32:
        high = (low >> 32).to(tl.uint32)
        low32 = low.to(tl.uint32)
        zero32 = zero.to(tl.uint32)
        return philox(seed, low32, high, zero32, zero32, n_rounds)
    else:
        return philox(seed, low, zero, zero, zero, n_rounds)


@triton.jit
def randint(seed, offset, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    first, _, _, _ = randint4x(seed, offset, n_rounds)
    return first


@triton.jit
def uint_to_uniform_float(x):
    # Half of the range is folded onto the other, so that 0 <= result < 1.
    if x.dtype == tl.uint32 or x.dtype == tl.int32:
        bits = x.to(tl.int32, bitcast=True)
        scale: tl.constexpr = 4.6566127342e-10
    else:
        tl.static_assert(x.dtype == tl.uint64 or x.dtype == tl.int64, "uint_to_uniform_float takes 32-bit or 64-bit integers")
        bits = x.to(tl.int64, bitcast=True)
        scale: tl.constexpr = 1.0842020432385337e-19
    folded = tl.where(bits < 0, -bits - 1, bits)
    return folded * scale


@triton.jit
def rand(seed, offset, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    return uint_to_uniform_float(randint(seed, offset, n_rounds))


@triton.jit
def rand4x(seed, offset, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    i1, i2, i3, i4 = randint4x(seed, offset, n_rounds)
    return uint_to_uniform_float(i1), uint_to_uniform_float(i2), uint_to_uniform_float(i3), uint_to_uniform_float(i4)


@triton.jit
def pair_uniform_to_normal(u1, u2):
    # Box and Muller's transform; the logarithm must not see 0.
    u1 = tl.maximum(1.0e-7, u1)
    angle = 6.283185307179586 * u2
    radius = tl.sqrt(-2.0 * tl.log(u1))
    return radius * tl.cos(angle), radius * tl.sin(angle)


@triton.jit
def randn(seed, offset, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    i1, i2, _, _ = randint4x(seed, offset, n_rounds)
    normal, _ = pair_uniform_to_normal(uint_to_uniform_float(i1), uint_to_uniform_float(i2))
    return normal


@triton.jit
def randn4x(seed, offset, n_rounds: tl.constexpr = N_ROUNDS_DEFAULT):
    u1, u2, u3, u4 = rand4x(seed, offset, n_rounds)
    n1, n2 = pair_uniform_to_normal(u1, u2)
    n3, n4 = pair_uniform_to_normal(u3, u4)
    return n1, n2, n3, n4
