//===- Access.cpp - Global loads, stores and atomics ----------------------===//
//
// An access without a predicate and without hints is LLVM's own load or store,
// which folds offsets and takes part in its analyses. Everything else is inline
// PTX, because a predicate on the instruction costs no branch.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::nvptx {

//===-- Words -------------------------------------------------------------===//

/// How an access of `count` elements is cut into registers.
struct Words {
  Type type;        ///< an integer
  int count;        ///< registers
  int perWord;      ///< elements in each
  StringRef letter; ///< of the inline assembly's constraint
  std::string ptx;  ///< "v4.b32"
};

static unsigned bitsOf(Type type) {
  return isa<LLVM::LLVMPointerType>(type) ? 64 : type.getIntOrFloatBitWidth();
}

static Words wordsFor(OpBuilder &b, unsigned elementBits, int count) {
  Words words;
  unsigned total = elementBits * count;
  unsigned bits = std::min(total, elementBits == 64 ? 64u : 32u);
  words.count = int(total / bits);
  words.perWord = int(bits / elementBits);
  // A byte stands in a 16-bit register.
  words.type = b.getIntegerType(std::max(16u, bits));
  words.letter = bits <= 16 ? "h" : bits == 32 ? "r" : "l";
  words.ptx = ".b" + std::to_string(bits);
  if (words.count > 1)
    words.ptx = ".v" + std::to_string(words.count) + words.ptx;
  return words;
}

static Value asInteger(OpBuilder &b, Location loc, Value value) {
  Type type = value.getType();
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), value);
  if (type.isInteger())
    return value;
  return LLVM::BitcastOp::create(
      b, loc, b.getIntegerType(type.getIntOrFloatBitWidth()), value);
}

static Value fromInteger(OpBuilder &b, Location loc, Value value, Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::IntToPtrOp::create(b, loc, type, value);
  if (type.isInteger())
    return value;
  return LLVM::BitcastOp::create(b, loc, type, value);
}

/// One value from several: a vector, or the value itself.
static Value gatherValues(OpBuilder &b, Location loc, ValueRange values) {
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

static SmallVector<Value> pack(OpBuilder &b, Location loc, ValueRange values,
                               const Words &words) {
  SmallVector<Value> packed;
  for (int w = 0; w < words.count; ++w) {
    SmallVector<Value> parts;
    for (int i = 0; i < words.perWord; ++i)
      parts.push_back(values[w * words.perWord + i]);
    Value word;
    if (parts.size() == 1) {
      word = asInteger(b, loc, parts.front());
      if (word.getType() != words.type)
        word = LLVM::ZExtOp::create(b, loc, words.type, word);
    } else {
      word = LLVM::BitcastOp::create(b, loc, words.type,
                                     gatherValues(b, loc, parts));
    }
    packed.push_back(word);
  }
  return packed;
}

static SmallVector<Value> unpack(OpBuilder &b, Location loc, ValueRange packed,
                                 const Words &words, Type type) {
  SmallVector<Value> values;
  for (Value word : packed) {
    if (words.perWord == 1) {
      if (bitsOf(type) < bitsOf(words.type))
        word =
            LLVM::TruncOp::create(b, loc, b.getIntegerType(bitsOf(type)), word);
      values.push_back(fromInteger(b, loc, word, type));
      continue;
    }
    Value vector = LLVM::BitcastOp::create(
        b, loc, VectorType::get(words.perWord, type), word);
    for (int i = 0; i < words.perWord; ++i)
      values.push_back(LLVM::ExtractElementOp::create(
          b, loc, vector, constantInt(b, loc, 32, i)));
  }
  return values;
}

/// "{$0, $1}" or "$0".
static std::string registerList(int first, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += (i ? ", $" : "$") + std::to_string(first + i);
  return count == 1 ? text : "{" + text + "}";
}

/// "[$4 + 2048]".
static std::string place(int operand, int64_t offset) {
  std::string text = "[$" + std::to_string(operand);
  if (offset)
    text += " + " + std::to_string(offset);
  return text + "]";
}

//===-- Loads and stores --------------------------------------------------===//

static std::string hintText(const gpu::CacheHints &hints) {
  switch (hints.cache) {
  case tt::CacheModifier::CA:
    return ".ca";
  case tt::CacheModifier::CG:
    return ".cg";
  case tt::CacheModifier::WB:
    return ".wb";
  case tt::CacheModifier::CS:
    return ".cs";
  case tt::CacheModifier::WT:
    return ".wt";
  case tt::CacheModifier::CV:
    return ".cv";
  case tt::CacheModifier::NONE:
    break;
  }
  // PTX takes an operator or a priority, not both.
  switch (hints.evict) {
  case tt::EvictionPolicy::EVICT_FIRST:
    return ".L1::evict_first";
  case tt::EvictionPolicy::EVICT_LAST:
    return ".L1::evict_last";
  case tt::EvictionPolicy::NORMAL:
    break;
  }
  return "";
}

/// Truth values are bytes in memory.
static Type memoryType(OpBuilder &b, Type type) {
  return bitsOf(type) < 8 ? Type(b.getI8Type()) : type;
}

SmallVector<Value> Hooks::load(Builder &b, Loc loc, Value pointer, Type type,
                               int count, Value pred, ValueRange other,
                               const gpu::CacheHints &hints) {
  Type held = memoryType(b, type);
  std::string hint = hintText(hints);
  SmallVector<Value> values;
  if (!pred && hint.empty()) {
    Type whole = count == 1 ? held : Type(VectorType::get(count, held));
    Value loaded = LLVM::LoadOp::create(
        b, loc, whole, pointer, bitsOf(held) / 8 * count, hints.isVolatile);
    if (count == 1)
      values.push_back(loaded);
    else
      for (int i = 0; i < count; ++i)
        values.push_back(LLVM::ExtractElementOp::create(
            b, loc, loaded, constantInt(b, loc, 32, i)));
  } else {
    Words words = wordsFor(b, bitsOf(held), count);
    auto [base, offset] = gpu::splitConstantOffset(pointer);
    SmallVector<Value> operands{base};
    std::string constraints;
    for (int i = 0; i < words.count; ++i)
      constraints += (i ? ",=" : "=") + words.letter.str();
    constraints += ",l";
    std::string text;
    if (pred) {
      text = "@$" + std::to_string(words.count + 1) + " ";
      constraints += ",b";
      operands.push_back(pred);
      // What the lane gives where it does not read: zero unless said.
      SmallVector<Value> widened;
      for (Value value : other)
        widened.push_back(value.getType() == held
                              ? value
                              : LLVM::ZExtOp::create(b, loc, held, value));
      SmallVector<Value> initial;
      if (widened.empty())
        initial.assign(
            words.count,
            constantInt(b, loc, words.type.getIntOrFloatBitWidth(), 0));
      else
        initial = pack(b, loc, widened, words);
      for (int i = 0; i < words.count; ++i)
        constraints += "," + std::to_string(i);
      llvm::append_range(operands, initial);
    }
    text += hints.isVolatile ? "ld.volatile.global" : "ld.global" + hint;
    text += words.ptx + " " + registerList(0, words.count) + ", " +
            place(words.count, offset) + ";";
    SmallVector<Value> loaded =
        inlineAsm(b, loc, SmallVector<Type>(words.count, words.type), text,
                  constraints, operands);
    values = unpack(b, loc, loaded, words, held);
  }
  if (held != type)
    for (Value &value : values)
      value = LLVM::TruncOp::create(b, loc, type, value);
  return values;
}

void Hooks::store(Builder &b, Loc loc, Value pointer, ValueRange values,
                  Value pred, const gpu::CacheHints &hints) {
  Type type = values.front().getType(), held = memoryType(b, type);
  SmallVector<Value> stored(values);
  if (held != type)
    for (Value &value : stored)
      value = LLVM::ZExtOp::create(b, loc, held, value);
  std::string hint = hintText(hints);
  int count = int(stored.size());
  if (!pred && hint.empty()) {
    LLVM::StoreOp::create(b, loc, gatherValues(b, loc, stored), pointer,
                          bitsOf(held) / 8 * count);
    return;
  }
  Words words = wordsFor(b, bitsOf(held), count);
  SmallVector<Value> operands = pack(b, loc, stored, words);
  std::string constraints, text;
  for (int i = 0; i < words.count; ++i)
    constraints += words.letter.str() + ",";
  constraints += "l";
  auto [base, offset] = gpu::splitConstantOffset(pointer);
  operands.push_back(base);
  if (pred) {
    text = "@$" + std::to_string(words.count + 1) + " ";
    constraints += ",b";
    operands.push_back(pred);
  }
  text += "st.global" + hint + words.ptx + " " + place(words.count, offset) +
          ", " + registerList(0, words.count) + ";";
  inlineAsm(b, loc, {}, text, constraints, operands);
}

//===-- Atomics -----------------------------------------------------------===//

static StringRef semText(tt::MemSemantic sem) {
  switch (sem) {
  case tt::MemSemantic::RELAXED:
    return ".relaxed";
  case tt::MemSemantic::ACQUIRE:
    return ".acquire";
  case tt::MemSemantic::RELEASE:
    return ".release";
  case tt::MemSemantic::ACQUIRE_RELEASE:
    return ".acq_rel";
  }
  llvm_unreachable("a memory ordering");
}

static StringRef scopeText(tt::MemSyncScope scope) {
  switch (scope) {
  case tt::MemSyncScope::GPU:
    return ".gpu";
  case tt::MemSyncScope::CTA:
    return ".cta";
  case tt::MemSyncScope::SYSTEM:
    return ".sys";
  }
  llvm_unreachable("a memory scope");
}

/// ".add.noftz.f16" and so on.
static std::string rmwText(tt::RMWOp kind, Type type) {
  std::string bits = std::to_string(bitsOf(type));
  switch (kind) {
  case tt::RMWOp::AND:
    return ".and.b" + bits;
  case tt::RMWOp::OR:
    return ".or.b" + bits;
  case tt::RMWOp::XOR:
    return ".xor.b" + bits;
  case tt::RMWOp::ADD:
    return ".add.u" + bits;
  case tt::RMWOp::FADD:
    return type.isBF16()  ? ".add.noftz.bf16"
           : type.isF16() ? ".add.noftz.f16"
                          : ".add.f" + bits;
  case tt::RMWOp::MAX:
    return ".max.s" + bits;
  case tt::RMWOp::MIN:
    return ".min.s" + bits;
  case tt::RMWOp::UMAX:
    return ".max.u" + bits;
  case tt::RMWOp::UMIN:
    return ".min.u" + bits;
  case tt::RMWOp::XCHG:
    return ".exch.b" + bits;
  }
  llvm_unreachable("an atomic operation");
}

static Value atomic(OpBuilder &b, Location loc, std::string text, Value pointer,
                    ValueRange values, Value pred) {
  Type type = values.front().getType();
  unsigned bits = bitsOf(type);
  Type held = b.getIntegerType(bits);
  std::string letter = bits == 16 ? "h" : bits == 32 ? "r" : "l";
  std::string constraints = "=" + letter + ",l";
  text = "atom" + text + " $0, [$1]";
  SmallVector<Value> operands{pointer};
  for (Value value : values) {
    operands.push_back(asInteger(b, loc, value));
    text += ", $" + std::to_string(operands.size());
    constraints += "," + letter;
  }
  if (pred) {
    operands.push_back(pred);
    constraints += ",b";
    text = "@$" + std::to_string(operands.size()) + " " + text;
  }
  Value old =
      inlineAsm(b, loc, held, text + ";", constraints, operands).front();
  return fromInteger(b, loc, old, type);
}

/// By a loop around a comparison, which LLVM writes: where no instruction
/// combines elements of this type.
static Value emulatedRMW(OpBuilder &b, Location loc, tt::RMWOp kind,
                         Value pointer, Value value, Value pred,
                         tt::MemSemantic sem, tt::MemSyncScope scope) {
  using Kind = LLVM::AtomicBinOp;
  constexpr Kind kinds[] = {Kind::_and, Kind::_or, Kind::_xor, Kind::add,
                            Kind::fadd, Kind::max, Kind::min,  Kind::umax,
                            Kind::umin, Kind::xchg}; // from RMWOp::AND on
  using Ordering = LLVM::AtomicOrdering;
  Ordering ordering = sem == tt::MemSemantic::RELAXED   ? Ordering::monotonic
                      : sem == tt::MemSemantic::ACQUIRE ? Ordering::acquire
                      : sem == tt::MemSemantic::RELEASE ? Ordering::release
                                                        : Ordering::acq_rel;
  StringRef where = scope == tt::MemSyncScope::GPU   ? "device"
                    : scope == tt::MemSyncScope::CTA ? "block"
                                                     : "";
  auto combine = [&]() -> Value {
    return LLVM::AtomicRMWOp::create(b, loc, kinds[int(kind) - 1], pointer,
                                     value, ordering, where);
  };
  if (!pred)
    return combine();
  auto branch = scf::IfOp::create(b, loc, TypeRange{value.getType()}, pred,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, combine());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, value);
  return branch.getResult(0);
}

Value Hooks::atomicRMW(Builder &b, Loc loc, tt::RMWOp kind, Value pointer,
                       Value value, Value pred, tt::MemSemantic sem,
                       tt::MemSyncScope scope) {
  Type type = value.getType();
  bool addsHalves = kind == tt::RMWOp::FADD &&
                    (type.isF16() || (type.isBF16() && capability >= 90));
  if (bitsOf(type) < 32 && !addsHalves)
    return emulatedRMW(b, loc, kind, pointer, value, pred, sem, scope);
  return atomic(b, loc,
                (semText(sem) + scopeText(scope) + ".global").str() +
                    rmwText(kind, value.getType()),
                pointer, value, pred);
}

Value Hooks::atomicCAS(Builder &b, Loc loc, Value pointer, Value compare,
                       Value value, Value pred, tt::MemSemantic sem,
                       tt::MemSyncScope scope) {
  return atomic(b, loc,
                (semText(sem) + scopeText(scope) + ".global.cas.b").str() +
                    std::to_string(bitsOf(value.getType())),
                pointer, {compare, value}, pred);
}

} // namespace nereid::nvptx
