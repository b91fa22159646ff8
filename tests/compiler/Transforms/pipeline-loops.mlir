// RUN: nereid-opt %s --nrd-pipeline-loops -canonicalize -cse | FileCheck %s

// Copies run two iterations ahead of a wgmma whose operands are tiles. The
// product of the iteration before ends behind the next one's issue, and the slot
// that it read is filled again. Threads meet for the data at the top, and for
// the slot behind the wait.
// CHECK-LABEL: tt.func public @warpgroup
// CHECK:         %[[RA:.*]] = tgpu.local_alloc : () -> !tgpu.tile<64x64xf16, {{.*}}, buffers = 3>
// CHECK:         %[[RB:.*]] = tgpu.local_alloc : () -> !tgpu.tile<64x64xf16, {{.*}}, buffers = 3>
// CHECK:         %[[E0:.*]] = arith.cmpi sgt, %[[N:.*]], %c0_i32
// CHECK:         tgpu.async_copy %[[A:.*]], %{{.*}} mask %{{.*}} {{.*}}nrd.access = array<i32: 1, 8>}
// CHECK:         tgpu.async_copy
// CHECK:         tgpu.async_commit
// CHECK:         %[[N1:.*]] = arith.subi %[[N]], %c1_i32
// CHECK:         arith.cmpi sgt, %[[N1]], %c0_i32
// CHECK:         tgpu.async_copy
// CHECK:         tgpu.async_copy
// CHECK:         tgpu.async_commit
// CHECK-NEXT:    %[[N2:.*]] = arith.subi %[[N]], %c2_i32
// CHECK-NEXT:    %[[L:.*]]:4 = scf.for %[[I:.*]] = %c0_i32 to %[[N]] step %c1_i32 iter_args(%[[ACC:.*]] = %cst, %[[K:.*]] = %c0_i32, %{{.*}} = %{{.*}}, %{{.*}} = %{{.*}})
// CHECK-NEXT:      tgpu.async_wait 1
// CHECK-NEXT:      tgpu.proxy_fence
// CHECK-NEXT:      tgpu.sync_threads
// CHECK-NEXT:      %[[TA:.*]] = tgpu.tile_at %[[RA]][%[[K]]]
// CHECK-NEXT:      %[[TB:.*]] = tgpu.tile_at %[[RB]][%[[K]]]
// CHECK-NEXT:      %[[P:.*]] = tgpu.warpgroup_mma %[[TA]], %[[TB]], %[[ACC]]
// CHECK-NEXT:      tgpu.warpgroup_wait 1{{$}}
// CHECK-NEXT:      tgpu.sync_threads
// CHECK-NEXT:      %[[E:.*]] = arith.cmpi slt, %[[I]], %[[N2]]
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %[[K]], %c0_i32
// CHECK:           %[[SLOT:.*]] = arith.select %[[FIRST]], %c2_i32,
// CHECK:           %[[TO:.*]] = tgpu.tile_at %[[RA]][%[[SLOT]]]
// CHECK:           tgpu.async_copy %{{.*}}, %[[TO]] mask
// CHECK:           tgpu.async_copy
// CHECK-NEXT:      tgpu.async_commit
// CHECK:           scf.yield %[[P]],
// CHECK:         %[[W:.*]]:3 = tgpu.warpgroup_wait 0, %[[L]]#0, %[[RA]], %[[RB]]
// CHECK-NEXT:    tgpu.async_wait 0
// CHECK-NEXT:    tgpu.sync_threads
// CHECK-NEXT:    tt.return %[[W]]#0
#ld = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [16, 0], [32, 0]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]], block = [], shape = [64, 64]>
#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 64]>
!tile = !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0], [16, 0], [32, 0]]>
!ptrs = tensor<64x64x!tt.ptr<f16>, #ld>
#ldt = #tgpu.layout<register = [[1, 0], [2, 0], [4, 0], [0, 16], [0, 32]], lane = [[8, 0], [16, 0], [32, 0], [0, 1], [0, 2]], warp = [[0, 4], [0, 8]], block = [], shape = [64, 64]>
!tilet = !tgpu.tile<64x64xf16, offset = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [8, 1], [16, 2], [32, 4], [0, 8], [0, 16], [0, 32]]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32, nrd.num_stages = 3 : i32} {
  tt.func public @warpgroup(%ap: !ptrs, %bp: !ptrs, %m: tensor<64x64xi1, #ld>, %n: i32, %step: tensor<64x64xi32, #ld>) -> tensor<64x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
    %other = arith.constant dense<0.0> : tensor<64x64xf16, #ld>
    %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero, %a = %ap, %b = %bp) -> (tensor<64x64xf32, #acc>, !ptrs, !ptrs) : i32 {
      %x = tt.load %a, %m, %other {nrd.access = array<i32: 1, 8>} : !ptrs
      %y = tt.load %b {nrd.access = array<i32: 1, 8>} : !ptrs
      %ta = tgpu.local_alloc %x : (tensor<64x64xf16, #ld>) -> !tile
      %tb = tgpu.local_alloc %y : (tensor<64x64xf16, #ld>) -> !tile
      %p = tgpu.warpgroup_mma %ta, %tb, %acc : !tile, !tile, tensor<64x64xf32, #acc>
      %w = tgpu.warpgroup_wait 0, %p : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      %na = tt.addptr %a, %step : !ptrs, tensor<64x64xi32, #ld>
      %nb = tt.addptr %b, %step : !ptrs, tensor<64x64xi32, #ld>
      scf.yield %w, %na, %nb : tensor<64x64xf32, #acc>, !ptrs, !ptrs
    }
    tt.return %r#0 : tensor<64x64xf32, #acc>
  }

  // With more, one meeting serves both: the next iteration's data is waited for
  // while a later one's is under way, and while the product runs.
  // CHECK-LABEL: tt.func public @four_stages
  // CHECK:         tgpu.async_wait 2
  // CHECK-NEXT:    tgpu.proxy_fence
  // CHECK-NEXT:    tgpu.sync_threads
  // CHECK:         scf.for
  // CHECK:           tgpu.warpgroup_mma
  // CHECK-NEXT:      tgpu.async_wait 1
  // CHECK-NEXT:      tgpu.proxy_fence
  // CHECK-NEXT:      tgpu.warpgroup_wait 1{{$}}
  // CHECK-NEXT:      tgpu.sync_threads
  // CHECK:           tgpu.async_copy
  // CHECK-NEXT:      tgpu.async_commit
  // CHECK:           scf.yield
  tt.func public @four_stages(%ap: !ptrs, %tb: !tile, %n: i32) -> tensor<64x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
      %at = tt.splat %i : i32 -> tensor<64x64xi32, #ld>
      %a = tt.addptr %ap, %at : !ptrs, tensor<64x64xi32, #ld>
      %x = tt.load %a {nrd.access = array<i32: 1, 8>} : !ptrs
      %ta = tgpu.local_alloc %x : (tensor<64x64xf16, #ld>) -> !tile
      %p = tgpu.warpgroup_mma %ta, %tb, %acc : !tile, !tile, tensor<64x64xf32, #acc>
      %w = tgpu.warpgroup_wait 0, %p : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      scf.yield %w : tensor<64x64xf32, #acc>
    } {tt.num_stages = 4 : i32}
    tt.return %r : tensor<64x64xf32, #acc>
  }

  // With two stages there is nothing to be ahead of: the product of the
  // iteration before ends first, at the top.
  // CHECK-LABEL: tt.func public @two_stages
  // CHECK:         scf.for
  // CHECK-NEXT:      tgpu.async_wait 0
  // CHECK-NEXT:      tgpu.proxy_fence
  // CHECK-NEXT:      tgpu.warpgroup_wait 0{{$}}
  // CHECK-NEXT:      tgpu.sync_threads
  // CHECK:           tgpu.warpgroup_mma
  // CHECK:           tgpu.async_copy
  // CHECK-NEXT:      tgpu.async_commit
  // CHECK:           scf.yield
  tt.func public @two_stages(%ap: !ptrs, %tb: !tile, %n: i32) -> tensor<64x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
      %at = tt.splat %i : i32 -> tensor<64x64xi32, #ld>
      %a = tt.addptr %ap, %at : !ptrs, tensor<64x64xi32, #ld>
      %x = tt.load %a {nrd.access = array<i32: 1, 8>} : !ptrs
      %ta = tgpu.local_alloc %x : (tensor<64x64xf16, #ld>) -> !tile
      %p = tgpu.warpgroup_mma %ta, %tb, %acc : !tile, !tile, tensor<64x64xf32, #acc>
      %w = tgpu.warpgroup_wait 0, %p : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      scf.yield %w : tensor<64x64xf32, #acc>
    } {tt.num_stages = 2 : i32}
    tt.return %r : tensor<64x64xf32, #acc>
  }

  // The shape of attention. The second sum is in flight until the next
  // iteration scales it; the wait for the scores ends it as well. There threads
  // meet, once. Copies of the first operand run three iterations ahead, of the
  // second two, and are issued behind the last product. The tile that is loaded
  // in front of the loop is part of the first group of copies.
  // CHECK-LABEL: tt.func public @chain
  // CHECK-NOT:     tt.load
  // CHECK:         %[[K:.*]] = tgpu.local_alloc : ()
  // CHECK-NEXT:    %[[V:.*]] = tgpu.local_alloc : ()
  // CHECK:         %[[Q:.*]] = tgpu.local_alloc : ()
  // CHECK-NEXT:    tgpu.async_copy %arg0, %[[Q]] {
  // CHECK-COUNT-5: tgpu.async_copy
  // CHECK-NEXT:    tgpu.async_commit
  // CHECK-NEXT:    tgpu.async_wait 2
  // CHECK:         scf.for {{.*}} iter_args(%[[ACC:[a-z0-9]+]] = %{{.*}}, %[[I:[a-z0-9]+]] = %c0_i32)
  // CHECK:           %[[TK:.*]] = tgpu.tile_at %[[K]][%[[I]]]
  // CHECK:           %[[TKT:.*]] = tgpu.tile_permute %[[TK]]
  // CHECK:           %[[S:.*]] = tgpu.warpgroup_mma %[[Q]], %[[TKT]], %{{.*}}
  // CHECK-NEXT:      tgpu.async_wait 1
  // CHECK-NEXT:      tgpu.proxy_fence
  // CHECK-NEXT:      %[[W:.*]]:4 = tgpu.warpgroup_wait 0, %[[ACC]], %[[S]], %{{.*}}, %[[TKT]]
  // CHECK-NEXT:      tgpu.sync_threads
  // CHECK:           math.exp2 %[[W]]#1
  // CHECK:           %[[TV:.*]] = tgpu.tile_at %[[V]][%[[I]]]
  // CHECK:           %[[SCALED:.*]] = arith.mulf %[[W]]#0
  // CHECK:           %[[O:.*]] = tgpu.warpgroup_mma %{{.*}}, %[[TV]], %[[SCALED]]
  // CHECK:           tgpu.async_copy %{{.*}}, %[[TK]] mask
  // CHECK:           tgpu.async_copy
  // CHECK-NEXT:      tgpu.async_commit
  // CHECK:           scf.yield %[[O]],
  // CHECK:         tgpu.warpgroup_wait 0,
  tt.func public @chain(%qp: !ptrs, %kp: !ptrs, %vp: !ptrs, %n: i32, %scale: tensor<64x64xf32, #acc>) -> tensor<64x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c64 = arith.constant 64 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
    %ql = tt.load %qp {nrd.access = array<i32: 1, 8>} : !ptrs
    %q = tgpu.local_alloc %ql : (tensor<64x64xf16, #ld>) -> !tile
    %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
      %at = tt.splat %i : i32 -> tensor<64x64xi32, #ld>
      %ka = tt.addptr %kp, %at : !ptrs, tensor<64x64xi32, #ld>
      %k = tt.load %ka {nrd.access = array<i32: 1, 8>} : !ptrs
      %kt = tt.trans %k {order = array<i32: 1, 0>} : tensor<64x64xf16, #ld> -> tensor<64x64xf16, #ldt>
      %tk = tgpu.local_alloc %kt : (tensor<64x64xf16, #ldt>) -> !tilet
      %s0 = tgpu.warpgroup_mma %q, %tk, %zero : !tile, !tilet, tensor<64x64xf32, #acc>
      %s = tgpu.warpgroup_wait 0, %s0 : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      %e = math.exp2 %s : tensor<64x64xf32, #acc>
      %p = arith.truncf %e : tensor<64x64xf32, #acc> to tensor<64x64xf16, #acc>
      %va = tt.addptr %vp, %at : !ptrs, tensor<64x64xi32, #ld>
      %v = tt.load %va {nrd.access = array<i32: 1, 8>} : !ptrs
      %tv = tgpu.local_alloc %v : (tensor<64x64xf16, #ld>) -> !tile
      %scaled = arith.mulf %acc, %scale : tensor<64x64xf32, #acc>
      %o0 = tgpu.warpgroup_mma %p, %tv, %scaled : tensor<64x64xf16, #acc>, !tile, tensor<64x64xf32, #acc>
      %o = tgpu.warpgroup_wait 0, %o0 : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      scf.yield %o : tensor<64x64xf32, #acc>
    }
    tt.return %r : tensor<64x64xf32, #acc>
  }

  // Masked elements are ones, which copies cannot write: the tile is written
  // behind the first copies, which so do not wait for the load.
  // CHECK-LABEL: tt.func public @chain_of_ones
  // CHECK:         %[[Q:.*]] = tt.load
  // CHECK-COUNT-5: tgpu.async_copy
  // CHECK-NEXT:    tgpu.async_commit
  // CHECK-NEXT:    tgpu.local_alloc %[[Q]]
  // CHECK-NEXT:    tgpu.async_wait 2
  tt.func public @chain_of_ones(%qm: tensor<64x64xi1, #ld>, %qp: !ptrs, %kp: !ptrs, %vp: !ptrs, %n: i32, %scale: tensor<64x64xf32, #acc>) -> tensor<64x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c64 = arith.constant 64 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
    %one = arith.constant dense<1.0> : tensor<64x64xf16, #ld>
    %ql = tt.load %qp, %qm, %one {nrd.access = array<i32: 1, 8>} : !ptrs
    %q = tgpu.local_alloc %ql : (tensor<64x64xf16, #ld>) -> !tile
    %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
      %at = tt.splat %i : i32 -> tensor<64x64xi32, #ld>
      %ka = tt.addptr %kp, %at : !ptrs, tensor<64x64xi32, #ld>
      %k = tt.load %ka {nrd.access = array<i32: 1, 8>} : !ptrs
      %kt = tt.trans %k {order = array<i32: 1, 0>} : tensor<64x64xf16, #ld> -> tensor<64x64xf16, #ldt>
      %tk = tgpu.local_alloc %kt : (tensor<64x64xf16, #ldt>) -> !tilet
      %s0 = tgpu.warpgroup_mma %q, %tk, %zero : !tile, !tilet, tensor<64x64xf32, #acc>
      %s = tgpu.warpgroup_wait 0, %s0 : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      %e = math.exp2 %s : tensor<64x64xf32, #acc>
      %p = arith.truncf %e : tensor<64x64xf32, #acc> to tensor<64x64xf16, #acc>
      %va = tt.addptr %vp, %at : !ptrs, tensor<64x64xi32, #ld>
      %v = tt.load %va {nrd.access = array<i32: 1, 8>} : !ptrs
      %tv = tgpu.local_alloc %v : (tensor<64x64xf16, #ld>) -> !tile
      %scaled = arith.mulf %acc, %scale : tensor<64x64xf32, #acc>
      %o0 = tgpu.warpgroup_mma %p, %tv, %scaled : tensor<64x64xf16, #acc>, !tile, tensor<64x64xf32, #acc>
      %o = tgpu.warpgroup_wait 0, %o0 : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      scf.yield %o : tensor<64x64xf32, #acc>
    }
    tt.return %r : tensor<64x64xf32, #acc>
  }

  // A register operand: the next iteration would write the registers that the
  // product still reads, so it ends with its iteration.
  // CHECK-LABEL: tt.func public @register_operand
  // CHECK:         scf.for
  // CHECK:           %[[X:.*]] = arith.mulf
  // CHECK:           %[[R:.*]] = tgpu.warpgroup_mma %[[X]],
  // CHECK:           %[[RW:.*]]:3 = tgpu.warpgroup_wait 0, %[[R]], %[[X]]
  // CHECK:           scf.yield %[[RW]]#0
  tt.func public @register_operand(%b: !tile, %ap: !ptrs, %n: i32) -> tensor<64x64xf32, #acc> {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : tensor<64x64xf32, #acc>
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32, #acc>) : i32 {
      %at = tt.splat %i : i32 -> tensor<64x64xi32, #ld>
      %pa = tt.addptr %ap, %at : !ptrs, tensor<64x64xi32, #ld>
      %a = tt.load %pa {nrd.access = array<i32: 1, 8>} : !ptrs
      %x = tgpu.convert_layout %a : tensor<64x64xf16, #ld> -> tensor<64x64xf16, #acc>
      %y = arith.mulf %x, %x : tensor<64x64xf16, #acc>
      %p = tgpu.warpgroup_mma %y, %b, %acc : tensor<64x64xf16, #acc>, !tile, tensor<64x64xf32, #acc>
      %w = tgpu.warpgroup_wait 0, %p : tensor<64x64xf32, #acc> -> tensor<64x64xf32, #acc>
      scf.yield %w : tensor<64x64xf32, #acc>
    }
    tt.return %r : tensor<64x64xf32, #acc>
  }
}
