//===- Hooks.cpp - Places, shuffles, barriers and the kernel --------------===//
//
// Loads, stores and atomics are in Access.cpp, output and traps in Output.cpp.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/NVPTX/Hooks.h"

#include "compiler/Target/NVPTX/Asm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid::nvptx {

int computeCapability(const TargetInfo &target) {
  StringRef digits = target.cpu;
  digits.consume_front("sm_");
  digits = digits.take_while([](char c) { return c >= '0' && c <= '9'; });
  int value = 0;
  digits.getAsInteger(10, value);
  return value;
}

void registerTarget() {
  gpu::registerHooks(TargetFamily::NVPTX, [](const TargetInfo &target) {
    return std::unique_ptr<gpu::TargetHooks>(new Hooks(target));
  });
}

//===-- Places ------------------------------------------------------------===//

static Value specialRegister(OpBuilder &b, Location loc, StringRef name,
                             int axis = -1) {
  std::string full = "llvm.nvvm.read.ptx.sreg." + name.str();
  if (axis >= 0)
    full += std::string(".") + "xyz"[axis];
  return intrinsic(b, loc, b.getI32Type(), full, {});
}

Value Hooks::threadId(Builder &b, Loc loc) {
  return specialRegister(b, loc, "tid", 0);
}
Value Hooks::programId(Builder &b, Loc loc, int axis) {
  return specialRegister(b, loc, "ctaid", axis);
}
Value Hooks::numPrograms(Builder &b, Loc loc, int axis) {
  return specialRegister(b, loc, "nctaid", axis);
}
Value Hooks::uniform(Builder &b, Loc loc, Value value) {
  return shuffle(b, loc, value, constantInt(b, loc, 32, 0));
}

Value Hooks::nanoseconds(Builder &b, Loc loc) {
  return inlineAsm(b, loc, b.getI64Type(), "mov.u64 $0, %globaltimer;", "=l",
                   {})
      .front();
}

//===-- Warps and barriers ------------------------------------------------===//

Value Hooks::shuffle(Builder &b, Loc loc, Value value, Value lane) {
  return intrinsic(
      b, loc, b.getI32Type(), "llvm.nvvm.shfl.sync.idx.i32",
      {constantInt(b, loc, 32, -1), value, lane, constantInt(b, loc, 32, 31)});
}

Value Hooks::shuffleXor(Builder &b, Loc loc, Value value, int mask) {
  return intrinsic(b, loc, b.getI32Type(), "llvm.nvvm.shfl.sync.bfly.i32",
                   {constantInt(b, loc, 32, -1), value,
                    constantInt(b, loc, 32, mask),
                    constantInt(b, loc, 32, 31)});
}

void Hooks::barrier(Builder &b, Loc loc, int id, int threads) {
  if (id == 0 && threads == blockThreads)
    intrinsic(b, loc, {}, "llvm.nvvm.barrier.cta.sync.aligned.all",
              {constantInt(b, loc, 32, 0)});
  else
    intrinsic(b, loc, {}, "llvm.nvvm.barrier.cta.sync.aligned.count",
              {constantInt(b, loc, 32, id), constantInt(b, loc, 32, threads)});
}

// ptxas moves a barrier up within straight-line code, in front of all that only
// computes: the second place would become the first. A loop ends straight-line
// code; this one is never repeated, which ptxas cannot know.
void Hooks::barrierOfHalf(Builder &b, Loc loc, Value takesPart, bool second,
                          int id, int threads, ValueRange ready) {
  std::string wait =
      ("@p barrier.cta.sync.aligned " + Twine(id) + ", " + Twine(threads) + ";")
          .str();
  std::string text = "{\n.reg .pred p;\nsetp.ne.b32 p, $0, 0;\n";
  if (second)
    text += ".reg .pred again;\n.reg .b32 bytes;\n"
            "mov.u32 bytes, %total_smem_size;\n"
            "setp.gt.u32 again, bytes, 0x40000000;\n"
            "meet:\n" +
            wait + "\n@again bra meet;\n}";
  else
    text += wait + "\n}";
  Value flag =
      LLVM::ZExtOp::create(b, loc, b.getI32Type(), takesPart).getResult();
  // What the asm takes but does not mention is computed before it.
  std::string constraints = "r";
  SmallVector<Value> operands{flag};
  for (Value value : ready) {
    constraints += value.getType().isF32() ? ",f" : ",r";
    operands.push_back(value);
  }
  inlineAsm(b, loc, {}, text, constraints, operands);
}

void Hooks::syncWarp(Builder &b, Loc loc) {
  intrinsic(b, loc, {}, "llvm.nvvm.bar.warp.sync",
            {constantInt(b, loc, 32, -1)});
}

// Integers of 32 bits, from sm_80 on.
Value Hooks::reduceWarp(Builder &b, Loc loc, Operation *combiner, Value value) {
  if (!value.getType().isInteger(32))
    return {};
  StringRef kind = llvm::TypeSwitch<Operation *, StringRef>(combiner)
                       .Case<arith::AddIOp>([](auto) { return "add"; })
                       .Case<arith::AndIOp>([](auto) { return "and"; })
                       .Case<arith::OrIOp>([](auto) { return "or"; })
                       .Case<arith::XOrIOp>([](auto) { return "xor"; })
                       .Case<arith::MaxSIOp>([](auto) { return "max"; })
                       .Case<arith::MinSIOp>([](auto) { return "min"; })
                       .Case<arith::MaxUIOp>([](auto) { return "umax"; })
                       .Case<arith::MinUIOp>([](auto) { return "umin"; })
                       .Default([](auto) { return StringRef(); });
  if (kind.empty())
    return {};
  return intrinsic(b, loc, b.getI32Type(),
                   ("llvm.nvvm.redux.sync." + kind).str(),
                   {value, constantInt(b, loc, 32, -1)});
}

//===-- The kernel --------------------------------------------------------===//

// Dynamic shared memory: its size is a launch fact, so that more than 48 KiB
// can be had. It starts at the beginning of the block's window, because nothing
// else is static; tiles of the copy engine need 1024.
Value Hooks::sharedBase(Builder &b, Loc loc, ModuleOp module) {
  constexpr StringRef name = "nrd_shared";
  auto global = module.lookupSymbol<LLVM::GlobalOp>(name);
  if (!global) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    global = LLVM::GlobalOp::create(
        b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0),
        /*isConstant=*/false, LLVM::Linkage::External, name, Attribute(),
        /*alignment=*/1024, /*addrSpace=*/3);
  }
  return LLVM::AddressOfOp::create(b, loc, global);
}

void Hooks::finishKernel(LLVM::LLVMFuncOp kernel,
                         const gpu::LaunchBounds &bounds) {
  Builder b(kernel.getContext());
  kernel.setCConv(LLVM::CConv::PTX_Kernel);
  SmallVector<Attribute> attributes;
  auto add = [&](StringRef name, int value) {
    attributes.push_back(b.getStrArrayAttr({name, std::to_string(value)}));
  };
  add("nvvm.reqntid", bounds.threads);
  // Said explicitly, one block per multiprocessor makes ptxas issue the loads
  // of a tile one after the other; left to itself it saves registers and waits
  // for each before the next. Where copies run ahead nothing waits so, and
  // registers saved make room for another block.
  if (bounds.maxRegisters)
    add("nvvm.maxnreg", bounds.maxRegisters);
  else if (!bounds.copiesAhead)
    add("nvvm.minctasm", 1);
  kernel.setPassthroughAttr(b.getArrayAttr(attributes));
}

void Hooks::addOperations(gpu::EmitTable &table) {
  addMma(table);
  addWgmma(table);
  addAsyncCopy(table);
  addTma(table);
  addInline(table);
  addNumbers(table);
}

} // namespace nereid::nvptx
