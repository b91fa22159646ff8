//===- LoopSlices.h - Parts of a loop that run ahead of it ------*- C++ -*-===//
//
// A pipelined loop starts a copy several iterations before it uses the data, so
// the address of the copy must be known then. What computes it (operations of
// the body, values that the loop carries) is a slice of the loop. `Ahead` runs
// such a slice a fixed number of iterations ahead of the loop: first in
// straight code before the loop, then in the body with carried values of its
// own.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_LOOPSLICES_H
#define NEREID_COMPILER_TRANSFORMS_LOOPSLICES_H

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <memory>

namespace nereid {

/// What of a loop computes some values, from outside values alone.
struct LoopSlice {
  /// Operations of the body, in its order.
  llvm::SmallVector<mlir::Operation *> ops;
  /// Carried values that it reads, by number. What the loop yields for them is
  /// computed by `ops` too.
  llvm::SetVector<unsigned> carried;
  /// Loads among `ops`.
  llvm::SmallVector<tt::LoadOp> loads;
};

/// The slice of `roots`, or nothing when it cannot run ahead: it would have to
/// repeat an effect, or a load that `mayLoad` does not allow.
std::optional<LoopSlice> sliceOf(mlir::scf::ForOp loop,
                                 llvm::ArrayRef<mlir::Value> roots,
                                 llvm::function_ref<bool(tt::LoadOp)> mayLoad);

/// `value` and-ed with the mask of `like`'s tensor shape that is `pred`
/// everywhere; `mask` may be null.
mlir::Value guardMask(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Type pointers, mlir::Value mask, mlir::Value pred);

/// A slice that runs `distance` iterations ahead of its loop. Loads within it
/// run one iteration earlier still, and their values wait in registers.
class Ahead {
public:
  /// `roots` are values of the loop's body; sliceOf(loop, roots, ..) succeeds.
  Ahead(mlir::scf::ForOp loop, llvm::ArrayRef<mlir::Value> roots,
        unsigned distance);
  ~Ahead();

  unsigned getDistance() const { return distance; }

  /// Writes the next iteration in straight code before the loop: call it
  /// `distance` times. `builder` stands before the loop.
  void emitBefore(mlir::OpBuilder &builder);
  /// After that: what the body must carry for the slice.
  llvm::SmallVector<mlir::Value> initialValues(mlir::OpBuilder &builder);
  /// Writes one iteration in the body, where `arguments` are the new carried
  /// values, and gives what is yielded for them.
  llvm::SmallVector<mlir::Value> emitInBody(mlir::OpBuilder &builder,
                                            mlir::ValueRange arguments);

  /// After an emit: the value of a root in that iteration, and whether the
  /// iteration exists (i1).
  mlir::Value get(mlir::Value root) const;
  mlir::Value exists() const { return existsNow; }

  /// The loop was replaced; its body's operations live on in `loop`.
  void rebase(mlir::scf::ForOp loop);

private:
  struct Register; // a load whose value waits in a register

  void emitOps(mlir::OpBuilder &builder, bool inBody);
  void step();
  mlir::Value emitLoad(mlir::OpBuilder &builder, Register &entry);
  mlir::Value mapped(mlir::Value value) const;

  mlir::scf::ForOp loop;
  llvm::SmallVector<mlir::Value> roots;
  unsigned distance;
  unsigned written = 0; ///< iterations before the loop so far
  LoopSlice slice;
  llvm::SmallVector<std::unique_ptr<Register>> registers;
  /// Carried values of the iteration to write next, by position in
  /// `slice.carried`.
  llvm::SmallVector<mlir::Value> state;
  mlir::IRMapping mapping;
  mlir::Value existsNow;
};

/// Removes what a loop carries for nobody: values that only compute themselves.
/// Gives the loop that replaced `loop`, or `loop`.
mlir::scf::ForOp removeDeadCarries(mlir::RewriterBase &rewriter,
                                   mlir::scf::ForOp loop);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_LOOPSLICES_H
