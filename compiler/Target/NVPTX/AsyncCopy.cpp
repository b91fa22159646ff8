//===- AsyncCopy.cpp - Copies by threads (cp.async) -----------------------===//
//
// PTX ISA, "Non-bulk copy". Each thread copies pieces of 4, 8 or 16 bytes that
// lie together in memory and in the tile. A masked piece reads no byte and
// writes zeros, which is what the instruction does when it is told to read
// fewer bytes than it writes; no branch is needed.
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

/// One piece. `bytes` says how many are read; null: all of them.
void copyPiece(OpBuilder &b, Location loc, Value to, Value from, int64_t size,
               bool throughL1, Value bytes, Value policy, Value pred) {
  // Only pieces of 16 bytes can pass by the first level cache.
  std::string kind = size == 16 && !throughL1 ? "cg" : "ca";
  if (!policy && !pred) {
    std::string name =
        "llvm.nvvm.cp.async." + kind + ".shared.global." + std::to_string(size);
    SmallVector<Value> operands{to, from};
    if (bytes) {
      name += ".s";
      operands.push_back(bytes);
    }
    intrinsic(b, loc, {}, name, operands);
    return;
  }
  SmallVector<Value> operands{to, from};
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
  text += " [$0], [$1], " + std::to_string(size);
  if (bytes)
    text += ", " + add(bytes, "r");
  if (policy)
    text += ", " + add(policy, "l");
  inlineAsm(b, loc, {}, text + ";", constraints, operands);
}

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
  Value whole, nothing;
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
      Value bytes;
      if (mask) {
        if (!whole) {
          whole = e.i32(loc, width * elementBytes);
          nothing = e.i32(loc, 0);
        }
        bytes = arith::SelectOp::create(b, loc, mask, whole, nothing);
      }
      copyPiece(b, loc, to, pointers[r], width * elementBytes,
                cache == tt::CacheModifier::CA, bytes, policy, pred);
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
