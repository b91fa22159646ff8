// RUN: nereid-opt %s --nrd-cpu-lower-to-loops=target=x86-64-v4 --canonicalize --cse | FileCheck %s

// The fast version runs unmasked up to where the mask holds; the rest is masked.
// CHECK-LABEL: llvm.func internal @scale.program
// CHECK-SAME: %[[N:arg2]]: i32
// CHECK: %[[WIDE:.*]] = arith.extsi %[[N]]
// CHECK: %[[FULL:.*]] = arith.andi %{{.*}}, %c-32_i64
// CHECK: scf.for %{{.*}} = %c0_i64 to %[[FULL]] step %c32_i64
// CHECK: llvm.load {{.*}} -> vector<32xf32>
// CHECK: arith.mulf {{.*}} : vector<32xf32>
// CHECK: llvm.store {{.*}} vector<32xf32>
// CHECK: scf.for %{{.*}} = %[[FULL]] to %c1024_i64 step %c16_i64
// CHECK: llvm.intr.masked.load
// CHECK: llvm.intr.masked.store
// CHECK-LABEL: llvm.func @scale(
tt.func public @scale(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %two = arith.constant dense<2.0> : tensor<1024xf32>
  %i = tt.make_range {start = 0 : i32, end = 1024 : i32} : tensor<1024xi32>
  %ns = tt.splat %n : i32 -> tensor<1024xi32>
  %m = arith.cmpi slt, %i, %ns : tensor<1024xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %px = tt.addptr %xs, %i : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  %v = tt.load %px, %m : tensor<1024x!tt.ptr<f32>>
  %r = arith.mulf %v, %two : tensor<1024xf32>
  %ys = tt.splat %y : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %py = tt.addptr %ys, %i : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  tt.store %py, %r, %m : tensor<1024x!tt.ptr<f32>>
  tt.return
}
