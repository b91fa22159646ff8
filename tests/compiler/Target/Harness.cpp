//===- Harness.cpp - Builds, compiles and loads a function in a test ------===//

#include "tests/compiler/Target/Harness.h"

#include <gtest/gtest.h>

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace mlir;

namespace nereid::test {

bool hostRuns(const TargetInfo &target) {
  __builtin_cpu_init();
  if (target.family != TargetFamily::CPU ||
      target.triple.starts_with("x86_64") == false)
    return false;
  if (target.matrixUnit == MatrixUnit::AMX) {
    constexpr int kRequestPermission = 0x1023, kTileData = 18;
    return __builtin_cpu_supports("amx-bf16") &&
           __builtin_cpu_supports("amx-int8") &&
           syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }
  switch (target.vectorBits) {
  case 512:
    return __builtin_cpu_supports("x86-64-v4");
  case 256:
    return __builtin_cpu_supports("x86-64-v3");
  default:
    return __builtin_cpu_supports("x86-64-v2");
  }
}

std::vector<const TargetInfo *> runnableTargets() {
  std::vector<const TargetInfo *> targets;
  for (const TargetInfo &target : allTargets())
    if (hostRuns(target))
      targets.push_back(&target);
  return targets;
}

std::vector<const TargetInfo *> vectorTargets() {
  std::vector<const TargetInfo *> targets = runnableTargets();
  llvm::erase_if(targets, [](const TargetInfo *target) {
    return target->matrixUnit != MatrixUnit::None;
  });
  return targets;
}

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  cpu::registerEmitDialects(registry);
  return registry;
}

Harness::Harness(const TargetInfo &target)
    : context(makeRegistry(), MLIRContext::Threading::DISABLED),
      target(target) {
  context.loadAllAvailableDialects();
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
}

Harness::~Harness() {
  if (library)
    dlclose(library);
  if (descriptor >= 0)
    close(descriptor);
}

void Harness::build(ArrayRef<Type> arguments, const Body &body) {
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, loc, "entry",
                                       builder.getFunctionType(arguments, {}));
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToStart(block);
  body(builder, loc, block->getArguments());
  func::ReturnOp::create(builder, loc);
}

bool Harness::lower() {
  PassManager pm(&context);
  cpu::addLowerToLLVM(pm, target);
  return succeeded(pm.run(*module));
}

llvm::Expected<std::string> Harness::emit(ResourceReport *report) {
  return cpu::emitSharedObject(*module, "entry", target, report);
}

void *Harness::compile(ArrayRef<Type> arguments, const Body &body) {
  build(arguments, body);
  if (!lower()) {
    ADD_FAILURE() << "lowering failed: " << messages;
    return nullptr;
  }
  llvm::Expected<std::string> bytes = emit(&report);
  if (!bytes) {
    ADD_FAILURE() << llvm::toString(bytes.takeError());
    return nullptr;
  }
  // Stays open as long as the library: the loader knows a library by its path,
  // and a descriptor's number, once free, would name the next one too.
  descriptor = memfd_create("kernel", 0);
  if (descriptor < 0 || write(descriptor, bytes->data(), bytes->size()) !=
                            static_cast<ssize_t>(bytes->size())) {
    ADD_FAILURE() << "cannot write the image";
    return nullptr;
  }
  std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    ADD_FAILURE() << dlerror();
  return library ? dlsym(library, "entry") : nullptr;
}

std::string Harness::assembly() {
  llvm::Expected<std::string> text =
      cpu::emitText(*module, "entry", target, cpu::TextKind::Asm);
  if (!text) {
    ADD_FAILURE() << llvm::toString(text.takeError());
    return "";
  }
  return *text;
}

// A loop is a jump to a label above it; it is innermost when no other backward
// jump lies inside.
SpillCount countSpills(const std::string &assembly) {
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(assembly).split(lines, '\n');
  llvm::StringMap<size_t> labels;
  std::vector<std::pair<size_t, size_t>> loops;
  for (size_t i = 0; i < lines.size(); ++i) {
    llvm::StringRef line = lines[i].split('#').first.trim();
    if (line.ends_with(":")) {
      labels[line.drop_back()] = i;
      continue;
    }
    if (!line.starts_with("j"))
      continue;
    llvm::StringRef to = line.substr(line.find_first_of(" \t")).trim();
    auto label = labels.find(to);
    if (label != labels.end())
      loops.push_back({label->second, i});
  }
  SpillCount count;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].contains("Spill") && !lines[i].contains("Reload"))
      continue;
    ++count.inAll;
    for (auto [first, last] : loops) {
      if (i < first || i > last)
        continue;
      bool innermost = true;
      for (auto [otherFirst, otherLast] : loops)
        innermost &=
            !(otherFirst >= first && otherLast <= last &&
              std::pair(otherFirst, otherLast) != std::pair(first, last));
      if (innermost) {
        ++count.inInnermostLoops;
        break;
      }
    }
  }
  return count;
}

} // namespace nereid::test
