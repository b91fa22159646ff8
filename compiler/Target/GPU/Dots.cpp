//===- Dots.cpp - Products without a matrix unit -------------------------===//

#include "compiler/Target/GPU/Emitter.h"

using namespace mlir;

namespace nereid::gpu {

void addDots(EmitTable &table) { (void)table; }

} // namespace nereid::gpu
