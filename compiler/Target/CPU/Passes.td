//===- Passes.td - Passes of the CPU back end --------------*- tablegen -*-===//

#ifndef NEREID_COMPILER_TARGET_CPU_PASSES_TD
#define NEREID_COMPILER_TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def CheckLibraryCalls : Pass<"nrd-check-library-calls", "mlir::ModuleOp"> {
  let summary = "Reject operations that would become a library call";
  let description = [{
    A kernel runs where no C library exists. This pass looks at the LLVM dialect
    for intrinsics that LLVM's code generator turns into calls of libm or
    compiler-rt, and for calls of functions that the module does not define, and
    reports each at its source location. `nrd-expand-math` leaves none behind;
    what is found was put there by a lowering that forgot a case.
  }];
  let options = [
    Option<"hasFma", "has-fma", "bool", /*default=*/"true",
           "The target has a fused multiply-add instruction">,
  ];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

#endif // NEREID_COMPILER_TARGET_CPU_PASSES_TD
