//===- Emit.h - From the LLVM dialect to a freestanding ELF ----*- C++ -*-===//
//
// The last stage of the CPU back end: LLVM IR, LLVM's optimizer and code
// generator for one row of targets.def, lld, and a check that what came out is
// what nereid/cpu_kernel.h promises. Everything happens in memory.
//
//   PassManager pm(context);
//   addLowerToLLVM(pm, target);         // scf, vector, arith ... -> llvm
//   pm.run(module);
//   auto elf = emitSharedObject(module, "kernel", target, &report);
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_EMIT_H
#define NEREID_COMPILER_TARGET_CPU_EMIT_H

#include "compiler/Image.h"
#include "compiler/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nereid::cpu {

/// Adds the passes that take a module of func, scf, cf, arith, math, vector,
/// memref-free code to the LLVM dialect: nrd-expand-math for the target first,
/// so that no operation is left that would become a libm call.
void addLowerToLLVM(mlir::OpPassManager &pm, const TargetInfo &target);

/// Registers what `addLowerToLLVM` and `emitSharedObject` need of a context's
/// dialects and translation interfaces. Call it before creating the context.
void registerEmitDialects(mlir::DialectRegistry &registry);

/// Compiles an LLVM-dialect module to an ELF shared object that exports only
/// the function `entry`. The result follows nereid/cpu_kernel.h: at most the
/// imports and relocations listed there, no dependency, no constructor, no
/// thread-local storage; the same module gives the same bytes.
///
/// `report`, where given, receives the size of the code and notes. Errors name
/// what was found: an unresolved symbol (and the operation it comes from),
/// a relocation or a section that is not allowed. Safe to call from several
/// threads on different contexts; linking is serialised inside.
llvm::Expected<std::string> emitSharedObject(mlir::ModuleOp module,
                                             llvm::StringRef entry,
                                             const TargetInfo &target,
                                             ResourceReport *report = nullptr);

enum class TextKind {
  LLVM, ///< optimized LLVM IR, as it enters code generation
  Asm   ///< the target's assembly
};

/// The module as text, compiled exactly as `emitSharedObject` compiles it.
llvm::Expected<std::string> emitText(mlir::ModuleOp module,
                                     llvm::StringRef entry,
                                     const TargetInfo &target, TextKind kind);

/// Checks a linked image against nereid/cpu_kernel.h.
llvm::Error verifySharedObject(llvm::StringRef bytes, llvm::StringRef entry);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_EMIT_H
