// The cuda driver on a real GPU, beyond plain launches: tensor maps, streams,
// scratch, clusters, shared memory by opt-in, cooperative and dependent
// launches, images the driver turns down, several devices, a fault.

#include "HardwareTest.h"

#include <numeric>
#include <thread>

using namespace runtimetest;

namespace {

std::string entry(const std::string &version, const std::string &target,
                  const std::string &parameters, const std::string &body,
                  const std::string &before = "") {
  return ".version " + version + "\n.target " + target +
         "\n.address_size 64\n" + before + ".visible .entry k(" + parameters +
         ")\n{\n  .reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<24>;"
         " .reg .b64 %d<24>;\n" +
         body + "  ret;\n}\n";
}

/// A variant of kernel "k" with parameters at the given offsets.
Variant variant(const std::string &target, const std::string &ptx,
                uint32_t threads, std::vector<Field> fields,
                uint32_t paramSize) {
  Variant made;
  made.target = target;
  made.symbol = "k";
  made.image = makeBytes(ptx);
  made.block = {threads, 1, 1};
  made.fields = std::move(fields);
  made.paramSize = paramSize;
  return made;
}

Kernel kernel(std::vector<Param> params, std::vector<Variant> variants) {
  Kernel made;
  made.name = "k";
  made.params = std::move(params);
  made.configs = {Config()};
  made.variants = std::move(variants);
  return made;
}

constexpr auto Value = Field::Kind::Value;

//===-- Tensor maps -------------------------------------------------------===//

/// The [32, 64] tile of 16-bit elements at (row, col), zero outside of the
/// tensor, through a tensor map; and the same by plain loads. `swizzled`: the
/// tile as it lies in shared memory is unscrambled by the kernel.
Kernel tileKernel(bool swizzled) {
  std::string byMap =
      entry("8.0", "sm_90",
            ".param .align 64 .b8 map[128], .param .u64 po, .param .u32 prow,"
            " .param .u32 pcol",
            "  .shared .align 1024 .b8 tile[4096]; .shared .align 8 .b64 bar;\n"
            "  mov.u32 %r1, %tid.x; mov.u32 %r2, tile; mov.u32 %r3, bar;\n"
            "  setp.ne.u32 %p1, %r1, 0;\n"
            "  @%p1 bra ready;\n"
            "  mbarrier.init.shared.b64 [%r3], 1;\n"
            "  fence.mbarrier_init.release.cluster;\n"
            "ready:\n  bar.sync 0;\n  @%p1 bra again;\n"
            "  mbarrier.arrive.expect_tx.shared.b64 %d7, [%r3], 4096;\n"
            "  mov.b64 %d1, map; cvta.param.u64 %d1, %d1;\n"
            "  ld.param.u32 %r4, [prow]; ld.param.u32 %r5, [pcol];\n"
            "  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier"
            "::complete_tx::bytes [%r2], [%d1, {%r5, %r4}], [%r3];\n"
            "again:\n"
            "  mbarrier.try_wait.parity.shared.b64 %p2, [%r3], 0;\n"
            "  @!%p2 bra again;\n"
            "  ld.param.u64 %d2, [po]; mov.u32 %r6, %r1;\n"
            "copy:\n" // word r6 of 1024: row r6 / 32, 16-byte chunk r6 / 4 % 8
            "  shr.u32 %r7, %r6, 5; and.b32 %r7, %r7, 7; shl.b32 %r7, %r7, 4;\n"
            "  shl.b32 %r8, %r6, 2; add.u32 %r9, %r2, %r8;\n" +
                std::string(swizzled ? "  xor.b32 %r9, %r9, %r7;\n" : "") +
                "  ld.shared.u32 %r10, [%r9];\n"
                "  cvt.u64.u32 %d3, %r8; add.u64 %d3, %d2, %d3;\n"
                "  st.global.u32 [%d3], %r10;\n"
                "  add.u32 %r6, %r6, 128; setp.lt.u32 %p3, %r6, 1024;\n"
                "  @%p3 bra copy;\n");
  std::string byLoads = entry(
      "7.0", "sm_80",
      ".param .u64 pb, .param .u64 ps, .param .u64 po, .param .u32 p0,"
      " .param .u32 p1, .param .u32 prow, .param .u32 pcol",
      "  ld.param.u64 %d1, [pb]; ld.param.u64 %d2, [ps];"
      " ld.param.u64 %d3, [po];\n"
      "  ld.param.u32 %r1, [p0]; ld.param.u32 %r2, [p1];"
      " ld.param.u32 %r3, [prow]; ld.param.u32 %r4, [pcol];\n"
      "  mov.u32 %r5, %tid.x;\n"
      "each:\n"
      "  shr.u32 %r6, %r5, 6; and.b32 %r7, %r5, 63;\n"
      "  add.s32 %r6, %r6, %r3; add.s32 %r7, %r7, %r4;\n"
      "  mov.u16 %h1, 0;\n" // a negative coordinate is a large unsigned one
      "  setp.lt.u32 %p1, %r6, %r1; setp.lt.and.u32 %p1, %r7, %r2, %p1;\n"
      "  cvt.s64.s32 %d4, %r6; mul.lo.s64 %d4, %d4, %d2;\n"
      "  cvt.s64.s32 %d5, %r7; add.s64 %d4, %d4, %d5; shl.b64 %d4, %d4, 1;\n"
      "  add.s64 %d4, %d1, %d4;\n"
      "  @%p1 ld.global.u16 %h1, [%d4];\n"
      "  mul.wide.u32 %d6, %r5, 2; add.s64 %d6, %d3, %d6;\n"
      "  st.global.u16 [%d6], %h1;\n"
      "  add.u32 %r5, %r5, 128; setp.lt.u32 %p2, %r5, 2048;\n"
      "  @%p2 bra each;\n");
  Variant tma = variant("ptx_90", byMap, 128,
                        {{0, 0, 128, 0, Field::Kind::TensorMap},
                         {1, 128, 8, 0, Value},
                         {2, 136, 4, 0, Value},
                         {3, 140, 4, 0, Value}},
                        144);
  constexpr uint8_t float16 = 6, swizzle128 = 3, l2Promotion256 = 3;
  tma.tensorMaps = {{0,
                     float16,
                     uint8_t(swizzled ? swizzle128 : 0),
                     0,
                     l2Promotion256,
                     0,
                     {64, 32}}};
  Variant plain = variant("ptx_80", byLoads, 128,
                          {{0, 0, 8, 0, Value},
                           {0, 8, 8, 0, Field::Kind::Stride},
                           {1, 16, 8, 0, Value},
                           {0, 24, 4, 0, Field::Kind::Shape},
                           {0, 28, 4, 1, Field::Kind::Shape},
                           {2, 32, 4, 0, Value},
                           {3, 36, 4, 0, Value}},
                          40);
  return kernel({param("desc", "tensordesc<fp16[32,64]>"),
                 param("out", "*fp16"), param("row", "i32"),
                 param("col", "i32")},
                {tma, plain});
}

/// A tensor whose elements say where they stand.
struct Grid16 {
  int64_t shape[2], strides[2];
  std::vector<uint16_t> host;
  nereid::Buffer device;

  Grid16(Device &where, int64_t rows, int64_t cols, int64_t stride,
         uint16_t seed)
      : shape{rows, cols}, strides{stride, 1}, host(rows * stride + 8) {
    for (size_t i = 0; i < host.size(); ++i)
      host[i] = uint16_t(i * 40503u + seed) | 1; // never 0
    device = where.alloc(2 * host.size()).value();
    device.write(host.data(), 2 * host.size()).check();
  }
  /// The element of the tensor that starts `shift` elements later.
  uint16_t at(int64_t row, int64_t col, int64_t shift = 0) const {
    bool inside = row >= 0 && row < shape[0] && col >= 0 && col < shape[1];
    return inside ? host[row * strides[0] + col + shift] : 0;
  }
};

int wrongInTile(nereid::Buffer &out, const Grid16 &from, int64_t row,
                int64_t col, int64_t shift = 0) {
  std::vector<uint16_t> got(32 * 64);
  out.read(got.data(), 4096).check();
  int wrong = 0;
  for (int64_t r = 0; r < 32; ++r)
    for (int64_t c = 0; c < 64; ++c)
      wrong += got[r * 64 + c] != from.at(row + r, col + c, shift);
  return wrong;
}

TEST_F(Hardware, TensorMapsAreEncodedMovedAndReshaped) {
  for (bool swizzled : {false, true}) {
    Opened o("cuda:0", write({tileKernel(swizzled)}), "k");
    if (std::string(o.device.target()) < "sm_90")
      GTEST_SKIP() << "no tensor maps on " << o.device.description();
    nereid::Buffer out = o.device.alloc(4096).value();
    // Below 128 KiB, where the driver's map is mended, and above.
    Grid16 first(o.device, 100, 192, 200, 7),
        second(o.device, 100, 192, 200, 9), large(o.device, 3000, 520, 528, 11);
    nereid::Call call = o.call();
    call.setGrid(1, 1, 1).check();
    call.set(1, out).check();
    auto check = [&](const Grid16 &grid, int64_t row, int64_t col,
                     int64_t shift, uint32_t expected) {
      call.setDescriptor(0, static_cast<char *>(grid.device.data()) + 2 * shift,
                         grid.shape, grid.strides)
          .check();
      call.set(2, row).check();
      call.set(3, col).check();
      out.fill(0xee).check();
      std::string where = "row " + std::to_string(row) + " col " +
                          std::to_string(col) + " shift " +
                          std::to_string(shift) + (swizzled ? " swizzled" : "");
      nereid::Status status = call.launch();
      if (status.ok())
        status = o.device.synchronize();
      ASSERT_TRUE(status.ok()) << where << ": " << status.message();
      EXPECT_EQ(variantOf(call), expected) << call.explain();
      EXPECT_EQ(wrongInTile(out, grid, row, col, shift), 0) << where;
    };
    check(first, 0, 0, 0, 0);
    check(first, 80, 160, 0, 0); // beyond both ends: zeros
    // Before both beginnings: zeros. Columns are multiples of 16 bytes: with
    // any other the copy engine of an H100 reports an illegal instruction.
    check(first, -5, -16, 0, 0);
    check(second, 64, 128, 0, 0);  // moved
    check(large, 2980, 496, 0, 0); // reshaped
    check(large, 17, 40, 0, 0);
    check(first, 16, 64, 4, 1);  // 8 bytes past a multiple of 16: plain loads
    check(first, 80, 160, 8, 0); // 16 bytes past: back to the map, and moved
    check(second, -31, 184, 0, 0);
  }
}

//===-- Streams -----------------------------------------------------------===//

Kernel countKernel() { // adds 1 to *p, one thread of each block
  return kernel(
      {param("p", "*i32")},
      {variant("ptx_80",
               entry("7.0", "sm_80", ".param .u64 pp",
                     "  ld.param.u64 %d1, [pp]; mov.u32 %r1, %tid.x;\n"
                     "  setp.ne.u32 %p1, %r1, 0;\n"
                     "  @!%p1 red.global.add.u32 [%d1], 1;\n"),
               32, {{0, 0, 8, 0, Value}}, 8)});
}

TEST_F(Hardware, OneCallOnManyStreamsFromManyThreads) {
  Opened o("cuda:0", write({countKernel()}), "k");
  nereid::Buffer counter = o.device.alloc(4).value();
  counter.fill(0).check();
  nereid::Call call = o.call();
  call.set(0, counter).check();
  call.setGrid(5, 1, 1).check();
  call.bind().check();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      void *stream = nullptr;
      ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
      for (int i = 0; i < 500; ++i)
        ASSERT_EQ(nrd_call_launch(call.get(), stream), NRD_OK);
      ASSERT_EQ(nrd_stream_synchronize(o.device.get(), stream), NRD_OK);
      nrd_stream_destroy(o.device.get(), stream);
    });
  for (std::thread &thread : threads)
    thread.join();
  uint32_t total = 0;
  counter.read(&total, 4).check();
  EXPECT_EQ(total, 4u * 500 * 5);
}

//===-- Scratch -----------------------------------------------------------===//

/// out[block] = block * 3, through the block's own 64 bytes of scratch.
Kernel scratchKernel() {
  Variant made =
      variant("ptx_80",
              entry("7.0", "sm_80", ".param .u64 po, .param .u64 ps",
                    "  ld.param.u64 %d1, [po]; ld.param.u64 %d2, [ps];\n"
                    "  mov.u32 %r1, %ctaid.x; mul.lo.u32 %r2, %r1, 3;\n"
                    "  mul.wide.u32 %d3, %r1, 64; add.u64 %d3, %d2, %d3;\n"
                    "  st.volatile.global.u32 [%d3+60], %r2; membar.gl;\n"
                    "  ld.volatile.global.u32 %r3, [%d3+60];\n"
                    "  mul.wide.u32 %d4, %r1, 4; add.u64 %d4, %d1, %d4;\n"
                    "  st.global.u32 [%d4], %r3;\n"),
              1, {{0, 0, 8, 0, Value}, {0, 8, 8, 0, Field::Kind::Scratch}}, 16);
  made.scratchSize = 64;
  return kernel({param("out", "*i32")}, {made});
}

int wrongTriples(nereid::Buffer &out, uint32_t count) {
  std::vector<uint32_t> got(count);
  out.read(got.data(), 4 * count).check();
  int wrong = 0;
  for (uint32_t i = 0; i < count; ++i)
    wrong += got[i] != 3 * i;
  return wrong;
}

TEST_F(Hardware, ScratchOfTheDriverAndOfTheCaller) {
  Opened o("cuda:0", write({scratchKernel()}), "k");
  nereid::Buffer out = o.device.alloc(4 * 1000).value();
  nereid::Call call = o.call();
  call.set(0, out).check();
  for (uint32_t blocks : {10u, 1000u, 3u}) { // grows once, then stays
    out.fill(0xff).check();
    call.setGrid(blocks, 1, 1).check();
    call.launch().check();
    EXPECT_EQ(wrongTriples(out, blocks), 0);
    size_t size = 0;
    ASSERT_EQ(nrd_call_scratch_size(call.get(), &size), NRD_OK);
    EXPECT_EQ(size, 64u * blocks);
  }
  nereid::Buffer mine = o.device.alloc(64 * 100).value();
  mine.fill(0xaa).check();
  ASSERT_EQ(nrd_call_set_scratch(call.get(), mine.data(), mine.size()), NRD_OK);
  call.setGrid(100, 1, 1).check();
  out.fill(0xff).check();
  call.launch().check();
  EXPECT_EQ(wrongTriples(out, 100), 0);
  std::vector<uint32_t> used(64 * 100 / 4);
  mine.read(used.data(), mine.size()).check();
  EXPECT_EQ(used[16 * 99 + 15], 297u) << "the caller's memory was used";
  call.setGrid(101, 1, 1).check();
  EXPECT_FAILS(call.launch(), NRD_INVALID_ARGUMENT, "bytes of scratch");
}

//===-- Clusters, shared memory, cooperation ------------------------------===//

TEST_F(Hardware, Clusters) {
  for (uint32_t size : {2u, 8u, 16u}) { // 16 needs an opt-in
    // out[block] = the block's rank in its cluster, read from its neighbour's
    // shared memory, plus 1000 * the cluster's size.
    Variant made = variant(
        "ptx_90",
        entry(
            "8.0", "sm_90", ".param .u64 po",
            "  .shared .align 4 .b32 mine;\n"
            "  ld.param.u64 %d1, [po]; mov.u32 %r1, %ctaid.x;\n"
            "  mov.u32 %r2, %cluster_ctarank;"
            " mov.u32 %r3, %cluster_nctarank;\n"
            "  st.shared.u32 [mine], %r2;\n"
            "  barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n"
            "  add.u32 %r4, %r2, 1; rem.u32 %r4, %r4, %r3;\n"
            "  mov.u32 %r5, mine; mapa.shared::cluster.u32 %r6, %r5, %r4;\n"
            "  ld.shared::cluster.u32 %r7, [%r6];\n"
            "  barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n"
            "  mad.lo.u32 %r8, %r3, 1000, %r7;\n"
            "  mul.wide.u32 %d2, %r1, 4; add.u64 %d2, %d1, %d2;\n"
            "  st.global.u32 [%d2], %r8;\n"),
        32, {{0, 0, 8, 0, Value}}, 8);
    made.cluster = {size, 1, 1};
    Opened o("cuda:0", write({kernel({param("out", "*i32")}, {made})}), "k");
    if (std::string(o.device.target()) < "sm_90")
      GTEST_SKIP() << "no clusters on " << o.device.description();
    nereid::Buffer out = o.device.alloc(4 * 64).value();
    nereid::Call call = o.call();
    call.set(0, out).check();
    call.setGrid(64, 1, 1).check();
    out.fill(0xff).check();
    call.launch().check();
    std::vector<uint32_t> got(64);
    out.read(got.data(), 256).check();
    for (uint32_t i = 0; i < 64; ++i)
      EXPECT_EQ(got[i], 1000 * size + (i + 1) % size) << i;
    call.setGrid(65, 1, 1).check();
    EXPECT_FAILS(call.launch(), NRD_INVALID_ARGUMENT, "clusters");
  }
}

TEST_F(Hardware, SharedMemoryBeyond48KiB) {
  Variant made =
      variant("ptx_80",
              entry("7.0", "sm_80", ".param .u64 po",
                    "  ld.param.u64 %d1, [po]; mov.u32 %r1, %tid.x;\n"
                    "  mov.u32 %r2, memory; mad.lo.u32 %r3, %r1, 4, %r2;\n"
                    "  add.u32 %r4, %r1, 7;\n"
                    "  st.shared.u32 [%r3+98176], %r4; bar.sync 0;\n"
                    "  xor.b32 %r5, %r1, 31; mad.lo.u32 %r6, %r5, 4, %r2;\n"
                    "  ld.shared.u32 %r7, [%r6+98176];\n"
                    "  mul.wide.u32 %d2, %r1, 4; add.u64 %d2, %d1, %d2;\n"
                    "  st.global.u32 [%d2], %r7;\n",
                    ".extern .shared .align 16 .b8 memory[];\n"),
              32, {{0, 0, 8, 0, Value}}, 8);
  made.sharedSize = 96 * 1024;
  Kernel over = kernel({param("out", "*i32")}, {made});
  over.name = "over";
  over.variants[0].sharedSize = 1 << 20;
  Opened o("cuda:0", write({kernel({param("out", "*i32")}, {made}), over}),
           "k");
  nereid::Buffer out = o.device.alloc(128).value();
  nereid::Call call = o.call();
  call.set(0, out).check();
  call.setGrid(1, 1, 1).check();
  call.launch().check();
  std::vector<uint32_t> got(32);
  out.read(got.data(), 128).check();
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(got[i], (i ^ 31) + 7);
  nrd_status_t status = o.pack.find("over", o.device).status().code();
  EXPECT_EQ(status, NRD_INCOMPATIBLE);
  EXPECT_NE(std::string(nrd_error_message()).find("shared memory"),
            std::string::npos);
}

TEST_F(Hardware, CooperativeAndDependentLaunches) {
  // Every block waits until all have arrived: only a cooperative launch may.
  Variant all =
      variant("ptx_80",
              entry("7.0", "sm_80", ".param .u64 pc, .param .u64 po",
                    "  ld.param.u64 %d1, [pc]; ld.param.u64 %d2, [po];\n"
                    "  mov.u32 %r1, %nctaid.x; mov.u32 %r2, %ctaid.x;\n"
                    "  red.global.add.u32 [%d1], 1;\n"
                    "again:\n"
                    "  ld.volatile.global.u32 %r3, [%d1];\n"
                    "  setp.lt.u32 %p1, %r3, %r1; @%p1 bra again;\n"
                    "  mul.wide.u32 %d3, %r2, 4; add.u64 %d3, %d2, %d3;\n"
                    "  st.global.u32 [%d3], %r2;\n"),
              1, {{0, 0, 8, 0, Value}, {1, 8, 8, 0, Value}}, 16);
  all.cooperative = true;
  {
    Opened o("cuda:0",
             write({kernel({param("c", "*i32"), param("out", "*i32")}, {all})}),
             "k");
    nereid::Buffer counter = o.device.alloc(4).value();
    nereid::Buffer out = o.device.alloc(4 * 100).value();
    counter.fill(0).check();
    out.fill(0xff).check();
    nereid::Call call = o.kernel.call(counter, out).value();
    call.setGrid(100, 1, 1).check();
    call.launch().check();
    std::vector<uint32_t> got(100);
    out.read(got.data(), 400).check();
    for (uint32_t i = 0; i < 100; ++i)
      EXPECT_EQ(got[i], i);
    call.setGrid(1 << 20, 1, 1).check(); // more than fit at once
    EXPECT_FAILS(call.launch(), NRD_DRIVER_ERROR, "COOPERATIVE");
  }
  // *p = *p * 3 + 1 by one thread, each launch allowed to start early.
  Variant next = variant("ptx_90",
                         entry("8.0", "sm_90", ".param .u64 pp",
                               "  ld.param.u64 %d1, [pp];\n"
                               "  griddepcontrol.launch_dependents;\n"
                               "  griddepcontrol.wait;\n"
                               "  ld.volatile.global.u32 %r1, [%d1];\n"
                               "  mad.lo.u32 %r1, %r1, 3, 1;\n"
                               "  st.volatile.global.u32 [%d1], %r1;\n"),
                         1, {{0, 0, 8, 0, Value}}, 8);
  next.pdl = true;
  Opened o("cuda:0", write({kernel({param("p", "*i32")}, {next})}), "k");
  if (std::string(o.device.target()) < "sm_90")
    GTEST_SKIP() << "no dependent launches on " << o.device.description();
  nereid::Buffer value = o.device.alloc(4).value();
  value.fill(0).check();
  nereid::Call call = o.kernel.call(value).value();
  call.setGrid(1, 1, 1).check();
  void *stream = nullptr;
  ASSERT_EQ(nrd_stream_create(o.device.get(), &stream), NRD_OK);
  uint32_t expected = 0, got = 0;
  for (int i = 0; i < 200; ++i) {
    call.launch(stream).check();
    expected = expected * 3 + 1;
  }
  ASSERT_EQ(nrd_stream_synchronize(o.device.get(), stream), NRD_OK);
  value.read(&got, 4).check();
  EXPECT_EQ(got, expected);
  nrd_stream_destroy(o.device.get(), stream);
}

//===-- Images the driver turns down --------------------------------------===//

TEST_F(Hardware, TheNextVariantServesWhereAnImageIsTurnedDown) {
  Kernel count = countKernel();
  Variant tooNew = count.variants[0], broken = count.variants[0];
  tooNew.target = "ptx_86"; // ranks before ptx_80
  tooNew.image = makeBytes(".version 19.0\n.target sm_86\n"
                           ".address_size 64\n");
  count.variants.insert(count.variants.begin(), tooNew);
  Kernel none = countKernel();
  none.name = "none";
  broken.image = makeBytes(".version 7.0\n.target sm_80\nnonsense\n");
  none.variants = {broken};
  Opened o("cuda:0", write({count, none}), "k");
  nereid::Buffer counter = o.device.alloc(4).value();
  counter.fill(0).check();
  nereid::Call call = o.kernel.call(counter).value();
  call.setGrid(3, 1, 1).check();
  call.launch().check();
  EXPECT_EQ(variantOf(call), 1u);
  uint32_t total = 0;
  counter.read(&total, 4).check();
  EXPECT_EQ(total, 3u);
  nereid::Call bad =
      o.pack.find("none", o.device).value().call(counter).value();
  bad.setGrid(1, 1, 1).check();
  nereid::Status refused = bad.bind();
  EXPECT_STREQ(refused.name(), "NRD_INCOMPATIBLE") << refused.message();
  std::printf("what a broken image says: %s\n", refused.message().c_str());
}

TEST_F(Hardware, ABlockLongerThanTheParametersIsCut) {
  // The driver refuses one that is too long, so the runtime asks for the size.
  Kernel count = countKernel();
  count.variants[0].paramSize = 24;
  Opened o("cuda:0", write({count}), "k");
  nereid::Buffer counter = o.device.alloc(4).value();
  counter.fill(0).check();
  nereid::Call call = o.kernel.call(counter).value();
  call.setGrid(9, 1, 1).check();
  call.launch().check();
  uint32_t total = 0;
  counter.read(&total, 4).check();
  EXPECT_EQ(total, 9u);
  const void *params = nullptr;
  size_t size = 0;
  ASSERT_EQ(nrd_call_params(call.get(), &params, &size), NRD_OK);
  EXPECT_EQ(size, 8u);
}

//===-- Several devices ---------------------------------------------------===//

TEST_F(Hardware, TwoDevicesAtOnce) {
  uint32_t count = nrd_device_count("cuda");
  if (count < 2)
    GTEST_SKIP() << "one GPU here";
  std::string bytes = write({countKernel()});
  nereid::Pack pack =
      nereid::Pack::openMemory(bytes.data(), bytes.size()).value();
  std::vector<Device> devices;
  std::vector<nereid::Buffer> counters;
  std::vector<nereid::Call> calls;
  for (uint32_t i = 0; i < count; ++i) {
    devices.push_back(
        Device::open(("cuda:" + std::to_string(i)).c_str()).value());
    counters.push_back(devices[i].alloc(4).value());
    counters[i].fill(0).check();
    calls.push_back(
        pack.find("k", devices[i]).value().call(counters[i]).value());
    calls[i].setGrid(7, 1, 1).check();
  }
  // From one thread in turns, then from a thread per device.
  for (int round = 0; round < 100; ++round)
    for (nereid::Call &call : calls)
      call.launch().check();
  std::vector<std::thread> threads;
  for (nereid::Call &call : calls)
    threads.emplace_back([&call] {
      for (int i = 0; i < 300; ++i)
        call.launch().check();
    });
  for (std::thread &thread : threads)
    thread.join();
  for (uint32_t i = 0; i < count; ++i) {
    devices[i].synchronize().check();
    uint32_t total = 0;
    counters[i].read(&total, 4).check();
    EXPECT_EQ(total, 400u * 7) << devices[i].description();
  }
}

//===-- Faults ------------------------------------------------------------===//

TEST_F(Hardware, AFaultIsAStatusNotACrash) {
  // In a process of its own: a fault is the end of a CUDA context.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Opened o("cuda:0", write({countKernel()}), "k");
        nereid::Call call = o.call();
        call.set(0, address(0x10)).check();
        call.setGrid(1, 1, 1).check();
        call.launch().check();
        nereid::Status status = o.device.synchronize();
        std::fprintf(stderr, "%s: %s\n", status.name(),
                     status.message().c_str());
        std::exit(status.ok() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "NRD_DRIVER_ERROR: cuda:0: .*ADDRESS");
}

} // namespace
