//===- Kernel.cpp - Functions, parameters and scalars ---------------------===//

#include "compiler/Target/CPU/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MathExtras.h"

#include <functional>

using namespace mlir;

namespace nereid::cpu {

Kernel::Kernel(tt::FuncOp source, const TargetInfo &target,
               KernelLayout &layout)
    : b(source.getContext()), target(target), ops(target), source(source),
      layout(layout), module(source->getParentOfType<ModuleOp>()) {}

LogicalResult Kernel::run() {
  layout = KernelLayout();
  layout.symbol = source.getName().str();
  if (failed(layoutParameters()))
    return failure();
  createFunctions();
  if (failed(lowerBody()))
    return failure();
  layout.scratchSize = pool.assignOffsets();
  clearAtEntry();
  source.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// Parameters and functions
//===----------------------------------------------------------------------===//

LogicalResult Kernel::layoutParameters() {
  uint32_t offset = 0;
  for (auto [i, type] : llvm::enumerate(source.getArgumentTypes())) {
    if (!isa<IntegerType, FloatType, tt::PointerType>(type) ||
        tt::isBlockPtr(type)) {
      emitError(source.getArgument(i).getLoc())
          << "parameter " << i << " has type " << type
          << "; a kernel takes numbers and pointers to elements here";
      return failure();
    }
    ParamField field;
    field.size = ops.bytes(type);
    field.offset = llvm::alignTo(offset, field.size);
    field.slot = i;
    if (auto slot = source.getArgAttrOfType<IntegerAttr>(i, "nrd.slot"))
      field.slot = slot.getInt();
    if (auto index = source.getArgAttrOfType<IntegerAttr>(i, "nrd.index"))
      field.index = index.getInt();
    if (auto kind = source.getArgAttrOfType<StringAttr>(i, "nrd.field")) {
      if (kind.getValue() == "shape")
        field.kind = ParamField::Kind::Shape;
      else if (kind.getValue() == "stride")
        field.kind = ParamField::Kind::Stride;
    }
    offset = field.offset + field.size;
    layout.fields.push_back(field);
  }
  layout.paramSize = llvm::alignTo(offset, 8);
  return success();
}

// The exported function loops over the programs of its range and calls the
// program's own function, which has one caller and is inlined.
void Kernel::createFunctions() {
  Location loc = source.getLoc();
  MLIRContext *context = b.getContext();
  Type ptr = LLVM::LLVMPointerType::get(context);
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  b.setInsertionPoint(source);

  SmallVector<Type> inputs;
  for (Type type : source.getArgumentTypes())
    inputs.push_back(ops.storage(type));
  inputs.append({i32, i32, i32, ptr, ptr, ptr, i64});
  program = LLVM::LLVMFuncOp::create(b, loc, layout.symbol + ".program",
                                     LLVM::LLVMFunctionType::get(i32, inputs),
                                     LLVM::Linkage::Internal);
  auto entry = LLVM::LLVMFuncOp::create(
      b, loc, layout.symbol + ".entry",
      LLVM::LLVMFunctionType::get(i32, {ptr, ptr, i64, i64, ptr, ptr}));

  bool asserts = false;
  source.walk([&](Operation *op) {
    asserts |= isa<tt::AssertOp>(op);
    atomics |= isa<tt::AtomicRMWOp, tt::AtomicCASOp, tt::AtomicPollOp>(op);
  });

  // The entry.
  Block *start = entry.addEntryBlock(b);
  auto *loop = new Block, *exit = new Block;
  entry.getBody().push_back(loop);
  entry.getBody().push_back(exit);
  loop->addArguments({i64, i32, i32, i32}, {loc, loc, loc, loc});
  exit->addArgument(i32, loc);
  Value params = start->getArgument(0), gridArg = start->getArgument(1),
        begin = start->getArgument(2), end = start->getArgument(3),
        scratchArg = start->getArgument(4), hostArg = start->getArgument(5);
  b.setInsertionPointToStart(start);
  auto c = [&](Type type, int64_t v) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, v));
  };
  auto at = [&](Value base, int64_t offset) -> Value {
    return LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{int32_t(offset)});
  };
  SmallVector<Value> arguments;
  for (auto [field, type] :
       llvm::zip(layout.fields, source.getArgumentTypes())) {
    Type held = ops.storage(type);
    Type memory = held.isInteger(1) ? Type(b.getI8Type()) : held;
    Value v = LLVM::LoadOp::create(b, loc, memory, at(params, field.offset),
                                   field.size);
    if (held.isInteger(1))
      v = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, v,
                                c(memory, 0));
    arguments.push_back(v);
  }
  Value sizes[3];
  for (int axis = 0; axis < 3; ++axis)
    sizes[axis] = LLVM::LoadOp::create(b, loc, i32, at(gridArg, 4 * axis), 4);
  Value zero32 = c(i32, 0), one32 = c(i32, 1), one64 = c(i64, 1);
  auto wide = [&](Value v) -> Value {
    return arith::ExtUIOp::create(b, loc, i64, v);
  };
  auto narrow = [&](Value v) -> Value {
    return arith::TruncIOp::create(b, loc, i32, v);
  };
  Block *work = new Block;
  entry.getBody().getBlocks().insert(loop->getIterator(), work);
  Value any =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, begin, end);
  cf::CondBranchOp::create(b, loc, any, work, ValueRange{}, exit,
                           ValueRange{zero32});
  b.setInsertionPointToStart(work);
  Value gx = wide(sizes[0]), gy = wide(sizes[1]);
  entryStart = gx.getDefiningOp();
  entryScratch = scratchArg;
  Value x0 = arith::RemUIOp::create(b, loc, begin, gx);
  Value rest = arith::DivUIOp::create(b, loc, begin, gx);
  Value y0 = arith::RemUIOp::create(b, loc, rest, gy);
  Value z0 = arith::DivUIOp::create(b, loc, rest, gy);
  Value all = arith::MulIOp::create(
      b, loc, arith::MulIOp::create(b, loc, gx, gy), wide(sizes[2]));
  cf::BranchOp::create(b, loc, loop,
                       ValueRange{begin, narrow(x0), narrow(y0), narrow(z0)});

  b.setInsertionPointToStart(loop);
  Value i = loop->getArgument(0), x = loop->getArgument(1),
        y = loop->getArgument(2), z = loop->getArgument(3);
  arguments.append({x, y, z, gridArg, scratchArg, hostArg, all});
  Value result = LLVM::CallOp::create(b, loc, program, arguments).getResult();
  Value next = arith::AddIOp::create(b, loc, i, one64);
  auto step = [&](Value v, Value size, Value carry) {
    Value up = arith::AddIOp::create(b, loc, v, one32);
    Value moved =
        carry ? arith::SelectOp::create(b, loc, carry, up, v).getResult() : up;
    Value wraps = size ? arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                               moved, size)
                             .getResult()
                       : Value();
    Value value =
        wraps
            ? arith::SelectOp::create(b, loc, wraps, zero32, moved).getResult()
            : moved;
    return std::make_pair(value, wraps);
  };
  auto [x1, wrapsX] = step(x, sizes[0], {});
  auto [y1, wrapsY] = step(y, sizes[1], wrapsX);
  auto [z1, wrapsZ] = step(z, {}, wrapsY);
  (void)wrapsZ;
  Value more =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, next, end);
  if (asserts) {
    Value fine =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, result, zero32);
    more = arith::AndIOp::create(b, loc, more, fine);
  }
  cf::CondBranchOp::create(b, loc, more, loop, ValueRange{next, x1, y1, z1},
                           exit, ValueRange{result});
  b.setInsertionPointToStart(exit);
  LLVM::ReturnOp::create(b, loc, exit->getArgument(0));
  entryExit = exit;

  // The program.
  Block *body = program.addEntryBlock(b);
  unsigned n = source.getNumArguments();
  for (unsigned k = 0; k < n; ++k)
    setScalar(source.getArgument(k), body->getArgument(k));
  for (unsigned k = 0; k < 3; ++k)
    programId[k] = body->getArgument(n + k);
  grid = body->getArgument(n + 3);
  scratch = body->getArgument(n + 4);
  host = body->getArgument(n + 5);
  programs = body->getArgument(n + 6);
  b.setInsertionPointToEnd(body);
  if (asserts) {
    statusBuffer = newBuffer(loc, {1}, i32);
    status = statusBuffer->base;
    LLVM::StoreOp::create(b, loc, constInt(i32, 0), status, 4);
  }
  SymbolTable::setSymbolName(source, layout.symbol + ".tt");
  SymbolTable::setSymbolName(entry, layout.symbol);
}

// What one call of the kernel remembers, it forgets before the next.
void Kernel::clearAtEntry() {
  OpBuilder entry(entryStart);
  Location loc = source.getLoc();
  auto c = [&](int64_t v) -> Value {
    return arith::ConstantOp::create(entry, loc, entry.getI64IntegerAttr(v));
  };
  for (Buffer *buffer : clearedAtEntry) {
    int64_t offset = cast<IntegerAttr>(buffer->offset.getValue()).getInt();
    Value where = LLVM::GEPOp::create(entry, loc, entryScratch.getType(),
                                      entry.getI8Type(), entryScratch,
                                      ArrayRef<LLVM::GEPArg>{int32_t(offset)});
    LLVM::MemsetOp::create(
        entry, loc, where,
        arith::ConstantOp::create(entry, loc, entry.getI8IntegerAttr(0)),
        c(buffer->bytes), /*isVolatile=*/false);
  }
}

bool Kernel::writesTo(Value pointer) {
  Value base = basePointer(pointer);
  if (!base)
    return true;
  bool written = false;
  source.walk([&](Operation *op) {
    if (isa<tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op)) {
      Value other = basePointer(op->getOperand(0));
      written |= !other || other == base;
    }
  });
  return written;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

OpBuilder Kernel::entryBuilder() {
  return OpBuilder::atBlockBegin(&program.getBody().front());
}

Value Kernel::scalar(Value v) {
  if (auto it = scalars.find(v); it != scalars.end())
    return it->second;
  if (auto op = v.getDefiningOp<arith::ConstantOp>())
    return constant(op.getValue());
  return {};
}

Value Kernel::constInt(Type type, int64_t value) {
  if (type.isInteger(1))
    value &= 1;
  Value &known = ints[{type, value}];
  if (!known) {
    OpBuilder entry = entryBuilder();
    known = arith::ConstantOp::create(entry, source.getLoc(),
                                      b.getIntegerAttr(type, value));
  }
  return known;
}

Value Kernel::constant(TypedAttr attr, int64_t lanes) {
  if (auto i = dyn_cast<IntegerAttr>(attr); i && lanes == 0 &&
                                            isa<IntegerType>(i.getType()) &&
                                            i.getValue().getBitWidth() <= 64)
    return constInt(i.getType(), i.getValue().getSExtValue());
  Value &known = constants[{Attribute(attr), lanes}];
  if (!known) {
    OpBuilder entry = entryBuilder();
    known = ops.constant(entry, source.getLoc(), attr, lanes);
  }
  return known;
}

Value Kernel::nullPtr() {
  if (!null) {
    OpBuilder entry = entryBuilder();
    null = LLVM::ZeroOp::create(entry, source.getLoc(),
                                LLVM::LLVMPointerType::get(b.getContext()));
  }
  return null;
}

Value Kernel::table(DenseElementsAttr values) {
  Value &known = constants[{values, -1}];
  if (known)
    return known;
  Type element = ops.storage(values.getElementType());
  Type memory = element.isInteger(1) ? Type(b.getI8Type()) : element;
  int64_t n = values.getNumElements();
  auto flat = RankedTensorType::get({n}, memory);
  DenseElementsAttr data;
  if (isa<FloatType>(memory)) {
    data = DenseElementsAttr::get(flat,
                                  llvm::to_vector(values.getValues<APFloat>()));
  } else {
    SmallVector<APInt> bits;
    unsigned width = memory.getIntOrFloatBitWidth();
    if (isa<FloatType>(values.getElementType()))
      for (const APFloat &f : values.getValues<APFloat>())
        bits.push_back(f.bitcastToAPInt());
    else
      for (const APInt &i : values.getValues<APInt>())
        bits.push_back(i.zextOrTrunc(width));
    data = DenseElementsAttr::get(flat, bits);
  }
  OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(
      top, source.getLoc(), LLVM::LLVMArrayType::get(memory, n),
      /*isConstant=*/true, LLVM::Linkage::Internal,
      layout.symbol + ".table" + std::to_string(globals++), data,
      /*alignment=*/64);
  OpBuilder entry = entryBuilder();
  known = LLVM::AddressOfOp::create(entry, source.getLoc(), global);
  return known;
}

Value Kernel::string(StringRef text) {
  std::string bytes = text.str();
  bytes.push_back('\0');
  OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(
      top, source.getLoc(),
      LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal,
      layout.symbol + ".text" + std::to_string(globals++),
      b.getStringAttr(bytes));
  OpBuilder entry = entryBuilder();
  return LLVM::AddressOfOp::create(entry, source.getLoc(), global);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Buffer *Kernel::newBuffer(Location loc, ArrayRef<int64_t> shape, Type element,
                          Type stored, int64_t elements) {
  OpBuilder entry = entryBuilder();
  if (!stored)
    stored = element;
  return pool.create(entry, loc, scratch, shape, element, stored,
                     ops.bytes(stored), elements);
}

Buffer *Kernel::newBuffer(Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return newBuffer(loc, type.getShape(), type.getElementType());
}

Value Kernel::dummy() {
  if (!dummyBuffer) {
    dummyBuffer = newBuffer(source.getLoc(), {kDummyBytes}, b.getI8Type());
    // Alive for the whole kernel.
    dummyBuffer->first = 1;
    dummyBuffer->last = ~0u;
  }
  return dummyBuffer->base;
}

// Other programs that are told by an atomic operation to read what was written
// must find it; nobody else may look before the launch has ended.
bool Kernel::mayStream(tt::StoreOp op) {
  if (atomics || !isa<tt::FuncOp>(op->getParentOp()))
    return false;
  Value base = basePointer(op.getPtr());
  if (!base)
    return false;
  bool again = false;
  source.walk([&](Operation *other) {
    if (other == op)
      return;
    if (auto load = dyn_cast<tt::LoadOp>(other))
      again |= basePointer(load.getPtr()) == base;
    if (auto store = dyn_cast<tt::StoreOp>(other))
      again |= basePointer(store.getPtr()) == base;
  });
  return !again;
}

Value Kernel::writesMuch(int64_t bytes) {
  // Well above the second-level caches; a last-level cache that would hold it
  // is shared with everybody else.
  constexpr int64_t kMuch = 32 << 20;
  Value &known = muchWritten[bytes];
  if (known)
    return known;
  Location loc = source.getLoc();
  if (muchWritten.size() == 1) {
    // Streamed data is in order before the kernel returns.
    OpBuilder exit = OpBuilder::atBlockBegin(entryExit);
    LLVM::CallIntrinsicOp::create(
        exit, loc, exit.getStringAttr("llvm.x86.sse.sfence"), ValueRange{});
  }
  OpBuilder entry = entryBuilder();
  Value least = arith::ConstantOp::create(
      entry, loc, entry.getI64IntegerAttr((kMuch + bytes - 1) / bytes));
  known = arith::CmpIOp::create(entry, loc, arith::CmpIPredicate::uge, programs,
                                least);
  return known;
}

Value Kernel::inNextProgram(Value v) {
  DenseMap<Value, Value> map;
  unsigned budget = 16;
  bool okay = true;
  std::function<Value(Value)> copy = [&](Value old) -> Value {
    if (old == programId[0]) {
      Value &next = map[old];
      if (!next)
        next = arith::AddIOp::create(b, old.getLoc(), old,
                                     constInt(b.getI32Type(), 1));
      return next;
    }
    Operation *op = old.getDefiningOp();
    if (!op || op->getNumOperands() == 0)
      return old;
    if (auto it = map.find(old); it != map.end())
      return it->second;
    SmallVector<Value> operands;
    bool changed = false;
    for (Value operand : op->getOperands()) {
      operands.push_back(copy(operand));
      changed |= operands.back() != operand;
    }
    if (!changed || !okay)
      return map[old] = old;
    if (!isMemoryEffectFree(op) || op->getNumRegions() ||
        op->getNumResults() != 1 || budget-- == 0) {
      okay = false;
      return old;
    }
    IRMapping mapping;
    for (auto [from, to] : llvm::zip(op->getOperands(), operands))
      mapping.map(from, to);
    return map[old] = b.clone(*op, mapping)->getResult(0);
  };
  Value next = copy(v);
  return okay && next != v ? next : Value();
}

void Kernel::fillBuffer(Location loc, Buffer *buffer, Value held) {
  pool.touch(buffer);
  int64_t size = ops.bytes(buffer->stored);
  if (auto c = constantInt(held); c && *c == 0) {
    LLVM::MemsetOp::create(b, loc, buffer->base, constInt(b.getI8Type(), 0),
                           constI64(buffer->bytes), /*isVolatile=*/false);
    return;
  }
  // Buffers are whole cache lines.
  Type type = held.getType();
  if (type.isInteger(1)) {
    held = arith::ExtUIOp::create(b, loc, b.getI8Type(), held);
    type = b.getI8Type();
  }
  int64_t lanes = 64 / size;
  Value lanesValue = ops.splat(b, loc, held, lanes);
  auto loop = scf::ForOp::create(b, loc, constI64(0), constI64(buffer->bytes),
                                 constI64(64));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value where = LLVM::GEPOp::create(
      b, loc, buffer->base.getType(), b.getI8Type(), buffer->base,
      ArrayRef<LLVM::GEPArg>{loop.getInductionVar()});
  LLVM::StoreOp::create(b, loc, lanesValue, where, 64);
}

void Kernel::copyBuffer(Location loc, Buffer *from, Buffer *to) {
  pool.touch(from);
  pool.touch(to);
  LLVM::MemcpyOp::create(b, loc, to->base, from->base,
                         constI64(std::min(from->bytes, to->bytes)),
                         /*isVolatile=*/false);
  to->complete = true;
}

Value Kernel::loadElement(Location loc, Value ptr, Type type) {
  Type held = ops.storage(type);
  Type memory = held.isInteger(1) ? Type(b.getI8Type()) : held;
  Value v = LLVM::LoadOp::create(b, loc, memory, ptr, ops.bytes(type));
  if (held.isInteger(1))
    v = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, v,
                              constInt(memory, 0));
  return v;
}

void Kernel::storeElement(Location loc, Value value, Value ptr, Type type) {
  if (value.getType().isInteger(1))
    value = arith::ExtUIOp::create(b, loc, b.getI8Type(), value);
  LLVM::StoreOp::create(b, loc, value, ptr, ops.bytes(type));
}

//===----------------------------------------------------------------------===//
// Scalar operations
//===----------------------------------------------------------------------===//

LogicalResult Kernel::lowerScalarOp(Operation *op) {
  Location loc = op->getLoc();
  auto in = [&](Value v) { return scalar(v); };
  if (isa<arith::ConstantOp>(op))
    return success();
  if (auto id = dyn_cast<tt::GetProgramIdOp>(op)) {
    setScalar(id, programId[id.getAxisAsInt()]);
    return success();
  }
  if (auto num = dyn_cast<tt::GetNumProgramsOp>(op)) {
    Value where = LLVM::GEPOp::create(
        b, loc, grid.getType(), b.getI8Type(), grid,
        ArrayRef<LLVM::GEPArg>{int32_t(4 * num.getAxisAsInt())});
    setScalar(num, LLVM::LoadOp::create(b, loc, b.getI32Type(), where, 4));
    return success();
  }
  if (auto load = dyn_cast<tt::LoadOp>(op)) {
    Type type = load.getType();
    if (!load.getMask()) {
      setScalar(load, loadElement(loc, in(load.getPtr()), type));
      return success();
    }
    Type held = ops.storage(type);
    auto ifOp =
        scf::IfOp::create(b, loc, TypeRange{held}, in(load.getMask()), true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(ifOp.thenBlock());
    scf::YieldOp::create(b, loc, loadElement(loc, in(load.getPtr()), type));
    b.setInsertionPointToStart(ifOp.elseBlock());
    Value other;
    if (load.getOther())
      other = in(load.getOther());
    else if (isa<LLVM::LLVMPointerType>(held))
      other = nullPtr();
    else
      other = arith::ConstantOp::create(b, loc, b.getZeroAttr(held));
    scf::YieldOp::create(b, loc, other);
    setScalar(load, ifOp.getResult(0));
    return success();
  }
  if (auto store = dyn_cast<tt::StoreOp>(op)) {
    OpBuilder::InsertionGuard guard(b);
    if (store.getMask()) {
      auto ifOp = scf::IfOp::create(b, loc, in(store.getMask()), false);
      b.setInsertionPointToStart(ifOp.thenBlock());
    }
    storeElement(loc, in(store.getValue()), in(store.getPtr()),
                 store.getValue().getType());
    return success();
  }
  if (auto rmw = dyn_cast<tt::AtomicRMWOp>(op)) {
    auto body = [&]() {
      return atomicRMW(rmw, in(rmw.getPtr()), in(rmw.getVal()));
    };
    if (!rmw.getMask()) {
      auto old = body();
      if (failed(old))
        return failure();
      setScalar(rmw, *old);
      return success();
    }
    Type held = ops.storage(rmw.getType());
    auto ifOp =
        scf::IfOp::create(b, loc, TypeRange{held}, in(rmw.getMask()), true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(ifOp.thenBlock());
    auto old = body();
    if (failed(old))
      return failure();
    scf::YieldOp::create(b, loc, *old);
    b.setInsertionPointToStart(ifOp.elseBlock());
    scf::YieldOp::create(
        b, loc,
        arith::ConstantOp::create(b, loc, b.getZeroAttr(held)).getResult());
    setScalar(rmw, ifOp.getResult(0));
    return success();
  }
  if (auto cas = dyn_cast<tt::AtomicCASOp>(op)) {
    auto old =
        atomicCAS(cas, in(cas.getPtr()), in(cas.getCmp()), in(cas.getVal()));
    if (failed(old))
      return failure();
    setScalar(cas, *old);
    return success();
  }
  if (auto poll = dyn_cast<tt::AtomicPollOp>(op)) {
    setScalar(poll,
              atomicPoll(poll, in(poll.getPtr()), in(poll.getExpected()),
                         poll.getTimeout() ? in(poll.getTimeout()) : Value()));
    return success();
  }
  if (auto check = dyn_cast<tt::AssertOp>(op)) {
    Value fails = arith::XOrIOp::create(b, loc, in(check.getCondition()),
                                        constInt(b.getI1Type(), 1));
    auto ifOp = scf::IfOp::create(b, loc, fails, false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(ifOp.thenBlock());
    callAssertFailed(check);
    return success();
  }
  if (auto print = dyn_cast<tt::PrintOp>(op)) {
    for (auto [i, v] : llvm::enumerate(print.getArgs()))
      if (!isTensor(v))
        callPrint(print, i, in(v), {});
    return success();
  }
  if (auto unsplat = dyn_cast<tt::UnsplatOp>(op)) {
    Buffer *from = buffer(unsplat.getSrc());
    pool.touch(from);
    setScalar(unsplat, loadElement(loc, from->base, unsplat.getType()));
    return success();
  }
  if (isa<tt::CallOp>(op)) {
    op->emitError("a call that was not inlined cannot be compiled for CPU "
                  "targets");
    return failure();
  }
  SmallVector<Value> operands;
  for (Value v : op->getOperands())
    operands.push_back(in(v));
  auto results = ops.emit(b, op, operands, 0);
  if (failed(results))
    return failure();
  for (auto [old, v] : llvm::zip(op->getResults(), *results))
    setScalar(old, v);
  return success();
}

} // namespace nereid::cpu
