//===- LowerTensorCopies.cpp - Blocks by tensor maps to copies of tiles ---===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/CopyBox.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_LOWERTENSORCOPIES
#include "compiler/Transforms/Passes.h.inc"

namespace {

tgpu::TileType tileOf(Type block) {
  auto tensor = cast<RankedTensorType>(block);
  return tgpu::copyTile(tensor.getShape(), tensor.getElementType());
}

// The tile may just have been read or written by threads; the copy engine must
// not overtake that.
void lowerLoad(tgpu::MapLoadOp load, OpBuilder &builder) {
  Location loc = load.getLoc();
  builder.setInsertionPoint(load);
  tgpu::TileType type = tileOf(load.getType());
  auto i32 = [&](int64_t value) { return builder.getI32IntegerAttr(value); };
  Value zero = arith::ConstantIntOp::create(builder, loc, 0, 32);
  Value tile = tgpu::LocalAllocOp::create(builder, loc, type, Value());
  tgpu::ProxyFenceOp::create(builder, loc);
  Value barrier = tgpu::BarrierAllocOp::create(
      builder, loc, tgpu::BarriersType::get(builder.getContext(), 1), i32(1));
  tgpu::BarrierExpectOp::create(builder, loc, barrier, zero,
                                i32(type.getBytes()), Value());
  tgpu::TMALoadOp::create(builder, loc, load.getMap(), load.getCoordinates(),
                          tile, barrier, zero, Value());
  tgpu::BarrierWaitOp::create(builder, loc, barrier, zero, zero, Value());
  // All have seen the phase before the barrier goes.
  tgpu::SyncThreadsOp::create(builder, loc);
  tgpu::BarrierFreeOp::create(builder, loc, barrier);
  for (Operation *user : llvm::make_early_inc_range(load->getUsers()))
    if (auto alloc = dyn_cast<tgpu::LocalAllocOp>(user))
      if (alloc.getType() == type) {
        alloc.replaceAllUsesWith(tile);
        alloc.erase();
      }
  if (!load.use_empty())
    load.replaceAllUsesWith(
        tgpu::LocalLoadOp::create(builder, loc, load.getType(), tile)
            .getResult());
  load.erase();
}

void lowerStore(tgpu::MapStoreOp store, OpBuilder &builder) {
  Location loc = store.getLoc();
  tgpu::TileType type = tileOf(store.getValue().getType());
  // In a partition's loop the copy goes on while the next round computes: the
  // tile is the loop's own, and is waited for before it is filled again.
  auto groups = store->getParentOfType<tgpu::WarpSpecializeOp>();
  bool isOverlapped = groups && store->getParentOfType<scf::ForOp>();
  Value tile;
  builder.setInsertionPoint(store);
  if (isOverlapped) {
    Operation *outer = store;
    while (outer->getParentOp() != groups)
      outer = outer->getParentOp();
    Block *partition = outer->getBlock();
    builder.setInsertionPointToStart(partition);
    tile = tgpu::LocalAllocOp::create(builder, loc, type, Value());
    builder.setInsertionPoint(partition->getTerminator());
    tgpu::TMAStoreWaitOp::create(builder, loc, builder.getI32IntegerAttr(0));
    builder.setInsertionPoint(store);
    tgpu::TMAStoreWaitOp::create(builder, loc, builder.getI32IntegerAttr(0));
    tgpu::SyncThreadsOp::create(builder, loc);
    tgpu::LocalStoreOp::create(builder, loc, store.getValue(), tile);
  } else {
    tile = tgpu::LocalAllocOp::create(builder, loc, type, store.getValue());
  }
  tgpu::ProxyFenceOp::create(builder, loc);
  tgpu::SyncThreadsOp::create(builder, loc);
  tgpu::TMAStoreOp::create(builder, loc, store.getMap(), store.getCoordinates(),
                           tile, store.getReduceAttr());
  if (!isOverlapped) {
    tgpu::TMAStoreWaitOp::create(builder, loc, builder.getI32IntegerAttr(0));
    tgpu::SyncThreadsOp::create(builder, loc);
  }
  store.erase();
}

struct LowerTensorCopies : impl::LowerTensorCopiesBase<LowerTensorCopies> {
  void runOnOperation() override {
    OpBuilder builder(&getContext());
    getOperation().walk([&](Operation *op) {
      if (auto load = dyn_cast<tgpu::MapLoadOp>(op))
        lowerLoad(load, builder);
      else if (auto store = dyn_cast<tgpu::MapStoreOp>(op))
        lowerStore(store, builder);
    });
  }
};

} // namespace
} // namespace nereid
