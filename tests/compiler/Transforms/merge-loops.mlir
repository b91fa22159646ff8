// RUN: nereid-opt %s --nrd-merge-loops -canonicalize | FileCheck %s

// The second loop goes on where the first ends, and differs by a mask between
// the product and the sum: one loop, the mask in a branch. What it needs is
// computed before. The first starts at zero and the border is not negative, so
// only the end is a maximum.
// CHECK-LABEL: tt.func public @attention
// CHECK-SAME:    (%[[P:.*]]: tensor<64x64x!tt.ptr<f16>>, %[[N:.*]]: i32, %[[Q:.*]]: tensor<64x64xf16>)
// CHECK-DAG:     %[[PID:.*]] = tt.get_program_id x
// CHECK-DAG:     %[[MID:.*]] = arith.muli %[[PID]], %c128_i32
// CHECK:         %[[END:.*]] = arith.minsi %{{.*}}, %[[N]]
// CHECK:         %[[TO:.*]] = arith.maxsi %[[MID]], %[[END]]
// CHECK-NOT:     arith.minsi
// CHECK:         %[[R:.*]] = scf.for %[[I:.*]] = %c0_i32 to %[[TO]] step %c64_i32 iter_args(%[[ACC:.*]] = %{{.*}})
// CHECK:           %[[K:.*]] = tt.load
// CHECK-NEXT:      %[[S:.*]] = tt.dot %[[Q]], %[[K]]
// CHECK-NEXT:      %[[BEFORE:.*]] = arith.cmpi slt, %[[I]], %[[MID]]
// CHECK-NEXT:      %[[T:.*]] = scf.if %[[BEFORE]] -> (tensor<64x64xf32>) {
// CHECK-NEXT:        scf.yield %[[S]]
// CHECK-NEXT:      } else {
// CHECK:             arith.cmpi sge
// CHECK-NEXT:        %[[M:.*]] = arith.select
// CHECK-NEXT:        scf.yield %[[M]]
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[E:.*]] = math.exp2 %[[T]]
// CHECK-NEXT:      %[[U:.*]] = arith.addf %[[ACC]], %[[E]]
// CHECK-NEXT:      scf.yield %[[U]]
// CHECK-NEXT:    } {tt.num_stages = 2 : i32}
// CHECK-NOT:     scf.for
// CHECK:         tt.return %[[R]]
tt.func public @attention(%p: tensor<64x64x!tt.ptr<f16>>, %n: i32, %q: tensor<64x64xf16>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c64 = arith.constant 64 : i32
  %c128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %low = arith.constant dense<0xFF800000> : tensor<64x64xf32>
  %pid = tt.get_program_id x : i32
  %mid = arith.muli %pid, %c128 : i32
  %m = scf.for %i = %c0 to %mid step %c64 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    %o = tt.splat %i : i32 -> tensor<64x64xi32>
    %pi = tt.addptr %p, %o : tensor<64x64x!tt.ptr<f16>>, tensor<64x64xi32>
    %k = tt.load %pi : tensor<64x64x!tt.ptr<f16>>
    %s = tt.dot %q, %k, %zero : tensor<64x64xf16> * tensor<64x64xf16> -> tensor<64x64xf32>
    %e = math.exp2 %s : tensor<64x64xf32>
    %u = arith.addf %acc, %e : tensor<64x64xf32>
    scf.yield %u : tensor<64x64xf32>
  } {tt.num_stages = 2 : i32}
  %next = arith.addi %pid, %c1 : i32
  %far = arith.muli %next, %c128 : i32
  %end = arith.minsi %far, %n : i32
  %here = tt.splat %mid : i32 -> tensor<64x64xi32>
  %r = scf.for %i = %mid to %end step %c64 iter_args(%acc = %m) -> (tensor<64x64xf32>) : i32 {
    %o = tt.splat %i : i32 -> tensor<64x64xi32>
    %pi = tt.addptr %p, %o : tensor<64x64x!tt.ptr<f16>>, tensor<64x64xi32>
    %k = tt.load %pi : tensor<64x64x!tt.ptr<f16>>
    %s = tt.dot %q, %k, %zero : tensor<64x64xf16> * tensor<64x64xf16> -> tensor<64x64xf32>
    %c = arith.cmpi sge, %here, %o : tensor<64x64xi32>
    %t = arith.select %c, %s, %low : tensor<64x64xi1>, tensor<64x64xf32>
    %e = math.exp2 %t : tensor<64x64xf32>
    %u = arith.addf %acc, %e : tensor<64x64xf32>
    scf.yield %u : tensor<64x64xf32>
  } {tt.num_stages = 2 : i32}
  tt.return %r : tensor<64x64xf32>
}

// Both sides scale in their own way and then do the same: the exponent needs
// the branch, and the sum the paired exponent. What both carry may be in
// another order, and a border that may lie before the start is the start.
// CHECK-LABEL: tt.func public @order
// CHECK:         %[[FROM:.*]] = arith.minsi %[[LB:.*]], %[[MID:.*]] : i32
// CHECK:         %[[TO:.*]] = arith.maxsi %[[MID]], %{{.*}} : i32
// CHECK:         %[[R:.*]]:2 = scf.for %[[I:.*]] = %[[FROM]] to %[[TO]] step %c16_i32 iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK:           %[[X:.*]] = tt.load
// CHECK:           %[[V:.*]] = scf.if
// CHECK-NEXT:        %[[ADD:.*]] = arith.addf %[[X]], %[[B]]
// CHECK-NEXT:        scf.yield %[[ADD]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        %[[MUL:.*]] = arith.mulf %[[X]], %[[B]]
// CHECK-NEXT:        scf.yield %[[MUL]]
// CHECK:           %[[E:.*]] = math.exp2 %[[V]]
// CHECK:           %[[S:.*]] = arith.addf %[[A]], %[[E]]
// CHECK:           scf.yield %[[S]], %[[E]]
// CHECK:         tt.return %[[R]]#1, %[[R]]#0
tt.func public @order(%p: !tt.ptr<f32>, %a: i32 {tt.divisibility = 16 : i32}, %b: i32 {tt.divisibility = 16 : i32}, %n: i32, %x0: f32) -> (f32, f32) {
  %c16 = arith.constant 16 : i32
  %m:2 = scf.for %i = %a to %b step %c16 iter_args(%s = %x0, %t = %x0) -> (f32, f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %v = arith.addf %x, %t : f32
    %e = math.exp2 %v : f32
    %u = arith.addf %s, %e : f32
    scf.yield %u, %e : f32, f32
  }
  %r:2 = scf.for %i = %b to %n step %c16 iter_args(%t = %m#1, %s = %m#0) -> (f32, f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %v = arith.mulf %x, %t : f32
    %e = math.exp2 %v : f32
    %u = arith.addf %s, %e : f32
    scf.yield %e, %u : f32, f32
  }
  tt.return %r#0, %r#1 : f32, f32
}

// Kept apart: the first may stop between two steps; its sum is read in
// between; the second writes; a load differs.
// CHECK-LABEL: tt.func public @apart
// CHECK-COUNT-8: scf.for
tt.func public @apart(%p: !tt.ptr<f32>, %q: !tt.ptr<f32>, %mid: i32, %even: i32 {tt.divisibility = 16 : i32}, %n: i32, %x0: f32) -> (f32, f32, f32, f32, f32) {
  %c0 = arith.constant 0 : i32
  %c16 = arith.constant 16 : i32
  %m0 = scf.for %i = %c0 to %mid step %c16 iter_args(%s = %x0) -> (f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    scf.yield %u : f32
  }
  %r0 = scf.for %i = %mid to %n step %c16 iter_args(%s = %m0) -> (f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    scf.yield %u : f32
  }
  %m1 = scf.for %i = %c0 to %even step %c16 iter_args(%s = %x0) -> (f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    scf.yield %u : f32
  }
  %r1 = scf.for %i = %even to %n step %c16 iter_args(%s = %m1) -> (f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    scf.yield %u : f32
  }
  %m2 = scf.for %i = %c0 to %even step %c16 iter_args(%s = %x0) -> (f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    scf.yield %u : f32
  }
  %r2 = scf.for %i = %even to %n step %c16 iter_args(%s = %m2) -> (f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    tt.store %pi, %u : !tt.ptr<f32>
    scf.yield %u : f32
  }
  %m3 = scf.for %i = %c0 to %even step %c16 iter_args(%s = %x0) -> (f32) : i32 {
    %pi = tt.addptr %p, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    scf.yield %u : f32
  }
  %r3 = scf.for %i = %even to %n step %c16 iter_args(%s = %m3) -> (f32) : i32 {
    %pi = tt.addptr %q, %i : !tt.ptr<f32>, i32
    %x = tt.load %pi : !tt.ptr<f32>
    %u = arith.addf %s, %x : f32
    scf.yield %u : f32
  }
  tt.return %r0, %m1, %r1, %r2, %r3 : f32, f32, f32, f32, f32
}

// What the first loop reads twice are two values in the second: only the one
// that differs comes out of the branch.
// CHECK-LABEL: tt.func public @square
// CHECK:         scf.for
// CHECK:           %[[S:.*]] = tt.load
// CHECK:           %[[F:.*]] = scf.if
// CHECK-NEXT:        scf.yield %[[S]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        %[[E:.*]] = math.exp2 %[[S]]
// CHECK-NEXT:        scf.yield %[[E]]
// CHECK-NEXT:      }
// CHECK-NEXT:      arith.mulf %[[S]], %[[F]]
// CHECK-NOT:     scf.for
// CHECK:         tt.return
tt.func public @square(%p: tensor<64x64x!tt.ptr<f32>>, %k: i32, %n: i32) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %mid = arith.muli %k, %c64 : i32
  %m = scf.for %i = %c0 to %mid step %c64 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    %o = tt.splat %i : i32 -> tensor<64x64xi32>
    %pi = tt.addptr %p, %o : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
    %s = tt.load %pi : tensor<64x64x!tt.ptr<f32>>
    %q = arith.mulf %s, %s : tensor<64x64xf32>
    %u = arith.addf %acc, %q : tensor<64x64xf32>
    scf.yield %u : tensor<64x64xf32>
  }
  %r = scf.for %i = %mid to %n step %c64 iter_args(%acc = %m) -> (tensor<64x64xf32>) : i32 {
    %o = tt.splat %i : i32 -> tensor<64x64xi32>
    %pi = tt.addptr %p, %o : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
    %s = tt.load %pi : tensor<64x64x!tt.ptr<f32>>
    %e = math.exp2 %s : tensor<64x64xf32>
    %q = arith.mulf %s, %e : tensor<64x64xf32>
    %u = arith.addf %acc, %q : tensor<64x64xf32>
    scf.yield %u : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}
