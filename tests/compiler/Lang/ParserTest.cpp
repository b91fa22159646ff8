//===- ParserTest.cpp - Syntax trees of valid Python ----------------------===//

#include "tests/compiler/Lang/LangTest.h"

using namespace nereid::lang;

/// The dump of a text without errors.
static std::string parse(llvm::StringRef text) {
  Parsed parsed(text);
  EXPECT_EQ(parsed.errors(), "") << text.str();
  std::string dump = parsed.dump();
  if (!dump.empty() && dump.back() == '\n')
    dump.pop_back();
  return dump;
}

/// The dump of one expression.
static std::string parseExpr(llvm::StringRef text) {
  std::string dump = parse(text);
  llvm::StringRef body = dump;
  EXPECT_TRUE(body.consume_front("(expr ")) << dump;
  return body.drop_back().str();
}

TEST(Parser, Precedence) {
  EXPECT_EQ(parseExpr("a + b * c"), "(+ a (* b c))");
  EXPECT_EQ(parseExpr("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(parseExpr("-a ** b"), "(- (** a b))");
  EXPECT_EQ(parseExpr("a ** -b ** c"), "(** a (- (** b c)))");
  EXPECT_EQ(parseExpr("a | b ^ c & d << e + f"),
            "(| a (^ b (& c (<< d (+ e f)))))");
  EXPECT_EQ(parseExpr("not a == b"), "(not (compare a == b))");
  EXPECT_EQ(parseExpr("a or b and not c or d"), "(or a (and b (not c)) d)");
  EXPECT_EQ(parseExpr("a if b else c if d else e"), "(if b a (if d c e))");
  EXPECT_EQ(parseExpr("a < b <= c != d"), "(compare a < b <= c != d)");
  EXPECT_EQ(parseExpr("a is not b not in c"), "(compare a is not b not in c)");
  EXPECT_EQ(parseExpr("~a.b[c](d)"), "(~ (call ([] (. a b) c) d))");
  EXPECT_EQ(parseExpr("a // b % c @ d"), "(@ (% (// a b) c) d)");
  EXPECT_EQ(parseExpr("(a + b) * c"), "(* (+ a b) c)");
  EXPECT_EQ(parseExpr("lambda x, *y, z=1, **w: x or y"),
            "(lambda (x *y !z=1 **w) (or x y))");
  EXPECT_EQ(parseExpr("lambda: (yield)"), "(lambda () (yield _))");
}

TEST(Parser, Literals) {
  EXPECT_EQ(parseExpr("0xFFFFFFFFFFFFFFFFFFFF"), "1208925819614629174706175");
  EXPECT_EQ(parseExpr("1_000 + 0b101 + 0o17"), "(+ (+ 1000 5) 15)");
  EXPECT_EQ(parseExpr("1.5e3"), "1500f");
  EXPECT_EQ(parseExpr("2j"), "2j");
  EXPECT_EQ(parseExpr("1e999"), "inff");
  EXPECT_EQ(parseExpr("'a' \"b\" r'\\n'"), "\"ab\\\\n\"");
  EXPECT_EQ(parseExpr("'\\x41\\u00e9\\101\\\n\\q'"), "\"AéA\\\\q\"");
  EXPECT_EQ(parseExpr("b'a' b'\\x00'"), "b\"a\\x00\"");
  EXPECT_EQ(parseExpr("(None, True, False, ...)"),
            "(tuple None True False ...)");
}

TEST(Parser, FStrings) {
  EXPECT_EQ(parseExpr("f'a{b}c'"), "(fstring \"a\" {b} \"c\")");
  EXPECT_EQ(parseExpr("'x' f'{a!r:>{w}}' 'y'"),
            "(fstring \"x\" {a !r :(fstring \">\" {w})} \"y\")");
  EXPECT_EQ(parseExpr("f'{a = }{b=!s}'"),
            "(fstring {\"a = \" a} {\"b=\" b !s})");
  EXPECT_EQ(parseExpr("f'{{}}{1,2}'"), "(fstring \"{}\" {(tuple 1 2)})");
  EXPECT_EQ(parseExpr("f'{x:%Y-%m}'"), "(fstring {x :\"%Y-%m\"})");
  EXPECT_EQ(parseExpr("f'{'a' if b else 'c'}'"),
            "(fstring {(if b \"a\" \"c\")})");
}

TEST(Parser, Displays) {
  EXPECT_EQ(parseExpr("()"), "(tuple)");
  EXPECT_EQ(parseExpr("(a,)"), "(tuple a)");
  EXPECT_EQ(parseExpr("a, *b"), "(tuple a (* b))");
  EXPECT_EQ(parseExpr("[a, *b,]"), "(list a (* b))");
  EXPECT_EQ(parseExpr("{}"), "(dict)");
  EXPECT_EQ(parseExpr("{a: b, **c}"), "(dict (a b) (** c))");
  EXPECT_EQ(parseExpr("{a, *b}"), "(set a (* b))");
  EXPECT_EQ(parseExpr("[x for x in y if z if w for u, v in x]"),
            "(listcomp x (for x y if z if w) (for (tuple u v) x))");
  EXPECT_EQ(parseExpr("{k: v for k, v in d}"),
            "(dictcomp k v (for (tuple k v) d))");
  EXPECT_EQ(parseExpr("{x async for x in y}"), "(setcomp x (async-for x y))");
  EXPECT_EQ(parseExpr("f(x for x in y)"), "(call f (generator x (for x y)))");
}

TEST(Parser, CallsAndSubscripts) {
  EXPECT_EQ(parseExpr("f(a, *b, c=d, **e)"), "(call f a (* b) c=d **e)");
  EXPECT_EQ(parseExpr("f(*a or b)"), "(call f (* (or a b)))");
  EXPECT_EQ(parseExpr("f(a := 1)"), "(call f (:= a 1))");
  EXPECT_EQ(parseExpr("x[:, None]"), "([] x (tuple (slice _ _ _) None))");
  EXPECT_EQ(parseExpr("x[1:2:3, ::4]"),
            "([] x (tuple (slice 1 2 3) (slice _ _ 4)))");
  EXPECT_EQ(parseExpr("x[a,]"), "([] x (tuple a))");
  EXPECT_EQ(parseExpr("x[*a]"), "([] x (tuple (* a)))");
  EXPECT_EQ(parseExpr("x[...]"), "([] x ...)");
}

TEST(Parser, SimpleStatements) {
  EXPECT_EQ(parse("a = b = c, d"), "(= a b (tuple c d))");
  EXPECT_EQ(parse("(a, [b, *c]) = d"), "(= (tuple a (list b (* c))) d)");
  EXPECT_EQ(parse("a.b[c] += d"), "(+= ([] (. a b) c) d)");
  EXPECT_EQ(parse("a **= b; c //= d"), "(**= a b)\n(//= c d)");
  EXPECT_EQ(parse("a: b = c"), "(: a b c)");
  EXPECT_EQ(parse("a.b: 'c'"), "(: (. a b) \"c\" _)");
  EXPECT_EQ(parse("x = yield y"), "(= x (yield y))");
  EXPECT_EQ(parse("del a, b[c]"), "(del a ([] b c))");
  EXPECT_EQ(parse("assert a, b"), "(assert a b)");
  EXPECT_EQ(parse("raise a from b"), "(raise a from b)");
  EXPECT_EQ(parse("raise"), "(raise _)");
  EXPECT_EQ(parse("global a, b"), "(global a b)");
  EXPECT_EQ(parse("import a.b as c, d"), "(import a.b:c d)");
  EXPECT_EQ(parse("from ..a.b import (c as d, e,)"), "(from ..a.b c:d e)");
  EXPECT_EQ(parse("from ... import *"), "(from ... *)");
  EXPECT_EQ(parse("type X[T] = list[T]"), "(type X ([] list T))");
  EXPECT_EQ(parse("type = 3; match = type"), "(= type 3)\n(= match type)");
}

TEST(Parser, CompoundStatements) {
  EXPECT_EQ(parse("if a: b\nelif c: d\nelse:\n  e"),
            "(if a\n  (expr b)\n  (elif c\n    (expr d))\n  (else\n    (expr "
            "e)))");
  EXPECT_EQ(parse("for a, *b in c: break\nelse: continue"),
            "(for (tuple a (* b)) c\n  (break)\n  (else\n    (continue)))");
  EXPECT_EQ(parse("while (a := b): pass"), "(while (:= a b)\n  (pass))");
  EXPECT_EQ(parse("with a as b, c: pass"), "(with (a b) (c _)\n  (pass))");
  EXPECT_EQ(parse("with (a as b, c as (d, e),): pass"),
            "(with (a b) (c (tuple d e))\n  (pass))");
  EXPECT_EQ(parse("with (a, b): pass"), "(with (a _) (b _)\n  (pass))");
  EXPECT_EQ(parse("with (a).b() as c: pass"),
            "(with ((call (. a b)) c)\n  (pass))");
  EXPECT_EQ(
      parse("try: a\nexcept (B, C) as d: e\nexcept: f\nelse: g\nfinally: h"),
      "(try\n  (expr a)\n  (except (tuple B C) d\n    (expr e))\n  "
      "(except _\n    (expr f))\n  (else\n    (expr g))\n  (finally\n    "
      "(expr h)))");
  EXPECT_EQ(parse("try: a\nexcept* B: c"),
            "(try*\n  (expr a)\n  (except B\n    (expr c)))");
  EXPECT_EQ(parse("async def f():\n async for a in b: await c\n async with d: "
                  "pass"),
            "(async-def f ()\n  (async-for a b\n    (expr (await c)))\n  "
            "(async-with (d _)\n    (pass)))");
}

TEST(Parser, Functions) {
  EXPECT_EQ(
      parse("@a.b(c)\n@d\ndef f(x, /, y: t = 1, *z: u, k, **w) -> r: pass"),
      "(def f (/x y:t=1 *z:u !k **w) -> r @(call (. a b) c) @d\n  "
      "(pass))");
  EXPECT_EQ(parse("def f(*, a=1, b): pass"), "(def f (!a=1 !b)\n  (pass))");
  EXPECT_EQ(parse("def f[T: int, *Ts, **P](x: T): pass"),
            "(def f (x:T)\n  (pass))");
  EXPECT_EQ(
      parse("@d\nclass A(B, metaclass=C):\n  x: int\n  def f(self): pass"),
      "(class A B metaclass=C @d\n  (: x int _)\n  (def f (self)\n    "
      "(pass)))");
  EXPECT_EQ(parse("class A[T]: pass"), "(class A\n  (pass))");
}

TEST(Parser, Match) {
  EXPECT_EQ(
      parse("match x, y:\n  case 0 | -1: a\n  case [a, *_] if b: c\n  "
            "case {'k': v, **r}: d\n  case P(x, y=z) as w: e\n  case a.b: "
            "f\n  case (1): g\n  case _: h"),
      "(match (tuple x y)\n"
      "  (case (or 0 (- 1))\n    (expr a))\n"
      "  (case (seq ?a *_) if b\n    (expr c))\n"
      "  (case (map (\"k\" ?v) **r)\n    (expr d))\n"
      "  (case (as (class P ?x y=?z) w)\n    (expr e))\n"
      "  (case (. a b)\n    (expr f))\n"
      "  (case 1\n    (expr g))\n"
      "  (case ?_\n    (expr h)))");
  // `match` as an ordinary name.
  EXPECT_EQ(parse("match(x)"), "(expr (call match x))");
  EXPECT_EQ(parse("match[x] = 1"), "(= ([] match x) 1)");
  EXPECT_EQ(parse("match: int = 1"), "(: match int 1)");
  EXPECT_EQ(parse("match - x"), "(expr (- match x))");
}

TEST(Parser, LocalsOfFunctions) {
  Parsed parsed("def f(a, *b):\n"
                "  global g\n"
                "  g = c = 1\n"
                "  for d, e in [x for x in a if (w := x)]: import h.i, j as k\n"
                "  with a as l: pass\n"
                "  try: pass\n"
                "  except E as m: n += 1\n"
                "  def o(): p = 1\n"
                "  class q: r = 1\n"
                "  s: int\n"
                "  o.t = u[0] = 2\n");
  ASSERT_EQ(parsed.errors(), "");
  const auto &function = llvm::cast<FunctionDef>(*parsed.module.body[0]);
  std::string names;
  for (llvm::StringRef name : function.locals)
    names += name.str() + " ";
  EXPECT_EQ(names, "a b c d e w h k l m n o q s ");
  EXPECT_FALSE(function.isGenerator);
  Parsed generator("def f():\n  x = yield 1\n  def g(): return 2\n");
  EXPECT_TRUE(llvm::cast<FunctionDef>(*generator.module.body[0]).isGenerator);
}

TEST(Parser, RangesCoverTheText) {
  Parsed parsed("x = foo(a, b) + c[1]\n");
  const auto &assign = llvm::cast<AssignStmt>(*parsed.module.body[0]);
  EXPECT_EQ(parsed.sources.getText(assign.getRange()), "x = foo(a, b) + c[1]");
  const auto &sum = llvm::cast<BinaryExpr>(*assign.value);
  EXPECT_EQ(parsed.sources.getText(sum.getRange()), "foo(a, b) + c[1]");
  EXPECT_EQ(parsed.sources.getText(sum.opRange), "+");
  EXPECT_EQ(parsed.sources.getText(sum.lhs->getRange()), "foo(a, b)");
  EXPECT_EQ(parsed.sources.getText(sum.rhs->getRange()), "c[1]");
  Parsed function("def f(a):\n  return a\n\nx = 1\n");
  EXPECT_EQ(function.sources.getText(function.module.body[0]->getRange()),
            "def f(a):\n  return a");
}
