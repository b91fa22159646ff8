// Recipes of tensor maps that were damaged or made to do harm: every field at
// its extremes, and programs that cannot be evaluated.

#include "TestPack.h"

#include "nereid/archive_generated.h"
#include "tests/packager/SamplePack.h"

extern "C" {
#include "runtime/grid.h"
#include "runtime/schema.h"
}

using namespace runtimetest;

namespace {

/// The recipes' pack, changed at a place that the generated reader finds.
class Recipes : public testing::Test {
protected:
  void SetUp() override {
    good = write({recipeKernel("gather", 4)});
    buffer = kernelBuffer(good);
    uint64_t directory = load<uint64_t>(good, header::DirectoryOffset);
    base = load<uint64_t>(good, directory + 8);
    auto *kernel = flatbuffers::GetRoot<nereid::archive::Kernel>(buffer.data());
    maps = kernel->variants()->Get(0)->tensor_maps();
    ASSERT_EQ(maps->size(), 3u);
  }

  /// Where something inside |buffer| stands in the file.
  size_t place(const void *inside) const {
    return base + size_t(static_cast<const char *>(inside) - buffer.data());
  }
  size_t field(uint32_t map, flatbuffers::voffset_t field) const {
    const uint8_t *at =
        reinterpret_cast<const flatbuffers::Table *>(maps->Get(map))
            ->GetAddressOf(field);
    EXPECT_NE(at, nullptr) << "it has its default value";
    return place(at);
  }
  const nereid::archive::GridStep *step(uint32_t map, uint32_t axis,
                                        uint32_t step) const {
    return maps->Get(map)->shape()->Get(axis)->steps()->Get(step);
  }

  /// Binds it with arguments that suit every map, and says which variant was
  /// taken.
  nereid::Status bind(const std::string &bytes, uint32_t *variant = nullptr,
                      int64_t m = 16) {
    auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size());
    if (!pack)
      return pack.status();
    auto kernel = pack->find("gather", Device::open("null:sm_90a").value());
    if (!kernel)
      return kernel.status();
    auto call = nereid::Call::create(kernel->get()).value();
    nrd_call_set_pointer(call.get(), 0, address(256));
    nrd_call_set_int(call.get(), 1, m);
    nrd_call_set_int(call.get(), 2, 16);
    nrd_call_set_int(call.get(), 3, 16);
    const int64_t shape[] = {16, 16, 16, 16, 16};
    nrd_call_set_descriptor(call.get(), 4, address(256), shape, nullptr);
    nrd_call_set_pointer(call.get(), 5, address(256));
    nereid::Status status = call.bind();
    if (status.ok() && variant)
      *variant = variantOf(call);
    return status;
  }

  template <typename T>
  nereid::Status with(size_t at, T value, uint32_t *variant = nullptr) {
    std::string bad = good;
    store(bad, at, value);
    repairHashes(bad);
    return bind(bad, variant);
  }

  /// Binds the pack with other programs for the extent of out_ptr.
  nereid::Status withProgram(std::vector<GridStep> steps,
                             uint32_t *variant = nullptr) {
    Kernel kernel = recipeKernel("gather", 4);
    // The writer checks programs too: room is made, then filled behind it.
    std::vector<GridStep> &there =
        kernel.variants[0].tensorMaps[1].shape[0].steps;
    there.assign(1, {1, GridOp::PushConst});
    while (there.size() < steps.size()) {
      there.push_back({0, GridOp::PushConst});
      there.push_back({0, GridOp::Add});
    }
    if (there.size() != steps.size()) // an even program, padded in front
      steps.insert(steps.begin(), {0, GridOp::PushConst});
    std::string bad = write({kernel});
    std::string made = kernelBuffer(bad);
    size_t at =
        load<uint64_t>(bad, load<uint64_t>(bad, header::DirectoryOffset) + 8);
    auto *read = flatbuffers::GetRoot<nereid::archive::Kernel>(made.data());
    const auto *list = read->variants()
                           ->Get(0)
                           ->tensor_maps()
                           ->Get(1)
                           ->shape()
                           ->Get(0)
                           ->steps();
    for (uint32_t i = 0; i < steps.size(); ++i) {
      size_t here = at + size_t(reinterpret_cast<const char *>(list->Get(i)) -
                                made.data());
      store<int64_t>(bad, here, steps[i].operand);
      store<uint64_t>(bad, here + 8, static_cast<uint64_t>(steps[i].op));
    }
    repairHashes(bad);
    return bind(bad, variant);
  }

  using Map = nereid::archive::TensorMap;
  std::string good, buffer;
  size_t base = 0;
  const flatbuffers::Vector<flatbuffers::Offset<Map>> *maps = nullptr;
};

TEST_F(Recipes, GoodOnesAreTaken) {
  uint32_t variant = 9;
  nereid::Status status = bind(good, &variant);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(variant, 0u);
}

TEST_F(Recipes, ExtremesInEveryField) {
  for (uint32_t slot : {4u, 1u, 6u, 256u, 0x7fffffffu, 0xffffffffu})
    EXPECT_FAILS(with(field(1, Map::VT_SLOT), slot), NRD_CORRUPT,
                 "a tensor map's parameter is of the wrong kind");
  for (uint32_t slot : {0u, 5u, 6u, 0xffffffffu})
    EXPECT_FAILS(with(field(2, Map::VT_SLOT), slot), NRD_CORRUPT,
                 "a tensor map's parameter is of the wrong kind");
  // A map of another array than the field says: laid out by the map's own.
  EXPECT_TRUE(with(field(1, Map::VT_SLOT), 0u).ok());
  // What a newer version may mean costs the variant, not the kernel.
  struct {
    flatbuffers::voffset_t field;
    uint8_t limit;
  } enums[] = {{Map::VT_ELEMENT_TYPE, NRD_TENSOR_MAP_TYPES},
               {Map::VT_SWIZZLE, NRD_TENSOR_MAP_SWIZZLES},
               {Map::VT_INTERLEAVE, NRD_TENSOR_MAP_INTERLEAVES},
               {Map::VT_L2_PROMOTION, NRD_TENSOR_MAP_PROMOTIONS},
               {Map::VT_OOB_FILL, NRD_TENSOR_MAP_FILLS}};
  for (auto [which, limit] : enums)
    for (unsigned value = 0; value < 256; ++value) {
      uint32_t variant = 9;
      nereid::Status status =
          with(field(2, which), static_cast<uint8_t>(value), &variant);
      EXPECT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(variant, value < limit ? 0u : 1u) << which << " " << value;
    }
  for (uint32_t map = 0; map < 3; ++map) {
    const auto *box = maps->Get(map)->box();
    for (uint32_t d = 0; d < box->size(); ++d)
      for (uint32_t size : {0u, 257u, 0x80000000u, 0xffffffffu})
        EXPECT_FAILS(with(place(box->Data()) + 4 * d, size), NRD_CORRUPT,
                     "a tensor map's box has an impossible size");
    for (uint32_t count : {0u, 6u, 9u})
      EXPECT_FAILS(
          with(place(box), count), NRD_CORRUPT,
          (count == 9 ? "" : "a tensor map's rank is not its array's"));
    EXPECT_FAILS(with(place(box), 0xffffffffu), NRD_CORRUPT,
                 "a vector runs past the end");
  }
  for (const auto *programs : {maps->Get(0)->shape(), maps->Get(0)->strides()})
    for (uint32_t count : {0u, 1u})
      EXPECT_FAILS(with(place(programs), count), NRD_CORRUPT,
                   "a tensor map's rank is not its array's");
  EXPECT_FAILS(with(place(maps), NRD_MAX_TENSOR_MAPS + 1u), NRD_CORRUPT, "");
  EXPECT_FAILS(with(place(maps), 0u), NRD_CORRUPT, "a tensor map is misplaced");
}

TEST_F(Recipes, ProgramsAreChecked) {
  const size_t operand = place(step(1, 0, 0)), op = operand + 8;
  EXPECT_FAILS(with<int64_t>(operand, 6), NRD_CORRUPT,
               "an expression names a parameter that does not exist");
  for (int64_t slot : {int64_t(-1), INT64_MIN, INT64_MAX})
    EXPECT_FAILS(with(operand, slot), NRD_CORRUPT,
                 "an expression names a parameter that does not exist");
  for (int64_t slot : {0, 4, 5})
    EXPECT_FAILS(with(operand, slot), NRD_CORRUPT,
                 "an expression uses a parameter that is not an integer");
  const size_t dimension = place(step(1, 0, 5));
  for (int64_t place : {4 * 8 + 5, 4 * 8 + 7, 1 * 8, 0})
    EXPECT_FAILS(with(dimension, place), NRD_CORRUPT,
                 "an expression uses a dimension that does not exist");
  EXPECT_FAILS(with<uint8_t>(op, 3), NRD_CORRUPT,
               "an expression lacks an operand");
  uint32_t variant = 9;
  EXPECT_TRUE(with<uint8_t>(op, NRD_GRID_OP_COUNT, &variant).ok());
  EXPECT_EQ(variant, 1u) << "an operation of a newer version";
  const auto *steps = maps->Get(1)->shape()->Get(0)->steps();
  EXPECT_FAILS(with(place(steps), 0u), NRD_CORRUPT, "no steps or too many");
  EXPECT_FAILS(with(place(steps), 2u), NRD_CORRUPT, "leaves operands over");
  EXPECT_FAILS(with(place(steps), NRD_MAX_GRID_STEPS + 1u), NRD_CORRUPT, "");

  std::vector<GridStep> deep(NRD_MAX_GRID_DEPTH + 1, {1, GridOp::PushConst});
  deep.resize(2 * deep.size() - 1, {0, GridOp::Add});
  EXPECT_FAILS(withProgram(deep), NRD_CORRUPT, "nested too deeply");
}

TEST_F(Recipes, ProgramsWithoutAValueLeaveThePlainVariant) {
  const GridStep two = {2, GridOp::PushConst}, zero = {0, GridOp::PushConst};
  const GridStep most = {INT64_MAX, GridOp::PushConst},
                 least = {INT64_MIN, GridOp::PushConst},
                 minus = {-1, GridOp::PushConst};
  uint32_t variant = 9;
  EXPECT_TRUE(withProgram({two, two, {0, GridOp::Mul}}, &variant).ok());
  EXPECT_EQ(variant, 0u);
  for (const std::vector<GridStep> &program :
       {std::vector<GridStep>{two, zero, {0, GridOp::Div}},
        {two, zero, {0, GridOp::Mod}},
        {two, zero, {0, GridOp::CDiv}},
        {most, two, {0, GridOp::Add}},
        {least, two, {0, GridOp::Sub}},
        {most, most, {0, GridOp::Mul}},
        {least, minus, {0, GridOp::Div}},
        {least, minus, {0, GridOp::CDiv}},
        // A value, but none that an extent can have.
        {two, zero, {0, GridOp::Mul}},
        {minus, two, {0, GridOp::Min}},
        {most, two, {0, GridOp::Max}}}) {
    variant = 9;
    nereid::Status status = withProgram(program, &variant);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(variant, 1u);
  }
  EXPECT_TRUE(bind(good, &variant, /*m=*/0).ok());
  EXPECT_EQ(variant, 1u);
}

// Tables may share parts, and each is copied for each: 4096 variants that are
// one, with 16 maps that are one, of programs that are one, would be 10 GiB of
// a file of 40 KiB.
TEST_F(Recipes, SharedPartsDoNotMultiply) {
  namespace a = nereid::archive;
  flatbuffers::FlatBufferBuilder builder;
  std::vector steps(NRD_MAX_GRID_STEPS, a::GridStep(1, a::GridOp::push_const));
  auto axis = a::CreateGridAxis(builder, builder.CreateVectorOfStructs(steps));
  std::vector axes(NRD_MAX_TENSOR_MAP_RANK, axis);
  auto programs = builder.CreateVector(axes);
  auto box = builder.CreateVector(std::vector<uint32_t>(axes.size(), 8));
  auto map =
      a::CreateTensorMap(builder, 0, 6, 0, 0, 0, 0, box, programs, programs);
  auto allMaps = builder.CreateVector(std::vector(NRD_MAX_TENSOR_MAPS, map));
  auto word = builder.CreateString("sm_90a");
  a::VariantBuilder variant(builder);
  variant.add_target(word);
  variant.add_symbol(word);
  variant.add_tensor_maps(allMaps);
  auto one = variant.Finish();
  auto variants = builder.CreateVector(std::vector(NRD_MAX_VARIANTS, one));
  auto pointer = a::CreateParam(builder, word, word, a::ParamKind::pointer, 16);
  auto params = builder.CreateVector(&pointer, 1);
  auto config = a::CreateConfig(builder);
  auto configs = builder.CreateVector(&config, 1);
  std::vector<a::Blob> blob(1);
  auto blobs = builder.CreateVectorOfStructs(blob);
  auto name = builder.CreateString("gather");
  a::KernelBuilder kernel(builder);
  kernel.add_name(name);
  kernel.add_params(params);
  kernel.add_configs(configs);
  kernel.add_variants(variants);
  kernel.add_blobs(blobs);
  builder.Finish(kernel.Finish(), "NRK1");
  const uint8_t *bytes = builder.GetBufferPointer();
  EXPECT_LT(builder.GetSize(), 60000u);
  nrd_status_t status = nrd_flat_verify(bytes, builder.GetSize(), "NRK1",
                                        &nrd_kernel_schema, "kernel 'gather'");
  EXPECT_EQ(status, NRD_CORRUPT);
  EXPECT_NE(strstr(nrd_error_message(), "more items than a pack may have"),
            nullptr)
      << nrd_error_message();
}

} // namespace
