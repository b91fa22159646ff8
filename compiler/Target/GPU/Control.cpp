//===- Control.cpp - Loops, branches and the program's place --------------===//

#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::gpu {
namespace {

/// Leaves the insertion point where it was, after writing into blocks.
using Guard = OpBuilder::InsertionGuard;

/// The body of a region of one block, with its yield.
LogicalResult emitYielding(Emitter &e, Block &source) {
  if (failed(e.emitBody(source)))
    return failure();
  Operation *last = source.getTerminator();
  scf::YieldOp::create(e.builder, last->getLoc(),
                       e.flatten(last->getOperands()));
  return success();
}

LogicalResult emitFor(Emitter &e, Operation *op) {
  auto loop = cast<scf::ForOp>(op);
  auto copy = scf::ForOp::create(
      e.builder, loop.getLoc(), e.getScalar(loop.getLowerBound()),
      e.getScalar(loop.getUpperBound()), e.getScalar(loop.getStep()),
      e.flatten(loop.getInitArgs()), nullptr, loop.getUnsignedCmp());
  if (Attribute annotation = loop->getAttr("llvm.loop_annotation"))
    copy->setAttr("llvm.loop_annotation", annotation);
  e.set(loop.getInductionVar(), {copy.getInductionVar()});
  {
    Guard guard(e.builder);
    Block *body = copy.getBody();
    body->clear(); // a loop without values comes with a terminator
    e.builder.setInsertionPointToEnd(body);
    e.unflatten(loop.getRegionIterArgs(), ValueRange(copy.getRegionIterArgs()));
    if (failed(emitYielding(e, *loop.getBody())))
      return failure();
  }
  e.unflatten(loop.getResults(), copy.getResults());
  return success();
}

LogicalResult emitIf(Emitter &e, Operation *op) {
  auto branch = cast<scf::IfOp>(op);
  bool hasElse = !branch.getElseRegion().empty();
  auto copy = scf::IfOp::create(
      e.builder, op->getLoc(), e.flattenTypes(op->getResultTypes()),
      e.getScalar(branch.getCondition()), /*addThenBlock=*/true, hasElse);
  {
    Guard guard(e.builder);
    auto side = [&](Region &from, Region &to) {
      if (from.empty())
        return success();
      to.front().clear();
      e.builder.setInsertionPointToEnd(&to.front());
      return emitYielding(e, from.front());
    };
    if (failed(side(branch.getThenRegion(), copy.getThenRegion())) ||
        failed(side(branch.getElseRegion(), copy.getElseRegion())))
      return failure();
  }
  e.unflatten(op->getResults(), copy.getResults());
  return success();
}

LogicalResult emitWhile(Emitter &e, Operation *op) {
  auto loop = cast<scf::WhileOp>(op);
  auto copy = scf::WhileOp::create(e.builder, op->getLoc(),
                                   e.flattenTypes(op->getResultTypes()),
                                   e.flatten(loop.getInits()));
  {
    Guard guard(e.builder);
    auto open = [&](Block &from, Region &to) {
      Block *block = new Block;
      to.push_back(block);
      for (BlockArgument argument : from.getArguments())
        for (Type type : e.flattenTypes(argument.getType()))
          block->addArgument(type, argument.getLoc());
      e.builder.setInsertionPointToEnd(block);
      e.unflatten(from.getArguments(), ValueRange(block->getArguments()));
    };
    open(*loop.getBeforeBody(), copy.getBefore());
    if (failed(e.emitBody(*loop.getBeforeBody())))
      return failure();
    scf::ConditionOp last = loop.getConditionOp();
    scf::ConditionOp::create(e.builder, last.getLoc(),
                             e.getScalar(last.getCondition()),
                             e.flatten(last.getArgs()));
    open(*loop.getAfterBody(), copy.getAfter());
    if (failed(emitYielding(e, *loop.getAfterBody())))
      return failure();
  }
  e.unflatten(op->getResults(), copy.getResults());
  return success();
}

LogicalResult emitExecuteRegion(Emitter &e, Operation *op) {
  auto execute = cast<scf::ExecuteRegionOp>(op);
  FailureOr<Registers> results = e.inlineRegion(execute.getRegion(), {});
  if (failed(results))
    return failure();
  e.unflatten(op->getResults(), *results);
  return success();
}

LogicalResult emitBranch(Emitter &e, Operation *op) {
  auto branch = cast<cf::BranchOp>(op);
  cf::BranchOp::create(e.builder, op->getLoc(), e.blockFor(branch.getDest()),
                       e.flatten(branch.getDestOperands()));
  return success();
}

LogicalResult emitCondBranch(Emitter &e, Operation *op) {
  auto branch = cast<cf::CondBranchOp>(op);
  cf::CondBranchOp::create(
      e.builder, op->getLoc(), e.getScalar(branch.getCondition()),
      e.blockFor(branch.getTrueDest()), e.flatten(branch.getTrueDestOperands()),
      e.blockFor(branch.getFalseDest()),
      e.flatten(branch.getFalseDestOperands()));
  return success();
}

LogicalResult emitProgramId(Emitter &e, Operation *op) {
  auto id = cast<tt::GetProgramIdOp>(op);
  e.set(id, {e.hooks.programId(e.builder, op->getLoc(), id.getAxisAsInt())});
  return success();
}

LogicalResult emitNumPrograms(Emitter &e, Operation *op) {
  auto size = cast<tt::GetNumProgramsOp>(op);
  e.set(size,
        {e.hooks.numPrograms(e.builder, op->getLoc(), size.getAxisAsInt())});
  return success();
}

LogicalResult emitAssume(Emitter &e, Operation *op) {
  for (Value condition : Registers(e.get(op->getOperand(0))))
    LLVM::AssumeOp::create(e.builder, op->getLoc(), condition);
  return success();
}

LogicalResult emitSync(Emitter &e, Operation *op) {
  auto sync = dyn_cast<tgpu::SyncThreadsOp>(op);
  if (!sync || !sync.getHalf()) {
    e.syncThreads(op->getLoc());
    return success();
  }
  e.syncHalf(op->getLoc(), int(*sync.getHalf()), sync.getReady());
  return success();
}

//===-- Private variables -------------------------------------------------===//

// On the stack until LLVM keeps them in registers.
LogicalResult emitVariable(Emitter &e, Operation *op) {
  auto variable = cast<tgpu::VariableOp>(op);
  Location loc = op->getLoc();
  Value slot;
  {
    Guard guard(e.builder);
    auto function = e.builder.getInsertionBlock()
                        ->getParentOp()
                        ->getParentOfType<LLVM::LLVMFuncOp>();
    if (!function)
      function =
          cast<LLVM::LLVMFuncOp>(e.builder.getInsertionBlock()->getParentOp());
    e.builder.setInsertionPointToStart(&function.getBody().front());
    slot = LLVM::AllocaOp::create(e.builder, loc,
                                  LLVM::LLVMPointerType::get(e.context()),
                                  e.builder.getI32Type(), e.i32(loc, 1));
  }
  LLVM::StoreOp::create(e.builder, loc, e.getScalar(variable.getInit()), slot);
  e.set(variable, {slot});
  return success();
}

LogicalResult emitVariableGet(Emitter &e, Operation *op) {
  auto get = cast<tgpu::VariableGetOp>(op);
  e.set(get,
        {LLVM::LoadOp::create(e.builder, op->getLoc(), e.builder.getI32Type(),
                              e.getScalar(get.getVariable()))});
  return success();
}

LogicalResult emitVariableSet(Emitter &e, Operation *op) {
  auto set = cast<tgpu::VariableSetOp>(op);
  LLVM::StoreOp::create(e.builder, op->getLoc(), e.getScalar(set.getValue()),
                        e.getScalar(set.getVariable()));
  return success();
}

} // namespace

void addControlFlow(EmitTable &table) {
  table["scf.for"] = emitFor;
  table["scf.if"] = emitIf;
  table["scf.while"] = emitWhile;
  table["scf.execute_region"] = emitExecuteRegion;
  table["cf.br"] = emitBranch;
  table["cf.cond_br"] = emitCondBranch;
  table["tt.get_program_id"] = emitProgramId;
  table["tt.get_num_programs"] = emitNumPrograms;
  table["llvm.intr.assume"] = emitAssume;
  table["tgpu.sync_threads"] = emitSync;
  table["ttg.barrier"] = emitSync;
  table["tgpu.variable"] = emitVariable;
  table["tgpu.variable_get"] = emitVariableGet;
  table["tgpu.variable_set"] = emitVariableSet;
}

} // namespace nereid::gpu
