# Philox 4x32 against an implementation of its definition, and against known answers.
from harness import *

MASK = np.uint64(0xFFFFFFFF)


def philox(seed, offsets, rounds=10):
    """Four u32 arrays."""
    offsets = np.asarray(offsets, dtype=np.uint64)
    c0, c1 = offsets & MASK, offsets >> np.uint64(32)
    c2, c3 = np.zeros_like(c0), np.zeros_like(c0)
    k0, k1 = np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32 & 0xFFFFFFFF)
    a, b = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    for _ in range(rounds):
        high_a, low_a = (a * c0) >> np.uint64(32), (a * c0) & MASK
        high_b, low_b = (b * c2) >> np.uint64(32), (b * c2) & MASK
        c0, c1, c2, c3 = high_b ^ c1 ^ k0, low_b, high_a ^ c3 ^ k1, low_a
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & MASK, (k1 + np.uint64(0xBB67AE85)) & MASK
    return [c.astype(np.uint32) for c in (c0, c1, c2, c3)]


def to_uniform(bits):
    signed = bits.view(np.int32)
    return np.where(signed < 0, ~signed, signed).astype(np.float32) * np.float32(4.6566127342e-10)


@each(seed=(0, 42, 2**31 - 1), first=(0, 1000), n=(100,))
def integers(c, seed, first, n):
    out = c.empty("i32", (n, 4))
    c.launch("integers", out_ptr=out, seed=seed, first=first, n=n, const=dict(BLOCK=64), grid=(cdiv(n, 64),))
    c.expect(out, np.stack(philox(seed, first + np.arange(n)), axis=1).view(np.int32))


@each()
def known_answers(c):
    out = c.empty("i32", (4, 4))
    c.launch("integers", out_ptr=out, seed=42, first=0, n=4, const=dict(BLOCK=4), grid=(1,))
    known = [[0x9ceaf053, 0x77f5493b, 0x12bf50ad, 0x5742b3d7], [0xfcdb2127, 0x53ba6cfd, 0x838f5a6e, 0x744e06fb],
             [0xd36c0225, 0xa8875dcb, 0x9a4d6d99, 0xc609a559], [0xbac70475, 0xabaf0dab, 0x961e5543, 0x610e67f7]]
    c.expect(out, np.array(known, dtype=np.uint32).view(np.int32))


@each(seed=(5, 2**40 + 7), n=(1000,))
def uniform(c, seed, n):
    out, bits = c.empty("fp32", n), c.empty("i32", n)
    c.launch("uniform", out_ptr=out, int_ptr=bits, seed=seed, n=n, types=dict(seed="i64"), const=dict(BLOCK=256),
             grid=(cdiv(n, 256),))
    first = philox(seed, np.arange(n))[0]
    c.expect(out, to_uniform(first))
    c.expect(bits, first.view(np.int32))


@each(seed=(5,), n=(1000,))
def normal(c, seed, n):
    out = c.empty("fp32", n)
    c.launch("normal", out_ptr=out, seed=seed, n=n, const=dict(BLOCK=256), grid=(cdiv(n, 256),))
    first, second = (to_uniform(bits).astype(np.float64) for bits in philox(seed, np.arange(n))[:2])
    first = np.maximum(first, np.float32(1.0e-7))
    angle = float(np.float32(6.283185307179586)) * second
    radius = np.sqrt(-2 * np.log(first))
    # cos of an angle rounded once (up to 2 pi u) and known to 3 ulp; log and sqrt a few ulp, absolute near log 1 = 0.
    u = unit("fp32")
    log_error = 8 * u * np.abs(np.log(first)) + 2 * u * 1e-6
    error = radius * (6.3 + 8) * u + log_error / np.maximum(radius, 1e-4) + 8 * u * radius
    c.expect(out, radius * np.cos(angle), error)


@each(count=(1, 5, 7))
def rounds(c, count):
    out = c.empty("i32", 50)
    c.launch("rounds", out_ptr=out, seed=9, n=50, const=dict(ROUNDS=count, BLOCK=64), grid=(1,))
    c.expect(out, philox(9, np.arange(50), count)[0].view(np.int32))


@each(p=(0.0, 0.5, 0.9), n=(300,))
def dropout(c, p, n):
    x, out = c.normal("fp32", n), c.empty("fp32", n)
    c.launch("dropout", x_ptr=x, out_ptr=out, n=n, p=p, seed=123, const=dict(BLOCK=128), grid=(cdiv(n, 128),))
    kept = to_uniform(philox(123, np.arange(n))[0]) > np.float32(p)
    exact = np.where(kept, x.value / (1 - float(np.float32(p))), 0)
    c.expect(out, exact, 8 * rounding("fp32", exact))
