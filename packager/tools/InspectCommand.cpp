//===- InspectCommand.cpp - nereid inspect --------------------------------===//

#include "packager/tools/Commands.h"
#include "packager/tools/Console.h"
#include "packager/tools/Json.h"

#include "packager/Suggest.h"
#include "packager/Tuning.h"

#include <algorithm>
#include <cstring>

namespace nereid::tool {

using pack::concat;

static std::string predicateText(const pack::Kernel &kernel,
                                 const pack::Predicate &predicate) {
  const std::string &name = kernel.params[predicate.slot].name;
  switch (predicate.kind) {
  case pack::Predicate::Kind::DivisibleBy:
    return concat(name, " % ", predicate.value, " == 0");
  case pack::Predicate::Kind::Equals:
    return concat(name, " == ", predicate.value);
  case pack::Predicate::Kind::Below:
    return concat("0 <= ", name, " < ", predicate.value);
  }
  return "";
}

// "a_ptr, b_ptr and M divisible by 16", shorter than one text per predicate.
static std::string needsText(const pack::Kernel &kernel,
                             const pack::Variant &variant) {
  std::vector<std::string> divisible, rest;
  for (const pack::Predicate &predicate : variant.predicates)
    if (predicate.kind == pack::Predicate::Kind::DivisibleBy &&
        predicate.value == 16)
      divisible.push_back(kernel.params[predicate.slot].name);
    else
      rest.push_back(predicateText(kernel, predicate));
  std::string text;
  if (!divisible.empty())
    text = pack::listText(divisible) + " divisible by 16";
  for (const std::string &one : rest)
    text += (text.empty() ? "" : ", ") + one;
  std::vector<std::string> mapped;
  for (const pack::TensorMap &map : variant.tensorMaps) {
    const std::string &name = kernel.params[map.slot].name;
    if (std::find(mapped.begin(), mapped.end(), name) == mapped.end())
      mapped.push_back(name);
  }
  if (!mapped.empty())
    text += concat(text.empty() ? "" : ", ", pack::listText(mapped),
                   mapped.size() == 1 ? " suiting a tensor map"
                                      : " suiting tensor maps");
  return text.empty() ? "anything" : text;
}

static void writeTensorMap(Json &json, const pack::TensorMap &map) {
  json.object([&] {
    json.member("slot", map.slot);
    json.member("element_type", unsigned(map.elementType));
    json.member("interleave", unsigned(map.interleave));
    json.member("swizzle", unsigned(map.swizzle));
    json.member("l2_promotion", unsigned(map.l2Promotion));
    json.member("oob_fill", unsigned(map.oobFill));
    json.member("box", map.box);
    // Of an array behind a pointer; a descriptor brings its own.
    for (const auto &[key, programs] :
         {std::pair("shape", &map.shape), {"strides", &map.strides}})
      if (!programs->empty())
        json.arrayMember(key, [&, programs = programs] {
          for (const pack::GridAxis &program : *programs)
            json.value(program.text);
        });
  });
}

static std::string constantText(const pack::Param &param) {
  if (param.kind == pack::Param::Kind::Float) {
    double value;
    std::memcpy(&value, &param.constant, sizeof(value));
    return concat(value);
  }
  return std::to_string(param.constant);
}

static void writeKernel(Json &json, const pack::Kernel &kernel) {
  json.object([&] {
    json.member("name", kernel.name);
    json.member("doc", kernel.doc);
    json.member("source", kernel.source);
    json.member("function", kernel.function);
    json.member("source_xxh3", pack::hexText(&kernel.sourceXxh3, 8));
    json.arrayMember("params", [&] {
      for (const pack::Param &param : kernel.params)
        json.object([&] {
          json.member("name", param.name);
          json.member("type", param.type);
          if (param.hasConstant) {
            json.key("constant");
            if (param.kind == pack::Param::Kind::Float) {
              double value;
              std::memcpy(&value, &param.constant, sizeof(value));
              json.value(value);
            } else {
              json.value(param.constant);
            }
          }
          if (!param.doc.empty())
            json.member("doc", param.doc);
        });
    });
    json.arrayMember("configs", [&] {
      for (const pack::Config &config : kernel.configs)
        json.object([&] {
          json.objectMember("constants", [&] {
            for (const pack::Constant &constant : config.constants)
              json.member(constant.name, constant.text);
          });
          json.member("num_warps", config.numWarps);
          json.member("num_stages", config.numStages);
          json.member("num_ctas", config.numCtas);
          json.arrayMember("grid", [&] {
            for (const pack::GridAxis &axis : config.grid)
              json.value(axis.text);
          });
          json.member("ir_size", uint64_t(config.ir ? config.ir->size() : 0));
        });
    });
    json.arrayMember("variants", [&] {
      for (const pack::Variant &variant : kernel.variants)
        json.object([&] {
          json.member("target", variant.target);
          json.member("config", variant.config);
          json.arrayMember("needs", [&] {
            for (const pack::Predicate &predicate : variant.predicates)
              json.value(predicateText(kernel, predicate));
            for (const pack::TensorMap &map : variant.tensorMaps)
              json.value(kernel.params[map.slot].name + " suits a tensor map");
          });
          json.member("symbol", variant.symbol);
          json.member("image_size", uint64_t(variant.image->size()));
          json.member("image_blake2b",
                      pack::hexText(pack::blake2b(*variant.image)));
          json.member("block", variant.block);
          json.member("cluster", variant.cluster);
          json.member("shared_size", variant.sharedSize);
          json.member("scratch_size", variant.scratchSize);
          json.member("param_size", variant.paramSize);
          json.arrayMember("fields", [&] {
            static const char *const kinds[] = {"value", "shape", "stride",
                                                "tensor_map", "scratch"};
            for (const pack::Field &field : variant.fields)
              json.object([&] {
                json.member("kind", kinds[unsigned(field.kind)]);
                json.member("slot", field.slot);
                json.member("offset", field.offset);
                json.member("size", field.size);
                json.member("index", field.index);
              });
          });
          json.arrayMember("tensor_maps", [&] {
            for (const pack::TensorMap &map : variant.tensorMaps)
              writeTensorMap(json, map);
          });
          json.member("min_driver", variant.minDriver);
          json.member("pdl", variant.pdl);
          json.member("cooperative", variant.cooperative);
          json.member("registers", variant.resources.registers);
          json.member("spill_bytes", variant.resources.spillBytes);
          json.member("text_size", variant.resources.textSize);
          json.member("notes", variant.resources.notes);
        });
    });
    json.arrayMember("tuning", [&] {
      for (const pack::TuningTable &table : kernel.tuning)
        json.object([&] {
          json.member("target", table.target);
          json.member("device", table.device);
          json.arrayMember("keys", [&] {
            for (const pack::GridAxis &key : table.keys)
              json.value(key.text);
          });
          json.arrayMember("rows", [&] {
            for (const pack::TuningRow &row : table.rows)
              json.object([&] {
                json.member("upper", row.upper);
                json.member("config", row.config);
              });
          });
        });
    });
    json.member("autotune_key", kernel.autotuneKey);
    json.objectMember("provenance", [&] {
      for (const pack::KeyValue &pair : kernel.provenance)
        json.member(pair.key, pair.value);
    });
  });
}

static void writePack(Json &json, const pack::Pack &pack,
                      const pack::FileFacts &facts, const std::string &path) {
  json.object([&] {
    json.member("pack", path);
    json.member("name", pack.name);
    json.member("producer", pack.producer);
    json.member("format", concat(facts.versionMajor, ".", facts.versionMinor));
    json.member("size", facts.fileSize);
    json.member("index_size", facts.indexSize);
    json.member("blobs", facts.blobCount);
    json.member("blob_bytes", facts.rawBlobs);
    json.member("stored_bytes", facts.storedBlobs);
    json.member("signed_by",
                facts.signatures.empty()
                    ? std::string()
                    : pack::hexText(facts.signatures[0].publicKey.data(), 32));
    json.member("targets", pack.targets());
    json.objectMember("provenance", [&] {
      for (const pack::KeyValue &pair : pack.provenance)
        json.member(pair.key, pair.value);
    });
    json.arrayMember("kernels", [&] {
      for (const pack::Kernel &kernel : pack.kernels)
        writeKernel(json, kernel);
    });
  });
}

// What one kernel has for one target: "2 × 14 KiB", or "-".
static std::string cellText(const pack::Kernel &kernel,
                            const std::string &target) {
  size_t count = 0, largest = 0;
  for (const pack::Variant &variant : kernel.variants)
    if (variant.target == target) {
      ++count;
      largest = std::max(largest, variant.image->size());
    }
  if (!count)
    return styled(Style::Dim, "-");
  std::string size = sizeText(largest);
  return count == 1 ? size : concat(count, " x ", size);
}

static std::string overview(const pack::Pack &pack,
                            const pack::FileFacts &facts,
                            const std::string &path) {
  size_t variants = 0;
  for (const pack::Kernel &kernel : pack.kernels)
    variants += kernel.variants.size();
  std::string text =
      styled(Style::Bold, pack.name) + "  " + styled(Style::Dim, path) + "\n";
  text += concat(counted(pack.kernels.size(), "kernel"), ", ",
                 counted(variants, "variant"), ", ",
                 counted(pack.targets().size(), "target"), "; ",
                 sizeText(facts.fileSize), " on disk: index ",
                 sizeText(facts.indexSize), ", code and IR ",
                 sizeText(facts.storedBlobs), " (", sizeText(facts.rawBlobs),
                 " unpacked)\n");
  text +=
      concat("format ", facts.versionMajor, ".", facts.versionMinor,
             ", made by ", pack.producer, ", ",
             facts.signatures.empty()
                 ? std::string("not signed")
                 : "signed by " +
                       pack::hexText(facts.signatures[0].publicKey.data(), 32),
             "\n\n");
  std::vector<std::string> targets = pack.targets();
  Table table(2);
  std::vector<std::string> heads = {"KERNEL", "SOURCE", "CONFIGS"};
  heads.insert(heads.end(), targets.begin(), targets.end());
  table.row(heads);
  // The file's order is by hash; people look for names.
  std::vector<const pack::Kernel *> sorted;
  for (const pack::Kernel &kernel : pack.kernels)
    sorted.push_back(&kernel);
  std::sort(sorted.begin(), sorted.end(),
            [](auto *a, auto *b) { return a->name < b->name; });
  for (const pack::Kernel *kernel : sorted) {
    std::vector<std::string> row = {kernel->name,
                                    kernel->source + ":" + kernel->function,
                                    std::to_string(kernel->configs.size())};
    for (const std::string &target : targets)
      row.push_back(cellText(*kernel, target));
    table.row(row);
  }
  return text + table.text();
}

static std::string details(const pack::Kernel &kernel) {
  std::string text = styled(Style::Bold, kernel.name) + "  " +
                     styled(Style::Dim, kernel.source + ":" + kernel.function) +
                     "\n";
  if (!kernel.doc.empty())
    text += kernel.doc + "\n";
  text += "\n";
  Table params;
  params.row({"SLOT", "PARAMETER", "TYPE", ""});
  for (size_t i = 0; i < kernel.params.size(); ++i) {
    const pack::Param &param = kernel.params[i];
    params.row(
        {std::to_string(i), param.name, param.type,
         param.hasConstant ? "always " + constantText(param) : param.doc});
  }
  text += params.text() + "\n";
  Table configs;
  configs.row({"CONFIG", "CONSTANTS", "GRID"});
  for (size_t i = 0; i < kernel.configs.size(); ++i) {
    std::string grid;
    for (const pack::GridAxis &axis : kernel.configs[i].grid)
      grid += (grid.empty() ? "" : ", ") + axis.text;
    configs.row({std::to_string(i), pack::configText(kernel.configs[i]),
                 grid.empty() ? "set by the caller" : grid});
  }
  text += configs.text() + "\n";
  bool hasGPU = std::any_of(
      kernel.variants.begin(), kernel.variants.end(),
      [](const pack::Variant &variant) { return !variant.block.empty(); });
  Table variants;
  std::vector<std::string> heads = {"VARIANT", "TARGET", "CONFIG", "IMAGE",
                                    "SCRATCH"};
  if (hasGPU)
    heads.insert(heads.end(), {"THREADS", "SHARED", "REGS", "SPILLS"});
  heads.push_back("NEEDS");
  variants.row(heads);
  for (size_t i = 0; i < kernel.variants.size(); ++i) {
    const pack::Variant &variant = kernel.variants[i];
    std::vector<std::string> row = {
        std::to_string(i), variant.target, std::to_string(variant.config),
        sizeText(variant.image->size()),
        variant.scratchSize ? sizeText(variant.scratchSize) : "-"};
    if (hasGPU) {
      uint64_t threads = 1;
      for (uint32_t size : variant.block)
        threads *= size;
      const pack::Resources &used = variant.resources;
      row.insert(row.end(),
                 {variant.block.empty() ? "-" : std::to_string(threads),
                  variant.sharedSize ? sizeText(variant.sharedSize) : "-",
                  used.registers ? std::to_string(used.registers) : "-",
                  used.spillBytes
                      ? styled(Style::Red, sizeText(used.spillBytes))
                      : "-"});
    }
    row.push_back(needsText(kernel, variant));
    variants.row(row);
  }
  text += variants.text();
  for (size_t i = 0; i < kernel.variants.size(); ++i)
    for (const std::string &one : kernel.variants[i].resources.notes)
      text += concat("variant ", i, ": ", one, "\n");
  for (const pack::TuningTable &table : kernel.tuning) {
    text += concat("\ntuned for ", table.target,
                   table.device.empty() ? "" : " on " + table.device, ":\n");
    Table rows;
    std::vector<std::string> heads;
    for (const pack::GridAxis &key : table.keys)
      heads.push_back(key.text + " up to");
    heads.push_back("CONFIG");
    rows.row(heads);
    for (const pack::TuningRow &row : table.rows) {
      std::vector<std::string> cells;
      for (int64_t bound : row.upper)
        cells.push_back(bound == INT64_MAX ? "any" : std::to_string(bound));
      cells.push_back(std::to_string(row.config));
      rows.row(cells);
    }
    text += rows.text();
  }
  if (!kernel.provenance.empty()) {
    text += "\n";
    for (const pack::KeyValue &pair : kernel.provenance)
      text += styled(Style::Dim, pair.key + ": " + pair.value) + "\n";
  }
  return text;
}

int runInspect(const InspectCommand &command) {
  pack::Pack read;
  pack::FileFacts facts;
  // A pack without fallback may still be looked at.
  if (!openPack(command.pack, read, &facts, /*requireFallback=*/false))
    return kFailure;
  if (command.kernel.empty() && command.ir)
    return usage("--ir shows one kernel's IR; name the kernel");
  const pack::Kernel *kernel = nullptr;
  if (!command.kernel.empty()) {
    kernel = read.find(command.kernel);
    if (!kernel) {
      std::vector<std::string> names;
      for (const pack::Kernel &one : read.kernels)
        names.push_back(one.name);
      return fail("'" + command.pack + "' has no kernel '" + command.kernel +
                  "'" + pack::suggestion(command.kernel, names, "it has"));
    }
  }
  if (command.ir) {
    for (size_t i = 0; i < kernel->configs.size(); ++i) {
      const pack::Config &config = kernel->configs[i];
      if (!config.ir)
        return fail(concat("config ", i, " of '", kernel->name,
                           "' has no IR; it was stripped"));
      print((i ? "\n// " : "// ") + pack::configText(config) + "\n" +
            *config.ir);
    }
    return kSuccess;
  }
  if (command.json) {
    Json json;
    if (kernel)
      writeKernel(json, *kernel);
    else
      writePack(json, read, facts, command.pack);
    print(json.take());
    return kSuccess;
  }
  print(kernel ? details(*kernel) : overview(read, facts, command.pack));
  return kSuccess;
}

} // namespace nereid::tool
