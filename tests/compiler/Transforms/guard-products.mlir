// RUN: nereid-opt %s --nrd-guard-products | FileCheck %s

#acc = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
!a = !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0]]>
!b = !tgpu.tile<16x8xf16, offset = [[0, 1], [0, 2], [0, 4], [1, 0], [2, 0], [4, 0], [8, 0]]>

// The sum and the counter leave by the branch; what follows from the loop stays
// behind it.
// CHECK-LABEL: tt.func @may_be_empty
// CHECK:         %[[R:.*]] = arith.cmpi slt, %arg2, %arg3
// CHECK-NEXT:    %[[V:.*]]:2 = scf.if %[[R]]
// CHECK:           %[[L:.*]]:2 = scf.for
// CHECK:           %[[W:.*]] = tgpu.warpgroup_wait 0, %[[L]]#0
// CHECK-NEXT:      scf.yield %[[L]]#1, %[[W]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %c0_i32, %cst
// CHECK:         arith.addi %[[V]]#0
// CHECK:         return %[[V]]#1
tt.func @may_be_empty(%a: !a, %b: !b, %from: i32, %to: i32) -> (tensor<64x8xf32, #acc>, i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x8xf32, #acc>
  %sum:2 = scf.for %i = %from to %to step %c1 iter_args(%acc = %zero, %n = %c0) -> (tensor<64x8xf32, #acc>, i32) : i32 {
    %p = tgpu.warpgroup_mma %a, %b, %acc : !a, !b, tensor<64x8xf32, #acc>
    tgpu.warpgroup_wait 1
    %m = arith.addi %n, %c1 : i32
    scf.yield %p, %m : tensor<64x8xf32, #acc>, i32
  }
  %more = arith.addi %sum#1, %c1 : i32
  %done = tgpu.warpgroup_wait 0, %sum#0 : tensor<64x8xf32, #acc> -> tensor<64x8xf32, #acc>
  tt.return %done, %more : tensor<64x8xf32, #acc>, i32
}

// CHECK-LABEL: tt.func @never_empty
// CHECK-NOT:     scf.if
tt.func @never_empty(%a: !a, %b: !b) -> tensor<64x8xf32, #acc> {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %zero = arith.constant dense<0.0> : tensor<64x8xf32, #acc>
  %sum = scf.for %i = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> (tensor<64x8xf32, #acc>) : i32 {
    %p = tgpu.warpgroup_mma %a, %b, %acc : !a, !b, tensor<64x8xf32, #acc>
    tgpu.warpgroup_wait 1
    scf.yield %p : tensor<64x8xf32, #acc>
  }
  %done = tgpu.warpgroup_wait 0, %sum : tensor<64x8xf32, #acc> -> tensor<64x8xf32, #acc>
  tt.return %done : tensor<64x8xf32, #acc>
}
