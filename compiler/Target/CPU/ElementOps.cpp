//===- ElementOps.cpp - One elementwise op on scalars or lanes ------------===//

#include "compiler/Target/CPU/ElementOps.h"

#include "compiler/Dialect/TT/Fusion.h"
#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace nereid::cpu {

std::optional<int64_t> constantInt(Value value) {
  APInt bits;
  if (!value || !matchPattern(value, m_ConstantInt(&bits)))
    return std::nullopt;
  return bits.getBitWidth() == 1 ? int64_t(bits.getZExtValue())
                                 : bits.getSExtValue();
}

ElementOps::ElementOps(const TargetInfo &target) : target(target) {
  // F16C is part of every level with 256-bit vectors.
  features.f16 = target.vectorBits >= 256;
}

// A float format that is held as its bits.
static bool isNarrow(Type type) {
  auto f = dyn_cast<FloatType>(type);
  return f && f.getWidth() < 32;
}

Type ElementOps::storage(Type type) const {
  type = getElementTypeOrSelf(type);
  if (isNarrow(type))
    return storageType(type.getContext(), *floatFormat(type));
  if (isa<tt::PointerType>(type))
    return LLVM::LLVMPointerType::get(type.getContext());
  if (isa<IndexType>(type))
    return IntegerType::get(type.getContext(), 64);
  return type;
}

int64_t ElementOps::bytes(Type type) const {
  Type held = storage(type);
  if (isa<LLVM::LLVMPointerType>(held))
    return 8;
  return std::max<int64_t>(1, held.getIntOrFloatBitWidth() / 8);
}

Type ElementOps::held(Type element, int64_t lanes) const {
  Type type = storage(element);
  if (lanes == 0)
    return type;
  if (isa<LLVM::LLVMPointerType>(type))
    type = IntegerType::get(type.getContext(), 64);
  return VectorType::get({lanes}, type);
}

bool ElementOps::handles(Operation *op) const {
  if (op->getNumRegions() != 0)
    return false;
  if (isa<arith::ConstantOp, ub::PoisonOp, tt::ExternElementwiseOp>(op))
    return true;
  return OpTrait::hasElementwiseMappableTraits(op) ||
         op->hasTrait<OpTrait::Elementwise>();
}

TypedAttr ElementOps::heldAttr(TypedAttr scalar) const {
  Type type = scalar.getType();
  if (isNarrow(type))
    return IntegerAttr::get(
        storage(type), cast<FloatAttr>(scalar).getValue().bitcastToAPInt());
  if (isa<IndexType>(type))
    return IntegerAttr::get(
        storage(type), cast<IntegerAttr>(scalar).getValue().getSExtValue());
  return scalar;
}

Value ElementOps::constant(OpBuilder &b, Location loc, TypedAttr scalar,
                           int64_t lanes) const {
  TypedAttr attr = heldAttr(scalar);
  if (lanes)
    attr = cast<TypedAttr>(DenseElementsAttr::get(
        VectorType::get({lanes}, attr.getType()), Attribute(attr)));
  return arith::ConstantOp::create(b, loc, attr);
}

Value ElementOps::splat(OpBuilder &b, Location loc, Value scalar,
                        int64_t lanes) const {
  if (lanes == 0)
    return scalar;
  if (isa<LLVM::LLVMPointerType>(scalar.getType()))
    scalar = LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), scalar);
  auto type = VectorType::get({lanes}, scalar.getType());
  Attribute attr;
  if (matchPattern(scalar, m_Constant(&attr)))
    return arith::ConstantOp::create(
        b, loc, cast<TypedAttr>(DenseElementsAttr::get(type, attr)));
  return vector::BroadcastOp::create(b, loc, type, scalar);
}

Value ElementOps::convertFloat(OpBuilder &b, Location loc, Value value,
                               Type from, Type to, Rounding rounding) const {
  if (from == to)
    return value;
  return emitConvert(b, loc, value, *floatFormat(from), *floatFormat(to),
                     rounding, features);
}

//===----------------------------------------------------------------------===//
// Integer division
//===----------------------------------------------------------------------===//

// A lane that nobody reads may divide by zero, and a GPU would not mind, so the
// divisor is made harmless. Lanes of at most 32 bits divide in f64: the
// quotient of two such integers, rounded toward zero, is exact there, and
// there is no vector instruction for integers.
Value ElementOps::divide(OpBuilder &b, Operation *op, Value lhs, Value rhs,
                         int64_t lanes) const {
  Location loc = op->getLoc();
  bool isSigned = isa<arith::DivSIOp, arith::RemSIOp>(op);
  bool isRem = isa<arith::RemSIOp, arith::RemUIOp>(op);
  auto element = cast<IntegerType>(getElementTypeOrSelf(lhs.getType()));
  auto intAttr = [&](int64_t v) {
    return constant(b, loc, b.getIntegerAttr(element, v), lanes);
  };
  auto raw = [&](Value x, Value y) -> Value {
    if (isSigned)
      return isRem ? arith::RemSIOp::create(b, loc, x, y).getResult()
                   : arith::DivSIOp::create(b, loc, x, y).getResult();
    return isRem ? arith::RemUIOp::create(b, loc, x, y).getResult()
                 : arith::DivUIOp::create(b, loc, x, y).getResult();
  };
  DenseIntElementsAttr dense;
  if (matchPattern(rhs, m_Constant(&dense)) && dense.isSplat()) {
    APInt value = dense.getSplatValue<APInt>();
    if (!value.isZero() && !value.isAllOnes())
      return raw(lhs, rhs);
  }
  if (std::optional<int64_t> c = constantInt(rhs); c && *c != 0 && *c != -1)
    return raw(lhs, rhs);

  unsigned width = element.getWidth();
  if (lanes && width <= 32) {
    Type wide = VectorType::get({lanes}, b.getF64Type());
    auto toFloat = [&](Value v) -> Value {
      if (isSigned)
        return arith::SIToFPOp::create(b, loc, wide, v);
      return arith::UIToFPOp::create(b, loc, wide, v);
    };
    Value quotient = arith::DivFOp::create(b, loc, toFloat(lhs), toFloat(rhs));
    Value q = isSigned
                  ? arith::FPToSIOp::create(b, loc, lhs.getType(), quotient)
                        .getResult()
                  : arith::FPToUIOp::create(b, loc, lhs.getType(), quotient)
                        .getResult();
    if (!isRem)
      return q;
    return arith::SubIOp::create(b, loc, lhs,
                                 arith::MulIOp::create(b, loc, q, rhs));
  }

  Value zero = intAttr(0), one = intAttr(1);
  Value bad =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rhs, zero);
  if (isSigned) {
    // The most negative number over -1 traps too.
    Value minusOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                           rhs, intAttr(-1));
    Value lowest = constant(
        b, loc, b.getIntegerAttr(element, APInt::getSignedMinValue(width)),
        lanes);
    Value least =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lhs, lowest);
    bad = arith::OrIOp::create(b, loc, bad,
                               arith::AndIOp::create(b, loc, minusOne, least));
  }
  return raw(lhs, arith::SelectOp::create(b, loc, bad, one, rhs));
}

//===----------------------------------------------------------------------===//
// Everything else
//===----------------------------------------------------------------------===//

// The larger or smaller of two floats as compares and selects: LLVM narrows its
// own intrinsics to the half type that their operands came from, and would call
// a library for those.
Value ElementOps::extremum(OpBuilder &b, Location loc, bool larger,
                           bool ignoresNan, Value x, Value y, Type element,
                           int64_t lanes) const {
  using P = arith::CmpFPredicate;
  Type compute = isNarrow(element) ? Type(b.getF32Type()) : element;
  Value wx = convertFloat(b, loc, x, element, compute),
        wy = convertFloat(b, loc, y, element, compute);
  Value pick = arith::CmpFOp::create(b, loc, larger ? P::OGT : P::OLT, wx, wy);
  if (ignoresNan) {
    Value r = arith::SelectOp::create(b, loc, pick, x, y);
    Value nan = arith::CmpFOp::create(b, loc, P::UNO, wy, wy);
    return arith::SelectOp::create(b, loc, nan, x, r);
  }
  Value nan = arith::CmpFOp::create(b, loc, P::UNO, wx, wx);
  Value r = arith::SelectOp::create(
      b, loc, arith::OrIOp::create(b, loc, pick, nan), x, y);
  // Of two zeros the positive one is larger.
  Type held = x.getType();
  Type bits =
      b.getIntegerType(getElementTypeOrSelf(held).getIntOrFloatBitWidth());
  if (lanes)
    bits = VectorType::get({lanes}, bits);
  auto toBits = [&](Value v) -> Value {
    return held == bits ? v
                        : arith::BitcastOp::create(b, loc, bits, v).getResult();
  };
  Value bx = toBits(x), by = toBits(y);
  Value both = larger ? arith::AndIOp::create(b, loc, bx, by).getResult()
                      : arith::OrIOp::create(b, loc, bx, by).getResult();
  if (held != bits)
    both = arith::BitcastOp::create(b, loc, held, both);
  Value equal = arith::CmpFOp::create(b, loc, P::OEQ, wx, wy);
  return arith::SelectOp::create(b, loc, equal, both, r);
}

// Clones the operation onto the held types; narrow floats compute in f32.
Value ElementOps::generic(OpBuilder &b, Operation *op, ValueRange operands,
                          int64_t lanes,
                          SmallVectorImpl<Value> &results) const {
  Location loc = op->getLoc();
  IRMapping map;
  for (auto [from, value] : llvm::zip(op->getOperands(), operands)) {
    Type element = getElementTypeOrSelf(from.getType());
    map.map(from, isNarrow(element)
                      ? convertFloat(b, loc, value, element, b.getF32Type())
                      : value);
  }
  Operation *clone = b.clone(*op, map);
  clone->setDiscardableAttrs(DictionaryAttr::get(op->getContext()));
  for (OpResult result : clone->getResults()) {
    Type element = getElementTypeOrSelf(result.getType());
    Type compute = isNarrow(element) ? b.getF32Type() : element;
    result.setType(held(compute, lanes));
  }
  if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(clone) &&
      tt::mayFuse(op)) {
    auto iface = cast<arith::ArithFastMathInterface>(clone);
    clone->setAttr(
        iface.getFastMathAttrName(),
        arith::FastMathFlagsAttr::get(op->getContext(),
                                      iface.getFastMathFlagsAttr().getValue() |
                                          arith::FastMathFlags::contract));
  }
  for (auto [old, result] : llvm::zip(op->getResults(), clone->getResults())) {
    Type element = getElementTypeOrSelf(old.getType());
    results.push_back(isNarrow(element) ? convertFloat(b, loc, result,
                                                       b.getF32Type(), element)
                                        : Value(result));
  }
  return results.front();
}

FailureOr<SmallVector<Value>> ElementOps::emit(OpBuilder &b, Operation *op,
                                               ValueRange operands,
                                               int64_t lanes) const {
  Location loc = op->getLoc();
  SmallVector<Value> results;
  Type element = op->getNumResults()
                     ? getElementTypeOrSelf(op->getResult(0).getType())
                     : Type();
  Type type = element ? held(element, lanes) : Type();
  auto from = [&](unsigned i) {
    return getElementTypeOrSelf(op->getOperand(i).getType());
  };
  auto one = [&](Value v) { return SmallVector<Value>{v}; };

  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    TypedAttr value = constantOp.getValue();
    if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
      if (!dense.isSplat())
        return op->emitError("internal: not a splat constant"), failure();
      value = cast<TypedAttr>(dense.getSplatValue<Attribute>());
    }
    return one(constant(b, loc, value, lanes));
  }
  if (isa<ub::PoisonOp>(op)) {
    if (isa<LLVM::LLVMPointerType>(type))
      return one(LLVM::ZeroOp::create(b, loc, type));
    return one(arith::ConstantOp::create(b, loc, b.getZeroAttr(type)));
  }
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return one(convertFloat(b, loc, operands[0], from(0), element));
  if (auto cast = dyn_cast<tt::FpToFpOp>(op))
    return one(convertFloat(b, loc, operands[0], from(0), element,
                            cast.getRounding() == tt::RoundingMode::RTZ
                                ? Rounding::TowardZero
                                : Rounding::NearestEven));
  if (isa<arith::SIToFPOp, arith::UIToFPOp>(op) && isNarrow(element)) {
    Type wide = held(b.getF32Type(), lanes);
    Value v =
        isa<arith::SIToFPOp>(op)
            ? arith::SIToFPOp::create(b, loc, wide, operands[0]).getResult()
            : arith::UIToFPOp::create(b, loc, wide, operands[0]).getResult();
    return one(convertFloat(b, loc, v, b.getF32Type(), element));
  }
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
    unsigned in = getElementTypeOrSelf(operands[0].getType())
                      .getIntOrFloatBitWidth(),
             out = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
    if (in == out)
      return one(operands[0]);
    if (in > out)
      return one(arith::TruncIOp::create(b, loc, type, operands[0]));
    if (isa<arith::IndexCastUIOp>(op))
      return one(arith::ExtUIOp::create(b, loc, type, operands[0]));
    return one(arith::ExtSIOp::create(b, loc, type, operands[0]));
  }
  if (isa<arith::BitcastOp, tt::BitcastOp>(op)) {
    Type in = operands[0].getType();
    if (in == type)
      return one(operands[0]);
    if (isa<LLVM::LLVMPointerType>(in))
      return one(LLVM::PtrToIntOp::create(b, loc, type, operands[0]));
    if (isa<LLVM::LLVMPointerType>(type))
      return one(LLVM::IntToPtrOp::create(b, loc, type, operands[0]));
    return one(arith::BitcastOp::create(b, loc, type, operands[0]));
  }
  if (isa<tt::IntToPtrOp>(op))
    return one(
        lanes
            ? operands[0]
            : LLVM::IntToPtrOp::create(b, loc, type, operands[0]).getResult());
  if (isa<tt::PtrToIntOp>(op))
    return one(
        lanes
            ? operands[0]
            : LLVM::PtrToIntOp::create(b, loc, type, operands[0]).getResult());
  if (isa<tt::AddPtrOp>(op)) {
    Type wide = lanes ? Type(VectorType::get({lanes}, b.getI64Type()))
                      : Type(b.getI64Type());
    Value offset = operands[1];
    if (offset.getType() != wide)
      offset = arith::ExtSIOp::create(b, loc, wide, offset);
    int64_t size = bytes(cast<tt::PointerType>(element).getPointeeType());
    Value bytesOff = arith::MulIOp::create(
        b, loc, offset, constant(b, loc, b.getI64IntegerAttr(size), lanes));
    if (lanes)
      return one(arith::AddIOp::create(b, loc, operands[0], bytesOff));
    return one(LLVM::GEPOp::create(b, loc, type, b.getI8Type(), operands[0],
                                   ArrayRef<LLVM::GEPArg>{bytesOff}));
  }
  if (isa<arith::SelectOp>(op))
    return one(
        arith::SelectOp::create(b, loc, operands[0], operands[1], operands[2]));
  if (auto clamp = dyn_cast<tt::ClampFOp>(op)) {
    bool ignoresNan = clamp.getPropagateNan() != tt::PropagateNan::ALL;
    Value low = extremum(b, loc, /*larger=*/true, ignoresNan, operands[0],
                         operands[1], element, lanes);
    return one(extremum(b, loc, /*larger=*/false, ignoresNan, low, operands[2],
                        element, lanes));
  }
  if (isa<arith::MaxNumFOp, arith::MinNumFOp, arith::MaximumFOp,
          arith::MinimumFOp>(op))
    return one(extremum(b, loc, isa<arith::MaxNumFOp, arith::MaximumFOp>(op),
                        isa<arith::MaxNumFOp, arith::MinNumFOp>(op),
                        operands[0], operands[1], element, lanes));
  if (isa<tt::PreciseSqrtOp>(op))
    return one(math::SqrtOp::create(b, loc, operands[0]));
  if (isa<tt::PreciseDivFOp>(op))
    return one(arith::DivFOp::create(b, loc, operands[0], operands[1]));
  if (isa<tt::MulhiUIOp>(op))
    return one(arith::MulUIExtendedOp::create(b, loc, operands[0], operands[1])
                   .getHigh());
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op))
    return one(divide(b, op, operands[0], operands[1], lanes));
  if (auto call = dyn_cast<tt::ExternElementwiseOp>(op)) {
    op->emitError() << "the library function '" << call.getSymbol()
                    << "' has no implementation on CPU targets; use the "
                       "functions of tl.math, or exp, log, sin, pow ... of "
                       "libdevice on fp32 or fp64";
    return failure();
  }
  if (isa<tt::ElementwiseInlineAsmOp>(op)) {
    op->emitError("inline assembly is written for a GPU and cannot run on CPU "
                  "targets; choose a GPU target, or guard the call with a "
                  "constexpr");
    return failure();
  }
  if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
      handles(op)) {
    generic(b, op, operands, lanes, results);
    return results;
  }
  op->emitError() << "'" << op->getName()
                  << "' is not supported on CPU targets";
  return failure();
}

//===----------------------------------------------------------------------===//
// Combine regions
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>>
ElementOps::combine(OpBuilder &b, Region &region, ValueRange lhs,
                    ValueRange rhs, int64_t lanes,
                    function_ref<Value(Value)> outer) const {
  Block &block = region.front();
  DenseMap<Value, Value> map;
  size_t n = lhs.size();
  for (size_t i = 0; i < n; ++i) {
    map[block.getArgument(i)] = lhs[i];
    map[block.getArgument(n + i)] = rhs[i];
  }
  auto find = [&](Value v) -> Value {
    if (auto it = map.find(v); it != map.end())
      return it->second;
    Value scalar = outer(v);
    return scalar ? map[v] = splat(b, v.getLoc(), scalar, lanes) : Value();
  };
  for (Operation &op : block.without_terminator()) {
    SmallVector<Value> operands;
    for (Value v : op.getOperands())
      operands.push_back(find(v));
    if (op.getNumRegions()) {
      op.emitError() << "'" << op.getName()
                     << "' inside a combine function is not supported on CPU "
                        "targets; use tl.where instead of a condition";
      return failure();
    }
    auto results = emit(b, &op, operands, lanes);
    if (failed(results))
      return failure();
    for (auto [old, value] : llvm::zip(op.getResults(), *results))
      map[old] = value;
  }
  SmallVector<Value> results;
  for (Value v : block.getTerminator()->getOperands())
    results.push_back(find(v));
  return results;
}

TypedAttr ElementOps::identity(Region &region) const {
  Block &block = region.front();
  if (block.getNumArguments() != 2 || block.getOperations().size() != 2)
    return {};
  Operation *op = &block.front();
  if (op->getNumOperands() != 2 || op->getNumResults() != 1 ||
      block.getTerminator()->getOperand(0) != op->getResult(0) ||
      op->getOperand(0) == op->getOperand(1) ||
      !llvm::all_of(op->getOperands(),
                    [](Value v) { return isa<BlockArgument>(v); }))
    return {};
  Type type = op->getResult(0).getType();
  if (auto f = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &sem = f.getFloatSemantics();
    if (isa<arith::AddFOp>(op))
      return FloatAttr::get(type, APFloat::getZero(sem, /*Negative=*/true));
    if (isa<arith::MulFOp>(op))
      return FloatAttr::get(type, 1.0);
    // NaN is what these two ignore.
    if (isa<arith::MaxNumFOp, arith::MinNumFOp>(op) && f.getWidth() >= 16)
      return FloatAttr::get(type, APFloat::getNaN(sem));
    if (isa<arith::MaximumFOp>(op) && f.getWidth() >= 16)
      return FloatAttr::get(type, APFloat::getInf(sem, /*Negative=*/true));
    if (isa<arith::MinimumFOp>(op) && f.getWidth() >= 16)
      return FloatAttr::get(type, APFloat::getInf(sem));
    return {};
  }
  auto i = dyn_cast<IntegerType>(type);
  if (!i)
    return {};
  unsigned width = i.getWidth();
  if (isa<arith::AddIOp, arith::OrIOp, arith::XOrIOp, arith::MaxUIOp>(op))
    return IntegerAttr::get(type, APInt::getZero(width));
  if (isa<arith::AndIOp, arith::MinUIOp>(op))
    return IntegerAttr::get(type, APInt::getAllOnes(width));
  if (isa<arith::MulIOp>(op))
    return IntegerAttr::get(type, APInt(width, 1));
  if (isa<arith::MaxSIOp>(op))
    return IntegerAttr::get(type, APInt::getSignedMinValue(width));
  if (isa<arith::MinSIOp>(op))
    return IntegerAttr::get(type, APInt::getSignedMaxValue(width));
  return {};
}

} // namespace nereid::cpu
