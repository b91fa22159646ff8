//===- Moves.cpp - Writing the code of plans ------------------------------===//

#include "compiler/Target/GPU/Moves.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <map>

using namespace mlir;

namespace nereid::gpu {

//===-- Scalars -----------------------------------------------------------===//

unsigned bytesInShared(Type scalar) {
  if (isa<LLVM::LLVMPointerType>(scalar))
    return 8;
  return std::max(1u, scalar.getIntOrFloatBitWidth() / 8);
}

unsigned elementBytesInShared(Type type) {
  Type element = tt::getElementType(type);
  return isa<tt::PointerType>(element) ? 8 : bytesInShared(element);
}

Value toStorage(Emitter &e, Location loc, Value value) {
  OpBuilder &b = e.builder;
  Type type = value.getType();
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), value);
  if (type.getIntOrFloatBitWidth() < 8)
    return arith::ExtUIOp::create(b, loc, b.getI8Type(), value);
  return value;
}

Value fromStorage(Emitter &e, Location loc, Value value, Type scalar) {
  OpBuilder &b = e.builder;
  if (value.getType() == scalar)
    return value;
  if (isa<LLVM::LLVMPointerType>(scalar))
    return LLVM::IntToPtrOp::create(b, loc, scalar, value);
  return arith::TruncIOp::create(b, loc, scalar, value);
}

static Value at(Emitter &e, Location loc, Value vector, unsigned i) {
  return LLVM::ExtractElementOp::create(e.builder, loc, vector, e.i32(loc, i));
}

Value packWord(Emitter &e, Location loc, ValueRange scalars) {
  OpBuilder &b = e.builder;
  Type i32 = b.getI32Type(), type = scalars.front().getType();
  const unsigned bits = type.getIntOrFloatBitWidth();
  if (bits == 32)
    return type == i32 ? scalars.front()
                       : LLVM::BitcastOp::create(b, loc, i32, scalars.front())
                             .getResult();
  if (scalars.size() == 1) {
    Type integer = b.getIntegerType(bits);
    Value value = scalars.front();
    if (type != integer)
      value = LLVM::BitcastOp::create(b, loc, integer, value);
    return arith::ExtUIOp::create(b, loc, i32, value);
  }
  Value vector =
      LLVM::UndefOp::create(b, loc, VectorType::get(32 / bits, type));
  for (auto [i, scalar] : llvm::enumerate(scalars))
    vector = LLVM::InsertElementOp::create(b, loc, vector, scalar,
                                           e.i32(loc, int64_t(i)));
  return LLVM::BitcastOp::create(b, loc, i32, vector);
}

Registers unpackWord(Emitter &e, Location loc, Value word, Type scalar,
                     unsigned count) {
  OpBuilder &b = e.builder;
  const unsigned bits = scalar.getIntOrFloatBitWidth();
  if (bits == 32)
    return {scalar == word.getType()
                ? word
                : LLVM::BitcastOp::create(b, loc, scalar, word).getResult()};
  if (count == 1) {
    Type integer = b.getIntegerType(bits);
    Value value = arith::TruncIOp::create(b, loc, integer, word);
    if (scalar != integer)
      value = LLVM::BitcastOp::create(b, loc, scalar, value);
    return {value};
  }
  Value vector =
      LLVM::BitcastOp::create(b, loc, VectorType::get(32 / bits, scalar), word);
  Registers scalars;
  for (unsigned i = 0; i < count; ++i)
    scalars.push_back(at(e, loc, vector, i));
  return scalars;
}

Value moveLanes(Emitter &e, Location loc, Value value,
                function_ref<Value(Value)> ask) {
  OpBuilder &b = e.builder;
  Type scalar = value.getType();
  value = toStorage(e, loc, value);
  Type held = value.getType();
  if (held.getIntOrFloatBitWidth() <= 32)
    return fromStorage(
        e, loc, unpackWord(e, loc, ask(packWord(e, loc, {value})), held, 1)[0],
        scalar);
  Type words = VectorType::get(2, b.getI32Type());
  Value whole = LLVM::BitcastOp::create(b, loc, words, value);
  Value moved = LLVM::UndefOp::create(b, loc, words);
  for (unsigned i : {0u, 1u})
    moved = LLVM::InsertElementOp::create(
        b, loc, moved, ask(at(e, loc, whole, i)), e.i32(loc, i));
  return fromStorage(e, loc, LLVM::BitcastOp::create(b, loc, held, moved),
                     scalar);
}

//===-- Places ------------------------------------------------------------===//

Value threadValue(Emitter &e, Location loc, ArrayRef<uint64_t> lane,
                  ArrayRef<uint64_t> warp, unsigned scale) {
  LinearLayout::InDim lanes{"lane", {}}, warps{"warp", {}};
  for (uint64_t column : lane)
    lanes.bases.push_back({int32_t(column * scale)});
  for (uint64_t column : warp)
    warps.bases.push_back({int32_t(column * scale)});
  LinearLayout map({lanes, warps}, {{"value", 1 << 30}});
  return e.threadPart(loc, map)[0];
}

Value threadParity(Emitter &e, Location loc, uint64_t laneMask,
                   uint64_t warpMask) {
  Columns lane, warp;
  for (unsigned bit = 0; laneMask >> bit; ++bit)
    lane.push_back(laneMask >> bit & 1);
  for (unsigned bit = 0; warpMask >> bit; ++bit)
    warp.push_back(warpMask >> bit & 1);
  return arith::CmpIOp::create(e.builder, loc, arith::CmpIPredicate::ne,
                               threadValue(e, loc, lane, warp), e.i32(loc, 0));
}

Value select(Emitter &e, Location loc, Value condition, Value yes, Value no) {
  if (yes == no)
    return yes;
  if (isa<LLVM::LLVMPointerType>(yes.getType()))
    return LLVM::SelectOp::create(e.builder, loc, condition, yes, no);
  return arith::SelectOp::create(e.builder, loc, condition, yes, no);
}

ThreadAddress::ThreadAddress(Emitter &e, Location loc, Value base,
                             ArrayRef<uint64_t> lane, ArrayRef<uint64_t> warp,
                             unsigned elementBytes)
    : e(e), loc(loc), base(base),
      thread(threadValue(e, loc, lane, warp, elementBytes)),
      elementBytes(elementBytes) {
  for (ArrayRef<uint64_t> columns : {lane, warp})
    for (uint64_t column : columns)
      reach |= column * elementBytes;
}

Value ThreadAddress::at(uint64_t offset) {
  OpBuilder &b = e.builder;
  const uint64_t bytes = offset * elementBytes, meets = bytes & reach;
  Value &pointer = known[meets];
  if (!pointer) {
    Value index = thread;
    if (meets)
      index = arith::XOrIOp::create(b, loc, thread, e.i32(loc, int64_t(meets)));
    pointer = reach == 0
                  ? base
                  : LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(),
                                        base, ArrayRef<LLVM::GEPArg>{index})
                        .getResult();
  }
  return e.offset(loc, pointer, int64_t(bytes ^ meets));
}

//===-- Accesses ----------------------------------------------------------===//

namespace {

/// The accesses of one round, by whichever way the machine does best.
class RoundAccess {
public:
  RoundAccess(Emitter &e, Location loc, Value base, const Places &places,
              unsigned bytes, unsigned roundBit, uint64_t round, bool load)
      : e(e), loc(loc), round(round), vectors(planAccess(places, bytes)) {
    low = (uint64_t(1) << roundBit) - 1;
    std::optional<MatrixAccess> found = planMatrixAccess(places, bytes, roundBit);
    auto passes = [&](int64_t accesses, int64_t each) {
      return accesses * (1 + each);
    };
    if (found &&
        (load ? e.hooks.hasMatrixLoad(found->transposed)
              : e.hooks.hasMatrixStore(found->transposed)) &&
        passes(found->accesses.size(), found->accesses[0].words.size()) <
            passes(vectors.accesses.size(),
                   std::max<int64_t>(1, vectors.width * bytes / 4) *
                       bankConflicts(vectors, bytes)))
      matrices = std::move(found);
    // Rounds by warps: this thread takes part when its own bits say so.
    uint64_t byThread = 0;
    for (uint64_t column : places.warp)
      byThread |= column & ~low;
    threadRounds = byThread;
    if (byThread) {
      Columns none, warp;
      for (uint64_t column : places.warp)
        warp.push_back((column & ~low) >> roundBit);
      takesPart = arith::CmpIOp::create(
          e.builder, loc, arith::CmpIPredicate::eq,
          threadValue(e, loc, none, warp),
          e.i32(loc, int64_t((round << roundBit & byThread) >> roundBit)));
    }
    this->roundBit = roundBit;
    auto lowOf = [&](ArrayRef<uint64_t> columns) {
      Columns result;
      for (uint64_t column : columns)
        result.push_back(column & low);
      return result;
    };
    address.emplace(e, loc, base,
                    lowOf(matrices ? matrices->lane : places.lane),
                    lowOf(places.warp), bytes);
  }

  bool inRound(uint64_t offset) const {
    return (offset & ~low & ~threadRounds) ==
           ((round << roundBit) & ~threadRounds);
  }
  Value pointer(uint64_t offset) { return address->at(offset & low); }

  Emitter &e;
  Location loc;
  uint64_t round, low, threadRounds;
  unsigned roundBit;
  SharedAccess vectors;
  std::optional<MatrixAccess> matrices;
  std::optional<ThreadAddress> address;
  Value takesPart; ///< null for always
};

} // namespace

void storePlaces(Emitter &e, Location loc, Value base, const Places &places,
                 ValueRange registers, unsigned roundBit, uint64_t round) {
  OpBuilder &b = e.builder;
  const unsigned bytes = bytesInShared(registers.front().getType());
  RoundAccess access(e, loc, base, places, bytes, roundBit, round, false);
  auto held = [&](ArrayRef<unsigned> elements) {
    Registers values;
    for (unsigned element : elements)
      values.push_back(toStorage(e, loc, registers[element]));
    return values;
  };
  if (!access.matrices) {
    for (const auto &one : access.vectors.accesses)
      if (access.inRound(one.offset))
        e.hooks.storeShared(b, loc, access.pointer(one.offset),
                            held(one.elements), access.takesPart);
    return;
  }
  OpBuilder::InsertionGuard guard(b);
  if (access.takesPart) {
    // The same in all lanes: matrix instructions are for whole warps.
    auto branch = scf::IfOp::create(b, loc, access.takesPart, false);
    b.setInsertionPointToStart(branch.thenBlock());
  }
  for (const auto &one : access.matrices->accesses) {
    if (!access.inRound(one.offset))
      continue;
    Registers words;
    for (const auto &elements : one.words)
      words.push_back(packWord(e, loc, held(elements)));
    e.hooks.storeMatrix(b, loc, access.pointer(one.offset), words,
                        access.matrices->transposed);
  }
}

void loadPlaces(Emitter &e, Location loc, Value base, const Places &places,
                Type scalar, Registers &registers, unsigned roundBit,
                uint64_t round) {
  OpBuilder &b = e.builder;
  const unsigned bytes = bytesInShared(scalar);
  RoundAccess access(e, loc, base, places, bytes, roundBit, round, true);
  registers.resize(places.registers());
  Type held = isa<LLVM::LLVMPointerType>(scalar)   ? b.getI64Type()
              : scalar.getIntOrFloatBitWidth() < 8 ? b.getI8Type()
                                                   : scalar;
  auto take = [&](unsigned element, Value value) {
    value = fromStorage(e, loc, value, scalar);
    Value &reg = registers[element];
    reg = access.takesPart && reg ? select(e, loc, access.takesPart, value, reg)
                                  : value;
  };
  if (!access.matrices) {
    for (const auto &one : access.vectors.accesses) {
      if (!access.inRound(one.offset))
        continue;
      SmallVector<Value> loaded =
          e.hooks.loadShared(b, loc, access.pointer(one.offset), held,
                             access.vectors.width, access.takesPart);
      for (auto [element, value] : llvm::zip(one.elements, loaded))
        take(element, value);
    }
    return;
  }
  for (const auto &one : access.matrices->accesses) {
    if (!access.inRound(one.offset))
      continue;
    const int count = int(one.words.size());
    SmallVector<Value> words;
    auto read = [&](Value pointer) {
      return e.hooks.loadMatrix(b, loc, pointer, count,
                                access.matrices->transposed);
    };
    Value pointer = access.pointer(one.offset);
    if (access.takesPart) {
      SmallVector<Type> types(count, b.getI32Type());
      auto branch = scf::IfOp::create(b, loc, types, access.takesPart, true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(b, loc, read(pointer));
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loc, SmallVector<Value>(count, e.i32(loc, 0)));
      words.assign(branch.result_begin(), branch.result_end());
    } else {
      words = read(pointer);
    }
    for (auto [elements, word] : llvm::zip(one.words, words))
      for (auto [element, value] :
           llvm::zip(elements,
                     unpackWord(e, loc, word, held, unsigned(elements.size()))))
        take(element, value);
  }
}

//===-- Conversions -------------------------------------------------------===//

namespace {

/// Code for a ShufflePlan. Words (one register, or those packed together) are
/// named by their first register.
class ShuffleEmitter {
public:
  ShuffleEmitter(Emitter &e, Location loc, const ShufflePlan &plan,
                 ValueRange source)
      : e(e), loc(loc), plan(plan), scalar(source.front().getType()) {
    for (Value value : source)
      held.push_back(toStorage(e, loc, value));
    type = held.front().getType();
    decompose(plan.H, plan.K, before);
    decompose(plan.G, {}, after);
  }

  Registers run() {
    Registers result;
    uint64_t inWord = 0;
    for (unsigned bit : plan.packed)
      inWord |= uint64_t(1) << bit;
    for (uint64_t r = 0; r < uint64_t(1) << plan.M.size(); ++r) {
      unsigned part = 0;
      for (auto [i, bit] : llvm::enumerate(plan.packed))
        part |= unsigned(r >> bit & 1) << i;
      result.push_back(fromStorage(
          e, loc, exchanged(r & ~inWord, after.size())[part], scalar));
    }
    return result;
  }

private:
  /// One exchange: registers r and r ^ direction where the parity is odd.
  struct Exchange {
    uint64_t direction, laneMask, warpMask;
    Value odd;
  };

  /// X (lane, warp) as a sum of few directions with a parity each.
  static void decompose(ArrayRef<uint64_t> lane, ArrayRef<uint64_t> warp,
                        SmallVectorImpl<Exchange> &exchanges) {
    Span image(lane);
    image.add(warp);
    Columns basis = image.basis();
    Span directions(basis);
    for (uint64_t direction : basis)
      exchanges.push_back({direction, 0, 0, {}});
    auto note = [&](ArrayRef<uint64_t> columns, auto mask) {
      for (auto [bit, column] : llvm::enumerate(columns)) {
        uint64_t made = *directions.solve(column);
        for (auto [i, exchange] : llvm::enumerate(exchanges))
          if (made >> i & 1)
            exchange.*mask |= uint64_t(1) << bit;
      }
    };
    note(lane, &Exchange::laneMask);
    note(warp, &Exchange::warpMask);
  }

  Value odd(Exchange &exchange) {
    if (!exchange.odd)
      exchange.odd = threadParity(e, loc, exchange.laneMask, exchange.warpMask);
    return exchange.odd;
  }

  /// A source register after the first `count` exchanges in its own lane.
  Value sent(uint64_t reg, size_t count) {
    if (count == 0)
      return held[reg];
    Value &value = sentKnown[{reg, count}];
    if (value)
      return value;
    Exchange &last = before[count - 1];
    Value other = sent(reg ^ last.direction, count - 1);
    Value own = sent(reg, count - 1);
    Value result = select(e, loc, odd(last), other, own);
    return sentKnown[{reg, count}] = result;
  }

  /// The registers of the word of r1, moved.
  const Registers &moved(uint64_t r1) {
    Registers &word = movedKnown[r1];
    if (!word.empty())
      return word;
    Registers parts;
    for (uint64_t i = 0; i < uint64_t(1) << plan.packed.size(); ++i) {
      uint64_t r = r1;
      for (auto [j, bit] : llvm::enumerate(plan.packed))
        r |= (i >> j & 1) << bit;
      parts.push_back(sent(combine(plan.M, r), before.size()));
    }
    const uint64_t toLane = combine(plan.L, r1);
    if (plan.lanesStay && toLane == 0)
      return movedKnown[r1] = parts;
    auto ask = [&](Value value) -> Value {
      if (plan.lanesStay)
        return e.hooks.shuffleXor(e.builder, loc, value, int(toLane));
      Value &lane = lanes[toLane];
      if (!lane) {
        lane = threadValue(e, loc, plan.N, plan.P);
        if (toLane)
          lane = arith::XOrIOp::create(e.builder, loc, lane,
                                       e.i32(loc, int64_t(toLane)));
      }
      return e.hooks.shuffle(e.builder, loc, value, lane);
    };
    if (type.getIntOrFloatBitWidth() > 32)
      parts[0] = moveLanes(e, loc, parts[0], ask);
    else
      parts = unpackWord(e, loc, ask(packWord(e, loc, parts)), type,
                         unsigned(parts.size()));
    return movedKnown[r1] = parts;
  }

  /// The registers of the word of r after `count` exchanges behind the shuffle.
  Registers exchanged(uint64_t r, size_t count) {
    if (count == 0)
      return moved(r);
    auto known = exchangedKnown.find({r, count});
    if (known != exchangedKnown.end())
      return known->second;
    Exchange &last = after[count - 1];
    Registers other = exchanged(r ^ last.direction, count - 1);
    Registers own = exchanged(r, count - 1);
    for (auto [mine, theirs] : llvm::zip(own, other))
      mine = select(e, loc, odd(last), theirs, mine);
    exchangedKnown[{r, count}] = own;
    return own;
  }

  Emitter &e;
  Location loc;
  const ShufflePlan &plan;
  Type scalar, type;
  Registers held;
  SmallVector<Exchange> before, after;
  std::map<std::pair<uint64_t, size_t>, Value> sentKnown;
  std::map<uint64_t, Registers> movedKnown;
  std::map<std::pair<uint64_t, size_t>, Registers> exchangedKnown;
  std::map<uint64_t, Value> lanes;
};

} // namespace

Registers convertLayout(Emitter &e, Location loc, Registers source,
                        const LinearLayout &from, const LinearLayout &to,
                        function_ref<Value()> scratch, int64_t limit) {
  if (from == to)
    return source;
  const Places a = placesOf(from), b = placesOf(to);
  Type scalar = source.front().getType();
  const unsigned bytes = bytesInShared(scalar);
  if (auto plan = planShuffle(a, b, bytes * 8))
    return ShuffleEmitter(e, loc, *plan, source).run();

  ScratchPlan plan = planScratch(a, b, bytes, limit);
  const Places writes = mapPlaces(a, plan.offset);
  const Places reads = mapPlaces(b, plan.offset);
  Value base = scratch();
  Registers result;
  for (uint64_t round = 0; round < uint64_t(1) << plan.rounds; ++round) {
    if (round)
      e.syncThreads(loc);
    storePlaces(e, loc, base, writes, source, plan.bits, round);
    e.syncThreads(loc);
    loadPlaces(e, loc, base, reads, scalar, result, plan.bits, round);
  }
  return result;
}

int64_t conversionScratch(const LinearLayout &from, const LinearLayout &to,
                          unsigned elementBytes, int64_t limit) {
  if (from == to)
    return 0;
  const Places a = placesOf(from), b = placesOf(to);
  if (planShuffle(a, b, elementBytes * 8))
    return 0;
  return planScratch(a, b, elementBytes, limit).bytes(elementBytes);
}

int64_t scratchLimit(Operation *op) {
  if (auto limit = op->getAttrOfType<IntegerAttr>(kScratchLimitAttr))
    return limit.getInt();
  return int64_t(32) << 10;
}

} // namespace nereid::gpu
