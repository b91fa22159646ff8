//===- Shapes.cpp - Shape operations, which rename registers --------------===//
//
// The layouts of operand and result are such that every thread has what it
// needs: the scalar of a result register is that of the operand's register
// which holds the same element.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::gpu {
namespace {

using Place = SmallVector<int32_t, 5>;
/// From a result's element to the operand's element that it is.
using PlaceMap = llvm::function_ref<Place(ArrayRef<int32_t>)>;

/// The image of every single bit of an input dimension.
SmallVector<Place> basesOf(const LinearLayout &layout, StringRef in) {
  SmallVector<Place> bases;
  for (int32_t bit = 0; bit < layout.inBits(in); ++bit) {
    Place &place = bases.emplace_back();
    for (const LinearLayout::OutDim &out : layout.outDims())
      place.push_back(layout.basis(in, bit, out.name));
  }
  return bases;
}

/// The element of every register of lane 0 of warp 0.
SmallVector<Place> registerPlaces(const LinearLayout &layout) {
  SmallVector<Place> bases = basesOf(layout, "register");
  SmallVector<Place> places(size_t(1) << bases.size(),
                            Place(layout.outDims().size(), 0));
  for (size_t r = 1; r < places.size(); ++r) {
    unsigned low = llvm::countr_zero(r);
    places[r] = places[r & (r - 1)];
    for (auto [value, move] : llvm::zip(places[r], bases[low]))
      value ^= move;
  }
  return places;
}

uint64_t flat(ArrayRef<int32_t> place, const LinearLayout &layout) {
  uint64_t index = 0;
  unsigned shift = 0;
  for (auto [value, out] : llvm::zip(place, layout.outDims())) {
    index |= uint64_t(value) << shift;
    shift += llvm::Log2_32(out.size);
  }
  return index;
}

LogicalResult disagree(Operation *op) {
  return emitError(op->getLoc())
         << "the layouts of '" << op->getName()
         << "' do not agree; this is a mistake of the compiler";
}

/// For every register of `result`, the register of `source` that holds
/// `map(element)`, which must not depend on lane or warp.
LogicalResult matchRegisters(Operation *op, const LinearLayout &result,
                             const LinearLayout &source, PlaceMap map,
                             SmallVectorImpl<int32_t> &out) {
  for (StringRef in : {"lane", "warp"}) {
    SmallVector<Place> to = basesOf(result, in), from = basesOf(source, in);
    for (size_t bit = 0; bit < std::max(to.size(), from.size()); ++bit) {
      Place wanted =
          map(bit < to.size() ? to[bit] : Place(result.outDims().size(), 0));
      Place there =
          bit < from.size() ? from[bit] : Place(source.outDims().size(), 0);
      if (wanted != there)
        return disagree(op);
    }
  }
  DenseMap<uint64_t, int32_t> registerOf;
  for (auto [r, place] : llvm::enumerate(registerPlaces(source)))
    registerOf.try_emplace(flat(place, source), int32_t(r));
  for (const Place &place : registerPlaces(result)) {
    auto found = registerOf.find(flat(map(place), source));
    if (found == registerOf.end())
      return disagree(op);
    out.push_back(found->second);
  }
  return success();
}

LinearLayout layoutOf(Value value) {
  return tgpu::getLayout(value.getType()).getLinear();
}

/// An operation of one tensor operand and one tensor result.
LogicalResult rename(Emitter &e, Operation *op, PlaceMap map) {
  Value source = op->getOperand(0), result = op->getResult(0);
  SmallVector<int32_t> from;
  if (failed(matchRegisters(op, layoutOf(result), layoutOf(source), map, from)))
    return failure();
  ArrayRef<Value> held = e.get(source);
  Registers registers;
  for (int32_t r : from)
    registers.push_back(held[r]);
  e.set(result, std::move(registers));
  return success();
}

LogicalResult emitMakeRange(Emitter &e, Operation *op) {
  auto range = cast<tt::MakeRangeOp>(op);
  Location loc = op->getLoc();
  Type type = e.scalarType(range.getType());
  Registers registers;
  for (auto &element : e.elements(loc, layoutOf(range))) {
    Value value = element.front();
    if (range.getStart())
      value = arith::AddIOp::create(e.builder, loc, value,
                                    e.i32(loc, range.getStart()));
    if (type != value.getType())
      value = arith::ExtSIOp::create(e.builder, loc, type, value);
    registers.push_back(value);
  }
  e.set(range, std::move(registers));
  return success();
}

LogicalResult emitSplat(Emitter &e, Operation *op) {
  auto splat = cast<tt::SplatOp>(op);
  e.set(splat,
        Registers(e.count(splat.getType()), e.getScalar(splat.getSrc())));
  return success();
}

// Every thread holds the one element in every register.
LogicalResult emitUnsplat(Emitter &e, Operation *op) {
  auto unsplat = cast<tt::UnsplatOp>(op);
  e.set(unsplat, {e.get(unsplat.getSrc()).front()});
  return success();
}

LogicalResult emitExpandDims(Emitter &e, Operation *op) {
  unsigned axis = cast<tt::ExpandDimsOp>(op).getAxis();
  return rename(e, op, [&](ArrayRef<int32_t> place) {
    Place source(place);
    source.erase(source.begin() + axis);
    return source;
  });
}

LogicalResult emitBroadcast(Emitter &e, Operation *op) {
  ArrayRef<int64_t> shape = tt::getShape(op->getOperand(0).getType());
  return rename(e, op, [&](ArrayRef<int32_t> place) {
    Place source(place);
    for (auto [value, size] : llvm::zip(source, shape))
      if (size == 1)
        value = 0;
    return source;
  });
}

LogicalResult emitTrans(Emitter &e, Operation *op) {
  ArrayRef<int32_t> order = cast<tt::TransOp>(op).getOrder();
  return rename(e, op, [&](ArrayRef<int32_t> place) {
    Place source(place.size());
    for (auto [dim, from] : llvm::enumerate(order))
      source[from] = place[dim];
    return source;
  });
}

// The elements keep their row-major order.
LogicalResult emitReshape(Emitter &e, Operation *op) {
  ArrayRef<int64_t> to = tt::getShape(op->getResult(0).getType());
  ArrayRef<int64_t> from = tt::getShape(op->getOperand(0).getType());
  return rename(e, op, [&](ArrayRef<int32_t> place) {
    int64_t index = 0;
    for (auto [value, size] : llvm::zip(place, to))
      index = index * size + value;
    Place source(from.size());
    for (size_t dim = from.size(); dim-- > 0; index /= from[dim])
      source[dim] = int32_t(index % from[dim]);
    return source;
  });
}

/// True in threads that hold side 1 of the last dimension; null where that is
/// not a matter of the thread.
Value placeBit(Emitter &e, Location loc, const LinearLayout &layout) {
  StringRef last = layout.outDims().back().name;
  bool depends = false;
  for (StringRef in : {"lane", "warp"})
    for (int32_t bit = 0; bit < layout.inBits(in); ++bit)
      depends |= layout.basis(in, bit, last) != 0;
  if (!depends)
    return {};
  Value side = e.threadPart(loc, layout).back();
  return arith::CmpIOp::create(e.builder, loc, arith::CmpIPredicate::ne, side,
                               e.i32(loc, 0));
}

LogicalResult emitJoin(Emitter &e, Operation *op) {
  auto join = cast<tt::JoinOp>(op);
  LinearLayout result = layoutOf(join);
  Registers registers;
  if (!isa<RankedTensorType>(join.getLhs().getType())) {
    // Two scalars: each thread picks what its place holds.
    Location loc = op->getLoc();
    Value left = e.getScalar(join.getLhs()), right = e.getScalar(join.getRhs());
    for (auto &element : e.elements(loc, result)) {
      Value first =
          arith::CmpIOp::create(e.builder, loc, arith::CmpIPredicate::eq,
                                element.back(), e.i32(loc, 0));
      registers.push_back(
          arith::SelectOp::create(e.builder, loc, first, left, right));
    }
    e.set(join, std::move(registers));
    return success();
  }
  // Where lanes or warps tell the sides apart, registers stay in place.
  Value right = placeBit(e, op->getLoc(), result);
  SmallVector<int32_t> from;
  if (failed(matchRegisters(
          op, result, layoutOf(join.getLhs()),
          [](ArrayRef<int32_t> place) { return Place(place.drop_back()); },
          from)))
    return failure();
  for (auto [place, r] : llvm::zip(registerPlaces(result), from)) {
    Value first = e.get(join.getLhs())[r], second = e.get(join.getRhs())[r];
    if (right)
      registers.push_back(arith::SelectOp::create(e.builder, op->getLoc(),
                                                  right, second, first));
    else
      registers.push_back(place.back() ? second : first);
  }
  e.set(join, std::move(registers));
  return success();
}

LogicalResult emitSplit(Emitter &e, Operation *op) {
  auto split = cast<tt::SplitOp>(op);
  LinearLayout source = layoutOf(split.getSrc());
  for (unsigned side : {0u, 1u}) {
    Value result = op->getResult(side);
    Registers registers;
    ArrayRef<Value> held = e.get(split.getSrc());
    if (!isa<RankedTensorType>(result.getType())) {
      // A pair of scalars: the register whose element is `side`.
      for (auto [r, place] : llvm::enumerate(registerPlaces(source)))
        if (uint32_t(place.back()) == side && registers.empty())
          registers.push_back(held[r]);
      if (registers.empty())
        return disagree(op);
    } else {
      SmallVector<int32_t> from;
      if (failed(matchRegisters(
              op, layoutOf(result), source,
              [&](ArrayRef<int32_t> place) {
                Place all(place);
                // Lanes and warps do not tell the sides apart.
                all.push_back(0);
                return all;
              },
              from)))
        return failure();
      if (side == 1) {
        from.clear();
        DenseMap<uint64_t, int32_t> registerOf;
        for (auto [r, place] : llvm::enumerate(registerPlaces(source)))
          registerOf.try_emplace(flat(place, source), int32_t(r));
        for (Place place : registerPlaces(layoutOf(result))) {
          place.push_back(1);
          auto found = registerOf.find(flat(place, source));
          if (found == registerOf.end())
            return disagree(op);
          from.push_back(found->second);
        }
      }
      for (int32_t r : from)
        registers.push_back(held[r]);
    }
    e.set(result, std::move(registers));
  }
  return success();
}

} // namespace

void addShapes(EmitTable &table) {
  table["tt.make_range"] = emitMakeRange;
  table["tt.splat"] = emitSplat;
  table["tt.unsplat"] = emitUnsplat;
  table["tt.expand_dims"] = emitExpandDims;
  table["tt.broadcast"] = emitBroadcast;
  table["tt.trans"] = emitTrans;
  table["tt.reshape"] = emitReshape;
  table["tt.join"] = emitJoin;
  table["tt.split"] = emitSplit;
}

} // namespace nereid::gpu
