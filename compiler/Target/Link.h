//===- Link.h - In-process linking of one object ---------------*- C++ -*-===//
//
// What targets whose images are ELF shared objects need of lld.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_LINK_H
#define NEREID_COMPILER_TARGET_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nereid {

/// Links one relocatable object into a shared object, with these options of
/// ld.lld besides. Links one after the other when called from several threads.
llvm::Expected<std::string>
linkSharedObject(llvm::StringRef object, llvm::ArrayRef<const char *> options);

} // namespace nereid

#endif // NEREID_COMPILER_TARGET_LINK_H
