# Read by the tests' own compiler (FakeCompiler.cpp), which knows one-line
# definitions and the comments above them.
import triton
import triton.language as tl


@triton.jit
def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pass


# fake-config: BLOCK_M=64 num_warps=4
# fake-config: BLOCK_M=128 num_warps=8
@triton.jit
def matmul(a, b, c, M, N, K, stride_ak, scale, ACT: tl.constexpr = None, BLOCK_M: tl.constexpr = 32):
    pass


# fake-error: cannot understand 'foo'
@triton.jit
def broken(x):
    pass


# fake-import: helper.py
@triton.jit
def imports(x):
    pass


# fake-warning: 'x' is never used
@triton.jit
def warns(x):
    pass


@triton.jit
def strided(a_ptr, b_ptr, stride_am, stride_ak, b_stride_0, b_stride_1, n, m, eps, flag, BLOCK: tl.constexpr):
    pass
