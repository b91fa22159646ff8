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
// CHECK:         llvm.return
llvm.func @exponential(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp %x : vector<16xf32>
  llvm.return %y : vector<16xf32>
}

// The remainder is a loop, because quotients may have 300 bits and more.
// CHECK-LABEL: func @remainder
// CHECK-NOT:     arith.remf
// CHECK:         scf.while
llvm.func @remainder(%x: f64, %y: f64) -> f64 {
  %z = arith.remf %x, %y : f64
  llvm.return %z : f64
}

// fma stays where it is an instruction and is exact arithmetic where not.
// CHECK-LABEL: func @fused
// FMA:           math.fma
// PLAIN:         arith.extf {{.*}} : f32 to f64
// PLAIN:         arith.truncf {{.*}} : f64 to f32
llvm.func @fused(%x: f32, %y: f32, %z: f32) -> f32 {
  %w = math.fma %x, %y, %z : f32
  llvm.return %w : f32
}

// What one instruction does stays; narrower floats are not this pass's concern.
// CHECK-LABEL: func @square_root
// CHECK:         math.sqrt {{.*}} : vector<8xf32>
llvm.func @square_root(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.sqrt %x : vector<8xf32>
  llvm.return %y : vector<8xf32>
}

// CHECK-LABEL: func @narrow
// CHECK:         math.exp {{.*}} : vector<8xf16>
llvm.func @narrow(%x: vector<8xf16>) -> vector<8xf16> {
  %y = math.exp %x : vector<8xf16>
  llvm.return %y : vector<8xf16>
}
