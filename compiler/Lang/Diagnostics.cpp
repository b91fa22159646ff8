//===- Diagnostics.cpp - Messages about the user's source -----------------===//

#include "compiler/Lang/Diagnostics.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"

using namespace nereid::lang;

//===----------------------------------------------------------------------===//
// InFlightDiag
//===----------------------------------------------------------------------===//

InFlightDiag::InFlightDiag(DiagnosticEngine *engine, Severity severity,
                           SourceRange range, std::string text)
    : engine(engine), severity(severity), range(range), text(std::move(text)) {}

InFlightDiag::InFlightDiag(InFlightDiag &&other)
    : engine(other.engine), severity(other.severity), range(other.range),
      text(std::move(other.text)), highlights(std::move(other.highlights)),
      notes(std::move(other.notes)) {
  other.engine = nullptr;
}

InFlightDiag::~InFlightDiag() {
  if (engine)
    engine->deliver(*this);
}

InFlightDiag &InFlightDiag::highlight(SourceRange extra) {
  highlights.push_back(extra);
  return *this;
}

InFlightDiag &InFlightDiag::note(SourceRange where, const llvm::Twine &what) {
  notes.push_back({where, what.str()});
  return *this;
}

//===----------------------------------------------------------------------===//
// Rendering
//===----------------------------------------------------------------------===//

namespace {
/// A source line as the terminal shows it, with the display column of every
/// byte: tabs expanded, undisplayable bytes replaced, wide characters two
/// columns.
struct DisplayLine {
  std::string text;
  /// Display column (from 0) of each byte of the source line, and of its end.
  std::vector<unsigned> columns;

  explicit DisplayLine(llvm::StringRef line);
};
} // namespace

DisplayLine::DisplayLine(llvm::StringRef line) {
  constexpr unsigned kTabStop = 8;
  unsigned column = 0;
  columns.reserve(line.size() + 1);
  for (size_t i = 0; i < line.size();) {
    unsigned char c = static_cast<unsigned char>(line[i]);
    if (c == '\t') {
      columns.push_back(column);
      unsigned width = kTabStop - column % kTabStop;
      text.append(width, ' ');
      column += width;
      ++i;
      continue;
    }
    unsigned length =
        std::min<size_t>(llvm::getNumBytesForUTF8(c), line.size() - i);
    llvm::StringRef bytes = line.substr(i, length);
    const auto *begin = reinterpret_cast<const llvm::UTF8 *>(bytes.data());
    int width = -1;
    if (llvm::isLegalUTF8Sequence(begin, begin + length))
      width = llvm::sys::unicode::columnWidthUTF8(bytes);
    else
      length = 1;
    if (width < 0) {          // Not printable.
      text += "\xEF\xBF\xBD"; // U+FFFD
      width = 1;
    } else {
      text += bytes;
    }
    columns.insert(columns.end(), length, column);
    column += static_cast<unsigned>(width);
    i += length;
  }
  columns.push_back(column);
}

/// Marks bytes [begin, end) of a line with `mark` in `carets`.
static void markRange(const DisplayLine &line, size_t begin, size_t end,
                      std::string &carets) {
  if (begin >= line.columns.size())
    return;
  end = std::min(end, line.columns.size() - 1);
  unsigned from = line.columns[begin];
  unsigned to = line.columns[end];
  if (carets.size() < to)
    carets.resize(to, ' ');
  for (unsigned c = from; c < to; ++c)
    carets[c] = '~';
}

/// The source line and the carets under it; "" without a position.
static std::string renderSnippet(const SourceManager &sources,
                                 SourceRange range,
                                 llvm::ArrayRef<SourceRange> highlights,
                                 bool colors) {
  PresumedLoc at = sources.getPresumedLoc(range.begin);
  if (!at.file)
    return "";
  llvm::StringRef source = SourceManager::getLine(*at.file, at.line);
  DisplayLine line(source);
  size_t lineBegin = source.data() - at.file->getText().data();

  std::string carets;
  auto mark = [&](SourceRange r) {
    if (!r.isValid() || !at.file->contains(r.begin) ||
        !at.file->contains(r.end))
      return;
    size_t begin = at.file->getOffset(r.begin);
    size_t end = at.file->getOffset(r.end);
    size_t lineEnd = lineBegin + source.size();
    if (end < lineBegin || begin > lineEnd)
      return;
    begin = std::max(begin, lineBegin) - lineBegin;
    end = std::min(end, lineEnd) - lineBegin;
    // A range from an earlier line begins after the indentation.
    if (r.begin.getRaw() < at.file->getLoc(lineBegin).getRaw())
      while (begin < end && (source[begin] == ' ' || source[begin] == '\t'))
        ++begin;
    markRange(line, begin, end, carets);
  };
  for (SourceRange highlight : highlights)
    mark(highlight);
  mark(range);
  size_t caretByte = std::min<size_t>(
      at.file->getOffset(range.begin) - lineBegin, line.columns.size() - 1);
  unsigned caret = line.columns[caretByte];
  if (carets.size() <= caret)
    carets.resize(caret + 1, ' ');
  carets[caret] = '^';

  // A very long line is cut around the caret. ASCII only: cutting by bytes
  // would tear other characters apart.
  constexpr unsigned kMaxWidth = 160;
  std::string text = std::move(line.text);
  if (text.size() > kMaxWidth && llvm::isASCII(text)) {
    size_t from = caret > kMaxWidth / 2 ? caret - kMaxWidth / 2 : 0;
    size_t length = std::min<size_t>(kMaxWidth, text.size() - from);
    bool cutEnd = from + length < text.size();
    text =
        (from ? "..." : "") + text.substr(from, length) + (cutEnd ? "..." : "");
    carets = (from ? "   " : "") +
             (from < carets.size() ? carets.substr(from, length) : "");
  }

  std::string number = std::to_string(at.line);
  std::string out;
  llvm::raw_string_ostream os(out);
  size_t gutter = std::max<size_t>(number.size(), 5);
  os.indent(gutter - number.size()) << number << " | " << text << '\n';
  os.indent(gutter) << " | " << (colors ? "\033[1;32m" : "") << carets
                    << (colors ? "\033[0m" : "") << '\n';
  return out;
}

Diagnostic
DiagnosticEngine::make(Severity severity, SourceRange range,
                       llvm::StringRef text,
                       llvm::ArrayRef<SourceRange> highlights) const {
  Diagnostic result;
  result.severity = severity;
  result.text = text.str();
  PresumedLoc at = sources.getPresumedLoc(range.begin);
  bool colors = options.colors;
  llvm::raw_string_ostream os(result.rendered);
  if (colors)
    os << "\033[1m";
  if (at.file) {
    result.file = at.file->getName().str();
    result.line = at.line;
    result.column = at.column;
    os << result.file << ':' << at.line << ':' << at.column << ": ";
  }
  static constexpr llvm::StringLiteral words[] = {"error", "warning", "note"};
  static constexpr llvm::StringLiteral codes[] = {"\033[1;31m", "\033[1;35m",
                                                  "\033[1;30m"};
  unsigned index = static_cast<unsigned>(severity);
  if (colors)
    os << codes[index] << words[index] << ": \033[0m"
       << (severity == Severity::Note ? "" : "\033[1m") << text << "\033[0m";
  else
    os << words[index] << ": " << text;
  os << '\n' << renderSnippet(sources, range, highlights, colors);
  return result;
}

//===----------------------------------------------------------------------===//
// DiagnosticEngine
//===----------------------------------------------------------------------===//

DiagnosticEngine::DiagnosticEngine(const SourceManager &sources,
                                   DiagnosticSink sink,
                                   DiagnosticOptions options)
    : sources(sources), sink(std::move(sink)), options(options) {}

InFlightDiag DiagnosticEngine::report(Severity severity, SourceRange range,
                                      const llvm::Twine &text) {
  return InFlightDiag(this, severity, range, text.str());
}

std::string
DiagnosticEngine::render(Severity severity, SourceRange range,
                         llvm::StringRef text,
                         llvm::ArrayRef<SourceRange> highlights) const {
  return make(severity, range, text, highlights).rendered;
}

bool DiagnosticEngine::isLibrary(SourceRange range) const {
  const SourceFile *file = sources.getFile(range.begin);
  return file && file->isLibrary();
}

void DiagnosticEngine::deliver(InFlightDiag &diag) {
  // A mistake that shows inside the compiler's own library is one of the call
  // that the user wrote.
  size_t count = calls.size();
  if (isLibrary(diag.range)) {
    size_t frame = count;
    while (frame > 0 && isLibrary(calls[frame - 1].callSite))
      --frame;
    if (frame > 0) {
      diag.range = calls[frame - 1].callSite;
      diag.text = "in 'tl." + calls[frame - 1].callee + "': " + diag.text;
      diag.highlights.clear();
      llvm::erase_if(diag.notes, [&](const InFlightDiag::PendingNote &note) {
        return isLibrary(note.range);
      });
      count = frame - 1;
    }
  }
  std::string key = std::to_string(diag.range.begin.getRaw()) + ":" +
                    std::to_string(static_cast<int>(diag.severity)) + ":" +
                    diag.text;
  if (!seen.insert(key).second)
    return;
  if (diag.severity == Severity::Error) {
    ++errorCount;
    if (options.maxErrors && errorCount > options.maxErrors)
      return;
  } else if (isSaturated()) {
    return;
  }

  Diagnostic message =
      make(diag.severity, diag.range, diag.text, diag.highlights);
  auto addNote = [&](SourceRange range, llvm::StringRef text) {
    Diagnostic note = make(Severity::Note, range, text, {});
    message.rendered += note.rendered;
    message.notes.push_back(std::move(note));
  };
  for (const InFlightDiag::PendingNote &note : diag.notes)
    addNote(note.range, note.text);
  if (diag.severity != Severity::Note) {
    size_t limit = options.maxCallNotes;
    // Of a long chain, show its innermost calls and the outermost one.
    size_t head = !limit || count <= limit ? count : limit - 1;
    auto addCall = [&](const CallFrame &frame) {
      if (isLibrary(frame.callSite))
        return;
      addNote(frame.callSite, frame.callee.empty() ? "called from here"
                                                   : "in '" + frame.callee +
                                                         "', called from here");
    };
    for (size_t i = 0; i < head; ++i)
      addCall(calls[count - 1 - i]);
    if (head < count) {
      size_t skipped = count - head - 1;
      if (skipped)
        addNote(SourceRange(),
                "(" + std::to_string(skipped) + " calls not shown)");
      addCall(calls.front());
    }
  }
  bool last = diag.severity == Severity::Error && options.maxErrors &&
              errorCount == options.maxErrors && options.maxErrors > 1;
  if (sink)
    sink(message);
  if (last && sink)
    sink(make(Severity::Note, SourceRange(),
              "there are " + std::to_string(errorCount) +
                  " errors by now; further ones are not shown",
              {}));
}

//===----------------------------------------------------------------------===//
// Suggestions
//===----------------------------------------------------------------------===//

llvm::StringRef
nereid::lang::nearestName(llvm::StringRef name,
                          llvm::ArrayRef<llvm::StringRef> candidates) {
  llvm::StringRef best;
  // A third of the letters may differ, but at least one.
  unsigned bestDistance = std::max<size_t>(1, name.size() / 3) + 1;
  for (llvm::StringRef candidate : candidates) {
    if (candidate == name)
      continue;
    unsigned distance =
        candidate.edit_distance_insensitive(name, true, bestDistance);
    // Between equals, one of the same length, then the alphabet: the order of
    // candidates may come from a hash table.
    auto rank = [&](llvm::StringRef c) {
      return std::pair(c.size() != name.size(), c);
    };
    if (distance < bestDistance || (distance == bestDistance && !best.empty() &&
                                    rank(candidate) < rank(best))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  // One-letter names are all alike.
  return name.size() < 2 ? llvm::StringRef() : best;
}

std::string
nereid::lang::didYouMean(llvm::StringRef name,
                         llvm::ArrayRef<llvm::StringRef> candidates) {
  llvm::StringRef best = nearestName(name, candidates);
  return best.empty() ? "" : "; did you mean '" + best.str() + "'?";
}
