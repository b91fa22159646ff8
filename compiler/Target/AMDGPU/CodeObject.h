//===- CodeObject.h - The rules of a code object ---------------*- C++ -*-===//
//
// A code object is what HIP loads: an ELF shared object with one kernel, its
// descriptor (`name.kd`) and a note that says how to launch it (LLVM's AMDGPU
// usage guide, "Code Object V5 Metadata").
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_AMDGPU_CODEOBJECT_H
#define NEREID_COMPILER_TARGET_AMDGPU_CODEOBJECT_H

#include "compiler/Image.h"
#include "compiler/Target/Target.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace nereid::amdgpu {

/// What a code object must agree with.
struct CodeObjectFacts {
  llvm::StringRef entry;
  uint32_t paramSize = 0; ///< bytes of the kernel's own arguments
  uint32_t threads = 0;
  llvm::ArrayRef<ParamField> fields;
};

/// The version of code objects to write: 5 loads on every ROCm since 6.0;
/// generic targets need 6.
int codeObjectVersion(const TargetInfo &target);

/// Checks a linked code object: the target, one kernel of that name, arguments
/// exactly where the pack's fields say and none besides, the block's size, no
/// undefined symbol and no relocation. Fills `report`, where given.
llvm::Error verifyCodeObject(llvm::StringRef bytes, const TargetInfo &target,
                             const CodeObjectFacts &facts,
                             ResourceReport *report);

} // namespace nereid::amdgpu

#endif // NEREID_COMPILER_TARGET_AMDGPU_CODEOBJECT_H
