//===- EvalPython.cpp - Evaluator: Python's own functions -----------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

#include <cmath>

using namespace nereid::lang;

//===----------------------------------------------------------------------===//
// Python
//===----------------------------------------------------------------------===//

Value EvaluatorImpl::convertInt(Args args, Keywords, SourceRange range) {
  if (args.empty())
    return Value::integer(0);
  Value value = plain(args[0]);
  if (value.isIntegral())
    return Value::integer(value.getInt());
  if (value.isFloat()) {
    double number = value.getFloat();
    if (!std::isfinite(number))
      return raise("ValueError", range,
                   "cannot convert " + repr(value) + " to an int");
    if (std::fabs(number) >= 1.7e38)
      return raise("LimitError", range,
                   "compile-time integers have 128 bits; this one needs more");
    return Value::integer(static_cast<Int128>(number));
  }
  if (value.isString()) {
    int64_t base = args.size() > 1 ? args[1].getInt64().value_or(10) : 10;
    std::string digits;
    llvm::StringRef text = value.getString().trim();
    bool negative = text.consume_front("-");
    if (!negative)
      text.consume_front("+");
    for (char c : text)
      if (c != '_')
        digits += c;
    llvm::StringRef body = digits;
    if ((base == 16 || base == 0) && body.consume_front_insensitive("0x"))
      base = 16;
    else if ((base == 2 || base == 0) && body.consume_front_insensitive("0b"))
      base = 2;
    else if ((base == 8 || base == 0) && body.consume_front_insensitive("0o"))
      base = 8;
    else if (base == 0)
      base = 10;
    Int128 result = 0;
    bool ok = !body.empty() && base >= 2 && base <= 36;
    for (char c : body) {
      int digit = llvm::isDigit(c)   ? c - '0'
                  : llvm::isAlpha(c) ? llvm::toLower(c) - 'a' + 10
                                     : 99;
      if (digit >= base ||
          __builtin_mul_overflow(result, Int128(base), &result) ||
          __builtin_add_overflow(result, Int128(digit), &result)) {
        ok = false;
        break;
      }
    }
    if (ok)
      return Value::integer(negative ? -result : result);
    return raise("ValueError", range, "invalid text for int(): " + repr(value));
  }
  return raise("TypeError", range,
               "int() takes a number or a str, found " + typeName(args[0]));
}

Value EvaluatorImpl::convertFloat(Args args, SourceRange range) {
  if (args.empty())
    return Value::real(0);
  Value value = plain(args[0]);
  if (value.isNumber())
    return Value::real(value.getNumber());
  if (value.isString()) {
    std::string text = value.getString().trim().lower();
    llvm::StringRef body = text;
    bool negative = body.consume_front("-");
    if (!negative)
      body.consume_front("+");
    double number = 0;
    if (body == "inf" || body == "infinity")
      number = INFINITY;
    else if (body == "nan")
      number = NAN;
    else if (body.empty() || !(llvm::isDigit(body[0]) || body[0] == '.') ||
             body.contains_insensitive("x") || body.getAsDouble(number))
      return raise("ValueError", range,
                   "invalid text for float(): " + repr(value));
    return Value::real(negative ? -number : number);
  }
  return raise("TypeError", range,
               "float() takes a number or a str, found " + typeName(args[0]));
}

Value EvaluatorImpl::minMax(bool isMax, Args args, Keywords keywords,
                            SourceRange range) {
  llvm::SmallVector<Value, 8> items;
  Value key, fallback;
  for (const NamedValue &keyword : keywords)
    (keyword.name == "key" ? key : fallback) = keyword.value;
  if (args.size() == 1) {
    if (!iterate(args[0], items, range))
      return Value();
  } else {
    items.append(args.begin(), args.end());
  }
  if (items.empty()) {
    if (fallback)
      return fallback;
    return raise("ValueError", range,
                 llvm::Twine(isMax ? "max" : "min") +
                     "() needs at least one value");
  }
  if (Value unknown = firstUnknown(items, range))
    return unknown;
  Value best, bestKey;
  bool mark = false;
  for (const Value &item : items) {
    mark |= item.isConstexprMarked();
    Value k = item;
    if (key && !key.isNone() && !(k = call(key, item, {}, range)))
      return Value();
    k = plain(k);
    if (Value unknown = firstUnknown(k, range))
      return unknown;
    if (best) {
      std::optional<int> sign = order(k, bestKey, range, isMax ? ">" : "<");
      if (ev.error)
        return Value();
      if (!sign || (isMax ? *sign <= 0 : *sign >= 0))
        continue;
    }
    best = item;
    bestKey = k;
  }
  return mark ? best.asConstexpr() : best;
}

/// isinstance with a type, a class, or a tuple of them; nullopt: raised, or
/// (with no error) not known.
std::optional<bool> EvaluatorImpl::isInstance(Value value, Value type,
                                              SourceRange range) {
  if (type.isTuple()) {
    bool unknown = false;
    for (const Value &option : type.getElements()) {
      std::optional<bool> one = isInstance(value, option, range);
      if (one && *one)
        return true;
      if (ev.error)
        return std::nullopt;
      unknown |= !one;
    }
    if (unknown)
      return std::nullopt;
    return false;
  }
  if (type.is(Value::Kind::Class)) {
    ClassObject &wanted = type.getClass();
    if (value.is(Value::Kind::Instance))
      return value.getInstance().type->isSubclassOf(&wanted);
    return value.isTuple() && value.getTuple().type &&
           value.getTuple().type->isSubclassOf(&wanted);
  }
  if (type.isBuiltin()) {
    switch (type.getBuiltin().id) {
    case BuiltinId::py_int:
      return plain(value).isIntegral();
    case BuiltinId::py_bool:
      return value.isBool();
    case BuiltinId::py_float:
      return value.isFloat();
    case BuiltinId::py_str:
      return plain(value).isString();
    case BuiltinId::py_tuple:
    case BuiltinId::tl_tuple:
      return value.isTuple();
    case BuiltinId::py_list:
      return value.isList();
    case BuiltinId::py_dict:
      return value.is(Value::Kind::Dict);
    case BuiltinId::py_set:
    case BuiltinId::py_frozenset:
      return value.is(Value::Kind::Set);
    case BuiltinId::py_slice:
      return value.is(Value::Kind::Slice);
    case BuiltinId::py_range:
      return value.is(Value::Kind::Range);
    case BuiltinId::py_type:
      return value.is(Value::Kind::Class);
    case BuiltinId::py_object:
      return true;
    case BuiltinId::tl_constexpr:
      return value.isConstexprMarked();
    case BuiltinId::tl_dtype:
    case BuiltinId::tl_pointer_type:
    case BuiltinId::tl_block_type:
      if (!value.isDType())
        return false;
      if (type.getBuiltin().id == BuiltinId::tl_pointer_type)
        return value.getDType()->isPointer();
      if (type.getBuiltin().id == BuiltinId::tl_block_type)
        return value.getDType()->isBlock();
      return true;
    case BuiltinId::tl_tensor:
      return value.isTensor();
    case BuiltinId::triton_Config:
      return value.is(Value::Kind::Config);
    case BuiltinId::triton_JITFunction:
    case BuiltinId::triton_KernelInterface:
      return value.isFunction() && value.getFunction().isJit();
    default:
      return std::nullopt;
    }
  }
  if (type.isNone())
    return value.isNone();
  if (type.isUnknown())
    return std::nullopt;
  raise("TypeError", range,
        "isinstance() takes a type or a tuple of types, found " +
            typeName(type));
  return std::nullopt;
}

Value EvaluatorImpl::callPython(const BuiltinInfo &builtin, Args args,
                                Keywords keywords, SourceRange range) {
  llvm::StringRef name = builtin.name;
  auto count = [&](size_t low, size_t high) {
    if (args.size() >= low && args.size() <= high)
      return true;
    raise("TypeError", range,
          name + "() takes " +
              (low == high
                   ? std::to_string(low)
                   : std::to_string(low) + " to " + std::to_string(high)) +
              " argument" + (high == 1 ? "" : "s") + ", found " +
              llvm::Twine(args.size()));
    return false;
  };
  bool mark =
      llvm::any_of(args, [](const Value &v) { return v.isConstexprMarked(); });
  auto marked = [&](Value v) { return v && mark ? v.asConstexpr() : v; };
  auto collect = [&](llvm::SmallVectorImpl<Value> &items) {
    return args.empty() || iterate(args[0], items, range);
  };
  // What needs its operands known gives an unknown result otherwise.
  auto unknownOperand = [&]() { return firstUnknown(args, range); };
  llvm::SmallVector<Value, 8> items;

  switch (builtin.id) {
  case BuiltinId::py_int:
    if (Value unknown = unknownOperand())
      return unknown;
    return count(0, 2) ? marked(convertInt(args, keywords, range)) : Value();
  case BuiltinId::py_float:
    if (Value unknown = unknownOperand())
      return unknown;
    return count(0, 1) ? marked(convertFloat(args, range)) : Value();
  case BuiltinId::py_bool: {
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(0, 1))
      return Value();
    std::optional<bool> truth =
        args.empty() ? std::optional(false) : isTrue(args[0], range);
    return truth ? marked(Value::boolean(*truth)) : Value();
  }
  case BuiltinId::py_str:
  case BuiltinId::py_repr:
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(name == "str" ? 0 : 1, 2))
      return Value();
    if (args.empty())
      return values.string("");
    return format(args[0], name == "str" ? 0 : 'r', "", range);
  case BuiltinId::py_len: {
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 1))
      return Value();
    std::optional<Int128> size = length(args[0], range);
    return size ? Value::integer(*size) : Value();
  }
  case BuiltinId::py_abs:
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 1))
      return Value();
    if (args[0].isFloat())
      return marked(Value::real(std::fabs(args[0].getFloat())));
    if (args[0].isIntegral() && args[0].getInt() < 0)
      return unary(UnaryOp::Minus, args[0], range);
    if (args[0].isIntegral())
      return marked(Value::integer(args[0].getInt()));
    return raise("TypeError", range,
                 "abs() takes a number, found " + typeName(args[0]));
  case BuiltinId::py_min:
  case BuiltinId::py_max:
    return minMax(name == "max", args, keywords, range);
  case BuiltinId::py_range: {
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 3))
      return Value();
    Int128 parts[3] = {0, 0, 1};
    for (size_t i = 0; i < args.size(); ++i) {
      Value v = plain(args[i]);
      if (!v.getInt64() || *v.getInt64() > (INT64_C(1) << 62) ||
          *v.getInt64() < -(INT64_C(1) << 62))
        return raise("TypeError", range,
                     "range() takes ints of 63 bits, found " +
                         (v.isInt() ? repr(v) : typeName(args[i])));
      parts[args.size() == 1 ? 1 : i] = v.getInt();
    }
    if (parts[2] == 0)
      return raise("ValueError", range, "the step of range() must not be zero");
    auto *object = values.create<RangeObject>();
    object->start = parts[0];
    object->stop = parts[1];
    object->step = parts[2];
    return Value::of(object);
  }
  case BuiltinId::py_list:
  case BuiltinId::py_tuple:
  case BuiltinId::py_iter:
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(0, 1) || !collect(items))
      return Value();
    return name == "tuple" ? values.tuple(items) : values.list(items);
  case BuiltinId::py_set:
  case BuiltinId::py_frozenset: {
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(0, 1) || !collect(items))
      return Value();
    Value set = Value::set(values.create<DictObject>());
    for (const Value &item : items)
      set.getDict().set(item, Value::none());
    return set;
  }
  case BuiltinId::py_dict: {
    Value dict = values.dict();
    if (!dictMethod(dict, "update", args, keywords, range))
      return Value();
    return dict;
  }
  case BuiltinId::py_sum: {
    if (!count(1, 2) || !iterate(args[0], items, range))
      return Value();
    Value total = args.size() > 1 ? args[1] : Value::integer(0);
    for (const NamedValue &keyword : keywords)
      total = keyword.value;
    for (const Value &item : items) {
      total = binary(BinaryOp::Add, total, item, range);
      if (!total || !charge(1, range))
        return Value();
    }
    return total;
  }
  case BuiltinId::py_any:
  case BuiltinId::py_all: {
    bool isAny = name == "any";
    Value unknown = unknownOperand();
    if (unknown)
      return unknown;
    if (!count(1, 1) || !collect(items))
      return Value();
    for (const Value &item : items) {
      if (Value u = firstUnknown(item, range)) {
        unknown = u;
        continue;
      }
      std::optional<bool> truth = isTrue(item, range);
      if (!truth)
        return Value();
      if (*truth == isAny)
        return Value::boolean(isAny);
    }
    return unknown ? unknown : Value::boolean(!isAny);
  }
  case BuiltinId::py_sorted:
  case BuiltinId::py_reversed: {
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 1) || !collect(items))
      return Value();
    std::vector<Value> list(items.begin(), items.end());
    if (name == "reversed") {
      std::reverse(list.begin(), list.end());
      return values.list(list);
    }
    if (!sortValues("sorted", list, keywords, range))
      return Value();
    return values.list(list);
  }
  case BuiltinId::py_enumerate: {
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 2) || !collect(items))
      return Value();
    Value start = args.size() > 1 ? args[1] : Value::integer(0);
    for (const NamedValue &keyword : keywords)
      start = keyword.value;
    if (!start.isIntegral())
      return raise("TypeError", range, "enumerate() starts at an int");
    Int128 index = start.getInt();
    for (Value &item : items)
      item = values.tuple({Value::integer(index++), item});
    return values.list(items);
  }
  case BuiltinId::py_zip: {
    if (Value unknown = unknownOperand())
      return unknown;
    std::vector<llvm::SmallVector<Value, 8>> lists(args.size());
    size_t shortest = args.empty() ? 0 : SIZE_MAX;
    for (size_t i = 0; i < args.size(); ++i) {
      if (!iterate(args[i], lists[i], range))
        return Value();
      shortest = std::min<size_t>(shortest, lists[i].size());
    }
    for (size_t i = 0; i < shortest; ++i) {
      llvm::SmallVector<Value, 4> row;
      for (const auto &list : lists)
        row.push_back(list[i]);
      items.push_back(values.tuple(row));
    }
    return values.list(items);
  }
  case BuiltinId::py_map:
  case BuiltinId::py_filter: {
    if (!count(2, 2))
      return Value();
    if (Value unknown = firstUnknown({args[0], args[1]}, range))
      return unknown;
    llvm::SmallVector<Value, 8> in;
    if (!iterate(args[1], in, range))
      return Value();
    for (const Value &item : in) {
      Value result = args[0].isNone() ? item : call(args[0], item, {}, range);
      if (!result)
        return Value();
      if (name == "map") {
        items.push_back(result);
        continue;
      }
      std::optional<bool> truth = isTrue(result, range);
      if (!truth)
        return Value();
      if (*truth)
        items.push_back(item);
    }
    return values.list(items);
  }
  case BuiltinId::py_next: {
    // Iterators are lists here, so only the first element can be asked for.
    if (!count(1, 2) || !collect(items))
      return Value();
    if (!items.empty())
      return items[0];
    return args.size() > 1 ? args[1]
                           : raise("StopIteration", range, "no element left");
  }
  case BuiltinId::py_isinstance: {
    if (!count(2, 2))
      return Value();
    if (args[0].isUnknown())
      return args[0];
    std::optional<bool> result = isInstance(args[0], args[1], range);
    if (result)
      return Value::boolean(*result);
    if (ev.error)
      return Value();
    return values.unknown(range, "isinstance() of a type that is not known");
  }
  case BuiltinId::py_issubclass: {
    if (!count(2, 2))
      return Value();
    if (args[0].is(Value::Kind::Class) && args[1].is(Value::Kind::Class))
      return Value::boolean(
          args[0].getClass().isSubclassOf(&args[1].getClass()));
    return values.unknown(range, "issubclass() of types that are not known");
  }
  case BuiltinId::py_getattr:
  case BuiltinId::py_hasattr: {
    if (!count(2, name == "hasattr" ? 2 : 3))
      return Value();
    if (args[1].isUnknown())
      return args[1];
    if (!args[1].isString())
      return raise("TypeError", range, name + "() takes the name as a str");
    Value value = attributeOrNone(args[0], args[1].getString(), range);
    if (ev.error)
      return Value();
    if (name == "hasattr")
      return value && value.isUnknown() ? value : Value::boolean(bool(value));
    if (value)
      return value;
    return args.size() > 2 ? args[2]
                           : raise("AttributeError", range,
                                   noAttribute(args[0], args[1].getString()));
  }
  case BuiltinId::py_setattr:
    if (!count(3, 3) || !args[1].isString())
      return raise("TypeError", range, "setattr() takes the name as a str");
    return setAttribute(args[0], args[1].getString(), args[2], range)
               ? Value::none()
               : Value();
  case BuiltinId::py_type: {
    if (!count(1, 3))
      return Value();
    if (args[0].is(Value::Kind::Instance))
      return Value::of(args[0].getInstance().type);
    BuiltinId id;
    switch (args[0].getKind()) {
    case Value::Kind::Bool:
      id = BuiltinId::py_bool;
      break;
    case Value::Kind::Int:
      id = BuiltinId::py_int;
      break;
    case Value::Kind::Float:
      id = BuiltinId::py_float;
      break;
    case Value::Kind::String:
      id = BuiltinId::py_str;
      break;
    case Value::Kind::List:
      id = BuiltinId::py_list;
      break;
    case Value::Kind::Tuple:
      id = BuiltinId::py_tuple;
      break;
    case Value::Kind::Dict:
      id = BuiltinId::py_dict;
      break;
    default:
      return values.unknown(range, "it is the type of a " + typeName(args[0]));
    }
    return Value::builtin(&getBuiltinInfo(id));
  }
  case BuiltinId::py_callable:
    if (!count(1, 1))
      return Value();
    if (args[0].isUnknown())
      return args[0];
    return Value::boolean(args[0].isFunction() || args[0].isBuiltin() ||
                          args[0].is(Value::Kind::BoundMethod) ||
                          args[0].is(Value::Kind::Class));
  case BuiltinId::py_print:
    return Value::none();
  case BuiltinId::py_pow:
    if (!count(2, 3))
      return Value();
    if (args.size() == 3) {
      if (Value unknown = unknownOperand())
        return unknown;
      if (!args[0].isIntegral() || !args[1].isIntegral() ||
          !args[2].isIntegral() || args[1].getInt() < 0)
        return raise("TypeError", range, "pow() with a modulus takes ints");
      Int128 modulus = args[2].getInt();
      if (modulus <= 0 || modulus > (Int128(1) << 62))
        return raise("ValueError", range,
                     "the modulus must be positive and "
                     "at most 2**62");
      Int128 base = args[0].getInt() % modulus, result = 1 % modulus;
      if (base < 0)
        base += modulus;
      for (Int128 e = args[1].getInt(); e; e >>= 1) {
        if (e & 1)
          result = result * base % modulus;
        base = base * base % modulus;
      }
      return Value::integer(result);
    }
    return binary(BinaryOp::Pow, args[0], args[1], range);
  case BuiltinId::py_divmod: {
    if (!count(2, 2))
      return Value();
    Value quotient = binary(BinaryOp::FloorDiv, args[0], args[1], range);
    Value remainder =
        quotient ? binary(BinaryOp::Mod, args[0], args[1], range) : Value();
    return remainder ? values.tuple({quotient, remainder}) : Value();
  }
  case BuiltinId::py_round: {
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 2) || !args[0].isNumber())
      return raise("TypeError", range, "round() takes a number");
    if (args.size() == 2 && args[1].isInt()) {
      double scale = std::pow(10.0, static_cast<double>(args[1].getInt()));
      return args[0].isIntegral()
                 ? args[0]
                 : Value::real(std::nearbyint(args[0].getFloat() * scale) /
                               scale);
    }
    if (args[0].isIntegral())
      return args[0];
    return convertInt(Value::real(std::nearbyint(args[0].getFloat())), {},
                      range);
  }
  case BuiltinId::py_bin:
  case BuiltinId::py_hex:
  case BuiltinId::py_oct:
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 1))
      return Value();
    return format(args[0], 0,
                  name == "bin"   ? "#b"
                  : name == "hex" ? "#x"
                                  : "#o",
                  range);
  case BuiltinId::py_chr:
  case BuiltinId::py_ord:
    if (Value unknown = unknownOperand())
      return unknown;
    if (!count(1, 1))
      return Value();
    if (name == "ord" && args[0].isString() && args[0].getString().size() == 1)
      return Value::integer(static_cast<unsigned char>(args[0].getString()[0]));
    if (name == "chr" && args[0].isInt() && args[0].getInt() >= 0 &&
        args[0].getInt() < 128)
      return values.string(std::string(1, static_cast<char>(args[0].getInt())));
    return raise("Unsupported", range,
                 name + "() is supported for ASCII only at compile time");
  case BuiltinId::py_format:
    if (!count(1, 2))
      return Value();
    return format(args[0], 0,
                  args.size() > 1 && args[1].isString() ? args[1].getString()
                                                        : "",
                  range);
  case BuiltinId::py_slice: {
    if (!count(1, 3))
      return Value();
    auto *slice = values.create<SliceObject>();
    slice->lower = args.size() > 1 ? args[0] : Value::none();
    slice->upper = args.size() > 1 ? args[1] : args[0];
    slice->step = args.size() > 2 ? args[2] : Value::none();
    return Value::of(slice);
  }
  case BuiltinId::py_staticmethod:
  case BuiltinId::py_classmethod:
  case BuiltinId::py_property:
    if (!count(1, 4))
      return Value();
    if (args[0].isFunction())
      args[0].getFunction().methodKind =
          name == "staticmethod"  ? FunctionObject::MethodKind::Static
          : name == "classmethod" ? FunctionObject::MethodKind::Class
                                  : FunctionObject::MethodKind::Property;
    return args[0];
  case BuiltinId::py_hash:
  case BuiltinId::py_id:
    return values.unknown(range, name + "() differs from run to run");
  default:
    return values.unknown(range, "'" + name + "()' is not run at compile time");
  }
}
