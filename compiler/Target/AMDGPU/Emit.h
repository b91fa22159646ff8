//===- Emit.h - From the LLVM dialect to a code object ---------*- C++ -*-===//
//
// The last stage of the AMD back end: LLVM's optimizer and code generator, and
// lld, all in process; and a check that the code object is what the pack says.
//
//   PassManager pm(context);
//   addLowerToLLVM(pm, target);          // scf, arith, math -> llvm
//   pm.run(module);
//   auto bytes = emitCodeObject(module, target, facts, &report);
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_AMDGPU_EMIT_H
#define NEREID_COMPILER_TARGET_AMDGPU_EMIT_H

#include "compiler/Target/AMDGPU/CodeObject.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <string>

namespace nereid::amdgpu {

/// Adds the passes that take the emitter's result to the LLVM dialect.
void addLowerToLLVM(mlir::OpPassManager &pm, const TargetInfo &target);

/// Registers what they and the translation need. Call it before creating the
/// context.
void registerEmitDialects(mlir::DialectRegistry &registry);

/// Compiles an LLVM-dialect module to a code object that `verifyCodeObject`
/// accepts. Safe to call from several threads on different contexts.
llvm::Expected<std::string> emitCodeObject(mlir::ModuleOp module,
                                           const TargetInfo &target,
                                           const CodeObjectFacts &facts,
                                           ResourceReport *report = nullptr);

enum class TextKind {
  LLVM, ///< optimized LLVM IR, as it enters code generation
  Asm   ///< the target's assembly
};

/// The module as text, compiled exactly as `emitCodeObject` compiles it.
llvm::Expected<std::string> emitText(mlir::ModuleOp module,
                                     llvm::StringRef entry,
                                     const TargetInfo &target, TextKind kind);

} // namespace nereid::amdgpu

#endif // NEREID_COMPILER_TARGET_AMDGPU_EMIT_H
