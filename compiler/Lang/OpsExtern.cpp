//===- OpsExtern.cpp - Inline assembly and external functions -------------===//

#include "compiler/Lang/OpTable.h"

namespace nereid::lang {

/// Broadcasts all operands together.
static bool broadcastAll(Semantic &sem, llvm::MutableArrayRef<Tensor> tensors) {
  for (size_t pass = 0; pass < 2; ++pass)
    for (size_t i = 1; i < tensors.size(); ++i)
      if (!sem.broadcast(tensors[0], tensors[i]))
        return false;
  return true;
}

Value opInlineAsm(OpArgs &args) {
  llvm::StringRef text, constraints;
  llvm::SmallVector<Scalar, 4> scalars;
  bool isPure;
  int64_t pack;
  if (!args.string(0, text) || !args.string(1, constraints) ||
      !args.scalars(2, scalars) || !args.boolean(4, isPure) ||
      !args.integer(5, pack))
    return Value();
  bool isTuple = args.value(3).isSequence();
  Value typeValue = args.value(3);
  llvm::ArrayRef<Value> typeList = typeValue;
  if (isTuple)
    typeList = typeValue.getElements();
  llvm::SmallVector<const Type *, 4> types;
  for (Value type : typeList) {
    if (!type.isDType()) {
      args.failAt(3, args.describe(3) +
                         " is a type or a tuple of types, found " +
                         describeType(args.value(3)));
      return Value();
    }
    types.push_back(type.getDType());
  }
  if (pack < 1 || (pack & (pack - 1)) != 0) {
    args.failAt(5, args.describe(5) + " is a power of two, found " +
                       llvm::Twine(pack));
    return Value();
  }
  llvm::SmallVector<Tensor, 4> tensors;
  for (const Scalar &scalar : scalars) {
    tensors.push_back(args.sem.toTensor(scalar));
    if (!tensors.back())
      return Value();
  }
  if (!broadcastAll(args.sem, tensors))
    return Value();
  llvm::SmallVector<mlir::Type, 4> irTypes;
  llvm::SmallVector<mlir::Value, 4> handles;
  for (const Tensor &tensor : tensors)
    handles.push_back(tensor.handle);
  for (const Type *&type : types) {
    if (!tensors.empty())
      type = args.sem.like(tensors.front(), type);
    irTypes.push_back(args.sem.toIR(type));
  }
  auto op = tt::ElementwiseInlineAsmOp::create(
      args.sem.getBuilder(), args.sem.getLoc(), irTypes, text, constraints,
      isPure, static_cast<uint32_t>(pack), handles);
  llvm::SmallVector<Tensor, 4> results;
  for (auto [result, type] : llvm::zip(op.getResults(), types))
    results.push_back({result, type});
  return isTuple ? args.results(results) : args.result(results.front());
}

//===----------------------------------------------------------------------===//
// External functions
//===----------------------------------------------------------------------===//

namespace {
/// One variant of an external function.
struct ExternVariant {
  llvm::SmallVector<const Type *, 3> operands;
  llvm::StringRef symbol;
  const Type *result;
};
} // namespace

static std::string typeList(llvm::ArrayRef<const Type *> list) {
  std::string text;
  for (const Type *type : list)
    text += (text.empty() ? "" : ", ") + type->signature();
  return text;
}

/// Calls the variant that fits the operands, promoting them when none does.
static Tensor callExtern(Semantic &sem, llvm::StringRef display,
                         llvm::ArrayRef<ExternVariant> variants,
                         llvm::SmallVectorImpl<Tensor> &tensors,
                         llvm::StringRef library, llvm::StringRef path,
                         bool isPure) {
  if (!broadcastAll(sem, tensors))
    return Tensor();
  auto find = [&]() -> const ExternVariant * {
    for (const ExternVariant &variant : variants) {
      if (variant.operands.size() != tensors.size())
        continue;
      bool equal = true;
      for (auto [wanted, tensor] : llvm::zip(variant.operands, tensors))
        equal &= wanted == tensor.elem();
      if (equal)
        return &variant;
    }
    return nullptr;
  };
  llvm::SmallVector<const Type *, 3> given;
  for (const Tensor &tensor : tensors) {
    if (tensor.isVoid())
      return sem.fail("an operand is a call that gives no value");
    given.push_back(tensor.elem());
  }
  const ExternVariant *variant = find();
  if (!variant && !tensors.empty() &&
      llvm::none_of(given,
                    [](const Type *type) { return type->isPointer(); })) {
    const Type *common = tensors.front().elem();
    std::string error;
    for (const Tensor &tensor : tensors) {
      auto id = computationType({common, false}, {tensor.elem(), false}, false,
                                error);
      if (!id)
        return sem.fail(error);
      common = sem.scalar(*id);
    }
    for (Tensor &tensor : tensors)
      tensor = sem.cast(tensor, common);
    variant = find();
  }
  if (!variant) {
    std::string known;
    for (const ExternVariant &option : variants)
      known += (known.empty() ? "(" : ", (") + typeList(option.operands) + ")";
    return sem.fail("'" + display + "' takes " + known + ", found (" +
                    typeList(given) + "); cast the operands");
  }
  llvm::SmallVector<mlir::Value, 3> handles;
  for (const Tensor &tensor : tensors)
    handles.push_back(tensor.handle);
  const Type *type = variant->result;
  if (!tensors.empty())
    type = sem.like(tensors.front(), type);
  return {tt::ExternElementwiseOp::create(sem.getBuilder(), sem.getLoc(),
                                          sem.toIR(type), handles, library,
                                          path, variant->symbol, isPure),
          type};
}

Value opExternElementwise(OpArgs &args) {
  llvm::StringRef library, path;
  llvm::SmallVector<Scalar, 4> scalars;
  bool isPure;
  if (!args.string(0, library) || !args.string(1, path) ||
      !args.scalars(2, scalars) || !args.boolean(4, isPure))
    return Value();
  auto malformed = [&] {
    args.failAt(3, args.describe(3) +
                       " is a dict {(type, ...): (symbol, result type)}, "
                       "found " +
                       describeType(args.value(3)));
    return Value();
  };
  if (!args.value(3).is(Value::Kind::Dict))
    return malformed();
  llvm::SmallVector<ExternVariant, 4> variants;
  for (auto &[key, entry] : args.value(3).getDict().items) {
    if (!key.isSequence() || !entry.isSequence() ||
        entry.getElements().size() != 2 || !entry.getElements()[0].isString() ||
        !entry.getElements()[1].isDType())
      return malformed();
    ExternVariant variant;
    for (Value type : key.getElements()) {
      if (!type.isDType())
        return malformed();
      variant.operands.push_back(type.getDType());
    }
    variant.symbol = entry.getElements()[0].getString();
    variant.result = entry.getElements()[1].getDType();
    variants.push_back(std::move(variant));
  }
  llvm::SmallVector<Tensor, 4> tensors;
  for (const Scalar &scalar : scalars) {
    tensors.push_back(args.sem.toTensor(scalar));
    if (!tensors.back())
      return Value();
  }
  return args.result(callExtern(args.sem, args.getDisplay(), variants, tensors,
                                library, path, isPure));
}

//===----------------------------------------------------------------------===//
// libdevice
//===----------------------------------------------------------------------===//

namespace {
struct LibdeviceRow {
  BuiltinId id;
  llvm::StringLiteral symbol;
  ScalarId result;
  bool isTest;
  llvm::SmallVector<ScalarId, 4> operands;
};
} // namespace

static llvm::ArrayRef<LibdeviceRow> libdeviceRows() {
  static const std::vector<LibdeviceRow> rows = [] {
    using enum_t = ScalarId;
    constexpr enum_t Int32 = enum_t::Int32, Int64 = enum_t::Int64,
                     UInt32 = enum_t::UInt32, UInt64 = enum_t::UInt64,
                     Float32 = enum_t::Float32, Float64 = enum_t::Float64;
    std::vector<LibdeviceRow> list;
    auto add = [&](BuiltinId id, llvm::StringLiteral symbol, ScalarId result,
                   bool isTest, std::initializer_list<ScalarId> operands) {
      list.push_back({id, symbol, result, isTest, operands});
    };
#define NRD_LIBDEVICE(NAME, SYMBOL, RESULT, ...)                               \
  add(BuiltinId::libdevice_##NAME, SYMBOL, RESULT, false, {__VA_ARGS__});
#define NRD_LIBDEVICE_TEST(NAME, SYMBOL, ...)                                  \
  add(BuiltinId::libdevice_##NAME, SYMBOL, Int32, true, {__VA_ARGS__});
#include "compiler/Lang/Libdevice.def"
    return list;
  }();
  return rows;
}

Value callLibdevice(FunctionCodeGen &fn, const BuiltinInfo &info,
                    llvm::ArrayRef<Value> args,
                    llvm::ArrayRef<SourceRange> ranges,
                    llvm::ArrayRef<NamedValue> keywords, SourceRange range) {
  Semantic &sem = fn.getSemantic();
  llvm::SmallVector<ExternVariant, 4> variants;
  bool isTest = false;
  for (const LibdeviceRow &row : libdeviceRows()) {
    if (row.id != info.id)
      continue;
    ExternVariant variant;
    for (ScalarId operand : row.operands)
      variant.operands.push_back(sem.scalar(operand));
    variant.symbol = row.symbol;
    variant.result = sem.scalar(row.result);
    variants.push_back(std::move(variant));
    isTest = row.isTest;
  }
  std::string display = info.display();
  if (variants.empty())
    return fn.error(range, "'" + display + "' is not supported");
  llvm::SmallVector<Tensor, 3> tensors;
  auto add = [&](Value value, SourceRange where) {
    Tensor tensor =
        fn.toTensor(value, where, "an operand of '" + display + "'");
    tensors.push_back(tensor);
    return static_cast<bool>(tensor);
  };
  for (auto [value, where] : llvm::zip(args, ranges))
    if (!add(value, where))
      return Value();
  // The parameters are called arg0, arg1, arg2.
  for (const NamedValue &keyword : keywords) {
    if (keyword.name != "arg" + std::to_string(tensors.size()))
      return fn.error(keyword.range, "'" + display + "' has no parameter '" +
                                         keyword.name + "' here");
    if (!add(keyword.value, keyword.range))
      return Value();
  }
  if (tensors.size() != variants.front().operands.size())
    return fn.error(range, "'" + display + "' takes " +
                               llvm::Twine(variants.front().operands.size()) +
                               " operands, found " +
                               llvm::Twine(tensors.size()));
  Tensor result =
      callExtern(sem, display, variants, tensors, "", "", /*isPure=*/true);
  return fn.fromTensor(isTest ? sem.cast(result, ScalarId::Int1) : result);
}

} // namespace nereid::lang
