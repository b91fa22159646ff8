//===- Lexer.h - Python text to tokens -------------------------*- C++ -*-===//
//
// Tokens of Python 3.8 to 3.13 with NEWLINE, INDENT and DEDENT, in one pass of
// linear time. f-strings come as FStringStart, then FStringMiddle texts and
// the tokens of `{...}` fields, then FStringEnd (nested ones likewise).
//
// The lexer never fails: what is no token becomes an Error token that carries
// a message. A bracket that is still open where a statement must begin (a line
// that starts with `def`, `class`, `return` ...) is closed there, so that the
// rest of the file keeps its structure.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_LEXER_H
#define NEREID_COMPILER_LANG_LEXER_H

#include "compiler/Lang/SourceManager.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace nereid::lang {

enum class TokenKind : uint8_t {
#define NEREID_TOKEN(ID, TEXT) ID,
#include "compiler/Lang/Tokens.def"
};

/// As messages call it: "'('", "a name", "the end of the line".
llvm::StringRef describe(TokenKind kind);

/// Offsets are relative to the file.
struct Token {
  TokenKind kind;
  uint32_t begin;
  uint32_t end;
};

struct LexError {
  std::string message;
  SourceRange noteRange; ///< valid when there is a note
  std::string note;
  /// A bracket or f-string that runs over the lines that follow it: the cause
  /// of whatever seems wrong there.
  bool unclosed = false;
};

struct TokenStream {
  std::vector<Token> tokens; ///< the last one is EndOfFile
  /// By index of its Error token.
  llvm::DenseMap<uint32_t, LexError> errors;
};

TokenStream tokenize(const SourceFile &file);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_LEXER_H
