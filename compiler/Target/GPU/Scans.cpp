//===- Scans.cpp - tt.scan on tiles in layouts ----------------------------===//
//
// Every register keeps the scan of its own run of neighbours, and apart from it
// the combination of all that lies before the run (its carry) as far as it is
// known. The bits of the index are taken in from the lowest to the highest: a
// run of register bits serially, lane bits by a scan of the runs' totals over
// lanes, warp bits through a table in shared memory. In the end each carry is
// combined with each element once.
//
// A reverse scan is the same with every bit of the index complemented.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Axis.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::gpu {

namespace {

using Run = std::pair<PlaceKind, SmallVector<unsigned, 8>>;

/// Axis bits of one kind in a row. Lane bits of a run ascend, so that masked
/// arithmetic on lane numbers counts along the axis.
SmallVector<Run> runsOf(const Axis &axis) {
  SmallVector<Run> runs;
  for (AxisBit bit : axis.bits) {
    if (runs.empty() || runs.back().first != bit.kind ||
        (bit.kind == PlaceKind::Lane && bit.bit < runs.back().second.back()))
      runs.push_back({bit.kind, {}});
    runs.back().second.push_back(bit.bit);
  }
  return runs;
}

/// Place bits in which totals still differ.
struct Spread {
  uint64_t regs, lanes, warps;

  Spread(const Axis &axis)
      : regs(axis.regAcross | axis.along(PlaceKind::Register)),
        lanes(axis.laneAcross | axis.along(PlaceKind::Lane)),
        warps(axis.warpAcross | axis.along(PlaceKind::Warp)) {}
  void done(const Run &run) {
    uint64_t &bits = run.first == PlaceKind::Register ? regs
                     : run.first == PlaceKind::Lane   ? lanes
                                                      : warps;
    for (unsigned bit : run.second)
      bits &= ~(uint64_t(1) << bit);
  }
  WarpExchange exchange(ArrayRef<unsigned> run, ArrayRef<unsigned> bytes,
                        int64_t limit) const {
    uint64_t others = warps;
    for (unsigned bit : run)
      others &= ~(uint64_t(1) << bit);
    return WarpExchange(run, lanes, others, 1u << llvm::popcount(regs), bytes,
                        limit);
  }
  SmallVector<unsigned> registers() const {
    SmallVector<unsigned> result;
    for (uint64_t r = 0; r <= regs; ++r)
      if ((r & ~regs) == 0)
        result.push_back(unsigned(r));
    return result;
  }
};

/// What lies before something, where there is anything.
struct Carry {
  enum { Never, Sometimes, Always } exists = Never;
  Value condition; ///< for Sometimes
  Tuple value;
};

class ScanEmitter {
public:
  ScanEmitter(Emitter &e, tt::ScanOp op, Value scratch)
      : e(e), b(e.builder), loc(op.getLoc()), reverse(op.getReverse()),
        scratch(scratch), limit(scratchLimit(op)),
        combine(e, loc, op.getCombineOp()) {}

  FailureOr<SmallVector<Tuple>> run(SmallVector<Tuple> all, const Axis &axis);

private:
  void scanRegisters(ArrayRef<unsigned> bits, const Spread &spread, bool first);
  void scanLanes(ArrayRef<unsigned> bits, const Spread &spread, bool last);
  void scanWarps(ArrayRef<unsigned> bits, const Spread &spread);
  /// Puts `before` in front of a carry.
  void prepend(Carry &carry, const Carry &before);
  /// Puts `before` in front of the carries of all registers whose total is
  /// `total`'s.
  void prependAll(const Spread &spread, unsigned total, const Carry &before);

  Emitter &e;
  OpBuilder &b;
  Location loc;
  bool reverse;
  Value scratch;
  int64_t limit; ///< of scratch bytes
  Combiner combine;
  bool usedScratch = false;
  uint64_t lowRun = 0;             ///< register bits scanned within `local`
  SmallVector<Tuple> local, total; ///< by register
  SmallVector<Carry> carries;
};

void ScanEmitter::prepend(Carry &carry, const Carry &before) {
  if (before.exists == Carry::Never)
    return;
  if (carry.exists == Carry::Never) {
    carry = before;
    return;
  }
  Tuple both = combine(before.value, carry.value);
  if (carry.exists == Carry::Sometimes)
    both = select(e, loc, carry.condition, both, before.value);
  if (before.exists == Carry::Always) {
    carry = {Carry::Always, {}, both};
    return;
  }
  carry.value = select(e, loc, before.condition, both, carry.value);
  if (carry.exists == Carry::Sometimes)
    carry.condition =
        arith::OrIOp::create(b, loc, carry.condition, before.condition);
}

void ScanEmitter::prependAll(const Spread &spread, unsigned which,
                             const Carry &before) {
  for (uint64_t r = 0; r < carries.size(); ++r)
    if ((r & spread.regs) == which && !(r & lowRun))
      prepend(carries[r], before);
}

void ScanEmitter::scanRegisters(ArrayRef<unsigned> bits, const Spread &spread,
                                bool first) {
  // The registers of one run, in the order of the scan.
  SmallVector<unsigned> chunk = {0};
  for (unsigned bit : bits)
    for (size_t i = 0, size = chunk.size(); i < size; ++i)
      chunk.push_back(chunk[i] | 1u << bit);
  if (reverse)
    std::reverse(chunk.begin(), chunk.end());
  Spread after = spread;
  after.done({PlaceKind::Register, SmallVector<unsigned, 8>(bits)});
  if (first)
    lowRun = spread.regs & ~after.regs;
  for (unsigned base : after.registers()) {
    Tuple running = total[base | chunk[0]];
    for (unsigned part : llvm::drop_begin(chunk)) {
      if (!first)
        prependAll(spread, base | part, {Carry::Always, {}, running});
      running = combine(running, total[base | part]);
      if (first)
        local[base | part] = running;
    }
    total[base] = running;
  }
}

void ScanEmitter::scanLanes(ArrayRef<unsigned> bits, const Spread &spread,
                            bool last) {
  Value lane = e.lane();
  uint32_t mask = 0;
  for (unsigned bit : bits)
    mask |= 1u << bit;
  const uint32_t outside = ~mask, lanes = uint32_t(e.target.warpSize) - 1;
  auto constant = [&](uint32_t value) { return e.i32(loc, int32_t(value)); };
  auto band = [&](Value v, uint32_t with) -> Value {
    return arith::AndIOp::create(b, loc, v, constant(with));
  };
  auto bor = [&](Value v, uint32_t with) -> Value {
    return arith::OrIOp::create(b, loc, v, constant(with));
  };
  auto ask = [&](const Tuple &tuple, Value from) {
    Tuple result;
    for (Value value : tuple)
      result.push_back(moveLanes(e, loc, value, [&](Value word) {
        return e.hooks.shuffle(b, loc, word, from);
      }));
    return result;
  };
  auto differs = [&](Value v, uint32_t from) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, v,
                                 constant(from));
  };
  // Step j asks the last lane of the other half: bit j clear, those below set
  // (all complemented in reverse).
  SmallVector<std::pair<Value, Value>> steps; // whom to ask, whether to use it
  uint32_t below = 0;
  for (unsigned bit : bits) {
    Value from = reverse ? band(bor(lane, 1u << bit), ~below)
                         : bor(band(lane, ~(1u << bit)), below);
    steps.push_back(
        {from, differs(band(lane, 1u << bit), reverse ? 1u << bit : 0)});
    below |= 1u << bit;
  }
  Value one = e.i32(loc, 1), previous;
  if (reverse) {
    Value next = arith::AddIOp::create(b, loc, bor(lane, outside), one);
    previous = arith::OrIOp::create(b, loc, band(next, mask),
                                    band(lane, outside & lanes));
  } else {
    Value next = arith::SubIOp::create(b, loc, band(lane, mask), one);
    previous = arith::OrIOp::create(b, loc, band(next, mask),
                                    band(lane, outside & lanes));
  }
  Value exists = differs(band(lane, mask), reverse ? mask : 0);
  Value end = reverse ? band(lane, outside & lanes) : bor(lane, mask);

  for (unsigned r : spread.registers()) {
    Tuple scanned = total[r];
    for (auto &[from, use] : steps)
      scanned =
          select(e, loc, use, combine(ask(scanned, from), scanned), scanned);
    prependAll(spread, r, {Carry::Sometimes, exists, ask(scanned, previous)});
    if (!last)
      total[r] = ask(scanned, end);
  }
}

void ScanEmitter::scanWarps(ArrayRef<unsigned> bits, const Spread &spread) {
  SmallVector<Type> types(ValueRange(total.front()).getTypes());
  SmallVector<unsigned> bytes;
  for (Type type : types)
    bytes.push_back(bytesInShared(type));
  WarpExchange table = spread.exchange(bits, bytes, limit);

  Columns none, warp;
  for (auto [i, bit] : llvm::enumerate(bits)) {
    if (warp.size() <= bit)
      warp.resize(bit + 1, 0);
    warp[bit] = uint64_t(1) << i;
  }
  Value mine = threadValue(e, loc, none, warp);
  const int last = (1 << bits.size()) - 1;
  auto isMine = [&](int position, arith::CmpIPredicate predicate) -> Value {
    return arith::CmpIOp::create(
        b, loc, predicate, mine,
        e.i32(loc, reverse ? last - position : position));
  };
  SmallVector<Value> reached(last + 1);
  for (int i = 2; i <= last; ++i)
    reached[i] = isMine(i, arith::CmpIPredicate::eq);
  Value exists = isMine(0, arith::CmpIPredicate::ne);

  table.exchange(e, loc, scratch, spread.registers(), total, usedScratch,
                 [&](unsigned r, MutableArrayRef<Tuple> list) {
                   if (reverse)
                     std::reverse(list.begin(), list.end());
                   Tuple running = list[0], before = list[0];
                   for (int i = 1; i <= last; ++i) {
                     if (i > 1)
                       before = select(e, loc, reached[i], running, before);
                     running = combine(running, list[i]);
                   }
                   prependAll(spread, r, {Carry::Sometimes, exists, before});
                   total[r] = running;
                 });
}

FailureOr<SmallVector<Tuple>> ScanEmitter::run(SmallVector<Tuple> all,
                                               const Axis &axis) {
  local = all;
  total = std::move(all);
  carries.resize(local.size());
  Spread spread(axis);
  SmallVector<Run> runs = runsOf(axis);
  for (auto [i, run] : llvm::enumerate(runs)) {
    if (run.first == PlaceKind::Register)
      scanRegisters(run.second, spread, i == 0);
    else if (run.first == PlaceKind::Lane)
      scanLanes(run.second, spread, i + 1 == runs.size());
    else
      scanWarps(run.second, spread);
    spread.done(run);
  }
  for (uint64_t r = 0; r < local.size(); ++r) {
    const Carry &carry = carries[r & ~lowRun];
    if (carry.exists == Carry::Never)
      continue;
    Tuple both = combine(carry.value, local[r]);
    local[r] = carry.exists == Carry::Always
                   ? both
                   : select(e, loc, carry.condition, both, local[r]);
  }
  if (combine.failed)
    return failure();
  return local;
}

struct ScanPlan {
  LinearLayout given, used;
  Axis axis;
};

ScanPlan planScan(tt::ScanOp op) {
  ScanPlan plan;
  plan.given = plan.used =
      tgpu::getLayout(op.getSrcs().front().getType()).getLinear();
  std::optional<Axis> axis = findAxis(plan.given, op.getAxis());
  if (!axis) {
    plan.used = plainLayout(plan.given);
    axis = findAxis(plan.used, op.getAxis());
  }
  plan.axis = *axis;
  return plan;
}

} // namespace

static LogicalResult emitScan(Emitter &e, Operation *operation) {
  auto op = cast<tt::ScanOp>(operation);
  Location loc = op.getLoc();
  ScanPlan plan = planScan(op);
  const bool converts = plan.used != plan.given;
  const bool hasScratch = operation->hasAttr(tgpu::kSharedOffsetAttr);
  Value scratch = hasScratch ? e.scratch(operation) : Value();
  auto convert = [&](Registers registers, const LinearLayout &from,
                     const LinearLayout &to, bool first) {
    if (converts && !first)
      e.syncThreads(loc);
    return convertLayout(
        e, loc, std::move(registers), from, to, [&] { return scratch; },
        scratchLimit(op));
  };
  SmallVector<Tuple> tuples(plan.used.inSize("register"));
  for (auto [i, operand] : llvm::enumerate(op.getSrcs())) {
    Registers registers =
        convert(Registers(e.get(operand)), plan.given, plan.used, i == 0);
    for (auto [tuple, value] : llvm::zip(tuples, registers))
      tuple.push_back(value);
  }
  if (converts)
    e.syncThreads(loc);
  auto scanned = ScanEmitter(e, op, scratch).run(std::move(tuples), plan.axis);
  if (failed(scanned))
    return failure();
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    Registers registers;
    for (const Tuple &tuple : *scanned)
      registers.push_back(tuple[i]);
    e.set(result, convert(std::move(registers), plan.used, plan.given, false));
  }
  return success();
}

int64_t scanScratchBytes(Operation *operation) {
  auto op = dyn_cast<tt::ScanOp>(operation);
  if (!op)
    return 0;
  ScanPlan plan = planScan(op);
  SmallVector<unsigned> bytes;
  int64_t most = 0;
  for (Value operand : op.getSrcs()) {
    bytes.push_back(elementBytesInShared(operand.getType()));
    for (auto [from, to] : {std::pair(&plan.given, &plan.used),
                            std::pair(&plan.used, &plan.given)})
      most = std::max(
          most, conversionScratch(*from, *to, bytes.back(), scratchLimit(op)));
  }
  Spread spread(plan.axis);
  for (const Run &run : runsOf(plan.axis)) {
    if (run.first == PlaceKind::Warp)
      most = std::max(
          most,
          spread.exchange(run.second, bytes, scratchLimit(op)).bytes(bytes));
    spread.done(run);
  }
  return most;
}

void addScans(EmitTable &table) { table["tt.scan"] = emitScan; }

} // namespace nereid::gpu
