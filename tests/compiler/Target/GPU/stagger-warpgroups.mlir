// RUN: nereid-opt %s --split-input-file --nrd-stagger-warpgroups --nrd-insert-barriers | FileCheck %s

// Arithmetic between two products: odd warpgroups meet in front of it, even ones
// behind it, where that is the barrier that orders the copies and the reads of
// the ring (none is inserted). What the product reads from registers is made
// before.
// CHECK-LABEL: tt.func public @chain
// CHECK:           tgpu.warpgroup_wait 0
// CHECK-NEXT:      tgpu.sync_threads half 1
// CHECK-NEXT:      math.exp2
// CHECK-NEXT:      scf.if
// CHECK:           %[[P:.*]] = arith.truncf
// CHECK-NEXT:      tgpu.sync_threads half 0 with %[[P]]
// CHECK-NEXT:      tgpu.warpgroup_mma
// CHECK-NOT:       tgpu.sync_threads
// CHECK:           scf.yield
#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0], [64, 0]], block = [], shape = [128, 64]>
!tile = !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0]]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 8 : i32, nrd.shared_bytes = 131072 : i64} {
  tt.func public @chain(%n: i32, %c: i1, %a: tensor<128x64xf16, #acc>) -> tensor<128x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<128x64xf32, #acc>
    %k = tgpu.local_alloc {nrd.shared_offset = 0 : i64} : () -> !tile
    %v = tgpu.local_alloc {nrd.shared_offset = 8192 : i64} : () -> !tile
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<128x64xf32, #acc>) : i32 {
      %s0 = tgpu.warpgroup_mma %a, %k, %zero : tensor<128x64xf16, #acc>, !tile, tensor<128x64xf32, #acc>
      %s:2 = tgpu.warpgroup_wait 0, %acc, %s0 : tensor<128x64xf32, #acc>, tensor<128x64xf32, #acc> -> tensor<128x64xf32, #acc>, tensor<128x64xf32, #acc>
      tgpu.sync_threads
      %e = math.exp2 %s#1 : tensor<128x64xf32, #acc>
      %m = scf.if %c -> (tensor<128x64xf32, #acc>) {
        scf.yield %e : tensor<128x64xf32, #acc>
      } else {
        scf.yield %zero : tensor<128x64xf32, #acc>
      }
      %p = arith.truncf %m : tensor<128x64xf32, #acc> to tensor<128x64xf16, #acc>
      %o = tgpu.warpgroup_mma %p, %v, %s#0 : tensor<128x64xf16, #acc>, !tile, tensor<128x64xf32, #acc>
      scf.yield %o : tensor<128x64xf32, #acc>
    }
    tt.return %r : tensor<128x64xf32, #acc>
  }
}


// -----

// All together: something in between has scratch in shared memory.
// CHECK-LABEL: tt.func public @scratch
// CHECK-NOT:     half
#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0], [64, 0]], block = [], shape = [128, 64]>
!tile = !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0]]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 8 : i32, nrd.shared_bytes = 131072 : i64} {
  tt.func public @scratch(%n: i32, %c: i1, %a: tensor<128x64xf16, #acc>) -> tensor<128x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<128x64xf32, #acc>
    %k = tgpu.local_alloc {nrd.shared_offset = 0 : i64} : () -> !tile
    %v = tgpu.local_alloc {nrd.shared_offset = 8192 : i64} : () -> !tile
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<128x64xf32, #acc>) : i32 {
      %s0 = tgpu.warpgroup_mma %a, %k, %zero : tensor<128x64xf16, #acc>, !tile, tensor<128x64xf32, #acc>
      %s:2 = tgpu.warpgroup_wait 0, %acc, %s0 : tensor<128x64xf32, #acc>, tensor<128x64xf32, #acc> -> tensor<128x64xf32, #acc>, tensor<128x64xf32, #acc>
      tgpu.sync_threads
      %e = math.exp2 %s#1 : tensor<128x64xf32, #acc>
      %m = scf.if %c -> (tensor<128x64xf32, #acc>) {
        scf.yield %e : tensor<128x64xf32, #acc>
      } else {
        scf.yield %zero : tensor<128x64xf32, #acc>
      }
      %x = tgpu.convert_layout %m {nrd.shared_offset = 16384 : i64} : tensor<128x64xf32, #acc> -> tensor<128x64xf32, #acc>
      %p = arith.truncf %m : tensor<128x64xf32, #acc> to tensor<128x64xf16, #acc>
      %o = tgpu.warpgroup_mma %p, %v, %s#0 : tensor<128x64xf16, #acc>, !tile, tensor<128x64xf32, #acc>
      scf.yield %o : tensor<128x64xf32, #acc>
    }
    tt.return %r : tensor<128x64xf32, #acc>
  }
}


// -----

// All together: a second block fits beside this one.
// CHECK-LABEL: tt.func public @two_blocks
// CHECK-NOT:     half
#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0], [64, 0]], block = [], shape = [128, 64]>
!tile = !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0]]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 8 : i32, nrd.shared_bytes = 115712 : i64} {
  tt.func public @two_blocks(%n: i32, %c: i1, %a: tensor<128x64xf16, #acc>) -> tensor<128x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<128x64xf32, #acc>
    %k = tgpu.local_alloc {nrd.shared_offset = 0 : i64} : () -> !tile
    %v = tgpu.local_alloc {nrd.shared_offset = 8192 : i64} : () -> !tile
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<128x64xf32, #acc>) : i32 {
      %s0 = tgpu.warpgroup_mma %a, %k, %zero : tensor<128x64xf16, #acc>, !tile, tensor<128x64xf32, #acc>
      %s:2 = tgpu.warpgroup_wait 0, %acc, %s0 : tensor<128x64xf32, #acc>, tensor<128x64xf32, #acc> -> tensor<128x64xf32, #acc>, tensor<128x64xf32, #acc>
      tgpu.sync_threads
      %e = math.exp2 %s#1 : tensor<128x64xf32, #acc>
      %m = scf.if %c -> (tensor<128x64xf32, #acc>) {
        scf.yield %e : tensor<128x64xf32, #acc>
      } else {
        scf.yield %zero : tensor<128x64xf32, #acc>
      }
      %p = arith.truncf %m : tensor<128x64xf32, #acc> to tensor<128x64xf16, #acc>
      %o = tgpu.warpgroup_mma %p, %v, %s#0 : tensor<128x64xf16, #acc>, !tile, tensor<128x64xf32, #acc>
      scf.yield %o : tensor<128x64xf32, #acc>
    }
    tt.return %r : tensor<128x64xf32, #acc>
  }
}

