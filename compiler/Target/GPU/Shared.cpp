//===- Shared.cpp - Conversions and tiles in shared memory ----------------===//

#include "compiler/Target/GPU/Moves.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::gpu {

static LinearLayout layoutOf(Value tensor) {
  return tgpu::getLayout(tensor.getType()).getLinear();
}

/// Offsets in a tile of what each place of a tensor's layout holds.
static Places placesInTile(Value tensor, Value tile) {
  auto type = cast<tgpu::TileType>(tile.getType());
  return mapPlaces(placesOf(layoutOf(tensor)), offsetsOf(type.getLinear()));
}

static LogicalResult emitConvert(Emitter &e, Operation *op) {
  auto convert = cast<tgpu::ConvertLayoutOp>(op);
  e.set(convert.getResult(),
        convertLayout(
            e, op->getLoc(), Registers(e.get(convert.getSrc())),
            layoutOf(convert.getSrc()), layoutOf(convert.getResult()),
            [&] { return e.scratch(op); }, scratchLimit(op)));
  return success();
}

static LogicalResult emitLocalAlloc(Emitter &e, Operation *op) {
  auto alloc = cast<tgpu::LocalAllocOp>(op);
  Value base = e.scratch(op);
  e.set(alloc.getResult(), {base});
  if (Value source = alloc.getSrc())
    storePlaces(e, op->getLoc(), base, placesInTile(source, alloc.getResult()),
                Registers(e.get(source)));
  return success();
}

static LogicalResult emitLocalStore(Emitter &e, Operation *op) {
  auto store = cast<tgpu::LocalStoreOp>(op);
  storePlaces(e, op->getLoc(), e.getScalar(store.getDst()),
              placesInTile(store.getValue(), store.getDst()),
              Registers(e.get(store.getValue())));
  return success();
}

static LogicalResult emitLocalLoad(Emitter &e, Operation *op) {
  auto load = cast<tgpu::LocalLoadOp>(op);
  Registers registers;
  loadPlaces(e, op->getLoc(), e.getScalar(load.getSrc()),
             placesInTile(load.getResult(), load.getSrc()),
             e.scalarType(load.getType()), registers);
  e.set(load.getResult(), std::move(registers));
  return success();
}

static LogicalResult emitTileAt(Emitter &e, Operation *op) {
  auto tileAt = cast<tgpu::TileAtOp>(op);
  OpBuilder &b = e.builder;
  Location loc = op->getLoc();
  Value ring = e.getScalar(tileAt.getRing());
  const int64_t bytes = tileAt.getRing().getType().getTileBytes();
  Value index = e.getScalar(tileAt.getIndex());
  Value start = arith::MulIOp::create(b, loc, index, e.i32(loc, bytes),
                                      arith::IntegerOverflowFlags::nsw |
                                          arith::IntegerOverflowFlags::nuw);
  e.set(tileAt.getResult(),
        {LLVM::GEPOp::create(b, loc, ring.getType(), b.getI8Type(), ring,
                             ArrayRef<LLVM::GEPArg>{start})});
  return success();
}

static LogicalResult emitTilePermute(Emitter &e, Operation *op) {
  e.set(op->getResult(0), {e.getScalar(op->getOperand(0))});
  return success();
}

void addShared(EmitTable &table) {
  table["tgpu.convert_layout"] = emitConvert;
  table["tgpu.local_alloc"] = emitLocalAlloc;
  table["tgpu.local_store"] = emitLocalStore;
  table["tgpu.local_load"] = emitLocalLoad;
  table["tgpu.tile_at"] = emitTileAt;
  table["tgpu.tile_permute"] = emitTilePermute;
}

int64_t scratchBytes(Operation *op, const TargetInfo &target) {
  if (auto convert = dyn_cast<tgpu::ConvertLayoutOp>(op))
    return conversionScratch(
        layoutOf(convert.getSrc()), layoutOf(convert.getResult()),
        elementBytesInShared(convert.getType()), scratchLimit(op));
  if (int64_t bytes = reductionScratchBytes(op))
    return bytes;
  if (int64_t bytes = gatherScratchBytes(op))
    return bytes;
  return memoryScratchBytes(op, target);
}

} // namespace nereid::gpu
