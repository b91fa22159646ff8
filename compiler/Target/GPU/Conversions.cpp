//===- Conversions.cpp - Between float formats, registers by registers ----===//

#include "compiler/Target/Convert.h"
#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::gpu {
namespace {

bool isHeld(FloatFormat format) {
  return format == FloatFormat::F64 || format == FloatFormat::F32 ||
         format == FloatFormat::F16 || format == FloatFormat::BF16;
}

/// One value by arithmetic: what every target has.
Value convert(Emitter &e, Location loc, Value value, FloatFormat from,
              FloatFormat to, Type type, Rounding rounding) {
  OpBuilder &b = e.builder;
  Type source = value.getType();
  bool exact = type.getIntOrFloatBitWidth() >= source.getIntOrFloatBitWidth();
  // Formats that have a type: LLVM has conversions by one rounding, except
  // between f16 and bf16, and from f64 to bf16.
  if (isHeld(from) && isHeld(to)) {
    if (from == to)
      return value;
    if (from == FloatFormat::F16 && to == FloatFormat::BF16) {
      value = arith::ExtFOp::create(b, loc, b.getF32Type(), ValueRange{value});
      return convert(e, loc, value, FloatFormat::F32, to, type, rounding);
    }
    if (from == FloatFormat::BF16 && to == FloatFormat::F16) {
      value = arith::ExtFOp::create(b, loc, b.getF32Type(), ValueRange{value});
      return convert(e, loc, value, FloatFormat::F32, to, type, rounding);
    }
    if (exact)
      return arith::ExtFOp::create(b, loc, type, ValueRange{value});
    bool twoSteps = from == FloatFormat::F64 && to != FloatFormat::F32;
    if (rounding == Rounding::NearestEven && !twoSteps)
      return arith::TruncFOp::create(b, loc, type, value);
  }
  ConvertFeatures features;
  features.f16 = true;
  value = emitConvert(b, loc, value, from, to, rounding, features);
  return value.getType() == type
             ? value
             : arith::BitcastOp::create(b, loc, type, value).getResult();
}

LogicalResult emitFpToFp(Emitter &e, Operation *op) {
  auto cast_ = cast<tt::FpToFpOp>(op);
  Location loc = op->getLoc();
  Type fromType = tt::getElementType(cast_.getSrc().getType());
  Type toType = tt::getElementType(cast_.getType());
  std::optional<FloatFormat> from = floatFormat(fromType);
  std::optional<FloatFormat> to = floatFormat(toType);
  if (!from || !to)
    return emitError(loc) << "no conversion from " << fromType << " to "
                          << toType;
  Rounding rounding = cast_.getRounding() == tt::RoundingMode::RTZ
                          ? Rounding::TowardZero
                          : Rounding::NearestEven;
  Type type = e.scalarType(cast_.getType());
  Registers source(e.get(cast_.getSrc()));
  Registers results =
      e.hooks.convert(e.builder, loc, source, fromType, toType, rounding);
  if (results.empty())
    for (Value value : source)
      results.push_back(convert(e, loc, value, *from, *to, type, rounding));
  e.set(cast_, std::move(results));
  return success();
}

LogicalResult emitTruncF(Emitter &e, Operation *op) {
  auto truncate = cast<arith::TruncFOp>(op);
  Location loc = op->getLoc();
  Type type = e.scalarType(truncate.getType());
  Registers source(e.get(truncate.getIn()));
  Registers results = e.hooks.convert(
      e.builder, loc, source, tt::getElementType(truncate.getIn().getType()),
      tt::getElementType(truncate.getType()), Rounding::NearestEven);
  if (results.empty())
    for (Value value : source)
      results.push_back(arith::TruncFOp::create(e.builder, loc, type, value));
  e.set(truncate, std::move(results));
  return success();
}

} // namespace

void addConversions(EmitTable &table) {
  table["tt.fp_to_fp"] = emitFpToFp;
  table["arith.truncf"] = emitTruncF;
}

} // namespace nereid::gpu
