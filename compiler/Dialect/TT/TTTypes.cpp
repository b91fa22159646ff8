//===- TTTypes.cpp - Types and attributes: text, checks, helpers ----------===//

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nereid::tt;

#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "compiler/Dialect/TT/TTEnums.cpp.inc"
#include "compiler/Dialect/TT/TTGEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/TT/TTTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/TT/TTAttrs.cpp.inc"

void TTDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/Dialect/TT/TTTypes.cpp.inc"
      >();
}

void TTDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/Dialect/TT/TTAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// !tt.ptr
//===----------------------------------------------------------------------===//

Type PointerType::parse(AsmParser &parser) {
  Type pointee;
  int addressSpace = 1;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseType(pointee))
    return Type();
  if (succeeded(parser.parseOptionalComma()) &&
      parser.parseInteger(addressSpace))
    return Type();
  if (parser.parseGreater())
    return Type();
  return parser.getChecked<PointerType>(loc, pointee.getContext(), pointee,
                                        addressSpace);
}

void PointerType::print(AsmPrinter &printer) const {
  printer << "<" << getPointeeType();
  if (getAddressSpace() != 1)
    printer << ", " << getAddressSpace();
  printer << ">";
}

LogicalResult PointerType::verify(function_ref<InFlightDiagnostic()> emitError,
                                  Type pointee, int addressSpace) {
  if (addressSpace < 0)
    return emitError() << "address space " << addressSpace
                       << " is negative; 1 is global memory";
  if (auto tensor = dyn_cast<RankedTensorType>(pointee)) {
    if (!tensor.hasStaticShape())
      return emitError() << "a block pointer needs a static shape, found "
                         << tensor;
    return success();
  }
  if (!isa<IntegerType, FloatType, PointerType>(pointee))
    return emitError() << "a pointer points to a number, a pointer or a "
                          "tensor, found "
                       << pointee;
  return success();
}

//===----------------------------------------------------------------------===//
// !tt.tensordesc
//===----------------------------------------------------------------------===//

Type TensorDescType::parse(AsmParser &parser) {
  if (parser.parseLess())
    return Type();
  SMLoc loc = parser.getCurrentLocation();
  RankedTensorType block;
  Type type;
  OptionalParseResult wrapped = parser.parseOptionalType(type);
  if (wrapped.has_value()) {
    if (failed(*wrapped))
      return Type();
    block = dyn_cast<RankedTensorType>(type);
    if (!block) {
      parser.emitError(loc) << "expected a tensor type, found " << type;
      return Type();
    }
  } else {
    SmallVector<int64_t> shape;
    if (parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
        parser.parseType(type))
      return Type();
    if (!RankedTensorType::isValidElementType(type)) {
      parser.emitError(loc) << type << " cannot be a tensor's element";
      return Type();
    }
    block = RankedTensorType::get(shape, type);
  }
  if (parser.parseGreater())
    return Type();
  return parser.getChecked<TensorDescType>(loc, block.getContext(), block);
}

void TensorDescType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << (getRank() ? "x" : "") << getElementType() << ">";
}

LogicalResult
TensorDescType::verify(function_ref<InFlightDiagnostic()> emitError,
                       RankedTensorType block) {
  if (!block.hasStaticShape())
    return emitError() << "a descriptor's block needs a static shape, found "
                       << block;
  if (block.getRank() < 1 || block.getRank() > 5)
    return emitError() << "a descriptor's block has 1 to 5 dimensions, found "
                       << block;
  if (!isa<IntegerType, FloatType>(block.getElementType()))
    return emitError() << "a descriptor's elements are numbers, found "
                       << block.getElementType();
  return success();
}

RankedTensorType TensorDescType::getSignlessBlockType() const {
  RankedTensorType block = getBlockType();
  if (auto integer = dyn_cast<IntegerType>(block.getElementType()))
    return block.clone(IntegerType::get(getContext(), integer.getWidth()));
  return block;
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

namespace nereid::tt {

Type getElementType(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.getElementType();
  return type;
}

Type withElementType(Type type, Type element) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.clone(element);
  return element;
}

Type getPointeeType(Type type) {
  if (auto pointer = dyn_cast<PointerType>(getElementType(type)))
    return pointer.getPointeeType();
  return Type();
}

Type getLoadedType(Type type) {
  Type pointee = getPointeeType(type);
  return pointee ? withElementType(type, pointee) : Type();
}

bool isPtrLike(Type type) { return isa<PointerType>(getElementType(type)); }

bool isBlockPtr(Type type) {
  auto pointer = dyn_cast<PointerType>(type);
  return pointer && isa<RankedTensorType>(pointer.getPointeeType());
}

Type getBlockBaseType(Type type) {
  auto pointer = dyn_cast<PointerType>(type);
  if (!pointer || !isBlockPtr(type))
    return Type();
  return PointerType::get(getElementType(pointer.getPointeeType()),
                          pointer.getAddressSpace());
}

ArrayRef<int64_t> getShape(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.getShape();
  return {};
}

int64_t getNumElements(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.getNumElements();
  return 1;
}

unsigned getElementBits(Type type) {
  Type element = getElementType(type);
  return isa<PointerType>(element) ? 64 : element.getIntOrFloatBitWidth();
}

Type getMaskType(Type type) {
  return withElementType(type, IntegerType::get(type.getContext(), 1));
}

SplatSource getSplatSource(Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return {};
  Operation *def = value.getDefiningOp();
  while (def && isa<BroadcastOp, ExpandDimsOp, ReshapeOp, TransOp>(def))
    def = def->getOperand(0).getDefiningOp();
  if (auto splat = dyn_cast_or_null<SplatOp>(def))
    return {splat.getSrc(), TypedAttr()};
  if (auto constant = dyn_cast_or_null<arith::ConstantOp>(def))
    if (auto dense = dyn_cast<SplatElementsAttr>(constant.getValue()))
      return {Value(), cast<TypedAttr>(dense.getSplatValue<Attribute>())};
  return {};
}

LogicalResult verifyTensorSize(RankedTensorType type, Operation *op,
                               StringRef what) {
  for (int64_t size : type.getShape())
    if (size <= 0 || !llvm::isPowerOf2_64(size))
      return op->emitOpError()
             << what << " has the type " << type << ": dimension " << size
             << " is not a power of two";
  if (type.getNumElements() > kMaxTensorElements)
    return op->emitOpError() << what << " has the type " << type << " of "
                             << type.getNumElements() << " elements; at most "
                             << kMaxTensorElements << " are allowed";
  return success();
}

LogicalResult detail::verifySameTileShape(Operation *op) {
  Type first;
  for (Type type :
       llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()),
                                SmallVector<Type>(op->getResultTypes()))) {
    if (!first)
      first = type;
    if (isa<RankedTensorType>(type) != isa<RankedTensorType>(first) ||
        getShape(type) != getShape(first))
      return op->emitOpError() << "needs operands and results of one shape, "
                                  "found "
                               << first << " and " << type;
  }
  return success();
}

LogicalResult detail::verifyTileSize(Operation *op) {
  for (auto [index, type] : llvm::enumerate(op->getOperandTypes()))
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (failed(
              verifyTensorSize(tensor, op, "operand " + std::to_string(index))))
        return failure();
  for (auto [index, type] : llvm::enumerate(op->getResultTypes()))
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (failed(
              verifyTensorSize(tensor, op, "result " + std::to_string(index))))
        return failure();
  return success();
}

} // namespace nereid::tt
