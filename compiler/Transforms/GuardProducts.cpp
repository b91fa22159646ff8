//===- GuardProducts.cpp - Products in flight meet nothing else -----------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_GUARDPRODUCTS
#include "compiler/Transforms/Passes.h.inc"

namespace {

using tgpu::WarpgroupWaitOp;

/// The wait that ends what `loop` leaves in flight, if only operations without
/// effects stand between.
WarpgroupWaitOp waitBehind(scf::ForOp loop) {
  bool issues =
      llvm::any_of(loop.getBody()->getOperations(),
                   [](Operation &op) { return isa<tgpu::WarpgroupMMAOp>(op); });
  if (!issues)
    return {};
  for (Operation *op = loop->getNextNode(); op; op = op->getNextNode()) {
    auto wait = dyn_cast<WarpgroupWaitOp>(op);
    if (!wait) {
      if (!isMemoryEffectFree(op) || op->getNumRegions())
        return {};
      continue;
    }
    bool ends = llvm::any_of(wait.getValues(), [&](Value value) {
      return value.getDefiningOp() == loop;
    });
    return ends ? wait : WarpgroupWaitOp();
  }
  return {};
}

bool runsAtLeastOnce(scf::ForOp loop) {
  APInt lower, upper;
  if (!matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) ||
      !matchPattern(loop.getUpperBound(), m_ConstantInt(&upper)))
    return false;
  return loop.getUnsignedCmp() ? lower.ult(upper) : lower.slt(upper);
}

void guard(scf::ForOp loop, WarpgroupWaitOp wait) {
  OpBuilder builder(loop);
  Location loc = loop.getLoc();
  // What an empty loop gives for a value of the loop or the wait.
  auto whenEmpty = [&](Value value) -> Value {
    auto result = dyn_cast<OpResult>(value);
    if (result && result.getOwner() == loop)
      return loop.getInitArgs()[result.getResultNumber()];
    return value;
  };
  SmallVector<Value> given, empty;
  for (OpResult result : loop.getResults())
    if (llvm::any_of(result.getUsers(),
                     [&](Operation *user) { return user != wait; })) {
      given.push_back(result);
      empty.push_back(whenEmpty(result));
    }
  for (auto [result, value] : llvm::zip(wait.getResults(), wait.getValues()))
    if (!result.use_empty()) {
      given.push_back(result);
      empty.push_back(whenEmpty(value));
    }
  SmallVector<Type> types = llvm::to_vector(ValueRange(given).getTypes());

  Value runs =
      arith::CmpIOp::create(builder, loc,
                            loop.getUnsignedCmp() ? arith::CmpIPredicate::ult
                                                  : arith::CmpIPredicate::slt,
                            loop.getLowerBound(), loop.getUpperBound());
  auto branch = scf::IfOp::create(builder, loc, types, runs, true);
  for (auto [value, result] : llvm::zip(given, branch.getResults()))
    value.replaceUsesWithIf(
        result, [&](OpOperand &use) { return use.getOwner() != wait; });
  builder.setInsertionPointToStart(branch.thenBlock());
  auto yield = scf::YieldOp::create(builder, loc, given);
  // What stands between the two may be read by the wait, unless it follows from
  // the loop.
  SmallPtrSet<Operation *, 4> behind = {branch};
  for (Operation *op = loop->getNextNode(), *next; op != wait; op = next) {
    next = op->getNextNode();
    if (llvm::any_of(op->getOperands(), [&](Value operand) {
          return behind.contains(operand.getDefiningOp());
        }))
      behind.insert(op);
    else
      op->moveBefore(branch);
  }
  loop->moveBefore(yield);
  wait->moveBefore(yield);
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, loc, empty);
}

struct GuardProducts : impl::GuardProductsBase<GuardProducts> {
  using GuardProductsBase::GuardProductsBase;

  void runOnOperation() override {
    SmallVector<std::pair<scf::ForOp, WarpgroupWaitOp>> found;
    getOperation()->walk([&](scf::ForOp loop) {
      if (WarpgroupWaitOp wait = waitBehind(loop))
        if (!runsAtLeastOnce(loop))
          found.emplace_back(loop, wait);
    });
    for (auto [loop, wait] : found)
      guard(loop, wait);
  }
};

} // namespace
} // namespace nereid
