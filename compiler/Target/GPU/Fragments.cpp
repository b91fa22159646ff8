//===- Fragments.cpp - A product cut into matrix instructions -------------===//

#include "compiler/Target/GPU/Fragments.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace nereid::tgpu;

namespace nereid::gpu {

//===-- Registers by element ----------------------------------------------===//

RegisterIndex::RegisterIndex(const LinearLayout &layout) {
  for (const LinearLayout::OutDim &out : layout.outDims())
    shape.push_back(out.size);
  for (int32_t reg = 0, n = layout.inSize("register"); reg < n; ++reg) {
    Element element;
    for (const auto &coordinate : layout.apply({{"register", reg}}))
      element.push_back(coordinate.second);
    registers.try_emplace(std::vector<int32_t>(element.begin(), element.end()),
                          reg);
    held.push_back(std::move(element));
  }
}

int32_t RegisterIndex::find(const Element &element) const {
  std::vector<int32_t> key;
  for (auto [value, size] : llvm::zip(element, shape))
    key.push_back(value & (size - 1));
  auto found = registers.find(key);
  return found == registers.end() ? -1 : found->second;
}

//===-- A dot as instructions ---------------------------------------------===//

static LinearLayout layoutOf(Value value) {
  return getLayout(value.getType()).getLinear();
}

std::optional<WarpDot> WarpDot::match(Emitter &emitter, tt::DotOp dot,
                                      MatrixInstruction instruction,
                                      unsigned bits) {
  auto warps = matchAccumulator(layoutOf(dot.getC()), instruction);
  if (!warps)
    return std::nullopt;
  Value operands[] = {dot.getA(), dot.getB()};
  for (unsigned operand : {0u, 1u}) {
    auto type = cast<RankedTensorType>(operands[operand].getType());
    if (layoutOf(operands[operand]) !=
        operandLayout(type.getShape(), instruction, operand, bits, *warps))
      return std::nullopt;
  }
  return WarpDot(emitter, dot, instruction, bits);
}

WarpDot::WarpDot(Emitter &emitter, tt::DotOp dot, MatrixInstruction instruction,
                 unsigned bits)
    : emitter(emitter), dot(dot),
      accumulatorTile(tgpu::accumulatorTile(instruction)),
      operandTiles{operandTile(instruction, 0, bits),
                   operandTile(instruction, 1, bits)},
      accumulators(layoutOf(dot.getC())),
      operands{RegisterIndex(layoutOf(dot.getA())),
               RegisterIndex(layoutOf(dot.getB()))} {
  auto a = cast<RankedTensorType>(dot.getA().getType());
  rank = unsigned(a.getRank());
  k = a.getShape().back();
  int32_t rows = accumulatorTile.outSize("dim0");
  int32_t columns = accumulatorTile.outSize("dim1");
  int32_t tileK = operandTiles[0].outSize("dim1");
  steps = int32_t(std::max<int64_t>(1, k / tileK));
  for (const Element &element : accumulators.elements())
    if (element[rank - 2] % rows == 0 && element[rank - 1] % columns == 0)
      tiles.push_back(element);

  // K is smaller than one instruction's: its lanes beyond K hold copies.
  if (k >= tileK)
    return;
  OpBuilder &b = emitter.builder;
  Location loc = dot.getLoc();
  for (unsigned operand : {0u, 1u}) {
    int32_t mask = 0;
    for (int32_t bit = 0; bit < operandTiles[operand].inBits("lane"); ++bit)
      if (operandTiles[operand].basis("lane", bit, operand ? "dim0" : "dim1") >=
          k)
        mask |= 1 << bit;
    if (!mask)
      continue;
    Value bits =
        arith::AndIOp::create(b, loc, emitter.lane(), emitter.i32(loc, mask));
    laneBeyondK[operand] = arith::CmpIOp::create(
        b, loc, arith::CmpIPredicate::ne, bits, emitter.i32(loc, 0));
  }
}

llvm::SmallVector<int32_t> WarpDot::accumulator(const Element &origin) const {
  SmallVector<int32_t> result;
  for (int32_t reg = 0; reg < accumulatorTile.inSize("register"); ++reg) {
    Element element = origin;
    auto inTile = accumulatorTile.apply({{"register", reg}});
    element[rank - 2] += inTile[0].second;
    element[rank - 1] += inTile[1].second;
    result.push_back(accumulators.find(element));
  }
  return result;
}

Registers WarpDot::fragment(unsigned operand, const Element &origin,
                            int32_t step) {
  const LinearLayout &tile = operandTiles[operand];
  unsigned inner = operand == 0 ? 1 : 0;
  Value value = operand == 0 ? dot.getA() : dot.getB();
  Location loc = dot.getLoc();
  Value zero = emitter.zero(loc, emitter.scalarType(value.getType()));
  ArrayRef<Value> scalars = emitter.get(value);
  Registers result;
  for (int32_t reg = 0; reg < tile.inSize("register"); ++reg) {
    auto inTile = tile.apply({{"register", reg}});
    int32_t kHere = inTile[inner].second + step * (tile.outDims()[inner].size);
    if (kHere >= k) {
      result.push_back(zero);
      continue;
    }
    Element element = origin;
    element[rank - 2 + inner] = kHere;
    element[rank - 1 - inner] += inTile[1 - inner].second;
    Value scalar = scalars[operands[operand].find(element)];
    if (laneBeyondK[operand])
      scalar = arith::SelectOp::create(emitter.builder, loc,
                                       laneBeyondK[operand], zero, scalar);
    result.push_back(scalar);
  }
  return result;
}

} // namespace nereid::gpu
