//===- Addresses.cpp - Pointers as a base and a constant ------------------===//
//
// The pointers of a thread's registers differ mostly by constants: registers
// are constants of a layout. Every pointer is kept as a shared base plus a
// constant outermost, so that the base is one 64-bit register for many accesses
// and the constant part of the instruction. For that, the constant terms of an
// index are taken out of its sum.
//
// Taking a constant out of a 32-bit sum before it is widened assumes that the
// sum does not wrap around, as the analysis of contiguity does everywhere: an
// index that wraps would leave any array. Narrower sums may wrap within one.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nereid::gpu {

std::pair<Value, int64_t> splitConstantOffset(Value pointer) {
  auto gep = pointer.getDefiningOp<LLVM::GEPOp>();
  if (!gep || !gep.getDynamicIndices().empty() ||
      gep.getRawConstantIndices().size() != 1 ||
      !gep.getElemType().isInteger(8))
    return {pointer, 0};
  return {gep.getBase(), gep.getRawConstantIndices().front()};
}

namespace {

/// An index as `rest` + `constant`; a null rest is zero.
struct Index {
  Value rest;
  int64_t constant = 0;
};

class Splitter {
public:
  Splitter(Emitter &e, Location loc) : e(e), loc(loc) {}

  Index split(Value index, int depth = 0) {
    auto known = indices.find(index);
    if (known != indices.end())
      return known->second;
    Index result = splitNew(index, depth);
    // Constants that an address cannot hold stay where they are.
    if (std::abs(result.constant) > (int64_t(1) << 24))
      result = {index, 0};
    return indices[index] = result;
  }

  /// base + index * `element`, shared by all that ask.
  Value address(Value base, Value index, Type element) {
    if (!index)
      return base;
    Value &known = addresses[{base, index}];
    if (!known)
      known = LLVM::GEPOp::create(e.builder, loc, base.getType(), element, base,
                                  ArrayRef<LLVM::GEPArg>{index});
    return known;
  }

private:
  Index splitNew(Value index, int depth) {
    APInt value;
    if (matchPattern(index, m_ConstantInt(&value)))
      return {Value(), value.getSExtValue()};
    Operation *op = index.getDefiningOp();
    auto type = dyn_cast<IntegerType>(index.getType());
    if (!op || depth > 4 || (type && type.getWidth() < 32))
      return {index, 0};
    if (isa<arith::AddIOp>(op)) {
      Index a = split(op->getOperand(0), depth + 1);
      Index b = split(op->getOperand(1), depth + 1);
      int64_t constant = a.constant + b.constant;
      if (constant == 0 && a.constant == 0)
        return {index, 0};
      return {sum<arith::AddIOp>(a.rest, b.rest), constant};
    }
    if (auto wide = dyn_cast<arith::ExtSIOp>(op)) {
      Index inner = split(wide.getIn(), depth + 1);
      if (inner.constant == 0)
        return {index, 0};
      if (!inner.rest)
        return {Value(), inner.constant};
      Value &known = widened[{inner.rest, wide.getType()}];
      if (!known)
        known =
            arith::ExtSIOp::create(e.builder, loc, wide.getType(), inner.rest);
      return {known, inner.constant};
    }
    if (isa<arith::MulIOp>(op) &&
        matchPattern(op->getOperand(1), m_ConstantInt(&value))) {
      Index inner = split(op->getOperand(0), depth + 1);
      int64_t factor = value.getSExtValue();
      if (inner.constant == 0 || std::abs(factor) > (1 << 20) ||
          std::abs(inner.constant) > (1 << 24))
        return {index, 0};
      Value rest = inner.rest
                       ? sum<arith::MulIOp>(inner.rest, op->getOperand(1))
                       : Value();
      return {rest, inner.constant * factor};
    }
    return {index, 0};
  }

  template <typename Op> Value sum(Value a, Value b) {
    if (!a || !b)
      return a ? a : b;
    Value &known = sums[{a, b}];
    if (!known)
      known = Op::create(e.builder, loc, a, b);
    return known;
  }

  Emitter &e;
  Location loc;
  llvm::DenseMap<Value, Index> indices;
  llvm::DenseMap<std::pair<Value, Value>, Value> sums, addresses;
  llvm::DenseMap<std::pair<Value, Type>, Value> widened;
};

LogicalResult emitAddPtr(Emitter &e, Operation *op) {
  Location loc = op->getLoc();
  Type pointee = tt::getPointeeType(op->getResult(0).getType());
  int64_t bytes = std::max(8u, tt::getElementBits(pointee)) / 8;
  Type element = e.builder.getIntegerType(unsigned(bytes * 8));
  ArrayRef<Value> pointers = e.get(op->getOperand(0));
  ArrayRef<Value> offsets = e.get(op->getOperand(1));
  Splitter splitter(e, loc);
  Registers results;
  for (int64_t r = 0, n = e.count(op->getResult(0).getType()); r < n; ++r) {
    auto [base, start] = splitConstantOffset(pointers[r]);
    Index index = splitter.split(offsets[r]);
    int64_t constant = start + index.constant * bytes;
    if (std::abs(constant) >= (int64_t(1) << 30)) { // beyond a constant's reach
      base = pointers[r];
      index = {offsets[r], 0};
      constant = 0;
    }
    results.push_back(
        e.offset(loc, splitter.address(base, index.rest, element), constant));
  }
  e.set(op->getResult(0), results);
  return success();
}

} // namespace

void addAddresses(EmitTable &table) { table["tt.addptr"] = emitAddPtr; }

} // namespace nereid::gpu
