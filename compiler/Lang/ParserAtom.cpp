//===- ParserAtom.cpp - Parser: atoms and displays ------------------------===//

#include "compiler/Lang/ParserImpl.h"

#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

//===----------------------------------------------------------------------===//
// Atoms
//===----------------------------------------------------------------------===//

Expr *Parser::parseAtom() {
  SourceRange where = range(token());
  switch (kind()) {
  case TokenKind::Name: {
    auto *name = make<NameExpr>(where, intern(text(token())));
    advance();
    return name;
  }
  case TokenKind::Int:
  case TokenKind::Float:
  case TokenKind::Imaginary:
    return parseNumber();
  case TokenKind::String:
  case TokenKind::FStringStart:
    return parseStrings();
  case TokenKind::KwNone:
    advance();
    return make<NoneLiteral>(where);
  case TokenKind::KwTrue:
  case TokenKind::KwFalse: {
    bool value = at(TokenKind::KwTrue);
    advance();
    return make<BoolLiteral>(where, value);
  }
  case TokenKind::Ellipsis:
    advance();
    return make<EllipsisLiteral>(where);
  case TokenKind::LParen:
    return parseParens();
  case TokenKind::LBracket:
    return parseListDisplay();
  case TokenKind::LBrace:
    return parseBraces();
  case TokenKind::KwLambda:
    return fail(where, "a lambda needs parentheses here");
  default:
    return failExpected("an expression");
  }
}

Expr *Parser::parseParens() {
  SourceRange open = range(token()); // The lexer limits their nesting.
  advance();
  if (accept(TokenKind::RParen))
    return make<TupleExpr>(since(open.begin), llvm::ArrayRef<Expr *>());
  if (at(TokenKind::KwYield)) {
    Expr *value = parseYield();
    if (!value || !expectClose(TokenKind::RParen, open))
      return nullptr;
    value->parenthesized = true;
    return value;
  }
  Expr *first = parseStarredOrNamed();
  if (!first)
    return nullptr;
  if (at(TokenKind::KwFor) ||
      (at(TokenKind::KwAsync) && kind(1) == TokenKind::KwFor)) {
    Expr *generator = parseComprehension(ComprehensionExpr::Form::Generator,
                                         open.begin, first, nullptr);
    if (!generator || !expectClose(TokenKind::RParen, open))
      return nullptr;
    generator->range = since(open.begin);
    return generator;
  }
  if (!at(TokenKind::Comma)) {
    if (!expectClose(TokenKind::RParen, open))
      return nullptr;
    if (llvm::isa<StarredExpr>(first))
      return fail(first->getRange(), "a starred expression cannot stand alone");
    first->parenthesized = true;
    return first;
  }
  llvm::SmallVector<Expr *, 4> elements{first};
  while (accept(TokenKind::Comma)) {
    if (at(TokenKind::RParen))
      break;
    Expr *element = parseStarredOrNamed();
    if (!element)
      return nullptr;
    elements.push_back(element);
  }
  if (!expectClose(TokenKind::RParen, open))
    return nullptr;
  return finish(make<TupleExpr>(since(open.begin), copy<Expr *>(elements)),
                elements);
}

Expr *Parser::parseListDisplay() {
  SourceRange open = range(token()); // The lexer limits their nesting.
  advance();
  llvm::SmallVector<Expr *, 8> elements;
  while (!at(TokenKind::RBracket)) {
    Expr *element = parseStarredOrNamed();
    if (!element)
      return nullptr;
    if (elements.empty() &&
        (at(TokenKind::KwFor) ||
         (at(TokenKind::KwAsync) && kind(1) == TokenKind::KwFor))) {
      Expr *list = parseComprehension(ComprehensionExpr::Form::List, open.begin,
                                      element, nullptr);
      if (!list || !expectClose(TokenKind::RBracket, open))
        return nullptr;
      list->range = since(open.begin);
      return list;
    }
    elements.push_back(element);
    if (!accept(TokenKind::Comma))
      break;
  }
  if (!accept(TokenKind::RBracket))
    return failExpected("',' or ']'", open, "to match this");
  return finish(make<ListExpr>(since(open.begin), copy<Expr *>(elements)),
                elements);
}

/// A dict, a set, or a comprehension of one.
Expr *Parser::parseBraces() {
  SourceRange open = range(token()); // The lexer limits their nesting.
  advance();
  llvm::SmallVector<DictExpr::Item, 8> items;
  llvm::SmallVector<Expr *, 8> elements; // all children, or the set's
  bool isSet = false;
  while (!at(TokenKind::RBrace)) {
    bool first = elements.empty();
    DictExpr::Item item;
    if (at(TokenKind::DoubleStar) && (first || !isSet)) {
      advance();
      item.value = parseBinary(0);
      if (!item.value)
        return nullptr;
    } else {
      Expr *key = parseStarredOrNamed();
      if (!key)
        return nullptr;
      if (first && !at(TokenKind::Colon))
        isSet = true;
      if (isSet) {
        elements.push_back(key);
      } else {
        if (!expect(TokenKind::Colon, "after the key"))
          return nullptr;
        item.key = key;
        item.value = parseTest();
        if (!item.value)
          return nullptr;
      }
      if (first && (at(TokenKind::KwFor) ||
                    (at(TokenKind::KwAsync) && kind(1) == TokenKind::KwFor))) {
        Expr *result = parseComprehension(isSet ? ComprehensionExpr::Form::Set
                                                : ComprehensionExpr::Form::Dict,
                                          open.begin, key, item.value);
        if (!result || !expectClose(TokenKind::RBrace, open))
          return nullptr;
        result->range = since(open.begin);
        return result;
      }
    }
    if (!isSet) {
      items.push_back(item);
      elements.push_back(item.key);
      elements.push_back(item.value);
    }
    if (!accept(TokenKind::Comma))
      break;
  }
  if (!accept(TokenKind::RBrace))
    return failExpected("',' or '}'", open, "to match this");
  if (isSet)
    return finish(make<SetExpr>(since(open.begin), copy<Expr *>(elements)),
                  elements);
  return finish(make<DictExpr>(since(open.begin), copy<DictExpr::Item>(items)),
                elements);
}

/// Behind the element: `for` clauses and their `if`s.
Expr *Parser::parseComprehension(ComprehensionExpr::Form form, SourceLoc begin,
                                 Expr *element, Expr *value) {
  if (llvm::isa<StarredExpr>(element))
    return fail(element->getRange(),
                "a starred expression cannot be the element of a "
                "comprehension");
  llvm::SmallVector<ComprehensionFor, 2> clauses;
  llvm::SmallVector<Expr *, 8> children{element, value};
  // Its targets are names of their own, not of the function.
  ScopeInfo scope(/*isFunction=*/false);
  while (at(TokenKind::KwFor) || at(TokenKind::KwAsync)) {
    ComprehensionFor clause;
    clause.isAsync = accept(TokenKind::KwAsync);
    if (!expect(TokenKind::KwFor, ""))
      return nullptr;
    clause.target = parseTargetList();
    if (!clause.target)
      return nullptr;
    scopes.push_back(&scope);
    bool ok = checkTarget(clause.target, "assign to");
    scopes.pop_back();
    if (!ok || !expect(TokenKind::KwIn, "after the loop variable"))
      return nullptr;
    clause.iterable = parseOr();
    if (!clause.iterable)
      return nullptr;
    llvm::SmallVector<Expr *, 2> conditions;
    while (accept(TokenKind::KwIf)) {
      Expr *condition = at(TokenKind::Name) && kind(1) == TokenKind::ColonEqual
                            ? parseNamedTest()
                            : parseOr();
      if (!condition)
        return nullptr;
      conditions.push_back(condition);
    }
    clause.conditions = copy<Expr *>(conditions);
    children.push_back(clause.target);
    children.push_back(clause.iterable);
    children.append(conditions);
    clauses.push_back(clause);
  }
  return finish(make<ComprehensionExpr>(since(begin), form, element, value,
                                        copy<ComprehensionFor>(clauses)),
                children);
}
