//===- Archive.h - A pack as plain data -------------------------*- C++ -*-===//
//
// These structures mirror include/nereid/archive.fbs, where each field is
// documented; README.md specifies the file. Blobs are held where they are used
// instead of by index, so a Pack can be cut and joined freely.
//
//   Pack pack = ...;                          // kernels, configs, variants
//   Result<std::string> bytes = writePack(pack);
//   Result<Pack> again = readPack(*bytes);
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_ARCHIVE_H
#define NEREID_PACKAGER_ARCHIVE_H

#include "packager/GridExpr.h"
#include "packager/Hash.h"
#include "packager/Result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nereid::pack {

constexpr uint32_t kVersionMajor = NRD_ARCHIVE_VERSION_MAJOR;
constexpr uint32_t kVersionMinor = NRD_ARCHIVE_VERSION_MINOR;

/// The first eight bytes of every pack.
constexpr std::string_view kMagic = "NEREID\r\n";

/// Bytes that are shared and never change. Null: there are none.
using Bytes = std::shared_ptr<const std::string>;
inline Bytes makeBytes(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

struct KeyValue {
  std::string key, value;
};

struct Param {
  enum class Kind : uint8_t { Pointer, Integer, Float, Descriptor };
  std::string name;
  std::string type; ///< "*fp16", "i32", "tensordesc<fp16[128,64]>"
  Kind kind = Kind::Pointer;
  uint16_t bits = 0;
  bool isSigned = false;
  bool isConst = false;
  uint8_t rank = 0;
  bool hasConstant = false;
  int64_t constant = 0;
  std::string doc;
};

/// The parameter of type `type`, its other fields derived; a sentence when
/// `type` is none.
Result<Param> makeParam(std::string name, std::string_view type);

struct Constant {
  std::string name, text;
  bool operator==(const Constant &other) const {
    return name == other.name && text == other.text;
  }
};

struct Config {
  std::vector<Constant> constants;
  uint32_t numWarps = 4, numStages = 3, numCtas = 1;
  std::vector<GridAxis> grid;
  Bytes ir;
};

struct Predicate {
  enum class Kind : uint8_t { DivisibleBy, Equals, Below };
  int64_t value = 0;
  uint32_t slot = 0;
  Kind kind = Kind::DivisibleBy;
};

struct Field {
  enum class Kind : uint8_t { Value, Shape, Stride, TensorMap, Scratch };
  uint32_t slot = 0, offset = 0, size = 0, index = 0;
  Kind kind = Kind::Value;
};

struct TensorMap {
  uint32_t slot = 0; ///< a descriptor; a pointer where there are programs
  uint8_t elementType = 0, swizzle = 0, interleave = 0, l2Promotion = 0,
          oobFill = 0;
  std::vector<uint32_t> box;
  std::vector<GridAxis> shape = {}, strides = {};
};

struct Resources {
  uint32_t registers = 0, spillBytes = 0, textSize = 0;
  std::vector<std::string> notes;
};

struct Variant {
  std::string target;
  uint32_t config = 0;
  std::vector<Predicate> predicates;
  Bytes image;
  std::string symbol;
  std::vector<uint32_t> block, cluster;
  uint32_t sharedSize = 0;
  uint64_t scratchSize = 0;
  uint32_t scratchAlign = 64;
  uint32_t paramSize = 0;
  std::vector<Field> fields;
  std::vector<TensorMap> tensorMaps;
  uint32_t minDriver = 0;
  bool pdl = false, cooperative = false;
  Resources resources;

  /// How many things it asks of the arguments. A tensor map is one: its base,
  /// strides and shape must be what the hardware can do.
  size_t demands() const { return predicates.size() + tensorMaps.size(); }
};

struct TuningRow {
  std::vector<int64_t> upper;
  uint32_t config = 0;
};

struct TuningTable {
  std::string target, device;
  std::vector<GridAxis> keys;
  std::vector<TuningRow> rows;
};

struct Kernel {
  std::string name;
  std::vector<Param> params;
  std::vector<Config> configs;
  std::vector<Variant> variants;
  std::vector<TuningTable> tuning;
  std::vector<std::string> autotuneKey;
  std::string source, function;
  uint64_t sourceXxh3 = 0;
  std::vector<KeyValue> provenance;
  std::string doc;
};

/// Who signed a pack; the signature itself is checked by Signing.h.
struct Signature {
  std::array<uint8_t, 32> publicKey;
  std::array<uint8_t, 64> signature;
};

struct Pack {
  std::string name;
  std::string producer;
  std::vector<KeyValue> provenance;
  std::vector<Kernel> kernels; ///< written sorted by name

  /// The targets of all variants, sorted, each once.
  std::vector<std::string> targets() const;
  const Kernel *find(std::string_view name) const;
};

/// Puts variants in the order the runtime tries them: by target, then config,
/// then the one with more predicates. Stable.
void sortVariants(Kernel &kernel);

/// What a pack may be written or accepted with.
struct CheckOptions {
  /// Every target of a kernel must have a variant that takes any arguments.
  bool requireFallback = true;
};

/// Checks every relation inside one kernel: slots, configs, fields, programs.
/// The sentence says which kernel and where.
Status checkKernel(const Kernel &kernel, const CheckOptions &options = {});

/// The bytes of `pack`: the same for equal packs. Refuses a pack that
/// checkKernel refuses, or with two kernels of one name.
Result<std::string> writePack(const Pack &pack,
                              const CheckOptions &options = {});

/// Facts about the file that a Pack does not keep.
struct FileFacts {
  uint32_t versionMajor = 0, versionMinor = 0;
  uint64_t fileSize = 0, indexSize = 0;
  uint64_t storedBlobs = 0, rawBlobs = 0; ///< bytes, each blob once
  uint32_t blobCount = 0;
  std::vector<Signature> signatures; ///< none or one
};

/// Reads and verifies a whole pack: header, index, every offset, every hash,
/// every relation. `facts` may be null. `bytes` may be thrown away afterwards.
Result<Pack> readPack(std::string_view bytes, FileFacts *facts = nullptr,
                      const CheckOptions &options = {});

/// The same from a file; failures name the file.
Result<Pack> readPackFile(const std::string &path, FileFacts *facts = nullptr,
                          const CheckOptions &options = {});

} // namespace nereid::pack

#endif // NEREID_PACKAGER_ARCHIVE_H
