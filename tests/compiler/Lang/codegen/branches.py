# Compile-time branches vanish unchecked; run-time ones become scf.if, and
# control-flow blocks when they return.
# RUN: nereid-frontend %s:folded x=*fp32 MODE=\'fast\' FLAG=None | FileCheck %s --check-prefix=FOLDED
# RUN: nereid-frontend %s:merged x=*fp32 n=i32 | FileCheck %s --check-prefix=MERGED
# RUN: nereid-frontend %s:early x=*fp32 n=i32 | FileCheck %s --check-prefix=EARLY
# RUN: nereid-frontend %s:both x=*fp32 n=i32 | FileCheck %s --check-prefix=BOTH
# RUN: nereid-frontend %s:ternary x=*fp32 n=i32 | FileCheck %s --check-prefix=TERNARY
# RUN: nereid-frontend %s:logic x=*fp32 n=i32 K=1 | FileCheck %s --check-prefix=LOGIC
import triton
import triton.language as tl


# FOLDED-LABEL: tt.func public @folded
# FOLDED-NOT: scf.if
# FOLDED: %[[C:.*]] = arith.constant 2.000000e+00
# FOLDED: tt.store %{{.*}}, %[[C]]
# FOLDED: tt.return
@triton.jit
def folded(x, MODE: tl.constexpr, FLAG: tl.constexpr):
    if MODE == "slow":
        undefined_function(x)
    elif MODE == "fast" and FLAG is None:
        tl.store(x, 2.0)
    else:
        raise ValueError("unknown mode")
    if FLAG:
        tl.arange(0, 3)


# MERGED-LABEL: tt.func public @merged
# MERGED: %[[A:.*]] = arith.constant 1.000000e+00 : f32
# MERGED: %[[R:.*]]:2 = scf.if %{{.*}} -> (f32, i32) {
# MERGED:   scf.yield %{{.*}}, %{{.*}} : f32, i32
# MERGED: } else {
# MERGED:   scf.yield %[[A]], %{{.*}} : f32, i32
# MERGED: }
# MERGED: tt.addptr %arg0, %[[R]]#1
# MERGED: tt.store %{{.*}}, %[[R]]#0
@triton.jit
def merged(x, n):
    a = 1.0
    same = a
    if n > 3:
        a = 2.0
        i = n
    else:
        i = n + 1
    tl.store(x + i, a)
    tl.store(x, same)


# EARLY-LABEL: tt.func public @early
# EARLY: cf.cond_br %{{.*}}, ^[[THEN:.*]], ^[[ELSE:.*]]
# EARLY: ^[[THEN]]:
# EARLY: tt.return
# EARLY: ^[[ELSE]]:
# EARLY: cf.br ^[[END:.*]]
# EARLY: ^[[END]]:
# EARLY: tt.store
# EARLY: tt.return
@triton.jit
def early(x, n):
    if n <= 0:
        return
    else:
        value = tl.load(x)
    tl.store(x + n, value)  # the other branch has returned


# Both sides return, so what follows is never reached, nor checked.
# BOTH-LABEL: tt.func public @both
# BOTH: cf.cond_br
# BOTH: tt.return
# BOTH: tt.store
# BOTH: tt.return
# BOTH-NOT: tt.
@triton.jit
def both(x, n):
    if n <= 0:
        return
    else:
        tl.store(x, 1.0)
        return
    undefined_function(x)


# TERNARY-LABEL: tt.func public @ternary
# TERNARY: %[[R:.*]] = scf.if %{{.*}} -> (f32)
# TERNARY: tt.store %{{.*}}, %[[R]]
@triton.jit
def ternary(x, n):
    a = 1.0 if n > 0 else tl.load(x)
    b = 5 if tl.constexpr(True) else undefined_function(x)
    tl.store(x + b, a)


# Compile-time operands drop out of `and` and `or`.
# LOGIC-LABEL: tt.func public @logic
# LOGIC: %[[A:.*]] = arith.cmpi sgt, %arg1
# LOGIC-NEXT: scf.if %[[A]]
# LOGIC: %[[B:.*]] = arith.cmpi slt
# LOGIC: %[[C:.*]] = arith.cmpi eq
# LOGIC: %[[D:.*]] = arith.ori %[[B]], %[[C]] : i1
# LOGIC: arith.xori %[[D]]
@triton.jit
def logic(x, n, K: tl.constexpr):
    if K == 1 and n > 0:
        tl.store(x, 1.0)
    if not (n < 5 or n == 7):
        tl.store(x, 2.0)
    if K == 1 or undefined_function(x):
        tl.store(x, 3.0)
