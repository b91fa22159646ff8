//===- Dots.cpp - Products without a matrix unit --------------------------===//
//
// Each thread holds, for the elements of the accumulator it owns, the whole
// rows of A and columns of B, and multiplies and adds. 8- and 16-bit operands
// are widened first; an f16 result is rounded once, at the end.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/Fragments.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace nereid::tgpu;

namespace nereid::gpu {
namespace {

/// Whether an operand's threads and warps stand where the accumulator's do, and
/// none of them is moved along K.
bool follows(const LinearLayout &operand, const LinearLayout &accumulator,
             unsigned inner) {
  for (StringRef place : {"lane", "warp"})
    for (int32_t bit = 0; bit < accumulator.inBits(place); ++bit)
      for (auto [dim, out] : llvm::enumerate(operand.outDims())) {
        int32_t has = operand.basis(place, bit, out.name);
        int32_t wants =
            dim == inner ? 0 : accumulator.basis(place, bit, out.name);
        if (has != wants)
          return false;
      }
  return true;
}

/// An operand's scalar as the type in which products are added.
Value widen(OpBuilder &b, Location loc, Value value, Type to) {
  Type from = value.getType();
  if (from == to)
    return value;
  if (isa<IntegerType>(from))
    return arith::ExtSIOp::create(b, loc, to, value);
  return arith::ExtFOp::create(b, loc, to, value);
}

} // namespace

LogicalResult emitThreadDot(Emitter &emitter, Operation *op) {
  auto dot = cast<tt::DotOp>(op);
  auto a = dot.getA().getType(), b = dot.getB().getType();
  auto d = dot.getResult().getType();
  unsigned rank = d.getRank();
  LinearLayout layout = getLayout(d).getLinear();
  LinearLayout aLayout = getLayout(a).getLinear();
  LinearLayout bLayout = getLayout(b).getLinear();
  Type element = d.getElementType();
  for (Type type : {a.getElementType(), b.getElementType()})
    if (!type.isIntOrFloat() ||
        (isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8))
      return op->emitError()
             << "multiplies elements of " << type << " on "
             << emitter.target.name << ", which must be converted to f16 first";
  if (!follows(aLayout, layout, rank - 1) ||
      !follows(bLayout, layout, rank - 2))
    return op->emitError()
           << "has operands that do not follow the layout of its result "
           << getLayout(d);

  OpBuilder &builder = emitter.builder;
  Location loc = op->getLoc();
  bool isInteger = isa<IntegerType>(element);
  Type sumType = element.isF16() || element.isBF16()
                     ? Type(builder.getF32Type())
                     : emitter.scalarType(element);

  // Widen each operand's scalar once.
  Registers left, right;
  for (Value value : emitter.get(dot.getA()))
    left.push_back(widen(builder, loc, value, sumType));
  for (Value value : emitter.get(dot.getB()))
    right.push_back(widen(builder, loc, value, sumType));
  Registers sums;
  for (Value value : emitter.get(dot.getC()))
    sums.push_back(widen(builder, loc, value, sumType));

  RegisterIndex aIndex(aLayout), bIndex(bLayout), dIndex(layout);
  // K is the outer loop, so that few operands are needed at a time.
  int32_t k = int32_t(a.getShape().back());
  for (int32_t step = 0; step < k; ++step)
    for (auto [sum, at] : llvm::zip(sums, dIndex.elements())) {
      Element row = at, column = at;
      row[rank - 1] = step;
      column[rank - 2] = step;
      int32_t aRegister = aIndex.find(row), bRegister = bIndex.find(column);
      if (aRegister < 0 || bRegister < 0)
        return op->emitError()
               << "has operands that do not hold all of K in each thread";
      Value l = left[aRegister], r = right[bRegister];
      if (isInteger)
        sum = arith::AddIOp::create(builder, loc, sum,
                                    arith::MulIOp::create(builder, loc, l, r));
      else
        sum = math::FmaOp::create(builder, loc, l, r, sum);
    }
  if (sumType != element)
    for (Value &sum : sums)
      sum = arith::TruncFOp::create(builder, loc, element, sum);
  emitter.set(dot.getResult(), std::move(sums));
  return success();
}

void addDots(EmitTable &table) { table["tt.dot"] = emitThreadDot; }

} // namespace nereid::gpu
