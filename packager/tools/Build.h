//===- Build.h - Compiles a manifest's kernels into a pack ------*- C++ -*-===//

#ifndef NEREID_PACKAGER_TOOLS_BUILD_H
#define NEREID_PACKAGER_TOOLS_BUILD_H

#include "compiler/Pipeline.h"
#include "packager/Archive.h"
#include "packager/Manifest.h"

namespace nereid::tool {

struct BuildOptions {
  CompilerOptions compiler; ///< the manifest's own paths are added
  unsigned jobs = 0;        ///< threads; 0: one per processor
  std::string cacheFolder;  ///< empty: no cache
  bool progress = true;
};

struct BuildReport {
  size_t compiled = 0, cached = 0;
  double seconds = 0;
  std::vector<std::string> dependencies; ///< every file read, sorted
};

/// Builds the pack that `manifest` describes. Every mistake is printed, with
/// `text` (of the manifest) to show lines from; false when there was one.
bool buildPack(const pack::Manifest &manifest, const std::string &text,
               const BuildOptions &options, pack::Pack &out,
               BuildReport &report);

/// Prints what the compiler says.
void printMessage(const Message &message);
/// The message as one text.
std::string renderedText(const Message &message);

/// "0.1.0": this tool's version.
std::string versionText();
/// "nereid 0.1.0 (LLVM 22.1.8)".
std::string producerText();

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_BUILD_H
