//===- Reductions.cpp - tt.reduce on tiles in layouts ---------------------===//
//
// The bits of the index along the axis are taken away one after the other: a
// register bit by combining two registers, a lane bit by a shuffle with the
// lane that differs in it, warp bits by a table in shared memory. A region that
// commutes lets the cheap bits go first, so that little is left for shuffles;
// any other is taken through the bits from the lowest to the highest, which
// keeps the elements' order.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Axis.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::gpu {

namespace {

using Step = SmallVector<unsigned, 8>; // bits of one kind, in order

/// The order of work: runs of axis bits of one kind.
SmallVector<std::pair<PlaceKind, Step>> stepsOf(const Axis &axis,
                                                bool anyOrder) {
  SmallVector<std::pair<PlaceKind, Step>> steps;
  auto add = [&](AxisBit bit) {
    if (steps.empty() || steps.back().first != bit.kind)
      steps.push_back({bit.kind, {}});
    steps.back().second.push_back(bit.bit);
  };
  if (!anyOrder)
    llvm::for_each(axis.bits, add);
  else
    for (PlaceKind kind :
         {PlaceKind::Register, PlaceKind::Lane, PlaceKind::Warp})
      for (AxisBit bit : axis.bits)
        if (bit.kind == kind)
          add(bit);
  return steps;
}

/// Walks the steps with what is still spread over places. The table of a warp
/// step is made the same way for its size and for its code.
struct Spread {
  uint64_t regs, lanes, warps; ///< bits that hold different tuples

  Spread(const Axis &axis)
      : regs(axis.regAcross | axis.along(PlaceKind::Register)),
        lanes(axis.laneAcross | axis.along(PlaceKind::Lane)),
        warps(axis.warpAcross | axis.along(PlaceKind::Warp)) {}

  void done(PlaceKind kind, unsigned bit) {
    (kind == PlaceKind::Register ? regs
     : kind == PlaceKind::Lane   ? lanes
                                 : warps) &= ~(uint64_t(1) << bit);
  }
  WarpExchange exchange(ArrayRef<unsigned> run, ArrayRef<unsigned> bytes,
                        int64_t limit) const {
    uint64_t others = warps;
    for (unsigned bit : run)
      others &= ~(uint64_t(1) << bit);
    return WarpExchange(run, lanes, others, 1u << llvm::popcount(regs), bytes,
                        limit);
  }
  /// The numbers of registers that are still different.
  SmallVector<unsigned> registers() const {
    SmallVector<unsigned> result;
    for (uint64_t r = 0; r <= regs; ++r)
      if ((r & ~regs) == 0)
        result.push_back(unsigned(r));
    return result;
  }
};

class ReduceEmitter {
public:
  ReduceEmitter(Emitter &e, tt::ReduceOp op, Value scratch)
      : e(e), b(e.builder), loc(op.getLoc()), op(op), scratch(scratch),
        combine(e, loc, op.getCombineOp()),
        anyOrder(commutes(op.getCombineOp())) {}

  /// The tuples of the registers that are left, from those of all registers.
  FailureOr<SmallVector<Tuple>> run(SmallVector<Tuple> all, const Axis &axis);

private:
  void reduceLanes(ArrayRef<unsigned> bits, const Spread &spread);
  bool reduceByInstruction(ArrayRef<unsigned> bits, const Spread &spread);
  void reduceWarps(ArrayRef<unsigned> bits, const Spread &spread);

  Emitter &e;
  OpBuilder &b;
  Location loc;
  tt::ReduceOp op;
  Value scratch;
  Combiner combine;
  bool anyOrder, usedScratch = false;
  SmallVector<Tuple> tuples; ///< by register number
};

} // namespace

FailureOr<SmallVector<Tuple>> ReduceEmitter::run(SmallVector<Tuple> all,
                                                 const Axis &axis) {
  tuples = std::move(all);
  Spread spread(axis);
  for (auto &[kind, bits] : stepsOf(axis, anyOrder)) {
    if (kind == PlaceKind::Register) {
      for (unsigned bit : bits) {
        spread.done(kind, bit);
        for (unsigned r : spread.registers())
          tuples[r] = combine(tuples[r], tuples[r | 1u << bit]);
      }
      continue;
    }
    if (kind == PlaceKind::Lane)
      reduceLanes(bits, spread);
    else
      reduceWarps(bits, spread);
    for (unsigned bit : bits)
      spread.done(kind, bit);
  }
  if (combine.failed)
    return failure();
  SmallVector<Tuple> left;
  for (unsigned r : spread.registers())
    left.push_back(tuples[r]);
  return left;
}

void ReduceEmitter::reduceLanes(ArrayRef<unsigned> bits, const Spread &spread) {
  if (reduceByInstruction(bits, spread))
    return;
  for (unsigned bit : bits) {
    Value upper;
    if (!anyOrder)
      upper = threadParity(e, loc, uint64_t(1) << bit, 0);
    for (unsigned r : spread.registers()) {
      Tuple other;
      for (Value value : tuples[r])
        other.push_back(moveLanes(e, loc, value, [&](Value word) {
          return e.hooks.shuffleXor(b, loc, word, 1 << bit);
        }));
      tuples[r] = anyOrder ? combine(tuples[r], other)
                           : combine(select(e, loc, upper, other, tuples[r]),
                                     select(e, loc, upper, tuples[r], other));
    }
  }
}

/// Whole warps of integers, where the machine has an instruction.
bool ReduceEmitter::reduceByInstruction(ArrayRef<unsigned> bits,
                                        const Spread &spread) {
  Operation *combiner = op.getSingleCombiner();
  if (!combiner || !anyOrder || spread.lanes & ~[&] {
        uint64_t mask = 0;
        for (unsigned bit : bits)
          mask |= uint64_t(1) << bit;
        return mask;
      }())
    return false;
  auto type = dyn_cast<IntegerType>(tuples.front().front().getType());
  if (!type || type.getWidth() > 32)
    return false;
  const bool idempotent = !isa<arith::AddIOp, arith::XOrIOp>(combiner);
  if (1u << bits.size() != e.target.warpSize && !idempotent)
    return false;
  // Fewer lanes by few shuffles are as cheap.
  if (bits.size() < 3)
    return false;
  const bool isSigned = isa<arith::MaxSIOp, arith::MinSIOp>(combiner);
  Type i32 = b.getI32Type();
  for (unsigned r : spread.registers()) {
    Value value = tuples[r].front();
    if (type.getWidth() < 32)
      value = isSigned ? arith::ExtSIOp::create(b, loc, i32, value).getResult()
                       : arith::ExtUIOp::create(b, loc, i32, value).getResult();
    value = e.hooks.reduceWarp(b, loc, combiner, value);
    if (!value)
      return false;
    if (type.getWidth() < 32)
      value = arith::TruncIOp::create(b, loc, type, value);
    tuples[r] = {value};
  }
  return true;
}

void ReduceEmitter::reduceWarps(ArrayRef<unsigned> bits, const Spread &spread) {
  SmallVector<Type> types(ValueRange(tuples.front()).getTypes());
  SmallVector<unsigned> bytes;
  for (Type type : types)
    bytes.push_back(bytesInShared(type));
  WarpExchange table = spread.exchange(bits, bytes, scratchLimit(op));
  table.exchange(e, loc, scratch, spread.registers(), tuples, usedScratch,
                 [&](unsigned r, MutableArrayRef<Tuple> list) {
                   // Neighbours first: short chains, and the order is kept.
                   for (size_t step = 1; step < list.size(); step *= 2)
                     for (size_t i = 0; i + step < list.size(); i += 2 * step)
                       list[i] = combine(list[i], list[i + step]);
                   tuples[r] = list[0];
                 });
}

//===-- The op ------------------------------------------------------------===//

namespace {

struct ReducePlan {
  LinearLayout given, used; ///< the operands' layout, and the one reduced in
  Axis axis;
  LinearLayout reduced; ///< what is left of `used`
  LinearLayout wanted;  ///< the results' layout
};

ReducePlan planReduce(tt::ReduceOp op) {
  ReducePlan plan;
  const unsigned dim = op.getAxis();
  plan.given = plan.used =
      tgpu::getLayout(op.getSrcs().front().getType()).getLinear();
  std::optional<Axis> axis = findAxis(plan.given, dim);
  if (!axis) {
    plan.used = plainLayout(plan.given);
    axis = findAxis(plan.used, dim);
  }
  plan.axis = *axis;
  plan.reduced = tgpu::reduce(plan.used, dim);
  tgpu::LayoutAttr wanted = tgpu::getLayout(op->getResult(0).getType());
  plan.wanted = wanted ? wanted.getLinear() : plan.reduced;
  return plan;
}

} // namespace

static LogicalResult emitReduce(Emitter &e, Operation *operation) {
  auto op = cast<tt::ReduceOp>(operation);
  Location loc = op.getLoc();
  ReducePlan plan = planReduce(op);
  const bool hasScratch = operation->hasAttr(tgpu::kSharedOffsetAttr);
  Value scratch = hasScratch ? e.scratch(operation) : Value();
  auto getScratch = [&] { return scratch; };
  bool used = false;

  SmallVector<Tuple> tuples(plan.used.inSize("register"));
  for (Value operand : op.getSrcs()) {
    if (used && plan.used != plan.given)
      e.syncThreads(loc);
    used = true;
    Registers registers =
        convertLayout(e, loc, Registers(e.get(operand)), plan.given, plan.used,
                      getScratch, scratchLimit(op));
    for (auto [tuple, value] : llvm::zip(tuples, registers))
      tuple.push_back(value);
  }
  if (plan.used != plan.given)
    e.syncThreads(loc);
  auto left = ReduceEmitter(e, op, scratch).run(std::move(tuples), plan.axis);
  if (failed(left))
    return failure();
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    Registers registers;
    for (const Tuple &tuple : *left)
      registers.push_back(tuple[i]);
    if (plan.reduced != plan.wanted) {
      e.syncThreads(loc);
      registers = convertLayout(e, loc, registers, plan.reduced, plan.wanted,
                                getScratch, scratchLimit(op));
    }
    if (!isa<RankedTensorType>(result.getType()))
      registers.resize(1);
    e.set(result, std::move(registers));
  }
  return success();
}

int64_t reductionScratchBytes(Operation *operation) {
  auto op = dyn_cast<tt::ReduceOp>(operation);
  if (!op)
    return scanScratchBytes(operation);
  ReducePlan plan = planReduce(op);
  SmallVector<unsigned> bytes;
  int64_t most = 0;
  for (Value operand : op.getSrcs()) {
    bytes.push_back(elementBytesInShared(operand.getType()));
    for (auto [from, to] : {std::pair(&plan.given, &plan.used),
                            std::pair(&plan.reduced, &plan.wanted)})
      most = std::max(
          most, conversionScratch(*from, *to, bytes.back(), scratchLimit(op)));
  }
  Spread spread(plan.axis);
  for (auto &[kind, bits] : stepsOf(plan.axis, commutes(op.getCombineOp()))) {
    if (kind == PlaceKind::Warp)
      most = std::max(
          most, spread.exchange(bits, bytes, scratchLimit(op)).bytes(bytes));
    for (unsigned bit : bits)
      spread.done(kind, bit);
  }
  return most;
}

void addReductions(EmitTable &table) {
  table["tt.reduce"] = emitReduce;
  addScans(table);
}

} // namespace nereid::gpu
