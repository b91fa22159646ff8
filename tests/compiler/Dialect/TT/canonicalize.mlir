// Folds and canonicalizations of tt ops.
// RUN: nereid-opt %s -canonicalize | FileCheck %s

// Constants pass through shape ops.
// CHECK-LABEL: @shapes_of_constants
tt.func @shapes_of_constants() -> (tensor<4x8xf32>, tensor<1x8xi32>, tensor<2x4xi32>, tensor<8x4xf32>, tensor<1xi32>, tensor<8x2xf32>, f32) {
  %s = arith.constant 2.0 : f32
  %c = arith.constant dense<2.0> : tensor<8xf32>
  %r = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7]> : tensor<8xi32>
  %one = arith.constant dense<2.0> : tensor<1xf32>
  // CHECK-DAG: %[[SPLAT:.*]] = arith.constant dense<2.000000e+00> : tensor<4x8xf32>
  // CHECK-DAG: %[[ROW:.*]] = arith.constant dense<{{\[\[}}0, 1, 2, 3, 4, 5, 6, 7]]> : tensor<1x8xi32>
  // CHECK-DAG: %[[GRID:.*]] = arith.constant dense<{{\[\[}}0, 1, 2, 3], [4, 5, 6, 7]]> : tensor<2x4xi32>
  // CHECK-DAG: %[[TRANS:.*]] = arith.constant dense<2.000000e+00> : tensor<8x4xf32>
  // CHECK-DAG: %[[FIVE:.*]] = arith.constant dense<5> : tensor<1xi32>
  // CHECK-DAG: %[[JOIN:.*]] = arith.constant dense<2.000000e+00> : tensor<8x2xf32>
  // CHECK-DAG: %[[SCALAR:.*]] = arith.constant 2.000000e+00 : f32
  // CHECK: tt.return %[[SPLAT]], %[[ROW]], %[[GRID]], %[[TRANS]], %[[FIVE]], %[[JOIN]], %[[SCALAR]]
  %0 = tt.splat %s : f32 -> tensor<4x8xf32>
  %1 = tt.expand_dims %r {axis = 0 : i32} : tensor<8xi32> -> tensor<1x8xi32>
  %2 = tt.reshape %r : tensor<8xi32> -> tensor<2x4xi32>
  %3 = tt.trans %0 {order = array<i32: 1, 0>} : tensor<4x8xf32> -> tensor<8x4xf32>
  %4 = tt.make_range {start = 5 : i32, end = 6 : i32} : tensor<1xi32>
  %5 = tt.join %c, %c : tensor<8xf32> -> tensor<8x2xf32>
  %6 = tt.unsplat %one : tensor<1xf32>
  tt.return %0, %1, %2, %3, %4, %5, %6 : tensor<4x8xf32>, tensor<1x8xi32>, tensor<2x4xi32>, tensor<8x4xf32>, tensor<1xi32>, tensor<8x2xf32>, f32
}

// A splat absorbs the shape ops after it.
// CHECK-LABEL: @shapes_of_splat
// CHECK-SAME: (%[[X:.*]]: f32)
tt.func @shapes_of_splat(%x: f32) -> tensor<8x4xf32> {
  // CHECK-NEXT: %[[S:.*]] = tt.splat %[[X]] : f32 -> tensor<8x4xf32>
  // CHECK-NEXT: tt.return %[[S]]
  %0 = tt.splat %x : f32 -> tensor<4xf32>
  %1 = tt.expand_dims %0 {axis = 1 : i32} : tensor<4xf32> -> tensor<4x1xf32>
  %2 = tt.broadcast %1 : tensor<4x1xf32> -> tensor<4x8xf32>
  %3 = tt.trans %2 {order = array<i32: 1, 0>} : tensor<4x8xf32> -> tensor<8x4xf32>
  tt.return %3 : tensor<8x4xf32>
}

// CHECK-LABEL: @chains
// CHECK-SAME: (%[[X:.*]]: tensor<4x8x2xf32>, %[[V:.*]]: tensor<1x4xf32>)
tt.func @chains(%x: tensor<4x8x2xf32>, %v: tensor<1x4xf32>) -> (tensor<4x8x2xf32>, tensor<2x4x8xf32>, tensor<64xf32>, tensor<8x4xf32>, tensor<8x1x4xf32>) {
  %0 = tt.trans %x {order = array<i32: 1, 2, 0>} : tensor<4x8x2xf32> -> tensor<8x2x4xf32>
  %1 = tt.trans %0 {order = array<i32: 2, 0, 1>} : tensor<8x2x4xf32> -> tensor<4x8x2xf32>
  // CHECK-DAG: %[[T:.*]] = tt.trans %[[X]] {order = array<i32: 2, 0, 1>} : tensor<4x8x2xf32> -> tensor<2x4x8xf32>
  %2 = tt.trans %0 {order = array<i32: 1, 2, 0>} : tensor<8x2x4xf32> -> tensor<2x4x8xf32>
  // CHECK-DAG: %[[R:.*]] = tt.reshape %[[X]] : tensor<4x8x2xf32> -> tensor<64xf32>
  %3 = tt.reshape %x : tensor<4x8x2xf32> -> tensor<8x8xf32>
  %4 = tt.reshape %3 : tensor<8x8xf32> -> tensor<64xf32>
  // CHECK-DAG: %[[B:.*]] = tt.broadcast %[[V]] : tensor<1x4xf32> -> tensor<8x4xf32>
  %5 = tt.broadcast %v : tensor<1x4xf32> -> tensor<8x4xf32>
  // CHECK-DAG: %[[E:.*]] = tt.expand_dims %[[V]] {axis = 1 : i32} : tensor<1x4xf32> -> tensor<1x1x4xf32>
  // CHECK-DAG: %[[EB:.*]] = tt.broadcast %[[E]] : tensor<1x1x4xf32> -> tensor<8x1x4xf32>
  %6 = tt.expand_dims %5 {axis = 1 : i32} : tensor<8x4xf32> -> tensor<8x1x4xf32>
  // CHECK: tt.return %[[X]], %[[T]], %[[R]], %[[B]], %[[EB]]
  tt.return %1, %2, %4, %5, %6 : tensor<4x8x2xf32>, tensor<2x4x8xf32>, tensor<64xf32>, tensor<8x4xf32>, tensor<8x1x4xf32>
}

// CHECK-LABEL: @inverses
// CHECK-SAME: (%[[A:.*]]: tensor<8xf32>, %[[B:.*]]: tensor<8xf32>, %[[J:.*]]: tensor<8x2xf32>, %[[P:.*]]: !tt.ptr<f32>, %[[I:.*]]: i64)
tt.func @inverses(%a: tensor<8xf32>, %b: tensor<8xf32>, %j: tensor<8x2xf32>, %p: !tt.ptr<f32>, %i: i64) -> (tensor<8xf32>, tensor<8xf32>, tensor<8x2xf32>, !tt.ptr<f32>, i64, tensor<8xf32>) {
  // CHECK-NEXT: tt.return %[[A]], %[[B]], %[[J]], %[[P]], %[[I]], %[[A]]
  %0 = tt.join %a, %b : tensor<8xf32> -> tensor<8x2xf32>
  %1, %2 = tt.split %0 : tensor<8x2xf32> -> tensor<8xf32>
  %3, %4 = tt.split %j : tensor<8x2xf32> -> tensor<8xf32>
  %5 = tt.join %3, %4 : tensor<8xf32> -> tensor<8x2xf32>
  %6 = tt.ptr_to_int %p : !tt.ptr<f32> -> i64
  %7 = tt.int_to_ptr %6 : i64 -> !tt.ptr<f32>
  %8 = tt.int_to_ptr %i : i64 -> !tt.ptr<f16>
  %9 = tt.ptr_to_int %8 : !tt.ptr<f16> -> i64
  %10 = tt.bitcast %a : tensor<8xf32> -> tensor<8xi32>
  %11 = tt.bitcast %10 : tensor<8xi32> -> tensor<8xf32>
  tt.return %1, %2, %5, %7, %9, %11 : tensor<8xf32>, tensor<8xf32>, tensor<8x2xf32>, !tt.ptr<f32>, i64, tensor<8xf32>
}

// CHECK-LABEL: @pointers
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f32>, %[[T:.*]]: tensor<8x!tt.ptr<f32>>, %[[N:.*]]: i32, %[[B:.*]]: !tt.ptr<tensor<8xf32>>)
tt.func @pointers(%p: !tt.ptr<f32>, %t: tensor<8x!tt.ptr<f32>>, %n: i32, %b: !tt.ptr<tensor<8xf32>>) -> (tensor<8x!tt.ptr<f32>>, tensor<8x!tt.ptr<f32>>, tensor<8x!tt.ptr<f32>>, !tt.ptr<tensor<8xf32>>) {
  %zero = arith.constant 0 : i32
  %c0 = arith.constant dense<0> : tensor<8xi32>
  %c3 = arith.constant dense<3> : tensor<8xi32>
  %c4 = arith.constant dense<4> : tensor<8xi32>
  %0 = tt.addptr %t, %c0 : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
  // CHECK-DAG: %[[C7:.*]] = arith.constant dense<7> : tensor<8xi32>
  // CHECK-DAG: %[[A7:.*]] = tt.addptr %[[T]], %[[C7]]
  %1 = tt.addptr %0, %c3 : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
  %2 = tt.addptr %1, %c4 : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
  // A uniform offset of a uniform pointer is scalar arithmetic.
  // CHECK-DAG: %[[S:.*]] = tt.addptr %[[P]], %[[N]] : !tt.ptr<f32>, i32
  // CHECK-DAG: %[[SS:.*]] = tt.splat %[[S]] : !tt.ptr<f32> -> tensor<8x!tt.ptr<f32>>
  %3 = tt.splat %p : !tt.ptr<f32> -> tensor<8x!tt.ptr<f32>>
  %4 = tt.splat %n : i32 -> tensor<8xi32>
  %5 = tt.addptr %3, %4 : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
  %6 = tt.advance %b, [%zero] : <tensor<8xf32>>
  // CHECK: tt.return %[[T]], %[[A7]], %[[SS]], %[[B]]
  tt.return %0, %2, %5, %6 : tensor<8x!tt.ptr<f32>>, tensor<8x!tt.ptr<f32>>, tensor<8x!tt.ptr<f32>>, !tt.ptr<tensor<8xf32>>
}

// Two steps whose sum leaves i32 stay two steps.
// CHECK-LABEL: @pointers_far
tt.func @pointers_far(%p: !tt.ptr<i8>) -> !tt.ptr<i8> {
  // CHECK-COUNT-2: tt.addptr
  %c = arith.constant 2147483647 : i32
  %0 = tt.addptr %p, %c : !tt.ptr<i8>, i32
  %1 = tt.addptr %0, %c : !tt.ptr<i8>, i32
  tt.return %1 : !tt.ptr<i8>
}

// CHECK-LABEL: @masks
// CHECK-SAME: (%[[T:.*]]: tensor<8x!tt.ptr<f32>>, %[[V:.*]]: tensor<8xf32>)
tt.func @masks(%t: tensor<8x!tt.ptr<f32>>, %v: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %on = arith.constant dense<true> : tensor<8xi1>
  %off = arith.constant dense<false> : tensor<8xi1>
  // CHECK-DAG: %[[U:.*]] = ub.poison : tensor<8xf32>
  // CHECK: %[[L:.*]] = tt.load %[[T]] cacheModifier = cg {isVolatile = true} : tensor<8x!tt.ptr<f32>>
  %0 = tt.load %t, %on, %v cacheModifier = cg {isVolatile = true} : tensor<8x!tt.ptr<f32>>
  %1 = tt.load %t, %off, %v : tensor<8x!tt.ptr<f32>>
  %2 = tt.load %t, %off : tensor<8x!tt.ptr<f32>>
  // CHECK-NEXT: tt.store %[[T]], %[[V]] : tensor<8x!tt.ptr<f32>>
  tt.store %t, %v, %on : tensor<8x!tt.ptr<f32>>
  tt.store %t, %v, %off : tensor<8x!tt.ptr<f32>>
  %3 = tt.atomic_rmw fadd, relaxed, gpu, %t, %v, %off : (tensor<8x!tt.ptr<f32>>, tensor<8xf32>, tensor<8xi1>) -> tensor<8xf32>
  // CHECK-NEXT: tt.assert
  %bad = arith.constant false
  tt.assert %bad, "no" : i1
  tt.assert %on, "yes" : tensor<8xi1>
  // CHECK-NEXT: tt.return %[[L]], %[[V]], %[[U]], %[[U]]
  tt.return %0, %1, %2, %3 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// Conversions fold when every target agrees: not overflow, not NaN.
// CHECK-LABEL: @conversions
tt.func @conversions() -> (tensor<8xf8E5M2>, f8E4M3FN, f16, i32, tensor<8xi32>, f8E4M3FN) {
  %x = arith.constant dense<1.3> : tensor<8xf32>
  %big = arith.constant 1000.0 : f32
  %y = arith.constant 0.3 : f32
  %m = arith.constant dense<-2> : tensor<8xi32>
  // CHECK-DAG: %[[A:.*]] = arith.constant dense<1.250000e+00> : tensor<8xf8E5M2>
  // CHECK-DAG: %[[B:.*]] = arith.constant 3.125000e-01 : f8E4M3FN
  // CHECK-DAG: %[[C:.*]] = arith.constant 2.998050e-01 : f16
  // CHECK-DAG: %[[D:.*]] = arith.constant 1050253722 : i32
  // CHECK-DAG: %[[E:.*]] = arith.constant dense<-4> : tensor<8xi32>
  // CHECK: %[[F:.*]] = tt.fp_to_fp
  // CHECK: tt.return %[[A]], %[[B]], %[[C]], %[[D]], %[[E]], %[[F]]
  %0 = tt.fp_to_fp %x, rounding = rtne : tensor<8xf32> -> tensor<8xf8E5M2>
  %1 = tt.fp_to_fp %y, rounding = rtne : f32 -> f8E4M3FN
  %2 = tt.fp_to_fp %y, rounding = rtz : f32 -> f16
  %3 = tt.bitcast %y : f32 -> i32
  %4 = tt.mulhiui %m, %m : tensor<8xi32>
  %5 = tt.fp_to_fp %big, rounding = rtne : f32 -> f8E4M3FN
  tt.return %0, %1, %2, %3, %4, %5 : tensor<8xf8E5M2>, f8E4M3FN, f16, i32, tensor<8xi32>, f8E4M3FN
}

// CHECK-LABEL: @along_one
// CHECK-SAME: (%[[X:.*]]: tensor<4x1xf32>, %[[Y:.*]]: tensor<1xf32>)
tt.func @along_one(%x: tensor<4x1xf32>, %y: tensor<1xf32>) -> (tensor<4xf32>, f32, tensor<4x1xf32>) {
  // CHECK-DAG: %[[R:.*]] = tt.reshape %[[X]] : tensor<4x1xf32> -> tensor<4xf32>
  // CHECK-DAG: %[[U:.*]] = tt.unsplat %[[Y]] : tensor<1xf32>
  // CHECK: tt.return %[[R]], %[[U]], %[[X]]
  %0 = "tt.reduce"(%x) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tt.reduce.return %c : f32
  }) : (tensor<4x1xf32>) -> tensor<4xf32>
  %1 = "tt.reduce"(%y) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tt.reduce.return %c : f32
  }) : (tensor<1xf32>) -> f32
  %2 = "tt.scan"(%x) <{axis = 1 : i32, reverse = false}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tt.scan.return %c : f32
  }) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  tt.return %0, %1, %2 : tensor<4xf32>, f32, tensor<4x1xf32>
}
