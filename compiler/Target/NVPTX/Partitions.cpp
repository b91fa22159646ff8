//===- Partitions.cpp - Groups of warps with code of their own ------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::nvptx {
namespace {

//===-- Private variables -------------------------------------------------===//

// LLVM turns them into registers, wherever they are read and written.
LogicalResult emitVariable(gpu::Emitter &e, Operation *op) {
  auto variable = cast<tgpu::VariableOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  Operation *function = b.getInsertionBlock()->getParentOp();
  while (!isa<LLVM::LLVMFuncOp>(function))
    function = function->getParentOp();
  Value place;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function->getRegion(0).front());
    place = LLVM::AllocaOp::create(b, loc,
                                   LLVM::LLVMPointerType::get(b.getContext()),
                                   b.getI32Type(), constantInt(b, loc, 32, 1));
  }
  LLVM::StoreOp::create(b, loc, e.getScalar(variable.getInit()), place);
  e.set(variable.getResult(), {place});
  return success();
}

LogicalResult emitVariableGet(gpu::Emitter &e, Operation *op) {
  auto get = cast<tgpu::VariableGetOp>(op);
  e.set(get.getResult(),
        {LLVM::LoadOp::create(e.builder, op->getLoc(), e.builder.getI32Type(),
                              e.getScalar(get.getVariable()))});
  return success();
}

LogicalResult emitVariableSet(gpu::Emitter &e, Operation *op) {
  auto set = cast<tgpu::VariableSetOp>(op);
  LLVM::StoreOp::create(e.builder, op->getLoc(), e.getScalar(set.getValue()),
                        e.getScalar(set.getVariable()));
  return success();
}

//===-- Partitions --------------------------------------------------------===//

/// A partition that has no tensors and never meets does all its work in one
/// warp; the others would only wait beside it.
bool fitsOneWarp(Region &region) {
  WalkResult result = region.walk([](Operation *op) {
    auto isTensor = [](Type type) { return isa<RankedTensorType>(type); };
    return isa<tgpu::SyncThreadsOp>(op) ||
                   llvm::any_of(op->getOperandTypes(), isTensor) ||
                   llvm::any_of(op->getResultTypes(), isTensor)
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  return !result.wasInterrupted();
}

LogicalResult emitGroups(gpu::Emitter &e, Operation *op) {
  auto groups = cast<tgpu::WarpSpecializeOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  auto launch =
      e.module()->getAttrOfType<IntegerAttr>(tgpu::kLaunchRegistersAttr);
  e.maxRegisters = launch ? int32_t(launch.getInt()) : 0;
  OpBuilder::InsertionGuard guard(b);
  Value warp = e.warp();
  auto isBelow = [&](int32_t bound) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, warp,
                                 e.i32(loc, bound));
  };
  int32_t first = 0;
  for (auto [i, region] : llvm::enumerate(groups.getPartitions())) {
    int32_t warps = groups.getWarps()[i];
    bool isLast = i + 1 == groups.getPartitions().size();
    scf::IfOp branch;
    if (!isLast) {
      branch = scf::IfOp::create(b, loc, isBelow(first + warps),
                                 /*withElseRegion=*/true);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    // The number of registers changes for whole warpgroups at once.
    int32_t registers = groups.getRegisters()[i];
    if (e.maxRegisters && registers != e.maxRegisters)
      inlineAsm(b, loc, {},
                std::string("setmaxnreg.") +
                    (registers > e.maxRegisters ? "inc" : "dec") +
                    ".sync.aligned.u32 " + std::to_string(registers) + ";",
                "", {});
    bool oneWarp = warps > 1 && fitsOneWarp(region);
    if (oneWarp) {
      auto alone = scf::IfOp::create(b, loc, isBelow(first + 1),
                                     /*withElseRegion=*/false);
      b.setInsertionPointToStart(alone.thenBlock());
    }
    Block &body = region.front();
    if (failed(e.inPartition(oneWarp ? 1 : warps, first, int(i + 1),
                             [&] { return e.emitBody(body); })))
      return failure();
    if (branch)
      b.setInsertionPointToStart(branch.elseBlock());
    first += warps;
  }
  return success();
}

// Nothing comes after the partitions but the end of the kernel, or all warps
// meet first.
LogicalResult emitWarpSpecialize(gpu::Emitter &e, Operation *op) {
  if (failed(emitGroups(e, op)))
    return failure();
  if (!op->getNextNode()->hasTrait<OpTrait::IsTerminator>())
    e.syncThreads(op->getLoc());
  return success();
}

} // namespace

void addPartitions(gpu::EmitTable &table) {
  table["tgpu.variable"] = emitVariable;
  table["tgpu.variable_get"] = emitVariableGet;
  table["tgpu.variable_set"] = emitVariableSet;
  table["tgpu.warp_specialize"] = emitWarpSpecialize;
}

} // namespace nereid::nvptx
