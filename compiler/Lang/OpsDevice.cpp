//===- OpsDevice.cpp - triton.language.extra.cuda and .hip ----------------===//
//
// Each is one instruction of its vendor's assembly. Waiting for the kernel that
// was launched before is done nowhere but on NVIDIA: elsewhere a kernel begins
// when the one before it has ended, so there is nothing to wait for.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/Module.h"
#include "compiler/Lang/OpTable.h"

namespace nereid::lang {

static const TargetFacts *targetOf(OpArgs &args) {
  const auto &target =
      args.fn.getModuleCodeGen().getFrontend().getOptions().target;
  return target ? &*target : nullptr;
}

static Value assembly(OpArgs &args, llvm::StringRef text,
                      llvm::StringRef constraints, ScalarId result,
                      bool isPure) {
  const Type *type = args.fn.getModuleCodeGen().getTypes().getScalar(result);
  auto op = tt::ElementwiseInlineAsmOp::create(
      args.sem.getBuilder(), args.sem.getLoc(),
      llvm::ArrayRef<mlir::Type>{args.sem.toIR(type)}, text, constraints,
      isPure, /*packed_element=*/1, mlir::ValueRange{});
  return args.result(Tensor(op->getResult(0), type));
}

/// Reports that only one vendor's GPUs have a function.
static Value onlyOn(OpArgs &args, llvm::StringRef vendor) {
  const TargetFacts *target = targetOf(args);
  return args.fail("'" + args.getDisplay() + "' exists on " + vendor +
                   " only, and this is compiled for " +
                   (target ? target->backend + " " + target->arch
                           : std::string("no target yet")) +
                   "; put it under a condition on "
                   "tl.target_info.current_target() or a tl.constexpr");
}

static bool isOn(OpArgs &args, llvm::StringRef backend) {
  const TargetFacts *target = targetOf(args);
  return target && target->backend == backend;
}

static Value dependency(OpArgs &args, llvm::StringRef instruction,
                        int64_t leastCapability) {
  if (isOn(args, "cuda") && targetOf(args)->capability >= leastCapability)
    // The result is unused; an instruction of no result has no form here.
    assembly(args, (instruction + "\n mov.u32 $0, 0;").str(), "=r,~{memory}",
             ScalarId::Int32, /*isPure=*/false);
  return Value::none();
}

Value opGdcWait(OpArgs &args) {
  return dependency(args, "griddepcontrol.wait;", 90);
}

Value opGdcLaunchDependents(OpArgs &args) {
  return dependency(args, "griddepcontrol.launch_dependents;", 90);
}

Value opGlobalTimer(OpArgs &args) {
  if (!isOn(args, "cuda"))
    return onlyOn(args, "NVIDIA GPUs");
  return assembly(args, "mov.u64 $0, %globaltimer;", "=l", ScalarId::Int64,
                  /*isPure=*/false);
}

Value opCudaSmid(OpArgs &args) {
  if (!isOn(args, "cuda"))
    return onlyOn(args, "NVIDIA GPUs");
  return assembly(args, "mov.u32 $0, %smid;", "=r", ScalarId::Int32,
                  /*isPure=*/true);
}

} // namespace nereid::lang
