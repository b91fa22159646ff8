//===- TTGOps.td - The little of Triton's `ttg` that reaches tile IR -----===//
//
// Triton prints a debug barrier as `ttg.barrier` even before it picks GPU
// layouts, and may leave `ttg.*` attributes on a module.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TT_TTGOPS_TD
#define NEREID_COMPILER_DIALECT_TT_TTGOPS_TD

include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def TTG_Memory : Resource<"::nereid::tt::GlobalMemory">;

def TTG_Dialect : Dialect {
  let name = "ttg";
  let cppNamespace = "::nereid::ttg";
  let summary = "The part of Triton's GPU dialect that occurs in tile IR";
}

def TTG_Local : I32BitEnumAttrCaseBit<"Local", 0, "local">;
def TTG_GlobalRead : I32BitEnumAttrCaseBit<"GlobalRead", 1, "global_read">;
def TTG_GlobalWrite : I32BitEnumAttrCaseBit<"GlobalWrite", 2, "global_write">;
def TTG_TensorRead : I32BitEnumAttrCaseBit<"TensorRead", 3, "tensor_read">;
def TTG_TensorWrite : I32BitEnumAttrCaseBit<"TensorWrite", 4, "tensor_write">;
def TTG_BarrierScope : I32BitEnumAttr<"BarrierScope", "memories to order", [
  I32BitEnumAttrCaseNone<"None", "none">, TTG_Local, TTG_GlobalRead,
  TTG_GlobalWrite, TTG_TensorRead, TTG_TensorWrite,
  I32BitEnumAttrCaseGroup<"All", [TTG_Local, TTG_GlobalRead, TTG_GlobalWrite,
                                  TTG_TensorRead, TTG_TensorWrite], "all">
]> {
  let cppNamespace = "::nereid::ttg";
  let separator = "|";
  let printBitEnumPrimaryGroups = 1;
}

def TTG_BarrierOp : Op<TTG_Dialect, "barrier", [
    MemoryEffects<[MemRead<TTG_Memory>, MemWrite<TTG_Memory>]>]> {
  let summary = "All threads of the program wait for each other";
  let arguments = (ins TTG_BarrierScope:$addrSpace);
  let assemblyFormat = "custom<BarrierScope>($addrSpace) attr-dict";
}

#endif // NEREID_COMPILER_DIALECT_TT_TTGOPS_TD
