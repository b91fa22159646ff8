//===- ScalarSlice.cpp - The scalar part of a kernel that feeds copies ----===//

#include "compiler/Transforms/ScalarSlice.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace nereid {

bool ScalarSlice::add(Operation *anchor, MayRepeat mayRepeat) {
  Parts tried = parts;
  tried.anchors.insert(anchor);
  if (!needAround(anchor, tried, mayRepeat))
    return false;
  for (Value operand : anchor->getOperands())
    if (!need(operand, tried, mayRepeat))
      return false;
  parts = std::move(tried);
  return true;
}

/// The loops and branches that `op` stands in.
bool ScalarSlice::needAround(Operation *op, Parts &parts, MayRepeat mayRepeat) {
  Operation *parent = op->getParentOp();
  if (isa<FunctionOpInterface>(parent))
    return true;
  return isa<scf::ForOp, scf::IfOp>(parent) &&
         needOperation(parent, parts, mayRepeat);
}

bool ScalarSlice::needOperation(Operation *op, Parts &parts,
                                MayRepeat mayRepeat) {
  if (!parts.operations.insert(op).second)
    return true;
  if (!needAround(op, parts, mayRepeat))
    return false;
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return need(loop.getLowerBound(), parts, mayRepeat) &&
           need(loop.getUpperBound(), parts, mayRepeat) &&
           need(loop.getStep(), parts, mayRepeat);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return need(branch.getCondition(), parts, mayRepeat);
  if (op->getNumRegions() || (!isMemoryEffectFree(op) && !mayRepeat(op)))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return need(operand, parts, mayRepeat);
  });
}

bool ScalarSlice::need(Value value, Parts &parts, MayRepeat mayRepeat) {
  if (isa<RankedTensorType>(value.getType()))
    return false;
  if (!parts.values.insert(value).second)
    return true;
  auto needCarried = [&](scf::ForOp loop, unsigned i) {
    return needOperation(loop, parts, mayRepeat) &&
           need(loop.getRegionIterArg(i), parts, mayRepeat) &&
           need(loop.getResult(i), parts, mayRepeat) &&
           need(loop.getInitArgs()[i], parts, mayRepeat) &&
           need(loop.getYieldedValues()[i], parts, mayRepeat);
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *owner = argument.getOwner()->getParentOp();
    if (isa<FunctionOpInterface>(owner))
      return true;
    auto loop = dyn_cast<scf::ForOp>(owner);
    if (!loop)
      return false;
    if (argument == loop.getInductionVar())
      return needOperation(loop, parts, mayRepeat);
    return needCarried(loop,
                       argument.getArgNumber() - loop.getNumInductionVars());
  }
  auto result = cast<OpResult>(value);
  Operation *op = result.getOwner();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return needCarried(loop, result.getResultNumber());
  if (!needOperation(op, parts, mayRepeat))
    return false;
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return need(branch.thenYield().getOperand(result.getResultNumber()), parts,
                mayRepeat) &&
           need(branch.elseYield().getOperand(result.getResultNumber()), parts,
                mayRepeat);
  return true;
}

void ScalarSlice::clone(
    Block &block, OpBuilder &builder, IRMapping &mapping,
    llvm::function_ref<void(Operation *, OpBuilder &, IRMapping &)> emit)
    const {
  auto kept = [&](ResultRange results) {
    SmallVector<unsigned> indices;
    for (OpResult result : results)
      if (parts.values.contains(result))
        indices.push_back(result.getResultNumber());
    return indices;
  };
  auto pick = [&](auto range, ArrayRef<unsigned> indices) {
    SmallVector<Value> values;
    for (unsigned i : indices)
      values.push_back(mapping.lookupOrDefault(range[i]));
    return values;
  };
  for (Operation &op : block.without_terminator()) {
    if (parts.anchors.contains(&op)) {
      emit(&op, builder, mapping);
    } else if (!parts.operations.contains(&op)) {
      continue;
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      SmallVector<unsigned> carried = kept(loop.getResults());
      auto copy = scf::ForOp::create(
          builder, loop.getLoc(), mapping.lookupOrDefault(loop.getLowerBound()),
          mapping.lookupOrDefault(loop.getUpperBound()),
          mapping.lookupOrDefault(loop.getStep()),
          pick(loop.getInitArgs(), carried), nullptr, loop.getUnsignedCmp());
      mapping.map(loop.getInductionVar(), copy.getInductionVar());
      for (auto [position, i] : llvm::enumerate(carried)) {
        mapping.map(loop.getRegionIterArg(i), copy.getRegionIterArg(position));
        mapping.map(loop.getResult(i), copy.getResult(position));
      }
      OpBuilder::InsertionGuard guard(builder);
      Block *body = copy.getBody();
      if (!body->empty() && body->back().hasTrait<OpTrait::IsTerminator>())
        body->back().erase();
      builder.setInsertionPointToEnd(body);
      clone(*loop.getBody(), builder, mapping, emit);
      scf::YieldOp::create(builder, loop.getLoc(),
                           pick(loop.getYieldedValues(), carried));
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      SmallVector<unsigned> given = kept(branch.getResults());
      SmallVector<Type> types;
      for (unsigned i : given)
        types.push_back(branch.getResult(i).getType());
      auto copy =
          scf::IfOp::create(builder, branch.getLoc(), types,
                            mapping.lookupOrDefault(branch.getCondition()),
                            /*addThenBlock=*/true, /*addElseBlock=*/true);
      OpBuilder::InsertionGuard guard(builder);
      for (auto [from, to] :
           {std::make_pair(&branch.getThenRegion(), &copy.getThenRegion()),
            std::make_pair(&branch.getElseRegion(), &copy.getElseRegion())}) {
        builder.setInsertionPointToEnd(&to->front());
        SmallVector<Value> values;
        if (!from->empty()) {
          clone(from->front(), builder, mapping, emit);
          values = pick(from->front().getTerminator()->getOperands(), given);
        }
        scf::YieldOp::create(builder, branch.getLoc(), values);
      }
      for (auto [position, i] : llvm::enumerate(given))
        mapping.map(branch.getResult(i), copy.getResult(position));
    } else {
      builder.clone(op, mapping);
    }
  }
}

} // namespace nereid
