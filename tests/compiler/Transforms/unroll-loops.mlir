// RUN: nereid-opt %s --nrd-unroll-loops -canonicalize | FileCheck %s

// Two iterations in one, then what is left; the loop's other wishes stay. A
// loop that ends before it starts runs neither.
// CHECK-LABEL: tt.func public @twice
// CHECK-SAME:    (%[[P:.*]]: !tt.ptr<f32>, %[[LB:.*]]: i32, %[[N:.*]]: i32)
// CHECK:         %[[UB:.*]] = arith.maxsi %[[LB]], %[[N]]
// CHECK:         scf.for %[[I:.*]] = %[[LB]] to
// CHECK:           tt.addptr %[[P]], %[[I]]
// CHECK:           tt.store
// CHECK:           tt.store
// CHECK-NOT:       tt.store
// CHECK:         } {tt.num_stages = 4 : i32}
// CHECK:         scf.for %{{.*}} to %[[UB]]
// CHECK:           tt.store
// CHECK-NOT:       tt.store
// CHECK:         } {tt.num_stages = 1 : i32}
tt.func public @twice(%p: !tt.ptr<f32>, %lb: i32, %n: i32) {
  %c1 = arith.constant 1 : i32
  %x = arith.constant 1.0 : f32
  scf.for %i = %lb to %n step %c1 : i32 {
    %q = tt.addptr %p, %i : !tt.ptr<f32>, i32
    tt.store %q, %x : !tt.ptr<f32>
  } {tt.loop_unroll_factor = 2 : i32, tt.num_stages = 4 : i32}
  tt.return
}
