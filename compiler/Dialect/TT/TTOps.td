//===- TTOps.td - The operations of the tile dialect ----------------------===//

#ifndef NEREID_COMPILER_DIALECT_TT_TTOPS_TD
#define NEREID_COMPILER_DIALECT_TT_TTOPS_TD

include "compiler/Dialect/TT/TTAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Checks every operand and result tensor: power-of-two, at most 2^20 elements.
def VerifyTileSize : NativeOpTrait<"VerifyTileSize"> {
  let cppNamespace = "::nereid::tt";
}

// Operands and results are scalars, or tensors of one shape.
def SameTileShape : NativeOpTrait<"SameTileShape"> {
  let cppNamespace = "::nereid::tt";
}

def GlobalMemory : Resource<"::nereid::tt::GlobalMemory">;

class TT_Op<string mnemonic, list<Trait> traits = []>
    : Op<TT_Dialect, mnemonic, !listconcat(traits, [VerifyTileSize])>;

// One result element per operand element, no effect.
class TT_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : TT_Op<mnemonic, !listconcat([SameTileShape, Pure, Elementwise], traits)>;

include "compiler/Dialect/TT/TTFuncOps.td"
include "compiler/Dialect/TT/TTShapeOps.td"
include "compiler/Dialect/TT/TTMemoryOps.td"
include "compiler/Dialect/TT/TTComputeOps.td"

#endif // NEREID_COMPILER_DIALECT_TT_TTOPS_TD
