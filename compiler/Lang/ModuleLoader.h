//===- ModuleLoader.h - Finding and opening modules ------------*- C++ -*-===//
//
// Private to compiler/Lang. Maps dotted names to files as Python does: packages
// with __init__.py, folders without one, search paths. A module is opened
// (known) without being read; EvaluatorImpl::run reads and runs it when
// something in it is asked for.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_MODULELOADER_H
#define NEREID_COMPILER_LANG_MODULELOADER_H

#include "compiler/Lang/Module.h"

namespace nereid::lang {

class ModuleLoader {
public:
  explicit ModuleLoader(Frontend &frontend) : frontend(frontend) {}

  /// The module of a file; the same object for the same file. `dotted` may be
  /// empty: then it follows from the packages the file lies in.
  Module *open(llvm::StringRef path, llvm::StringRef dotted = "");
  Module *openText(llvm::StringRef fileName, llvm::StringRef text,
                   llvm::StringRef dotted, bool prelude);

  /// The module of an absolute import made by `from` (may be null); null when
  /// there is none. Built-in modules are not its business.
  ModuleObject *find(llvm::StringRef dotted, const Module *from);
  /// `level` leading dots and a name (may be empty).
  ModuleObject *findRelative(const Module &from, unsigned level,
                             llvm::StringRef dotted);
  /// `name` inside a package or folder.
  ModuleObject *findSubmodule(const ModuleObject &package,
                              llvm::StringRef name);
  /// The library written in the language.
  llvm::ArrayRef<Module *> getPrelude();

private:
  ModuleObject *findIn(llvm::StringRef directory, llvm::StringRef dotted,
                       llvm::StringRef fullName);

  Frontend &frontend;
  std::vector<std::unique_ptr<Module>> modules;
  llvm::StringMap<Module *> byPath;
  llvm::StringMap<ModuleObject *> folders;
  std::vector<Module *> prelude;
  bool preludeOpened = false;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_MODULELOADER_H
