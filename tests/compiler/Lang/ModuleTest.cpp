//===- ModuleTest.cpp - Imports, bindings, and what they report -----------===//

#include "tests/compiler/Lang/LangTest.h"

using namespace nereid::lang;

static std::string valueIn(Session &session, Module *module,
                           llvm::StringRef name) {
  Evaluator &eval = session.frontend.getEvaluator();
  Value value = eval.lookup(name, module->getGlobals());
  if (!value)
    return "nothing";
  return value.isUnknown() ? "unknown: " + value.getUnknown().reason
                           : repr(value);
}

TEST(Modules, PackagesAndRelativeImports) {
  TempFolder folder;
  folder.write("pkg/__init__.py", "from .sub import answer as exported\n"
                                  "from . import other\n");
  folder.write("pkg/sub.py", "from .deep.leaf import X\nanswer = X + 1\n"
                             "def helper(v): return v * X\n");
  folder.write("pkg/other.py", "from pkg import exported\nY = exported * 2\n");
  folder.write("pkg/deep/leaf.py", "from ..sub import helper\nX = 41\n");
  folder.write("sibling.py", "Z = 'sibling'\n_hidden = 1\nW = 2\n");
  std::string main = folder.write(
      "main.py", "import pkg\nimport pkg.sub as s\nimport pkg.deep.leaf\n"
                 "from pkg.sub import helper\nfrom pkg import other\n"
                 "from sibling import *\n"
                 "A = pkg.exported\nB = s.answer\nC = pkg.deep.leaf.X\n"
                 "D = helper(2)\nE = other.Y\nF = pkg.deep.leaf.helper(1)\n");
  Session session;
  Module *module = session.frontend.loadFile(main);
  ASSERT_TRUE(module);
  EXPECT_EQ(valueIn(session, module, "A"), "42");
  EXPECT_EQ(valueIn(session, module, "B"), "42");
  EXPECT_EQ(valueIn(session, module, "C"), "41");
  EXPECT_EQ(valueIn(session, module, "D"), "82");
  EXPECT_EQ(valueIn(session, module, "E"), "84");
  EXPECT_EQ(valueIn(session, module, "F"), "41");
  EXPECT_EQ(valueIn(session, module, "Z"), "'sibling'");
  EXPECT_EQ(valueIn(session, module, "W"), "2");
  EXPECT_EQ(valueIn(session, module, "_hidden"), "nothing");
  EXPECT_EQ(session.log(), "");
}

TEST(Modules, LoadedFromInsideAPackage) {
  TempFolder folder;
  folder.write("lib/__init__.py", "");
  folder.write("lib/ops/__init__.py", "");
  folder.write("lib/utils.py", "K = 7\n");
  std::string file = folder.write(
      "lib/ops/kernel.py",
      "from ..utils import K\nfrom lib.utils import K as K2\nS = K + K2\n");
  Session session;
  Module *module = session.frontend.loadFile(file);
  EXPECT_EQ(module->getName(), "lib.ops.kernel");
  EXPECT_EQ(module->getPackage(), "lib.ops");
  EXPECT_EQ(valueIn(session, module, "S"), "14");
}

TEST(Modules, SearchPaths) {
  TempFolder folder, elsewhere;
  elsewhere.write("far/away.py", "V = 'far'\n");
  std::string main = folder.write("main.py", "from far.away import V\n");
  FrontendOptions options;
  options.searchPaths = {elsewhere.path};
  Session session(options);
  EXPECT_EQ(valueIn(session, session.frontend.loadFile(main), "V"), "'far'");
  Session without;
  EXPECT_EQ(valueIn(without, without.frontend.loadFile(main), "V"),
            "unknown: module 'far.away' was not found (a folder to look in is "
            "given with -I)");
}

TEST(Modules, Circles) {
  TempFolder folder;
  folder.write("a.py", "from b import y\nx = 1\ndef f(): return y\n");
  folder.write("b.py", "from a import x, f\ny = 2\nz = x\n");
  std::string main = folder.write("main.py", "import a, b\nr = (a.f(), b.z)\n"
                                             "from main2 import q\n");
  folder.write("main2.py", "from main3 import q\n");
  folder.write("main3.py", "from main2 import q\n");
  Session session;
  Module *module = session.frontend.loadFile(main);
  EXPECT_EQ(valueIn(session, module, "r"), "(2, 1)");
  EXPECT_EQ(valueIn(session, module, "q"),
            "unknown: ImportError: 'q' is imported in a circle");
}

TEST(Modules, MissingNames) {
  TempFolder folder;
  folder.write("lib.py", "block_size = 3\n");
  std::string main = folder.write(
      "main.py", "from lib import blok_size\nimport lib\nx = lib.nope\n");
  Session session;
  Module *module = session.frontend.loadFile(main);
  EXPECT_EQ(valueIn(session, module, "blok_size"),
            "unknown: ImportError: cannot import name 'blok_size' from 'lib'; "
            "did you mean 'block_size'?");
  EXPECT_EQ(valueIn(session, module, "x"),
            "unknown: AttributeError: module 'lib' has no attribute 'nope'");
  EXPECT_FALSE(session.frontend.loadFile(folder.path + "/none.py"));
  EXPECT_EQ(session.messages.back().text, "cannot read '" + folder.path +
                                              "/none.py': No such file or "
                                              "directory");
}

TEST(Modules, UnusedImportsAreNotRead) {
  TempFolder folder;
  folder.write("big.py", "while True: pass\nx = 1\n");
  std::string main = folder.write(
      "main.py", "from big import x\nfrom big import y as z\nk = 1\n");
  Session session;
  Module *module = session.frontend.loadFile(main);
  EXPECT_EQ(valueIn(session, module, "k"), "1");
  // The text of big.py is not among the sources yet.
  EXPECT_EQ(session.frontend.getSources().getFile(SourceLoc(60)), nullptr);
  EXPECT_EQ(valueIn(session, module, "x"), "1");
}

TEST(Modules, Bindings) {
  TempFolder folder;
  folder.write("ops.py",
               "import absent\nif absent.fast():\n  from tl2 import exp\n"
               "else:\n  exp = None\n");
  std::string main = folder.write(
      "main.py", "import absent\nimport triton.language as tl\nimport ops\n"
                 "from ops import exp\nFLAG = absent.flag()\nN = 1\nM = N + 1\n"
                 "if FLAG:\n  mode = 'on'\nelse:\n  mode = 'off'\n"
                 "late = absent.x\ndouble = lambda x: 2 * x\n");
  FrontendOptions options;
  options.bindings = {{"exp", "tl.math.exp2"},
                      {"FLAG", "True"},
                      {"N", "16"},
                      {"late", "double(21)"},
                      {"other.N", "99"}};
  Session session(options);
  Module *module = session.frontend.loadFile(main);
  EXPECT_EQ(valueIn(session, module, "exp"), "<built-in tl.exp2>");
  EXPECT_EQ(valueIn(session, module, "mode"), "'on'");
  EXPECT_EQ(valueIn(session, module, "M"), "17");
  EXPECT_EQ(valueIn(session, module, "late"), "42");
  EXPECT_EQ(session.log(), "");

  FrontendOptions wrong;
  wrong.bindings = {{"a", "1 +"}, {"b", "no_such_name"}, {"c", "c"}};
  Session bad(wrong);
  bad.frontend.loadText("t.py", "a = b = c = 0\n");
  std::vector<std::string> texts;
  for (const Diagnostic &d : bad.messages)
    texts.push_back(d.rendered);
  std::sort(texts.begin(), texts.end());
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(texts[0],
            "<--bind a>:1:4: error: expected an expression, found the "
            "end of the line\n    1 | 1 +\n      |    ^\n");
  EXPECT_EQ(texts[1],
            "<--bind b>:1:1: error: NameError: name 'no_such_name' is "
            "not defined\n    1 | no_such_name\n      | "
            "^~~~~~~~~~~~\n");
  EXPECT_EQ(texts[2],
            "<--bind c>:1:1: error: the value of --bind c is not known "
            "at compile time: --bind c refers to itself\n    1 | c\n   "
            "   | ^\n");
}

TEST(Modules, EvaluateText) {
  Session session;
  auto text = [&](llvm::StringRef expression) {
    Value value = session.frontend.evaluateText(expression, "constant BLOCK");
    return value ? repr(value) : "error";
  };
  EXPECT_EQ(text("64"), "64");
  EXPECT_EQ(text("'relu'"), "'relu'");
  EXPECT_EQ(text("tl.float16"), "fp16");
  EXPECT_EQ(text("(1, -2.5, None, True)"), "(1, -2.5, None, True)");
  EXPECT_EQ(text("-inf"), "-inf");
  EXPECT_EQ(text("triton.cdiv(7, 2)"), "4");
  EXPECT_EQ(text("64 64"), "error");
  EXPECT_EQ(text(""), "error");
  EXPECT_EQ(text("BLOK"), "error");
  EXPECT_EQ(session.log(),
            "1:4: error: expected the end of the expression, found '64'\n"
            "1:1: error: expected an expression, found the end of the file\n"
            "1:1: error: NameError: name 'BLOK' is not defined\n");
}

TEST(Modules, SyntaxErrorsOutsideFunctionsAreReported) {
  Session session;
  Module *module =
      session.frontend.loadText("t.py", "x = = 1\ndef f():\n  y = (\ndef g(): "
                                        "return 3\nz = g()\n");
  EXPECT_EQ(session.log(), "1:5: error: expected an expression, found '='\n");
  EXPECT_EQ(valueIn(session, module, "z"), "3");
}

TEST(Modules, TheTargetAnswers) {
  llvm::StringRef text =
      "import triton\nimport triton.language as tl\n"
      "from triton.language import target_info\n"
      "from triton.runtime import driver\n"
      "def is_cuda():\n"
      "  return triton.runtime.driver.active.get_current_target().backend == "
      "'cuda'\n"
      "def arch():\n  return driver.active.get_current_target().arch\n"
      "here = (target_info.is_hip(),\n"
      "        tl.target_info.cuda_capability_geq(9),\n"
      "        tl.target_info.cuda_capability_geq(9, 1),\n"
      "        target_info.is_hip_cdna3(),\n"
      "        target_info.current_target().warp_size)\n"
      "host = (is_cuda(), arch())\n"
      "import torch\nfrom torch.version import hip\n"
      "torches = (torch.cuda.is_available() and "
      "torch.cuda.get_device_capability(0), hip is None,\n"
      "           torch.version.cuda is not None, torch.cuda.device_count())\n";
  auto on = [&](TargetFacts facts) {
    FrontendOptions options;
    options.target = std::move(facts);
    Session session(options);
    return session.eval("here", text) + session.eval("host", text) +
           session.eval("torches", text);
  };
  EXPECT_EQ(on({"cuda", "90", 90, 32}),
            "(False, True, False, False, 32)(True, 90)((9, 0), True, True, "
            "<unknown>)");
  EXPECT_EQ(on({"cuda", "80", 80, 32}),
            "(False, False, False, False, 32)(True, 80)((8, 0), True, True, "
            "<unknown>)");
  EXPECT_EQ(on({"hip", "gfx942", 0, 64}),
            "(True, False, False, True, 64)(False, 'gfx942')((9, 4), False, "
            "False, <unknown>)");
  EXPECT_EQ(on({"cpu", "x86-64-v3", 0, 1}),
            "(False, False, False, False, 1)(<unknown>, <unknown>)(<unknown>, "
            "<unknown>, <unknown>, <unknown>)");
  EXPECT_EQ(Session().eval("target_info.is_cuda()", text),
            "unknown: 'target_info.is_cuda()' depends on the target, and none "
            "is chosen yet");
}

TEST(Modules, PreludeComesBeforeTheTable) {
  FrontendOptions options;
  options.prelude = {{"standard.py",
                      "import triton\nimport triton.language as tl\n"
                      "@triton.jit\ndef softmax(x):\n  return _help(x)\n"
                      "@triton.jit\ndef _help(x):\n  return tl.exp(x)\n"
                      "@triton.constexpr_function\ndef log2_(x):\n  n = 0\n"
                      "  while x > 1:\n    x = x // 2\n    n += 1\n  return n\n"
                      "hidden = 3\n"}};
  Session session(options);
  llvm::StringRef text = "import triton.language as tl\n"
                         "from triton.language import softmax\n"
                         "from triton.language.standard import log2_\n";
  EXPECT_EQ(session.eval("tl.softmax, softmax, tl.standard.softmax", text),
            "(<function softmax>, <function softmax>, <function softmax>)");
  EXPECT_EQ(session.eval("tl.log2_(1024), log2_(8), tl.sum", text),
            "(10, 3, <built-in tl.sum>)");
  EXPECT_EQ(session.eval("tl.hidden", text),
            "AttributeError: module 'triton.language' has no attribute "
            "'hidden'");
  Value softmax = session.frontend.languageAttribute("softmax");
  ASSERT_TRUE(softmax.isFunction());
  EXPECT_TRUE(softmax.getFunction().module->isPrelude());
  EXPECT_EQ(repr(session.frontend.lookup(softmax.getFunction(), "_help")),
            "<function _help>");
}
