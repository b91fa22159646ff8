//===- Dtype.h - Element types and their values -----------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_TOOLS_DTYPE_H
#define NEREID_PACKAGER_TOOLS_DTYPE_H

#include "packager/SignatureType.h"

#include <string>
#include <vector>

namespace nereid::tool {

/// An array in host memory, C order.
struct Array {
  const pack::ScalarType *type = nullptr;
  std::vector<uint64_t> shape;
  std::string bytes;

  uint64_t count() const {
    uint64_t total = 1;
    for (uint64_t size : shape)
      total *= size;
    return total;
  }
};

/// Bytes of one element; a boolean takes one.
inline size_t elementSize(const pack::ScalarType &type) {
  return type.bits < 8 ? 1 : type.bits / 8;
}

/// Writes `value` as an element of `type`: floats rounded to nearest even,
/// saturating where the type has no infinity; integers as in C.
void encode(const pack::ScalarType &type, double value, char *out);
/// The element's value. 64-bit integers lose what a double does not hold.
double decode(const pack::ScalarType &type, const char *in);

/// "fp32[4096,64]".
std::string arrayText(const Array &array);

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_DTYPE_H
