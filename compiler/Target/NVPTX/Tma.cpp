//===- Tma.cpp - Copies by the copy engine, and memory barriers ----------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

using namespace mlir;

namespace nereid::nvptx {

void addTma(gpu::EmitTable &table) { (void)table; }

} // namespace nereid::nvptx
