//===- TTBase.td - The tile dialect, its types and operand classes --------===//
//
// `tt` is the IR between the front end and the back ends. It keeps the names
// and the assembly of Triton's tile IR, so that text printed by Triton 3.6 or
// newer parses here and the other way round.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TT_TTBASE_TD
#define NEREID_COMPILER_DIALECT_TT_TTBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def TT_Dialect : Dialect {
  let name = "tt";
  let cppNamespace = "::nereid::tt";
  let summary = "Programs over tiles: one program works on whole tensors";
  let description = [{
    A kernel is a `tt.func` that many *programs* run, each with its own program
    id. Values are scalars, pointers, and tensors of either whose shape is
    static, a power of two in every dimension, and at most 2^20 elements.
    Elementwise arithmetic on tensors is `arith` and `math`; loops are `scf`;
    early returns are `cf`.

    Facts about values travel as discardable attributes: `tt.divisibility`,
    `tt.contiguity` and `tt.constancy` on function arguments and ops, and
    `tt.num_stages`, `tt.flatten`, `tt.warp_specialize`,
    `tt.disallow_acc_multi_buffer` and `tt.loop_unroll_factor` on `scf.for`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::ub::UBDialect"
  ];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
  }];
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def TT_PtrType : TypeDef<TT_Dialect, "Pointer"> {
  let mnemonic = "ptr";
  let summary = "Address of an element, or of a block (legacy block pointer)";
  let description = [{
    `!tt.ptr<f32>` is an address in global memory; `!tt.ptr<f32, 3>` names
    another address space. `!tt.ptr<tensor<64x64xf16>>` is a block pointer: a
    base with a shape, strides and offsets, made by `tt.make_tensor_ptr`.
  }];
  let parameters = (ins "::mlir::Type":$pointeeType, "int":$addressSpace);
  let builders = [
    TypeBuilderWithInferredContext<(ins "::mlir::Type":$pointeeType,
                                        CArg<"int", "1">:$addressSpace), [{
      return $_get(pointeeType.getContext(), pointeeType, addressSpace);
    }]>
  ];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def TT_TensorDescType : TypeDef<TT_Dialect, "TensorDesc"> {
  let mnemonic = "tensordesc";
  let summary = "Descriptor of a strided array in memory, read block by block";
  let description = [{
    Printed `!tt.tensordesc<64x64xf16>`; the older form
    `!tt.tensordesc<tensor<64x64xf16>>` parses too. The element type may be a
    signed or unsigned integer (`ui32`): loads still give signless tensors, and
    the sign selects the kind of minimum and maximum in `tt.descriptor_reduce`.
  }];
  let parameters = (ins "::mlir::RankedTensorType":$blockType);
  let builders = [
    TypeBuilderWithInferredContext<
        (ins "::mlir::RankedTensorType":$blockType), [{
      return $_get(blockType.getContext(), blockType);
    }]>
  ];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<int64_t> getShape() const {
      return getBlockType().getShape();
    }
    int64_t getRank() const { return getBlockType().getRank(); }
    ::mlir::Type getElementType() const {
      return getBlockType().getElementType();
    }
    /// The type that a load of one block gives.
    ::mlir::RankedTensorType getSignlessBlockType() const;
  }];
}

//===----------------------------------------------------------------------===//
// Operand classes
//===----------------------------------------------------------------------===//

def TT_Float : AnyTypeOf<[F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F16, BF16,
                          F32, F64], "a floating-point number">;
def TT_Int : AnyTypeOf<[I1, I<4>, I8, I16, I32, I64], "an integer">;
def TT_Scalar : AnyTypeOf<[TT_Float, TT_Int, TT_PtrType],
                          "a number or a pointer">;

// A tensor with a static shape; the size limits are VerifyTileSize's.
class TT_TensorOf<list<Type> elements, string what>
    : StaticShapeTensorOf<elements> {
  let summary = what;
}
def TT_Tensor : TT_TensorOf<[TT_Float, TT_Int, TT_PtrType], "a tensor">;
def TT_FloatTensor : TT_TensorOf<[TT_Float], "a tensor of floats">;
def TT_IntTensor : TT_TensorOf<[TT_Int], "a tensor of integers">;
def TT_BoolTensor : TT_TensorOf<[I1], "a tensor of i1">;
def TT_PtrTensor : TT_TensorOf<[TT_PtrType], "a tensor of pointers">;

def TT_FloatLike : AnyTypeOf<[TT_Float, TT_FloatTensor],
                             "a float or a tensor of floats">;
def TT_IntLike : AnyTypeOf<[TT_Int, TT_IntTensor],
                           "an integer or a tensor of integers">;
def TT_BoolLike : AnyTypeOf<[I1, TT_BoolTensor], "i1 or a tensor of i1">;
def TT_PtrLike : AnyTypeOf<[TT_PtrType, TT_PtrTensor],
                           "a pointer or a tensor of pointers">;
def TT_I64Like : AnyTypeOf<[I64, TT_TensorOf<[I64], "a tensor of i64">],
                           "i64 or a tensor of i64">;
def TT_Type : AnyTypeOf<[TT_Scalar, TT_Tensor],
                        "a number, a pointer, or a tensor of either">;

#endif // NEREID_COMPILER_DIALECT_TT_TTBASE_TD
