//===- Gathers.cpp - Elements that find their place at run time ----------===//

#include "compiler/Target/GPU/Emitter.h"

using namespace mlir;

namespace nereid::gpu {

void addGathers(EmitTable &table) { (void)table; }

} // namespace nereid::gpu
