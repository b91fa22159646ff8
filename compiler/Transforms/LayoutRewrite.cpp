//===- LayoutRewrite.cpp - Putting chosen layouts into the IR -------------===//
//
// Anchored tensors get their layouts where they stand. Free and light ones are
// made again beside the original for each layout that somebody asks for, and
// the originals are dropped. A conversion stands right behind the tensor it
// moves, so that all who need it share it and loops find it outside.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/LayoutGraph.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid {

using tgpu::LayoutAttr;

LayoutAttr LayoutGraph::anyLayout(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (kinds.lookup(value) == Kind::Light)
    for (const Leaf &leaf : leaves(value)) {
      LayoutAttr own = tgpu::getLayout(leaf.value.getType());
      if (LayoutAttr layout = down(leaf.path, own))
        return layout;
    }
  return LayoutAttr::get(function.getContext(),
                         defaultLayout(type.getShape(), threads));
}

Value LayoutGraph::recompute(Value value, LayoutAttr layout) {
  Operation *op = value.getDefiningOp();
  OpBuilder builder(op->getContext());
  IRMapping mapping;
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()))
      mapping.map(operand, get(operand, getLayoutRule(op) == LayoutRule::Shape
                                            ? back(op, layout)
                                            : layout));
  builder.setInsertionPointAfter(op);
  Operation *copy = builder.clone(*op, mapping);
  for (OpResult result : copy->getResults())
    result.setType(
        tgpu::withLayout(cast<RankedTensorType>(result.getType()), layout));
  if (auto constant = dyn_cast<arith::ConstantOp>(copy)) {
    auto elements = cast<DenseElementsAttr>(constant.getValue());
    auto type = cast<ShapedType>(copy->getResult(0).getType());
    constant.setValueAttr(elements.isSplat() ? elements.resizeSplat(type)
                                             : elements.reshape(type));
  }
  return copy->getResult(cast<OpResult>(value).getResultNumber());
}

Value LayoutGraph::get(Value value, LayoutAttr layout) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return value;
  bool anchored = kinds.lookup(value) == Kind::Anchored;
  if (anchored && (!layout || tgpu::getLayout(type) == layout))
    return value;
  if (!layout)
    layout = anyLayout(value);
  auto known = versions.find({value, layout});
  if (known != versions.end())
    return known->second;
  Value version;
  if (anchored) {
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    version = tgpu::ConvertLayoutOp::create(
        builder, value.getLoc(), tgpu::withLayout(type, layout), value);
  } else {
    version = recompute(value, layout);
  }
  return versions[{value, layout}] = version;
}

LogicalResult LayoutGraph::rewrite() {
  for (Node &node : nodes)
    for (Value value : node.values)
      value.setType(tgpu::withLayout(cast<RankedTensorType>(value.getType()),
                                     given(node, node.layout)));

  SmallVector<Operation *> work;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    work.push_back(op);
    // Regions of scalars.
    return isa<tt::ReduceOp, tt::ScanOp, tt::MapElementwiseOp>(op)
               ? WalkResult::skip()
               : WalkResult::advance();
  });
  llvm::DenseSet<Operation *> dropped(recomputed.begin(), recomputed.end());
  auto take = [&](OpOperand &operand, Value like) {
    operand.set(get(operand.get(), tgpu::getLayout(like.getType())));
  };
  for (Operation *op : work) {
    if (dropped.contains(op))
      continue;
    Operation *parent = op->getParentOp();
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      for (auto [init, argument] :
           llvm::zip(loop.getInitArgsMutable(), loop.getRegionIterArgs()))
        take(init, argument);
    } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
      for (auto [init, argument] :
           llvm::zip(loop.getInitsMutable(), loop.getBeforeArguments()))
        take(init, argument);
    } else if (isa<scf::ConditionOp>(op)) {
      for (auto [operand, argument] :
           llvm::zip(op->getOpOperands().drop_front(),
                     cast<scf::WhileOp>(parent).getAfterArguments()))
        take(operand, argument);
    } else if (isa<scf::YieldOp>(op)) {
      ValueRange like = parent->getResults();
      if (auto loop = dyn_cast<scf::ForOp>(parent))
        like = loop.getRegionIterArgs();
      else if (auto loop = dyn_cast<scf::WhileOp>(parent))
        like = loop.getBeforeArguments();
      for (auto [operand, value] : llvm::zip(op->getOpOperands(), like))
        take(operand, value);
    } else if (isa<tt::ReturnOp>(op)) {
      for (OpOperand &operand : op->getOpOperands())
        operand.set(get(operand.get(), {}));
    } else if (isa<tgpu::WarpgroupWaitOp>(op)) {
      for (auto [operand, result] :
           llvm::zip(op->getOpOperands(), op->getResults()))
        take(operand, result);
    } else if (getLayoutRule(op) != LayoutRule::None) {
      const Node &node = nodes[nodeOfOp.lookup(op)];
      for (OpOperand &operand : op->getOpOperands())
        operand.set(get(operand.get(),
                        needed(node, operand.getOperandNumber(), node.layout)));
    }
  }
  for (Operation *op : llvm::reverse(recomputed)) {
    if (!op->use_empty())
      return op->emitError("is still used without a layout");
    op->erase();
  }

  Block &body = function.getBody().front();
  function.setFunctionType(
      FunctionType::get(function.getContext(), body.getArgumentTypes(),
                        body.getTerminator()->getOperandTypes()));
  return success();
}

} // namespace nereid
