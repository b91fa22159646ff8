//===- TTFold.cpp - Folding single ops ------------------------------------===//
//
// A fold looks at one op, its constant operands and the ops that define its
// operands; it makes no new op. The rest is in TTCanonicalize.cpp.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"

using namespace mlir;
using namespace nereid::tt;

namespace {

// `attr` of a splat constant, in the shape of `type`; null otherwise.
Attribute resplat(Attribute attr, Type type) {
  auto splat = dyn_cast_or_null<SplatElementsAttr>(attr);
  if (!splat)
    return {};
  return SplatElementsAttr::get(cast<ShapedType>(type),
                                splat.getSplatValue<Attribute>());
}

// The elements of a constant in row-major order under another shape.
Attribute reshapeConstant(Attribute attr, Type type) {
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(attr))
    return dense.reshape(cast<ShapedType>(type));
  return {};
}

// True for an integer zero, or a tensor of them.
bool isZero(Attribute attr) {
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(attr))
    attr = splat.getSplatValue<Attribute>();
  auto integer = dyn_cast_or_null<IntegerAttr>(attr);
  return integer && integer.getValue().isZero();
}

// Applies `convert` to a scalar constant or to the element of a splat one;
// null when it gives null.
Attribute mapConstant(Attribute attr, Type type,
                      llvm::function_ref<Attribute(Attribute, Type)> convert) {
  if (!attr)
    return {};
  if (auto splat = dyn_cast<SplatElementsAttr>(attr)) {
    Attribute element =
        convert(splat.getSplatValue<Attribute>(), getElementType(type));
    if (!element)
      return {};
    return SplatElementsAttr::get(cast<ShapedType>(type), element);
  }
  return isa<RankedTensorType>(type) ? Attribute() : convert(attr, type);
}

Attribute bitcastElement(Attribute attr, Type type) {
  APInt bits;
  if (auto integer = dyn_cast<IntegerAttr>(attr))
    bits = integer.getValue();
  else if (auto number = dyn_cast<FloatAttr>(attr))
    bits = number.getValue().bitcastToAPInt();
  else
    return {};
  if (auto to = dyn_cast<FloatType>(type))
    return FloatAttr::get(to, APFloat(to.getFloatSemantics(), bits));
  if (isa<IntegerType>(type))
    return IntegerAttr::get(type, bits);
  return {};
}

} // namespace

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

OpFoldResult MakeRangeOp::fold(FoldAdaptor) {
  if (getType().getNumElements() != 1)
    return {};
  return SplatElementsAttr::get(
      getType(), APInt(32, static_cast<int32_t>(getStart()), true));
}

OpFoldResult SplatOp::fold(FoldAdaptor adaptor) {
  Attribute value = adaptor.getSrc();
  if (!isa_and_nonnull<FloatAttr, IntegerAttr>(value))
    return {};
  return SplatElementsAttr::get(getType(), value);
}

OpFoldResult UnsplatOp::fold(FoldAdaptor adaptor) {
  if (auto splat = getSrc().getDefiningOp<SplatOp>())
    return splat.getSrc();
  if (auto dense = dyn_cast_or_null<SplatElementsAttr>(adaptor.getSrc()))
    return dense.getSplatValue<Attribute>();
  return {};
}

OpFoldResult ExpandDimsOp::fold(FoldAdaptor adaptor) {
  return reshapeConstant(adaptor.getSrc(), getType());
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  return resplat(adaptor.getSrc(), getType());
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  return reshapeConstant(adaptor.getSrc(), getType());
}

OpFoldResult TransOp::fold(FoldAdaptor adaptor) {
  bool identity = true;
  for (auto [index, dim] : llvm::enumerate(getOrder()))
    identity = identity && static_cast<int32_t>(index) == dim;
  if (identity && getSrc().getType() == getType())
    return getSrc();
  return resplat(adaptor.getSrc(), getType());
}

OpFoldResult JoinOp::fold(FoldAdaptor adaptor) {
  auto split = getLhs().getDefiningOp<SplitOp>();
  if (split && getLhs() == split.getOutLHS() &&
      getRhs() == split.getOutRHS() && split.getSrc().getType() == getType())
    return split.getSrc();
  if (adaptor.getLhs() && adaptor.getLhs() == adaptor.getRhs())
    return resplat(adaptor.getLhs(), getType());
  return {};
}

LogicalResult SplitOp::fold(FoldAdaptor adaptor,
                            SmallVectorImpl<OpFoldResult> &results) {
  if (auto join = getSrc().getDefiningOp<JoinOp>();
      join && join.getLhs().getType() == getOutLHS().getType()) {
    results.assign({join.getLhs(), join.getRhs()});
    return success();
  }
  auto dense = dyn_cast_or_null<SplatElementsAttr>(adaptor.getSrc());
  if (!dense)
    return failure();
  Type half = getOutLHS().getType();
  Attribute part = isa<RankedTensorType>(half)
                       ? resplat(dense, half)
                       : dense.getSplatValue<Attribute>();
  results.assign({part, part});
  return success();
}

//===----------------------------------------------------------------------===//
// Pointers and bits
//===----------------------------------------------------------------------===//

OpFoldResult AddPtrOp::fold(FoldAdaptor adaptor) {
  return isZero(adaptor.getOffset()) ? OpFoldResult(getPtr()) : OpFoldResult();
}

OpFoldResult IntToPtrOp::fold(FoldAdaptor) {
  auto inverse = getSrc().getDefiningOp<PtrToIntOp>();
  if (inverse && inverse.getSrc().getType() == getType())
    return inverse.getSrc();
  return {};
}

OpFoldResult PtrToIntOp::fold(FoldAdaptor) {
  if (auto inverse = getSrc().getDefiningOp<IntToPtrOp>())
    return inverse.getSrc();
  return {};
}

OpFoldResult BitcastOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  if (auto inner = getSrc().getDefiningOp<BitcastOp>()) {
    setOperand(inner.getSrc());
    return getResult();
  }
  return mapConstant(adaptor.getSrc(), getType(), bitcastElement);
}

OpFoldResult AdvanceOp::fold(FoldAdaptor adaptor) {
  for (Attribute offset : adaptor.getOffsets())
    if (!isZero(offset))
      return {};
  return getPtr();
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

// Only what every target agrees on: a value that the result can hold without
// overflow, and no NaN.
OpFoldResult FpToFpOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  auto mode = getRounding() == RoundingMode::RTZ
                  ? llvm::RoundingMode::TowardZero
                  : llvm::RoundingMode::NearestTiesToEven;
  return mapConstant(
      adaptor.getSrc(), getType(), [&](Attribute attr, Type type) -> Attribute {
        auto number = dyn_cast<FloatAttr>(attr);
        auto to = cast<FloatType>(type);
        if (!number || !number.getValue().isFinite())
          return {};
        APFloat value = number.getValue();
        bool losesInfo = false;
        APFloat::opStatus status =
            value.convert(to.getFloatSemantics(), mode, &losesInfo);
        if ((status & APFloat::opOverflow) || !value.isFinite())
          return {};
        return FloatAttr::get(to, value);
      });
}

OpFoldResult MulhiUIOp::fold(FoldAdaptor adaptor) {
  if (isZero(adaptor.getX()))
    return adaptor.getX();
  if (isZero(adaptor.getY()))
    return adaptor.getY();
  Attribute rhs = adaptor.getY();
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(rhs))
    rhs = splat.getSplatValue<Attribute>();
  auto factor = dyn_cast_or_null<IntegerAttr>(rhs);
  if (!factor)
    return {};
  return mapConstant(
      adaptor.getX(), getType(), [&](Attribute attr, Type type) -> Attribute {
        auto number = dyn_cast<IntegerAttr>(attr);
        if (!number)
          return {};
        return IntegerAttr::get(
            type, llvm::APIntOps::mulhu(number.getValue(), factor.getValue()));
      });
}
