//===- PipelineLoops.cpp - Loads ahead, products behind -------------------===//
//
// What the pass promises is in Passes.td. The shape that every pipelined loop
// gets has one place per iteration where the threads meet, Z:
//
//   copies of the first iterations                       (before the loop)
//   for i:
//     ... reads of rings ("early": before Z) ...
//     Z: wait for copies; threads meet
//     ... reads of rings ("late") ...
//     start copies for later iterations; close the group
//
// Z stands at the top of the body, or, where products run on across iterations,
// behind the first wait for products. It does two things for each ring of S
// slots. Data: an early ring needs iteration i+1's data at Z(i), a late one
// iteration i's. Space: a slot may be written again when Z is passed after the
// reads of it have ended: iteration i's own when all reads of it are early and
// have ended at Z(i), else iteration i-1's. So a copy runs S or S-1 iterations
// ahead, and one barrier per iteration is enough.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/PipelineLoops.h"
#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Transforms/LoopSlices.h"
#include "compiler/Transforms/Passes.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_PIPELINELOOPS
#include "compiler/Transforms/Passes.h.inc"

namespace {

/// Shared memory left to barriers, scratch and alignment.
constexpr int64_t kReservedBytes = 2048;

/// Rings whose copies run the same number of iterations ahead.
struct Group {
  std::unique_ptr<Ahead> ahead;
  SmallVector<RingLoad *> rings;
  size_t values = 0; ///< carried values of `ahead`
};

class Pipeline {
public:
  Pipeline(IRRewriter &rewriter, scf::ForOp loop, const TargetInfo &target)
      : rewriter(rewriter), loop(loop), target(target), loc(loop.getLoc()) {}

  void run();

private:
  int64_t fittingStages(int64_t wanted);
  scf::ForOp withCarried(ArrayRef<Value> inits);
  void makeRings();
  void readRings();
  int64_t readAround(Operation *z, const ProductSchedule &products);
  SmallVector<Group> makeGroups();
  void schedule(const ProductSchedule &products);
  SmallVector<Value> carriedBy(MutableArrayRef<Group> groups);
  void copyInBody(MutableArrayRef<Group> groups,
                  function_ref<Value(const Group &)> index);
  void copy(OpBuilder &builder, const Group &group, Value slot);
  void copyTiles();
  void sinkTiles();
  void waitForCopies(int64_t pending);
  void meet(int64_t pending);
  Value i32(int64_t value) {
    return arith::ConstantOp::create(
        rewriter, loc, rewriter.getI32IntegerAttr(int32_t(value)));
  }
  Value slotOf(OpBuilder &builder, const RingLoad &ring, Value index) {
    return tgpu::TileAtOp::create(builder, loc, ring.slot, ring.ring, index);
  }
  /// `value` of a ring index after or before this one, without division.
  Value turn(Value index, bool forward);

  IRRewriter &rewriter;
  scf::ForOp loop;
  const TargetInfo &target;
  Location loc;
  int64_t stages = 0;
  SmallVector<RingLoad> rings;
  unsigned indexAt = 0; ///< number of the carried ring index
  bool fence = false;
};

//===-- Rings -------------------------------------------------------------===//

/// As many stages as fit into shared memory beside what else the loop needs.
int64_t Pipeline::fittingStages(int64_t wanted) {
  int64_t perStage = 0, others = 0, scratch = 0;
  for (const RingLoad &ring : rings)
    perStage += llvm::alignTo(ring.slot.getTileBytes(), 1024);
  llvm::SmallPtrSet<Operation *, 8> replaced;
  for (const RingLoad &ring : rings)
    for (const RingLoad::TileUse &use : ring.tiles)
      replaced.insert(use.alloc);
  auto function = loop->getParentOfType<FunctionOpInterface>();
  function->walk([&](Operation *op) {
    if (auto alloc = dyn_cast<tgpu::LocalAllocOp>(op)) {
      // Only what may live at the same time as the rings.
      bool inside = loop->isProperAncestor(op) && !replaced.contains(op);
      Operation *where = loop->getBlock()->findAncestorOpInBlock(*op);
      bool around = !loop->isProperAncestor(op) &&
                    (!where || where->isBeforeInBlock(loop)) &&
                    llvm::any_of(alloc->getUsers(), [&](Operation *user) {
                      Operation *at =
                          loop->getBlock()->findAncestorOpInBlock(*user);
                      return !at || !at->isBeforeInBlock(loop);
                    });
      if (inside || around)
        others += llvm::alignTo(alloc.getType().getBytes(), 1024);
    } else if (auto conversion = dyn_cast<tgpu::ConvertLayoutOp>(op);
               conversion && loop->isProperAncestor(op)) {
      auto from = tgpu::getLayout(conversion.getSrc().getType());
      auto to = tgpu::getLayout(conversion.getType());
      if (tgpu::classifyConversion(from.getLinear(), to.getLinear()) ==
          tgpu::ConversionKind::Shared)
        scratch =
            std::max(scratch, tt::getNumElements(conversion.getType()) *
                                  tt::getElementBits(conversion.getType()) / 8);
    }
  });
  int64_t room =
      int64_t(target.sharedBytes) - others - scratch - kReservedBytes;
  return perStage == 0 ? wanted : std::min(wanted, room / perStage);
}

/// The loop with more carried values; they are yielded unchanged at first.
scf::ForOp Pipeline::withCarried(ArrayRef<Value> inits) {
  DictionaryAttr attributes = loop->getDiscardableAttrDictionary();
  rewriter.setInsertionPoint(loop);
  auto wider = cast<scf::ForOp>(
      loop.replaceWithAdditionalIterOperands(rewriter, inits,
                                             /*replaceInitOperandUses=*/false)
          ->getOperation());
  wider->setDiscardableAttrs(attributes);
  return wider;
}

void Pipeline::makeRings() {
  rewriter.setInsertionPoint(loop);
  for (RingLoad &ring : rings)
    ring.ring = tgpu::LocalAllocOp::create(
        rewriter, loc, ring.slot.withBuffers(stages), Value());
  Value zero = i32(0);
  indexAt = loop.getNumRegionIterArgs();
  loop = withCarried(zero);
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  rewriter.setInsertionPoint(yield);
  Value next = turn(loop.getRegionIterArg(indexAt), /*forward=*/true);
  rewriter.modifyOpInPlace(yield, [&] { yield.setOperand(indexAt, next); });
}

Value Pipeline::turn(Value index, bool forward) {
  int64_t edge = forward ? stages - 1 : 0;
  Value atEdge = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq,
                                       index, i32(edge));
  Value moved =
      arith::AddIOp::create(rewriter, loc, index, i32(forward ? 1 : -1));
  return arith::SelectOp::create(rewriter, loc, atEdge,
                                 i32(forward ? 0 : stages - 1), moved);
}

/// Removes conversions and transpositions of `value` that nobody reads.
void eraseDeadViews(RewriterBase &rewriter, Value value) {
  for (Operation *user : llvm::make_early_inc_range(value.getUsers()))
    if (isa<tgpu::ConvertLayoutOp, tt::TransOp>(user)) {
      eraseDeadViews(rewriter, user->getResult(0));
      if (user->use_empty())
        rewriter.eraseOp(user);
    }
}

/// What read a load reads the ring's slot of the iteration.
void Pipeline::readRings() {
  Block *body = loop.getBody();
  Value index = loop.getRegionIterArg(indexAt);
  auto view = [&](const RingLoad &ring, ArrayRef<int32_t> order) -> Value {
    Value tile = slotOf(rewriter, ring, index);
    if (order.empty())
      return tile;
    return tgpu::TilePermuteOp::create(
        rewriter, loc, permutedTile(ring.slot, order), tile, order);
  };
  for (RingLoad &ring : rings) {
    auto load = cast<tt::LoadOp>(ring.load);
    for (RingLoad::TileUse &use : ring.tiles) {
      rewriter.setInsertionPoint(use.alloc);
      rewriter.replaceOp(use.alloc, view(ring, use.order));
    }
    eraseDeadViews(rewriter, load.getResult());
    for (RingLoad::RegisterUse &use : ring.registers) {
      // At the first use: registers are dearer than shared memory.
      Operation *first = nullptr;
      for (Operation *user : use.value.getUsers()) {
        Operation *at = body->findAncestorOpInBlock(*user);
        if (!first || at->isBeforeInBlock(first))
          first = at;
      }
      if (!first)
        continue;
      rewriter.setInsertionPoint(first);
      Value tile = view(ring, use.order);
      Value value =
          tgpu::LocalLoadOp::create(rewriter, loc, use.value.getType(), tile);
      if (!ring.zeroFill && load.getMask())
        value = arith::SelectOp::create(rewriter, loc, load.getMask(), value,
                                        load.getOther());
      rewriter.replaceAllUsesWith(use.value, value);
      eraseDeadViews(rewriter, load.getResult());
    }
  }
}

//===-- Schedule ----------------------------------------------------------===//

void Pipeline::copy(OpBuilder &builder, const Group &group, Value index) {
  for (RingLoad *ring : group.rings) {
    auto load = cast<tt::LoadOp>(ring->load);
    Value pointer = group.ahead->get(load.getPtr());
    Value mask = load.getMask() ? group.ahead->get(load.getMask()) : Value();
    mask =
        guardMask(builder, loc, pointer.getType(), mask, group.ahead->exists());
    auto start = tgpu::AsyncCopyOp::create(
        builder, load.getLoc(), pointer, slotOf(builder, *ring, index), mask,
        Value(), builder.getI32IntegerAttr(int32_t(load.getCache())),
        builder.getI32IntegerAttr(int32_t(load.getEvict())));
    if (auto access = load->getAttr(tgpu::kAccessAttr))
      start->setAttr(tgpu::kAccessAttr, access);
  }
}

/// Tiles that are written from loads in front of the loop and read in it become
/// part of the first copies: no thread waits for the loads then.
void Pipeline::copyTiles() {
  Block *block = loop->getBlock();
  SmallVector<tgpu::LocalAllocOp> allocs;
  for (auto alloc : block->getOps<tgpu::LocalAllocOp>())
    if (alloc->isBeforeInBlock(loop) && alloc.getSrc())
      allocs.push_back(alloc);
  for (tgpu::LocalAllocOp alloc : allocs) {
    auto load = alloc.getSrc().getDefiningOp<tt::LoadOp>();
    if (!load || load->getBlock() != block || !load->hasOneUse() ||
        !canCopyInto(load, alloc.getType()) ||
        llvm::any_of(alloc->getUsers(), [&](Operation *user) {
          Operation *at = block->findAncestorOpInBlock(*user);
          return !at || at->isBeforeInBlock(loop);
        }))
      continue;
    bool moves = true;
    for (Operation *op = load->getNextNode(); op != loop;
         op = op->getNextNode())
      moves &= isMemoryEffectFree(op) ||
               isa<tt::LoadOp, tgpu::LocalAllocOp, tgpu::AsyncCopyOp>(op);
    if (!moves)
      continue;
    auto tile = tgpu::LocalAllocOp::create(rewriter, alloc.getLoc(),
                                           alloc.getType(), Value());
    auto start = tgpu::AsyncCopyOp::create(
        rewriter, load.getLoc(), load.getPtr(), tile, load.getMask(), Value(),
        rewriter.getI32IntegerAttr(int32_t(load.getCache())),
        rewriter.getI32IntegerAttr(int32_t(load.getEvict())));
    if (auto access = load->getAttr(tgpu::kAccessAttr))
      start->setAttr(tgpu::kAccessAttr, access);
    rewriter.replaceOp(alloc, tile.getResult());
    rewriter.eraseOp(load);
  }
}

/// Tiles that are written from loads in front of the loop and read in it are
/// written behind the first copies: those must not wait for the loads.
void Pipeline::sinkTiles() {
  Block *block = loop->getBlock();
  SmallVector<tgpu::LocalAllocOp> allocs;
  for (auto alloc : block->getOps<tgpu::LocalAllocOp>())
    if (alloc->isBeforeInBlock(loop) && alloc.getSrc() &&
        alloc.getSrc().getDefiningOp<tt::LoadOp>())
      allocs.push_back(alloc);
  for (tgpu::LocalAllocOp alloc : allocs) {
    bool onlyBehind = llvm::none_of(alloc->getUsers(), [&](Operation *user) {
      Operation *at = block->findAncestorOpInBlock(*user);
      return !at || at->isBeforeInBlock(loop);
    });
    if (onlyBehind)
      rewriter.moveOpBefore(alloc, loop);
  }
}

/// Waits for copies of this thread.
void Pipeline::waitForCopies(int64_t pending) {
  auto wait = tgpu::AsyncWaitOp::create(rewriter, loc, int32_t(pending));
  if (!loop->isProperAncestor(wait))
    wait->setAttr("drain", rewriter.getUnitAttr());
  if (fence)
    tgpu::ProxyFenceOp::create(rewriter, loc);
}

/// Waits for copies; then all threads see all of them.
void Pipeline::meet(int64_t pending) {
  waitForCopies(pending);
  tgpu::SyncThreadsOp::create(rewriter, loc);
}

/// Finds for each ring where it is read with respect to Z, which follows `z` or
/// is the top of the body, and with it how far ahead it is copied. Gives the
/// number of groups of copies that may be open at Z; negative when Z is no
/// place for this loop.
int64_t Pipeline::readAround(Operation *z, const ProductSchedule &products) {
  Block *body = loop.getBody();
  int64_t pending = INT64_MAX;
  fence = false;
  for (RingLoad &ring : rings) {
    bool allEnded = z != nullptr;
    ring.early = false;
    SmallVector<Value> views{ring.ring};
    while (!views.empty())
      for (Operation *user : views.pop_back_val().getUsers()) {
        if (!loop->isProperAncestor(user) || isa<tgpu::WarpgroupWaitOp>(user))
          continue;
        if (isa<tgpu::TileAtOp, tgpu::TilePermuteOp>(user)) {
          views.push_back(user->getResult(0));
          continue;
        }
        Operation *at = body->findAncestorOpInBlock(*user);
        bool before = z && at->isBeforeInBlock(z);
        ring.early |= before;
        bool product = isa<tgpu::WarpgroupMMAOp>(user);
        fence |= product;
        allEnded &= before && (!product || at != user ||
                               products.endedAtFirstWait.contains(user));
      }
    ring.distance = unsigned(allEnded ? stages : stages - 1);
    pending = std::min<int64_t>(pending,
                                int64_t(ring.distance) - (ring.early ? 2 : 1));
  }
  return pending;
}

SmallVector<Group> Pipeline::makeGroups() {
  SmallVector<Group> groups;
  for (unsigned distance : {unsigned(stages), unsigned(stages - 1)}) {
    Group group;
    SmallVector<Value> roots;
    for (RingLoad &ring : rings)
      if (ring.distance == distance) {
        auto load = cast<tt::LoadOp>(ring.load);
        group.rings.push_back(&ring);
        roots.push_back(load.getPtr());
        if (load.getMask())
          roots.push_back(load.getMask());
      }
    if (group.rings.empty())
      continue;
    group.ahead = std::make_unique<Ahead>(loop, roots, distance);
    groups.push_back(std::move(group));
  }
  return groups;
}

/// What the body must carry for the slices.
SmallVector<Value> Pipeline::carriedBy(MutableArrayRef<Group> groups) {
  SmallVector<Value> inits;
  for (Group &group : groups) {
    SmallVector<Value> values = group.ahead->initialValues(rewriter);
    group.values = values.size();
    llvm::append_range(inits, values);
  }
  return inits;
}

/// Writes the copies of an iteration at the insertion point. The slices' values
/// are the last that the loop carries; `index` gives the slot of a group.
void Pipeline::copyInBody(MutableArrayRef<Group> groups,
                          function_ref<Value(const Group &)> index) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  unsigned at = loop.getNumRegionIterArgs();
  for (const Group &group : groups)
    at -= group.values;
  for (Group &group : groups) {
    group.ahead->rebase(loop);
    ValueRange arguments = loop.getRegionIterArgs().slice(at, group.values);
    SmallVector<Value> next = group.ahead->emitInBody(rewriter, arguments);
    copy(rewriter, group, index(group));
    rewriter.modifyOpInPlace(yield, [&] {
      for (auto [number, value] : llvm::enumerate(next))
        yield.setOperand(at + number, value);
    });
    at += group.values;
  }
  tgpu::AsyncCommitOp::create(rewriter, loc);
}

void Pipeline::schedule(const ProductSchedule &products) {
  Operation *z = products.firstWait;
  int64_t pending = readAround(z, products);
  if (pending < 0) {
    // Two stages are too few for data that must be there one iteration before
    // it is used: meet at the top instead.
    z = nullptr;
    if (products.crosses) {
      rewriter.setInsertionPointToStart(loop.getBody());
      z = tgpu::WarpgroupWaitOp::create(rewriter, loc, TypeRange(),
                                        ValueRange(), 0);
    }
    pending = readAround(z, products);
  }

  // With three stages and one meeting, iteration i+1's data must have come
  // before iteration i+2's is asked for. Where nothing but the products' ends
  // is waited for at Z, a second meeting costs little: data at the top, space
  // at Z.
  bool twice = z && products.onlyFrees && stages == 3;

  SmallVector<Group> groups = makeGroups();

  // Before the loop: the copies of the iterations that the body's copies start
  // behind, in the groups in which the body would have made them.
  rewriter.setInsertionPoint(loop);
  int64_t first = INT64_MAX;
  for (const RingLoad &ring : rings)
    if (ring.early)
      first = std::min<int64_t>(first, ring.distance - 1);
  if (first != INT64_MAX && fence)
    copyTiles();
  for (int64_t back = stages; back > 0; --back) {
    bool any = false;
    for (Group &group : groups) {
      int64_t iteration = int64_t(group.ahead->getDistance()) - back;
      if (iteration < 0)
        continue;
      any = true;
      group.ahead->emitBefore(rewriter);
      copy(rewriter, group, i32(iteration));
    }
    if (any)
      tgpu::AsyncCommitOp::create(rewriter, loc);
  }
  sinkTiles();
  if (first != INT64_MAX && !twice)
    meet(first);

  SmallVector<Value> inits = carriedBy(groups);
  loop = withCarried(inits);
  Block *body = loop.getBody();

  // Z.
  if (twice) {
    int64_t open = INT64_MAX;
    for (const RingLoad &ring : rings)
      open = std::min<int64_t>(open, ring.distance - 1);
    rewriter.setInsertionPointToStart(body);
    meet(open);
    rewriter.setInsertionPointAfter(z);
    tgpu::SyncThreadsOp::create(rewriter, loc);
  } else {
    if (z) {
      // The copies' wait and fence take their time while products still run.
      rewriter.setInsertionPoint(z);
      waitForCopies(pending);
      rewriter.setInsertionPointAfter(z);
      tgpu::SyncThreadsOp::create(rewriter, loc);
    } else {
      rewriter.setInsertionPointToStart(body);
      meet(pending);
    }
  }

  // The copies, behind the last product: its issue should not wait for them.
  if (z)
    for (Operation &op : llvm::make_range(rewriter.getInsertionPoint(),
                                          body->getTerminator()->getIterator()))
      if (isa<tgpu::WarpgroupMMAOp>(op))
        rewriter.setInsertionPointAfter(&op);
  Value index = loop.getRegionIterArg(indexAt);
  copyInBody(groups, [&](const Group &group) {
    return group.ahead->getDistance() == unsigned(stages)
               ? index
               : turn(index, /*forward=*/false);
  });

  // Behind the loop nothing is under way, and the rings' memory is free.
  Operation *after = loop;
  if (auto wait = dyn_cast_or_null<tgpu::WarpgroupWaitOp>(loop->getNextNode()))
    after = wait;
  rewriter.setInsertionPointAfter(after);
  tgpu::AsyncWaitOp::create(rewriter, loc, 0)
      ->setAttr("drain", rewriter.getUnitAttr());
  tgpu::SyncThreadsOp::create(rewriter, loc);

  for (RingLoad &ring : rings)
    rewriter.eraseOp(ring.load);
}

void Pipeline::run() {
  stages = stagesOf(loop);
  if (stages >= 2) {
    rings = findRingLoads(loop, target);
    stages = fittingStages(stages);
  }
  if (stages < 2)
    rings.clear();
  if (!rings.empty()) {
    makeRings();
    readRings();
  }
  auto inRing = [&](Value tile) {
    while (Operation *view = tile.getDefiningOp()) {
      if (!isa<tgpu::TileAtOp, tgpu::TilePermuteOp>(view))
        break;
      tile = view->getOperand(0);
    }
    return llvm::any_of(rings, [&](RingLoad &r) { return r.ring == tile; });
  };
  ProductSchedule products =
      makeProductsAsync(rewriter, loop, inRing,
                        stages > 2 ? FreeingWait::Behind : FreeingWait::Before);
  if (!rings.empty())
    schedule(products);
  removeDeadCarries(rewriter, loop);
}

struct PipelineLoops : impl::PipelineLoopsBase<PipelineLoops> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<StringAttr>(tgpu::kTargetAttr);
    const TargetInfo *target = name ? findTarget(name.getValue()) : nullptr;
    if (!target) {
      module.emitError() << "needs '" << tgpu::kTargetAttr
                         << "', which nrd-assign-layouts sets";
      return signalPassFailure();
    }
    SmallVector<scf::ForOp> loops;
    module.walk<WalkOrder::PostOrder>([&](scf::ForOp loop) {
      if (!loop->getParentOfType<tgpu::WarpSpecializeOp>())
        loops.push_back(loop);
    });
    IRRewriter rewriter(&getContext());
    for (scf::ForOp loop : loops)
      Pipeline(rewriter, loop, *target).run();
  }
};

} // namespace
} // namespace nereid
