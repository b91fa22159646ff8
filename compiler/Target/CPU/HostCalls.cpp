//===- HostCalls.cpp - What a kernel asks of its host ---------------------===//
//
// device_print and device_assert call the functions of nrd_cpu_host_t
// (nereid/cpu_kernel.h).
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "nereid/cpu_kernel.h"

#include <cstddef>

using namespace mlir;

namespace nereid::cpu {

static Value at(OpBuilder &b, Location loc, Value base, int64_t offset) {
  return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{int32_t(offset)});
}

// The program's coordinates, in memory.
static Value programInMemory(Kernel &kernel, Location loc) {
  OpBuilder &b = kernel.b;
  Buffer *buffer = kernel.newBuffer(loc, {4}, b.getI32Type());
  kernel.pool.touch(buffer);
  for (int axis = 0; axis < 3; ++axis)
    LLVM::StoreOp::create(b, loc, kernel.programId[axis],
                          at(b, loc, buffer->base, 4 * axis), 4);
  return buffer->base;
}

static FileLineColLoc fileOf(Location loc) {
  FileLineColLoc found;
  loc->walk([&](Location inner) {
    if (auto file = dyn_cast<FileLineColLoc>(inner)) {
      found = file;
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return found;
}

void Kernel::callAssertFailed(tt::AssertOp op) {
  Location loc = op.getLoc();
  Type ptr = scratch.getType();
  FileLineColLoc file = fileOf(loc);
  Value function = LLVM::LoadOp::create(
      b, loc, ptr, at(b, loc, host, offsetof(nrd_cpu_host_t, assert_failed)),
      8);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  {ptr, ptr, ptr, b.getI32Type(), ptr});
  LLVM::CallOp::create(
      b, loc, type,
      ValueRange{function, host, string(op.getMessage()),
                 string(file ? file.getFilename().getValue() : StringRef()),
                 constInt(b.getI32Type(), file ? file.getLine() : 0),
                 programInMemory(*this, loc)});
  LLVM::StoreOp::create(b, loc, constInt(b.getI32Type(), NRD_CPU_ASSERT_FAILED),
                        status, 4);
}

void Kernel::callPrint(tt::PrintOp op, unsigned operand, Value held,
                       ArrayRef<Value> index) {
  Location loc = op.getLoc();
  Type ptr = scratch.getType();
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  Type element = getElementTypeOrSelf(op.getArgs()[operand].getType());
  bool isSigned =
      operand < op.getIsSigned().size() && op.getIsSigned()[operand] != 0;
  int64_t kind = isSigned ? NRD_CPU_VALUE_SIGNED : NRD_CPU_VALUE_UNSIGNED;
  Value bits = held;
  if (isa<tt::PointerType>(element)) {
    kind = NRD_CPU_VALUE_POINTER;
    bits = LLVM::PtrToIntOp::create(b, loc, i64, held);
  } else if (isa<FloatType>(element)) {
    kind = NRD_CPU_VALUE_FLOAT;
    bits = arith::BitcastOp::create(
        b, loc, i64, ops.convertFloat(b, loc, held, element, b.getF64Type()));
  } else if (element.getIntOrFloatBitWidth() < 64) {
    bits = isSigned && !element.isInteger(1)
               ? arith::ExtSIOp::create(b, loc, i64, held).getResult()
               : arith::ExtUIOp::create(b, loc, i64, held).getResult();
  }
  Buffer *where = newBuffer(loc, {16}, i32);
  pool.touch(where);
  for (auto [i, v] : llvm::enumerate(index))
    LLVM::StoreOp::create(b, loc, arith::TruncIOp::create(b, loc, i32, v),
                          at(b, loc, where->base, 4 * i), 4);
  Value function = LLVM::LoadOp::create(
      b, loc, ptr, at(b, loc, host, offsetof(nrd_cpu_host_t, print)), 8);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  {ptr, ptr, ptr, ptr, i32, i32, i64, i32});
  LLVM::CallOp::create(b, loc, type,
                       ValueRange{function, host, string(op.getPrefix()),
                                  programInMemory(*this, loc), where->base,
                                  constInt(i32, index.size()),
                                  constInt(i32, kind), bits,
                                  constInt(i32, op.getHex())});
}

} // namespace nereid::cpu
