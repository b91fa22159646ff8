//===- ModuleLoader.cpp - Finding and opening modules ---------------------===//

#include "compiler/Lang/ModuleLoader.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace nereid::lang;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static bool isFile(const llvm::Twine &name) {
  fs::file_status status;
  return !fs::status(name, status) && fs::is_regular_file(status);
}

static std::string joinPath(llvm::StringRef directory, llvm::StringRef name) {
  if (directory.empty())
    return name.str();
  llvm::SmallString<256> out(directory);
  path::append(out, name);
  return out.str().str();
}

Module *ModuleLoader::open(llvm::StringRef file, llvm::StringRef dotted) {
  llvm::SmallString<256> real;
  if (fs::real_path(file, real))
    real = file;
  Module *&slot = byPath[real];
  if (slot)
    return slot;
  modules.push_back(std::make_unique<Module>());
  Module *module = slot = modules.back().get();
  module->path = file.str();
  module->directory = path::parent_path(file).str();
  module->isPackage = path::filename(file) == "__init__.py";

  // The packages it lies in: folders upwards that have an __init__.py.
  std::string root = module->directory, name;
  if (!module->isPackage)
    name = path::stem(file).str();
  llvm::SmallString<256> absolute(module->directory);
  fs::make_absolute(absolute);
  std::string cursor = absolute.str().str();
  while (isFile(joinPath(cursor, "__init__.py")) &&
         !path::filename(cursor).empty() && path::has_parent_path(cursor)) {
    name = path::filename(cursor).str() + (name.empty() ? "" : "." + name);
    cursor = path::parent_path(cursor).str();
    root = cursor;
  }
  module->root = root;
  module->name = dotted.empty() ? name : dotted.str();
  if (module->name.empty())
    module->name = "__main__";
  module->package = module->isPackage
                        ? module->name
                        : llvm::StringRef(module->name).rsplit('.').first.str();
  if (!module->isPackage && module->package == module->name)
    module->package.clear();
  module->globals = frontend.getValues().createScope(module);
  module->object = frontend.getValues().create<ModuleObject>();
  module->object->name = module->name;
  module->object->module = module;
  return module;
}

Module *ModuleLoader::openText(llvm::StringRef fileName, llvm::StringRef text,
                               llvm::StringRef dotted, bool prelude_) {
  modules.push_back(std::make_unique<Module>());
  Module *module = modules.back().get();
  module->path = fileName.str();
  module->text = text.str();
  module->name = dotted.empty() ? path::stem(fileName).str() : dotted.str();
  module->prelude = prelude_;
  module->directory = path::parent_path(fileName).str();
  module->root = module->directory;
  module->globals = frontend.getValues().createScope(module);
  module->object = frontend.getValues().create<ModuleObject>();
  module->object->name = module->name;
  module->object->module = module;
  return module;
}

llvm::ArrayRef<Module *> ModuleLoader::getPrelude() {
  if (!preludeOpened) {
    preludeOpened = true;
    for (const auto &[name, text] : frontend.getOptions().prelude)
      prelude.push_back(openText(
          name, text, "triton.language." + path::stem(name).str(), true));
  }
  return prelude;
}

/// `dotted` below a folder: a.py, a/__init__.py, or a folder a.
ModuleObject *ModuleLoader::findIn(llvm::StringRef directory,
                                   llvm::StringRef dotted,
                                   llvm::StringRef fullName) {
  llvm::SmallString<256> base(directory);
  llvm::SmallVector<llvm::StringRef, 4> parts;
  dotted.split(parts, '.', -1, false);
  for (llvm::StringRef part : parts)
    path::append(base, part);
  std::string package = joinPath(base, "__init__.py");
  if (isFile(package))
    return open(package, fullName)->object;
  if (!parts.empty() && isFile(base + ".py"))
    return open((base + ".py").str(), fullName)->object;
  if (!fs::is_directory(base))
    return nullptr;
  ModuleObject *&slot = folders[base];
  if (!slot) {
    slot = frontend.getValues().create<ModuleObject>();
    slot->name = frontend.getValues().intern(fullName);
    slot->directory = frontend.getValues().intern(base);
  }
  return slot;
}

ModuleObject *ModuleLoader::find(llvm::StringRef dotted, const Module *from) {
  llvm::SmallVector<llvm::StringRef, 8> roots;
  if (from) {
    roots.push_back(from->directory);
    roots.push_back(from->root);
  }
  for (const std::string &dir : frontend.getOptions().searchPaths)
    roots.push_back(dir);
  // A real module anywhere goes before a mere folder of that name.
  ModuleObject *folder = nullptr;
  for (llvm::StringRef root : roots) {
    llvm::StringRef where = root.empty() ? "." : root;
    ModuleObject *found = findIn(where, dotted, dotted);
    if (found && found->module)
      return found;
    if (found && !folder)
      folder = found;
  }
  return folder;
}

ModuleObject *ModuleLoader::findRelative(const Module &from, unsigned level,
                                         llvm::StringRef dotted) {
  llvm::SmallString<256> directory(from.directory);
  if (directory.empty())
    directory = ".";
  fs::make_absolute(directory);
  std::string package = from.package;
  for (unsigned i = 1; i < level; ++i) {
    if (!path::has_parent_path(directory) ||
        path::parent_path(directory) == directory)
      return nullptr;
    path::remove_filename(directory);
    size_t dot = package.rfind('.');
    package.resize(dot == std::string::npos ? 0 : dot);
  }
  // Messages show the path as the user gave it.
  llvm::SmallString<256> shown(directory);
  if (level == 1 && !from.directory.empty())
    shown = from.directory;
  std::string full = package;
  if (!dotted.empty())
    full += (full.empty() ? "" : ".") + dotted.str();
  return findIn(shown, dotted, full);
}

ModuleObject *ModuleLoader::findSubmodule(const ModuleObject &package,
                                          llvm::StringRef name) {
  std::string full = package.name.str() + "." + name.str();
  if (package.module) {
    if (!package.module->isPackage)
      return nullptr;
    llvm::StringRef dir = package.module->directory;
    return findIn(dir.empty() ? "." : dir, name, full);
  }
  if (!package.directory.empty())
    return findIn(package.directory, name, full);
  return nullptr;
}
