// RUN: nereid-opt %s --split-input-file --nrd-scale-maxima | FileCheck %s

// The maximum of the scores times the scale, where the scale is positive and
// finite; the difference is one multiply-add.
// CHECK-LABEL: @softmax
// CHECK:         %[[POSITIVE:.*]] = arith.cmpf ogt, %arg1, %{{.*}} : f32
// CHECK:         %[[FINITE:.*]] = arith.cmpf olt, %arg1, %{{.*}} : f32
// CHECK:         %[[GOOD:.*]] = arith.andi %[[POSITIVE]], %[[FINITE]] : i1
// CHECK:         scf.for
// CHECK-NOT:       arith.mulf
// CHECK:           %[[B:.*]]:2 = scf.if %[[GOOD]]
// CHECK:             %[[M:.*]] = "tt.reduce"(%[[X:.*]]) <{axis = 1 : i32}>
// CHECK:             %[[S:.*]] = tt.splat %arg1
// CHECK:             %[[N:.*]] = arith.mulf %[[M]], %[[S]] : tensor<64xf32>
// CHECK:             %[[T:.*]] = arith.maxnumf %{{.*}}, %[[N]]
// CHECK:             %[[D:.*]] = math.fma %[[X]], %{{.*}}, %{{.*}} : tensor<64x64xf32>
// CHECK:             scf.yield %[[T]], %[[D]]
// CHECK:           } else {
// CHECK:             %[[P:.*]] = arith.mulf %[[X]], %{{.*}} : tensor<64x64xf32>
// CHECK:             "tt.reduce"(%[[P]])
// CHECK:             arith.subf %[[P]]
// CHECK:           }
// What needs the maximum comes behind.
// CHECK:           arith.subf %{{.*}}, %[[B]]#0
// CHECK:           math.exp2 %[[B]]#1
tt.func public @softmax(%n: i32, %scale: f32, %x: tensor<64x64xf32>, %m: tensor<64xf32>) -> (tensor<64xf32>, tensor<64x64xf32>) {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %splat = tt.splat %scale : f32 -> tensor<64x64xf32>
  %r:2 = scf.for %i = %c0 to %n step %c64 iter_args(%a = %m, %y = %x) -> (tensor<64xf32>, tensor<64x64xf32>) : i32 {
    %s = arith.mulf %y, %splat : tensor<64x64xf32>
    %h = "tt.reduce"(%s) <{axis = 1 : i32}> ({
    ^bb0(%p: f32, %q: f32):
      %t = arith.maxnumf %p, %q : f32
      tt.reduce.return %t : f32
    }) : (tensor<64x64xf32>) -> tensor<64xf32>
    %new = arith.maxnumf %a, %h : tensor<64xf32>
    %change = arith.subf %a, %new : tensor<64xf32>
    %new1 = tt.expand_dims %new {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
    %newb = tt.broadcast %new1 : tensor<64x1xf32> -> tensor<64x64xf32>
    %d = arith.subf %s, %newb : tensor<64x64xf32>
    %e = math.exp2 %d : tensor<64x64xf32>
    scf.yield %change, %e : tensor<64xf32>, tensor<64x64xf32>
  }
  tt.return %r#0, %r#1 : tensor<64xf32>, tensor<64x64xf32>
}

// -----

// Behind a mask: only where nothing is masked; else as it was.
// CHECK-LABEL: @masked
// CHECK:         scf.for
// CHECK:           %[[BOTH:.*]] = arith.andi %{{.*}}, %arg2 : i1
// CHECK:           scf.if %[[BOTH]]
// CHECK:             math.fma
// CHECK:           } else {
// CHECK:             %[[P:.*]] = arith.mulf
// CHECK:             %[[S:.*]] = scf.if %arg2
// CHECK:               scf.yield %[[P]]
// CHECK:               arith.select
// CHECK:             "tt.reduce"(%[[S]])
tt.func public @masked(%n: i32, %scale: f32, %whole: i1, %mask: tensor<64x64xi1>, %x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %inf = arith.constant dense<0xFF800000> : tensor<64x64xf32>
  %splat = tt.splat %scale : f32 -> tensor<64x64xf32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%y = %x) -> (tensor<64x64xf32>) : i32 {
    %s = arith.mulf %y, %splat : tensor<64x64xf32>
    %z = scf.if %whole -> (tensor<64x64xf32>) {
      scf.yield %s : tensor<64x64xf32>
    } else {
      %w = arith.select %mask, %s, %inf : tensor<64x64xi1>, tensor<64x64xf32>
      scf.yield %w : tensor<64x64xf32>
    }
    %h = "tt.reduce"(%z) <{axis = 1 : i32}> ({
    ^bb0(%p: f32, %q: f32):
      %t = arith.maxnumf %p, %q : f32
      tt.reduce.return %t : f32
    }) : (tensor<64x64xf32>) -> tensor<64xf32>
    %h1 = tt.expand_dims %h {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
    %hb = tt.broadcast %h1 : tensor<64x1xf32> -> tensor<64x64xf32>
    %d = arith.subf %z, %hb : tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}

// -----

// Something else needs the product, or it is a sum that is reduced.
// CHECK-LABEL: @others
// CHECK-NOT:     scf.if
tt.func public @others(%n: i32, %scale: f32, %x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %splat = tt.splat %scale : f32 -> tensor<64x64xf32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%y = %x) -> (tensor<64x64xf32>) : i32 {
    %s = arith.mulf %y, %splat : tensor<64x64xf32>
    %h = "tt.reduce"(%s) <{axis = 1 : i32}> ({
    ^bb0(%p: f32, %q: f32):
      %t = arith.maxnumf %p, %q : f32
      tt.reduce.return %t : f32
    }) : (tensor<64x64xf32>) -> tensor<64xf32>
    %h1 = tt.expand_dims %h {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
    %hb = tt.broadcast %h1 : tensor<64x1xf32> -> tensor<64x64xf32>
    %d = arith.subf %s, %hb : tensor<64x64xf32>
    %e = math.exp2 %s : tensor<64x64xf32>
    %f = arith.addf %d, %e : tensor<64x64xf32>
    %s2 = arith.mulf %f, %splat : tensor<64x64xf32>
    %h2 = "tt.reduce"(%s2) <{axis = 1 : i32}> ({
    ^bb0(%p: f32, %q: f32):
      %t = arith.addf %p, %q : f32
      tt.reduce.return %t : f32
    }) : (tensor<64x64xf32>) -> tensor<64xf32>
    %h3 = tt.expand_dims %h2 {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
    %h3b = tt.broadcast %h3 : tensor<64x1xf32> -> tensor<64x64xf32>
    %d2 = arith.subf %s2, %h3b : tensor<64x64xf32>
    scf.yield %d2 : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}

// -----

// Products and sums that are to be rounded one by one stay two.
// CHECK-LABEL: @no_fusion
// CHECK-NOT:     math.fma
module attributes {nrd.no_fp_fusion} {
tt.func public @no_fusion(%n: i32, %scale: f32, %x: tensor<64x64xf32>, %m: tensor<64xf32>) -> (tensor<64xf32>, tensor<64x64xf32>) {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %splat = tt.splat %scale : f32 -> tensor<64x64xf32>
  %r:2 = scf.for %i = %c0 to %n step %c64 iter_args(%a = %m, %y = %x) -> (tensor<64xf32>, tensor<64x64xf32>) : i32 {
    %s = arith.mulf %y, %splat : tensor<64x64xf32>
    %h = "tt.reduce"(%s) <{axis = 1 : i32}> ({
    ^bb0(%p: f32, %q: f32):
      %t = arith.maxnumf %p, %q : f32
      tt.reduce.return %t : f32
    }) : (tensor<64x64xf32>) -> tensor<64xf32>
    %new = arith.maxnumf %a, %h : tensor<64xf32>
    %change = arith.subf %a, %new : tensor<64xf32>
    %new1 = tt.expand_dims %new {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
    %newb = tt.broadcast %new1 : tensor<64x1xf32> -> tensor<64x64xf32>
    %d = arith.subf %s, %newb : tensor<64x64xf32>
    %e = math.exp2 %d : tensor<64x64xf32>
    scf.yield %change, %e : tensor<64xf32>, tensor<64x64xf32>
  }
  tt.return %r#0, %r#1 : tensor<64xf32>, tensor<64x64xf32>
}
}
