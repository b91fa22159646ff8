//===- OpsMath.cpp - Elementwise functions, products, selection -----------===//

#include "compiler/Lang/OpTable.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace nereid::lang {

namespace math = mlir::math;

//===----------------------------------------------------------------------===//
// Functions of one operand
//===----------------------------------------------------------------------===//

/// A function of fp32 and fp64 (other floats must be cast by the author).
template <typename Op> static Value floatFunction(OpArgs &args) {
  Tensor x;
  if (!args.tensor(0, x))
    return Value();
  if (!x.elem()->is(ScalarId::Float32) && !x.elem()->is(ScalarId::Float64))
    return args.fail("'" + args.getDisplay() + "' takes fp32 or fp64, found " +
                     x.str() + "; cast it with .to(tl.float32)");
  return args.result(
      {Op::create(args.sem.getBuilder(), args.sem.getLoc(), x.handle), x.type});
}

Value opExp(OpArgs &args) { return floatFunction<math::ExpOp>(args); }
Value opExp2(OpArgs &args) { return floatFunction<math::Exp2Op>(args); }
Value opLog(OpArgs &args) { return floatFunction<math::LogOp>(args); }
Value opLog2(OpArgs &args) { return floatFunction<math::Log2Op>(args); }
Value opCos(OpArgs &args) { return floatFunction<math::CosOp>(args); }
Value opSin(OpArgs &args) { return floatFunction<math::SinOp>(args); }
Value opSqrt(OpArgs &args) { return floatFunction<math::SqrtOp>(args); }
Value opRsqrt(OpArgs &args) { return floatFunction<math::RsqrtOp>(args); }
Value opErf(OpArgs &args) { return floatFunction<math::ErfOp>(args); }
Value opFloor(OpArgs &args) { return floatFunction<math::FloorOp>(args); }
Value opCeil(OpArgs &args) { return floatFunction<math::CeilOp>(args); }

static bool requireF32(OpArgs &args, const Tensor &x) {
  if (x.elem()->is(ScalarId::Float32))
    return true;
  args.fail("'" + args.getDisplay() + "' takes fp32, found " + x.str() +
            "; cast it with .to(tl.float32)");
  return false;
}

Value opSqrtRn(OpArgs &args) {
  Tensor x;
  if (!args.tensor(0, x) || !requireF32(args, x))
    return Value();
  return args.result(
      {tt::PreciseSqrtOp::create(args.sem.getBuilder(), args.sem.getLoc(),
                                 x.handle.getType(), x.handle),
       x.type});
}

Value opDivRn(OpArgs &args) {
  Tensor x, y;
  if (!args.tensor(0, x) || !args.tensor(1, y) || !requireF32(args, x) ||
      !requireF32(args, y))
    return Value();
  return args.result(args.sem.fdiv(x, y, /*ieeeRounding=*/true));
}

Value opAbs(OpArgs &args) {
  Tensor x;
  return args.tensor(0, x) ? args.result(args.sem.abs(x)) : Value();
}

//===----------------------------------------------------------------------===//
// Functions of several operands
//===----------------------------------------------------------------------===//

Value opFdiv(OpArgs &args) {
  Tensor x, y;
  bool ieee;
  if (!args.tensor(0, x) || !args.tensor(1, y) || !args.boolean(2, ieee))
    return Value();
  return args.result(args.sem.fdiv(x, y, ieee));
}

Value opFma(OpArgs &args) {
  Tensor x, y, z;
  if (!args.tensor(0, x) || !args.tensor(1, y) || !args.tensor(2, z))
    return Value();
  return args.result(args.sem.fma(x, y, z));
}

Value opUmulhi(OpArgs &args) {
  Tensor x, y;
  if (!args.tensor(0, x) || !args.tensor(1, y))
    return Value();
  return args.result(args.sem.umulhi(x, y));
}

/// tl.PropagateNan.NONE or .ALL; None means NONE.
static bool propagateNan(OpArgs &args, unsigned i, bool &out) {
  out = false;
  Value value = args.value(i);
  if (value.isNone())
    return true;
  std::string text = str(value);
  llvm::StringRef name = text;
  if (name == "PropagateNan.NONE" || name == "NONE" || name == "0")
    return true;
  if (name == "PropagateNan.ALL" || name == "ALL" || name == "65535") {
    out = true;
    return true;
  }
  return args.failAt(i, args.describe(i) +
                            " is tl.PropagateNan.NONE or tl.PropagateNan.ALL, "
                            "found " +
                            describeType(value));
}

static Value minimumOrMaximum(OpArgs &args, bool isMax) {
  Tensor x, y;
  bool nan;
  if (!args.tensor(0, x) || !args.tensor(1, y) || !propagateNan(args, 2, nan))
    return Value();
  return args.result(args.sem.minimum(isMax, x, y, nan));
}

Value opMaximum(OpArgs &args) { return minimumOrMaximum(args, true); }
Value opMinimum(OpArgs &args) { return minimumOrMaximum(args, false); }

Value opClamp(OpArgs &args) {
  Tensor x, low, high;
  bool nan;
  if (!args.tensor(0, x) || !args.tensor(1, low) || !args.tensor(2, high) ||
      !propagateNan(args, 3, nan))
    return Value();
  return args.result(args.sem.clamp(x, low, high, nan));
}

static Value operatorFunction(OpArgs &args, Arith op) {
  Scalar x, y;
  bool sanitize;
  if (!args.scalar(0, x) || !args.scalar(1, y) || !args.boolean(2, sanitize))
    return Value();
  return args.result(args.sem.arith(op, x, y));
}

Value opAdd(OpArgs &args) { return operatorFunction(args, Arith::Add); }
Value opSub(OpArgs &args) { return operatorFunction(args, Arith::Sub); }
Value opMul(OpArgs &args) { return operatorFunction(args, Arith::Mul); }

Value opLogicalAnd(OpArgs &args) {
  return args.fn.logical(true, args.value(0), args.value(1), args.range);
}
Value opLogicalOr(OpArgs &args) {
  return args.fn.logical(false, args.value(0), args.value(1), args.range);
}

Value opWhere(OpArgs &args) {
  Scalar condition, x, y;
  if (!args.scalar(0, condition) || !args.scalar(1, x) || !args.scalar(2, y))
    return Value();
  return args.result(args.sem.where(condition, x, y));
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

/// Operands of rank 4 and more are products of batches: fold the batch
/// dimensions into one.
static Tensor foldBatch(Semantic &sem, Tensor tensor) {
  llvm::ArrayRef<int64_t> shape = tensor.shape();
  int64_t batch = 1;
  for (int64_t size : shape.drop_back(2))
    batch *= size;
  return sem.reshape(tensor, {batch, shape[shape.size() - 2], shape.back()},
                     false);
}

Value opDot(OpArgs &args) {
  Tensor lhs, rhs;
  std::optional<Tensor> acc;
  Semantic::DotOptions options;
  if (!args.tensor(0, lhs) || !args.tensor(1, rhs) ||
      !args.optionalTensor(2, acc) || !args.string(3, options.inputPrecision) ||
      !args.optionalInteger(5, options.maxNumImpreciseAcc))
    return Value();
  if (!args.isNone(4)) {
    bool tf32;
    if (!args.isNone(3))
      return args.fail("'input_precision' and 'allow_tf32' say the same "
                       "thing; give only one of them");
    if (!args.boolean(4, tf32))
      return Value();
    options.inputPrecision = tf32 ? "tf32" : "ieee";
  }
  if (!args.isNone(6) && !args.type(6, options.outType))
    return Value();
  if (lhs.rank() < 4 || rhs.rank() != lhs.rank())
    return args.result(args.sem.dot(lhs, rhs, acc, options));

  llvm::SmallVector<int64_t, 5> shape(lhs.shape());
  if (llvm::ArrayRef<int64_t>(shape).drop_back(2) != rhs.shape().drop_back(2))
    return args.fail("the batch dimensions of 'tl.dot' must agree, found " +
                     lhs.str() + " and " + rhs.str());
  shape.back() = rhs.shape().back();
  if (acc) {
    if (acc->shape() != llvm::ArrayRef<int64_t>(shape))
      return args.fail("'acc' of 'tl.dot' must have shape [" +
                       shapeText(shape) + "], found " + acc->str());
    acc = foldBatch(args.sem, *acc);
  }
  Tensor product = args.sem.dot(foldBatch(args.sem, lhs),
                                foldBatch(args.sem, rhs), acc, options);
  return args.result(product ? args.sem.reshape(product, shape, false)
                             : product);
}

Value opDotScaled(OpArgs &args) {
  Semantic::ScaledOperand lhs, rhs;
  std::optional<Tensor> acc;
  bool fastMath;
  const Type *outType = args.sem.scalar(ScalarId::Float32);
  if (!args.tensor(0, lhs.value) || !args.optionalTensor(1, lhs.scale) ||
      !args.string(2, lhs.format) || !args.tensor(3, rhs.value) ||
      !args.optionalTensor(4, rhs.scale) || !args.string(5, rhs.format) ||
      !args.optionalTensor(6, acc) || !args.boolean(7, fastMath) ||
      !args.boolean(8, lhs.kPack) || !args.boolean(9, rhs.kPack) ||
      (!args.isNone(10) && !args.type(10, outType)))
    return Value();
  return args.result(args.sem.dotScaled(lhs, rhs, acc, fastMath, outType));
}

} // namespace nereid::lang
