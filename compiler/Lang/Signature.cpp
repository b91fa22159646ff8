//===- Signature.cpp - The types of parameters as text --------------------===//

#include "compiler/Lang/Frontend.h"

#include "llvm/ADT/StringExtras.h"

namespace nereid::lang {

/// Splits at commas outside brackets.
static void splitElements(llvm::StringRef text,
                          llvm::SmallVectorImpl<llvm::StringRef> &out) {
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    char c = i < text.size() ? text[i] : ',';
    if (c == '(' || c == '[' || c == '<')
      ++depth;
    else if (c == ')' || c == ']' || c == '>')
      --depth;
    else if (c == ',' && (depth == 0 || i == text.size())) {
      llvm::StringRef part = text.substr(start, i - start);
      // A trailing comma makes no element.
      if (i < text.size() || !part.trim().empty())
        out.push_back(part);
      start = i + 1;
    }
  }
}

std::optional<SignatureType> parseSignatureType(TypeContext &types,
                                                llvm::StringRef text,
                                                std::string &error,
                                                size_t &column) {
  const char *origin = text.data();
  llvm::StringRef body = text.trim();
  column = body.empty() ? 0 : body.data() - origin;
  auto refuse = [&](const char *where, const llvm::Twine &message) {
    error = message.str();
    column = where - origin;
    return std::nullopt;
  };
  SignatureType result;
  if (body.empty())
    return refuse(text.data(), "a type is missing");

  if (body == "None") {
    result.kind = SignatureType::Kind::None;
    return result;
  }
  if (body.front() == '(' || body.front() == '[') {
    char close = body.front() == '(' ? ')' : ']';
    if (body.size() < 2 || body.back() != close)
      return refuse(body.end(), llvm::Twine("the tuple lacks its closing '") +
                                    llvm::Twine(close) + "'");
    result.kind = SignatureType::Kind::Tuple;
    llvm::SmallVector<llvm::StringRef, 4> parts;
    splitElements(body.drop_front().drop_back(), parts);
    for (llvm::StringRef part : parts) {
      size_t inner = 0;
      auto element = parseSignatureType(types, part, error, inner);
      if (!element) {
        column = part.data() - origin + inner;
        return std::nullopt;
      }
      result.elements.push_back(*element);
    }
    return result;
  }
  if (llvm::isDigit(body.front()) || body.front() == '-' ||
      body.front() == '"' || body.front() == '\'' || body == "True" ||
      body == "False") {
    result.kind = SignatureType::Kind::Constant;
    result.constant = body.str();
    return result;
  }

  llvm::StringRef name = body;
  size_t colon = body.rfind(':');
  if (colon != llvm::StringRef::npos) {
    llvm::StringRef hint = body.drop_front(colon + 1).trim();
    name = body.take_front(colon).rtrim();
    if (hint == "16")
      result.divisibleBy16 = true;
    else if (hint == "1")
      result.isOne = true;
    else
      return refuse(hint.data(), "':" + hint +
                                     "' is no hint; there are ':16' "
                                     "(divisible by 16) and ':1' (equal to 1)");
  }
  result.type = types.parseSignature(name, error);
  if (!result.type) {
    column = name.data() - origin;
    return std::nullopt;
  }
  const Type *type = result.type;
  if (result.isOne && !(type->isInteger() && !type->isBool()))
    return refuse(body.data() + colon,
                  "':1' is a hint for integers, found " + type->signature());
  if (result.divisibleBy16 &&
      !(type->isPointer() || type->isDescriptor() ||
        (type->isInteger() && !type->isBool())))
    return refuse(body.data() + colon,
                  "':16' is a hint for pointers, descriptors and integers, found " +
                      type->signature());
  return result;
}

} // namespace nereid::lang
