// What may be removed, merged or moved, and what may not.
// RUN: nereid-opt %s -cse -loop-invariant-code-motion | FileCheck %s

// CHECK-LABEL: @merged
tt.func @merged(%p: !tt.ptr<f32>, %x: tensor<8xf32>) -> (f32, f32) {
  // Two loads with nothing between them are one; volatile ones are not, and a
  // store keeps loads apart.
  // CHECK-COUNT-1: tt.load %{{.*}} : !tt.ptr<f32>
  %0 = tt.load %p : !tt.ptr<f32>
  %1 = tt.load %p : !tt.ptr<f32>
  // CHECK-NEXT: arith.addf
  %2 = arith.addf %0, %1 : f32
  // CHECK-COUNT-2: tt.load {{.*}}isVolatile
  %3 = tt.load %p {isVolatile = true} : !tt.ptr<f32>
  %4 = tt.load %p {isVolatile = true} : !tt.ptr<f32>
  // CHECK-NEXT: tt.store
  tt.store %p, %2 : !tt.ptr<f32>
  // CHECK-NEXT: tt.load
  %5 = tt.load %p : !tt.ptr<f32>
  // CHECK-NEXT: tt.elementwise_inline_asm "impure"
  %6 = tt.elementwise_inline_asm "impure" {constraints = "=r,r", packed_element = 1 : i32, pure = false} %x : tensor<8xf32> -> tensor<8xf32>
  // CHECK-NOT: "pure"
  %7 = tt.elementwise_inline_asm "pure" {constraints = "=r,r", packed_element = 1 : i32, pure = true} %x : tensor<8xf32> -> tensor<8xf32>
  // CHECK: tt.print
  tt.print " x" {hex = false, isSigned = array<i32>}
  // CHECK: tt.return
  tt.return %2, %5 : f32, f32
}

// CHECK-LABEL: @hoisted
tt.func @hoisted(%p: !tt.ptr<f32>, %n: i32, %x: tensor<8xf32>) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // CHECK: tt.get_program_id
  // CHECK: "tt.reduce"
  // CHECK: scf.for
  scf.for %i = %c0 to %n step %c1 : i32 {
    %0 = tt.get_program_id x : i32
    %1 = "tt.reduce"(%x) <{axis = 0 : i32}> ({
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tt.reduce.return %c : f32
    }) : (tensor<8xf32>) -> f32
    // CHECK-NEXT: tt.addptr
    // CHECK-NEXT: tt.load
    // CHECK-NEXT: tt.store
    %2 = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %3 = tt.load %p : !tt.ptr<f32>
    tt.store %2, %1 : !tt.ptr<f32>
    tt.print " x" {hex = false, isSigned = array<i32: 1>} : %0 : i32
    tt.print " x" {hex = false, isSigned = array<i32: 1>} : %3 : f32
  }
  tt.return
}
