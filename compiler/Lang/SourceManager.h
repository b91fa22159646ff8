//===- SourceManager.h - Texts and positions within them -------*- C++ -*-===//
//
// Every text that the front end reads (files, the prelude, --bind expressions)
// gets a slice of one 32-bit offset space, so that a position is four bytes
// and needs no file beside it. Lines and columns are computed when asked for.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_SOURCEMANAGER_H
#define NEREID_COMPILER_LANG_SOURCEMANAGER_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nereid::lang {

/// A position in one of the texts of a SourceManager. The default one is
/// invalid: "nowhere".
class SourceLoc {
public:
  SourceLoc() = default;
  explicit SourceLoc(uint32_t raw) : raw(raw) {}
  bool isValid() const { return raw != 0; }
  uint32_t getRaw() const { return raw; }
  SourceLoc advanced(int64_t bytes) const {
    return SourceLoc(static_cast<uint32_t>(raw + bytes));
  }
  bool operator==(SourceLoc other) const { return raw == other.raw; }
  bool operator!=(SourceLoc other) const { return raw != other.raw; }
  bool operator<(SourceLoc other) const { return raw < other.raw; }

private:
  uint32_t raw = 0;
};

/// A half-open range of bytes [begin, end) within one text.
struct SourceRange {
  SourceLoc begin;
  SourceLoc end;

  SourceRange() = default;
  SourceRange(SourceLoc begin, SourceLoc end) : begin(begin), end(end) {}
  /// A single position, shown as a caret without a range.
  SourceRange(SourceLoc at) : begin(at), end(at) {}
  bool isValid() const { return begin.isValid(); }
  bool contains(SourceLoc loc) const {
    return begin.getRaw() <= loc.getRaw() && loc.getRaw() < end.getRaw();
  }
  bool operator==(const SourceRange &other) const {
    return begin == other.begin && end == other.end;
  }
};

/// One text. Owned by the SourceManager, immutable, at a stable address.
class SourceFile {
public:
  /// The name shown to the user, as given.
  llvm::StringRef getName() const { return name; }
  /// The text. Byte order mark removed; a NUL byte follows the last byte.
  llvm::StringRef getText() const { return text; }
  SourceLoc getBegin() const { return SourceLoc(base); }
  SourceLoc getLoc(size_t offset) const {
    return SourceLoc(base + static_cast<uint32_t>(offset));
  }
  size_t getOffset(SourceLoc loc) const { return loc.getRaw() - base; }
  /// True for text that came with the compiler: messages about it are shown
  /// where the user called it.
  bool isLibrary() const { return library; }
  bool contains(SourceLoc loc) const {
    return loc.getRaw() >= base && loc.getRaw() <= base + text.size();
  }

private:
  friend class SourceManager;
  std::string name;
  std::string text;
  uint32_t base = 0;
  bool library = false;
  /// Offsets of the first byte of each line; computed on first use.
  mutable std::vector<uint32_t> lineStarts;
};

/// A position as people read it.
struct PresumedLoc {
  const SourceFile *file = nullptr;
  unsigned line = 0;   ///< from 1
  unsigned column = 0; ///< from 1, in Unicode characters (a tab is one)
};

/// Owns the texts. Not thread-safe.
class SourceManager {
public:
  /// Adds a text; `name` is what messages show. Returns null when the 4 GiB
  /// of all texts together are used up.
  const SourceFile *addText(llvm::StringRef name, llvm::StringRef text,
                            bool library = false);

  /// Reads a file. Returns null and sets `error` to a sentence on failure.
  const SourceFile *addFile(llvm::StringRef path, std::string &error);

  /// The paths of every file read, in order.
  const std::vector<std::string> &getFilePaths() const { return paths; }

  /// The text that holds a position; null for an invalid one.
  const SourceFile *getFile(SourceLoc loc) const;

  /// File, line and column; `file` is null for an invalid position.
  PresumedLoc getPresumedLoc(SourceLoc loc) const;

  /// One line without its end, `line` from 1; "" past the end.
  static llvm::StringRef getLine(const SourceFile &file, unsigned line);
  /// The line number (from 1) that holds a position.
  static unsigned getLineNumber(const SourceFile &file, SourceLoc loc);

  /// The source text of a range; "" when invalid.
  llvm::StringRef getText(SourceRange range) const;

private:
  std::vector<std::string> paths;
  std::vector<std::unique_ptr<SourceFile>> files; ///< ascending base
  uint32_t nextBase = 1;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_SOURCEMANAGER_H
