// RUN: nereid-opt %s --split-input-file --nrd-emit-gpu | FileCheck %s

// Four quotients of one denominator: one reciprocal, of a number that a power
// of two takes into range.
// CHECK-LABEL: llvm.func ptx_kernelcc @shared
// CHECK:         %[[P:.*]] = arith.mulf %[[Y:.*]], %[[S:.*]] : f32
// CHECK:         %[[R:.*]] = llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"(%[[P]])
// CHECK-COUNT-4: arith.mulf %{{.*}}, %[[R]] : f32
// CHECK-NOT:     llvm.nvvm.rcp
// CHECK-NOT:     llvm.nvvm.div.full
#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]], warp = [], block = [], shape = [128]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @shared(%p: !tt.ptr<f32>, %y: f32) {
    %i = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32, #l>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>, #l>
    %q = tt.addptr %ps, %i : tensor<128x!tt.ptr<f32>, #l>, tensor<128xi32, #l>
    %x = tt.load %q : tensor<128x!tt.ptr<f32>, #l>
    %ys = tt.splat %y : f32 -> tensor<128xf32, #l>
    %z = arith.divf %x, %ys : tensor<128xf32, #l>
    tt.store %q, %z : tensor<128x!tt.ptr<f32>, #l>
    tt.return
  }
}

// -----

// A denominator each.
// CHECK-LABEL: llvm.func ptx_kernelcc @each
// CHECK-COUNT-4: llvm.nvvm.div.full
// CHECK-NOT:     llvm.nvvm.rcp
#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]], warp = [], block = [], shape = [128]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @each(%p: !tt.ptr<f32>, %y: f32) {
    %i = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32, #l>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>, #l>
    %q = tt.addptr %ps, %i : tensor<128x!tt.ptr<f32>, #l>, tensor<128xi32, #l>
    %x = tt.load %q : tensor<128x!tt.ptr<f32>, #l>
    %ys = tt.splat %y : f32 -> tensor<128xf32, #l>
    %z = arith.divf %ys, %x : tensor<128xf32, #l>
    tt.store %q, %z : tensor<128x!tt.ptr<f32>, #l>
    tt.return
  }
}
