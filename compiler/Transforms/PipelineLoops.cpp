//===- PipelineLoops.cpp - Load ahead of use -----------------------------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_PIPELINELOOPS
#include "compiler/Transforms/Passes.h.inc"

namespace {
struct PipelineLoops : impl::PipelineLoopsBase<PipelineLoops> {
  using PipelineLoopsBase::PipelineLoopsBase;
  void runOnOperation() override {}
};
} // namespace
} // namespace nereid
