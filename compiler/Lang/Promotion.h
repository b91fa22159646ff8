//===- Promotion.h - The type rules of binary operators --------*- C++ -*-===//
//
// The promotion rules of the language, free of any IR, so that tests can walk
// through every pair of types.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_PROMOTION_H
#define NEREID_COMPILER_LANG_PROMOTION_H

#include "compiler/Lang/Types.h"

namespace nereid::lang {

/// A compile-time number taking part in run-time arithmetic. Python's integers
/// are unbounded; those beyond 64 bits have no run-time type and are rejected
/// when one is asked for, so 128 bits are enough to tell.
struct Number {
  enum class Kind : uint8_t { Bool, Int, Float };
  Kind kind = Kind::Int;
  __int128 integer = 0; ///< Bool and Int
  double real = 0;      ///< Float

  static Number ofBool(bool value) { return {Kind::Bool, value, 0}; }
  static Number ofInt(__int128 value) { return {Kind::Int, value, 0}; }
  static Number ofFloat(double value) { return {Kind::Float, 0, value}; }
  bool isFloat() const { return kind == Kind::Float; }
  bool isZero() const { return isFloat() ? real == 0 : integer == 0; }
  bool isNegative() const { return isFloat() ? real < 0 : integer < 0; }
  double asDouble() const {
    return isFloat() ? real : static_cast<double>(integer);
  }
  /// As Python prints it.
  std::string str() const;
};

/// The type a literal takes by itself: i1; i32, u32, i64 or u64; fp32, or fp64
/// outside fp32's normal range. No value for an integer beyond 64 bits.
std::optional<ScalarId> literalType(const Number &number);

/// One side of an operator: its scalar type, and whether it is a literal or
/// constexpr rather than a run-time value.
struct PromotionOperand {
  const Type *type = nullptr; ///< a scalar or pointer
  bool isLiteral = false;
};

/// The type in which `a op b` computes; `divides` for `/`, `//` and `%`. No
/// value on error, with `error` set to the reason.
std::optional<ScalarId> computationType(PromotionOperand a, PromotionOperand b,
                                        bool divides, std::string &error);

/// The usual conversion of two integers: the wider one; between different
/// signedness the unsigned one if it is at least as wide.
ScalarId promoteIntegers(ScalarId a, ScalarId b);

/// The smallest and largest value of an integer type.
__int128 minValue(ScalarId dtype);
__int128 maxValue(ScalarId dtype);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_PROMOTION_H
