//===- Diagnostics.h - Messages about the user's source --------*- C++ -*-===//
//
// Messages read like clang's: `file:line:col: error: sentence`, the source
// line, a caret with ranges, then notes and the chain of calls that led there.
//
//   diags.error(range, "'tl.load' takes a pointer, found " + type)
//       .highlight(argument->getRange())
//       .note(decl, "the pointer is declared here");
//
// The message is delivered when the builder goes out of scope. A call chain is
// kept by CallScope objects on the stack of whoever inlines or evaluates calls:
//
//   CallScope scope(diags, call->getRange(), "softmax");
//
// and every error or warning reported meanwhile gets one note per open scope,
// innermost first: "in 'softmax', called from here".
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_DIAGNOSTICS_H
#define NEREID_COMPILER_LANG_DIAGNOSTICS_H

#include "compiler/Lang/SourceManager.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"

#include <functional>
#include <string>
#include <vector>

namespace nereid::lang {

enum class Severity { Error, Warning, Note };

/// A finished message: plain data, valid on its own. The notes of an error are
/// inside it (`notes`, and in `rendered`), they are not delivered separately.
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string file;     ///< empty when there is no source position
  unsigned line = 0;    ///< from 1, 0 without a position
  unsigned column = 0;  ///< from 1, in Unicode characters
  std::string text;     ///< one sentence, no final full stop, no newline
  std::string rendered; ///< as clang would print it, notes included, ends in \n
  std::vector<Diagnostic> notes; ///< severity Note, `notes` empty
};

using DiagnosticSink = std::function<void(const Diagnostic &)>;

struct DiagnosticOptions {
  bool colors = false; ///< ANSI colours in `rendered`
  unsigned maxErrors =
      20; ///< further errors are counted, not delivered; 0: all
  unsigned maxCallNotes = 10; ///< a longer chain is shown with a gap
};

class DiagnosticEngine;

/// A message under construction. Delivered by the destructor.
class InFlightDiag {
public:
  InFlightDiag(InFlightDiag &&other);
  InFlightDiag(const InFlightDiag &) = delete;
  InFlightDiag &operator=(const InFlightDiag &) = delete;
  ~InFlightDiag();

  /// Underlines another range with ~~~~ when it lies on the caret's line.
  InFlightDiag &highlight(SourceRange range);
  /// Adds a note; an invalid range gives a note without a position.
  InFlightDiag &note(SourceRange range, const llvm::Twine &text);
  InFlightDiag &note(const llvm::Twine &text) {
    return note(SourceRange(), text);
  }
  /// Drops the message.
  void abandon() { engine = nullptr; }

private:
  friend class DiagnosticEngine;
  struct PendingNote {
    SourceRange range;
    std::string text;
  };
  InFlightDiag(DiagnosticEngine *engine, Severity severity, SourceRange range,
               std::string text);
  DiagnosticEngine *engine;
  Severity severity;
  SourceRange range;
  std::string text;
  llvm::SmallVector<SourceRange, 2> highlights;
  llvm::SmallVector<PendingNote, 2> notes;
};

/// Renders and delivers messages. Not thread-safe.
class DiagnosticEngine {
public:
  DiagnosticEngine(const SourceManager &sources, DiagnosticSink sink,
                   DiagnosticOptions options = {});

  /// The caret stands at range.begin; the range is underlined. An invalid
  /// range gives a message without a position.
  InFlightDiag report(Severity severity, SourceRange range,
                      const llvm::Twine &text);
  InFlightDiag error(SourceRange range, const llvm::Twine &text) {
    return report(Severity::Error, range, text);
  }
  InFlightDiag warning(SourceRange range, const llvm::Twine &text) {
    return report(Severity::Warning, range, text);
  }

  /// Errors reported so far, those above the cap included, repetitions not (a
  /// message equal in position and text to an earlier one is dropped).
  unsigned getErrorCount() const { return errorCount; }
  bool hasErrors() const { return errorCount != 0; }
  /// True once the cap is reached: further work only costs time.
  bool isSaturated() const {
    return options.maxErrors && errorCount >= options.maxErrors;
  }

  const SourceManager &getSources() const { return sources; }

  /// Renders one message (no notes) as clang would; used by tests.
  std::string render(Severity severity, SourceRange range, llvm::StringRef text,
                     llvm::ArrayRef<SourceRange> highlights = {}) const;

private:
  friend class InFlightDiag;
  friend class CallScope;
  struct CallFrame {
    SourceRange callSite;
    std::string callee;
  };
  void deliver(InFlightDiag &diag);
  bool isLibrary(SourceRange range) const;
  Diagnostic make(Severity severity, SourceRange range, llvm::StringRef text,
                  llvm::ArrayRef<SourceRange> highlights) const;

  const SourceManager &sources;
  DiagnosticSink sink;
  DiagnosticOptions options;
  std::vector<CallFrame> calls;
  llvm::StringSet<> seen;
  unsigned errorCount = 0;
};

/// While it lives, messages say that they arose in a call of `callee` (may be
/// empty) made at `callSite`.
class CallScope {
public:
  CallScope(DiagnosticEngine &engine, SourceRange callSite,
            llvm::StringRef callee)
      : engine(engine) {
    engine.calls.push_back({callSite, callee.str()});
  }
  ~CallScope() { engine.calls.pop_back(); }
  CallScope(const CallScope &) = delete;
  CallScope &operator=(const CallScope &) = delete;

private:
  DiagnosticEngine &engine;
};

/// The candidate nearest to `name` when it is near enough to suggest, else "".
/// Use: "unknown name 'exp3'" + didYouMean(...) gives "; did you mean 'exp2'?".
llvm::StringRef nearestName(llvm::StringRef name,
                            llvm::ArrayRef<llvm::StringRef> candidates);
std::string didYouMean(llvm::StringRef name,
                       llvm::ArrayRef<llvm::StringRef> candidates);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_DIAGNOSTICS_H
