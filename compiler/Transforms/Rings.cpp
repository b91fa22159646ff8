//===- Rings.cpp - Tiles that are filled ahead of their use ---------------===//

#include "compiler/Transforms/Rings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid {

static Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

Value newVariable(OpBuilder &builder, Location loc, int32_t start) {
  return tgpu::VariableOp::create(builder, loc,
                                  tgpu::VariableType::get(builder.getContext()),
                                  constant(builder, loc, start));
}

Value readVariable(OpBuilder &builder, Location loc, Value variable) {
  return tgpu::VariableGetOp::create(builder, loc, builder.getI32Type(),
                                     variable);
}

RingPosition::RingPosition(OpBuilder &builder, Location loc, int64_t depth,
                           int32_t parity)
    : depth(depth) {
  if (depth > 1)
    slotVariable = newVariable(builder, loc, 0);
  parityVariable = newVariable(builder, loc, parity);
}

Value RingPosition::slot(OpBuilder &builder, Location loc) const {
  return depth > 1 ? readVariable(builder, loc, slotVariable)
                   : constant(builder, loc, 0);
}

Value RingPosition::parity(OpBuilder &builder, Location loc) const {
  return readVariable(builder, loc, parityVariable);
}

void RingPosition::advance(OpBuilder &builder, Location loc) const {
  Value flip = constant(builder, loc, 1);
  if (depth > 1) {
    Value next = arith::AddIOp::create(builder, loc, slot(builder, loc),
                                       constant(builder, loc, 1));
    Value wraps = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        next, constant(builder, loc, depth));
    next = arith::SelectOp::create(builder, loc, wraps,
                                   constant(builder, loc, 0), next);
    tgpu::VariableSetOp::create(builder, loc, slotVariable, next);
    flip = arith::ExtUIOp::create(builder, loc, builder.getI32Type(), wraps);
  }
  Value parityNow = parity(builder, loc);
  tgpu::VariableSetOp::create(
      builder, loc, parityVariable,
      arith::XOrIOp::create(builder, loc, parityNow, flip));
}

Value tileOfRing(OpBuilder &builder, Location loc, Value ring, Value slot) {
  auto type = cast<tgpu::TileType>(ring.getType());
  if (type.getBuffers() == 1)
    return ring;
  return tgpu::TileAtOp::create(builder, loc, type.withBuffers(1), ring, slot);
}

} // namespace nereid
