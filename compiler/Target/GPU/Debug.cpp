//===- Debug.cpp - Print and assert --------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"

using namespace mlir;

namespace nereid::gpu {

void addDebug(EmitTable &table) { (void)table; }

} // namespace nereid::gpu
