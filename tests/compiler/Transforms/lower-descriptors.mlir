// RUN: nereid-opt %s -nrd-lower-descriptors -canonicalize -cse | FileCheck %s

// A kernel's descriptor argument becomes base, shape and strides, in place.
// CHECK-LABEL: tt.func public @arguments(
// CHECK-SAME: %[[N:.*]]: i32 {nrd.field = "value", nrd.slot = 0 : i32, tt.divisibility = 16 : i32},
// CHECK-SAME: %[[P:.*]]: !tt.ptr<f16> {nrd.field = "value", nrd.slot = 1 : i32},
// CHECK-SAME: %[[D0:.*]]: i32 {nrd.field = "shape", nrd.index = 0 : i32, nrd.slot = 1 : i32},
// CHECK-SAME: %[[D1:.*]]: i32 {nrd.field = "shape", nrd.index = 1 : i32, nrd.slot = 1 : i32},
// CHECK-SAME: %[[S0:.*]]: i64 {nrd.field = "stride", nrd.index = 0 : i32, nrd.slot = 1 : i32},
// CHECK-SAME: %[[S1:.*]]: i64 {nrd.field = "stride", nrd.index = 1 : i32, nrd.slot = 1 : i32},
// CHECK-SAME: %[[Q:.*]]: !tt.ptr<f16> {nrd.field = "value", nrd.slot = 7 : i32})
tt.func public @arguments(%n: i32 {tt.divisibility = 16 : i32}, %d: !tt.tensordesc<16x32xf16>, %q: !tt.ptr<f16> {nrd.slot = 7 : i32}) {
  // The last stride is one.
  // CHECK-NOT: %[[S1]]
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<16x32xf16>
  // CHECK-DAG: %[[M:.*]] = arith.extsi %[[D0]] : i32 to i64
  // CHECK-DAG: %[[N1:.*]] = arith.extsi %[[D1]] : i32 to i64
  // CHECK-DAG: %[[I:.*]] = arith.extsi %[[N]] : i32 to i64
  // CHECK-DAG: %[[ROW:.*]] = arith.muli %[[I]], %[[S0]] : i64
  // CHECK-DAG: tt.addptr %[[P]], %[[ROW]] : !tt.ptr<f16>, i64
  // CHECK-DAG: tt.splat %[[M]] : i64 -> tensor<16x1xi64>
  // CHECK-DAG: tt.splat %[[N1]] : i64 -> tensor<1x32xi64>
  // CHECK: %[[X:.*]] = tt.load %[[PTRS:.*]], %[[MASK:.*]], %[[ZERO]] : tensor<16x32x!tt.ptr<f16>>
  // CHECK: tt.store %[[PTRS]], %[[X]], %[[MASK]] : tensor<16x32x!tt.ptr<f16>>
  %x = tt.descriptor_load %d[%n, %n] : !tt.tensordesc<16x32xf16> -> tensor<16x32xf16>
  tt.descriptor_store %d[%n, %n], %x : !tt.tensordesc<16x32xf16>, tensor<16x32xf16>
  tt.return
}

// CHECK-LABEL: @padding
tt.func public @padding(%p: !tt.ptr<f32>, %n: i32, %s: i64) -> tensor<8xf32> {
  // CHECK: %[[NAN:.*]] = arith.constant dense<0x7FC00000> : tensor<8xf32>
  // CHECK: tt.load %{{.*}}, %{{.*}}, %[[NAN]] cacheModifier = cg :
  %d = tt.make_tensor_descriptor %p, [%n], [%s] {padding = 2 : i32} : <f32>, <8xf32>
  %x = tt.descriptor_load %d[%n] cacheModifier = cg : !tt.tensordesc<8xf32> -> tensor<8xf32>
  tt.return %x : tensor<8xf32>
}

// The sign in the descriptor's type selects the atomic.
// CHECK-LABEL: @reduce
tt.func public @reduce(%p: !tt.ptr<i32>, %f: !tt.ptr<f32>, %n: i32, %s: i64, %x: tensor<8xi32>, %y: tensor<8xf32>) {
  %u = tt.make_tensor_descriptor %p, [%n], [%s] : <i32>, <8xui32>
  %i = tt.make_tensor_descriptor %p, [%n], [%s] : <i32>, <8xsi32>
  %g = tt.make_tensor_descriptor %f, [%n], [%s] : <f32>, <8xf32>
  // CHECK: tt.atomic_rmw umax, relaxed, gpu, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<8x!tt.ptr<i32>>, tensor<8xi32>, tensor<8xi1>) -> tensor<8xi32>
  tt.descriptor_reduce max, %u[%n], %x : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.atomic_rmw min,
  tt.descriptor_reduce min, %i[%n], %x : !tt.tensordesc<8xsi32>, tensor<8xi32>
  // CHECK: tt.atomic_rmw add,
  tt.descriptor_reduce add, %i[%n], %x : !tt.tensordesc<8xsi32>, tensor<8xi32>
  // CHECK: tt.atomic_rmw xor,
  tt.descriptor_reduce xor, %u[%n], %x : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.atomic_rmw fadd,
  tt.descriptor_reduce add, %g[%n], %y : !tt.tensordesc<8xf32>, tensor<8xf32>
  tt.return
}

// CHECK-LABEL: @rows
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f16> {{.*}}, %[[N:.*]]: i32 {{.*}}, %[[S:.*]]: i64 {{.*}}, %[[X:.*]]: tensor<8xi32>
tt.func public @rows(%p: !tt.ptr<f16>, %n: i32, %s: i64, %x: tensor<8xi32>) {
  %one = arith.constant 1 : i64
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<8x32xf16>
  // CHECK-DAG: %[[N64:.*]] = arith.extsi %[[N]] : i32 to i64
  // CHECK-DAG: tt.addptr %[[P]], %[[N64]] : !tt.ptr<f16>, i64
  // CHECK-DAG: %[[X64:.*]] = arith.extsi %[[X]] : tensor<8xi32> to tensor<8xi64>
  // CHECK-DAG: %[[ROW:.*]] = tt.expand_dims %[[X64]] {axis = 1 : i32} : tensor<8xi64> -> tensor<8x1xi64>
  // CHECK-DAG: %[[SS:.*]] = tt.splat %[[S]] : i64 -> tensor<8x1xi64>
  // CHECK-DAG: arith.muli %[[ROW]], %[[SS]]
  // CHECK-DAG: %[[SIZE:.*]] = tt.splat %[[N64]] : i64 -> tensor<8x1xi64>
  // CHECK-DAG: arith.cmpi slt, %[[ROW]], %[[SIZE]]
  // CHECK: %[[V:.*]] = tt.load %[[PTRS:.*]], %[[MASK:.*]], %[[ZERO]] : tensor<8x32x!tt.ptr<f16>>
  // CHECK: tt.store %[[PTRS]], %[[V]], %[[MASK]]
  %d = tt.make_tensor_descriptor %p, [%n, %n], [%s, %one] : <f16>, <1x32xf16>
  %v = tt.descriptor_gather %d[%x, %n] : (!tt.tensordesc<1x32xf16>, tensor<8xi32>, i32) -> tensor<8x32xf16>
  tt.descriptor_scatter %d[%x, %n], %v : !tt.tensordesc<1x32xf16>, tensor<8xi32>, i32, tensor<8x32xf16>
  tt.return
}

// Descriptors through loops, and a block without its dimension of size one.
// CHECK-LABEL: @loop
// CHECK-NOT: tensordesc
tt.func public @loop(%p: !tt.ptr<f16>, %n: i32, %s: i64, %a: !tt.tensordesc<1x32xf16>) -> tensor<32xf16> {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %d = tt.make_tensor_descriptor %p, [%n, %n], [%s, %s] : <f16>, <1x32xf16>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%e = %d) -> (!tt.tensordesc<1x32xf16>) : i32 {
    scf.yield %a : !tt.tensordesc<1x32xf16>
  }
  // CHECK: tt.load {{.*}} : tensor<1x32x!tt.ptr<f16>>
  // CHECK: tt.reshape %{{.*}} : tensor<1x32xf16> -> tensor<32xf16>
  %x = tt.descriptor_load %r[%n, %n] : !tt.tensordesc<1x32xf16> -> tensor<32xf16>
  tt.return %x : tensor<32xf16>
}
