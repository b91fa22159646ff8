//===- Access.cpp - Global loads, stores and atomics ----------------------===//
//
// A predicate is a branch: the wave's mask of active lanes changes for one
// instruction, and the branch is not taken where all lanes agree.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/AMDGPU/Hooks.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::amdgpu {
namespace {

unsigned bitsOf(Type type) {
  return isa<LLVM::LLVMPointerType>(type) ? 64 : type.getIntOrFloatBitWidth();
}

/// Truth values are bytes in memory.
Type memoryType(OpBuilder &b, Type type) {
  return bitsOf(type) < 8 ? Type(b.getI8Type()) : type;
}

Value gather(OpBuilder &b, Location loc, ValueRange values) {
  if (values.size() == 1)
    return values.front();
  Value whole = LLVM::UndefOp::create(
      b, loc,
      VectorType::get(int64_t(values.size()), values.front().getType()));
  for (auto [i, value] : llvm::enumerate(values))
    whole = LLVM::InsertElementOp::create(b, loc, whole, value,
                                          constantInt(b, loc, 32, int64_t(i)));
  return whole;
}

/// `make`'s value where `pred` is true, `otherwise`'s elsewhere; no branch
/// without a predicate.
Value where(OpBuilder &b, Location loc, Value pred, Type type,
            llvm::function_ref<Value()> make,
            llvm::function_ref<Value()> otherwise) {
  if (!pred)
    return make();
  auto branch = scf::IfOp::create(b, loc, TypeRange{type}, pred, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, make());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise());
  return branch.getResult(0);
}

/// Data that will not be used again, or that must come from memory.
bool isStreamed(const gpu::CacheHints &hints) {
  return hints.evict == tt::EvictionPolicy::EVICT_FIRST ||
         hints.cache == tt::CacheModifier::CS;
}
bool isVolatile(const gpu::CacheHints &hints) {
  return hints.isVolatile || hints.cache == tt::CacheModifier::CV ||
         hints.cache == tt::CacheModifier::WT;
}

StringRef scopeName(tt::MemSyncScope scope) {
  switch (scope) {
  case tt::MemSyncScope::GPU:
    return "agent";
  case tt::MemSyncScope::CTA:
    return "workgroup";
  case tt::MemSyncScope::SYSTEM:
    return "";
  }
  llvm_unreachable("a memory scope");
}

LLVM::AtomicOrdering orderingOf(tt::MemSemantic sem) {
  switch (sem) {
  case tt::MemSemantic::RELAXED:
    return LLVM::AtomicOrdering::monotonic;
  case tt::MemSemantic::ACQUIRE:
    return LLVM::AtomicOrdering::acquire;
  case tt::MemSemantic::RELEASE:
    return LLVM::AtomicOrdering::release;
  case tt::MemSemantic::ACQUIRE_RELEASE:
    return LLVM::AtomicOrdering::acq_rel;
  }
  llvm_unreachable("a memory ordering");
}

LLVM::AtomicBinOp operationOf(tt::RMWOp kind) {
  switch (kind) {
  case tt::RMWOp::AND:
    return LLVM::AtomicBinOp::_and;
  case tt::RMWOp::OR:
    return LLVM::AtomicBinOp::_or;
  case tt::RMWOp::XOR:
    return LLVM::AtomicBinOp::_xor;
  case tt::RMWOp::ADD:
    return LLVM::AtomicBinOp::add;
  case tt::RMWOp::FADD:
    return LLVM::AtomicBinOp::fadd;
  case tt::RMWOp::MAX:
    return LLVM::AtomicBinOp::max;
  case tt::RMWOp::MIN:
    return LLVM::AtomicBinOp::min;
  case tt::RMWOp::UMAX:
    return LLVM::AtomicBinOp::umax;
  case tt::RMWOp::UMIN:
    return LLVM::AtomicBinOp::umin;
  case tt::RMWOp::XCHG:
    return LLVM::AtomicBinOp::xchg;
  }
  llvm_unreachable("an atomic operation");
}

} // namespace

SmallVector<Value> Hooks::load(Builder &b, Loc loc, Value pointer, Type type,
                               int count, Value pred, ValueRange other,
                               const gpu::CacheHints &hints) {
  Type held = memoryType(b, type);
  Type whole = count == 1 ? held : Type(VectorType::get(count, held));
  Value loaded = where(
      b, loc, pred, whole,
      [&]() -> Value {
        return LLVM::LoadOp::create(b, loc, whole, pointer,
                                    bitsOf(held) / 8 * count, isVolatile(hints),
                                    isStreamed(hints));
      },
      [&]() -> Value {
        if (other.empty())
          return LLVM::ZeroOp::create(b, loc, whole);
        SmallVector<Value> widened;
        for (Value value : other)
          widened.push_back(value.getType() == held
                                ? value
                                : LLVM::ZExtOp::create(b, loc, held, value));
        return gather(b, loc, widened);
      });
  SmallVector<Value> values;
  for (int i = 0; i < count; ++i) {
    Value value = loaded;
    if (count > 1)
      value = LLVM::ExtractElementOp::create(b, loc, loaded,
                                             constantInt(b, loc, 32, i));
    if (held != type)
      value = LLVM::TruncOp::create(b, loc, type, value);
    values.push_back(value);
  }
  return values;
}

void Hooks::store(Builder &b, Loc loc, Value pointer, ValueRange values,
                  Value pred, const gpu::CacheHints &hints) {
  Type type = values.front().getType(), held = memoryType(b, type);
  SmallVector<Value> stored(values);
  if (held != type)
    for (Value &value : stored)
      value = LLVM::ZExtOp::create(b, loc, held, value);
  OpBuilder::InsertionGuard guard(b);
  if (pred) {
    auto branch = scf::IfOp::create(b, loc, pred, /*withElseRegion=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
  }
  LLVM::StoreOp::create(b, loc, gather(b, loc, stored), pointer,
                        bitsOf(held) / 8 * unsigned(stored.size()),
                        isVolatile(hints), isStreamed(hints));
}

Value Hooks::atomicRMW(Builder &b, Loc loc, tt::RMWOp kind, Value pointer,
                       Value value, Value pred, tt::MemSemantic sem,
                       tt::MemSyncScope scope) {
  Type type = value.getType();
  return where(
      b, loc, pred, type,
      [&]() -> Value {
        return LLVM::AtomicRMWOp::create(b, loc, operationOf(kind), pointer,
                                         value, orderingOf(sem),
                                         scopeName(scope), bitsOf(type) / 8);
      },
      [&]() -> Value { return LLVM::ZeroOp::create(b, loc, type); });
}

Value Hooks::atomicCAS(Builder &b, Loc loc, Value pointer, Value compare,
                       Value value, Value pred, tt::MemSemantic sem,
                       tt::MemSyncScope scope) {
  Type type = value.getType();
  Type bits = b.getIntegerType(bitsOf(type));
  auto toBits = [&](Value v) -> Value {
    if (isa<LLVM::LLVMPointerType>(type))
      return LLVM::PtrToIntOp::create(b, loc, bits, v);
    return type == bits ? v : LLVM::BitcastOp::create(b, loc, bits, v);
  };
  compare = toBits(compare);
  value = toBits(value);
  // A failed exchange writes nothing, so it releases nothing.
  LLVM::AtomicOrdering onFailure =
      sem == tt::MemSemantic::RELAXED || sem == tt::MemSemantic::RELEASE
          ? LLVM::AtomicOrdering::monotonic
          : LLVM::AtomicOrdering::acquire;
  Value old = where(
      b, loc, pred, bits,
      [&]() -> Value {
        Value both = LLVM::AtomicCmpXchgOp::create(
            b, loc, pointer, compare, value, orderingOf(sem), onFailure,
            scopeName(scope), bitsOf(type) / 8);
        return LLVM::ExtractValueOp::create(b, loc, both, 0);
      },
      [&]() -> Value { return LLVM::ZeroOp::create(b, loc, bits); });
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::IntToPtrOp::create(b, loc, type, old);
  return type == bits ? old : LLVM::BitcastOp::create(b, loc, type, old);
}

} // namespace nereid::amdgpu
