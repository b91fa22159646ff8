// Bound calls on the null driver: parameters, dispatch, grids.

#include "TestPack.h"

#include <cmath>
#include <limits>

using namespace runtimetest;

namespace {

void setAdd(nereid::Call &call, uint64_t x, uint64_t y, uint64_t out, int n) {
  call.setAll(address(x), address(y), address(out), n).check();
}

TEST(Call, LaysOutParameters) {
  Opened o("null", write({addKernel("add")}), "add");
  nereid::Call call = o.call();
  setAdd(call, 0x1004, 0x2000, 0x3000, 77);
  call.bind().check();
  EXPECT_EQ(variantOf(call), 1u);
  EXPECT_EQ(parameter<uint64_t>(call, 0), 0x1004u);
  EXPECT_EQ(parameter<uint64_t>(call, 8), 0x2000u);
  EXPECT_EQ(parameter<uint64_t>(call, 16), 0x3000u);
  EXPECT_EQ(parameter<int32_t>(call, 24), 77);
  EXPECT_EQ(parameter<int32_t>(call, 28), 0);
  uint32_t grid[3];
  ASSERT_EQ(nrd_call_grid(call.get(), grid), NRD_OK);
  EXPECT_EQ(grid[0], 1u);
  EXPECT_EQ(grid[1], 1u);
  EXPECT_EQ(grid[2], 1u);
  call.launch().check();
}

TEST(Call, ParametersAreAlignedForTheDriver) {
  Opened o("null", write({addKernel("add")}), "add");
  for (int i = 0; i < 5; ++i) {
    nereid::Call call = o.call();
    setAdd(call, 16, 16, 16, 16);
    call.bind().check();
    const void *params = nullptr;
    size_t size = 0;
    nrd_call_params(call.get(), &params, &size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(params) % 64, 0u);
    EXPECT_EQ(size, 32u);
  }
}

TEST(Call, PatchesInPlaceAfterBind) {
  Opened o("null", write({addKernel("add")}), "add");
  nereid::Call call = o.call();
  setAdd(call, 0x1000, 0x2000, 0x3000, 64);
  call.bind().check();
  EXPECT_EQ(variantOf(call), 0u) << "all aligned";
  call.set(0, address(0x5000)).check();
  // Still bound: the fact has not changed.
  EXPECT_EQ(parameter<uint64_t>(call, 0), 0x5000u);
  call.set(0, address(0x5004)).check();
  uint32_t variant;
  EXPECT_FAILS(nrd_call_variant(call.get(), &variant), NRD_INVALID_ARGUMENT,
               "is not bound");
  call.launch().check(); // binds by itself
  EXPECT_EQ(variantOf(call), 1u);
  EXPECT_EQ(parameter<uint64_t>(call, 0), 0x5004u);
  EXPECT_EQ(parameter<uint64_t>(call, 8), 0x2000u);
  call.set(0, address(0x6000)).check();
  call.bind().check();
  EXPECT_EQ(variantOf(call), 0u);
  EXPECT_EQ(parameter<uint64_t>(call, 0), 0x6000u);
}

TEST(Call, ReevaluatesTheGridWhenItsSlotsChange) {
  Opened o("null", write({addKernel("add")}), "add");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, 1025);
  uint32_t grid[3];
  call.bind().check();
  nrd_call_grid(call.get(), grid);
  EXPECT_EQ(grid[0], 2u);
  call.set(3, 5000).check();
  call.launch().check();
  nrd_call_grid(call.get(), grid);
  EXPECT_EQ(grid[0], 5u);
  EXPECT_EQ(parameter<int32_t>(call, 24), 5000);
  call.setGrid(7, 8, 9).check();
  call.bind().check();
  nrd_call_grid(call.get(), grid);
  EXPECT_EQ(grid[2], 9u);
  call.setGrid(0, 0, 0).check(); // back to the pack's
  call.bind().check();
  nrd_call_grid(call.get(), grid);
  EXPECT_EQ(grid[0], 5u);
}

TEST(Call, NamesTheSlotsThatAreNotSet) {
  Opened o("null", write({addKernel("add")}), "add");
  nereid::Call call = o.call();
  call.set(1, address(16)).check();
  call.set(3, 1).check();
  EXPECT_FAILS(call.bind(), NRD_INVALID_ARGUMENT,
               "kernel 'add' cannot be bound: these slots are not set: 0 "
               "'x_ptr' (*kfp32), 2 'out_ptr' (*fp32)");
  EXPECT_FAILS(call.launch(), NRD_INVALID_ARGUMENT, "not set");
  call.set(0, address(16)).check();
  EXPECT_FAILS(call.bind(), NRD_INVALID_ARGUMENT, "this slot is not set: 2");
}

TEST(Call, RefusesValuesOfTheWrongKind) {
  Opened o("null", write({addKernel("add")}), "add");
  nereid::Call call = o.call();
  EXPECT_FAILS(call.set(0, 5), NRD_INVALID_ARGUMENT,
               "slot 0 of kernel 'add', 'x_ptr', is *kfp32 and takes no "
               "integer");
  EXPECT_FAILS(call.set(3, address(4)), NRD_INVALID_ARGUMENT,
               "'n', is i32 and takes no pointer");
  EXPECT_FAILS(call.set(3, 1.5), NRD_INVALID_ARGUMENT, "takes no floating");
  EXPECT_FAILS(call.set(9, 1), NRD_INVALID_ARGUMENT,
               "has 4 parameters; there is no slot 9");
  int64_t shape[2] = {1, 1};
  EXPECT_FAILS(call.setDescriptor(0, address(4), shape), NRD_INVALID_ARGUMENT,
               "takes no tensor");
  EXPECT_FAILS(nrd_call_set_int(nullptr, 0, 0), NRD_INVALID_ARGUMENT,
               "'call' is NULL");
}

TEST(Call, ChecksIntegersAgainstTheirType) {
  struct Row {
    const char *type;
    int64_t low, high;
  };
  const Row rows[] = {{"i8", -128, 127},
                      {"u8", 0, 255},
                      {"i16", -32768, 32767},
                      {"u16", 0, 65535},
                      {"i32", INT32_MIN, INT32_MAX},
                      {"u32", 0, UINT32_MAX},
                      {"i1", 0, 1}};
  for (const Row &row : rows) {
    Kernel kernel = addKernel("k");
    kernel.params[3] = param("n", row.type);
    if (kernel.params[3].bits == 1 || kernel.params[3].bits < 32)
      for (Variant &variant : kernel.variants)
        variant.fields[3].size = (kernel.params[3].bits + 7) / 8;
    Opened o("null", write({kernel}), "k");
    nereid::Call call = o.call();
    EXPECT_TRUE(call.set(3, row.low).ok()) << row.type;
    EXPECT_TRUE(call.set(3, row.high).ok()) << row.type;
    EXPECT_FAILS(call.set(3, row.low - 1), NRD_INVALID_ARGUMENT,
                 "which cannot hold");
    EXPECT_FAILS(call.set(3, row.high + 1), NRD_INVALID_ARGUMENT,
                 std::string("is ") + row.type);
  }
}

TEST(Call, ConstantsMayBeLeftOutButNotChanged) {
  Kernel kernel = addKernel("add");
  kernel.params.push_back(param("stride", "i32"));
  kernel.params.back().hasConstant = true;
  kernel.params.back().constant = 1;
  kernel.params.push_back(param("scale", "fp32"));
  kernel.params.back().hasConstant = true;
  double half = 0.5;
  std::memcpy(&kernel.params.back().constant, &half, sizeof half);
  Opened o("null", write({kernel}), "add");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, 16);
  call.bind().check();
  call.set(4, 1).check();
  call.set(5, 0.5).check();
  EXPECT_FAILS(call.set(4, 2), NRD_INVALID_ARGUMENT,
               "'stride' of kernel 'add' was fixed to 1 when the pack was "
               "built; got 2");
  EXPECT_FAILS(call.set(5, 0.25), NRD_INVALID_ARGUMENT, "was fixed to 0.5");
  call.launch().check();
}

TEST(Call, RoundsFloatsToTheirType) {
  Kernel kernel = addKernel("k");
  kernel.params = {param("h", "fp16"), param("b", "bf16"), param("f", "fp32"),
                   param("d", "fp64")};
  kernel.configs[0].grid.clear();
  for (Variant &variant : kernel.variants) {
    variant.predicates.clear();
    variant.fields = {{0, 0, 2, 0, Field::Kind::Value},
                      {1, 2, 2, 0, Field::Kind::Value},
                      {2, 4, 4, 0, Field::Kind::Value},
                      {3, 8, 8, 0, Field::Kind::Value}};
  }
  Opened o("null", write({kernel}), "k");
  nereid::Call call = o.call();
  call.setGrid(1).check();
  auto set = [&](double value) {
    for (uint32_t i = 0; i < 4; ++i)
      call.set(i, value).check();
    call.bind().check();
  };
  struct Row {
    double value;
    uint16_t half, brain;
  };
  const double inf = std::numeric_limits<double>::infinity();
  const Row rows[] = {
      {0.0, 0x0000, 0x0000},
      {-0.0, 0x8000, 0x8000},
      {1.0, 0x3c00, 0x3f80},
      {-2.5, 0xc100, 0xc020},
      {65504.0, 0x7bff, 0x4780},
      {65519.99, 0x7bff, 0x4780},
      {65520.0, 0x7c00, 0x4780},
      {inf, 0x7c00, 0x7f80},
      {-inf, 0xfc00, 0xff80},
      {0x1p-24, 0x0001, 0x3380},
      {0x1p-25, 0x0000, 0x3300},              // a tie goes to even
      {0x1.8p-24, 0x0002, 0x33c0},            // the tie above
      {0x1.000001p-25, 0x0001, 0x3300},       // just above the tie
      {0x1.ff8p-15, 0x03ff, 0x3880},          // largest subnormal half
      {0x1.ffcp-15, 0x0400, 0x3880},          // a tie that becomes a normal
      {1.0 + 0x1p-11, 0x3c00, 0x3f80},        // tie to even
      {1.0 + 0x1.8p-10, 0x3c02, 0x3f80},      // tie to even above
      {1.0 + 0x1.000002p-11, 0x3c01, 0x3f80}, // a double rounding would miss
      {1e300, 0x7c00, 0x7f80},
      {1e-300, 0x0000, 0x0000},
      {0x1p-133, 0x0000, 0x0001}, // smallest subnormal bf16
  };
  for (const Row &row : rows) {
    set(row.value);
    EXPECT_EQ(parameter<uint16_t>(call, 0), row.half) << row.value;
    EXPECT_EQ(parameter<uint16_t>(call, 2), row.brain) << row.value;
    EXPECT_EQ(parameter<float>(call, 4), static_cast<float>(row.value));
    EXPECT_EQ(parameter<double>(call, 8), row.value);
  }
  set(std::nan(""));
  EXPECT_GT(parameter<uint16_t>(call, 0) & 0x7fff, 0x7c00);
  EXPECT_GT(parameter<uint16_t>(call, 2) & 0x7fff, 0x7f80);
  call.set(2, 3).check(); // an integer is a fine value for a float
  EXPECT_EQ(parameter<float>(call, 4), 3.0f);
}

TEST(Dispatch, PrefersWhatTheVendorRanksHigher) {
  Opened o("null:sm_90",
           write({addKernel("add", {"ptx_80", "ptx_90a", "sm_90", "sm_90a"})}),
           "add");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, 16);
  call.bind().check();
  EXPECT_STREQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->target,
               "sm_90a");
  setAdd(call, 4, 16, 16, 16);
  call.bind().check();
  uint32_t variant = variantOf(call);
  EXPECT_STREQ(nrd_kernel_variant(o.kernel.get(), variant)->target, "sm_90a");
  EXPECT_EQ(nrd_kernel_variant(o.kernel.get(), variant)->predicate_count, 0u);
}

TEST(Dispatch, SaysWhatEachVariantAsks) {
  Kernel kernel = addKernel("add", {"sm_90a"});
  kernel.variants.pop_back(); // no fallback
  kernel.variants[0].predicates.push_back({100, 3, Predicate::Kind::Below});
  Opened o("null:sm_90a", write({kernel}), "add");
  nereid::Call call = o.call();
  setAdd(call, 0x1008, 0x1000, 0x1000, 112);
  EXPECT_FAILS(call.bind(), NRD_INCOMPATIBLE,
               "no variant of kernel 'add' suits these arguments on "
               "null:sm_90a; variant 0 (sm_90a) needs x_ptr divisible by 16, "
               "got 0x1008, and 0 <= n < 100, got 112");
  call.set(0, address(0x1000)).check();
  call.set(3, 96).check();
  EXPECT_TRUE(call.bind().ok());
}

TEST(Dispatch, Explains) {
  Opened o("null:sm_90a", write({addKernel("add", {"gfx942", "sm_90a"})}),
           "add");
  std::string text = o.kernel.explain();
  EXPECT_NE(text.find("gfx942           config 0   not on null:sm_90a: "
                      "'gfx942' code needs an AMD GPU"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("runs on null:sm_90a if x_ptr % 16 == 0, "),
            std::string::npos)
      << text;
  nereid::Call call = o.call();
  EXPECT_NE(call.explain().find("needs x_ptr divisible by 16, which is not "
                                "set"),
            std::string::npos)
      << call.explain();
  setAdd(call, 0x1008, 0x1000, 0x1000, 112);
  call.bind().check();
  text = call.explain();
  EXPECT_NE(text.find("not taken: needs x_ptr divisible by 16, got 0x1008\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("taken\n"), std::string::npos) << text;
  // As snprintf: the length needed, whatever the room.
  size_t size = nrd_call_explain(call.get(), nullptr, 0);
  EXPECT_EQ(size, text.size());
  char little[10];
  EXPECT_EQ(nrd_call_explain(call.get(), little, sizeof little), size);
  EXPECT_EQ(std::string(little), text.substr(0, 9));
}

/// Two configs, of 128 and 1024 elements per program.
Kernel twoConfigs() {
  Kernel kernel = addKernel("add", {"sm_90a"});
  kernel.configs.push_back(kernel.configs[0]);
  kernel.configs[1].grid = {cdivAxis(3, 128)};
  Variant more = kernel.variants[1];
  more.config = 1;
  more.symbol = "add_small";
  kernel.variants = {kernel.variants[1], more};
  return kernel;
}

TEST(Dispatch, ConfigsCanBeAskedFor) {
  Opened o("null:sm_90a", write({twoConfigs()}), "add");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, 1024);
  call.bind().check();
  EXPECT_EQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->config, 0u);
  call.setConfig(1).check();
  call.bind().check();
  EXPECT_EQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->config, 1u);
  uint32_t grid[3];
  nrd_call_grid(call.get(), grid);
  EXPECT_EQ(grid[0], 8u);
  call.setConfig(NRD_CONFIG_AUTO).check();
  call.bind().check();
  EXPECT_EQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->config, 0u);
  EXPECT_FAILS(call.setConfig(2), NRD_INVALID_ARGUMENT,
               "has 2 configs; there is no config 2");
}

TEST(Dispatch, TuningTablesChooseTheConfig) {
  Kernel kernel = twoConfigs();
  TuningTable table;
  table.target = "sm_90a";
  table.keys = {axis({{3, GridOp::PushSlot}}, "n")};
  table.rows = {{{256}, 1}, {{4096}, 0}, {{1 << 20}, 1}};
  TuningTable elsewhere = table; // for another model: not ours
  elsewhere.device = "NVIDIA H100 80GB HBM3";
  elsewhere.rows = {{{1 << 20}, 0}};
  kernel.tuning = {elsewhere, table};
  Opened o("null:sm_90a", write({kernel}), "add");
  nereid::Call call = o.call();
  auto configFor = [&](int n) {
    setAdd(call, 16, 16, 16, n);
    call.bind().check();
    return nrd_kernel_variant(o.kernel.get(), variantOf(call))->config;
  };
  EXPECT_EQ(configFor(256), 1u);
  EXPECT_EQ(configFor(257), 0u);
  EXPECT_EQ(configFor(5000), 1u);
  EXPECT_EQ(configFor(1 << 21), 0u) << "past the table: the pack's order";
  call.setConfig(1).check();
  EXPECT_EQ(configFor(257), 1u) << "what is asked for wins";
}

TEST(Dispatch, ATableForThisModelComesFirst) {
  Kernel kernel = twoConfigs();
  TuningTable general, exact;
  general.target = exact.target = "sm_90a";
  general.rows = {{{}, 0}};
  exact.device = "null";
  exact.rows = {{{}, 1}};
  kernel.tuning = {general, exact};
  Opened o("null:sm_90a", write({kernel}), "add");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, 16);
  call.bind().check();
  EXPECT_EQ(nrd_kernel_variant(o.kernel.get(), variantOf(call))->config, 1u);
}

//===-- Grids -------------------------------------------------------------===//

struct GridKernel {
  explicit GridKernel(std::vector<GridAxis> grid) {
    kernel = addKernel("k");
    kernel.configs[0].grid = std::move(grid);
    kernel.params.push_back(param("m", "i64"));
    for (Variant &variant : kernel.variants)
      variant.predicates.clear();
  }
  Kernel kernel;
};

nereid::Status bindGrid(std::vector<GridAxis> grid, int n, int64_t m,
                        uint32_t out[3]) {
  Opened o("null", write({GridKernel(std::move(grid)).kernel}), "k");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, n);
  call.set(4, m).check();
  nereid::Status status = call.bind();
  if (status.ok())
    nrd_call_grid(call.get(), out);
  return status;
}

GridAxis binary(GridOp op) {
  return axis({{3, GridOp::PushSlot}, {4, GridOp::PushSlot}, {0, op}}, "n ? m");
}

TEST(Grid, DividesAsPythonDoes) {
  struct Row {
    GridOp op;
    int n;
    int64_t m, result;
  };
  const Row rows[] = {
      {GridOp::Div, 7, 2, 3},    {GridOp::Div, -7, -2, 3},
      {GridOp::Mod, 7, 3, 1},    {GridOp::Mod, -7, 3, 2},
      {GridOp::CDiv, 7, 2, 4},   {GridOp::CDiv, -7, -2, 4},
      {GridOp::CDiv, 8, 2, 4},   {GridOp::CDiv, -1, 2, 0},
      {GridOp::Min, 3, 9, 3},    {GridOp::Max, 3, 9, 9},
      {GridOp::Add, 3, 9, 12},   {GridOp::Sub, 9, 3, 6},
      {GridOp::Mul, 9, 3, 27},   {GridOp::Div, -7, -1, 7},
      {GridOp::CDiv, -7, -1, 7}, {GridOp::Mod, 7, -1, 0},
  };
  for (const Row &row : rows) {
    uint32_t grid[3] = {99, 99, 99};
    nereid::Status status = bindGrid({binary(row.op)}, row.n, row.m, grid);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(grid[0], row.result)
        << int(row.op) << " " << row.n << " " << row.m;
  }
}

TEST(Grid, FailsInWords) {
  uint32_t grid[3];
  EXPECT_FAILS(bindGrid({binary(GridOp::Div)}, 7, 0, grid),
               NRD_INVALID_ARGUMENT,
               "kernel 'k': the grid's x, 'n ? m', divides by zero");
  EXPECT_FAILS(bindGrid({binary(GridOp::Mod)}, 7, 0, grid),
               NRD_INVALID_ARGUMENT, "divides by zero");
  EXPECT_FAILS(bindGrid({binary(GridOp::CDiv)}, 7, 0, grid),
               NRD_INVALID_ARGUMENT, "divides by zero");
  EXPECT_FAILS(bindGrid({binary(GridOp::Mul)}, 7, INT64_MAX, grid),
               NRD_INVALID_ARGUMENT, "overflows 64 bits");
  EXPECT_FAILS(bindGrid({binary(GridOp::Add)}, 7, INT64_MAX, grid),
               NRD_INVALID_ARGUMENT, "overflows 64 bits");
  EXPECT_FAILS(bindGrid({binary(GridOp::Sub)}, -7, INT64_MAX, grid),
               NRD_INVALID_ARGUMENT, "overflows 64 bits");
  EXPECT_FAILS(bindGrid({binary(GridOp::Sub)}, 3, 9, grid),
               NRD_INVALID_ARGUMENT, "'n ? m', is -6; 0 to 2147483647");
  EXPECT_FAILS(bindGrid({binary(GridOp::Mul)}, 3, INT64_C(1) << 31, grid),
               NRD_INVALID_ARGUMENT, "can be launched");
  GridAxis minDivided = axis({{INT64_MIN, GridOp::PushConst},
                              {-1, GridOp::PushConst},
                              {0, GridOp::Div}},
                             "min // -1");
  EXPECT_FAILS(bindGrid({minDivided}, 1, 1, grid), NRD_INVALID_ARGUMENT,
               "overflows 64 bits");
}

TEST(Grid, ThreeLargeAxesDoNotWrap) {
  uint32_t grid[3];
  GridAxis large = axis({{131072, GridOp::PushConst}}, "131072");
  GridAxis medium = axis({{32768, GridOp::PushConst}}, "32768");
  // 2^17 * 2^15 is 0 in 32 bits; it must be launched all the same.
  ASSERT_TRUE(bindGrid({large, medium}, 1, 1, grid).ok());
  EXPECT_EQ(grid[0], 131072u);
  GridAxis most = axis({{NRD_CONFIG_AUTO / 2, GridOp::PushConst}}, "most");
  EXPECT_FAILS(bindGrid({most, most, most}, 1, 1, grid), NRD_INVALID_ARGUMENT,
               "is too large");
}

TEST(Grid, AnEmptyGridLaunchesNothingAndSucceeds) {
  Opened o("null", write({addKernel("add")}), "add");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, 0);
  call.bind().check();
  call.launch().check();
}

TEST(Grid, WithoutOneTheCallerSetsIt) {
  Kernel kernel = addKernel("add");
  kernel.configs[0].grid.clear();
  Opened o("null", write({kernel}), "add");
  nereid::Call call = o.call();
  setAdd(call, 16, 16, 16, 0);
  EXPECT_FAILS(call.bind(), NRD_INVALID_ARGUMENT,
               "has no grid of its own; call nrd_call_set_grid first");
  call.setGrid(3).check();
  call.launch().check();
  EXPECT_FAILS(call.setGrid(1u << 31), NRD_INVALID_ARGUMENT, "at most");
}

} // namespace
