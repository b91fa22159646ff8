//===- LinearLayout.h - Layouts as linear maps over bits -------*- C++ -*-===//
//
// A tensor on a GPU is spread over registers, lanes, warps and blocks. A layout
// says which element each of those places holds. This page explains the one
// representation Nereid uses for all of them, from zero.
//
// **Everything is a power of two, so positions are bit strings.** A tile of 8
// elements held by 4 lanes with 2 registers each has a place (register r, lane
// l) of 1 + 2 bits and an element index of 3 bits. The usual blocked layout,
// where a lane holds neighbours, is
//
//     element = 2 * lane + register
//
// In bits: register bit 0 lands on index bit 0, lane bit 0 on index bit 1, lane
// bit 1 on index bit 2. Write down where each single place bit lands:
//
//     register: [1]        lane: [2, 4]
//
// These are the *bases*. The element of any place is the XOR of the bases of
// the bits that are set: register 1 of lane 3 holds 1 ^ 2 ^ 4 = 7. A map built
// this way is linear over F2, the field of two elements with XOR as addition,
// and a basis list is a matrix with one column per place bit.
//
// XOR rather than + is what makes the representation closed and complete:
//
//  * a *permutation* of bits (row major, column major, interleaved) is a basis
//    list of distinct powers of two;
//  * a *broadcast* (several places hold the same element) is a basis of 0;
//  * a *swizzle* is a basis with more than one bit: with bases [1, 2, 4^1] the
//    third bit also flips the first, which is how bank conflicts are avoided;
//  * matrix-unit fragments, ldmatrix, TMA and wgmma shared-memory tiles are all
//    of this form.
//
// **Several dimensions.** A place has named input dimensions (register, lane,
// warp, block; or offset for shared memory), an element has output dimensions
// dim0, dim1, ... A basis is then one integer per output dimension. A 4x8 tile
// with a row per lane:
//
//     register: [(0,1), (0,2), (0,4)]     lane: [(1,0), (2,0)]
//
// **Questions become linear algebra.** With the same element space:
//
//  * converting layout A to B: the map B^-1 . A from A's places to B's. If it
//  is
//    the identity on lane and warp, only registers move; if on warp, a shuffle
//    will do; otherwise it goes through shared memory (`invertAndCompose`);
//  * vector width of a memory access: how many low register bits map to
//    consecutive low index bits (`contiguousInputs`);
//  * which places hold copies: the zero columns and, in general, the kernel of
//    the matrix (`freeVariableMask`);
//  * does an instruction's fixed tile T fit into layout A: is A = T x rest
//    (`divideLeft`);
//  * bank conflicts of a shared-memory layout: the rank of the map from lane
//    bits to bank bits.
//
// Source of the idea: linear layouts over F2 as published for Triton
// (arXiv 2505.23819); text and code here are our own.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TGPU_LINEARLAYOUT_H
#define NEREID_COMPILER_DIALECT_TGPU_LINEARLAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace nereid {

/// A linear map over F2 from named input dimensions to named output
/// dimensions, each of a power-of-two size. Immutable; a value type.
///
/// Every function that takes dimension names requires that they exist; sizes
/// given as integers must be powers of two. Violations are programming errors
/// and are asserted.
class LinearLayout {
public:
  /// One image per output dimension, in the order of `outDims()`.
  using Basis = llvm::SmallVector<int32_t, 4>;
  /// An input dimension with the image of each of its bits, lowest bit first.
  struct InDim {
    std::string name;
    llvm::SmallVector<Basis, 8> bases;
  };
  struct OutDim {
    std::string name;
    int32_t size;
  };
  /// (dimension, value) pairs, as `apply` takes and returns them.
  using Coordinates = llvm::SmallVector<std::pair<std::string, int32_t>, 4>;

  /// The map with no dimensions; the unit of `operator*`.
  LinearLayout() = default;

  /// A map from its bases. Output sizes are given, not deduced, so that a map
  /// that does not reach every element can be written down.
  LinearLayout(llvm::SmallVector<InDim, 4> ins,
               llvm::SmallVector<OutDim, 4> outs);

  /// x -> x on `size` elements.
  static LinearLayout identity(int32_t size, llvm::StringRef in,
                               llvm::StringRef out);
  /// x -> x * stride on `size` inputs; the output has size * stride elements.
  static LinearLayout strided(int32_t size, int32_t stride, llvm::StringRef in,
                              llvm::StringRef out);
  /// x -> 0: `size` places that all hold element 0 of `outSize`.
  static LinearLayout zeros(int32_t size, llvm::StringRef in,
                            llvm::StringRef out, int32_t outSize = 1);

  //===-- Shape ----------------------------------------------------------===//

  llvm::ArrayRef<InDim> inDims() const { return ins; }
  llvm::ArrayRef<OutDim> outDims() const { return outs; }
  bool hasInDim(llvm::StringRef name) const { return findIn(name) >= 0; }
  bool hasOutDim(llvm::StringRef name) const { return findOut(name) >= 0; }
  /// log2 of an input dimension's size; 0 when there is no such dimension.
  int32_t inBits(llvm::StringRef name) const;
  int32_t outBits(llvm::StringRef name) const;
  int32_t inSize(llvm::StringRef name) const { return 1 << inBits(name); }
  int32_t outSize(llvm::StringRef name) const { return 1 << outBits(name); }
  int32_t totalInBits() const;
  int32_t totalOutBits() const;
  /// The image of bit `bit` of input `in` in output `out`.
  int32_t basis(llvm::StringRef in, int32_t bit, llvm::StringRef out) const;

  //===-- Application ----------------------------------------------------===//

  /// The element at a place. Missing input dimensions count as 0.
  Coordinates apply(const Coordinates &place) const;
  /// The same on flat integers: inputs and outputs concatenated in order, the
  /// first dimension in the lowest bits.
  uint64_t applyFlat(uint64_t place) const;

  //===-- Algebra --------------------------------------------------------===//

  /// The product: places side by side. A dimension in both gets `inner`'s bits
  /// below `outer`'s, so `tile * repeat` lays `tile` out `repeat` times.
  friend LinearLayout operator*(const LinearLayout &inner,
                                const LinearLayout &outer);

  /// `outer` after this map: x -> outer(this(x)). This map's output
  /// dimensions are `outer`'s input dimensions, none larger than there.
  LinearLayout compose(const LinearLayout &outer) const;

  /// A map R with this(R(y)) == y for every reachable y; free inputs are 0, so
  /// among equal copies R picks the one with the smallest place. Null when
  /// this map does not reach every output.
  std::optional<LinearLayout> rightInverse() const;

  /// The map C with other(C(x)) == this(x): where each of this layout's places
  /// finds its element in `other`. Both have the same output dimensions in any
  /// order. Null when `other` does not reach an element that this one holds.
  std::optional<LinearLayout> invertAndCompose(const LinearLayout &other) const;

  /// The map Q with `tile * Q == *this`, or null when this map does not begin
  /// with `tile`.
  std::optional<LinearLayout> divideLeft(const LinearLayout &tile) const;

  /// The restriction to some dimensions, in the order given.
  LinearLayout sublayout(llvm::ArrayRef<llvm::StringRef> inNames,
                         llvm::ArrayRef<llvm::StringRef> outNames) const;

  /// The same map with its dimensions in another order. Flat application
  /// changes, named application does not.
  LinearLayout reorderIns(llvm::ArrayRef<llvm::StringRef> names) const;
  LinearLayout reorderOuts(llvm::ArrayRef<llvm::StringRef> names) const;
  LinearLayout renameIn(llvm::StringRef from, llvm::StringRef to) const;
  LinearLayout renameOut(llvm::StringRef from, llvm::StringRef to) const;

  /// All output bits renamed to dimensions of these sizes, the first in the
  /// lowest bits: a reshape. The sizes have the same product.
  LinearLayout reshapeOuts(llvm::ArrayRef<OutDim> newOuts) const;
  LinearLayout
  reshapeIns(llvm::ArrayRef<std::pair<llvm::StringRef, int32_t>> newIns) const;

  //===-- Questions ------------------------------------------------------===//

  /// Rank of the matrix: log2 of the number of distinct elements reached.
  int32_t rank() const;
  bool isSurjective() const { return rank() == totalOutBits(); }
  bool isInjective() const { return rank() == totalInBits(); }
  bool isInvertible() const { return isSurjective() && isInjective(); }

  /// The bits of input `in` that can change without changing the element, when
  /// inputs are considered in order (first dimension, lowest bit first): a set
  /// bit's column depends on the columns before it.
  int32_t freeVariableMask(llvm::StringRef in) const;

  /// The largest n such that inputs 0..n-1 of `in` hold elements 0..n-1 of
  /// `out` in a row wherever they start: the vector width of an access.
  int32_t contiguousInputs(llvm::StringRef in, llvm::StringRef out) const;

  /// True when input `in` moves nothing but output `out`, and as the identity.
  bool isIdentityOn(llvm::StringRef in, llvm::StringRef out) const;

  bool operator==(const LinearLayout &other) const;
  bool operator!=(const LinearLayout &other) const { return !(*this == other); }

  /// "register: [(0,1)] lane: [(1,0), (2,0)] -> dim0: 4, dim1: 2".
  std::string str() const;

  friend llvm::hash_code hash_value(const LinearLayout &layout);

private:
  int findIn(llvm::StringRef name) const;
  int findOut(llvm::StringRef name) const;
  /// One column per input bit, in order; output dimensions concatenated.
  llvm::SmallVector<uint64_t, 32> columns() const;
  static LinearLayout
  fromColumns(llvm::ArrayRef<uint64_t> columns,
              llvm::ArrayRef<std::pair<std::string, int32_t>> inBits,
              llvm::ArrayRef<OutDim> outs);

  llvm::SmallVector<InDim, 4> ins;
  llvm::SmallVector<OutDim, 4> outs;
};

} // namespace nereid

#endif // NEREID_COMPILER_DIALECT_TGPU_LINEARLAYOUT_H
