# Which op each operator becomes, and the casts it implies.
# RUN: nereid-frontend %s:integers x=*i32 y=*u32 h=*i16 | FileCheck %s --check-prefix=INT
# RUN: nereid-frontend %s:floats x=*fp16 b=*bf16 n=i32 | FileCheck %s --check-prefix=FLOAT
# RUN: nereid-frontend %s:pointers x=*fp32 u=u32 n=i32 | FileCheck %s --check-prefix=PTR
# RUN: nereid-frontend %s:shapes x=*fp32 | FileCheck %s --check-prefix=SHAPE
# RUN: nereid-frontend %s:one_element x=*fp32 n=i32 | FileCheck %s --check-prefix=ONE
import triton
import triton.language as tl


# INT-LABEL: tt.func public @integers
# INT: arith.divsi
# INT: arith.remsi
# INT: arith.divui
# INT: arith.remui
# INT: arith.shrsi
# INT: arith.shrui
# INT: arith.cmpi slt
# INT: arith.cmpi ult
# INT: arith.extsi %{{.*}} : i16 to i32
# INT: arith.sitofp %{{.*}} : i32 to f32
# INT: arith.sitofp %{{.*}} : i32 to f32
# INT: arith.divf
# INT: %[[ONES:.*]] = arith.constant -1 : i32
# INT: arith.xori %{{.*}}, %[[ONES]]
# INT: arith.subi %{{.*}}, %{{.*}} : i32
@triton.jit
def integers(x, y, h):
    a = tl.load(x)
    b = tl.load(x + 1)
    u = tl.load(y)
    v = tl.load(y + 1)
    q = a // b
    r = a % b
    s = u // v
    t = u % v
    c = a >> b
    d = u >> v
    e = a < b
    f = u < v
    g = a + tl.load(h)
    i = a / b
    j = ~a
    k = -a


# Half precision stays half with a literal, bf16 with f16 is f16, / is fp32.
# FLOAT-LABEL: tt.func public @floats
# FLOAT: %[[LIT:.*]] = arith.constant 2.000000e+00 : f16
# FLOAT: arith.mulf %{{.*}}, %[[LIT]] : f16
# FLOAT: arith.extf %{{.*}} : bf16 to f32
# FLOAT: arith.truncf %{{.*}} : f32 to f16
# FLOAT: arith.addf %{{.*}} : f16
# FLOAT: arith.sitofp %arg2 : i32 to f32
# FLOAT: arith.addf %{{.*}} : f32
# FLOAT: arith.divf %{{.*}} : f32
# FLOAT: arith.remf %{{.*}} : f32
# FLOAT: arith.cmpf oeq
# FLOAT: arith.cmpf une
# FLOAT: arith.cmpf olt
@triton.jit
def floats(x, b, n):
    a = tl.load(x)
    c = tl.load(b)
    d = a * 2.0
    e = a + c
    f = c + n
    g = a / 3.0
    h = a % 3.0
    i = a == a
    j = a != a
    k = a < a


# An unsigned offset is widened, a signed one is taken as it is.
# PTR-LABEL: tt.func public @pointers
# PTR: arith.extui %arg1 : i32 to i64
# PTR-NOT: arith.ext
@triton.jit
def pointers(x, u, n):
    a = tl.load(x + u)
    b = tl.load(n + x)
    c = tl.load(x - n)


# SHAPE-LABEL: tt.func public @shapes
# SHAPE: tt.expand_dims %{{.*}} {axis = 1 : i32} : tensor<8xi32> -> tensor<8x1xi32>
# SHAPE: tt.expand_dims %{{.*}} {axis = 0 : i32} : tensor<4xi32> -> tensor<1x4xi32>
# SHAPE: tt.broadcast %{{.*}} : tensor<8x1xi32> -> tensor<8x4xi32>
# SHAPE: tt.broadcast %{{.*}} : tensor<1x4xi32> -> tensor<8x4xi32>
# SHAPE: tt.expand_dims %{{.*}} {axis = 0 : i32} : tensor<4xi32> -> tensor<1x4xi32>
@triton.jit
def shapes(x):
    rows = tl.arange(0, 8)
    cols = tl.arange(0, 4)
    both = rows[:, None] + cols[None, :]
    padded = both + cols
    tl.store(x + padded, 0.0)


# A scalar takes None and ':' too: one element.
# ONE-LABEL: tt.func public @one_element
# ONE: tt.splat %{{.*}} : i32 -> tensor<1xi32>
# ONE: tt.splat %{{.*}} : i32 -> tensor<1xi32>
# ONE: tt.broadcast %{{.*}} : tensor<1x1xi32> -> tensor<4x1xi32>
@triton.jit
def one_element(x, n):
    sum = n[:, None] + n[None, :]
    cols = tl.arange(0, 4)[:, None]
    tl.store(x + cols + sum, 0.0)
