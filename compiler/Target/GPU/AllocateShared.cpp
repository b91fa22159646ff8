//===- AllocateShared.cpp ---------------------------------------------===//

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/Passes.h"

using namespace mlir;

namespace nereid::gpu {
#define GEN_PASS_DEF_ALLOCATESHARED
#include "compiler/Target/GPU/Passes.h.inc"

namespace {
struct AllocateShared : impl::AllocateSharedBase<AllocateShared> {
  void runOnOperation() override {}
};
} // namespace
} // namespace nereid::gpu
