//===- Image.h - What the compiler hands back ------------------*- C++ -*-===//
//
// Plain data: the packager turns it into a pack without seeing LLVM or MLIR,
// and the compiler never sees the pack (the `nereid` tool connects the two).
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_IMAGE_H
#define NEREID_COMPILER_IMAGE_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nereid {

/// One place of the parameter block; `kind` and the fields are those of
/// archive.fbs, where they are documented.
struct ParamField {
  enum class Kind : uint8_t { Value, Shape, Stride, TensorMap, Scratch };
  uint32_t slot = 0;
  uint32_t offset = 0;
  uint32_t size = 0;
  uint32_t index = 0;
  Kind kind = Kind::Value;
};

/// How the host encodes one tensor map; the fields are those of archive.fbs.
struct TensorMapRecipe {
  /// (GridOp, operand) steps of a program for the machine of grid expressions.
  using Program = std::vector<std::pair<uint8_t, int64_t>>;
  uint32_t slot = 0;
  uint8_t elementType = 0;
  uint8_t swizzle = 0;
  uint8_t l2Promotion = 0;
  uint8_t oobFill = 0;
  std::vector<uint32_t> box;
  std::vector<Program> shape, strides; ///< none: of a descriptor
};

/// A fact about the arguments that a variant was compiled to rely on.
struct VariantPredicate {
  enum class Kind : uint8_t { DivisibleBy, Equals, Below };
  uint32_t slot = 0;
  int64_t value = 0;
  Kind kind = Kind::DivisibleBy;
};

/// What the compiled code uses, for `nereid inspect`.
struct ResourceReport {
  uint32_t registers = 0;
  uint32_t spillBytes = 0;
  uint32_t textSize = 0;
  std::vector<std::string> notes;
};

/// One kernel compiled for one target: the image and its launch facts.
struct Image {
  std::string target;            ///< "x86-64-v3"
  std::string bytes;             ///< ELF shared object, cubin or code object
  std::string symbol;            ///< the entry point's name
  uint32_t block[3] = {1, 1, 1}; ///< threads per program (GPU)
  uint32_t cluster[3] = {1, 1, 1};
  uint32_t sharedSize = 0;  ///< dynamic shared memory in bytes (GPU)
  uint64_t scratchSize = 0; ///< bytes: per thread on CPU, per program on GPU
  uint32_t scratchAlign = 64;
  uint32_t paramSize = 0; ///< bytes of the parameter block
  std::vector<ParamField> fields;
  std::vector<TensorMapRecipe> tensorMaps;
  /// Slots whose divisibility was known and is not relied on: no predicate.
  std::vector<uint32_t> freeSlots;
  uint32_t minDriver = 0;
  ResourceReport resources;
};

} // namespace nereid

#endif // NEREID_COMPILER_IMAGE_H
