//===- PipelineProducts.cpp - wgmma across iterations ---------------------===//
//
// A product runs beside the threads that issued it until they wait. Its
// accumulator may not be touched before, not even copied, so the wait ties the
// values: what reads them afterwards reads the wait's results.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/PipelineLoops.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nereid {
namespace {

using tgpu::WarpgroupMMAOp;
using tgpu::WarpgroupWaitOp;

/// The operands of an operation, and what its regions read from outside.
SmallVector<Value> readsOf(Operation &op) {
  SmallVector<Value> values(op.getOperands());
  if (op.getNumRegions()) {
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op.getRegions(), captured);
    values.append(captured.begin(), captured.end());
  }
  return values;
}

class Body {
public:
  Body(RewriterBase &rewriter, scf::ForOp loop,
       llvm::function_ref<bool(Value)> keeps, FreeingWait where)
      : rewriter(rewriter), loop(loop), body(loop.getBody()), keeps(keeps),
        where(where) {}

  ProductSchedule run();

private:
  bool takeWaits();
  bool mayCross(WarpgroupMMAOp product);
  void waitBefore(Operation *op, ArrayRef<Value> needed);
  /// Whether `use` continues the sum in place, without touching registers.
  static bool continues(OpOperand &use) {
    auto product = dyn_cast<WarpgroupMMAOp>(use.getOwner());
    return product && use.get().hasOneUse() &&
           use.getOperandNumber() == product.getAccMutable().getOperandNumber();
  }

  RewriterBase &rewriter;
  scf::ForOp loop;
  Block *body;
  llvm::function_ref<bool(Value)> keeps;
  FreeingWait where;

  SmallVector<WarpgroupMMAOp> products; ///< in order
  /// In flight now: results of this iteration with their number, and carried
  /// values with -1.
  llvm::MapVector<Value, int> flying;
  int issued = 0, ended = 0; ///< products of this iteration
  ProductSchedule schedule;
};

/// Removes the wait of every product; false when there is another shape.
bool Body::takeWaits() {
  for (Operation &op : *body)
    if (auto product = dyn_cast<WarpgroupMMAOp>(op))
      products.push_back(product);
  SmallVector<WarpgroupWaitOp> waits;
  for (WarpgroupMMAOp product : products) {
    Value result = product.getResult();
    auto wait = result.hasOneUse()
                    ? dyn_cast<WarpgroupWaitOp>(*result.user_begin())
                    : WarpgroupWaitOp();
    if (!wait || wait.getPending() != 0 || wait.getValues().size() != 1 ||
        wait->getBlock() != body)
      return false;
    waits.push_back(wait);
  }
  for (WarpgroupWaitOp wait : waits)
    rewriter.replaceOp(wait, wait.getValues());
  return !products.empty();
}

bool Body::mayCross(WarpgroupMMAOp product) {
  auto lasts = [&](Value operand) {
    if (keeps(operand))
      return true;
    Operation *def = operand.getDefiningOp();
    if (!def || def->getBlock() != body)
      return operand.getParentBlock() != body;
    if (isa<tgpu::TileType>(operand.getType()))
      return false;
    // Registers are written again in the next iteration. That is behind a wait
    // when what is written comes from a product of that iteration.
    llvm::SetVector<Operation *> slice;
    slice.insert(def);
    for (size_t i = 0; i < slice.size(); ++i)
      for (Value value : readsOf(*slice[i]))
        if (Operation *op = value.getDefiningOp();
            op && op->getBlock() == body) {
          if (isa<WarpgroupMMAOp>(op))
            return true;
          slice.insert(op);
        }
    return false;
  };
  return lasts(product.getA()) && lasts(product.getB());
}

/// Waits, in front of `op`, for what it needs; everything older ends as well
/// and is tied, so that nothing has to wait for it again.
void Body::waitBefore(Operation *op, ArrayRef<Value> needed) {
  int newest = -1;
  for (Value value : needed)
    newest = std::max(newest, flying.lookup(value));
  SmallVector<Value> values;
  for (auto [value, number] : flying)
    if (number <= newest)
      values.push_back(value);
  // Tiles stay allocated, and registers of operands unchanged, until their
  // readers end.
  SmallVector<Value> tied(values);
  for (; ended <= newest; ++ended)
    for (Value operand :
         {products[ended].getA(), Value(products[ended].getB())})
      if (!llvm::is_contained(tied, operand))
        tied.push_back(operand);

  rewriter.setInsertionPoint(op);
  SmallVector<Type> types;
  for (Value value : tied)
    types.push_back(value.getType());
  auto wait = WarpgroupWaitOp::create(rewriter, op->getLoc(), types, tied,
                                      issued - 1 - newest);
  for (auto [value, result] : llvm::zip(values, wait.getResults())) {
    rewriter.replaceUsesWithIf(value, result, [&](OpOperand &use) {
      Operation *user = body->findAncestorOpInBlock(*use.getOwner());
      return user && wait->isBeforeInBlock(user);
    });
    flying.erase(value);
  }
  if (!schedule.firstWait) {
    schedule.firstWait = wait;
    for (int number = 0; number <= newest; ++number)
      schedule.endedAtFirstWait.insert(products[number]);
  }
}

ProductSchedule Body::run() {
  if (!takeWaits())
    return schedule;
  auto yield = cast<scf::YieldOp>(body->getTerminator());

  // What is only handed to the next iteration stays in flight.
  SmallVector<unsigned> carried;
  for (auto [index, value] : llvm::enumerate(yield.getOperands())) {
    auto product = value.getDefiningOp<WarpgroupMMAOp>();
    if (product && product->getBlock() == body && value.hasOneUse() &&
        mayCross(product)) {
      carried.push_back(index);
      flying.insert({loop.getRegionIterArg(index), -1});
    }
  }
  schedule.crosses = !carried.empty();

  for (Operation &op : llvm::make_early_inc_range(body->without_terminator())) {
    SmallVector<Value> needed;
    // Regions may hold products, waits and branches of their own.
    if (op.getNumRegions() &&
        (isa<scf::IfOp, scf::ForOp, scf::WhileOp>(op) || !isPure(&op)))
      for (auto [value, number] : flying)
        needed.push_back(value);
    if (auto product = dyn_cast<WarpgroupMMAOp>(op)) {
      for (OpOperand &operand : op.getOpOperands())
        if (flying.contains(operand.get()) && !continues(operand))
          needed.push_back(operand.get());
    } else {
      for (Value value : readsOf(op))
        if (flying.contains(value))
          needed.push_back(value);
    }
    if (!needed.empty())
      waitBefore(&op, needed);
    if (auto product = dyn_cast<WarpgroupMMAOp>(op)) {
      flying.erase(product.getAcc());
      flying.insert({product.getResult(), issued++});
    }
  }

  // Other results are complete when the iteration ends.
  SmallVector<Value> needed;
  for (const auto &entry : flying) {
    Value value = entry.first;
    bool stays = llvm::any_of(carried, [&](unsigned index) {
      return yield.getOperand(index) == value;
    });
    if (entry.second >= 0 && !stays)
      needed.push_back(value);
  }
  if (!needed.empty()) {
    // Waiting for a younger one ends the older ones that may have stayed.
    waitBefore(yield, needed);
  }

  if (schedule.crosses && !schedule.firstWait) {
    // Nothing reads the sums, but what the products read must become free.
    schedule.onlyFrees = true;
    bool behind = where == FreeingWait::Behind;
    if (behind) {
      rewriter.setInsertionPointAfter(products.back());
    } else {
      rewriter.setInsertionPointToStart(body);
    }
    schedule.firstWait = WarpgroupWaitOp::create(
        rewriter, loop.getLoc(), TypeRange(), ValueRange(),
        behind ? int32_t(products.size()) : 0);
  }

  if (schedule.crosses) {
    // The tiles stay allocated until here.
    SmallVector<Value> tied;
    SmallVector<Type> types;
    for (unsigned index : carried)
      tied.push_back(loop.getResult(index));
    for (WarpgroupMMAOp product : products)
      for (Value tile : {product.getA(), Value(product.getB())}) {
        while (Operation *view = tile.getDefiningOp()) {
          if (!isa<tgpu::TileAtOp, tgpu::TilePermuteOp>(view))
            break;
          tile = view->getOperand(0);
        }
        if (isa<tgpu::TileType>(tile.getType()) &&
            tile.getParentBlock() != body && !llvm::is_contained(tied, tile))
          tied.push_back(tile);
      }
    for (Value value : tied)
      types.push_back(value.getType());
    rewriter.setInsertionPointAfter(loop);
    auto wait =
        WarpgroupWaitOp::create(rewriter, loop.getLoc(), types, tied, 0);
    for (auto [number, index] : llvm::enumerate(carried))
      rewriter.replaceAllUsesExcept(loop.getResult(index),
                                    wait.getResult(number), wait);
  }
  return schedule;
}

} // namespace

ProductSchedule makeProductsAsync(RewriterBase &rewriter, scf::ForOp loop,
                                  llvm::function_ref<bool(Value)> keeps,
                                  FreeingWait where) {
  return Body(rewriter, loop, keeps, where).run();
}

} // namespace nereid
