//===- ParserExpr.cpp - Parser: expressions -------------------------------===//

#include "compiler/Lang/ParserImpl.h"

#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

//===----------------------------------------------------------------------===//
// Making nodes
//===----------------------------------------------------------------------===//

unsigned Parser::heightOf(llvm::ArrayRef<Expr *> exprs) {
  unsigned height = 0;
  for (const Expr *expr : exprs)
    if (expr)
      height = std::max(height, expr->getHeight());
  return height;
}

Expr *Parser::finish(Expr *expr, llvm::ArrayRef<Expr *> children,
                     llvm::ArrayRef<Expr *> more) {
  unsigned height = 1 + std::max(heightOf(children), heightOf(more));
  if (height > kMaxExprHeight)
    return fail(SourceRange(expr->getLoc()),
                "this expression combines more than " +
                    llvm::Twine(kMaxExprHeight) +
                    " operations in one chain; split it");
  expr->height = static_cast<uint16_t>(height);
  return expr;
}

Expr *Parser::finish(Expr *expr, llvm::ArrayRef<Expr *> children) {
  return finish(expr, children, {});
}

bool Parser::startsExpression() const {
  switch (kind()) {
  case TokenKind::Name:
  case TokenKind::Int:
  case TokenKind::Float:
  case TokenKind::Imaginary:
  case TokenKind::String:
  case TokenKind::FStringStart:
  case TokenKind::KwFalse:
  case TokenKind::KwNone:
  case TokenKind::KwTrue:
  case TokenKind::KwAwait:
  case TokenKind::KwLambda:
  case TokenKind::KwNot:
  case TokenKind::LParen:
  case TokenKind::LBracket:
  case TokenKind::LBrace:
  case TokenKind::Ellipsis:
  case TokenKind::Plus:
  case TokenKind::Minus:
  case TokenKind::Tilde:
    return true;
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

static llvm::StringRef describeExpr(const Expr &expr) {
  switch (expr.getKind()) {
  case Expr::Kind::Call:
    return "a function call";
  case Expr::Kind::NoneLiteral:
    return "None";
  case Expr::Kind::BoolLiteral:
    return "True or False";
  case Expr::Kind::EllipsisLiteral:
    return "'...'";
  case Expr::Kind::IntLiteral:
  case Expr::Kind::FloatLiteral:
  case Expr::Kind::ImaginaryLiteral:
  case Expr::Kind::StringLiteral:
  case Expr::Kind::BytesLiteral:
    return "a literal";
  case Expr::Kind::JoinedString:
    return "an f-string";
  case Expr::Kind::Binary:
  case Expr::Kind::Unary:
  case Expr::Kind::Boolean:
    return "the result of an operator";
  case Expr::Kind::Compare:
    return "a comparison";
  case Expr::Kind::Conditional:
    return "a conditional expression";
  case Expr::Kind::Lambda:
    return "a lambda";
  case Expr::Kind::Set:
  case Expr::Kind::Dict:
    return "a set or dictionary display";
  case Expr::Kind::Comprehension:
    return "a comprehension";
  case Expr::Kind::NamedExpr:
    return "an assignment expression";
  case Expr::Kind::Await:
    return "an await expression";
  case Expr::Kind::Yield:
  case Expr::Kind::YieldFrom:
    return "a yield expression";
  case Expr::Kind::Tuple:
    return "a tuple";
  case Expr::Kind::List:
    return "a list";
  case Expr::Kind::Starred:
    return "a starred expression";
  default:
    return "this expression";
  }
}

bool Parser::checkTarget(Expr *expr, llvm::StringRef verb, bool allowTuple) {
  switch (expr->getKind()) {
  case Expr::Kind::Name:
    bindName(llvm::cast<NameExpr>(expr)->name);
    return true;
  case Expr::Kind::Attribute:
  case Expr::Kind::Subscript:
    return true;
  case Expr::Kind::Starred:
    if (allowTuple)
      return checkTarget(llvm::cast<StarredExpr>(expr)->value, verb);
    break;
  case Expr::Kind::Tuple:
  case Expr::Kind::List:
    if (allowTuple) {
      llvm::ArrayRef<Expr *> elements =
          expr->getKind() == Expr::Kind::Tuple
              ? llvm::cast<TupleExpr>(expr)->elements
              : llvm::cast<ListExpr>(expr)->elements;
      bool starred = false;
      for (Expr *element : elements) {
        if (llvm::isa<StarredExpr>(element)) {
          if (starred)
            return fail(element->getRange(),
                        "only one starred name can stand in an assignment");
          starred = true;
        }
        if (!checkTarget(element, verb))
          return false;
      }
      return true;
    }
    break;
  default:
    break;
  }
  return fail(expr->getRange(), "cannot " + verb + " " + describeExpr(*expr) +
                                    (expr->getKind() == Expr::Kind::Compare
                                         ? "; did you mean '==' for '='?"
                                         : ""));
}

/// Targets of `for`: `in` ends them, so comparisons are out.
Expr *Parser::parseTargetList() {
  SourceLoc begin = here();
  llvm::SmallVector<Expr *, 2> elements;
  bool isTuple = false;
  do {
    if (!elements.empty() && at(TokenKind::KwIn))
      break;
    SourceLoc elementBegin = here();
    bool starred = accept(TokenKind::Star);
    Expr *element = parseBinary(0);
    if (!element)
      return nullptr;
    if (starred)
      element =
          finish(make<StarredExpr>(since(elementBegin), element), {element});
    if (!element)
      return nullptr;
    elements.push_back(element);
    if (!at(TokenKind::Comma))
      break;
    isTuple = true;
  } while (accept(TokenKind::Comma));
  if (!isTuple && !llvm::isa<StarredExpr>(elements[0]))
    return elements[0];
  return finish(make<TupleExpr>(since(begin), copy<Expr *>(elements)),
                elements);
}

//===----------------------------------------------------------------------===//
// Lists of expressions
//===----------------------------------------------------------------------===//

Expr *Parser::parseStarredOrNamed() {
  if (!at(TokenKind::Star))
    return parseNamedTest();
  SourceLoc begin = here();
  advance();
  Expr *value = parseBinary(0);
  return value ? finish(make<StarredExpr>(since(begin), value), {value})
               : nullptr;
}

Expr *Parser::parseExpressionList(bool named) {
  SourceLoc begin = here();
  llvm::SmallVector<Expr *, 4> elements;
  bool isTuple = false;
  while (true) {
    Expr *element =
        named || at(TokenKind::Star) ? parseStarredOrNamed() : parseTest();
    if (!element)
      return nullptr;
    elements.push_back(element);
    if (!accept(TokenKind::Comma))
      break;
    isTuple = true;
    if (!startsExpression() && !at(TokenKind::Star))
      break;
  }
  if (!isTuple) {
    if (llvm::isa<StarredExpr>(elements[0]))
      // `x = *a` is wrong, `*a,` is a tuple; a subscript handles its own.
      return fail(elements[0]->getRange(),
                  "a starred expression cannot stand alone");
    return elements[0];
  }
  return finish(make<TupleExpr>(since(begin), copy<Expr *>(elements)),
                elements);
}

Expr *Parser::parseYield() {
  SourceLoc begin = here();
  advance();
  markGenerator();
  if (accept(TokenKind::KwFrom)) {
    Expr *value = parseTest();
    return value ? finish(make<YieldFromExpr>(since(begin), value), {value})
                 : nullptr;
  }
  Expr *value = nullptr;
  if ((startsExpression() || at(TokenKind::Star)) &&
      !(value = parseExpressionList()))
    return nullptr;
  return finish(make<YieldExpr>(since(begin), value), {value});
}

Expr *Parser::parseYieldOrList() {
  return at(TokenKind::KwYield) ? parseYield() : parseExpressionList();
}

//===----------------------------------------------------------------------===//
// From the loosest operator to the tightest
//===----------------------------------------------------------------------===//

/// `name := value`, or an expression.
Expr *Parser::parseNamedTest() {
  if (at(TokenKind::Name) && kind(1) == TokenKind::ColonEqual) {
    DepthGuard guard(*this);
    if (tooDeep())
      return nullptr;
    auto *target = make<NameExpr>(range(token()), intern(text(token())));
    advance();
    advance();
    Expr *value = parseTest();
    if (!value)
      return nullptr;
    bindName(target->name);
    return finish(make<NamedExpr>(since(target->getLoc()), target, value),
                  {value});
  }
  return parseTest();
}

Expr *Parser::parseTest() {
  DepthGuard guard(*this);
  if (tooDeep())
    return nullptr;
  if (at(TokenKind::KwLambda))
    return parseLambda();
  Expr *value = parseOr();
  if (!value || !at(TokenKind::KwIf))
    return value;
  SourceLoc begin =
      value->parenthesized ? value->getLoc().advanced(-1) : value->getLoc();
  advance();
  Expr *condition = parseOr();
  if (!condition)
    return nullptr;
  if (!accept(TokenKind::KwElse))
    return failExpected("'else' of the conditional expression");
  Expr *other = parseTest();
  if (!other)
    return nullptr;
  return finish(make<ConditionalExpr>(since(begin), condition, value, other),
                {condition, value, other});
}

Expr *Parser::parseLambda() {
  SourceLoc begin = here();
  advance();
  llvm::SmallVector<Parameter, 4> params;
  if (!parseParameters(params, TokenKind::Colon, /*annotations=*/false) ||
      !expect(TokenKind::Colon, "after the parameters of the lambda"))
    return nullptr;
  Expr *body = parseTest();
  if (!body)
    return nullptr;
  llvm::SmallVector<Expr *, 4> children{body};
  for (const Parameter &param : params)
    children.push_back(param.defaultValue);
  return finish(make<LambdaExpr>(since(begin), copy<Parameter>(params), body),
                children);
}

Expr *Parser::parseOr() {
  Expr *first = parseAnd();
  if (!first || !at(TokenKind::KwOr))
    return first;
  llvm::SmallVector<Expr *, 4> operands{first};
  while (accept(TokenKind::KwOr)) {
    Expr *next = parseAnd();
    if (!next)
      return nullptr;
    operands.push_back(next);
  }
  return finish(make<BooleanExpr>(since(first->getLoc()), BoolOp::Or,
                                  copy<Expr *>(operands)),
                operands);
}

Expr *Parser::parseAnd() {
  Expr *first = parseNot();
  if (!first || !at(TokenKind::KwAnd))
    return first;
  llvm::SmallVector<Expr *, 4> operands{first};
  while (accept(TokenKind::KwAnd)) {
    Expr *next = parseNot();
    if (!next)
      return nullptr;
    operands.push_back(next);
  }
  return finish(make<BooleanExpr>(since(first->getLoc()), BoolOp::And,
                                  copy<Expr *>(operands)),
                operands);
}

Expr *Parser::parseNot() {
  if (!at(TokenKind::KwNot))
    return parseComparison();
  DepthGuard guard(*this);
  if (tooDeep())
    return nullptr;
  SourceLoc begin = here();
  advance();
  Expr *operand = parseNot();
  return operand ? finish(make<UnaryExpr>(since(begin), UnaryOp::Not, operand),
                          {operand})
                 : nullptr;
}

Expr *Parser::parseComparison() {
  Expr *first = parseBinary(0);
  if (!first)
    return nullptr;
  llvm::SmallVector<Expr *, 4> operands{first};
  llvm::SmallVector<CompareOp, 4> ops;
  llvm::SmallVector<SourceRange, 4> opRanges;
  while (true) {
    SourceLoc begin = here();
    CompareOp op;
    switch (kind()) {
    case TokenKind::EqualEqual:
      op = CompareOp::Eq;
      break;
    case TokenKind::NotEqual:
      op = CompareOp::NotEq;
      break;
    case TokenKind::Less:
      op = CompareOp::Lt;
      break;
    case TokenKind::LessEqual:
      op = CompareOp::LtE;
      break;
    case TokenKind::Greater:
      op = CompareOp::Gt;
      break;
    case TokenKind::GreaterEqual:
      op = CompareOp::GtE;
      break;
    case TokenKind::KwIn:
      op = CompareOp::In;
      break;
    case TokenKind::KwIs:
      op = kind(1) == TokenKind::KwNot ? CompareOp::IsNot : CompareOp::Is;
      break;
    case TokenKind::KwNot:
      if (kind(1) == TokenKind::KwIn) {
        op = CompareOp::NotIn;
        break;
      }
      [[fallthrough]];
    default:
      if (ops.empty())
        return first;
      return finish(
          make<CompareExpr>(since(first->getLoc()), copy<Expr *>(operands),
                            copy<CompareOp>(ops), copy<SourceRange>(opRanges)),
          operands);
    }
    advance();
    if (op == CompareOp::IsNot || op == CompareOp::NotIn)
      advance();
    ops.push_back(op);
    opRanges.push_back(since(begin));
    Expr *next = parseBinary(0);
    if (!next)
      return nullptr;
    operands.push_back(next);
  }
}

namespace {
struct BinaryToken {
  BinaryOp op;
  unsigned precedence;
};
} // namespace

static std::optional<BinaryToken> binaryToken(TokenKind kind) {
  switch (kind) {
  case TokenKind::Pipe:
    return BinaryToken{BinaryOp::BitOr, 0};
  case TokenKind::Caret:
    return BinaryToken{BinaryOp::BitXor, 1};
  case TokenKind::Amp:
    return BinaryToken{BinaryOp::BitAnd, 2};
  case TokenKind::LessLess:
    return BinaryToken{BinaryOp::LShift, 3};
  case TokenKind::GreaterGreater:
    return BinaryToken{BinaryOp::RShift, 3};
  case TokenKind::Plus:
    return BinaryToken{BinaryOp::Add, 4};
  case TokenKind::Minus:
    return BinaryToken{BinaryOp::Sub, 4};
  case TokenKind::Star:
    return BinaryToken{BinaryOp::Mul, 5};
  case TokenKind::Slash:
    return BinaryToken{BinaryOp::Div, 5};
  case TokenKind::DoubleSlash:
    return BinaryToken{BinaryOp::FloorDiv, 5};
  case TokenKind::Percent:
    return BinaryToken{BinaryOp::Mod, 5};
  case TokenKind::At:
    return BinaryToken{BinaryOp::MatMul, 5};
  default:
    return std::nullopt;
  }
}

/// Left-associative operators of at least this precedence.
Expr *Parser::parseBinary(unsigned minPrecedence) {
  SourceLoc begin = here();
  Expr *lhs = parseUnary();
  while (lhs) {
    std::optional<BinaryToken> op = binaryToken(kind());
    if (!op || op->precedence < minPrecedence)
      return lhs;
    SourceRange opRange = range(token());
    advance();
    Expr *rhs = parseBinary(op->precedence + 1);
    if (!rhs)
      return nullptr;
    lhs = finish(make<BinaryExpr>(since(begin), op->op, opRange, lhs, rhs),
                 {lhs, rhs});
  }
  return nullptr;
}

Expr *Parser::parseUnary() {
  UnaryOp op;
  switch (kind()) {
  case TokenKind::Plus:
    op = UnaryOp::Plus;
    break;
  case TokenKind::Minus:
    op = UnaryOp::Minus;
    break;
  case TokenKind::Tilde:
    op = UnaryOp::Invert;
    break;
  default:
    return parsePower();
  }
  DepthGuard guard(*this);
  if (tooDeep())
    return nullptr;
  SourceLoc begin = here();
  advance();
  Expr *operand = parseUnary();
  return operand ? finish(make<UnaryExpr>(since(begin), op, operand), {operand})
                 : nullptr;
}

/// `base ** exponent`: binds tighter than a sign on its left, looser than one
/// on its right.
Expr *Parser::parsePower() {
  SourceLoc begin = here();
  Expr *base;
  if (at(TokenKind::KwAwait)) {
    advance();
    Expr *value = parsePostfix();
    base =
        value ? finish(make<AwaitExpr>(since(begin), value), {value}) : nullptr;
  } else {
    base = parsePostfix();
  }
  if (!base || !at(TokenKind::DoubleStar))
    return base;
  DepthGuard guard(*this);
  if (tooDeep())
    return nullptr;
  SourceRange opRange = range(token());
  advance();
  Expr *exponent = parseUnary();
  if (!exponent)
    return nullptr;
  return finish(
      make<BinaryExpr>(since(begin), BinaryOp::Pow, opRange, base, exponent),
      {base, exponent});
}

Expr *Parser::parsePostfix() {
  SourceLoc begin = here();
  Expr *value = parseAtom();
  while (value) {
    if (accept(TokenKind::Dot)) {
      if (!at(TokenKind::Name))
        return failExpected("the name of an attribute after '.'");
      llvm::StringRef attr = intern(text(token()));
      SourceRange attrRange = range(token());
      advance();
      value = finish(make<AttributeExpr>(since(begin), value, attr, attrRange),
                     {value});
    } else if (at(TokenKind::LParen)) {
      value = parseCall(value);
      if (value)
        value->range.begin = begin;
    } else if (at(TokenKind::LBracket)) {
      SourceRange open = range(token());
      advance();
      if (at(TokenKind::RBracket))
        return fail(since(open.begin), "expected an index between '[' and ']'");
      Expr *index = parseSubscriptIndex();
      if (!index || !expectClose(TokenKind::RBracket, open))
        return nullptr;
      value = finish(make<SubscriptExpr>(since(begin), value, index),
                     {value, index});
    } else {
      return value;
    }
  }
  return nullptr;
}

Expr *Parser::parseSubscriptIndex() {
  SourceLoc begin = here();
  llvm::SmallVector<Expr *, 4> items;
  bool isTuple = false;
  while (true) {
    Expr *item = parseSliceItem();
    if (!item)
      return nullptr;
    items.push_back(item);
    if (!accept(TokenKind::Comma))
      break;
    isTuple = true;
    if (at(TokenKind::RBracket))
      break;
  }
  if (!isTuple && !llvm::isa<StarredExpr>(items[0]))
    return items[0];
  return finish(make<TupleExpr>(since(begin), copy<Expr *>(items)), items);
}

Expr *Parser::parseSliceItem() {
  SourceLoc begin = here();
  Expr *lower = nullptr, *upper = nullptr, *step = nullptr;
  if (!at(TokenKind::Colon)) {
    lower = parseStarredOrNamed();
    if (!lower || !at(TokenKind::Colon))
      return lower;
  }
  advance();
  auto atEnd = [&] {
    return at(TokenKind::Colon) || at(TokenKind::Comma) ||
           at(TokenKind::RBracket);
  };
  if (!atEnd() && !(upper = parseTest()))
    return nullptr;
  if (accept(TokenKind::Colon) && !atEnd() && !(step = parseTest()))
    return nullptr;
  return finish(make<SliceExpr>(since(begin), lower, upper, step),
                {lower, upper, step});
}

Expr *Parser::parseCall(Expr *callee) {
  SourceRange open = range(token());
  advance();
  llvm::SmallVector<Expr *, 8> args;
  llvm::SmallVector<KeywordArg, 4> keywords;
  if (!parseArguments(args, keywords, open))
    return nullptr;
  llvm::SmallVector<Expr *, 8> children(args.begin(), args.end());
  children.push_back(callee);
  for (const KeywordArg &keyword : keywords)
    children.push_back(keyword.value);
  return finish(make<CallExpr>(since(callee->getLoc()), callee,
                               copy<Expr *>(args), copy<KeywordArg>(keywords)),
                children);
}

/// Behind '(', up to and with ')'.
bool Parser::parseArguments(llvm::SmallVectorImpl<Expr *> &args,
                            llvm::SmallVectorImpl<KeywordArg> &keywords,
                            SourceRange open) {
  bool sawNamed = false, sawDoubleStar = false;
  while (!at(TokenKind::RParen)) {
    SourceLoc begin = here();
    if (accept(TokenKind::DoubleStar)) {
      Expr *value = parseTest();
      if (!value)
        return false;
      keywords.push_back({"", value, since(begin)});
      sawDoubleStar = true;
    } else if (at(TokenKind::Name) && kind(1) == TokenKind::Equal) {
      llvm::StringRef name = intern(text(token()));
      SourceRange nameRange = range(token());
      advance();
      advance();
      for (const KeywordArg &earlier : keywords)
        if (earlier.name.data() == name.data() && !earlier.name.empty())
          return fail(nameRange,
                      "the keyword argument '" + name + "' is given twice");
      Expr *value = parseTest();
      if (!value)
        return false;
      keywords.push_back({name, value, since(begin)});
      sawNamed = true;
    } else {
      // In a call, unlike in a display, any expression may follow '*'.
      bool starred = accept(TokenKind::Star);
      Expr *value = starred ? parseTest() : parseNamedTest();
      if (value && starred)
        value = finish(make<StarredExpr>(since(begin), value), {value});
      if (!value)
        return false;
      if (!starred && (at(TokenKind::KwFor) || (at(TokenKind::KwAsync) &&
                                                kind(1) == TokenKind::KwFor))) {
        bool alone = args.empty() && keywords.empty();
        value = parseComprehension(ComprehensionExpr::Form::Generator, begin,
                                   value, nullptr);
        if (!value)
          return false;
        if (!alone || !at(TokenKind::RParen))
          if (!(alone && at(TokenKind::Comma) && kind(1) == TokenKind::RParen))
            return fail(value->getRange(), "a generator expression among other "
                                           "arguments needs its own "
                                           "parentheses");
      } else if (at(TokenKind::Equal)) {
        return fail(value->getRange(),
                    "the name of a keyword argument must be a plain name; a "
                    "comparison is written '=='");
      }
      if (!starred && sawNamed)
        return fail(value->getRange(),
                    "a positional argument follows a keyword argument");
      if (sawDoubleStar)
        return fail(value->getRange(),
                    "a positional argument follows a '**' argument");
      args.push_back(value);
    }
    if (!accept(TokenKind::Comma))
      break;
  }
  if (accept(TokenKind::RParen))
    return true;
  return failExpected("',' or ')'", open, "to match this");
}
