//===- nereid-opt.cpp - Run any compiler pass on textual IR ---------------===//
//
// mlir-opt with our dialects and passes, and of MLIR's own only those that the
// pipeline uses. A new library of passes adds one line to main.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/AMDGPU/Hooks.h"
#include "compiler/Target/CPU/Passes.h"
#include "compiler/Target/GPU/Passes.h"
#include "compiler/Target/NVPTX/Hooks.h"
#include "compiler/Target/Passes.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/InlinerInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<nereid::tgpu::TGPUDialect, nereid::tt::TTDialect,
                  nereid::ttg::TTGDialect, mlir::arith::ArithDialect,
                  mlir::cf::ControlFlowDialect, mlir::gpu::GPUDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                  mlir::scf::SCFDialect, mlir::ub::UBDialect,
                  mlir::vector::VectorDialect>();

  mlir::LLVM::registerInlinerInterface(registry);

  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  mlir::registerInlinerPass();
  mlir::registerLoopInvariantCodeMotionPass();
  mlir::registerSCCPPass();
  mlir::registerSymbolDCEPass();
  nereid::registerTargetPasses();
  nereid::registerTransformsPasses();
  nereid::cpu::registerTargetCPUPasses();
  nereid::gpu::registerTargetGPUPasses();
  nereid::amdgpu::registerTarget();
  nereid::nvptx::registerTarget();

  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "nereid pass driver\n", registry));
}
