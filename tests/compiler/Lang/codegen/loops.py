# Loops: what is carried, how ranges are made, and their hints.
# RUN: nereid-frontend %s:carried x=*fp32 n=i32 | FileCheck %s --check-prefix=CARRIED
# RUN: nereid-frontend %s:down x=*fp32 n=i32 | FileCheck %s --check-prefix=DOWN
# RUN: nereid-frontend %s:mixed x=*fp32 n=i64 m=i32 | FileCheck %s --check-prefix=MIXED
# RUN: nereid-frontend %s:hints x=*fp32 n=i32 | FileCheck %s --check-prefix=HINTS
# RUN: nereid-frontend %s:unrolled x=*fp32 | FileCheck %s --check-prefix=UNROLLED
# RUN: nereid-frontend %s:loop_while x=*fp32 n=i32 | FileCheck %s --check-prefix=WHILE
import triton
import triton.language as tl


# Only what changes is carried: `a` keeps its value, `t` is the body's own.
# CARRIED-LABEL: tt.func public @carried
# CARRIED: %[[A:.*]] = tt.load
# CARRIED: %[[R:.*]]:2 = scf.for %[[I:.*]] = %{{.*}} to %arg1 step %{{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[P:.*]] = %{{.*}}) -> (f32, !tt.ptr<f32>) : i32 {
# CARRIED:   %[[T:.*]] = arith.mulf %{{.*}}, %[[A]]
# CARRIED:   %[[S2:.*]] = arith.addf %[[S]], %[[T]]
# CARRIED:   %[[P2:.*]] = tt.addptr %[[P]]
# CARRIED:   scf.yield %[[S2]], %[[P2]]
# CARRIED: tt.store %{{.*}}, %[[R]]#0
@triton.jit
def carried(x, n):
    a = tl.load(x)
    s = 0.0
    p = x
    for i in range(n):
        t = tl.load(p) * a
        a = a
        s += t
        p += 1
        i = i + 100  # does not touch the iteration
    tl.store(x, s)


# DOWN-LABEL: tt.func public @down
# DOWN: %[[ZERO:.*]] = arith.constant 0 : i32
# DOWN: %[[STEP:.*]] = arith.constant 2 : i32
# DOWN: scf.for %[[I:.*]] = %[[ZERO]] to %arg1 step %[[STEP]]
# DOWN:   %[[B:.*]] = arith.subi %arg1, %[[I]] : i32
# DOWN:   arith.addi %[[B]], %[[ZERO]] : i32
@triton.jit
def down(x, n):
    for i in range(n, 0, -2):
        tl.store(x + i, 1.0)


# The variable takes the promoted type of start, end and step.
# MIXED-LABEL: tt.func public @mixed
# MIXED: %[[M:.*]] = arith.extsi %arg2 : i32 to i64
# MIXED: scf.for %{{.*}} = %[[M]] to %arg1 step %{{.*}} : i64
@triton.jit
def mixed(x, n, m):
    for i in range(m, n):
        tl.store(x + i, 1.0)


# HINTS-LABEL: tt.func public @hints
# HINTS: scf.for
# HINTS: } {llvm.loop_annotation = #{{.*}}, tt.disallow_acc_multi_buffer, tt.flatten, tt.loop_unroll_factor = 4 : i32, tt.num_stages = 3 : i32, tt.warp_specialize}
@triton.jit
def hints(x, n):
    for i in tl.range(0, n, 1, num_stages=3, loop_unroll_factor=4, disallow_acc_multi_buffer=True, flatten=True,
                      warp_specialize=True, disable_licm=True):
        tl.store(x + i, 1.0)


# A type may change from one unrolled iteration to the next.
# UNROLLED-LABEL: tt.func public @unrolled
# UNROLLED-NOT: scf.for
# UNROLLED: tt.make_range {end = 4 : i32
# UNROLLED: tt.make_range {end = 8 : i32
# UNROLLED: tt.make_range {end = 16 : i32
# UNROLLED-NOT: tt.make_range
@triton.jit
def unrolled(x):
    for i in tl.static_range(2, 5):
        offsets = tl.arange(0, 2**i)
        tl.store(x + offsets, 1.0)


# WHILE-LABEL: tt.func public @loop_while
# WHILE: %[[R:.*]]:2 = scf.while (%[[N:.*]] = %arg1, %[[S:.*]] = %{{.*}}) : (i32, f32) -> (i32, f32) {
# WHILE:   %[[C:.*]] = arith.cmpi sgt, %[[N]]
# WHILE:   scf.condition(%[[C]]) %[[N]], %[[S]]
# WHILE: ^bb0(%[[N2:.*]]: i32, %[[S2:.*]]: f32):
# WHILE:   scf.yield
# WHILE: } attributes {llvm.loop_annotation
# WHILE: tt.store %{{.*}}, %[[R]]#1
@triton.jit
def loop_while(x, n):
    s = 0.0
    k = 7
    while tl.condition(n > k, disable_licm=True):
        s += tl.load(x + n)
        n -= 1
    tl.store(x, s)
