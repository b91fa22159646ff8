//===- Cache.h - What was compiled before -----------------------*- C++ -*-===//
//
// A folder of tiny packs, one per compilation, each named by a hash of all
// that went into it but the imported files; those are listed inside with their
// hashes and looked at when the entry is found. So an entry is right or not
// used, and the folder can be deleted at any time.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOOLS_CACHE_H
#define NEREID_PACKAGER_TOOLS_CACHE_H

#include "packager/Archive.h"

#include <map>
#include <mutex>

namespace nereid::tool {

class Cache {
public:
  /// A cache in `folder`; an empty name means none.
  explicit Cache(std::string folder) : folder(std::move(folder)) {}

  /// NEREID_CACHE_DIR, or $XDG_CACHE_HOME/nereid, or ~/.cache/nereid; empty
  /// when there is no home.
  static std::string defaultFolder();

  /// Looks up one compilation; false when it is not there or not current.
  /// `dependencies` receives the files it was made from.
  bool load(const std::string &key, pack::Kernel &out,
            std::vector<std::string> &dependencies);
  /// Keeps one compilation. A cache that cannot be written is only slower.
  void store(const std::string &key, const pack::Kernel &kernel,
             const std::vector<std::string> &dependencies);

  /// Removes the entries used longest ago until at most `limit` bytes remain.
  void trim(uint64_t limit);

  /// The hash of a file's bytes, read once; "" when it cannot be read.
  std::string fileHash(const std::string &path);

private:
  std::string path(const std::string &key) const;
  std::string folder;
  std::mutex mutex;
  std::map<std::string, std::string> hashes;
};

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_CACHE_H
