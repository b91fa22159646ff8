// RUN: nereid-opt %s --nrd-emit-gpu | FileCheck %s

// Warps whose warpgroup has an odd number meet at the first place, the others at
// the second, which a loop that is never repeated keeps behind what computes in
// front of it. What is to be ready there is packed in words before.
// CHECK-LABEL: llvm.func ptx_kernelcc @halves
// CHECK:         %[[GROUP:.*]] = arith.shrui %{{.*}}, %c2_i32
// CHECK:         %[[ODD:.*]] = arith.andi %[[GROUP]], %c1_i32
// CHECK:         arith.cmpi eq, %[[ODD]], %c1_i32
// CHECK:         llvm.inline_asm has_side_effects asm_dialect = att "{{.*}}@p barrier.cta.sync.aligned 0, 256;\0A}"
// CHECK:         arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK:         llvm.inline_asm has_side_effects asm_dialect = att "{{.*}}meet:\0A@p barrier.cta.sync.aligned 0, 256;\0A@again bra meet;\0A}", "r,r,r,~{memory}" %{{.*}}, %{{.*}}, %{{.*}} : (i32, i32, i32) -> ()
#p = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]], warp = [[128], [256], [512]], block = [], shape = [1024]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 8 : i32} {
  tt.func public @halves(%x: f16) {
    %p = tt.splat %x : f16 -> tensor<1024xf16, #p>
    tgpu.sync_threads half 1
    tgpu.sync_threads half 0 with %p : tensor<1024xf16, #p>
    tt.return
  }
}
