//===- PipelineSource.h - From a Python file to a kernel's IR --*- C++ -*-===//
//
// The part of the pipeline that drives the front end.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_PIPELINESOURCE_H
#define NEREID_COMPILER_PIPELINESOURCE_H

#include "compiler/Pipeline.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace nereid {

/// A kernel's tile IR with its public face.
struct KernelIRImpl final : KernelIR {
  std::string functionName;
  std::vector<SlotInfo> slotList;
  std::vector<VariantPredicate> predicateList;
  ConfigSpec configSpec;
  std::vector<std::string> files;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  const std::string &name() const override { return functionName; }
  const std::vector<SlotInfo> &slots() const override { return slotList; }
  const std::vector<VariantPredicate> &predicates() const override {
    return predicateList;
  }
  const ConfigSpec &config() const override { return configSpec; }
  std::string text() const override;
  std::vector<std::string> dependencies() const override { return files; }
};

/// Describes the kernel of a parsed module, argument by argument, and marks its
/// arguments with `nrd.slot`. Null, with a sentence in `problem`, when there is
/// no such kernel or a parameter cannot be spelled in a signature.
std::unique_ptr<KernelIRImpl>
describeKernel(mlir::OwningOpRef<mlir::ModuleOp> module, llvm::StringRef wanted,
               std::string &problem);

/// `Compiler::buildIR` for a Python file.
std::unique_ptr<KernelIR> buildFromSource(mlir::MLIRContext &context,
                                          const CompilerOptions &options,
                                          const MessageSink &sink,
                                          const KernelSpec &spec);

/// `Compiler::listKernels`.
bool listSourceKernels(const CompilerOptions &options, const MessageSink &sink,
                       const std::string &source,
                       std::vector<KernelDescription> &out);

} // namespace nereid

#endif // NEREID_COMPILER_PIPELINESOURCE_H
