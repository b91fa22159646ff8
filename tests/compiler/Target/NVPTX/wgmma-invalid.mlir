// RUN: nereid-opt %s --split-input-file --verify-diagnostics --nrd-emit-gpu

#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [2, 0], [1, 0], [4, 0], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 8192 : i32} : () -> !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>
    %c = arith.constant dense<0.0> : tensor<64x8xf32, #c>
    // expected-error @+1 {{takes tiles in panels of 16, 32, 64 or 128 bytes}}
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [2, 0], [1, 0], [4, 0], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>, tensor<64x8xf32, #c>
    tt.return
  }
}

// -----

#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x32xi8, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [0, 1], [16, 2], [32, 4], [0, 8], [0, 16]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 8192 : i32} : () -> !tgpu.tile<32x8xi8, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [0, 2], [16, 4]]>
    %c = arith.constant dense<0> : tensor<64x8xi32, #c>
    // expected-error @+1 {{takes operands of 'i8' only contiguous along K}}
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x32xi8, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [0, 1], [16, 2], [32, 4], [0, 8], [0, 16]]>, !tgpu.tile<32x8xi8, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 1], [0, 2], [16, 4]]>, tensor<64x8xi32, #c>
    tt.return
  }
}

// -----

#c = #tgpu.layout<register = [[0, 1], [0, 2]], lane = [[0, 4], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 8192 : i32} : () -> !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>
    %c = arith.constant dense<0.0> : tensor<64x8xf32, #c>
    // expected-error @+1 {{needs an accumulator laid out for warpgroups of four warps}}
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<16x8xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [0, 2], [8, 4]]>, tensor<64x8xf32, #c>
    tt.return
  }
}

// -----

#c = #tgpu.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 8]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @dot() {
    %a = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0]]>
    %b = tgpu.local_alloc {nrd.shared_offset = 8192 : i32} : () -> !tgpu.tile<16x8xf32, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [4, 2], [8, 4]]>
    %c = arith.constant dense<0.0> : tensor<64x8xf32, #c>
    // expected-error @+1 {{does not multiply 'f16' by 'f32' into 'f32'}}
    %d = tgpu.warpgroup_mma %a, %b, %c : !tgpu.tile<64x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0], [32, 0]]>, !tgpu.tile<16x8xf32, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 1], [4, 2], [8, 4]]>, tensor<64x8xf32, #c>
    tt.return
  }
}
