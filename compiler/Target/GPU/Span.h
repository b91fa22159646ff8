//===- Span.h - Subspaces over F2 ------------------------------*- C++ -*-===//
//
// Sets of bit vectors closed under XOR, as the plans of data movement need
// them: is a vector inside, which of the vectors added make it, what is left of
// it outside.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_SPAN_H
#define NEREID_COMPILER_TARGET_GPU_SPAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace nereid::gpu {

using Columns = llvm::SmallVector<uint64_t, 16>;

/// The XOR of the columns whose bit is set in `bits`: a matrix times a vector.
inline uint64_t combine(llvm::ArrayRef<uint64_t> columns, uint64_t bits) {
  uint64_t result = 0;
  for (size_t i = 0; i < columns.size(); ++i)
    if (bits >> i & 1)
      result ^= columns[i];
  return result;
}

inline bool parity(uint64_t bits) { return __builtin_popcountll(bits) & 1; }

/// A subspace, with the vectors that were added to it. Rows are fully reduced:
/// a row's highest bit is in no other row, so that what `reduce` leaves of a
/// vector depends linearly on the vector.
class Span {
public:
  Span() = default;
  explicit Span(llvm::ArrayRef<uint64_t> vectors) {
    for (uint64_t vector : vectors)
      add(vector);
  }

  /// Adds a vector; false when it was inside already. Vectors are numbered in
  /// the order of the calls, those already inside included.
  bool add(uint64_t vector) {
    uint64_t own = uint64_t(1) << added++;
    uint64_t made = 0;
    vector = reduce(vector, &made);
    made ^= own;
    if (!vector) {
      relations.push_back(made);
      return false;
    }
    uint64_t top = topBit(vector);
    for (Row &row : rows)
      if (row.vector & top) {
        row.vector ^= vector;
        row.made ^= made;
      }
    rows.push_back({vector, made});
    return true;
  }
  void add(llvm::ArrayRef<uint64_t> vectors) {
    for (uint64_t vector : vectors)
      add(vector);
  }

  /// What is left of a vector outside; 0 for one inside. `made` collects which
  /// of the added vectors were taken away.
  uint64_t reduce(uint64_t vector, uint64_t *made = nullptr) const {
    uint64_t rest = vector;
    for (const Row &row : rows)
      if (vector & topBit(row.vector)) {
        rest ^= row.vector;
        if (made)
          *made ^= row.made;
      }
    return rest;
  }

  bool contains(uint64_t vector) const { return reduce(vector) == 0; }

  /// Which of the added vectors XOR to `vector`.
  std::optional<uint64_t> solve(uint64_t vector) const {
    uint64_t made = 0;
    if (reduce(vector, &made))
      return std::nullopt;
    return made;
  }

  int dim() const { return int(rows.size()); }
  /// Combinations of the added vectors that are 0: the kernel of the matrix
  /// whose columns they are.
  llvm::ArrayRef<uint64_t> kernel() const { return relations; }
  Columns basis() const {
    Columns result;
    for (const Row &row : rows)
      result.push_back(row.vector);
    return result;
  }

private:
  struct Row {
    uint64_t vector, made;
  };
  static uint64_t topBit(uint64_t vector) {
    return uint64_t(1) << (63 - __builtin_clzll(vector));
  }
  llvm::SmallVector<Row, 16> rows;
  Columns relations;
  unsigned added = 0;
};

/// A basis of what two subspaces share.
inline Columns intersect(llvm::ArrayRef<uint64_t> a,
                         llvm::ArrayRef<uint64_t> b) {
  // x = sum of a's = sum of b's: the kernel of [a b].
  Span both;
  both.add(a);
  both.add(b);
  Span result;
  Columns basis;
  for (uint64_t relation : both.kernel()) {
    uint64_t vector = combine(a, relation & ((uint64_t(1) << a.size()) - 1));
    if (result.add(vector))
      basis.push_back(vector);
  }
  return basis;
}

/// The functionals (masks f, taken as x -> parity(f & x)) on `bits` bits that
/// are 0 on all of `vectors`.
inline Columns annihilator(llvm::ArrayRef<uint64_t> vectors, unsigned bits) {
  // Row i of the transposed matrix collects bit i of every vector.
  Span rows;
  for (unsigned i = 0; i < bits; ++i) {
    uint64_t row = 0;
    for (size_t v = 0; v < vectors.size(); ++v)
      row |= (vectors[v] >> i & 1) << v;
    rows.add(row);
  }
  return Columns(rows.kernel());
}

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_SPAN_H
