//===- StaggerWarpgroups.cpp - Halves of a block that take turns ----------===//
//
// What the pass promises is in Passes.td. The even half of an iteration meets
// the odd half of the same iteration, so a barrier still stands between any two
// accesses to shared memory that one stood between before: there are none
// between the two places.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Target/GPU/Passes.h"
#include "compiler/Target/Target.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace nereid::gpu {
#define GEN_PASS_DEF_STAGGERWARPGROUPS
#include "compiler/Target/GPU/Passes.h.inc"

namespace {

/// Whether an operation, and all inside it, only computes: no shared memory,
/// not even scratch.
bool onlyComputes(Operation *op) {
  if (!isMemoryEffectFree(op))
    return false;
  return !op->walk([](Operation *inner) {
              return inner->hasAttr(tgpu::kSharedOffsetAttr) ||
                             isa<LoopLikeOpInterface>(inner)
                         ? WalkResult::interrupt()
                         : WalkResult::advance();
            }).wasInterrupted();
}

/// The product behind `sync` when there is arithmetic on tensors, and nothing
/// else, in between.
tgpu::WarpgroupMMAOp productBehind(tgpu::SyncThreadsOp sync) {
  bool computes = false;
  for (Operation *op = sync->getNextNode(); op; op = op->getNextNode()) {
    if (auto product = dyn_cast<tgpu::WarpgroupMMAOp>(op))
      return computes ? product : tgpu::WarpgroupMMAOp();
    if (!onlyComputes(op))
      return {};
    computes |= op->getNumResults() && op->hasTrait<OpTrait::Elementwise>() &&
                isa<RankedTensorType>(op->getResult(0).getType());
  }
  return {};
}

struct StaggerWarpgroups : impl::StaggerWarpgroupsBase<StaggerWarpgroups> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto number = [&](StringRef name) {
      auto attribute = module->getAttrOfType<IntegerAttr>(name);
      return attribute ? attribute.getInt() : 0;
    };
    auto name = module->getAttrOfType<StringAttr>(tgpu::kTargetAttr);
    const TargetInfo *target = name ? findTarget(name.getValue()) : nullptr;
    int64_t warps = number(tgpu::kNumWarpsAttr);
    if (!target || warps == 0 || warps % 8)
      return;
    if (blocksBySharedMemory(*target, number(tgpu::kSharedBytesAttr)) > 1)
      return;
    SmallVector<std::pair<tgpu::SyncThreadsOp, tgpu::WarpgroupMMAOp>> found;
    module.walk([&](scf::ForOp loop) {
      if (loop->getParentOfType<tgpu::WarpSpecializeOp>())
        return;
      for (auto sync : loop.getBody()->getOps<tgpu::SyncThreadsOp>())
        if (tgpu::WarpgroupMMAOp product = productBehind(sync);
            product && !sync.getHalf())
          found.push_back({sync, product});
    });
    for (auto [sync, product] : found) {
      OpBuilder builder(product);
      sync.setHalf(1);
      // Registers that the product reads are packed before, not behind.
      SmallVector<Value> ready;
      Type element = getElementTypeOrSelf(product.getA().getType());
      if (isa<RankedTensorType>(product.getA().getType()) &&
          element.isIntOrFloat() && element.getIntOrFloatBitWidth() < 32)
        ready.push_back(product.getA());
      tgpu::SyncThreadsOp::create(builder, sync.getLoc(),
                                  builder.getI32IntegerAttr(0), ready);
    }
  }
};

} // namespace
} // namespace nereid::gpu
