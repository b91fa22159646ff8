//===- SyntaxErrorTest.cpp - What is wrong, where, and what survives ------===//

#include "tests/compiler/Lang/LangTest.h"

using namespace nereid::lang;

static std::string errors(llvm::StringRef text) {
  return Parsed(text).errors();
}

TEST(SyntaxErrors, ExactMessages) {
  struct Row {
    const char *text, *error;
  } rows[] = {
      {"x = ", "1:4: expected an expression, found the end of the line"},
      {"x = )", "1:5: this ')' closes no bracket"},
      {"x = (1, 2", "1:5: this '(' is never closed"},
      {"f(a b)", "1:5: expected ',' or ')', found 'b'"},
      {"[a b]", "1:4: expected ',' or ']', found 'b'"},
      {"{a: b c}", "1:7: expected ',' or '}', found 'c'"},
      {"{a: b, c}", "1:9: expected ':' after the key, found '}'"},
      {"x[]", "1:2: expected an index between '[' and ']'"},
      {"a.1", "1:2: expected the end of the statement, found '.1'"},
      {"a.(b)", "1:3: expected the name of an attribute after '.', found '('"},
      {"a b", "1:3: expected the end of the statement, found 'b'"},
      {"print 'x'", "1:7: expected '(' after 'print', which is a function in "
                    "Python 3"},
      {"if x = 1: pass",
       "1:6: expected ':' after the condition of 'if', found '='; a comparison "
       "is written '=='"},
      {"if x\n  y", "1:5: expected ':' after the condition of 'if', found the "
                    "end of the line"},
      {"if x:\ny", "2:1: expected an indented block after the condition of "
                   "'if'"},
      {"while x:", "1:9: expected an indented block after the condition of "
                   "'while'"},
      {"for x of y: pass", "1:7: expected 'in' after the loop variable, found "
                           "'of'"},
      {"for 1 in x: pass", "1:5: cannot assign to a literal"},
      {"f() = 1", "1:1: cannot assign to a function call"},
      {"a + b = 1", "1:1: cannot assign to the result of an operator"},
      {"a == b = 1", "1:1: cannot assign to a comparison; did you mean '==' "
                     "for '='?"},
      {"None = 1", "1:1: cannot assign to None"},
      {"(a, b) += 1", "1:1: cannot assign to a tuple"},
      {"del f()", "1:5: cannot delete a function call"},
      {"*a, *b = c", "1:5: only one starred name can stand in an assignment"},
      {"x = *a", "1:5: a starred expression cannot stand alone"},
      {"f(a=1, b)", "1:8: a positional argument follows a keyword argument"},
      {"f(**a, b)", "1:8: a positional argument follows a '**' argument"},
      {"f(a=1, a=2)", "1:8: the keyword argument 'a' is given twice"},
      {"f(a.b=1)",
       "1:3: the name of a keyword argument must be a plain name; a "
       "comparison is written '=='"},
      {"f(x for x in y, z)",
       "1:3: a generator expression among other arguments "
       "needs its own parentheses"},
      {"[*x for x in y]",
       "1:2: a starred expression cannot be the element of a "
       "comprehension"},
      {"a if b",
       "1:7: expected 'else' of the conditional expression, found the "
       "end of the line"},
      {"x = 1 +", "1:8: expected an expression, found the end of the line"},
      {"1 + lambda: 2", "1:5: a lambda needs parentheses here"},
      {"def f(a, a): pass", "1:10: the parameter 'a' appears twice"},
      {"def f(a=1, b): pass", "1:12: the parameter 'b' without a default "
                              "follows one with a default"},
      {"def f(*): pass", "1:8: expected the name of a parameter, found ')'"},
      {"def f(*, **k): pass", "1:7: a parameter must follow a bare '*'"},
      {"def f(**k, a): pass", "1:12: no parameter can follow the '**' one"},
      {"def f(/, a): pass",
       "1:7: '/' stands once, after the positional-only parameters"},
      {"def f(*a, *b): pass", "1:11: '*' can stand only once"},
      {"def f(*a=1): pass", "1:9: a '*' parameter has no default"},
      {"def f(1): pass", "1:7: expected the name of a parameter, found '1'"},
      {"def (a): pass", "1:5: expected the name of the function, found '('"},
      {"def f: pass", "1:6: expected '(' after the function's name, found ':'"},
      {"class 1: pass", "1:7: expected the name of the class, found '1'"},
      {"@a\nx = 1", "2:1: expected a function or a class after the decorator, "
                    "found 'x'"},
      {"@a b\ndef f(): pass", "1:4: expected the end of the line after a "
                              "decorator, found 'b'"},
      {"import", "1:7: expected the name of a module, found the end of the "
                 "line"},
      {"from a import", "1:14: expected a name to import, found the end of the "
                        "line"},
      {"from import b", "1:6: expected the name of a module, found 'import'"},
      {"import a as 1", "1:13: expected a name after 'as', found '1'"},
      {"try: x", "1:1: this 'try' has neither 'except' nor 'finally'"},
      {"try: x\nexcept A, B: y",
       "2:9: several types of exception need parentheses around them"},
      {"else: x", "1:1: 'else' belongs to no statement before it (is it "
                  "indented as that is?)"},
      {"  x = 1", "1:3: this line is indented more than the one before, but no "
                  "block begins here"},
      {"x = 1\n  y = 2", "2:3: this line is indented more than the one before, "
                         "but no block begins here"},
      {"f'{}'", "1:3: expected an expression after '{' in an f-string"},
      {"f'{a!x}'", "1:6: expected 'r', 's' or 'a' after '!' in an f-string"},
      {"f'{a b}'", "1:6: expected '}', found 'b'"},
      {"f'{a:{b}'", "1:3: this '{' of the f-string is never closed"},
      {"'a' b'b'", "1:1: text and bytes literals cannot be mixed"},
      {"'\\xg'", "1:2: '\\x' needs 2 hexadecimal digits"},
      {"async x", "1:7: expected 'def', 'for' or 'with' after 'async', found "
                  "'x'"},
      {"match x:\n  case 1: a\n  b", "3:3: expected 'case', found 'b'"},
      {"match x:\n  case 1 +: a", "2:11: expected an expression, found ':'"},
      {"x = 0777",
       "1:5: a decimal number must not begin with 0; an octal one is "
       "written 0o777"},
      {"x = \"abc", "1:5: this string is not terminated on its line"},
      {"global 1", "1:8: expected a name, found '1'"},
      {"x = yield = 1", "1:5: cannot assign to a yield expression"},
  };
  for (const Row &row : rows)
    EXPECT_EQ(errors(row.text), std::string(row.error) + "\n") << row.text;
}

TEST(SyntaxErrors, OneBrokenFunctionDoesNotLoseTheOthers) {
  Parsed parsed("def a():\n"
                "  x = (1 +\n"
                "  return x\n"
                "def b():\n"
                "  if x = 2:\n"
                "    y\n"
                "  return 3\n"
                "def c():\n"
                "  return 4\n"
                "z = = 5\n");
  EXPECT_EQ(parsed.errors(),
            "2:7: this '(' is never closed\n"
            "5:8: expected ':' after the condition of 'if', found '='; a "
            "comparison is written '=='\n"
            "10:5: expected an expression, found '='\n");
  ASSERT_EQ(parsed.module.body.size(), 4u);
  EXPECT_EQ(parsed.module.moduleErrors.size(), 1u);
  const char *names[] = {"a", "b", "c"};
  size_t counts[] = {1, 1, 0};
  for (unsigned i = 0; i < 3; ++i) {
    const auto &function = llvm::cast<FunctionDef>(*parsed.module.body[i]);
    EXPECT_EQ(function.name, names[i]);
    EXPECT_EQ(function.errors.size(), counts[i]);
  }
  EXPECT_EQ(dump(*parsed.module.body[1]),
            "(def b ()\n  (error \"expected ':' after the condition of 'if', "
            "found '='; a comparison is written '=='\")\n  (expr y)\n  (return "
            "3))");
}

TEST(SyntaxErrors, BrokenHeadersBelongToTheirFunction) {
  Parsed parsed("@triton.autotune(configs=[\n"
                "@triton.jit\n"
                "def a(x):\n"
                "  pass\n"
                "def b(x, 1):\n"
                "  return 2\n"
                "def c(): pass\n");
  EXPECT_EQ(parsed.errors(),
            "1:17: this '(' is never closed\n"
            "5:10: expected the name of a parameter, found '1'\n");
  EXPECT_TRUE(parsed.module.moduleErrors.empty());
  ASSERT_EQ(parsed.module.body.size(), 3u);
  const auto &a = llvm::cast<FunctionDef>(*parsed.module.body[0]);
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.decorators.size(), 1u);
  EXPECT_EQ(a.errors.size(), 1u);
  EXPECT_EQ(llvm::cast<FunctionDef>(*parsed.module.body[1]).errors.size(), 1u);
  EXPECT_EQ(llvm::cast<FunctionDef>(*parsed.module.body[2]).errors.size(), 0u);
}

TEST(SyntaxErrors, SeveralInOneFunction) {
  EXPECT_EQ(errors("def f():\n  a = \n  b = 1 2\n  c = 3\n  d = (4\n"),
            "2:6: expected an expression, found the end of the line\n"
            "3:9: expected the end of the statement, found '2'\n"
            "5:7: this '(' is never closed\n");
}

/// Hostile input: deep or long, an error or a tree, never a crash.
TEST(SyntaxErrors, LimitsOfDepth) {
  auto repeat = [](const char *text, unsigned count) {
    std::string out;
    for (unsigned i = 0; i < count; ++i)
      out += text;
    return out;
  };
  EXPECT_EQ(errors("x = " + repeat("(", 100000)),
            "1:5: this '(' is never closed\n");
  EXPECT_EQ(errors("x = " + repeat("(", 100000) + repeat(")", 100000)),
            "1:205: brackets are nested more than 200 deep\n");
  EXPECT_EQ(errors("x = " + repeat("-", 100000) + "1"),
            "1:404: expressions are nested more than 400 deep\n");
  EXPECT_EQ(errors("x = " + repeat("not ", 100000) + "1"),
            "1:1601: expressions are nested more than 400 deep\n");
  EXPECT_EQ(errors("x = " + repeat("lambda: ", 100000) + "1"),
            "1:3205: expressions are nested more than 400 deep\n");
  EXPECT_EQ(errors("x = " + repeat("1 + ", 100000) + "1"),
            "1:5: this expression combines more than 400 operations in one "
            "chain; split it\n");
  EXPECT_EQ(errors("x = a" + repeat(".b", 100000)),
            "1:5: this expression combines more than 400 operations in one "
            "chain; split it\n");
  EXPECT_EQ(errors("x = " + repeat("1 if a else ", 100000) + "1"),
            "1:4805: expressions are nested more than 400 deep\n");
  EXPECT_EQ(errors("x = " + repeat("2 ** ", 100000) + "1"),
            "1:2002: expressions are nested more than 400 deep\n");
  // Long but flat is fine.
  EXPECT_EQ(errors("x = [" + repeat("1, ", 100000) + "]"), "");
  EXPECT_EQ(errors(repeat("if a: b\n", 1) + repeat("elif a: b\n", 100000)), "");
  EXPECT_EQ(errors(repeat("x = y and z\n", 100000)), "");
  EXPECT_EQ(errors("x = " + repeat("a and ", 100000) + "b"), "");
  std::string nested;
  for (unsigned i = 0; i < 120; ++i)
    nested += std::string(i, ' ') + "if x:\n";
  EXPECT_NE(errors(nested + std::string(120, ' ') + "y\n")
                .find("more than 100 levels of indentation"),
            std::string::npos);
  EXPECT_NE(errors(repeat("f'{", 100000)), "");
  EXPECT_NE(errors(repeat("x = )\n", 5000)), "");
}
