// RUN: nereid-opt %s --split-input-file --nrd-emit-gpu --cse | FileCheck %s

#ld = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [16, 0]], lane = [[0, 8], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [], block = [], shape = [32, 16]>
!tile = !tgpu.tile<32x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0]]>
module attributes {nrd.target = "sm_80", nrd.num_warps = 1 : i32} {
  // A masked piece of 16 bytes reads nothing.
  // CHECK-LABEL: llvm.func {{.*}}@copies
  // CHECK-NOT:     nvvm.minctasm
  // CHECK:         %[[C:.*]] = arith.cmpi ne, %arg1
  // CHECK:         llvm.inline_asm has_side_effects {{.*}}"cp.async.cg.shared.global [$0], [$1], 16, !$2;", "r,l,b,~{memory}" %{{.*}}, %{{.*}}, %[[C]]
  // CHECK:         llvm.inline_asm has_side_effects {{.*}}"cp.async.cg.shared.global [$0], [$1], 16, !$2;"
  // CHECK-NOT:     cp.async.cg
  // CHECK:         llvm.call_intrinsic "llvm.nvvm.cp.async.commit.group"
  // CHECK:         cp.async.wait_group 2;
  // CHECK:         fence.proxy.async.shared::cta;
  tt.func public @copies(%p: !tt.ptr<f16>, %c: i1) {
    %t = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tile
    %ptrs = tt.splat %p : !tt.ptr<f16> -> tensor<32x16x!tt.ptr<f16>, #ld>
    %mask = tt.splat %c : i1 -> tensor<32x16xi1, #ld>
    tgpu.async_copy %ptrs, %t mask %mask : tensor<32x16xi1, #ld> {cache = 1 : i32, evict = 1 : i32, nrd.access = array<i32: 1, 8>} : tensor<32x16x!tt.ptr<f16>, #ld>, !tile
    tgpu.async_commit
    tgpu.async_wait 2
    tgpu.proxy_fence
    tt.return
  }
}

// -----

#rows = #tgpu.layout<register = [[16]], lane = [[0], [1], [2], [4], [8]], warp = [], block = [], shape = [32]>
#rows1 = #tgpu.layout<register = [[16, 0]], lane = [[0, 0], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [], block = [], shape = [32, 1]>
#ld = #tgpu.layout<register = [[0, 1], [0, 2], [0, 4], [16, 0]], lane = [[0, 8], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [], block = [], shape = [32, 16]>
!tile = !tgpu.tile<32x16xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 0], [2, 0], [4, 8], [8, 0], [16, 0]]>
module attributes {nrd.target = "sm_80", nrd.num_warps = 1 : i32} {
  // Rows that are a constant apart: one address, and a number for the rest of
  // the copies (16 rows of 64 elements).
  // CHECK-LABEL: llvm.func {{.*}}@apart
  // CHECK:         %[[Q:.*]] = llvm.getelementptr %[[P:.*]][2048]
  // CHECK:         llvm.call_intrinsic "llvm.nvvm.cp.async.cg.shared.global.16"(%{{.*}}, %[[P]])
  // CHECK:         llvm.call_intrinsic "llvm.nvvm.cp.async.cg.shared.global.16"(%{{.*}}, %[[Q]])
  tt.func public @apart(%p: !tt.ptr<f16>) {
    %t = tgpu.local_alloc {nrd.shared_offset = 0 : i32} : () -> !tile
    %ptrs = tt.splat %p : !tt.ptr<f16> -> tensor<32x16x!tt.ptr<f16>, #ld>
    %r = tt.make_range {start = 0 : i32, end = 32 : i32} : tensor<32xi32, #rows>
    %r1 = tt.expand_dims %r {axis = 1 : i32} : tensor<32xi32, #rows> -> tensor<32x1xi32, #rows1>
    %s = arith.constant dense<64> : tensor<32x1xi32, #rows1>
    %o = arith.muli %r1, %s : tensor<32x1xi32, #rows1>
    %ob = tt.broadcast %o : tensor<32x1xi32, #rows1> -> tensor<32x16xi32, #ld>
    %q = tt.addptr %ptrs, %ob : tensor<32x16x!tt.ptr<f16>, #ld>, tensor<32x16xi32, #ld>
    tgpu.async_copy %q, %t {cache = 1 : i32, evict = 1 : i32, nrd.access = array<i32: 1, 8>} : tensor<32x16x!tt.ptr<f16>, #ld>, !tile
    tt.return
  }
}
