//===- OpsMemory.cpp - Loads, stores, descriptors, atomics ----------------===//

#include "compiler/Lang/OpTable.h"

namespace nereid::lang {

static bool accessOptions(OpArgs &args, unsigned cache, AccessOptions &out) {
  return args.string(cache, out.cacheModifier) &&
         args.string(cache + 1, out.evictionPolicy);
}

//===----------------------------------------------------------------------===//
// Load and store
//===----------------------------------------------------------------------===//

Value opLoad(OpArgs &args) {
  if (auto *pointer = asBlockPointer(args.value(0)))
    return loadBlockPointer(args, *pointer);
  if (asDescriptor(args.value(0)))
    return args.fail("'tl.load' takes pointers; a tensor descriptor is read "
                     "with desc.load(offsets)");
  Tensor pointer;
  std::optional<Tensor> mask, other;
  AccessOptions options;
  llvm::SmallVector<int64_t, 4> boundary;
  llvm::StringRef padding;
  if (!args.tensor(0, pointer) || !args.optionalTensor(1, mask) ||
      !args.optionalTensor(2, other) || !args.integers(3, boundary) ||
      !args.string(4, padding) || !accessOptions(args, 5, options) ||
      !args.boolean(7, options.isVolatile))
    return Value();
  if (!boundary.empty() || !padding.empty())
    return args.fail("'boundary_check' and 'padding_option' are for block "
                     "pointers, found " +
                     pointer.str() + "; use 'mask' and 'other'");
  return args.result(args.sem.load(pointer, mask, other, options));
}

Value opStore(OpArgs &args) {
  if (auto *pointer = asBlockPointer(args.value(0)))
    return storeBlockPointer(args, *pointer);
  if (asDescriptor(args.value(0)))
    return args.fail("'tl.store' takes pointers; a tensor descriptor is "
                     "written with desc.store(offsets, value)");
  Tensor pointer, value;
  std::optional<Tensor> mask;
  AccessOptions options;
  llvm::SmallVector<int64_t, 4> boundary;
  if (!args.tensor(0, pointer) || !args.tensor(1, value) ||
      !args.optionalTensor(2, mask) || !args.integers(3, boundary) ||
      !accessOptions(args, 4, options))
    return Value();
  if (!boundary.empty())
    return args.fail("'boundary_check' is for block pointers, found " +
                     pointer.str() + "; use 'mask'");
  return args.result(args.sem.store(pointer, value, mask, options));
}

//===----------------------------------------------------------------------===//
// Block pointers, taken apart into pointers and masks
//===----------------------------------------------------------------------===//

/// Scalars that become i64, as sizes, strides and offsets of block pointers.
static bool wideScalars(OpArgs &args, unsigned i,
                        llvm::SmallVectorImpl<Tensor> &out) {
  llvm::SmallVector<Scalar, 4> scalars;
  if (!args.scalars(i, scalars))
    return false;
  for (const Scalar &scalar : scalars) {
    Tensor value;
    if (scalar.isNumber()) {
      if (scalar.number->isFloat())
        return args.failAt(i, args.describe(i) + " takes integers, found " +
                                  scalar.number->str());
      value = args.sem.constant(*scalar.number, ScalarId::Int64);
    } else {
      value = scalar.tensor;
      if (value.isBlock() || !value.elem()->isInteger())
        return args.failAt(i, args.describe(i) +
                                  " takes scalar integers, found " +
                                  value.str());
      value = args.sem.cast(value, ScalarId::Int64);
    }
    if (!value)
      return false;
    out.push_back(value);
  }
  return true;
}

Value opMakeBlockPtr(OpArgs &args) {
  auto *pointer = args.fn.getValues().createRuntime<BlockPointerObject>();
  llvm::SmallVector<int64_t, 3> order;
  if (!args.tensor(0, pointer->base) || !wideScalars(args, 1, pointer->shape) ||
      !wideScalars(args, 2, pointer->strides) ||
      !wideScalars(args, 3, pointer->offsets) ||
      !args.integers(4, pointer->blockShape) || !args.integers(5, order))
    return Value();
  if (pointer->base.isBlock() || !pointer->base.elem()->isPointer())
    return args.fail("the base of a block pointer is a scalar pointer, found " +
                     pointer->base.str());
  size_t rank = pointer->shape.size();
  if (rank == 0 || pointer->strides.size() != rank ||
      pointer->offsets.size() != rank || pointer->blockShape.size() != rank ||
      order.size() != rank)
    return args.fail(
        "the shape, strides, offsets, block_shape and order of a block "
        "pointer have one length, at least 1; found " +
        llvm::Twine(rank) + ", " + llvm::Twine(pointer->strides.size()) + ", " +
        llvm::Twine(pointer->offsets.size()) + ", " +
        llvm::Twine(pointer->blockShape.size()) + " and " +
        llvm::Twine(order.size()));
  if (!args.sem.checkShape(pointer->blockShape, "the block of a block pointer"))
    return Value();
  llvm::SmallVector<int64_t, 3> sorted(order);
  llvm::sort(sorted);
  for (auto [index, dim] : llvm::enumerate(sorted))
    if (dim != static_cast<int64_t>(index))
      return args.fail("'order' of a block pointer holds each of 0.." +
                       llvm::Twine(rank - 1) + " once, found (" +
                       shapeText(order) + ")");
  return Value::handle(pointer);
}

Value opAdvance(OpArgs &args) {
  auto *source = asBlockPointer(args.value(0));
  if (!source)
    return args.fail("'tl.advance' takes a block pointer, found " +
                     describeType(args.value(0)));
  llvm::SmallVector<Tensor, 3> steps;
  if (!wideScalars(args, 1, steps))
    return Value();
  if (steps.size() != source->offsets.size())
    return args.fail(
        "a block pointer of rank " + llvm::Twine(source->offsets.size()) +
        " advances by as many offsets, found " + llvm::Twine(steps.size()));
  auto *pointer =
      args.fn.getValues().createRuntime<BlockPointerObject>(*source);
  for (auto [offset, step] : llvm::zip(pointer->offsets, steps))
    offset = args.sem.arith(Arith::Add, offset, step);
  return Value::handle(pointer);
}

/// The pointers of a block, and the mask of the dimensions that are checked.
static bool expandBlockPointer(OpArgs &args, BlockPointerObject &pointer,
                               unsigned boundaryArg, Tensor &pointers,
                               std::optional<Tensor> &mask) {
  Semantic &sem = args.sem;
  size_t rank = pointer.blockShape.size();
  llvm::SmallVector<int64_t, 3> checked;
  if (!args.integers(boundaryArg, checked))
    return false;
  llvm::SmallVector<bool, 3> isChecked(rank, false);
  for (int64_t dim : checked) {
    if (dim < 0 || dim >= static_cast<int64_t>(rank) || isChecked[dim])
      return args.failAt(
          boundaryArg, args.describe(boundaryArg) + " holds dimensions of 0.." +
                           llvm::Twine(rank - 1) + ", each once, found (" +
                           shapeText(checked) + ")");
    isChecked[dim] = true;
  }
  pointers = sem.splat(pointer.base, pointer.blockShape);
  for (size_t dim = 0; dim < rank; ++dim) {
    Tensor index =
        sem.cast(sem.arange(0, pointer.blockShape[dim]), ScalarId::Int64);
    index = sem.arith(Arith::Add, pointer.offsets[dim], index);
    for (size_t other = 0; other < rank; ++other)
      if (other != dim)
        index = sem.expandDims(index, static_cast<int64_t>(other));
    Tensor step = sem.arith(Arith::Mul, index, pointer.strides[dim]);
    step = sem.broadcastTo(step, pointer.blockShape);
    pointers = sem.arith(Arith::Add, pointers, step);
    if (!pointers)
      return false;
    if (!isChecked[dim])
      continue;
    Tensor low = sem.compare(Comparison::Ge, index, Number::ofInt(0));
    Tensor high = sem.compare(Comparison::Lt, index, pointer.shape[dim]);
    Tensor inside = sem.bitwise(Bitwise::And, low, high);
    inside = sem.broadcastTo(inside, pointer.blockShape);
    mask = mask ? sem.bitwise(Bitwise::And, *mask, inside) : inside;
    if (!*mask)
      return false;
  }
  return true;
}

Value loadBlockPointer(OpArgs &args, BlockPointerObject &pointer) {
  if (!args.isNone(1) || !args.isNone(2))
    return args.fail("a load through a block pointer takes 'boundary_check' "
                     "and 'padding_option' instead of 'mask' and 'other'");
  llvm::StringRef padding;
  AccessOptions options;
  if (!args.string(4, padding) || !accessOptions(args, 5, options) ||
      !args.boolean(7, options.isVolatile))
    return Value();
  const Type *element = pointer.base.elem()->getElement();
  if (!padding.empty() && padding != "zero" && padding != "nan")
    return args.fail("'padding_option' is \"zero\", \"nan\" or \"\", found \"" +
                     padding + "\"");
  if (padding == "nan" && element->isInteger())
    return args.fail("'padding_option' \"nan\" is for floats, found elements "
                     "of type " +
                     element->signature());
  Tensor pointers;
  std::optional<Tensor> mask, other;
  if (!expandBlockPointer(args, pointer, 3, pointers, mask))
    return Value();
  if (mask && !padding.empty()) {
    Number fill =
        element->isInteger() ? Number::ofInt(0)
        : padding == "nan"
            ? Number::ofFloat(std::numeric_limits<double>::quiet_NaN())
            : Number::ofFloat(0);
    other = args.sem.full(pointer.blockShape, fill, element);
    if (!*other)
      return Value();
  }
  return args.result(args.sem.load(pointers, mask, other, options));
}

Value storeBlockPointer(OpArgs &args, BlockPointerObject &pointer) {
  if (!args.isNone(2))
    return args.fail("a store through a block pointer takes 'boundary_check' "
                     "instead of 'mask'");
  Tensor pointers, value;
  std::optional<Tensor> mask;
  AccessOptions options;
  if (!args.tensor(1, value) || !accessOptions(args, 4, options) ||
      !expandBlockPointer(args, pointer, 3, pointers, mask))
    return Value();
  return args.result(args.sem.store(pointers, value, mask, options));
}

//===----------------------------------------------------------------------===//
// Tensor descriptors
//===----------------------------------------------------------------------===//

Value opMakeTensorDescriptor(OpArgs &args) {
  Tensor base;
  llvm::SmallVector<Scalar, 5> shape, strides;
  llvm::SmallVector<int64_t, 5> block;
  llvm::StringRef padding;
  if (!args.tensor(0, base) || !args.scalars(1, shape) ||
      !args.scalars(2, strides) || !args.integers(3, block) ||
      !args.string(4, padding))
    return Value();
  auto desc = args.sem.makeDescriptor(base, shape, strides, block, padding);
  if (!desc)
    return Value();
  auto *object = args.fn.getValues().createRuntime<DescriptorObject>();
  object->desc = std::move(*desc);
  return Value::handle(object);
}

static DescriptorObject *descriptor(OpArgs &args) {
  auto *object = asDescriptor(args.value(0));
  if (!object)
    args.failAt(0, args.describe(0) + " must be a tensor descriptor, found " +
                       describeType(args.value(0)));
  return object;
}

Value opLoadTensorDescriptor(OpArgs &args) {
  DescriptorObject *object = descriptor(args);
  llvm::SmallVector<Scalar, 5> offsets;
  if (!object || !args.scalars(1, offsets))
    return Value();
  return args.result(args.sem.descriptorLoad(object->desc, offsets, {}));
}

Value opStoreTensorDescriptor(OpArgs &args) {
  DescriptorObject *object = descriptor(args);
  llvm::SmallVector<Scalar, 5> offsets;
  Tensor value;
  if (!object || !args.scalars(1, offsets) || !args.tensor(2, value))
    return Value();
  return args.result(args.sem.descriptorStore(object->desc, offsets, value));
}

Value opExperimentalDescriptorLoad(OpArgs &args) {
  return opLoadTensorDescriptor(args);
}

Value opExperimentalDescriptorStore(OpArgs &args) {
  DescriptorObject *object = descriptor(args);
  llvm::SmallVector<Scalar, 5> offsets;
  Tensor value;
  if (!object || !args.tensor(1, value) || !args.scalars(2, offsets))
    return Value();
  return args.result(args.sem.descriptorStore(object->desc, offsets, value));
}

static Value descriptorReduce(OpArgs &args, AtomicKind kind) {
  DescriptorObject *object = descriptor(args);
  llvm::SmallVector<Scalar, 5> offsets;
  Tensor value;
  if (!object || !args.scalars(1, offsets) || !args.tensor(2, value))
    return Value();
  return args.result(
      args.sem.descriptorReduce(kind, object->desc, offsets, value));
}

Value opDescriptorAdd(OpArgs &args) {
  return descriptorReduce(args, AtomicKind::Add);
}
Value opDescriptorMin(OpArgs &args) {
  return descriptorReduce(args, AtomicKind::Min);
}
Value opDescriptorMax(OpArgs &args) {
  return descriptorReduce(args, AtomicKind::Max);
}
Value opDescriptorAnd(OpArgs &args) {
  return descriptorReduce(args, AtomicKind::And);
}
Value opDescriptorOr(OpArgs &args) {
  return descriptorReduce(args, AtomicKind::Or);
}
Value opDescriptorXor(OpArgs &args) {
  return descriptorReduce(args, AtomicKind::Xor);
}

Value opDescriptorGather(OpArgs &args) {
  DescriptorObject *object = descriptor(args);
  Tensor rows;
  Scalar column;
  if (!object || !args.tensor(1, rows) || !args.scalar(2, column))
    return Value();
  return args.result(args.sem.descriptorGather(object->desc, rows, column));
}

Value opDescriptorScatter(OpArgs &args) {
  DescriptorObject *object = descriptor(args);
  Tensor value, rows;
  Scalar column;
  if (!object || !args.tensor(1, value) || !args.tensor(2, rows) ||
      !args.scalar(3, column))
    return Value();
  return args.result(
      args.sem.descriptorScatter(object->desc, value, rows, column));
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

static Value atomic(OpArgs &args, AtomicKind kind) {
  Tensor pointer, value;
  std::optional<Tensor> mask;
  llvm::StringRef sem, scope;
  if (!args.tensor(0, pointer) || !args.tensor(1, value) ||
      !args.optionalTensor(2, mask) || !args.string(3, sem) ||
      !args.string(4, scope))
    return Value();
  return args.result(
      args.sem.atomicRMW(kind, pointer, value, mask, sem, scope));
}

Value opAtomicAdd(OpArgs &args) { return atomic(args, AtomicKind::Add); }
Value opAtomicMax(OpArgs &args) { return atomic(args, AtomicKind::Max); }
Value opAtomicMin(OpArgs &args) { return atomic(args, AtomicKind::Min); }
Value opAtomicAnd(OpArgs &args) { return atomic(args, AtomicKind::And); }
Value opAtomicOr(OpArgs &args) { return atomic(args, AtomicKind::Or); }
Value opAtomicXor(OpArgs &args) { return atomic(args, AtomicKind::Xor); }
Value opAtomicXchg(OpArgs &args) { return atomic(args, AtomicKind::Xchg); }

Value opAtomicCas(OpArgs &args) {
  Tensor pointer, compare, value;
  llvm::StringRef sem, scope;
  if (!args.tensor(0, pointer) || !args.tensor(1, compare) ||
      !args.tensor(2, value) || !args.string(3, sem) || !args.string(4, scope))
    return Value();
  return args.result(args.sem.atomicCAS(pointer, compare, value, sem, scope));
}

Value opAtomicPoll(OpArgs &args) {
  Tensor pointer, expected;
  std::optional<Tensor> timeout;
  llvm::StringRef sem, scope;
  if (!args.tensor(0, pointer) || !args.tensor(1, expected) ||
      !args.string(2, sem) || !args.string(3, scope) ||
      !args.optionalTensor(4, timeout))
    return Value();
  if (args.value(4).isIntegral() && args.value(4).getInt() < 0) {
    args.failAt(4, args.describe(4) + " is not negative");
    return Value();
  }
  return args.result(
      args.sem.atomicPoll(pointer, expected, sem, scope, timeout));
}

} // namespace nereid::lang
