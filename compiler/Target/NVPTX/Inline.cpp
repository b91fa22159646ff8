//===- Inline.cpp - The program's own assembly and library calls ---------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

using namespace mlir;

namespace nereid::nvptx {

void addInline(gpu::EmitTable &table) { (void)table; }

} // namespace nereid::nvptx
