//===- EvalOperators.cpp - Evaluator: operators ---------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/Twine.h"

#include <cmath>

using namespace nereid::lang;

Value EvaluatorImpl::plain(Value value) {
  if (!value.is(Value::Kind::Instance))
    return value;
  InstanceObject &instance = value.getInstance();
  if (instance.type->role != ClassObject::Role::Enum)
    return value;
  // Members of an IntEnum or StrEnum are numbers or strings themselves.
  for (const Value &base : instance.type->bases)
    if (base.isBuiltin())
      switch (base.getBuiltin().id) {
      case BuiltinId::enum_IntEnum:
      case BuiltinId::enum_IntFlag:
      case BuiltinId::enum_StrEnum:
      case BuiltinId::py_int:
      case BuiltinId::py_str:
        if (Value *number = instance.find("value"))
          return *number;
        break;
      default:
        break;
      }
  return value;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value EvaluatorImpl::intBinary(BinaryOp op, Int128 lhs, Int128 rhs,
                               SourceRange range) {
  auto tooWide = [&] {
    return raise("LimitError", range,
                 "compile-time integers have 128 bits; this result needs more");
  };
  Int128 result = 0;
  switch (op) {
  case BinaryOp::Add:
    return __builtin_add_overflow(lhs, rhs, &result) ? tooWide()
                                                     : Value::integer(result);
  case BinaryOp::Sub:
    return __builtin_sub_overflow(lhs, rhs, &result) ? tooWide()
                                                     : Value::integer(result);
  case BinaryOp::Mul:
    return __builtin_mul_overflow(lhs, rhs, &result) ? tooWide()
                                                     : Value::integer(result);
  case BinaryOp::Div:
    if (rhs == 0)
      return raise("ZeroDivisionError", range, "division by zero");
    return Value::real(static_cast<double>(static_cast<long double>(lhs) /
                                           static_cast<long double>(rhs)));
  case BinaryOp::FloorDiv:
  case BinaryOp::Mod: {
    if (rhs == 0)
      return raise("ZeroDivisionError", range,
                   op == BinaryOp::Mod ? "modulo by zero"
                                       : "integer division by zero");
    if (rhs == -1) { // The one quotient that can overflow.
      if (op == BinaryOp::Mod)
        return Value::integer(0);
      return __builtin_sub_overflow(Int128(0), lhs, &result)
                 ? tooWide()
                 : Value::integer(result);
    }
    Int128 quotient = lhs / rhs, remainder = lhs % rhs;
    if (remainder != 0 && (remainder < 0) != (rhs < 0)) {
      --quotient;
      remainder += rhs;
    }
    return Value::integer(op == BinaryOp::Mod ? remainder : quotient);
  }
  case BinaryOp::Pow: {
    if (rhs < 0) {
      if (lhs == 0)
        return raise("ZeroDivisionError", range,
                     "0 cannot be raised to a negative power");
      return Value::real(
          std::pow(static_cast<double>(lhs), static_cast<double>(rhs)));
    }
    result = 1;
    Int128 base = lhs;
    if (base == 0 || base == 1 || base == -1)
      return Value::integer(rhs == 0     ? 1
                            : base == -1 ? (rhs % 2 ? -1 : 1)
                                         : base);
    if (rhs > 127)
      return tooWide();
    for (Int128 i = 0; i < rhs; ++i)
      if (__builtin_mul_overflow(result, base, &result))
        return tooWide();
    return Value::integer(result);
  }
  case BinaryOp::LShift:
    if (rhs < 0)
      return raise("ValueError", range, "negative shift count");
    if (lhs == 0)
      return Value::integer(0);
    if (rhs > 126)
      return tooWide();
    return __builtin_mul_overflow(lhs, Int128(1) << static_cast<int>(rhs),
                                  &result)
               ? tooWide()
               : Value::integer(result);
  case BinaryOp::RShift:
    if (rhs < 0)
      return raise("ValueError", range, "negative shift count");
    return Value::integer(lhs >> static_cast<int>(rhs > 127 ? 127 : rhs));
  case BinaryOp::BitOr:
    return Value::integer(lhs | rhs);
  case BinaryOp::BitXor:
    return Value::integer(lhs ^ rhs);
  case BinaryOp::BitAnd:
    return Value::integer(lhs & rhs);
  case BinaryOp::MatMul:
    break;
  }
  return raise("TypeError", range, "'@' does not apply to numbers");
}

Value EvaluatorImpl::floatBinary(BinaryOp op, double lhs, double rhs,
                                 SourceRange range) {
  switch (op) {
  case BinaryOp::Add:
    return Value::real(lhs + rhs);
  case BinaryOp::Sub:
    return Value::real(lhs - rhs);
  case BinaryOp::Mul:
    return Value::real(lhs * rhs);
  case BinaryOp::Div:
    if (rhs == 0)
      return raise("ZeroDivisionError", range, "float division by zero");
    return Value::real(lhs / rhs);
  case BinaryOp::FloorDiv:
  case BinaryOp::Mod: {
    if (rhs == 0)
      return raise("ZeroDivisionError", range,
                   op == BinaryOp::Mod ? "float modulo by zero"
                                       : "float floor division by zero");
    // The remainder has the sign of the divisor, and the quotient goes with it.
    double remainder = std::fmod(lhs, rhs);
    double quotient = (lhs - remainder) / rhs;
    if (remainder != 0 && (rhs < 0) != (remainder < 0)) {
      remainder += rhs;
      quotient -= 1;
    } else if (remainder == 0) {
      remainder = std::copysign(0.0, rhs);
    }
    if (op == BinaryOp::Mod)
      return Value::real(remainder);
    double whole = std::floor(quotient);
    if (quotient - whole > 0.5)
      whole += 1;
    return Value::real(quotient == 0 ? std::copysign(0.0, lhs / rhs) : whole);
  }
  case BinaryOp::Pow:
    if (lhs == 0 && rhs < 0)
      return raise("ZeroDivisionError", range,
                   "0.0 cannot be raised to a negative power");
    if (lhs < 0 && rhs != std::floor(rhs) && std::isfinite(rhs))
      return raise("Unsupported", range,
                   "a root of a negative number is complex, which is not "
                   "supported at compile time");
    if (double result = std::pow(lhs, rhs);
        !std::isinf(result) || std::isinf(lhs) || std::isinf(rhs))
      return Value::real(result);
    return raise("OverflowError", range, "the result is too large for a float");
  default:
    return raise("TypeError", range,
                 "'" + spelling(op) + "' does not apply to floats");
  }
}

Value EvaluatorImpl::sequenceBinary(BinaryOp op, Value lhs, Value rhs,
                                    SourceRange range) {
  bool repeat = op == BinaryOp::Mul;
  if (repeat && lhs.isIntegral())
    std::swap(lhs, rhs);
  auto mismatch = [&] {
    return raise("TypeError", range,
                 "'" + spelling(op) + "' does not apply to " + typeName(lhs) +
                     " and " + typeName(rhs));
  };
  if (repeat) {
    if (!rhs.isIntegral())
      return mismatch();
    Int128 count = rhs.getInt() < 0 ? 0 : rhs.getInt();
    Int128 size =
        lhs.isString() ? lhs.getString().size() : lhs.getElements().size();
    Int128 total;
    if (__builtin_mul_overflow(count, size, &total))
      total = Int128(1) << 100;
    if (!checkSize(total, range))
      return Value();
    if (lhs.isString()) {
      std::string text;
      for (Int128 i = 0; total && i < count; ++i)
        text += lhs.getString();
      return values.string(text);
    }
    llvm::SmallVector<Value, 16> items;
    for (Int128 i = 0; total && i < count; ++i)
      items.append(lhs.getElements().begin(), lhs.getElements().end());
    return lhs.isTuple() ? values.tuple(items) : values.list(items);
  }
  if (op != BinaryOp::Add)
    return mismatch();
  if (lhs.isString() && rhs.isString()) {
    llvm::StringRef a = lhs.getString(), b = rhs.getString();
    if (!checkSize(a.size() + b.size(), range))
      return Value();
    return values.string((a + b).str());
  }
  if (lhs.isSequence() && rhs.isSequence()) {
    // Kernels add lists to tuples of shapes (`x.shape[:-1] + [2]`).
    llvm::SmallVector<Value, 16> items(lhs.getElements().begin(),
                                       lhs.getElements().end());
    items.append(rhs.getElements().begin(), rhs.getElements().end());
    if (!checkSize(items.size(), range))
      return Value();
    return lhs.isTuple() ? values.tuple(items) : values.list(items);
  }
  return mismatch();
}

Value EvaluatorImpl::setBinary(BinaryOp op, Value lhs, Value rhs,
                               SourceRange range) {
  DictObject &a = lhs.getDict(), &b = rhs.getDict();
  if (!charge(a.items.size() + b.items.size(), range))
    return Value();
  auto *result = values.create<DictObject>();
  if (lhs.is(Value::Kind::Dict)) {
    if (op != BinaryOp::BitOr)
      return raise("TypeError", range,
                   "'" + spelling(op) + "' does not apply to dicts");
    for (DictObject *source : {&a, &b})
      for (const auto &[key, value] : source->items)
        result->set(key, value);
    return Value::dict(result);
  }
  for (const auto &item : a.items) {
    bool inB = b.find(item.first) != nullptr;
    if (op == BinaryOp::BitOr || (op == BinaryOp::BitAnd && inB) ||
        ((op == BinaryOp::Sub || op == BinaryOp::BitXor) && !inB))
      result->set(item.first, Value::none());
  }
  if (op == BinaryOp::BitOr || op == BinaryOp::BitXor)
    for (const auto &item : b.items)
      if (op == BinaryOp::BitOr || !a.find(item.first))
        result->set(item.first, Value::none());
  if (op != BinaryOp::BitOr && op != BinaryOp::BitAnd && op != BinaryOp::Sub &&
      op != BinaryOp::BitXor)
    return raise("TypeError", range,
                 "'" + spelling(op) + "' does not apply to sets");
  return Value::set(result);
}

/// The special method that an operator calls on a Python class.
static llvm::StringRef operatorMethod(BinaryOp op, bool reflected) {
  static constexpr llvm::StringLiteral names[][2] = {
      {"__add__", "__radd__"},         {"__sub__", "__rsub__"},
      {"__mul__", "__rmul__"},         {"__matmul__", "__rmatmul__"},
      {"__truediv__", "__rtruediv__"}, {"__floordiv__", "__rfloordiv__"},
      {"__mod__", "__rmod__"},         {"__pow__", "__rpow__"},
      {"__lshift__", "__rlshift__"},   {"__rshift__", "__rrshift__"},
      {"__or__", "__ror__"},           {"__xor__", "__rxor__"},
      {"__and__", "__rand__"}};
  return names[static_cast<unsigned>(op)][reflected];
}

Value EvaluatorImpl::binary(BinaryOp op, Value lhs, Value rhs,
                            SourceRange range) {
  if (Value unknown = firstUnknown({lhs, rhs}, range))
    return unknown;
  bool mark = lhs.isConstexprMarked() || rhs.isConstexprMarked();
  Value a = plain(lhs), b = plain(rhs);
  Value result;
  if (a.isBool() && b.isBool() &&
      (op == BinaryOp::BitAnd || op == BinaryOp::BitOr ||
       op == BinaryOp::BitXor)) {
    bool x = a.getBool(), y = b.getBool();
    result = Value::boolean(op == BinaryOp::BitAnd  ? (x && y)
                            : op == BinaryOp::BitOr ? (x || y)
                                                    : x != y);
  } else if (a.isIntegral() && b.isIntegral()) {
    result = intBinary(op, a.getInt(), b.getInt(), range);
  } else if (a.isNumber() && b.isNumber()) {
    result = floatBinary(op, a.getNumber(), b.getNumber(), range);
  } else if (op == BinaryOp::Mod && a.isString()) {
    result = percentFormat(a.getString(), b, range);
  } else if ((a.is(Value::Kind::Dict) && b.is(Value::Kind::Dict)) ||
             (a.is(Value::Kind::Set) && b.is(Value::Kind::Set))) {
    result = setBinary(op, a, b, range);
  } else if (a.isSequence() || a.isString() || b.isSequence() || b.isString()) {
    result = sequenceBinary(op, a, b, range);
  } else {
    for (bool reflected : {false, true}) {
      Value self = reflected ? b : a, other = reflected ? a : b;
      if (!self.is(Value::Kind::Instance))
        continue;
      Value function =
          self.getInstance().type->find(operatorMethod(op, reflected));
      if (function)
        return call(function, {self, other}, {}, range);
    }
    result = raise("TypeError", range,
                   "'" + spelling(op) + "' does not apply to " + typeName(lhs) +
                       " and " + typeName(rhs));
  }
  return result && mark ? result.asConstexpr() : result;
}

Value EvaluatorImpl::unary(UnaryOp op, Value operand, SourceRange range) {
  if (Value unknown = firstUnknown(operand, range))
    return unknown;
  bool mark = operand.isConstexprMarked();
  Value value = plain(operand), result;
  if (op == UnaryOp::Not) {
    std::optional<bool> truth = isTrue(value, range);
    if (!truth)
      return Value();
    result = Value::boolean(!*truth);
  } else if (value.isIntegral()) {
    Int128 number = value.getInt();
    if (op == UnaryOp::Minus) {
      Int128 negated;
      if (__builtin_sub_overflow(Int128(0), number, &negated))
        return intBinary(BinaryOp::Sub, 0, number, range);
      result = Value::integer(negated);
    } else {
      result = Value::integer(op == UnaryOp::Invert ? ~number : number);
    }
  } else if (value.isFloat() && op != UnaryOp::Invert) {
    result = Value::real(op == UnaryOp::Minus ? -value.getFloat()
                                              : value.getFloat());
  } else {
    if (value.is(Value::Kind::Instance)) {
      llvm::StringRef method = op == UnaryOp::Minus  ? "__neg__"
                               : op == UnaryOp::Plus ? "__pos__"
                                                     : "__invert__";
      if (Value function = value.getInstance().type->find(method))
        return call(function, value, {}, range);
    }
    return raise("TypeError", range,
                 "unary '" + spelling(op) + "' does not apply to " +
                     typeName(operand));
  }
  return mark ? result.asConstexpr() : result;
}

//===----------------------------------------------------------------------===//
// Truth and comparisons
//===----------------------------------------------------------------------===//

std::optional<bool> EvaluatorImpl::isTrue(Value value, SourceRange range) {
  if (Value unknown = firstUnknown(value, range)) {
    raiseUnknown(unknown, range);
    return std::nullopt;
  }
  value = plain(value);
  switch (value.getKind()) {
  case Value::Kind::None:
    return false;
  case Value::Kind::Bool:
  case Value::Kind::Int:
    return value.getInt() != 0;
  case Value::Kind::Float:
    return value.getFloat() != 0;
  case Value::Kind::String:
    return !value.getString().empty();
  case Value::Kind::Tuple:
  case Value::Kind::List:
    return !value.getElements().empty();
  case Value::Kind::Dict:
  case Value::Kind::Set:
    return !value.getDict().items.empty();
  case Value::Kind::Range:
    return value.getRange().size() != 0;
  case Value::Kind::Instance:
    for (llvm::StringRef method : {"__bool__", "__len__"})
      if (Value function = value.getInstance().type->find(method)) {
        Value result = call(function, value, {}, range);
        if (!result)
          return std::nullopt;
        if (result.isIntegral())
          return result.getInt() != 0;
        return isTrue(result.isUnknown() ? result : Value::boolean(true),
                      range);
      }
    return true;
  default:
    return true;
  }
}

/// Int or Bool against Float, exactly.
static int compareMixed(Int128 lhs, double rhs) {
  if (std::isinf(rhs) || std::fabs(rhs) >= 1.7e38)
    return rhs > 0 ? -1 : 1;
  double whole = std::trunc(rhs);
  auto integer = static_cast<Int128>(whole);
  if (lhs != integer)
    return lhs < integer ? -1 : 1;
  return whole == rhs ? 0 : rhs > whole ? -1 : 1;
}

std::optional<int> EvaluatorImpl::order(Value lhs, Value rhs, SourceRange range,
                                        llvm::StringRef op) {
  auto sign = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
  if (lhs.isIntegral() && rhs.isIntegral())
    return sign(lhs.getInt(), rhs.getInt());
  if (lhs.isNumber() && rhs.isNumber()) {
    if ((lhs.isFloat() && std::isnan(lhs.getFloat())) ||
        (rhs.isFloat() && std::isnan(rhs.getFloat())))
      return std::nullopt;
    if (lhs.isFloat() && rhs.isFloat())
      return sign(lhs.getFloat(), rhs.getFloat());
    return lhs.isFloat() ? -compareMixed(rhs.getInt(), lhs.getFloat())
                         : compareMixed(lhs.getInt(), rhs.getFloat());
  }
  if (lhs.isString() && rhs.isString())
    return lhs.getString().compare(rhs.getString());
  if (lhs.isSequence() && lhs.getKind() == rhs.getKind()) {
    NestGuard guard(*this, range);
    if (!guard.ok)
      return std::nullopt;
    llvm::ArrayRef<Value> a = lhs.getElements(), b = rhs.getElements();
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (!charge(1, range))
        return std::nullopt;
      if (valuesEqual(a[i], b[i]))
        continue;
      if (Value unknown = firstUnknown({a[i], b[i]}, range)) {
        raiseUnknown(unknown, range);
        return std::nullopt;
      }
      return order(plain(a[i]), plain(b[i]), range, op);
    }
    return sign(a.size(), b.size());
  }
  raise("TypeError", range,
        "'" + op + "' does not apply to " + typeName(lhs) + " and " +
            typeName(rhs));
  return std::nullopt;
}

Value EvaluatorImpl::contains(Value item, Value container, SourceRange range) {
  switch (container.getKind()) {
  case Value::Kind::String:
    if (!item.isString())
      return raise("TypeError", range,
                   "'in' a str needs a str on its left, found " +
                       typeName(item));
    return Value::boolean(container.getString().contains(item.getString()));
  case Value::Kind::Tuple:
  case Value::Kind::List: {
    Value unknown;
    for (const Value &element : container.getElements()) {
      if (!charge(1, range))
        return Value();
      if (valuesEqual(element, item))
        return Value::boolean(true);
      if (!unknown)
        unknown = firstUnknown(element, range);
    }
    return unknown ? unknown : Value::boolean(false);
  }
  case Value::Kind::Dict:
  case Value::Kind::Set:
    return Value::boolean(container.getDict().find(item) != nullptr);
  case Value::Kind::Range: {
    const RangeObject &r = container.getRange();
    if (!item.isIntegral())
      return Value::boolean(false);
    Int128 value = item.getInt();
    bool inside = r.step > 0 ? value >= r.start && value < r.stop
                             : value <= r.start && value > r.stop;
    return Value::boolean(inside && (value - r.start) % r.step == 0);
  }
  case Value::Kind::Class: // An Enum.
  default:
    return raise("TypeError", range,
                 "'in' does not apply to " + typeName(container));
  }
}

Value EvaluatorImpl::compare(CompareOp op, Value lhs, Value rhs,
                             SourceRange range) {
  bool mark = lhs.isConstexprMarked() || rhs.isConstexprMarked();
  auto result = [&](bool value) {
    Value v = Value::boolean(value);
    return mark ? v.asConstexpr() : v;
  };
  if (op == CompareOp::Is || op == CompareOp::IsNot) {
    // A run-time value is an object: never None, True or False.
    auto isObject = [](const Value &v) {
      return v.isTensor() || v.is(Value::Kind::Handle);
    };
    if (!(isObject(lhs) || isObject(rhs)))
      if (Value unknown = firstUnknown({lhs, rhs}, range))
        return unknown;
    if (lhs.isUnknown())
      return lhs;
    if (rhs.isUnknown())
      return rhs;
    return result(lhs.isSame(rhs) == (op == CompareOp::Is));
  }
  if (op == CompareOp::In || op == CompareOp::NotIn) {
    if (Value unknown = firstUnknown({lhs, rhs}, range))
      return unknown;
    Value inside = contains(plain(lhs), rhs, range);
    if (!inside || inside.isUnknown())
      return inside;
    return result(inside.getBool() == (op == CompareOp::In));
  }
  if (Value unknown = firstUnknown({lhs, rhs}, range))
    return unknown;
  Value a = plain(lhs), b = plain(rhs);
  if (op == CompareOp::Eq || op == CompareOp::NotEq) {
    if (!charge(1, range))
      return Value();
    bool equal = valuesEqual(a, b);
    // Containers with unknown parts may be equal or not, unless they differ in
    // size.
    if (!equal && (!a.isCompileTime() || !b.isCompileTime()) &&
        a.isSequence() && a.getKind() == b.getKind() &&
        a.getElements().size() == b.getElements().size())
      return values.unknown(range, "a part of what is compared is not known");
    if (!equal && a.is(Value::Kind::Instance))
      if (Value function = a.getInstance().type->find("__eq__")) {
        Value own = call(function, {a, b}, {}, range);
        if (!own || own.isUnknown())
          return own;
        std::optional<bool> truth = isTrue(own, range);
        if (!truth)
          return Value();
        equal = *truth;
      }
    return result(equal == (op == CompareOp::Eq));
  }
  if (a.is(Value::Kind::Set) && b.is(Value::Kind::Set)) {
    auto subset = [](DictObject &x, DictObject &y) {
      return llvm::all_of(x.items,
                          [&](const auto &item) { return y.find(item.first); });
    };
    DictObject &x = a.getDict(), &y = b.getDict();
    bool less = op == CompareOp::Lt || op == CompareOp::LtE;
    bool strict = op == CompareOp::Lt || op == CompareOp::Gt;
    return result((less ? subset(x, y) : subset(y, x)) &&
                  (!strict || x.items.size() != y.items.size()));
  }
  std::optional<int> sign = order(a, b, range, spelling(op));
  if (!sign) {
    if (ev.error && ev.error->unknown)
      return ev.takeError().unknown;
    return ev.error ? Value() : result(false); // NaN.
  }
  switch (op) {
  case CompareOp::Lt:
    return result(*sign < 0);
  case CompareOp::LtE:
    return result(*sign <= 0);
  case CompareOp::Gt:
    return result(*sign > 0);
  default:
    return result(*sign >= 0);
  }
}
