//===- Dot.cpp - Matrix products from packed operands ---------------------===//

#include "compiler/Target/CPU/DotLayout.h"
#include "compiler/Target/CPU/Kernel.h"
#include "compiler/Target/CPU/LoopDot.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::cpu {

LogicalResult Kernel::emitDot(DotPlan &plan) {
  auto op = llvm::cast<tt::DotOp>(plan.op);
  Location loc = op.getLoc();
  DotLayout layout = dotLayout(op, target);
  const DotShape &shape = layout.shape;
  for (Buffer *buffer : {plan.a, plan.b, plan.c})
    pool.touch(buffer);
  DotOptions options;
  options.overwrite = plan.overwrite;
  options.aConverted = plan.a->stored == layout.panels.aElement;

  OpBuilder::InsertionGuard guard(b);
  if (LoopDot *loop = plan.loop) {
    int64_t rowStride = loop->aView ? loop->aView->strides[0] : shape.k;
    if (loop->flush) {
      auto ifOp = scf::IfOp::create(b, loc, loop->flush, false);
      b.setInsertionPointToStart(ifOp.thenBlock());
    }
    options.kCount = loop->kCount;
    options.kMultiple = shape.k;
    if (failed(cpu::emitDot(b, loc, loop->shape, plan.a->base,
                            constI64(rowStride), loop->bStart, plan.c->base,
                            constI64(shape.n), target, options)))
      return failure();
    plan.c->complete = true;
    bind(op.getD(), plan.c);
    return success();
  }
  Value batch;
  if (layout.batches > 1) {
    auto loop = scf::ForOp::create(b, loc, constI64(0),
                                   constI64(layout.batches), constI64(1));
    b.setInsertionPointToStart(loop.getBody());
    batch = loop.getInductionVar();
  }
  auto part = [&](Buffer *buffer, int64_t elements) -> Value {
    if (!batch)
      return buffer->base;
    Value offset = arith::MulIOp::create(
        b, loc, batch, constI64(elements * ops.bytes(buffer->stored)));
    return LLVM::GEPOp::create(b, loc, buffer->base.getType(), b.getI8Type(),
                               buffer->base, ArrayRef<LLVM::GEPArg>{offset});
  };
  if (failed(cpu::emitDot(
          b, loc, shape, part(plan.a, shape.m * shape.k), constI64(shape.k),
          part(plan.b, layout.panels.paddedK * shape.n),
          part(plan.c, shape.m * shape.n), constI64(shape.n), target, options)))
    return failure();
  plan.c->complete = true;
  bind(op.getD(), plan.c);
  return success();
}

} // namespace nereid::cpu
