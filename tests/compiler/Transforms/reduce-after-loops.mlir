// RUN: nereid-opt %s -nrd-remove-layout-conversions -nrd-verify-layouts -canonicalize | FileCheck %s

#row = #tgpu.layout<register = [[1], [2]], lane = [[4], [8], [16], [32], [64]], warp = [[128], [256]], block = [], shape = [512]>
#tile = #tgpu.layout<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 16]>
#stat = #tgpu.layout<register = [[8]], lane = [[0], [0], [1], [2], [4]], warp = [[16], [32]], block = [], shape = [64]>
#column = #tgpu.layout<register = [[8, 0]], lane = [[0, 0], [0, 0], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0]], block = [], shape = [64, 1]>

module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {

// A scalar sum: 128 threads carry one of their own.
// CHECK-LABEL: @scalar
// CHECK: %[[START:.*]] = arith.constant dense<-0.000000e+00> : tensor<128xf32, #{{.*}}>
// CHECK: %[[PARTS:.*]] = scf.for {{.*}} iter_args(%[[OWN:.*]] = %[[START]]) -> (tensor<128xf32, #{{.*}}>)
// CHECK:   %[[R:.*]] = tt.reshape %{{.*}} -> tensor<128x4xf32, #{{.*}}>
// CHECK:   %[[PART:.*]] = "tt.reduce"(%[[R]]) <{axis = 1 : i32}>
// CHECK:   %[[NEXT:.*]] = arith.addf %[[OWN]], %[[PART]] : tensor<128xf32
// CHECK:   scf.yield %[[NEXT]]
// CHECK: %[[TOTAL:.*]] = "tt.reduce"(%[[PARTS]]) <{axis = 0 : i32}>
// CHECK: arith.addf %{{.*}}, %[[TOTAL]] : f32
tt.func @scalar(%p: tensor<512x!tt.ptr<f32>, #row>, %q: !tt.ptr<f32>, %first: f32, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %first) -> (f32) : i32 {
    %x = tt.load %p : tensor<512x!tt.ptr<f32>, #row>
    %s = "tt.reduce"(%x) <{axis = 0 : i32}> ({
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tt.reduce.return %c : f32
    }) : (tensor<512xf32, #row>) -> f32
    %next = arith.addf %acc, %s : f32
    scf.yield %next : f32
  }
  tt.store %q, %r : !tt.ptr<f32>
  tt.return
}

// An online softmax: the four lanes of a row scale and add up what they have; the
// second loop goes on with the parts of the first.
// CHECK-LABEL: @online
// CHECK: %[[FIRST:.*]] = scf.for {{.*}} -> (tensor<64x4xf32, #{{.*}}>)
// CHECK:   %[[F1:.*]] = tt.expand_dims %{{.*}} {axis = 1 : i32}
// CHECK:   %[[F2:.*]] = tt.broadcast %[[F1]] {{.*}} -> tensor<64x4xf32
// CHECK:   %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[F2]] : tensor<64x4xf32
// CHECK:   arith.addf %[[SCALED]], %{{.*}} : tensor<64x4xf32
// CHECK: %[[SECOND:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[FIRST]]) -> (tensor<64x4xf32
// CHECK: "tt.reduce"(%[[SECOND]]) <{axis = 1 : i32}>
tt.func @online(%p: tensor<64x16x!tt.ptr<f32>, #tile>, %q: tensor<64x!tt.ptr<f32>, #stat>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64xf32, #stat>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%l = %zero) -> (tensor<64xf32, #stat>) : i32 {
    %f = tt.load %q : tensor<64x!tt.ptr<f32>, #stat>
    %x = tt.load %p : tensor<64x16x!tt.ptr<f32>, #tile>
    %s = "tt.reduce"(%x) <{axis = 1 : i32}> ({
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tt.reduce.return %c : f32
    }) : (tensor<64x16xf32, #tile>) -> tensor<64xf32, #stat>
    %m = arith.mulf %l, %f : tensor<64xf32, #stat>
    %next = arith.addf %m, %s : tensor<64xf32, #stat>
    scf.yield %next : tensor<64xf32, #stat>
  }
  %t = scf.for %i = %c0 to %n step %c1 iter_args(%l = %r) -> (tensor<64xf32, #stat>) : i32 {
    %f = tt.load %q : tensor<64x!tt.ptr<f32>, #stat>
    %x = tt.load %p : tensor<64x16x!tt.ptr<f32>, #tile>
    %s = "tt.reduce"(%x) <{axis = 1 : i32}> ({
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tt.reduce.return %c : f32
    }) : (tensor<64x16xf32, #tile>) -> tensor<64xf32, #stat>
    %m = arith.mulf %l, %f : tensor<64xf32, #stat>
    %next = arith.addf %m, %s : tensor<64xf32, #stat>
    scf.yield %next : tensor<64xf32, #stat>
  }
  tt.store %q, %t : tensor<64x!tt.ptr<f32>, #stat>
  tt.return
}

// The total is asked for in every iteration: nothing changes.
// CHECK-LABEL: @asked
// CHECK: scf.for {{.*}} -> (f32)
tt.func @asked(%p: tensor<512x!tt.ptr<f32>, #row>, %q: !tt.ptr<f32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (f32) : i32 {
    %x = tt.load %p : tensor<512x!tt.ptr<f32>, #row>
    %s = "tt.reduce"(%x) <{axis = 0 : i32}> ({
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tt.reduce.return %c : f32
    }) : (tensor<512xf32, #row>) -> f32
    tt.store %q, %acc : !tt.ptr<f32>
    %next = arith.addf %acc, %s : f32
    scf.yield %next : f32
  }
  tt.store %q, %r : !tt.ptr<f32>
  tt.return
}
}
