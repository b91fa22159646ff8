//===- Cache.cpp - What was compiled before -------------------------------===//

#include "packager/tools/Cache.h"

#include "packager/File.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace nereid::tool {

namespace fs = std::filesystem;

static constexpr const char *kDependency = "dependency:";

std::string Cache::defaultFolder() {
  auto variable = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  std::string folder = variable("NEREID_CACHE_DIR");
  if (!folder.empty())
    return folder;
  folder = variable("XDG_CACHE_HOME");
  if (!folder.empty())
    return folder + "/nereid";
  folder = variable("HOME");
  return folder.empty() ? "" : folder + "/.cache/nereid";
}

std::string Cache::path(const std::string &key) const {
  return folder + "/" + key.substr(0, 2) + "/" + key.substr(2) + ".nrd";
}

std::string Cache::fileHash(const std::string &path) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto it = hashes.find(path);
    if (it != hashes.end())
      return it->second;
  }
  pack::Result<std::string> bytes = pack::readFile(path);
  std::string hash = bytes ? pack::hexText(pack::blake2b(*bytes)) : "";
  std::lock_guard<std::mutex> lock(mutex);
  return hashes[path] = hash;
}

bool Cache::load(const std::string &key, pack::Kernel &out,
                 std::vector<std::string> &dependencies) {
  if (folder.empty())
    return false;
  std::string file = path(key);
  pack::CheckOptions options;
  options.requireFallback = false;
  pack::Result<pack::Pack> entry = pack::readPackFile(file, nullptr, options);
  if (!entry || entry->kernels.size() != 1)
    return false;
  pack::Kernel &kernel = entry->kernels[0];
  if (kernel.configs.size() != 1 || kernel.variants.size() != 1)
    return false;
  dependencies.clear();
  for (const pack::KeyValue &pair : kernel.provenance) {
    if (pair.key.rfind(kDependency, 0) != 0)
      continue;
    std::string name = pair.key.substr(std::string_view(kDependency).size());
    if (pair.value.empty() || fileHash(name) != pair.value)
      return false;
    dependencies.push_back(name);
  }
  kernel.provenance.clear();
  out = std::move(kernel);
  // Its age is when it was last used.
  std::error_code ignored;
  fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
  return true;
}

void Cache::store(const std::string &key, const pack::Kernel &kernel,
                  const std::vector<std::string> &dependencies) {
  if (folder.empty())
    return;
  pack::Pack entry;
  entry.name = "cache";
  entry.kernels = {kernel};
  for (const std::string &name : dependencies)
    entry.kernels[0].provenance.push_back({kDependency + name, fileHash(name)});
  pack::CheckOptions options;
  options.requireFallback = false;
  pack::Result<std::string> bytes = pack::writePack(entry, options);
  if (!bytes)
    return;
  std::string file = path(key);
  std::error_code error;
  fs::create_directories(fs::path(file).parent_path(), error);
  if (!error)
    (void)pack::writeFile(file, *bytes);
}

void Cache::trim(uint64_t limit) {
  if (folder.empty())
    return;
  struct Entry {
    fs::file_time_type used;
    uint64_t size;
    fs::path path;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end;
       !error && it != end; it.increment(error)) {
    std::error_code skip;
    // Another build may remove an entry while this one looks.
    uint64_t size = it->is_regular_file(skip) ? it->file_size(skip) : 0;
    auto used = it->last_write_time(skip);
    if (skip || it->path().extension() != ".nrd")
      continue;
    entries.push_back({used, size, it->path()});
    total += size;
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.used < b.used; });
  for (const Entry &entry : entries) {
    if (total <= limit)
      break;
    std::error_code ignored;
    fs::remove(entry.path, ignored);
    total -= entry.size;
  }
}

} // namespace nereid::tool
