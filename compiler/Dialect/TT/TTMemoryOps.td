//===- TTMemoryOps.td - Pointers, loads, stores, atomics, descriptors -----===//

#ifndef NEREID_COMPILER_DIALECT_TT_TTMEMORYOPS_TD
#define NEREID_COMPILER_DIALECT_TT_TTMEMORYOPS_TD

//===----------------------------------------------------------------------===//
// Pointers
//===----------------------------------------------------------------------===//

def TT_AddPtrOp : TT_ElementwiseOp<"addptr", [
    AllTypesMatch<["ptr", "result"]>]> {
  let summary = "Moves pointers by a number of elements";
  let arguments = (ins TT_PtrLike:$ptr, TT_IntLike:$offset);
  let results = (outs TT_PtrLike:$result);
  let assemblyFormat = [{
    $ptr `,` $offset attr-dict `:` type($result) `,` type($offset)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def TT_IntToPtrOp : TT_ElementwiseOp<"int_to_ptr"> {
  let summary = "The pointer whose address is an i64";
  let arguments = (ins TT_I64Like:$src);
  let results = (outs TT_PtrLike:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasFolder = 1;
}

def TT_PtrToIntOp : TT_ElementwiseOp<"ptr_to_int"> {
  let summary = "The address of a pointer, as an i64";
  let arguments = (ins TT_PtrLike:$src);
  let results = (outs TT_I64Like:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasFolder = 1;
}

def TT_BitcastOp : TT_ElementwiseOp<"bitcast"> {
  let summary = "The same bits as another type of the same width";
  let arguments = (ins TT_Type:$src);
  let results = (outs TT_Type:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

def TT_LoadOp : TT_Op<"load", [
    AttrSizedOperandSegments, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Reads through pointers, where the mask is true";
  let description = [{
    A lane whose mask is false reads nothing and gives `other`, or an undefined
    value without one. `boundaryCheck` and `padding` belong to block pointers.

    ```mlir
    %x = tt.load %p, %mask, %zero evictionPolicy = evict_last : tensor<64x!tt.ptr<f32>>
    %y = tt.load %b {boundaryCheck = array<i32: 0>, padding = 1 : i32} : !tt.ptr<tensor<64xf32>>
    ```
  }];
  let arguments = (ins
    AnyTypeOf<[TT_PtrLike]>:$ptr,
    Optional<TT_BoolLike>:$mask,
    Optional<TT_Type>:$other,
    DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$boundaryCheck,
    OptionalAttr<TT_PaddingOptionAttr>:$padding,
    DefaultValuedAttr<TT_CacheModifierAttr, "CacheModifier::NONE">:$cache,
    DefaultValuedAttr<TT_EvictionPolicyAttr, "EvictionPolicy::NORMAL">:$evict,
    DefaultValuedAttr<BoolAttr, "false">:$isVolatile);
  let results = (outs TT_Type:$result);
  let builders = [
    OpBuilder<(ins "::mlir::Value":$ptr,
        CArg<"CacheModifier", "CacheModifier::NONE">:$cache,
        CArg<"EvictionPolicy", "EvictionPolicy::NORMAL">:$evict,
        CArg<"bool", "false">:$isVolatile)>,
    OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$mask,
        "::mlir::Value":$other,
        CArg<"CacheModifier", "CacheModifier::NONE">:$cache,
        CArg<"EvictionPolicy", "EvictionPolicy::NORMAL">:$evict,
        CArg<"bool", "false">:$isVolatile)>,
    OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$mask,
        "::mlir::Value":$other, "::llvm::ArrayRef<int32_t>":$boundaryCheck,
        "::std::optional<PaddingOption>":$padding, "CacheModifier":$cache,
        "EvictionPolicy":$evict, "bool":$isVolatile)>
  ];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def TT_StoreOp : TT_Op<"store", []> {
  let summary = "Writes through pointers, where the mask is true";
  let arguments = (ins
    Arg<TT_PtrLike, "", [MemWrite<GlobalMemory>]>:$ptr,
    TT_Type:$value,
    Optional<TT_BoolLike>:$mask,
    DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$boundaryCheck,
    DefaultValuedAttr<TT_CacheModifierAttr, "CacheModifier::NONE">:$cache,
    DefaultValuedAttr<TT_EvictionPolicyAttr, "EvictionPolicy::NORMAL">:$evict);
  let builders = [
    OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$value,
        CArg<"CacheModifier", "CacheModifier::NONE">:$cache,
        CArg<"EvictionPolicy", "EvictionPolicy::NORMAL">:$evict)>,
    OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$value,
        "::mlir::Value":$mask,
        CArg<"CacheModifier", "CacheModifier::NONE">:$cache,
        CArg<"EvictionPolicy", "EvictionPolicy::NORMAL">:$evict)>,
    OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$value,
        "::mlir::Value":$mask, "::llvm::ArrayRef<int32_t>":$boundaryCheck,
        "CacheModifier":$cache, "EvictionPolicy":$evict)>
  ];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

def TT_AtomicRMWOp : TT_Op<"atomic_rmw", []> {
  let summary = "Reads, combines and writes as one step; gives the old value";
  let description = [{
    A lane whose mask is false touches nothing and gives an undefined value.
  }];
  let arguments = (ins
    TT_RMWOpAttr:$atomic_rmw_op,
    Arg<TT_PtrLike, "", [MemRead<GlobalMemory>, MemWrite<GlobalMemory>]>:$ptr,
    TT_Type:$val,
    Optional<TT_BoolLike>:$mask,
    TT_MemSemanticAttr:$sem,
    TT_MemSyncScopeAttr:$scope);
  let results = (outs TT_Type:$result);
  let builders = [OpBuilder<(ins "RMWOp":$kind, "::mlir::Value":$ptr,
      "::mlir::Value":$val, "::mlir::Value":$mask,
      CArg<"MemSemantic", "MemSemantic::ACQUIRE_RELEASE">:$sem,
      CArg<"MemSyncScope", "MemSyncScope::GPU">:$scope), [{
    build($_builder, $_state, val.getType(), kind, ptr, val, mask, sem, scope);
  }]>];
  let assemblyFormat = [{
    $atomic_rmw_op `,` $sem `,` $scope `,` $ptr `,` $val (`,` $mask^)? attr-dict
    `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def TT_AtomicCASOp : TT_Op<"atomic_cas", []> {
  let summary = "Writes `val` where memory equals `cmp`; gives the old value";
  let arguments = (ins
    Arg<TT_PtrLike, "", [MemRead<GlobalMemory>, MemWrite<GlobalMemory>]>:$ptr,
    TT_Type:$cmp,
    TT_Type:$val,
    TT_MemSemanticAttr:$sem,
    TT_MemSyncScopeAttr:$scope);
  let results = (outs TT_Type:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$cmp,
      "::mlir::Value":$val,
      CArg<"MemSemantic", "MemSemantic::ACQUIRE_RELEASE">:$sem,
      CArg<"MemSyncScope", "MemSyncScope::GPU">:$scope), [{
    build($_builder, $_state, val.getType(), ptr, cmp, val, sem, scope);
  }]>];
  let assemblyFormat = [{
    $sem `,` $scope `,` $ptr `,` $cmp `,` $val attr-dict `:`
    functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def TT_AtomicPollOp : TT_Op<"atomic_poll", []> {
  let summary = "Waits until memory holds a value, or until the timeout";
  let description = [{
    Gives true when the value was seen, false when `timeout` nanoseconds went
    by first; without a timeout it waits for ever.

    ```mlir
    %ok = tt.atomic_poll acquire, gpu, %flag, %c1 timeout %ns : !tt.ptr<i32>, i32 -> i1
    ```
  }];
  let arguments = (ins
    Arg<TT_PtrType, "", [MemRead<GlobalMemory>, MemWrite<GlobalMemory>]>:$ptr,
    TT_Int:$expected,
    Optional<I64>:$timeout,
    TT_MemSemanticAttr:$sem,
    TT_MemSyncScopeAttr:$scope);
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $sem `,` $scope `,` $ptr `,` $expected (`timeout` $timeout^)? attr-dict
    `:` qualified(type($ptr)) `,` type($expected) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Block pointers
//===----------------------------------------------------------------------===//

def TT_MakeTensorPtrOp : TT_Op<"make_tensor_ptr", [
    Pure, SameVariadicOperandSize, TypesMatchWith<
        "the base points to the block's element", "result", "base",
        "::nereid::tt::getBlockBaseType($_self)">]> {
  let summary = "A block pointer: a window of a strided array";
  let description = [{
    `order` names the dimensions from the fastest varying one on, as a layout
    hint; it changes no value.
  }];
  let arguments = (ins TT_PtrType:$base, Variadic<I64>:$shape,
                       Variadic<I64>:$strides, Variadic<I32>:$offsets,
                       DenseI32ArrayAttr:$order);
  let results = (outs TT_PtrType:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$base,
      "::mlir::ValueRange":$shape, "::mlir::ValueRange":$strides,
      "::mlir::ValueRange":$offsets, "::llvm::ArrayRef<int32_t>":$blockShape,
      "::llvm::ArrayRef<int32_t>":$order)>];
  let assemblyFormat = [{
    $base `,` `[` $shape `]` `,` `[` $strides `]` `,` `[` $offsets `]` attr-dict
    `:` type($result)
  }];
  let hasVerifier = 1;
}

def TT_AdvanceOp : TT_Op<"advance", [Pure, AllTypesMatch<["ptr", "result"]>]> {
  let summary = "Adds to the offsets of a block pointer";
  let arguments = (ins TT_PtrType:$ptr, Variadic<I32>:$offsets);
  let results = (outs TT_PtrType:$result);
  let assemblyFormat = "$ptr `,` `[` $offsets `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Tensor descriptors
//===----------------------------------------------------------------------===//

def TT_MakeTensorDescOp : TT_Op<"make_tensor_descriptor", [
    Pure, AttrSizedOperandSegments]> {
  let summary = "Describes a strided array for block-wise access";
  let description = [{
    Reads out of bounds give `padding` (zero, or NaN for floats); writes out of
    bounds are dropped.

    ```mlir
    %d = tt.make_tensor_descriptor %p, [%m, %n], [%s, %one] : <f16>, <64x64xf16>
    ```
  }];
  let arguments = (ins TT_PtrType:$base, Variadic<I32>:$shape,
                       Variadic<I64>:$strides,
                       DefaultValuedAttr<TT_PaddingOptionAttr,
                                         "PaddingOption::PAD_ZERO">:$padding);
  let results = (outs TT_TensorDescType:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$base,
      "::mlir::ValueRange":$shape, "::mlir::ValueRange":$strides,
      "::llvm::ArrayRef<int32_t>":$blockShape, "bool":$isSignedInteger,
      CArg<"PaddingOption", "PaddingOption::PAD_ZERO">:$padding)>];
  let assemblyFormat = [{
    $base `,` `[` $shape `]` `,` `[` $strides `]` attr-dict `:` type($base)
    `,` type($result)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorLoadOp : TT_Op<"descriptor_load", []> {
  let summary = "Reads the block at an offset in every dimension";
  let arguments = (ins
    Arg<TT_TensorDescType, "", [MemRead<GlobalMemory>]>:$desc,
    Variadic<I32>:$indices,
    DefaultValuedAttr<TT_CacheModifierAttr, "CacheModifier::NONE">:$cache,
    DefaultValuedAttr<TT_EvictionPolicyAttr, "EvictionPolicy::NORMAL">:$evict);
  let results = (outs TT_Tensor:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$desc,
      "::mlir::ValueRange":$indices,
      CArg<"CacheModifier", "CacheModifier::NONE">:$cache,
      CArg<"EvictionPolicy", "EvictionPolicy::NORMAL">:$evict)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def TT_DescriptorStoreOp : TT_Op<"descriptor_store", []> {
  let summary = "Writes the block at an offset in every dimension";
  let arguments = (ins
    Arg<TT_TensorDescType, "", [MemWrite<GlobalMemory>]>:$desc,
    TT_Tensor:$src,
    Variadic<I32>:$indices);
  let assemblyFormat = [{
    $desc `[` $indices `]` `,` $src attr-dict `:` qualified(type($desc)) `,`
    type($src)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorReduceOp : TT_Op<"descriptor_reduce", []> {
  let summary = "Combines a block into memory, element by element, atomically";
  let arguments = (ins
    TT_DescriptorReduceKindAttr:$kind,
    Arg<TT_TensorDescType, "",
        [MemRead<GlobalMemory>, MemWrite<GlobalMemory>]>:$desc,
    TT_Tensor:$src,
    Variadic<I32>:$indices);
  let assemblyFormat = [{
    $kind `,` $desc `[` $indices `]` `,` $src attr-dict `:`
    qualified(type($desc)) `,` type($src)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorGatherOp : TT_Op<"descriptor_gather", []> {
  let summary = "Reads the rows x_offsets[i], from column y_offset on";
  let arguments = (ins
    Arg<TT_TensorDescType, "", [MemRead<GlobalMemory>]>:$desc,
    TT_IntTensor:$x_offsets,
    I32:$y_offset);
  let results = (outs TT_Tensor:$result);
  let assemblyFormat = [{
    $desc `[` $x_offsets `,` $y_offset `]` attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorScatterOp : TT_Op<"descriptor_scatter", []> {
  let summary = "Writes the rows x_offsets[i], from column y_offset on";
  let arguments = (ins
    Arg<TT_TensorDescType, "", [MemWrite<GlobalMemory>]>:$desc,
    TT_IntTensor:$x_offsets,
    I32:$y_offset,
    TT_Tensor:$src);
  let assemblyFormat = [{
    $desc `[` $x_offsets `,` $y_offset `]` `,` $src attr-dict `:` type(operands)
  }];
  let hasVerifier = 1;
}

#endif // NEREID_COMPILER_DIALECT_TT_TTMEMORYOPS_TD
