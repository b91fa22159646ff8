//===- Numbers.cpp - Math instructions and native conversions -------------===//
//
// Which functions are approximate follows Triton: exp, exp2, sqrt, rsqrt and
// division of f32 are, within 2 units in the last place; `sqrt_rn` and `div_rn`
// exist for those who need them exact. exp2 gives zero for a result below
// 2^-126. Everything else is left to our math library.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/MathCoefficients.h"
#include "compiler/Target/MathEmitter.h"
#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nereid::nvptx {
namespace {

using gpu::Emitter;
using gpu::Registers;

bool isHalf(Type type) { return type.isF16() || type.isBF16(); }

/// Computes each register in f32 by `one`; narrower formats are widened and
/// rounded, f64 goes to `fallback`.
template <typename One, typename Fallback>
LogicalResult inF32(Emitter &e, Operation *op, One one, Fallback fallback) {
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  Type type = e.scalarType(op->getResult(0).getType()), f32 = b.getF32Type();
  Registers results;
  for (int64_t r = 0, n = e.count(op->getResult(0).getType()); r < n; ++r) {
    SmallVector<Value, 2> operands;
    for (Value operand : op->getOperands()) {
      Value value = e.get(operand)[r];
      if (isHalf(type))
        value = arith::ExtFOp::create(b, loc, f32, ValueRange{value});
      operands.push_back(value);
    }
    Value result = type.isF64() ? fallback(operands) : one(operands);
    if (isHalf(type))
      result = arith::TruncFOp::create(b, loc, type, result);
    results.push_back(result);
  }
  e.set(op->getResult(0), std::move(results));
  return success();
}

template <typename Op> auto plain(Emitter &e, Operation *op) {
  return [&e, op](ValueRange operands) -> Value {
    return Op::create(e.builder, op->getLoc(), operands[0]);
  };
}

LogicalResult emitExp2(Emitter &e, Operation *op) {
  return inF32(
      e, op,
      [&](ValueRange x) {
        return intrinsic(e.builder, op->getLoc(), e.builder.getF32Type(),
                         "llvm.nvvm.ex2.approx.ftz.f32", x);
      },
      plain<math::Exp2Op>(e, op));
}

// 2^t of t = x log2(e), with what rounding t lost, r, in a second factor:
// 2^t (1 + r ln 2). Arguments whose result is zero anyway are limited, so that
// r is a small number for them too.
LogicalResult emitExp(Emitter &e, Operation *op) {
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  return inF32(
      e, op,
      [&](ValueRange operands) -> Value {
        Num x(b, loc, operands[0]);
        x = x.make<arith::MaximumFOp>(x, x.same(-104));
        Num log2e = x.same(0x1.715476p0);
        Num t = x * log2e;
        Num r = x.make<math::FmaOp>(x, log2e, -t);
        r = x.make<math::FmaOp>(x, x.same(0x1.4ae0c0p-26), r);
        Num p = x.with(intrinsic(b, loc, b.getF32Type(),
                                 "llvm.nvvm.ex2.approx.f32", Value(t)));
        Num exact = x.make<math::FmaOp>(p, r * 0x1.62e430p-1, p);
        return select(lt(t, 128), exact, p); // where r may be no number
      },
      plain<math::ExpOp>(e, op));
}

// erf x = x + x p(x^2) up to 1, and 1 - 2^q(|x|) beyond.
LogicalResult emitErf(Emitter &e, Operation *op) {
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  return inF32(
      e, op,
      [&](ValueRange operands) -> Value {
        Num x(b, loc, operands[0]);
        MathEmitter math(x, MathFeatures());
        Num a = abs(x);
        Num small =
            math.fma(a, math.polynomial(a * a, coefficients::kErfF32, {}), a);
        Num limited = a.make<arith::MinimumFOp>(a, a.same(4));
        Num exponent = math.polynomial(limited, coefficients::kErfTailF32, {});
        Num large = 1.0 - x.with(intrinsic(b, loc, b.getF32Type(),
                                           "llvm.nvvm.ex2.approx.ftz.f32",
                                           Value(exponent)));
        return copysign(select(lt(a, 1), small, large), x);
      },
      plain<math::ErfOp>(e, op));
}

LogicalResult emitSqrt(Emitter &e, Operation *op) {
  return inF32(
      e, op,
      [&](ValueRange x) {
        return intrinsic(e.builder, op->getLoc(), e.builder.getF32Type(),
                         "llvm.nvvm.sqrt.approx.f", x);
      },
      plain<math::SqrtOp>(e, op));
}

LogicalResult emitRsqrt(Emitter &e, Operation *op) {
  return inF32(
      e, op,
      [&](ValueRange x) {
        return intrinsic(e.builder, op->getLoc(), e.builder.getF32Type(),
                         "llvm.nvvm.rsqrt.approx.f", x);
      },
      plain<math::RsqrtOp>(e, op));
}

/// What `div.full` computes, in two parts: what depends on the denominator
/// alone, and two products. A power of two takes denominators into the range
/// whose reciprocals are normal numbers.
struct Divisor {
  Num scale, reciprocal;

  static Divisor of(OpBuilder &b, Location loc, Value denominator) {
    Num x(b, loc, denominator);
    Num size = abs(x);
    Num scale =
        select(lt(size, 0x1p-126), x.same(0x1p24),
               select(lt(x.same(0x1p126), size), x.same(0.25), x.same(1)));
    return {scale,
            x.with(intrinsic(b, loc, b.getF32Type(),
                             "llvm.nvvm.rcp.approx.ftz.f", Value(x * scale)))};
  }
  Value divide(OpBuilder &b, Location loc, Value numerator) const {
    return Value(Num(b, loc, numerator) * scale * reciprocal);
  }
};

LogicalResult emitDivision(Emitter &e, Operation *op) {
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  // Many quotients of one denominator, as of a row, share its reciprocal.
  constexpr int64_t kMany = 4;
  DenseMap<Value, int64_t> uses;
  DenseMap<Value, Divisor> divisors;
  for (Value denominator : e.get(op->getOperand(1)))
    ++uses[denominator];
  return inF32(
      e, op,
      [&](ValueRange x) {
        if (uses.lookup(x[1]) >= kMany) {
          auto known = divisors.find(x[1]);
          if (known == divisors.end())
            known = divisors.try_emplace(x[1], Divisor::of(b, loc, x[1])).first;
          return known->second.divide(b, loc, x[0]);
        }
        return intrinsic(b, loc, b.getF32Type(), "llvm.nvvm.div.full", x);
      },
      [&](ValueRange x) -> Value {
        return arith::DivFOp::create(b, loc, x[0], x[1]);
      });
}

} // namespace

void addNumbers(gpu::EmitTable &table) {
  table["math.exp2"] = emitExp2;
  table["math.exp"] = emitExp;
  table["math.erf"] = emitErf;
  table["math.sqrt"] = emitSqrt;
  table["math.rsqrt"] = emitRsqrt;
  table["arith.divf"] = emitDivision;
}

//===-- Conversions -------------------------------------------------------===//

static StringRef float8Name(Type type) {
  if (isa<Float8E4M3FNType>(type))
    return "e4m3";
  if (isa<Float8E5M2Type>(type))
    return "e5m2";
  return "";
}

/// f32 to f16 or bf16, two by one instruction. Written in pairs from the start,
/// because the optimizer moves conversions of single values into other blocks
/// than where they are packed.
static SmallVector<Value> roundPairs(OpBuilder &b, Location loc,
                                     ValueRange values, Type to) {
  Value none =
      LLVM::PoisonOp::create(b, loc, VectorType::get(2, b.getF32Type()));
  SmallVector<Value> results;
  for (size_t r = 0; r + 1 < values.size(); r += 2) {
    Value pair = none;
    for (size_t i : {0, 1})
      pair = LLVM::InsertElementOp::create(b, loc, pair, values[r + i],
                                           constantInt(b, loc, 32, int64_t(i)));
    pair = LLVM::FPTruncOp::create(b, loc, VectorType::get(2, to), pair);
    for (size_t i : {0, 1})
      results.push_back(LLVM::ExtractElementOp::create(
          b, loc, pair, constantInt(b, loc, 32, int64_t(i))));
  }
  if (values.size() % 2)
    results.push_back(LLVM::FPTruncOp::create(b, loc, to, values.back()));
  return results;
}

// fp8 in pairs, from sm_89 on; toward zero to f16 and bf16 everywhere.
SmallVector<Value> Hooks::convert(Builder &b, Loc loc, ValueRange values,
                                  Type from, Type to, Rounding rounding) {
  SmallVector<Value> results;
  StringRef narrow = float8Name(to), wide = float8Name(from);
  Type i16 = b.getI16Type(), i32 = b.getI32Type(), i8 = b.getI8Type();
  Type f32 = b.getF32Type(), f16 = b.getF16Type();
  if (rounding == Rounding::TowardZero) {
    if (!from.isF32() || !isHalf(to))
      return {};
    StringRef text =
        to.isF16() ? "cvt.rz.f16.f32 $0, $1;" : "cvt.rz.bf16.f32 $0, $1;";
    for (Value value : values) {
      Value bits =
          inlineAsm(b, loc, i16, text, "=h,f", value, AsmEffects::None).front();
      results.push_back(LLVM::BitcastOp::create(b, loc, to, bits));
    }
    return results;
  }
  if (from.isF32() && isHalf(to))
    return roundPairs(b, loc, values, to);
  if (capability < 89)
    return {};
  if (!narrow.empty() && (from.isF32() || isHalf(from))) {
    std::string text =
        ("cvt.rn.satfinite." + narrow + "x2.f32 $0, $2, $1;").str();
    for (size_t r = 0; r < values.size(); r += 2) {
      Value pair[2];
      for (size_t i : {0, 1}) {
        Value value = values[std::min(r + i, values.size() - 1)];
        if (!from.isF32())
          value = LLVM::FPExtOp::create(b, loc, f32, value);
        pair[i] = value;
      }
      Value bits = inlineAsm(b, loc, i16, text, "=h,f,f", {pair[0], pair[1]},
                             AsmEffects::None)
                       .front();
      results.push_back(LLVM::TruncOp::create(b, loc, i8, bits));
      if (r + 1 < values.size())
        results.push_back(LLVM::TruncOp::create(
            b, loc, i8,
            LLVM::LShrOp::create(b, loc, bits, constantInt(b, loc, 16, 8))));
    }
    return results;
  }
  if (!wide.empty() && (to.isF32() || isHalf(to))) {
    std::string text = ("cvt.rn.f16x2." + wide + "x2 $0, $1;").str();
    Type halves = VectorType::get(2, f16);
    for (size_t r = 0; r < values.size(); r += 2) {
      Value bits = LLVM::ZExtOp::create(b, loc, i16, values[r]);
      if (r + 1 < values.size())
        bits = LLVM::OrOp::create(
            b, loc, bits,
            LLVM::ShlOp::create(
                b, loc, LLVM::ZExtOp::create(b, loc, i16, values[r + 1]),
                constantInt(b, loc, 16, 8)));
      Value pair = LLVM::BitcastOp::create(
          b, loc, halves,
          inlineAsm(b, loc, i32, text, "=r,h", bits, AsmEffects::None).front());
      for (size_t i = 0; i < 2 && r + i < values.size(); ++i) {
        Value value = LLVM::ExtractElementOp::create(
            b, loc, pair, constantInt(b, loc, 32, int64_t(i)));
        if (!to.isF16()) // every fp8 number is one of f16 and of bf16
          value = LLVM::FPExtOp::create(b, loc, f32, value);
        if (to.isBF16())
          value = LLVM::FPTruncOp::create(b, loc, to, value);
        results.push_back(value);
      }
    }
    return results;
  }
  return {};
}

} // namespace nereid::nvptx
