//===- Strip.h - The value of a tile on one strip of lanes -----*- C++ -*-===//
//
// Code is generated for one strip of lanes of a tile at a time. What a tensor
// is on a strip is kept symbolic for as long as possible, so that addresses
// stay "base + lane * stride" and masks stay comparisons of ranges.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_STRIP_H
#define NEREID_COMPILER_TARGET_CPU_STRIP_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace nereid::cpu {

struct Strip {
  enum class Kind {
    None,    ///< no value (an error was reported)
    Uniform, ///< `value` in every lane
    Affine,  ///< integer `value + i * stride`, see `overIndex`
    Vector   ///< `value` is a vector of lanes
  };
  Kind kind = Kind::None;
  /// In an affine strip `i` is the index along the whole strip dimension (the
  /// strip's start plus the lane) if true, else the lane alone.
  bool overIndex = false;
  /// Holds only under an assumption of the current version of the loop, so
  /// memory may not be read through it outside that version.
  bool assumed = false;
  mlir::Value value;
  mlir::Value stride; ///< affine: a scalar of the type of `value`
  /// Pointers: a scalar !llvm.ptr to which the rest, in bytes (i64), is added.
  mlir::Value ptr;

  explicit operator bool() const { return kind != Kind::None; }
  bool isUniform() const { return kind == Kind::Uniform; }
  bool isAffine() const { return kind == Kind::Affine; }
  bool isVector() const { return kind == Kind::Vector; }

  static Strip uniform(mlir::Value v) {
    Strip s;
    s.kind = Kind::Uniform;
    s.value = v;
    return s;
  }
  static Strip vector(mlir::Value v) {
    Strip s;
    s.kind = Kind::Vector;
    s.value = v;
    return s;
  }
  static Strip affine(mlir::Value base, mlir::Value stride, bool overIndex) {
    Strip s;
    s.kind = Kind::Affine;
    s.value = base;
    s.stride = stride;
    s.overIndex = overIndex;
    return s;
  }
  bool operator==(const Strip &o) const {
    return kind == o.kind && overIndex == o.overIndex && value == o.value &&
           stride == o.stride && ptr == o.ptr;
  }
};

/// Where in a tensor a strip lies: one i64 index per dimension.
struct Point {
  llvm::SmallVector<Strip, 4> index;
};

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_STRIP_H
