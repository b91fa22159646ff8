//===- PipelineMessages.h - MLIR diagnostics as messages -------*- C++ -*-===//
//
// What passes report through MLIR becomes a Message that reads like the front
// end's: location, source line, caret, and the chain of calls that inlined the
// operation.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_PIPELINEMESSAGES_H
#define NEREID_COMPILER_PIPELINEMESSAGES_H

#include "compiler/Pipeline.h"

#include "mlir/IR/Diagnostics.h"

namespace nereid {

/// Turns a diagnostic, its notes included, into one message.
Message toMessage(mlir::Diagnostic &diagnostic);

/// While it lives, diagnostics of `context` go to `sink` as messages.
class MessageHandler {
public:
  MessageHandler(mlir::MLIRContext *context, const MessageSink &sink);
  bool sawError() const { return errors != 0; }

private:
  unsigned errors = 0;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace nereid

#endif // NEREID_COMPILER_PIPELINEMESSAGES_H
