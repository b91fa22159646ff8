//===- OpTable.cpp - Binding and checking the arguments of operations -----===//

#include "compiler/Lang/OpTable.h"

#include "llvm/ADT/StringExtras.h"

namespace nereid::lang {

static constexpr Receiver Method = Receiver::Tensor, Free = Receiver::None;

static const OpInfo rows[] = {
#define NRD_OP(ID, GROUP, NAME, METHOD, FUNCTION, SIGNATURE)                   \
  {GROUP, NAME, SIGNATURE, FUNCTION, METHOD},
#define NRD_PRELUDE(GROUP, NAME, METHOD) {GROUP, NAME, "", nullptr, METHOD},
#define NRD_DESC(GROUP, NAME, FUNCTION, SIGNATURE)                             \
  {GROUP, NAME, SIGNATURE, FUNCTION, Receiver::Descriptor},
#include "compiler/Lang/Ops.def"
};

/// Methods that go by another name than their function.
static constexpr std::pair<llvm::StringLiteral, llvm::StringLiteral>
    methodAliases[] = {{"to", "cast"}};

llvm::ArrayRef<OpInfo> allOps() { return rows; }

const OpInfo *findOp(BuiltinId id) {
  static const llvm::DenseMap<unsigned, const OpInfo *> table = [] {
    llvm::DenseMap<unsigned, const OpInfo *> map;
    const OpInfo *row = rows;
#define NRD_OP(ID, ...) map[static_cast<unsigned>(BuiltinId::ID)] = row++;
#define NRD_PRELUDE(...) ++row;
#define NRD_DESC(...) ++row;
#include "compiler/Lang/Ops.def"
    return map;
  }();
  return table.lookup(static_cast<unsigned>(id));
}

const OpInfo *findMethod(llvm::StringRef name) {
  static const llvm::StringMap<const OpInfo *> table = [] {
    llvm::StringMap<const OpInfo *> map;
    for (const OpInfo &row : rows)
      if (row.receiver == Receiver::Tensor)
        map[row.name] = &row;
    for (auto &[alias, target] : methodAliases)
      map[alias] = map[target];
    return map;
  }();
  return table.lookup(name);
}

const OpInfo *findDescriptorMethod(llvm::StringRef name) {
  for (const OpInfo &row : rows)
    if (row.receiver == Receiver::Descriptor && row.name == name)
      return &row;
  return nullptr;
}

llvm::ArrayRef<llvm::StringRef> methodNames() {
  static const std::vector<llvm::StringRef> names = [] {
    std::vector<llvm::StringRef> list;
    for (const OpInfo &row : rows)
      if (row.receiver == Receiver::Tensor)
        list.push_back(row.name);
    for (auto &alias : methodAliases)
      list.push_back(alias.first);
    for (llvm::StringRef attribute : {"dtype", "shape", "type", "T", "numel"})
      list.push_back(attribute);
    return list;
  }();
  return names;
}

std::string listOps() {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const OpInfo &row : rows)
    os << row.group << '\t' << row.name << '\t'
       << (row.receiver == Receiver::Tensor       ? "method"
           : row.receiver == Receiver::Descriptor ? "descriptor"
                                                  : "function")
       << '\t' << (row.function ? "C++" : "prelude") << '\n';
#define NRD_LIBDEVICE(NAME, SYMBOL, RESULT, ...)                               \
  os << "libdevice\t" #NAME "\t" #RESULT "\t" #__VA_ARGS__ "\n";
#define NRD_LIBDEVICE_TEST(NAME, SYMBOL, ...)                                  \
  os << "libdevice\t" #NAME "\tInt1\t" #__VA_ARGS__ "\n";
#include "compiler/Lang/Libdevice.def"
  return text;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// Reads a default: None, True, False, an integer, 'text' or ().
static Value parseDefault(llvm::StringRef text) {
  static TupleObject emptyTuple;
  int64_t number;
  if (text == "None")
    return Value::none();
  if (text == "True" || text == "False")
    return Value::boolean(text == "True");
  if (text == "()")
    return Value::of(&emptyTuple);
  if (!text.getAsInteger(10, number))
    return Value::integer(number);
  return Value::internedString(text.trim('\''));
}

static std::vector<OpParam> parseSignature(llvm::StringRef signature) {
  std::vector<OpParam> params;
  llvm::SmallVector<llvm::StringRef, 12> parts;
  signature.split(parts, ", ", -1, /*KeepEmpty=*/false);
  bool keywordOnly = false;
  for (llvm::StringRef part : parts) {
    OpParam param;
    param.keywordOnly = keywordOnly;
    if (part.consume_front("*"))
      param.isVarArgs = keywordOnly = true;
    auto [name, text] = part.split('=');
    param.name = name.str();
    if (name.size() != part.size())
      param.defaultValue = parseDefault(text);
    params.push_back(std::move(param));
  }
  return params;
}

static llvm::ArrayRef<OpParam> paramsOf(const OpInfo &op) {
  static const std::vector<std::vector<OpParam>> all = [] {
    std::vector<std::vector<OpParam>> list;
    for (const OpInfo &row : rows)
      list.push_back(parseSignature(row.signature));
    return list;
  }();
  return all[&op - rows];
}

bool bindOp(FunctionCodeGen &fn, const OpInfo &op, llvm::StringRef display,
            llvm::ArrayRef<Value> args, llvm::ArrayRef<SourceRange> argRanges,
            llvm::ArrayRef<NamedValue> keywords, SourceRange range,
            llvm::SmallVectorImpl<Value> &bound,
            llvm::SmallVectorImpl<SourceRange> &boundRanges) {
  llvm::ArrayRef<OpParam> params = paramsOf(op);
  bound.assign(params.size(), Value());
  boundRanges.assign(params.size(), range);
  llvm::SmallVector<bool, 12> given(params.size(), false);

  size_t next = 0, index = 0;
  for (; index < params.size() && next < args.size(); ++index) {
    if (params[index].isVarArgs) {
      boundRanges[index] =
          SourceRange(argRanges[next].begin, argRanges.back().end);
      bound[index] = fn.getValues().tuple(args.drop_front(next));
      given[index] = true;
      next = args.size();
      break;
    }
    if (params[index].keywordOnly)
      break;
    bound[index] = args[next];
    boundRanges[index] = argRanges[next];
    given[index] = true;
    ++next;
  }
  if (next < args.size()) {
    size_t allowed = llvm::count_if(
        params, [](const OpParam &param) { return !param.keywordOnly; });
    fn.error(argRanges[next],
             "'" + display + "' takes at most " + llvm::Twine(allowed) +
                 " positional arguments, found " + llvm::Twine(args.size()));
    return false;
  }
  for (const NamedValue &keyword : keywords) {
    size_t i = 0;
    while (i < params.size() && params[i].name != keyword.name)
      ++i;
    if (i == params.size()) {
      llvm::SmallVector<llvm::StringRef, 12> names;
      for (const OpParam &param : params)
        names.push_back(param.name);
      fn.error(keyword.range, "'" + display + "' has no parameter '" +
                                  keyword.name + "'" +
                                  didYouMean(keyword.name, names));
      return false;
    }
    if (given[i]) {
      fn.error(keyword.range,
               "'" + display + "' got two values for '" + keyword.name + "'");
      return false;
    }
    given[i] = true;
    bound[i] = params[i].isVarArgs ? fn.getValues().tuple(keyword.value)
                                   : keyword.value;
    boundRanges[i] = keyword.range;
  }
  llvm::SmallVector<llvm::StringRef, 4> missing;
  for (auto [i, param] : llvm::enumerate(params)) {
    if (given[i])
      continue;
    if (param.isVarArgs)
      bound[i] = fn.getValues().tuple({});
    else if (param.defaultValue)
      bound[i] = param.defaultValue;
    else
      missing.push_back(param.name);
  }
  if (!missing.empty()) {
    fn.error(range, "'" + display + "' needs a value for '" +
                        llvm::join(missing, "' and '") + "'");
    return false;
  }
  return true;
}

Value callOp(FunctionCodeGen &fn, const OpInfo &op, llvm::StringRef display,
             llvm::ArrayRef<Value> args, llvm::ArrayRef<SourceRange> argRanges,
             llvm::ArrayRef<NamedValue> keywords, SourceRange range) {
  llvm::SmallVector<Value, 12> bound;
  llvm::SmallVector<SourceRange, 12> ranges;
  if (!bindOp(fn, op, display, args, argRanges, keywords, range, bound, ranges))
    return Value();
  for (auto [value, where] : llvm::zip(bound, ranges))
    if (value.isUnknown()) {
      fn.getEvaluator().reportUnknown(
          value, where, ("an argument of '" + display + "'").str());
      return Value();
    }
  OpArgs opArgs(fn, op, display.str(), bound, ranges, range);
  return op.function(opArgs);
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

std::string OpArgs::describe(unsigned i) const {
  return "'" + paramsOf(op)[i].name + "' of '" + display + "'";
}

bool OpArgs::scalar(unsigned i, Scalar &out) {
  if (values[i].isTensor() && getTensor(values[i]).isVoid())
    return failAt(i, describe(i) + " is a call that gives no value");
  return fn.toScalar(values[i], out, ranges[i], describe(i));
}

bool OpArgs::tensor(unsigned i, Tensor &out) {
  Scalar value;
  if (!scalar(i, value))
    return false;
  out = sem.toTensor(value);
  return static_cast<bool>(out);
}

bool OpArgs::optionalTensor(unsigned i, std::optional<Tensor> &out) {
  out.reset();
  if (isNone(i))
    return true;
  Tensor value;
  if (!tensor(i, value))
    return false;
  out = value;
  return true;
}

bool OpArgs::wideInteger(unsigned i, Int128 &out) {
  if (values[i].isIntegral()) {
    out = values[i].getInt();
    return true;
  }
  return failAt(
      i,
      describe(i) + " must be an integer known at compile time, found " +
          describeType(values[i]) +
          (values[i].isTensor() ? "; make it a tl.constexpr parameter" : ""));
}

bool OpArgs::integer(unsigned i, int64_t &out) {
  Int128 wide;
  if (!wideInteger(i, wide))
    return false;
  out = static_cast<int64_t>(wide);
  return out == wide || failAt(i, describe(i) + " does not fit into 64 bits");
}

bool OpArgs::optionalInteger(unsigned i, std::optional<int64_t> &out) {
  out.reset();
  if (isNone(i))
    return true;
  int64_t value;
  if (!integer(i, value))
    return false;
  out = value;
  return true;
}

bool OpArgs::boolean(unsigned i, bool &out) {
  if (values[i].isIntegral() || values[i].isNone()) {
    out = values[i].isIntegral() && values[i].getInt() != 0;
    return true;
  }
  return failAt(i, describe(i) +
                       " must be a bool known at compile time, found " +
                       describeType(values[i]));
}

bool OpArgs::string(unsigned i, llvm::StringRef &out) {
  out = "";
  if (values[i].isNone())
    return true;
  if (!values[i].isString())
    return failAt(i, describe(i) + " must be a string, found " +
                         describeType(values[i]));
  out = values[i].getString();
  return true;
}

bool OpArgs::type(unsigned i, const Type *&out) {
  if (!values[i].isDType())
    return failAt(i, describe(i) +
                         " must be a type such as tl.float32, found " +
                         describeType(values[i]));
  out = values[i].getDType();
  return true;
}

bool OpArgs::integers(unsigned i, llvm::SmallVectorImpl<int64_t> &out) {
  out.clear();
  Value value = values[i];
  llvm::ArrayRef<Value> list = value;
  if (value.isSequence())
    list = value.getElements();
  for (Value element : list) {
    std::optional<int64_t> number = element.getInt64();
    if (!number)
      return failAt(i, describe(i) +
                           " takes integers known at compile time, found " +
                           describeType(element));
    out.push_back(*number);
  }
  return true;
}

bool OpArgs::variadicIntegers(unsigned i, llvm::SmallVectorImpl<int64_t> &out) {
  out.clear();
  llvm::ArrayRef<Value> list = values[i].getElements();
  if (list.size() == 1 && list.front().isSequence())
    list = list.front().getElements();
  for (Value element : list) {
    std::optional<int64_t> number = element.getInt64();
    if (!number)
      return failAt(i, describe(i) +
                           " takes integers known at compile time, found " +
                           describeType(element));
    out.push_back(*number);
  }
  return true;
}

bool OpArgs::scalars(unsigned i, llvm::SmallVectorImpl<Scalar> &out) {
  out.clear();
  Value value = values[i];
  llvm::ArrayRef<Value> list = value;
  if (value.isSequence())
    list = value.getElements();
  for (Value element : list) {
    Scalar scalar;
    if (!fn.toScalar(element, scalar, ranges[i],
                     "an element of " + describe(i)))
      return false;
    out.push_back(scalar);
  }
  return true;
}

Value OpArgs::results(llvm::ArrayRef<Tensor> tensors) {
  llvm::SmallVector<Value, 4> list;
  for (const Tensor &tensor : tensors) {
    if (!tensor)
      return Value();
    list.push_back(fn.fromTensor(tensor));
  }
  return fn.getValues().tuple(list);
}

} // namespace nereid::lang
