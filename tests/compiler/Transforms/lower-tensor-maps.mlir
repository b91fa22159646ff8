// RUN: nereid-opt %s --split-input-file --nrd-lower-tensor-maps=target=sm_90a | FileCheck %s
// RUN: nereid-opt %s --split-input-file --nrd-lower-tensor-maps=target=sm_80 | FileCheck %s --check-prefix=NONE
// RUN: nereid-opt %s --split-input-file --nrd-lower-tensor-maps=target=sm_90a --nrd-lower-descriptors | FileCheck %s --check-prefix=REST

// A descriptor of arguments is a hidden argument: shape (slots 1 and 2) and
// strides (slot 2 and 1) as programs, the box of one swizzled panel. Nothing
// else is accessed, so the divisibility of integers is of no use.
// CHECK-LABEL: tt.func public @host
// CHECK-SAME: tt.divisibility = 16 : i32}, %{{[^:]+}}: i32, %{{[^:]+}}: i32, %[[MAP:[^:]+]]: !tgpu.tensor_map {nrd.field = "tensor_map", nrd.index = 0 : i32,
// CHECK-SAME: nrd.recipe = {box = array<i32: 64, 128>, element = 6 : i32, fill = 0 : i32, shape = [array<i64: 1, 1>, array<i64: 1, 2>], strides = [array<i64: 1, 2>, array<i64: 0, 1>], swizzle = 128 : i32}
// CHECK-SAME: nrd.slot = 0 : i32}
// CHECK: tgpu.map_load %[[MAP]][%{{.*}}, %{{.*}}] : tensor<128x64xf16>
// CHECK: tgpu.map_store %[[MAP]][%{{.*}}, %{{.*}}], %{{.*}} : tensor<128x64xf16>
// CHECK: tgpu.map_store %[[MAP]][%{{.*}}, %{{.*}}], %{{.*}} {reduce = "add"} : tensor<128x64xf16>
// NONE-LABEL: tt.func public @host
// NONE: tt.descriptor_load
// REST-LABEL: tt.func public @host
// REST-SAME: !tgpu.tensor_map {nrd.field = "tensor_map"
// REST-NOT: tt.make_tensor_descriptor
tt.func public @host(%p: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %m: i32, %k: i32 {tt.divisibility = 16 : i32}) {
  %one = arith.constant 1 : i64
  %c64 = arith.constant 64 : i32
  %at = arith.muli %m, %c64 : i32
  %s = arith.extsi %k : i32 to i64
  %d = tt.make_tensor_descriptor %p, [%m, %k], [%s, %one] : <f16>, <128x64xf16>
  %x = tt.descriptor_load %d[%m, %at] : !tt.tensordesc<128x64xf16> -> tensor<128x64xf16>
  tt.descriptor_store %d[%k, %at], %x : !tt.tensordesc<128x64xf16>, tensor<128x64xf16>
  tt.descriptor_reduce add, %d[%k, %at], %x : !tt.tensordesc<128x64xf16>, tensor<128x64xf16>
  tt.return
}

// -----

// A descriptor argument has its own shape and strides. What the engine cannot
// do goes by pointers, beside the map.
// CHECK-LABEL: tt.func public @argument
// CHECK-SAME: i32 {tt.divisibility = 16 : i32}, %{{[^:]+}}: tensor
// CHECK-SAME: nrd.recipe = {box = array<i32: 32, 8, 1>, element = 7 : i32, fill = 0 : i32, swizzle = 128 : i32}
// CHECK: tgpu.map_load
// CHECK: tt.descriptor_gather
// REST-LABEL: tt.func public @argument
// REST: tgpu.map_load
// REST: tt.load
tt.func public @argument(%d: !tt.tensordesc<1x8x32xf32> {tt.divisibility = 16 : i32}, %g: !tt.tensordesc<1x32xf32> {tt.divisibility = 16 : i32}, %i: i32 {tt.divisibility = 16 : i32}, %rows: tensor<8xi32>) {
  %x = tt.descriptor_load %d[%i, %i, %i] : !tt.tensordesc<1x8x32xf32> -> tensor<8x32xf32>
  %y = tt.descriptor_gather %g[%rows, %i] : (!tt.tensordesc<1x32xf32>, tensor<8xi32>, i32) -> tensor<8x32xf32>
  tt.return
}

// -----

// Nothing known of the pointer: no map. Rows of 8 bytes: no map.
// CHECK-LABEL: tt.func public @plain
// CHECK-NOT: tgpu
tt.func public @plain(%p: !tt.ptr<f16>, %q: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %m: i32) {
  %one = arith.constant 1 : i64
  %s = arith.constant 64 : i64
  %d = tt.make_tensor_descriptor %p, [%m, %m], [%s, %one] : <f16>, <128x64xf16>
  %x = tt.descriptor_load %d[%m, %m] : !tt.tensordesc<128x64xf16> -> tensor<128x64xf16>
  %e = tt.make_tensor_descriptor %q, [%m, %m], [%s, %one] : <f16>, <128x4xf16>
  %c0 = arith.constant 0 : i32
  %y = tt.descriptor_load %e[%m, %c0] : !tt.tensordesc<128x4xf16> -> tensor<128x4xf16>
  tt.return
}

// -----

// A base from memory: each program makes the map itself.
// CHECK-LABEL: tt.func public @device
// CHECK-NOT: nrd.recipe
// CHECK: %[[P:.+]] = tt.int_to_ptr
// CHECK: %[[MAP:.+]] = tgpu.tensor_map_create %[[P]] shape %{{.*}}, %{{.*}} strides %{{.*}}, %{{.*}} {box = array<i32: 8, 64>, elementType = f16, nanFill = true, swizzle = 128 : i32} : !tt.ptr<f16>
// CHECK: tgpu.map_load %[[MAP]]
tt.func public @device(%t: !tt.ptr<i64> {tt.divisibility = 16 : i32}, %m: i32) {
  %one = arith.constant 1 : i64
  %s = arith.constant 64 : i64
  %a = tt.load %t : !tt.ptr<i64>
  %p = tt.int_to_ptr %a : i64 -> !tt.ptr<f16>
  %d = tt.make_tensor_descriptor %p, [%m, %m], [%s, %one] {padding = 2 : i32} : <f16>, <8x64xf16>
  %c0 = arith.constant 0 : i32
  %x = tt.descriptor_load %d[%m, %c0] : !tt.tensordesc<8x64xf16> -> tensor<8x64xf16>
  tt.return
}

// -----

// The place along the fastest dimension must be a multiple of 16 bytes: through
// a loop it is one, of any integer it is not; with a hint it is, and then the
// hint is kept.
// CHECK-LABEL: tt.func public @places
// CHECK-SAME: %[[N:[^:]+]]: i32 {tt.divisibility = 16 : i32}
// CHECK: scf.for
// CHECK: tgpu.map_load
// CHECK: tgpu.map_load
// CHECK: tt.descriptor_load
tt.func public @places(%p: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %n: i32 {tt.divisibility = 16 : i32}, %m: i32) {
  %one = arith.constant 1 : i64
  %s = arith.constant 64 : i64
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c8 = arith.constant 8 : i32
  %d = tt.make_tensor_descriptor %p, [%m, %m], [%s, %one] : <f16>, <16x64xf16>
  %e = scf.for %i = %c0 to %m step %c1 iter_args(%at = %c8) -> (i32) : i32 {
    %x = tt.descriptor_load %d[%i, %at] : !tt.tensordesc<16x64xf16> -> tensor<16x64xf16>
    %y = tt.descriptor_load %d[%i, %n] : !tt.tensordesc<16x64xf16> -> tensor<16x64xf16>
    %z = tt.descriptor_load %d[%i, %i] : !tt.tensordesc<16x64xf16> -> tensor<16x64xf16>
    %next = arith.addi %at, %c8 : i32
    scf.yield %next : i32
  }
  tt.return
}
