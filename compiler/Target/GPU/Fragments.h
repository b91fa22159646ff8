//===- Fragments.h - A product cut into matrix instructions ----*- C++ -*-===//
//
// What all matrix units that work on a warp's registers have in common: which
// registers of accumulator and operands one instruction takes, and zeros where
// the product is smaller than the instruction.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_FRAGMENTS_H
#define NEREID_COMPILER_TARGET_GPU_FRAGMENTS_H

#include "compiler/Target/GPU/Emitter.h"

#include <map>
#include <optional>

namespace nereid::gpu {

/// Coordinates in a tile, one per dimension.
using Element = llvm::SmallVector<int32_t, 4>;

/// Finds the registers of a thread by what they hold.
class RegisterIndex {
public:
  explicit RegisterIndex(const LinearLayout &layout);
  /// The register that holds, in lane 0 of warp 0, `element` (modulo the
  /// shape, which is right where the layout holds copies); -1 when none does.
  int32_t find(const Element &element) const;
  /// What each register holds there.
  llvm::ArrayRef<Element> elements() const { return held; }

private:
  Element shape;
  llvm::SmallVector<Element> held;
  std::map<std::vector<int32_t>, int32_t> registers;
};

/// A `tt.dot` as a grid of instructions.
class WarpDot {
public:
  /// Null when the dot's layouts are not those of the instruction. `bits` is
  /// the size of the operands' elements for which their layouts were made.
  static std::optional<WarpDot> match(Emitter &emitter, tt::DotOp dot,
                                      tgpu::MatrixInstruction instruction,
                                      unsigned bits);

  /// The first element (batch, row, column) of each instruction's accumulator
  /// that this thread holds a part of.
  llvm::ArrayRef<Element> origins() const { return tiles; }
  /// Steps along K, and how much of K each takes.
  int32_t kSteps() const { return steps; }

  /// The registers of the accumulator at an origin, in the instruction's order.
  /// Where the product is smaller than the instruction, several are one.
  llvm::SmallVector<int32_t> accumulator(const Element &origin) const;

  /// The scalars of operand `operand` of the instruction at an origin and a
  /// step along K, in the instruction's order.
  Registers fragment(unsigned operand, const Element &origin, int32_t step);

private:
  WarpDot(Emitter &emitter, tt::DotOp dot, tgpu::MatrixInstruction instruction,
          unsigned bits);

  Emitter &emitter;
  tt::DotOp dot;
  LinearLayout accumulatorTile, operandTiles[2];
  RegisterIndex accumulators, operands[2];
  unsigned rank;
  int64_t k;
  int32_t steps = 1;
  llvm::SmallVector<Element> tiles;
  /// True in lanes whose part of a fragment lies beyond K; null when none does.
  mlir::Value laneBeyondK[2];
};

/// A `tt.dot` whose operands hold all of K that a thread needs, by
/// multiply-adds.
mlir::LogicalResult emitThreadDot(Emitter &emitter, mlir::Operation *op);

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_FRAGMENTS_H
