// Functions, calls, program ids and shape ops print what they parse.
// RUN: nereid-opt %s | nereid-opt | FileCheck %s

// CHECK-LABEL: tt.func public @functions
// CHECK-SAME:    (%{{.*}}: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %{{.*}}: !tt.ptr<f16, 3>, %{{.*}}: i32)
// CHECK-SAME:    attributes {noinline = false}
tt.func public @functions(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %q: !tt.ptr<f16, 3>, %n: i32) attributes {noinline = false} {
  // CHECK: tt.get_program_id x : i32
  %x = tt.get_program_id x : i32
  // CHECK: tt.get_program_id z : i32
  %z = tt.get_program_id z : i32
  // CHECK: tt.get_num_programs y : i32
  %y = tt.get_num_programs y : i32
  // CHECK: tt.call @helper(%{{.*}}, %{{.*}}) : (i32, i32) -> (i32, i32)
  %0:2 = tt.call @helper(%x, %y) : (i32, i32) -> (i32, i32)
  // CHECK: ttg.barrier all
  ttg.barrier all
  // CHECK: ttg.barrier local|global_read
  ttg.barrier local|global_read
  // CHECK: tt.return{{$}}
  tt.return
}

// CHECK-LABEL: tt.func private @helper(%{{.*}}: i32, %{{.*}}: i32) -> (i32, i32)
tt.func private @helper(%a: i32, %b: i32) -> (i32, i32) {
  %c = arith.cmpi sgt, %a, %b : i32
  cf.cond_br %c, ^early, ^late
^early:
  // CHECK: tt.return %{{.*}}, %{{.*}} : i32, i32
  tt.return %a, %b : i32, i32
^late:
  tt.return %b, %a : i32, i32
}

// CHECK-LABEL: @shapes
tt.func @shapes(%s: f32, %x: tensor<16xf32>, %m: tensor<4x8xf32>, %one: tensor<1x1xi32>) {
  // CHECK: tt.make_range {end = 24 : i32, start = 8 : i32} : tensor<16xi32>
  %range = tt.make_range {end = 24 : i32, start = 8 : i32} : tensor<16xi32>
  // CHECK: tt.splat %{{.*}} : f32 -> tensor<2x4xf32>
  %splat = tt.splat %s : f32 -> tensor<2x4xf32>
  // CHECK: tt.unsplat %{{.*}} : tensor<1x1xi32>
  %unsplat = tt.unsplat %one : tensor<1x1xi32>
  // CHECK: tt.expand_dims %{{.*}} {axis = 1 : i32} : tensor<16xf32> -> tensor<16x1xf32>
  %e = tt.expand_dims %x {axis = 1 : i32} : tensor<16xf32> -> tensor<16x1xf32>
  // CHECK: tt.broadcast %{{.*}} : tensor<16x1xf32> -> tensor<16x4xf32>
  %b = tt.broadcast %e : tensor<16x1xf32> -> tensor<16x4xf32>
  // CHECK: tt.reshape %{{.*}} : tensor<4x8xf32> -> tensor<32xf32>
  %r = tt.reshape %m : tensor<4x8xf32> -> tensor<32xf32>
  // CHECK: tt.reshape %{{.*}} allow_reorder efficient_layout : tensor<4x8xf32> -> tensor<2x16xf32>
  %ra = tt.reshape %m allow_reorder efficient_layout : tensor<4x8xf32> -> tensor<2x16xf32>
  // CHECK: tt.trans %{{.*}} {order = array<i32: 1, 0>} : tensor<4x8xf32> -> tensor<8x4xf32>
  %t = tt.trans %m {order = array<i32: 1, 0>} : tensor<4x8xf32> -> tensor<8x4xf32>
  // CHECK: tt.cat %{{.*}}, %{{.*}} : tensor<16xf32> -> tensor<32xf32>
  %c = tt.cat %x, %x : tensor<16xf32> -> tensor<32xf32>
  // CHECK: tt.join %{{.*}}, %{{.*}} : tensor<16xf32> -> tensor<16x2xf32>
  %j = tt.join %x, %x : tensor<16xf32> -> tensor<16x2xf32>
  // CHECK: tt.split %{{.*}} : tensor<16x2xf32> -> tensor<16xf32>
  %l, %h = tt.split %j : tensor<16x2xf32> -> tensor<16xf32>
  // CHECK: tt.gather %{{.*}}[%{{.*}}] {axis = 0 : i32} : (tensor<16xf32>, tensor<16xi32>) -> tensor<16xf32>
  %g = tt.gather %x[%range] {axis = 0 : i32} : (tensor<16xf32>, tensor<16xi32>) -> tensor<16xf32>
  // CHECK: tt.gather %{{.*}}[%{{.*}}] {axis = 0 : i32, efficient_layout}
  %ge = tt.gather %x[%range] {axis = 0 : i32, efficient_layout} : (tensor<16xf32>, tensor<16xi32>) -> tensor<16xf32>
  tt.return
}
