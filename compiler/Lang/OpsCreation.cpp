//===- OpsCreation.cpp - Programs, new tensors, shapes, casts -------------===//

#include "compiler/Lang/OpTable.h"

#include "llvm/ADT/StringExtras.h"

namespace nereid::lang {

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

static bool gridAxis(OpArgs &args, int64_t &axis) {
  if (!args.integer(0, axis))
    return false;
  return (axis >= 0 && axis <= 2) ||
         args.failAt(0, args.describe(0) + " is 0, 1 or 2, found " +
                            llvm::Twine(axis));
}

Value opProgramId(OpArgs &args) {
  int64_t axis;
  if (!gridAxis(args, axis))
    return Value();
  return args.result(
      {tt::GetProgramIdOp::create(args.sem.getBuilder(), args.sem.getLoc(),
                                  static_cast<int>(axis)),
       args.sem.scalar(ScalarId::Int32)});
}

Value opNumPrograms(OpArgs &args) {
  int64_t axis;
  if (!gridAxis(args, axis))
    return Value();
  return args.result(
      {tt::GetNumProgramsOp::create(args.sem.getBuilder(), args.sem.getLoc(),
                                    static_cast<int>(axis)),
       args.sem.scalar(ScalarId::Int32)});
}

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

Value opArange(OpArgs &args) {
  Int128 start, end;
  if (!args.wideInteger(0, start) || !args.wideInteger(1, end))
    return Value();
  return args.result(args.sem.arange(start, end));
}

Value opFull(OpArgs &args) {
  llvm::SmallVector<int64_t, 4> shape;
  Scalar value;
  const Type *type;
  if (!args.integers(0, shape) || !args.scalar(1, value) || !args.type(2, type))
    return Value();
  return args.result(args.sem.full(shape, value, type));
}

Value opToTensor(OpArgs &args) {
  Tensor tensor;
  return args.tensor(0, tensor) ? args.result(tensor) : Value();
}

Value opCast(OpArgs &args) {
  Tensor input;
  const Type *type;
  llvm::StringRef rounding;
  bool bits;
  if (!args.tensor(0, input) || !args.type(1, type) ||
      !args.string(2, rounding) || !args.boolean(3, bits))
    return Value();
  if (type->isBlock())
    type = type->getElement();
  if (bits) {
    if (!rounding.empty())
      return args.fail("a bitcast does not round, so 'fp_downcast_rounding' "
                       "has no place here");
    return args.result(args.sem.bitcast(input, type));
  }
  return args.result(args.sem.cast(input, type, rounding));
}

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

Value opBroadcast(OpArgs &args) {
  Tensor input, other;
  if (!args.tensor(0, input) || !args.tensor(1, other) ||
      !args.sem.broadcast(input, other))
    return Value();
  return args.results({input, other});
}

Value opBroadcastTo(OpArgs &args) {
  Tensor input;
  llvm::SmallVector<int64_t, 4> shape;
  if (!args.tensor(0, input) || !args.variadicIntegers(1, shape))
    return Value();
  return args.result(args.sem.broadcastTo(input, shape));
}

Value opTrans(OpArgs &args) {
  Tensor input;
  llvm::SmallVector<int64_t, 4> order;
  if (!args.tensor(0, input) || !args.variadicIntegers(1, order))
    return Value();
  if (order.empty()) {
    if (input.rank() < 2)
      return args.fail("'" + args.getDisplay() +
                       "' swaps the last two dimensions, found " + input.str());
    for (int64_t i = 0; i < input.rank(); ++i)
      order.push_back(i);
    std::swap(order[input.rank() - 1], order[input.rank() - 2]);
  }
  return args.result(args.sem.permute(input, order));
}

Value opPermute(OpArgs &args) {
  Tensor input;
  llvm::SmallVector<int64_t, 4> order;
  if (!args.tensor(0, input) || !args.variadicIntegers(1, order))
    return Value();
  return args.result(args.sem.permute(input, order));
}

Value opReshape(OpArgs &args) {
  Tensor input;
  llvm::SmallVector<int64_t, 4> shape;
  bool reorder;
  if (!args.tensor(0, input) || !args.variadicIntegers(1, shape) ||
      !args.boolean(2, reorder))
    return Value();
  return args.result(args.sem.reshape(input, shape, reorder));
}

Value opView(OpArgs &args) {
  Tensor input;
  llvm::SmallVector<int64_t, 4> shape;
  if (!args.tensor(0, input) || !args.variadicIntegers(1, shape))
    return Value();
  args.fn.warn(args.range, "'tl.view' is deprecated; use tl.reshape(x, shape, "
                           "can_reorder=True)");
  return args.result(args.sem.reshape(input, shape, /*reorder=*/true));
}

Value opExpandDims(OpArgs &args) {
  Tensor input;
  llvm::SmallVector<int64_t, 4> axes;
  if (!args.tensor(0, input) || !args.integers(1, axes))
    return Value();
  int64_t newRank = input.rank() + static_cast<int64_t>(axes.size());
  for (int64_t &axis : axes) {
    if (axis < -newRank || axis >= newRank) {
      args.failAt(1, args.describe(1) + " lies in -" + llvm::Twine(newRank) +
                         ".." + llvm::Twine(newRank - 1) + " here, found " +
                         llvm::Twine(axis));
      return Value();
    }
    if (axis < 0)
      axis += newRank;
  }
  llvm::sort(axes);
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    args.failAt(1, args.describe(1) + " names one axis twice");
    return Value();
  }
  for (int64_t axis : axes)
    input = args.sem.expandDims(input, axis);
  return args.result(input);
}

Value opJoin(OpArgs &args) {
  Tensor lhs, rhs;
  if (!args.tensor(0, lhs) || !args.tensor(1, rhs))
    return Value();
  return args.result(args.sem.join(lhs, rhs));
}

Value opSplit(OpArgs &args) {
  Tensor input;
  if (!args.tensor(0, input))
    return Value();
  auto parts = args.sem.split(input);
  return parts ? args.results({parts->first, parts->second}) : Value();
}

Value opCat(OpArgs &args) {
  Tensor lhs, rhs;
  bool reorder;
  int64_t dim;
  if (!args.tensor(0, lhs) || !args.tensor(1, rhs) ||
      !args.boolean(2, reorder) || !args.integer(3, dim))
    return Value();
  return args.result(args.sem.cat(lhs, rhs, dim));
}

Value opItem(OpArgs &args) {
  Tensor input;
  return args.tensor(0, input) ? args.result(args.sem.unsplat(input)) : Value();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

static LoopRange *makeRange(OpArgs &args) {
  auto *range = args.fn.getValues().createRuntime<LoopRange>();
  bool one = args.isNone(1);
  range->start = one ? Value::integer(0) : args.value(0);
  range->startRange = args.rangeOf(0);
  range->stop = args.value(one ? 0 : 1);
  range->stopRange = args.rangeOf(one ? 0 : 1);
  range->step = args.isNone(2) ? Value::integer(1) : args.value(2);
  range->stepRange = args.rangeOf(2);
  return range;
}

Value opRange(OpArgs &args) {
  LoopRange *range = makeRange(args);
  if (!args.optionalInteger(3, range->numStages) ||
      !args.optionalInteger(4, range->unrollFactor) ||
      !args.boolean(5, range->disallowAccMultiBuffer) ||
      !args.boolean(6, range->flatten) ||
      !args.boolean(7, range->warpSpecialize) ||
      !args.boolean(8, range->disableLicm))
    return Value();
  return Value::handle(range);
}

Value opStaticRange(OpArgs &args) {
  LoopRange *range = makeRange(args);
  range->isStatic = true;
  for (unsigned i = 0; i < 3; ++i) {
    Int128 ignored;
    if (!args.isNone(i) && !args.wideInteger(i, ignored))
      return Value();
  }
  return Value::handle(range);
}

Value opCondition(OpArgs &args) {
  auto *condition = args.fn.getValues().createRuntime<ConditionObject>();
  condition->condition = args.value(0);
  if (!args.boolean(1, condition->disableLicm))
    return Value();
  return Value::handle(condition);
}

//===----------------------------------------------------------------------===//
// Hints
//===----------------------------------------------------------------------===//

static Value hint(OpArgs &args, llvm::StringRef attribute,
                  llvm::StringRef name) {
  llvm::SmallVector<int64_t, 4> values;
  if (!args.integers(1, values))
    return Value();
  // A hint about a compile-time value says nothing new.
  if (args.value(0).isNumber())
    return args.value(0);
  Tensor input;
  if (!args.tensor(0, input))
    return Value();
  return args.result(args.sem.hint(input, attribute, values, name));
}

Value opMultipleOf(OpArgs &args) {
  return hint(args, "tt.divisibility", "multiple_of");
}
Value opMaxContiguous(OpArgs &args) {
  return hint(args, "tt.contiguity", "max_contiguous");
}
Value opMaxConstancy(OpArgs &args) {
  return hint(args, "tt.constancy", "max_constancy");
}

Value opExpectZero(OpArgs &args) { return args.value(0); }

} // namespace nereid::lang
