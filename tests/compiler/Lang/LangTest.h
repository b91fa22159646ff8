//===- LangTest.h - What the front end's tests share -----------*- C++ -*-===//

#ifndef NEREID_TESTS_COMPILER_LANG_LANGTEST_H
#define NEREID_TESTS_COMPILER_LANG_LANGTEST_H

#include "compiler/Lang/Module.h"
#include "compiler/Lang/Parser.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace nereid::lang {

/// The tree of a text, and its syntax errors as "line:col: message".
struct Parsed {
  SourceManager sources;
  ASTContext context;
  ModuleAST module;
  explicit Parsed(llvm::StringRef text) {
    module = parseModule(*sources.addText("t.py", text), context);
  }
  std::string dump() const { return nereid::lang::dump(module); }
  std::string at(SourceRange range) const {
    PresumedLoc loc = sources.getPresumedLoc(range.begin);
    return std::to_string(loc.line) + ":" + std::to_string(loc.column);
  }
  std::string errors() const {
    std::string out;
    for (const SyntaxError *error : module.errors)
      out += at(error->range) + ": " + error->message.str() + "\n";
    return out;
  }
};

/// A front end whose messages are kept.
struct Session {
  std::vector<Diagnostic> messages;
  Frontend frontend;
  explicit Session(FrontendOptions options = {})
      : frontend(std::move(options),
                 [this](const Diagnostic &d) { messages.push_back(d); }) {}

  /// "line:col: severity: text" per message, notes indented.
  std::string log() const {
    std::string out;
    auto line = [&](const Diagnostic &d) {
      static const char *words[] = {"error", "warning", "note"};
      if (d.line)
        out += std::to_string(d.line) + ":" + std::to_string(d.column) + ": ";
      out += words[static_cast<int>(d.severity)] + (": " + d.text) + "\n";
    };
    for (const Diagnostic &d : messages) {
      line(d);
      for (const Diagnostic &note : d.notes) {
        out += "  ";
        line(note);
      }
    }
    return out;
  }

  /// Runs a text and gives repr() of an expression in it, or "Type: message",
  /// or "unknown: reason".
  std::string eval(llvm::StringRef expression, llvm::StringRef text = "") {
    Module *module = frontend.loadText("t.py", text);
    ASTContext &ast = frontend.getAST();
    const SourceFile *file =
        frontend.getSources().addText("<expr>", expression);
    const SyntaxError *error = nullptr;
    Expr *expr = parseExpression(*file, ast, error);
    if (!expr)
      return "syntax error: " + error->message.str();
    Evaluator &evaluator = frontend.getEvaluator();
    evaluator.beginRequest();
    Value value = evaluator.evaluate(*expr, module->getGlobals());
    if (!value) {
      EvalError raised = evaluator.takeError();
      return raised.type + ": " + raised.message;
    }
    if (value.isUnknown())
      return "unknown: " + value.getUnknown().reason;
    return repr(value);
  }
};

inline std::string eval(llvm::StringRef expression, llvm::StringRef text = "") {
  return Session().eval(expression, text);
}

/// A folder of files that lives as long as the object.
class TempFolder {
public:
  TempFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "nereid-lang-XXXXXX");
    path = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  std::string write(const std::string &name, const std::string &text) {
    std::filesystem::path file = std::filesystem::path(path) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }
  std::string path;
};

} // namespace nereid::lang

#endif // NEREID_TESTS_COMPILER_LANG_LANGTEST_H
