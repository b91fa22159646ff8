// Calls are inlined, early returns included; `noinline` keeps one.
// RUN: nereid-opt %s -inline -symbol-dce | FileCheck %s

// CHECK-LABEL: tt.func public @kernel
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f32>, %[[X:.*]]: f32)
tt.func public @kernel(%p: !tt.ptr<f32>, %x: f32) {
  // CHECK:      cf.cond_br %{{.*}}, ^[[EARLY:bb[0-9]+]], ^[[NEXT:bb[0-9]+]](%{{.*}} : f32)
  // CHECK-NEXT: ^[[EARLY]]:
  // CHECK-NEXT:   tt.store %[[P]], %[[X]]
  // CHECK-NEXT:   cf.br ^[[NEXT]](%[[X]] : f32)
  // CHECK-NEXT: ^[[NEXT]](%[[R:.*]]: f32):
  %0 = tt.call @early_return(%p, %x) : (!tt.ptr<f32>, f32) -> f32
  // CHECK-NEXT: tt.call @kept(%[[R]])
  %1 = tt.call @kept(%0) : (f32) -> f32
  tt.store %p, %1 : !tt.ptr<f32>
  tt.return
}

// CHECK-NOT: @early_return
tt.func private @early_return(%p: !tt.ptr<f32>, %x: f32) -> f32 attributes {noinline = false} {
  %zero = arith.constant 0.0 : f32
  %c = arith.cmpf ogt, %x, %zero : f32
  cf.cond_br %c, ^early, ^late
^early:
  tt.store %p, %x : !tt.ptr<f32>
  tt.return %x : f32
^late:
  tt.return %zero : f32
}

// CHECK: tt.func private @kept
tt.func private @kept(%x: f32) -> f32 attributes {noinline = true} {
  tt.return %x : f32
}

// What other dialects put into a callee goes with it: a barrier, an assumption.
// CHECK-LABEL: tt.func public @with_others
// CHECK-SAME: (%[[N:.*]]: i1)
tt.func public @with_others(%n: i1) {
  // CHECK-NEXT: ttg.barrier all
  // CHECK-NEXT: llvm.intr.assume %[[N]]
  // CHECK-NEXT: tt.return
  tt.call @others(%n) : (i1) -> ()
  tt.return
}

// CHECK-NOT: @others
tt.func private @others(%n: i1) {
  ttg.barrier all
  llvm.intr.assume %n : i1
  tt.return
}
