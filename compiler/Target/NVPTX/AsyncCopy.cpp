//===- AsyncCopy.cpp - Copies by threads (cp.async) -----------------------===//
//
// PTX ISA, "Non-bulk copy". Each thread copies pieces of 4, 8 or 16 bytes that
// lie together in memory and in the tile. A masked piece reads no byte and
// writes zeros, which the instruction does by a predicate; no branch is needed.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using nereid::gpu::Emitter;
using nereid::gpu::Registers;

namespace nereid::nvptx {
namespace {

/// The policy of the second level cache that an eviction priority stands for;
/// null for the usual one.
Value cachePolicy(OpBuilder &b, Location loc, tt::EvictionPolicy evict) {
  StringRef name;
  switch (evict) {
  case tt::EvictionPolicy::NORMAL:
    return {};
  case tt::EvictionPolicy::EVICT_FIRST:
    name = "evict_first";
    break;
  case tt::EvictionPolicy::EVICT_LAST:
    name = "evict_last";
    break;
  }
  return inlineAsm(
             b, loc, b.getI64Type(),
             ("createpolicy.fractional.L2::" + name + ".b64 $0, 1.0;").str(),
             "=l", {}, AsmEffects::None)
      .front();
}

/// One piece; zeros where `mask` (may be null) is false.
void copyPiece(OpBuilder &b, Location loc, Value to, Value from, int64_t size,
               bool throughL1, Value mask, Value policy, Value pred) {
  // Only pieces of 16 bytes can pass by the first level cache.
  std::string kind = size == 16 && !throughL1 ? "cg" : "ca";
  if (!policy && !pred && !mask) {
    intrinsic(b, loc, {},
              "llvm.nvvm.cp.async." + kind + ".shared.global." +
                  std::to_string(size),
              {to, from});
    return;
  }
  auto [base, offset] = gpu::splitConstantOffset(from);
  SmallVector<Value> operands{to, base};
  std::string constraints = "r,l", text;
  auto add = [&](Value value, StringRef constraint) {
    constraints += ("," + constraint).str();
    operands.push_back(value);
    return "$" + std::to_string(operands.size() - 1);
  };
  if (pred)
    text = "@" + add(pred, "b") + " ";
  text += "cp.async." + kind + ".shared.global";
  if (policy)
    text += ".L2::cache_hint";
  text += " [$0], [$1";
  if (offset)
    text += " + " + std::to_string(offset);
  text += "], " + std::to_string(size);
  // The predicate that ignores the source, not the number of bytes to read:
  // ptxas makes the instruction's predicate of it without computing a number.
  if (mask)
    text += ", !" + add(mask, "b");
  if (policy)
    text += ", " + add(policy, "l");
  inlineAsm(b, loc, {}, text + ";", constraints, operands);
}

//===-- Pointers a constant apart -----------------------------------------===//

/// The integer that every element of `value` is, when it is a constant.
std::optional<int64_t> constantOf(Value value) {
  tt::SplatSource source = tt::getSplatSource(value);
  if (auto integer = dyn_cast_or_null<IntegerAttr>(source.attr))
    return integer.getValue().getSExtValue();
  APInt integer;
  if (matchPattern(source.scalar ? source.scalar : value,
                   m_ConstantInt(&integer)))
    return integer.getSExtValue();
  return std::nullopt;
}

/// By how much integers, or pointers (in elements), grow from one element of
/// the tensor to the next along each dimension, where that is a constant.
/// Arithmetic is taken not to wrap, as for the width of accesses.
using Growth = SmallVector<int64_t, 4>;
std::optional<Growth> growthOf(Value value, unsigned depth = 0) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  if (!type || !op || depth > 24)
    return std::nullopt;
  if (tt::getSplatSource(value))
    return Growth(type.getRank(), 0);
  auto from = [&](unsigned operand) {
    return growthOf(op->getOperand(operand), depth + 1);
  };
  if (isa<tt::MakeRangeOp>(op))
    return Growth{1};
  if (isa<tgpu::ConvertLayoutOp, arith::ExtSIOp, arith::ExtUIOp>(op))
    return from(0);
  if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
    auto growth = from(0);
    if (growth)
      growth->insert(growth->begin() + expand.getAxis(), 0);
    return growth;
  }
  if (isa<tt::BroadcastOp>(op)) {
    auto growth = from(0);
    auto narrow = cast<RankedTensorType>(op->getOperand(0).getType());
    for (int64_t dim = 0; growth && dim < type.getRank(); ++dim)
      if (narrow.getDimSize(dim) == 1)
        (*growth)[dim] = 0;
    return growth;
  }
  if (isa<arith::AddIOp, arith::SubIOp, tt::AddPtrOp>(op)) {
    auto a = from(0), b = a ? from(1) : std::nullopt;
    if (!b)
      return std::nullopt;
    int64_t sign = isa<arith::SubIOp>(op) ? -1 : 1;
    for (auto [x, y] : llvm::zip(*a, *b))
      x += sign * y;
    return a;
  }
  if (isa<arith::MulIOp, arith::ShLIOp>(op)) {
    auto factor = constantOf(op->getOperand(1));
    bool swapped = !factor && isa<arith::MulIOp>(op);
    if (swapped)
      factor = constantOf(op->getOperand(0));
    if (!factor || *factor < 0 || *factor > (int64_t(1) << 31) ||
        (isa<arith::ShLIOp>(op) && *factor > 30))
      return std::nullopt;
    auto growth = from(swapped ? 1 : 0);
    for (int64_t dim = 0; growth && dim < type.getRank(); ++dim)
      (*growth)[dim] *=
          isa<arith::ShLIOp>(op) ? int64_t(1) << *factor : *factor;
    return growth;
  }
  return std::nullopt;
}

/// For each register of `pointers` the bytes by which its pointer differs from
/// register 0's, where that is the same in all threads; else nothing. One
/// address then serves all copies of a thread.
std::optional<SmallVector<int64_t>> distances(Value pointers,
                                              int64_t elementBytes) {
  auto growth = growthOf(pointers);
  if (!growth)
    return std::nullopt;
  const LinearLayout &layout = tgpu::getLayout(pointers.getType()).getLinear();
  SmallVector<int64_t> result(layout.inSize("register"), 0);
  for (auto [dim, out] : llvm::enumerate(layout.outDims())) {
    int32_t threadBits = 0;
    for (StringRef in : {"lane", "warp"})
      for (int32_t bit = 0; bit < layout.inBits(in); ++bit)
        threadBits |= layout.basis(in, bit, out.name);
    for (size_t r = 0; r < result.size(); ++r) {
      int32_t place = 0;
      for (int32_t bit = 0; bit < layout.inBits("register"); ++bit)
        if (r >> bit & 1)
          place ^= layout.basis("register", bit, out.name);
      if (place & threadBits)
        return std::nullopt;
      result[r] += place * (*growth)[dim] * elementBytes;
    }
  }
  return result;
}

//===-- Operations --------------------------------------------------------===//

/// Whether the scalar is the constant true.
bool isTrue(Value value) {
  APInt bit;
  return matchPattern(value, m_ConstantInt(&bit)) && bit.isOne();
}

LogicalResult emitAsyncCopy(Emitter &e, Operation *op) {
  auto copy = cast<tgpu::AsyncCopyOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  auto type = cast<RankedTensorType>(copy.getPtr().getType());
  tgpu::TileType tile = copy.getDst().getType();
  const LinearLayout &layout = tgpu::getLayout(type).getLinear();
  auto places = layout.invertAndCompose(tile.getLinear());
  if (!places)
    return op->emitError() << "copies into a tile that does not hold all "
                              "elements of "
                           << type;
  int64_t elementBytes =
      std::max(8u, tt::getElementBits(tile.getElementType())) / 8;

  // A piece is contiguous in memory, by the attribute, and in the tile.
  int32_t width = gpu::accessWidth(op, layout, unsigned(elementBytes) * 8, 128);
  width = std::min(width, places->contiguousInputs("register", "offset"));
  bool asynchronous = width * elementBytes >= 4 && !copy.getOther();
  e.copiesAhead |= asynchronous;

  auto offsets = e.elements(loc, *places);
  Registers pointers(e.get(copy.getPtr())), masks, others;
  if (copy.getMask())
    masks = Registers(e.get(copy.getMask()));
  if (copy.getOther())
    others = Registers(e.get(copy.getOther()));
  Value start = e.getScalar(copy.getDst());
  Value pred = e.holdsFirstCopy(loc, layout);
  auto evict = tt::EvictionPolicy(copy.getEvict());
  auto cache = tt::CacheModifier(copy.getCache());
  Value policy = cachePolicy(b, loc, evict);
  if (auto apart = distances(copy.getPtr(), elementBytes)) {
    auto [base, first] = gpu::splitConstantOffset(pointers[0]);
    for (auto [r, bytes] : llvm::enumerate(*apart))
      if (int64_t(r) % width == 0 && r > 0)
        pointers[r] = e.offset(loc, base, first + bytes);
  }
  auto flags =
      arith::IntegerOverflowFlags::nsw | arith::IntegerOverflowFlags::nuw;
  for (int64_t r = 0, n = int64_t(pointers.size()); r < n; r += width) {
    Value offset = offsets[r].front();
    if (elementBytes > 1)
      offset = arith::MulIOp::create(b, loc, offset, e.i32(loc, elementBytes),
                                     flags);
    Value to = LLVM::GEPOp::create(b, loc, start.getType(), b.getI8Type(),
                                   start, ValueRange{offset});
    Value mask = masks.empty() || isTrue(masks[r]) ? Value() : masks[r];
    if (asynchronous) {
      copyPiece(b, loc, to, pointers[r], width * elementBytes,
                cache == tt::CacheModifier::CA, mask, policy, pred);
      continue;
    }
    // What the instruction cannot move goes through registers at once.
    Type element = e.scalarType(tile.getElementType());
    gpu::CacheHints hints;
    hints.cache = cache;
    hints.evict = evict;
    SmallVector<Value> instead;
    for (int32_t i = 0; mask && i < width; ++i)
      instead.push_back(others.empty() ? e.zero(loc, element) : others[r + i]);
    SmallVector<Value> values =
        e.hooks.load(b, loc, pointers[r], element, width, mask, instead, hints);
    e.hooks.storeShared(b, loc, to, values, pred);
  }
  return success();
}

LogicalResult emitAsyncCommit(Emitter &e, Operation *op) {
  intrinsic(e.builder, op->getLoc(), {}, "llvm.nvvm.cp.async.commit.group", {});
  return success();
}

LogicalResult emitAsyncWait(Emitter &e, Operation *op) {
  int64_t pending = cast<tgpu::AsyncWaitOp>(op).getPending();
  // Behind a loop other words than in it: LLVM would put what the loop's first
  // block and the block behind it have in common in front of both, and the loop
  // would wait at the wrong place.
  bool last = pending == 0 && op->hasAttr("drain");
  inlineAsm(e.builder, op->getLoc(), {},
            last ? "cp.async.wait_all;"
                 : "cp.async.wait_group " + std::to_string(pending) + ";",
            "", {});
  return success();
}

LogicalResult emitProxyFence(Emitter &e, Operation *op) {
  inlineAsm(e.builder, op->getLoc(), {}, "fence.proxy.async.shared::cta;", "",
            {});
  return success();
}

} // namespace

void addAsyncCopy(gpu::EmitTable &table) {
  table["tgpu.async_copy"] = emitAsyncCopy;
  table["tgpu.async_commit"] = emitAsyncCommit;
  table["tgpu.async_wait"] = emitAsyncWait;
  table["tgpu.proxy_fence"] = emitProxyFence;
}

} // namespace nereid::nvptx
