//===- HeaderGen.h - C and C++ headers for a pack ---------------*- C++ -*-===//
//
// Turns a pack's kernels into functions that a compiler can check the arguments
// of. The header compiles as C11 and as C++17 and needs nereid/runtime.h only
// (nereid/nereid.hpp in C++).
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_HEADERGEN_H
#define NEREID_PACKAGER_HEADERGEN_H

#include "packager/Archive.h"

namespace nereid::pack {

struct HeaderOptions {
  std::string prefix;     ///< of every name; empty: the pack's name
  std::string packFile;   ///< the pack's file name, for the comments
  std::string headerName; ///< the header's file name
  bool embed = false;     ///< the pack is linked into the program
};

/// The header for `pack`; a sentence when a name cannot be a C name.
Result<std::string> generateHeader(const Pack &pack,
                                   const HeaderOptions &options);

/// The C file that holds the pack's `bytes` for a header made with `embed`.
std::string generateEmbedding(const Pack &pack, std::string_view bytes,
                              const HeaderOptions &options);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_HEADERGEN_H
