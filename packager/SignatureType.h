//===- SignatureType.h - Types as signatures spell them ---------*- C++ -*-===//
//
// "*fp16:16", "*ki32", "i32:1", "tensordesc<fp16[128,64]>": Triton's words for
// a parameter's type.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_SIGNATURETYPE_H
#define NEREID_PACKAGER_SIGNATURETYPE_H

#include "packager/Result.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace nereid::pack {

struct ScalarType {
  enum class Class { Integer, Float };
  const char *name; ///< "fp16"
  Class kind;
  unsigned bits;
  bool isSigned;
  const char *cType; ///< of one argument in C
};

/// The scalar called `name`, or null.
const ScalarType *findScalar(std::string_view name);
std::vector<std::string> scalarNames();

struct SignatureType {
  enum class Kind : uint8_t { Pointer, Integer, Float, Descriptor };
  Kind kind = Kind::Pointer;
  const ScalarType *scalar = nullptr; ///< the value, or the element
  bool isConst = false;               ///< pointer to const
  std::vector<uint64_t> block;        ///< of a descriptor
  /// "16" or "1" after a colon; 0: none. 1 turns the parameter into a constant.
  unsigned hint = 0;
  /// The type without hint, in its one spelling.
  std::string text;
};

/// Understands one type; the sentence names what is wrong and what is allowed.
Result<SignatureType> parseSignatureType(std::string_view text);

/// Whether `text` reads as a type rather than as a constant: for messages and
/// for the positional form of signatures.
bool looksLikeType(std::string_view text);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_SIGNATURETYPE_H
