//===- EvalTarget.cpp - Evaluator: what the code is compiled for ----------===//
//
// triton.language.target_info, and what host code asks for the same: the
// driver's get_current_target(), torch.cuda's availability and capability, and
// which vendor's library torch.version names. A file is read anew for each
// target, so that `if is_cuda():` decides as it does in Triton's JIT on that
// device. While kernels are only listed there is no target, and the answers are
// unknown. On a CPU target the driver's answer stays unknown: host code knows
// GPUs only, and what it does without one, such as raising an error, is not
// meant for us.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/EvaluatorImpl.h"
#include "compiler/Lang/Module.h"

using namespace nereid::lang;

/// GPUTarget(backend, arch, warp_size), as Triton's.
static Value targetObject(ValueContext &values, const TargetFacts &target) {
  auto *type = values.create<ClassObject>();
  type->name = "GPUTarget";
  auto *object = values.create<InstanceObject>();
  object->type = type;
  object->set("backend", Value::internedString(target.backend));
  object->set("arch", target.capability ? Value::integer(target.capability)
                                        : Value::internedString(target.arch));
  object->set("warp_size", Value::integer(target.warpSize));
  return Value::of(object);
}

/// The numbers PyTorch gives for a GPU: (9, 0) for sm_90, (9, 4) for gfx942.
static std::optional<std::pair<int64_t, int64_t>>
deviceCapability(const TargetFacts &target) {
  if (target.backend == "cuda")
    return std::pair(target.capability / 10, target.capability % 10);
  // gfx942, gfx1100, gfx9-4-generic: of the digits the last is a stepping.
  llvm::StringRef name = target.arch;
  if (!name.consume_front("gfx"))
    return std::nullopt;
  int64_t major = 0, minor = 0;
  if (name.consume_back("-generic")) {
    auto [first, second] = name.split('-');
    if (first.getAsInteger(10, major) || second.getAsInteger(10, minor))
      return std::nullopt;
    return std::pair(major, minor);
  }
  if (name.size() < 3 || name.drop_back(2).getAsInteger(10, major) ||
      name.take_back(2).take_front(1).getAsInteger(16, minor))
    return std::nullopt;
  return std::pair(major, minor);
}

/// torch.version.cuda and torch.version.hip: a text where PyTorch is built for
/// the target's vendor, else None.
Value EvaluatorImpl::torchVersion(const BuiltinInfo &info, SourceRange range) {
  const std::optional<TargetFacts> &target = frontend.getOptions().target;
  if (!target || target->backend == "cpu") {
    Value unknown = values.unknown(
        range, "'" + info.display() + "' exists only when the program runs");
    unknown.getUnknown().path = (info.module + "." + info.name).str();
    return unknown;
  }
  bool cuda = info.id == BuiltinId::torch_version_cuda;
  if (cuda != (target->backend == "cuda"))
    return Value::none();
  return Value::internedString(cuda ? "13.0" : "7.0");
}

Value EvaluatorImpl::callTargetInfo(const BuiltinInfo &builtin, Args args,
                                    Keywords keywords, SourceRange range) {
  // Where this is compiled, Triton's language is there.
  if (builtin.module == "torch.utils._triton")
    return Value::boolean(true);
  const std::optional<TargetFacts> &target = frontend.getOptions().target;
  if (!target)
    return values.unknown(range, "'" + builtin.display() +
                                     "()' depends on the target, and none is "
                                     "chosen yet");
  bool isHip = target->backend == "hip";
  llvm::StringRef arch = target->arch;
  auto answer = [&](bool value) {
    if (args.empty() && keywords.empty())
      return Value::boolean(value);
    return raise("TypeError", range,
                 builtin.display() + "() takes no arguments");
  };
  switch (builtin.id) {
  case BuiltinId::driver_get_current_target:
    if (target->backend == "cpu")
      return values.unknown(range, "a CPU target has no driver of Triton's");
    [[fallthrough]];
  case BuiltinId::target_info_current_target:
    if (!args.empty() || !keywords.empty())
      return answer(false);
    return targetObject(values, *target);
  case BuiltinId::torch_cuda_is_available:
  case BuiltinId::torch_cuda_get_device_capability: {
    std::optional<std::pair<int64_t, int64_t>> capability =
        deviceCapability(*target);
    if (!capability)
      return values.unknown(range, "'" + builtin.display() +
                                       "()' is not known for " + target->arch);
    if (builtin.id == BuiltinId::torch_cuda_is_available)
      return answer(true);
    return values.tuple({Value::integer(capability->first), // of any device
                         Value::integer(capability->second)});
  }
  case BuiltinId::target_info_is_cuda:
    return answer(target->backend == "cuda");
  case BuiltinId::target_info_is_hip:
    return answer(isHip);
  case BuiltinId::target_info_is_hip_cdna:
    return answer(isHip && arch.starts_with("gfx9"));
  case BuiltinId::target_info_is_hip_cdna3:
    return answer(arch == "gfx942" || arch == "gfx9-4-generic");
  case BuiltinId::target_info_is_hip_cdna4:
    return answer(arch == "gfx950");
  case BuiltinId::target_info_is_hip_rdna3:
    return answer(arch.starts_with("gfx11"));
  case BuiltinId::target_info_is_hip_rdna4:
    return answer(arch.starts_with("gfx12") && arch != "gfx1250");
  case BuiltinId::target_info_is_hip_gfx1250:
    return answer(arch == "gfx1250");
  case BuiltinId::target_info_cuda_capability_geq: {
    static constexpr llvm::StringRef names[] = {"major", "minor"};
    Value out[2];
    if (!take("cuda_capability_geq", args, keywords, range, names, 1, out))
      return Value();
    std::optional<int64_t> major = out[0].getInt64(),
                           minor = out[1] ? out[1].getInt64() : 0;
    if (!major || !minor)
      return raise("TypeError", range,
                   "cuda_capability_geq() takes ints, found " +
                       typeName(major ? out[1] : out[0]));
    return Value::boolean(target->backend == "cuda" &&
                          target->capability >= *major * 10 + *minor);
  }
  default:
    return values.unknown(range, "'" + builtin.display() +
                                     "()' is not run at compile time");
  }
}
