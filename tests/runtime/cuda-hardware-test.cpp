// The cuda driver on a real GPU: results, the application's own context, every
// device, graph capture, and what a launch costs beside the raw driver call.
// Skipped, saying so, where there is no NVIDIA GPU.

#include "HardwareTest.h"

extern "C" {
#include "runtime/driver/cuda/api.h"
}

#include <algorithm>
#include <chrono>
#include <numeric>

using namespace runtimetest;

namespace {

/// out[i] = x[i] + y[i] for i < n, one block of 128 threads for 128 elements.
std::string addPtx(const char *function) {
  return std::string(".version 7.0\n.target sm_80\n.address_size 64\n"
                     ".visible .entry ") +
         function +
         "(.param .u64 px, .param .u64 py, .param .u64 po, .param .u32 pn)\n"
         "{\n"
         "  .reg .pred %p<2>; .reg .f32 %f<4>; .reg .b32 %r<6>;"
         "  .reg .b64 %d<9>;\n"
         "  ld.param.u64 %d1, [px]; ld.param.u64 %d2, [py];\n"
         "  ld.param.u64 %d3, [po]; ld.param.u32 %r1, [pn];\n"
         "  mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x;\n"
         "  mov.u32 %r4, %tid.x; mad.lo.s32 %r5, %r2, %r3, %r4;\n"
         "  setp.ge.s32 %p1, %r5, %r1; @%p1 bra done;\n"
         "  mul.wide.s32 %d4, %r5, 4;\n"
         "  add.s64 %d5, %d1, %d4; ld.global.f32 %f1, [%d5];\n"
         "  add.s64 %d6, %d2, %d4; ld.global.f32 %f2, [%d6];\n"
         "  add.f32 %f3, %f1, %f2;\n"
         "  add.s64 %d7, %d3, %d4; st.global.f32 [%d7], %f3;\n"
         "done:\n  ret;\n}\n";
}

Kernel addOnGpu() {
  Kernel kernel = addKernel("add", {"ptx_80"}, makeBytes(addPtx("add")));
  kernel.variants.erase(kernel.variants.begin());
  kernel.configs[0].grid = {cdivAxis(3, 128)};
  kernel.variants[0].paramSize = 28; // no byte more than there are parameters
  return kernel;
}

/// Does nothing with `count` 8-byte arguments.
Kernel manyOnGpu(uint32_t count) {
  std::string ptx = ".version 7.0\n.target sm_80\n.address_size 64\n"
                    ".visible .entry many(";
  Kernel kernel = addKernel("many", {"ptx_80"});
  kernel.params.clear();
  kernel.variants.erase(kernel.variants.begin());
  Variant &variant = kernel.variants[0];
  variant.predicates.clear();
  variant.fields.clear();
  variant.symbol = "many";
  for (uint32_t i = 0; i < count; ++i) {
    kernel.params.push_back(param("a" + std::to_string(i), "*fp32"));
    variant.fields.push_back({i, 8 * i, 8, 0, Field::Kind::Value});
    ptx += std::string(i ? ", " : "") + ".param .u64 p" + std::to_string(i);
  }
  variant.paramSize = 8 * count;
  variant.block = {32, 1, 1};
  variant.image = makeBytes(ptx + ")\n{\n  ret;\n}\n");
  kernel.configs[0].grid = {axis({{1, GridOp::PushConst}}, "1")};
  return kernel;
}

struct Vectors {
  static constexpr int size = 100003;
  std::vector<float> x, y;
  nereid::Buffer dx, dy, out;

  explicit Vectors(Device &device) : x(size), y(size) {
    std::iota(x.begin(), x.end(), 0.0f);
    std::iota(y.begin(), y.end(), 0.25f);
    dx = device.alloc(4 * size).value();
    dy = device.alloc(4 * size).value();
    out = device.alloc(4 * size).value();
    dx.write(x.data(), 4 * size).check();
    dy.write(y.data(), 4 * size).check();
    out.fill(0xff).check();
  }
  int wrong() {
    std::vector<float> back(size);
    out.read(back.data(), 4 * size).check();
    int count = 0;
    for (int i = 0; i < size; ++i)
      count += back[i] != x[i] + y[i];
    return count;
  }
};

TEST_F(Hardware, AddsOnEveryDevice) {
  for (uint32_t i = 0; i < nrd_device_count("cuda"); ++i) {
    Opened o(("cuda:" + std::to_string(i)).c_str(), write({addOnGpu()}), "add");
    Vectors v(o.device);
    nereid::Call call = o.kernel.call(v.dx, v.dy, v.out, Vectors::size).value();
    void *stream = nullptr;
    ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
    call.launch(stream).check();
    EXPECT_EQ(v.wrong(), 0) << o.device.description();
    v.out.fill(0xff).check();
    call.launch().check();
    EXPECT_EQ(v.wrong(), 0);
    nrd_stream_destroy(o.device.get(), stream);
  }
}

TEST_F(Hardware, WorksInTheApplicationsContext) {
  auto create = cuda<int(void **, void *, unsigned, int)>("cuCtxCreate_v4");
  auto createOld = cuda<int(void **, unsigned, int)>("cuCtxCreate_v2");
  auto destroy = cuda<int(void *)>("cuCtxDestroy_v2");
  auto current = cuda<int(void **)>("cuCtxGetCurrent");
  void *context = nullptr;
  int result =
      createOld ? createOld(&context, 0, 0) : create(&context, nullptr, 0, 0);
  ASSERT_EQ(result, 0);
  {
    nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
    options.context = context;
    Device device = Device::open("cuda", options).value();
    std::string bytes = write({addOnGpu()});
    auto pack = nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
    Vectors v(device);
    pack.find("add", device)
        .value()
        .call(v.dx, v.dy, v.out, Vectors::size)
        .value()
        .launch()
        .check();
    EXPECT_EQ(v.wrong(), 0);
    void *now = nullptr;
    current(&now);
    EXPECT_EQ(now, context);
  }
  destroy(context);
}

// Whatever context the thread has: none, or one of its own.
TEST_F(Hardware, LaunchesBesideAnotherContext) {
  Opened o("cuda:0", write({addOnGpu()}), "add");
  Vectors v(o.device);
  nereid::Call call = o.kernel.call(v.dx, v.dy, v.out, Vectors::size).value();
  call.bind().check();
  auto set = cuda<int(void *)>("cuCtxSetCurrent");
  auto current = cuda<int(void **)>("cuCtxGetCurrent");
  auto destroy = cuda<int(void *)>("cuCtxDestroy_v2");
  auto create = cuda<int(void **, unsigned, int)>("cuCtxCreate_v2");
  void *other = nullptr, *stream = nullptr, *now = nullptr;
  ASSERT_EQ(create(&other, 0, 0), 0);
  ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
  for (void *context : {static_cast<void *>(nullptr), other})
    for (void *where : {static_cast<void *>(nullptr), stream}) {
      v.out.fill(0xff).check();
      ASSERT_EQ(set(context), 0);
      EXPECT_EQ(nrd_call_launch(call.get(), where), NRD_OK)
          << nrd_error_message();
      current(&now);
      EXPECT_EQ(now, context) << "the thread keeps its context";
      EXPECT_EQ(nrd_device_synchronize(o.device.get()), NRD_OK);
      EXPECT_EQ(v.wrong(), 0);
    }
  set(nullptr);
  nrd_stream_destroy(o.device.get(), stream);
  destroy(other);
}

TEST_F(Hardware, IsCapturedIntoAGraph) {
  Opened o("cuda:0", write({addOnGpu()}), "add");
  o.kernel.preload().check();
  Vectors v(o.device);
  nereid::Call call = o.kernel.call(v.dx, v.dy, v.out, Vectors::size).value();
  call.bind().check();
  auto push = cuda<int(void *)>("cuCtxPushCurrent_v2");
  auto pop = cuda<int(void **)>("cuCtxPopCurrent_v2");
  auto begin = cuda<int(void *, int)>("cuStreamBeginCapture_v2");
  auto end = cuda<int(void *, void **)>("cuStreamEndCapture");
  auto instantiate = cuda<int(void **, void *, unsigned long long)>(
      "cuGraphInstantiateWithFlags");
  auto launch = cuda<int(void *, void *)>("cuGraphLaunch");
  auto destroyExec = cuda<int(void *)>("cuGraphExecDestroy");
  auto destroyGraph = cuda<int(void *)>("cuGraphDestroy");
  void *stream = nullptr, *graph = nullptr, *exec = nullptr, *context = nullptr;
  ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
  push(nrd_device_context(o.device.get()));
  ASSERT_EQ(begin(stream, 0), 0); // global: the strictest
  nereid::Status captured = call.launch(stream);
  // Another call of another variant or grid binds during the capture.
  nereid::Status second =
      o.kernel.call(v.dx, v.dy, v.out, Vectors::size).value().launch(stream);
  ASSERT_EQ(end(stream, &graph), 0);
  EXPECT_TRUE(captured.ok()) << captured.message();
  EXPECT_TRUE(second.ok()) << second.message();
  ASSERT_EQ(instantiate(&exec, graph, 0), 0);
  EXPECT_NE(v.wrong(), 0) << "nothing ran yet";
  for (int replay = 0; replay < 3; ++replay) {
    v.out.fill(0xff).check();
    ASSERT_EQ(launch(exec, stream), 0);
    ASSERT_EQ(nrd_stream_synchronize(o.device.get(), stream), NRD_OK);
    EXPECT_EQ(v.wrong(), 0) << replay;
  }
  destroyExec(exec);
  destroyGraph(graph);
  nrd_stream_destroy(o.device.get(), stream);
  pop(&context);
}

/// Nanoseconds per call: the median of interleaved rounds, the queue drained
/// between them so that it never fills.
template <typename Work> double oneRound(nrd_device_t *device, Work work) {
  constexpr int repeats = 200;
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i)
    work();
  std::chrono::duration<double, std::nano> spent =
      std::chrono::steady_clock::now() - begin;
  nrd_device_synchronize(device);
  return spent.count() / repeats;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2,
                   values.end());
  return values[values.size() / 2];
}

TEST_F(Hardware, LaunchCostBesideTheRawCall) {
  auto raw = cuda<int(const cu_launch_config_t *, void *, void **, void **)>(
      "cuLaunchKernelEx");
  auto push = cuda<int(void *)>("cuCtxPushCurrent_v2");
  auto pop = cuda<int(void **)>("cuCtxPopCurrent_v2");
  for (uint32_t count : {4u, 16u, 58u}) {
    Opened o("cuda:0", write({manyOnGpu(count)}), "many");
    nereid::Call call = o.call();
    for (uint32_t i = 0; i < count; ++i)
      call.set(i, address(256 * (i + 1))).check();
    call.launch().check();
    void *function = nullptr, *stream = nullptr, *context = nullptr;
    ASSERT_EQ(nrd_call_function(call.get(), &function), NRD_OK);
    ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
    push(nrd_device_context(o.device.get()));
    // The raw call as one would write it by hand: prepared argument pointers.
    std::vector<uint64_t> values(count);
    std::vector<void *> pointers(count);
    for (uint32_t i = 0; i < count; ++i)
      pointers[i] = &values[i];
    cu_launch_config_t config = {};
    config.grid[0] = config.grid[1] = config.grid[2] = 1;
    config.block[0] = 32;
    config.block[1] = config.block[2] = 1;
    config.stream = stream;
    std::vector<double> theirs, ours, full;
    for (int round = 0; round < 301; ++round) {
      theirs.push_back(oneRound(o.device.get(), [&] {
        raw(&config, function, pointers.data(), nullptr);
      }));
      ours.push_back(oneRound(o.device.get(),
                              [&] { nrd_call_launch(call.get(), stream); }));
      full.push_back(oneRound(o.device.get(), [&] {
        for (uint32_t i = 0; i < count; ++i)
          nrd_call_set_pointer(call.get(), i,
                               address(256 * (round % 5 + i + 1)));
        nrd_call_bind(call.get());
        nrd_call_launch(call.get(), stream);
      }));
    }
    pop(&context);
    nrd_stream_destroy(o.device.get(), stream);
    double extra = median(ours) - median(theirs);
    std::printf("%2u arguments: raw %.0f ns, bound launch %.0f ns (%+.0f), set "
                "all and launch %.0f ns\n",
                count, median(theirs), median(ours), extra, median(full));
    EXPECT_LE(extra, 50) << count << " arguments";
  }
}

} // namespace
