// RUN: nereid-opt %s --split-input-file --nrd-warp-specialize --canonicalize --verify-diagnostics | FileCheck %s

#tile = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [64, 0]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0], [16, 0], [32, 0]], block = [], shape = [128, 64]>
#turned = #tgpu.layout<register = [[1, 0], [2, 0], [4, 0], [0, 64]], lane = [[8, 0], [16, 0], [32, 0], [0, 1], [0, 2]], warp = [[0, 4], [0, 8], [0, 16], [0, 32]], block = [], shape = [64, 128]>
#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32], [0, 64]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0], [64, 0]], block = [], shape = [128, 128]>
!a = !tgpu.tile<128x64xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0], [64, 0]]>
!b = !tgpu.tile<64x128xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [8, 1], [16, 2], [32, 4], [0, 8], [0, 16], [0, 32], [0, 64]]>

// A persistent product. Both operands share a channel; tiles of the ring are
// read in place; a stage is released when the next product is under way; the
// producer runs both loops and no tensor.
// CHECK-LABEL: tt.func public @matmul
// CHECK: %[[A:.+]] = tgpu.local_alloc : () -> !tgpu.tile<128x64xf16, {{.*}} buffers = 4>
// CHECK: %[[B:.+]] = tgpu.local_alloc : () -> !tgpu.tile<128x64xf16, {{.*}} buffers = 4>
// CHECK: %[[FULL:.+]] = tgpu.barrier_alloc {arrivals = 1 : i32} : <4>
// CHECK: %[[EMPTY:.+]] = tgpu.barrier_alloc {arrivals = 8 : i32} : <4>
// CHECK: tgpu.warp_specialize attributes {registers = array<i32: 232, 40>, warps = array<i32: 8, 4>}
// CHECK: scf.for
// CHECK: scf.if
// CHECK: scf.for {{.*}} iter_args(%[[SUM:.+]] = %{{.*}}) -> (tensor<128x128xf32
// CHECK: %[[SLOT:.+]] = tgpu.variable_get
// CHECK: tgpu.barrier_wait %[[FULL]][%[[SLOT]]]
// CHECK: %[[AT:.+]] = tgpu.tile_at %[[A]][%[[SLOT]]]
// CHECK: %[[BT:.+]] = tgpu.tile_at %[[B]][%[[SLOT]]]
// CHECK: %[[TURNED:.+]] = tgpu.tile_permute %[[BT]] {order = array<i32: 1, 0>}
// CHECK: %[[NEXT:.+]] = tgpu.warpgroup_mma %[[AT]], %[[TURNED]], %[[SUM]]
// CHECK: tgpu.warpgroup_wait 1
// CHECK: tgpu.barrier_arrive %[[EMPTY]][%{{.*}}] if
// CHECK: scf.yield %[[NEXT]]
// CHECK: tgpu.warpgroup_wait 0, %{{.*}} -> tensor<128x128xf32
// CHECK-NEXT: %[[OPEN:.+]] = tgpu.variable_get
// CHECK-NEXT: tgpu.barrier_arrive %[[EMPTY]][%[[OPEN]]] : <4>
// CHECK: } else {
// CHECK: tgpu.map_store
// CHECK: tgpu.yield
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: iter_args
// CHECK: tgpu.barrier_wait %[[EMPTY]][%[[S:.+]]],
// CHECK: tgpu.barrier_expect %[[FULL]][%[[S]]], 32768
// CHECK: tgpu.tma_load %{{.*}}, %{{.*}}, %[[FULL]][%[[S]]]
// CHECK: tgpu.tma_load %{{.*}}, %{{.*}}, %[[FULL]][%[[S]]]
// CHECK-NOT: tensor
// CHECK: tgpu.yield
// CHECK-NEXT: }
// CHECK-NEXT: tt.return
module attributes {nrd.target = "sm_90a", nrd.num_warps = 8 : i32, nrd.num_stages = 4 : i32} {
  tt.func public @matmul(%pa: !tgpu.tensor_map {nrd.slot = 0 : i32}, %pb: !tgpu.tensor_map {nrd.slot = 1 : i32}, %pc: !tgpu.tensor_map {nrd.slot = 2 : i32}, %n: i32, %k: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c64 = arith.constant 64 : i32
    %zero = arith.constant dense<0.0> : tensor<128x128xf32, #acc>
    %pid = tt.get_program_id x : i32
    scf.for %t = %pid to %n step %c64 : i32 {
      %i = arith.divsi %t, %n : i32
      %sum = scf.for %j = %c0 to %k step %c1 iter_args(%acc = %zero) -> (tensor<128x128xf32, #acc>) : i32 {
        %at = arith.muli %j, %c64 : i32
        %x = tgpu.map_load %pa[%i, %at] : tensor<128x64xf16, #tile>
        %y = tgpu.map_load %pb[%t, %at] : tensor<128x64xf16, #tile>
        %z = tt.trans %y {order = array<i32: 1, 0>} : tensor<128x64xf16, #tile> -> tensor<64x128xf16, #turned>
        %xt = tgpu.local_alloc %x : (tensor<128x64xf16, #tile>) -> !a
        %zt = tgpu.local_alloc %z : (tensor<64x128xf16, #turned>) -> !b
        %p = tgpu.warpgroup_mma %xt, %zt, %acc : !a, !b, tensor<128x128xf32, #acc>
        %w = tgpu.warpgroup_wait 0, %p : tensor<128x128xf32, #acc> -> tensor<128x128xf32, #acc>
        scf.yield %w : tensor<128x128xf32, #acc>
      }
      %h = arith.truncf %sum : tensor<128x128xf32, #acc> to tensor<128x128xf16, #acc>
      tgpu.map_store %pc[%i, %t], %h : tensor<128x128xf16, #acc>
    } {tt.warp_specialize}
    tt.return
  }
}

// -----

#tile = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [64, 0]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0], [16, 0], [32, 0]], block = [], shape = [128, 64]>

// A read of registers releases the stage at once; a place carried by the loop
// and a branch around the load go with the producer.
// CHECK-LABEL: tt.func public @registers
// CHECK: tgpu.local_load
// CHECK-NEXT: tgpu.barrier_arrive
// CHECK: tt.store
// CHECK: tgpu.yield
// CHECK: scf.for {{.*}} iter_args(%[[AT:.+]] = %{{.*}}) -> (i32)
// CHECK: scf.if
// CHECK: tgpu.tma_load %{{.*}}[%[[AT]], %[[AT]]]
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32, nrd.num_stages = 2 : i32} {
  tt.func public @registers(%pa: !tgpu.tensor_map, %p: tensor<128x64x!tt.ptr<f16>, #tile>, %k: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %at, %s = scf.for %j = %c0 to %k step %c1 iter_args(%i = %c0, %ptr = %p) -> (i32, tensor<128x64x!tt.ptr<f16>, #tile>) : i32 {
      %c = arith.cmpi slt, %i, %j : i32
      scf.if %c {
        %x = tgpu.map_load %pa[%i, %i] : tensor<128x64xf16, #tile>
        tt.store %ptr, %x : tensor<128x64x!tt.ptr<f16>, #tile>
      }
      %n = arith.addi %i, %k : i32
      scf.yield %n, %ptr : i32, tensor<128x64x!tt.ptr<f16>, #tile>
    } {tt.warp_specialize}
    tt.return
  }
}

// -----

#tile = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [64, 0]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0], [16, 0], [32, 0]], block = [], shape = [128, 64]>

// What the loop writes it may read again: nothing runs ahead.
// CHECK-LABEL: tt.func public @in_place
// CHECK-NOT: tgpu.warp_specialize
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @in_place(%pa: !tgpu.tensor_map, %k: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    // expected-remark @+1 {{not warp-specialized: the kernel writes the array that a loop loads}}
    scf.for %j = %c0 to %k step %c1 : i32 {
      %x = tgpu.map_load %pa[%j, %j] : tensor<128x64xf16, #tile>
      tgpu.map_store %pa[%j, %k], %x : tensor<128x64xf16, #tile>
    } {tt.warp_specialize}
    tt.return
  }
}
