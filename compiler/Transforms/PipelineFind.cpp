//===- PipelineFind.cpp - Which loads are worth copying ahead -------------===//
//
// The choice is conservative where memory is concerned (a load stays in place
// when the loop may write what it reads) and follows the dots otherwise: what
// feeds a matrix unit must not wait for memory.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Transforms/LoopSlices.h"
#include "compiler/Transforms/PipelineLoops.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace nereid {
namespace {

//===-- Memory ------------------------------------------------------------===//

/// The arguments (or other values) that a pointer may be derived from. False
/// when it may come from anywhere.
bool basesOf(Value pointer, llvm::SetVector<Value> &bases) {
  llvm::SetVector<Value> todo;
  todo.insert(pointer);
  for (size_t i = 0; i < todo.size(); ++i) {
    Value value = todo[i];
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (isa<FunctionOpInterface>(parent)) {
        bases.insert(value);
      } else if (auto loop = dyn_cast<scf::ForOp>(parent);
                 loop && argument != loop.getInductionVar()) {
        todo.insert(loop.getTiedLoopInit(argument)->get());
        todo.insert(loop.getTiedLoopYieldedValue(argument)->get());
      } else {
        return false;
      }
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (isa<tt::AddPtrOp, tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp,
            tt::ReshapeOp, tt::TransOp, tt::BitcastOp, tgpu::ConvertLayoutOp>(
            op)) {
      todo.insert(op->getOperand(0));
    } else if (isa<arith::SelectOp>(op)) {
      todo.insert(op->getOperand(1));
      todo.insert(op->getOperand(2));
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      unsigned index = cast<OpResult>(value).getResultNumber();
      todo.insert(loop.getInitArgs()[index]);
      todo.insert(loop.getYieldedValues()[index]);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      unsigned index = cast<OpResult>(value).getResultNumber();
      todo.insert(branch.thenYield().getOperand(index));
      todo.insert(branch.elseYield().getOperand(index));
    } else {
      return false;
    }
  }
  return true;
}

/// What a loop writes to global memory. As everywhere in this compiler, a
/// pointer from one argument does not reach memory of another.
struct Writes {
  bool anything = false;
  llvm::SetVector<Value> bases;

  explicit Writes(scf::ForOp loop) {
    loop.getBody()->walk([&](Operation *op) {
      if (anything)
        return;
      if (auto store = dyn_cast<tt::StoreOp>(op)) {
        anything |= !basesOf(store.getPtr(), bases);
      } else if (auto atomic = dyn_cast<tt::AtomicRMWOp>(op)) {
        // An atomic that orders memory orders the loads around it.
        anything |= atomic.getSem() != tt::MemSemantic::RELAXED ||
                    !basesOf(atomic.getPtr(), bases);
      } else if (auto atomic = dyn_cast<tt::AtomicCASOp>(op)) {
        anything |= atomic.getSem() != tt::MemSemantic::RELAXED ||
                    !basesOf(atomic.getPtr(), bases);
      } else if (isa<tgpu::MapStoreOp, tgpu::TMAStoreOp>(op)) {
        anything = true;
      } else if (isa<tt::LoadOp, tt::PrintOp, tt::AssertOp>(op) ||
                 isa<tgpu::TGPUDialect, scf::SCFDialect>(op->getDialect()) ||
                 op->hasTrait<OpTrait::IsTerminator>()) {
        return; // reads, shared memory, or nested ops that are walked too
      } else if (op->getNumRegions() &&
                 op->hasTrait<OpTrait::HasRecursiveMemoryEffects>()) {
        return;
      } else {
        anything |= !isMemoryEffectFree(op);
      }
    });
  }

  bool mayChange(Value pointer) const {
    if (anything)
      return true;
    if (bases.empty())
      return false;
    llvm::SetVector<Value> own;
    return !basesOf(pointer, own) ||
           llvm::any_of(own, [&](Value b) { return bases.contains(b); });
  }
};

bool isZero(Value value) {
  auto attr = dyn_cast_or_null<TypedAttr>(tt::getSplatSource(value).attr);
  if (!attr && !isa<RankedTensorType>(value.getType()))
    if (auto constant = value.getDefiningOp<arith::ConstantOp>())
      attr = constant.getValue();
  if (auto integer = dyn_cast_or_null<IntegerAttr>(attr))
    return integer.getValue().isZero();
  if (auto number = dyn_cast_or_null<FloatAttr>(attr))
    return number.getValue().isPosZero();
  return false;
}

//===-- Uses --------------------------------------------------------------===//

/// Follows a load to the tiles that are made of it and to the values that are
/// needed in registers.
void followUses(Value value, ArrayRef<int32_t> order, RingLoad &load) {
  bool needed = false;
  for (Operation *user : value.getUsers()) {
    if (auto conversion = dyn_cast<tgpu::ConvertLayoutOp>(user)) {
      followUses(conversion.getResult(), order, load);
    } else if (auto alloc = dyn_cast<tgpu::LocalAllocOp>(user)) {
      load.tiles.push_back({alloc, SmallVector<int32_t>(order)});
    } else if (auto trans = dyn_cast<tt::TransOp>(user);
               trans && order.empty()) {
      followUses(trans.getResult(), trans.getOrder(), load);
    } else {
      needed = true;
    }
  }
  if (needed)
    load.registers.push_back({value, SmallVector<int32_t>(order)});
}

/// The loads of the body that end in an operand of a dot.
llvm::SetVector<Operation *> loadsOfDots(scf::ForOp loop, bool &hasDot) {
  llvm::SetVector<Operation *> loads, seen;
  SmallVector<Value> todo;
  hasDot = false;
  loop.getBody()->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<scf::ForOp, scf::WhileOp>(op))
      return WalkResult::skip();
    if (isa<tt::DotOp, tgpu::WarpgroupMMAOp>(op)) {
      hasDot = true;
      todo.push_back(op->getOperand(0));
      todo.push_back(op->getOperand(1));
    }
    return WalkResult::advance();
  });
  while (!todo.empty()) {
    Operation *op = todo.pop_back_val().getDefiningOp();
    if (!op || !loop->isProperAncestor(op) || !seen.insert(op))
      continue;
    if (isa<tt::LoadOp>(op)) {
      if (op->getBlock() == loop.getBody())
        loads.insert(op);
      continue;
    }
    llvm::append_range(todo, op->getOperands());
  }
  return loads;
}

//===-- Tiles -------------------------------------------------------------===//

/// The tile that `order` turns into `type`.
tgpu::TileType sourceOfPermuted(tgpu::TileType type, ArrayRef<int32_t> order) {
  SmallVector<int32_t> inverse(order.size());
  for (auto [to, from] : llvm::enumerate(order))
    inverse[from] = int32_t(to);
  return permutedTile(type, inverse);
}

/// A tile for values that go back to registers, in the order of memory.
tgpu::TileType registerTile(RankedTensorType type, unsigned contiguous) {
  unsigned bits = tt::getElementBits(type);
  bool pieces = type.getShape()[contiguous] * bits >= 128;
  return tgpu::TileType::get(
      type.getContext(), type.getShape(), type.getElementType(),
      tgpu::swizzledTile(type.getShape(), bits, contiguous, pieces ? 128 : 0),
      1);
}

/// How many neighbouring bytes of a thread's load one copy can move: both in
/// memory and in the tile. 0 without a vector.
int64_t copyBytes(tt::LoadOp load, tgpu::TileType slot) {
  auto access = load->getAttrOfType<DenseI32ArrayAttr>(tgpu::kAccessAttr);
  auto layout = tgpu::getLayout(load.getType());
  if (!access || !layout)
    return 0;
  std::string dim = "dim" + std::to_string(access[0]);
  int64_t width = std::min<int64_t>(
      {access[1], layout.getLinear().contiguousInputs("register", dim),
       slot.getLinear().contiguousInputs("offset", dim)});
  return width * tt::getElementBits(load.getType()) / 8;
}

/// The tile `use` is filled from registers.
void needInRegisters(RingLoad &ring, RingLoad::TileUse use) {
  Value source = use.alloc.getSrc();
  if (!llvm::any_of(ring.registers, [&](auto &r) { return r.value == source; }))
    ring.registers.push_back({source, use.order});
}

/// The smallest asynchronous copy.
constexpr int64_t kLeastBytes = 4;

/// Fills in what becomes of one load; false when it stays a load.
bool plan(RingLoad &ring) {
  auto load = cast<tt::LoadOp>(ring.load);
  auto type = dyn_cast<RankedTensorType>(load.getType());
  if (!type || !tgpu::getLayout(type) || !type.getElementType().isIntOrFloat())
    return false;
  unsigned bits = tt::getElementBits(type);
  if (bits < 8 || bits > 64 || load.getIsVolatile() ||
      !load.getBoundaryCheck().empty())
    return false;

  ring.zeroFill = !load.getOther() || isZero(load.getOther());
  if (ring.zeroFill)
    followUses(load.getResult(), {}, ring);
  else // masked elements are put in afterwards, in the load's own layout
    ring.registers.push_back({load.getResult(), {}});

  if (!ring.tiles.empty()) {
    RingLoad::TileUse &first = ring.tiles.front();
    ring.slot = first.alloc.getType();
    if (!first.order.empty())
      ring.slot = sourceOfPermuted(ring.slot, first.order);
    // Another tile of the same load may want another form: from registers.
    SmallVector<RingLoad::TileUse> same;
    for (RingLoad::TileUse &use : ring.tiles) {
      tgpu::TileType wanted = use.alloc.getType();
      if (!use.order.empty())
        wanted = sourceOfPermuted(wanted, use.order);
      if (wanted == ring.slot) {
        same.push_back(use);
        continue;
      }
      needInRegisters(ring, use);
    }
    ring.tiles = std::move(same);
    if (copyBytes(load, ring.slot) >= kLeastBytes)
      return true;
    // The tile wants its elements in another order than memory has them: they
    // are copied ahead in memory's order, and turned on the way through
    // registers.
    for (RingLoad::TileUse &use : ring.tiles)
      needInRegisters(ring, use);
    ring.tiles.clear();
  }
  auto access = load->getAttrOfType<DenseI32ArrayAttr>(tgpu::kAccessAttr);
  if (!access)
    return false;
  ring.slot = registerTile(type, access[0]);
  return copyBytes(load, ring.slot) >= kLeastBytes;
}

} // namespace

bool canCopyInto(tt::LoadOp load, tgpu::TileType tile) {
  auto type = dyn_cast<RankedTensorType>(load.getType());
  if (!type || !tgpu::getLayout(type) || !type.getElementType().isIntOrFloat())
    return false;
  unsigned bits = tt::getElementBits(type);
  return bits >= 8 && bits <= 64 && !load.getIsVolatile() &&
         load.getBoundaryCheck().empty() &&
         (!load.getOther() || isZero(load.getOther())) &&
         copyBytes(load, tile) >= kLeastBytes;
}

tgpu::TileType permutedTile(tgpu::TileType type, ArrayRef<int32_t> order) {
  LinearLayout linear = tgpu::permute(type.getLinear(), order);
  SmallVector<int64_t> shape;
  for (const LinearLayout::OutDim &out : linear.outDims())
    shape.push_back(out.size);
  return tgpu::TileType::get(type.getContext(), shape, type.getElementType(),
                             linear, type.getBuffers());
}

SmallVector<RingLoad> findRingLoads(scf::ForOp loop, const TargetInfo &target) {
  SmallVector<RingLoad> rings;
  if (target.family != TargetFamily::NVPTX || loop.getUnsignedCmp())
    return rings;
  bool hasDot;
  llvm::SetVector<Operation *> loads = loadsOfDots(loop, hasDot);
  if (!hasDot) {
    // Without a dot only on request: copying pays where data is used late.
    if (!loop->hasAttr("tt.num_stages"))
      return rings;
    for (auto load : loop.getBody()->getOps<tt::LoadOp>())
      loads.insert(load);
  }
  if (loads.empty())
    return rings;

  Writes writes(loop);
  auto mayMove = [&](tt::LoadOp load) {
    return !load.getIsVolatile() && load.getBoundaryCheck().empty() &&
           !writes.mayChange(load.getPtr());
  };
  for (Operation *op : loads) {
    auto load = cast<tt::LoadOp>(op);
    if (!mayMove(load))
      continue;
    SmallVector<Value> roots{load.getPtr()};
    if (load.getMask())
      roots.push_back(load.getMask());
    RingLoad ring;
    ring.load = op;
    if (sliceOf(loop, roots, mayMove) && plan(ring))
      rings.push_back(std::move(ring));
  }
  llvm::sort(rings, [](const RingLoad &a, const RingLoad &b) {
    return a.load->isBeforeInBlock(b.load);
  });
  return rings;
}

int64_t stagesOf(scf::ForOp loop) {
  if (auto own = loop->getAttrOfType<IntegerAttr>("tt.num_stages"))
    return own.getInt();
  auto module = loop->getParentOfType<ModuleOp>();
  if (auto all = module->getAttrOfType<IntegerAttr>(tgpu::kNumStagesAttr))
    return all.getInt();
  return 1;
}

} // namespace nereid
