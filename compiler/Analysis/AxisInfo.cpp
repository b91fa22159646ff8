//===- AxisInfo.cpp - Regularity of integers and pointers -----------------===//
//
// A forward dataflow analysis. Each rule below is derived from the definitions
// in the header; where a rule is not obvious, its argument is beside it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Analysis/AxisInfo.h"

#include "compiler/Dialect/TT/TTDialect.h"
#include "mlir/Analysis/DataFlow/ConstantPropagationAnalysis.h"
#include "mlir/Analysis/DataFlow/DeadCodeAnalysis.h"
#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;

namespace nereid {
namespace {

using Dims = AxisInfo::Dims;

/// Divides every number that can occur: the divisibility of zero.
constexpr int64_t kZeroDivisibility = int64_t(1) << 62;

int64_t powerOfTwoDivisor(int64_t value) {
  if (value == 0)
    return kZeroDivisibility;
  return int64_t(1) << llvm::countr_zero(uint64_t(value));
}

/// The product of two powers of two, held at the largest one used.
int64_t saturatingMul(int64_t a, int64_t b) {
  return a > kZeroDivisibility / b ? kZeroDivisibility : a * b;
}

SmallVector<int64_t, 4> shapeOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return SmallVector<int64_t, 4>(tensor.getShape());
  return {1};
}

/// The largest power of two that divides a dimension's size.
int64_t runLimit(int64_t size) { return powerOfTwoDivisor(size); }

/// Bytes of one element behind a pointer or tensor of pointers; 0 for others.
int64_t pointeeBytes(Type type) {
  auto pointer = dyn_cast<tt::PointerType>(getElementTypeOrSelf(type));
  if (!pointer || !pointer.getPointeeType().isIntOrFloat())
    return 0;
  return std::max<int64_t>(1, pointer.getPointeeType().getIntOrFloatBitWidth() /
                                  8);
}

/// What divides the value at every multiple of `granularity` along `dim`. At
/// coarser steps than the runs only run heads are met; inside a run the value
/// at step g is head + k * g.
int64_t divisibilityAt(const AxisInfo &info, int64_t dim, int64_t granularity,
                       int64_t unit = 1) {
  int64_t divisibility = info.getDivisibility(dim);
  if (granularity >= info.getContiguity(dim))
    return divisibility;
  return std::min(divisibility, saturatingMul(granularity, unit));
}

/// What divides every element of the value. Every element heads a run of
/// length 1 along each dimension, so the best of the bounds holds for all.
int64_t divisibilityOfAll(const AxisInfo &info, int64_t unit = 1) {
  int64_t result = 1;
  for (int64_t dim = 0; dim < info.rank(); ++dim)
    result = std::max(result, divisibilityAt(info, dim, 1, unit));
  return result;
}

AxisInfo constantInfo(Type type, int64_t value) {
  SmallVector<int64_t, 4> shape = shapeOf(type);
  Dims constancy;
  for (int64_t size : shape)
    constancy.push_back(runLimit(size));
  return AxisInfo(Dims(shape.size(), 1),
                  Dims(shape.size(), powerOfTwoDivisor(value)), constancy,
                  value, value >= 0);
}

/// Builds a result of `a`'s rank dimension by dimension, unless it is known.
template <typename Fn>
AxisInfo perDimension(const AxisInfo &a, std::optional<int64_t> constant,
                      Type type, Fn fn) {
  if (constant)
    return constantInfo(type, *constant);
  Dims contiguity, divisibility, constancy;
  for (int64_t dim = 0; dim < a.rank(); ++dim) {
    auto [c, d, k] = fn(dim);
    contiguity.push_back(c);
    divisibility.push_back(d);
    constancy.push_back(k);
  }
  return AxisInfo(contiguity, divisibility, constancy);
}

template <typename Fn>
std::optional<int64_t> fold(const AxisInfo &a, const AxisInfo &b, Fn fn) {
  if (a.getConstant() && b.getConstant())
    return fn(*a.getConstant(), *b.getConstant());
  return std::nullopt;
}

struct Facts {
  int64_t contiguity, divisibility, constancy;
};

/// a + b, a - b and pointer + b. `unitA` and `unitB` are the bytes by which a
/// step of one changes the sum (1, unless pointers are involved).
AxisInfo addition(const AxisInfo &a, const AxisInfo &b, Type type, bool negate,
                  int64_t unitA, int64_t unitB) {
  auto constant = fold(a, b, [&](int64_t x, int64_t y) -> int64_t {
    return negate ? x - y : x + y;
  });
  return perDimension(a, constant, type, [&](int64_t dim) -> Facts {
    // A growing run plus a constant run grows; minus a growing run does not.
    int64_t contiguity = std::min(a.getContiguity(dim), b.getConstancy(dim));
    if (!negate)
      contiguity = std::max(
          contiguity, std::min(a.getConstancy(dim), b.getContiguity(dim)));
    int64_t divisibility =
        std::min(divisibilityAt(a, dim, contiguity, unitA),
                 saturatingMul(divisibilityAt(b, dim, contiguity), unitB));
    return {contiguity, divisibility,
            std::min(a.getConstancy(dim), b.getConstancy(dim))};
  });
}

AxisInfo multiplication(const AxisInfo &a, const AxisInfo &b, Type type) {
  auto constant = fold(a, b, [](int64_t x, int64_t y) -> int64_t {
    return int64_t(uint64_t(x) * uint64_t(y));
  });
  if (a.getConstant() == 1 && !constant)
    return b;
  if (b.getConstant() == 1 && !constant)
    return a;
  return perDimension(a, constant, type, [&](int64_t dim) -> Facts {
    return {1,
            saturatingMul(divisibilityAt(a, dim, 1), divisibilityAt(b, dim, 1)),
            std::min(a.getConstancy(dim), b.getConstancy(dim))};
  });
}

AxisInfo division(const AxisInfo &a, const AxisInfo &b, Type type,
                  bool isSigned) {
  auto constant =
      fold(a, b, [&](int64_t x, int64_t y) -> std::optional<int64_t> {
        if (y == 0 || (!isSigned && (x < 0 || y < 0)) ||
            (x == INT64_MIN && y == -1))
          return std::nullopt;
        return x / y;
      });
  if (b.getConstant() == 1 && !constant)
    return a;
  bool truncatesDown = !isSigned || a.isNonNegative();
  return perDimension(a, constant, type, [&](int64_t dim) -> Facts {
    int64_t constancy = std::min(a.getConstancy(dim), b.getConstancy(dim));
    // A growing run whose head is a multiple of the divisor stays within one
    // quotient for as many steps as the divisor's power of two.
    int64_t divisor = b.getConstant() ? powerOfTwoDivisor(*b.getConstant()) : 1;
    if (truncatesDown && b.getConstant() && *b.getConstant() > 0)
      constancy = std::max(
          constancy, std::min({a.getContiguity(dim), a.getDivisibility(dim),
                               divisor, b.getConstancy(dim)}));
    int64_t divisibility = 1;
    if (b.getConstant() && llvm::isPowerOf2_64(*b.getConstant()) &&
        a.getContiguity(dim) == 1 && a.getDivisibility(dim) >= *b.getConstant())
      divisibility = a.getDivisibility(dim) == kZeroDivisibility
                         ? kZeroDivisibility
                         : a.getDivisibility(dim) / *b.getConstant();
    return {1, divisibility, constancy};
  });
}

AxisInfo remainder(const AxisInfo &a, const AxisInfo &b, Type type,
                   bool isSigned) {
  auto constant =
      fold(a, b, [&](int64_t x, int64_t y) -> std::optional<int64_t> {
        if (y == 0 || (!isSigned && (x < 0 || y < 0)) ||
            (x == INT64_MIN && y == -1))
          return std::nullopt;
        return x % y;
      });
  bool wrapsUp = !isSigned || a.isNonNegative();
  return perDimension(a, constant, type, [&](int64_t dim) -> Facts {
    // A run that begins at a multiple of g, where g divides the modulus, does
    // not wrap within g steps.
    int64_t modulus = divisibilityAt(b, dim, 1);
    int64_t contiguity =
        wrapsUp ? std::min({a.getContiguity(dim), a.getDivisibility(dim),
                            modulus, b.getConstancy(dim)})
                : 1;
    int64_t divisibility =
        std::min(divisibilityAt(a, dim, contiguity), modulus);
    return {contiguity, divisibility,
            std::min(a.getConstancy(dim), b.getConstancy(dim))};
  });
}

/// Comparisons: constant where both sides are, and where one side grows in a
/// run that cannot cross the other.
AxisInfo comparison(arith::CmpIPredicate predicate, const AxisInfo &a,
                    const AxisInfo &b, Type type) {
  using P = arith::CmpIPredicate;
  bool below = predicate == P::slt || predicate == P::ult ||
               predicate == P::sge || predicate == P::uge; // a < b, !(a < b)
  bool above = predicate == P::sgt || predicate == P::ugt ||
               predicate == P::sle || predicate == P::ule; // b < a, !(b < a)
  return perDimension(a, std::nullopt, type, [&](int64_t dim) -> Facts {
    int64_t constancy = std::min(a.getConstancy(dim), b.getConstancy(dim));
    auto aligned = [&](const AxisInfo &run, const AxisInfo &bound) {
      // head + i < bound, with head and bound multiples of g, does not change
      // for i in [0, g).
      return std::min({run.getContiguity(dim), run.getDivisibility(dim),
                       bound.getConstancy(dim), divisibilityAt(bound, dim, 1)});
    };
    if (below)
      constancy = std::max(constancy, aligned(a, b));
    if (above)
      constancy = std::max(constancy, aligned(b, a));
    return {1, 1, constancy};
  });
}

/// A bitwise and with a low mask is a remainder; with others, only constancy
/// and common zero bits are kept.
AxisInfo bitwise(const AxisInfo &a, const AxisInfo &b, Type type, bool isAnd,
                 std::optional<int64_t> constant) {
  if (isAnd && !constant)
    for (auto [value, mask] : {std::pair(&a, &b), std::pair(&b, &a)})
      if (mask->getConstant() && *mask->getConstant() >= 0 &&
          *mask->getConstant() < INT64_MAX &&
          llvm::isPowerOf2_64(uint64_t(*mask->getConstant()) + 1))
        return remainder(*value, constantInfo(type, *mask->getConstant() + 1),
                         type, /*isSigned=*/false)
            .withNonNegative(true);
  return perDimension(a, constant, type, [&](int64_t dim) -> Facts {
    int64_t x = divisibilityAt(a, dim, 1), y = divisibilityAt(b, dim, 1);
    return {1, isAnd ? std::max(x, y) : std::min(x, y),
            std::min(a.getConstancy(dim), b.getConstancy(dim))};
  });
}

std::optional<int64_t> integerConstant(Attribute attribute) {
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return integer.getType().isInteger(1)
               ? int64_t(integer.getValue().getBoolValue())
               : integer.getValue().getSExtValue();
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    if (dense.isSplat() && isa<IntegerType>(dense.getElementType())) {
      APInt value = dense.getSplatValue<APInt>();
      return value.getBitWidth() == 1 ? int64_t(value.getBoolValue())
                                      : value.getSExtValue();
    }
  return std::nullopt;
}

/// The facts of a result of `type` whose bits above the type are cut off.
/// Integers narrower than indices wrap around within ordinary tiles; a run that
/// begins at a multiple of its length does not, up to half of the type's range,
/// signed or not.
AxisInfo wrapped(const AxisInfo &info, Type type) {
  auto integer = dyn_cast<IntegerType>(getElementTypeOrSelf(type));
  if (!integer || info.rank() == 0)
    return info;
  unsigned width = integer.getWidth();
  if (auto constant = info.getConstant(); constant && width < 64)
    return constantInfo(type, llvm::SignExtend64(uint64_t(*constant), width));
  if (width >= 32)
    return info;
  return perDimension(info, std::nullopt, type, [&](int64_t dim) -> Facts {
    int64_t contiguity =
        std::min({info.getContiguity(dim), info.getDivisibility(dim),
                  int64_t(1) << (width - 1)});
    return {contiguity, divisibilityAt(info, dim, contiguity),
            info.getConstancy(dim)};
  });
}

/// Raises the facts by the hints a user wrote with tl.multiple_of and its
/// like, or Triton's launcher put on an argument.
AxisInfo withHints(AxisInfo info, ArrayRef<int64_t> contiguity,
                   ArrayRef<int64_t> divisibility,
                   ArrayRef<int64_t> constancy) {
  if (contiguity.empty() && divisibility.empty() && constancy.empty())
    return info;
  Dims c, d, k;
  auto pick = [](ArrayRef<int64_t> hint, int64_t dim, int64_t known) {
    return hint.empty()
               ? known
               : std::max(known,
                          powerOfTwoDivisor(hint[hint.size() == 1 ? 0 : dim]));
  };
  for (int64_t dim = 0; dim < info.rank(); ++dim) {
    c.push_back(pick(contiguity, dim, info.getContiguity(dim)));
    d.push_back(pick(divisibility, dim, info.getDivisibility(dim)));
    k.push_back(pick(constancy, dim, info.getConstancy(dim)));
  }
  return AxisInfo(c, d, k, info.getConstant(), info.isNonNegative());
}

SmallVector<int64_t, 4> hint(Attribute attribute) {
  SmallVector<int64_t, 4> result;
  if (auto integer = dyn_cast_or_null<IntegerAttr>(attribute))
    result.push_back(integer.getInt());
  else if (auto dense = dyn_cast_or_null<DenseIntElementsAttr>(attribute))
    for (APInt value : dense.getValues<APInt>())
      result.push_back(value.getSExtValue());
  return result;
}

} // namespace

AxisInfo AxisInfo::pessimistic(Value value) {
  size_t rank = shapeOf(value.getType()).size();
  AxisInfo info(Dims(rank, 1), Dims(rank, 1), Dims(rank, 1));
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || !argument.getOwner()->isEntryBlock())
    return info;
  auto function =
      dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
  if (!function)
    return info;
  auto read = [&](StringRef name) {
    return hint(function.getArgAttr(argument.getArgNumber(), name));
  };
  return withHints(info, read("tt.contiguity"), read("tt.divisibility"),
                   read("tt.constancy"));
}

AxisInfo AxisInfo::join(const AxisInfo &a, const AxisInfo &b) {
  if (a.rank() == 0)
    return b;
  if (b.rank() == 0)
    return a;
  Dims contiguity, divisibility, constancy;
  for (int64_t dim = 0; dim < a.rank(); ++dim) {
    int64_t run = std::min(a.getContiguity(dim), b.getContiguity(dim));
    contiguity.push_back(run);
    divisibility.push_back(
        std::min(divisibilityAt(a, dim, run), divisibilityAt(b, dim, run)));
    constancy.push_back(std::min(a.getConstancy(dim), b.getConstancy(dim)));
  }
  std::optional<int64_t> constant;
  if (a.constant == b.constant)
    constant = a.constant;
  return AxisInfo(contiguity, divisibility, constancy, constant,
                  a.nonNegative && b.nonNegative);
}

void AxisInfo::print(raw_ostream &os) const {
  auto list = [&](const Dims &dims) {
    os << '[';
    llvm::interleave(dims, os, ", ");
    os << ']';
  };
  os << "contiguity = ";
  list(contiguity);
  os << ", divisibility = ";
  list(divisibility);
  os << ", constancy = ";
  list(constancy);
  os << ", constant = ";
  if (constant)
    os << *constant;
  else
    os << "none";
  if (nonNegative)
    os << ", non-negative";
}

namespace {

using AxisLattice = dataflow::Lattice<AxisInfo>;

class Solver : public dataflow::SparseForwardDataFlowAnalysis<AxisLattice> {
public:
  using SparseForwardDataFlowAnalysis::SparseForwardDataFlowAnalysis;

  void setToEntryState(AxisLattice *lattice) override {
    propagateIfChanged(
        lattice, lattice->join(AxisInfo::pessimistic(lattice->getAnchor())));
  }

  LogicalResult visitOperation(Operation *op,
                               ArrayRef<const AxisLattice *> operands,
                               ArrayRef<AxisLattice *> results) override {
    for (const AxisLattice *operand : operands)
      if (operand->getValue().rank() == 0)
        return success(); // not reached yet
    for (AxisLattice *result : results) {
      Value value = result->getAnchor();
      AxisInfo info = transfer(op, operands, value);
      if (info.rank() == 0)
        info = AxisInfo::pessimistic(value);
      if (isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::ShLIOp,
              arith::TruncIOp>(op))
        info = wrapped(info, value.getType());
      if (!info.getConstant())
        info = info.withNonNegative(staysNonNegative(op, operands) ||
                                    info.isNonNegative());
      info = withHints(info, hint(op->getAttr("tt.contiguity")),
                       hint(op->getAttr("tt.divisibility")),
                       hint(op->getAttr("tt.constancy")));
      propagateIfChanged(result, result->join(info));
    }
    return success();
  }

  void visitNonControlFlowArguments(Operation *op,
                                    const RegionSuccessor &successor,
                                    ArrayRef<AxisLattice *> arguments,
                                    unsigned firstIndex) override {
    // lower, lower + step, ...: divisible by what divides both.
    if (auto loop = dyn_cast<LoopLikeOpInterface>(op)) {
      auto lower = loop.getLoopLowerBounds();
      auto step = loop.getLoopSteps();
      auto variables = loop.getLoopInductionVars();
      if (lower && step && variables && variables->size() == 1) {
        Value variable = variables->front();
        auto known = [&](OpFoldResult bound) -> AxisInfo {
          if (auto attribute = dyn_cast<Attribute>(bound))
            return constantInfo(variable.getType(),
                                *integerConstant(attribute));
          return getLatticeElementFor(getProgramPointAfter(op),
                                      cast<Value>(bound))
              ->getValue();
        };
        AxisInfo first = known(lower->front()), by = known(step->front());
        if (first.rank() == 0 || by.rank() == 0)
          return;
        AxisLattice *lattice = getLatticeElement(variable);
        AxisInfo info(
            {1}, {std::min(first.getDivisibility(0), by.getDivisibility(0))},
            {1}, std::nullopt, first.isNonNegative() && by.isNonNegative());
        propagateIfChanged(lattice, lattice->join(info));
        for (AxisLattice *argument : arguments)
          if (argument != lattice &&
              !llvm::is_contained(successor.getSuccessorInputs(),
                                  argument->getAnchor()))
            setToEntryState(argument);
        return;
      }
    }
    SparseForwardDataFlowAnalysis::visitNonControlFlowArguments(
        op, successor, arguments, firstIndex);
  }

private:
  /// Point at which a change of a loop bound re-visits the loop.
  ProgramPoint *getProgramPointAfter(Operation *op) {
    return DataFlowAnalysis::getProgramPointAfter(op);
  }

  AxisInfo transfer(Operation *op, ArrayRef<const AxisLattice *> operands,
                    Value result) {
    Type type = result.getType();
    auto operand = [&](unsigned i) -> const AxisInfo & {
      return operands[i]->getValue();
    };
    return llvm::TypeSwitch<Operation *, AxisInfo>(op)
        .Case<arith::ConstantOp>([&](auto constant) {
          if (auto value = integerConstant(constant.getValue()))
            return constantInfo(type, *value);
          return AxisInfo();
        })
        .Case<tt::MakeRangeOp>([&](auto range) {
          int64_t size = shapeOf(type)[0];
          int64_t start = int64_t(range.getStart());
          // start, start + 1, ...: one run for the whole tile.
          return AxisInfo({runLimit(size)}, {powerOfTwoDivisor(start)}, {1});
        })
        .Case<arith::AddIOp>([&](auto) {
          return addition(operand(0), operand(1), type, false, 1, 1);
        })
        .Case<arith::SubIOp>([&](auto) {
          return addition(operand(0), operand(1), type, true, 1, 1);
        })
        .Case<tt::AddPtrOp>([&](auto) {
          int64_t bytes = pointeeBytes(type);
          if (!bytes)
            return AxisInfo();
          return addition(operand(0), operand(1), type, false, bytes, bytes);
        })
        .Case<arith::MulIOp>(
            [&](auto) { return multiplication(operand(0), operand(1), type); })
        .Case<arith::ShLIOp>([&](auto) {
          auto by = operand(1).getConstant();
          if (!by || *by < 0 || *by > 62)
            return elementwiseConstancy(op, operands, type);
          return multiplication(operand(0),
                                constantInfo(type, int64_t(1) << *by), type);
        })
        .Case<arith::DivSIOp, arith::DivUIOp>([&](auto) {
          return division(operand(0), operand(1), type,
                          isa<arith::DivSIOp>(op));
        })
        .Case<arith::ShRUIOp>([&](auto) {
          auto by = operand(1).getConstant();
          if (!by || *by < 0 || *by > 62)
            return elementwiseConstancy(op, operands, type);
          return division(operand(0), constantInfo(type, int64_t(1) << *by),
                          type, false);
        })
        .Case<arith::RemSIOp, arith::RemUIOp>([&](auto) {
          return remainder(operand(0), operand(1), type,
                           isa<arith::RemSIOp>(op));
        })
        .Case<arith::AndIOp>([&](auto) {
          return bitwise(operand(0), operand(1), type, true,
                         fold(operand(0), operand(1),
                              [](int64_t x, int64_t y) { return x & y; }));
        })
        .Case<arith::OrIOp>([&](auto) {
          return bitwise(operand(0), operand(1), type, false,
                         fold(operand(0), operand(1),
                              [](int64_t x, int64_t y) { return x | y; }));
        })
        .Case<arith::XOrIOp>([&](auto) {
          return bitwise(operand(0), operand(1), type, false,
                         fold(operand(0), operand(1),
                              [](int64_t x, int64_t y) { return x ^ y; }));
        })
        .Case<arith::CmpIOp>([&](auto compare) {
          return comparison(compare.getPredicate(), operand(0), operand(1),
                            type);
        })
        .Case<arith::SelectOp>([&](auto) { return select(operands, type); })
        .Case<arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp>(
            [&](auto) { return extremum(operand(0), operand(1)); })
        // Width changes keep the pattern where the value is kept.
        .Case<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp,
              arith::IndexCastOp>([&](auto) {
          const AxisInfo &info = operand(0);
          Type from = getElementTypeOrSelf(op->getOperand(0).getType());
          if (from.isInteger(1))
            return elementwiseConstancy(op, operands, type);
          if (isa<arith::ExtUIOp>(op) && info.getConstant().value_or(0) < 0)
            return constantInfo(type, *info.getConstant() &
                                          llvm::maskTrailingOnes<uint64_t>(
                                              from.getIntOrFloatBitWidth()));
          return info;
        })
        .Case<tt::SplatOp>([&](auto) {
          const AxisInfo &scalar = operand(0);
          SmallVector<int64_t, 4> shape = shapeOf(type);
          Dims constancy;
          for (int64_t size : shape)
            constancy.push_back(runLimit(size));
          return AxisInfo(Dims(shape.size(), 1),
                          Dims(shape.size(), scalar.getDivisibility(0)),
                          constancy, scalar.getConstant());
        })
        .Case<tt::ExpandDimsOp>([&](auto expand) {
          const AxisInfo &info = operand(0);
          int64_t axis = expand.getAxis();
          int64_t unit = std::max<int64_t>(1, pointeeBytes(type));
          Dims c, d, k;
          for (int64_t dim = 0, source = 0; dim <= info.rank(); ++dim) {
            bool added = dim == axis;
            // Along the new dimension every element heads a run of its own.
            c.push_back(added ? 1 : info.getContiguity(source));
            d.push_back(added ? divisibilityOfAll(info, unit)
                              : info.getDivisibility(source));
            k.push_back(added ? 1 : info.getConstancy(source));
            source += !added;
          }
          return AxisInfo(c, d, k, info.getConstant());
        })
        .Case<tt::BroadcastOp>([&](auto) {
          const AxisInfo &info = operand(0);
          SmallVector<int64_t, 4> from = shapeOf(op->getOperand(0).getType()),
                                  to = shapeOf(type);
          Dims c, d, k;
          for (int64_t dim = 0; dim < info.rank(); ++dim) {
            bool stretched = from[dim] == 1 && to[dim] != 1;
            c.push_back(stretched ? 1 : info.getContiguity(dim));
            d.push_back(info.getDivisibility(dim));
            k.push_back(stretched ? runLimit(to[dim]) : info.getConstancy(dim));
          }
          return AxisInfo(c, d, k, info.getConstant());
        })
        .Case<tt::TransOp>([&](auto trans) {
          const AxisInfo &info = operand(0);
          Dims c, d, k;
          for (int64_t dim : trans.getOrder()) {
            c.push_back(info.getContiguity(dim));
            d.push_back(info.getDivisibility(dim));
            k.push_back(info.getConstancy(dim));
          }
          return AxisInfo(c, d, k, info.getConstant());
        })
        .Case<tt::UnsplatOp>([&](auto) {
          return AxisInfo({1}, {divisibilityOfAll(operand(0))}, {1},
                          operand(0).getConstant());
        })
        .Default([&](Operation *) {
          return elementwiseConstancy(op, operands, type);
        });
  }

  /// Whether a value is one number, or a tile of one.
  static bool isUniform(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (isa<tt::SplatOp>(op))
        return true;
      if (!isa<tt::BroadcastOp, tt::ExpandDimsOp, tt::ReshapeOp, tt::TransOp,
               arith::ExtSIOp>(op))
        break;
      value = op->getOperand(0);
    }
    return !isa<ShapedType>(value.getType());
  }

  /// Whether the result cannot be below zero, given no wrap-around.
  static bool staysNonNegative(Operation *op,
                               ArrayRef<const AxisLattice *> operands) {
    auto is = [&](unsigned i) {
      return operands[i]->getValue().isNonNegative();
    };
    if (isa<tt::GetProgramIdOp, tt::GetNumProgramsOp, tt::MakeRangeOp,
            arith::ExtUIOp>(op))
      return true;
    if (isa<arith::DivSIOp>(op)) {
      const AxisInfo &divisor = operands[1]->getValue();
      if (std::optional<int64_t> value = divisor.getConstant())
        return is(0) && *value > 0;
      // One number that an index is divided by is positive; see the header.
      return is(0) && (is(1) || isUniform(op->getOperand(1)));
    }
    if (isa<arith::RemSIOp, arith::ShRSIOp>(op))
      return is(0);
    if (isa<arith::MaxSIOp>(op))
      return is(0) || is(1);
    if (isa<arith::SelectOp>(op))
      return is(1) && is(2);
    if (isa<arith::AddIOp, arith::MulIOp, arith::MinSIOp, arith::ShLIOp,
            arith::ExtSIOp, arith::OrIOp, tt::SplatOp, tt::BroadcastOp,
            tt::ExpandDimsOp, tt::TransOp, tt::ReshapeOp, tt::UnsplatOp>(op))
      return llvm::all_of(operands, [](const AxisLattice *operand) {
        return operand->getValue().isNonNegative();
      });
    return false;
  }

  /// For an operation that works element by element: equal inputs give equal
  /// outputs. Nothing is claimed for others.
  static AxisInfo elementwiseConstancy(Operation *op,
                                       ArrayRef<const AxisLattice *> operands,
                                       Type type) {
    if (operands.empty() || !OpTrait::hasElementwiseMappableTraits(op))
      return AxisInfo();
    SmallVector<int64_t, 4> shape = shapeOf(type);
    Dims constancy;
    for (int64_t size : shape)
      constancy.push_back(runLimit(size));
    for (const AxisLattice *operand : operands) {
      if (shapeOf(operand->getAnchor().getType()) != shape)
        return AxisInfo();
      for (size_t dim = 0; dim < shape.size(); ++dim)
        constancy[dim] =
            std::min(constancy[dim], operand->getValue().getConstancy(dim));
    }
    return AxisInfo(Dims(shape.size(), 1), Dims(shape.size(), 1), constancy);
  }

  AxisInfo select(ArrayRef<const AxisLattice *> operands, Type type) {
    const AxisInfo &condition = operands[0]->getValue();
    AxisInfo either =
        AxisInfo::join(operands[1]->getValue(), operands[2]->getValue());
    bool scalarCondition =
        !isa<RankedTensorType>(operands[0]->getAnchor().getType());
    Dims c, d, k;
    for (int64_t dim = 0; dim < either.rank(); ++dim) {
      // Within a run that takes one side, that side's pattern holds.
      int64_t same = scalarCondition ? runLimit(shapeOf(type)[dim])
                                     : condition.getConstancy(dim);
      int64_t run = std::min(either.getContiguity(dim), same);
      c.push_back(run);
      d.push_back(divisibilityAt(either, dim, run));
      k.push_back(std::min(either.getConstancy(dim), same));
    }
    return AxisInfo(c, d, k, either.getConstant());
  }

  /// min and max of two values: whichever it is, element by element, so only
  /// what divides both everywhere and is constant in both.
  AxisInfo extremum(const AxisInfo &a, const AxisInfo &b) {
    Dims d, k;
    for (int64_t dim = 0; dim < a.rank(); ++dim) {
      d.push_back(
          std::min(divisibilityAt(a, dim, 1), divisibilityAt(b, dim, 1)));
      k.push_back(std::min(a.getConstancy(dim), b.getConstancy(dim)));
    }
    return AxisInfo(Dims(a.rank(), 1), d, k);
  }
};

} // namespace

//===-- AxisInfoAnalysis --------------------------------------------------===//

struct AxisInfoAnalysis::Impl {
  DataFlowSolver solver;
};

AxisInfoAnalysis::AxisInfoAnalysis(Operation *root)
    : impl(std::make_unique<Impl>()) {
  impl->solver.load<dataflow::DeadCodeAnalysis>();
  impl->solver.load<dataflow::SparseConstantPropagation>();
  impl->solver.load<Solver>();
  // It fails only when an analysis reports failure, and none of these does.
  (void)impl->solver.initializeAndRun(root);
}

AxisInfoAnalysis::~AxisInfoAnalysis() = default;

AxisInfo AxisInfoAnalysis::get(Value value) const {
  const auto *lattice = impl->solver.lookupState<AxisLattice>(value);
  if (!lattice || lattice->getValue().rank() == 0)
    return AxisInfo::pessimistic(value);
  return lattice->getValue();
}

int64_t AxisInfoAnalysis::accessWidth(Value pointers, int64_t dim) const {
  AxisInfo info = get(pointers);
  int64_t bytes = std::max<int64_t>(1, pointeeBytes(pointers.getType()));
  int64_t aligned = std::max<int64_t>(1, info.getDivisibility(dim) / bytes);
  return std::min(info.getContiguity(dim), aligned);
}

int64_t AxisInfoAnalysis::maskAlignment(Value mask, int64_t dim) const {
  return get(mask).getConstancy(dim);
}

} // namespace nereid
