// RUN: nereid-opt %s -nrd-structure-control-flow -canonicalize | FileCheck %s
// RUN: nereid-opt %s -nrd-structure-control-flow -inline -canonicalize -symbol-dce | FileCheck %s --check-prefix=INLINE

// CHECK-LABEL: @early
// CHECK-NOT:   cf.
// CHECK:      scf.if %{{.*}} {
// CHECK-NEXT: } else {
// CHECK-NEXT:   tt.store
// CHECK-NEXT: }
// CHECK-NEXT: tt.return
tt.func @early(%p: !tt.ptr<f32>, %x: f32, %c: i1) {
  cf.cond_br %c, ^out, ^rest
^out:
  tt.return
^rest:
  tt.store %p, %x : !tt.ptr<f32>
  tt.return
}

// CHECK-LABEL: tt.func private @choose
// CHECK:      %[[R:.*]] = scf.if
// CHECK:      tt.return %[[R]] : f32
tt.func private @choose(%p: !tt.ptr<f32>, %c: i1) -> f32 {
  %zero = arith.constant 0.0 : f32
  cf.cond_br %c, ^a, ^b
^a:
  %x = tt.load %p : !tt.ptr<f32>
  tt.return %x : f32
^b:
  tt.return %zero : f32
}

// A call in a loop, of a function with an early return, can be inlined now.
// INLINE-LABEL: @caller
// INLINE:      scf.for
// INLINE-NEXT:   scf.if
// INLINE-NOT:  tt.call
// INLINE-NOT:  @choose
tt.func public @caller(%p: !tt.ptr<f32>, %n: i32, %c: i1) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  scf.for %i = %c0 to %n step %c1 : i32 {
    %x = tt.call @choose(%p, %c) : (!tt.ptr<f32>, i1) -> f32
    tt.store %p, %x : !tt.ptr<f32>
  }
  tt.return
}

// CHECK-LABEL: @loop
// CHECK: scf.while
// CHECK-NOT: cf.br
tt.func @loop(%p: !tt.ptr<i32>, %n: i32) {
  %c1 = arith.constant 1 : i32
  cf.br ^head(%n : i32)
^head(%i: i32):
  tt.store %p, %i : !tt.ptr<i32>
  %next = arith.subi %i, %c1 : i32
  %more = arith.cmpi sgt, %next, %c1 : i32
  cf.cond_br %more, ^head(%next : i32), ^done
^done:
  tt.return
}

// CHECK-LABEL: @per_element
// CHECK:      "tt.map_elementwise"
// CHECK-NEXT: ^bb0(%[[A:.*]]: f32):
// CHECK-NOT:  ^bb1
// CHECK:      tt.map_elementwise.return
tt.func @per_element(%p: tensor<8x!tt.ptr<f32>>, %x: tensor<8xf32>) {
  %y = "tt.map_elementwise"(%x) <{pack = 1 : i32}> ({
  ^bb0(%a: f32):
    %zero = arith.constant 0.0 : f32
    %c = arith.cmpf ogt, %a, %zero : f32
    cf.cond_br %c, ^pos, ^neg
  ^pos:
    %s = math.exp %a : f32
    tt.map_elementwise.return %s : f32
  ^neg:
    tt.map_elementwise.return %zero : f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  tt.store %p, %y : tensor<8x!tt.ptr<f32>>
  tt.return
}

// Three ways out of a loop make a switch, which becomes a chain of choices.
// CHECK-LABEL: @exits
// CHECK: scf.while
// CHECK-NOT: cf.br
// CHECK-NOT: index_switch
// CHECK: arith.cmpi eq, %{{.*}}, %c1 : index
// CHECK: scf.if
// CHECK: arith.cmpi eq, %{{.*}}, %c2 : index
// CHECK: scf.if
// CHECK: tt.return
tt.func @exits(%p: !tt.ptr<i32>, %n: i32) {
  %c1 = arith.constant 1 : i32
  cf.br ^head(%n : i32)
^head(%i: i32):
  %a = arith.cmpi sgt, %i, %c1 : i32
  cf.cond_br %a, ^second, ^one
^second:
  %x = tt.load %p : !tt.ptr<i32>
  %b = arith.cmpi sgt, %x, %i : i32
  cf.cond_br %b, ^third, ^two
^third:
  %next = arith.subi %i, %x : i32
  %c = arith.cmpi sgt, %next, %x : i32
  cf.cond_br %c, ^head(%next : i32), ^three
^one:
  tt.store %p, %i : !tt.ptr<i32>
  tt.return
^two:
  tt.store %p, %x : !tt.ptr<i32>
  tt.return
^three:
  tt.store %p, %next : !tt.ptr<i32>
  tt.return
}
