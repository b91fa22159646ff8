//===- EvaluatorTest.cpp - Python at compile time -------------------------===//
//
// Expected texts are what CPython prints for the same expression, except where
// a comment says otherwise.
//
//===----------------------------------------------------------------------===//

#include "tests/compiler/Lang/LangTest.h"

using namespace nereid::lang;

namespace {
struct Row {
  const char *expression, *result;
};
void check(llvm::ArrayRef<Row> rows, llvm::StringRef text = "") {
  for (const Row &row : rows)
    EXPECT_EQ(eval(row.expression, text), row.result) << row.expression;
}
} // namespace

TEST(Evaluator, Arithmetic) {
  check(
      {{"1 + 2 * 3", "7"},
       {"7 // 2, -7 // 2, 7 // -2, -7 // -2", "(3, -4, -4, 3)"},
       {"7 % 3, -7 % 3, 7 % -3, -7 % -3", "(1, 2, -2, -1)"},
       {"7 / 2, 6 / 2", "(3.5, 3.0)"},
       {"2 ** 10, 2 ** -1, (-2) ** 3, 0 ** 0", "(1024, 0.5, -8, 1)"},
       {"1 << 40, -5 >> 1, 5 & 3, 5 | 3, 5 ^ 3, ~5", "(1099511627776, -3, 1, "
                                                     "7, 6, -6)"},
       {"True + True, True & False, True | 2", "(2, False, 3)"},
       {"2**100", "1267650600228229401496703205376"},
       {"-(2**126) * 2 + 1", "-170141183460469231731687303715884105727"},
       {"7.5 // 2, -7.5 // 2, -7.5 % 2, 7.5 % -2", "(3.0, -4.0, 0.5, -0.5)"},
       {"1e16, 1e15, 0.1, 1e-5, 1e-4, 123456.0, 1.5e300",
        "(1e+16, "
        "1000000000000000.0, 0.1, 1e-05, 0.0001, 123456.0, 1.5e+300)"},
       {"0.1 + 0.2, 1/3, 2.0**0.5", "(0.30000000000000004, "
                                    "0.3333333333333333, 1.4142135623730951)"},
       {"float('inf'), -float('inf'), float('nan')", "(inf, -inf, nan)"},
       {"1 / 0", "ZeroDivisionError: division by zero"},
       {"1 // 0", "ZeroDivisionError: integer division by zero"},
       {"1 % 0", "ZeroDivisionError: modulo by zero"},
       {"1.0 / 0", "ZeroDivisionError: float division by zero"},
       {"1 << -1", "ValueError: negative shift count"},
       {"1 << 200", "LimitError: compile-time integers have 128 bits; this "
                    "result needs more"},
       {"10 ** 50", "LimitError: compile-time integers have 128 bits; this "
                    "result needs more"},
       {"99999999999999999999999999999999999999999",
        "LimitError: compile-time integers have 128 bits; this one needs "
        "more"},
       {"1 + 'a'", "TypeError: '+' does not apply to int and str"},
       {"-'a'", "TypeError: unary '-' does not apply to str"},
       {"None + 1", "TypeError: '+' does not apply to None and int"},
       {"2j", "Unsupported: complex numbers are not supported at compile "
              "time"}});
}

TEST(Evaluator, ComparisonsAndLogic) {
  check({{"1 < 2 < 3, 1 < 3 < 2", "(True, False)"},
         {"1 == 1.0, True == 1, 'a' == 'a', 'a' == 1, None == None",
          "(True, True, True, False, True)"},
         {"float('nan') == float('nan'), float('nan') != 1, float('nan') < 1",
          "(False, True, False)"},
         {"2**53 + 1 == 2.0**53, 2**53 + 1 > 2.0**53", "(False, True)"},
         {"'a' < 'b', (1, 2) < (1, 3), [1] < [1, 0]", "(True, True, True)"},
         {"None is None, 1 is not None, True is True", "(True, True, True)"},
         {"2 in [1, 2], 'b' in 'abc', 3 not in (1, 2), 'k' in {'k': 1}",
          "(True, True, True, True)"},
         {"3 in range(0, 10, 3), 4 in range(0, 10, 3)", "(True, False)"},
         {"0 or 'x', 1 and 0, not 1, '' or None", "('x', 0, False, None)"},
         {"1 if [] else 2", "2"},
         {"1 < 'a'", "TypeError: '<' does not apply to int and str"},
         {"1 in 2", "TypeError: 'in' does not apply to int"},
         {"{1, 2} <= {1, 2, 3}, {1} == {1}", "(True, True)"},
         {"{1: 2} == {1: 2}, [1, [2]] == [1, [2]]", "(True, True)"}});
}

TEST(Evaluator, Sequences) {
  check(
      {{"[1, 2] + [3], (1,) * 3, 'ab' * 2, 2 * [0]",
        "([1, 2, 3], (1, 1, 1), 'abab', [0, 0])"},
       {"[1, 2, 3][-1], (1, 2)[0], 'größe'[2], {'a': 1}['a']",
        "(3, 1, 'ö', 1)"},
       {"[0, 1, 2, 3][1:], [0, 1, 2, 3][::-1], 'abcdef'[1:5:2], (1, 2, 3)[:-1]",
        "([1, 2, 3], [3, 2, 1, 0], 'bd', (1, 2))"},
       {"[0, 1, 2][5:], [0, 1, 2][-5:2], 'abc'[::-1], range(10)[2:8:3]",
        "([], [0, 1], 'cba', range(2, 8, 3))"},
       {"[*range(3), *'ab'], (*[1], 2)", "([0, 1, 2, 'a', 'b'], (1, 2))"},
       {"{'a': 1, **{'b': 2}}, {1, 1, 2}", "({'a': 1, 'b': 2}, {1, 2})"},
       {"len([1, 2]), len('größe'), len({}), len(range(0, 10, 3))",
        "(2, 5, 0, 4)"},
       {"[1, 2][2]", "IndexError: index 2 is out of range for a list of 2 "
                     "elements"},
       {"{'a': 1}['b']", "KeyError: 'b'"},
       {"[1]['a']", "TypeError: the index of a list must be an int or a "
                    "slice, found str"},
       {"1[0]", "TypeError: a int cannot be subscripted"},
       {"{[]: 1}", "TypeError: a list cannot be the key of a dict"},
       {"[0] * 10**9", "LimitError: a compile-time value may have at most "
                       "1000000 elements"},
       {"[x * y for x in range(3) if x for y in (10, 20)]", "[10, 20, 20, 40]"},
       {"{k: v for k, v in zip('ab', [1, 2])}, {x % 2 for x in range(5)}",
        "({'a': 1, 'b': 2}, {0, 1})"},
       {"sum(x for x in range(5)), [y := 3, y * 2]", "(10, [3, 6])"},
       {"[x for x in 3]", "TypeError: cannot iterate over a int"}});
}

TEST(Evaluator, Strings) {
  check(
      {{"f'{1}{\"a\"!r}{2.5:.2f}{255:#x}{3:04d}{\"x\":>4}|'",
        "\"1'a'2.500xff0003   x|\""},
       {"f'{1 + 1 = }'", "'1 + 1 = 2'"},
       {"f'{1234567:,}', f'{0.5:%}', f'{7:b}', f'{3:+d}', f'{2:^5}'",
        "('1,234,567', '50.000000%', '111', '+3', '  2  ')"},
       {"f'{3.14159:10.3f}', f'{1e10:g}', f'{5:{4}}', f'{True}'",
        "('     3.142', '1e+10', '   5', 'True')"},
       {"'{} {1} {a!r:>4}'.format(1, 2, a='x')", "\"1 2  'x'\""},
       {"'{0[1]} {x.start}'.format([1, 2], x=range(3))", "'2 0'"},
       {"'%d %5.2f %s %r %x %%' % (3, 2.5, 'a', 'b', 255)",
        "\"3  2.50 a 'b' ff %\""},
       {"'%(k)s' % {'k': 1}, '%-4d|' % 3", "('1', '3   |')"},
       {"'a,b,c'.split(','), ' a  b '.split(), 'a.b.c'.rsplit('.', 1)",
        "(['a', 'b', 'c'], ['a', 'b'], ['a.b', 'c'])"},
       {"'-'.join(['a', 'b']), 'Ab'.upper(), 'Ab'.lower(), ' x '.strip()",
        "('a-b', 'AB', 'ab', 'x')"},
       {"'abc'.startswith(('x', 'a')), 'abc'.endswith('c'), "
        "'aXbX'.replace('X', '-')",
        "(True, True, 'a-b-')"},
       {"'abc'.find('c'), 'abc'.count('b'), 'abc'.partition('b')",
        "(2, 1, ('a', 'b', 'c'))"},
       {"'5'.zfill(3), 'a'.ljust(3) + '|', '12'.isdigit(), 'a b'.title()",
        "('005', 'a  |', True, 'A B')"},
       {"'fp16'.removeprefix('fp'), str(1.0), repr('a\\'b'), str(None)",
        "('16', '1.0', '\"a\\'b\"', 'None')"},
       {"'a'.foo()", "AttributeError: a str has no attribute 'foo'"},
       {"'a'.uper()", "AttributeError: a str has no attribute 'uper'; did you "
                      "mean 'upper'?"},
       {"f'{1:q}'", "ValueError: format code 'q' does not apply to an int"},
       {"'{}'.format()", "IndexError: the format string names argument 0, but "
                         "there are 0"}});
}

TEST(Evaluator, PythonBuiltins) {
  check(
      {{"int('12'), int('0x1f', 16), int(3.9), int(-3.9), float('1e3'), "
        "bool([]), str(3)",
        "(12, 31, 3, -3, 1000.0, False, '3')"},
       {"min(3, 1, 2), max([1, 5]), min('b', 'a'), max((), default=0)",
        "(1, 5, 'a', 0)"},
       {"max(['a', 'bbb'], key=len), sorted([3, 1, 2], reverse=True)",
        "('bbb', [3, 2, 1])"},
       {"sorted(['b', 'A'], key=lambda s: s.lower())", "['A', 'b']"},
       {"list(enumerate('ab', 1)), list(zip([1, 2], (3, 4)))",
        "([(1, 'a'), (2, 'b')], [(1, 3), (2, 4)])"},
       {"any([0, 1]), all([1, 0]), sum([1, 2], 10), abs(-3), abs(-2.5)",
        "(True, False, 13, 3, 2.5)"},
       {"list(map(lambda x: x * 2, [1, 2])), list(filter(None, [0, 1]))",
        "([2, 4], [1])"},
       {"isinstance(1, int), isinstance(True, int), isinstance('a', (int, "
        "str)), isinstance(1.0, int)",
        "(True, True, True, False)"},
       {"getattr('a', 'upper')(), hasattr(1, 'foo'), getattr(1, 'x', 5)",
        "('A', False, 5)"},
       {"divmod(-7, 2), pow(2, 10), pow(3, 4, 5), round(2.5), round(2.567, 2)",
        "((-4, 1), 1024, 1, 2, 2.57)"},
       {"hex(255), bin(5), oct(8), chr(65), ord('A')",
        "('0xff', '0b101', '0o10', 'A', 65)"},
       {"dict(a=1), dict([('b', 2)]), list(reversed([1, 2])), tuple([1])",
        "({'a': 1}, {'b': 2}, [2, 1], (1,))"},
       {"range(3), list(range(5, 0, -2)), print('x'), callable(len)",
        "(range(0, 3), [5, 3, 1], None, True)"},
       {"int('x')", "ValueError: invalid text for int(): 'x'"},
       {"int(None)", "TypeError: int() takes a number or a str, found None"},
       {"len(1)", "TypeError: a int has no length"},
       {"len()", "TypeError: len() takes 1 argument, found 0"},
       {"range(0, 1, 0)", "ValueError: the step of range() must not be zero"},
       {"min()", "ValueError: min() needs at least one value"},
       {"foo", "NameError: name 'foo' is not defined"},
       {"prnt", "NameError: name 'prnt' is not defined; did you mean "
                "'print'?"},
       {"3()", "TypeError: a int cannot be called"},
       {"isinstance(1, 2)", "TypeError: isinstance() takes a type or a tuple "
                            "of types, found int"}});
}

TEST(Evaluator, Library) {
  check({{"math.ceil(2.1), math.log2(8), math.sqrt(16), math.gcd(12, 18), "
          "math.prod([2, 3]), math.pi > 3",
          "(3, 3.0, 4.0, 6, 6, True)"},
         {"list(itertools.product([1, 2], 'ab'))",
          "[(1, 'a'), (1, 'b'), (2, 'a'), (2, 'b')]"},
         {"list(itertools.product([0, 1], repeat=2))",
          "[(0, 0), (0, 1), (1, 0), (1, 1)]"},
         {"list(itertools.combinations([1, 2, 3], 2))",
          "[(1, 2), (1, 3), (2, 3)]"},
         {"list(itertools.permutations([1, 2, 3], 2))",
          "[(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)]"},
         {"list(itertools.chain([1], (2,)))", "[1, 2]"},
         {"functools.reduce(operator.mul, [1, 2, 3])", "6"},
         {"functools.partial(max, 3)(2)", "3"},
         {"math.sqrt(-1)", "ValueError: math.sqrt() is not defined for -1"},
         {"os.environ.get('HOME', 'none'), os.getenv('HOME'), 'HOME' in "
          "os.environ",
          "('none', None, False)"},
         {"version.parse('3.2.1') >= version.parse('3.2'), "
          "version.parse(triton.__version__) >= version.Version('3.0.0')",
          "(True, True)"},
         {"sys.version_info >= (3, 8), copy.deepcopy([1])", "(True, [1])"},
         {"os.path.join('a')", "unknown: 'os.path.join' exists only when the "
                               "program runs"}},
        "import math, itertools, functools, operator, os, sys, copy, triton\n"
        "from packaging import version\n");
}

TEST(Evaluator, TritonNames) {
  llvm::StringRef text = "import triton\nimport triton.language as tl\n";
  check(
      {{"triton.cdiv(10, 4), triton.next_power_of_2(33), tl.cdiv(8, 4)",
        "(3, 64, 2)"},
       {"tl.float32, tl.int32, tl.uint8, tl.bfloat16, tl.int1",
        "(fp32, int32, uint8, bf16, int1)"},
       {"tl.float32.primitive_bitwidth, tl.float8e4nv.itemsize, "
        "tl.float16.fp_mantissa_width, tl.int8.name",
        "(32, 1, 10, 'int8')"},
       {"tl.float16.is_floating(), tl.float8e5.is_fp8(), tl.int32.is_int32(), "
        "tl.int1.is_int_unsigned(), tl.bfloat16.is_bf16()",
        "(True, True, True, True, True)"},
       {"tl.float16 == tl.float16, tl.float16 == tl.float32, tl.float16 in "
        "(tl.float16,)",
        "(True, False, True)"},
       {"tl.int8.get_int_max_value(), tl.uint32.get_int_max_value(), "
        "tl.int64.get_int_min_value()",
        "(127, 4294967295, -9223372036854775808)"},
       {"tl.pointer_type(tl.float16), tl.pointer_type(tl.int8).element_ty, "
        "tl.dtype('fp16')",
        "(pointer<fp16>, int8, fp16)"},
       {"tl.block_type(tl.float32, [4, 8]).shape", "(4, 8)"},
       {"tl.constexpr(3) + 1, tl.constexpr(4).value, "
        "isinstance(tl.constexpr(1), tl.constexpr), isinstance(1, "
        "tl.constexpr)",
        "(4, 4, True, False)"},
       {"tl.load, tl.math.exp, tl.extra.cuda.libdevice.tanh, tl.core.dot",
        "(<built-in tl.load>, <built-in tl.exp>, <built-in libdevice.tanh>, "
        "<built-in tl.dot>)"},
       {"tl.math.tanh", "<built-in libdevice.tanh>"},
       {"tl.TRITON_MAX_TENSOR_NUMEL, tl.PropagateNan.ALL.name",
        "(1048576, 'ALL')"},
       {"tl.loadd", "AttributeError: module 'triton.language' has no attribute "
                    "'loadd'; did you mean 'load'?"},
       {"triton.languge", "AttributeError: module 'triton' has no attribute "
                          "'languge'; did you mean 'language'?"},
       {"tl.float32.is_foo", "AttributeError: dtype fp32 has no attribute "
                             "'is_foo'; did you mean 'is_fp8'?"},
       {"tl.load(1)", "TypeError: 'tl.load' can be used inside a @triton.jit "
                      "function only, not in code that runs at compile "
                      "time"},
       {"triton.cdiv(1)", "TypeError: triton.cdiv() needs a value for its "
                          "parameter 'y'"},
       {"triton.next_power_of_2('a')", "TypeError: triton.next_power_of_2() "
                                       "takes an int, found str"},
       {"hasattr(tl, 'dot_scaled'), hasattr(tl, 'no_such')", "(True, False)"},
       {"triton.Config({'B': 1}, num_warps=8)",
        "Config(B=1, num_warps=8, num_stages=3, num_ctas=1)"},
       {"triton.Config({'B': 1}, num_warps=8).kwargs", "{'B': 1}"},
       {"triton.Config(3)", "TypeError: triton.Config takes a dict of "
                            "constants, found int"},
       {"triton.Config({}, num_warps=0)",
        "TypeError: num_warps of "
        "triton.Config must be a positive int, found 0"}},
      text);
}

TEST(Evaluator, Functions) {
  llvm::StringRef text =
      "def f(a, b=2, *c, d=4, **e): return a, b, c, d, e\n"
      "def fact(n): return 1 if n == 0 else n * fact(n - 1)\n"
      "def forever():\n"
      "  while True: pass\n"
      "def deep(n): return deep(n + 1)\n"
      "def raiser(): raise ValueError('bad ' + 'value')\n"
      "def catcher():\n"
      "  try: raiser()\n"
      "  except (KeyError, ValueError) as e: return str(e)\n"
      "  finally: pass\n"
      "def local():\n"
      "  print(x)\n"
      "  x = 1\n"
      "def gen(n):\n"
      "  for i in range(n):\n"
      "    if i % 2: continue\n"
      "    yield i\n"
      "def make(k):\n"
      "  n = 0\n"
      "  def inner(x):\n"
      "    nonlocal n\n"
      "    n += k\n"
      "    return x + n\n"
      "  return inner\n"
      "counter = make(10)\n"
      "def broken():\n"
      "  return 1 +\n"
      "def loop():\n"
      "  out = []\n"
      "  for a in range(4):\n"
      "    if a == 3: break\n"
      "    out.append(a)\n"
      "  else: out.append('else')\n"
      "  i = 0\n"
      "  while i < 2: i += 1\n"
      "  else: out.append('done')\n"
      "  x, (y, *z) = 1, (2, 3, 4)\n"
      "  return out, x, y, z\n"
      "def matcher(v):\n"
      "  match v:\n"
      "    case 1 | 2: return 'low'\n"
      "    case [a, *b]: return b\n"
      "    case str() if False: return 0\n"
      "    case _: return 'other'\n";
  check(
      {{"f(1)", "(1, 2, (), 4, {})"},
       {"f(1, 3, 5, d=6, g=7)", "(1, 3, (5,), 6, {'g': 7})"},
       {"f(*[1, 2], **{'d': 3})", "(1, 2, (), 3, {})"},
       {"f()", "TypeError: f() needs a value for its parameter 'a'"},
       {"fact(20)", "2432902008176640000"},
       {"fact(1, 2)", "TypeError: fact() takes 1 positional argument, but 2 "
                      "were given"},
       {"fact(m=1)", "TypeError: fact() has no parameter 'm'"},
       {"fact(1, n=1)", "TypeError: fact() got two values for its parameter "
                        "'n'"},
       {"forever()", "LimitError: evaluating this at compile time takes more "
                     "than 2000000 steps"},
       {"deep(0)", "LimitError: calls are nested more than 100 deep at compile "
                   "time"},
       {"raiser()", "ValueError: bad value"},
       {"catcher()", "'bad value'"},
       {"local()", "NameError: the local variable 'x' is used before it has a "
                   "value"},
       {"gen(5)", "[0, 2, 4]"},
       {"counter(1), counter(1)", "(11, 21)"},
       {"broken()", "SyntaxError: expected an expression, found the end of the "
                    "line"},
       {"loop()", "([0, 1, 2, 'done'], 1, 2, [3, 4])"},
       {"matcher(2), matcher([1, 2, 3])", "('low', [2, 3])"},
       {"(lambda x, y=2: x * y)(4)", "8"}},
      text);
}

TEST(Evaluator, ListsAndDicts) {
  llvm::StringRef text = "l = [3, 1]\nl.append(2)\nl.sort()\nl += [9]\n"
                         "l.insert(0, 7); l.extend((5,)); p = l.pop(1)\n"
                         "d = {'a': 1}\nd['b'] = 2\nd.update(c=3)\n"
                         "d.setdefault('e', []).append(1)\ndel d['a']\n"
                         "m = l\nm[0] = 'first'\n"
                         "s = set()\ns.add(1); s.add(1); s |= {2}\n"
                         "a, b = b0, a0 = (1, 2)\n";
  check({{"l, p", "(['first', 2, 3, 9, 5], 1)"},
         {"d, list(d), list(d.items())[0]",
          "({'b': 2, 'c': 3, 'e': [1]}, ['b', 'c', 'e'], ('b', 2))"},
         {"d.get('x'), d.get('b'), d.get('x', 5), 'c' in d",
          "(None, 2, 5, True)"},
         {"s, s & {2}, {1, 2} - {1}", "({1, 2}, {2}, {2})"},
         {"a, b", "(1, 2)"},
         {"l.remove(100)", "ValueError: 100 is not in the list"},
         {"(1, 2).append(3)", "AttributeError: a tuple has no attribute "
                              "'append'"},
         {"d['zz']", "KeyError: 'zz'"}},
        text);
}

TEST(Evaluator, Classes) {
  llvm::StringRef text =
      "from typing import NamedTuple\nfrom dataclasses import dataclass, "
      "field\n"
      "from enum import Enum, IntEnum, auto\nimport collections\n"
      "class P(NamedTuple):\n  x: int\n  y: int = 2\n"
      "  def total(self): return self.x + self.y\n"
      "Q = collections.namedtuple('Q', 'a b')\n"
      "@dataclass(frozen=True)\nclass D:\n  a: int\n  b: list = "
      "field(default_factory=list)\n"
      "  @property\n  def twice(self): return self.a * 2\n"
      "  @staticmethod\n  def make(): return D(7)\n"
      "  @classmethod\n  def of(cls, a): return cls(a)\n"
      "class C:\n  k = 3\n  def __init__(self, v): self.v = v\n"
      "  def get(self): return self.v + self.k\n"
      "  def __add__(self, o): return C(self.v + o.v)\n"
      "  def __call__(self, x): return x * self.v\n"
      "class S(C):\n  k = 10\n"
      "class E(Enum):\n  A = 'x'\n  B = auto()\n"
      "class I(IntEnum):\n  ONE = 1\n  TWO = 2\n"
      "class MyError(ValueError): pass\n"
      "def t():\n  try: raise MyError('m')\n  except ValueError as e: return "
      "str(e)\n";
  check({{"P(1), P(1).y, P(1)[0], P(1, 3).total(), P(1)._replace(x=5)",
          "(P(x=1, y=2), 2, 1, 4, P(x=5, y=2))"},
         {"Q(1, 2).b, Q(1, 2)", "(2, Q(a=1, b=2))"},
         {"P()", "TypeError: P() needs a value for its field 'x'"},
         {"P(1).z", "AttributeError: a P has no attribute 'z'"},
         {"D(1), D(1).twice, D.make().a, D.of(4).a, D(1) == D(1)",
          "(D(a=1, b=[]), 2, 7, 4, True)"},
         {"C(1).get(), S(1).get(), (C(1) + C(2)).v, C(3)(4), "
          "isinstance(S(1), C)",
          "(4, 11, 3, 12, True)"},
         {"E.A, E.A.value, E.B.value, E('x'), E['A'], E.A == E.A",
          "(E.A, 'x', 1, E.A, E.A, True)"},
         {"I.ONE + 1, I.TWO == 2, I.ONE < I.TWO, [m.name for m in I]",
          "(2, True, True, ['ONE', 'TWO'])"},
         {"t()", "'m'"},
         {"C(1).nope", "AttributeError: a C has no attribute 'nope'"}},
        text);
}

TEST(Evaluator, UnknownPoisonsOnlyWhatUsesIt) {
  llvm::StringRef text = "import absent\n"
                         "HAS = absent.cuda.is_available()\n"
                         "n = 4\n"
                         "both = [HAS, n]\n"
                         "if HAS:\n  x = 1\n  y = 5\nelse:\n  x = 2\n  y = 5\n"
                         "only = 0\n"
                         "if HAS: only = 1\n"
                         "lst = [1]\n"
                         "if HAS: lst.append(2)\n"
                         "def f(v):\n  if v: return 1\n  return 2\n"
                         "bad = 1 / 0\n"
                         "after = n + 1\n"
                         "a = b = undefined_thing\n"
                         "for i in absent.things():\n  z = 3\n";
  std::string absent =
      "unknown: module 'absent' was not found (a folder to look in is given "
      "with -I)";
  check({{"HAS", absent.c_str()},
         {"both[1], len(both)", "(4, 2)"},
         {"HAS and False, HAS or True", "(False, True)"},
         {"HAS + 1", absent.c_str()},
         {"absent.float16", absent.c_str()},
         {"f(HAS)", absent.c_str()},
         {"[1 for _ in range(HAS)]", absent.c_str()},
         {"1 if HAS else 1", "1"},
         {"1 if HAS else 2", absent.c_str()},
         {"x", ("unknown: it depends on a condition that is not known: " +
                absent.substr(9))
                   .c_str()},
         {"y", "5"},
         {"only", ("unknown: it depends on a condition that is not known: " +
                   absent.substr(9))
                      .c_str()},
         {"lst[0]", ("unknown: it depends on a condition that is not known: " +
                     absent.substr(9))
                        .c_str()},
         {"bad", "unknown: ZeroDivisionError: division by zero"},
         {"after", "5"},
         {"b", "unknown: NameError: name 'undefined_thing' is not defined"},
         {"z", "3"}},
        text);
}

TEST(Evaluator, TorchIsThereOnTheHost) {
  check({{"HAS", "True"},
         {"torch.utils._triton.has_triton()", "True"},
         {"found('triton.language.extra.libdevice', 'rsqrt')",
          "<built-in libdevice.rsqrt>"},
         {"found('triton.language.no_such_module', 'x')", "None"},
         {"torch.cuda.device_count()",
          "unknown: 'torch.cuda.device_count' exists only when the program "
          "runs"},
         {"torch.cuda.is_available()",
          "unknown: 'torch.cuda.is_available()' depends on the target, and "
          "none is chosen yet"},
         {"torch.iinfo(torch.int32).max, torch.iinfo(torch.int8).min, "
          "torch.iinfo(torch.uint8).max",
          "(2147483647, -128, 255)"},
         {"torch.finfo(torch.float16).max, torch.finfo(torch.float32).max, "
          "torch.finfo(torch.bfloat16).min, torch.finfo(torch.float32).eps",
          "(65504.0, 3.4028234663852886e+38, -3.3895313892515355e+38, "
          "1.1920928955078125e-07)"},
         {"torch.finfo(torch.float8_e4m3fn).max, "
          "torch.finfo(torch.float8_e5m2).max, torch.finfo(torch.float64).tiny",
          "(448.0, 57344.0, 2.2250738585072014e-308)"},
         {"F.silu", "unknown: 'torch.nn.functional.silu' exists only when the "
                    "program runs"},
         {"m.pi > 3", "True"}},
        "import importlib.util\n"
        "def found(place, name):\n"
        "  if spec := importlib.util.find_spec(place):\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    assert spec.loader is not None\n"
        "    spec.loader.exec_module(module)\n"
        "    return getattr(module, name)\n"
        "try:\n  import torch\n  HAS = True\nexcept ImportError:\n  HAS = "
        "False\nimport torch.nn.functional as F\nimport importlib\n"
        "m = importlib.import_module('math')\n");
}

TEST(Evaluator, TryImport) {
  check({{"HAS_X, HAS_MATH, HAS_TL, where", "(False, True, True, 'handler')"},
         {"rsqrt", "<built-in libdevice.rsqrt>"}},
        "try:\n  import no_such_module\n  HAS_X = True\n"
        "except ImportError:\n  HAS_X = False\n"
        "try:\n  import math\n  HAS_MATH = True\n"
        "except (ImportError, AttributeError):\n  HAS_MATH = False\n"
        "try:\n  from triton.language.extra.libdevice import rsqrt\n"
        "  HAS_TL = True\nexcept ModuleNotFoundError:\n  HAS_TL = False\n"
        "try:\n  from triton.language import no_such_op\nexcept:\n"
        "  where = 'handler'\n");
}

TEST(Evaluator, ReportsWithCallChain) {
  Session session;
  Module *module = session.frontend.loadText(
      "t.py", "def inner(x):\n  return x // 0\ndef outer(x):\n  return "
              "inner(x)\n");
  Evaluator &eval = session.frontend.getEvaluator();
  Value outer = *module->getGlobals().find("outer");
  EXPECT_FALSE(eval.call(outer, Value::integer(1), {},
                         outer.getFunction().getNameRange()));
  EXPECT_FALSE(eval.reportError());
  EXPECT_EQ(session.log(),
            "2:10: error: ZeroDivisionError: integer division by zero\n"
            "  4:10: note: in 'inner', called from here\n"
            "  3:5: note: in 'outer', called from here\n");
}

TEST(Evaluator, HostileModulesEnd) {
  // Each is quick, and leaves the rest of the module alone.
  check({{"ok", "1"}}, "while True: pass\nok = 1\n");
  check({{"ok", "1"}}, "x = 'a'\nfor i in range(100): x = x + x\nok = 1\n");
  check({{"ok", "1"}}, "x = []\nx.append(x)\ny = x == x\nz = str(x)\nok = 1\n");
  check({{"ok", "1"}}, "t = (1,)\nfor i in range(200): t = (t, t)\nd = {t: 1}\n"
                       "u = t == (t,)\nok = 1\n");
  check({{"ok", "1"}}, "a = []\nb = []\nfor i in range(100000):\n  a = [a]\n"
                       "  b = [b]\nc = a == b\nd = str(a)\nok = 1\n");
  check({{"ok", "1"}}, "def f(): return f()\nx = f()\nok = 1\n");
  check({{"ok", "1"}}, "class A(A): pass\nx = lambda: x()\ny = x()\nok = 1\n");
  check({{"ok", "1"}}, "d = {}\nd['d'] = d\ns = f'{d}'\nok = 1\n");
  check({{"ok", "1"}},
        "import itertools\nx = list(itertools.product(range(1000), repeat=9))\n"
        "y = 10 ** 10 ** 10\nz = '%1000000000d' % 3\nok = 1\n");
}
