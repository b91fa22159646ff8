//===- WarpSpecialize.cpp - Warps that load, warps that compute ----------===//
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
#define GEN_PASS_DEF_WARPSPECIALIZE
#include "compiler/Transforms/Passes.h.inc"

namespace {
struct WarpSpecialize : impl::WarpSpecializeBase<WarpSpecialize> {
  using WarpSpecializeBase::WarpSpecializeBase;
  void runOnOperation() override {}
};
} // namespace
} // namespace nereid
