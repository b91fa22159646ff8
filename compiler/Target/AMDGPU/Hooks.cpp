//===- Hooks.cpp - Places, shuffles, barriers and the kernel --------------===//
//
// LLVM's AMDGPU usage guide names the intrinsics; the ISA documents of CDNA and
// RDNA say what they do. Loads, stores and atomics are in Access.cpp.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/AMDGPU/Hooks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid::amdgpu {

Value intrinsic(OpBuilder &b, Location loc, Type result, StringRef name,
                ValueRange operands) {
  auto attribute = b.getStringAttr(name);
  if (!result) {
    LLVM::CallIntrinsicOp::create(b, loc, attribute, operands);
    return {};
  }
  return LLVM::CallIntrinsicOp::create(b, loc, result, attribute, operands)
      .getResults();
}

Value constantInt(OpBuilder &b, Location loc, int bits, int64_t value) {
  Type type = b.getIntegerType(bits);
  return LLVM::ConstantOp::create(b, loc, type, b.getIntegerAttr(type, value));
}

void registerTarget() {
  gpu::registerHooks(TargetFamily::AMDGPU, [](const TargetInfo &target) {
    return std::unique_ptr<gpu::TargetHooks>(new Hooks(target));
  });
}

//===-- Places ------------------------------------------------------------===//

Value Hooks::threadId(Builder &b, Loc loc) {
  return intrinsic(b, loc, b.getI32Type(), "llvm.amdgcn.workitem.id.x", {});
}

Value Hooks::programId(Builder &b, Loc loc, int axis) {
  return intrinsic(b, loc, b.getI32Type(),
                   std::string("llvm.amdgcn.workgroup.id.") + "xyz" [axis], {});
}

// The dispatch packet, which the hardware queue hands over in registers, counts
// work items (at byte 12); a hidden argument would have to be filled by whoever
// launches.
Value Hooks::numPrograms(Builder &b, Loc loc, int axis) {
  auto constant = LLVM::LLVMPointerType::get(b.getContext(), 4);
  Value packet = intrinsic(b, loc, constant, "llvm.amdgcn.dispatch.ptr", {});
  Value place = LLVM::GEPOp::create(b, loc, constant, b.getI8Type(), packet,
                                    ArrayRef<LLVM::GEPArg>{12 + 4 * axis});
  Value items = LLVM::LoadOp::create(b, loc, b.getI32Type(), place, 4);
  if (axis != 0)
    return items;
  return LLVM::UDivOp::create(b, loc, items,
                              constantInt(b, loc, 32, blockThreads));
}

Value Hooks::uniform(Builder &b, Loc loc, Value value) {
  return intrinsic(b, loc, b.getI32Type(), "llvm.amdgcn.readfirstlane.i32",
                   value);
}

//===-- Waves and barriers ------------------------------------------------===//

Value Hooks::shuffle(Builder &b, Loc loc, Value value, Value lane) {
  Value address = LLVM::ShlOp::create(b, loc, lane, constantInt(b, loc, 32, 2));
  return intrinsic(b, loc, b.getI32Type(), "llvm.amdgcn.ds.bpermute",
                   {address, value});
}

Value Hooks::shuffleXor(Builder &b, Loc loc, Value value, int mask) {
  // Data-parallel primitives move within rows of 16 lanes as part of an
  // ordinary instruction: permutations of four, mirrors, a rotation by eight.
  int dpp = -1;
  switch (mask) {
  case 1:
    dpp = 0xB1; // lanes 1 0 3 2
    break;
  case 2:
    dpp = 0x4E; // lanes 2 3 0 1
    break;
  case 3:
    dpp = 0x1B; // lanes 3 2 1 0
    break;
  case 7:
    dpp = 0x141; // mirror of eight
    break;
  case 8:
    dpp = 0x128; // rotation by eight of 16
    break;
  case 15:
    dpp = 0x140; // mirror of 16
    break;
  }
  Type i32 = b.getI32Type();
  if (dpp >= 0)
    return intrinsic(b, loc, i32, "llvm.amdgcn.update.dpp.i32",
                     {value, value, constantInt(b, loc, 32, dpp),
                      constantInt(b, loc, 32, 15), constantInt(b, loc, 32, 15),
                      constantInt(b, loc, 1, 1)});
  // Within 32 lanes the pattern is part of the instruction: and, or, xor masks
  // of five bits each.
  if (mask < 32)
    return intrinsic(b, loc, i32, "llvm.amdgcn.ds.swizzle",
                     {value, constantInt(b, loc, 32, mask << 10 | 0x1f)});
  Value own =
      intrinsic(b, loc, i32, "llvm.amdgcn.mbcnt.lo",
                {constantInt(b, loc, 32, -1), constantInt(b, loc, 32, 0)});
  own = intrinsic(b, loc, i32, "llvm.amdgcn.mbcnt.hi",
                  {constantInt(b, loc, 32, -1), own});
  return shuffle(
      b, loc, value,
      LLVM::XOrOp::create(b, loc, own, constantInt(b, loc, 32, mask)));
}

// The barrier instruction alone orders nothing.
void Hooks::barrier(Builder &b, Loc loc, int id, int threads) {
  if (id != 0 || threads != blockThreads)
    emitError(loc) << target.name
                   << " has no barriers of a part of the block; compile "
                      "without warp specialisation";
  LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::release, "workgroup");
  intrinsic(b, loc, {}, "llvm.amdgcn.s.barrier", {});
  LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::acquire, "workgroup");
}

void Hooks::syncWarp(Builder &b, Loc loc) {
  LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::release, "wavefront");
  intrinsic(b, loc, {}, "llvm.amdgcn.wave.barrier", {});
  LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::acquire, "wavefront");
}

// A counter of 100 MHz on every chip of the table.
Value Hooks::nanoseconds(Builder &b, Loc loc) {
  Value ticks = intrinsic(b, loc, b.getI64Type(), "llvm.readsteadycounter", {});
  return LLVM::MulOp::create(b, loc, ticks, constantInt(b, loc, 64, 10));
}

//===-- The kernel --------------------------------------------------------===//

// Sized by the launch, as the pack says it.
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
  kernel.setCConv(LLVM::CConv::AMDGPU_KERNEL);
  std::string count = std::to_string(bounds.threads);
  auto pair = [&](StringRef name, StringRef value) -> Attribute {
    return b.getStrArrayAttr({name, value});
  };
  kernel.setPassthroughAttr(
      b.getArrayAttr({pair("amdgpu-flat-work-group-size", count + "," + count),
                      pair("uniform-work-group-size", "true"),
                      // No argument that is not the kernel's own.
                      pair("amdgpu-implicitarg-num-bytes", "0")}));
}

LogicalResult Hooks::print(gpu::Emitter &, Operation *op) {
  return emitError(op->getLoc())
         << "device_print needs a host that serves it, which there is none of "
            "on "
         << target.name;
}

LogicalResult Hooks::trap(gpu::Emitter &emitter, Operation *op,
                          Value condition) {
  OpBuilder &b = emitter.builder;
  Location loc = op->getLoc();
  Value fails = arith::XOrIOp::create(b, loc, condition, emitter.i1(loc, true));
  auto branch = scf::IfOp::create(b, loc, fails, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  LLVM::Trap::create(b, loc);
  return success();
}

void Hooks::addOperations(gpu::EmitTable &table) { addMfma(table); }

} // namespace nereid::amdgpu
