//===- CompileKernel.cpp - One kernel of tile IR to a shared object -------===//
//
//   cpu-compile-kernel FILE.ttir TARGET OUT.so [--loops|--llvm|--asm]
//
// The driver of the CPU back end's execution tests: compiles one kernel, writes
// the object and prints what a caller needs to know as JSON. With a last word
// it prints that stage as text instead.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/CPU/Emit.h"
#include "compiler/Target/CPU/Lowering.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace nereid;

int main(int argc, char **argv) {
  if (argc < 4) {
    llvm::errs() << "usage: cpu-compile-kernel FILE TARGET OUT [STAGE]\n";
    return 2;
  }
  StringRef stage = argc > 4 ? argv[4] : "";
  const TargetInfo *target = findTarget(argv[2]);
  if (!target) {
    llvm::errs() << "unknown target " << argv[2] << "\n";
    return 2;
  }
  DialectRegistry registry;
  registry.insert<tt::TTDialect, ttg::TTGDialect, arith::ArithDialect,
                  cf::ControlFlowDialect, math::MathDialect, scf::SCFDialect,
                  vector::VectorDialect, LLVM::LLVMDialect>();
  cpu::registerEmitDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler handler(sources, &context);
  auto module = parseSourceFile<ModuleOp>(argv[1], sources, &context);
  if (!module)
    return 1;
  PassManager transforms(&context);
  transforms.addPass(createImport());
  transforms.addPass(createStructureControlFlow());
  transforms.addPass(createCanonicalizerPass());
  transforms.addPass(createLowerBlockPointers());
  transforms.addPass(createLowerDescriptors());
  transforms.addPass(createScalarizeLoopCarries());
  transforms.addPass(createCombine());
  transforms.addPass(createCanonicalizerPass());
  transforms.addPass(createCSEPass());
  if (failed(transforms.run(*module)))
    return 1;
  cpu::KernelLayout layout;
  if (stage == "--loops") {
    PassManager before(&context);
    before.addPass(createCanonicalizerPass());
    before.addPass(createCSEPass());
    if (failed(before.run(*module)) ||
        failed(cpu::lowerToLoops(*module, *target, layout)))
      return 1;
    PassManager after(&context);
    after.addPass(createCanonicalizerPass());
    after.addPass(createCSEPass());
    if (failed(after.run(*module)))
      return 1;
    module->print(llvm::outs());
    return 0;
  }
  if (failed(cpu::lowerToLLVM(*module, *target, layout)))
    return 1;
  if (stage == "--llvm" || stage == "--asm") {
    auto text = cpu::emitText(*module, layout.symbol, *target,
                              stage == "--llvm" ? cpu::TextKind::LLVM
                                                : cpu::TextKind::Asm);
    if (!text) {
      llvm::errs() << toString(text.takeError()) << "\n";
      return 1;
    }
    llvm::outs() << *text;
    return 0;
  }
  ResourceReport report;
  auto object = cpu::emitSharedObject(*module, layout.symbol, *target, &report);
  if (!object) {
    llvm::errs() << toString(object.takeError()) << "\n";
    return 1;
  }
  std::error_code error;
  llvm::raw_fd_ostream out(argv[3], error);
  if (error) {
    llvm::errs() << error.message() << "\n";
    return 1;
  }
  out << *object;
  llvm::outs() << "{\"symbol\": \"" << layout.symbol
               << "\", \"params\": " << layout.paramSize
               << ", \"scratch\": " << layout.scratchSize
               << ", \"text\": " << report.textSize << ", \"offsets\": [";
  for (auto [i, field] : llvm::enumerate(layout.fields))
    llvm::outs() << (i ? ", " : "") << field.offset;
  llvm::outs() << "]}\n";
  return 0;
}
