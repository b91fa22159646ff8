//===- EvalAttributes.cpp - Evaluator: attributes -------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

#include <limits>

using namespace nereid::lang;

Value EvaluatorImpl::method(Value self, llvm::StringRef name, Value function) {
  auto *bound = values.create<BoundMethodObject>();
  bound->self = self;
  bound->name = name;
  bound->function = function;
  return Value::of(bound);
}

llvm::ArrayRef<llvm::StringRef> EvaluatorImpl::methodNames(Value object) {
  static constexpr llvm::StringRef strings[] = {
      "capitalize",   "center",       "count",   "encode",  "endswith",
      "find",         "format",       "index",   "isalnum", "isalpha",
      "isdigit",      "isidentifier", "islower", "isspace", "isupper",
      "join",         "ljust",        "lower",   "lstrip",  "partition",
      "removeprefix", "removesuffix", "replace", "rfind",   "rjust",
      "rpartition",   "rsplit",       "rstrip",  "split",   "splitlines",
      "startswith",   "strip",        "title",   "upper",   "zfill"};
  static constexpr llvm::StringRef lists[] = {
      "append", "clear", "copy",   "count",   "extend", "index",
      "insert", "pop",   "remove", "reverse", "sort"};
  static constexpr llvm::StringRef dicts[] = {
      "clear", "copy",    "get",        "items",  "keys",
      "pop",   "popitem", "setdefault", "update", "values"};
  static constexpr llvm::StringRef sets[] = {
      "add",          "clear",      "copy",     "difference", "discard",
      "intersection", "isdisjoint", "issubset", "issuperset", "pop",
      "remove",       "union",      "update"};
  static constexpr llvm::StringRef tuples[] = {"count", "index"};
  static constexpr llvm::StringRef namedTuples[] = {"count", "index",
                                                    "_replace", "_asdict"};
  static constexpr llvm::StringRef ints[] = {"bit_length", "bit_count",
                                             "conjugate"};
  static constexpr llvm::StringRef floats[] = {"is_integer", "hex"};
  static constexpr llvm::StringRef dtypes[] = {"is_fp8",
                                               "is_fp8e4nv",
                                               "is_fp8e4b8",
                                               "is_fp8e4b15",
                                               "is_fp8e5",
                                               "is_fp8e5b16",
                                               "is_fp16",
                                               "is_bf16",
                                               "is_fp32",
                                               "is_fp64",
                                               "is_int1",
                                               "is_int8",
                                               "is_int16",
                                               "is_int32",
                                               "is_int64",
                                               "is_uint8",
                                               "is_uint16",
                                               "is_uint32",
                                               "is_uint64",
                                               "is_floating",
                                               "is_standard_floating",
                                               "is_int",
                                               "is_int_signed",
                                               "is_int_unsigned",
                                               "is_bool",
                                               "is_ptr",
                                               "is_block",
                                               "is_const",
                                               "is_void",
                                               "is_dtype",
                                               "kind",
                                               "get_int_max_value",
                                               "get_int_min_value",
                                               "get_block_shapes",
                                               "to"};
  switch (object.getKind()) {
  case Value::Kind::String:
    return strings;
  case Value::Kind::List:
    return lists;
  case Value::Kind::Dict:
    return dicts;
  case Value::Kind::Set:
    return sets;
  case Value::Kind::Tuple:
    if (object.getTuple().type)
      return namedTuples;
    return tuples;
  case Value::Kind::Bool:
  case Value::Kind::Int:
    return ints;
  case Value::Kind::Float:
    return floats;
  case Value::Kind::DType:
    return dtypes;
  default:
    return {};
  }
}

//===----------------------------------------------------------------------===//
// dtypes
//===----------------------------------------------------------------------===//

static constexpr llvm::StringRef dtypeAttributes[] = {"primitive_bitwidth",
                                                      "int_bitwidth",
                                                      "itemsize",
                                                      "fp_mantissa_width",
                                                      "exponent_bias",
                                                      "element_ty",
                                                      "scalar",
                                                      "name",
                                                      "shape",
                                                      "numel",
                                                      "address_space",
                                                      "const"};

Value EvaluatorImpl::dtypeAttribute(const Type &type, llvm::StringRef name) {
  const Type &scalar = *type.getScalarType();
  auto integer = [](Int128 value) { return Value::integer(value); };
  if (name == "primitive_bitwidth")
    return integer(scalar.isScalar() ? scalar.getBits() : 64);
  if (name == "int_bitwidth")
    return scalar.isInteger() ? integer(scalar.getBits()) : Value();
  if (name == "itemsize")
    return integer(scalar.isScalar() ? (scalar.getBits() + 7) / 8 : 8);
  if (name == "fp_mantissa_width" && scalar.isFloat())
    return integer(scalar.getScalar().mantissaBits);
  if (name == "exponent_bias" && scalar.isFloat())
    return integer(scalar.getScalar().exponentBias);
  if (name == "element_ty" && (type.isPointer() || type.isBlock()))
    return Value::dtype(type.getElement());
  if (name == "scalar")
    return Value::dtype(&scalar);
  if (name == "name")
    return values.string(type.str());
  if (name == "shape" && type.isBlock()) {
    llvm::SmallVector<Value, 4> sizes;
    for (int64_t size : type.getShape())
      sizes.push_back(integer(size));
    return values.tuple(sizes);
  }
  if (name == "numel" && type.isBlock())
    return integer(type.getNumElements());
  if (name == "address_space" && type.isPointer())
    return integer(type.getAddressSpace());
  if (name == "const" && type.isPointer())
    return Value::boolean(type.isConstPointer());
  return Value();
}

Value EvaluatorImpl::dtypeMethod(const Type &type, llvm::StringRef name,
                                 SourceRange range) {
  const Type &scalar = *type.getScalarType();
  auto boolean = [](bool value) { return Value::boolean(value); };
  if (name == "is_fp8")
    return boolean(scalar.isFloat8());
  if (name == "is_floating")
    return boolean(scalar.isFloat());
  if (name == "is_standard_floating")
    return boolean(scalar.isStandardFloat());
  if (name == "is_int")
    return boolean(scalar.isInteger());
  if (name == "is_int_signed")
    return boolean(scalar.isSigned());
  if (name == "is_int_unsigned")
    return boolean(scalar.isUnsigned());
  if (name == "is_bool")
    return boolean(scalar.isBool());
  if (name == "is_ptr")
    return boolean(type.isPointer());
  if (name == "is_block")
    return boolean(type.isBlock());
  if (name == "is_const")
    return boolean(type.isPointer() && type.isConstPointer());
  if (name == "is_void")
    return boolean(type.is(ScalarId::Void));
  if (name == "is_dtype")
    return boolean(true);
  if (name == "kind") // BOOLEAN, INTEGRAL, FLOATING
    return Value::integer(scalar.isBool() ? 0 : scalar.isInteger() ? 1 : 2);
  if (name == "get_block_shapes" && type.isBlock())
    return dtypeAttribute(type, "shape");
  if (name == "get_int_max_value" || name == "get_int_min_value") {
    if (!scalar.isInteger())
      return raise("TypeError", range,
                   name + "() applies to integer types, found " + type.str());
    unsigned bits = scalar.getBits();
    Int128 one = 1;
    if (name == "get_int_max_value")
      return Value::integer((one << (scalar.isSigned() ? bits - 1 : bits)) - 1);
    return Value::integer(scalar.isSigned() ? -(one << (bits - 1)) : 0);
  }
  // is_fp16, is_int32, is_fp8e4nv ...: is_ and a dtype's name.
  llvm::StringRef word = name;
  if (word.consume_front("is_") && scalar.isScalar())
    for (const ScalarInfo &info : allScalars())
      if (word == info.name)
        return boolean(scalar.is(info.id));
  if (word != name)
    return boolean(false);
  return raise("AttributeError", range, "a dtype has no method '" + name + "'");
}

//===----------------------------------------------------------------------===//
// Any object
//===----------------------------------------------------------------------===//

Value EvaluatorImpl::functionAttribute(FunctionObject &function,
                                       llvm::StringRef name,
                                       SourceRange range) {
  if (name == "__name__" || name == "__qualname__" || name == "name")
    return Value::internedString(function.name);
  if (name == "__module__" && function.module)
    return values.string(function.module->getName());
  if (name == "__doc__")
    return Value::none();
  if (name == "fn" && function.isJit())
    return Value::of(&function);
  if (name == "arg_names" && function.isJit()) {
    llvm::SmallVector<Value, 8> names;
    for (const Parameter &param : function.params())
      names.push_back(Value::internedString(param.name));
    return values.list(names);
  }
  if (name == "configs" && function.isJit()) {
    if (function.jit.configsUnknown)
      return function.jit.configsUnknown;
    llvm::SmallVector<Value, 8> configs;
    for (ConfigObject *config : function.jit.configs)
      configs.push_back(Value::of(config));
    return values.list(configs);
  }
  return values.unknown(range, "'" + name + "' of function '" + function.name +
                                   "' is not known to the compiler");
}

Value EvaluatorImpl::attributeOrNone(Value object, llvm::StringRef name,
                                     SourceRange range) {
  switch (object.getKind()) {
  case Value::Kind::Unknown: {
    const UnknownObject &unknown = object.getUnknown();
    if (unknown.path.empty())
      return object;
    auto *inner = values.create<UnknownObject>();
    *inner = unknown;
    inner->path = unknown.path + "." + name.str();
    inner->isModule = false;
    inner->bindName.clear();
    inner->origin = range;
    return Value::of(inner);
  }
  case Value::Kind::Tensor:
    // Of a run-time value only its type is known.
    if (name == "dtype")
      return Value::dtype(object.getTensorType()->getScalarType());
    if (name == "type")
      return Value::dtype(object.getTensorType());
    if (name == "shape" || name == "numel")
      if (Value known = dtypeAttribute(*object.getTensorType(), name))
        return known;
    return firstUnknown(object, range);
  case Value::Kind::Handle:
    return firstUnknown(object, range);
  case Value::Kind::Module:
    return moduleAttribute(object.getModule(), name, range);
  case Value::Kind::DType:
    if (Value value = dtypeAttribute(*object.getDType(), name))
      return value;
    break;
  case Value::Kind::Function:
    return functionAttribute(object.getFunction(), name, range);
  case Value::Kind::Builtin: {
    const BuiltinInfo &info = object.getBuiltin();
    if (info.id == BuiltinId::tl_PropagateNan) {
      if (!propagateNan) {
        auto *type = values.create<ClassObject>();
        type->role = ClassObject::Role::Enum;
        type->name = "PropagateNan";
        for (auto [member, number] :
             {std::pair("NONE", 0), std::pair("ALL", 0xFFFF)}) {
          auto *instance = values.create<InstanceObject>();
          instance->type = type;
          instance->set("name", Value::internedString(member));
          instance->set("value", Value::integer(number));
          type->attributes[member] = Value::of(instance);
        }
        propagateNan = Value::of(type);
      }
      return propagateNan.getClass().find(name);
    }
    if (name == "__name__" || name == "__qualname__")
      return values.string(info.name);
    if (info.id == BuiltinId::py_dict && name == "fromkeys")
      return method(object, name);
    if (info.id == BuiltinId::py_str && name == "join")
      return method(object, name);
    if (info.id == BuiltinId::itertools_chain && name == "from_iterable")
      return method(object, name);
    if (info.module == "triton" || info.module == "triton.language" ||
        info.module == "builtins")
      return Value();
    return values.unknown(range, "'" + info.display() + "." + name +
                                     "' is not available to the compiler");
  }
  case Value::Kind::Class: {
    ClassObject &type = object.getClass();
    if (Value value = type.find(name)) {
      if (value.isFunction() &&
          value.getFunction().methodKind == FunctionObject::MethodKind::Class)
        return method(object, name, value);
      return value;
    }
    if (name == "__name__" || name == "__qualname__")
      return Value::internedString(type.name);
    if (name == "_fields" || name == "__members__" ||
        name == "__annotations__") {
      llvm::SmallVector<Value, 8> names;
      for (const ClassField &field : type.fields)
        names.push_back(Value::internedString(field.name));
      return values.tuple(names);
    }
    for (const Value &base : type.bases)
      if (base.isUnknown())
        return base;
    return Value();
  }
  case Value::Kind::Instance: {
    InstanceObject &instance = object.getInstance();
    if (Value *field = instance.find(name))
      return *field;
    if (name == "__class__")
      return Value::of(instance.type);
    if (Value value = instance.type->find(name)) {
      if (!value.isFunction())
        return value;
      switch (value.getFunction().methodKind) {
      case FunctionObject::MethodKind::Static:
        return value;
      case FunctionObject::MethodKind::Class:
        return method(Value::of(instance.type), name, value);
      case FunctionObject::MethodKind::Property:
        return call(value, object, {}, range);
      case FunctionObject::MethodKind::Plain:
        return method(object, name, value);
      }
    }
    for (const Value &base : instance.type->bases)
      if (base.isUnknown())
        return base;
    return Value();
  }
  case Value::Kind::Config: {
    ConfigObject &config = object.getConfig();
    if (name == "num_warps")
      return Value::integer(config.numWarps);
    if (name == "num_stages")
      return Value::integer(config.numStages);
    if (name == "num_ctas")
      return Value::integer(config.numCtas);
    if (name == "maxnreg")
      return config.maxRegisters ? Value::integer(*config.maxRegisters)
                                 : Value::none();
    if (name == "pre_hook")
      return Value::none();
    if (name == "kwargs") {
      Value dict = values.dict();
      for (const auto &[key, constant] : config.constants)
        dict.getDict().set(Value::internedString(key), constant);
      return dict;
    }
    if (name == "all_kwargs")
      return method(object, name);
    return Value();
  }
  case Value::Kind::Slice: {
    const SliceObject &slice = object.getSlice();
    return name == "start"  ? slice.lower
           : name == "stop" ? slice.upper
           : name == "step" ? slice.step
                            : Value();
  }
  case Value::Kind::Range: {
    const RangeObject &r = object.getRange();
    if (name == "start")
      return Value::integer(r.start);
    if (name == "stop")
      return Value::integer(r.stop);
    if (name == "step")
      return Value::integer(r.step);
    break;
  }
  case Value::Kind::Tuple:
    if (const ClassObject *type = object.getTuple().type) {
      for (size_t i = 0; i < type->fields.size(); ++i)
        if (type->fields[i].name == name)
          return object.getElements()[i];
      if (name == "_fields")
        return attributeOrNone(Value::of(const_cast<ClassObject *>(type)), name,
                               range);
      if (Value value = type->find(name)) {
        if (value.isFunction() && value.getFunction().methodKind ==
                                      FunctionObject::MethodKind::Property)
          return call(value, object, {}, range);
        return value.isFunction() ? method(object, name, value) : value;
      }
    }
    break;
  default:
    break;
  }
  // `tl.constexpr(3).value` is the value itself.
  if (name == "value" &&
      (object.isConstexprMarked() || object.isNumber() || object.isString() ||
       object.isNone() || object.isSequence()))
    return object.asConstexpr(false);
  if (object.isNumber()) {
    if (name == "real" || name == "numerator")
      return object;
    if (name == "imag")
      return Value::integer(0);
    if (name == "denominator")
      return Value::integer(1);
  }
  if (llvm::is_contained(methodNames(object), name))
    return method(object, name);
  return Value();
}

std::string EvaluatorImpl::noAttribute(Value object, llvm::StringRef name) {
  llvm::SmallVector<llvm::StringRef, 64> names;
  std::string what = "a " + typeName(object);
  llvm::ArrayRef<llvm::StringRef> methods = methodNames(object);
  names.append(methods.begin(), methods.end());
  switch (object.getKind()) {
  case Value::Kind::Module:
    what = "module '" + object.getModule().name.str() + "'";
    moduleNames(object.getModule(), names);
    break;
  case Value::Kind::DType:
    what = "dtype " + object.getDType()->str();
    names.append(std::begin(dtypeAttributes), std::end(dtypeAttributes));
    break;
  case Value::Kind::Builtin:
    what = "'" + object.getBuiltin().display() + "'";
    break;
  case Value::Kind::Class:
    what = "class '" + object.getClass().name.str() + "'";
    for (const auto &entry : object.getClass().attributes)
      names.push_back(entry.getKey());
    break;
  case Value::Kind::Instance:
    what = "a " + object.getInstance().type->name.str();
    for (const auto &[field, value] : object.getInstance().fields)
      names.push_back(field);
    for (const auto &entry : object.getInstance().type->attributes)
      names.push_back(entry.getKey());
    break;
  case Value::Kind::Tuple:
    if (const ClassObject *type = object.getTuple().type)
      for (const ClassField &field : type->fields)
        names.push_back(field.name);
    break;
  default:
    break;
  }
  return what + " has no attribute '" + name.str() + "'" +
         didYouMean(name, names);
}

Value EvaluatorImpl::attribute(Value object, llvm::StringRef name,
                               SourceRange range) {
  Value value = attributeOrNone(object, name, range);
  if (value || ev.error)
    return value;
  return raise("AttributeError", range, noAttribute(object, name));
}

bool EvaluatorImpl::setAttribute(Value object, llvm::StringRef name,
                                 Value value, SourceRange range) {
  switch (object.getKind()) {
  case Value::Kind::Instance:
    object.getInstance().set(name, value);
    return true;
  case Value::Kind::Class:
    object.getClass().attributes[name] = value;
    return true;
  case Value::Kind::Unknown:
  case Value::Kind::Function: // `f.__name__ = ...`, `kernel.run = ...`
  case Value::Kind::Config:
    return true;
  case Value::Kind::Module:
    // Changing another module: only a module's own file is believed.
    return true;
  default:
    raise("AttributeError", range,
          "an attribute of a " + typeName(object) + " cannot be assigned to");
    return false;
  }
}
