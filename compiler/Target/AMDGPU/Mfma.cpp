//===- Mfma.cpp - Products by matrix fused multiply-add -------------------===//
//
// v_mfma_f32_16x16x16 of f16 and bf16, which every chip from gfx90a on has.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/AMDGPU/Hooks.h"
#include "compiler/Target/GPU/Fragments.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <map>

using namespace mlir;
using nereid::gpu::Element;
using nereid::gpu::Emitter;
using nereid::gpu::Registers;
using nereid::gpu::WarpDot;

namespace nereid::amdgpu {
namespace {

Value gather(OpBuilder &b, Location loc, ValueRange values) {
  Type type = VectorType::get(int64_t(values.size()), values[0].getType());
  Value whole = LLVM::PoisonOp::create(b, loc, type);
  for (auto [i, value] : llvm::enumerate(values))
    whole = LLVM::InsertElementOp::create(b, loc, whole, value,
                                          constantInt(b, loc, 32, int64_t(i)));
  return whole;
}

LogicalResult emitDot(Emitter &emitter, Operation *op) {
  auto dot = cast<tt::DotOp>(op);
  Type a = dot.getA().getType().getElementType();
  Type c = dot.getC().getType().getElementType();
  bool isBF16 = a.isBF16();
  bool hasInstruction = emitter.target.matrixUnit == MatrixUnit::MFMA &&
                        (a.isF16() || isBF16) &&
                        a == dot.getB().getType().getElementType() &&
                        isa<FloatType>(c) && !c.isF64();
  if (!hasInstruction)
    return gpu::emitThreadDot(emitter, op);
  auto grid =
      WarpDot::match(emitter, dot, tgpu::MatrixInstruction::AMD_16x16x16, 16);
  if (!grid)
    return gpu::emitThreadDot(emitter, op);

  OpBuilder &b = emitter.builder;
  Location loc = op->getLoc();
  Type f32 = b.getF32Type();
  Registers result(emitter.get(dot.getC()));
  if (c != f32)
    for (Value &value : result)
      value = arith::ExtFOp::create(b, loc, f32, value);

  // Fragments are made once for all instructions that share them.
  std::map<std::vector<int32_t>, Value> fragments;
  auto fragment = [&](unsigned operand, const Element &origin, int32_t step) {
    std::vector<int32_t> key(origin.begin(), origin.end());
    key[key.size() - (operand == 0 ? 1 : 2)] = step;
    key.push_back(int32_t(operand));
    auto [slot, isNew] = fragments.try_emplace(key);
    if (isNew) {
      Value vector = gather(b, loc, grid->fragment(operand, origin, step));
      if (isBF16) // the intrinsic takes their bits
        vector = LLVM::BitcastOp::create(
            b, loc, VectorType::get({4}, b.getI16Type()), vector);
      slot->second = vector;
    }
    return slot->second;
  };

  StringRef name = isBF16 ? "llvm.amdgcn.mfma.f32.16x16x16bf16.1k"
                          : "llvm.amdgcn.mfma.f32.16x16x16f16";
  Value none = constantInt(b, loc, 32, 0);
  for (int32_t step = 0; step < grid->kSteps(); ++step)
    for (const Element &origin : grid->origins()) {
      auto registers = grid->accumulator(origin);
      Registers before;
      for (int32_t reg : registers)
        before.push_back(result[reg]);
      Value sum = gather(b, loc, before);
      sum = intrinsic(b, loc, sum.getType(), name,
                      {fragment(0, origin, step), fragment(1, origin, step),
                       sum, none, none, none});
      // Where several registers are one they hold the same.
      for (auto [i, reg] : llvm::enumerate(registers))
        result[reg] = LLVM::ExtractElementOp::create(
            b, loc, sum, constantInt(b, loc, 32, int64_t(i)));
    }
  if (c != f32)
    for (Value &value : result)
      value = arith::TruncFOp::create(b, loc, c, value);
  emitter.set(dot.getResult(), std::move(result));
  return success();
}

} // namespace

void addMfma(gpu::EmitTable &table) { table["tt.dot"] = emitDot; }

} // namespace nereid::amdgpu
