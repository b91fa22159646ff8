//===- ParserImpl.h - The recursive-descent parser -------------*- C++ -*-===//
//
// One method per rule of Python's grammar. A method that fails returns null
// (or false) after fail() recorded the error; its callers just return. The
// statement level recovers: see Parser::recover.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_PARSERIMPL_H
#define NEREID_COMPILER_LANG_PARSERIMPL_H

#include "compiler/Lang/Lexer.h"
#include "compiler/Lang/Parser.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"

namespace nereid::lang {

class Parser {
public:
  Parser(const SourceFile &file, ASTContext &context);
  ModuleAST parseFile();
  Expr *parseSingleExpression(const SyntaxError *&error);

private:
  //--- Tokens (Parser.cpp) ----------------------------------------------------
  const Token &token(unsigned ahead = 0) const {
    size_t i = pos + ahead;
    return stream
        .tokens[i < stream.tokens.size() ? i : stream.tokens.size() - 1];
  }
  TokenKind kind(unsigned ahead = 0) const { return token(ahead).kind; }
  bool at(TokenKind k) const { return kind() == k; }
  bool atName(llvm::StringRef name) const {
    return at(TokenKind::Name) && text(token()) == name;
  }
  void advance() {
    if (kind() > TokenKind::Dedent) // Blanks are part of no statement.
      lastEnd = token().end;
    if (pos + 1 < stream.tokens.size())
      ++pos;
  }
  bool accept(TokenKind k) {
    if (!at(k))
      return false;
    advance();
    return true;
  }
  llvm::StringRef text(const Token &t) const {
    return file.getText().slice(t.begin, t.end);
  }
  SourceRange range(const Token &t) const {
    return {file.getLoc(t.begin), file.getLoc(t.end)};
  }
  SourceLoc here() const { return file.getLoc(token().begin); }
  /// From a position to the end of the last token consumed.
  SourceRange since(SourceLoc begin) const {
    return {begin, file.getLoc(lastEnd)};
  }
  llvm::StringRef intern(llvm::StringRef name) { return context.intern(name); }

  //--- Errors -----------------------------------------------------------------
  /// What a rule returns when it fails: null or false.
  struct Failure {
    operator bool() const { return false; }
    template <typename T> operator T *() const { return nullptr; }
  };
  /// Records an error (the first of its statement only).
  Failure fail(SourceRange range, const llvm::Twine &message,
               SourceRange noteRange = {}, const llvm::Twine &note = "");
  /// "expected WHAT, found ..." at the current token.
  Failure failExpected(const llvm::Twine &what, SourceRange noteRange = {},
                       const llvm::Twine &note = "");
  bool expect(TokenKind k, const llvm::Twine &where);
  /// The closing bracket of one opened at `open`.
  bool expectClose(TokenKind k, SourceRange open);
  const SyntaxError *recover();
  const SyntaxError *commitError();

  struct DepthGuard {
    explicit DepthGuard(Parser &parser) : parser(parser) { ++parser.depth; }
    ~DepthGuard() { --parser.depth; }
    Parser &parser;
  };
  bool tooDeep();

  //--- Scopes -----------------------------------------------------------------
  struct ScopeInfo {
    bool isFunction;
    bool isGenerator = false;
    llvm::SmallVector<llvm::StringRef, 16> locals;
    llvm::DenseSet<const char *> known;    ///< locals, by interned pointer
    llvm::DenseSet<const char *> declared; ///< global and nonlocal names
    explicit ScopeInfo(bool isFunction) : isFunction(isFunction) {}
  };
  void bindName(llvm::StringRef name);
  void markGenerator();

  //--- Statements (Parser.cpp, ParserCompound.cpp) ----------------------------
  using StmtList = llvm::SmallVectorImpl<Stmt *>;
  void parseStatements(StmtList &out);
  void parseStatement(StmtList &out);
  bool parseSimpleLine(StmtList &out);
  Stmt *parseSimpleStatement();
  Stmt *parseExpressionStatement();
  Stmt *parseReturn();
  Stmt *parseRaise();
  Stmt *parseDelete();
  Stmt *parseAssert();
  Stmt *parseScopeDeclaration(bool isGlobal);
  Stmt *parseImport();
  Stmt *parseImportFrom();
  Stmt *parseTypeAlias();
  bool parseDottedName(llvm::StringRef &name);
  bool parseAsName(ImportAlias &alias);

  Stmt *parseCompound(bool &isCompound);
  bool parseBlock(Block &out, const llvm::Twine &after);
  Stmt *parseIf();
  Stmt *parseWhile();
  Stmt *parseFor(bool isAsync, SourceLoc begin);
  Stmt *parseWith(bool isAsync, SourceLoc begin);
  bool parseWithItems(llvm::SmallVectorImpl<WithStmt::Item> &items,
                      bool parenthesized);
  Stmt *parseTry();
  Stmt *parseDecorated();
  Stmt *parseFunction(SourceLoc begin, llvm::ArrayRef<Expr *> decorators,
                      bool isAsync, size_t firstError);
  bool parseFunctionHeader(FunctionDef &function);
  Stmt *parseClass(SourceLoc begin, llvm::ArrayRef<Expr *> decorators);
  bool parseTypeParameters();
  bool parseParameters(llvm::SmallVectorImpl<Parameter> &params,
                       TokenKind close, bool annotations);
  bool atMatchStatement();
  Stmt *parseMatch();

  //--- Patterns (ParserPattern.cpp) -------------------------------------------
  Pattern *parsePatternList();
  Pattern *parsePattern();
  Pattern *parseOrPattern();
  Pattern *parseClosedPattern();
  Pattern *parseSequencePattern(TokenKind close, bool isGroup);
  Pattern *parseMappingPattern();
  Pattern *parseClassPattern(Expr *callee);
  Pattern *parseStarPattern();
  Pattern *makePattern(Pattern::Kind kind, SourceLoc begin);

  //--- Expressions (ParserExpr.cpp) -------------------------------------------
  Expr *parseTest();
  Expr *parseNamedTest();
  Expr *parseLambda();
  Expr *parseOr();
  Expr *parseAnd();
  Expr *parseNot();
  Expr *parseComparison();
  Expr *parseBinary(unsigned minPrecedence);
  Expr *parseUnary();
  Expr *parsePower();
  Expr *parsePostfix();
  Expr *parseAtom();
  Expr *parseParens();
  Expr *parseListDisplay();
  Expr *parseBraces();
  Expr *parseYield();
  Expr *parseSubscriptIndex();
  Expr *parseSliceItem();
  Expr *parseCall(Expr *callee);
  bool parseArguments(llvm::SmallVectorImpl<Expr *> &args,
                      llvm::SmallVectorImpl<KeywordArg> &keywords,
                      SourceRange open);
  Expr *parseComprehension(ComprehensionExpr::Form form, SourceLoc begin,
                           Expr *element, Expr *value);
  /// `a`, `a, b`, `*a, b`; `named` allows `:=` in the elements.
  Expr *parseExpressionList(bool named = false);
  Expr *parseYieldOrList();
  Expr *parseStarredOrNamed();
  /// Targets of `for` and comprehensions: stops before `in`.
  Expr *parseTargetList();
  bool startsExpression() const;

  /// Checks that it can be assigned to (or deleted) and binds its names.
  bool checkTarget(Expr *expr, llvm::StringRef verb, bool allowTuple = true);

  //--- Literals (ParserString.cpp) --------------------------------------------
  Expr *parseNumber();
  Expr *parseStrings();
  bool parseFString(llvm::SmallVectorImpl<JoinedString::Part> &parts);
  bool parseReplacementField(llvm::SmallVectorImpl<JoinedString::Part> &parts,
                             bool raw);
  Expr *parseFormatSpec(bool raw);
  bool decodeString(llvm::StringRef body, bool raw, bool bytes, bool isFString,
                    std::string &out);

  //--- Making nodes -----------------------------------------------------------
  template <typename T, typename... Args> T *make(Args &&...args) {
    return context.create<T>(std::forward<Args>(args)...);
  }
  template <typename T> llvm::ArrayRef<T> copy(llvm::ArrayRef<T> items) {
    return context.copy(items);
  }
  /// Sets the height of `expr` from its children; null when it is too high.
  Expr *finish(Expr *expr, llvm::ArrayRef<Expr *> children);
  Expr *finish(Expr *expr, llvm::ArrayRef<Expr *> children,
               llvm::ArrayRef<Expr *> more);
  static unsigned heightOf(llvm::ArrayRef<Expr *> exprs);

  const SourceFile &file;
  ASTContext &context;
  TokenStream stream;
  size_t pos = 0;
  uint32_t lastEnd = 0;
  unsigned depth = 0;
  bool speculating = false;
  bool failed = false;
  SyntaxError pending;
  std::vector<const SyntaxError *> errors;
  std::vector<const SyntaxError *> moduleErrors;
  unsigned functionDepth = 0;
  std::vector<ScopeInfo *> scopes;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_PARSERIMPL_H
