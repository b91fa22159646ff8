//===- ParserCompound.cpp - Parser: statements with blocks ----------------===//

#include "compiler/Lang/ParserImpl.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

/// A statement that begins with a keyword of its own. `isCompound` is false
/// when the next token begins none.
Stmt *Parser::parseCompound(bool &isCompound) {
  isCompound = true;
  SourceLoc begin = here();
  switch (kind()) {
  case TokenKind::KwIf:
    return parseIf();
  case TokenKind::KwWhile:
    return parseWhile();
  case TokenKind::KwFor:
    return parseFor(/*isAsync=*/false, begin);
  case TokenKind::KwTry:
    return parseTry();
  case TokenKind::KwWith:
    return parseWith(/*isAsync=*/false, begin);
  case TokenKind::KwDef:
    return parseFunction(begin, {}, /*isAsync=*/false, errors.size());
  case TokenKind::KwClass:
    return parseClass(begin, {});
  case TokenKind::At:
    return parseDecorated();
  case TokenKind::KwAsync:
    switch (kind(1)) {
    case TokenKind::KwDef:
      advance();
      return parseFunction(begin, {}, /*isAsync=*/true, errors.size());
    case TokenKind::KwFor:
      advance();
      return parseFor(/*isAsync=*/true, begin);
    case TokenKind::KwWith:
      advance();
      return parseWith(/*isAsync=*/true, begin);
    default:
      advance();
      return failExpected("'def', 'for' or 'with' after 'async'");
    }
  case TokenKind::Name:
    if (atName("match") && atMatchStatement())
      return parseMatch();
    break;
  default:
    break;
  }
  isCompound = false;
  return nullptr;
}

/// `:` and a block: indented lines, or simple statements on the same line.
bool Parser::parseBlock(Block &out, const llvm::Twine &after) {
  if (!expect(TokenKind::Colon, "after " + after))
    return false;
  llvm::SmallVector<Stmt *, 16> body;
  if (!at(TokenKind::Newline)) {
    if (!parseSimpleLine(body))
      return false;
    out = copy<Stmt *>(body);
    return true;
  }
  advance();
  if (!accept(TokenKind::Indent)) {
    // The line is complete, so the next statement is read as usual.
    SourceRange where =
        at(TokenKind::EndOfFile) || at(TokenKind::Dedent)
            ? SourceRange(file.getLoc(std::min(lastEnd, token().begin)))
            : range(token());
    fail(where, "expected an indented block after " + after);
    body.push_back(make<ErrorStmt>(where, commitError()));
    out = copy<Stmt *>(body);
    return true;
  }
  parseStatements(body);
  accept(TokenKind::Dedent);
  failed = false;
  out = copy<Stmt *>(body);
  return true;
}

Stmt *Parser::parseIf() {
  SourceLoc begin = here();
  llvm::SmallVector<IfStmt::Clause, 2> clauses;
  Block orelse;
  bool isElif = false;
  do {
    SourceLoc clauseBegin = here();
    advance();
    IfStmt::Clause clause;
    clause.condition = parseNamedTest();
    if (!clause.condition)
      return nullptr;
    if (!parseBlock(clause.body, isElif ? "the condition of 'elif'"
                                        : "the condition of 'if'"))
      return nullptr;
    clause.range = since(clauseBegin);
    clauses.push_back(clause);
    isElif = true;
  } while (at(TokenKind::KwElif));
  if (accept(TokenKind::KwElse) && !parseBlock(orelse, "'else'"))
    return nullptr;
  return make<IfStmt>(since(begin), copy<IfStmt::Clause>(clauses), orelse);
}

Stmt *Parser::parseWhile() {
  SourceLoc begin = here();
  advance();
  Expr *condition = parseNamedTest();
  Block body, orelse;
  if (!condition || !parseBlock(body, "the condition of 'while'"))
    return nullptr;
  if (accept(TokenKind::KwElse) && !parseBlock(orelse, "'else'"))
    return nullptr;
  return make<WhileStmt>(since(begin), condition, body, orelse);
}

Stmt *Parser::parseFor(bool isAsync, SourceLoc begin) {
  advance();
  Expr *target = parseTargetList();
  if (!target || !checkTarget(target, "assign to") ||
      !expect(TokenKind::KwIn, "after the loop variable"))
    return nullptr;
  Expr *iterable = parseExpressionList();
  Block body, orelse;
  if (!iterable || !parseBlock(body, "the header of 'for'"))
    return nullptr;
  if (accept(TokenKind::KwElse) && !parseBlock(orelse, "'else'"))
    return nullptr;
  return make<ForStmt>(since(begin), target, iterable, body, orelse, isAsync);
}

bool Parser::parseWithItems(llvm::SmallVectorImpl<WithStmt::Item> &items,
                            bool parenthesized) {
  SourceRange open = range(token());
  if (parenthesized)
    advance();
  while (true) {
    WithStmt::Item item;
    item.context = parenthesized ? parseNamedTest() : parseTest();
    if (!item.context)
      return false;
    if (accept(TokenKind::KwAs)) {
      // One target: a tuple needs its own parentheses.
      item.target = parseBinary(0);
      if (!item.target || !checkTarget(item.target, "assign to"))
        return false;
    }
    items.push_back(item);
    if (!accept(TokenKind::Comma))
      break;
    if (parenthesized && at(TokenKind::RParen))
      break;
  }
  return !parenthesized || expectClose(TokenKind::RParen, open);
}

Stmt *Parser::parseWith(bool isAsync, SourceLoc begin) {
  advance();
  llvm::SmallVector<WithStmt::Item, 2> items;
  bool done = false;
  if (at(TokenKind::LParen)) {
    // `with (a as b, c as d):` or an expression that begins with '('.
    size_t savedPos = pos;
    uint32_t savedEnd = lastEnd;
    bool outer = speculating;
    speculating = true;
    done =
        parseWithItems(items, /*parenthesized=*/true) && at(TokenKind::Colon);
    speculating = outer;
    if (!done) {
      failed = false;
      items.clear();
      pos = savedPos;
      lastEnd = savedEnd;
    }
  }
  if (!done && !parseWithItems(items, /*parenthesized=*/false))
    return nullptr;
  Block body;
  if (!parseBlock(body, "the header of 'with'"))
    return nullptr;
  return make<WithStmt>(since(begin), copy<WithStmt::Item>(items), body,
                        isAsync);
}

Stmt *Parser::parseTry() {
  SourceLoc begin = here();
  advance();
  Block body, orelse, finalbody;
  if (!parseBlock(body, "'try'"))
    return nullptr;
  llvm::SmallVector<TryStmt::Handler, 2> handlers;
  bool isStar = false;
  while (at(TokenKind::KwExcept)) {
    TryStmt::Handler handler;
    SourceLoc handlerBegin = here();
    advance();
    isStar |= accept(TokenKind::Star);
    if (!at(TokenKind::Colon)) {
      handler.type = parseTest();
      if (!handler.type)
        return nullptr;
      if (at(TokenKind::Comma))
        return fail(range(token()),
                    "several types of exception need parentheses around them");
      if (accept(TokenKind::KwAs)) {
        if (!at(TokenKind::Name))
          return failExpected("a name after 'as'");
        handler.name = intern(text(token()));
        bindName(handler.name);
        advance();
      }
    }
    if (!parseBlock(handler.body, "'except'"))
      return nullptr;
    handler.range = since(handlerBegin);
    handlers.push_back(handler);
  }
  if (!handlers.empty() && accept(TokenKind::KwElse) &&
      !parseBlock(orelse, "'else'"))
    return nullptr;
  bool hasFinally = accept(TokenKind::KwFinally);
  if (hasFinally && !parseBlock(finalbody, "'finally'"))
    return nullptr;
  if (handlers.empty() && !hasFinally) {
    // The block was complete: report and go on behind it.
    fail(SourceRange(begin, begin.advanced(3)),
         "this 'try' has neither 'except' nor 'finally'");
    return make<ErrorStmt>(since(begin), commitError());
  }
  return make<TryStmt>(since(begin), body, copy<TryStmt::Handler>(handlers),
                       orelse, finalbody, isStar);
}

//===----------------------------------------------------------------------===//
// Functions and classes
//===----------------------------------------------------------------------===//

Stmt *Parser::parseDecorated() {
  SourceLoc begin = here();
  size_t firstError = errors.size();
  size_t firstModuleError = moduleErrors.size();
  llvm::SmallVector<Expr *, 2> decorators;
  while (accept(TokenKind::At)) {
    Expr *decorator = parseNamedTest();
    if (decorator && accept(TokenKind::Newline)) {
      decorators.push_back(decorator);
      continue;
    }
    if (decorator)
      failExpected("the end of the line after a decorator");
    // The function under a broken decorator takes the blame.
    recover();
  }
  bool isAsync = at(TokenKind::KwAsync) && kind(1) == TokenKind::KwDef;
  if (isAsync)
    advance();
  if (at(TokenKind::KwDef)) {
    if (functionDepth == 0)
      moduleErrors.resize(firstModuleError);
    return parseFunction(begin, copy<Expr *>(decorators), isAsync, firstError);
  }
  if (at(TokenKind::KwClass))
    return parseClass(begin, copy<Expr *>(decorators));
  return failExpected("a function or a class after the decorator");
}

/// From the name to the return annotation.
bool Parser::parseFunctionHeader(FunctionDef &function) {
  if (!at(TokenKind::Name)) {
    failExpected("the name of the function");
    return false;
  }
  function.name = intern(text(token()));
  function.nameRange = range(token());
  advance();
  if (!parseTypeParameters())
    return false;
  SourceRange open = range(token());
  if (!expect(TokenKind::LParen, "after the function's name"))
    return false;
  llvm::SmallVector<Parameter, 8> params;
  if (!parseParameters(params, TokenKind::RParen, /*annotations=*/true) ||
      !expectClose(TokenKind::RParen, open))
    return false;
  function.params = copy<Parameter>(params);
  if (accept(TokenKind::Arrow)) {
    function.returns = parseExpressionList();
    if (!function.returns)
      return false;
  }
  return true;
}

Stmt *Parser::parseFunction(SourceLoc begin, llvm::ArrayRef<Expr *> decorators,
                            bool isAsync, size_t firstError) {
  advance();
  auto *function = make<FunctionDef>(SourceRange(begin));
  function->decorators = decorators;
  function->isAsync = isAsync;
  if (at(TokenKind::Name))
    bindName(intern(text(token())));

  ScopeInfo scope(/*isFunction=*/true);
  ++functionDepth;
  // Defaults and annotations belong to the scope around it, but names bound
  // there (by a walrus) are too rare to matter.
  bool ok = parseFunctionHeader(*function);
  scopes.push_back(&scope);
  for (const Parameter &param : function->params)
    bindName(param.name);
  Block body;
  if (ok)
    ok = parseBlock(body, "the function's header");
  if (!ok) {
    const SyntaxError *error = recover();
    llvm::SmallVector<Stmt *, 16> statements;
    statements.push_back(make<ErrorStmt>(since(begin), error));
    if (accept(TokenKind::Indent)) {
      parseStatements(statements);
      accept(TokenKind::Dedent);
      failed = false;
    }
    body = copy<Stmt *>(statements);
  }
  scopes.pop_back();
  --functionDepth;
  function->body = body;
  function->locals = copy<llvm::StringRef>(scope.locals);
  function->isGenerator = scope.isGenerator;
  function->range = since(begin);
  if (errors.size() > firstError)
    function->errors = copy<const SyntaxError *>(
        llvm::ArrayRef(errors).drop_front(firstError));
  if (function->name.empty()) {
    // Nobody can ask for it, so nobody would learn of the error.
    if (functionDepth == 0)
      moduleErrors.insert(moduleErrors.end(), errors.begin() + firstError,
                          errors.end());
    return make<ErrorStmt>(function->range, errors.back());
  }
  return function;
}

Stmt *Parser::parseClass(SourceLoc begin, llvm::ArrayRef<Expr *> decorators) {
  advance();
  auto *node = make<ClassDef>(SourceRange(begin));
  node->decorators = decorators;
  if (!at(TokenKind::Name))
    return failExpected("the name of the class");
  node->name = intern(text(token()));
  node->nameRange = range(token());
  bindName(node->name);
  advance();
  if (!parseTypeParameters())
    return nullptr;
  SourceRange open = range(token());
  if (accept(TokenKind::LParen)) {
    llvm::SmallVector<Expr *, 2> bases;
    llvm::SmallVector<KeywordArg, 2> keywords;
    if (!parseArguments(bases, keywords, open))
      return nullptr;
    node->bases = copy<Expr *>(bases);
    node->keywords = copy<KeywordArg>(keywords);
  }
  ScopeInfo scope(/*isFunction=*/false);
  scopes.push_back(&scope);
  bool ok = parseBlock(node->body, "the header of the class");
  scopes.pop_back();
  if (!ok)
    return nullptr;
  node->range = since(begin);
  return node;
}

/// `[T: bound = default, *Ts, **P]`: read and forgotten.
bool Parser::parseTypeParameters() {
  SourceRange open = range(token());
  if (!accept(TokenKind::LBracket))
    return true;
  while (!at(TokenKind::RBracket)) {
    if (!accept(TokenKind::Star))
      accept(TokenKind::DoubleStar);
    if (!at(TokenKind::Name)) {
      failExpected("a type parameter");
      return false;
    }
    advance();
    if (accept(TokenKind::Colon) && !parseTest())
      return false;
    if (accept(TokenKind::Equal) && !parseStarredOrNamed())
      return false;
    if (!accept(TokenKind::Comma))
      break;
  }
  return expectClose(TokenKind::RBracket, open);
}

/// Parameters up to, not including, `close`.
bool Parser::parseParameters(llvm::SmallVectorImpl<Parameter> &params,
                             TokenKind close, bool annotations) {
  llvm::DenseSet<const char *> names;
  bool afterStar = false, sawSlash = false, sawKeywords = false;
  bool sawDefault = false, bareStar = false;
  SourceRange starRange;
  while (!at(close)) {
    Parameter param;
    if (sawKeywords)
      return fail(range(token()), "no parameter can follow the '**' one");
    if (at(TokenKind::Slash)) {
      if (sawSlash || afterStar || params.empty())
        return fail(range(token()),
                    "'/' stands once, after the positional-only parameters");
      sawSlash = true;
      for (Parameter &earlier : params)
        earlier.kind = Parameter::Kind::PositionalOnly;
      advance();
      if (!accept(TokenKind::Comma))
        break;
      continue;
    }
    if (at(TokenKind::Star)) {
      if (afterStar)
        return fail(range(token()), "'*' can stand only once");
      afterStar = true;
      starRange = range(token());
      advance();
      if (at(TokenKind::Comma)) {
        advance();
        bareStar = true;
        continue;
      }
      param.kind = Parameter::Kind::VarArgs;
    } else if (at(TokenKind::DoubleStar)) {
      advance();
      sawKeywords = true;
      param.kind = Parameter::Kind::VarKeywords;
    } else if (afterStar) {
      param.kind = Parameter::Kind::KeywordOnly;
    }
    if (!at(TokenKind::Name))
      return failExpected("the name of a parameter");
    param.name = intern(text(token()));
    param.range = range(token());
    if (!names.insert(param.name.data()).second)
      return fail(param.range,
                  "the parameter '" + param.name + "' appears twice");
    advance();
    if (annotations && accept(TokenKind::Colon)) {
      param.annotation = param.kind == Parameter::Kind::VarArgs
                             ? parseStarredOrNamed()
                             : parseTest();
      if (!param.annotation)
        return false;
    }
    bool plain = param.kind == Parameter::Kind::Normal;
    bool canDefault = plain || param.kind == Parameter::Kind::KeywordOnly;
    if (at(TokenKind::Equal)) {
      if (!canDefault)
        return fail(range(token()), "a '*' parameter has no default");
      advance();
      param.defaultValue = parseTest();
      if (!param.defaultValue)
        return false;
      sawDefault |= plain;
    } else if (plain && sawDefault) {
      return fail(param.range, "the parameter '" + param.name +
                                   "' without a default follows one with a "
                                   "default");
    }
    if (param.kind != Parameter::Kind::VarKeywords)
      bareStar = false;
    params.push_back(param);
    if (!accept(TokenKind::Comma))
      break;
  }
  if (bareStar)
    return fail(starRange, "a parameter must follow a bare '*'");
  return true;
}

//===----------------------------------------------------------------------===//
// match
//===----------------------------------------------------------------------===//

/// `match` is a name unless a subject, ':' and a block of cases follow.
bool Parser::atMatchStatement() {
  size_t savedPos = pos;
  uint32_t savedEnd = lastEnd;
  bool outer = speculating;
  speculating = true;
  advance();
  bool result = startsExpression() || at(TokenKind::Star);
  if (result) {
    result = parseExpressionList(/*named=*/true) != nullptr;
    result = result && accept(TokenKind::Colon) && accept(TokenKind::Newline) &&
             accept(TokenKind::Indent) && atName("case");
  }
  speculating = outer;
  failed = false;
  pos = savedPos;
  lastEnd = savedEnd;
  return result;
}

Stmt *Parser::parseMatch() {
  SourceLoc begin = here();
  advance();
  Expr *subject = parseExpressionList(/*named=*/true);
  if (!subject)
    return nullptr;
  advance(); // ':', the end of the line and the indentation: atMatchStatement
  advance(); // saw them.
  advance();
  llvm::SmallVector<MatchStmt::Case, 4> cases;
  while (!at(TokenKind::Dedent) && !at(TokenKind::EndOfFile)) {
    MatchStmt::Case clause;
    bool ok = atName("case");
    if (!ok)
      failExpected("'case'");
    if (ok) {
      advance();
      clause.pattern = parsePatternList();
      ok = clause.pattern != nullptr;
    }
    if (ok && accept(TokenKind::KwIf)) {
      clause.guard = parseNamedTest();
      ok = clause.guard != nullptr;
    }
    if (ok)
      ok = parseBlock(clause.body, "the pattern of 'case'");
    if (ok) {
      cases.push_back(clause);
      continue;
    }
    const SyntaxError *error = recover();
    llvm::SmallVector<Stmt *, 4> body;
    body.push_back(make<ErrorStmt>(error->range, error));
    if (accept(TokenKind::Indent)) {
      parseStatements(body);
      accept(TokenKind::Dedent);
      failed = false;
    }
    clause.pattern = makePattern(Pattern::Kind::Capture, begin);
    clause.pattern->name = "_";
    clause.body = copy<Stmt *>(body);
    cases.push_back(clause);
  }
  accept(TokenKind::Dedent);
  return make<MatchStmt>(since(begin), subject, copy<MatchStmt::Case>(cases));
}
