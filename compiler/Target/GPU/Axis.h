//===- Axis.h - One dimension of a layout, bit by bit ----------*- C++ -*-===//
//
// What reductions and scans along a dimension share: which register, lane or
// warp bit moves along it, and combinations of elements by a region.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_AXIS_H
#define NEREID_COMPILER_TARGET_GPU_AXIS_H

#include "compiler/Target/GPU/Moves.h"

namespace nereid::gpu {

enum class PlaceKind { Register, Lane, Warp };

/// The place bit that is one bit of the index along the axis.
struct AxisBit {
  PlaceKind kind;
  unsigned bit;
};

/// A layout in which every place bit moves either along the axis, by one bit of
/// its index, or across it. All layouts that passes make are of this kind.
struct Axis {
  llvm::SmallVector<AxisBit, 8> bits; ///< by significance, lowest first
  /// Place bits across the axis; those in neither set hold copies.
  uint64_t regAcross = 0, laneAcross = 0, warpAcross = 0;

  /// Place bits of a kind that move along the axis.
  uint64_t along(PlaceKind kind) const;
};
std::optional<Axis> findAxis(const LinearLayout &layout, unsigned dim);

/// A layout over the same threads for which `findAxis` holds.
LinearLayout plainLayout(const LinearLayout &like);

/// True when the region's combination is known to give the same for exchanged
/// operands: by its form, or, where it only compares and selects, by trying
/// every order that two values can have.
bool commutes(mlir::Region &region);

/// One element of each operand.
using Tuple = llvm::SmallVector<mlir::Value, 2>;

/// Combines tuples by a region. After a failure results are the operands.
class Combiner {
public:
  Combiner(Emitter &e, mlir::Location loc, mlir::Region &region)
      : e(e), loc(loc), region(region) {}
  Tuple operator()(const Tuple &earlier, const Tuple &later);
  bool failed = false;

private:
  Emitter &e;
  mlir::Location loc;
  mlir::Region &region;
};

Tuple select(Emitter &e, mlir::Location loc, mlir::Value condition,
             const Tuple &yes, const Tuple &no);

/// A table in scratch by which warps see each other's tuples: one entry for
/// each of the warps that share, next to each other, for each register and
/// place across.
class WarpExchange {
public:
  /// `run`: the warp bits that share, lowest significance first. Lanes that
  /// differ in `lanes` only, and warps in `warps`, hold different tuples; the
  /// others hold copies. The table takes as many of `registers` at a time as
  /// keep it to `limit` bytes.
  WarpExchange(llvm::ArrayRef<unsigned> run, uint64_t lanes, uint64_t warps,
               unsigned registers, llvm::ArrayRef<unsigned> elementBytes,
               int64_t limit);
  int64_t bytes(llvm::ArrayRef<unsigned> elementBytes) const;

  /// Lets the warps see each other's `tuples`, one for each of `registers`, as
  /// many at a time as the table takes. `combine` is given a register and its
  /// tuple in all sharing warps. `used`: whether threads may still read at
  /// `base` what went before; true afterwards.
  void exchange(
      Emitter &e, mlir::Location loc, mlir::Value base,
      llvm::ArrayRef<unsigned> registers, llvm::ArrayRef<Tuple> tuples,
      bool &used,
      llvm::function_ref<void(unsigned, llvm::MutableArrayRef<Tuple>)> combine);

private:
  void store(Emitter &e, mlir::Location loc, mlir::Value base,
             llvm::ArrayRef<Tuple> tuples);
  /// For each register that was stored the tuples of all sharing warps.
  llvm::SmallVector<llvm::SmallVector<Tuple>>
  load(Emitter &e, mlir::Location loc, mlir::Value base,
       llvm::ArrayRef<mlir::Type> types);
  int64_t slots() const { return int64_t(registers) << (runBits + acrossBits); }
  /// Where each operand's table starts.
  llvm::SmallVector<int64_t> starts(llvm::ArrayRef<unsigned> bytes) const;

  Columns lane, warp, runWarp;
  uint64_t laneCopies, warpCopies;
  unsigned runBits, acrossBits, registers;
};

int64_t scanScratchBytes(mlir::Operation *op);
void addScans(EmitTable &table);

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_AXIS_H
