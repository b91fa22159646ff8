//===- Passes.td - Passes that all GPU targets share -------*- tablegen -*-===//

#ifndef NEREID_COMPILER_TARGET_GPU_PASSES_TD
#define NEREID_COMPILER_TARGET_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def AllocateShared : Pass<"nrd-allocate-shared", "mlir::ModuleOp"> {
  let summary = "Give tiles, barriers and scratch their place in shared memory";
  let description = [{
    Places every `tgpu.local_alloc`, `tgpu.barrier_alloc` and the scratch that
    operations need while they run (`gpu::scratchBytes`), so that what lives at
    the same time does not overlap. Offsets become `nrd.shared_offset`, the sum
    `nrd.shared_bytes` on the module. A buffer lives to its last use, through
    every loop that uses it from outside, and until the wait that retires
    asynchronous readers; partitions of a `tgpu.warp_specialize` live at the
    same time.

    A kernel that needs more than its target has is an error that names the
    largest buffers, after conversions between layouts were asked to work with
    less scratch in more rounds (`nrd.scratch_limit`).

    ```mlir
    %0 = tgpu.local_alloc %x {nrd.shared_offset = 0 : i64} : ...
    %a = tgpu.local_load %0 : ...                // the last use
    %1 = tgpu.local_alloc %y {nrd.shared_offset = 0 : i64} : ...
    ```
  }];
  let dependentDialects = ["::nereid::tgpu::TGPUDialect"];
}

def StaggerWarpgroups : Pass<"nrd-stagger-warpgroups", "mlir::ModuleOp"> {
  let summary = "Let one half of a block multiply while the other computes";
  let description = [{
    In a loop whose products (wgmma) have arithmetic between them, as attention
    has, all warpgroups that meet between two products start the arithmetic
    together and leave the matrix unit idle. Where no second block fits beside
    this one to use it, warpgroups with an odd number meet in front of the
    arithmetic, as they did, and those with an even number behind it. So the even
    ones go on to their next products when the odd ones begin to compute.

    This asks that nothing between the two places touches shared memory.

    ```mlir
    scf.for ... {
      %s = tgpu.warpgroup_mma ...
      %t = tgpu.warpgroup_wait 0, %s
      tgpu.sync_threads
      %p = math.exp2 %t
      %o = tgpu.warpgroup_mma %p, ...
    }
    // becomes
    scf.for ... {
      %s = tgpu.warpgroup_mma ...
      %t = tgpu.warpgroup_wait 0, %s
      tgpu.sync_threads half 1
      %p = math.exp2 %t
      tgpu.sync_threads half 0 with %p
      %o = tgpu.warpgroup_mma %p, ...
    }
    ```
  }];
  let dependentDialects = ["::nereid::tgpu::TGPUDialect"];
}

def InsertBarriers : Pass<"nrd-insert-barriers", "mlir::ModuleOp"> {
  let summary = "Order accesses to shared memory by barriers";
  let description = [{
    Inserts `tgpu.sync_threads` between accesses of different threads to the
    same bytes of shared memory of which one writes, around the back edges of
    loops too, and `tgpu.proxy_fence` before it where the copy engine or a
    matrix unit reads what threads wrote. Barriers that are there count. The
    copies and reads of a ring in one loop are ordered by whoever made the ring.

    ```mlir
    tgpu.local_store %x, %t : ...
    tgpu.sync_threads                            // inserted
    %y = tgpu.local_load %t : ...
    ```
  }];
  let dependentDialects = ["::nereid::tgpu::TGPUDialect"];
}

def EmitGPU : Pass<"nrd-emit-gpu", "mlir::ModuleOp"> {
  let summary = "Write the code of one thread";
  let description = [{
    Replaces the module's kernel, in tgpu with shared memory allocated, by an
    `llvm.func` of scalar scf, arith, math and llvm for the target that the
    module's `nrd.target` names (see Emitter.h).

    ```mlir
    %r = arith.addf %a, %b : tensor<8xf32, #two_registers>
    // becomes
    %r0 = arith.addf %a0, %b0 : f32
    %r1 = arith.addf %a1, %b1 : f32
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect",
                           "mlir::cf::ControlFlowDialect",
                           "mlir::LLVM::LLVMDialect",
                           "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect"];
}

#endif // NEREID_COMPILER_TARGET_GPU_PASSES_TD
