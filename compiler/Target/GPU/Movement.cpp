//===- Movement.cpp - How elements get from places to places --------------===//

#include "compiler/Target/GPU/Movement.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cassert>

using namespace llvm;

namespace nereid::gpu {

constexpr unsigned kVectorBytes = 16;
constexpr unsigned kBankRowBytes = 128; // 32 banks of 4 bytes

Places placesOf(const LinearLayout &layout) {
  Places places;
  SmallVector<unsigned, 4> shifts;
  unsigned shift = 0;
  for (const LinearLayout::OutDim &out : layout.outDims()) {
    shifts.push_back(shift);
    shift += Log2_32(out.size);
  }
  for (const LinearLayout::InDim &in : layout.inDims()) {
    Columns *columns = in.name == "register" ? &places.reg
                       : in.name == "lane"   ? &places.lane
                       : in.name == "warp"   ? &places.warp
                                             : nullptr;
    if (!columns)
      continue;
    for (const LinearLayout::Basis &basis : in.bases) {
      uint64_t column = 0;
      for (auto [value, at] : zip(basis, shifts))
        column |= uint64_t(value) << at;
      columns->push_back(column);
    }
  }
  return places;
}

Places mapPlaces(const Places &places, ArrayRef<uint64_t> images) {
  Places result = places;
  for (Columns *columns : {&result.reg, &result.lane, &result.warp})
    for (uint64_t &column : *columns)
      column = combine(images, column);
  return result;
}

Columns offsetsOf(const LinearLayout &tile) {
  std::optional<LinearLayout> inverse = tile.rightInverse();
  assert(inverse && "a tile's layout reaches every element");
  Columns offsets;
  for (const LinearLayout::InDim &in : inverse->inDims())
    for (const LinearLayout::Basis &basis : in.bases)
      offsets.push_back(uint64_t(basis[0]));
  return offsets;
}

//===-- Accesses to shared memory -----------------------------------------===//

/// The register numbers (as combinations of register bits) that complete
/// `within` to all registers, with their offsets' low bits cleared by `within`,
/// whose offsets are 1, 2, 4 ...
static Columns otherRegisters(const Places &places, ArrayRef<uint64_t> within) {
  Span chosen(within);
  Columns others;
  for (size_t bit = 0; bit < places.reg.size(); ++bit)
    if (chosen.add(uint64_t(1) << bit))
      others.push_back(
          uint64_t(1) << bit ^
          combine(within,
                  places.reg[bit] & ((uint64_t(1) << within.size()) - 1)));
  return others;
}

static bool lowBitsClear(ArrayRef<uint64_t> columns, unsigned bits) {
  return all_of(columns, [&](uint64_t column) {
    return (column & ((uint64_t(1) << bits) - 1)) == 0;
  });
}

SharedAccess planAccess(const Places &places, unsigned elementBytes) {
  Span registers(places.reg);
  Columns vector;
  while ((elementBytes << (vector.size() + 1)) <= kVectorBytes) {
    unsigned bits = vector.size() + 1;
    std::optional<uint64_t> next =
        registers.solve(uint64_t(1) << vector.size());
    if (!next || !lowBitsClear(places.lane, bits) ||
        !lowBitsClear(places.warp, bits))
      break;
    vector.push_back(*next);
  }
  SharedAccess access;
  access.width = 1 << vector.size();
  access.lane = places.lane;
  access.warp = places.warp;
  Columns others = otherRegisters(places, vector);
  for (uint64_t step = 0; step < uint64_t(1) << others.size(); ++step) {
    uint64_t base = combine(others, step);
    SharedAccess::Access &one = access.accesses.emplace_back();
    one.offset = combine(places.reg, base);
    for (int32_t i = 0; i < access.width; ++i)
      one.elements.push_back(unsigned(base ^ combine(vector, uint64_t(i))));
  }
  return access;
}

std::optional<MatrixAccess> planMatrixAccess(const Places &places,
                                             unsigned elementBytes,
                                             unsigned roundBit) {
  if (elementBytes > 4 || places.lane.size() != 5)
    return std::nullopt;
  const unsigned wordBits = Log2_32(4 / elementBytes), rowBits = wordBits + 2;
  auto unit = [](unsigned bit) { return uint64_t(1) << bit; };
  auto sameRound = [&](uint64_t offset) {
    return roundBit >= 64 || offset >> roundBit == 0;
  };
  Span registers(places.reg);
  Columns word; // register combinations that walk a lane's 4 bytes
  Columns rows; // offsets of the row bits of a matrix
  bool transposed = false;

  if (places.lane[0] == unit(wordBits) &&
      places.lane[1] == unit(wordBits + 1)) {
    for (unsigned bit = 0; bit < wordBits; ++bit)
      if (std::optional<uint64_t> next = registers.solve(unit(bit)))
        word.push_back(*next);
    if (word.size() < wordBits)
      return std::nullopt;
    rows.append({places.lane[2], places.lane[3], places.lane[4]});
  } else if (elementBytes == 2 && places.lane[2] == unit(0) &&
             places.lane[3] == unit(1) && places.lane[4] == unit(2)) {
    transposed = true;
    // Any register bit can walk the rows of one word; take one that keeps the
    // eight rows in different banks.
    auto free = [&](uint64_t row) {
      Span banks;
      for (uint64_t offset : {places.lane[0], places.lane[1], row})
        banks.add(offset & (kBankRowBytes / elementBytes - 1));
      return banks.dim() == 3;
    };
    for (bool mustBeFree : {true, false})
      for (size_t bit = 0; bit < places.reg.size() && word.empty(); ++bit)
        if (sameRound(places.reg[bit]) &&
            (free(places.reg[bit]) || !mustBeFree))
          word.push_back(unit(bit));
    if (word.empty())
      return std::nullopt;
    rows.append({combine(places.reg, word[0]), places.lane[0], places.lane[1]});
  } else {
    return std::nullopt;
  }

  Columns others;
  if (transposed) {
    Span chosen(word);
    for (size_t bit = 0; bit < places.reg.size(); ++bit)
      if (chosen.add(unit(bit)))
        others.push_back(unit(bit));
  } else {
    others = otherRegisters(places, word);
  }
  // The matrices of one access are of one round.
  Columns elsewhere;
  llvm::erase_if(others, [&](uint64_t other) {
    bool same = sameRound(combine(places.reg, other));
    if (!same)
      elsewhere.push_back(other);
    return !same;
  });
  const size_t matrixBits = std::min<size_t>(2, others.size());
  others.append(elsewhere);
  Columns otherOffsets;
  for (uint64_t other : others)
    otherOffsets.push_back(combine(places.reg, other));
  if (!all_of(rows, sameRound) || !lowBitsClear(rows, rowBits) ||
      !lowBitsClear(otherOffsets, rowBits) ||
      !lowBitsClear(places.warp, rowBits))
    return std::nullopt;

  MatrixAccess access;
  access.transposed = transposed;
  access.lane = rows;
  access.warp = places.warp;
  for (size_t bit = 0; bit < matrixBits; ++bit)
    access.lane.push_back(otherOffsets[bit]);
  const uint64_t steps = uint64_t(1) << (others.size() - matrixBits);
  for (uint64_t step = 0; step < steps; ++step) {
    uint64_t base = combine(others, step << matrixBits);
    MatrixAccess::Access &one = access.accesses.emplace_back();
    one.offset = combine(places.reg, base);
    for (uint64_t matrix = 0; matrix < uint64_t(1) << matrixBits; ++matrix) {
      uint64_t first = base ^ combine(others, matrix);
      auto &elements = one.words.emplace_back();
      for (uint64_t i = 0; i < uint64_t(1) << word.size(); ++i)
        elements.push_back(unsigned(first ^ combine(word, i)));
    }
  }
  return access;
}

int bankConflicts(const SharedAccess &access, unsigned elementBytes) {
  // 16-byte accesses go out eight lanes at a time, 8-byte ones sixteen.
  const unsigned bytes = unsigned(access.width) * elementBytes;
  const unsigned together = std::min(32u, kBankRowBytes / std::max(4u, bytes));
  int worst = 1;
  for (unsigned first = 0; first < 1u << access.lane.size();
       first += together) {
    SmallVector<SmallSet<uint64_t, 8>, 32> rows(32);
    for (unsigned lane = first;
         lane < std::min(first + together, 1u << access.lane.size()); ++lane)
      for (unsigned byte = 0; byte < bytes; byte += 4) {
        uint64_t at = combine(access.lane, lane) * elementBytes + byte;
        rows[at / 4 % 32].insert(at / kBankRowBytes);
      }
    for (const auto &bank : rows)
      worst = std::max(worst, int(bank.size()));
  }
  return worst;
}

//===-- Conversions within warps ------------------------------------------===//

std::optional<ShufflePlan> planShuffle(const Places &from, const Places &to,
                                       unsigned elementBits) {
  if (from.lane.size() != to.lane.size() || from.warp.size() != to.warp.size())
    return std::nullopt;
  const size_t regBits = from.reg.size(), lanes = from.lane.size();
  const uint64_t regMask = (uint64_t(1) << regBits) - 1;
  Span own(from.reg), warp(from.reg);
  warp.add(from.lane);
  // The source place of an element, in this thread where it can be. Lane `near`
  // is where to stay.
  auto find = [&](uint64_t element, uint64_t near, uint64_t &reg,
                  uint64_t &lane) {
    if (auto made = own.solve(element ^ combine(from.lane, near))) {
      reg = *made;
      lane = near;
      return true;
    }
    auto made = warp.solve(element);
    if (!made)
      return false;
    reg = *made & regMask;
    lane = *made >> regBits;
    return true;
  };
  // Columns of the map from result places to source places: register and lane
  // part by register (R), lane (L) and warp (W) bits.
  Columns regOfR, laneOfR, regOfL, laneOfL, regOfW, laneOfW;
  for (uint64_t element : to.reg)
    if (!find(element, 0, regOfR.emplace_back(), laneOfR.emplace_back()))
      return std::nullopt;
  for (auto [bit, element] : enumerate(to.lane))
    if (!find(element, uint64_t(1) << bit, regOfL.emplace_back(),
              laneOfL.emplace_back()))
      return std::nullopt;
  for (auto [bit, element] : enumerate(to.warp)) // its own warp is subtracted
    if (!find(element ^ from.warp[bit], 0, regOfW.emplace_back(),
              laneOfW.emplace_back()))
      return std::nullopt;

  ShufflePlan plan;
  plan.G.assign(lanes, 0);
  auto asks = [&] { // N = laneOfL + L G
    Columns columns = laneOfL;
    for (size_t bit = 0; bit < lanes; ++bit)
      columns[bit] ^= combine(laneOfR, plan.G[bit]);
    return columns;
  };
  // Lanes that ask the same lane must want the same register of it. Where they
  // do not, one of them asks another lane, or G sends them to different
  // registers of the result.
  for (bool changed = true; changed;) {
    changed = false;
    plan.N = asks();
    Span reached(plan.N);
    for (uint64_t same : Columns(reached.kernel())) {
      uint64_t wants =
          combine(regOfL, same) ^ combine(regOfR, combine(plan.G, same));
      if (!wants)
        continue;
      const unsigned bit = countr_zero(same);
      // Another lane that holds a copy will do as well.
      for (uint64_t copy : warp.kernel())
        if (!changed && !reached.contains(copy >> regBits)) {
          regOfL[bit] ^= copy & regMask;
          laneOfL[bit] ^= copy >> regBits;
          changed = true;
        }
      for (size_t reg = 0; reg < to.reg.size() && !changed; ++reg)
        if (!reached.contains(laneOfR[reg])) {
          plan.G[bit] ^= uint64_t(1) << reg;
          changed = true;
        }
      if (!changed)
        return std::nullopt;
      break;
    }
  }
  // H takes what a lane asks for to the register that it wants there.
  Span reached(plan.N);
  for (size_t bit = 0; bit < lanes; ++bit) {
    uint64_t made = 0;
    reached.reduce(uint64_t(1) << bit, &made);
    plan.H.push_back(combine(regOfL, made) ^
                     combine(regOfR, combine(plan.G, made)));
  }
  plan.L = laneOfR;
  for (size_t bit = 0; bit < to.reg.size(); ++bit)
    plan.M.push_back(regOfR[bit] ^ combine(plan.H, laneOfR[bit]));
  plan.P = laneOfW;
  for (size_t bit = 0; bit < to.warp.size(); ++bit)
    plan.K.push_back(regOfW[bit] ^ combine(plan.H, laneOfW[bit]));

  plan.lanesStay = all_of(plan.P, [](uint64_t c) { return c == 0; });
  for (size_t bit = 0; bit < lanes; ++bit)
    plan.lanesStay &= plan.N[bit] == uint64_t(1) << bit;
  // Registers that are asked of the same lane travel together.
  uint64_t exchanged = 0;
  for (uint64_t column : plan.G)
    exchanged |= column;
  Span moved;
  for (size_t bit = 0; bit < to.reg.size(); ++bit)
    if ((elementBits << (plan.packed.size() + 1)) <= 32 && !plan.L[bit] &&
        !(exchanged >> bit & 1) && moved.add(plan.M[bit]))
      plan.packed.push_back(unsigned(bit));
  return plan;
}

//===-- Conversions through shared memory ---------------------------------===//

namespace {

/// Builds one scratch layout after the choice of what a vector holds.
class ScratchBuilder {
public:
  ScratchBuilder(const Places &from, const Places &to, unsigned elementBytes,
                 int64_t limit)
      : from(from), to(to), bytes(elementBytes), limit(limit) {
    uint64_t all = 0;
    for (const Columns *columns : {&from.reg, &from.lane, &from.warp})
      for (uint64_t column : *columns)
        all |= column;
    elementBits = all ? Log2_64(all) + 1 : 0;
  }

  ScratchPlan build(Columns vector);
  /// Choices of vectors that may be good.
  SmallVector<Columns> vectors() const;

private:
  Columns chooseRounds(ArrayRef<uint64_t> vector) const;
  /// What accesses of one side reach at the same time, in the words they are
  /// made of: two of these must not fall on one bank unless they are one word.
  Span reachedTogether(const Places &side, ArrayRef<uint64_t> vector,
                       const Span &round) const;

  const Places &from, &to;
  unsigned bytes, elementBits;
  int64_t limit;
};

/// Cost of an access by all: instructions, and passes over the banks.
int64_t accessCost(const Places &side, unsigned bytes, unsigned roundBit) {
  int64_t best;
  {
    SharedAccess access = planAccess(side, bytes);
    int64_t passes = std::max<int64_t>(1, access.width * bytes / 4) *
                     bankConflicts(access, bytes);
    best = int64_t(access.accesses.size()) * (1 + passes);
  }
  if (auto access = planMatrixAccess(side, bytes, roundBit))
    best =
        std::min(best, int64_t(access->accesses.size()) *
                           int64_t(1 + access->accesses.front().words.size()));
  return best;
}

} // namespace

SmallVector<Columns> ScratchBuilder::vectors() const {
  const unsigned most = Log2_32(kVectorBytes / bytes);
  Columns shared = intersect(from.reg, to.reg);
  SmallVector<Columns> result;
  // As wide as one side allows, what both have first.
  for (const Places *side : {&to, &from}) {
    Columns vector;
    Span chosen;
    auto extend = [&](ArrayRef<uint64_t> more) {
      for (uint64_t column : more)
        if (vector.size() < most && chosen.add(column))
          vector.push_back(column);
    };
    extend(shared);
    extend(side->reg);
    const Places &other = side == &to ? from : to;
    Span others(other.reg);
    if (all_of(vector, [&](uint64_t c) { return others.contains(c); }))
      extend(other.reg);
    result.push_back(std::move(vector));
  }
  // Rows of the matrices that ldmatrix and stmatrix move.
  if (bytes > 4 || from.lane.size() != 5)
    return result;
  for (auto [side, other] : {std::pair(&from, &to), std::pair(&to, &from)}) {
    Span wide(other->reg);
    auto consider = [&](Columns vector) {
      Span independent;
      for (uint64_t column : vector)
        if (!wide.contains(column) || !independent.add(column))
          return;
      result.push_back(std::move(vector));
    };
    Columns row;
    Span chosen(ArrayRef<uint64_t>(side->lane).take_front(2));
    for (uint64_t column : shared)
      if (row.size() < Log2_32(4 / bytes) && chosen.add(column))
        row.push_back(column);
    if (row.size() == Log2_32(4 / bytes)) {
      row.append({side->lane[0], side->lane[1]});
      consider(row);
    }
    if (bytes == 2)
      consider({side->lane[2], side->lane[3], side->lane[4]});
  }
  return result;
}

Columns ScratchBuilder::chooseRounds(ArrayRef<uint64_t> vector) const {
  Columns rounds;
  Span chosen;
  auto take = [&](ArrayRef<const Columns *> fixed, int64_t bound) {
    Columns all(vector);
    for (const Columns *columns : fixed)
      all.append(columns->begin(), columns->end());
    for (uint64_t functional : annihilator(all, elementBits))
      if ((int64_t(bytes) << (elementBits - rounds.size())) > bound &&
          chosen.add(functional))
        rounds.push_back(functional);
  };
  // By registers every thread takes part in each round; by warps only some do,
  // which is worth it for very large tiles only.
  take({&from.lane, &from.warp, &to.lane, &to.warp}, limit);
  take({&from.reg, &from.lane, &to.lane, &to.warp}, 2 * limit);
  take({&from.lane, &from.warp, &to.reg, &to.lane}, 2 * limit);
  return rounds;
}

Span ScratchBuilder::reachedTogether(const Places &side,
                                     ArrayRef<uint64_t> vector,
                                     const Span &round) const {
  Span registers(side.reg), together;
  unsigned width = 0;
  while (width < vector.size() && registers.contains(vector[width]))
    ++width;
  const unsigned wordBits = bytes < 4 ? Log2_32(4 / bytes) : 0;
  const unsigned rowBits = Log2_32(kBankRowBytes / bytes);
  auto equal = [&](ArrayRef<uint64_t> lanes, unsigned at) {
    return vector.size() == at + lanes.size() && lanes == vector.drop_front(at);
  };
  ArrayRef<uint64_t> lane = side.lane;
  if (lane.size() == 5 && bytes <= 4 && width >= wordBits &&
      equal(lane.take_front(2), wordBits)) { // rows of matrices
    together.add(vector);
    together.add(lane.drop_front(2));
  } else if (lane.size() == 5 && bytes == 2 && equal(lane.drop_front(2), 0)) {
    together.add(lane);
    for (uint64_t column : side.reg)
      if (together.dim() < int(rowBits) && round.contains(column))
        together.add(column);
  } else {
    width = std::max(width, std::min<unsigned>(wordBits, vector.size()));
    together.add(vector.take_front(width));
    for (uint64_t column : lane.take_front(std::min<size_t>(
             lane.size(), rowBits - std::max(width, wordBits))))
      together.add(column);
  }
  return together;
}

ScratchPlan ScratchBuilder::build(Columns vector) {
  Columns rounds = chooseRounds(vector);
  const unsigned bits = elementBits - rounds.size();
  const unsigned rowBits = Log2_32(kBankRowBytes / bytes);
  // What one round holds: all elements that the functionals take to 0.
  Columns roundBasis = annihilator(rounds, elementBits);
  Span round(roundBasis);

  // Directions to build the layout from; the layouts' own make the simplest
  // addresses.
  Columns candidates;
  // Not those within a vector: mixed into others they would shift its elements.
  const Span within(vector);
  auto addCandidate = [&](uint64_t column) {
    if (!within.contains(column) && round.contains(column) &&
        !is_contained(candidates, column))
      candidates.push_back(column);
  };
  for (const Columns *columns :
       {&from.warp, &to.warp, &from.reg, &to.reg, &from.lane, &to.lane})
    for (uint64_t column : *columns)
      addCandidate(column);
  const size_t single = candidates.size();
  for (unsigned bit = 0; bit < elementBits; ++bit)
    addCandidate(uint64_t(1) << bit);
  for (uint64_t column : roundBasis)
    addCandidate(column);

  // Bits of an offset above one row of banks: no two elements that are reached
  // together may differ by them alone. A common complement of the spaces of
  // both sides always exists, and extending step by step always finds one: the
  // parts of the space that are ruled out never cover it.
  Columns rows;
  if (bits > rowBits) {
    SmallVector<Span, 3> avoid = {reachedTogether(from, vector, round),
                                  reachedTogether(to, vector, round),
                                  Span(vector)};
    auto tryRow = [&](uint64_t column) {
      if (rows.size() == bits - rowBits ||
          any_of(avoid, [&](const Span &s) { return s.contains(column); }))
        return;
      rows.push_back(column);
      for (Span &span : avoid)
        span.add(column);
    };
    for (uint64_t column : candidates)
      tryRow(column);
    for (size_t i = 0; i < candidates.size() && rows.size() < bits - rowBits;
         ++i)
      for (size_t j = 0; j < std::min(single, i); ++j)
        tryRow(candidates[i] ^ candidates[j]);
    Columns independent;
    Span distinct(vector);
    for (uint64_t column : candidates)
      if (distinct.add(column))
        independent.push_back(column);
    for (const Columns *all : {&independent, &roundBasis})
      for (uint64_t mix = 1;
           mix < uint64_t(1) << all->size() && rows.size() < bits - rowBits;
           ++mix)
        tryRow(combine(*all, mix));
  }

  // The rest of a row of banks: the source's lanes first, then anything.
  Span all(vector);
  all.add(rows);
  Columns basis = vector;
  const size_t fill = bits - rows.size();
  for (bool lanes : {true, false})
    for (uint64_t column : candidates)
      if (is_contained(from.lane, column) == lanes && basis.size() < fill &&
          all.add(column))
        basis.push_back(column);
  basis.append(rows);
  // One direction per round bit, which moves that bit only.
  Columns roundOf;
  for (unsigned bit = 0; bit < elementBits; ++bit) {
    uint64_t value = 0;
    for (auto [i, functional] : enumerate(rounds))
      value |= (functional >> bit & 1) << i;
    roundOf.push_back(value);
  }
  Span directions(roundOf);
  for (size_t i = 0; i < rounds.size(); ++i)
    basis.push_back(*directions.solve(uint64_t(1) << i));

  assert(basis.size() == elementBits && "a basis of all elements");
  ScratchPlan plan;
  plan.bits = bits;
  plan.rounds = unsigned(rounds.size());
  Span inverse(basis);
  for (unsigned bit = 0; bit < elementBits; ++bit)
    plan.offset.push_back(*inverse.solve(uint64_t(1) << bit));
  return plan;
}

ScratchPlan planScratch(const Places &from, const Places &to,
                        unsigned elementBytes, int64_t limit) {
  ScratchBuilder builder(from, to, elementBytes, limit);
  std::optional<ScratchPlan> best;
  int64_t bestCost = 0;
  for (Columns &vector : builder.vectors()) {
    ScratchPlan plan = builder.build(vector);
    int64_t cost =
        accessCost(mapPlaces(from, plan.offset), elementBytes, plan.bits) +
        accessCost(mapPlaces(to, plan.offset), elementBytes, plan.bits) +
        (int64_t(1) << plan.rounds) * 4;
    if (!best || cost < bestCost) {
      best = std::move(plan);
      bestCost = cost;
    }
  }
  return *best;
}

} // namespace nereid::gpu
