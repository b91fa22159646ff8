//===- Parser.cpp - Parser: tokens, errors, simple statements -------------===//

#include "compiler/Lang/ParserImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

/// Further errors of one file are dropped: it is no Python at all.
static constexpr size_t kMaxSyntaxErrors = 1000;
static constexpr unsigned kMaxParseDepth = 400;

Parser::Parser(const SourceFile &file, ASTContext &context)
    : file(file), context(context), stream(tokenize(file)) {}

ModuleAST nereid::lang::parseModule(const SourceFile &file,
                                    ASTContext &context) {
  return Parser(file, context).parseFile();
}

Expr *nereid::lang::parseExpression(const SourceFile &file, ASTContext &context,
                                    const SyntaxError *&error) {
  return Parser(file, context).parseSingleExpression(error);
}

void nereid::lang::report(const SyntaxError &error, DiagnosticEngine &diags) {
  InFlightDiag diag = diags.error(error.range, error.message);
  if (!error.note.empty())
    diag.note(error.noteRange, error.note);
}

ModuleAST Parser::parseFile() {
  llvm::SmallVector<Stmt *, 64> body;
  while (!at(TokenKind::EndOfFile)) {
    parseStatements(body);
    // A dedent without a block to end cannot occur, but never loop on one.
    accept(TokenKind::Dedent);
  }
  ModuleAST module;
  module.file = &file;
  module.body = copy<Stmt *>(body);
  module.errors = copy<const SyntaxError *>(errors);
  module.moduleErrors = copy<const SyntaxError *>(moduleErrors);
  return module;
}

Expr *Parser::parseSingleExpression(const SyntaxError *&error) {
  error = nullptr;
  Expr *expr = nullptr;
  if (at(TokenKind::Indent))
    advance();
  if (at(TokenKind::EndOfFile))
    failExpected("an expression");
  else
    expr = parseExpressionList();
  if (expr) {
    while (at(TokenKind::Newline) || at(TokenKind::Dedent))
      advance();
    if (!at(TokenKind::EndOfFile))
      failExpected("the end of the expression");
  }
  if (!failed)
    return expr;
  error = commitError();
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

Parser::Failure Parser::fail(SourceRange where, const llvm::Twine &message,
                             SourceRange noteRange, const llvm::Twine &note) {
  if (failed)
    return {};
  failed = true;
  if (speculating)
    return {};
  pending.range = where;
  pending.message = intern(message.str());
  pending.noteRange = noteRange;
  pending.note = intern(note.str());
  return {};
}

Parser::Failure Parser::failExpected(const llvm::Twine &what,
                                     SourceRange noteRange,
                                     const llvm::Twine &note) {
  if (at(TokenKind::Error)) {
    const LexError &error = stream.errors.find(pos)->second;
    return fail(range(token()), error.message, error.noteRange, error.note);
  }
  std::string found;
  if (at(TokenKind::Name) || at(TokenKind::Int) || at(TokenKind::Float))
    found = "'" + text(token()).str() + "'";
  else
    found = describe(kind()).str();
  // At the end of a line, point behind the last word and not at the void.
  SourceRange where = range(token());
  if (at(TokenKind::Newline) || at(TokenKind::EndOfFile) ||
      at(TokenKind::Dedent))
    where = SourceRange(file.getLoc(std::min(lastEnd, token().begin)));
  return fail(where, "expected " + what + ", found " + found, noteRange, note);
}

bool Parser::expect(TokenKind k, const llvm::Twine &where) {
  if (accept(k))
    return true;
  std::string message = describe(k).str();
  if (!where.isTriviallyEmpty())
    message += " " + where.str();
  if (k == TokenKind::Colon && at(TokenKind::Equal)) {
    fail(range(token()),
         "expected " + message + ", found '='; a comparison is written '=='");
    return false;
  }
  failExpected(message);
  return false;
}

bool Parser::expectClose(TokenKind k, SourceRange open) {
  if (accept(k))
    return true;
  failExpected(describe(k), open, "to match this");
  return false;
}

bool Parser::tooDeep() {
  if (depth <= kMaxParseDepth)
    return false;
  fail(range(token()), "expressions are nested more than " +
                           llvm::Twine(kMaxParseDepth) + " deep");
  return true;
}

const SyntaxError *Parser::commitError() {
  failed = false;
  if (errors.size() >= kMaxSyntaxErrors)
    return errors.back();
  auto *error = make<SyntaxError>(pending);
  errors.push_back(error);
  if (functionDepth == 0)
    moduleErrors.push_back(error);
  return error;
}

/// Skips the rest of the broken line. Its error is the pending one, unless a
/// bracket that was left open explains it better.
const SyntaxError *Parser::recover() {
  while (!at(TokenKind::Newline) && !at(TokenKind::EndOfFile) &&
         !at(TokenKind::Indent) && !at(TokenKind::Dedent)) {
    if (at(TokenKind::Error)) {
      const LexError &error = stream.errors.find(pos)->second;
      if (error.unclosed && file.getLoc(token().begin) < pending.range.begin) {
        pending.range = range(token());
        pending.message = intern(error.message);
        pending.noteRange = SourceRange();
      }
    }
    advance();
  }
  accept(TokenKind::Newline);
  return commitError();
}

//===----------------------------------------------------------------------===//
// Scopes
//===----------------------------------------------------------------------===//

void Parser::bindName(llvm::StringRef name) {
  if (scopes.empty() || !scopes.back()->isFunction)
    return;
  ScopeInfo &scope = *scopes.back();
  if (!scope.declared.contains(name.data()) &&
      scope.known.insert(name.data()).second)
    scope.locals.push_back(name);
}

void Parser::markGenerator() {
  if (!scopes.empty())
    scopes.back()->isGenerator = true;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

/// Up to the end of the block or file.
void Parser::parseStatements(StmtList &out) {
  while (!at(TokenKind::Dedent) && !at(TokenKind::EndOfFile))
    parseStatement(out);
}

void Parser::parseStatement(StmtList &out) {
  if (accept(TokenKind::Newline))
    return;
  SourceLoc begin = here();
  if (at(TokenKind::Indent)) {
    // The statements themselves are fine: keep them.
    fail(range(token(1)), "this line is indented more than the one before, "
                          "but no block begins here");
    advance();
    out.push_back(make<ErrorStmt>(SourceRange(begin), commitError()));
    parseStatements(out);
    accept(TokenKind::Dedent);
    return;
  }
  failed = false;
  bool isCompound = false;
  size_t start = pos;
  Stmt *stmt = parseCompound(isCompound);
  if (!isCompound) {
    if (parseSimpleLine(out))
      return;
  } else if (stmt) {
    out.push_back(stmt);
    if (!failed)
      return;
  }
  if (pos == start)
    advance();
  const SyntaxError *error = recover();
  out.push_back(make<ErrorStmt>(since(begin), error));
  // The block of a broken header: its statements are kept in place, so that
  // functions within it are found.
  if (accept(TokenKind::Indent)) {
    parseStatements(out);
    accept(TokenKind::Dedent);
  }
}

/// `a; b; c` and the end of the line.
bool Parser::parseSimpleLine(StmtList &out) {
  while (true) {
    Stmt *stmt = parseSimpleStatement();
    if (!stmt)
      return false;
    out.push_back(stmt);
    if (!accept(TokenKind::Semicolon))
      break;
    if (at(TokenKind::Newline))
      break;
  }
  if (accept(TokenKind::Newline) || at(TokenKind::EndOfFile))
    return true;
  failExpected("the end of the statement");
  return false;
}

Stmt *Parser::parseSimpleStatement() {
  const Token &first = token();
  switch (first.kind) {
  case TokenKind::KwPass:
    advance();
    return make<PassStmt>(range(first));
  case TokenKind::KwBreak:
    advance();
    return make<BreakStmt>(range(first));
  case TokenKind::KwContinue:
    advance();
    return make<ContinueStmt>(range(first));
  case TokenKind::KwReturn:
    return parseReturn();
  case TokenKind::KwRaise:
    return parseRaise();
  case TokenKind::KwDel:
    return parseDelete();
  case TokenKind::KwAssert:
    return parseAssert();
  case TokenKind::KwGlobal:
    return parseScopeDeclaration(/*isGlobal=*/true);
  case TokenKind::KwNonlocal:
    return parseScopeDeclaration(/*isGlobal=*/false);
  case TokenKind::KwImport:
    return parseImport();
  case TokenKind::KwFrom:
    return parseImportFrom();
  case TokenKind::KwElif:
  case TokenKind::KwElse:
  case TokenKind::KwExcept:
  case TokenKind::KwFinally:
    return fail(range(first), describe(first.kind) +
                                  llvm::Twine(" belongs to no statement before "
                                              "it (is it indented as that "
                                              "is?)"));
  default:
    break;
  }
  if (atName("type") && kind(1) == TokenKind::Name &&
      (kind(2) == TokenKind::Equal || kind(2) == TokenKind::LBracket))
    return parseTypeAlias();
  return parseExpressionStatement();
}

static std::optional<BinaryOp> augmentedOp(TokenKind kind) {
  switch (kind) {
  case TokenKind::PlusEqual:
    return BinaryOp::Add;
  case TokenKind::MinusEqual:
    return BinaryOp::Sub;
  case TokenKind::StarEqual:
    return BinaryOp::Mul;
  case TokenKind::SlashEqual:
    return BinaryOp::Div;
  case TokenKind::DoubleSlashEqual:
    return BinaryOp::FloorDiv;
  case TokenKind::PercentEqual:
    return BinaryOp::Mod;
  case TokenKind::AtEqual:
    return BinaryOp::MatMul;
  case TokenKind::AmpEqual:
    return BinaryOp::BitAnd;
  case TokenKind::PipeEqual:
    return BinaryOp::BitOr;
  case TokenKind::CaretEqual:
    return BinaryOp::BitXor;
  case TokenKind::LessLessEqual:
    return BinaryOp::LShift;
  case TokenKind::GreaterGreaterEqual:
    return BinaryOp::RShift;
  case TokenKind::DoubleStarEqual:
    return BinaryOp::Pow;
  default:
    return std::nullopt;
  }
}

/// Expression, assignment, augmented and annotated assignment.
Stmt *Parser::parseExpressionStatement() {
  SourceLoc begin = here();
  Expr *first = parseYieldOrList();
  if (!first)
    return nullptr;

  if (at(TokenKind::Colon)) {
    bool isPlain = llvm::isa<NameExpr, AttributeExpr, SubscriptExpr>(first);
    if (!isPlain)
      return failExpected("the end of the statement");
    advance();
    Expr *annotation = parseTest();
    if (!annotation)
      return nullptr;
    Expr *value = nullptr;
    if (accept(TokenKind::Equal) && !(value = parseYieldOrList()))
      return nullptr;
    if (!checkTarget(first, "assign to"))
      return nullptr;
    return make<AnnAssignStmt>(since(begin), first, annotation, value);
  }

  if (std::optional<BinaryOp> op = augmentedOp(kind())) {
    SourceRange opRange = range(token());
    advance();
    Expr *value = parseYieldOrList();
    if (!value || !checkTarget(first, "assign to", /*allowTuple=*/false))
      return nullptr;
    return make<AugAssignStmt>(since(begin), first, *op, opRange, value);
  }

  if (!at(TokenKind::Equal)) {
    const auto *name = llvm::dyn_cast<NameExpr>(first);
    if (name && (name->name == "print" || name->name == "exec") &&
        !at(TokenKind::Newline) && !at(TokenKind::Semicolon) &&
        startsExpression())
      return fail(range(token()), "expected '(' after '" + name->name +
                                      "', which is a function in Python 3");
    return make<ExprStmt>(since(begin), first);
  }

  llvm::SmallVector<Expr *, 2> targets;
  Expr *value = first;
  while (accept(TokenKind::Equal)) {
    if (!checkTarget(value, "assign to"))
      return nullptr;
    targets.push_back(value);
    value = parseYieldOrList();
    if (!value)
      return nullptr;
  }
  return make<AssignStmt>(since(begin), copy<Expr *>(targets), value);
}

Stmt *Parser::parseReturn() {
  SourceLoc begin = here();
  advance();
  Expr *value = nullptr;
  if (!at(TokenKind::Newline) && !at(TokenKind::Semicolon) &&
      !at(TokenKind::EndOfFile) && !(value = parseExpressionList()))
    return nullptr;
  return make<ReturnStmt>(since(begin), value);
}

Stmt *Parser::parseRaise() {
  SourceLoc begin = here();
  advance();
  Expr *exception = nullptr, *cause = nullptr;
  if (!at(TokenKind::Newline) && !at(TokenKind::Semicolon) &&
      !at(TokenKind::EndOfFile)) {
    if (!(exception = parseTest()))
      return nullptr;
    if (accept(TokenKind::KwFrom) && !(cause = parseTest()))
      return nullptr;
  }
  return make<RaiseStmt>(since(begin), exception, cause);
}

Stmt *Parser::parseDelete() {
  SourceLoc begin = here();
  advance();
  Expr *list = parseExpressionList();
  if (!list || !checkTarget(list, "delete"))
    return nullptr;
  auto *tuple = llvm::dyn_cast<TupleExpr>(list);
  llvm::ArrayRef<Expr *> targets =
      tuple ? tuple->elements : copy<Expr *>({list});
  return make<DeleteStmt>(since(begin), targets);
}

Stmt *Parser::parseAssert() {
  SourceLoc begin = here();
  advance();
  Expr *test = parseTest(), *message = nullptr;
  if (!test || (accept(TokenKind::Comma) && !(message = parseTest())))
    return nullptr;
  return make<AssertStmt>(since(begin), test, message);
}

Stmt *Parser::parseScopeDeclaration(bool isGlobal) {
  SourceLoc begin = here();
  advance();
  llvm::SmallVector<llvm::StringRef, 4> names;
  do {
    if (!at(TokenKind::Name))
      return failExpected("a name");
    names.push_back(intern(text(token())));
    if (!scopes.empty())
      scopes.back()->declared.insert(names.back().data());
    advance();
  } while (accept(TokenKind::Comma));
  llvm::ArrayRef<llvm::StringRef> copied = copy<llvm::StringRef>(names);
  if (isGlobal)
    return make<GlobalStmt>(since(begin), copied);
  return make<NonlocalStmt>(since(begin), copied);
}

bool Parser::parseDottedName(llvm::StringRef &name) {
  if (!at(TokenKind::Name)) {
    failExpected("the name of a module");
    return false;
  }
  std::string dotted = text(token()).str();
  advance();
  while (accept(TokenKind::Dot)) {
    if (!at(TokenKind::Name)) {
      failExpected("a name after '.'");
      return false;
    }
    dotted += "." + text(token()).str();
    advance();
  }
  name = intern(dotted);
  return true;
}

bool Parser::parseAsName(ImportAlias &alias) {
  if (!accept(TokenKind::KwAs))
    return true;
  if (!at(TokenKind::Name)) {
    failExpected("a name after 'as'");
    return false;
  }
  alias.asName = intern(text(token()));
  advance();
  return true;
}

Stmt *Parser::parseImport() {
  SourceLoc begin = here();
  advance();
  llvm::SmallVector<ImportAlias, 2> names;
  do {
    ImportAlias alias;
    SourceLoc aliasBegin = here();
    if (!parseDottedName(alias.name) || !parseAsName(alias))
      return nullptr;
    alias.range = since(aliasBegin);
    bindName(alias.asName.empty() ? intern(alias.name.split('.').first)
                                  : alias.asName);
    names.push_back(alias);
  } while (accept(TokenKind::Comma));
  return make<ImportStmt>(since(begin), copy<ImportAlias>(names));
}

Stmt *Parser::parseImportFrom() {
  SourceLoc begin = here();
  advance();
  unsigned level = 0;
  SourceLoc moduleBegin = here();
  while (at(TokenKind::Dot) || at(TokenKind::Ellipsis)) {
    level += at(TokenKind::Dot) ? 1 : 3;
    advance();
  }
  llvm::StringRef module;
  if ((level == 0 || !at(TokenKind::KwImport)) && !parseDottedName(module))
    return nullptr;
  SourceRange moduleRange = since(moduleBegin);
  if (!expect(TokenKind::KwImport, "after the module"))
    return nullptr;
  llvm::SmallVector<ImportAlias, 4> names;
  if (at(TokenKind::Star)) {
    names.push_back({"*", "", range(token())});
    advance();
  } else {
    SourceRange open = range(token());
    bool parens = accept(TokenKind::LParen);
    while (true) {
      ImportAlias alias;
      SourceLoc aliasBegin = here();
      if (!at(TokenKind::Name))
        return failExpected("a name to import");
      alias.name = intern(text(token()));
      advance();
      if (!parseAsName(alias))
        return nullptr;
      alias.range = since(aliasBegin);
      bindName(alias.asName.empty() ? alias.name : alias.asName);
      names.push_back(alias);
      if (!accept(TokenKind::Comma))
        break;
      if (parens && at(TokenKind::RParen))
        break;
    }
    if (parens && !expectClose(TokenKind::RParen, open))
      return nullptr;
  }
  return make<ImportFromStmt>(since(begin), module, moduleRange, level,
                              copy<ImportAlias>(names));
}

Stmt *Parser::parseTypeAlias() {
  SourceLoc begin = here();
  advance();
  llvm::StringRef name = intern(text(token()));
  advance();
  if (!parseTypeParameters() || !expect(TokenKind::Equal, ""))
    return nullptr;
  Expr *value = parseTest();
  if (!value)
    return nullptr;
  bindName(name);
  return make<TypeAliasStmt>(since(begin), name, value);
}
