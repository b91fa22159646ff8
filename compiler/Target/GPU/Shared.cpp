//===- Shared.cpp - Conversions and tiles in shared memory ---------------===//

#include "compiler/Target/GPU/Emitter.h"

using namespace mlir;

namespace nereid::gpu {

void addShared(EmitTable &table) { (void)table; }

int64_t scratchBytes(Operation *op, const TargetInfo &target) {
  (void)target;
  return memoryScratchBytes(op);
}

} // namespace nereid::gpu
