//===- OpTable.h - The functions of triton.language ------------*- C++ -*-===//
//
// Ops.def lists every function and method once: its parameters, who implements
// it, a C++ function here or the prelude. Adding
// an operation is one row there and one function.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_OPTABLE_H
#define NEREID_COMPILER_LANG_OPTABLE_H

#include "compiler/Lang/CodeGen.h"

namespace nereid::lang {

class OpArgs;

struct OpParam {
  std::string name;
  Value defaultValue; ///< invalid when the argument must be given
  bool isVarArgs = false;
  bool keywordOnly = false;
};

/// What `x` may be in `x.name(...)`; every tensor method is a function too.
enum class Receiver : uint8_t { None, Tensor, Descriptor };

struct OpInfo {
  llvm::StringLiteral group;     ///< heading in the coverage table
  llvm::StringLiteral name;      ///< "load"
  llvm::StringLiteral signature; ///< parameters with defaults, "" for prelude
  /// Null when the prelude defines it.
  Value (*function)(OpArgs &);
  Receiver receiver;
};

/// Every row, in the order of Ops.def.
llvm::ArrayRef<OpInfo> allOps();
/// The C++ operation behind a builtin; null when there is none.
const OpInfo *findOp(BuiltinId id);
/// The row of a tensor method, by the method's name; null when there is none.
const OpInfo *findMethod(llvm::StringRef name);
/// The row of a method of tensor descriptors; null when there is none.
const OpInfo *findDescriptorMethod(llvm::StringRef name);
/// Names of all tensor methods, for suggestions.
llvm::ArrayRef<llvm::StringRef> methodNames();
/// One line per row: group, name, "method", "descriptor" or "function", and
/// "C++" or "prelude"; then one per variant of a libdevice function:
/// "libdevice", name, result, operands. Fields are separated by tabs. It is
/// what tests/compiler/Lang/coverage.py makes the table in README.md of.
std::string listOps();

/// Matches a call's arguments to the parameters; false: reported.
bool bindOp(FunctionCodeGen &fn, const OpInfo &op, llvm::StringRef display,
            llvm::ArrayRef<Value> args, llvm::ArrayRef<SourceRange> argRanges,
            llvm::ArrayRef<NamedValue> keywords, SourceRange range,
            llvm::SmallVectorImpl<Value> &bound,
            llvm::SmallVectorImpl<SourceRange> &boundRanges);

/// The bound arguments of one call, by position in the parameter list. The
/// accessors report an unfit argument at its place and return false.
class OpArgs {
public:
  OpArgs(FunctionCodeGen &fn, const OpInfo &op, std::string display,
         llvm::ArrayRef<Value> values, llvm::ArrayRef<SourceRange> ranges,
         SourceRange range)
      : fn(fn), sem(fn.getSemantic()), op(op), range(range),
        display(std::move(display)), values(values), ranges(ranges) {}

  FunctionCodeGen &fn;
  Semantic &sem;
  const OpInfo &op;
  SourceRange range; ///< of the call

  Value value(unsigned i) const { return values[i]; }
  SourceRange rangeOf(unsigned i) const { return ranges[i]; }
  bool isNone(unsigned i) const { return values[i].isNone(); }
  llvm::StringRef getDisplay() const { return display; }
  /// "'axis' of 'tl.sum'"
  std::string describe(unsigned i) const;

  /// A tensor, made of a number if need be.
  bool tensor(unsigned i, Tensor &out);
  /// As tensor(), but None gives no value.
  bool optionalTensor(unsigned i, std::optional<Tensor> &out);
  /// A tensor or a number.
  bool scalar(unsigned i, Scalar &out);
  bool integer(unsigned i, int64_t &out);
  bool wideInteger(unsigned i, Int128 &out);
  bool optionalInteger(unsigned i, std::optional<int64_t> &out);
  bool boolean(unsigned i, bool &out);
  /// None reads as "".
  bool string(unsigned i, llvm::StringRef &out);
  bool type(unsigned i, const Type *&out);
  /// A tuple of integers, or one integer.
  bool integers(unsigned i, llvm::SmallVectorImpl<int64_t> &out);
  /// A variadic list of integers: f(x, 2, 3) or f(x, (2, 3)).
  bool variadicIntegers(unsigned i, llvm::SmallVectorImpl<int64_t> &out);
  /// A tuple of tensors and numbers.
  bool scalars(unsigned i, llvm::SmallVectorImpl<Scalar> &out);

  Value fail(const llvm::Twine &message) { return fn.error(range, message); }
  bool failAt(unsigned i, const llvm::Twine &message) {
    fn.error(ranges[i], message);
    return false;
  }
  Value result(Tensor tensor) { return fn.fromTensor(tensor); }
  Value results(llvm::ArrayRef<Tensor> tensors);

private:
  std::string display;
  llvm::ArrayRef<Value> values;
  llvm::ArrayRef<SourceRange> ranges;
};

/// Calls an operation with arguments as written.
Value callOp(FunctionCodeGen &fn, const OpInfo &op, llvm::StringRef display,
             llvm::ArrayRef<Value> args, llvm::ArrayRef<SourceRange> argRanges,
             llvm::ArrayRef<NamedValue> keywords, SourceRange range);

/// Calls a function of triton.language.extra.libdevice (OpsExtern.cpp).
Value callLibdevice(FunctionCodeGen &fn, const BuiltinInfo &info,
                    llvm::ArrayRef<Value> args,
                    llvm::ArrayRef<SourceRange> ranges,
                    llvm::ArrayRef<NamedValue> keywords, SourceRange range);

/// load and store through a block pointer (OpsMemory.cpp).
Value loadBlockPointer(OpArgs &args, BlockPointerObject &pointer);
Value storeBlockPointer(OpArgs &args, BlockPointerObject &pointer);

#define NRD_OP(ID, GROUP, NAME, METHOD, FUNCTION, SIGNATURE, ...)              \
  Value FUNCTION(OpArgs &args);
#define NRD_DESC(GROUP, NAME, FUNCTION, ...) Value FUNCTION(OpArgs &args);
#include "compiler/Lang/Ops.def"

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_OPTABLE_H
