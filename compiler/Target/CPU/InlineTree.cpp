//===- InlineTree.cpp - Walks what a sink computes on the way -------------===//

#include "compiler/Target/CPU/InlineTree.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace nereid::cpu {

SmallVector<Value> sinkOperands(const Sink &sink) {
  SmallVector<Value> operands;
  if (sink.kind == Sink::Kind::Materialize || sink.kind == Sink::Kind::Print) {
    operands.push_back(sink.value);
    return operands;
  }
  for (Value v : sink.op->getOperands())
    if (isTensor(v))
      operands.push_back(v);
  return operands;
}

namespace {
struct Walker {
  function_ref<bool(Value)> stop = nullptr;
  InlineVisitor visit = nullptr;
  DenseMap<Value, SmallVector<SmallVector<int>>> seen;

  void walk(Value v, SmallVector<int> dims, bool identity) {
    if (!isTensor(v))
      return;
    auto &known = seen[v];
    if (llvm::is_contained(known, dims))
      return;
    known.push_back(dims);
    visit(v, dims, identity);
    if (stop(v))
      return;
    Operation *op = v.getDefiningOp();
    if (!op || op->getNumRegions())
      return;
    if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
      dims.erase(dims.begin() + expand.getAxis());
      return walk(expand.getSrc(), dims, false);
    }
    if (auto broadcast = dyn_cast<tt::BroadcastOp>(op)) {
      auto from = cast<RankedTensorType>(broadcast.getSrc().getType());
      bool same = true;
      for (auto [i, size] : llvm::enumerate(from.getShape()))
        if (size == 1 && dims[i] != kNoDim)
          dims[i] = kNoDim, same = false;
      return walk(broadcast.getSrc(), dims, identity && same);
    }
    if (auto trans = dyn_cast<tt::TransOp>(op)) {
      SmallVector<int> inner(dims.size());
      for (auto [i, from] : llvm::enumerate(trans.getOrder()))
        inner[from] = dims[i];
      return walk(trans.getSrc(), inner, false);
    }
    if (auto reshape = dyn_cast<tt::ReshapeOp>(op)) {
      auto from = cast<RankedTensorType>(reshape.getSrc().getType()).getShape();
      auto to = cast<RankedTensorType>(reshape.getType()).getShape();
      SmallVector<int> real;
      SmallVector<int64_t> a, c;
      for (auto [i, size] : llvm::enumerate(to))
        if (size != 1)
          real.push_back(dims[i]), c.push_back(size);
      for (int64_t size : from)
        if (size != 1)
          a.push_back(size);
      SmallVector<int> inner(from.size(), kNoDim);
      unsigned k = 0;
      for (auto [i, size] : llvm::enumerate(from))
        if (size != 1)
          inner[i] = a == c ? real[k++] : kUnknownDim;
      // The innermost dimension still runs along the innermost one.
      if (a != c && !a.empty() && !real.empty())
        for (unsigned i = from.size(); i-- > 0;)
          if (from[i] != 1) {
            inner[i] = real.back();
            break;
          }
      return walk(reshape.getSrc(), inner, false);
    }
    if (auto split = dyn_cast<tt::SplitOp>(op)) {
      dims.push_back(kNoDim);
      return walk(split.getSrc(), dims, false);
    }
    if (isa<tt::JoinOp>(op)) {
      dims.pop_back();
      for (Value operand : op->getOperands())
        walk(operand, dims, false);
      return;
    }
    if (isa<tt::CatOp>(op)) {
      for (Value operand : op->getOperands())
        walk(operand, dims, false);
      return;
    }
    if (auto gather = dyn_cast<tt::GatherOp>(op)) {
      walk(gather.getIndices(), dims, identity);
      dims[gather.getAxis()] = kUnknownDim;
      return walk(gather.getSrc(), dims, false);
    }
    for (Value operand : op->getOperands())
      walk(operand, dims, identity);
  }
};
} // namespace

void walkInline(Value root, function_ref<bool(Value)> stop,
                InlineVisitor visit) {
  if (!isTensor(root))
    return;
  SmallVector<int> dims;
  unsigned rank = cast<RankedTensorType>(root.getType()).getRank();
  for (unsigned i = 0; i < rank; ++i)
    dims.push_back(i);
  Walker walker;
  walker.stop = stop;
  walker.visit = visit;
  walker.walk(root, dims, true);
}

void walkInline(const Kernel &kernel, const Sink &sink, InlineVisitor visit) {
  auto stop = [&](Value v) {
    Buffer *buffer = kernel.buffer(v);
    if (buffer && buffer->complete)
      return true;
    Operation *op = v.getDefiningOp();
    return !op || !isInline(kernel, op);
  };
  for (Value v : sinkOperands(sink))
    walkInline(v, stop, visit);
}

} // namespace nereid::cpu
