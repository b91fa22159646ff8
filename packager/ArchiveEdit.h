//===- ArchiveEdit.h - Join packs and cut them ------------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_ARCHIVEEDIT_H
#define NEREID_PACKAGER_ARCHIVEEDIT_H

#include "packager/Archive.h"

namespace nereid::pack {

/// A pack and the name it goes by in messages.
struct NamedPack {
  std::string label;
  Pack pack;
};

/// One pack with everything of all of them. A kernel may be in several: then
/// it must have the same parameters and source in each, and its variants are
/// joined; two different variants for the same target, config and predicates
/// are a conflict, which the sentence names.
Result<Pack> mergePacks(std::vector<NamedPack> packs);

/// What stays in a pack.
struct StripOptions {
  std::vector<std::string> keepTargets; ///< empty: all
  std::vector<std::string> dropTargets;
  std::vector<std::string> kernels; ///< empty: all
  bool dropIR = false;
};

/// Cuts `pack` down. Kernels that have no variant left are removed and their
/// names added to `gone`. A target or kernel that the pack does not have is an
/// error.
Status stripPack(Pack &pack, const StripOptions &options,
                 std::vector<std::string> &gone);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_ARCHIVEEDIT_H
