// RUN: nereid-opt %s --nrd-emit-gpu | FileCheck %s

// Barriers are initialised by one thread before all go on; the copies of a
// block of two panels; arrivals by each warp of the partition; a producer that
// is one warp of its group, with registers given up and taken.
!t = !tgpu.tile<8x128xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [0, 64]]>
!ring = !tgpu.tile<8x128xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [0, 64]], buffers = 2>
// CHECK-LABEL: llvm.func ptx_kernelcc @copy
// CHECK-SAME: llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>
// CHECK-SAME: "nvvm.reqntid", "256"
// CHECK-SAME: "nvvm.maxnreg", "128"
// CHECK: "mbarrier.init.shared::cta.b64 [$0+0], 4;"
// CHECK: "mbarrier.init.shared::cta.b64 [$0+8], 4;"
// CHECK: "fence.mbarrier_init.release.cluster;"
// CHECK: "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: scf.if
// CHECK: "setmaxnreg.inc.sync.aligned.u32 232;"
// CHECK: mbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1;
// CHECK: "fence.proxy.async.shared::cta;"
// CHECK: "llvm.nvvm.barrier.cta.sync.aligned.count"(%{{.*}}, %{{.*}})
// CHECK: "@$2 cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [$1, {$3, $4}], [$0];"
// CHECK: "@$0 cp.async.bulk.commit_group;"
// CHECK: "cp.async.bulk.wait_group.read 0;"
// CHECK: "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];"
// CHECK: } else {
// CHECK: "setmaxnreg.dec.sync.aligned.u32 24;"
// CHECK: scf.if
// CHECK: "@$1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], 2048;"
// CHECK: %[[PANEL:.+]] = arith.constant 64 : i32
// CHECK: arith.addi %{{.*}}, %[[PANEL]]
// CHECK: "@$3 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1, {$4, $5}], [$2];"
module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32, nrd.launch_registers = 128 : i32} {
  tt.func public @copy(%map: !tgpu.tensor_map {nrd.field = "tensor_map"}, %i: i32) {
    %c0 = arith.constant 0 : i32
    %ring = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !ring
    %full = tgpu.barrier_alloc {arrivals = 1 : i32, nrd.shared_offset = 4096 : i32} : !tgpu.barriers<2>
    %empty = tgpu.barrier_alloc {arrivals = 4 : i32, nrd.shared_offset = 4112 : i32} : !tgpu.barriers<2>
    tgpu.warp_specialize attributes {registers = array<i32: 232, 24>, warps = array<i32: 4, 4>} {
      %v = tgpu.variable %c0
      %slot = tgpu.variable_get %v
      tgpu.barrier_wait %full[%slot], %c0 : !tgpu.barriers<2>
      %t = tgpu.tile_at %ring[%slot] : !ring -> !t
      tgpu.proxy_fence
      tgpu.sync_threads
      tgpu.tma_store %map[%i, %i], %t : !t
      tgpu.tma_store_wait 0
      tgpu.barrier_arrive %empty[%slot] : !tgpu.barriers<2>
      tgpu.variable_set %v, %i
      tgpu.yield
    }, {
      tgpu.barrier_expect %full[%c0], 2048 : !tgpu.barriers<2>
      %t = tgpu.tile_at %ring[%c0] : !ring -> !t
      tgpu.tma_load %map[%i, %i], %t, %full[%c0] : !t, !tgpu.barriers<2>
      tgpu.yield
    }
    tt.return
  }
}
