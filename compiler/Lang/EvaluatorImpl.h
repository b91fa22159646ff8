//===- EvaluatorImpl.h - The inside of the evaluator -----------*- C++ -*-===//
//
// Private to compiler/Lang. Methods that return a Value return the invalid one
// when they raised; `ev.error` then holds what (see Evaluator.h).
//
// Statements run in one of two manners. Strict: a raise leaves the block, as in
// Python. Lenient (module level, and functions that are run only to find the
// kernels in them): a statement that raises makes the names it would have bound
// Unknown, and the next statement goes on. Under a condition that is not known,
// lenient code runs both branches and keeps what they agree on.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_EVALUATORIMPL_H
#define NEREID_COMPILER_LANG_EVALUATORIMPL_H

#include "compiler/Lang/Evaluator.h"
#include "compiler/Lang/Module.h"

namespace nereid::lang {

using Args = llvm::ArrayRef<Value>;
using Keywords = llvm::ArrayRef<NamedValue>;

class EvaluatorImpl {
public:
  EvaluatorImpl(Evaluator &ev, Frontend &frontend);

  //--- Errors and limits (Evaluator.cpp) --------------------------------------
  Value raise(llvm::StringRef type, SourceRange range,
              const llvm::Twine &message) {
    return ev.raise(type, range, message);
  }
  /// Raises because `unknown` is needed.
  Value raiseUnknown(Value unknown, SourceRange range);
  /// Counts work; false: raised.
  bool charge(uint64_t amount, SourceRange range);
  bool checkSize(Int128 size, SourceRange range);
  /// Nesting of C++ calls; test `ok`.
  struct NestGuard {
    NestGuard(EvaluatorImpl &impl, SourceRange range);
    ~NestGuard() { --impl.nesting; }
    EvaluatorImpl &impl;
    bool ok;
  };
  /// The first operand that is not known, as an Unknown; invalid when all are.
  Value firstUnknown(Args operands, SourceRange range);
  /// Turns the pending error into the Unknown that it leaves behind.
  Value errorToUnknown();
  /// A plain name for a module-level Unknown, so that a message can offer
  /// --bind.
  Value nameUnknown(Value value, llvm::StringRef name);

  //--- Names (Evaluator.cpp) --------------------------------------------------
  Value lookup(llvm::StringRef name, Scope &scope);
  Value lookupIn(Scope &scope, llvm::StringRef name);
  Value lookupInCircle(const Scope::LazyImport &import, Module &module);
  Value lookupBuiltin(llvm::StringRef name);
  void assignName(llvm::StringRef name, Value value, Scope &scope);

  //--- Expressions (EvalExpr.cpp) ---------------------------------------------
  Value expr(const Expr &expr, Scope &scope);
  Value exprImpl(const Expr &expr, Scope &scope);
  Value name(const NameExpr &expr, Scope &scope);
  Value boolean(const BooleanExpr &expr, Scope &scope);
  Value compareChain(const CompareExpr &expr, Scope &scope);
  Value callExpr(const CallExpr &expr, Scope &scope);
  Value joinedString(const JoinedString &expr, Scope &scope);
  Value lambda(const LambdaExpr &expr, Scope &scope);
  Value dictDisplay(const DictExpr &expr, Scope &scope);
  Value comprehension(const ComprehensionExpr &expr, Scope &scope);
  bool comprehensionClause(const ComprehensionExpr &expr, size_t index,
                           Scope &scope, llvm::SmallVectorImpl<Value> &list,
                           DictObject *dict);
  bool elements(llvm::ArrayRef<Expr *> exprs, Scope &scope,
                llvm::SmallVectorImpl<Value> &out);
  bool arguments(llvm::ArrayRef<Expr *> args,
                 llvm::ArrayRef<KeywordArg> keywords, Scope &scope,
                 llvm::SmallVectorImpl<Value> &outArgs,
                 llvm::SmallVectorImpl<NamedValue> &outKeywords,
                 bool lenientKeywords);

  //--- Statements (EvalStmt.cpp) ----------------------------------------------
  enum class Flow : uint8_t { Normal, Return, Break, Continue, Raise };
  struct Frame {
    bool lenient = false;
    /// Inside a `try` that would catch an ImportError.
    bool catchesImportError = false;
    Value returned;
    /// What `yield` gave, for a generator.
    std::vector<Value> yields;
    bool isGenerator = false;
    /// The exceptions being handled, for a bare `raise`.
    std::vector<EvalError> handling;
  };
  Flow block(Block body, Scope &scope, Frame &frame);
  Flow stmt(const Stmt &stmt, Scope &scope, Frame &frame);
  Flow ifStmt(const IfStmt &stmt, Scope &scope, Frame &frame);
  Flow uncertainIf(const IfStmt &stmt, size_t clause, Value unknown,
                   Scope &scope, Frame &frame);
  Flow forStmt(const ForStmt &stmt, Scope &scope, Frame &frame);
  Flow whileStmt(const WhileStmt &stmt, Scope &scope, Frame &frame);
  Flow withStmt(const WithStmt &stmt, Scope &scope, Frame &frame);
  Flow tryStmt(const TryStmt &stmt, Scope &scope, Frame &frame);
  Flow matchStmt(const MatchStmt &stmt, Scope &scope, Frame &frame);
  Flow raiseStmt(const RaiseStmt &stmt, Scope &scope, Frame &frame);
  Flow deleteStmt(const DeleteStmt &stmt, Scope &scope);
  Flow augAssign(const AugAssignStmt &stmt, Scope &scope);
  Flow importStmt(const ImportStmt &stmt, Scope &scope, Frame &frame);
  Flow importFrom(const ImportFromStmt &stmt, Scope &scope, Frame &frame);
  bool assign(const Expr &target, Value value, Scope &scope);
  bool matches(const Pattern &pattern, Value value, Scope &scope,
               bool &matched);
  /// Makes every name that the statement binds Unknown.
  void poison(const Stmt &stmt, Value unknown, Scope &scope);
  void forEachBound(const Stmt &stmt, Scope &scope, Value unknown);
  std::optional<bool> handles(const TryStmt::Handler &handler,
                              const EvalError &error, Scope &scope);
  /// Notes that a container changes; poisons it under an open condition.
  template <typename Container> void touch(Container &container) {
    if (container.uncertainty < uncertainty && !container.poison)
      container.poison = uncertainReason;
  }

  //--- Operators (EvalOperators.cpp) ------------------------------------------
  Value binary(BinaryOp op, Value lhs, Value rhs, SourceRange range);
  Value intBinary(BinaryOp op, Int128 lhs, Int128 rhs, SourceRange range);
  Value floatBinary(BinaryOp op, double lhs, double rhs, SourceRange range);
  Value sequenceBinary(BinaryOp op, Value lhs, Value rhs, SourceRange range);
  Value setBinary(BinaryOp op, Value lhs, Value rhs, SourceRange range);
  Value unary(UnaryOp op, Value operand, SourceRange range);
  Value compare(CompareOp op, Value lhs, Value rhs, SourceRange range);
  Value contains(Value item, Value container, SourceRange range);
  /// <0, 0, >0; nullopt: not ordered (raised, unless NaN).
  std::optional<int> order(Value lhs, Value rhs, SourceRange range,
                           llvm::StringRef op);
  std::optional<bool> isTrue(Value value, SourceRange range);
  Value subscript(Value object, Value index, SourceRange range);
  Value slice(Value object, const SliceObject &slice, SourceRange range);
  bool setItem(Value object, Value index, Value value, SourceRange range);
  bool iterate(Value iterable, llvm::SmallVectorImpl<Value> &out,
               SourceRange range);
  std::optional<Int128> length(Value value, SourceRange range);
  /// The value itself, or the number of an IntEnum member.
  static Value plain(Value value);

  //--- Calls (EvalCall.cpp) ---------------------------------------------------
  Value call(Value callee, Args args, Keywords keywords, SourceRange range);
  Value callFunction(FunctionObject &function, Args args, Keywords keywords,
                     SourceRange range);
  Value callClass(ClassObject &type, Args args, Keywords keywords,
                  SourceRange range);
  bool canCall(Value callee) const;
  bool bindArguments(const FunctionObject &function, Args args,
                     Keywords keywords, SourceRange range,
                     llvm::SmallVectorImpl<Value> &bound);
  /// Arguments of a built-in: `names` are its parameters, those from index
  /// `required` on are optional (invalid when absent).
  bool take(llvm::StringRef callee, Args args, Keywords keywords,
            SourceRange range, llvm::ArrayRef<llvm::StringRef> names,
            size_t required, llvm::MutableArrayRef<Value> out);

  //--- Definitions (EvalDefine.cpp) -------------------------------------------
  void define(const FunctionDef &def, Scope &scope);
  bool defineClass(const ClassDef &def, Scope &scope);
  FunctionObject *makeFunction(const FunctionDef &def, Scope &scope);
  Value decorate(Value decorated, const Expr &decorator, Scope &scope);
  void skipDecorator(Value decorated, const Expr &decorator);
  Value applyJit(Value function, const DictObject *options, SourceRange range);
  Value applyAutotune(Value function, DictObject &options, SourceRange range);
  Value applyHeuristics(Value function, Value heuristics, SourceRange range);
  FunctionObject *copyJit(FunctionObject &function);
  Value makeConfig(Args args, Keywords keywords, SourceRange range);
  /// A decorator that waits for its function: `name` is "<jit>",
  /// "<autotune>" ..., `options` a dict.
  Value makePending(llvm::StringRef name, Value options);
  Value callPending(const BoundMethodObject &pending, Args args,
                    Keywords keywords, SourceRange range);
  bool parameterNames(const FunctionObject &function, Value list,
                      std::vector<llvm::StringRef> &out, SourceRange range);
  ClassObject *exceptionClass(llvm::StringRef name);
  Value makeNamedTupleClass(Args args, Keywords keywords, SourceRange range);

  //--- Attributes and methods (EvalAttributes.cpp, EvalMethods.cpp) -----------
  /// Invalid without a pending error: there is no such attribute.
  Value attributeOrNone(Value object, llvm::StringRef name, SourceRange range);
  Value attribute(Value object, llvm::StringRef name, SourceRange range);
  bool setAttribute(Value object, llvm::StringRef name, Value value,
                    SourceRange range);
  Value dtypeAttribute(const Type &type, llvm::StringRef name);
  Value functionAttribute(FunctionObject &function, llvm::StringRef name,
                          SourceRange range);
  Value method(Value self, llvm::StringRef name, Value function = {});
  std::string noAttribute(Value object, llvm::StringRef name);
  Value callMethod(const BoundMethodObject &method, Args args,
                   Keywords keywords, SourceRange range);
  Value stringMethod(llvm::StringRef self, llvm::StringRef name, Args args,
                     Keywords keywords, SourceRange range);
  Value listMethod(Value self, llvm::StringRef name, Args args,
                   Keywords keywords, SourceRange range);
  Value dictMethod(Value self, llvm::StringRef name, Args args,
                   Keywords keywords, SourceRange range);
  Value setMethod(Value self, llvm::StringRef name, Args args,
                  Keywords keywords, SourceRange range);
  Value dtypeMethod(const Type &type, llvm::StringRef name, SourceRange range);
  /// What `sorted` and `list.sort` do; `name` is the caller's, for messages.
  bool sortValues(llvm::StringRef name, std::vector<Value> &items,
                  Keywords keywords, SourceRange range);
  static llvm::ArrayRef<llvm::StringRef> methodNames(Value object);

  //--- Text (EvalFormat.cpp) --------------------------------------------------
  Value format(Value value, char conversion, llvm::StringRef spec,
               SourceRange range);
  Value formatMethod(llvm::StringRef text, Args args, Keywords keywords,
                     SourceRange range);
  Value percentFormat(llvm::StringRef text, Value args, SourceRange range);

  //--- Builtins (EvalBuiltins.cpp, EvalLibrary.cpp) ---------------------------
  Value callBuiltin(const BuiltinInfo &builtin, Args args, Keywords keywords,
                    SourceRange range);
  Value callPython(const BuiltinInfo &builtin, Args args, Keywords keywords,
                   SourceRange range);
  Value callLibrary(const BuiltinInfo &builtin, Args args, Keywords keywords,
                    SourceRange range);
  Value torchVersion(const BuiltinInfo &info, SourceRange range);
  Value callTargetInfo(const BuiltinInfo &builtin, Args args, Keywords keywords,
                       SourceRange range);
  Value callTriton(const BuiltinInfo &builtin, Args args, Keywords keywords,
                   SourceRange range);
  Value numberLimits(Value dtype, SourceRange range);
  static bool isCallableBuiltin(const BuiltinInfo &builtin);
  Value convertInt(Args args, Keywords keywords, SourceRange range);
  Value convertFloat(Args args, SourceRange range);
  Value minMax(bool isMax, Args args, Keywords keywords, SourceRange range);
  std::optional<bool> isInstance(Value value, Value type, SourceRange range);
  Value cdiv(Value x, Value y, SourceRange range);

  //--- Modules (BuiltinModules.cpp) -------------------------------------------
  /// The built-in module of a dotted name; null when it is none.
  ModuleObject *builtinModule(llvm::StringRef dotted);
  Value builtinModuleAttribute(const ModuleObject &module, llvm::StringRef name,
                               SourceRange range);
  Value moduleAttribute(ModuleObject &module, llvm::StringRef name,
                        SourceRange range);
  void moduleNames(ModuleObject &module,
                   llvm::SmallVectorImpl<llvm::StringRef> &out);
  /// Runs a module's code once.
  void run(Module &module);
  /// Runs functions of the module that hold jit functions no one called.
  void findNested(Module &module);
  Value resolveImport(const ImportFromStmt &stmt, llvm::StringRef name,
                      SourceRange range, Module &module);

  Evaluator &ev;
  Frontend &frontend;
  ValueContext &values;
  uint64_t steps = 0;
  unsigned nesting = 0;
  unsigned callDepth = 0;
  /// How many undecidable conditions enclose the code that runs.
  unsigned uncertainty = 0;
  Value uncertainReason;
  /// The module whose jit functions are being collected is the defining one.
  llvm::StringMap<ClassObject *> exceptionClasses;
  llvm::StringMap<ModuleObject *> builtinModules;
  Value propagateNan;
  ClassObject *limitsClass = nullptr;
};

/// Calls `bind` on every name that a statement binds, those inside functions
/// and classes excepted.
void forEachBoundName(const Stmt &stmt,
                      llvm::function_ref<void(llvm::StringRef)> bind);

/// Calls `f` on every name that a target binds.
void forEachTargetName(const Expr &target,
                       llvm::function_ref<void(llvm::StringRef)> f);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_EVALUATORIMPL_H
