//===- nereid-frontend.cpp - Python source to tt IR, for developers -------===//
//
//   nereid-frontend k.py:matmul a_ptr=*fp16:16 M=i32 BLOCK=64 ... [--inline]
//
// prints the module as the front end makes it; with --inline as the rest of
// the compiler sees it. An argument of the form name=VALUE is a type or, for a
// tl.constexpr, its value; --fix name=VALUE fixes an ordinary parameter.
// --list-ops prints the table of operations, see lang::listOps.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/Frontend.h"
#include "compiler/Lang/OpTable.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"

#include <chrono>

namespace cl = llvm::cl;
using namespace nereid;

static cl::opt<std::string> input(cl::Positional, cl::desc("FILE[:FUNCTION]"));
static cl::list<std::string> arguments(cl::Positional,
                                       cl::desc("NAME=TYPE-OR-VALUE..."));
static cl::list<std::string>
    fixedArguments("fix", cl::desc("NAME=VALUE, kept public"));
static cl::list<std::string> searchPaths("I", cl::Prefix,
                                         cl::desc("where imports are found"));
static cl::list<std::string> bindings("bind", cl::desc("NAME=EXPRESSION"));
static cl::opt<bool> inlineCalls("inline", cl::desc("inline and simplify"));
static cl::opt<bool> locations("locations", cl::desc("print locations"));
static cl::opt<bool> debugMode("debug-asserts", cl::desc("emit assertions"));
static cl::opt<bool> timing("time", cl::desc("print the time taken"));
static cl::opt<bool> listing("list-ops", cl::desc("print the operations"));

static std::pair<std::string, std::string> splitPair(llvm::StringRef text) {
  auto [name, value] = text.split('=');
  return {name.trim().str(), value.trim().str()};
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Triton source to tile IR\n");
  if (listing) {
    llvm::outs() << lang::listOps();
    return 0;
  }
  llvm::StringRef path = input, function;
  if (size_t colon = path.rfind(":"); colon != llvm::StringRef::npos) {
    function = path.drop_front(colon + 1);
    path = path.take_front(colon);
  }
  auto start = std::chrono::steady_clock::now();
  lang::FrontendOptions options;
  options.prelude = lang::preludeTexts();
  options.searchPaths = searchPaths;
  for (llvm::StringRef binding : bindings)
    options.bindings.push_back(splitPair(binding));
  lang::Frontend frontend(options, [](const lang::Diagnostic &diagnostic) {
    llvm::errs() << diagnostic.rendered;
  });
  lang::Module *file = frontend.loadFile(path);
  if (!file)
    return 1;
  lang::FunctionObject *kernel = frontend.findKernel(*file, function);
  if (!kernel)
    return 1;

  lang::KernelRequest request;
  request.function = function.str();
  request.debug = debugMode;
  request.print = [](llvm::StringRef text) { llvm::outs() << text << '\n'; };
  lang::KernelInfo info = frontend.describe(*kernel);
  for (llvm::StringRef text : arguments) {
    auto pair = splitPair(text);
    bool isConstant = llvm::any_of(info.parameters, [&](auto &param) {
      return param.name == pair.first && param.isConstexpr;
    });
    (isConstant ? request.constants : request.signature).push_back(pair);
  }
  for (llvm::StringRef text : fixedArguments)
    request.fixed.push_back(splitPair(text));

  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto built = lang::buildKernel(frontend, *file, request, context);
  if (timing) {
    auto micros = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - start);
    llvm::errs() << "time: " << llvm::format("%.2f", micros.count() / 1000.0)
                 << " ms\n";
  }
  if (!built)
    return 1;
  if (inlineCalls) {
    mlir::PassManager passes(&context);
    passes.addPass(mlir::createInlinerPass());
    passes.addPass(mlir::createCanonicalizerPass());
    passes.addPass(mlir::createCSEPass());
    passes.addPass(mlir::createSymbolDCEPass());
    if (mlir::failed(passes.run(*built->module)))
      return 1;
  }
  mlir::OpPrintingFlags flags;
  if (locations)
    flags.enableDebugInfo(true, /*prettyForm=*/false);
  built->module->print(llvm::outs(), flags);
  return 0;
}
