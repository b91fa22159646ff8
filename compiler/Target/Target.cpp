//===- Target.cpp - The table of targets ----------------------------------===//

#include "compiler/Target/Target.h"

using namespace llvm;

namespace nereid {

static const TargetInfo kTargets[] = {
#define NRD_TARGET(name, family, triple, cpu, features, vectorBits,            \
                   vectorRegisters, warpSize, sharedBytes, residentThreads,    \
                   matrixUnit)                                                 \
  {name,                                                                       \
   TargetFamily::family,                                                       \
   triple,                                                                     \
   cpu,                                                                        \
   features,                                                                   \
   vectorBits,                                                                 \
   vectorRegisters,                                                            \
   warpSize,                                                                   \
   sharedBytes,                                                                \
   residentThreads,                                                            \
   MatrixUnit::matrixUnit},
#include "compiler/Target/targets.def"
};

ArrayRef<TargetInfo> allTargets() { return kTargets; }

int64_t blocksBySharedMemory(const TargetInfo &target, int64_t bytes) {
  // CUDA takes some of each block's for itself.
  int64_t reserved = target.family == TargetFamily::NVPTX ? 1024 : 0;
  int64_t each = bytes + reserved;
  return each > 0 ? (int64_t(target.sharedBytes) + reserved) / each : INT64_MAX;
}

bool hasCopyEngine(const TargetInfo &target) {
  StringRef chip = target.cpu;
  unsigned capability = 0;
  return target.family == TargetFamily::NVPTX && chip.consume_front("sm_") &&
         !chip.consumeInteger(10, capability) && capability >= 90;
}

const TargetInfo *findTarget(StringRef name) {
  for (const TargetInfo &target : kTargets)
    if (target.name == name)
      return &target;
  return nullptr;
}

StringRef nearestTarget(StringRef name) {
  StringRef best;
  unsigned bestDistance = 4;
  for (const TargetInfo &target : kTargets) {
    unsigned distance = name.edit_distance(target.name, true, bestDistance);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = target.name;
    }
  }
  return best;
}

bool multipliesFloat8InWarps(const TargetInfo &target) {
  if (target.family != TargetFamily::NVPTX)
    return false;
  // mma.sync on e4m3 and e5m2: PTX ISA 8.4, from sm_89 on.
  unsigned sm = 0, ptx = 0;
  StringRef cpu = target.cpu, features = target.features;
  return cpu.consume_front("sm_") && !cpu.consumeInteger(10, sm) && sm >= 89 &&
         features.consume_front("+ptx") && !features.consumeInteger(10, ptx) &&
         ptx >= 84;
}

} // namespace nereid
