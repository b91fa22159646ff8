//===- DiagnosticsTest.cpp - How messages look ----------------------------===//

#include "compiler/Lang/Diagnostics.h"

#include <gtest/gtest.h>

using namespace nereid::lang;

namespace {
struct Fixture {
  SourceManager sources;
  const SourceFile *file;
  std::vector<Diagnostic> messages;
  DiagnosticEngine diags;
  explicit Fixture(llvm::StringRef text, DiagnosticOptions options = {})
      : file(sources.addText("k.py", text)),
        diags(
            sources, [this](const Diagnostic &d) { messages.push_back(d); },
            options) {}
  /// The n-th occurrence of a text.
  SourceRange find(llvm::StringRef what, size_t from = 0) {
    size_t at = file->getText().find(what, from);
    return {file->getLoc(at), file->getLoc(at + what.size())};
  }
};
} // namespace

TEST(Diagnostics, CaretAndRange) {
  Fixture f("a = 1\nx = foo(a, b)\n");
  f.diags.error(f.find("foo"), "no such function");
  ASSERT_EQ(f.messages.size(), 1u);
  const Diagnostic &d = f.messages[0];
  EXPECT_EQ(d.file, "k.py");
  EXPECT_EQ(d.line, 2u);
  EXPECT_EQ(d.column, 5u);
  EXPECT_EQ(d.text, "no such function");
  EXPECT_EQ(d.rendered, "k.py:2:5: error: no such function\n"
                        "    2 | x = foo(a, b)\n"
                        "      |     ^~~\n");
}

TEST(Diagnostics, HighlightsAndNotes) {
  Fixture f("x = aa + bb\n");
  f.diags.error(f.find("+"), "types differ")
      .highlight(f.find("aa"))
      .highlight(f.find("bb"))
      .note(f.find("x"), "assigned here")
      .note("think again");
  EXPECT_EQ(f.messages[0].rendered, "k.py:1:8: error: types differ\n"
                                    "    1 | x = aa + bb\n"
                                    "      |     ~~ ^ ~~\n"
                                    "k.py:1:1: note: assigned here\n"
                                    "    1 | x = aa + bb\n"
                                    "      | ^\n"
                                    "note: think again\n");
  EXPECT_EQ(f.messages[0].notes.size(), 2u);
}

TEST(Diagnostics, TabsAndWideCharacters) {
  Fixture f("\tif größe:\n\t\t値 = \t名 + b\n");
  f.diags.error(f.find("größe"), "e1");
  EXPECT_EQ(f.messages[0].column, 5u);
  EXPECT_EQ(f.messages[0].rendered, "k.py:1:5: error: e1\n"
                                    "    1 |         if größe:\n"
                                    "      |            ^~~~~\n");
  f.diags.error(f.find("名"), "e2");
  EXPECT_EQ(f.messages[1].column, 8u);
  EXPECT_EQ(f.messages[1].rendered, "k.py:2:8: error: e2\n"
                                    "    2 |                 値 =    名 + b\n"
                                    "      |                         ^~\n");
}

TEST(Diagnostics, BrokenBytesAndLongLines) {
  Fixture f("x = '\xFF\x01' + y\n");
  f.diags.error(f.find("y"), "e");
  EXPECT_EQ(f.messages[0].rendered, "k.py:1:12: error: e\n"
                                    "    1 | x = '\uFFFD\uFFFD' + y\n"
                                    "      |            ^\n");
  std::string line(1000, 'a');
  line[500] = 'b';
  Fixture g(line);
  g.diags.error(g.find("b"), "e");
  llvm::StringRef rendered = g.messages[0].rendered;
  EXPECT_TRUE(rendered.contains("| ...a"));
  EXPECT_TRUE(rendered.contains("a...\n"));
  auto [first, rest] = rendered.split('\n');
  auto [source, carets] = rest.split('\n');
  EXPECT_EQ(source.find('b'), carets.find('^'));
}

TEST(Diagnostics, SeveralLines) {
  Fixture f("f(a,\n  b)\n");
  f.diags.error({f.file->getLoc(0), f.file->getLoc(8)}, "e");
  EXPECT_EQ(f.messages[0].rendered, "k.py:1:1: error: e\n"
                                    "    1 | f(a,\n"
                                    "      | ^~~~\n");
  // At the end of the file.
  f.diags.error(SourceRange(f.file->getLoc(f.file->getText().size())), "end");
  EXPECT_EQ(f.messages[1].line, 3u);
  EXPECT_EQ(f.messages[1].column, 1u);
  f.diags.error(SourceRange(), "nowhere");
  EXPECT_EQ(f.messages[2].rendered, "error: nowhere\n");
  EXPECT_EQ(f.messages[2].line, 0u);
}

TEST(Diagnostics, CallChain) {
  Fixture f("outer()\ninner()\nx\n");
  {
    CallScope a(f.diags, f.find("outer()"), "outer");
    CallScope b(f.diags, f.find("inner()"), "inner");
    f.diags.error(f.find("x"), "wrong").note("why");
  }
  EXPECT_EQ(f.messages[0].rendered, "k.py:3:1: error: wrong\n"
                                    "    3 | x\n"
                                    "      | ^\n"
                                    "note: why\n"
                                    "k.py:2:1: note: in 'inner', called from "
                                    "here\n"
                                    "    2 | inner()\n"
                                    "      | ^~~~~~~\n"
                                    "k.py:1:1: note: in 'outer', called from "
                                    "here\n"
                                    "    1 | outer()\n"
                                    "      | ^~~~~~~\n");
  std::vector<std::unique_ptr<CallScope>> scopes;
  for (int i = 0; i < 30; ++i)
    scopes.push_back(std::make_unique<CallScope>(f.diags, f.find("outer()"),
                                                 "f" + std::to_string(i)));
  f.diags.error(f.find("x"), "deep");
  const auto &notes = f.messages[1].notes;
  ASSERT_EQ(notes.size(), 11u);
  EXPECT_EQ(notes[0].text, "in 'f29', called from here");
  EXPECT_EQ(notes[9].text, "(20 calls not shown)");
  EXPECT_EQ(notes[10].text, "in 'f0', called from here");
  while (!scopes.empty())
    scopes.pop_back();
}

TEST(Diagnostics, CapAndRepetition) {
  DiagnosticOptions options;
  options.maxErrors = 3;
  Fixture f("abcdefgh\n", options);
  f.diags.error(f.find("a"), "same");
  f.diags.error(f.find("a"), "same");
  EXPECT_EQ(f.messages.size(), 1u);
  EXPECT_EQ(f.diags.getErrorCount(), 1u);
  for (char c = 'a'; c <= 'h'; ++c)
    f.diags.error(f.find(llvm::StringRef(&c, 1)), "each");
  EXPECT_EQ(f.diags.getErrorCount(), 9u);
  EXPECT_TRUE(f.diags.isSaturated());
  ASSERT_EQ(f.messages.size(), 4u);
  EXPECT_EQ(f.messages[3].text,
            "there are 3 errors by now; further ones are not shown");
}

TEST(Diagnostics, ColorsOnlyWhenAsked) {
  DiagnosticOptions options;
  options.colors = true;
  Fixture f("a\n", options);
  f.diags.warning(f.find("a"), "careful");
  EXPECT_EQ(f.messages[0].rendered,
            "\033[1mk.py:1:1: \033[1;35mwarning: \033[0m\033[1mcareful\033[0m\n"
            "    1 | a\n"
            "      | \033[1;32m^\033[0m\n");
  EXPECT_EQ(f.messages[0].text, "careful");
}

TEST(Diagnostics, Suggestions) {
  llvm::StringRef names[] = {"BLOCK_SIZE", "num_warps", "exp2", "exp"};
  EXPECT_EQ(nearestName("BLOKC_SIZE", names), "BLOCK_SIZE");
  EXPECT_EQ(nearestName("block_size", names), "BLOCK_SIZE");
  EXPECT_EQ(didYouMean("exp3", names), "; did you mean 'exp2'?");
  EXPECT_EQ(didYouMean("zzz", names), "");
  EXPECT_EQ(didYouMean("x", names), "");
}
