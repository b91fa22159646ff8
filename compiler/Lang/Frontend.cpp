//===- Frontend.cpp - Matching a request to a kernel's parameters ---------===//

#include "compiler/Lang/Frontend.h"
#include "compiler/Lang/CodeGen.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

namespace nereid::lang {

using KernelArgument = ModuleCodeGen::KernelArgument;

namespace {

/// Works out what each parameter of a kernel is. Collects every problem before
/// it gives up.
class RequestMatcher {
public:
  RequestMatcher(Frontend &frontend, Module &module, FunctionObject &function,
                 const KernelRequest &request)
      : frontend(frontend), module(module), function(function),
        request(request), info(frontend.describe(function)),
        diags(frontend.getDiagnostics()), types(frontend.getTypes()),
        values(frontend.getValues()) {}

  bool run(std::vector<KernelArgument> &args, BuiltKernel &out);

private:
  using Texts = std::vector<std::pair<std::string, std::string>>;
  bool checkNames(const Texts &texts, llvm::StringRef what);
  const std::string *find(const Texts &texts, llvm::StringRef name) const {
    for (auto &[key, text] : texts)
      if (key == name)
        return &text;
    return nullptr;
  }
  /// Parses and reports with a caret below the text.
  std::optional<SignatureType> parseType(llvm::StringRef name,
                                         llvm::StringRef text);
  std::optional<SignatureType> annotatedType(const KernelParameter &param);
  /// A value whose tensors carry types only.
  Value placeholder(const SignatureType &type, const KernelParameter &param);
  Value constantOf(const KernelParameter &param, llvm::StringRef text);
  bool fixSlot(KernelSlot &slot, Value value, const Type *type,
               const KernelParameter &param);
  void constexprParameter(const KernelParameter &param, KernelArgument &arg);
  void ordinaryParameter(const KernelParameter &param, KernelArgument &arg,
                         BuiltKernel &out);
  void evaluateHeuristics(std::vector<KernelArgument> &args);
  void reportMissing();

  Frontend &frontend;
  Module &module;
  FunctionObject &function;
  const KernelRequest &request;
  KernelInfo info;
  DiagnosticEngine &diags;
  TypeContext &types;
  ValueContext &values;
  std::vector<std::string> missingTypes, missingConstants;
  bool ok = true;
};

} // namespace

bool RequestMatcher::checkNames(const Texts &texts, llvm::StringRef what) {
  llvm::SmallVector<llvm::StringRef, 16> names;
  for (const KernelParameter &param : info.parameters)
    names.push_back(param.name);
  llvm::StringSet<> seen;
  bool good = true;
  for (auto &[name, text] : texts) {
    if (!llvm::is_contained(names, name)) {
      (void)diags.error(function.getNameRange(), what + " names '" + name +
                                                     "', but '" + info.name +
                                                     "' has no such parameter" +
                                                     didYouMean(name, names));
      good = false;
    } else if (!seen.insert(name).second) {
      (void)diags.error(function.getNameRange(),
                        what + " names '" + name + "' twice");
      good = false;
    }
  }
  return good;
}

std::optional<SignatureType> RequestMatcher::parseType(llvm::StringRef name,
                                                       llvm::StringRef text) {
  std::string error;
  size_t column = 0;
  auto type = parseSignatureType(types, text, error, column);
  if (!type) {
    const SourceFile *file = frontend.getSources().addText(
        ("signature of '" + name + "'").str(), text);
    SourceRange range;
    if (file)
      range = SourceRange(file->getLoc(std::min(column, text.size())));
    (void)diags.error(range, error);
    ok = false;
  }
  return type;
}

std::optional<SignatureType>
RequestMatcher::annotatedType(const KernelParameter &param) {
  const Value &annotation = param.annotationValue;
  if (annotation.isDType() && !annotation.getDType()->isBlock() &&
      annotation.getDType()->getKind() != Type::Kind::Constexpr) {
    SignatureType type;
    type.type = annotation.getDType();
    return type;
  }
  if (annotation.isString()) {
    std::string error;
    size_t column;
    return parseSignatureType(types, annotation.getString(), error, column);
  }
  return std::nullopt;
}

Value RequestMatcher::placeholder(const SignatureType &type,
                                  const KernelParameter &param) {
  switch (type.kind) {
  case SignatureType::Kind::None:
    return Value::none();
  case SignatureType::Kind::Constant:
    return constantOf(param, type.constant);
  case SignatureType::Kind::Tuple: {
    llvm::SmallVector<Value, 4> elements;
    for (const SignatureType &element : type.elements) {
      elements.push_back(placeholder(element, param));
      if (!elements.back())
        return Value();
    }
    Value tuple = values.tuple(elements);
    // A named tuple keeps its field names.
    if (param.annotationValue.is(Value::Kind::Class)) {
      ClassObject &annotated = param.annotationValue.getClass();
      if (annotated.role == ClassObject::Role::NamedTuple &&
          annotated.fields.size() == elements.size())
        tuple.getTuple().type = &annotated;
    }
    return tuple;
  }
  case SignatureType::Kind::Type:
    break;
  }
  if (type.isOne)
    return Value::integer(1);
  if (!type.type->isDescriptor())
    return Value::tensor(type.type, nullptr);
  auto *object = values.createRuntime<DescriptorObject>();
  object->desc.blockType = type.type->getElement();
  for (size_t i = 0; i < object->desc.blockType->getShape().size(); ++i) {
    object->desc.shape.push_back({{}, types.getScalar(ScalarId::Int32)});
    object->desc.strides.push_back({{}, types.getScalar(ScalarId::Int64)});
  }
  return Value::handle(object);
}

Value RequestMatcher::constantOf(const KernelParameter &param,
                                 llvm::StringRef text) {
  Value value = frontend.evaluateText(text, "constant " + param.name, &module);
  if (value.isUnknown()) {
    frontend.getEvaluator().reportUnknown(value, function.getNameRange(),
                                          "constant " + param.name);
    value = Value();
  }
  ok &= static_cast<bool>(value);
  return value;
}

bool RequestMatcher::fixSlot(KernelSlot &slot, Value value, const Type *type,
                             const KernelParameter &param) {
  slot.hasConstant = true;
  if (type->isFloat() && value.isNumber()) {
    slot.constantBits = llvm::bit_cast<int64_t>(value.getNumber());
    return true;
  }
  if (type->isInteger() && value.isIntegral()) {
    Int128 number = value.getInt();
    if (number < minValue(type->getScalarId()) ||
        number > maxValue(type->getScalarId())) {
      (void)diags.error(
          param.range, "the fixed value " + repr(value) + " of '" + param.name +
                           "' does not fit into " + type->signature());
      return ok = false;
    }
    slot.constantBits = static_cast<int64_t>(number);
    return true;
  }
  (void)diags.error(param.range, "the fixed value " + repr(value) + " of '" +
                                     param.name + "' is no " +
                                     type->signature());
  return ok = false;
}

void RequestMatcher::constexprParameter(const KernelParameter &param,
                                        KernelArgument &arg) {
  if (const std::string *text = find(request.signature, param.name);
      text && *text != "constexpr") {
    // Upstream writes constants into the signature.
    auto type = parseType(param.name, *text);
    if (!type)
      return;
    if (type->kind == SignatureType::Kind::Constant ||
        type->kind == SignatureType::Kind::None) {
      arg.value = placeholder(*type, param);
      return;
    }
    (void)diags.error(param.range, "'" + param.name +
                                       "' is a tl.constexpr and takes a "
                                       "value, not the type " +
                                       *text);
    ok = false;
    return;
  }
  if (const std::string *text = find(request.fixed, param.name)) {
    arg.value = constantOf(param, *text);
    return;
  }
  for (const JitInfo::Heuristic &heuristic : function.jit.heuristics)
    if (heuristic.parameter == param.name)
      return; // evaluateHeuristics
  if (param.defaultValue) {
    arg.value = param.defaultValue;
    if (arg.value.isUnknown()) {
      frontend.getEvaluator().reportUnknown(
          arg.value, param.range, "the default of '" + param.name + "'");
      ok = false;
    }
    return;
  }
  missingConstants.push_back(param.name);
}

void RequestMatcher::ordinaryParameter(const KernelParameter &param,
                                       KernelArgument &arg, BuiltKernel &out) {
  std::optional<SignatureType> type;
  if (const std::string *text = find(request.signature, param.name)) {
    type = parseType(param.name, *text);
    if (!type)
      return;
    if (type->type && type->type->getKind() == Type::Kind::Constexpr) {
      missingConstants.push_back(param.name);
      return;
    }
  } else {
    type = annotatedType(param);
  }
  auto addSlot = [&]() -> KernelSlot & {
    KernelSlot slot;
    slot.name = param.name;
    arg.slot = static_cast<int>(out.slots.size());
    out.slots.push_back(slot);
    return out.slots.back();
  };

  // A fixed value: constant in the body, public at launch.
  if (const std::string *text = find(request.fixed, param.name)) {
    Value value = constantOf(param, *text);
    if (!value)
      return;
    if (value.isNone()) {
      arg.value = value;
      return;
    }
    const Type *slotType = type ? type->type : nullptr;
    if (!slotType && value.isNumber()) {
      // As a launch would pass it (R22).
      if (value.isBool())
        slotType = types.getScalar(ScalarId::Int1);
      else if (value.isFloat())
        slotType = types.getScalar(ScalarId::Float32);
      else
        slotType = types.getScalar(value.getInt() ==
                                           static_cast<int32_t>(value.getInt())
                                       ? ScalarId::Int32
                                       : ScalarId::Int64);
    }
    if (!slotType || !slotType->isScalar()) {
      (void)diags.error(param.range,
                        "'" + param.name +
                            "' can be fixed to a number or None, found " +
                            repr(value) +
                            (slotType ? " for type " + slotType->signature()
                                      : std::string()));
      ok = false;
      return;
    }
    KernelSlot &slot = addSlot();
    slot.type = slotType->signature();
    fixSlot(slot, value, slotType, param);
    arg.value = value;
    return;
  }
  if (!type) {
    if (param.defaultValue && !param.defaultValue.isUnknown()) {
      arg.value = param.defaultValue;
      return;
    }
    missingTypes.push_back(param.name);
    return;
  }
  if (type->isOne && param.doNotSpecialize) {
    (void)diags.warning(param.range, "'" + param.name +
                                         "' is in do_not_specialize, so the "
                                         "hint ':1' has no effect");
    type->isOne = false;
  }
  if (type->divisibleBy16 &&
      (param.doNotSpecialize || param.doNotSpecializeOnAlignment)) {
    (void)diags.warning(param.range, "'" + param.name +
                                         "' is not to be specialised, so the "
                                         "hint ':16' has no effect");
    type->divisibleBy16 = false;
  }
  arg.value = placeholder(*type, param);
  if (!arg.value)
    return;
  arg.divisibleBy16 = type->divisibleBy16;
  switch (type->kind) {
  case SignatureType::Kind::None:
  case SignatureType::Kind::Constant:
    return; // known at compile time: not an argument
  case SignatureType::Kind::Type: {
    KernelSlot &slot = addSlot();
    slot.type = type->type->signature();
    slot.divisibleBy16 = type->divisibleBy16;
    if (type->isOne) {
      slot.hasConstant = true;
      slot.constantBits = 1;
    }
    return;
  }
  case SignatureType::Kind::Tuple:
    break;
  }
  // One slot for each element that is an argument.
  arg.slot = static_cast<int>(out.slots.size());
  std::function<void(const SignatureType &, std::string)> addElements =
      [&](const SignatureType &element, std::string name) {
        if (element.kind == SignatureType::Kind::Tuple) {
          for (auto [index, inner] : llvm::enumerate(element.elements))
            addElements(inner, name + "." + std::to_string(index));
          return;
        }
        if (element.kind != SignatureType::Kind::Type)
          return;
        KernelSlot slot;
        slot.name = name;
        slot.type = element.type->signature();
        slot.divisibleBy16 = element.divisibleBy16;
        slot.hasConstant = element.isOne;
        slot.constantBits = element.isOne;
        out.slots.push_back(slot);
      };
  addElements(*type, param.name);
}

void RequestMatcher::evaluateHeuristics(std::vector<KernelArgument> &args) {
  for (const JitInfo::Heuristic &heuristic : function.jit.heuristics) {
    for (auto [param, arg] : llvm::zip(info.parameters, args)) {
      if (heuristic.parameter != param.name || arg.value)
        continue;
      llvm::SmallVector<NamedValue, 16> known;
      for (auto [other, otherArg] : llvm::zip(info.parameters, args)) {
        if (!otherArg.value)
          continue;
        // A run-time number is unknown; a pointer is at least not None.
        if (otherArg.value.isTensor() &&
            !otherArg.value.getTensorType()->isPointer())
          continue;
        known.push_back({values.intern(other.name), otherArg.value, {}});
      }
      arg.value = frontend.evaluateHeuristic(function, heuristic, known);
      if (arg.value.isUnknown()) {
        frontend.getEvaluator().reportUnknown(
            arg.value, param.range,
            "'" + param.name + "', which @triton.heuristics computes,");
        arg.value = Value();
      }
      ok &= static_cast<bool>(arg.value);
    }
  }
}

static std::string quotedList(llvm::ArrayRef<std::string> names) {
  std::string text;
  for (auto [index, name] : llvm::enumerate(names))
    text += (index == 0                  ? "'"
             : index + 1 == names.size() ? "' and '"
                                         : "', '") +
            name;
  return text + "'";
}

void RequestMatcher::reportMissing() {
  if (!missingTypes.empty()) {
    (void)diags.error(function.getNameRange(),
                      "kernel '" + info.name + "' still needs the type of " +
                          quotedList(missingTypes) +
                          "; give each in the signature, as in '" +
                          missingTypes.front() + "=*fp32' or '" +
                          missingTypes.front() + "=i32'");
    ok = false;
  }
  if (!missingConstants.empty()) {
    auto diag = diags.error(
        function.getNameRange(),
        "kernel '" + info.name + "' still needs a value for the tl.constexpr " +
            (missingConstants.size() == 1 ? "parameter " : "parameters ") +
            quotedList(missingConstants) +
            "; give each as a constant, as in '" + missingConstants.front() +
            "=128'");
    if (!function.jit.configs.empty())
      diag.note(
          function.getNameRange(),
          "@triton.autotune lists " + llvm::Twine(function.jit.configs.size()) +
              (function.jit.configs.size() == 1 ? " config" : " configs") +
              " to choose from");
    ok = false;
  }
}

bool RequestMatcher::run(std::vector<KernelArgument> &args, BuiltKernel &out) {
  ok &= checkNames(request.signature, "the signature");
  ok &= checkNames(request.constants, "the list of constants");
  ok &= checkNames(request.fixed, "the list of fixed parameters");
  args.resize(info.parameters.size());
  for (auto [param, arg] : llvm::zip(info.parameters, args)) {
    arg.range = param.range;
    if (const std::string *text = find(request.constants, param.name)) {
      arg.value = constantOf(param, *text);
      if (find(request.fixed, param.name)) {
        (void)diags.error(param.range,
                          "'" + param.name + "' is both a constant and fixed");
        ok = false;
      }
      continue;
    }
    if (param.isConstexpr)
      constexprParameter(param, arg);
    else
      ordinaryParameter(param, arg, out);
  }
  evaluateHeuristics(args);
  reportMissing();
  if (!ok)
    return false;
  for (auto [param, arg] : llvm::zip(info.parameters, args))
    if (arg.slot < 0)
      out.constants.emplace_back(param.name, repr(arg.value));
  return true;
}

std::optional<BuiltKernel> buildKernel(Frontend &frontend, Module &module,
                                       const KernelRequest &request,
                                       mlir::MLIRContext &context) {
  DiagnosticEngine &diags = frontend.getDiagnostics();
  unsigned errorsBefore = diags.getErrorCount();
  FunctionObject *function = frontend.findKernel(module, request.function);
  if (!function)
    return std::nullopt;
  if (!frontend.checkSyntax(*function))
    return std::nullopt;
  frontend.getEvaluator().beginRequest();
  BuiltKernel built;
  built.name = function->name.str();
  std::vector<KernelArgument> args;
  RequestMatcher matcher(frontend, module, *function, request);
  if (!matcher.run(args, built))
    return std::nullopt;

  CodeGenOptions options;
  options.debug = request.debug || function->jit.debug;
  options.print = request.print;
  ModuleCodeGen codegen(frontend, context, options);
  bool emitted = codegen.emitKernel(*function, args);
  if (!emitted || diags.getErrorCount() != errorsBefore) {
    // A failure that nobody explained would leave the user helpless.
    if (diags.getErrorCount() == errorsBefore)
      (void)diags.error(function->getNameRange(),
                        "'" + function->name + "' could not be compiled");
    return std::nullopt;
  }
  built.module = codegen.takeModule();

  // The dialect's own checks speak last: sizes, types of rare operations.
  std::string messages;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
          return;
        mlir::Location loc = diagnostic.getLocation();
        std::string text = diagnostic.str();
        std::string where;
        if (auto file = loc->findInstanceOf<mlir::FileLineColLoc>())
          where = (file.getFilename().getValue() + ":" +
                   llvm::Twine(file.getLine()) + ":" +
                   llvm::Twine(file.getColumn()) + ": ")
                      .str();
        messages += (messages.empty() ? "" : "; ") + where + text;
      });
  if (mlir::failed(mlir::verify(*built.module))) {
    (void)diags.error(function->getNameRange(),
                      "'" + function->name +
                          "' gives invalid tile IR: " + messages);
    return std::nullopt;
  }
  return built;
}

} // namespace nereid::lang
