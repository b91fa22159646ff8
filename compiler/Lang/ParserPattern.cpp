//===- ParserPattern.cpp - Parser: patterns of match statements -----------===//

#include "compiler/Lang/ParserImpl.h"

#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

Pattern *Parser::makePattern(Pattern::Kind kind, SourceLoc begin) {
  return make<Pattern>(kind, since(begin));
}

/// `a`, or `a, *b` without brackets.
Pattern *Parser::parsePatternList() {
  SourceLoc begin = here();
  llvm::SmallVector<Pattern *, 4> patterns;
  bool isSequence = at(TokenKind::Star);
  while (true) {
    Pattern *pattern =
        at(TokenKind::Star) ? parseStarPattern() : parsePattern();
    if (!pattern)
      return nullptr;
    patterns.push_back(pattern);
    if (!accept(TokenKind::Comma))
      break;
    isSequence = true;
    if (at(TokenKind::Colon) || at(TokenKind::KwIf))
      break;
  }
  if (!isSequence)
    return patterns[0];
  Pattern *result = makePattern(Pattern::Kind::Sequence, begin);
  result->patterns = copy<Pattern *>(patterns);
  return result;
}

Pattern *Parser::parseStarPattern() {
  SourceLoc begin = here();
  advance();
  if (!at(TokenKind::Name))
    return failExpected("a name after '*'");
  llvm::StringRef name = intern(text(token()));
  advance();
  if (name != "_")
    bindName(name);
  Pattern *result = makePattern(Pattern::Kind::Star, begin);
  result->name = name;
  return result;
}

/// An alternative, perhaps named: `a | b as name`.
Pattern *Parser::parsePattern() {
  DepthGuard guard(*this);
  if (tooDeep())
    return nullptr;
  SourceLoc begin = here();
  Pattern *pattern = parseOrPattern();
  if (!pattern || !accept(TokenKind::KwAs))
    return pattern;
  if (!at(TokenKind::Name))
    return failExpected("a name after 'as'");
  llvm::StringRef name = intern(text(token()));
  bindName(name);
  advance();
  Pattern *result = makePattern(Pattern::Kind::As, begin);
  result->patterns = copy<Pattern *>({pattern});
  result->name = name;
  return result;
}

Pattern *Parser::parseOrPattern() {
  SourceLoc begin = here();
  llvm::SmallVector<Pattern *, 4> patterns;
  do {
    Pattern *pattern = parseClosedPattern();
    if (!pattern)
      return nullptr;
    patterns.push_back(pattern);
  } while (accept(TokenKind::Pipe));
  if (patterns.size() == 1)
    return patterns[0];
  Pattern *result = makePattern(Pattern::Kind::Or, begin);
  result->patterns = copy<Pattern *>(patterns);
  return result;
}

Pattern *Parser::parseClosedPattern() {
  SourceLoc begin = here();
  Expr *value = nullptr;
  switch (kind()) {
  case TokenKind::LParen:
    return parseSequencePattern(TokenKind::RParen, /*isGroup=*/true);
  case TokenKind::LBracket:
    return parseSequencePattern(TokenKind::RBracket, /*isGroup=*/false);
  case TokenKind::LBrace:
    return parseMappingPattern();
  case TokenKind::Name: {
    llvm::StringRef name = intern(text(token()));
    value = make<NameExpr>(range(token()), name);
    advance();
    bool dotted = false;
    while (accept(TokenKind::Dot)) {
      dotted = true;
      if (!at(TokenKind::Name))
        return failExpected("a name after '.'");
      SourceRange attrRange = range(token());
      llvm::StringRef attr = intern(text(token()));
      advance();
      value = finish(make<AttributeExpr>(since(begin), value, attr, attrRange),
                     {value});
      if (!value)
        return nullptr;
    }
    if (at(TokenKind::LParen))
      return parseClassPattern(value);
    if (!dotted) {
      if (name != "_")
        bindName(name);
      Pattern *capture = makePattern(Pattern::Kind::Capture, begin);
      capture->name = name;
      return capture;
    }
    break;
  }
  case TokenKind::Minus:
  case TokenKind::Int:
  case TokenKind::Float:
  case TokenKind::Imaginary:
    // A number, or a complex one as a sum.
    value = parseBinary(4);
    break;
  case TokenKind::String:
  case TokenKind::FStringStart:
    value = parseStrings();
    break;
  case TokenKind::KwNone:
  case TokenKind::KwTrue:
  case TokenKind::KwFalse:
    value = parseAtom();
    break;
  default:
    return failExpected("a pattern");
  }
  if (!value)
    return nullptr;
  Pattern *result = makePattern(Pattern::Kind::Value, begin);
  result->value = value;
  return result;
}

Pattern *Parser::parseSequencePattern(TokenKind close, bool isGroup) {
  SourceLoc begin = here();
  SourceRange open = range(token());
  advance();
  llvm::SmallVector<Pattern *, 4> patterns;
  bool sawComma = false;
  while (!at(close)) {
    Pattern *pattern =
        at(TokenKind::Star) ? parseStarPattern() : parsePattern();
    if (!pattern)
      return nullptr;
    patterns.push_back(pattern);
    if (!accept(TokenKind::Comma))
      break;
    sawComma = true;
  }
  if (!expectClose(close, open))
    return nullptr;
  if (isGroup && patterns.size() == 1 && !sawComma &&
      patterns[0]->kind != Pattern::Kind::Star)
    return patterns[0];
  Pattern *result = makePattern(Pattern::Kind::Sequence, begin);
  result->patterns = copy<Pattern *>(patterns);
  return result;
}

Pattern *Parser::parseMappingPattern() {
  SourceLoc begin = here();
  SourceRange open = range(token());
  advance();
  llvm::SmallVector<Expr *, 4> keys;
  llvm::SmallVector<Pattern *, 4> patterns;
  llvm::StringRef rest;
  while (!at(TokenKind::RBrace)) {
    if (accept(TokenKind::DoubleStar)) {
      if (!at(TokenKind::Name))
        return failExpected("a name after '**'");
      rest = intern(text(token()));
      bindName(rest);
      advance();
    } else {
      Expr *key = parseBinary(0);
      if (!key || !expect(TokenKind::Colon, "after the key"))
        return nullptr;
      Pattern *pattern = parsePattern();
      if (!pattern)
        return nullptr;
      keys.push_back(key);
      patterns.push_back(pattern);
    }
    if (!accept(TokenKind::Comma))
      break;
  }
  if (!expectClose(TokenKind::RBrace, open))
    return nullptr;
  Pattern *result = makePattern(Pattern::Kind::Mapping, begin);
  result->keys = copy<Expr *>(keys);
  result->patterns = copy<Pattern *>(patterns);
  result->name = rest;
  return result;
}

Pattern *Parser::parseClassPattern(Expr *callee) {
  SourceRange open = range(token());
  advance();
  llvm::SmallVector<Pattern *, 4> patterns, keywordPatterns;
  llvm::SmallVector<llvm::StringRef, 4> keywords;
  while (!at(TokenKind::RParen)) {
    if (at(TokenKind::Name) && kind(1) == TokenKind::Equal) {
      keywords.push_back(intern(text(token())));
      advance();
      advance();
      keywordPatterns.push_back(parsePattern());
      if (!keywordPatterns.back())
        return nullptr;
    } else {
      patterns.push_back(parsePattern());
      if (!patterns.back())
        return nullptr;
    }
    if (!accept(TokenKind::Comma))
      break;
  }
  if (!expectClose(TokenKind::RParen, open))
    return nullptr;
  Pattern *result = makePattern(Pattern::Kind::Class, callee->getLoc());
  result->value = callee;
  result->patterns = copy<Pattern *>(patterns);
  result->keywords = copy<llvm::StringRef>(keywords);
  result->keywordPatterns = copy<Pattern *>(keywordPatterns);
  return result;
}
