//===- EvalLibrary.cpp - Evaluator: the standard library ------------------===//
//
// The few functions of math, itertools, functools, operator ... with which
// modules compute configs and constants.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"
#include "compiler/Lang/ModuleLoader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

#include <cmath>
#include <numeric>

using namespace nereid::lang;

static Int128 gcd128(Int128 a, Int128 b) {
  while (b) {
    Int128 r = a % b;
    a = b;
    b = r;
  }
  return a < 0 ? -a : a;
}

/// math.*: nullopt when the function is none of these.
static std::optional<double> mathFunction(BuiltinId id, double x) {
  switch (id) {
  case BuiltinId::math_sqrt:
    return std::sqrt(x);
  case BuiltinId::math_log2:
    return std::log2(x);
  case BuiltinId::math_log10:
    return std::log10(x);
  case BuiltinId::math_exp:
    return std::exp(x);
  case BuiltinId::math_fabs:
    return std::fabs(x);
  case BuiltinId::math_cos:
    return std::cos(x);
  case BuiltinId::math_sin:
    return std::sin(x);
  case BuiltinId::math_tan:
    return std::tan(x);
  case BuiltinId::math_tanh:
    return std::tanh(x);
  default:
    return std::nullopt;
  }
}

/// Version text to numbers: "3.2.0+git" -> (3, 2), so that versions compare.
static Value versionTuple(ValueContext &values, llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef, 4> parts;
  text.ltrim('v').split(parts, '.');
  llvm::SmallVector<Value, 4> numbers;
  for (llvm::StringRef part : parts) {
    int64_t number;
    if (part.consumeInteger(10, number))
      break;
    numbers.push_back(Value::integer(number));
    if (!part.empty())
      break;
  }
  while (!numbers.empty() && numbers.back().getInt() == 0)
    numbers.pop_back();
  return values.tuple(numbers);
}

/// torch.iinfo and torch.finfo of `torch.int32` and so on: an object with bits,
/// max, min, and for floats eps and tiny.
Value EvaluatorImpl::numberLimits(Value dtype, SourceRange range) {
  llvm::StringRef name;
  if (dtype.isUnknown())
    name = dtype.getUnknown().path;
  name.consume_front("torch.");
  const ScalarInfo *found = nullptr;
  for (const ScalarInfo &info : allScalars())
    if (info.pythonName == name ||
        (name == "float8_e4m3fn" && info.id == ScalarId::Float8E4NV) ||
        (name == "float8_e5m2" && info.id == ScalarId::Float8E5))
      found = &info;
  if (!found || found->kind == ScalarKind::Void ||
      found->kind == ScalarKind::Bool)
    return dtype.isUnknown()
               ? dtype
               : values.unknown(range,
                                "the limits of a type that is not known");
  if (!limitsClass) {
    limitsClass = values.create<ClassObject>();
    limitsClass->name = "info";
  }
  auto *limits = values.create<InstanceObject>();
  limits->type = limitsClass;
  limits->set("bits", Value::integer(found->bits));
  limits->set("dtype", dtype);
  Int128 one = 1;
  if (found->kind == ScalarKind::Signed ||
      found->kind == ScalarKind::Unsigned) {
    bool isSigned = found->kind == ScalarKind::Signed;
    limits->set("max",
                Value::integer(
                    (one << (isSigned ? found->bits - 1 : found->bits)) - 1));
    limits->set("min", Value::integer(isSigned ? -(one << (found->bits - 1))
                                               : Int128(0)));
    return Value::of(limits);
  }
  // E4M3FN alone has no infinity and uses its top exponent for numbers.
  int mantissa = static_cast<int>(found->mantissaBits);
  int exponents = 1 << (static_cast<int>(found->bits) - 1 - mantissa);
  bool finite = found->id == ScalarId::Float8E4NV;
  double top =
      std::ldexp(1.0, exponents - (finite ? 1 : 2) - found->exponentBias);
  double max = top * (2 - std::ldexp(1.0, -mantissa) * (finite ? 2 : 1));
  double tiny = std::ldexp(1.0, 1 - found->exponentBias);
  limits->set("max", Value::real(max));
  limits->set("min", Value::real(-max));
  limits->set("eps", Value::real(std::ldexp(1.0, -mantissa)));
  limits->set("tiny", Value::real(tiny));
  limits->set("smallest_normal", Value::real(tiny));
  return Value::of(limits);
}

Value EvaluatorImpl::callLibrary(const BuiltinInfo &builtin, Args args,
                                 Keywords keywords, SourceRange range) {
  llvm::StringRef name = builtin.name;
  std::string display = builtin.display();
  auto need = [&](size_t low, size_t high) {
    if (args.size() >= low && args.size() <= high)
      return true;
    raise("TypeError", range,
          display + "() takes " + llvm::Twine(low) +
              (low == high ? "" : " or more") + " argument" +
              (low == 1 && high == 1 ? "" : "s") + ", found " +
              llvm::Twine(args.size()));
    return false;
  };

  if (builtin.module == "math") {
    if (Value unknown = firstUnknown(args, range))
      return unknown;
    llvm::SmallVector<Value, 4> list;
    for (const Value &arg : args)
      list.push_back(plain(arg));
    if (builtin.id == BuiltinId::math_prod) {
      llvm::SmallVector<Value, 8> items;
      if (!need(1, 1) || !iterate(args[0], items, range))
        return Value();
      Value product = Value::integer(1);
      for (const Value &item : items) {
        product = binary(BinaryOp::Mul, product, item, range);
        if (!product)
          return Value();
      }
      return product;
    }
    for (const Value &v : list)
      if (!v.isNumber())
        return raise("TypeError", range,
                     display + "() takes numbers, found " + typeName(v));
    if (!need(1, 8))
      return Value();
    double x = list[0].getNumber();
    if (std::optional<double> result = mathFunction(builtin.id, x)) {
      if (std::isnan(*result) && !std::isnan(x))
        return raise("ValueError", range,
                     display + "() is not defined for " + repr(list[0]));
      if (std::isinf(*result) && std::isfinite(x))
        return raise("ValueError", range,
                     display + "() has no finite value for " + repr(list[0]));
      return Value::real(*result);
    }
    auto toInt = [&](double number) {
      return list[0].isIntegral() ? Value::integer(list[0].getInt())
                                  : convertInt(Value::real(number), {}, range);
    };
    switch (builtin.id) {
    case BuiltinId::math_ceil:
      return toInt(std::ceil(x));
    case BuiltinId::math_floor:
      return toInt(std::floor(x));
    case BuiltinId::math_trunc:
      return toInt(std::trunc(x));
    case BuiltinId::math_log:
      if (x <= 0)
        return raise("ValueError", range,
                     "math.log() is not defined for " + repr(list[0]));
      return Value::real(args.size() > 1
                             ? std::log(x) / std::log(list[1].getNumber())
                             : std::log(x));
    case BuiltinId::math_isnan:
      return Value::boolean(std::isnan(x));
    case BuiltinId::math_isinf:
      return Value::boolean(std::isinf(x));
    case BuiltinId::math_isfinite:
      return Value::boolean(std::isfinite(x));
    case BuiltinId::math_pow:
    case BuiltinId::math_fmod:
    case BuiltinId::math_copysign: {
      if (!need(2, 2))
        return Value();
      double y = list[1].getNumber();
      return Value::real(builtin.id == BuiltinId::math_pow ? std::pow(x, y)
                         : builtin.id == BuiltinId::math_fmod
                             ? std::fmod(x, y)
                             : std::copysign(x, y));
    }
    case BuiltinId::math_gcd:
    case BuiltinId::math_lcm: {
      Int128 total = builtin.id == BuiltinId::math_gcd ? 0 : 1;
      for (const Value &v : list) {
        if (!v.isIntegral())
          return raise("TypeError", range, display + "() takes ints");
        Int128 g = gcd128(total, v.getInt());
        if (builtin.id == BuiltinId::math_gcd)
          total = g;
        else if (g == 0)
          total = 0;
        else if (__builtin_mul_overflow(total / g, v.getInt(), &total))
          return intBinary(BinaryOp::LShift, 1, 200, range);
      }
      return Value::integer(total < 0 ? -total : total);
    }
    case BuiltinId::math_isqrt: {
      if (!list[0].isIntegral() || list[0].getInt() < 0)
        return raise("ValueError", range, "math.isqrt() takes an int from 0");
      Int128 n = list[0].getInt(), low = 0, high = Int128(1) << 63;
      while (low < high) {
        Int128 middle = (low + high + 1) / 2;
        if (middle <= n / middle)
          low = middle;
        else
          high = middle - 1;
      }
      return Value::integer(low);
    }
    case BuiltinId::math_factorial: {
      if (!list[0].isIntegral() || list[0].getInt() < 0)
        return raise("ValueError", range,
                     "math.factorial() takes an int from 0");
      Value product = Value::integer(1);
      for (Int128 i = 2; i <= list[0].getInt() && product; ++i)
        product = intBinary(BinaryOp::Mul, product.getInt(), i, range);
      return product;
    }
    default:
      return values.unknown(range,
                            "'" + display + "()' is not run at compile time");
    }
  }

  if (builtin.module == "operator") {
    static constexpr std::pair<BuiltinId, BinaryOp> binaries[] = {
        {BuiltinId::operator_add, BinaryOp::Add},
        {BuiltinId::operator_sub, BinaryOp::Sub},
        {BuiltinId::operator_mul, BinaryOp::Mul},
        {BuiltinId::operator_truediv, BinaryOp::Div},
        {BuiltinId::operator_floordiv, BinaryOp::FloorDiv},
        {BuiltinId::operator_mod, BinaryOp::Mod},
        {BuiltinId::operator_and_, BinaryOp::BitAnd},
        {BuiltinId::operator_or_, BinaryOp::BitOr},
        {BuiltinId::operator_xor, BinaryOp::BitXor},
        {BuiltinId::operator_lshift, BinaryOp::LShift},
        {BuiltinId::operator_rshift, BinaryOp::RShift},
        {BuiltinId::operator_pow, BinaryOp::Pow}};
    static constexpr std::pair<BuiltinId, CompareOp> compares[] = {
        {BuiltinId::operator_eq, CompareOp::Eq},
        {BuiltinId::operator_ne, CompareOp::NotEq},
        {BuiltinId::operator_lt, CompareOp::Lt},
        {BuiltinId::operator_le, CompareOp::LtE},
        {BuiltinId::operator_gt, CompareOp::Gt},
        {BuiltinId::operator_ge, CompareOp::GtE}};
    if (args.size() == 2) {
      for (auto [id, op] : binaries)
        if (id == builtin.id)
          return binary(op, args[0], args[1], range);
      for (auto [id, op] : compares)
        if (id == builtin.id)
          return compare(op, args[0], args[1], range);
    }
    if (args.size() == 1) {
      if (builtin.id == BuiltinId::operator_neg)
        return unary(UnaryOp::Minus, args[0], range);
      if (builtin.id == BuiltinId::operator_not_)
        return unary(UnaryOp::Not, args[0], range);
    }
    return values.unknown(range, "'" + display +
                                     "()' is not run at compile "
                                     "time");
  }

  if (builtin.module == "itertools") {
    std::vector<llvm::SmallVector<Value, 8>> lists;
    int64_t repeat = 1;
    for (const NamedValue &keyword : keywords)
      if (keyword.name == "repeat")
        repeat = keyword.value.getInt64().value_or(1);
    if (Value unknown = firstUnknown(args, range))
      return unknown;
    size_t iterables = args.size();
    bool counted = name == "permutations" || name == "combinations" ||
                   name == "repeat" || name == "islice" || name == "count";
    if (counted)
      iterables = name == "repeat" || name == "count"
                      ? 0
                      : std::min<size_t>(1, args.size());
    if (name == "starmap")
      iterables = 0;
    for (size_t i = 0; i < iterables; ++i)
      if (!iterate(args[i], lists.emplace_back(), range))
        return Value();
    llvm::SmallVector<Value, 16> out;
    if (name == "chain") {
      for (const auto &list : lists)
        out.append(list.begin(), list.end());
      return values.list(out);
    }
    if (name == "product") {
      std::vector<llvm::SmallVector<Value, 8>> all;
      for (int64_t r = 0; r < std::min<int64_t>(repeat, 20); ++r)
        all.insert(all.end(), lists.begin(), lists.end());
      Int128 total = 1;
      for (const auto &list : all) {
        total *= list.size();
        if (total > (Int128(1) << 40))
          break;
      }
      if (!checkSize(total, range))
        return Value();
      std::vector<size_t> at(all.size(), 0);
      for (Int128 i = 0; i < total; ++i) {
        llvm::SmallVector<Value, 4> row;
        for (size_t k = 0; k < all.size(); ++k)
          row.push_back(all[k][at[k]]);
        if (!charge(row.size(), range))
          return Value();
        out.push_back(values.tuple(row));
        for (size_t k = all.size(); k-- > 0;) {
          if (++at[k] < all[k].size())
            break;
          at[k] = 0;
        }
      }
      return values.list(out);
    }
    if ((name == "permutations" || name == "combinations") && !lists.empty()) {
      const auto &list = lists[0];
      int64_t r = args.size() > 1 && args[1].getInt64()
                      ? *args[1].getInt64()
                      : static_cast<int64_t>(list.size());
      bool ordered = name == "permutations";
      if (r < 0 || r > static_cast<int64_t>(list.size()))
        return values.list({});
      // Depth-first, in the order of positions.
      std::vector<size_t> picked;
      std::vector<bool> used(list.size());
      std::vector<size_t> next(r + 1, 0);
      while (true) {
        if (!charge(1, range))
          return Value();
        size_t level = picked.size();
        if (static_cast<int64_t>(level) == r) {
          llvm::SmallVector<Value, 4> row;
          for (size_t i : picked)
            row.push_back(list[i]);
          if (!charge(row.size() + 1, range))
            return Value();
          out.push_back(values.tuple(row));
        } else {
          size_t i = next[level];
          while (i < list.size() && used[i])
            ++i;
          if (i < list.size()) {
            next[level] = i + 1;
            next[level + 1] = ordered ? 0 : i + 1;
            used[i] = true;
            picked.push_back(i);
            continue;
          }
        }
        if (picked.empty())
          break;
        used[picked.back()] = false;
        picked.pop_back();
      }
      return values.list(out);
    }
    if (name == "repeat" && args.size() == 2 && args[1].getInt64()) {
      if (!checkSize(*args[1].getInt64(), range))
        return Value();
      out.assign(std::max<int64_t>(0, *args[1].getInt64()), args[0]);
      return values.list(out);
    }
    if (name == "accumulate" && lists.size() == 1) {
      Value total;
      for (const Value &item : lists[0]) {
        total = total ? binary(BinaryOp::Add, total, item, range) : item;
        if (!total)
          return Value();
        out.push_back(total);
      }
      return values.list(out);
    }
    if (name == "starmap" && args.size() == 2) {
      llvm::SmallVector<Value, 8> rows;
      if (!iterate(args[1], rows, range))
        return Value();
      for (const Value &row : rows) {
        llvm::SmallVector<Value, 4> rowArgs;
        if (!iterate(row, rowArgs, range))
          return Value();
        Value result = call(args[0], rowArgs, {}, range);
        if (!result)
          return Value();
        out.push_back(result);
      }
      return values.list(out);
    }
    return values.unknown(range, "'" + display +
                                     "()' is not run at compile "
                                     "time");
  }

  switch (builtin.id) {
  case BuiltinId::os_getenv: {
    // A pack must not depend on the environment it was built in.
    return args.size() > 1 ? args[1] : Value::none();
  }
  case BuiltinId::functools_partial: {
    if (!need(1, SIZE_MAX))
      return Value();
    Value dict = values.dict();
    for (const NamedValue &keyword : keywords)
      dict.getDict().set(Value::internedString(keyword.name), keyword.value);
    return makePending(
        "<partial>",
        values.tuple({args[0], values.tuple(args.drop_front()), dict}));
  }
  case BuiltinId::functools_lru_cache:
  case BuiltinId::functools_cache:
    if (args.size() == 1 && args[0].isFunction())
      return args[0];
    return makePending("<identity>", Value::none());
  case BuiltinId::functools_wraps:
    return makePending("<identity>", Value::none());
  case BuiltinId::functools_cached_property:
    if (args.size() == 1 && args[0].isFunction()) {
      args[0].getFunction().methodKind = FunctionObject::MethodKind::Property;
      return args[0];
    }
    break;
  case BuiltinId::functools_reduce: {
    if (!need(2, 3))
      return Value();
    llvm::SmallVector<Value, 8> items;
    if (!iterate(args[1], items, range))
      return Value();
    Value total = args.size() > 2 ? args[2] : Value();
    for (const Value &item : items) {
      total = total ? call(args[0], {total, item}, {}, range) : item;
      if (!total)
        return Value();
    }
    return total ? total
                 : raise("TypeError", range,
                         "functools.reduce() of an empty sequence");
  }
  case BuiltinId::collections_namedtuple:
  case BuiltinId::typing_NamedTuple:
    return makeNamedTupleClass(args, keywords, range);
  case BuiltinId::collections_OrderedDict: {
    Value dict = values.dict();
    return dictMethod(dict, "update", args, keywords, range) ? dict : Value();
  }
  case BuiltinId::typing_cast:
    return need(2, 2) ? args[1] : Value();
  case BuiltinId::typing_overload:
    return args.empty() ? Value::none() : args[0];
  case BuiltinId::dataclasses_dataclass:
    if (args.size() == 1 && args[0].is(Value::Kind::Class)) {
      args[0].getClass().role = ClassObject::Role::Dataclass;
      return args[0];
    }
    return makePending("<dataclass>", Value::none());
  case BuiltinId::dataclasses_field:
    for (const NamedValue &keyword : keywords) {
      if (keyword.name == "default")
        return keyword.value;
      if (keyword.name == "default_factory")
        return call(keyword.value, {}, {}, range);
    }
    return values.unknown(range, "it is a field without a default");
  case BuiltinId::dataclasses_replace: {
    if (!need(1, 1) || !args[0].is(Value::Kind::Instance))
      return values.unknown(range, "it is a copy of an object");
    auto *copy = values.create<InstanceObject>();
    *copy = args[0].getInstance();
    for (const NamedValue &keyword : keywords)
      copy->set(keyword.name, keyword.value);
    return Value::of(copy);
  }
  case BuiltinId::dataclasses_asdict: {
    if (!need(1, 1) || !args[0].is(Value::Kind::Instance))
      return values.unknown(range, "it holds the fields of an object");
    Value dict = values.dict();
    for (const auto &[field, value] : args[0].getInstance().fields)
      dict.getDict().set(Value::internedString(field), value);
    return dict;
  }
  case BuiltinId::importlib_import_module: {
    if (!need(1, 2))
      return Value();
    if (Value unknown = firstUnknown(args[0], range))
      return unknown;
    if (!args[0].isString())
      break;
    if (ModuleObject *module = builtinModule(args[0].getString()))
      return Value::of(module);
    if (ModuleObject *module =
            frontend.loader->find(args[0].getString(), nullptr))
      return Value::of(module);
    return raise("ModuleNotFoundError", range,
                 "no module named '" + args[0].getString() + "'");
  }
  case BuiltinId::importlib_find_spec: {
    if (!need(1, 2))
      return Value();
    if (Value unknown = firstUnknown(args[0], range))
      return unknown;
    if (!args[0].isString())
      break;
    llvm::StringRef name = args[0].getString();
    ModuleObject *module = builtinModule(name);
    if (!module)
      module = frontend.loader->find(name, nullptr);
    if (!module && name.split('.').first == "triton")
      return Value::none();
    if (!module)
      break;
    auto make = [&](llvm::StringRef name) {
      auto *type = values.create<ClassObject>();
      type->name = name;
      auto *object = values.create<InstanceObject>();
      object->type = type;
      return object;
    };
    InstanceObject *loader = make("Loader"), *spec = make("ModuleSpec");
    loader->set("exec_module", Value::builtin(&getBuiltinInfo(
                                   BuiltinId::importlib_exec_module)));
    spec->set("name", args[0]);
    spec->set("loader", Value::of(loader));
    spec->set("module", Value::of(module));
    return Value::of(spec);
  }
  case BuiltinId::importlib_module_from_spec:
    if (!need(1, 1))
      return Value();
    if (args[0].is(Value::Kind::Instance))
      for (const auto &[field, value] : args[0].getInstance().fields)
        if (field == "module")
          return value;
    break;
  case BuiltinId::importlib_exec_module: // a module runs when it is asked for
    return need(1, 1) ? Value::none() : Value();
  case BuiltinId::torch_iinfo:
  case BuiltinId::torch_finfo:
    return need(1, 1) ? numberLimits(args[0], range) : Value();
  case BuiltinId::enum_auto:
    return makePending("<auto>", Value::none());
  case BuiltinId::enum_unique:
    return args.empty() ? Value::none() : args[0];
  case BuiltinId::copy_copy:
  case BuiltinId::copy_deepcopy:
    if (!need(1, 2))
      return Value();
    if (args[0].isList())
      return values.list(args[0].getElements());
    if (args[0].is(Value::Kind::Dict))
      return dictMethod(args[0], "copy", {}, {}, range);
    return args[0];
  case BuiltinId::packaging_parse:
  case BuiltinId::packaging_Version:
    if (!need(1, 1))
      return Value();
    if (Value unknown = firstUnknown(args[0], range))
      return unknown;
    if (args[0].isTuple())
      return args[0];
    return versionTuple(values, str(args[0]));
  default:
    break;
  }
  return values.unknown(range,
                        "'" + display + "()' is not run at compile time");
}
