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

// clock_gettime(CLOCK_MONOTONIC), asked of Linux itself: an image calls
// nothing.
static Value nanoseconds(OpBuilder &b, Location loc, Value timespec) {
  Type i64 = b.getI64Type();
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(value));
  };
  constexpr int64_t clockGettime = 228, monotonic = 1;
  LLVM::InlineAsmOp::create(
      b, loc, i64,
      ValueRange{constant(clockGettime), constant(monotonic), timespec},
      "syscall", "={rax},{rax},{rdi},{rsi},~{rcx},~{r11},~{memory}",
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
      ArrayAttr());
  Value second = LLVM::LoadOp::create(b, loc, i64, timespec, 8);
  Value rest = LLVM::LoadOp::create(
      b, loc, i64,
      LLVM::GEPOp::create(b, loc, timespec.getType(), i64, timespec,
                          ArrayRef<LLVM::GEPArg>{1}),
      8);
  return arith::AddIOp::create(
      b, loc, arith::MulIOp::create(b, loc, second, constant(1000000000)),
      rest);
}

Value Kernel::atomicPoll(tt::AtomicPollOp op, Value ptr, Value expected,
                         Value timeout) {
  Location loc = op.getLoc();
  Type i1 = b.getI1Type();
  Value timespec, start;
  if (timeout) {
    Buffer *buffer = newBuffer(loc, {2}, b.getI64Type());
    pool.touch(buffer);
    timespec = buffer->base;
    start = nanoseconds(b, loc, timespec);
  }
  auto loop = scf::WhileOp::create(b, loc, TypeRange{i1}, ValueRange{});
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&loop.getBefore());
  Value found = LLVM::LoadOp::create(
      b, loc, expected.getType(), ptr,
      expected.getType().getIntOrFloatBitWidth() / 8,
      /*isVolatile=*/false, /*isNonTemporal=*/false,
      /*isInvariant=*/false, /*isInvariantGroup=*/false, ordering(op.getSem()));
  Value seen =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, found, expected);
  Value wait = arith::XOrIOp::create(b, loc, seen, constInt(i1, 1));
  if (timeout) {
    Value spent =
        arith::SubIOp::create(b, loc, nanoseconds(b, loc, timespec), start);
    wait = arith::AndIOp::create(
        b, loc, wait,
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, spent,
                              timeout));
  }
  scf::ConditionOp::create(b, loc, wait, seen);
  b.createBlock(&loop.getAfter(), {}, {i1}, {loc});
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr("llvm.x86.sse2.pause"),
                                ValueRange{});
  scf::YieldOp::create(b, loc, ValueRange{});
  return loop.getResult(0);
}

} // namespace nereid::cpu
