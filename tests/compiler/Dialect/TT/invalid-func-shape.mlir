// What functions, calls and shape ops refuse, and how they say it.
// RUN: nereid-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{'tt.func' op an argument has the type 'tensor<3xi32>': dimension 3 is not a power of two}}
tt.func private @f(%x: tensor<3xi32>) { tt.return }

// -----

tt.func private @f() -> i32 {
  // expected-error @+1 {{'tt.return' op gives 0 values, but @f returns 1}}
  tt.return
}

// -----

tt.func private @f(%x: f32) -> i32 {
  // expected-error @+1 {{'tt.return' op value 0 is 'f32', but @f returns 'i32'}}
  tt.return %x : f32
}

// -----

tt.func @f() {
  // expected-error @+1 {{'tt.call' op calls @g, which is not a tt.func of this module}}
  tt.call @g() : () -> ()
  tt.return
}

// -----

tt.func private @g(%x: i32) -> f32
tt.func @f(%x: i64) {
  // expected-error @+1 {{'tt.call' op operand 0 is 'i64', but @g takes 'i32'}}
  %0 = tt.call @g(%x) : (i64) -> f32
  tt.return
}

// -----

tt.func @f() {
  // expected-error @+1 {{expected string or keyword containing one of the following enum values for attribute 'axis' [x, y, z]}}
  %0 = tt.get_program_id w : i32
  tt.return
}

// -----

tt.func @f() {
  // expected-error @+1 {{'tt.get_num_programs' op result #0 must be 32-bit signless integer, but got 'i64'}}
  %0 = tt.get_num_programs x : i64
  tt.return
}

// -----

tt.func @f() {
  // expected-error @+1 {{'shared' is not a memory of a barrier}}
  ttg.barrier shared
  tt.return
}

// -----

tt.func @f() {
  // expected-error @+1 {{'tt.make_range' op end is 8, which is not after start 8}}
  %0 = tt.make_range {start = 8 : i32, end = 8 : i32} : tensor<8xi32>
  tt.return
}

// -----

tt.func @f() {
  // expected-error @+1 {{'tt.make_range' op gives 'tensor<8xi32>', but 0 to 16 is a tensor<16xi32>}}
  %0 = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<8xi32>
  tt.return
}

// -----

tt.func @f() {
  // expected-error @+1 {{'tt.make_range' op result 0 has the type 'tensor<12xi32>': dimension 12 is not a power of two}}
  %0 = tt.make_range {start = 0 : i32, end = 12 : i32} : tensor<12xi32>
  tt.return
}

// -----

tt.func @f(%x: f32) {
  // expected-error @+1 {{'tt.splat' op result 0 has the type 'tensor<2048x1024xf32>' of 2097152 elements; at most 1048576 are allowed}}
  %0 = tt.splat %x : f32 -> tensor<2048x1024xf32>
  tt.return
}

// -----

tt.func @f(%x: f32) {
  // expected-error @+1 {{'tt.splat' op makes 'tensor<8xf16>' of a 'f32'; the element type must be the operand's}}
  %0 = tt.splat %x : f32 -> tensor<8xf16>
  tt.return
}

// -----

tt.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'tt.unsplat' op needs a tensor of one element, found 'tensor<2xf32>'}}
  %0 = tt.unsplat %x : tensor<2xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.expand_dims' op axis is 2; for 'tensor<8xf32>' it is 0 to 1}}
  %0 = tt.expand_dims %x {axis = 2 : i32} : tensor<8xf32> -> tensor<8x1xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.expand_dims' op gives 'tensor<8x1xf32>', but axis 0 of 'tensor<8xf32>' makes 'tensor<1x8xf32>'}}
  %0 = tt.expand_dims %x {axis = 0 : i32} : tensor<8xf32> -> tensor<8x1xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'tt.broadcast' op dimension 0 is 2 and cannot become 4; only 1 can be repeated}}
  %0 = tt.broadcast %x : tensor<2x8xf32> -> tensor<4x8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.broadcast' op cannot change the rank: 'tensor<8xf32>' has 1 dimensions, 'tensor<4x8xf32>' has 2}}
  %0 = tt.broadcast %x : tensor<8xf32> -> tensor<4x8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.reshape' op cannot turn 8 elements ('tensor<8xf32>') into 16 ('tensor<4x4xf32>')}}
  %0 = tt.reshape %x : tensor<8xf32> -> tensor<4x4xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'tt.trans' op order [1, 1] is not a permutation of 0 to 1}}
  %0 = tt.trans %x {order = array<i32: 1, 1>} : tensor<4x8xf32> -> tensor<8x4xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'tt.trans' op gives 'tensor<4x8xf32>', but this order of 'tensor<4x8xf32>' makes 'tensor<8x4xf32>'}}
  %0 = tt.trans %x {order = array<i32: 1, 0>} : tensor<4x8xf32> -> tensor<4x8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'tt.cat' op of two 'tensor<4x8xf32>' must double dimension 0, found 'tensor<4x16xf32>'}}
  %0 = tt.cat %x, %x : tensor<4x8xf32> -> tensor<4x16xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'tt.join' op relates two 'tensor<8xf32>' to 'tensor<8x2xf32>', found 'tensor<2x8xf32>'}}
  %0 = tt.join %x, %x : tensor<8xf32> -> tensor<2x8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<8x4xf32>) {
  // expected-error @+1 {{'tt.split' op relates two 'tensor<8xf32>' to 'tensor<8x2xf32>', found 'tensor<8x4xf32>'}}
  %0, %1 = tt.split %x : tensor<8x4xf32> -> tensor<8xf32>
  tt.return
}

// -----

tt.func @f(%x: tensor<4x8xf32>, %i: tensor<8x8xi32>) {
  // expected-error @+1 {{'tt.gather' op dimension 0 is 4 in the source and 8 in the indices; only axis 1 may differ}}
  %0 = tt.gather %x[%i] {axis = 1 : i32} : (tensor<4x8xf32>, tensor<8x8xi32>) -> tensor<8x8xf32>
  tt.return
}
