//===- DotLayouts.h - How a product wants to be computed -------*- C++ -*-===//
//
// Which matrix unit serves a `tt.dot` on a target, and in which layouts or
// shared tiles that unit wants accumulator and operands.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_DOTLAYOUTS_H
#define NEREID_COMPILER_TRANSFORMS_DOTLAYOUTS_H

#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Target/Target.h"

namespace nereid::tgpu {

enum class DotUnit {
  /// Multiply-adds of each thread. Stays a `tt.dot`.
  FMA,
  /// Matrix instructions whose operands are registers of a warp (mma.sync,
  /// MFMA). Stays a `tt.dot`.
  Warp,
  /// Matrix instructions that read shared memory (wgmma). Becomes
  /// `tgpu.warpgroup_mma` followed by `tgpu.warpgroup_wait 0`.
  Warpgroup
};

/// What a dot wants.
struct DotChoice {
  DotUnit unit = DotUnit::FMA;
  /// Layout of `c` and `d`.
  LinearLayout accumulator;
  /// The types of the operands' elements. Where one differs from the dot's own
  /// the operand is converted first (`tt.fp_to_fp`, exact).
  mlir::Type elementTypes[2];
  /// Whether an operand stands in registers. Always both, but for Warpgroup,
  /// where B never does and A only when it is computed in the loop.
  bool inRegisters[2] = {true, true};
  /// Layouts of operands in registers (converted elements); not meaningful for
  /// the others.
  LinearLayout operands[2];
};

/// Chooses for a dot whose block has `numWarps` warps. Looks at types, at how
/// the operands are computed and at what the result is used for; layouts need
/// not have been assigned. Total: FMA serves everything.
DotChoice chooseDot(tt::DotOp dot, const TargetInfo &target, int32_t numWarps);

/// The tile in shared memory through which operand `operand` of this type (of
/// converted elements) goes, when its memory is contiguous along
/// `contiguousDim`. For a Warpgroup dot this is a tile that wgmma reads, whose
/// contiguous dimension is another one where wgmma demands it (operands of
/// other than 16 bits are contiguous along K); for others it is one that is
/// written and read without bank conflicts.
TileType dotOperandTile(mlir::RankedTensorType type, unsigned operand,
                        DotUnit unit, unsigned contiguousDim);

} // namespace nereid::tgpu

#endif // NEREID_COMPILER_TRANSFORMS_DOTLAYOUTS_H
