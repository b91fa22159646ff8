// RUN: nereid-opt %s --split-input-file --nrd-guard-masks | FileCheck %s

// The last column of the block tells whether all are within the bound.
// CHECK-LABEL: @columns
// CHECK:         scf.for %[[I:.*]] = {{.*}} iter_args(%[[A:.*]] = {{.*}})
// CHECK:           %[[C63:.*]] = arith.constant 63 : i32
// CHECK:           %[[LAST:.*]] = arith.addi %[[I]], %[[C63]] : i32
// CHECK:           %[[ORDERED:.*]] = arith.cmpi sle, %[[I]], %[[LAST]] : i32
// CHECK:           %[[WITHIN:.*]] = arith.cmpi slt, %[[LAST]], %arg0 : i32
// CHECK:           %[[WHOLE:.*]] = arith.andi %[[ORDERED]], %[[WITHIN]] : i1
// CHECK:           %[[R:.*]] = scf.if %[[WHOLE]]
// CHECK-NEXT:        scf.yield %[[A]]
// CHECK-NEXT:      } else {
// CHECK:             arith.cmpi slt
// CHECK:             %[[S:.*]] = arith.select
// CHECK-NEXT:        scf.yield %[[S]]
// CHECK:           scf.yield %[[R]]
tt.func public @columns(%n: i32, %x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %inf = arith.constant dense<0xFF800000> : tensor<64x64xf32>
  %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %bound = tt.splat %n : i32 -> tensor<1x64xi32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%a = %x) -> (tensor<64x64xf32>) : i32 {
    %s = tt.splat %i : i32 -> tensor<64xi32>
    %j = arith.addi %s, %range : tensor<64xi32>
    %j1 = tt.expand_dims %j {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
    %m = arith.cmpi slt, %j1, %bound : tensor<1x64xi32>
    %mb = tt.broadcast %m : tensor<1x64xi1> -> tensor<64x64xi1>
    %z = arith.select %mb, %a, %inf : tensor<64x64xi1>, tensor<64x64xf32>
    scf.yield %z : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}

// -----

// Rows not above columns: the first row against the last column, where neither
// wraps around.
// CHECK-LABEL: @diagonal
// CHECK:         %[[LAST:.*]] = arith.addi %[[I:.*]], %c63{{.*}} : i32
// CHECK:         %[[COLUMNS:.*]] = arith.cmpi sle, %[[I]], %[[LAST]] : i32
// CHECK:         %[[LASTROW:.*]] = arith.addi %arg1, %c63{{.*}} : i32
// CHECK:         %[[ROWS:.*]] = arith.cmpi sle, %arg1, %[[LASTROW]] : i32
// CHECK:         %[[WITHIN:.*]] = arith.cmpi sle, %[[LAST]], %arg1 : i32
// CHECK:         %[[BOTH:.*]] = arith.andi %[[COLUMNS]], %[[ROWS]] : i1
// CHECK:         %[[WHOLE:.*]] = arith.andi %[[BOTH]], %[[WITHIN]] : i1
// CHECK:         scf.if %[[WHOLE]]
tt.func public @diagonal(%n: i32, %row: i32, %x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %inf = arith.constant dense<0xFF800000> : tensor<64x64xf32>
  %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %first = tt.splat %row : i32 -> tensor<64xi32>
  %rows = arith.addi %first, %range : tensor<64xi32>
  %rows1 = tt.expand_dims %rows {axis = 1 : i32} : tensor<64xi32> -> tensor<64x1xi32>
  %rowsb = tt.broadcast %rows1 : tensor<64x1xi32> -> tensor<64x64xi32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%a = %x) -> (tensor<64x64xf32>) : i32 {
    %s = tt.splat %i : i32 -> tensor<64xi32>
    %j = arith.addi %s, %range : tensor<64xi32>
    %j1 = tt.expand_dims %j {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
    %jb = tt.broadcast %j1 : tensor<1x64xi32> -> tensor<64x64xi32>
    %m = arith.cmpi sge, %rowsb, %jb : tensor<64x64xi32>
    %z = arith.select %m, %a, %inf : tensor<64x64xi1>, tensor<64x64xf32>
    scf.yield %z : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}

// -----

// Unsigned comparisons, products of ranges and masks from memory stay.
// CHECK-LABEL: @unknown
// CHECK-NOT:     scf.if
tt.func public @unknown(%n: i32, %x: tensor<64x64xf32>, %given: tensor<64x64xi1>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %inf = arith.constant dense<0xFF800000> : tensor<64x64xf32>
  %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %square = arith.muli %range, %range : tensor<64xi32>
  %bound = tt.splat %n : i32 -> tensor<64xi32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%a = %x) -> (tensor<64x64xf32>) : i32 {
    %s = tt.splat %i : i32 -> tensor<64xi32>
    %j = arith.addi %s, %range : tensor<64xi32>
    %u = arith.cmpi ult, %j, %bound : tensor<64xi32>
    %q = arith.addi %s, %square : tensor<64xi32>
    %v = arith.cmpi slt, %q, %bound : tensor<64xi32>
    %u1 = tt.expand_dims %u {axis = 0 : i32} : tensor<64xi1> -> tensor<1x64xi1>
    %ub = tt.broadcast %u1 : tensor<1x64xi1> -> tensor<64x64xi1>
    %v1 = tt.expand_dims %v {axis = 0 : i32} : tensor<64xi1> -> tensor<1x64xi1>
    %vb = tt.broadcast %v1 : tensor<1x64xi1> -> tensor<64x64xi1>
    %z0 = arith.select %ub, %a, %inf : tensor<64x64xi1>, tensor<64x64xf32>
    %z1 = arith.select %vb, %z0, %inf : tensor<64x64xi1>, tensor<64x64xf32>
    %z2 = arith.select %given, %z1, %inf : tensor<64x64xi1>, tensor<64x64xf32>
    scf.yield %z2 : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}

// -----

// A sum of constants that wraps around within the tensor: masked always.
// CHECK-LABEL: @consts
// CHECK:         %[[NEVER:.*]] = arith.cmpi sle, %c2147483640_i32, %c-2147483593_i32
// CHECK:         %[[WITHIN:.*]] = arith.cmpi slt, %c-2147483593_i32{{.*}}, %arg1
// CHECK:         %[[WHOLE:.*]] = arith.andi %[[NEVER]], %[[WITHIN]]
// CHECK:         scf.if %[[WHOLE]]
tt.func public @consts(%x: tensor<64x64xf32>, %n: i32, %k: i32) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %far = arith.constant dense<2147483640> : tensor<64xi32>
  %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %r = scf.for %i = %c0 to %k step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    %b = tt.splat %n : i32 -> tensor<64xi32>
    %j = arith.addi %range, %far : tensor<64xi32>
    %m = arith.cmpi slt, %j, %b : tensor<64xi32>
    %e = tt.expand_dims %m {axis = 0 : i32} : tensor<64xi1> -> tensor<1x64xi1>
    %w = tt.broadcast %e : tensor<1x64xi1> -> tensor<64x64xi1>
    %t = arith.select %w, %x, %zero : tensor<64x64xi1>, tensor<64x64xf32>
    %u = arith.addf %acc, %t : tensor<64x64xf32>
    scf.yield %u : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}

// -----

// The mask says which elements are left out: whole is where it is false
// everywhere. The product stays in the loop.
// CHECK-LABEL: @inverted
// CHECK:         scf.for %[[I:[a-z0-9]+]] =
// CHECK:           %[[S:.*]] = tt.dot
// CHECK:           %[[LAST:.*]] = arith.addi %[[I]], %c63_i32
// CHECK:           %[[ORDERED:.*]] = arith.cmpi sle, %[[I]], %[[LAST]]
// CHECK:           %[[WITHIN:.*]] = arith.cmpi sle, %[[LAST]], %arg0
// CHECK:           %[[BEHIND:.*]] = arith.cmpi sle, %arg1, %[[I]]
// CHECK:           %[[R:.*]] = scf.if %{{.*}} -> (tensor<64x64xf32>) {
// CHECK-NEXT:        scf.yield %[[S]]
// CHECK-NEXT:      } else {
// CHECK-NOT:         tt.dot
// CHECK:             arith.ori
// CHECK:             %[[M:.*]] = arith.select %{{.*}}, %{{.*}}, %[[S]]
// CHECK-NEXT:        scf.yield %[[M]]
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.yield %[[R]]
tt.func public @inverted(%n: i32, %l: i32, %q: tensor<64x64xf16>, %x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %low = arith.constant dense<0xFF800000> : tensor<64x64xf32>
  %range = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %bound = tt.splat %n : i32 -> tensor<64xi32>
  %least = tt.splat %l : i32 -> tensor<64xi32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%a = %x) -> (tensor<64x64xf32>) : i32 {
    %t = tt.dot %q, %q, %a : tensor<64x64xf16> * tensor<64x64xf16> -> tensor<64x64xf32>
    %s = tt.splat %i : i32 -> tensor<64xi32>
    %j = arith.addi %s, %range : tensor<64xi32>
    %u = arith.cmpi sgt, %j, %bound : tensor<64xi32>
    %v = arith.cmpi slt, %j, %least : tensor<64xi32>
    %m = arith.ori %u, %v : tensor<64xi1>
    %m1 = tt.expand_dims %m {axis = 0 : i32} : tensor<64xi1> -> tensor<1x64xi1>
    %mb = tt.broadcast %m1 : tensor<1x64xi1> -> tensor<64x64xi1>
    %z = arith.select %mb, %low, %t : tensor<64x64xi1>, tensor<64x64xf32>
    scf.yield %z : tensor<64x64xf32>
  }
  tt.return %r : tensor<64x64xf32>
}
