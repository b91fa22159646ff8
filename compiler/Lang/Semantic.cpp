//===- Semantic.cpp - Constants and the conversion of types ---------------===//

#include "compiler/Lang/Semantic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace nereid::lang {

Tensor Semantic::fail(const llvm::Twine &message) {
  (void)diags.error(range, message);
  return Tensor();
}

void Semantic::warn(const llvm::Twine &message) {
  (void)diags.warning(range, message);
}

const Type *Semantic::blockOf(const Type *element,
                              llvm::ArrayRef<int64_t> shape) {
  return shape.empty() ? element : types.getBlock(element, shape);
}

mlir::Type Semantic::toIR(const Type *type) const {
  mlir::MLIRContext *context = builder.getContext();
  switch (type->getKind()) {
  case Type::Kind::Block:
    return mlir::RankedTensorType::get(type->getShape(),
                                       toIR(type->getElement()));
  case Type::Kind::Pointer:
    return tt::PointerType::get(toIR(type->getElement()),
                                static_cast<int>(type->getAddressSpace()));
  case Type::Kind::Descriptor:
    return descriptorToIR(type->getElement());
  case Type::Kind::Scalar:
    break;
  case Type::Kind::Tuple:
  case Type::Kind::Constexpr:
    return mlir::NoneType::get(context);
  }
  switch (type->getScalarId()) {
  case ScalarId::Void:
    return mlir::NoneType::get(context);
  case ScalarId::Float16:
    return mlir::Float16Type::get(context);
  case ScalarId::BFloat16:
    return mlir::BFloat16Type::get(context);
  case ScalarId::Float32:
    return mlir::Float32Type::get(context);
  case ScalarId::Float64:
    return mlir::Float64Type::get(context);
  case ScalarId::Float8E4NV:
    return mlir::Float8E4M3FNType::get(context);
  case ScalarId::Float8E5:
    return mlir::Float8E5M2Type::get(context);
  case ScalarId::Float8E4B8:
    return mlir::Float8E4M3FNUZType::get(context);
  case ScalarId::Float8E5B16:
    return mlir::Float8E5M2FNUZType::get(context);
  default: // Integers, and fp8e4b15, which IR holds as raw bytes.
    return mlir::IntegerType::get(context, type->getBits());
  }
}

mlir::Type Semantic::descriptorToIR(const Type *blockType) const {
  const Type *scalarType = blockType->getElement();
  mlir::Type element = toIR(scalarType);
  // Descriptors alone keep the sign: it decides on minimum and maximum.
  if (scalarType->isInteger())
    element = mlir::IntegerType::get(
        builder.getContext(), scalarType->getBits(),
        scalarType->isSigned() ? mlir::IntegerType::Signed
                               : mlir::IntegerType::Unsigned);
  return tt::TensorDescType::get(
      mlir::RankedTensorType::get(blockType->getShape(), element));
}

std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(shape, os);
  return text;
}

bool Semantic::checkShape(llvm::ArrayRef<int64_t> shape, llvm::StringRef what) {
  int64_t count = 1;
  for (auto [index, size] : llvm::enumerate(shape)) {
    if (size < 1 || (size & (size - 1)) != 0)
      return failBool(what + " must have dimensions that are powers of two, " +
                      "found " + llvm::Twine(size) + " at dimension " +
                      llvm::Twine(index) + " of [" + shapeText(shape) + "]");
    if (size > tt::kMaxTensorElements ||
        (count *= size) > tt::kMaxTensorElements)
      return failBool(what + " may have at most " +
                      llvm::Twine(tt::kMaxTensorElements) +
                      " elements, found [" + shapeText(shape) + "]");
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Tensor Semantic::constant(const Number &number, const Type *type) {
  if (type->isInteger()) {
    if (number.isFloat() && number.real != 0)
      return fail("a constant of type " + type->signature() +
                  " cannot hold the float " + number.str() +
                  "; convert it with int(...) or choose a float type");
    __int128 value = number.isFloat() ? 0 : number.integer;
    if (type->isBool())
      value = value != 0;
    if (value < minValue(type->getScalarId()) ||
        value > maxValue(type->getScalarId()))
      return fail("the constant " + number.str() +
                  " is out of range for type " + type->signature());
    llvm::APInt bits(type->getBits(), static_cast<uint64_t>(value),
                     /*isSigned=*/false, /*implicitTrunc=*/true);
    auto attr = mlir::IntegerAttr::get(toIR(type), bits);
    return {mlir::arith::ConstantOp::create(builder, loc, attr), type};
  }
  if (type->isFloat8()) {
    // As Triton does: an fp32 constant that is then narrowed.
    return cast(constant(number, ScalarId::Float32), type);
  }
  if (!type->isStandardFloat())
    return fail("there are no constants of type " + type->signature());
  double value = number.asDouble();
  if (!type->is(ScalarId::Float64))
    value = static_cast<float>(value);
  auto attr = mlir::FloatAttr::get(toIR(type), value);
  return {mlir::arith::ConstantOp::create(builder, loc, attr), type};
}

Tensor Semantic::toTensor(const Scalar &scalar) {
  if (!scalar.isNumber())
    return scalar.tensor;
  std::optional<ScalarId> id = literalType(*scalar.number);
  if (!id)
    return fail("the integer " + scalar.number->str() +
                " does not fit into 64 bits");
  return constant(*scalar.number, *id);
}

Tensor Semantic::splat(Tensor value, llvm::ArrayRef<int64_t> shape) {
  if (!value || shape.empty())
    return value;
  const Type *type = types.getBlock(value.type, shape);
  auto irType = llvm::cast<mlir::RankedTensorType>(toIR(type));
  // Constants fold at once, as Triton's builder does.
  if (auto constantOp = value.handle.getDefiningOp<mlir::arith::ConstantOp>()) {
    auto dense = mlir::SplatElementsAttr::get(irType, constantOp.getValue());
    return {mlir::arith::ConstantOp::create(builder, loc, dense), type};
  }
  return {tt::SplatOp::create(builder, loc, irType, value.handle), type};
}

Tensor Semantic::full(llvm::ArrayRef<int64_t> shape, const Scalar &value,
                      const Type *scalarType) {
  if (!checkShape(shape, "a tensor"))
    return Tensor();
  if (value.isNumber())
    return splat(constant(*value.number, scalarType), shape);
  Tensor element = value.tensor;
  if (!element)
    return element;
  if (element.type->getNumElements() != 1)
    return fail("'tl.full' takes a scalar value, found " + element.str());
  element = cast(element, scalarType);
  if (element && element.isBlock())
    element = unsplat(element);
  return splat(element, shape);
}

} // namespace nereid::lang
