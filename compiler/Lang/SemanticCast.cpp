//===- SemanticCast.cpp - Conversions between types (R9) ------------------===//

#include "compiler/Lang/Semantic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace nereid::lang {

namespace arith = mlir::arith;

Tensor Semantic::bitcast(Tensor input, const Type *scalarType) {
  if (!input)
    return input;
  const Type *source = input.elem(), *target = scalarType->getScalarType();
  if (source == target)
    return input;
  if (source->isPointer() || target->isPointer())
    return cast(input, target);
  if (source->getBits() != target->getBits())
    return fail("a bitcast keeps the width, found " + source->signature() +
                " (" + llvm::Twine(source->getBits()) + " bits) to " +
                target->signature() + " (" + llvm::Twine(target->getBits()) +
                " bits)");
  const Type *type = like(input, target);
  mlir::Type irType = toIR(type);
  // Types that differ in signedness alone are one IR type.
  if (irType == input.handle.getType())
    return {input.handle, type};
  return {tt::BitcastOp::create(builder, loc, irType, input.handle), type};
}

/// fp8e4b15 has no type in IR: its bytes are i8, and arithmetic converts them
/// as Triton's own conversion for NVIDIA does. The format is the upper half of
/// fp16 less an exponent bit; to it, fp32 is cut off to fp16 first, a tie
/// rounds away from zero, and what is above 1.75, NaN included, becomes 1.75.
Tensor Semantic::castFloat8E4B15(Tensor input, const Type *target) {
  auto number = [](int64_t value) { return Scalar(Number::ofInt(value)); };
  auto bits = [&](Bitwise op, Tensor value, int64_t other) {
    return bitwise(op, value, number(other));
  };
  const Type *byte = scalar(ScalarId::UInt8), *word = scalar(ScalarId::UInt16);
  if (input.elem()->is(ScalarId::Float8E4B15)) {
    Tensor wide = cast(bitcast(input, byte), word);
    Tensor rest = bits(Bitwise::Shl, bits(Bitwise::And, wide, 0x7f), 7);
    Tensor sign = bits(Bitwise::Shl, bits(Bitwise::And, wide, 0x80), 8);
    Tensor half =
        bitcast(bitwise(Bitwise::Or, rest, sign), scalar(ScalarId::Float16));
    return cast(half, target);
  }
  if (!input.elem()->is(ScalarId::Float16))
    input =
        cast(cast(input, ScalarId::Float32), scalar(ScalarId::Float16), "rtz");
  Tensor half = bitcast(input, word);
  Tensor magnitude = bits(Bitwise::And, half, 0x7fff);
  Tensor limit = constant(Number::ofInt(0x3f00), word);
  magnitude =
      where(compare(Comparison::Lt, magnitude, limit), magnitude, limit);
  Tensor rounded =
      arith(Arith::Add, bits(Bitwise::Shl, magnitude, 1), number(0x80));
  Tensor sign = bits(Bitwise::And, bits(Bitwise::Shr, half, 8), 0x80);
  Tensor result = bitwise(Bitwise::Or, bits(Bitwise::Shr, rounded, 8), sign);
  return bitcast(cast(result, byte), target);
}

Tensor Semantic::cast(Tensor input, const Type *scalarType,
                      llvm::StringRef rounding) {
  if (!input)
    return input;
  const Type *source = input.elem(), *target = scalarType->getScalarType();
  const Type *type = like(input, target);
  if (!rounding.empty() && rounding != "rtne" && rounding != "rtz")
    return fail("'fp_downcast_rounding' is \"rtne\" or \"rtz\", found \"" +
                rounding + "\"");
  // A cast to the same type is none, whatever rounding is asked of it.
  if (source == target)
    return input;
  bool narrowsFloat = source->isFloat() && target->isFloat() &&
                      target->getBits() < source->getBits();
  if (!rounding.empty() && !narrowsFloat)
    return fail("'fp_downcast_rounding' is only for a cast to a narrower "
                "float, found " +
                source->signature() + " to " + target->signature());
  if (source->is(ScalarId::Void) || target->is(ScalarId::Void))
    return fail("there is no cast from " + source->signature() + " to " +
                target->signature());

  mlir::Type irType = toIR(type);
  auto make = [&](auto tag) -> Tensor {
    using Op = decltype(tag);
    return {Op::create(builder, loc, irType, input.handle), type};
  };
  auto viaF32 = [&]() -> Tensor {
    return cast(cast(input, ScalarId::Float32), target);
  };

  if ((source->is(ScalarId::Float8E4B15) && target->isFloat()) ||
      (target->is(ScalarId::Float8E4B15) && source->isFloat()))
    return castFloat8E4B15(input, target);

  // fp8 to and from floats, and any narrowing that is not to nearest even.
  bool towardZero = rounding == "rtz";
  if ((source->isFloat8() && target->isFloat()) ||
      (source->isFloat() && target->isFloat8()) || towardZero) {
    auto mode = tt::RoundingModeAttr();
    if (narrowsFloat)
      mode = tt::RoundingModeAttr::get(builder.getContext(),
                                       towardZero ? tt::RoundingMode::RTZ
                                                  : tt::RoundingMode::RTNE);
    return {tt::FpToFpOp::create(builder, loc, irType, input.handle, mode),
            type};
  }

  // Half precision goes through fp32 unless fp32 is the destination.
  if ((source->is(ScalarId::Float16) || source->is(ScalarId::BFloat16)) &&
      !target->is(ScalarId::Float32) && !target->isPointer())
    return viaF32();

  if (source->isFloat() && target->isFloat())
    return narrowsFloat ? make(arith::TruncFOp()) : make(arith::ExtFOp());

  if (source->isInteger() && target->isInteger()) {
    if (target->isBool())
      return compare(Comparison::Ne, input, constant(Number::ofInt(0), source));
    if (target->getBits() == source->getBits())
      return {input.handle, type}; // only the signedness differs
    if (target->getBits() < source->getBits())
      return make(arith::TruncIOp());
    return source->isSigned() ? make(arith::ExtSIOp()) : make(arith::ExtUIOp());
  }

  if (source->isStandardFloat() && target->isInteger()) {
    if (target->isBool())
      return compare(Comparison::Ne, input,
                     constant(Number::ofFloat(0), source));
    return target->isSigned() ? make(arith::FPToSIOp())
                              : make(arith::FPToUIOp());
  }
  if (source->isInteger() && target->isStandardFloat())
    return source->isSigned() ? make(arith::SIToFPOp())
                              : make(arith::UIToFPOp());

  if (source->isPointer() && target->isInteger()) {
    if (target->getBits() == 64)
      return make(tt::PtrToIntOp());
    if (target->isBool()) {
      Tensor address = cast(input, ScalarId::Int64);
      return compare(Comparison::Ne, address,
                     constant(Number::ofInt(0), ScalarId::Int64));
    }
    return fail("a pointer casts to a 64-bit integer or to i1, found " +
                target->signature());
  }
  if (source->isInteger() && target->isPointer())
    return make(tt::IntToPtrOp());
  if (source->isPointer() && target->isPointer()) {
    if (irType == input.handle.getType())
      return {input.handle, type}; // only constness differs
    return make(tt::BitcastOp());
  }
  return fail("there is no cast from " + source->signature() + " to " +
              target->signature() +
              (source->isFloat8() || target->isFloat8()
                   ? "; 8-bit floats convert to and from floats only"
                   : ""));
}

} // namespace nereid::lang
