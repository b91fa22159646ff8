//===- DotLayouts.cpp - How a product wants to be computed ----------------===//

#include "compiler/Transforms/DotLayouts.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace nereid::tgpu {
namespace {

bool isFloat8(Type type) {
  return isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8;
}

/// The 8-bit formats that NVIDIA's matrix units know.
bool isMatrixFloat8(Type type) {
  return isa<Float8E4M3FNType, Float8E5M2Type>(type);
}

bool is16Bit(Type type) { return type.isF16() || type.isBF16(); }

bool passesElements(Operation *op) {
  return isa<tt::TransOp, ConvertLayoutOp, tt::ReshapeOp, tt::BroadcastOp,
             tt::ExpandDimsOp>(op);
}

//===-- What stands around a dot ------------------------------------------===//

/// The dot of the same block from whose result `value` is computed, or null.
tt::DotOp dotBehind(Value value, Block *block) {
  SetVector<Operation *> slice;
  auto visit = [&](Value operand) {
    Operation *op = operand.getDefiningOp();
    if (op && op->getBlock() == block &&
        isa<RankedTensorType>(operand.getType()))
      slice.insert(op);
  };
  visit(value);
  for (size_t i = 0; i < slice.size(); ++i) {
    if (auto dot = dyn_cast<tt::DotOp>(slice[i]))
      return dot;
    for (Value operand : slice[i]->getOperands())
      visit(operand);
  }
  return {};
}

/// Whether another dot of the same block takes as its left operand what is
/// computed, element by element, from this one's result.
bool feedsAnotherDot(tt::DotOp dot) {
  SetVector<Value> values;
  values.insert(dot.getResult());
  for (size_t i = 0; i < values.size(); ++i)
    for (OpOperand &use : values[i].getUses()) {
      Operation *user = use.getOwner();
      if (user->getBlock() != dot->getBlock())
        continue;
      if (auto next = dyn_cast<tt::DotOp>(user)) {
        if (next != dot && use.getOperandNumber() == 0)
          return true;
        continue;
      }
      if (isa<tt::TransOp>(user))
        continue;
      for (Value result : user->getResults())
        if (isa<RankedTensorType>(result.getType()))
          values.insert(result);
    }
  return false;
}

bool isChained(tt::DotOp dot) {
  return feedsAnotherDot(dot) || dotBehind(dot.getA(), dot->getBlock());
}

/// Whether the left operand is computed where the dot stands. What is loaded
/// goes to shared memory as it is, and so does what was computed before the
/// loop: it would hold registers all along.
bool isComputedHere(tt::DotOp dot) {
  Value value = dot.getA();
  while (Operation *op = value.getDefiningOp()) {
    if (op->getBlock() != dot->getBlock())
      return false;
    if (isa<tt::LoadOp, tt::DescriptorLoadOp, MapLoadOp, LocalLoadOp,
            tt::SplatOp, arith::ConstantOp>(op))
      return false;
    if (!passesElements(op))
      return true;
    value = op->getOperand(0);
  }
  return false;
}

//===-- Warps -------------------------------------------------------------===//

/// Warps per dimension for fragments of `tile` elements. What a warp reads is
/// proportional to the rows plus the columns of its part, so both are kept
/// even; a dot in a chain keeps its warps on the rows, so that its result is
/// the next one's operand within each warp.
SmallVector<int32_t, 3> spreadWarps(ArrayRef<int64_t> shape,
                                    ArrayRef<int64_t> tile, int32_t numWarps,
                                    bool chained) {
  bool batched = shape.size() == 3;
  int64_t rows = shape[batched], columns = shape[batched + 1];
  SmallVector<int32_t, 3> warps = {1, 1};
  int32_t batch = 1, left = numWarps;
  for (; batched && left > 1 && batch < shape[0]; left /= 2)
    batch *= 2;
  for (; left > 1; left /= 2) {
    bool rowsSplit = rows > tile[0], columnsSplit = columns > tile[1];
    bool toRows = rowsSplit && (chained || !columnsSplit || rows >= columns);
    if (!rowsSplit && !columnsSplit)
      toRows = true; // copies, wherever
    (toRows ? rows : columns) /= 2;
    warps[toRows ? 0 : 1] *= 2;
  }
  if (batched)
    warps.insert(warps.begin(), batch);
  return warps;
}

//===-- Multiply-adds -----------------------------------------------------===//

/// The accumulator when threads multiply and add: up to 4 x 4 neighbours per
/// thread, for eight values read give sixteen products.
LinearLayout threadAccumulator(ArrayRef<int64_t> shape, int32_t lanes,
                               int32_t numWarps) {
  unsigned rank = shape.size(), row = rank - 2, column = rank - 1;
  SmallVector<LinearLayout::InDim, 4> ins = {
      {"register", {}}, {"lane", {}}, {"warp", {}}, {"block", {}}};
  SmallVector<int64_t, 3> next(rank, 1);
  int64_t perThread = 1;
  for (int64_t size : shape)
    perThread *= size;
  perThread /= int64_t(lanes) * numWarps;
  auto step = [&](unsigned place, unsigned dim) {
    LinearLayout::Basis basis(rank, 0);
    bool more = next[dim] < shape[dim];
    if (more)
      basis[dim] = int32_t(next[dim]), next[dim] *= 2;
    if (more || place != 0)
      ins[place].bases.push_back(std::move(basis));
    return more;
  };
  for (int bit = 0; bit < 4 && perThread > 1; ++bit)
    if (step(0, bit < 2 ? column : row))
      perThread /= 2;
  for (unsigned place : {1u, 2u}) {
    int32_t count = place == 1 ? lanes : numWarps;
    for (int bit = 0; count > 1; count /= 2, ++bit) {
      // Alternate, so that a warp's part is about square.
      unsigned dim = bit % 2 ? row : column;
      if (next[dim] >= shape[dim])
        dim = bit % 2 ? column : row;
      if (next[dim] >= shape[dim])
        dim = 0;
      step(place, dim);
    }
  }
  for (unsigned dim = rank; dim-- > 0;)
    while (step(0, dim))
      ;
  SmallVector<LinearLayout::OutDim, 4> outs;
  for (unsigned dim = 0; dim < rank; ++dim)
    outs.push_back({"dim" + std::to_string(dim), int32_t(shape[dim])});
  return LinearLayout(std::move(ins), std::move(outs));
}

/// The operand of such a dot: each thread holds all of K for its rows (or
/// columns).
LinearLayout threadOperand(const LinearLayout &accumulator,
                           ArrayRef<int64_t> shape, unsigned operand) {
  unsigned rank = shape.size();
  unsigned inner = operand == 0 ? rank - 1 : rank - 2;
  SmallVector<LinearLayout::InDim, 4> ins(accumulator.inDims());
  for (LinearLayout::InDim &in : ins) {
    SmallVector<LinearLayout::Basis, 8> kept;
    for (LinearLayout::Basis &basis : in.bases) {
      basis[inner] = 0;
      bool moves = llvm::any_of(basis, [](int32_t v) { return v != 0; });
      if (moves || in.name != "register")
        kept.push_back(std::move(basis));
    }
    in.bases = std::move(kept);
  }
  // The last dimension, usually the contiguous one, is in the low registers.
  SmallVector<LinearLayout::Basis, 8> along;
  for (int64_t k = 1; k < shape[inner]; k *= 2) {
    along.emplace_back(rank, 0);
    along.back()[inner] = int32_t(k);
  }
  auto &registers = ins[0].bases;
  registers.insert(operand == 0 ? registers.begin() : registers.end(),
                   along.begin(), along.end());
  SmallVector<LinearLayout::OutDim, 4> outs;
  for (unsigned dim = 0; dim < rank; ++dim)
    outs.push_back({"dim" + std::to_string(dim), int32_t(shape[dim])});
  return LinearLayout(std::move(ins), std::move(outs));
}

//===-- Units -------------------------------------------------------------===//

struct Operands {
  RankedTensorType a, b, c;
  Type element; ///< of a
  tt::InputPrecision precision;
  unsigned rank() const { return c.getRank(); }
  int64_t k() const { return a.getShape().back(); }
  /// f32 operands that may be rounded to tf32 once.
  bool isPlainTF32() const {
    return element.isF32() && precision == tt::InputPrecision::TF32;
  }
};

/// What wgmma computes, in groups of four warps along the rows first.
bool chooseWarpgroup(tt::DotOp dot, const Operands &ops,
                     const TargetInfo &target, int32_t numWarps,
                     DotChoice &choice) {
  if (target.matrixUnit != MatrixUnit::WGMMA || ops.rank() != 2 ||
      numWarps % 4 != 0)
    return false;
  Type types[2] = {ops.element, ops.b.getElementType()};
  bool float8 = isFloat8(types[0]) && isFloat8(types[1]);
  if (float8 && !(isMatrixFloat8(types[0]) && isMatrixFloat8(types[1]))) {
    types[0] = types[1] = Float16Type::get(dot.getContext());
    float8 = false;
  }
  if (!float8 && !is16Bit(types[0]) && !types[0].isInteger(8) &&
      !ops.isPlainTF32())
    return false;
  int64_t rows = ops.c.getShape()[0], columns = ops.c.getShape()[1];
  unsigned bits = types[0].getIntOrFloatBitWidth();
  if (rows < 64 || columns < 8 || ops.k() * bits < 256)
    return false;
  int32_t all = numWarps / 4;
  int32_t groupsOfRows = int32_t(std::min<int64_t>(all, rows / 64));
  int32_t groups[] = {groupsOfRows, all / groupsOfRows};
  if (columns / groups[1] < 8)
    return false;
  choice.unit = DotUnit::Warpgroup;
  choice.accumulator = wgmmaAccumulatorLayout(ops.c.getShape(), groups);
  choice.elementTypes[0] = types[0];
  choice.elementTypes[1] = types[1];
  choice.inRegisters[0] = types[0] != ops.element || isComputedHere(dot);
  choice.inRegisters[1] = false;
  choice.operands[0] = wgmmaOperandLayout(ops.a.getShape(), bits, groups);
  return true;
}

/// What mma.sync computes. A tile smaller than the instruction is padded by
/// the lowering.
bool chooseNvidiaWarp(tt::DotOp dot, const Operands &ops,
                      const TargetInfo &target, int32_t numWarps,
                      DotChoice &choice) {
  Type types[2] = {ops.element, ops.b.getElementType()};
  if (isFloat8(types[0]) &&
      !(multipliesFloat8InWarps(target) && isMatrixFloat8(types[0]) &&
        isMatrixFloat8(types[1])))
    types[0] = types[1] = Float16Type::get(dot.getContext());
  unsigned bits = types[0].getIntOrFloatBitWidth();
  if (types[0].isF32()) {
    if (ops.precision == tt::InputPrecision::IEEE)
      return false;
    if (ops.precision == tt::InputPrecision::BF16x3 ||
        ops.precision == tt::InputPrecision::BF16x6)
      bits = 16; // f32 values in the places where their bf16 parts belong
  }
  constexpr auto instruction = MatrixInstruction::NVIDIA_m16n8;
  auto warps = spreadWarps(ops.c.getShape(), {16, 8}, numWarps, isChained(dot));
  choice.unit = DotUnit::Warp;
  choice.accumulator = accumulatorLayout(ops.c.getShape(), instruction, warps);
  for (unsigned operand : {0u, 1u}) {
    choice.elementTypes[operand] = types[operand];
    choice.operands[operand] =
        operandLayout((operand ? ops.b : ops.a).getShape(), instruction,
                      operand, bits, warps);
  }
  return true;
}

/// What MFMA computes: 16-bit floats, 8-bit ones after conversion.
bool chooseMFMA(tt::DotOp dot, const Operands &ops, int32_t numWarps,
                DotChoice &choice) {
  Type types[2] = {ops.element, ops.b.getElementType()};
  if (isFloat8(types[0]))
    types[0] = types[1] = Float16Type::get(dot.getContext());
  if (!is16Bit(types[0]))
    return false;
  constexpr auto instruction = MatrixInstruction::AMD_16x16x16;
  auto warps =
      spreadWarps(ops.c.getShape(), {16, 16}, numWarps, isChained(dot));
  choice.unit = DotUnit::Warp;
  choice.accumulator = accumulatorLayout(ops.c.getShape(), instruction, warps);
  for (unsigned operand : {0u, 1u}) {
    choice.elementTypes[operand] = types[operand];
    choice.operands[operand] = operandLayout(
        (operand ? ops.b : ops.a).getShape(), instruction, operand, 16, warps);
  }
  return true;
}

} // namespace

DotChoice chooseDot(tt::DotOp dot, const TargetInfo &target, int32_t numWarps) {
  Operands ops;
  ops.a = cast<RankedTensorType>(dot.getA().getType());
  ops.b = cast<RankedTensorType>(dot.getB().getType());
  ops.c = cast<RankedTensorType>(dot.getC().getType());
  ops.element = ops.a.getElementType();
  ops.precision = dot.getInputPrecision();

  DotChoice choice;
  if (chooseWarpgroup(dot, ops, target, numWarps, choice))
    return choice;
  switch (target.matrixUnit) {
  case MatrixUnit::MMAv2:
  case MatrixUnit::WGMMA:
  case MatrixUnit::TCGen05: // has mma.sync too
    if (chooseNvidiaWarp(dot, ops, target, numWarps, choice))
      return choice;
    break;
  case MatrixUnit::MFMA:
    if (chooseMFMA(dot, ops, numWarps, choice))
      return choice;
    break;
  case MatrixUnit::None:
  case MatrixUnit::AMX:
  case MatrixUnit::WMMA:
    break;
  }

  choice.unit = DotUnit::FMA;
  choice.accumulator =
      threadAccumulator(ops.c.getShape(), int32_t(target.warpSize), numWarps);
  for (unsigned operand : {0u, 1u}) {
    RankedTensorType type = operand ? ops.b : ops.a;
    choice.elementTypes[operand] = type.getElementType();
    if (isFloat8(type.getElementType()))
      choice.elementTypes[operand] = Float16Type::get(dot.getContext());
    choice.operands[operand] =
        threadOperand(choice.accumulator, type.getShape(), operand);
  }
  return choice;
}

TileType dotOperandTile(RankedTensorType type, unsigned operand, DotUnit unit,
                        unsigned contiguousDim) {
  unsigned bits = type.getElementTypeBitWidth();
  unsigned inner = unsigned(type.getRank()) - (operand == 0 ? 1 : 2);
  if (unit == DotUnit::Warpgroup && bits != 16)
    contiguousDim = inner;
  return TileType::get(type.getContext(), type.getShape(),
                       type.getElementType(),
                       swizzledTile(type.getShape(), bits, contiguousDim, 128),
                       /*buffers=*/1);
}

} // namespace nereid::tgpu
