// RUN: nereid-opt %s --nrd-emit-gpu | FileCheck %s

// Shape operations only rename registers: no instruction comes from them.
#a = #tgpu.layout<register = [[1]], lane = [[2], [4], [8], [16], [32]],
                  warp = [], block = [], shape = [64]>
#col = #tgpu.layout<register = [[1, 0]],
                    lane = [[2, 0], [4, 0], [8, 0], [16, 0], [32, 0]],
                    warp = [], block = [], shape = [64, 1]>
#wide = #tgpu.layout<register = [[0, 1], [1, 0]],
                     lane = [[2, 0], [4, 0], [8, 0], [16, 0], [32, 0]],
                     warp = [], block = [], shape = [64, 2]>
#turned = #tgpu.layout<register = [[1, 0], [0, 1]],
                       lane = [[0, 2], [0, 4], [0, 8], [0, 16], [0, 32]],
                       warp = [], block = [], shape = [2, 64]>

// CHECK-LABEL: llvm.func ptx_kernelcc @rename
// CHECK: %[[T:.*]] = llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.tid.x"
// CHECK: %[[E0:.*]] = arith.shli %[[T]], %{{.*}} overflow<nsw, nuw>
// CHECK: %[[E1:.*]] = arith.addi %[[E0]], %{{.*}} overflow<nsw, nuw>
// CHECK-NOT: arith
// CHECK: %[[P:.*]] = arith.muli %[[E0]], %[[E0]]
// CHECK: arith.muli %[[E0]], %[[E0]]
// CHECK: arith.muli %[[E1]], %[[E1]]
// CHECK: arith.muli %[[E1]], %[[E1]]
// CHECK: llvm.return
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @rename() {
    %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32, #a>
    %c = tt.expand_dims %r {axis = 1 : i32} : tensor<64xi32, #a> -> tensor<64x1xi32, #col>
    %w = tt.broadcast %c : tensor<64x1xi32, #col> -> tensor<64x2xi32, #wide>
    %t = tt.trans %w {order = array<i32: 1, 0>} : tensor<64x2xi32, #wide> -> tensor<2x64xi32, #turned>
    %u = tt.trans %t {order = array<i32: 1, 0>} : tensor<2x64xi32, #turned> -> tensor<64x2xi32, #wide>
    %lhs, %rhs = tt.split %u : tensor<64x2xi32, #wide> -> tensor<64xi32, #a>
    %j = tt.join %lhs, %rhs : tensor<64xi32, #a> -> tensor<64x2xi32, #wide>
    %m = arith.muli %j, %j : tensor<64x2xi32, #wide>
    tt.return
  }
}
