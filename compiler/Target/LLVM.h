//===- LLVM.h - One kernel on its way through LLVM -------------*- C++ -*-===//
//
// What all back ends share of LLVM: the machine description, the translation
// of a module, the optimizer, the code generator, and errors instead of a
// process that ends.
//
//   auto kernel = LLVMKernel::translate(module, "kernel", target, settings);
//   prepare((*kernel)->module());          // linkage, attributes
//   if (Error error = (*kernel)->optimize())
//     return error;
//   return (*kernel)->generate(CodeGenFileType::ObjectFile);
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_LLVM_H
#define NEREID_COMPILER_TARGET_LLVM_H

#include "compiler/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
class TargetOptions;
namespace legacy {
class PassManager;
}
} // namespace llvm

namespace nereid {

/// What a back end wants otherwise than the others.
struct LLVMSettings {
  void (*adjust)(llvm::TargetOptions &) = nullptr;
  std::optional<llvm::CodeModel::Model> codeModel;
  /// No pass may invent a call of a library function but the mem* ones.
  bool freestanding = false;
  bool countSpills = false;
};

class LLVMKernel {
public:
  /// Translates a module of the LLVM dialect, which must define `entry`.
  /// Everything else it defines becomes internal. Safe to call from several
  /// threads on different contexts.
  static llvm::Expected<std::unique_ptr<LLVMKernel>>
  translate(mlir::ModuleOp op, llvm::StringRef entry, const TargetInfo &target,
            const LLVMSettings &settings = {});
  ~LLVMKernel();

  llvm::Module &module();
  llvm::TargetMachine &machine();

  /// Runs LLVM's -O3 without the vectorizers, because our code is written in
  /// vectors already.
  llvm::Error optimize();

  /// LLVM IR as text.
  std::string print();

  /// Machine code or assembly. `passes`, where given, is filled and run.
  llvm::Expected<std::string>
  generate(llvm::CodeGenFileType kind,
           std::unique_ptr<llvm::legacy::PassManager> passes = nullptr);

  /// Where `countSpills` was set: values spilled to memory, and read again.
  uint64_t spills() const;
  uint64_t reloads() const;

private:
  struct State;
  explicit LLVMKernel(std::unique_ptr<State> state);
  /// Runs `work`; where LLVM ends the process, returns its reason instead.
  llvm::Error guard(llvm::function_ref<llvm::Error()> work);

  std::unique_ptr<State> state;
};

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_LLVM_H
