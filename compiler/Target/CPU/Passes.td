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

def LowerToLoops : Pass<"nrd-cpu-lower-to-loops", "mlir::ModuleOp"> {
  let summary = "Turn a kernel over tiles into loops over vectors";
  let description = [{
    Replaces the module's public `tt.func` by a function of type
    nrd_cpu_kernel_fn_t (nereid/cpu_kernel.h): loops over the programs of its
    range, and in each over strips of vectors (see README.md).

    ```mlir
    tt.func public @copy(%in: !tt.ptr<f32>, %out: !tt.ptr<f32>)
    // becomes
    llvm.func @copy(!llvm.ptr, !llvm.ptr, i64, i64, !llvm.ptr, !llvm.ptr) -> i32
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"x86-64-v3\"",
           "The row of targets.def to generate code for">,
  ];
  let dependentDialects = ["mlir::arith::ArithDialect",
                           "mlir::cf::ControlFlowDialect",
                           "mlir::LLVM::LLVMDialect",
                           "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect",
                           "mlir::vector::VectorDialect"];
}

#endif // NEREID_COMPILER_TARGET_CPU_PASSES_TD
