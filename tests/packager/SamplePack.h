//===- SamplePack.h - A pack that uses every field --------------*- C++ -*-===//

#ifndef NEREID_TESTS_PACKAGER_SAMPLEPACK_H
#define NEREID_TESTS_PACKAGER_SAMPLEPACK_H

#include "packager/Archive.h"

namespace nereid::pack {

inline std::string noise(size_t size, uint32_t seed) {
  std::string bytes(size, '\0');
  for (char &c : bytes) {
    seed = seed * 1664525u + 1013904223u;
    c = static_cast<char>(seed >> 24);
  }
  return bytes;
}

inline Kernel sampleKernel(const std::string &name, uint32_t seed) {
  Kernel kernel;
  kernel.name = name;
  kernel.doc = "Multiplies.";
  kernel.source = "tile_kernels.py";
  kernel.function = "matmul";
  kernel.sourceXxh3 = 77;
  kernel.autotuneKey = {"M"};
  for (auto [param, type] : {std::pair("a_ptr", "*kfp16"),
                             {"M", "i32"},
                             {"scale", "fp32"},
                             {"desc", "tensordesc<fp16[128,64]>"},
                             {"stride", "i64"}})
    kernel.params.push_back(*makeParam(param, type));
  kernel.params[0].doc = "the left matrix";
  kernel.params[4].hasConstant = true;
  kernel.params[4].constant = 1;

  Config config;
  config.constants = {{"BLOCK_M", "128"}, {"ACTIVATION", "'gelu'"}};
  config.numWarps = 8;
  GridAxis axis;
  axis.text = "cdiv(M, BLOCK_M)";
  axis.steps = {
      {1, GridOp::PushSlot}, {128, GridOp::PushConst}, {0, GridOp::CDiv}};
  GridAxis batch;
  batch.text = "desc.shape[1]";
  batch.steps = {{3 * 8 + 1, GridOp::PushDim}};
  config.grid = {axis, batch};
  config.ir = makeBytes("module {\n  tt.func @matmul() " + name + "\n}\n");
  kernel.configs = {config};

  Variant generic;
  generic.target = "sm_90a";
  generic.image = makeBytes("\x7f"
                            "ELF" +
                            std::string(400, 'x') + noise(50, seed));
  generic.symbol = "matmul_0";
  generic.block = {256, 1, 1};
  generic.cluster = {2, 1, 1};
  generic.sharedSize = 98304;
  generic.scratchSize = 256;
  generic.scratchAlign = 128;
  generic.minDriver = 12040;
  generic.pdl = true;
  generic.cooperative = true;
  generic.paramSize = 192;
  generic.fields = {
      {0, 0, 8, 0, Field::Kind::Value},   {1, 8, 4, 0, Field::Kind::Value},
      {2, 12, 4, 0, Field::Kind::Value},  {3, 16, 4, 0, Field::Kind::Shape},
      {3, 24, 8, 1, Field::Kind::Stride}, {0, 32, 8, 0, Field::Kind::Scratch}};
  generic.resources = {168, 0, 4096, {"uses wgmma"}};
  Variant aligned = generic;
  aligned.predicates = {{16, 0, Predicate::Kind::DivisibleBy},
                        {1 << 20, 1, Predicate::Kind::Below}};
  aligned.fields.push_back({3, 64, 128, 0, Field::Kind::TensorMap});
  aligned.tensorMaps = {{3, 6, 3, 0, 2, 0, {64, 128}}};
  aligned.image = makeBytes(noise(300, seed + 1));
  Variant cpu;
  cpu.target = "x86-64-v3";
  cpu.image = makeBytes(std::string(1000, 'c') + name);
  cpu.symbol = "matmul";
  cpu.paramSize = 16;
  cpu.fields = {{0, 0, 8, 0, Field::Kind::Value},
                {1, 8, 4, 0, Field::Kind::Value},
                {2, 12, 4, 0, Field::Kind::Value}};
  kernel.variants = {aligned, generic, cpu};

  TuningTable table;
  table.target = "sm_90a";
  table.device = "NVIDIA H100 80GB HBM3";
  GridAxis key;
  key.text = "M";
  key.steps = {{1, GridOp::PushSlot}};
  table.keys = {key};
  table.rows = {{{4096}, 0}};
  kernel.tuning = {table};
  kernel.provenance = {{"flags", "-O3"}};
  return kernel;
}

/// A kernel with every kind of recipe for a tensor map: of an array behind a
/// pointer, by programs that together use every operation, and of a descriptor.
/// No field of the last map has its default, so each has a place in the file.
inline Kernel recipeKernel(const std::string &name, uint32_t seed) {
  Kernel kernel;
  kernel.name = name;
  for (auto [param, type] : {std::pair("a_ptr", "*kfp16"),
                             {"M", "i32"},
                             {"N", "i32"},
                             {"ld", "i64"},
                             {"x", "tensordesc<bf16[2,2,8,8,64]>"},
                             {"out_ptr", "*fp32"}})
    kernel.params.push_back(*makeParam(param, type));
  auto axis = [](std::vector<GridStep> steps, const char *text) {
    GridAxis made;
    made.steps = std::move(steps);
    made.text = text;
    return made;
  };
  GridAxis one = axis({{1, GridOp::PushConst}}, "1");
  GridAxis m = axis({{1, GridOp::PushSlot}}, "M");
  GridAxis n = axis({{2, GridOp::PushSlot}}, "N");
  GridAxis ld = axis({{3, GridOp::PushSlot}}, "ld");
  GridAxis all = axis({{1, GridOp::PushSlot},
                       {2, GridOp::PushSlot},
                       {0, GridOp::Mul},
                       {8, GridOp::PushConst},
                       {0, GridOp::CDiv},
                       {4 * 8 + 4, GridOp::PushDim},
                       {64, GridOp::PushConst},
                       {0, GridOp::Add},
                       {0, GridOp::Min},
                       {1, GridOp::PushSlot},
                       {1, GridOp::PushSlot},
                       {4, GridOp::PushConst},
                       {0, GridOp::Mod},
                       {0, GridOp::Sub},
                       {2, GridOp::PushConst},
                       {0, GridOp::Div},
                       {0, GridOp::Max}},
                      "max(min(cdiv(M * N, 8), x.shape[4] + 64), "
                      "(M - M % 4) // 2)");
  Config config;
  config.grid = {
      axis({{1, GridOp::PushSlot}, {128, GridOp::PushConst}, {0, GridOp::CDiv}},
           "cdiv(M, 128)")};
  config.ir = makeBytes("module {}");
  kernel.configs = {config};

  Variant generic;
  generic.target = "sm_90a";
  generic.image = makeBytes("\x7f"
                            "ELF" +
                            noise(100, seed));
  generic.symbol = name;
  generic.block = {128, 1, 1};
  generic.paramSize = 40;
  generic.fields = {
      {0, 0, 8, 0, Field::Kind::Value},  {1, 8, 4, 0, Field::Kind::Value},
      {2, 12, 4, 0, Field::Kind::Value}, {3, 16, 8, 0, Field::Kind::Value},
      {4, 24, 8, 0, Field::Kind::Value}, {5, 32, 8, 0, Field::Kind::Value}};
  Variant mapped = generic;
  mapped.symbol = name + "_mapped";
  mapped.predicates = {{16, 0, Predicate::Kind::DivisibleBy}};
  mapped.paramSize = 3 * 128 + 8;
  mapped.fields = {{0, 0, 128, 0, Field::Kind::TensorMap},
                   {5, 128, 128, 1, Field::Kind::TensorMap},
                   {4, 256, 128, 2, Field::Kind::TensorMap},
                   {1, 384, 4, 0, Field::Kind::Value},
                   {2, 388, 4, 0, Field::Kind::Value}};
  mapped.tensorMaps = {{0, 6, 3, 0, 2, 0, {64, 128}, {m, n}, {ld, one}},
                       {5, 7, 0, 0, 1, 1, {32}, {all}, {one}},
                       {4, 9, 1, 2, 3, 1, {64, 8, 8, 2, 2}}};
  mapped.minDriver = 12040;
  kernel.variants = {mapped, generic};
  return kernel;
}

inline Pack recipePack() {
  Pack pack;
  pack.name = "recipes";
  pack.producer = "nereid test";
  pack.kernels = {recipeKernel("gather", 4)};
  return pack;
}

inline Pack samplePack() {
  Pack pack;
  pack.name = "sample";
  pack.producer = "nereid test";
  pack.provenance = {{"compiler", "LLVM"}};
  pack.kernels = {sampleKernel("matmul_f16", 1), sampleKernel("matmul_bf16", 2),
                  sampleKernel("matmul_i8", 3)};
  return pack;
}

} // namespace nereid::pack

#endif // NEREID_TESTS_PACKAGER_SAMPLEPACK_H
