//===- KernelValues.h - Run-time values beyond single tensors --*- C++ -*-===//
//
// What a kernel passes around besides tensors and compile-time values:
// descriptors, block pointers, loop ranges. Also the walk over all SSA values
// inside a Value, which loops, branches and calls need.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_KERNELVALUES_H
#define NEREID_COMPILER_LANG_KERNELVALUES_H

#include "compiler/Lang/Semantic.h"
#include "compiler/Lang/Value.h"

namespace nereid::lang {

/// Base of the code generator's own objects.
struct KernelObject : RuntimeObject {
  enum class Kind : uint8_t { Descriptor, BlockPointer, LoopRange, Condition };
  explicit KernelObject(Kind kind) : kind(kind) {}
  Kind kind;
};

struct DescriptorObject : KernelObject {
  DescriptorObject() : KernelObject(Kind::Descriptor) {}
  Descriptor desc;
  llvm::StringRef describe() const override { return "tensor descriptor"; }
};

/// A legacy block pointer: taken apart into pointers and masks when used.
struct BlockPointerObject : KernelObject {
  BlockPointerObject() : KernelObject(Kind::BlockPointer) {}
  Tensor base;
  llvm::SmallVector<Tensor, 3> shape, strides, offsets; ///< i64 scalars
  llvm::SmallVector<int64_t, 3> blockShape;
  llvm::StringRef describe() const override { return "block pointer"; }
};

/// range(...), tl.range(...) or tl.static_range(...) in the head of a loop.
struct LoopRange : KernelObject {
  LoopRange() : KernelObject(Kind::LoopRange) {}
  bool isStatic = false;
  Value start, stop, step;
  SourceRange startRange, stopRange, stepRange;
  std::optional<int64_t> numStages, unrollFactor;
  bool disallowAccMultiBuffer = false;
  bool flatten = false;
  bool warpSpecialize = false;
  bool disableLicm = false;
  llvm::StringRef describe() const override { return "range"; }
};

/// tl.condition(...): the condition of a `while` with a hint.
struct ConditionObject : KernelObject {
  ConditionObject() : KernelObject(Kind::Condition) {}
  Value condition;
  bool disableLicm = false;
  llvm::StringRef describe() const override { return "loop condition"; }
};

/// The object of a Handle value when it is of this class, else null.
template <typename T> T *getKernelObject(Value value, KernelObject::Kind kind) {
  if (!value.is(Value::Kind::Handle))
    return nullptr;
  auto &object = static_cast<KernelObject &>(value.getHandle());
  return object.kind == kind ? static_cast<T *>(&object) : nullptr;
}
inline DescriptorObject *asDescriptor(Value value) {
  return getKernelObject<DescriptorObject>(value,
                                           KernelObject::Kind::Descriptor);
}
inline BlockPointerObject *asBlockPointer(Value value) {
  return getKernelObject<BlockPointerObject>(value,
                                             KernelObject::Kind::BlockPointer);
}

inline Value makeTensorValue(Tensor tensor) {
  return tensor ? Value::tensor(tensor.type, tensor.handle.getAsOpaquePointer())
                : Value();
}
inline Tensor getTensor(Value value) {
  return {mlir::Value::getFromOpaquePointer(value.getTensorValue()),
          value.getTensorType()};
}

/// Appends the SSA values inside `value`, in order.
void flatten(Value value, llvm::SmallVectorImpl<mlir::Value> &out);
/// How many there are.
unsigned countValues(Value value);
/// The same value around other SSA values, taken from the front of `values`.
Value rebuild(ValueContext &context, Value like,
              llvm::ArrayRef<mlir::Value> &values);
/// Appends the IR types of the SSA values inside; works on types alone.
void flattenTypes(const Semantic &sem, Value value,
                  llvm::SmallVectorImpl<mlir::Type> &out);

/// A text that two values share exactly when they have one type: tensors by
/// type, compile-time values by value. A part of function symbols.
std::string typeKey(Value value);
/// What messages call the type of a value: "fp32[64]", "None", "the constant
/// 3", "tuple (i32, fp32)".
std::string describeType(Value value);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_KERNELVALUES_H
