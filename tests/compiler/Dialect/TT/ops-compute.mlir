// Arithmetic, reductions, products and debugging ops print what they parse.
// RUN: nereid-opt %s | nereid-opt | FileCheck %s

// CHECK-LABEL: @elementwise
tt.func @elementwise(%x: tensor<8xf32>, %s: f32, %i: tensor<8xi32>, %e: tensor<8xf8E4M3FN>) {
  // CHECK: tt.fp_to_fp %{{.*}}, rounding = rtz : tensor<8xf32> -> tensor<8xf8E5M2>
  %0 = tt.fp_to_fp %x, rounding = rtz : tensor<8xf32> -> tensor<8xf8E5M2>
  // CHECK: tt.fp_to_fp %{{.*}} : tensor<8xf8E4M3FN> -> tensor<8xf32>
  %1 = tt.fp_to_fp %e : tensor<8xf8E4M3FN> -> tensor<8xf32>
  // CHECK: tt.clampf %{{.*}}, %{{.*}}, %{{.*}}, propagateNan = all : tensor<8xf32>
  %2 = tt.clampf %x, %1, %x, propagateNan = all : tensor<8xf32>
  // CHECK: tt.precise_sqrt %{{.*}} : f32
  %3 = tt.precise_sqrt %s : f32
  // CHECK: tt.precise_divf %{{.*}}, %{{.*}} : tensor<8xf32>
  %4 = tt.precise_divf %x, %2 : tensor<8xf32>
  // CHECK: tt.mulhiui %{{.*}}, %{{.*}} : tensor<8xi32>
  %5 = tt.mulhiui %i, %i : tensor<8xi32>
  // CHECK: tt.extern_elementwise %{{.*}}, %{{.*}} {libname = "", libpath = "", pure = true, symbol = "__nv_powf"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %6 = tt.extern_elementwise %x, %2 {libname = "", libpath = "", pure = true, symbol = "__nv_powf"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: tt.elementwise_inline_asm "f $0, $1" {constraints = "=r,r", packed_element = 4 : i32, pure = false} %{{.*}} : tensor<8xf32> -> tensor<8xf32>, tensor<8xi32>
  %7:2 = tt.elementwise_inline_asm "f $0, $1" {constraints = "=r,r", packed_element = 4 : i32, pure = false} %x : tensor<8xf32> -> tensor<8xf32>, tensor<8xi32>
  // CHECK: tt.elementwise_inline_asm "g" {constraints = "=r", packed_element = 1 : i32, pure = true} -> i32
  %8 = tt.elementwise_inline_asm "g" {constraints = "=r", packed_element = 1 : i32, pure = true} -> i32
  tt.return
}

// CHECK-LABEL: @map
tt.func @map(%x: tensor<8xf32>, %i: tensor<8xi32>) {
  // CHECK:      "tt.map_elementwise"(%{{.*}}, %{{.*}}) <{pack = 2 : i32}> ({
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: i32, %{{.*}}: i32):
  // CHECK-NEXT:   tt.map_elementwise.return %{{.*}}, %{{.*}} : f32, f32
  // CHECK-NEXT: }) : (tensor<8xf32>, tensor<8xi32>) -> tensor<8xf32>
  %0 = "tt.map_elementwise"(%x, %i) <{pack = 2 : i32}> ({
  ^bb0(%a0: f32, %a1: f32, %b0: i32, %b1: i32):
    tt.map_elementwise.return %a1, %a0 : f32, f32
  }) : (tensor<8xf32>, tensor<8xi32>) -> tensor<8xf32>
  tt.return
}

// CHECK-LABEL: @reductions
tt.func @reductions(%x: tensor<4x8xf32>, %i: tensor<4x8xi32>, %v: tensor<8xi32>, %m: tensor<8xi1>) {
  // CHECK:      "tt.reduce"(%{{.*}}, %{{.*}}) <{axis = 1 : i32}> ({
  // CHECK:        tt.reduce.return %{{.*}}, %{{.*}} : f32, i32
  // CHECK-NEXT: }) : (tensor<4x8xf32>, tensor<4x8xi32>) -> (tensor<4xf32>, tensor<4xi32>)
  %0:2 = "tt.reduce"(%x, %i) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %ai: i32, %b: f32, %bi: i32):
    %c = arith.addf %a, %b : f32
    tt.reduce.return %c, %ai : f32, i32
  }) : (tensor<4x8xf32>, tensor<4x8xi32>) -> (tensor<4xf32>, tensor<4xi32>)
  // CHECK: }) : (tensor<8xi32>) -> i32
  %1 = "tt.reduce"(%v) <{axis = 0 : i32}> ({
  ^bb0(%a: i32, %b: i32):
    %c = arith.maxsi %a, %b : i32
    tt.reduce.return %c : i32
  }) : (tensor<8xi32>) -> i32
  // CHECK:      "tt.scan"(%{{.*}}) <{axis = 0 : i32, reverse = true}> ({
  // CHECK:        tt.scan.return %{{.*}} : f32
  // CHECK-NEXT: }) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = "tt.scan"(%x) <{axis = 0 : i32, reverse = true}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.mulf %a, %b : f32
    tt.scan.return %c : f32
  }) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: tt.histogram %{{.*}} : tensor<8xi32> -> tensor<16xi32>
  %3 = tt.histogram %v : tensor<8xi32> -> tensor<16xi32>
  // CHECK: tt.histogram %{{.*}}, %{{.*}} : tensor<8xi32> -> tensor<16xi32>
  %4 = tt.histogram %v, %m : tensor<8xi32> -> tensor<16xi32>
  tt.return
}

// CHECK-LABEL: @products
tt.func @products(%a: tensor<16x32xf16>, %b: tensor<32x16xf16>, %c: tensor<16x16xf32>,
                  %a3: tensor<2x16x32xi8>, %b3: tensor<2x32x16xi8>, %c3: tensor<2x16x16xi32>,
                  %a8: tensor<16x32xf8E5M2>, %b8: tensor<32x16xf8E4M3FN>) {
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<16x32xf16> * tensor<32x16xf16> -> tensor<16x16xf32>
  %0 = tt.dot %a, %b, %c : tensor<16x32xf16> * tensor<32x16xf16> -> tensor<16x16xf32>
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}}, inputPrecision = tf32 {maxNumImpreciseAcc = 4 : i32} :
  %1 = tt.dot %a, %b, %c, inputPrecision = tf32 {maxNumImpreciseAcc = 4 : i32} : tensor<16x32xf16> * tensor<32x16xf16> -> tensor<16x16xf32>
  // CHECK: tt.dot %{{.*}} : tensor<2x16x32xi8> * tensor<2x32x16xi8> -> tensor<2x16x16xi32>
  %2 = tt.dot %a3, %b3, %c3 : tensor<2x16x32xi8> * tensor<2x32x16xi8> -> tensor<2x16x16xi32>
  // CHECK: tt.dot %{{.*}} : tensor<16x32xf8E5M2> * tensor<32x16xf8E4M3FN> -> tensor<16x16xf32>
  %3 = tt.dot %a8, %b8, %c : tensor<16x32xf8E5M2> * tensor<32x16xf8E4M3FN> -> tensor<16x16xf32>
  tt.return
}

// CHECK-LABEL: @scaled
tt.func @scaled(%a: tensor<128x64xi8>, %sa: tensor<128x4xi8>, %b: tensor<128x128xf8E5M2>, %sb: tensor<128x4xi8>, %c: tensor<128x128xf32>, %h: tensor<128x128xbf16>, %k: tensor<64x128xi8>) {
  // CHECK: tt.dot_scaled %{{.*}} scale %{{.*}}, %{{.*}} scale %{{.*}}, %{{.*}} lhs = e2m1 rhs = e5m2 {fastMath = false} : tensor<128x64xi8>, tensor<128x4xi8> * tensor<128x128xf8E5M2>, tensor<128x4xi8> -> tensor<128x128xf32>
  %0 = tt.dot_scaled %a scale %sa, %b scale %sb, %c lhs = e2m1 rhs = e5m2 {fastMath = false} : tensor<128x64xi8>, tensor<128x4xi8> * tensor<128x128xf8E5M2>, tensor<128x4xi8> -> tensor<128x128xf32>
  // CHECK: tt.dot_scaled %{{.*}}, %{{.*}} scale %{{.*}}, %{{.*}} lhs = bf16 rhs = e5m2 {fastMath = true} : tensor<128x128xbf16> * tensor<128x128xf8E5M2>, tensor<128x4xi8> -> tensor<128x128xf32>
  %1 = tt.dot_scaled %h, %b scale %sb, %0 lhs = bf16 rhs = e5m2 {fastMath = true} : tensor<128x128xbf16> * tensor<128x128xf8E5M2>, tensor<128x4xi8> -> tensor<128x128xf32>
  // CHECK: lhs = e2m1 rhs = e5m2 {fastMath = false, lhs_k_pack = false} :
  %2 = tt.dot_scaled %k scale %sa, %b scale %sb, %c lhs = e2m1 rhs = e5m2 {fastMath = false, lhs_k_pack = false} : tensor<64x128xi8>, tensor<128x4xi8> * tensor<128x128xf8E5M2>, tensor<128x4xi8> -> tensor<128x128xf32>
  tt.return
}

// CHECK-LABEL: @debugging
tt.func @debugging(%x: tensor<8xf32>, %i: i32, %m: tensor<8xi1>) {
  // CHECK: tt.print " x: " {hex = false, isSigned = array<i32: 0, 1>} : %{{.*}}, %{{.*}} : tensor<8xf32>, i32
  tt.print " x: " {hex = false, isSigned = array<i32: 0, 1>} : %x, %i : tensor<8xf32>, i32
  // CHECK: tt.print " here" {hex = false, isSigned = array<i32>}
  tt.print " here" {hex = false, isSigned = array<i32>}
  // CHECK: tt.assert %{{.*}}, "in range" : tensor<8xi1>
  tt.assert %m, "in range" : tensor<8xi1>
  tt.return
}
