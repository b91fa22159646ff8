//===- Simulate.cpp - A block of a GPU, on the CPU
//------------------------------===//

#include "Machine.h"

using namespace mlir;

namespace nereid::simulate {

//===-- Vectors and memory ------------------------------------------------===//

bool Machine::runVector(Operation *op, const Mask &mask) {
  if (isa<LLVM::UndefOp, LLVM::PoisonOp>(op)) {
    Bits &bits = make(op->getResult(0));
    for (uint64_t &part : bits.of)
      part = truncated(0xDEADBEEFDEADBEEF, bitsOf(op->getResult(0).getType()));
    return true;
  }
  if (auto insert = dyn_cast<LLVM::InsertElementOp>(op)) {
    copy(insert.getVector(), op->getResult(0), mask);
    Bits &bits = make(op->getResult(0));
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        bits.of[size_t(t) * bits.parts + at(insert.getPosition(), t)] =
            at(insert.getValue(), t);
    return true;
  }
  if (auto extract = dyn_cast<LLVM::ExtractElementOp>(op)) {
    Bits &bits = make(op->getResult(0));
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        bits.of[t] =
            at(extract.getVector(), t, unsigned(at(extract.getPosition(), t)));
    return true;
  }
  if (isa<LLVM::BitcastOp>(op)) {
    // The first part is in the lowest bits.
    Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
    const unsigned fromBits = bitsOf(from), toBits = bitsOf(to);
    Bits &bits = make(op->getResult(0));
    for (int t = 0; t < launch.threads; ++t) {
      if (!mask[t])
        continue;
      for (unsigned p = 0; p < bits.parts; ++p) {
        uint64_t value = 0;
        for (unsigned bit = 0; bit < toBits; ++bit) {
          unsigned whole = p * toBits + bit;
          value |= (at(op->getOperand(0), t, whole / fromBits) >>
                        (whole % fromBits) &
                    1)
                   << bit;
        }
        bits.of[size_t(t) * bits.parts + p] = value;
      }
    }
    return true;
  }
  return false;
}

bool Machine::runMemory(Operation *op, const Mask &mask) {
  if (auto gep = dyn_cast<LLVM::GEPOp>(op)) {
    Bits &bits = make(op->getResult(0));
    const int64_t size = std::max(1u, bitsOf(gep.getElemType()) / 8);
    for (int t = 0; t < launch.threads; ++t) {
      if (!mask[t])
        continue;
      int64_t index = 0;
      for (auto part : gep.getIndices()) {
        if (auto value = dyn_cast<Value>(part))
          index = extended(at(value, t), bitsOf(value.getType()));
        else
          index = cast<IntegerAttr>(part).getInt();
      }
      bits.of[t] = at(gep.getBase(), t) + uint64_t(index * size);
    }
    return true;
  }
  if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    Type type = load.getType();
    Bits &bits = make(op->getResult(0));
    const unsigned bytes = std::max(1u, bitsOf(type) / 8);
    bool inShared = cast<LLVM::LLVMPointerType>(load.getAddr().getType())
                        .getAddressSpace() == 3;
    outcome.sharedLoads += inShared;
    for (int t = 0; t < launch.threads && !failed(); ++t) {
      if (!mask[t])
        continue;
      uint8_t *from = address(op, load.getAddr().getType(),
                              at(load.getAddr(), t), bytes * bits.parts,
                              unsigned(load.getAlignment().value_or(bytes)));
      read(op, t, from, bytes * bits.parts);
      for (unsigned p = 0; from && p < bits.parts; ++p) {
        uint64_t value = 0;
        std::memcpy(&value, from + size_t(p) * bytes, bytes);
        bits.of[size_t(t) * bits.parts + p] = value;
      }
    }
    return true;
  }
  if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
    Type type = store.getValue().getType();
    const unsigned bytes = std::max(1u, bitsOf(type) / 8),
                   parts = partsOf(type);
    outcome.sharedStores +=
        cast<LLVM::LLVMPointerType>(store.getAddr().getType())
            .getAddressSpace() == 3;
    for (int t = 0; t < launch.threads && !failed(); ++t) {
      if (!mask[t])
        continue;
      uint8_t *to = address(op, store.getAddr().getType(),
                            at(store.getAddr(), t), bytes * parts,
                            unsigned(store.getAlignment().value_or(bytes)));
      uint8_t data[64];
      for (unsigned p = 0; p < parts; ++p) {
        uint64_t value = at(store.getValue(), t, p);
        std::memcpy(data + size_t(p) * bytes, &value, bytes);
      }
      write(op, t, to, data, bytes * parts);
    }
    return true;
  }
  if (auto atomic = dyn_cast<LLVM::AtomicRMWOp>(op)) {
    const unsigned bytes = bitsOf(atomic.getVal().getType()) / 8;
    Bits &bits = make(op->getResult(0));
    if (atomic.getBinOp() != LLVM::AtomicBinOp::add) {
      fail(op, "unknown atomic operation");
      return true;
    }
    for (int t = 0; t < launch.threads && !failed(); ++t) {
      if (!mask[t])
        continue;
      uint8_t *to = address(op, atomic.getPtr().getType(),
                            at(atomic.getPtr(), t), bytes, bytes);
      if (!to)
        break;
      uint64_t old = 0;
      std::memcpy(&old, to, bytes);
      bits.of[t] = old;
      old += at(atomic.getVal(), t);
      write(op, t, to, reinterpret_cast<uint8_t *>(&old), bytes, true);
    }
    return true;
  }
  return false;
}

//===-- Control -----------------------------------------------------------===//

void Machine::runFor(scf::ForOp loop, Mask mask) {
  Block *body = loop.getBody();
  copy(loop.getLowerBound(), loop.getInductionVar(), mask);
  for (auto [init, argument] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs()))
    copy(init, argument, mask);
  const unsigned width = bitsOf(loop.getInductionVar().getType());
  const Mask entered = mask;
  while (!failed()) {
    for (int t = 0; t < launch.threads; ++t)
      mask[t] = mask[t] && extended(at(loop.getInductionVar(), t), width) <
                               extended(at(loop.getUpperBound(), t), width);
    if (!any(mask))
      break;
    runBlock(*body, mask);
    if (failed())
      return;
    Operation *yield = body->getTerminator();
    std::vector<Bits> next;
    for (Value value : yield->getOperands())
      next.push_back(values[value]);
    for (auto [argument, bits] : llvm::zip(loop.getRegionIterArgs(), next)) {
      Bits &target = make(argument);
      for (int t = 0; t < launch.threads; ++t)
        if (mask[t])
          for (unsigned p = 0; p < target.parts; ++p)
            target.of[size_t(t) * target.parts + p] =
                bits.of[size_t(t) * target.parts + p];
    }
    Bits &index = make(loop.getInductionVar());
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        index.of[t] = truncated(index.of[t] + at(loop.getStep(), t), width);
  }
  for (auto [argument, result] :
       llvm::zip(loop.getRegionIterArgs(), loop.getResults()))
    copy(argument, result, entered);
}

void Machine::runWhile(scf::WhileOp loop, Mask mask) {
  for (auto [init, argument] :
       llvm::zip(loop.getInits(), loop.getBeforeArguments()))
    copy(init, argument, mask);
  while (any(mask) && !failed()) {
    runBlock(*loop.getBeforeBody(), mask);
    auto condition = loop.getConditionOp();
    for (auto [value, result] :
         llvm::zip(condition.getArgs(), loop.getResults()))
      copy(value, result, mask);
    mask = and_(mask, condition.getCondition(), true);
    for (auto [value, argument] :
         llvm::zip(condition.getArgs(), loop.getAfterArguments()))
      copy(value, argument, mask);
    if (!any(mask))
      break;
    runBlock(*loop.getAfterBody(), mask);
    std::vector<Value> yielded(loop.getYieldOp().getOperands().begin(),
                               loop.getYieldOp().getOperands().end());
    for (auto [value, argument] : llvm::zip(yielded, loop.getBeforeArguments()))
      copy(value, argument, mask);
  }
}

void Machine::runOp(Operation *op, const Mask &mask) {
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (bool way : {true, false}) {
      Region &region = way ? branch.getThenRegion() : branch.getElseRegion();
      Mask inside = and_(mask, branch.getCondition(), way);
      if (region.empty() || !any(inside))
        continue;
      runBlock(region.front(), inside);
      for (auto [value, result] :
           llvm::zip(region.front().getTerminator()->getOperands(),
                     branch.getResults()))
        copy(value, result, inside);
    }
    return;
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return runFor(loop, mask);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return runWhile(loop, mask);
  if (op->hasTrait<OpTrait::IsTerminator>())
    return;
  if (auto intrinsic = dyn_cast<LLVM::CallIntrinsicOp>(op))
    return runIntrinsic(intrinsic, mask);
  if (runMemory(op, mask) || runVector(op, mask))
    return;
  if (op->getNumResults() != 1)
    return fail(op, "an operation that is not simulated");
  const unsigned width = bitsOf(op->getResult(0).getType());
  Bits result;
  result.parts = partsOf(op->getResult(0).getType());
  result.of.resize(size_t(launch.threads) * result.parts);
  for (int t = 0; t < launch.threads; ++t)
    for (unsigned p = 0; mask[t] && p < result.parts; ++p) {
      bool known;
      uint64_t value = scalar(op, t, p, known);
      if (!known)
        return fail(op, "an operation that is not simulated");
      result.of[size_t(t) * result.parts + p] = truncated(value, width);
    }
  Bits &target = make(op->getResult(0));
  for (int t = 0; t < launch.threads; ++t)
    if (mask[t])
      for (unsigned p = 0; p < result.parts; ++p)
        target.of[size_t(t) * result.parts + p] =
            result.of[size_t(t) * result.parts + p];
}

Outcome run(LLVM::LLVMFuncOp kernel, const Launch &launch) {
  Machine machine(launch);
  machine.run(kernel);
  return machine.outcome;
}

} // namespace nereid::simulate
