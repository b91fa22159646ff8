// RUN: nereid-opt %s --split-input-file --nrd-emit-gpu | FileCheck %s

// Two fragments along N and two steps along K; the second step takes the
// first one's result.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: %[[A0:.*]] = llvm.inline_asm has_side_effects {{.*}}"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};", "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f"
// CHECK: %[[V0:.*]] = llvm.extractvalue %[[A0]][0]
// CHECK: mma.sync
// CHECK: mma.sync.aligned.m16n8k16{{.*}} %[[V0]],
// CHECK: mma.sync
// CHECK-NOT: mma.sync
#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 32]>
#b = #tgpu.layout<register = [[1, 0], [8, 0], [0, 8], [16, 0]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [32, 16]>
#c = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 16]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x32xf16, #a>
    %b = arith.constant dense<1.0> : tensor<32x16xf16, #b>
    %c = arith.constant dense<1.0> : tensor<16x16xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x32xf16, #a> * tensor<32x16xf16, #b> -> tensor<16x16xf32, #c>
    tt.return
  }
}

// -----

// f16 accumulators travel in pairs.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {$0, $1}, {$2, $3, $4, $5}, {$6, $7}, {$8, $9};", "=r,=r,r,r,r,r,r,r,r,r"
#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 16]>
#b = #tgpu.layout<register = [[1, 0], [8, 0]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [16, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x16xf16, #a>
    %b = arith.constant dense<1.0> : tensor<16x8xf16, #b>
    %c = arith.constant dense<1.0> : tensor<16x8xf16, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x16xf16, #a> * tensor<16x8xf16, #b> -> tensor<16x8xf16, #c>
    tt.return
  }
}

// -----

// Other operand types.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 16]>
#b = #tgpu.layout<register = [[1, 0], [8, 0]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [16, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x16xbf16, #a>
    %b = arith.constant dense<1.0> : tensor<16x8xbf16, #b>
    %c = arith.constant dense<1.0> : tensor<16x8xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x16xbf16, #a> * tensor<16x8xbf16, #b> -> tensor<16x8xf32, #c>
    tt.return
  }
}

// -----

// 8-bit floats of two kinds, where the target has them.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32
#a = #tgpu.layout<register = [[0, 1], [0, 2], [8, 0], [0, 16]], lane = [[0, 4], [0, 8], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 32]>
#b = #tgpu.layout<register = [[1, 0], [2, 0], [16, 0]], lane = [[4, 0], [8, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [32, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_89", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x32xf8E4M3FN, #a>
    %b = arith.constant dense<1.0> : tensor<32x8xf8E5M2, #b>
    %c = arith.constant dense<1.0> : tensor<16x8xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x32xf8E4M3FN, #a> * tensor<32x8xf8E5M2, #b> -> tensor<16x8xf32, #c>
    tt.return
  }
}

// -----

// Integers.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {{.*}}"=r,=r,=r,=r,
#a = #tgpu.layout<register = [[0, 1], [0, 2], [8, 0], [0, 16]], lane = [[0, 4], [0, 8], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 32]>
#b = #tgpu.layout<register = [[1, 0], [2, 0], [16, 0]], lane = [[4, 0], [8, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [32, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1> : tensor<16x32xi8, #a>
    %b = arith.constant dense<1> : tensor<32x8xi8, #b>
    %c = arith.constant dense<1> : tensor<16x8xi32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x32xi8, #a> * tensor<32x8xi8, #b> -> tensor<16x8xi32, #c>
    tt.return
  }
}

// -----

// f64: two instructions make 16 rows.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK-COUNT-2: mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {$0, $1}, {$2}, {$3}, {$4, $5};
// CHECK-NOT: mma.sync
#a = #tgpu.layout<register = [[8, 0]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 4]>
#b = #tgpu.layout<register = [], lane = [[1, 0], [2, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [4, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x4xf64, #a>
    %b = arith.constant dense<1.0> : tensor<4x8xf64, #b>
    %c = arith.constant dense<1.0> : tensor<16x8xf64, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x4xf64, #a> * tensor<4x8xf64, #b> -> tensor<16x8xf64, #c>
    tt.return
  }
}

// -----

// tf32 is multiplied as it is.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK-NOT: arith.subf
// CHECK: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
// CHECK-NOT: mma.sync
#a = #tgpu.layout<register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
#b = #tgpu.layout<register = [[4, 0]], lane = [[1, 0], [2, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [8, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x8xf32, #a>
    %b = arith.constant dense<1.0> : tensor<8x8xf32, #b>
    %c = arith.constant dense<1.0> : tensor<16x8xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x8xf32, #a> * tensor<8x8xf32, #b> -> tensor<16x8xf32, #c>
    tt.return
  }
}

// -----

// tf32x3: three products of parts, the small ones first, without their NaNs.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: arith.subf
// CHECK-COUNT-2: mma.sync.aligned.m16n8k8
// CHECK: arith.cmpf ord
// CHECK: mma.sync.aligned.m16n8k8
// CHECK-NOT: mma.sync
// CHECK: arith.addf
#a = #tgpu.layout<register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
#b = #tgpu.layout<register = [[4, 0]], lane = [[1, 0], [2, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [8, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x8xf32, #a>
    %b = arith.constant dense<1.0> : tensor<8x8xf32, #b>
    %c = arith.constant dense<1.0> : tensor<16x8xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32x3 : tensor<16x8xf32, #a> * tensor<8x8xf32, #b> -> tensor<16x8xf32, #c>
    tt.return
  }
}

// -----

// bf16x6: six products of three parts.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: arith.truncf {{.*}} : f32 to bf16
// CHECK-COUNT-6: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: mma.sync
#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 16]>
#b = #tgpu.layout<register = [[1, 0], [8, 0]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [], block = [], shape = [16, 8]>
#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [], block = [], shape = [16, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x16xf32, #a>
    %b = arith.constant dense<1.0> : tensor<16x8xf32, #b>
    %c = arith.constant dense<1.0> : tensor<16x8xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = bf16x6 : tensor<16x16xf32, #a> * tensor<16x8xf32, #b> -> tensor<16x8xf32, #c>
    tt.return
  }
}

// -----

// A product smaller than the instruction: lanes and registers beyond K are zero.
// CHECK-LABEL: llvm.func ptx_kernelcc @dot
// CHECK: %[[MASK:.*]] = arith.constant 2 : i32
// CHECK: arith.andi %{{.*}}, %[[MASK]]
// CHECK: %[[BEYOND:.*]] = arith.cmpi ne
// CHECK: arith.select %[[BEYOND]], %[[ZERO:[^,]*]], 
// CHECK-COUNT-1: mma.sync.aligned.m16n8k16
// CHECK-NOT: mma.sync
#a = #tgpu.layout<register = [[0, 1]], lane = [[0, 2], [0, 0], [1, 0], [2, 0], [0, 0]], warp = [], block = [], shape = [4, 4]>
#b = #tgpu.layout<register = [[1, 0]], lane = [[2, 0], [0, 0], [0, 1], [0, 2], [0, 0]], warp = [], block = [], shape = [4, 4]>
#c = #tgpu.layout<register = [[0, 1]], lane = [[0, 2], [0, 0], [1, 0], [2, 0], [0, 0]], warp = [], block = [], shape = [4, 4]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<4x4xf16, #a>
    %b = arith.constant dense<1.0> : tensor<4x4xf16, #b>
    %c = arith.constant dense<1.0> : tensor<4x4xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<4x4xf16, #a> * tensor<4x4xf16, #b> -> tensor<4x4xf32, #c>
    tt.return
  }
}
