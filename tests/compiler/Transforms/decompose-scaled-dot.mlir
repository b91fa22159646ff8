// RUN: nereid-opt %s -nrd-decompose-scaled-dot | FileCheck %s

// e4m3 operands with one e8m0 scale per 32 values: decoded, scaled, multiplied
// in full precision. The scales of B turn to [K, N].
// CHECK-LABEL: tt.func @e4m3
// CHECK: %[[A:.+]] = tt.fp_to_fp %arg0 : tensor<16x64xf8E4M3FN> -> tensor<16x64xf32>
// CHECK: %[[B:.+]] = tt.fp_to_fp %arg2 : tensor<64x16xf8E4M3FN> -> tensor<64x16xf32>
// CHECK: arith.extui %arg1 : tensor<16x2xi8> to tensor<16x2xi32>
// CHECK: arith.constant dense<23>
// CHECK: arith.constant dense<4194304>
// CHECK: arith.constant dense<2143289344>
// CHECK: tt.broadcast %{{.*}} : tensor<16x2x1xf32> -> tensor<16x2x32xf32>
// CHECK: %[[FA:.+]] = tt.reshape %{{.*}} : tensor<16x2x32xf32> -> tensor<16x64xf32>
// CHECK: %[[SA:.+]] = arith.mulf %[[A]], %[[FA]]
// CHECK: %[[FB:.+]] = tt.trans %{{.*}} {order = array<i32: 1, 0>} : tensor<16x64xf32> -> tensor<64x16xf32>
// CHECK: %[[SB:.+]] = arith.mulf %[[B]], %[[FB]]
// CHECK: tt.dot %[[SA]], %[[SB]], %arg4 : tensor<16x64xf32> * tensor<64x16xf32> -> tensor<16x16xf32>
// CHECK-NOT: tt.dot_scaled
tt.func @e4m3(%a: tensor<16x64xf8E4M3FN>, %sa: tensor<16x2xi8>, %b: tensor<64x16xf8E4M3FN>, %sb: tensor<16x2xi8>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %d = tt.dot_scaled %a scale %sa, %b scale %sb, %c lhs = e4m3 rhs = e4m3 {fastMath = false} : tensor<16x64xf8E4M3FN>, tensor<16x2xi8> * tensor<64x16xf8E4M3FN>, tensor<16x2xi8> -> tensor<16x16xf32>
  tt.return %d : tensor<16x16xf32>
}

// e2m1 is packed along K: along the columns of A and the rows of B.
// CHECK-LABEL: tt.func @e2m1
// CHECK: %[[PA:.+]] = tt.join %{{.*}} : tensor<16x32xf32> -> tensor<16x32x2xf32>
// CHECK: tt.reshape %[[PA]] : tensor<16x32x2xf32> -> tensor<16x64xf32>
// CHECK: %[[PB:.+]] = tt.join %{{.*}} : tensor<32x16xf32> -> tensor<32x16x2xf32>
// CHECK: %[[TB:.+]] = tt.trans %[[PB]] {order = array<i32: 0, 2, 1>} : tensor<32x16x2xf32> -> tensor<32x2x16xf32>
// CHECK: tt.reshape %[[TB]] : tensor<32x2x16xf32> -> tensor<64x16xf32>
tt.func @e2m1(%a: tensor<16x32xi8>, %b: tensor<32x16xi8>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %d = tt.dot_scaled %a, %b, %c lhs = e2m1 rhs = e2m1 {fastMath = false} : tensor<16x32xi8> * tensor<32x16xi8> -> tensor<16x16xf32>
  tt.return %d : tensor<16x16xf32>
}
