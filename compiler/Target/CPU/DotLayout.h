//===- DotLayout.h - How a dot's operands lie in memory --------*- C++ -*-===//

#ifndef NEREID_COMPILER_TARGET_CPU_DOTLAYOUT_H
#define NEREID_COMPILER_TARGET_CPU_DOTLAYOUT_H

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/CPU/MicroKernels.h"
#include "compiler/Target/CPU/Plan.h"

namespace nereid::cpu {

struct DotLayout {
  DotShape shape; ///< of one matrix; cType is the type of the accumulator
  int64_t batches = 1;
  PanelLayout panels;
  OperandLayout a, b;
};

DotLayout dotLayout(tt::DotOp op, const TargetInfo &target);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_DOTLAYOUT_H
