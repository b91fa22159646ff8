// RUN: nereid-opt %s | nereid-opt | FileCheck %s

// Layouts print as aliases, one definition for all their uses.
// CHECK: #[[A:.+]] = #tgpu.layout<register = {{\[\[}}0, 1{{\]\]}}, lane = {{\[\[}}1, 0{{\]\]}}, warp = [], block = [], shape = [2, 2]>
#a = #tgpu.layout<register = [[0, 1]], lane = [[1, 0]], warp = [], block = [], shape = [2, 2]>
#b = #tgpu.layout<register = [[1, 0]], lane = [[0, 1]], warp = [], block = [], shape = [2, 2]>

// CHECK: tt.func @convert
// CHECK: tgpu.convert_layout %{{.*}} : tensor<2x2xf32, #[[A]]> -> tensor<2x2xf32, #{{.*}}>
tt.func @convert(%x: tensor<2x2xf32, #a>) -> tensor<2x2xf32, #b> {
  %0 = tgpu.convert_layout %x : tensor<2x2xf32, #a> -> tensor<2x2xf32, #b>
  tt.return %0 : tensor<2x2xf32, #b>
}

// A tile whose rows are swizzled: the second offset bit also flips the column.
// CHECK: tt.func @shared
// CHECK: tgpu.local_alloc %{{.*}} : (tensor<2x2xf32, #[[A]]>) -> !tgpu.tile<2x2xf32, offset = {{\[\[}}0, 1], [1, 1{{\]\]}}>
// CHECK: tgpu.local_load
// CHECK: tgpu.local_store
// CHECK: tgpu.local_alloc : () -> !tgpu.tile<4xi8, offset = {{\[\[}}1], [2{{\]\]}}>
tt.func @shared(%x: tensor<2x2xf32, #a>) {
  %0 = tgpu.local_alloc %x : (tensor<2x2xf32, #a>) -> !tgpu.tile<2x2xf32, offset = [[0, 1], [1, 1]]>
  %1 = tgpu.local_load %0 : !tgpu.tile<2x2xf32, offset = [[0, 1], [1, 1]]> -> tensor<2x2xf32, #a>
  tgpu.local_store %1, %0 : tensor<2x2xf32, #a>, !tgpu.tile<2x2xf32, offset = [[0, 1], [1, 1]]>
  %2 = tgpu.local_alloc : () -> !tgpu.tile<4xi8, offset = [[1], [2]]>
  tt.return
}

// Blocks by the copy engine, and what a thread keeps for itself.
// CHECK: tt.func @maps
// CHECK: tgpu.map_load %{{.*}}[%{{.*}}, %{{.*}}] : tensor<2x2xf32, #[[A]]>
// CHECK: tgpu.map_store %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} {reduce = "add"} : tensor<2x2xf32, #[[A]]>
// CHECK: tgpu.variable_set
tt.func @maps(%map: !tgpu.tensor_map, %i: i32) {
  %0 = tgpu.map_load %map[%i, %i] : tensor<2x2xf32, #a>
  tgpu.map_store %map[%i, %i], %0 {reduce = "add"} : tensor<2x2xf32, #a>
  %1 = tgpu.variable %i
  %2 = tgpu.variable_get %1
  tgpu.variable_set %1, %2
  %3 = tgpu.barrier_alloc {arrivals = 1 : i32} : !tgpu.barriers<2>
  tgpu.barrier_free %3 : !tgpu.barriers<2>
  tt.return
}
