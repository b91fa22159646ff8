//===- Factor.cpp - Powers of two that divide a scalar --------------------===//

#include "compiler/Transforms/Factor.h"

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nereid {

constexpr int64_t kMost = int64_t(1) << 20;

static int64_t lowestBit(int64_t value) {
  uint64_t bits = uint64_t(value);
  uint64_t lowest = bits & (0 - bits);
  return lowest == 0 ? kMost : int64_t(std::min(lowest, uint64_t(kMost)));
}

int64_t FactorAnalysis::of(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  int64_t factor = compute(value);
  known[value] = factor;
  return factor;
}

/// What a loop carries: as much as it starts with, unless a round takes some of
/// it away.
int64_t FactorAnalysis::carried(Value key, Value init, Value yielded,
                                Value argument) {
  int64_t guess = of(init);
  while (true) {
    // The guess is tried on a copy: what follows from it is not yet known.
    FactorAnalysis trial(*this);
    trial.known[argument] = guess;
    trial.known[key] = guess;
    int64_t after = std::min(guess, trial.of(yielded));
    if (after == guess || guess == 1)
      return known[argument] = guess;
    guess = after;
  }
}

int64_t FactorAnalysis::compute(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return lowestBit(constant.getSExtValue());
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *owner = argument.getOwner()->getParentOp();
    unsigned number = argument.getArgNumber();
    if (auto kernel = dyn_cast<tt::FuncOp>(owner)) {
      auto hint =
          kernel.getArgAttrOfType<IntegerAttr>(number, "tt.divisibility");
      return withHints && hint ? lowestBit(hint.getInt()) : 1;
    }
    auto loop = dyn_cast<scf::ForOp>(owner);
    if (!loop)
      return 1;
    if (number == 0)
      return std::min(of(loop.getLowerBound()), of(loop.getStep()));
    return carried(value, loop.getInitArgs()[number - 1],
                   loop.getYieldedValues()[number - 1], value);
  }
  unsigned number = cast<OpResult>(value).getResultNumber();
  Operation *op = value.getDefiningOp();
  // tl.multiple_of
  if (auto told = op->getAttrOfType<DenseIntElementsAttr>("tt.divisibility");
      told && told.getNumElements() == 1)
    return lowestBit((*told.value_begin<APInt>()).getSExtValue());
  auto operand = [&](unsigned i) { return of(op->getOperand(i)); };
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return of(loop.getRegionIterArg(number));
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return std::min(of(branch.thenYield().getOperand(number)),
                    of(branch.elseYield().getOperand(number)));
  if (isa<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(op))
    return operand(0);
  if (isa<arith::AddIOp, arith::SubIOp, arith::OrIOp, arith::XOrIOp,
          arith::MinSIOp, arith::MaxSIOp, arith::MinUIOp, arith::MaxUIOp,
          arith::RemSIOp, arith::RemUIOp>(op))
    return std::min(operand(0), operand(1));
  if (isa<arith::SelectOp>(op))
    return std::min(operand(1), operand(2));
  if (isa<arith::MulIOp>(op))
    return std::min(operand(0) * operand(1), kMost);
  if (isa<arith::AndIOp>(op))
    return std::max(operand(0), operand(1));
  if (isa<arith::ShLIOp>(op) &&
      matchPattern(op->getOperand(1), m_ConstantInt(&constant)) &&
      constant.ult(20))
    return std::min(operand(0) << constant.getZExtValue(), kMost);
  return 1;
}

} // namespace nereid
