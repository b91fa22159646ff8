# Block pointers and tensor descriptors, made in the kernel and by the host.
import triton
import triton.language as tl


@triton.jit
def copy(x_ptr, out_ptr, m, n, xs, os, PADDING: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    x = tl.make_block_ptr(x_ptr, shape=(m, n), strides=(xs, 1), offsets=(tl.program_id(0) * BM, 0),
                          block_shape=(BM, BN), order=(1, 0))
    o = tl.make_block_ptr(out_ptr, shape=(m, n), strides=(os, 1), offsets=(tl.program_id(0) * BM, 0),
                          block_shape=(BM, BN), order=(1, 0))
    for _ in range(0, n, BN):
        v = tl.load(x, boundary_check=(0, 1), padding_option=PADDING)
        tl.store(o, v, boundary_check=(0, 1))
        x = tl.advance(x, (0, BN))
        o = tl.advance(o, (0, BN))


@triton.jit
def padding(x_ptr, out_ptr, n, PADDING: tl.constexpr, BLOCK: tl.constexpr):
    x = tl.make_block_ptr(x_ptr, (n,), (1,), (tl.program_id(0) * BLOCK,), (BLOCK,), (0,))
    v = tl.load(x, boundary_check=(0,), padding_option=PADDING)
    tl.store(out_ptr + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), v)


@triton.jit
def matmul(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    # A row-major, B column-major.
    a = tl.make_block_ptr(a_ptr, (M, K), (K, 1), (tl.program_id(0) * BM, 0), (BM, BK), (1, 0))
    b = tl.make_block_ptr(b_ptr, (K, N), (1, K), (0, tl.program_id(1) * BN), (BK, BN), (0, 1))
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, K, BK):
        acc += tl.dot(tl.load(a, boundary_check=(0, 1), padding_option="zero"),
                      tl.load(b, boundary_check=(0, 1), padding_option="zero"))
        a = tl.advance(a, (0, BK))
        b = tl.advance(b, (BK, 0))
    c = tl.make_block_ptr(c_ptr, (M, N), (N, 1), (tl.program_id(0) * BM, tl.program_id(1) * BN), (BM, BN), (1, 0))
    tl.store(c, acc.to(c_ptr.dtype.element_ty), boundary_check=(0, 1))


@triton.jit
def device_descriptor(x_ptr, out_ptr, m, n, xs, BM: tl.constexpr, BN: tl.constexpr):
    # Doubles a padded matrix, block by block, past both edges.
    x = tl.make_tensor_descriptor(x_ptr, shape=[m, n], strides=[xs, 1], block_shape=[BM, BN])
    out = tl.make_tensor_descriptor(out_ptr, shape=[m, n], strides=[xs, 1], block_shape=[BM, BN])
    i = tl.program_id(0) * BM
    for j in range(0, n, BN):
        out.store([i, j], x.load([i, j]) * 2)


@triton.jit
def nan_padding(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    x = tl.make_tensor_descriptor(x_ptr, shape=[n], strides=[1], block_shape=[BLOCK], padding_option="nan")
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offs, x.load([tl.program_id(0) * BLOCK]))


@triton.jit
def batch_descriptor(x_ptr, out_ptr, b, m, n, BM: tl.constexpr, BN: tl.constexpr):
    # Three dimensions with a block of one in the first.
    x = tl.make_tensor_descriptor(x_ptr, shape=[b, m, n], strides=[m * n, n, 1], block_shape=[1, BM, BN])
    v = x.load([tl.program_id(0), tl.program_id(1) * BM, 0]).reshape(BM, BN)
    i = tl.program_id(1) * BM + tl.arange(0, BM)
    j = tl.arange(0, BN)
    tl.store(out_ptr + tl.program_id(0) * m * n + i[:, None] * n + j[None, :], -v,
             mask=(i[:, None] < m) & (j[None, :] < n))


@triton.jit
def host_descriptor(x_desc, out_desc, BM: tl.constexpr, BN: tl.constexpr):
    i = tl.program_id(0) * BM
    j = tl.program_id(1) * BN
    out_desc.store([i, j], x_desc.load([i, j]) + 1.0)


@triton.jit
def descriptor_atomics(x_ptr, out_ptr, m, n, BM: tl.constexpr, BN: tl.constexpr):
    x = tl.make_tensor_descriptor(x_ptr, [m, n], [n, 1], [BM, BN])
    out = tl.make_tensor_descriptor(out_ptr, [BM, n], [n, 1], [BM, BN])
    out.atomic_add([0, 0], x.load([tl.program_id(0) * BM, 0]))


@triton.jit
def descriptor_gather(x_ptr, index_ptr, out_ptr, rows, cols, COUNT: tl.constexpr, BN: tl.constexpr):
    x = tl.make_tensor_descriptor(x_ptr, [rows, cols], [cols, 1], [1, BN])
    index = tl.load(index_ptr + tl.arange(0, COUNT))
    v = x.gather(index, 0)
    tl.store(out_ptr + tl.arange(0, COUNT)[:, None] * BN + tl.arange(0, BN)[None, :], v)
