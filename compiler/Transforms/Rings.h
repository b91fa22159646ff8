//===- Rings.h - Tiles that are filled ahead of their use ------*- C++ -*-===//
//
// A ring of tiles has a place, which stage comes next, and a parity, which
// round its memory barriers are in. Both live in variables, so that loops and
// branches around the copies need not carry them.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_RINGS_H
#define NEREID_COMPILER_TRANSFORMS_RINGS_H

#include "compiler/Dialect/TGPU/TGPUDialect.h"

namespace nereid {

/// A variable that starts as a constant, and its value now.
mlir::Value newVariable(mlir::OpBuilder &builder, mlir::Location loc,
                        int32_t start);
mlir::Value readVariable(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value variable);

class RingPosition {
public:
  /// Starts at stage 0. `parity` is 0 for who waits for stages to be filled and
  /// 1 for who waits for them to be empty, as they are in the first round.
  RingPosition(mlir::OpBuilder &builder, mlir::Location loc, int64_t depth,
               int32_t parity);

  /// Where the ring is now; i32.
  mlir::Value slot(mlir::OpBuilder &builder, mlir::Location loc) const;
  mlir::Value parity(mlir::OpBuilder &builder, mlir::Location loc) const;
  /// Goes to the next stage.
  void advance(mlir::OpBuilder &builder, mlir::Location loc) const;

private:
  int64_t depth;
  mlir::Value slotVariable, parityVariable; // no slot for one stage
};

/// The tile of stage `slot`.
mlir::Value tileOfRing(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value ring, mlir::Value slot);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_RINGS_H
