//===- Plan.h - From a manifest to the work that builds it ------*- C++ -*-===//
//
// Brings the manifest together with what the sources say (parameters,
// constexprs, @triton.autotune configs) and lists what is to be compiled. No
// code is generated here.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOOLS_PLAN_H
#define NEREID_PACKAGER_TOOLS_PLAN_H

#include "compiler/Pipeline.h"
#include "packager/Manifest.h"

#include <map>

namespace nereid::tool {

/// One compilation: a kernel, a config, a target, and whether the variant
/// relies on aligned arguments.
struct Task {
  size_t kernel = 0; ///< of Plan::kernels
  size_t config = 0; ///< of PlannedKernel::configs
  std::string target;
  bool aligned = false;
  KernelSpec spec;
};

struct PlannedKernel {
  const pack::ManifestKernel *manifest = nullptr;
  KernelDescription description;
  size_t configCount = 0;
  /// What a name of the manifest's config is at, for messages about grids.
  std::vector<pack::Location> configWhere;
};

struct Plan {
  std::vector<PlannedKernel> kernels;
  std::vector<Task> tasks; ///< in the order of the pack
};

/// What one source file holds, read once.
class Sources {
public:
  explicit Sources(Compiler &compiler) : compiler(compiler) {}
  /// The kernels of a file; null when it could not be read (said already).
  const std::vector<KernelDescription> *list(const std::string &path);

private:
  Compiler &compiler;
  std::map<std::string, std::pair<bool, std::vector<KernelDescription>>> known;
};

/// Makes the plan; mistakes in the manifest go to `errors`, those in sources
/// to the compiler's own sink. False when there were any.
bool makePlan(const pack::Manifest &manifest, Sources &sources, Plan &out,
              std::vector<pack::Diagnostic> &errors);

/// The kernel called `name` among `kernels`, or the only one when `name` is
/// empty; null with a sentence in `problem`.
const KernelDescription *
findKernel(const std::vector<KernelDescription> &kernels,
           const std::string &name, const std::string &path,
           std::string &problem);

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_PLAN_H
