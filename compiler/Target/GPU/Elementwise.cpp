//===- Elementwise.cpp - One scalar operation per register ----------------===//

#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nereid::gpu {
namespace {

/// The same operation on the scalars of each register.
LogicalResult emitEach(Emitter &e, Operation *op) {
  Type type = op->getResult(0).getType();
  Type scalar = e.scalarType(type);
  Registers results;
  SmallVector<ArrayRef<Value>> operands;
  for (Value operand : op->getOperands())
    operands.push_back(e.get(operand));
  for (int64_t r = 0, n = e.count(type); r < n; ++r) {
    OperationState state(op->getLoc(), op->getName());
    for (ArrayRef<Value> operand : operands)
      state.operands.push_back(operand.size() == 1 ? operand.front()
                                                   : operand[r]);
    state.types.push_back(scalar);
    state.propertiesAttr = op->getPropertiesAsAttribute();
    results.push_back(e.builder.create(state)->getResult(0));
  }
  e.set(op->getResult(0), std::move(results));
  return success();
}

Value constantScalar(Emitter &e, Location loc, Type scalar, Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value)) {
    if (scalar.isInteger()) // fp8 is held as its bits
      return arith::ConstantOp::create(
          e.builder, loc,
          e.builder.getIntegerAttr(scalar, number.getValue().bitcastToAPInt()));
    return arith::ConstantOp::create(e.builder, loc, number);
  }
  return arith::ConstantOp::create(e.builder, loc, cast<TypedAttr>(value));
}

LogicalResult emitConstant(Emitter &e, Operation *op) {
  auto constant = cast<arith::ConstantOp>(op);
  Type type = constant.getType(), scalar = e.scalarType(type);
  Location loc = op->getLoc();
  if (!isa<RankedTensorType>(type)) {
    e.set(constant, {constantScalar(e, loc, scalar, constant.getValue())});
    return success();
  }
  auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
  if (!splat)
    return emitError(loc) << "a constant tensor of several values has no code "
                             "on "
                          << e.target.name;
  Value value =
      constantScalar(e, loc, scalar, splat.getSplatValue<Attribute>());
  e.set(constant, Registers(e.count(type), value));
  return success();
}

} // namespace

void addElementwise(EmitTable &table) {
  for (StringRef name :
       {"addi",   "subi",     "muli",      "divsi",      "divui",
        "remsi",  "remui",    "andi",      "ori",        "xori",
        "shli",   "shrsi",    "shrui",     "maxsi",      "maxui",
        "minsi",  "minui",    "ceildivsi", "ceildivui",  "floordivsi",
        "addf",   "subf",     "mulf",      "divf",       "remf",
        "negf",   "maximumf", "minimumf",  "maxnumf",    "minnumf",
        "cmpi",   "cmpf",     "select",    "extsi",      "extui",
        "trunci", "extf",     "truncf",    "sitofp",     "uitofp",
        "fptosi", "fptoui",   "bitcast",   "index_cast", "index_castui"})
    table[("arith." + name).str()] = emitEach;
  for (StringRef name :
       {"absf",  "absi",  "acos",  "acosh", "asin",     "asinh",     "atan",
        "atan2", "atanh", "cbrt",  "ceil",  "copysign", "cos",       "cosh",
        "ctlz",  "cttz",  "ctpop", "erf",   "erfc",     "exp",       "exp2",
        "expm1", "floor", "fma",   "isnan", "isinf",    "isfinite",  "log",
        "log10", "log1p", "log2",  "powf",  "round",    "roundeven", "rsqrt",
        "sin",   "sinh",  "sqrt",  "tan",   "tanh",     "trunc",     "ipowi",
        "fpowi"})
    table[("math." + name).str()] = emitEach;
  table["arith.constant"] = emitConstant;
}

} // namespace nereid::gpu
