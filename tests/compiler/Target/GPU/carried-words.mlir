// RUN: nereid-opt %s --nrd-emit-gpu | FileCheck %s

// A loop carries narrow floats two in a word: packed where they are made, and
// taken apart inside.
#l = #tgpu.layout<register = [[1]], lane = [[2], [4], [8], [16], [32]],
                  warp = [[64], [128]], block = [], shape = [256]>
// CHECK-LABEL: llvm.func ptx_kernelcc @carry
// CHECK: %[[FIRST:.*]] = llvm.bitcast %{{.*}} : vector<2xf16> to i32
// CHECK: scf.for {{.*}} iter_args(%[[WORD:.*]] = %[[FIRST]], %{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (i32, f32, f32)
// CHECK: llvm.bitcast %[[WORD]] : i32 to vector<2xf16>
// CHECK: %[[NEXT:.*]] = llvm.bitcast %{{.*}} : vector<2xf16> to i32
// CHECK: scf.yield %[[NEXT]], %{{.*}}, %{{.*}} : i32, f32, f32
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @carry(%n: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %half = arith.constant dense<1.0> : tensor<256xf16, #l>
    %full = arith.constant dense<1.0> : tensor<256xf32, #l>
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%h = %half, %f = %full) -> (tensor<256xf16, #l>, tensor<256xf32, #l>) : i32 {
      %w = arith.extf %h : tensor<256xf16, #l> to tensor<256xf32, #l>
      %s = arith.addf %w, %f : tensor<256xf32, #l>
      %t = arith.truncf %s : tensor<256xf32, #l> to tensor<256xf16, #l>
      scf.yield %t, %s : tensor<256xf16, #l>, tensor<256xf32, #l>
    }
    tt.return
  }
}
