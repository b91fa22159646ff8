//===- Shapes.cpp - Shape operations, which rename registers -------------===//

#include "compiler/Target/GPU/Emitter.h"

using namespace mlir;

namespace nereid::gpu {

void addShapes(EmitTable &table) { (void)table; }

} // namespace nereid::gpu
