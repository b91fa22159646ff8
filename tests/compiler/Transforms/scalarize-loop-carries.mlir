// RUN: nereid-opt %s -nrd-scalarize-loop-carries -canonicalize -cse | FileCheck %s

// The way of a matrix product: pointers advance by a uniform step.
// CHECK-LABEL: @pointers
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f16>, %[[OFF:.*]]: tensor<64xi32>, %[[S:.*]]: i32, %[[N:.*]]: i32)
tt.func @pointers(%p: !tt.ptr<f16>, %off: tensor<64xi32>, %s: i32, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %base = tt.splat %p : !tt.ptr<f16> -> tensor<64x!tt.ptr<f16>>
  %init = tt.addptr %base, %off : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
  %step = tt.splat %s : i32 -> tensor<64xi32>
  // CHECK: scf.for {{.*}} iter_args(%[[O:.*]] = %{{.*}}) -> (i64) : i32 {
  // CHECK-NEXT:   %[[B:.*]] = tt.addptr %[[P]], %[[O]] : !tt.ptr<f16>, i64
  // CHECK-NEXT:   %[[BS:.*]] = tt.splat %[[B]]
  // CHECK-NEXT:   %[[Q:.*]] = tt.addptr %[[BS]], %[[OFF]] : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
  // CHECK-NEXT:   %[[X:.*]] = tt.load %[[Q]]
  // CHECK-NEXT:   tt.store %[[Q]], %[[X]]
  // CHECK-NEXT:   %[[S64:.*]] = arith.extsi %[[S]] : i32 to i64
  // CHECK-NEXT:   %[[NEXT:.*]] = arith.addi %[[O]], %[[S64]] : i64
  // CHECK-NEXT:   scf.yield %[[NEXT]] : i64
  // CHECK-NEXT: } {tt.num_stages = 3 : i32}
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%q = %init) -> (tensor<64x!tt.ptr<f16>>) : i32 {
    %x = tt.load %q : tensor<64x!tt.ptr<f16>>
    tt.store %q, %x : tensor<64x!tt.ptr<f16>>
    %next = tt.addptr %q, %step : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
    scf.yield %next : tensor<64x!tt.ptr<f16>>
  } {tt.num_stages = 3 : i32}
  tt.return
}

// Integers carry their own type; the result is rebuilt; other carries stay.
// CHECK-LABEL: @integers
// CHECK-SAME: (%[[P:.*]]: tensor<64x!tt.ptr<i32>>, %[[I:.*]]: tensor<64xi32>, %[[S:.*]]: i32, %[[N:.*]]: i32)
tt.func @integers(%p: tensor<64x!tt.ptr<i32>>, %init: tensor<64xi32>, %s: i32, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %step = arith.constant dense<4> : tensor<64xi32>
  // CHECK: %[[R:.*]]:2 = scf.for {{.*}} iter_args(%[[O:.*]] = %{{.*}}, %[[A:.*]] = %[[I]]) -> (i32, tensor<64xi32>) : i32 {
  // CHECK-NEXT:   %[[OS:.*]] = tt.splat %[[O]] : i32 -> tensor<64xi32>
  // CHECK-NEXT:   %[[X:.*]] = arith.addi %[[I]], %[[OS]] : tensor<64xi32>
  // CHECK-NEXT:   %[[A1:.*]] = arith.muli %[[A]], %[[X]]
  // CHECK-NEXT:   %[[T:.*]] = arith.subi %[[O]], %[[S]] : i32
  // CHECK-NEXT:   %[[U:.*]] = arith.addi %[[T]], %c4_i32 : i32
  // CHECK-NEXT:   scf.yield %[[U]], %[[A1]]
  // CHECK-NEXT: }
  // CHECK-NEXT: %[[RS:.*]] = tt.splat %[[R]]#0 : i32 -> tensor<64xi32>
  // CHECK-NEXT: %[[E:.*]] = arith.addi %[[I]], %[[RS]] : tensor<64xi32>
  // CHECK-NEXT: tt.store %[[P]], %[[E]]
  // CHECK-NEXT: tt.store %[[P]], %[[R]]#1
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %init, %a = %init) -> (tensor<64xi32>, tensor<64xi32>) : i32 {
    %a1 = arith.muli %a, %x : tensor<64xi32>
    %m = tt.splat %s : i32 -> tensor<64xi32>
    %t = arith.subi %x, %m : tensor<64xi32>
    %u = arith.addi %step, %t : tensor<64xi32>
    scf.yield %u, %a1 : tensor<64xi32>, tensor<64xi32>
  }
  tt.store %p, %r#0 : tensor<64x!tt.ptr<i32>>
  tt.store %p, %r#1 : tensor<64x!tt.ptr<i32>>
  tt.return
}

// The inner loop's result is a uniform step of the outer loop.
// CHECK-LABEL: @nested
// CHECK-SAME: (%[[INIT:.*]]: tensor<64x!tt.ptr<f16>>, %[[N:.*]]: i32)
tt.func @nested(%init: tensor<64x!tt.ptr<f16>>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %step = arith.constant dense<8> : tensor<64xi32>
  // CHECK: scf.for {{.*}} iter_args(%[[O:.*]] = %{{.*}}) -> (i64)
  // CHECK:   %[[IN:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (i64)
  // CHECK:   %[[SUM:.*]] = arith.addi %[[O]], %[[IN]] : i64
  // CHECK:   scf.yield %[[SUM]] : i64
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%q = %init) -> (tensor<64x!tt.ptr<f16>>) : i32 {
    %s = scf.for %j = %c0 to %n step %c1 iter_args(%k = %q) -> (tensor<64x!tt.ptr<f16>>) : i32 {
      %x = tt.load %k : tensor<64x!tt.ptr<f16>>
      tt.store %k, %x : tensor<64x!tt.ptr<f16>>
      %next = tt.addptr %k, %step : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
      scf.yield %next : tensor<64x!tt.ptr<f16>>
    }
    scf.yield %s : tensor<64x!tt.ptr<f16>>
  }
  tt.return
}

// A step that differs from lane to lane stays as it is.
// CHECK-LABEL: @not_uniform
// CHECK: scf.for {{.*}} -> (tensor<64x!tt.ptr<f16>>)
tt.func @not_uniform(%init: tensor<64x!tt.ptr<f16>>, %step: tensor<64xi32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%q = %init) -> (tensor<64x!tt.ptr<f16>>) : i32 {
    %x = tt.load %q : tensor<64x!tt.ptr<f16>>
    tt.store %q, %x : tensor<64x!tt.ptr<f16>>
    %next = tt.addptr %q, %step : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
    scf.yield %next : tensor<64x!tt.ptr<f16>>
  }
  tt.return
}

// The amount may be an argument of the loop's body: its induction variable, or
// another value that it carries.
// CHECK-LABEL: @amounts_of_the_loop
// CHECK-SAME: (%[[P:.*]]: tensor<64x!tt.ptr<i32>>, %[[I:.*]]: tensor<64xi32>, %[[S:.*]]: i32, %[[N:.*]]: i32)
tt.func @amounts_of_the_loop(%p: tensor<64x!tt.ptr<i32>>, %init: tensor<64xi32>, %s: i32, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  // CHECK: scf.for %[[IV:.*]] = {{.*}} iter_args(%[[X:.*]] = %c0_i32, %[[Y:.*]] = %c0_i32, %[[A:.*]] = %[[S]]) -> (i32, i32, i32) : i32 {
  // CHECK-NEXT:   %[[A1:.*]] = arith.muli %[[A]], %[[IV]] : i32
  // CHECK-NEXT:   %[[X1:.*]] = arith.addi %[[X]], %[[IV]] : i32
  // CHECK-NEXT:   %[[Y1:.*]] = arith.subi %[[Y]], %[[A]] : i32
  // CHECK-NEXT:   scf.yield %[[X1]], %[[Y1]], %[[A1]]
  %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %init, %y = %init, %a = %s) -> (tensor<64xi32>, tensor<64xi32>, i32) : i32 {
    %by = tt.splat %i : i32 -> tensor<64xi32>
    %x1 = arith.addi %x, %by : tensor<64xi32>
    %less = tt.splat %a : i32 -> tensor<64xi32>
    %y1 = arith.subi %y, %less : tensor<64xi32>
    %a1 = arith.muli %a, %i : i32
    scf.yield %x1, %y1, %a1 : tensor<64xi32>, tensor<64xi32>, i32
  }
  tt.store %p, %r#0 : tensor<64x!tt.ptr<i32>>
  tt.store %p, %r#1 : tensor<64x!tt.ptr<i32>>
  tt.return
}
