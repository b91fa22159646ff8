//===- Tma.cpp - Copies by the copy engine, and memory barriers -----------===//

#include "compiler/Dialect/TGPU/CopyBox.h"
#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using llvm::formatv;

namespace nereid::nvptx {
namespace {

//===-- Short hands -------------------------------------------------------===//

/// An address in shared memory as instructions take it: 32 bits.
Value sharedRegister(gpu::Emitter &e, Location loc, Value pointer) {
  return LLVM::PtrToIntOp::create(e.builder, loc, e.builder.getI32Type(),
                                  pointer);
}

/// The address of barrier `index`.
Value barrierAt(gpu::Emitter &e, Location loc, Value barriers, Value index) {
  Value base = sharedRegister(e, loc, e.getScalar(barriers));
  Value bytes =
      arith::MulIOp::create(e.builder, loc, e.getScalar(index), e.i32(loc, 8));
  return arith::AddIOp::create(e.builder, loc, base, bytes);
}

/// `pred`, where there is one, and `place` is 0.
Value onlyAt(gpu::Emitter &e, Location loc, Value place, Value pred) {
  Value first = arith::CmpIOp::create(e.builder, loc, arith::CmpIPredicate::eq,
                                      place, e.i32(loc, 0));
  if (!pred)
    return first;
  return arith::AndIOp::create(e.builder, loc, first, e.getScalar(pred));
}

void ptx(gpu::Emitter &e, Location loc, const llvm::Twine &text,
         StringRef constraints = "", ValueRange operands = {}) {
  inlineAsm(e.builder, loc, {}, text.str(), constraints, operands);
}

//===-- Memory barriers ---------------------------------------------------===//

LogicalResult emitBarrierAlloc(gpu::Emitter &e, Operation *op) {
  auto alloc = cast<tgpu::BarrierAllocOp>(op);
  Location loc = op->getLoc();
  Value address = e.scratch(op);
  e.set(alloc.getResult(), {address});
  Value base = sharedRegister(e, loc, address);
  Value first = onlyAt(e, loc, e.thread(), {});
  auto branch = scf::IfOp::create(e.builder, loc, first, /*withElse=*/false);
  {
    OpBuilder::InsertionGuard guard(e.builder);
    e.builder.setInsertionPointToStart(branch.thenBlock());
    for (int64_t i = 0; i < alloc.getType().getCount(); ++i)
      ptx(e, loc,
          "mbarrier.init.shared::cta.b64 [$0+" + llvm::Twine(8 * i) + "], " +
              llvm::Twine(alloc.getArrivals()) + ";",
          "r", base);
    // Other threads and the copy engine see barriers, not what was there.
    ptx(e, loc, "fence.mbarrier_init.release.cluster;");
    ptx(e, loc, "fence.proxy.async.shared::cta;");
  }
  e.syncThreads(loc);
  return success();
}

LogicalResult emitBarrierFree(gpu::Emitter &e, Operation *op) {
  auto free = cast<tgpu::BarrierFreeOp>(op);
  Location loc = op->getLoc();
  Value base = sharedRegister(e, loc, e.getScalar(free.getBarriers()));
  Value first = onlyAt(e, loc, e.thread(), {});
  for (int64_t i = 0; i < free.getBarriers().getType().getCount(); ++i)
    ptx(e, loc,
        "@$1 mbarrier.inval.shared::cta.b64 [$0+" + llvm::Twine(8 * i) + "];",
        "r,b", {base, first});
  return success();
}

LogicalResult emitBarrierWait(gpu::Emitter &e, Operation *op) {
  auto wait = cast<tgpu::BarrierWaitOp>(op);
  Location loc = op->getLoc();
  SmallVector<Value> operands = {
      barrierAt(e, loc, wait.getBarriers(), wait.getIndex()),
      e.getScalar(wait.getParity())};
  std::string text = "{\n.reg .pred done;\n";
  if (wait.getPred()) {
    operands.push_back(e.getScalar(wait.getPred()));
    text += "@!$2 bra OVER;\n";
  }
  text += "AGAIN:\n"
          "mbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1;\n"
          "@done bra OVER;\nbra AGAIN;\nOVER:\n}";
  ptx(e, loc, text, wait.getPred() ? "r,r,b" : "r,r", operands);
  return success();
}

LogicalResult emitBarrierArrive(gpu::Emitter &e, Operation *op) {
  auto arrive = cast<tgpu::BarrierArriveOp>(op);
  Location loc = op->getLoc();
  Value address = barrierAt(e, loc, arrive.getBarriers(), arrive.getIndex());
  // What the warp's lanes have read, they have read.
  e.hooks.syncWarp(e.builder, loc);
  ptx(e, loc, "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b",
      {address, onlyAt(e, loc, e.lane(), arrive.getPred())});
  return success();
}

LogicalResult emitBarrierExpect(gpu::Emitter &e, Operation *op) {
  auto expect = cast<tgpu::BarrierExpectOp>(op);
  Location loc = op->getLoc();
  Value address = barrierAt(e, loc, expect.getBarriers(), expect.getIndex());
  ptx(e, loc,
      "@$1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], " +
          llvm::Twine(expect.getBytes()) + ";",
      "r,b", {address, onlyAt(e, loc, e.thread(), expect.getPred())});
  return success();
}

LogicalResult emitProxyFence(gpu::Emitter &e, Operation *op) {
  ptx(e, op->getLoc(), "fence.proxy.async.shared::cta;");
  return success();
}

LogicalResult emitSyncThreads(gpu::Emitter &e, Operation *op) {
  e.syncThreads(op->getLoc());
  return success();
}

//===-- Copies ------------------------------------------------------------===//

/// The boxes of a copy, or an error where the tile is not what boxes fill.
FailureOr<tgpu::CopyBox> boxOf(Operation *op, tgpu::TileType tile) {
  auto box = tgpu::copyBox(tile.getShape(), tile.getElementType());
  if (!box || tile != tgpu::copyTile(tile.getShape(), tile.getElementType()))
    return emitError(op->getLoc())
           << "the copy engine does not fill a tile of type " << tile;
  return *box;
}

/// Calls `fn` for each box with its coordinates, fastest first, and its place
/// in shared memory.
LogicalResult
eachBox(gpu::Emitter &e, Operation *op, Value tile, ValueRange coordinates,
        llvm::function_ref<void(ArrayRef<Value>, Value address)> fn) {
  auto type = cast<tgpu::TileType>(tile.getType());
  FailureOr<tgpu::CopyBox> box = boxOf(op, type);
  if (failed(box))
    return failure();
  if (coordinates.size() != type.getShape().size())
    return emitError(op->getLoc())
           << "a copy of rank " << type.getShape().size() << " has "
           << coordinates.size() << " coordinates";
  Location loc = op->getLoc();
  Value base = sharedRegister(e, loc, e.getScalar(tile));
  SmallVector<Value> origin;
  for (Value coordinate : coordinates)
    origin.push_back(e.getScalar(coordinate));
  auto plus = [&](Value value, int64_t by) -> Value {
    return by ? arith::AddIOp::create(e.builder, loc, value, e.i32(loc, by))
                    .getResult()
              : value;
  };
  tgpu::forEachBox(type, *box, [&](ArrayRef<int64_t> start, int64_t byte) {
    SmallVector<Value> fastestFirst;
    for (auto [value, by] : llvm::zip(origin, start))
      fastestFirst.push_back(plus(value, by));
    std::reverse(fastestFirst.begin(), fastestFirst.end());
    fn(fastestFirst, plus(base, byte));
  });
  return success();
}

/// "{$2, $3}" for `count` operands from number `first` on.
std::string coordinateList(size_t first, size_t count) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i)
    text += formatv("{0}${1}", i ? ", " : "", first + i).str();
  return text + "}";
}

LogicalResult emitLoad(gpu::Emitter &e, Operation *op) {
  auto load = cast<tgpu::TMALoadOp>(op);
  Location loc = op->getLoc();
  Value map = e.getScalar(load.getMap());
  Value barrier = barrierAt(e, loc, load.getBarriers(), load.getIndex());
  Value first = onlyAt(e, loc, e.thread(), load.getPred());
  return eachBox(
      e, op, load.getDst(), load.getCoordinates(),
      [&](ArrayRef<Value> at, Value address) {
        SmallVector<Value> operands = {address, map, barrier, first};
        llvm::append_range(operands, at);
        std::string text =
            "@$3 cp.async.bulk.tensor." + std::to_string(at.size()) +
            "d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], "
            "[$1, " +
            coordinateList(4, at.size()) + "], [$2];";
        std::string constraints = "r,l,r,b";
        for (size_t i = 0; i < at.size(); ++i)
          constraints += ",r";
        ptx(e, loc, text, constraints, operands);
      });
}

LogicalResult emitStore(gpu::Emitter &e, Operation *op) {
  auto store = cast<tgpu::TMAStoreOp>(op);
  Location loc = op->getLoc();
  Value map = e.getScalar(store.getMap());
  Value first = onlyAt(e, loc, e.thread(), {});
  StringRef reduce = store.getReduce();
  LogicalResult result =
      eachBox(e, op, store.getSrc(), store.getCoordinates(),
              [&](ArrayRef<Value> at, Value address) {
                SmallVector<Value> operands = {address, map, first};
                llvm::append_range(operands, at);
                std::string rank = std::to_string(at.size());
                std::string text = reduce.empty()
                                       ? "@$2 cp.async.bulk.tensor." + rank +
                                             "d.global.shared::cta.bulk_group"
                                       : "@$2 cp.reduce.async.bulk.tensor." +
                                             rank + "d.global.shared::cta." +
                                             reduce.str() + ".tile.bulk_group";
                text += " [$1, " + coordinateList(3, at.size()) + "], [$0];";
                std::string constraints = "r,l,b";
                for (size_t i = 0; i < at.size(); ++i)
                  constraints += ",r";
                ptx(e, loc, text, constraints, operands);
              });
  ptx(e, loc, "@$0 cp.async.bulk.commit_group;", "b", first);
  return result;
}

// Threads that started no copy have nothing to wait for.
LogicalResult emitStoreWait(gpu::Emitter &e, Operation *op) {
  auto wait = cast<tgpu::TMAStoreWaitOp>(op);
  ptx(e, op->getLoc(),
      "cp.async.bulk.wait_group.read " + llvm::Twine(wait.getPending()) + ";");
  return success();
}

//===-- Tensor maps made by the program -----------------------------------===//

/// The numbers of tensormap.replace's elemtype, which are CUtensorMapDataType's
/// up to f32.
std::optional<int> elementCode(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 8:
      return 0;
    case 16:
      return 1;
    case 32:
      return isUnsigned ? 2 : 3;
    case 64:
      return isUnsigned ? 4 : 5;
    default:
      return std::nullopt;
    }
  }
  if (type.isF16())
    return 6;
  if (type.isF32())
    return 7;
  if (type.isF64())
    return 9; // 8 is f32 with denormals flushed
  if (type.isBF16())
    return 10;
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8)
    return 0;
  return std::nullopt;
}

// One thread writes the map; all acquire it before they use it.
LogicalResult emitMapCreate(gpu::Emitter &e, Operation *op) {
  auto create = cast<tgpu::TensorMapCreateOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  Type element = create.getElementType();
  std::optional<int> code = elementCode(element);
  if (!code)
    return emitError(loc) << "a tensor map does not describe elements of type "
                          << element;
  int64_t bytes = std::max(8u, element.getIntOrFloatBitWidth()) / 8;
  Value map = e.globalScratchSlot(loc, 128);
  e.set(create.getResult(), {map});
  Value address = LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), map);
  // A map that was made here before may still be read.
  e.syncThreads(loc);
  Value first = onlyAt(e, loc, e.thread(), {});
  auto branch = scf::IfOp::create(b, loc, first, /*withElse=*/false);
  OpBuilder::InsertPoint after = b.saveInsertionPoint();
  b.setInsertionPointToStart(branch.thenBlock());
  for (int i = 0; i < 128; i += 16)
    ptx(e, loc, formatv("st.global.v4.b32 [$0+{0}], {{0, 0, 0, 0};", i).str(),
        "l", address);
  auto replace = [&](StringRef field, const llvm::Twine &value,
                     StringRef constraint = "", Value operand = {}) {
    SmallVector<Value> operands = {address};
    if (operand)
      operands.push_back(operand);
    std::string constraints = "l";
    if (operand)
      constraints += ("," + constraint).str();
    ptx(e, loc,
        "tensormap.replace.tile." + field + ".global.b1024." +
            (field == "global_address" || field == "global_stride" ? "b64"
                                                                   : "b32") +
            " [$0], " + value + ";",
        constraints, operands);
  };
  size_t rank = create.getShape().size();
  Value base = LLVM::PtrToIntOp::create(b, loc, b.getI64Type(),
                                        e.getScalar(create.getBase()));
  replace("global_address", "$1", "l", base);
  replace("rank", llvm::Twine(rank - 1));
  for (size_t i = 0; i < rank; ++i) { // the fastest dimension is 0
    size_t dim = rank - 1 - i;
    std::string ordinal = std::to_string(i) + ", ";
    replace("box_dim", ordinal + std::to_string(create.getBox()[dim]));
    replace("global_dim", ordinal + "$1", "r",
            e.getScalar(create.getShape()[dim]));
    replace("element_stride", ordinal + "1");
    if (i == 0)
      continue;
    Value step = arith::MulIOp::create(
        b, loc, e.getScalar(create.getStrides()[dim]), e.i64(loc, bytes));
    replace("global_stride", std::to_string(i - 1) + ", $1", "l", step);
  }
  replace("elemtype", llvm::Twine(*code));
  replace("interleave_layout", "0");
  int32_t swizzle = create.getSwizzle();
  replace("swizzle_mode", llvm::Twine(swizzle == 128  ? 3
                                      : swizzle == 64 ? 2
                                      : swizzle == 32 ? 1
                                                      : 0));
  replace("fill_mode", create.getNanFill() ? "1" : "0");
  ptx(e, loc, "fence.proxy.tensormap::generic.release.cta;");
  b.restoreInsertionPoint(after);
  e.syncThreads(loc);
  ptx(e, loc, "fence.proxy.tensormap::generic.acquire.cta [$0], 128;", "l",
      address);
  return success();
}

} // namespace

void addTma(gpu::EmitTable &table) {
  table["tgpu.barrier_alloc"] = emitBarrierAlloc;
  table["tgpu.barrier_free"] = emitBarrierFree;
  table["tgpu.barrier_wait"] = emitBarrierWait;
  table["tgpu.barrier_arrive"] = emitBarrierArrive;
  table["tgpu.barrier_expect"] = emitBarrierExpect;
  table["tgpu.proxy_fence"] = emitProxyFence;
  table.try_emplace("tgpu.sync_threads", emitSyncThreads);
  table["tgpu.tma_load"] = emitLoad;
  table["tgpu.tma_store"] = emitStore;
  table["tgpu.tma_store_wait"] = emitStoreWait;
  table["tgpu.tensor_map_create"] = emitMapCreate;
  addPartitions(table);
}

} // namespace nereid::nvptx
