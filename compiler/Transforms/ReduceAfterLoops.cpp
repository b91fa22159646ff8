//===- ReduceAfterLoops.cpp - Sums across threads once, not per iteration -===//
//
// `acc += sum(x)` in a loop exchanges values between threads in every
// iteration, of which only the last total is needed. Each thread can keep a sum
// of its own instead, in as many registers, and exchange once after the loop.
//
// The layout says what a thread's own part is: along the reduced dimension, the
// bits of the index that are register bits. The dimension is cut into runs of
// such bits and of others; reducing the former needs no exchange, the latter
// stay as a dimension that the loop carries.
//
// The carried sum may be scaled first, as an online softmax does: what scales
// the whole scales each part.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/ReduceAfterLoops.h"
#include "compiler/Transforms/LayoutRules.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace nereid {
namespace {

using tgpu::LayoutAttr;

/// What does not change a value that it is combined with; null when `combiner`
/// is of a kind that has no such value, or of one for which a NaN would.
TypedAttr neutralElement(Operation *combiner, Type type, Value initial) {
  Builder builder(combiner->getContext());
  if (auto number = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &format = number.getFloatSemantics();
    auto attr = [&](APFloat value) { return FloatAttr::get(type, value); };
    if (isa<arith::AddFOp>(combiner))
      return attr(APFloat::getZero(format, /*Negative=*/true));
    if (isa<arith::MulFOp>(combiner))
      return attr(APFloat::getOne(format));
    bool most = isa<arith::MaxNumFOp, arith::MaximumFOp>(combiner);
    if (!most && !isa<arith::MinNumFOp, arith::MinimumFOp>(combiner))
      return {};
    // A loop without iterations would turn a NaN into this.
    Attribute start;
    if (isa<arith::MaxNumFOp, arith::MinNumFOp>(combiner) &&
        !matchPattern(initial, m_Constant(&start)))
      return {};
    return attr(APFloat::getInf(format, /*Negative=*/most));
  }
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return {};
  unsigned bits = integer.getWidth();
  auto attr = [&](const APInt &value) { return IntegerAttr::get(type, value); };
  if (isa<arith::AddIOp, arith::OrIOp, arith::XOrIOp, arith::MaxUIOp>(combiner))
    return attr(APInt::getZero(bits));
  if (isa<arith::MulIOp>(combiner))
    return attr(APInt(bits, 1));
  if (isa<arith::AndIOp, arith::MinUIOp>(combiner))
    return attr(APInt::getAllOnes(bits));
  if (isa<arith::MaxSIOp>(combiner))
    return attr(APInt::getSignedMinValue(bits));
  if (isa<arith::MinSIOp>(combiner))
    return attr(APInt::getSignedMaxValue(bits));
  return {};
}

/// One value that a loop carries and combines with a reduction.
struct Match {
  scf::ForOp loop;
  unsigned index;
  Operation *combine;  ///< of the carried value and the reduction's result
  arith::MulFOp scale; ///< of the carried value before that, or null
  tgpu::ConvertLayoutOp move; ///< between both, or null
  tt::ReduceOp reduce;
};

/// Bits of the index along the reduced dimension, lowest first: whether each is
/// a register's. Empty when some bit is not one place's alone, or when no other
/// thread takes part.
SmallVector<bool> registerBits(const LinearLayout &layout, unsigned axis) {
  int32_t bits = llvm::Log2_32(layout.outDims()[axis].size);
  SmallVector<int> owner(bits, -1);
  for (auto [place, in] : llvm::enumerate(layout.inDims()))
    for (const LinearLayout::Basis &basis : in.bases) {
      int32_t value = basis[axis];
      if (!value)
        continue;
      bool alone = llvm::isPowerOf2_32(value) &&
                   llvm::count(basis, 0) == int64_t(basis.size()) - 1;
      if (!alone || owner[llvm::Log2_32(value)] >= 0)
        return {};
      owner[llvm::Log2_32(value)] = int(place);
    }
  SmallVector<bool> result;
  bool others = false;
  for (int place : owner) {
    if (place < 0)
      return {};
    result.push_back(place == 0);
    others |= place != 0;
  }
  return others ? result : SmallVector<bool>();
}

/// The parts whose sum `value` is: the operand of a reduction that an earlier
/// loop left behind.
Value partsOf(Value value, tt::ReduceOp reduce, Type type) {
  auto earlier = value.getDefiningOp<tt::ReduceOp>();
  if (!earlier || earlier.getSrcs().size() != 1 ||
      earlier.getAxis() != reduce.getAxis() ||
      earlier.getSrcs()[0].getType() != type)
    return {};
  Operation *a = earlier.getSingleCombiner(), *b = reduce.getSingleCombiner();
  return a && a->getName() == b->getName() ? earlier.getSrcs()[0] : Value();
}

std::optional<Match> match(scf::ForOp loop, unsigned index) {
  Value carried = loop.getRegionIterArg(index);
  Operation *combine =
      loop.getBody()->getTerminator()->getOperand(index).getDefiningOp();
  if (!combine || combine->getBlock() != loop.getBody() ||
      combine->getNumOperands() != 2 || combine->getNumResults() != 1 ||
      !combine->hasOneUse() || !carried.hasOneUse())
    return std::nullopt;
  Match found{loop, index, combine, {}, {}, {}};
  Value own = carried;
  Operation *user = *carried.getUsers().begin();
  if (user != combine) {
    found.scale = dyn_cast<arith::MulFOp>(user);
    if (!found.scale || !isa<arith::AddFOp>(combine) ||
        user->getBlock() != loop.getBody() || !user->hasOneUse() ||
        *user->getUsers().begin() != combine)
      return std::nullopt;
    own = found.scale.getResult();
  }
  Value other = combine->getOperand(combine->getOperand(0) == own ? 1 : 0);
  found.move = other.getDefiningOp<tgpu::ConvertLayoutOp>();
  if (found.move) {
    if (!found.move->hasOneUse() || found.scale)
      return std::nullopt;
    other = found.move.getSrc();
  }
  found.reduce = other.getDefiningOp<tt::ReduceOp>();
  if (!found.reduce || found.reduce->getBlock() != loop.getBody() ||
      found.reduce.getSrcs().size() != 1 || !other.hasOneUse())
    return std::nullopt;
  Operation *inside = found.reduce.getSingleCombiner();
  Value initial = loop.getInitArgs()[index];
  if (!inside || inside->getName() != combine->getName() ||
      !neutralElement(combine, tt::getElementType(carried.getType()), initial))
    return std::nullopt;
  // What is scaled must be in the parts from the beginning; zero is.
  if (found.scale && !matchPattern(initial, m_AnyZeroFloat()) &&
      !initial.getDefiningOp<tt::ReduceOp>())
    return std::nullopt;
  LayoutAttr layout = tgpu::getLayout(found.reduce.getSrcs()[0].getType());
  if (!layout ||
      registerBits(layout.getLinear(), found.reduce.getAxis()).empty())
    return std::nullopt;
  return found;
}

Value reshape(OpBuilder &builder, Location loc, Value value,
              ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  auto layout =
      LayoutAttr::get(builder.getContext(),
                      tgpu::reshape(tgpu::getLayout(type).getLinear(), shape));
  return tt::ReshapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType(), layout),
      value, /*allow_reorder=*/false, /*efficient_layout=*/false);
}

/// `reduce` of another tensor along another dimension.
Value reduceLike(OpBuilder &builder, tt::ReduceOp reduce, Value value,
                 unsigned axis, Type result) {
  auto copy = cast<tt::ReduceOp>(builder.clone(*reduce));
  copy->setOperand(0, value);
  copy.setAxis(axis);
  copy->getResult(0).setType(result);
  return copy->getResult(0);
}

/// The dimension along which values are reduced, cut into runs of bits, highest
/// first: whether a run is of register bits, and its size.
SmallVector<std::pair<bool, int64_t>> runsOf(tt::ReduceOp reduce) {
  auto type = cast<RankedTensorType>(reduce.getSrcs()[0].getType());
  SmallVector<std::pair<bool, int64_t>> runs;
  auto bits = registerBits(tgpu::getLayout(type).getLinear(), reduce.getAxis());
  for (bool isRegister : llvm::reverse(bits)) {
    if (runs.empty() || runs.back().first != isRegister)
      runs.push_back({isRegister, 1});
    runs.back().second *= 2;
  }
  return runs;
}

RankedTensorType reducedType(RankedTensorType type, unsigned axis) {
  SmallVector<int64_t> shape(type.getShape());
  shape.erase(shape.begin() + axis);
  return RankedTensorType::get(
      shape, type.getElementType(),
      LayoutAttr::get(type.getContext(),
                      tgpu::reduce(tgpu::getLayout(type).getLinear(), axis)));
}

/// The part of a reduction that needs no other thread.
Value ownPart(OpBuilder &builder, tt::ReduceOp reduce) {
  Location loc = reduce.getLoc();
  Value value = reduce.getSrcs()[0];
  auto type = cast<RankedTensorType>(value.getType());
  unsigned axis = reduce.getAxis();
  auto runs = runsOf(reduce);
  SmallVector<int64_t> shape(type.getShape().take_front(axis));
  SmallVector<int64_t> merged(type.getShape());
  merged[axis] = 1;
  for (auto [isRegister, size] : runs) {
    shape.push_back(size);
    merged[axis] *= isRegister ? 1 : size;
  }
  llvm::append_range(shape, type.getShape().drop_front(axis + 1));
  value = reshape(builder, loc, value, shape);
  for (unsigned run = runs.size(); run-- > 0;)
    if (runs[run].first)
      value = reduceLike(
          builder, reduce, value, axis + run,
          reducedType(cast<RankedTensorType>(value.getType()), axis + run));
  return reshape(builder, loc, value, merged);
}

/// `value`, one for each result of a reduction, beside all parts of `type`.
Value spread(OpBuilder &builder, Location loc, Value value,
             RankedTensorType type, unsigned axis) {
  if (!isa<RankedTensorType>(value.getType()))
    return tt::SplatOp::create(builder, loc, type, value);
  MLIRContext *context = builder.getContext();
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = 1;
  LinearLayout thin =
      tgpu::broadcastOperand(tgpu::getLayout(type).getLinear(), shape);
  auto flat = LayoutAttr::get(context, tgpu::expandDimsOperand(thin, axis));
  auto own = cast<RankedTensorType>(value.getType());
  if (tgpu::getLayout(own) != flat)
    value = tgpu::ConvertLayoutOp::create(builder, loc,
                                          tgpu::withLayout(own, flat), value);
  value = tt::ExpandDimsOp::create(
      builder, loc,
      RankedTensorType::get(shape, type.getElementType(),
                            LayoutAttr::get(context, thin)),
      value, axis);
  return tt::BroadcastOp::create(builder, loc, type, value);
}

void rewrite(Match found) {
  scf::ForOp loop = found.loop;
  Value carried = loop.getRegionIterArg(found.index);
  Value result = loop.getResult(found.index);
  Value initial = loop.getInitArgs()[found.index];
  Location loc = found.reduce.getLoc();
  unsigned axis = found.reduce.getAxis();

  OpBuilder builder(found.reduce);
  Value part = ownPart(builder, found.reduce);
  auto type = cast<RankedTensorType>(part.getType());
  Value start = partsOf(initial, found.reduce, type);
  bool complete = start || found.scale; // nothing is added after the loop
  Type totalType = found.reduce->getResult(0).getType();
  if (found.scale && !start && !matchPattern(initial, m_AnyZeroFloat())) {
    // A total of other parts: nothing has been changed yet but dead code.
    return;
  }

  builder.setInsertionPoint(found.combine);
  Value before = found.scale ? found.scale.getResult() : carried;
  auto combine = [&](Value own, Value other) {
    bool first = found.combine->getOperand(0) == before;
    Operation *copy = builder.clone(*found.combine);
    copy->setOperands({first ? own : other, first ? other : own});
    copy->getResult(0).setType(own.getType());
    return copy->getResult(0);
  };
  carried.setType(type);
  Value own = carried;
  if (found.scale) {
    Value factor = found.scale.getLhs() == carried ? found.scale.getRhs()
                                                   : found.scale.getLhs();
    factor = spread(builder, loc, factor, type, axis);
    Operation *copy = builder.clone(*found.scale);
    copy->setOperands({carried, factor});
    copy->getResult(0).setType(type);
    own = copy->getResult(0);
  }
  loop.getBody()->getTerminator()->setOperand(found.index, combine(own, part));

  builder.setInsertionPoint(loop);
  if (!start) {
    TypedAttr neutral =
        neutralElement(found.combine, type.getElementType(), initial);
    start = arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(type, Attribute(neutral)));
  }
  loop.getInitArgsMutable()[found.index].assign(start);

  // What the loop gave before is made of what it gives now.
  builder.setInsertionPointAfter(loop);
  Value total = reduceLike(builder, found.reduce, result, axis, totalType);
  Operation *reduction = total.getDefiningOp();
  if (found.move)
    total = tgpu::ConvertLayoutOp::create(builder, loc, found.move.getType(),
                                          total);
  if (!complete)
    total = combine(initial, total);
  result.replaceAllUsesExcept(total, reduction);
  result.setType(type);

  found.combine->erase();
  if (found.scale)
    found.scale->erase();
  if (found.move)
    found.move->erase();
  found.reduce->erase();
}

} // namespace

void reduceAfterLoops(tt::FuncOp function) {
  // Inner loops first: what is left after one is then a reduction in the next.
  SmallVector<scf::ForOp> loops;
  function.walk<WalkOrder::PostOrder>(
      [&](scf::ForOp loop) { loops.push_back(loop); });
  for (scf::ForOp loop : loops)
    for (unsigned index = 0; index < loop.getNumResults(); ++index)
      if (auto found = match(loop, index))
        rewrite(*found);
}

} // namespace nereid
