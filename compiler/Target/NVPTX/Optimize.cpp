//===- Optimize.cpp - What we want of LLVM's NVPTX back end ---------------===//

#include "compiler/Target/NVPTX/Optimize.h"

#include "llvm/Pass.h"
#include "llvm/Support/CommandLine.h"

#include <mutex>

using namespace llvm;

namespace nereid::nvptx {

void setBackEndOptions() {
  static std::once_flag once;
  std::call_once(once, [] {
    auto &known = cl::getRegisteredOptions();
    auto set = [&](StringRef name) {
      auto option = known.find(name);
      if (option != known.end())
        option->second->addOccurrence(0, name, "true");
    };
    // Pointers into shared memory take one register, and sums of them one
    // instruction.
    set("nvptx-short-ptr");
  });
}

namespace {
/// Leaves out two passes before loop strength reduction, which changed nothing
/// of what ptxas made of the eight kernels that were compared. Straight line strength
/// reduction stays: it takes time and leaves more instructions, but the loop of
/// a product of 128x256 was 5 % slower without it on an H100.
class LeanPassManager : public legacy::PassManager {
public:
  void add(Pass *pass) override {
    if (isWanted(pass->getPassName()))
      legacy::PassManager::add(pass);
    else
      delete pass;
  }

private:
  bool isWanted(StringRef name) {
    // The second numbering cleans up behind loop strength reduction.
    if (name == "Global Value Numbering")
      return numberings++ > 0;
    return name != "Nary reassociation";
  }
  int numberings = 0;
};
} // namespace

std::unique_ptr<legacy::PassManager> makePassManager() {
  return std::make_unique<LeanPassManager>();
}

} // namespace nereid::nvptx
