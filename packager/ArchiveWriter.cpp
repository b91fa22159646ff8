//===- ArchiveWriter.cpp - From plain data to bytes -----------------------===//
//
// The order of the parts and of everything inside them depends on the pack's
// contents alone, so that equal packs are equal files.
//
//===----------------------------------------------------------------------===//

#include "packager/BlobTable.h"

#include <algorithm>
#include <map>

namespace nereid::pack {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// One kernel's blobs: which of the file's it uses, each once, and the
// dictionaries of those.
class KernelBlobs {
public:
  KernelBlobs(const BlobTable &table, const std::vector<size_t> &used)
      : table(table) {
    for (size_t number : used) {
      index(number);
      if (table.dictionary(number) != -1)
        index(static_cast<size_t>(table.dictionary(number)));
    }
  }
  uint32_t index(size_t number) {
    auto it = std::find(numbers.begin(), numbers.end(), number);
    if (it == numbers.end())
      it = numbers.insert(numbers.end(), number);
    return static_cast<uint32_t>(it - numbers.begin());
  }
  std::vector<archive::Blob> describe() {
    std::vector<archive::Blob> all;
    for (size_t number : numbers) {
      int64_t base = table.dictionary(number);
      all.push_back(table.describe(
          number, base == -1 ? -1 : static_cast<int32_t>(index(size_t(base)))));
    }
    return all;
  }

private:
  const BlobTable &table;
  std::vector<size_t> numbers;
};

// Strings are made one by one: a call's arguments have no order of evaluation.
Offset<archive::KeyValue> writePair(FlatBufferBuilder &builder,
                                    const KeyValue &pair) {
  auto key = builder.CreateString(pair.key);
  auto value = builder.CreateString(pair.value);
  return archive::CreateKeyValue(builder, key, value);
}

class KernelWriter {
public:
  // Adds the kernel's blobs to the file's, in a fixed order. The first IR is
  // what the others resemble, and a target's first image the others of it.
  KernelWriter(const Kernel &kernel, BlobTable &table)
      : kernel(kernel), table(table) {
    Bytes firstIR;
    for (const Config &config : kernel.configs) {
      irs.push_back(config.ir ? int64_t(use(table.add(config.ir, firstIR)))
                              : -1);
      if (!firstIR)
        firstIR = config.ir;
    }
    std::map<std::string, Bytes> firstImages;
    for (const Variant &variant : kernel.variants) {
      Bytes &first = firstImages[variant.target];
      images.push_back(use(table.add(variant.image, first)));
      if (!first)
        first = variant.image;
    }
  }

  // To be called once the table is packed.
  void finishBlobs() { blobs = std::make_unique<KernelBlobs>(table, used); }

  std::string write() {
    builder.Clear();
    auto params = vectorOf(kernel.params, &KernelWriter::param);
    std::vector<Offset<archive::Config>> configs;
    for (size_t i = 0; i < kernel.configs.size(); ++i)
      configs.push_back(
          config(kernel.configs[i],
                 irs[i] == -1 ? -1 : int32_t(blobs->index(size_t(irs[i])))));
    std::vector<Offset<archive::Variant>> variants;
    for (size_t i = 0; i < kernel.variants.size(); ++i)
      variants.push_back(variant(kernel.variants[i], blobs->index(images[i])));
    auto tuning = vectorOf(kernel.tuning, &KernelWriter::tuning);
    auto provenance = vectorOf(kernel.provenance, &KernelWriter::keyValue);
    auto name = builder.CreateString(kernel.name);
    auto source = text(kernel.source);
    auto function = text(kernel.function);
    auto doc = text(kernel.doc);
    auto keys = strings(kernel.autotuneKey);
    auto configVector = tables(configs);
    auto variantVector = tables(variants);
    std::vector<archive::Blob> described = blobs->describe();
    auto blobVector = structs(described);

    archive::KernelBuilder table(builder);
    table.add_name(name);
    add(params, &archive::KernelBuilder::add_params, table);
    add(configVector, &archive::KernelBuilder::add_configs, table);
    add(variantVector, &archive::KernelBuilder::add_variants, table);
    add(blobVector, &archive::KernelBuilder::add_blobs, table);
    add(tuning, &archive::KernelBuilder::add_tuning, table);
    add(keys, &archive::KernelBuilder::add_autotune_key, table);
    add(source, &archive::KernelBuilder::add_source, table);
    add(function, &archive::KernelBuilder::add_function, table);
    table.add_source_xxh3(kernel.sourceXxh3);
    add(provenance, &archive::KernelBuilder::add_provenance, table);
    add(doc, &archive::KernelBuilder::add_doc, table);
    builder.Finish(table.Finish(), kKernelId);
    return std::string(
        reinterpret_cast<const char *>(builder.GetBufferPointer()),
        builder.GetSize());
  }

private:
  // Absent when empty: smaller, and one form for one meaning.
  template <typename T, typename Table>
  static void add(Offset<T> offset, void (Table::*set)(Offset<T>),
                  Table &table) {
    if (!offset.IsNull())
      (table.*set)(offset);
  }
  Offset<flatbuffers::String> text(const std::string &string) {
    return string.empty() ? Offset<flatbuffers::String>()
                          : builder.CreateString(string);
  }
  Offset<flatbuffers::Vector<Offset<flatbuffers::String>>>
  strings(const std::vector<std::string> &all) {
    if (all.empty())
      return {};
    return builder.CreateVectorOfStrings(all);
  }
  template <typename T>
  Offset<flatbuffers::Vector<T>> numbers(const std::vector<T> &all) {
    if (all.empty())
      return {};
    return builder.CreateVector(all);
  }
  template <typename T>
  Offset<flatbuffers::Vector<const T *>> structs(const std::vector<T> &all) {
    if (all.empty())
      return {};
    return builder.CreateVectorOfStructs(all);
  }
  template <typename T>
  Offset<flatbuffers::Vector<Offset<T>>>
  tables(const std::vector<Offset<T>> &all) {
    if (all.empty())
      return {};
    return builder.CreateVector(all);
  }
  template <typename In, typename Out>
  Offset<flatbuffers::Vector<Offset<Out>>>
  vectorOf(const std::vector<In> &all,
           Offset<Out> (KernelWriter::*make)(const In &)) {
    std::vector<Offset<Out>> offsets;
    for (const In &one : all)
      offsets.push_back((this->*make)(one));
    return tables(offsets);
  }

  Offset<archive::KeyValue> keyValue(const KeyValue &pair) {
    return writePair(builder, pair);
  }

  Offset<archive::Param> param(const Param &param) {
    auto name = builder.CreateString(param.name);
    auto type = builder.CreateString(param.type);
    auto doc = text(param.doc);
    return archive::CreateParam(
        builder, name, type, static_cast<archive::ParamKind>(param.kind),
        param.bits, param.isSigned, param.isConst, param.rank,
        param.hasConstant, param.constant, doc);
  }

  Offset<archive::GridAxis> axis(const GridAxis &axis) {
    std::vector<archive::GridStep> steps;
    for (const GridStep &step : axis.steps)
      steps.emplace_back(step.operand, static_cast<archive::GridOp>(step.op));
    auto stepVector = structs(steps);
    return archive::CreateGridAxis(builder, stepVector, text(axis.text));
  }

  Offset<archive::Constant> constant(const Constant &constant) {
    auto name = builder.CreateString(constant.name);
    auto value = builder.CreateString(constant.text);
    return archive::CreateConstant(builder, name, value);
  }

  Offset<archive::Config> config(const Config &config, int32_t ir) {
    auto constants = vectorOf(config.constants, &KernelWriter::constant);
    auto grid = vectorOf(config.grid, &KernelWriter::axis);
    return archive::CreateConfig(builder, constants, config.numWarps,
                                 config.numStages, config.numCtas, grid, ir);
  }

  Offset<archive::TensorMap> tensorMap(const TensorMap &map) {
    auto box = numbers(map.box);
    auto shape = vectorOf(map.shape, &KernelWriter::axis);
    auto strides = vectorOf(map.strides, &KernelWriter::axis);
    return archive::CreateTensorMap(
        builder, map.slot, map.elementType, map.swizzle, map.interleave,
        map.l2Promotion, map.oobFill, box, shape, strides);
  }

  Offset<archive::Variant> variant(const Variant &variant, uint32_t image) {
    auto target = builder.CreateSharedString(variant.target);
    auto symbol = builder.CreateString(variant.symbol);
    std::vector<archive::Predicate> predicates;
    for (const Predicate &predicate : variant.predicates)
      predicates.emplace_back(
          predicate.value, predicate.slot,
          static_cast<archive::PredicateKind>(predicate.kind));
    std::vector<archive::Field> fields;
    for (const Field &field : variant.fields)
      fields.emplace_back(field.slot, field.offset, field.size, field.index,
                          static_cast<archive::FieldKind>(field.kind));
    auto predicateVector = structs(predicates);
    auto fieldVector = structs(fields);
    auto maps = vectorOf(variant.tensorMaps, &KernelWriter::tensorMap);
    auto block = numbers(variant.block);
    auto cluster = numbers(variant.cluster);
    auto notes = strings(variant.resources.notes);
    auto resources = archive::CreateResources(
        builder, variant.resources.registers, variant.resources.spillBytes,
        variant.resources.textSize, notes);
    return archive::CreateVariant(
        builder, target, variant.config, predicateVector, image, symbol, block,
        cluster, variant.sharedSize, variant.scratchSize, variant.scratchAlign,
        variant.paramSize, fieldVector, maps, variant.minDriver, variant.pdl,
        resources, variant.cooperative);
  }

  Offset<archive::TuningRow> row(const TuningRow &row) {
    return archive::CreateTuningRow(builder, numbers(row.upper), row.config);
  }

  Offset<archive::TuningTable> tuning(const TuningTable &table) {
    auto target = builder.CreateSharedString(table.target);
    auto device = text(table.device);
    auto keys = vectorOf(table.keys, &KernelWriter::axis);
    auto rows = vectorOf(table.rows, &KernelWriter::row);
    return archive::CreateTuningTable(builder, target, device, keys, rows);
  }

  size_t use(size_t number) {
    used.push_back(number);
    return number;
  }

  const Kernel &kernel;
  BlobTable &table;
  FlatBufferBuilder builder;
  std::vector<size_t> used, images; // numbers in the file's table
  std::vector<int64_t> irs;         // the same, or -1
  std::unique_ptr<KernelBlobs> blobs;
};

std::string writeRoot(const Pack &pack) {
  FlatBufferBuilder builder;
  std::vector<Offset<archive::KeyValue>> provenance;
  for (const KeyValue &pair : pack.provenance)
    provenance.push_back(writePair(builder, pair));
  auto name = builder.CreateString(pack.name);
  auto producer = builder.CreateString(pack.producer);
  // As in the kernels: what is empty is absent.
  decltype(builder.CreateVectorOfStrings({})) targets;
  if (!pack.kernels.empty())
    targets = builder.CreateVectorOfStrings(pack.targets());
  decltype(builder.CreateVector(provenance)) provenanceVector;
  if (!provenance.empty())
    provenanceVector = builder.CreateVector(provenance);
  builder.Finish(
      archive::CreateRoot(builder, name, producer, targets, provenanceVector),
      kRootId);
  return std::string(reinterpret_cast<const char *>(builder.GetBufferPointer()),
                     builder.GetSize());
}

} // namespace

Result<std::string> writePack(const Pack &pack, const CheckOptions &options) {
  // The directory's order, and so the order of everything.
  std::vector<const Kernel *> kernels;
  for (const Kernel &kernel : pack.kernels) {
    if (Status status = checkKernel(kernel, options); !status)
      return status;
    kernels.push_back(&kernel);
  }
  std::sort(kernels.begin(), kernels.end(), [](auto *a, auto *b) {
    uint64_t hashA = xxh3(a->name), hashB = xxh3(b->name);
    return hashA != hashB ? hashA < hashB : a->name < b->name;
  });
  for (size_t i = 1; i < kernels.size(); ++i)
    if (kernels[i]->name == kernels[i - 1]->name)
      return Status::error("two kernels are called '", kernels[i]->name,
                           "'; give one of them another name");

  BlobTable table;
  std::vector<std::unique_ptr<KernelWriter>> writers;
  for (const Kernel *kernel : kernels)
    writers.push_back(std::make_unique<KernelWriter>(*kernel, table));
  table.pack();
  for (auto &writer : writers)
    writer->finishBlobs();

  // Blobs stand after the buffers that hold their places. A buffer's size does
  // not depend on those places, so it is written twice: to be measured, and for
  // good.
  std::string root = writeRoot(pack);
  if (root.size() > NRD_MAX_ROOT_SIZE)
    return Status::error("the pack's own facts have ", root.size(),
                         " bytes; at most ", NRD_MAX_ROOT_SIZE, " are allowed");
  uint64_t rootOffset = alignUp(kHeaderSize, kPartAlignment);
  uint64_t directoryOffset = alignUp(rootOffset + root.size(), kPartAlignment);
  uint64_t end =
      directoryOffset + kernels.size() * sizeof(archive::DirectoryEntry);
  std::vector<uint64_t> offsets;
  for (size_t i = 0; i < kernels.size(); ++i) {
    offsets.push_back(alignUp(end, kPartAlignment));
    size_t size = writers[i]->write().size();
    if (size > NRD_MAX_INDEX_SIZE)
      return Status::error("kernel '", kernels[i]->name, "': its index has ",
                           size, " bytes; at most ", NRD_MAX_INDEX_SIZE,
                           " are allowed");
    end = offsets.back() + size;
  }
  uint64_t fileSize = table.place(end);

  std::vector<archive::DirectoryEntry> directory;
  std::string index;
  for (size_t i = 0; i < kernels.size(); ++i) {
    std::string buffer = writers[i]->write();
    directory.emplace_back(xxh3(kernels[i]->name), offsets[i], buffer.size(),
                           xxh3(buffer),
                           flatbuffers::make_span(blake2b(buffer)));
    index.resize(offsets[i] - directoryOffset, '\0');
    index += buffer;
  }
  std::string_view directoryBytes(
      reinterpret_cast<const char *>(directory.data()),
      directory.size() * sizeof(archive::DirectoryEntry));
  index.replace(0, directoryBytes.size(), directoryBytes);

  uint64_t magic;
  std::memcpy(&magic, kMagic.data(), 8);
  magic = flatbuffers::EndianScalar(magic);
  std::string file = headerBytes(archive::Header(
      magic, kVersionMajor, kVersionMinor, fileSize, rootOffset, root.size(),
      xxh3(root), directoryOffset, kernels.size(), xxh3(directoryBytes),
      /*signature_offset=*/0, /*header_xxh3=*/0));
  file.reserve(fileSize);
  file.resize(rootOffset, '\0');
  file += root;
  file.resize(directoryOffset, '\0');
  file += index;
  table.write(file);
  return file;
}

} // namespace nereid::pack
