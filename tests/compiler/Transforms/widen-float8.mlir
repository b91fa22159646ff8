// RUN: nereid-opt %s --nrd-widen-float8 -split-input-file | FileCheck %s

// Both operands are widened, and the result is rounded once.
// CHECK-LABEL: tt.func public @sum
// CHECK:         %[[A:.*]] = tt.fp_to_fp %arg0 : tensor<16xf8E5M2> -> tensor<16xf32>
// CHECK:         %[[B:.*]] = tt.fp_to_fp %arg1 : tensor<16xf8E5M2> -> tensor<16xf32>
// CHECK:         %[[C:.*]] = arith.addf %[[A]], %[[B]] : tensor<16xf32>
// CHECK:         tt.fp_to_fp %[[C]], rounding = rtne : tensor<16xf32> -> tensor<16xf8E5M2>
tt.func public @sum(%a: tensor<16xf8E5M2>, %b: tensor<16xf8E5M2>) -> tensor<16xf8E5M2> {
  %c = arith.addf %a, %b : tensor<16xf8E5M2>
  tt.return %c : tensor<16xf8E5M2>
}

// -----

// A comparison gives no float; scalars and other formats likewise; f16 stays.
// CHECK-LABEL: tt.func public @others
// CHECK:         arith.cmpf olt, %{{.*}}, %{{.*}} : f32
// CHECK:         math.absf %{{.*}} : f32
// CHECK:         arith.mulf %{{.*}}, %{{.*}} : f16
tt.func public @others(%a: f8E4M3FN, %b: f8E4M3FN, %h: f16) -> (i1, f8E4M3FN, f16) {
  %c = arith.cmpf olt, %a, %b : f8E4M3FN
  %d = math.absf %a : f8E4M3FN
  %e = arith.mulf %h, %h : f16
  tt.return %c, %d, %e : i1, f8E4M3FN, f16
}
