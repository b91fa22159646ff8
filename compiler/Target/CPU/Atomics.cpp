//===- Atomics.cpp - Read-modify-write on one element ---------------------===//
//
// Real atomic instructions whatever the scope, since other programs run on
// other threads. Types and operations that LLVM has no instruction for become a
// loop of compare-and-exchange here, because LLVM would call a library.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::cpu {

static LLVM::AtomicOrdering ordering(tt::MemSemantic sem) {
  switch (sem) {
  case tt::MemSemantic::RELAXED:
    return LLVM::AtomicOrdering::monotonic;
  case tt::MemSemantic::ACQUIRE:
    return LLVM::AtomicOrdering::acquire;
  case tt::MemSemantic::RELEASE:
    return LLVM::AtomicOrdering::release;
  case tt::MemSemantic::ACQUIRE_RELEASE:
    return LLVM::AtomicOrdering::acq_rel;
  }
  return LLVM::AtomicOrdering::acq_rel;
}

// What a failed compare may promise.
static LLVM::AtomicOrdering failureOrdering(tt::MemSemantic sem) {
  return sem == tt::MemSemantic::RELAXED || sem == tt::MemSemantic::RELEASE
             ? LLVM::AtomicOrdering::monotonic
             : LLVM::AtomicOrdering::acquire;
}

static Value toBits(OpBuilder &b, Location loc, Value v) {
  if (isa<LLVM::LLVMPointerType>(v.getType()))
    return LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), v);
  if (!isa<FloatType>(v.getType()))
    return v;
  return arith::BitcastOp::create(
      b, loc, b.getIntegerType(v.getType().getIntOrFloatBitWidth()), v);
}

static Value fromBits(OpBuilder &b, Location loc, Value v, Type type) {
  if (v.getType() == type)
    return v;
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::IntToPtrOp::create(b, loc, type, v);
  return arith::BitcastOp::create(b, loc, type, v);
}

FailureOr<Value> Kernel::atomicRMW(tt::AtomicRMWOp op, Value ptr, Value value) {
  Location loc = op.getLoc();
  Type element = getElementTypeOrSelf(op.getVal().getType());
  bool isFloat = isa<FloatType>(element);
  LLVM::AtomicOrdering order = ordering(op.getSem());
  auto unsupported = [&]() {
    op.emitError() << "atomic " << tt::stringifyRMWOp(op.getAtomicRmwOp())
                   << " on " << element << " is not supported";
    return failure();
  };
  if (element.isInteger(1))
    return unsupported();

  std::optional<LLVM::AtomicBinOp> kind;
  switch (op.getAtomicRmwOp()) {
  case tt::RMWOp::AND:
    kind = LLVM::AtomicBinOp::_and;
    break;
  case tt::RMWOp::OR:
    kind = LLVM::AtomicBinOp::_or;
    break;
  case tt::RMWOp::XOR:
    kind = LLVM::AtomicBinOp::_xor;
    break;
  case tt::RMWOp::ADD:
  case tt::RMWOp::FADD:
    if (!isFloat)
      kind = LLVM::AtomicBinOp::add;
    break;
  case tt::RMWOp::MAX:
    if (!isFloat)
      kind = LLVM::AtomicBinOp::max;
    break;
  case tt::RMWOp::MIN:
    if (!isFloat)
      kind = LLVM::AtomicBinOp::min;
    break;
  case tt::RMWOp::UMAX:
    kind = LLVM::AtomicBinOp::umax;
    break;
  case tt::RMWOp::UMIN:
    kind = LLVM::AtomicBinOp::umin;
    break;
  case tt::RMWOp::XCHG:
    kind = LLVM::AtomicBinOp::xchg;
    break;
  }
  Value bits = toBits(b, loc, value);
  if (kind) {
    if (isFloat && *kind != LLVM::AtomicBinOp::xchg)
      return unsupported();
    Value old = LLVM::AtomicRMWOp::create(b, loc, *kind, ptr, bits, order);
    return fromBits(b, loc, old, value.getType());
  }

  // old = load; do { seen = cmpxchg(old, f(old)) } while (seen != old)
  Type type = bits.getType();
  Type compute =
      element.getIntOrFloatBitWidth() < 32 ? b.getF32Type() : element;
  Value first =
      LLVM::LoadOp::create(b, loc, type, ptr, ops.bytes(element),
                           /*isVolatile=*/false, /*isNonTemporal=*/false,
                           /*isInvariant=*/false, /*isInvariantGroup=*/false,
                           LLVM::AtomicOrdering::monotonic);
  Value operand = ops.convertFloat(b, loc, value, element, compute);
  auto loop = scf::WhileOp::create(b, loc, TypeRange{type}, ValueRange{first});
  OpBuilder::InsertionGuard guard(b);
  Block *before = b.createBlock(&loop.getBefore(), {}, {type}, {loc});
  Value expected = before->getArgument(0);
  Value old =
      ops.convertFloat(b, loc, fromBits(b, loc, expected, ops.storage(element)),
                       element, compute);
  Value result;
  switch (op.getAtomicRmwOp()) {
  case tt::RMWOp::MAX:
    result = arith::MaxNumFOp::create(b, loc, old, operand);
    break;
  case tt::RMWOp::MIN:
    result = arith::MinNumFOp::create(b, loc, old, operand);
    break;
  default:
    result = arith::AddFOp::create(b, loc, old, operand);
    break;
  }
  Value wanted =
      toBits(b, loc, ops.convertFloat(b, loc, result, compute, element));
  Value pair = LLVM::AtomicCmpXchgOp::create(
      b, loc, ptr, expected, wanted, order, failureOrdering(op.getSem()));
  Value seen = LLVM::ExtractValueOp::create(b, loc, pair, 0);
  Value done = LLVM::ExtractValueOp::create(b, loc, pair, 1);
  Value again = arith::XOrIOp::create(b, loc, done, constInt(b.getI1Type(), 1));
  scf::ConditionOp::create(b, loc, again, ValueRange{seen});
  Block *after = b.createBlock(&loop.getAfter(), {}, {type}, {loc});
  scf::YieldOp::create(b, loc, ValueRange{after->getArgument(0)});
  b.setInsertionPointAfter(loop);
  return fromBits(b, loc, loop.getResult(0), value.getType());
}

FailureOr<Value> Kernel::atomicCAS(tt::AtomicCASOp op, Value ptr, Value compare,
                                   Value value) {
  Location loc = op.getLoc();
  if (value.getType().isInteger(1)) {
    op.emitError("atomic compare-and-swap on i1 is not supported");
    return failure();
  }
  Value pair = LLVM::AtomicCmpXchgOp::create(
      b, loc, ptr, toBits(b, loc, compare), toBits(b, loc, value),
      ordering(op.getSem()), failureOrdering(op.getSem()));
  Value old = LLVM::ExtractValueOp::create(b, loc, pair, 0);
  return fromBits(b, loc, old, value.getType());
}

} // namespace nereid::cpu
