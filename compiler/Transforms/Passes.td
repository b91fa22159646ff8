//===- Passes.td - The passes on tile IR, and what they promise -----------===//

#ifndef NEREID_COMPILER_TRANSFORMS_PASSES_TD
#define NEREID_COMPILER_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def Import : Pass<"nrd-import", "::mlir::ModuleOp"> {
  let summary = "Bring tile IR from outside to the form later passes expect";
  let description = [{
    Text printed by some version of Triton says some things in another way than
    our front end. After this pass:

    * a barrier is `ttg.barrier`, never `gpu.barrier`;
    * no function is `noinline`, a hint that changes no result: the back ends
      compile one function per kernel;
    * blocks that nothing reaches are gone.

    A call that inlining cannot remove, because it recurs or has no body to
    inline, is an error.
  }];
  let dependentDialects = ["::nereid::ttg::TTGDialect"];
}

def StructureControlFlow : Pass<"nrd-structure-control-flow", "::mlir::ModuleOp"> {
  let summary = "Turn branches between blocks into scf";
  let description = [{
    An early return of the source arrives as several blocks. The pass gives
    every `tt.func`, and every region of a `tt.map_elementwise`, a single block,
    with `scf.if` and `scf.while` in it, and no `scf.index_switch`. A function of one
    block can be inlined anywhere, a loop body included, so this runs before
    inlining.

    ```mlir
    cf.cond_br %c, ^bb1, ^bb2
    ^bb1:
      tt.return
    ^bb2:
      tt.store %p, %x : !tt.ptr<f32>
      tt.return
    // becomes
    scf.if %c {
    } else {
      tt.store %p, %x : !tt.ptr<f32>
    }
    tt.return
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::scf::SCFDialect", "::mlir::ub::UBDialect"
  ];
}

def LowerBlockPointers : Pass<"nrd-lower-block-pointers", "::mlir::ModuleOp"> {
  let summary = "Turn block pointers into pointers and masks";
  let description = [{
    A block pointer becomes its base, and the shape, strides and offsets as i64
    scalars, through loops, branches and calls too. A load or store through it
    then uses, for each dimension d, the coordinate `offset[d] + range`:

    * pointers: base + sum of offset[d] * stride[d], a scalar, plus the tensor
      sum of range * stride[d], which does not change in a loop;
    * mask: 0 <= coordinate < shape[d] for the dimensions of `boundaryCheck`;
    * other: zero or NaN where `padding` says so, else nothing.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::nereid::tt::TTDialect"];
}

def LowerTensorMaps : Pass<"nrd-lower-tensor-maps", "::mlir::ModuleOp"> {
  let summary = "Turn tensor descriptors into tensor maps where TMA serves them";
  let description = [{
    For targets with a copy engine; before `nrd-lower-descriptors`, which makes
    pointers of the rest. A descriptor that the engine can serve (rank, element
    and rows of the block, see `copyBox`) becomes a tensor map:

    * where its base is a kernel argument known to be divisible by 16, and its
      shape and strides are made of integer arguments and constants, a hidden
      argument with a recipe (Recipe.h) by which the host encodes the map.
      What the engine asks of these values is checked when a call is bound;
      where it does not hold, a variant without maps serves the call;
    * else `tgpu.tensor_map_create`, by each program in its own global scratch,
      if the variant relies on alignment at all.

    Loads, stores and reductions through it become `tgpu.map_load` and
    `tgpu.map_store`, if their place along the fastest dimension is provably a
    multiple of 16 bytes, as the engine demands. The others, gathers, scatters and reductions that the engine does not
    know keep the descriptor.

    ```mlir
    %d = tt.make_tensor_descriptor %p, [%m, %k], [%s, %one] : <f16>, <128x64xf16>
    %x = tt.descriptor_load %d[%i, %j] : ...
    // becomes, %map being a new argument
    %x = tgpu.map_load %map[%i, %j] : tensor<128x64xf16>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_90a\"",
           "The target's name, as targets.def spells it">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::nereid::tt::TTDialect",
    "::nereid::tgpu::TGPUDialect"
  ];
}

def LowerDescriptors : Pass<"nrd-lower-descriptors", "::mlir::ModuleOp"> {
  let summary = "Turn tensor descriptors into pointers and masks";
  let description = [{
    For targets with no hardware for descriptors. A descriptor becomes its base,
    shape, strides and padding; loads, stores, reductions, gathers and scatters
    become `tt.load`, `tt.store` and `tt.atomic_rmw` masked to the array.

    A descriptor argument of a kernel is replaced by arguments for its base, its
    shape (i32) and its strides (i64). Every argument of a kernel then carries
    `nrd.slot`, the source argument that it belongs to, and `nrd.field`:
    "value", "shape" or "stride", the last two with the dimension in
    `nrd.index`. The last stride is 1 by the language's rules; the argument for
    it exists and is unused.

    ```mlir
    tt.func public @k(%d: !tt.tensordesc<64x64xf16>, %n: i32)
    // becomes
    tt.func public @k(
        %d: !tt.ptr<f16> {nrd.field = "value", nrd.slot = 0 : i32},
        %d0: i32 {nrd.field = "shape", nrd.index = 0 : i32, nrd.slot = 0 : i32},
        ...
        %n: i32 {nrd.field = "value", nrd.slot = 1 : i32})
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::nereid::tt::TTDialect"];
}

def ScalarizeLoopCarries : Pass<"nrd-scalarize-loop-carries"> {
  let summary = "Carry a scalar offset through a loop, not a tensor";
  let description = [{
    A tensor of pointers or integers that every iteration moves by one uniform
    amount (`a_ptrs += BLOCK_K * stride`) becomes the tensor before the loop,
    which does not change, plus a scalar that the loop carries. Pointers carry
    an i64 offset in elements; integers carry their own type. Both are exact.
    Loops may be nested, and the loop's result is rebuilt the same way.

    ```mlir
    %r = scf.for ... iter_args(%p = %init) -> (tensor<64x!tt.ptr<f16>>) {
      %x = tt.load %p : tensor<64x!tt.ptr<f16>>
      %q = tt.addptr %p, %step : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
      scf.yield %q : tensor<64x!tt.ptr<f16>>
    }
    // becomes, with %step the splat of %s
    %r = scf.for ... iter_args(%o = %c0) -> (i64) {
      %so = tt.splat %o : i64 -> tensor<64xi64>
      %p = tt.addptr %init, %so : tensor<64x!tt.ptr<f16>>, tensor<64xi64>
      %x = tt.load %p : tensor<64x!tt.ptr<f16>>
      %t = arith.extsi %s : i32 to i64
      %q = arith.addi %o, %t : i64
      scf.yield %q : i64
    }
    ```

    Where `%init` is itself `addptr(splat(%base), %tensor)`, the offset goes to
    the scalar: `addptr(splat(addptr(%base, %o)), %tensor)`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::nereid::tt::TTDialect"
  ];
}

def MergeLoops : Pass<"nrd-merge-loops"> {
  let summary = "Run a loop and the one that continues it as one";
  let description = [{
    Attention visits the blocks before the diagonal in one loop and those on it
    in a second, which masks the scores and is else the same. Each loop alone
    would start with nothing loaded and end with nothing left to overlap. Two
    loops become one, with a branch around what differs, where

    * the second starts where the first ends, with the same step and options,
      and carries on with all that the first carries;
    * the step divides the bounds, so that no iteration goes over the border;
    * both only compute and load;
    * they share a load, and what differs is neither a load nor a product.

    What the second loop needs is computed before the first.

    ```mlir
    %m = scf.for %i = %c0 to %mid step %c64 iter_args(%a = %zero) {
      %s = "scores"(%i)
      %b = "sum"(%a, %s)
      scf.yield %b
    }
    %r = scf.for %i = %mid to %end step %c64 iter_args(%a = %m) {
      %s = "scores"(%i)
      %t = "mask"(%s, %i)
      %b = "sum"(%a, %t)
      scf.yield %b
    }
    // becomes
    %r = scf.for %i = %c0 to max(%mid, %end) step %c64 iter_args(%a = %zero) {
      %s = "scores"(%i)
      %before = arith.cmpi slt, %i, %mid
      %u = scf.if %before {
        scf.yield %s
      } else {
        %t = "mask"(%s, %i)
        scf.yield %t
      }
      %b = "sum"(%a, %u)
      scf.yield %b
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def GuardMasks : Pass<"nrd-guard-masks"> {
  let summary = "Skip masks in iterations that they do not touch";
  let description = [{
    A loop over blocks masks every block because the last one may be partial.
    Where one comparison of scalars says that a mask is true everywhere, the
    selection of a large tensor goes into a branch, with all that only the mask
    needs, except products. Comparisons of sums of ranges and scalars are
    understood, as are conjunctions of them. Where a sum wraps around within the
    tensor the iteration is masked. A mask that selects what is not a constant
    where it is false must be false everywhere; disjunctions are understood then.

    ```mlir
    %i = tt.splat %start : i32 -> tensor<64xi32>
    %j = arith.addi %i, %range : tensor<64xi32>       // range 0 .. 63
    %m = arith.cmpi slt, %j, %bound : tensor<64xi32>  // splat of %n
    // .. expand_dims, broadcast
    %r = arith.select %mask, %x, %other : tensor<64x64xf32>
    // becomes
    %last = arith.addi %start, %c63 : i32
    %ordered = arith.cmpi sle, %start, %last : i32  // does not wrap around
    %within = arith.cmpi slt, %last, %n : i32
    %whole = arith.andi %ordered, %within : i1
    %r = scf.if %whole {
      scf.yield %x
    } else {
      // the mask
      %s = arith.select %mask, %x, %other
      scf.yield %s
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def GuardCopies : Pass<"nrd-guard-copies"> {
  let summary = "Copy without masks in iterations that they do not touch";
  let description = [{
    The same for the masks of asynchronous copies in a loop: where they are true
    everywhere, by comparisons of scalars, the copies run without them. Copies
    that nothing but arithmetic stands between share a branch. Only in loops that
    compute with large tensors apart from their products; late in the pipeline,
    because to other passes a copy is one operation.

    ```mlir
    tgpu.async_copy %p, %t mask %m : ..
    // becomes
    scf.if %whole {
      tgpu.async_copy %p, %t : ..
    } else {
      // the mask
      tgpu.async_copy %p, %t mask %m : ..
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::nereid::tgpu::TGPUDialect"];
}

def ScaleMaxima : Pass<"nrd-scale-maxima"> {
  let summary = "Find the maximum before a scaling, not after it";
  let description = [{
    A softmax scales its scores, finds their maximum and subtracts it. For a
    positive, finite scale the maximum of products is the product of the
    maximum, exactly, because rounding keeps the order. The scaling of all
    elements is then an operand of the subtraction alone, with which it becomes
    one multiply-add.

    Applies in loops, to a product of a large tensor with a scalar from outside
    the loop, directly or behind a branch that masks it (`nrd-guard-masks`),
    where the product is used by a maximum or minimum and by differences only.
    What lies between them is there twice: for scales that are positive and
    finite in iterations that nothing masks, and as it was.

    ```mlir
    %s = arith.mulf %x, %splat : tensor<64x64xf32>
    %m = "max over dimension 1"(%s)
    %b = broadcast(expand_dims(%m))
    %d = arith.subf %s, %b : tensor<64x64xf32>
    // becomes
    %good = "0 < scale < inf"
    %d = scf.if %good {
      %n = "max over dimension 1"(%x)
      %m = arith.mulf %n, %splat1 : tensor<64xf32>
      %b = broadcast(expand_dims(%m))
      %o = arith.negf %b
      %d = math.fma %x, %splat, %o
      scf.yield %d
    } else {
      // as before
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect",
                           "::nereid::tt::TTDialect"];
}

def UnrollLoops : Pass<"nrd-unroll-loops"> {
  let summary = "Repeat the body of a loop as tl.range asks";
  let description = [{
    A loop with `tt.loop_unroll_factor = n` becomes one whose body is `n`
    iterations, and one for the iterations that are left, which is not
    pipelined. The loop's other attributes go to both: the first is pipelined
    or not as it would have been. Without the attribute a loop stays as it is.

    ```mlir
    scf.for %i = %lb to %ub step %c1 {...} {tt.loop_unroll_factor = 2 : i32}
    // becomes
    scf.for %i = %lb to %even step %c2 {... ...}
    scf.for %i = %even to %ub step %c1 {...} {tt.num_stages = 1 : i32}
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def Combine : Pass<"nrd-combine"> {
  let summary = "Fold ops of several dialects into each other";
  let description = [{
    * An elementwise op of splats is a splat of the scalar op.
    * `x + dot(a, b, 0)` is `dot(a, b, x)`, as Triton compiles it.
    * `select(m, load(p, m), other)` is `load(p, m, other)`.
    * `select(splat(c), a, b)` is `select(c, a, b)`.
    * A uniform offset is added to the scalar pointer below a tensor of them.
    * Canonical forms of tt and arith, as -canonicalize gives them.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::nereid::tt::TTDialect"];
}

def DecomposeScaledDot : Pass<"nrd-decompose-scaled-dot"> {
  let summary = "Compute a micro-scaled product by a plain one";
  let description = [{
    For targets without an instruction for it, `tt.dot_scaled` becomes: both
    operands decoded to f32, multiplied by their scales spread over K, and a
    `tt.dot` in full precision. e2m1 operands are unpacked, e8m0 scales turned
    into powers of two (0 is 2^-127, 255 is NaN).

    ```mlir
    %d = tt.dot_scaled %a scale %s, %b, %c lhs = e4m3 rhs = e4m3
        : tensor<16x64xf8E4M3FN>, tensor<16x2xi8> * tensor<64x16xf8E4M3FN>
        -> tensor<16x16xf32>
    // becomes
    %0 = tt.fp_to_fp %a : tensor<16x64xf8E4M3FN> -> tensor<16x64xf32>
    ...
    %9 = arith.mulf %0, %factors : tensor<16x64xf32>
    %d = tt.dot %9, %1, %c
        : tensor<16x64xf32> * tensor<64x16xf32> -> tensor<16x16xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

//===----------------------------------------------------------------------===//
// From tt to tgpu, and within tgpu
//===----------------------------------------------------------------------===//

def AssignLayouts : Pass<"nrd-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "Spread every tensor over the threads of a block";
  let description = [{
    From tt to tgpu: afterwards every tensor type has a `#tgpu.layout`, moves
    between layouts are `tgpu.convert_layout`, and `nrd-verify-layouts` holds.
    Every legal kernel has an assignment, whatever the shapes of its tiles.

    * Memory operations get `nrd.access`, how many neighbours they may access at
      once, and layouts in which neighbouring threads access neighbours, 16 bytes
      each where that leaves no thread without work.
    * Products get the layouts of the unit that serves them; those of warpgroups
      become `tgpu.warpgroup_mma` on tiles in shared memory.
    * Other tensors follow from these, or have a layout that suits their shape.
      Pointers, masks and what else follows from ranges and scalars is computed in
      each layout where it is needed.

    The module says from then on what it is made for: `nrd.target`,
    `nrd.num_warps`, `nrd.num_stages`.

    ```mlir
    %x = tt.load %p : tensor<1024x!tt.ptr<f32>>
    // becomes, with 4 warps
    %x = tt.load %p {nrd.access = array<i32: 0, 4, 1024>, ...}
        : tensor<1024x!tt.ptr<f32>, #layout>
    // #layout: register 1, 2; lane 4 .. 64; warp 128, 256; register 512
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_90a\"",
           "What the kernel is compiled for, a row of targets.def">,
    Option<"numWarps", "num-warps", "int32_t", /*default=*/"4",
           "Warps of a block">,
    Option<"numStages", "num-stages", "int32_t", /*default=*/"3",
           "Iterations that a pipelined loop has in flight">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::nereid::tgpu::TGPUDialect",
    "::nereid::tt::TTDialect"
  ];
}

def RemoveLayoutConversions
    : Pass<"nrd-remove-layout-conversions", "::mlir::ModuleOp"> {
  let summary = "Choose layouts with fewer and cheaper conversions";
  let description = [{
    Within tgpu. Takes all conversions out, lets every tensor that is not bound
    to a matrix unit choose its layout anew by what accesses, arithmetic,
    reductions and conversions cost (LayoutCosts.h), weighted by the depth of
    loops, and puts the conversions back that are still needed: as early as
    possible, so outside of loops, and on the smallest tensors, before a
    broadcast or an extension, after a truncation.

    A loop that adds up reductions (`acc += sum(x)`) carries each thread's own
    sum; threads exchange theirs after the loop.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::nereid::tgpu::TGPUDialect"
  ];
}

def VerifyLayouts : Pass<"nrd-verify-layouts"> {
  let summary = "Check that every operation's layouts fit together";
  let description = [{
    Fails where a tensor has no layout, one for another number of warps, or one
    that does not follow from its neighbours' by the rules of LayoutRules.h.
  }];
  let dependentDialects = ["::nereid::tgpu::TGPUDialect"];
}

def WidenFloat8 : Pass<"nrd-widen-float8"> {
  let summary = "Compute in f32 what is written on fp8";
  let description = [{
    For GPU targets, which convert fp8 and multiply matrices of it, but have no
    other arithmetic on it. A result is rounded once, from the f32 one.

    ```mlir
    %c = arith.addf %a, %b : tensor<64xf8E5M2>
    // becomes
    %x = tt.fp_to_fp %a : tensor<64xf8E5M2> -> tensor<64xf32>
    %y = tt.fp_to_fp %b : tensor<64xf8E5M2> -> tensor<64xf32>
    %z = arith.addf %x, %y : tensor<64xf32>
    %c = tt.fp_to_fp %z, rounding = rtne : tensor<64xf32> -> tensor<64xf8E5M2>
    ```
  }];
  let dependentDialects = ["::nereid::tt::TTDialect"];
}

def GuardProducts : Pass<"nrd-guard-products"> {
  let summary = "An empty loop of products does not meet a full one in flight";
  let description = [{
    For GPU targets, on tgpu, behind `nrd-pipeline-loops`. The products that a
    loop leaves in flight are waited for behind it. Where the loop may be empty,
    its initial values would come to that wait by the other way: an assembler
    then sees ordinary instructions write the registers of a product in flight
    and makes every product wait for itself (ptxas C7515). So loop and wait go
    into a branch of their own, and an empty loop's values meet behind the wait.

    ```mlir
    %0 = scf.for %i = %a to %b step %c iter_args(%acc = %zero) { ... }
    %1 = tgpu.warpgroup_wait 0, %0 : ...
    // becomes
    %r = arith.cmpi slt, %a, %b : i32
    %1 = scf.if %r {
      %0 = scf.for ...
      %w = tgpu.warpgroup_wait 0, %0 : ...
      scf.yield %w
    } else {
      scf.yield %zero
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def PipelineLoops : Pass<"nrd-pipeline-loops", "::mlir::ModuleOp"> {
  let summary = "Copy ahead of a loop, and let products run behind it";
  let description = [{
    For GPU targets, on tgpu. In a loop with dots, loads that end in an operand
    of a dot become asynchronous copies into rings of tiles in shared memory,
    started up to `num_stages` iterations before their use; in a loop without
    dots this happens to all loads where the loop asks for it with
    `tt.num_stages`. What computes their addresses runs ahead too
    (LoopSlices.h); loads in it run one iteration earlier still and wait in
    registers. Where the rings do not fit into shared memory there are fewer
    stages.

    A load stays as it is when the loop may write the memory it reads, when it
    is volatile or inside a branch, or when a thread has less than 4 neighbouring
    bytes to copy. Masked elements that are not zero are put in when the ring is
    read.

    Products of `tgpu.warpgroup_mma` run on until their result is touched, into
    the next iteration where it is only carried there.

    ```mlir
    scf.for %i = %lb to %ub step %s iter_args(%acc = %zero) {
      %p = tt.addptr %base, %i
      %a = tt.load %p
      %t = tgpu.local_alloc %a
      %r = tgpu.warpgroup_mma %t, %b, %acc
      %w = tgpu.warpgroup_wait 0, %r
      scf.yield %w
    }
    // becomes, with three stages
    %ring = tgpu.local_alloc : () -> !tgpu.tile<.., buffers = 3>
    ... async_copy of iterations 0 and 1 where they exist, each with a commit ...
    scf.for %i = %lb to %ub step %s iter_args(%acc = %zero, %k = %c0) {
      tgpu.async_wait 1; tgpu.proxy_fence; tgpu.sync_threads
      %t = tgpu.tile_at %ring[%k]
      %r = tgpu.warpgroup_mma %t, %b, %acc
      tgpu.warpgroup_wait 1
      tgpu.sync_threads
      ... async_copy of iteration i + 2 into the slot that i - 1 used ...
      tgpu.async_commit
      scf.yield %r, (%k + 1) mod 3
    }
    %w = tgpu.warpgroup_wait 0, ..; tgpu.async_wait 0; tgpu.sync_threads
    ```

    `tt.num_stages` of a loop overrides the module's. `tt.disallow_acc_multi_buffer`
    means nothing here: accumulators of these targets live in registers and are
    never multiplied. `tt.flatten` and `tt.warp_specialize` belong to
    `nrd-warp-specialize`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::nereid::tt::TTDialect", "::nereid::tgpu::TGPUDialect"
  ];
}

def WarpSpecialize : Pass<"nrd-warp-specialize", "::mlir::ModuleOp"> {
  let summary = "Let some warps copy blocks ahead of those that compute";
  let description = [{
    For targets with a copy engine, after layouts and before pipelining: where a
    loop loads blocks by tensor maps (`tgpu.map_load`) for products on the
    matrix unit, or is marked `tt.warp_specialize`, the body of the kernel moves
    into a `tgpu.warp_specialize` of two partitions.

    * Consumers, the warps that the layouts were chosen for, run all of it. A
      load becomes a wait until a stage of its ring is full; a stage is released
      when the last read of it is over.
    * The producer, four more warps, runs only the loops, branches and scalars
      that lead to the loads, and fills stages as they become empty: it runs
      ahead by itself, over the ends of inner loops too.

    Loads of one block that feed one product share a pair of barriers. A ring has
    as many stages as `tt.num_stages` of the loop or the module says, fewer where
    shared memory is short. Where the kernel's own writes may reach what is
    loaded, or a block's place depends on tensors, nothing is changed; a marked
    loop gets a remark that says why.

    ```mlir
    scf.for %k = ... {
      %a = tgpu.map_load %map[%i, %k] : tensor<128x64xf16, #l>
      ...
    }
    // becomes
    %ring = tgpu.local_alloc : () -> !tgpu.tile<128x64xf16, ..., buffers = 3>
    tgpu.warp_specialize attributes {warps = [8, 4], registers = [232, 40]} {
      scf.for %k = ... {
        tgpu.barrier_wait %full[%slot], %parity : !tgpu.barriers<3>
        ... the product reads the tile of the stage ...
        tgpu.barrier_arrive %empty[%slot] : !tgpu.barriers<3>
      }
    }, {
      scf.for %k = ... {
        tgpu.barrier_wait %empty[%slot], %parity : !tgpu.barriers<3>
        tgpu.barrier_expect %full[%slot], 16384 : !tgpu.barriers<3>
        tgpu.tma_load %map[%i, %k], %tile, %full[%slot] : ...
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect", "::nereid::tgpu::TGPUDialect"];
}

def LowerTensorCopies : Pass<"nrd-lower-tensor-copies", "::mlir::ModuleOp"> {
  let summary = "Turn loads and stores by tensor maps into copies of tiles";
  let description = [{
    What pipelining and warp specialisation left of `tgpu.map_load` and
    `tgpu.map_store`. A load waits for its copy; a store waits for the copy to
    have read the tile, except in a loop of a partition, where the wait is put
    off until the tile is filled again.

    ```mlir
    tgpu.map_store %map[%i, %j], %x : tensor<128x64xf16, #l>
    // becomes
    %t = tgpu.local_alloc %x : (tensor<128x64xf16, #l>) -> !tgpu.tile<...>
    tgpu.proxy_fence
    tgpu.sync_threads
    tgpu.tma_store %map[%i, %j], %t : !tgpu.tile<...>
    tgpu.tma_store_wait 0
    tgpu.sync_threads
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::nereid::tgpu::TGPUDialect"];
}

#endif // NEREID_COMPILER_TRANSFORMS_PASSES_TD
