//===- TTVerifyMemory.cpp - What well-formed memory ops are ---------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Dialect/TT/TTVerify.h"

using namespace mlir;
using namespace nereid;
using namespace nereid::tt;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

LogicalResult AddPtrOp::verify() {
  if (isBlockPtr(getPtr().getType()))
    return emitOpError() << "cannot move a block pointer ("
                         << getPtr().getType() << "); tt.advance does";
  return success();
}

LogicalResult BitcastOp::verify() {
  Type from = getElementType(getSrc().getType());
  Type to = getElementType(getType());
  if (isa<PointerType>(from) != isa<PointerType>(to))
    return emitOpError() << "cannot turn " << from << " into " << to
                         << "; use tt.int_to_ptr or tt.ptr_to_int";
  if (auto source = dyn_cast<PointerType>(from)) {
    if (source.getAddressSpace() != cast<PointerType>(to).getAddressSpace())
      return emitOpError() << "cannot change the address space from "
                           << source.getAddressSpace() << " to "
                           << cast<PointerType>(to).getAddressSpace();
    return success();
  }
  if (from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return emitOpError() << "cannot turn " << from.getIntOrFloatBitWidth()
                         << " bits (" << from << ") into "
                         << to.getIntOrFloatBitWidth() << " (" << to << ")";
  return success();
}

// What the operands of a load or a store have in common.
static LogicalResult verifyAccess(Operation *op, Type ptr, Value mask,
                                  ArrayRef<int32_t> boundaryCheck) {
  if (!isBlockPtr(ptr)) {
    if (!boundaryCheck.empty())
      return op->emitOpError() << "has a boundaryCheck, which is for block "
                                  "pointers; the pointer is "
                               << ptr;
    if (mask && mask.getType() != getMaskType(ptr))
      return op->emitOpError() << "needs a mask of type " << getMaskType(ptr)
                               << ", found " << mask.getType();
    return success();
  }
  if (mask)
    return op->emitOpError()
           << "cannot have a mask with a block pointer; use boundaryCheck";
  int64_t rank = tt::getShape(getPointeeType(ptr)).size();
  SmallVector<bool> seen(rank, false);
  for (int32_t dim : boundaryCheck) {
    if (dim < 0 || dim >= rank)
      return op->emitOpError() << "checks dimension " << dim << ", but " << ptr
                               << " has 0 to " << rank - 1;
    if (seen[dim])
      return op->emitOpError() << "checks dimension " << dim << " twice";
    seen[dim] = true;
  }
  return success();
}

LogicalResult LoadOp::verify() {
  Type ptr = getPtr().getType();
  if (getType() != getLoadedType(ptr))
    return emitOpError() << "through " << ptr << " must give "
                         << getLoadedType(ptr) << ", found " << getType();
  if (failed(verifyAccess(*this, ptr, getMask(), getBoundaryCheck())))
    return failure();
  if (getOther() && isBlockPtr(ptr))
    return emitOpError()
           << "cannot have an other with a block pointer; use padding";
  if (getOther() && !getMask())
    return emitOpError() << "has an other but no mask to choose it";
  if (getOther() && getOther().getType() != getType())
    return emitOpError() << "needs an other of type " << getType() << ", found "
                         << getOther().getType();
  if (getPadding() && !isBlockPtr(ptr))
    return emitOpError() << "has a padding, which is for block pointers; the "
                            "pointer is "
                         << ptr;
  if (getPadding() == PaddingOption::PAD_NAN &&
      isa<IntegerType>(getElementType(getType())))
    return emitOpError() << "pads with NaN, which " << getElementType(getType())
                         << " has not";
  return success();
}

LogicalResult StoreOp::verify() {
  Type ptr = getPtr().getType();
  if (getValue().getType() != getLoadedType(ptr))
    return emitOpError() << "through " << ptr << " needs a value of type "
                         << getLoadedType(ptr) << ", found "
                         << getValue().getType();
  return verifyAccess(*this, ptr, getMask(), getBoundaryCheck());
}

// `value` must be what `ptr` points to; block pointers have no atomics.
static LogicalResult verifyAtomic(Operation *op, Type ptr, Type value,
                                  StringRef what) {
  if (isBlockPtr(ptr))
    return op->emitOpError()
           << "cannot go through a block pointer, found " << ptr;
  if (getLoadedType(ptr) != value)
    return op->emitOpError()
           << "through " << ptr << " needs a " << what << " of type "
           << getLoadedType(ptr) << ", found " << value;
  return success();
}

LogicalResult AtomicRMWOp::verify() {
  Type ptr = getPtr().getType(), value = getVal().getType();
  if (failed(verifyAtomic(*this, ptr, value, "value")))
    return failure();
  if (getType() != value)
    return emitOpError() << "must give " << value << ", found " << getType();
  if (getMask() && getMask().getType() != getMaskType(ptr))
    return emitOpError() << "needs a mask of type " << getMaskType(ptr)
                         << ", found " << getMask().getType();
  Type element = getElementType(value);
  StringRef kind = stringifyRMWOp(getAtomicRmwOp());
  bool takesFloat = getAtomicRmwOp() == RMWOp::FADD;
  bool takesAny = getAtomicRmwOp() == RMWOp::XCHG;
  if (takesFloat && !isa<FloatType>(element))
    return emitOpError() << kind << " needs floats, found " << element;
  if (!takesFloat && !takesAny && !isa<IntegerType>(element))
    return emitOpError() << kind << " needs integers, found " << element;
  return success();
}

LogicalResult AtomicCASOp::verify() {
  Type ptr = getPtr().getType();
  if (failed(verifyAtomic(*this, ptr, getCmp().getType(), "cmp")) ||
      failed(verifyAtomic(*this, ptr, getVal().getType(), "val")))
    return failure();
  if (getType() != getVal().getType())
    return emitOpError() << "must give " << getVal().getType() << ", found "
                         << getType();
  unsigned bits = getElementBits(getVal().getType());
  if (bits != 16 && bits != 32 && bits != 64)
    return emitOpError() << "works on 16, 32 or 64 bits, found "
                         << getElementType(getVal().getType());
  return success();
}

LogicalResult AtomicPollOp::verify() {
  if (failed(verifyAtomic(*this, getPtr().getType(), getExpected().getType(),
                          "expected value")))
    return failure();
  unsigned bits = getElementBits(getExpected().getType());
  if (bits != 16 && bits != 32 && bits != 64)
    return emitOpError() << "works on 16, 32 or 64 bits, found "
                         << getExpected().getType();
  if (getSem() != MemSemantic::ACQUIRE && getSem() != MemSemantic::RELAXED)
    return emitOpError() << "orders memory by acquire or relaxed, found "
                         << stringifyMemSemantic(getSem());
  return success();
}

LogicalResult MakeTensorPtrOp::verify() {
  if (!isBlockPtr(getType()))
    return emitOpError() << "must give a pointer to a tensor, found "
                         << getType();
  auto block = cast<RankedTensorType>(getType().getPointeeType());
  if (failed(verifyTensorSize(block, *this, "the block")))
    return failure();
  int64_t rank = block.getRank();
  if (static_cast<int64_t>(getShape().size()) != rank)
    return emitOpError() << "has " << getShape().size()
                         << " sizes, strides and offsets for the " << rank
                         << " dimensions of " << block;
  return tt::detail::verifyPermutation(*this, getOrder(), rank);
}

LogicalResult AdvanceOp::verify() {
  if (!isBlockPtr(getType()))
    return emitOpError() << "moves a block pointer, found " << getType();
  size_t rank = ::getShape(getPointeeType(getType())).size();
  if (getOffsets().size() != rank)
    return emitOpError() << "has " << getOffsets().size() << " offsets for the "
                         << rank << " dimensions of "
                         << getPointeeType(getType());
  return success();
}

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

LogicalResult MakeTensorDescOp::verify() {
  TensorDescType type = getType();
  if (failed(verifyTensorSize(type.getBlockType(), *this, "the block")))
    return failure();
  int64_t rank = type.getRank();
  if (static_cast<int64_t>(getShape().size()) != rank ||
      static_cast<int64_t>(getStrides().size()) != rank)
    return emitOpError() << "has " << getShape().size() << " sizes and "
                         << getStrides().size() << " strides for the " << rank
                         << " dimensions of " << type;
  Type element = type.getSignlessBlockType().getElementType();
  if (getPointeeType(getBase().getType()) != element)
    return emitOpError() << "needs a base of type " << PointerType::get(element)
                         << ", found " << getBase().getType();
  if (getPadding() == PaddingOption::PAD_NAN && isa<IntegerType>(element))
    return emitOpError() << "pads with NaN, which " << element << " has not";
  return success();
}

// One index for each dimension, and a block of `type`'s shape and elements;
// leading dimensions of size one may be left out of the block.
static LogicalResult verifyBlockAccess(Operation *op, TensorDescType type,
                                       size_t indices, RankedTensorType block) {
  if (static_cast<int64_t>(indices) != type.getRank())
    return op->emitOpError() << "has " << indices << " indices for the "
                             << type.getRank() << " dimensions of " << type;
  RankedTensorType whole = type.getSignlessBlockType();
  bool sameElements = block.getElementType() == whole.getElementType() &&
                      block.getNumElements() == whole.getNumElements();
  int64_t dropped = whole.getRank() - block.getRank();
  bool sameShape = sameElements && dropped >= 0 &&
                   whole.getShape().drop_front(dropped) == block.getShape();
  if (!sameShape)
    return op->emitOpError()
           << "moves a " << whole << " of " << type << ", found " << block;
  return success();
}

LogicalResult DescriptorLoadOp::verify() {
  return verifyBlockAccess(*this, getDesc().getType(), getIndices().size(),
                           getType());
}

LogicalResult DescriptorStoreOp::verify() {
  return verifyBlockAccess(*this, getDesc().getType(), getIndices().size(),
                           cast<RankedTensorType>(getSrc().getType()));
}

LogicalResult DescriptorReduceOp::verify() {
  if (failed(verifyBlockAccess(*this, getDesc().getType(), getIndices().size(),
                               cast<RankedTensorType>(getSrc().getType()))))
    return failure();
  Type element = getElementType(getSrc().getType());
  DescriptorReduceKind kind = getKind();
  bool floatKind = kind == DescriptorReduceKind::ADD ||
                   kind == DescriptorReduceKind::MIN ||
                   kind == DescriptorReduceKind::MAX;
  if (kind == DescriptorReduceKind::NONE)
    return emitOpError() << "needs a kind of reduction, found none";
  if (isa<FloatType>(element) && !floatKind)
    return emitOpError() << stringifyDescriptorReduceKind(kind)
                         << " needs integers, found " << element;
  return success();
}

// A 2-D descriptor of one-row blocks, and rows by a 1-D tensor of offsets.
static LogicalResult verifyRowAccess(Operation *op, TensorDescType type,
                                     RankedTensorType offsets,
                                     RankedTensorType rows) {
  if (type.getRank() != 2 || type.getShape()[0] != 1)
    return op->emitOpError()
           << "needs a descriptor of blocks 1xN, found " << type;
  unsigned bits = offsets.getElementType().getIntOrFloatBitWidth();
  if (offsets.getRank() != 1 || (bits != 16 && bits != 32))
    return op->emitOpError() << "needs a 1-D tensor of i16 or i32 offsets, "
                                "found "
                             << offsets;
  auto expected =
      RankedTensorType::get({offsets.getDimSize(0), type.getShape()[1]},
                            type.getSignlessBlockType().getElementType());
  if (rows != expected)
    return op->emitOpError() << "moves " << expected << ", found " << rows;
  return success();
}

LogicalResult DescriptorGatherOp::verify() {
  return verifyRowAccess(*this, getDesc().getType(),
                         cast<RankedTensorType>(getXOffsets().getType()),
                         getType());
}

LogicalResult DescriptorScatterOp::verify() {
  return verifyRowAccess(*this, getDesc().getType(),
                         cast<RankedTensorType>(getXOffsets().getType()),
                         cast<RankedTensorType>(getSrc().getType()));
}
