// RUN: nereid-opt %s --nrd-emit-gpu | FileCheck %s

// One scalar operation per register; a parameter of one bit is a byte.
#l = #tgpu.layout<register = [[1]], lane = [[2], [4], [8], [16], [32]],
                  warp = [[64], [128]], block = [], shape = [256]>
// CHECK-LABEL: llvm.func ptx_kernelcc @add(%arg0: f32, %arg1: i8)
// CHECK-SAME: passthrough = {{\[\[}}"nvvm.reqntid", "128"], ["nvvm.minctasm", "1"]]
// CHECK: arith.cmpi ne, %arg1
// CHECK: arith.addf
// CHECK: scf.if %{{.*}} -> (f32, f32)
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @add(%x: f32, %c: i1) {
    %cst = arith.constant dense<1.0> : tensor<256xf32, #l>
    %two = arith.constant dense<2.0> : tensor<256xf32, #l>
    %s = arith.addf %cst, %two : tensor<256xf32, #l>
    %r = scf.if %c -> tensor<256xf32, #l> {
      %t = arith.mulf %s, %two : tensor<256xf32, #l>
      scf.yield %t : tensor<256xf32, #l>
    } else {
      scf.yield %s : tensor<256xf32, #l>
    }
    tt.return
  }
}
