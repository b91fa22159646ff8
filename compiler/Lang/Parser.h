//===- Parser.h - Python text to a syntax tree -----------------*- C++ -*-===//
//
// Reads whole Python files (3.8 to 3.13) in linear time. Parsing never fails
// as a whole: a statement that cannot be read becomes an ErrorStmt, and parsing
// goes on behind it.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_PARSER_H
#define NEREID_COMPILER_LANG_PARSER_H

#include "compiler/Lang/AST.h"
#include "compiler/Lang/Diagnostics.h"

namespace nereid::lang {

/// Parses a file. The tree lives in `context`; its positions refer to `file`.
ModuleAST parseModule(const SourceFile &file, ASTContext &context);

/// Parses a text that is one expression. Returns null and sets `error` when
/// it is none.
Expr *parseExpression(const SourceFile &file, ASTContext &context,
                      const SyntaxError *&error);

/// Hands a syntax error to the user.
void report(const SyntaxError &error, DiagnosticEngine &diags);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_PARSER_H
