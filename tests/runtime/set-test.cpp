// Arguments changed in a call that is bound: whatever was set before, and by
// whichever way it took, the call must come out as a new one with these values.

#include "TestPack.h"

#include "tests/packager/SamplePack.h"

#include <map>
#include <random>

using namespace runtimetest;

namespace {

/// Every kind of slot and predicate: two of each, so that one is asked about
/// and one is not. A config for small and one for large `tuned`.
Kernel everySlot(const std::string &name) {
  Kernel kernel;
  kernel.name = name;
  const char *types[] = {"*fp32", "i32",  "i64",  "u32",  "u64",
                         "i8",    "fp32", "bf16", "fp64", "i1"};
  std::vector<Field> fields;
  uint32_t offset = 0;
  for (const char *type : types)
    for (const char *which : {"asked_", "free_"}) {
      uint32_t slot = uint32_t(kernel.params.size());
      kernel.params.push_back(param(which + std::to_string(slot), type));
      const Param &made = kernel.params.back();
      uint32_t size =
          made.kind == Param::Kind::Pointer ? 8 : std::max(1, made.bits / 8);
      offset = (offset + size - 1) / size * size;
      fields.push_back({slot, offset, size, 0, Field::Kind::Value});
      offset += size;
    }
  const uint32_t tuned = uint32_t(kernel.params.size()), size = tuned + 1;
  for (const char *slot : {"tuned", "size"}) {
    kernel.params.push_back(param(slot, "i32"));
    offset = (offset + 3) / 4 * 4;
    fields.push_back(
        {uint32_t(kernel.params.size() - 1), offset, 4, 0, Field::Kind::Value});
    offset += 4;
  }
  Config config;
  config.constants = {{"BLOCK", "64"}};
  config.grid = {cdivAxis(size, 64)};
  kernel.configs = {config, config};
  kernel.configs[1].constants = {{"BLOCK", "128"}};
  kernel.configs[1].grid = {cdivAxis(size, 128)};
  using P = Predicate::Kind;
  for (uint32_t c : {0u, 1u}) {
    Variant generic;
    generic.target = "sm_90a";
    generic.config = c;
    generic.image = makeBytes("image");
    generic.symbol = "generic";
    generic.block = {128};
    generic.fields = fields;
    generic.paramSize = offset;
    Variant aligned = generic;
    aligned.predicates = {{16, 0, P::DivisibleBy},
                          {16, 2, P::DivisibleBy},
                          {8, 4, P::DivisibleBy}};
    Variant small = aligned;
    small.predicates.push_back({1 << 10, 2, P::Below});
    small.predicates.push_back({1 << 12, 4, P::Below});
    small.predicates.push_back({100, 6, P::Below}); // no power of two
    Variant one = aligned;
    one.predicates.push_back({1, 6, P::Equals});
    // A block of another shape: one slot twice and one nowhere.
    Variant odd = generic;
    odd.predicates = {{48, 8, P::Equals}};
    odd.fields.erase(odd.fields.begin() + 3);
    odd.fields.push_back({2, (offset + 3) / 4 * 4, 4, 0, Field::Kind::Value});
    odd.paramSize = (offset + 3) / 4 * 4 + 4;
    for (const Variant &variant : {odd, one, small, aligned, generic})
      kernel.variants.push_back(variant);
  }
  TuningTable table;
  table.target = "sm_90a";
  table.keys = {axis({{tuned, GridOp::PushSlot}}, "tuned")};
  table.rows = {{{100}, 1}, {{INT64_MAX}, 0}};
  kernel.tuning = {table};
  return kernel;
}

struct Value {
  int64_t integer = 0;
  double real = 0;
  std::vector<int64_t> shape, strides;
};

nrd_status_t set(nrd_call_t *call, uint32_t slot, const nrd_slot_t *info,
                 const Value &value) {
  switch (info->kind) {
  case NRD_SLOT_POINTER:
    return nrd_call_set_pointer(call, slot, address(uint64_t(value.integer)));
  case NRD_SLOT_INTEGER:
    return nrd_call_set_int(call, slot, value.integer);
  case NRD_SLOT_FLOAT:
    return nrd_call_set_float(call, slot, value.real);
  default:
    return nrd_call_set_descriptor(call, slot, address(uint64_t(value.integer)),
                                   value.shape.data(), value.strides.data());
  }
}

/// Variant, grid and parameters of a call, or why it cannot be bound. Encoded
/// tensor maps count how often they were moved, which is left out.
std::string outcome(const Kernel &kernel, nrd_call_t *call) {
  if (nrd_call_bind(call) != NRD_OK)
    return nrd_error_message();
  uint32_t variant = 0, grid[3] = {};
  const void *block = nullptr;
  size_t size = 0;
  EXPECT_EQ(nrd_call_variant(call, &variant), NRD_OK);
  EXPECT_EQ(nrd_call_grid(call, grid), NRD_OK);
  EXPECT_EQ(nrd_call_params(call, &block, &size), NRD_OK);
  std::string params(static_cast<const char *>(block), size);
  for (const Field &field : kernel.variants[variant].fields)
    if (field.kind == Field::Kind::TensorMap)
      params.replace(field.offset + 120, 8, 8, '\0');
  std::string text = concat(variant, " ", grid[0], " ", grid[1], " ");
  for (unsigned char byte : params)
    text += concat(unsigned(byte), ",");
  return text;
}

void changeAtRandom(const Kernel &kernel, unsigned seed) {
  Opened o("null:sm_90a", write({kernel}), kernel.name.c_str());
  const nrd_kernel_t *found = o.kernel.get();
  std::mt19937_64 random(seed);
  // Few values, so that facts become true and false and true again.
  const int64_t integers[] = {
      0,         1,         -1,        8,         16,
      48,        99,        100,       1008,      1024,
      4080,      4096,      INT32_MAX, INT32_MIN, INT64_C(1) << 32,
      INT64_MAX, INT64_MIN, 32,        17,        64};
  const double reals[] = {0, -0.0, 1, 0.1, 1e300, -3};
  auto pick = [&](uint32_t slot) {
    Value value;
    value.integer = integers[random() % std::size(integers)];
    value.real = reals[random() % std::size(reals)];
    for (uint32_t d = 0; d < nrd_kernel_slot(found, slot)->rank; ++d) {
      value.shape.push_back(random() % 2 ? 16 : 3);
      value.strides.push_back(random() % 4 ? 16 : 5);
    }
    if (!value.strides.empty() && random() % 4)
      value.strides.back() = 1;
    return value;
  };
  nereid::Call kept = o.call();
  std::vector<Value> values;
  std::map<std::string, int> seen;
  const uint32_t count = uint32_t(nrd_kernel_slot_count(found));
  for (uint32_t slot = 0; slot < count; ++slot) {
    values.push_back(pick(slot));
    values.back().integer = 1;
    EXPECT_EQ(
        set(kept.get(), slot, nrd_kernel_slot(found, slot), values.back()),
        NRD_OK);
  }
  for (int round = 0; round < 4000; ++round) {
    for (int changes = int(random() % 4); changes >= 0; --changes) {
      uint32_t slot = uint32_t(random() % count);
      const nrd_slot_t *info = nrd_kernel_slot(found, slot);
      Value value = pick(slot);
      bool fits = set(kept.get(), slot, info, value) == NRD_OK;
      if (fits)
        values[slot] = value;
      if (info->kind == NRD_SLOT_INTEGER && info->bits == 32) {
        bool can = info->is_signed ? value.integer == int32_t(value.integer)
                                   : value.integer == uint32_t(value.integer);
        EXPECT_EQ(fits, can) << info->type << " " << value.integer;
      }
    }
    nereid::Call fresh = o.call();
    for (uint32_t slot = 0; slot < count; ++slot)
      EXPECT_EQ(
          set(fresh.get(), slot, nrd_kernel_slot(found, slot), values[slot]),
          NRD_OK);
    std::string now = outcome(kernel, kept.get());
    ASSERT_EQ(now, outcome(kernel, fresh.get())) << "round " << round;
    ++seen[now.substr(0, now.find(' '))];
  }
  size_t variants = 0;
  for (const auto &[variant, times] : seen)
    variants += times >= 5 && variant.size() <= 2;
  EXPECT_EQ(variants, kernel.variants.size()) << "each was chosen sometimes";
}

TEST(Set, EverySlotAndPredicate) { changeAtRandom(everySlot("every"), 1); }

TEST(Set, TensorMaps) { changeAtRandom(recipeKernel("gather", 4), 2); }

} // namespace
