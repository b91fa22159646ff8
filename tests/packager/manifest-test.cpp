//===- manifest-test.cpp - pack.toml, right and wrong ---------------------===//

#include "packager/Manifest.h"
#include "packager/SignatureType.h"

#include <gtest/gtest.h>

using namespace nereid::pack;

namespace {

const std::vector<std::string> kTargets = {"sm_80", "sm_90a", "gfx942",
                                           "x86-64-v3", "x86-64-v4"};

const char *const kGood = R"toml([pack]
name = "attention"
targets = ["sm_90a", "x86-64-v3"]
search_paths = ["lib"]
[pack.bindings]
IS_HIP = false

[[kernel]]
source = "tile_kernels.py"
function = "matmul"
name = "matmul_f16"
doc = "C = A @ B"
grid = ["triton.cdiv(M, BLOCK_M) * cdiv(N, BLOCK_N)", "batch"]
targets = ["sm_90a"]
variants = ["aligned", "generic"]
[kernel.signature]
a_ptr = "*fp16:16"
d = "tensordesc<fp16[128, 64]>"
M = "i32"
stride_ak = 1
eps = 1e-6
bias_ptr = "None"
[kernel.constants]
ACTIVATION = "gelu"
DTYPE = "tl.float16"
SHAPE = [1, 2]
RAW = { python = "1 << 4" }
[[kernel.config]]
BLOCK_M = 128
EVEN = true
num_warps = 8
num_stages = 4
num_ctas = 2
targets = ["sm_90a"]
[[kernel.config]]
BLOCK_M = 64
)toml";

// Reads `text`; every mistake as "line:column: sentence", one per line.
std::string mistakes(const std::string &text, Manifest *out = nullptr,
                     std::vector<std::string> targets = {}) {
  ManifestOptions options;
  options.file = "somewhere/pack.toml";
  options.knownTargets = kTargets;
  options.targets = std::move(targets);
  options.checkFiles = false;
  Manifest manifest;
  std::vector<Diagnostic> errors;
  bool good = parseManifest(text, options, manifest, errors);
  EXPECT_EQ(good, errors.empty());
  std::string all;
  for (const Diagnostic &error : errors)
    all += concat(all.empty() ? "" : "\n", error.where.line, ":",
                  error.where.column, ": ", error.text);
  if (out)
    *out = std::move(manifest);
  return all;
}

// The mistakes after one line of a small good manifest is replaced.
std::string changed(const std::string &from, const std::string &to) {
  std::string text = R"toml([pack]
name = "p"
targets = ["sm_90a", "x86-64-v3"]
[[kernel]]
source = "k.py"
function = "add"
grid = "cdiv(n, BLOCK)"
[kernel.signature]
x = "*fp32"
n = "i32"
[[kernel.config]]
BLOCK = 1024
)toml";
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return mistakes(text);
}

TEST(Manifest, EverythingIsRead) {
  Manifest manifest;
  ASSERT_EQ(mistakes(kGood, &manifest), "");
  EXPECT_EQ(manifest.name, "attention");
  EXPECT_EQ(manifest.targets.size(), 2u);
  EXPECT_EQ(manifest.searchPaths, std::vector<std::string>{"somewhere/lib"});
  EXPECT_EQ(manifest.bindings[0].text, "False");
  ASSERT_EQ(manifest.kernels.size(), 1u);
  const ManifestKernel &kernel = manifest.kernels[0];
  EXPECT_EQ(kernel.path, "somewhere/tile_kernels.py");
  EXPECT_EQ(kernel.function, "matmul");
  EXPECT_EQ(kernel.name, "matmul_f16");
  EXPECT_EQ(kernel.targets, std::vector<std::string>{"sm_90a"});
  EXPECT_EQ(kernel.variants.size(), 2u);
  EXPECT_EQ(kernel.grid.size(), 2u);
  std::map<std::string, const ManifestParam *> params;
  for (const ManifestParam &param : kernel.signature)
    params[param.name] = &param;
  EXPECT_EQ(params["a_ptr"]->type, "*fp16:16");
  EXPECT_EQ(params["d"]->type, "tensordesc<fp16[128,64]>");
  EXPECT_EQ(params["stride_ak"]->constant.integer, 1);
  EXPECT_EQ(params["eps"]->constant.text, "1e-06");
  EXPECT_EQ(params["bias_ptr"]->constant.text, "None");
  std::map<std::string, std::string> constants;
  for (const ManifestConstant &constant : kernel.constants)
    constants[constant.name] = constant.text;
  EXPECT_EQ(constants["ACTIVATION"], "'gelu'");
  EXPECT_EQ(constants["DTYPE"], "tl.float16");
  EXPECT_EQ(constants["SHAPE"], "(1, 2, )");
  EXPECT_EQ(constants["RAW"], "1 << 4");
  ASSERT_EQ(kernel.configs.size(), 2u);
  EXPECT_EQ(kernel.configs[0].numWarps, 8);
  EXPECT_EQ(kernel.configs[0].numStages, 4);
  EXPECT_EQ(kernel.configs[0].numCtas, 2);
  EXPECT_EQ(kernel.configs[0].targets, std::vector<std::string>{"sm_90a"});
  EXPECT_EQ(kernel.configs[1].numWarps, 4);
}

TEST(Manifest, TargetsOfTheCommandLineWin) {
  Manifest manifest;
  EXPECT_EQ(mistakes("[pack]\nname='p'\n[[kernel]]\nsource='k.py'\n"
                     "function='f'\n[kernel.signature]\n",
                     &manifest, {"x86-64-v4"}),
            "");
  EXPECT_EQ(manifest.kernels[0].targets, std::vector<std::string>{"x86-64-v4"});
}

TEST(Manifest, SeveralSignaturesOfOneFunction) {
  Manifest manifest;
  EXPECT_EQ(mistakes(R"(
[pack]
name = "p"
targets = ["sm_80"]
[[kernel]]
source = "k.py"
function = "add"
name = "add_f16"
[kernel.signature]
x = "*fp16"
[[kernel]]
source = "k.py"
function = "add"
name = "add_f32"
[kernel.signature]
x = "*fp32"
)",
                     &manifest),
            "");
  EXPECT_EQ(manifest.kernels[1].name, "add_f32");
}

TEST(Manifest, AMistakeShowsItsLine) {
  EXPECT_EQ(render({{"pack.toml", 2, 8}, "it is wrong"}, "[a]\n\tname = 3\n"),
            "pack.toml:2:8: error: it is wrong\n  \tname = 3\n  \t      ^");
  EXPECT_EQ(render({{"", 0, 0}, "it is wrong"}), "error: it is wrong");
}

TEST(Manifest, Literals) {
  EXPECT_EQ(pythonString("it's\n"), "'it\\'s\\n'");
  EXPECT_EQ(pythonFloat(0.1), "0.1");
  EXPECT_EQ(pythonFloat(2), "2.0");
  EXPECT_EQ(pythonFloat(-1e300), "-1e+300");
  EXPECT_EQ(pythonFloat(1.0 / 3), "0.3333333333333333");
}

//===-- Mistakes ----------------------------------------------------------===//

struct Mistake {
  const char *name, *from, *to, *expected;
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, IsLocatedAndExplained) {
  EXPECT_EQ(changed(GetParam().from, GetParam().to), GetParam().expected);
}

// What is replaced in the good manifest above, by what, and what is then said.
const Mistake kMistakes[] = {
#include "manifest-mistakes.def"
};

INSTANTIATE_TEST_SUITE_P(Manifest, Mistakes, ::testing::ValuesIn(kMistakes),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

//===-- Types -------------------------------------------------------------===//

TEST(SignatureType, Spellings) {
  auto text = [](const char *given) {
    Result<SignatureType> type = parseSignatureType(given);
    return type ? type->text + (type->hint ? concat(":", type->hint) : "")
                : type.message();
  };
  EXPECT_EQ(text("*fp16"), "*fp16");
  EXPECT_EQ(text(" *fp16 : 16 "), "*fp16:16");
  EXPECT_EQ(text("*kfp8e4nv"), "*kfp8e4nv");
  EXPECT_EQ(text("B"), "i1");
  EXPECT_EQ(text("u1"), "u1");
  EXPECT_EQ(text("i32:1"), "i32:1");
  EXPECT_EQ(text("tensordesc<fp16[128, 64]>"), "tensordesc<fp16[128,64]>");
  EXPECT_EQ(text("float32"), "unknown scalar type 'float32'; did you mean "
                             "'fp32'?");
  EXPECT_EQ(text("fp61"), "unknown scalar type 'fp61'; did you mean 'fp16'?");
  EXPECT_EQ(text("**fp32"),
            "type '**fp32' is a pointer to a pointer, which no kernel "
            "parameter may be; pass an integer address ('*i64') and cast in "
            "the kernel");
  EXPECT_EQ(text("*fp32:8"), "unknown hint ':8' in type '*fp32:8'; allowed: "
                             "':16' (divisible by 16) and ':1' (equal to 1)");
  EXPECT_EQ(text("*fp32:1"), "hint ':1' in type '*fp32:1' is for integers; a "
                             "pointer can only be ':16'");
  EXPECT_EQ(text("fp32:16"),
            "hint ':16' in type 'fp32:16' is for pointers and integers");
  EXPECT_EQ(text("tensordesc<fp16[100]>"),
            "type 'tensordesc<fp16[100]>': a descriptor's block sizes are "
            "powers of two; found 100");
  EXPECT_EQ(text("tensordesc<fp16>"),
            "type 'tensordesc<fp16>' is not a tensor descriptor; write for "
            "example 'tensordesc<fp16[128,64]>'");
  EXPECT_EQ(text("tensordesc<fp16[a]>"),
            "type 'tensordesc<fp16[a]>': a descriptor's block shape is a list "
            "of numbers, such as [128,64]; found '[a]'");
  EXPECT_EQ(text("tensordesc<fp16[2,2,2,2,2,2]>"),
            "type 'tensordesc<fp16[2,2,2,2,2,2]>': a descriptor has at most 5 "
            "dimensions; found 6");
  EXPECT_EQ(text(""), "type '' names no scalar type; write for example "
                      "'*fp16', 'i32' or 'tensordesc<fp16[128,64]>'");
}

} // namespace
