//===- AST.h - Syntax tree of a Python file --------------------*- C++ -*-===//
//
// The nodes follow Python's own `ast` module in names and shape, so whoever
// knows that knows this. Differences, all for the reader's sake:
//   * `elif` chains are flat (IfStmt::clauses);
//   * a syntax error leaves an ErrorStmt where the statement was, and the
//     functions around it know of it (FunctionDef::errors), so one broken
//     function does not lose the others;
//   * constants are one node per kind (IntLiteral, StringLiteral ...).
//
// Nodes live in an arena (ASTContext), are never freed one by one, are
// immutable once parsed, and hold only trivially destructible members:
// llvm::ArrayRef into the arena, interned llvm::StringRef names.
// llvm::isa/cast/dyn_cast work on Expr and Stmt. Expression trees are at most
// kMaxExprHeight high and statements kMaxBlockDepth deep, so a recursive walk
// is safe.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_AST_H
#define NEREID_COMPILER_LANG_AST_H

#include "compiler/Lang/SourceManager.h"

#include "llvm/ADT/APInt.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/StringSaver.h"

#include <string>

namespace nereid::lang {

constexpr unsigned kMaxExprHeight = 400;
constexpr unsigned kMaxBlockDepth = 100;

class Expr;
class Stmt;
class FunctionDef;

/// Something the parser could not read. Reported when it matters: see
/// FunctionDef::errors and ModuleAST::errors.
struct SyntaxError {
  SourceRange range;
  llvm::StringRef message;
  SourceRange noteRange; ///< valid when there is a note
  llvm::StringRef note;
};

/// Owns the nodes, names and literal texts of any number of files.
class ASTContext {
public:
  template <typename T, typename... Args> T *create(Args &&...args) {
    static_assert(std::is_trivially_destructible_v<T>,
                  "arena nodes are never destroyed");
    return new (allocator.Allocate<T>()) T(std::forward<Args>(args)...);
  }
  template <typename T> llvm::ArrayRef<T> copy(llvm::ArrayRef<T> items) {
    return items.copy(allocator);
  }
  /// The one copy of a text: equal names have equal data pointers.
  llvm::StringRef intern(llvm::StringRef text) { return saver.save(text); }

private:
  llvm::BumpPtrAllocator allocator;
  llvm::UniqueStringSaver saver{allocator};
};

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

enum class BinaryOp : uint8_t {
  Add,
  Sub,
  Mul,
  MatMul,
  Div,
  FloorDiv,
  Mod,
  Pow,
  LShift,
  RShift,
  BitOr,
  BitXor,
  BitAnd,
};
enum class UnaryOp : uint8_t { Not, Invert, Plus, Minus };
enum class BoolOp : uint8_t { And, Or };
enum class CompareOp : uint8_t {
  Eq,
  NotEq,
  Lt,
  LtE,
  Gt,
  GtE,
  Is,
  IsNot,
  In,
  NotIn,
};

/// The source spelling: "+", "//", "not", "is not" ...
llvm::StringRef spelling(BinaryOp op);
llvm::StringRef spelling(UnaryOp op);
llvm::StringRef spelling(BoolOp op);
llvm::StringRef spelling(CompareOp op);

class Expr {
public:
  enum class Kind : uint8_t {
    Name,
    NoneLiteral,
    BoolLiteral,
    EllipsisLiteral,
    IntLiteral,
    FloatLiteral,
    ImaginaryLiteral,
    StringLiteral,
    BytesLiteral,
    JoinedString,
    Attribute,
    Subscript,
    Slice,
    Call,
    Binary,
    Unary,
    Boolean,
    Compare,
    Conditional,
    Lambda,
    Tuple,
    List,
    Set,
    Dict,
    Comprehension,
    Starred,
    NamedExpr,
    Await,
    Yield,
    YieldFrom,
  };
  Kind getKind() const { return kind; }
  SourceRange getRange() const { return range; }
  SourceLoc getLoc() const { return range.begin; }
  /// 1 for a leaf.
  unsigned getHeight() const { return height; }

protected:
  Expr(Kind kind, SourceRange range) : range(range), kind(kind) {}

private:
  friend class Parser;
  SourceRange range;
  Kind kind;

public:
  bool parenthesized = false; ///< `(x)`: the range excludes the parentheses

private:
  uint16_t height = 1;
};

#define NEREID_EXPR_CLASSOF(NAME)                                              \
  static bool classof(const Expr *expr) {                                      \
    return expr->getKind() == Kind::NAME;                                      \
  }

class NameExpr : public Expr {
public:
  NameExpr(SourceRange range, llvm::StringRef name)
      : Expr(Kind::Name, range), name(name) {}
  llvm::StringRef name;
  NEREID_EXPR_CLASSOF(Name)
};

class NoneLiteral : public Expr {
public:
  explicit NoneLiteral(SourceRange range) : Expr(Kind::NoneLiteral, range) {}
  NEREID_EXPR_CLASSOF(NoneLiteral)
};

class BoolLiteral : public Expr {
public:
  BoolLiteral(SourceRange range, bool value)
      : Expr(Kind::BoolLiteral, range), value(value) {}
  bool value;
  NEREID_EXPR_CLASSOF(BoolLiteral)
};

class EllipsisLiteral : public Expr {
public:
  explicit EllipsisLiteral(SourceRange range)
      : Expr(Kind::EllipsisLiteral, range) {}
  NEREID_EXPR_CLASSOF(EllipsisLiteral)
};

/// A non-negative integer literal of any size, as 64-bit words, least
/// significant first (one word for nearly all).
class IntLiteral : public Expr {
public:
  IntLiteral(SourceRange range, llvm::ArrayRef<uint64_t> words)
      : Expr(Kind::IntLiteral, range), words(words) {}
  /// True when it is below 2^127, the range of compile-time integers.
  bool fitsInt128() const {
    return words.size() < 2 || (words.size() == 2 && !(words[1] >> 63));
  }
  __int128 getInt128() const {
    unsigned __int128 value = words.empty() ? 0 : words[0];
    if (words.size() > 1)
      value |= static_cast<unsigned __int128>(words[1]) << 64;
    return static_cast<__int128>(value);
  }
  llvm::ArrayRef<uint64_t> words;
  NEREID_EXPR_CLASSOF(IntLiteral)
};

class FloatLiteral : public Expr {
public:
  FloatLiteral(SourceRange range, double value)
      : Expr(Kind::FloatLiteral, range), value(value) {}
  double value; ///< infinity when the literal is too large, as in Python
  NEREID_EXPR_CLASSOF(FloatLiteral)
};

/// `2j`: host code only.
class ImaginaryLiteral : public Expr {
public:
  ImaginaryLiteral(SourceRange range, double value)
      : Expr(Kind::ImaginaryLiteral, range), value(value) {}
  double value;
  NEREID_EXPR_CLASSOF(ImaginaryLiteral)
};

/// One string after concatenation and escape processing, UTF-8.
class StringLiteral : public Expr {
public:
  StringLiteral(SourceRange range, llvm::StringRef value)
      : Expr(Kind::StringLiteral, range), value(value) {}
  llvm::StringRef value;
  NEREID_EXPR_CLASSOF(StringLiteral)
};

class BytesLiteral : public Expr {
public:
  BytesLiteral(SourceRange range, llvm::StringRef value)
      : Expr(Kind::BytesLiteral, range), value(value) {}
  llvm::StringRef value;
  NEREID_EXPR_CLASSOF(BytesLiteral)
};

/// An f-string, or a concatenation with one in it. A part is either literal
/// text (`expr` null) or a replacement field.
class JoinedString : public Expr {
public:
  struct Part {
    llvm::StringRef text;      ///< literal text
    Expr *expr = nullptr;      ///< `{expr}`
    char conversion = 0;       ///< 'r', 's', 'a' or 0
    Expr *format = nullptr;    ///< after ':', a StringLiteral or JoinedString
    llvm::StringRef debugText; ///< `{expr=}`: the text up to and with '='
  };
  JoinedString(SourceRange range, llvm::ArrayRef<Part> parts)
      : Expr(Kind::JoinedString, range), parts(parts) {}
  llvm::ArrayRef<Part> parts;
  NEREID_EXPR_CLASSOF(JoinedString)
};

class AttributeExpr : public Expr {
public:
  AttributeExpr(SourceRange range, Expr *value, llvm::StringRef attr,
                SourceRange attrRange)
      : Expr(Kind::Attribute, range), value(value), attr(attr),
        attrRange(attrRange) {}
  Expr *value;
  llvm::StringRef attr;
  SourceRange attrRange;
  NEREID_EXPR_CLASSOF(Attribute)
};

/// `value[index]`; `index` is a TupleExpr for `x[a, b]`, and its elements may
/// be SliceExpr.
class SubscriptExpr : public Expr {
public:
  SubscriptExpr(SourceRange range, Expr *value, Expr *index)
      : Expr(Kind::Subscript, range), value(value), index(index) {}
  Expr *value;
  Expr *index;
  NEREID_EXPR_CLASSOF(Subscript)
};

/// `lower:upper:step`, each may be null; only inside a subscript.
class SliceExpr : public Expr {
public:
  SliceExpr(SourceRange range, Expr *lower, Expr *upper, Expr *step)
      : Expr(Kind::Slice, range), lower(lower), upper(upper), step(step) {}
  Expr *lower;
  Expr *upper;
  Expr *step;
  NEREID_EXPR_CLASSOF(Slice)
};

/// `name=value`, or `**value` when the name is empty.
struct KeywordArg {
  llvm::StringRef name;
  Expr *value = nullptr;
  SourceRange range;
};

/// `args` may hold StarredExpr.
class CallExpr : public Expr {
public:
  CallExpr(SourceRange range, Expr *callee, llvm::ArrayRef<Expr *> args,
           llvm::ArrayRef<KeywordArg> keywords)
      : Expr(Kind::Call, range), callee(callee), args(args),
        keywords(keywords) {}
  Expr *callee;
  llvm::ArrayRef<Expr *> args;
  llvm::ArrayRef<KeywordArg> keywords;
  NEREID_EXPR_CLASSOF(Call)
};

class BinaryExpr : public Expr {
public:
  BinaryExpr(SourceRange range, BinaryOp op, SourceRange opRange, Expr *lhs,
             Expr *rhs)
      : Expr(Kind::Binary, range), op(op), opRange(opRange), lhs(lhs),
        rhs(rhs) {}
  BinaryOp op;
  SourceRange opRange;
  Expr *lhs;
  Expr *rhs;
  NEREID_EXPR_CLASSOF(Binary)
};

class UnaryExpr : public Expr {
public:
  UnaryExpr(SourceRange range, UnaryOp op, Expr *operand)
      : Expr(Kind::Unary, range), op(op), operand(operand) {}
  UnaryOp op;
  Expr *operand;
  NEREID_EXPR_CLASSOF(Unary)
};

/// `a and b and c`: at least two operands.
class BooleanExpr : public Expr {
public:
  BooleanExpr(SourceRange range, BoolOp op, llvm::ArrayRef<Expr *> operands)
      : Expr(Kind::Boolean, range), op(op), operands(operands) {}
  BoolOp op;
  llvm::ArrayRef<Expr *> operands;
  NEREID_EXPR_CLASSOF(Boolean)
};

/// `a < b <= c`: operands.size() == ops.size() + 1; a chain when more than one
/// operator.
class CompareExpr : public Expr {
public:
  CompareExpr(SourceRange range, llvm::ArrayRef<Expr *> operands,
              llvm::ArrayRef<CompareOp> ops,
              llvm::ArrayRef<SourceRange> opRanges)
      : Expr(Kind::Compare, range), operands(operands), ops(ops),
        opRanges(opRanges) {}
  llvm::ArrayRef<Expr *> operands;
  llvm::ArrayRef<CompareOp> ops;
  llvm::ArrayRef<SourceRange> opRanges;
  NEREID_EXPR_CLASSOF(Compare)
};

/// `thenValue if condition else elseValue`
class ConditionalExpr : public Expr {
public:
  ConditionalExpr(SourceRange range, Expr *condition, Expr *thenValue,
                  Expr *elseValue)
      : Expr(Kind::Conditional, range), condition(condition),
        thenValue(thenValue), elseValue(elseValue) {}
  Expr *condition;
  Expr *thenValue;
  Expr *elseValue;
  NEREID_EXPR_CLASSOF(Conditional)
};

/// A parameter of a function or lambda.
struct Parameter {
  enum class Kind : uint8_t {
    PositionalOnly, ///< before `/`
    Normal,
    VarArgs,     ///< *args
    KeywordOnly, ///< after `*` or *args
    VarKeywords, ///< **kwargs
  };
  llvm::StringRef name;
  SourceRange range; ///< the name alone
  Kind kind = Kind::Normal;
  Expr *annotation = nullptr;   ///< may be null
  Expr *defaultValue = nullptr; ///< may be null
};

class LambdaExpr : public Expr {
public:
  LambdaExpr(SourceRange range, llvm::ArrayRef<Parameter> params, Expr *body)
      : Expr(Kind::Lambda, range), params(params), body(body) {}
  llvm::ArrayRef<Parameter> params;
  Expr *body;
  NEREID_EXPR_CLASSOF(Lambda)
};

class TupleExpr : public Expr {
public:
  TupleExpr(SourceRange range, llvm::ArrayRef<Expr *> elements)
      : Expr(Kind::Tuple, range), elements(elements) {}
  llvm::ArrayRef<Expr *> elements; ///< may hold StarredExpr, and SliceExpr
                                   ///< when it is an index
  NEREID_EXPR_CLASSOF(Tuple)
};

class ListExpr : public Expr {
public:
  ListExpr(SourceRange range, llvm::ArrayRef<Expr *> elements)
      : Expr(Kind::List, range), elements(elements) {}
  llvm::ArrayRef<Expr *> elements;
  NEREID_EXPR_CLASSOF(List)
};

class SetExpr : public Expr {
public:
  SetExpr(SourceRange range, llvm::ArrayRef<Expr *> elements)
      : Expr(Kind::Set, range), elements(elements) {}
  llvm::ArrayRef<Expr *> elements;
  NEREID_EXPR_CLASSOF(Set)
};

class DictExpr : public Expr {
public:
  struct Item {
    Expr *key = nullptr; ///< null for `**value`
    Expr *value = nullptr;
  };
  DictExpr(SourceRange range, llvm::ArrayRef<Item> items)
      : Expr(Kind::Dict, range), items(items) {}
  llvm::ArrayRef<Item> items;
  NEREID_EXPR_CLASSOF(Dict)
};

/// `for target in iterable if condition if condition`
struct ComprehensionFor {
  Expr *target = nullptr;
  Expr *iterable = nullptr;
  llvm::ArrayRef<Expr *> conditions;
  bool isAsync = false;
};

class ComprehensionExpr : public Expr {
public:
  enum class Form : uint8_t { List, Set, Dict, Generator };
  ComprehensionExpr(SourceRange range, Form form, Expr *element, Expr *value,
                    llvm::ArrayRef<ComprehensionFor> clauses)
      : Expr(Kind::Comprehension, range), form(form), element(element),
        value(value), clauses(clauses) {}
  Form form;
  Expr *element; ///< the key of a dict
  Expr *value;   ///< the value of a dict, else null
  llvm::ArrayRef<ComprehensionFor> clauses;
  NEREID_EXPR_CLASSOF(Comprehension)
};

/// `*value` in a call, display or target.
class StarredExpr : public Expr {
public:
  StarredExpr(SourceRange range, Expr *value)
      : Expr(Kind::Starred, range), value(value) {}
  Expr *value;
  NEREID_EXPR_CLASSOF(Starred)
};

/// `target := value`
class NamedExpr : public Expr {
public:
  NamedExpr(SourceRange range, NameExpr *target, Expr *value)
      : Expr(Kind::NamedExpr, range), target(target), value(value) {}
  NameExpr *target;
  Expr *value;
  NEREID_EXPR_CLASSOF(NamedExpr)
};

class AwaitExpr : public Expr {
public:
  AwaitExpr(SourceRange range, Expr *value)
      : Expr(Kind::Await, range), value(value) {}
  Expr *value;
  NEREID_EXPR_CLASSOF(Await)
};

class YieldExpr : public Expr {
public:
  YieldExpr(SourceRange range, Expr *value)
      : Expr(Kind::Yield, range), value(value) {}
  Expr *value; ///< may be null
  NEREID_EXPR_CLASSOF(Yield)
};

class YieldFromExpr : public Expr {
public:
  YieldFromExpr(SourceRange range, Expr *value)
      : Expr(Kind::YieldFrom, range), value(value) {}
  Expr *value;
  NEREID_EXPR_CLASSOF(YieldFrom)
};

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

using Block = llvm::ArrayRef<Stmt *>;

class Stmt {
public:
  enum class Kind : uint8_t {
    FunctionDef,
    ClassDef,
    Return,
    Delete,
    Assign,
    AugAssign,
    AnnAssign,
    For,
    While,
    If,
    With,
    Match,
    Raise,
    Try,
    Assert,
    Import,
    ImportFrom,
    Global,
    Nonlocal,
    Expr,
    Pass,
    Break,
    Continue,
    TypeAlias,
    Error,
  };
  Kind getKind() const { return kind; }
  /// A compound statement's range covers its body.
  SourceRange getRange() const { return range; }
  SourceLoc getLoc() const { return range.begin; }

protected:
  Stmt(Kind kind, SourceRange range) : range(range), kind(kind) {}

private:
  friend class Parser;
  SourceRange range;
  Kind kind;
};

#define NEREID_STMT_CLASSOF(NAME)                                              \
  static bool classof(const Stmt *stmt) {                                      \
    return stmt->getKind() == Kind::NAME;                                      \
  }

class FunctionDef : public Stmt {
public:
  explicit FunctionDef(SourceRange range) : Stmt(Kind::FunctionDef, range) {}
  llvm::StringRef name;
  SourceRange nameRange;
  llvm::ArrayRef<Expr *> decorators; ///< in source order, without '@'
  llvm::ArrayRef<Parameter> params;
  Expr *returns = nullptr; ///< annotation, may be null
  Block body;
  bool isAsync = false;
  bool isGenerator = false; ///< a `yield` stands in its own body
  /// Syntax errors within its header or body (nested functions included).
  /// Whoever compiles or calls the function reports these first.
  llvm::ArrayRef<const SyntaxError *> errors;
  /// Names assigned anywhere in its own body and not declared global or
  /// nonlocal, parameters included: Python's local variables. Interned.
  llvm::ArrayRef<llvm::StringRef> locals;
  NEREID_STMT_CLASSOF(FunctionDef)
};

class ClassDef : public Stmt {
public:
  explicit ClassDef(SourceRange range) : Stmt(Kind::ClassDef, range) {}
  llvm::StringRef name;
  SourceRange nameRange;
  llvm::ArrayRef<Expr *> decorators;
  llvm::ArrayRef<Expr *> bases;
  llvm::ArrayRef<KeywordArg> keywords;
  Block body;
  NEREID_STMT_CLASSOF(ClassDef)
};

class ReturnStmt : public Stmt {
public:
  ReturnStmt(SourceRange range, Expr *value)
      : Stmt(Kind::Return, range), value(value) {}
  Expr *value; ///< may be null
  NEREID_STMT_CLASSOF(Return)
};

class DeleteStmt : public Stmt {
public:
  DeleteStmt(SourceRange range, llvm::ArrayRef<Expr *> targets)
      : Stmt(Kind::Delete, range), targets(targets) {}
  llvm::ArrayRef<Expr *> targets;
  NEREID_STMT_CLASSOF(Delete)
};

/// `a = b = value`: one or more targets.
class AssignStmt : public Stmt {
public:
  AssignStmt(SourceRange range, llvm::ArrayRef<Expr *> targets, Expr *value)
      : Stmt(Kind::Assign, range), targets(targets), value(value) {}
  llvm::ArrayRef<Expr *> targets;
  Expr *value;
  NEREID_STMT_CLASSOF(Assign)
};

class AugAssignStmt : public Stmt {
public:
  AugAssignStmt(SourceRange range, Expr *target, BinaryOp op,
                SourceRange opRange, Expr *value)
      : Stmt(Kind::AugAssign, range), target(target), op(op), opRange(opRange),
        value(value) {}
  Expr *target;
  BinaryOp op;
  SourceRange opRange;
  Expr *value;
  NEREID_STMT_CLASSOF(AugAssign)
};

class AnnAssignStmt : public Stmt {
public:
  AnnAssignStmt(SourceRange range, Expr *target, Expr *annotation, Expr *value)
      : Stmt(Kind::AnnAssign, range), target(target), annotation(annotation),
        value(value) {}
  Expr *target;
  Expr *annotation;
  Expr *value; ///< may be null
  NEREID_STMT_CLASSOF(AnnAssign)
};

class ForStmt : public Stmt {
public:
  ForStmt(SourceRange range, Expr *target, Expr *iterable, Block body,
          Block orelse, bool isAsync)
      : Stmt(Kind::For, range), target(target), iterable(iterable), body(body),
        orelse(orelse), isAsync(isAsync) {}
  Expr *target;
  Expr *iterable;
  Block body;
  Block orelse;
  bool isAsync;
  NEREID_STMT_CLASSOF(For)
};

class WhileStmt : public Stmt {
public:
  WhileStmt(SourceRange range, Expr *condition, Block body, Block orelse)
      : Stmt(Kind::While, range), condition(condition), body(body),
        orelse(orelse) {}
  Expr *condition;
  Block body;
  Block orelse;
  NEREID_STMT_CLASSOF(While)
};

class IfStmt : public Stmt {
public:
  struct Clause {
    Expr *condition = nullptr;
    Block body;
    SourceRange range;
  };
  IfStmt(SourceRange range, llvm::ArrayRef<Clause> clauses, Block orelse)
      : Stmt(Kind::If, range), clauses(clauses), orelse(orelse) {}
  llvm::ArrayRef<Clause> clauses; ///< `if`, then each `elif`; at least one
  Block orelse;
  NEREID_STMT_CLASSOF(If)
};

class WithStmt : public Stmt {
public:
  struct Item {
    Expr *context = nullptr;
    Expr *target = nullptr; ///< may be null
  };
  WithStmt(SourceRange range, llvm::ArrayRef<Item> items, Block body,
           bool isAsync)
      : Stmt(Kind::With, range), items(items), body(body), isAsync(isAsync) {}
  llvm::ArrayRef<Item> items;
  Block body;
  bool isAsync;
  NEREID_STMT_CLASSOF(With)
};

/// A pattern of a `case`.
class Pattern {
public:
  enum class Kind : uint8_t {
    Value,    ///< `value`: a literal or dotted name
    Capture,  ///< `name`; "_" binds nothing
    As,       ///< patterns[0] as `name`
    Or,       ///< patterns
    Sequence, ///< patterns, may hold one Star
    Star,     ///< *`name`
    Mapping,  ///< keys, patterns; `name` is the rest, may be empty
    Class,    ///< `value`(patterns..., keywords[i]=keywordPatterns[i])
  };
  Pattern(Kind kind, SourceRange range) : kind(kind), range(range) {}
  Kind kind;
  SourceRange range;
  Expr *value = nullptr;
  llvm::StringRef name;
  llvm::ArrayRef<Pattern *> patterns;
  llvm::ArrayRef<Expr *> keys;
  llvm::ArrayRef<llvm::StringRef> keywords;
  llvm::ArrayRef<Pattern *> keywordPatterns;
};

class MatchStmt : public Stmt {
public:
  struct Case {
    Pattern *pattern = nullptr;
    Expr *guard = nullptr; ///< may be null
    Block body;
  };
  MatchStmt(SourceRange range, Expr *subject, llvm::ArrayRef<Case> cases)
      : Stmt(Kind::Match, range), subject(subject), cases(cases) {}
  Expr *subject;
  llvm::ArrayRef<Case> cases;
  NEREID_STMT_CLASSOF(Match)
};

class RaiseStmt : public Stmt {
public:
  RaiseStmt(SourceRange range, Expr *exception, Expr *cause)
      : Stmt(Kind::Raise, range), exception(exception), cause(cause) {}
  Expr *exception; ///< may be null
  Expr *cause;     ///< may be null
  NEREID_STMT_CLASSOF(Raise)
};

class TryStmt : public Stmt {
public:
  struct Handler {
    Expr *type = nullptr; ///< may be null: catches all
    llvm::StringRef name; ///< may be empty
    Block body;
    SourceRange range;
  };
  TryStmt(SourceRange range, Block body, llvm::ArrayRef<Handler> handlers,
          Block orelse, Block finalbody, bool isStar)
      : Stmt(Kind::Try, range), body(body), handlers(handlers), orelse(orelse),
        finalbody(finalbody), isStar(isStar) {}
  Block body;
  llvm::ArrayRef<Handler> handlers;
  Block orelse;
  Block finalbody;
  bool isStar;
  NEREID_STMT_CLASSOF(Try)
};

class AssertStmt : public Stmt {
public:
  AssertStmt(SourceRange range, Expr *test, Expr *message)
      : Stmt(Kind::Assert, range), test(test), message(message) {}
  Expr *test;
  Expr *message; ///< may be null
  NEREID_STMT_CLASSOF(Assert)
};

/// `name as asName` of an import.
struct ImportAlias {
  llvm::StringRef name;   ///< dotted for `import`; "*" possible for `from`
  llvm::StringRef asName; ///< empty without `as`
  SourceRange range;
};

class ImportStmt : public Stmt {
public:
  ImportStmt(SourceRange range, llvm::ArrayRef<ImportAlias> names)
      : Stmt(Kind::Import, range), names(names) {}
  llvm::ArrayRef<ImportAlias> names;
  NEREID_STMT_CLASSOF(Import)
};

class ImportFromStmt : public Stmt {
public:
  ImportFromStmt(SourceRange range, llvm::StringRef module,
                 SourceRange moduleRange, unsigned level,
                 llvm::ArrayRef<ImportAlias> names)
      : Stmt(Kind::ImportFrom, range), module(module), moduleRange(moduleRange),
        level(level), names(names) {}
  llvm::StringRef module; ///< dotted, may be empty when level > 0
  SourceRange moduleRange;
  unsigned level; ///< number of leading dots
  llvm::ArrayRef<ImportAlias> names;
  NEREID_STMT_CLASSOF(ImportFrom)
};

class GlobalStmt : public Stmt {
public:
  GlobalStmt(SourceRange range, llvm::ArrayRef<llvm::StringRef> names)
      : Stmt(Kind::Global, range), names(names) {}
  llvm::ArrayRef<llvm::StringRef> names;
  NEREID_STMT_CLASSOF(Global)
};

class NonlocalStmt : public Stmt {
public:
  NonlocalStmt(SourceRange range, llvm::ArrayRef<llvm::StringRef> names)
      : Stmt(Kind::Nonlocal, range), names(names) {}
  llvm::ArrayRef<llvm::StringRef> names;
  NEREID_STMT_CLASSOF(Nonlocal)
};

class ExprStmt : public Stmt {
public:
  ExprStmt(SourceRange range, Expr *value)
      : Stmt(Kind::Expr, range), value(value) {}
  Expr *value;
  NEREID_STMT_CLASSOF(Expr)
};

class PassStmt : public Stmt {
public:
  explicit PassStmt(SourceRange range) : Stmt(Kind::Pass, range) {}
  NEREID_STMT_CLASSOF(Pass)
};

class BreakStmt : public Stmt {
public:
  explicit BreakStmt(SourceRange range) : Stmt(Kind::Break, range) {}
  NEREID_STMT_CLASSOF(Break)
};

class ContinueStmt : public Stmt {
public:
  explicit ContinueStmt(SourceRange range) : Stmt(Kind::Continue, range) {}
  NEREID_STMT_CLASSOF(Continue)
};

/// `type X[T] = value`: host code only.
class TypeAliasStmt : public Stmt {
public:
  TypeAliasStmt(SourceRange range, llvm::StringRef name, Expr *value)
      : Stmt(Kind::TypeAlias, range), name(name), value(value) {}
  llvm::StringRef name;
  Expr *value;
  NEREID_STMT_CLASSOF(TypeAlias)
};

/// Where a statement could not be read.
class ErrorStmt : public Stmt {
public:
  ErrorStmt(SourceRange range, const SyntaxError *error)
      : Stmt(Kind::Error, range), error(error) {}
  const SyntaxError *error;
  NEREID_STMT_CLASSOF(Error)
};

/// One file.
struct ModuleAST {
  const SourceFile *file = nullptr;
  Block body;
  /// All syntax errors, in source order.
  llvm::ArrayRef<const SyntaxError *> errors;
  /// Those outside any function.
  llvm::ArrayRef<const SyntaxError *> moduleErrors;
};

/// The tree as one s-expression per statement, for tests and debugging.
std::string dump(const ModuleAST &module);
std::string dump(const Stmt &stmt);
std::string dump(const Expr &expr);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_AST_H
