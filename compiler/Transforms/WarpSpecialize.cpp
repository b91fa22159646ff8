//===- WarpSpecialize.cpp - Producer and consumer warps -------------------===//
//
// What the pass promises is in Passes.td. Here: which loads become channels,
// and the two partitions. What the producer must compute is ScalarSlice's
// matter.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/CopyBox.h"
#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Target/Target.h"
#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/Rings.h"
#include "compiler/Transforms/ScalarSlice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_WARPSPECIALIZE
#include "compiler/Transforms/Passes.h.inc"

namespace {

constexpr StringRef kLoopAttr = "tt.warp_specialize";
constexpr StringRef kStagesAttr = "tt.num_stages";
constexpr StringRef kAnnotationAttr = "llvm.loop_annotation";
// setmaxnreg works on whole warpgroups.
constexpr int32_t kGroupWarps = 4;
constexpr int64_t kRegistersPerBlock = 65536;
// What address arithmetic and copies need, with room.
constexpr int32_t kProducerRegisters = 40;
constexpr int32_t kMaxRegisters = 240;

/// Loads whose tiles are filled and released together: one ring each, one pair
/// of barriers per stage.
struct Channel {
  SmallVector<tgpu::MapLoadOp> loads; // of one block, in order
  int64_t depth = 0;
  int64_t bytes = 0; // of one stage
  SmallVector<Value> rings;
  Value full, empty;
};

//===----------------------------------------------------------------------===//
// Where memory is written
//===----------------------------------------------------------------------===//

/// The kernel argument slot that a pointer or map comes from; -1 if unknown.
int64_t rootSlot(Value value) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *owner = argument.getOwner()->getParentOp();
      if (auto kernel = dyn_cast<tt::FuncOp>(owner)) {
        auto slot = kernel.getArgAttrOfType<IntegerAttr>(
            argument.getArgNumber(), kSlotAttr);
        return slot ? slot.getInt() : argument.getArgNumber();
      }
      auto loop = dyn_cast<scf::ForOp>(owner);
      if (!loop || argument == loop.getInductionVar())
        return -1;
      value = loop.getInitArgs()[argument.getArgNumber() - 1];
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (isa<tt::AddPtrOp, tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp,
            tt::BitcastOp, tt::TransOp, tt::ReshapeOp, tgpu::ConvertLayoutOp,
            tgpu::TensorMapCreateOp>(op))
      value = op->getOperand(0);
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      value = loop.getInitArgs()[cast<OpResult>(value).getResultNumber()];
    else
      return -1;
  }
}

/// The slots that a kernel writes through; with -1 where some are unknown.
llvm::DenseSet<int64_t> writtenSlots(tt::FuncOp kernel) {
  llvm::DenseSet<int64_t> slots;
  kernel.walk([&](Operation *op) {
    if (isa<tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp, tgpu::MapStoreOp>(
            op))
      slots.insert(rootSlot(op->getOperand(0)));
  });
  return slots;
}

//===----------------------------------------------------------------------===//
// Consumers of a load
//===----------------------------------------------------------------------===//

/// A tile that a load's value is put into by way of transpositions: the ring's
/// tile with its dimensions permuted is the same, when layouts agree.
struct TileUse {
  tgpu::LocalAllocOp alloc;
  SmallVector<int32_t> order;
};

void findTileUses(Value value, ArrayRef<int32_t> order,
                  SmallVectorImpl<TileUse> &uses, bool &hasOthers) {
  for (Operation *user : value.getUsers()) {
    if (auto alloc = dyn_cast<tgpu::LocalAllocOp>(user)) {
      uses.push_back({alloc, SmallVector<int32_t>(order)});
    } else if (isa<tgpu::ConvertLayoutOp>(user)) {
      findTileUses(user->getResult(0), order, uses, hasOthers);
    } else if (auto trans = dyn_cast<tt::TransOp>(user)) {
      SmallVector<int32_t> through;
      for (int32_t dim : trans.getOrder())
        through.push_back(order[dim]);
      findTileUses(trans.getResult(), through, uses, hasOthers);
    } else {
      hasOthers = true;
    }
  }
}

/// Puts views of `tile` where the load's value was put into tiles of the same
/// layout. What is left of the value's uses reads registers.
void useTile(tgpu::MapLoadOp load, Value tile, OpBuilder &builder) {
  auto type = cast<tgpu::TileType>(tile.getType());
  SmallVector<TileUse> uses;
  bool hasOthers = false;
  auto identity =
      llvm::to_vector(llvm::seq<int32_t>(0, int32_t(type.getShape().size())));
  findTileUses(load.getResult(), identity, uses, hasOthers);
  for (TileUse &use : uses) {
    tgpu::TileType wanted = use.alloc.getType();
    bool isPermuted = ArrayRef(use.order) != ArrayRef(identity);
    LinearLayout own = isPermuted ? tgpu::permute(type.getLinear(), use.order)
                                  : type.getLinear();
    if (wanted.getLinear() != own ||
        wanted.getElementType() != type.getElementType())
      continue;
    Value view = tile;
    if (isPermuted)
      view =
          tgpu::TilePermuteOp::create(builder, load.getLoc(), wanted, tile,
                                      builder.getDenseI32ArrayAttr(use.order));
    use.alloc.replaceAllUsesWith(view);
    use.alloc.erase();
  }
  // Transpositions that only led to tiles.
  SmallVector<Operation *> dead;
  std::function<void(Value)> sweep = [&](Value value) {
    for (Operation *user : llvm::make_early_inc_range(value.getUsers()))
      if (isa<tgpu::ConvertLayoutOp, tt::TransOp>(user)) {
        sweep(user->getResult(0));
        if (user->use_empty())
          user->erase();
      }
  };
  sweep(load.getResult());
  if (!load.use_empty())
    load.replaceAllUsesWith(
        tgpu::LocalLoadOp::create(builder, load.getLoc(), load.getType(), tile)
            .getResult());
}

//===----------------------------------------------------------------------===//
// One kernel
//===----------------------------------------------------------------------===//

class Specializer {
public:
  Specializer(tt::FuncOp kernel, const TargetInfo &target, int32_t numWarps,
              int32_t numStages)
      : kernel(kernel), target(target), numWarps(numWarps),
        numStages(numStages), builder(kernel.getContext()) {}

  void run() {
    scf::ForOp asked;
    kernel.walk([&](scf::ForOp loop) {
      if (!asked && loop->hasAttr(kLoopAttr))
        asked = loop;
    });
    std::string problem = plan(bool(asked));
    if (problem.empty())
      problem = fit();
    if (problem.empty())
      return build();
    // Where there is no copy engine, or nothing for it, there is nothing to
    // say.
    bool hasLoads =
        kernel.walk([](tgpu::MapLoadOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    if (asked && hasLoads)
      asked.emitRemark("not warp-specialized: ") << problem;
  }

private:
  /// Finds channels; or says why there are none.
  std::string plan(bool isAsked);
  /// Chooses how many stages each channel has.
  std::string fit();
  void build();
  void buildProducer(Block &source, Block &into);
  void buildConsumer(Channel &channel, Block &entry);
  bool deferRelease(Channel &channel, RingPosition &position, Block &entry,
                    Operation *last, Value slot);

  tt::FuncOp kernel;
  const TargetInfo &target;
  int32_t numWarps, numStages;
  OpBuilder builder;
  SmallVector<Channel> channels;
  ScalarSlice slice;
};

/// The product that reads the tiles of a load, if one does.
Operation *productOf(tgpu::MapLoadOp load) {
  SmallVector<TileUse> uses;
  bool hasOthers = false;
  SmallVector<int32_t> order = llvm::to_vector(llvm::seq<int32_t>(
      0, int32_t(cast<RankedTensorType>(load.getType()).getRank())));
  findTileUses(load.getResult(), order, uses, hasOthers);
  for (TileUse &use : uses) {
    SmallVector<Value> views = {use.alloc.getResult()};
    while (!views.empty())
      for (Operation *user : views.pop_back_val().getUsers()) {
        if (isa<tgpu::WarpgroupMMAOp>(user))
          return user;
        if (auto permute = dyn_cast<tgpu::TilePermuteOp>(user))
          views.push_back(permute.getResult());
      }
  }
  return nullptr;
}

std::string Specializer::plan(bool isAsked) {
  if (numWarps % kGroupWarps)
    return "it takes whole warpgroups: a multiple of 4 warps";
  if (!kernel.getBody().hasOneBlock())
    return "the kernel returns early";
  llvm::DenseSet<int64_t> written = writtenSlots(kernel);
  auto mayRepeat = [&](Operation *op) {
    if (isa<tgpu::TensorMapCreateOp>(op))
      return op->getParentOp() == kernel.getOperation();
    auto load = dyn_cast<tt::LoadOp>(op);
    int64_t slot = load ? rootSlot(load.getPtr()) : -1;
    return load && !load.getIsVolatile() && slot >= 0 &&
           !written.contains(slot) && (isAsked || !written.contains(-1));
  };
  std::string problem = "no loop in it loads blocks by descriptors";
  bool feedsProduct = false;
  Operation *previous = nullptr;
  kernel.walk([&](tgpu::MapLoadOp load) {
    auto loop = load->getParentOfType<scf::ForOp>();
    if (!loop)
      return;
    int64_t slot = rootSlot(load.getMap());
    if (slot < 0 ? !written.empty() && !isAsked : written.contains(slot)) {
      problem = "the kernel writes the array that a loop loads";
      return;
    }
    if (!isAsked && written.contains(-1)) {
      problem = "the kernel writes through pointers of unknown origin";
      return;
    }
    if (!slice.add(load, mayRepeat)) {
      problem = "a block's place depends on values of tensors or of memory "
                "that the kernel writes";
      return;
    }
    Operation *product = productOf(load);
    feedsProduct |= product != nullptr;
    bool joins = !channels.empty() && product && product == previous &&
                 channels.back().loads.back()->getBlock() == load->getBlock();
    if (!joins)
      channels.emplace_back();
    channels.back().loads.push_back(load);
    previous = product;
  });
  if (channels.empty())
    return problem;
  if (!isAsked && !feedsProduct)
    return "no product on the matrix unit reads the blocks";
  return "";
}

/// Shared memory that the kernel needs beside the rings; conversions and
/// reductions are allowed for, since their scratch is chosen later.
int64_t otherSharedBytes(tt::FuncOp kernel) {
  int64_t tiles = 0, scratch = 0;
  auto bytesOf = [](Type type) {
    auto tensor = cast<RankedTensorType>(type);
    unsigned bits = tensor.getElementType().isIntOrFloat()
                        ? tensor.getElementType().getIntOrFloatBitWidth()
                        : 64;
    return tensor.getNumElements() * std::max(8u, bits) / 8;
  };
  kernel.walk([&](Operation *op) {
    if (auto store = dyn_cast<tgpu::MapStoreOp>(op)) {
      tiles += bytesOf(store.getValue().getType());
    } else if (auto alloc = dyn_cast<tgpu::LocalAllocOp>(op)) {
      // Operands of products become views of rings.
      bool isRing = false;
      for (Value from = alloc.getSrc(); from && !isRing;) {
        Operation *def = from.getDefiningOp();
        isRing = isa_and_nonnull<tgpu::MapLoadOp>(def);
        from = isa_and_nonnull<tgpu::ConvertLayoutOp, tt::TransOp>(def)
                   ? def->getOperand(0)
                   : Value();
      }
      if (!isRing)
        tiles += alloc.getType().getBytes();
    } else if (auto convert = dyn_cast<tgpu::ConvertLayoutOp>(op)) {
      auto from = tgpu::getLayout(convert.getSrc().getType());
      auto to = tgpu::getLayout(convert.getType());
      bool onlyToTiles = llvm::all_of(convert->getUsers(), [](Operation *user) {
        return isa<tgpu::LocalAllocOp, tgpu::MapStoreOp>(user);
      });
      if (!onlyToTiles && from && to &&
          tgpu::classifyConversion(from.getLinear(), to.getLinear()) ==
              tgpu::ConversionKind::Shared)
        scratch = std::max(scratch, bytesOf(convert.getType()) * 9 / 8);
    } else if (isa<tt::ReduceOp, tt::ScanOp>(op)) {
      scratch = std::max<int64_t>(scratch, 8192);
    }
  });
  return tiles + scratch;
}

std::string Specializer::fit() {
  // Barriers, and what alignment costs.
  constexpr int64_t kReserve = 2048;
  int64_t room =
      int64_t(target.sharedBytes) - otherSharedBytes(kernel) - kReserve;
  for (Channel &channel : channels) {
    for (tgpu::MapLoadOp load : channel.loads) {
      auto type = cast<RankedTensorType>(load.getType());
      channel.bytes +=
          tgpu::copyTile(type.getShape(), type.getElementType()).getBytes();
    }
    // A load around an inner loop of loads is far between: one stage ahead.
    auto loop = channel.loads.front()->getParentOfType<scf::ForOp>();
    int64_t wanted = numStages;
    if (auto own = loop->getAttrOfType<IntegerAttr>(kStagesAttr))
      wanted = own.getInt();
    bool isOuter = llvm::any_of(channels, [&](Channel &other) {
      return &other != &channel &&
             loop->isProperAncestor(
                 other.loads.front()->getParentOfType<scf::ForOp>());
    });
    channel.depth = isOuter ? 1 : std::max<int64_t>(wanted, 2);
  }
  while (true) {
    int64_t total = 0;
    Channel *deepest = &channels.front();
    for (Channel &channel : channels) {
      total += channel.bytes * channel.depth;
      if (channel.depth > deepest->depth)
        deepest = &channel;
    }
    if (total <= room)
      return "";
    if (deepest->depth <= 2)
      return "two stages of the blocks do not fit into shared memory";
    --deepest->depth;
  }
}

/// Registers of a thread at launch, of a consumer and of a producer.
std::array<int32_t, 3> shareRegisters(int32_t consumers) {
  int32_t warps = consumers + kGroupWarps;
  // Up to eight warps two blocks fit on a processor.
  int64_t blocks = warps <= 8 ? 2 : 1;
  auto down = [](int64_t n) { return int32_t(n / 8 * 8); };
  int32_t launch = std::min(
      down(kRegistersPerBlock / blocks / (int64_t(warps) * 32)), kMaxRegisters);
  int32_t producer = std::min(kProducerRegisters, launch);
  int32_t consumer = down(
      (int64_t(launch) * warps - int64_t(producer) * kGroupWarps) / consumers);
  return {launch, std::min(consumer, kMaxRegisters), producer};
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

/// A peeled or unrolled copy of a loop that waits for others brings nothing.
void keepLoops(tgpu::WarpSpecializeOp groups) {
  MLIRContext *context = groups.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(
      context, /*disable=*/BoolAttr::get(context, true), {}, {}, {}, {}, {},
      {});
  auto annotation = LLVM::LoopAnnotationAttr::get(
      context, {}, {}, {}, unroll, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {});
  groups.walk([&](Operation *op) {
    if (!isa<tgpu::BarrierWaitOp>(op))
      return;
    for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
         loop = loop->getParentOfType<scf::ForOp>())
      if (!loop->hasAttr(kAnnotationAttr))
        loop->setAttr(kAnnotationAttr, annotation);
  });
}

void Specializer::build() {
  Location loc = kernel.getLoc();
  Block &body = kernel.getBody().front();
  Operation *end = body.getTerminator();
  builder.setInsertionPointToStart(&body);
  SmallVector<Operation *> outside;
  for (Channel &channel : channels) {
    for (tgpu::MapLoadOp load : channel.loads) {
      auto type = cast<RankedTensorType>(load.getType());
      auto tile = tgpu::copyTile(type.getShape(), type.getElementType());
      channel.rings.push_back(tgpu::LocalAllocOp::create(
          builder, load.getLoc(), tile.withBuffers(channel.depth), Value()));
      outside.push_back(channel.rings.back().getDefiningOp());
    }
    auto barriers =
        tgpu::BarriersType::get(builder.getContext(), channel.depth);
    channel.full = tgpu::BarrierAllocOp::create(builder, loc, barriers,
                                                builder.getI32IntegerAttr(1));
    channel.empty = tgpu::BarrierAllocOp::create(
        builder, loc, barriers, builder.getI32IntegerAttr(numWarps));
    outside.push_back(channel.full.getDefiningOp());
    outside.push_back(channel.empty.getDefiningOp());
  }

  auto [launch, consumer, producer] = shareRegisters(numWarps);
  builder.setInsertionPoint(end);
  auto groups = tgpu::WarpSpecializeOp::create(
      builder, loc, TypeRange(), ValueRange(),
      builder.getNamedAttr(
          "warps", builder.getDenseI32ArrayAttr({numWarps, kGroupWarps})),
      2);
  groups->setAttr("registers",
                  builder.getDenseI32ArrayAttr({consumer, producer}));
  auto module = kernel->getParentOfType<ModuleOp>();
  module->setAttr(tgpu::kLaunchRegistersAttr,
                  builder.getI32IntegerAttr(launch));

  Block &consumers = groups.getPartitions()[0].emplaceBlock();
  Block &producers = groups.getPartitions()[1].emplaceBlock();
  consumers.getOperations().splice(consumers.end(), body.getOperations(),
                                   std::next(outside.back()->getIterator()),
                                   groups->getIterator());

  buildProducer(consumers, producers);
  builder.setInsertionPointToEnd(&consumers);
  tgpu::YieldOp::create(builder, loc);
  for (Channel &channel : channels)
    buildConsumer(channel, consumers);
  keepLoops(groups);
}

void Specializer::buildProducer(Block &source, Block &into) {
  builder.setInsertionPointToStart(&into);
  Location loc = kernel.getLoc();
  // The first round of a ring finds every stage empty.
  SmallVector<RingPosition> positions;
  for (Channel &channel : channels)
    positions.emplace_back(builder, loc, channel.depth, /*parity=*/1);
  IRMapping mapping;
  slice.clone(
      source, builder, mapping,
      [&](Operation *op, OpBuilder &b, IRMapping &map) {
        for (auto [channel, position] : llvm::zip(channels, positions)) {
          // All places are known at the last load of the channel.
          if (channel.loads.back() != op)
            continue;
          Location at = op->getLoc();
          Value slot = position.slot(b, at);
          tgpu::BarrierWaitOp::create(b, at, channel.empty, slot,
                                      position.parity(b, at), Value());
          tgpu::BarrierExpectOp::create(b, at, channel.full, slot,
                                        b.getI32IntegerAttr(channel.bytes),
                                        Value());
          for (auto [load, ring] : llvm::zip(channel.loads, channel.rings)) {
            SmallVector<Value> coordinates;
            for (Value coordinate : load.getCoordinates())
              coordinates.push_back(map.lookupOrDefault(coordinate));
            tgpu::TMALoadOp::create(
                b, load.getLoc(), map.lookupOrDefault(load.getMap()),
                coordinates, tileOfRing(b, load.getLoc(), ring, slot),
                channel.full, slot, Value());
          }
          position.advance(b, at);
        }
      });
  builder.setInsertionPointToEnd(&into);
  tgpu::YieldOp::create(builder, loc);
}

/// The operation of `block` that `op` is or stands in.
Operation *ancestorIn(Block *block, Operation *op) {
  return block->findAncestorOpInBlock(*op);
}

/// The last operation of `block` after which nothing reads the tiles: reads of
/// the matrix unit go on until a wait.
Operation *lastReader(Block *block, ArrayRef<Value> tiles) {
  Operation *last = nullptr;
  bool isAsync = false;
  SmallVector<Value> views(tiles);
  while (!views.empty())
    for (Operation *user : views.pop_back_val().getUsers()) {
      for (Value result : user->getResults())
        if (isa<tgpu::TileType>(result.getType()))
          views.push_back(result);
      Operation *here = ancestorIn(block, user);
      if (!here)
        continue;
      if (!last || last->isBeforeInBlock(here))
        last = here;
      isAsync |= isa<tgpu::WarpgroupMMAOp>(user) && here == user;
    }
  if (!isAsync || !last)
    return last;
  for (Operation *op = last; op; op = op->getNextNode())
    if (auto wait = dyn_cast<tgpu::WarpgroupWaitOp>(op))
      if (wait.getPending() == 0)
        return op;
  return block->getTerminator()->getPrevNode();
}

void Specializer::buildConsumer(Channel &channel, Block &entry) {
  builder.setInsertionPointToStart(&entry);
  RingPosition position(builder, kernel.getLoc(), channel.depth, /*parity=*/0);
  Block *block = channel.loads.front()->getBlock();
  Location loc = channel.loads.front()->getLoc();

  builder.setInsertionPoint(channel.loads.back());
  Value slot = position.slot(builder, loc);
  tgpu::BarrierWaitOp::create(builder, loc, channel.full, slot,
                              position.parity(builder, loc), Value());
  SmallVector<Value> tiles;
  for (auto [load, ring] : llvm::zip(channel.loads, channel.rings)) {
    tiles.push_back(tileOfRing(builder, load.getLoc(), ring, slot));
    // Whatever stands between the channel's loads must not read them yet.
    for (Operation *user : llvm::make_early_inc_range(load->getUsers())) {
      Operation *here = ancestorIn(block, user);
      if (here && here->isBeforeInBlock(channel.loads.back()))
        here->moveAfter(channel.loads.back());
    }
    useTile(load, tiles.back(), builder);
  }
  Operation *last = lastReader(block, tiles);
  if (!last)
    last = channel.loads.back();
  for (tgpu::MapLoadOp load : channel.loads)
    if (last != load)
      load.erase();
  if (deferRelease(channel, position, entry, last, slot))
    return;
  builder.setInsertionPointAfter(last);
  tgpu::BarrierArriveOp::create(builder, loc, channel.empty, slot, Value());
  position.advance(builder, loc);
}

/// Where a loop does nothing with the tiles but add their product to a sum, one
/// product stays open while the next is started: a stage is released a round
/// later, and the sum is waited for after the loop.
bool Specializer::deferRelease(Channel &channel, RingPosition &position,
                               Block &entry, Operation *last, Value slot) {
  auto wait = dyn_cast<tgpu::WarpgroupWaitOp>(last);
  auto loop = dyn_cast<scf::ForOp>(last->getParentOp());
  if (!wait || !loop || wait.getValues().size() != 1)
    return false;
  auto product = wait.getValues()[0].getDefiningOp<tgpu::WarpgroupMMAOp>();
  int64_t products = 0, readers = 0;
  loop.walk([&](tgpu::WarpgroupMMAOp) { ++products; });
  for (Value ring : channel.rings)
    for (Operation *user : ring.getUsers())
      readers += isa<tgpu::LocalLoadOp>(user);
  Value sum = wait.getResults()[0];
  if (!product || products != 1 || readers || !sum.hasOneUse() ||
      !product.getResult().hasOneUse() ||
      !isa<scf::YieldOp>(*sum.user_begin()) ||
      product->getBlock() != loop.getBody())
    return false;
  unsigned carried = sum.use_begin()->getOperandNumber();
  Value before = loop.getRegionIterArg(carried);
  if (product.getAcc() != before || !before.hasOneUse())
    return false;

  Location loc = wait.getLoc();
  builder.setInsertionPointToStart(&entry);
  Value openSlot = newVariable(builder, loc, 0);
  auto release = [&](Value isOpen) {
    tgpu::BarrierArriveOp::create(builder, loc, channel.empty,
                                  readVariable(builder, loc, openSlot), isOpen);
  };
  builder.setInsertionPoint(wait);
  tgpu::WarpgroupWaitOp::create(builder, loc, TypeRange(), ValueRange(),
                                builder.getI32IntegerAttr(1));
  release(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                loop.getInductionVar(), loop.getLowerBound()));
  tgpu::VariableSetOp::create(builder, loc, openSlot, slot);
  position.advance(builder, loc);
  loop.getBody()->getTerminator()->setOperand(carried, product.getResult());
  wait.erase();

  // The way around the loop must not meet the open product: ptxas would see
  // its registers written while it runs, and serialise.
  builder.setInsertionPoint(loop);
  Value runs =
      arith::CmpIOp::create(builder, loc,
                            loop.getUnsignedCmp() ? arith::CmpIPredicate::ult
                                                  : arith::CmpIPredicate::slt,
                            loop.getLowerBound(), loop.getUpperBound());
  auto guard = scf::IfOp::create(builder, loc, loop.getResultTypes(), runs,
                                 /*addThenBlock=*/true, /*addElseBlock=*/true);
  loop->replaceAllUsesWith(guard.getResults());
  builder.setInsertionPointToStart(&guard.getElseRegion().front());
  scf::YieldOp::create(builder, loc, loop.getInitArgs());
  loop->moveBefore(&guard.getThenRegion().front(),
                   guard.getThenRegion().front().end());
  builder.setInsertionPointAfter(loop);
  Value openSum = loop.getResult(carried);
  auto done = tgpu::WarpgroupWaitOp::create(
      builder, loc, TypeRange(openSum.getType()), ValueRange(openSum),
      builder.getI32IntegerAttr(0));
  release({});
  SmallVector<Value> results(loop.getResults());
  results[carried] = done.getResults()[0];
  scf::YieldOp::create(builder, loc, results);
  return true;
}

struct WarpSpecialize : impl::WarpSpecializeBase<WarpSpecialize> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<StringAttr>(tgpu::kTargetAttr);
    const TargetInfo *target = name ? findTarget(name.getValue()) : nullptr;
    if (!target || !hasCopyEngine(*target))
      return;
    auto stages = module->getAttrOfType<IntegerAttr>(tgpu::kNumStagesAttr);
    for (auto kernel : module.getOps<tt::FuncOp>())
      if (kernel.isKernel() && !kernel.isExternal())
        Specializer(kernel, *target, tgpu::numWarps(kernel),
                    stages ? int32_t(stages.getInt()) : 3)
            .run();
  }
};

} // namespace
} // namespace nereid
