//===- Wgmma.cpp - Products by wgmma -------------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

using namespace mlir;

namespace nereid::nvptx {

void addWgmma(gpu::EmitTable &table) { (void)table; }

} // namespace nereid::nvptx
