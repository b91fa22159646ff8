//===- AST.cpp - Syntax tree: spellings and the dump ----------------------===//

#include "compiler/Lang/AST.h"

#include "llvm/ADT/APInt.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace nereid::lang;

llvm::StringRef nereid::lang::spelling(BinaryOp op) {
  static constexpr llvm::StringLiteral texts[] = {
      "+", "-", "*", "@", "/", "//", "%", "**", "<<", ">>", "|", "^", "&"};
  return texts[static_cast<unsigned>(op)];
}
llvm::StringRef nereid::lang::spelling(UnaryOp op) {
  static constexpr llvm::StringLiteral texts[] = {"not", "~", "+", "-"};
  return texts[static_cast<unsigned>(op)];
}
llvm::StringRef nereid::lang::spelling(BoolOp op) {
  return op == BoolOp::And ? "and" : "or";
}
llvm::StringRef nereid::lang::spelling(CompareOp op) {
  static constexpr llvm::StringLiteral texts[] = {
      "==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in"};
  return texts[static_cast<unsigned>(op)];
}

namespace {

/// Writes nodes as s-expressions; blocks go on lines of their own.
class Dumper {
public:
  explicit Dumper(llvm::raw_ostream &os) : os(os) {}
  void expr(const Expr *expr);
  void stmt(const Stmt *stmt);

private:
  void exprs(llvm::ArrayRef<Expr *> list) {
    for (const Expr *e : list) {
      os << ' ';
      expr(e);
    }
  }
  void optional(const Expr *e) {
    if (e)
      expr(e);
    else
      os << '_';
  }
  void string(llvm::StringRef text) {
    os << '"';
    for (char c : text) {
      if (c == '"' || c == '\\')
        os << '\\' << c;
      else if (c == '\n')
        os << "\\n";
      else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
        os << "\\x" << llvm::utohexstr(c & 0xFF, true, 2);
      else
        os << c;
    }
    os << '"';
  }
  void keywords(llvm::ArrayRef<KeywordArg> list) {
    for (const KeywordArg &keyword : list) {
      os << ' ' << (keyword.name.empty() ? "**" : keyword.name.str() + "=");
      expr(keyword.value);
    }
  }
  void params(llvm::ArrayRef<Parameter> list);
  void parts(const JoinedString &joined);
  void clauses(const ComprehensionExpr &comprehension);
  void pattern(const Pattern *pattern);
  void aliases(llvm::ArrayRef<ImportAlias> names);
  void block(llvm::StringRef title, Block body);
  void line() { os << '\n' << std::string(2 * indent, ' '); }

  llvm::raw_ostream &os;
  unsigned indent = 0;
};

void Dumper::params(llvm::ArrayRef<Parameter> list) {
  os << '(';
  llvm::ListSeparator separator(" ");
  for (const Parameter &param : list) {
    os << separator;
    switch (param.kind) {
    case Parameter::Kind::PositionalOnly:
      os << '/';
      break;
    case Parameter::Kind::Normal:
      break;
    case Parameter::Kind::VarArgs:
      os << '*';
      break;
    case Parameter::Kind::KeywordOnly:
      os << '!';
      break;
    case Parameter::Kind::VarKeywords:
      os << "**";
      break;
    }
    os << param.name;
    if (param.annotation) {
      os << ':';
      expr(param.annotation);
    }
    if (param.defaultValue) {
      os << '=';
      expr(param.defaultValue);
    }
  }
  os << ')';
}

void Dumper::parts(const JoinedString &joined) {
  for (const JoinedString::Part &part : joined.parts) {
    os << ' ';
    if (!part.expr) {
      string(part.text);
      continue;
    }
    os << '{';
    if (!part.debugText.empty()) {
      string(part.debugText);
      os << ' ';
    }
    expr(part.expr);
    if (part.conversion)
      os << " !" << part.conversion;
    if (part.format) {
      os << " :";
      expr(part.format);
    }
    os << '}';
  }
}

void Dumper::clauses(const ComprehensionExpr &comprehension) {
  for (const ComprehensionFor &clause : comprehension.clauses) {
    os << (clause.isAsync ? " (async-for " : " (for ");
    expr(clause.target);
    os << ' ';
    expr(clause.iterable);
    for (const Expr *condition : clause.conditions) {
      os << " if ";
      expr(condition);
    }
    os << ')';
  }
}

void Dumper::expr(const Expr *e) {
  switch (e->getKind()) {
  case Expr::Kind::Name:
    os << llvm::cast<NameExpr>(e)->name;
    return;
  case Expr::Kind::NoneLiteral:
    os << "None";
    return;
  case Expr::Kind::BoolLiteral:
    os << (llvm::cast<BoolLiteral>(e)->value ? "True" : "False");
    return;
  case Expr::Kind::EllipsisLiteral:
    os << "...";
    return;
  case Expr::Kind::IntLiteral: {
    llvm::ArrayRef<uint64_t> words = llvm::cast<IntLiteral>(e)->words;
    llvm::APInt value(64 * words.size(), words);
    llvm::SmallString<40> text;
    value.toStringUnsigned(text);
    os << text;
    return;
  }
  case Expr::Kind::FloatLiteral:
    os << llvm::format("%g", llvm::cast<FloatLiteral>(e)->value) << 'f';
    return;
  case Expr::Kind::ImaginaryLiteral:
    os << llvm::format("%g", llvm::cast<ImaginaryLiteral>(e)->value) << 'j';
    return;
  case Expr::Kind::StringLiteral:
    string(llvm::cast<StringLiteral>(e)->value);
    return;
  case Expr::Kind::BytesLiteral:
    os << 'b';
    string(llvm::cast<BytesLiteral>(e)->value);
    return;
  case Expr::Kind::JoinedString:
    os << "(fstring";
    parts(*llvm::cast<JoinedString>(e));
    break;
  case Expr::Kind::Attribute:
    os << "(. ";
    expr(llvm::cast<AttributeExpr>(e)->value);
    os << ' ' << llvm::cast<AttributeExpr>(e)->attr;
    break;
  case Expr::Kind::Subscript:
    os << "([] ";
    expr(llvm::cast<SubscriptExpr>(e)->value);
    os << ' ';
    expr(llvm::cast<SubscriptExpr>(e)->index);
    break;
  case Expr::Kind::Slice: {
    const auto *slice = llvm::cast<SliceExpr>(e);
    os << "(slice ";
    optional(slice->lower);
    os << ' ';
    optional(slice->upper);
    os << ' ';
    optional(slice->step);
    break;
  }
  case Expr::Kind::Call: {
    const auto *call = llvm::cast<CallExpr>(e);
    os << "(call ";
    expr(call->callee);
    exprs(call->args);
    keywords(call->keywords);
    break;
  }
  case Expr::Kind::Binary: {
    const auto *binary = llvm::cast<BinaryExpr>(e);
    os << '(' << spelling(binary->op) << ' ';
    expr(binary->lhs);
    os << ' ';
    expr(binary->rhs);
    break;
  }
  case Expr::Kind::Unary:
    os << '(' << spelling(llvm::cast<UnaryExpr>(e)->op) << ' ';
    expr(llvm::cast<UnaryExpr>(e)->operand);
    break;
  case Expr::Kind::Boolean:
    os << '(' << spelling(llvm::cast<BooleanExpr>(e)->op);
    exprs(llvm::cast<BooleanExpr>(e)->operands);
    break;
  case Expr::Kind::Compare: {
    const auto *compare = llvm::cast<CompareExpr>(e);
    os << "(compare ";
    expr(compare->operands[0]);
    for (size_t i = 0; i < compare->ops.size(); ++i) {
      os << ' ' << spelling(compare->ops[i]) << ' ';
      expr(compare->operands[i + 1]);
    }
    break;
  }
  case Expr::Kind::Conditional: {
    const auto *conditional = llvm::cast<ConditionalExpr>(e);
    os << "(if ";
    expr(conditional->condition);
    os << ' ';
    expr(conditional->thenValue);
    os << ' ';
    expr(conditional->elseValue);
    break;
  }
  case Expr::Kind::Lambda:
    os << "(lambda ";
    params(llvm::cast<LambdaExpr>(e)->params);
    os << ' ';
    expr(llvm::cast<LambdaExpr>(e)->body);
    break;
  case Expr::Kind::Tuple:
    os << "(tuple";
    exprs(llvm::cast<TupleExpr>(e)->elements);
    break;
  case Expr::Kind::List:
    os << "(list";
    exprs(llvm::cast<ListExpr>(e)->elements);
    break;
  case Expr::Kind::Set:
    os << "(set";
    exprs(llvm::cast<SetExpr>(e)->elements);
    break;
  case Expr::Kind::Dict:
    os << "(dict";
    for (const DictExpr::Item &item : llvm::cast<DictExpr>(e)->items) {
      os << " (";
      if (item.key)
        expr(item.key);
      else
        os << "**";
      os << ' ';
      expr(item.value);
      os << ')';
    }
    break;
  case Expr::Kind::Comprehension: {
    const auto *comprehension = llvm::cast<ComprehensionExpr>(e);
    static constexpr llvm::StringLiteral names[] = {"listcomp", "setcomp",
                                                    "dictcomp", "generator"};
    os << '(' << names[static_cast<unsigned>(comprehension->form)] << ' ';
    expr(comprehension->element);
    if (comprehension->value) {
      os << ' ';
      expr(comprehension->value);
    }
    clauses(*comprehension);
    break;
  }
  case Expr::Kind::Starred:
    os << "(* ";
    expr(llvm::cast<StarredExpr>(e)->value);
    break;
  case Expr::Kind::NamedExpr:
    os << "(:= " << llvm::cast<NamedExpr>(e)->target->name << ' ';
    expr(llvm::cast<NamedExpr>(e)->value);
    break;
  case Expr::Kind::Await:
    os << "(await ";
    expr(llvm::cast<AwaitExpr>(e)->value);
    break;
  case Expr::Kind::Yield:
    os << "(yield ";
    optional(llvm::cast<YieldExpr>(e)->value);
    break;
  case Expr::Kind::YieldFrom:
    os << "(yield-from ";
    expr(llvm::cast<YieldFromExpr>(e)->value);
    break;
  }
  os << ')';
}

void Dumper::pattern(const Pattern *p) {
  switch (p->kind) {
  case Pattern::Kind::Value:
    expr(p->value);
    return;
  case Pattern::Kind::Capture:
    os << '?' << p->name;
    return;
  case Pattern::Kind::Star:
    os << "*" << p->name;
    return;
  case Pattern::Kind::As:
    os << "(as ";
    pattern(p->patterns[0]);
    os << ' ' << p->name << ')';
    return;
  case Pattern::Kind::Or:
    os << "(or";
    break;
  case Pattern::Kind::Sequence:
    os << "(seq";
    break;
  case Pattern::Kind::Mapping:
    os << "(map";
    for (size_t i = 0; i < p->keys.size(); ++i) {
      os << " (";
      expr(p->keys[i]);
      os << ' ';
      pattern(p->patterns[i]);
      os << ')';
    }
    if (!p->name.empty())
      os << " **" << p->name;
    os << ')';
    return;
  case Pattern::Kind::Class:
    os << "(class ";
    expr(p->value);
    break;
  }
  for (const Pattern *child : p->patterns) {
    os << ' ';
    pattern(child);
  }
  for (size_t i = 0; i < p->keywords.size(); ++i) {
    os << ' ' << p->keywords[i] << '=';
    pattern(p->keywordPatterns[i]);
  }
  os << ')';
}

void Dumper::aliases(llvm::ArrayRef<ImportAlias> names) {
  for (const ImportAlias &alias : names) {
    os << ' ' << alias.name;
    if (!alias.asName.empty())
      os << ':' << alias.asName;
  }
}

void Dumper::block(llvm::StringRef title, Block body) {
  ++indent;
  if (!title.empty()) {
    line();
    os << '(' << title;
    ++indent;
  }
  for (const Stmt *s : body) {
    line();
    stmt(s);
  }
  if (!title.empty()) {
    os << ')';
    --indent;
  }
  --indent;
}

void Dumper::stmt(const Stmt *s) {
  switch (s->getKind()) {
  case Stmt::Kind::FunctionDef: {
    const auto *function = llvm::cast<FunctionDef>(s);
    os << (function->isAsync ? "(async-def " : "(def ") << function->name
       << ' ';
    params(function->params);
    if (function->returns) {
      os << " -> ";
      expr(function->returns);
    }
    for (const Expr *decorator : function->decorators) {
      os << " @";
      expr(decorator);
    }
    block("", function->body);
    break;
  }
  case Stmt::Kind::ClassDef: {
    const auto *node = llvm::cast<ClassDef>(s);
    os << "(class " << node->name;
    exprs(node->bases);
    keywords(node->keywords);
    for (const Expr *decorator : node->decorators) {
      os << " @";
      expr(decorator);
    }
    block("", node->body);
    break;
  }
  case Stmt::Kind::Return:
    os << "(return";
    if (const Expr *value = llvm::cast<ReturnStmt>(s)->value) {
      os << ' ';
      expr(value);
    }
    break;
  case Stmt::Kind::Delete:
    os << "(del";
    exprs(llvm::cast<DeleteStmt>(s)->targets);
    break;
  case Stmt::Kind::Assign:
    os << "(=";
    exprs(llvm::cast<AssignStmt>(s)->targets);
    os << ' ';
    expr(llvm::cast<AssignStmt>(s)->value);
    break;
  case Stmt::Kind::AugAssign: {
    const auto *assign = llvm::cast<AugAssignStmt>(s);
    os << '(' << spelling(assign->op) << "= ";
    expr(assign->target);
    os << ' ';
    expr(assign->value);
    break;
  }
  case Stmt::Kind::AnnAssign: {
    const auto *assign = llvm::cast<AnnAssignStmt>(s);
    os << "(: ";
    expr(assign->target);
    os << ' ';
    expr(assign->annotation);
    os << ' ';
    optional(assign->value);
    break;
  }
  case Stmt::Kind::For: {
    const auto *loop = llvm::cast<ForStmt>(s);
    os << (loop->isAsync ? "(async-for " : "(for ");
    expr(loop->target);
    os << ' ';
    expr(loop->iterable);
    block("", loop->body);
    if (!loop->orelse.empty())
      block("else", loop->orelse);
    break;
  }
  case Stmt::Kind::While: {
    const auto *loop = llvm::cast<WhileStmt>(s);
    os << "(while ";
    expr(loop->condition);
    block("", loop->body);
    if (!loop->orelse.empty())
      block("else", loop->orelse);
    break;
  }
  case Stmt::Kind::If: {
    const auto *branch = llvm::cast<IfStmt>(s);
    os << "(if ";
    expr(branch->clauses[0].condition);
    block("", branch->clauses[0].body);
    ++indent;
    for (const IfStmt::Clause &clause : branch->clauses.drop_front()) {
      line();
      os << "(elif ";
      expr(clause.condition);
      block("", clause.body);
      os << ')';
    }
    --indent;
    if (!branch->orelse.empty())
      block("else", branch->orelse);
    break;
  }
  case Stmt::Kind::With: {
    const auto *with = llvm::cast<WithStmt>(s);
    os << (with->isAsync ? "(async-with" : "(with");
    for (const WithStmt::Item &item : with->items) {
      os << " (";
      expr(item.context);
      os << ' ';
      optional(item.target);
      os << ')';
    }
    block("", with->body);
    break;
  }
  case Stmt::Kind::Match: {
    const auto *match = llvm::cast<MatchStmt>(s);
    os << "(match ";
    expr(match->subject);
    ++indent;
    for (const MatchStmt::Case &clause : match->cases) {
      line();
      os << "(case ";
      pattern(clause.pattern);
      if (clause.guard) {
        os << " if ";
        expr(clause.guard);
      }
      block("", clause.body);
      os << ')';
    }
    --indent;
    break;
  }
  case Stmt::Kind::Raise: {
    const auto *raise = llvm::cast<RaiseStmt>(s);
    os << "(raise ";
    optional(raise->exception);
    if (raise->cause) {
      os << " from ";
      expr(raise->cause);
    }
    break;
  }
  case Stmt::Kind::Try: {
    const auto *node = llvm::cast<TryStmt>(s);
    os << (node->isStar ? "(try*" : "(try");
    block("", node->body);
    ++indent;
    for (const TryStmt::Handler &handler : node->handlers) {
      line();
      os << "(except ";
      optional(handler.type);
      if (!handler.name.empty())
        os << ' ' << handler.name;
      block("", handler.body);
      os << ')';
    }
    --indent;
    if (!node->orelse.empty())
      block("else", node->orelse);
    if (!node->finalbody.empty())
      block("finally", node->finalbody);
    break;
  }
  case Stmt::Kind::Assert:
    os << "(assert ";
    expr(llvm::cast<AssertStmt>(s)->test);
    if (const Expr *message = llvm::cast<AssertStmt>(s)->message) {
      os << ' ';
      expr(message);
    }
    break;
  case Stmt::Kind::Import:
    os << "(import";
    aliases(llvm::cast<ImportStmt>(s)->names);
    break;
  case Stmt::Kind::ImportFrom: {
    const auto *import = llvm::cast<ImportFromStmt>(s);
    os << "(from " << std::string(import->level, '.') << import->module;
    aliases(import->names);
    break;
  }
  case Stmt::Kind::Global:
  case Stmt::Kind::Nonlocal: {
    bool isGlobal = llvm::isa<GlobalStmt>(s);
    os << (isGlobal ? "(global" : "(nonlocal");
    for (llvm::StringRef name : isGlobal ? llvm::cast<GlobalStmt>(s)->names
                                         : llvm::cast<NonlocalStmt>(s)->names)
      os << ' ' << name;
    break;
  }
  case Stmt::Kind::Expr:
    os << "(expr ";
    expr(llvm::cast<ExprStmt>(s)->value);
    break;
  case Stmt::Kind::Pass:
    os << "(pass";
    break;
  case Stmt::Kind::Break:
    os << "(break";
    break;
  case Stmt::Kind::Continue:
    os << "(continue";
    break;
  case Stmt::Kind::TypeAlias:
    os << "(type " << llvm::cast<TypeAliasStmt>(s)->name << ' ';
    expr(llvm::cast<TypeAliasStmt>(s)->value);
    break;
  case Stmt::Kind::Error:
    os << "(error ";
    string(llvm::cast<ErrorStmt>(s)->error->message);
    break;
  }
  os << ')';
}

} // namespace

std::string nereid::lang::dump(const Expr &expr) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Dumper(os).expr(&expr);
  return text;
}

std::string nereid::lang::dump(const Stmt &stmt) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Dumper(os).stmt(&stmt);
  return text;
}

std::string nereid::lang::dump(const ModuleAST &module) {
  std::string text;
  for (const Stmt *stmt : module.body)
    text += dump(*stmt) + "\n";
  return text;
}
