//===- Gathers.cpp - Elements from places that only the data tells --------===//

#include "compiler/Target/GPU/Moves.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::gpu {

static LinearLayout layoutOf(Value tensor) {
  return tgpu::getLayout(tensor.getType()).getLinear();
}

//===-- Gather ------------------------------------------------------------===//

namespace {

/// Where the source of a gather stands in scratch: its dimensions one after the
/// other, each index shifted by so many bits.
struct GatherPlan {
  SmallVector<unsigned, 4> shift;
  Columns offset;      ///< of each element bit
  unsigned bits = 0;   ///< of an offset
  unsigned rounds = 0; ///< log2; a round holds the offsets with equal high bits

  unsigned roundBit() const { return bits - rounds; }
};

GatherPlan planGather(const LinearLayout &source, unsigned bytes,
                      int64_t limit) {
  GatherPlan plan;
  const size_t rank = source.outDims().size();
  // The dimension in which registers are neighbours goes first.
  SmallVector<std::pair<int32_t, size_t>, 4> order;
  for (size_t dim = 0; dim < rank; ++dim)
    order.push_back(
        {source.contiguousInputs("register", source.outDims()[dim].name), dim});
  llvm::sort(order, std::greater<>());
  plan.shift.resize(rank);
  for (auto [width, dim] : order) {
    plan.shift[dim] = plan.bits;
    plan.bits += source.outBits(source.outDims()[dim].name);
  }
  for (size_t dim = 0; dim < rank; ++dim)
    for (int32_t bit = 0; bit < source.outBits(source.outDims()[dim].name);
         ++bit)
      plan.offset.push_back(uint64_t(1) << (plan.shift[dim] + bit));
  while ((int64_t(bytes) << plan.roundBit()) > 2 * limit && plan.roundBit() > 5)
    ++plan.rounds;
  return plan;
}

} // namespace

static LogicalResult emitGather(Emitter &e, Operation *op) {
  auto gather = cast<tt::GatherOp>(op);
  OpBuilder &b = e.builder;
  Location loc = op->getLoc();
  const LinearLayout source = layoutOf(gather.getSrc());
  const LinearLayout result = layoutOf(gather.getIndices());
  Type scalar = e.scalarType(gather.getType());
  const unsigned bytes = bytesInShared(scalar), axis = gather.getAxis();
  const GatherPlan plan = planGather(source, bytes, scratchLimit(op));
  const Places places = mapPlaces(placesOf(source), plan.offset);
  Value base = e.scratch(op);
  Registers values(e.get(gather.getSrc()));
  Registers indices(e.get(gather.getIndices()));
  auto shl = [&](Value value, unsigned by) -> Value {
    return by ? arith::ShLIOp::create(b, loc, value, e.i32(loc, by)).getResult()
              : value;
  };

  // Offsets to read. An index outside is taken modulo the size, so that what is
  // read is some element.
  SmallVector<Value> reads;
  const int32_t size = source.outDims()[axis].size;
  auto coordinates = e.elements(loc, result);
  for (auto [index, at] : llvm::zip(indices, coordinates)) {
    const unsigned width = index.getType().getIntOrFloatBitWidth();
    Value wanted = index;
    if (width > 32)
      wanted = arith::TruncIOp::create(b, loc, b.getI32Type(), wanted);
    else if (width < 32)
      wanted = arith::ExtUIOp::create(b, loc, b.getI32Type(), wanted);
    wanted = arith::AndIOp::create(b, loc, wanted, e.i32(loc, size - 1));
    Value offset = shl(wanted, plan.shift[axis]);
    for (auto [dim, coordinate] : llvm::enumerate(at))
      if (dim != axis)
        offset = arith::OrIOp::create(b, loc, offset,
                                      shl(coordinate, plan.shift[dim]));
    reads.push_back(offset);
  }

  Type held = toStorage(e, loc, values.front()).getType();
  auto address = [&](Value offset) -> Value {
    if (plan.rounds)
      offset = arith::AndIOp::create(
          b, loc, offset, e.i32(loc, (int64_t(1) << plan.roundBit()) - 1));
    return LLVM::GEPOp::create(b, loc, base.getType(), held, base,
                               ArrayRef<LLVM::GEPArg>{offset});
  };
  auto isIn = [&](Value offset, int64_t round) -> Value {
    Value part =
        arith::ShRUIOp::create(b, loc, offset, e.i32(loc, plan.roundBit()));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, part,
                                 e.i32(loc, round));
  };
  Registers gathered(reads.size());
  for (int64_t round = 0; round < int64_t(1) << plan.rounds; ++round) {
    if (round)
      e.syncThreads(loc);
    if (!plan.rounds) {
      storePlaces(e, loc, base, places, values);
    } else {
      Value thread = threadValue(e, loc, places.lane, places.warp);
      for (auto [r, value] : llvm::enumerate(values)) {
        Value offset = arith::XOrIOp::create(
            b, loc, thread, e.i32(loc, int64_t(combine(places.reg, r))));
        e.hooks.storeShared(b, loc, address(offset), {toStorage(e, loc, value)},
                            isIn(offset, round));
      }
    }
    e.syncThreads(loc);
    for (auto [offset, value] : llvm::zip(reads, gathered)) {
      Value mine = plan.rounds ? isIn(offset, round) : Value();
      Value read =
          e.hooks.loadShared(b, loc, address(offset), held, 1, mine)[0];
      value = value ? select(e, loc, mine, read, value) : read;
    }
  }
  for (Value &value : gathered)
    value = fromStorage(e, loc, value, scalar);
  e.set(gather.getResult(), std::move(gathered));
  return success();
}

//===-- Histogram ---------------------------------------------------------===//

static LogicalResult emitHistogram(Emitter &e, Operation *op) {
  auto histogram = cast<tt::HistogramOp>(op);
  OpBuilder &b = e.builder;
  Location loc = op->getLoc();
  Type i32 = b.getI32Type();
  const int64_t bins = histogram.getType().getShape()[0];
  Value base = e.scratch(op);
  auto counter = [&](Value bin) -> Value {
    return LLVM::GEPOp::create(b, loc, base.getType(), i32, base,
                               ArrayRef<LLVM::GEPArg>{bin});
  };

  Value thread = e.thread(), none = e.i32(loc, 0), one = e.i32(loc, 1);
  for (int64_t first = 0; first < bins; first += e.threads()) {
    Value bin = arith::AddIOp::create(b, loc, thread, e.i32(loc, first));
    Value inside;
    if (first + e.threads() > bins)
      inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, bin,
                                     e.i32(loc, bins));
    e.hooks.storeShared(b, loc, counter(bin), {none}, inside);
  }
  e.syncThreads(loc);

  Registers values(e.get(histogram.getSrc())), masks;
  if (Value mask = histogram.getMask())
    masks = Registers(e.get(mask));
  Value once = e.holdsFirstCopy(loc, layoutOf(histogram.getSrc()));
  for (auto [r, value] : llvm::enumerate(values)) {
    const unsigned width = value.getType().getIntOrFloatBitWidth();
    Value counts = once;
    auto require = [&](Value condition) {
      counts =
          counts ? arith::AndIOp::create(b, loc, counts, condition) : condition;
    };
    if (!masks.empty())
      require(masks[r]);
    if (width >= 32 || bins < int64_t(1) << width)
      require(arith::CmpIOp::create(
          b, loc, arith::CmpIPredicate::ult, value,
          arith::ConstantOp::create(b, loc,
                                    b.getIntegerAttr(value.getType(), bins))));
    Value bin = value;
    if (width > 32)
      bin = arith::TruncIOp::create(b, loc, i32, value);
    else if (width < 32)
      bin = arith::ExtUIOp::create(b, loc, i32, value);
    OpBuilder::InsertionGuard guard(b);
    if (counts) {
      auto branch = scf::IfOp::create(b, loc, counts, false);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::add, counter(bin), one,
                              LLVM::AtomicOrdering::monotonic);
  }
  e.syncThreads(loc);

  Registers counts;
  loadPlaces(e, loc, base, placesOf(layoutOf(histogram.getResult())), i32,
             counts);
  Type wanted = e.scalarType(histogram.getType());
  for (Value &count : counts) {
    if (wanted.getIntOrFloatBitWidth() > 32)
      count = arith::ExtUIOp::create(b, loc, wanted, count);
    else if (wanted.getIntOrFloatBitWidth() < 32)
      count = arith::TruncIOp::create(b, loc, wanted, count);
  }
  e.set(histogram.getResult(), std::move(counts));
  return success();
}

//===-- Concatenation -----------------------------------------------------===//

/// Both operands together: one register bit more, along dimension 0.
static LinearLayout catLayout(const LinearLayout &operand) {
  SmallVector<LinearLayout::InDim, 4> ins(operand.inDims());
  SmallVector<LinearLayout::OutDim, 4> outs(operand.outDims());
  LinearLayout::Basis high(outs.size(), 0);
  high[0] = outs[0].size;
  outs[0].size *= 2;
  ins[0].bases.push_back(std::move(high));
  return LinearLayout(std::move(ins), std::move(outs));
}

static LogicalResult emitCat(Emitter &e, Operation *op) {
  auto cat = cast<tt::CatOp>(op);
  Registers both(e.get(cat.getLhs()));
  llvm::append_range(both, e.get(cat.getRhs()));
  e.set(cat.getResult(),
        convertLayout(
            e, op->getLoc(), std::move(both), catLayout(layoutOf(cat.getLhs())),
            layoutOf(cat.getResult()), [&] { return e.scratch(op); },
            scratchLimit(op)));
  return success();
}

int64_t gatherScratchBytes(Operation *op) {
  if (auto gather = dyn_cast<tt::GatherOp>(op)) {
    const unsigned bytes = elementBytesInShared(gather.getType());
    return int64_t(bytes) << planGather(layoutOf(gather.getSrc()), bytes,
                                        scratchLimit(op))
                                 .roundBit();
  }
  if (auto histogram = dyn_cast<tt::HistogramOp>(op))
    return histogram.getType().getShape()[0] * 4;
  if (auto cat = dyn_cast<tt::CatOp>(op))
    return conversionScratch(
        catLayout(layoutOf(cat.getLhs())), layoutOf(cat.getResult()),
        elementBytesInShared(cat.getType()), scratchLimit(op));
  return 0;
}

void addGathers(EmitTable &table) {
  table["tt.gather"] = emitGather;
  table["tt.histogram"] = emitHistogram;
  table["tt.cat"] = emitCat;
}

} // namespace nereid::gpu
