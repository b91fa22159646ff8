//===- CodeGen.h - From syntax trees to tt IR ------------------*- C++ -*-===//
//
// ModuleCodeGen holds what all functions of one kernel share: the IR module,
// the semantic layer, and the table of function instances. FunctionCodeGen
// turns one function, specialised on its arguments, into one tt.func.
//
// Errors. Whoever finds one reports it and returns the invalid Value (or
// false); everybody else passes that on silently. A name whose value could not
// be made is bound to the invalid Value, so that its uses stay quiet and the
// next statement is still checked: one run reports several errors.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_CODEGEN_H
#define NEREID_COMPILER_LANG_CODEGEN_H

#include "compiler/Lang/KernelValues.h"
#include "compiler/Lang/Module.h"
#include "compiler/Lang/Semantic.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace nereid::lang {

struct CodeGenOptions {
  /// Emit device_assert and Python's assert. Triton leaves them out unless it
  /// compiles for debugging.
  bool debug = false;
  /// Where static_print writes; stdout of the tool when empty.
  std::function<void(llvm::StringRef)> print;
};

/// A jit function specialised on argument types and compile-time values.
struct FunctionInstance {
  tt::FuncOp func;
  std::string symbol;
  /// What a call gives: a Value whose tensors only carry types. Invalid while
  /// the body is being generated, and after an error.
  Value result;
  bool inProgress = true;
};

class ModuleCodeGen {
public:
  ModuleCodeGen(Frontend &frontend, mlir::MLIRContext &context,
                CodeGenOptions options);

  Frontend &getFrontend() { return frontend; }
  Evaluator &getEvaluator() { return frontend.getEvaluator(); }
  ValueContext &getValues() { return frontend.getValues(); }
  TypeContext &getTypes() { return frontend.getTypes(); }
  DiagnosticEngine &getDiags() { return frontend.getDiagnostics(); }
  Semantic &getSemantic() { return semantic; }
  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::ModuleOp getModule() { return *module; }
  const CodeGenOptions &getOptions() const { return options; }

  /// One argument of the kernel: a compile-time value, or a run-time one
  /// described by a Value whose tensors carry types only.
  struct KernelArgument {
    Value value;
    /// Index among the public parameters; -1 for a constexpr.
    int slot = -1;
    bool divisibleBy16 = false;
    SourceRange range;
  };
  /// Emits the kernel; false after an error. `args` in parameter order.
  bool emitKernel(const FunctionObject &function,
                  llvm::ArrayRef<KernelArgument> args);

  /// The instance of `function` for these arguments (in parameter order),
  /// generated when it is new. Null: reported. The current position of the
  /// semantic layer is the call's.
  FunctionInstance *getInstance(const FunctionObject &function,
                                llvm::ArrayRef<Value> args,
                                SourceRange callRange);

  mlir::OwningOpRef<mlir::ModuleOp> takeModule() { return std::move(module); }

  mlir::Location location(SourceLoc loc);
  /// llvm.loop_annotation for loops whose invariants must stay inside.
  mlir::Attribute noLicmAttr();
  /// Warns once about a global that upstream would refuse (R19).
  void warnPlainGlobal(llvm::StringRef name, SourceRange range);

private:
  Frontend &frontend;
  CodeGenOptions options;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder builder;
  Semantic semantic;
  llvm::StringMap<std::unique_ptr<FunctionInstance>> instances;
  llvm::StringSet<> symbols;
  llvm::StringSet<> warnedGlobals;
  llvm::DenseMap<uint32_t, mlir::Location> locations;
  unsigned depth = 0;
};

/// Whether control goes on after a statement.
enum class Flow : uint8_t { Next, Returned };

class FunctionCodeGen {
public:
  FunctionCodeGen(ModuleCodeGen &cg, const FunctionObject &function,
                  bool isKernel);

  /// Generates the body into `func`, whose entry block has the arguments.
  /// `args` are the parameters' values over those. On success `result` is
  /// what calls give, and the function's type is final.
  bool generate(tt::FuncOp func, llvm::ArrayRef<Value> args, Value &result);

  //--- For the op table -------------------------------------------------------
  ModuleCodeGen &getModuleCodeGen() { return cg; }
  Semantic &getSemantic() { return sem; }
  Evaluator &getEvaluator() { return eval; }
  ValueContext &getValues() { return values; }
  mlir::OpBuilder &getBuilder() { return builder; }

  Value error(SourceRange range, const llvm::Twine &message) {
    (void)cg.getDiags().error(range, message);
    return Value();
  }
  /// Calls a jit function with bound or unbound arguments.
  Value callJit(const FunctionObject &function, llvm::ArrayRef<Value> args,
                llvm::ArrayRef<NamedValue> keywords, SourceRange range);
  /// Calls anything that is callable in a kernel.
  Value callValue(Value callee, llvm::ArrayRef<Value> args,
                  llvm::ArrayRef<SourceRange> argRanges,
                  llvm::ArrayRef<NamedValue> keywords, SourceRange range);
  /// The attribute `name` of a value, as an expression would give it.
  Value attributeOf(Value object, llvm::StringRef name, SourceRange range);
  bool hasAttribute(Value object, llvm::StringRef name);
  /// A binary operator, a comparison or a unary operator on any values.
  Value binary(BinaryOp op, Value lhs, Value rhs, SourceRange range);
  Value compare(CompareOp op, Value lhs, Value rhs, SourceRange range);
  Value logical(bool isAnd, Value lhs, Value rhs, SourceRange range);

  // Conversions; on failure they report at `range`.
  Value fromTensor(Tensor tensor);
  Tensor asTensor(Value value); ///< of a Tensor value
  /// A tensor, making one of a number.
  Tensor toTensor(Value value, SourceRange range, llvm::StringRef what);
  /// A tensor or a number.
  bool toScalar(Value value, Scalar &out, SourceRange range,
                llvm::StringRef what);

  /// Generates code for a region that a callable fills: block arguments of
  /// the given types are passed to `combine`, its results come back.
  bool callInRegion(mlir::Region &region, Value combine,
                    llvm::ArrayRef<const Type *> argTypes,
                    llvm::ArrayRef<mlir::Value> blockArgs, SourceRange range,
                    llvm::SmallVectorImpl<Value> &results);

  /// The warning of a deprecated spelling and the like.
  void warn(SourceRange range, const llvm::Twine &message) {
    (void)cg.getDiags().warning(range, message);
  }
  bool isInsideLoop() const { return loopDepth != 0; }
  /// After a static_assert that does not hold.
  void setAssertionFailed() { assertionFailed = true; }

private:
  //--- Names ------------------------------------------------------------------
  struct Binding {
    Value value;
    SourceRange where; ///< the assignment
  };
  using Names = llvm::MapVector<llvm::StringRef, Binding>;
  void define(llvm::StringRef name, Value value, SourceRange where) {
    names[name] = {value, where};
    vanished.erase(name);
  }
  /// Names that were assigned but are not defined here, and why.
  struct Vanished {
    SourceRange where;
    std::string reason;
  };

  //--- Statements (CodeGenStmt.cpp, CodeGenControl.cpp)
  //-------------------------
  Flow block(Block body);
  Flow statement(const Stmt &stmt);
  void assignTarget(const Expr &target, Value value, SourceRange valueRange);
  /// What a plain assignment stores: numbers become tensors (R15).
  Value toVariable(Value value, SourceRange range);
  void annotatedAssign(const AnnAssignStmt &stmt);
  void augmentedAssign(const AugAssignStmt &stmt);
  void expressionStatement(const ExprStmt &stmt);
  void assertStatement(const AssertStmt &stmt);
  void raiseStatement(const RaiseStmt &stmt);
  Flow returnStatement(const ReturnStmt &stmt);
  Flow ifStatement(const IfStmt &stmt, size_t clause);
  Flow dynamicIf(const IfStmt &stmt, size_t clause, Tensor condition);
  Flow branchingIf(const IfStmt &stmt, size_t clause, Tensor condition);
  Flow elseOf(const IfStmt &stmt, size_t clause);
  Flow forStatement(const ForStmt &stmt);
  Flow staticFor(const ForStmt &stmt, const LoopRange &range);
  Flow dynamicFor(const ForStmt &stmt, const LoopRange &range);
  Flow whileStatement(const WhileStmt &stmt);
  /// Decides a condition: a compile-time truth, or a scalar i1.
  enum class Truth : uint8_t { Error, False, True, Dynamic };
  Truth condition(const Expr &expr, Tensor &dynamic, llvm::StringRef what);

  // Variables that a region changes.
  struct Carried {
    llvm::StringRef name;
    Value before;
    unsigned first = 0; ///< index of its first SSA value
    unsigned count = 0;
  };
  void findCarried(llvm::ArrayRef<Block> bodies,
                   llvm::ArrayRef<const Expr *> conditions,
                   llvm::StringRef except, llvm::SmallVectorImpl<Carried> &out,
                   llvm::SmallVectorImpl<mlir::Value> &inits);
  /// Checks that what a loop leaves in the carried names has their types, and
  /// collects the values to yield.
  void loopYield(llvm::ArrayRef<Carried> carried, const Names &before,
                 llvm::ArrayRef<mlir::Value> inits,
                 llvm::SmallVectorImpl<mlir::Value> &yielded,
                 SourceRange loopRange);
  void leaveScope(Names before, llvm::StringRef reason);
  /// The names two branches leave behind, merged (R16).
  struct Merge {
    llvm::StringRef name;
    Value thenValue, elseValue;
    SourceRange where;
  };
  void mergeBranches(const Names &before, const Names &thenNames,
                     const Names &elseNames, SourceRange ifRange,
                     llvm::SmallVectorImpl<Merge> &merges, Names &after);

  //--- Expressions (CodeGenExpr.cpp)
  //--------------------------------------------
  Value expression(const Expr &expr);
  Value nameExpression(const NameExpr &expr);
  Value tupleOf(llvm::ArrayRef<Expr *> elements, SourceRange range);
  Value unaryExpression(const UnaryExpr &expr);
  Value booleanExpression(const BooleanExpr &expr);
  Value compareExpression(const CompareExpr &expr);
  Value conditionalExpression(const ConditionalExpr &expr);
  Value subscriptExpression(const SubscriptExpr &expr);
  Value tensorSubscript(Tensor tensor, const Expr &index, SourceRange range);
  Value comprehension(const ComprehensionExpr &expr);
  Value joinedString(const JoinedString &expr);
  Value operatorMethod(llvm::StringRef method, Value self, Value other,
                       SourceRange range, bool &found);
  void setPosition(const Expr &expr) { setPosition(expr.getRange()); }
  void setPosition(SourceRange range);

  //--- Calls (CodeGenCall.cpp)
  //----------------------------------------------------
  Value callExpression(const CallExpr &expr);
  Value callBuiltin(Value callee, llvm::ArrayRef<Value> args,
                    llvm::ArrayRef<SourceRange> argRanges,
                    llvm::ArrayRef<NamedValue> keywords, SourceRange range);
  Value callPython(BuiltinId id, Value callee, llvm::ArrayRef<Value> args,
                   llvm::ArrayRef<SourceRange> argRanges,
                   llvm::ArrayRef<NamedValue> keywords, SourceRange range,
                   bool &handled);
  Value callMethod(const BoundMethodObject &method, llvm::ArrayRef<Value> args,
                   llvm::ArrayRef<SourceRange> argRanges,
                   llvm::ArrayRef<NamedValue> keywords, SourceRange range);
  Value callClass(ClassObject &type, llvm::ArrayRef<Value> args,
                  llvm::ArrayRef<NamedValue> keywords, SourceRange range);
  Value tensorAttribute(Value object, llvm::StringRef name, SourceRange range,
                        bool &found);
  Value minMax(bool isMax, llvm::ArrayRef<Value> args, SourceRange range);
  Value isInstance(Value object, Value type, SourceRange range);

  bool finishReturns(tt::FuncOp func, Value &result);

  ModuleCodeGen &cg;
  Semantic &sem;
  Evaluator &eval;
  ValueContext &values;
  mlir::OpBuilder &builder;
  const FunctionObject &function;
  bool isKernel;
  tt::FuncOp func;

  Names names;
  llvm::StringMap<Vanished> vanished;
  llvm::StringSet<> pendingConstexpr; ///< after a bare `x: tl.constexpr`
  llvm::StringRef nameHint;           ///< the variable being assigned
  bool assertionFailed = false;       ///< a static_assert of this function
  unsigned loopDepth = 0;             ///< scf.for and scf.while around us
  bool resultUnused = false;          ///< this call is a whole statement

  struct ReturnSite {
    Value value;
    mlir::Block *block;
    mlir::Location loc;
    SourceRange range;
  };
  std::vector<ReturnSite> returns;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_CODEGEN_H
