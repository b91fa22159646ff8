//===- header-test.cpp - Generated headers --------------------------------===//
//
// That they compile and work is cli/header.test's to show; here are the cases
// that a pack rarely has.
//
//===----------------------------------------------------------------------===//

#include "SamplePack.h"
#include "packager/HeaderGen.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace nereid::pack;

namespace {

std::string header(const Pack &pack, HeaderOptions options = {}) {
  options.packFile = "k.nrd";
  options.headerName = "k.h";
  Result<std::string> text = generateHeader(pack, options);
  return text ? *text : text.message();
}

Pack oneKernel(std::vector<std::pair<const char *, const char *>> params) {
  Pack pack = samplePack();
  pack.kernels.resize(1);
  Kernel &kernel = pack.kernels[0];
  kernel.name = "k";
  kernel.params.clear();
  for (auto [name, type] : params)
    kernel.params.push_back(*makeParam(name, type));
  kernel.configs[0].grid.clear();
  return pack;
}

// Whether the header compiles without a warning as C and C++.
bool compiles(const Pack &pack, bool embed = false) {
  HeaderOptions options;
  options.embed = embed;
  char name[] = "/tmp/nereid-header-XXXXXX";
  std::string folder = ::mkdtemp(name);
  std::ofstream(folder + "/k.h") << header(pack, options);
  std::ofstream(folder + "/k.c") << "#include \"k.h\"\nextern int x;\n";
  bool good = true;
  for (const char *compiler : {"cc -std=c11", "c++ -x c++ -std=c++17"}) {
    std::string command =
        std::string(compiler) +
        " -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I../../include "
        "-I" +
        folder + " " + folder + "/k.c";
    good &= std::system(command.c_str()) == 0;
  }
  ::unlink((folder + "/k.h").c_str());
  ::unlink((folder + "/k.c").c_str());
  ::rmdir(folder.c_str());
  return good;
}

TEST(Header, EveryFieldOfASamplePack) {
  EXPECT_TRUE(compiles(samplePack()));
  EXPECT_TRUE(compiles(samplePack(), true));
}

TEST(Header, EveryScalarType) {
  EXPECT_TRUE(compiles(oneKernel({{"a", "i1"},
                                  {"b", "i8"},
                                  {"c", "u16"},
                                  {"d", "u32"},
                                  {"e", "i64"},
                                  {"f", "u64"},
                                  {"g", "fp16"},
                                  {"h", "bf16"},
                                  {"i", "fp32"},
                                  {"j", "fp64"},
                                  {"k", "fp8e5"},
                                  {"l", "*kfp8e4nv"},
                                  {"m", "*i1"},
                                  {"n", "tensordesc<bf16[64,64]>"}})));
}

// Python allows as names what C and C++ do not.
TEST(Header, KeywordsAsParameterNames) {
  EXPECT_TRUE(compiles(oneKernel({{"int", "i32"},
                                  {"class", "*fp32"},
                                  {"stream", "*fp32"},
                                  {"call", "i32"},
                                  {"kernels", "i32"},
                                  {"_Reserved", "i32"},
                                  {"__x", "i32"},
                                  {"new", "fp32"},
                                  {"grid_x", "i32"},
                                  {"linux", "i32"}})));
}

TEST(Header, NoParameters) { EXPECT_TRUE(compiles(oneKernel({}))); }

TEST(Header, HostileCommentsStayComments) {
  Pack pack = oneKernel({{"a", "i32"}});
  pack.kernels[0].doc = "evil \\\nint x; */ \\";
  pack.kernels[0].source = "a\nb.py\\";
  pack.kernels[0].params[0].doc = "line\nline \\";
  EXPECT_TRUE(compiles(pack));
}

TEST(Header, KernelsCalledAsTheClassesMembers) {
  Pack pack = oneKernel({{"a", "i32"}});
  pack.kernels[0].name = "get";
  EXPECT_TRUE(compiles(pack));
}

TEST(Header, NamesThatCollideAreRefused) {
  Pack pack = oneKernel({{"x_ptr", "i32"}});
  pack.kernels.push_back(pack.kernels[0]);
  pack.kernels[1].name = "k_x";
  pack.kernels[1].params[0].name = "ptr";
  EXPECT_EQ(header(pack), "the C name SAMPLE_K_X_PTR would be made for kernel "
                          "'k' and for kernel 'k_x'; rename one of them");
  EXPECT_EQ(header(oneKernel({{"m", "i32"}, {"M", "i32"}})),
            "the C name SAMPLE_K_M would be made for kernel 'k' and for "
            "another of its parameters; rename one of them");
  HeaderOptions options;
  options.prefix = "9x";
  EXPECT_EQ(header(samplePack(), options),
            "the prefix '9x' cannot begin a C name; choose another with "
            "--prefix");
  pack = oneKernel({{"größe", "i32"}});
  EXPECT_EQ(header(pack), "kernel 'k': the parameter's name 'größe' cannot be "
                          "a C name");
}

} // namespace
