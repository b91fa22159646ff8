// Other spellings that some version of Triton prints, and the one we print.
// RUN: nereid-opt %s | FileCheck %s
// RUN: nereid-opt %s -mlir-print-debuginfo | nereid-opt -mlir-print-debuginfo | FileCheck %s --check-prefix=LOC

#loc = loc("kernel.py":10:0)
#loc3 = loc("x"(#loc))
#licm = #llvm.loop_licm<disable = true, versioningDisable = true>
#loop = #llvm.loop_annotation<licm = #licm>
// CHECK: module attributes {"ttg.num-warps" = 4 : i32}
module attributes {"ttg.num-warps" = 4 : i32} {
  // CHECK: tt.func public @spellings
  // CHECK-SAME: !tt.tensordesc<64x64xf16>
  // LOC: tt.func public @spellings(%{{.*}}: !tt.ptr<f32> {tt.divisibility = 16 : i32} loc("x"
  tt.func public @spellings(%x: !tt.ptr<f32> {tt.divisibility = 16 : i32} loc("x"(#loc)),
                            %d: !tt.tensordesc<tensor<64x64xf16>> loc("d"(#loc)),
                            %n: i32 loc("n"(#loc)), %c: i1 loc("c"(#loc))) attributes {noinline = false} {
    %zero = arith.constant 0 : i32 loc(#loc1)
    %one = arith.constant 1 : i32 loc(#loc1)
    // Hints about values.
    // CHECK: tt.make_range {end = 16 : i32, start = 0 : i32, tt.contiguity = dense<16> : tensor<1xi32>}
    %r = tt.make_range {end = 16 : i32, start = 0 : i32, tt.contiguity = dense<16> : tensor<1xi32>} : tensor<16xi32> loc(#loc2)
    %p = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>> loc(#loc2)
    %q = tt.addptr %p, %r : tensor<16x!tt.ptr<f32>>, tensor<16xi32> loc(#loc2)
    // The cache hints of Triton 3.9.
    // CHECK: tt.load %{{.*}} cacheModifier = cg evictionPolicy = evict_first {isVolatile = true} : tensor<16x!tt.ptr<f32>>
    // LOC: tt.load {{.*}} loc(#[[LOC:.*]])
    %v = tt.load %q {cachePolicy = #tt.cache_policy<cache_modifier = cg, eviction_policy = evict_first>, isVolatile = true} : tensor<16x!tt.ptr<f32>> loc(#loc4)
    // CHECK: tt.store %{{.*}}, %{{.*}} evictionPolicy = evict_last : tensor<16x!tt.ptr<f32>>
    tt.store %q, %v {cachePolicy = #tt.cache_policy<cache_modifier = none, eviction_policy = evict_last>} : tensor<16x!tt.ptr<f32>> loc(#loc2)
    // The descriptor type of Triton 3.6.
    // CHECK: tt.make_tensor_descriptor %{{.*}} : <f32>, <16xf32>
    %s = arith.constant 1 : i64 loc(#loc1)
    %e = tt.make_tensor_descriptor %x, [%n], [%s] : <f32>, <tensor<16xf32>> loc(#loc2)
    // CHECK: tt.descriptor_load %{{.*}}[%{{.*}}, %{{.*}}] cacheModifier = ca : !tt.tensordesc<64x64xf16> -> tensor<64x64xf16>
    %l = tt.descriptor_load %d[%n, %n] {cachePolicy = #tt.cache_policy<cache_modifier = ca, eviction_policy = evict_normal>} : !tt.tensordesc<tensor<64x64xf16>> -> tensor<64x64xf16> loc(#loc2)
    // Options of a loop, and what the other dialects contribute.
    scf.for %i = %zero to %n step %one  : i32 {
      // CHECK: llvm.intr.assume %{{.*}} : i1
      llvm.intr.assume %c : i1 loc(#loc2)
      // CHECK: gpu.barrier
      gpu.barrier loc(#loc2)
    // CHECK-NEXT: } {llvm.loop_annotation = #{{.*}}, tt.flatten, tt.num_stages = 3 : i32, tt.warp_specialize}
    } {llvm.loop_annotation = #loop, tt.flatten, tt.num_stages = 3 : i32, tt.warp_specialize} loc(#loc2)
    // CHECK: ub.poison : f32
    %u = ub.poison : f32 loc(#loc2)
    tt.return loc(#loc2)
  } loc(#loc)
} loc(#loc)
// LOC: #[[LOC]] = loc("v"(
#loc1 = loc(unknown)
#loc2 = loc("kernel.py":12:7)
#loc4 = loc("v"(#loc2))
