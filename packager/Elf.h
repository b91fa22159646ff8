//===- Elf.h - What a CPU image may contain ---------------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_ELF_H
#define NEREID_PACKAGER_ELF_H

#include "packager/Result.h"

#include <string_view>

namespace nereid::pack {

/// Checks that `image` keeps the promises of nereid/cpu_kernel.h: a
/// freestanding ELF shared object that exports `symbol`, needs no library,
/// imports no more than the few allowed names, runs nothing when it is loaded
/// and has only the relocations that the runtime's loader knows.
Status checkCpuImage(std::string_view image, std::string_view target,
                     std::string_view symbol);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_ELF_H
