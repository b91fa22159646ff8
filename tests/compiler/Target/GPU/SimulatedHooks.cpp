//===- SimulatedHooks.cpp - The hooks of the simulated machine ------------===//
//
// What has no operation of its own becomes a call of an intrinsic "sim.*",
// which Simulate.cpp carries out.
//
//===----------------------------------------------------------------------===//

#include "Simulate.h"

#include "compiler/Target/GPU/Moves.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::simulate {

static Value call(OpBuilder &b, Location loc, Type result, const Twine &name,
                  ValueRange operands) {
  StringAttr full = b.getStringAttr("sim." + name);
  if (!result)
    return LLVM::CallIntrinsicOp::create(b, loc, full, operands), Value();
  return LLVM::CallIntrinsicOp::create(b, loc, result, full, operands)
      .getResult(0);
}

static Value constant(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(int32_t(value)));
}

Value SimulatedHooks::threadId(Builder &b, Loc loc) {
  return call(b, loc, b.getI32Type(), "thread", {});
}
Value SimulatedHooks::programId(Builder &b, Loc loc, int axis) {
  return call(b, loc, b.getI32Type(), "program", {constant(b, loc, axis)});
}
Value SimulatedHooks::numPrograms(Builder &b, Loc loc, int axis) {
  return call(b, loc, b.getI32Type(), "programs", {constant(b, loc, axis)});
}
Value SimulatedHooks::uniform(Builder &b, Loc loc, Value value) {
  return call(b, loc, value.getType(), "uniform", {value});
}
Value SimulatedHooks::shuffle(Builder &b, Loc loc, Value value, Value lane) {
  return call(b, loc, b.getI32Type(), "shuffle", {value, lane});
}
Value SimulatedHooks::shuffleXor(Builder &b, Loc loc, Value value, int mask) {
  return call(b, loc, b.getI32Type(), "shuffle_xor",
              {value, constant(b, loc, mask)});
}
void SimulatedHooks::barrier(Builder &b, Loc loc, int id, int threads) {
  call(b, loc, {}, "barrier",
       {constant(b, loc, id), constant(b, loc, threads)});
}
// In lockstep both halves are at the second place when one is.
void SimulatedHooks::barrierOfHalf(Builder &b, Loc loc, Value, bool second,
                                   int id, int threads, ValueRange) {
  if (second)
    barrier(b, loc, id, threads);
}
void SimulatedHooks::syncWarp(Builder &, Loc) {}

Value SimulatedHooks::reduceWarp(Builder &b, Loc loc, Operation *combiner,
                                 Value value) {
  if (!value.getType().isInteger(32))
    return {};
  StringRef name = combiner->getName().getStringRef();
  for (StringRef known :
       {"arith.addi", "arith.andi", "arith.ori", "arith.xori", "arith.maxsi",
        "arith.minsi", "arith.maxui", "arith.minui"})
    if (name == known)
      return call(b, loc, b.getI32Type(), "reduce." + name, {value});
  return {};
}

// Memory is the same as shared memory to the simulator, but for its checks.
SmallVector<Value> SimulatedHooks::load(Builder &b, Loc loc, Value pointer,
                                        Type type, int count, Value pred,
                                        ValueRange other,
                                        const gpu::CacheHints &) {
  SmallVector<Value> values = loadShared(b, loc, pointer, type, count, pred);
  if (pred && !other.empty())
    for (auto [value, instead] : llvm::zip(values, other))
      value = LLVM::SelectOp::create(b, loc, pred, value, instead);
  return values;
}
void SimulatedHooks::store(Builder &b, Loc loc, Value pointer,
                           ValueRange values, Value pred,
                           const gpu::CacheHints &) {
  storeShared(b, loc, pointer, values, pred);
}

Value SimulatedHooks::atomicRMW(Builder &b, Loc loc, tt::RMWOp kind,
                                Value pointer, Value value, Value pred,
                                tt::MemSemantic, tt::MemSyncScope) {
  Value always =
      pred ? pred : arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  return call(b, loc, value.getType(), "atomic." + tt::stringifyRMWOp(kind),
              {pointer, value, always});
}
Value SimulatedHooks::atomicCAS(Builder &b, Loc loc, Value pointer,
                                Value compare, Value value, Value pred,
                                tt::MemSemantic, tt::MemSyncScope) {
  Value always =
      pred ? pred : arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  return call(b, loc, value.getType(), "cas",
              {pointer, compare, value, always});
}

SmallVector<Value> SimulatedHooks::loadMatrix(Builder &b, Loc loc,
                                              Value pointer, int count,
                                              bool transposed) {
  Value all =
      call(b, loc, VectorType::get(count, b.getI32Type()),
           transposed ? "load_matrix_transposed" : "load_matrix", {pointer});
  SmallVector<Value> words;
  for (int i = 0; i < count; ++i)
    words.push_back(
        LLVM::ExtractElementOp::create(b, loc, all, constant(b, loc, i)));
  return words;
}
void SimulatedHooks::storeMatrix(Builder &b, Loc loc, Value pointer,
                                 ValueRange words, bool transposed) {
  SmallVector<Value> operands{pointer};
  operands.append(words.begin(), words.end());
  call(b, loc, {}, transposed ? "store_matrix_transposed" : "store_matrix",
       operands);
}

Value SimulatedHooks::nanoseconds(Builder &b, Loc loc) {
  return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
}
Value SimulatedHooks::sharedBase(Builder &b, Loc loc, ModuleOp) {
  return LLVM::ZeroOp::create(b, loc,
                              LLVM::LLVMPointerType::get(b.getContext(), 3));
}
void SimulatedHooks::finishKernel(LLVM::LLVMFuncOp, const gpu::LaunchBounds &) {
}
LogicalResult SimulatedHooks::print(gpu::Emitter &, Operation *) {
  return success();
}
LogicalResult SimulatedHooks::trap(gpu::Emitter &, Operation *, Value) {
  return success();
}

//===-- Operations for tests ----------------------------------------------===//

/// The address of each register's element in a row-major array.
static SmallVector<Value> addresses(gpu::Emitter &e, Location loc,
                                    Value pointer, RankedTensorType type) {
  OpBuilder &b = e.builder;
  SmallVector<Value> result;
  const LinearLayout &layout = tgpu::getLayout(type).getLinear();
  const int64_t bytes = gpu::elementBytesInShared(type);
  for (auto &element : e.elements(loc, layout)) {
    Value index = e.i32(loc, 0);
    for (auto [dim, at] : llvm::enumerate(element))
      index = arith::AddIOp::create(
          b, loc,
          arith::MulIOp::create(b, loc, index,
                                e.i32(loc, type.getShape()[dim])),
          at);
    index = arith::MulIOp::create(b, loc, index, e.i32(loc, bytes));
    result.push_back(LLVM::GEPOp::create(b, loc, pointer.getType(),
                                         b.getI8Type(), pointer,
                                         ArrayRef<LLVM::GEPArg>{index}));
  }
  return result;
}

static LogicalResult emitTestLoad(gpu::Emitter &e, Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  gpu::Registers values;
  for (Value address :
       addresses(e, op->getLoc(), e.getScalar(op->getOperand(0)), type))
    values.push_back(e.hooks.load(e.builder, op->getLoc(), address,
                                  e.scalarType(type), 1, {}, {}, {})[0]);
  e.set(op->getResult(0), std::move(values));
  return success();
}

static LogicalResult emitTestStore(gpu::Emitter &e, Operation *op) {
  Value pointer = e.getScalar(op->getOperand(0)), tensor = op->getOperand(1);
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  gpu::Registers values(e.get(tensor));
  SmallVector<Value> where{pointer};
  if (type)
    where = addresses(e, op->getLoc(), pointer, type);
  for (auto [address, value] : llvm::zip(where, values)) {
    Value held = gpu::toStorage(e, op->getLoc(), value);
    call(e.builder, op->getLoc(), {}, "agreeing_store", {address, held});
  }
  return success();
}

//===-- Products and copies by threads ------------------------------------===//

static gpu::Registers scalarsOf(gpu::Emitter &e, ValueRange values) {
  gpu::Registers all;
  for (Value value : values)
    llvm::append_range(all, e.get(value));
  return all;
}

/// A product in whatever layouts: all scalars of the thread and the types go to
/// the simulator, which puts the matrices together.
static LogicalResult emitDot(gpu::Emitter &e, Operation *op) {
  OpBuilder &b = e.builder;
  auto dot = cast<tt::DotOp>(op);
  gpu::Registers all = scalarsOf(e, {dot.getA(), dot.getB(), dot.getC()});
  const int64_t count = e.count(dot.getType());
  auto product = LLVM::CallIntrinsicOp::create(
      b, op->getLoc(), VectorType::get(count, e.scalarType(dot.getType())),
      b.getStringAttr("sim.dot"), all);
  product->setAttr("sim.types",
                   b.getTypeArrayAttr({dot.getA().getType(),
                                       dot.getB().getType(), dot.getType()}));
  gpu::Registers registers;
  for (int64_t i = 0; i < count; ++i)
    registers.push_back(LLVM::ExtractElementOp::create(
        b, op->getLoc(), product.getResult(0), e.i32(op->getLoc(), i)));
  e.set(dot.getResult(), std::move(registers));
  return success();
}

/// wgmma: a tile's operand is its address.
static LogicalResult emitWarpgroupMMA(gpu::Emitter &e, Operation *op) {
  OpBuilder &b = e.builder;
  Location loc = op->getLoc();
  auto mma = cast<tgpu::WarpgroupMMAOp>(op);
  gpu::Registers all = scalarsOf(e, {mma.getA(), mma.getB(), mma.getAcc()});
  all.push_back(mma.getUseAcc() ? e.getScalar(mma.getUseAcc())
                                : e.i1(loc, true));
  Type type = mma.getResult().getType();
  const int64_t count = e.count(type);
  auto product = LLVM::CallIntrinsicOp::create(
      b, loc, VectorType::get(count, e.scalarType(type)),
      b.getStringAttr("sim.warpgroup_mma"), all);
  product->setAttr(
      "sim.types",
      b.getTypeArrayAttr({mma.getA().getType(), mma.getB().getType(), type}));
  gpu::Registers registers;
  for (int64_t i = 0; i < count; ++i)
    registers.push_back(LLVM::ExtractElementOp::create(
        b, loc, product.getResult(0), e.i32(loc, i)));
  e.set(mma.getResult(), std::move(registers));
  return success();
}

static LogicalResult emitWarpgroupWait(gpu::Emitter &e, Operation *op) {
  auto wait = cast<tgpu::WarpgroupWaitOp>(op);
  call(e.builder, op->getLoc(), {}, "warpgroup_wait",
       {e.i32(op->getLoc(), wait.getPending())});
  for (auto [value, result] : llvm::zip(wait.getValues(), wait.getResults()))
    e.set(result, gpu::Registers(e.get(value)));
  return success();
}

static LogicalResult emitProxyFence(gpu::Emitter &e, Operation *op) {
  call(e.builder, op->getLoc(), {}, "proxy_fence", {});
  return success();
}

static LogicalResult emitAsyncCopy(gpu::Emitter &e, Operation *op) {
  OpBuilder &b = e.builder;
  Location loc = op->getLoc();
  auto copy = cast<tgpu::AsyncCopyOp>(op);
  tgpu::TileType tile = copy.getDst().getType();
  const LinearLayout &layout =
      tgpu::getLayout(copy.getPtr().getType()).getLinear();
  gpu::Places places =
      gpu::mapPlaces(gpu::placesOf(layout), gpu::offsetsOf(tile.getLinear()));
  const unsigned bytes = gpu::elementBytesInShared(tile.getElementType());
  gpu::ThreadAddress address(e, loc, e.getScalar(copy.getDst()), places.lane,
                             places.warp, bytes);
  gpu::Registers pointers(e.get(copy.getPtr())), masks;
  if (copy.getMask())
    masks = gpu::Registers(e.get(copy.getMask()));
  if (copy.getOther())
    return op->emitError("is not simulated with other values");
  Value first = e.holdsFirstCopy(loc, layout);
  for (auto [r, pointer] : llvm::enumerate(pointers)) {
    Value reads = masks.empty() ? e.i1(loc, true) : masks[r];
    Value takesPart = first ? first : e.i1(loc, true);
    call(b, loc, {}, "async_copy",
         {address.at(gpu::combine(places.reg, r)), pointer, reads, takesPart,
          e.i32(loc, bytes)});
  }
  return success();
}

static LogicalResult emitAsyncCommit(gpu::Emitter &e, Operation *op) {
  call(e.builder, op->getLoc(), {}, "async_commit", {});
  return success();
}

static LogicalResult emitAsyncWait(gpu::Emitter &e, Operation *op) {
  call(e.builder, op->getLoc(), {}, "async_wait",
       {e.i32(op->getLoc(), cast<tgpu::AsyncWaitOp>(op).getPending())});
  return success();
}

static LogicalResult emitNothing(gpu::Emitter &, Operation *) {
  return success();
}

void SimulatedHooks::addOperations(gpu::EmitTable &table) {
  table["test.load"] = emitTestLoad;
  table["test.store"] = emitTestStore;
  table["tt.dot"] = emitDot;
  table["tgpu.async_copy"] = emitAsyncCopy;
  table["tgpu.async_commit"] = emitAsyncCommit;
  table["tgpu.async_wait"] = emitAsyncWait;
  table["tgpu.proxy_fence"] = emitProxyFence;
  table["tgpu.warpgroup_mma"] = emitWarpgroupMMA;
  table["tgpu.warpgroup_wait"] = emitWarpgroupWait;
  table["llvm.intr.assume"] = emitNothing;
}

} // namespace nereid::simulate
