//===- SurvivalTest.cpp - Other people's Python ---------------------------===//
//
// Parses every file of the Python libraries that the machine has. Set
// NEREID_PYTHON_SOURCES to more folders, separated by ':'.
//
//===----------------------------------------------------------------------===//

#include "tests/compiler/Lang/LangTest.h"

#include "llvm/Support/FileSystem.h"

#include <chrono>

using namespace nereid::lang;

/// Files that are meant to be no Python 3: samples of other encodings, of old
/// syntax, and of errors.
static bool isMeantToFail(llvm::StringRef path) {
  return path.contains("lib2to3/tests/data") || path.contains("bad_coding") ||
         path.contains("badsyntax") || path.contains("/sympy/");
}

TEST(Survival, PythonLibraries) {
  llvm::SmallVector<std::string, 4> folders;
  if (const char *more = std::getenv("NEREID_PYTHON_SOURCES")) {
    llvm::SmallVector<llvm::StringRef, 4> parts;
    llvm::StringRef(more).split(parts, ':', -1, false);
    for (llvm::StringRef part : parts)
      folders.push_back(part.str());
  }
  for (int minor = 8; minor < 16; ++minor)
    folders.push_back("/usr/lib/python3." + std::to_string(minor));
  unsigned files = 0;
  for (const std::string &folder : folders) {
    std::error_code error;
    for (llvm::sys::fs::recursive_directory_iterator
             it(folder, error, /*follow_symlinks=*/false),
         end;
         it != end && !error; it.increment(error)) {
      if (!llvm::StringRef(it->path()).ends_with(".py"))
        continue;
      SourceManager sources;
      std::string why;
      const SourceFile *file = sources.addFile(it->path(), why);
      if (!file)
        continue;
      auto begin = std::chrono::steady_clock::now();
      ASTContext context;
      ModuleAST module = parseModule(*file, context);
      double seconds = std::chrono::duration<double>(
                           std::chrono::steady_clock::now() - begin)
                           .count();
      EXPECT_LT(seconds, 1 + file->getText().size() * 1e-6) << it->path();
      EXPECT_FALSE(dump(module).empty() && !module.body.empty());
      ++files;
      if (!isMeantToFail(it->path())) {
        EXPECT_TRUE(module.errors.empty())
            << it->path() << ": "
            << (module.errors.empty() ? "" : module.errors[0]->message.str());
      }
    }
  }
  if (!files)
    GTEST_SKIP() << "no Python library found under /usr/lib/python3.*";
  RecordProperty("files", static_cast<int>(files));
}

/// The same for damaged text: every file of this test with a piece cut out.
TEST(Survival, DamagedText) {
  std::string text =
      "import triton\nimport triton.language as tl\n"
      "@triton.autotune(configs=[triton.Config({'B': b}) for b in [1, 2]], "
      "key=['n'])\n@triton.jit\ndef k(x, n, B: tl.constexpr):\n"
      "    o = tl.arange(0, B)[:, None] + f'{B:>{4}}'\n"
      "    if n > 3 and not B:\n        o += 1\n    elif n: pass\n"
      "    else:\n        return (o, [1, 2], {3: 4})\n"
      "    for i in range(0, n, B):\n        '''doc\n        more'''\n"
      "    with a as b: x = lambda q, *r: q if r else ~q\n"
      "class C(B):\n    def f(self): return self.x ** -2\n";
  for (size_t begin = 0; begin < text.size(); ++begin)
    for (size_t length : {1, 3, 17}) {
      std::string damaged = text;
      damaged.erase(begin, length);
      Session session;
      Module *module = session.frontend.loadText("t.py", damaged);
      session.frontend.listKernels(*module);
    }
}
