//===- Memory.cpp - Global memory ----------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"

using namespace mlir;

namespace nereid::gpu {

void addMemory(EmitTable &table) { (void)table; }

int64_t memoryScratchBytes(Operation *op) {
  (void)op;
  return 0;
}

} // namespace nereid::gpu
