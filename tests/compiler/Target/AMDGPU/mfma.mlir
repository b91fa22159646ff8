// RUN: nereid-opt %s --split-input-file --nrd-emit-gpu | FileCheck %s

// Two steps along K; the second takes the first one's result. The block is 64
// threads, and no argument is added.
// CHECK-LABEL: llvm.func amdgpu_kernelcc @dot
// CHECK-SAME: ["amdgpu-flat-work-group-size", "64,64"]
// CHECK-SAME: ["amdgpu-implicitarg-num-bytes", "0"]
// CHECK: %[[D:.*]] = llvm.call_intrinsic "llvm.amdgcn.mfma.f32.16x16x16f16"(%{{.*}}) : (vector<4xf16>, vector<4xf16>, vector<4xf32>, i32, i32, i32) -> vector<4xf32>
// CHECK: llvm.extractelement %[[D]]
// CHECK: llvm.amdgcn.mfma.f32.16x16x16f16
// CHECK-NOT: llvm.amdgcn.mfma
#a = #tgpu.layout<register = [[0, 1], [0, 2], [0, 16]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 4], [0, 8]], warp = [], block = [], shape = [16, 32]>
#b = #tgpu.layout<register = [[1, 0], [2, 0], [16, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [], block = [], shape = [32, 16]>
#c = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [], block = [], shape = [16, 16]>
module attributes {nrd.target = "gfx942", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x32xf16, #a>
    %b = arith.constant dense<1.0> : tensor<32x16xf16, #b>
    %c = arith.constant dense<1.0> : tensor<16x16xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x32xf16, #a> * tensor<32x16xf16, #b> -> tensor<16x16xf32, #c>
    tt.return
  }
}

// -----

// bf16 travels as bits.
// CHECK-LABEL: llvm.func amdgpu_kernelcc @dot
// CHECK: llvm.bitcast %{{.*}} : vector<4xbf16> to vector<4xi16>
// CHECK: "llvm.amdgcn.mfma.f32.16x16x16bf16.1k"
#a = #tgpu.layout<register = [[0, 1], [0, 2]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 4], [0, 8]], warp = [], block = [], shape = [16, 16]>
#b = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [], block = [], shape = [16, 16]>
#c = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [], block = [], shape = [16, 16]>
module attributes {nrd.target = "gfx90a", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x16xbf16, #a>
    %b = arith.constant dense<1.0> : tensor<16x16xbf16, #b>
    %c = arith.constant dense<1.0> : tensor<16x16xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x16xbf16, #a> * tensor<16x16xbf16, #b> -> tensor<16x16xf32, #c>
    tt.return
  }
}

// -----

// The unit has f32 accumulators only: an f16 one is rounded at the end.
// CHECK-LABEL: llvm.func amdgpu_kernelcc @dot
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK: llvm.amdgcn.mfma
// CHECK: arith.truncf {{.*}} : f32 to f16
#a = #tgpu.layout<register = [[0, 1], [0, 2]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 4], [0, 8]], warp = [], block = [], shape = [16, 16]>
#b = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [], block = [], shape = [16, 16]>
#c = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [], block = [], shape = [16, 16]>
module attributes {nrd.target = "gfx942", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x16xf16, #a>
    %b = arith.constant dense<1.0> : tensor<16x16xf16, #b>
    %c = arith.constant dense<1.0> : tensor<16x16xf16, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x16xf16, #a> * tensor<16x16xf16, #b> -> tensor<16x16xf16, #c>
    tt.return
  }
}

// -----

// K smaller than the instruction's: lanes beyond it are zero.
// CHECK-LABEL: llvm.func amdgpu_kernelcc @dot
// CHECK: %[[MASK:.*]] = arith.constant 48 : i32
// CHECK: arith.andi %{{.*}}, %[[MASK]]
// CHECK: arith.select
// CHECK: llvm.amdgcn.mfma
// CHECK-NOT: llvm.amdgcn.mfma
#a = #tgpu.layout<register = [[0, 1], [0, 2]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 0], [0, 0]], warp = [], block = [], shape = [16, 4]>
#b = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 0], [0, 0]], warp = [], block = [], shape = [4, 16]>
#c = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [], block = [], shape = [16, 16]>
module attributes {nrd.target = "gfx942", nrd.num_warps = 1 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<16x4xf16, #a>
    %b = arith.constant dense<1.0> : tensor<4x16xf16, #b>
    %c = arith.constant dense<1.0> : tensor<16x16xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x4xf16, #a> * tensor<4x16xf16, #b> -> tensor<16x16xf32, #c>
    tt.return
  }
}

// -----

// Four waves, two by two; each has its share of 2 x 1 instructions.
// CHECK-LABEL: llvm.func amdgpu_kernelcc @dot
// CHECK-SAME: "256,256"
// CHECK-COUNT-2: llvm.amdgcn.mfma
// CHECK-NOT: llvm.amdgcn.mfma
#a = #tgpu.layout<register = [[0, 1], [0, 2], [32, 0]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 4], [0, 8]], warp = [[0, 0], [16, 0]], block = [], shape = [64, 16]>
#b = #tgpu.layout<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [[0, 16], [0, 0]], block = [], shape = [16, 32]>
#c = #tgpu.layout<register = [[1, 0], [2, 0], [32, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [[0, 16], [16, 0]], block = [], shape = [64, 32]>
module attributes {nrd.target = "gfx942", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = arith.constant dense<1.0> : tensor<64x16xf16, #a>
    %b = arith.constant dense<1.0> : tensor<16x32xf16, #b>
    %c = arith.constant dense<1.0> : tensor<64x32xf32, #c>
    %d = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<64x16xf16, #a> * tensor<16x32xf16, #b> -> tensor<64x32xf32, #c>
    tt.return
  }
}
