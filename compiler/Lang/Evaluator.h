//===- Evaluator.h - Python at compile time --------------------*- C++ -*-===//
//
// Runs the part of Python that decides what a kernel is: module-level code,
// helper functions, constexpr functions, and, for the code generator, every
// operation of a kernel whose operands are all known.
//
// Errors. Like Python, an operation that fails raises: it returns the invalid
// Value (or false, or nullopt) and leaves one pending EvalError. The caller
// then either hands it to the user with reportError(), or drops it with
// takeError(). No other call may be made while an error is pending.
//
//   Value v = eval.binary(BinaryOp::FloorDiv, a, b, range);
//   if (!v)
//     return eval.reportError(), failure();
//
// Unknown operands give Unknown results, never an error; ask
// reportUnknown(value, range, what) when such a value is needed after all.
// Tensor and Handle values may be passed around, stored in tuples and returned,
// and `is None` is false for them; every other operation on one gives an
// Unknown. Test Value::isCompileTime() (or anyRuntime()) first when the
// operation has a run-time form.
//
// Everything terminates: steps, call depth and sizes are limited.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_EVALUATOR_H
#define NEREID_COMPILER_LANG_EVALUATOR_H

#include "compiler/Lang/AST.h"
#include "compiler/Lang/Diagnostics.h"
#include "compiler/Lang/Value.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace nereid::lang {

class Frontend;
class EvaluatorImpl;

struct EvalLimits {
  uint64_t maxSteps = 2000000;    ///< expressions and statements per request
  unsigned maxCallDepth = 100;    ///< Python calls
  unsigned maxNesting = 1500;     ///< nested evaluations, calls included
  uint64_t maxElements = 1000000; ///< of one sequence or string
};

/// A Python exception on its way.
struct EvalError {
  /// "NameError", "TypeError", "ImportError" ...; "LimitError" for a limit of
  /// the evaluator and "Unsupported" for Python that it does not run: those
  /// two are not caught by `except Exception`.
  std::string type;
  std::string message;
  SourceRange range;
  struct Note {
    SourceRange range;
    std::string text;
  };
  std::vector<Note> notes;
  /// Python calls it passed through, innermost first.
  struct Frame {
    SourceRange callSite;
    std::string callee;
  };
  std::vector<Frame> frames;
  Value exception; ///< the instance, for `except E as e`; may be invalid
  /// Valid when the failure is that this Unknown was needed.
  Value unknown;
};

class Evaluator {
public:
  Evaluator(Frontend &frontend, ValueContext &values, DiagnosticEngine &diags);
  ~Evaluator();

  ValueContext &getValues() { return values; }

  //--- Errors ---------------------------------------------------------------
  bool hasError() const { return error.has_value(); }
  const EvalError &getError() const { return *error; }
  EvalError takeError();
  /// Hands the pending error to the user. Always returns false.
  bool reportError();
  bool report(const EvalError &error);
  /// Raises; returns the invalid value.
  Value raise(llvm::StringRef type, SourceRange range,
              const llvm::Twine &message);
  /// Says that `what` (a noun phrase: "the condition of this 'if'", "argument
  /// 'BLOCK'") must be known, why it is not, and what to do about it.
  void reportUnknown(const Value &unknown, SourceRange range,
                     const llvm::Twine &what);

  //--- Expressions ------------------------------------------------------------
  /// Resets the step counter: call once per request from outside.
  void beginRequest();
  Value evaluate(const Expr &expr, Scope &scope);
  bool execute(Block block, Scope &scope);

  //--- Operations with Python's semantics -------------------------------------
  // `range` is where to point; for binary and compare it may cover the whole
  // expression.
  Value binary(BinaryOp op, Value lhs, Value rhs, SourceRange range);
  Value unary(UnaryOp op, Value operand, SourceRange range);
  /// One comparison; the result of == and friends on known values is a Bool.
  Value compare(CompareOp op, Value lhs, Value rhs, SourceRange range);
  /// Python's truth of a value; nullopt: an error is pending, an Unknown
  /// operand included (EvalError::unknown is set then).
  std::optional<bool> isTrue(Value value, SourceRange range);
  Value subscript(Value object, Value index, SourceRange range);
  Value attribute(Value object, llvm::StringRef name, SourceRange range);
  /// Like attribute() but absence is not an error: returns invalid with no
  /// error pending.
  Value attributeOrNone(Value object, llvm::StringRef name, SourceRange range);
  /// Calls anything callable at compile time: functions of any role but Jit,
  /// Python builtins, classes, bound methods, triton.cdiv ...
  Value call(Value callee, llvm::ArrayRef<Value> args,
             llvm::ArrayRef<NamedValue> keywords, SourceRange range);
  /// True when call() knows how to run it (a Jit function or a `tl` operation
  /// it does not).
  bool canCall(Value callee) const;
  /// The elements of a tuple, list, dict (keys), set, range or string.
  bool iterate(Value iterable, llvm::SmallVectorImpl<Value> &out,
               SourceRange range);
  std::optional<Int128> length(Value value, SourceRange range);
  /// f-string field: format(value, spec) after conversion 'r', 's', 'a' or 0.
  Value format(Value value, char conversion, llvm::StringRef spec,
               SourceRange range);

  /// Matches the arguments of a call to the parameters as Python does, for
  /// functions of any role and any kind of value. `bound` gets one value per
  /// parameter (*args a tuple, **kwargs a dict); defaults are filled in.
  bool bindArguments(const FunctionObject &function, llvm::ArrayRef<Value> args,
                     llvm::ArrayRef<NamedValue> keywords, SourceRange range,
                     llvm::SmallVectorImpl<Value> &bound);

  /// True when one of the values is or holds a Tensor or Handle.
  static bool anyRuntime(llvm::ArrayRef<Value> values);

  //--- Names ------------------------------------------------------------------
  /// What a name means inside `scope`: enclosing scopes, the module's globals,
  /// Python's builtins. Invalid with no error pending when it is unknown; ask
  /// undefinedName() for the message then.
  Value lookup(llvm::StringRef name, Scope &scope);
  /// "name 'foo' is not defined" with a suggestion; `extra` are further names
  /// in sight (the local variables of a kernel).
  std::string undefinedName(llvm::StringRef name, Scope &scope,
                            llvm::ArrayRef<llvm::StringRef> extra = {});

  EvalLimits limits;

private:
  friend class EvaluatorImpl;
  friend class Frontend;
  ValueContext &values;
  DiagnosticEngine &diags;
  std::optional<EvalError> error;
  std::unique_ptr<EvaluatorImpl> impl;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_EVALUATOR_H
