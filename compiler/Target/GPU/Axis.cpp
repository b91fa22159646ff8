//===- Axis.cpp - One dimension of a layout, bit by bit -------------------===//

#include "compiler/Target/GPU/Axis.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::gpu {

uint64_t Axis::along(PlaceKind kind) const {
  uint64_t mask = 0;
  for (AxisBit bit : bits)
    if (bit.kind == kind)
      mask |= uint64_t(1) << bit.bit;
  return mask;
}

std::optional<Axis> findAxis(const LinearLayout &layout, unsigned dim) {
  Axis axis;
  axis.bits.resize(llvm::Log2_32(layout.outDims()[dim].size),
                   {PlaceKind::Register, ~0u});
  for (const LinearLayout::InDim &in : layout.inDims()) {
    PlaceKind kind = in.name == "register" ? PlaceKind::Register
                     : in.name == "lane"   ? PlaceKind::Lane
                                           : PlaceKind::Warp;
    uint64_t &across = kind == PlaceKind::Register ? axis.regAcross
                       : kind == PlaceKind::Lane   ? axis.laneAcross
                                                   : axis.warpAcross;
    for (auto [bit, basis] : llvm::enumerate(in.bases)) {
      bool others = false;
      for (auto [d, value] : llvm::enumerate(basis))
        others |= d != dim && value != 0;
      if (others)
        across |= uint64_t(1) << bit;
      uint32_t value = uint32_t(basis[dim]);
      if (!value)
        continue;
      if (others || !llvm::isPowerOf2_32(value))
        return std::nullopt;
      AxisBit &at = axis.bits[llvm::Log2_32(value)];
      if (at.bit != ~0u)
        return std::nullopt;
      at = {kind, unsigned(bit)};
    }
  }
  for (AxisBit bit : axis.bits)
    if (bit.bit == ~0u)
      return std::nullopt;
  return axis;
}

LinearLayout plainLayout(const LinearLayout &like) {
  SmallVector<int64_t> shape;
  SmallVector<unsigned> order;
  for (const LinearLayout::OutDim &out : like.outDims()) {
    order.insert(order.begin(), unsigned(shape.size()));
    shape.push_back(out.size);
  }
  return tgpu::blockedLayout(shape, order, 1,
                             {like.inSize("lane"), like.inSize("warp")});
}

Tuple Combiner::operator()(const Tuple &earlier, const Tuple &later) {
  SmallVector<Value> arguments(earlier.begin(), earlier.end());
  arguments.append(later.begin(), later.end());
  FailureOr<Registers> result = e.inlineRegion(region, arguments);
  if (mlir::failed(result)) {
    failed = true;
    return earlier;
  }
  return Tuple(result->begin(), result->end());
}

Tuple select(Emitter &e, Location loc, Value condition, const Tuple &yes,
             const Tuple &no) {
  Tuple result;
  for (auto [y, n] : llvm::zip(yes, no))
    result.push_back(select(e, loc, condition, y, n));
  return result;
}

//===-- Between warps -----------------------------------------------------===//

WarpExchange::WarpExchange(ArrayRef<unsigned> run, uint64_t lanes,
                           uint64_t warps, unsigned registers,
                           ArrayRef<unsigned> elementBytes, int64_t limit)
    : laneCopies(~lanes), warpCopies(~warps), runBits(unsigned(run.size())),
      acrossBits(0), registers(registers) {
  // Slots: who of the run, then lanes, other warps, registers.
  auto place = [&](uint64_t mask, Columns &columns) {
    for (unsigned bit = 0; mask >> bit; ++bit)
      columns.push_back(
          mask >> bit & 1 ? uint64_t(1) << (runBits + acrossBits++) : 0);
  };
  place(lanes, lane);
  place(warps, warp);
  for (auto [i, bit] : llvm::enumerate(run)) {
    warpCopies &= ~(uint64_t(1) << bit);
    if (runWarp.size() <= bit)
      runWarp.resize(bit + 1, 0);
    runWarp[bit] = uint64_t(1) << i;
  }
  while (this->registers > 1 && bytes(elementBytes) > limit)
    this->registers /= 2;
}

SmallVector<int64_t> WarpExchange::starts(ArrayRef<unsigned> bytes) const {
  SmallVector<int64_t> starts;
  int64_t next = 0;
  for (unsigned each : bytes) {
    starts.push_back(next);
    next += llvm::alignTo(slots() * each, 16);
  }
  starts.push_back(next);
  return starts;
}

int64_t WarpExchange::bytes(ArrayRef<unsigned> elementBytes) const {
  return starts(elementBytes).back();
}

static SmallVector<unsigned> bytesOf(ArrayRef<Type> types) {
  SmallVector<unsigned> bytes;
  for (Type type : types)
    bytes.push_back(bytesInShared(type));
  return bytes;
}

void WarpExchange::exchange(
    Emitter &e, Location loc, Value base, ArrayRef<unsigned> registers,
    ArrayRef<Tuple> tuples, bool &used,
    llvm::function_ref<void(unsigned, MutableArrayRef<Tuple>)> combine) {
  SmallVector<Type> types(ValueRange(tuples.front()).getTypes());
  for (ArrayRef<unsigned> left = registers; !left.empty();
       left = left.drop_front(this->registers)) {
    ArrayRef<unsigned> round = left.take_front(this->registers);
    SmallVector<Tuple> own;
    for (unsigned r : round)
      own.push_back(tuples[r]);
    if (used)
      e.syncThreads(loc);
    used = true;
    store(e, loc, base, own);
    e.syncThreads(loc);
    SmallVector<SmallVector<Tuple>> parts = load(e, loc, base, types);
    for (auto [r, list] : llvm::zip(round, parts))
      combine(r, list);
  }
}

void WarpExchange::store(Emitter &e, Location loc, Value base,
                         ArrayRef<Tuple> tuples) {
  OpBuilder &b = e.builder;
  // One of the threads that hold copies writes.
  Value writes;
  auto first = [&](Value place, uint64_t copies, int32_t places) {
    copies &= uint64_t(places) - 1;
    if (!copies)
      return;
    Value zero = arith::CmpIOp::create(
        b, loc, arith::CmpIPredicate::eq,
        arith::AndIOp::create(b, loc, place, e.i32(loc, int64_t(copies))),
        e.i32(loc, 0));
    writes = writes ? arith::AndIOp::create(b, loc, writes, zero) : zero;
  };
  first(e.lane(), laneCopies, int32_t(e.target.warpSize));
  first(e.warp(), warpCopies, e.warps());

  SmallVector<Type> types(ValueRange(tuples.front()).getTypes());
  SmallVector<int64_t> starts = this->starts(bytesOf(types));
  Columns warps = warp;
  warps.resize(std::max(warp.size(), runWarp.size()), 0);
  for (size_t i = 0; i < runWarp.size(); ++i)
    warps[i] ^= runWarp[i];
  for (size_t operand = 0; operand < types.size(); ++operand) {
    ThreadAddress address(e, loc, e.offset(loc, base, starts[operand]), lane,
                          warps, bytesInShared(types[operand]));
    for (auto [reg, tuple] : llvm::enumerate(tuples))
      e.hooks.storeShared(b, loc,
                          address.at(uint64_t(reg) << (runBits + acrossBits)),
                          {toStorage(e, loc, tuple[operand])}, writes);
  }
}

SmallVector<SmallVector<Tuple>>
WarpExchange::load(Emitter &e, Location loc, Value base, ArrayRef<Type> types) {
  OpBuilder &b = e.builder;
  const unsigned count = 1u << runBits;
  SmallVector<SmallVector<Tuple>> result(registers, SmallVector<Tuple>(count));
  SmallVector<int64_t> starts = this->starts(bytesOf(types));
  for (auto [operand, type] : llvm::enumerate(types)) {
    const unsigned bytes = bytesInShared(type);
    Type held = isa<LLVM::LLVMPointerType>(type)   ? b.getI64Type()
                : type.getIntOrFloatBitWidth() < 8 ? b.getI8Type()
                                                   : type;
    ThreadAddress address(e, loc, e.offset(loc, base, starts[operand]), lane,
                          warp, bytes);
    const unsigned width = std::min(count, std::max(1u, 16 / bytes));
    for (unsigned reg = 0; reg < registers; ++reg)
      for (unsigned first = 0; first < count; first += width) {
        uint64_t at = (uint64_t(reg) << (runBits + acrossBits)) + first;
        SmallVector<Value> loaded =
            e.hooks.loadShared(b, loc, address.at(at), held, int(width), {});
        for (auto [i, value] : llvm::enumerate(loaded))
          result[reg][first + i].push_back(fromStorage(e, loc, value, type));
      }
  }
  return result;
}

} // namespace nereid::gpu
