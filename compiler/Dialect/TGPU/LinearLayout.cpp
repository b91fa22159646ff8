//===- LinearLayout.cpp - Layouts as linear maps over bits ----------------===//
//
// Every question is answered on the bit matrix: one 64-bit column per input
// bit, the output dimensions concatenated from the lowest bit. 64 output bits
// are far beyond any tensor (2^20 elements) or memory tile.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/LinearLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cassert>

using namespace llvm;

namespace nereid {
namespace {

int32_t log2Exact(int32_t size) {
  assert(size > 0 && isPowerOf2_32(size) && "layout sizes are powers of two");
  return Log2_32(size);
}

/// A basis of the span of columns added so far, kept so that each member's
/// highest bit is its own. `combination` remembers which input columns were
/// XORed to make it.
class Echelon {
public:
  struct Row {
    uint64_t vector;
    uint64_t combination;
  };

  /// Reduces `row` by the rows so far; what is left of `vector` is 0 if and
  /// only if it lies in their span.
  Row reduce(Row row) const {
    for (const Row &pivot : rows)
      if (row.vector & topBit(pivot.vector)) {
        row.vector ^= pivot.vector;
        row.combination ^= pivot.combination;
      }
    return row;
  }

  /// Adds column number `index`; false when it depends on earlier ones.
  bool add(uint64_t column, unsigned index) {
    Row row = reduce({column, uint64_t(1) << index});
    if (!row.vector)
      return false;
    // Rows stay sorted by top bit, highest first, so that one pass reduces.
    auto at = llvm::find_if(
        rows, [&](const Row &r) { return r.vector < row.vector; });
    rows.insert(at, row);
    return true;
  }

  size_t rank() const { return rows.size(); }

private:
  static uint64_t topBit(uint64_t vector) {
    return uint64_t(1) << Log2_64(vector);
  }
  SmallVector<Row, 16> rows;
};

} // namespace

LinearLayout::LinearLayout(SmallVector<InDim, 4> ins,
                           SmallVector<OutDim, 4> outs)
    : ins(std::move(ins)), outs(std::move(outs)) {
#ifndef NDEBUG
  for (const OutDim &out : this->outs)
    log2Exact(out.size);
  for (const InDim &in : this->ins)
    for (const Basis &basis : in.bases) {
      assert(basis.size() == this->outs.size() && "one image per output");
      for (auto [value, out] : zip(basis, this->outs))
        assert(value >= 0 && value < out.size && "image outside the output");
    }
#endif
}

LinearLayout LinearLayout::strided(int32_t size, int32_t stride, StringRef in,
                                   StringRef out) {
  InDim dim{in.str(), {}};
  for (int32_t bit = 0, end = log2Exact(size); bit < end; ++bit)
    dim.bases.push_back({stride << bit});
  return LinearLayout({dim}, {{out.str(), size * stride}});
}

LinearLayout LinearLayout::identity(int32_t size, StringRef in, StringRef out) {
  return strided(size, 1, in, out);
}

LinearLayout LinearLayout::zeros(int32_t size, StringRef in, StringRef out,
                                 int32_t outSize) {
  InDim dim{in.str(), {}};
  for (int32_t bit = 0, end = log2Exact(size); bit < end; ++bit)
    dim.bases.push_back({0});
  return LinearLayout({dim}, {{out.str(), outSize}});
}

//===-- Shape -------------------------------------------------------------===//

int LinearLayout::findIn(StringRef name) const {
  for (auto [i, dim] : enumerate(ins))
    if (dim.name == name)
      return i;
  return -1;
}

int LinearLayout::findOut(StringRef name) const {
  for (auto [i, dim] : enumerate(outs))
    if (dim.name == name)
      return i;
  return -1;
}

int32_t LinearLayout::inBits(StringRef name) const {
  int i = findIn(name);
  return i < 0 ? 0 : int32_t(ins[i].bases.size());
}

int32_t LinearLayout::outBits(StringRef name) const {
  int i = findOut(name);
  return i < 0 ? 0 : log2Exact(outs[i].size);
}

int32_t LinearLayout::totalInBits() const {
  int32_t bits = 0;
  for (const InDim &dim : ins)
    bits += int32_t(dim.bases.size());
  return bits;
}

int32_t LinearLayout::totalOutBits() const {
  int32_t bits = 0;
  for (const OutDim &dim : outs)
    bits += log2Exact(dim.size);
  return bits;
}

int32_t LinearLayout::basis(StringRef in, int32_t bit, StringRef out) const {
  int i = findIn(in), o = findOut(out);
  assert(i >= 0 && o >= 0 && "unknown dimension");
  return ins[i].bases[bit][o];
}

//===-- Columns -----------------------------------------------------------===//

SmallVector<uint64_t, 32> LinearLayout::columns() const {
  SmallVector<uint64_t, 32> result;
  for (const InDim &dim : ins)
    for (const Basis &basis : dim.bases) {
      uint64_t column = 0;
      int32_t shift = 0;
      for (auto [value, out] : zip(basis, outs)) {
        column |= uint64_t(value) << shift;
        shift += log2Exact(out.size);
      }
      result.push_back(column);
    }
  assert(totalInBits() <= 64 && totalOutBits() <= 64 && "layout too large");
  return result;
}

LinearLayout
LinearLayout::fromColumns(ArrayRef<uint64_t> columns,
                          ArrayRef<std::pair<std::string, int32_t>> inBits,
                          ArrayRef<OutDim> outs) {
  SmallVector<InDim, 4> ins;
  size_t next = 0;
  for (const auto &[name, bits] : inBits) {
    InDim dim{name, {}};
    for (int32_t bit = 0; bit < bits; ++bit) {
      uint64_t column = columns[next++];
      Basis basis;
      for (const OutDim &out : outs) {
        basis.push_back(int32_t(column & uint64_t(out.size - 1)));
        column >>= log2Exact(out.size);
      }
      dim.bases.push_back(std::move(basis));
    }
    ins.push_back(std::move(dim));
  }
  return LinearLayout(std::move(ins), SmallVector<OutDim, 4>(outs));
}

//===-- Application -------------------------------------------------------===//

LinearLayout::Coordinates LinearLayout::apply(const Coordinates &place) const {
  Coordinates result;
  for (const OutDim &out : outs)
    result.push_back({out.name, 0});
  for (const auto &[name, value] : place) {
    int i = findIn(name);
    assert(i >= 0 && value >= 0 && value < (1 << ins[i].bases.size()) &&
           "place outside the layout");
    for (auto [bit, basis] : enumerate(ins[i].bases))
      if (value >> bit & 1)
        for (auto [o, image] : enumerate(basis))
          result[o].second ^= image;
  }
  return result;
}

uint64_t LinearLayout::applyFlat(uint64_t place) const {
  uint64_t result = 0;
  for (auto [bit, column] : enumerate(columns()))
    if (place >> bit & 1)
      result ^= column;
  return result;
}

//===-- Algebra -----------------------------------------------------------===//

LinearLayout operator*(const LinearLayout &inner, const LinearLayout &outer) {
  SmallVector<LinearLayout::OutDim, 4> outs(inner.outs);
  SmallVector<int32_t, 4> shifts; // of outer's images in the product's outputs
  SmallVector<int, 4> positions;
  for (const auto &out : outer.outs) {
    int o = inner.findOut(out.name);
    if (o < 0) {
      positions.push_back(outs.size());
      shifts.push_back(0);
      outs.push_back(out);
    } else {
      positions.push_back(o);
      shifts.push_back(log2Exact(inner.outs[o].size));
      outs[o].size *= out.size;
    }
  }
  SmallVector<LinearLayout::InDim, 4> ins(inner.ins);
  for (auto &dim : ins)
    for (auto &basis : dim.bases)
      basis.resize(outs.size(), 0);
  for (const auto &dim : outer.ins) {
    int i = inner.findIn(dim.name);
    if (i < 0) {
      i = ins.size();
      ins.push_back({dim.name, {}});
    }
    for (const auto &basis : dim.bases) {
      LinearLayout::Basis image(outs.size(), 0);
      for (auto [o, value] : enumerate(basis))
        image[positions[o]] = value << shifts[o];
      ins[i].bases.push_back(std::move(image));
    }
  }
  return LinearLayout(std::move(ins), std::move(outs));
}

LinearLayout LinearLayout::compose(const LinearLayout &outer) const {
  SmallVector<InDim, 4> result;
  for (const InDim &dim : ins) {
    InDim composed{dim.name, {}};
    for (const Basis &basis : dim.bases) {
      Coordinates place;
      for (auto [value, out] : zip(basis, outs))
        place.push_back({out.name, value});
      Basis image;
      for (const auto &[name, value] : outer.apply(place))
        image.push_back(value);
      composed.bases.push_back(std::move(image));
    }
    result.push_back(std::move(composed));
  }
  return LinearLayout(std::move(result), outer.outs);
}

std::optional<LinearLayout> LinearLayout::rightInverse() const {
  Echelon echelon;
  for (auto [index, column] : enumerate(columns()))
    echelon.add(column, index);
  SmallVector<uint64_t, 32> inverse;
  for (int32_t bit = 0, end = totalOutBits(); bit < end; ++bit) {
    Echelon::Row row = echelon.reduce({uint64_t(1) << bit, 0});
    if (row.vector)
      return std::nullopt;
    inverse.push_back(row.combination);
  }
  SmallVector<std::pair<std::string, int32_t>, 4> inBits;
  for (const OutDim &out : outs)
    inBits.push_back({out.name, log2Exact(out.size)});
  SmallVector<OutDim, 4> newOuts;
  for (const InDim &dim : ins)
    newOuts.push_back({dim.name, 1 << dim.bases.size()});
  return fromColumns(inverse, inBits, newOuts);
}

std::optional<LinearLayout>
LinearLayout::invertAndCompose(const LinearLayout &other) const {
  SmallVector<StringRef, 4> order;
  for (const OutDim &out : other.outs)
    order.push_back(out.name);
  LinearLayout self = reorderOuts(order);
  for (auto [mine, theirs] : zip(self.outs, other.outs))
    if (mine.size != theirs.size)
      return std::nullopt;

  Echelon echelon;
  for (auto [index, column] : enumerate(other.columns()))
    echelon.add(column, index);
  SmallVector<uint64_t, 32> result;
  for (uint64_t column : self.columns()) {
    Echelon::Row row = echelon.reduce({column, 0});
    if (row.vector)
      return std::nullopt;
    result.push_back(row.combination);
  }
  SmallVector<std::pair<std::string, int32_t>, 4> inBits;
  for (const InDim &dim : self.ins)
    inBits.push_back({dim.name, int32_t(dim.bases.size())});
  SmallVector<OutDim, 4> newOuts;
  for (const InDim &dim : other.ins)
    newOuts.push_back({dim.name, 1 << dim.bases.size()});
  return fromColumns(result, inBits, newOuts);
}

std::optional<LinearLayout>
LinearLayout::divideLeft(const LinearLayout &tile) const {
  // The quotient, if any, is what follows the tile's bits in each dimension
  // with the tile's output bits shifted out; the product tells if it was one.
  SmallVector<OutDim, 4> quotientOuts;
  for (const OutDim &out : outs) {
    int32_t below = tile.outBits(out.name);
    if (log2Exact(out.size) < below)
      return std::nullopt;
    quotientOuts.push_back({out.name, out.size >> below});
  }
  SmallVector<InDim, 4> quotientIns;
  for (const InDim &dim : ins) {
    size_t below = tile.inBits(dim.name);
    if (dim.bases.size() < below)
      return std::nullopt;
    InDim rest{dim.name, {}};
    for (const Basis &basis : drop_begin(dim.bases, below)) {
      Basis image;
      for (auto [value, out] : zip(basis, outs))
        image.push_back(value >> tile.outBits(out.name));
      rest.bases.push_back(std::move(image));
    }
    quotientIns.push_back(std::move(rest));
  }
  LinearLayout quotient(std::move(quotientIns), std::move(quotientOuts));

  SmallVector<StringRef, 4> inOrder, outOrder;
  for (const InDim &dim : ins)
    inOrder.push_back(dim.name);
  for (const OutDim &out : outs)
    outOrder.push_back(out.name);
  for (const InDim &dim : tile.ins)
    if (!hasInDim(dim.name))
      return std::nullopt;
  for (const OutDim &out : tile.outs)
    if (!hasOutDim(out.name))
      return std::nullopt;
  LinearLayout product =
      (tile * quotient).reorderIns(inOrder).reorderOuts(outOrder);
  if (product != *this)
    return std::nullopt;
  return quotient;
}

LinearLayout LinearLayout::sublayout(ArrayRef<StringRef> inNames,
                                     ArrayRef<StringRef> outNames) const {
  SmallVector<int, 4> keep;
  SmallVector<OutDim, 4> newOuts;
  for (StringRef name : outNames) {
    int o = findOut(name);
    assert(o >= 0 && "unknown output dimension");
    keep.push_back(o);
    newOuts.push_back(outs[o]);
  }
  SmallVector<InDim, 4> newIns;
  for (StringRef name : inNames) {
    int i = findIn(name);
    assert(i >= 0 && "unknown input dimension");
    InDim dim{ins[i].name, {}};
    for (const Basis &basis : ins[i].bases) {
      Basis image;
      for (int o : keep)
        image.push_back(basis[o]);
      dim.bases.push_back(std::move(image));
    }
    newIns.push_back(std::move(dim));
  }
  return LinearLayout(std::move(newIns), std::move(newOuts));
}

LinearLayout LinearLayout::reorderIns(ArrayRef<StringRef> names) const {
  assert(names.size() == ins.size() && "every input dimension, once");
  SmallVector<StringRef, 4> outNames;
  for (const OutDim &out : outs)
    outNames.push_back(out.name);
  return sublayout(names, outNames);
}

LinearLayout LinearLayout::reorderOuts(ArrayRef<StringRef> names) const {
  assert(names.size() == outs.size() && "every output dimension, once");
  SmallVector<StringRef, 4> inNames;
  for (const InDim &dim : ins)
    inNames.push_back(dim.name);
  return sublayout(inNames, names);
}

LinearLayout LinearLayout::renameIn(StringRef from, StringRef to) const {
  int i = findIn(from);
  assert(i >= 0 && !hasInDim(to) && "rename to a name that is free");
  LinearLayout result = *this;
  result.ins[i].name = to.str();
  return result;
}

LinearLayout LinearLayout::renameOut(StringRef from, StringRef to) const {
  int o = findOut(from);
  assert(o >= 0 && !hasOutDim(to) && "rename to a name that is free");
  LinearLayout result = *this;
  result.outs[o].name = to.str();
  return result;
}

LinearLayout LinearLayout::reshapeOuts(ArrayRef<OutDim> newOuts) const {
  int32_t bits = 0;
  for (const OutDim &out : newOuts)
    bits += log2Exact(out.size);
  assert(bits == totalOutBits() && "a reshape keeps the number of elements");
  (void)bits;
  SmallVector<std::pair<std::string, int32_t>, 4> inBits;
  for (const InDim &dim : ins)
    inBits.push_back({dim.name, int32_t(dim.bases.size())});
  return fromColumns(columns(), inBits, newOuts);
}

LinearLayout
LinearLayout::reshapeIns(ArrayRef<std::pair<StringRef, int32_t>> newIns) const {
  SmallVector<std::pair<std::string, int32_t>, 4> inBits;
  int32_t bits = 0;
  for (const auto &[name, size] : newIns) {
    inBits.push_back({name.str(), log2Exact(size)});
    bits += inBits.back().second;
  }
  assert(bits == totalInBits() && "a reshape keeps the number of places");
  (void)bits;
  return fromColumns(columns(), inBits, outs);
}

//===-- Questions ---------------------------------------------------------===//

int32_t LinearLayout::rank() const {
  Echelon echelon;
  for (auto [index, column] : enumerate(columns()))
    echelon.add(column, index);
  return int32_t(echelon.rank());
}

int32_t LinearLayout::freeVariableMask(StringRef in) const {
  Echelon echelon;
  int32_t mask = 0;
  SmallVector<uint64_t, 32> all = columns();
  unsigned index = 0;
  for (const InDim &dim : ins)
    for (size_t bit = 0; bit < dim.bases.size(); ++bit, ++index)
      if (!echelon.add(all[index], index) && dim.name == in)
        mask |= 1 << bit;
  return mask;
}

int32_t LinearLayout::contiguousInputs(StringRef in, StringRef out) const {
  int i = findIn(in), o = findOut(out);
  if (i < 0 || o < 0)
    return 1;
  int32_t bits = 0;
  for (const Basis &basis : ins[i].bases) {
    bool next = basis[o] == 1 << bits;
    for (auto [other, image] : enumerate(basis))
      next &= int(other) == o || image == 0;
    if (!next)
      break;
    ++bits;
  }
  // Other inputs that touch the bits already counted (a swizzle) start the run
  // at another element, and XOR below them would break it: shrink until free.
  auto disturbs = [&](int32_t count) {
    for (auto [j, dim] : enumerate(ins))
      for (auto [bit, basis] : enumerate(dim.bases))
        if (!(int(j) == i && int32_t(bit) < count) &&
            (basis[o] & ((1 << count) - 1)))
          return true;
    return false;
  };
  while (bits > 0 && disturbs(bits))
    --bits;
  return 1 << bits;
}

bool LinearLayout::isIdentityOn(StringRef in, StringRef out) const {
  int i = findIn(in), o = findOut(out);
  if (i < 0 || o < 0)
    return inBits(in) == 0 && outBits(out) == 0;
  if (int32_t(ins[i].bases.size()) != log2Exact(outs[o].size))
    return false;
  for (auto [j, dim] : enumerate(ins))
    for (auto [bit, basis] : enumerate(dim.bases))
      for (auto [p, image] : enumerate(basis)) {
        bool inside = int(j) == i && int(p) == o;
        bool outside = int(j) != i && int(p) != o;
        if (!outside && image != (inside ? 1 << bit : 0))
          return false;
      }
  return true;
}

bool LinearLayout::operator==(const LinearLayout &other) const {
  if (ins.size() != other.ins.size() || outs.size() != other.outs.size())
    return false;
  for (auto [a, b] : zip(outs, other.outs))
    if (a.name != b.name || a.size != b.size)
      return false;
  for (auto [a, b] : zip(ins, other.ins))
    if (a.name != b.name || a.bases != b.bases)
      return false;
  return true;
}

llvm::hash_code hash_value(const LinearLayout &layout) {
  llvm::hash_code hash = 0;
  for (const auto &in : layout.ins)
    for (const auto &basis : in.bases)
      hash = llvm::hash_combine(
          hash, llvm::hash_combine_range(basis.begin(), basis.end()));
  for (const auto &out : layout.outs)
    hash = llvm::hash_combine(hash, out.size);
  return hash;
}

std::string LinearLayout::str() const {
  std::string text;
  raw_string_ostream os(text);
  for (const InDim &dim : ins) {
    os << dim.name << ": [";
    interleaveComma(dim.bases, os, [&](const Basis &basis) {
      os << '(';
      interleave(basis, os, ",");
      os << ')';
    });
    os << "] ";
  }
  os << "->";
  interleave(
      outs, os,
      [&](const OutDim &out) { os << ' ' << out.name << ": " << out.size; },
      ",");
  return text;
}

} // namespace nereid
