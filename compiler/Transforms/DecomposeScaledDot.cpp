//===- DecomposeScaledDot.cpp - Micro-scaled products by plain ones -------===//
//
// What the pass promises is in Passes.td. Formats are those of the OCP
// Microscaling Formats (MX) specification 1.0, sections 5.3 (e2m1) and 5.4
// (e8m0).
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_DECOMPOSESCALEDDOT
#include "compiler/Transforms/Passes.h.inc"

namespace {

/// Builds tensor arithmetic at one place.
class Emitter {
public:
  Emitter(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  RankedTensorType like(Value value, Type element) {
    return cast<RankedTensorType>(
        tt::withElementType(value.getType(), element));
  }
  Value constant(Value like, Type element, int64_t value) {
    auto type = this->like(like, element);
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, b.getIntegerAttr(element, value)));
  }

  /// The numbers of an operand as f32.
  Value decode(Value operand, tt::ScaleDotElemType format, int packedDim);
  /// [..., rows, K / group] scales spread over K, as f32 factors.
  Value factors(Value scale, int64_t k);

private:
  Value decodeE2M1(Value packed, int packedDim);
  Value decodeE2M1Half(Value nibble);

  OpBuilder &b;
  Location loc;
};

/// One value in the low four bits of each i32: sign, two exponent bits, one
/// mantissa bit; 0 and 0.5 are the denormals.
Value Emitter::decodeE2M1Half(Value nibble) {
  Type i32 = b.getI32Type();
  auto c = [&](int64_t value) { return constant(nibble, i32, value); };
  Value magnitude = arith::AndIOp::create(b, loc, nibble, c(7));
  Value exponent = arith::ShRUIOp::create(b, loc, magnitude, c(1));
  Value mantissa = arith::AndIOp::create(b, loc, magnitude, c(1));
  Value normal = arith::OrIOp::create(
      b, loc,
      arith::ShLIOp::create(
          b, loc, arith::AddIOp::create(b, loc, exponent, c(126)), c(23)),
      arith::ShLIOp::create(b, loc, mantissa, c(22)));
  Value denormal = arith::MulIOp::create(b, loc, mantissa, c(0x3f000000));
  Value isNormal =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, exponent, c(0));
  Value bits = arith::SelectOp::create(b, loc, isNormal, normal, denormal);
  Value sign = arith::ShLIOp::create(
      b, loc, arith::AndIOp::create(b, loc, nibble, c(8)), c(28));
  return tt::BitcastOp::create(b, loc, like(nibble, b.getF32Type()),
                               arith::OrIOp::create(b, loc, bits, sign));
}

/// Two values per byte, the first in the low half, unpacked along a dimension.
Value Emitter::decodeE2M1(Value packed, int packedDim) {
  Type i32 = b.getI32Type();
  Value wide = arith::ExtUIOp::create(b, loc, like(packed, i32), packed);
  Value low = decodeE2M1Half(wide);
  Value high = decodeE2M1Half(
      arith::ShRUIOp::create(b, loc, wide, constant(wide, i32, 4)));

  SmallVector<int64_t> shape(tt::getShape(packed.getType()));
  int64_t rank = int64_t(shape.size());
  SmallVector<int64_t> paired = shape;
  paired.push_back(2);
  Value pair = tt::JoinOp::create(
      b, loc, RankedTensorType::get(paired, b.getF32Type()), low, high);
  // The pair moves beside the packed dimension and melts into it.
  SmallVector<int32_t> order;
  SmallVector<int64_t> moved;
  for (int64_t dim = 0; dim < rank; ++dim) {
    order.push_back(int32_t(dim));
    moved.push_back(shape[dim]);
    if (dim == packedDim) {
      order.push_back(int32_t(rank));
      moved.push_back(2);
    }
  }
  if (packedDim != rank - 1)
    pair = tt::TransOp::create(b, loc,
                               RankedTensorType::get(moved, b.getF32Type()),
                               pair, b.getDenseI32ArrayAttr(order));
  shape[packedDim] *= 2;
  return tt::ReshapeOp::create(
      b, loc, RankedTensorType::get(shape, b.getF32Type()), pair);
}

Value Emitter::decode(Value operand, tt::ScaleDotElemType format,
                      int packedDim) {
  if (format == tt::ScaleDotElemType::E2M1)
    return decodeE2M1(operand, packedDim);
  Type element = tt::getElementType(operand.getType());
  if (element.isInteger(8)) {
    Type f8 = format == tt::ScaleDotElemType::E4M3
                  ? Type(Float8E4M3FNType::get(b.getContext()))
                  : Type(Float8E5M2Type::get(b.getContext()));
    operand = tt::BitcastOp::create(b, loc, like(operand, f8), operand);
    element = f8;
  }
  RankedTensorType type = like(operand, b.getF32Type());
  if (element.getIntOrFloatBitWidth() == 8)
    return tt::FpToFpOp::create(b, loc, type, operand, tt::RoundingModeAttr());
  return arith::ExtFOp::create(b, loc, type, operand);
}

Value Emitter::factors(Value scale, int64_t k) {
  Type i32 = b.getI32Type();
  Value factor;
  if (tt::getElementType(scale.getType()).isInteger(8)) {
    // e8m0: 2^(s - 127), which is the exponent field itself, except that 0 is
    // the denormal 2^-127 and 255 is NaN.
    Value wide = arith::ExtUIOp::create(b, loc, like(scale, i32), scale);
    auto c = [&](int64_t value) { return constant(wide, i32, value); };
    auto is = [&](int64_t value) {
      return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, wide,
                                   c(value));
    };
    Value bits = arith::ShLIOp::create(b, loc, wide, c(23));
    bits = arith::SelectOp::create(b, loc, is(0), c(0x00400000), bits);
    bits = arith::SelectOp::create(b, loc, is(255), c(0x7fc00000), bits);
    factor = tt::BitcastOp::create(b, loc, like(wide, b.getF32Type()), bits);
  } else {
    factor = tt::FpToFpOp::create(b, loc, like(scale, b.getF32Type()), scale,
                                  tt::RoundingModeAttr());
  }
  SmallVector<int64_t> shape(tt::getShape(factor.getType()));
  int64_t group = k / shape.back();
  SmallVector<int64_t> unit = shape, spread = shape;
  unit.push_back(1);
  spread.push_back(group);
  Type f32 = b.getF32Type();
  factor = tt::ExpandDimsOp::create(b, loc, RankedTensorType::get(unit, f32),
                                    factor, uint32_t(shape.size()));
  factor = tt::BroadcastOp::create(b, loc, RankedTensorType::get(spread, f32),
                                   factor);
  shape.back() = k;
  return tt::ReshapeOp::create(b, loc, RankedTensorType::get(shape, f32),
                               factor);
}

void decompose(tt::DotScaledOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Emitter emit(b, loc);
  int rank = int(tt::getShape(op.getType()).size());
  int rows = rank - 2, columns = rank - 1;

  // A is [rows, K], B is [K, columns].
  Value a = emit.decode(op.getA(), op.getAElemType(),
                        op.getLhsKPack() ? columns : rows);
  Value bOperand = emit.decode(op.getB(), op.getBElemType(),
                               op.getRhsKPack() ? rows : columns);
  int64_t k = tt::getShape(a.getType()).back();
  if (Value scale = op.getAScale())
    a = arith::MulFOp::create(b, loc, a, emit.factors(scale, k));
  if (Value scale = op.getBScale()) {
    // The scales of B are [columns, K / group].
    Value factor = emit.factors(scale, k);
    SmallVector<int32_t> order;
    for (int dim = 0; dim < rank; ++dim)
      order.push_back(dim);
    std::swap(order[rows], order[columns]);
    factor =
        tt::TransOp::create(b, loc, cast<RankedTensorType>(bOperand.getType()),
                            factor, b.getDenseI32ArrayAttr(order));
    bOperand = arith::MulFOp::create(b, loc, bOperand, factor);
  }
  Value c = op.getC();
  Type f32 = b.getF32Type();
  bool narrow = tt::getElementType(c.getType()) != f32;
  if (narrow)
    c = arith::ExtFOp::create(b, loc, tt::withElementType(c.getType(), f32), c);
  Value d = tt::DotOp::create(b, loc, c.getType(), a, bOperand, c,
                              tt::InputPrecision::IEEE, 0);
  if (narrow)
    d = arith::TruncFOp::create(b, loc, op.getType(), d);
  op.replaceAllUsesWith(d);
  op.erase();
}

struct DecomposeScaledDot : impl::DecomposeScaledDotBase<DecomposeScaledDot> {
  using DecomposeScaledDotBase::DecomposeScaledDotBase;
  void runOnOperation() override {
    SmallVector<tt::DotScaledOp> ops;
    getOperation()->walk([&](tt::DotScaledOp op) { ops.push_back(op); });
    for (tt::DotScaledOp op : ops)
      decompose(op);
  }
};

} // namespace
} // namespace nereid
