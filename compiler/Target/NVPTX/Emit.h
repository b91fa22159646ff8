//===- Emit.h - From the LLVM dialect to PTX and cubin ---------*- C++ -*-===//
//
// The last stage of the NVIDIA back end: the passes to the LLVM dialect, LLVM's
// optimizer and PTX code generator in process, and ptxas as a subprocess.
// ptxas belongs to the user's CUDA toolkit; it is looked for when needed.
//
//   PassManager pm(context);
//   addLowerToLLVM(pm, target);          // scf, arith, math -> llvm
//   pm.run(module);
//   auto ptx = emitPTX(module, "kernel", target, options);
//   auto cubin = assemble(*ptx, "kernel", target, report);
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_NVPTX_EMIT_H
#define NEREID_COMPILER_TARGET_NVPTX_EMIT_H

#include "compiler/Image.h"
#include "compiler/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nereid::nvptx {

/// Adds the passes that take the emitter's result to the LLVM dialect.
void addLowerToLLVM(mlir::OpPassManager &pm, const TargetInfo &target);

/// Registers what they and the translation need. Call it before creating the
/// context.
void registerEmitDialects(mlir::DialectRegistry &registry);

enum class TextKind {
  LLVM, ///< optimized LLVM IR, as it enters code generation
  PTX
};

/// Compiles an LLVM-dialect module to text. What LLVM cannot select is reported
/// as an error that names the function.
llvm::Expected<std::string> emitText(mlir::ModuleOp module,
                                     llvm::StringRef entry,
                                     const TargetInfo &target, TextKind kind);

/// The path of the user's ptxas, or "": $CUDA_HOME, $CUDA_PATH, PATH,
/// /usr/local/cuda.
std::string findPtxas();

/// Assembles PTX with `ptxas`. `report` gets registers, spills, the size of the
/// code and what ptxas says about serialised wgmma and the like (C75xx).
llvm::Expected<std::string> assemble(llvm::StringRef ptxas, llvm::StringRef ptx,
                                     const TargetInfo &target,
                                     ResourceReport &report);

/// The same for one kernel whose blocks have `threads` threads and
/// `sharedBytes` of shared memory. Where it multiplies matrices, and a few
/// registers are all that keeps one more block from a multiprocessor, they are
/// saved if that needs no spills: blocks hide each other's waits.
llvm::Expected<std::string> assembleKernel(llvm::StringRef ptxas,
                                           llvm::StringRef ptx,
                                           const TargetInfo &target,
                                           int64_t threads, int64_t sharedBytes,
                                           ResourceReport &report);

/// The blocks that a multiprocessor would have to hold at once for
/// `assembleKernel` to save registers; 0 when it has no reason to.
int64_t blocksWithFewerRegisters(const TargetInfo &target, int64_t threads,
                                 int64_t sharedBytes, int64_t registers);

/// Fills a report from what `ptxas -v` printed, and the size of the code from
/// the cubin.
void fillReport(llvm::StringRef log, llvm::StringRef cubin,
                ResourceReport &report);

/// The oldest CUDA driver, as 1000 * major + 10 * minor, that compiles a
/// target's PTX; that loads a cubin which this ptxas made.
uint32_t minimumDriver(const TargetInfo &target);
uint32_t minimumDriver(llvm::StringRef ptxas, llvm::StringRef cubin,
                       const TargetInfo &target);

} // namespace nereid::nvptx

#endif // NEREID_COMPILER_TARGET_NVPTX_EMIT_H
