// RUN: nereid-opt %s -nrd-import | FileCheck %s

// CHECK-LABEL: tt.func public @kernel(%{{.*}}: f32) {
tt.func public @kernel(%x: f32) attributes {noinline = true} {
  // CHECK-NEXT: ttg.barrier all
  gpu.barrier
  // CHECK-NEXT: tt.return
  // CHECK-NEXT: }
  tt.return
^dead:
  gpu.barrier
  tt.return
}
