//===- lang.cpp - Fuzzing the lexer, parser and evaluator -----------------===//
//
// Any text must give a tree, a list of kernels and messages: no crash, no hang,
// no wild memory. See CMakeLists.txt for how to build and run it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/Module.h"
#include "compiler/Lang/Parser.h"

using namespace nereid::lang;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  FrontendOptions options;
  Frontend frontend(options, [](const Diagnostic &d) {
    // The rendering is part of what is tested.
    if (d.rendered.empty())
      __builtin_trap();
  });
  Evaluator &evaluator = frontend.getEvaluator();
  evaluator.limits.maxSteps = 5000;
  evaluator.limits.maxElements = 10000;
  Module *module = frontend.loadText("fuzz.py", text);
  if (evaluator.hasError())
    __builtin_trap();
  dump(module->getAST());
  for (const SyntaxError *error : module->getAST().errors)
    report(*error, frontend.getDiagnostics());
  for (const KernelInfo &kernel : frontend.listKernels(*module)) {
    frontend.checkSyntax(*kernel.function);
    for (const JitInfo::Heuristic &heuristic : kernel.function->jit.heuristics)
      frontend.evaluateHeuristic(*kernel.function, heuristic, {});
  }
  frontend.findKernel(*module, "");
  for (const auto &entry : module->getGlobals().all())
    repr(entry.getValue());
  frontend.evaluateText(text.take_front(200), "fuzz");
  if (evaluator.hasError())
    __builtin_trap();
  return 0;
}
