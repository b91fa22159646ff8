//===- InsertBarriers.cpp - Who may touch shared memory when --------------===//
//
// One walk over structured control flow with the set of accesses that no
// barrier has ordered yet (pending). An access that meets a pending one, of
// which one writes, first gets a barrier; a loop is walked until what comes
// round its back edge changes nothing. Bytes count, not names: buffers whose
// lifetimes do not meet share bytes.
//
// What completes later, or is seen by other hardware:
//
//  * the bytes of an async_copy have come to their own thread after an
//    async_wait, and to the others after the next barrier;
//  * a tma_load is waited for with its barriers, by everyone who reads;
//  * warpgroup_mma and tma_store read through the async proxy: ordinary writes
//    need a proxy_fence before the barrier that orders them;
//  * what tma_store reads is free after tma_store_wait, for the others after a
//    barrier;
//  * the ring of a pipelined loop is ordered by the loop's own barrier, one per
//    iteration: copies to one of its tiles and reads of another do not meet.
//
// Partitions of a warp_specialize order themselves among each other by memory
// barriers, so each is walked alone; all threads meet at its end.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/Passes.h"
#include "compiler/Target/GPU/SharedBuffers.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

#include "llvm/ADT/MapVector.h"

#include <set>

using namespace mlir;

namespace nereid::gpu {
#define GEN_PASS_DEF_INSERTBARRIERS
#include "compiler/Target/GPU/Passes.h.inc"

namespace {

enum class Kind {
  Read,     ///< by threads
  Write,    ///< by threads
  Unfenced, ///< written by threads, seen by all of them, not by the proxy
  Copying,  ///< an async_copy that no async_wait has waited for
  Storing,  ///< a tma_store that no tma_store_wait has waited for
};

struct Access {
  Kind kind;
  int64_t begin, end; ///< bytes of shared memory
  unsigned buffer;
  bool inRing;
  bool fenced; ///< Write: a proxy_fence came after it

  bool meets(const Access &o) const { return begin < o.end && o.begin < end; }
  bool operator==(const Access &o) const {
    return !(*this < o) && !(o < *this);
  }
  bool operator<(const Access &o) const {
    return std::tuple(kind, begin, end, buffer, inRing, fenced) <
           std::tuple(o.kind, o.begin, o.end, o.buffer, o.inRing, o.fenced);
  }
};

using State = std::set<Access>;

/// What an op does to shared memory.
struct Effects {
  SmallVector<Access, 4> accesses;
  bool byProxy = false;  ///< accesses are those of other hardware
  bool ringCopy = false; ///< the accesses are copies that rings order
  bool barrierInside = false;
  SmallVector<Access, 1> after; ///< pending after the op
};

class Inserter {
public:
  Inserter(tt::FuncOp kernel, const TargetInfo *target)
      : buffers(kernel, target), kernel(kernel) {}

  void run();

private:
  void walk(Region &region, State &state);
  void walk(Operation *op, State &state);
  void walkPartitions(tgpu::WarpSpecializeOp op, State &state);
  void walkLoop(Operation *op, State &state);
  /// Wants a barrier in front of a loop, where that saves one inside it for
  /// what was pending before.
  void orderLoop(Operation *op, State &state);
  Effects effectsOf(Operation *op);
  void addSlices(Effects &effects, Value value, Kind kind);
  /// Puts what orders the op after the pending accesses before it.
  void order(Operation *op, const Effects &effects, State &state);
  void insert();

  SharedBuffers buffers;
  tt::FuncOp kernel;
  struct Wanted {
    bool storeWait = false, fence = false;
  };
  /// The ops that get a barrier before them, in the order found.
  llvm::MapVector<Operation *, Wanted> wanted;
  bool trying = false; ///< inside orderLoop
};

} // namespace

static void join(State &state, const State &other) {
  state.insert(other.begin(), other.end());
}

static int64_t offsetOf(Operation *op) {
  auto offset = op->getAttrOfType<IntegerAttr>(tgpu::kSharedOffsetAttr);
  return offset ? offset.getInt() : 0;
}

void Inserter::addSlices(Effects &effects, Value value, Kind kind) {
  for (const SharedSlice &slice : buffers.slices(value)) {
    int64_t base = offsetOf(buffers.all()[slice.buffer].op);
    effects.accesses.push_back({kind, base + slice.begin, base + slice.end,
                                slice.buffer, slice.inRing, false});
  }
}

Effects Inserter::effectsOf(Operation *op) {
  Effects effects;
  auto reads = [&](Value value) { addSlices(effects, value, Kind::Read); };
  auto writes = [&](Value value) { addSlices(effects, value, Kind::Write); };

  std::optional<unsigned> own = buffers.bufferOf(op);
  if (own && buffers.all()[*own].scratch) {
    // Written, seen by all through a barrier inside, read in the end.
    int64_t base = offsetOf(op), end = base + buffers.all()[*own].bytes;
    effects.accesses.push_back({Kind::Write, base, end, *own, false, false});
    effects.after = {{Kind::Read, base, end, *own, false, false},
                     {Kind::Unfenced, base, end, *own, false, false}};
    effects.barrierInside = true;
    for (Value operand : op->getOperands())
      reads(operand);
    return effects;
  }
  if (auto alloc = dyn_cast<tgpu::LocalAllocOp>(op)) {
    if (alloc.getSrc())
      writes(alloc.getResult());
  } else if (isa<tgpu::BarrierAllocOp>(op)) {
    // Its code makes the initialisation known to the copy engine.
    addSlices(effects, op->getResult(0), Kind::Write);
    for (Access &access : effects.accesses)
      access.fenced = true;
  } else if (auto load = dyn_cast<tgpu::LocalLoadOp>(op)) {
    reads(load.getSrc());
  } else if (auto store = dyn_cast<tgpu::LocalStoreOp>(op)) {
    writes(store.getDst());
  } else if (auto copy = dyn_cast<tgpu::AsyncCopyOp>(op)) {
    addSlices(effects, copy.getDst(), Kind::Copying);
    effects.ringCopy = true;
  } else if (auto copy = dyn_cast<tgpu::TMALoadOp>(op)) {
    addSlices(effects, copy.getDst(), Kind::Write);
    effects.byProxy = effects.ringCopy = true;
    // Barriers order this one for who reads it; nothing stays pending.
    for (Access &access : effects.accesses)
      access.fenced = true;
    reads(copy.getBarriers());
  } else if (auto copy = dyn_cast<tgpu::TMAStoreOp>(op)) {
    addSlices(effects, copy.getSrc(), Kind::Storing);
    effects.byProxy = true;
  } else if (auto product = dyn_cast<tgpu::WarpgroupMMAOp>(op)) {
    reads(product.getA());
    reads(product.getB());
    effects.byProxy = true;
  } else if (isa<tgpu::BarrierWaitOp, tgpu::BarrierArriveOp,
                 tgpu::BarrierExpectOp, tgpu::BarrierFreeOp>(op)) {
    for (Value operand : op->getOperands())
      reads(operand);
  } else if (op->getNumRegions() == 0 &&
             !op->hasTrait<OpTrait::IsTerminator>() &&
             !isa<tgpu::TileAtOp, tgpu::TilePermuteOp, tgpu::WarpgroupWaitOp>(
                 op)) {
    // An op that is not known above may do anything with its tiles.
    for (Value operand : op->getOperands()) {
      reads(operand);
      writes(operand);
    }
  }
  return effects;
}

/// What is left to order after a barrier, which a fence comes before or not.
static void afterBarrier(State &state, bool fence) {
  State left;
  for (Access access : state) {
    if (access.kind == Kind::Copying || access.kind == Kind::Storing) {
      left.insert(access);
    } else if (!fence && (access.kind == Kind::Unfenced ||
                          (access.kind == Kind::Write && !access.fenced))) {
      access.kind = Kind::Unfenced;
      left.insert(access);
    }
  }
  state = std::move(left);
}

static void dropStoring(State &state) {
  State left;
  for (const Access &access : state)
    if (access.kind != Kind::Storing)
      left.insert(access);
  state = std::move(left);
}

void Inserter::order(Operation *op, const Effects &effects, State &state) {
  bool barrier = false, fence = false, storeWait = false;
  for (const Access &access : effects.accesses) {
    const bool mayWrite =
        access.kind == Kind::Write || access.kind == Kind::Copying;
    for (const Access &pending : state) {
      if (!access.meets(pending))
        continue;
      // Copies to tiles of a ring, and reads of other tiles of it.
      if (pending.buffer == access.buffer &&
          ((effects.ringCopy && access.inRing) ||
           pending.kind == Kind::Copying))
        continue;
      switch (pending.kind) {
      case Kind::Read:
        barrier |= mayWrite;
        break;
      case Kind::Write:
        barrier = true;
        fence |= effects.byProxy && !pending.fenced;
        break;
      case Kind::Unfenced:
        if (effects.byProxy)
          barrier = fence = true;
        break;
      case Kind::Copying:
        barrier = true;
        break;
      case Kind::Storing:
        if (mayWrite)
          barrier = storeWait = true;
        break;
      }
    }
  }
  if (!barrier)
    return;
  Wanted &want = wanted[op];
  want.storeWait |= storeWait;
  want.fence |= fence;
  if (storeWait)
    dropStoring(state);
  afterBarrier(state, want.fence);
}

void Inserter::walk(Operation *op, State &state) {
  if (auto want = wanted.find(op); want != wanted.end()) {
    if (want->second.storeWait)
      dropStoring(state);
    afterBarrier(state, want->second.fence);
  }
  if (auto sync = dyn_cast<tgpu::SyncThreadsOp>(op)) {
    // Of the two places where halves meet, the second stands for both.
    if (sync.getHalf() != 1)
      afterBarrier(state, false);
    return;
  }
  if (isa<tgpu::ProxyFenceOp>(op)) {
    State fenced;
    for (Access access : state) {
      // A fence of who did not write it comes too late for others' writes, but
      // all threads run it.
      if (access.kind == Kind::Unfenced)
        continue;
      access.fenced |= access.kind == Kind::Write;
      fenced.insert(access);
    }
    state = std::move(fenced);
    return;
  }
  auto retire = [&](Kind kind, Kind as, bool all) {
    State next;
    for (Access access : state) {
      if (access.kind == kind) {
        if (!all)
          next.insert(access);
        access.kind = as;
      }
      next.insert(access);
    }
    state = std::move(next);
  };
  if (auto wait = dyn_cast<tgpu::AsyncWaitOp>(op))
    return retire(Kind::Copying, Kind::Write, wait.getPending() == 0);
  if (auto wait = dyn_cast<tgpu::TMAStoreWaitOp>(op))
    return retire(Kind::Storing, Kind::Read, wait.getPending() == 0);
  if (auto groups = dyn_cast<tgpu::WarpSpecializeOp>(op))
    return walkPartitions(groups, state);

  Effects effects = effectsOf(op);
  order(op, effects, state);
  if (effects.barrierInside) {
    afterBarrier(state, false);
    state.insert(effects.after.begin(), effects.after.end());
    return;
  }
  for (const Access &access : effects.accesses)
    if (!(isa<tgpu::TMALoadOp>(op) && access.kind == Kind::Write))
      state.insert(access);

  if (op->getNumRegions() == 0)
    return;
  if (isa<LoopLikeOpInterface>(op)) {
    orderLoop(op, state);
    return walkLoop(op, state);
  }
  if (isa<tt::ReduceOp, tt::ScanOp, tt::MapElementwiseOp>(op))
    return;
  State result;
  bool skips = true;
  if (auto branch = dyn_cast<scf::IfOp>(op))
    skips = branch.getElseRegion().empty();
  if (skips)
    result = state;
  for (Region &region : op->getRegions()) {
    if (region.empty())
      continue;
    State way = state;
    walk(region, way);
    join(result, way);
  }
  state = std::move(result);
}

void Inserter::walkLoop(Operation *op, State &state) {
  // Around the back edge, until nothing new comes.
  State around = state;
  while (true) {
    State end = around;
    for (Region &region : op->getRegions())
      walk(region, end);
    State next = around;
    join(next, end);
    join(state, end);
    if (next == around)
      return;
    around = std::move(next);
  }
}

void Inserter::orderLoop(Operation *op, State &state) {
  if (state.empty() || trying || wanted.count(op))
    return;
  trying = true;
  auto before = wanted;
  auto cost = [&](State entry) {
    walkLoop(op, entry);
    std::pair<size_t, size_t> barriersAndFences{wanted.size(), 0};
    for (auto &[at, want] : wanted)
      barriersAndFences.second += want.fence;
    wanted = before;
    return barriersAndFences;
  };
  auto alone = cost({}), with = cost(state);
  trying = false;
  if (with <= alone)
    return;
  Wanted &want = wanted[op];
  want.fence = with.second > alone.second;
  afterBarrier(state, want.fence);
}

void Inserter::walkPartitions(tgpu::WarpSpecializeOp op, State &state) {
  // Whatever a partition touches must be in order before they part.
  Effects all;
  op->walk([&](Operation *inner) {
    if (inner == op)
      return;
    Effects effects = effectsOf(inner);
    all.byProxy |= effects.byProxy;
    llvm::append_range(all.accesses, effects.accesses);
  });
  order(op, all, state);
  State after;
  for (Region &region : op->getRegions()) {
    State own;
    walk(region, own);
    for (Access access : own) {
      if (access.kind == Kind::Read)
        continue; // all have met
      if (access.kind == Kind::Write)
        access.kind = Kind::Unfenced;
      after.insert(access);
    }
  }
  join(after, state);
  state = std::move(after);
}

void Inserter::walk(Region &region, State &state) {
  for (Block &block : region)
    for (Operation &op : block)
      walk(&op, state);
}

void Inserter::insert() {
  for (auto &[op, want] : wanted) {
    OpBuilder b(op);
    if (want.storeWait)
      tgpu::TMAStoreWaitOp::create(b, op->getLoc(), 0);
    if (want.fence)
      tgpu::ProxyFenceOp::create(b, op->getLoc());
    tgpu::SyncThreadsOp::create(b, op->getLoc());
  }
}

void Inserter::run() {
  State state;
  if (kernel.getBody().hasOneBlock()) {
    walk(kernel.getBody(), state);
  } else {
    // Branches between blocks: as if each could follow any other.
    for (State before;; before = state) {
      State way = state;
      walk(kernel.getBody(), way);
      join(state, way);
      if (state == before)
        break;
    }
  }
  insert();
}

namespace {

struct InsertBarriers : impl::InsertBarriersBase<InsertBarriers> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<StringAttr>(tgpu::kTargetAttr);
    const TargetInfo *target = name ? findTarget(name.getValue()) : nullptr;
    for (Operation &op : *module.getBody())
      if (auto kernel = dyn_cast<tt::FuncOp>(op))
        Inserter(kernel, target).run();
  }
};

} // namespace
} // namespace nereid::gpu
