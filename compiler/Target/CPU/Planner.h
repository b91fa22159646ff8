//===- Planner.h - How a block's plan is made ------------------*- C++ -*-===//

#ifndef NEREID_COMPILER_TARGET_CPU_PLANNER_H
#define NEREID_COMPILER_TARGET_CPU_PLANNER_H

#include "compiler/Target/CPU/InlineTree.h"
#include "compiler/Target/CPU/Kernel.h"
#include "compiler/Target/CPU/Plan.h"

#include "llvm/ADT/DenseSet.h"

namespace nereid::cpu {

class Planner {
public:
  Planner(Kernel &kernel, mlir::Block &block) : kernel(kernel), block(block) {}
  mlir::FailureOr<Plan> run(llvm::ArrayRef<HandOver> targets);

private:
  //===- Plan.cpp ---------------------------------------------------------===//
  /// The value is or will be in a buffer, or cannot be evaluated inline.
  bool isKept(mlir::Value v) const;
  void walk(const Sink &sink, InlineVisitor visit) const;
  void close();
  bool canJoin(const Sink &sink, llvm::ArrayRef<int64_t> shape) const;
  void addSink(Sink sink, llvm::ArrayRef<int64_t> shape, bool mayJoin,
               bool elementwise);
  Buffer *keep(mlir::Value v, Buffer *buffer, bool bind, bool mayJoin);
  void require(mlir::Value v);
  void item(mlir::Operation *op);
  void planResults(Sink &sink, bool always);
  mlir::LogicalResult planOp(mlir::Operation *op);
  void keepForRegions(mlir::Operation *region);
  void keepFirst(mlir::Value v, size_t limit);
  bool keepRepeated();
  void keepDelayedLoads();
  void keepShared();
  bool mayLoadAgain(mlir::Value v) const;
  bool updatesInPlace(mlir::Value value, mlir::Value carried,
                      mlir::Operation *sink) const;
  void planHandOvers(llvm::ArrayRef<HandOver> targets);

  //===- PlanDot.cpp ------------------------------------------------------===//
  mlir::LogicalResult planDot(tt::DotOp op);
  void packAhead(tt::DotOp op, llvm::function_ref<bool(mlir::Value)> outside);
  Buffer *pack(mlir::Value v, const OperandLayout &layout, bool ahead);
  bool sharesWork(mlir::Value v) const;

  Kernel &kernel;
  mlir::Block &block;
  llvm::ArrayRef<HandOver> targets;
  Plan plan;
  std::unique_ptr<Nest> open;
  llvm::DenseSet<mlir::Value> pending; ///< results of the open nest
  llvm::DenseMap<mlir::Value, Buffer *> planned;
};

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_PLANNER_H
