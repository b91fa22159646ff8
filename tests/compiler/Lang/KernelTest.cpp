//===- KernelTest.cpp - Kernels, their configs, heuristics, closures ------===//

#include "tests/compiler/Lang/LangTest.h"

using namespace nereid::lang;

static constexpr llvm::StringLiteral kHead =
    "import absent\nimport triton\nimport triton.language as tl\n";

/// Kernels as "line name(params) config; config key=... heur=... skip=...".
static std::string list(Session &session, llvm::StringRef text) {
  Module *module = session.frontend.loadText("t.py", (kHead + text).str());
  std::string out;
  for (const KernelInfo &kernel : session.frontend.listKernels(*module)) {
    out += std::to_string(kernel.line) + " " + kernel.name + "(";
    llvm::ListSeparator separator;
    for (const KernelParameter &param : kernel.parameters) {
      out += static_cast<llvm::StringRef>(separator);
      out += param.name + (param.isConstexpr ? ":c" : "") +
             (param.doNotSpecialize ? ":n" : "") +
             (param.doNotSpecializeOnAlignment ? ":a" : "");
      if (!param.defaultText.empty())
        out += "=" + param.defaultText;
    }
    out += ")";
    const JitInfo &jit = kernel.function->jit;
    for (ConfigObject *config : jit.configs)
      out += " " + repr(Value::of(config));
    if (jit.configsUnknown)
      out += " ?" + jit.configsUnknown.getUnknown().reason;
    for (llvm::StringRef key : jit.key)
      out += " key=" + key.str();
    for (const JitInfo::Heuristic &heuristic : jit.heuristics)
      out += " heur=" + heuristic.parameter.str();
    for (const JitInfo::Skipped &skipped : jit.skippedDecorators)
      out += " skip=" + skipped.text;
    out += "\n";
  }
  return out;
}
static std::string list(llvm::StringRef text) {
  Session session;
  std::string out = list(session, text);
  return out + session.log();
}

TEST(Kernels, Parameters) {
  EXPECT_EQ(list("from triton.language import constexpr\n"
                 "@triton.jit\ndef f(a, b: tl.constexpr, c: constexpr = 3, "
                 "d: 'tl.constexpr' = None, e: tl.int64 = 1, *g): pass\n"),
            "6 f(a, b:c, c:c=3, d:c=None, e=1, g)\n");
  EXPECT_EQ(list("@triton.jit(do_not_specialize=['a', 1], "
                 "do_not_specialize_on_alignment=['c'], noinline=True)\n"
                 "def f(a, b, c): pass\n"
                 "def g(x): pass\n"
                 "g2 = triton.jit(g)\n"),
            "5 f(a:n, b:n, c:a)\n6 g2(x)\n");
  EXPECT_EQ(list("from triton import jit\nimport triton as t\n"
                 "@jit\ndef f(): pass\n@t.jit\ndef g(): pass\n"
                 "if t.__version__ >= '2':\n  @t.jit\n  def h(): pass\n"),
            "7 f()\n9 g()\n12 h()\n");
}

TEST(Kernels, Autotune) {
  llvm::StringRef config = "num_warps=4, num_stages=3, num_ctas=1)";
  EXPECT_EQ(
      list("@triton.autotune(configs=[triton.Config({'B': b}, num_warps=w)"
           " for b in [16, 32] for w in (4, 8) if b > 16 or w > 4], "
           "key=['n'])\n@triton.jit\ndef f(n, B: tl.constexpr): pass\n"),
      "6 f(n, B:c) Config(B=16, num_warps=8, num_stages=3, num_ctas=1) "
      "Config(B=32, num_warps=4, num_stages=3, num_ctas=1) Config(B=32, "
      "num_warps=8, num_stages=3, num_ctas=1) key=n\n");
  // A list made by a helper, positional arguments, a name for the decorator.
  EXPECT_EQ(list("def configs():\n  out = []\n  for b in range(1, 3):\n"
                 "    out.append(triton.Config(kwargs=dict(B=2 ** b)))\n"
                 "  return out\n"
                 "tuned = triton.autotune(configs(), ['n'])\n"
                 "@tuned\n@triton.jit\ndef f(n, B: tl.constexpr): pass\n"),
            "12 f(n, B:c) Config(B=2, " + config.str() + " Config(B=4, " +
                config.str() + " key=n\n");
  // Two tunings of one function.
  EXPECT_EQ(list("@triton.jit\ndef f(n, B: tl.constexpr): pass\n"
                 "g = triton.autotune([triton.Config({'B': 1})], [])(f)\n"
                 "h = triton.autotune([triton.Config({'B': 2})], [])(f)\n"),
            "5 f(n, B:c)\n5 g(n, B:c) Config(B=1, " + config.str() +
                "\n5 h(n, B:c) Config(B=2, " + config.str() + "\n");
  // What cannot be known.
  EXPECT_EQ(
      list("@triton.autotune(configs=absent.configs(), key=[])\n"
           "@triton.jit\ndef f(): pass\n"),
      "6 f() ?module 'absent' was not found (a folder to look in is given "
      "with -I)\n");
  // A library's own tuner.
  EXPECT_EQ(list("from absent import my_tune\n"
                 "@my_tune(configs=[triton.Config({'B': 1})], key=['n'], "
                 "cache=absent.c)\n@triton.jit\ndef f(n, B: tl.constexpr): "
                 "pass\n"),
            "7 f(n, B:c) Config(B=1, " + config.str() +
                " key=n skip=my_tune(configs=[triton.Config({'B': 1})], "
                "key=['n'], cache=absent.c)\n");
}

TEST(Kernels, WrappersAreLookedThrough) {
  // A user's decorator that gives back the tuned function, one that wraps it in
  // an object of its own, and one that is not known.
  EXPECT_EQ(list("def tune(f):\n  return triton.autotune([triton.Config({'B': "
                 "1}, num_warps=1)], [])(f)\n"
                 "class Entry:\n  def __init__(self, f): self.f = f\n"
                 "def entry():\n  def deco(f): return Entry(f)\n  return deco\n"
                 "@absent.compile\n@entry()\n@tune\n@triton.jit\n"
                 "def f(B: tl.constexpr): pass\n"),
            "15 f(B:c) Config(B=1, num_warps=1, num_stages=3, num_ctas=1) "
            "skip=entry() skip=absent.compile\n");
}

TEST(Kernels, Heuristics) {
  Session session;
  std::string text =
      "@triton.heuristics({'EVEN': lambda args: args['K'] % args['B'] == 0,\n"
      "  'HAS_BIAS': lambda args: args['bias'] is not None,\n"
      "  'BLOCK': lambda a: triton.next_power_of_2(a['K'])})\n"
      "@triton.jit\ndef f(bias, K, B: tl.constexpr, EVEN: tl.constexpr, "
      "HAS_BIAS: tl.constexpr, BLOCK: tl.constexpr): pass\n";
  EXPECT_EQ(list(session, text),
            "8 f(bias, K, B:c, EVEN:c, HAS_BIAS:c, BLOCK:c) heur=EVEN "
            "heur=HAS_BIAS heur=BLOCK\n");
  Module *module = session.frontend.loadText("u.py", (kHead + text).str());
  FunctionObject *f = session.frontend.findKernel(*module, "f");
  ASSERT_TRUE(f);
  const Type *pointer = session.frontend.getTypes().getPointer(
      session.frontend.getTypes().getScalar(ScalarId::Float16));
  std::vector<NamedValue> args = {
      {"B", Value::integer(16), {}},
      {"K", Value::integer(64), {}},
      {"bias", Value::tensor(pointer, nullptr), {}}};
  auto compute = [&](unsigned i) {
    Value value =
        session.frontend.evaluateHeuristic(*f, f->jit.heuristics[i], args);
    return value ? repr(value) : "error";
  };
  EXPECT_EQ(compute(0), "True");
  EXPECT_EQ(compute(1), "True");
  EXPECT_EQ(compute(2), "64");
  args[2].value = Value::none();
  EXPECT_EQ(compute(1), "False");
  EXPECT_EQ(session.log(), "");
  args.erase(args.begin() + 1);
  EXPECT_EQ(compute(0), "error");
  EXPECT_EQ(session.log(),
            "4:29: error: heuristic 'EVEN' cannot be computed at compile time: "
            "'K' is known only when the kernel is launched\n"
            "  note: give the value of 'EVEN' as a constant of the kernel\n");
}

TEST(Kernels, Closures) {
  EXPECT_EQ(
      list("def make(B):\n  C = B * 2\n  @triton.jit\n"
           "  def k(x, n: tl.constexpr = C): return x + C\n  return k\n"
           "k64 = make(64)\n"
           "def test_a(dev):\n  x = absent.zeros(3)\n  @triton.jit\n"
           "  def only(y): return y\n  only[(1,)](x)\n"
           "def test_b():\n  for i in absent.range():\n"
           "    if i:\n      @triton.jit\n      def other(z): return z\n"),
      "7 k64(x, n:c=C)\n13 test_a.only(y)\n19 test_b.other(z)\n");
  Session session;
  Module *module = session.frontend.loadText(
      "t.py", (kHead + "def make(B):\n  C = B * 2\n  @triton.jit\n"
                       "  def k(x): return x + C + tl.load(x) + G\n  return k\n"
                       "G = 1\na = make(1)\nb = make(2)\n"
                       "def lost(D):\n  E = 5\n  @triton.jit\n"
                       "  def l(x): return E + D\n")
                  .str());
  FunctionObject *a = session.frontend.findKernel(*module, "a");
  FunctionObject *b = session.frontend.findKernel(*module, "b");
  FunctionObject *l = session.frontend.findKernel(*module, "l");
  ASSERT_TRUE(a && b && l);
  auto lookup = [&](FunctionObject *f, llvm::StringRef name) {
    Value value = session.frontend.lookup(*f, name);
    return !value              ? "nothing"
           : value.isUnknown() ? value.getUnknown().reason
                               : repr(value);
  };
  EXPECT_EQ(lookup(a, "C"), "2");
  EXPECT_EQ(lookup(b, "C"), "4");
  EXPECT_EQ(lookup(a, "G"), "1");
  EXPECT_EQ(lookup(a, "len"), "<built-in len>");
  EXPECT_EQ(lookup(a, "nope"), "nothing");
  EXPECT_EQ(lookup(l, "E"), "5");
  EXPECT_EQ(lookup(l, "D"), "it is a parameter of 'lost', and no call of that "
                            "is known");
  EXPECT_EQ(session.frontend.findKernel(*module, "lost.l"), l);
}

TEST(Kernels, Finding) {
  Session session;
  Module *module = session.frontend.loadText(
      "t.py", (kHead + "@triton.jit\ndef softmax(): pass\n"
                       "def host(): pass\n"
                       "def a():\n  @triton.jit\n  def twin(): pass\n"
                       "def b():\n  @triton.jit\n  def twin(): pass\n"
                       "if absent.x:\n  @triton.jit\n  def two(): pass\n"
                       "else:\n  @triton.jit\n  def two(): pass\n"
                       "@absent.wrap\ndef wrapped(): pass\n")
                  .str());
  Frontend &frontend = session.frontend;
  EXPECT_TRUE(frontend.findKernel(*module, "softmax"));
  EXPECT_TRUE(frontend.findKernel(*module, "a.twin"));
  EXPECT_EQ(session.log(), "");
  auto message = [&](llvm::StringRef name) {
    session.messages.clear();
    EXPECT_FALSE(frontend.findKernel(*module, name));
    return session.log();
  };
  EXPECT_EQ(message("softmx"),
            "error: 't.py' defines no @triton.jit function 'softmx'; did you "
            "mean 'softmax'?\n  note: it defines softmax, a.twin, b.twin, two, "
            "two\n");
  EXPECT_EQ(message("host"),
            "6:5: error: 'host' is a Python function, not a jit "
            "function; a kernel is decorated with "
            "@triton.jit\n");
  EXPECT_EQ(
      message("wrapped"),
      "20:5: error: 'wrapped' is a Python function, not a jit function; a "
      "kernel is decorated with @triton.jit\n"
      "  19:2: note: this decorator means nothing to the compiler\n");
  EXPECT_EQ(message("tl"), "error: 'tl' is a module, not a jit function; a "
                           "kernel is decorated with @triton.jit\n");
  EXPECT_EQ(message("twin"),
            "error: several functions are called 'twin'; name the one that is "
            "meant with the function around it, as in 'a.twin'\n"
            "  9:7: note: 'a.twin'\n  12:7: note: 'b.twin'\n");
  EXPECT_EQ(message(""), "error: 't.py' defines several @triton.jit functions; "
                         "name one of them: softmax, a.twin, b.twin, two, "
                         "two\n");
  EXPECT_EQ(
      message("two"),
      "13:4: error: which function 'two' is (it has several definitions) "
      "is not known at compile time: it depends on a condition that is not "
      "known: module 'absent' was not found (a folder to look in is given "
      "with -I)\n"
      "  13:4: note: its value is lost here: it depends on a condition "
      "that is not known: module 'absent' was not found (a folder to look "
      "in is given with -I)\n"
      "  note: give its value with --bind two=VALUE\n");
  Session empty;
  Module *none = empty.frontend.loadText("e.py", "x = 1\n");
  EXPECT_FALSE(empty.frontend.findKernel(*none, ""));
  EXPECT_EQ(empty.log(), "error: 'e.py' defines no @triton.jit function\n");
}

TEST(Kernels, BrokenFunctionsAreReportedWhenAskedFor) {
  Session session;
  Module *module = session.frontend.loadText(
      "t.py", (kHead + "@triton.jit\ndef good(x): return x\n"
                       "@triton.jit\ndef bad(x):\n  y = x +\n  z = (1\n"
                       "  return y\n")
                  .str());
  EXPECT_EQ(session.log(), "");
  FunctionObject *good = session.frontend.findKernel(*module, "good");
  FunctionObject *bad = session.frontend.findKernel(*module, "bad");
  ASSERT_TRUE(good && bad);
  EXPECT_TRUE(session.frontend.checkSyntax(*good));
  EXPECT_FALSE(session.frontend.checkSyntax(*bad));
  EXPECT_EQ(session.log(),
            "8:10: error: expected an expression, found the end of the line\n"
            "9:7: error: this '(' is never closed\n");
}

TEST(Kernels, WrongDecoratorArguments) {
  struct Row {
    const char *text, *message;
  } rows[] = {
      {"@triton.jit(do_not_specialise=['a'])\ndef f(a): pass\n",
       "4:13: error: TypeError: triton.jit() has no parameter "
       "'do_not_specialise'; did you mean 'do_not_specialize'?\n"},
      {"@triton.autotune(key=[])\n@triton.jit\ndef f(): pass\n",
       "4:2: error: TypeError: triton.autotune() needs a value for its "
       "parameter "
       "'configs'\n"},
      {"@triton.autotune(configs=[1], key=[])\n@triton.jit\ndef f(): pass\n",
       "4:2: error: TypeError: the configs of triton.autotune must be "
       "triton.Config objects, found int\n"},
      {"@triton.autotune(configs=[triton.Config({'BLOK': 1})], key=[])\n"
       "@triton.jit\ndef f(BLOCK: tl.constexpr): pass\n",
       "4:27: error: ValueError: triton.Config sets 'BLOK', but 'f' has no "
       "such "
       "parameter; did you mean 'BLOCK'?\n"},
      {"@triton.autotune(confgs=[], key=[])\n@triton.jit\ndef f(): pass\n",
       "4:18: error: TypeError: triton.autotune() has no parameter 'confgs'; "
       "did "
       "you mean 'configs'?\n"},
      {"@triton.jit\n@triton.autotune(configs=[], key=[])\ndef f(): pass\n",
       "5:2: error: TypeError: triton.autotune applies to a jit function, "
       "found "
       "Python function; '@triton.jit' must stand below it\n"},
      {"@triton.heuristics({'X': lambda a: 1})\n@triton.jit\ndef f(Y: "
       "tl.constexpr): pass\n",
       "4:2: error: ValueError: triton.heuristics computes 'X', but 'f' has no "
       "such parameter\n"},
      {"@triton.heuristics([1])\n@triton.jit\ndef f(Y): pass\n",
       "4:2: error: TypeError: triton.heuristics takes a dict of functions, "
       "found list\n"},
      {"@triton.jit\nclass f: pass\n",
       "error: 'f' is a class, not a jit function; a kernel is decorated with "
       "@triton.jit\n"},
      {"@triton.autotun(configs=[])\n@triton.jit\ndef f(): pass\n",
       "4:9: error: AttributeError: module 'triton' has no attribute "
       "'autotun'; "
       "did you mean 'autotune'?\n"},
  };
  for (const Row &row : rows) {
    Session session;
    Module *module =
        session.frontend.loadText("t.py", (kHead + row.text).str());
    // Nothing is said until someone asks for the function.
    EXPECT_EQ(session.log(), "") << row.text;
    if (FunctionObject *f = session.frontend.findKernel(*module, "f"))
      EXPECT_FALSE(session.frontend.checkSyntax(*f));
    EXPECT_EQ(session.log(), row.message) << row.text;
  }
}

TEST(Kernels, UnknownValuesSayWhyAndWhatToDo) {
  Session session;
  Module *module = session.frontend.loadText(
      "t.py", (kHead + "BLOCK = absent.block()\nTWICE = BLOCK * 2\n").str());
  Evaluator &eval = session.frontend.getEvaluator();
  Value value = eval.lookup("TWICE", module->getGlobals());
  ASSERT_TRUE(value.isUnknown());
  eval.reportUnknown(value, SourceRange(), "the size");
  EXPECT_EQ(
      session.log(),
      "error: the size is not known at compile time: module 'absent' was "
      "not found (a folder to look in is given with -I)\n"
      "  4:16: note: its value is lost here: module 'absent' was not found "
      "(a folder to look in is given with -I)\n"
      "  note: give its value with --bind BLOCK=VALUE\n");
}

TEST(Kernels, WhatLibrariesReallyWrite) {
  // Names that are no parameters, launch options among the constants or
  // computed, options of the decorator that depend on what is not known.
  EXPECT_EQ(
      list(
          "import inspect\n"
          "extra = {'cache_results': True} if 'cache_results' in "
          "inspect.signature(triton.autotune).parameters else {}\n"
          "@triton.autotune(configs=[triton.Config({'B': 1, 'num_warps': 8})], "
          "key=['x'], **extra)\n"
          "@triton.heuristics({'num_stages': lambda args: 2})\n"
          "@triton.jit(do_not_specialize=['gone', 'x'])\n"
          "def f(x, B: tl.constexpr): pass\n"),
      "9 f(x:n, B:c) Config(B=1, num_warps=8, num_stages=3, num_ctas=1) key=x "
      "heur=num_stages\n");
}

TEST(Kernels, BindArguments) {
  Session session;
  Module *module = session.frontend.loadText(
      "t.py",
      (kHead + "@triton.jit\ndef f(a, b, c: tl.constexpr = 3): pass\n").str());
  FunctionObject *f = session.frontend.findKernel(*module, "f");
  Evaluator &eval = session.frontend.getEvaluator();
  const Type *type = session.frontend.getTypes().getScalar(ScalarId::Int32);
  int dummy = 0;
  llvm::SmallVector<Value, 4> bound;
  EXPECT_TRUE(eval.bindArguments(*f, Value::tensor(type, &dummy),
                                 NamedValue{"b", Value::integer(2), {}}, {},
                                 bound));
  ASSERT_EQ(bound.size(), 3u);
  EXPECT_TRUE(bound[0].isTensor());
  EXPECT_EQ(bound[0].getTensorValue(), &dummy);
  EXPECT_EQ(repr(bound[1]), "2");
  EXPECT_EQ(repr(bound[2]), "3");
  EXPECT_FALSE(eval.bindArguments(*f, {}, NamedValue{"d", Value::none(), {}},
                                  f->getNameRange(), bound));
  eval.reportError();
  EXPECT_EQ(session.log(), "5:5: error: TypeError: f() has no parameter 'd'\n"
                           "  5:5: note: 'f' is defined here\n");
}

TEST(Kernels, RuntimeValuesPassThrough) {
  Session session;
  Module *module = session.frontend.loadText(
      "t.py", (kHead + "@tl.core._aggregate\nclass Pair:\n  a: tl.tensor\n"
                       "  n: tl.constexpr\n"
                       "def first(t): return t[0], len(t)\n"
                       "def add(t): return t[0] + 1\n")
                  .str());
  Evaluator &eval = session.frontend.getEvaluator();
  const Type *type = session.frontend.getTypes().getScalar(ScalarId::Int32);
  int dummy = 0;
  Value tensor = Value::tensor(type, &dummy);
  Value tuple = session.frontend.getValues().tuple({tensor, Value::integer(1)});
  EXPECT_FALSE(tuple.isCompileTime());
  EXPECT_TRUE(Evaluator::anyRuntime(tuple));
  Value first = eval.call(*module->getGlobals().find("first"), tuple, {}, {});
  EXPECT_EQ(repr(first), "(i32, 2)");
  Value add = eval.call(*module->getGlobals().find("add"), tuple, {}, {});
  ASSERT_TRUE(add.isUnknown());
  EXPECT_EQ(add.getUnknown().reason,
            "it depends on a run-time value of type i32");
  Value pair = eval.call(*module->getGlobals().find("Pair"),
                         {tensor, Value::integer(4)}, {}, {});
  ASSERT_TRUE(pair.is(Value::Kind::Instance));
  EXPECT_EQ(pair.getInstance().type->role, ClassObject::Role::Aggregate);
  EXPECT_EQ(repr(eval.attribute(pair, "n", {})), "4");
  EXPECT_FALSE(pair.isCompileTime());
}
