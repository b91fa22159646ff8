//===- UnrollLoops.cpp - tl.range(loop_unroll_factor=) --------------------===//
//
// What the pass promises is in Passes.td. It runs on tile IR, before layouts,
// so that the copies of the body share what they can.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_UNROLLLOOPS
#include "compiler/Transforms/Passes.h.inc"

namespace {

constexpr StringLiteral kFactor = "tt.loop_unroll_factor";

struct UnrollLoops : impl::UnrollLoopsBase<UnrollLoops> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation()->walk<WalkOrder::PostOrder>([&](scf::ForOp loop) {
      if (loop->hasAttr(kFactor) && !loop.getUnsignedCmp())
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops)
      unroll(loop);
  }

  void unroll(scf::ForOp loop) {
    auto attribute = dyn_cast<IntegerAttr>(loop->getAttr(kFactor));
    DictionaryAttr others;
    loop->removeAttr(kFactor);
    if (!attribute || attribute.getInt() < 2)
      return;
    others = loop->getDiscardableAttrDictionary();
    // The trip count is computed unsigned: an empty loop may not end before it
    // starts.
    OpBuilder builder(loop);
    loop.setUpperBound(arith::MaxSIOp::create(
        builder, loop.getLoc(), loop.getLowerBound(), loop.getUpperBound()));
    auto result = loopUnrollByFactor(loop, uint64_t(attribute.getInt()));
    if (failed(result))
      return;
    for (std::optional<scf::ForOp> part :
         {result->mainLoopOp, result->epilogueLoopOp})
      if (part)
        (*part)->setDiscardableAttrs(others);
    // What is left over is less than one unrolled iteration: nothing to
    // overlap.
    if (result->epilogueLoopOp)
      (*result->epilogueLoopOp)
          ->setAttr("tt.num_stages", builder.getI32IntegerAttr(1));
  }
};

} // namespace
} // namespace nereid
