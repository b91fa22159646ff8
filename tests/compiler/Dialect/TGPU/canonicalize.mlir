// RUN: nereid-opt %s -canonicalize | FileCheck %s

#a = #tgpu.layout<register = [[1]], lane = [[2]], warp = [], block = [], shape = [4]>
#b = #tgpu.layout<register = [[2]], lane = [[1]], warp = [], block = [], shape = [4]>

// There and back is no conversion at all.
// CHECK-LABEL: tt.func @there_and_back
// CHECK-NEXT: tt.return %arg0
tt.func @there_and_back(%x: tensor<4xf32, #a>) -> tensor<4xf32, #a> {
  %0 = tgpu.convert_layout %x : tensor<4xf32, #a> -> tensor<4xf32, #b>
  %1 = tgpu.convert_layout %0 : tensor<4xf32, #b> -> tensor<4xf32, #a>
  tt.return %1 : tensor<4xf32, #a>
}

// A conversion to the same layout goes.
// CHECK-LABEL: tt.func @same
// CHECK-NEXT: tt.return %arg0
tt.func @same(%x: tensor<4xf32, #a>) -> tensor<4xf32, #a> {
  %0 = tgpu.convert_layout %x : tensor<4xf32, #a> -> tensor<4xf32, #a>
  tt.return %0 : tensor<4xf32, #a>
}
