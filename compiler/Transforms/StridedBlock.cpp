//===- StridedBlock.cpp - A window of a strided array ---------------------===//

#include "compiler/Transforms/StridedBlock.h"

using namespace mlir;

namespace nereid {

Value toI64(OpBuilder &builder, Location loc, Value value) {
  Type type = tt::withElementType(value.getType(), builder.getI64Type());
  if (value.getType() == type)
    return value;
  return arith::ExtSIOp::create(builder, loc, type, value);
}

Value splatTo(OpBuilder &builder, Location loc, Value value,
              ArrayRef<int64_t> shape) {
  return tt::SplatOp::create(
      builder, loc, RankedTensorType::get(shape, value.getType()), value);
}

Value alongDim(OpBuilder &builder, Location loc, Value coordinates,
               unsigned dim, unsigned rank) {
  for (unsigned i = 0; i < rank; ++i)
    if (i != dim)
      coordinates = tt::ExpandDimsOp::create(builder, loc, coordinates, i);
  return coordinates;
}

Value broadcastTo(OpBuilder &builder, Location loc, Value value,
                  ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return tt::BroadcastOp::create(builder, loc, type.clone(shape), value);
}

Value zeroOf(OpBuilder &builder, Location loc, Type type) {
  return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
}

Value nanOf(OpBuilder &builder, Location loc, Type type) {
  auto element = cast<FloatType>(tt::getElementType(type));
  auto nan =
      FloatAttr::get(element, APFloat::getNaN(element.getFloatSemantics()));
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return arith::ConstantOp::create(builder, loc,
                                     SplatElementsAttr::get(tensor, nan));
  return arith::ConstantOp::create(builder, loc, nan);
}

// The constants 0 .. n-1 along one dimension of the block, as i64.
static Value rangeAlong(OpBuilder &builder, Location loc,
                        ArrayRef<int64_t> block, unsigned dim) {
  Value range = tt::MakeRangeOp::create(builder, loc, 0,
                                        static_cast<int32_t>(block[dim]));
  return alongDim(builder, loc, toI64(builder, loc, range), dim, block.size());
}

Value StridedBlock::pointers(OpBuilder &builder, Location loc) const {
  // Everything uniform goes to the scalar base, so that the tensor of offsets
  // stays the same when the block moves.
  Value start = base;
  Value elements;
  for (unsigned dim = 0; dim < block.size(); ++dim) {
    Value skipped =
        arith::MulIOp::create(builder, loc, offsets[dim], strides[dim]);
    start = tt::AddPtrOp::create(builder, loc, start, skipped);
    if (block[dim] == 1)
      continue;
    Value range = rangeAlong(builder, loc, block, dim);
    Value stride = splatTo(builder, loc, strides[dim],
                           cast<RankedTensorType>(range.getType()).getShape());
    Value step =
        broadcastTo(builder, loc,
                    arith::MulIOp::create(builder, loc, range, stride), block);
    elements =
        elements ? arith::AddIOp::create(builder, loc, elements, step) : step;
  }
  Value result = splatTo(builder, loc, start, block);
  return elements ? tt::AddPtrOp::create(builder, loc, result, elements)
                  : result;
}

Value StridedBlock::mask(OpBuilder &builder, Location loc,
                         ArrayRef<int32_t> dims) const {
  Value all;
  for (int32_t dim : dims) {
    Value range = rangeAlong(builder, loc, block, dim);
    ArrayRef<int64_t> shape1 =
        cast<RankedTensorType>(range.getType()).getShape();
    Value coordinate = arith::AddIOp::create(
        builder, loc, splatTo(builder, loc, offsets[dim], shape1), range);
    Value zero = zeroOf(builder, loc, coordinate.getType());
    Value size = splatTo(builder, loc, shape[dim], shape1);
    Value low = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                      coordinate, zero);
    Value high = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                       coordinate, size);
    Value inside = broadcastTo(
        builder, loc, arith::AndIOp::create(builder, loc, low, high), block);
    all = all ? arith::AndIOp::create(builder, loc, all, inside) : inside;
  }
  return all;
}

} // namespace nereid
