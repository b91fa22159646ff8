//===- CodeGen.cpp - Functions, their instances and their returns ---------===//

#include "compiler/Lang/CodeGen.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nereid::lang {

/// Deep enough for any helper library, shallow enough for any stack.
static constexpr unsigned maxCallDepth = 60;

ModuleCodeGen::ModuleCodeGen(Frontend &frontend, mlir::MLIRContext &context,
                             CodeGenOptions options)
    : frontend(frontend), options(std::move(options)), builder(&context),
      semantic(builder, frontend.getDiagnostics(), frontend.getTypes()) {
  context.loadDialect<tt::TTDialect, ttg::TTGDialect, mlir::arith::ArithDialect,
                      mlir::math::MathDialect, mlir::scf::SCFDialect,
                      mlir::cf::ControlFlowDialect, mlir::ub::UBDialect,
                      mlir::LLVM::LLVMDialect>();
  module = mlir::ModuleOp::create(builder.getUnknownLoc());
}

mlir::Location ModuleCodeGen::location(SourceLoc loc) {
  if (!loc.isValid())
    return builder.getUnknownLoc();
  auto found = locations.find(loc.getRaw());
  if (found != locations.end())
    return found->second;
  PresumedLoc presumed = frontend.getSources().getPresumedLoc(loc);
  mlir::Location result = builder.getUnknownLoc();
  if (presumed.file)
    result = mlir::FileLineColLoc::get(builder.getContext(),
                                       presumed.file->getName(), presumed.line,
                                       presumed.column);
  locations.insert({loc.getRaw(), result});
  return result;
}

mlir::Attribute ModuleCodeGen::noLicmAttr() {
  mlir::MLIRContext *context = builder.getContext();
  auto licm = mlir::LLVM::LoopLICMAttr::get(
      context, /*disable=*/builder.getBoolAttr(true), /*versioningDisable=*/{});
  return mlir::LLVM::LoopAnnotationAttr::get(
      context, {}, {}, {}, {}, {}, licm, {}, {}, {}, {}, {}, {}, {}, {},
      llvm::ArrayRef<mlir::LLVM::AccessGroupAttr>());
}

void ModuleCodeGen::warnPlainGlobal(llvm::StringRef name, SourceRange range) {
  if (!warnedGlobals.insert(name).second)
    return;
  (void)getDiags().warning(
      range, "global '" + name +
                 "' is a plain Python value; Triton itself takes only "
                 "tl.constexpr globals in a kernel, as in '" +
                 name + " = tl.constexpr(...)'");
}

/// Gives the entry block's arguments to the parameters' values and names.
static void bindArguments(FunctionCodeGen &fn, const FunctionObject &function,
                          ModuleCodeGen &cg, tt::FuncOp func,
                          llvm::ArrayRef<Value> like,
                          llvm::SmallVectorImpl<Value> &bound) {
  mlir::Block *entry = func.addEntryBlock();
  llvm::SmallVector<mlir::Value, 16> handles(entry->getArguments());
  llvm::ArrayRef<mlir::Value> rest(handles);
  for (auto [param, value] : llvm::zip(function.params(), like)) {
    unsigned first = handles.size() - rest.size();
    bound.push_back(rebuild(cg.getValues(), value, rest));
    mlir::Location loc =
        mlir::NameLoc::get(cg.getBuilder().getStringAttr(param.name),
                           cg.location(param.range.begin));
    for (unsigned i = first, e = handles.size() - rest.size(); i < e; ++i)
      entry->getArgument(i).setLoc(loc);
  }
  (void)fn;
}

FunctionInstance *ModuleCodeGen::getInstance(const FunctionObject &function,
                                             llvm::ArrayRef<Value> args,
                                             SourceRange callRange) {
  std::string key;
  for (Value arg : args)
    key += (key.empty() ? "" : "_") + typeKey(arg);
  std::string identity =
      llvm::utohexstr(reinterpret_cast<uintptr_t>(function.origin)) + "|" + key;
  auto &slot = instances[identity];
  if (slot) {
    if (!slot->inProgress)
      return slot.get();
    (void)getDiags().error(
        callRange, "'" + function.name +
                       "' calls itself with arguments of the same types and "
                       "the same compile-time values; recursion must end at "
                       "compile time");
    return nullptr;
  }
  if (depth >= maxCallDepth) {
    (void)getDiags().error(callRange,
                           "calls of jit functions are nested more than " +
                               llvm::Twine(maxCallDepth) +
                               " deep; does the recursion end?");
    return nullptr;
  }
  slot = std::make_unique<FunctionInstance>();
  FunctionInstance *instance = slot.get();
  if (!frontend.checkSyntax(function)) {
    instance->inProgress = false;
    return instance;
  }

  // The symbol is for people; the table above is what identifies.
  std::string symbol = function.qualifiedName.str() + "__" + key;
  for (char &c : symbol)
    if (!llvm::isAlnum(c) && c != '_' && c != '.')
      c = '_';
  if (symbol.size() > 200)
    symbol.resize(200);
  std::string unique = symbol;
  for (unsigned i = 1; !symbols.insert(unique).second; ++i)
    unique = symbol + "_" + std::to_string(i);
  instance->symbol = unique;

  mlir::OpBuilder::InsertionGuard guard(builder);
  SourceRange savedRange = semantic.getRange();
  mlir::Location savedLoc = semantic.getLoc();
  CallScope scope(getDiags(), callRange, function.name);
  ++depth;

  llvm::SmallVector<mlir::Type, 16> argTypes;
  for (Value arg : args)
    flattenTypes(semantic, arg, argTypes);
  builder.setInsertionPointToEnd(module->getBody());
  auto func =
      tt::FuncOp::create(builder, location(function.getNameRange().begin),
                         unique, builder.getFunctionType(argTypes, {}));
  func.setVisibility(mlir::SymbolTable::Visibility::Private);
  func->setAttr("noinline", builder.getBoolAttr(function.jit.isNoinline));
  instance->func = func;

  FunctionCodeGen body(*this, function, /*isKernel=*/false);
  llvm::SmallVector<Value, 16> bound;
  bindArguments(body, function, *this, func, args, bound);
  Value result;
  if (body.generate(func, bound, result))
    instance->result = result;
  instance->inProgress = false;

  --depth;
  semantic.setPosition(savedRange, savedLoc);
  return instance;
}

bool ModuleCodeGen::emitKernel(const FunctionObject &function,
                               llvm::ArrayRef<KernelArgument> args) {
  if (!frontend.checkSyntax(function))
    return false;
  mlir::MLIRContext *context = builder.getContext();
  mlir::Location loc = location(function.getNameRange().begin);
  module->getOperation()->setLoc(loc);
  builder.setInsertionPointToEnd(module->getBody());

  llvm::SmallVector<mlir::Type, 16> argTypes;
  llvm::SmallVector<mlir::DictionaryAttr, 16> argAttrs;
  llvm::SmallVector<Value, 16> like;
  for (const KernelArgument &arg : args) {
    like.push_back(arg.value);
    size_t first = argTypes.size();
    flattenTypes(semantic, arg.value, argTypes);
    for (size_t i = first; i < argTypes.size(); ++i) {
      llvm::SmallVector<mlir::NamedAttribute, 4> attrs;
      if (arg.divisibleBy16 && i == first)
        attrs.push_back(builder.getNamedAttr("tt.divisibility",
                                             builder.getI32IntegerAttr(16)));
      attrs.push_back(builder.getNamedAttr(
          "nrd.slot", builder.getI32IntegerAttr(arg.slot)));
      // A descriptor is followed by its sizes and strides.
      if (auto *desc = asDescriptor(arg.value); desc && i > first) {
        size_t rank = desc->desc.shape.size(), index = i - first - 1;
        attrs.push_back(builder.getNamedAttr(
            "nrd.field",
            builder.getStringAttr(index < rank ? "shape" : "stride")));
        attrs.push_back(builder.getNamedAttr(
            "nrd.index", builder.getI32IntegerAttr(index % rank)));
      }
      argAttrs.push_back(mlir::DictionaryAttr::get(context, attrs));
    }
  }
  symbols.insert(function.name);
  auto func =
      tt::FuncOp::create(builder, loc, function.name,
                         builder.getFunctionType(argTypes, {}), {}, argAttrs);
  func.setSymVisibility("public");
  func->setAttr("noinline", builder.getBoolAttr(false));

  FunctionCodeGen body(*this, function, /*isKernel=*/true);
  llvm::SmallVector<Value, 16> bound;
  bindArguments(body, function, *this, func, like, bound);
  Value result;
  return body.generate(func, bound, result);
}

//===----------------------------------------------------------------------===//
// One function
//===----------------------------------------------------------------------===//

FunctionCodeGen::FunctionCodeGen(ModuleCodeGen &cg,
                                 const FunctionObject &function, bool isKernel)
    : cg(cg), sem(cg.getSemantic()), eval(cg.getEvaluator()),
      values(cg.getValues()), builder(cg.getBuilder()), function(function),
      isKernel(isKernel) {}

void FunctionCodeGen::setPosition(SourceRange range) {
  mlir::Location loc = cg.location(range.begin);
  if (!nameHint.empty())
    loc = mlir::NameLoc::get(builder.getStringAttr(nameHint), loc);
  sem.setPosition(range, loc);
}

bool FunctionCodeGen::generate(tt::FuncOp newFunc, llvm::ArrayRef<Value> args,
                               Value &result) {
  func = newFunc;
  if (!function.def)
    return error(function.getRange(),
                 "a lambda cannot be compiled; write a @triton.jit function"),
           false;
  unsigned errorsBefore = cg.getDiags().getErrorCount();
  for (auto [param, value] : llvm::zip(function.params(), args))
    define(param.name, value, param.range);
  builder.setInsertionPointToStart(&func.getBody().front());
  if (block(function.def->body) == Flow::Next)
    returns.push_back({Value::none(), builder.getInsertionBlock(),
                       cg.location(function.getNameRange().begin),
                       function.getNameRange()});
  bool ok = finishReturns(func, result);
  return ok && cg.getDiags().getErrorCount() == errorsBefore;
}

//===----------------------------------------------------------------------===//
// Returns (R17)
//===----------------------------------------------------------------------===//

static bool isNumber(Value value) { return value.isNumber(); }

/// The type that two returned values share, as a value whose tensors only
/// carry types; invalid when there is none.
static Value commonReturn(ValueContext &context, TypeContext &types, Value a,
                          Value b) {
  if (a.isSequence() && b.isSequence()) {
    llvm::ArrayRef<Value> x = a.getElements(), y = b.getElements();
    if (x.size() != y.size())
      return Value();
    auto *object = context.create<TupleObject>();
    if (a.isTuple())
      object->type = a.getTuple().type;
    for (auto [first, second] : llvm::zip(x, y)) {
      Value common = commonReturn(context, types, first, second);
      if (!common)
        return Value();
      object->elements.push_back(common);
    }
    return Value::of(object);
  }
  if (typeKey(a) == typeKey(b))
    return a;
  // Compile-time numbers that differ take their run-time types.
  auto typeOf = [&](Value value) -> const Type * {
    if (value.isTensor())
      return value.getTensorType();
    if (!isNumber(value))
      return nullptr;
    Number number = value.isFloat()  ? Number::ofFloat(value.getFloat())
                    : value.isBool() ? Number::ofBool(value.getBool())
                                     : Number::ofInt(value.getInt());
    std::optional<ScalarId> id = literalType(number);
    return id ? types.getScalar(*id) : nullptr;
  };
  const Type *x = typeOf(a), *y = typeOf(b);
  if (!x || x != y)
    return Value();
  return Value::tensor(x, nullptr);
}

bool FunctionCodeGen::finishReturns(tt::FuncOp func, Value &result) {
  result = Value::none();
  bool ok = true;
  for (auto [index, site] : llvm::enumerate(returns)) {
    if (!site.value) {
      ok = false;
      continue;
    }
    if (index == 0) {
      result = site.value;
      continue;
    }
    if (!ok)
      continue;
    Value common = commonReturn(values, cg.getTypes(), result, site.value);
    if (!common) {
      cg.getDiags()
          .error(site.range, "every return of '" + function.name +
                                 "' must give the same type, found " +
                                 describeType(site.value) + " here and " +
                                 describeType(result) + " before")
          .note(returns.front().range, "the first return is here");
      ok = false;
      continue;
    }
    result = common;
  }
  if (ok && isKernel && countValues(result) != 0) {
    error(returns.front().range,
          "a kernel returns nothing, found " + describeType(result) +
              "; store the result through a pointer instead");
    ok = false;
  }
  llvm::SmallVector<mlir::Type, 4> types;
  if (ok && !isKernel)
    flattenTypes(sem, result, types);

  // Compile-time numbers become tensors where the common type asks for it.
  std::function<void(Value, Value, llvm::SmallVectorImpl<mlir::Value> &)>
      convert = [&](Value value, Value like,
                    llvm::SmallVectorImpl<mlir::Value> &out) {
        if (like.isSequence()) {
          for (auto [element, likeElement] :
               llvm::zip(value.getElements(), like.getElements()))
            convert(element, likeElement, out);
        } else if (like.isTensor() && !value.isTensor()) {
          Scalar scalar;
          if (toScalar(value, scalar, sem.getRange(), "a returned value"))
            out.push_back(
                sem.constant(*scalar.number, like.getTensorType()).handle);
        } else {
          flatten(value, out);
        }
      };
  for (ReturnSite &site : returns) {
    builder.setInsertionPointToEnd(site.block);
    sem.setPosition(site.range, site.loc);
    llvm::SmallVector<mlir::Value, 4> handles;
    if (ok && !isKernel)
      convert(site.value, result, handles);
    tt::ReturnOp::create(builder, site.loc, handles);
  }
  func.setFunctionType(
      builder.getFunctionType(func.getFunctionType().getInputs(), types));
  return ok;
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

Value FunctionCodeGen::fromTensor(Tensor tensor) {
  return makeTensorValue(tensor);
}

Tensor FunctionCodeGen::asTensor(Value value) { return getTensor(value); }

bool FunctionCodeGen::toScalar(Value value, Scalar &out, SourceRange range,
                               llvm::StringRef what) {
  switch (value.getKind()) {
  case Value::Kind::Invalid:
    return false;
  case Value::Kind::Tensor:
    out = getTensor(value);
    return true;
  case Value::Kind::Bool:
    out = Number::ofBool(value.getBool());
    return true;
  case Value::Kind::Int:
    out = Number::ofInt(value.getInt());
    return true;
  case Value::Kind::Float:
    out = Number::ofFloat(value.getFloat());
    return true;
  case Value::Kind::Unknown:
    eval.reportUnknown(value, range, what);
    return false;
  default:
    error(range,
          what + " must be a number or a tensor, found " + describeType(value));
    return false;
  }
}

Tensor FunctionCodeGen::toTensor(Value value, SourceRange range,
                                 llvm::StringRef what) {
  Scalar scalar;
  if (!toScalar(value, scalar, range, what))
    return Tensor();
  return sem.toTensor(scalar);
}

bool FunctionCodeGen::callInRegion(mlir::Region &region, Value combine,
                                   llvm::ArrayRef<const Type *> argTypes,
                                   llvm::ArrayRef<mlir::Value> blockArgs,
                                   SourceRange range,
                                   llvm::SmallVectorImpl<Value> &results) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&region.front());
  llvm::SmallVector<Value, 8> args;
  llvm::SmallVector<SourceRange, 8> ranges;
  for (auto [type, value] : llvm::zip(argTypes, blockArgs)) {
    args.push_back(Value::tensor(type, value.getAsOpaquePointer()));
    ranges.push_back(range);
  }
  Value result = callValue(combine, args, ranges, {}, range);
  if (!result)
    return false;
  if (result.isSequence())
    results.append(result.getElements().begin(), result.getElements().end());
  else
    results.push_back(result);
  return true;
}

} // namespace nereid::lang
