//===- TGPUDialect.td - Tiles spread over a GPU's threads -----------------===//

#ifndef NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_TD
#define NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def TGPU_Dialect : Dialect {
  let name = "tgpu";
  let cppNamespace = "::nereid::tgpu";
  let summary = "Tiles spread over registers, lanes, warps and blocks";
  let description = [{
    `tgpu` is `tt` in which every tensor type carries a layout: which element
    each register of each thread holds. The operations stay those of `tt`,
    `arith`, `math` and `scf`; this dialect adds what only exists once layouts
    are chosen: conversions between layouts, tiles in shared memory, copies that
    complete later, and the instructions of matrix units.

    Elementwise operations have one layout for all operands and results. How the
    layouts of the operands and results of other operations must agree is said
    by `inferLayout` and `inferOperandLayout` in Layouts.h, and checked by
    `nrd-verify-layouts`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::nereid::tt::TTDialect"];
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
}

//===----------------------------------------------------------------------===//
// The layout of a tensor
//===----------------------------------------------------------------------===//

// The accessor gives a reference to what the context keeps: parts of a layout
// may be looked at without holding a copy of it.
def LinearLayoutParameter
    : AttrOrTypeParameter<"::nereid::LinearLayout", "a linear layout",
                          "const ::nereid::LinearLayout &">;

def TGPU_LayoutAttr : AttrDef<TGPU_Dialect, "Layout", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "layout";
  let summary = "A linear layout: from register, lane, warp, block to element";
  let description = [{
    The bases of a linear map over F2 (LinearLayout.h explains it from zero).
    Input dimensions are always `register`, `lane`, `warp` and `block`, in this
    order; one entry per bit, one number per tensor dimension. The map reaches
    every element of the tensor.

    ```mlir
    // 4 lanes with 2 neighbouring elements each
    tensor<8xf32, #tgpu.layout<register = [[1]], lane = [[2], [4]], warp = [],
                               block = [], shape = [8]>>
    ```
  }];
  let parameters = (ins LinearLayoutParameter:$linear);
  let hasCustomAssemblyFormat = 1;
}

//===----------------------------------------------------------------------===//
// Tiles in shared memory
//===----------------------------------------------------------------------===//

def TGPU_TileType : TypeDef<TGPU_Dialect, "Tile"> {
  let mnemonic = "tile";
  let summary = "A tile in shared memory";
  let description = [{
    A mutable tile at an address in shared memory. Its layout maps `offset`, the
    element's place counted in elements from the start, to the element: row
    major, swizzled or in the tiles that TMA and wgmma read.

    ```mlir
    !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], ...]>
    !tgpu.tile<64x64xf16, offset = [[0, 1], [0, 2], ...], buffers = 3>
    ```

    With `buffers` it is a ring of that many such tiles, one after the other;
    `tgpu.tile_at` picks one. The number need not be a power of two.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        LinearLayoutParameter:$linear,
                        DefaultValuedParameter<"int64_t", "1">:$buffers);
  let extraClassDeclaration = [{
    /// Bytes of one tile, and of all of them.
    int64_t getTileBytes() const;
    int64_t getBytes() const { return getTileBytes() * getBuffers(); }
    /// The type of one tile of the ring.
    TileType withBuffers(int64_t buffers) const;
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def TGPU_BarriersType : TypeDef<TGPU_Dialect, "Barriers"> {
  let mnemonic = "barriers";
  let summary = "Memory barriers (mbarrier) in shared memory";
  let description = [{
    `count` barriers of 8 bytes, one after the other. Each completes a phase
    when its arrivals and its announced bytes have come; waiting takes the
    parity of the phase, 0 for the first.

    ```mlir
    !tgpu.barriers<3>
    ```
  }];
  let parameters = (ins "int64_t":$count);
  let assemblyFormat = "`<` $count `>`";
}

def TGPU_TensorMapType : TypeDef<TGPU_Dialect, "TensorMap"> {
  let mnemonic = "tensor_map";
  let summary = "A tensor map: an array as the copy engine (TMA) sees it";
  let description = [{
    128 bytes that describe an array in global memory and the box that one copy
    moves. It is a kernel argument that the host encodes (a recipe in the pack),
    or made by `tgpu.tensor_map_create` in global scratch.
  }];
}

def TGPU_VariableType : TypeDef<TGPU_Dialect, "Variable"> {
  let mnemonic = "variable";
  let summary = "A 32-bit integer of each thread's own that can be changed";
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

class TGPU_Op<string mnemonic, list<Trait> traits = []>
    : Op<TGPU_Dialect, mnemonic, traits>;

def TGPU_ConvertLayoutOp : TGPU_Op<"convert_layout", [Pure]> {
  let summary = "The same tensor in another layout";
  let description = [{
    Moves elements between registers, lanes and warps as the two layouts demand.
    The lowering looks at the map from result places to source places: it is a
    renaming of registers, shuffles within warps, or a trip through shared
    memory.

    ```mlir
    %1 = tgpu.convert_layout %0 : tensor<64x64xf16, #a> -> tensor<64x64xf16, #b>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$src);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def TGPU_LocalAllocOp : TGPU_Op<"local_alloc", [
    MemoryEffects<[MemAlloc]>]> {
  let summary = "A new tile in shared memory, optionally with contents";
  let description = [{
    The address is assigned by liveness later on. With a source the tile is
    filled from registers; a barrier before its first read is inserted by the
    barrier pass, never by hand.

    ```mlir
    %t = tgpu.local_alloc %x : (tensor<64x64xf16, #l>) -> !tgpu.tile<...>
    ```
  }];
  let arguments = (ins Optional<AnyRankedTensor>:$src);
  let results = (outs TGPU_TileType:$result);
  let assemblyFormat = [{
    ($src^)? attr-dict `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def TGPU_LocalLoadOp : TGPU_Op<"local_load", [MemoryEffects<[MemRead]>]> {
  let summary = "Reads a tile from shared memory into registers";
  let arguments = (ins TGPU_TileType:$src);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
}

def TGPU_LocalStoreOp : TGPU_Op<"local_store", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes registers to a tile in shared memory";
  let arguments = (ins AnyRankedTensor:$value, TGPU_TileType:$dst);
  let assemblyFormat = [{
    $value `,` $dst attr-dict `:` type($value) `,` type($dst)
  }];
  let hasVerifier = 1;
}

//===-- Views of tiles ----------------------------------------------------===//

def TGPU_TileAtOp : TGPU_Op<"tile_at", [Pure]> {
  let summary = "One tile of a ring";
  let arguments = (ins TGPU_TileType:$ring, I32:$index);
  let results = (outs TGPU_TileType:$result);
  let assemblyFormat = [{
    $ring `[` $index `]` attr-dict `:` type($ring) `->` type($result)
  }];
  let hasVerifier = 1;
}

def TGPU_TilePermuteOp : TGPU_Op<"tile_permute", [Pure]> {
  let summary = "The same memory with its dimensions in another order";
  let description = [{
    Result dimension i is source dimension `order[i]`, as `tt.trans` has it. The
    result type is the source's with its layout permuted.
  }];
  let arguments = (ins TGPU_TileType:$src, DenseI32ArrayAttr:$order);
  let results = (outs TGPU_TileType:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
}

//===-- Ordering ----------------------------------------------------------===//

def TGPU_Memory : Resource<"::nereid::tgpu::SharedMemory">;
class TGPU_SyncOp<string mnemonic, list<Trait> traits = []>
    : TGPU_Op<mnemonic, !listconcat(traits, [
        MemoryEffects<[MemRead<TGPU_Memory>, MemWrite<TGPU_Memory>,
                       MemRead, MemWrite]>])>;

def TGPU_SyncThreadsOp : TGPU_SyncOp<"sync_threads"> {
  let summary = "All threads of the block, or of the partition, wait for each "
                "other";
  let description = [{
    Halves of the warpgroups may do so at two places, `half 1` and behind it, in
    the same block, `half 0`: those with an odd number at the first wait for
    those with an even number at the second. Between the two no operation touches
    shared memory, so that it is all the same to who accesses it; the first alone
    orders nothing. The second may name values that are to be computed before.
  }];
  let arguments = (ins OptionalAttr<I32Attr>:$half, Variadic<AnyType>:$ready);
  let builders = [OpBuilder<(ins), [{ (void)$_builder, (void)$_state; }]>];
  let assemblyFormat = "(`half` $half^)? (`with` $ready^ `:` type($ready))? attr-dict";
}

def TGPU_ProxyFenceOp : TGPU_SyncOp<"proxy_fence"> {
  let summary = "Makes ordinary writes to shared memory visible to the copy "
                "engine and to wgmma";
  let assemblyFormat = "attr-dict";
}

def TGPU_BarrierAllocOp : TGPU_Op<"barrier_alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "New memory barriers, initialised for `arrivals` each";
  let arguments = (ins I32Attr:$arrivals);
  let results = (outs TGPU_BarriersType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def TGPU_BarrierFreeOp : TGPU_SyncOp<"barrier_free"> {
  let summary = "Ends the use of barriers, so that their memory may serve again";
  let description = [{
    No thread may still wait for them.
  }];
  let arguments = (ins TGPU_BarriersType:$barriers);
  let assemblyFormat = "$barriers attr-dict `:` type($barriers)";
}

def TGPU_BarrierWaitOp : TGPU_SyncOp<"barrier_wait"> {
  let summary = "Waits until the phase of the given parity is complete";
  let arguments = (ins TGPU_BarriersType:$barriers, I32:$index, I32:$parity,
                       Optional<I1>:$pred);
  let assemblyFormat = [{
    $barriers `[` $index `]` `,` $parity (`if` $pred^)? attr-dict
    `:` type($barriers)
  }];
}

def TGPU_BarrierArriveOp : TGPU_SyncOp<"barrier_arrive"> {
  let summary = "One thread of the partition arrives";
  let description = [{
    The lowering first lets the partition's threads meet where more than one
    warp may still read what the arrival releases.
  }];
  let arguments = (ins TGPU_BarriersType:$barriers, I32:$index,
                       Optional<I1>:$pred);
  let assemblyFormat = [{
    $barriers `[` $index `]` (`if` $pred^)? attr-dict `:` type($barriers)
  }];
}

def TGPU_BarrierExpectOp : TGPU_SyncOp<"barrier_expect"> {
  let summary = "One thread arrives and announces bytes that copies will bring";
  let arguments = (ins TGPU_BarriersType:$barriers, I32:$index, I32Attr:$bytes,
                       Optional<I1>:$pred);
  let assemblyFormat = [{
    $barriers `[` $index `]` `,` $bytes (`if` $pred^)? attr-dict
    `:` type($barriers)
  }];
}

//===-- Copies by threads (cp.async) --------------------------------------===//

def TGPU_AsyncCopyOp : TGPU_SyncOp<"async_copy", [AttrSizedOperandSegments]> {
  let summary = "Starts copying through pointers into a tile";
  let description = [{
    Each thread copies what the layout of `ptr` gives it; where the mask is
    false zeros are written. `other`, where present, is a tensor whose masked
    lanes are stored by ordinary stores after the copy's slot (only zero is
    copied asynchronously).
  }];
  let arguments = (ins AnyRankedTensor:$ptr, TGPU_TileType:$dst,
                       Optional<AnyRankedTensor>:$mask,
                       Optional<AnyRankedTensor>:$other,
                       I32Attr:$cache, I32Attr:$evict);
  let assemblyFormat = [{
    $ptr `,` $dst (`mask` $mask^ `:` type($mask))? (`other` $other^ `:` type($other))?
    attr-dict `:` type($ptr) `,` type($dst)
  }];
}

def TGPU_AsyncCommitOp : TGPU_SyncOp<"async_commit"> {
  let summary = "Closes a group of copies";
  let assemblyFormat = "attr-dict";
}

def TGPU_AsyncWaitOp : TGPU_SyncOp<"async_wait"> {
  let summary = "Waits until at most `pending` groups of this thread are open";
  let description = [{
    With the attribute `drain` it stands before or behind a loop of copies, and
    is written in other words than the waits in the loop.
  }];
  let arguments = (ins I32Attr:$pending);
  let assemblyFormat = "$pending attr-dict";
}

//===-- Copies by the copy engine (TMA) -----------------------------------===//

def TGPU_TensorMapCreateOp : TGPU_SyncOp<"tensor_map_create", [AttrSizedOperandSegments]> {
  let summary = "Writes a tensor map into the program's global scratch";
  let description = [{
    `shape` (i32) and `strides` (i64, elements) are those of the array, outermost
    dimension first; the box is `box` and the swizzle 0, 32, 64 or 128 bytes.
  }];
  let arguments = (ins AnyType:$base, Variadic<I32>:$shape,
                       Variadic<I64>:$strides, DenseI32ArrayAttr:$box,
                       I32Attr:$swizzle, TypeAttr:$elementType,
                       BoolAttr:$nanFill);
  let results = (outs TGPU_TensorMapType:$result);
  let assemblyFormat = [{
    $base `shape` $shape `strides` $strides attr-dict `:` type($base)
  }];
  let hasVerifier = 0;
}
def TGPU_MapLoadOp : TGPU_Op<"map_load", [
    MemoryEffects<[MemRead]>]> {
  let summary = "The block of an array at an offset, read by the copy engine";
  let description = [{
    What a descriptor load is until loops are pipelined: the block at
    `coordinates` of the array that the map describes, in registers. Elements
    outside the array are the map's fill. The copy goes through a tile in shared
    memory of type `copyTile` (Layouts.h), so any layout of the result will do.

    ```mlir
    %x = tgpu.map_load %map[%i, %j] : tensor<128x64xf16, #l>
    ```
  }];
  let arguments = (ins TGPU_TensorMapType:$map, Variadic<I32>:$coordinates);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $map `[` $coordinates `]` attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def TGPU_MapStoreOp : TGPU_Op<"map_store", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Writes a block of an array, or combines it into the array";
  let description = [{
    The counterpart of `tgpu.map_load`; elements outside the array are dropped.
    `reduce` is empty for a plain store, or as in `tgpu.tma_store`.
  }];
  let arguments = (ins TGPU_TensorMapType:$map, Variadic<I32>:$coordinates,
                       AnyRankedTensor:$value,
                       DefaultValuedAttr<StrAttr, "\"\"">:$reduce);
  let assemblyFormat = [{
    $map `[` $coordinates `]` `,` $value attr-dict `:` type($value)
  }];
  let hasVerifier = 1;
}

def TGPU_TMALoadOp : TGPU_SyncOp<"tma_load", [AttrSizedOperandSegments]> {
  let summary = "Starts copying a box into a tile; a barrier counts its bytes";
  let arguments = (ins TGPU_TensorMapType:$map, Variadic<I32>:$coordinates,
                       TGPU_TileType:$dst, TGPU_BarriersType:$barriers,
                       I32:$index, Optional<I1>:$pred);
  let assemblyFormat = [{
    $map `[` $coordinates `]` `,` $dst `,` $barriers `[` $index `]`
    (`if` $pred^)? attr-dict `:` type($dst) `,` type($barriers)
  }];
}

def TGPU_TMAStoreOp : TGPU_SyncOp<"tma_store"> {
  let summary = "Starts copying a tile to a box and closes the group";
  let description = [{
    `reduce` is empty for a plain store, or add, min, max, and, or, xor, inc,
    dec.
  }];
  let arguments = (ins TGPU_TensorMapType:$map, Variadic<I32>:$coordinates,
                       TGPU_TileType:$src, DefaultValuedAttr<StrAttr, "\"\"">:$reduce);
  let assemblyFormat = [{
    $map `[` $coordinates `]` `,` $src attr-dict `:` type($src)
  }];
}

def TGPU_TMAStoreWaitOp : TGPU_SyncOp<"tma_store_wait"> {
  let summary = "Waits until at most `pending` stores still read shared memory";
  let arguments = (ins I32Attr:$pending);
  let assemblyFormat = "$pending attr-dict";
}

//===-- Matrix units ------------------------------------------------------===//

def TGPU_WarpgroupMMAOp : TGPU_SyncOp<"warpgroup_mma", [
    AllTypesMatch<["acc", "result"]>]> {
  let summary = "Starts a product on the matrix unit of a warpgroup (wgmma)";
  let description = [{
    `a` is a tile, or a tensor in the operand layout of wgmma; `b` is a tile. The
    result must not be touched before a `tgpu.warpgroup_wait` gives it back. With
    `useAcc` absent the accumulator is added to; where it is given and false the
    product starts from zero. `maxInexact` is Triton's max_num_imprecise_acc.
  }];
  let arguments = (ins AnyType:$a, TGPU_TileType:$b, AnyRankedTensor:$acc,
                       Optional<I1>:$useAcc,
                       DefaultValuedAttr<I32Attr, "0">:$maxInexact);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $a `,` $b `,` $acc (`use` $useAcc^)? attr-dict
    `:` type($a) `,` type($b) `,` type($acc)
  }];
}

def TGPU_WarpgroupWaitOp : TGPU_SyncOp<"warpgroup_wait"> {
  let summary = "Waits until at most `pending` products are open";
  let description = [{
    Gives the values that are complete; they are tied through the wait so that
    nothing moves across it.
  }];
  let arguments = (ins Variadic<AnyType>:$values, I32Attr:$pending);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$pending (`,` $values^ `:` type($values))? attr-dict (`->` type($results)^)?";
}

//===-- Private variables -------------------------------------------------===//

def TGPU_Variables : Resource<"::nereid::tgpu::PrivateVariables">;

def TGPU_VariableOp : TGPU_Op<"variable", [
    MemoryEffects<[MemAlloc<TGPU_Variables>, MemWrite<TGPU_Variables>]>]> {
  let summary = "A 32-bit integer of each thread's own that can be changed";
  let description = [{
    Where a loop nest keeps its place in a ring: every loop and branch around a
    copy would else carry it. The code generator turns it into registers.

    ```mlir
    %slot = tgpu.variable %c0
    %s = tgpu.variable_get %slot
    tgpu.variable_set %slot, %next
    ```
  }];
  let arguments = (ins I32:$init);
  let results = (outs TGPU_VariableType:$result);
  let assemblyFormat = "$init attr-dict";
}

def TGPU_VariableGetOp : TGPU_Op<"variable_get", [
    MemoryEffects<[MemRead<TGPU_Variables>]>]> {
  let summary = "The value of a variable now";
  let arguments = (ins TGPU_VariableType:$variable);
  let results = (outs I32:$result);
  let assemblyFormat = "$variable attr-dict";
}

def TGPU_VariableSetOp : TGPU_Op<"variable_set", [
    MemoryEffects<[MemWrite<TGPU_Variables>]>]> {
  let summary = "Gives a variable another value";
  let arguments = (ins TGPU_VariableType:$variable, I32:$value);
  let assemblyFormat = "$variable `,` $value attr-dict";
}

//===-- Warp specialisation -----------------------------------------------===//

def TGPU_WarpSpecializeOp : TGPU_Op<"warp_specialize", [
    RecursiveMemoryEffects, NoRegionArguments]> {
  let summary = "Groups of warps that run different code at the same time";
  let description = [{
    Region i runs on `warps[i]` warps with `registers[i]` registers per thread;
    the groups stand one after the other from warp 0. All meet at the end.
    Regions may use scalars, tiles, barriers and tensor maps from outside, but
    no tensors. Every warp of the block is in one region; the block has the sum
    of `warps`.
  }];
  let arguments = (ins DenseI32ArrayAttr:$warps, DenseI32ArrayAttr:$registers);
  let regions = (region VariadicRegion<SizedRegion<1>>:$partitions);
  let assemblyFormat = "attr-dict-with-keyword $partitions";
}

def TGPU_YieldOp : TGPU_Op<"yield", [Pure, ReturnLike, Terminator,
    HasParent<"WarpSpecializeOp">]> {
  let summary = "Ends a partition";
  let assemblyFormat = "attr-dict";
}

#endif // NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_TD
