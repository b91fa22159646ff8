//===- AxisInfo.h - Regularity of integers and pointers --------*- C++ -*-===//
//
// What is known, at compile time, of the pattern of an integer or pointer
// value along each dimension of its tile. Memory accesses get their vector
// width from it, masks their granularity, copies their alignment.
//
// Three numbers per dimension d, each a power of two:
//
//   contiguity    the tile splits along d into aligned runs of this length in
//                 which the value grows by 1 (pointers: by one element);
//   divisibility  divides the first value of each of those runs (pointers: the
//                 address in bytes);
//   constancy     the tile splits along d into aligned runs of this length in
//                 which the value does not change.
//
// For a 16-element tile:
//
//   arange(0, 16)            contiguity 16  divisibility 2^62  constancy 1
//   arange(0, 16) + 3        contiguity 16  divisibility 1     constancy 1
//   arange(0, 16) // 4 * 8   contiguity 1   divisibility 8     constancy 4
//   arange(0, 16) % 4        contiguity 4   divisibility 2^62  constancy 1
//
// A scalar is a value with one dimension of size 1. Arithmetic is taken not to
// wrap, as Triton's own analysis takes it: an offset that overflows i32 is a
// defect of the kernel. (The 2^62 stands for "zero: divided by everything".)
// Signed division and remainder keep a pattern only where the dividend is known
// not to be negative, because they truncate toward zero; a divisor that is one
// number for the whole tile is taken to be positive, as no index is divided by
// a negative number on purpose.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_ANALYSIS_AXISINFO_H
#define NEREID_COMPILER_ANALYSIS_AXISINFO_H

#include "mlir/Analysis/DataFlow/SparseAnalysis.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <optional>

namespace nereid {

/// The three facts of one value; see the top of this file.
class AxisInfo {
public:
  using Dims = llvm::SmallVector<int64_t, 4>;

  /// Not computed yet: the neutral element of `join`.
  AxisInfo() = default;
  AxisInfo(Dims contiguity, Dims divisibility, Dims constancy,
           std::optional<int64_t> constant = std::nullopt,
           bool nonNegative = false)
      : contiguity(std::move(contiguity)),
        divisibility(std::move(divisibility)), constancy(std::move(constancy)),
        constant(constant), nonNegative(nonNegative) {}

  /// Nothing is known, except what the shape and, for function arguments and
  /// hinted operations, `tt.divisibility` and its like say.
  static AxisInfo pessimistic(mlir::Value value);

  int64_t rank() const { return int64_t(contiguity.size()); }
  int64_t getContiguity(int64_t dim) const { return contiguity[dim]; }
  int64_t getDivisibility(int64_t dim) const { return divisibility[dim]; }
  int64_t getConstancy(int64_t dim) const { return constancy[dim]; }
  /// The value, when every element is the same known integer.
  std::optional<int64_t> getConstant() const { return constant; }
  /// True when no element, read as a signed number, is below zero.
  bool isNonNegative() const { return nonNegative; }
  AxisInfo withNonNegative(bool value) const {
    AxisInfo info = *this;
    info.nonNegative = value;
    return info;
  }

  bool operator==(const AxisInfo &other) const {
    return contiguity == other.contiguity &&
           divisibility == other.divisibility && constancy == other.constancy &&
           constant == other.constant && nonNegative == other.nonNegative;
  }
  /// What holds whichever of the two the value is.
  static AxisInfo join(const AxisInfo &a, const AxisInfo &b);
  void print(llvm::raw_ostream &os) const;

private:
  Dims contiguity, divisibility, constancy;
  std::optional<int64_t> constant;
  bool nonNegative = false;
};

/// The facts of every value in an operation, computed once.
class AxisInfoAnalysis {
public:
  /// Analyses everything inside `root`. The IR may not change afterwards.
  explicit AxisInfoAnalysis(mlir::Operation *root);
  ~AxisInfoAnalysis();

  /// Never fails: for code that is never reached it is the pessimistic value.
  AxisInfo get(mlir::Value value) const;

  /// The number of neighbouring elements along `dim` that one instruction may
  /// access through `pointers`, a tensor of pointers: bounded by contiguity
  /// and by alignment, in elements, at least 1.
  int64_t accessWidth(mlir::Value pointers, int64_t dim) const;
  /// The number of neighbouring elements along `dim` that `mask` enables or
  /// disables together.
  int64_t maskAlignment(mlir::Value mask, int64_t dim) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace nereid

#endif // NEREID_COMPILER_ANALYSIS_AXISINFO_H
