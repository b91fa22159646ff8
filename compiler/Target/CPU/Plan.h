//===- Plan.h - Which loops a block becomes, and what they keep -*- C++ -*-===//
//
// A block of the tile program becomes a list of items: scalar operations,
// control flow, dots and scans in their order, and between them loop nests. A
// nest evaluates its sinks strip by strip; what sinks need and nothing else
// keeps is computed on the way, in registers.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_PLAN_H
#define NEREID_COMPILER_TARGET_CPU_PLAN_H

#include "compiler/Target/CPU/Buffers.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <vector>

namespace nereid::cpu {

class Kernel;

/// Why a nest evaluates something.
struct Sink {
  enum class Kind {
    Store,       ///< tt.store
    Reduce,      ///< tt.reduce
    Materialize, ///< keep `value` in `buffer`
    Atomic,      ///< tt.atomic_rmw, tt.atomic_cas
    Histogram,   ///< tt.histogram
    Map,         ///< tt.map_elementwise
    Assert,      ///< tt.assert
    Print,       ///< tt.print
  };
  Kind kind;
  mlir::Operation *op = nullptr;
  mlir::Value value;
  Buffer *buffer = nullptr;
  /// Materialize: later uses of `value` read the buffer.
  bool bind = true;
  /// Reduce, Atomic, Histogram, Map: a buffer per result (null: a scalar, or
  /// unused).
  llvm::SmallVector<Buffer *> results;
};

struct LoopDot;

/// One loop nest over a tile's index space.
struct Nest {
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<Sink> sinks;
  bool elementwise = false; ///< one element at a time, in order
  /// Packs a panel of B that may be there already; takes no other sinks.
  LoopDot *guard = nullptr;
};

/// A dot and where its operands lie.
struct DotPlan {
  mlir::Operation *op = nullptr;
  LoopDot *loop = nullptr;
  Buffer *a = nullptr, *b = nullptr;
  Buffer *c = nullptr; ///< accumulator and result
  bool overwrite = false;
};

/// A scan over operands that lie in the result buffers.
struct ScanPlan {
  mlir::Operation *op = nullptr;
  llvm::SmallVector<Buffer *> data;
};

struct Item {
  mlir::Operation *op = nullptr; ///< a scalar or control-flow operation
  std::unique_ptr<Nest> nest;
  std::unique_ptr<DotPlan> dot;
  std::unique_ptr<ScanPlan> scan;
};

struct Plan {
  std::vector<Item> items;
  /// Done last, as if at once.
  llvm::SmallVector<std::pair<Buffer *, mlir::Value>> copies;
};

/// A tile that a terminator passes on.
struct HandOver {
  mlir::Value value;
  Buffer *to = nullptr;
  /// The carried tile whose buffer `to` is: `value` may be computed in place
  /// when nothing else needs the old contents. Null when `to` is unused.
  mlir::Value carried;
};

/// How a dot wants an operand; operands that do not change in a loop are packed
/// before it.
struct OperandLayout {
  mlir::Type stored;
  int64_t panel = 0, group = 1, paddedK = 0;
  bool operator==(const OperandLayout &o) const {
    return stored == o.stored && panel == o.panel && group == o.group &&
           paddedK == o.paddedK;
  }
};
struct PackedOperand {
  mlir::Value value;
  OperandLayout layout;
  Buffer *buffer = nullptr;
};

mlir::FailureOr<Plan> planBlock(Kernel &kernel, mlir::Block &block,
                                llvm::ArrayRef<HandOver> targets);

//===- Questions about the tile program -------------------------------------//

/// The tensor op is evaluated where it is used, strip by strip.
bool isInline(const Kernel &kernel, mlir::Operation *op);
/// Costs enough to be computed once when several nests need it.
bool isHeavy(mlir::Operation *op);
bool isTensor(mlir::Value v);

/// How an integer or pointer tensor changes along one dimension, in elements.
struct DimStride {
  enum class Kind { Constant, Runtime, Unknown } kind = Kind::Unknown;
  int64_t value = 0;
  static DimStride constant(int64_t v) { return {Kind::Constant, v}; }
  static DimStride runtime() { return {Kind::Runtime, 0}; }
  static DimStride unknown() { return {Kind::Unknown, 0}; }
};
DimStride dimStride(mlir::Value v, unsigned dim);

/// The function argument that a pointer tensor or scalar is derived from.
mlir::Value basePointer(mlir::Value v);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_PLAN_H
