//===- ParserString.cpp - Parser: numbers, strings, f-strings -------------===//

#include "compiler/Lang/ParserImpl.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APInt.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Error.h"

using namespace nereid::lang;

/// Python has the same limit, for the same reason: reading decimals takes
/// quadratic time.
static constexpr size_t kMaxDigits = 4300;

static double parseDouble(llvm::StringRef digits) {
  llvm::APFloat value(llvm::APFloat::IEEEdouble());
  auto status =
      value.convertFromString(digits, llvm::APFloat::rmNearestTiesToEven);
  if (!status) {
    llvm::consumeError(status.takeError());
    return 0;
  }
  return value.convertToDouble();
}

Expr *Parser::parseNumber() {
  SourceRange where = range(token());
  TokenKind k = kind();
  llvm::SmallString<64> digits;
  for (char c : text(token()))
    if (c != '_')
      digits.push_back(c);
  if (digits.size() > kMaxDigits)
    return fail(where, "this number has more than " + llvm::Twine(kMaxDigits) +
                           " digits");
  advance();
  if (k == TokenKind::Float)
    return make<FloatLiteral>(where, parseDouble(digits));
  if (k == TokenKind::Imaginary)
    return make<ImaginaryLiteral>(where, parseDouble(digits.str().drop_back()));
  llvm::StringRef body = digits;
  unsigned radix = 10;
  if (body.size() > 1 && body[0] == '0') {
    char c = llvm::toLower(body[1]);
    radix = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
    if (radix != 10)
      body = body.drop_front(2);
  }
  uint64_t word;
  if (!body.getAsInteger(radix, word))
    return make<IntLiteral>(where, copy<uint64_t>({word}));
  llvm::APInt value;
  if (body.getAsInteger(radix, value))
    return fail(where, "invalid number");
  unsigned words = std::max(1u, (value.getActiveBits() + 63) / 64);
  return make<IntLiteral>(
      where, copy<uint64_t>(llvm::ArrayRef(value.getRawData(), words)));
}

//===----------------------------------------------------------------------===//
// Strings
//===----------------------------------------------------------------------===//

static void appendUTF8(uint32_t c, std::string &out) {
  // Half a surrogate pair has no UTF-8.
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
    c = 0xFFFD;
  char buffer[4];
  char *end = buffer;
  llvm::ConvertCodePointToUTF8(c, end);
  out.append(buffer, end);
}

/// Appends the text of a literal with its escapes replaced. Line ends become
/// "\n"; in an f-string `{{` and `}}` become one brace.
bool Parser::decodeString(llvm::StringRef body, bool raw, bool bytes,
                          bool isFString, std::string &out) {
  for (size_t i = 0; i < body.size(); ++i) {
    char c = body[i];
    if (c == '\r') {
      if (i + 1 < body.size() && body[i + 1] == '\n')
        ++i;
      out += '\n';
      continue;
    }
    if (isFString && (c == '{' || c == '}') && i + 1 < body.size() &&
        body[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    if (c != '\\' || raw || i + 1 >= body.size()) {
      out += c;
      continue;
    }
    size_t escape = i;
    c = body[++i];
    auto hex = [&](unsigned count) -> bool {
      llvm::StringRef digits = body.substr(i + 1, count);
      uint32_t value;
      if (digits.size() < count || digits.getAsInteger(16, value)) {
        SourceLoc at = file.getLoc(body.data() - file.getText().data());
        return fail(SourceRange(at.advanced(escape), at.advanced(i + 1)),
                    "'\\" + llvm::Twine(c) + "' needs " + llvm::Twine(count) +
                        " hexadecimal digits");
      }
      i += count;
      if (bytes)
        out += static_cast<char>(value);
      else
        appendUTF8(value, out);
      return true;
    };
    switch (c) {
    case '\n':
      break;
    case '\r':
      if (i + 1 < body.size() && body[i + 1] == '\n')
        ++i;
      break;
    case '\\':
    case '\'':
    case '"':
      out += c;
      break;
    case 'a':
      out += '\a';
      break;
    case 'b':
      out += '\b';
      break;
    case 'f':
      out += '\f';
      break;
    case 'n':
      out += '\n';
      break;
    case 'r':
      out += '\r';
      break;
    case 't':
      out += '\t';
      break;
    case 'v':
      out += '\v';
      break;
    case 'x':
      if (!hex(2))
        return false;
      break;
    case 'u':
    case 'U':
      if (bytes) {
        out += '\\';
        out += c;
      } else if (!hex(c == 'u' ? 4 : 8)) {
        return false;
      }
      break;
    case 'N': {
      // The names of characters are a table of a megabyte; host code alone
      // uses them.
      size_t close = body.substr(i, 110).find('}');
      if (!bytes && i + 1 < body.size() && body[i + 1] == '{' &&
          close != llvm::StringRef::npos) {
        appendUTF8(0xFFFD, out);
        i += close;
      } else {
        out += "\\N";
      }
      break;
    }
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7': {
      uint32_t value = c - '0';
      for (unsigned n = 0; n < 2 && i + 1 < body.size() && body[i + 1] >= '0' &&
                           body[i + 1] <= '7';
           ++n)
        value = value * 8 + (body[++i] - '0');
      if (bytes)
        out += static_cast<char>(value);
      else
        appendUTF8(value, out);
      break;
    }
    default:
      // An unknown escape stays as it is written.
      out += '\\';
      out += c;
      break;
    }
  }
  return true;
}

/// One or more adjacent literals.
Expr *Parser::parseStrings() {
  SourceLoc begin = here();
  DepthGuard guard(*this);
  if (tooDeep())
    return nullptr;
  llvm::SmallVector<JoinedString::Part, 4> parts;
  std::string literal;
  bool sawBytes = false, sawText = false, sawFString = false;
  auto flush = [&] {
    if (literal.empty())
      return;
    JoinedString::Part part;
    part.text = intern(literal);
    parts.push_back(part);
    literal.clear();
  };
  while (at(TokenKind::String) || at(TokenKind::FStringStart)) {
    if (at(TokenKind::FStringStart)) {
      sawText = sawFString = true;
      flush();
      if (!parseFString(parts))
        return nullptr;
    } else {
      Token t = token();
      llvm::StringRef body = text(t);
      size_t quote = body.find_first_of("'\"");
      std::string prefix = body.take_front(quote).lower();
      body = body.drop_front(quote);
      bool triple =
          body.size() >= 6 && body[1] == body[0] && body[2] == body[0];
      body = body.drop_front(triple ? 3 : 1).drop_back(triple ? 3 : 1);
      bool bytes = llvm::StringRef(prefix).contains('b');
      (bytes ? sawBytes : sawText) = true;
      if (!decodeString(body, llvm::StringRef(prefix).contains('r'), bytes,
                        /*isFString=*/false, literal))
        return nullptr;
      advance();
    }
    if (sawBytes && sawText)
      return fail(since(begin), "text and bytes literals cannot be mixed");
  }
  if (sawFString) {
    flush();
    // Texts of adjacent literals become one part.
    llvm::SmallVector<JoinedString::Part, 4> merged;
    for (size_t i = 0; i < parts.size();) {
      if (parts[i].expr) {
        merged.push_back(parts[i++]);
        continue;
      }
      std::string text;
      while (i < parts.size() && !parts[i].expr)
        text += parts[i++].text;
      JoinedString::Part part;
      part.text = intern(text);
      merged.push_back(part);
    }
    parts = std::move(merged);
    llvm::SmallVector<Expr *, 4> children;
    for (const JoinedString::Part &part : parts) {
      children.push_back(part.expr);
      children.push_back(part.format);
    }
    return finish(
        make<JoinedString>(since(begin), copy<JoinedString::Part>(parts)),
        children);
  }
  if (sawBytes)
    return make<BytesLiteral>(since(begin), intern(literal));
  return make<StringLiteral>(since(begin), intern(literal));
}

//===----------------------------------------------------------------------===//
// f-strings
//===----------------------------------------------------------------------===//

bool Parser::parseFString(llvm::SmallVectorImpl<JoinedString::Part> &parts) {
  std::string prefix = text(token()).take_while(llvm::isAlpha).lower();
  bool raw = llvm::StringRef(prefix).contains('r');
  advance();
  while (!accept(TokenKind::FStringEnd)) {
    if (at(TokenKind::FStringMiddle)) {
      std::string literal;
      if (!decodeString(text(token()), raw, /*bytes=*/false,
                        /*isFString=*/true, literal))
        return false;
      JoinedString::Part part;
      part.text = intern(literal);
      parts.push_back(part);
      advance();
    } else if (at(TokenKind::LBrace)) {
      if (!parseReplacementField(parts, raw))
        return false;
    } else {
      return failExpected("the end of the f-string");
    }
  }
  return true;
}

/// `{expr=!r:format}`
bool Parser::parseReplacementField(
    llvm::SmallVectorImpl<JoinedString::Part> &parts, bool raw) {
  DepthGuard guard(*this);
  if (tooDeep())
    return false;
  SourceRange open = range(token());
  uint32_t exprBegin = token().end;
  advance();
  if (at(TokenKind::RBrace) || at(TokenKind::Exclaim) || at(TokenKind::Colon))
    return fail(SourceRange(open.begin, here()),
                "expected an expression after '{' in an f-string");
  JoinedString::Part part;
  part.expr = at(TokenKind::KwYield) ? parseYield()
                                     : parseExpressionList(/*named=*/false);
  if (!part.expr)
    return false;
  if (at(TokenKind::Equal)) {
    advance();
    part.debugText = file.getText().slice(exprBegin, token().begin);
  }
  if (accept(TokenKind::Exclaim)) {
    llvm::StringRef name = text(token());
    if (!at(TokenKind::Name) || (name != "r" && name != "s" && name != "a"))
      return fail(range(token()),
                  "expected 'r', 's' or 'a' after '!' in an f-string");
    part.conversion = name[0];
    advance();
  }
  if (accept(TokenKind::Colon)) {
    part.format = parseFormatSpec(raw);
    if (!part.format)
      return false;
  }
  if (!accept(TokenKind::RBrace))
    return failExpected("'}'", open, "to match this");
  parts.push_back(part);
  return true;
}

/// Behind ':', up to the '}' that ends the field.
Expr *Parser::parseFormatSpec(bool raw) {
  SourceLoc begin = here();
  llvm::SmallVector<JoinedString::Part, 2> parts;
  bool hasField = false;
  llvm::SmallVector<Expr *, 4> children;
  while (at(TokenKind::FStringMiddle) || at(TokenKind::LBrace)) {
    if (at(TokenKind::LBrace)) {
      hasField = true;
      if (!parseReplacementField(parts, raw))
        return nullptr;
      children.push_back(parts.back().expr);
      children.push_back(parts.back().format);
      continue;
    }
    std::string literal;
    if (!decodeString(text(token()), raw, /*bytes=*/false,
                      /*isFString=*/false, literal))
      return nullptr;
    JoinedString::Part part;
    part.text = intern(literal);
    parts.push_back(part);
    advance();
  }
  if (!hasField)
    return make<StringLiteral>(since(begin),
                               parts.empty() ? "" : parts[0].text);
  return finish(
      make<JoinedString>(since(begin), copy<JoinedString::Part>(parts)),
      children);
}
