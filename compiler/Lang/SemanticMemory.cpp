//===- SemanticMemory.cpp - Loads, stores and atomics (R7, R8) ------------===//

#include "compiler/Lang/Semantic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringSwitch.h"

namespace nereid::lang {

static std::optional<tt::CacheModifier> loadCache(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<tt::CacheModifier>>(text)
      .Case("", tt::CacheModifier::NONE)
      .Case(".ca", tt::CacheModifier::CA)
      .Case(".cg", tt::CacheModifier::CG)
      .Case(".cs", tt::CacheModifier::CS)
      .Case(".cv", tt::CacheModifier::CV)
      .Default(std::nullopt);
}

static std::optional<tt::CacheModifier> storeCache(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<tt::CacheModifier>>(text)
      .Case("", tt::CacheModifier::NONE)
      .Case(".wb", tt::CacheModifier::WB)
      .Case(".cg", tt::CacheModifier::CG)
      .Case(".cs", tt::CacheModifier::CS)
      .Case(".wt", tt::CacheModifier::WT)
      .Default(std::nullopt);
}

static std::optional<tt::EvictionPolicy> eviction(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<tt::EvictionPolicy>>(text)
      .Case("", tt::EvictionPolicy::NORMAL)
      .Case("evict_last", tt::EvictionPolicy::EVICT_LAST)
      .Case("evict_first", tt::EvictionPolicy::EVICT_FIRST)
      .Default(std::nullopt);
}

static std::optional<tt::MemSemantic> ordering(llvm::StringRef text,
                                               tt::MemSemantic defaultValue) {
  return llvm::StringSwitch<std::optional<tt::MemSemantic>>(text)
      .Case("", defaultValue)
      .Case("acquire", tt::MemSemantic::ACQUIRE)
      .Case("release", tt::MemSemantic::RELEASE)
      .Case("acq_rel", tt::MemSemantic::ACQUIRE_RELEASE)
      .Case("relaxed", tt::MemSemantic::RELAXED)
      .Default(std::nullopt);
}

static std::optional<tt::MemSyncScope> syncScope(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<tt::MemSyncScope>>(text)
      .Case("", tt::MemSyncScope::GPU)
      .Case("gpu", tt::MemSyncScope::GPU)
      .Case("cta", tt::MemSyncScope::CTA)
      .Case("sys", tt::MemSyncScope::SYSTEM)
      .Default(std::nullopt);
}

static const char *const badEviction =
    "'eviction_policy' is \"evict_first\", \"evict_last\" or \"\", found \"";
static const char *const badSem = "'sem' is \"acquire\", \"release\", "
                                  "\"acq_rel\" or \"relaxed\", found \"";
static const char *const badScope =
    "'scope' is \"gpu\", \"cta\" or \"sys\", found \"";

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

Tensor Semantic::load(Tensor pointer, std::optional<Tensor> mask,
                      std::optional<Tensor> other,
                      const AccessOptions &options) {
  if (!pointer || (mask && !*mask) || (other && !*other))
    return Tensor();
  if (!pointer.elem()->isPointer())
    return fail("'tl.load' takes a pointer or a tensor of pointers, found " +
                pointer.str());
  auto cache = loadCache(options.cacheModifier);
  if (!cache)
    return fail("'cache_modifier' of a load is \".ca\", \".cg\", \".cs\", "
                "\".cv\" or \"\", found \"" +
                options.cacheModifier + "\"");
  auto evict = eviction(options.evictionPolicy);
  if (!evict)
    return fail(badEviction + options.evictionPolicy + "\"");
  if (other && !mask)
    return fail("'other' is for lanes that the mask turns off; give 'mask' "
                "too, or drop 'other'");
  if (mask && !mask->elem()->isBool())
    return fail("'mask' takes i1, found " + mask->str() +
                "; compare it with a value, as in 'mask != 0'");
  if (!pointer.isBlock()) {
    if (mask && mask->isBlock())
      return fail("a scalar pointer takes a scalar mask, found " + mask->str());
    if (other && other->isBlock())
      return fail("a scalar pointer takes a scalar 'other', found " +
                  other->str());
  } else {
    if (mask && !broadcast(pointer, *mask))
      return Tensor();
    if (other && !broadcast(pointer, *other))
      return Tensor();
    // `other` may have widened the pointer further.
    if (mask && !broadcast(pointer, *mask))
      return Tensor();
  }

  const Type *element = pointer.elem()->getElement();
  bool isBool = element->isBool();
  if (isBool) {
    element = scalar(ScalarId::Int8);
    pointer = cast(
        pointer, types.getPointer(element, pointer.elem()->getAddressSpace()));
  }
  if (other) {
    other = cast(*other, element);
    if (!*other)
      return Tensor();
  }
  const Type *type = like(pointer, element);
  auto op = tt::LoadOp::create(builder, loc, pointer.handle,
                               mask ? mask->handle : mlir::Value(),
                               other ? other->handle : mlir::Value(), *cache,
                               *evict, options.isVolatile);
  Tensor result(op.getResult(), type);
  return isBool ? cast(result, ScalarId::Int1) : result;
}

bool Semantic::broadcastToPointer(Tensor &pointer, Tensor &value,
                                  std::optional<Tensor> &mask,
                                  llvm::StringRef op) {
  llvm::SmallVector<int64_t, 4> shape(pointer.shape());
  Tensor widened = pointer;
  if (!broadcast(widened, value))
    return false;
  if (mask) {
    if (!broadcast(widened, *mask) || !broadcast(widened, value))
      return false;
  }
  if (widened.shape() != llvm::ArrayRef<int64_t>(shape))
    return failBool(
        "the pointer of 'tl." + op + "' must have the full shape [" +
        shapeText(widened.shape()) + "], found [" + shapeText(shape) +
        "]; only the value and the mask are broadcast");
  return true;
}

Tensor Semantic::store(Tensor pointer, Tensor value, std::optional<Tensor> mask,
                       const AccessOptions &options) {
  if (!pointer || !value || (mask && !*mask))
    return Tensor();
  if (!pointer.elem()->isPointer())
    return fail("'tl.store' takes a pointer or a tensor of pointers, found " +
                pointer.str());
  if (pointer.elem()->isConstPointer())
    return fail("cannot store through a pointer to const, found " +
                pointer.str());
  if (value.isVoid())
    return fail("'tl.store' takes a value, but the call gives none");
  auto cache = storeCache(options.cacheModifier);
  if (!cache)
    return fail("'cache_modifier' of a store is \".wb\", \".cg\", \".cs\", "
                "\".wt\" or \"\", found \"" +
                options.cacheModifier + "\"");
  auto evict = eviction(options.evictionPolicy);
  if (!evict)
    return fail(badEviction + options.evictionPolicy + "\"");
  if (mask && !mask->elem()->isBool())
    return fail("'mask' takes i1, found " + mask->str() +
                "; compare it with a value, as in 'mask != 0'");
  if (!pointer.isBlock()) {
    if (value.isBlock())
      return fail("a scalar pointer takes a scalar value, found " +
                  value.str());
    if (mask && mask->isBlock())
      return fail("a scalar pointer takes a scalar mask, found " + mask->str());
  } else if (!broadcastToPointer(pointer, value, mask, "store")) {
    return Tensor();
  }

  const Type *element = pointer.elem()->getElement();
  value = cast(value, element);
  if (!value)
    return value;
  if (element->isBool()) {
    element = scalar(ScalarId::Int8);
    pointer = cast(
        pointer, types.getPointer(element, pointer.elem()->getAddressSpace()));
    value = cast(value, element);
  }
  tt::StoreOp::create(builder, loc, pointer.handle, value.handle,
                      mask ? mask->handle : mlir::Value(), *cache, *evict);
  return nothing();
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

static llvm::StringRef nameOf(AtomicKind kind) {
  static constexpr llvm::StringLiteral names[] = {"add", "max", "min", "and",
                                                  "or",  "xor", "xchg"};
  return names[static_cast<unsigned>(kind)];
}

bool Semantic::prepareAtomic(Tensor &pointer, Tensor &value,
                             std::optional<Tensor> mask, Tensor &outMask,
                             llvm::StringRef op) {
  if (!pointer || !value || (mask && !*mask))
    return false;
  if (!pointer.elem()->isPointer())
    return failBool("'tl." + op +
                    "' takes a pointer or a tensor of pointers, found " +
                    pointer.str());
  if (pointer.elem()->isConstPointer())
    return failBool("'tl." + op +
                    "' writes, found a pointer to const: " + pointer.str());
  const Type *element = pointer.elem()->getElement();
  bool isHalf =
      element->is(ScalarId::Float16) || element->is(ScalarId::BFloat16);
  if (isHalf && op != "atomic_add")
    return failBool("'tl." + op + "' does not support " + element->signature() +
                    "; of the 16-bit types only fp16 and bf16 are supported, "
                    "by 'tl.atomic_add'");
  if (!isHalf && element->getBits() <= 16)
    return failBool("'tl." + op + "' takes elements of 32 or 64 bits, found " +
                    element->signature());
  if (mask && !mask->elem()->isBool())
    return failBool("'mask' takes i1, found " + mask->str());
  if (!pointer.isBlock()) {
    if (value.isBlock())
      return failBool("a scalar pointer takes a scalar value, found " +
                      value.str());
    if (mask && mask->isBlock())
      return failBool("a scalar pointer takes a scalar mask, found " +
                      mask->str());
  } else if (!broadcastToPointer(pointer, value, mask, op)) {
    return false;
  }
  value = cast(value, element);
  if (!value)
    return false;
  outMask = mask ? *mask
                 : splat(constant(Number::ofBool(true), ScalarId::Int1),
                         pointer.shape());
  return true;
}

Tensor Semantic::emitRMW(tt::RMWOp op, Tensor pointer, Tensor value,
                         Tensor mask, llvm::StringRef sem,
                         llvm::StringRef scope) {
  auto semValue = ordering(sem, tt::MemSemantic::ACQUIRE_RELEASE);
  if (!semValue)
    return fail(badSem + sem + "\"");
  auto scopeValue = syncScope(scope);
  if (!scopeValue)
    return fail(badScope + scope + "\"");
  return {tt::AtomicRMWOp::create(builder, loc, op, pointer.handle,
                                  value.handle, mask.handle, *semValue,
                                  *scopeValue),
          value.type};
}

/// Floats compare like signed integers when positive, and like unsigned ones
/// in reverse when negative; so each lane takes one of two integer atomics.
Tensor Semantic::atomicFloatMinMax(bool isMax, Tensor pointer, Tensor value,
                                   Tensor mask, llvm::StringRef sem,
                                   llvm::StringRef scope) {
  bool isDouble = value.elem()->is(ScalarId::Float64);
  const Type *signedType = scalar(isDouble ? ScalarId::Int64 : ScalarId::Int32);
  const Type *unsignedType =
      scalar(isDouble ? ScalarId::UInt64 : ScalarId::UInt32);
  Tensor signedValue = bitcast(value, signedType);
  Tensor signedPointer = bitcast(pointer, types.getPointer(signedType));
  Tensor unsignedValue = bitcast(value, unsignedType);
  Tensor unsignedPointer = bitcast(pointer, types.getPointer(unsignedType));
  Tensor sign =
      bitwise(Bitwise::Shr, unsignedValue, Number::ofInt(isDouble ? 63 : 31));
  Tensor negative = cast(sign, ScalarId::Int1);
  Tensor positive = logicalNot(negative);
  Tensor fromPositive =
      emitRMW(isMax ? tt::RMWOp::MAX : tt::RMWOp::MIN, signedPointer,
              signedValue, bitwise(Bitwise::And, mask, positive), sem, scope);
  Tensor fromNegative =
      emitRMW(isMax ? tt::RMWOp::UMIN : tt::RMWOp::UMAX, unsignedPointer,
              unsignedValue, bitwise(Bitwise::And, mask, negative), sem, scope);
  if (!fromPositive || !fromNegative)
    return Tensor();
  // Both sides are of one IR type; only the signedness differs.
  fromNegative.type = fromPositive.type;
  return bitcast(where(positive, fromPositive, fromNegative), value.elem());
}

Tensor Semantic::atomicRMW(AtomicKind kind, Tensor pointer, Tensor value,
                           std::optional<Tensor> mask, llvm::StringRef sem,
                           llvm::StringRef scope) {
  std::string name = ("atomic_" + nameOf(kind)).str();
  Tensor fullMask;
  if (!prepareAtomic(pointer, value, mask, fullMask, name))
    return Tensor();
  const Type *element = value.elem();
  bool isMax = kind == AtomicKind::Max;
  switch (kind) {
  case AtomicKind::Add:
    if (!element->isFloat() && !element->isInteger())
      break;
    return emitRMW(element->isFloat() ? tt::RMWOp::FADD : tt::RMWOp::ADD,
                   pointer, value, fullMask, sem, scope);
  case AtomicKind::Max:
  case AtomicKind::Min:
    if (element->isSigned())
      return emitRMW(isMax ? tt::RMWOp::MAX : tt::RMWOp::MIN, pointer, value,
                     fullMask, sem, scope);
    if (element->isUnsigned())
      return emitRMW(isMax ? tt::RMWOp::UMAX : tt::RMWOp::UMIN, pointer, value,
                     fullMask, sem, scope);
    if (!element->isFloat())
      break;
    return atomicFloatMinMax(isMax, pointer, value, fullMask, sem, scope);
  case AtomicKind::And:
  case AtomicKind::Or:
  case AtomicKind::Xor:
    if (!element->isInteger())
      break;
    return emitRMW(kind == AtomicKind::And  ? tt::RMWOp::AND
                   : kind == AtomicKind::Or ? tt::RMWOp::OR
                                            : tt::RMWOp::XOR,
                   pointer, value, fullMask, sem, scope);
  case AtomicKind::Xchg:
    return emitRMW(tt::RMWOp::XCHG, pointer, value, fullMask, sem, scope);
  }
  return fail("'tl." + name + "' does not support " + element->signature());
}

Tensor Semantic::atomicCAS(Tensor pointer, Tensor compare, Tensor value,
                           llvm::StringRef sem, llvm::StringRef scope) {
  if (!pointer || !compare || !value)
    return Tensor();
  if (!pointer.elem()->isPointer())
    return fail("'tl.atomic_cas' takes a pointer or a tensor of pointers, "
                "found " +
                pointer.str());
  if (pointer.elem()->isConstPointer())
    return fail("'tl.atomic_cas' writes, found a pointer to const: " +
                pointer.str());
  const Type *element = pointer.elem()->getElement();
  unsigned bits = element->getBits();
  if (bits != 16 && bits != 32 && bits != 64)
    return fail("'tl.atomic_cas' takes elements of 16, 32 or 64 bits, found " +
                element->signature());
  compare = cast(compare, element);
  value = cast(value, element);
  if (!compare || !value)
    return Tensor();
  std::optional<Tensor> none;
  if (pointer.isBlock()) {
    if (!broadcastToPointer(pointer, compare, none, "atomic_cas") ||
        !broadcastToPointer(pointer, value, none, "atomic_cas"))
      return Tensor();
  } else if (compare.isBlock() || value.isBlock()) {
    return fail("a scalar pointer takes scalar values, found " + compare.str() +
                " and " + value.str());
  }
  auto semValue = ordering(sem, tt::MemSemantic::ACQUIRE_RELEASE);
  if (!semValue)
    return fail(badSem + sem + "\"");
  auto scopeValue = syncScope(scope);
  if (!scopeValue)
    return fail(badScope + scope + "\"");
  return {tt::AtomicCASOp::create(builder, loc, pointer.handle, compare.handle,
                                  value.handle, *semValue, *scopeValue),
          value.type};
}

Tensor Semantic::atomicPoll(Tensor pointer, Tensor expected,
                            llvm::StringRef sem, llvm::StringRef scope,
                            std::optional<Tensor> timeout) {
  if (!pointer || !expected || (timeout && !*timeout))
    return Tensor();
  const Type *element =
      pointer.elem()->isPointer() ? pointer.elem()->getElement() : nullptr;
  if (!element || pointer.isBlock() || !element->isInteger() ||
      element->getBits() < 16)
    return fail("'tl.atomic_poll' takes a scalar pointer to an integer of 16, "
                "32 or 64 bits, found " +
                pointer.str());
  if (expected.isBlock())
    return fail("'tl.atomic_poll' takes a scalar value to wait for, found " +
                expected.str());
  expected = cast(expected, element);
  if (!expected)
    return expected;
  auto semValue = ordering(sem, tt::MemSemantic::ACQUIRE);
  if (!semValue || (*semValue != tt::MemSemantic::ACQUIRE &&
                    *semValue != tt::MemSemantic::RELAXED))
    return fail("'sem' of 'tl.atomic_poll' is \"acquire\" or \"relaxed\", "
                "found \"" +
                sem + "\"");
  auto scopeValue = syncScope(scope);
  if (!scopeValue)
    return fail(badScope + scope + "\"");
  mlir::Value timeoutValue;
  if (timeout) {
    if (timeout->isBlock() || !timeout->elem()->isInteger())
      return fail("'timeout_ns' is a scalar integer, found " + timeout->str());
    Tensor wide = cast(*timeout, ScalarId::UInt64);
    if (!wide)
      return wide;
    timeoutValue = wide.handle;
  }
  return {tt::AtomicPollOp::create(builder, loc, pointer.handle,
                                   expected.handle, timeoutValue, *semValue,
                                   *scopeValue),
          scalar(ScalarId::Int1)};
}

} // namespace nereid::lang
