//===- Lexer.cpp - Python text to tokens ----------------------------------===//

#include "compiler/Lang/Lexer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/ConvertUTF.h"

using namespace nereid::lang;

llvm::StringRef nereid::lang::describe(TokenKind kind) {
  static constexpr llvm::StringLiteral texts[] = {
#define NEREID_TOKEN(ID, TEXT) TEXT,
#include "compiler/Lang/Tokens.def"
  };
  return texts[static_cast<unsigned>(kind)];
}

namespace {

constexpr unsigned kMaxIndents = 100;
constexpr unsigned kMaxBrackets = 200;
constexpr unsigned kMaxFStrings = 50;
constexpr unsigned kTabSize = 8;

class Lexer {
public:
  explicit Lexer(const SourceFile &file)
      : file(file), text(file.getText()), size(text.size()) {
    out.tokens.reserve(size / 4 + 16);
  }
  TokenStream run();

private:
  /// An open bracket, or the `{` of an f-string field.
  struct Bracket {
    char open;
    uint32_t offset;
  };
  struct FString {
    uint32_t start;
    char quote;
    bool triple;
    bool raw;
    bool inText = true;    ///< reading text, not a replacement field
    bool inFormat = false; ///< the text is a format specification
    /// brackets.size() outside any field of this string.
    size_t outerBrackets;
    /// For each open field: whether its format specification has begun.
    llvm::SmallVector<bool, 2> fields;
  };
  struct Indent {
    unsigned column;    ///< tabs go to the next multiple of kTabSize
    unsigned altColumn; ///< tabs count one: equal order or an error
  };

  char at(size_t i) const { return i < size ? text[i] : '\0'; }
  char peek(size_t ahead = 0) const { return at(pos + ahead); }
  void emit(TokenKind kind, size_t begin, size_t end) {
    out.tokens.push_back(
        {kind, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
  }
  void error(size_t begin, size_t end, std::string message,
             SourceRange noteRange = {}, std::string note = "") {
    out.errors[out.tokens.size()] = {std::move(message), noteRange,
                                     std::move(note)};
    emit(TokenKind::Error, begin, end);
  }
  bool atLineEnd() const {
    return pos >= size || text[pos] == '\n' || text[pos] == '\r';
  }
  void skipLineEnd() {
    if (peek() == '\r' && peek(1) == '\n')
      ++pos;
    ++pos;
  }
  /// In a field of the innermost f-string, outside brackets opened there.
  bool atFieldLevel() const {
    return !fstrings.empty() && !fstrings.back().inText &&
           brackets.size() ==
               fstrings.back().outerBrackets + fstrings.back().fields.size();
  }

  bool lexIndentation();
  bool startsStatementInBrackets() const;
  void closeBracketsForRecovery();
  void lexToken();
  void lexName();
  void lexNumber();
  void lexString(size_t begin);
  void lexFStringText();
  void lexPunctuation();
  void lexOther();
  void openFString(size_t begin, bool raw);
  void openBracket(TokenKind kind, char c);
  void closeBracket(TokenKind kind, char c);
  size_t scanDigits(size_t i, llvm::function_ref<bool(char)> isDigit,
                    bool &bad) const;

  const SourceFile &file;
  llvm::StringRef text;
  size_t size;
  size_t pos = 0;
  bool lineStart = true;
  size_t logicalLineColumn = 0; ///< column of the statement being lexed
  llvm::SmallVector<Indent, 16> indents;
  llvm::SmallVector<Bracket, 16> brackets;
  llvm::SmallVector<FString, 2> fstrings;
  TokenStream out;
};

} // namespace

static bool isNameStart(char c) {
  return llvm::isAlpha(c) || c == '_' || (c & 0x80);
}
static bool isNameChar(char c) { return isNameStart(c) || llvm::isDigit(c); }

static const llvm::StringMap<TokenKind> &keywords() {
  static const llvm::StringMap<TokenKind> map = {
#define NEREID_KEYWORD(ID, TEXT) {TEXT, TokenKind::ID},
#define NEREID_PUNCT(ID, TEXT)
#include "compiler/Lang/Tokens.def"
  };
  return map;
}

TokenStream Lexer::run() {
  indents.push_back({0, 0});
  while (true) {
    if (lineStart && brackets.empty() && fstrings.empty()) {
      lineStart = false;
      if (!lexIndentation())
        break;
    }
    if (!fstrings.empty() && fstrings.back().inText) {
      lexFStringText();
      continue;
    }
    while (peek() == ' ' || peek() == '\t' || peek() == '\f')
      ++pos;
    if (peek() == '#')
      while (!atLineEnd())
        ++pos;
    if (pos >= size)
      break;
    if (atLineEnd()) {
      size_t begin = pos;
      skipLineEnd();
      if (brackets.empty() && fstrings.empty()) {
        emit(TokenKind::Newline, begin, pos);
        lineStart = true;
      } else if (startsStatementInBrackets()) {
        closeBracketsForRecovery();
        emit(TokenKind::Newline, begin, pos);
        lineStart = true;
      }
      continue;
    }
    lexToken();
  }
  if (!brackets.empty() || !fstrings.empty())
    closeBracketsForRecovery();
  if (!out.tokens.empty() && out.tokens.back().kind != TokenKind::Newline &&
      out.tokens.back().kind != TokenKind::Dedent)
    emit(TokenKind::Newline, size, size);
  for (size_t i = 1; i < indents.size(); ++i)
    emit(TokenKind::Dedent, size, size);
  emit(TokenKind::EndOfFile, size, size);
  return std::move(out);
}

/// Measures the next line that holds code and emits INDENT or DEDENTs. False
/// at the end of the file.
bool Lexer::lexIndentation() {
  Indent here{0, 0};
  size_t begin = pos;
  while (true) {
    char c = peek();
    if (c == ' ') {
      ++here.column;
      ++here.altColumn;
    } else if (c == '\t') {
      here.column = (here.column / kTabSize + 1) * kTabSize;
      ++here.altColumn;
    } else if (c == '\f') {
      here = {0, 0};
    } else if (c == '\\' && (peek(1) == '\n' || peek(1) == '\r')) {
      // A continuation in the indentation: the next line's blanks do not count.
      ++pos;
      skipLineEnd();
      while (peek() == ' ' || peek() == '\t')
        ++pos;
      continue;
    } else if (c == '#' || (pos < size && atLineEnd())) {
      while (!atLineEnd())
        ++pos;
      if (pos >= size)
        return false;
      skipLineEnd();
      here = {0, 0};
      begin = pos;
      continue;
    } else {
      break;
    }
    ++pos;
  }
  if (pos >= size)
    return false;
  logicalLineColumn = here.column;
  Indent &current = indents.back();
  auto inconsistent = [&] {
    error(begin, pos, "inconsistent use of tabs and spaces in the indentation");
  };
  if (here.column == current.column) {
    if (here.altColumn != current.altColumn)
      inconsistent();
    return true;
  }
  if (here.column > current.column) {
    if (here.altColumn <= current.altColumn)
      inconsistent();
    if (indents.size() >= kMaxIndents) {
      error(begin, pos,
            "more than " + std::to_string(kMaxIndents) +
                " levels of indentation");
      return true;
    }
    indents.push_back(here);
    emit(TokenKind::Indent, begin, pos);
    return true;
  }
  while (indents.size() > 1 && here.column < indents.back().column) {
    indents.pop_back();
    emit(TokenKind::Dedent, pos, pos);
  }
  if (here.column != indents.back().column) {
    error(begin, pos,
          "this indentation matches no enclosing block's indentation");
    // Follow the author from here, so that one slip is one error.
    if (indents.size() > 1)
      indents.back() = here;
  } else if (here.altColumn != indents.back().altColumn) {
    inconsistent();
  }
  return true;
}

/// At the start of a line inside brackets: does it begin with a word that only
/// begins a statement?
bool Lexer::startsStatementInBrackets() const {
  // Inside the text of a triple-quoted f-string a line may begin with anything;
  // only its fields get here, and there the same words are wrong.
  size_t i = pos;
  while (at(i) == ' ' || at(i) == '\t')
    ++i;
  if (at(i) == '@')
    return isNameStart(at(i + 1)) && i - pos <= logicalLineColumn;
  if (!llvm::isLower(at(i)))
    return false;
  size_t begin = i;
  while (isNameChar(at(i)))
    ++i;
  llvm::StringRef word = text.slice(begin, i);
  if (word == "async") {
    while (at(i) == ' ')
      ++i;
    return text.substr(i).starts_with("def ");
  }
  return llvm::is_contained({"def", "class", "return", "while", "with", "try",
                             "pass", "break", "continue", "raise", "global",
                             "nonlocal", "del", "assert", "elif", "except",
                             "finally", "import"},
                            word);
}

void Lexer::closeBracketsForRecovery() {
  // The outermost unclosed thing is the one to blame.
  uint32_t firstBracket = brackets.empty() ? size : brackets.front().offset;
  uint32_t firstString = fstrings.empty() ? size : fstrings.front().start;
  if (firstString < firstBracket) {
    error(firstString, firstString + 1, "this f-string is not terminated");
  } else {
    error(firstBracket, firstBracket + 1,
          std::string("this '") + text[firstBracket] + "' is never closed");
  }
  out.errors.find(out.tokens.size() - 1)->second.unclosed = true;
  brackets.clear();
  fstrings.clear();
}

void Lexer::lexToken() {
  char c = peek();
  if (isNameStart(c))
    return lexName();
  if (llvm::isDigit(c) || (c == '.' && llvm::isDigit(peek(1))))
    return lexNumber();
  if (c == '"' || c == '\'')
    return lexString(pos);
  if (c == '\\') {
    size_t begin = pos++;
    if (pos < size && atLineEnd()) {
      skipLineEnd();
      return;
    }
    if (pos >= size)
      return error(begin, pos, "a backslash at the end of the file");
    return error(begin, pos,
                 "a backslash must be the last character of its line");
  }
  lexPunctuation();
}

/// Non-ASCII characters that Python does not allow in names: punctuation,
/// symbols and blanks, as far as people paste them by accident.
static bool isForeignPunctuation(uint32_t c) {
  if (c < 0xC0)
    return c != 0xAA && c != 0xB5 && c != 0xB7 && c != 0xBA;
  return c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c <= 0x206F) ||
         (c >= 0x20A0 && c <= 0x20CF) || (c >= 0x2190 && c <= 0x2BFF) ||
         (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) ||
         (c >= 0xFF01 && c <= 0xFF0F) || (c >= 0xFF1A && c <= 0xFF20) ||
         c == 0xFEFF || (c >= 0xD800 && c <= 0xF8FF) ||
         (c >= 0x1F000 && c <= 0x1FFFF) || (c >= 0xE0000 && c <= 0xE007F);
}

void Lexer::lexName() {
  size_t begin = pos;
  while (pos < size && isNameChar(text[pos])) {
    if (!(text[pos] & 0x80)) {
      ++pos;
      continue;
    }
    const auto *source =
        reinterpret_cast<const llvm::UTF8 *>(text.data() + pos);
    const auto *next = source;
    llvm::UTF32 c = 0;
    llvm::UTF32 *target = &c;
    unsigned length = llvm::getNumBytesForUTF8(*source);
    if (pos + length > size ||
        llvm::ConvertUTF8toUTF32(&next, source + length, &target, &c + 1,
                                 llvm::strictConversion) !=
            llvm::conversionOK) {
      if (pos > begin)
        break;
      ++pos;
      return error(begin, pos, "this byte is not valid UTF-8");
    }
    if (isForeignPunctuation(c)) {
      if (pos > begin)
        break;
      pos += length;
      return error(begin, pos,
                   "invalid character '" + text.slice(begin, pos).str() +
                       "' (U+" + llvm::utohexstr(c, false, 4) + ")");
    }
    pos += length;
  }
  llvm::StringRef word = text.slice(begin, pos);
  if ((peek() == '"' || peek() == '\'') && word.size() <= 2) {
    std::string prefix = word.lower();
    if (prefix == "r" || prefix == "b" || prefix == "br" || prefix == "rb" ||
        prefix == "u")
      return lexString(begin);
    if (prefix == "f" || prefix == "rf" || prefix == "fr")
      return openFString(begin, prefix.size() == 2);
  }
  auto it = keywords().find(word);
  emit(it == keywords().end() ? TokenKind::Name : it->second, begin, pos);
}

/// Digits with single underscores between them (one may also follow a radix
/// prefix, so the caller decides where to begin).
size_t Lexer::scanDigits(size_t i, llvm::function_ref<bool(char)> isDigit,
                         bool &bad) const {
  while (true) {
    if (isDigit(at(i))) {
      ++i;
    } else if (at(i) == '_') {
      if (!isDigit(at(i + 1)))
        bad = true;
      ++i;
    } else {
      return i;
    }
  }
}

void Lexer::lexNumber() {
  size_t begin = pos;
  auto decimal = [](char c) { return llvm::isDigit(c); };
  bool bad = false;
  TokenKind kind = TokenKind::Int;
  const char *what = "decimal";
  char radix = llvm::toLower(peek(1));
  if (peek() == '0' && (radix == 'x' || radix == 'o' || radix == 'b')) {
    auto isDigit = [radix](char c) {
      return radix == 'x'   ? llvm::isHexDigit(c)
             : radix == 'o' ? c >= '0' && c <= '7'
                            : c == '0' || c == '1';
    };
    what = radix == 'x' ? "hexadecimal" : radix == 'o' ? "octal" : "binary";
    size_t end = scanDigits(pos + 2, isDigit, bad);
    if (end == pos + 2)
      bad = true;
    pos = end;
  } else {
    pos = scanDigits(pos, decimal, bad);
    if (peek() == '.') {
      kind = TokenKind::Float;
      ++pos;
      if (llvm::isDigit(peek()))
        pos = scanDigits(pos, decimal, bad);
    }
    if (llvm::toLower(peek()) == 'e' &&
        (llvm::isDigit(peek(1)) ||
         ((peek(1) == '+' || peek(1) == '-') && llvm::isDigit(peek(2))))) {
      kind = TokenKind::Float;
      pos = scanDigits(pos + 2, decimal, bad);
    }
    if (llvm::toLower(peek()) == 'j') {
      kind = TokenKind::Imaginary;
      ++pos;
    }
    llvm::StringRef digits = text.slice(begin, pos);
    if (kind == TokenKind::Int && digits.size() > 1 && digits[0] == '0' &&
        !bad && digits.find_first_not_of("0_") != llvm::StringRef::npos)
      return error(begin, pos,
                   "a decimal number must not begin with 0; an octal one is "
                   "written 0o" +
                       digits.ltrim("0_").str());
  }
  if (!bad && !isNameChar(peek()))
    return emit(kind, begin, pos);
  // `1if x else 2` is allowed: a keyword may follow at once.
  size_t end = pos;
  while (isNameChar(at(end)))
    ++end;
  llvm::StringRef tail = text.slice(pos, end);
  if (!bad && llvm::is_contained(
                  {"and", "else", "for", "if", "in", "is", "or", "not"}, tail))
    return emit(kind, begin, pos);
  pos = end;
  error(begin, end,
        std::string("invalid ") + what + " literal '" +
            text.slice(begin, end).str() + "'");
}

/// A string or bytes literal; `begin` is at its prefix, pos at the quote.
/// A backslash hides the next character in raw strings too.
void Lexer::lexString(size_t begin) {
  char quote = peek();
  bool triple = peek(1) == quote && peek(2) == quote;
  pos += triple ? 3 : 1;
  while (pos < size) {
    char c = text[pos];
    if (c == '\\') {
      ++pos;
      if (pos < size)
        skipLineEnd(); // One character, or a whole line end.
      continue;
    }
    if (c == quote) {
      if (!triple) {
        ++pos;
        return emit(TokenKind::String, begin, pos);
      }
      if (peek(1) == quote && peek(2) == quote) {
        pos += 3;
        return emit(TokenKind::String, begin, pos);
      }
    } else if (!triple && (c == '\n' || c == '\r')) {
      break;
    }
    ++pos;
  }
  pos = std::min(pos, size);
  error(begin, pos,
        triple ? "this triple-quoted string is not terminated"
               : "this string is not terminated on its line");
}

void Lexer::openFString(size_t begin, bool raw) {
  char quote = peek();
  bool triple = peek(1) == quote && peek(2) == quote;
  pos += triple ? 3 : 1;
  if (fstrings.size() >= kMaxFStrings) {
    // Give the opening up as an error; its text lexes as whatever it is.
    return error(begin, pos,
                 "f-strings are nested more than " +
                     std::to_string(kMaxFStrings) + " deep");
  }
  emit(TokenKind::FStringStart, begin, pos);
  FString state;
  state.start = static_cast<uint32_t>(begin);
  state.quote = quote;
  state.triple = triple;
  state.raw = raw;
  state.outerBrackets = brackets.size();
  fstrings.push_back(state);
}

/// Text of an f-string up to a field or the end.
void Lexer::lexFStringText() {
  FString &state = fstrings.back();
  size_t begin = pos;
  auto flush = [&] {
    if (pos > begin)
      emit(TokenKind::FStringMiddle, begin, pos);
  };
  while (true) {
    if (pos >= size || (!state.triple && atLineEnd())) {
      pos = std::min(pos, size);
      // Drop the string and what was opened in it.
      size_t start = state.start;
      brackets.resize(std::min(brackets.size(), state.outerBrackets));
      fstrings.pop_back();
      return error(start, pos,
                   state.triple
                       ? "this triple-quoted f-string is not terminated"
                       : "this f-string is not terminated on its line");
    }
    char c = text[pos];
    if (c == state.quote && (!state.triple || (peek(1) == c && peek(2) == c))) {
      flush();
      if (!state.fields.empty()) {
        // A quote inside a format specification: the field was not closed.
        size_t open = brackets.back().offset;
        brackets.resize(std::min(brackets.size(), state.outerBrackets));
        size_t end = pos + (state.triple ? 3 : 1);
        error(open, open + 1, "this '{' of the f-string is never closed");
        pos = end;
        fstrings.pop_back();
        return;
      }
      size_t end = pos + (state.triple ? 3 : 1);
      emit(TokenKind::FStringEnd, pos, end);
      pos = end;
      fstrings.pop_back();
      return;
    }
    if (c == '\\') {
      // In raw strings too a backslash hides a quote; but never a brace,
      // except in \N{...}.
      if (!state.raw && peek(1) == 'N' && peek(2) == '{') {
        // The longest name of a character has 88 letters.
        llvm::StringRef name = text.substr(pos + 3, 100);
        size_t close = name.find_first_of("}\n\"'");
        if (close != llvm::StringRef::npos && name[close] == '}') {
          pos += 3 + close + 1;
          continue;
        }
      }
      ++pos;
      if (pos < size && peek() != '{' && peek() != '}')
        skipLineEnd();
      continue;
    }
    if (c == '{') {
      if (peek(1) == '{' && !state.inFormat) {
        pos += 2;
        continue;
      }
      flush();
      size_t at = pos++;
      emit(TokenKind::LBrace, at, pos);
      if (brackets.size() >= kMaxBrackets)
        return error(at, pos,
                     "brackets are nested more than " +
                         std::to_string(kMaxBrackets) + " deep");
      brackets.push_back({'{', static_cast<uint32_t>(at)});
      state.fields.push_back(false);
      state.inText = false;
      return;
    }
    if (c == '}') {
      if (state.inFormat) {
        flush();
        emit(TokenKind::RBrace, pos, pos + 1);
        ++pos;
        brackets.pop_back();
        state.fields.pop_back();
        state.inFormat = !state.fields.empty();
        return;
      }
      if (peek(1) == '}') {
        pos += 2;
        continue;
      }
      flush();
      error(pos, pos + 1,
            "a single '}' in an f-string; a literal one is written '}}'");
      ++pos;
      begin = pos;
      continue;
    }
    ++pos;
  }
}

void Lexer::openBracket(TokenKind kind, char c) {
  if (brackets.size() >= kMaxBrackets) {
    error(pos, pos + 1,
          "brackets are nested more than " + std::to_string(kMaxBrackets) +
              " deep");
    ++pos;
    return;
  }
  brackets.push_back({c, static_cast<uint32_t>(pos)});
  emit(kind, pos, pos + 1);
  ++pos;
}

void Lexer::closeBracket(TokenKind kind, char c) {
  char open = c == ')' ? '(' : c == ']' ? '[' : '{';
  size_t begin = pos++;
  size_t outer = fstrings.empty() ? 0
                                  : fstrings.back().outerBrackets +
                                        fstrings.back().fields.size();
  bool isField = c == '}' && atFieldLevel();
  if (isField) {
    emit(kind, begin, pos);
    FString &state = fstrings.back();
    brackets.pop_back();
    state.fields.pop_back();
    state.inText = true;
    state.inFormat = !state.fields.empty();
    return;
  }
  if (brackets.size() <= outer)
    return error(begin, pos, std::string("this '") + c + "' closes no bracket");
  Bracket bracket = brackets.pop_back_val();
  if (bracket.open != open) {
    SourceLoc opened = file.getLoc(bracket.offset);
    return error(begin, pos,
                 std::string("this '") + c + "' does not close the '" +
                     bracket.open + "'",
                 SourceRange(opened, opened.advanced(1)),
                 "the bracket was opened here");
  }
  emit(kind, begin, pos);
}

void Lexer::lexPunctuation() {
  size_t begin = pos;
  auto take = [&](TokenKind kind, unsigned length) {
    pos += length;
    emit(kind, begin, pos);
  };
  char c = peek(), d = peek(1), e = peek(2);
  // An operator, or the same followed by '='.
  auto orEqual = [&](TokenKind plain, TokenKind withEqual, unsigned length) {
    bool equal = at(pos + length) == '=';
    // In an f-string field `{x!r}` and `{x=}` end the expression, but an
    // augmented assignment cannot stand there, so no exception is needed.
    take(equal ? withEqual : plain, length + equal);
  };
  using K = TokenKind;
  switch (c) {
  case '(':
    return openBracket(K::LParen, c);
  case '[':
    return openBracket(K::LBracket, c);
  case '{':
    return openBracket(K::LBrace, c);
  case ')':
    return closeBracket(K::RParen, c);
  case ']':
    return closeBracket(K::RBracket, c);
  case '}':
    return closeBracket(K::RBrace, c);
  case ',':
    return take(K::Comma, 1);
  case ';':
    return take(K::Semicolon, 1);
  case '~':
    return take(K::Tilde, 1);
  case ':':
    if (atFieldLevel()) {
      FString &state = fstrings.back();
      take(K::Colon, 1);
      state.fields.back() = true;
      state.inText = state.inFormat = true;
      return;
    }
    return d == '=' ? take(K::ColonEqual, 2) : take(K::Colon, 1);
  case '.':
    return d == '.' && e == '.' ? take(K::Ellipsis, 3) : take(K::Dot, 1);
  case '!':
    if (d == '=')
      return take(K::NotEqual, 2);
    if (atFieldLevel())
      return take(K::Exclaim, 1);
    break;
  case '=':
    return d == '=' ? take(K::EqualEqual, 2) : take(K::Equal, 1);
  case '+':
    return orEqual(K::Plus, K::PlusEqual, 1);
  case '-':
    return d == '>' ? take(K::Arrow, 2) : orEqual(K::Minus, K::MinusEqual, 1);
  case '*':
    return d == '*' ? orEqual(K::DoubleStar, K::DoubleStarEqual, 2)
                    : orEqual(K::Star, K::StarEqual, 1);
  case '/':
    return d == '/' ? orEqual(K::DoubleSlash, K::DoubleSlashEqual, 2)
                    : orEqual(K::Slash, K::SlashEqual, 1);
  case '%':
    return orEqual(K::Percent, K::PercentEqual, 1);
  case '@':
    return orEqual(K::At, K::AtEqual, 1);
  case '&':
    return orEqual(K::Amp, K::AmpEqual, 1);
  case '|':
    return orEqual(K::Pipe, K::PipeEqual, 1);
  case '^':
    return orEqual(K::Caret, K::CaretEqual, 1);
  case '<':
    if (d == '>') {
      pos += 2;
      return error(begin, pos,
                   "'<>' is not an operator of Python 3; write "
                   "'!='");
    }
    return d == '<' ? orEqual(K::LessLess, K::LessLessEqual, 2)
                    : orEqual(K::Less, K::LessEqual, 1);
  case '>':
    return d == '>' ? orEqual(K::GreaterGreater, K::GreaterGreaterEqual, 2)
                    : orEqual(K::Greater, K::GreaterEqual, 1);
  default:
    break;
  }
  lexOther();
}

void Lexer::lexOther() {
  size_t begin = pos++;
  char c = text[begin];
  if (c == '\0')
    return error(begin, pos, "the source holds a NUL byte");
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
    return error(begin, pos,
                 "invalid control character 0x" +
                     llvm::utohexstr(c & 0xFF, false, 2));
  error(begin, pos, std::string("invalid character '") + c + "'");
}

TokenStream nereid::lang::tokenize(const SourceFile &file) {
  return Lexer(file).run();
}
