// RUN: nereid-opt %s --split-input-file --nrd-pipeline-loops -canonicalize -cse | FileCheck %s

#ld = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4]], lane = [[0, 8], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [[16, 0]], block = [], shape = [32, 16]>
#ldt = #tgpu.layout<register = [[1, 0], [2, 0], [4, 0]], lane = [[8, 0], [0, 1], [0, 2], [0, 4], [0, 8]], warp = [[0, 16]], block = [], shape = [16, 32]>
#one = #tgpu.layout<register = [[1, 0], [2, 0], [4, 0]], lane = [[8, 0], [16, 0], [0, 1], [0, 2], [0, 4]], warp = [[0, 8]], block = [], shape = [32, 16]>
#a = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0]], block = [], shape = [32, 16]>
#b = #tgpu.layout<register = [[1, 0], [8, 0], [0, 8], [0, 16]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [[0, 0]], block = [], shape = [16, 32]>
#acc = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8], [0, 16]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0]], block = [], shape = [32, 32]>
!ptrs = tensor<32x16x!tt.ptr<f16>, #ld>
!sum = tensor<32x32xf32, #acc>
module attributes {nrd.target = "sm_80", nrd.num_warps = 2 : i32, nrd.num_stages = 3 : i32} {

  // Operands of mma.sync come from the ring into their own layouts, a
  // transposed one through a view, where they are first needed. What stands
  // between load and dot stays behind the ring. Threads meet once, at the top.
  // CHECK-LABEL: tt.func public @registers
  // CHECK:         scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[K:[a-z0-9]+]] = %c0_i32)
  // CHECK-NEXT:      tgpu.async_wait 1
  // CHECK-NEXT:      tgpu.sync_threads
  // CHECK:           tgpu.async_copy
  // CHECK:           tgpu.async_copy
  // CHECK-NEXT:      tgpu.async_commit
  // CHECK:           %[[TA:.*]] = tgpu.tile_at %{{.*}}[%[[K]]]
  // CHECK:           %[[A:.*]] = tgpu.local_load %[[TA]] : {{.*}} -> tensor<32x16xf16, #{{.*}}>
  // CHECK:           %[[SQUARE:.*]] = arith.mulf %[[A]], %[[A]]
  // CHECK:           %[[TB:.*]] = tgpu.tile_at %{{.*}}[%[[K]]]
  // CHECK:           %[[TBT:.*]] = tgpu.tile_permute %[[TB]]
  // CHECK:           %[[B:.*]] = tgpu.local_load %[[TBT]] : {{.*}} -> tensor<16x32xf16, #{{.*}}>
  // CHECK:           tt.dot %[[SQUARE]], %[[B]]
  tt.func public @registers(%ap: !ptrs, %bp: !ptrs, %n: i32) -> !sum {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : !sum
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (!sum) : i32 {
      %at = tt.splat %i : i32 -> tensor<32x16xi32, #ld>
      %pa = tt.addptr %ap, %at : !ptrs, tensor<32x16xi32, #ld>
      %pb = tt.addptr %bp, %at : !ptrs, tensor<32x16xi32, #ld>
      %x = tt.load %pa {nrd.access = array<i32: 1, 8>} : !ptrs
      %y = tt.load %pb {nrd.access = array<i32: 1, 8>} : !ptrs
      %xa = tgpu.convert_layout %x : tensor<32x16xf16, #ld> -> tensor<32x16xf16, #a>
      %s = arith.mulf %xa, %xa : tensor<32x16xf16, #a>
      %yt = tt.trans %y {order = array<i32: 1, 0>} : tensor<32x16xf16, #ld> -> tensor<16x32xf16, #ldt>
      %yb = tgpu.convert_layout %yt : tensor<16x32xf16, #ldt> -> tensor<16x32xf16, #b>
      %d = tt.dot %s, %yb, %acc : tensor<32x16xf16, #a> * tensor<16x32xf16, #b> -> !sum
      scf.yield %d : !sum
    }
    tt.return %r : !sum
  }

  // A load stays where the loop may write what it reads; one from another
  // argument moves.
  // CHECK-LABEL: tt.func public @stores
  // CHECK:         scf.for
  // CHECK:           tgpu.async_copy
  // CHECK-NOT:       tgpu.async_copy
  // CHECK:           tt.load
  // CHECK:           tt.store
  tt.func public @stores(%ap: !tt.ptr<f16>, %bp: !tt.ptr<f16>, %n: i32) -> !sum {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : !sum
    %sa = tt.splat %ap : !tt.ptr<f16> -> !ptrs
    %sb = tt.splat %bp : !tt.ptr<f16> -> !ptrs
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (!sum) : i32 {
      %at = tt.splat %i : i32 -> tensor<32x16xi32, #ld>
      %pa = tt.addptr %sa, %at : !ptrs, tensor<32x16xi32, #ld>
      %pb = tt.addptr %sb, %at : !ptrs, tensor<32x16xi32, #ld>
      %x = tt.load %pa {nrd.access = array<i32: 1, 8>} : !ptrs
      %y = tt.load %pb {nrd.access = array<i32: 1, 8>} : !ptrs
      %xa = tgpu.convert_layout %x : tensor<32x16xf16, #ld> -> tensor<32x16xf16, #a>
      %yt = tt.trans %y {order = array<i32: 1, 0>} : tensor<32x16xf16, #ld> -> tensor<16x32xf16, #ldt>
      %yb = tgpu.convert_layout %yt : tensor<16x32xf16, #ldt> -> tensor<16x32xf16, #b>
      %d = tt.dot %xa, %yb, %acc : tensor<32x16xf16, #a> * tensor<16x32xf16, #b> -> !sum
      tt.store %pb, %x : !ptrs
      scf.yield %d : !sum
    }
    tt.return %r : !sum
  }

  // Masked elements that are not zero are put in behind the ring. An address
  // that comes from memory: that load runs a further iteration ahead, and waits
  // in a register; a division in it is guarded where the iteration may not
  // exist.
  // CHECK-LABEL: tt.func public @indirect
  // CHECK:         %[[P0:.*]] = tt.load %{{.*}}, %{{.*}}, %c0_i32
  // CHECK:         tgpu.async_copy
  // CHECK:         %[[P1:.*]] = tt.load
  // CHECK:         tgpu.async_copy
  // CHECK:         %[[P2:.*]] = tt.load
  // CHECK:         scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %c0_i32, %[[PAGE:.*]] = %[[P2]])
  // CHECK-NEXT:      tgpu.async_wait 1
  // CHECK-NEXT:      tgpu.sync_threads
  // CHECK:           %[[NEXT:.*]] = tt.load %{{.*}}, %{{.*}}, %c0_i32
  // CHECK:           %[[SAFE:.*]] = arith.select %{{.*}}, %{{.*}}, %c1_i32
  // CHECK:           arith.divsi %[[PAGE]], %[[SAFE]]
  // CHECK:           tgpu.async_copy
  // CHECK:           %[[X:.*]] = tgpu.local_load
  // CHECK:           %[[M:.*]] = arith.select %{{.*}}, %[[X]], %{{.*}} : tensor<32x16xi1, #{{.*}}>
  // CHECK:           tgpu.convert_layout %[[M]]
  // CHECK:           scf.yield %{{.*}}, %{{.*}}, %[[NEXT]]
  tt.func public @indirect(%ap: !tt.ptr<f16>, %pages: !tt.ptr<i32>, %b: tensor<16x32xf16, #b>, %m: tensor<32x16xi1, #ld>, %n: i32, %w: i32) -> !sum {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %one = arith.constant dense<1.0> : tensor<32x16xf16, #ld>
    %zero = arith.constant dense<0.0> : !sum
    %sa = tt.splat %ap : !tt.ptr<f16> -> !ptrs
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (!sum) : i32 {
      %pp = tt.addptr %pages, %i : !tt.ptr<i32>, i32
      %page = tt.load %pp : !tt.ptr<i32>
      %q = arith.divsi %page, %w : i32
      %at = tt.splat %q : i32 -> tensor<32x16xi32, #ld>
      %pa = tt.addptr %sa, %at : !ptrs, tensor<32x16xi32, #ld>
      %x = tt.load %pa, %m, %one {nrd.access = array<i32: 1, 8>} : !ptrs
      %xa = tgpu.convert_layout %x : tensor<32x16xf16, #ld> -> tensor<32x16xf16, #a>
      %d = tt.dot %xa, %b, %acc : tensor<32x16xf16, #a> * tensor<16x32xf16, #b> -> !sum
      scf.yield %d : !sum
    }
    tt.return %r : !sum
  }

  // Too narrow for a copy by threads: memory is contiguous across the threads'
  // registers only.
  // CHECK-LABEL: tt.func public @narrow
  // CHECK-NOT:     tgpu.async_copy
  // CHECK:         tt.return
  tt.func public @narrow(%ap: tensor<32x16x!tt.ptr<f16>, #one>, %b: tensor<16x32xf16, #b>, %n: i32) -> !sum {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %zero = arith.constant dense<0.0> : !sum
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (!sum) : i32 {
      %x = tt.load %ap {nrd.access = array<i32: 1, 8>} : tensor<32x16x!tt.ptr<f16>, #one>
      %xa = tgpu.convert_layout %x : tensor<32x16xf16, #one> -> tensor<32x16xf16, #a>
      %d = tt.dot %xa, %b, %acc : tensor<32x16xf16, #a> * tensor<16x32xf16, #b> -> !sum
      scf.yield %d : !sum
    }
    tt.return %r : !sum
  }

  // Without a dot only where the loop asks for it.
  // CHECK-LABEL: tt.func public @stream
  // CHECK:         scf.for
  // CHECK:           tt.load
  // CHECK:         scf.for
  // CHECK:           tgpu.async_wait 2
  // CHECK:           tgpu.local_load
  tt.func public @stream(%ap: !ptrs, %n: i64) -> (tensor<32x16xf16, #ld>, tensor<32x16xf16, #ld>) {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %zero = arith.constant dense<0.0> : tensor<32x16xf16, #ld>
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<32x16xf16, #ld>) : i64 {
      %x = tt.load %ap {nrd.access = array<i32: 1, 8>} : !ptrs
      %s = arith.addf %acc, %x : tensor<32x16xf16, #ld>
      scf.yield %s : tensor<32x16xf16, #ld>
    }
    %q = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<32x16xf16, #ld>) : i64 {
      %x = tt.load %ap {nrd.access = array<i32: 1, 8>} : !ptrs
      %s = arith.addf %acc, %x : tensor<32x16xf16, #ld>
      scf.yield %s : tensor<32x16xf16, #ld>
    } {tt.num_stages = 4 : i32}
    tt.return %r, %q : tensor<32x16xf16, #ld>, tensor<32x16xf16, #ld>
  }
}
