//===- Promotion.cpp - The type rules of binary operators -----------------===//

#include "compiler/Lang/Promotion.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallString.h"

#include <cfloat>
#include <cmath>

using namespace nereid::lang;

static std::string decimal(__int128 value) {
  bool negative = value < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(value)
                                    : static_cast<unsigned __int128>(value);
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + rest % 10));
    rest /= 10;
  } while (rest);
  return negative ? "-" + digits : digits;
}

std::string Number::str() const {
  if (kind == Kind::Bool)
    return integer ? "True" : "False";
  if (kind == Kind::Int)
    return decimal(integer);
  if (std::isnan(real))
    return "nan";
  if (std::isinf(real))
    return real < 0 ? "-inf" : "inf";
  llvm::SmallString<32> text;
  llvm::APFloat(real).toString(text, /*FormatPrecision=*/0,
                               /*FormatMaxPadding=*/16);
  std::string result = text.str().str();
  if (result.find_first_of(".Ee") == std::string::npos)
    result += ".0";
  return result;
}

std::optional<ScalarId> nereid::lang::literalType(const Number &number) {
  switch (number.kind) {
  case Number::Kind::Bool:
    return ScalarId::Int1;
  case Number::Kind::Int:
    for (ScalarId dtype :
         {ScalarId::Int32, ScalarId::UInt32, ScalarId::Int64, ScalarId::UInt64})
      if (minValue(dtype) <= number.integer &&
          number.integer <= maxValue(dtype))
        return dtype;
    return std::nullopt;
  case Number::Kind::Float: {
    double magnitude = std::fabs(number.real);
    bool isNormalF32 = FLT_MIN <= magnitude && magnitude <= FLT_MAX;
    if (isNormalF32 || magnitude == 0 || !std::isfinite(magnitude))
      return ScalarId::Float32;
    return ScalarId::Float64;
  }
  }
  return std::nullopt;
}

__int128 nereid::lang::minValue(ScalarId dtype) {
  const ScalarInfo &info = getScalarInfo(dtype);
  if (info.kind != ScalarKind::Signed)
    return 0;
  return -(static_cast<__int128>(1) << (info.bits - 1));
}

__int128 nereid::lang::maxValue(ScalarId dtype) {
  const ScalarInfo &info = getScalarInfo(dtype);
  unsigned bits = info.kind == ScalarKind::Signed ? info.bits - 1 : info.bits;
  return (static_cast<__int128>(1) << bits) - 1;
}

ScalarId nereid::lang::promoteIntegers(ScalarId a, ScalarId b) {
  const ScalarInfo &infoA = getScalarInfo(a), &infoB = getScalarInfo(b);
  bool signedA = infoA.kind == ScalarKind::Signed;
  bool signedB = infoB.kind == ScalarKind::Signed;
  if (signedA == signedB)
    return infoA.bits > infoB.bits ? a : b;
  if (!signedA)
    return infoA.bits >= infoB.bits ? a : b;
  return infoB.bits >= infoA.bits ? b : a;
}

/// bool < integer < float: a literal joins in only when its kind is higher.
static int kindRank(const Type *type) {
  if (type->isBool())
    return 0;
  return type->isInteger() ? 1 : 2;
}

std::optional<ScalarId> nereid::lang::computationType(PromotionOperand a,
                                                      PromotionOperand b,
                                                      bool divides,
                                                      std::string &error) {
  const Type *typeA = a.type, *typeB = b.type;
  if (a.isLiteral != b.isLiteral) {
    const Type *literal = a.isLiteral ? typeA : typeB;
    const Type *tensor = a.isLiteral ? typeB : typeA;
    if (kindRank(literal) <= kindRank(tensor))
      typeA = typeB = tensor;
  }
  auto either = [&](ScalarId id) { return typeA->is(id) || typeB->is(id); };

  if (either(ScalarId::Float64))
    return ScalarId::Float64;
  if (divides && (typeA->isFloat() || typeB->isFloat()))
    return ScalarId::Float32;
  if (either(ScalarId::Float32))
    return ScalarId::Float32;
  if (either(ScalarId::Float16))
    return ScalarId::Float16;
  if (either(ScalarId::BFloat16))
    return typeA == typeB ? ScalarId::BFloat16 : ScalarId::Float32;
  if (typeA->isFloat8() && typeB->isFloat8())
    return typeA == typeB ? typeA->getScalarId() : ScalarId::Float16;
  if (!typeA->isInteger() || !typeB->isInteger()) {
    error = "operands of type " + typeA->signature() + " and " +
            typeB->signature() +
            " have no common type; an 8-bit float combines only with floats, "
            "so cast one side first";
    return std::nullopt;
  }
  if (divides && typeA->isSigned() != typeB->isSigned()) {
    error = "'/', '//' and '%' take integers of equal signedness, found " +
            typeA->signature() + " and " + typeB->signature() +
            "; cast one side so that both agree";
    return std::nullopt;
  }
  return promoteIntegers(typeA->getScalarId(), typeB->getScalarId());
}
