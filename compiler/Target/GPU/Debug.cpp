//===- Debug.cpp - Print and assert ---------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::gpu {
namespace {

LogicalResult emitPrint(Emitter &e, Operation *op) {
  return e.hooks.print(e, op);
}

// A thread stops the program when any element that it holds fails.
LogicalResult emitAssert(Emitter &e, Operation *op) {
  Value all;
  for (Value condition : Registers(e.get(op->getOperand(0))))
    all = all ? arith::AndIOp::create(e.builder, op->getLoc(), all, condition)
                    .getResult()
              : condition;
  return e.hooks.trap(e, op, all);
}

} // namespace

void addDebug(EmitTable &table) {
  table["tt.print"] = emitPrint;
  table["tt.assert"] = emitAssert;
}

} // namespace nereid::gpu
