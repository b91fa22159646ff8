//===- AllocateShared.cpp - Places in shared memory -----------------------===//
//
// 1. Number the operations in program order and give every buffer the interval
//    from its definition to its last use. What a loop uses from outside lives
//    through the loop; what asynchronous operations read lives until the wait
//    that retires them; what a partition of a warp_specialize uses from outside
//    lives through all of it.
// 2. Two buffers interfere when their intervals meet, or when they stand in
//    different partitions of one warp_specialize. Little scratch of neighbours
//    interferes too: the barrier inside the second op then orders the first
//    one's last reads before the third one's writes, and none is needed between
//    the ops.
// 3. Place the largest first, each at the lowest offset where it meets nothing
//    that it interferes with.
//
// A kernel that does not fit is tried again with less scratch for conversions,
// which then work in more rounds.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/Passes.h"
#include "compiler/Target/GPU/SharedBuffers.h"

#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;

namespace nereid::gpu {
#define GEN_PASS_DEF_ALLOCATESHARED
#include "compiler/Target/GPU/Passes.h.inc"

namespace {

/// Positions of operations in program order; an op with regions spans its body.
class Positions {
public:
  explicit Positions(Operation *root) { number(root); }
  int64_t begin(Operation *op) const { return spans.lookup(op).first; }
  int64_t end(Operation *op) const { return spans.lookup(op).second; }

private:
  void number(Operation *op) {
    int64_t first = next++;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Operation &inner : block)
          number(&inner);
    spans[op] = {first, next++};
  }
  llvm::DenseMap<Operation *, std::pair<int64_t, int64_t>> spans;
  int64_t next = 0;
};

struct Lifetime {
  int64_t begin, end;
  int64_t offset = 0;
};

/// Bytes up to which neighbours' scratch is kept apart.
constexpr int64_t kLittleScratch = 4096;

class Allocation {
public:
  Allocation(Operation *kernel, const TargetInfo *target)
      : kernel(kernel), positions(kernel), buffers(kernel, target) {
    unsigned scratches = 0;
    for (unsigned i = 0; i < buffers.all().size(); ++i) {
      lifetimes.push_back(lifetime(i));
      scratchOrder.push_back(buffers.all()[i].scratch ? scratches++ : 0);
    }
    place();
  }

  int64_t bytes() const { return total; }
  void setOffsets() const;
  /// The buffers alive where most is, largest first.
  SmallVector<unsigned> atPeak() const;
  const SharedBuffers &all() const { return buffers; }

private:
  Lifetime lifetime(unsigned buffer);
  void extendTo(Operation *definition, Operation *user, Lifetime &life);
  /// The op after which `user` has let go of its tiles.
  Operation *retires(Operation *user);
  bool interfere(unsigned a, unsigned b) const;
  void place();

  Operation *kernel;
  Positions positions;
  SharedBuffers buffers;
  SmallVector<Lifetime> lifetimes;
  SmallVector<unsigned> scratchOrder; ///< count of scratch in program order
  int64_t total = 0;
};

template <typename Op> bool retiresAll(Operation *op) {
  auto wait = dyn_cast<Op>(op);
  return wait && wait.getPending() == 0;
}

} // namespace

Operation *Allocation::retires(Operation *user) {
  bool (*isWait)(Operation *) = nullptr;
  if (isa<tgpu::AsyncCopyOp>(user))
    isWait = retiresAll<tgpu::AsyncWaitOp>;
  else if (isa<tgpu::TMAStoreOp>(user))
    isWait = retiresAll<tgpu::TMAStoreWaitOp>;
  else if (isa<tgpu::WarpgroupMMAOp>(user))
    isWait = retiresAll<tgpu::WarpgroupWaitOp>;
  else
    return user;
  // After it in its block, or after an op around it.
  for (Operation *at = user; at && at != kernel; at = at->getParentOp())
    for (Operation *next = at->getNextNode(); next; next = next->getNextNode())
      if (isWait(next))
        return next;
  return kernel;
}

void Allocation::extendTo(Operation *definition, Operation *user,
                          Lifetime &life) {
  // The op in the definition's block that holds the user. A buffer that leaves
  // its block, through a yield, lives as long as what its block belongs to.
  Operation *holder;
  while (!(holder = definition->getBlock()->findAncestorOpInBlock(*user))) {
    definition = definition->getParentOp();
    life.begin = std::min(life.begin, positions.begin(definition));
    life.end = std::max(life.end, positions.end(definition));
    if (definition == kernel)
      return;
  }
  // Up to the outermost loop or partition between the two.
  int64_t end = positions.end(user);
  for (Operation *at = user; at != holder;) {
    at = at->getParentOp();
    if (isa<LoopLikeOpInterface>(at))
      end = positions.end(at);
    if (isa<tgpu::WarpSpecializeOp>(at))
      end = positions.end(at);
  }
  life.end = std::max(life.end, end);
}

Lifetime Allocation::lifetime(unsigned number) {
  const SharedBuffer &buffer = buffers.all()[number];
  Lifetime life{positions.begin(buffer.op), positions.end(buffer.op)};
  if (buffer.scratch)
    return life;
  bool freed = false;
  kernel->walk([&](Operation *user) {
    for (Value operand : user->getOperands()) {
      if (!isShared(operand.getType()) ||
          llvm::none_of(buffers.slices(operand), [&](const SharedSlice &slice) {
            return slice.buffer == number;
          }))
        continue;
      freed |= isa<tgpu::BarrierFreeOp>(user);
      Operation *last = retires(user);
      if (last == kernel)
        life.end = std::max(life.end, positions.end(kernel));
      else
        extendTo(buffer.op, last, life);
      if (last != user)
        extendTo(buffer.op, user, life);
    }
  });
  // Barriers that nobody ends stay.
  if (isa<tgpu::BarrierAllocOp>(buffer.op) && !freed)
    life.end = positions.end(kernel);
  return life;
}

/// The partition of a warp_specialize around `op`, outermost first.
static void partitionsOf(Operation *op, SmallVectorImpl<Region *> &out) {
  for (Region *region = op->getParentRegion(); region;
       region = region->getParentRegion())
    if (isa_and_nonnull<tgpu::WarpSpecializeOp>(region->getParentOp()))
      out.push_back(region);
}

bool Allocation::interfere(unsigned a, unsigned b) const {
  if (lifetimes[a].begin <= lifetimes[b].end &&
      lifetimes[b].begin <= lifetimes[a].end)
    return true;
  SmallVector<Region *, 2> ofA, ofB;
  partitionsOf(buffers.all()[a].op, ofA);
  partitionsOf(buffers.all()[b].op, ofB);
  const SharedBuffer &one = buffers.all()[a], &other = buffers.all()[b];
  if (one.scratch && other.scratch &&
      std::max(one.bytes, other.bytes) <= kLittleScratch &&
      (scratchOrder[a] + 1 == scratchOrder[b] ||
       scratchOrder[b] + 1 == scratchOrder[a]))
    return true;
  for (Region *mine : ofA)
    for (Region *theirs : ofB)
      if (mine != theirs && mine->getParentOp() == theirs->getParentOp())
        return true;
  return false;
}

void Allocation::place() {
  auto order = llvm::to_vector(llvm::seq<unsigned>(0, lifetimes.size()));
  ArrayRef<SharedBuffer> all = buffers.all();
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::tuple(-all[a].bytes, a) < std::tuple(-all[b].bytes, b);
  });
  SmallVector<unsigned> placed;
  for (unsigned buffer : order) {
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (unsigned other : placed)
      if (interfere(buffer, other))
        taken.push_back({lifetimes[other].offset,
                         lifetimes[other].offset + all[other].bytes});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + all[buffer].bytes <= begin)
        break;
      offset = std::max(
          offset, int64_t(llvm::alignTo(end, uint64_t(all[buffer].alignment))));
    }
    lifetimes[buffer].offset = offset;
    total = std::max(total, offset + all[buffer].bytes);
    placed.push_back(buffer);
  }
}

void Allocation::setOffsets() const {
  Builder b(kernel->getContext());
  for (auto [buffer, life] : llvm::zip(buffers.all(), lifetimes))
    buffer.op->setAttr(tgpu::kSharedOffsetAttr,
                       b.getI64IntegerAttr(life.offset));
}

SmallVector<unsigned> Allocation::atPeak() const {
  ArrayRef<SharedBuffer> all = buffers.all();
  SmallVector<unsigned> best;
  int64_t most = -1;
  for (const Lifetime &at : lifetimes) {
    SmallVector<unsigned> alive;
    int64_t bytes = 0;
    for (auto [i, life] : llvm::enumerate(lifetimes))
      if (life.begin <= at.begin && at.begin <= life.end) {
        alive.push_back(unsigned(i));
        bytes += all[i].bytes;
      }
    if (bytes > most) {
      most = bytes;
      best = alive;
    }
  }
  llvm::sort(best, [&](unsigned a, unsigned b) {
    return std::tuple(-all[a].bytes, a) < std::tuple(-all[b].bytes, b);
  });
  return best;
}

namespace {

struct AllocateShared : impl::AllocateSharedBase<AllocateShared> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<StringAttr>(tgpu::kTargetAttr);
    const TargetInfo *target = name ? findTarget(name.getValue()) : nullptr;
    int64_t total = 0;
    for (Operation &op : *module.getBody())
      if (auto kernel = dyn_cast<tt::FuncOp>(op))
        if (failed(allocate(kernel, target, total)))
          return signalPassFailure();
    Builder b(&getContext());
    module->setAttr(tgpu::kSharedBytesAttr, b.getI64IntegerAttr(total));
  }

  LogicalResult allocate(tt::FuncOp kernel, const TargetInfo *target,
                         int64_t &total) {
    const int64_t limit = target && target->sharedBytes
                              ? int64_t(target->sharedBytes)
                              : std::numeric_limits<int64_t>::max();
    std::optional<Allocation> allocation;
    allocation.emplace(kernel, target);
    // Less scratch for what can work in rounds.
    for (int64_t scratch = 16384; allocation->bytes() > limit && scratch > 512;
         scratch /= 2) {
      Builder b(&getContext());
      bool changed = false;
      for (const SharedBuffer &buffer : allocation->all().all())
        if (buffer.scratch && buffer.bytes > scratch) {
          buffer.op->setAttr(kScratchLimitAttr, b.getI64IntegerAttr(scratch));
          changed = true;
        }
      if (changed)
        allocation.emplace(kernel, target);
    }
    if (allocation->bytes() > limit)
      return tooLarge(kernel, *target, *allocation);
    allocation->setOffsets();
    total = std::max(total, allocation->bytes());
    return success();
  }

  LogicalResult tooLarge(tt::FuncOp kernel, const TargetInfo &target,
                         const Allocation &allocation) {
    SmallVector<unsigned> alive = allocation.atPeak();
    ArrayRef<SharedBuffer> buffers = allocation.all().all();
    int64_t rings = 0;
    for (unsigned i : alive)
      if (auto tile = dyn_cast<tgpu::LocalAllocOp>(buffers[i].op);
          tile && tile.getType().getBuffers() > 1)
        rings += buffers[i].bytes;
    InFlightDiagnostic error =
        emitError(buffers[alive.front()].op->getLoc())
        << "'" << kernel.getName() << "' needs " << allocation.bytes()
        << " bytes of shared memory; " << target.name << " has "
        << target.sharedBytes << " per block: use ";
    if (rings)
      error << "fewer stages (num_stages; " << rings
            << " bytes hold data loaded ahead) or smaller blocks";
    else
      error << "smaller blocks";
    for (unsigned i : ArrayRef<unsigned>(alive).take_front(4)) {
      Operation *op = buffers[i].op;
      Diagnostic &note = error.attachNote(op->getLoc());
      note << buffers[i].bytes << " bytes for ";
      if (auto tile = dyn_cast<tgpu::LocalAllocOp>(op)) {
        llvm::interleave(
            tile.getType().getShape(), [&](int64_t size) { note << size; },
            [&] { note << "x"; });
        note << " of " << tile.getType().getElementType();
        if (tile.getType().getBuffers() > 1)
          note << ", " << tile.getType().getBuffers() << " times";
      } else if (buffers[i].scratch) {
        note << "data on its way between threads ('" << op->getName() << "')";
      } else {
        note << "barriers";
      }
    }
    return failure();
  }
};

} // namespace
} // namespace nereid::gpu
