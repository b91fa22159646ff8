# Calls of jit functions: one instance for each set of types and constants.
# RUN: nereid-frontend %s:memoised x=*fp32 n=i32 | FileCheck %s --check-prefix=MEMO
# RUN: nereid-frontend %s:arguments x=*fp32 n=i32 | FileCheck %s --check-prefix=ARGS
# RUN: nereid-frontend %s:returns x=*fp32 n=i32 | FileCheck %s --check-prefix=RET
# RUN: nereid-frontend %s:higher x=*fp32 OP=square | FileCheck %s --check-prefix=HIGHER
# RUN: nereid-frontend %s:recursion x=*fp32 | FileCheck %s --check-prefix=REC
import triton
import triton.language as tl


@triton.jit
def square(a):
    return a * a


@triton.jit(noinline=True)
def cube(a):
    return a * a * a


# Three calls, two types: two instances.
# MEMO-LABEL: tt.func public @memoised
# MEMO: tt.call @[[F:.*square__fp32]](
# MEMO: tt.call @[[I:.*square__i32]](
# MEMO: tt.call @[[F]](
# MEMO: tt.call @[[C:.*cube__fp32]](
# MEMO: tt.func private @[[F]](%{{.*}}: f32) -> f32 attributes {noinline = false}
# MEMO: tt.func private @[[I]](%{{.*}}: i32) -> i32
# MEMO: tt.func private @[[C]](%{{.*}}: f32) -> f32 attributes {noinline = true}
# MEMO-NOT: tt.func
@triton.jit
def memoised(x, n):
    a = square(tl.load(x))
    b = square(n)
    c = square(a)
    tl.store(x + b, cube(c))


@triton.jit
def affine(a, scale=2.0, shift=0):
    return a * scale + shift


@triton.jit
def total(first, *rest):
    for i in tl.static_range(len(rest)):
        first += rest[i]
    return first


# ARGS-LABEL: tt.func public @arguments
# ARGS: tt.call @{{.*}}affine__fp32_c2.0_c0(%{{.*}}) : (f32) -> f32
# ARGS: tt.call @{{.*}}affine__fp32_c2.0_i32(%{{.*}}, %arg1) : (f32, i32) -> f32
# ARGS: tt.call @{{.*}}total__fp32_Tfp32_i32_c3T(%{{.*}}, %{{.*}}, %arg1) : (f32, f32, i32) -> f32
@triton.jit
def arguments(x, n):
    a = tl.load(x)
    b = affine(a)
    c = affine(a, shift=n)
    more = (c, n, 3)
    tl.store(x, total(b, c, n, 3))


@triton.jit
def pair(a):
    return a + 1, 7


@triton.jit
def pick(n):
    if n > 0:
        return 1
    return 2


# A result known at compile time is no result of the IR function; results that
# differ become tensors.
# RET-LABEL: tt.func public @returns
# RET: tt.call @{{.*}}pair__i32(%arg1) : (i32) -> i32
# RET: tt.make_range {end = 8 : i32
# RET: tt.call @{{.*}}pick__i32(%arg1) : (i32) -> i32
@triton.jit
def returns(x, n):
    a, k = pair(n)
    tl.store(x + tl.arange(0, pair(n)[1] + 1), a.to(tl.float32))
    tl.store(x, pick(n).to(tl.float32))


# HIGHER-LABEL: tt.func public @higher
# HIGHER: tt.call @{{.*}}square__fp32
@triton.jit
def higher(x, OP: tl.constexpr):
    tl.store(x, OP(tl.load(x)))


@triton.jit
def power(a, N: tl.constexpr):
    if N == 0:
        return 1.0
    return a * power(a, N - 1)


# REC-LABEL: tt.func public @recursion
# REC: tt.call @{{.*}}power__fp32_c2
# REC: tt.func private @{{.*}}power__fp32_c2
# REC: tt.call @{{.*}}power__fp32_c1
# REC: tt.func private @{{.*}}power__fp32_c1
# REC: tt.call @{{.*}}power__fp32_c0(%arg0) : (f32) -> ()
# REC-NOT: tt.call
@triton.jit
def recursion(x):
    tl.store(x, power(tl.load(x), 2))
