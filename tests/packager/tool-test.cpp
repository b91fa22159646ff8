//===- tool-test.cpp - The parts of the nereid tool -----------------------===//

#include "TinyElf.h"
#include "nereid/runtime.h"
#include "packager/Elf.h"
#include "packager/File.h"
#include "packager/tools/Console.h"
#include "packager/tools/Dtype.h"
#include "packager/tools/Json.h"
#include "packager/tools/Npy.h"
#include "packager/tools/SignatureText.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace nereid;
using namespace nereid::pack;
using namespace nereid::tool;

namespace {

//===-- Element types -----------------------------------------------------===//

uint32_t code(const char *type, double value) {
  uint32_t bits = 0;
  encode(*findScalar(type), value, reinterpret_cast<char *>(&bits));
  return bits;
}
double value(const char *type, uint32_t bits) {
  return decode(*findScalar(type), reinterpret_cast<char *>(&bits));
}

TEST(Dtype, KnownCodes) {
  EXPECT_EQ(code("fp16", 1), 0x3c00u);
  EXPECT_EQ(code("fp16", -2), 0xc000u);
  EXPECT_EQ(code("fp16", 65504), 0x7bffu);
  EXPECT_EQ(code("fp16", 65519.9), 0x7bffu);
  EXPECT_EQ(code("fp16", 65520), 0x7c00u);
  EXPECT_EQ(code("fp16", INFINITY), 0x7c00u);
  EXPECT_EQ(code("fp16", 5.960464477539063e-08), 0x0001u);
  EXPECT_EQ(code("fp16", 2.98e-08), 0x0000u);
  EXPECT_EQ(code("bf16", 1), 0x3f80u);
  EXPECT_EQ(code("bf16", 1.00390625), 0x3f80u); // a tie goes to even
  EXPECT_EQ(code("bf16", 1.01171875), 0x3f82u);
  EXPECT_EQ(code("fp8e4nv", 448), 0x7eu);
  EXPECT_EQ(code("fp8e4nv", 1000), 0x7eu); // no infinity: saturates
  EXPECT_EQ(code("fp8e5", 57344), 0x7bu);
  EXPECT_EQ(code("fp8e5", 1e6), 0x7cu);
  EXPECT_EQ(code("fp8e4b8", 240), 0x7fu);
  EXPECT_EQ(code("fp8e4b8", -0.0), 0x00u); // its only zero has no sign
  EXPECT_EQ(code("fp8e4b8", NAN), 0x80u);
  EXPECT_EQ(code("i8", -1), 0xffu);
  EXPECT_EQ(code("u16", 65535), 0xffffu);
  EXPECT_EQ(code("i1", 3), 1u);
  EXPECT_TRUE(std::isnan(value("fp8e4nv", 0x7f)));
  EXPECT_EQ(value("i16", 0x8000), -32768);
}

// Each code of each small type survives the way there and back.
TEST(Dtype, EveryCodeRoundTrips) {
  for (const char *type :
       {"fp16", "bf16", "fp8e5", "fp8e4nv", "fp8e4b8", "fp8e5b16", "fp8e4b15"})
    for (uint32_t bits = 0; bits < (1u << findScalar(type)->bits); ++bits) {
      double v = value(type, bits);
      if (std::isnan(v))
        EXPECT_TRUE(std::isnan(value(type, code(type, v)))) << type << bits;
      else
        ASSERT_EQ(code(type, v), bits) << type;
    }
}

//===-- .npy --------------------------------------------------------------===//

class Npy : public ::testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/nereid-npy-XXXXXX";
    ::close(::mkstemp(name));
    path = name;
  }
  void TearDown() override { ::unlink(path.c_str()); }
  std::string wrong(const std::string &bytes, const char *type = "fp32") {
    EXPECT_TRUE(writeFile(path, bytes));
    std::string message = readNpy(path, *findScalar(type)).message();
    size_t at = message.find(path);
    return at == std::string::npos ? message
                                   : message.replace(at, path.size(), "x.npy");
  }
  static std::string file(const std::string &header, size_t data) {
    std::string text("\x93NUMPY\x01\x00", 8);
    text += static_cast<char>(header.size());
    text += '\0';
    return text + header + std::string(data, '\0');
  }
  std::string path;
};

TEST_F(Npy, EveryTypeRoundTrips) {
  for (const std::string &name : scalarNames())
    for (std::vector<uint64_t> shape :
         {std::vector<uint64_t>{}, {3}, {2, 3}, {2, 0, 4}}) {
      Array array;
      array.type = findScalar(name);
      array.shape = shape;
      array.bytes.assign(array.count() * elementSize(*array.type), '\1');
      ASSERT_TRUE(writeNpy(path, array));
      Result<Array> read = readNpy(path, *array.type);
      ASSERT_TRUE(read) << read.message();
      EXPECT_EQ(read->shape, shape) << name;
      EXPECT_EQ(read->bytes, array.bytes) << name;
    }
}

TEST_F(Npy, MistakesAreNamed) {
  EXPECT_EQ(wrong("hello"), "'x.npy': this is no .npy file");
  EXPECT_EQ(wrong(std::string("\x93NUMPY\x09\x00\x00\x00", 10)),
            "'x.npy': .npy version 9 is not known; 1 to 3 are");
  EXPECT_EQ(wrong(std::string("\x93NUMPY\x01\x00\xff\x00", 10)),
            "'x.npy': the file ends inside its header");
  EXPECT_EQ(wrong(file("{'descr': '<f8', 'fortran_order': False, 'shape': "
                       "(2,), }",
                       16)),
            "'x.npy': it holds dtype '<f8', but the kernel takes fp32, which "
            "is 'f4' in NumPy; convert it before");
  EXPECT_EQ(wrong(file("{'descr': '>f4', 'fortran_order': False, 'shape': "
                       "(2,), }",
                       8)),
            "'x.npy': it is big-endian; save it with .astype('<f4')");
  EXPECT_EQ(wrong(file("{'descr': '<f4', 'fortran_order': True, 'shape': "
                       "(2,), }",
                       8)),
            "'x.npy': it is in Fortran order; save "
            "numpy.ascontiguousarray(x)");
  EXPECT_EQ(wrong(file("{'descr': '<f4', 'fortran_order': False, 'shape': "
                       "(3,), }",
                       8)),
            "'x.npy': it holds 8 bytes of data, its shape says 3 elements");
  EXPECT_EQ(wrong(file("{'descr': '<f4', 'fortran_order': False, 'shape': "
                       "(4294967296, 4294967296), }",
                       8)),
            "'x.npy': its shape is too large");
  EXPECT_EQ(wrong(file("{'descr': [('a', '<f4')], }", 8)),
            "'x.npy': structured arrays are not supported; found dtype [('a'");
}

// bf16 comes as what NumPy has for it.
TEST_F(Npy, SmallFloatsAreTakenAsRawBytes) {
  for (const char *descr : {"<u2", "<V2", "<i2"})
    EXPECT_EQ(wrong(file(std::string("{'descr': '") + descr +
                             "', 'fortran_order': False, 'shape': (2,), }",
                         4),
                    "bf16"),
              "");
}

//===-- Signatures --------------------------------------------------------===//

TEST(SignatureText, PiecesKeepBracketsTogether) {
  auto pieces =
      splitOutside("a=tensordesc<fp16[128, 64]>, b=(1, 2), c='x,y'", ',');
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(trim(pieces[1].second), "b=(1, 2)");
  EXPECT_EQ(trim(pieces[2].second), "c='x,y'");
}

TEST(SignatureText, LiteralsAreRecognised) {
  using Kind = ManifestConstant::Kind;
  EXPECT_EQ(pythonConstant("x", " 1_000 ").integer, 1000);
  EXPECT_EQ(pythonConstant("x", "-5").integer, -5);
  EXPECT_EQ(pythonConstant("x", "0x10").integer, 16);
  EXPECT_EQ(pythonConstant("x", "1e-5").kind, Kind::Float);
  EXPECT_EQ(pythonConstant("x", "True").kind, Kind::Bool);
  EXPECT_EQ(pythonConstant("x", "None").kind, Kind::None);
  EXPECT_EQ(pythonConstant("x", "'a'").kind, Kind::String);
  EXPECT_EQ(pythonConstant("x", "tl.float16").kind, Kind::Other);
  EXPECT_EQ(pythonConstant("x", "99999999999999999999").kind, Kind::Float);
}

//===-- CPU images --------------------------------------------------------===//

std::string imageProblem(TinyElfOptions options,
                         const std::string &symbol = "add") {
  return checkCpuImage(tinyElf("add", "data", options), "x86-64-v3", symbol)
      .message();
}

TEST(Elf, PromisesAreChecked) {
  EXPECT_EQ(imageProblem({}), "");
  EXPECT_EQ(imageProblem({}, "sub"),
            "the image does not export its entry point 'sub'");
  EXPECT_EQ(imageProblem({"memcpy"}), "");
  EXPECT_EQ(imageProblem({"expf"}),
            "the image imports 'expf'; a kernel may import memcpy, memmove, "
            "memset, memcmp only");
  EXPECT_EQ(imageProblem({"", true}),
            "the image needs another library; a kernel may need none");
  EXPECT_EQ(imageProblem({"", false, true}),
            "the image runs code when it is loaded or unloaded, which a kernel "
            "may not");
  EXPECT_EQ(imageProblem({"", false, false, true}),
            "the image has thread-local storage, which a kernel may not have");
  EXPECT_EQ(imageProblem({"", false, false, false, R_X86_64_RELATIVE}), "");
  EXPECT_EQ(imageProblem({"", false, false, false, R_X86_64_COPY}),
            "the image has a relocation of type 5, which the loader does not "
            "know");
  EXPECT_EQ(imageProblem({"", false, false, false, 0, EM_AARCH64}),
            "the image is for ELF machine 183, but its target x86-64-v3 is "
            "machine 62");
  EXPECT_EQ(checkCpuImage("hello", "x86-64-v3", "add").message(),
            "the image is no ELF file");
}

// Damage of any byte is refused or harmless, never a crash.
TEST(Elf, DamageNeverCrashes) {
  std::string image = tinyElf(
      "add", "data", {"memcpy", false, false, false, R_X86_64_RELATIVE});
  for (size_t i = 0; i < image.size(); ++i)
    for (int mask : {0x01, 0x80, 0xff}) {
      std::string damaged = image;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      (void)checkCpuImage(damaged, "x86-64-v3", "add");
    }
  for (size_t size = 0; size < image.size(); ++size)
    (void)checkCpuImage(image.substr(0, size), "x86-64-v3", "add");
}

//===-- The runtime -------------------------------------------------------===//

// What this library writes, the runtime's own reader reads: the golden pack has
// every field there is.
TEST(Runtime, ReadsTheGoldenPack) {
  nrd_pack_t *pack = nullptr;
  nrd_device_t *device = nullptr;
  const nrd_kernel_t *kernel = nullptr;
  ASSERT_EQ(nrd_pack_open_file("golden/v1/sample.nrd", nullptr, &pack), NRD_OK)
      << nrd_error_message();
  ASSERT_EQ(nrd_device_open("null:sm_90a", &device), NRD_OK);
  ASSERT_EQ(nrd_kernel_find(pack, device, "matmul_bf16", &kernel), NRD_OK)
      << nrd_error_message();
  ASSERT_EQ(nrd_kernel_slot_count(kernel), 5u);
  EXPECT_STREQ(nrd_kernel_slot(kernel, 3)->type, "tensordesc<fp16[128,64]>");
  EXPECT_STREQ(nrd_kernel_slot(kernel, 0)->doc, "the left matrix");
  EXPECT_EQ(nrd_kernel_slot(kernel, 4)->constant, 1);
  ASSERT_EQ(nrd_kernel_variant_count(kernel), 3u);
  // The runtime adds what encoding the tensor map asks for.
  EXPECT_GE(nrd_kernel_variant(kernel, 0)->predicate_count, 2u);
  EXPECT_EQ(nrd_kernel_variant(kernel, 0)->registers, 168u);
  EXPECT_EQ(nrd_kernel_preload(kernel), NRD_OK) << nrd_error_message();
  nrd_pack_close(pack);
  nrd_device_close(device);
}

//===-- Output ------------------------------------------------------------===//

TEST(Json, NestsAndEscapes) {
  Json json;
  json.object([&] {
    json.member("text", "a\"b\\c\n");
    json.member("number", 0.1);
    json.member("none", std::vector<std::string>{});
    json.arrayMember("list", [&] {
      json.value(1);
      json.object([&] {});
    });
  });
  EXPECT_EQ(json.take(), "{\n  \"text\": \"a\\\"b\\\\c\\u000a\",\n"
                         "  \"number\": 0.1,\n  \"none\": [],\n"
                         "  \"list\": [\n    1,\n    {}\n  ]\n}\n");
}

TEST(Console, Sizes) {
  EXPECT_EQ(sizeText(512), "512 B");
  EXPECT_EQ(sizeText(3500), "3.4 KiB");
  EXPECT_EQ(sizeText(123456), "121 KiB");
  EXPECT_EQ(sizeText(12345678), "11.8 MiB");
}

TEST(File, IsWrittenWholeOrNotAtAll) {
  char name[] = "/tmp/nereid-file-XXXXXX";
  std::string folder = ::mkdtemp(name);
  std::string path = folder + "/x";
  ASSERT_TRUE(writeFile(path, "one"));
  ASSERT_TRUE(writeFile(path, "two"));
  EXPECT_EQ(*readFile(path), "two");
  EXPECT_FALSE(writeFile(folder + "/none/x", "three"));
  EXPECT_EQ(writeFile(folder, "x").message(),
            "cannot write '" + folder + "': it is a folder");
  ::unlink(path.c_str());
  // Nothing else was left behind.
  EXPECT_EQ(::rmdir(folder.c_str()), 0);
}

} // namespace
