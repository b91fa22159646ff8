//===- SignatureType.cpp - Types as signatures spell them -----------------===//

#include "packager/SignatureType.h"

#include "packager/Suggest.h"

#include <algorithm>

namespace nereid::pack {

static const std::vector<ScalarType> &allScalars() {
  static const std::vector<ScalarType> scalars = {
#define NRD_SCALAR(name, kind, bits, isSigned, cType)                          \
  {name, ScalarType::Class::kind, bits, isSigned, cType},
#include "packager/scalar_types.def"
  };
  return scalars;
}

const ScalarType *findScalar(std::string_view name) {
  if (name == "B") // Triton's other word for a boolean
    name = "i1";
  for (const ScalarType &scalar : allScalars())
    if (name == scalar.name)
      return &scalar;
  return nullptr;
}

std::vector<std::string> scalarNames() {
  std::vector<std::string> names;
  for (const ScalarType &scalar : allScalars())
    names.push_back(scalar.name);
  return names;
}

// How other systems call the same types.
static std::string translated(std::string_view name) {
  static const std::pair<const char *, const char *> words[] = {
      {"float16", "fp16"},      {"half", "fp16"},
      {"f16", "fp16"},          {"bfloat16", "bf16"},
      {"float32", "fp32"},      {"float", "fp32"},
      {"f32", "fp32"},          {"float64", "fp64"},
      {"double", "fp64"},       {"f64", "fp64"},
      {"int8", "i8"},           {"int16", "i16"},
      {"int32", "i32"},         {"int", "i32"},
      {"int64", "i64"},         {"uint8", "u8"},
      {"uint16", "u16"},        {"uint32", "u32"},
      {"uint64", "u64"},        {"bool", "i1"},
      {"int1", "i1"},           {"float8e4nv", "fp8e4nv"},
      {"float8e5", "fp8e5"},    {"float8_e4m3fn", "fp8e4nv"},
      {"float8_e5m2", "fp8e5"},
  };
  for (auto [other, ours] : words)
    if (name == other)
      return ours;
  return "";
}

static Result<const ScalarType *> parseScalar(std::string_view name,
                                              std::string_view whole) {
  if (const ScalarType *scalar = findScalar(name))
    return scalar;
  if (name.empty())
    return Status::error(
        "type '", whole,
        "' names no scalar type; write for "
        "example '*fp16', 'i32' or 'tensordesc<fp16[128,64]>'");
  std::string ours = translated(name);
  if (!ours.empty())
    return Status::error("unknown scalar type '", name, "'; did you mean '",
                         ours, "'?");
  return Status::error("unknown scalar type '", name, "'",
                       suggestion(name, scalarNames(), "allowed"));
}

static Status parseBlock(std::string_view text, std::vector<uint64_t> &block) {
  size_t at = 0;
  for (;;) {
    while (at < text.size() && text[at] == ' ')
      ++at;
    uint64_t value = 0;
    size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9' &&
           value < (1u << 24))
      value = 10 * value + static_cast<uint64_t>(text[at++] - '0');
    if (at == begin)
      return Status::error("a descriptor's block shape is a list of numbers, "
                           "such as [128,64]; found '[",
                           text, "]'");
    if (value == 0 || (value & (value - 1)) != 0)
      return Status::error("a descriptor's block sizes are powers of two; "
                           "found ",
                           value);
    block.push_back(value);
    while (at < text.size() && text[at] == ' ')
      ++at;
    if (at == text.size())
      break;
    if (text[at] != ',')
      return Status::error("a descriptor's block shape is a list of numbers, "
                           "such as [128,64]; found '[",
                           text, "]'");
    ++at;
  }
  if (block.size() > 5)
    return Status::error("a descriptor has at most 5 dimensions; found ",
                         block.size());
  return {};
}

static std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

Result<SignatureType> parseSignatureType(std::string_view given) {
  std::string_view text = trimmed(given);
  SignatureType type;
  size_t close = text.rfind('>');
  size_t colon = text.find(':', close == std::string_view::npos ? 0 : close);
  if (colon != std::string_view::npos) {
    std::string_view hint = trimmed(text.substr(colon + 1));
    if (hint != "16" && hint != "1")
      return Status::error("unknown hint ':", hint, "' in type '", given,
                           "'; allowed: ':16' (divisible by 16) and ':1' "
                           "(equal to 1)");
    type.hint = hint == "16" ? 16 : 1;
    text = trimmed(text.substr(0, colon));
  }

  if (!text.empty() && text.front() == '*') {
    type.kind = SignatureType::Kind::Pointer;
    std::string_view element = trimmed(text.substr(1));
    if (!element.empty() && element.front() == '*')
      return Status::error("type '", given,
                           "' is a pointer to a pointer, "
                           "which no kernel parameter may be; pass an integer "
                           "address ('*i64') and cast in the kernel");
    if (!element.empty() && element.front() == 'k') {
      type.isConst = true;
      element.remove_prefix(1);
    }
    Result<const ScalarType *> scalar = parseScalar(element, given);
    if (!scalar)
      return scalar.status();
    type.scalar = *scalar;
    type.text = std::string(type.isConst ? "*k" : "*") + type.scalar->name;
    if (type.hint == 1)
      return Status::error("hint ':1' in type '", given,
                           "' is for integers; a "
                           "pointer can only be ':16'");
    return type;
  }

  if (text.substr(0, 10) == "tensordesc") {
    std::string_view inside = text.substr(10);
    if (inside.substr(0, 7) == "_im2col")
      return Status::error("type '", given,
                           "': im2col descriptors are not "
                           "supported; use tensordesc<T[b0,b1]>");
    size_t open = inside.find('[');
    size_t shut = inside.find(']');
    if (inside.empty() || inside.front() != '<' || inside.back() != '>' ||
        open == std::string_view::npos || shut == std::string_view::npos ||
        shut < open || trimmed(inside.substr(shut + 1)) != ">")
      return Status::error("type '", given,
                           "' is not a tensor descriptor; "
                           "write for example 'tensordesc<fp16[128,64]>'");
    type.kind = SignatureType::Kind::Descriptor;
    Result<const ScalarType *> scalar =
        parseScalar(trimmed(inside.substr(1, open - 1)), given);
    if (!scalar)
      return scalar.status();
    type.scalar = *scalar;
    if (Status status =
            parseBlock(inside.substr(open + 1, shut - open - 1), type.block);
        !status)
      return Status::error("type '", given, "': ", status.message());
    if (type.hint == 1)
      return Status::error("hint ':1' in type '", given,
                           "' is for integers; a descriptor can only be ':16', "
                           "of its base");
    type.text = concat("tensordesc<", type.scalar->name, "[");
    for (size_t i = 0; i < type.block.size(); ++i)
      type.text += concat(i ? "," : "", type.block[i]);
    type.text += "]>";
    return type;
  }

  Result<const ScalarType *> scalar = parseScalar(text, given);
  if (!scalar)
    return scalar.status();
  type.scalar = *scalar;
  bool isFloat = type.scalar->kind == ScalarType::Class::Float;
  type.kind =
      isFloat ? SignatureType::Kind::Float : SignatureType::Kind::Integer;
  type.text = type.scalar->name;
  if (type.hint && isFloat)
    return Status::error("hint ':", type.hint, "' in type '", given,
                         "' is for pointers and integers");
  return type;
}

bool looksLikeType(std::string_view given) {
  std::string_view text = trimmed(given);
  if (text.empty())
    return false;
  if (text.front() == '*' || text.substr(0, 10) == "tensordesc")
    return true;
  text = trimmed(text.substr(0, text.find(':')));
  return findScalar(text) || !translated(text).empty();
}

} // namespace nereid::pack
