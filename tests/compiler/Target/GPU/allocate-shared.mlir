// RUN: nereid-opt %s --nrd-allocate-shared --split-input-file | FileCheck %s

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>

// Two tiles that are never needed at the same time share bytes; one that is
// needed throughout does not.
// CHECK: module attributes {{.*}}nrd.shared_bytes = 4096
// CHECK-LABEL: tt.func public @reuse
// CHECK: tgpu.local_alloc {nrd.shared_offset = [[WHOLE:[0-9]+]] : i64}
// CHECK: tgpu.local_alloc %{{.*}} {nrd.shared_offset = [[PART:[0-9]+]] : i64}
// CHECK: tgpu.local_alloc %{{.*}} {nrd.shared_offset = [[PART]] : i64}
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @reuse() {
    %x = arith.constant dense<1.0> : tensor<512xf32, #l>
    %0 = tgpu.local_alloc : () -> !tile
    %1 = tgpu.local_alloc %x : (tensor<512xf32, #l>) -> !tile
    %a = tgpu.local_load %1 : !tile -> tensor<512xf32, #l>
    %2 = tgpu.local_alloc %a : (tensor<512xf32, #l>) -> !tile
    %b = tgpu.local_load %2 : !tile -> tensor<512xf32, #l>
    tgpu.local_store %b, %0 : tensor<512xf32, #l>, !tile
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>
!ring = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]], buffers = 3>

// What a loop uses from outside lives through the loop, though its last use
// stands before another buffer's first.
// CHECK: module attributes {{.*}}nrd.shared_bytes = 8192
// CHECK-LABEL: tt.func public @loop
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @loop(%n: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %x = arith.constant dense<1.0> : tensor<512xf32, #l>
    %ring = tgpu.local_alloc : () -> !ring
    scf.for %i = %c0 to %n step %c1 : i32 {
      %0 = tgpu.tile_at %ring[%i] : !ring -> !tile
      %a = tgpu.local_load %0 : !tile -> tensor<512xf32, #l>
      %1 = tgpu.local_alloc %a : (tensor<512xf32, #l>) -> !tile
      %b = tgpu.local_load %1 : !tile -> tensor<512xf32, #l>
    }
    // After the loop the ring's bytes serve again.
    // CHECK: tgpu.local_alloc %{{.*}} {nrd.shared_offset = 0 : i64}
    %2 = tgpu.local_alloc %x : (tensor<512xf32, #l>) -> !tile
    %c = tgpu.local_load %2 : !tile -> tensor<512xf32, #l>
    tt.return
  }
}

// -----

#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [[128], [256]], block = [], shape = [512]>
#r = #tgpu.layout<register = [[128], [256]],
                  lane = [[1], [2], [4], [8], [16]],
                  warp = [[32], [64]], block = [], shape = [512]>
!tile = !tgpu.tile<512xf32, offset = [[1], [2], [4], [8], [16], [32], [64],
                                      [128], [256]]>

// Partitions run at the same time: their buffers are apart, and apart from
// those that both use.
// CHECK: module attributes {{.*}}nrd.shared_bytes = 6144
// CHECK-LABEL: tt.func public @partitions
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @partitions() {
    %0 = tgpu.local_alloc : () -> !tile
    tgpu.warp_specialize attributes {warps = array<i32: 4, 4>,
                                     registers = array<i32: 0, 0>} {
      %a = tgpu.local_load %0 : !tile -> tensor<512xf32, #l>
      // CHECK: tgpu.convert_layout %{{.*}} {nrd.shared_offset = [[A:[0-9]+]] : i64}
      %b = tgpu.convert_layout %a : tensor<512xf32, #l> -> tensor<512xf32, #r>
      tgpu.yield
    }, {
      %x = arith.constant dense<1.0> : tensor<512xf32, #l>
      // CHECK-NOT: nrd.shared_offset = [[A]]
      %1 = tgpu.local_alloc %x : (tensor<512xf32, #l>) -> !tile
      tgpu.yield
    }
    tt.return
  }
}
