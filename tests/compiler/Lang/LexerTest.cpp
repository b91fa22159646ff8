//===- LexerTest.cpp - Tokens ---------------------------------------------===//

#include "compiler/Lang/Lexer.h"

#include <gtest/gtest.h>

using namespace nereid::lang;

/// Tokens by their text; layout as NL, >, <; errors as !message!.
static std::string lex(llvm::StringRef text) {
  SourceManager sources;
  const SourceFile *file = sources.addText("t.py", text);
  TokenStream stream = tokenize(*file);
  std::string out;
  for (size_t i = 0; i < stream.tokens.size(); ++i) {
    const Token &t = stream.tokens[i];
    if (!out.empty())
      out += ' ';
    switch (t.kind) {
    case TokenKind::Newline:
      out += "NL";
      break;
    case TokenKind::Indent:
      out += ">";
      break;
    case TokenKind::Dedent:
      out += "<";
      break;
    case TokenKind::EndOfFile:
      out += "EOF";
      break;
    case TokenKind::Error:
      out += "!" + stream.errors.find(i)->second.message + "!";
      break;
    default:
      out += file->getText().slice(t.begin, t.end);
      break;
    }
  }
  return out;
}

TEST(Lexer, LayoutFollowsIndentation) {
  EXPECT_EQ(lex(""), "EOF");
  EXPECT_EQ(lex("# only\n\n   # comments\n"), "EOF");
  EXPECT_EQ(lex("a\n"), "a NL EOF");
  EXPECT_EQ(lex("a"), "a NL EOF");
  EXPECT_EQ(lex("a\r\nb\rc"), "a NL b NL c NL EOF");
  EXPECT_EQ(lex("if a:\n  b\n\n # c\n  d\ne\n"),
            "if a : NL > b NL d NL < e NL EOF");
  EXPECT_EQ(lex("a:\n b:\n  c\nd"), "a : NL > b : NL > c NL < < d NL EOF");
  EXPECT_EQ(lex("a:\n\tb\n        c\n"),
            "a : NL > b NL !inconsistent use of tabs and spaces in the "
            "indentation! c NL < EOF");
  EXPECT_EQ(lex("a:\n    b\n  c\n"),
            "a : NL > b NL < !this indentation matches no enclosing block's "
            "indentation! c NL EOF");
}

TEST(Lexer, LinesJoin) {
  EXPECT_EQ(lex("a = (1,\n  2)\n"), "a = ( 1 , 2 ) NL EOF");
  EXPECT_EQ(lex("a + \\\n  b\n"), "a + b NL EOF");
  EXPECT_EQ(lex("a \\ b\n"),
            "a !a backslash must be the last character of its line! b NL EOF");
}

TEST(Lexer, Numbers) {
  for (const char *text : {"0", "00", "1_000", "0xFf_0", "0o17", "0b1_0", "1.",
                           ".5", "1e5", "1_0.0_1E-1_0", "3j", "1.5J", "0_0"})
    EXPECT_EQ(lex(text), std::string(text) + " NL EOF");
  EXPECT_EQ(lex("1if x else 2"), "1 if x else 2 NL EOF");
  EXPECT_EQ(lex("1..real"), "1. . real NL EOF");
  EXPECT_EQ(lex("1_"), "!invalid decimal literal '1_'! NL EOF");
  EXPECT_EQ(lex("0xg"), "!invalid hexadecimal literal '0xg'! NL EOF");
  EXPECT_EQ(lex("0b12"), "!invalid binary literal '0b12'! NL EOF");
  EXPECT_EQ(lex("12abc"), "!invalid decimal literal '12abc'! NL EOF");
  EXPECT_EQ(lex("0777"),
            "!a decimal number must not begin with 0; an octal one is written "
            "0o777! NL EOF");
}

TEST(Lexer, Strings) {
  for (const char *text :
       {"'a'", "\"a'b\"", "''", "'''a\n'b'''", "r'\\'", "b'x'", "Rb\"y\"",
        "u'z'", "'a\\\nb'", "'\\\\'", "\"\"\"a\"b\"\"\""}) {
    if (llvm::StringRef(text) == "r'\\'")
      continue; // The quote is hidden: not terminated, below.
    EXPECT_EQ(lex(text), std::string(text) + " NL EOF");
  }
  EXPECT_EQ(lex("r'\\'"), "!this string is not terminated on its line! NL EOF");
  EXPECT_EQ(lex("'a\nb"), "!this string is not terminated on its line! NL b "
                          "NL EOF");
  EXPECT_EQ(lex("'''a\nb"), "!this triple-quoted string is not terminated! NL "
                            "EOF");
}

TEST(Lexer, FStrings) {
  EXPECT_EQ(lex("f'a{b}c'"), "f' a { b } c ' NL EOF");
  EXPECT_EQ(lex("f'{a!r:>{w}}'"), "f' { a ! r : > { w } } ' NL EOF");
  EXPECT_EQ(lex("f'{{}}{a}'"), "f' {{}} { a } ' NL EOF");
  EXPECT_EQ(lex("f'{a != b}{c:=5}'"), "f' { a != b } { c : =5 } ' NL EOF");
  // Python 3.12: the same quotes, comments and lines inside a field.
  EXPECT_EQ(lex("f'{d['k']}'"), "f' { d [ 'k' ] } ' NL EOF");
  EXPECT_EQ(lex("f'{f'{f'{1}'}'}'"), "f' { f' { f' { 1 } ' } ' } ' NL EOF");
  EXPECT_EQ(lex("f'''{\na # c\n}'''"), "f''' { a } ''' NL EOF");
  EXPECT_EQ(lex("rf'\\{a}'"), "rf' \\ { a } ' NL EOF");
  EXPECT_EQ(lex("f'\\N{DASH}{a}'"), "f' \\N{DASH} { a } ' NL EOF");
  EXPECT_EQ(lex("f'{(lambda x: x)(1):d}'"),
            "f' { ( lambda x : x ) ( 1 ) : d } ' NL EOF");
  EXPECT_EQ(lex("f'a\nb"), "f' !this f-string is not terminated on its line! "
                           "NL b NL EOF");
  EXPECT_EQ(lex("f'a}'"), "f' a !a single '}' in an f-string; a literal one is "
                          "written '}}'! ' NL EOF");
}

TEST(Lexer, Brackets) {
  EXPECT_EQ(lex("(a]"), "( a !this ']' does not close the '('! NL EOF");
  EXPECT_EQ(lex("a)"), "a !this ')' closes no bracket! NL EOF");
  EXPECT_EQ(lex("(a\n b"), "( a b !this '(' is never closed! NL EOF");
  // A statement cannot begin inside brackets.
  EXPECT_EQ(lex("x = f(a\ndef g(): pass\n"),
            "x = f ( a !this '(' is never closed! NL def g ( ) : pass NL EOF");
  EXPECT_EQ(lex("x = f(a\n@triton.jit\ndef g(): pass\n"),
            "x = f ( a !this '(' is never closed! NL @ triton . jit NL def g ( "
            ") : pass NL EOF");
  // But matrix products may.
  EXPECT_EQ(lex("x = (a\n     @ b)\n"), "x = ( a @ b ) NL EOF");
}

TEST(Lexer, ForeignCharacters) {
  EXPECT_EQ(lex("größe"), "größe NL EOF");
  EXPECT_EQ(lex("名前"), "名前 NL EOF");
  EXPECT_EQ(lex("a “b”"), "a !invalid character '“' (U+201C)! b !invalid "
                          "character '”' (U+201D)! NL EOF");
  EXPECT_EQ(lex("a ? b"), "a !invalid character '?'! b NL EOF");
  EXPECT_EQ(lex("a\xFF"), "a !this byte is not valid UTF-8! NL EOF");
  EXPECT_EQ(lex(llvm::StringRef("a\0b", 3)),
            "a !the source holds a NUL byte! b NL EOF");
  EXPECT_EQ(lex("a <> b"),
            "a !'<>' is not an operator of Python 3; write '!='! b NL EOF");
}

TEST(Lexer, EveryOperator) {
  const char *text = "( ) [ ] { } , : := ; . ... -> @ = + - * ** / // % & | ^ "
                     "~ << >> < > <= >= == != += -= *= /= //= %= @= &= |= ^= "
                     "<<= >>= **=";
  EXPECT_EQ(lex(text), std::string(text) + " NL EOF");
}
