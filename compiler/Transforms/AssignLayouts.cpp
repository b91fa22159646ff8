//===- AssignLayouts.cpp - A layout for every tensor ----------------------===//
//
// What the pass promises is in Passes.td. Here memory operations learn how wide
// they may access and products how they are computed; LayoutGraph spreads the
// layouts that follow over all other tensors.
//
//===----------------------------------------------------------------------===//

#include "compiler/Analysis/AxisInfo.h"
#include "compiler/Target/Target.h"
#include "compiler/Transforms/DotLayouts.h"
#include "compiler/Transforms/LayoutGraph.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "compiler/Transforms/Passes.h.inc"

namespace {

using tgpu::LayoutAttr;

//===-- Memory ------------------------------------------------------------===//

Value maskOf(Operation *op) {
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return load.getMask();
  if (auto store = dyn_cast<tt::StoreOp>(op))
    return store.getMask();
  if (auto atomic = dyn_cast<tt::AtomicRMWOp>(op))
    return atomic.getMask();
  return {};
}

/// How a memory operation may access neighbours.
Access findAccess(Operation *op, const AxisInfoAnalysis &axes) {
  // More than any thread holds; keeps the numbers in 32 bits.
  constexpr int64_t kMost = 1 << 20;
  Value pointers = op->getOperand(0);
  int64_t rank = cast<RankedTensorType>(pointers.getType()).getRank();
  Value mask = maskOf(op);
  Access best{unsigned(std::max<int64_t>(rank, 1) - 1), 1, 1};
  AxisInfo info = axes.get(pointers);
  for (int64_t dim = rank - 1; dim >= 0; --dim) {
    Access access;
    access.dim = unsigned(dim);
    access.run = std::min(info.getContiguity(dim), kMost);
    access.width = std::min(axes.accessWidth(pointers, dim), kMost);
    if (mask)
      access.width = std::min(access.width, axes.maskAlignment(mask, dim));
    if (std::pair(access.run, access.width) > std::pair(best.run, best.width))
      best = access;
  }
  return best;
}

bool accessesMemory(Operation *op) {
  return isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op) &&
         isa<RankedTensorType>(op->getOperand(0).getType());
}

//===-- Products ----------------------------------------------------------===//

/// The dimension along which the memory behind a tensor is contiguous, looking
/// through what works element by element; the last when nothing tells.
unsigned contiguousDim(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  unsigned last = unsigned(type.getRank()) - 1;
  SmallVector<ArrayRef<int32_t>> orders; // of transpositions passed
  while (Operation *op = value.getDefiningOp()) {
    if (accessesMemory(op)) {
      unsigned dim = getAccess(op, last + 1).dim;
      // Dimension `dim` of a transposition's operand is where its order says.
      for (ArrayRef<int32_t> order : llvm::reverse(orders))
        dim = unsigned(llvm::find(order, int32_t(dim)) - order.begin());
      return dim;
    }
    if (isa<tt::DescriptorLoadOp, tgpu::MapLoadOp>(op)) {
      unsigned dim = last;
      for (ArrayRef<int32_t> order : llvm::reverse(orders))
        dim = unsigned(llvm::find(order, int32_t(dim)) - order.begin());
      return dim;
    }
    if (auto trans = dyn_cast<tt::TransOp>(op))
      orders.push_back(trans.getOrder());
    else if (getLayoutRule(op) != LayoutRule::Same &&
             !isa<tgpu::ConvertLayoutOp>(op))
      return last;
    Value next;
    for (Value operand : op->getOperands())
      if (auto tensor = dyn_cast<RankedTensorType>(operand.getType());
          tensor && tensor.getRank() == type.getRank() &&
          !operand.getDefiningOp<arith::ConstantOp>() &&
          !operand.getDefiningOp<tt::SplatOp>() && !next)
        next = operand;
    if (!next)
      return last;
    value = next;
  }
  return last;
}

/// Makes the tiles in shared memory that hold operands.
class TileMaker {
public:
  Value get(tt::DotOp dot, Value value, unsigned operand, tgpu::DotUnit unit) {
    Location loc = dot.getLoc();
    tgpu::TileType type =
        tgpu::dotOperandTile(cast<RankedTensorType>(value.getType()), operand,
                             unit, contiguousDim(value));
    // A transposition is one of the memory's view, not of its contents.
    auto trans = value.getDefiningOp<tt::TransOp>();
    Value source = trans ? trans.getSrc() : value;
    tgpu::TileType sourceType = type;
    if (trans)
      sourceType = tgpu::TileType::get(
          type.getContext(),
          cast<RankedTensorType>(source.getType()).getShape(),
          type.getElementType(),
          tgpu::permuteOperand(type.getLinear(), trans.getOrder()), 1);
    OpBuilder builder(dot);
    Value tile = fill(builder, loc, dot, source, sourceType);
    if (!trans)
      return tile;
    return tgpu::TilePermuteOp::create(builder, loc, type, tile,
                                       trans.getOrder());
  }

private:
  /// What does not change in a loop is written before it, once for all loops.
  Value fill(OpBuilder &builder, Location loc, Operation *user, Value source,
             tgpu::TileType type) {
    Operation *before = source.getParentBlock()->findAncestorOpInBlock(*user);
    bool outside = before != user && isa<scf::ForOp, scf::WhileOp>(before);
    if (!outside)
      return tgpu::LocalAllocOp::create(builder, loc, type, source);
    Value &tile = outer[{source, type}];
    if (!tile) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(before);
      tile = tgpu::LocalAllocOp::create(builder, loc, type, source);
    }
    return tile;
  }

  /// Tiles in the block of their source, the first before all loops that read
  /// it.
  llvm::DenseMap<std::pair<Value, Type>, Value> outer;
};

/// Brings one product into the form of its unit.
void lowerDot(tt::DotOp dot, const TargetInfo &target, int32_t numWarps,
              LayoutGraph &graph, TileMaker &tiles) {
  MLIRContext *context = dot.getContext();
  tgpu::DotChoice choice = tgpu::chooseDot(dot, target, numWarps);
  auto attr = [&](const LinearLayout &layout) {
    return LayoutAttr::get(context, layout);
  };
  OpBuilder builder(dot);
  Location loc = dot.getLoc();
  for (unsigned operand : {0u, 1u}) {
    Value value = dot->getOperand(operand);
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getElementType() != choice.elementTypes[operand])
      dot->setOperand(
          operand,
          tt::FpToFpOp::create(
              builder, loc, type.clone(choice.elementTypes[operand]), value));
  }
  if (choice.unit != tgpu::DotUnit::Warpgroup) {
    graph.fixResults(dot, attr(choice.accumulator));
    for (unsigned operand : {0u, 1u})
      graph.fixOperand(dot, operand, attr(choice.operands[operand]));
    return;
  }
  Value operands[2];
  for (unsigned operand : {0u, 1u})
    operands[operand] =
        choice.inRegisters[operand]
            ? dot->getOperand(operand)
            : tiles.get(dot, dot->getOperand(operand), operand, choice.unit);
  auto product = tgpu::WarpgroupMMAOp::create(
      builder, loc, dot.getType(), operands[0], operands[1], dot.getC(),
      /*useAcc=*/Value(),
      builder.getI32IntegerAttr(int32_t(dot.getMaxNumImpreciseAcc())));
  graph.fixResults(product, attr(choice.accumulator));
  if (choice.inRegisters[0])
    graph.fixOperand(product, 0, attr(choice.operands[0]));
  auto wait = tgpu::WarpgroupWaitOp::create(
      builder, loc, TypeRange(dot.getType()), ValueRange(product.getResult()),
      /*pending=*/0);
  dot->replaceAllUsesWith(wait);
  dot->erase();
}

//===-- The pass ----------------------------------------------------------===//

struct AssignLayouts : impl::AssignLayoutsBase<AssignLayouts> {
  using AssignLayoutsBase::AssignLayoutsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const TargetInfo *info = findTarget(target);
    if (!info || info->family == TargetFamily::CPU) {
      module.emitError() << "'" << target << "' is not a GPU target";
      return signalPassFailure();
    }
    if (numWarps < 1 || !llvm::isPowerOf2_32(uint32_t(numWarps)) ||
        numWarps * int32_t(info->warpSize) > 1024) {
      module.emitError() << "a block has a power of two of warps and at most "
                            "1024 threads, found "
                         << numWarps << " warps of " << info->warpSize;
      return signalPassFailure();
    }
    tgpu::ThreadCounts threads{int32_t(info->warpSize), numWarps};
    for (auto function : module.getOps<tt::FuncOp>()) {
      if (function.getBody().empty())
        continue;
      AxisInfoAnalysis axes(function);
      SmallVector<tt::DotOp> dots;
      function.walk([&](Operation *op) {
        if (accessesMemory(op))
          setAccess(op, findAccess(op, axes));
        if (auto dot = dyn_cast<tt::DotOp>(op))
          dots.push_back(dot);
      });
      LayoutGraph graph(function, threads);
      TileMaker tiles;
      for (tt::DotOp dot : dots)
        lowerDot(dot, *info, numWarps, graph, tiles);
      if (failed(graph.build()) || failed(graph.rewrite()))
        return signalPassFailure();
    }
    Builder builder(module);
    module->setAttr(tgpu::kTargetAttr, builder.getStringAttr(info->name));
    module->setAttr(tgpu::kNumWarpsAttr, builder.getI32IntegerAttr(numWarps));
    module->setAttr(tgpu::kNumStagesAttr, builder.getI32IntegerAttr(numStages));
  }
};

} // namespace
} // namespace nereid
