//===- SemanticDescriptor.cpp - Tensor descriptors ------------------------===//

#include "compiler/Lang/Semantic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace nereid::lang {

std::optional<Descriptor> Semantic::makeDescriptor(
    Tensor base, llvm::ArrayRef<Scalar> shape, llvm::ArrayRef<Scalar> strides,
    llvm::ArrayRef<int64_t> blockShape, llvm::StringRef padding) {
  auto refuse = [&](const llvm::Twine &message) {
    fail(message);
    return std::nullopt;
  };
  if (!base)
    return std::nullopt;
  if (base.isBlock() || !base.elem()->isPointer())
    return refuse("the base of a tensor descriptor is a scalar pointer, "
                  "found " +
                  base.str());
  size_t rank = shape.size();
  if (rank < 1 || rank > 5)
    return refuse("a tensor descriptor has 1 to 5 dimensions, found " +
                  llvm::Twine(rank));
  if (strides.size() != rank || blockShape.size() != rank)
    return refuse("a tensor descriptor takes as many strides and block sizes "
                  "as dimensions, found a shape of " +
                  llvm::Twine(rank) + ", strides of " +
                  llvm::Twine(strides.size()) + " and a block shape of " +
                  llvm::Twine(blockShape.size()));
  if (!checkShape(blockShape, "the block of a tensor descriptor"))
    return std::nullopt;
  const Type *element = base.elem()->getElement();
  if (!element->isInteger() && !element->isFloat())
    return refuse("a tensor descriptor describes numbers, found " + base.str());
  int64_t elementBytes = std::max(1u, element->getBits() / 8);
  if (blockShape.back() * elementBytes < 16)
    return refuse("the last block dimension of a tensor descriptor must "
                  "cover at least 16 bytes, found " +
                  llvm::Twine(blockShape.back()) + " elements of " +
                  element->signature() + ", which is " +
                  llvm::Twine(blockShape.back() * elementBytes) + " bytes");
  const Scalar &last = strides.back();
  if (!last.isNumber() || last.number->isFloat() || last.number->integer != 1)
    return refuse("the last stride of a tensor descriptor must be the "
                  "compile-time constant 1, found " +
                  (last.isNumber()
                       ? last.number->str()
                       : "a run-time value of type " + last.tensor.str()));
  bool isNan = padding == "nan";
  if (!isNan && !padding.empty() && padding != "zero")
    return refuse("'padding_option' is \"zero\" or \"nan\", found \"" +
                  padding + "\"");
  if (isNan && element->isInteger())
    return refuse("'padding_option' \"nan\" is for floats, found elements of "
                  "type " +
                  element->signature());

  Descriptor desc;
  desc.blockType = types.getBlock(element, blockShape);
  llvm::SmallVector<mlir::Value, 5> shapeValues, strideValues;
  auto convert = [&](const Scalar &source, ScalarId id, llvm::StringRef what,
                     llvm::SmallVectorImpl<Tensor> &tensors,
                     llvm::SmallVectorImpl<mlir::Value> &values) {
    Tensor value;
    if (source.isNumber()) {
      if (source.number->isFloat())
        return failBool(what + " of a tensor descriptor are integers, found " +
                        source.number->str());
      value = constant(*source.number, id);
    } else {
      value = source.tensor;
      if (value && value.type->getNumElements() != 1)
        return failBool(what + " of a tensor descriptor are scalars, found " +
                        value.str());
      if (value && !value.elem()->isInteger())
        return failBool(what + " of a tensor descriptor are integers, found " +
                        value.str());
      value = unsplat(cast(value, id));
    }
    if (!value)
      return false;
    tensors.push_back(value);
    values.push_back(value.handle);
    return true;
  };
  for (const Scalar &size : shape)
    if (!convert(size, ScalarId::Int32, "the sizes", desc.shape, shapeValues))
      return std::nullopt;
  for (const Scalar &stride : strides)
    if (!convert(stride, ScalarId::Int64, "the strides", desc.strides,
                 strideValues))
      return std::nullopt;
  llvm::SmallVector<int32_t, 5> block(blockShape.begin(), blockShape.end());
  desc.handle = tt::MakeTensorDescOp::create(
      builder, loc, base.handle, shapeValues, strideValues, block,
      element->isSigned(),
      isNan ? tt::PaddingOption::PAD_NAN : tt::PaddingOption::PAD_ZERO);
  return desc;
}

bool Semantic::descriptorIndices(llvm::ArrayRef<Scalar> offsets, size_t rank,
                                 llvm::SmallVectorImpl<mlir::Value> &out) {
  if (offsets.size() != rank)
    return failBool("a tensor descriptor of rank " + llvm::Twine(rank) +
                    " takes " + llvm::Twine(rank) + " offsets, found " +
                    llvm::Twine(offsets.size()));
  for (const Scalar &offset : offsets) {
    Tensor value;
    if (offset.isNumber()) {
      if (offset.number->isFloat())
        return failBool("the offsets of a tensor descriptor are integers, "
                        "found " +
                        offset.number->str());
      value = constant(*offset.number, ScalarId::Int32);
    } else {
      value = offset.tensor;
      if (value && value.type->getNumElements() != 1)
        return failBool("the offsets of a tensor descriptor are scalars, "
                        "found " +
                        value.str());
      if (value && (!value.elem()->isInteger() || value.elem()->getBits() > 32))
        return failBool("the offsets of a tensor descriptor are 32-bit "
                        "integers, found " +
                        value.str() + "; convert it with .to(tl.int32)");
      // 8 and 16-bit values widen without loss.
      if (value && value.elem()->getBits() < 32)
        value = cast(value, ScalarId::Int32);
      value = unsplat(value);
    }
    if (!value)
      return false;
    out.push_back(value.handle);
  }
  return true;
}

Tensor Semantic::descriptorLoad(const Descriptor &desc,
                                llvm::ArrayRef<Scalar> offsets,
                                const AccessOptions &) {
  llvm::SmallVector<mlir::Value, 5> indices;
  size_t rank = desc.blockType->getShape().size();
  if (!descriptorIndices(offsets, rank, indices))
    return Tensor();
  return {tt::DescriptorLoadOp::create(
              builder, loc, toIR(desc.blockType), desc.handle, indices,
              tt::CacheModifier::NONE, tt::EvictionPolicy::NORMAL),
          desc.blockType};
}

/// The value of a descriptor store must have the block shape.
static std::string shapeMismatch(const Descriptor &desc, const Tensor &value) {
  if (value.shape() == desc.blockType->getShape())
    return "";
  return "the value must have the descriptor's block shape [" +
         shapeText(desc.blockType->getShape()) + "], found " + value.str();
}

Tensor Semantic::descriptorStore(const Descriptor &desc,
                                 llvm::ArrayRef<Scalar> offsets, Tensor value) {
  if (!value)
    return value;
  if (std::string error = shapeMismatch(desc, value); !error.empty())
    return fail(error);
  value = cast(value, desc.blockType->getElement());
  llvm::SmallVector<mlir::Value, 5> indices;
  if (!value || !descriptorIndices(offsets, value.shape().size(), indices))
    return Tensor();
  tt::DescriptorStoreOp::create(builder, loc, desc.handle, value.handle,
                                indices);
  return nothing();
}

Tensor Semantic::descriptorReduce(AtomicKind kind, const Descriptor &desc,
                                  llvm::ArrayRef<Scalar> offsets,
                                  Tensor value) {
  if (!value)
    return value;
  if (std::string error = shapeMismatch(desc, value); !error.empty())
    return fail(error);
  const Type *element = desc.blockType->getElement();
  bool isHalf =
      element->is(ScalarId::Float16) || element->is(ScalarId::BFloat16);
  bool isWideInt = element->isInteger() && element->getBits() >= 32;
  tt::DescriptorReduceKind reduceKind;
  bool supported = false;
  llvm::StringRef name, allowed;
  switch (kind) {
  case AtomicKind::Add:
    reduceKind = tt::DescriptorReduceKind::ADD;
    name = "atomic_add";
    allowed = "u32, i32, u64, fp32, fp16 or bf16";
    supported = isHalf || element->is(ScalarId::Float32) ||
                (isWideInt && !element->is(ScalarId::Int64));
    break;
  case AtomicKind::Min:
  case AtomicKind::Max:
    reduceKind = kind == AtomicKind::Min ? tt::DescriptorReduceKind::MIN
                                         : tt::DescriptorReduceKind::MAX;
    name = kind == AtomicKind::Min ? "atomic_min" : "atomic_max";
    allowed = "u32, i32, u64, i64, fp16 or bf16";
    supported = isHalf || isWideInt;
    break;
  case AtomicKind::And:
  case AtomicKind::Or:
  case AtomicKind::Xor:
    reduceKind = kind == AtomicKind::And  ? tt::DescriptorReduceKind::AND
                 : kind == AtomicKind::Or ? tt::DescriptorReduceKind::OR
                                          : tt::DescriptorReduceKind::XOR;
    name = kind == AtomicKind::And  ? "atomic_and"
           : kind == AtomicKind::Or ? "atomic_or"
                                    : "atomic_xor";
    allowed = "u32, i32, u64 or i64";
    supported = isWideInt;
    break;
  case AtomicKind::Xchg:
    return fail("tensor descriptors have no atomic exchange");
  }
  if (!supported)
    return fail("'" + name + "' of a tensor descriptor supports " + allowed +
                ", found " + element->signature());
  value = cast(value, element);
  llvm::SmallVector<mlir::Value, 5> indices;
  if (!value || !descriptorIndices(offsets, value.shape().size(), indices))
    return Tensor();
  tt::DescriptorReduceOp::create(builder, loc, reduceKind, desc.handle,
                                 value.handle, indices);
  return nothing();
}

//===----------------------------------------------------------------------===//
// Gather and scatter of rows
//===----------------------------------------------------------------------===//

bool Semantic::checkDescriptorRows(const Descriptor &desc, Tensor xOffsets,
                                   llvm::StringRef what) {
  llvm::ArrayRef<int64_t> block = desc.blockType->getShape();
  if (block.size() != 2 || block[0] != 1)
    return failBool("'" + what +
                    "' takes a descriptor whose block is one row "
                    "of two dimensions, [1, N], found [" +
                    shapeText(block) + "]");
  if (xOffsets.rank() != 1 || (!xOffsets.elem()->is(ScalarId::Int16) &&
                               !xOffsets.elem()->is(ScalarId::Int32)))
    return failBool("'" + what +
                    "' takes row numbers as a 1-dimensional "
                    "tensor of i16 or i32, found " +
                    xOffsets.str());
  if (xOffsets.shape()[0] < 8)
    return failBool("'" + what + "' takes at least 8 rows, found " +
                    llvm::Twine(xOffsets.shape()[0]));
  const Type *element = desc.blockType->getElement();
  int64_t minColumns = 32 / element->getBits() * 8;
  if (block[1] < minColumns)
    return failBool("'" + what + "' of " + element->signature() +
                    " takes at least " + llvm::Twine(minColumns) +
                    " columns, found " + llvm::Twine(block[1]));
  return true;
}

Tensor Semantic::descriptorGather(const Descriptor &desc, Tensor xOffsets,
                                  const Scalar &yOffset) {
  llvm::SmallVector<mlir::Value, 1> column;
  if (!xOffsets || !checkDescriptorRows(desc, xOffsets, "gather") ||
      !descriptorIndices(yOffset, 1, column))
    return Tensor();
  const Type *type =
      types.getBlock(desc.blockType->getElement(),
                     {xOffsets.shape()[0], desc.blockType->getShape()[1]});
  return {tt::DescriptorGatherOp::create(builder, loc, toIR(type), desc.handle,
                                         xOffsets.handle, column[0]),
          type};
}

Tensor Semantic::descriptorScatter(const Descriptor &desc, Tensor value,
                                   Tensor xOffsets, const Scalar &yOffset) {
  llvm::SmallVector<mlir::Value, 1> column;
  if (!value || !xOffsets || !checkDescriptorRows(desc, xOffsets, "scatter") ||
      !descriptorIndices(yOffset, 1, column))
    return Tensor();
  llvm::SmallVector<int64_t, 2> expected = {xOffsets.shape()[0],
                                            desc.blockType->getShape()[1]};
  if (value.shape() != llvm::ArrayRef<int64_t>(expected))
    return fail("'scatter' takes a value of shape [" + shapeText(expected) +
                "] here, found " + value.str());
  value = cast(value, desc.blockType->getElement());
  if (!value)
    return value;
  tt::DescriptorScatterOp::create(builder, loc, desc.handle, xOffsets.handle,
                                  column[0], value.handle);
  return nothing();
}

} // namespace nereid::lang
