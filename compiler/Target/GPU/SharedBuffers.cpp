//===- SharedBuffers.cpp - What stands in shared memory -------------------===//

#include "compiler/Target/GPU/SharedBuffers.h"

#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::gpu {

bool isShared(Type type) {
  return isa<tgpu::TileType, tgpu::BarriersType>(type);
}

SharedBuffers::SharedBuffers(Operation *root, const TargetInfo *target) {
  const TargetInfo &asked = target ? *target : allTargets().front();
  root->walk([&](Operation *op) {
    SharedBuffer buffer{op, 0, 16, false};
    if (auto alloc = dyn_cast<tgpu::LocalAllocOp>(op)) {
      buffer.bytes = alloc.getType().getBytes();
      // Whole rows of banks, so that layouts free of bank conflicts are.
      buffer.alignment = std::max<int64_t>(tgpu::tileAlignment(alloc.getType()),
                                           buffer.bytes >= 128 ? 128 : 16);
    } else if (auto alloc = dyn_cast<tgpu::BarrierAllocOp>(op)) {
      buffer.bytes = 8 * alloc.getType().getCount();
    } else {
      buffer.bytes = scratchBytes(op, asked);
      buffer.alignment = buffer.bytes >= 128 ? 128 : 16;
      buffer.scratch = true;
    }
    if (!buffer.bytes)
      return;
    numbers[op] = unsigned(buffers.size());
    if (!buffer.scratch)
      add(op->getResult(0),
          {{unsigned(buffers.size()), 0, buffer.bytes, false}});
    buffers.push_back(buffer);
  });
  // Views, loops and branches pass them on.
  for (bool changed = true; changed;) {
    changed = false;
    root->walk([&](Operation *op) { changed |= propagate(op); });
  }
}

std::optional<unsigned> SharedBuffers::bufferOf(Operation *op) const {
  auto found = numbers.find(op);
  if (found == numbers.end())
    return std::nullopt;
  return found->second;
}

ArrayRef<SharedSlice> SharedBuffers::slices(Value value) const {
  auto found = pointsTo.find(value);
  if (found == pointsTo.end())
    return {};
  return found->second;
}

bool SharedBuffers::add(Value value, ArrayRef<SharedSlice> more) {
  bool changed = false;
  for (const SharedSlice &slice : more)
    if (auto &known = pointsTo[value]; !llvm::is_contained(known, slice)) {
      known.push_back(slice);
      changed = true;
    }
  return changed;
}

bool SharedBuffers::propagate(Operation *op) {
  auto copy = [&](Value from) {
    return SmallVector<SharedSlice, 1>(slices(from));
  };
  if (auto at = dyn_cast<tgpu::TileAtOp>(op)) {
    SmallVector<SharedSlice, 1> tiles = copy(at.getRing());
    const int64_t bytes = at.getRing().getType().getTileBytes();
    APInt index;
    const bool known = matchPattern(at.getIndex(), m_ConstantInt(&index));
    for (SharedSlice &slice : tiles)
      if (slice.end - slice.begin > bytes) {
        if (known && index.ult(uint64_t((slice.end - slice.begin) / bytes))) {
          slice.begin += int64_t(index.getZExtValue()) * bytes;
          slice.end = slice.begin + bytes;
        } else {
          slice.inRing = true;
        }
      }
    return add(at.getResult(), tiles);
  }
  if (isa<tgpu::LocalAllocOp, tgpu::BarrierAllocOp>(op))
    return false;
  // Anything else may hand on any of its operands, and what its regions end
  // with, to its results and to its regions' arguments.
  bool changed = false;
  auto flow = [&](ValueRange from, ValueRange to) {
    for (Value target : to)
      if (isShared(target.getType()))
        for (Value source : from)
          if (source.getType() == target.getType())
            changed |= add(target, copy(source));
  };
  if (auto permute = dyn_cast<tgpu::TilePermuteOp>(op))
    return add(permute.getResult(), copy(permute.getSrc()));
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    // Position by position: rings that a loop carries stay apart.
    auto yielded = loop.getYieldedValues();
    for (auto [init, argument, next, result] :
         llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(), yielded,
                   loop.getResults())) {
      flow(init, argument);
      flow(next, argument);
      flow(init, result);
      flow(next, result);
    }
    return changed;
  }
  if (llvm::none_of(op->getResultTypes(), isShared) &&
      llvm::none_of(op->getRegions(), [](Region &region) {
        return llvm::any_of(region.getArgumentTypes(), isShared);
      }))
    return false;
  SmallVector<Value> sources(op->getOperands());
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (block.mightHaveTerminator())
        llvm::append_range(sources, block.getTerminator()->getOperands());
  flow(sources, op->getResults());
  for (Region &region : op->getRegions())
    for (Block &block : region)
      flow(sources, block.getArguments());
  return changed;
}

} // namespace nereid::gpu
