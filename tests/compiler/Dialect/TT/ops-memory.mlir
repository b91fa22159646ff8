// Pointer, load, store, atomic and descriptor ops print what they parse.
// RUN: nereid-opt %s | nereid-opt | FileCheck %s

// CHECK-LABEL: @pointers
tt.func @pointers(%p: !tt.ptr<f32>, %t: tensor<8x!tt.ptr<f32>>, %i: i32, %o: tensor<8xi64>) {
  // CHECK: tt.addptr %{{.*}}, %{{.*}} : !tt.ptr<f32>, i32
  %a = tt.addptr %p, %i : !tt.ptr<f32>, i32
  // CHECK: tt.addptr %{{.*}}, %{{.*}} : tensor<8x!tt.ptr<f32>>, tensor<8xi64>
  %b = tt.addptr %t, %o : tensor<8x!tt.ptr<f32>>, tensor<8xi64>
  // CHECK: tt.ptr_to_int %{{.*}} : !tt.ptr<f32> -> i64
  %n = tt.ptr_to_int %p : !tt.ptr<f32> -> i64
  // CHECK: tt.int_to_ptr %{{.*}} : i64 -> !tt.ptr<f16>
  %q = tt.int_to_ptr %n : i64 -> !tt.ptr<f16>
  // CHECK: tt.bitcast %{{.*}} : tensor<8x!tt.ptr<f32>> -> tensor<8x!tt.ptr<i32>>
  %c = tt.bitcast %t : tensor<8x!tt.ptr<f32>> -> tensor<8x!tt.ptr<i32>>
  tt.return
}

// CHECK-LABEL: @access
tt.func @access(%p: !tt.ptr<f32>, %t: tensor<8x!tt.ptr<f32>>, %m: tensor<8xi1>, %v: tensor<8xf32>, %s: f32) {
  // CHECK: tt.load %{{.*}} : !tt.ptr<f32>
  %0 = tt.load %p : !tt.ptr<f32>
  // CHECK: tt.load %{{.*}}, %{{.*}} : tensor<8x!tt.ptr<f32>>
  %1 = tt.load %t, %m : tensor<8x!tt.ptr<f32>>
  // CHECK: tt.load %{{.*}}, %{{.*}}, %{{.*}} cacheModifier = cg evictionPolicy = evict_first {isVolatile = true} : tensor<8x!tt.ptr<f32>>
  %2 = tt.load %t, %m, %v evictionPolicy = evict_first cacheModifier = cg {isVolatile = true} : tensor<8x!tt.ptr<f32>>
  // CHECK: tt.store %{{.*}}, %{{.*}} : !tt.ptr<f32>
  tt.store %p, %s : !tt.ptr<f32>
  // CHECK: tt.store %{{.*}}, %{{.*}}, %{{.*}} cacheModifier = wt evictionPolicy = evict_last : tensor<8x!tt.ptr<f32>>
  tt.store %t, %v, %m cacheModifier = wt evictionPolicy = evict_last : tensor<8x!tt.ptr<f32>>
  tt.return
}

// Attributes of other dialects stay on loads and stores.
// CHECK-LABEL: @hints
tt.func @hints(%p: !tt.ptr<f32>) {
  // CHECK: tt.load %{{.*}} {tt.divisibility = 4 : i32} : !tt.ptr<f32>
  %0 = tt.load %p {tt.divisibility = 4 : i32} : !tt.ptr<f32>
  // CHECK: tt.store %{{.*}}, %{{.*}} {ttg.partition = 1 : i32} : !tt.ptr<f32>
  tt.store %p, %0 {ttg.partition = 1 : i32} : !tt.ptr<f32>
  tt.return
}

// CHECK-LABEL: @atomics
tt.func @atomics(%p: !tt.ptr<i32>, %t: tensor<8x!tt.ptr<f32>>, %m: tensor<8xi1>, %v: tensor<8xf32>, %i: i32, %ns: i64) {
  // CHECK: tt.atomic_rmw fadd, acq_rel, gpu, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<8x!tt.ptr<f32>>, tensor<8xf32>, tensor<8xi1>) -> tensor<8xf32>
  %0 = tt.atomic_rmw fadd, acq_rel, gpu, %t, %v, %m : (tensor<8x!tt.ptr<f32>>, tensor<8xf32>, tensor<8xi1>) -> tensor<8xf32>
  // CHECK: tt.atomic_rmw umax, relaxed, sys, %{{.*}}, %{{.*}} : (!tt.ptr<i32>, i32) -> i32
  %1 = tt.atomic_rmw umax, relaxed, sys, %p, %i : (!tt.ptr<i32>, i32) -> i32
  // CHECK: tt.atomic_cas release, cta, %{{.*}}, %{{.*}}, %{{.*}} : (!tt.ptr<i32>, i32, i32) -> i32
  %2 = tt.atomic_cas release, cta, %p, %i, %1 : (!tt.ptr<i32>, i32, i32) -> i32
  // CHECK: tt.atomic_poll acquire, gpu, %{{.*}}, %{{.*}} : !tt.ptr<i32>, i32 -> i1
  %3 = tt.atomic_poll acquire, gpu, %p, %i : !tt.ptr<i32>, i32 -> i1
  // CHECK: tt.atomic_poll relaxed, sys, %{{.*}}, %{{.*}} timeout %{{.*}} : !tt.ptr<i32>, i32 -> i1
  %4 = tt.atomic_poll relaxed, sys, %p, %i timeout %ns : !tt.ptr<i32>, i32 -> i1
  tt.return
}

// CHECK-LABEL: @block_pointers
tt.func @block_pointers(%p: !tt.ptr<f16>, %m: i64, %n: i64, %i: i32) {
  // CHECK: tt.make_tensor_ptr %{{.*}}, [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  %b = tt.make_tensor_ptr %p, [%m, %n], [%n, %m], [%i, %i] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  // CHECK: tt.load %{{.*}} {boundaryCheck = array<i32: 0, 1>, padding = 1 : i32} : !tt.ptr<tensor<16x32xf16>>
  %x = tt.load %b {boundaryCheck = array<i32: 0, 1>, padding = 1 : i32} : !tt.ptr<tensor<16x32xf16>>
  // CHECK: tt.advance %{{.*}}, [%{{.*}}, %{{.*}}] : <tensor<16x32xf16>>
  %c = tt.advance %b, [%i, %i] : <tensor<16x32xf16>>
  // CHECK: tt.store %{{.*}}, %{{.*}} {boundaryCheck = array<i32: 1>} : !tt.ptr<tensor<16x32xf16>>
  tt.store %c, %x {boundaryCheck = array<i32: 1>} : !tt.ptr<tensor<16x32xf16>>
  tt.return
}

// CHECK-LABEL: @descriptors
// CHECK-SAME:    !tt.tensordesc<16x32xui8>
tt.func @descriptors(%u: !tt.tensordesc<16x32xui8>, %p: !tt.ptr<f16>, %m: i32, %s: i64, %x: tensor<8xi32>) {
  // CHECK: tt.make_tensor_descriptor %{{.*}}, [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}] : <f16>, <16x32xf16>
  %d = tt.make_tensor_descriptor %p, [%m, %m], [%s, %s] : <f16>, <16x32xf16>
  // CHECK: tt.make_tensor_descriptor %{{.*}} {padding = 2 : i32} : <f16>, <1x32xf16>
  %r = tt.make_tensor_descriptor %p, [%m, %m], [%s, %s] {padding = 2 : i32} : <f16>, <1x32xf16>
  // CHECK: tt.descriptor_load %{{.*}}[%{{.*}}, %{{.*}}] : !tt.tensordesc<16x32xf16> -> tensor<16x32xf16>
  %0 = tt.descriptor_load %d[%m, %m] : !tt.tensordesc<16x32xf16> -> tensor<16x32xf16>
  // CHECK: tt.descriptor_load %{{.*}}[%{{.*}}, %{{.*}}] cacheModifier = ca evictionPolicy = evict_last : !tt.tensordesc<16x32xui8> -> tensor<16x32xi8>
  %1 = tt.descriptor_load %u[%m, %m] cacheModifier = ca evictionPolicy = evict_last : !tt.tensordesc<16x32xui8> -> tensor<16x32xi8>
  // CHECK: tt.descriptor_store %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} : !tt.tensordesc<16x32xf16>, tensor<16x32xf16>
  tt.descriptor_store %d[%m, %m], %0 : !tt.tensordesc<16x32xf16>, tensor<16x32xf16>
  // CHECK: tt.descriptor_reduce add, %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} : !tt.tensordesc<16x32xf16>, tensor<16x32xf16>
  tt.descriptor_reduce add, %d[%m, %m], %0 : !tt.tensordesc<16x32xf16>, tensor<16x32xf16>
  // CHECK: tt.descriptor_gather %{{.*}}[%{{.*}}, %{{.*}}] : (!tt.tensordesc<1x32xf16>, tensor<8xi32>, i32) -> tensor<8x32xf16>
  %2 = tt.descriptor_gather %r[%x, %m] : (!tt.tensordesc<1x32xf16>, tensor<8xi32>, i32) -> tensor<8x32xf16>
  // CHECK: tt.descriptor_scatter %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} : !tt.tensordesc<1x32xf16>, tensor<8xi32>, i32, tensor<8x32xf16>
  tt.descriptor_scatter %r[%x, %m], %2 : !tt.tensordesc<1x32xf16>, tensor<8xi32>, i32, tensor<8x32xf16>
  tt.return
}
