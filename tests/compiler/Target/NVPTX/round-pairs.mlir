// RUN: nereid-opt %s --nrd-emit-gpu --split-input-file | FileCheck %s

// Two numbers are rounded by one instruction, whatever block packs them; an odd
// one is rounded alone.
#r = #tgpu.layout<register = [[1]], lane = [[2], [4], [8], [16], [32]],
                  warp = [], block = [], shape = [64]>
// CHECK-LABEL: @pairs
// CHECK: %[[A:.*]] = llvm.insertelement %{{.*}}, %{{.*}}[%{{.*}} : i32] : vector<2xf32>
// CHECK: %[[B:.*]] = llvm.insertelement %{{.*}}, %[[A]][%{{.*}} : i32] : vector<2xf32>
// CHECK: llvm.fptrunc %[[B]] : vector<2xf32> to vector<2xbf16>
// CHECK-NOT: fptrunc
module attributes {nrd.target = "sm_80", nrd.num_warps = 1 : i32} {
  tt.func public @pairs(%p: !tt.ptr<f32>, %q: !tt.ptr<bf16>) {
    %i = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32, #r>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>, #r>
    %qs = tt.splat %q : !tt.ptr<bf16> -> tensor<64x!tt.ptr<bf16>, #r>
    %pi = tt.addptr %ps, %i : tensor<64x!tt.ptr<f32>, #r>, tensor<64xi32, #r>
    %qi = tt.addptr %qs, %i : tensor<64x!tt.ptr<bf16>, #r>, tensor<64xi32, #r>
    %x = tt.load %pi : tensor<64x!tt.ptr<f32>, #r>
    %y = arith.truncf %x : tensor<64xf32, #r> to tensor<64xbf16, #r>
    tt.store %qi, %y : tensor<64x!tt.ptr<bf16>, #r>
    tt.return
  }
}

// -----

#one = #tgpu.layout<register = [], lane = [[1], [2], [4], [8], [16]],
                  warp = [], block = [], shape = [32]>
// CHECK-LABEL: @single
// CHECK: llvm.fptrunc %{{.*}} : f32 to f16
module attributes {nrd.target = "sm_80", nrd.num_warps = 1 : i32} {
  tt.func public @single(%p: !tt.ptr<f32>, %q: !tt.ptr<f16>) {
    %i = tt.make_range {start = 0 : i32, end = 32 : i32} : tensor<32xi32, #one>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>, #one>
    %qs = tt.splat %q : !tt.ptr<f16> -> tensor<32x!tt.ptr<f16>, #one>
    %pi = tt.addptr %ps, %i : tensor<32x!tt.ptr<f32>, #one>, tensor<32xi32, #one>
    %qi = tt.addptr %qs, %i : tensor<32x!tt.ptr<f16>, #one>, tensor<32xi32, #one>
    %x = tt.load %pi : tensor<32x!tt.ptr<f32>, #one>
    %y = arith.truncf %x : tensor<32xf32, #one> to tensor<32xf16, #one>
    tt.store %qi, %y : tensor<32x!tt.ptr<f16>, #one>
    tt.return
  }
}
