# Shapes: reshape, permute, join and split, cat, expand and broadcast, up to five dimensions.
import triton
import triton.language as tl


@triton.jit
def transpose(x_ptr, out_ptr, HOW: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    i = tl.arange(0, M)
    j = tl.arange(0, N)
    x = tl.load(x_ptr + i[:, None] * N + j[None, :])
    if HOW == "trans":
        y = tl.trans(x)
    elif HOW == ".T":
        y = x.T
    elif HOW == "permute":
        y = tl.permute(x, (1, 0))
    else:
        y = x.permute(1, 0)
    tl.store(out_ptr + j[:, None] * M + i[None, :], y)


@triton.jit
def permute3(x_ptr, out_ptr, D0: tl.constexpr, D1: tl.constexpr, D2: tl.constexpr, A: tl.constexpr, B: tl.constexpr,
             C: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, A)[:, None, None] * (B * C) + tl.arange(0, B)[None, :, None] * C +
                tl.arange(0, C)[None, None, :])
    y = tl.permute(x, (D0, D1, D2))
    P: tl.constexpr = y.shape[0]
    Q: tl.constexpr = y.shape[1]
    R: tl.constexpr = y.shape[2]
    tl.store(out_ptr + tl.arange(0, P)[:, None, None] * (Q * R) + tl.arange(0, Q)[None, :, None] * R +
             tl.arange(0, R)[None, None, :], y)


@triton.jit
def reshape(x_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr):
    # Row sums of a reshaped block show how the elements moved.
    x = tl.load(x_ptr + tl.arange(0, M * N))
    y = tl.reshape(x, (M, N))
    tl.store(out_ptr + tl.arange(0, M), tl.sum(y, axis=1))
    z = tl.reshape(y, (N, M))
    tl.store(out_ptr + M + tl.arange(0, N), tl.sum(z, axis=1))
    tl.store(out_ptr + M + N + tl.arange(0, M * N), tl.ravel(z))


@triton.jit
def split_heads(x_ptr, out_ptr, T: tl.constexpr, H: tl.constexpr, D: tl.constexpr):
    # (T, H * D) to (H, T, D): what attention code does.
    x = tl.load(x_ptr + tl.arange(0, T)[:, None] * (H * D) + tl.arange(0, H * D)[None, :])
    y = tl.permute(tl.reshape(x, (T, H, D)), (1, 0, 2))
    tl.store(out_ptr + tl.arange(0, H)[:, None, None] * (T * D) + tl.arange(0, T)[None, :, None] * D +
             tl.arange(0, D)[None, None, :], y)


@triton.jit
def join_split(x_ptr, y_ptr, joined_ptr, sum_ptr, inter_ptr, N: tl.constexpr):
    offs = tl.arange(0, N)
    x = tl.load(x_ptr + offs)
    y = tl.load(y_ptr + offs)
    j = tl.join(x, y)
    tl.store(joined_ptr + offs[:, None] * 2 + tl.arange(0, 2)[None, :], j)
    a, b = tl.split(j)
    tl.store(sum_ptr + offs, a - b)
    tl.store(inter_ptr + tl.arange(0, 2 * N), tl.interleave(x, y))


@triton.jit
def even_odd(x_ptr, out_ptr, N: tl.constexpr):
    # Neighbours taken apart, as rotary embeddings do.
    x = tl.load(x_ptr + tl.arange(0, 2 * N))
    even, odd = tl.split(tl.reshape(x, (N, 2)))
    tl.store(out_ptr + tl.arange(0, 2 * N), tl.interleave(-odd, even))


@triton.jit
def concatenate(x_ptr, y_ptr, out_ptr, N: tl.constexpr):
    offs = tl.arange(0, N)
    z = tl.cat(tl.load(x_ptr + offs), tl.load(y_ptr + offs), can_reorder=True)
    # can_reorder: only the multiset is promised.
    tl.store(out_ptr, tl.sum(z, axis=0))
    tl.store(out_ptr + 1, tl.max(z, axis=0))


@triton.jit
def expand(x_ptr, out_ptr, A: tl.constexpr, B: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, B))
    y = tl.expand_dims(x, 0)
    z = tl.broadcast_to(y, (A, B))
    w = x[None, None, :] + tl.zeros((2, A, B), x.dtype)
    same, _ = tl.broadcast(y, z)
    tl.static_assert(same.shape[0] == A)
    r = z + tl.sum(w, axis=0) + same
    tl.store(out_ptr + tl.arange(0, A)[:, None] * B + tl.arange(0, B)[None, :], r)


@triton.jit
def five_dimensions(x_ptr, out_ptr, A: tl.constexpr, B: tl.constexpr, C: tl.constexpr, D: tl.constexpr,
                    E: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, A * B * C * D * E))
    y = tl.permute(tl.reshape(x, (A, B, C, D, E)), (4, 1, 3, 0, 2))
    tl.store(out_ptr + tl.arange(0, A * B * C * D * E), tl.reshape(y, (A * B * C * D * E,)))


@triton.jit
def creation(out_ptr, value, N: tl.constexpr):
    offs = tl.arange(0, N)
    a = tl.full((N,), 3, tl.int32)
    b = tl.full([N], value, tl.int32)
    z = tl.zeros((N,), tl.int32) + tl.zeros_like(a)
    tl.store(out_ptr + offs, a * 100 + b + z + tl.arange(N, 2 * N))


@triton.jit
def to_scalar(x_ptr, out_ptr):
    x = tl.load(x_ptr + tl.arange(0, 1))
    tl.store(out_ptr, tl.reshape(x, []) + 1)
    tl.store(out_ptr + 1, x.item() * 2)


@triton.jit
def flips(x_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr):
    place = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    x = tl.load(x_ptr + place)
    tl.store(out_ptr + place, tl.flip(x, 1))
    tl.store(out_ptr + M * N + place, tl.flip(x, 0))


@triton.jit
def swizzle(out_ptr, M: tl.constexpr, N: tl.constexpr, G: tl.constexpr):
    i, j = tl.swizzle2d(tl.program_id(0), tl.program_id(1), M, N, G)
    tl.store(out_ptr + i * N + j, tl.program_id(0) * N + tl.program_id(1))
