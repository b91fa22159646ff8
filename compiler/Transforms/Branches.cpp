//===- Branches.cpp - Branches around what few iterations need ------------===//

#include "compiler/Transforms/Branches.h"

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace nereid {

void sinkIntoElse(scf::IfOp branch) {
  Block *inner = branch.elseBlock();
  bool moved = true;
  while (moved) {
    moved = false;
    SmallVector<Operation *> sources;
    branch.getElseRegion().walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp())
          if (source->getBlock() == branch->getBlock())
            sources.push_back(source);
    });
    for (Operation *source : sources) {
      // Products in a branch do not overlap with anything.
      if (source->getBlock() == inner || !isPure(source) ||
          source->getNumRegions() != 0 || isa<tt::DotOp>(source) ||
          !llvm::all_of(source->getUsers(), [&](Operation *user) {
            return branch.getElseRegion().isAncestor(user->getParentRegion());
          }))
        continue;
      source->moveBefore(inner, inner->begin());
      moved = true;
    }
  }
}

} // namespace nereid
