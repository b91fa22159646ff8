//===- LoopDot.h - Dots that a loop sums up --------------------*- C++ -*-===//
//
// Two things make a dot in a loop faster than one dot per iteration. Where the
// loop only sums products, the operands of several iterations are packed behind
// one another and multiplied at once, so that the accumulator is loaded and
// stored less often; each element still sums in ascending k. And packed panels
// of B are kept in scratch memory with the values they were made from: a later
// program that would pack the same panel finds it there.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_LOOPDOT_H
#define NEREID_COMPILER_TARGET_CPU_LOOPDOT_H

#include "compiler/Target/CPU/Buffers.h"
#include "compiler/Target/CPU/DotLayout.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nereid::cpu {

struct LoopDot {
  tt::DotOp op;
  int64_t merge = 1; ///< iterations multiplied at once
  int64_t slots = 1; ///< panels of B kept, one per iteration
  bool keeps = false;
  llvm::SmallVector<mlir::Value> keys; ///< scalars that decide what B is
  DotShape shape;                      ///< with k as the buffers have room for
  PanelLayout panels;
  Buffer *a = nullptr, *b = nullptr;         ///< all of it
  Buffer *aView = nullptr, *bView = nullptr; ///< this iteration's part
  Buffer *tags = nullptr;

  // In the loop:
  mlir::Value slot;   ///< i64
  mlir::Value flush;  ///< i1: multiply in this iteration (null: in each)
  mlir::Value kCount; ///< i64: rows to multiply (null: all)
  mlir::Value bStart; ///< !llvm.ptr: where those rows begin
};

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_LOOPDOT_H
