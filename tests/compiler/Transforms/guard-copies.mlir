// RUN: nereid-opt %s --nrd-guard-copies | FileCheck %s

// Two copies with one branch; the masks are computed where they are needed. A
// copy whose mask is unknown stays.
#rows = #tgpu.layout<register = [[16], [32]], lane = [[0], [1], [2], [4], [8]], warp = [], block = [], shape = [64]>
#rows1 = #tgpu.layout<register = [[16, 0], [32, 0]], lane = [[0, 0], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [], block = [], shape = [64, 1]>
#ld = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [0, 16], [16, 0], [32, 0]], lane = [[0, 8], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [], block = [], shape = [64, 32]>
!tile = !tgpu.tile<64x32xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 8], [4, 16], [8, 0], [16, 0], [32, 0]]>
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  // CHECK-LABEL: @copies
  // CHECK:         scf.for %[[I:.*]] =
  // CHECK-NOT:       arith.cmpi slt, %{{.*}} : tensor
  // CHECK:           %[[ORDERED:.*]] = arith.cmpi sle, %[[I]], %{{.*}} : i32
  // CHECK:           %[[ROWS:.*]] = arith.cmpi slt, %{{.*}}, %arg1 : i32
  // CHECK:           %[[FIRST:.*]] = arith.andi %arg2, %[[ORDERED]] : i1
  // CHECK:           %[[FIRST2:.*]] = arith.andi %[[FIRST]], %[[ROWS]] : i1
  // CHECK:           %[[BOTH:.*]] = arith.andi %[[FIRST2]], %{{.*}} : i1
  // CHECK:           scf.if %[[BOTH]]
  // CHECK-NEXT:        tgpu.async_copy %{{[0-9a-z_]+}}, %{{[0-9a-z_]+}} {
  // CHECK-NEXT:        tgpu.async_copy %{{[0-9a-z_]+}}, %{{[0-9a-z_]+}} {
  // CHECK-NEXT:      } else {
  // CHECK:             arith.cmpi slt, %{{.*}} : tensor
  // CHECK:             tgpu.async_copy {{.*}} mask
  // CHECK:             tgpu.async_copy {{.*}} mask
  // CHECK:           tgpu.async_commit
  // CHECK-NEXT:      tgpu.async_copy {{.*}} mask
  tt.func public @copies(%p: !tt.ptr<f16>, %n: i32, %c: i1, %given: tensor<64x32xi1, #ld>, %x: tensor<64x32xf32, #ld>) {
    %c0 = arith.constant 0 : i32
    %c64 = arith.constant 64 : i32
    %t = tgpu.local_alloc : () -> !tile
    %u = tgpu.local_alloc : () -> !tile
    %ptrs = tt.splat %p : !tt.ptr<f16> -> tensor<64x32x!tt.ptr<f16>, #ld>
    %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32, #rows>
    %bound = tt.splat %n : i32 -> tensor<64x1xi32, #rows1>
    %also = tt.splat %c : i1 -> tensor<64x32xi1, #ld>
    scf.for %i = %c0 to %n step %c64 : i32 {
      %s = tt.splat %i : i32 -> tensor<64xi32, #rows>
      %j = arith.addi %s, %range : tensor<64xi32, #rows>
      %j1 = tt.expand_dims %j {axis = 1 : i32} : tensor<64xi32, #rows> -> tensor<64x1xi32, #rows1>
      %m = arith.cmpi slt, %j1, %bound : tensor<64x1xi32, #rows1>
      %mb = tt.broadcast %m : tensor<64x1xi1, #rows1> -> tensor<64x32xi1, #ld>
      %ma = arith.andi %also, %mb : tensor<64x32xi1, #ld>
      tgpu.async_copy %ptrs, %t mask %ma : tensor<64x32xi1, #ld> {cache = 1 : i32, evict = 1 : i32} : tensor<64x32x!tt.ptr<f16>, #ld>, !tile
      tgpu.async_copy %ptrs, %u mask %mb : tensor<64x32xi1, #ld> {cache = 1 : i32, evict = 1 : i32} : tensor<64x32x!tt.ptr<f16>, #ld>, !tile
      tgpu.async_commit
      tgpu.async_copy %ptrs, %u mask %given : tensor<64x32xi1, #ld> {cache = 1 : i32, evict = 1 : i32} : tensor<64x32x!tt.ptr<f16>, #ld>, !tile
      %e = math.exp2 %x : tensor<64x32xf32, #ld>
      %f = arith.addf %e, %x : tensor<64x32xf32, #ld>
      %g = arith.mulf %f, %x : tensor<64x32xf32, #ld>
      %h = arith.subf %g, %x : tensor<64x32xf32, #ld>
    }
    tt.return
  }

  // Nothing is computed: a branch would not pay.
  // CHECK-LABEL: @only_copies
  // CHECK-NOT:     scf.if
  tt.func public @only_copies(%p: !tt.ptr<f16>, %n: i32) {
    %c0 = arith.constant 0 : i32
    %c64 = arith.constant 64 : i32
    %t = tgpu.local_alloc : () -> !tile
    %ptrs = tt.splat %p : !tt.ptr<f16> -> tensor<64x32x!tt.ptr<f16>, #ld>
    %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32, #rows>
    %bound = tt.splat %n : i32 -> tensor<64x1xi32, #rows1>
    scf.for %i = %c0 to %n step %c64 : i32 {
      %s = tt.splat %i : i32 -> tensor<64xi32, #rows>
      %j = arith.addi %s, %range : tensor<64xi32, #rows>
      %j1 = tt.expand_dims %j {axis = 1 : i32} : tensor<64xi32, #rows> -> tensor<64x1xi32, #rows1>
      %m = arith.cmpi slt, %j1, %bound : tensor<64x1xi32, #rows1>
      %mb = tt.broadcast %m : tensor<64x1xi1, #rows1> -> tensor<64x32xi1, #ld>
      tgpu.async_copy %ptrs, %t mask %mb : tensor<64x32xi1, #ld> {cache = 1 : i32, evict = 1 : i32} : tensor<64x32x!tt.ptr<f16>, #ld>, !tile
      tgpu.async_commit
    }
    tt.return
  }
}
