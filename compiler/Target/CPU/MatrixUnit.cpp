//===- MatrixUnit.cpp - Dots on a CPU's matrix unit -----------------------===//

#include "compiler/Target/CPU/MatrixUnit.h"

using namespace mlir;

namespace nereid::cpu {

std::optional<PanelLayout> matrixPanelLayout(const DotShape &,
                                             const TargetInfo &) {
  return std::nullopt;
}

LogicalResult emitMatrixDot(OpBuilder &, Location loc, const DotShape &, Value,
                            Value, Value, Value, Value, const TargetInfo &,
                            const DotOptions &) {
  return emitError(loc) << "the target has no matrix unit";
}

} // namespace nereid::cpu
