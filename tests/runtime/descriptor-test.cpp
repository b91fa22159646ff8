// Descriptors, tensor maps, scratch and DLPack tensors in bound calls, on the
// null driver.

#include "TestPack.h"

using namespace runtimetest;

namespace {

/// desc: a 2-D fp16 tensor. Variant 0 wants a tensor map, variant 1 does not.
Kernel descriptorKernel() {
  Kernel kernel;
  kernel.name = "tile";
  kernel.params = {param("desc", "tensordesc<fp16[128,64]>"),
                   param("n", "i32")};
  Config config;
  config.grid = {axis({{0 * 8 + 0, GridOp::PushDim},
                       {128, GridOp::PushConst},
                       {0, GridOp::CDiv}},
                      "cdiv(desc.shape[0], 128)")};
  kernel.configs = {config};
  Variant plain;
  plain.target = "sm_90a";
  plain.symbol = "tile";
  plain.image = makeBytes("image");
  plain.paramSize = 64;
  plain.fields = {
      {0, 0, 8, 0, Field::Kind::Value},   {0, 8, 4, 0, Field::Kind::Shape},
      {0, 12, 4, 1, Field::Kind::Shape},  {0, 16, 8, 0, Field::Kind::Stride},
      {0, 24, 8, 1, Field::Kind::Stride}, {1, 32, 4, 0, Field::Kind::Value},
      {0, 40, 8, 0, Field::Kind::Scratch}};
  plain.scratchSize = 100;
  plain.scratchAlign = 128;
  Variant tma = plain;
  tma.symbol = "tile_tma";
  tma.paramSize = 192;
  tma.scratchSize = 0;
  tma.fields = {{0, 64, 128, 0, Field::Kind::TensorMap},
                {1, 0, 4, 0, Field::Kind::Value}};
  tma.tensorMaps = {{0, 6, 3, 0, 2, 0, {64, 128}}};
  kernel.variants = {tma, plain};
  return kernel;
}

TEST(Descriptor, FillsBaseShapeAndStrides) {
  Kernel kernel = descriptorKernel();
  kernel.variants.erase(kernel.variants.begin());
  kernel.variants[0].scratchSize = 0;
  Opened o("null:sm_90a", write({kernel}), "tile");
  nereid::Call call = o.call();
  int64_t shape[2] = {300, 70}, strides[2] = {80, 1};
  call.setDescriptor(0, address(0x7000), shape, strides).check();
  call.set(1, 5).check();
  call.bind().check();
  EXPECT_EQ(parameter<uint64_t>(call, 0), 0x7000u);
  EXPECT_EQ(parameter<int32_t>(call, 8), 300);
  EXPECT_EQ(parameter<int32_t>(call, 12), 70);
  EXPECT_EQ(parameter<int64_t>(call, 16), 80);
  EXPECT_EQ(parameter<int64_t>(call, 24), 1);
  uint32_t grid[3];
  nrd_call_grid(call.get(), grid);
  EXPECT_EQ(grid[0], 3u);
  shape[0] = 512;
  call.setDescriptor(0, address(0x7000), shape).check(); // contiguous
  call.bind().check();
  EXPECT_EQ(parameter<int64_t>(call, 16), 70);
  nrd_call_grid(call.get(), grid);
  EXPECT_EQ(grid[0], 4u);
  shape[1] = -1;
  EXPECT_FAILS(call.setDescriptor(0, address(0x7000), shape),
               NRD_INVALID_ARGUMENT, "dimension 1 has -1 elements");
}

TEST(Descriptor, TensorMapsAreEncodedCachedAndRePointed) {
  Opened o("null:sm_90a", write({descriptorKernel()}), "tile");
  nereid::Call call = o.call();
  int64_t shape[2] = {300, 72};
  call.setDescriptor(0, address(0x7000), shape).check();
  call.set(1, 5).check();
  call.bind().check();
  EXPECT_STREQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->symbol,
               "tile_tma");
  EXPECT_EQ(parameter<uint64_t>(call, 64), 0x7000u);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 16), 300);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 0);
  // The same tensor again: nothing to do.
  call.setDescriptor(0, address(0x7000), shape).check();
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 0);
  // Another base: re-pointed, not encoded anew.
  call.setDescriptor(0, address(0x9000), shape).check();
  call.bind().check();
  EXPECT_EQ(parameter<uint64_t>(call, 64), 0x9000u);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 1);
  // Another shape: encoded anew.
  shape[0] = 400;
  call.setDescriptor(0, address(0x9000), shape).check();
  call.bind().check();
  EXPECT_EQ(parameter<int64_t>(call, 64 + 16), 400);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 0);
}

TEST(Descriptor, FallsBackWhereATensorMapIsNotPossible) {
  Opened o("null:sm_90a", write({descriptorKernel()}), "tile");
  struct Row {
    uint64_t base;
    int64_t shape[2], strides[2];
    bool fits;
  };
  const Row rows[] = {
      {0x7000, {300, 72}, {72, 1}, true},
      {0x7008, {300, 72}, {72, 1}, false},
      {0x7000, {300, 70}, {70, 1}, false},
      {0x7000, {300, 72}, {1, 300}, false},
      {0x7000, {0, 72}, {72, 1}, false},
      {0x7000, {300, 72}, {-72, 1}, false},
      {0x7000, {300, 72}, {INT64_C(1) << 62, 1}, false},
      {0, {300, 72}, {72, 1}, false},
  };
  for (const Row &row : rows) {
    nereid::Call call = o.call();
    call.setDescriptor(0, address(row.base), row.shape, row.strides).check();
    call.set(1, 5).check();
    call.bind().check();
    EXPECT_STREQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->symbol,
                 row.fits ? "tile_tma" : "tile")
        << row.base << " " << row.shape[0] << "x" << row.shape[1];
  }
  nereid::Call call = o.call();
  int64_t shape[2] = {300, 70};
  call.setDescriptor(0, address(0x7000), shape).check();
  call.set(1, 5).check();
  call.bind().check();
  EXPECT_NE(call.explain().find("needs desc to suit a tensor map"),
            std::string::npos)
      << call.explain();
}

/// p: an array of M x K halves, rows K apart. Variant 0 wants a tensor map of
/// it, variant 1 does not.
Kernel pointerMapKernel() {
  Kernel kernel;
  kernel.name = "tile";
  kernel.params = {param("p", "*fp16"), param("M", "i32"), param("K", "i32")};
  Config config;
  config.grid = {axis({{1, GridOp::PushConst}}, "1")};
  kernel.configs = {config};
  Variant plain;
  plain.target = "sm_90a";
  plain.symbol = "tile";
  plain.image = makeBytes("image");
  plain.paramSize = 16;
  plain.fields = {{0, 0, 8, 0, Field::Kind::Value},
                  {1, 8, 4, 0, Field::Kind::Value},
                  {2, 12, 4, 0, Field::Kind::Value}};
  Variant tma = plain;
  tma.symbol = "tile_tma";
  tma.paramSize = 192;
  tma.fields.push_back({0, 64, 128, 0, Field::Kind::TensorMap});
  GridAxis m = axis({{1, GridOp::PushSlot}}, "M");
  GridAxis k = axis({{2, GridOp::PushSlot}}, "K");
  GridAxis one = axis({{1, GridOp::PushConst}}, "1");
  tma.tensorMaps = {{0, 6, 3, 0, 2, 0, {64, 128}, {m, k}, {k, one}}};
  kernel.variants = {tma, plain};
  return kernel;
}

TEST(PointerMap, IsEncodedFromOtherArguments) {
  Opened o("null:sm_90a", write({pointerMapKernel()}), "tile");
  nereid::Call call = o.call();
  auto symbol = [&] {
    call.bind().check();
    return std::string(
        nrd_kernel_variant(o.kernel.get(), variantOf(call))->symbol);
  };
  // In any order of setting.
  call.set(2, 72).check();
  call.set(0, address(0x7000)).check();
  call.set(1, 300).check();
  EXPECT_EQ(symbol(), "tile_tma");
  EXPECT_EQ(parameter<uint64_t>(call, 64), 0x7000u);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 16), 300);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 0);
  // Another base: re-pointed. Another size: encoded anew.
  call.set(0, address(0x9000)).check();
  EXPECT_EQ(symbol(), "tile_tma");
  EXPECT_EQ(parameter<uint64_t>(call, 64), 0x9000u);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 1);
  call.set(1, 400).check();
  EXPECT_EQ(symbol(), "tile_tma");
  EXPECT_EQ(parameter<int64_t>(call, 64 + 16), 400);
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 0);
  // Rows that are not whole multiples of 16 bytes, a base that is not, nothing
  // to describe: the other variant, and back.
  call.set(2, 70).check();
  EXPECT_EQ(symbol(), "tile");
  EXPECT_NE(call.explain().find("needs p to suit a tensor map"),
            std::string::npos)
      << call.explain();
  EXPECT_NE(call.explain().find("(extents M, K; strides K, 1)"),
            std::string::npos)
      << call.explain();
  call.set(2, 80).check();
  EXPECT_EQ(symbol(), "tile_tma");
  EXPECT_EQ(parameter<int64_t>(call, 64 + 120), 0);
  call.set(0, address(0x9008)).check();
  EXPECT_EQ(symbol(), "tile");
  call.set(0, address(0x9000)).check();
  call.set(1, 0).check();
  EXPECT_EQ(symbol(), "tile");
  call.set(1, -5).check();
  EXPECT_EQ(symbol(), "tile");
}

// A program without a value is a map that is not possible.
TEST(PointerMap, ProgramsThatFailFallBack) {
  Kernel kernel = pointerMapKernel();
  kernel.variants[0].tensorMaps[0].shape[0] =
      axis({{8, GridOp::PushConst}, {1, GridOp::PushSlot}, {0, GridOp::Div}},
           "8 // M");
  Opened o("null:sm_90a", write({kernel}), "tile");
  nereid::Call call = o.call();
  call.set(0, address(0x7000)).check();
  call.set(1, 0).check();
  call.set(2, 64).check();
  call.bind().check();
  EXPECT_STREQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->symbol,
               "tile");
  call.set(1, 2).check();
  call.bind().check();
  EXPECT_STREQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->symbol,
               "tile_tma");
  EXPECT_EQ(parameter<int64_t>(call, 64 + 16), 4);
}

struct ScratchCounter {
  int allocations = 0, releases = 0;
  size_t size = 0, alignment = 0;
  bool refuse = false;
  static void *allocate(void *context, size_t size, size_t alignment) {
    auto *self = static_cast<ScratchCounter *>(context);
    if (self->refuse)
      return nullptr;
    ++self->allocations;
    self->size = size;
    self->alignment = alignment;
    return aligned_alloc(alignment,
                         (size + alignment - 1) / alignment * alignment);
  }
  static void release(void *context, void *pointer, size_t) {
    ++static_cast<ScratchCounter *>(context)->releases;
    free(pointer);
  }
};

TEST(Scratch, ComesFromTheCallback) {
  Kernel kernel = descriptorKernel();
  kernel.variants.erase(kernel.variants.begin());
  std::string bytes = write({kernel});
  ScratchCounter counter;
  nrd_scratch_allocator_t allocator = {ScratchCounter::allocate,
                                       ScratchCounter::release, &counter};
  nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
  options.scratch = &allocator;
  Device device = Device::open("null:sm_90a", options).value();
  {
    auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
    auto k = pack.find("tile", device).value();
    nereid::Call call = nereid::Call::create(k.get()).value();
    int64_t shape[2] = {300, 70};
    call.setDescriptor(0, address(0x7000), shape).check();
    call.set(1, 5).check();
    call.bind().check();
    EXPECT_EQ(counter.size, 3u * 128) << "100 bytes at 128 for 3 programs";
    EXPECT_EQ(counter.alignment, 256u);
    EXPECT_NE(parameter<void *>(call, 40), nullptr);
    size_t size = 0;
    ASSERT_EQ(nrd_call_scratch_size(call.get(), &size), NRD_OK);
    EXPECT_EQ(size, 3u * 128);
    shape[0] = 200; // a smaller grid: kept
    call.setDescriptor(0, address(0x7000), shape).check();
    call.launch().check();
    EXPECT_EQ(counter.allocations, 1);
    shape[0] = 2000; // a larger one: replaced
    call.setDescriptor(0, address(0x7000), shape).check();
    call.launch().check();
    EXPECT_EQ(counter.allocations, 2);
    EXPECT_EQ(counter.releases, 1);
    counter.refuse = true;
    shape[0] = 20000;
    call.setDescriptor(0, address(0x7000), shape).check();
    EXPECT_FAILS(call.launch(), NRD_OUT_OF_MEMORY,
                 "the scratch allocator gave no");
  }
  EXPECT_EQ(counter.releases, 2);
}

TEST(Scratch, CanBeTheCallersOwn) {
  Kernel kernel = descriptorKernel();
  kernel.variants.erase(kernel.variants.begin());
  Opened o("null:sm_90a", write({kernel}), "tile");
  nereid::Call call = o.call();
  int64_t shape[2] = {300, 70};
  call.setDescriptor(0, address(0x7000), shape).check();
  call.set(1, 5).check();
  ASSERT_EQ(nrd_call_set_scratch(call.get(), address(0x8000), 300), NRD_OK);
  EXPECT_FAILS(call.bind(), NRD_INVALID_ARGUMENT,
               "needs 384 bytes of scratch for this grid and was given 300");
  ASSERT_EQ(nrd_call_set_scratch(call.get(), address(0x8000), 384), NRD_OK);
  call.bind().check();
  EXPECT_EQ(parameter<uint64_t>(call, 40), 0x8000u);
  ASSERT_EQ(nrd_call_set_scratch(call.get(), nullptr, 0), NRD_OK);
  call.bind().check();
  EXPECT_NE(parameter<uint64_t>(call, 40), 0x8000u);
  EXPECT_FAILS(nrd_call_set_scratch(call.get(), address(0x8001), 384),
               NRD_INVALID_ARGUMENT, "multiple of 256");
}

/// DLTensor as dlpack.h has it.
struct Tensor {
  void *data;
  int32_t deviceType, deviceId, rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byteOffset;
};

TEST(DLPack, TensorsAreArguments) {
  Kernel kernel = descriptorKernel();
  kernel.variants.erase(kernel.variants.begin());
  Opened o("null:sm_90a", write({kernel, addKernel("add", {"sm_90a"})}),
           "tile");
  int64_t shape[2] = {300, 70}, strides[2] = {80, 1};
  Tensor tensor = {address(0x7000), 2, 0, 2, 2, 16, 1, shape, strides, 64};
  nereid::Call call = o.call();
  call.setDLPack(0, &tensor).check();
  call.set(1, 5).check();
  call.bind().check();
  EXPECT_EQ(parameter<uint64_t>(call, 0), 0x7040u);
  EXPECT_EQ(parameter<int64_t>(call, 16), 80);
  tensor.strides = nullptr;
  call.setDLPack(0, &tensor).check();
  call.bind().check();
  EXPECT_EQ(parameter<int64_t>(call, 16), 70);
  tensor.rank = 3;
  EXPECT_FAILS(call.setDLPack(0, &tensor), NRD_INVALID_ARGUMENT,
               "has 2 dimensions and the tensor 3");
  tensor.rank = 2;
  tensor.bits = 32;
  EXPECT_FAILS(call.setDLPack(0, &tensor), NRD_INVALID_ARGUMENT,
               "'desc' is tensordesc<fp16[128,64]>, and the tensor's elements "
               "have DLPack code 2, 32 bits, 1 lanes");
  EXPECT_FAILS(call.setDLPack(1, &tensor), NRD_INVALID_ARGUMENT,
               "does not take a tensor");

  auto add = o.pack.find("add", o.device).value();
  nereid::Call addCall = nereid::Call::create(add.get()).value();
  EXPECT_TRUE(addCall.setDLPack(0, &tensor).ok()) << "fp32 for *kfp32";
}

} // namespace
