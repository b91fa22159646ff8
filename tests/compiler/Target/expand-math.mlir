// RUN: nereid-opt %s --nrd-expand-math | FileCheck %s --check-prefixes=CHECK,FMA
// RUN: nereid-opt %s --nrd-expand-math=has-fma=false \
// RUN:   | FileCheck %s --check-prefixes=CHECK,PLAIN
// RUN: nereid-opt %s --nrd-expand-math=has-scalef=true \
// RUN:   | FileCheck %s --check-prefixes=CHECK,SCALEF

// A vector function becomes vector arithmetic of the same type.
// CHECK-LABEL: func @exponential
// CHECK-NOT:     math.exp
// CHECK:         math.roundeven {{.*}} : vector<16xf32>
// FMA:           math.fma {{.*}} : vector<16xf32>
// PLAIN-NOT:     math.fma
// PLAIN:         arith.mulf {{.*}} : vector<16xf32>
// SCALEF:        llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// CHECK:         return
func.func @exponential(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp %x : vector<16xf32>
  return %y : vector<16xf32>
}

// The remainder is a loop, because quotients may have 300 bits and more.
// CHECK-LABEL: func @remainder
// CHECK-NOT:     arith.remf
// CHECK:         scf.while
func.func @remainder(%x: f64, %y: f64) -> f64 {
  %z = arith.remf %x, %y : f64
  return %z : f64
}

// fma stays where it is an instruction and is exact arithmetic where not.
// CHECK-LABEL: func @fused
// FMA:           math.fma
// PLAIN:         arith.extf {{.*}} : f32 to f64
// PLAIN:         arith.truncf {{.*}} : f64 to f32
func.func @fused(%x: f32, %y: f32, %z: f32) -> f32 {
  %w = math.fma %x, %y, %z : f32
  return %w : f32
}

// What one instruction does stays; narrower floats are not this pass's concern.
// CHECK-LABEL: func @untouched
// CHECK:         math.sqrt {{.*}} : vector<8xf32>
// CHECK:         math.floor {{.*}} : vector<8xf32>
// CHECK:         math.exp {{.*}} : vector<8xf16>
func.func @untouched(%x: vector<8xf32>, %h: vector<8xf16>)
    -> (vector<8xf32>, vector<8xf32>, vector<8xf16>) {
  %a = math.sqrt %x : vector<8xf32>
  %b = math.floor %x : vector<8xf32>
  %c = math.exp %h : vector<8xf16>
  return %a, %b, %c : vector<8xf32>, vector<8xf32>, vector<8xf16>
}
