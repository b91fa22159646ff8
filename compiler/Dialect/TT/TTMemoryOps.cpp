//===- TTMemoryOps.cpp - Builders, text and effects of memory ops ---------===//
//
// Loads and stores have hand-written text because two spellings of the cache
// hints must parse: `cacheModifier = cg evictionPolicy = evict_first` (3.6 to
// 3.8, and what we print), and 3.9's `{cachePolicy = #tt.cache_policy<...>}`.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"

using namespace mlir;
using namespace nereid::tt;

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

void LoadOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                   CacheModifier cache, EvictionPolicy evict, bool isVolatile) {
  build(builder, state, ptr, Value(), Value(), {}, std::nullopt, cache, evict,
        isVolatile);
}

void LoadOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                   Value mask, Value other, CacheModifier cache,
                   EvictionPolicy evict, bool isVolatile) {
  build(builder, state, ptr, mask, other, {}, std::nullopt, cache, evict,
        isVolatile);
}

void LoadOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                   Value mask, Value other, ArrayRef<int32_t> boundaryCheck,
                   std::optional<PaddingOption> padding, CacheModifier cache,
                   EvictionPolicy evict, bool isVolatile) {
  auto paddingAttr =
      padding ? PaddingOptionAttr::get(builder.getContext(), *padding)
              : PaddingOptionAttr();
  build(builder, state, getLoadedType(ptr.getType()), ptr, mask, other,
        builder.getDenseI32ArrayAttr(boundaryCheck), paddingAttr,
        CacheModifierAttr::get(builder.getContext(), cache),
        EvictionPolicyAttr::get(builder.getContext(), evict),
        builder.getBoolAttr(isVolatile));
}

void StoreOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                    Value value, CacheModifier cache, EvictionPolicy evict) {
  build(builder, state, ptr, value, Value(), {}, cache, evict);
}

void StoreOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                    Value value, Value mask, CacheModifier cache,
                    EvictionPolicy evict) {
  build(builder, state, ptr, value, mask, {}, cache, evict);
}

void StoreOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                    Value value, Value mask, ArrayRef<int32_t> boundaryCheck,
                    CacheModifier cache, EvictionPolicy evict) {
  state.addOperands({ptr, value});
  if (mask)
    state.addOperands(mask);
  auto &properties = state.getOrAddProperties<Properties>();
  properties.boundaryCheck = builder.getDenseI32ArrayAttr(boundaryCheck);
  properties.cache = CacheModifierAttr::get(builder.getContext(), cache);
  properties.evict = EvictionPolicyAttr::get(builder.getContext(), evict);
}

void MakeTensorPtrOp::build(OpBuilder &builder, OperationState &state,
                            Value base, ValueRange shape, ValueRange strides,
                            ValueRange offsets, ArrayRef<int32_t> blockShape,
                            ArrayRef<int32_t> order) {
  auto pointer = cast<PointerType>(base.getType());
  auto block = RankedTensorType::get(
      SmallVector<int64_t>(blockShape.begin(), blockShape.end()),
      pointer.getPointeeType());
  build(builder, state, PointerType::get(block, pointer.getAddressSpace()),
        base, shape, strides, offsets, order);
}

void MakeTensorDescOp::build(OpBuilder &builder, OperationState &state,
                             Value base, ValueRange shape, ValueRange strides,
                             ArrayRef<int32_t> blockShape, bool isSignedInteger,
                             PaddingOption padding) {
  Type element = getPointeeType(base.getType());
  if (auto integer = dyn_cast<IntegerType>(element))
    element = IntegerType::get(builder.getContext(), integer.getWidth(),
                               isSignedInteger ? IntegerType::Signed
                                               : IntegerType::Unsigned);
  auto block = RankedTensorType::get(
      SmallVector<int64_t>(blockShape.begin(), blockShape.end()), element);
  build(builder, state, TensorDescType::get(block), base, shape, strides,
        padding);
}

void DescriptorLoadOp::build(OpBuilder &builder, OperationState &state,
                             Value desc, ValueRange indices,
                             CacheModifier cache, EvictionPolicy evict) {
  auto type = cast<TensorDescType>(desc.getType());
  build(builder, state, type.getSignlessBlockType(), desc, indices, cache,
        evict);
}

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

// A volatile load is also a write, so that none is removed or moved.
void LoadOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getPtrMutable(),
                       GlobalMemory::get());
  if (getIsVolatile())
    effects.emplace_back(MemoryEffects::Write::get(), GlobalMemory::get());
}

//===----------------------------------------------------------------------===//
// Text of the cache hints
//===----------------------------------------------------------------------===//

namespace {

// Parses `keyword`, one of an enumeration's, into `attrs`.
template <typename EnumAttr, typename Symbolize>
ParseResult parseHint(OpAsmParser &parser, NamedAttrList &attrs, StringRef name,
                      Symbolize symbolize) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseEqual() || parser.parseKeyword(&keyword))
    return failure();
  auto value = symbolize(keyword);
  if (!value)
    return parser.emitError(loc)
           << "'" << keyword << "' is not a value of '" << name << "'";
  if (attrs.get(name))
    return parser.emitError(loc) << "'" << name << "' is given twice";
  attrs.set(name, EnumAttr::get(parser.getContext(), *value));
  return success();
}

// Parses the hints before the attributes, the attributes, and 3.9's form of
// the hints among these.
template <typename OpTy>
ParseResult parseHintsAndAttributes(OpAsmParser &parser,
                                    OperationState &state) {
  NamedAttrList hints;
  while (true) {
    if (succeeded(parser.parseOptionalKeyword("cacheModifier"))) {
      if (parseHint<CacheModifierAttr>(parser, hints, "cache", [](StringRef s) {
            return symbolizeCacheModifier(s);
          }))
        return failure();
    } else if (succeeded(parser.parseOptionalKeyword("evictionPolicy"))) {
      if (parseHint<EvictionPolicyAttr>(
              parser, hints, "evict",
              [](StringRef s) { return symbolizeEvictionPolicy(s); }))
        return failure();
    } else {
      break;
    }
  }
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(state.attributes))
    return failure();
  if (Attribute attr = state.attributes.get("cachePolicy")) {
    auto policy = dyn_cast<CachePolicyAttr>(attr);
    if (!policy)
      return parser.emitError(loc)
             << "'cachePolicy' must be a #tt.cache_policy, found " << attr;
    state.attributes.erase("cachePolicy");
    MLIRContext *context = parser.getContext();
    hints.set("cache",
              CacheModifierAttr::get(context, policy.getCacheModifier()));
    hints.set("evict",
              EvictionPolicyAttr::get(context, policy.getEvictionPolicy()));
  }
  for (NamedAttribute hint : hints)
    state.attributes.set(hint.getName(), hint.getValue());
  // An attribute of a wrong kind would vanish silently when the op is made.
  return OpTy::verifyInherentAttrs(state.name, state.attributes, [&] {
    return parser.emitError(loc) << "'" << state.name.getStringRef() << "' op ";
  });
}

// Prints what parseHintsAndAttributes reads, leaving out defaults.
template <typename OpTy>
void printHintsAndAttributes(OpAsmPrinter &printer, OpTy op) {
  if (op.getCache() != CacheModifier::NONE)
    printer << " cacheModifier = " << stringifyCacheModifier(op.getCache());
  if (op.getEvict() != EvictionPolicy::NORMAL)
    printer << " evictionPolicy = " << stringifyEvictionPolicy(op.getEvict());
  SmallVector<StringRef> elided{"cache", "evict", "operandSegmentSizes"};
  if (auto check =
          op->template getAttrOfType<DenseI32ArrayAttr>("boundaryCheck");
      check && check.empty())
    elided.push_back("boundaryCheck");
  if (auto isVolatile = op->template getAttrOfType<BoolAttr>("isVolatile");
      isVolatile && !isVolatile.getValue())
    elided.push_back("isVolatile");
  printer.printOptionalAttrDict(op->getAttrs(), elided);
}

using Unresolved = OpAsmParser::UnresolvedOperand;

// `mask` of a load or store through `ptr`.
ParseResult resolveMask(OpAsmParser &parser, OperationState &state,
                        Unresolved mask, Type ptr) {
  return parser.resolveOperand(mask, getMaskType(ptr), state.operands);
}

// Parses `: type` of a pointer that can be read or written.
ParseResult parsePointerType(OpAsmParser &parser, Type &type) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseColonType(type))
    return failure();
  if (!isPtrLike(type))
    return parser.emitError(loc)
           << "expected a pointer or a tensor of pointers, found " << type;
  return success();
}

} // namespace

//===----------------------------------------------------------------------===//
// Text of loads and stores
//===----------------------------------------------------------------------===//

ParseResult LoadOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<Unresolved, 3> operands;
  Type type;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands) ||
      parseHintsAndAttributes<LoadOp>(parser, state) ||
      parsePointerType(parser, type))
    return failure();
  if (operands.empty() || operands.size() > 3)
    return parser.emitError(loc)
           << "a load has a pointer, a mask and an other, found "
           << operands.size() << " operands";
  Type loaded = getLoadedType(type);
  if (parser.resolveOperand(operands[0], type, state.operands) ||
      (operands.size() > 1 && resolveMask(parser, state, operands[1], type)) ||
      (operands.size() > 2 &&
       parser.resolveOperand(operands[2], loaded, state.operands)))
    return failure();
  auto &segments =
      state.getOrAddProperties<LoadOp::Properties>().operandSegmentSizes;
  segments = {1, operands.size() > 1 ? 1 : 0, operands.size() > 2 ? 1 : 0};
  state.addTypes(loaded);
  return success();
}

void LoadOp::print(OpAsmPrinter &printer) {
  printer << " " << getPtr();
  if (getMask())
    printer << ", " << getMask();
  if (getOther())
    printer << ", " << getOther();
  printHintsAndAttributes(printer, *this);
  printer << " : " << getPtr().getType();
}

ParseResult StoreOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<Unresolved, 3> operands;
  Type type;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands) ||
      parseHintsAndAttributes<StoreOp>(parser, state) ||
      parsePointerType(parser, type))
    return failure();
  if (operands.size() < 2 || operands.size() > 3)
    return parser.emitError(loc)
           << "a store has a pointer, a value and a mask, found "
           << operands.size() << " operands";
  if (parser.resolveOperand(operands[0], type, state.operands) ||
      parser.resolveOperand(operands[1], getLoadedType(type), state.operands) ||
      (operands.size() > 2 && resolveMask(parser, state, operands[2], type)))
    return failure();
  return success();
}

void StoreOp::print(OpAsmPrinter &printer) {
  printer << " " << getPtr() << ", " << getValue();
  if (getMask())
    printer << ", " << getMask();
  printHintsAndAttributes(printer, *this);
  printer << " : " << getPtr().getType();
}

ParseResult DescriptorLoadOp::parse(OpAsmParser &parser,
                                    OperationState &state) {
  Unresolved desc;
  SmallVector<Unresolved, 5> indices;
  Type type, result;
  if (parser.parseOperand(desc) ||
      parser.parseOperandList(indices, OpAsmParser::Delimiter::Square) ||
      parseHintsAndAttributes<DescriptorLoadOp>(parser, state) ||
      parser.parseColonType(type) || parser.parseArrow() ||
      parser.parseType(result) ||
      parser.resolveOperand(desc, type, state.operands) ||
      parser.resolveOperands(indices, parser.getBuilder().getI32Type(),
                             state.operands))
    return failure();
  state.addTypes(result);
  return success();
}

void DescriptorLoadOp::print(OpAsmPrinter &printer) {
  printer << " " << getDesc() << "[" << getIndices() << "]";
  printHintsAndAttributes(printer, *this);
  printer << " : " << getDesc().getType() << " -> " << getType();
}
