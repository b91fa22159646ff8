//===- LowerDescriptors.cpp - Tensor descriptors to pointers and masks ----===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/OneToN.h"
#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/StridedBlock.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_LOWERDESCRIPTORS
#include "compiler/Transforms/Passes.h.inc"

namespace {

//===----------------------------------------------------------------------===//
// Arguments of kernels
//===----------------------------------------------------------------------===//

// `attrs` with the attributes that say what an argument of a kernel is.
DictionaryAttr describeArgument(Builder &builder, DictionaryAttr attrs,
                                int64_t slot, StringRef field,
                                std::optional<int64_t> index = std::nullopt) {
  NamedAttrList list(attrs);
  list.set(kSlotAttr, builder.getI32IntegerAttr(slot));
  list.set(kFieldAttr, builder.getStringAttr(field));
  if (index)
    list.set(kIndexAttr, builder.getI32IntegerAttr(*index));
  return list.getDictionary(builder.getContext());
}

// Replaces each descriptor argument by base, shape and strides, and rebuilds
// the descriptor from them at the start of the body.
void expandArguments(tt::FuncOp kernel) {
  OpBuilder builder(kernel.getContext());
  FunctionType type = kernel.getFunctionType();
  Block *entry = kernel.isExternal() ? nullptr : &kernel.getBody().front();
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attrs;
  if (entry)
    builder.setInsertionPointToStart(entry);

  for (auto [position, input] : llvm::enumerate(type.getInputs())) {
    DictionaryAttr own = kernel.getArgAttrDict(position);
    if (!own)
      own = builder.getDictionaryAttr({});
    auto slotAttr = own.getAs<IntegerAttr>(kSlotAttr);
    int64_t slot = slotAttr ? slotAttr.getInt() : position;
    auto descriptor = dyn_cast<tt::TensorDescType>(input);
    if (!descriptor) {
      types.push_back(input);
      attrs.push_back(own.get(kFieldAttr)
                          ? own
                          : describeArgument(builder, own, slot, "value"));
      continue;
    }
    unsigned first = types.size(), rank = descriptor.getRank();
    types.push_back(tt::PointerType::get(
        descriptor.getSignlessBlockType().getElementType()));
    types.append(rank, builder.getI32Type());
    types.append(rank, builder.getI64Type());
    DictionaryAttr none = builder.getDictionaryAttr({});
    attrs.push_back(describeArgument(builder, none, slot, "value"));
    for (StringRef field : {"shape", "stride"})
      for (unsigned dim = 0; dim < rank; ++dim)
        attrs.push_back(describeArgument(builder, none, slot, field, dim));
    if (!entry)
      continue;

    Location loc = entry->getArgument(first).getLoc();
    SmallVector<Value> parts;
    for (unsigned i = first; i < types.size(); ++i)
      parts.push_back(entry->insertArgument(i + 1, types[i], loc));
    ValueRange all(parts);
    SmallVector<Value> strides(all.slice(1 + rank, rank));
    // The language fixes the last stride to one.
    strides.back() = arith::ConstantIntOp::create(builder, loc, 1, 64);
    Value rebuilt = tt::MakeTensorDescOp::create(
        builder, loc, descriptor, parts[0], all.slice(1, rank), strides,
        tt::PaddingOption::PAD_ZERO);
    entry->getArgument(first).replaceAllUsesWith(rebuilt);
    entry->eraseArgument(first);
  }
  kernel.setType(builder.getFunctionType(types, type.getResults()));
  kernel.setAllArgAttrs(attrs);
}

//===----------------------------------------------------------------------===//
// Descriptors as several values
//===----------------------------------------------------------------------===//

// A descriptor's values: base, shape (i64), strides (i64), and whether reads
// out of bounds give NaN (i1).
struct Descriptor {
  StridedBlock array; // without offsets
  Value padsWithNaN;

  static Descriptor unpack(ValueRange values, tt::TensorDescType type) {
    unsigned rank = type.getRank();
    Descriptor result;
    result.array.base = values[0];
    llvm::append_range(result.array.shape, values.slice(1, rank));
    llvm::append_range(result.array.strides, values.slice(1 + rank, rank));
    llvm::append_range(result.array.block, type.getShape());
    result.padsWithNaN = values[1 + 2 * rank];
    return result;
  }

  // What a masked load of `type` gives where the mask is false.
  Value padding(OpBuilder &builder, Location loc, RankedTensorType type) const {
    Value zero = zeroOf(builder, loc, type);
    if (!isa<FloatType>(type.getElementType()))
      return zero;
    return arith::SelectOp::create(builder, loc, padsWithNaN,
                                   nanOf(builder, loc, type), zero);
  }
};

// The block at `indices` (i32) of a descriptor.
StridedBlock blockAt(OpBuilder &builder, Location loc,
                     const Descriptor &descriptor,
                     ArrayRef<ValueRange> indices) {
  StridedBlock block = descriptor.array;
  for (ValueRange index : indices)
    block.offsets.push_back(toI64(builder, loc, index.front()));
  return block;
}

SmallVector<int32_t> allDims(const StridedBlock &block) {
  return llvm::to_vector(llvm::seq<int32_t>(0, block.block.size()));
}

// A block may be stored or loaded without its leading dimensions of size one.
Value reshaped(OpBuilder &builder, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return tt::ReshapeOp::create(builder, loc,
                               cast<RankedTensorType>(type).getShape(), value);
}

struct MakePattern : OpConversionPattern<tt::MakeTensorDescOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::MakeTensorDescOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> values{adaptor.getBase()};
    for (Value size : adaptor.getShape())
      values.push_back(toI64(rewriter, loc, size));
    llvm::append_range(values, adaptor.getStrides());
    values.push_back(arith::ConstantIntOp::create(
        rewriter, loc, op.getPadding() == tt::PaddingOption::PAD_NAN, 1));
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{values});
    return success();
  }
};

struct LoadPattern : OpConversionPattern<tt::DescriptorLoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::DescriptorLoadOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    tt::TensorDescType type = op.getDesc().getType();
    auto descriptor = Descriptor::unpack(adaptor.getDesc(), type);
    StridedBlock block =
        blockAt(rewriter, loc, descriptor, adaptor.getIndices());
    Value load = tt::LoadOp::create(
        rewriter, loc, block.pointers(rewriter, loc),
        block.mask(rewriter, loc, allDims(block)),
        descriptor.padding(rewriter, loc, type.getSignlessBlockType()),
        op.getCache(), op.getEvict());
    rewriter.replaceOp(op, reshaped(rewriter, loc, load, op.getType()));
    return success();
  }
};

struct StorePattern : OpConversionPattern<tt::DescriptorStoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::DescriptorStoreOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    tt::TensorDescType type = op.getDesc().getType();
    StridedBlock block =
        blockAt(rewriter, loc, Descriptor::unpack(adaptor.getDesc(), type),
                adaptor.getIndices());
    Value value = reshaped(rewriter, loc, adaptor.getSrc().front(),
                           type.getSignlessBlockType());
    rewriter.replaceOpWithNewOp<tt::StoreOp>(
        op, block.pointers(rewriter, loc), value,
        block.mask(rewriter, loc, allDims(block)));
    return success();
  }
};

// The atomic that does a reduction on elements of a descriptor's type; the sign
// of an integer type selects the minimum and the maximum. None when there is
// no such atomic.
std::optional<tt::RMWOp> atomicFor(tt::DescriptorReduceKind kind,
                                   Type element) {
  bool isFloat = isa<FloatType>(element);
  bool isUnsigned = element.isUnsignedInteger();
  switch (kind) {
  case tt::DescriptorReduceKind::ADD:
    return isFloat ? tt::RMWOp::FADD : tt::RMWOp::ADD;
  case tt::DescriptorReduceKind::MIN:
    if (isFloat)
      return std::nullopt;
    return isUnsigned ? tt::RMWOp::UMIN : tt::RMWOp::MIN;
  case tt::DescriptorReduceKind::MAX:
    if (isFloat)
      return std::nullopt;
    return isUnsigned ? tt::RMWOp::UMAX : tt::RMWOp::MAX;
  case tt::DescriptorReduceKind::AND:
    return tt::RMWOp::AND;
  case tt::DescriptorReduceKind::OR:
    return tt::RMWOp::OR;
  case tt::DescriptorReduceKind::XOR:
    return tt::RMWOp::XOR;
  case tt::DescriptorReduceKind::NONE:
  case tt::DescriptorReduceKind::INC:
  case tt::DescriptorReduceKind::DEC:
    return std::nullopt;
  }
  return std::nullopt;
}

struct ReducePattern : OpConversionPattern<tt::DescriptorReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::DescriptorReduceOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    tt::TensorDescType type = op.getDesc().getType();
    std::optional<tt::RMWOp> kind =
        atomicFor(op.getKind(), type.getElementType());
    if (!kind)
      return failure();
    StridedBlock block =
        blockAt(rewriter, loc, Descriptor::unpack(adaptor.getDesc(), type),
                adaptor.getIndices());
    Value value = reshaped(rewriter, loc, adaptor.getSrc().front(),
                           type.getSignlessBlockType());
    tt::AtomicRMWOp::create(rewriter, loc, *kind, block.pointers(rewriter, loc),
                            value, block.mask(rewriter, loc, allDims(block)),
                            tt::MemSemantic::RELAXED);
    rewriter.eraseOp(op);
    return success();
  }
};

// The rows `offsets` (1-D integers) of a 2-D array, from column `column` on:
// pointers and mask of [rows, columns].
std::pair<Value, Value> gatherRows(OpBuilder &builder, Location loc,
                                   const Descriptor &descriptor, Value offsets,
                                   Value column) {
  const StridedBlock &array = descriptor.array;
  int64_t rows = cast<RankedTensorType>(offsets.getType()).getDimSize(0);
  SmallVector<int64_t> shape{rows, array.block[1]};
  Value row = alongDim(builder, loc, toI64(builder, loc, offsets), 0, 2);
  SmallVector<int64_t> rowShape{rows, 1}, columnShape{1, shape[1]};

  // The column part is a window of one row, the row part goes on top.
  StridedBlock columns = array;
  columns.block = columnShape;
  columns.offsets = {zeroOf(builder, loc, builder.getI64Type()),
                     toI64(builder, loc, column)};
  Value step = arith::MulIOp::create(
      builder, loc, row, splatTo(builder, loc, array.strides[0], rowShape));
  Value pointers = tt::AddPtrOp::create(
      builder, loc,
      broadcastTo(builder, loc, columns.pointers(builder, loc), shape),
      broadcastTo(builder, loc, step, shape));

  Value low = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                    row, zeroOf(builder, loc, row.getType()));
  Value high =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, row,
                            splatTo(builder, loc, array.shape[0], rowShape));
  Value inRows = arith::AndIOp::create(builder, loc, low, high);
  Value inColumns = columns.mask(builder, loc, {1});
  Value mask = arith::AndIOp::create(
      builder, loc, broadcastTo(builder, loc, inRows, shape),
      broadcastTo(builder, loc, inColumns, shape));
  return {pointers, mask};
}

struct GatherPattern : OpConversionPattern<tt::DescriptorGatherOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::DescriptorGatherOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto descriptor =
        Descriptor::unpack(adaptor.getDesc(), op.getDesc().getType());
    auto [pointers, mask] =
        gatherRows(rewriter, loc, descriptor, adaptor.getXOffsets().front(),
                   adaptor.getYOffset().front());
    rewriter.replaceOpWithNewOp<tt::LoadOp>(
        op, pointers, mask, descriptor.padding(rewriter, loc, op.getType()));
    return success();
  }
};

struct ScatterPattern : OpConversionPattern<tt::DescriptorScatterOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tt::DescriptorScatterOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto [pointers, mask] = gatherRows(
        rewriter, op.getLoc(),
        Descriptor::unpack(adaptor.getDesc(), op.getDesc().getType()),
        adaptor.getXOffsets().front(), adaptor.getYOffset().front());
    rewriter.replaceOpWithNewOp<tt::StoreOp>(op, pointers,
                                             adaptor.getSrc().front(), mask);
    return success();
  }
};

struct LowerDescriptors : impl::LowerDescriptorsBase<LowerDescriptors> {
  void runOnOperation() override {
    // What no pointer atomic can do is said in the user's terms.
    WalkResult supported = getOperation().walk([&](tt::DescriptorReduceOp op) {
      Type element = op.getDesc().getType().getElementType();
      if (atomicFor(op.getKind(), element))
        return WalkResult::advance();
      op.emitOpError() << tt::stringifyDescriptorReduceKind(op.getKind())
                       << " of " << element
                       << " needs hardware for tensor descriptors, which "
                          "this target has not; add, and, or, xor, and "
                          "integer min and max are possible";
      return WalkResult::interrupt();
    });
    if (supported.wasInterrupted())
      return signalPassFailure();

    for (auto function : getOperation().getOps<tt::FuncOp>())
      if (function.isKernel())
        expandArguments(function);

    TypeConverter converter;
    converter.addConversion([](Type type) { return type; });
    converter.addConversion(
        [](tt::TensorDescType type,
           SmallVectorImpl<Type> &types) -> std::optional<LogicalResult> {
          MLIRContext *context = type.getContext();
          types.push_back(tt::PointerType::get(
              type.getSignlessBlockType().getElementType()));
          types.append(2 * type.getRank(), IntegerType::get(context, 64));
          types.push_back(IntegerType::get(context, 1));
          return success();
        });
    RewritePatternSet patterns(&getContext());
    patterns.add<MakePattern, LoadPattern, StorePattern, ReducePattern,
                 GatherPattern, ScatterPattern>(converter, &getContext());
    if (failed(convertOneToN(getOperation(), converter, std::move(patterns),
                             "a tensor descriptor")))
      signalPassFailure();
  }
};

} // namespace
} // namespace nereid
