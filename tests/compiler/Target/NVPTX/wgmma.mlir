// RUN: nereid-opt %s --split-input-file --nrd-emit-gpu | FileCheck %s

// Two steps along K in one asm, accumulators tied; both operands contiguous
// along K in 64-byte panels: the second step is 32 bytes further, a sum in the asm.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: arith.constant 65536 : i32
// CHECK: arith.constant -9223371899415822336 : i64
// CHECK: llvm.inline_asm has_side_effects {{.*}}"{\0A.reg .b64 place0;\0Aadd.s64 place0, $8, 2;\0A.reg .b64 place1;\0Aadd.s64 place1, $9, 2;\0Awgmma.fence.sync.aligned;\0Awgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {$0, $1, $2, $3}, $8, $9, 1, 1, 1, 0, 0;\0Awgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {$0, $1, $2, $3}, place0, place1, 1, 1, 1, 0, 0;\0Awgmma.commit_group.sync.aligned;\0A}", "=f,=f,=f,=f,0,1,2,3,l,l"
// CHECK: llvm.inline_asm has_side_effects {{.*}}"wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,0,1,2,3,~{memory}"
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x32xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 8], [4, 16], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 4096 : i32} : () -> !tgpu.tile<32x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [8, 2], [16, 4]]>
    %c = arith.constant dense<1.0> : tensor<64x8xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x32xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 8], [4, 16], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<32x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [8, 2], [16, 4]]>, tensor<64x8xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xf32, #c> -> tensor<64x8xf32, #c>
    tt.return
  }
}

// -----

// An accumulator of zeros is not read, and needs no registers before.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: m64n8k16.f32.f16.f16 {$0, $1, $2, $3}, $4, $5, 0, 1, 1, 0, 0;{{.*}}"=&f,=&f,=&f,=&f,l,l"
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 2048 : i32} : () -> !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>
    %c = arith.constant dense<0.0> : tensor<64x8xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>, tensor<64x8xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xf32, #c> -> tensor<64x8xf32, #c>
    tt.return
  }
}

// -----

// A condition says at run time whether the accumulator counts, for the first step.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: m64n8k16.f32.f16.f16 {$0, $1, $2, $3}, $9, $10, $8, 1, 1, 0, 0;{{.*}} place0, place1, 1, 1, 1, 0, 0;{{.*}}"=f,=f,=f,=f,0,1,2,3,b,l,l"
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot(%u: i1) {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x32xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 8], [4, 16], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 4096 : i32} : () -> !tgpu.tile<32x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [8, 2], [16, 4]]>
    %c = arith.constant dense<1.0> : tensor<64x8xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c use %u : !tgpu.tile<64x32xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 8], [4, 16], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<32x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [8, 2], [16, 4]]>, tensor<64x8xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xf32, #c> -> tensor<64x8xf32, #c>
    tt.return
  }
}

// -----

// Contiguous along the rows and columns: transposed.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: m64n64k16.f32.bf16.bf16 {{.*}} 1, 1, 1, 1, 1;
#c = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 64]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x16xbf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [8, 1], [16, 2], [32, 4], [0, 8]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 2048 : i32} : () -> !tgpu.tile<16x64xbf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0]]>
    %c = arith.constant dense<1.0> : tensor<64x64xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x16xbf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [8, 1], [16, 2], [32, 4], [0, 8]]>, !tgpu.tile<16x64xbf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0]]>, tensor<64x64xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x64xf32, #c> -> tensor<64x64xf32, #c>
    tt.return
  }
}

// -----

// A in registers: four words per step.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: m64n8k16.f32.f16.f16 {$0, $1, $2, $3}, {$9, $10, $11, $12}, $8, 1, 1, 1, 0;{{.*}}"=f,=f,=f,=f,0,1,2,3,l,r,r,r,r"
#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 16]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<64x16xf16, #a>
    %b = tgpu.local_alloc {nrd.shared_offset = 2048 : i32} : () -> !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>
    %c = arith.constant dense<1.0> : tensor<64x8xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : tensor<64x16xf16, #a>, !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>, tensor<64x8xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xf32, #c> -> tensor<64x8xf32, #c>
    tt.return
  }
}

// -----

// Two blocks of rows in one warpgroup: one fence, one group.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: wgmma.fence{{.*}}m64n8k16
// CHECK-NOT: wgmma.fence
// CHECK: m64n8k16{{.*}}wgmma.commit_group
// CHECK-NOT: wgmma.mma_async
#c = #tgpu.layout<register = [[0, 1], [8, 0], [64, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [128, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<128x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0], [64, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 4096 : i32} : () -> !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>
    %c = arith.constant dense<1.0> : tensor<128x8xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<128x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0], [64, 0]]>, !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>, tensor<128x8xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<128x8xf32, #c> -> tensor<128x8xf32, #c>
    tt.return
  }
}

// -----

// Integers have no scales, 8-bit floats no transposition.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: m64n8k32.s32.s8.s8 {$0, $1, $2, $3}, $8, $9, 1;
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x32xi8, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 0], [4, 16], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 2048 : i32} : () -> !tgpu.tile<32x8xi8, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [0, 2], [16, 4]]>
    %c = arith.constant dense<1> : tensor<64x8xi32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x32xi8, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 0], [4, 16], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<32x8xi8, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [0, 2], [16, 4]]>, tensor<64x8xi32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xi32, #c> -> tensor<64x8xi32, #c>
    tt.return
  }
}

// -----

// The same for f16 accumulators, two in a register.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: m64n8k32.f16.e4m3.e5m2 {$0, $1}, $4, $5, 1, 1, 1;
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x32xf8E4M3FN, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 0], [4, 16], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 2048 : i32} : () -> !tgpu.tile<32x8xf8E5M2, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [0, 2], [16, 4]]>
    %c = arith.constant dense<1.0> : tensor<64x8xf16, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x32xf8E4M3FN, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 0], [4, 16], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<32x8xf8E5M2, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [0, 2], [16, 4]]>, tensor<64x8xf16, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xf16, #c> -> tensor<64x8xf16, #c>
    tt.return
  }
}

// -----

// At most 32 products in a row without an exact addition.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: m64n8k32.f32.e4m3.e4m3 {$0, $1, $2, $3}, $4, $5, 0, 1, 1;
// CHECK: wgmma.wait_group
// CHECK-COUNT-4: arith.addf
// CHECK: m64n8k32.f32.e4m3.e4m3 {$0, $1, $2, $3}, place0, place1, 0, 1, 1;
// CHECK: wgmma.wait_group
// CHECK-COUNT-4: arith.addf
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x64xf8E4M3FN, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 0], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 4096 : i32} : () -> !tgpu.tile<64x8xf8E4M3FN, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [0, 1], [16, 2], [32, 4]]>
    %c = arith.constant dense<1.0> : tensor<64x8xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c {maxInexact = 32 : i32} : !tgpu.tile<64x64xf8E4M3FN, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 0], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<64x8xf8E4M3FN, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [0, 1], [16, 2], [32, 4]]>, tensor<64x8xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xf32, #c> -> tensor<64x8xf32, #c>
    tt.return
  }
}

// -----

// A tile of a ring: the ring's descriptor and a number of tiles (of 256 bytes,
// in units of 16).
// CHECK-LABEL: llvm.func ptx_kernelcc @ring
// CHECK: %[[C16:.*]] = arith.constant 16 : i32
// CHECK: %[[BEHIND:.*]] = arith.muli %arg0, %[[C16]] : i32
// CHECK: %[[LOW:.*]] = arith.addi %{{.*}}, %[[BEHIND]] : i32
// CHECK: arith.extui %[[LOW]] : i32 to i64
// CHECK: wgmma.mma_async
#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 16]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @ring(%i: i32) {
    %a = arith.constant dense<1.0> : tensor<64x16xf16, #a>
    %r = tgpu.local_alloc {nrd.shared_offset = 2048 : i32} : () -> !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]], buffers = 3>
    %b = tgpu.tile_at %r[%i] : !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]], buffers = 3> -> !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>
    %c = arith.constant dense<1.0> : tensor<64x8xf32, #c>
    %d = tgpu.warpgroup_mma %a, %b, %c : tensor<64x16xf16, #a>, !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>, tensor<64x8xf32, #c>
    %e = tgpu.warpgroup_wait 0, %d : tensor<64x8xf32, #c> -> tensor<64x8xf32, #c>
    tt.return
  }
}
