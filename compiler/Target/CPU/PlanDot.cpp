//===- PlanDot.cpp - Where the operands of a dot lie ----------------------===//
//
// B is packed into panels, A is row-major in the type products are computed in,
// C accumulates in a row-major buffer, in place of the carried tile where a
// loop sums into it. Packing is an ordinary nest, so casts, scales and masks in
// front of a dot are part of it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Planner.h"

#include "compiler/Target/CPU/LoopDot.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nereid::cpu {

DotLayout dotLayout(tt::DotOp op, const TargetInfo &target) {
  auto a = cast<RankedTensorType>(op.getA().getType());
  auto b = cast<RankedTensorType>(op.getB().getType());
  auto c = cast<RankedTensorType>(op.getC().getType());
  unsigned rank = a.getRank();
  DotLayout r;
  r.shape.m = a.getDimSize(rank - 2);
  r.shape.k = a.getDimSize(rank - 1);
  r.shape.n = b.getDimSize(rank - 1);
  r.shape.aType = a.getElementType();
  r.shape.bType = b.getElementType();
  r.shape.cType = computeType(r.shape.aType, r.shape.bType, c.getElementType());
  r.batches = rank == 3 ? a.getDimSize(0) : 1;
  r.panels = panelLayout(r.shape, target);
  r.a.stored = r.panels.aElement;
  r.b.stored = r.panels.element;
  r.b.panel = r.panels.width;
  r.b.group = r.panels.group;
  r.b.paddedK = r.panels.paddedK;
  return r;
}

static bool isZero(Value v) {
  if (auto splat = tt::getSplatSource(v)) {
    Attribute attr = splat.attr;
    if (splat.scalar)
      matchPattern(splat.scalar, m_Constant(&attr));
    if (auto f = dyn_cast_or_null<FloatAttr>(attr))
      return f.getValue().isZero();
    if (auto i = dyn_cast_or_null<IntegerAttr>(attr))
      return i.getValue().isZero();
  }
  return false;
}

// Something expensive of `v` is computed in the open nest already.
bool Planner::sharesWork(Value v) const {
  if (!open)
    return false;
  llvm::DenseSet<Value> heavy;
  for (const Sink &sink : open->sinks)
    walk(sink, [&](Value u, ArrayRef<int>, bool identity) {
      if (identity && u.getDefiningOp() && isHeavy(u.getDefiningOp()))
        heavy.insert(u);
    });
  bool shares = false;
  walkInline(
      v, [&](Value u) { return isKept(u); },
      [&](Value u, ArrayRef<int>, bool identity) {
        shares |= identity && heavy.contains(u);
      });
  return shares;
}

Buffer *Planner::pack(Value v, const OperandLayout &layout, bool ahead) {
  for (PackedOperand &p : kernel.packed)
    if (p.value == v && p.layout == layout)
      return p.buffer;
  Type element = getElementTypeOrSelf(v.getType());
  // A buffer that lies as wanted serves as it is.
  if (layout.panel == 0) {
    Buffer *existing = planned.lookup(v);
    if (!existing)
      existing = kernel.buffer(v);
    if (existing && existing->stored == layout.stored && existing->panel == 0) {
      if (pending.contains(v))
        close();
      return existing;
    }
  }
  auto shape = cast<RankedTensorType>(v.getType()).getShape();
  int64_t elements = 1;
  for (int64_t d : shape)
    elements *= d;
  if (layout.panel)
    elements = elements / shape[shape.size() - 2] * layout.paddedK;
  // Micro-kernels may read a little past the end of A.
  Buffer *buffer = kernel.newBuffer(v.getLoc(), shape, element, layout.stored,
                                    elements + (layout.panel ? 0 : 64));
  buffer->panel = layout.panel;
  buffer->group = layout.group;
  buffer->paddedK = layout.paddedK;
  bool bind = layout.panel == 0 && layout.stored == element && !isKept(v);
  keep(v, buffer, bind, sharesWork(v));
  if (ahead)
    kernel.packed.push_back({v, layout, buffer});
  return buffer;
}

// Operands that a loop does not change are packed before it.
void Planner::packAhead(tt::DotOp op, function_ref<bool(Value)> outside) {
  DotLayout layout = dotLayout(op, kernel.target);
  if (outside(op.getA()))
    pack(op.getA(), layout.a, true);
  if (outside(op.getB()))
    pack(op.getB(), layout.b, true);
}

LogicalResult Planner::planDot(tt::DotOp op) {
  DotLayout layout = dotLayout(op, kernel.target);
  auto dot = std::make_unique<DotPlan>();
  dot->op = op;
  Type element = getElementTypeOrSelf(op.getType());
  Type stored = layout.shape.cType;
  Value c = op.getC();
  if (LoopDot *loop = kernel.loopDot(op)) {
    dot->loop = loop;
    dot->b = loop->b;
    if (loop->aView) {
      keep(op.getA(), loop->aView, false, sharesWork(op.getA()));
      dot->a = loop->a;
    } else {
      dot->a = pack(op.getA(), layout.a, false);
    }
    close();
    keep(op.getB(), loop->bView, false, false);
    if (loop->keeps)
      open->guard = loop;
    close();
  } else {
    dot->a = pack(op.getA(), layout.a, false);
    dot->b = pack(op.getB(), layout.b, false);
  }

  const HandOver *target = nullptr;
  for (const HandOver &t : targets)
    if (t.value == op.getD() && t.carried && t.to->stored == stored &&
        op.getD().hasOneUse())
      target = &t;
  Buffer *existing = planned.lookup(c);
  if (target && updatesInPlace(c, target->carried, op)) {
    dot->c = target->to;
    if (c != target->carried)
      keep(c, dot->c, false, false);
  } else if (isZero(c)) {
    dot->overwrite = true;
  } else if (existing && existing->stored == stored && c.hasOneUse() &&
             existing->panel == 0) {
    dot->c = existing;
  }
  if (!dot->c) {
    dot->c = kernel.newBuffer(op.getLoc(),
                              cast<RankedTensorType>(op.getType()).getShape(),
                              element, stored);
    if (!dot->overwrite)
      keep(c, dot->c, false, false);
  }
  close();
  planned[op.getD()] = dot->c;
  Item item;
  item.dot = std::move(dot);
  plan.items.push_back(std::move(item));
  return success();
}

} // namespace nereid::cpu
