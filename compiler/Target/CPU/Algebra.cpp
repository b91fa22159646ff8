//===- Algebra.cpp - Arithmetic on symbolic strips ------------------------===//
//
// Sums and products of "base + i * stride" stay of that form; everything else
// becomes a vector. Scalars are emitted at the outermost loop level they may
// be, and constants fold on the way.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::cpu {

//===----------------------------------------------------------------------===//
// Levels
//===----------------------------------------------------------------------===//

unsigned NestEmitter::levelOf(Value v) const {
  if (!v)
    return 0;
  for (Block *block = v.getParentBlock(); block;) {
    for (unsigned l = levels.size(); l-- > 1;)
      if (levels[l].body == block)
        return l;
    Operation *parent = block->getParentOp();
    if (!parent || isa<LLVM::LLVMFuncOp>(parent))
      return 0;
    block = parent->getBlock();
  }
  return 0;
}

unsigned NestEmitter::levelOf(const Strip &s) const {
  unsigned level =
      std::max({levelOf(s.value), levelOf(s.stride), levelOf(s.ptr)});
  return s.isAffine() && s.overIndex ? std::max(level, levelOf(strip)) : level;
}

// Where new code of this level goes: before the loop inside it, or at its end.
void NestEmitter::insertAt(unsigned level) {
  if (level + 1 < levels.size()) {
    b.setInsertionPoint(levels[level + 1].anchor);
    return;
  }
  insertAfter(level);
}

void NestEmitter::insertAfter(unsigned level) {
  if (level == 0) {
    b.restoreInsertionPoint(start);
    return;
  }
  Block *body = levels[level].body;
  if (body->mightHaveTerminator())
    b.setInsertionPoint(body->getTerminator());
  else
    b.setInsertionPointToEnd(body);
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value NestEmitter::addV(Value x, Value y) {
  auto cx = constantInt(x), cy = constantInt(y);
  if (cx && cy)
    return kernel.constInt(x.getType(), *cx + *cy);
  if (cx && *cx == 0)
    return y;
  if (cy && *cy == 0)
    return x;
  insertFor(x, y);
  return arith::AddIOp::create(b, loc, x, y);
}

Value NestEmitter::subV(Value x, Value y) {
  auto cx = constantInt(x), cy = constantInt(y);
  if (cx && cy)
    return kernel.constInt(x.getType(), *cx - *cy);
  if (cy && *cy == 0)
    return x;
  insertFor(x, y);
  return arith::SubIOp::create(b, loc, x, y);
}

Value NestEmitter::mulV(Value x, Value y) {
  auto cx = constantInt(x), cy = constantInt(y);
  if (cx && cy)
    return kernel.constInt(x.getType(), *cx * *cy);
  if ((cx && *cx == 1) || (cy && *cy == 0))
    return y;
  if ((cy && *cy == 1) || (cx && *cx == 0))
    return x;
  insertFor(x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

Value NestEmitter::minV(Value x, Value y) {
  if (x == y)
    return x;
  auto cx = constantInt(x), cy = constantInt(y);
  if (cx && cy)
    return kernel.constInt(x.getType(), std::min(*cx, *cy));
  insertFor(x, y);
  return arith::MinSIOp::create(b, loc, x, y);
}

Value NestEmitter::castV(Value v, Type to, bool isSigned) {
  unsigned from = v.getType().getIntOrFloatBitWidth(),
           width = to.getIntOrFloatBitWidth();
  if (from == width)
    return v;
  if (auto c = constantInt(v)) {
    APInt bits(from, *c, true);
    bits = width < from ? bits.trunc(width)
           : isSigned   ? bits.sext(width)
                        : bits.zext(width);
    return kernel.constInt(to, bits.getSExtValue());
  }
  insertFor(v);
  if (width < from)
    return arith::TruncIOp::create(b, loc, to, v);
  if (isSigned)
    return arith::ExtSIOp::create(b, loc, to, v);
  return arith::ExtUIOp::create(b, loc, to, v);
}

// A power of two that divides `v`.
int64_t NestEmitter::divisibility(Value v) const {
  constexpr int64_t kMost = int64_t(1) << 40;
  if (auto c = constantInt(v))
    return *c == 0 ? kMost : (*c & -*c);
  if (auto it = loopSteps.find(v); it != loopSteps.end())
    return it->second & -it->second;
  Operation *op = v.getDefiningOp();
  if (!op)
    return 1;
  if (isa<arith::MulIOp>(op))
    return std::min(kMost, divisibility(op->getOperand(0)) *
                               divisibility(op->getOperand(1)));
  if (isa<arith::AddIOp, arith::SubIOp>(op))
    return std::min(divisibility(op->getOperand(0)),
                    divisibility(op->getOperand(1)));
  if (isa<arith::ExtSIOp, arith::ExtUIOp>(op))
    return divisibility(op->getOperand(0));
  return 1;
}

//===----------------------------------------------------------------------===//
// Strips
//===----------------------------------------------------------------------===//

Strip NestEmitter::constStrip(int64_t v) {
  return Strip::uniform(kernel.constI64(v));
}

// Relative to the strip's first lane instead of the dimension's start.
Strip NestEmitter::toLane(Strip s) {
  if (!s.isAffine() || !s.overIndex)
    return s;
  Value first = castV(strip, s.value.getType(), true);
  s.value = addV(s.value, mulV(first, s.stride));
  s.overIndex = false;
  return s;
}

Value NestEmitter::vecOffset(const Strip &s) {
  if (s.isVector())
    return s.value;
  if (s.isUniform()) {
    insertFor(s.value);
    return kernel.ops.splat(b, loc, s.value, lanes);
  }
  Strip l = toLane(s);
  auto element = cast<IntegerType>(l.value.getType());
  SmallVector<APInt> steps;
  auto stride = constantInt(l.stride);
  for (int64_t i = 0; i < lanes; ++i)
    steps.push_back(APInt(64, uint64_t(i) * uint64_t(stride.value_or(1)))
                        .zextOrTrunc(element.getWidth()));
  auto type = VectorType::get({lanes}, element);
  insertFor(l.value, l.stride);
  Value step =
      arith::ConstantOp::create(b, loc, DenseIntElementsAttr::get(type, steps));
  if (!stride)
    step = arith::MulIOp::create(b, loc, step,
                                 kernel.ops.splat(b, loc, l.stride, lanes));
  if (auto c = constantInt(l.value); c && *c == 0)
    return step;
  return arith::AddIOp::create(b, loc, kernel.ops.splat(b, loc, l.value, lanes),
                               step);
}

Value NestEmitter::vec(const Strip &s) {
  Value offset = vecOffset(s);
  if (!s.ptr || s.ptr == kernel.nullPtr())
    return offset;
  insertFor(s.ptr, offset);
  Value base = kernel.ops.splat(b, loc, s.ptr, lanes);
  return arith::AddIOp::create(b, loc, base, offset);
}

Value NestEmitter::uniformValue(const Strip &s) {
  if (!s.ptr)
    return s.value;
  if (auto c = constantInt(s.value); c && *c == 0)
    return s.ptr;
  insertFor(s.ptr, s.value);
  return LLVM::GEPOp::create(b, loc, s.ptr.getType(), b.getI8Type(), s.ptr,
                             ArrayRef<LLVM::GEPArg>{s.value});
}

// A strip of a held value; addresses become pointers.
Strip NestEmitter::wrap(Value v, Type element, bool uniform) {
  if (!isa<tt::PointerType>(element))
    return uniform ? Strip::uniform(v) : Strip::vector(v);
  if (!uniform) {
    Strip s = Strip::vector(v);
    s.ptr = kernel.nullPtr();
    return s;
  }
  if (!isa<LLVM::LLVMPointerType>(v.getType())) {
    insertFor(v);
    v = LLVM::IntToPtrOp::create(b, loc, kernel.nullPtr().getType(), v);
  }
  Strip s = constStrip(0);
  s.ptr = v;
  return s;
}

// An affine strip over the dimension needs parts that do not change with the
// strip; otherwise it is expressed relative to the strip.
static bool inInnermost(unsigned level, unsigned deepest) {
  return deepest > 0 && level == deepest;
}

Strip NestEmitter::add(Strip x, Strip y) {
  Strip r;
  if (x.isVector() || y.isVector()) {
    Value vx = vecOffset(x), vy = vecOffset(y);
    insertFor(vx, vy);
    r = Strip::vector(arith::AddIOp::create(b, loc, vx, vy));
  } else if (x.isUniform() && y.isUniform()) {
    r = Strip::uniform(addV(x.value, y.value));
  } else if (x.isAffine() && y.isAffine()) {
    if (!x.overIndex || !y.overIndex)
      x = toLane(x), y = toLane(y);
    r = Strip::affine(addV(x.value, y.value), addV(x.stride, y.stride),
                      x.overIndex);
  } else {
    if (y.isAffine())
      std::swap(x, y);
    if (inInnermost(levelOf(y.value), deepest()))
      x = toLane(x);
    r = Strip::affine(addV(x.value, y.value), x.stride, x.overIndex);
  }
  r.ptr = x.ptr ? x.ptr : y.ptr;
  r.assumed = x.assumed || y.assumed;
  return r;
}

Strip NestEmitter::sub(Strip x, Strip y) {
  Strip r;
  if (x.isVector() || y.isVector()) {
    Value vx = vecOffset(x), vy = vecOffset(y);
    insertFor(vx, vy);
    r = Strip::vector(arith::SubIOp::create(b, loc, vx, vy));
  } else if (x.isUniform() && y.isUniform()) {
    r = Strip::uniform(subV(x.value, y.value));
  } else if (x.isAffine() && y.isAffine()) {
    if (!x.overIndex || !y.overIndex)
      x = toLane(x), y = toLane(y);
    r = Strip::affine(subV(x.value, y.value), subV(x.stride, y.stride),
                      x.overIndex);
  } else if (x.isAffine()) {
    if (inInnermost(levelOf(y.value), deepest()))
      x = toLane(x);
    r = Strip::affine(subV(x.value, y.value), x.stride, x.overIndex);
  } else {
    if (inInnermost(levelOf(x.value), deepest()))
      y = toLane(y);
    Value zero = kernel.constInt(y.stride.getType(), 0);
    r = Strip::affine(subV(x.value, y.value), subV(zero, y.stride),
                      y.overIndex);
  }
  r.assumed = x.assumed || y.assumed;
  return r;
}

Strip NestEmitter::mul(Strip x, Strip y) {
  Strip r;
  if (y.isAffine() && x.isUniform())
    std::swap(x, y);
  if (x.isUniform() && y.isUniform()) {
    r = Strip::uniform(mulV(x.value, y.value));
  } else if (x.isAffine() && y.isUniform()) {
    if (inInnermost(levelOf(y.value), deepest()))
      x = toLane(x);
    r = Strip::affine(mulV(x.value, y.value), mulV(x.stride, y.value),
                      x.overIndex);
  } else {
    Value vx = vecOffset(x), vy = vecOffset(y);
    insertFor(vx, vy);
    r = Strip::vector(arith::MulIOp::create(b, loc, vx, vy));
  }
  r.assumed = x.assumed || y.assumed;
  return r;
}

Strip NestEmitter::mulConst(Strip x, int64_t c) {
  if (c == 1)
    return x;
  Type type = getElementTypeOrSelf(x.value.getType());
  return mul(x, Strip::uniform(kernel.constInt(type, c)));
}

Strip NestEmitter::castStrip(Strip x, Type to, bool isSigned) {
  Strip r = x;
  if (x.isVector()) {
    unsigned from = getElementTypeOrSelf(x.value.getType())
                        .getIntOrFloatBitWidth(),
             width = to.getIntOrFloatBitWidth();
    if (from == width)
      return x;
    auto type = VectorType::get({lanes}, to);
    insertFor(x.value);
    r.value = width < from
                  ? arith::TruncIOp::create(b, loc, type, x.value).getResult()
              : isSigned
                  ? arith::ExtSIOp::create(b, loc, type, x.value).getResult()
                  : arith::ExtUIOp::create(b, loc, type, x.value).getResult();
    return r;
  }
  r.value = castV(x.value, to, isSigned);
  // Lanes of one tile do not wrap around their type.
  if (x.isAffine())
    r.stride = castV(x.stride, to, true);
  return r;
}

std::pair<Strip, Strip> NestEmitter::splitIndex(Strip s, int64_t c) {
  if (c == 1)
    return {s, constStrip(0)};
  int64_t shift = llvm::Log2_64(c);
  auto quotient = [&](Value v) -> Value {
    if (auto k = constantInt(v))
      return kernel.constI64(*k >> shift);
    insertFor(v);
    return arith::ShRUIOp::create(b, loc, v, kernel.constI64(shift));
  };
  auto remainder = [&](Value v) -> Value {
    if (auto k = constantInt(v))
      return kernel.constI64(*k & (c - 1));
    insertFor(v);
    return arith::AndIOp::create(b, loc, v, kernel.constI64(c - 1));
  };
  if (s.isUniform())
    return {Strip::uniform(quotient(s.value)),
            Strip::uniform(remainder(s.value))};
  if (s.isAffine()) {
    auto attempt = [&](Strip a,
                       int64_t n) -> std::optional<std::pair<Strip, Strip>> {
      auto stride = constantInt(a.stride);
      if (!stride || *stride <= 0)
        return std::nullopt;
      if (*stride % c == 0)
        return std::make_pair(Strip::affine(quotient(a.value),
                                            kernel.constI64(*stride / c),
                                            a.overIndex),
                              Strip::uniform(remainder(a.value)));
      int64_t span = llvm::PowerOf2Ceil(n * *stride);
      if (c % span != 0 || divisibility(a.value) % span != 0)
        return std::nullopt;
      return std::make_pair(
          Strip::uniform(quotient(a.value)),
          Strip::affine(remainder(a.value), a.stride, a.overIndex));
    };
    if (s.overIndex)
      if (auto r = attempt(s, extent))
        return *r;
    if (auto r = attempt(toLane(s), lanes))
      return *r;
  }
  Value v = vecOffset(s);
  insertFor(v);
  auto k = [&](int64_t value) {
    return kernel.ops.constant(b, loc, b.getI64IntegerAttr(value), lanes);
  };
  Value q = arith::ShRUIOp::create(b, loc, v, k(shift));
  Value r = arith::AndIOp::create(b, loc, v, k(c - 1));
  return {Strip::vector(q), Strip::vector(r)};
}

//===----------------------------------------------------------------------===//
// Assumptions of the fast version
//===----------------------------------------------------------------------===//

bool NestEmitter::isTrue(const Strip &mask) const {
  if (!mask)
    return true;
  if (!mask.isUniform())
    return false;
  auto c = constantInt(mask.value);
  return c && *c != 0;
}

// Known before the strip loop, for the whole row.
bool NestEmitter::rowLevel(const Strip &s) const {
  if (s.isVector() || s.ptr || (s.isAffine() && !s.overIndex))
    return false;
  unsigned level = std::max(levelOf(s.value), levelOf(s.stride));
  return level < deepest();
}

// From element `n` on, the assumption may fail.
void NestEmitter::addBound(Value n) {
  if (auto c = constantInt(n); c && *c >= extent)
    return;
  if (!llvm::is_contained(bounds, n))
    bounds.push_back(n);
}

// x / m and x % m of a range that stays between two multiples of m.
std::optional<std::pair<Strip, Strip>>
NestEmitter::assumeQuotient(Strip x, Strip m, bool isSigned) {
  if (version != Version::Fast || !x.isAffine() || !m.isUniform() ||
      !rowLevel(x) || !rowLevel(m))
    return std::nullopt;
  auto stride = constantInt(x.stride);
  if (!stride || *stride <= 0)
    return std::nullopt;
  Type type = x.value.getType();
  Type i64 = b.getI64Type();
  insertFor(x.value, m.value);
  Value zero = kernel.constInt(type, 0), one = kernel.constInt(type, 1);
  auto positive =
      isSigned ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::ne;
  Value okay = arith::CmpIOp::create(b, loc, positive, m.value, zero);
  Value divisor = m.value;
  if (!constantInt(divisor))
    divisor = arith::SelectOp::create(b, loc, okay, divisor, one);
  if (isSigned)
    okay = arith::AndIOp::create(
        b, loc, okay,
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, x.value,
                              zero));
  // Unsigned division also serves the signed case: both are non-negative.
  Value q = arith::DivUIOp::create(b, loc, x.value, divisor);
  Value r = arith::SubIOp::create(b, loc, x.value,
                                  arith::MulIOp::create(b, loc, q, divisor));
  Value room = arith::SubIOp::create(b, loc, castV(divisor, i64, false),
                                     castV(r, i64, false));
  insertFor(room, okay);
  if (*stride != 1)
    room = arith::DivUIOp::create(
        b, loc,
        arith::AddIOp::create(b, loc, room, kernel.constI64(*stride - 1)),
        kernel.constI64(*stride));
  addBound(arith::SelectOp::create(b, loc, okay, room, kernel.constI64(0)));
  Strip quotient = Strip::uniform(q);
  Strip rest = Strip::affine(r, x.stride, true);
  quotient.assumed = rest.assumed = true;
  return std::make_pair(quotient, rest);
}

bool NestEmitter::assumeCompare(arith::CmpIPredicate predicate, Strip x,
                                Strip y) {
  using P = arith::CmpIPredicate;
  if (!rowLevel(x) || !rowLevel(y))
    return false;
  bool isSigned = predicate == P::slt || predicate == P::sle ||
                  predicate == P::sgt || predicate == P::sge;
  bool isUnsigned = predicate == P::ult || predicate == P::ule ||
                    predicate == P::ugt || predicate == P::uge;
  if (!isSigned && !isUnsigned)
    return false;
  if (predicate == P::sgt || predicate == P::sge || predicate == P::ugt ||
      predicate == P::uge)
    std::swap(x, y);
  bool strict = predicate == P::slt || predicate == P::sgt ||
                predicate == P::ult || predicate == P::ugt;
  Type i64 = b.getI64Type();
  if (getElementTypeOrSelf(x.value.getType()).getIntOrFloatBitWidth() < 8)
    return false;
  // x < y holds while room + i * slope > 0.
  auto strideOf = [&](const Strip &s) -> std::optional<int64_t> {
    return s.isAffine() ? constantInt(s.stride) : std::optional<int64_t>(0);
  };
  auto sx = strideOf(x), sy = strideOf(y);
  if (!sx || !sy)
    return false;
  int64_t slope = *sy - *sx;
  Value room =
      subV(castV(y.value, i64, isSigned), castV(x.value, i64, isSigned));
  if (!strict)
    room = addV(room, kernel.constI64(1));
  if (slope >= 0) {
    if (auto c = constantInt(room)) {
      addBound(kernel.constI64(*c > 0 ? extent : 0));
      return true;
    }
    insertFor(room);
    Value holds =
        arith::CmpIOp::create(b, loc, P::sgt, room, kernel.constI64(0));
    addBound(arith::SelectOp::create(b, loc, holds, kernel.constI64(extent),
                                     kernel.constI64(0)));
    return true;
  }
  if (slope != -1) {
    // Rounded up; a negative room may give zero or less, which is the same.
    room = addV(room, kernel.constI64(-slope - 1));
    insertFor(room);
    room = arith::DivSIOp::create(b, loc, room, kernel.constI64(-slope));
  }
  addBound(room);
  return true;
}

} // namespace nereid::cpu
