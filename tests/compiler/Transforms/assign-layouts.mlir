// RUN: nereid-opt %s "-nrd-assign-layouts=target=sm_90a num-warps=4 num-stages=2" -nrd-verify-layouts | FileCheck %s

// CHECK-DAG: #[[$ROW:.*]] = #tgpu.layout<register = {{\[\[}}1], [2], [512]], lane = {{\[\[}}4], [8], [16], [32], [64]], warp = {{\[\[}}128], [256]], block = [], shape = [1024]>
// CHECK-DAG: #[[$SMALL:.*]] = #tgpu.layout<register = [], lane = {{\[\[}}1], [2], [4], [8], [16]], warp = {{\[\[}}0], [0]], block = [], shape = [32]>

// CHECK: module attributes {nrd.num_stages = 2 : i32, nrd.num_warps = 4 : i32, nrd.target = "sm_90a"}

// Aligned rows are read 16 bytes at a time; pointers and masks follow.
// CHECK-LABEL: @copy
tt.func @copy(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %n: i32 {tt.divisibility = 16 : i32}) {
  // CHECK: tt.make_range {{.*}} : tensor<1024xi32, #[[$ROW]]>
  %range = tt.make_range {start = 0 : i32, end = 1024 : i32} : tensor<1024xi32>
  %limit = tt.splat %n : i32 -> tensor<1024xi32>
  // CHECK: arith.cmpi slt, {{.*}} : tensor<1024xi32, #[[$ROW]]>
  %mask = arith.cmpi slt, %range, %limit : tensor<1024xi32>
  %base = tt.splat %p : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %q = tt.addptr %base, %range : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  // CHECK: tt.load {{.*}} {nrd.access = array<i32: 0, 4, 1024>} : tensor<1024x!tt.ptr<f32>, #[[$ROW]]>
  %x = tt.load %q, %mask : tensor<1024x!tt.ptr<f32>>
  // CHECK-NOT: convert_layout
  // CHECK: tt.store {{.*}} {nrd.access = array<i32: 0, 4, 1024>} : tensor<1024x!tt.ptr<f32>, #[[$ROW]]>
  tt.store %q, %x, %mask : tensor<1024x!tt.ptr<f32>>
  tt.return
}

// Fewer elements than threads: the last warps hold copies.
// CHECK-LABEL: @small
tt.func @small(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}) {
  %range = tt.make_range {start = 0 : i32, end = 32 : i32} : tensor<32xi32>
  %base = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>>
  %q = tt.addptr %base, %range : tensor<32x!tt.ptr<f32>>, tensor<32xi32>
  // CHECK: tt.load {{.*}} : tensor<32x!tt.ptr<f32>, #[[$SMALL]]>
  %x = tt.load %q : tensor<32x!tt.ptr<f32>>
  tt.store %q, %x : tensor<32x!tt.ptr<f32>>
  tt.return
}
