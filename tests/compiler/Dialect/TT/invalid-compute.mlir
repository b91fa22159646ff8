// What arithmetic, reductions and products refuse, and how they say it.
// RUN: nereid-opt %s --split-input-file --verify-diagnostics

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.fp_to_fp' op from 'f32' to the narrower 'f8E5M2' needs a rounding: rtne or rtz}}
  %0 = tt.fp_to_fp %x : tensor<8xf32> -> tensor<8xf8E5M2>
  tt.return
}

// -----

tt.func @f(%x: i32) {
  // expected-error @+1 {{'tt.clampf' op operand #0 must be a float or a tensor of floats, but got 'i32'}}
  %0 = tt.clampf %x, %x, %x, propagateNan = none : i32
  tt.return
}

// -----

tt.func @f(%x: i32) {
  // expected-error @+1 {{'tt.precise_sqrt' op operand #0 must be a float or a tensor of floats, but got 'i32'}}
  %0 = tt.precise_sqrt %x : i32
  tt.return
}

// -----

tt.func @f(%x: i32) {
  // expected-error @+1 {{'tt.precise_divf' op operand #0 must be a float or a tensor of floats, but got 'i32'}}
  %0 = tt.precise_divf %x, %x : i32
  tt.return
}

// -----

tt.func @f(%x: f32) {
  // expected-error @+1 {{'tt.mulhiui' op operand #0 must be an integer or a tensor of integers, but got 'f32'}}
  %0 = tt.mulhiui %x, %x : f32
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>, %y: tensor<4xf32>) {
  // expected-error @+1 {{'tt.extern_elementwise' op needs operands and results of one shape, found 'tensor<8xf32>' and 'tensor<4xf32>'}}
  %0 = tt.extern_elementwise %x, %y {libname = "", libpath = "", pure = true, symbol = "f"} : (tensor<8xf32>, tensor<4xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.elementwise_inline_asm' op packs 16 elements, which do not divide the 8 of 'tensor<8xf32>'}}
  %0 = tt.elementwise_inline_asm "f" {constraints = "=r,r", packed_element = 16 : i32, pure = true} %x : tensor<8xf32> -> tensor<8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.map_elementwise' op needs a region with the arguments ('f32', 'f32'): pack = 2 elements of each operand}}
  %0 = "tt.map_elementwise"(%x) <{pack = 2 : i32}> ({
  ^bb0(%a: f32):
    tt.map_elementwise.return %a, %a : f32, f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  %0 = "tt.map_elementwise"(%x) <{pack = 1 : i32}> ({
  ^bb0(%a: f32):
    // expected-error @+1 {{'tt.map_elementwise.return' op must give ('f32'): pack = 1 elements of each result}}
    tt.map_elementwise.return %a, %a : f32, f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.reduce' op axis is 1, but 'tensor<8xf32>' has dimensions 0 to 0}}
  %0 = "tt.reduce"(%x) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.reduce.return %a : f32
  }) : (tensor<8xf32>) -> f32
  tt.return
}

// -----

tt.func @f(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'tt.reduce' op of 'tensor<4x8xf32>' along axis 0 gives 'tensor<8xf32>', found 'tensor<4xf32>'}}
  %0 = "tt.reduce"(%x) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.reduce.return %a : f32
  }) : (tensor<4x8xf32>) -> tensor<4xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>, %y: tensor<4xf32>) {
  // expected-error @+1 {{'tt.reduce' op needs operands of one shape, found 'tensor<8xf32>' and 'tensor<4xf32>'}}
  %0:2 = "tt.reduce"(%x, %y) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32, %c: f32, %d: f32):
    tt.reduce.return %a, %b : f32, f32
  }) : (tensor<8xf32>, tensor<4xf32>) -> (f32, f32)
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.reduce' op needs a region with the arguments ('f32', 'f32'): two elements of each operand; found ('f32', 'i32')}}
  %0 = "tt.reduce"(%x) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: i32):
    tt.reduce.return %a : f32
  }) : (tensor<8xf32>) -> f32
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  %0 = "tt.reduce"(%x) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    // expected-error @+1 {{'tt.reduce.return' op must give ('f32'), found ('f32', 'f32')}}
    tt.reduce.return %a, %b : f32, f32
  }) : (tensor<8xf32>) -> f32
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.scan' op of 'tensor<8xf32>' gives the same type, found 'tensor<8xf16>'}}
  %0 = "tt.scan"(%x) <{axis = 0 : i32, reverse = false}> ({
  ^bb0(%a: f32, %b: f32):
    tt.scan.return %a : f32
  }) : (tensor<8xf32>) -> tensor<8xf16>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>, %y: i32) {
  %0 = "tt.scan"(%x) <{axis = 0 : i32, reverse = false}> ({
  ^bb0(%a: f32, %b: f32):
    // expected-error @+1 {{'tt.scan.return' op must give ('f32'), found ('i32')}}
    tt.scan.return %y : i32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<2x8xi32>) {
  // expected-error @+1 {{'tt.histogram' op counts a 1-D tensor, found 'tensor<2x8xi32>'}}
  %0 = tt.histogram %x : tensor<2x8xi32> -> tensor<16xi32>
  tt.return
}

// -----

tt.func @f(%a: tensor<16x32xf16>, %b: tensor<16x16xf16>, %c: tensor<16x16xf32>) {
  // expected-error @+1 {{'tt.dot' op needs one K: it is 32 in 'tensor<16x32xf16>' and 16 in 'tensor<16x16xf16>'}}
  %0 = tt.dot %a, %b, %c : tensor<16x32xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  tt.return
}

// -----

tt.func @f(%a: tensor<16x32xf16>, %b: tensor<32x16xf16>, %c: tensor<32x16xf32>) {
  // expected-error @+1 {{'tt.dot' op of 16x32 and 32x16 must give 16x16, found 32x16}}
  %0 = tt.dot %a, %b, %c : tensor<16x32xf16> * tensor<32x16xf16> -> tensor<32x16xf32>
  tt.return
}

// -----

tt.func @f(%a: tensor<16x32xf16>, %b: tensor<32x16xbf16>, %c: tensor<16x16xf32>) {
  // expected-error @+1 {{'tt.dot' op needs operands of one element type, found 'f16' and 'bf16'}}
  %0 = tt.dot %a, %b, %c : tensor<16x32xf16> * tensor<32x16xbf16> -> tensor<16x16xf32>
  tt.return
}

// -----

tt.func @f(%a: tensor<16xf16>, %b: tensor<16xf16>, %c: tensor<16xf32>) {
  // expected-error @+1 {{'tt.dot' op multiplies matrices (rank 2) or batches of them (rank 3), found 'tensor<16xf16>' * 'tensor<16xf16>' -> 'tensor<16xf32>'}}
  %0 = tt.dot %a, %b, %c : tensor<16xf16> * tensor<16xf16> -> tensor<16xf32>
  tt.return
}

// -----

tt.func @f(%a: tensor<16x64xf16>, %b: tensor<64x16xf8E5M2>, %c: tensor<16x16xf32>) {
  // expected-error @+1 {{'tt.dot_scaled' op a is said to be bf16, but its elements are 'f16'}}
  %0 = tt.dot_scaled %a, %b, %c lhs = bf16 rhs = e5m2 {fastMath = false} : tensor<16x64xf16> * tensor<64x16xf8E5M2> -> tensor<16x16xf32>
  tt.return
}

// -----

tt.func @f(%a: tensor<16x64xf8E5M2>, %b: tensor<64x16xf8E5M2>, %c: tensor<16x16xf32>, %t: tensor<16x8xi8>) {
  // expected-error @+1 {{'tt.dot_scaled' op a_scale is 16x2 (group 32) or 16x4 (group 16), found 'tensor<16x8xi8>'}}
  %0 = tt.dot_scaled %a scale %t, %b, %c lhs = e5m2 rhs = e5m2 {fastMath = false} : tensor<16x64xf8E5M2>, tensor<16x8xi8> * tensor<64x16xf8E5M2> -> tensor<16x16xf32>
  tt.return
}

// -----

tt.func @f(%x: i32) {
  // expected-error @+1 {{'tt.print' op prints 1 values, but isSigned has 2 entries}}
  tt.print " x" {hex = false, isSigned = array<i32: 0, 1>} : %x : i32
  tt.return
}

// -----

tt.func @f(%x: i32) {
  // expected-error @+1 {{'tt.assert' op operand #0 must be i1 or a tensor of i1, but got 'i32'}}
  tt.assert %x, "message" : i32
  tt.return
}
