//===- Mma.cpp - Products by mma.sync ------------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

using namespace mlir;

namespace nereid::nvptx {

void addMma(gpu::EmitTable &table) { (void)table; }

} // namespace nereid::nvptx
