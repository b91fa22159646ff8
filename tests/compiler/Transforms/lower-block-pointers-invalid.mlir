// RUN: nereid-opt %s -nrd-lower-block-pointers --verify-diagnostics

tt.func @f(%p: !tt.ptr<f32>, %n: i64, %i: i32) {
  %b = tt.make_tensor_ptr %p, [%n], [%n], [%i] {order = array<i32: 0>} : <tensor<8xf32>>
  // expected-error @+1 {{'tt.print' op cannot take a block pointer here}}
  tt.print " b" {hex = false, isSigned = array<i32: 0>} : %b : !tt.ptr<tensor<8xf32>>
  tt.return
}
