//===- CodeGenCall.cpp - Calls, methods and attributes --------------------===//

#include "compiler/Lang/OpTable.h"

namespace nereid::lang {

//===----------------------------------------------------------------------===//
// Call expressions
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::callExpression(const CallExpr &expr) {
  bool unused = std::exchange(resultUnused, false);
  Value callee = expression(*expr.callee);
  if (!callee)
    return Value();
  SourceRange range = expr.getRange();

  // The message of an assertion is evaluated only when the assertion fails.
  if (callee.isBuiltin() &&
      callee.getBuiltin().id == BuiltinId::tl_static_assert &&
      !expr.args.empty()) {
    Value test = expression(*expr.args.front());
    if (!test || (test.isBool() && test.getBool()))
      return test ? Value::none() : test;
  }

  llvm::SmallVector<Value, 8> args;
  llvm::SmallVector<SourceRange, 8> ranges;
  llvm::SmallVector<NamedValue, 8> keywords;
  bool ok = true;
  llvm::StringRef savedHint = nameHint;
  // Keywords come first, as upstream orders the ops it emits.
  for (const KeywordArg &keyword : expr.keywords) {
    if (keyword.name.empty()) {
      error(keyword.range, "'**' in a call is not supported in a kernel; name "
                           "the arguments");
      ok = false;
      continue;
    }
    // Builder plumbing of functions that upstream runs in Python.
    if (keyword.name == "_semantic" || keyword.name == "_builder" ||
        keyword.name == "_generator")
      continue;
    Value value = expression(*keyword.value);
    ok &= static_cast<bool>(value);
    keywords.push_back({keyword.name, value, keyword.range});
  }
  for (const Expr *arg : expr.args) {
    if (auto *starred = llvm::dyn_cast<StarredExpr>(arg)) {
      Value list = expression(*starred->value);
      if (list.isSequence()) {
        for (Value element : list.getElements()) {
          args.push_back(element);
          ranges.push_back(arg->getRange());
        }
      } else {
        ok = false;
        if (list)
          error(arg->getRange(), "only a tuple can be spread with '*', found " +
                                     describeType(list));
      }
      continue;
    }
    Value value = expression(*arg);
    ok &= static_cast<bool>(value);
    args.push_back(value);
    ranges.push_back(arg->getRange());
  }
  nameHint = savedHint;
  if (!ok)
    return Value();
  if (callee.isUnknown()) {
    eval.reportUnknown(
        callee, expr.callee->getRange(),
        "'" + cg.getFrontend().getSources().getText(expr.callee->getRange()) +
            "', which is called here,");
    return Value();
  }
  setPosition(range);
  resultUnused = unused;
  Value result = callValue(callee, args, ranges, keywords, range);
  resultUnused = false;
  return result;
}

Value FunctionCodeGen::callValue(Value callee, llvm::ArrayRef<Value> args,
                                 llvm::ArrayRef<SourceRange> argRanges,
                                 llvm::ArrayRef<NamedValue> keywords,
                                 SourceRange range) {
  switch (callee.getKind()) {
  case Value::Kind::Builtin:
    return callBuiltin(callee, args, argRanges, keywords, range);
  case Value::Kind::BoundMethod:
    return callMethod(callee.getBoundMethod(), args, argRanges, keywords,
                      range);
  case Value::Kind::Class:
    return callClass(callee.getClass(), args, keywords, range);
  case Value::Kind::Function: {
    FunctionObject &target = callee.getFunction();
    if (target.isJit())
      return callJit(target, args, keywords, range);
    if (target.role == FunctionObject::Role::Host ||
        target.role == FunctionObject::Role::Lambda) {
      llvm::SmallVector<Value, 8> all(args);
      for (const NamedValue &keyword : keywords)
        all.push_back(keyword.value);
      if (Evaluator::anyRuntime(all))
        return error(range,
                     "'" + target.name +
                         "' is a plain Python function and cannot work on "
                         "run-time values; decorate it with @triton.jit");
    }
    Value result = eval.call(callee, args, keywords, range);
    if (!result) {
      eval.reportError();
      return Value();
    }
    return result;
  }
  case Value::Kind::Invalid:
    return Value();
  case Value::Kind::Unknown:
    eval.reportUnknown(callee, range, "the function called here");
    return Value();
  default:
    return error(range, describeType(callee) + " cannot be called");
  }
}

//===----------------------------------------------------------------------===//
// jit functions (R18)
//===----------------------------------------------------------------------===//

/// Lists from host code are immutable tuples inside a kernel.
static Value normalize(ValueContext &values, Value value) {
  if (!value.isSequence())
    return value;
  auto *object = values.create<TupleObject>();
  if (value.isTuple())
    object->type = value.getTuple().type;
  for (Value element : value.getElements())
    object->elements.push_back(normalize(values, element));
  return Value::of(object);
}

Value FunctionCodeGen::callJit(const FunctionObject &target,
                               llvm::ArrayRef<Value> args,
                               llvm::ArrayRef<NamedValue> keywords,
                               SourceRange range) {
  llvm::SmallVector<Value, 16> bound;
  if (!eval.bindArguments(target, args, keywords, range, bound)) {
    eval.reportError();
    return Value();
  }
  for (auto [value, param] : llvm::zip(bound, target.params())) {
    if (value.isUnknown()) {
      eval.reportUnknown(value, range, ("argument '" + param.name + "'").str());
      return Value();
    }
    value = normalize(values, value);
    if (target.jit.isNoinline && value.isTensor() &&
        getTensor(value).isBlock() &&
        getTensor(value).type->getNumElements() != 1)
      return error(range, "'" + target.name +
                              "' is marked noinline and takes scalars only, "
                              "found " +
                              describeType(value) + " for '" + param.name +
                              "'");
  }
  FunctionInstance *instance = cg.getInstance(target, bound, range);
  if (!instance || !instance->result)
    return Value();
  setPosition(range);
  llvm::SmallVector<mlir::Value, 16> handles;
  for (Value value : bound)
    flatten(value, handles);
  auto call =
      tt::CallOp::create(builder, sem.getLoc(), instance->func, handles);
  llvm::SmallVector<mlir::Value, 4> results(call.getResults());
  llvm::ArrayRef<mlir::Value> rest(results);
  return rebuild(values, instance->result, rest);
}

//===----------------------------------------------------------------------===//
// Builtins
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::callBuiltin(Value callee, llvm::ArrayRef<Value> args,
                                   llvm::ArrayRef<SourceRange> argRanges,
                                   llvm::ArrayRef<NamedValue> keywords,
                                   SourceRange range) {
  const BuiltinInfo &info = callee.getBuiltin();
  if (const OpInfo *op = findOp(info.id))
    return callOp(*this, *op, info.display(), args, argRanges, keywords, range);
  if (info.module == "triton.language.libdevice")
    return callLibdevice(*this, info, args, argRanges, keywords, range);
  bool handled = false;
  Value result =
      callPython(info.id, callee, args, argRanges, keywords, range, handled);
  if (handled)
    return result;

  llvm::SmallVector<Value, 8> all(args);
  for (const NamedValue &keyword : keywords)
    all.push_back(keyword.value);
  if (!Evaluator::anyRuntime(all) && eval.canCall(callee)) {
    Value value = eval.call(callee, args, keywords, range);
    if (!value) {
      eval.reportError();
      return Value();
    }
    return value;
  }
  if (!Evaluator::anyRuntime(all) || !eval.canCall(callee))
    return error(range,
                 "'" + info.display() + "' is not supported in a kernel");
  return error(range, "'" + info.display() +
                          "' takes values known at compile time, found " +
                          describeType(*llvm::find_if(all, [](Value value) {
                            return Evaluator::anyRuntime(value);
                          })));
}

Value FunctionCodeGen::minMax(bool isMax, llvm::ArrayRef<Value> args,
                              SourceRange range) {
  if (args.size() == 1 && args[0].isSequence())
    args = args[0].getElements();
  if (args.empty())
    return error(range, isMax ? "'max' takes at least one value"
                              : "'min' takes at least one value");
  Value result = args.front();
  for (Value next : args.drop_front()) {
    if (result.isNumber() && next.isNumber()) {
      Value keep = eval.compare(isMax ? CompareOp::GtE : CompareOp::LtE, result,
                                next, range);
      if (!keep) {
        eval.reportError();
        return Value();
      }
      if (!keep.getBool())
        result = next;
      continue;
    }
    llvm::StringRef what =
        isMax ? "an argument of 'max'" : "an argument of 'min'";
    Tensor a = toTensor(result, range, what), b = toTensor(next, range, what);
    if (!a || !b)
      return Value();
    if (a.isBlock() || b.isBlock())
      warn(range, isMax ? "'max' on tensors is deprecated; use tl.maximum"
                        : "'min' on tensors is deprecated; use tl.minimum");
    setPosition(range);
    result = fromTensor(sem.minimum(isMax, a, b, /*propagateNan=*/false));
    if (!result)
      return result;
  }
  return result;
}

Value FunctionCodeGen::isInstance(Value object, Value type, SourceRange range) {
  if (type.isSequence()) {
    for (Value option : type.getElements()) {
      Value result = isInstance(object, option, range);
      if (!result || result.getBool())
        return result;
    }
    return Value::boolean(false);
  }
  if (type.isBuiltin()) {
    bool runtime = Evaluator::anyRuntime(object);
    switch (type.getBuiltin().id) {
    case BuiltinId::tl_tensor:
      return Value::boolean(object.isTensor());
    case BuiltinId::tl_constexpr:
      return Value::boolean(!runtime);
    case BuiltinId::tl_dtype:
      return Value::boolean(object.isDType());
    case BuiltinId::tl_tuple:
    case BuiltinId::py_tuple:
    case BuiltinId::py_list:
      return Value::boolean(object.isSequence());
    case BuiltinId::tl_tensor_descriptor:
      return Value::boolean(asDescriptor(object) != nullptr);
    case BuiltinId::tl_pointer_type:
      return Value::boolean(object.isDType() && object.getDType()->isPointer());
    case BuiltinId::tl_block_type:
      return Value::boolean(object.isDType() && object.getDType()->isBlock());
    default:
      if (runtime)
        return Value::boolean(false);
    }
  }
  if (type.is(Value::Kind::Class))
    return Value::boolean(
        object.is(Value::Kind::Instance) &&
        object.getInstance().type->isSubclassOf(&type.getClass()));
  return Value();
}

Value FunctionCodeGen::callPython(BuiltinId id, Value callee,
                                  llvm::ArrayRef<Value> args,
                                  llvm::ArrayRef<SourceRange> argRanges,
                                  llvm::ArrayRef<NamedValue> keywords,
                                  SourceRange range, bool &handled) {
  handled = true;
  switch (id) {
  case BuiltinId::py_range: {
    if (args.empty() || args.size() > 3)
      return error(range, "'range' takes one to three positional arguments, "
                          "found " +
                              llvm::Twine(args.size()) +
                              (keywords.empty() ? "" : " and keywords"));
    for (const NamedValue &keyword : keywords)
      warn(keyword.range, "'range' takes no keywords: '" + keyword.name +
                              "' is ignored, as Triton ignores it; write "
                              "tl.range(...) for it to count");
    auto *loop = values.createRuntime<LoopRange>();
    bool one = args.size() == 1;
    loop->start = one ? Value::integer(0) : args[0];
    loop->startRange = argRanges[0];
    loop->stop = args[one ? 0 : 1];
    loop->stopRange = argRanges[one ? 0 : 1];
    loop->step = args.size() == 3 ? args[2] : Value::integer(1);
    loop->stepRange = args.size() == 3 ? argRanges[2] : range;
    return Value::handle(loop);
  }
  case BuiltinId::py_min:
  case BuiltinId::py_max:
    if (!keywords.empty())
      return error(keywords[0].range, "keyword arguments are not supported "
                                      "here");
    return minMax(id == BuiltinId::py_max, args, range);
  case BuiltinId::py_len:
    if (args.size() == 1 && args[0].isSequence())
      return Value::integer(args[0].getElements().size());
    if (args.size() == 1 && args[0].isTensor())
      return error(range, "a tensor has no length; use x.shape[0] or x.numel");
    break;
  case BuiltinId::py_list:
  case BuiltinId::py_tuple:
  case BuiltinId::tl_tuple:
    if (args.empty())
      return values.tuple({});
    if (args.size() == 1 && args[0].isSequence())
      return values.tuple(args[0].getElements());
    break;
  case BuiltinId::py_isinstance: {
    if (args.size() != 2 || !keywords.empty())
      return error(range, "'isinstance' takes two arguments");
    if (Value result = isInstance(args[0], args[1], range))
      return result;
    break;
  }
  case BuiltinId::py_hasattr:
    if (args.size() == 2 && args[1].isString())
      return Value::boolean(hasAttribute(args[0], args[1].getString()));
    break;
  case BuiltinId::py_getattr:
    if ((args.size() == 2 || args.size() == 3) && args[1].isString()) {
      if (args.size() == 3 && !hasAttribute(args[0], args[1].getString()))
        return args[2];
      return attributeOf(args[0], args[1].getString(), range);
    }
    break;
  case BuiltinId::py_print: {
    const OpInfo *op = findOp(BuiltinId::tl_device_print);
    return callOp(*this, *op, "print", args, argRanges, keywords, range);
  }
  case BuiltinId::py_int:
  case BuiltinId::py_float:
  case BuiltinId::py_bool:
    if (args.size() == 1 && args[0].isTensor()) {
      llvm::StringRef name = callee.getBuiltin().name;
      return error(range, "'" + name +
                              "' converts compile-time values, found " +
                              describeType(args[0]) + "; use .to(tl." +
                              (id == BuiltinId::py_int     ? "int32"
                               : id == BuiltinId::py_float ? "float32"
                                                           : "int1") +
                              ")");
    }
    break;
  case BuiltinId::py_abs:
    if (args.size() == 1 && args[0].isTensor())
      return error(range, "Python's 'abs' does not work on tensors; use "
                          "tl.abs(x)");
    break;
  case BuiltinId::py_sum:
  case BuiltinId::py_round:
  case BuiltinId::py_pow:
    if (Evaluator::anyRuntime(args))
      return error(range, "Python's '" + callee.getBuiltin().name +
                              "' does not work on run-time values" +
                              (id == BuiltinId::py_sum ? "; use tl.sum" : ""));
    break;
  case BuiltinId::tl_constexpr:
    if (args.size() == 1 && keywords.empty()) {
      if (Evaluator::anyRuntime(args[0]))
        return error(range,
                     "'tl.constexpr' takes a compile-time value, found " +
                         describeType(args[0]));
      return args[0].asConstexpr();
    }
    break;
  case BuiltinId::triton_cdiv:
    // Works on run-time values by way of the language's own.
    if (Evaluator::anyRuntime(args)) {
      Value own = cg.getFrontend().languageAttribute("cdiv");
      if (own && !own.isBuiltin())
        return callValue(own, args, argRanges, keywords, range);
    }
    break;
  default:
    break;
  }
  handled = false;
  return Value();
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::callClass(ClassObject &type, llvm::ArrayRef<Value> args,
                                 llvm::ArrayRef<NamedValue> keywords,
                                 SourceRange range) {
  Value result = eval.call(Value::of(&type), args, keywords, range);
  if (!result) {
    eval.reportError();
    return Value();
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static Value boundMethod(ValueContext &values, Value self, llvm::StringRef name,
                         Value function = Value()) {
  auto *method = values.create<BoundMethodObject>();
  method->self = self;
  method->name = values.intern(name);
  method->function = function;
  return Value::of(method);
}

static Value shapeTuple(ValueContext &values, llvm::ArrayRef<int64_t> shape) {
  llvm::SmallVector<Value, 4> list;
  for (int64_t size : shape)
    list.push_back(Value::integer(size));
  return values.tuple(list);
}

Value FunctionCodeGen::tensorAttribute(Value object, llvm::StringRef name,
                                       SourceRange range, bool &found) {
  found = true;
  Tensor tensor = getTensor(object);
  if (name == "dtype")
    return Value::dtype(tensor.elem());
  if (name == "type")
    return Value::dtype(tensor.type);
  if (name == "shape")
    return shapeTuple(values, tensor.shape());
  if (name == "numel")
    return Value::integer(tensor.type->getNumElements());
  if (name == "T") {
    if (tensor.rank() != 2)
      return error(range, "'.T' swaps the dimensions of a matrix, found " +
                              tensor.str() + "; use tl.permute");
    return fromTensor(sem.permute(tensor, {1, 0}));
  }
  if (name == "value")
    return error(range, "'.value' reads a compile-time value, found " +
                            describeType(object));
  if (findMethod(name))
    return boundMethod(values, object, name);
  found = false;
  return Value();
}

bool FunctionCodeGen::hasAttribute(Value object, llvm::StringRef name) {
  if (object.isTensor())
    return llvm::is_contained({"dtype", "type", "shape", "numel", "T"}, name) ||
           findMethod(name);
  if (asDescriptor(object))
    return llvm::is_contained(
               {"shape", "strides", "dtype", "block_shape", "block_type"},
               name) ||
           findDescriptorMethod(name);
  if (object.is(Value::Kind::Instance) && object.getInstance().find(name))
    return true;
  if (Evaluator::anyRuntime(object))
    return false;
  return static_cast<bool>(eval.attributeOrNone(object, name, SourceRange()));
}

Value FunctionCodeGen::attributeOf(Value object, llvm::StringRef name,
                                   SourceRange range) {
  switch (object.getKind()) {
  case Value::Kind::Invalid:
    return Value();
  case Value::Kind::Tensor: {
    bool found;
    Value result = tensorAttribute(object, name, range, found);
    if (found)
      return result;
    return error(range, "a tensor has no attribute '" + name + "'" +
                            didYouMean(name, methodNames()));
  }
  case Value::Kind::Handle: {
    if (auto *object_ = asDescriptor(object)) {
      const Descriptor &desc = object_->desc;
      if (name == "dtype")
        return Value::dtype(desc.blockType->getElement());
      if (name == "block_type" || name == "type")
        return Value::dtype(desc.blockType);
      if (name == "block_shape")
        return shapeTuple(values, desc.blockType->getShape());
      if (name == "shape" || name == "strides") {
        llvm::SmallVector<Value, 5> list;
        for (const Tensor &tensor : name == "shape" ? desc.shape : desc.strides)
          list.push_back(fromTensor(tensor));
        return values.tuple(list);
      }
      if (findDescriptorMethod(name))
        return boundMethod(values, object, name);
    } else if (auto *pointer = asBlockPointer(object)) {
      if (name == "dtype" || name == "type")
        return Value::dtype(pointer->base.type);
      if (name == "shape" || name == "block_shape")
        return shapeTuple(values, pointer->blockShape);
    }
    return error(range,
                 describeType(object) + " has no attribute '" + name + "'");
  }
  case Value::Kind::Instance: {
    if (Value *field = object.getInstance().find(name))
      return *field;
    Value attribute = object.getInstance().type->find(name);
    if (attribute.isFunction() &&
        (attribute.getFunction().isJit() ||
         attribute.getFunction().role == FunctionObject::Role::Constexpr))
      return boundMethod(values, object, name, attribute);
    break;
  }
  case Value::Kind::Tuple:
    if (const ClassObject *type = object.getTuple().type)
      for (auto [index, field] : llvm::enumerate(type->fields))
        if (field.name == name)
          return object.getTuple().elements[index];
    break;
  case Value::Kind::Bool:
  case Value::Kind::Int:
  case Value::Kind::Float:
    // A specialised argument still converts like the tensor it stands for.
    if (name == "to" || name == "cast")
      return boundMethod(values, object, name);
    [[fallthrough]];
  case Value::Kind::String:
  case Value::Kind::None:
  case Value::Kind::DType:
    if (name == "value")
      return object;
    break;
  default:
    break;
  }
  Value result = eval.attribute(object, name, range);
  if (!result) {
    eval.reportError();
    return Value();
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Methods
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::callMethod(const BoundMethodObject &method,
                                  llvm::ArrayRef<Value> args,
                                  llvm::ArrayRef<SourceRange> argRanges,
                                  llvm::ArrayRef<NamedValue> keywords,
                                  SourceRange range) {
  llvm::SmallVector<Value, 8> all = {method.self};
  llvm::SmallVector<SourceRange, 8> ranges = {range};
  llvm::append_range(all, args);
  llvm::append_range(ranges, argRanges);
  if (method.function)
    return callValue(method.function, all, ranges, keywords, range);
  if (asDescriptor(method.self))
    return callOp(*this, *findDescriptorMethod(method.name),
                  ("descriptor." + method.name).str(), all, ranges, keywords,
                  range);
  bool isNumberCast =
      method.self.isNumber() && (method.name == "to" || method.name == "cast");
  if (method.self.isTensor() || isNumberCast) {
    const OpInfo *op = findMethod(method.name);
    if (op->function)
      return callOp(*this, *op, ("x." + method.name).str(), all, ranges,
                    keywords, range);
    Value target = cg.getFrontend().languageAttribute(op->name);
    if (!target)
      return error(range, "'" + method.name + "' is not available");
    return callValue(target, all, ranges, keywords, range);
  }
  // append, format, is_fp8 and the like: Python's own.
  auto *object = values.create<BoundMethodObject>();
  object->self = method.self;
  object->name = method.name;
  Value result = eval.call(Value::of(object), args, keywords, range);
  if (!result) {
    eval.reportError();
    return Value();
  }
  return result;
}

} // namespace nereid::lang
