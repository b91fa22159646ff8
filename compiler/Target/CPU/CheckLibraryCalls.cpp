//===- CheckLibraryCalls.cpp - No operation may become a library call -----===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Passes.h"

#include "nereid/cpu_kernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace nereid::cpu {
#define GEN_PASS_DEF_CHECKLIBRARYCALLS
#include "compiler/Target/CPU/Passes.h.inc"

namespace {

// The function LLVM would call for this operation, or "".
StringRef libraryCallOf(Operation *op, bool hasFma) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<LLVM::SinOp>([](auto) { return "sin"; })
      .Case<LLVM::CosOp>([](auto) { return "cos"; })
      .Case<LLVM::TanOp>([](auto) { return "tan"; })
      .Case<LLVM::SinhOp>([](auto) { return "sinh"; })
      .Case<LLVM::CoshOp>([](auto) { return "cosh"; })
      .Case<LLVM::TanhOp>([](auto) { return "tanh"; })
      .Case<LLVM::ASinOp>([](auto) { return "asin"; })
      .Case<LLVM::ACosOp>([](auto) { return "acos"; })
      .Case<LLVM::ATanOp>([](auto) { return "atan"; })
      .Case<LLVM::ATan2Op>([](auto) { return "atan2"; })
      .Case<LLVM::ExpOp>([](auto) { return "exp"; })
      .Case<LLVM::Exp2Op>([](auto) { return "exp2"; })
      .Case<LLVM::Exp10Op>([](auto) { return "exp10"; })
      .Case<LLVM::LogOp>([](auto) { return "log"; })
      .Case<LLVM::Log2Op>([](auto) { return "log2"; })
      .Case<LLVM::Log10Op>([](auto) { return "log10"; })
      .Case<LLVM::PowOp>([](auto) { return "pow"; })
      .Case<LLVM::PowIOp>([](auto) { return "__powidf2"; })
      .Case<LLVM::FRemOp>([](auto) { return "fmod"; })
      .Case<LLVM::SincosOp>([](auto) { return "sincos"; })
      .Case<LLVM::FMAOp>([&](auto) -> StringRef { return hasFma ? "" : "fma"; })
      .Default([](auto) { return ""; });
}

bool mayImport(StringRef name) {
#define NRD_COMPARE(symbol)                                                    \
  if (name == #symbol)                                                         \
    return true;
  NRD_CPU_IMPORT_LIST(NRD_COMPARE)
#undef NRD_COMPARE
  return false;
}

struct CheckLibraryCalls : impl::CheckLibraryCallsBase<CheckLibraryCalls> {
  using CheckLibraryCallsBase::CheckLibraryCallsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    bool failed = false;
    module.walk([&](Operation *op) {
      StringRef name = libraryCallOf(op, hasFma);
      if (!name.empty()) {
        op->emitOpError() << "would call '" << name
                          << "' of the C library, which does not exist where "
                             "kernels run";
        failed = true;
      }
      auto call = dyn_cast<LLVM::CallOp>(op);
      if (!call || !call.getCallee())
        return;
      auto callee = module.lookupSymbol<LLVM::LLVMFuncOp>(*call.getCallee());
      if (callee && !callee.isExternal())
        return;
      if (mayImport(*call.getCallee()))
        return;
      call.emitOpError() << "calls '" << *call.getCallee()
                         << "', which does not exist where kernels run";
      failed = true;
    });
    if (failed)
      signalPassFailure();
  }
};

} // namespace
} // namespace nereid::cpu
