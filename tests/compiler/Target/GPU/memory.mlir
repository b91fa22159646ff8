// RUN: nereid-opt %s --nrd-emit-gpu --cse --split-input-file | FileCheck %s

// Four neighbours are one access; a mask is a predicate; what a masked lane
// gives stands in the registers before.
#l = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]],
                  warp = [], block = [], shape = [128]>
// CHECK-LABEL: llvm.func ptx_kernelcc @vector
// CHECK: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: llvm.inline_asm has_side_effects
// CHECK-SAME: "@$5 ld.global.L1::evict_last.v4.b32 {$0, $1, $2, $3}, [$4];", "=r,=r,=r,=r,l,b,0,1,2,3,~{memory}"
// CHECK: llvm.inline_asm has_side_effects
// CHECK-SAME: "@$5 st.global.cg.v4.b32 [$4], {$0, $1, $2, $3};", "r,r,r,r,l,b,~{memory}"
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @vector(%p: !tt.ptr<f32>, %n: i32) {
    %zero = arith.constant dense<0.0> : tensor<128xf32, #l>
    %r = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32, #l>
    %s = tt.splat %n : i32 -> tensor<128xi32, #l>
    %m = arith.cmpi slt, %r, %s : tensor<128xi32, #l>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>, #l>
    %q = tt.addptr %ps, %r : tensor<128x!tt.ptr<f32>, #l>, tensor<128xi32, #l>
    %x = tt.load %q {nrd.access = array<i32: 0, 4>} : tensor<128x!tt.ptr<f32>, #l>
    %y = tt.load %q, %m, %zero evictionPolicy = evict_last {nrd.access = array<i32: 0, 16>} : tensor<128x!tt.ptr<f32>, #l>
    %z = arith.addf %x, %y : tensor<128xf32, #l>
    tt.store %q, %z, %m cacheModifier = cg {nrd.access = array<i32: 0, 4>} : tensor<128x!tt.ptr<f32>, #l>
    tt.return
  }
}

// -----

// Of threads that hold copies of an element, one writes; a scalar is written
// and changed by the first thread, after what the others wrote, and its old
// value reaches all.
#c = #tgpu.layout<register = [], lane = [[1], [2], [4], [8], [0]],
                  warp = [], block = [], shape = [16]>
// CHECK-LABEL: llvm.func ptx_kernelcc @copies
// CHECK: %[[T:.*]] = llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.tid.x"
// CHECK: %[[BIT:.*]] = arith.andi %[[T]], %c16_i32
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[BIT]], %c0_i32
// CHECK: "@$2 st.global.b32 [$1], $0;", "r,l,b,~{memory}" %{{.*}}, %{{.*}}, %[[FIRST]]
// CHECK: "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: %[[ONE:.*]] = arith.cmpi eq, %[[T]], %c0_i32
// CHECK: "@$3 atom.acq_rel.gpu.global.add.u32 $0, [$1], $2;"
// CHECK-SAME: %[[ONE]]
// CHECK: scf.if %[[ONE]]
// CHECK: llvm.store %{{.*}} : i32, !llvm.ptr<3>
// CHECK: "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: llvm.load %{{.*}} : !llvm.ptr<3> -> i32
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @copies(%p: !tt.ptr<i32>, %n: i32) {
    %r = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32, #c>
    %ps = tt.splat %p : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>, #c>
    %q = tt.addptr %ps, %r : tensor<16x!tt.ptr<i32>, #c>, tensor<16xi32, #c>
    tt.store %q, %r : tensor<16x!tt.ptr<i32>, #c>
    %old = tt.atomic_rmw add, acq_rel, gpu, %p, %n {nrd.shared_offset = 0 : i64} : (!tt.ptr<i32>, i32) -> i32
    %s = tt.splat %old : i32 -> tensor<16xi32, #c>
    tt.store %q, %s : tensor<16x!tt.ptr<i32>, #c>
    tt.return
  }
}

// -----

// Registers share one address; what tells them apart is in the instruction,
// through sums, widenings and products by constants.
#r = #tgpu.layout<register = [[32]], lane = [[1], [2], [4], [8], [16]],
                  warp = [], block = [], shape = [64]>
// CHECK-LABEL: llvm.func ptx_kernelcc @offsets
// CHECK: %[[ADDRESS:.*]] = llvm.getelementptr %arg0[%{{.*}}] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
// CHECK-NOT: llvm.getelementptr %arg0
// CHECK: llvm.getelementptr %[[ADDRESS]][512] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
// CHECK: "@$2 ld.global.b32 $0, [$1];", {{.*}} %[[ADDRESS]], %{{.*}}
// CHECK: "@$2 ld.global.b32 $0, [$1 + 512];", {{.*}} %[[ADDRESS]], %{{.*}}
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @offsets(%p: !tt.ptr<f32>, %n: i32) {
    %four = arith.constant dense<4> : tensor<64xi64, #r>
    %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32, #r>
    %s = tt.splat %n : i32 -> tensor<64xi32, #r>
    %i = arith.addi %r, %s : tensor<64xi32, #r>
    %m = arith.cmpi slt, %i, %s : tensor<64xi32, #r>
    %w = arith.extsi %i : tensor<64xi32, #r> to tensor<64xi64, #r>
    %t = arith.muli %w, %four : tensor<64xi64, #r>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>, #r>
    %q = tt.addptr %ps, %t : tensor<64x!tt.ptr<f32>, #r>, tensor<64xi64, #r>
    %x = tt.load %q, %m : tensor<64x!tt.ptr<f32>, #r>
    tt.store %q, %x : tensor<64x!tt.ptr<f32>, #r>
    tt.return
  }
}

// -----

// A sum of eight bits may wrap around: it is computed as it stands.
#r = #tgpu.layout<register = [[32]], lane = [[1], [2], [4], [8], [16]],
                  warp = [], block = [], shape = [64]>
// CHECK-LABEL: llvm.func ptx_kernelcc @narrow
// CHECK: %[[SUM:.*]] = arith.addi %{{.*}}, %c100_i8 : i8
// CHECK: %[[SECOND:.*]] = arith.addi %{{.*}}, %c100_i8 : i8
// CHECK: %[[WIDE:.*]] = arith.extsi %[[SUM]] : i8 to i32
// CHECK: %[[WIDE2:.*]] = arith.extsi %[[SECOND]] : i8 to i32
// CHECK: %[[ADDRESS:.*]] = llvm.getelementptr %arg0[%[[WIDE]]]
// CHECK: %[[ADDRESS2:.*]] = llvm.getelementptr %arg0[%[[WIDE2]]]
// CHECK: llvm.load %[[ADDRESS]]
// CHECK: llvm.load %[[ADDRESS2]]
module attributes {nrd.target = "sm_90a", nrd.num_warps = 1 : i32} {
  tt.func public @narrow(%p: !tt.ptr<f32>) {
    %c = arith.constant dense<100> : tensor<64xi8, #r>
    %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32, #r>
    %b = arith.trunci %r : tensor<64xi32, #r> to tensor<64xi8, #r>
    %s = arith.addi %b, %c : tensor<64xi8, #r>
    %w = arith.extsi %s : tensor<64xi8, #r> to tensor<64xi32, #r>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>, #r>
    %q = tt.addptr %ps, %w : tensor<64x!tt.ptr<f32>, #r>, tensor<64xi32, #r>
    %x = tt.load %q : tensor<64x!tt.ptr<f32>, #r>
    tt.store %q, %x : tensor<64x!tt.ptr<f32>, #r>
    tt.return
  }
}
