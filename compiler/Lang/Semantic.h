//===- Semantic.h - The typed operations of the language -------*- C++ -*-===//
//
// One method per operation of triton.language: it checks the operands by the
// language's rules, inserts the implied casts and broadcasts, and emits tt,
// arith and math ops. It knows nothing of syntax. Rules are cited as R1..R13
// in the README of this folder.
//
// A failed check reports an error at the current position and returns an
// invalid Tensor (or false); the caller passes that on without a word.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_SEMANTIC_H
#define NEREID_COMPILER_LANG_SEMANTIC_H

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Lang/Diagnostics.h"
#include "compiler/Lang/Promotion.h"
#include "compiler/Lang/Types.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace nereid::lang {

/// A run-time value: an SSA value and its Triton type. Invalid after an error;
/// the result of an operation without a value has type void.
struct Tensor {
  mlir::Value handle;
  const Type *type = nullptr; ///< null after an error

  Tensor() = default;
  Tensor(mlir::Value handle, const Type *type) : handle(handle), type(type) {}
  explicit operator bool() const { return type != nullptr; }

  /// The type of one element; predicates on Type are about scalars.
  const Type *elem() const { return type->getScalarType(); }
  bool isBlock() const { return type->isBlock(); }
  bool isVoid() const { return type->is(ScalarId::Void); }
  llvm::ArrayRef<int64_t> shape() const { return type->getShape(); }
  int64_t rank() const { return static_cast<int64_t>(shape().size()); }
  /// The type as messages show it: "fp32[128,64]".
  std::string str() const { return type->signature(); }
};

/// An operand of an operator: a run-time value, or a compile-time number that
/// keeps out of promotion as long as it can (R1).
struct Scalar {
  Tensor tensor;
  std::optional<Number> number;

  Scalar() = default;
  Scalar(Tensor tensor) : tensor(tensor) {}
  Scalar(Number number) : number(number) {}
  bool isNumber() const { return number.has_value(); }
};

/// How a memory access treats caches; validated by the op that takes it.
struct AccessOptions {
  llvm::StringRef cacheModifier;
  llvm::StringRef evictionPolicy;
  bool isVolatile = false;
};

/// A tensor descriptor: its handle, and what it was made from.
struct Descriptor {
  mlir::Value handle;
  const Type *blockType = nullptr;
  llvm::SmallVector<Tensor, 5> shape;   ///< i32 each
  llvm::SmallVector<Tensor, 5> strides; ///< i64 each
};

/// "64, 32": a shape as messages show it, without brackets.
std::string shapeText(llvm::ArrayRef<int64_t> shape);

enum class Arith : uint8_t { Add, Sub, Mul, Div, FloorDiv, Mod };
enum class Bitwise : uint8_t { And, Or, Xor, Shl, Shr };
enum class Comparison : uint8_t { Eq, Ne, Lt, Le, Gt, Ge };
enum class AtomicKind : uint8_t { Add, Max, Min, And, Or, Xor, Xchg };

class Semantic {
public:
  Semantic(mlir::OpBuilder &builder, DiagnosticEngine &diags,
           TypeContext &types)
      : builder(builder), diags(diags), types(types),
        loc(builder.getUnknownLoc()) {}

  /// Where the next ops and messages belong.
  void setPosition(SourceRange newRange, mlir::Location newLoc) {
    range = newRange;
    loc = newLoc;
  }
  SourceRange getRange() const { return range; }
  mlir::Location getLoc() const { return loc; }
  mlir::OpBuilder &getBuilder() { return builder; }
  DiagnosticEngine &getDiags() { return diags; }

  /// Reports an error at the current position; the result is invalid.
  Tensor fail(const llvm::Twine &message);
  bool failBool(const llvm::Twine &message) {
    fail(message);
    return false;
  }
  void warn(const llvm::Twine &message);

  // Types.
  mlir::Type toIR(const Type *type) const;
  /// The IR type of a descriptor of such blocks.
  mlir::Type descriptorToIR(const Type *blockType) const;
  const Type *scalar(ScalarId id) const { return types.getScalar(id); }
  /// A block, or the element itself when the shape is empty.
  const Type *blockOf(const Type *element, llvm::ArrayRef<int64_t> shape);
  /// The type of `shaped` with other elements.
  const Type *like(const Tensor &shaped, const Type *element) {
    return blockOf(element, shaped.shape());
  }
  const Type *like(const Tensor &shaped, ScalarId element) {
    return like(shaped, scalar(element));
  }
  /// A shape must have powers of two and at most 2^20 elements.
  bool checkShape(llvm::ArrayRef<int64_t> shape, llvm::StringRef what);

  /// What an operation without a value gives.
  Tensor nothing() const { return {mlir::Value(), scalar(ScalarId::Void)}; }

  // Constants.
  Tensor constant(const Number &number, const Type *scalarType);
  Tensor constant(const Number &number, ScalarId id) {
    return constant(number, scalar(id));
  }
  Tensor toTensor(const Scalar &scalar);
  Tensor full(llvm::ArrayRef<int64_t> shape, const Scalar &value,
              const Type *scalarType);
  Tensor splat(Tensor value, llvm::ArrayRef<int64_t> shape);

  // Operators (SemanticArith.cpp).
  Tensor arith(Arith op, const Scalar &lhs, const Scalar &rhs);
  Tensor bitwise(Bitwise op, const Scalar &lhs, const Scalar &rhs);
  Tensor compare(Comparison op, const Scalar &lhs, const Scalar &rhs);
  Tensor logical(bool isAnd, Tensor lhs, Tensor rhs);
  Tensor negate(Tensor operand);
  Tensor invert(Tensor operand);
  Tensor logicalNot(Tensor operand);
  Tensor where(const Scalar &condition, const Scalar &x, const Scalar &y);
  Tensor minimum(bool isMax, Tensor x, Tensor y, bool propagateNan);
  Tensor clamp(Tensor x, Tensor low, Tensor high, bool propagateNan);
  Tensor fdiv(Tensor x, Tensor y, bool ieeeRounding);
  Tensor fma(Tensor x, Tensor y, Tensor z);
  Tensor umulhi(Tensor x, Tensor y);
  Tensor abs(Tensor x);

  // Casts (SemanticCast.cpp).
  Tensor cast(Tensor input, const Type *scalarType,
              llvm::StringRef rounding = "");
  Tensor castFloat8E4B15(Tensor input, const Type *target);
  Tensor cast(Tensor input, ScalarId id) { return cast(input, scalar(id)); }
  Tensor bitcast(Tensor input, const Type *scalarType);

  // Shapes (SemanticShape.cpp).
  Tensor arange(__int128 start, __int128 end);
  bool broadcast(Tensor &lhs, Tensor &rhs);
  Tensor broadcastTo(Tensor input, llvm::ArrayRef<int64_t> shape);
  Tensor expandDims(Tensor input, int64_t axis);
  Tensor reshape(Tensor input, llvm::ArrayRef<int64_t> shape, bool reorder);
  Tensor permute(Tensor input, llvm::ArrayRef<int64_t> order);
  Tensor join(Tensor lhs, Tensor rhs);
  std::optional<std::pair<Tensor, Tensor>> split(Tensor input);
  Tensor cat(Tensor lhs, Tensor rhs, int64_t dim);
  Tensor unsplat(Tensor input);
  Tensor gather(Tensor source, Tensor index, int64_t axis);
  Tensor histogram(Tensor input, int64_t bins, std::optional<Tensor> mask);
  /// Attaches tt.divisibility, tt.contiguity or tt.constancy.
  Tensor hint(Tensor input, llvm::StringRef attribute,
              llvm::ArrayRef<int64_t> values, llvm::StringRef function);

  // Memory (SemanticMemory.cpp).
  Tensor load(Tensor pointer, std::optional<Tensor> mask,
              std::optional<Tensor> other, const AccessOptions &options);
  Tensor store(Tensor pointer, Tensor value, std::optional<Tensor> mask,
               const AccessOptions &options);
  Tensor atomicRMW(AtomicKind kind, Tensor pointer, Tensor value,
                   std::optional<Tensor> mask, llvm::StringRef sem,
                   llvm::StringRef scope);
  Tensor atomicCAS(Tensor pointer, Tensor compare, Tensor value,
                   llvm::StringRef sem, llvm::StringRef scope);
  Tensor atomicPoll(Tensor pointer, Tensor expected, llvm::StringRef sem,
                    llvm::StringRef scope, std::optional<Tensor> timeout);

  // Descriptors (SemanticDescriptor.cpp).
  std::optional<Descriptor> makeDescriptor(Tensor base,
                                           llvm::ArrayRef<Scalar> shape,
                                           llvm::ArrayRef<Scalar> strides,
                                           llvm::ArrayRef<int64_t> blockShape,
                                           llvm::StringRef padding);
  Tensor descriptorLoad(const Descriptor &desc, llvm::ArrayRef<Scalar> offsets,
                        const AccessOptions &options);
  Tensor descriptorStore(const Descriptor &desc, llvm::ArrayRef<Scalar> offsets,
                         Tensor value);
  Tensor descriptorReduce(AtomicKind kind, const Descriptor &desc,
                          llvm::ArrayRef<Scalar> offsets, Tensor value);
  Tensor descriptorGather(const Descriptor &desc, Tensor xOffsets,
                          const Scalar &yOffset);
  Tensor descriptorScatter(const Descriptor &desc, Tensor value,
                           Tensor xOffsets, const Scalar &yOffset);

  // Matrix products (SemanticDot.cpp).
  struct DotOptions {
    llvm::StringRef inputPrecision; ///< empty: the default
    std::optional<int64_t> maxNumImpreciseAcc;
    const Type *outType = nullptr;
  };
  Tensor dot(Tensor lhs, Tensor rhs, std::optional<Tensor> acc,
             const DotOptions &options);
  struct ScaledOperand {
    Tensor value;
    std::optional<Tensor> scale;
    llvm::StringRef format;
    bool kPack = true;
  };
  Tensor dotScaled(ScaledOperand lhs, ScaledOperand rhs,
                   std::optional<Tensor> acc, bool fastMath,
                   const Type *outType);

private:
  /// Brings both sides of a binary operator to one type and shape.
  bool binaryOperands(const Scalar &lhs, const Scalar &rhs, Tensor &outLhs,
                      Tensor &outRhs, bool allowLhsPointer = false,
                      bool allowRhsPointer = false, bool divides = false,
                      bool moves = false);
  /// Whether there is arithmetic on a value's type; reports it when not.
  bool computes(const Tensor &operand);
  Tensor castToComputation(const Scalar &value, const Type *type);
  bool bitwiseOperands(const Scalar &lhs, const Scalar &rhs, Tensor &outLhs,
                       Tensor &outRhs, llvm::StringRef op);
  Tensor addPointer(Tensor pointer, Tensor offset);
  bool prepareAtomic(Tensor &pointer, Tensor &value, std::optional<Tensor> mask,
                     Tensor &outMask, llvm::StringRef op);
  bool broadcastToPointer(Tensor &pointer, Tensor &value,
                          std::optional<Tensor> &mask, llvm::StringRef op);
  Tensor atomicFloatMinMax(bool isMax, Tensor pointer, Tensor value,
                           Tensor mask, llvm::StringRef sem,
                           llvm::StringRef scope);
  Tensor emitRMW(tt::RMWOp op, Tensor pointer, Tensor value, Tensor mask,
                 llvm::StringRef sem, llvm::StringRef scope);
  bool descriptorIndices(llvm::ArrayRef<Scalar> offsets, size_t rank,
                         llvm::SmallVectorImpl<mlir::Value> &out);
  bool checkDescriptorRows(const Descriptor &desc, Tensor xOffsets,
                           llvm::StringRef what);
  Tensor toScaledFormat(Tensor value, llvm::StringRef format,
                        llvm::StringRef side);

  mlir::OpBuilder &builder;
  DiagnosticEngine &diags;
  TypeContext &types;
  mlir::Location loc;
  SourceRange range;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_SEMANTIC_H
