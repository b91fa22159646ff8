//===- SourceManager.cpp - Texts and positions within them ----------------===//

#include "compiler/Lang/SourceManager.h"

#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <limits>

using namespace nereid::lang;

const SourceFile *SourceManager::addText(llvm::StringRef name,
                                         llvm::StringRef text, bool library) {
  text.consume_front("\xEF\xBB\xBF");
  // One spare position after each text, so that its end is a position of its
  // own and not the begin of the next.
  uint64_t end = static_cast<uint64_t>(nextBase) + text.size() + 1;
  if (end > std::numeric_limits<uint32_t>::max())
    return nullptr;
  auto file = std::make_unique<SourceFile>();
  file->name = name.str();
  file->text = text.str();
  file->base = nextBase;
  file->library = library;
  nextBase = static_cast<uint32_t>(end);
  files.push_back(std::move(file));
  return files.back().get();
}

const SourceFile *SourceManager::addFile(llvm::StringRef path,
                                         std::string &error) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer) {
    error = buffer.getError().message();
    return nullptr;
  }
  const SourceFile *file = addText(path, (*buffer)->getBuffer());
  if (!file)
    error = "the source files together are larger than 4 GiB";
  else
    paths.push_back(path.str());
  return file;
}

const SourceFile *SourceManager::getFile(SourceLoc loc) const {
  if (!loc.isValid())
    return nullptr;
  auto it = std::upper_bound(
      files.begin(), files.end(), loc,
      [](SourceLoc l, const std::unique_ptr<SourceFile> &file) {
        return l < file->getBegin();
      });
  if (it == files.begin())
    return nullptr;
  const SourceFile *file = std::prev(it)->get();
  return file->contains(loc) ? file : nullptr;
}

/// Offsets of the first byte of each line. "\n", "\r\n" and "\r" end a line.
static void computeLineStarts(llvm::StringRef text,
                              std::vector<uint32_t> &starts) {
  starts.push_back(0);
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n')
      continue;
    if (c == '\n' || c == '\r')
      starts.push_back(static_cast<uint32_t>(i + 1));
  }
}

unsigned SourceManager::getLineNumber(const SourceFile &file, SourceLoc loc) {
  if (file.lineStarts.empty())
    computeLineStarts(file.text, file.lineStarts);
  auto it = std::upper_bound(file.lineStarts.begin(), file.lineStarts.end(),
                             static_cast<uint32_t>(file.getOffset(loc)));
  return static_cast<unsigned>(it - file.lineStarts.begin());
}

llvm::StringRef SourceManager::getLine(const SourceFile &file, unsigned line) {
  if (file.lineStarts.empty())
    computeLineStarts(file.text, file.lineStarts);
  if (line == 0 || line > file.lineStarts.size())
    return "";
  size_t begin = file.lineStarts[line - 1];
  size_t end =
      line < file.lineStarts.size() ? file.lineStarts[line] : file.text.size();
  return llvm::StringRef(file.text).slice(begin, end).rtrim("\r\n");
}

PresumedLoc SourceManager::getPresumedLoc(SourceLoc loc) const {
  PresumedLoc result;
  result.file = getFile(loc);
  if (!result.file)
    return result;
  result.line = getLineNumber(*result.file, loc);
  size_t begin = result.file->lineStarts[result.line - 1];
  llvm::StringRef before =
      result.file->getText().slice(begin, result.file->getOffset(loc));
  // Count the bytes that begin a character: all but UTF-8 continuations.
  result.column = 1 + static_cast<unsigned>(llvm::count_if(
                          before, [](char c) { return (c & 0xC0) != 0x80; }));
  return result;
}

llvm::StringRef SourceManager::getText(SourceRange range) const {
  const SourceFile *file = getFile(range.begin);
  if (!file || !file->contains(range.end) || range.end < range.begin)
    return "";
  return file->getText().slice(file->getOffset(range.begin),
                               file->getOffset(range.end));
}
