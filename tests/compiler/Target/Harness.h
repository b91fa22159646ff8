//===- Harness.h - Builds, compiles and loads a function in a test --------===//
//
// A test writes the body of one function with an OpBuilder; the harness takes
// it all the way to a shared object, loads that and returns the address.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_TESTS_COMPILER_TARGET_HARNESS_H
#define NEREID_TESTS_COMPILER_TARGET_HARNESS_H

#include "compiler/Target/CPU/Emit.h"
#include "compiler/Target/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <functional>
#include <memory>
#include <string>

namespace nereid::test {

/// Whether this machine can run code of the target; AMX is asked for.
bool hostRuns(const TargetInfo &target);

/// The targets of the CPU family that this machine runs.
std::vector<const TargetInfo *> runnableTargets();

/// Those that differ in their vector instructions: without matrix units.
std::vector<const TargetInfo *> vectorTargets();

class Harness {
public:
  explicit Harness(const TargetInfo &target);
  ~Harness();

  using Body = std::function<void(mlir::OpBuilder &, mlir::Location,
                                  mlir::ValueRange arguments)>;

  /// Makes the module's only function, `entry`.
  void build(llvm::ArrayRef<mlir::Type> arguments, const Body &body);
  /// Lowers it; false, with the diagnostics in `messages`, on failure.
  bool lower();
  llvm::Expected<std::string> emit(ResourceReport *report = nullptr);
  /// The three together, and loads the result; fails the test on any error.
  void *compile(llvm::ArrayRef<mlir::Type> arguments, const Body &body);
  std::string assembly();

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string messages;
  ResourceReport report;

private:
  const TargetInfo &target;
  void *library = nullptr;
  int descriptor = -1;
};

/// What spills in a function's innermost loops, from the assembly's comments.
struct SpillCount {
  unsigned inInnermostLoops = 0, inAll = 0;
};
SpillCount countSpills(const std::string &assembly);

} // namespace nereid::test

#endif // NEREID_TESTS_COMPILER_TARGET_HARNESS_H
