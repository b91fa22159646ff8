//===- LoopDot.cpp - Dots that a loop sums up -----------------------------===//

#include "compiler/Target/CPU/LoopDot.h"

#include "compiler/Target/CPU/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::cpu {

// Rows of B that are multiplied at once: the panel stays in the first-level
// cache, and the accumulator is touched once per so many products.
constexpr int64_t kMergedRows = 256;
// Bytes of packed panels that are kept per dot.
constexpr int64_t kKeptBytes = 2 << 20;
// More values than this are not worth comparing.
constexpr size_t kMostKeys = 6;

// The scalars that decide the contents of a tile; false when it depends on more
// than arguments, such scalars, and memory that the kernel never writes.
static bool findKeys(Kernel &kernel, Value root, llvm::SetVector<Value> &keys) {
  SmallVector<Value> work{root};
  llvm::SetVector<Value> seen;
  while (!work.empty()) {
    Value v = work.pop_back_val();
    if (!seen.insert(v))
      continue;
    Operation *op = v.getDefiningOp();
    if (!isTensor(v)) {
      if (op && matchPattern(op, m_Constant()))
        continue;
      auto arg = dyn_cast<BlockArgument>(v);
      if (arg && isa<tt::FuncOp>(arg.getOwner()->getParentOp()) &&
          arg.getOwner()->isEntryBlock())
        continue;
      if (!isa<IntegerType, FloatType, tt::PointerType>(v.getType()))
        return false;
      keys.insert(v);
      continue;
    }
    if (!op || !isInline(kernel, op) || isa<tt::GatherOp>(op))
      return false;
    if (auto load = dyn_cast<tt::LoadOp>(op))
      if (kernel.writesTo(load.getPtr()))
        return false;
    work.append(op->operand_begin(), op->operand_end());
  }
  return keys.size() <= kMostKeys;
}

static bool definedIn(Value v, Block *block) {
  return v.getParentBlock() == block;
}

SmallVector<LoopDot *> Kernel::prepareLoopDots(scf::ForOp loop) {
  SmallVector<LoopDot *> found;
  Block *body = loop.getBody();
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  for (auto dot : body->getOps<tt::DotOp>()) {
    auto type = cast<RankedTensorType>(dot.getType());
    if (type.getRank() != 2)
      continue;
    DotLayout layout = dotLayout(dot, target);
    // What the loop does not change has been packed before it.
    if (!definedIn(dot.getB(), body))
      continue;
    auto state = std::make_unique<LoopDot>();
    state->op = dot;
    state->shape = layout.shape;
    int64_t k = layout.shape.k;
    int64_t elementBytes = ops.bytes(layout.b.stored);

    // acc = dot(a, b, acc), and nothing else looks at acc.
    auto acc = dyn_cast<BlockArgument>(dot.getC());
    bool sums = acc && acc.getOwner() == body && acc.getArgNumber() > 0 &&
                acc.hasOneUse() && dot.getD().hasOneUse() &&
                yield.getOperand(acc.getArgNumber() - 1) == dot.getD() &&
                type.getElementType() == layout.shape.cType &&
                definedIn(dot.getA(), body) && k % layout.panels.group == 0 &&
                layout.panels.paddedK == k;
    if (sums && k < kMergedRows) {
      // A deeper dot may be worth another instruction, and so another layout;
      // the operands' buffers have the shallow one's.
      DotShape merged = layout.shape;
      merged.k = kMergedRows;
      PanelLayout panels = panelLayout(merged, target);
      if (panels.element == layout.panels.element &&
          panels.aElement == layout.panels.aElement &&
          panels.group == layout.panels.group)
        state->merge = kMergedRows / k;
    }

    llvm::SetVector<Value> keys;
    int64_t slotBytes = layout.panels.paddedK * layout.shape.n * elementBytes;
    if (!atomics && slotBytes <= kKeptBytes / 2 &&
        findKeys(*this, dot.getB(), keys)) {
      state->keeps = true;
      state->keys = keys.takeVector();
      state->slots = llvm::bit_floor(uint64_t(kKeptBytes / slotBytes));
      // Not more than there are iterations, where that is known.
      auto lower = constantInt(scalar(loop.getLowerBound())),
           upper = constantInt(scalar(loop.getUpperBound())),
           step = constantInt(scalar(loop.getStep()));
      if (lower && upper && step && *step > 0 && *upper > *lower)
        state->slots = std::min<int64_t>(
            state->slots,
            llvm::PowerOf2Ceil((*upper - *lower + *step - 1) / *step));
    }
    state->slots = std::max(state->slots, state->merge);
    if (state->merge == 1 && !state->keeps)
      continue;

    // Merged rows lie behind one another in every panel; otherwise each slot
    // has panels of its own.
    Location loc = dot.getLoc();
    if (state->merge > 1)
      state->shape.k = k * state->slots;
    state->panels = panelLayout(state->shape, target);
    auto bType = cast<RankedTensorType>(dot.getB().getType());
    state->b = newBuffer(loc, {slotBytes * state->slots}, b.getI8Type());
    auto view = [&](Buffer *of, RankedTensorType tile, Type stored) {
      auto v = std::make_unique<Buffer>();
      v->shape.assign(tile.getShape().begin(), tile.getShape().end());
      v->element = tile.getElementType();
      v->stored = stored;
      v->parent = of;
      views.push_back(std::move(v));
      return views.back().get();
    };
    state->bView = view(state->b, bType, layout.b.stored);
    state->bView->panel = state->panels.width;
    state->bView->group = state->panels.group;
    state->bView->paddedK = state->panels.paddedK;
    if (state->merge > 1) {
      auto aType = cast<RankedTensorType>(dot.getA().getType());
      int64_t m = layout.shape.m;
      state->a = newBuffer(loc, {m * k * state->merge + 64},
                           aType.getElementType(), layout.a.stored);
      state->aView = view(state->a, aType, layout.a.stored);
      state->aView->strides = {k * state->merge, 1};
    }
    if (state->keeps) {
      state->tags = newBuffer(
          loc, {int64_t(state->slots * state->keys.size() + state->slots)},
          b.getI64Type());
      for (Buffer *buffer : {state->tags, state->b})
        buffer->first = 1, buffer->last = ~0u;
      clearedAtEntry.push_back(state->tags);
    }
    loopDots[dot] = std::move(state);
    found.push_back(loopDots[dot].get());
  }
  return found;
}

// At the top of the body: `count` is the iteration's number.
void Kernel::enterLoopDot(LoopDot &dot, Value count, Value last) {
  Location loc = dot.op.getLoc();
  auto band = [&](Value v, int64_t mask) -> Value {
    return arith::AndIOp::create(b, loc, v, constI64(mask));
  };
  auto mul = [&](Value v, int64_t c) -> Value {
    return arith::MulIOp::create(b, loc, v, constI64(c));
  };
  auto add = [&](Value x, Value y) -> Value {
    return arith::AddIOp::create(b, loc, x, y);
  };
  auto at = [&](Value base, Value offset) -> Value {
    return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{offset});
  };
  // Past the last slot, the last group of slots serves again and again.
  Value inGroup = band(count, dot.merge - 1);
  Value inRange = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        count, constI64(dot.slots));
  dot.slot = arith::SelectOp::create(
      b, loc, inRange, count, add(inGroup, constI64(dot.slots - dot.merge)));
  int64_t k = cast<RankedTensorType>(dot.op.getA().getType()).getDimSize(1);
  int64_t size = ops.bytes(dot.panels.element);
  int64_t rowBytes = dot.panels.width * size;
  if (dot.merge > 1) {
    dot.bView->base = at(dot.b->base, mul(dot.slot, k * rowBytes));
    Value start = arith::SubIOp::create(b, loc, dot.slot, inGroup);
    dot.bStart = at(dot.b->base, mul(start, k * rowBytes));
    dot.aView->base =
        at(dot.a->base, mul(inGroup, k * ops.bytes(dot.a->stored)));
    Value full = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                       inGroup, constI64(dot.merge - 1));
    dot.flush = arith::OrIOp::create(b, loc, full, last);
    dot.kCount = mul(add(inGroup, constI64(1)), k);
  } else {
    dot.bView->base = dot.bStart =
        at(dot.b->base, mul(dot.slot, dot.panels.paddedK * dot.shape.n * size));
  }
}

// i1: the slot does not hold this panel. Notes that it will.
Value Kernel::claimSlot(LoopDot &dot) {
  Location loc = dot.op.getLoc();
  Type i64 = b.getI64Type();
  int64_t n = dot.keys.size();
  Value row = arith::MulIOp::create(b, loc, dot.slot, constI64(8 * (n + 1)));
  Value base =
      LLVM::GEPOp::create(b, loc, dot.tags->base.getType(), b.getI8Type(),
                          dot.tags->base, ArrayRef<LLVM::GEPArg>{row});
  auto place = [&](int64_t i) -> Value {
    return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{int32_t(8 * i)});
  };
  // The first word says that the others were written in this launch.
  SmallVector<Value> values{constI64(1)};
  for (Value key : dot.keys) {
    Value v = scalar(key);
    if (isa<LLVM::LLVMPointerType>(v.getType()))
      v = LLVM::PtrToIntOp::create(b, loc, i64, v);
    if (isa<FloatType>(v.getType()))
      v = arith::BitcastOp::create(
          b, loc, b.getIntegerType(v.getType().getIntOrFloatBitWidth()), v);
    if (v.getType() != i64)
      v = arith::ExtUIOp::create(b, loc, i64, v);
    values.push_back(v);
  }
  Value differs;
  for (auto [i, v] : llvm::enumerate(values)) {
    Value old = LLVM::LoadOp::create(b, loc, i64, place(i), 8);
    Value d = arith::XOrIOp::create(b, loc, old, v);
    differs =
        differs ? arith::OrIOp::create(b, loc, differs, d).getResult() : d;
  }
  for (auto [i, v] : llvm::enumerate(values))
    LLVM::StoreOp::create(b, loc, v, place(i), 8);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, differs,
                               constI64(0));
}

} // namespace nereid::cpu
