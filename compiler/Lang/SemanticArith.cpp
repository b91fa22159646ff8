//===- SemanticArith.cpp - Operators, comparisons, elementwise functions --===//

#include "compiler/Lang/Semantic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace nereid::lang {

namespace arith = mlir::arith;

static llvm::StringRef spellingOf(Arith op) {
  static constexpr llvm::StringLiteral names[] = {"+", "-",  "*",
                                                  "/", "//", "%"};
  return names[static_cast<unsigned>(op)];
}

static llvm::StringRef spellingOf(Bitwise op) {
  static constexpr llvm::StringLiteral names[] = {"&", "|", "^", "<<", ">>"};
  return names[static_cast<unsigned>(op)];
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Semantic::computes(const Tensor &operand) {
  if (!operand || !operand.elem()->is(ScalarId::Float8E4B15))
    return bool(operand);
  return failBool("fp8e4b15 is a type to store and to convert, found " +
                  operand.str() +
                  "; convert it before it is computed with, for example by "
                  ".to(tl.float16)");
}

Tensor Semantic::castToComputation(const Scalar &value, const Type *type) {
  if (!value.isNumber())
    return cast(value.tensor, type);
  const Number &number = *value.number;
  if (type->isUnsigned() && number.isNegative())
    return fail("the negative number " + number.str() +
                " cannot be combined with an operand of the unsigned type " +
                type->signature() + "; cast one of them");
  return constant(number, type);
}

bool Semantic::binaryOperands(const Scalar &lhs, const Scalar &rhs,
                              Tensor &outLhs, Tensor &outRhs,
                              bool allowLhsPointer, bool allowRhsPointer,
                              bool divides, bool moves) {
  if ((!lhs.isNumber() && !lhs.tensor) || (!rhs.isNumber() && !rhs.tensor))
    return false;
  auto typeOf = [&](const Scalar &side) -> const Type * {
    if (!side.isNumber())
      return side.tensor.elem();
    if (std::optional<ScalarId> id = literalType(*side.number))
      return scalar(*id);
    fail("the integer " + side.number->str() + " does not fit into 64 bits");
    return nullptr;
  };
  const Type *lhsType = typeOf(lhs), *rhsType = typeOf(rhs);
  if (!lhsType || !rhsType)
    return false;
  if (lhsType->is(ScalarId::Void) || rhsType->is(ScalarId::Void))
    return failBool("a call that gives no value cannot be an operand");

  if (lhsType->isPointer() || rhsType->isPointer()) {
    bool bothPointers = lhsType->isPointer() && rhsType->isPointer();
    bool allowed = (!lhsType->isPointer() || allowLhsPointer) &&
                   (!rhsType->isPointer() || allowRhsPointer) &&
                   (!bothPointers || lhsType == rhsType);
    bool hasFloat = lhsType->isFloat() || rhsType->isFloat();
    if (!allowed || hasFloat)
      return failBool("invalid operands of type " + lhsType->signature() +
                      " and " + rhsType->signature() +
                      (hasFloat ? "; a pointer takes integer offsets"
                       : allowLhsPointer && allowRhsPointer && bothPointers
                           ? "; the pointers must have one type"
                           : "; of a pointer, only pointer + integer, integer "
                             "+ pointer and pointer - integer exist"));
    outLhs = toTensor(lhs);
    outRhs = toTensor(rhs);
  } else {
    std::string error;
    std::optional<ScalarId> common = computationType(
        {lhsType, lhs.isNumber()}, {rhsType, rhs.isNumber()}, divides, error);
    if (!common)
      return failBool(error);
    // Literals have no form in it, and nothing adds or compares it.
    if (*common == ScalarId::Float8E4B15 &&
        (!moves || lhs.isNumber() || rhs.isNumber()))
      return computes(lhs.isNumber() ? rhs.tensor : lhs.tensor);
    outLhs = castToComputation(lhs, scalar(*common));
    outRhs = castToComputation(rhs, scalar(*common));
  }
  return outLhs && outRhs && broadcast(outLhs, outRhs);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Tensor Semantic::addPointer(Tensor pointer, Tensor offset) {
  if (!offset.elem()->isInteger())
    return fail("a pointer takes integer offsets, found " + offset.str());
  // tt.addptr reads its offset as signed (R8).
  if (offset.elem()->isUnsigned() && offset.elem()->getBits() < 64) {
    const Type *wide = like(offset, ScalarId::Int64);
    offset = {arith::ExtUIOp::create(builder, loc, toIR(wide), offset.handle),
              wide};
  }
  return {tt::AddPtrOp::create(builder, loc, pointer.handle.getType(),
                               pointer.handle, offset.handle),
          pointer.type};
}

Tensor Semantic::arith(Arith op, const Scalar &lhs, const Scalar &rhs) {
  bool divides = op == Arith::Div || op == Arith::FloorDiv || op == Arith::Mod;
  Tensor a, b;
  if (!binaryOperands(lhs, rhs, a, b, op == Arith::Add || op == Arith::Sub,
                      op == Arith::Add, divides))
    return Tensor();

  if (a.elem()->isPointer() || b.elem()->isPointer()) {
    if (a.elem()->isPointer() && b.elem()->isPointer())
      return fail("two pointers cannot be added, found " + a.str() + " and " +
                  b.str());
    if (op == Arith::Add)
      return a.elem()->isPointer() ? addPointer(a, b) : addPointer(b, a);
    if (!b.elem()->isInteger())
      return fail("a pointer takes integer offsets, found " + b.str());
    Tensor negated = negate(b);
    return negated ? addPointer(a, negated) : negated;
  }

  if (op == Arith::Div && a.elem()->isInteger()) {
    a = cast(a, ScalarId::Float32);
    b = cast(b, ScalarId::Float32);
  }
  bool isFloat = a.elem()->isFloat(), isSigned = a.elem()->isSigned();
  auto make = [&](auto tag) -> Tensor {
    using Op = decltype(tag);
    return {Op::create(builder, loc, a.handle, b.handle), a.type};
  };
  switch (op) {
  case Arith::Add:
    return isFloat ? make(arith::AddFOp()) : make(arith::AddIOp());
  case Arith::Sub:
    return isFloat ? make(arith::SubFOp()) : make(arith::SubIOp());
  case Arith::Mul:
    return isFloat ? make(arith::MulFOp()) : make(arith::MulIOp());
  case Arith::Div:
    return make(arith::DivFOp());
  case Arith::FloorDiv:
    if (isFloat)
      return fail("'//' takes integers, found " + a.str() +
                  "; use tl.floor(x / y)");
    return isSigned ? make(arith::DivSIOp()) : make(arith::DivUIOp());
  case Arith::Mod:
    if (isFloat)
      return make(arith::RemFOp());
    return isSigned ? make(arith::RemSIOp()) : make(arith::RemUIOp());
  }
  return fail("unsupported operator '" + spellingOf(op) + "'");
}

Tensor Semantic::negate(Tensor operand) {
  if (!operand)
    return operand;
  if (operand.elem()->isPointer() || operand.isVoid())
    return fail("unary '-' takes a number, found " + operand.str());
  if (!computes(operand))
    return Tensor();
  if (operand.elem()->isFloat())
    return {arith::NegFOp::create(builder, loc, operand.handle), operand.type};
  Tensor zero = constant(Number::ofInt(0), operand.elem());
  return arith(Arith::Sub, zero, operand);
}

//===----------------------------------------------------------------------===//
// Bitwise and logical operators
//===----------------------------------------------------------------------===//

bool Semantic::bitwiseOperands(const Scalar &lhs, const Scalar &rhs,
                               Tensor &outLhs, Tensor &outRhs,
                               llvm::StringRef op) {
  if (!binaryOperands(lhs, rhs, outLhs, outRhs))
    return false;
  if (!outLhs.elem()->isInteger())
    return failBool("'" + op + "' takes integers, found operands of type " +
                    outLhs.elem()->signature() +
                    " after promotion; cast them to an integer type, or " +
                    "compare them to get i1");
  return true;
}

Tensor Semantic::bitwise(Bitwise op, const Scalar &lhs, const Scalar &rhs) {
  // '>>' is arithmetic when the left operand is signed (R3); a literal on the
  // left takes its type from the right.
  const Scalar &decisive = lhs.isNumber() && !rhs.isNumber() ? rhs : lhs;
  bool isSigned = decisive.isNumber() || decisive.tensor.elem()->isSigned();
  Tensor a, b;
  if (!bitwiseOperands(lhs, rhs, a, b, spellingOf(op)))
    return Tensor();
  auto make = [&](auto tag) -> Tensor {
    using Op = decltype(tag);
    return {Op::create(builder, loc, a.handle, b.handle), a.type};
  };
  switch (op) {
  case Bitwise::And:
    return make(arith::AndIOp());
  case Bitwise::Or:
    return make(arith::OrIOp());
  case Bitwise::Xor:
    return make(arith::XOrIOp());
  case Bitwise::Shl:
    return make(arith::ShLIOp());
  case Bitwise::Shr:
    return isSigned ? make(arith::ShRSIOp()) : make(arith::ShRUIOp());
  }
  return Tensor();
}

Tensor Semantic::logical(bool isAnd, Tensor lhs, Tensor rhs) {
  llvm::StringRef name = isAnd ? "and" : "or";
  for (const Tensor &side : {lhs, rhs}) {
    if (!side)
      return side;
    if (!side.elem()->isBool())
      return fail("'" + name + "' takes run-time operands of type i1, found " +
                  side.str() + "; compare it with a value, as in 'x != 0'");
  }
  return bitwise(isAnd ? Bitwise::And : Bitwise::Or, lhs, rhs);
}

Tensor Semantic::invert(Tensor operand) {
  if (!operand)
    return operand;
  if (!operand.elem()->isInteger())
    return fail("'~' takes an integer, found " + operand.str());
  const Type *element = operand.elem();
  auto ones = mlir::IntegerAttr::get(
      toIR(element), llvm::APInt::getAllOnes(element->getBits()));
  Tensor mask(arith::ConstantOp::create(builder, loc, ones), element);
  return bitwise(Bitwise::Xor, operand, mask);
}

Tensor Semantic::logicalNot(Tensor operand) {
  if (!operand)
    return operand;
  if (!operand.elem()->isBool())
    return fail("'not' takes an operand of type i1, found " + operand.str() +
                "; compare it with a value, as in 'x == 0', or cast it with "
                ".to(tl.int1)");
  return invert(operand);
}

//===----------------------------------------------------------------------===//
// Comparisons and selection
//===----------------------------------------------------------------------===//

Tensor Semantic::compare(Comparison op, const Scalar &lhs, const Scalar &rhs) {
  Tensor a, b;
  if (!binaryOperands(lhs, rhs, a, b))
    return Tensor();
  const Type *type = like(a, ScalarId::Int1);
  if (a.elem()->isFloat()) {
    // Ordered, so false with NaN, except '!=' (R4).
    static constexpr arith::CmpFPredicate predicates[] = {
        arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE,
        arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
        arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
    return {arith::CmpFOp::create(builder, loc,
                                  predicates[static_cast<unsigned>(op)],
                                  a.handle, b.handle),
            type};
  }
  static constexpr arith::CmpIPredicate predicates[2][6] = {
      {arith::CmpIPredicate::eq, arith::CmpIPredicate::ne,
       arith::CmpIPredicate::ult, arith::CmpIPredicate::ule,
       arith::CmpIPredicate::ugt, arith::CmpIPredicate::uge},
      {arith::CmpIPredicate::eq, arith::CmpIPredicate::ne,
       arith::CmpIPredicate::slt, arith::CmpIPredicate::sle,
       arith::CmpIPredicate::sgt, arith::CmpIPredicate::sge}};
  auto predicate = predicates[a.elem()->isSigned()][static_cast<unsigned>(op)];
  return {arith::CmpIOp::create(builder, loc, predicate, a.handle, b.handle),
          type};
}

Tensor Semantic::where(const Scalar &condition, const Scalar &x,
                       const Scalar &y) {
  Tensor test = toTensor(condition);
  if (!test)
    return test;
  if (!test.elem()->isBool()) {
    if (!test.elem()->isInteger() && !test.elem()->isFloat())
      return fail("'tl.where' takes a condition of type i1, found " +
                  test.str());
    warn("'tl.where' takes a condition of type i1, found " + test.str() +
         "; it is compared with 0");
    test = cast(test, ScalarId::Int1);
  }
  Tensor a, b;
  if (!test || !binaryOperands(x, y, a, b, /*allowLhsPointer=*/true,
                               /*allowRhsPointer=*/true, /*divides=*/false,
                               /*moves=*/true))
    return Tensor();
  if (a.elem() != b.elem())
    return fail("'tl.where' takes two values of one type, found " + a.str() +
                " and " + b.str());
  if (test.isBlock()) {
    if (!broadcast(test, a) || !broadcast(a, b))
      return Tensor();
  } else if (a.isBlock()) {
    // A scalar condition selects between whole tensors.
    test = splat(test, a.shape());
  }
  return {
      arith::SelectOp::create(builder, loc, test.handle, a.handle, b.handle),
      a.type};
}

//===----------------------------------------------------------------------===//
// Elementwise functions
//===----------------------------------------------------------------------===//

Tensor Semantic::minimum(bool isMax, Tensor x, Tensor y, bool propagateNan) {
  // bf16 is compared in fp32 and stays there (R10).
  if (x && x.elem()->is(ScalarId::BFloat16))
    x = cast(x, ScalarId::Float32);
  if (y && y.elem()->is(ScalarId::BFloat16))
    y = cast(y, ScalarId::Float32);
  Tensor a, b;
  if (!x || !y || !binaryOperands(x, y, a, b))
    return Tensor();
  auto make = [&](auto maxTag, auto minTag) -> Tensor {
    if (isMax)
      return {decltype(maxTag)::create(builder, loc, a.handle, b.handle),
              a.type};
    return {decltype(minTag)::create(builder, loc, a.handle, b.handle), a.type};
  };
  if (a.elem()->isFloat())
    return propagateNan ? make(arith::MaximumFOp(), arith::MinimumFOp())
                        : make(arith::MaxNumFOp(), arith::MinNumFOp());
  if (a.elem()->isSigned())
    return make(arith::MaxSIOp(), arith::MinSIOp());
  return make(arith::MaxUIOp(), arith::MinUIOp());
}

Tensor Semantic::clamp(Tensor x, Tensor low, Tensor high, bool propagateNan) {
  for (Tensor *side : {&x, &low, &high}) {
    if (*side && side->elem()->is(ScalarId::BFloat16))
      *side = cast(*side, ScalarId::Float32);
    if (!*side)
      return *side;
  }
  if (!binaryOperands(low, high, low, high) ||
      !binaryOperands(x, low, x, low) || !binaryOperands(x, high, x, high) ||
      !broadcast(low, high))
    return Tensor();
  if (!x.elem()->isFloat())
    return fail("'tl.clamp' takes floats, found " + x.str() +
                "; use tl.minimum(tl.maximum(x, low), high)");
  auto mode = propagateNan ? tt::PropagateNan::ALL : tt::PropagateNan::NONE;
  return {tt::ClampFOp::create(builder, loc, x.handle.getType(), x.handle,
                               low.handle, high.handle, mode),
          x.type};
}

Tensor Semantic::fdiv(Tensor x, Tensor y, bool ieeeRounding) {
  if (!x || !y)
    return Tensor();
  if (!x.elem()->isFloat() || !y.elem()->isFloat())
    return fail("'tl.fdiv' takes floats, found " + x.str() + " and " + y.str());
  if (x.elem() != y.elem())
    return fail("'tl.fdiv' takes two floats of one type, found " + x.str() +
                " and " + y.str() +
                "; cast one side, or use '/', which promotes");
  if (!computes(x) || !broadcast(x, y))
    return Tensor();
  if (ieeeRounding && x.elem()->is(ScalarId::Float32))
    return {tt::PreciseDivFOp::create(builder, loc, x.handle.getType(),
                                      x.handle, y.handle),
            x.type};
  return {arith::DivFOp::create(builder, loc, x.handle, y.handle), x.type};
}

Tensor Semantic::fma(Tensor x, Tensor y, Tensor z) {
  if (!x || !y || !z)
    return Tensor();
  if (!binaryOperands(x, y, x, y) || !binaryOperands(z, x, z, x) ||
      !binaryOperands(z, y, z, y))
    return Tensor();
  if (!x.elem()->isFloat())
    return fail("'tl.fma' takes floats, found " + x.str() + "; use x * y + z");
  return {mlir::math::FmaOp::create(builder, loc, x.handle, y.handle, z.handle),
          x.type};
}

Tensor Semantic::umulhi(Tensor x, Tensor y) {
  Tensor a, b;
  if (!x || !y || !binaryOperands(x, y, a, b))
    return Tensor();
  if (!a.elem()->isInteger() || a.elem()->getBits() < 32)
    return fail("'tl.umulhi' takes i32, u32, i64 or u64, found " + a.str());
  return {tt::MulhiUIOp::create(builder, loc, a.handle.getType(), a.handle,
                                b.handle),
          a.type};
}

Tensor Semantic::abs(Tensor x) {
  if (!computes(x))
    return Tensor();
  if (x.elem()->isFloat())
    return {mlir::math::AbsFOp::create(builder, loc, x.handle), x.type};
  if (x.elem()->isSigned())
    return {mlir::math::AbsIOp::create(builder, loc, x.handle), x.type};
  if (x.elem()->isInteger())
    return x;
  return fail("'tl.abs' takes a number, found " + x.str());
}

} // namespace nereid::lang
