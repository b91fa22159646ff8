//===- PipelineRotate.cpp - The last product one iteration late -----------===//
//
// In attention a product's result (the scores) is worked on by the threads and
// then feeds a second product, and the matrix unit idles while the threads
// work. When the second product of iteration i-1 is issued in iteration i,
// right behind the first one, it runs during that work:
//
//   for i: S = QK(i); P = f(S); O = O * alpha + P V(i)
//   becomes
//   if there are iterations:
//     S = QK(0); P = f(S); O = O * alpha
//     for i from the second on:
//       S = QK(i); O = O + P V(i-1); P = f(S); O = O * alpha
//     O = O + P V(last)
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/PipelineLoops.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nereid {
namespace {

using tgpu::WarpgroupMMAOp;
using tgpu::WarpgroupWaitOp;

/// Registers of a thread that a tensor takes.
int64_t registersOf(Type type) {
  auto layout = tgpu::getLayout(type);
  if (!layout)
    return 0;
  return layout.getLinear().inSize("register") * tt::getElementBits(type) / 32;
}

/// With these in use by accumulators and operands, what is left of 255 is
/// enough for a softmax.
constexpr int64_t kMostRegisters = 176;

/// The wait that directly gives a product's result back; null for another
/// shape.
WarpgroupWaitOp waitOf(WarpgroupMMAOp product) {
  if (!product.getResult().hasOneUse())
    return {};
  auto wait = dyn_cast<WarpgroupWaitOp>(*product.getResult().user_begin());
  if (!wait || wait.getPending() != 0 || wait.getValues().size() != 1 ||
      wait->getBlock() != product->getBlock())
    return {};
  return wait;
}

bool reads(Operation &op, Value value) {
  if (llvm::is_contained(op.getOperands(), value))
    return true;
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op.getRegions(), captured);
  return captured.contains(value);
}

} // namespace

std::optional<Rotation> findRotation(scf::ForOp loop) {
  Rotation rotation;
  SmallVector<WarpgroupMMAOp> products;
  Block *body = loop.getBody();
  WalkResult nested = body->walk([&](WarpgroupMMAOp product) {
    if (product->getBlock() != body)
      return WalkResult::interrupt();
    products.push_back(product);
    return WalkResult::advance();
  });
  if (nested.wasInterrupted() || products.size() < 2)
    return std::nullopt;
  WarpgroupMMAOp last = products.back(), before = products[products.size() - 2];
  WarpgroupWaitOp wait = waitOf(last);
  if (!wait || last.getUseAcc() ||
      !isa<RankedTensorType>(last.getA().getType()))
    return std::nullopt;

  // Its result is only carried, and used in the next iteration behind the
  // products.
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  Value result = wait.getResult(0);
  if (!result.hasOneUse() || *result.user_begin() != yield)
    return std::nullopt;
  rotation.last = last;
  rotation.carried =
      unsigned(llvm::find(yield.getOperands(), result) - yield.operand_begin());
  BlockArgument sum = loop.getRegionIterArg(rotation.carried);
  for (Operation &op : body->without_terminator()) {
    if (&op == before)
      break;
    if (reads(op, sum))
      return std::nullopt;
  }
  if (reads(*before, sum) || last.getAcc() == sum)
    return std::nullopt; // nothing to do between two iterations' sums
  // What it multiplies comes from the iteration's first product.
  if (last.getA().getParentBlock() != body || isa<BlockArgument>(last.getA()) ||
      last.getAcc().getParentBlock() != body)
    return std::nullopt;

  // Its tile: a slot of a ring by the carried index, or the same for all.
  Value tile = last.getB();
  while (Operation *view = tile.getDefiningOp()) {
    if (view->getBlock() != body)
      break;
    if (!isa<tgpu::TileAtOp, tgpu::TilePermuteOp>(view))
      return std::nullopt;
    rotation.views.insert(rotation.views.begin(), view);
    if (auto at = dyn_cast<tgpu::TileAtOp>(view)) {
      auto index = dyn_cast<BlockArgument>(at.getIndex());
      if (!index || index.getOwner() != body || index.getArgNumber() == 0)
        return std::nullopt;
      rotation.index = index.getArgNumber() - 1;
    }
    tile = view->getOperand(0);
  }

  int64_t registers = registersOf(last.getType()) +
                      registersOf(last.getA().getType()) +
                      registersOf(before.getType());
  if (registers > kMostRegisters)
    return std::nullopt;
  rotation.before = before;
  return rotation;
}

RotatedLoop rotateLoop(RewriterBase &rewriter, scf::ForOp loop,
                       const Rotation &rotation,
                       function_ref<void()> beforeFirst,
                       function_ref<void()> beforeLast) {
  Location loc = loop.getLoc();
  Block *body = loop.getBody();
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  WarpgroupMMAOp last = rotation.last;
  WarpgroupWaitOp wait = waitOf(last);
  unsigned carried = rotation.carried;
  unsigned count = loop.getNumRegionIterArgs();

  // The product and its wait on other values, at the insertion point.
  auto product = [&](Value a, Value acc, Value index) {
    IRMapping mapping;
    mapping.map(last.getA(), a);
    mapping.map(last.getAcc(), acc);
    if (rotation.index)
      mapping.map(loop.getRegionIterArg(*rotation.index), index);
    for (Operation *view : rotation.views)
      rewriter.clone(*view, mapping);
    rewriter.clone(*last, mapping);
    return rewriter.clone(*wait, mapping)->getResult(0);
  };

  rewriter.setInsertionPoint(loop);
  Value some =
      arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt,
                            loop.getLowerBound(), loop.getUpperBound());
  auto branch = scf::IfOp::create(rewriter, loc, loop.getResultTypes(), some,
                                  /*withElseRegion=*/true);

  // The first iteration, without the last product.
  rewriter.setInsertionPointToStart(branch.thenBlock());
  beforeFirst();
  IRMapping first;
  first.map(loop.getInductionVar(), loop.getLowerBound());
  for (auto [argument, init] :
       llvm::zip(loop.getRegionIterArgs(), loop.getInitArgs()))
    first.map(argument, init);
  for (Operation &op : body->without_terminator())
    if (&op != last && &op != wait)
      rewriter.clone(op, first);
  SmallVector<Value> inits;
  for (auto [number, value] : llvm::enumerate(yield.getOperands()))
    inits.push_back(
        first.lookupOrDefault(number == carried ? last.getAcc() : value));
  inits.push_back(first.lookupOrDefault(last.getA()));
  if (rotation.index)
    inits.push_back(loop.getInitArgs()[*rotation.index]);

  // The others: the body moves, its last product up to the next one's.
  Value second = arith::AddIOp::create(rewriter, loc, loop.getLowerBound(),
                                       loop.getStep());
  auto rotated = scf::ForOp::create(rewriter, loc, second, loop.getUpperBound(),
                                    loop.getStep(), inits);
  rotated->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  rewriter.setInsertionPointAfter(rotation.before);
  Value previous = product(
      rotated.getRegionIterArg(count), loop.getRegionIterArg(carried),
      rotation.index ? Value(rotated.getRegionIterArg(count + 1)) : Value());
  Operation *moved = previous.getDefiningOp()->getPrevNode();
  loop.getRegionIterArg(carried).replaceUsesWithIf(
      previous, [&](OpOperand &use) { return use.getOwner() != moved; });
  SmallVector<Value> yields(yield.getOperands());
  yields[carried] = last.getAcc();
  yields.push_back(last.getA());
  if (rotation.index)
    yields.push_back(loop.getRegionIterArg(*rotation.index));

  // Behind them, the last one's product.
  rewriter.setInsertionPointAfter(rotated);
  beforeLast();
  Value sum =
      product(rotated.getResult(count), rotated.getResult(carried),
              rotation.index ? Value(rotated.getResult(count + 1)) : Value());
  SmallVector<Value> results(rotated.getResults().take_front(count));
  results[carried] = sum;
  scf::YieldOp::create(rewriter, loc, results);
  rewriter.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(rewriter, loc, loop.getInitArgs());

  rewriter.modifyOpInPlace(yield, [&] { yield->setOperands(yields); });
  rewriter.eraseOp(wait);
  rewriter.eraseOp(last);
  for (Operation *view : llvm::reverse(rotation.views))
    if (view->use_empty())
      rewriter.eraseOp(view);
  SmallVector<Value> arguments{rotated.getInductionVar()};
  llvm::append_range(arguments, rotated.getRegionIterArgs().take_front(count));
  rewriter.mergeBlocks(body, rotated.getBody(), arguments);
  rewriter.replaceOp(loop, branch.getResults());
  return {branch, rotated, moved};
}

} // namespace nereid
