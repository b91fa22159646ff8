//===- TTOps.cpp - Builders and text of functions, shapes and compute -----===//

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace nereid::tt;

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

void FuncOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                   FunctionType type, ArrayRef<NamedAttribute> attrs,
                   ArrayRef<DictionaryAttr> argAttrs) {
  state.addAttribute(SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  state.attributes.append(attrs.begin(), attrs.end());
  state.addRegion();
  if (argAttrs.empty())
    return;
  assert(type.getNumInputs() == argAttrs.size());
  call_interface_impl::addArgAndResultAttrs(
      builder, state, argAttrs, /*resultAttrs=*/{},
      getArgAttrsAttrName(state.name), getResAttrsAttrName(state.name));
}

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  auto makeType = [](Builder &builder, ArrayRef<Type> arguments,
                     ArrayRef<Type> results,
                     function_interface_impl::VariadicFlag, std::string &) {
    return builder.getFunctionType(arguments, results);
  };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false,
      getFunctionTypeAttrName(result.name), makeType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void FuncOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

bool FuncOp::isNoInline() {
  auto attr = (*this)->getAttrOfType<BoolAttr>("noinline");
  return attr && attr.getValue();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

void MakeRangeOp::build(OpBuilder &builder, OperationState &state,
                        int32_t start, int32_t end) {
  auto type =
      RankedTensorType::get({int64_t(end) - start}, builder.getI32Type());
  build(builder, state, type, static_cast<uint32_t>(start),
        static_cast<uint32_t>(end));
}

void ExpandDimsOp::build(OpBuilder &builder, OperationState &state, Value src,
                         int axis) {
  auto type = cast<RankedTensorType>(src.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin() + axis, 1);
  build(builder, state, type.clone(shape), src, static_cast<uint32_t>(axis));
}

void ReshapeOp::build(OpBuilder &builder, OperationState &state,
                      ArrayRef<int64_t> shape, Value src, bool allowReorder) {
  auto type = cast<RankedTensorType>(src.getType());
  build(builder, state, type.clone(shape), src, allowReorder,
        /*efficient_layout=*/false);
}

void TransOp::build(OpBuilder &builder, OperationState &state, Value src,
                    ArrayRef<int32_t> order) {
  auto type = cast<RankedTensorType>(src.getType());
  SmallVector<int64_t> shape;
  for (int32_t dim : order)
    shape.push_back(type.getDimSize(dim));
  build(builder, state, type.clone(shape), src, order);
}

void JoinOp::build(OpBuilder &builder, OperationState &state, Value lhs,
                   Value rhs) {
  SmallVector<int64_t> shape(getShape(lhs.getType()));
  shape.push_back(2);
  build(builder, state,
        RankedTensorType::get(shape, getElementType(lhs.getType())), lhs, rhs);
}

void SplitOp::build(OpBuilder &builder, OperationState &state, Value src) {
  auto type = cast<RankedTensorType>(src.getType());
  ArrayRef<int64_t> shape = type.getShape().drop_back();
  Type half = shape.empty() ? type.getElementType() : type.clone(shape);
  build(builder, state, half, half, src);
}

void GatherOp::build(OpBuilder &builder, OperationState &state, Value src,
                     Value indices, int axis) {
  build(builder, state,
        withElementType(indices.getType(), getElementType(src.getType())), src,
        indices, static_cast<uint32_t>(axis), /*efficient_layout=*/false);
}

//===----------------------------------------------------------------------===//
// Reductions, scans, maps
//===----------------------------------------------------------------------===//

static SmallVector<Type> elementTypes(OperandRange operands) {
  SmallVector<Type> types;
  for (Value operand : operands)
    types.push_back(getElementType(operand.getType()));
  return types;
}

// See ReduceOp::getSingleCombiner.
static Operation *singleCombiner(Region &region) {
  Block &block = region.front();
  if (block.getNumArguments() != 2 || !llvm::hasNItems(block, 2))
    return nullptr;
  Operation *combiner = &block.front();
  Operation *terminator = block.getTerminator();
  if (combiner->getNumResults() != 1 || combiner->getNumOperands() != 2 ||
      terminator->getNumOperands() != 1 ||
      terminator->getOperand(0) != combiner->getResult(0))
    return nullptr;
  Value lhs = combiner->getOperand(0), rhs = combiner->getOperand(1);
  Value first = block.getArgument(0), second = block.getArgument(1);
  if (lhs == first && rhs == second)
    return combiner;
  bool swapped = lhs == second && rhs == first;
  return swapped && combiner->hasTrait<OpTrait::IsCommutative>() ? combiner
                                                                 : nullptr;
}

void ReduceOp::build(OpBuilder &builder, OperationState &state, ValueRange srcs,
                     int axis) {
  SmallVector<Type> types;
  for (Value src : srcs) {
    auto type = cast<RankedTensorType>(src.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape.erase(shape.begin() + axis);
    types.push_back(shape.empty() ? type.getElementType()
                                  : Type(type.clone(shape)));
  }
  build(builder, state, types, srcs, static_cast<uint32_t>(axis));
}

SmallVector<Type> ReduceOp::getElementTypes() {
  return elementTypes(getSrcs());
}

Operation *ReduceOp::getSingleCombiner() {
  return singleCombiner(getCombineOp());
}

void ScanOp::build(OpBuilder &builder, OperationState &state, ValueRange srcs,
                   int axis, bool reverse) {
  build(builder, state, srcs.getTypes(), srcs, static_cast<uint32_t>(axis),
        reverse);
}

SmallVector<Type> ScanOp::getElementTypes() { return elementTypes(getSrcs()); }

Operation *ScanOp::getSingleCombiner() {
  return singleCombiner(getCombineOp());
}

//===----------------------------------------------------------------------===//
// Effects of code that we cannot see
//===----------------------------------------------------------------------===//

static void
addUnknownEffects(bool pure,
                  SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  if (pure)
    return;
  effects.emplace_back(MemoryEffects::Read::get(), GlobalMemory::get());
  effects.emplace_back(MemoryEffects::Write::get(), GlobalMemory::get());
}

void ExternElementwiseOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addUnknownEffects(getPure(), effects);
}

void ElementwiseInlineAsmOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addUnknownEffects(getPure(), effects);
}
