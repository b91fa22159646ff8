// RUN: nereid-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{a basis of 'lane' has 1 numbers for a tensor of rank 2}}
#a = #tgpu.layout<register = [], lane = [[1]], warp = [], block = [], shape = [2, 2]>

// -----

// expected-error @+1 {{a basis of 'register' holds 4, outside a dimension of 4}}
#a = #tgpu.layout<register = [[4]], lane = [], warp = [], block = [], shape = [4]>

// -----

// expected-error @+1 {{dimension 0 has 3 elements; a layout needs a power of two}}
#a = #tgpu.layout<register = [], lane = [], warp = [], block = [], shape = [3]>

// -----

#a = #tgpu.layout<register = [[1]], lane = [], warp = [], block = [], shape = [4]>
// expected-error @+1 {{layout reaches only 2 of 4 elements}}
tt.func @f(%x: tensor<4xf32, #a>) { tt.return }

// -----

#a = #tgpu.layout<register = [[1], [2]], lane = [], warp = [], block = [], shape = [4]>
// expected-error @+1 {{layout of shape [4] on a tensor of shape [8]}}
tt.func @f(%x: tensor<8xf32, #a>) { tt.return }

// -----

#a = #tgpu.layout<register = [[1]], lane = [], warp = [], block = [], shape = [2]>
tt.func @f(%x: tensor<2xf32, #a>) {
  // expected-error @+1 {{only the layout may change}}
  %0 = tgpu.convert_layout %x : tensor<2xf32, #a> -> tensor<2xf16, #a>
  tt.return
}

// -----

tt.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{needs tensors with layouts}}
  %0 = tgpu.convert_layout %x : tensor<2xf32> -> tensor<2xf32>
  tt.return
}

// -----

// expected-error @+1 {{the tile's layout reaches only 2 of 4 elements}}
tt.func private @f(!tgpu.tile<4xf32, offset = [[1]]>)

// -----

#a = #tgpu.layout<register = [[1]], lane = [], warp = [], block = [], shape = [2]>
tt.func @f(%x: tensor<2xf32, #a>) {
  // expected-error @+1 {{shape and element type must be the same}}
  %0 = tgpu.local_alloc %x : (tensor<2xf32, #a>) -> !tgpu.tile<4xf32, offset = [[1], [2]]>
  tt.return
}

// -----

#a = #tgpu.layout<register = [[1]], lane = [], warp = [], block = [], shape = [2]>
tt.func @f(%x: !tgpu.tile<2xf16, offset = [[1]]>) {
  // expected-error @+1 {{shape and element type must be the same}}
  %0 = tgpu.local_load %x : !tgpu.tile<2xf16, offset = [[1]]> -> tensor<2xf32, #a>
  tt.return
}

// -----

tt.func @f(%x: !tgpu.tile<2xf32, offset = [[1]]>, %v: tensor<2xf32>) {
  // expected-error @+1 {{needs a tensor with a layout}}
  tgpu.local_store %v, %x : tensor<2xf32>, !tgpu.tile<2xf32, offset = [[1]]>
  tt.return
}

// -----

#a = #tgpu.layout<register = [[1]], lane = [], warp = [], block = [], shape = [2]>
tt.func @coordinates(%map: !tgpu.tensor_map, %i: i32) {
  // expected-error @+1 {{has 2 coordinates for a block of rank 1}}
  %0 = tgpu.map_load %map[%i, %i] : tensor<2xf32, #a>
  tt.return
}

// -----

#a = #tgpu.layout<register = [[1]], lane = [], warp = [], block = [], shape = [2]>
tt.func @reduction(%map: !tgpu.tensor_map, %i: i32, %x: tensor<2xf32, #a>) {
  // expected-error @+1 {{knows no reduction 'mul'}}
  tgpu.map_store %map[%i], %x {reduce = "mul"} : tensor<2xf32, #a>
  tt.return
}
