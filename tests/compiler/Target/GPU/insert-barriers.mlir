// RUN: nereid-opt %s --nrd-allocate-shared --nrd-insert-barriers --split-input-file | FileCheck %s

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>

// Read after write, write after read; none between reads, none at the end.
// CHECK-LABEL: tt.func public @straight
// CHECK: tgpu.local_alloc %
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.local_load
// CHECK-NEXT: tgpu.local_load
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.local_store
// CHECK-NEXT: tt.return
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @straight() {
    %x = arith.constant dense<1.0> : tensor<512xf32, #l>
    %0 = tgpu.local_alloc %x : (tensor<512xf32, #l>) -> !tile
    %a = tgpu.local_load %0 : !tile -> tensor<512xf32, #l>
    %b = tgpu.local_load %0 : !tile -> tensor<512xf32, #l>
    tgpu.local_store %x, %0 : tensor<512xf32, #l>, !tile
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>

// The read of one iteration and the write of the next.
// CHECK-LABEL: tt.func public @back_edge
// CHECK: scf.for
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.local_store
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.local_load
// CHECK-NEXT: }
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @back_edge(%n: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %x = arith.constant dense<1.0> : tensor<512xf32, #l>
    %0 = tgpu.local_alloc : () -> !tile
    scf.for %i = %c0 to %n step %c1 : i32 {
      tgpu.local_store %x, %0 : tensor<512xf32, #l>, !tile
      %a = tgpu.local_load %0 : !tile -> tensor<512xf32, #l>
    }
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>

// A write before a loop that only reads is ordered before the loop, not in it.
// CHECK-LABEL: tt.func public @before_loop
// CHECK: tgpu.local_alloc
// CHECK: tgpu.sync_threads
// CHECK-NEXT: scf.for
// CHECK-NEXT: tgpu.local_load
// CHECK-NEXT: }
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @before_loop(%n: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %x = arith.constant dense<1.0> : tensor<512xf32, #l>
    %0 = tgpu.local_alloc %x : (tensor<512xf32, #l>) -> !tile
    scf.for %i = %c0 to %n step %c1 : i32 {
      %a = tgpu.local_load %0 : !tile -> tensor<512xf32, #l>
    }
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
#r = #tgpu.layout<register = [[128], [256]],
                  lane = [[1], [2], [4], [8], [16]],
                  warp = [[32], [64]], block = [], shape = [512]>

// Little scratch of neighbours stands apart, so that their own barriers are
// enough; the third uses the first one's bytes again.
// CHECK-LABEL: tt.func public @scratch
// CHECK: tgpu.convert_layout %{{.*}} {nrd.shared_offset = [[A:[0-9]+]] : i64}
// CHECK-NEXT: tgpu.convert_layout
// CHECK-NEXT: tgpu.convert_layout %{{.*}} {nrd.shared_offset = [[A]] : i64}
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @scratch() {
    %x = arith.constant dense<1.0> : tensor<512xf32, #l>
    %a = tgpu.convert_layout %x : tensor<512xf32, #l> -> tensor<512xf32, #r>
    %b = tgpu.convert_layout %a : tensor<512xf32, #r> -> tensor<512xf32, #l>
    %c = tgpu.convert_layout %b : tensor<512xf32, #l> -> tensor<512xf32, #r>
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2], [512], [1024]],
                  lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [2048]>
#r = #tgpu.layout<register = [[128], [256], [512], [1024]],
                  lane = [[1], [2], [4], [8], [16]],
                  warp = [[32], [64]], block = [], shape = [2048]>

// Much scratch of two conversions shares bytes: the first's reads come before
// the second's writes.
// CHECK-LABEL: tt.func public @large_scratch
// CHECK: tgpu.convert_layout
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.convert_layout
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @large_scratch() {
    %x = arith.constant dense<1.0> : tensor<2048xf32, #l>
    %a = tgpu.convert_layout %x : tensor<2048xf32, #l> -> tensor<2048xf32, #r>
    %b = tgpu.convert_layout %a : tensor<2048xf32, #r> -> tensor<2048xf32, #l>
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>

// Ways of a branch join: one of them wrote.
// CHECK-LABEL: tt.func public @branch
// CHECK: scf.if
// CHECK-NOT: tgpu.sync_threads
// CHECK: tgpu.local_store
// CHECK-NEXT: }
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.local_load
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @branch(%c: i1) {
    %x = arith.constant dense<1.0> : tensor<512xf32, #l>
    %0 = tgpu.local_alloc : () -> !tile
    scf.if %c {
      tgpu.local_store %x, %0 : tensor<512xf32, #l>, !tile
    }
    %a = tgpu.local_load %0 : !tile -> tensor<512xf32, #l>
    tt.return
  }
}

// -----

#a = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4]],
                  lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]],
                  warp = [[4, 0], [8, 0]], block = [], shape = [64, 64]>
!tile = !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], [0, 4], [1, 8], [2, 16],
  [4, 32], [1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0]]>
#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]],
  lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]],
  block = [], shape = [64, 64]>
#x = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [16, 0], [32, 0]],
                  lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]],
                  warp = [[4, 0], [8, 0]], block = [], shape = [64, 64]>

// What threads wrote is fenced for the matrix unit, by who wrote it: before the
// barrier. A second product needs neither.
// CHECK-LABEL: tt.func public @proxy
// CHECK: tgpu.proxy_fence
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.warpgroup_mma
// CHECK-NEXT: tgpu.warpgroup_wait
// CHECK-NEXT: tgpu.warpgroup_mma
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @proxy(%acc: tensor<64x64xf32, #acc>,
                        %v: tensor<64x64xf16, #x>) {
    %0 = tgpu.local_alloc %v : (tensor<64x64xf16, #x>) -> !tile
    %1 = tgpu.local_alloc %v : (tensor<64x64xf16, #x>) -> !tile
    %2 = tgpu.warpgroup_mma %0, %1, %acc : !tile, !tile, tensor<64x64xf32, #acc>
    %3 = tgpu.warpgroup_wait 0, %2 : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
    %4 = tgpu.warpgroup_mma %0, %1, %3 : !tile, !tile, tensor<64x64xf32, #acc>
    %5 = tgpu.warpgroup_wait 0, %4 : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
    tt.return
  }
}

// -----

#p = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>
!ring = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]], buffers = 3>

// A ring in a loop needs its one barrier after the wait, and none between the
// copy to one tile and the read of another.
// CHECK-LABEL: tt.func public @ring
// CHECK: scf.for
// CHECK-NEXT: tgpu.async_wait 1
// CHECK-NEXT: tgpu.tile_at
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.local_load
// CHECK-NEXT: tgpu.tile_at
// CHECK-NEXT: tgpu.async_copy
// CHECK-NEXT: tgpu.async_commit
// CHECK-NEXT: }
module attributes {nrd.target = "sm_80", nrd.num_warps = 4 : i32} {
  tt.func public @ring(%n: i32, %p: tensor<512x!tt.ptr<f32>, #p>) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %ring = tgpu.local_alloc : () -> !ring
    %first = tgpu.tile_at %ring[%n] : !ring -> !tile
    tgpu.async_copy %p, %first {cache = 1 : i32, evict = 1 : i32} : tensor<512x!tt.ptr<f32>, #p>, !tile
    tgpu.async_commit
    scf.for %i = %c0 to %n step %c1 : i32 {
      tgpu.async_wait 1
      %0 = tgpu.tile_at %ring[%i] : !ring -> !tile
      %a = tgpu.local_load %0 : !tile -> tensor<512xf32, #p>
      %1 = tgpu.tile_at %ring[%n] : !ring -> !tile
      tgpu.async_copy %p, %1 {cache = 1 : i32, evict = 1 : i32} : tensor<512x!tt.ptr<f32>, #p>, !tile
      tgpu.async_commit
    }
    tt.return
  }
}
