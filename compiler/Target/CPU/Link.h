//===- Link.h - In-process linking of one object (internal) ----*- C++ -*-===//
//
// What Emit.cpp needs of lld and of the linked image.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_LINK_H
#define NEREID_COMPILER_TARGET_CPU_LINK_H

#include "compiler/Image.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nereid::cpu {

/// Links one relocatable object into a freestanding shared object. Symbols may
/// stay undefined; `verifySharedObject` judges them.
llvm::Expected<std::string> linkSharedObject(llvm::StringRef object);

/// Fills the size of the code from the linked image, and spillBytes with the
/// stack frame of the largest function, from the object's stack-size section.
llvm::Error fillReport(llvm::StringRef image, llvm::StringRef object,
                       ResourceReport &report);

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_LINK_H
