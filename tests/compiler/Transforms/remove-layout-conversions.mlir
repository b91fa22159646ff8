// RUN: nereid-opt %s "-nrd-assign-layouts=target=sm_90a num-warps=4" -nrd-remove-layout-conversions -nrd-verify-layouts -canonicalize -cse | FileCheck %s

// Halves are read 8 bytes at a time where the floats they become are written 16
// bytes at a time: cheaper than moving anything.
// CHECK-LABEL: @widths
// CHECK-NOT: convert_layout
// CHECK: tt.return
tt.func @widths(%p: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %q: !tt.ptr<f32> {tt.divisibility = 16 : i32}) {
  %range = tt.make_range {start = 0 : i32, end = 4096 : i32} : tensor<4096xi32>
  %ps = tt.splat %p : !tt.ptr<f16> -> tensor<4096x!tt.ptr<f16>>
  %pp = tt.addptr %ps, %range : tensor<4096x!tt.ptr<f16>>, tensor<4096xi32>
  %x = tt.load %pp : tensor<4096x!tt.ptr<f16>>
  %y = arith.extf %x : tensor<4096xf16> to tensor<4096xf32>
  %qs = tt.splat %q : !tt.ptr<f32> -> tensor<4096x!tt.ptr<f32>>
  %qp = tt.addptr %qs, %range : tensor<4096x!tt.ptr<f32>>, tensor<4096xi32>
  tt.store %qp, %y : tensor<4096x!tt.ptr<f32>>
  tt.return
}

// Each warp has whole rows, so that no sum crosses warps; the sums are stored
// from where they are.
// CHECK-LABEL: @row_sums
// CHECK-NOT: convert_layout
// CHECK: tt.load {{.*}} : tensor<16x512x!tt.ptr<f32>, #[[$WHOLE:.*]]>
// CHECK: "tt.reduce"
// CHECK-NOT: convert_layout
// CHECK: tt.return
tt.func @row_sums(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %q: !tt.ptr<f32> {tt.divisibility = 16 : i32}) {
  %rows = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
  %columns = tt.make_range {start = 0 : i32, end = 512 : i32} : tensor<512xi32>
  %c512 = arith.constant dense<512> : tensor<16x1xi32>
  %r1 = tt.expand_dims %rows {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %r2 = arith.muli %r1, %c512 : tensor<16x1xi32>
  %r3 = tt.broadcast %r2 : tensor<16x1xi32> -> tensor<16x512xi32>
  %c1 = tt.expand_dims %columns {axis = 0 : i32} : tensor<512xi32> -> tensor<1x512xi32>
  %c2 = tt.broadcast %c1 : tensor<1x512xi32> -> tensor<16x512xi32>
  %offsets = arith.addi %r3, %c2 : tensor<16x512xi32>
  %base = tt.splat %p : !tt.ptr<f32> -> tensor<16x512x!tt.ptr<f32>>
  %pointers = tt.addptr %base, %offsets : tensor<16x512x!tt.ptr<f32>>, tensor<16x512xi32>
  %x = tt.load %pointers : tensor<16x512x!tt.ptr<f32>>
  %sums = "tt.reduce"(%x) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tt.reduce.return %c : f32
  }) : (tensor<16x512xf32>) -> tensor<16xf32>
  %out = tt.splat %q : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %places = tt.addptr %out, %rows : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  tt.store %places, %sums : tensor<16x!tt.ptr<f32>>
  tt.return
}

// The way of attention: the first product's statistics live in its rows, the
// second takes the first's result where it is, and what changes nothing in the
// loop is written to shared memory before it.
// CHECK-LABEL: @chain
// CHECK: tgpu.local_alloc
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[ACC:.*]] = %{{.*}})
// CHECK-NOT: convert_layout
// CHECK-DAG: %[[K:.*]] = tt.load
// CHECK: %[[KT:.*]] = tgpu.local_alloc %[[K]]
// CHECK-NEXT: %[[KP:.*]] = tgpu.tile_permute %[[KT]] {order = array<i32: 1, 0>}
// CHECK-NEXT: tgpu.warpgroup_mma %{{.*}}, %[[KP]],
// CHECK-NEXT: tgpu.warpgroup_wait 0
// CHECK-NOT: convert_layout
// CHECK: %[[P:.*]] = arith.truncf
// CHECK-NOT: convert_layout
// CHECK: tgpu.warpgroup_mma %[[P]],
// CHECK-NOT: convert_layout
// CHECK: scf.yield
// The epilogue moves 16-bit values, once.
// CHECK: %[[H:.*]] = arith.truncf
// CHECK: %[[M:.*]] = tgpu.convert_layout %[[H]]
// CHECK-NOT: convert_layout
// CHECK: tt.store %{{.*}}, %[[M]]
tt.func @chain(%q: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %k: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %o: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4096 = arith.constant 4096 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %low = arith.constant dense<0xFF800000> : tensor<64xf32>
  %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %c64 = arith.constant dense<64> : tensor<64x1xi32>
  %r1 = tt.expand_dims %range {axis = 1 : i32} : tensor<64xi32> -> tensor<64x1xi32>
  %r2 = arith.muli %r1, %c64 : tensor<64x1xi32>
  %r3 = tt.broadcast %r2 : tensor<64x1xi32> -> tensor<64x64xi32>
  %d1 = tt.expand_dims %range {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %d2 = tt.broadcast %d1 : tensor<1x64xi32> -> tensor<64x64xi32>
  %offsets = arith.addi %r3, %d2 : tensor<64x64xi32>
  %qs = tt.splat %q : !tt.ptr<f16> -> tensor<64x64x!tt.ptr<f16>>
  %qp = tt.addptr %qs, %offsets : tensor<64x64x!tt.ptr<f16>>, tensor<64x64xi32>
  %a = tt.load %qp : tensor<64x64x!tt.ptr<f16>>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%m = %low, %acc = %zero) -> (tensor<64xf32>, tensor<64x64xf32>) : i32 {
    %by = arith.muli %i, %c4096 : i32
    %kb = tt.addptr %k, %by : !tt.ptr<f16>, i32
    %ks = tt.splat %kb : !tt.ptr<f16> -> tensor<64x64x!tt.ptr<f16>>
    %kp = tt.addptr %ks, %offsets : tensor<64x64x!tt.ptr<f16>>, tensor<64x64xi32>
    %b = tt.load %kp : tensor<64x64x!tt.ptr<f16>>
    %bt = tt.trans %b {order = array<i32: 1, 0>} : tensor<64x64xf16> -> tensor<64x64xf16>
    %s = tt.dot %a, %bt, %zero : tensor<64x64xf16> * tensor<64x64xf16> -> tensor<64x64xf32>
    %top = "tt.reduce"(%s) <{axis = 1 : i32}> ({
    ^bb0(%x: f32, %y: f32):
      %z = arith.maxnumf %x, %y : f32
      tt.reduce.return %z : f32
    }) : (tensor<64x64xf32>) -> tensor<64xf32>
    %new = arith.maxnumf %m, %top : tensor<64xf32>
    %column = tt.expand_dims %new {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
    %wide = tt.broadcast %column : tensor<64x1xf32> -> tensor<64x64xf32>
    %d = arith.subf %s, %wide : tensor<64x64xf32>
    %e = math.exp2 %d : tensor<64x64xf32>
    %p = arith.truncf %e : tensor<64x64xf32> to tensor<64x64xf16>
    %scaled = arith.mulf %acc, %wide : tensor<64x64xf32>
    %next = tt.dot %p, %b, %scaled : tensor<64x64xf16> * tensor<64x64xf16> -> tensor<64x64xf32>
    scf.yield %new, %next : tensor<64xf32>, tensor<64x64xf32>
  }
  %h = arith.truncf %r#1 : tensor<64x64xf32> to tensor<64x64xf16>
  %os = tt.splat %o : !tt.ptr<f16> -> tensor<64x64x!tt.ptr<f16>>
  %op = tt.addptr %os, %offsets : tensor<64x64x!tt.ptr<f16>>, tensor<64x64xi32>
  tt.store %op, %h : tensor<64x64x!tt.ptr<f16>>
  tt.return
}

// A tensor that a loop carries, and one that a branch gives, stand in the layout
// of what makes and uses them.
// CHECK-LABEL: @carried
// CHECK-NOT: convert_layout
// CHECK: scf.while
// CHECK-NOT: convert_layout
// CHECK: tt.return
tt.func @carried(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<1024xf32>
  %range = tt.make_range {start = 0 : i32, end = 1024 : i32} : tensor<1024xi32>
  %base = tt.splat %p : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %q = tt.addptr %base, %range : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  %r:2 = scf.while (%i = %c0, %sum = %zero) : (i32, tensor<1024xf32>) -> (i32, tensor<1024xf32>) {
    %more = arith.cmpi slt, %i, %n : i32
    scf.condition(%more) %i, %sum : i32, tensor<1024xf32>
  } do {
  ^bb0(%i: i32, %sum: tensor<1024xf32>):
    %x = tt.load %q : tensor<1024x!tt.ptr<f32>>
    %odd = arith.trunci %i : i32 to i1
    %y = scf.if %odd -> (tensor<1024xf32>) {
      %t = arith.addf %sum, %x : tensor<1024xf32>
      scf.yield %t : tensor<1024xf32>
    } else {
      scf.yield %sum : tensor<1024xf32>
    }
    %j = arith.addi %i, %c1 : i32
    scf.yield %j, %y : i32, tensor<1024xf32>
  }
  tt.store %q, %r#1 : tensor<1024x!tt.ptr<f32>>
  tt.return
}

// Rows that a tensor of indices names: the indices are read where their
// pointers are needed.
// CHECK-LABEL: @gathered
// CHECK-NOT: convert_layout
// CHECK: tt.return
tt.func @gathered(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %t: !tt.ptr<i32> {tt.divisibility = 16 : i32}) {
  %rows = tt.make_range {start = 0 : i32, end = 8 : i32} : tensor<8xi32>
  %columns = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32>
  %ts = tt.splat %t : !tt.ptr<i32> -> tensor<8x!tt.ptr<i32>>
  %tp = tt.addptr %ts, %rows : tensor<8x!tt.ptr<i32>>, tensor<8xi32>
  %index = tt.load %tp : tensor<8x!tt.ptr<i32>>
  %c128 = arith.constant dense<128> : tensor<8x1xi32>
  %r1 = tt.expand_dims %index {axis = 1 : i32} : tensor<8xi32> -> tensor<8x1xi32>
  %r2 = arith.muli %r1, %c128 : tensor<8x1xi32>
  %r3 = tt.broadcast %r2 : tensor<8x1xi32> -> tensor<8x128xi32>
  %c1 = tt.expand_dims %columns {axis = 0 : i32} : tensor<128xi32> -> tensor<1x128xi32>
  %c2 = tt.broadcast %c1 : tensor<1x128xi32> -> tensor<8x128xi32>
  %offsets = arith.addi %r3, %c2 : tensor<8x128xi32>
  %base = tt.splat %p : !tt.ptr<f32> -> tensor<8x128x!tt.ptr<f32>>
  %pointers = tt.addptr %base, %offsets : tensor<8x128x!tt.ptr<f32>>, tensor<8x128xi32>
  %x = tt.load %pointers : tensor<8x128x!tt.ptr<f32>>
  tt.store %pointers, %x : tensor<8x128x!tt.ptr<f32>>
  tt.return
}
