//===- TGPUDialect.cpp - Tiles spread over a GPU's threads ----------------===//

#include "compiler/Dialect/TGPU/TGPUDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nereid;
using namespace nereid::tgpu;

#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "compiler/Dialect/TGPU/TGPUDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/TGPU/TGPUAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/TGPU/TGPUTypes.cpp.inc"
#define GET_OP_CLASSES
#include "compiler/Dialect/TGPU/TGPUOps.cpp.inc"

namespace {

/// `#layout`, `#layout1` ... at the top of the module instead of the bases in
/// every type.
struct LayoutAliases : OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;
  AliasResult getAlias(Attribute attribute, raw_ostream &os) const final {
    if (!isa<LayoutAttr>(attribute))
      return AliasResult::NoAlias;
    os << "layout";
    return AliasResult::OverridableAlias;
  }
};

constexpr StringRef kPlaceDims[] = {"register", "lane", "warp", "block"};

/// `[[0, 1], [0, 2]]`: one entry per bit, one number per dimension.
void printBases(AsmPrinter &printer, const LinearLayout &layout, StringRef in) {
  printer << '[';
  for (int32_t bit = 0; bit < layout.inBits(in); ++bit) {
    printer << (bit ? ", [" : "[");
    llvm::interleaveComma(layout.outDims(), printer, [&](const auto &out) {
      printer << layout.basis(in, bit, out.name);
    });
    printer << ']';
  }
  printer << ']';
}

ParseResult parseBases(AsmParser &parser,
                       SmallVectorImpl<LinearLayout::Basis> &bases) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    LinearLayout::Basis &basis = bases.emplace_back();
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
      return parser.parseInteger(basis.emplace_back());
    });
  });
}

/// Builds the layout of bases that came from text, after checking them.
std::optional<LinearLayout>
makeLayout(AsmParser &parser, SMLoc loc, ArrayRef<StringRef> names,
           ArrayRef<SmallVector<LinearLayout::Basis>> bases,
           ArrayRef<int64_t> shape) {
  SmallVector<LinearLayout::OutDim, 4> outs;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    if (size <= 0 || !llvm::isPowerOf2_64(size)) {
      parser.emitError(loc) << "dimension " << dim << " has " << size
                            << " elements; a layout needs a power of two";
      return std::nullopt;
    }
    outs.push_back({"dim" + std::to_string(dim), int32_t(size)});
  }
  SmallVector<LinearLayout::InDim, 4> ins;
  for (auto [name, list] : llvm::zip(names, bases)) {
    LinearLayout::InDim in{name.str(), {}};
    for (const LinearLayout::Basis &basis : list) {
      if (basis.size() != shape.size()) {
        parser.emitError(loc)
            << "a basis of '" << name << "' has " << basis.size()
            << " numbers for a tensor of rank " << shape.size();
        return std::nullopt;
      }
      for (auto [value, size] : llvm::zip(basis, shape))
        if (value < 0 || value >= size) {
          parser.emitError(loc) << "a basis of '" << name << "' holds " << value
                                << ", outside a dimension of " << size;
          return std::nullopt;
        }
      in.bases.push_back(basis);
    }
    ins.push_back(std::move(in));
  }
  return LinearLayout(std::move(ins), std::move(outs));
}

} // namespace

void TGPUDialect::initialize() {
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "compiler/Dialect/TGPU/TGPUOps.cpp.inc"
      >();
  addInterfaces<LayoutAliases>();
}

void TGPUDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/Dialect/TGPU/TGPUAttrs.cpp.inc"
      >();
}

void TGPUDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/Dialect/TGPU/TGPUTypes.cpp.inc"
      >();
}

//===-- Layout ------------------------------------------------------------===//

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<SmallVector<LinearLayout::Basis>, 4> bases(4);
  if (parser.parseLess())
    return {};
  for (auto [name, list] : llvm::zip(kPlaceDims, bases))
    if (parser.parseKeyword(name) || parser.parseEqual() ||
        parseBases(parser, list) || parser.parseComma())
      return {};
  SmallVector<int64_t> shape;
  if (parser.parseKeyword("shape") || parser.parseEqual() ||
      parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Square,
          [&] { return parser.parseInteger(shape.emplace_back()); }) ||
      parser.parseGreater())
    return {};
  auto layout = makeLayout(parser, loc, kPlaceDims, bases, shape);
  if (!layout)
    return {};
  return LayoutAttr::get(parser.getContext(), *layout);
}

void LayoutAttr::print(AsmPrinter &printer) const {
  const LinearLayout &layout = getLinear();
  printer << '<';
  for (StringRef name : kPlaceDims) {
    printer << name << " = ";
    printBases(printer, layout, name);
    printer << ", ";
  }
  printer << "shape = [";
  llvm::interleaveComma(layout.outDims(), printer,
                        [&](const auto &out) { printer << out.size; });
  printer << "]>";
}

LogicalResult
LayoutAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                           function_ref<InFlightDiagnostic()> emitError) const {
  const LinearLayout &layout = getLinear();
  SmallVector<int64_t> own;
  for (const LinearLayout::OutDim &out : layout.outDims())
    own.push_back(out.size);
  if (ArrayRef<int64_t>(own) != shape)
    return emitError() << "layout of shape [" << own
                       << "] on a tensor of shape [" << shape << "]";
  if (!layout.isSurjective())
    return emitError() << "layout reaches only "
                       << (int64_t(1) << layout.rank()) << " of "
                       << (int64_t(1) << layout.totalOutBits()) << " elements";
  return success();
}

LayoutAttr nereid::tgpu::getLayout(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<LayoutAttr>(tensor.getEncoding())
                : LayoutAttr();
}

RankedTensorType nereid::tgpu::withLayout(RankedTensorType type,
                                          LayoutAttr layout) {
  return RankedTensorType::get(type.getShape(), type.getElementType(), layout);
}

//===-- Tile --------------------------------------------------------------===//

Type TileType::parse(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> shape;
  Type element;
  SmallVector<SmallVector<LinearLayout::Basis>, 1> bases(1);
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseComma() ||
      parser.parseKeyword("offset") || parser.parseEqual() ||
      parseBases(parser, bases[0]))
    return {};
  int64_t buffers = 1;
  if (succeeded(parser.parseOptionalComma()) &&
      (parser.parseKeyword("buffers") || parser.parseEqual() ||
       parser.parseInteger(buffers)))
    return {};
  if (parser.parseGreater())
    return {};
  auto layout = makeLayout(parser, loc, {"offset"}, bases, shape);
  if (!layout)
    return {};
  return TileType::getChecked([&] { return parser.emitError(loc); },
                              parser.getContext(), shape, element, *layout,
                              buffers);
}

void TileType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t size : getShape())
    printer << size << 'x';
  printer << getElementType() << ", offset = ";
  printBases(printer, getLinear(), "offset");
  if (getBuffers() != 1)
    printer << ", buffers = " << getBuffers();
  printer << '>';
}

int64_t TileType::getTileBytes() const {
  Type element = getElementType();
  int64_t bits = isa<tt::PointerType>(element)
                     ? 64
                     : std::max<int64_t>(8, element.getIntOrFloatBitWidth());
  return (int64_t(1) << getLinear().totalInBits()) * bits / 8;
}

TileType TileType::withBuffers(int64_t buffers) const {
  return TileType::get(getContext(), getShape(), getElementType(), getLinear(),
                       buffers);
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<int64_t> shape, Type element,
                               LinearLayout layout, int64_t buffers) {
  if (buffers < 1)
    return emitError() << "a ring has at least one tile, found " << buffers;
  if (!element.isIntOrFloat() && !isa<tt::PointerType>(element))
    return emitError() << "a tile holds numbers or pointers, found " << element;
  if (!layout.isSurjective())
    return emitError() << "the tile's layout reaches only "
                       << (int64_t(1) << layout.rank()) << " of "
                       << (int64_t(1) << layout.totalOutBits()) << " elements";
  if (shape.size() != layout.outDims().size())
    return emitError() << "the tile has rank " << shape.size()
                       << ", its layout " << layout.outDims().size();
  return success();
}

//===-- Operations --------------------------------------------------------===//

/// Registers hold what memory holds: same shape, same element type.
static LogicalResult verifySame(Operation *op, Type registers, TileType tile) {
  auto tensor = cast<RankedTensorType>(registers);
  if (tensor.getShape() != tile.getShape() ||
      tensor.getElementType() != tile.getElementType())
    return op->emitOpError() << "moves between " << tensor << " and " << tile
                             << "; shape and element type must be the same";
  if (!getLayout(tensor))
    return op->emitOpError()
           << "needs a tensor with a layout, found " << tensor;
  return success();
}

LogicalResult ConvertLayoutOp::verify() {
  auto from = cast<RankedTensorType>(getSrc().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (from.getShape() != to.getShape() ||
      from.getElementType() != to.getElementType())
    return emitOpError() << "changes " << from << " into " << to
                         << "; only the layout may change";
  for (RankedTensorType type : {from, to})
    if (!getLayout(type))
      return emitOpError() << "needs tensors with layouts, found " << type;
  return success();
}

OpFoldResult ConvertLayoutOp::fold(FoldAdaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  // Of two conversions in a row only the ends matter.
  if (auto before = getSrc().getDefiningOp<ConvertLayoutOp>()) {
    if (before.getSrc().getType() == getType())
      return before.getSrc();
    getSrcMutable().assign(before.getSrc());
    return getResult();
  }
  return {};
}

LogicalResult LocalAllocOp::verify() {
  return getSrc() ? verifySame(*this, getSrc().getType(), getType())
                  : success();
}

LogicalResult LocalLoadOp::verify() {
  return verifySame(*this, getType(), getSrc().getType());
}

LogicalResult LocalStoreOp::verify() {
  return verifySame(*this, getValue().getType(), getDst().getType());
}

LogicalResult TileAtOp::verify() {
  if (getType() != getRing().getType().withBuffers(1))
    return emitOpError() << "picks " << getType() << " from "
                         << getRing().getType()
                         << "; only the number of buffers may change, to one";
  return success();
}

LogicalResult TilePermuteOp::verify() {
  TileType from = getSrc().getType(), to = getType();
  ArrayRef<int32_t> order = getOrder();
  SmallVector<int64_t> shape;
  for (int32_t dim : order) {
    if (dim < 0 || dim >= int64_t(from.getShape().size()))
      return emitOpError() << "has no dimension " << dim << " in " << from;
    shape.push_back(from.getShape()[dim]);
  }
  if (ArrayRef<int64_t>(shape) != to.getShape() ||
      from.getElementType() != to.getElementType() ||
      from.getBuffers() != to.getBuffers())
    return emitOpError() << "does not turn " << from << " into " << to;
  return success();
}

/// A block has one coordinate per dimension, as a tensor map has.
static LogicalResult verifyBlock(Operation *op, Type block,
                                 OperandRange coordinates) {
  int64_t rank = cast<RankedTensorType>(block).getRank();
  if (rank < 1 || rank > 5)
    return op->emitOpError()
           << "moves a block of rank " << rank << "; a tensor map has 1 to 5";
  if (int64_t(coordinates.size()) != rank)
    return op->emitOpError() << "has " << coordinates.size()
                             << " coordinates for a block of rank " << rank;
  return success();
}

LogicalResult MapLoadOp::verify() {
  return verifyBlock(*this, getType(), getCoordinates());
}

LogicalResult MapStoreOp::verify() {
  if (!llvm::is_contained(
          {"", "add", "min", "max", "and", "or", "xor", "inc", "dec"},
          getReduce()))
    return emitOpError() << "knows no reduction '" << getReduce() << "'";
  return verifyBlock(*this, getValue().getType(), getCoordinates());
}

int32_t nereid::tgpu::numWarps(Operation *op) {
  for (Operation *child = op; Operation *parent = child->getParentOp();
       child = parent) {
    if (auto groups = dyn_cast<WarpSpecializeOp>(parent))
      return groups.getWarps()[child->getParentRegion()->getRegionNumber()];
    if (auto warps = parent->getAttrOfType<IntegerAttr>(kNumWarpsAttr))
      return int32_t(warps.getInt());
  }
  auto own = op->getAttrOfType<IntegerAttr>(kNumWarpsAttr);
  return own ? int32_t(own.getInt()) : 4;
}
