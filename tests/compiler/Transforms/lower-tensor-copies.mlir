// RUN: nereid-opt %s --nrd-lower-tensor-copies | FileCheck %s

#l = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]], block = [], shape = [16, 64]>

// A load waits for its bytes; a store fills a tile and waits until it is read.
// CHECK-LABEL: tt.func public @plain
// CHECK: %[[T:.+]] = tgpu.local_alloc : () -> !tgpu.tile<16x64xf16, offset = {{\[\[}}0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0{{\]\]}}>
// CHECK-NEXT: tgpu.proxy_fence
// CHECK-NEXT: %[[B:.+]] = tgpu.barrier_alloc
// CHECK-NEXT: tgpu.barrier_expect %[[B]][%[[ZERO:.+]]], 2048
// CHECK-NEXT: tgpu.tma_load %{{.*}}[%{{.*}}, %{{.*}}], %[[T]], %[[B]][%[[ZERO]]]
// CHECK-NEXT: tgpu.barrier_wait %[[B]][%[[ZERO]]], %[[ZERO]]
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.barrier_free %[[B]]
// CHECK-NEXT: %[[X:.+]] = tgpu.local_load %[[T]]
// CHECK: %[[S:.+]] = tgpu.local_alloc %[[X]]
// CHECK-NEXT: tgpu.proxy_fence
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.tma_store %{{.*}}, %[[S]] {reduce = "add"}
// CHECK-NEXT: tgpu.tma_store_wait 0
// CHECK-NEXT: tgpu.sync_threads
tt.func public @plain(%map: !tgpu.tensor_map, %i: i32) {
  %x = tgpu.map_load %map[%i, %i] : tensor<16x64xf16, #l>
  tgpu.map_store %map[%i, %i], %x {reduce = "add"} : tensor<16x64xf16, #l>
  tt.return
}

// In a loop of a partition the wait comes before the tile is filled again.
// CHECK-LABEL: tt.func public @loop
// CHECK: tgpu.warp_specialize
// CHECK-NEXT: %[[S:.+]] = tgpu.local_alloc : ()
// CHECK: scf.for
// CHECK: tgpu.tma_store_wait 0
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.local_store %{{.*}}, %[[S]]
// CHECK-NEXT: tgpu.proxy_fence
// CHECK-NEXT: tgpu.sync_threads
// CHECK-NEXT: tgpu.tma_store
// CHECK-NEXT: }
// CHECK-NEXT: tgpu.tma_store_wait 0
// CHECK-NEXT: tgpu.yield
tt.func public @loop(%map: !tgpu.tensor_map, %n: i32) {
  tgpu.warp_specialize attributes {registers = array<i32: 232, 40>, warps = array<i32: 4, 4>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %x = arith.constant dense<0.0> : tensor<16x64xf16, #l>
    scf.for %i = %c0 to %n step %c1 : i32 {
      tgpu.map_store %map[%i, %i], %x : tensor<16x64xf16, #l>
    }
    tgpu.yield
  }, {
    tgpu.yield
  }
  tt.return
}
