# What assignment keeps at compile time and what it turns into tensors.
# RUN: nereid-frontend %s:plain x=*fp32 N=3 | FileCheck %s --check-prefix=PLAIN
# RUN: nereid-frontend %s:swap x=*fp32 | FileCheck %s --check-prefix=SWAP
# RUN: nereid-frontend %s:walrus x=*i32 n=i32 | FileCheck %s --check-prefix=WALRUS
import triton
import triton.language as tl


# PLAIN-LABEL: tt.func public @plain
# PLAIN: %[[A:.*]] = arith.constant 3 : i32
# PLAIN: %[[TWO:.*]] = arith.constant 2 : i32
# PLAIN: %[[SUM:.*]] = arith.addi %[[A]], %[[TWO]] : i32
# PLAIN-NOT: arith.addi
# PLAIN: tt.make_range {end = 8 : i32, start = 0 : i32}
@triton.jit
def plain(x, N: tl.constexpr):
    a = N  # a run-time i32 from here on
    b = a + 2
    size: tl.constexpr = N + 5  # stays known
    late: tl.constexpr
    late = size
    tl.store(x + tl.arange(0, late), b.to(tl.float32))


# SWAP-LABEL: tt.func public @swap
# SWAP-SAME: %[[X:.*]]: !tt.ptr<f32>
# SWAP: %[[A:.*]] = tt.load %[[X]]
# SWAP: %[[P:.*]] = tt.addptr %[[X]]
# SWAP: %[[B:.*]] = tt.load %[[P]]
# SWAP: tt.store %[[X]], %[[B]]
# SWAP: tt.store %{{.*}}, %[[A]]
@triton.jit
def swap(x):
    a, b = tl.load(x), tl.load(x + 1)
    a, b = b, a
    (c, d), e = (a, b), None
    if e is None:
        tl.store(x, c)
        tl.store(x + 1, d)


# WALRUS-LABEL: tt.func public @walrus
# WALRUS: %[[T:.*]] = arith.addi %arg1
# WALRUS: arith.muli %[[T]], %[[T]]
@triton.jit
def walrus(x, n):
    y = (t := n + 1) * t
    tl.store(x, y)
