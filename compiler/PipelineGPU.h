//===- PipelineGPU.h - The way of a kernel to a GPU's image ----*- C++ -*-===//
//
// Internal to Pipeline.cpp: the list of passes that GPU targets share after
// those on tile IR, and what follows them for each vendor.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_PIPELINEGPU_H
#define NEREID_COMPILER_PIPELINEGPU_H

#include "compiler/Pipeline.h"
#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>

namespace nereid {

/// Reports the time that a named part took.
using TimeSink = std::function<void(llvm::StringRef name, double milliseconds)>;
/// Receives an error without a place in the source.
using ErrorSink = std::function<void(const std::string &text)>;

struct GPUCompilation {
  const TargetInfo &target;
  ConfigSpec config;
  TimeSink time; ///< may be empty
  ErrorSink error;

  /// tt to tgpu with shared memory allocated and barriers in place.
  bool lowerToTGPU(mlir::ModuleOp module) const;
  /// tgpu to the LLVM dialect.
  bool lowerToLLVM(mlir::ModuleOp module, gpu::KernelFacts &facts) const;
  /// The LLVM dialect to an image: a cubin, PTX where the target is PTX or no
  /// assembler is found, or a code object.
  bool emitImage(mlir::ModuleOp module, const gpu::KernelFacts &facts,
                 Image &out) const;
  bool emitText(mlir::ModuleOp module, const gpu::KernelFacts &facts,
                bool assembly, std::string &out) const;

private:
  bool emitCodeObject(mlir::ModuleOp module, const gpu::KernelFacts &facts,
                      Image &out) const;
};

/// What a context and the process need before any of this.
void registerGPU(mlir::DialectRegistry &registry);

} // namespace nereid

#endif // NEREID_COMPILER_PIPELINEGPU_H
