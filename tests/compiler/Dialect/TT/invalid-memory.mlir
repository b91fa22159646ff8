// What memory ops and their types refuse, and how they say it.
// RUN: nereid-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{a pointer points to a number, a pointer or a tensor, found 'tuple<>'}}
tt.func private @f(!tt.ptr<tuple<>>)

// -----

// expected-error @+1 {{address space -1 is negative; 1 is global memory}}
tt.func private @f(!tt.ptr<f32, -1>)

// -----

// expected-error @+1 {{expected a tensor type, found 'f32'}}
tt.func private @f(!tt.tensordesc<f32>)

// -----

// expected-error @+1 {{a descriptor's block has 1 to 5 dimensions, found 'tensor<1x1x1x1x1x1xf32>'}}
tt.func private @f(!tt.tensordesc<1x1x1x1x1x1xf32>)

// -----

// expected-error @+1 {{a descriptor's elements are numbers, found '!tt.ptr<f32>'}}
tt.func private @f(!tt.tensordesc<8x!tt.ptr<f32>>)

// -----

tt.func @f(%p: !tt.ptr<tensor<8xf32>>, %i: i32) {
  // expected-error @+1 {{'tt.addptr' op cannot move a block pointer ('!tt.ptr<tensor<8xf32>>'); tt.advance does}}
  %0 = tt.addptr %p, %i : !tt.ptr<tensor<8xf32>>, i32
  tt.return
}

// -----

tt.func @f(%p: tensor<8x!tt.ptr<f32>>, %i: tensor<4xi32>) {
  // expected-error @+1 {{'tt.addptr' op needs operands and results of one shape, found 'tensor<8x!tt.ptr<f32>>' and 'tensor<4xi32>'}}
  %0 = tt.addptr %p, %i : tensor<8x!tt.ptr<f32>>, tensor<4xi32>
  tt.return
}

// -----

tt.func @f(%p: i32) {
  // expected-error @+1 {{'tt.int_to_ptr' op operand #0 must be i64 or a tensor of i64, but got 'i32'}}
  %0 = tt.int_to_ptr %p : i32 -> !tt.ptr<f32>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>) {
  // expected-error @+1 {{'tt.ptr_to_int' op result #0 must be i64 or a tensor of i64, but got 'i32'}}
  %0 = tt.ptr_to_int %p : !tt.ptr<f32> -> i32
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.bitcast' op cannot turn 32 bits ('f32') into 16 ('i16')}}
  %0 = tt.bitcast %x : tensor<8xf32> -> tensor<8xi16>
  tt.return
}

// -----

tt.func @f(%x: i64) {
  // expected-error @+1 {{'tt.bitcast' op cannot turn 'i64' into '!tt.ptr<f32>'; use tt.int_to_ptr or tt.ptr_to_int}}
  %0 = tt.bitcast %x : i64 -> !tt.ptr<f32>
  tt.return
}

// -----

tt.func @f(%x: i64) {
  // expected-error @+1 {{expected a pointer or a tensor of pointers, found 'i64'}}
  %0 = tt.load %x : i64
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>) {
  // expected-error @+1 {{'tt.load' op has a boundaryCheck, which is for block pointers; the pointer is '!tt.ptr<f32>'}}
  %0 = tt.load %p {boundaryCheck = array<i32: 0>} : !tt.ptr<f32>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<tensor<8xf32>>) {
  // expected-error @+1 {{'tt.load' op checks dimension 1, but '!tt.ptr<tensor<8xf32>>' has 0 to 0}}
  %0 = tt.load %p {boundaryCheck = array<i32: 1>} : !tt.ptr<tensor<8xf32>>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<tensor<8xi32>>) {
  // expected-error @+1 {{'tt.load' op pads with NaN, which 'i32' has not}}
  %0 = tt.load %p {boundaryCheck = array<i32: 0>, padding = 2 : i32} : !tt.ptr<tensor<8xi32>>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>) {
  // expected-error @+1 {{'l2' is not a value of 'cache'}}
  %0 = tt.load %p cacheModifier = l2 : !tt.ptr<f32>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<tensor<8xf32>>) {
  // expected-error @+1 {{'tt.load' op attribute 'boundaryCheck' failed to satisfy constraint: i32 dense array attribute}}
  %0 = tt.load %p {boundaryCheck = array<i8: 0>} : !tt.ptr<tensor<8xf32>>
  tt.return
}

// -----

tt.func @f(%p: tensor<8x!tt.ptr<f32>>, %v: tensor<8xf32>, %m: tensor<4xi1>) {
  // expected-error @+1 {{'tt.store' op needs a mask of type 'tensor<8xi1>', found 'tensor<4xi1>'}}
  "tt.store"(%p, %v, %m) <{boundaryCheck = array<i32>, cache = 1 : i32, evict = 1 : i32}> : (tensor<8x!tt.ptr<f32>>, tensor<8xf32>, tensor<4xi1>) -> ()
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<tensor<8xf32>>, %v: tensor<8xf32>) {
  // expected-error @+1 {{'tt.store' op checks dimension 0 twice}}
  tt.store %p, %v {boundaryCheck = array<i32: 0, 0>} : !tt.ptr<tensor<8xf32>>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>, %v: f32) {
  // expected-error @+1 {{'tt.atomic_rmw' op add needs integers, found 'f32'}}
  %0 = tt.atomic_rmw add, acq_rel, gpu, %p, %v : (!tt.ptr<f32>, f32) -> f32
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>, %v: i32) {
  // expected-error @+1 {{'tt.atomic_rmw' op through '!tt.ptr<f32>' needs a value of type 'f32', found 'i32'}}
  %0 = tt.atomic_rmw add, acq_rel, gpu, %p, %v : (!tt.ptr<f32>, i32) -> i32
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<i8>, %v: i8) {
  // expected-error @+1 {{'tt.atomic_cas' op works on 16, 32 or 64 bits, found 'i8'}}
  %0 = tt.atomic_cas acq_rel, gpu, %p, %v, %v : (!tt.ptr<i8>, i8, i8) -> i8
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<i32>, %v: i32) {
  // expected-error @+1 {{'tt.atomic_poll' op orders memory by acquire or relaxed, found release}}
  %0 = tt.atomic_poll release, gpu, %p, %v : !tt.ptr<i32>, i32 -> i1
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>, %m: i64, %i: i32) {
  // expected-error @+1 {{'tt.make_tensor_ptr' op has 1 sizes, strides and offsets for the 2 dimensions of 'tensor<8x8xf32>'}}
  %0 = tt.make_tensor_ptr %p, [%m], [%m], [%i] {order = array<i32: 1, 0>} : <tensor<8x8xf32>>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>, %m: i64, %i: i32) {
  // expected-error @+1 {{'tt.make_tensor_ptr' op order [1] is not a permutation of 0 to 0}}
  %0 = tt.make_tensor_ptr %p, [%m], [%m], [%i] {order = array<i32: 1>} : <tensor<8xf32>>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<tensor<8xf32>>, %i: i32) {
  // expected-error @+1 {{'tt.advance' op has 2 offsets for the 1 dimensions of 'tensor<8xf32>'}}
  %0 = tt.advance %p, [%i, %i] : <tensor<8xf32>>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f32>, %n: i32, %s: i64) {
  // expected-error @+1 {{'tt.make_tensor_descriptor' op has 1 sizes and 2 strides for the 2 dimensions of '!tt.tensordesc<8x8xf32>'}}
  %0 = tt.make_tensor_descriptor %p, [%n], [%s, %s] : <f32>, <8x8xf32>
  tt.return
}

// -----

tt.func @f(%p: !tt.ptr<f16>, %n: i32, %s: i64) {
  // expected-error @+1 {{'tt.make_tensor_descriptor' op needs a base of type '!tt.ptr<f32>', found '!tt.ptr<f16>'}}
  %0 = tt.make_tensor_descriptor %p, [%n], [%s] : <f16>, <8xf32>
  tt.return
}

// -----

tt.func @f(%d: !tt.tensordesc<8x8xf32>, %i: i32) {
  // expected-error @+1 {{'tt.descriptor_load' op has 1 indices for the 2 dimensions of '!tt.tensordesc<8x8xf32>'}}
  %0 = tt.descriptor_load %d[%i] : !tt.tensordesc<8x8xf32> -> tensor<8x8xf32>
  tt.return
}

// -----

tt.func @f(%d: !tt.tensordesc<8x8xf32>, %i: i32, %x: tensor<8x4xf32>) {
  // expected-error @+1 {{'tt.descriptor_store' op moves a 'tensor<8x8xf32>' of '!tt.tensordesc<8x8xf32>', found 'tensor<8x4xf32>'}}
  tt.descriptor_store %d[%i, %i], %x : !tt.tensordesc<8x8xf32>, tensor<8x4xf32>
  tt.return
}

// -----

tt.func @f(%d: !tt.tensordesc<8xf32>, %i: i32, %x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.descriptor_reduce' op xor needs integers, found 'f32'}}
  tt.descriptor_reduce xor, %d[%i], %x : !tt.tensordesc<8xf32>, tensor<8xf32>
  tt.return
}

// -----

tt.func @f(%d: !tt.tensordesc<8x8xf32>, %i: i32, %x: tensor<16xi32>) {
  // expected-error @+1 {{'tt.descriptor_gather' op needs a descriptor of blocks 1xN, found '!tt.tensordesc<8x8xf32>'}}
  %0 = tt.descriptor_gather %d[%x, %i] : (!tt.tensordesc<8x8xf32>, tensor<16xi32>, i32) -> tensor<16x8xf32>
  tt.return
}

// -----

tt.func @f(%d: !tt.tensordesc<1x8xf32>, %i: i32, %x: tensor<16xi64>, %v: tensor<16x8xf32>) {
  // expected-error @+1 {{'tt.descriptor_scatter' op needs a 1-D tensor of i16 or i32 offsets, found 'tensor<16xi64>'}}
  tt.descriptor_scatter %d[%x, %i], %v : !tt.tensordesc<1x8xf32>, tensor<16xi64>, i32, tensor<16x8xf32>
  tt.return
}
