//===- ArchiveReader.cpp - From bytes to plain data -----------------------===//
//
// A pack may come from anywhere, so nothing in it is believed: the flatbuffers
// verifier vouches for the buffers' inside, this file for everything that they
// say about the rest of the file, checkKernel for what they say about each
// other.
//
//===----------------------------------------------------------------------===//

#include "packager/ArchiveFormat.h"

#include "packager/Compress.h"
#include "packager/File.h"

#include <algorithm>
#include <map>

namespace nereid::pack {

static bool inside(uint64_t offset, uint64_t size, uint64_t fileSize) {
  return offset <= fileSize && size <= fileSize - offset;
}

Result<archive::Header> readHeader(std::string_view bytes) {
  if (bytes.size() < kMagic.size())
    return Status::error("it is no pack: it has ", bytes.size(), " bytes");
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    if (bytes.substr(0, 6) == kMagic.substr(0, 6))
      return Status::error("its line ends were converted, as copying in text "
                           "mode does; copy it again in binary mode");
    return Status::error("it is no pack: it does not begin with \"NEREID\"");
  }
  if (bytes.size() < kHeaderSize)
    return Status::error("it was cut off inside the header: it has ",
                         bytes.size(), " bytes, a header has ", kHeaderSize);
  archive::Header header;
  std::memcpy(static_cast<void *>(&header), bytes.data(), kHeaderSize);
  // The version first: a newer header may hash differently.
  if (header.version_major() != kVersionMajor)
    return Status::error(
        "it has format version ", header.version_major(), ".",
        header.version_minor(), "; this program reads ", kVersionMajor, ".x; ",
        header.version_major() > kVersionMajor ? "update Nereid to read it"
                                               : "build the pack again");
  if (xxh3(bytes.substr(0, kHeaderSize - 8)) != header.header_xxh3())
    return Status::error("its header is damaged: the hash does not match");
  if (header.file_size() != bytes.size())
    return Status::error(
        "it has ", bytes.size(), " bytes, its header says ", header.file_size(),
        bytes.size() < header.file_size() ? "; it was cut off" : "");
  auto place = [&](const char *what, uint64_t offset, uint64_t size) {
    if (offset % kPartAlignment)
      return Status::error("its ", what, " lies at ", offset,
                           ", which is no multiple of ", kPartAlignment);
    if (offset < kHeaderSize || !inside(offset, size, bytes.size()))
      return Status::error("its ", what, " lies at ", offset, " with ", size,
                           " bytes, outside the file of ", bytes.size());
    return Status();
  };
  if (Status status = place("root", header.root_offset(), header.root_size());
      !status)
    return status;
  if (header.kernel_count() > kMaxKernels)
    return Status::error("it claims ", header.kernel_count(),
                         " kernels, more than the ", kMaxKernels, " allowed");
  if (Status status =
          place("directory", header.directory_offset(),
                header.kernel_count() * sizeof(archive::DirectoryEntry));
      !status)
    return status;
  if (header.signature_offset())
    if (Status status =
            place("signature", header.signature_offset(), kSignatureSize);
        !status)
      return status;
  return header;
}

namespace {

// Turns verified tables into plain data. What several tables share is copied
// for each, so a small file could ask for much: all copies together are
// limited.
class Unpacker {
public:
  /// Was there more than a buffer can hold? What was unpacked is then cut.
  bool isTooMuch() const { return exhausted; }

  std::string text(const flatbuffers::String *string) {
    return string && take(string->size()) ? string->str() : std::string();
  }

  template <typename T>
  std::vector<T> numbers(const flatbuffers::Vector<T> *vector) {
    if (!vector || !take(uint64_t(vector->size()) * sizeof(T)))
      return {};
    return std::vector<T>(vector->begin(), vector->end());
  }

  std::vector<std::string>
  strings(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>
              *vector) {
    std::vector<std::string> all;
    if (vector)
      for (const flatbuffers::String *string : *vector)
        all.push_back(text(string));
    return all;
  }

  /// Calls `make` for each element of a vector that may be absent.
  template <typename Out, typename Vector, typename Make>
  std::vector<Out> mapped(const Vector *vector, Make make) {
    std::vector<Out> all;
    if (!vector || !take(uint64_t(vector->size()) * sizeof(Out)))
      return all;
    all.reserve(vector->size());
    for (const auto *element : *vector)
      all.push_back(make(*element));
    return all;
  }

  /// The same with a member function.
  template <typename Out, typename Vector, typename In>
  std::vector<Out> mapped(const Vector *vector, Out (Unpacker::*make)(In)) {
    return mapped<Out>(vector, [&](In in) { return (this->*make)(in); });
  }

  KeyValue keyValue(const archive::KeyValue &pair) {
    return {text(pair.key()), text(pair.value())};
  }

  Param param(const archive::Param &in) {
    Param out;
    out.name = text(in.name());
    out.type = text(in.type());
    out.kind = static_cast<Param::Kind>(in.kind());
    out.bits = in.bits();
    out.isSigned = in.is_signed();
    out.isConst = in.is_const();
    out.rank = in.rank();
    out.hasConstant = in.has_constant();
    out.constant = in.constant();
    out.doc = text(in.doc());
    return out;
  }

  GridAxis axis(const archive::GridAxis &in) {
    GridAxis out;
    out.steps = mapped<GridStep>(in.steps(), [](const archive::GridStep &step) {
      return GridStep{step.operand(), static_cast<GridOp>(step.op())};
    });
    out.text = text(in.text());
    return out;
  }

  Constant constant(const archive::Constant &in) {
    return {text(in.name()), text(in.text())};
  }

  Config config(const archive::Config &in) {
    Config out;
    out.constants = mapped(in.constants(), &Unpacker::constant);
    out.numWarps = in.num_warps();
    out.numStages = in.num_stages();
    out.numCtas = in.num_ctas();
    out.grid = mapped(in.grid(), &Unpacker::axis);
    return out;
  }

  TensorMap tensorMap(const archive::TensorMap &in) {
    TensorMap out;
    out.slot = in.slot();
    out.elementType = in.element_type();
    out.swizzle = in.swizzle();
    out.interleave = in.interleave();
    out.l2Promotion = in.l2_promotion();
    out.oobFill = in.oob_fill();
    out.box = numbers(in.box());
    out.shape = mapped(in.shape(), &Unpacker::axis);
    out.strides = mapped(in.strides(), &Unpacker::axis);
    return out;
  }

  Variant variant(const archive::Variant &in) {
    Variant out;
    out.target = text(in.target());
    out.config = in.config();
    out.predicates =
        mapped<Predicate>(in.predicates(), [](const archive::Predicate &p) {
          return Predicate{p.value(), p.slot(),
                           static_cast<Predicate::Kind>(p.kind())};
        });
    out.symbol = text(in.symbol());
    out.block = numbers(in.block());
    out.cluster = numbers(in.cluster());
    out.sharedSize = in.shared_size();
    out.scratchSize = in.scratch_size();
    out.scratchAlign = in.scratch_align();
    out.paramSize = in.param_size();
    out.fields = mapped<Field>(in.fields(), [](const archive::Field &f) {
      return Field{f.slot(), f.offset(), f.size(), f.index(),
                   static_cast<Field::Kind>(f.kind())};
    });
    out.tensorMaps = mapped(in.tensor_maps(), &Unpacker::tensorMap);
    out.minDriver = in.min_driver();
    out.pdl = in.pdl();
    out.cooperative = in.cooperative();
    if (const archive::Resources *resources = in.resources()) {
      out.resources.registers = resources->registers();
      out.resources.spillBytes = resources->spill_bytes();
      out.resources.textSize = resources->text_size();
      out.resources.notes = strings(resources->notes());
    }
    return out;
  }

  TuningRow row(const archive::TuningRow &in) {
    return {numbers(in.upper()), in.config()};
  }

  TuningTable tuning(const archive::TuningTable &in) {
    TuningTable out;
    out.target = text(in.target());
    out.device = text(in.device());
    out.keys = mapped(in.keys(), &Unpacker::axis);
    out.rows = mapped(in.rows(), &Unpacker::row);
    return out;
  }

private:
  bool take(uint64_t bytes) {
    if (bytes > left)
      exhausted = true;
    left -= exhausted ? left : bytes;
    return !exhausted;
  }

  // In memory a table is larger than its offset in a file.
  uint64_t left = uint64_t(8) * NRD_MAX_INDEX_SIZE;
  bool exhausted = false;
};

// The verifier checks where vectors are, not that their elements are aligned.
template <typename Vector> bool isAligned(const Vector *vector, size_t size) {
  return !vector || vector->size() == 0 ||
         reinterpret_cast<uintptr_t>(vector->Data()) % size == 0;
}

bool isAligned(
    const flatbuffers::Vector<flatbuffers::Offset<archive::GridAxis>> *axes) {
  if (axes)
    for (const archive::GridAxis *axis : *axes)
      if (!isAligned(axis->steps(), alignof(archive::GridStep)))
        return false;
  return true;
}

bool isAligned(const archive::Variant &variant) {
  if (!isAligned(variant.predicates(), alignof(archive::Predicate)) ||
      !isAligned(variant.fields(), alignof(archive::Field)))
    return false;
  if (variant.tensor_maps())
    for (const archive::TensorMap *map : *variant.tensor_maps())
      if (!isAligned(map->shape()) || !isAligned(map->strides()))
        return false;
  return true;
}

bool isAligned(const archive::TuningTable &table) {
  if (!isAligned(table.keys()))
    return false;
  if (table.rows())
    for (const archive::TuningRow *row : *table.rows())
      if (!isAligned(row->upper(), alignof(int64_t)))
        return false;
  return true;
}

bool isAligned(const archive::Kernel &kernel) {
  if (!isAligned(kernel.blobs(), alignof(archive::Blob)))
    return false;
  if (kernel.configs())
    for (const archive::Config *config : *kernel.configs())
      if (!isAligned(config->grid()))
        return false;
  if (kernel.variants())
    for (const archive::Variant *variant : *kernel.variants())
      if (!isAligned(*variant))
        return false;
  if (kernel.tuning())
    for (const archive::TuningTable *table : *kernel.tuning())
      if (!isAligned(*table))
        return false;
  return true;
}

// A part of the file that something points at.
struct Region {
  uint64_t offset, size;
  std::string what;
};

class Reader {
public:
  Reader(std::string_view bytes, FileFacts &facts, const CheckOptions &options)
      : bytes(bytes), facts(facts), options(options) {}

  Result<Pack> run() {
    Result<archive::Header> read = readHeader(bytes);
    if (!read)
      return read.status();
    const archive::Header &header = *read;
    facts.versionMajor = header.version_major();
    facts.versionMinor = header.version_minor();
    facts.fileSize = bytes.size();
    use(0, kHeaderSize, "the header");
    use(header.root_offset(), header.root_size(), "the root");
    if (Status status = readRoot(rootBytes(bytes, header), header.root_xxh3());
        !status)
      return status;
    std::string_view directory = directoryBytes(bytes, header);
    use(header.directory_offset(), directory.size(), "the directory");
    if (xxh3(directory) != header.directory_xxh3())
      return Status::error("the directory is damaged: its hash does not match");
    facts.indexSize = header.directory_offset() + directory.size();
    if (Status status = readDirectory(directory); !status)
      return status;
    if (uint64_t offset = header.signature_offset()) {
      use(offset, kSignatureSize, "the signature");
      Signature signature;
      std::memcpy(signature.publicKey.data(), bytes.data() + offset, 32);
      std::memcpy(signature.signature.data(), bytes.data() + offset + 32, 64);
      facts.signatures.push_back(signature);
    }
    if (pack.targets() != rootTargets)
      return Status::error("the root's list of targets is not that of the "
                           "variants");
    if (Status status = checkRegions(); !status)
      return status;
    return std::move(pack);
  }

private:
  void use(uint64_t offset, uint64_t size, std::string what) {
    regions.push_back({offset, size, std::move(what)});
  }

  // The verifier trusts alignment; the copy provides it.
  static Status verify(const std::vector<uint64_t> &copy, size_t size,
                       bool isRoot) {
    const auto *data = reinterpret_cast<const uint8_t *>(copy.data());
    if (size < 12)
      return Status::error("it has ", size, " bytes, too few for a buffer");
    const char *id = isRoot ? kRootId : kKernelId;
    if (!flatbuffers::BufferHasIdentifier(data, id))
      return Status::error("it does not have the identifier ", id);
    flatbuffers::Verifier verifier(data, size);
    bool good = isRoot ? verifier.VerifyBuffer<archive::Root>(id)
                       : verifier.VerifyBuffer<archive::Kernel>(id);
    return good ? Status() : Status::error("it is no well-formed FlatBuffer");
  }

  static std::vector<uint64_t> aligned(std::string_view part) {
    std::vector<uint64_t> copy((part.size() + 7) / 8);
    if (!part.empty())
      std::memcpy(copy.data(), part.data(), part.size());
    return copy;
  }

  Status readRoot(std::string_view part, uint64_t hash) {
    if (xxh3(part) != hash)
      return Status::error("the root is damaged: its hash does not match");
    std::vector<uint64_t> copy = aligned(part);
    if (Status status = verify(copy, part.size(), true); !status)
      return status.within("the root");
    const auto *root = flatbuffers::GetRoot<archive::Root>(copy.data());
    Unpacker unpack;
    pack.name = unpack.text(root->name());
    pack.producer = unpack.text(root->producer());
    pack.provenance = unpack.mapped(root->provenance(), &Unpacker::keyValue);
    rootTargets = unpack.strings(root->targets());
    if (unpack.isTooMuch())
      return Status::error("the root unpacks to more than a pack may have");
    return {};
  }

  Status readDirectory(std::string_view directory) {
    size_t count = directory.size() / sizeof(archive::DirectoryEntry);
    pack.kernels.reserve(std::min<size_t>(count, 1 << 16));
    for (size_t i = 0; i < count; ++i) {
      archive::DirectoryEntry entry;
      std::memcpy(static_cast<void *>(&entry),
                  directory.data() + i * sizeof(entry), sizeof(entry));
      if (Status status = readKernel(entry); !status)
        return status.within(concat("directory entry ", i));
      if (i == 0)
        continue;
      const Kernel &before = pack.kernels[i - 1], &now = pack.kernels[i];
      uint64_t hash = xxh3(before.name);
      if (hash > entry.name_xxh3() ||
          (hash == entry.name_xxh3() && before.name >= now.name))
        return Status::error("directory entry ", i, " ('", now.name,
                             "') is not in order");
    }
    return {};
  }

  Status readKernel(const archive::DirectoryEntry &entry) {
    if (entry.offset() % kPartAlignment ||
        !inside(entry.offset(), entry.size(), bytes.size()))
      return Status::error("its buffer lies at ", entry.offset(), " with ",
                           entry.size(),
                           " bytes, not aligned inside the file "
                           "of ",
                           bytes.size());
    std::string_view part = bytes.substr(entry.offset(), entry.size());
    facts.indexSize = std::max(facts.indexSize, entry.offset() + entry.size());
    if (xxh3(part) != entry.xxh3() ||
        std::memcmp(blake2b(part).data(), entry.blake2b()->Data(), 32) != 0)
      return Status::error("its buffer is damaged: the hash does not match");
    std::vector<uint64_t> copy = aligned(part);
    if (Status status = verify(copy, part.size(), false); !status)
      return status.within("its buffer");
    const auto *in = flatbuffers::GetRoot<archive::Kernel>(copy.data());
    if (!isAligned(*in))
      return Status::error("its buffer has a misaligned vector");
    Unpacker unpack;
    Kernel kernel;
    kernel.name = unpack.text(in->name());
    std::string where = "kernel '" + kernel.name + "'";
    if (xxh3(kernel.name) != entry.name_xxh3())
      return Status::error(where, ": the directory has another name's hash");
    use(entry.offset(), entry.size(), where);

    std::vector<Bytes> blobs;
    if (in->blobs())
      for (uint32_t i = 0; i < in->blobs()->size(); ++i) {
        Result<Bytes> blob = readBlob(*in->blobs(), i);
        if (!blob)
          return blob.status().within(concat(where, ", blob ", i));
        blobs.push_back(*blob);
      }
    std::vector<bool> used(blobs.size());

    kernel.params = unpack.mapped(in->params(), &Unpacker::param);
    if (in->configs())
      for (const archive::Config *one : *in->configs()) {
        kernel.configs.push_back(unpack.config(*one));
        int32_t index = one->ir_blob();
        if (index == -1)
          continue;
        if (index < 0 || size_t(index) >= blobs.size())
          return Status::error(where, ", config ", kernel.configs.size() - 1,
                               ": its IR is blob ", index, " of ",
                               blobs.size());
        used[index] = true;
        kernel.configs.back().ir = blobs[index];
      }
    if (in->variants())
      for (const archive::Variant *one : *in->variants()) {
        kernel.variants.push_back(unpack.variant(*one));
        if (one->blob() >= blobs.size())
          return Status::error(where, ", variant ", kernel.variants.size() - 1,
                               ": its image is blob ", one->blob(), " of ",
                               blobs.size());
        used[one->blob()] = true;
        kernel.variants.back().image = blobs[one->blob()];
      }
    for (size_t i = 0; i < used.size(); ++i)
      if (!used[i] && !isDictionary(*in->blobs(), i))
        return Status::error(where, ": blob ", i, " is used by nothing");
    kernel.tuning = unpack.mapped(in->tuning(), &Unpacker::tuning);
    kernel.autotuneKey = unpack.strings(in->autotune_key());
    kernel.source = unpack.text(in->source());
    kernel.function = unpack.text(in->function());
    kernel.sourceXxh3 = in->source_xxh3();
    kernel.provenance = unpack.mapped(in->provenance(), &Unpacker::keyValue);
    kernel.doc = unpack.text(in->doc());
    if (unpack.isTooMuch())
      return Status::error(where, " unpacks to more than a pack may have");
    if (Status status = checkKernel(kernel, options); !status)
      return status;
    pack.kernels.push_back(std::move(kernel));
    return {};
  }

  using BlobVector = flatbuffers::Vector<const archive::Blob *>;

  static bool isDictionary(const BlobVector &blobs, size_t index) {
    return std::any_of(blobs.begin(), blobs.end(),
                       [&](const archive::Blob *blob) {
                         return blob->dictionary() == int32_t(index);
                       });
  }

  Result<Bytes> readBlob(const BlobVector &blobs, uint32_t index) {
    const archive::Blob &blob = *blobs[index];
    uint64_t offset = blob.offset(), stored = blob.stored_size();
    if (offset % kPartAlignment || !inside(offset, stored, bytes.size()))
      return Status::error("it lies at ", offset, " with ", stored,
                           " bytes, not aligned inside the file of ",
                           bytes.size());
    std::string_view part = bytes.substr(offset, stored);
    Digest digest;
    std::memcpy(digest.data(), blob.blake2b()->Data(), digest.size());
    std::string dictionary;
    uint64_t dictionaryAt = 0; // where a header is, never a blob
    if (blob.dictionary() != -1) {
      if (blob.dictionary() < 0 ||
          uint32_t(blob.dictionary()) >= blobs.size() ||
          uint32_t(blob.dictionary()) == index ||
          blobs[blob.dictionary()]->dictionary() != -1)
        return Status::error("its dictionary is blob ", blob.dictionary(),
                             ", which is none");
      Result<Bytes> base = readBlob(blobs, blob.dictionary());
      if (!base)
        return base.status().within("its dictionary");
      dictionary = **base;
      dictionaryAt = blobs[blob.dictionary()]->offset();
    }
    // Two kernels may share a blob; it is unpacked and hashed once. The key
    // has everything that the result depends on. Each kernel counts its blobs
    // for itself, so a dictionary's number says nothing; its place does.
    auto key =
        std::make_tuple(offset, stored, digest, static_cast<int>(blob.codec()),
                        blob.raw_size(), blob.xxh3(), dictionaryAt);
    auto known = unpacked.find(key);
    if (known != unpacked.end())
      return known->second;

    std::string raw;
    switch (blob.codec()) {
    case archive::Codec::none:
      if (stored != blob.raw_size())
        return Status::error("it is not compressed, yet has two sizes: ",
                             stored, " and ", blob.raw_size());
      raw = std::string(part);
      break;
    case archive::Codec::zstd: {
      Result<std::string> result =
          decompress(part, blob.raw_size(), dictionary);
      if (!result)
        return result.status();
      raw = std::move(*result);
      break;
    }
    default:
      return Status::error("it has the unknown codec ", unsigned(blob.codec()));
    }
    if (xxh3(raw) != blob.xxh3() || blake2b(raw) != digest)
      return Status::error("it is damaged: the hash does not match");
    use(offset, stored, concat("blob at ", offset));
    ++facts.blobCount;
    facts.storedBlobs += stored;
    facts.rawBlobs += raw.size();
    Bytes shared = makeBytes(std::move(raw));
    unpacked[key] = shared;
    return shared;
  }

  // No two parts overlap, and the gaps between them are zero: nothing hides in
  // a pack that no hash covers.
  Status checkRegions() {
    std::sort(
        regions.begin(), regions.end(),
        [](const Region &a, const Region &b) { return a.offset < b.offset; });
    uint64_t end = 0;
    const Region *before = nullptr;
    for (const Region &region : regions) {
      if (region.offset < end)
        return Status::error(region.what, " at ", region.offset, " overlaps ",
                             before->what, ", which ends at ", end);
      if (Status status = checkGap(end, region.offset); !status)
        return status;
      end = region.offset + region.size;
      before = &region;
    }
    return checkGap(end, bytes.size());
  }

  Status checkGap(uint64_t begin, uint64_t end) {
    for (uint64_t at = begin; at < end; ++at)
      if (bytes[at] != 0)
        return Status::error("the byte at ", at,
                             " belongs to nothing, yet is "
                             "not zero");
    if (end - begin >= kPartAlignment)
      return Status::error("the bytes ", begin, " to ", end,
                           " belong to nothing");
    return {};
  }

  std::string_view bytes;
  FileFacts &facts;
  const CheckOptions &options;
  Pack pack;
  std::vector<std::string> rootTargets;
  std::vector<Region> regions;
  std::map<
      std::tuple<uint64_t, uint64_t, Digest, int, uint64_t, uint64_t, uint64_t>,
      Bytes>
      unpacked;
};

} // namespace

Result<Pack> readPack(std::string_view bytes, FileFacts *facts,
                      const CheckOptions &options) {
  FileFacts ignored;
  return Reader(bytes, facts ? *facts : ignored, options).run();
}

Result<Pack> readPackFile(const std::string &path, FileFacts *facts,
                          const CheckOptions &options) {
  Result<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.status();
  Result<Pack> pack = readPack(*bytes, facts, options);
  if (!pack)
    return pack.status().within(path);
  return pack;
}

} // namespace nereid::pack
