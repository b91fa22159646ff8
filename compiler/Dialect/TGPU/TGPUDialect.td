//===- TGPUDialect.td - Tiles spread over a GPU's threads -----------------===//

#ifndef NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_TD
#define NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"
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
  let parameters = (ins "::nereid::LinearLayout":$linear);
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
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        "::nereid::LinearLayout":$linear);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
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

#endif // NEREID_COMPILER_DIALECT_TGPU_TGPUDIALECT_TD
