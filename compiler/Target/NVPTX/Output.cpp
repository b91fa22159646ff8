//===- Output.cpp - Device print and assert -------------------------------===//
//
// By the two functions that every CUDA driver gives to device code: `vprintf`
// and `__assertfail`. Lines read as those of the CPU back end:
//
//   pid (0, 0, 0) idx (5) x: 1.000000
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::nvptx {
namespace {

/// A constant string, as a generic pointer.
Value string(gpu::Emitter &e, Location loc, StringRef text) {
  OpBuilder &b = e.builder;
  std::string name;
  for (unsigned i = 0;; ++i) {
    name = "nrd_text_" + std::to_string(i);
    auto known = e.module().lookupSymbol<LLVM::GlobalOp>(name);
    if (!known)
      break;
    auto value = dyn_cast_or_null<StringAttr>(known.getValueOrNull());
    if (value && value.getValue().drop_back() == text)
      break;
  }
  auto global = e.module().lookupSymbol<LLVM::GlobalOp>(name);
  if (!global) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(e.module().getBody());
    std::string bytes = text.str() + '\0';
    global = LLVM::GlobalOp::create(
        b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size()),
        /*isConstant=*/true, LLVM::Linkage::Internal, name,
        b.getStringAttr(bytes), /*alignment=*/1, /*addrSpace=*/1);
  }
  return LLVM::AddrSpaceCastOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext()),
      LLVM::AddressOfOp::create(b, loc, global));
}

LLVM::LLVMFuncOp runtimeFunction(gpu::Emitter &e, Location loc, StringRef name,
                                 Type result, ArrayRef<Type> arguments) {
  if (auto known = e.module().lookupSymbol<LLVM::LLVMFuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(e.builder);
  e.builder.setInsertionPointToStart(e.module().getBody());
  return LLVM::LLVMFuncOp::create(
      e.builder, loc, name, LLVM::LLVMFunctionType::get(result, arguments));
}

FileLineColLoc fileOf(Location loc) {
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

/// As C passes a variable argument: 32 or 64 bits, floats as double.
Value promote(OpBuilder &b, Location loc, Value value, bool isSigned) {
  Type type = value.getType();
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), value);
  if (isa<FloatType>(type))
    return type.isF64() ? value
                        : arith::ExtFOp::create(b, loc, b.getF64Type(),
                                                ValueRange{value})
                              .getResult();
  if (type.getIntOrFloatBitWidth() >= 64)
    return value;
  if (isSigned && !type.isInteger(1))
    return arith::ExtSIOp::create(b, loc, b.getI64Type(), value);
  return arith::ExtUIOp::create(b, loc, b.getI64Type(), value);
}

void callPrintf(gpu::Emitter &e, Location loc, StringRef format,
                ValueRange arguments) {
  OpBuilder &b = e.builder;
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Type> types(arguments.getTypes());
  auto block = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  Value memory;
  {
    // One place for all prints of a function, outside of loops.
    OpBuilder::InsertionGuard guard(b);
    Operation *function = b.getInsertionBlock()->getParentOp();
    while (!isa<LLVM::LLVMFuncOp>(function))
      function = function->getParentOp();
    b.setInsertionPointToStart(
        &cast<LLVM::LLVMFuncOp>(function).getBody().front());
    memory = LLVM::AllocaOp::create(b, loc, pointer, block,
                                    constantInt(b, loc, 32, 1), 8);
  }
  for (auto [i, value] : llvm::enumerate(arguments))
    LLVM::StoreOp::create(
        b, loc, value,
        LLVM::GEPOp::create(b, loc, pointer, block, memory,
                            ArrayRef<LLVM::GEPArg>{0, int32_t(i)}));
  auto function =
      runtimeFunction(e, loc, "vprintf", b.getI32Type(), {pointer, pointer});
  LLVM::CallOp::create(b, loc, function,
                       ValueRange{string(e, loc, format), memory});
}

} // namespace

// One line for each element, printed by one of the threads that hold it.
LogicalResult Hooks::print(gpu::Emitter &e, Operation *op) {
  auto print = cast<tt::PrintOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  SmallVector<Value> program;
  for (int axis = 0; axis < 3; ++axis)
    program.push_back(programId(b, loc, axis));
  auto inFirst = [&](Value first, llvm::function_ref<void()> fn) {
    if (!first)
      return fn();
    auto branch = scf::IfOp::create(b, loc, first, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    fn();
  };
  std::string prefix;
  for (char c : print.getPrefix())
    prefix += c == '%' ? std::string("%%") : std::string(1, c);
  std::string place = "pid (%u, %u, %u) idx (";
  if (print.getArgs().empty()) {
    inFirst(e.holdsFirstCopy(loc, LinearLayout()),
            [&] { callPrintf(e, loc, place + ")" + prefix + "\n", program); });
    return success();
  }
  for (unsigned k = 0; k < print.getArgs().size(); ++k) {
    Value argument = print.getArgs()[k];
    Type type = argument.getType(), element = tt::getElementType(type);
    bool isSigned =
        k < print.getIsSigned().size() && print.getIsSigned()[k] != 0;
    tgpu::LayoutAttr layout = tgpu::getLayout(type);
    LinearLayout linear = layout ? layout.getLinear() : LinearLayout();
    auto elements = layout ? e.elements(loc, linear)
                           : SmallVector<SmallVector<Value, 4>>(1);
    std::string format = place;
    for (size_t dim = 0; dim < elements.front().size(); ++dim)
      format += dim ? ", %d" : "%d";
    format += ")" + prefix;
    if (print.getHex() || isa<tt::PointerType>(element))
      format += "0x%llx";
    else if (isa<FloatType>(element))
      format += "%f";
    else
      format += isSigned ? "%lld" : "%llu";
    format += "\n";
    inFirst(e.holdsFirstCopy(loc, linear), [&] {
      for (auto [place, held] : llvm::zip(elements, e.get(argument))) {
        Value value = held;
        if (print.getHex() && isa<FloatType>(value.getType()))
          value = arith::BitcastOp::create(
              b, loc, b.getIntegerType(value.getType().getIntOrFloatBitWidth()),
              value);
        else if (isa<FloatType>(element) && value.getType().isInteger())
          value = emitConvert(b, loc, value, *floatFormat(element),
                              FloatFormat::F32, Rounding::NearestEven, {});
        SmallVector<Value> all(program);
        llvm::append_range(all, place);
        all.push_back(promote(b, loc, value, isSigned && !print.getHex()));
        callPrintf(e, loc, format, all);
      }
    });
  }
  return success();
}

LogicalResult Hooks::trap(gpu::Emitter &e, Operation *op, Value condition) {
  auto assertion = cast<tt::AssertOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  FileLineColLoc file = fileOf(loc);
  Value fails = arith::XOrIOp::create(b, loc, condition, e.i1(loc, true));
  auto branch = scf::IfOp::create(b, loc, fails, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function = runtimeFunction(
      e, loc, "__assertfail", LLVM::LLVMVoidType::get(b.getContext()),
      {pointer, pointer, b.getI32Type(), pointer, b.getI64Type()});
  LLVM::CallOp::create(
      b, loc, function,
      ValueRange{string(e, loc, assertion.getMessage()),
                 string(e, loc, file ? file.getFilename().getValue() : ""),
                 constantInt(b, loc, 32, file ? file.getLine() : 0),
                 string(e, loc, "device_assert"), constantInt(b, loc, 64, 1)});
  return success();
}

} // namespace nereid::nvptx
