//===- EvalBuiltins.cpp - Evaluator: triton's functions -------------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

#include <cmath>

using namespace nereid::lang;

static bool isTargetInfo(const BuiltinInfo &builtin) {
  return builtin.module == "triton.language.target_info" ||
         builtin.module == "torch.cuda" ||
         builtin.module == "torch.utils._triton" ||
         builtin.id == BuiltinId::driver_get_current_target;
}

bool EvaluatorImpl::isCallableBuiltin(const BuiltinInfo &builtin) {
  if (builtin.module == "builtins" || !builtin.module.starts_with("triton"))
    return true;
  if (isTargetInfo(builtin))
    return true;
  switch (builtin.id) {
  case BuiltinId::triton_cdiv:
  case BuiltinId::triton_next_power_of_2:
  case BuiltinId::triton_jit:
  case BuiltinId::triton_autotune:
  case BuiltinId::triton_heuristics:
  case BuiltinId::triton_constexpr_function:
  case BuiltinId::triton_Config:
  case BuiltinId::triton_aggregate:
  case BuiltinId::triton_must_use_result:
  case BuiltinId::tl_constexpr_function:
  case BuiltinId::tl_constexpr:
  case BuiltinId::tl_cdiv:
  case BuiltinId::tl_tuple:
  case BuiltinId::tl_dtype:
  case BuiltinId::tl_pointer_type:
  case BuiltinId::tl_block_type:
  case BuiltinId::tl__aggregate:
  case BuiltinId::tl_builtin:
  case BuiltinId::tl_must_use_result:
  case BuiltinId::tl__unwrap_if_constexpr:
  case BuiltinId::tl__constexpr_to_value:
    return true;
  default:
    return false;
  }
}

Value EvaluatorImpl::callBuiltin(const BuiltinInfo &builtin, Args args,
                                 Keywords keywords, SourceRange range) {
  if (builtin.module == "builtins")
    return callPython(builtin, args, keywords, range);
  if (isTargetInfo(builtin))
    return callTargetInfo(builtin, args, keywords, range);
  if (builtin.module.starts_with("triton"))
    return callTriton(builtin, args, keywords, range);
  return callLibrary(builtin, args, keywords, range);
}

//===----------------------------------------------------------------------===//
// triton
//===----------------------------------------------------------------------===//

Value EvaluatorImpl::cdiv(Value x, Value y, SourceRange range) {
  if (Value unknown = firstUnknown({x, y}, range))
    return unknown;
  // (x + y - 1) // y
  Value sum = binary(BinaryOp::Add, x, y, range);
  Value less =
      sum ? binary(BinaryOp::Sub, sum, Value::integer(1), range) : Value();
  return less ? binary(BinaryOp::FloorDiv, less, y, range) : Value();
}

Value EvaluatorImpl::callTriton(const BuiltinInfo &builtin, Args args,
                                Keywords keywords, SourceRange range) {
  std::string name = builtin.display();
  auto optionsOf = [&]() {
    Value dict = values.dict();
    for (const NamedValue &keyword : keywords)
      dict.getDict().set(Value::internedString(keyword.name), keyword.value);
    return dict;
  };
  switch (builtin.id) {
  case BuiltinId::triton_jit: {
    // `@triton.jit`, `@triton.jit(...)` and `triton.jit(f)`.
    Value options = optionsOf();
    Value function = args.empty() ? Value() : args[0];
    if (Value *fn = options.getDict().find("fn")) {
      function = *fn;
      options.getDict().erase(Value::internedString("fn"));
    }
    static constexpr llvm::StringRef known[] = {
        "version",
        "repr",
        "launch_metadata",
        "do_not_specialize",
        "do_not_specialize_on_alignment",
        "debug",
        "noinline"};
    for (const NamedValue &keyword : keywords)
      if (keyword.name != "fn" && !llvm::is_contained(known, keyword.name)) {
        std::string hint = didYouMean(keyword.name, known);
        if (!hint.empty())
          return raise("TypeError", keyword.range,
                       "triton.jit() has no parameter '" + keyword.name + "'" +
                           hint);
        // Options of other vendors' forks are theirs.
      }
    if (args.size() > 1)
      return raise("TypeError", range, "triton.jit() takes one function");
    if (!function || function.isNone())
      return makePending("<jit>", options);
    if (function.isUnknown())
      return function;
    return applyJit(function, &options.getDict(), range);
  }
  case BuiltinId::triton_autotune: {
    static constexpr llvm::StringRef names[] = {
        "configs",        "key",           "prune_configs_by",
        "reset_to_zero",  "restore_value", "pre_hook",
        "post_hook",      "warmup",        "rep",
        "use_cuda_graph", "do_bench",      "cache_results"};
    Value out[std::size(names)];
    if (!take("triton.autotune", args, keywords, range, names, 1, out))
      return Value();
    Value options = values.dict();
    options.getDict().set(Value::internedString("configs"), out[0]);
    if (out[1])
      options.getDict().set(Value::internedString("key"), out[1]);
    return makePending("<autotune>", options);
  }
  case BuiltinId::triton_heuristics: {
    static constexpr llvm::StringRef names[] = {"values"};
    Value out[1];
    if (!take("triton.heuristics", args, keywords, range, names, 1, out))
      return Value();
    return makePending("<heuristics>", out[0]);
  }
  case BuiltinId::triton_Config:
    return makeConfig(args, keywords, range);
  case BuiltinId::triton_constexpr_function:
  case BuiltinId::tl_constexpr_function:
    if (args.size() == 1 && args[0].isFunction()) {
      args[0].getFunction().role = FunctionObject::Role::Constexpr;
      return args[0];
    }
    return raise("TypeError", range,
                 "triton.constexpr_function takes one function");
  case BuiltinId::tl_builtin:
  case BuiltinId::tl_must_use_result:
  case BuiltinId::triton_must_use_result:
  case BuiltinId::tl__unwrap_if_constexpr:
  case BuiltinId::tl__constexpr_to_value:
    if (args.size() == 1)
      return args[0];
    return makePending("<identity>", Value::none());
  case BuiltinId::triton_aggregate:
  case BuiltinId::tl__aggregate:
    if (args.size() == 1 && args[0].is(Value::Kind::Class)) {
      args[0].getClass().role = ClassObject::Role::Aggregate;
      return args[0];
    }
    return raise("TypeError", range, name + " takes one class");
  case BuiltinId::tl_constexpr:
    if (args.size() == 1 && keywords.empty())
      return args[0].asConstexpr();
    return raise("TypeError", range, "tl.constexpr() takes one value");
  case BuiltinId::triton_cdiv:
  case BuiltinId::tl_cdiv: {
    static constexpr llvm::StringRef names[] = {"x", "y"};
    Value out[2];
    llvm::SmallVector<NamedValue, 2> renamed(keywords.begin(), keywords.end());
    for (NamedValue &keyword : renamed)
      if (keyword.name == "div")
        keyword.name = "y";
    if (!take(name, args, renamed, range, names, 2, out))
      return Value();
    return cdiv(out[0], out[1], range);
  }
  case BuiltinId::triton_next_power_of_2: {
    static constexpr llvm::StringRef names[] = {"n"};
    Value out[1];
    if (!take(name, args, keywords, range, names, 1, out))
      return Value();
    if (Value unknown = firstUnknown(out[0], range))
      return unknown;
    Value n = plain(out[0]);
    if (!n.isIntegral())
      return raise("TypeError", range,
                   name + "() takes an int, found " + typeName(out[0]));
    Int128 power = 1;
    while (power < n.getInt() && power < (Int128(1) << 100))
      power <<= 1;
    // As upstream: 0 for 0.
    if (n.getInt() == 0)
      power = 0;
    Value result = Value::integer(power);
    return out[0].isConstexprMarked() ? result.asConstexpr() : result;
  }
  case BuiltinId::tl_tuple: {
    llvm::SmallVector<Value, 8> items;
    if (args.size() == 1 && !iterate(args[0], items, range))
      return Value();
    return values.tuple(items);
  }
  case BuiltinId::tl_dtype: {
    if (args.size() == 1 && args[0].isDType())
      return args[0];
    if (args.size() == 1 && args[0].isString()) {
      for (const ScalarInfo &info : allScalars())
        if (args[0].getString() == info.name)
          return Value::dtype(frontend.getTypes().getScalar(info.id));
      return raise("ValueError", range,
                   "tl.dtype() knows no type " + repr(args[0]));
    }
    return raise("TypeError", range, "tl.dtype() takes the name of a type");
  }
  case BuiltinId::tl_pointer_type: {
    static constexpr llvm::StringRef names[] = {"element_ty", "address_space",
                                                "const"};
    Value out[3];
    if (!take(name, args, keywords, range, names, 1, out))
      return Value();
    for (const Value &v : out)
      if (Value unknown = v ? firstUnknown(v, range) : Value())
        return unknown;
    if (!out[0].isDType())
      return raise("TypeError", range,
                   "tl.pointer_type() takes a dtype, found " +
                       typeName(out[0]));
    int64_t space = out[1] ? out[1].getInt64().value_or(1) : 1;
    bool isConst = out[2] && out[2].isBool() && out[2].getBool();
    return Value::dtype(frontend.getTypes().getPointer(
        out[0].getDType(), static_cast<unsigned>(space), isConst));
  }
  case BuiltinId::tl_block_type: {
    static constexpr llvm::StringRef names[] = {"element_ty", "shape"};
    Value out[2];
    if (!take(name, args, keywords, range, names, 2, out))
      return Value();
    llvm::SmallVector<Value, 4> items;
    if (!iterate(out[1], items, range))
      return Value();
    llvm::SmallVector<int64_t, 4> shape;
    int64_t total = 1;
    for (const Value &item : items) {
      std::optional<int64_t> size = item.getInt64();
      if (!size || *size < 1 || *size > (1 << 20) ||
          (total *= *size) > (1 << 20))
        return raise("ValueError", range,
                     "tl.block_type() takes positive sizes whose product is at "
                     "most 1048576");
      shape.push_back(*size);
    }
    if (!out[0].isDType())
      return raise("TypeError", range, "tl.block_type() takes a dtype");
    return Value::dtype(frontend.getTypes().getBlock(out[0].getDType(), shape));
  }
  default:
    break;
  }
  if (builtin.module == "triton" || builtin.module.starts_with("triton.t"))
    return values.unknown(range, "'" + name + "' runs on the host only");
  return raise("TypeError", range,
               "'" + name +
                   "' can be used inside a @triton.jit function only, not in "
                   "code that runs at compile time");
}
