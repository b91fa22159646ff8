//===- Passes.td - Passes that every target shares ---------*- tablegen -*-===//

#ifndef NEREID_COMPILER_TARGET_PASSES_TD
#define NEREID_COMPILER_TARGET_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"nrd-expand-math"> {
  let summary = "Replace mathematical functions by polynomials";
  let description = [{
    Rewrites every operation of the math dialect that no instruction serves, and
    `arith.remf`, into arith operations on the same scalar or vector type, so
    that no library is called. f32 and f64 are expanded in their own precision;
    the error bound of each function is stated in Math.h and tested. Narrower
    floats must have been widened before.

    With `has-fma=false`, products are rounded before they are added, and
    `math.fma` itself, which must round once, becomes exact arithmetic.

    ```mlir
    %y = math.exp2 %x : vector<16xf32>
    // becomes a floor, a polynomial and an exponent insertion
    ```
  }];
  let options = [
    Option<"hasFma", "has-fma", "bool", /*default=*/"true",
           "The target has a fused multiply-add instruction">,
    Option<"hasScalef", "has-scalef", "bool", /*default=*/"false",
           "The target has AVX-512's vscalef">,
  ];
  let dependentDialects = ["mlir::arith::ArithDialect",
                           "mlir::LLVM::LLVMDialect",
                           "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect",
                           "mlir::vector::VectorDialect"];
}

def ExpandLibraryCalls : Pass<"nrd-expand-library-calls"> {
  let summary = "Replace functions of libdevice and ocml by operations";
  let description = [{
    A `tt.extern_elementwise` whose symbol is a function of NVIDIA's libdevice or
    AMD's ocml becomes operations of arith and math on the same tensors, for
    targets that have no such library, or where ours serves. Results are those
    that the library documents: conversions saturate and turn NaN into 0,
    `_rz`, `_rd` and `_ru` round in that direction. What the pass does not know
    stays, for the back end to link or to refuse.

    ```mlir
    %r = tt.extern_elementwise %x {libname = "", libpath = "", pure = true,
        symbol = "__nv_expf"} : (tensor<64xf32>) -> tensor<64xf32>
    // becomes
    %r = math.exp %x : tensor<64xf32>
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect",
                           "mlir::math::MathDialect"];
}

#endif // NEREID_COMPILER_TARGET_PASSES_TD
