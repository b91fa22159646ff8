//===- Strides.cpp - How addresses change along a dimension ---------------===//
//
// A look at the tile program alone, before anything is emitted: it decides
// along which dimension strips run.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/CPU/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nereid::cpu {

static DimStride add(DimStride a, DimStride b, int64_t sign = 1) {
  using K = DimStride::Kind;
  if (a.kind == K::Unknown || b.kind == K::Unknown)
    return DimStride::unknown();
  if (a.kind == K::Constant && b.kind == K::Constant)
    return DimStride::constant(a.value + sign * b.value);
  if (a.kind == K::Constant && a.value == 0)
    return b;
  if (b.kind == K::Constant && b.value == 0)
    return a;
  return DimStride::runtime();
}

DimStride dimStride(Value v, unsigned dim) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  if (!type || dim >= type.getRank() || type.getDimSize(dim) == 1)
    return DimStride::constant(0);
  Operation *op = v.getDefiningOp();
  if (!op)
    return DimStride::unknown();
  if (tt::getSplatSource(v))
    return DimStride::constant(0);
  if (isa<tt::MakeRangeOp>(op))
    return DimStride::constant(1);
  if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
    if (dim == expand.getAxis())
      return DimStride::constant(0);
    return dimStride(expand.getSrc(), dim - (dim > expand.getAxis()));
  }
  if (auto broadcast = dyn_cast<tt::BroadcastOp>(op))
    return dimStride(broadcast.getSrc(), dim);
  if (auto trans = dyn_cast<tt::TransOp>(op))
    return dimStride(trans.getSrc(), trans.getOrder()[dim]);
  if (auto reshape = dyn_cast<tt::ReshapeOp>(op)) {
    // Only dimensions of size one come and go, or the innermost one stays.
    auto from = cast<RankedTensorType>(reshape.getSrc().getType()).getShape();
    SmallVector<unsigned> real;
    for (auto [i, size] : llvm::enumerate(from))
      if (size != 1)
        real.push_back(i);
    unsigned k = 0, count = 0;
    for (auto [i, size] : llvm::enumerate(type.getShape())) {
      if (size == 1)
        continue;
      if (i < dim)
        ++k;
      ++count;
    }
    if (count == real.size() && from[real[k]] == type.getDimSize(dim))
      return dimStride(reshape.getSrc(), real[k]);
    if (k + 1 == count && !real.empty())
      return dimStride(reshape.getSrc(), real.back());
    return DimStride::unknown();
  }
  auto in = [&](unsigned i) { return dimStride(op->getOperand(i), dim); };
  if (isa<tt::AddPtrOp, arith::AddIOp>(op))
    return add(in(0), in(1));
  if (isa<arith::SubIOp>(op))
    return add(in(0), in(1), -1);
  if (isa<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::IndexCastOp,
          tt::BitcastOp>(op))
    return in(0);
  // A range that wraps around is mostly inside.
  if (isa<arith::RemSIOp, arith::RemUIOp>(op)) {
    DimStride b = in(1);
    return b.kind == DimStride::Kind::Constant && b.value == 0
               ? in(0)
               : DimStride::unknown();
  }
  if (isa<arith::MulIOp>(op)) {
    DimStride x = in(0), y = in(1);
    for (int side = 0; side < 2; ++side) {
      if (y.kind == DimStride::Kind::Constant && y.value == 0) {
        // x times something that does not change along this dimension.
        if (x.kind == DimStride::Kind::Constant && x.value == 0)
          return x;
        if (auto splat = tt::getSplatSource(op->getOperand(1 - side)))
          if (auto c = dyn_cast_or_null<IntegerAttr>(splat.attr);
              c && x.kind == DimStride::Kind::Constant)
            return DimStride::constant(x.value * c.getInt());
        if (x.kind != DimStride::Kind::Unknown)
          return DimStride::runtime();
      }
      std::swap(x, y);
    }
    return DimStride::unknown();
  }
  // Anything else is constant where its operands are.
  for (Value operand : op->getOperands()) {
    DimStride s = dimStride(operand, dim);
    if (s.kind != DimStride::Kind::Constant || s.value != 0)
      return DimStride::unknown();
  }
  return op->getNumRegions() == 0 && op->getNumOperands()
             ? DimStride::constant(0)
             : DimStride::unknown();
}

} // namespace nereid::cpu
