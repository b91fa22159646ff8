//===- Eval.cpp - What a tensor is on one strip ---------------------------===//
//
// Evaluates tensors backwards from where they are needed: shape operations only
// change the point at which their operand is evaluated, elementwise operations
// keep strips symbolic where they can, loads go to memory once per strip.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nereid::cpu {

unsigned NestEmitter::intern(Point point) {
  for (auto [i, p] : llvm::enumerate(points))
    if (llvm::equal(p.index, point.index))
      return i;
  points.push_back(std::move(point));
  return points.size() - 1;
}

bool NestEmitter::memoize(Value v, unsigned point, Strip s) {
  unsigned level = levelOf(s);
  // What holds only in this version belongs to its body.
  if (s.assumed)
    level = deepest();
  memo[std::min<unsigned>(level, memo.size() - 1)][{v, point}] = s;
  return true;
}

Strip NestEmitter::eval(Value v, unsigned point) {
  if (bad)
    return {};
  if (!isTensor(v)) {
    Value s = kernel.scalar(v);
    if (!s) {
      emitError(v.getLoc(), "internal: a scalar is used before it is computed");
      bad = true;
      return {};
    }
    return wrap(s, v.getType(), true);
  }
  for (Memo &m : memo)
    if (auto it = m.find({v, point}); it != m.end())
      return it->second;
  Location saved = loc;
  loc = v.getLoc();
  Strip s = evalUncached(v, point);
  loc = saved;
  if (!s) {
    if (!bad)
      emitError(v.getLoc(), "internal: a tile has no value here");
    bad = true;
    return {};
  }
  memoize(v, point, s);
  return s;
}

// Shape operations that only rename indices.
std::optional<unsigned> NestEmitter::throughShape(Operation *op,
                                                  unsigned point) {
  Point p = points[point];
  if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
    p.index.erase(p.index.begin() + expand.getAxis());
    return intern(p);
  }
  if (auto broadcast = dyn_cast<tt::BroadcastOp>(op)) {
    auto from = cast<RankedTensorType>(broadcast.getSrc().getType()).getShape();
    for (auto [i, size] : llvm::enumerate(from))
      if (size == 1)
        p.index[i] = constStrip(0);
    return intern(p);
  }
  if (auto trans = dyn_cast<tt::TransOp>(op)) {
    Point q;
    q.index.resize(p.index.size());
    for (auto [i, from] : llvm::enumerate(trans.getOrder()))
      q.index[from] = p.index[i];
    return intern(q);
  }
  if (auto reshape = dyn_cast<tt::ReshapeOp>(op)) {
    auto from = cast<RankedTensorType>(reshape.getSrc().getType()).getShape();
    auto to = cast<RankedTensorType>(reshape.getResult().getType()).getShape();
    // Dimensions of size one come and go freely.
    SmallVector<Strip> real;
    SmallVector<int64_t> realTo, realFrom;
    for (auto [i, size] : llvm::enumerate(to))
      if (size != 1)
        real.push_back(p.index[i]), realTo.push_back(size);
    for (int64_t size : from)
      if (size != 1)
        realFrom.push_back(size);
    Point q;
    q.index.assign(from.size(), constStrip(0));
    if (realFrom == realTo) {
      unsigned k = 0;
      for (auto [i, size] : llvm::enumerate(from))
        if (size != 1)
          q.index[i] = real[k++];
      return intern(q);
    }
    Strip rest = linear(to, p);
    for (unsigned i = from.size(); i-- > 0;) {
      if (from[i] == 1)
        continue;
      std::tie(rest, q.index[i]) = splitIndex(rest, from[i]);
    }
    return intern(q);
  }
  if (auto split = dyn_cast<tt::SplitOp>(op))
    return std::nullopt;
  return std::nullopt;
}

// A kept quotient or remainder is read where a division would be needed; along
// a strip, the fast version knows better.
bool NestEmitter::betterInline(Operation *op, unsigned point) const {
  return op && version == Version::Fast &&
         isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(
             op) &&
         llvm::any_of(points[point].index,
                      [](const Strip &s) { return s.isAffine(); });
}

Strip NestEmitter::evalUncached(Value v, unsigned point) {
  Operation *op = v.getDefiningOp();
  if (Buffer *buffer = kernel.buffer(v);
      buffer && buffer->complete && !betterInline(op, point))
    return loadBuffer(buffer, points[point]);
  if (!op)
    return {};
  if (isa<arith::ConstantOp>(op))
    return evalConstant(op, point);
  if (auto splat = dyn_cast<tt::SplatOp>(op))
    return eval(splat.getSrc(), point);
  if (auto range = dyn_cast<tt::MakeRangeOp>(op)) {
    Strip i = castStrip(points[point].index[0], b.getI32Type(), true);
    return add(i, Strip::uniform(kernel.constInt(b.getI32Type(),
                                                 int32_t(range.getStart()))));
  }
  if (isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, tt::ReshapeOp>(op))
    return eval(op->getOperand(0), *throughShape(op, point));
  if (auto split = dyn_cast<tt::SplitOp>(op)) {
    Point p = points[point];
    p.index.push_back(constStrip(v == split.getOutLHS() ? 0 : 1));
    return eval(split.getSrc(), intern(p));
  }
  if (isa<tt::JoinOp>(op))
    return evalJoin(op, point);
  if (isa<tt::CatOp>(op))
    return evalCat(op, point);
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return evalLoad(load, point);
  if (auto gatherOp = dyn_cast<tt::GatherOp>(op)) {
    Buffer *src = kernel.buffer(gatherOp.getSrc());
    if (!src)
      return {};
    Strip index =
        castStrip(eval(gatherOp.getIndices(), point), b.getI64Type(), false);
    if (bad)
      return {};
    // An index outside may give anything but must not leave the buffer.
    unsigned axis = gatherOp.getAxis();
    int64_t size = src->shape[axis];
    if (index.isUniform()) {
      insertFor(index.value);
      index.value =
          arith::AndIOp::create(b, loc, index.value, kernel.constI64(size - 1));
    } else {
      Value lanesIndex = vecOffset(index);
      insertFor(lanesIndex);
      index = Strip::vector(arith::AndIOp::create(
          b, loc, lanesIndex,
          kernel.ops.constant(b, loc, b.getI64IntegerAttr(size - 1), lanes)));
    }
    Point p = points[point];
    p.index[axis] = index;
    return loadBuffer(src, p);
  }
  if (kernel.ops.handles(op))
    return evalElementwise(op, point, cast<OpResult>(v).getResultNumber());
  op->emitError() << "'" << op->getName()
                  << "' is not supported on CPU targets";
  bad = true;
  return {};
}

Strip NestEmitter::evalConstant(Operation *op, unsigned point) {
  auto dense =
      dyn_cast<DenseElementsAttr>(llvm::cast<arith::ConstantOp>(op).getValue());
  if (!dense)
    return {};
  if (dense.isSplat())
    return Strip::uniform(kernel.constant(
        llvm::cast<TypedAttr>(dense.getSplatValue<Attribute>())));
  Type element = dense.getElementType();
  Strip p = mulConst(linear(dense.getType().getShape(), points[point]),
                     kernel.ops.bytes(element));
  p.ptr = kernel.table(dense);
  return load(loc, p, element, {}, {}, false);
}

Strip NestEmitter::select(Location at, Strip c, Strip x, Strip y) {
  Strip r;
  bool assumed = c.assumed || x.assumed || y.assumed;
  if (auto k = c.isUniform() ? constantInt(c.value) : std::nullopt) {
    r = *k ? x : y;
    r.assumed = assumed;
    return r;
  }
  auto pick = [&](Value cond, Value vx, Value vy) -> Value {
    if (vx == vy)
      return vx;
    insertFor(cond, vx, vy);
    return arith::SelectOp::create(b, at, cond, vx, vy);
  };
  bool isPtr = x.ptr || y.ptr;
  if (c.isUniform() && !x.isVector() && !y.isVector()) {
    if (x.isUniform() && y.isUniform() && isPtr) {
      r = constStrip(0);
      r.ptr = pick(c.value, uniformValue(x), uniformValue(y));
      r.assumed = assumed;
      return r;
    }
    bool affine = x.isAffine() || y.isAffine();
    bool sameForm = !affine || (x.isAffine() && y.isAffine());
    if (sameForm) {
      if (affine &&
          (x.overIndex != y.overIndex || levelOf(c.value) == deepest()))
        x = toLane(x), y = toLane(y);
      r = x;
      r.value = pick(c.value, x.value, y.value);
      if (affine)
        r.stride = pick(c.value, x.stride, y.stride);
      if (isPtr)
        r.ptr = pick(c.value, x.ptr, y.ptr);
      r.assumed = assumed;
      return r;
    }
  }
  Value vx = vec(x), vy = vec(y);
  Value cond = c.isUniform() ? c.value : vecOffset(c);
  r = Strip::vector(pick(cond, vx, vy));
  if (isPtr)
    r.ptr = kernel.nullPtr();
  r.assumed = assumed;
  return r;
}

Strip NestEmitter::evalJoin(Operation *op, unsigned point) {
  Point p = points[point];
  Strip last = p.index.pop_back_val();
  unsigned inner = intern(p);
  Strip c;
  if (auto k = last.isUniform() ? constantInt(last.value) : std::nullopt)
    return eval(op->getOperand(*k ? 1 : 0), inner);
  if (last.isUniform()) {
    insertFor(last.value);
    c = Strip::uniform(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                             last.value, kernel.constI64(0)));
  } else {
    Value v = vecOffset(last);
    insertFor(v);
    c = Strip::vector(arith::CmpIOp::create(
        b, loc, arith::CmpIPredicate::eq, v,
        kernel.ops.constant(b, loc, b.getI64IntegerAttr(0), lanes)));
  }
  Strip x = eval(op->getOperand(0), inner), y = eval(op->getOperand(1), inner);
  return bad ? Strip() : select(loc, c, x, y);
}

Strip NestEmitter::evalCat(Operation *op, unsigned point) {
  Point p = points[point];
  int64_t n =
      llvm::cast<RankedTensorType>(op->getOperand(0).getType()).getDimSize(0);
  // Both halves are read at an index inside them.
  auto [half, rest] = splitIndex(p.index[0], n);
  p.index[0] = rest;
  unsigned inner = intern(p);
  if (auto k = half.isUniform() ? constantInt(half.value) : std::nullopt)
    return eval(op->getOperand(*k ? 1 : 0), inner);
  Strip c;
  if (half.isUniform()) {
    insertFor(half.value);
    c = Strip::uniform(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                             half.value, kernel.constI64(0)));
  } else {
    Value v = vecOffset(half);
    insertFor(v);
    c = Strip::vector(arith::CmpIOp::create(
        b, loc, arith::CmpIPredicate::eq, v,
        kernel.ops.constant(b, loc, b.getI64IntegerAttr(0), lanes)));
  }
  Strip x = eval(op->getOperand(0), inner), y = eval(op->getOperand(1), inner);
  return bad ? Strip() : select(loc, c, x, y);
}

//===----------------------------------------------------------------------===//
// Elementwise operations
//===----------------------------------------------------------------------===//

Strip NestEmitter::evalElementwise(Operation *op, unsigned point,
                                   unsigned result) {
  SmallVector<Strip> in;
  bool uniform = true, vector = false, assumed = false;
  for (Value v : op->getOperands()) {
    in.push_back(eval(v, point));
    if (bad)
      return {};
    uniform &= in.back().isUniform();
    vector |= in.back().isVector();
    assumed |= in.back().assumed;
  }
  loc = op->getLoc();
  Type element = getElementTypeOrSelf(op->getResult(result).getType());

  if (!uniform || isa<tt::AddPtrOp>(op)) {
    if (isa<tt::AddPtrOp>(op)) {
      int64_t size = kernel.ops.bytes(
          llvm::cast<tt::PointerType>(element).getPointeeType());
      return add(in[0], mulConst(castStrip(in[1], b.getI64Type(), true), size));
    }
    if (isa<arith::SelectOp>(op))
      return select(loc, in[0], in[1], in[2]);
    // Integers narrower than indices wrap around within ordinary tiles.
    bool wraps = element.isInteger() && element.getIntOrFloatBitWidth() < 32;
    if (!vector && isa<IntegerType>(element) && !wraps) {
      if (isa<arith::AddIOp>(op))
        return add(in[0], in[1]);
      if (isa<arith::SubIOp>(op))
        return sub(in[0], in[1]);
      if (isa<arith::MulIOp>(op) && (in[0].isUniform() || in[1].isUniform()))
        return mul(in[0], in[1]);
      if (isa<arith::ExtSIOp, arith::IndexCastOp>(op))
        return castStrip(in[0], element, true);
      if (isa<arith::ExtUIOp>(op))
        return castStrip(in[0], element, false);
      if (isa<arith::TruncIOp>(op))
        return castStrip(in[0], element, true);
      if (isa<arith::ShLIOp>(op) && in[1].isUniform())
        if (auto c = constantInt(in[1].value); c && *c >= 0 && *c < 32)
          return mulConst(in[0], int64_t(1) << *c);
      if (isa<arith::RemSIOp, arith::RemUIOp, arith::DivSIOp, arith::DivUIOp>(
              op)) {
        bool isSigned = isa<arith::RemSIOp, arith::DivSIOp>(op);
        if (auto qr = assumeQuotient(in[0], in[1], isSigned))
          return isa<arith::RemSIOp, arith::RemUIOp>(op) ? qr->second
                                                         : qr->first;
      }
    }
  }

  if (!uniform && isa<arith::DivFOp>(op) && element.isF32() &&
      in[1].isUniform())
    return divideByUniform(in[0], in[1]);

  SmallVector<Value> operands;
  unsigned level = 0;
  for (Strip &s : in) {
    operands.push_back(uniform ? uniformValue(s) : vec(s));
    level = std::max(level, levelOf(operands.back()));
  }
  insertAt(level);
  auto results = kernel.ops.emit(b, op, operands, uniform ? 0 : lanes);
  if (failed(results)) {
    bad = true;
    return {};
  }
  Strip wanted;
  for (auto [i, v] : llvm::enumerate(*results)) {
    Strip s =
        wrap(v, getElementTypeOrSelf(op->getResult(i).getType()), uniform);
    s.assumed = assumed;
    if (i == result)
      wanted = s;
    else
      memoize(op->getResult(i), point, s);
  }
  return wanted;
}

// x / d for a whole row: a product with 1 / d, computed once. Triton's f32
// division is exact to 2 ulp, and so is this: d is first scaled by a power of
// two to where its reciprocal is a normal number.
Strip NestEmitter::divideByUniform(Strip x, Strip d) {
  Value v = d.value;
  insertFor(v);
  auto c = [&](double value) {
    return kernel.constant(b.getF32FloatAttr(value));
  };
  Value size = math::AbsFOp::create(b, loc, v);
  Value large =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, size, c(0x1p64));
  Value small = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, size,
                                      c(0x1p-64));
  Value scale = arith::SelectOp::create(
      b, loc, large, c(0x1p-64),
      arith::SelectOp::create(b, loc, small, c(0x1p64), c(1.0)));
  Value inverse = arith::DivFOp::create(
      b, loc, c(1.0), arith::MulFOp::create(b, loc, v, scale));
  Value lhs = vec(x), wideInverse = vec(Strip::uniform(inverse)),
        wideScale = vec(Strip::uniform(scale));
  insertFor(lhs, wideInverse, wideScale);
  Value r = arith::MulFOp::create(b, loc, lhs, wideInverse);
  Strip s = Strip::vector(arith::MulFOp::create(b, loc, r, wideScale));
  s.assumed = x.assumed || d.assumed;
  return s;
}

//===----------------------------------------------------------------------===//
// Loads and their masks
//===----------------------------------------------------------------------===//

// In the fast version, every part of a mask that compares ranges becomes a
// bound on how far that version runs; what remains is computed.
Strip NestEmitter::evalMask(Value v, unsigned point) {
  if (version != Version::Fast)
    return eval(v, point);
  Strip yes = Strip::uniform(kernel.constInt(b.getI1Type(), 1));
  Operation *op = v.getDefiningOp();
  if (Buffer *buffer = kernel.buffer(v); op && (!buffer || !buffer->complete)) {
    if (assumedMasks.count({v, point})) {
      yes.assumed = true;
      return yes;
    }
    if (isa<arith::AndIOp>(op)) {
      Strip x = evalMask(op->getOperand(0), point);
      Strip y = evalMask(op->getOperand(1), point);
      if (bad)
        return {};
      bool assumed = x.assumed || y.assumed;
      Strip r;
      if (isTrue(x))
        r = y;
      else if (isTrue(y))
        r = x;
      else
        r = evalElementwise(op, point, 0);
      r.assumed |= assumed;
      return r;
    }
    if (isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, tt::ReshapeOp>(op))
      return evalMask(op->getOperand(0), *throughShape(op, point));
    if (auto cmp = dyn_cast<arith::CmpIOp>(op)) {
      Strip x = eval(cmp.getLhs(), point), y = eval(cmp.getRhs(), point);
      if (bad)
        return {};
      if (!(x.isUniform() && y.isUniform()) &&
          assumeCompare(cmp.getPredicate(), x, y)) {
        assumedMasks[{v, point}] = true;
        yes.assumed = true;
        return yes;
      }
    }
  }
  Strip s = eval(v, point);
  if (bad || isTrue(s) || !rowLevel(s) || !s.isUniform())
    return s;
  if (auto c = constantInt(s.value); c && *c == 0)
    return s;
  insertFor(s.value);
  addBound(arith::SelectOp::create(b, loc, s.value, kernel.constI64(extent),
                                   kernel.constI64(0)));
  assumedMasks[{v, point}] = true;
  yes.assumed = true;
  return yes;
}

Strip NestEmitter::evalLoad(tt::LoadOp op, unsigned point) {
  Strip pointer = eval(op.getPtr(), point);
  if (bad)
    return {};
  loc = op.getLoc();
  loads.insert(op);
  if (version == Version::Fast && kernel.loaded.contains(op) &&
      isa<tt::FuncOp>(op->getParentOp()) &&
      kernel.fetchedAhead.insert(op).second)
    prefetchNext(op, pointer);
  Strip mask, other;
  if (op.getMask()) {
    mask = evalMask(op.getMask(), point);
    if (bad)
      return {};
    bool pin = mask.assumed || pointer.assumed;
    if (!isTrue(mask) && op.getOther()) {
      other = eval(op.getOther(), point);
      if (bad)
        return {};
    }
    loc = op.getLoc();
    return load(loc, pointer, getElementTypeOrSelf(op.getType()), mask, other,
                pin);
  }
  return load(loc, pointer, getElementTypeOrSelf(op.getType()), {}, {},
              pointer.assumed);
}

} // namespace nereid::cpu
