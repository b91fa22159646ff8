//===- Optimize.h - What we want of LLVM's NVPTX back end ------*- C++ -*-===//

#ifndef NEREID_COMPILER_TARGET_NVPTX_OPTIMIZE_H
#define NEREID_COMPILER_TARGET_NVPTX_OPTIMIZE_H

#include "llvm/IR/LegacyPassManager.h"

#include <memory>

namespace nereid::nvptx {

/// Sets options of the back end that no interface but LLVM's command line has.
/// To be called before the machine is made.
void setBackEndOptions();

/// A list for the code generator to fill, which leaves out passes that cost us
/// time and gain nothing.
std::unique_ptr<llvm::legacy::PassManager> makePassManager();

} // namespace nereid::nvptx

#endif // NEREID_COMPILER_TARGET_NVPTX_OPTIMIZE_H
