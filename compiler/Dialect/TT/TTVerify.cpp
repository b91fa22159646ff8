//===- TTVerify.cpp - What well-formed tile IR is -------------------------===//
//
// Every message says what was found and what is allowed. Sizes of tensors are
// checked by the trait VerifyTileSize, not here; memory ops in
// TTVerifyMemory.cpp.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTVerify.h"
#include "compiler/Dialect/TT/TTDialect.h"

using namespace mlir;
using namespace nereid;
using namespace nereid::tt;

namespace {

// "64x32", or "scalar".
std::string shapeText(Type type) {
  if (!isa<RankedTensorType>(type))
    return "scalar";
  std::string text;
  for (int64_t size : tt::getShape(type))
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "rank 0" : text;
}

// `axis` must name a dimension of `type`.
LogicalResult verifyAxis(Operation *op, int64_t axis, RankedTensorType type) {
  if (axis >= 0 && axis < type.getRank())
    return success();
  return op->emitOpError() << "axis is " << axis << ", but " << type
                           << " has dimensions 0 to " << type.getRank() - 1;
}

} // namespace

LogicalResult tt::detail::verifyPermutation(Operation *op, ArrayRef<int32_t> values,
                                        int64_t rank) {
  SmallVector<bool> seen(rank, false);
  bool valid = static_cast<int64_t>(values.size()) == rank;
  for (int32_t value : values) {
    valid = valid && value >= 0 && value < rank && !seen[value];
    if (!valid)
      break;
    seen[value] = true;
  }
  if (valid)
    return success();
  auto diag = op->emitOpError() << "order [";
  llvm::interleaveComma(values, diag);
  return diag << "] is not a permutation of 0 to " << rank - 1;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

LogicalResult FuncOp::verify() {
  for (Type type : getFunctionType().getInputs())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (failed(verifyTensorSize(tensor, *this, "an argument")))
        return failure();
  for (Type type : getFunctionType().getResults())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (failed(verifyTensorSize(tensor, *this, "a result")))
        return failure();
  return success();
}

LogicalResult ReturnOp::verify() {
  auto function = cast<FuncOp>((*this)->getParentOp());
  ArrayRef<Type> expected = function.getFunctionType().getResults();
  if (getNumOperands() != expected.size())
    return emitOpError() << "gives " << getNumOperands() << " values, but @"
                         << function.getSymName() << " returns "
                         << expected.size();
  for (auto [index, type] : llvm::enumerate(expected))
    if (getOperand(index).getType() != type)
      return emitOpError() << "value " << index << " is "
                           << getOperand(index).getType() << ", but @"
                           << function.getSymName() << " returns " << type;
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function =
      symbols.lookupNearestSymbolFrom<FuncOp>(*this, getCalleeAttr());
  if (!function)
    return emitOpError() << "calls @" << getCallee()
                         << ", which is not a tt.func of this module";
  FunctionType type = function.getFunctionType();
  if (type.getNumInputs() != getNumOperands())
    return emitOpError() << "passes " << getNumOperands() << " operands, but @"
                         << getCallee() << " takes " << type.getNumInputs();
  for (unsigned i = 0, e = type.getNumInputs(); i < e; ++i)
    if (getOperand(i).getType() != type.getInput(i))
      return emitOpError() << "operand " << i << " is "
                           << getOperand(i).getType() << ", but @"
                           << getCallee() << " takes " << type.getInput(i);
  if (type.getNumResults() != getNumResults())
    return emitOpError() << "expects " << getNumResults() << " results, but @"
                         << getCallee() << " returns " << type.getNumResults();
  for (unsigned i = 0, e = type.getNumResults(); i < e; ++i)
    if (getResult(i).getType() != type.getResult(i))
      return emitOpError() << "result " << i << " is " << getResult(i).getType()
                           << ", but @" << getCallee() << " returns "
                           << type.getResult(i);
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult MakeRangeOp::verify() {
  auto type = getType();
  int64_t start = static_cast<int32_t>(getStart());
  int64_t end = static_cast<int32_t>(getEnd());
  if (end <= start)
    return emitOpError() << "end is " << end << ", which is not after start "
                         << start;
  if (!getElementType(type).isInteger(32))
    return emitOpError() << "gives " << type << "; the elements must be i32";
  if (type.getRank() != 1 || type.getDimSize(0) != end - start)
    return emitOpError() << "gives " << type << ", but " << start << " to "
                         << end << " is a tensor<" << end - start << "xi32>";
  return success();
}

LogicalResult SplatOp::verify() {
  if (getElementType(getType()) != getSrc().getType())
    return emitOpError() << "makes " << getType() << " of a "
                         << getSrc().getType()
                         << "; the element type must be the operand's";
  return success();
}

LogicalResult UnsplatOp::verify() {
  if (getNumElements(getSrc().getType()) != 1)
    return emitOpError() << "needs a tensor of one element, found "
                         << getSrc().getType();
  return success();
}

LogicalResult ExpandDimsOp::verify() {
  auto source = cast<RankedTensorType>(getSrc().getType());
  int64_t axis = static_cast<int32_t>(getAxis());
  if (axis < 0 || axis > source.getRank())
    return emitOpError() << "axis is " << axis << "; for " << source
                         << " it is 0 to " << source.getRank();
  SmallVector<int64_t> shape(source.getShape());
  shape.insert(shape.begin() + axis, 1);
  if (getType().getShape() != ArrayRef(shape))
    return emitOpError() << "gives " << getType() << ", but axis " << axis
                         << " of " << source << " makes "
                         << source.clone(shape);
  return success();
}

LogicalResult BroadcastOp::verify() {
  auto source = cast<RankedTensorType>(getSrc().getType());
  if (source.getRank() != getType().getRank())
    return emitOpError() << "cannot change the rank: " << source << " has "
                         << source.getRank() << " dimensions, " << getType()
                         << " has " << getType().getRank();
  for (auto [dim, sizes] :
       llvm::enumerate(llvm::zip(source.getShape(), getType().getShape())))
    if (std::get<0>(sizes) != std::get<1>(sizes) && std::get<0>(sizes) != 1)
      return emitOpError() << "dimension " << dim << " is "
                           << std::get<0>(sizes) << " and cannot become "
                           << std::get<1>(sizes) << "; only 1 can be repeated";
  return success();
}

LogicalResult ReshapeOp::verify() {
  int64_t from = getNumElements(getSrc().getType());
  int64_t to = getNumElements(getType());
  if (from != to)
    return emitOpError() << "cannot turn " << from << " elements ("
                         << getSrc().getType() << ") into " << to << " ("
                         << getType() << ")";
  return success();
}

LogicalResult TransOp::verify() {
  auto source = cast<RankedTensorType>(getSrc().getType());
  if (failed(tt::detail::verifyPermutation(*this, getOrder(), source.getRank())))
    return failure();
  SmallVector<int64_t> shape;
  for (int32_t dim : getOrder())
    shape.push_back(source.getDimSize(dim));
  if (getType().getShape() != ArrayRef(shape))
    return emitOpError() << "gives " << getType() << ", but this order of "
                         << source << " makes " << source.clone(shape);
  return success();
}

LogicalResult CatOp::verify() {
  auto source = cast<RankedTensorType>(getLhs().getType());
  if (source.getRank() == 0 || getType().getRank() != source.getRank() ||
      getType().getDimSize(0) != 2 * source.getDimSize(0) ||
      getType().getShape().drop_front() != source.getShape().drop_front())
    return emitOpError() << "of two " << source
                         << " must double dimension 0, found " << getType();
  return success();
}

// `joined` must be `part` with a new last dimension of size 2.
static LogicalResult verifyJoined(Operation *op, Type part,
                                  RankedTensorType joined) {
  SmallVector<int64_t> shape(tt::getShape(part));
  shape.push_back(2);
  if (joined.getShape() == ArrayRef(shape) &&
      joined.getElementType() == getElementType(part))
    return success();
  return op->emitOpError() << "relates two " << part << " to "
                           << RankedTensorType::get(shape, getElementType(part))
                           << ", found " << joined;
}

LogicalResult JoinOp::verify() {
  return verifyJoined(*this, getLhs().getType(), getType());
}

LogicalResult SplitOp::verify() {
  return verifyJoined(*this, getOutLHS().getType(),
                      cast<RankedTensorType>(getSrc().getType()));
}

LogicalResult GatherOp::verify() {
  auto source = cast<RankedTensorType>(getSrc().getType());
  auto indices = cast<RankedTensorType>(getIndices().getType());
  int64_t axis = static_cast<int32_t>(getAxis());
  if (failed(verifyAxis(*this, axis, source)))
    return failure();
  if (indices.getRank() != source.getRank())
    return emitOpError() << "needs indices of the source's rank, found "
                         << indices << " for " << source;
  for (int64_t dim = 0; dim < source.getRank(); ++dim)
    if (dim != axis && source.getDimSize(dim) != indices.getDimSize(dim))
      return emitOpError() << "dimension " << dim << " is "
                           << source.getDimSize(dim) << " in the source and "
                           << indices.getDimSize(dim)
                           << " in the indices; only axis " << axis
                           << " may differ";
  if (getType() != indices.clone(source.getElementType()))
    return emitOpError() << "must give "
                         << indices.clone(source.getElementType()) << ", found "
                         << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

LogicalResult FpToFpOp::verify() {
  unsigned from = getElementBits(getSrc().getType());
  unsigned to = getElementBits(getType());
  if (to < from && !getRounding())
    return emitOpError() << "from " << getElementType(getSrc().getType())
                         << " to the narrower " << getElementType(getType())
                         << " needs a rounding: rtne or rtz";
  return success();
}

LogicalResult ElementwiseInlineAsmOp::verify() {
  if (getNumResults() == 0)
    return emitOpError() << "must give at least one result";
  int64_t pack = static_cast<int32_t>(getPackedElement());
  if (pack <= 0)
    return emitOpError() << "packed_element is " << pack
                         << "; it must be positive";
  Type type = (*this)->getResult(0).getType();
  int64_t elements = getNumElements(type);
  if (isa<RankedTensorType>(type) && elements % pack)
    return emitOpError() << "packs " << pack << " elements, which do not "
                         << "divide the " << elements << " of " << type;
  return success();
}

LogicalResult MapElementwiseOp::verifyRegions() {
  int64_t pack = static_cast<int32_t>(getPack());
  if (getSrcs().empty() || getNumResults() == 0)
    return emitOpError() << "needs at least one operand and one result";
  if (pack <= 0 || getNumElements(getSrcs()[0].getType()) % pack)
    return emitOpError() << "pack is " << pack << ", which does not divide the "
                         << getNumElements(getSrcs()[0].getType())
                         << " elements of " << getSrcs()[0].getType();
  SmallVector<Type> arguments, results;
  for (Value source : getSrcs())
    arguments.append(pack, getElementType(source.getType()));
  for (Type type : getResultTypes())
    results.append(pack, getElementType(type));
  Region &region = getScalarOp();
  if (region.empty() || region.getArgumentTypes() != TypeRange(arguments)) {
    auto diag = emitOpError() << "needs a region with the arguments (";
    llvm::interleaveComma(arguments, diag);
    return diag << "): pack = " << pack << " elements of each operand";
  }
  for (Block &block : region)
    if (auto ret = dyn_cast<MapElementwiseReturnOp>(block.getTerminator()))
      if (ret.getOperandTypes() != TypeRange(results)) {
        auto diag = ret.emitOpError() << "must give (";
        llvm::interleaveComma(results, diag);
        return diag << "): pack = " << pack << " elements of each result";
      }
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions, scans, histogram
//===----------------------------------------------------------------------===//

// A region (T0, T1, ..., T0, T1, ...) -> (T0, T1, ...).
template <typename ReturnTy>
static LogicalResult verifyCombine(Operation *op, Region &region,
                                   ArrayRef<Type> elements) {
  SmallVector<Type> arguments(elements);
  arguments.append(elements.begin(), elements.end());
  if (region.empty() || region.getArgumentTypes() != TypeRange(arguments)) {
    auto diag = op->emitOpError() << "needs a region with the arguments (";
    llvm::interleaveComma(arguments, diag);
    diag << "): two elements of each operand";
    if (!region.empty()) {
      diag << "; found (";
      llvm::interleaveComma(region.getArgumentTypes(), diag);
      diag << ")";
    }
    return diag;
  }
  auto ret = dyn_cast<ReturnTy>(region.front().getTerminator());
  if (!ret)
    return op->emitOpError()
           << "needs a region that ends in " << ReturnTy::getOperationName();
  if (ret.getOperandTypes() != TypeRange(elements)) {
    auto diag = ret.emitOpError() << "must give (";
    llvm::interleaveComma(elements, diag);
    diag << "), found (";
    llvm::interleaveComma(ret.getOperandTypes(), diag);
    return diag << ")";
  }
  return success();
}

LogicalResult ReduceOp::verify() {
  if (getSrcs().empty() || getSrcs().size() != getNumResults())
    return emitOpError() << "needs as many results as operands, found "
                         << getSrcs().size() << " operands and "
                         << getNumResults() << " results";
  int64_t axis = static_cast<int32_t>(getAxis());
  for (auto [source, result] : llvm::zip(getSrcs(), getResultTypes())) {
    auto type = cast<RankedTensorType>(source.getType());
    if (failed(verifyAxis(*this, axis, type)))
      return failure();
    if (type.getShape() != tt::getShape(getSrcs()[0].getType()))
      return emitOpError() << "needs operands of one shape, found "
                           << getSrcs()[0].getType() << " and " << type;
    SmallVector<int64_t> shape(type.getShape());
    shape.erase(shape.begin() + axis);
    Type expected = type.getElementType();
    if (!shape.empty())
      expected = RankedTensorType::get(shape, expected);
    // On a GPU both have layouts, which other rules relate.
    if (tt::getShape(result) != tt::getShape(expected) ||
        getElementType(result) != getElementType(expected) ||
        isa<RankedTensorType>(result) != isa<RankedTensorType>(expected))
      return emitOpError() << "of " << type << " along axis " << axis
                           << " gives " << expected << ", found " << result;
  }
  return success();
}

LogicalResult ReduceOp::verifyRegions() {
  return verifyCombine<ReduceReturnOp>(*this, getCombineOp(),
                                       getElementTypes());
}

LogicalResult ScanOp::verify() {
  if (getSrcs().empty() || getSrcs().size() != getNumResults())
    return emitOpError() << "needs as many results as operands, found "
                         << getSrcs().size() << " operands and "
                         << getNumResults() << " results";
  int64_t axis = static_cast<int32_t>(getAxis());
  for (auto [source, result] : llvm::zip(getSrcs(), getResultTypes())) {
    if (failed(
            verifyAxis(*this, axis, cast<RankedTensorType>(source.getType()))))
      return failure();
    if (result != source.getType())
      return emitOpError() << "of " << source.getType()
                           << " gives the same type, found " << result;
  }
  return success();
}

LogicalResult ScanOp::verifyRegions() {
  return verifyCombine<ScanReturnOp>(*this, getCombineOp(), getElementTypes());
}

LogicalResult HistogramOp::verify() {
  if (cast<RankedTensorType>(getSrc().getType()).getRank() != 1)
    return emitOpError() << "counts a 1-D tensor, found " << getSrc().getType();
  if (getType().getRank() != 1 || !getElementType(getType()).isInteger(32))
    return emitOpError() << "gives a 1-D tensor of i32, found " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

// Shapes of a [batch,] M x K times K x N product into `d`; `scaleA` and
// `scaleB` say how many values one element along K holds.
static LogicalResult verifyProduct(Operation *op, Type a, Type b, Type d,
                                   int64_t packedM, int64_t packedKA,
                                   int64_t packedKB, int64_t packedN) {
  ArrayRef<int64_t> as = tt::getShape(a), bs = tt::getShape(b),
                    ds = tt::getShape(d);
  size_t rank = ds.size();
  if ((rank != 2 && rank != 3) || as.size() != rank || bs.size() != rank)
    return op->emitOpError()
           << "multiplies matrices (rank 2) or batches of them (rank 3), found "
           << a << " * " << b << " -> " << d;
  int64_t m = as[rank - 2] * packedM, ka = as[rank - 1] * packedKA;
  int64_t kb = bs[rank - 2] * packedKB, n = bs[rank - 1] * packedN;
  if (ka != kb)
    return op->emitOpError() << "needs one K: it is " << ka << " in " << a
                             << " and " << kb << " in " << b;
  if (ds[rank - 2] != m || ds[rank - 1] != n ||
      (rank == 3 && (as[0] != bs[0] || as[0] != ds[0])))
    return op->emitOpError()
           << "of " << shapeText(a) << " and " << shapeText(b) << " must give "
           << (rank == 3 ? std::to_string(as[0]) + "x" : "") << m << "x" << n
           << ", found " << shapeText(d);
  return success();
}

LogicalResult DotOp::verify() {
  Type a = getElementType(getA().getType());
  Type b = getElementType(getB().getType());
  Type d = getElementType(getType());
  if (failed(verifyProduct(*this, getA().getType(), getB().getType(), getType(),
                           1, 1, 1, 1)))
    return failure();
  if (isa<PointerType>(a) || isa<PointerType>(b) || isa<PointerType>(d))
    return emitOpError() << "multiplies numbers, found pointers";
  if (isa<IntegerType>(a) != isa<IntegerType>(b) ||
      isa<IntegerType>(a) != isa<IntegerType>(d))
    return emitOpError() << "needs all integers or all floats, found " << a
                         << " * " << b << " -> " << d;
  // Only fp8 operands may differ from each other.
  if (a != b && (getElementBits(a) != 8 || getElementBits(b) != 8))
    return emitOpError() << "needs operands of one element type, found " << a
                         << " and " << b;
  return success();
}

namespace {

// What an operand of a scaled product may be: the tensor's element, and how
// many values it holds.
LogicalResult verifyScaledOperand(Operation *op, StringRef name, Type type,
                                  ScaleDotElemType format) {
  Type element = getElementType(type);
  MLIRContext *context = type.getContext();
  bool matches = false;
  switch (format) {
  case ScaleDotElemType::E4M3:
    matches = isa<Float8E4M3FNType, Float8E4M3FNUZType>(element) ||
              element.isInteger(8);
    break;
  case ScaleDotElemType::E5M2:
    matches = isa<Float8E5M2Type, Float8E5M2FNUZType>(element) ||
              element.isInteger(8);
    break;
  case ScaleDotElemType::E2M3:
  case ScaleDotElemType::E3M2:
  case ScaleDotElemType::E2M1:
    matches = element.isInteger(8);
    break;
  case ScaleDotElemType::BF16:
    matches = element == BFloat16Type::get(context);
    break;
  case ScaleDotElemType::FP16:
    matches = element == Float16Type::get(context);
    break;
  }
  if (matches)
    return success();
  return op->emitOpError() << name << " is said to be "
                           << stringifyScaleDotElemType(format)
                           << ", but its elements are " << element;
}

// A scale is [rows, K / group] with group 16 or 32.
LogicalResult verifyScale(Operation *op, StringRef name, Value scale,
                          int64_t rows, int64_t k) {
  if (!scale)
    return success();
  auto type = cast<RankedTensorType>(scale.getType());
  Type element = type.getElementType();
  if (!element.isInteger(8) && !isa<Float8E4M3FNType>(element))
    return op->emitOpError()
           << name << " holds i8 (e8m0) or f8E4M3FN, found " << type;
  int64_t rank = type.getRank();
  if (rank >= 2 && type.getDimSize(rank - 2) == rows &&
      (type.getDimSize(rank - 1) * 32 == k ||
       type.getDimSize(rank - 1) * 16 == k))
    return success();
  return op->emitOpError() << name << " is " << rows << "x" << k / 32
                           << " (group 32) or " << rows << "x" << k / 16
                           << " (group 16), found " << type;
}

} // namespace

LogicalResult DotScaledOp::verify() {
  Type a = getA().getType(), b = getB().getType();
  bool packedA = getAElemType() == ScaleDotElemType::E2M1;
  bool packedB = getBElemType() == ScaleDotElemType::E2M1;
  if (failed(verifyScaledOperand(*this, "a", a, getAElemType())) ||
      failed(verifyScaledOperand(*this, "b", b, getBElemType())))
    return failure();
  if ((!getLhsKPack() && !packedA) || (!getRhsKPack() && !packedB))
    return emitOpError() << "packs along a dimension other than K, which only "
                            "e2m1 operands do";
  if (failed(verifyProduct(
          *this, a, b, getType(), packedA && !getLhsKPack() ? 2 : 1,
          packedA && getLhsKPack() ? 2 : 1, packedB && getRhsKPack() ? 2 : 1,
          packedB && !getRhsKPack() ? 2 : 1)))
    return failure();
  ArrayRef<int64_t> shape = tt::getShape(getType());
  int64_t k = tt::getShape(a).back() * (packedA && getLhsKPack() ? 2 : 1);
  if (failed(verifyScale(*this, "a_scale", getAScale(), shape[shape.size() - 2],
                         k)) ||
      failed(verifyScale(*this, "b_scale", getBScale(), shape.back(), k)))
    return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Debugging
//===----------------------------------------------------------------------===//

LogicalResult PrintOp::verify() {
  if (getArgs().size() != getIsSigned().size())
    return emitOpError() << "prints " << getArgs().size()
                         << " values, but isSigned has " << getIsSigned().size()
                         << " entries";
  return success();
}
