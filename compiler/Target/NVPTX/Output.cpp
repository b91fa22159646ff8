//===- Output.cpp - Device print and traps --------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

using namespace mlir;

namespace nereid::nvptx {

LogicalResult Hooks::print(gpu::Emitter &emitter, Operation *op) {
  (void)emitter;
  return emitError(op->getLoc()) << "device_print has no code here";
}

LogicalResult Hooks::trap(gpu::Emitter &emitter, Operation *op,
                          Value condition) {
  (void)emitter, (void)condition;
  return emitError(op->getLoc()) << "device_assert has no code here";
}

} // namespace nereid::nvptx
