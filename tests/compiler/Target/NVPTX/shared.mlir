// RUN: nereid-opt %s --nrd-emit-gpu --split-input-file | FileCheck %s

#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]],
  lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]],
  block = [], shape = [64, 64]>
#b = #tgpu.layout<register = [[1, 0], [8, 0], [16, 0], [32, 0], [0, 8],
  [0, 16], [0, 32]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]],
  warp = [[0, 0], [0, 0]], block = [], shape = [64, 64]>
!tile = !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16],
  [0, 32], [1, 8], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0]]>

// Operands of products are read as matrices, four at a time; what is contiguous
// across the contraction is transposed on the way.
// CHECK-LABEL: llvm.func ptx_kernelcc @operands
// CHECK-COUNT-4: "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3"
// CHECK-NOT: m8n8.x4.b16
// CHECK-COUNT-16: "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3"
// CHECK-NOT: ldmatrix
module attributes {nrd.target = "sm_80", nrd.num_warps = 4 : i32} {
  tt.func public @operands() {
    %t = tgpu.local_alloc {nrd.shared_offset = 0 : i64} : () -> !tile
    %a = tgpu.local_load %t : !tile -> tensor<64x64xf16, #a>
    %b = tgpu.local_load %t : !tile -> tensor<64x64xf16, #b>
    tt.return
  }
}

// -----

#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]],
  lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]],
  block = [], shape = [64, 64]>
#rows = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [16, 0], [32, 0]],
  lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]],
  warp = [[4, 0], [8, 0]], block = [], shape = [64, 64]>

// An accumulator goes to rows by stmatrix and 16-byte reads.
// CHECK-LABEL: llvm.func ptx_kernelcc @epilogue
// CHECK-COUNT-4: "llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3"
// CHECK: "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK-COUNT-4: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<8xf16>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @epilogue() {
    %x = arith.constant dense<1.0> : tensor<64x64xf16, #acc>
    %y = tgpu.convert_layout %x {nrd.shared_offset = 0 : i64}
        : tensor<64x64xf16, #acc> -> tensor<64x64xf16, #rows>
    tt.return
  }
}

// -----

#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]],
  lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]],
  block = [], shape = [64, 64]>
#byte = #tgpu.layout<register = [[0, 1], [0, 2], [8, 0], [0, 16], [0, 32]],
  lane = [[0, 4], [0, 8], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]],
  block = [], shape = [64, 64]>

// Four lanes exchange bytes, four of which share a shuffle.
// CHECK-LABEL: llvm.func ptx_kernelcc @pairs
// CHECK-NOT: nrd_shared
// CHECK-COUNT-8: "llvm.nvvm.shfl.sync.idx.i32"
// CHECK-NOT: shfl
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @pairs() {
    %x = arith.constant dense<1> : tensor<64x64xi8, #acc>
    %y = tgpu.convert_layout %x
        : tensor<64x64xi8, #acc> -> tensor<64x64xi8, #byte>
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>

// A whole warp's integers take one instruction; floats five shuffles.
// CHECK-LABEL: llvm.func ptx_kernelcc @reduce
// CHECK: "llvm.nvvm.redux.sync.umax"
// CHECK-NOT: redux
// CHECK-COUNT-5: "llvm.nvvm.shfl.sync.bfly.i32"
// CHECK-NOT: bfly
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @reduce() {
    %x = arith.constant dense<1> : tensor<512xi16, #l>
    %y = arith.constant dense<1.0> : tensor<512xf32, #l>
    %m = "tt.reduce"(%x) <{axis = 0 : i32}> ({
    ^bb0(%a: i16, %b: i16):
      %c = arith.maxui %a, %b : i16
      tt.reduce.return %c : i16
    }) {nrd.shared_offset = 0 : i64} : (tensor<512xi16, #l>) -> i16
    %s = "tt.reduce"(%y) <{axis = 0 : i32}> ({
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tt.reduce.return %c : f32
    }) {nrd.shared_offset = 16 : i64} : (tensor<512xf32, #l>) -> f32
    tt.return
  }
}
