//===- PipelineMessages.cpp - MLIR diagnostics as messages ----------------===//

#include "compiler/PipelineMessages.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace nereid {
namespace {

/// A location as a user reads it: the innermost file position, and the calls
/// that led there, innermost first.
struct Position {
  FileLineColLoc place;
  SmallVector<FileLineColLoc, 4> calls;
};

FileLineColLoc findPlace(Location location, Position &position) {
  if (auto place = dyn_cast<FileLineColLoc>(location))
    return place;
  if (auto name = dyn_cast<NameLoc>(location))
    return findPlace(name.getChildLoc(), position);
  if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      if (FileLineColLoc place = findPlace(part, position))
        return place;
    return nullptr;
  }
  if (auto call = dyn_cast<CallSiteLoc>(location)) {
    FileLineColLoc place = findPlace(call.getCallee(), position);
    Position caller;
    if (FileLineColLoc site = findPlace(call.getCaller(), caller)) {
      position.calls.push_back(site);
      position.calls.append(caller.calls);
    }
    return place ? place : position.calls.empty() ? nullptr : position.calls[0];
  }
  return nullptr;
}

/// Line `line` of a file, without its end; "" when it cannot be read (the IR
/// may come from another machine).
std::string sourceLine(StringRef file, unsigned line) {
  auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/true);
  if (!buffer)
    return "";
  StringRef rest = (*buffer)->getBuffer();
  for (unsigned i = 1; i < line && !rest.empty(); ++i)
    rest = rest.split('\n').second;
  return rest.split('\n').first.rtrim('\r').str();
}

void render(llvm::raw_ostream &os, FileLineColLoc place, StringRef severity,
            StringRef text) {
  if (place)
    os << place.getFilename().getValue() << ':' << place.getLine() << ':'
       << place.getColumn() << ": ";
  os << severity << ": " << text << '\n';
  if (!place)
    return;
  std::string line =
      sourceLine(place.getFilename().getValue(), place.getLine());
  if (line.empty())
    return;
  os << line << '\n';
  // Tabs are repeated so that the caret stands below its character.
  for (unsigned column = 1; column < place.getColumn(); ++column)
    os << (column <= line.size() && line[column - 1] == '\t' ? '\t' : ' ');
  os << "^\n";
}

StringRef severityWord(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
  case DiagnosticSeverity::Remark:
    return "note";
  }
  return "note";
}

} // namespace

Message toMessage(Diagnostic &diagnostic) {
  Message message;
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    message.severity = Message::Severity::Error;
    break;
  case DiagnosticSeverity::Warning:
    message.severity = Message::Severity::Warning;
    break;
  case DiagnosticSeverity::Note:
  case DiagnosticSeverity::Remark:
    message.severity = Message::Severity::Note;
    break;
  }
  message.text = diagnostic.str();
  Position position;
  position.place = findPlace(diagnostic.getLocation(), position);
  if (position.place) {
    message.file = position.place.getFilename().str();
    message.line = position.place.getLine();
    message.column = position.place.getColumn();
  }
  llvm::raw_string_ostream os(message.rendered);
  render(os, position.place, severityWord(diagnostic.getSeverity()),
         message.text);
  for (FileLineColLoc call : position.calls)
    render(os, call, "note", "called from here");
  for (Diagnostic &note : diagnostic.getNotes()) {
    Position at;
    at.place = findPlace(note.getLocation(), at);
    render(os, at.place, "note", note.str());
  }
  return message;
}

MessageHandler::MessageHandler(MLIRContext *context, const MessageSink &sink)
    : handler(context, [this, &sink](Diagnostic &diagnostic) {
        errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
        sink(toMessage(diagnostic));
        return success();
      }) {}

} // namespace nereid
