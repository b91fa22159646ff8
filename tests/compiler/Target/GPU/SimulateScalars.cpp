//===- SimulateScalars.cpp - Arithmetic of the simulated machine
//----------------===//

#include "Machine.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace nereid::simulate {

uint64_t Machine::scalar(Operation *op, int t, unsigned p, bool &known) {
  known = true;
  auto in = [&](unsigned i) { return at(op->getOperand(i), t, p); };
  Type from = op->getNumOperands() ? op->getOperand(0).getType() : Type();
  const unsigned width = from ? bitsOf(from) : 0;
  auto sin = [&](unsigned i) {
    return extended(in(i), bitsOf(op->getOperand(i).getType()));
  };
  auto fin = [&](unsigned i) { return number(op->getOperand(i), t, p); };
  auto rounding = APFloat::rmNearestTiesToEven;
  auto arithmetic = [&](auto fn) {
    APFloat value = fin(0);
    fn(value, fin(1));
    return bitsOfFloat(value);
  };
  // The host's function in double precision, rounded.
  auto host = [&](double (*fn)(double)) {
    APFloat value = fin(0);
    const llvm::fltSemantics &own = value.getSemantics();
    bool lost;
    value.convert(APFloat::IEEEdouble(), rounding, &lost);
    APFloat result(fn(value.convertToDouble()));
    result.convert(own, rounding, &lost);
    return bitsOfFloat(result);
  };
  auto resultFloat = [&] {
    return cast<FloatType>(getElementTypeOrSelf(op->getResult(0).getType()));
  };
  return llvm::TypeSwitch<Operation *, uint64_t>(op)
      .Case<arith::ConstantOp>([&](auto c) -> uint64_t {
        if (auto number = dyn_cast<FloatAttr>(c.getValue()))
          return bitsOfFloat(number.getValue());
        if (auto number = dyn_cast<IntegerAttr>(c.getValue()))
          return number.getValue().getZExtValue();
        known = false;
        return 0;
      })
      .Case<LLVM::ConstantOp>([&](auto c) -> uint64_t {
        if (auto number = dyn_cast<IntegerAttr>(c.getValue()))
          return number.getValue().getZExtValue();
        if (auto number = dyn_cast<FloatAttr>(c.getValue()))
          return bitsOfFloat(number.getValue());
        known = false;
        return 0;
      })
      .Case<LLVM::ZeroOp>([](auto) { return 0; })
      .Case<arith::AddIOp, LLVM::AddOp>([&](auto) { return in(0) + in(1); })
      .Case<arith::SubIOp, LLVM::SubOp>([&](auto) { return in(0) - in(1); })
      .Case<arith::MulIOp, LLVM::MulOp>([&](auto) { return in(0) * in(1); })
      .Case<arith::AndIOp, LLVM::AndOp>([&](auto) { return in(0) & in(1); })
      .Case<arith::OrIOp, LLVM::OrOp>([&](auto) { return in(0) | in(1); })
      .Case<arith::XOrIOp, LLVM::XOrOp>([&](auto) { return in(0) ^ in(1); })
      .Case<arith::ShLIOp, LLVM::ShlOp>(
          [&](auto) { return in(1) >= width ? 0 : in(0) << in(1); })
      .Case<arith::ShRUIOp, LLVM::LShrOp>(
          [&](auto) { return in(1) >= width ? 0 : in(0) >> in(1); })
      .Case<arith::ShRSIOp>([&](auto) {
        return uint64_t(sin(0) >> std::min<uint64_t>(in(1), 63));
      })
      .Case<arith::DivUIOp>([&](auto) { return in(1) ? in(0) / in(1) : 0; })
      .Case<arith::RemUIOp>([&](auto) { return in(1) ? in(0) % in(1) : 0; })
      .Case<arith::DivSIOp>([&](auto) { return sin(1) ? sin(0) / sin(1) : 0; })
      .Case<arith::RemSIOp>([&](auto) { return sin(1) ? sin(0) % sin(1) : 0; })
      .Case<arith::MaxSIOp>([&](auto) { return std::max(sin(0), sin(1)); })
      .Case<arith::MinSIOp>([&](auto) { return std::min(sin(0), sin(1)); })
      .Case<arith::MaxUIOp>([&](auto) { return std::max(in(0), in(1)); })
      .Case<arith::MinUIOp>([&](auto) { return std::min(in(0), in(1)); })
      .Case<arith::CmpIOp>([&](auto c) -> uint64_t {
        return arith::applyCmpPredicate(c.getPredicate(), APInt(width, in(0)),
                                        APInt(width, in(1)));
      })
      .Case<arith::CmpFOp>([&](auto c) -> uint64_t {
        return arith::applyCmpPredicate(c.getPredicate(), fin(0), fin(1));
      })
      .Case<arith::SelectOp, LLVM::SelectOp>(
          [&](auto) { return at(op->getOperand(0), t) & 1 ? in(1) : in(2); })
      .Case<arith::ExtUIOp, arith::TruncIOp, arith::BitcastOp, LLVM::ZExtOp,
            LLVM::TruncOp, LLVM::PtrToIntOp, LLVM::IntToPtrOp,
            LLVM::AddrSpaceCastOp>([&](auto) { return in(0); })
      .Case<arith::ExtSIOp, LLVM::SExtOp, arith::IndexCastOp>(
          [&](auto) { return uint64_t(sin(0)); })
      .Case<arith::AddFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.add(b, rounding); });
      })
      .Case<arith::SubFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.subtract(b, rounding); });
      })
      .Case<arith::MulFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.multiply(b, rounding); });
      })
      .Case<arith::DivFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.divide(b, rounding); });
      })
      .Case<math::FmaOp>([&](auto) {
        APFloat value = fin(0);
        value.fusedMultiplyAdd(fin(1), fin(2), rounding);
        return bitsOfFloat(value);
      })
      .Case<math::Exp2Op>([&](auto) { return host(std::exp2); })
      .Case<math::ExpOp>([&](auto) { return host(std::exp); })
      .Case<math::Log2Op>([&](auto) { return host(std::log2); })
      .Case<math::LogOp>([&](auto) { return host(std::log); })
      .Case<math::SqrtOp>([&](auto) { return host(std::sqrt); })
      .Case<math::AbsFOp>([&](auto) { return host(std::fabs); })
      .Case<math::RsqrtOp>(
          [&](auto) { return host([](double x) { return 1 / std::sqrt(x); }); })
      .Case<arith::NegFOp>([&](auto) { return bitsOfFloat(-fin(0)); })
      .Case<arith::MaxNumFOp>(
          [&](auto) { return bitsOfFloat(llvm::maxnum(fin(0), fin(1))); })
      .Case<arith::MinNumFOp>(
          [&](auto) { return bitsOfFloat(llvm::minnum(fin(0), fin(1))); })
      .Case<arith::MaximumFOp>(
          [&](auto) { return bitsOfFloat(llvm::maximum(fin(0), fin(1))); })
      .Case<arith::MinimumFOp>(
          [&](auto) { return bitsOfFloat(llvm::minimum(fin(0), fin(1))); })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) {
        APFloat value = fin(0);
        bool lost;
        value.convert(resultFloat().getFloatSemantics(), rounding, &lost);
        return bitsOfFloat(value);
      })
      .Case<arith::SIToFPOp>([&](auto) {
        APFloat value(resultFloat().getFloatSemantics());
        value.convertFromAPInt(APInt(64, uint64_t(sin(0)), true), true,
                               rounding);
        return bitsOfFloat(value);
      })
      .Case<arith::UIToFPOp>([&](auto) {
        APFloat value(resultFloat().getFloatSemantics());
        value.convertFromAPInt(APInt(64, in(0)), false, rounding);
        return bitsOfFloat(value);
      })
      .Default([&](Operation *) {
        known = false;
        return 0;
      });
}

} // namespace nereid::simulate
