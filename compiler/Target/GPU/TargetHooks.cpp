//===- TargetHooks.cpp - What most GPUs do alike --------------------------===//

#include "compiler/Target/GPU/TargetHooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::gpu {

static unsigned bytesOf(Type type) {
  return isa<LLVM::LLVMPointerType>(type)
             ? 8
             : std::max(1u, type.getIntOrFloatBitWidth() / 8);
}

void TargetHooks::barrierOfHalf(Builder &b, Loc loc, Value takesPart,
                                bool /*second*/, int id, int threads,
                                ValueRange /*ready*/) {
  auto branch = scf::IfOp::create(b, loc, takesPart, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  barrier(b, loc, id, threads);
}

SmallVector<Value> TargetHooks::loadShared(Builder &b, Loc loc, Value pointer,
                                           Type type, int count, Value pred) {
  // A truth value is a byte in memory.
  Type held = type.isInteger(1) ? Type(b.getI8Type()) : type;
  Type whole = count == 1 ? held : Type(VectorType::get(count, held));
  auto access = [&]() -> Value {
    return LLVM::LoadOp::create(b, loc, whole, pointer, bytesOf(held) * count);
  };
  Value loaded;
  if (pred) {
    auto branch = scf::IfOp::create(b, loc, TypeRange{whole}, pred, true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, loc, access());
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc,
                         LLVM::UndefOp::create(b, loc, whole).getResult());
    loaded = branch.getResult(0);
  } else {
    loaded = access();
  }
  SmallVector<Value> values;
  for (int i = 0; i < count; ++i) {
    Value value = loaded;
    if (count > 1)
      value = LLVM::ExtractElementOp::create(
          b, loc, loaded,
          LLVM::ConstantOp::create(b, loc, b.getI32Type(),
                                   b.getI32IntegerAttr(i)));
    if (held != type)
      value = LLVM::TruncOp::create(b, loc, type, value);
    values.push_back(value);
  }
  return values;
}

void TargetHooks::storeShared(Builder &b, Loc loc, Value pointer,
                              ValueRange values, Value pred) {
  SmallVector<Value> held;
  for (Value value : values)
    held.push_back(
        value.getType().isInteger(1)
            ? LLVM::ZExtOp::create(b, loc, b.getI8Type(), value).getResult()
            : value);
  OpBuilder::InsertionGuard guard(b);
  if (pred) {
    auto branch = scf::IfOp::create(b, loc, pred, false);
    b.setInsertionPointToStart(branch.thenBlock());
  }
  Value whole = held.front();
  if (held.size() > 1) {
    Type type = VectorType::get(int64_t(held.size()), whole.getType());
    whole = LLVM::UndefOp::create(b, loc, type);
    for (auto [i, value] : llvm::enumerate(held))
      whole = LLVM::InsertElementOp::create(
          b, loc, whole, value,
          LLVM::ConstantOp::create(b, loc, b.getI32Type(),
                                   b.getI32IntegerAttr(int32_t(i))));
  }
  LLVM::StoreOp::create(b, loc, whole, pointer,
                        bytesOf(held.front().getType()) * held.size());
}

} // namespace nereid::gpu
