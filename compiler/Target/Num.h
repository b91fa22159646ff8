//===- Num.h - Arithmetic on IR values written as arithmetic ---*- C++ -*-===//
//
// A polynomial reads like a polynomial: `Num` wraps an SSA value, a scalar, a
// vector or a tensor of integers or floats, and its operators build arith
// operations.
// Internal to the files that emit mathematics.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_NUM_H
#define NEREID_COMPILER_TARGET_NUM_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include <type_traits>

namespace nereid {

/// `element`, in the shape of `like`.
inline mlir::Type typeLike(mlir::Type like, mlir::Type element) {
  if (auto shaped = mlir::dyn_cast<mlir::ShapedType>(like))
    return shaped.clone(element);
  return element;
}

class Num {
public:
  Num(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value)
      : builder(&builder), loc(loc), value(value) {}

  operator mlir::Value() const { return value; }
  mlir::Type type() const { return value.getType(); }
  mlir::Type element() const { return mlir::getElementTypeOrSelf(value); }
  unsigned width() const { return element().getIntOrFloatBitWidth(); }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(element()); }
  mlir::OpBuilder &b() const { return *builder; }
  mlir::Location at() const { return loc; }

  Num with(mlir::Value other) const { return Num(*builder, loc, other); }

  template <typename Op, typename... Args> Num make(Args &&...args) const {
    return with(Op::create(*builder, loc, std::forward<Args>(args)...));
  }

  /// A constant of the given element type in this value's shape.
  Num constant(mlir::TypedAttr attribute) const {
    mlir::Type shaped = typeLike(type(), attribute.getType());
    if (auto many = mlir::dyn_cast<mlir::ShapedType>(shaped))
      return make<mlir::arith::ConstantOp>(mlir::cast<mlir::TypedAttr>(
          mlir::DenseElementsAttr::get(many, attribute)));
    return make<mlir::arith::ConstantOp>(attribute);
  }
  /// A constant of this value's own type.
  Num same(double number) const {
    if (isFloat())
      return constant(builder->getFloatAttr(element(), number));
    return constant(
        builder->getIntegerAttr(element(), static_cast<int64_t>(number)));
  }
  Num integer(int64_t number) const {
    unsigned bits = width();
    return constant(builder->getIntegerAttr(
        builder->getIntegerType(bits), llvm::APInt(bits, number,
                                                   /*isSigned=*/true,
                                                   /*implicitTrunc=*/true)));
  }

  /// The same bits as an integer, or as the float type of the same width.
  Num bits() const {
    return make<mlir::arith::BitcastOp>(
        typeLike(type(), builder->getIntegerType(width())), value);
  }
  Num asFloat() const {
    return make<mlir::arith::BitcastOp>(
        typeLike(type(), width() == 64   ? mlir::Type(builder->getF64Type())
                         : width() == 32 ? mlir::Type(builder->getF32Type())
                                         : mlir::Type(builder->getF16Type())),
        value);
  }
  Num zext(unsigned bits) const {
    return width() == bits
               ? *this
               : make<mlir::arith::ExtUIOp>(
                     typeLike(type(), builder->getIntegerType(bits)), value);
  }
  Num sext(unsigned bits) const {
    return width() == bits
               ? *this
               : make<mlir::arith::ExtSIOp>(
                     typeLike(type(), builder->getIntegerType(bits)), value);
  }
  Num trunc(unsigned bits) const {
    return width() == bits
               ? *this
               : make<mlir::arith::TruncIOp>(
                     typeLike(type(), builder->getIntegerType(bits)), value);
  }
  /// Between float types, by one rounding to nearest.
  Num toWidth(mlir::Type to) const {
    mlir::Type shaped = typeLike(type(), to);
    if (to.getIntOrFloatBitWidth() > width())
      return make<mlir::arith::ExtFOp>(shaped, mlir::ValueRange{value});
    return make<mlir::arith::TruncFOp>(shaped, value);
  }
  /// Signed integer <-> float of the given element type.
  Num toFloat(mlir::Type to) const {
    return make<mlir::arith::SIToFPOp>(typeLike(type(), to), value);
  }
  Num toInt() const {
    return make<mlir::arith::FPToSIOp>(
        typeLike(type(), builder->getIntegerType(width())), value);
  }

private:
  mlir::OpBuilder *builder;
  mlir::Location loc;
  mlir::Value value;
};

inline Num operator+(Num a, Num b) {
  return a.isFloat() ? a.make<mlir::arith::AddFOp>(a, b)
                     : a.make<mlir::arith::AddIOp>(a, b);
}
inline Num operator-(Num a, Num b) {
  return a.isFloat() ? a.make<mlir::arith::SubFOp>(a, b)
                     : a.make<mlir::arith::SubIOp>(a, b);
}
inline Num operator*(Num a, Num b) {
  return a.isFloat() ? a.make<mlir::arith::MulFOp>(a, b)
                     : a.make<mlir::arith::MulIOp>(a, b);
}
inline Num operator/(Num a, Num b) { return a.make<mlir::arith::DivFOp>(a, b); }
inline Num operator&(Num a, Num b) { return a.make<mlir::arith::AndIOp>(a, b); }
inline Num operator|(Num a, Num b) { return a.make<mlir::arith::OrIOp>(a, b); }
inline Num operator^(Num a, Num b) { return a.make<mlir::arith::XOrIOp>(a, b); }
inline Num operator-(Num a) {
  return a.isFloat() ? a.make<mlir::arith::NegFOp>(a) : a.integer(0) - a;
}

// With a constant of the other operand's type on either side.
#define NRD_NUM_OPERATOR(op)                                                   \
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>    \
  Num operator op(Num a, T b) {                                                \
    return a op(a.isFloat() ? a.same(static_cast<double>(b))                   \
                            : a.integer(static_cast<int64_t>(b)));             \
  }                                                                            \
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>    \
  Num operator op(T a, Num b) {                                                \
    return (b.isFloat() ? b.same(static_cast<double>(a))                       \
                        : b.integer(static_cast<int64_t>(a)))op b;             \
  }
NRD_NUM_OPERATOR(+)
NRD_NUM_OPERATOR(-)
NRD_NUM_OPERATOR(*)
NRD_NUM_OPERATOR(/)
NRD_NUM_OPERATOR(&)
NRD_NUM_OPERATOR(|)
NRD_NUM_OPERATOR(^)
#undef NRD_NUM_OPERATOR

inline Num shl(Num a, int n) {
  return a.make<mlir::arith::ShLIOp>(a, a.integer(n));
}
inline Num lshr(Num a, int n) {
  return a.make<mlir::arith::ShRUIOp>(a, a.integer(n));
}
inline Num ashr(Num a, int n) {
  return a.make<mlir::arith::ShRSIOp>(a, a.integer(n));
}
inline Num shl(Num a, Num n) { return a.make<mlir::arith::ShLIOp>(a, n); }
inline Num lshr(Num a, Num n) { return a.make<mlir::arith::ShRUIOp>(a, n); }

inline Num select(Num condition, Num a, Num b) {
  return a.make<mlir::arith::SelectOp>(condition, a, b);
}

// Comparisons: ordered for floats (false with NaN) except ne; signed for
// integers.
#define NRD_NUM_COMPARE(name, floatPredicate, intPredicate)                    \
  inline Num name(Num a, Num b) {                                              \
    return a.isFloat() ? a.make<mlir::arith::CmpFOp>(                          \
                             mlir::arith::CmpFPredicate::floatPredicate, a, b) \
                       : a.make<mlir::arith::CmpIOp>(                          \
                             mlir::arith::CmpIPredicate::intPredicate, a, b);  \
  }                                                                            \
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>    \
  Num name(Num a, T b) {                                                       \
    return name(a, a.isFloat() ? a.same(static_cast<double>(b))                \
                               : a.integer(static_cast<int64_t>(b)));          \
  }
NRD_NUM_COMPARE(lt, OLT, slt)
NRD_NUM_COMPARE(le, OLE, sle)
NRD_NUM_COMPARE(gt, OGT, sgt)
NRD_NUM_COMPARE(ge, OGE, sge)
NRD_NUM_COMPARE(eq, OEQ, eq)
NRD_NUM_COMPARE(ne, UNE, ne)
NRD_NUM_COMPARE(ult, ULT, ult)
#undef NRD_NUM_COMPARE

/// min and max that x86's minps and maxps compute: `constant` on the side that
/// lets a NaN in `a` through.
inline Num atMost(Num a, double limit) {
  return select(gt(a, limit), a.same(limit), a);
}
inline Num atLeast(Num a, double limit) {
  return select(lt(a, limit), a.same(limit), a);
}
inline Num isNaN(Num a) {
  return a.make<mlir::arith::CmpFOp>(mlir::arith::CmpFPredicate::UNO, a, a);
}
inline Num abs(Num a) { return a.make<mlir::math::AbsFOp>(a); }
inline Num copysign(Num magnitude, Num sign) {
  return magnitude.make<mlir::math::CopySignOp>(magnitude, sign);
}
inline Num rint(Num a) { return a.make<mlir::math::RoundEvenOp>(a); }
inline Num truncate(Num a) { return a.make<mlir::math::TruncOp>(a); }
inline Num sqrt(Num a) { return a.make<mlir::math::SqrtOp>(a); }

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_NUM_H
