// RUN: nereid-opt %s -nrd-combine | FileCheck %s

// CHECK-LABEL: @splats
// CHECK-SAME: (%[[X:.*]]: i32, %[[Y:.*]]: f32, %[[C:.*]]: i1, %[[T:.*]]: tensor<8xf32>)
tt.func @splats(%x: i32, %y: f32, %c: i1, %t: tensor<8xf32>) -> (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>, tensor<8xf16>) {
  %c3 = arith.constant dense<3> : tensor<8xi32>
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : i32
  // CHECK-DAG: %[[LT:.*]] = arith.cmpi slt, %[[X]], %[[C3]] : i32
  // CHECK-DAG: %[[R0:.*]] = tt.splat %[[LT]] : i1 -> tensor<8xi1>
  %xs = tt.splat %x : i32 -> tensor<8xi32>
  %0 = arith.cmpi slt, %xs, %c3 : tensor<8xi32>
  // CHECK-DAG: %[[E:.*]] = math.exp %[[Y]] : f32
  // CHECK-DAG: %[[R1:.*]] = tt.splat %[[E]] : f32 -> tensor<8xf32>
  %ys = tt.splat %y : f32 -> tensor<8xf32>
  %1 = math.exp %ys : tensor<8xf32>
  // CHECK-DAG: %[[R2:.*]] = arith.select %[[C]], %[[T]], %[[R1]] : tensor<8xf32>
  %cs = tt.splat %c : i1 -> tensor<8xi1>
  %2 = arith.select %cs, %t, %1 : tensor<8xi1>, tensor<8xf32>
  // CHECK-DAG: %[[F:.*]] = tt.fp_to_fp %[[Y]], rounding = rtz : f32 -> f16
  // CHECK-DAG: %[[R3:.*]] = tt.splat %[[F]] : f16 -> tensor<8xf16>
  %3 = tt.fp_to_fp %ys, rounding = rtz : tensor<8xf32> -> tensor<8xf16>
  // CHECK: tt.return %[[R0]], %[[R1]], %[[R2]], %[[R3]]
  tt.return %0, %1, %2, %3 : tensor<8xi1>, tensor<8xf32>, tensor<8xf32>, tensor<8xf16>
}

// CHECK-LABEL: @products
// CHECK-SAME: (%[[A:.*]]: tensor<16x16xf16>, %[[X:.*]]: tensor<16x16xf32>)
tt.func @products(%a: tensor<16x16xf16>, %x: tensor<16x16xf32>) -> (tensor<16x16xf32>, tensor<16x16xf32>) {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  // CHECK: %[[D:.*]] = tt.dot %[[A]], %[[A]], %[[X]], inputPrecision = tf32 :
  %0 = tt.dot %a, %a, %zero, inputPrecision = tf32 : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  %1 = arith.addf %x, %0 : tensor<16x16xf32>
  // A limit on imprecise accumulation keeps its own accumulator.
  // CHECK: %[[E:.*]] = tt.dot {{.*}} {maxNumImpreciseAcc = 4 : i32}
  // CHECK: %[[S:.*]] = arith.addf %[[E]], %[[X]]
  %2 = tt.dot %a, %a, %zero {maxNumImpreciseAcc = 4 : i32} : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  %3 = arith.addf %2, %x : tensor<16x16xf32>
  // CHECK: tt.return %[[D]], %[[S]]
  tt.return %1, %3 : tensor<16x16xf32>, tensor<16x16xf32>
}

// CHECK-LABEL: @selected_load
// CHECK-SAME: (%[[P:.*]]: tensor<8x!tt.ptr<f32>>, %[[M:.*]]: tensor<8xi1>, %[[X:.*]]: tensor<8xf32>)
tt.func @selected_load(%p: tensor<8x!tt.ptr<f32>>, %m: tensor<8xi1>, %x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<8xf32>
  // CHECK-DAG: %[[A:.*]] = tt.load %[[P]], %[[M]], %[[X]]
  // CHECK-DAG: %[[B:.*]] = tt.load %[[P]], %[[M]], %[[ZERO]]
  // CHECK: tt.return %[[A]], %[[B]]
  %0 = tt.load %p, %m : tensor<8x!tt.ptr<f32>>
  %1 = arith.select %m, %0, %x : tensor<8xi1>, tensor<8xf32>
  %2 = tt.load %p, %m, %x : tensor<8x!tt.ptr<f32>>
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %3 = arith.select %m, %2, %zero : tensor<8xi1>, tensor<8xf32>
  tt.return %1, %3 : tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: @uniform_offset
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f32>, %[[O:.*]]: tensor<8xi32>, %[[S:.*]]: i64)
tt.func @uniform_offset(%p: !tt.ptr<f32>, %o: tensor<8xi32>, %s: i64) -> tensor<8x!tt.ptr<f32>> {
  // CHECK-NEXT: %[[A:.*]] = tt.addptr %[[P]], %[[S]] : !tt.ptr<f32>, i64
  // CHECK-NEXT: %[[B:.*]] = tt.splat %[[A]]
  // CHECK-NEXT: %[[C:.*]] = tt.addptr %[[B]], %[[O]] : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
  // CHECK-NEXT: tt.return %[[C]]
  %0 = tt.splat %p : !tt.ptr<f32> -> tensor<8x!tt.ptr<f32>>
  %1 = tt.addptr %0, %o : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
  %2 = tt.splat %s : i64 -> tensor<8xi64>
  %3 = tt.addptr %1, %2 : tensor<8x!tt.ptr<f32>>, tensor<8xi64>
  tt.return %3 : tensor<8x!tt.ptr<f32>>
}
