// RUN: nereid-opt %s -nrd-lower-block-pointers -canonicalize -cse | FileCheck %s

// Dimension 0 is checked, dimension 1 is not; zero pads.
// CHECK-LABEL: @load
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f16>, %[[M:.*]]: i64, %[[N:.*]]: i64, %[[S:.*]]: i64, %[[I:.*]]: i32, %[[J:.*]]: i32)
tt.func @load(%p: !tt.ptr<f16>, %m: i64, %n: i64, %s: i64, %i: i32, %j: i32) -> tensor<16x32xf16> {
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<16x32xf16>
  // CHECK-DAG: %[[LOW:.*]] = arith.constant dense<0> : tensor<16x1xi64>
  // CHECK-DAG: %[[I64:.*]] = arith.extsi %[[I]] : i32 to i64
  // CHECK-DAG: %[[J64:.*]] = arith.extsi %[[J]] : i32 to i64
  // The offsets times the strides go to the scalar base ...
  // CHECK-DAG: %[[RI:.*]] = arith.muli %[[I64]], %[[S]]
  // CHECK-DAG: %[[P0:.*]] = tt.addptr %[[P]], %[[RI]] : !tt.ptr<f16>, i64
  // CHECK-DAG: %[[P1:.*]] = tt.addptr %[[P0]], %[[J64]] : !tt.ptr<f16>, i64
  // ... and the ranges times the strides are the tensor.
  // CHECK-DAG: %[[R16:.*]] = tt.make_range {end = 16 : i32, start = 0 : i32}
  // CHECK-DAG: %[[R16L:.*]] = arith.extsi %[[R16]] : tensor<16xi32> to tensor<16xi64>
  // CHECK-DAG: %[[ROWS:.*]] = tt.expand_dims %[[R16L]] {axis = 1 : i32}
  // CHECK-DAG: %[[SS:.*]] = tt.splat %[[S]] : i64 -> tensor<16x1xi64>
  // CHECK-DAG: %[[STEP:.*]] = arith.muli %[[ROWS]], %[[SS]]
  // CHECK-DAG: %[[STEPB:.*]] = tt.broadcast %[[STEP]]
  // CHECK-DAG: %[[COLS:.*]] = tt.expand_dims %{{.*}} {axis = 0 : i32}
  // CHECK-DAG: %[[COLSB:.*]] = tt.broadcast %[[COLS]]
  // CHECK-DAG: %[[OFF:.*]] = arith.addi %[[STEPB]], %[[COLSB]] : tensor<16x32xi64>
  // CHECK-DAG: %[[BASE:.*]] = tt.splat %[[P1]] : !tt.ptr<f16> -> tensor<16x32x!tt.ptr<f16>>
  // CHECK-DAG: %[[PTRS:.*]] = tt.addptr %[[BASE]], %[[OFF]]
  // CHECK-DAG: %[[IS:.*]] = tt.splat %[[I64]] : i64 -> tensor<16x1xi64>
  // CHECK-DAG: %[[COORD:.*]] = arith.addi %[[IS]], %[[ROWS]]
  // CHECK-DAG: %[[GE:.*]] = arith.cmpi sge, %[[COORD]], %[[LOW]]
  // CHECK-DAG: %[[MS:.*]] = tt.splat %[[M]] : i64 -> tensor<16x1xi64>
  // CHECK-DAG: %[[LT:.*]] = arith.cmpi slt, %[[COORD]], %[[MS]]
  // CHECK-DAG: %[[IN:.*]] = arith.andi %[[GE]], %[[LT]]
  // CHECK-DAG: %[[MASK:.*]] = tt.broadcast %[[IN]] : tensor<16x1xi1> -> tensor<16x32xi1>
  // CHECK: %[[X:.*]] = tt.load %[[PTRS]], %[[MASK]], %[[ZERO]] evictionPolicy = evict_first : tensor<16x32x!tt.ptr<f16>>
  // CHECK: tt.return %[[X]]
  %one = arith.constant 1 : i64
  %b = tt.make_tensor_ptr %p, [%m, %n], [%s, %one], [%i, %j] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  %x = tt.load %b evictionPolicy = evict_first {boundaryCheck = array<i32: 0>, padding = 1 : i32} : !tt.ptr<tensor<16x32xf16>>
  tt.return %x : tensor<16x32xf16>
}

// Without a check there is no mask; with one and no padding, no other.
// CHECK-LABEL: @padding
tt.func @padding(%p: !tt.ptr<f16>, %m: i64, %i: i32) -> (tensor<8xf16>, tensor<8xf16>, tensor<8xf16>) {
  // CHECK-DAG: %[[NAN:.*]] = arith.constant dense<0x7E00> : tensor<8xf16>
  // CHECK: tt.load %{{[0-9]+}} : tensor<8x!tt.ptr<f16>>
  // CHECK: tt.load %{{[0-9]+}}, %[[MASK:[0-9]+]] : tensor<8x!tt.ptr<f16>>
  // CHECK: tt.load %{{[0-9]+}}, %[[MASK]], %[[NAN]] : tensor<8x!tt.ptr<f16>>
  %b = tt.make_tensor_ptr %p, [%m], [%m], [%i] {order = array<i32: 0>} : <tensor<8xf16>>
  %x = tt.load %b {padding = 2 : i32} : !tt.ptr<tensor<8xf16>>
  %y = tt.load %b {boundaryCheck = array<i32: 0>} : !tt.ptr<tensor<8xf16>>
  %z = tt.load %b {boundaryCheck = array<i32: 0>, padding = 2 : i32} : !tt.ptr<tensor<8xf16>>
  tt.return %x, %y, %z : tensor<8xf16>, tensor<8xf16>, tensor<8xf16>
}

// Only the offset goes round the loop; its options stay.
// CHECK-LABEL: @loop
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f32>, %[[N:.*]]: i64, %[[K:.*]]: i32)
tt.func @loop(%p: !tt.ptr<f32>, %n: i64, %k: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c8 = arith.constant 8 : i32
  %one = arith.constant 1 : i64
  %v = arith.constant dense<1.0> : tensor<8xf32>
  // CHECK-DAG: %[[C8:.*]] = arith.constant 8 : i64
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK: scf.for {{.*}} iter_args(%[[O:.*]] = %[[C0]]) -> (i64) : i32 {
  // CHECK:   tt.addptr %[[P]], %[[O]] : !tt.ptr<f32>, i64
  // CHECK:   tt.store
  // CHECK:   %[[NEXT:.*]] = arith.addi %[[O]], %[[C8]] : i64
  // CHECK:   scf.yield %[[NEXT]] : i64
  // CHECK: } {tt.num_stages = 2 : i32}
  %b = tt.make_tensor_ptr %p, [%n], [%one], [%c0] {order = array<i32: 0>} : <tensor<8xf32>>
  %r = scf.for %i = %c0 to %k step %c1 iter_args(%q = %b) -> (!tt.ptr<tensor<8xf32>>) : i32 {
    tt.store %q, %v {boundaryCheck = array<i32: 0>} : !tt.ptr<tensor<8xf32>>
    %q1 = tt.advance %q, [%c8] : <tensor<8xf32>>
    scf.yield %q1 : !tt.ptr<tensor<8xf32>>
  } {tt.num_stages = 2 : i32}
  tt.return
}

// Through while, if, branches, select and calls.
// CHECK-LABEL: @everywhere
// CHECK-NOT: !tt.ptr<tensor
tt.func @everywhere(%p: !tt.ptr<f32>, %n: i64, %k: i32, %c: i1) -> tensor<8xf32> {
  %c0 = arith.constant 0 : i32
  %c8 = arith.constant 8 : i32
  %one = arith.constant 1 : i64
  %b = tt.make_tensor_ptr %p, [%n], [%one], [%c0] {order = array<i32: 0>} : <tensor<8xf32>>
  // CHECK: scf.while
  %w:2 = scf.while (%q = %b, %i = %c0) : (!tt.ptr<tensor<8xf32>>, i32) -> (!tt.ptr<tensor<8xf32>>, i32) {
    %more = arith.cmpi slt, %i, %k : i32
    scf.condition(%more) %q, %i : !tt.ptr<tensor<8xf32>>, i32
  } do {
  ^bb0(%q: !tt.ptr<tensor<8xf32>>, %i: i32):
    %q1 = tt.advance %q, [%c8] : <tensor<8xf32>>
    %i1 = arith.addi %i, %c8 : i32
    scf.yield %q1, %i1 : !tt.ptr<tensor<8xf32>>, i32
  }
  // CHECK: scf.if
  %f = scf.if %c -> (!tt.ptr<tensor<8xf32>>) {
    %q1 = tt.call @step(%w#0, %k) : (!tt.ptr<tensor<8xf32>>, i32) -> !tt.ptr<tensor<8xf32>>
    scf.yield %q1 : !tt.ptr<tensor<8xf32>>
  } else {
    scf.yield %w#0 : !tt.ptr<tensor<8xf32>>
  }
  %s = arith.select %c, %f, %b : !tt.ptr<tensor<8xf32>>
  cf.cond_br %c, ^next(%s : !tt.ptr<tensor<8xf32>>), ^next(%f : !tt.ptr<tensor<8xf32>>)
^next(%e: !tt.ptr<tensor<8xf32>>):
  // CHECK: tt.load
  %x = tt.load %e : !tt.ptr<tensor<8xf32>>
  tt.return %x : tensor<8xf32>
}

// CHECK: tt.func private @step(%{{.*}}: !tt.ptr<f32>, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i32 {tt.divisibility = 16 : i32}) -> (!tt.ptr<f32>, i64, i64, i64)
tt.func private @step(%b: !tt.ptr<tensor<8xf32>>, %k: i32 {tt.divisibility = 16 : i32}) -> !tt.ptr<tensor<8xf32>> {
  %c8 = arith.constant 8 : i32
  %q = tt.advance %b, [%c8] : <tensor<8xf32>>
  tt.return %q : !tt.ptr<tensor<8xf32>>
}
