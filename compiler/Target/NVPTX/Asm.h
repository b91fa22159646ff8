//===- Asm.h - Inline PTX and intrinsics, in short form --------*- C++ -*-===//
//
// Internal to the files of this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_NVPTX_ASM_H
#define NEREID_COMPILER_TARGET_NVPTX_ASM_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

namespace nereid::nvptx {

enum class AsmEffects {
  None,     ///< may be moved, repeated or dropped like arithmetic
  AllLanes, ///< all lanes run it together: stays where it is, no memory
  Memory,   ///< reads or writes memory: stays where it is
};

/// Inline PTX. `constraints` are LLVM's: "=r,l,b" (b is a predicate). Several
/// results come back one by one. With memory effects "~{memory}" is added.
llvm::SmallVector<mlir::Value>
inlineAsm(mlir::OpBuilder &b, mlir::Location loc, mlir::TypeRange results,
          llvm::StringRef text, llvm::StringRef constraints,
          mlir::ValueRange operands, AsmEffects effects = AsmEffects::Memory);

/// A call of an LLVM intrinsic by its name; null without a result type.
mlir::Value intrinsic(mlir::OpBuilder &b, mlir::Location loc, mlir::Type result,
                      llvm::StringRef name, mlir::ValueRange operands);

/// A constant of the LLVM dialect.
mlir::Value constantInt(mlir::OpBuilder &b, mlir::Location loc, int bits,
                        int64_t value);

/// The constraint letter of a register that holds this type: h, r, l, f, d, or
/// b for i1. i8 has none: widen it.
llvm::StringRef constraintOf(mlir::Type type);

} // namespace nereid::nvptx

#endif // NEREID_COMPILER_TARGET_NVPTX_ASM_H
