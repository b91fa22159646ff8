// RUN: nereid-opt %s --nrd-expand-library-calls -split-input-file | FileCheck %s

// Prefix and type suffix say nothing about the function; both libraries spell
// it in their own way.
// CHECK-LABEL: @named
tt.func @named(%x: tensor<16xf32>, %y: tensor<16xf64>) {
  // CHECK: math.exp %{{.*}} : tensor<16xf32>
  %0 = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "__nv_expf"} : (tensor<16xf32>) -> tensor<16xf32>
  // CHECK: math.exp %{{.*}} : tensor<16xf64>
  %1 = tt.extern_elementwise %y {libname = "", libpath = "", pure = true, symbol = "__nv_exp"} : (tensor<16xf64>) -> tensor<16xf64>
  // CHECK: math.erf %{{.*}} : tensor<16xf32>
  %2 = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "__ocml_erf_f32"} : (tensor<16xf32>) -> tensor<16xf32>
  // CHECK: math.log2 %{{.*}} : tensor<16xf32>
  %3 = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "__nv_fast_log2f"} : (tensor<16xf32>) -> tensor<16xf32>
  // CHECK-NOT: tt.extern_elementwise
  tt.return
}

// -----

// Scalars work as tensors do, and a test is an i32.
// CHECK-LABEL: @scalar
tt.func @scalar(%x: f64, %p: !tt.ptr<i32>) {
  // CHECK: %[[NAN:.*]] = arith.cmpf uno, %{{.*}}, %{{.*}} : f64
  // CHECK: arith.extui %[[NAN]] : i1 to i32
  %0 = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "__nv_isnand"} : (f64) -> i32
  tt.store %p, %0 : !tt.ptr<i32>
  tt.return
}

// -----

// A function asked for with other types than its own, an unknown one, and one
// of another library stay.
// CHECK-LABEL: @unknown
tt.func @unknown(%x: tensor<16xi32>, %y: tensor<16xf32>) {
  // CHECK: symbol = "__nv_expf"
  %0 = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "__nv_expf"} : (tensor<16xi32>) -> tensor<16xf32>
  // CHECK: symbol = "__nv_unknownf"
  %1 = tt.extern_elementwise %y {libname = "", libpath = "", pure = true, symbol = "__nv_unknownf"} : (tensor<16xf32>) -> tensor<16xf32>
  // CHECK: symbol = "my_expf"
  %2 = tt.extern_elementwise %y {libname = "", libpath = "", pure = true, symbol = "my_expf"} : (tensor<16xf32>) -> tensor<16xf32>
  tt.return
}
